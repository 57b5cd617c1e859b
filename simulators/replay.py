"""Real data as dials over MQTT: tables of amounts or dial readings become readings in order of time.

Amounts are added up to a dial: its difference between the ends of an hour is the source's amount. A missing amount
gives no reading at the end of its hour; the dial stands still until the next known hour, whose begin gets a reading
(`gaps` "closed"), so that every known hour, day and year has exactly the source's sum. With `gaps` "open" it does
not: the first amount after a gap is then spread over the gap, as a dial read late would have it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from core.calendar import Instants, micros
from core.errors import InputError
from core.readings import Codes, Floats
from core.units import unit
from simulators.payload import Message, encoded, messages
from simulators.tables import (
    existing,
    holds_names,
    in_utc,
    is_number,
    numbers,
    read_table,
    texts,
    time_column,
    wall_times,
)

_METER_NAMES: Final = frozenset({"meter", "user", "device", "id", "name", "building", "měřidlo"})
_VALUE_NAMES: Final = frozenset({"value", "reading", "meter reading", "dial", "index", "amount", "kwh", "m3", "stav"})
_DAY: Final = np.timedelta64(1, "D")
_MONTH: Final = np.timedelta64(27, "D")
_UNLIKE_DAYS: Final = np.timedelta64(1, "h")  # 23 and 25 hours
_UNLIKE_MONTHS: Final = np.timedelta64(73, "h")  # 28 to 31 days, and the clock's change
_READINGS_A_BLOCK: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """How to read a table.

    `what`: the values are amounts of a period, or dial readings. `unit` and `register` are those of all values where
    no column `unit` or `register` tells. `zone` is the zone of naive times. `stamp`: a row of amounts is stamped
    with the start or the end of its period, `period_s` its length [s] (0: the most common distance of rows).
    `first_dial` is the dial before the first amount. `meters` picks columns or meters (empty: all), `prefix` goes
    before their names. `zero_is_missing` is for sources that write 0 where nothing was measured. `negative` amounts
    are refused or skipped as missing.
    """

    what: Literal["amounts", "dials"]
    unit: str = ""
    register: str = "energy.total"
    zone: str = "UTC"
    stamp: Literal["start", "end"] = "start"
    period_s: int = 0
    first_dial: float = 0.0
    gaps: Literal["closed", "open"] = "closed"
    zero_is_missing: bool = False
    negative: Literal["refuse", "skip"] = "refuse"
    meters: tuple[str, ...] = ()
    prefix: str = ""
    time_column: str = ""
    meter_column: str = ""
    value_column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Dial readings in order of time over all meters; arrays with one entry a reading, codes into the name tuples.

    `fingerprint` tells this content from any other, `notes` what was left out or assumed, in words.
    """

    meters: tuple[str, ...]
    registers: tuple[str, ...]
    units: tuple[str, ...]
    at: Instants
    value: Floats
    meter: Codes
    register: Codes
    unit: Codes
    fingerprint: str
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(slots=True)
class _Series:
    """The rows of one meter as the file has them."""

    meter: str
    register: str
    unit: str
    at: Instants
    value: Floats
    row: Codes
    column: str


@dataclass(slots=True)
class _Notes:
    """What was left out, counted."""

    path: Path
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, count: int) -> None:
        if count:
            self.counts[what] = self.counts.get(what, 0) + count

    def wrong(self, series: _Series, place: int, problem: str, remedy: str) -> InputError:
        row = int(series.row[place]) + 2
        return InputError(problem, place=f"{self.path}, column {series.column}, row {row}", remedy=remedy)


def _taken(series: _Series, chosen: npt.NDArray[np.generic]) -> _Series:
    """Return the rows that an index or mask chooses."""
    return replace(series, at=series.at[chosen], value=series.value[chosen], row=series.row[chosen])


def _clean(series: _Series, notes: _Notes) -> _Series:
    """Return the rows that have a time and a value, in order of time."""
    gone = np.isnat(series.at)
    missing = np.isnan(series.value)
    notes.add("rows without a value", int(missing.sum()))
    notes.add("rows at a local time that does not exist", int(gone.sum()))
    kept = np.flatnonzero(~missing & ~gone)
    kept = kept[np.argsort(series.at[kept], kind="stable")]
    return _taken(series, kept)


def _amounts(series: _Series, options: ReplayOptions, notes: _Notes) -> _Series:
    """Return the rows whose amount is known and can be."""
    negative = np.flatnonzero(series.value < 0)
    if len(negative) and options.negative == "refuse":
        problem = f"negative amount {series.value[negative[0]]}"
        raise notes.wrong(series, int(negative[0]), problem, "skip negative amounts, or mend it")
    twice = np.flatnonzero(np.diff(series.at) == np.timedelta64(0, "us"))
    if len(twice):
        raise notes.wrong(series, int(twice[0]) + 1, "the same period twice", "leave one, or state the right zone")
    notes.add("negative amounts", len(negative))
    known = series.value >= 0
    if options.zero_is_missing:
        notes.add("zeros taken as missing", int((series.value == 0).sum()))
        known &= series.value != 0
    return _Series(
        series.meter,
        series.register,
        series.unit,
        series.at[known],
        series.value[known],
        series.row[known],
        series.column,
    )


