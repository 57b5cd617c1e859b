"""Files of outdoor temperatures: a column of times and one of °C, hourly or daily, as stations and archives give them.

Lines above the headings are passed over. A column of dates alone holds daily means. A value that no air has is refused
with its row, for an archive's -999 stands for none.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.calendar import NAT, Instants, Period, edges, instant, resolve_local
from core.errors import InputError
from core.readings import Floats
from core.units import Quantity, Unit, unit
from core.weather import Temperatures
from ingest.tables import csv_lines, decoded

_TIMES: Final = {"at", "time", "datetime", "timestamp", "okamzik", "casmereni", "dt", "valid", "datumacas", "datumcas"}
_DAYS: Final = {"date", "datum", "den", "day"}
_CLOCKS: Final = {"cas", "hodina", "time", "hour"}
_TEMPERATURES: Final = ("temp", "teplota", "t2m", "tavg", "airtemp", "outdoortemp")
_ALONE: Final = {"t", "ta", "tprum"}
_IN_BRACKETS: Final = re.compile(r"[(\[]\s*([^)\]]+?)\s*[)\]]")
_FORMATS: Final = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d")
_HEADING_WITHIN: Final = 60
_LONGEST_HEADING: Final = 100_000
_SHOWN: Final = 10
_DAY_LETTERS: Final = 10
COLDEST_C, HOTTEST_C = -90.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The columns of a file as text, and the number of each row in the file."""

    name: str
    numbers: tuple[int, ...]
    times: pa.ChunkedArray
    values: pa.ChunkedArray
    unit: Unit

    def refuse(self, bad: npt.NDArray[np.bool_], shown: pa.ChunkedArray, problem: str, remedy: str) -> None:
        """Raise InputError naming the rows where `bad` holds."""
        rows = np.flatnonzero(bad)
        if len(rows):
            told = ", ".join(f"row {self.numbers[int(r)]} ({shown[int(r)].as_py()!r})" for r in rows[:_SHOWN])
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            raise InputError(f"{problem} in {told}{more}", place=self.name, remedy=remedy)


class WeatherFiles:
    """Reads temperatures from CSV."""

    def read(self, name: str, content: bytes, zone: ZoneInfo) -> Temperatures:
        """Return what a CSV says; times without offset are of the zone's clock. Raise InputError with the row."""
        table = _table(name, decoded(name, content))
        temp_c = _temperatures(table)
        known = np.isfinite(temp_c)
        at, span_s = _instants(table, zone)
        return _in_order(table, at[known], temp_c[known], span_s[known])


# The table


def _table(name: str, text: str) -> _Table:
    lines = text.splitlines()
    for number, line in enumerate(islice(lines, _HEADING_WITHIN), start=1):
        delimiter = max(";\t,", key=line.count)
        if len(line) > _LONGEST_HEADING:
            continue
        headings = next(csv.reader([line], delimiter=delimiter), [])
        plain = [_plain(heading) for heading in headings]
        value = next((n for n, word in enumerate(plain) if word.startswith(_TEMPERATURES) or word in _ALONE), None)
        when = _time_columns(plain)
        if value is not None and when:
            rows = list(csv_lines(name, "\n".join(lines[number:]), delimiter, strict=False))
            return _cut(name, number, rows, when, value, _unit_of(name, headings[value]))
    raise InputError(
        "no columns of times and temperatures are found",
        place=name,
        remedy="write the headings at;temp_c (or Datum;Teplota) above the values",
    )


def _time_columns(plain: list[str]) -> list[int]:
    """Return the one column of instants or days, or the two of day and clock."""
    days = [n for n, word in enumerate(plain) if word in _DAYS]
    whole = [n for n, word in enumerate(plain) if word in _TIMES]
    clocks = [n for n, word in enumerate(plain) if word in _CLOCKS]
    if days and clocks:
        return [days[0], clocks[0]]
    return whole[:1] or days[:1]


def _plain(heading: str) -> str:
    bare = unicodedata.normalize("NFKD", _IN_BRACKETS.sub("", heading).casefold())
    return "".join(letter for letter in bare if letter.isalnum() and letter.isascii())


def _unit_of(name: str, heading: str) -> Unit:
    """Return the unit that a heading states in brackets, °C where it states none."""
    said = _IN_BRACKETS.search(heading)
    found = unit(said[1]) if said else unit("°C")
    if found.quantity is not Quantity.TEMPERATURE:
        raise InputError(f"column {heading!r} holds no temperature", place=name, remedy="write it in °C")
    return found


def _cut(name: str, heading_row: int, rows: list[list[str]], when: list[int], value: int, in_unit: Unit) -> _Table:  # noqa: PLR0917 - the parts of one table
    width = max([*when, value]) + 1
    placed = [(n, [*row, *[""] * (width - len(row))]) for n, row in enumerate(rows, start=heading_row + 1) if any(row)]
    full = [row for _, row in placed]
    times = pa.chunked_array([[" ".join(row[n].strip() for n in when) for row in full]], pa.string())
    values = pa.chunked_array([[row[value] for row in full]], pa.string())
    return _Table(
        name=name,
        numbers=tuple(n for n, _ in placed),
        times=pc.utf8_trim_whitespace(times),
        values=pc.utf8_trim_whitespace(values),
        unit=in_unit,
    )


