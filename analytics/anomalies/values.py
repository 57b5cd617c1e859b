"""Interval values that cannot be: cut off at a top, far above all peaks for a moment, below zero."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, rounded
from analytics.anomalies.still import Steps
from analytics.anomalies.trailing import spans, trailing_max
from core.calendar import Bools
from core.readings import Floats

PAST_DAYS: Final = 60
LEAST_STEPS: Final = 24 * 14
SPIKE: Final = 5.0
SPIKE_STEPS: Final = 2
SAME: Final = 1e-9
FLAT_STEPS: Final = 3
SURE: Final = 9.0
"""Minus the logarithm of a flat top's chance: three equal values where one of twenty repeats, more where more do."""
PAUSE_DAYS: Final = 30


def _peaks(steps: Steps) -> Floats:
    """Return for each step the third highest daily peak of the 60 days before, 0 where there are none. O(n + days)."""
    days = int(steps.row[-1]) + 1
    daily = np.zeros(days)
    np.maximum.at(daily, steps.row, steps.counted)
    pad = np.zeros(PAST_DAYS)
    window = np.lib.stride_tricks.sliding_window_view(np.concatenate([pad, daily])[: days + PAST_DAYS - 1], PAST_DAYS)
    return np.asarray(np.partition(window, -3, axis=1)[:, -3][steps.row])


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """What amounts are judged by now: the third highest daily peak of 60 days, and the highest ever."""

    third_peak: float
    highest: float


def top_now(steps: Steps) -> Top:
    """Return what the next amount is judged by. O(n + days)."""
    return Top(third_peak=float(_peaks(steps)[-1]), highest=float(steps.counted.max()))


def spikes(steps: Steps, unit: str, *, factor: float = 1.0) -> list[Finding]:
    """Return values above five times the third highest peak of the point's last 60 days that are gone at once. O(n).

    `factor` multiplies the five.

    They are told when the value after them is back; what stays is no spike.
    """
    if len(steps) < LEAST_STEPS:
        return []
    peak = _peaks(steps)
    high = (peak > 0) & (steps.counted > SPIKE * factor * peak) & (np.arange(len(steps)) >= LEAST_STEPS)
    runs = [(a, b) for a, b in spans(high) if b - a <= SPIKE_STEPS and b < len(steps)]
    return [
        _off(steps, int(a), int(b), Rule.SPIKE, unit=unit, more={"third_peak": rounded(float(peak[a]))})
        for a, b in runs
    ]


def below_zero(steps: Steps, unit: str, *, factor: float = 1.0) -> list[Finding]:
    """Return runs of three (times `factor`) and more amounts below zero: a meter the wrong way round. O(n)."""
    runs = [(a, b) for a, b in spans(steps.counted < 0) if b - a >= FLAT_STEPS * factor]
    return [_off(steps, int(a), int(b), Rule.REVERSED, unit=unit, more={}) for a, b in runs]


def clipped(steps: Steps, unit: str, *, factor: float = 1.0) -> list[Finding]:
    """Return where values stand at the highest ever: three (times `factor`) the very same in a row. O(n).

    Of a point whose values repeat often anyway (coarse digits) it takes more.
    """
    value = steps.counted
    if len(value) < LEAST_STEPS:
        return []
    same = np.concatenate([[False], np.abs(np.diff(value)) <= SAME * np.abs(value[1:])]) & (value > 0)
    often = np.cumsum(same) / np.arange(1, len(value) + 1)
    top = value >= np.maximum.accumulate(value) * (1 - SAME)
    recent = trailing_max(np.where(same & ~top, 1.0, 0.0), 1, 1)
    flat = _in_a_row(top & (np.arange(len(value)) >= LEAST_STEPS), same) & (recent == 0)
    least = factor * np.maximum(FLAT_STEPS, SURE / -np.log(np.clip(often, 1e-9, 0.9)))
    runs = [(a, b) for a, b in spans(flat) if b - a >= least[a]]
    return [_off(steps, int(a), int(b), Rule.CLIPPED, unit=unit, more={}) for a, b in runs]


def _in_a_row(top: Bools, same: Bools) -> Bools:
    """Return the steps at the top that equal one of their neighbours."""
    after = np.append(same[1:] & top[1:], [False])
    return np.asarray(top & (same | after))


def _off(steps: Steps, first: int, behind: int, rule: Rule, *, unit: str, more: dict[str, float | None]) -> Finding:
    values = steps.counted[first:behind]
    told = first + FLAT_STEPS - 1 if rule is not Rule.SPIKE else behind
    last = behind >= len(steps)
    return Finding(
        rule=rule,
        from_us=int(steps.at_us[first] - steps.length_us[first]),
        to_us=None if last else int(steps.at_us[behind - 1]),
        raised_us=int(steps.at_us[min(told, len(steps) - 1)]),
        severity=Severity.HIGH if rule is Rule.REVERSED else Severity.LOW,
        unit=unit,
        evidence={"lowest": rounded(float(values.min())), "highest": rounded(float(values.max())), **more},
    )
