"""Water that flows when it never did: the step of the night flow, and flow without a pause.

A leak is a flow below which no hour falls any more. For levels of flow from the last digit upwards the hours since the
flow last fell below the level are counted; each quiet hour among them weighs as much as it is rare in the point's own
60 days before at that hour of the day (minus the logarithm of its frequency). A point that flows all nights so never
alarms for that alone: those hours weigh nothing.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, by_loss, joined, rounded, still_open
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.trailing import run_sum, since, trailing_max, trailing_quantile, trailing_sum
from core.calendar import Bools, Longs
from core.readings import Floats

PAST_DAYS: Final = 60
REACH_DAYS: Final = 300
"""How far back the point's own worst run is looked for."""
LAG_DAYS: Final = 2
LEAST_DAYS: Final = 10
LEAST_FLOW: Final = 0.001  # m³/h: below a litre an hour no meter of a building tells a leak from a tap
STEP: Final = 1.4
QUIET_HOURS: Final = 8
RARE: Final = 4.0  # the most that an hour weighs: hours of one night are not independent
ENOUGH: Final = 10.0  # three hours that never were so, or a night of rare ones
OWN_WORST: Final = 1.2
LEAST_RUN_H: Final = 8
CLEARED: Final = 0.5
COARSE: Final = ((0.0015, 1), (0.015, 3), (np.inf, 6))
"""Worth of the last digit [m³] up to which so many hours together are looked at: a dial of 10 or 100 litres shows a
small leak as a step now and then, and nothing in most hours."""
NIGHT_END: Final = 6
ABOVE_NIGHTS: Final = 1.2
"""A level must stand out from the point's own nights: above so many times their 95th percentile."""
USED: Final = 0.25
PAUSE_US: Final = 24 * HOUR_US
FLOW_FREE_SHARE: Final = 0.8
NEVER_ZERO_H: Final = 48.0
NEVER_WORST: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What is learnt for a scan: observations, of used days alone where there are enough; by day quiet hours, counts.

    `nights` is the 95th percentile of the smallest hourly flows of the 60 nights before, by day.
    """

    seen: Bools
    used: Bools
    few: Bools
    quiet: Bools
    count: Floats
    nights: Floats


def _smoothed(table: Floats) -> Floats:
    """Return a table (days, 24) as means with the neighbouring hours: clocks change, people are not punctual."""
    return (table + np.roll(table, 1, axis=1) + np.roll(table, -1, axis=1)) / 3


def _learnt(table: Floats) -> Floats:
    return trailing_sum(_smoothed(table), PAST_DAYS, LAG_DAYS)


def _past(hours: Hours, masked: Bools) -> _Past:
    seen = hours.measured & ~masked
    count = hours.by_day(seen)
    total = hours.by_day(np.where(seen, hours.amount, 0.0))
    long = trailing_sum(np.stack([total, count]).T, 2 * PAST_DAYS, 1)
    mean = long[:, 0] / np.maximum(long[:, 1], 1)
    in_use = total / np.maximum(count, 1) >= USED * mean
    few = trailing_sum((in_use & (count > 12)).astype(float), PAST_DAYS, LAG_DAYS) < LEAST_DAYS  # noqa: PLR2004 - half a day
    used = seen & in_use[hours.row]
    flow = _learnt(hours.table(np.where(seen, hours.amount, 0.0)))
    usual = flow / np.maximum(_learnt(hours.table(seen)), 1)
    quiet = _quietest(usual)
    counted = _counted(hours, seen, used, few)
    nights = _nights(hours, seen & (hours.hour < NIGHT_END))
    return _Past(seen=seen, used=used, few=few, quiet=quiet, count=counted, nights=nights)


def _quietest(usual: Floats) -> Bools:
    """Return the quiet hours of each day (d, 24): those of least flow; of equal ones those nearest to half past two."""
    night = np.abs((np.arange(24) + 9.5) % 24 - 12)
    order = np.lexsort((np.broadcast_to(night, usual.shape), usual), axis=1)
    return np.asarray(np.argsort(order, axis=1) < QUIET_HOURS)


def _nights(hours: Hours, chosen: Bools) -> Floats:
    least = np.full(hours.days, np.inf)
    np.minimum.at(least, hours.row[chosen], hours.amount[chosen])
    known = np.where(np.isfinite(least), least, np.nan)
    return np.nan_to_num(trailing_quantile(known, 0.95, PAST_DAYS, LAG_DAYS, LEAST_DAYS))


def _counted(hours: Hours, seen: Bools, used: Bools, few: Bools) -> Floats:
    """Return observations by day and hour: of used days, of all days where used ones are few."""
    return np.where(few[:, None], _learnt(hours.table(seen)), _learnt(hours.table(used)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """Score and length [hours] of the run above each level at each hour (levels, n), and each day's largest score.

    On the last day: `weight` of an hour by level and local hour (levels, 24), and the flow that levels must exceed.
    """

    score: Floats
    length: Longs
    daily: Floats
    weight: Floats
    least: float


def together(hours: Hours) -> int:
    """Return how many hours are looked at together, by the worth of the last digit."""
    return next(count for most, count in COARSE if hours.quantum <= most)


def smoothed(hours: Hours) -> Hours:
    """Return the hours with the mean flow of the last few, where the dial is too coarse for single ones."""
    count = together(hours)
    padded = np.concatenate([np.full(count - 1, np.nan), hours.amount])
    return replace(hours, amount=np.lib.stride_tricks.sliding_window_view(padded, count).mean(axis=1))


def levels(hours: Hours) -> Floats:
    """Return levels of flow from the last digit (at least a litre an hour) up to the largest."""
    least = max(hours.quantum / together(hours), LEAST_FLOW)
    top = float(np.nan_to_num(hours.amount).max(initial=least))
    return np.asarray(least * STEP ** np.arange(int(np.log(max(top / least, 1.0)) / np.log(STEP)) + 1))


def _runs(hours: Hours, masked: Bools, level: Floats) -> _Runs:
    past = _past(hours, masked)
    score = np.empty((len(level), len(hours)))
    length = np.empty((len(level), len(hours)), np.int64)
    enough = past.quiet & (past.count >= LEAST_DAYS)
    weigh = np.where(enough[hours.row, hours.hour] & ~masked, hours.share, 0.0) / np.sqrt(together(hours))
    weight = np.zeros((len(level), 24))
    least = ABOVE_NIGHTS * past.nights[hours.row]
    known = np.isfinite(hours.amount)
    for i, flow in enumerate(level):
        above = known & (hours.amount >= flow)
        often = (_counted(hours, past.seen & above, past.used & above, past.few) + 0.5) / (past.count + 1)
        rare = np.clip(-np.log(often), 0.0, RARE)
        reset = (known & ~above) | masked
        score[i], length[i] = run_sum(rare[hours.row, hours.hour] * weigh, reset) * (flow > least), since(reset)
        weight[i] = np.where(enough[-1], rare[-1], 0.0) / np.sqrt(together(hours))
    daily = np.zeros((hours.days, len(level)))
    np.maximum.at(daily, (hours.row,), score.T)
    return _Runs(score=score, length=length, daily=daily, weight=weight, least=ABOVE_NIGHTS * float(past.nights[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakNow:
    """What a run of flow is judged by now, by level [m³/h]: what an hour weighs by local hour, the own worst score.

    `score` is that of the run which lasts; levels up to `least` do not stand out from the own nights.
    """

    level: tuple[float, ...]
    weight: tuple[tuple[float, ...], ...]
    worst: tuple[float, ...]
    score: tuple[float, ...]
    least: float


def leak_now(hours: Hours, told: Bools) -> LeakNow:
    """Return what the next hours are judged by; hours that were `told` are not learnt from. O(n x levels)."""
    hours = smoothed(hours)
    level = levels(hours)
    runs = _runs(hours, told, level)
    worst = trailing_max(runs.daily, REACH_DAYS, LAG_DAYS)[-1]
    return LeakNow(
        level=tuple(level.tolist()),
        weight=tuple(tuple(row) for row in runs.weight.tolist()),
        worst=tuple(worst.tolist()),
        score=tuple(runs.score[:, -1].tolist()),
        least=runs.least,
    )


def leaks(hours: Hours, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return the leaks of a water point [m³]; O(hours x levels) for each leak found.

    Opens where the run above a level outweighs both ENOUGH (times `factor`) and the point's own worst run of 300 days;
    clears where an hour falls below half the level and it does not return for a day.
    """
    if not hours.measured.any():
        return []
    hours = smoothed(hours)
    level, masked, start, found = levels(hours), np.zeros(len(hours), bool), 0, []
    runs = _runs(hours, masked, level)
    while (hit := _first(hours, runs, start, factor * ENOUGH)) is not None:
        at, which = hit
        begin = at - int(runs.length[which, at]) + 1
        below = np.flatnonzero(hours.amount[at:] < CLEARED * level[which])
        end = at + int(below[0]) if len(below) else len(hours)
        masked[begin:end] = True
        stands_out = float(level[which]), float(runs.score[which, at])
        found.append(_leak(hours, (begin, at, end), stands_out, masked))
        if end >= len(hours):
            break
        runs, start = _again(hours, masked, level, runs, begin), end
    return still_open(joined(found, PAUSE_US), now_us, PAUSE_US)


