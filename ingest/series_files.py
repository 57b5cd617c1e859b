"""Series of readings, meters and events from CSV or Parquet, for the command line: whole files, no store.

A file that is wrong is refused with every wrong row named (the first ten are shown), so nothing is silently left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from core.calendar import Instants, instant
from core.errors import InputError, TimeError
from core.readings import Floats, Readings, SeriesKey
from core.units import Unit, unit

SHOWN_ROWS: Final = 10
READING_COLUMNS: Final = ("meter", "at", "value", "unit")
EMPTY: Final = ("", "null", "NULL", "None")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFile:
    """Readings in canonical units, and the unit in which each series is written in the file."""

    readings: Readings
    units: dict[SeriesKey, Unit]


def read_table(path: Path, needed: Sequence[str]) -> pa.Table:
    """Return a CSV (all text, UTF-8, comma or semicolon) or Parquet file with these columns, headings in lower case."""
    try:
        table = pq.read_table(path) if path.suffix.lower() in {".parquet", ".pq"} else _read_csv(path)
    except FileNotFoundError as err:
        raise InputError("file is not there", place=str(path), remedy="check the path") from err
    except (pa.ArrowInvalid, OSError) as err:
        raise InputError(
            f"cannot be read: {err}", place=str(path), remedy="give a CSV in UTF-8 or a Parquet file"
        ) from err
    table = table.rename_columns([name.strip().lower().lstrip("\ufeff") for name in table.column_names])
    lacking = [name for name in needed if name not in table.column_names]
    if lacking:
        raise InputError(
            f"lacks the column {', '.join(lacking)}",
            place=str(path),
            remedy=f"write the headings {', '.join(needed)} in the first row; found {', '.join(table.column_names)}",
        )
    return table


def _read_csv(path: Path) -> pa.Table:
    with path.open("rb") as file:
        head = file.readline()
    delimiter = ";" if head.count(b";") > head.count(b",") else ","
    names = [n.strip().strip('"') for n in head.decode("utf-8-sig", "replace").strip().split(delimiter)]
    options = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return pacsv.read_csv(path, parse_options=pacsv.ParseOptions(delimiter=delimiter), convert_options=options)


def refuse(
    path: Path, column: str, bad: npt.NDArray[np.bool_], values: Sequence[Any] | pa.ChunkedArray, remedy: str
) -> None:
    """Raise InputError naming the rows (heading is row 1) of a column where `bad` holds."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    shown = ", ".join(f"row {int(r) + 2} ({str(values[int(r)])!r})" for r in rows[:SHOWN_ROWS])
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    raise InputError(f"column {column} cannot be read in {shown}{more}", place=str(path), remedy=remedy)


