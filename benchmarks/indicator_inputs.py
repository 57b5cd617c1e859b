"""The inputs of the region's indicators for five years: emissions, change, own generation, benchmarks of 660 points."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from config.factors import load_factors
from config.populations import load_populations
from config.tariffs import load_tariffs
from core.calendar import PRAGUE, Period, instant, spans
from core.readings import Readings, SeriesKey
from core.region_tables import RegionTables
from core.registry import Building, BuildingKind, Commodity, Dated, Meter, Organisation, Point, Role
from core.rollup import NANO, RollUp
from services.benchmarks import Measure, benchmark
from services.consumption import Question, consumption
from services.emission_change import change
from services.emissions import Scope, emissions, own_generation
from services.held import HeldRegister
from services.monthly_use import months_between, months_of
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

BUILDINGS = 220
FIRST, LAST = 2021, 2026
KINDS = (Commodity.ELECTRICITY, Commodity.GAS, Commodity.COLD_WATER)
UNITS = {Commodity.ELECTRICITY: "kWh", Commodity.GAS: "kWh", Commodity.COLD_WATER: "m³", Commodity.PV: "kWh"}
LIMIT_S = 2.0


def register_of(times: int = 1) -> list[Organisation | Building | Point | Meter]:
    """Return the region, each point of a building so many times."""
    kinds = list(BuildingKind)
    since = datetime(FIRST, 1, 1, tzinfo=PRAGUE)
    made: list[Organisation | Building | Point | Meter] = [Organisation(id="o", name="Kraj")]
    for n in range(BUILDINGS):
        sizes = {"areas": (Dated(since=since.date(), value=1000.0 + 10 * n),)}
        users = (Dated(since=since.date(), value=100.0, kind="pupils"),)
        made.append(
            Building(id=f"b{n}", organisation="o", name=f"B{n}", kind=kinds[n % len(kinds)], users=users, **sizes)
        )
        held = (*KINDS, *((Commodity.PV,) if n % 20 == 0 else ()))
        for number, commodity in ((i, c) for i in range(times) for c in held):
            role = Role.GENERATION if commodity is Commodity.PV else Role.BILLING
            key = f"b{n}-{commodity}-{number}" if number else f"b{n}-{commodity}"
            made.append(Point(id=key, building=f"b{n}", name=key, commodity=commodity, role=role))
            made.append(Meter(id=key, point=key, device=key, mounted=since, unit=UNITS[commodity]))
    return made


def days_of(points: list[Point]) -> RollUp:
    """Return what points used day by day, some chance numbers."""
    rng = np.random.default_rng(3)
    edges = (instant(datetime(y, 1, 1, tzinfo=PRAGUE)) for y in (FIRST, LAST))
    starts, ends = spans(Period.DAY, *edges, PRAGUE)
    k, n = len(points), len(starts)
    span_s = ((ends - starts) / np.timedelta64(1, "s")).astype(np.int64)
    none = np.full(k * n, np.datetime64("NaT", "us"))
    return RollUp(
        series=tuple(SeriesKey(p.id, "main") for p in points),
        code=np.repeat(np.arange(k, dtype=np.int32), n),
        start=np.tile(starts, k),
        span_s=np.tile(span_s, k),
        nano=(rng.uniform(10, 500, k * n) * NANO).astype(np.int64),
        missing_s=np.zeros(k * n, np.int64),
        estimated_s=np.zeros(k * n, np.int64),
        gap_until=none,
        gap_since=none,
        first_at=np.tile(starts, k),
        last_at=np.tile(ends, k),
    )


def run() -> None:
    """Print how long each input takes, and all of them together against the limit."""
    with tempfile.TemporaryDirectory() as name:
        readings = DuckDBReadingStore(Path(name) / "readings.duckdb", lambda: datetime.now(UTC))
        records = SqlRecordStore(f"sqlite:///{Path(name) / 'records.sqlite'}")
        records.start()
        readings.start()
        entities = register_of()
        records.save(entities, by="benchmark", now=datetime.now(UTC))
        points = [e for e in entities if isinstance(e, Point)]
        _first_readings(readings, points)
        readings.write_rollup(Period.DAY, days_of(points))
        _measure(readings, records, points)
        readings.close()
        records.close()


def _first_readings(readings: DuckDBReadingStore, points: list[Point]) -> None:
    keys = [SeriesKey(p.id, "volume.total" if p.commodity is Commodity.COLD_WATER else "energy.total") for p in points]
    at = np.full(len(keys), instant(datetime(FIRST, 1, 1, tzinfo=PRAGUE)))
    readings.write(Readings.of(keys, np.arange(len(keys)), at, np.zeros(len(keys))))


def _measure(readings: DuckDBReadingStore, records: SqlRecordStore, points: list[Point]) -> None:
    register = HeldRegister(records)
    tables = RegionTables(factors=load_factors(), tariffs=load_tariffs(), populations=load_populations())
    buildings = {b.id: b for b in register.view().find(Building)}
    scope = Scope(points=tuple(points), buildings=buildings)
    began, ended = (datetime(y, 1, 1, tzinfo=PRAGUE) for y in (FIRST, LAST))
    years = months_of(Period.YEAR, began, ended, PRAGUE)

    def ask(question: Question) -> list[object]:
        return consumption(question, readings=readings, records=register.view())  # type: ignore[return-value]

    def span(year: int) -> tuple[object, tuple[datetime, datetime]]:
        edges = datetime(year, 1, 1, tzinfo=PRAGUE), datetime(year + 1, 1, 1, tzinfo=PRAGUE)
        return months_between(*edges), edges

    acts = {
        "emissions of five years": lambda: emissions(scope, years, ask=ask, tables=tables),
        "own generation of five years": lambda: own_generation(scope, years, ask=ask, tables=tables),
        "change 2024 to 2025": lambda: change(scope, span(2024)[0], span(2025)[0], ask=ask, tables=tables),
        "benchmark of energy 2025": lambda: benchmark(
            Measure.ENERGY_PER_AREA,
            list(buildings.values()),
            {p.id: p for p in points},
            span(2025),
            span(2024),
            ask=ask,
            tables=tables,
        ),
    }
    whole = 0.0
    for what, act in acts.items():
        times = []
        for _ in range(3):
            start = time.perf_counter()
            act()
            times.append(time.perf_counter() - start)
        whole += float(np.median(times))
        print(f"{what}, {len(points)} points: {np.median(times):.2f} s")
    print(f"together {whole:.2f} s (limit {LIMIT_S} s)")
    assert whole <= LIMIT_S


if __name__ == "__main__":
    run()
