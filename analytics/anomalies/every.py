"""All detectors that one register alone feeds, with those that say the same made one."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.anomalies.dials import of_marks, reversed_dial
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.leak import leaks, never_zero
from analytics.anomalies.point import Seen
from analytics.anomalies.silence import silences
from analytics.anomalies.still import Steps, standing
from analytics.anomalies.values import below_zero, clipped, spikes
from analytics.baseline.cleaning import Commodity
from core.calendar import Bools

MAY_BE_OFF: Final = frozenset({Commodity.GAS, Commodity.HEAT})
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
    if commodity is Commodity.WATER and seen.hours is not None:
        found += leaks(seen.hours, now_us) + never_zero(seen.hours, now_us)
    return sorted(once(found), key=lambda one: (one.from_us, one.rule))


def _meter(seen: Seen, commodity: Commodity, now_us: int) -> list[Finding]:
    """Return what is wrong with the meter, its radio or its values."""
    watched, unit = seen.watched, seen.watched.unit
    found = silences(watched.at_us, now_us, unit) + of_marks(seen.marks, unit)
    off = _may_be_off(seen.steps) if commodity in MAY_BE_OFF else None
    if watched.dial:
        still = (seen.steps.counted == 0) & (watched.value[1:] != 0)
        return [
            *found,
            *reversed_dial(watched.at_us, watched.value, unit),
            *standing(seen.steps, still, Rule.STUCK, unit, may_rest=off),
        ]
    value = watched.value
    again = np.concatenate([[False], value[1:] == value[:-1]]) & (value > 0)
    return [
        *found,
        *standing(seen.steps, value == 0, Rule.ZEROED, unit, may_rest=off),
        *standing(seen.steps, again, Rule.STUCK, unit),
        *clipped(seen.steps, unit),
        *spikes(seen.steps, unit),
        *below_zero(seen.steps, unit),
    ]


def _may_be_off(steps: Steps) -> Bools:
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
