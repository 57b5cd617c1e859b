"""Daily means, bridges between stations, and what is left unknown."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.weather import HOUR_US, Bridge, BridgeMethod, bridge, daily_means, fill, trusted
from core.calendar import Period, edges, instant, micros

PRAGUE = ZoneInfo("Europe/Prague")
Array = np.ndarray


def midnights(first: str, last: str) -> Array:
    start, end = (instant(datetime.fromisoformat(d).replace(tzinfo=PRAGUE)) for d in (first, last))
    return micros(edges(Period.DAY, start, end, PRAGUE))


def hourly(edge_us: Array, step_h: float = 1.0) -> Array:
    return np.arange(edge_us[0], edge_us[-1] + 1, int(step_h * HOUR_US))


def at_instants(at: Array, temp: Array, edge_us: Array) -> tuple[Array, Array]:
    made = daily_means(at, temp, np.zeros(len(at), np.int64), edge_us)
    return made.temp_c, made.known_h


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_the_hours_that_the_clock_gives_it(day: str, hours: int) -> None:
    edge = midnights(day, str(np.datetime64(day) + 1))
    temp, known = at_instants(hourly(edge), np.full(hours + 1, 7.5), edge)
    assert (temp.tolist(), known.tolist()) == ([7.5], [hours])


def test_a_straight_rise_has_the_temperature_of_noon_whatever_the_times_of_its_readings() -> None:
    edge = midnights("2026-01-10", "2026-01-13")
    rng = np.random.default_rng(1)
    at = np.unique(np.concatenate([edge, rng.integers(edge[0], edge[-1], 200)]))
    temp, _ = at_instants(at, (at - edge[0]) / HOUR_US / 2, edge)
    assert temp == pytest.approx([6.0, 18.0, 30.0], abs=1e-9)


@given(
    readings=st.lists(st.tuples(st.integers(0, 71 * 60), st.floats(-30, 35)), min_size=2, max_size=60),
    shift=st.floats(-10, 10),
)
def test_means_lie_between_readings_shift_with_them_and_need_eighteen_hours(
    readings: list[tuple[int, float]], shift: float
) -> None:
    edge = midnights("2026-01-10", "2026-01-13")
    minutes = dict(readings)
    at = edge[0] + np.array(sorted(minutes)) * 60_000_000
    value = np.array([minutes[m] for m in sorted(minutes)])
    temp, known = at_instants(at, value, edge)
    shifted, _ = at_instants(at, value + shift, edge)
    assert ((known >= 0) & (known <= 24 + 1e-9)).all()
    assert (np.isfinite(temp) == (known >= 18 - 1e-9)).all()
    told = np.isfinite(temp)
    assert (temp[told] >= value.min() - 1e-6).all()
    assert (temp[told] <= value.max() + 1e-6).all()
    assert shifted[told] == pytest.approx(temp[told] + shift, abs=1e-6)


def test_a_gap_of_three_hours_is_bridged_and_a_longer_one_is_not() -> None:
    edge = midnights("2026-01-10", "2026-01-11")
    at = hourly(edge)
    three, four = np.delete(at, [9, 10]), np.delete(at, [9, 10, 11])
    assert at_instants(three, np.zeros(len(three)), edge)[1].tolist() == [24]
    assert at_instants(four, np.zeros(len(four)), edge)[1].tolist() == [20]


def test_a_day_of_seventeen_hours_is_unknown_and_no_readings_know_nothing() -> None:
    edge = midnights("2026-01-10", "2026-01-12")
    at = hourly(edge)[:18]
    temp, known = at_instants(at, np.ones(18), edge)
    assert np.isnan(temp).all()
    assert known.tolist() == [17, 0]
    temp, known = at_instants(at[:0], np.empty(0), edge)
    assert np.isnan(temp).all()
    assert known.tolist() == [0, 0]


def test_a_fault_of_the_sensor_is_not_the_air() -> None:
    edge = midnights("2026-01-10", "2026-01-12")
    at = hourly(edge)
    value = np.linspace(-3, 3, len(at))
    value[5], value[12], value[20] = 85.0, -127.0, np.nan
    temp, known = at_instants(at, value, edge)
    assert known.tolist() == [24, 24]
    assert temp == pytest.approx([-1.5, 1.5], abs=1e-9)


def test_a_sensor_that_never_changes_is_not_believed() -> None:
    edge = midnights("2026-01-10", "2026-01-15")
    at = hourly(edge)
    value = 5 + np.sin(np.arange(len(at)) / 4)
    value[24:80] = 0.0
    good = trusted(at, value)
    assert not good[24:80].any()
    assert good[:24].all()
    assert good[80:].all()
    calm = value.copy()
    calm[24:80] = np.where(np.arange(56) == 30, 0.1, 0.0)
    assert trusted(at, calm).all()


def test_daily_means_as_sent_are_taken_and_instants_go_before_them() -> None:
    edge = midnights("2026-03-28", "2026-03-31")  # the second has 23 hours
    at, span = edge[1:], np.diff(edge) // 1_000_000
    made = daily_means(at, np.array([1.0, 2.0, 3.0]), span, edge)
    assert made.temp_c.tolist() == [1.0, 2.0, 3.0]
    assert made.known_h.tolist() == [24, 23, 24]
    moments = hourly(edge[:2])[:-1]
    at_all = np.concatenate([moments, at])
    values = np.concatenate([np.full(len(moments), 9.0), [1.0, 2.0, 3.0]])
    spans = np.concatenate([np.zeros(len(moments), np.int64), span])
    assert daily_means(at_all, values, spans, edge).temp_c.tolist() == [9.0, 2.0, 3.0]


def test_spans_that_overlap_count_once() -> None:
    edge = midnights("2026-01-10", "2026-01-11")
    made = daily_means(
        np.array([edge[0] + 12 * HOUR_US, edge[1]]), np.array([0.0, 6.0]), np.array([12 * 3600, 18 * 3600]), edge
    )
    assert made.known_h.tolist() == [24]
    assert made.temp_c.tolist() == [3.0]


# From station to station


def year(days: int) -> tuple[Array, Array]:
    day = np.datetime64("2024-01-01") + np.arange(days)
    rng = np.random.default_rng(3)
    return day, 8 - 10 * np.cos(2 * np.pi * np.arange(days) / 365.25) + rng.normal(0, 3, days)


@given(a=st.floats(-5, 5), b=st.floats(-2, 2), c=st.floats(-2, 2))
def test_a_difference_that_follows_the_season_is_learnt_from_a_year(a: float, b: float, c: float) -> None:
    day, other = year(400)
    true = Bridge(method=BridgeMethod.YEARLY, offset_k=(a, b, c), common_days=400, residual_k=0)
    ours = true.to_ours(other, day)
    found = bridge(ours, other, day)
    assert found is not None
    assert found.method is BridgeMethod.YEARLY
    assert found.offset_k == pytest.approx((a, b, c), abs=1e-6)


def test_missing_days_come_from_the_first_station_that_knows_them_corrected_and_flagged() -> None:
    day, truth = year(800)
    near, far = truth + 1.5, truth - 4.0
    ours = truth.copy()
    ours[100:150] = np.nan
    near[120:150] = np.nan
    far[140:150] = np.nan
    made = fill(ours, [near, far], day, [None, None])
    assert made.source[100:120].tolist() == [1] * 20
    assert made.source[120:140].tolist() == [2] * 20
    assert made.source[140:150].tolist() == [-1] * 10
    assert made.temp_c[100:140] == pytest.approx(truth[100:140], abs=1e-6)
    assert np.isnan(made.temp_c[140:150]).all()
    assert made.temp_c[:100].tolist() == ours[:100].tolist()
    assert np.isnan(ours[100:150]).all()


def test_a_short_acquaintance_gives_a_constant_and_none_the_altitude() -> None:
    day, other = year(60)
    short = bridge(other + 2, other, day)
    assert short is not None
    assert (short.method, short.common_days) == (BridgeMethod.CONSTANT, 60)
    assert short.offset_k == pytest.approx((2, 0, 0))
    unknown = np.full(60, np.nan)
    higher = bridge(unknown, other, day, higher_m=100.0)
    assert higher is not None
    assert higher.offset_k == pytest.approx((-0.65, 0, 0))
    assert bridge(unknown, other, day) is None


def test_a_station_of_another_climate_fills_nothing() -> None:
    day, ours = year(400)
    other = np.random.default_rng(9).normal(20, 9, 400)
    gone = ours.copy()
    gone[:10] = np.nan
    made = fill(gone, [other], day, [0.0])
    assert made.bridges == (None,)
    assert (made.source[:10] == -1).all()


def test_half_a_year_of_common_days_makes_no_season() -> None:
    day, other = year(170)
    found = bridge(other + 1, other, day)
    assert found is not None
    assert found.method is BridgeMethod.CONSTANT
