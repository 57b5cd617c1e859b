"""Files of dials or interval values in any common table, for the detectors: long or wide, with or without offset.

Whether a series is a dial or amounts of intervals shows in itself: a dial hardly ever falls. A stamp of an interval
marks its begin.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.calendar import Bools, Instants, Longs, local, micros, resolve_local
from core.errors import InputError
from core.readings import Floats, SeriesKey
from core.units import Unit, unit
from ingest.series_files import coded, instants, numbers, read_table, refuse, texts

TIMES: Final = ("at", "t", "datetime", "timestamp", "time", "date")
METERS: Final = ("meter", "user", "device", "name")
VALUES: Final = ("value", "reading", "meter reading", "dial", "index", "kwh", "m3")
IGNORED: Final = ("diff",)
FALLS: Final = 0.2
"""A dial falls less often than this for each rise; amounts fall about as often as they rise."""
HOUR_US: Final = 3_600_000_000
DATE_LENGTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series in canonical units, one value an instant, in order: a dial, or amounts that end at `at_us`.

    `length_us` is how long an interval is, 0 of a dial. `of` is the unit it is written in, which tells the last digit.
    """

    key: SeriesKey
    dial: bool
    at_us: Longs
    value: Floats
    length_us: int
    of: Unit

    @property
    def quantum(self) -> float:
        """The worth of the last digit [canonical unit]."""
        written = self.value * self.of.divisor / self.of.scale
        digits = next((d for d in range(4) if np.allclose(written * 10**d, np.rint(written * 10**d), atol=1e-4)), 4)
        return 10.0**-digits * self.of.scale / self.of.divisor if len(written) else 0.0


def read_any(path: Path, zone: ZoneInfo, default_unit: str, kind: str = "auto") -> list[Series]:
    """Return the series of a file: `meter,register,at,value,unit`, or a column of time and a column a meter.

    `default_unit` holds where no column says it; `kind` (dial, interval) where it is told rather than found out.
    """
    table = read_table(path, ())
    time = next((name for name in TIMES if name in table.column_names), None)
    if time is None or not table.num_rows:
        problem = "has no row" if time else f"lacks a column of time; found {', '.join(table.column_names)}"
        raise InputError(problem, place=str(path), remedy="write the headings meter, at, value, unit")
    times = _times(path, table, time, zone)
    meter = next((name for name in METERS if name in table.column_names), None)
    value = next((name for name in VALUES if name in table.column_names), None)
    rows = (
        _long(path, table, times, (meter, value), default_unit)
        if meter is not None and value is not None
        else _wide(path, table, times, default_unit)
    )
    made = (_series(key, at, values, of, kind) for key, at, values, of in rows)
    return [one for one in made if one is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Instants of rows [µs]; `twice` where the wall time comes again an hour later."""

    at: Longs
    wall: Longs
    twice: Bools

    def of(self, rows: Longs) -> Longs:
        """Return the instants of one series' rows in the order of the file: a time that comes again is the later."""
        wall, twice = self.wall[rows], self.twice[rows]
        if not twice.any():
            return self.at[rows]
        so_far = np.maximum.accumulate(wall)
        again = twice & np.concatenate([[False], wall[1:] <= so_far[:-1]])
        return np.asarray(self.at[rows] + again * HOUR_US)


def _times(path: Path, table: pa.Table, column: str, zone: ZoneInfo) -> _Times:
    """Return the times of rows; without offset they are on the zone's clock, unless they name an hour it skips."""
    kind = table.schema.field(column).type
    naive = pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)
    if not naive and (pa.types.is_timestamp(kind) or not _written_naive(texts(table, column))):
        at = micros(instants(path, table, column))
        return _Times(at=at, wall=at, twice=np.zeros(len(at), bool))
    wall = _walls(path, table, column, naive=naive)
    stamps, back = np.unique(wall, return_inverse=True)
    found, _, gone = resolve_local(stamps, zone)
    if gone.any():  # a clock without summer time
        return _Times(at=micros(wall), wall=micros(wall), twice=np.zeros(len(wall), bool))
    twice = local(found + np.timedelta64(1, "h"), zone) == stamps
    return _Times(at=micros(found)[back], wall=micros(wall), twice=twice[back])


def _written_naive(text: pa.ChunkedArray) -> bool:
    first = next((t for t in text.to_pylist() if t), "")
    return not (first.endswith(("Z", "z")) or (len(first) > DATE_LENGTH and first[-6:-5] in {"+", "-"}))