def _first(hours: Hours, runs: _Runs, start: int, enough: float) -> tuple[int, int] | None:
    """Return the first hour from `start` at which a run is enough, and the highest level at which it is."""
    worst = trailing_max(runs.daily, REACH_DAYS, LAG_DAYS)[hours.row].T
    fires = (runs.score >= np.maximum(enough, OWN_WORST * worst)) & (runs.length >= LEAST_RUN_H + together(hours) - 1)
    fires[:, :start] = False
    where = np.flatnonzero(fires.any(axis=0))
    return (int(where[0]), int(np.flatnonzero(fires[:, where[0]])[-1])) if len(where) else None


def _again(hours: Hours, masked: Bools, level: Floats, runs: _Runs, begin: int) -> _Runs:
    """Return the runs with a leak masked: only what comes after its begin can change."""
    lead = max(0, int(np.searchsorted(hours.row, hours.row[begin] - 3 * PAST_DAYS)))
    part = _runs(hours.since(lead), masked[lead:], level)
    keep = begin - lead
    score = np.concatenate([runs.score[:, :begin], part.score[:, keep:]], axis=1)
    length = np.concatenate([runs.length[:, :begin], part.length[:, keep:]], axis=1)
    daily = np.zeros_like(runs.daily)
    np.maximum.at(daily, (hours.row,), score.T)
    return _Runs(score=score, length=length, daily=daily, weight=part.weight, least=part.least)


