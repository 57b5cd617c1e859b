import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import InputError
from simulators.history import history
from simulators.live import history_messages, run_live
from simulators.payload import Message
from simulators.plan import plan
from simulators.publish import Broker, BrokerRefused, CursorFile, MqttPublisher, Published, publish_all
from simulators.region import sample_region
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, free_port, wait_until

pytestmark = pytest.mark.server


class Listener:
    """A subscriber with a session that outlives connections; keeps every payload in order of arrival."""

    def __init__(self, port: int) -> None:
        self.payloads: list[tuple[str, bytes]] = []
        self.subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("odecet/#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _c, _u, message: self.payloads.append((message.topic, message.payload))
        self.client.connect_async("127.0.0.1", port, keepalive=10)
        self.client.loop_start()
        assert self.subscribed.wait(20)

    @property
    def readings(self) -> list[dict[str, Any]]:
        bodies = [json.loads(payload) for _, payload in list(self.payloads)]
        return [reading for body in bodies for reading in body.get("readings", [body])]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ServerProcess]:
    server = mosquitto(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def listener(broker: ServerProcess) -> Iterator[Listener]:
    one = Listener(broker.port)
    yield one
    one.close()


def numbered(count: int, *, meters: int = 10) -> list[Message]:
    return [
        Message(
            f"odecet/m{n % meters}",
            f'{{"meter":"m{n % meters}","at":"2026-01-01T00:00:00Z","value":{n},"unit":"kWh"}}'.encode(),
            1,
            f"c{n + 1}",
        )
        for n in range(count)
    ]


def test_every_message_arrives_once_and_in_order_where_nothing_breaks(
    broker: ServerProcess, listener: Listener
) -> None:
    told: list[Published] = []
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        done = publish_all(publisher, numbered(3000), progress=told.append)
    assert (done.messages, done.readings, done.resent, done.cursor) == (3000, 3000, 0, "c3000")
    assert told[-1] == done
    wait_until(lambda: len(listener.payloads) >= 3000, what="3000 messages")
    assert [r["value"] for r in listener.readings] == list(range(3000))


@pytest.mark.fault
def test_nothing_is_lost_where_the_broker_is_killed_twice_in_the_middle(
    broker: ServerProcess, listener: Listener
) -> None:
    count, started = 6000, threading.Event()
    cursors: list[str] = []

    def slowly() -> Iterator[Message]:
        for number, message in enumerate(numbered(count)):
            if number in {1500, 4000}:
                started.set()
                waiting.wait(30)
                waiting.clear()
            yield message

    def kill_and_start() -> None:
        for _ in range(2):
            assert started.wait(60)
            started.clear()
            broker.kill()
            waiting.set()
            pause.wait(0.3)
            broker.start()

    waiting, pause = threading.Event(), threading.Event()
    killer = threading.Thread(target=kill_and_start)
    killer.start()
    with MqttPublisher(Broker(port=broker.port), window=200) as publisher:
        done = publish_all(publisher, slowly(), keep=cursors.append)
        killer.join()
    assert done.messages == count
    assert done.resent > 0
    assert cursors[-1] == f"c{count}"
    assert [int(c[1:]) for c in cursors if c] == sorted(int(c[1:]) for c in cursors if c)
    wait_until(lambda: len({r["value"] for r in listener.readings}) >= count, what=f"{count} values")
    assert {r["value"] for r in listener.readings} == set(range(count))


def test_publishing_waits_for_a_broker_that_comes_later(tmp_path: Path) -> None:
    server = mosquitto(tmp_path / "later", port=free_port())
    with MqttPublisher(Broker(port=server.port)) as publisher:
        assert publisher.offer(numbered(1)[0])
        publisher.turn(0.2)
        assert publisher.waiting == 1
        server.start()
        try:
            assert publisher.drain(30)
        finally:
            server.stop()


def test_publishing_gives_up_where_no_broker_comes() -> None:
    with (
        MqttPublisher(Broker(port=free_port()), patience_s=0.3) as publisher,
        pytest.raises(BrokerRefused, match="no conn"),
    ):
        publish_all(publisher, numbered(10))


class Closing(socketserver.BaseRequestHandler):
    """A broker that takes connections and ends them at the first message."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"\x20\x02\x00\x00")
        self.request.recv(1024)


def test_publishing_gives_up_where_the_broker_ends_every_connection_at_the_first_message() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Closing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.server_address[1]
            with (
                MqttPublisher(Broker(port=port), fruitless=1) as publisher,
                pytest.raises(BrokerRefused, match="does it take messages of"),
            ):
                publish_all(publisher, numbered(3))
        finally:
            server.shutdown()
            thread.join()


def test_a_broker_does_not_show_its_password() -> None:
    assert "secret" not in repr(Broker(username="a", password="secret"))  # noqa: S106 - the one that must not be seen


def test_a_wrong_password_is_told_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "passwords"
    empty.write_text("", encoding="utf-8")
    server = mosquitto(tmp_path / "closed", conf_extra=f"allow_anonymous false\npassword_file {empty}\n")
    server.start()
    try:
        with (
            MqttPublisher(Broker(port=server.port, username="a", password="b")) as publisher,  # noqa: S106 - a wrong one
            pytest.raises(BrokerRefused, match="check user name and password"),
        ):
            publish_all(publisher, numbered(10))
    finally:
        server.stop()


def test_a_cancelled_run_goes_on_from_its_cursor_and_nothing_is_left_out(
    broker: ServerProcess, listener: Listener, tmp_path: Path
) -> None:
    messages, kept = numbered(2000), CursorFile(tmp_path / "cursor")
    assert kept.read() == ""
    taken = iter(range(10_000))
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        first = publish_all(publisher, messages, keep=kept.keep, cancelled=lambda: next(taken) > 700)
    assert first.cancelled
    place = int(kept.read()[1:])
    assert 0 < place <= 800
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        rest = publish_all(publisher, messages[place:], keep=kept.keep)
    assert not rest.cancelled
    assert kept.read() == "c2000"
    wait_until(lambda: len({r["value"] for r in listener.readings}) >= 2000, what="2000 values")


def test_the_cursor_stays_before_what_is_not_acknowledged() -> None:
    with MqttPublisher(Broker(port=free_port()), window=5) as publisher:
        assert all(publisher.offer(message) for message in numbered(5))
        assert not publisher.offer(numbered(6)[5])
        assert publisher.cursor == ""
        assert publisher.acked == 0
    with pytest.raises(InputError, match="window"):
        MqttPublisher(Broker(), window=0)


def test_a_history_published_as_messages_is_the_history(broker: ServerProcess, listener: Listener) -> None:
    plans = plan(sample_region(1, 2), {})
    start, end = np.datetime64("2026-01-30", "us"), np.datetime64("2026-02-02", "us")
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        done = publish_all(publisher, history_messages(plans, start, end))
    expected = {
        (stream.devices[0], stream.register, str(at) + "Z", value)
        for batch in history(plans, start, end)
        for stream in batch.streams
        for at, value in zip(np.datetime_as_string(stream.at, unit="s"), stream.value.tolist(), strict=True)
    }
    assert done.readings == len(expected)
    assert done.cursor == "2/2"
    wait_until(lambda: len(listener.readings) >= len(expected), what="all readings")
    assert {(r["meter"], r["register"], r["at"], r["value"]) for r in listener.readings} == expected


class Racing:
    """A clock that goes on by so many seconds at each look."""

    def __init__(self, step_s: float) -> None:
        self.now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
        self.step = timedelta(seconds=step_s)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def test_live_meters_send_what_the_history_says_of_the_same_time(broker: ServerProcess, listener: Listener) -> None:
    plans = plan(sample_region(1, 2), {})
    clock = Racing(1.0)
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        until = np.datetime64("2026-03-29T02:31", "us")
        reached = run_live(plans, publisher, clock=clock, wait=lambda _s: False, speed=60, until=until)
        assert publisher.drain(20)
    assert reached == until
    start = np.datetime64("2026-03-29T00:30:01", "us")
    expected = sum(len(s) for b in history(plans, start, until) for s in b.streams)
    wait_until(lambda: len(listener.readings) >= expected, what="all live readings")
    assert len(listener.readings) == expected > 50


def test_live_simulation_stops_when_told_and_says_from_where_to_go_on(broker: ServerProcess) -> None:
    plans = plan(sample_region(1, 1), {})
    looks = iter(range(1000))
    start = np.datetime64("2026-05-01", "us")
    with MqttPublisher(Broker(port=broker.port)) as publisher:
        reached = run_live(
            plans, publisher, clock=Racing(1.0), wait=lambda _s: next(looks) > 20, speed=900.0, since=start
        )
        assert publisher.drain(20)
        handed = publisher.acked
    expected = sum(len(s) for b in history(plans, start, reached) for s in b.streams)
    assert handed == expected
    assert start < reached < start + np.timedelta64(12, "h")
