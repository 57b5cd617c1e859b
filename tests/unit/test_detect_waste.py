"""Bursts, peaks over capacity, waste by night and weekend, and what baseline, weather and sun let expect."""

import numpy as np
import pytest

from analytics.anomalies.burst import bursts
from analytics.anomalies.capacity import (
    QUARTER_US,
    breaches,
    foretellings,
    projected_breaches,
    projections,
    quarter_means,
)
from analytics.anomalies.dials import swapped_registers
from analytics.anomalies.every import against_expected, against_reserved, once
from analytics.anomalies.expected import deviations, drifts, pv_below, warm_heating
from analytics.anomalies.finding import Rule
from analytics.anomalies.foretold import foretold
from analytics.anomalies.hours import HOUR_US, Hours, free_days, on_clock
from analytics.anomalies.point import Watched, seen
from analytics.anomalies.waste import Days, base_load, days_of, holidays, weekends
from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import plain_days
from core.calendar import PRAGUE
from core.units import unit

START_US = int(np.datetime64("2024-01-01T00", "us").astype(np.int64))
DAY_US = 24 * HOUR_US
MINUTE_US = 60_000_000


def hours_of(amount: np.ndarray) -> Hours:
    start = START_US + np.arange(len(amount)) * HOUR_US
    day, hour = on_clock(start, PRAGUE)
    none = np.zeros(len(amount), bool)
    return Hours(
        start_us=start,
        amount=amount.astype(float),
        share=np.ones(len(amount)),
        known_us=start + HOUR_US,
        day=day,
        hour=hour,
        free=free_days(day, np.empty(0, np.int64)),
        off=none,
        quantum=0.001,
    )


def office(days: int) -> np.ndarray:
    """Return electricity: 5 kWh an hour at rest, 30 at work."""
    day, hour = on_clock(START_US + np.arange(days * 24) * HOUR_US, PRAGUE)
    work = (hour >= 7) & (hour < 17) & ~free_days(day, np.empty(0, np.int64))
    return np.where(work, 30.0, 5.0) * np.random.default_rng(2).normal(1, 0.03, days * 24)


def days(total: np.ndarray) -> Days:
    day = np.arange(len(total)) + START_US // DAY_US
    start = START_US + np.arange(len(total)) * DAY_US
    return Days(
        day=day,
        total=total,
        base=total / 48,
        free=free_days(day, np.empty(0, np.int64)),
        weekend=free_days(day, np.empty(0, np.int64)),
        start_us=start,
        known_us=start + DAY_US,
    )


def test_broken_pipe_is_told_after_two_hours_and_a_large_use_is_not() -> None:
    flow = np.abs(np.random.default_rng(1).normal(0.2, 0.1, 24 * 60))
    flow[1200] = 5.0
    now_us = START_US + len(flow) * HOUR_US
    assert bursts(hours_of(flow), now_us) == []
    flow[1300:1310] = 8.0
    [found] = bursts(hours_of(flow), now_us)
    assert (found.from_us, found.raised_us) == (START_US + 1300 * HOUR_US, START_US + 1302 * HOUR_US)
    assert found.to_us == START_US + 1310 * HOUR_US


def test_breaches_of_a_day_are_one_and_name_the_peak() -> None:
    start = START_US + np.arange(96 * 10) * QUARTER_US
    power = np.full(len(start), 80.0)
    power[[100, 130, 700]] = [101, 120, 105]
    power[500] = np.nan
    found = breaches(start, power, np.full(len(start), 100.0), int(start[-1]) + 2 * DAY_US)
    assert [(one.from_us, one.evidence["peak_kw"], one.evidence["over_by_kw"]) for one in found] == [
        (start[100], 120, 20),
        (start[700], 105, 5),
    ]


