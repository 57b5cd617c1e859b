"""Consumption and temperature of files by local day, for the command line: long or wide tables, hourly or daily.

A day counts where at most two of its hours are missing; it is then scaled to its whole length. A repeated stamp counts
once; two different values at one stamp count as missing, for nobody can tell which is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.calendar import Period, edges, local
from core.errors import InputError
from core.readings import Floats
from ingest.series_files import coded, numbers, read_table, refuse, texts

Dates = npt.NDArray[np.datetime64]
Longs = npt.NDArray[np.int64]

TIMES: Final = ("at", "date", "datetime", "time", "timestamp", "t")
VALUES: Final = ("kwh", "m3", "value")
DAY_S: Final = 86_400
HOURS_LACKING_S: Final = 2 * 3600
FAR_TEMP: Final = 150.0  # beyond it a number is a code for missing, in any unit
STAMP: Final = (
    r"^(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\d{0,3})?"
    r"(?P<offset>Z|z|[+-]\d{2}:?\d{2})?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTable:
    """Values (m, D) of m columns by local day, NaN where missing; `notes` say what was left out."""

    names: tuple[str, ...]
    day: Dates
    values: Floats
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamps:
    """Wall time of rows (n,) [µs], a key that tells repeated hours apart, and whether any has an offset."""

    wall: npt.NDArray[np.datetime64]
    key: Longs
    aware: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Known values (n,) by meter (number of its name) and time, one a stamp; `conflicts` were left out."""

    names: tuple[str, ...]
    code: Longs
    wall: npt.NDArray[np.datetime64]
    value: Floats
    aware: bool
    conflicts: int


def read_consumption(path: Path, zone: ZoneInfo | None, *, zero_is_gap: bool) -> DailyTable:
    """Return consumption by local day of a long (`meter,at,kwh`) or wide table (a column a meter).

    Stamps mark the begin of what they count; how far apart they usually are is each meter's own. With an offset they
    are put on the clock of the zone (without a zone they stay as written); without one they are local time.
    `zero_is_gap`: a zero within a day is missing, not consumption.
    """
    rows = _rows(path, zone)
    notes = [f"{rows.conflicts} stamps have two different values: taken as missing"] if rows.conflicts else []
    day, made = _daily_sums(rows, zone, zero_is_gap=zero_is_gap)
    return DailyTable(names=rows.names, day=day, values=made, notes=tuple(notes))


def read_temperature(path: Path, zone: ZoneInfo | None) -> DailyTable:
    """Return daily means (1, D) [°C] of a file `at,temp_c`; a column `temp_f` is converted."""
    table = read_table(path, ())
    names = [n for n in ("temp_c", "temp_f") if n in table.column_names]
    if not names:
        found = ", ".join(table.column_names)
        raise InputError(
            "lacks the column temp_c", place=str(path), remedy=f"write the headings at, temp_c; found {found}"
        )
    stamps, values = _stamps(path, table, zone), _values(path, table, names[0])
    values = np.where(np.abs(values) > FAR_TEMP, np.nan, values)
    celsius = (values - 32) / 1.8 if names[0] == "temp_f" else values
    day = stamps.wall.astype("datetime64[D]")
    if not len(day):
        raise InputError("has no row", place=str(path), remedy="write a row for each hour or day")
    days = np.arange(day.min(), day.max() + np.timedelta64(1, "D"))
    known = np.isfinite(celsius)
    place = (day - days[0]).astype(np.int64)[known]
    count = np.bincount(place, minlength=len(days))
    total = np.bincount(place, weights=celsius[known], minlength=len(days))
    usual = np.median(count[count > 0]) if (count > 0).any() else 1
    mean = np.where(count >= 0.75 * usual, total / np.maximum(count, 1), np.nan)
    return DailyTable(names=("temp_c",), day=days, values=mean[None, :], notes=())


def read_modes(path: Path) -> tuple[Dates, dict[str, npt.NDArray[np.bool_]]]:
    """Return operating modes of days: a column a mode (1 where it holds), or `date,mode` with its name."""
    table = read_table(path, ())
    day = _stamps(path, table, None).wall.astype("datetime64[D]")
    others = [name for name in table.column_names if name not in TIMES]
    if others == ["mode"]:
        names, code = coded(texts(table, "mode"))
        return day, {name: code == n for n, name in enumerate(names) if name}
    return day, {name: np.nan_to_num(_values(path, table, name)) > 0 for name in others}


def _rows(path: Path, zone: ZoneInfo | None) -> _Rows:
    table = read_table(path, ())
    stamps = _stamps(path, table, zone)
    if not len(stamps.key):
        raise InputError("has no row", place=str(path), remedy="write a row for each hour or day")
    return _long(path, table, stamps) if "meter" in table.column_names else _wide(path, table, stamps)


