"""Consumption against what was to be expected: of the baseline, of the weather, of the sun."""

from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, by_loss, joined, rounded, still_open
from analytics.anomalies.hours import HOUR_US
from analytics.anomalies.trailing import spans, trailing_max, trailing_quantile
from analytics.anomalies.waste import Days
from core.calendar import Bools, Longs
from core.readings import Floats

DAY_US: Final = 24 * HOUR_US
REACH_DAYS: Final = 300
OWN_WORST: Final = 1.2
WEEK: Final = 7
LEAST_SHARE: Final = 0.2
LESS_DAYS: Final = 14
LESS_SHARE: Final = 0.3
DRIFT_DAYS: Final = 56
DRIFT_SHARE: Final = 0.15
KNOWN: Final = 0.7
PAST_LEAST: Final = 60
WARM_C: Final = 16.0
"""Mean of the day: three degrees above where heating ends (13 °C, vyhláška 194/2007 Sb., § 2)."""
COLD_C: Final = 8.0
HOT_C: Final = 18.0
HOT_LEAST: Final = 5
HEAT_SHARE: Final = 0.2
WARM_DAYS: Final = 3
WARM_PAUSE_US: Final = 7 * DAY_US
YEAR_DAYS: Final = 365
SUNNY: Final = 1.5  # kWh/m² in the day: below it snow, fog and dirt tell nothing of the plant
PV_DAYS: Final = 60
PV_LEAST: Final = 12
PV_LACKS: Final = 0.4
PV_MENDED: Final = 0.8
PV_RUN: Final = 3


def _rolling(values: Floats, width: int) -> Floats:
    """Return means of up to `width` days that end at each (d,), NaN where fewer than 70 % of them are known."""
    known = np.isfinite(values)
    kernel = np.ones(width)
    total = np.convolve(np.where(known, values, 0.0), kernel)[: len(values)]
    count = np.convolve(known, kernel)[: len(values)]
    return np.where(count >= KNOWN * width, total / np.maximum(count, 1), np.nan)


def shares_off(gap: Floats, expected: Floats, width: int) -> Floats:
    """Return the difference over the last `width` days (d,) as a share of what was expected."""
    return _rolling(gap, width) / _rolling(np.where(np.isfinite(gap), expected, np.nan), width)


def worst_off(gap: Floats, expected: Floats, width: int) -> float:
    """Return the largest such share of the 300 days before the next day."""
    size = np.nan_to_num(np.abs(shares_off(gap, expected, width)))
    return float(trailing_max(np.append(size, 0.0), REACH_DAYS, width + 1)[-1])


def _far_off(gap: Floats, expected: Floats, width: int, least: float) -> tuple[Floats, Bools]:
    """Return the rolling difference (d,) as a share of the expected, and where it is beyond the own worst."""
    share = shares_off(gap, expected, width)
    size = np.nan_to_num(np.abs(share))
    worst = trailing_max(size[:, None], REACH_DAYS, width + 1)[:, 0]
    enough = np.cumsum(np.isfinite(gap)) - width >= PAST_LEAST
    return share, np.asarray((size > np.maximum(least, OWN_WORST * worst)) & enough)


