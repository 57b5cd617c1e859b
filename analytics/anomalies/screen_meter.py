"""Whether readings that came since could show a new fault of a meter: a cheap look that misses none.

What it lets pass is looked at by the detectors themselves. Thresholds are taken a little lower (SLACK), for what was
learnt is up to a day old.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from analytics.anomalies.capacity import QUARTER_US, quarter_means
from analytics.anomalies.dials import RUN_BACK
from analytics.anomalies.every import LEAST_OFF_US, MAY_BE_OFF, REPEATS, warm_months
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US
from analytics.anomalies.point import Seen, Watched, steps
from analytics.anomalies.silence import Rhythm, rhythm_now
from analytics.anomalies.still import LEAST_RUN, LEAST_US, Standing, Steps, rested, standing_now
from analytics.anomalies.trailing import run_sum, since
from analytics.anomalies.tuning import Tuning
from analytics.anomalies.values import SPIKE, Top, top_now
from analytics.baseline.cleaning import Commodity
from core.calendar import Bools
from core.readings import Floats

SLACK: Final = 0.8
NEAR: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterScreen:
    """What readings after an instant are looked at by: the last reading, the rhythm, runs, falls, the top.

    `falls` are those of a dial (or amounts below zero) since it last rose; `stuck` and `zeroed` what their runs are
    judged by, None where they are not looked for; `calm` where the point may be off; `least_us` the shortest run.
    """

    last_us: int
    last_value: float
    rhythm: Rhythm | None
    falls: int
    stuck: Standing | None
    zeroed: Standing | None
    calm: bool
    least_us: int
    top: Top | None


def meter_screen(seen: Seen, commodity: Commodity, found: list[Finding], tuning: Tuning) -> MeterScreen:
    """Return what the next readings are looked at by; what was `found` is not learnt from. O(n)."""
    watched, mine = seen.watched, seen.steps
    rests = bool(len(mine)) and commodity in MAY_BE_OFF and bool(rested(mine, mine.counted == 0)[-1])
    change = np.diff(watched.value) if watched.dial else watched.value
    stuck, zeroed = _standings(seen, found, tuning) if len(mine) else (None, None)
    return MeterScreen(
        last_us=int(watched.at_us[-1]),
        last_value=float(watched.value[-1]),
        rhythm=rhythm_now(watched.at_us),
        falls=_falls(change, watched.dial, 0),
        stuck=stuck,
        zeroed=zeroed,
        calm=rests and bool(warm_months(mine)[-1]),
        least_us=LEAST_OFF_US if rests else LEAST_US,
        top=None if watched.dial or not len(mine) else top_now(mine),
    )


def _standings(seen: Seen, found: list[Finding], tuning: Tuning) -> tuple[Standing | None, Standing | None]:
    mine, stuck = seen.steps, _told(seen.steps, found, Rule.STUCK)
    surer = tuning.of(Rule.STUCK) * (1.0 if seen.watched.dial else REPEATS)
    dial = seen.watched.dial
    told = standing_now(mine, _stands(seen.watched, mine), stuck, surer=surer, singly=not dial)
    if dial:
        return told, None
    zeros = _told(mine, found, Rule.ZEROED)
    return told, standing_now(mine, mine.counted == 0, zeros, surer=tuning.of(Rule.ZEROED))


def _stands(watched: Watched, mine: Steps) -> Bools:
    value = watched.value
    if watched.dial:
        return np.asarray((mine.counted == 0) & (value[1:] != 0))
    return np.concatenate([[False], value[1:] == value[:-1]]) & (value > 0)


def _told(mine: Steps, found: list[Finding], rule: Rule) -> Bools:
    told = np.zeros(len(mine), bool)
    for one in found:
        if one.rule is rule:
            told |= (mine.at_us > one.from_us) & (mine.at_us <= (one.to_us or mine.at_us[-1]))
    return told


def _falls(change: Floats, dial: bool, before: int) -> int:  # noqa: FBT001 - what the changes are of
    """Return how many falls (amounts below zero) there are since the last rise."""
    rises = np.flatnonzero(change > 0) if dial else np.flatnonzero(change >= 0)
    recent = change[rises[-1] + 1 :] if len(rises) else change
    return int((recent < 0).sum()) + (before if not len(rises) else 0)


def meter_could(screen: MeterScreen, tail: Watched, now_us: int, tuning: Tuning) -> frozenset[Rule]:
    """Return the rules of a meter that readings since the last look (n) could newly show. O(n)."""
    could: set[Rule] = _silent(screen, tail, now_us, tuning)
    if not len(tail.at_us):
        return frozenset(could)
    change = np.diff(tail.value, prepend=screen.last_value) if tail.dial else tail.value
    if (change < 0).any() and _most_falls(change, screen.falls, tail.dial) >= ceil(RUN_BACK * tuning.of(Rule.REVERSED)):
        could.add(Rule.REVERSED)
    mine = steps_since(screen, tail)
    for rule, standing, event in (
        (Rule.STUCK, screen.stuck, _event(screen, tail, mine)),
        (Rule.ZEROED, screen.zeroed, mine.counted == 0),
    ):
        if standing is not None and not screen.calm and _stands_long(standing, mine, event, screen.least_us):
            could.add(rule)
    return frozenset(could | _topped(screen.top, tail.value, tuning))


def _silent(screen: MeterScreen, tail: Watched, now_us: int, tuning: Tuning) -> set[Rule]:
    if screen.rhythm is None:
        return set()
    edges = np.concatenate([[screen.last_us], tail.at_us, [now_us]])
    apart, limit = np.diff(edges), NEAR * screen.rhythm.limit_us
    could = {Rule.DEAD} if apart[-1] > limit * tuning.of(Rule.DEAD) else set()
    return could | ({Rule.GAP} if (apart[:-1] > limit * tuning.of(Rule.GAP)).any() else set())


def _most_falls(change: Floats, before: int, dial: bool) -> int:  # noqa: FBT001 - what the changes are of
    """Return the most falls without a rise between, those before included."""
    rises = (change > 0) if dial else (change >= 0)
    count = run_sum((change < 0).astype(float), rises)
    first = np.logical_or.accumulate(rises)
    return int((count + np.where(first, 0, before)).max())


def steps_since(screen: MeterScreen, tail: Watched) -> Steps:
    """Return the steps of readings after the last one that was looked at."""
    if not tail.dial:
        return steps(tail)
    joined = Watched(
        at_us=np.concatenate([[screen.last_us], tail.at_us]),
        value=np.concatenate([[screen.last_value], tail.value]),
        dial=True,
        unit=tail.unit,
        zone=tail.zone,
        off=tail.off,
    )
    return steps(joined)


def _event(screen: MeterScreen, tail: Watched, mine: Steps) -> Bools:
    if tail.dial:
        return np.asarray((mine.counted == 0) & (tail.value != 0))
    return np.asarray((np.diff(tail.value, prepend=screen.last_value) == 0) & (tail.value > 0))


def _stands_long(standing: Standing, mine: Steps, event: Bools, least_us: int) -> bool:
    """Return whether a run of the event could be enough, one that began before included."""
    if not event.any():
        return False
    weight = np.array(standing.weight)[mine.free * 24 + mine.hour]
    whole = 1.0 if standing.whole else np.minimum(mine.length_us / HOUR_US, 1.0)
    carried = np.logical_and.accumulate(event)
    score = run_sum(np.where(event, weight * whole, 0.0), ~event) + np.where(carried, standing.score, 0.0)
    length = since(~event) + np.where(carried, standing.steps, 0)
    first = np.clip(np.arange(len(mine)) - since(~event) + 1, 0, len(mine) - 1)
    begin = mine.at_us[first] - mine.length_us[first]
    begin = np.where(carried & (standing.since_us > 0), standing.since_us, begin)
    long = (mine.at_us - begin >= NEAR * least_us) & (length >= LEAST_RUN)
    return bool((event & long & (score >= SLACK * standing.enough)).any())


def _topped(top: Top | None, value: Floats, tuning: Tuning) -> set[Rule]:
    if top is None:
        return set()
    could = set()
    if top.third_peak > 0 and (value > NEAR * SPIKE * tuning.of(Rule.SPIKE) * top.third_peak).any():
        could.add(Rule.SPIKE)
    high = value >= top.highest * (1 - 1e-9)
    if (high[1:] & (value[1:] == value[:-1])).any() or (high & (value == top.highest)).any():
        could.add(Rule.CLIPPED)
    return could


def capacity_could(tail: Steps, reserved_kw: Floats, factor: float) -> bool:
    """Return whether quarter-hours of steps are above what is reserved at each, or nearly so. O(n)."""
    if not len(tail):
        return False
    start, power = quarter_means(tail.at_us, tail.counted, tail.length_us)
    of_quarter = reserved_kw[np.minimum(np.searchsorted(tail.at_us, start + QUARTER_US), len(tail) - 1)]
    return bool((power > NEAR * factor * of_quarter).any())
