"""Acts on the register keep its rules, say what must be computed anew, and can be taken back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import Conflict, InputError, NotFound
from core.notes import Finding, InboxItem, PointFinding, Rule
from core.registry import (
    Building,
    Commodity,
    Dated,
    DialEvent,
    Entity,
    EventKind,
    Meter,
    Organisation,
    Point,
    Role,
    Term,
)
from services import register
from services.register import Answer, By, NewMeter
from storage.records import SqlRecordStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ACT = By(by="eva", now=NOW, why="test")
OWNER = Organisation(id="o", name="Škola")
HOUSE = Building(id="b", organisation="o", name="Budova")
GRID = Point(id="p", building="b", name="Hlavní", commodity=Commodity.ELECTRICITY)
SUB = Point(id="s", building="b", name="Kuchyň", commodity=Commodity.ELECTRICITY, role=Role.SUBMETER, parent="p")
REST = Point(
    id="v",
    building="b",
    name="Zbytek",
    commodity=Commodity.ELECTRICITY,
    role=Role.VIRTUAL,
    terms=(Term(point="p"), Term(point="s", sign=-1)),
)
WATER = Point(id="w", building="b", name="Voda", commodity=Commodity.COLD_WATER)
DIAL = Meter(id="m", point="p", device="elm", mounted=NOW - 100 * DAY, unit="kWh", digits=6, multiplier=40, serial="1")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    store.start()
    store.save([OWNER, HOUSE, GRID, SUB, REST, WATER, DIAL], by="eva", now=NOW)
    yield store
    store.close()


def test_creating_what_is_there_is_a_conflict(records: SqlRecordStore) -> None:
    with pytest.raises(Conflict, match="building b is in the register already"):
        register.create(records, [HOUSE], ACT)


def test_updating_what_is_not_there_is_not_found(records: SqlRecordStore) -> None:
    with pytest.raises(NotFound, match="building b-9"):
        register.update(records, replace(HOUSE, id="b-9"), ACT)


def test_updating_what_another_changed_meanwhile_is_a_conflict(records: SqlRecordStore) -> None:
    register.update(records, replace(HOUSE, name="Nová"), ACT, former=HOUSE)
    with pytest.raises(Conflict, match="changed meanwhile"):
        register.update(records, replace(HOUSE, name="Jiná"), ACT, former=HOUSE)
    assert records.get(Building, "b").name == "Nová"


def test_an_act_that_loses_a_race_is_checked_on_what_the_other_left(records: SqlRecordStore) -> None:
    raced: list[int] = []

    def decide(snapshot: register.Snapshot) -> register.Change:
        raced.append(snapshot.version)
        if len(raced) == 1:
            records.save([replace(DIAL, id="other", point="s", device="x")], by="jan", now=NOW)
        return register.Change(save=(replace(DIAL, id="mine", point="s", device="y"),))

    with pytest.raises(Conflict, match="meter other is mounted on point s"):
        register.perform(records, decide, ACT)
    assert len(raced) == 2


def test_a_change_of_a_point_tells_it_and_the_virtual_ones_made_of_it(records: SqlRecordStore) -> None:
    assert register.update(records, replace(SUB, max_rate=5.0), ACT).points == ("s", "v")
    assert register.update(records, replace(HOUSE, name="Nová"), ACT).points == ()
    assert register.put(records, [replace(SUB, max_rate=5.0)], ACT).points == ()


@pytest.mark.parametrize(
    ("entity", "error", "told"),
    [
        (replace(GRID, parent="s"), Conflict, "stands above itself"),
        (replace(SUB, parent="w"), Conflict, "counts electricity, point w cold_water"),
        (replace(WATER, parent="nowhere"), Conflict, "point nowhere is not in the register"),
        (replace(REST, terms=(Term(point="v"),)), Conflict, "stands above itself"),
        (replace(REST, terms=(Term(point="x"),)), Conflict, "point x is not in the register"),
        (replace(REST, terms=(Term(point="p"), Term(point="w"))), Conflict, "point w cold_water"),
        (replace(REST, terms=(Term(point="p"), Term(point="p"))), Conflict, "named twice"),
        (replace(REST, terms=(Term(point="p", sign=2),)), Conflict, "2 times"),
        (replace(GRID, commodity=Commodity.COLD_WATER), Conflict, "electricity"),
        (replace(DIAL, id="n", device="x", mounted=NOW), Conflict, "meter m is mounted on point p"),
        (replace(DIAL, id="n", device="x", mounted=NOW - 200 * DAY, removed=NOW - 99 * DAY), Conflict, "meter m"),
        (replace(DIAL, id="n", point="s", mounted=NOW), Conflict, "device elm is mounted on point p"),
        (replace(DIAL, id="n", point="v", device="x"), Conflict, "computed from others"),
        (replace(DIAL, point="w", device="x"), InputError, "kWh does not count cold_water"),
        (replace(DIAL, register="steam.total"), InputError, "not known"),
        (replace(DIAL, unit="loket"), InputError, "not known"),
        (replace(OWNER, ico="123"), InputError, "IČO"),
        (replace(HOUSE, latitude=99.0), InputError, "on no map"),
        (
            replace(HOUSE, areas=(Dated(since=date(2024, 1, 1), value=1), Dated(since=date(2024, 1, 1), value=2))),
            InputError,
            "01.01.2024",
        ),
    ],
)
def test_a_broken_rule_names_what_contradicts_and_changes_nothing(
    records: SqlRecordStore, entity: Entity, error: type[Exception], told: str
) -> None:
    version = records.version()
    with pytest.raises(error, match=told):
        register.put(records, [entity], ACT)
    assert records.version() == version


def test_an_ean_names_one_point(records: SqlRecordStore) -> None:
    register.update(records, replace(GRID, code="8" * 18), ACT)
    with pytest.raises(Conflict, match="point p has code"):
        register.update(records, replace(SUB, code="8" * 18), ACT)


def test_circles_of_several_points_are_found(records: SqlRecordStore) -> None:
    third = replace(SUB, id="t", parent="s")
    with pytest.raises(Conflict, match="stands above itself"):
        register.put(records, [third, replace(GRID, parent="t")], ACT)


def test_one_device_counts_for_two_points_when_each_names_its_register(records: SqlRecordStore) -> None:
    register.update(records, replace(DIAL, register="energy.import/t1"), ACT)
    second = replace(DIAL, id="n", point="s", register="energy.import/t2")
    assert register.create(records, [second], ACT).points == ("s", "v")


def test_removing_a_point_that_a_formula_names_is_a_conflict(records: SqlRecordStore) -> None:
    with pytest.raises(Conflict, match="point v"):
        register.remove(records, Point, ["s"], ACT)
    assert register.remove(records, Point, ["v"], ACT).points == ("v",)


# Swaps

AT = NOW - 10 * DAY


def test_a_swap_ends_the_old_meter_and_mounts_the_new_in_one_act(records: SqlRecordStore) -> None:
    version = records.version()
    done = register.swap(records, "p", AT, ACT, final=999.5, new=NewMeter(first=0.25, serial="2", multiplier=1))
    old, new = (records.get(Meter, key) for key in ("m", "p/1"))
    assert old == replace(DIAL, removed=AT, final=999.5)
    assert new == replace(DIAL, id="p/1", mounted=AT, first=0.25, serial="2", multiplier=1)
    assert (done.points, records.version()) == (("p", "v"), version + 1)
    assert [(e.by, e.why) for e in records.audit(limit=2)] == [("eva", "test")] * 2


def test_an_instant_in_the_repeated_hour_of_a_zone_is_the_same_instant(records: SqlRecordStore) -> None:
    twice = datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Prague"), fold=1)
    register.update(records, replace(DIAL, mounted=NOW - 400 * DAY), ACT)
    register.swap(records, "p", twice, ACT, final=1.0)
    version = records.version()
    assert register.swap(records, "p", twice, ACT, final=1.0).points == ()
    assert records.version() == version
    with pytest.raises(Conflict, match="at that very instant"):
        register.record_event(records, replace(EVENT, at=twice), ACT)


def test_a_swap_done_again_changes_nothing(records: SqlRecordStore) -> None:
    for device in ("elm", "elm-2"):
        at = AT if device == "elm" else AT + DAY
        register.swap(records, "p", at, ACT, final=9.0, new=NewMeter(device=device))
        version = records.version()
        assert register.swap(records, "p", at, ACT, final=9.0, new=NewMeter(device=device)).points == ()
        assert records.version() == version


@pytest.mark.parametrize("device", ["elm", "elm-2"])
def test_a_swap_is_undone(records: SqlRecordStore, device: str) -> None:
    register.swap(records, "p", AT, ACT, final=999.5, new=NewMeter(device=device))
    done = register.retract_swap(records, "p/1", ACT)
    assert records.find(Meter) == [DIAL]
    assert done.points == ("p", "v")
    with pytest.raises(NotFound):
        register.retract_swap(records, "p/1", ACT)


def test_a_swap_that_another_followed_is_not_undone_before_that_one(records: SqlRecordStore) -> None:
    register.swap(records, "p", AT, ACT, final=1.0)
    register.swap(records, "p", AT + DAY, ACT, final=2.0)
    with pytest.raises(Conflict, match="undo what followed first"):
        register.retract_swap(records, "p/1", ACT)
    register.retract_swap(records, "p/2", ACT)
    register.retract_swap(records, "p/1", ACT)
    assert records.find(Meter) == [DIAL]


def test_a_meter_that_replaced_none_has_no_swap_to_undo(records: SqlRecordStore) -> None:
    with pytest.raises(Conflict, match="did not take the place"):
        register.retract_swap(records, "m", ACT)


@pytest.mark.parametrize(
    ("point", "at", "error", "told"),
    [
        ("p", NOW + DAY, InputError, "future"),
        ("p", NOW - 100 * DAY, InputError, "no meter is mounted"),
        ("s", AT, InputError, "no meter is mounted"),
        ("x", AT, NotFound, "point x"),
        ("p", AT.replace(tzinfo=None), InputError, "no offset"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    records: SqlRecordStore, point: str, at: datetime, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        register.swap(records, point, at, ACT, final=1.0)
    assert records.find(Meter) == [DIAL]


def test_a_swap_inside_an_ended_meter_is_a_conflict(records: SqlRecordStore) -> None:
    register.swap(records, "p", AT, ACT, final=1.0)
    with pytest.raises(Conflict, match="removed from point p"):
        register.swap(records, "p", AT - DAY, ACT, final=0.5)


# Events and answers

EVENT = DialEvent(id="e", meter="elm", at=AT, kind=EventKind.RESET, final=500.0, first=0.0)


def test_an_event_is_recorded_once_and_retracted(records: SqlRecordStore) -> None:
    assert register.record_event(records, EVENT, ACT).points == ("p", "v")
    assert register.record_event(records, EVENT, ACT).points == ()
    with pytest.raises(Conflict, match="other values"):
        register.record_event(records, replace(EVENT, final=1.0), ACT)
    assert register.retract_event(records, "e", ACT).points == ("p", "v")
    assert register.retract_event(records, "e", ACT).points == ()
    assert records.get(DialEvent, "e") == replace(EVENT, retracted=True)
    assert register.record_event(records, EVENT, ACT).points == ("p", "v")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (replace(EVENT, meter="x"), "device x is on no meter"),
        (replace(EVENT, at=NOW - 200 * DAY), "is not mounted at that instant"),
        (replace(EVENT, new_device="y"), "another device is another meter"),
        (replace(EVENT, at=DIAL.mounted), "mounted or removed at that very instant"),
    ],
)
def test_an_event_that_cannot_be_is_a_conflict(records: SqlRecordStore, event: DialEvent, told: str) -> None:
    with pytest.raises(Conflict, match=told):
        register.record_event(records, event, ACT)


def test_two_events_of_a_dial_at_one_instant_are_a_conflict(records: SqlRecordStore) -> None:
    register.record_event(records, EVENT, ACT)
    with pytest.raises(Conflict, match="event e is recorded at that instant"):
        register.record_event(records, replace(EVENT, id="f", kind=EventKind.SWAP), ACT)


def test_removing_a_meter_with_events_is_a_conflict_that_names_one(records: SqlRecordStore) -> None:
    register.record_event(records, EVENT, ACT)
    with pytest.raises(Conflict, match="event e: device elm is on no meter"):
        register.remove(records, Meter, ["m"], ACT)


def asked(**proposal: object) -> PointFinding:
    finding = Finding(
        meter="elm", register="energy.import", rule=Rule.BREAK, at_from=AT - DAY, at_to=AT, proposal=proposal or None
    )
    return PointFinding(point="p", finding=finding, open=True)


def test_a_break_is_answered_as_proposed(records: SqlRecordStore) -> None:
    done = register.answer(
        records, asked(kind="swap", at=AT.isoformat(), final=500.0, first=0.5), Answer(note="technik"), ACT
    )
    (event,) = records.find(DialEvent)
    assert event == replace(
        EVENT, id=event.id, kind=EventKind.SWAP, first=0.5, register="energy.import", note="technik"
    )
    assert done.points == ("p", "v")


def test_a_break_is_answered_otherwise_than_proposed(records: SqlRecordStore) -> None:
    given = Answer(kind=EventKind.RESET, at=AT - DAY / 2, final=501.0)
    register.answer(records, asked(kind="swap", final=500.0, first=0.5), given, ACT)
    (event,) = records.find(DialEvent)
    assert (event.kind, event.at, event.final, event.first) == (EventKind.RESET, AT - DAY / 2, 501.0, 0.5)


def test_an_answer_that_says_nothing_is_refused(records: SqlRecordStore) -> None:
    with pytest.raises(InputError, match="what happened"):
        register.answer(records, asked(), Answer(), ACT)


# The inbox


def sighted(device: str = "new", at: datetime = AT) -> InboxItem:
    return InboxItem(
        device=device, register="energy.import", unit="kWh", first_seen=at, last_seen=NOW, count=2, last_value=1.0,
        topic="t",
    )  # fmt: skip


def test_an_assigned_device_counts_since_it_was_first_seen_and_leaves_the_inbox(records: SqlRecordStore) -> None:
    records.see([sighted(), replace(sighted(at=AT - DAY), register="power.total"), sighted("other")])
    done = register.assign(records, "new", "s", ACT)
    assert records.get(Meter, "s/1") == Meter(id="s/1", point="s", device="new", mounted=AT - DAY)
    assert [item.device for item in records.inbox()] == ["other"]
    assert done.points == ("s", "v")


def test_a_device_is_assigned_from_a_given_instant_also_when_the_inbox_does_not_know_it(
    records: SqlRecordStore,
) -> None:
    for _ in range(2):
        register.assign(records, "new", "s", ACT, mounted=AT, meter=NewMeter(id="x", unit="kWh", digits=6))
    assert records.get(Meter, "x").mounted == AT
    with pytest.raises(NotFound, match="not in the inbox"):
        register.assign(records, "unknown", "w", ACT)


def test_a_device_assigned_where_another_stands_is_a_conflict_and_stays_in_the_inbox(records: SqlRecordStore) -> None:
    records.see([sighted()])
    with pytest.raises(Conflict, match="meter m is mounted on point p"):
        register.assign(records, "new", "p", ACT)
    assert len(records.inbox()) == 1
