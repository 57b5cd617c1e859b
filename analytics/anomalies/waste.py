"""Energy that nobody asked for: what never rests has risen; free days and holidays are run like workdays."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, by_loss, joined, rounded, still_open
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.trailing import spans, trailing_quantile
from core.calendar import Bools, Longs
from core.readings import Floats

DAY_US: Final = 24 * HOUR_US
WHOLE_DAY_H: Final = 20
LOWEST_H: Final = 3
PAST_DAYS: Final = 56
YEAR_DAYS: Final = 364
SEASON_DAYS: Final = 57
LEAST_DAYS: Final = 21
STEP: Final = 0.2
RUN_DAYS: Final = 7
CLEAR_DAYS: Final = 3
FREE_PAST: Final = 12
FREE_LEAST: Final = 6
FREE_STEP: Final = 0.15
MATTERS: Final = 0.1
RESTS: Final = 0.8
WORKDAYS: Final = 10
HOLIDAYS: Final = 4
LIKE_WORK: Final = 0.95
WEEK_US: Final = 8 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Local days (d,): `total` and mean of the three lowest hours `base`, NaN where not whole; begin, when known.

    `day` counts them since 1970, `free` are days off work; `weekend` Saturdays and Sundays but those around the turn of
    the year, when nothing is as usual.
    """

    day: Longs
    total: Floats
    base: Floats
    free: Bools
    weekend: Bools
    start_us: Longs
    known_us: Longs


def days_of(hours: Hours) -> Days:
    """Return the local days of hours; one with fewer than 20 measured hours is not known. O(n log n)."""
    seen, row, count = hours.measured, hours.row, hours.days
    whole = hours.by_day(seen) >= WHOLE_DAY_H
    total = hours.by_day(np.where(seen, hours.amount, 0.0)) * 24 / np.maximum(hours.by_day(seen), 1)
    order = np.lexsort((np.where(seen, hours.amount, np.inf), row))
    first = np.searchsorted(row[order], np.arange(count))
    place = np.minimum(first[:, None] + np.arange(LOWEST_H), len(row) - 1)
    base = hours.amount[order][place].mean(axis=1)
    known = np.zeros(count, np.int64)
    np.maximum.at(known, row, hours.known_us)
    begin = np.searchsorted(row, np.arange(count))
    day = hours.day[:1].sum() + np.arange(count)
    return Days(
        day=day,
        weekend=((day + 3) % 7 >= 5) & ~hours.off[begin] & ~_turn_of_year(day),  # noqa: PLR2004 - Monday is 0
        total=np.where(whole, total, np.nan),
        base=np.where(whole, base, np.nan),
        free=hours.free[begin],
        start_us=hours.start_us[begin],
        known_us=known,
    )


def _turn_of_year(day: Longs) -> Bools:
    """Return which days lie from 20 December to 6 January."""
    dates = day.astype("datetime64[D]")
    of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return np.asarray(((month == 12) & (of_month >= 20)) | ((month == 1) & (of_month <= 6)))  # noqa: PLR2004 - dates


