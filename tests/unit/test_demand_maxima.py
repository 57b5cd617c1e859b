from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.demand import duration_curve, exceedance_kw, monthly_maxima, projected_kw, quarters
from core.calendar import Period, edges

PRAGUE = ZoneInfo("Europe/Prague")
QUARTER = np.timedelta64(15, "m")


def span(first: str, last: str, period: Period) -> np.ndarray:
    return edges(period, np.datetime64(first, "us"), np.datetime64(last, "us"), PRAGUE)


def measured(starts: np.ndarray, energy: np.ndarray, share: np.ndarray | None = None):  # noqa: ANN201 - test's own
    known = np.ones(len(starts)) if share is None else share
    return quarters(starts, energy, known, starts, starts + QUARTER)


@pytest.mark.parametrize(("month", "count"), [("2025-03", 31 * 96 - 4), ("2025-10", 31 * 96 + 4), ("2025-06", 30 * 96)])
def test_a_month_has_the_quarter_hours_of_its_local_days(month: str, count: int) -> None:
    first = np.datetime64(month, "M")
    start, end = (str((first + k).astype("M8[D]").astype("M8[m]")) for k in (0, 1))
    months = span(f"{first.astype('M8[D]')}T12:00", f"{first.astype('M8[D]')}T13:00", Period.MONTH)
    starts = np.arange(months[0], months[-1], QUARTER)
    assert (start, end) != ("", "")
    found = monthly_maxima(measured(starts, np.ones(len(starts))), months)
    assert found.expected.tolist() == found.counted.tolist() == [count]
    assert found.whole.tolist() == [True]
    assert found.peak_kw.tolist() == [4.0]


def test_the_repeated_hour_has_peaks_of_its_own_on_both_passes() -> None:
    day = span("2025-10-26T10:00", "2025-10-26T11:00", Period.DAY)
    starts = np.arange(day[0], day[1], QUARTER)
    assert len(starts) == 100
    second_pass = starts == np.datetime64("2025-10-26T01:15", "us")
    found = monthly_maxima(measured(starts, np.where(second_pass, 30.0, 10.0)), day)
    assert found.peak_kw.tolist() == [120.0]
    assert found.at[0] == np.datetime64("2025-10-26T01:15")
    assert found.expected.tolist() == [100]


def test_a_peak_at_the_months_last_local_quarter_hour_is_that_months() -> None:
    months = span("2025-01-10", "2025-02-10", Period.MONTH)
    starts = np.arange(months[0], months[-1], QUARTER)
    energy = np.ones(len(starts))
    energy[np.flatnonzero(starts == np.datetime64("2025-01-31T22:45", "us"))] = 50.0
    energy[np.flatnonzero(starts == np.datetime64("2025-01-31T23:00", "us"))] = 40.0
    assert monthly_maxima(measured(starts, energy), months).peak_kw.tolist() == [200.0, 160.0]


def test_what_is_estimated_or_partly_missing_has_no_peak_and_is_a_gap() -> None:
    starts = np.arange(np.datetime64("2025-01-01T00:00", "us"), np.datetime64("2025-01-01T01:00", "us"), QUARTER)
    months = span("2025-01-10", "2025-01-11", Period.MONTH)
    found = monthly_maxima(measured(starts, np.array([10.0, 99.0, 12.0, np.nan]), np.array([1, 0.5, 1, 0.0])), months)
    assert found.peak_kw.tolist() == [48.0]
    assert found.counted.tolist() == [2]
    assert not found.whole[0]


def test_readings_an_hour_apart_hide_the_peak_and_say_so() -> None:
    starts = np.arange(np.datetime64("2025-01-01T00:00", "us"), np.datetime64("2025-01-01T01:00", "us"), QUARTER)
    hour = np.full(4, starts[0])
    coarse = quarters(starts, np.full(4, 10.0), np.ones(4), hour, hour + np.timedelta64(60, "m"))
    assert np.isnan(coarse.power_kw).all()
    found = monthly_maxima(coarse, span("2025-01-10", "2025-01-11", Period.MONTH))
    assert found.coarse.tolist() == [4]
    assert np.isnan(found.peak_kw[0])
    half = starts[[0, 0, 2, 2]]
    half_hourly = quarters(starts, np.full(4, 10.0), np.ones(4), half, half + np.timedelta64(30, "m"))
    assert np.isnan(half_hourly.power_kw).all()
    off_clock = quarters(starts, np.full(4, 10.0), np.ones(4), starts - QUARTER / 2, starts + QUARTER * 1.5)
    assert off_clock.power_kw.tolist() == [40.0] * 4


def test_a_month_without_any_quarter_hour_has_no_maximum() -> None:
    none = np.empty(0, "M8[us]")
    found = monthly_maxima(measured(none, np.empty(0)), span("2025-01-10", "2025-01-11", Period.MONTH))
    assert np.isnan(found.peak_kw).all()
    assert np.isnat(found.at).all()
    assert found.coverage.tolist() == [0.0]


def test_the_first_of_equal_peaks_is_told() -> None:
    starts = np.arange(np.datetime64("2025-01-01T00:00", "us"), np.datetime64("2025-01-01T01:00", "us"), QUARTER)
    found = monthly_maxima(
        measured(starts, np.array([1.0, 5.0, 5.0, 2.0])), span("2025-01-10", "2025-01-11", Period.MONTH)
    )
    assert found.at[0] == starts[1]


def test_what_is_not_reserved_or_not_known_has_no_exceedance() -> None:
    found = exceedance_kw(np.array([90.0, 70.0, np.nan, 90.0]), np.array([80.0, 80.0, 80.0, np.nan]))
    assert found[:2].tolist() == [10.0, 0.0]
    assert np.isnan(found[2:]).all()


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=900), st.integers(2, 50))
def test_the_duration_curve_falls_from_the_highest_to_the_lowest(power: list[float], points: int) -> None:
    found = duration_curve(np.array([*power, np.nan]), points=points)
    assert found.power_kw[0] == max(power)
    assert found.power_kw[-1] == (min(power) if len(found.power_kw) > 1 else found.power_kw[0])
    assert np.all(np.diff(found.power_kw) <= 0)
    assert np.all(np.diff(found.share) > 0)
    assert found.share[-1] <= 1.0
    assert found.hours == len(power) / 4
    at_least = [sum(p >= kw for p in power) / len(power) for kw in found.power_kw]
    assert np.all(found.share <= np.array(at_least) + 1e-12)


def test_a_curve_of_nothing_is_empty() -> None:
    assert duration_curve(np.array([np.nan])).share.size == 0


def test_a_running_quarter_hour_is_projected_by_its_power() -> None:
    assert projected_kw(10.0, 450.0, 100.0) == pytest.approx(90.0)
    assert projected_kw(20.0, 900.0, 500.0) == 80.0
