"""What a person waits for: a building's year by day and the region's year by month, over HTTP from a real server."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import uvicorn
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from benchmarks.rollups import DAYS, START
from benchmarks.rollups import register as fill_register
from core.calendar import NAT, Period, edges, instant
from core.errors import OdecetError
from core.ports import Taken
from core.readings import SeriesKey
from core.rollup import RollUp
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from ingest.tables import FileTables
from services.consumption import consumption
from services.held import HeldRegister
from services.points import MAIN
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

POINTS = 1_300
RUNS = 60


class NoIntake:
    """The benchmark only asks."""

    def take(self, topic: str, payload: bytes, *, source: str, now: datetime) -> Taken:
        """Refuse."""
        raise OdecetError(f"nothing is taken here: {topic}, {len(payload)} bytes, {source}, {now}")


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def fill(readings: DuckDBReadingStore) -> None:
    """Store three years of days of every point."""
    start, end = instant(START - timedelta(days=2 * DAYS)), instant(START + timedelta(days=DAYS))
    grid = edges(Period.DAY, start, end)
    days = len(grid) - 1
    size = POINTS * days
    none, zero = np.full(size, NAT), np.zeros(size, np.int64)
    span_s = np.tile(np.diff(grid).astype("timedelta64[s]").astype(np.int64), POINTS)
    amount = np.random.default_rng(1).integers(10**9, 10**12, size)
    readings.write_rollup(
        Period.DAY,
        RollUp(
            series=tuple(SeriesKey(f"p{n}", MAIN) for n in range(POINTS)),
            code=np.repeat(np.arange(POINTS, dtype=np.int32), days),
            start=np.tile(grid[:-1], POINTS),
            span_s=span_s,
            nano=amount,
            missing_s=zero,
            estimated_s=zero,
            gap_until=none,
            gap_since=none,
            first_at=np.tile(grid[:-1], POINTS),
            last_at=np.tile(grid[1:], POINTS),
        ),
    )


@contextmanager
def served(readings: DuckDBReadingStore, records: SqlRecordStore) -> Iterator[str]:
    """Serve the API on a free port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    register = HeldRegister(records)
    deps = Dependencies(
        readings=readings,
        records=records,
        intake=NoIntake(),
        tables=FileTables(),
        reading_tables=FileReadingTables(Bounds()),
        clock=now,
        version="0",
        metrics=CollectorRegistry(),
        ask=lambda question: consumption(question, readings=readings, records=register.view()),
    )
    config = uvicorn.Config(build_api(deps), host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def timed(client: httpx.Client, what: str, question: dict[str, str]) -> None:
    """Print how long a question takes, the first answer apart."""
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        answer = client.get("/api/v1/consumption", params=question)
        times.append(1e3 * (time.perf_counter() - began))
        assert answer.status_code == 200, answer.text
    p50, p95 = np.quantile(times[1:], [0.5, 0.95])
    print(f"{what}: first {times[0]:.0f} ms, p50 {p50:.0f} ms, p95 {p95:.0f} ms, {len(answer.content):,} bytes")


def run() -> None:
    """Print the figures; the targets are 50 ms and 300 ms at the 95th percentile."""
    with tempfile.TemporaryDirectory() as name:
        readings = DuckDBReadingStore(Path(name) / "readings.duckdb", now)
        records = SqlRecordStore(f"sqlite:///{Path(name) / 'records.sqlite'}")
        records.start()
        readings.start()
        fill_register(records, POINTS)
        fill(readings)
        span = {"from": "2025-01-01", "to": "2026-01-01"}
        with served(readings, records) as place, httpx.Client(base_url=place, timeout=60, trust_env=False) as client:
            timed(client, "a building's year by day", span | {"building": "b7", "period": "day"})
            timed(client, "the same against the year before", span | {"building": "b7", "compare": "previous-year"})
            timed(client, f"the region's year by month, {POINTS} points", span | {"period": "month"})
            timed(client, "the same, its sums alone", span | {"period": "month", "sum": "true"})
        readings.close()
        records.close()


if __name__ == "__main__":
    run()
