"""Whether days that ended since could show waste, a deviation or a fault of a plant; see screen_meter."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.expected import (
    DRIFT_DAYS,
    DRIFT_SHARE,
    HEAT_SHARE,
    LEAST_SHARE,
    LESS_DAYS,
    LESS_SHARE,
    OWN_WORST,
    PAST_LEAST,
    PV_LACKS,
    SUNNY,
    WARM_C,
    WEEK,
    hot_and_cold_now,
    shares_off,
    worst_off,
    yield_now,
)
from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import Tuning
from analytics.anomalies.waste import FREE_STEP, STEP, Days, base_limits, weekends_now
from analytics.baseline.cleaning import Commodity
from core.calendar import Bools
from core.readings import Floats

NEAR: Final = 0.95
RECENT: Final = 6
LEAST_OVER: Final = 3
LEAST_OF: Final = {WEEK: (Rule.DEVIATION, LEAST_SHARE), LESS_DAYS: (Rule.DEVIATION, LESS_SHARE)} | {
    DRIFT_DAYS: (Rule.DRIFT, DRIFT_SHARE)
}
"""By length of the mean: the rule and the least share by which it speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayScreen:
    """What days after `day` (local, since 1970) are looked at by; NaN where nothing is known.

    `base_limit` and how many of the last days were `base_over` it; `free_worst` the largest share of `workday` that
    free days used; `gap` and `expected` of the last weeks with the `worst` shares of a week, a fortnight, eight weeks,
    `compared` the days that could be;
    hot and cold days' use; `per_sun` what a plant makes of the sun.
    """

    day: int
    base_limit: float
    base_over: int
    free_worst: float
    workday: float
    gap: tuple[float, ...]
    expected: tuple[float, ...]
    worst: tuple[float, ...]
    compared: int
    hot_work: float
    hot_free: float
    cold: float
    per_sun: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known of days (d,) beside their use: public holidays, expected use, temperature, sun; None: nothing."""

    holiday: Bools
    expected: Floats | None = None
    temp_c: Floats | None = None
    sun: Floats | None = None


def day_screen(days: Days, beside: Beside, tuning: Tuning) -> DayScreen:
    """Return what the days after these (d) are looked at by. O(d)."""
    limit = float(base_limits(np.append(days.base, np.nan), 1 + tuning.of(Rule.BASE_LOAD) * STEP)[-1])
    free_worst, workday = weekends_now(days)
    nothing = np.full(len(days.total), np.nan)
    expected = nothing if beside.expected is None else beside.expected
    gap = days.total - expected
    hot = (np.nan,) * 3 if beside.temp_c is None else hot_and_cold_now(days, beside.temp_c)
    return DayScreen(
        day=int(days.day[-1]),
        base_limit=limit,
        base_over=int((days.base[-RECENT:] > NEAR * limit).sum()),
        free_worst=free_worst,
        workday=workday,
        gap=tuple(gap[-DRIFT_DAYS:].tolist()),
        expected=tuple(expected[-DRIFT_DAYS:].tolist()),
        worst=tuple(worst_off(gap, expected, width) for width in LEAST_OF),
        compared=int(np.isfinite(gap).sum()),
        hot_work=hot[0],
        hot_free=hot[1],
        cold=hot[2],
        per_sun=np.nan if beside.sun is None else yield_now(days, beside.sun),
    )


def days_could(
    screen: DayScreen, days: Days, beside: Beside, kind: Commodity | None, tuning: Tuning
) -> frozenset[Rule]:
    """Return the rules that days since (d) could newly show. O(d)."""
    could: set[Rule] = set()
    if kind is Commodity.ELECTRICITY:
        could |= _wasted(screen, days, beside.holiday, tuning)
    if kind is not None and beside.expected is not None:
        could |= _off(screen, days.total - beside.expected, beside.expected, tuning)
    if kind in {Commodity.GAS, Commodity.HEAT} and beside.temp_c is not None:
        could |= _warm(screen, days, beside.temp_c, tuning)
    if kind is None and beside.sun is not None:
        low = days.total < (1 - min(NEAR * tuning.of(Rule.PV_LOW) * PV_LACKS, 1.0)) * screen.per_sun * beside.sun
        could |= {Rule.PV_LOW} if (low & (beside.sun >= SUNNY)).any() else set()
    return frozenset(could)


def _wasted(screen: DayScreen, days: Days, holiday: Bools, tuning: Tuning) -> set[Rule]:
    could = set()
    if (days.base > NEAR * screen.base_limit).any() and screen.base_over >= LEAST_OVER:
        could.add(Rule.BASE_LOAD)
    limit = (1 + tuning.of(Rule.WEEKEND) * FREE_STEP) * screen.free_worst * screen.workday
    if (days.weekend & (days.total > NEAR * limit)).any():
        could.add(Rule.WEEKEND)
    if (holiday & (days.total > NEAR * NEAR * tuning.of(Rule.HOLIDAY) * screen.workday)).any():
        could.add(Rule.HOLIDAY)
    return could


def _off(screen: DayScreen, gap: Floats, expected: Floats, tuning: Tuning) -> set[Rule]:
    all_gap, all_expected = np.append(screen.gap, gap), np.append(screen.expected, expected)
    could = set()
    for (width, (rule, least)), worst in zip(LEAST_OF.items(), screen.worst, strict=True):
        share = np.nan_to_num(np.abs(shares_off(all_gap, all_expected, width)[-len(gap) :]))
        if (
            screen.compared + len(gap) - width >= PAST_LEAST
            and (share > NEAR * max(tuning.of(rule) * least, OWN_WORST * worst)).any()
        ):
            could.add(rule)
    return could


def _warm(screen: DayScreen, days: Days, temp_c: Floats, tuning: Tuning) -> set[Rule]:
    base = np.where(days.free, screen.hot_free, screen.hot_work)
    least = NEAR * tuning.of(Rule.WARM_HEATING) * HEAT_SHARE * (screen.cold - base)
    return {Rule.WARM_HEATING} if ((temp_c >= WARM_C) & (days.total - base > least)).any() else set()