def _long(path: Path, table: pa.Table, stamps: _Stamps) -> _Rows:
    value = next((n for n in VALUES if n in table.column_names), None)
    if value is None:
        raise InputError(
            "lacks the column kwh", place=str(path), remedy="write the headings meter, at, kwh (water: m3)"
        )
    meters = texts(table, "meter")
    refuse(path, "meter", np.asarray(pc.equal(meters, "").to_numpy()), meters, "name the meter")
    names, code = coded(meters)
    return _single(tuple(names), code.astype(np.int64), stamps, _values(path, table, value))


def _wide(path: Path, table: pa.Table, stamps: _Stamps) -> _Rows:
    written, found = _headings(path), table.column_names
    columns = [n for n, name in enumerate(found) if name not in TIMES and not name.startswith("__index")]
    if not columns:
        raise InputError("has no column of a meter", place=str(path), remedy="write the headings meter, at, kwh")
    values = np.concatenate([_values(path, table, found[n]) for n in columns])
    many = len(columns)
    code = np.repeat(np.arange(many, dtype=np.int64), len(stamps.key))
    tiled = _Stamps(wall=np.tile(stamps.wall, many), key=np.tile(stamps.key, many), aware=stamps.aware)
    return _single(tuple(written[n] for n in columns), code, tiled, values)


def _headings(path: Path) -> list[str]:
    """Return the headings as written; `read_table` knows them in lower case."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return list(pq.read_schema(path).names)
    with path.open("rb") as file:
        head = file.readline().decode("utf-8-sig", "replace").strip()
    return [name.strip().strip('"') for name in head.split(";" if head.count(";") > head.count(",") else ",")]


def _single(names: tuple[str, ...], code: Longs, stamps: _Stamps, values: Floats) -> _Rows:
    """Return single values in order; equal ones of a meter at one stamp count once, different ones not at all."""
    known = np.isfinite(values)
    code, key, wall, values = code[known], stamps.key[known], stamps.wall[known], values[known]
    if (code[1:] < code[:-1]).any() or ((code[1:] == code[:-1]) & (key[1:] <= key[:-1])).any():
        order = np.lexsort((key, code))
        code, key, wall, values = code[order], key[order], wall[order], values[order]
    new = np.ones(len(code), bool)
    new[1:] = (code[1:] != code[:-1]) | (key[1:] != key[:-1])
    first = np.flatnonzero(new)
    low, high = (f.reduceat(values, first) if len(first) else values for f in (np.minimum, np.maximum))
    kept = first[low == high]
    return _Rows(
        names=names,
        code=code[kept],
        wall=wall[kept],
        value=values[kept],
        aware=stamps.aware,
        conflicts=len(first) - len(kept),
    )


def _stamps(path: Path, table: pa.Table, zone: ZoneInfo | None) -> _Stamps:
    column = next((n for n in TIMES if n in table.column_names), None)
    if column is None:
        found = ", ".join(table.column_names)
        raise InputError("lacks the column at", place=str(path), remedy=f"name the column of time `at`; found {found}")
    kind = table.schema.field(column).type
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        wall = np.asarray(table[column].cast(pa.timestamp("us")).to_numpy(), "datetime64[us]")
        refuse(path, column, np.isnat(wall), texts(table, column), "write an instant in each row")
        return _Stamps(wall=wall, key=wall.astype(np.int64), aware=False)
    if pa.types.is_timestamp(kind):
        at = np.asarray(table[column].cast(pa.timestamp("us", "UTC")).to_numpy(), "datetime64[us]")
        refuse(path, column, np.isnat(at), texts(table, column), "write an instant in each row")
        return _Stamps(wall=local(at, zone or ZoneInfo(kind.tz)), key=at.astype(np.int64), aware=True)
    return _spelled(path, column, texts(table, column), zone)


def _spelled(path: Path, column: str, text: pa.ChunkedArray, zone: ZoneInfo | None) -> _Stamps:
    """Return stamps of texts; each distinct spelling is read once."""
    spellings, code = coded(text)
    parts = pc.extract_regex(pa.array(spellings, pa.string()), STAMP)
    bad = np.asarray(parts.is_null().to_numpy(zero_copy_only=False), bool)
    remedy = "write a date (2026-01-31) or an instant (2026-01-31T12:00:00+01:00)"
    refuse(path, column, bad[code], text, remedy)
    clock = pc.struct_field(parts, "clock")
    clock = pc.if_else(pc.equal(clock, ""), "00:00", clock)
    clock = pc.if_else(pc.equal(pc.utf8_length(clock), 5), pc.binary_join_element_wise(clock, ":00", ""), clock)
    written = pc.binary_join_element_wise(pc.struct_field(parts, "day"), clock, "T")
    try:
        wall = np.asarray(written.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False), "datetime64[us]")
    except pa.ArrowInvalid as err:
        raise InputError(f"column {column}: {err}", place=str(path), remedy=remedy) from err
    offset = _offsets(pc.struct_field(parts, "offset").to_pylist())
    aware = np.isfinite(offset)
    instants = wall - np.where(aware, offset, 0.0).astype("timedelta64[m]").astype("timedelta64[us]")
    shown = wall if zone is None else np.where(aware, local(instants, zone), wall)
    return _Stamps(wall=shown[code], key=instants.astype(np.int64)[code], aware=bool(aware.any()))


def _offsets(written: Sequence[str]) -> Floats:
    """Return offsets in minutes, NaN where none is written."""
    known = {spelling: _offset(spelling) for spelling in set(written)}
    return np.array([known[spelling] for spelling in written], float)


def _offset(spelling: str) -> float:
    if not spelling:
        return np.nan
    if spelling in "Zz":
        return 0.0
    sign = -1 if spelling[0] == "-" else 1
    digits = spelling[1:].replace(":", "")
    return float(sign * (int(digits[:2]) * 60 + int(digits[2:])))


def _values(path: Path, table: pa.Table, column: str) -> Floats:
    """Return numbers of a column, NaN where it is empty or says so."""
    kind = table.schema.field(column).type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        values = np.asarray(table[column].cast(pa.float64()).to_numpy(), float)
        refuse(path, column, np.isinf(values), texts(table, column), "write a finite number such as 1234.5")
        return values
    said = pc.utf8_lower(texts(table, column))
    empty = pc.is_in(said, pa.array(["nan", "na", "n/a", "-"]))
    place = table.column_names.index(column)
    return numbers(
        path, table.set_column(place, column, pc.if_else(empty, "", texts(table, column))), column, optional=True
    )


def _steps_s(rows: _Rows) -> Longs:
    """Return the usual distance (m,) of each meter's stamps in seconds."""
    bounds = np.searchsorted(rows.code, np.arange(len(rows.names) + 1))
    apart = np.diff(rows.wall).astype("timedelta64[s]").astype(np.int64)
    spans = [apart[begin : end - 1] for begin, end in pairwise(bounds.tolist())]
    return np.array([np.median(span[span > 0]) if (span > 0).any() else DAY_S for span in spans], np.int64)


