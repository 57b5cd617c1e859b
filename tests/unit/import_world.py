"""A small register on real embedded stores, and tables that are imported into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.calendar import instant
from core.readings import Readings, SeriesKey
from core.registry import Building, Commodity, Entity, Meter, Organisation, Point, Role, Term
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from services import reading_import
from services.reading_import import Imported, Plan
from services.reading_import_mapping import amended, mapping_for
from services.register import By
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TABLES = FileReadingTables(Bounds())
EVER = (np.datetime64("2000-01-01", "us"), np.datetime64("2100-01-01", "us"))
CHANGED = datetime(2025, 1, 1, tzinfo=UTC)
EAN1, EAN2 = "859182400100000001", "859182400100000002"
REGISTER: tuple[Entity, ...] = (
    Organisation(id="O", name="Škola"),
    Building(id="B", organisation="O", name="Pavilon"),
    Point(id="P1", building="B", name="el", commodity=Commodity.ELECTRICITY, code=EAN1, max_rate=50.0),
    Point(id="P2", building="B", name="el2", commodity=Commodity.ELECTRICITY, code=EAN2),
    Point(id="G1", building="B", name="plyn", commodity=Commodity.GAS, code="27ZG600Z12345678"),
    Point(id="V1", building="B", name="voda", commodity=Commodity.COLD_WATER),
    Point(id="T1", building="B", name="teplo", commodity=Commodity.HEAT),
    Point(
        id="X",
        building="B",
        name="celkem",
        commodity=Commodity.ELECTRICITY,
        role=Role.VIRTUAL,
        terms=(Term(point="P1"), Term(point="P2")),
    ),
    Meter(id="M1", point="P1", device="em-1", serial="12345", mounted=datetime(2024, 1, 1, tzinfo=UTC)),
    Meter(id="W1", point="V1", device="wm-1", mounted=datetime(2024, 1, 1, tzinfo=UTC), removed=CHANGED),
    Meter(id="W2", point="V1", device="wm-2", mounted=CHANGED),
)


class World:
    """Stores, and the acts on them."""

    def __init__(self, folder: Path) -> None:
        self.readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        self.records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
        self.act = By(by="správce", now=NOW, why="zkouška")

    def plan(self, text: str | bytes, name: str = "tabulka.csv", **said: Any) -> Plan:  # noqa: ANN401 - of a mapping
        table = TABLES.open(name, text.encode() if isinstance(text, str) else text)
        proposed, _ = mapping_for(table, self.records, "Europe/Prague")
        return reading_import.plan(
            table,
            amended(proposed, said),
            tables=TABLES,
            readings=self.readings,
            records=self.records,
            now=instant(NOW),
            name=name,
        )

    def take(self, text: str | bytes, **said: Any) -> Imported:  # noqa: ANN401 - same
        made = self.plan(text, **said)
        assert made.faults == (), [f"{f.row} {f.column}: {f.problem}" for f in made.faults]
        return reading_import.apply(made, readings=self.readings, records=self.records, act=self.act)

    def undo(self, number: str) -> int:
        return reading_import.undo(number, readings=self.readings, records=self.records, act=self.act)

    def write(self, meter: str, register: str, at: str, value: float, source: str = "mqtt") -> None:
        when = np.datetime64(at, "us")
        readings = Readings.of([SeriesKey(meter, register)], [0], [when], [value], received=when, source=source)
        self.readings.write(readings)

    def stored(self, meter: str, register: str) -> list[tuple[str, float, int]]:
        """Return instant (to the minute), value and span [s] of what is stored."""
        found = self.readings.read([SeriesKey(meter, register)], *EVER)
        return list(
            zip(found.at.astype("M8[m]").astype(str).tolist(), found.value.tolist(), found.span_s.tolist(), strict=True)
        )

    def everything(self) -> tuple[object, ...]:
        """Return all that an import may change."""
        kept = self.readings.read(self.readings.known(), *EVER)
        former = self.readings.revisions(self.readings.known(), *EVER)
        columns = [
            getattr(r, n).tolist() for r in (kept, former) for n in ("at", "value", "quality", "span_s", "received")
        ]
        return (self.readings.known(), *columns, self.records.find(Meter), self.records.inbox())


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """Give a world with its register."""
    made = World(folder)
    made.readings.start()
    made.records.start()
    made.records.save(REGISTER, by="t", now=NOW)
    yield made
    made.readings.close()
    made.records.close()


def troubles(made: Plan) -> list[tuple[int, str, str]]:
    """Return row, column and kind of each fault of a plan."""
    return [(f.row, f.column, f.trouble.name) for f in made.faults]


def remarks(made: Plan) -> list[str]:
    return [f.trouble.name for f in made.remarks]
