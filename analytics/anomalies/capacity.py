"""Quarter-hours above the reserved capacity, and the one that runs and is going to be."""

from dataclasses import replace
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, joined, rounded, still_open
from analytics.anomalies.hours import HOUR_US
from analytics.anomalies.trailing import trailing_sum
from core.calendar import Longs
from core.readings import Floats

QUARTER_US: Final = HOUR_US // 4
DAY_US: Final = 24 * HOUR_US
PER_HOUR: Final = 4
PAUSE_US: Final = DAY_US
RECENT_US: Final = 3 * 60_000_000
"""The power of so long is taken to go on: shorter is a single machine, longer is the past."""
EARLIEST: Final = 1 / 3
"""The share of the quarter-hour that must have run: what is foretold before rests on a minute or two."""
PAST_DAYS: Final = 14
LEAST_ERRORS: Final = 50
BINS: Final = 15
SURE: Final = 0.5
"""Three of ten quarter-hours end above what is foretold plus so many deviations of the point's own errors."""


def breaches(
    starts_us: Longs, power_kw: Floats, reserved_kw: Floats, now_us: int, *, factor: float = 1.0
) -> list[Finding]:
    """Return where quarter-hours (n, mean power [kW], NaN unknown) exceed what is reserved (n) [kW]. O(n).

    From `factor` times what is reserved; NaN where nothing is.

    Breaches no more than a day apart are one finding; it clears when a day has passed without.
    """
    over = np.flatnonzero(power_kw > factor * reserved_kw)
    found = [_breach(int(starts_us[i]), float(power_kw[i]), float(reserved_kw[i])) for i in _leading(starts_us, over)]
    ends = _leading(starts_us, over, last=True)
    whole = [_until(one, starts_us, power_kw, int(last)) for one, last in zip(found, ends, strict=True)]
    return still_open(whole, now_us, PAUSE_US)


def _leading(starts_us: Longs, over: Longs, *, last: bool = False) -> Longs:
    """Return the first (or last) place of each cluster of breaches."""
    apart = np.diff(starts_us[over]) > PAUSE_US
    edge = np.append(apart, [True]) if last else np.concatenate([[True], apart])
    return np.asarray(over[edge[: len(over)]])


def _breach(start_us: int, power_kw: float, reserved_kw: float) -> Finding:
    return Finding(
        rule=Rule.CAPACITY,
        from_us=start_us,
        to_us=start_us + QUARTER_US,
        raised_us=start_us + QUARTER_US,
        severity=Severity.HIGH,
        unit="kW",
        evidence={"reserved_kw": rounded(reserved_kw), "first_kw": rounded(power_kw, 3)},
    )


def _until(one: Finding, starts_us: Longs, power_kw: Floats, last: int) -> Finding:
    first = int(np.searchsorted(starts_us, one.from_us))
    peak = float(np.nanmax(power_kw[first : last + 1]))
    over = peak - float(one.evidence["reserved_kw"])
    told = {**one.evidence, "peak_kw": rounded(peak, 3), "over_by_kw": rounded(over, 3)}
    return Finding(
        rule=one.rule,
        from_us=one.from_us,
        to_us=int(starts_us[last]) + QUARTER_US,
        raised_us=one.raised_us,
        severity=one.severity,
        unit=one.unit,
        evidence=told,
    )


