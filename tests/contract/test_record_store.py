"""What RecordStore promises, held against SQLite and PostgreSQL."""

import json
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, InputError, NotFound, StoreError, TimeError
from core.notes import DeadLetter, Finding, InboxItem, Job, PointFinding, Rule
from core.ports import RecordStore
from core.registry import (
    Building,
    BuildingKind,
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
from storage.records import SqlRecordStore
from tests.servers.postgres import PostgresServer, postgresql

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
REGION: tuple[Entity, ...] = (SWAP, DIAL, REST, KITCHEN, GRID, MAIN, SCHOOL)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    postgres = postgresql(tmp_path_factory.mktemp("postgres"))
    postgres.start()
    yield postgres
    postgres.remove()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/records/odecet.sqlite"


def postgres_url(server: PostgresServer) -> str:
    name = f"odecet_{uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.removesuffix("postgres") + name


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return postgres_url(request.getfixturevalue("server"))


@pytest.fixture
def store(url: str) -> Iterator[RecordStore]:
    opened = SqlRecordStore(url)
    opened.start()
    yield opened
    opened.close()


def save(store: RecordStore, *entities: Entity, why: str = "") -> None:
    store.save(entities, by="eva", now=NOW, why=why)


def organisations(*ids: str) -> list[Organisation]:
    return [Organisation(id=code, name=f"Škola {code}") for code in ids]


def at_once(*acts: Callable[[], object]) -> None:
    """Run all acts in threads that begin together; raise what any of them raised."""
    gate, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except BaseException as err:  # noqa: BLE001 - told below
            raised.append(err)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


# The register


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


@pytest.mark.parametrize(
    "entity", [replace(SCHOOL, name="a\x00b"), replace(SCHOOL, name="a\ud800b"), replace(MAIN, latitude=math.nan)]
)
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
    store.save([], removing=[reopened, KITCHEN, GRID, MAIN, SCHOOL], by="eva", now=NOW)
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
    points = [replace(GRID, id=f"p-{n:05}") for n in range(12_000)]
    save(store, SCHOOL, MAIN, *points)
    assert store.count(Point) == 12_000
    store.remove(Point, [p.id for p in points], by="eva", now=NOW)
    assert store.count(Point) == 0


# Dead letters


def letter(**changes: object) -> DeadLetter:
    plain = DeadLetter(topic="a/b", payload=b"{", reason="malformed", detail="na začátku", received=NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_letter_of_ten_megabytes_comes_back_byte_by_byte(store: RecordStore) -> None:
    payload = bytes(range(256)) * 40_960
    store.keep_letters([letter(payload=payload, retained=True)])
    (kept,) = store.letters()
    assert kept == letter(payload=payload, retained=True, id=kept.id)
    assert store.letter(kept.id) == kept


def test_the_same_letter_arriving_again_leaves_one(store: RecordStore) -> None:
    store.keep_letters([letter(), letter(received=NOW + HOUR)])
    store.keep_letters([letter(detail="jinde")])
    store.keep_letters([letter(topic="a/c"), letter(reason="no_profile"), letter(payload=b"[")])
    assert len(store.letters()) == 4
    assert store.letters(limit=1)[0].detail == "na začátku"


def test_a_letter_that_arrives_after_it_was_replayed_is_kept_anew(store: RecordStore) -> None:
    store.keep_letters([letter()])
    (first,) = store.letters()
    store.mark_replayed([first.id], NOW + HOUR)
    store.keep_letters([letter()])
    (second,) = store.letters()
    assert second.id > first.id
    store.mark_replayed([second.id, first.id], NOW + 2 * HOUR)
    assert [one.replayed for one in store.letters(open_only=False)] == [NOW + HOUR, NOW + 2 * HOUR]


def test_letters_are_filtered_and_paged(store: RecordStore) -> None:
    store.keep_letters([letter(payload=bytes([n]), reason="a" if n % 2 else "b", topic=f"t/{n % 3}") for n in range(9)])
    everything = store.letters()
    assert [one.payload[0] for one in everything] == list(range(9))
    assert [one.payload[0] for one in store.letters(reason="a", topic="t/1")] == [1, 7]
    assert [one.payload[0] for one in store.letters(after=everything[5].id, limit=2)] == [6, 7]
    store.mark_replayed([everything[0].id], NOW)
    assert [one.payload[0] for one in store.letters(limit=1)] == [1]
    assert store.count_letters() == {"a": 4, "b": 4}


def test_a_letter_with_odd_characters_is_kept_all_the_same(store: RecordStore) -> None:
    store.keep_letters([letter(topic="a\x00\ud800", reason="x\x00", detail="y\x00", payload=b"\x00\xff")])
    (kept,) = store.letters()
    assert (kept.topic, kept.reason, kept.payload) == ("a\\x00\\ud800", "x\\x00", b"\x00\xff")


def test_a_letter_that_is_not_kept_is_not_found(store: RecordStore) -> None:
    with pytest.raises(NotFound, match="dead letter 7"):
        store.letter(7)


def test_a_letter_with_a_long_topic_is_kept(store: RecordStore) -> None:
    long = letter(topic="č" * 30_000, reason="r" * 5_000)
    store.keep_letters([long, long])
    assert [one.topic for one in store.letters()] == [long.topic]


# The inbox


def seen(**changes: object) -> InboxItem:
    plain = InboxItem(
        device="d-1",
        register="energy.import",
        unit="kWh",
        first_seen=NOW,
        last_seen=NOW,
        count=1,
        last_value=5.0,
        topic="t/1",
        sample=b"\x00{}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_seeing_a_meter_again_widens_its_span_and_keeps_the_newest(store: RecordStore) -> None:
    store.see([seen()])
    store.see([seen(first_seen=NOW - HOUR, last_seen=NOW - HOUR, count=3, last_value=1.0, topic="old", unit="Wh")])
    assert store.inbox() == [seen(first_seen=NOW - HOUR, count=4)]
    later = seen(first_seen=NOW + HOUR, last_seen=NOW + HOUR, count=2, last_value=9.0, topic="new", sample=b"n")
    store.see([later])
    assert store.inbox() == [replace(later, first_seen=NOW - HOUR, count=6)]


def test_one_batch_may_name_a_meter_several_times(store: RecordStore) -> None:
    store.see([seen(last_seen=NOW + HOUR, last_value=7.0), seen(count=4), seen(register="power.total")])
    store.see([])
    assert store.inbox() == [
        seen(last_seen=NOW + HOUR, last_value=7.0, count=5),
        seen(register="power.total"),
    ]


def test_a_value_that_is_no_number_does_not_stop_the_inbox(store: RecordStore) -> None:
    store.see([seen(device="x\x00" * 5_000, last_value=math.nan), seen(device="y", last_value=math.inf)])
    assert [item.last_value for item in store.inbox()] == [pytest.approx(math.nan, nan_ok=True), math.inf]


def test_the_inbox_is_paged_by_device_and_left_on_assignment(store: RecordStore) -> None:
    store.see([seen(device=f"d-{n}", register=r) for n in range(4) for r in ("a", "b")])
    assert [(i.device, i.register) for i in store.inbox(limit=1)] == [("d-0", "a"), ("d-0", "b")]
    assert [i.device for i in store.inbox(after="d-1", limit=2)] == ["d-2", "d-2", "d-3", "d-3"]
    store.leave_inbox(["d-0", "d-2", "unknown"])
    assert sorted({i.device for i in store.inbox()}) == ["d-1", "d-3"]


def test_sightings_from_several_threads_add_up(store: RecordStore) -> None:
    store.start()

    def look(n: int) -> None:
        for i in range(10):
            at = NOW + HOUR * (n * 10 + i)
            devices = [f"d-{k}" for k in range(20)]
            store.see(
                [
                    seen(device=d, first_seen=at, last_seen=at, last_value=n * 10 + i)
                    for d in devices[:: 1 - 2 * (n % 2)]
                ]
            )

    at_once(*(lambda n=n: look(n) for n in range(6)))  # type: ignore[misc]
    items = store.inbox()
    assert {(i.count, i.last_value, i.first_seen, i.last_seen) for i in items} == {(60, 59.0, NOW, NOW + 59 * HOUR)}


# Findings


def found(point: str = "p-1", at: datetime = NOW, hours: int = 1, **changes: object) -> PointFinding:
    finding = Finding(
        meter="elm/1", register="energy.import", rule=Rule.GAP, at_from=at, at_to=at + hours * HOUR, evidence={"x": 1.5}
    )
    return PointFinding(point=point, finding=replace(finding, **changes), open=False)  # type: ignore[arg-type]


def test_findings_come_back_newest_first_with_evidence_and_proposal(store: RecordStore) -> None:
    asked = replace(
        found(
            at=NOW + 5 * HOUR,
            rule=Rule.BREAK,
            evidence={"before": 9.5, "list": [1, None, "č"]},
            proposal={"kind": "swap", "at": NOW.isoformat(), "final": 9.5, "first": 0.0},
        ),
        open=True,
    )
    store.replace_findings(["p-1"], NOW, NOW, [found(), asked])
    assert store.findings() == [asked, found()]
    assert store.findings(open_only=True) == [asked]
    assert store.findings(rule="gap") == [found()]
    assert store.findings(limit=1) == [asked]


def test_findings_are_replaced_where_their_span_touches(store: RecordStore) -> None:
    spans = [found(at=NOW + n * 10 * HOUR, hours=5) for n in range(4)]
    other = found(point="p-2", at=NOW + 10 * HOUR)
    store.replace_findings([], NOW, NOW, [*spans, other])
    new = found(at=NOW + 12 * HOUR, rule=Rule.STUCK)
    store.replace_findings(["p-1", "p-9"], NOW + 15 * HOUR, NOW + 20 * HOUR, [new])
    assert store.findings() == [spans[3], new, other, spans[0]]
    store.replace_findings(["p-1"], NOW, NOW + 12 * HOUR, [])
    assert store.findings(points=["p-1"]) == [spans[3]]


def test_findings_are_sought_by_points_and_touching_span(store: RecordStore) -> None:
    spans = [found(point=f"p-{n % 2}", at=NOW + n * 10 * HOUR, hours=5) for n in range(4)]
    store.replace_findings([], NOW, NOW, spans)
    assert store.findings(points=["p-0", "p-0"]) == [spans[2], spans[0]]
    assert store.findings(points=[]) == []
    assert store.findings(start=NOW + 15 * HOUR, end=NOW + 20 * HOUR) == [spans[2], spans[1]]
    assert store.findings(points=["p-0", "p-1"], limit=2) == [spans[3], spans[2]]


def test_evidence_that_json_cannot_say_becomes_null(store: RecordStore) -> None:
    store.replace_findings([], NOW, NOW, [found(evidence={"nan": math.nan, "text": "a\x00b"})])
    assert store.findings()[0].finding.evidence == {"nan": None, "text": "a\x00b"}


def test_many_findings_are_replaced_in_one_act(store: RecordStore) -> None:
    points = [f"p-{n}" for n in range(15_000)]
    many = [found(point=p) for p in points]
    store.replace_findings(points, NOW, NOW, many)
    store.replace_findings(points, NOW, NOW, many)
    assert len(store.findings(points=points)) == 15_000


def test_replacing_findings_at_once_leaves_one_set(store: RecordStore) -> None:
    at_once(*(lambda: store.replace_findings(["p-1"], NOW, NOW, [found()]) for _ in range(6)))
    assert store.findings() == [found()]


def test_findings_go_with_their_point(store: RecordStore) -> None:
    save(store, SCHOOL, MAIN, GRID)
    store.replace_findings(["p-1"], NOW, NOW, [found(), found(point="p-2")])
    store.remove(Point, ["p-1"], by="eva", now=NOW)
    assert [f.point for f in store.findings()] == ["p-2"]


# Small texts and long work


def test_kept_text_is_replaced_and_is_empty_where_nothing_was_kept(store: RecordStore) -> None:
    assert store.kept("cursor") == ""
    store.keep("cursor", "1")
    store.keep("cursor", "dvě ☃" * 100_000)
    assert store.kept("cursor") == "dvě ☃" * 100_000


def test_long_work_is_told_newest_first_with_its_latest_state(store: RecordStore) -> None:
    job = Job(id="j-1", kind="import", state="running", done=0, total=2**40, started=NOW, changed=NOW)
    store.save_job(job)
    store.save_job(replace(job, id="j-2", kind="replay", started=NOW + HOUR))
    store.save_job(replace(job, state="done", done=2**40, cursor="řádek 5"))
    assert [j.id for j in store.jobs()] == ["j-2", "j-1"]
    assert store.jobs(kind="import") == [replace(job, state="done", done=2**40, cursor="řádek 5")]
    assert len(store.jobs(limit=1)) == 1


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
    max_value=datetime(2262, 1, 1),  # noqa: DTZ001
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
        assert store.get(type(entity), entity.id) == entity
    version = store.version()
    store.save(entities, by="eva", now=NOW)
    assert store.version() == version
    newest = store.audit(entity="dial_event", key=entities[-1].id, limit=1)[0]
    assert newest.after is not None
    assert json.loads(json.dumps(newest.after))["note"] == entities[-1].note  # type: ignore[union-attr]