def _daily_sums(rows: _Rows, zone: ZoneInfo | None, *, zero_is_gap: bool) -> tuple[Dates, Floats]:
    if not len(rows.wall):
        return np.empty(0, "datetime64[D]"), np.empty((len(rows.names), 0))
    day = rows.wall.astype("datetime64[D]")
    days = np.arange(day.min(), day.max() + np.timedelta64(1, "D"))
    shape = (len(rows.names), len(days))
    step_s = _steps_s(rows)
    gap = (rows.value == 0) & (step_s[rows.code] < DAY_S) & zero_is_gap
    place = (rows.code * len(days) + (day - days[0]).astype(np.int64))[~gap]
    count = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(place, weights=rows.value[~gap], minlength=shape[0] * shape[1]).reshape(shape)
    within = (step_s < DAY_S)[:, None]
    whole = np.where(within, _lengths_s(days, zone, aware=rows.aware) / step_s[:, None], 1.0)
    enough = np.where(within, count >= whole - HOURS_LACKING_S / step_s[:, None], count == 1)
    scale = np.where(within, np.maximum(whole / np.maximum(count, 1), 1.0), 1.0)
    return days, np.where(enough & (count > 0), total * scale, np.nan)


def _lengths_s(days: Dates, zone: ZoneInfo | None, *, aware: bool) -> Floats:
    """Return the seconds of each local day; without offset a repeated hour cannot be told: at most 24 hours."""
    if zone is None:
        return np.full(len(days), float(DAY_S))
    start = np.datetime64(days[0] - np.timedelta64(1, "D"), "us")
    end = np.datetime64(days[-1] + np.timedelta64(2, "D"), "us")
    grid = edges(Period.DAY, start, end, zone)
    begins = local(grid[:-1], zone).astype("datetime64[D]")
    lengths = np.diff(grid).astype("timedelta64[s]").astype(float)
    found = lengths[np.searchsorted(begins, days)]
    return found if aware else np.minimum(found, float(DAY_S))
