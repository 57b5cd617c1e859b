"""Nothing is sent twice or lost over a crash: processes are killed between decision, sending and record."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import lifecycle as life
from alerts.channels.mail import MailChannel
from alerts.channels.mail import MailServer as MailSettings
from alerts.channels.webhook import KEY, WebhookChannel
from alerts.dispatch import LEASE, MOST_TRIES, Dispatched, Dispatcher, pause_after
from core.alerts import Alert, Change, Detection
from core.errors import StoreUnavailable
from core.sending import ChannelKind, Item, Occasion, Outgoing, SendState
from storage.records import SqlRecordStore
from tests.servers.mail import Mailbox, MailServer
from tests.servers.webhooks import Hooks, HookServer

HOUSE = Path(__file__).parents[2]
NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from alerts.channels.mail import MailChannel, MailServer
from alerts.channels.webhook import WebhookChannel
from alerts.dispatch import Dispatcher
from core.sending import ChannelKind
from storage.records import SqlRecordStore

url, port, die = sys.argv[1], int(sys.argv[2]), sys.argv[3]
now = datetime(2026, 3, 29, 1, tzinfo=UTC)

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

class Dying:
    def __init__(self, channel):
        self.channel, self.repeatable = channel, channel.repeatable
    def send(self, message, attachments, begin):
        def beginning():
            begin()
            if die == "in sending":
                kill()
        if die == "before sending":
            kill()
        sent = self.channel.send(message, attachments, beginning)
        assert not sent.error, sent
        kill()

store = SqlRecordStore(url)
store.start()
mail = MailChannel(MailServer(host="127.0.0.1", port=port, sender="odecet@example.cz", security="none"))
channels = {ChannelKind.MAIL: Dying(mail), ChannelKind.WEBHOOK: Dying(WebhookChannel("", clock=lambda: now))}
Dispatcher(store, channels, name="child", clock=lambda: now).run()
"""


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
def mail(mailbox: Mailbox) -> Iterator[MailServer]:
    server = MailServer(mailbox)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/records.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(url)
    opened.start()
    yield opened
    opened.close()


def alert(subject: str = "p-1") -> Alert:
    found = Detection(subject=subject, rule="leak", at_from=NOW, at_to=NOW, found_at=NOW)
    return life.opened(found, "b-1", NOW).alert


def message(one: Alert, **changes: object) -> Outgoing:
    fields: dict[str, object] = {
        "key": f"key-{one.subject}",
        "channel": ChannelKind.MAIL,
        "recipient": "jan",
        "address": "jan@example.cz",
        "items": (Item(alert=one.id, occasion=Occasion.OPENED),),
        "content": {"subject": "Únik", "text": "Ztráta", "payload": {"alert": one.id}},
        "created": NOW,
        "due": NOW,
    }
    return Outgoing(**fields | changes)  # type: ignore[arg-type]  # of the names above


def dispatcher(store: SqlRecordStore, mail: MailServer, clock: Hand, name: str = "parent") -> Dispatcher:
    settings = MailSettings(host="127.0.0.1", port=mail.port, sender="odecet@example.cz", security="none", timeout_s=5)
    channels = {ChannelKind.MAIL: MailChannel(settings), ChannelKind.WEBHOOK: WebhookChannel("", clock=clock)}
    return Dispatcher(store, channels, name=name, clock=clock)


