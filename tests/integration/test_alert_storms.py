"""From detections to mailboxes over a real SMTP server: one cause, one mail; storms bounded; crashes and outages."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from alerts.bounds import PEOPLE
from alerts.channels.mail import MailChannel
from alerts.channels.mail import MailServer as MailSettings
from alerts.chart import Chart, picture
from alerts.dispatch import LEASE, Dispatcher
from alerts.grouping import SOURCE_SILENT, Heard
from core.alerts import AlertFilter, Detection, Severity
from core.errors import StoreUnavailable
from core.evidence import SERIES
from core.registry import Building, Commodity, Organisation, Point
from core.sending import ChannelKind, PersonRole, Recipient, Route, SendState
from services.alert_charts import Charts
from services.alerts import Alerts, Evaluation, Policy
from storage.records import SqlRecordStore
from tests.servers.mail import Mailbox, MailServer

HOUSE = Path(__file__).parents[2]
NOW = datetime(2026, 3, 10, 21, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
METERS = 1_300
EVA = Recipient(id="eva", name="Eva", role=PersonRole.ENERGY_MANAGER, mail="eva@example.cz")


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[MailServer]:
    running = MailServer(mailbox)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/records.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(url)
    opened.start()
    opened.keep_recipients([EVA], [])
    opened.keep_routes([Route(id="r", person="eva")], [])
    yield opened
    opened.close()


@pytest.fixture
def acts(store: SqlRecordStore) -> Alerts:
    return Alerts(store, Policy(address="https://odecet.example.cz"))


def sender(store: SqlRecordStore, server: MailServer, clock: Hand, attach: Charts | None = None) -> Dispatcher:
    settings = MailSettings(
        host="127.0.0.1", port=server.port, sender="odecet@example.cz", security="none", timeout_s=5
    )
    charts = attach or Charts(store.alert)
    return Dispatcher(store, {ChannelKind.MAIL: MailChannel(settings)}, name="here", clock=clock, attach=charts)


def leak(subject: str, at: datetime = NOW, czk: float = 380.0, **changes: object) -> Detection:
    hours = [at - n * HOUR for n in range(48, 0, -1)]
    series = {
        "name": "flow",
        "unit": "m³/h",
        "at": [hour.isoformat() for hour in hours],
        "value": [0.0 if n < 30 else 0.12 for n in range(48)],
    }
    fields: dict[str, object] = {
        "rule": "leak",
        "at_from": at - 18 * HOUR,
        "at_to": at,
        "found_at": at,
        "loss_per_day": 2.9,
        "unit": "m³",
        "loss_czk_per_day": czk,
        "evidence": {SERIES: [series], "threshold": 0.05, "night_flow": 0.12},
    }
    return Detection(subject=subject, **fields | changes)  # type: ignore[arg-type]  # of the names above


def report(acts: Alerts, *found: Detection, at: datetime = NOW) -> None:
    acts.report(Evaluation(detections=found, judged=()), at)


def parts(mail: EmailMessage) -> Mapping[str, EmailMessage]:
    return {part.get_content_type(): part for part in mail.walk() if isinstance(part, EmailMessage)}


# The chart in the mail


def test_a_mail_shows_the_evidence_within_and_says_it_in_words_too(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    report(acts, leak("p-1"))
    assert sender(store, server, clock).run().sent == 1
    (mail,) = mailbox.arrived
    assert mail.get_content_type() == "multipart/alternative"
    found = parts(mail)
    html, text, image = (found[kind] for kind in ("text/html", "text/plain", "image/png"))
    (cid,) = re.findall(r'src="cid:([^"]+)"', html.get_content())
    assert image["Content-ID"] == f"<{cid}>"
    assert image.get_content_disposition() == "inline"
    assert image.get_content()[:4] == b"\x89PNG"
    assert re.search(r'alt="Únik vody: průběh po hodinách, m³/h. Mez 0,05', html.get_content())
    for said in ("2,9 m³, 380 Kč za den", "1. V noci nebo o víkendu", "Průtok v noci 0,12\u00a0m³/h", "/alerts/"):
        assert said in text.get_content()
    assert "<!--chart" not in html.get_content()


def test_a_chart_that_fails_loses_no_mail_and_is_noted(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    def draw(chart: Chart, language: str) -> bytes:
        return picture(replace(chart, spec={"mark": "nonsense"}), language)

    report(acts, leak("p-1"))
    assert sender(store, server, clock, Charts(store.alert, draw=draw)).run().sent == 1
    (mail,) = mailbox.arrived
    assert "image/png" not in parts(mail)
    assert "<img" not in parts(mail)["text/html"].get_content()
    assert "Únik vody" in parts(mail)["text/plain"].get_content()
    (told,) = store.outgoing()
    assert told.state is SendState.SENT
    assert told.error.startswith("no chart of")


def test_evidence_that_no_chart_can_show_keeps_no_alert_from_people(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    report(acts, leak("p-1", evidence={SERIES: [{"name": "flow"}, 7], "hours": 3}), leak("p-2", evidence={SERIES: 7}))
    assert sender(store, server, clock).run().sent == 1
    assert "Zjištěno po 3\u00a0h" in parts(mailbox.arrived[0])["text/plain"].get_content()
    assert "no chart of" in store.outgoing()[0].error


# Storms


def test_a_storm_of_faults_fills_no_mailbox_and_every_one_of_them_is_told(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    going = sender(store, server, clock, Charts(store.alert, draw=lambda *_: b"png"))
    for minute in range(60):
        clock.at = NOW + minute * MINUTE
        report(acts, leak(f"p-{minute}", clock.at, 5000.0 if minute == 40 else 1.0, evidence={}), at=clock.at)
        going.run()
    most = PEOPLE.most + HOUR // PEOPLE.pause
    assert PEOPLE.most < len(mailbox.arrived) <= most
    clock.at = NOW + 2 * HOUR
    going.run()
    assert len(mailbox.arrived) <= most + 1
    told = {item.alert for m in store.outgoing(states=frozenset({"sent"}), limit=500) for item in m.items}
    assert told == {alert.id for alert in store.alerts(AlertFilter())}
    assert len(told) == 60
    states = {m.state for m in store.outgoing(limit=500)}
    assert states == {SendState.SENT, SendState.JOINED}
    urgent = next(m for m in mailbox.arrived if "5 000 Kč" in m["Subject"])
    assert "a další" in urgent["Subject"]


def test_what_ended_while_it_was_held_back_is_not_told(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    going = sender(store, server, clock, Charts(store.alert, draw=lambda *_: b"png"))
    for n in range(PEOPLE.most + 1):
        report(acts, leak(f"p-{n}"))
        going.run()
    assert len(mailbox.arrived) == PEOPLE.most
    last = f"p-{PEOPLE.most}"
    acts.report(Evaluation(detections=[], judged={("leak", last)}), NOW + MINUTE)
    clock.at = NOW + HOUR
    going.run()
    assert len(mailbox.arrived) == PEOPLE.most
    assert [m.state for m in store.outgoing(states=frozenset({"dropped"}))] == [SendState.DROPPED]


# A night without the broker


def test_a_broker_down_for_a_night_with_1300_meters_is_one_alert_and_one_mail_though_the_mail_server_fails_too(
    store: SqlRecordStore, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    store.save(
        [
            Organisation(id="o", name="Kraj"),
            *(Building(id=f"b-{n}", organisation="o", name=f"Budova {n}") for n in range(100)),
            *(
                Point(id=f"p-{n}", building=f"b-{n % 100}", name=f"Měřidlo {n}", commodity=Commodity.COLD_WATER)
                for n in range(METERS)
            ),
        ],
        by="test",
        now=NOW,
    )
    expected = [HOUR / 4, HOUR, DAY]
    heard = [
        Heard(subject=f"p-{n}", last=NOW - (n % 15) * MINUTE, expected=expected[n % 20 // 9]) for n in range(METERS)
    ]
    sources = {f"p-{n}": ("broker", f"gw-{n % 40}") for n in range(METERS)}
    judged = {("dead", f"p-{n}") for n in range(METERS)}
    going = sender(store, server, clock)
    mailbox.to_rcpt = "451 greylisted"
    for half_hour in range(1, 21):
        clock.at = NOW + half_hour * HOUR / 2
        silent = [h for h in heard if clock.at - h.last > 2 * h.expected + HOUR]
        dead = [
            Detection(subject=h.subject, rule="dead", at_from=h.last, at_to=clock.at, found_at=clock.at) for h in silent
        ]
        acts.report(Evaluation(detections=dead, judged=judged, heard=heard, sources=sources), clock.at)
        if half_hour == 6:
            server.stop()
        if half_hour == 12:
            mailbox.to_rcpt, mailbox.delay_s = "", 0.2
            server.start()
        going.run()
    (alert,) = store.alerts(AlertFilter())
    assert (alert.rule, alert.subject, alert.severity) == (SOURCE_SILENT, "broker", Severity.HIGH)
    assert len(alert.covers) > 1_200
    (mail,) = mailbox.arrived
    assert mail["Subject"] == "Mlčí brána nebo broker – broker"
    (message,) = store.outgoing()
    assert (message.state, message.attempts > 3) == (SendState.SENT, True)
    assert mail["Message-ID"] == f"<{message.key}@example.cz>"


# Killed

CHILD = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from alerts.channels.mail import MailChannel, MailServer
from alerts.dispatch import Dispatcher
from core.alerts import Detection
from core.sending import ChannelKind
from services.alerts import Alerts, Evaluation, Policy
from storage.records import SqlRecordStore

url, port, die = sys.argv[1], int(sys.argv[2]), sys.argv[3]
now = datetime(2026, 3, 10, 21, tzinfo=UTC)

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

class Store(SqlRecordStore):
    def change_alerts(self, change):
        if die == "before the decision is stored":
            kill()
        super().change_alerts(change)
        if die == "after the decision is stored":
            kill()
    def settle_outgoing(self, message, *, by):
        if die == "before the sending is recorded":
            kill()
        super().settle_outgoing(message, by=by)

store = Store(url)
store.start()
found = Detection(subject="p-1", rule="leak", at_from=now - timedelta(hours=18), at_to=now, found_at=now)
Alerts(store, Policy()).report(Evaluation(detections=[found], judged=()), now)
mail = MailChannel(MailServer(host="127.0.0.1", port=port, sender="odecet@example.cz", security="none"))
Dispatcher(store, {ChannelKind.MAIL: mail}, name="child", clock=lambda: now).run()
"""


