"""Readings and roll-ups as Parquet, a span at a time: out of any store and into any other, memory bounded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from core.archive import ArchivedReadings, Extent, Kept
from core.calendar import Period, micros
from core.errors import StoreUnavailable
from core.ports import Touched
from core.readings import ARRAYS, Codes, Readings, SeriesKey
from core.rollup import ROLLUP_ARRAYS, RollUp
from storage.backup_archive import Member

ROWS: Final = 400_000
"""Rows a member aims at: some MB of Parquet, some tens of MB in memory."""

GRAINS: Final = (Period.HOUR, Period.DAY)
_FIRST_SPAN_US: Final = 86_400 * 1_000_000
_LEAST_SPAN_US: Final = 60 * 1_000_000
_TRIES: Final = 20


T = TypeVar("T")


def members(store: ArchivedReadings, tokens: Sequence[str]) -> Iterator[Member]:
    """Yield all of a store; at the end what was written since the oldest of these tokens was given.

    What is written while this runs may be in it or not; what is told as written covers all that may be, since it is
    asked for last.
    """
    extent = store.extent()
    for number, kept in enumerate(_spans(extent, partial(_kept, store, extent.series), _weight), 1):
        for name in ("readings", "revisions", "withdrawn"):
            part: Readings = getattr(kept, name)
            if len(part):
                yield Member(f"readings/{number:06}-{name}.parquet", _parquet(_table(part)), len(part))
    rolled = store.rolled()
    for grain in GRAINS:
        for number, some in enumerate(_spans(rolled, partial(store.read_rollup, grain, rolled.series), len), 1):
            yield Member(f"rollups/{grain}/{number:06}.parquet", _parquet(_rollup_table(some)), len(some))
    unheard = _unheard(store, tokens)
    yield Member("unheard/000001.parquet", _parquet(_touched_table(unheard)), len(unheard.series))


def _weight(kept: Kept) -> int:
    return len(kept.readings) + len(kept.revisions) + len(kept.withdrawn)


def _spans(extent: Extent, read: Callable[[np.datetime64, np.datetime64], T], weigh: Callable[[T], int]) -> Iterator[T]:
    """Yield what is read of one span after another, each as long as makes some ROWS."""
    if not extent.series:
        return
    at, last, span = int(micros(extent.first)), int(micros(extent.last)), _FIRST_SPAN_US
    while at <= last:
        end = min(at + span, last + 1)
        found = read(np.datetime64(at, "us"), np.datetime64(end, "us"))
        rows = weigh(found)
        if rows:
            yield found
        at, span = end, max(round(span * min(max(ROWS / max(rows, 1), 0.1), 2.0)), _LEAST_SPAN_US)


def _kept(store: ArchivedReadings, series: tuple[SeriesKey, ...], start: np.datetime64, end: np.datetime64) -> Kept:
    """Return what is kept of a span at one moment: what was replaced meanwhile is read again."""
    for _ in range(_TRIES):
        before = store.revisions(series, start, end), store.withdrawn(series, start, end)
        readings = store.read(series, start, end)
        revisions, withdrawn = store.revisions(series, start, end), store.withdrawn(series, start, end)
        if (len(before[0]), len(before[1])) == (len(revisions), len(withdrawn)):
            return Kept(readings=readings, revisions=_others(revisions, readings), withdrawn=withdrawn)
    raise StoreUnavailable(f"readings from {start} to {end} were replaced faster than they could be read; try again")


def _others(revisions: Readings, readings: Readings) -> Readings:
    """Return the revisions that are not yet the reading: a store without transactions keeps them before it."""
    if not len(revisions):
        return revisions
    near = readings.take(np.isin(readings.at, revisions.at))
    said, current = _sayings(revisions), _sayings(near)
    _, which = np.unique(np.concatenate([current, said]), axis=0, return_inverse=True)
    return revisions.take(~np.isin(which.ravel()[len(current) :], which.ravel()[: len(current)]))


def _sayings(readings: Readings) -> npt.NDArray[np.int64]:
    """Return all that readings of equally coded series say, as rows of whole numbers; sources by a hash."""
    sources = np.array([hash(name) for name in readings.sources] or [0], np.int64)
    columns = [readings.code, micros(readings.at), readings.value.view(np.int64), micros(readings.received)]
    columns += [readings.kind, readings.quality, readings.span_s, sources[readings.source]]
    return np.stack([np.asarray(column, np.int64) for column in columns], axis=1)


def _unheard(store: ArchivedReadings, tokens: Sequence[str]) -> Touched:
    """Return what was written since the tokens were given, one range a series."""
    told = [store.touched(token) for token in tokens]
    first: dict[SeriesKey, np.datetime64] = {}
    last: dict[SeriesKey, np.datetime64] = {}
    for some in told:
        for key, since, until in zip(some.series, some.first, some.last, strict=True):
            first[key] = min(first.get(key, since), since)
            last[key] = max(last.get(key, until), until)
    return Touched(
        token="",
        series=tuple(first),
        first=np.array(list(first.values()), "datetime64[us]"),
        last=np.array(list(last.values()), "datetime64[us]"),
    )


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _names(names: Sequence[str], code: Codes) -> pa.DictionaryArray:
    """Return a column of names, each stored once."""
    distinct = list(dict.fromkeys(names))
    place = {name: n for n, name in enumerate(distinct)}
    table = np.array([place[name] for name in names] or [0], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(table[code]), pa.array(distinct or [""], pa.string()))


def _keyed(series: Sequence[SeriesKey], code: Codes) -> dict[str, pa.Array]:
    meters, registers = [key.meter for key in series], [key.register for key in series]
    return {"meter": _names(meters, code), "register": _names(registers, code)}


def _table(readings: Readings) -> pa.Table:
    columns = {name: pa.array(getattr(readings, name)) for name in ARRAYS if name not in {"code", "source"}}
    source = {"source": _names(readings.sources, readings.source)}
    return pa.table({**_keyed(readings.series, readings.code), **columns, **source})


def _rollup_table(rollup: RollUp) -> pa.Table:
    columns = {name: pa.array(getattr(rollup, name)) for name in ROLLUP_ARRAYS if name != "code"}
    return pa.table({**_keyed(rollup.series, rollup.code), **columns})


def _touched_table(touched: Touched) -> pa.Table:
    code = np.arange(len(touched.series), dtype=np.int32)
    return pa.table({**_keyed(touched.series, code), "first": pa.array(touched.first), "last": pa.array(touched.last)})


def _read(content: bytes) -> dict[str, Any]:
    table = parquet.read_table(pa.BufferReader(content)).unify_dictionaries().combine_chunks()
    return {name: table.column(name) for name in table.column_names}


def _named(column: pa.ChunkedArray) -> tuple[list[str], Codes]:
    if not len(column):
        return [], np.empty(0, np.int32)
    whole = column.dictionary_encode().combine_chunks()
    return whole.dictionary.to_pylist(), whole.indices.to_numpy().astype(np.int32)


def _series(columns: dict[str, Any]) -> tuple[tuple[SeriesKey, ...], Codes]:
    """Return the distinct series of the rows, and which one each has."""
    (meters, meter), (registers, register) = _named(columns["meter"]), _named(columns["register"])
    pairs, code = np.unique(meter.astype(np.int64) * max(len(registers), 1) + register, return_inverse=True)
    keys = [divmod(pair, max(len(registers), 1)) for pair in pairs.tolist()]
    return tuple(SeriesKey(meters[m], registers[r]) for m, r in keys), code.astype(np.int32)


def readings_of(content: bytes) -> Readings:
    """Return the readings of a member."""
    columns = _read(content)
    series, code = _series(columns)
    sources, source = _named(columns["source"])
    arrays = {name: _array(columns[name]) for name in ARRAYS if name not in {"code", "source"}}
    return Readings(series=series, code=code, sources=tuple(sources) or ("",), source=source, **arrays)


def rollup_of(content: bytes) -> RollUp:
    """Return the roll-up of a member."""
    columns = _read(content)
    series, code = _series(columns)
    arrays = {name: _array(columns[name]) for name in ROLLUP_ARRAYS if name != "code"}
    return RollUp(series=series, code=code, **arrays)


def touched_of(content: bytes) -> Touched:
    """Return the ranges of a member."""
    columns = _read(content)
    series, code = _series(columns)
    first, last = (_array(columns[name])[np.argsort(code)] for name in ("first", "last"))
    return Touched(token="", series=series, first=first, last=last)


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    array = column.combine_chunks()
    if pa.types.is_timestamp(column.type):
        return np.asarray(array.cast(pa.int64()).fill_null(np.iinfo(np.int64).min)).astype("datetime64[us]")
    return np.asarray(array)


def load_members(store: ArchivedReadings, names: Iterable[str], read: Callable[[str], Readings]) -> Iterator[int]:
    """Put the members of readings into a store, those of one span together; yield how many rows it has taken."""
    spans: dict[str, dict[str, str]] = {}
    for name in names:
        number, _, part = name.rpartition("/")[2].removesuffix(".parquet").partition("-")
        spans.setdefault(number, {})[part] = name
    for parts in spans.values():
        got = {part: read(parts[part]) if part in parts else Readings.empty() for part in _PARTS}
        kept = Kept(**got)
        store.load(replace(kept, revisions=_as_they_came(kept.revisions), withdrawn=_as_they_came(kept.withdrawn)))
        yield _weight(kept)


_PARTS: Final = ("readings", "revisions", "withdrawn")


def _as_they_came(readings: Readings) -> Readings:
    """Return readings by series, instant and arrival; those of one arrival stay as they stand."""
    return readings.take(np.lexsort((readings.received, readings.at, readings.code)))
