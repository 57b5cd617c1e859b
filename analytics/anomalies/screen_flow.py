"""Whether the last hours of a water point could show a new leak, a burst, or flow without a pause; see screen_meter."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.burst import MORE, OVER_HOURS, largest_before
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.leak import (
    ENOUGH,
    LEAST_RUN_H,
    NEVER_WORST,
    NEVER_ZERO_H,
    OWN_WORST,
    RARE,
    STEP,
    LeakNow,
    endless_runs,
    leak_now,
    smoothed,
    together,
)
from analytics.anomalies.trailing import run_sum, since
from analytics.anomalies.tuning import Tuning
from core.calendar import Bools

SLACK: Final = 0.9
NEAR: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowScreen:
    """What hours after an instant are looked at by; `largest` is None where too little is known for bursts.

    `endless_h` is how long the flow had not paused then, `worst_h` its own worst, `pauses` whether days had pauses.
    """

    until_us: int
    quantum: float
    leak: LeakNow
    largest: float | None
    pauses: bool
    endless_h: float
    worst_h: float


def flow_screen(hours: Hours, found: list[Finding]) -> FlowScreen:
    """Return what the next hours are looked at by; those of leaks that were `found` are not learnt from. O(n)."""
    largest, enough = largest_before(hours)
    runs = endless_runs(hours)
    return FlowScreen(
        until_us=int(hours.start_us[-1]) + HOUR_US,
        quantum=hours.quantum,
        leak=leak_now(hours, _told(hours, found)),
        largest=float(largest[-1]) if enough[-1] and largest[-1] > 0 else None,
        pauses=bool(runs.had[-1]),
        endless_h=float(runs.length[-1]),
        worst_h=float(runs.worst[-1]),
    )


def _told(hours: Hours, found: list[Finding]) -> Bools:
    told = np.zeros(len(hours), bool)
    for one in found:
        if one.rule is Rule.LEAK:
            told |= (hours.start_us >= one.from_us) & (hours.start_us < (one.to_us or hours.start_us[-1] + HOUR_US))
    return told


def flow_could(screen: FlowScreen, tail: Hours, tuning: Tuning) -> frozenset[Rule]:
    """Return the rules that the last two days of hours (n) could newly show. O(n)."""
    could = set()
    if _leaks(screen, tail, tuning.of(Rule.LEAK)):
        could.add(Rule.LEAK)
    if screen.pauses and _endless(screen, tail) >= NEAR * max(
        tuning.of(Rule.NEVER_ZERO) * NEVER_ZERO_H, NEVER_WORST * screen.worst_h
    ):
        could.add(Rule.NEVER_ZERO)
    if screen.largest is not None and _bursts(screen.largest * (1 + tuning.of(Rule.BURST) * MORE), tail):
        could.add(Rule.BURST)
    return frozenset(could)


def _leaks(screen: FlowScreen, tail: Hours, factor: float) -> bool:
    """Return whether a run above any level could be enough, what it weighed before the tail included."""
    hours, known = smoothed(tail), screen.leak
    after, long = hours.start_us >= screen.until_us, LEAST_RUN_H + together(tail) - 2
    measured = np.isfinite(hours.amount)
    top = float(np.nan_to_num(hours.amount).max(initial=0.0))
    for flow, weight, worst, before in zip(known.level, known.weight, known.worst, known.score, strict=True):
        if flow > top:
            break
        if flow <= SLACK * known.least:
            continue
        below = measured & ~(hours.amount >= flow)
        gained = np.where(after, np.array(weight)[hours.hour] * hours.share, 0.0)
        score = run_sum(gained, below) + np.where(_unbroken(below, after), before, 0.0)
        enough = max(factor * ENOUGH, OWN_WORST * worst)
        if (after & (since(below) >= long) & (score >= SLACK * enough)).any():
            return True
    return _beyond(known, hours, after)


def _unbroken(below: Bools, after: Bools) -> Bools:
    """Return which hours after the last look belong to the run that lasted then."""
    return np.asarray(after & ~np.logical_or.accumulate(below & after))


def _beyond(known: LeakNow, hours: Hours, after: Bools) -> bool:
    """Return whether hours lie above all levels that were ever seen: these weigh all that an hour can."""
    over = after & (hours.amount > known.level[-1] * STEP)
    return bool((RARE * over.sum() >= SLACK * ENOUGH) and over.sum() > 1)


def _endless(screen: FlowScreen, tail: Hours) -> float:
    """Return how long the flow has not paused [h], what was before the tail included."""
    runs = endless_runs(tail)
    whole = not runs.reset.any()
    since_us = int(tail.start_us[-1]) + HOUR_US - screen.until_us
    return max(float(runs.length[-1]), screen.endless_h + since_us / HOUR_US if whole else 0.0)


def _bursts(limit: float, tail: Hours) -> bool:
    high = np.where(tail.measured, tail.amount, 0.0) > NEAR * limit
    return bool(np.convolve(high, np.ones(OVER_HOURS)).max(initial=0) >= OVER_HOURS)
