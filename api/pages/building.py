"""A building: how it does against last year and the weather, when it uses energy and water, what is to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.asking import Span
from api.pages.buildings import standings
from api.pages.charts import COMMODITIES
from api.pages.exports import Column, Table, exported
from api.pages.figures import UNKNOWN, Carrier, Versus, Year, carriers, versus
from api.pages.held import held_outlook, held_year
from api.pages.lines import Beside, Line, beside, chart_of, with_expected
from api.pages.overview import alerts_shown, card
from api.pages.papers import building_papers
from api.pages.periods import Kind, Picked, Picking, picker
from api.pages.pulse import Pulse, pulses
from api.pages.shape import calendar_of, week_shape, years_shape
from api.pages.view import Seen, Viewer
from api.texts import N_
from core.calendar import Period
from core.notes import PointFinding
from core.people import Right
from core.registry import Commodity, Measure, Point, in_force
from services.measures import UnitSaving, by_unit
from services.outlook import Expected, Outlook

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """A point of the building over the span shown, and how it is heard; `depth` counts the points above it."""

    point: Point
    found: Versus
    pulse: Pulse
    questions: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureLine:
    """A measure at the building, with what it verifiably saved at the points that the reader sees."""

    measure: Measure
    units: tuple[UnitSaving, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """The carrier that is shown over the span that is picked, and all points beside it."""

    carrier: Carrier | None
    total: Versus | None
    expected: Expected | None
    lines: list[Line]
    points: list[PointLine]


@router.get("/buildings/{key:path}")
def building(
    v: Seen,
    key: str,
    picked: Picking,
    carrier: Annotated[str, Query()] = "",
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """Show a building, or give what is shown as a file."""
    now, held = v.room.now(), v.request.app.state.held
    found = now.building(key)
    points = list(now.points_of.get(key, ()))
    year, outlook = held_year(held, v.room, list(now.points.values())), held_outlook(held, v.room)
    grouped = carriers(v.room, points, year)
    chosen = next((c for c in grouped if carrier == c.key), grouped[0] if grouped else None)
    findings = v.room.deps.records.findings(points=[p.id for p in points], open_only=True) if points else []
    shown = _consumption(v, points, chosen, picked, outlook, findings)
    if form:
        return exported(v, form, f"{found.id}-{picked.first}-{picked.last}", _tables(v, shown))
    return v.page(
        "building.html",
        building=found,
        organisation=now.organisations.get(found.organisation),
        area=in_force(found.areas, picked.first) or in_force(found.areas, picked.last),
        standing=standings(v).get(key),
        cards=[card(v.words, c, year, outlook) for c in grouped],
        month=v.words.long_month(year.last_month.month),
        year=year.span,
        shown=shown,
        findings=findings,
        outlook=outlook,
        measures=_measures(v, points, outlook),
        chart=chart_of(v.words, found.name, shown.lines, picked.grain, v.room.deps.zone) if shown.lines else None,
        **alerts_shown(v, building=key),
        **building_papers(v, found),
        **picker(v, picked, {"carrier": chosen.key} if chosen else {}),
        **_shapes(v, chosen, picked, year),
    )


def _consumption(  # noqa: PLR0917 - the parts of one section
    v: Viewer,
    points: Sequence[Point],
    chosen: Carrier | None,
    picked: Picked,
    outlook: Outlook | None,
    findings: Sequence[PointFinding],
) -> Consumption:
    """Return what the points used over the span, the chosen carrier by period."""
    zone, words = v.room.deps.zone, v.words
    use = None
    if points and picked.over:
        use = beside(v.room, points, picked.grain, picked.over, weekly=picked.kind is Kind.WEEK)
    ids = [p.id for p in chosen.points] if chosen else []
    lines = use.lines(ids, picked.grain, words, zone) if use else []
    if picked.grain is Period.MONTH and outlook is not None:
        lines = with_expected(lines, [outlook.together_all(ids, line.start.astimezone(zone).date()) for line in lines])
    return Consumption(
        carrier=chosen,
        total=use.versus(ids) if use else None,
        expected=_expected(ids, picked, outlook),
        lines=lines,
        points=_points(v, points, use, findings),
    )


def _expected(ids: Sequence[str], picked: Picked, outlook: Outlook | None) -> Expected | None:
    """Return what was to be expected over the span, where it is the year or a month that expectations are known of."""
    if outlook is None or outlook.last.year != picked.first.year:
        return None
    if picked.kind is Kind.YEAR:
        return outlook.together_all(ids, None)
    return outlook.together_all(ids, picked.first) if picked.kind is Kind.MONTH else None


def _points(
    v: Viewer, points: Sequence[Point], use: Beside | None, findings: Sequence[PointFinding]
) -> list[PointLine]:
    """Return the points, each after the one that it is measured below."""
    heard, ids = pulses(v.room, points), {p.id for p in points}
    below: dict[str, list[Point]] = {}
    for p in sorted(points, key=lambda p: (list(Commodity).index(p.commodity), p.id)):
        below.setdefault(p.parent if p.parent in ids else "", []).append(p)
    made: list[PointLine] = []

    def add(parent: str, depth: int) -> None:
        for p in below.pop(parent, []):
            found = use.versus([p.id]) if use else None
            asked = sum(f.point == p.id for f in findings)
            unknown = versus(UNKNOWN, None)
            line = PointLine(point=p, found=found or unknown, pulse=heard[p.id], questions=asked, depth=depth)
            made.append(line)
            add(p.id, depth + 1)

    add("", 0)
    for parent in list(below):  # points that are each other's parents
        add(parent, 0)
    return made


def _measures(v: Viewer, points: Sequence[Point], outlook: Outlook | None) -> list[MeasureLine]:
    ids = {p.id for p in points}
    chosen = [m for m in v.room.now().measures.values() if ids & set(m.points)]
    shares = outlook.shares if outlook else ()
    return [
        MeasureLine(measure=m, units=by_unit([s for s in shares if s.measure == m.id and s.point in ids]))
        for m in sorted(chosen, key=lambda m: m.effective, reverse=True)
    ]


def _shapes(v: Viewer, chosen: Carrier | None, picked: Picked, year: Year) -> dict[str, Any]:
    """Return when the carrier is used: by hour and weekday, by day, by year."""
    if chosen is None:
        return {"week": None, "calendar": None, "years": None}
    end = picked.cut if picked.over else year.span.cut
    return {
        "week": week_shape(v, chosen.points, Span(start=min(picked.span.start, end - timedelta(days=1)), end=end)),
        "calendar": calendar_of(v, chosen.points, (end - timedelta(seconds=1)).year),
        "years": years_shape(v, chosen.points, COMMODITIES[chosen.commodity.value]),
    }


# As a file


def _tables(v: Viewer, shown: Consumption) -> list[Table]:
    name = v.words.label(shown.carrier.commodity.value) if shown.carrier else v.words.text("Consumption")
    return [
        Table.of(name, [*TIMES, *AMOUNTS], shown.lines, v),
        Table.of(v.words.text("Metering points"), [*PLACES, *AMOUNTS], shown.points, v),
    ]


TIMES: tuple[Column[Line], ...] = (
    Column(N_("Period"), lambda line: line.label),
    Column(N_("From"), lambda line: line.start),
    Column(N_("To"), lambda line: line.end),
    Column(N_("By the weather"), lambda line: line.expected.predicted if line.expected else None),
)
PLACES: tuple[Column[PointLine], ...] = (
    Column(N_("Id"), lambda line: line.point.id),
    Column(N_("Point"), lambda line: line.point.name),
    Column(N_("Commodity"), lambda line: line.point.commodity.value),
)
AMOUNTS: tuple[Column[Any], ...] = (
    Column(N_("Consumption"), lambda line: line.found.now.amount),
    Column(N_("Unit"), lambda line: line.found.now.unit),
    Column(N_("Measured share"), lambda line: line.found.now.measured),
    Column(N_("Estimated share"), lambda line: line.found.now.estimated),
    Column(N_("Missing share"), lambda line: line.found.now.missing),
    Column(N_("The year before"), lambda line: line.found.before.amount if line.found.before else None),
    Column(N_("Change [%]"), lambda line: line.found.percent),
)
