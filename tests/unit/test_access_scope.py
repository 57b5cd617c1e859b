"""What somebody with a scope sees and changes: their own, by every way; what is foreign looks like what is unknown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.acts import finding_id
from api.seen import SeenRecords
from core.errors import NotFound
from core.people import Access, Grant, Right, Role
from core.registry import Building, BuildingKind, Commodity, Dated, Measure, Meter, Point
from tests.unit.access_world import DAY, MINE, Region, region
from tests.unit.api_fakes import NOW, Rates
from tests.unit.api_world import BREAK, SINCE

API = "/api/v1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Region]:
    with region(tmp_path) as made:
        yield made


@pytest.fixture
def manager(world: Region) -> httpx.Client:
    """An energy manager of O2."""
    return world.client(**world.key(Role.ENERGY_MANAGER, organisations=MINE))


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def alike(client: httpx.Client, method: str, foreign: str, unknown: str, **asked: Any) -> int:  # noqa: ANN401 - of httpx
    """Return the status of both, told in the same words but for the id."""
    answers = []
    for key, other in ((foreign, unknown), (unknown, unknown)):
        text = json.dumps(asked.get("json")).replace("FOREIGN-ID", key)
        content = text.encode() if "json" in asked else None
        answer = client.request(method, asked["path"].replace("FOREIGN-ID", key), content=content)
        told = answer.json() if answer.content else {}
        answers.append((answer.status_code, str(told.get("detail")).replace(key, other)))
    assert answers[0] == answers[1]
    return answers[0][0]


def test_lists_hold_what_is_in_the_scope(manager: httpx.Client) -> None:
    assert ids(manager.get(f"{API}/organisations")) == ["O2"]
    assert ids(manager.get(f"{API}/buildings")) == ["B02"]
    assert ids(manager.get(f"{API}/points")) == ["B02-EL", "B02-V"]
    assert ids(manager.get(f"{API}/meters")) == ["M3"]
    assert ids(manager.get(f"{API}/events")) == ["E-B02"]
    assert ids(manager.get(f"{API}/stations")) == ["liberec"]
    assert ids(manager.get(f"{API}/measures")) == ["OP-BOTH", "OP-MINE"]
    assert ids(manager.get(f"{API}/adjustments")) == ["A-B02"]
    assert ids(manager.get(f"{API}/buildings?organisation=O1")) == []


def test_a_scope_may_be_a_building(world: Region) -> None:
    caretaker = world.client(**world.key(Role.FACILITY_STAFF, buildings=("B01",)))
    assert ids(caretaker.get(f"{API}/organisations")) == ["O1"]
    assert ids(caretaker.get(f"{API}/points")) == ["B01-EL", "B01-EL-K", "B01-VO"]
    assert ids(caretaker.get(f"{API}/alerts")) == [world.alerts["B01"]]


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("organisations", "O1"),
        ("buildings", "B01"),
        ("points", "B01-EL"),
        ("meters", "M1"),
        ("events", "E-B01"),
        ("measures", "OP-FOREIGN"),
        ("adjustments", "A-B01"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_is_foreign_looks_like_what_is_unknown(
    resource: str, key: str, method: str, world: Region, manager: httpx.Client
) -> None:
    body = {"id": "FOREIGN-ID", "name": "x", "organisation": "O2", "building": "B02", "point": "B02-EL"}
    body |= {"commodity": "electricity", "device": "x", "mounted": "2026-01-01T00:00:00Z", "meter": "em-2"}
    body |= {"at": "2025-05-01T00:00:00Z", "kind": "reset", "points": ["B02-EL"], "effective": "2025-01-01"}
    body |= {"since": "2025-01-01", "reason": "x"}
    fields = {
        "organisations": ("name",),
        "buildings": ("name", "organisation"),
        "points": ("name", "building", "commodity"),
        "meters": ("point", "device", "mounted"),
        "events": ("meter", "at", "kind"),
        "measures": ("name", "points", "effective"),
        "adjustments": ("point", "since", "reason"),
    }
    said = {"id": "FOREIGN-ID", **{n: body[n] for n in fields[resource]}}
    said |= {"kind": "closure"} if resource == "adjustments" else {}
    asked = {"path": f"{API}/{resource}/FOREIGN-ID", **({"json": said} if method in {"PUT", "PATCH"} else {})}
    version = world.records.version()
    assert alike(manager, method, key, "nothing-at-all", **asked) == 404
    assert world.records.version() == version


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/buildings", {"id": "B9", "name": "x", "organisation": "FOREIGN-ID"}),
        ("PATCH", "/buildings/B02", {"organisation": "FOREIGN-ID"}),
    ],
)
def test_a_building_comes_to_no_foreign_organisation(
    method: str, path: str, body: dict[str, str], world: Region, manager: httpx.Client
) -> None:
    assert alike(manager, method, "O1", "O9", path=API + path, json=body) == 409
    assert world.records.get(Building, "B02").organisation == "O2"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "POST",
            "/points",
            {"id": "P9", "name": "x", "building": "B02", "commodity": "electricity", "parent": "FOREIGN-ID"},
        ),
        ("PATCH", "/points/B02-EL", {"parent": "FOREIGN-ID"}),
        ("PATCH", "/points/B02-V", {"terms": [{"point": "FOREIGN-ID", "sign": 1}]}),
        ("PATCH", "/meters/M3", {"point": "FOREIGN-ID"}),
        ("POST", "/measures", {"id": "OP9", "name": "x", "points": ["FOREIGN-ID"], "effective": "2025-01-01"}),
        (
            "POST",
            "/measures",
            {"id": "OP9", "name": "x", "points": ["B02-EL", "FOREIGN-ID"], "effective": "2025-01-01"},
        ),
        ("PATCH", "/adjustments/A-B02", {"point": "FOREIGN-ID"}),
    ],
)
def test_nothing_of_ones_own_comes_to_a_foreign_point(
    method: str, path: str, body: dict[str, Any], world: Region, manager: httpx.Client
) -> None:
    version = world.records.version()
    assert alike(manager, method, "B01-EL", "B09-EL", path=API + path, json=body) == 409
    assert world.records.version() == version


def test_ones_own_is_changed_and_audited(world: Region, manager: httpx.Client) -> None:
    made = manager.post(f"{API}/buildings", json={"id": "B03", "name": "Pavilon B", "organisation": "O2"})
    assert made.status_code == 201
    assert manager.patch(f"{API}/buildings/B03", json={"name": "Pavilon C"}).status_code == 200
    point = {"id": "B03-EL", "name": "x", "building": "B03", "commodity": "electricity"}
    assert manager.post(f"{API}/points", json=point).status_code == 201
    assert world.records.audit(entity="building", limit=1)[0].by.startswith("key/")
    assert manager.delete(f"{API}/points/B03-EL").status_code == 204


def test_what_belongs_to_no_building_is_changed_by_those_of_the_whole_region(
    world: Region, manager: httpx.Client
) -> None:
    whole = world.client(**world.key(Role.ENERGY_MANAGER))
    for path, body in (("organisations", {"id": "O9", "name": "x"}), ("stations", {"id": "S9", "name": "x"})):
        assert manager.post(f"{API}/{path}", json=body).status_code == 403
        assert whole.post(f"{API}/{path}", json=body).status_code == 201
    assert whole.get(f"{API}/inbox").json()["items"][0]["device"] == "em-9"
    assert manager.get(f"{API}/inbox").status_code == 403


def test_seeing_more_than_one_changes_is_no_way_around(world: Region) -> None:
    grants = (Grant(role=Role.COORDINATOR), Grant(role=Role.ENERGY_MANAGER, organisations=MINE))
    world.person("obojí", *grants)
    client = logged_in(world, "obojí")
    assert len(ids(client.get(f"{API}/buildings"))) == 2
    assert client.patch(f"{API}/buildings/B02", json={"name": "y"}).status_code == 200
    assert client.patch(f"{API}/buildings/B01", json={"name": "y"}).status_code == 403
    assert client.delete(f"{API}/adjustments/A-B01").status_code == 403


def logged_in(world: Region, name: str) -> httpx.Client:
    person = world.records.person(name)
    entered = world.sessions.enter(person, NOW)
    within = world.sessions.within(entered.token, NOW)
    assert within is not None
    return world.client(cookie=f"odecet_session={entered.token}", **{"x-csrf-token": within.form_token})


def test_a_measure_of_both_is_seen_without_what_is_foreign_and_changed_by_nobody_of_one(
    world: Region, manager: httpx.Client
) -> None:
    found = manager.get(f"{API}/measures/OP-BOTH").json()
    assert (found["points"], found["investment_czk"]) == (["B02-EL"], None)
    for method, body in (("PUT", found), ("PATCH", {"name": "y"}), ("DELETE", None)):
        answer = manager.request(method, f"{API}/measures/OP-BOTH", json=body)
        assert answer.status_code == 403
    assert world.records.get(Measure, "OP-BOTH").points == ("B01-EL", "B02-EL")


def test_consumption_is_of_ones_own(manager: httpx.Client) -> None:
    span = "from=2026-01&to=2026-02"
    for scope in ("point=B01-EL", "building=B01", "organisation=O1"):
        assert manager.get(f"{API}/consumption?{scope}&{span}").status_code == 404
    found = manager.get(f"{API}/consumption?{span}").json()
    assert {p["point"] for p in found["points"]} == {"B02-EL", "B02-V"}
    whole = manager.get(f"{API}/consumption?sum=true&{span}").json()["totals"]
    assert [t["points"] for t in whole] == [["B02-EL"]]


def test_a_device_is_ones_own_while_it_stands_there(world: Region, manager: httpx.Client) -> None:
    moved = datetime(2026, 3, 12, tzinfo=UTC)
    first = world.records.get(Meter, "M1")
    mine = Meter(id="M9", point="B02-EL", device="em-1", mounted=moved)
    old = replace(world.records.get(Meter, "M3"), removed=moved, final=1.0)
    world.records.save([replace(first, removed=moved, final=1.0), mine, old], by="test", now=NOW)
    found = manager.get(f"{API}/readings?meter=em-1&from=2026-03-10&to=2026-03-14&limit=10000").json()["items"]
    assert found
    assert {r["at"] >= "2026-03-12T00:00:00" for r in found} == {True}
    assert manager.get(f"{API}/readings?meter=wm-1&from=2026-03-10").json()["items"] == []


def test_questions_of_foreign_dials_are_neither_told_nor_answered(world: Region, manager: httpx.Client) -> None:
    assert manager.get(f"{API}/findings").json()["items"] == []
    assert manager.get(f"{API}/findings?point=B01-EL").status_code == 404
    told = manager.post(f"{API}/findings/{finding_id(BREAK)}/answer", json={"kind": "reset"})
    assert told.status_code == 404
    caretaker = world.client(**world.key(Role.FACILITY_STAFF, buildings=("B01",)))
    assert caretaker.post(f"{API}/findings/{finding_id(BREAK)}/answer", json={}).status_code == 201


def test_alerts_are_acted_on_where_one_may(world: Region, manager: httpx.Client) -> None:
    act = {"act": "acknowledge"}
    assert manager.get(f"{API}/alerts/{world.alerts['B01']}").status_code == 404
    assert manager.post(f"{API}/alerts/{world.alerts['B01']}/acts", json=act).status_code == 404
    assert manager.post(f"{API}/alerts/{world.alerts['B02']}/acts", json=act).status_code == 200
    assert manager.get(f"{API}/alerts?building=B01").json()["items"] == []
    looking = world.client(**world.key(Role.TESTER))
    assert looking.post(f"{API}/alerts/{world.alerts['B01']}/acts", json=act).status_code == 403


def test_files_hold_what_is_in_the_scope_and_are_read_in_by_those_of_the_whole_region(manager: httpx.Client) -> None:
    told = manager.get(f"{API}/register/export?format=xlsx").text
    counts = {line.partition(":")[0]: line[line.rindex("(") :] for line in told.splitlines()}
    assert set(counts.values()) <= {"(0)", "(1)", "(2)"}
    assert sum(int(n.strip("()")) for n in counts.values()) == 10
    file = {"file": ("budovy.csv", b"id\tname\n", "text/csv")}
    assert manager.post(f"{API}/register/import", files=file).status_code == 403


def test_hand_readings_come_to_ones_own_points_alone(manager: httpx.Client) -> None:
    table = "Odběrné místo;Datum;Stav [kWh];\r\n{};1.3.2026;100\r\n{};8.3.2026;200\r\n"
    for point in ("B01-EL", "B09-EL"):
        told = manager.post(f"{API}/imports/readings?name=odecty.csv", content=table.format(point, point).encode())
        assert told.status_code == 200
        assert told.json()["new"] == 0
        assert told.json()["errors"]
    said = json.dumps({"unknown_to_inbox": True})
    told = manager.post(
        f"{API}/imports/readings",
        params={"name": "o.csv", "mapping": said},
        content=table.format("em-1", "em-1").encode(),
    )
    assert told.status_code == 403


def test_ranks_name_nobody_else(tmp_path: Path) -> None:
    schools = [
        Building(
            id=f"S{n}",
            organisation="O2" if n == 5 else "O1",
            name=f"Škola {n}",
            kind=BuildingKind.OFFICE,
            areas=(Dated(since=DAY.replace(year=2020), value=1000.0 * n),),
        )
        for n in range(1, 6)
    ]
    points = [Point(id=f"S{n}-EL", building=f"S{n}", name="x", commodity=Commodity.ELECTRICITY) for n in range(1, 6)]
    rates = Rates({p.id: (1.0, "kWh", SINCE, NOW) for p in points})
    asked = f"{API}/benchmarks?measure=electricity-per-area&from=2025&kind=office"
    with region(tmp_path, ask=rates) as world:
        world.records.save([*schools, *points], by="test", now=NOW)
        whole = world.client(**world.key(Role.ENERGY_MANAGER)).get(asked).json()["kinds"][0]
        mine = world.client(**world.key(Role.ENERGY_MANAGER, organisations=MINE)).get(asked)
        page = world.client(**world.key(Role.ENERGY_MANAGER, organisations=MINE), accept="text/html")
        shown = page.get("/benchmarks?measure=electricity-per-area&year=2025").text
    told = mine.json()["kinds"][0]
    assert [r["name"] for r in told["buildings"] if r["building"] != "-"] == ["Škola 5"]
    assert [r["value"] for r in told["buildings"]] == [r["value"] for r in whole["buildings"]]
    assert {r["amount"] for r in told["buildings"] if r["building"] == "-"} == {None}
    for n in range(1, 5):
        assert f"Škola {n}" not in mine.text
        assert f"Škola {n}" not in shown
    assert "Škola 5" in shown


def test_a_method_nobody_thought_of_is_closed(world: Region) -> None:
    access = Access(name="x", grants=(Grant(role=Role.ENERGY_MANAGER, organisations=MINE),))
    room = world.app.state.room.seen_by(access)
    assert isinstance(room.deps.records, SeenRecords)
    for name in ("people", "api_keys", "save", "keep_person", "recipients", "no_such_method"):
        with pytest.raises(Exception, match="may not"):
            getattr(room.deps.records, name)()
    with pytest.raises(NotFound):
        room.writing(Right.REGISTER).remove(Building, ["B01"], by="x", now=NOW)
