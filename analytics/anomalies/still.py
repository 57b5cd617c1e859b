"""A dial that stands still, zeros, or one value again and again, where the point never did so before.

Each step of a run weighs as much as such a step is rare in the point's own 60 days before, at that hour of a workday
or a free day. A point that rests at night or on Sundays is not stuck then; one that never rests is after two steps.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, rounded
from analytics.anomalies.hours import HOUR_US
from analytics.anomalies.trailing import run_sum, since, trailing_max, trailing_sum
from core.calendar import Bools, Longs
from core.readings import Floats

PAST_DAYS: Final = 60
REACH_DAYS: Final = 300
LEAST_SEEN: Final = 15
YEAR_DAYS: Final = 365
YEAR_SEEN: Final = 300
LEAST_STEPS: Final = 200
NEVER_RESTS: Final = 0.002
ENOUGH: Final = 12.0
"""Two steps of a point that never rests; of one that rests some hours in which it never did."""
OWN_WORST: Final = 1.5
OFTEN: Final = 3
LEAST_US: Final = HOUR_US
LEAST_RUN: Final = 2
HOURS_NEAR: Final = 3
"""An hour and its neighbours, over which an event is counted."""
LONG_US: Final = 24 * HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps of a series (n,), each ending at `at_us` after `length_us`, with what was `counted` in it.

    `day` and `hour` are local at the step's begin, `free` days off work.
    """

    at_us: Longs
    length_us: Longs
    counted: Floats
    day: Longs
    hour: Longs
    free: Bools

    def __len__(self) -> int:
        return len(self.at_us)

    @property
    def row(self) -> Longs:
        """The number of each step's day, from 0."""
        return np.asarray(self.day - self.day[:1].sum())

    def chosen(self, which: Bools) -> "Steps":
        """Return some of the steps."""
        names = ("at_us", "length_us", "counted", "day", "hour", "free")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learnt:
    """Of each step: how often steps of its class, an hour sooner or later too, were so; how often all; of how many."""

    so: Floats
    seen: Floats
    so_overall: Floats
    seen_overall: Floats


def _learnt(steps: Steps, event: Bools, told: Bools, ref: Longs, *, of: Steps | None = None) -> _Learnt:
    """Return counts of the 60 days before each step's day of reference, workdays and free days apart. O(n + days).

    Of the steps themselves, or of others (`of`), each on the last day.

    The reference is the day on which the step's run began: a run is not learnt from while it lasts, nor
    when it was told.
    """
    row, days = steps.row, int(steps.row[-1]) + 1
    cell = (row * 2 + steps.free) * 24 + steps.hour
    size = days * 48
    tables = [np.asarray(np.bincount(cell, w, size).reshape(days, 48), float) for w in (event & ~told, ~told)]
    so, seen = (trailing_sum(table, PAST_DAYS, 1) for table in tables)
    kinds = so.reshape(days, 2, 24)
    near = (kinds + np.roll(kinds, 1, axis=2) + np.roll(kinds, -1, axis=2)).reshape(days, 48)
    asked = steps if of is None else of
    place, ref = asked.free * 24 + asked.hour, ref if of is None else np.full(len(of), days - 1)
    return _Learnt(
        so=near[ref, place], seen=seen[ref, place], so_overall=so.sum(axis=1)[ref], seen_overall=seen.sum(axis=1)[ref]
    )


def _weights(learnt: _Learnt, length_us: Longs, *, singly: bool) -> tuple[Floats, Bools]:
    """Return what each step weighs, and whether it is of a point that never rests: then steps count whole.

    `singly` is for events that come one by one and not in runs, such as a value that repeats on coarse digits: each
    step weighs as much as it is rare at that hour.
    """
    share = learnt.so_overall / np.maximum(learnt.seen_overall, 1)
    restless = (share < NEVER_RESTS) & (learnt.seen_overall >= LEAST_STEPS)
    overall = -np.log((learnt.so_overall + 0.5) / (learnt.seen_overall + 1))
    never = (learnt.so == 0) & (learnt.seen >= LEAST_SEEN)
    hours = np.minimum(length_us / HOUR_US, 1.0)  # the quarters of an hour are no four witnesses
    own = np.where(never, np.log(2 * (learnt.seen + 1)) * hours, 0.0)
    if singly:
        own = np.maximum(own, -np.log((learnt.so + 0.5) / (HOURS_NEAR * learnt.seen + 1)))
    known = learnt.seen_overall >= LEAST_STEPS
    return np.where(known, np.where(restless, overall, own), 0.0), restless


def standing(
    steps: Steps,
    event: Bools,
    rule: Rule,
    unit: str,
    *,
    may_rest: Bools | None = None,
    least_us: int | Longs = LEAST_US,
    surer: float = 1.0,
    singly: bool = False,
) -> list[Finding]:
    """Return the runs of an event (dial did not move, value is zero, value repeats) that the point never had.

    O(n) for each that is found.
    `may_rest` tells the steps at which the point may be off for a reason (heating out of season): they weigh nothing.
    `least_us` is the shortest run that is told, `surer` multiplies what is enough; `singly` is as
    of `_weights`. A step without the event ends it.
    """
    if not len(steps):
        return []
    runs = _Runs(steps=steps, event=event, length=since(~event), singly=singly)
    told, found, start = np.zeros(len(steps), bool), [], 0
    calm = np.zeros(len(steps), bool) if may_rest is None else may_rest
    fires, score = _fires(runs, told, calm, surer)
    while len(where := np.flatnonzero((fires & (runs.lasted >= least_us))[start:])):
        at = start + int(where[0])
        found.append(_stand(steps, event, runs.length, at, rule=rule, unit=unit, score=float(score[at])))
        start = at + int(np.argmin(event[at:])) if not event[at:].all() else len(steps)
        if _told_seldom(found):
            told[runs.first[at] : start] = True
            fires, score = _fires(runs, told, calm, surer)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """The runs of an event: at each step how many steps it has lasted (0: it does not hold)."""

    steps: Steps
    event: Bools
    length: Longs
    singly: bool = False

    @property
    def first(self) -> Longs:
        """The place of the first step of each step's run."""
        return _first(self.length)

    @property
    def lasted(self) -> Longs:
        """How long each step's run has lasted [µs]."""
        return np.asarray(self.steps.at_us - self.steps.at_us[self.first] + self.steps.length_us[self.first])


