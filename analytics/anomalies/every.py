"""All detectors that one register alone feeds, with those that say the same made one."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from analytics.anomalies.burst import bursts
from analytics.anomalies.capacity import QUARTER_US, breaches, projected_breaches, quarter_means
from analytics.anomalies.dials import of_marks, reversed_dial, swapped_registers
from analytics.anomalies.expected import deviations, drifts, warm_heating
from analytics.anomalies.finding import Finding, Rule, joined
from analytics.anomalies.hours import Hours
from analytics.anomalies.leak import leaks, never_zero
from analytics.anomalies.point import Seen, Watched
from analytics.anomalies.silence import silences
from analytics.anomalies.still import LEAST_US, Steps, rested, standing
from analytics.anomalies.tuning import USUAL, Tuning
from analytics.anomalies.values import below_zero, clipped, spikes
from analytics.anomalies.waste import DAY_US, WEEK_US, Days, base_load, days_of, holidays, weekends
from analytics.baseline.cleaning import Commodity
from core.calendar import Bools
from core.readings import Floats

USUALLY_SHORT: Final = 0.5
MAY_BE_OFF: Final = frozenset({Commodity.GAS, Commodity.HEAT})
LEAST_OFF_US: Final = DAY_US
REPEATS: Final = 2.0
COLD_MONTHS: Final = (11, 12, 1, 2)
"""Months in which heat that stops is no end of the season."""
_SAID_BY: Final[dict[Rule, frozenset[Rule]]] = {
    Rule.NEVER_ZERO: frozenset({Rule.LEAK}),
    Rule.LEAK: frozenset({Rule.BURST}),
    Rule.SPIKE: frozenset({Rule.REVERSED, Rule.ZEROED}),
    Rule.BREAK: frozenset({Rule.REVERSED}),
    Rule.STUCK: frozenset({Rule.ZEROED, Rule.CLIPPED}),
    Rule.DEVIATION: frozenset({Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST, Rule.BASE_LOAD, Rule.WARM_HEATING}),
    Rule.DRIFT: frozenset({Rule.LEAK, Rule.NEVER_ZERO, Rule.BASE_LOAD, Rule.WARM_HEATING}),
    Rule.CAPACITY_PROJECTED: frozenset({Rule.CAPACITY}),
}
"""A finding of the one rule is left out where it touches one of the others: one cause, one finding."""


def every(seen: Seen, commodity: Commodity, now_us: int, tuning: Tuning = USUAL) -> list[Finding]:
    """Return the findings of one register until now, in order of time."""
    found = of_meter(seen, commodity, now_us, tuning)
    if seen.hours is not None:
        found += of_use(seen.hours, commodity, seen.watched, now_us, tuning)
    return in_order(found, tuning)


def in_order(found: Iterable[Finding], tuning: Tuning = USUAL) -> list[Finding]:
    """Return the findings of rules that are on, in order of time, those that say the same made one."""
    return sorted(once(tuning.wanted(found)), key=lambda one: (one.from_us, one.rule))


def of_use(hours: Hours, commodity: Commodity, watched: Watched, now_us: int, tuning: Tuning = USUAL) -> list[Finding]:
    """Return what the hours of a point tell of its use, be they of a meter or of a sum of meters."""
    if commodity is Commodity.WATER:
        return [
            *leaks(hours, now_us, factor=tuning.of(Rule.LEAK)),
            *never_zero(hours, now_us, factor=tuning.of(Rule.NEVER_ZERO)),
            *bursts(hours, now_us, factor=tuning.of(Rule.BURST)),
        ]
    return of_days(days_of(hours), watched, now_us, tuning) if commodity is Commodity.ELECTRICITY else []


def of_days(days: Days, watched: Watched, now_us: int, tuning: Tuning = USUAL) -> list[Finding]:
    """Return the waste that the days of a point of electricity tell."""
    public, unit = np.isin(days.day, watched.holidays), watched.unit
    return [
        *base_load(days, unit, now_us, factor=tuning.of(Rule.BASE_LOAD)),
        *weekends(days, unit, now_us, factor=tuning.of(Rule.WEEKEND)),
        *holidays(days, public, unit, now_us, factor=tuning.of(Rule.HOLIDAY)),
    ]


def against_expected(
    hours: Hours, expected: Floats, temp_c: Floats | None, commodity: Commodity, unit: str, *, now_us: int
) -> list[Finding]:
    """Return what the baseline (`expected`, a value a local day) and the weather tell of a register."""
    return days_against_expected(days_of(hours), expected, temp_c, commodity, unit, now_us=now_us)


def days_against_expected(
    days: Days,
    expected: Floats,
    temp_c: Floats | None,
    commodity: Commodity,
    unit: str,
    *,
    now_us: int,
    tuning: Tuning = USUAL,
) -> list[Finding]:
    """Return what the baseline (`expected` of each day) and the weather tell of days."""
    deviating = deviations(days, expected, unit, now_us, factor=tuning.of(Rule.DEVIATION))
    drifting = drifts(days, expected, unit, now_us, factor=tuning.of(Rule.DRIFT))
    apart = [one for one in drifting if not any(_touch(one, d) for d in deviating)]
    if temp_c is None or commodity not in MAY_BE_OFF:
        return [*deviating, *apart]
    return [*deviating, *apart, *warm_heating(days, temp_c, unit, now_us, factor=tuning.of(Rule.WARM_HEATING))]


def against_reserved(
    seen: Seen, reserved_kw: float | Floats, now_us: int, tuning: Tuning = USUAL, *, running_only: bool = False
) -> list[Finding]:
    """Return quarter-hours above the reserved capacity, and those foretold to be where readings are that dense.

    `reserved_kw` holds for all steps, or a value each (NaN: nothing is reserved). Only of readings at least each
    quarter-hour: a longer time shows its mean, not its peak. `running_only` leaves out those that are over.
    """
    steps = seen.steps
    if not len(steps) or (steps.length_us <= QUARTER_US * 1.5).mean() < USUALLY_SHORT:
        return []
    reserved = np.broadcast_to(np.asarray(reserved_kw, float), len(steps))
    energy = np.cumsum(np.maximum(steps.counted, 0.0))
    factor = tuning.of(Rule.CAPACITY_PROJECTED)
    coming = projected_breaches(steps.at_us, energy, reserved, now_us, factor=factor)
    if running_only:
        return coming
    start, power = quarter_means(steps.at_us, steps.counted, steps.length_us)
    of_quarter = reserved[np.minimum(np.searchsorted(steps.at_us, start + QUARTER_US), len(steps) - 1)]
    return [*breaches(start, power, of_quarter, now_us, factor=tuning.of(Rule.CAPACITY)), *coming]


def against_each_other(taken: Hours, given: Hours, unit: str, tuning: Tuning = USUAL) -> list[Finding]:
    """Return what import and export of one meter tell of each other."""
    first = max(int(taken.start_us[0]), int(given.start_us[0]))
    last = min(int(taken.start_us[-1]), int(given.start_us[-1]))
    if first >= last:
        return []
    parts = taken.between(first, last), given.between(first, last)
    return swapped_registers(*parts, unit, factor=tuning.of(Rule.SWAPPED))


def of_meter(seen: Seen, commodity: Commodity, now_us: int, tuning: Tuning = USUAL) -> list[Finding]:
    """Return what is wrong with the meter, its radio or its values."""
    watched, unit, of = seen.watched, seen.watched.unit, tuning.of
    found = silences(watched.at_us, now_us, unit, dead=of(Rule.DEAD), gap=of(Rule.GAP))
    found += _joined(of_marks(seen.marks, unit))
    zero = seen.steps.counted == 0
    rests = rested(seen.steps, zero) & (commodity in MAY_BE_OFF)
    off, least_us = rests & warm_months(seen.steps), np.where(rests, LEAST_OFF_US, LEAST_US)
    stuck = of(Rule.STUCK)
    if watched.dial:
        still = (seen.steps.counted == 0) & (watched.value[1:] != 0)
        return [
            *found,
            *reversed_dial(watched.at_us, watched.value, unit, factor=of(Rule.REVERSED)),
            *standing(seen.steps, still, Rule.STUCK, unit, may_rest=off, least_us=least_us, surer=stuck),
        ]
    value, steps = watched.value, seen.steps
    again = np.concatenate([[False], value[1:] == value[:-1]]) & (value > 0)
    zeroed = of(Rule.ZEROED)
    return [
        *found,
        *standing(steps, value == 0, Rule.ZEROED, unit, may_rest=off, least_us=least_us, surer=zeroed),
        *standing(steps, again, Rule.STUCK, unit, surer=REPEATS * stuck, singly=True),
        *_joined([*clipped(steps, unit, factor=of(Rule.CLIPPED)), *spikes(steps, unit, factor=of(Rule.SPIKE))]),
        *below_zero(steps, unit, factor=of(Rule.REVERSED)),
    ]


def _joined(found: list[Finding]) -> list[Finding]:
    """Return findings with those of one rule within a week made one: a cause that flickers rings once."""
    return [one for rule in sorted({f.rule for f in found}) for one in joined(_of(found, rule), WEEK_US)]


def _of(found: list[Finding], rule: Rule) -> list[Finding]:
    return sorted((one for one in found if one.rule is rule), key=lambda one: one.from_us)


def warm_months(steps: Steps) -> Bools:
    """Return which steps lie in months in which heating may be off."""
    month = steps.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return ~np.isin(month, COLD_MONTHS)


def once(found: Sequence[Finding]) -> list[Finding]:
    """Return findings without those that another rule says better, or the same rule says twice."""
    kept: list[Finding] = []
    for one in sorted(found, key=lambda f: (f.rule, f.from_us)):
        better = [f for f in found if f.rule in _SAID_BY.get(one.rule, ()) and _touch(one, f)]
        if not better and not any(f.rule is one.rule and _touch(one, f) for f in kept[-1:]):
            kept.append(one)
    return kept


def _touch(one: Finding, other: Finding) -> bool:
    starts_before = other.to_us is None or one.from_us <= other.to_us
    return starts_before and (one.to_us is None or other.from_us <= one.to_us)
