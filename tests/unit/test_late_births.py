"""Sparkplug data that came before their birth are read after it, out of the dead letters, by themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.rebirths import LateBirths
from core.calendar import instant, micros
from core.errors import StoreUnavailable
from core.notes import DeadLetter
from core.ports import Taken
from ingest.accept import Bounds
from ingest.codecs.sparkplug import Metric, Payload, encode_payload
from ingest.intake import PayloadIntake
from ingest.metrics import IngestMetrics
from ingest.profile import Router
from ingest.reader import Reader
from ingest.sparkplug_profile import SparkplugProfile
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
MS = int(micros(instant(NOW))) // 1000
BIRTH = Metric("Energy", alias=1, time_ms=MS, datatype=10, historical=False, field="double_value", raw=10.0, unit="kWh")


class World:
    """A profile between a door and two embedded stores."""

    def __init__(self, folder: Path) -> None:
        self.profile = SparkplugProfile()
        self.records = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        self.readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        for store in (self.records, self.readings):
            store.start()
        reader = Reader(Router([self.profile]), bounds=Bounds())
        metrics = IngestMetrics(CollectorRegistry())
        self.intake = PayloadIntake(reader=reader, readings=self.readings, records=self.records, metrics=metrics)
        self.down = False
        self.births = LateBirths(self.profile, records=self.records, replay=self.replay)

    def replay(self, letters: list[DeadLetter]) -> Taken:
        if self.down:
            raise StoreUnavailable("switched off")
        done = self.intake.replay(letters, NOW)
        self.records.mark_replayed(done.read, NOW)
        return Taken(readings=done.readings, rejected=())

    def take(self, topic: str, *metrics: Metric, seq: int, after_ms: int) -> Taken:
        payload = encode_payload(Payload(MS + after_ms, seq, metrics))
        moment = datetime.fromtimestamp((MS + after_ms) / 1000, UTC)
        return self.intake.take(topic, payload, source="", now=moment)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.births.close()
    made.readings.close()
    made.records.close()


def data(value: float, ms: int) -> Metric:
    return BIRTH._replace(name=None, datatype=0, raw=value, time_ms=MS + ms, unit=None)


def test_letters_are_read_after_the_birth_and_not_before(world: World) -> None:
    for n in range(3):
        world.take("spBv1.0/g/DDATA/n/d", data(20.0 + n, n), seq=n, after_ms=n)
    world.take("spBv1.0/g/NDATA/other", data(99.0, 0), seq=0, after_ms=0)
    assert world.records.count_letters() == {"birth_missing": 4}
    assert world.births.look() == 0
    world.take("spBv1.0/g/NBIRTH/n", seq=0, after_ms=500)
    world.take("spBv1.0/g/DBIRTH/n/d", BIRTH, seq=1, after_ms=501)
    assert world.births.look() == 3
    assert [x.topic for x in world.records.letters(reason="birth_missing")] == ["spBv1.0/g/NDATA/other"]
    assert world.births.look() == 0
    assert [p.topic for p in world.profile.due(10**18)] == ["spBv1.0/g/NCMD/other"]


def test_a_store_that_is_down_is_asked_again(world: World) -> None:
    world.take("spBv1.0/g/NDATA/n", data(20.0, 0), seq=3, after_ms=0)
    world.take("spBv1.0/g/NBIRTH/n", BIRTH, seq=0, after_ms=500)
    world.down = True
    with pytest.raises(StoreUnavailable):
        world.births.look()
    world.down = False
    assert world.births.look() == 1


def test_letters_of_another_session_stay_letters(world: World) -> None:
    world.take("spBv1.0/g/NDATA/n", data(20.0, 0), seq=3, after_ms=0)
    world.take("spBv1.0/g/NDEATH/n", seq=0, after_ms=100)
    world.take("spBv1.0/g/NBIRTH/n", BIRTH, seq=0, after_ms=500)
    assert world.births.look() == 0
    assert world.records.count_letters() == {"birth_missing": 1}
