"""The work of alerts by the clock, put together from the settings as a process has it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.alerting import Sending, alert_acts, channels
from app.clock import now
from config.settings import load_settings
from core.alerts import Detection
from core.errors import ConfigError
from core.sending import ChannelKind, Recipient, Route, SendState
from services.alerts import Evaluation
from storage.records import SqlRecordStore
from tests.servers.mail import Mailbox, MailServer

QUIET: dict[str, str] = {"ODECET_MAIL__HOST": "127.0.0.1", "ODECET_MAIL__SENDER": "odecet@example.cz"}


def test_a_detection_becomes_a_mail_by_the_settings_alone(tmp_path: Path) -> None:
    mailbox = Mailbox()
    server = MailServer(mailbox)
    server.start()
    environment = {"ODECET_MAIL__PORT": str(server.port), "ODECET_MAIL__SECURITY": "none"}
    settings = load_settings(None, QUIET | environment)
    store = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    store.start()
    try:
        store.keep_recipients([Recipient(id="jan", name="Jan", mail="jan@example.cz")], [])
        store.keep_routes([Route(id="r", person="jan")], [])
        at = now()
        found = Detection(subject="p-1", rule="leak", at_from=at - timedelta(days=1), at_to=at, found_at=at)
        acts = alert_acts(settings, store)
        acts.report(Evaluation(detections=[found, replace(found, subject="p-2")], judged=()), at)
        Sending(settings, store).run(lambda: False)
        assert [m.state for m in store.outgoing()] == [SendState.SENT]
    finally:
        store.close()
        server.stop()
    assert len(mailbox.arrived) == 1
    assert "a další 1" in mailbox.arrived[0]["Subject"]


def test_channels_are_those_that_are_set_up() -> None:
    assert set(channels(load_settings(None, {}))) == {ChannelKind.WEBHOOK}
    assert set(channels(load_settings(None, QUIET | {"ODECET_ALERTS__MQTT": "true"}))) == set(ChannelKind)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ODECET_MAIL__HOST": "mail.example.cz"}, "mail.host is set, and this is no address"),
        (
            {
                "ODECET_MAIL__HOST": "mail.example.cz",
                "ODECET_MAIL__SENDER": "o@example.cz",
                "ODECET_MAIL__USERNAME": "odecet",
                "ODECET_MAIL__SECURITY": "none",
            },
            "password would be sent unencrypted",
        ),
        ({"ODECET_ALERTS__HIGH_CZK_PER_DAY": "50"}, "below the limit of medium severity"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(environment: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_settings(None, environment)
