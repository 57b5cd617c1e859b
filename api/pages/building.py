"""A building: its points, and each commodity by month against the year before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.access import allowed
from api.pages.charts import COMMODITIES, by_month
from api.pages.figures import Figure, Months, Versus, Year, added, by_commodity, whole_year_before, year_of
from api.pages.region import quality_note
from api.pages.view import Seen
from api.quality_of import last_readings
from api.texts import Language
from core.people import Right
from core.registry import Commodity, Point, in_force

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """A point of the building: its year, its newest reading, open questions."""

    point: Point
    year: Versus
    last: datetime | None
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLine:
    """A month of a commodity: this year's and last year's figure."""

    name: str
    now: Figure | None
    before: Figure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommodityBlock:
    """A commodity of the building: its year, months and chart."""

    commodity: Commodity
    year: Versus
    months: list[MonthLine]
    chart: dict[str, Any]


@router.get("/buildings/{key:path}")
def building(v: Seen, key: str) -> Response:
    """Show a building."""
    now = v.room.now()
    found = now.building(key)
    points = list(now.points_of.get(key, ()))
    year, seen = year_of(v.room, points), last_readings(v.room, points)
    before = whole_year_before(v.room, points, year.span)
    open_findings = v.room.deps.records.findings(points=[p.id for p in points], open_only=True) if points else []
    lines = [
        PointLine(
            point=p,
            year=year.of_point(p.id),
            last=seen.get(p.id),
            questions=sum(f.point == p.id for f in open_findings),
        )
        for p in points
    ]
    blocks = [_block(v.words, c, members, year, before) for c, members in by_commodity(v.room, points).items()]
    today = v.now.astimezone(v.room.deps.zone).date()
    return v.page(
        "building.html",
        building=found,
        organisation=now.organisations.get(found.organisation),
        lines=lines,
        blocks=blocks,
        span=year.span,
        area=in_force(found.areas, today),
        findings=open_findings,
    )


def _block(words: Language, commodity: Commodity, points: list[Point], year: Year, before: Months) -> CommodityBlock:
    months = [
        MonthLine(name=words.month(number), now=now, before=_figure(before, number, points))
        for number, now, _ in year.by_month(points)
    ]
    total = year.of(points)
    if total is None:  # by_commodity gives no commodity without points
        raise ValueError(commodity)
    labels = (str(year.span.start_before.year), str(year.span.start.year))
    rows = []
    for place, line in enumerate(months):
        for label, figure in zip(labels, (line.before, line.now), strict=True):
            amount = None if figure is None else figure.amount
            note = quality_note(words, figure)
            rows.append({"month": line.name, "place": place, "series": label, "amount": amount, "note": note})
    about = words.text("consumption by month, this year and the year before")
    title = f"{words.label(commodity)}: {about}"
    chart = by_month(rows, unit=total.now.unit, labels=labels, color=COMMODITIES[commodity], words=words, title=title)
    return CommodityBlock(commodity=commodity, year=total, months=months, chart=chart)


def _figure(months: Months, number: int, points: list[Point]) -> Figure | None:
    places = [i for i, first in enumerate(months.firsts) if first.month == number]
    if not places:
        return None
    held = (months.figures.get(p.id, ()) for p in points)
    return added([figures[places[0]] for figures in held if places[0] < len(figures)])
