"""Degree days: how cold it was, by the Czech convention and Eurostat's; daily means from what a station measured.

Days are local dates (`datetime64[D]`), temperatures in °C, degree days in K d. What is not known is NaN, never zero:
a missing day in winter would read as a warm one.
"""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import PRAGUE, Bools, Instants, Longs, local
from core.readings import Floats

HEATING_LIMIT_C: Final = 13.0
"""Heating threshold of vyhláška 194/2007 Sb."""
CONSECUTIVE_DAYS: Final = 2
FIRST_MONTH, LAST_MONTH = 9, 5
"""The heating season runs from 1 September to 31 May (vyhláška 194/2007 Sb., § 2)."""
EUROSTAT_BASE_C: Final = 18.0
EUROSTAT_LIMIT_C: Final = 15.0
HOURS_NEEDED: Final = 20
"""Hours of a day (of 24) without which its mean is not known."""
WEIGHTS: Final = {7: 0.25, 14: 0.25, 21: 0.5}
"""Hours and weights of the climatological mean, (T7 + T14 + 2 T21) / 4 (vyhláška 194/2007 Sb.)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyMeans:
    """Mean outdoor temperature of n local days [°C], NaN where fewer than enough of its `hours` are known."""

    days: Instants
    mean_c: Floats
    hours: Longs

    @property
    def missing(self) -> Bools:
        """Which days are not known."""
        return np.isnan(self.mean_c)


def daily_means(at: Instants, temp_c: Floats, tz: ZoneInfo = PRAGUE, *, hours_needed: int = HOURS_NEEDED) -> DailyMeans:
    """Return the mean of each local day from the first to the last that n measurements lie in.

    Each hour weighs the same however often it was measured. A day of 23 or 25 hours needs as much of itself as one of
    24. NaN measurements count as none.
    """
    good = np.isfinite(temp_c) & ~np.isnat(at)
    if not good.any():
        return DailyMeans(days=np.empty(0, "M8[D]"), mean_c=np.empty(0), hours=np.empty(0, np.int64))
    hours, of_hour = np.unique(at[good].astype("M8[h]"), return_inverse=True)
    hourly = np.bincount(of_hour, temp_c[good]) / np.bincount(of_hour)
    of_day = local(hours.astype("M8[us]"), tz).astype("M8[D]")
    days = np.arange(of_day[0], of_day[-1] + 1)
    place = (of_day - days[0]).astype(np.int64)
    known = np.bincount(place, minlength=len(days))
    sums = np.bincount(place, hourly, minlength=len(days))
    enough = known >= np.ceil(_hours_of(days, tz) * hours_needed / 24)
    mean = np.divide(sums, known, out=np.full(len(days), np.nan), where=enough & (known > 0))
    return DailyMeans(days=days, mean_c=mean, hours=known)


def _hours_of(days: Instants, tz: ZoneInfo) -> Longs:
    """Return how many hours each local day has."""
    midnights = np.append(days, days[-1] + 1).astype("M8[us]")
    guess = midnights - (local(midnights, tz) - midnights)
    starts = midnights - (local(guess, tz) - guess)
    return np.asarray(np.diff(starts) / np.timedelta64(1, "h"), np.int64)


def climatological_means(at: Instants, temp_c: Floats, tz: ZoneInfo = PRAGUE) -> DailyMeans:
    """Return (T7 + T14 + 2 T21) / 4 of each local day, T the mean of what that hour measured; NaN without all."""
    good = np.isfinite(temp_c) & ~np.isnat(at)
    wall = local(at[good], tz)
    if not good.any():
        return DailyMeans(days=np.empty(0, "M8[D]"), mean_c=np.empty(0), hours=np.empty(0, np.int64))
    day = wall.astype("M8[D]")
    hour = (wall - day).astype("m8[h]").astype(np.int64)
    days = np.arange(day.min(), day.max() + 1)
    place = (day - days[0]).astype(np.int64)
    mean, terms = np.zeros(len(days)), np.zeros(len(days), np.int64)
    for clock, weight in WEIGHTS.items():
        chosen = hour == clock
        count = np.bincount(place[chosen], minlength=len(days))
        total = np.bincount(place[chosen], temp_c[good][chosen], minlength=len(days))
        mean += weight * np.divide(total, count, out=np.full(len(days), np.nan), where=count > 0)
        terms += count > 0
    return DailyMeans(days=days, mean_c=mean, hours=terms)


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


def fill(first: Floats, *others: Floats) -> tuple[Floats, Longs]:
    """Return daily means with missing ones taken from the next stations in turn, and which station each is from.

    All have the same n days. 0 is the first station, -1 none.
    """
    stations = np.vstack([first, *others])
    known = ~np.isnan(stations)
    source = np.where(known.any(axis=0), known.argmax(axis=0), -1)
    filled = np.where(source >= 0, stations[np.maximum(source, 0), np.arange(stations.shape[1])], np.nan)
    return filled, source


def to_normal_climate(fixed: Floats, heating: Floats, actual: Floats, normal: Floats) -> Floats:
    """Return consumption as it would be in a normal year: fixed + heating x normal / actual degree days.

    NaN where actual degree days are zero or not known though there was heating.
    """
    ratio = np.divide(normal, actual, out=np.full(np.shape(actual), np.nan), where=np.asarray(actual) > 0)
    return np.asarray(fixed + np.where(np.asarray(heating) == 0, 0.0, heating * ratio))
