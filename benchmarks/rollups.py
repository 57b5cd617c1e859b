"""A year of quarter-hours of 1,000 meters to hourly and daily roll-ups, and the questions of the API over them."""

import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from core.calendar import PRAGUE, Period, instant
from core.gaps import DayTypes
from core.readings import Readings, SeriesKey
from core.registry import Building, Commodity, Meter, Organisation, Point
from core.rollup import NANO
from services.consumption import Question, consumption, total
from services.rollup import RollUps
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

POINTS = 1_000
BUILDINGS = 165
DAYS = 365
START = datetime(2025, 1, 1, tzinfo=PRAGUE)
BATCH_DAYS = 5


def register(records: SqlRecordStore, points: int) -> None:
    """Store a region of `points` points, six a building."""
    mounted = START - timedelta(days=1)
    entities = [
        Organisation(id="o", name="Kraj"),
        *(Building(id=f"b{n}", organisation="o", name=f"Budova {n}") for n in range(-(-points // 6))),
        *(
            Point(id=f"p{n}", building=f"b{n // 6}", name=f"Místo {n}", commodity=Commodity.ELECTRICITY)
            for n in range(points)
        ),
        *(Meter(id=f"m{n}", point=f"p{n}", device=f"d{n}", mounted=mounted, unit="kWh") for n in range(points)),
    ]
    records.save(entities, by="benchmark", now=datetime.now(UTC))


def fill(readings: DuckDBReadingStore, points: int) -> tuple[int, float]:
    """Write a year of quarter-hourly dials as they would come, all meters by time; return count and truth [kWh]."""
    rng = np.random.default_rng(1)
    series = tuple(SeriesKey(f"d{n}", "energy.total") for n in range(points))
    dial = rng.uniform(0, 1e5, points)
    first = dial.copy()
    count, step = 0, np.timedelta64(900_000_000, "us")
    for day in range(0, DAYS, BATCH_DAYS):
        steps = 96 * BATCH_DAYS
        at = instant(START) + (np.arange(steps) + 96 * day) * step
        amounts = np.round(rng.exponential(5.0, (steps, points)), 3)
        if day == 0:
            amounts[0] = 0.0
        values = dial + np.cumsum(amounts, axis=0)
        dial = values[-1]
        code = np.tile(np.arange(points, dtype=np.int32), steps)
        readings.write(Readings.of(series, code, np.repeat(at, points), values.ravel()))
        count += values.size
    return count, float((dial - first).sum())


def timed(what: str, runs: int, act: object) -> None:
    """Print the 95th percentile of some runs of an act."""
    assert callable(act)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    print(f"{what}: p50 {1e3 * np.quantile(times, 0.5):.1f} ms, p95 {1e3 * np.quantile(times, 0.95):.1f} ms")


def run(points: int = POINTS) -> None:
    """Print the figures of the targets: 30 s and 4 GB, 50 ms, 300 ms."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: datetime.now(UTC))
        records = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        records.start()
        readings.start()
        register(records, points)
        began = time.perf_counter()
        count, truth = fill(readings, points)
        print(f"{count / 1e6:.1f} M readings written in {time.perf_counter() - began:.1f} s")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        done = RollUps(readings, records, DayTypes()).run()
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{done.points} points rolled up by hour and day in {seconds:.1f} s; peak {peak / 2**20:.2f} GB", end=" ")
        print(f"(before: {before / 2**20:.2f} GB)")
        ask(readings, records, points, truth)
        readings.close()
        records.close()


def ask(readings: DuckDBReadingStore, records: SqlRecordStore, points: int, truth: float) -> None:
    """Print the times of the questions, over the act alone (the API adds its own, see benchmarks.api)."""
    end = START + timedelta(days=DAYS)

    def question(names: tuple[str, ...], period: Period) -> Question:
        return Question(points=names, period=period, start=START, end=end)

    region = tuple(f"p{n}" for n in range(points))
    parts = consumption(question(region, Period.MONTH), readings=readings, records=records)
    (summed,) = total(parts)
    error = abs(np.nansum(summed.amount) - truth) / truth
    print(f"region's year: {np.nansum(summed.amount):.3f} kWh, relative error against the truth {error:.1e}")
    assert error < 1 / NANO
    building = tuple(f"p{n}" for n in range(6))
    timed(
        "a building's year by day",
        50,
        lambda: consumption(question(building, Period.DAY), readings=readings, records=records),
    )
    timed(
        f"the region's year by month over {points} points",
        20,
        lambda: total(consumption(question(region, Period.MONTH), readings=readings, records=records)),
    )


if __name__ == "__main__":
    run()
