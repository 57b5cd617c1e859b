from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.errors import InputError
from core.registry import BuildingKind, Commodity
from simulators import faults
from simulators.faults import Fault, Faulted
from simulators.loads import Load
from simulators.meter import Dial, SimulatedMeter, Stream, as_readings, canonical_values, read
from simulators.plan import planned, sent_in
from simulators.truth import NANO, FaultKind, added_nano, consumed_nano, hourly_amounts

START, END = np.datetime64("2025-03-24", "us"), np.datetime64("2025-04-07", "us")
SINCE, UNTIL = np.datetime64("2025-03-28T06:07", "us"), np.datetime64("2025-03-28T18:07", "us")
WATER = Load(kind=BuildingKind.HOSPITAL, commodity=Commodity.COLD_WATER, annual=20_000.0, seed=3, weather=7)


def meter(**dial: object) -> SimulatedMeter:
    given = {"unit": "m³", "decimals": 3, "first": 1234.5, **dial}
    return SimulatedMeter(
        device="w1",
        point="P1",
        register="volume.total",
        load=WATER,
        dial=Dial(**given),  # type: ignore[arg-type]
        mounted=np.datetime64("2025-01-01", "us"),
    )


@pytest.fixture
def clean() -> Stream:
    return read(meter(), START, END)


def hit(stream: Stream) -> np.ndarray:
    return (stream.at >= SINCE) & (stream.at < UNTIL)


def consumed(stream: Stream) -> float:
    return float(canonical_values(stream)[-1] - canonical_values(stream)[0])


@pytest.mark.parametrize(
    ("unit", "decimals", "step"),
    [("kWh", 3, 0.001), ("Wh", 0, 0.001), ("MWh", 4, 0.1), ("GJ", 3, 0.27778), ("kWh", 0, 1.0)],
)
def test_dial_differences_are_the_truth_to_the_last_digit(unit: str, decimals: int, step: float) -> None:
    heat = Load(kind=BuildingKind.SCHOOL, commodity=Commodity.HEAT, annual=500_000.0, seed=3, weather=7)
    dial = Dial(unit=unit, decimals=decimals, first=100.0)
    own = SimulatedMeter(device="t", point="P", register="energy.total", load=heat, dial=dial, mounted=START)
    stream = read(own, START, END)
    truth = consumed_nano(heat, START, stream.at) / NANO
    shown = canonical_values(stream) - canonical_values(stream)[0]
    assert np.all(shown <= truth + 1e-6)
    assert np.all(truth - shown < step + 1e-6)
    assert np.array_equal(stream.value, np.round(stream.value, decimals))


def test_days_of_the_clock_change_have_92_and_100_quarter_hours() -> None:
    for first, last, count in (
        ("2025-03-29T23:00", "2025-03-30T22:00", 92),
        ("2025-10-25T22:00", "2025-10-26T23:00", 100),
    ):
        stream = read(meter(), np.datetime64(first, "us"), np.datetime64(last, "us"))
        assert len(stream) == count
        assert np.all(np.diff(stream.at) == np.timedelta64(900, "s"))


def test_jitter_and_phase_stay_inside_their_interval() -> None:
    stream = read(meter(interval_s=3600, jitter_s=600, phase_s=30), START, END)
    late_s = stream.at.astype("int64") // 1_000_000 % 3600
    assert late_s.min() >= 30
    assert 300 < late_s.max() <= 630
    with pytest.raises(InputError, match="interval"):
        Dial(interval_s=60, jitter_s=60)


def test_a_slice_of_readings_is_part_of_the_whole(clean: Stream) -> None:
    part = read(meter(), np.datetime64("2025-03-30", "us"), np.datetime64("2025-03-31", "us"))
    chosen = np.isin(clean.at, part.at)
    assert np.array_equal(clean.value[chosen], part.value)


def test_a_leak_raises_the_dial_and_the_truth_alike(clean: Stream) -> None:
    laid = faults.leak(clean, since=SINCE, until=UNTIL, per_hour=0.5)
    assert laid.truth.amount == pytest.approx(6.0)
    assert consumed(laid.stream) - consumed(clean) == pytest.approx(6.0, abs=0.002)
    at, with_leak = hourly_amounts(WATER, START, END, [laid.truth])
    assert with_leak.sum() - hourly_amounts(WATER, START, END)[1].sum() == pytest.approx(6.0, abs=1e-6)
    inside = (at > SINCE) & (at < UNTIL - np.timedelta64(1, "h"))
    assert (with_leak - hourly_amounts(WATER, START, END)[1])[inside] == pytest.approx(0.5, abs=1e-6)


def test_a_burst_pipe_is_a_large_leak_for_hours(clean: Stream) -> None:
    laid = faults.burst_flow(clean, since=SINCE, until=UNTIL, per_hour=20.0)
    assert laid.truth.kind is FaultKind.BURST_FLOW
    assert added_nano([laid.truth], np.array([END]))[0] == 240 * NANO