def _leak(hours: Hours, span: tuple[int, int, int], stands_out: tuple[float, float], masked: Bools) -> Finding:
    begin, at, end = span
    level, score = stands_out
    within = hours.amount[begin:end]
    flow = float(np.nanquantile(within, 0.1))
    before = _floor(hours, begin, masked)
    usual = float(np.nanmean(hours.amount[max(0, begin - PAST_DAYS * 24) : begin])) * 24 if begin else 0.0
    loss = max(flow - before["median"], level / STEP) * 24
    evidence = {
        "night_flow": rounded(flow),
        "own_nights_median": rounded(before["median"]),
        "own_nights_p95": rounded(before["p95"]),
        "level": rounded(level),
        "score": rounded(score, 2),
        "hours": at - begin + 1,
    }
    return Finding(
        rule=Rule.LEAK,
        from_us=int(hours.start_us[begin]),
        to_us=int(hours.start_us[end]) if end < len(hours) else None,
        raised_us=int(hours.known_us[at]),
        severity=by_loss(loss, usual),
        unit="m³",
        loss_per_day=rounded(loss),
        evidence=evidence,
    )


def _floor(hours: Hours, begin: int, masked: Bools) -> dict[str, float]:
    """Return median and 95th percentile of the smallest hourly flow of the 60 nights (0 to 6 h) before."""
    first = int(np.searchsorted(hours.row, hours.row[begin] - PAST_DAYS))
    chosen = np.arange(first, begin)
    chosen = chosen[hours.measured[chosen] & ~masked[chosen] & (hours.hour[chosen] < NIGHT_END)]
    if not len(chosen):
        return {"median": 0.0, "p95": 0.0}
    day, place = np.unique(hours.row[chosen], return_inverse=True)
    least = np.full(len(day), np.inf)
    np.minimum.at(least, place, hours.amount[chosen])
    return {"median": float(np.median(least)), "p95": float(np.quantile(least, 0.95))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """By hour: whether it ends a run of flow, how long [h] the run has lasted, the worst before, if days had pauses."""

    reset: Bools
    length: Floats
    worst: Floats
    had: Bools


def endless_runs(hours: Hours) -> Endless:
    """Return the runs of flow without a pause. O(n)."""
    flows = hours.amount >= max(hours.quantum, LEAST_FLOW) / 2
    free = hours.measured & ~flows
    seen_days = hours.by_day(hours.measured) >= 20  # noqa: PLR2004 - hours without which a day tells nothing
    free_day = (hours.by_day(free) > 0) & seen_days
    counts = trailing_sum(np.stack([free_day, seen_days]).T.astype(float), PAST_DAYS, 4)
    had = (counts[:, 0] >= FLOW_FREE_SHARE * counts[:, 1]) & (counts[:, 1] >= 2 * LEAST_DAYS)
    reset = ~flows & np.isfinite(hours.amount)
    length = run_sum(np.where(np.isfinite(hours.amount), np.maximum(hours.share, 0.25), 0.0), reset)
    daily = np.zeros(hours.days)
    np.maximum.at(daily, hours.row, length)
    worst = trailing_max(daily, REACH_DAYS, 4)
    return Endless(reset=reset, length=length, worst=worst[hours.row], had=had[hours.row])


def never_zero(hours: Hours, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where a point whose days had flow-free hours has had none for two days, or longer than ever. O(n).

    `factor` multiplies the two days.
    """
    runs = endless_runs(hours)
    reset, length = runs.reset, runs.length
    fires = (length >= np.maximum(factor * NEVER_ZERO_H, NEVER_WORST * runs.worst)) & runs.had
    found, start = [], 0
    while len(where := np.flatnonzero(fires[start:])):
        at = start + int(where[0])
        below = np.flatnonzero(reset[at:])
        end = at + int(below[0]) if len(below) else len(hours)
        found.append(_endless(hours, at - int(since(reset)[at]) + 1, at, end))
        start = end
    return still_open(joined(found, PAUSE_US), now_us, PAUSE_US)


def _endless(hours: Hours, begin: int, at: int, end: int) -> Finding:
    flow = float(np.nanmin(hours.amount[begin:end]))
    usual = float(np.nanmean(hours.amount[max(0, begin - PAST_DAYS * 24) : begin])) * 24 if begin else 0.0
    return Finding(
        rule=Rule.NEVER_ZERO,
        from_us=int(hours.start_us[begin]),
        to_us=int(hours.start_us[end]) if end < len(hours) else None,
        raised_us=int(hours.known_us[at]),
        severity=by_loss(24 * flow, usual),
        unit="m³",
        loss_per_day=rounded(24 * flow),
        evidence={"least_flow": rounded(flow), "hours_without_pause": at - begin + 1},
    )