def quarter_means(at_us: Longs, counted_kwh: Floats, length_us: Longs) -> tuple[Longs, Floats]:
    """Return the whole quarter-hours of steps (n, each counted in `length_us` until `at_us`) and their mean power [kW].

    NaN where a step of more than half an hour, or none, covers a part of it. O(n).
    """
    edges = np.concatenate([at_us[:1] - length_us[:1], at_us])
    energy = np.concatenate([[0.0], np.cumsum(np.maximum(counted_kwh, 0.0))])
    hole = np.concatenate(
        [[0.0], np.cumsum((length_us > 2 * QUARTER_US) | (at_us - np.append(edges[:1], at_us[:-1]) > 2 * QUARTER_US))]
    )
    start = np.arange(-(-int(edges[0]) // QUARTER_US), int(edges[-1]) // QUARTER_US) * QUARTER_US
    whole = np.interp(start + QUARTER_US, edges, energy) - np.interp(start, edges, energy)
    first, last = np.searchsorted(edges, start, side="right") - 1, np.searchsorted(edges, start + QUARTER_US)
    return start, np.where(hole[last] > hole[first], np.nan, whole * PER_HOUR)


def projections(at_us: Longs, energy_kwh: Floats) -> tuple[Floats, Floats]:
    """Return of each reading (n instants, cumulated energy) the foretold mean [kW] of its quarter-hour, and the actual.

    What was used so far, and for the rest the power of the last minutes. NaN where nothing can be foretold: before a
    third of the quarter-hour, or where the last readings are too far apart; the actual mean NaN while it runs.
    O(n log n).
    """
    start = at_us // QUARTER_US * QUARTER_US
    elapsed = at_us - start
    used = energy_kwh - np.interp(start, at_us, energy_kwh, left=np.nan)
    before = np.maximum(np.searchsorted(at_us, at_us - RECENT_US, side="right") - 1, 0)
    apart = at_us - at_us[before]
    power = (energy_kwh - energy_kwh[before]) / np.maximum(apart, 1) * HOUR_US
    fresh = (apart >= RECENT_US) & (apart <= QUARTER_US / 2) & (elapsed >= EARLIEST * QUARTER_US)
    foretold = (used + power * (QUARTER_US - elapsed) / HOUR_US) * PER_HOUR
    ends = np.interp(start + QUARTER_US, at_us, energy_kwh, right=np.nan)
    begins = np.interp(start, at_us, energy_kwh, left=np.nan)
    return np.where(fresh, foretold, np.nan), (ends - begins) * PER_HOUR


def _own_errors(at_us: Longs, foretold: Floats, actual: Floats) -> Floats:
    """Return how far [kW] foretold means were off in the 14 days before, at the same minute; NaN where not known."""
    day, part = at_us // DAY_US - at_us[0] // DAY_US, _part(at_us)
    return np.asarray(_errors(day, part, actual - foretold)[day, part])


def _part(at_us: Longs) -> Longs:
    return np.minimum(at_us % QUARTER_US * BINS // QUARTER_US, BINS - 1)


def _errors(day: Longs, part: Longs, off: Floats) -> Floats:
    """Return the spread of errors [kW] of the 14 days before, by day and part of the quarter-hour."""
    known = np.isfinite(off)
    size = (int(day[-1]) + 1) * BINS
    cell = day * BINS + part
    squares = np.asarray(np.bincount(cell[known], off[known] ** 2, size).reshape(-1, BINS), float)
    counts = np.bincount(cell[known], minlength=size).reshape(-1, BINS).astype(float)
    total, number = trailing_sum(squares, PAST_DAYS, 1), trailing_sum(counts, PAST_DAYS, 1)
    return np.where(number >= LEAST_ERRORS, np.sqrt(total / np.maximum(number, 1)), np.nan)


def errors_now(at_us: Longs, energy_kwh: Floats) -> Floats:
    """Return by part of the quarter-hour (15) how far [kW] foretold means were off lately, NaN where not known."""
    if len(at_us) < LEAST_ERRORS:
        return np.full(BINS, np.nan)
    foretold, actual = projections(at_us, energy_kwh)
    return np.asarray(_errors(at_us // DAY_US - at_us[0] // DAY_US, _part(at_us), actual - foretold)[-1])


def running(
    at_us: Longs, energy_kwh: Floats, reserved_kw: float, spread_kw: Floats, *, factor: float = 1.0
) -> Finding | None:
    """Return the running quarter-hour where its last reading foretells that it will exceed, by errors learnt before.

    n readings of some quarter-hours and the cumulated energy; `spread_kw` by part of the quarter-hour (15). O(n log n).
    """
    foretold, _ = projections(at_us, energy_kwh)
    spread = float(spread_kw[_part(at_us[-1:])[0]])
    if not foretold[-1] + SURE * spread > factor * reserved_kw:
        return None
    told = _projected(int(at_us[-1]), float(foretold[-1]), spread, reserved_kw)
    return replace(told, to_us=None)


def foretellings(at_us: Longs, energy_kwh: Floats, reserved_kw: float | Floats) -> tuple[Longs, Floats, Floats]:
    """Return the first readings of quarter-hours that are foretold to exceed, what is foretold, and the own error [kW].

    Fires where three of ten such quarter-hours of the last two weeks would have ended above: a breach missed costs more
    than a word too many. O(n log n).
    """
    foretold, actual = projections(at_us, energy_kwh)
    spread = _own_errors(at_us, foretold, actual)
    fires = np.flatnonzero(foretold + SURE * spread > reserved_kw)
    quarter = at_us[fires] // QUARTER_US
    firsts = fires[np.concatenate([[True], np.diff(quarter) > 0])] if len(fires) else fires
    return firsts, foretold[firsts], spread[firsts]


def projected_breaches(
    at_us: Longs, energy_kwh: Floats, reserved_kw: float | Floats, now_us: int, *, factor: float = 1.0
) -> list[Finding]:
    """Return quarter-hours foretold, while they run, to exceed `factor` times what is reserved. O(n log n).

    Readings come several times a quarter-hour (else nothing can be foretold): n instants and the cumulated energy. One
    finding a day. `reserved_kw` holds for all, or a value each (NaN: nothing is reserved).
    """
    if len(at_us) < LEAST_ERRORS:
        return []
    reserved = np.broadcast_to(np.asarray(reserved_kw, float), len(at_us))
    firsts, foretold, spread = foretellings(at_us, energy_kwh, factor * reserved)
    found = [
        _projected(int(at_us[i]), float(power), float(error), float(reserved[i]))
        for i, power, error in zip(firsts, foretold, spread, strict=True)
    ]
    return still_open(joined(found, PAUSE_US), now_us, PAUSE_US)


def _projected(at_us: int, foretold_kw: float, spread_kw: float, reserved_kw: float) -> Finding:
    start = at_us // QUARTER_US * QUARTER_US
    return Finding(
        rule=Rule.CAPACITY_PROJECTED,
        from_us=start,
        to_us=start + QUARTER_US,
        raised_us=at_us,
        severity=Severity.HIGH if foretold_kw > reserved_kw else Severity.MEDIUM,
        unit="kW",
        evidence={
            "reserved_kw": rounded(reserved_kw),
            "foretold_kw": rounded(foretold_kw, 3),
            "own_error_kw": rounded(spread_kw, 3),
            "seconds_left": (start + QUARTER_US - at_us) // 1_000_000,
        },
    )
