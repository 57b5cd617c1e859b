"""All of Odečet on real stores with something on every page, served for people who log in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from playwright.sync_api import Page

from alerts.lifecycle import opened
from app.simulating import RunningSimulations
from app.wiring import Parts, build
from config.settings import load_settings
from core.alerts import Change, Detection
from core.calendar import instant
from core.notes import DeadLetter, Finding, InboxItem, PointFinding, Rule
from core.papers import Document, DocumentKind, Note, Paper, PaperAct
from core.people import Grant, Person, Role
from core.publications import digest_of
from core.registry import Adjustment, AdjustmentKind, Commodity, Dated, Measure, Meter, Point, Station
from core.sending import PersonRole, Recipient, Route, Window, WindowScope
from core.weather import Temperatures
from services.passwords import Passwords
from services.people import add_person, make_key
from services.publishing import publish
from services.register import By
from services.weather import store_temperatures
from tests.e2e.test_browser_pages import serving
from tests.unit.papers_world import PDF
from tests.unit.publication_world import BEGIN, END, World, fill

NOW = datetime.now(UTC)
ACT = By(by="test", now=NOW)
PASSWORD = "čtyři psi na mezi"  # noqa: S105 - of people who are not
SETTINGS = {
    "ODECET_ACCESS__PASSWORD_MEMORY_KIB": "8",
    "ODECET_ACCESS__PASSWORD_ROUNDS": "1",
    "ODECET_ACCESS__LOGINS_PER_MINUTE": "1000",
    "ODECET_MQTT__EMBEDDED": "false",
}
DAY = date(2025, 1, 1)
REGISTER = (
    Station(id="liberec", name="Liberec", place="Liberec", latitude=50.77, longitude=15.06),
    Point(
        id="B1-KUCHYNE",
        building="B1",
        name="Kuchyně",
        commodity=Commodity.ELECTRICITY,
        parent="B1-EL",
        reserved_kw=(Dated(since=DAY, value=40.0),),
    ),
    Meter(id="M9", point="B1-VO", device="wm-1", mounted=BEGIN, register="volume.total"),
    Measure(id="OP-1", name="Zateplení", points=("B1-GAS",), effective=date(2025, 6, 1), investment_czk=5e5),
    Adjustment(id="A-1", point="B1-EL", since=DAY, kind=AdjustmentKind.CLOSURE, reason="malování"),
)
PENB = Document(
    kind=DocumentKind.PENB,
    title="Průkaz hlavní budovy",
    name="PENB.pdf",
    media_type="application/pdf",
    size=len(PDF),
    digest=digest_of(PDF),
    valid_until=DAY,
    remark="bez přístavby",
)
PAPERS = tuple(
    Paper(id=key, version=1, building="B1", act=PaperAct.ADDED, by="test-facility_staff", at=NOW, said=said)
    for key, said in (("penb", PENB), ("kotel", Note(day=DAY, text="Vyměněn kotel K2.\nStarý netěsnil.")))
)
ASKED = PointFinding(
    point="B2-EL",
    finding=Finding(
        meter="em-3",
        register="energy.import",
        rule=Rule.BREAK,
        at_from=datetime(2025, 9, 4, 9, tzinfo=UTC),
        at_to=datetime(2025, 9, 4, 15, tzinfo=UTC),
        evidence={"before": 48213.4, "after": 0.2},
        proposal={"kind": "swap", "at": "2025-09-04T15:00:00+00:00", "final": 48213.4, "first": 0.2},
    ),
    open=True,
)
LEAK = Detection(
    subject="B1-VO",
    rule="leak",
    at_from=NOW - timedelta(hours=9),
    at_to=NOW,
    found_at=NOW,
    loss_per_day=2.0,
    unit="m³",
    evidence={"least_m3_h": 0.083, "night_hours": 9},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running Odečet: `alert` is the id of a leak that goes on, `publication` of a report that is published."""

    base: str
    parts: Parts
    app: FastAPI
    alert: str
    publication: str

    def log_in(self, page: Page, name: str) -> None:
        """Come in as a person does."""
        page.goto(f"{self.base}/login?lang=cs")
        page.get_by_label("Jméno nebo e-mail").fill(name)
        page.get_by_label("Heslo").fill(PASSWORD)
        page.get_by_role("button", name="Přihlásit").click()
        page.wait_for_url(lambda url: "/login" not in url)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Site]:
    """Serve a site whose stores lie in a folder; `test-ROLE` may log in for each role, everywhere."""
    given = load_settings(None, {**SETTINGS, "ODECET_DATA__FOLDER": str(folder / "var"), **settings})
    given.data.folder.mkdir()
    parts = build(given)
    parts.records.start()
    parts.readings.start()
    simulations = RunningSimulations(given.mqtt, parts.readings, parts.records)
    app = parts.api(ingesting=False, simulations=simulations)
    alert, publication = _filled(parts)
    with serving(_Served(app)) as base:  # type: ignore[arg-type]  # whatever has an app
        yield Site(base=base, parts=parts, app=app, alert=alert, publication=publication)
    simulations.close()
    parts.readings.close()
    parts.records.close()


@dataclass(frozen=True, slots=True)
class _Served:
    app: FastAPI


def _filled(parts: Parts) -> tuple[str, str]:
    records = parts.records
    world: World = fill(parts.readings, records)
    parts.rollups.run()
    world.ready()
    publication = publish(world.live, world.wish()).id
    records.save(REGISTER, by="test", now=NOW)
    at = np.arange(instant(BEGIN), instant(END), np.timedelta64(6, "h"))
    warm = Temperatures(at=at, temp_c=np.full(len(at), 8.0), span_s=np.zeros(len(at), np.int64))
    store_temperatures(parts.readings, records, "liberec", warm, source="test", now=NOW)
    parts.rollups.run()
    records.replace_findings(["B2-EL"], BEGIN, END, [ASKED])
    for paper in PAPERS:
        records.keep_paper(paper, (), PDF if isinstance(paper.said, Document) else None)
    seen = {"first_seen": NOW - timedelta(days=2), "last_seen": NOW}
    records.see(
        [InboxItem(device="em-9", register="energy.import", unit="kWh", count=4, last_value=1.5, topic="x", **seen)]
    )
    records.keep_letters([DeadLetter(topic="x/1", payload=b"{", reason="malformed", detail="", received=NOW)])
    step = opened(LEAK, "B1", NOW)
    records.change_alerts(Change(alerts=(step.alert,), entries=() if step.entry is None else (step.entry,)))
    _people(parts)
    return step.alert.id, publication


def _people(parts: Parts) -> None:
    records = parts.records
    hashed = Passwords(memory_kib=8, rounds=1).hashed(PASSWORD)
    for role in Role:
        add_person(records, Person(id=f"test-{role}", name=f"Jana {role.name}", grants=(Grant(role=role),)), ACT)
        records.keep_password(f"test-{role}", hashed, ())
    make_key(records, "brána", [Grant(role=Role.TESTER)], ACT)
    records.keep_recipients([Recipient(id="novak", name="Jan Novák", mail="novak@example.cz")], ())
    records.keep_routes([Route(id="skolnici", role=PersonRole.CARETAKER)], ())
    ahead = {"start": NOW + timedelta(days=1), "end": NOW + timedelta(days=2)}
    records.keep_windows([Window(id="w1", scope=WindowScope.BUILDING, key="B1", reason="revize", **ahead)], ())
