"""One indicator: its value over time, what it rests on and is made of, why it changed, what was published of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from api.access import allowed
from api.indicator_rows import OPEN_KINDS, ChangeOfIndicator, DifferenceRow, change_row, reason_row
from api.indicator_values import Standing, published_of, told_of
from api.pages.held import state_of
from api.pages.indicators import line_of, moved_of
from api.pages.public import picture_of
from api.pages.reports import FORMS, Chosen, choice, held_of, report_name
from api.pages.view import PRIVATE, Seen, Viewer, templates
from api.reasons import CARRIERS
from api.routes.indicators import evaluation, indicator_of, scope_of, seen_by
from api.texts import N_
from core.indicators import Scope, Value, ValueStatus
from core.people import Right
from core.plan import Activity, Indicator, ReportKind
from core.report import YearValue
from core.report_periods import ReportId
from services.indicator_change import explained
from services.report_content import Imprint, assembled

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.INDICATORS, Right.SEE)])

MOST_PARTS: Final = 300
"""So many pieces of a kind are shown; the export holds them all."""
KINDS: Final = {
    "building": N_("By building"),
    "organisation": N_("By organisation"),
    "point": N_("By metering point"),
    "measure": N_("By measure"),
    "carrier": N_("By carrier"),
    "activity": N_("By activity"),
    "alert": N_("By alert"),
    "cause": N_("By cause"),
}
OWN: Final = {"own_pv": N_("own photovoltaics")}
"""Carriers of final consumption that have no emission factor."""
USED: Final = {
    "emission_factor": N_("emission factor"),
    "population": N_("number of inhabitants"),
    "price": N_("price"),
    "normal": N_("climate normal"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """What is looked at: an indicator of a report's span and a scope."""

    indicator: Indicator
    report: ReportId
    scope: Scope

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters that lead to it."""
        return {"report": str(self.report), "scope": str(self.scope)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceLine:
    """A piece of a figure, with where it leads; `share` of all of its kind for the bar."""

    name: str
    address: str
    value: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The pieces of a kind, the largest first; `more` are not shown."""

    kind: str
    name: str
    lines: list[PieceLine]
    more: int


@router.get("/indicators/{key}")
def indicator(
    v: Seen, key: str, report: Chosen, scope: Annotated[str, Query()] = "region", whole: Annotated[str, Query()] = ""
) -> Response:
    """Show an indicator; what takes long is fetched by the page itself, or with `whole` stands in it at once."""
    what = _what(v, key, report, scope)
    held = held_of(v)
    source, beside, standing = told_of(v.room, held, what.report, what.scope)
    made = assembled(source, beside, Imprint(region="", software=""), v.now)
    row = next(one for one in made.rows if one.indicator == key)
    published = published_of(v.room, held, what.report) if what.scope == Scope() else None
    line = line_of(row, v.words, published, moved_of(published, standing))
    value = source.values.get(key)
    return v.page(
        "indicator.html",
        what=what,
        indicator=what.indicator,
        area=next(one for one in made.areas if any(r.indicator == key for r in one.rows)),
        goals=[goal for goal in made.goals if goal.id in what.indicator.goals],
        choice=choice(v, what.report),
        report_title=report_name(what.report, v.words),
        last_day=what.report.end - timedelta(days=1),
        scopes=_scopes(v),
        line=line,
        row=row,
        picture=picture_of(row, v.words),
        history=row.history,
        value=value,
        reasons=[reason_row(one, v.words, seen_by(v.room)) for one in value.reasons] if value else [],
        lacking=_lacking(v, value),
        used_names=USED,
        activities=_activities(v, value),
        measures=_measures(v, value),
        delivered=_delivered(v, what),
        standing=standing,
        publications=_published(v, what, standing),
        figure_text=lambda n, figure: _figure(v, figure, n),
        whole=bool(whole),
        pieces=_pieces(v, what) if whole else [],
        change=_change(v, what) if whole else None,
        months=_months(v, what) if whole else None,
        forms=FORMS,
    )


def _what(v: Viewer, key: str, report: ReportId, scope: str) -> Whose:
    found = indicator_of(v.room, key)
    if report.kind not in found.reports:
        kind = next((one for one in ReportKind if one in found.reports), report.kind)
        period = report.period if kind is not ReportKind.CLOSING else "2024-2026"
        report = ReportId(kind=kind, period=period)
    return Whose(indicator=found, report=report, scope=scope_of(scope or "region", v.room))


def _scopes(v: Viewer) -> list[tuple[str, str]]:
    now = v.room.now()
    known = [(f"organisation:{one.id}", one.name) for one in now.organisations.values()]
    return [*known, *((f"building:{one.id}", one.name) for one in now.buildings.values())] if v.may("see") else []


def _named(v: Viewer, key: str) -> str:
    now = v.room.now()
    for held in (now.buildings, now.organisations, now.measures):
        if key in held:
            return held[key].name
    if key in now.points:
        point = now.points[key]
        building = now.buildings.get(point.building)
        return f"{building.name} – {point.name}" if building else point.name
    known = {**CARRIERS, **OWN}
    return v.words.text(known[key]) if key in known else key