@pytest.mark.fault
@pytest.mark.parametrize(
    "when", ["before the decision is stored", "after the decision is stored", "before the sending is recorded"]
)
def test_a_process_killed_on_the_way_from_the_fault_to_the_mailbox_leaves_one_alert_and_one_mail(  # noqa: PLR0917 - fixtures and the cases
    store: SqlRecordStore, url: str, acts: Alerts, server: MailServer, mailbox: Mailbox, clock: Hand, when: str
) -> None:
    command = [sys.executable, "-c", CHILD, url, str(server.port), when]
    child = subprocess.run(command, cwd=HOUSE, check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL
    going = sender(store, server, clock)
    for _ in range(3):
        clock.at += LEASE
        report(acts, leak("p-1", czk=1.0, at_from=NOW - 18 * HOUR), at=clock.at)
        going.run()
    assert len(store.alerts(AlertFilter())) == 1
    assert len(mailbox.arrived) == 1
    (message,) = store.outgoing()
    assert message.state is (SendState.UNCERTAIN if when.endswith("recorded") else SendState.SENT)


# The weekly digest

MONDAY = datetime(2026, 3, 16, 6, tzinfo=UTC)


def test_the_digest_of_two_routes_is_one_mail_of_three_a_building_also_over_a_crash(
    store: SqlRecordStore, server: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    water = Commodity.COLD_WATER
    store.save(
        [
            Organisation(id="o", name="Kraj"),
            *(Building(id=f"b-{n}", organisation="o", name=f"Budova {n}") for n in range(2)),
            *(Point(id=f"p-{n}", building=f"b-{n % 2}", name=f"Měřidlo {n}", commodity=water) for n in range(10)),
        ],
        by="test",
        now=NOW,
    )
    store.keep_routes([Route(id=f"w-{n}", person="eva", digest=True, buildings=(f"b-{n}",)) for n in range(2)], [])
    store.drop_notification("route", ["r"], [])

    class Forgetful:
        """The store, which fails once right after the digest was put into the outbox."""

        def __init__(self) -> None:
            self.fails = True

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def keep(self, key: str, text: str) -> None:
            if self.fails:
                self.fails = False
                raise StoreUnavailable("the database went away")
            store.keep(key, text)

    acts = Alerts(Forgetful(), Policy())  # type: ignore[arg-type]  # all else is the store's
    for n in range(10):
        report(acts, leak(f"p-{n}", czk=10.0 * n, evidence={}))
    going = sender(store, server, clock)
    with pytest.raises(StoreUnavailable):
        acts.tick(MONDAY)
    for minutes in range(3):
        clock.at = MONDAY + minutes * MINUTE
        acts.tick(clock.at)
        going.run()
    (mail,) = mailbox.arrived
    assert mail["Subject"] == "Týdenní přehled 2026-W12"
    text = parts(mail)["text/plain"].get_content()
    assert "Otevřených upozornění: 10." in text
    assert "450 Kč za den" in text
    assert re.findall(r"Měřidlo (\d) \(", text) == ["8", "6", "4", "9", "7", "5"]
    clock.at = MONDAY + 7 * DAY
    acts.tick(clock.at)
    going.run()
    assert [m["Subject"] for m in mailbox.arrived][1:] == ["Týdenní přehled 2026-W13"]