def base_load(days: Days, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where what never rests stays a fifth (times `factor`) above what it was in the eight weeks before. O(d).

    And above the same season of the year before, where that is known: winters recur. It opens after a week of which
    six days are so, and clears after three days back below half the rise.
    """
    step = 1 + factor * STEP
    limit = base_limits(days.base, step)
    over = np.asarray(days.base > limit, float)
    lasting = np.convolve(over, np.ones(RUN_DAYS))[: len(over)] >= RUN_DAYS - 1
    found: list[Finding] = []
    free = 0
    for at in np.flatnonzero(lasting & (over > 0)):
        if at < free:
            continue
        free = _cleared(days, int(at), float(limit[at]) / step * (1 + step) / 2)
        found.append(_base(days, int(at), free, float(limit[at]) / step, unit))
    return still_open(found, now_us, CLEAR_DAYS * DAY_US)


def base_limits(base: Floats, step: float) -> Floats:
    """Return above what (d,) a base load is a rise: `step` times its last eight weeks, and the season a year ago."""
    usual = trailing_quantile(base, 0.9, PAST_DAYS, RUN_DAYS + 1, LEAST_DAYS)
    season = trailing_quantile(base, 0.9, SEASON_DAYS, YEAR_DAYS - SEASON_DAYS // 2, LEAST_DAYS)
    return np.asarray(np.fmax(usual, season) * step)


def _cleared(days: Days, at: int, below: float) -> int:
    """Return the first of three known days in a row that are below, or behind the last."""
    known = at + np.flatnonzero(np.isfinite(days.base[at:]))
    low = days.base[known] < below
    runs = [int(a) for a, b in spans(low) if b - a >= CLEAR_DAYS]
    return int(known[runs[0]]) if runs else len(days.base)


def _base(days: Days, at: int, end: int, usual: float, unit: str) -> Finding:
    begin = max(at - RUN_DAYS + 1, 0)
    base = float(np.nanmedian(days.base[begin : at + 1]))
    loss = (base - usual) * 24
    return Finding(
        rule=Rule.BASE_LOAD,
        from_us=int(days.start_us[begin]),
        to_us=int(days.start_us[end]) if end < len(days.base) else None,
        raised_us=int(days.known_us[at]),
        severity=by_loss(loss, usual * 24),
        unit=unit,
        loss_per_day=rounded(loss),
        evidence={"base_load": rounded(base), "own_base_load_p90": rounded(usual)},
    )


def _shares(days: Days, off: Bools) -> tuple[Floats, Floats]:
    """Return each day's total as a share of the median of the ten workdays before it, and that median. O(d)."""
    work = np.flatnonzero(~off & ~_turn_of_year(days.day) & np.isfinite(days.total))
    level = np.full(len(days.total), np.nan)
    median = trailing_quantile(np.append(days.total[work], np.nan), 0.5, WORKDAYS, 1, WORKDAYS // 2)
    level[:] = median[np.searchsorted(work, np.arange(len(level)))]
    level[level == 0] = np.nan
    return days.total / level, level


def weekends(days: Days, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return weekends that used more, on both days, than the point's last twelve such days did. O(d).

    By 15 % (times `factor`), measured by the workdays before them, so that season and weather count for both. Only of
    points that rest on weekends; holidays are compared with holidays. It clears with the first such day as usual.
    """
    share, level = _shares(days, days.free)
    free = np.flatnonzero(days.weekend & np.isfinite(share))
    worst, usual = _free_days(share[free])
    over = (share[free] > (1 + factor * FREE_STEP) * worst) & (share[free] - usual > MATTERS) & (usual <= RESTS)
    runs = [(a, b) for a, b in spans(np.asarray(over, bool)) if b - a >= 2 and free[a + 1] - free[a] == 1]  # noqa: PLR2004 - a weekend
    found = [_weekend(days, free[a:b], (float(usual[a]), float(level[free[a]])), unit) for a, b in runs]
    return still_open(joined(found, WEEK_US), now_us, WEEK_US)


def _free_days(share: Floats) -> tuple[Floats, Floats]:
    """Return the largest and the median of the last twelve free days before each (k,)."""
    return (
        trailing_quantile(share, 1.0, FREE_PAST, 2, FREE_LEAST),
        trailing_quantile(share, 0.5, FREE_PAST, 2, FREE_LEAST),
    )


def weekends_now(days: Days) -> tuple[float, float]:
    """Return the largest share of the workdays that free days lately used, and the workdays' use; NaN: not known."""
    share, level = _shares(days, days.free)
    free = np.flatnonzero(days.weekend & np.isfinite(share))
    worst, _ = _free_days(np.append(share[free], np.nan))
    return float(worst[-1]), float(level[-1]) if len(level) else np.nan


def _weekend(days: Days, which: Longs, learnt: tuple[float, float], unit: str) -> Finding:
    usual, level = learnt
    total = float(np.mean(days.total[which]))
    loss = total - usual * level
    behind = int(which[-1]) + 1
    return Finding(
        rule=Rule.WEEKEND,
        from_us=int(days.start_us[which[0]]),
        to_us=int(days.start_us[behind]) if behind < len(days.total) else None,
        raised_us=int(days.known_us[which[1]]),
        severity=by_loss(loss, level),
        unit=unit,
        loss_per_day=rounded(loss),
        evidence={"free_day": rounded(total), "own_free_days": rounded(usual * level), "workday": rounded(level)},
    )


def holidays(days: Days, holiday: Bools, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return public holidays (d flags) run like a workday, on a point whose last holidays rested. O(d).

    From 95 % of a workday (times `factor`). A holiday on a weekend counts as weekend. Where a point works on
    holidays it is not told of: it always did.
    """
    share, level = _shares(days, days.free | holiday)
    weekday = (days.day + 3) % 7 < 5  # noqa: PLR2004 - Monday is 0
    which = np.flatnonzero(holiday & weekday & np.isfinite(share))
    worst = trailing_quantile(share[which], 1.0, HOLIDAYS * 3, 1, HOLIDAYS)
    like_work = (share[which] >= LIKE_WORK * factor) & (worst <= RESTS)
    found = [
        _weekend_like(days, int(day), float(worst[i] * level[day]), float(level[day]), unit)
        for i, day in enumerate(which)
        if like_work[i]
    ]
    return still_open(found, now_us, 0)


def _weekend_like(days: Days, day: int, usual: float, level: float, unit: str) -> Finding:
    loss = float(days.total[day]) - usual
    return Finding(
        rule=Rule.HOLIDAY,
        from_us=int(days.start_us[day]),
        to_us=int(days.start_us[day]) + DAY_US,
        raised_us=int(days.known_us[day]),
        severity=by_loss(loss, level),
        unit=unit,
        loss_per_day=rounded(loss),
        evidence={
            "holiday": rounded(float(days.total[day])),
            "own_holidays_at_most": rounded(usual),
            "workday": rounded(level),
        },
    )
