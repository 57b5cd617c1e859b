"""All indicators of one year for a region of 220 buildings and 1,300 points, at its first and at a later asking."""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from benchmarks.indicator_inputs import FIRST, LAST, days_of, register_of
from config.action_plan import load_plan
from config.degree_days import load_normals
from config.factors import load_factors
from config.populations import load_populations
from config.tariffs import load_tariffs
from core.calendar import PRAGUE, Period, instant
from core.indicators import Scope
from core.plan import Indicator
from core.readings import Kind, Readings, SeriesKey
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Entity, Point, Station
from services.consumption import Question, consumption
from services.held import HeldRegister
from services.indicator_sources import HeardReadings
from services.indicators import Evaluation, Inputs
from services.weather import Weather
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

HALVES = 2
"""Each building has its points twice: about 1,300 of them."""
LIMIT_S = 5.0
YEAR = 2025


def run() -> None:
    """Print how long the values of a year take, and of a building after them, against the limit."""
    with tempfile.TemporaryDirectory() as name:
        readings = DuckDBReadingStore(Path(name) / "readings.duckdb", lambda: datetime.now(UTC))
        records = SqlRecordStore(f"sqlite:///{Path(name) / 'records.sqlite'}")
        records.start()
        readings.start()
        entities = _entities()
        records.save(entities, by="benchmark", now=datetime.now(UTC))
        points = [e for e in entities if isinstance(e, Point)]
        _fill(readings, points)
        _measure(readings, records, len(points))
        readings.close()
        records.close()


def _entities() -> list[Entity]:
    region = register_of(HALVES)
    placed = [replace(thing, station="liberec") if isinstance(thing, Building) else thing for thing in region]
    return [Station(id="liberec", name="Liberec"), *load_plan(), *placed]


def _fill(readings: DuckDBReadingStore, points: list[Point]) -> None:
    keys = [SeriesKey(p.id, "volume.total" if p.commodity is Commodity.COLD_WATER else "energy.total") for p in points]
    months = [instant(datetime(y, m, 1, tzinfo=PRAGUE)) for y in range(FIRST, LAST) for m in range(1, 13)]
    at = np.tile(np.array(months, "M8[us]"), len(keys))
    codes = np.repeat(np.arange(len(keys)), len(months))
    readings.write(Readings.of(keys, codes, at, np.tile(np.arange(len(months)) * 1.0, len(keys)), source="mqtt"))
    readings.write_rollup(Period.DAY, days_of(points))
    edges = [instant(datetime(year, 1, 1, tzinfo=PRAGUE)) for year in (FIRST, LAST)]
    hours = np.arange(*edges, np.timedelta64(1, "h"))
    temp_c = 8 - 10 * np.cos(2 * np.pi * np.arange(len(hours)) / 8766)
    key = SeriesKey("liberec", "temperature.total")
    readings.write(Readings.of([key], np.zeros(len(hours), int), hours, temp_c, kind=Kind.GAUGE, source="mqtt"))


def _measure(readings: DuckDBReadingStore, records: SqlRecordStore, count: int) -> None:
    register = HeldRegister(records).view()
    tables = RegionTables(
        factors=load_factors(), tariffs=load_tariffs(), populations=load_populations(), normals=load_normals()
    )
    indicators = [i for i in register.find(Indicator) if isinstance(i, Indicator)]

    def ask(question: Question) -> list[object]:
        return consumption(question, readings=readings, records=register)  # type: ignore[return-value]

    inputs = Inputs(
        register=register,
        version=register.version,
        ask=ask,  # type: ignore[arg-type]
        cutoff=datetime(LAST, 3, 1, tzinfo=UTC),
        dated=tables,
        stations=Weather(readings),
        heard=HeardReadings(readings=readings, register=register),
        alerts=records,
    )
    began = time.perf_counter()
    evaluation = Evaluation(inputs, datetime.now(UTC))
    span = date(YEAR, 1, 1), date(YEAR + 1, 1, 1)
    slowest: dict[str, float] = {}
    for one in indicators:
        start = time.perf_counter()
        evaluation.value(one, Scope(), *span)
        slowest[one.id] = time.perf_counter() - start
    whole = time.perf_counter() - began
    for key, seconds in sorted(slowest.items(), key=lambda pair: -pair[1])[:5]:
        print(f"{key}: {seconds:.2f} s")
    print(f"{len(indicators)} indicators of {count} points: {whole:.2f} s (limit {LIMIT_S} s)")
    assert whole <= LIMIT_S


if __name__ == "__main__":
    run()