def _walls(path: Path, table: pa.Table, column: str, *, naive: bool) -> Instants:
    if naive:
        wall = np.asarray(table[column].cast(pa.timestamp("us")).to_numpy(), "datetime64[us]")
    else:
        spellings, code = coded(texts(table, column))
        known = [_wall(text) for text in spellings]
        wall = np.array(known, "datetime64[us]")[code]
    refuse(path, column, np.isnat(wall), texts(table, column), "write an instant such as 2026-01-31T12:00:00+01:00")
    return wall


def _wall(text: str) -> np.datetime64:
    try:
        return np.datetime64(text.replace(" ", "T"), "us")
    except ValueError:
        return np.datetime64("NaT", "us")


_Row = tuple[SeriesKey, Longs, Floats, Unit]


def _long(path: Path, table: pa.Table, times: _Times, columns: tuple[str, str], default_unit: str) -> Iterator[_Row]:
    meter, value = columns
    values = _values(path, table, value)
    names = texts(table, meter)
    refuse(path, meter, np.asarray(pc.equal(names, "").to_numpy()), names, "name the meter")
    keys, code = coded(pc.binary_join_element_wise(names, texts(table, "register"), "\x1f"))
    spelled, unit_code = coded(texts(table, "unit"))
    units = [_unit(path, name or default_unit) for name in spelled]
    scale = np.array([u.scale / u.divisor for u in units])[unit_code]
    order = np.argsort(code, kind="stable")
    bounds = np.searchsorted(code[order], np.arange(len(keys) + 1))
    for number, (first, behind) in enumerate(pairwise(bounds.tolist())):
        rows = order[first:behind]
        written = [units[c] for c in np.unique(unit_code[rows])]
        if len({u.quantity for u in written}) > 1:
            problem = f"meter {keys[number].partition(chr(31))[0]} is written in units of unlike quantities"
            raise InputError(problem, place=str(path), remedy="give each quantity a register of its own")
        yield SeriesKey(*keys[number].split("\x1f")), times.of(rows), (values * scale)[rows], written[0]


def _values(path: Path, table: pa.Table, column: str) -> Floats:
    """Return a column as numbers, NaN where it is empty or says so."""
    kind = table.schema.field(column).type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return np.asarray(table[column].cast(pa.float64()).to_numpy(), float)
    said = pc.utf8_lower(texts(table, column))
    blank = pc.if_else(pc.is_in(said, pa.array(["nan", "na", "n/a", "-"])), "", texts(table, column))
    place = table.column_names.index(column)
    return numbers(path, table.set_column(place, column, blank), column, optional=True)


def _unit(path: Path, name: str) -> Unit:
    try:
        return unit(name)
    except InputError as err:
        raise InputError(err.problem, place=f"{path}: column unit", remedy=err.remedy) from err


def _wide(path: Path, table: pa.Table, times: _Times, default_unit: str) -> Iterator[_Row]:
    of = _unit(path, default_unit)
    at = times.of(np.arange(table.num_rows))
    for name, shown in zip(table.column_names, _headings(path), strict=True):
        if name in TIMES or name in IGNORED or name.startswith("__index"):
            continue
        yield SeriesKey(shown, ""), at, _values(path, table, name) * of.scale / of.divisor, of


def _headings(path: Path) -> list[str]:
    if path.suffix.lower() in {".parquet", ".pq"}:
        return list(pq.read_schema(path).names)
    with path.open("rb") as file:
        head = file.readline().decode("utf-8-sig", "replace").strip()
    return [name.strip().strip('"') for name in head.split(";" if head.count(";") > head.count(",") else ",")]


def _series(key: SeriesKey, at: Longs, values: Floats, of: Unit, kind: str) -> Series | None:
    """Return a series in order, of values at one instant the last, None where it has none."""
    known = np.isfinite(values)
    order = np.argsort(at[known], kind="stable")
    at, values = at[known][order], values[known][order]
    if not len(at):
        return None
    last = np.append(np.diff(at) > 0, [True])
    at, values = at[last], values[last]
    dial = is_dial(values) if kind == "auto" else kind == "dial"
    length = 0 if dial else _usual_step(at)
    return Series(key=key, dial=dial, at_us=at + length, value=values, length_us=length, of=of)


def is_dial(values: Floats) -> bool:
    """Return whether values in order are those of a dial: it rises, and hardly ever falls."""
    change = np.diff(values)
    rises, falls = int((change > 0).sum()), int((change < 0).sum())
    return falls <= FALLS * rises if rises or falls else bool(values[:1].sum() > 0)


def _usual_step(at: Longs) -> int:
    apart = np.diff(at)
    return int(np.median(apart)) if len(apart) else 3_600_000_000
