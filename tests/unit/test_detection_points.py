"""What detectors look at of stored points: one dial over exchanges, sums, what to expect, what rules judge."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from analytics.anomalies.finding import Finding, Rule, Severity
from analytics.anomalies.waste import Days
from core.calendar import instant, micros
from core.mounting import Mounting
from core.readings import Readings, SeriesKey
from core.registry import Commodity, Dated, DialEvent, EventKind, Point, Role, Term
from services.detection import meant_by_a_measure, reserved_of
from services.detection_expected import Expectation, half_years
from services.detection_past import one_dial, real_parts
from services.detection_rules import OF_CAPACITY, OF_WATER, rules_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY_US = 86_400_000_000


def readings(value: list[float], device: str = "d") -> Readings:
    at = instant(NOW) + np.arange(len(value)) * np.timedelta64(1, "h")
    return Readings.of([SeriesKey(device, "")], np.zeros(len(value)), at, value)


def event(hours: float, kind: EventKind = EventKind.SWAP) -> DialEvent:
    return DialEvent(id="x", meter="d", at=NOW + timedelta(hours=hours), kind=kind)


def test_a_recorded_exchange_makes_no_fall_of_one_dial() -> None:
    _, value = one_dial(readings([10, 11, 12, 0.5, 1.5, 2.5]), [Mounting(device="d")], [event(2.5)])
    np.testing.assert_allclose(np.diff(value), [1, 1, 0, 1, 1])
    _, value = one_dial(readings([10, 11, 12, 0.5, 1.5]), [Mounting(device="d")], [])
    assert np.diff(value).min() == pytest.approx(-11.5)
    retracted = replace(event(2.5), retracted=True)
    _, value = one_dial(readings([10, 11, 0.5]), [Mounting(device="d")], [retracted])
    assert np.diff(value).min() < 0


def test_devices_one_after_the_other_are_one_dial_with_their_multipliers() -> None:
    first, second = readings([10, 11, 12], "a"), readings([0, 1, 2, 3, 4, 5], "b")
    both = Readings.of(
        [*first.series, *second.series],
        np.concatenate([np.zeros(3), np.ones(6)]),
        np.concatenate([first.at, second.at]),
        np.concatenate([first.value, second.value]),
    )
    cut = int(micros(instant(NOW + timedelta(hours=2.5))))
    at, value = one_dial(
        both, [Mounting(device="a", end_us=cut), Mounting(device="b", start_us=cut, multiplier=10)], []
    )
    assert len(at) == 6
    np.testing.assert_allclose(np.diff(value), [1, 1, 0, 10, 10])


def test_virtual_points_are_taken_apart_to_what_has_meters() -> None:
    def point(key: str, *terms: Term) -> Point:
        role = Role.VIRTUAL if terms else Role.BILLING
        return Point(id=key, building="B", name=key, commodity=Commodity.HEAT, role=role, terms=terms)

    known = {p.id: p for p in (point("a"), point("b"), point("v", Term(point="a"), Term(point="b", sign=-1)))}
    known["w"] = point("w", Term(point="v"), Term(point="gone"))
    assert real_parts(known["w"], known) == ["a", "b"]


def test_rules_fit_what_a_point_is() -> None:
    water = Point(id="w", building="B", name="w", commodity=Commodity.COLD_WATER)
    power = Point(id="e", building="B", name="e", commodity=Commodity.ELECTRICITY)
    booked = replace(power, reserved_kw=(Dated(since=date(2026, 1, 1), value=50.0),))
    assert rules_of(water) >= OF_WATER
    assert not rules_of(power) & (OF_CAPACITY | OF_WATER)
    assert rules_of(booked) >= OF_CAPACITY
    assert rules_of(replace(power, commodity=Commodity.PV)) & {Rule.PV_LOW, Rule.BASE_LOAD} == {Rule.PV_LOW}


def test_reserved_capacity_is_that_of_the_month() -> None:
    booked = (Dated(since=date(2026, 1, 1), value=50.0), Dated(since=date(2026, 3, 1), value=80.0))
    point = Point(id="e", building="B", name="e", commodity=Commodity.ELECTRICITY, reserved_kw=booked)
    days = np.array(["2025-12-31", "2026-02-28", "2026-03-01"], "datetime64[D]").astype(np.int64)
    np.testing.assert_array_equal(reserved_of(point, days), [np.nan, 50.0, 80.0])


def test_half_years_follow_each_other_without_a_day_between() -> None:
    found = half_years(date(2024, 11, 5), date(2026, 1, 1))
    assert found[0][0] == date(2024, 7, 1)
    assert found[-1] == (date(2026, 1, 1), date(2026, 6, 30))
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(found))


def days(count: int) -> Days:
    day = 20_000 + np.arange(count)
    ones = np.ones(count)
    return Days(
        day=day, total=ones, base=ones, free=ones < 0, weekend=ones < 0, start_us=day * DAY_US, known_us=day * DAY_US
    )


def test_days_of_works_are_not_known_and_expectations_lie_along_the_days() -> None:
    out = np.zeros(4, bool)
    out[1] = True
    told = Expectation(day=20_001 + np.arange(4), expected=np.arange(4.0), left_out=out)
    quiet = told.quiet(days(4))
    assert np.isnan(quiet.total).tolist() == [False, False, True, False]
    np.testing.assert_array_equal(told.along(days(6), "expected"), [np.nan, 0, 1, 2, 3, np.nan])
    assert told.along(days(6), "temp_c") is None


@pytest.mark.parametrize(("rule", "loss", "days_after", "meant"), [
    (Rule.DEVIATION, -5.0, 100, True),
    (Rule.DRIFT, -5.0, 364, True),
    (Rule.DEVIATION, -5.0, 400, False),
    (Rule.DEVIATION, 5.0, 100, False),
    (Rule.BASE_LOAD, -5.0, 100, False),
])  # fmt: skip
def test_less_after_a_measure_is_what_it_was_for(rule: Rule, loss: float, days_after: int, *, meant: bool) -> None:
    at = (20_000 + days_after) * DAY_US
    found = Finding(
        rule=rule, from_us=at, to_us=None, raised_us=at, severity=Severity.LOW, unit="kWh", loss_per_day=loss
    )
    assert meant_by_a_measure(found, [20_000]) is meant
