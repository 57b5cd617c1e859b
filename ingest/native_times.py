"""Instants, spans and quality of rows of Odečet's own payload."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from core.calendar import Bools, Longs, zone
from core.errors import InputError
from core.readings import Bytes, Kind, Quality
from ingest.instants import WallClock, stamps
from ingest.native_batch import Batch

US_PER_S: Final = 1_000_000
LONGEST_SPAN_S: Final = 10 * 366 * 86400
ARRIVAL: Final = np.uint8(Quality.ARRIVAL_TIME)
AMBIGUOUS: Final = np.uint8(Quality.AMBIGUOUS_TIME)
QUALITIES: Final = {"good": Quality.GOOD, "suspect": Quality.SUSPECT, "manual": Quality.MANUAL}
NO_ZONE: Final = 'the time has no offset: add one, or name its zone, as in "zone": "Europe/Prague"'
CACHED_ZONES: Final = 1000


class Timing(NamedTuple):
    """Instants [µs], quality flags and spans [s] of rows."""

    at: Longs
    quality: Bytes
    span_s: Longs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column of times, resolved: instants [µs], flags, and where no time was written."""

    at: Longs
    quality: Bytes
    absent: Bools


class Times:
    """Finds out when readings are of; keeps for each zone what resolves its repeated hour."""

    def __init__(self) -> None:
        self._clocks: dict[str, WallClock] = {}

    def of(self, batch: Batch) -> Timing:
        """Return the timing of every row; rows whose time cannot be are rejected."""
        column = self._column(batch, "at", batch.column("at"))
        timing, absent = Timing(column.at, column.quality, _spans(batch)), column.absent
        begins, ends = batch.column("begin"), batch.column("end")
        if set(map(type, begins + ends)) - {type(None)}:
            timing, absent = self._periods(batch, (begins, ends), timing, absent)
        intervals = batch.kinds == Kind.INTERVAL
        batch.reject_all(
            intervals & (timing.span_s <= 0), "span_s", "span", "an interval has a length: span_s, or from and to"
        )
        snapshots = np.array([m.snapshot for m in batch.known] or [False], bool)[batch.code]
        batch.reject_all(snapshots & absent, "at", "time_missing", "a snapshot is of its own date: say it")
        at = np.where(absent, batch.received, timing.at)
        quality = timing.quality | np.where(absent, ARRIVAL, np.uint8(0))
        _add_quality(batch, quality)
        return Timing(at, quality, np.where(intervals, timing.span_s, 0))

    def _column(self, batch: Batch, key: str, written: list[Any]) -> _Column:
        """Return the instants of a column of times, naive ones resolved; reject what is none."""
        read = stamps(written)
        for row, why in read.faults.items():
            batch.reject(row, key, "time_unreadable", f"{why}; write it as 2026-01-31T12:00:00+01:00")
        column = _Column(at=read.us.copy(), quality=np.zeros(len(read.us), np.uint8), absent=read.absent)
        rows = np.flatnonzero(read.naive)
        zones: dict[str, list[int]] = {}
        for row in rows.tolist():
            named = batch.rows.rows[row].zone
            zones.setdefault(named if isinstance(named, str) else "" if named is None else repr(named), []).append(row)
        for name, chosen in zones.items():
            self._resolve(batch, key, name, chosen, column)
        return column

    def _resolve(self, batch: Batch, key: str, name: str, rows: list[int], into: _Column) -> None:
        """Resolve the wall times of one zone in place."""
        clock = self._clock(name)
        if isinstance(clock, str):
            for row in rows:
                batch.reject(row, key, "time_zone", clock)
            return
        codes = batch.code[rows].tolist()
        series = [(batch.meters[row], batch.known[code].register) for row, code in zip(rows, codes, strict=True)]
        chosen = np.array(rows, np.int64)
        into.at[chosen], unsure, gone = clock.resolve(into.at[chosen], series, batch.received[chosen])
        into.quality[chosen[unsure]] |= AMBIGUOUS
        for row in chosen[gone].tolist():
            batch.reject(row, key, "time_nonexistent", f"the clock of {name} was put forward over this time")

    def _clock(self, name: str) -> WallClock | str:
        """Return the wall clock of a zone, or what is wrong with its name."""
        if not name:
            return NO_ZONE
        if name not in self._clocks:
            try:
                found = WallClock(zone(name))
            except (InputError, OSError) as err:  # a name that is a folder of the zone files
                return str(err)[:200]
            self._clocks[name] = found
        return self._clocks[name]

    def _periods(
        self, batch: Batch, edges: tuple[list[Any], list[Any]], so_far: Timing, absent: Bools
    ) -> tuple[Timing, Bools]:
        """Return timing where `from` and `to` say it, and where no time was written."""
        begin, end = self._column(batch, "from", edges[0]), self._column(batch, "to", edges[1])
        both = ~begin.absent & ~end.absent
        batch.reject_all(begin.absent & ~end.absent, "from", "span", "from and to go together")
        batch.reject_all(~begin.absent & end.absent, "to", "span", "from and to go together")
        other = both & ~absent & (so_far.at != end.at)
        batch.reject_all(other, "at", "span", "at is the end of the period: leave it out, or make it equal to `to`")
        length = (end.at - begin.at) // US_PER_S
        differs = both & (so_far.span_s != 0) & (so_far.span_s != length)
        batch.reject_all(differs, "span_s", "span", "from and to are not that far apart")
        batch.reject_all(both & (length > LONGEST_SPAN_S), "from", "span", "a period of more than ten years")
        quality = np.where(both, begin.quality | end.quality, so_far.quality)
        timing = Timing(np.where(both, end.at, so_far.at), quality, np.where(both, length, so_far.span_s))
        return timing, absent & ~both


def _spans(batch: Batch) -> Longs:
    """Return the spans [s] as stated, 0 where none is."""
    column = batch.column("span_s")
    if set(map(type, column)) <= {type(None)}:
        return np.zeros(len(column), np.int64)
    return np.fromiter([_span(batch, row, span) for row, span in enumerate(column)], np.int64, len(column))


def _span(batch: Batch, row: int, span: object) -> int:
    if span is None:
        return 0
    if type(span) is int or (type(span) is float and span.is_integer()):
        whole = int(span)
        if 0 < whole <= LONGEST_SPAN_S:
            return whole
    batch.reject(row, "span_s", "span", f"{span!r:.60} is no length in whole seconds above 0")
    return 0


def _add_quality(batch: Batch, into: Bytes) -> None:
    """Add the stated qualities to the flags."""
    column = batch.column("quality")
    if set(map(type, column)) <= {type(None)}:
        return
    for row, stated in enumerate(column):
        if stated is None:
            continue
        flag = QUALITIES.get(stated.strip().lower()) if isinstance(stated, str) else None
        if flag is None:
            batch.reject(row, "quality", "quality", f"{stated!r:.60} is not one of {', '.join(QUALITIES)}")
        else:
            into[row] |= np.uint8(flag)