def _period_us(series: Sequence[_Series], options: ReplayOptions, notes: _Notes) -> int:
    """Return the length of the periods that amounts are of."""
    if options.period_s:
        return options.period_s * 1_000_000
    steps = np.concatenate([np.diff(np.unique(micros(s.at[~np.isnat(s.at)]))) for s in series])
    if not len(steps):
        raise InputError("the period of the amounts is not known", place=str(notes.path), remedy="state it in seconds")
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[np.argmax(counts)])


def _bounds(at: Instants, period_us: int, stamp: str) -> tuple[Instants, Instants]:
    """Return begin and end of each period; days and months that follow on each other meet whatever their length."""
    period = np.timedelta64(period_us, "us")
    begin, end = (at.copy(), at + period) if stamp == "start" else (at - period, at.copy())
    unlike = _UNLIKE_MONTHS if period >= _MONTH else _UNLIKE_DAYS if period >= _DAY else np.timedelta64(0, "us")
    meets = np.flatnonzero(np.abs(begin[1:] - end[:-1]) <= unlike)
    if stamp == "start":
        end[meets] = begin[meets + 1]
    else:
        begin[meets + 1] = end[meets]
    return begin, end


def _as_dial(series: _Series, period_us: int, options: ReplayOptions, notes: _Notes) -> _Series:
    """Return dial readings at the ends of the periods, and at the begin of the first and of each after a gap."""
    if not len(series.at):
        return series
    begin, end = _bounds(series.at, period_us, options.stamp)
    overlap = np.flatnonzero(begin[1:] < end[:-1])
    if len(overlap):
        place = int(overlap[0]) + 1
        raise notes.wrong(series, place, f"a period of {period_us / 1e6:.0f} s overlaps the former", "state the period")
    dial = np.longdouble(options.first_dial) + np.concatenate(
        [np.zeros(1, np.longdouble), np.cumsum(series.value.astype(np.longdouble))]
    )
    opening = np.concatenate([[True], begin[1:] > end[:-1]])
    notes.add("gaps in amounts", int(opening.sum()) - 1)
    if options.gaps == "open":
        opening[1:] = False
    at = np.concatenate([begin[opening], end])
    value = np.concatenate([dial[:-1][opening], dial[1:]]).astype(np.float64)
    row = np.concatenate([series.row[opening], series.row])
    order = np.argsort(at, kind="stable")
    return replace(series, at=at[order], value=value[order], row=row[order])


def _unit_of(text: str, options: ReplayOptions, place: str) -> str:
    name = text or options.unit
    if not name:
        raise InputError("the unit is stated nowhere", place=place, remedy="state it, such as kWh, m³ or l")
    unit(name)
    return name


def _wide(table: Any, path: Path, time: str, options: ReplayOptions) -> Iterator[_Series]:  # noqa: ANN401 - pyarrow has no types
    names = options.meters or tuple(n for n in table.column_names if n != time and not n.startswith("__index"))
    wall, aware = wall_times(table, path, time)
    at = in_utc(wall, options.zone, aware=aware)
    rows = np.arange(len(at), dtype=np.int32)
    for name in names:
        existing(table, path, name)
        value = numbers(table, path, name)
        said = _unit_of("", options, f"{path}, column {name}")
        yield _Series(f"{options.prefix}{name}", options.register, said, at, value, rows, name)


def _value_column(table: Any, path: Path, taken: set[str], wanted: str) -> str:  # noqa: ANN401 - pyarrow has no types
    if wanted:
        return existing(table, path, wanted)
    free = [n for n in table.column_names if n not in taken]
    usual = [n for n in free if n.lower() in _VALUE_NAMES]
    numeric = [n for n in free if is_number(table, n) and not n.startswith("__index")]
    chosen = usual or numeric
    if len(chosen) != 1:
        raise InputError(
            "which column holds the values is not clear", place=str(path), remedy=f"name one of {', '.join(free)}"
        )
    return str(chosen[0])


def _labels(table: Any, name: str, otherwise: str) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    return texts(table, name) if name in table.column_names else [otherwise] * len(table)


