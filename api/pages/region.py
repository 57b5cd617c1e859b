"""The region: what every building used this year, against the year before at the same date, and its quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.access import allowed
from api.pages.charts import stacked_by_month
from api.pages.figures import Figure, Versus, Year, by_commodity, year_of
from api.pages.view import Seen, Viewer
from api.quality_of import last_readings
from api.texts import Language
from core.people import Right
from core.registry import Building, Commodity, Point

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

ENERGY = (Commodity.ELECTRICITY, Commodity.GAS, Commodity.HEAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingLine:
    """A building in the list: its year by commodity, open questions and its newest reading."""

    building: Building
    organisation: str
    years: dict[Commodity, Versus]
    questions: int
    points: int
    last: datetime | None


@router.get("/")
def region(v: Seen) -> Response:
    """Show the region."""
    now = v.room.now()
    points = list(now.points.values())
    year, seen = year_of(v.room, points), last_readings(v.room, points)
    asked = _questions(v)
    lines = [_line(v, b, year, seen, asked) for b in now.buildings.values()]
    grouped = by_commodity(v.room, points)
    years = {c: year.of(members) for c, members in grouped.items()}
    return v.page(
        "region.html",
        span=year.span,
        lines=sorted(lines, key=lambda line: (line.building.name.casefold(), line.building.id)),
        years={c: y for c, y in years.items() if y is not None},
        commodities=list(grouped),
        point_count=len(points),
        silent=sum(p.id not in seen for p in points if now.meters_of.get(p.id)),
        last=max(seen.values(), default=None),
        ingest=v.room.deps.ingest(),
        chart=energy_chart(v.words, year, grouped) if any(c in grouped for c in ENERGY) else None,
    )


def _questions(v: Viewer) -> dict[str, int]:
    counted: dict[str, int] = {}
    for found in v.room.deps.records.findings(open_only=True):
        counted[found.point] = counted.get(found.point, 0) + 1
    return counted


def _line(v: Viewer, b: Building, year: Year, seen: dict[str, datetime], asked: dict[str, int]) -> BuildingLine:
    now = v.room.now()
    points = now.points_of.get(b.id, ())
    years = {c: year.of(members) for c, members in by_commodity(v.room, points).items()}
    return BuildingLine(
        building=b,
        organisation=now.organisations[b.organisation].name if b.organisation in now.organisations else "",
        years={c: y for c, y in years.items() if y is not None},
        questions=sum(asked.get(p.id, 0) for p in points),
        points=len(points),
        last=max((seen[p.id] for p in points if p.id in seen), default=None),
    )


def energy_chart(words: Language, year: Year, grouped: dict[Commodity, list[Point]]) -> dict[str, Any]:
    """Return the region's energy by month and commodity [MWh], with the year before as a mark."""
    chosen = [c for c in ENERGY if c in grouped]
    months = {c: year.by_month(grouped[c]) for c in chosen}
    rows = []
    for place in range(12):
        before = _sum([months[c][place][2] for c in chosen])
        for c in chosen:
            number, now, _ = months[c][place]
            shown = now is not None and now.amount is not None
            rows.append(
                {
                    "month": words.month(number),
                    "place": number,
                    "name": words.label(c),
                    "amount": now.amount / 1000 if shown and now is not None and now.amount is not None else None,
                    "before": before,
                    "note": quality_note(words, now),
                }
            )
    names = [(words.label(c), c.value) for c in chosen]
    title = words.text("Energy of the region by month, this year and the year before")
    return stacked_by_month(rows, unit="MWh", names=names, words=words, title=title)


def _sum(figures: Sequence[Figure | None]) -> float | None:
    known = [f.amount for f in figures if f is not None and f.amount is not None]
    return sum(known) / 1000 if known else None


def quality_note(words: Language, figure: Figure | None) -> str:
    """Return how well a figure is known, as text."""
    if figure is None:
        return words.text("no data yet")
    parts = [
        f"{words.share(value)} {words.text(name)}"
        for value, name in (
            (figure.measured, "measured"),
            (figure.estimated, "estimated"),
            (figure.missing, "missing"),
        )
        if value > 1e-9  # noqa: PLR2004 - rounding of sums of shares
    ]
    return ", ".join(parts)
