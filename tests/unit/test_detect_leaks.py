"""Leaks against the point's own nights: found soon, cleared when they end, and never for a point's own way alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.anomalies.finding import Finding
from analytics.anomalies.hours import HOUR_US, Hours, free_days, on_clock
from analytics.anomalies.leak import leaks, never_zero
from core.calendar import PRAGUE

START_US = int(np.datetime64("2025-01-06T00", "us").astype(np.int64))


def hours_of(amount: np.ndarray, share: np.ndarray | None = None) -> Hours:
    start = START_US + np.arange(len(amount)) * HOUR_US
    day, hour = on_clock(start, PRAGUE)
    return Hours(
        start_us=start,
        amount=amount.astype(float),
        share=np.ones(len(amount)) if share is None else share,
        known_us=start + HOUR_US,
        day=day,
        hour=hour,
        free=free_days(day, np.empty(0, np.int64)),
        off=np.zeros(len(day), bool),
        quantum=0.001,
    )


def office(days: int, seed: int = 1) -> np.ndarray:
    """Flow by day, none at night, now and then somebody stays."""
    rng = np.random.default_rng(seed)
    _, hour = on_clock(START_US + np.arange(days * 24) * HOUR_US, PRAGUE)
    by_day = np.where((hour >= 7) & (hour < 17), rng.uniform(0.02, 0.4, days * 24), 0.0)
    return np.round(by_day + np.where(rng.random(days * 24) < 0.03, 0.01, 0), 3)


def hospital(days: int, seed: int = 1) -> np.ndarray:
    """Flow without a pause: nights between 0.3 and 0.6 m³/h."""
    rng = np.random.default_rng(seed)
    _, hour = on_clock(START_US + np.arange(days * 24) * HOUR_US, PRAGUE)
    return np.round(np.where((hour >= 6) & (hour < 20), 2.0, 0.3) * rng.uniform(1, 2, days * 24), 3)


def told(found: list[Finding], amount: np.ndarray) -> list[tuple[int, int]]:
    """Return the hours of begin and of telling."""
    assert all(0 <= one.from_us - START_US < len(amount) * HOUR_US for one in found)
    return [((one.from_us - START_US) // HOUR_US, (one.raised_us - START_US) // HOUR_US) for one in found]


@pytest.mark.parametrize("onset_hour", range(0, 24, 3))
def test_leak_in_an_office_is_told_within_a_day(onset_hour: int) -> None:
    amount, onset = office(100), 80 * 24 + onset_hour
    amount[onset:] += 0.02
    found = leaks(hours_of(amount), START_US + len(amount) * HOUR_US)
    assert len(found) == 1
    assert found[0].to_us is None
    [(begin, raised)] = told(found, amount)
    assert abs(begin - onset) <= 12
    assert 0 < raised - onset <= 24
    assert found[0].loss_per_day == pytest.approx(0.48, rel=0.15)


def test_hospital_that_flows_all_nights_is_told_of_a_leak_and_of_nothing_else() -> None:
    amount = hospital(120)
    now_us = START_US + len(amount) * HOUR_US
    assert leaks(hours_of(amount), now_us) == []
    assert never_zero(hours_of(amount), now_us) == []
    onset = 90 * 24 + 11
    amount[onset:] += 1.0
    found = leaks(hours_of(amount), now_us)
    assert len(found) == 1
    assert 0 < told(found, amount)[0][1] - onset <= 24


def test_leak_clears_when_it_is_mended_and_is_one_where_it_pauses() -> None:
    amount = office(120)
    amount[80 * 24 : 90 * 24] += 0.03
    amount[85 * 24] = 0.0
    now_us = START_US + len(amount) * HOUR_US
    [found] = leaks(hours_of(amount), now_us)
    assert found.to_us is not None
    assert abs(found.to_us - START_US - 90 * 24 * HOUR_US) <= 24 * HOUR_US


def test_closed_building_that_is_used_again_is_no_leak() -> None:
    amount = office(150)
    amount[60 * 24 : 100 * 24] = 0.0
    assert leaks(hours_of(amount), START_US + len(amount) * HOUR_US) == []


def test_hours_of_which_nothing_is_known_alarm_nobody() -> None:
    amount = office(100)
    amount[70 * 24 : 75 * 24] = np.nan
    share = np.where(np.isnan(amount), 0.0, 1.0)
    assert leaks(hours_of(amount, share), START_US + len(amount) * HOUR_US) == []
    assert leaks(hours_of(np.full(100, np.nan), np.zeros(100)), START_US) == []


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(75 * 24, 99 * 24), seed=st.integers(0, 5))
def test_what_was_told_does_not_change_with_what_comes_later(cut: int, seed: int) -> None:
    amount = office(100, seed)
    amount[80 * 24 + 5 :] += 0.015
    whole, early = hours_of(amount), hours_of(amount[:cut])
    later = [one for one in leaks(whole, START_US + 100 * 24 * HOUR_US) if one.raised_us <= START_US + cut * HOUR_US]
    sooner = leaks(early, START_US + cut * HOUR_US)
    assert [(one.from_us, one.raised_us) for one in sooner] == [(one.from_us, one.raised_us) for one in later]


@pytest.mark.parametrize(("digit_m3", "share"), [(0.01, 0.8), (0.1, 0.4)])
def test_leak_of_less_than_a_digit_an_hour_is_told_of_a_coarse_dial(digit_m3: float, share: float) -> None:
    flow, onset = office(110), 90 * 24 + 20
    dial = np.concatenate([[0.0], np.cumsum(flow)])
    coarse = np.diff(np.floor(dial / digit_m3) * digit_m3)
    now_us = START_US + len(flow) * HOUR_US
    assert leaks(replace(hours_of(coarse), quantum=digit_m3), now_us) == []
    dial[onset:] += share * digit_m3 * np.arange(len(dial) - onset)
    leaking = replace(hours_of(np.diff(np.floor(dial / digit_m3) * digit_m3)), quantum=digit_m3)
    assert (leaking.amount[onset:] == 0).any()
    [found] = leaks(leaking, now_us)
    assert 0 < told([found], flow)[0][1] - onset <= 48


def test_flow_without_a_pause_is_told_where_there_were_pauses() -> None:
    amount = office(120)
    whole = hours_of(amount)
    flowing = replace(whole, amount=np.where(np.arange(len(amount)) >= 90 * 24, np.maximum(amount, 0.002), amount))
    found = never_zero(flowing, START_US + len(amount) * HOUR_US)
    assert len(found) == 1
    assert told(found, amount)[0][1] - 90 * 24 <= 72
