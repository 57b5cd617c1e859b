"""What pages tell of a report's values: those kept, those that people entered, and how they stand to the published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from api.pages.held import Held, state_of
from api.room import Room
from api.routes.indicators import evaluation
from core.deliveries import Delivery
from core.indicators import Scope, Value, ValueStatus
from core.plan import Indicator, ReportKind
from core.publications import Publication
from core.report_periods import ReportId
from services.freezing import opened
from services.frozen import value_digest
from services.kept_values import EARLIER, KeptValues, ValueKeeper, kept_text, kept_values
from services.report_content import Beside, Plan, Told, Year
from services.report_names import RegisterNames
from services.verification import close

OLD: Final = timedelta(hours=1)
"""What nobody found unchanged for so long is worked out anew when it is asked for."""
PLAN_YEARS: Final = "2024-2026"
"""The years of the plan, of its closing report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The values of a report by indicator; `digests` are those of whole values, `made_at` when they were computed."""

    report: ReportId
    values: Mapping[str, Value]
    digests: Mapping[str, str]
    made_at: datetime
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What stands published of a report: its head and its values without their parts."""

    publication: Publication
    values: Mapping[str, Value]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A figure that is another now than it was published."""

    indicator: str
    figure: str
    old: float | None
    new: float | None


def keeper_of(room: Room) -> ValueKeeper:
    """Return what keeps values, of the whole region."""
    deps = room.region.deps
    return ValueKeeper(
        records=deps.records,
        readings=deps.readings,
        dated=deps.dated,
        school=deps.facts.school if deps.facts is not None else frozenset(),
        zone=deps.zone,
        evaluation=lambda: evaluation(room.region),
    )


def standing_values(room: Room, held: Held, report: ReportId, *, fresh: bool = False) -> Standing:
    """Return the values of a report: kept ones, worked out here where nobody keeps them, and those of people."""
    records, now = room.region.deps.records, room.deps.clock()
    indicators = [one for one in records.find(Indicator) if report.kind in one.reports]
    computed = [one for one in indicators if not one.by_hand]
    kept = _kept(room, held, report)
    if fresh or kept is None or now - kept.checked_at > OLD or len(kept.of(computed)) < len(computed):
        kept = keeper_of(room).refresh(report, now, always=fresh)
    found = kept.of(computed)
    entered = evaluation(room.region).values(
        [one for one in indicators if one.by_hand], Scope(), report.first, report.end
    )
    values = {key: one.value for key, one in found.items()} | {one.indicator: one for one in entered}
    digests = {key: one.digest for key, one in found.items()} | {one.indicator: value_digest(one) for one in entered}
    return Standing(report=report, values=values, digests=digests, made_at=kept.made_at, checked_at=kept.checked_at)


def _kept(room: Room, held: Held, report: ReportId) -> KeptValues | None:
    records = room.region.deps.records
    return held.get(("values", report), kept_text(records, report), lambda: kept_values(records, report))


def of_scope(room: Room, held: Held, report: ReportId, scope: Scope) -> dict[str, Value]:
    """Return the values of an organisation or a building."""
    indicators = [i for i in room.region.deps.records.find(Indicator) if report.kind in i.reports and not i.by_hand]

    def made() -> dict[str, Value]:
        values = evaluation(room).values(indicators, scope, report.first, report.end)
        return {one.indicator: one for one in values}

    state = (state_of(room.region), tuple(indicators))
    return held.get(("scope", report, scope), state, made)


def published_of(room: Room, held: Held, report: ReportId, key: str = "") -> Published | None:
    """Return what stands published of a report (or one version of it), None where nothing does."""
    records = room.region.deps.records
    heads = [one.id for one in records.publications(report) if key in {"", one.id}]
    return held.get(("published", heads[-1]), heads[-1], lambda: _opened(room, heads[-1])) if heads else None


def _opened(room: Room, key: str) -> Published:
    found = opened(room.region.deps.records.publication(key))
    values = {one.indicator: one for one in found.values if one.scope == Scope()}
    return Published(
        publication=found.publication,
        values=values,
        digests={key: value_digest(one) for key, one in values.items()},
    )


def differing(published: Published, standing: Standing) -> list[Differing]:
    """Return the figures that are others now than they were published, beyond the order of adding."""
    found = []
    for key in dict.fromkeys((*published.values, *standing.values)):
        old, new = published.values.get(key), standing.values.get(key)
        for figure in dict.fromkeys(a.figure for one in (old, new) if one for a in one.amounts):
            numbers = _number(old, figure), _number(new, figure)
            if not _same(*numbers) or (old and old.status) != (new and new.status):
                found.append(Differing(indicator=key, figure=figure, old=numbers[0], new=numbers[1]))
    return found


def _number(value: Value | None, figure: str) -> float | None:
    amounts = value.amounts if value else ()
    return next((one.value for one in amounts if one.figure == figure), None)


def _same(old: float | None, new: float | None) -> bool:
    return old == new if old is None or new is None else close(old, new)


def told_of(room: Room, held: Held, report: ReportId, scope: Scope) -> tuple[Told, Beside, Standing]:
    """Return what a report would tell now of a scope, and the years that are kept beside it."""
    records = room.region.deps.records
    standing = standing_values(room, held, report)
    values = dict(standing.values) if scope == Scope() else of_scope(room, held, report, scope)
    deliveries: dict[str, Delivery] = {one.area: one for one in records.deliveries(report)}
    told = Told(
        report=report,
        plan=Plan.of(records),
        values=values,
        deliveries=deliveries,
        names=RegisterNames(records),
    )
    return told, _beside(room, held, report, scope, values), standing


def _beside(room: Room, held: Held, report: ReportId, scope: Scope, own: Mapping[str, Value]) -> Beside:
    if report.kind is ReportKind.CLOSING:
        years = range(report.first.year, report.end.year)
        return Beside(years=tuple(_year(room, held, ReportKind.ANNUAL, year, scope) for year in years))
    last = report.first.year
    shown = EARLIER if scope == Scope() else 1
    before = [_year(room, held, report.kind, year, scope) for year in range(last - shown, last)]
    now = Year(year=last, values=own, published=False)
    return Beside(before=before[-1].values, years=(*before, now))


def _year(room: Room, held: Held, kind: ReportKind, year: int, scope: Scope) -> Year:
    report = ReportId(kind=kind, period=str(year))
    if scope != Scope():
        return Year(year=year, values=of_scope(room, held, report, scope), published=False)
    published, kept = published_of(room, held, report), _kept(room, held, report)
    if published is not None:
        return Year(year=year, values=published.values, published=True)
    values = {one.value.indicator: one.value for one in kept.values} if kept else {}
    return Year(year=year, values=values, published=False)


def reports_offered(room: Room) -> list[ReportId]:
    """Return the reports that can be chosen: of this year and those before, and the closing one; known ones besides."""
    today = room.deps.clock().astimezone(room.deps.zone).date()
    years = range(today.year, today.year - EARLIER - 1, -1)
    annual = [ReportId(kind=ReportKind.ANNUAL, period=str(year)) for year in years]
    half = [ReportId(kind=ReportKind.MID_YEAR, period=str(year)) for year in years]
    records = room.region.deps.records
    known = [*(one.report for one in records.publications()), *(one.report for one in records.deliveries())]
    closing = ReportId(kind=ReportKind.CLOSING, period=PLAN_YEARS)
    return list(dict.fromkeys((*annual, *half, closing, *sorted(known, key=str))))


def usual_report(today: date) -> ReportId:
    """Return the report that is asked for where none is named: the annual one of the last whole year."""
    return ReportId(kind=ReportKind.ANNUAL, period=str(today.year - 1))


def unknown(value: Value | None) -> bool:
    """Return whether a value cannot be determined, or is not there."""
    return value is None or value.status is ValueStatus.UNKNOWN
