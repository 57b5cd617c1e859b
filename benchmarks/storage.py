"""How fast the reading stores take and give: `python -m benchmarks.storage`."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from core.calendar import NAT, Period
from core.ports import ReadingStore
from core.readings import Readings, SeriesKey
from core.rollup import RollUp
from storage.duckdb_readings import DuckDBReadingStore
from storage.influx_lines import reading_lines
from storage.influx_readings import InfluxReadingStore
from tests.servers.influx import influxdb

T0: Final = np.datetime64("2025-01-01", "us")
QUARTER: Final = np.timedelta64(900 * 1_000_000, "us")
METERS: Final = [SeriesKey(f"meter-{n:04d}", "energy.import") for n in range(1000)]
EVER: Final = (np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us"))


def clock() -> datetime:
    """Return a fixed time."""
    return datetime(2026, 1, 1, tzinfo=UTC)


def batch(rows: int, begin: int, *, meters: int = 1000) -> Readings:
    """Return readings as they come live: all meters at an instant, then the next."""
    step = begin + np.arange(rows) // meters
    rng = np.random.default_rng(begin)
    at = T0 + step * QUARTER
    value = np.round(np.cumsum(rng.random(rows)), 3)
    received = at + np.timedelta64(3_000_000, "us")
    return Readings.of(METERS, np.arange(rows) % meters, at, value, received=received, source="odecet-json")


def rollup(keys: list[SeriesKey], periods: int, step_s: int) -> RollUp:
    """Return as many periods of each series."""
    n = len(keys) * periods
    start = T0 + np.tile(np.arange(periods), len(keys)) * np.timedelta64(step_s, "s")
    zeros, nats = np.zeros(n, np.int64), np.full(n, NAT)
    return RollUp(
        series=tuple(keys),
        code=np.repeat(np.arange(len(keys), dtype=np.int32), periods),
        start=start.astype("datetime64[us]"),
        span_s=np.full(n, step_s),
        nano=np.arange(n) * 1_234_567,
        missing_s=zeros,
        estimated_s=zeros,
        gap_until=nats,
        gap_since=nats,
        first_at=start.astype("datetime64[us]"),
        last_at=(start + np.timedelta64(step_s, "s")).astype("datetime64[us]"),
    )


def seconds(act: Callable[[], object], *, times: int = 1) -> float:
    """Return how long an act takes [s]."""
    begun = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - begun) / times


def tell(what: str, figure: float, unit: str) -> None:
    """Print a figure."""
    print(f"{what:<68} {figure:>14,.1f} {unit}", flush=True)


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that goes away."""
    path = Path(tempfile.mkdtemp(prefix="odecet-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def writing(name: str, store: ReadingStore, *, rows: int, batches: int) -> None:
    """Tell the rates of new, repeated and corrected readings, in batches of the ingester's size."""
    given = [batch(rows, n * (rows // 1000)) for n in range(batches)]
    total = rows * batches
    tell(f"{name}: new readings, batches of {rows}", total / seconds(lambda: [store.write(b) for b in given]), "/s")
    again = given[: batches // 4]
    rate = rows * len(again) / seconds(lambda: [store.write(b) for b in again])
    tell(f"{name}: the same readings again", rate, "/s")
    later = [replace(b, received=b.received + QUARTER, value=b.value + 1) for b in again]
    tell(f"{name}: corrected readings", rows * len(later) / seconds(lambda: [store.write(b) for b in later]), "/s")
    assert len(store.read(METERS[:1], *EVER)) == total // 1000


def reading(name: str, store: ReadingStore) -> None:
    """Tell how long questions take."""
    tell(f"{name}: one meter, all its readings", 1e3 * seconds(lambda: store.read(METERS[5:6], *EVER), times=5), "ms")
    tell(f"{name}: newest of 1,000 meters", 1e3 * seconds(store.latest, times=3), "ms")
    at = T0 + 40 * QUARTER
    tell(f"{name}: neighbours of 1,000 meters", 1e3 * seconds(lambda: store.neighbours(METERS, at, at), times=3), "ms")
    tell(f"{name}: what was touched", 1e3 * seconds(store.touched, times=3), "ms")


def rollups(name: str, store: ReadingStore, *, meters: int) -> None:
    """Tell how long roll-ups take to write and read."""
    hours = rollup(METERS[:meters], 8760, 3600)
    tell(
        f"{name}: hours of a year of {meters} meters written",
        seconds(lambda: store.write_rollup(Period.HOUR, hours)),
        "s",
    )
    month = hours.take(np.flatnonzero(hours.start < T0 + np.timedelta64(30, "D")))
    tell(
        f"{name}: their first {len(month)} written again", seconds(lambda: store.write_rollup(Period.HOUR, month)), "s"
    )
    points = [SeriesKey(f"point-{n}", "energy") for n in range(1300)]
    days = rollup(points, 3 * 365, 86400)
    if meters == len(METERS):
        tell(
            f"{name}: days of 3 years of 1,300 points written",
            seconds(lambda: store.write_rollup(Period.DAY, days)),
            "s",
        )
    else:
        points = points[:130]
        store.write_rollup(Period.DAY, days.take(np.flatnonzero(days.code < len(points))))
    begin, end = T0 + np.timedelta64(365, "D"), T0 + np.timedelta64(730, "D")
    took = seconds(lambda: store.read_rollup(Period.DAY, points[8:16], begin, end), times=10)
    tell(f"{name}: a year of days of 8 points read", 1e3 * took, "ms")
    took = seconds(lambda: store.read_rollup(Period.DAY, points, *EVER), times=3)
    tell(f"{name}: 3 years of days of {len(points)} points read", 1e3 * took, "ms")


def duckdb_figures(path: Path) -> None:
    """Print the figures of the embedded store."""
    store = DuckDBReadingStore(path / "readings.duckdb", clock)
    store.start()
    writing("DuckDB", store, rows=50_000, batches=60)
    year = batch(1_000_000, 100_000)
    tell("DuckDB: new readings, a batch of 1,000,000", 1e6 / seconds(lambda: store.write(year)), "/s")
    small = [batch(1_000, 200_000 + n) for n in range(100)]
    tell("DuckDB: a batch of 1,000", 1e3 * seconds(lambda: [store.write(b) for b in small]) / 100, "ms")
    reading("DuckDB", store)
    rollups("DuckDB", store, meters=1000)
    store.close()
    tell("DuckDB: opened again", 1e3 * seconds(store.start), "ms")
    store.close()


def influx_figures(path: Path) -> None:
    """Print the figures of a real InfluxDB 1.6, where it is installed."""
    readings = batch(200_000, 0)
    origins = np.zeros(len(readings), np.int64) + 2**62
    took = seconds(lambda: "\n".join(reading_lines(readings, origins)).encode())
    tell("InfluxDB: lines built", len(readings) / took, "/s")
    if shutil.which("influxd") is None:
        print("InfluxDB: influxd is not installed; its figures are left out")
        return
    server = influxdb(path)
    server.start()
    store = InfluxReadingStore(f"http://127.0.0.1:{server.port}", bucket="bench")
    store.start()
    try:
        writing("InfluxDB", store, rows=20_000, batches=60)
        reading("InfluxDB", store)
        rollups("InfluxDB", store, meters=50)
    finally:
        store.close()
        server.stop()


def run() -> None:
    """Print the figures of both stores."""
    with folder() as path:
        duckdb_figures(path)
    with folder() as path:
        influx_figures(path)


if __name__ == "__main__":
    run()
