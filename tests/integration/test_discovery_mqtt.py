"""Discovery on a real broker: described topics are followed, on the living connection and after whatever happens."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
from prometheus_client import CollectorRegistry

from app.profiles import all_profiles
from core.readings import SeriesKey
from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection
from ingest.pipeline import BatchSize, Ingester
from ingest.profile import Router
from ingest.reader import Reader
from tests.integration.test_ingest_mqtt import Publisher
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, wait_until
from tests.unit.ingest_fakes import MemoryReadings, MemoryRecords

pytestmark = pytest.mark.server

CONFIG = {
    "state_topic": "sklep/vodomer",
    "value_template": "{{ value_json.v }}",
    "unit_of_measurement": "m³",
    "device_class": "water",
    "state_class": "total_increasing",
    "device": {"identifiers": ["w1"], "name": "Vodoměr"},
}
TOPIC = "homeassistant/sensor/w1/total/config"
SERIES = SeriesKey("w1", "volume.total")


def clock() -> datetime:
    return datetime.now(UTC)


class Discovering:
    """An ingester that reads all bundled profiles, over stores in memory."""

    def __init__(self, port: int, records: MemoryRecords | None = None, **to: object) -> None:
        self.readings, self.records = MemoryReadings(), records or MemoryRecords()
        router = Router(all_profiles(None, site="Europe/Prague"))
        backlog = Backlog()
        connection = Connection(host="127.0.0.1", port=port, topics=("odecet/#", *router.filters), **to)  # type: ignore[arg-type]
        self.mqtt = MqttSource(connection, backlog=backlog, clock=clock)
        self.ingester = Ingester(
            backlog=backlog,
            source=self.mqtt,
            reader=Reader(router, bounds=Bounds()),
            readings=self.readings,  # type: ignore[arg-type]
            records=self.records,  # type: ignore[arg-type]
            clock=clock,
            metrics=IngestMetrics(CollectorRegistry()),
            batch=BatchSize(linger_s=0.01),
        )

    def __enter__(self) -> Self:
        self.ingester.start()
        wait_until(lambda: self.mqtt.status().state == "connected", what="the connection")
        return self

    def __exit__(self, *_: object) -> None:
        self.ingester.stop()

    def values(self) -> list[float]:
        return [value for (key, _), (value, _) in sorted(self.readings.kept.items()) if key == SERIES]

    def described(self, count: int = 1) -> None:
        wait_until(lambda: len(self.records.proposed) == count, what=f"{count} proposals")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ServerProcess]:
    server = mosquitto(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


def say(publisher: Publisher, value: float, topic: str = "sklep/vodomer") -> None:
    publisher.send(json.dumps({"v": value}).encode(), topic)
    publisher.done()


def describe(publisher: Publisher, *, retain: bool = True, **changes: object) -> None:
    publisher.send(json.dumps(CONFIG | changes).encode(), TOPIC, retain=retain)
    publisher.done()


@pytest.mark.parametrize("v5", [False, True])
def test_described_topics_are_followed_on_the_living_connection(broker: ServerProcess, *, v5: bool) -> None:
    with Publisher(broker.port) as publisher, Discovering(broker.port, v5=v5) as subject:
        say(publisher, 1)
        describe(publisher)
        subject.described()
        wait_until(lambda: _reads(publisher, subject, 2.0), what="the topic to be followed")
        say(publisher, 3)
        wait_until(lambda: 3.0 in subject.values(), what="the next value")
        assert subject.values()[0] == 2.0
        assert subject.records.dead == []
        assert subject.mqtt.status().connects == 1


def _reads(publisher: Publisher, subject: Discovering, value: float) -> bool:
    """Say a value until it is read: the subscription is on its way."""
    say(publisher, value)
    return value in subject.values()


def test_followed_topics_are_subscribed_again_after_the_broker_was_killed(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Discovering(broker.port) as subject:
        describe(publisher)
        subject.described()
        wait_until(lambda: _reads(publisher, subject, 1.0), what="the topic to be followed")
        broker.kill()
        wait_until(lambda: subject.mqtt.status().state != "connected", what="the loss to be noticed")
        broker.start()
        wait_until(lambda: subject.mqtt.status().connects == 2, what="the second connection", seconds=60)
        wait_until(lambda: _reads(publisher, subject, 2.0), what="the value after the kill", seconds=60)


def test_what_came_while_we_were_away_is_read_by_the_description_of_before(broker: ServerProcess) -> None:
    """The description is not retained, and the session holds the messages: nothing of them becomes a dead letter."""
    with Publisher(broker.port) as publisher:
        with Discovering(broker.port) as first:
            describe(publisher, retain=False)
            first.described()
            wait_until(lambda: _reads(publisher, first, 1.0), what="the topic to be followed")
        for value in (2, 3, 4):
            say(publisher, value)
        with Discovering(broker.port, first.records) as again:
            wait_until(lambda: again.values()[-1:] == [4.0], what="the values of meanwhile")
            assert again.mqtt.status().received >= 3
            assert again.records.dead == []


def test_a_topic_whose_description_is_taken_back_is_let_go(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher, Discovering(broker.port) as subject:
        describe(publisher)
        subject.described()
        wait_until(lambda: _reads(publisher, subject, 1.0), what="the topic to be followed")
        seen = len(subject.values())
        publisher.send(b"", TOPIC, retain=True)
        publisher.done()
        subject.described(0)
        wait_until(lambda: json.loads(subject.records.texts["mqtt/followed/odecet-ingest"]) == [], what="letting go")
        received = subject.mqtt.status().received
        wait_until(lambda: _silent(publisher, subject, received), what="silence")
        assert len(subject.values()) == seen


def _silent(publisher: Publisher, subject: Discovering, _received: int) -> bool:
    """Return whether a state said now does not arrive before a reading said after it."""
    before = subject.mqtt.status().received
    say(publisher, 9)
    publisher.readings(before, 1, meter="after")
    publisher.done()
    wait_until(lambda: subject.mqtt.status().received > before, what="the reading after it")
    return subject.mqtt.status().received == before + 1


def test_topics_of_a_run_whose_descriptions_are_gone_are_let_go_at_the_next(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        with Discovering(broker.port) as first:
            describe(publisher)
            first.described()
            wait_until(lambda: _reads(publisher, first, 1.0), what="the topic to be followed")
        publisher.send(b"", TOPIC, retain=True)
        publisher.done()
        first.records.described.clear()
        with Discovering(broker.port, first.records) as again:
            wait_until(lambda: _silent(publisher, again, 0), what="silence")


def test_retained_states_are_old_and_live_ones_are_new(broker: ServerProcess) -> None:
    with Publisher(broker.port) as publisher:
        publisher.send(b'{"v": 7}', "sklep/vodomer", retain=True)
        describe(publisher)
        with Discovering(broker.port) as subject:
            subject.described()
            wait_until(lambda: _reads(publisher, subject, 8.0), what="the live value")
            assert 7.0 not in subject.values()
            assert subject.records.dead == []
