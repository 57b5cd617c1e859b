"""Electricity demand: quarter-hour means, the maxima of months, the duration curve, what exceeds what is reserved.

The mean power of a quarter-hour is its energy times 4 [kW]. A day has 92, 96 or 100 of them. Only measured
quarter-hours count: an estimate or a straight line over a longer gap has no peaks. What does not count is a gap, and a
month with gaps has at least the maximum found, perhaps more.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import NAT, Bools, Instants, Longs
from core.readings import Floats

PER_HOUR: Final = 4
MEASURED: Final = 1 - 1e-9
QUARTER: Final = np.timedelta64(15, "m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarters:
    """Quarter-hours of one point: `power_kw` NaN where they do not count; `coarse` rest on readings too far apart."""

    starts: Instants
    power_kw: Floats
    coarse: Bools


def quarters(starts: Instants, energy_kwh: Floats, measured: Floats, first_at: Instants, last_at: Instants) -> Quarters:
    """Return the mean power of n quarter-hours, from their energy, measured share and the readings they rest on.

    Readings off the clock put a quarter-hour between two of them up to half an hour apart, which is as fine as meters
    that send by the quarter-hour can be. Farther apart, or where the neighbour rests on the very same readings, it
    shows the mean of a longer time, not its own peak.
    """
    whole = (measured >= MEASURED) & np.isfinite(energy_kwh)
    apart = last_at - first_at
    same = (first_at[1:] == first_at[:-1]) & (last_at[1:] == last_at[:-1])
    shared = np.append(same, False) | np.append(False, same) if len(starts) else same
    coarse = whole & ((apart > 2 * QUARTER) | ((apart > QUARTER) & shared))
    return Quarters(
        starts=starts, power_kw=np.where(whole & ~coarse, energy_kwh * PER_HOUR, np.nan), coarse=np.asarray(coarse)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Maxima:
    """The highest quarter-hour of each of m months.

    `peak_kw` NaN where no quarter-hour counts, `at` its start (NaT), `counted` of the `expected` quarter-hours, and
    `coarse` those that rest on readings too far apart. Where not all count the maximum is at least this.
    """

    peak_kw: Floats
    at: Instants
    counted: Longs
    expected: Longs
    coarse: Longs

    @property
    def coverage(self) -> Floats:
        """The share of quarter-hours that count."""
        return self.counted / np.maximum(self.expected, 1)

    @property
    def whole(self) -> Bools:
        """Which months have no gap."""
        return np.asarray((self.counted == self.expected) & (self.expected > 0))


def monthly_maxima(found: Quarters, edges: Instants) -> Maxima:
    """Return the maxima between m + 1 edges (instants of local month starts)."""
    months = len(edges) - 1
    place = np.searchsorted(edges, found.starts, side="right") - 1
    inside = (place >= 0) & (place < months)
    place, power, starts = place[inside], found.power_kw[inside], found.starts[inside]
    good = np.isfinite(power)
    peak = np.full(months, -np.inf)
    np.maximum.at(peak, place[good], power[good])
    is_peak = good & (power == peak[place])
    at = np.full(months, NAT)
    at[place[is_peak][::-1]] = starts[is_peak][::-1]  # the first of equals is written last
    return Maxima(
        peak_kw=np.where(np.isinf(peak), np.nan, peak),
        at=at,
        counted=np.bincount(place[good], minlength=months).astype(np.int64),
        expected=(np.diff(edges) // np.timedelta64(15, "m")).astype(np.int64),
        coarse=np.bincount(place[found.coarse[inside]], minlength=months).astype(np.int64),
    )


def exceedance_kw(peak_kw: Floats, reserved_kw: Floats) -> Floats:
    """Return by how much peaks exceed what is reserved, 0 where they do not; NaN where either is not known."""
    return np.asarray(np.where(np.isnan(peak_kw) | np.isnan(reserved_kw), np.nan, np.maximum(peak_kw - reserved_kw, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationCurve:
    """Power that was exceeded for a share of the time that counts, highest first."""

    share: Floats
    power_kw: Floats
    hours: float


def duration_curve(power_kw: Floats, *, points: int = 400) -> DurationCurve:
    """Return the duration curve at `points` places at the most, more of them near the peak; its ends are exact."""
    known = np.sort(power_kw[np.isfinite(power_kw)])[::-1]
    n = len(known)
    if not n:
        return DurationCurve(share=np.empty(0), power_kw=np.empty(0), hours=0.0)
    place = np.unique(np.rint((n - 1) * np.linspace(0, 1, min(points, n)) ** 2).astype(np.int64))
    return DurationCurve(share=(place + 1) / n, power_kw=known[place], hours=n / PER_HOUR)


def projected_kw(energy_kwh: float, elapsed_s: float, power_kw: float) -> float:
    """Return the mean [kW] of a running quarter-hour that used `energy_kwh` so far and goes on at `power_kw`."""
    rest_h = max(900.0 - elapsed_s, 0.0) / 3600
    return (energy_kwh + power_kw * rest_h) * PER_HOUR
