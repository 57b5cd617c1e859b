"""Mail to a real SMTP server, webhooks to a real HTTP server, topics at a real Mosquitto."""

import hashlib
import hmac
import json
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from alerts.channels.mail import DATA_PATIENCE_S, MailChannel
from alerts.channels.mail import MailServer as MailSettings
from alerts.channels.mqtt import Broker, MqttChannel
from alerts.channels.webhook import KEY, SIGNATURE, WebhookChannel
from core.sending import Attachment, ChannelKind, Item, Occasion, Outgoing, Sent
from tests.servers.mail import Mailbox, MailServer
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port, program, wait_until
from tests.servers.webhooks import Hooks, HookServer

NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)
CHART = Attachment(name="průběh.png", kind="image/png", content=b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
MESSAGE = Outgoing(
    key="0123456789abcdef",
    channel=ChannelKind.MAIL,
    recipient="jan",
    address="jan@example.cz",
    items=(Item(alert="a-1", occasion=Occasion.OPENED),),
    content={
        "subject": "Únik vody: ZŠ Ještěd\nBcc: evil@example.cz",
        "text": "Ztráta 12,5 m³ za den.\n.\nKonec.",
        "html": "<p>Ztráta <b>12,5 m³</b> za den.</p>",
        "payload": {"alerts": [{"id": "a-1", "rule": "leak"}]},
    },
    created=NOW,
    due=NOW,
)


class Begun:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def begun() -> Begun:
    return Begun()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[MailServer]:
    running = MailServer(mailbox)
    running.start()
    yield running
    running.stop()


def channel(server: MailServer, **changes: object) -> MailChannel:
    plain = MailSettings(host="127.0.0.1", port=server.port, sender="odecet@kraj-lbc.cz", security="none", timeout_s=5)
    return MailChannel(replace(plain, **changes))  # type: ignore[arg-type]  # of its fields


# Mail


def test_mail_arrives_whole_with_text_html_and_chart(server: MailServer, mailbox: Mailbox, begun: Begun) -> None:
    assert channel(server).send(MESSAGE, [CHART], begun) == Sent()
    (mail,) = mailbox.arrived
    assert mailbox.receivers == ["jan@example.cz"]
    assert mail["Subject"] == "Únik vody: ZŠ Ještěd Bcc: evil@example.cz"
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == "<0123456789abcdef@kraj-lbc.cz>"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Ztráta 12,5 m³ za den.", ".", "Konec."]
    assert "<b>12,5 m³</b>" in html.get_content()
    (chart,) = mail.iter_attachments()
    assert (chart.get_filename(), chart.get_content_type()) == ("průběh.png", "image/png")
    assert chart.get_content() == CHART.content
    assert begun.times == 1


@pytest.mark.parametrize(
    ("answer", "recoverable"),
    [("450 mailbox busy", True), ("550 no such user here", False), ("552 full", False)],
)
def test_an_address_that_is_refused_is_told_before_anything_goes_out(
    server: MailServer, mailbox: Mailbox, begun: Begun, answer: str, *, recoverable: bool
) -> None:
    mailbox.to_rcpt = answer
    sent = channel(server).send(MESSAGE, [], begun)
    assert (sent.recoverable, sent.error, sent.uncertain) == (recoverable, answer, False)
    assert (begun.times, mailbox.arrived) == (0, [])


@pytest.mark.parametrize(("answer", "recoverable"), [("451 try later", True), ("554 spam", False)])
def test_a_refused_message_is_tried_later_or_given_up(
    server: MailServer, mailbox: Mailbox, begun: Begun, answer: str, *, recoverable: bool
) -> None:
    mailbox.to_data = answer
    assert channel(server).send(MESSAGE, [], begun) == Sent(recoverable=recoverable, error=answer)


def test_a_server_that_is_away_or_speaks_no_tls_is_tried_later(server: MailServer, begun: Begun) -> None:
    assert channel(server, security="starttls").send(MESSAGE, [], begun).recoverable
    assert channel(server, security="tls").send(MESSAGE, [], begun).recoverable
    server.stop()
    sent = channel(server).send(MESSAGE, [], begun)
    assert sent.recoverable
    assert "127.0.0.1" in sent.error
    assert begun.times == 0
    server.start()
    assert channel(server).send(MESSAGE, [], begun) == Sent()


def test_a_slow_server_is_waited_for_longer_than_a_connection(
    server: MailServer, mailbox: Mailbox, begun: Begun
) -> None:
    mailbox.delay_s = 1.0
    assert channel(server, timeout_s=0.5).send(MESSAGE, [], begun) == Sent()
    assert len(mailbox.arrived) == 1
    assert DATA_PATIENCE_S >= 600


def test_a_server_that_goes_away_in_the_middle_leaves_it_uncertain(
    server: MailServer, mailbox: Mailbox, begun: Begun
) -> None:
    mailbox.closing = True
    sent = channel(server).send(MESSAGE, [], begun)
    assert (sent.uncertain, begun.times) == (True, 1)
    assert sent.error


def test_what_begin_refuses_does_not_go_out(server: MailServer, mailbox: Mailbox) -> None:
    class TakenError(Exception):
        pass

    def refuse() -> None:
        raise TakenError

    with pytest.raises(TakenError):
        channel(server).send(MESSAGE, [], refuse)
    assert mailbox.arrived == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*made, *names], check=True, capture_output=True)
    return key, cert


