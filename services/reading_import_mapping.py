"""Mappings of tables: remembered by their headings, amended by what a person says."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.ports import RecordStore
from core.reading_tables import ReadingTable, TableMapping, ValueColumn

ONE_UNIT: Final = "value_unit"
"""Says the unit of every column of values that has none."""


def mapping_for(table: ReadingTable, records: RecordStore, zone: str, sheet: str = "") -> tuple[TableMapping, bool]:
    """Return the mapping that was confirmed for such headings before, else a proposal; and whether it is remembered.

    The point of a whole table is asked for every time.
    """
    text = records.kept(_key(table))
    kept = msgspec.json.decode(text, type=TableMapping) if text else None
    if kept is None or sheet not in {"", kept.sheet}:
        return table.propose(zone, sheet), False
    return replace(kept, sheet=kept.sheet if kept.sheet in table.sheets else "", whole=""), True


def remember(fingerprint: str, mapping: TableMapping, records: RecordStore) -> None:
    """Keep a mapping for tables of the same headings."""
    records.keep(f"reading-mapping/{fingerprint}", msgspec.json.encode(mapping).decode())


def _key(table: ReadingTable) -> str:
    return f"reading-mapping/{table.fingerprint}"


def amended(mapping: TableMapping, said: Mapping[str, Any]) -> TableMapping:
    """Return a mapping with what a person said in its place; raise InputError for what is no mapping."""
    known = {f.name for f in fields(TableMapping)} | {ONE_UNIT}
    strange = sorted(set(said) - known)
    if strange:
        raise InputError(
            f"{strange[0]!r} is nothing that a mapping tells",
            place="mapping",
            remedy=f"write some of {', '.join(sorted(known))}",
        )
    merged = {**msgspec.to_builtins(mapping), **{k: v for k, v in said.items() if k != ONE_UNIT}}
    try:
        made = msgspec.convert(merged, TableMapping)
    except msgspec.ValidationError as err:
        raise InputError(str(err), place="mapping", remedy="write it as the dry run shows it") from err
    if made.whole and "values" not in said:  # the point of the whole table goes before what its headings name
        made = replace(made, values=tuple(replace(v, subject="") for v in made.values))
    return with_unit(made, str(said.get(ONE_UNIT) or ""))


def with_unit(mapping: TableMapping, unit: str) -> TableMapping:
    """Return a mapping whose columns of values without a unit have this one."""
    if not unit:
        return mapping
    return replace(mapping, values=tuple(_with_unit(v, unit) for v in mapping.values))


def _with_unit(column: ValueColumn, unit: str) -> ValueColumn:
    return column if column.unit else replace(column, unit=unit)


def read_said(text: str) -> dict[str, Any]:
    """Return what JSON says of a mapping; raise InputError."""
    if not text.strip():
        return {}
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as err:
        raise InputError(f"the mapping is no JSON: {err}", place="mapping", remedy="write a JSON object") from err
    if not isinstance(said, dict):
        raise InputError("the mapping is no object", place="mapping", remedy='write one such as {"amount": "dial"}')
    return said