def minutes(days_: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return instants each minute and cumulated energy of a load that wanders."""
    rng = np.random.default_rng(seed)
    at = START_US + np.arange(days_ * 1440 + 1) * MINUTE_US
    slow = np.interp(np.arange(len(at)), np.arange(0, len(at) + 30, 30), 70 + 12 * rng.normal(size=len(at) // 30 + 2))
    return at, np.cumsum(slow * rng.normal(1, 0.05, len(at)) / 60)


def test_breach_is_foretold_five_minutes_before_the_end_in_nine_of_ten() -> None:
    at, energy = minutes(40, 3)
    start, power = quarter_means(at[1:], np.diff(energy), np.diff(at))
    late = start > START_US + 20 * DAY_US
    reserved = float(np.quantile(power[late], 0.97))
    firsts, _, _ = foretellings(at, energy, reserved)
    told = {int(at[i]) // QUARTER_US: int(at[i]) for i in firsts}
    over = start[late & (power > reserved)]
    in_time = [q for q in over if told.get(q // QUARTER_US, q + QUARTER_US) <= q + 10 * MINUTE_US]
    assert len(over) > 30
    assert len(in_time) / len(over) >= 0.9
    found = projected_breaches(at, energy, reserved, int(at[-1]))
    assert 0 < len(found) <= 40
    assert all(one.raised_us < one.from_us + QUARTER_US for one in found)


def test_projection_is_what_was_used_and_goes_on_at_the_last_power() -> None:
    at = START_US + np.arange(61) * MINUTE_US
    foretold_kw, actual = projections(at, np.arange(61) * 0.5)
    assert np.isnan(foretold_kw[:5]).all()
    assert foretold_kw[8:14] == pytest.approx(30.0)
    assert actual[:45] == pytest.approx(30.0)


def test_readings_by_the_hour_show_no_peaks() -> None:
    at = START_US + np.arange(1, 24 * 30) * HOUR_US
    watched = Watched(at_us=at, value=np.cumsum(np.full(len(at), 500.0)), dial=True, unit="kWh", zone=PRAGUE)
    assert against_reserved(seen(watched, unit("kWh"), zero_is_gap=True), 10.0, int(at[-1])) == []


def test_base_load_that_rose_is_told_after_a_week_with_its_loss() -> None:
    load = office(150)
    load[100 * 24 : 130 * 24] += 4
    [found] = base_load(days_of(hours_of(load)), "kWh", START_US + 150 * DAY_US)
    assert found.loss_per_day == pytest.approx(96, rel=0.1)
    assert found.raised_us - START_US <= 108 * DAY_US
    assert abs(found.to_us - START_US - 130 * DAY_US) <= 4 * DAY_US


def test_weekend_run_like_a_workday_is_told_and_a_lone_saturday_is_not() -> None:
    load = office(150)
    day, hour = on_clock(START_US + np.arange(len(load)) * HOUR_US, PRAGUE)
    saturday = int(np.unique(day[day % 7 == 2])[15])
    at_work = (hour >= 7) & (hour < 17)
    load[at_work & (day == saturday)] = 30
    now_us = START_US + 150 * DAY_US
    assert weekends(days_of(hours_of(load)), "kWh", now_us) == []
    load[at_work & (day == saturday + 1)] = 30
    [found] = weekends(days_of(hours_of(load)), "kWh", now_us)
    assert found.loss_per_day == pytest.approx(250, rel=0.1)
    assert found.raised_us // DAY_US in {saturday + 1, saturday + 2}


def test_holiday_run_like_a_workday_is_told_where_holidays_rest() -> None:
    load = office(150)
    day, _ = on_clock(START_US + np.arange(len(load)) * HOUR_US, PRAGUE)
    workdays = [d for d in np.unique(day) if (d + 3) % 7 < 5]
    resting, worked = workdays[30:80:8], workdays[95]
    load[np.isin(day, resting)] = 5
    made = days_of(hours_of(load))
    public = np.isin(made.day, [*resting, worked])
    [found] = holidays(made, public, "kWh", START_US + 150 * DAY_US)
    assert found.from_us // DAY_US in {worked - 1, worked}
    always = days_of(hours_of(office(150)))
    assert holidays(always, public, "kWh", START_US + 150 * DAY_US) == []


def test_week_far_above_the_baseline_is_a_deviation_and_a_slow_rise_a_drift() -> None:
    rng = np.random.default_rng(5)
    expected = np.full(700, 100.0)
    good = expected * rng.normal(1, 0.05, 700)
    now_us = START_US + 700 * DAY_US
    assert deviations(days(good), expected, "kWh", now_us) == []
    assert drifts(days(good), expected, "kWh", now_us) == []
    jump = good + np.where((np.arange(700) >= 500) & (np.arange(700) < 520), 60, 0)
    [found] = deviations(days(jump), expected, "kWh", now_us)
    assert 500 <= (found.raised_us - START_US) // DAY_US <= 508
    slow = good + np.clip(np.arange(700) - 400, 0, 200) * 0.2
    [drift] = drifts(days(slow), expected, "kWh", now_us)
    assert drift.to_us is None


def test_expectations_come_from_the_year_before_alone() -> None:
    rng = np.random.default_rng(6)
    total = 100 + rng.normal(0, 5, (2, 600))
    calendar = plain_days(np.datetime64("2024-01-01"), np.datetime64("2024-01-01") + 599)
    made = foretold(total, calendar, Commodity.ELECTRICITY, None)
    assert np.isnan(made[:, :365]).all()
    assert made[:, 365:] == pytest.approx(100, abs=12)
    changed = total.copy()
    changed[:, 500:] = 900
    again = foretold(changed, calendar, Commodity.ELECTRICITY, None)
    assert again[:, 365:547] == pytest.approx(made[:, 365:547])
    assert np.isnan(foretold(total, calendar, Commodity.GAS, None)).all()


def test_heating_on_warm_days_is_told_against_the_own_summer() -> None:
    day = np.arange(900)
    temp_c = 10 - 12 * np.cos(2 * np.pi * day / 365)
    total = 20 + 10 * np.clip(15 - temp_c, 0, None)
    now_us = START_US + 900 * DAY_US
    assert warm_heating(days(total), temp_c, "kWh", now_us) == []
    wrong = total + np.where((day >= 540) & (day < 560), 80, 0)
    [found] = warm_heating(days(wrong), temp_c, "kWh", now_us)
    assert found.loss_per_day == pytest.approx(80, rel=0.2)
    hours = hours_of(np.repeat(wrong / 24, 24))
    shown = np.append(temp_c, temp_c[-1:]), np.append(wrong, wrong[-1:])
    deviating = against_expected(hours, shown[1], shown[0], Commodity.GAS, "kWh", now_us=now_us)
    assert Rule.WARM_HEATING in {one.rule for one in deviating}


def test_plant_that_gives_half_of_what_it_makes_of_the_sun_is_told() -> None:
    rng = np.random.default_rng(7)
    sun = rng.uniform(0.5, 7, 200)
    total = sun * 40 * rng.normal(1, 0.05, 200)
    now_us = START_US + 200 * DAY_US
    assert pv_below(days(total), sun, "kWh", now_us) == []
    total[120:150] /= 2
    [found] = pv_below(days(total), sun, "kWh", now_us)
    assert 120 <= (found.from_us - START_US) // DAY_US <= 122
    assert abs((found.to_us - START_US) // DAY_US - 150) <= 2


def test_export_that_grows_in_the_dark_is_an_exchanged_register() -> None:
    _, hour = on_clock(START_US + np.arange(24 * 30) * HOUR_US, PRAGUE)
    export = np.where((hour > 8) & (hour < 17), 6.0, 0.0)
    taken = np.where(export > 0, 0.0, 4.0)
    right = swapped_registers(hours_of(taken), hours_of(export), "kWh")
    wrong = swapped_registers(hours_of(export), hours_of(taken), "kWh")
    assert right == []
    assert [one.rule for one in wrong] == [Rule.SWAPPED]
    assert wrong[0].to_us is None


def test_findings_that_say_the_same_are_one() -> None:
    flow = np.abs(np.random.default_rng(1).normal(0.2, 0.1, 24 * 60))
    flow[1300:1310] = 8.0
    found = bursts(hours_of(flow), START_US + len(flow) * HOUR_US)
    assert once([*found, *found]) == found
