"""One cause, one alert: what is grouped, held back, kept quiet, and how urgent a loss is."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.grouping import (
    FEWEST,
    MISSED,
    PATIENCE,
    SETTLING,
    SOURCE_SILENT,
    Heard,
    Hold,
    LossLimits,
    Place,
    grouped,
    held,
    quiet_until,
    silent_sources,
    weighed,
)
from core.alerts import Detection, Severity, Subject
from core.sending import Quiet, Window, WindowScope

NIGHT = datetime(2026, 3, 10, 21, tzinfo=UTC)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
PRAGUE = ZoneInfo("Europe/Prague")


def fault(subject: str, rule: str = "dead", **changes: object) -> Detection:
    fields: dict[str, object] = {"at_from": NIGHT, "at_to": NIGHT + HOUR, "found_at": NIGHT + HOUR}
    return Detection(subject=subject, rule=rule, **fields | changes)  # type: ignore[arg-type]  # of the names above


def region(meters: int = 1300, gateways: int = 26) -> dict[str, Place]:
    return {
        f"p-{n}": Place(building=f"b-{n % gateways}", sources=("broker", f"gw-{n % gateways}")) for n in range(meters)
    }


def distance(number: int) -> timedelta:
    return (QUARTER, HOUR, DAY)[number % 3]


def last_before(end: datetime, number: int) -> datetime:
    return end - timedelta(seconds=(number * 7919) % int(distance(number).total_seconds()))


# Silent sources


def test_a_broker_down_for_a_night_is_one_alert_at_every_look_of_the_night() -> None:
    places = region()
    heard = [Heard(subject=p, last=last_before(NIGHT, n), expected=distance(n)) for n, p in enumerate(places)]
    keys = set()
    for minutes in range(5, 9 * 60, 5):
        now = NIGHT + timedelta(minutes=minutes)
        dead = [
            fault(h.subject, at_from=h.last, at_to=now)
            for h in heard
            if now - h.last > MISSED * h.expected + timedelta(hours=1)
        ]
        told = grouped(dead, silent_sources(heard, places, now), places, now)
        keys |= {d.key for d in told}
        assert len(told) <= 1
    assert keys == {f"{SOURCE_SILENT}|source|broker"}


def test_a_silent_gateway_is_one_alert_and_the_others_are_not_touched() -> None:
    places = region(60, 3)
    now = NIGHT + 3 * HOUR
    heard = [
        Heard(subject=p, last=NIGHT if place.sources[1] == "gw-1" else now, expected=QUARTER)
        for p, place in places.items()
    ]
    dead = [fault(h.subject, at_to=now) for h in heard if h.last == NIGHT]
    (told,) = grouped(dead, silent_sources(heard, places, now), places, now)
    assert (told.subject, told.kind, len(told.covers), told.at_from) == ("gw-1", Subject.SOURCE, 20, NIGHT)


def test_meters_that_were_dead_before_are_neither_proof_nor_covered() -> None:
    places = {f"p-{n}": Place(sources=("gw",)) for n in range(10)}
    now = NIGHT + 3 * HOUR
    long_dead = [Heard(subject=f"p-{n}", last=NIGHT - 30 * DAY, expected=QUARTER) for n in range(8)]
    fresh = [Heard(subject=f"p-{n}", last=NIGHT, expected=QUARTER) for n in (8, 9)]
    assert silent_sources([*long_dead, *fresh], places, now) == []
    three = [*long_dead[:7], *(Heard(subject=f"p-{n}", last=NIGHT, expected=QUARTER) for n in (7, 8, 9))]
    (silence,) = silent_sources(three, places, now)
    assert silence.subjects == ("p-7", "p-8", "p-9")


def test_one_meter_that_still_speaks_proves_its_source_alive() -> None:
    places = {f"p-{n}": Place(sources=("gw",)) for n in range(50)}
    now = NIGHT + 3 * HOUR
    heard = [Heard(subject=f"p-{n}", last=NIGHT, expected=QUARTER) for n in range(49)]
    speaking = Heard(subject="p-49", last=now - QUARTER, expected=QUARTER)
    assert silent_sources([*heard, speaking], places, now) == []


@given(st.integers(0, 4000), st.integers(1, 40))
def test_no_source_is_called_silent_before_enough_meters_are_overdue(seconds: int, meters: int) -> None:
    places = {f"p-{n}": Place(sources=("gw",)) for n in range(meters)}
    now = NIGHT + timedelta(seconds=seconds)
    heard = [Heard(subject=f"p-{n}", last=NIGHT, expected=QUARTER) for n in range(meters)]
    silent = bool(silent_sources(heard, places, now))
    assert silent == (meters >= FEWEST and now - NIGHT > MISSED * QUARTER + PATIENCE)


def test_other_faults_of_a_silent_gateways_meters_are_still_told() -> None:
    places = {f"p-{n}": Place(sources=("gw",)) for n in range(3)}
    now = NIGHT + 3 * HOUR
    heard = [Heard(subject=p, last=NIGHT, expected=QUARTER) for p in places]
    told = grouped([fault("p-0", "leak"), fault("p-1")], silent_sources(heard, places, now), places, now)
    assert sorted(d.rule for d in told) == ["leak", SOURCE_SILENT]


# Parents and sub-meters


def loss(subject: str, m3_per_day: float, **changes: object) -> Detection:
    return fault(subject, "leak", **{"loss_per_day": m3_per_day, "unit": "m³"} | changes)


FAMILY = {"sub": Place(above=("main",)), "other": Place(above=("main",)), "tap": Place(above=("sub", "main"))}


def told(*found: Detection) -> dict[str, tuple[str, ...]]:
    return {d.subject: d.covers for d in grouped(found, [], FAMILY, NIGHT)}


def test_a_leak_behind_a_sub_meter_is_told_there_and_not_again_above() -> None:
    assert told(loss("main", 5.0), loss("sub", 4.8)) == {"sub": ("main",)}
    assert told(loss("main", 5.0), loss("sub", 4.9), loss("tap", 4.8)) == {"tap": ("main", "sub")}


def test_two_leaks_below_are_two_alerts_and_the_point_above_is_in_the_larger() -> None:
    assert told(loss("main", 5.0), loss("sub", 2.0), loss("other", 2.8)) == {"sub": (), "other": ("main",)}


def test_a_loss_that_the_sub_meters_do_not_have_is_a_cause_of_its_own() -> None:
    assert told(loss("main", 5.0), loss("sub", 1.0)) == {"main": (), "sub": ()}
    assert told(loss("main", 5.0), loss("sub", 2.4), loss("tap", 2.4)) == {"main": (), "tap": ("sub",)}


def test_what_is_not_the_same_fault_is_not_joined() -> None:
    later = loss("sub", 5.0, at_from=NIGHT + DAY, at_to=NIGHT + 2 * DAY)
    assert told(loss("main", 5.0), later) == {"main": (), "sub": ()}
    assert told(fault("main"), fault("sub")) == {"main": (), "sub": ()}
    heat = loss("sub", 5.0, unit="kWh")
    assert told(loss("main", 5.0), heat) == {"main": (), "sub": ()}


# Planned outages


WORKS = Window(
    id="w", scope=WindowScope.BUILDING, key="b-1", start=NIGHT, end=NIGHT + 4 * HOUR, reason="výměna rozvaděče"
)
HERE = Place(building="b-1", above=("main",), sources=("gw",))


@pytest.mark.parametrize(
    ("begins_h", "now_h", "is_held"),
    [(1, 2, True), (-1, 1, True), (5, 5.5, True), (1, 6.5, False), (7, 8, False), (-3, -2, False)],
)
def test_a_fault_of_announced_works_waits_and_one_that_outlasts_them_is_told(
    begins_h: float, now_h: float, *, is_held: bool
) -> None:
    begin, now = NIGHT + begins_h * HOUR, NIGHT + now_h * HOUR
    decision = held(fault("p", at_from=begin, at_to=now), HERE, [WORKS], now)
    assert (decision.why is Hold.PLANNED) == is_held
    assert decision.until == (WORKS.end + SETTLING if is_held else None)


@pytest.mark.parametrize(
    ("scope", "key", "is_held"),
    [
        (WindowScope.ALL, "", True),
        (WindowScope.BUILDING, "b-2", False),
        (WindowScope.POINT, "p", True),
        (WindowScope.POINT, "main", True),
        (WindowScope.POINT, "q", False),
        (WindowScope.SOURCE, "gw", True),
    ],
)
def test_works_concern_what_they_name(scope: WindowScope, key: str, *, is_held: bool) -> None:
    works = Window(id="w", scope=scope, key=key, start=NIGHT, end=NIGHT + HOUR, reason="revize")
    assert bool(held(fault("p"), HERE, [works], NIGHT).why) == is_held


def test_works_hold_back_only_the_rules_they_name() -> None:
    works = Window(id="w", scope=WindowScope.ALL, start=NIGHT, end=NIGHT + HOUR, reason="revize", rules=("dead",))
    assert held(fault("p", "dead"), HERE, [works], NIGHT).why is Hold.PLANNED
    assert held(fault("p", "leak"), HERE, [works], NIGHT).why is Hold.NONE


# Quiet hours


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PRAGUE).astimezone(UTC)


NIGHTLY = Quiet(begin=time(22), end=time(6))


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-01-05T22:00", "2026-01-06T06:00"),
        ("2026-01-06T05:59", "2026-01-06T06:00"),
        ("2026-01-06T06:00", None),
        ("2026-01-06T21:59", None),
        ("2026-03-28T23:30", "2026-03-29T06:00"),
        ("2026-10-25T01:30", "2026-10-25T06:00"),
    ],
)
def test_quiet_hours_are_those_of_the_local_clock(at: str, until: str | None) -> None:
    assert quiet_until([NIGHTLY], Severity.LOW, local(at), PRAGUE) == (None if until is None else local(until))


def test_the_night_of_the_clock_change_is_an_hour_shorter_or_longer() -> None:
    for begin, hours in (("2026-01-05T22:00", 8), ("2026-03-28T22:00", 7), ("2026-10-24T22:00", 9)):
        end = quiet_until([NIGHTLY], Severity.LOW, local(begin), PRAGUE)
        assert end is not None
        assert end - local(begin) == hours * HOUR


def test_what_is_urgent_does_not_wait_unless_nothing_may_disturb() -> None:
    at = local("2026-01-05T23:00")
    assert quiet_until([NIGHTLY], Severity.HIGH, at, PRAGUE) is None
    silent = Quiet(begin=time(22), end=time(6), except_from="")
    assert quiet_until([silent], Severity.HIGH, at, PRAGUE) == local("2026-01-06T06:00")


def test_quiet_hours_that_follow_each_other_end_together_and_weekends_count_as_they_begin() -> None:
    weekend = Quiet(begin=time(0, 1), end=time(0), days=(5, 6))
    friday = Quiet(begin=time(18), end=time(0, 1), days=(4, 5, 6))
    until = quiet_until([weekend, friday], Severity.LOW, local("2026-01-09T19:00"), PRAGUE)
    assert until == local("2026-01-12T00:01")
    always = [Quiet(begin=time(0), end=time(12)), Quiet(begin=time(12), end=time(0))]
    assert quiet_until(always, Severity.LOW, local("2026-01-09T19:00"), PRAGUE) is None


# Severity


@pytest.mark.parametrize(
    ("czk", "own", "severity"),
    [
        (99.9, Severity.LOW, Severity.LOW),
        (100.0, Severity.LOW, Severity.MEDIUM),
        (1000.0, Severity.LOW, Severity.HIGH),
        (5.0, Severity.HIGH, Severity.HIGH),
        (None, Severity.MEDIUM, Severity.MEDIUM),
    ],
)
def test_severity_follows_the_loss_and_never_falls_below_the_detectors(
    czk: float | None, own: Severity, severity: Severity
) -> None:
    assert weighed(fault("p", loss_czk_per_day=czk, severity=own), LossLimits()).severity is severity