def killed_child(url: str, port: int, when: str) -> None:
    child = subprocess.run([sys.executable, "-c", CHILD, url, str(port), when], cwd=HOUSE, check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL


def states(store: SqlRecordStore) -> dict[str, SendState]:
    return {m.key: m.state for m in store.outgoing()}


@pytest.mark.fault
@pytest.mark.parametrize(
    ("when", "arrived_at_kill", "after"),
    [
        ("before sending", 0, SendState.SENT),
        ("after sending", 1, SendState.UNCERTAIN),
        ("in sending", 0, SendState.UNCERTAIN),
    ],
)
def test_a_killed_sender_leaves_one_mail_at_the_most_and_what_is_unknown_is_shown(  # noqa: PLR0917 - fixtures and the cases
    store: SqlRecordStore,
    url: str,
    mail: MailServer,
    mailbox: Mailbox,
    clock: Hand,
    when: str,
    arrived_at_kill: int,
    after: SendState,
) -> None:
    one = alert()
    store.change_alerts(Change(alerts=(one,), outgoing=(message(one),)))
    killed_child(url, mail.port, when)
    assert len(mailbox.arrived) == arrived_at_kill
    here = dispatcher(store, mail, clock)
    assert here.run() == Dispatched()
    for _ in range(3):
        clock.at += LEASE
        here.run()
    assert states(store) == {"key-p-1": after}
    assert len(mailbox.arrived) == (1 if after is SendState.SENT else arrived_at_kill)


@pytest.mark.fault
def test_a_webhook_killed_after_sending_comes_again_with_the_same_key(
    store: SqlRecordStore, url: str, mail: MailServer, clock: Hand
) -> None:
    hooks = Hooks()
    web = HookServer(hooks)
    web.start()
    try:
        one = alert()
        told = message(one, channel=ChannelKind.WEBHOOK, address=f"{web.url}/")
        store.change_alerts(Change(alerts=(one,), outgoing=(told,)))
        killed_child(url, mail.port, "after sending")
        clock.at += LEASE
        assert dispatcher(store, mail, clock).run() == Dispatched(sent=1)
    finally:
        web.stop()
    assert [headers[KEY] for _, headers, _ in hooks.posted] == ["key-p-1", "key-p-1"]
    assert hooks.posted[0][2] == hooks.posted[1][2]


def test_a_server_that_refuses_and_comes_back_gets_each_mail_once(
    store: SqlRecordStore, mail: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    alerts = [alert(f"p-{n}") for n in range(3)]
    store.change_alerts(Change(alerts=tuple(alerts), outgoing=tuple(message(a) for a in alerts)))
    here = dispatcher(store, mail, clock)
    mailbox.to_rcpt = "451 greylisted"
    assert here.run() == Dispatched(waiting=3)
    assert here.run() == Dispatched()
    mail.stop()
    clock.at += pause_after(1)
    assert here.run() == Dispatched(waiting=3)
    mailbox.to_rcpt = ""
    mail.start()
    assert here.run() == Dispatched()
    clock.at += pause_after(2)
    assert here.run() == Dispatched(sent=3)
    assert sorted(m["Message-ID"] for m in mailbox.arrived) == [f"<key-p-{n}@example.cz>" for n in range(3)]
    assert {m.attempts for m in store.outgoing()} == {3}


def test_one_address_that_is_refused_for_good_stops_no_other(
    store: SqlRecordStore, mail: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    one, other = alert("p-1"), alert("p-2")
    hook = message(other, channel=ChannelKind.WEBHOOK, address="http://host:port/")
    store.change_alerts(Change(alerts=(one, other), outgoing=(message(one), hook)))
    mailbox.to_rcpt = "550 no such user"
    assert dispatcher(store, mail, clock).run() == Dispatched(failed=2)
    errors = {m.key: m.error for m in store.outgoing(states=frozenset({SendState.FAILED}))}
    assert errors["key-p-1"] == "550 no such user"
    assert "no web address" in errors["key-p-2"]


def test_a_message_is_given_up_after_three_days_of_tries(store: SqlRecordStore, mail: MailServer, clock: Hand) -> None:
    one = alert()
    store.change_alerts(Change(alerts=(one,), outgoing=(message(one),)))
    mail.stop()
    here = dispatcher(store, mail, clock)
    for attempt in range(1, MOST_TRIES):
        assert here.run() == Dispatched(waiting=1)
        clock.at += pause_after(attempt)
    assert here.run() == Dispatched(failed=1)
    assert timedelta(days=2.5) < clock.at - NOW < timedelta(days=3.5)
    assert store.outgoing()[0].error.startswith(f"given up after {MOST_TRIES} tries")


def test_what_waited_for_morning_and_was_over_by_then_is_not_told(
    store: SqlRecordStore, mail: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    over, stands, event = alert("p-1"), alert("p-2"), life.gone(alert("p-3"), NOW).alert
    event = replace(event, revision=1)
    held = [message(a, due=NOW + 60 * MINUTE) for a in (over, stands, event)]
    store.change_alerts(Change(alerts=(over, stands, event), outgoing=tuple(held)))
    closed = life.gone(over, NOW + 30 * MINUTE)
    store.change_alerts(Change(alerts=(closed.alert,)))
    here = dispatcher(store, mail, clock)
    assert here.run() == Dispatched()
    clock.at += 60 * MINUTE
    assert here.run() == Dispatched(sent=2, dropped=1)
    assert states(store)["key-p-1"] is SendState.DROPPED
    assert len(mailbox.arrived) == 2


def test_a_store_that_goes_away_after_the_mail_went_out_is_told_later_and_the_mail_is_not_repeated(
    store: SqlRecordStore, mail: MailServer, mailbox: Mailbox, clock: Hand
) -> None:
    class Failing:
        """The store, whose next record fails as a lost connection does."""

        def __init__(self) -> None:
            self.fails = True

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def settle_outgoing(self, settled: Outgoing, *, by: str) -> None:
            if self.fails:
                self.fails = False
                raise StoreUnavailable("the database went away")
            store.settle_outgoing(settled, by=by)

    one = alert()
    store.change_alerts(Change(alerts=(one,), outgoing=(message(one),)))
    settings = MailSettings(host="127.0.0.1", port=mail.port, sender="odecet@example.cz", security="none")
    here = Dispatcher(Failing(), {ChannelKind.MAIL: MailChannel(settings)}, name="here", clock=clock)  # type: ignore[arg-type]  # all else is the store's
    with pytest.raises(StoreUnavailable):
        here.run()
    assert here.run() == Dispatched()
    assert states(store) == {"key-p-1": SendState.SENT}
    assert len(mailbox.arrived) == 1


def test_a_channel_that_is_not_set_up_is_told_and_waited_for(store: SqlRecordStore, clock: Hand) -> None:
    one = alert()
    store.change_alerts(Change(alerts=(one,), outgoing=(message(one),)))
    assert Dispatcher(store, {}, name="here", clock=clock).run() == Dispatched(waiting=1)
    assert store.outgoing()[0].error == "no mail is set up"
