"""What points used month by month, for all that has a value a month: factors, prices, conversions.

Factors and prices hold for whole months, so the months are the grid; longer periods add up from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import PRAGUE, Instants, Longs, Period, instant, moment, spans
from core.errors import InputError
from core.readings import Floats
from core.registry import Point
from services.consumption import PointConsumption, Question

Ask = Callable[[Question], Sequence[PointConsumption]]
PERIODS: Final = (
    Period.MONTH, Period.QUARTER, Period.HALF_YEAR, Period.YEAR, Period.HEATING_SEASON, Period.SCHOOL_YEAR,
)  # fmt: skip
"""Periods that are whole months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """m months and the p periods they belong to: `firsts` their first local days, `period` the place of each or -1."""

    starts: Instants
    ends: Instants
    firsts: tuple[date, ...]
    period: Longs
    period_starts: Instants
    period_ends: Instants
    zone: ZoneInfo = PRAGUE

    @property
    def size(self) -> int:
        """How many periods there are."""
        return len(self.period_starts)

    def span(self, place: int) -> tuple[date, date]:
        """Return the first local day of a period, and the one after its last."""
        begin, end = (moment(at).astimezone(self.zone).date() for at in self._edges(place))
        return begin, end

    def _edges(self, place: int) -> tuple[np.datetime64, np.datetime64]:
        return self.period_starts[place], self.period_ends[place]

    @property
    def hours(self) -> Floats:
        """The length of each month [h]."""
        return np.asarray((self.ends - self.starts) / np.timedelta64(1, "h"), np.float64)


def months_of(period: Period, start: datetime, end: datetime, zone: ZoneInfo = PRAGUE) -> Months:
    """Return the months of all periods that touch [start, end); raise InputError for a period that is not months."""
    if period not in PERIODS:
        raise InputError(
            f"{period} is not made of months, which factors and prices hold for",
            place="period",
            remedy=f"write one of {', '.join(PERIODS)}",
        )
    first, last = spans(period, instant(start), instant(end), zone)
    if not len(first):
        return _grid(first, first, first, first, zone)
    starts, ends = spans(Period.MONTH, first[0], last[-1], zone)
    return _grid(starts, ends, first, last, zone)


def months_between(start: datetime, end: datetime, zone: ZoneInfo = PRAGUE) -> Months:
    """Return the months of [start, end) as one period; raise InputError where it cuts a month."""
    starts, ends = spans(Period.MONTH, instant(start), instant(end), zone)
    if starts[0] != instant(start) or ends[-1] != instant(end):
        raise InputError(
            f"{start.astimezone(zone):%Y-%m-%d} to {end.astimezone(zone):%Y-%m-%d} cuts a month",
            place="from",
            remedy="begin and end at the first of a month, such as 2024-01 and 2025-01",
        )
    return _grid(starts, ends, starts[:1], ends[-1:], zone)


def _grid(starts: Instants, ends: Instants, first: Instants, last: Instants, zone: ZoneInfo) -> Months:
    place = np.searchsorted(first, starts, side="right") - 1
    inside = place >= 0
    inside[inside] = starts[inside] < last[place[inside]]
    return Months(
        starts=starts,
        ends=ends,
        firsts=tuple(moment(at).astimezone(zone).date() for at in starts),
        period=np.where(inside, place, -1),
        period_starts=first,
        period_ends=last,
        zone=zone,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyUse:
    """Consumption of k points in m months: `amount` [unit of each], NaN where nothing is known; shares of time."""

    points: tuple[Point, ...]
    months: Months
    unit: tuple[str, ...]
    amount: Floats
    measured: Floats
    estimated: Floats
    missing: Floats


def monthly_use(ask: Ask, points: Sequence[Point], months: Months, *, register: str = "") -> MonthlyUse:
    """Ask for the consumption of points by month; a point that is not answered is unknown."""
    shape = (len(points), len(months.starts))
    found = {name: np.full(shape, value) for name, value in _UNKNOWN.items()}
    units = [""] * len(points)
    place = {p.id: i for i, p in enumerate(points)}
    if points and shape[1]:
        question = Question(
            points=tuple(place),
            period=Period.MONTH,
            start=moment(months.starts[0]),
            end=moment(months.ends[-1]),
            zone=months.zone,
            register=register,
        )
        for part in ask(question):
            row = place[part.point]
            units[row] = part.unit
            for name, table in found.items():
                table[row] = getattr(part, name)
    return MonthlyUse(points=tuple(points), months=months, unit=tuple(units), **found)


_UNKNOWN: Final = {"amount": np.nan, "measured": 0.0, "estimated": 0.0, "missing": 1.0}
