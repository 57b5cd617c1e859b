"""Tables of real data in files (CSV, Parquet): which columns hold times, meters, values; and plain arrays of them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from core.calendar import Instants, resolve_local, zone
from core.errors import InputError
from core.readings import Floats

_TIME_NAMES: Final = ("at", "t", "time", "timestamp", "datetime", "date", "čas", "datum", "__index_level_0__")
_LOCAL_FORMATS: Final = ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")
_NOTHING: Final = ("", "NaN", "nan", "NA", "null")
_NUMERIC: Final = r"[+-]?[\d\s.,]*\d([eE][+-]?\d+)?"
_FIRST_ROW: Final = 2
"""Row 1 holds the headings."""


def read_table(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return a CSV (comma, semicolon or tab; decimal comma with the latter) or Parquet file as a pyarrow table."""
    if not path.exists():
        raise InputError("there is no such file", place=str(path), remedy="check the name")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pq.read_table(path)
        return _read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
        raise InputError(
            f"cannot be read: {err}", place=str(path), remedy="give a CSV (UTF-8) or Parquet file"
        ) from err


def _read_csv(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    with path.open(encoding="utf-8-sig") as text:
        head = text.readline()
    delimiter = max(",;\t", key=head.count)
    return pacsv.read_csv(
        path,
        parse_options=pacsv.ParseOptions(delimiter=delimiter),
        convert_options=pacsv.ConvertOptions(
            decimal_point="." if delimiter == "," else ",", strings_can_be_null=True, null_values=list(_NOTHING)
        ),
    )


def _wrong(path: Path, column: str, row: int, problem: str, remedy: str) -> InputError:
    return InputError(problem, place=f"{path}, column {column}, row {row + _FIRST_ROW}", remedy=remedy)


def time_column(table: Any, path: Path, wanted: str = "") -> str:  # noqa: ANN401 - pyarrow has no types
    """Return the name of the column of times: the one asked for, one of a usual name, or the first of the type."""
    names = table.column_names
    if wanted:
        return existing(table, path, wanted)
    typed = [n for n in names if pa.types.is_timestamp(table.schema.field(n).type)]
    usual = [n for n in names if n.lower() in _TIME_NAMES]
    chosen = [n for n in usual if n in typed] or typed or [n for n in usual if is_text(table, n)]
    if not chosen:
        raise InputError("no column of times is found", place=str(path), remedy=f"name one of {', '.join(names)}")
    return str(chosen[0])


def existing(table: Any, path: Path, name: str) -> str:  # noqa: ANN401 - pyarrow has no types
    """Return the name if the table has such a column, else raise InputError."""
    if name not in table.column_names:
        raise InputError(
            f"there is no column {name!r}", place=str(path), remedy=f"name one of {', '.join(table.column_names)}"
        )
    return name


def is_text(table: Any, name: str) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Return whether a column holds text."""
    kind = table.schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def holds_names(table: Any, name: str) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Return whether a column holds text that is mostly no numbers."""
    if not is_text(table, name):
        return False
    written = set(texts(table, name)) - {""}
    numeric = sum(re.fullmatch(_NUMERIC, text.strip()) is not None for text in written)
    return 2 * numeric < len(written)


def is_number(table: Any, name: str) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Return whether a column holds numbers."""
    kind = table.schema.field(name).type
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def texts(table: Any, name: str) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    """Return a column as text, empty where nothing is."""
    return [("" if value is None else str(value)) for value in table[name].to_pylist()]


def numbers(table: Any, path: Path, name: str) -> Floats:  # noqa: ANN401 - pyarrow has no types
    """Return a column as numbers, NaN where nothing is; text with a decimal comma is read too."""
    if pa.types.is_null(table.schema.field(name).type):
        return np.full(len(table), np.nan)
    if is_text(table, name):
        return np.array([_number(text, path, name, row) for row, text in enumerate(texts(table, name))], float)
    if not is_number(table, name):
        raise InputError("the column holds no numbers", place=f"{path}, column {name}", remedy="leave it out")
    out = np.asarray(pc.cast(table[name], pa.float64()).to_numpy(), float)
    endless = np.flatnonzero(np.isinf(out))
    if len(endless):
        raise _wrong(path, name, int(endless[0]), "infinite value", "write a number, or nothing")
    return out


def _number(text: str, path: Path, name: str, row: int) -> float:
    plain = text.strip().replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        value = float(plain) if plain else float("nan")
    except ValueError as err:
        raise _wrong(path, name, row, f"{text!r} is no number", "write one such as 12.5, or nothing") from err
    if np.isinf(value):
        raise _wrong(path, name, row, "infinite value", "write a number, or nothing")
    return value


def wall_times(table: Any, path: Path, name: str) -> tuple[Instants, bool]:  # noqa: ANN401 - pyarrow has no types
    """Return a column of times and whether they state their offset: then they are UTC, else local somewhere.

    A row without time, or with one that cannot be read, raises InputError.
    """
    kind, column = table.schema.field(name).type, table[name]
    if column.null_count:
        row = int(np.flatnonzero(pc.is_null(column).to_numpy(zero_copy_only=False))[0])
        raise _wrong(path, name, row, "there is no time", "fill it in, or leave out the row")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        aware = pa.types.is_timestamp(kind) and kind.tz is not None
        return np.asarray(column.to_numpy()).astype("datetime64[us]"), aware
    if not is_text(table, name):
        raise InputError("the column holds no times", place=f"{path}, column {name}", remedy="name another one")
    return _from_texts(texts(table, name), path, name)


def in_utc(at: Instants, zone_name: str, *, aware: bool) -> Instants:
    """Return times in UTC: naive ones are local to the zone, in order of writing; NaT where they do not exist there."""
    return at if aware or zone_name == "UTC" else resolve_local(at, zone(zone_name))[0]


def _from_texts(written: Sequence[str], path: Path, name: str) -> tuple[Instants, bool]:
    moments = [_moment(text, path, name, row) for row, text in enumerate(written)]
    aware = {m.tzinfo is not None for m in moments}
    if len(aware) > 1:
        row = next(n for n, m in enumerate(moments) if m.tzinfo is None)
        raise _wrong(path, name, row, "a time without offset among times with one", "write the offset in every row")
    plain = [m if m.tzinfo is None else m.astimezone(UTC).replace(tzinfo=None) for m in moments]
    return np.array(plain, "datetime64[us]"), aware == {True}


def _moment(text: str, path: Path, name: str, row: int) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        for form in _LOCAL_FORMATS:
            try:
                return datetime.strptime(text.strip(), form)  # noqa: DTZ007 - naive on purpose: the zone is stated apart
            except ValueError:
                continue
    raise _wrong(path, name, row, f"{text!r} is no time", "write it as 2026-01-31T12:00:00+01:00")
