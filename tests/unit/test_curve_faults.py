"""The fault streams that six peers were measured on, and the faults of real dials, on the cumulative curve."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from core.calendar import Period, edges
from core.curve import Periods, estimated_seconds, periods
from core.mounting import Built, Mounting, Rules, build, moduli
from core.notes import Rule
from core.readings import Readings, SeriesKey
from core.registry import DialEvent, EventKind
from core.rollup import NANO
from core.units import unit

START = np.datetime64("2026-01-01T00:00", "us")
STEP = np.timedelta64(15, "m")
COUNT = 30 * 96
Values = npt.NDArray[np.float64]


def times(count: int = COUNT) -> npt.NDArray[np.datetime64]:
    return START + np.arange(count + 1) * STEP.astype("timedelta64[us]")


def dial(mean_kw: float, *, start: float = 120_000.0, seed: int = 1) -> Values:
    rng = np.random.default_rng(seed)
    hour = (np.arange(COUNT) // 4) % 24
    load = np.where((hour >= 7) & (hour < 17), 1.7, 0.5) * rng.uniform(0.8, 1.2, COUNT)
    steps = load / load.mean() * mean_kw / 4
    return np.round(start + np.concatenate([[0], np.cumsum(steps)]), 3)


def curve(
    at: npt.NDArray[np.datetime64], values: Values, *events: DialEvent, rules: Rules | None = None, **meter: float
) -> Built:
    readings = Readings.of((SeriesKey("M", "energy.total"),), np.zeros(len(at)), at, values)
    mounting = Mounting(device="M", moduli=moduli(unit("kWh")), **meter)  # type: ignore[arg-type]
    return build(readings, [mounting], events, rules or Rules())


def month(built: Built, end: npt.NDArray[np.datetime64]) -> float:
    made = periods(built.curve, np.array([START, end[-1]]))
    return float(made.nano[0]) / NANO


def swap(at: np.datetime64, final: float | None, first: float | None, kind: EventKind = EventKind.SWAP) -> DialEvent:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at.astype(np.int64)))
    return DialEvent(id="e", meter="M", at=when, kind=kind, final=final, first=first)


def found(built: Built) -> list[Rule]:
    return [mark.rule for _, mark in built.marks]


def swapped(values: Values, at: int, first: float) -> tuple[Values, float]:
    """Return the stream whose meter is exchanged after reading `at`, and the old dial's final reading."""
    out = values.copy()
    out[at + 1 :] = first + values[at + 1 :] - values[at]
    return np.round(out, 3), float(values[at])


MEANS = [30.0, 120.0, 3.0, 900.0]
SWAPS: Sequence[tuple[str, float]] = [("zero", 0.0), ("refurbished", 0.95), ("higher", 330_000.0), ("slightly", 1.01)]


@pytest.mark.parametrize("mean_kw", MEANS)
def test_month_is_the_dial_difference_when_nothing_is_wrong(mean_kw: float) -> None:
    values = dial(mean_kw)
    built = curve(times(), values)
    assert month(built, times()) == pytest.approx(values[-1] - values[0], rel=1e-12)
    assert found(built) == []


@pytest.mark.parametrize("mean_kw", MEANS)
def test_month_is_measured_and_days_are_estimated_when_the_radio_is_silent_for_36_hours(mean_kw: float) -> None:
    values, at = dial(mean_kw), times()
    keep = np.ones(len(at), bool)
    keep[1001 : 1001 + 144] = False
    built = curve(at[keep], values[keep])
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-12)
    assert found(built) == [Rule.GAP]
    days = periods(built.curve, edges(Period.DAY, START, at[-1]))
    assert estimated_seconds(days).sum() > 30 * 3600
    assert estimated_seconds(periods(built.curve, at[[0, -1]])).sum() == 0


@pytest.mark.parametrize("mean_kw", MEANS)
@pytest.mark.parametrize(("name", "first"), SWAPS)
def test_month_is_exact_when_the_swap_is_recorded(mean_kw: float, name: str, first: float) -> None:
    values, at = dial(mean_kw), times()
    first = round(first * values[1500], 3) if name in {"refurbished", "slightly"} else first
    stream, final = swapped(values, 1500, first)
    built = curve(at, stream, swap(at[1500] + np.timedelta64(1, "us"), final, first))
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)
    assert found(built) == [Rule.SWAP]


@pytest.mark.parametrize("mean_kw", MEANS)
@pytest.mark.parametrize("hours", [-30, -2, 0, 1, 25])
def test_month_is_exact_when_the_swap_is_recorded_at_about_the_time(mean_kw: float, hours: int) -> None:
    values, at = dial(mean_kw), times()
    stream, final = swapped(values, 1500, 0.0)
    built = curve(at, stream, swap(at[1500] + np.timedelta64(hours, "h"), final, 0.0))
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)