def texts(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Return a column as text, numbers written plainly, blanks trimmed; a missing column gives empty text."""
    if column not in table.column_names:
        return pa.chunked_array([pa.array([""] * table.num_rows)])
    return pc.utf8_trim_whitespace(pc.fill_null(table[column].cast(pa.string()), ""))


def numbers(path: Path, table: pa.Table, column: str, *, optional: bool = False) -> Floats:
    """Return a column as numbers; an empty cell is NaN where optional, else refused like any other non-number."""
    if optional and column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    if pa.types.is_floating(table.schema.field(column).type) or pa.types.is_integer(table.schema.field(column).type):
        values = np.asarray(table[column].cast(pa.float64()).to_numpy(), float)
    else:
        values = _parsed(texts(table, column))
    empty = pc.is_in(texts(table, column), pa.array(EMPTY)).to_numpy()
    bad = ~np.isfinite(values) & ~(empty & optional)
    refuse(path, column, bad, texts(table, column), "write a finite number such as 1234.5")
    return values


def _parsed(text: pa.ChunkedArray) -> Floats:
    """Return numbers of texts, NaN where there is none; a decimal comma is one where no point stands."""
    comma = pc.and_(pc.match_substring(text, ","), pc.invert(pc.match_substring(text, ".")))
    plain = pc.if_else(comma, pc.replace_substring(text, ",", "."), text)
    plain = pc.replace_substring(pc.replace_substring(plain, "\u00a0", ""), " ", "")
    number = pc.match_substring_regex(plain, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    return np.asarray(pc.if_else(number, plain, "nan").cast(pa.float64()).to_numpy(), float)


def instants(path: Path, table: pa.Table, column: str) -> Instants:
    """Return a column of ISO 8601 instants with offset as UTC."""
    kind = table.schema.field(column).type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise TimeError(f"column {column} has no zone", place=str(path), remedy="write instants with an offset")
        return np.asarray(table[column].cast(pa.timestamp("us", "UTC")).to_numpy(), "datetime64[us]")
    text = texts(table, column)
    try:
        stamps = pc.cast(text, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return _one_by_one(path, column, text)
    return np.asarray(stamps.to_numpy(), "datetime64[us]")


def _one_by_one(path: Path, column: str, text: pa.ChunkedArray) -> Instants:
    """Return instants of spellings that the bulk parser does not know, naming the rows that are none."""
    known: dict[str, np.datetime64 | None] = {}
    for spelling in pc.unique(text).to_pylist():
        try:
            known[spelling] = instant(datetime.fromisoformat(spelling))
        except (ValueError, InputError):
            known[spelling] = None
    found = [known[s] for s in text.to_pylist()]
    refuse(
        path,
        column,
        np.array([f is None for f in found]),
        text,
        "write an instant with offset: 2026-01-31T12:00:00+01:00",
    )
    return np.array(found, "datetime64[us]")


def coded(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Return the distinct texts of a column and the index of each row's."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), np.int32)


def read_series(path: Path) -> SeriesFile:
    """Return the readings of a file with columns meter, register (optional), at, value, unit."""
    table = read_table(path, READING_COLUMNS)
    meters = texts(table, "meter")
    refuse(path, "meter", np.asarray(pc.equal(meters, "").to_numpy()), meters, "name the meter")
    values, at = numbers(path, table, "value"), instants(path, table, "at")
    names, unit_code = coded(texts(table, "unit"))
    units = _units(path, names, unit_code)
    scale = np.array([u.scale for u in units] or [1.0])
    divisor = np.array([u.divisor for u in units] or [1.0])
    offset = np.array([u.offset for u in units] or [0.0])
    canonical = values * scale[unit_code] / divisor[unit_code] + offset[unit_code]
    keys, code = coded(pc.binary_join_element_wise(meters, texts(table, "register"), "\x1f"))
    series = tuple(SeriesKey(*key.split("\x1f")) for key in keys)
    _one_quantity(path, series, code, units, unit_code)
    firsts = zip(*np.unique(code, return_index=True), strict=True)
    written = {series[c]: units[unit_code[row]] for c, row in firsts}
    return SeriesFile(readings=Readings.of(series, code, at, canonical, source=path.name), units=written)


def _units(path: Path, names: list[str], code: npt.NDArray[np.int32]) -> list[Unit]:
    found = []
    for i, name in enumerate(names):
        try:
            found.append(unit(name))
        except InputError as err:
            row = int(np.argmax(code == i)) + 2
            raise InputError(err.problem, place=f"{path}: row {row}, column unit", remedy=err.remedy) from err
    return found


def _one_quantity(
    path: Path,
    series: Sequence[SeriesKey],
    code: npt.NDArray[np.int32],
    units: list[Unit],
    unit_code: npt.NDArray[np.int32],
) -> None:
    pairs = np.unique(np.stack([code, unit_code]), axis=1) if len(code) else np.empty((2, 0), int)
    seen: dict[int, Unit] = {}
    for s, u in pairs.T.tolist():
        if seen.setdefault(s, units[u]).quantity != units[u].quantity:
            row = int(np.argmax((code == s) & (unit_code == u))) + 2
            raise InputError(
                f"meter {series[s].meter}, register {series[s].register!r} is written in {seen[s].canonical} and"
                f" in {units[u].canonical}",
                place=f"{path}: row {row}, column unit",
                remedy="give each quantity a register of its own",
            )
