"""An ingester in a process of its own, from a broker into DuckDB and SQLite, that tests kill: FOLDER PORT."""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection
from ingest.native import NativeProfile
from ingest.pipeline import BatchSize, Ingester
from ingest.profile import Router
from ingest.reader import Reader
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])

    def clock() -> datetime:
        return datetime.now(UTC)

    readings = DuckDBReadingStore(folder / "readings.duckdb", clock)
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    readings.start()
    records.start()
    backlog = Backlog(bound=2000)
    source = MqttSource(Connection(host="127.0.0.1", port=port), backlog=backlog, clock=clock)
    chain = Ingester(
        backlog=backlog,
        source=source,
        reader=Reader(Router([NativeProfile()]), bounds=Bounds()),
        readings=readings,
        records=records,
        clock=clock,
        metrics=IngestMetrics(CollectorRegistry()),
        batch=BatchSize(messages=200, linger_s=0.02),
    )
    chain.start()
    while source.status().state != "connected":  # what is published before the session is there is nobody's
        threading.Event().wait(0.01)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