@pytest.mark.parametrize("mean_kw", MEANS)
@pytest.mark.parametrize(("name", "first"), SWAPS[:3])
def test_no_energy_is_invented_and_a_swap_is_proposed_when_it_is_not_recorded(
    mean_kw: float, name: str, first: float
) -> None:
    values, at = dial(mean_kw), times()
    first = round(first * values[1500], 3) if name == "refurbished" else first
    stream, _ = swapped(values, 1500, first)
    built = curve(at, stream)
    step = values[1501] - values[1500]
    assert month(built, at) == pytest.approx(values[-1] - values[0] - step, rel=1e-9)
    assert found(built) == [Rule.BREAK]
    proposal = built.marks[0][1].proposal
    assert proposal is not None
    assert proposal["kind"] in {"swap", "reset"}
    assert (np.diff(built.curve.total) >= 0).all()
    assert periods(built.curve, at[[1500, 1501]]).missing_s[0] == 900


@pytest.mark.parametrize("mean_kw", MEANS)
def test_month_is_exact_when_the_dial_rolls_over(mean_kw: float) -> None:
    values, at = dial(mean_kw, start=100_000 - 15 * 24 * mean_kw), times()
    built = curve(at, np.round(values % 100_000, 3), modulus=100_000.0)
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)
    assert found(built) == [Rule.ROLLOVER] * int(values[-1] // 100_000 - values[0] // 100_000)


@pytest.mark.parametrize("mean_kw", MEANS)
def test_a_rollover_is_proposed_and_exact_once_answered_when_the_digits_are_not_known(mean_kw: float) -> None:
    values, at = dial(mean_kw, start=100_000 - 15 * 24 * mean_kw), times()
    asked = curve(at, np.round(values % 100_000, 3))
    proposal = next(mark.proposal for _, mark in asked.marks if mark.rule is Rule.BREAK)
    assert proposal is not None
    assert proposal["kind"] == "rollover"
    turn = np.datetime64(int(proposal["at_us"]), "us")
    answered = curve(at, np.round(values % 100_000, 3), swap(turn, None, None, EventKind.ROLLOVER))
    if values[-1] < 200_000:
        assert month(answered, at) == pytest.approx(values[-1] - values[0], rel=1e-9)


GLITCHES = {
    "zero": lambda v: v * 0,
    "minus 25": lambda v: v - 25,
    "plus 5000": lambda v: v + 5000,
    "times ten": lambda v: v * 10,
    "negative": lambda v: -v,
    "tenth": lambda v: v / 10,
    "huge": lambda v: v * 0 + 4_294_967_295.0,
    "beyond": lambda v: v * 0 + 1e15,
}


@pytest.mark.parametrize("mean_kw", MEANS)
@pytest.mark.parametrize("name", GLITCHES)
@pytest.mark.parametrize("length", [1, 2, 4])
def test_month_is_exact_and_the_glitch_listed_when_readings_stand_off_the_line(
    mean_kw: float, name: str, length: int
) -> None:
    values, at = dial(mean_kw), times()
    stream = values.copy()
    stream[700 : 700 + length] = [GLITCHES[name](v) for v in values[700 : 700 + length]]
    built = curve(at, stream)
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)
    if not (name in {"minus 25", "plus 5000"} and mean_kw > 100):  # may be within what can flow
        assert found(built) == [Rule.GLITCH]


def test_month_is_exact_when_zeros_come_for_three_days() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[700 : 700 + 288] = 0.0
    built = curve(at, stream)
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)
    assert set(found(built)) == {Rule.GLITCH, Rule.GAP}


def test_month_is_exact_when_an_old_value_is_repeated_for_a_day() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[700:796] = values[700]
    built = curve(at, stream)
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-9)


def test_nothing_is_consumed_when_the_stream_ends_in_a_glitch() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[-2:] = 0.0
    built = curve(at, stream)
    assert month(built, at) == pytest.approx(values[-3] - values[0], rel=1e-9)
    assert periods(built.curve, at[[-2, -1]]).missing_s[0] == 900


def test_a_zero_at_boot_is_no_consumption_when_it_comes_first() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[0] = 0.0
    built = curve(at, stream)
    assert month(built, at) == pytest.approx(values[-1] - values[1], rel=1e-9)
    assert found(built) == [Rule.GLITCH]