def test_mail_goes_out_encrypted_to_a_server_whose_certificate_is_trusted(
    certificate: tuple[Path, Path], mailbox: Mailbox, begun: Begun
) -> None:
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = MailServer(mailbox, tls=context, password="správné heslo".encode().hex())
    server.start()
    try:
        trusted = {"security": "starttls", "ca_file": str(cert), "username": "odecet"}
        secret = "správné heslo".encode().hex()
        assert channel(server, **trusted, password=secret).send(MESSAGE, [], begun) == Sent()
        wrong = channel(server, **trusted, password=secret[::-1]).send(MESSAGE, [], begun)
        assert wrong.recoverable
        assert "refuses our password" in wrong.error
        unknown = channel(server, security="starttls").send(MESSAGE, [], begun)
        assert unknown.recoverable
        assert "certificate" in unknown.error.lower()
    finally:
        server.stop()
    assert (len(mailbox.arrived), mailbox.encrypted) == (1, [True])


# Webhooks


@pytest.fixture
def hooks() -> Hooks:
    return Hooks()


@pytest.fixture
def web(hooks: Hooks) -> Iterator[HookServer]:
    running = HookServer(hooks)
    running.start()
    yield running
    running.stop()


def hook(web: HookServer) -> Outgoing:
    return replace(MESSAGE, channel=ChannelKind.WEBHOOK, address=f"{web.url}/alerts?from=odecet")


def test_a_webhook_is_signed_and_carries_its_key(web: HookServer, hooks: Hooks, begun: Begun) -> None:
    assert WebhookChannel("tajné heslo", clock=lambda: NOW).send(hook(web), [], begun) == Sent()
    ((path, headers, body),) = hooks.posted
    assert path == "/alerts?from=odecet"
    assert headers[KEY] == MESSAGE.key
    seconds, _, given = headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    assert int(seconds) == int(NOW.timestamp())
    right = hmac.new("tajné heslo".encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(given, right)
    assert json.loads(body) == {
        "id": MESSAGE.key,
        "created": NOW.isoformat(),
        "payload": {"alerts": [{"id": "a-1", "rule": "leak"}]},
    }


def test_a_receiver_can_check_the_signature_as_the_documents_say(web: HookServer, hooks: Hooks, begun: Begun) -> None:
    page = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")
    taught: dict[str, Any] = {}
    exec(page.split("```python")[1].split("```")[0], taught)  # noqa: S102 - our own documents
    assert WebhookChannel("tajné heslo", clock=lambda: NOW).send(hook(web), [], begun) == Sent()
    ((_, headers, body),) = hooks.posted
    at, check = NOW.timestamp(), taught["is_from_odecet"]
    assert check("tajné heslo", headers[SIGNATURE], body, at)
    assert not check("jiné heslo", headers[SIGNATURE], body, at)
    assert not check("tajné heslo", headers[SIGNATURE], body + b" ", at)
    assert not check("tajné heslo", headers[SIGNATURE], body, at + 301)
    forged = headers[SIGNATURE].replace(f"t={int(at)}", f"t={int(at) + 600}")
    assert not check("tajné heslo", forged, body, at + 600)


@pytest.mark.parametrize(
    ("status", "recoverable"), [(500, True), (503, True), (429, True), (408, True), (404, False), (302, False)]
)
def test_a_webhook_is_tried_again_where_that_may_help(
    web: HookServer, hooks: Hooks, begun: Begun, status: int, *, recoverable: bool
) -> None:
    hooks.answers = [status]
    sent = WebhookChannel("", clock=lambda: NOW).send(hook(web), [], begun)
    assert (sent.recoverable, sent.error.split()[0]) == (recoverable, str(status))
    assert len(hooks.posted) == 1
    assert SIGNATURE not in hooks.posted[0][1]


def test_a_webhook_whose_server_is_away_is_tried_again(begun: Begun) -> None:
    away = replace(MESSAGE, address=f"http://127.0.0.1:{free_port()}/")
    assert WebhookChannel("", clock=lambda: NOW).send(away, [], begun).recoverable


# MQTT


@pytest.mark.server
def test_a_topic_gets_the_alert_once_the_broker_has_taken_it(tmp_path: Path, begun: Begun) -> None:
    broker = mosquitto(tmp_path)
    broker.start()
    got: list[tuple[str, bytes]] = []
    ready: list[bool] = []
    listener = paho.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda _c, _d, message: got.append((message.topic, message.payload))
    listener.on_subscribe = lambda *_: ready.append(True)
    listener.connect("127.0.0.1", broker.port)
    listener.subscribe("odecet-alerts/#", qos=1)
    listener.loop_start()
    try:
        wait_until(lambda: bool(ready), what="the subscription")
        message = replace(MESSAGE, channel=ChannelKind.MQTT, address="odecet-alerts/zs-1")
        sender = MqttChannel(Broker(host="127.0.0.1", port=broker.port, timeout_s=10))
        assert sender.send(message, [], begun) == Sent()
        wait_until(lambda: bool(got), what="the alert")
        assert [topic for topic, _ in got] == ["odecet-alerts/zs-1"]
        assert json.loads(got[0][1])["id"] == MESSAGE.key
        late: list[bytes] = []
        listener.on_message = lambda _c, _d, message: late.append(message.payload)
        listener.unsubscribe("odecet-alerts/#")
        ready.clear()
        listener.subscribe("odecet-alerts/#", qos=1)
        wait_until(lambda: bool(ready), what="the later subscription")
        assert sender.send(replace(message, key="second"), [], begun) == Sent()
        wait_until(lambda: bool(late), what="the second alert")
        assert [json.loads(body)["id"] for body in late] == ["second"]  # nothing was retained
        wrong = sender.send(replace(message, address="a/#"), [], begun)
        assert (wrong.recoverable, bool(wrong.error)) == (False, True)
    finally:
        listener.disconnect()
        listener.loop_stop()
        broker.stop()
    assert sender.send(message, [], begun).recoverable