def test_a_stuck_dial_repeats_and_catches_up(clean: Stream) -> None:
    laid = faults.stuck(clean, since=SINCE, until=UNTIL)
    assert len(set(laid.stream.value[hit(clean)].tolist())) == 1
    assert np.array_equal(laid.stream.value[~hit(clean)], clean.value[~hit(clean)])
    assert laid.truth.amount is not None
    assert laid.truth.amount > 0


def test_a_stuck_wheel_loses_what_passed(clean: Stream) -> None:
    laid = faults.stuck(clean, since=SINCE, until=UNTIL, catches_up=False)
    assert laid.truth.amount is not None
    assert consumed(clean) - consumed(laid.stream) == pytest.approx(laid.truth.amount, abs=1e-6)
    assert np.all(np.diff(laid.stream.value) >= 0)


@pytest.mark.parametrize("lay", [faults.gap, faults.dead])
def test_a_gap_and_a_dead_meter_say_nothing(clean: Stream, lay: Callable[..., Faulted]) -> None:
    laid = lay(clean, since=SINCE, until=UNTIL)
    assert len(clean) - len(laid.stream) == 48
    assert not hit(laid.stream).any()
    assert consumed(laid.stream) == consumed(clean)


def test_a_dead_meter_never_speaks_again(clean: Stream) -> None:
    laid = faults.dead(clean, since=SINCE)
    assert laid.stream.at.max() < SINCE
    assert laid.truth.as_json()["to"] is None


def test_zero_and_glitch_go_off_the_line_and_come_back(clean: Stream) -> None:
    short = SINCE + np.timedelta64(30, "m")
    for laid, expected in (
        (faults.zero(clean, since=SINCE, until=short), lambda v: v * 0),
        (faults.glitch(clean, since=SINCE, until=short, factor=10), lambda v: v * 10),
        (faults.glitch(clean, since=SINCE, until=short, add=-25), lambda v: v - 25),
    ):
        wrong = np.flatnonzero(laid.stream.value != clean.value)
        assert len(wrong) == 2 == laid.truth.detail["readings"]
        assert laid.stream.value[wrong] == pytest.approx(expected(clean.value[wrong]))


def test_a_rolled_over_dial_falls_once_by_its_modulus(clean: Stream) -> None:
    laid = faults.rollover(clean, since=SINCE, digits=4)
    falls = np.flatnonzero(np.diff(laid.stream.value) < 0)
    assert len(falls) == 1
    assert laid.stream.at[falls[0]] < SINCE <= laid.stream.at[falls[0] + 1]
    wrapped = np.round(np.diff(laid.stream.value), 3) % 10_000
    assert wrapped == pytest.approx(np.diff(clean.value), abs=1e-9)
    assert laid.stream.digits == 4


@pytest.mark.parametrize("device", ["", "w1-new"])
def test_a_swap_tells_final_and_first(clean: Stream, device: str) -> None:
    laid = faults.swap(clean, since=SINCE, first=7.0, new_device=device)
    told = laid.truth.detail
    old, new = laid.stream.at < SINCE, laid.stream.at >= SINCE
    across = told["final"] - laid.stream.value[old][0] + laid.stream.value[new][-1] - told["first"]
    assert across == pytest.approx(consumed(clean), abs=1e-6)
    names = [laid.stream.devices[code] for code in laid.stream.device]
    assert set(np.array(names)[new]) == {device or "w1"}
    assert laid.truth.as_json()["to"] == laid.truth.as_json()["from"]


def test_a_unit_change_keeps_the_amount_when_stated_and_not_when_unstated(clean: Stream) -> None:
    said = faults.unit_change(clean, since=SINCE, to="l").stream
    assert canonical_values(said) == pytest.approx(canonical_values(clean), rel=1e-12)
    assert said.units == ("m³", "l")
    unsaid = faults.unit_change(clean, since=SINCE, to="l", stated=False).stream
    assert consumed(unsaid) > 900 * consumed(clean)
    with pytest.raises(InputError, match="measure"):
        faults.unit_change(clean, since=SINCE, to="kWh")


def test_late_readings_come_in_one_batch_and_lose_nothing(clean: Stream) -> None:
    laid = faults.late(clean, since=SINCE, until=UNTIL, delay_h=48)
    batch = laid.stream.sent == UNTIL + np.timedelta64(48, "h")
    assert batch.sum() == 48
    assert np.array_equal(np.sort(laid.stream.at), clean.at)
    assert np.all(np.diff(laid.stream.sent) >= np.timedelta64(0, "us"))


def test_duplicates_come_again_the_same_or_revised(clean: Stream) -> None:
    again = faults.duplicate(clean, since=SINCE, until=UNTIL)
    assert len(again.stream) == len(clean) + 48
    assert len(np.unique(again.stream.at)) == len(clean)
    revised = faults.duplicate(clean, since=SINCE, until=UNTIL, after_s=60, add=2.0).stream
    for at in clean.at[hit(clean)][:3]:
        first, second = revised.value[revised.at == at]
        assert second - first == pytest.approx(2.0)