# Values


def _temperatures(table: _Table) -> Floats:
    """Return the values [°C], NaN where the cell is empty."""
    text = pc.replace_substring(pc.replace_substring(table.values, "\u2212", "-"), ",", ".")
    is_number = pc.match_substring_regex(text, r"^[+-]?(\d+\.?\d*|\.\d+)$")
    empty = pc.is_in(pc.utf8_lower(text), pa.array(["", "null", "nan", "na", "none", "-", "x"])).to_numpy()
    remedy = "write degrees such as -3,5; leave the cell empty where the value is not known"
    table.refuse(~(np.asarray(is_number.to_numpy(), bool) | empty), table.values, "there is no temperature", remedy)
    raw = pc.cast(pc.if_else(is_number, text, "nan"), pa.float64()).to_numpy()
    temp_c = np.asarray(raw * table.unit.scale / table.unit.divisor + table.unit.offset, float)
    beyond = np.isfinite(temp_c) & ((temp_c < COLDEST_C) | (temp_c > HOTTEST_C))
    table.refuse(beyond, table.values, "the temperature cannot be of the air", remedy)
    return temp_c


# Times


def _instants(table: _Table, zone: ZoneInfo) -> tuple[Instants, npt.NDArray[np.int64]]:
    """Return the instants of the rows in UTC and the span [s] that each value is the mean of."""
    text = pc.replace_substring_regex(table.times, r"\.\s+", ".")
    if len(text) == 0:
        return np.empty(0, "datetime64[us]"), np.empty(0, np.int64)
    with_offset = _with_offset(text)
    if with_offset is not None:
        return with_offset, np.zeros(len(with_offset), np.int64)
    wall = _wall(table, text)
    if int(pc.max(pc.utf8_length(text)).as_py()) <= _DAY_LETTERS:
        return _days(wall.astype("datetime64[D]"), zone)
    at, _, gone = resolve_local(wall, zone)
    remedy = "the clock jumped over it: say the zone of the file, such as UTC or Etc/GMT-1 for winter time all year"
    table.refuse(gone, table.times, f"the time does not exist in {zone.key}", remedy)
    return at, np.zeros(len(at), np.int64)


def _with_offset(text: pa.ChunkedArray) -> Instants | None:
    try:
        return np.asarray(pc.cast(text, pa.timestamp("us", "UTC")).to_numpy(), "datetime64[us]")
    except pa.ArrowInvalid:
        return None


def _wall(table: _Table, text: pa.ChunkedArray) -> Instants:
    """Return times as written, of the one form that all of them have."""
    try:
        return np.asarray(pc.cast(text, pa.timestamp("us")).to_numpy(), "datetime64[us]")
    except pa.ArrowInvalid:
        tried = [pc.strptime(text, form, "us", error_is_null=True) for form in _FORMATS]
    best = min(tried, key=lambda parsed: parsed.null_count)
    remedy = "write all times alike: 2026-01-31T12:00:00+01:00, 31.01.2026 12:00, or days as 31.01.2026"
    table.refuse(np.asarray(pc.is_null(best).to_numpy(), bool), table.times, "the time cannot be read", remedy)
    return np.asarray(best.to_numpy(), "datetime64[us]")


def _days(day: Instants, zone: ZoneInfo) -> tuple[Instants, npt.NDArray[np.int64]]:
    """Return the end of each local day and its length [s]."""
    first, last = (datetime.fromisoformat(str(d)).replace(tzinfo=zone) for d in (day.min(), day.max() + 2))
    edge = edges(Period.DAY, instant(first.astimezone(UTC)), instant(last.astimezone(UTC)), zone)
    place = (day - day.min()).astype(np.int64)
    return edge[place + 1], (np.diff(edge)[place] / np.timedelta64(1, "s")).astype(np.int64)


def _in_order(table: _Table, at: Instants, temp_c: Floats, span_s: npt.NDArray[np.int64]) -> Temperatures:
    """Return the values by instant, one each; raise InputError where the file contradicts itself."""
    order = np.argsort(at, kind="stable")
    at, temp_c, span_s = at[order], temp_c[order], span_s[order]
    again = np.concatenate([[False], at[1:] == at[:-1]]) if len(at) else np.empty(0, bool)
    differs = again & np.concatenate([[False], temp_c[1:] != temp_c[:-1]]) if len(at) else again
    if differs.any():
        at_fault = at[differs][0] if len(at) else NAT
        raise InputError(
            f"two temperatures are given for {str(at_fault)[:19]}Z",
            place=table.name,
            remedy="keep one; in the repeated hour of autumn give times with offset, or the zone of the file",
        )
    return Temperatures(at=at[~again], temp_c=temp_c[~again], span_s=span_s[~again])
