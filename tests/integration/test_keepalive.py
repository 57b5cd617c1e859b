"""What sources want to hear reaches them, over real brokers, and again after the broker was away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
from iotcore import Broker
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ingest.backlog import Backlog
from ingest.codecs.sparkplug import REBIRTH, Metric, Payload, decode_payload, encode_payload
from ingest.keepalive import KeepAlive, KeepAliveRule, Publication
from ingest.message import Message
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection
from ingest.sparkplug_profile import SparkplugProfile
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, free_port, wait_until

pytestmark = pytest.mark.server

RULE = KeepAliveRule(heard="N/{portal}/{path...}", topic="R/{portal}/keepalive", every_s=1)


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=["mosquitto", "iotcore"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    if request.param == "mosquitto":
        yield request.getfixturevalue("server").port
        return
    chosen = free_port()
    broker = Broker(port=chosen, listen="127.0.0.1")
    broker.start()
    yield chosen
    broker.stop()


class Device:
    """A source at the broker: it hears what is said to it, and answers."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{topics[0][0]}")
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe([(t, 0) for t in topics])
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload)))
        self.subscribed = 0
        self.client.on_subscribe = self._count
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_until(lambda: self.subscribed > 0, what="the device")

    def _count(self, *_: object) -> None:
        self.subscribed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Listening:
    """A source of messages with speakers, whose messages a profile reads."""

    def __init__(
        self, port: int, *speakers: KeepAlive | SparkplugProfile, profile: SparkplugProfile | None = None
    ) -> None:
        self.backlog = Backlog(bound=1000)
        self.backlog.open()
        topics = ("N/#", "spBv1.0/#")
        connection = Connection(host="127.0.0.1", port=port, topics=topics, keepalive_s=5)
        self.mqtt = MqttSource(connection, backlog=self.backlog, clock=clock, speakers=speakers)
        self.profile = profile
        self.readings: list[float] = []
        self.letters: list[Message] = []

    def __enter__(self) -> Self:
        self.mqtt.start()
        wait_until(lambda: self.mqtt.status().state == "connected", what="the connection", seconds=60)
        return self

    def __exit__(self, *_: object) -> None:
        self.backlog.close()
        self.mqtt.close()

    def read(self) -> None:
        messages = self.backlog.take(100, linger_s=0.0, wait_s=0.05)
        self.backlog.release(messages)
        self.mqtt.ack([m.ticket for m in messages if m.ticket is not None])
        if self.profile is not None and messages:
            decoded = self.profile.decode(messages)
            self.readings += decoded.readings.value.tolist()
            self.letters += [messages[r.message] for r in decoded.rejects]


def test_a_portal_hears_its_keep_alive_again_and_again(port: int) -> None:
    with Device(port, "R/#") as device, Listening(port, KeepAlive([RULE])) as listening:
        listening.read()
        assert device.heard == []  # nobody was heard yet
        device.client.publish("N/c0619ab/system/0/Serial", b'{"value":"c0619ab"}')
        wait_until(lambda: len(device.heard) >= 3, what="three keep-alives")
        assert set(device.heard) == {("R/c0619ab/keepalive", b"")}


def test_a_node_whose_birth_was_missed_is_asked_and_its_data_are_read(port: int) -> None:
    profile = SparkplugProfile()
    ms = int(clock().timestamp() * 1000)
    early = Metric(
        name=None, alias=1, time_ms=ms, datatype=0, historical=False, field="double_value", raw=9.5, unit=None
    )
    birth = early._replace(name="Energy", datatype=10, raw=10.0, unit="kWh")
    with Device(port, "spBv1.0/+/NCMD/#") as node, Listening(port, profile, profile=profile) as listening:
        node.client.publish("spBv1.0/g/NDATA/n", encode_payload(Payload(ms, 17, (early,))))
        wait_until(lambda: bool(listening.read() or node.heard), what="the command")
        topic, command = node.heard[0]
        assert topic == "spBv1.0/g/NCMD/n"
        assert [(m.name, m.raw) for m in decode_payload(command).metrics] == [(REBIRTH, True)]
        assert len(listening.letters) == 1
        node.client.publish("spBv1.0/g/NBIRTH/n", encode_payload(Payload(ms + 500, 0, (birth,))))
        wait_until(lambda: bool(listening.read() or listening.readings), what="the birth")
        assert profile.decode(listening.letters).readings.value.tolist() == [9.5]
        assert len(node.heard) == 1


def test_keep_alives_go_on_after_the_broker_was_away(server: ServerProcess) -> None:
    with Device(server.port, "R/#") as device, Listening(server.port, KeepAlive([RULE])) as listening:
        device.client.publish("N/a/system/0/Serial", b"{}")
        wait_until(lambda: bool(device.heard), what="a keep-alive")
        server.kill()
        server.start()
        wait_until(lambda: listening.mqtt.status().connects == 2, what="the second connection", seconds=60)
        before = len(device.heard)
        wait_until(lambda: len(device.heard) > before, what="a keep-alive after it", seconds=60)


class Broken:
    """A speaker with a fault of ours."""

    def hear(self, messages: object) -> None:
        raise RuntimeError(f"hear {messages}")

    def due(self, now_us: int) -> list[Publication]:
        raise RuntimeError(f"due {now_us}")


def test_a_speaker_with_a_fault_stops_neither_the_others_nor_the_messages(server: ServerProcess) -> None:
    with Device(server.port, "R/#") as device, Listening(server.port, Broken(), KeepAlive([RULE])) as listening:  # type: ignore[arg-type]
        device.client.publish("N/a/system/0/Serial", b"{}")
        wait_until(lambda: len(device.heard) >= 2, what="two keep-alives")
        assert listening.mqtt.status().connects == 1
        assert listening.mqtt.status().restarts == 0
        assert listening.backlog.held().waiting == 1