def _lacking(v: Viewer, value: Value | None) -> list[tuple[str, str]]:
    """Return the points that lack data and that the viewer sees, with their names."""
    seen = seen_by(v.room)
    found = value.coverage.lacking if value and value.coverage else ()
    return [(key, _named(v, key)) for key in found if seen(key)]


def _activities(v: Viewer, value: Value | None) -> list[Activity]:
    known = {one.id: one for one in v.room.region.deps.records.find(Activity)}
    return [known[key] for key in (value.activities if value else ()) if key in known]


def _measures(v: Viewer, value: Value | None) -> list[tuple[str, str]]:
    seen = v.room.now().measures
    return [(key, seen[key].name) for key in (value.measures if value else ()) if key in seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A value that a guarantor entered: by whom, with what files."""

    area: str
    by: str
    files: list[tuple[str, str]]


def _delivered(v: Viewer, what: Whose) -> Delivered | None:
    """Return what stands behind a value that was entered by hand."""
    if not what.indicator.by_hand:
        return None
    found = v.room.region.deps.records.delivery(what.report, what.indicator.area)
    value = found.value(what.indicator.id)
    base = f"/api/v1/deliveries/{what.report}/{what.indicator.area}/values/{what.indicator.id}/evidence"
    files = [(one.name, f"{base}/{one.id}") for one in value.evidence] if value and v.may("see_indicators") else []
    return Delivered(area=what.indicator.area, by=found.steps[-1].by if found.steps else "", files=files)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """The indicator's value in a version of a report."""

    publication: str
    name: str
    version: int
    day: str
    note: str
    value: str
    state: str


def _published(v: Viewer, what: Whose, standing: Standing) -> list[VersionLine]:
    """Return the indicator's values as they were published, newest first, of all reports of its kind."""
    found = []
    for head in reversed(v.room.region.deps.records.publications()):
        if head.report.kind is not what.report.kind or what.scope != Scope():
            continue
        held = published_of(v.room, held_of(v), head.report, head.id)
        value = held.values.get(what.indicator.id) if held else None
        if value is not None:
            found.append(
                VersionLine(
                    publication=head.id,
                    name=report_name(head.report, v.words),
                    version=head.version,
                    day=v.words.day(head.at.date()),
                    note=head.note,
                    value=_figure(v, what.indicator.figures[0], value.amounts[0].value),
                    state="same" if head.report != standing.report else _state(value, standing),
                )
            )
    return found


def _state(value: Value, standing: Standing) -> str:
    now = standing.values.get(value.indicator)
    return "same" if now is not None and now.amounts == value.amounts else "other"


def _figure(v: Viewer, figure: Any, value: float | None, *, sign: bool = False) -> str:  # noqa: ANN401 - of the plan, or a report's cell
    text = v.words.number(value, figure.decimals)
    if value is None:
        return text
    text = f"+{text}" if sign and value > 0 else text
    return f"{text}\u00a0{figure.unit}" if figure.unit else text


# What takes longer: computed when it is asked for, and held until something changes


def _fragment(v: Viewer, what: Whose, macro: str, **shown: Any) -> Response:  # noqa: ANN401 - what templates show
    """Return a part of the page alone."""
    text = (
        templates(v.words.code)
        .get_template("indicator_fragment.html")
        .render(v=v, what=what, indicator=what.indicator, part=macro, **shown)
    )
    return HTMLResponse(text, headers={**PRIVATE, "Vary": "Cookie, Accept-Language"})


@router.get("/indicators/{key}/parts")
def parts(v: Seen, key: str, report: Chosen, scope: Annotated[str, Query()] = "region") -> Response:
    """Show what the figure is made of."""
    what = _what(v, key, report, scope)
    return _fragment(v, what, "parts", pieces=_pieces(v, what))


@router.get("/indicators/{key}/why")
def why(v: Seen, key: str, report: Chosen, scope: Annotated[str, Query()] = "region") -> Response:
    """Show why it changed against the year before."""
    what = _what(v, key, report, scope)
    return _fragment(v, what, "why", change=_change(v, what))


@router.get("/indicators/{key}/months")
def months(v: Seen, key: str, report: Chosen, scope: Annotated[str, Query()] = "region") -> Response:
    """Show the months of the span."""
    what = _what(v, key, report, scope)
    return _fragment(v, what, "months", months=_months(v, what))


def _kept(v: Viewer, what: Whose, name: str, make: Any) -> Any:  # noqa: ANN401 - what is held
    state = (state_of(v.room.region), what.indicator)
    return held_of(v).get((name, what.indicator.id, str(what.report), str(what.scope)), state, make)


def _value(v: Viewer, what: Whose) -> Value:
    def made() -> Value:
        return evaluation(v.room).values([what.indicator], what.scope, what.report.first, what.report.end)[0]

    found: Value = _kept(v, what, "value", made)
    return found


def _pieces(v: Viewer, what: Whose) -> list[Pieces]:
    """Return the pieces of the main figure kind by kind, of what the viewer sees."""
    value, figure, seen = _value(v, what), what.indicator.figures[0], seen_by(v.room)
    found = []
    for kind in dict.fromkeys(p.kind for p in value.parts if p.figure == figure.key):
        mine = [p for p in value.parts if p.kind == kind and p.figure == figure.key]
        shown = [p for p in mine if kind in OPEN_KINDS or seen(p.key)]
        largest = max((abs(p.value or 0.0) for p in shown), default=0.0) or 1.0
        shown.sort(key=lambda p: -abs(p.value or 0.0))
        lines = [
            PieceLine(
                name=_named(v, p.key),
                address=_address(v, what, kind, p.key),
                value=_figure(v, figure, p.value),
                share=abs(p.value or 0.0) / largest,
            )
            for p in shown[:MOST_PARTS]
        ]
        if lines:
            name = v.words.text(KINDS[kind]) if kind in KINDS else kind
            found.append(Pieces(kind=kind, name=name, lines=lines, more=len(shown) - len(lines)))
    return found


def _address(v: Viewer, what: Whose, kind: str, key: str) -> str:
    """Return where a piece leads: a building to the same indicator of it, a point to its readings of the span."""
    if not v.may("see"):
        return ""
    if kind == "building":
        return f"/indicators/{what.indicator.id}?report={what.report}&scope=building:{key}"
    if kind == "organisation":
        return f"/indicators/{what.indicator.id}?report={what.report}&scope=organisation:{key}"
    if kind == "point":
        last = what.report.end - timedelta(days=1)
        return f"/points/{key}?from={what.report.first}&to={last}&period=month"
    return f"/measures/{key}" if kind == "measure" else f"/alerts/{key}" if kind == "alert" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Why it changed: before and after, the causes, the pieces that changed most, and what could not be told."""

    before: str
    after: str
    before_year: str
    after_year: str
    change: str
    causes: list[PieceLine]
    parts: list[Pieces]
    reasons: list[str]


def _change(v: Viewer, what: Whose) -> Change | None:
    """Return why the main figure changed against the same days a year before; None of more than a year."""
    if what.report.kind is ReportKind.CLOSING or what.indicator.by_hand:
        return None
    sides = (_year_before(what), (what.report.first, what.report.end))
    found: Any = _kept(
        v,
        what,
        "change",
        lambda: explained(evaluation(v.room), what.indicator, what.scope, before=sides[0], after=sides[1]),
    )
    row, figure = change_row(found, v.words, seen=seen_by(v.room)), what.indicator.figures[0]
    return Change(
        before=_figure(v, figure, found.before.amounts[0].value),
        after=_figure(v, figure, found.after.amounts[0].value),
        before_year=str(sides[0][0].year),
        after_year=str(sides[1][0].year),
        change=_figure(v, figure, row.change, sign=True),
        causes=_differences(v, what, row.causes),
        parts=_changed_parts(v, what, row),
        reasons=[one.text for one in (*row.reasons, *(row.before.reasons if row.change is None else ()))],
    )


def _year_before(what: Whose) -> tuple[date, date]:
    return what.report.first.replace(year=what.report.first.year - 1), what.report.end.replace(
        year=what.report.end.year - 1
    )


def _differences(v: Viewer, what: Whose, rows: Sequence[DifferenceRow]) -> list[PieceLine]:
    largest = max((abs(one.value) for one in rows), default=0.0) or 1.0
    figure = what.indicator.figures[0]
    return [
        PieceLine(
            name=one.name if one.kind == "cause" else _named(v, one.key),
            address="" if one.kind == "cause" else _address(v, what, one.kind, one.key),
            value=_figure(v, figure, one.value, sign=True),
            share=one.value / largest,
        )
        for one in rows
    ]


def _changed_parts(v: Viewer, what: Whose, row: ChangeOfIndicator) -> list[Pieces]:
    found = []
    for kind in dict.fromkeys(one.kind for one in row.parts):
        mine = sorted((one for one in row.parts if one.kind == kind), key=lambda one: -abs(one.value))
        lines = _differences(v, what, mine[:MOST_PARTS])
        name = v.words.text(KINDS[kind]) if kind in KINDS else kind
        found.append(Pieces(kind=kind, name=name, lines=lines, more=len(mine) - len(lines)))
    return found


def _months(v: Viewer, what: Whose) -> list[YearValue] | None:
    """Return the months of the report's last year, None of what is entered by hand."""
    if what.indicator.by_hand:
        return None
    last = what.report.end - timedelta(days=1)
    firsts = [date(last.year, n, 1) for n in range(1, last.month + 1)]
    ends = [*firsts[1:], what.report.end]

    def made() -> list[YearValue]:
        doing, figure = evaluation(v.room), what.indicator.figures[0].key
        values = [doing.values([what.indicator], what.scope, *span)[0] for span in zip(firsts, ends, strict=True)]
        return [
            YearValue(year=one.first.month, value=one.amount(figure).value, status=ValueStatus(one.status))
            for one in values
        ]

    found: list[YearValue] = _kept(v, what, "months", made)
    return found if any(one.value is not None for one in found) else None
