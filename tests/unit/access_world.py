# ruff: noqa: ANN401 - changes are whatever an app is given
"""A region of two organisations on a record store in SQL, with people and keys: what the tests of access stand on.

Everything of the first organisation has a mark in its name or id, so that an answer which tells of it shows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from alerts import lifecycle
from api.access import Limits
from api.dependencies import Dependencies, PerMinute
from api.pages.held import Held
from api.room import Room
from core.alerts import AlertFilter, Change, Detection, Subject
from core.notes import DeadLetter, InboxItem
from core.papers import Document, DocumentKind, Note, Paper, PaperAct
from core.people import Grant, Person, Role
from core.publications import digest_of
from core.registry import Adjustment, AdjustmentKind, DialEvent, EventKind, Measure, Station
from services.passwords import Passwords
from services.people import add_person, make_key
from services.register import By
from services.sessions import Policy, Sessions
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW
from tests.unit.api_world import BREAK, REGISTER, InProcess, build_world
from tests.unit.papers_world import PDF

MINE = ("O2",)
FOREIGN = ("B01", "Jeron", "em-1", "wm-1", "Gymn", "OP-FOREIGN", "B01-EL", "46748016", "tajné", "přívod")
"""Marks of what belongs to O1."""
DAY = date(2025, 1, 1)
MORE = (
    Station(id="liberec", name="Liberec"),
    DialEvent(id="E-B01", meter="em-1", at=datetime(2025, 5, 1, tzinfo=UTC), kind=EventKind.RESET, note="tajné"),
    DialEvent(id="E-B02", meter="em-2", at=datetime(2025, 5, 1, tzinfo=UTC), kind=EventKind.RESET),
    Measure(id="OP-FOREIGN", name="Zateplení gymnázia, tajné", points=("B01-EL",), effective=DAY),
    Measure(id="OP-BOTH", name="LED", points=("B01-EL", "B02-EL"), effective=DAY, investment_czk=2e6),
    Measure(id="OP-MINE", name="Čerpadla", points=("B02-EL",), effective=DAY),
    Adjustment(id="A-B01", point="B01-EL", since=DAY, kind=AdjustmentKind.CLOSURE, reason="tajné"),
    Adjustment(id="A-B02", point="B02-EL", since=DAY, kind=AdjustmentKind.CLOSURE, reason="malování"),
)
WAITING = InboxItem(
    device="em-9",
    register="energy.import",
    unit="kWh",
    first_seen=NOW - timedelta(days=2),
    last_seen=NOW,
    count=42,
    last_value=1204.7,
    topic="odecet/em-9",
)
PAPERS = tuple(
    Paper(id=f"{key}-{building}", version=1, building=building, act=PaperAct.ADDED, by="správce", at=NOW, said=said)
    for building, word in (("B01", "tajné"), ("B02", "revize"))
    for key, said in (
        ("DOC", Document(
            kind=DocumentKind.INSPECTION,
            title=f"Kotelna, {word}",
            name=f"{word}.pdf",
            media_type="application/pdf",
            size=len(PDF),
            digest=digest_of(PDF),
            valid_until=DAY,
        )),
        ("NOTE", Note(day=DAY, text=f"Vyměněn kotel, {word}")),
    )
)  # fmt: skip
ACT = By(by="test", now=NOW)
FAST = Passwords(memory_kib=8, rounds=1)
PASSWORD = "čtyři psi na mezi"  # noqa: S105 - of people who are not


def detection(point: str) -> Detection:
    return Detection(
        rule="leak",
        subject=point,
        kind=Subject.POINT,
        at_from=NOW - timedelta(hours=2),
        at_to=NOW,
        found_at=NOW,
        evidence={"point": point},
    )


@dataclass
class Region:
    """An app over a store with people; `alerts` are the ids of one alert a building."""

    app: FastAPI
    records: SqlRecordStore
    sessions: Sessions
    alerts: dict[str, str]

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(transport=InProcess(self.app), base_url="http://odecet.test", headers=headers)

    def key(self, role: Role, **scope: tuple[str, ...]) -> dict[str, str]:
        made = make_key(self.records, role, [Grant(role=role, **scope)], ACT)
        return {"authorization": f"Bearer {made.secret}"}

    def person(self, key: str, *grants: Grant, mail: str = "", password: str = PASSWORD) -> Person:
        made = add_person(self.records, Person(id=key, name=f"{key} Testová", mail=mail, grants=grants), ACT)
        if password:
            self.records.keep_password(key, self.sessions.passwords.hashed(password), ())
        return made


def together(app: FastAPI, requests: list[httpx.Request]) -> list[httpx.Response]:
    """Return the answers of an app to requests, on one loop."""

    async def sent() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://odecet.test") as client:
            return [await client.send(request) for request in requests]

    return anyio.run(sent)


@cache
def _app() -> tuple[FastAPI, Dependencies]:
    """Return an app that each region in its turn is served by: making one takes longer than most tests."""
    app = build_world(tokens={"nobody": "a token that opens it to nobody"}).app
    return app, app.state.room.deps


@cache
def _filled() -> bytes:
    """Return the file of a store with the region in it, without people."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "records.sqlite"
        records = SqlRecordStore(f"sqlite:///{file}")
        records.start()
        records.save([*REGISTER, *MORE], by="test", now=NOW)
        records.see([WAITING])
        records.keep_letters(
            [DeadLetter(topic="odecet/em-1", payload=b"{", reason="malformed", detail="?", received=NOW)]
        )
        foreign = replace(BREAK, finding=replace(BREAK.finding, evidence={"before": 1.0}))
        for paper in PAPERS:
            records.keep_paper(paper, (), PDF if isinstance(paper.said, Document) else None)
        records.replace_findings(["B01-EL"], NOW, NOW, [foreign])
        for building in ("B01", "B02"):
            step = lifecycle.opened(detection(f"{building}-EL"), building, NOW)
            records.change_alerts(Change(alerts=(step.alert,), entries=() if step.entry is None else (step.entry,)))
        records.close()
        return file.read_bytes()


@contextmanager
def region(folder: Path, **changes: Any) -> Iterator[Region]:
    file = folder / "records.sqlite"
    file.write_bytes(_filled())
    records = SqlRecordStore(f"sqlite:///{file}")
    records.start()
    alerts = {alert.building: alert.id for alert in records.alerts(AlertFilter())}
    sessions = Sessions(records, FAST, changes.pop("policy", Policy()))
    many = PerMinute(people=10**6, programs=10**6, strangers=10**6, logins=10**6)
    given: dict[str, Any] = {"records": records, "sessions": sessions, "per_minute": many, "tokens": {}, **changes}
    app, usual = _app()
    deps = replace(usual, metrics=CollectorRegistry(), **given)
    app.state.room, app.state.limits, app.state.held = Room(deps), Limits(deps), Held()
    yield Region(app=app, records=records, sessions=sessions, alerts=alerts)
    records.close()
