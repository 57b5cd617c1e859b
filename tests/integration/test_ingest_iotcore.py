"""Delivery through the embedded broker, which keeps nothing over a restart."""

from collections.abc import Iterator

import pytest
from iotcore import Broker

from tests.integration.test_ingest_mqtt import Publisher, Subject
from tests.servers.process import free_port, wait_until

pytestmark = pytest.mark.server


@pytest.fixture
def port() -> Iterator[int]:
    chosen = free_port()
    broker = Broker(port=chosen, listen="127.0.0.1", max_payload_size=16 * 2**20)
    broker.start()
    yield chosen
    broker.stop()


def test_messages_come_through_the_embedded_broker(port: int) -> None:
    with Publisher(port) as publisher, Subject(port) as subject:
        subject.connected()
        publisher.readings(0, 2000)
        publisher.send(b"x" * 2_000_000)
        subject.has(2000)
        wait_until(lambda: [x.reason for x in subject.records.dead] == ["too_large"], what="the dead letter")


def test_messages_not_acknowledged_come_again_from_the_embedded_broker(port: int) -> None:
    with Publisher(port) as publisher:
        first = Subject(port, bound=30)
        first.ingester.start()
        first.connected()
        first.readings.down = True
        publisher.readings(0, 60)
        wait_until(lambda: first.backlog.held().unacked == 30, what="the bound")
        first.ingester.stop(grace_s=0.1)
        with Subject(port) as second:
            second.has(60)
