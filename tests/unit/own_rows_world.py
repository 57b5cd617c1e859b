"""Dated tables over a real record store, with a file of an operator's own."""

from datetime import UTC, datetime
from pathlib import Path

from app.dated_tables import PresentTables, table_files
from app.wiring import day_types, facts
from config.settings import load_settings
from core.notes import JsonValue
from core.own_rows import OwnRow, RowKind
from core.ports import RecordStore
from services.own_rows import Draft, enter
from services.register import By
from storage.records import SqlRecordStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACTOR: dict[str, JsonValue] = {
    "id": "mpo-electricity-2026",
    "carrier": "electricity",
    "value": 0.39,
    "unit": "t/MWh",
    "scheme": "mpo-production",
    "since": "2026-01-01",
    "until": "2027-01-01",
    "source": "MPO 2027",
}
PRICE: dict[str, JsonValue] = {
    "id": "el-2026",
    "commodity": "electricity",
    "price": 2890,
    "unit": "Kč/MWh",
    "since": "2026-01-01",
    "source": "smlouva 2025/118",
}
POPULATION: dict[str, JsonValue] = {
    "id": "lk-2025-12",
    "place": "Liberecký kraj",
    "at": "2025-12-31",
    "inhabitants": 450_000,
    "source": "ČSÚ",
}
NORMAL: dict[str, JsonValue] = {"place": "Zkouška", "limit_c": 13, "days": 240, "outdoor_c": 4.5, "source": "ČHMÚ"}
HOLIDAY: dict[str, JsonValue] = {"kind": "spring", "first": "2031-02-03", "last": "2031-02-09", "source": "MŠMT"}


def present(records: RecordStore, **files: Path) -> PresentTables:
    """Return the tables of a process over a store."""
    settings = load_settings(environ={f"ODECET_TABLES__{name.upper()}": str(path) for name, path in files.items()})
    return PresentTables(table_files(settings), records, facts(settings, day_types(settings)))


def opened(folder: Path) -> SqlRecordStore:
    store = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    store.start()
    return store


def entered(
    records: RecordStore,
    tables: PresentTables,
    kind: RowKind,
    content: dict[str, JsonValue],
    *,
    why: str = "zkouška",
    **changes: JsonValue,
) -> OwnRow:
    """Enter a row; None in `changes` leaves a field out."""
    said = {name: value for name, value in {**content, **changes}.items() if value is not None}
    return enter(records, tables, Draft(kind=kind, content=said), By(by="správce", now=NOW, why=why))
