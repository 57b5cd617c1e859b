"""What holds of every curve, whatever the readings: no negative, no invented consumption; sums are exact."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calendar import Period, edges, micros
from core.curve import State, estimated_seconds, periods
from core.gaps import DayTypes
from core.mounting import Built, Mounting, Rules, build, moduli
from core.notes import Rule
from core.plausible import HOUR_US
from core.readings import Kind, Readings, SeriesKey
from core.registry import DialEvent, EventKind
from core.rollup import NANO
from core.units import unit

KEY = (SeriesKey("M", "energy.total"),)
T0 = np.datetime64("2026-02-20T00:00", "us")
FAULTS = st.lists(
    st.tuples(st.sampled_from(["add", "times", "zero", "drop", "swap", "repeat"]), st.floats(0, 1), st.integers(1, 12)),
    max_size=6,
)


def readings_of(seed: int, count: int, faults: list[tuple[str, float, int]]) -> Readings:
    rng = np.random.default_rng(seed)
    step_s = rng.choice([60, 900, 3600, 86400])
    at = T0 + np.cumsum(rng.integers(step_s // 2, step_s * 2, count)) * np.timedelta64(1_000_000, "us")
    value = np.round(rng.uniform(0, 1e5) + np.cumsum(rng.exponential(rng.uniform(0.01, 50), count)), 3)
    keep = np.ones(count, bool)
    for kind, where, length in faults:
        i = int(where * (count - 1))
        span = slice(i, i + length)
        if kind == "add":
            value[span] += rng.normal(0, 10 ** rng.uniform(-2, 6))
        elif kind == "times":
            value[span] *= 10.0
        elif kind == "zero":
            value[span] = 0.0
        elif kind == "drop":
            keep[i : i + 10 * length] = False
        elif kind == "swap":
            value[i:] = value[i:] - value[i] + rng.uniform(0, 1000)
        else:
            value[span] = value[i]
    keep[0] = True
    return Readings.of(KEY, np.zeros(int(keep.sum())), at[keep], value[keep])


def built(readings: Readings, **rules: float) -> Built:
    mounting = Mounting(device="M", moduli=moduli(unit("kWh")))
    return build(readings, [mounting], (), Rules(**rules))  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 400), faults=FAULTS)
def test_the_curve_never_falls_and_never_exceeds_what_the_dial_rose(
    seed: int, count: int, faults: list[tuple[str, float, int]]
) -> None:
    given_readings = readings_of(seed, count, faults)
    curve = built(given_readings).curve
    assert (np.diff(curve.total) >= 0).all()
    assert (np.diff(curve.at_us) >= 0).all()
    rises = np.diff(np.rint(given_readings.value * NANO).astype(np.int64))
    if len(curve.total):
        assert curve.total[-1] <= rises[rises > 0].sum()
    flat = np.diff(curve.total)[curve.state == State.MISSING]
    assert (flat == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 300),
    faults=FAULTS,
    cuts=st.lists(st.integers(-(10**9), 4 * 10**13), min_size=1, max_size=20),
)
def test_consumption_adds_up_to_the_last_digit_over_any_cuts(
    seed: int, count: int, faults: list[tuple[str, float, int]], cuts: list[int]
) -> None:
    curve = built(readings_of(seed, count, faults)).curve
    marks = np.unique(np.array(cuts) + int(micros(T0)))
    grid = np.concatenate([marks, [marks[-1] + 1]]).astype("datetime64[us]")
    parts, whole = periods(curve, grid), periods(curve, grid[[0, -1]])
    assert parts.nano.sum() == whole.nano[0]
    assert ((parts.missing_s >= 0) & (parts.missing_s <= parts.span_s + 1)).all()
    assert (estimated_seconds(parts) <= parts.span_s).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 200), faults=FAULTS)
def test_order_and_repetition_of_readings_change_nothing(
    seed: int, count: int, faults: list[tuple[str, float, int]]
) -> None:
    readings = readings_of(seed, count, faults)
    shuffled = np.random.default_rng(seed).permutation(np.tile(np.arange(len(readings)), 2))
    first, second = built(readings).curve, built(readings.take(shuffled)).curve
    assert np.array_equal(first.total, second.total)
    assert np.array_equal(first.at_us, second.at_us)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    place=st.floats(0.05, 0.95),
    first=st.floats(0, 1e6),
    before_h=st.floats(0, 1),
)
def test_a_recorded_swap_is_exact_wherever_it_falls(seed: int, place: float, first: float, before_h: float) -> None:
    rng = np.random.default_rng(seed)
    at = T0 + np.arange(1000) * np.timedelta64(900_000_000, "us")
    true = 70_000 + np.concatenate([[0], np.cumsum(rng.uniform(1, 9, 999))])
    i = int(place * 998)
    share = round(before_h, 3)
    moment = at[i] + (np.timedelta64(900_000_000, "us") * share).astype("timedelta64[us]")
    final = true[i] + share * (true[i + 1] - true[i])
    shown = np.where(np.arange(1000) > i, first + true - final, true)
    event = DialEvent(
        id="e",
        meter="M",
        at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(moment.astype(np.int64))),
        kind=EventKind.SWAP,
        final=float(final),
        first=first,
    )
    made = build(Readings.of(KEY, np.zeros(1000), at, shown), [Mounting(device="M")], [event], Rules())
    assert made.curve.total[-1] / NANO == pytest.approx(true[-1] - true[0], rel=1e-9)
    assert np.diff(made.curve.at_us)[made.curve.state == State.MISSING].sum() == 0


def test_a_long_gap_takes_the_shape_of_like_days() -> None:
    at = np.arange(np.datetime64("2026-05-04", "us"), np.datetime64("2026-06-08", "us"), np.timedelta64(15, "m"))
    day, hour = (at.astype("M8[D]").astype(int) + 3) % 7, at.astype("M8[h]").astype(int) % 24
    rate = np.where((day < 5) & (hour >= 6) & (hour < 14), 40.0, 4.0)
    value = np.cumsum(rate) / 4
    gap = (at > np.datetime64("2026-05-21T20:00")) & (at < np.datetime64("2026-05-25T02:00"))  # Thursday to Monday
    made = built(Readings.of(KEY, np.zeros(int((~gap).sum())), at[~gap], value[~gap]))
    days = periods(
        made.curve,
        np.arange(np.datetime64("2026-05-22", "us"), np.datetime64("2026-05-26", "us"), np.timedelta64(1, "D")),
    )
    friday, saturday, sunday = days.nano[:3] / NANO
    assert friday == pytest.approx(8 * 40 + 16 * 4, rel=0.05)
    assert saturday == pytest.approx(24 * 4, rel=0.05)
    assert sunday == pytest.approx(24 * 4, rel=0.05)


def test_a_holiday_in_a_gap_is_like_a_sunday() -> None:
    at = np.arange(np.datetime64("2026-04-13", "us"), np.datetime64("2026-05-18", "us"), np.timedelta64(15, "m"))
    days = at.astype("M8[D]").astype(int)
    free = ((days + 3) % 7 == 6) | np.isin(
        at.astype("M8[D]"), [np.datetime64("2026-05-01"), np.datetime64("2026-05-08")]
    )
    value = np.cumsum(np.where(free, 1.0, 9.0))
    gap = (at > np.datetime64("2026-05-07T10:00")) & (at < np.datetime64("2026-05-09T12:00"))
    rules = Rules(day_types=DayTypes(zone=ZoneInfo("UTC"), holidays=frozenset({date(2026, 5, 1), date(2026, 5, 8)})))
    lot = Readings.of(KEY, np.zeros(int((~gap).sum())), at[~gap], value[~gap])
    curve = build(lot, [Mounting(device="M")], (), rules).curve
    first = np.datetime64("2026-05-08T00:00", "us")
    made = periods(curve, np.array([first, first + np.timedelta64(24, "h")]))
    assert made.nano[0] / NANO == pytest.approx(96 * 1.0, rel=0.25)


def intervals(at: list[str], value: list[float], span_s: int) -> Built:
    lot = Readings.of(KEY, np.zeros(len(at)), np.array(at, "M8[us]"), value, kind=Kind.INTERVAL, span_s=span_s)
    return build(lot, [Mounting(device="M")], (), Rules())


def test_amounts_in_periods_add_up_and_a_hole_is_missing() -> None:
    made = intervals(["2026-01-01T01:00", "2026-01-01T02:00", "2026-01-01T04:00"], [5.0, 7.0, 2.0], 3600)
    grid = np.arange(np.datetime64("2026-01-01T00", "us"), np.datetime64("2026-01-01T05", "us"), np.timedelta64(1, "h"))
    found = periods(made.curve, grid)
    assert (found.nano / NANO).tolist() == [5.0, 7.0, 0.0, 2.0]
    assert found.missing_s.tolist() == [0, 0, 3600, 0]


def test_of_amounts_over_the_same_time_the_finer_counts() -> None:
    at = np.array(["2026-01-01T01:00", "2026-01-01T02:00", "2026-01-01T02:00:00.000001"], "M8[us]")
    lot = Readings.of(KEY, np.zeros(3), at, [5.0, 7.0, 12.0], kind=Kind.INTERVAL, span_s=[3600, 3600, 7200])
    made = build(lot, [Mounting(device="M")], (), Rules())
    assert made.curve.total[-1] == 12 * NANO
    assert Rule.OVERLAP in [mark.rule for _, mark in made.marks]


def test_a_negative_amount_is_left_out_and_listed() -> None:
    made = intervals(["2026-01-01T01:00", "2026-01-01T02:00"], [5.0, -7.0], 3600)
    assert made.curve.total[-1] == 5 * NANO
    assert [mark.rule for _, mark in made.marks] == [Rule.NEGATIVE]


def test_deltas_count_since_the_last_message_and_a_lost_one_is_missing() -> None:
    hours = [0, 1, 2, 3, 9, 10]
    at = np.datetime64("2026-01-01", "us") + np.array(hours) * np.timedelta64(HOUR_US, "us")
    lot = Readings.of(KEY, np.zeros(6), at, [99.0, 1, 2, 3, 4, 5], kind=Kind.DELTA)
    made = build(lot, [Mounting(device="M")], (), Rules())
    assert made.curve.total[-1] == 15 * NANO
    assert periods(made.curve, at[[0, -1]]).missing_s[0] == 5 * 3600


def test_power_alone_integrates_to_an_estimate() -> None:
    at = np.datetime64("2026-01-01", "us") + np.arange(97) * np.timedelta64(900_000_000, "us")
    lot = Readings.of(KEY, np.zeros(97), at, np.full(97, 12.0), kind=Kind.GAUGE)
    made = periods(build(lot, [Mounting(device="M")], (), Rules()).curve, at[[0, -1]])
    assert made.nano[0] == 288 * NANO
    assert made.estimated_s[0] == 86400


def test_meters_follow_on_each_other_on_a_point() -> None:
    at = np.datetime64("2026-01-01", "us") + np.arange(200) * np.timedelta64(HOUR_US, "us")
    change = int(micros(at[100])) + HOUR_US // 2
    old, new = SeriesKey("old", "energy.total"), SeriesKey("new", "energy.import")
    value = np.where(np.arange(200) <= 100, 5000.0 + 2 * np.arange(200), 2 * (np.arange(200) - 100.5))
    code = (np.arange(200) > 100).astype(int)
    mountings = [
        Mounting(device="old", end_us=change, final=5201.0),
        Mounting(device="new", start_us=change, first=0.0),
    ]
    made = build(Readings.of((old, new), code, at, value), mountings, (), Rules())
    assert made.curve.total[-1] == 398 * NANO
    assert (made.curve.state == State.MEASURED).sum() == 200


def test_one_name_for_two_meters_on_a_point_is_cut_where_the_dial_was_exchanged() -> None:
    at = np.datetime64("2026-01-01", "us") + np.arange(200) * np.timedelta64(HOUR_US, "us")
    value = np.where(np.arange(200) < 100, 5000.0 + 2 * np.arange(200), 2.0 * (np.arange(200) - 99))
    change = int(micros(at[99]))
    mountings = [
        Mounting(device="M", end_us=change, final=5198.0),
        Mounting(device="M", start_us=change, first=0.0),
    ]
    made = build(Readings.of(KEY, np.zeros(200), at, value), mountings, (), Rules())
    assert made.curve.total[-1] == 398 * NANO
    assert [mark.rule for _, mark in made.marks] == [Rule.SWAP]


def test_a_multiplier_scales_dial_and_recorded_readings() -> None:
    at = np.datetime64("2026-01-01", "us") + np.arange(10) * np.timedelta64(HOUR_US, "us")
    lot = Readings.of(KEY, np.zeros(10), at, 100.0 + np.arange(10))
    mounting = Mounting(device="M", start_us=int(micros(at[0])) - HOUR_US, first=99.0, multiplier=40.0)
    assert build(lot, [mounting], (), Rules()).curve.total[-1] == 400 * NANO


def test_months_are_their_days_over_a_year() -> None:
    lot = readings_of(7, 9000, [("drop", 0.3, 9), ("swap", 0.6, 1)])
    curve = built(lot).curve
    first, last = np.datetime64(int(curve.at_us[0]), "us"), np.datetime64(int(curve.at_us[-1]), "us")
    months = edges(Period.MONTH, first, last)
    days = edges(Period.DAY, months[0], months[-1])
    of_days = periods(curve, days)
    of_months = periods(curve, months)
    sums = [of_days.nano[(of_days.start >= a) & (of_days.start < b)].sum() for a, b in pairwise(months)]
    assert sums == of_months.nano.tolist()


def test_a_swap_told_by_the_mountings_and_by_an_event_is_one() -> None:
    at = np.datetime64("2026-01-01", "us") + np.arange(200) * np.timedelta64(HOUR_US, "us")
    value = np.where(np.arange(200) < 100, 5000.0 + 2 * np.arange(200), 2.0 * (np.arange(200) - 99))
    change = int(micros(at[99]))
    mountings = [
        Mounting(device="M", end_us=change, final=5198.0),
        Mounting(device="M", start_us=change, first=0.0),
    ]
    told = DialEvent(
        id="e",
        meter="M",
        at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=change),
        kind=EventKind.SWAP,
        final=5198.0,
        first=0.0,
    )
    made = build(Readings.of(KEY, np.zeros(200), at, value), mountings, [told], Rules())
    assert made.curve.total[-1] == 398 * NANO
    assert [mark.rule for _, mark in made.marks] == [Rule.SWAP]
