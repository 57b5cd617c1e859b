"""The map of gaps: points by days, measured, estimated or missing; the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.asking import instant_of
from api.pages.drawings import ESTIMATED, MEASURED, MISSING, PARTLY, WHOLE, Run, runs
from api.pages.figures import Figure, Use, use_of
from api.pages.view import Seen, Viewer
from core.calendar import Bools, Period
from core.people import Right
from core.registry import Building, Commodity, Point, Role

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

DAYS: Final = 91
PAGE: Final = 100
SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A point's days as runs, and how well all of them are known."""

    point: Point
    building: Building | None
    runs: list[Run]
    shares: Figure

    def days(self, state: str) -> int:
        """Return how many days are in a state."""
        return sum(run.length for run in self.runs if run.state == state)


@router.get("/gaps")
def gaps(  # noqa: PLR0917 - what the form asks
    v: Seen,
    building: Annotated[str, Query()] = "",
    commodity: Annotated[str, Query()] = "",
    to: Annotated[str, Query()] = "",
    every: Annotated[str, Query(alias="all")] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show which days are known, by point."""
    now, zone = v.room.now(), v.room.deps.zone
    end = _end(v, to)
    first = end - timedelta(days=DAYS)
    points = [
        p
        for p in now.points.values()
        if p.role is not Role.VIRTUAL and building in {"", p.building} and commodity in {"", p.commodity}
    ]
    start, close = (datetime.combine(day, time(), zone) for day in (first, end))
    use = use_of(v.room, points, Period.DAY, start, close)
    shown = _worst_first(use, every=bool(every)) if points else []
    today = v.now.astimezone(zone).date()
    return v.page(
        "gaps.html",
        rows=_rows(v, points, use, shown[PAGE * (page - 1) : PAGE * page]),
        found=len(shown),
        points=len(points),
        states=(MEASURED, PARTLY, ESTIMATED, MISSING),
        first=first,
        last=end - timedelta(days=1),
        days=DAYS,
        day=timedelta(days=1),
        before=first,
        after=min(end + timedelta(days=DAYS), today) if end < today else None,
        page=page,
        pages=max(-(-len(shown) // PAGE), 1),
        asked={"building": building, "commodity": commodity, "to": to, "all": every},
        buildings=sorted(now.buildings.values(), key=lambda b: b.name.casefold()),
        commodities=[c for c in Commodity if any(p.commodity is c for p in now.points.values())],
    )


def _end(v: Viewer, to: str) -> date:
    """Return the day after the last one shown: today, or the day asked for where that is earlier."""
    zone = v.room.deps.zone
    today = v.now.astimezone(zone).date()
    return min(instant_of(to, zone, place="to").astimezone(zone).date(), today) if to else today


def _worst_first(use: Use, *, every: bool) -> list[int]:
    """Return the places of the points with a gap, or of all: the longest missing first, then the longest estimated."""
    lost, guessed = 1 - (use.measured + use.estimated).mean(axis=1), use.estimated.mean(axis=1)
    order = np.lexsort((np.arange(len(lost)), -guessed, -np.where(lost > SAME, lost, 0.0)))
    gap: Bools = np.asarray((use.measured < WHOLE).any(axis=1))
    return [n for n in order.tolist() if every or gap[n]]


def _rows(v: Viewer, points: Sequence[Point], use: Use, places: Sequence[int]) -> list[Row]:
    now = v.room.now()
    return [
        Row(
            point=points[n],
            building=now.buildings.get(points[n].building),
            runs=runs(use.measured[n], use.estimated[n]),
            shares=shares,
        )
        for n in places
        if (shares := use.shares([points[n].id])) is not None
    ]
