"""What points used day by day, as models take it: a day of which more than a quarter-hour is unknown is unknown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.calendar import Period
from core.readings import Floats
from services.consumption import PointConsumption, Question

Ask = Callable[[Question], Sequence[PointConsumption]]
Dates = npt.NDArray[np.datetime64]
MOST_MISSING: Final = 900 / 82_800
"""A quarter-hour of the shortest day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyUse:
    """Consumption `amount` (m, D) [kWh or m³ a day] of m points on D local days without a gap, NaN where unknown.

    `estimated` (m, D) is the share of the day whose distribution is estimated, not measured.
    """

    points: tuple[str, ...]
    units: tuple[str, ...]
    day: Dates
    amount: Floats
    estimated: Floats

    def part(self, points: Sequence[str], first: date, last: date) -> "DailyUse | None":
        """Return the use of some of the points on some of the days, None where not all of it is here."""
        place = {point: row for row, point in enumerate(self.points)}
        begin, end = np.datetime64(first), np.datetime64(last)
        if not len(self.day) or begin < self.day[0] or end > self.day[-1] or not set(points) <= place.keys():
            return None
        rows = [place[point] for point in points]
        days = slice(int((begin - self.day[0]).astype(np.int64)), int((end - self.day[0]).astype(np.int64)) + 1)
        return DailyUse(
            points=tuple(points),
            units=tuple(self.units[row] for row in rows),
            day=self.day[days],
            amount=self.amount[rows, days],
            estimated=self.estimated[rows, days],
        )


def daily_use(points: Sequence[str], first: date, last: date, ask: Ask, zone: ZoneInfo) -> DailyUse:
    """Return the use of points on the days first to last, both included; raise NotFound for an unknown point."""
    day = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    start, end = (datetime.combine(edge, time(), zone).astimezone(UTC) for edge in (first, last + timedelta(days=1)))
    ids = tuple(points)
    found = ask(Question(points=ids, period=Period.DAY, start=start, end=end, zone=zone)) if ids and len(day) else ()
    shape = (len(ids), len(day))
    known = [part.missing <= MOST_MISSING for part in found]
    amounts = [np.where(good, part.amount, np.nan) for good, part in zip(known, found, strict=True)]
    return DailyUse(
        points=ids,
        units=tuple(part.unit for part in found) if len(day) else ("",) * len(ids),
        day=day,
        amount=np.array(amounts, float).reshape(shape),
        estimated=np.array([part.estimated for part in found], float).reshape(shape),
    )
