"""A point's consumption by hour with its doubts: what detectors of flow look at."""

from dataclasses import dataclass, replace
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import US, Bools, Instants, Longs, local, micros
from core.curve import Curve, State, periods
from core.readings import Floats
from core.rollup import NANO

HOUR_US: Final = 3600 * US
FINE_US: Final = 3 * HOUR_US
"""Readings farther apart than this tell the mean of a longer time, not an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Consecutive UTC hours of one point (n,).

    `amount` is consumption in the hour [canonical unit], of a gap its mean, NaN where nothing is known. `share` is how
    much of an observation it is: 1 measured, 1/k in a gap of k hours of known total, 0 unknown. `known_us` is when
    it could be told. `day` counts local days since 1970, `hour` is the local hour; `off` holds on holidays, `free`
    on those and weekends.
    `quantum` is the worth of the last digit.
    """

    start_us: Longs
    amount: Floats
    share: Floats
    known_us: Longs
    day: Longs
    hour: Longs
    free: Bools
    off: Bools
    quantum: float

    def __len__(self) -> int:
        return len(self.start_us)

    @property
    def measured(self) -> Bools:
        """Which hours are observations of their own."""
        return np.asarray((self.share >= 1) & np.isfinite(self.amount))

    @property
    def row(self) -> Longs:
        """The number of each hour's day, from 0."""
        return np.asarray(self.day - self.day[:1].sum())

    @property
    def days(self) -> int:
        """How many local days they touch."""
        return int(self.row[-1]) + 1 if len(self) else 0

    def since(self, first: int) -> Self:
        """Return the hours from the `first` on."""
        return self._chosen(slice(first, None))

    def between(self, first_us: int, last_us: int) -> Self:
        """Return the hours that begin from one instant to another, both included."""
        first, behind = np.searchsorted(self.start_us, [first_us, last_us + 1]).tolist()
        return self._chosen(slice(first, behind))

    def _chosen(self, which: slice) -> Self:
        arrays = ("start_us", "amount", "share", "known_us", "day", "hour", "free", "off")
        return replace(self, **{name: getattr(self, name)[which] for name in arrays})

    def table(self, weights: Floats | Bools) -> Floats:
        """Return weights summed by day and local hour (days, 24)."""
        cell = self.row * 24 + self.hour
        return np.asarray(np.bincount(cell, weights, self.days * 24).reshape(self.days, 24), float)

    def by_day(self, weights: Floats | Bools) -> Floats:
        """Return weights summed by day (days,)."""
        return np.asarray(np.bincount(self.row, weights, self.days), float)


def free_days(day: Longs, off: Longs) -> Bools:
    """Return which days (since 1970) are Saturdays, Sundays or among the days off."""
    return np.asarray(((day + 3) % 7 >= 5) | np.isin(day, off))  # noqa: PLR2004 - Monday is 0


def on_clock(start_us: Longs, zone: ZoneInfo) -> tuple[Longs, Longs]:
    """Return the local day since 1970 and the local hour of instants."""
    wall = local(start_us.astype("datetime64[us]"), zone).astype("datetime64[h]").astype(np.int64)
    return wall // 24, wall % 24


def of_curve(curve: Curve, zone: ZoneInfo, off: Longs, *, quantum: float = 0.0) -> Hours:
    """Return the UTC hours of a curve. O(n + readings)."""
    first, last = (int(v) // HOUR_US for v in (curve.at_us[0], curve.at_us[-1] - 1))
    edges = np.arange(first, last + 2) * HOUR_US
    made = periods(curve, edges.astype("datetime64[us]"))
    amount, share = made.nano / NANO, np.ones(len(edges) - 1)
    step = _step_us(made.first_at, made.last_at)
    share = np.where(step > FINE_US, HOUR_US / np.maximum(step, 1), share)
    amount, share = _gaps(curve, edges, amount, share)
    unknown = (made.missing_s > 0) | (curve.seconds_in(edges, State.INTEGRATED) > 0)
    known = np.where(np.isnat(made.last_at), edges[1:], micros(made.last_at))
    day, hour = on_clock(edges[:-1], zone)
    return Hours(
        start_us=edges[:-1],
        amount=np.where(unknown, np.nan, amount),
        share=np.where(unknown, 0.0, share),
        known_us=np.maximum(known, edges[1:]),
        day=day,
        hour=hour,
        free=free_days(day, off),
        off=np.isin(day, off),
        quantum=quantum,
    )


def _step_us(first: Instants, last: Instants) -> Longs:
    known = ~(np.isnat(first) | np.isnat(last))
    return np.where(known, micros(last) - micros(first), 0)


def _gaps(curve: Curve, edges: Longs, amount: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return amounts and shares with the hours that a long gap touches at the gap's mean."""
    gaps = curve.gaps
    if not len(gaps):
        return amount, share
    place = np.minimum(np.searchsorted(gaps[:, 1], edges[:-1], side="right"), len(gaps) - 1)
    touched = (gaps[place, 0] < edges[1:]) & (gaps[place, 1] > edges[:-1])
    length = np.maximum(gaps[:, 1] - gaps[:, 0], 1)
    mean = (curve.at(gaps[:, 1]) - curve.at(gaps[:, 0])) / NANO / (length / HOUR_US)
    return np.where(touched, mean[place], amount), np.where(touched, np.minimum(HOUR_US / length, 1)[place], share)
