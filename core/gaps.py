"""Rule 6 of the cumulative curve: how a measured total spreads over a long gap.

Each hour of the gap takes the mean of the same hour of like days within four weeks: same type of day (workday,
Saturday, Sunday or holiday), nearer days and days of like temperature counting more. The shape is scaled to the
dial difference, so the total stays measured. Only what lies within four weeks of a gap shapes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.calendar import PRAGUE, Longs, local
from core.curve import Curve, State
from core.plausible import HOUR_US
from core.readings import Floats

LIKE_DAYS: Final = 28
MEMORY_DAYS: Final = 14.0  # a like day counts e⁻¹ at this distance
LIKE_TEMP_C: Final = 3.0  # and e⁻½ at this difference of daily mean temperature
ENOUGH_HOURS: Final = 3 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTypes:
    """Which days are alike: the zone of the local day, holidays, and daily mean temperature [°C] where known."""

    zone: ZoneInfo = PRAGUE
    holidays: frozenset[date] = frozenset()
    temp_c: Mapping[date, float] = field(default_factory=dict)

    def types(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return 0 workday, 1 Saturday, 2 Sunday or holiday of days (numbers since 1970-01-01)."""
        weekday = (days + 3) % 7
        free = np.isin(days, [d.toordinal() - date(1970, 1, 1).toordinal() for d in self.holidays])
        return np.where(free | (weekday == 6), 2, np.where(weekday == 5, 1, 0))  # noqa: PLR2004 - Monday is 0

    def temperatures(self, days: npt.NDArray[np.int64]) -> Floats:
        """Return the temperature of days, NaN where it is not known."""
        origin = date(1970, 1, 1).toordinal()
        return np.array([self.temp_c.get(date.fromordinal(origin + int(d)), np.nan) for d in days], float)


def spread(curve: Curve, day_types: DayTypes) -> Curve:
    """Return the curve with its long gaps shaped by like days; where nothing is alike a gap stays a straight line."""
    if not len(curve.gaps):
        return curve
    known = _by_day(curve, day_types)
    shapes = [shape for gap in curve.gaps if (shape := _shape(curve, int(gap[0]), int(gap[1]), known, day_types))]
    if not shapes:
        return curve
    at, total = np.concatenate([s[0] for s in shapes]), np.concatenate([s[1] for s in shapes])
    place = np.searchsorted(curve.at_us, at, side="right")
    return Curve(
        at_us=np.insert(curve.at_us, place, at),
        total=np.insert(curve.total, place, total),
        state=np.insert(curve.state, place, np.uint8(State.GAP)),
        gaps=curve.gaps,
        read_us=curve.read_us,
    )


def _shape(curve: Curve, begin: int, end: int, known: "_Known", day_types: DayTypes) -> tuple[Longs, Longs] | None:
    """Return inner knots (instants [µs], totals [nano]) of one gap, None for a straight line."""
    low, high = (int(v) for v in curve.at(np.array([begin, end])))
    inner = np.arange(-(-(begin + 1) // HOUR_US) * HOUR_US, end, HOUR_US)
    if high == low or not len(inner):
        return None
    bounds = np.concatenate([[begin], inner, [end]])
    near = known.near(begin, end)
    if near.count.sum() < ENOUGH_HOURS:
        return None
    share = np.cumsum(_expected(near, bounds[:-1], day_types) * np.diff(bounds))
    if not share[-1] > 0:
        return None
    totals = low + np.rint((high - low) * (share[:-1] / share[-1])).astype(np.int64)
    return inner, totals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Hourly amounts (days x 24 local hours) and how many hours each cell rests on."""

    days: Longs
    amount: Floats
    count: Floats

    def near(self, begin: int, end: int) -> "_Known":
        """Return the days within four weeks of a gap [µs]."""
        day_us = 24 * HOUR_US
        first, last = np.searchsorted(self.days, [begin // day_us - LIKE_DAYS, end // day_us + LIKE_DAYS + 1])
        mine = slice(first, last)
        return _Known(days=self.days[mine], amount=self.amount[mine], count=self.count[mine])


def _local_hours(at_us: Longs, zone: ZoneInfo) -> tuple[Longs, Longs]:
    hours = local(at_us.astype("datetime64[us]"), zone).astype("datetime64[h]").astype(np.int64)
    return hours // 24, hours % 24


def _by_day(curve: Curve, day_types: DayTypes) -> _Known:
    """Return the amounts of the whole hours that are measured."""
    first, last = int(curve.at_us[0]), int(curve.at_us[-1])
    edges = np.arange(-(-first // HOUR_US) * HOUR_US, last + 1, HOUR_US)
    if len(edges) <= ENOUGH_HOURS:
        return _Known(days=np.empty(0, np.int64), amount=np.empty((0, 24)), count=np.empty((0, 24)))
    amount = np.diff(curve.at(edges)).astype(float)
    whole = curve.seconds_in(edges, State.MEASURED) >= 3600.0  # noqa: PLR2004 - the hour
    day, hour = _local_hours(edges[:-1][whole], day_types.zone)
    days, row = np.unique(day, return_inverse=True)
    sums, counts = np.zeros((len(days), 24)), np.zeros((len(days), 24))
    np.add.at(sums, (row, hour), amount[whole])
    np.add.at(counts, (row, hour), 1.0)
    return _Known(days=days, amount=sums, count=counts)


def _expected(known: _Known, at_us: Longs, day_types: DayTypes) -> Floats:
    day, hour = _local_hours(at_us, day_types.zone)
    days, row = np.unique(day, return_inverse=True)
    nearness = np.exp(-np.abs(days[:, None] - known.days[None, :]) / MEMORY_DAYS)
    difference = day_types.temperatures(days)[:, None] - day_types.temperatures(known.days)[None, :]
    nearness = nearness * np.exp(-0.5 * (np.nan_to_num(difference) / LIKE_TEMP_C) ** 2)
    same = day_types.types(days)[:, None] == day_types.types(known.days)[None, :]
    alike = _mean(nearness * same, known)
    any_day = _mean(nearness, known)
    overall = known.amount.sum() / known.count.sum()
    best = np.where(np.isnan(alike), np.where(np.isnan(any_day), overall, any_day), alike)
    return np.asarray(best[row, hour])


def _mean(weights: Floats, known: _Known) -> Floats:
    count = weights @ known.count
    return np.where(count > 0, (weights @ known.amount) / np.where(count > 0, count, 1.0), np.nan)