def test_out_of_order_readings_overtake_each_other_and_lose_nothing(clean: Stream) -> None:
    laid = faults.out_of_order(clean, since=SINCE, until=UNTIL, within_s=7200)
    assert (np.diff(laid.stream.at) < np.timedelta64(0, "us")).sum() > 5
    assert np.array_equal(np.sort(laid.stream.at), clean.at)
    assert np.all(laid.stream.sent >= laid.stream.at)


def test_a_drifting_clock_states_other_times_for_true_values(clean: Stream) -> None:
    laid = faults.clock_drift(clean, since=SINCE, until=UNTIL, s_per_day=120)
    wrong = (laid.stream.at - clean.at).astype("int64") // 1_000_000
    assert wrong.max() == 59
    assert laid.truth.detail["most_s"] == 60
    assert np.all(wrong[~hit(clean)] == 0)
    assert np.array_equal(laid.stream.value, clean.value)
    assert np.array_equal(laid.stream.sent, clean.sent)


def test_a_burst_of_messages_adds_readings_on_the_line(clean: Stream) -> None:
    laid = faults.burst_messages(clean, since=SINCE, until=SINCE + np.timedelta64(10, "m"), every_s=2)
    assert len(laid.stream) == len(clean) + 300 - 1
    assert len(laid.stream) - len(clean) == laid.truth.detail["readings"]
    assert np.all(np.diff(laid.stream.value) >= 0)
    assert consumed(laid.stream) == consumed(clean)


def test_a_fault_outside_the_stream_is_refused_where_it_needs_the_dial(clean: Stream) -> None:
    with pytest.raises(InputError, match="has no dial"):
        faults.swap(clean, since=np.datetime64("2026-01-01", "us"))


EACH = [
    Fault(kind=FaultKind.LEAK, since=SINCE, until=UNTIL, parameters={"per_hour": 0.3}),
    Fault(kind=FaultKind.BURST_FLOW, since=SINCE, until=UNTIL, parameters={"per_hour": 9.0}),
    Fault(kind=FaultKind.STUCK, since=SINCE, until=UNTIL, parameters={"catches_up": False}),
    Fault(kind=FaultKind.DEAD, since=SINCE),
    Fault(kind=FaultKind.ZERO, since=SINCE, until=UNTIL),
    Fault(kind=FaultKind.GLITCH, since=SINCE, until=UNTIL, parameters={"factor": 10.0}),
    Fault(kind=FaultKind.ROLLOVER, since=SINCE, parameters={"digits": 4}),
    Fault(kind=FaultKind.SWAP, since=SINCE, parameters={"first": 3.0, "new_device": "w2"}),
    Fault(kind=FaultKind.UNIT_CHANGE, since=SINCE, until=UNTIL, parameters={"to": "l"}),
    Fault(kind=FaultKind.GAP, since=SINCE, until=UNTIL),
    Fault(kind=FaultKind.LATE, since=SINCE, until=UNTIL, parameters={"delay_h": 50.0}),
    Fault(kind=FaultKind.DUPLICATE, since=SINCE, until=UNTIL, parameters={"after_s": 7200, "add": 0.5}),
    Fault(kind=FaultKind.OUT_OF_ORDER, since=SINCE, until=UNTIL, parameters={"within_s": 9000}),
    Fault(kind=FaultKind.CLOCK_DRIFT, since=SINCE, until=UNTIL, parameters={"s_per_day": 100.0}),
    Fault(kind=FaultKind.BURST_MESSAGES, since=SINCE, until=UNTIL, parameters={"every_s": 60}),
]


def test_every_kind_of_fault_is_tried_below() -> None:
    assert {fault.kind for fault in EACH} == set(FaultKind)


@pytest.mark.parametrize("fault", EACH, ids=lambda f: str(f.kind))
def test_a_faulted_stream_is_the_same_in_slices_and_whole(fault: Fault) -> None:
    one = planned(meter(), [fault])
    whole = as_readings([sent_in(one, START, END)])
    cuts = [*np.arange(START, END, np.timedelta64(7, "h")).astype("datetime64[us]"), END]
    parts = [as_readings([sent_in(one, a, b)]) for a, b in pairwise(cuts)]
    for name in ("at", "value", "received"):
        assert np.array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name)), name


def test_several_faults_of_a_meter_are_laid_from_the_pipe_outwards() -> None:
    chosen = [EACH[9], EACH[7], EACH[0]]
    one = planned(meter(), chosen)
    assert [f.kind for f in one.faults] == [FaultKind.LEAK, FaultKind.SWAP, FaultKind.GAP]
    swap = next(t for t in one.truth if t.kind is FaultKind.SWAP)
    stream = sent_in(one, START, END)
    told = swap.detail["final"] - stream.value[0] + stream.value[-1] - swap.detail["first"]
    truth = hourly_amounts(WATER, stream.at[0], stream.at[-1] + np.timedelta64(1, "h"), one.truth)[1]
    edge = hourly_amounts(WATER, stream.at[-1], stream.at[-1] + np.timedelta64(1, "h"), one.truth)[1]
    assert truth.sum() - edge.sum() - 0.01 <= told <= truth.sum() + 0.01
