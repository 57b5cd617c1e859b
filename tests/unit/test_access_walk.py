"""Every route with every role, everywhere and within a scope: refused or allowed as the documentation's table says."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.acts import finding_id
from api.doors import Door, access_table, doors, rights_table
from api.error_texts import phrases
from api.papers import OTHERS
from core.people import RIGHTS, Access, Grant, Right, Role
from core.ports import RecordStore
from tests.unit.access_world import FOREIGN, MINE, Region, region, together
from tests.unit.api_world import BREAK

DOCUMENT = Path(__file__).parents[2] / "docs/access.md"
KEYS = {
    "organisations": "O1",
    "buildings": "B01",
    "points": "B01-EL",
    "meters": "M1",
    "events": "E-B01",
    "stations": "liberec",
    "measures": "OP-FOREIGN",
    "adjustments": "A-B01",
    "demand": "B01-EL",
    "people": "nobody",
    "documents": "DOC-B01",
    "notes": "NOTE-B01",
}
"""Of what belongs to O1, by the word before it in an address."""
NAMES = {"number": "1", "finding": finding_id(BREAK), "device": "em-9", "name": "mark.svg", "topic": "odecet/em-1"}
ASKED = {"/api/v1/readings": "?meter=em-1", "/api/v1/benchmarks": "?measure=energy-per-area"}
FOREIGN_IDS = {"point": "B01-EL", "building": "B01", "organisation": "O1", "meter": "em-1", "device": "em-1"}
SCOPES = (Role.ENERGY_MANAGER, Role.FACILITY_STAFF, Role.TESTER)
REFUSED = {401, 403}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with region(tmp_path_factory.mktemp("access")) as made:
        yield made


def address(door: Door, world: Region) -> str:
    """Return the address of a route about something of O1 where it is about something."""

    def filled(found: re.Match[str]) -> str:
        before = door.path[: found.start()].rstrip("/").rpartition("/")[2]
        if before == "alerts":
            return world.alerts["B01"]
        name = found[1].partition(":")[0]
        return KEYS.get(before) or NAMES.get(name, "none")

    path = re.sub(r"\{([^}]*)\}", filled, door.path)
    return f"http://odecet.test{path}{ASKED.get(door.path, '')}"


def request(door: Door, world: Region, headers: dict[str, str]) -> httpx.Request:
    body = b"{}" if door.path.startswith("/api") and door.method not in {"GET", "DELETE"} else b""
    return httpx.Request(door.method, address(door, world), headers={"accept": "text/html", **headers}, content=body)


def documented(heading: str) -> str:
    text = DOCUMENT.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return text[text.index("|") :].strip() + "\n"


def test_the_tables_of_the_documentation_are_those_of_the_code(world: Region) -> None:
    assert documented("What each role may do") == rights_table()
    assert documented("Every route") == access_table(doors(world.app)), "run: python -m tests.unit.test_access_walk"


def test_every_route_declares_its_right(world: Region) -> None:
    assert [f"{d.method} {d.path}" for d in doors(world.app) if not d.declared] == []


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_refuses_and_allows_as_the_table_says(role: Role | None, world: Region) -> None:
    headers = {} if role is None else world.key(role)
    access = Access.public() if role is None else Access(name=role, grants=(Grant(role=role),))
    asked = [d for d in doors(world.app) if not d.path.startswith("/static/vega")]
    answers = together(world.app, [request(door, world, headers) for door in asked])
    wrong = [
        f"{door.method} {answer.url.path}: {answer.status_code}"
        for door, answer in zip(asked, answers, strict=True)
        if refused(answer) is door.opens(access) or answer.status_code == 500
    ]
    assert wrong == []


def refused(answer: httpx.Response) -> bool:
    to_login = answer.status_code == 303 and answer.headers["location"].startswith("/login?to=")
    own = answer.url.path.startswith(("/account", "/login"))  # these ask who one is, not what one may
    others = any(told in answer.text for told in (OTHERS, phrases("cs").problem(OTHERS)))  # behind the door
    return to_login or (answer.status_code in REFUSED and not own and not others)


@pytest.mark.parametrize("role", SCOPES)
def test_no_route_tells_of_what_is_foreign(role: Role, world: Region) -> None:
    headers = world.key(role, organisations=MINE)
    asked = [d for d in doors(world.app) if d.method == "GET" and not d.path.startswith("/static/")]
    answers = together(world.app, [request(door, world, headers) for door in asked])
    told = {
        f"{answer.url.path}: {answer.status_code}": marks
        for answer in answers
        if (marks := [m for m in FOREIGN if m in said(answer)])
    }
    assert told == {}


@pytest.mark.parametrize("role", SCOPES)
def test_no_route_tells_of_what_is_foreign_when_it_is_named(role: Role, world: Region) -> None:
    headers = {"accept": "text/html", **world.key(role, organisations=MINE)}
    addresses = [f"{address(door, world)}" for door, _ in questions(world)]
    asked = [
        httpx.Request(
            "GET", f"{place}{'&' if '?' in place else '?'}{name}={FOREIGN_IDS[name]}&year=2025", headers=headers
        )
        for place, (_, name) in zip(addresses, questions(world), strict=True)
    ]
    assert len(asked) > 15
    answers = together(world.app, asked)
    told = {
        str(answer.url): marks
        for answer, (_, name) in zip(answers, questions(world), strict=True)
        if (marks := [m for m in FOREIGN if m != FOREIGN_IDS[name] and m in said(answer)])
    }
    assert told == {}


def asked_of(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from asked_of(inner)


def questions(world: Region) -> list[tuple[Door, str]]:
    """Return the routes that take an id in their question, with its name."""
    found = []
    for route in iter_route_contexts(world.app.routes):
        if isinstance(route.original_route, APIRoute) and "GET" in (route.methods or ()):
            names = set(asked_of(route.dependant))
            door = Door(method="GET", path=route.path or "", declared=())
            found += [(door, name) for name in FOREIGN_IDS if name in names]
    return found


def test_the_marks_are_told_to_those_whose_they_are(world: Region) -> None:
    headers = world.key(Role.ENERGY_MANAGER, organisations=("O1",))
    asked = [d for d in doors(world.app) if d.method == "GET" and not d.path.startswith("/static/")]
    answers = together(world.app, [request(door, world, headers) for door in asked])
    telling = [a.url.path for a in answers if any(mark in said(a) for mark in FOREIGN)]
    assert len(telling) > 30
    assert {"/", "/buildings", "/points/B01-EL", "/api/v1/findings", "/api/v1/measures", "/alerts"} <= set(telling)
    assert {"/documents", "/documents/DOC-B01", "/notes/NOTE-B01", "/api/v1/notes/NOTE-B01"} <= set(telling)


def said(answer: httpx.Response) -> str:
    """Return what an answer says; an error repeats what was asked for, and tells nothing by that."""
    text = answer.content.decode("utf-8", "replace")
    if answer.status_code < 400:
        return text.replace(answer.url.query.decode(), "")  # links to this page in another language
    for asked in (answer.url.path, answer.url.path.rpartition("/")[2], *KEYS.values(), *NAMES.values()):
        text = text.replace(asked, "")
    return text


@pytest.mark.parametrize("role", SCOPES)
def test_no_route_changes_what_is_foreign(role: Role, world: Region) -> None:
    headers = world.key(role, organisations=MINE)
    before = state(world.records)
    asked = [d for d in doors(world.app) if d.method != "GET" and not d.path.startswith(("/log", "/password"))]
    answers = together(world.app, [request(door, world, headers) for door in asked])
    done = [f"{a.request.method} {a.url.path}" for a in answers if a.is_success and a.request.method == "DELETE"]
    assert done == []
    assert state(world.records) == before


def state(records: RecordStore) -> tuple[object, ...]:
    return (
        records.version(),
        [(p.id, p.grants) for p in records.people()],
        len(records.api_keys()),
        records.count_letters(),
        records.findings(),
        records.recipients(),
        records.papers(),
    )


def test_every_method_of_the_store_is_thought_of() -> None:
    """What a caller with a scope may use is named in api/seen.py; what is closed to them is named here."""
    from api.seen import COMMON, SeenRecords  # noqa: PLC0415 - beside what it is about

    methods = {n for n in dir(RecordStore) if not n.startswith("_") and callable(getattr(RecordStore, n))}
    assert set(COMMON) <= methods
    assert {n for n in vars(SeenRecords) if not n.startswith("_")} <= methods


def test_whoever_administers_may_do_everything() -> None:
    assert RIGHTS[Role.ADMINISTRATOR] == frozenset(Right)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, region(Path(folder)) as made:
        head = DOCUMENT.read_text("utf-8").partition("\n## What each role may do\n")[0]
        table = access_table(doors(made.app))
        DOCUMENT.write_text(f"{head}\n## What each role may do\n\n{rights_table()}\n## Every route\n\n{table}", "utf-8")
