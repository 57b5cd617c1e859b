"""A report put together: the plan with published values where there are any, open ones where there are none.

What is published is told as it was frozen, with the plan and the names of that time; an open report is told as it
would be published now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.deliveries import ACTIVITY_TEXT, Delivery, DeliveryAct, Text
from core.indicators import Part, Scope, Value, ValueStatus
from core.plan import Activity, Area, Figure, Goal, Indicator, Project, ReportKind, StrategicGoal
from core.ports import RecordStore
from core.publications import Publication
from core.report import (
    ActivityRow,
    AreaPart,
    Cell,
    IndicatorRow,
    Origin,
    Piece,
    ProjectRow,
    PublishedAs,
    Report,
    YearValue,
)
from core.report_periods import EARLIEST, ReportId
from services.freezing import Opened, opened
from services.frozen import value_digest
from services.held import RegisterReader
from services.indicators import Evaluation
from services.report_missing import missing_of
from services.report_names import FrozenNames, Names, RegisterNames
from services.report_standing import standing

EARLIER: Final = 4
"""So many years before a report's own are shown beside it."""


MOST_MISSING: Final = 0.5
"""A year of which more is missing is not shown beside others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan as it stood."""

    goals: tuple[Goal, ...]
    areas: tuple[Area, ...]
    activities: tuple[Activity, ...]
    projects: tuple[Project, ...]
    indicators: tuple[Indicator, ...]

    @classmethod
    def of(cls, register: RegisterReader) -> "Plan":
        """Return the plan of a register."""
        return cls(
            goals=tuple(register.find(Goal)),
            areas=tuple(register.find(Area)),
            activities=tuple(register.find(Activity)),
            projects=tuple(register.find(Project)),
            indicators=tuple(register.find(Indicator)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report is made of: its values by indicator, its deliveries by area, and the publication it is of."""

    report: ReportId
    plan: Plan
    values: Mapping[str, Value]
    deliveries: Mapping[str, Delivery]
    names: Names
    publication: Publication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """The values of a year beside a report's own, and whether they are published."""

    year: int
    values: Mapping[str, Value]
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside a report's values: those of the year before, and of each year that is shown."""

    before: Mapping[str, Value] = field(default_factory=dict)
    years: tuple[Year, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """Who tells it: the region's name and the version of this program."""

    region: str
    software: str


class Reports:
    """Puts reports together from what is published and from what is open now."""

    def __init__(self, records: RecordStore, evaluation: Callable[[], Evaluation], imprint: Imprint) -> None:
        self._records = records
        self._evaluation = evaluation
        self._imprint = imprint

    def report(self, report: ReportId, now: datetime, *, open_state: bool = False) -> Report:
        """Return a report: its last publication where there is one, else (or with `open_state`) as it is now."""
        source = _Source(self._records, self._evaluation)
        told = source.told(report, open_state=open_state)
        return assembled(told, source.beside(told), self._imprint, now)

    def of_publication(self, key: str, now: datetime) -> Report:
        """Return the report that a publication told; raise NotFound."""
        source = _Source(self._records, self._evaluation)
        told = told_of(opened(self._records.publication(key)), RegisterNames(self._records))
        return assembled(told, source.beside(told), self._imprint, now)


class _Source:
    """Values of several reports at one moment: what is open is computed by one evaluation, made when needed."""

    def __init__(self, records: RecordStore, evaluation: Callable[[], Evaluation]) -> None:
        self._records, self._make = records, evaluation
        self._evaluation: Evaluation | None = None

    def told(self, report: ReportId, *, open_state: bool = False) -> Told:
        heads = [] if open_state else self._records.publications(report)
        if heads:
            return told_of(opened(self._records.publication(heads[-1].id)), RegisterNames(self._records))
        plan = Plan.of(self._records)
        return Told(
            report=report,
            plan=plan,
            values=self._computed([one for one in plan.indicators if report.kind in one.reports], report),
            deliveries={one.area: one for one in self._records.deliveries(report)},
            names=RegisterNames(self._records),
        )

    def _computed(self, indicators: Sequence[Indicator], report: ReportId) -> dict[str, Value]:
        if self._evaluation is None:
            self._evaluation = self._make()
        found = self._evaluation.values(indicators, Scope(), report.first, report.end)
        return {value.indicator: value for value in found}

    def beside(self, told: Told) -> Beside:
        """Return the years beside a report: those before an annual or mid-year one, those within a closing one.

        Beside what is published stands only what had been published by then, so that a published report stays as it is.
        """
        report, kind = told.report, told.report.kind
        last = report.end.year - (report.end.month == 1)
        if kind is ReportKind.CLOSING:
            years = range(report.first.year, last + 1)
            return Beside(years=tuple(self._year(told, ReportKind.ANNUAL, year) for year in years))
        earlier = range(max(last - EARLIER, EARLIEST), last)
        years_before = [self._year(told, kind, year) for year in earlier]
        own = Year(year=last, values=told.values, published=told.publication is not None)
        return Beside(before=years_before[-1].values if years_before else {}, years=(*years_before, own))

    def _year(self, told: Told, kind: ReportKind, year: int) -> Year:
        report, frozen = ReportId(kind=kind, period=str(year)), told.publication
        heads = [one for one in self._records.publications(report) if frozen is None or one.at <= frozen.at]
        if heads:
            held = opened(self._records.publication(heads[-1].id))
            return Year(year=year, values=_by_indicator(held.values), published=True)
        if frozen is not None:
            return Year(year=year, values={}, published=False)
        indicators = [one for one in told.plan.indicators if told.report.kind in one.reports]
        return Year(year=year, values=self._computed(indicators, report), published=False)


def _by_indicator(values: Sequence[Value]) -> dict[str, Value]:
    return {value.indicator: value for value in values if value.scope == Scope()}


def told_of(held: Opened, live: Names) -> Told:
    """Return what a publication told; names that it does not hold are those of now."""
    return Told(
        report=held.publication.report,
        plan=Plan(**{name: tuple(held.plan[name]) for name in Plan.__dataclass_fields__}),
        values=_by_indicator(held.values),
        deliveries={one.area: one for one in held.deliveries},
        names=FrozenNames(held.names, live),
        publication=held.publication,
    )


def assembled(told: Told, beside: Beside, imprint: Imprint, now: datetime) -> Report:
    """Return the report of what is told."""
    areas = tuple(_area(told, area, beside) for area in told.plan.areas)
    some = next(iter(told.values.values()), None)
    published = told.publication
    return Report(
        id=told.report,
        region=imprint.region,
        made_at=published.at if published else now,
        cutoff=published.cutoff if published else some.cutoff if some else None,
        register=published.register if published else some.register if some else 0,
        software=published.code or imprint.software if published else imprint.software,
        goals=told.plan.goals,
        areas=areas,
        missing=missing_of(told.report.kind, areas),
        publication=_published(published) if published else None,
    )


def _published(found: Publication) -> PublishedAs:
    return PublishedAs(
        id=found.id,
        version=found.version,
        at=found.at,
        by=found.by,
        digest=found.digest,
        replaces=found.replaces,
        cause=found.note,
    )


def _area(told: Told, area: Area, beside: Beside) -> AreaPart:
    delivery = told.deliveries.get(area.id) or Delivery(report=told.report, area=area.id)
    delivered = delivery.last(DeliveryAct.DELIVER)
    mine = [one for one in told.plan.indicators if one.area == area.id and told.report.kind in one.reports]
    return AreaPart(
        id=area.id,
        name=area.name,
        priority_area=area.priority_area,
        guarantor=area.guarantor,
        vision=area.vision,
        goals=area.goals,
        strategic=tuple(StrategicGoal(one) for one in area.strategic),
        state=delivery.state,
        delivered_by=delivered.by if delivered else "",
        delivered_at=delivered.at if delivered else None,
        texts={key: text for key, text in delivery.texts.items() if key in set(Text)},
        activities=tuple(_activity(told, one, delivery) for one in told.plan.activities if one.area == area.id),
        rows=tuple(_row(told, one, delivery, beside) for one in mine),
    )


def _activity(told: Told, activity: Activity, delivery: Delivery) -> ActivityRow:
    return ActivityRow(
        id=activity.id,
        name=activity.name,
        description=activity.description,
        guarantor=activity.guarantor,
        text=delivery.texts.get(f"{ACTIVITY_TEXT}{activity.id}", ""),
        projects=tuple(
            ProjectRow(
                name=one.name,
                state=one.state,
                begins=one.begins,
                ends=one.ends,
                cost_czk=one.cost_czk,
                note=one.note,
            )
            for one in told.plan.projects
            if one.activity == activity.id
        ),
    )


def _row(told: Told, indicator: Indicator, delivery: Delivery, beside: Beside) -> IndicatorRow:
    value = told.values.get(indicator.id)
    entered = delivery.value(indicator.id) if indicator.by_hand else None
    names = told.names
    coverage = value.coverage if value else None
    return IndicatorRow(
        indicator=indicator.id,
        name=indicator.name,
        definition=indicator.definition,
        goals=indicator.goals,
        guarantor=indicator.guarantor or _guarantor(told, indicator),
        by_hand=indicator.by_hand,
        direction=indicator.direction,
        cells=tuple(_cell(told, indicator, figure, value, beside) for figure in indicator.figures),
        status=value.status if value else ValueStatus.UNKNOWN,
        published=told.publication is not None and value is not None,
        first=value.first if value else told.report.first,
        end=value.end if value else told.report.end,
        least_measured=indicator.least_measured,
        coverage=coverage,
        lacking=tuple(names.of(key) for key in coverage.lacking) if coverage else (),
        reasons=value.reasons if value else (),
        note=value.note if value else "",
        activities=tuple(_activity_name(told, key) for key in value.activities) if value else (),
        measures=tuple(names.of(key) for key in value.measures) if value else (),
        evidence=tuple(one.name for one in entered.evidence) if entered else (),
        history=tuple(_year_value(one, indicator) for one in beside.years),
        pieces=tuple(_piece(part, names) for part in value.parts) if value else (),
        origin=_origin(told, value) if value is not None and not _undelivered(indicator, value) else None,
    )


def _guarantor(told: Told, indicator: Indicator) -> str:
    return next((area.guarantor for area in told.plan.areas if area.id == indicator.area), "")


def _activity_name(told: Told, key: str) -> str:
    return next((one.name for one in told.plan.activities if one.id == key), key)


def _undelivered(indicator: Indicator, value: Value) -> bool:
    return indicator.by_hand and all(amount.value is None for amount in value.amounts) and not value.note


def _cell(told: Told, indicator: Indicator, figure: Figure, value: Value | None, beside: Beside) -> Cell:
    amounts = {one.figure: one for one in value.amounts} if value else {}
    amount = amounts.get(figure.key)
    judged, status, year, whole = _judged_value(told, indicator, figure, value, beside)
    return Cell(
        key=figure.key,
        name=figure.name,
        unit=figure.unit,
        decimals=figure.decimals,
        value=amount.value if amount else None,
        low90=amount.low90 if amount else None,
        high90=amount.high90 if amount else None,
        before=_number(_past(beside.before.get(indicator.id)), figure),
        standing=standing(indicator, figure, judged, status, year=year, whole=whole),
    )


def _judged_value(
    told: Told, indicator: Indicator, figure: Figure, value: Value | None, beside: Beside
) -> tuple[float | None, ValueStatus, int, bool]:
    """Return what is held against a target: the report's own value, of a closing report that of its last year."""
    last = told.report.end.year - (told.report.end.month == 1)
    if told.report.kind is ReportKind.CLOSING:
        value = beside.years[-1].values.get(indicator.id) if beside.years else None
    status = value.status if value else ValueStatus.UNKNOWN
    over = value is not None and value.cutoff.date() >= value.end
    return _number(value, figure), status, last, over and told.report.kind is not ReportKind.MID_YEAR


def _past(value: Value | None) -> Value | None:
    """Return a value to be compared with; one of which most is missing would mislead beside whole years."""
    covered = value.coverage if value else None
    return None if covered is not None and covered.missing > MOST_MISSING else value


def _number(value: Value | None, figure: Figure) -> float | None:
    if value is None:
        return None
    return next((one.value for one in value.amounts if one.figure == figure.key), None)


def _year_value(year: Year, indicator: Indicator) -> YearValue:
    value = _past(year.values.get(indicator.id))
    return YearValue(
        year=year.year,
        value=_number(value, indicator.figures[0]),
        status=value.status if value else ValueStatus.UNKNOWN,
        published=year.published and value is not None,
        figures={figure.key: _number(value, figure) for figure in indicator.figures},
    )


def _piece(part: Part, names: Names) -> Piece:
    return Piece(figure=part.figure, kind=part.kind, name=names.of(part.key), value=part.value)


def _origin(told: Told, value: Value) -> Origin:
    return Origin(
        method=value.method,
        version=value.version,
        cutoff=value.cutoff,
        register=value.register,
        computed_at=value.computed_at,
        publication=told.publication.id if told.publication else "",
        digest=value_digest(value),
        used=value.used,
    )
