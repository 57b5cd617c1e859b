"""Degree days: how cold it was, by the Czech convention and Eurostat's, from daily mean temperatures.

Days are local dates (`datetime64[D]`), temperatures in °C, degree days in K d. What is not known is NaN, never zero:
a missing day in winter would read as a warm one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Bools, Instants, Longs
from core.readings import Floats

HEATING_LIMIT_C: Final = 13.0
"""Heating threshold of vyhláška 194/2007 Sb."""
CONSECUTIVE_DAYS: Final = 2
FIRST_MONTH, LAST_MONTH = 9, 5
"""The heating season runs from 1 September to 31 May (vyhláška 194/2007 Sb., § 2)."""
EUROSTAT_BASE_C: Final = 18.0
EUROSTAT_LIMIT_C: Final = 15.0


def in_season(days: Instants) -> Bools:
    """Return which days lie in the heating season, 1 September to 31 May."""
    month = days.astype("M8[M]").astype(np.int64) % 12 + 1
    return np.asarray((month >= FIRST_MONTH) | (month <= LAST_MONTH))


def heating_days(days: Instants, mean_c: Floats, *, limit_c: float = HEATING_LIMIT_C) -> Bools:
    """Return on which of n consecutive days heat is supplied by the rule of vyhláška 194/2007 Sb.

    Within the season supply begins after two days below the limit, where the day that follows stays below it (the
    decree's "no rise expected", for which the day itself stands here), and ends after two days above. A day that is
    not known changes nothing. `mean_c` has days in its last axis: (..., n).
    """
    below, above = mean_c < limit_c, mean_c > limit_c
    season = in_season(days)
    start = _after_two(below) & ~above & season
    stop = _after_two(above) | ~season
    place = np.arange(len(days))
    last_start = np.maximum.accumulate(np.where(start, place, -1), axis=-1)
    last_stop = np.maximum.accumulate(np.where(stop, place, -1), axis=-1)
    return np.asarray((last_start > last_stop) & season)


def _after_two(holds: Bools) -> Bools:
    """Return where it held on both days before."""
    after = np.zeros_like(holds)
    after[..., CONSECUTIVE_DAYS:] = holds[..., 1:-1] & holds[..., :-CONSECUTIVE_DAYS]
    return after


def czech(mean_c: Floats, *, indoor_c: float = 20.0, limit_c: float = HEATING_LIMIT_C) -> Floats:
    """Return each day's degree days: indoor less outdoor on days below the limit, else 0; D19, D20, D21 by indoor."""
    return np.where(np.isnan(mean_c), np.nan, np.where(mean_c < limit_c, indoor_c - mean_c, 0.0))


def czech_supplied(days: Instants, mean_c: Floats, *, indoor_c: float = 20.0) -> Floats:
    """Return each day's degree days where heat is supplied by the decree's rule; never below 0."""
    supplied = heating_days(days, mean_c)
    return np.where(np.isnan(mean_c), np.nan, np.where(supplied, np.maximum(indoor_c - mean_c, 0.0), 0.0))


def eurostat(mean_c: Floats) -> Floats:
    """Return each day's degree days of Eurostat: 18 °C less the mean where that is at most 15 °C, else 0."""
    cold = mean_c <= EUROSTAT_LIMIT_C
    return np.where(np.isnan(mean_c), np.nan, np.where(cold, EUROSTAT_BASE_C - mean_c, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodDegreeDays:
    """Degree days of p periods: `total` NaN where a day is missing, `known` the sum of the others."""

    total: Floats
    known: Floats
    missing_days: Longs
    heating_days: Longs


def by_period(days: Instants, daily: Floats, edges: Instants) -> PeriodDegreeDays:
    """Return the degree days between p + 1 edges (dates); days that the series lacks are missing."""
    place = np.searchsorted(edges, days, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    place, values = place[inside], daily[inside]
    there = np.isfinite(values)
    size = len(edges) - 1
    known = np.asarray(np.bincount(place[there], values[there], minlength=size), np.float64)
    counted = np.bincount(place[there], minlength=size)
    missing = np.diff(edges.astype("M8[D]")).astype(np.int64) - counted
    return PeriodDegreeDays(
        total=np.where(missing == 0, known, np.nan),
        known=known,
        missing_days=missing,
        heating_days=np.bincount(place[there], values[there] > 0, minlength=size).astype(np.int64),
    )


def to_normal_climate(fixed: Floats, heating: Floats, actual: Floats, normal: Floats) -> Floats:
    """Return consumption as it would be in a normal year: fixed + heating x normal / actual degree days.

    NaN where actual degree days are zero or not known though there was heating.
    """
    ratio = np.divide(normal, actual, out=np.full(np.shape(actual), np.nan), where=np.asarray(actual) > 0)
    return np.asarray(fixed + np.where(np.asarray(heating) == 0, 0.0, heating * ratio))
