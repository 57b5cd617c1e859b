"""Daily mean temperatures of weather stations: from what a station sends, and from the next one where it is silent.

A day is known where the station tells of at least 18 of its 24 hours. Between two readings no farther apart than three
hours the temperature is a straight line; over a longer gap nothing is known. What no outdoor air has, and what never
changes for two days, is the sensor's fault and left out. The mean is that of the whole day, not (T7 + T14 + 2 T21) / 4
of vyhláška 194/2007 Sb., which needs readings at those hours; the two differ by some tenths of a degree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Sources = npt.NDArray[np.int8]

LEAST_SHARE: Final = 18 / 24
"""A day is known where at least this share of it is."""
LONGEST_GAP_H: Final = 3.0
COLDEST_C, HOTTEST_C = -60.0, 55.0
"""Beyond these a value is a sensor's word for a fault (-127, 85 of one-wire sensors), not the air's temperature."""
STUCK_H: Final = 48.0
STUCK_READINGS: Final = 12
ENOUGH_COMMON_DAYS: Final = 30
YEAR_OF_COMMON_DAYS: Final = 300
LAPSE_K_PER_M: Final = -0.0065
"""Fall of temperature with height: ICAO standard atmosphere."""
MOST_RESIDUAL_K: Final = 4.0
"""A station whose daily means scatter more around ours tells nothing of our place."""
NOBODY: Final = -1
HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyMeans:
    """Mean temperature of days (D,) [°C], NaN where too little is known, and how many hours of each are known."""

    temp_c: Floats
    known_h: Floats


class BridgeMethod(StrEnum):
    """How the difference of two stations is known."""

    YEARLY = "yearly"
    CONSTANT = "constant"
    ALTITUDE = "altitude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """From another station's daily mean to ours: ours = other + a + b cos(year) + c sin(year) [K].

    `residual_k` is the standard deviation of what is left on the common days, NaN where altitude alone tells.
    """

    method: BridgeMethod
    offset_k: tuple[float, float, float]
    common_days: int
    residual_k: float

    def to_ours(self, other_c: Floats, day: Dates) -> Floats:
        """Return what another station's daily means (D,) say of our place."""
        return np.asarray(other_c + _year(day) @ np.array(self.offset_k))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Daily means (D,) with missing days filled: `source` is 0 for ours, k for the k-th other, -1 for nobody's.

    `bridges` holds how each other station was used, None where it could not be.
    """

    temp_c: Floats
    source: Sources
    bridges: tuple[Bridge | None, ...]


# From readings to days


def trusted(at_us: Longs, temp_c: Floats) -> Bools:
    """Return which readings (n,), in order of instant, are of the air: possible, and not of a stuck sensor."""
    possible = np.isfinite(temp_c) & (temp_c >= COLDEST_C) & (temp_c <= HOTTEST_C)
    if not possible.any():
        return possible
    kept = np.flatnonzero(possible)
    at, value = at_us[kept], temp_c[kept]
    run = np.concatenate([[0], np.cumsum(value[1:] != value[:-1])])
    first = np.searchsorted(run, run, side="left")
    last = np.searchsorted(run, run, side="right") - 1
    stuck = (at[last] - at[first] >= STUCK_H * HOUR_US) & (last - first + 1 >= STUCK_READINGS)
    out = possible.copy()
    out[kept[stuck]] = False
    return out


def daily_means(at_us: Longs, temp_c: Floats, span_s: Longs, edges_us: Longs) -> DailyMeans:
    """Return the means of the days between edges (D+1,) [µs]; readings (n,) are in order of instant.

    A reading of span 0 is the temperature at its instant; one of a longer span [s] is the mean of the time that ends
    at it. Where a day is known by both, instants count.
    """
    good = trusted(at_us, np.where(span_s > 0, np.nan, temp_c)) | ((span_s > 0) & _possible(temp_c))
    moments, means = good & (span_s == 0), good & (span_s > 0)
    by_instant = _by_instant(at_us[moments], temp_c[moments], edges_us)
    by_span = _by_span(at_us[means], temp_c[means], span_s[means], edges_us)
    chosen = np.isfinite(by_instant.temp_c) | (by_instant.known_h >= by_span.known_h)
    return DailyMeans(
        temp_c=np.where(chosen, by_instant.temp_c, by_span.temp_c),
        known_h=np.where(chosen, by_instant.known_h, by_span.known_h),
    )


def _possible(temp_c: Floats) -> Bools:
    return np.asarray(np.isfinite(temp_c) & (temp_c >= COLDEST_C) & (temp_c <= HOTTEST_C))


def _by_instant(at_us: Longs, temp_c: Floats, edges_us: Longs) -> DailyMeans:
    begins, ends = at_us[:-1], at_us[1:]
    joined = (ends - begins <= LONGEST_GAP_H * HOUR_US) & (ends > begins)
    return _means(begins[joined], ends[joined], temp_c[:-1][joined], temp_c[1:][joined], edges_us)


def _by_span(at_us: Longs, temp_c: Floats, span_s: Longs, edges_us: Longs) -> DailyMeans:
    """Return the means where each value holds over its span; of spans that overlap the earlier one counts."""
    former = np.maximum.accumulate(np.concatenate([[np.iinfo(np.int64).min], at_us[:-1]])) if len(at_us) else at_us
    begins = np.maximum(at_us - span_s * 1_000_000, former)
    left = begins < at_us
    return _means(begins[left], at_us[left], temp_c[left], temp_c[left], edges_us)


def _means(begin_us: Longs, end_us: Longs, begin_c: Floats, end_c: Floats, edges_us: Longs) -> DailyMeans:
    """Return the means of days over pieces (p,) that follow each other and are straight lines from begin to end."""
    length_h = (end_us - begin_us) / HOUR_US
    area = np.concatenate([[0.0], np.cumsum((begin_c + end_c) / 2 * length_h)])
    known = np.concatenate([[0.0], np.cumsum(length_h)])
    piece = np.searchsorted(begin_us, edges_us, side="right") - 1
    inside = np.maximum(piece, 0)
    if not len(begin_us):
        nothing = np.zeros(len(edges_us) - 1)
        return DailyMeans(temp_c=np.full(len(nothing), np.nan), known_h=nothing)
    passed_h = np.clip((edges_us - begin_us[inside]) / HOUR_US, 0.0, length_h[inside])
    slope = (end_c[inside] - begin_c[inside]) / length_h[inside]
    so_far = area[inside] + begin_c[inside] * passed_h + slope * passed_h**2 / 2
    hours = np.diff(known[inside] + passed_h)
    enough = hours >= LEAST_SHARE * np.diff(edges_us) / HOUR_US - 1e-9
    mean = np.diff(so_far) / np.where(hours > 0, hours, 1.0)
    return DailyMeans(temp_c=np.where(enough, mean, np.nan), known_h=hours)


# From station to station


def bridge(ours_c: Floats, other_c: Floats, day: Dates, *, higher_m: float | None = None) -> Bridge | None:
    """Return how our daily means (D,) follow from another station's, None where they do not.

    From a year of common days the difference follows the season; from a month on it is constant; with fewer the
    altitudes tell, where they are known (`higher_m`: how much higher we stand [m]).
    """
    common = np.isfinite(ours_c) & np.isfinite(other_c)
    count = int(common.sum())
    if count < ENOUGH_COMMON_DAYS:
        if higher_m is None:
            return None
        offset = (higher_m * LAPSE_K_PER_M, 0.0, 0.0)
        return Bridge(method=BridgeMethod.ALTITUDE, offset_k=offset, common_days=count, residual_k=float("nan"))
    difference, year = (ours_c - other_c)[common], _year(day[common])
    yearly = count >= YEAR_OF_COMMON_DAYS and _all_seasons(day[common])
    columns = 3 if yearly else 1
    fitted = np.linalg.lstsq(year[:, :columns], difference, rcond=None)[0]
    left = difference - year[:, :columns] @ fitted
    residual_k = float(np.sqrt(left @ left / (count - columns)))
    if residual_k > MOST_RESIDUAL_K:
        return None
    offset = (float(fitted[0]), float(fitted[1]) if yearly else 0.0, float(fitted[2]) if yearly else 0.0)
    method = BridgeMethod.YEARLY if yearly else BridgeMethod.CONSTANT
    return Bridge(method=method, offset_k=offset, common_days=count, residual_k=residual_k)


def fill(ours_c: Floats, others_c: Sequence[Floats], day: Dates, higher_m: Sequence[float | None]) -> Filled:
    """Return our daily means (D,) with missing days taken from the first of the other stations that knows them."""
    temp_c = ours_c.copy()
    source = np.where(np.isfinite(ours_c), 0, NOBODY).astype(np.int8)
    bridges = tuple(
        bridge(ours_c, other, day, higher_m=height) for other, height in zip(others_c, higher_m, strict=True)
    )
    for rank, (other, found) in enumerate(zip(others_c, bridges, strict=True), start=1):
        if found is not None:
            taken = (source == NOBODY) & np.isfinite(other)
            temp_c[taken] = found.to_ours(other, day)[taken]
            source[taken] = rank
    return Filled(temp_c=temp_c, source=source, bridges=bridges)


def _year(day: Dates) -> Floats:
    """Return columns 1, cos and sin of the time of the year (D, 3)."""
    passed = day.astype("datetime64[D]") - day.astype("datetime64[Y]").astype("datetime64[D]")
    angle = 2 * np.pi * passed.astype(np.int64) / 365.25
    return np.stack([np.ones(len(day)), np.cos(angle), np.sin(angle)], axis=1)


def _all_seasons(day: Dates) -> bool:
    months = day.astype("datetime64[M]").astype(np.int64) % 12
    return len(np.unique(months // 3)) == 4  # noqa: PLR2004 - quarters of a year