def test_later_received_counts_when_an_instant_comes_twice() -> None:
    values, at = dial(30.0), times()
    at2 = np.concatenate([at, at[[500]]])
    wrong = np.concatenate([values, values[[500]]])
    wrong[500] = values[500] + 3
    received = np.concatenate([at, [at[-1]]])
    readings = Readings.of((SeriesKey("M", "energy.total"),), np.zeros(len(at2)), at2, wrong, received=received)
    built = build(readings, [Mounting(device="M")], (), Rules())
    assert month(built, at) == pytest.approx(values[-1] - values[0], rel=1e-12)
    assert found(built) == [Rule.REVISION]
    hour = periods(built.curve, at[[499, 500]])
    assert hour.nano[0] / NANO == pytest.approx(values[500] - values[499], rel=1e-6)


def quarters(made: Periods) -> int:
    return len(made.nano)


def test_a_day_has_92_or_100_quarter_hours_when_the_clock_changes() -> None:
    at = np.datetime64("2026-03-01", "us") + np.arange(0, 260 * 96 + 1) * STEP.astype("timedelta64[us]")
    built = curve(at, 1000 + np.arange(len(at)) * 2.5)
    for day, count in (("2026-03-28T23:00", 92), ("2026-10-24T22:00", 100), ("2026-06-01T22:00", 96)):
        start = np.datetime64(day, "us")
        end = start + np.timedelta64(count * 15, "m")
        made = periods(built.curve, edges(Period.QUARTER_HOUR, start, end))
        assert quarters(made) == count
        assert made.nano.sum() == periods(built.curve, np.array([start, end])).nano[0]
        assert made.nano.sum() == count * 5 * NANO // 2


def monthly(*values: float) -> Built:
    at = np.array([f"2026-{m + 1:02d}-01" for m in range(len(values))], "datetime64[us]")
    return curve(at, np.array(values))


def test_a_swap_between_monthly_readings_is_asked_and_not_taken_for_a_glitch() -> None:
    built = monthly(100.0, 200.0, 50.0, 160.0, 260.0, 360.0)
    assert found(built).count(Rule.BREAK) == 1
    assert Rule.GLITCH not in found(built)
    assert built.curve.total[-1] == 410 * NANO


def test_a_mistyped_monthly_reading_is_a_glitch() -> None:
    assert monthly(100.0, 200.0, 30.0, 400.0, 510.0).curve.total[-1] == 410 * NANO
    assert monthly(100.0, 200.0, 3000.0, 400.0, 510.0).curve.total[-1] == 410 * NANO


def test_a_rollover_is_proposed_only_near_the_turn_of_the_dial() -> None:
    kinds = [(m.proposal or {})["kind"] for _, m in monthly(99_990.0, 20.0, 50.0).marks if m.rule is Rule.BREAK]
    assert kinds == ["rollover"]
    kinds = [(m.proposal or {})["kind"] for _, m in monthly(5_200.0, 4_000.0, 4_100.0).marks if m.rule is Rule.BREAK]
    assert kinds == ["swap"]


def test_a_dial_that_started_again_is_asked_also_when_it_soon_passes_its_old_value() -> None:
    steps = np.full(40, 0.5)
    value = np.concatenate([3.2 - 0.5 * np.arange(7)[::-1], 0.5 + np.cumsum(steps)])
    built = curve(times(len(value) - 1), value)
    assert Rule.BREAK in found(built)
    assert built.curve.total[-1] / NANO == pytest.approx(value[6] - value[0] + value[-1] - value[7])


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.001])
@pytest.mark.parametrize("mean_kw", [3.0, 30.0, 200.0])
def test_a_unit_that_changes_without_a_word_invents_nothing_and_is_asked(mean_kw: float, factor: float) -> None:
    values, at = dial(mean_kw), times()
    stream = values.copy()
    stream[1500:] *= factor
    built = curve(at, stream)
    assert Rule.BREAK in found(built)
    assert month(built, at) == pytest.approx(values[1499] - values[0], rel=1e-6)
    assert periods(built.curve, at[[1500, -1]]).missing_s[0] == (len(at) - 1501) * 900


def test_a_unit_that_changes_for_a_while_leaves_that_time_unknown() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[1500:1800] *= 1000
    built = curve(at, stream)
    known = values[1499] - values[0] + values[-1] - values[1800]
    assert month(built, at) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize("name", ["noise", "both ways"])
def test_what_is_no_dial_counts_next_to_nothing(name: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 1e5, 2000) if name == "noise" else 5000 + np.cumsum(rng.normal(0, 40, 2000))
    built = curve(times(1999), np.round(values, 3))
    rises = np.diff(values)
    assert Rule.BREAK in found(built)
    assert built.curve.total[-1] / NANO < 0.05 * rises[rises > 0].sum()


def test_two_dials_under_one_name_count_as_the_one_that_came_first() -> None:
    values, at = dial(30.0), times()
    stream = values.copy()
    stream[1::2] += 90_000
    assert month(curve(at, stream), at) == pytest.approx(values[-1] - values[0], rel=1e-3)
