"""What meters are heard through: the topics that ingestion notes, and the levels of them that meters share."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StoreUnavailable
from core.readings import Readings, SeriesKey
from core.registry import Meter
from ingest.message import Message
from ingest.trails import Trails
from services.detection_sources import sources_of
from tests.unit.ingest_fakes import MemoryRecords

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000


def meter(device: str, **more: object) -> Meter:
    return Meter(id=f"m-{device}", point=f"p-{device}", device=device, mounted=NOW, **more)  # type: ignore[arg-type]


def chains(topics: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return sources_of(topics, [meter(device) for device in topics], "broker:1883")


def test_a_gateway_is_the_topic_level_that_its_meters_share() -> None:
    topics = {f"a{n}": f"odecet/gw-1/a{n}" for n in range(4)} | {f"b{n}": f"odecet/gw-2/b{n}" for n in range(3)}
    found = chains(topics | {"alone": "odecet/alone"})
    assert found["p-a0"] == ("broker:1883", "odecet/gw-1")
    assert found["p-b2"] == ("broker:1883", "odecet/gw-2")
    assert found["p-alone"] == ("broker:1883",)


def test_a_gateway_that_publishes_all_its_meters_in_one_topic_is_that_topic() -> None:
    found = chains({f"a{n}": "odecet/gateway-7" for n in range(3)} | {"b": "odecet/gateway-8", "c": "site/x"})
    assert found["p-a1"] == ("broker:1883", "odecet", "odecet/gateway-7")
    assert found["p-b"] == ("broker:1883", "odecet")
    assert found["p-c"] == ("broker:1883",)


def test_what_came_by_no_topic_or_was_removed_has_no_source() -> None:
    topics = {"old": "odecet/old"}
    assert sources_of(topics, [meter("imported"), meter("old", removed=datetime(2026, 4, 1, tzinfo=UTC))]) == {}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text("ab/", min_size=1, max_size=6), max_size=12))
def test_each_level_hears_fewer_than_the_wider_and_three_at_least(topics: dict[str, str]) -> None:
    heard = chains(topics)
    for chain in heard.values():
        sizes = [sum(source in other for other in heard.values()) for source in chain]
        assert sizes == sorted(sizes, reverse=True)
        assert len(set(sizes)) == len(sizes)
        assert all(size >= 3 for size in sizes[1:])


def batch(*devices: str) -> Readings:
    keys = [SeriesKey(device, "energy.import") for device in devices]
    at = np.full(len(keys), np.datetime64(NOW.replace(tzinfo=None), "us"))
    return Readings.of(keys, np.arange(len(keys)), at, np.ones(len(keys)))


def message(topic: str, received: int = 0) -> Message:
    return Message(topic=topic, payload=b"", received=received)


def test_topics_are_written_once_and_again_when_a_device_moved() -> None:
    records = MemoryRecords()
    trails = Trails(records)  # type: ignore[arg-type]  # as much of a store as it needs
    trails.note(batch("m1", "m2"), [0, 1], [message("gw/m1"), message("gw/m2")])
    records.down = True
    try:
        trails.flush()
    except StoreUnavailable:
        records.down = False
    trails.flush()
    assert records.topics == {"m1": "gw/m1", "m2": "gw/m2"}
    records.topics = {}
    trails.note(batch("m1"), [0], [message("gw/m1", HOUR_US)])
    trails.note(batch("m1"), [0], [message("gw/m1/power", HOUR_US // 2)])
    trails.flush()
    assert records.topics == {}
    trails.note(batch("m1"), [0], [message("gw-2/m1", 2 * HOUR_US)])
    trails.flush()
    assert records.topics == {"m1": "gw-2/m1"}
