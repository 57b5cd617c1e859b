"""The cheap look misses nothing: whatever the detectors newly tell of later readings, it lets pass."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.anomalies.finding import Rule
from analytics.anomalies.hours import HOUR_US, Hours, of_curve
from analytics.anomalies.point import Seen, Watched, seen
from analytics.anomalies.tuning import Tuning
from analytics.baseline.cleaning import Commodity as Kind
from core.calendar import PRAGUE, Period, edges, instant, micros, moment
from core.curve import Curve, Periods, periods
from core.mounting import Mounting, Rules, build, moduli
from core.readings import Readings, SeriesKey
from core.registry import Commodity, Point
from core.rollup import RollUp
from core.units import unit
from services.detection import Beside, Prices, Told, report_of, told_of
from services.detection_learnt import PointLearnt, learnt_of
from services.detection_past import DaysOff, Watching
from services.detection_tail import Tail, could_show, hours_of
from tests.unit.detection_world import BEGAN, HOUR, START, hours, school_power, school_water

DAYS = 60
OFF = DaysOff(zone=PRAGUE)
POINTS = {
    Kind.WATER: Point(id="w", building="B", name="w", commodity=Commodity.COLD_WATER),
    Kind.ELECTRICITY: Point(id="e", building="B", name="e", commodity=Commodity.ELECTRICITY),
    Kind.GAS: Point(id="g", building="B", name="g", commodity=Commodity.GAS),
}
FAULTS = ("leak", "burst", "stuck", "dead", "gap", "reversed", "endless", "none")


def faulty(kind: Kind, fault: str, begin: int, size: float, seed: int) -> Watched:
    """Return hourly readings of two months and three days, with a fault from an hour of the third last day on."""
    amounts = (school_water if kind is Kind.WATER else school_power)(DAYS + 3, seed)
    place = DAYS * 24 + begin
    usual = float(amounts.mean())
    if fault in {"leak", "endless"}:
        amounts[place:] += size * usual
    if fault == "burst":
        amounts[place : place + 4] += 20 * size * usual
    if fault == "stuck":
        amounts[place:] = 0
    if fault == "reversed":
        amounts[place : place + 8] *= -1
    value = 100 + np.concatenate([[0.0], np.cumsum(amounts)])
    at = micros(instant(START) + np.arange(len(value)) * np.timedelta64(3600, "s"))
    keep = np.ones(len(at), bool)
    if fault in {"dead", "gap"}:
        keep[place : None if fault == "dead" else place + 9] = False
    return Watched(at_us=at[keep], value=value[keep], dial=True, unit=unit_of(kind), zone=PRAGUE, quantum=0.01)


def unit_of(kind: Kind) -> str:
    return "m³" if kind is Kind.WATER else "kWh"


def looked(kind: Kind, watched: Watched, now_us: int) -> tuple[Seen, Told]:
    """Look at all of a point until an instant."""
    known = watched.until(now_us)
    made = seen(known, unit("m3" if kind is Kind.WATER else "kWh"), zero_is_gap=False)
    watching = Watching(point=POINTS[kind], kind=kind, watched=known, seen=made, hours=made.hours)
    return made, told_of(watching, Beside(), moment(np.datetime64(now_us, "us")))


def learnt(told: Told, now_us: int) -> PointLearnt:
    now = moment(np.datetime64(now_us, "us"))
    return learnt_of(told, report_of(told, Prices(), now), Tuning(), "", now)


def tail_of(made: Seen, known: PointLearnt) -> Tail:
    assert known.meter is not None
    new = made.watched.at_us > known.meter.last_us
    watched = replace(made.watched, at_us=made.watched.at_us[new], value=made.watched.value[new])
    lately = None if made.hours is None else made.hours.since(max(len(made.hours) - 60, 0))
    return Tail(watched=watched if new.any() else None, hours=lately)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from([Kind.WATER, Kind.ELECTRICITY, Kind.GAS]),
    fault=st.sampled_from(FAULTS),
    begin=st.integers(0, 30),
    size=st.floats(0.05, 3.0),
    seed=st.integers(0, 5),
)
def test_what_is_newly_told_was_let_pass(kind: Kind, fault: str, begin: int, size: float, seed: int) -> None:
    watched = faulty(kind, fault, begin, size, seed)
    learnt_us = int(micros(instant(BEGAN))) + HOUR_US // 2
    _, before = looked(kind, watched, learnt_us)
    known = learnt(before, learnt_us)
    had = {(one.rule, one.from_us) for one in before.found}
    for hour in (4, 13, 26, 35):
        now_us = learnt_us + hour * HOUR_US
        made, told = looked(kind, watched, now_us)
        newly = {
            one.rule for one in told.found if (one.rule, one.from_us) not in had and one.from_us >= learnt_us - HOUR_US
        }
        newly &= {Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST, Rule.STUCK, Rule.ZEROED, Rule.DEAD, Rule.GAP, Rule.REVERSED}
        could = could_show(POINTS[kind], known, tail_of(made, known), Tuning(), now_us=now_us, days=OFF)
        assert newly <= could | ({Rule.GAP, Rule.DEAD} if could & {Rule.GAP, Rule.DEAD} else set()), (
            hour,
            newly,
            could,
        )


def test_good_days_are_let_pass_seldom() -> None:
    asked = 0
    for seed in range(6):
        for kind in (Kind.WATER, Kind.ELECTRICITY):
            watched = faulty(kind, "none", 0, 1.0, seed)
            learnt_us = int(micros(instant(BEGAN))) + HOUR_US // 2
            _, before = looked(kind, watched, learnt_us)
            known = learnt(before, learnt_us)
            for hour in (3, 9, 15, 23):
                now_us = learnt_us + hour * HOUR_US
                made, _ = looked(kind, watched, now_us)
                asked += bool(could_show(POINTS[kind], known, tail_of(made, known), Tuning(), now_us=now_us, days=OFF))
    assert asked <= 4


def test_hours_of_rollups_are_those_of_the_curve() -> None:
    rng = np.random.default_rng(3)
    at = np.unique(micros(instant(START)) + np.cumsum(rng.integers(200, 9_000, 900)) * 1_000_000)
    at = np.delete(at, np.arange(300, 340))  # a gap of a day and a half
    value = np.cumsum(rng.uniform(0, 0.1, len(at)))
    readings = Readings.of([SeriesKey("d", "")], np.zeros(len(at)), at.astype("datetime64[us]"), value)
    built = build(readings, [Mounting(device="d", moduli=moduli(unit("m3")))], (), Rules(unit="m³"))
    wanted = of_curve(built.curve, PRAGUE, OFF.off, quantum=0.001)
    found = hours_of(rolled(built.curve), OFF, 0.001)
    assert found is not None
    inside = slice(1, -1)
    np.testing.assert_array_equal(found.start_us[inside], wanted.start_us[inside])
    for name in ("day", "hour", "free", "off", "known_us"):
        np.testing.assert_array_equal(getattr(found, name)[inside], getattr(wanted, name)[inside])
    whole = wanted.measured[inside]
    np.testing.assert_allclose(found.amount[inside][whole], wanted.amount[inside][whole], atol=1e-9)
    assert (found.measured == wanted.measured)[inside].mean() > 0.99


def rolled(curve: Curve) -> RollUp:
    first, last = (np.datetime64(int(at), "us") for at in (curve.at_us[0], curve.at_us[-1]))
    made = periods(curve, edges(Period.HOUR, first, last, PRAGUE))
    columns = {name: getattr(made, name) for name in Periods.__slots__}
    return RollUp(series=(SeriesKey("p", "main"),), code=np.zeros(len(made.start), np.int32), **columns)


def test_rollups_of_nothing_have_no_hours() -> None:
    assert hours_of(RollUp.empty(), OFF, 0.0) is None


@pytest.mark.parametrize("hour", [1, 23])
def test_what_was_learnt_survives_being_kept(hour: int) -> None:
    from services.detection_learnt import of_stored  # noqa: PLC0415 - beside what it tests

    now_us = int(micros(instant(BEGAN + hour * HOUR)))
    _, told = looked(Kind.WATER, faulty(Kind.WATER, "leak", 0, 1.0, 1), now_us)
    known = learnt(told, now_us)
    again = of_stored(known.stored())
    assert again is not None
    assert again.report == known.report
    assert again.flow == known.flow
    assert again.meter == known.meter
    assert of_stored(replace(known.stored(), content=b"\x93other")) is None
    assert isinstance(told.shown.hours, Hours)
    assert hours(1).tolist() == list(range(24))
    assert timedelta(hours=1) == HOUR
