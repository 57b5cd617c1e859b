"""Messages from Mosquitto to durable readings: how many a second, acknowledged after the write, on this machine.

Broker, publisher, ingester and store share the processors. Two figures each: live (published while ingesting) and
backlog (the broker kept the messages for the ingester, which then catches up).
"""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry

from core.ports import ReadingStore
from core.registry import Building, BuildingKind, Commodity, Meter, Organisation, Point
from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection
from ingest.native import NativeProfile
from ingest.pipeline import Ingester
from ingest.profile import Router
from ingest.reader import Reader
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.servers.influx import influx_store, influxdb
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, wait_until

METERS = 1000
CHANGES = 1_000_000  # Mosquitto saving its database after each change would be what is measured
TARGET_MESSAGES = 15_000
TARGET_READINGS = 250_000
Opener = Callable[[Path], ReadingStore]


def now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many messages of how many readings; live, or kept by the broker first."""

    messages: int
    readings: int
    live: bool

    @property
    def title(self) -> str:
        """What is measured."""
        return f"{self.readings:3d} reading(s) a message, {'live' if self.live else 'backlog'}"


LOADS = (
    Load(messages=150_000, readings=1, live=True),
    Load(messages=150_000, readings=1, live=False),
    Load(messages=20_000, readings=50, live=True),
    Load(messages=20_000, readings=50, live=False),
)


def registered(folder: Path) -> SqlRecordStore:
    """Return records in which every meter of the load is mounted."""
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    records.start()
    records.save([Organisation(id="o", name="o")], by="bench", now=now())
    records.save([Building(id="b", organisation="o", name="b", kind=BuildingKind.OTHER)], by="bench", now=now())
    points = [Point(id=f"p{n}", building="b", name="p", commodity=Commodity.ELECTRICITY) for n in range(METERS)]
    records.save(points, by="bench", now=now())
    mounted = datetime(2020, 1, 1, tzinfo=UTC)
    meters = [Meter(id=f"m{n}", point=f"p{n}", device=f"E{n:05d}", mounted=mounted) for n in range(METERS)]
    records.save(meters, by="bench", now=now())
    return records


def ingester(
    broker: ServerProcess, readings: ReadingStore, records: SqlRecordStore, figures: CollectorRegistry
) -> tuple[Ingester, MqttSource]:
    """Return the chain as app wires it."""
    metrics = IngestMetrics(figures)
    backlog = Backlog()
    source = MqttSource(Connection(host="127.0.0.1", port=broker.port), backlog=backlog, clock=now)
    reader = Reader(Router([NativeProfile()]), bounds=Bounds())
    chain = Ingester(
        backlog=backlog, source=source, reader=reader, readings=readings, records=records, clock=now, metrics=metrics
    )
    return chain, source


@contextmanager
def publisher(broker: ServerProcess, load: Load) -> Iterator[Callable[[], None]]:
    """Yield what makes a child process publish the whole load."""
    meters = METERS // load.readings
    arguments = map(str, (broker.port, 0, load.messages, meters, load.readings))
    command = [sys.executable, "-m", "benchmarks.publisher", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

        def go() -> None:
            child.stdin.write("\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]

        yield go
        assert child.stdout.readline() == "done\n"
        go()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a load took [s]: in all, of the processor in the ingester, waiting for writes; and the readings stored.

    The whole is from the first message to the last acknowledgement, the processor that of its process.
    """

    wall_s: float
    cpu_s: float
    write_s: float
    stored: int


def measure(load: Load, opener: Opener, folder: Path) -> Figures:
    """Return what a load took."""
    folder.mkdir()
    broker, readings, records = mosquitto(folder / "broker", changes=CHANGES), opener(folder), registered(folder)
    broker.start()
    readings.start()
    try:
        chain, source = ingester(broker, readings, records, registry := CollectorRegistry())
        chain.start()
        wait_until(lambda: source.status().state == "connected", what="a connection")
        gc.collect()
        with publisher(broker, load) as go:
            if not load.live:
                chain.stop()
            began, cpu = time.perf_counter(), time.process_time()
            go()
            if load.live:
                _finish(chain, source, load)
        if not load.live:
            chain, source = ingester(broker, readings, records, registry := CollectorRegistry())
            began, cpu = time.perf_counter(), time.process_time()
            chain.start()
            _finish(chain, source, load)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        chain.stop()
        write_s = registry.get_sample_value("odecet_ingest_write_seconds_sum") or 0.0
        return Figures(wall_s=took, cpu_s=cpu, write_s=write_s, stored=_stored(readings))
    finally:
        broker.stop()
        readings.close()
        records.close()


def _finish(chain: Ingester, source: MqttSource, load: Load) -> None:
    def settled() -> bool:
        return source.status().received >= load.messages and chain.status().held.unacked == 0

    wait_until(settled, what="every message", seconds=300)


def _stored(readings: ReadingStore) -> int:
    known = readings.known()
    return sum(
        len(readings.read(known[n : n + 100], np.datetime64("2025-01-01"), np.datetime64("2027-01-01")))
        for n in range(0, len(known), 100)
    )


def run() -> None:
    """Print the figures of each store and load; fail where a reading is missing."""
    with tempfile.TemporaryDirectory() as name:
        for store, opener, server in stores(Path(name)):
            for number, load in enumerate(LOADS):
                print(_line(store, load, measure(load, opener, Path(name) / f"{store}{number}")), flush=True)
            if server is not None:
                server.stop()


def _line(store: str, load: Load, figures: Figures) -> str:
    sent = load.messages * load.readings
    assert figures.stored == sent, f"{figures.stored} of {sent} readings stored"
    return (
        f"{store:8s} {load.title}: {load.messages / figures.wall_s:7,.0f} messages/s, "
        f"{sent / figures.wall_s:8,.0f} readings/s; {figures.cpu_s / sent * 1e6:5.2f} µs of processor a reading, "
        f"writing {figures.write_s / figures.wall_s:4.0%} of the time; {figures.stored} stored"
    )


def stores(folder: Path) -> Iterator[tuple[str, Opener, ServerProcess | None]]:
    """Yield each store: name, what opens one, and its server."""
    yield "duckdb", lambda at: DuckDBReadingStore(at / "readings.duckdb", now), None
    (folder / "influx").mkdir()
    server = influxdb(folder / "influx")
    server.start()
    to = {"url": f"http://127.0.0.1:{server.port}"}
    yield "influxdb", lambda at: influx_store(to, f"bench_{at.name}"), server


if __name__ == "__main__":
    run()