def _long(table: Any, path: Path, time: str, meter: str, options: ReplayOptions) -> Iterator[_Series]:  # noqa: ANN401 - pyarrow has no types
    column = _value_column(table, path, {time, meter, "unit", "register"}, options.value_column)
    value, (wall, aware) = numbers(table, path, column), wall_times(table, path, time)
    names = texts(table, meter)
    registers, units = _labels(table, "register", options.register), _labels(table, "unit", options.unit)
    rows: dict[tuple[str, str, str], list[int]] = {}
    for row, key in enumerate(zip(names, registers, units, strict=True)):
        rows.setdefault(key, []).append(row)
    for (name, register, said), chosen in rows.items():
        if options.meters and name not in options.meters:
            continue
        if not name:
            raise InputError(
                "there is no meter", place=f"{path}, column {meter}, row {chosen[0] + 2}", remedy="name it"
            )
        own = np.array(chosen, np.int32)
        at = in_utc(wall[own], options.zone, aware=aware)
        known = _unit_of(said, options, f"{path}, row {chosen[0] + 2}")
        yield _Series(f"{options.prefix}{name}", register or options.register, known, at, value[own], own, column)


def _meter_column(table: Any, path: Path, time: str, options: ReplayOptions) -> str:  # noqa: ANN401 - pyarrow has no types
    """Return the column that names the meters of a long table, empty for a wide one."""
    if options.meter_column:
        return existing(table, path, options.meter_column)
    words = [n for n in table.column_names if n != time and n not in {"unit", "register"} and holds_names(table, n)]
    named = [n for n in table.column_names if n.lower() in _METER_NAMES and n != time]
    usual = [n for n in named if n in words] or (named if "value" in table.column_names else []) or words
    return str(usual[0]) if usual else ""


def load_replay(path: Path, options: ReplayOptions) -> Replay:
    """Return the dial readings of a file; InputError names file, column and row of what cannot be right."""
    table = read_table(path)
    time = time_column(table, path, options.time_column)
    meter = _meter_column(table, path, time, options)
    notes = _Notes(path)
    found = _long(table, path, time, meter, options) if meter else _wide(table, path, time, options)
    rows = list(found)
    series = [_clean(s, notes) for s in rows]
    if not sum(len(s.at) for s in series):
        raise InputError("there are no values", place=str(path), remedy="check columns and options")
    if options.what == "amounts":
        known = [_amounts(s, options, notes) for s in series]
        period_us = _period_us(rows, options, notes)
        series = [_as_dial(s, period_us, options, notes) for s in known]
    return _merged(series, options, notes)


def _codes(names: Sequence[str], lengths: Sequence[int]) -> tuple[tuple[str, ...], Codes]:
    """Return the distinct names in order, and a code for each reading."""
    place: dict[str, int] = {}
    codes = [place.setdefault(name, len(place)) for name in names]
    return tuple(place), np.repeat(np.array(codes, np.int32), lengths)


def _merged(series: Sequence[_Series], options: ReplayOptions, notes: _Notes) -> Replay:
    lengths = [len(s.at) for s in series]
    meters, meter = _codes([s.meter for s in series], lengths)
    registers, register = _codes([s.register for s in series], lengths)
    units, said = _codes([s.unit for s in series], lengths)
    at = np.concatenate([s.at for s in series])
    value = np.concatenate([s.value for s in series])
    order = np.argsort(at, kind="stable")
    digest = hashlib.blake2b(repr((options, meters, registers, units)).encode(), digest_size=6)
    for array in (at[order].astype(np.int64), value[order], meter[order]):
        digest.update(np.ascontiguousarray(array).tobytes())
    told = tuple(f"{what}: {count}" for what, count in notes.counts.items())
    return Replay(
        meters=meters,
        registers=registers,
        units=units,
        at=at[order],
        value=value[order],
        meter=meter[order],
        register=register[order],
        unit=said[order],
        fingerprint=digest.hexdigest(),
        notes=(f"naive times are taken as {options.zone}", *told),
    )


def _begin(replay: Replay, cursor: str) -> int:
    """Return the first reading after the cursor; InputError where it is of another replay."""
    if not cursor:
        return 0
    whose, _, done = cursor.partition(":")
    if whose != replay.fingerprint or not done.isdigit() or int(done) > len(replay):
        raise InputError(f"cursor {cursor!r} is of another file or other options", remedy="start anew without it")
    return int(done)


def replay_messages(replay: Replay, *, per_message: int = 50, cursor: str = "") -> Iterator[Message]:
    """Yield the readings as messages in order of time, from a cursor on; each message carries the cursor after it."""
    start = _begin(replay, cursor)
    block = max(1, _READINGS_A_BLOCK // per_message) * per_message
    for first in range(start, len(replay), block):
        part = slice(first, min(first + block, len(replay)))
        names = [replay.meters[code] for code in replay.meter[part]]
        objects = encoded(
            names,
            [replay.registers[code] for code in replay.register[part]],
            [replay.units[code] for code in replay.unit[part]],
            replay.at[part],
            replay.value[part],
        )
        cursors = [f"{replay.fingerprint}:{number + 1}" for number in range(part.start, part.stop)]
        yield from messages(names, objects, per_message=per_message, cursors=cursors)
