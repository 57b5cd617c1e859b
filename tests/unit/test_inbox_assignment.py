"""One device on several points, pulses by their weight, and units that nothing states."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.assigned import Assigned, counts
from core.errors import Conflict, InputError
from core.gaps import DayTypes
from core.notes import InboxItem, Proposal
from core.readings import SeriesKey
from core.registry import Building, Commodity, DialEvent, EventKind, Meter, Organisation, Point, Station
from ingest.inbox import KnownDevices
from services import register
from services.points import MAIN, plans, unit_of
from services.register import By, NewMeter
from storage.records import SqlRecordStore
from tests.unit.api_world import World, build_world

AT = datetime(2026, 1, 1, tzinfo=UTC)
ACT = By(by="novakova", now=AT + timedelta(days=60))
COUNTER = tuple(f"pulse_count.total/c{n}" for n in (1, 2, 3, 4))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path / 'r.sqlite'}")
    store.start()
    points = [
        Point(id=f"p{n}", building="b", name="x", commodity=commodity)
        for n, commodity in enumerate([*[Commodity.COLD_WATER] * 4, Commodity.HEAT, Commodity.HOT_WATER])
    ]
    things = [Organisation(id="o", name="O"), Building(id="b", organisation="o", name="B"), *points]
    register.create(store, things, ACT)
    yield store
    store.close()


def seen(records: SqlRecordStore, *registers: str, device: str = "d") -> None:
    item = InboxItem(
        device=device, register="", unit="", first_seen=AT, last_seen=AT, count=5, last_value=1.0, topic="t"
    )
    records.see([replace(item, register=r) for r in registers])


def left(records: SqlRecordStore) -> list[str]:
    return [i.register for i in records.inbox()]


def test_each_channel_of_a_counter_goes_to_a_point_of_its_own(records: SqlRecordStore) -> None:
    seen(records, *COUNTER)
    for n, channel in enumerate(COUNTER):
        assert left(records) == list(COUNTER[n:])
        meter = NewMeter(register=channel, unit="l", multiplier=10.0, first=None)
        register.assign(records, "d", f"p{n}", ACT, meter=meter)
    assert left(records) == []
    with pytest.raises(Conflict, match=r"device d is mounted on point p0|meter p0/1 is mounted"):
        register.assign(records, "d", "p0", ACT, mounted=AT + timedelta(days=1), meter=NewMeter(register=COUNTER[0]))


def test_one_register_is_not_counted_on_two_points(records: SqlRecordStore) -> None:
    seen(records, *COUNTER)
    meter = NewMeter(register=COUNTER[0], unit="l", first=None)
    register.assign(records, "d", "p0", ACT, meter=meter)
    with pytest.raises(Conflict, match="device d is mounted on point p0"):
        register.assign(records, "d", "p1", ACT, meter=meter)


def test_assigning_again_gives_the_same_meter(records: SqlRecordStore) -> None:
    seen(records, *COUNTER)
    meter = NewMeter(register=COUNTER[0], unit="l", first=None)
    saved = [register.assign(records, "d", "p0", ACT, meter=meter).saved for _ in range(2)]
    assert saved[0] == saved[1]
    assert len(records.find(Meter)) == 1


def test_which_dial_counts_is_asked_where_several_may(records: SqlRecordStore) -> None:
    seen(records, *COUNTER[:2], "power.total")
    with pytest.raises(InputError, match="2 dials") as caught:
        register.assign(records, "d", "p0", ACT, meter=NewMeter(unit="l"))
    assert caught.value.place == "register"
    assert left(records) == ["power.total", *COUNTER[:2]]


@pytest.mark.parametrize("dial", ["pulse_count.total", "unstated.total", "unstated.volume.total"])
def test_the_unit_is_asked_where_nothing_states_it(records: SqlRecordStore, dial: str) -> None:
    seen(records, dial)
    with pytest.raises(InputError, match="in which unit") as caught:
        register.assign(records, "d", "p0", ACT)
    assert caught.value.place == "unit"
    register.assign(records, "d", "p0", ACT, meter=NewMeter(unit="l", first=None))
    (meter,) = records.find(Meter)
    assert (meter.register, meter.unit) == (dial, "l")
    assert left(records) == []


@pytest.mark.parametrize(("register_text", "unit"), [("unstated.volume.total", "kWh"), ("unstated.energy.total", "l")])
def test_a_unit_of_another_quantity_is_refused(records: SqlRecordStore, register_text: str, unit: str) -> None:
    meter = Meter(id="m", point="p0", device="d", mounted=AT, register=register_text, unit=unit)
    with pytest.raises(InputError):
        register.create(records, [meter], ACT)


def test_energy_and_volume_of_a_heat_meter_count_for_two_points(records: SqlRecordStore) -> None:
    seen(records, "energy.total", "volume.total", "power.total", "temperature.flow")
    register.assign(records, "d", "p4", ACT, meter=NewMeter(register="energy.total", first=None))
    assert left(records) == ["volume.total"]
    register.assign(records, "d", "p5", ACT, meter=NewMeter(register="volume.total", first=None))
    assert left(records) == []


def test_a_whole_device_leaves_the_inbox_where_no_register_is_named(records: SqlRecordStore) -> None:
    seen(records, "energy.total", "volume.total", "energy.heat_pump")
    register.assign(records, "d", "p4", ACT)
    assert left(records) == []


def test_the_ingester_knows_the_same_series_as_the_inbox_leaves(records: SqlRecordStore) -> None:
    seen(records, *COUNTER)
    register.assign(records, "d", "p0", ACT, meter=NewMeter(register=COUNTER[0], unit="l", first=None))
    known = KnownDevices(records)()
    assert [SeriesKey("d", r) in known for r in (*COUNTER, "power.total", f"{COUNTER[0]}/t1")] == [
        True, False, False, False, True, True,
    ]  # fmt: skip


def test_what_stands_on_points_and_stations_is_assigned() -> None:
    whole = Meter(id="a", point="p", device="w", mounted=AT)
    gone = Meter(id="b", point="p", device="gone", mounted=AT, removed=AT + timedelta(days=1))
    swap = DialEvent(id="e", meter="w", at=AT, kind=EventKind.SWAP, new_device="new")
    station = Station(id="s", name="S", device="ws")
    taken = Assigned.of([whole, gone], [swap], [station])
    keys = {"w": "x.y", "gone": "energy.total", "new": "energy.total", "ws": "temperature.total"}
    assert [SeriesKey(d, r) in taken for d, r in keys.items()] == [True, False, True, True]
    assert SeriesKey("ws", "humidity.total") not in taken
    assert "w" not in taken


@pytest.mark.parametrize(
    ("register_text", "dial"),
    [
        ("energy.total", True),
        ("unstated.total", True),
        ("unstated.energy.import", True),
        ("unstated.power.total", False),
        ("power.total", False),
        ("temperature.flow", False),
        ("nonsense", True),
    ],
)
def test_dials_are_told_from_gauges(register_text: str, *, dial: bool) -> None:
    assert counts(register_text) == dial


def test_pulses_weigh_what_the_meter_says() -> None:
    point = Point(id="p0", building="b", name="x", commodity=Commodity.COLD_WATER)
    meter = Meter(
        id="m",
        point="p0",
        device="d",
        mounted=AT,
        register=COUNTER[0],
        unit="l",
        multiplier=10.0,
        first=1500.0,
        digits=5,
    )
    (plan, *_) = plans([point], [meter], [], [SeriesKey("d", r) for r in COUNTER], DayTypes())
    assert (plan.register, plan.rules.unit) == (MAIN, "m³")
    (mounting,) = plan.mountings
    assert (mounting.multiplier, mounting.first, mounting.modulus) == (0.01, 1500.0, 100_000.0)
    assert (unit_of("pulse_count.total"), unit_of("pulse_count.total", meter)) == ("pulse", "m³")
    bare = replace(meter, unit="", register="pulse_count.total")
    (plan, *_) = plans([point], [bare], [], [SeriesKey("d", "pulse_count.total")], DayTypes())
    assert (plan.rules.unit, plan.mountings[0].multiplier) == ("pulse", 10.0)


# The inbox over the API


def proposal(**changes: object) -> Proposal:
    plain = Proposal(
        device="em-9", register="energy.import", commodity="electricity", unit="Wh", kind="cumulative", name="Energy",
        manufacturer="ACME", model="E1", profile="home_assistant", description="h/x/config", entity="x", topic="acme/9",
        first_seen=AT, last_seen=AT,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    made = build_world()
    made.records.propose(
        [],
        [
            proposal(),
            proposal(device="new", register="volume.total", commodity="cold_water", unit="m³"),
            proposal(device="new", register="flow.total", kind="gauge"),
            proposal(device="em-1", register="energy.import"),
            proposal(device="odd", register="power.total", kind="gauge", read=False, flags=("unit_contradicts",)),
        ],
    )
    return made


def test_the_inbox_holds_proposals_beside_what_was_seen_and_what_is_only_described(world: World) -> None:
    items = world.client().get("/api/v1/inbox").json()["items"]
    shown = [(i["device"], i["register"], i["count"], i["proposal"] and i["proposal"]["unit"]) for i in items]
    assert shown == [
        ("em-9", "energy.import", 42, "Wh"),
        ("em-9", "power.import", 42, None),
        ("new", "volume.total", 0, "m³"),
        ("odd", "power.total", 0, "Wh"),
        ("wm-7", "volume.total", 42, None),
    ]
    assert items[2]["last_value"] is None


def test_what_is_only_described_is_assigned_since_its_description(world: World) -> None:
    answer = world.client().post("/api/v1/inbox/new/assign", json={"point": "B01-VO"})
    assert answer.status_code == 409  # a meter stands there
    answer = world.client().post("/api/v1/inbox/new/assign", json={"point": "B01-EL-K"})
    assert answer.status_code == 422  # it has no dial of electricity
    body = {"id": "B01-V9", "building": "B01", "name": "Voda", "commodity": "cold_water"}
    assert world.client().post("/api/v1/points", json=body).status_code == 201
    answer = world.client().post("/api/v1/inbox/new/assign", json={"point": "B01-V9"})
    assert answer.status_code == 201, answer.text
    assert datetime.fromisoformat(answer.json()["mounted"]) == AT
    items = world.client().get("/api/v1/inbox").json()["items"]
    assert "new" not in {i["device"] for i in items}


def test_the_form_is_filled_with_what_is_proposed(world: World) -> None:
    page = world.client().get("/inbox", headers={"accept-language": "cs"}).text
    em, new, odd, wm = page.split('<section class="panel"')[1:]
    assert 'list="points-electricity"' in em
    assert 'value="Wh"' in em
    assert "ACME E1" in new
    assert 'list="points-cold_water"' in new
    assert "zatím nic" in new
    assert "<form" not in odd
    assert "Jednotka jiné veličiny" in odd
    assert 'list="points"' in wm
