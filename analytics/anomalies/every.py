"""All detectors that one register alone feeds, with those that say the same made one."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.anomalies.burst import bursts
from analytics.anomalies.capacity import QUARTER_US, breaches, projected_breaches, quarter_means
from analytics.anomalies.dials import of_marks, reversed_dial, swapped_registers
from analytics.anomalies.expected import deviations, drifts, warm_heating
from analytics.anomalies.finding import Finding, Rule, joined
from analytics.anomalies.hours import Hours
from analytics.anomalies.leak import leaks, never_zero
from analytics.anomalies.point import Seen
from analytics.anomalies.silence import silences
from analytics.anomalies.still import LEAST_US, Steps, rested, standing
from analytics.anomalies.values import below_zero, clipped, spikes
from analytics.anomalies.waste import DAY_US, WEEK_US, base_load, days_of, holidays, weekends
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
}
"""A finding of the one rule is left out where it touches one of the others: one cause, one finding."""


def every(seen: Seen, commodity: Commodity, now_us: int) -> list[Finding]:
    """Return the findings of one register until now, in order of time."""
    found = _meter(seen, commodity, now_us)
    if seen.hours is not None and commodity is Commodity.WATER:
        found += leaks(seen.hours, now_us) + never_zero(seen.hours, now_us) + bursts(seen.hours, now_us)
    if seen.hours is not None and commodity is Commodity.ELECTRICITY:
        found += _wasted(seen, seen.hours, now_us)
    return sorted(once(found), key=lambda one: (one.from_us, one.rule))


def _wasted(seen: Seen, hours: Hours, now_us: int) -> list[Finding]:
    days, watched = days_of(hours), seen.watched
    public = np.isin(days.day, watched.holidays)
    return [
        *base_load(days, watched.unit, now_us),
        *weekends(days, watched.unit, now_us),
        *holidays(days, public, watched.unit, now_us),
    ]


def against_expected(
    hours: Hours, expected: Floats, temp_c: Floats | None, commodity: Commodity, unit: str, *, now_us: int
) -> list[Finding]:
    """Return what the baseline (`expected`, a value a local day) and the weather tell of a register."""
    days = days_of(hours)
    deviating = deviations(days, expected, unit, now_us)
    drifting = [one for one in drifts(days, expected, unit, now_us) if not any(_touch(one, d) for d in deviating)]
    warm = warm_heating(days, temp_c, unit, now_us) if temp_c is not None and commodity in MAY_BE_OFF else []
    return [*deviating, *drifting, *warm]


def against_reserved(seen: Seen, reserved_kw: float, now_us: int) -> list[Finding]:
    """Return quarter-hours above the reserved capacity, and those foretold to be where readings are that dense.

    Only of readings at least each quarter-hour: a longer time shows its mean, not its peak.
    """
    steps = seen.steps
    short = steps.length_us <= QUARTER_US * 1.5
    if short.mean() < USUALLY_SHORT:
        return []
    start, power = quarter_means(steps.at_us, steps.counted, steps.length_us)
    found = breaches(start, power, np.full(len(start), reserved_kw), now_us)
    energy = np.cumsum(np.maximum(steps.counted, 0.0))
    return [*found, *projected_breaches(steps.at_us, energy, reserved_kw, now_us)]


def against_each_other(taken: Hours, given: Hours, unit: str) -> list[Finding]:
    """Return what import and export of one meter tell of each other."""
    first = max(int(taken.start_us[0]), int(given.start_us[0]))
    last = min(int(taken.start_us[-1]), int(given.start_us[-1]))
    if first >= last:
        return []
    return swapped_registers(taken.between(first, last), given.between(first, last), unit)


def _meter(seen: Seen, commodity: Commodity, now_us: int) -> list[Finding]:
    """Return what is wrong with the meter, its radio or its values."""
    watched, unit = seen.watched, seen.watched.unit
    found = silences(watched.at_us, now_us, unit) + _joined(of_marks(seen.marks, unit))
    zero = seen.steps.counted == 0
    rests = rested(seen.steps, zero) & (commodity in MAY_BE_OFF)
    off, least_us = rests & _warm_months(seen.steps), np.where(rests, LEAST_OFF_US, LEAST_US)
    if watched.dial:
        still = (seen.steps.counted == 0) & (watched.value[1:] != 0)
        return [
            *found,
            *reversed_dial(watched.at_us, watched.value, unit),
            *standing(seen.steps, still, Rule.STUCK, unit, may_rest=off, least_us=least_us),
        ]
    value = watched.value
    again = np.concatenate([[False], value[1:] == value[:-1]]) & (value > 0)
    return [
        *found,
        *standing(seen.steps, value == 0, Rule.ZEROED, unit, may_rest=off, least_us=least_us),
        *standing(seen.steps, again, Rule.STUCK, unit, surer=REPEATS),
        *_joined([*clipped(seen.steps, unit), *spikes(seen.steps, unit)]),
        *below_zero(seen.steps, unit),
    ]


def _joined(found: list[Finding]) -> list[Finding]:
    """Return findings with those of one rule within a week made one: a cause that flickers rings once."""
    return [one for rule in sorted({f.rule for f in found}) for one in joined(_of(found, rule), WEEK_US)]


def _of(found: list[Finding], rule: Rule) -> list[Finding]:
    return sorted((one for one in found if one.rule is rule), key=lambda one: one.from_us)


def _warm_months(steps: Steps) -> Bools:
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