def deviations(days: Days, expected: Floats, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where consumption is far from the baseline (d,): a week above, or two weeks below. O(d).

    Further than ever in the 300 days before, and by 20 % (below: 30 %), times `factor`. It clears when the
    last week is within half.
    """
    gap = days.total - expected
    week, far = _far_off(gap, expected, WEEK, factor * LEAST_SHARE)
    fortnight, below = _far_off(gap, expected, LESS_DAYS, factor * LESS_SHARE)
    more = _episodes(days, gap, far & (week > 0), week, (WEEK, unit, Rule.DEVIATION))
    less = _episodes(days, gap, below & (fortnight < 0), fortnight, (LESS_DAYS, unit, Rule.DEVIATION))
    return still_open(sorted([*more, *less], key=lambda one: one.from_us), now_us, DAY_US)


def drifts(days: Days, expected: Floats, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where consumption has moved away from the baseline for eight weeks further than ever. O(d).

    By 15 % upwards, by 30 % downwards (times `factor`): that less is used is seldom a fault.
    """
    gap = days.total - expected
    share, far = _far_off(gap, expected, DRIFT_DAYS, factor * DRIFT_SHARE)
    tells = far & ((share > 0) | (share < -factor * LESS_SHARE))
    return still_open(_episodes(days, gap, tells, share, (DRIFT_DAYS, unit, Rule.DRIFT)), now_us, DAY_US)


def _episodes(days: Days, gap: Floats, opens: Bools, share: Floats, kind: tuple[int, str, Rule]) -> list[Finding]:
    width, unit, rule = kind
    found: list[Finding] = []
    free = 0
    for at in np.flatnonzero(opens):
        if at < free:
            continue
        back = np.flatnonzero(np.sign(share[at]) * np.nan_to_num(share[at:], nan=share[at]) < abs(share[at]) / 2)
        free = int(at + back[0]) if len(back) else len(gap)
        begin = max(int(at) - width + 1, 0)
        found.append(_off(days, gap, (begin, int(at), free), float(share[at]), (unit, rule)))
    return found


def _off(days: Days, gap: Floats, span: tuple[int, int, int], share: float, kind: tuple[str, Rule]) -> Finding:
    begin, at, end = span
    mean = float(np.nanmean(gap[begin : at + 1]))
    usual = float(np.nanmean(days.total[begin : at + 1])) - mean
    return Finding(
        rule=kind[1],
        from_us=int(days.start_us[begin]),
        to_us=int(days.start_us[end]) if end < len(gap) else None,
        raised_us=int(days.known_us[at]),
        severity=by_loss(abs(mean), usual),
        unit=kind[0],
        loss_per_day=rounded(mean),
        evidence={
            "share": rounded(share, 4),
            "expected_per_day": rounded(usual),
            "actual_per_day": rounded(usual + mean),
        },
    )


def warm_heating(days: Days, temp_c: Floats, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where heat is drawn (d,) on three warm days in a row or more (daily mean `temp_c`). O(d).

    What is drawn beyond the hot water of the last year's hot workdays or free days (their lower fifth), by a fifth of a
    cold day, times `factor`.
    It clears on a day that is within it, or no longer warm.
    """
    of_work, of_free, cold = _hot_and_cold(days.total, temp_c, days.free)
    base = np.where(days.free, of_free, of_work)
    excess = days.total - base
    wasted = (temp_c >= WARM_C) & (excess > factor * HEAT_SHARE * (cold - base)) & (cold > base)
    runs = [(int(a), int(b)) for a, b in spans(np.asarray(wasted, bool)) if b - a >= WARM_DAYS]
    found = [_warm(days, excess, temp_c, (a, b), (float(base[a]), unit)) for a, b in runs]
    return still_open(joined(found, WARM_PAUSE_US), now_us, WARM_PAUSE_US)


def _hot_and_cold(total: Floats, temp_c: Floats, free: Bools) -> tuple[Floats, Floats, Floats]:
    """Return what hot workdays, hot free days and cold days used in the year before each day (d,)."""
    hot = [np.where((temp_c >= HOT_C) & (free == kind), total, np.nan) for kind in (False, True)]
    of_work, of_free = (trailing_quantile(part, 0.2, YEAR_DAYS, 1, HOT_LEAST) for part in hot)
    return of_work, of_free, trailing_quantile(np.where(temp_c <= COLD_C, total, np.nan), 0.5, YEAR_DAYS, 1, WEEK)


def hot_and_cold_now(days: Days, temp_c: Floats) -> tuple[float, float, float]:
    """Return what the next day is judged by: use of hot workdays, hot free days, cold days; NaN: not known."""
    rows = [np.append(column, last) for column, last in ((days.total, np.nan), (temp_c, np.nan), (days.free, False))]
    told = _hot_and_cold(rows[0], rows[1], rows[2].astype(bool))
    return float(told[0][-1]), float(told[1][-1]), float(told[2][-1])


def _warm(days: Days, excess: Floats, temp_c: Floats, span: tuple[int, int], learnt: tuple[float, str]) -> Finding:
    begin, end = span
    loss = float(np.nanmean(excess[begin:end]))
    return Finding(
        rule=Rule.WARM_HEATING,
        from_us=int(days.start_us[begin]),
        to_us=int(days.start_us[end]) if end < len(excess) else None,
        raised_us=int(days.known_us[begin + WARM_DAYS - 1]),
        severity=by_loss(loss, learnt[0] + loss),
        unit=learnt[1],
        loss_per_day=rounded(loss),
        evidence={"temp_c": rounded(float(np.nanmean(temp_c[begin:end])), 1), "own_hot_days": rounded(learnt[0])},
    )


def pv_below(days: Days, sun_kwh_m2: Floats, unit: str, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return where a plant (d, generation) gives less than the sun lets expect: below 60 % on three sunny days. O(d).

    `sun_kwh_m2` is the day's irradiation, or the mean of plants nearby scaled to it; what the plant makes of it is its
    own: the upper fifth of the 60 days before. It clears with a sunny day of 80 %.
    `factor` multiplies the 40 % that must lack.
    """
    sunny = np.flatnonzero((sun_kwh_m2 >= SUNNY) & np.isfinite(days.total))
    gives = days.total[sunny] / sun_kwh_m2[sunny]
    usual = _usual_yield(gives)
    found: list[Finding] = []
    free = 0
    for a, b in spans(np.asarray(gives < (1 - min(factor * PV_LACKS, 1.0)) * usual, bool)):
        if b - a < PV_RUN or a < free:
            continue
        mended = np.flatnonzero(gives[a:] >= PV_MENDED * usual[a])
        free = int(a + mended[0]) if len(mended) else len(sunny)
        found.append(_pv(days, (sunny, gives), (int(a), free), float(usual[a]), unit))
    return still_open(found, now_us, DAY_US)


def _usual_yield(gives: Floats) -> Floats:
    return trailing_quantile(gives, 0.8, PV_DAYS, PV_RUN + 1, PV_LEAST)


def yield_now(days: Days, sun_kwh_m2: Floats) -> float:
    """Return what a plant makes of a kWh/m² on sunny days lately, NaN where it is not known."""
    sunny = np.flatnonzero((sun_kwh_m2 >= SUNNY) & np.isfinite(days.total))
    return float(_usual_yield(np.append(days.total[sunny] / sun_kwh_m2[sunny], np.nan))[-1])


def _pv(days: Days, sun: tuple[Longs, Floats], span: tuple[int, int], usual: float, unit: str) -> Finding:
    sunny, gives = sun
    a, free = span
    made = days.total[sunny[a:free]]
    loss = float(np.mean(made * (usual / np.maximum(gives[a:free], 1e-9) - 1))) if made.any() else 0.0
    return Finding(
        rule=Rule.PV_LOW,
        from_us=int(days.start_us[sunny[a]]),
        to_us=int(days.start_us[sunny[free]]) if free < len(sunny) else None,
        raised_us=int(days.known_us[sunny[a + PV_RUN - 1]]),
        severity=by_loss(loss, loss + float(np.mean(made))),
        unit=unit,
        loss_per_day=rounded(loss),
        evidence={"per_sun": rounded(float(np.median(gives[a : a + PV_RUN]))), "own_per_sun": rounded(usual)},
    )
