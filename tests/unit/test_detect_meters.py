"""Dead, silent, stuck, zeroed, clipped, reversed: what detectors say of meters, and nothing of good ones."""

import numpy as np
import pytest

from analytics.anomalies.dials import reversed_dial
from analytics.anomalies.finding import Rule
from analytics.anomalies.hours import HOUR_US, free_days, on_clock
from analytics.anomalies.silence import SLACK_US, silences
from analytics.anomalies.still import Steps, standing
from analytics.anomalies.values import below_zero, clipped, spikes
from core.calendar import PRAGUE

QUARTER_US = HOUR_US // 4
START_US = int(np.datetime64("2025-01-06", "us").astype(np.int64))
NO_DAYS = np.empty(0, np.int64)


def instants(days: float, every_us: int = QUARTER_US) -> np.ndarray:
    return START_US + np.arange(1, int(days * 24 * HOUR_US / every_us) + 1) * every_us


def steps_of(counted: np.ndarray, every_us: int = HOUR_US) -> Steps:
    at = instants(len(counted) * every_us / HOUR_US / 24, every_us)
    day, hour = on_clock(at - every_us, PRAGUE)
    return Steps(
        at_us=at,
        length_us=np.full(len(at), every_us),
        counted=counted.astype(float),
        day=day,
        hour=hour,
        free=free_days(day, NO_DAYS),
    )


@pytest.mark.parametrize("every_us", [60_000_000, QUARTER_US, HOUR_US, 24 * HOUR_US])
def test_dead_is_told_within_two_intervals_and_an_hour(every_us: int) -> None:
    at = instants(60, every_us)
    for late_us in (0, every_us // 2):
        found = silences(at, int(at[-1]) + 2 * every_us + HOUR_US + late_us, "kWh")
        assert [one.rule for one in found] == [Rule.DEAD]
        assert found[0].from_us == at[-1]
        assert found[0].to_us is None
        assert found[0].raised_us <= at[-1] + 2 * every_us + HOUR_US


def test_one_missed_reading_is_no_silence() -> None:
    at = instants(40, HOUR_US)
    assert silences(np.delete(at, [300, 500, 700]), int(at[-1]), "kWh") == []


def test_silence_that_ended_is_a_gap_and_what_happens_often_is_not() -> None:
    at = instants(60)
    gap = np.delete(at, np.arange(4000, 4040))
    found = silences(gap, int(at[-1]), "kWh")
    assert [(one.rule, one.from_us, one.to_us) for one in found] == [(Rule.GAP, at[3999], at[4040])]
    often = np.delete(at, np.concatenate([np.arange(n, n + 40) for n in range(500, 5000, 200)]))
    assert 0 < len(silences(often, int(at[-1]), "kWh")) <= 4


def test_storm_of_messages_is_no_rhythm() -> None:
    at = instants(40, HOUR_US)
    storm = at[500] + np.arange(3000) * 2_000_000
    assert silences(np.unique(np.concatenate([at, storm])), int(at[-1]), "kWh") == []


def test_silence_is_told_the_same_whatever_comes_later() -> None:
    at = np.delete(instants(60), np.arange(3000, 3050))
    told = {(one.from_us, one.raised_us) for one in silences(at, int(at[-1]), "kWh")}
    early = silences(at[:3500], int(at[3499]), "kWh")
    assert {(one.from_us, one.raised_us) for one in early} == told
    assert SLACK_US < HOUR_US


def test_meter_that_never_rests_is_stuck_after_two_steps() -> None:
    counted = 5 + np.arange(24 * 40) % 7
    counted[800:820] = 0
    found = standing(steps_of(counted), counted == 0, Rule.STUCK, "kWh")
    assert len(found) == 1
    assert found[0].raised_us == found[0].from_us + 2 * HOUR_US
    assert found[0].to_us == found[0].from_us + 20 * HOUR_US


def test_meter_that_rests_at_night_and_on_sundays_is_stuck_on_a_workday_alone() -> None:
    steps = steps_of(np.ones(24 * 90))
    works = (steps.hour >= 7) & (steps.hour < 16) & ~steps.free
    counted = np.where(works, 3.0, 0.0)
    assert standing(steps, counted == 0, Rule.STUCK, "m³") == []
    stuck = np.where(np.arange(len(counted)) > 24 * 70, 0.0, counted)
    found = standing(steps, stuck == 0, Rule.STUCK, "m³")
    assert len(found) == 1
    assert found[0].to_us is None
    assert 0 < found[0].raised_us - (START_US + 24 * 70 * HOUR_US) <= 16 * HOUR_US


def test_heat_that_stops_for_summer_is_not_stuck() -> None:
    steps = steps_of(np.r_[np.full(24 * 100, 4.0), np.zeros(24 * 60)])
    off = steps.day >= steps.day[0] + 100
    assert standing(steps, steps.counted == 0, Rule.STUCK, "kWh", may_rest=off) == []
    assert len(standing(steps, steps.counted == 0, Rule.STUCK, "kWh")) == 1


def test_dial_that_counts_backwards_is_reversed_and_an_exchanged_one_is_not() -> None:
    at = instants(10, HOUR_US)
    dial = np.r_[np.arange(120.0), 119 - np.arange(1.0, 61), 59 + np.arange(1.0, 61)]
    found = reversed_dial(at, dial, "kWh")
    assert [(one.rule, one.from_us, one.to_us) for one in found] == [(Rule.REVERSED, at[119], at[179])]
    assert found[0].raised_us == at[122]
    exchanged = np.r_[np.arange(5000.0, 5120), np.arange(120.0)]
    assert reversed_dial(at, exchanged, "kWh") == []


def test_cut_tops_are_clipped_and_coarse_values_are_not() -> None:
    rng = np.random.default_rng(1)
    hours = np.arange(24 * 60)
    load = 50 + 30 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 3, len(hours))
    cut = np.minimum(load, 80.0)
    found = clipped(steps_of(cut), "kWh")
    assert found
    assert all(one.evidence["highest"] == 80.0 for one in found)
    assert clipped(steps_of(load), "kWh") == []
    assert clipped(steps_of(np.rint(load / 20) * 20), "kWh") == []


def test_spike_is_told_when_the_next_value_is_back() -> None:
    load = 50 + 10 * np.sin(np.arange(24 * 60) / 24 * 2 * np.pi)
    load[900] = 5000
    found = spikes(steps_of(load), "kWh")
    assert [(one.rule, one.raised_us - one.from_us) for one in found] == [(Rule.SPIKE, 2 * HOUR_US)]
    load[900:1000] = 5000
    assert spikes(steps_of(load), "kWh") == []


def test_amounts_below_zero_are_a_meter_the_wrong_way_round() -> None:
    load = np.full(24 * 20, 5.0)
    load[300:310] = -5
    assert [one.rule for one in below_zero(steps_of(load), "kWh")] == [Rule.REVERSED]
    load[300:310] = [5, -1, 5, -1, 5, -1, 5, 5, 5, 5]
    assert below_zero(steps_of(load), "kWh") == []
