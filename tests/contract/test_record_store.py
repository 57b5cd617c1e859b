"""What RecordStore promises, held against SQLite and PostgreSQL."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, InputError, NotFound, StoreError, TimeError
from core.notes import Finding, PointFinding, Rule
from core.ports import RecordStore
from core.registry import (
    Adjustment,
    AdjustmentKind,
    Building,
    BuildingKind,
    Commodity,
    Dated,
    DialEvent,
    Entity,
    EventKind,
    Measure,
    MeasureKind,
    Meter,
    Organisation,
    Point,
    Role,
    Station,
    StationSource,
    Term,
)
from storage.records import SqlRecordStore
from storage.records_rows import in_utc
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHOOL = Organisation(id="zs-1", name="Základní škola Ještěd", ico="00000001")
MAIN = Building(
    id="b/1",
    organisation="zs-1",
    name="Hlavní budova",
    kind=BuildingKind.SCHOOL,
    address="Žitná 1, Liberec",
    latitude=50.77,
    longitude=15.06,
    areas=(Dated(since=date(2020, 1, 1), value=1234.5),),
    users=(Dated(since=date(2024, 9, 1), value=321, kind="pupils"),),
)
GRID = Point(
    id="p-1",
    building="b/1",
    name="Elektřina",
    commodity=Commodity.ELECTRICITY,
    code="859182400000000001",
    reserved_kw=(Dated(since=date(2025, 1, 1), value=80),),
)
KITCHEN = Point(
    id="p-2", building="b/1", name="Kuchyň", commodity=Commodity.ELECTRICITY, role=Role.SUBMETER, parent="p-1"
)
REST = Point(
    id="p-3",
    building="b/1",
    name="Zbytek",
    commodity=Commodity.ELECTRICITY,
    role=Role.VIRTUAL,
    terms=(Term(point="p-1"), Term(point="p-2", sign=-1)),
)
DIAL = Meter(id="m-1", point="p-1", device="elm/0012", mounted=NOW, digits=6, multiplier=40, first=12.25)
SWAP = DialEvent(id="e-1", meter="elm/0012", at=NOW, kind=EventKind.SWAP, final=9.5, first=0.0, new_device="elm/13")
AIR = Station(
    id="liberec",
    name="Liberec",
    place="letiště",
    latitude=50.77,
    longitude=15.02,
    altitude_m=398,
    source=StationSource.OPEN_METEO,
    device="meteo/1",
    fallbacks=("jablonec",),
)
HILL = Station(id="jablonec", name="Jablonec")
COAT = Measure(
    id="op-1",
    name="Zateplení",
    points=("p-1", "p-2"),
    effective=date(2025, 9, 1),
    kind=MeasureKind.INSULATION,
    works_from=date(2025, 6, 1),
    ended=date(2045, 1, 1),
    investment_czk=8.4e6,
    subsidy_czk=0.1 + 0.2,
    activity="2.1-EM-1",
    expected_saving=120,
    expected_unit="MWh",
    note="první etapa",
)
GYM = Adjustment(
    id="up-1",
    point="p-1",
    since=date(2025, 11, 1),
    until=date(2026, 1, 1),
    kind=AdjustmentKind.AREA,
    factor=1.12,
    reason="přístavba",
    who="eva",
)
REGION: tuple[Entity, ...] = (GYM, COAT, AIR, HILL, SWAP, DIAL, REST, KITCHEN, GRID, MAIN, SCHOOL)


def save(store: RecordStore, *entities: Entity, why: str = "") -> None:
    store.save(entities, by="eva", now=NOW, why=why)


def organisations(*ids: str) -> list[Organisation]:
    return [Organisation(id=code, name=f"Škola {code}") for code in ids]


# The register


def test_what_a_measure_or_station_names_is_known_and_stays(store: RecordStore) -> None:
    with pytest.raises(Conflict, match=r"measure op-1 refers to point p-\d, which is not in the register"):
        save(store, SCHOOL, MAIN, COAT)
    with pytest.raises(Conflict, match="station liberec refers to station jablonec"):
        save(store, AIR)
    with pytest.raises(Conflict, match="adjustment up-1 refers to point p-1"):
        save(store, GYM)
    save(store, SCHOOL, MAIN, GRID, KITCHEN, AIR, HILL, COAT, GYM)
    with pytest.raises(Conflict, match="point p-2 cannot be removed: measure op-1 refers to it"):
        store.remove(Point, ["p-2"], by="eva", now=NOW)
    with pytest.raises(Conflict, match="station jablonec cannot be removed: station liberec refers to it"):
        store.remove(Station, ["jablonec"], by="eva", now=NOW)
    store.remove(Station, ["jablonec", "liberec"], by="eva", now=NOW)
    store.remove(Measure, ["op-1"], by="eva", now=NOW)
    store.remove(Adjustment, ["up-1"], by="eva", now=NOW)
    store.remove(Point, ["p-2"], by="eva", now=NOW)
    assert (store.count(Station), store.count(Measure), store.count(Adjustment)) == (0, 0, 0)


def test_dates_and_lists_of_a_measure_stand_in_the_audit_trail(store: RecordStore) -> None:
    save(store, SCHOOL, MAIN, GRID, KITCHEN, COAT)
    save(store, replace(COAT, effective=date(2025, 10, 1)))
    entry = store.audit(entity="measure", key="op-1", limit=1)[0]
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["effective"], entry.after["effective"]) == ("2025-09-01", "2025-10-01")
    assert entry.after["points"] == ["p-1", "p-2"]


def test_entities_come_back_as_saved_whatever_their_order(store: RecordStore) -> None:
    save(store, *REGION)
    for entity in REGION:
        assert store.get(type(entity), entity.id) == entity


def test_instants_come_back_in_utc_when_saved_in_another_zone(store: RecordStore) -> None:
    save(store, *REGION)
    abroad = timezone(timedelta(hours=5, minutes=45))
    save(store, replace(DIAL, mounted=NOW.astimezone(abroad)))
    mounted = store.get(Meter, "m-1").mounted
    assert (mounted, mounted.utcoffset()) == (NOW, timedelta(0))
    assert len(store.audit(entity="meter")) == 1


def test_numbers_come_back_to_the_last_bit(store: RecordStore) -> None:
    save(store, *REGION, replace(DIAL, id="m-9", first=0.1 + 0.2, final=1e-300, multiplier=1 / 3))
    kept = store.get(Meter, "m-9")
    assert (kept.first, kept.final, kept.multiplier) == (0.1 + 0.2, 1e-300, 1 / 3)


def test_saving_nothing_changes_nothing(store: RecordStore) -> None:
    version = store.version()
    store.save([], by="eva", now=NOW)
    assert store.version() == version


def test_getting_what_is_not_there_names_it(store: RecordStore) -> None:
    with pytest.raises(NotFound, match="dial event e-9"):
        store.get(DialEvent, "e-9")


def test_found_ones_are_ordered_by_code_point_and_paged(store: RecordStore) -> None:
    save(store, *organisations("a", "B", "č", "z", "-", "10", "9"))
    assert [o.id for o in store.find(Organisation)] == ["-", "10", "9", "B", "a", "z", "č"]
    assert [o.id for o in store.find(Organisation, after="9", limit=3)] == ["B", "a", "z"]
    assert store.find(Organisation, after="č") == []
    assert store.count(Organisation) == 7


def test_found_ones_equal_text_fields_and_references(store: RecordStore) -> None:
    save(store, *REGION)
    assert [p.id for p in store.find(Point, where={"building": "b/1", "role": "submeter"})] == ["p-2"]
    assert [p.id for p in store.find(Point, where={"parent": ""})] == ["p-1", "p-3"]
    assert [p.id for p in store.find(Point, where={"parent": "p-1"})] == ["p-2"]
    assert store.count(Point, where={"commodity": Commodity.GAS}) == 0
    assert store.count(Point, where={"name": "Elek\x00"}) == 0


@pytest.mark.parametrize("field", ["colour", "areas", "latitude", "id; DROP TABLE buildings"])
def test_seeking_by_what_is_no_text_field_is_refused(store: RecordStore, field: str) -> None:
    with pytest.raises(InputError, match="cannot be sought"):
        store.find(Building, where={field: "1"})


def test_nothing_is_saved_when_one_cannot_be(store: RecordStore) -> None:
    version = store.version()
    with pytest.raises(Conflict, match="building b/1 refers to organisation nowhere"):
        save(store, SCHOOL, replace(MAIN, organisation="nowhere"))
    assert (store.find(Organisation), store.audit(), store.version()) == ([], [], version)


@pytest.mark.parametrize(
    ("entity", "named"),
    [
        (replace(GRID, building="b/9"), "point p-1 refers to building b/9"),
        (replace(KITCHEN, parent="p-9"), "point p-2 refers to point p-9"),
        (replace(REST, terms=(Term(point="p-8"),)), "point p-3 refers to point p-8"),
        (replace(DIAL, point="p-7"), "meter m-1 refers to point p-7"),
    ],
)
def test_a_reference_to_nothing_is_a_conflict_naming_both(store: RecordStore, entity: Entity, named: str) -> None:
    save(store, SCHOOL, MAIN, GRID, KITCHEN)
    with pytest.raises(Conflict, match=named):
        save(store, entity)


def test_the_same_id_twice_with_different_values_is_a_conflict(store: RecordStore) -> None:
    with pytest.raises(Conflict, match="organisation zs-1 is given twice"):
        save(store, SCHOOL, replace(SCHOOL, name="Jiná"))
    save(store, SCHOOL, SCHOOL)
    assert len(store.audit()) == 1


@pytest.mark.parametrize("entity", [replace(SCHOOL, name="a\x00b"), replace(SCHOOL, name="a\ud800b")])
def test_what_a_database_cannot_hold_is_refused_as_input(store: RecordStore, entity: Entity) -> None:
    save(store, SCHOOL)
    with pytest.raises(InputError):
        save(store, entity)
    assert store.get(Organisation, "zs-1") == SCHOOL


def test_an_instant_beyond_the_calendar_is_refused_as_input(store: RecordStore) -> None:
    save(store, *REGION)
    with pytest.raises(TimeError, match="meter m-1"):
        save(store, replace(DIAL, mounted=datetime(1, 1, 1, tzinfo=timezone(HOUR))))


def test_removing_takes_away_and_is_audited(store: RecordStore) -> None:
    save(store, *REGION)
    store.remove(Meter, ["m-1"], by="jan", now=NOW + HOUR, why="omyl")
    assert store.count(Meter) == 0
    newest = store.audit(limit=1)[0]
    assert (newest.by, newest.at, newest.why, newest.entity, newest.key) == ("jan", NOW + HOUR, "omyl", "meter", "m-1")
    assert newest.after is None
    assert newest.before is not None
    assert newest.before["multiplier"] == 40


def test_removing_an_unknown_one_removes_none(store: RecordStore) -> None:
    save(store, SCHOOL)
    with pytest.raises(NotFound, match="organisation zs-9"):
        store.remove(Organisation, ["zs-1", "zs-9"], by="eva", now=NOW)
    assert store.count(Organisation) == 1


@pytest.mark.parametrize(
    ("kind", "key", "holder"),
    [
        (Organisation, "zs-1", "building b/1"),
        (Building, "b/1", "point p-1"),
        (Point, "p-1", "point p-2"),
        (Point, "p-2", "point p-3"),
    ],
)
def test_removing_what_others_refer_to_is_a_conflict_naming_one(
    store: RecordStore, kind: type[Entity], key: str, holder: str
) -> None:
    save(store, *REGION)
    with pytest.raises(Conflict, match=f"{key} cannot be removed: {holder}"):
        store.remove(kind, [key], by="eva", now=NOW)


def test_points_that_refer_to_each_other_are_removed_together(store: RecordStore) -> None:
    save(store, SCHOOL, MAIN, GRID, KITCHEN, REST)
    store.remove(Point, ["p-1", "p-2", "p-3"], by="eva", now=NOW)
    assert store.count(Point) == 0


def test_saving_and_removing_in_one_act_is_all_or_nothing(store: RecordStore) -> None:
    save(store, *REGION)
    reopened = replace(DIAL, final=7.0)
    with pytest.raises(Conflict, match="point p-2 refers to it"):
        store.save([reopened], removing=[GRID], by="eva", now=NOW)
    assert store.get(Meter, "m-1") == DIAL
    store.save([reopened], removing=[SWAP, REST], by="eva", now=NOW)
    assert (store.get(Meter, "m-1"), store.count(DialEvent), store.count(Point)) == (reopened, 0, 2)
    store.save([], removing=[GYM, COAT, reopened, KITCHEN, GRID, MAIN, SCHOOL], by="eva", now=NOW)
    assert store.count(Organisation) == 0


def test_saving_for_a_version_that_has_passed_is_a_conflict_and_saves_nothing(store: RecordStore) -> None:
    version = store.version()
    store.save([SCHOOL], version=version, by="eva", now=NOW)
    with pytest.raises(Conflict, match="changed meanwhile"):
        store.save([replace(SCHOOL, name="Jiná")], version=version, by="eva", now=NOW)
    assert store.get(Organisation, "zs-1") == SCHOOL


def test_the_audit_tells_who_when_why_and_both_states(store: RecordStore) -> None:
    save(store, SCHOOL, MAIN)
    save(store, replace(MAIN, areas=()), why="přeměřeno")
    newest, *_, first = store.audit()
    assert (newest.by, newest.at, newest.why) == ("eva", NOW, "přeměřeno")
    assert (newest.entity, newest.key) == ("building", "b/1")
    assert newest.before is not None
    assert newest.before["areas"] == [{"since": "2020-01-01", "value": 1234.5, "kind": ""}]
    assert newest.after is not None
    assert newest.after["areas"] == []
    assert (first.before, first.after) == (None, {"id": "zs-1", "name": SCHOOL.name, "ico": "00000001"})


def test_nothing_is_audited_when_nothing_changed(store: RecordStore) -> None:
    save(store, *REGION)
    before, version = store.audit(), store.version()
    save(store, *REGION)
    assert (store.audit(), store.version()) == (before, version)


def test_the_audit_is_filtered_and_paged(store: RecordStore) -> None:
    for name in ("A", "B", "C"):
        save(store, replace(SCHOOL, name=name))
    save(store, *organisations("zs-2"))
    newest, second, _ = store.audit(entity="organisation", key="zs-1")
    assert [e.after and e.after["name"] for e in (newest, second)] == ["C", "B"]
    older = store.audit(entity="organisation", key="zs-1", before=second.id)
    assert [e.after and e.after["name"] for e in older] == ["A"]
    assert store.audit(entity="point") == []


def test_the_version_grows_with_every_change(store: RecordStore) -> None:
    seen = [store.version()]
    save(store, SCHOOL)
    seen.append(store.version())
    save(store, replace(SCHOOL, name="Jiná"))
    seen.append(store.version())
    store.remove(Organisation, ["zs-1"], by="eva", now=NOW)
    seen.append(store.version())
    assert seen == sorted(set(seen))


def test_changes_from_several_threads_are_all_counted_and_audited(store: RecordStore) -> None:
    version = store.version()
    at_once(
        *(lambda n=n: [save(store, replace(SCHOOL, name=f"{n}-{i}")) for i in range(5)] for n in range(6))  # type: ignore[misc]
    )
    trail = list(reversed(store.audit()))
    assert store.version() - version == len(trail) == 30
    for earlier, later in pairwise(trail):
        assert later.before == earlier.after


def test_removing_a_parent_and_saving_its_child_at_once_leaves_no_orphan(store: RecordStore) -> None:
    outcome: list[str] = []

    def attempt(act: Callable[[], None], name: str) -> None:
        try:
            act()
        except Conflict:
            outcome.append(name)

    for n in range(5):
        save(store, SCHOOL)
        outcome.clear()
        child = replace(MAIN, id=f"b-{n}")
        at_once(
            lambda child=child: attempt(lambda: save(store, child), "save"),  # type: ignore[misc]
            lambda: attempt(lambda: store.remove(Organisation, ["zs-1"], by="eva", now=NOW), "remove"),
        )
        assert len(outcome) == 1
        assert store.count(Building) == store.count(Organisation)
        if store.count(Building):
            store.remove(Building, [child.id], by="eva", now=NOW)


def test_a_large_register_is_saved_in_one_act(store: RecordStore) -> None:
    points = [replace(GRID, id=f"p-{n:05}") for n in range(7_000)]
    save(store, SCHOOL, MAIN, *points)
    assert store.count(Point) == 7_000
    store.remove(Point, [p.id for p in points], by="eva", now=NOW)
    assert store.count(Point) == 0


def test_findings_go_with_their_point(store: RecordStore) -> None:
    save(store, SCHOOL, MAIN, GRID)
    gap = Finding(meter="elm/1", register="energy.import", rule=Rule.GAP, at_from=NOW, at_to=NOW)
    found = [PointFinding(point=point, finding=gap, open=False) for point in ("p-1", "p-2")]
    store.replace_findings(["p-1"], NOW, NOW, found)
    store.remove(Point, ["p-1"], by="eva", now=NOW)
    assert [f.point for f in store.findings()] == ["p-2"]


# Opening and closing


def test_starting_again_keeps_what_is_stored(store: RecordStore, url: str) -> None:
    save(store, SCHOOL)
    store.start()
    again = SqlRecordStore(url)
    again.start()
    assert again.get(Organisation, "zs-1") == SCHOOL
    again.close()
    again.close()


def test_many_may_start_at_once_on_an_empty_database(url: str) -> None:
    stores = [SqlRecordStore(url) for _ in range(5)]
    at_once(*(s.start for s in stores))
    for n, opened in enumerate(stores):
        opened.save([Organisation(id=f"o-{n}", name="Škola")], by="eva", now=NOW)
    assert stores[0].count(Organisation) == 5
    for opened in stores:
        opened.close()


def test_a_store_that_is_not_started_says_so(url: str) -> None:
    with pytest.raises(StoreError, match="not started"):
        SqlRecordStore(url).ready()


def test_a_store_can_be_opened_again_after_it_was_closed(store: RecordStore) -> None:
    store.close()
    store.start()
    store.ready()


# Whatever an operator may write

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
names = st.builds("{}x{}".format, texts, texts)
ids = st.text(st.characters(categories=["L", "N", "S"], include_characters="-_.:/"), min_size=1, max_size=40)
amounts = st.floats(min_value=0, max_value=1e12)
instants = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2262, 1, 1),  # noqa: DTZ001 - naive on purpose
    timezones=st.timezones(),
)
dated = st.lists(st.builds(Dated, since=st.dates(), value=amounts, kind=texts), max_size=4).map(tuple)


@st.composite
def registers(draw: st.DrawFn) -> list[Entity]:
    """Return an organisation, a building, points and a meter that refer to each other."""
    owner = Organisation(id=draw(ids), name=draw(names), ico=draw(texts))
    house = draw(
        st.builds(
            Building, id=ids, organisation=st.just(owner.id), name=names, address=texts,
            kind=st.sampled_from(BuildingKind), latitude=st.none() | amounts, areas=dated, users=dated,
        )
    )  # fmt: skip
    point = draw(
        st.builds(
            Point, id=ids, building=st.just(house.id), name=names, reserved_kw=dated,
            commodity=st.sampled_from([Commodity.HEAT, Commodity.PV]), code=texts, max_rate=st.none() | amounts,
        )
    )  # fmt: skip
    mounted = draw(instants)
    meter = draw(
        st.builds(
            Meter, id=ids, point=st.just(point.id), device=names, mounted=st.just(mounted), serial=texts,
            first=st.none() | amounts, digits=st.none() | st.integers(1, 12), multiplier=st.floats(1e-6, 1e6),
        )
    )  # fmt: skip
    event = draw(st.builds(DialEvent, id=ids, meter=names, at=instants, kind=st.sampled_from(EventKind), note=texts))
    return [owner, house, point, meter, event]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entities=registers())
def test_any_register_comes_back_as_saved_and_unchanged_when_saved_again(
    store: RecordStore, entities: list[Entity]
) -> None:
    store.save(entities, by="eva", now=NOW)
    for entity in entities:
        stored = store.get(type(entity), entity.id)
        assert msgspec.to_builtins(stored) == msgspec.to_builtins(in_utc(entity))
    version = store.version()
    store.save(entities, by="eva", now=NOW)
    assert store.version() == version
    newest = store.audit(entity="dial_event", key=entities[-1].id, limit=1)[0]
    assert newest.after is not None
    assert json.loads(json.dumps(newest.after))["note"] == entities[-1].note  # type: ignore[union-attr]
