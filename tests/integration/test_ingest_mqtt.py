"""Delivery from real brokers: nothing lost, nothing doubled, whatever is killed, full, slow or nonsense."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from core.readings import Readings
from ingest import mqtt as mqtt_module
from ingest.backlog import Backlog
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection
from ingest.pipeline import BatchSize
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, wait_until
from tests.unit.ingest_fakes import Chain, MemoryReadings

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
AT_S = 1_767_225_600


def clock() -> datetime:
    return datetime.now(UTC)


class Subject(Chain):
    """A chain over stores in memory, fed by a broker."""

    def __init__(self, port: int, *, bound: int = 20_000, readings: MemoryReadings | None = None, **to: object) -> None:
        backlog = Backlog(bound=bound)
        connection = Connection(host="127.0.0.1", port=port, **to)  # type: ignore[arg-type]
        self.mqtt = MqttSource(connection, backlog=backlog, clock=clock)
        super().__init__(source=self.mqtt, backlog=backlog, readings=readings, batch=BatchSize(linger_s=0.01))
        self.now = clock()

    def __enter__(self) -> Self:
        self.ingester.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.readings.down = self.records.down = False
        self.ingester.stop()

    def connected(self) -> "Subject":
        wait_until(lambda: self.mqtt.status().state == "connected", what="the connection")
        return self

    def has(self, count: int, *, seconds: float = 30) -> None:
        wait_until(lambda: len(self.readings.kept) >= count, what=f"{count} readings", seconds=seconds)
        assert len(self.readings.kept) == count


class Publisher:
    """A client that publishes at QoS 1 and knows when the broker has all."""

    def __init__(self, port: int, **auth: str) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="publisher", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(1000)
        if auth:
            self.client.username_pw_set(auth["username"], auth["password"])
        self.client.on_publish = self._count
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.sent = 0
        self.taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, payload: bytes, topic: str = "odecet/x", *, retain: bool = False) -> None:
        self.sent += 1
        self.client.publish(topic, payload, qos=1, retain=retain)

    def _count(self, *_: object) -> None:
        self.taken += 1

    def readings(self, first: int, count: int, meter: str = "m") -> None:
        for n in range(first, first + count):
            self.send(json.dumps({"meter": meter, "at": AT_S + n, "value": n, "unit": "kWh"}).encode())

    def done(self, seconds: float = 60) -> None:
        wait_until(lambda: self.taken >= self.sent, what="the broker to take all", seconds=seconds)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ServerProcess]:
    server = mosquitto(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


def test_messages_become_readings_and_are_not_delivered_again(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        with Subject(broker.port) as subject:
            subject.connected()
            publisher.readings(0, 500)
            subject.has(500)
        with Subject(broker.port) as again:
            again.connected()
            publisher.readings(500, 1)
            again.has(1)


def test_messages_of_a_store_that_is_down_are_held_to_the_bound_and_come_through(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port, bound=50) as subject:
        subject.connected()
        subject.readings.down = True
        publisher.readings(0, 400)
        publisher.done()
        wait_until(lambda: subject.backlog.held().unacked == 50, what="the bound to be reached")
        threading.Event().wait(1.0)
        assert subject.backlog.held().unacked == 50
        assert subject.readings.kept == {}
        assert subject.mqtt.status().state == "connected"
        subject.readings.down = False
        subject.has(400)


def test_a_store_down_for_longer_than_the_keep_alive_costs_no_message(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port, bound=20, keepalive_s=2) as subject:
        subject.connected()
        subject.readings.down = True
        publisher.readings(0, 200)
        publisher.done()
        threading.Event().wait(6.0)
        assert subject.mqtt.status().connects == 1
        subject.readings.down = False
        subject.has(200)


def test_messages_not_acknowledged_at_a_stop_come_again(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        first = Subject(broker.port, bound=30)
        first.ingester.start()
        first.connected()
        first.readings.down = True
        publisher.readings(0, 100)
        wait_until(lambda: first.backlog.held().unacked == 30, what="the bound")
        first.ingester.stop(grace_s=0.1)
        assert first.readings.kept == {}
        with Subject(broker.port) as second:
            second.has(100)


@pytest.mark.fault
def test_a_broker_killed_in_the_middle_loses_nothing_that_is_sent_again(broker: ServerProcess) -> None:
    """Mosquitto writes messages in flight to a connected client nowhere, so a publisher repeats its last ones."""
    with Publisher(broker.port) as publisher, Subject(broker.port, bound=100) as subject:
        subject.connected()
        publisher.readings(0, 300)
        wait_until(lambda: len(subject.readings.kept) > 20, what="the first readings")
        broker.kill()
        wait_until(lambda: subject.mqtt.status().state == "lost", what="the loss to be seen")
        broker.start()
        publisher.readings(0, 400)
        publisher.done()
        subject.has(400)
        assert subject.mqtt.status().connects >= 2


@pytest.mark.fault
def test_messages_in_hand_survive_a_kill_of_the_broker_while_the_store_is_down(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port) as subject:
        subject.connected()
        subject.readings.down = True
        publisher.readings(0, 100)
        wait_until(lambda: subject.backlog.held().unacked == 100, what="the messages to be in hand")
        broker.kill()
        broker.start()
        wait_until(lambda: subject.mqtt.status().connects == 2, what="the second connection")
        subject.readings.down = False
        subject.has(100)
        assert subject.records.dead == []


@pytest.mark.fault
def test_a_kill_of_the_broker_is_seen_while_nothing_is_read(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port, bound=10) as subject:
        subject.connected()
        subject.readings.down = True
        publisher.readings(0, 50)
        wait_until(lambda: subject.backlog.held().unacked == 10, what="the bound")
        broker.kill()
        wait_until(lambda: subject.mqtt.status().state == "lost", what="the loss to be seen", seconds=5)
        broker.start()


@pytest.mark.fault
def test_queued_messages_of_an_absent_ingester_survive_a_kill_of_the_broker(broker: ServerProcess) -> None:
    with Subject(broker.port) as subject:
        subject.connected()
    with Publisher(broker.port) as publisher:
        publisher.readings(0, 50)
        publisher.done()
        threading.Event().wait(1.0)
        broker.kill()
        broker.start()
        with Subject(broker.port) as subject:
            subject.has(50)


@pytest.mark.fault
def test_an_ingester_killed_again_and_again_loses_and_doubles_nothing(broker: ServerProcess, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.servers.ingest_child", str(tmp_path), str(broker.port)]
    with Publisher(broker.port) as publisher:
        for turn in range(3):
            with _child(command) as child:
                publisher.readings(turn * 400, 400)
                threading.Event().wait(0.4)
                child.kill()
        publisher.readings(1200, 1)
        publisher.done()

    def complete() -> bool:
        """Take what is left and count: the embedded store belongs to one process at a time."""
        with _child(command):
            threading.Event().wait(2.0)
        return _stored(tmp_path) >= 1201

    wait_until(complete, what="1201 readings", seconds=90)
    store = DuckDBReadingStore(tmp_path / "readings.duckdb", clock)
    store.start()
    try:
        read = store.read(store.known(), np.datetime64("2020-01-01"), np.datetime64("2030-01-01"))
        assert read.value.tolist() == [float(n) for n in range(1201)]
        assert len(store.revisions(store.known(), np.datetime64("2020-01-01"), np.datetime64("2030-01-01"))) == 0
    finally:
        store.close()
    records = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    records.start()
    assert records.letters() == []
    assert [i.device for i in records.inbox()] == ["m"]
    records.close()


@contextmanager
def _child(command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        yield child
        child.terminate()


def _stored(folder: Path) -> int:
    store = DuckDBReadingStore(folder / "readings.duckdb", clock)
    store.start()
    try:
        return len(store.read(store.known(), np.datetime64("2020-01-01"), np.datetime64("2030-01-01")))
    finally:
        store.close()


def test_acknowledgements_of_a_former_connection_are_dropped(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port) as subject:
        subject.connected()
        subject.readings.down = True
        publisher.readings(0, 20)
        wait_until(lambda: subject.backlog.held().unacked == 20, what="messages in hand")
        loop = subject.mqtt._loop
        assert loop is not None
        assert loop._client is not None
        sent: list[int] = []
        loop._client.end()
        wait_until(lambda: subject.backlog.held().unacked == 40, what="the second delivery")
        client = loop._client
        assert client is not None
        acknowledge = client.acknowledge
        client.acknowledge = lambda mids: (sent.extend(mids), acknowledge(mids))[1]  # type: ignore[method-assign]
        subject.readings.down = False
        subject.has(20)
        wait_until(lambda: len(sent) == 20, what="the acknowledgements of the second connection")
    with Subject(broker.port) as again:
        again.connected()
        threading.Event().wait(0.5)
        assert again.readings.kept == {}


def test_a_retained_value_is_not_read_twice(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        payload = json.dumps({"meter": "m", "at": AT_S, "value": 5, "unit": "kWh"}).encode()
        publisher.send(payload, retain=True)
        publisher.send(b'{"meter": "timeless", "value": 5, "unit": "kWh"}', "odecet/y", retain=True)
        publisher.done()
        store = MemoryReadings()
        for _ in range(3):
            with Subject(broker.port, readings=store) as subject:
                subject.connected()
                wait_until(lambda s=subject: s.mqtt.status().received >= 2, what="the replay")  # type: ignore[misc]
                wait_until(lambda s=subject: s.backlog.held().unacked == 0, what="settling")  # type: ignore[misc]
                assert subject.records.dead == []
        assert store.writes == 1
        assert len(store.kept) == 1


def test_nonsense_is_kept_and_blocks_nothing(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port) as subject:
        subject.connected()
        publisher.send(b"x" * 10_000_000)
        publisher.send(b"[" * 1_000_000)
        publisher.send(b'{"meter": "m", "value": ')
        publisher.send(b"\x00\xff")
        publisher.send(b"")
        publisher.send(b'{"meter": "m", "at": 1, "value": 1, "unit": "kWh"}')
        publisher.readings(0, 10)
        subject.has(10)
        wait_until(lambda: len(subject.records.dead) == 6, what="the dead letters")
        reasons = sorted(x.reason for x in subject.records.dead)
        assert reasons == ["empty", "malformed", "malformed", "malformed", "time_unreadable", "too_large"]
        assert max(len(x.payload) for x in subject.records.dead) == 10_000_000


def test_an_exception_inside_a_callback_costs_one_connection(
    broker: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()
    original = mqtt_module._Loop._on_subscribe

    def once(self: object, *arguments: object) -> None:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("a callback that fails")
        original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mqtt_module._Loop, "_on_subscribe", once)
    with Publisher(broker.port) as publisher, Subject(broker.port) as subject:
        wait_until(broken.is_set, what="the failure")
        publisher.readings(0, 10)
        subject.has(10)
        assert subject.mqtt.status().connects == 2


def test_a_loop_that_dies_or_hangs_is_replaced(broker: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_module, "WATCHED_EVERY_S", 0.1)
    monkeypatch.setattr(mqtt_module, "SILENT_S", 2.0)
    hang, hung = threading.Event(), threading.Event()
    with Publisher(broker.port) as publisher, Subject(broker.port) as subject:
        subject.connected()
        loop = subject.mqtt._loop
        assert loop is not None

        def stuck(*_: object) -> int:
            hung.set()
            hang.wait(20)
            return 0

        monkeypatch.setattr(loop, "_room", stuck)
        publisher.readings(0, 10)
        wait_until(hung.is_set, what="the loop to hang")
        wait_until(lambda: subject.mqtt.status().restarts == 1, what="the restart")
        subject.has(10)
        hang.set()
        loop.thread.join(5)
        assert not loop.thread.is_alive()


def test_a_broker_that_is_absent_is_waited_for(tmp_path: Path) -> None:
    server = mosquitto(tmp_path / "late")
    with Subject(server.port) as subject:
        wait_until(lambda: subject.mqtt.status().state == "lost", what="the absence to be told")
        assert "refused" in subject.mqtt.status().detail
        server.start()
        try:
            subject.connected()
            with Publisher(server.port) as publisher:
                publisher.readings(0, 5)
                subject.has(5)
        finally:
            subject.ingester.stop()
            server.stop()


def test_a_wrong_password_is_told_and_tried_again_until_it_is_right(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    passwords = folder / "passwords"
    passwords.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "odecet", "right"], check=True)
    server = mosquitto(folder, conf_extra=f"allow_anonymous false\npassword_file {passwords}")
    server.start()
    try:
        with Subject(server.port, username="odecet", password="wrong") as subject:  # noqa: S106 - of a test's broker
            wait_until(lambda: subject.mqtt.status().state == "refused", what="the refusal to be told")
            assert "Not authorized" in subject.mqtt.status().detail
            assert "password" in subject.mqtt.status().detail
        with (
            Subject(server.port, username="odecet", password="right") as subject,  # noqa: S106 - as above
            Publisher(server.port, username="odecet", password="right") as publisher,  # noqa: S106 - as above
        ):
            subject.connected()
            publisher.readings(0, 3)
            subject.has(3)
    finally:
        server.stop()


def test_a_filter_that_the_broker_refuses_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "listed"
    folder.mkdir()
    acl = folder / "acl"
    acl.write_text("topic readwrite odecet/#\n")
    server = mosquitto(folder, conf_extra=f"acl_file {acl}")
    server.start()
    try:
        with Subject(server.port, topics=("odecet/#", "secret/#")) as subject, Publisher(server.port) as publisher:
            subject.connected()
            publisher.readings(0, 3)
            subject.has(3)
            assert subject.mqtt.status().state == "connected"
    finally:
        server.stop()


def test_filters_that_are_not_asked_for_any_more_are_dropped(broker: ServerProcess) -> None:
    with Subject(broker.port, topics=("odecet/#", "old/#")) as subject:
        subject.connected()
    with (
        Publisher(broker.port) as publisher,
        Subject(broker.port, topics=("odecet/#",), former_topics=("odecet/#", "old/#")) as subject,
    ):
        subject.connected()
        publisher.send(b"x", "old/y")
        publisher.readings(0, 3)
        subject.has(3)
        assert subject.mqtt.status().received == 3


def test_mqtt_5_keeps_its_session_too(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        with Subject(broker.port, v5=True) as subject:
            subject.connected()
            publisher.readings(0, 10)
            subject.has(10)
        publisher.readings(10, 20)
        publisher.done()
        with Subject(broker.port, v5=True) as subject:
            subject.has(20)


def test_two_ingesters_of_one_session_do_not_fight(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Subject(broker.port) as one, Subject(broker.port) as two:
        threading.Event().wait(6)
        connects = one.mqtt.status().connects + two.mqtt.status().connects
        assert connects <= 8
        publisher.readings(0, 50)
        wait_until(lambda: len(one.readings.kept) + len(two.readings.kept) >= 50, what="the readings", seconds=60)


def test_readings_of_unknown_meters_stand_in_the_inbox(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        with Subject(broker.port) as subject:
            subject.connected()
            publisher.readings(0, 200, meter="stray")
            subject.has(200)
        assert subject.records.seen["stray", "energy.total"].count == 200


def test_every_reading_written_was_whole(broker: ServerProcess) -> None:
    class Checked(MemoryReadings):
        def write(self, readings: Readings) -> None:
            assert len(readings.series) == len(set(readings.series))
            assert set(np.unique(readings.code)) == set(range(len(readings.series)))
            super().write(readings)

    with Publisher(broker.port) as publisher, Subject(broker.port, readings=Checked()) as subject:
        subject.connected()
        for meter in ("a", "b", "c"):
            publisher.readings(0, 50, meter=meter)
        subject.has(150)
        assert subject.records.dead == []