def _fires(runs: _Runs, told: Bools, calm: Bools, surer: float) -> tuple[Bools, Floats]:
    """Return at which steps a run is enough, and its score; `told` runs are not learnt from, `calm` steps weigh 0."""
    steps, event, first = runs.steps, runs.event, runs.first
    learnt = _learnt(steps, event, told, steps.row[first])
    weight, _ = _weights(learnt, steps.length_us, singly=runs.singly)
    score = run_sum(np.where(event & ~calm, weight, 0.0), ~event)
    daily = np.zeros(int(steps.row[-1]) + 1)
    np.maximum.at(daily, steps.row, np.where(told, 0.0, score))
    worst = trailing_max(daily, REACH_DAYS, 1)[steps.row[first]]
    high = score >= np.maximum(surer * ENOUGH, OWN_WORST * worst)
    return np.asarray(event & high & (runs.length >= LEAST_RUN)), score


def _told_seldom(found: list[Finding]) -> bool:
    """Return whether the last finding is not the third in 60 days: by then it is the point's way, and is learnt."""
    recent = [one for one in found if one.from_us > found[-1].from_us - PAST_DAYS * LONG_US]
    return len(recent) < OFTEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a run of an event is judged by now, and the run that lasts.

    `weight` by free day and hour (48) of steps of an hour and more, `whole` whether a step counts whole however short;
    `enough` is what the sum must reach. The run: its `steps`, their `score`, and its begin [µs] (0: none).
    """

    weight: tuple[float, ...]
    whole: bool
    enough: float
    steps: int
    score: float
    since_us: int


def standing_now(steps: Steps, event: Bools, told: Bools, *, surer: float = 1.0, singly: bool = False) -> Standing:
    """Return what the event is judged by after the last step; steps that were `told` are not learnt from. O(n)."""
    runs = _Runs(steps=steps, event=event, length=since(~event), singly=singly)
    _, score = _fires(runs, told, np.zeros(len(steps), bool), surer)
    place = np.arange(48)
    probe = Steps(
        at_us=np.full(48, steps.at_us[-1]),
        length_us=np.full(48, HOUR_US),
        counted=np.zeros(48),
        day=np.full(48, steps.day[-1]),
        hour=place % 24,
        free=place >= 24,  # noqa: PLR2004 - hours of workdays stand first
    )
    learnt = _learnt(steps, event, told, np.full(len(steps), steps.row[-1]), of=probe)
    weight, restless = _weights(learnt, probe.length_us, singly=singly)
    daily = np.zeros(int(steps.row[-1]) + 1)
    np.maximum.at(daily, steps.row, np.where(told, 0.0, score))
    worst = float(trailing_max(daily, REACH_DAYS, 1)[-1])
    running = bool(event[-1])
    first = int(runs.first[-1])
    return Standing(
        weight=tuple(weight.tolist()),
        whole=bool(restless[0]) or singly,
        enough=max(surer * ENOUGH, OWN_WORST * worst),
        steps=int(runs.length[-1]) if running else 0,
        score=float(score[-1]) if running else 0.0,
        since_us=int(steps.at_us[first] - steps.length_us[first]) if running else 0,
    )


def rested(steps: Steps, event: Bools) -> Bools:
    """Return at which steps the point may rest for long: it did in the year before, or a year is not known. O(n)."""
    days = int(steps.row[-1]) + 1 if len(steps) else 0
    counts = np.stack([np.bincount(steps.row, w, days) for w in (event.astype(float), np.ones(len(steps)))], axis=1)
    past = trailing_sum(np.concatenate([counts, np.sign(counts[:, 1:])], axis=1), YEAR_DAYS, 1)
    may = (past[:, 0] > NEVER_RESTS * past[:, 1]) | (past[:, 2] < YEAR_SEEN)
    return np.asarray(may[steps.row])


def _first(length: Longs) -> Longs:
    """Return the place of the first step of each step's run."""
    return np.asarray(np.clip(np.arange(len(length)) - length + 1, 0, len(length) - 1))


def _stand(steps: Steps, event: Bools, length: Longs, at: int, *, rule: Rule, unit: str, score: float) -> Finding:
    first = int(_first(length)[at])
    begin = int(steps.at_us[first] - steps.length_us[first])
    after = np.flatnonzero(~event[at:])
    end = int(steps.at_us[at + after[0]] - steps.length_us[at + after[0]]) if len(after) else None
    lasted = (int(steps.at_us[-1]) if end is None else end) - begin
    before = steps.counted[max(0, at - 1000) : at]
    return Finding(
        rule=rule,
        from_us=begin,
        to_us=end,
        raised_us=int(steps.at_us[at]),
        severity=Severity.MEDIUM if end is None or lasted > LONG_US else Severity.LOW,
        unit=unit,
        evidence={
            "value": rounded(float(steps.counted[at])),
            "steps": int(length[at]),
            "lasted_h": rounded(lasted / HOUR_US, 2),
            "usual_step": rounded(float(np.median(before)) if len(before) else None),
            "score": rounded(score, 2),
        },
    )
