"""From stored readings to alerts: faults are told once, with their loss, and end; nothing is lost over a restart."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from alerts.grouping import SOURCE_SILENT, Heard
from analytics.anomalies.finding import Rule
from core.alerts import AlertFilter, Cause, Severity, State
from core.calendar import instant
from core.detectors import RuleSetting, SettingScope
from core.evidence import traces
from core.readings import Readings, SeriesKey
from core.registry import (
    Adjustment,
    AdjustmentKind,
    Commodity,
    Dated,
    DialEvent,
    EventKind,
    Meter,
    Point,
    Role,
    Term,
)
from core.tariffs import CostPart
from services.alerts import Evaluation
from services.detecting import Detectors
from services.detection_learnt import of_stored
from services.detection_tuning import RuleSettings
from tests.unit.detection_world import BEGAN, DAY, DAYS, HOUR, START, DetectionWorld, school_power, school_water

LEAK_M3_H = 0.05


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DetectionWorld]:
    made = DetectionWorld(tmp_path)
    yield made
    made.close()


def leaking(days: int, more: int, flow: float = LEAK_M3_H) -> np.ndarray:
    """Return the water of a school with a leak for the last `more` hours of it."""
    amounts = school_water(days)
    amounts[-more:] += flow
    return amounts


def test_a_leak_is_one_alert_with_its_loss_and_chart_and_ends_when_the_flow_does(world: DetectionWorld) -> None:
    world.point("w")
    last = world.dial("w", school_water(DAYS))
    world.look(BEGAN)
    assert world.found() == {}
    amounts = school_water(3, seed=2)
    amounts[:40] += LEAK_M3_H
    world.dial("w", amounts[:30], since=BEGAN, first=last)
    world.look(BEGAN + 30 * HOUR + timedelta(minutes=5))
    alert = world.found()["leak w"]
    assert alert.state is State.OPEN
    assert BEGAN <= alert.at_from <= BEGAN + 8 * HOUR
    assert alert.loss_per_day == pytest.approx(24 * LEAK_M3_H, rel=0.35)
    assert (alert.unit, alert.severity, alert.building) == ("m³", Severity.HIGH, "B")
    (flow,) = traces(alert.evidence)
    assert (flow.name, flow.unit) == ("flow", "m³/h")
    assert 90 < len(flow.at) <= 200
    world.dial("w", amounts[30:], since=BEGAN + 30 * HOUR, first=last + float(amounts[:30].sum()))
    world.look(BEGAN + 3 * DAY)
    assert world.found()["leak w"].state is State.CLOSED
    assert [a.rule for a in world.records.alerts(AlertFilter())] == ["leak"]


def test_the_price_of_a_unit_makes_the_loss_in_money(world: DetectionWorld) -> None:
    point = world.point("w")
    world.dial("w", leaking(DAYS + 2, 40))
    told = world.look(BEGAN + 2 * DAY).evaluation.detections
    assert [(d.rule, d.loss_czk_per_day) for d in told] == [("leak", None)]
    assert CostPart.ENERGY  # without a price of the point the loss is in its unit alone
    assert point.id == told[0].subject


def test_a_silent_meter_is_told_within_two_intervals_and_an_hour_and_closes_when_it_speaks(
    world: DetectionWorld,
) -> None:
    world.point("e", Commodity.ELECTRICITY)
    last = world.dial("e", school_power(DAYS))
    world.look(BEGAN + timedelta(minutes=5))
    world.look(BEGAN + 2 * HOUR)
    assert world.found() == {}
    world.look(BEGAN + 3 * HOUR)
    alert = world.found()["dead e"]
    assert (alert.state, alert.at_from) == (State.OPEN, BEGAN.astimezone(UTC))
    world.write("e", BEGAN + 5 * HOUR, [last + 100])
    world.look(BEGAN + 5 * HOUR + timedelta(minutes=5))
    assert sorted(world.found()) == ["dead e"]  # the gap that it left is the same fault
    assert world.found()["dead e"].state is State.CLOSED
    assert len(world.records.outgoing()) == 1


def test_a_register_that_falls_silent_is_told_though_another_of_the_meter_speaks(world: DetectionWorld) -> None:
    """The power that flows back is sent on; what the point consumes is not."""
    world.point("e", Commodity.ELECTRICITY)

    def sent(register: str, hours: int, since: datetime) -> None:
        at = instant(since) + np.arange(hours) * np.timedelta64(3600, "s")
        value = (at - instant(START)) / np.timedelta64(3600, "s") * 2.0
        world.readings.write(Readings.of([SeriesKey("d-e", register)], np.zeros(hours), at, value))

    sent("energy.import", DAYS * 24 + 1, START)
    sent("energy.export", DAYS * 24 + 1, START)
    world.look(BEGAN + timedelta(minutes=5))
    for hour in (1, 2, 3):
        sent("energy.export", 1, BEGAN + hour * HOUR)
        world.look(BEGAN + hour * HOUR + timedelta(minutes=1))
    assert world.found()["dead e"].at_from == BEGAN.astimezone(UTC)


def test_a_stuck_dial_of_a_point_that_never_rests_is_told_at_once(world: DetectionWorld) -> None:
    world.point("e", Commodity.ELECTRICITY)
    last = world.dial("e", school_power(DAYS))
    world.look(BEGAN)
    world.dial("e", np.zeros(3), since=BEGAN, first=last)
    world.look(BEGAN + 3 * HOUR)
    assert world.found()["stuck e"].state is State.OPEN


def test_a_recorded_exchange_is_no_fault_and_an_unrecorded_one_asks(world: DetectionWorld) -> None:
    for key in ("known", "unknown"):
        world.point(key, Commodity.ELECTRICITY)
        last = world.dial(key, school_power(DAYS))
        world.dial(key, school_power(2, seed=3), since=BEGAN + HOUR, first=0.5)
        if key == "known":
            at = BEGAN + timedelta(minutes=30)
            world.save(DialEvent(id="x", meter="d-known", at=at, kind=EventKind.SWAP, final=last + 2, first=0.4))
    world.look(BEGAN + 2 * DAY + HOUR)
    assert sorted(world.found()) == ["break unknown"]
    world.save(DialEvent(id="y", meter="d-unknown", at=BEGAN + timedelta(minutes=30), kind=EventKind.SWAP))
    world.look(BEGAN + 2 * DAY + 2 * HOUR)
    assert world.found()["break unknown"].state is State.CLOSED


def test_a_virtual_point_is_the_sum_of_its_parts_and_the_part_that_leaks_is_named(world: DetectionWorld) -> None:
    world.point("a")
    world.point("b")
    parts = (Term(point="a"), Term(point="b"))
    world.save(Point(id="v", building="B", name="v", commodity=Commodity.COLD_WATER, role=Role.VIRTUAL, terms=parts))
    world.dial("a", leaking(DAYS + 2, 40))
    world.dial("b", school_water(DAYS + 2, seed=5))
    looked = world.look(BEGAN + 2 * DAY)
    assert {(d.rule, d.subject) for d in looked.evaluation.detections} == {("leak", "a"), ("leak", "v")}
    (alert,) = world.records.alerts(AlertFilter())
    assert (alert.subject, alert.covers) == ("a", ("v",))


def test_evaluating_in_steps_over_restarts_tells_the_same_as_at_once(world: DetectionWorld) -> None:
    world.point("w")
    world.point("e", Commodity.ELECTRICITY)
    water, power = leaking(DAYS + 3, 60), school_power(DAYS + 3)
    first = {"w": 100.0, "e": 100.0}
    for key, amounts in (("w", water), ("e", power)):
        first[key] = world.dial(key, amounts[: DAYS * 24])
    for hour in range(0, 72, 6):
        at = BEGAN + hour * HOUR
        for key, amounts in (("w", water), ("e", power)):
            part = amounts[DAYS * 24 + hour :][:6] if key == "w" or hour < 42 else np.zeros(6)
            first[key] = world.dial(key, part, since=at, first=first[key])
        world.start()
        world.look(at + 6 * HOUR, settled=hour % 12 == 0, hurry=hour % 18 != 0)
    stepwise = {key: (a.at_from, a.state, a.reopened) for key, a in world.found().items()}
    assert sorted(stepwise) == ["leak w", "stuck e"]
    assert {state for _, state, _ in stepwise.values()} == {State.OPEN}
    world.records.forget_learnt([one.point for one in world.records.learnt()])
    at_once = Detectors(world.region()).evaluate((BEGAN + 72 * HOUR).astimezone(UTC))
    assert at_once is not None
    assert {f"{d.rule} {d.subject}": d.at_from for d in at_once.evaluation.detections} == {
        key: at_from for key, (at_from, _, _) in stepwise.items()
    }
    assert len(world.records.outgoing()) == 2


def test_killed_between_report_and_keeping_it_tells_nothing_twice(world: DetectionWorld) -> None:
    world.point("w")
    world.dial("w", leaking(DAYS + 2, 40))
    for _ in range(3):
        world.start()
        world.look(BEGAN + 2 * DAY, settled=False)
    assert len(world.records.alerts(AlertFilter())) == len(world.records.outgoing()) == 1
    world.look(BEGAN + 2 * DAY)
    world.start()
    looked = world.look(BEGAN + 2 * DAY + timedelta(minutes=2))
    assert looked.whole == 0
    assert [d.rule for d in looked.evaluation.detections] == ["leak"]
    assert len(world.records.outgoing()) == 1


def test_late_readings_new_meters_and_settings_are_learnt_anew(world: DetectionWorld) -> None:
    world.point("w")
    amounts = school_water(DAYS + 1)
    late = slice(40 * 24, 41 * 24)
    world.dial("w", amounts[: late.start])
    begin = START + timedelta(hours=late.stop)
    world.dial("w", amounts[late.stop :], since=begin, first=100 + float(amounts[: late.stop].sum()))
    assert world.look(BEGAN + DAY).whole == 1
    assert world.look(BEGAN + DAY + timedelta(minutes=2)).whole == 0
    world.dial("w", amounts[late], since=START + 40 * DAY, first=100 + float(amounts[: late.start].sum()))
    assert world.look(BEGAN + DAY + timedelta(minutes=4)).whole == 1
    setting = RuleSetting(
        scope=SettingScope.EVERYWHERE, key="", rule="leak", changed=BEGAN.astimezone(UTC), by="eva", factor=2.0
    )
    RuleSettings(world.records).set(setting)
    assert world.look(BEGAN + DAY + timedelta(minutes=6)).whole == 1
    world.save(Meter(id="m-new", point="w", device="d-new", mounted=BEGAN + 2 * DAY))
    assert world.look(BEGAN + DAY + timedelta(minutes=8)).whole == 1


def test_what_has_no_time_for_waits_and_is_forgotten_until_then(world: DetectionWorld) -> None:
    world.point("w")
    world.dial("w", leaking(DAYS + 2, 40))
    looked = world.look(BEGAN + 2 * DAY, hurry=True)
    assert (looked.whole, looked.waiting, world.found()) == (0, 1, {})
    looked = world.look(BEGAN + 2 * DAY + timedelta(minutes=2))
    assert (looked.whole, looked.waiting, sorted(world.found())) == (1, 0, ["leak w"])


def test_a_rule_that_is_off_tells_nothing_and_ends_its_alert(world: DetectionWorld) -> None:
    world.point("w")
    world.dial("w", leaking(DAYS + 2, 40))
    now = BEGAN + 2 * DAY
    world.look(now)
    off = RuleSetting(
        scope=SettingScope.BUILDING, key="B", rule="leak", changed=now.astimezone(UTC), by="eva", enabled=False
    )
    RuleSettings(world.records).set(off)
    world.look(now + timedelta(minutes=2))
    assert world.found()["leak w"].state is State.CLOSED


def test_a_false_alarm_raises_the_threshold_once_and_can_be_undone(world: DetectionWorld) -> None:
    world.point("w")
    world.dial("w", leaking(DAYS + 2, 40))
    now = (BEGAN + 2 * DAY).astimezone(UTC)
    world.look(now)
    key = world.found()["leak w"].id
    world.alerts.resolve(key, cause=Cause.FALSE_ALARM, note="bazén", by="eva", now=now)
    for minutes in (2, 4):
        world.look(now + timedelta(minutes=minutes))
    settings = RuleSettings(world.records)
    (one,) = settings.all()
    assert (one.scope, one.key, one.rule, one.factor, one.by) == (SettingScope.POINT, "w", "leak", 1.25, "eva")
    (change,) = settings.history(world.records.get(Point, "w"))
    assert (change.before, change.after["factor"], change.why) == (None, 1.25, f"false_alarm: {key}")  # type: ignore[index]
    settings.undo(change.id, by="jan", now=now)
    world.look(now + timedelta(minutes=6))
    assert settings.all() == []
    assert world.found()["leak w"].cause == Cause.FALSE_ALARM


def test_days_of_an_event_without_a_number_are_no_waste(world: DetectionWorld) -> None:
    for key in ("e", "closed"):
        world.point(key, Commodity.ELECTRICITY)
        amounts = school_power(DAYS + 12)
        amounts[DAYS * 24 :] += 6.0
        world.dial(key, amounts)
    day = BEGAN.date()
    world.save(
        Adjustment(id="a", point="closed", since=day, until=day + 20 * DAY, kind=AdjustmentKind.USE, reason="stavba")
    )
    world.look(BEGAN + 12 * DAY)
    assert sorted(world.found()) == ["base_load e"]


def test_reserved_capacity_of_the_month_is_what_counts(world: DetectionWorld) -> None:
    february, march = (Dated(since=(START + n * DAY).date(), value=v) for n, v in ((0, 200.0), (54, 60.0)))
    world.point("e", Commodity.ELECTRICITY, reserved_kw=(february, march))
    at = np.arange(0, DAYS * 96)
    amounts = np.where(at % 96 == 40, 20.0, 2.0)
    value = 100 + np.cumsum(amounts)
    instants = np.datetime64(START.astimezone(UTC).replace(tzinfo=None), "us") + at * np.timedelta64(900, "s")
    series = [SeriesKey("d-e", "energy.total")]
    world.readings.write(Readings.of(series, np.zeros(len(at)), instants, value))
    world.look(START + DAYS * DAY - HOUR)
    alert = world.found()["capacity e"]
    assert (START + 54 * DAY).date() <= alert.at_from.date() <= (START + 55 * DAY).date()
    assert alert.evidence["reserved_kw"] == 60.0
    assert alert.evidence["peak_kw"] == pytest.approx(80.0)


def test_a_broker_down_for_a_night_is_one_alert_of_1300_meters(world: DetectionWorld) -> None:
    count = 1300
    world.point("w")
    last = world.dial("w", school_water(20))
    now = (START + 20 * DAY).astimezone(UTC)
    world.look(now)
    template = of_stored(world.records.learnt(["w"])[0])
    assert template is not None
    assert template.meter is not None
    keys = [f"p{n:04}" for n in range(count - 1)]
    world.save(*(Point(id=k, building="B", name=k, commodity=Commodity.COLD_WATER) for k in keys))
    world.save(*(Meter(id=f"m-{k}", point=k, device=f"d-{k}", mounted=START) for k in keys))
    series = [SeriesKey(f"d-{k}", "volume.total") for k in keys]
    at = np.full(len(keys), np.datetime64(now.replace(tzinfo=None), "us")) - np.arange(len(keys)) * np.timedelta64(
        2, "s"
    )
    world.readings.write(Readings.of(series, np.arange(len(keys)), at, np.full(len(keys), last)))
    world.records.note_topics({f"d-{k}": f"odecet/gw-{n % 7}/{k}" for n, k in enumerate(keys)} | {"d-w": "odecet/w"})
    prints = world.detectors._begin(now)[0].prints
    kept = []
    for key, read_at in zip(keys, at.astype(np.int64).tolist(), strict=True):
        report = replace(template.report, point=key, heard=Heard(subject=key, last=now, expected=HOUR))
        meter = replace(template.meter, last_us=read_at)
        kept.append(replace(template, of=prints[key], report=report, meter=meter).stored())
    world.records.keep_learnt(kept)
    world.start()
    for minutes in (60, 120, 180, 600):
        looked = world.look(now + timedelta(minutes=minutes), hurry=True, rolled=False)
        assert looked.whole == 0
    (alert,) = world.records.alerts(AlertFilter(states=frozenset({State.OPEN})))
    assert (alert.rule, alert.subject, len(alert.covers)) == (SOURCE_SILENT, "broker:1883", count)
    assert len(world.records.alerts(AlertFilter())) == len(world.records.outgoing()) == 1
    back = instant(now + timedelta(hours=11))
    again = np.full(count, back), np.full(count, last + 1)
    series.append(SeriesKey("d-w", "volume.total"))
    world.readings.write(Readings.of(series, np.arange(count), *again))
    world.look(now + timedelta(hours=11, minutes=5), hurry=True, rolled=False)
    assert {a.state for a in world.records.alerts(AlertFilter())} == {State.CLOSED}
    assert len(world.records.outgoing()) == 1


def test_a_gateway_that_comes_back_leaves_no_gap_of_each_meter(world: DetectionWorld) -> None:
    keys = [f"e{n}" for n in range(4)]
    last = {}
    for n, key in enumerate(keys):
        world.point(key, Commodity.ELECTRICITY)
        last[key] = world.dial(key, school_power(30, seed=n))
    world.records.note_topics({f"d-{key}": f"site/gw/{key}" for key in keys})
    now = START + 30 * DAY
    world.look(now)
    world.look(now + 3 * HOUR)
    assert [key.split()[0] for key in world.found()] == [SOURCE_SILENT]
    for key in keys:
        world.write(key, now + 6 * HOUR, [last[key] + 60, last[key] + 75])
    for hours in (7, 9):
        world.look(now + hours * HOUR + timedelta(minutes=5))
    assert {a.rule: a.state for a in world.found().values()} == {SOURCE_SILENT: State.CLOSED}
    assert len(world.records.outgoing()) == 1


def test_nothing_is_judged_of_what_nothing_is_known(world: DetectionWorld) -> None:
    world.point("w")
    assert world.look(BEGAN).evaluation == Evaluation(detections=[], judged=set(), heard=[], sources={})
    assert Rule.LEAK.value == "leak"
