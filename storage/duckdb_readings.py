"""Readings in a DuckDB file: the embedded default, one process, many threads."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.archive import Extent, Kept
from core.calendar import Bools, Instants, Period, instant
from core.errors import StoreUnavailable
from core.ports import Clock, Touched
from core.readings import Codes, Readings, SeriesKey
from core.rollup import RollUp
from storage import duckdb_backup as backup
from storage.duckdb_file import DuckDBFile
from storage.duckdb_rollups import DuckDBRollUps
from storage.duckdb_tables import Columns, Cursor, append, clamp, fetch, fetch_series, lend, prepare, restrict
from storage.duckdb_touched import TouchedLog
from storage.duckdb_withdraw import withdraw
from storage.readings_index import Marks, Numbers, Ranges, ranges
from storage.readings_merge import FIRST_INSTANT, LAST_INSTANT, checked, merge

_FIELDS: Final = "r.series, r.instant, r.value, r.kind, r.quality, r.span_s, r.received, r.source"
_NEAR: Final = np.timedelta64(3 * 86400 * 1_000_000, "us")
"""How far neighbours are looked for first: near readings stand in few blocks of the file, the whole is scanned else."""


class DuckDBReadingStore:
    """A ReadingStore in one file. `clock` dates the log of what was touched, whose old entries are merged.

    Readings have no key in the database, which makes appending fast: the marks in memory tell which readings cannot
    be stored yet; the others alone are compared with what is stored.
    """

    def __init__(self, path: Path, clock: Clock, *, memory_limit_mb: int = 2048, threads: int = 2) -> None:
        self.path = path
        self._clock = clock
        self._file = DuckDBFile(path, self._load, memory_limit_mb=memory_limit_mb, threads=threads)
        self._writing = threading.Lock()
        self._log = TouchedLog()
        self._rollups = DuckDBRollUps(self._file)
        self._doubtful = False

    def start(self) -> None:
        """Open the file."""
        self._file.start()

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def ready(self) -> None:
        """Return if a write would be taken; after a failed one a small one is tried."""
        if not self._doubtful:
            with self._file.reading() as cursor:
                cursor.execute("SELECT 1")
            return
        with self._writing, self._file.writing() as cursor:
            cursor.execute("INSERT INTO probe VALUES (1)")
            cursor.execute("DELETE FROM probe")
            cursor.commit()
        self._doubtful = False

    def _load(self, cursor: Cursor) -> None:
        """Load what is kept in memory; the file calls it whenever it was opened."""
        prepare(cursor)
        keys = cursor.execute("SELECT meter, register FROM series ORDER BY number").fetchall()
        sources = cursor.execute("SELECT name FROM source ORDER BY number").fetchall()
        self._series = Numbers(SeriesKey(*key) for key in keys)
        self._sources = Numbers(name for (name,) in sources)
        found = fetch(
            cursor, "SELECT series, min(instant) AS since, max(instant) AS until FROM reading GROUP BY series"
        )
        self._marks = Marks(np.empty(0, np.int64), np.empty(0, np.int64))
        self._marks.note(Ranges(found["series"], found["since"].astype(np.int64), found["until"].astype(np.int64)))
        self._log.load(cursor)
        self._rollups.load(cursor)

    def write(self, readings: Readings) -> None:
        """Store the readings in one transaction."""
        if not len(readings):
            return
        batch = checked(readings)
        with self._writing:
            try:
                self._write(batch)
            except StoreUnavailable:
                self._doubtful = True
                raise
            self._doubtful = False

    def _write(self, batch: Readings) -> None:
        """Store a checked batch.

        Names are added before the commit, so that a reader who sees a row can name it, marks after it, so that a
        reader finds the row of a mark. Where anything fails, the file is opened and all of them are loaded anew.
        """
        with self._file.writing() as cursor:
            numbers, new = self._series.propose(batch.series)
            series = numbers[batch.code]
            stored, rows = self._stored(cursor, batch, numbers, ~self._marks.beyond(series, batch.at))
            merged = merge(stored, batch, skip_same=True)
            if not len(merged.written) and not len(merged.revisions):
                return
            _remove(cursor, rows[merged.replaced])
            _name_series(cursor, self._series, new)
            self._append(cursor, "reading", merged.written, numbers)
            self._revise(cursor, merged.revisions, numbers)
            written = ranges(series, batch.at)
            self._log.note(cursor, written, instant(self._clock()))
            cursor.commit()
            self._marks.note(written)

    def _stored(
        self, cursor: Cursor, batch: Readings, numbers: Codes, doubtful: Bools
    ) -> tuple[Readings, npt.NDArray[np.int64]]:
        """Return what is stored at the instants of the doubtful readings, coded as the batch, and its row numbers."""
        if not doubtful.any():
            return Readings.empty(), np.empty(0, np.int64)
        series, at = numbers[batch.code[doubtful]], batch.at[doubtful]
        lend(cursor, "doubtful", {"series": series, "instant": at})
        found = fetch(
            cursor,
            f"SELECT {_FIELDS}, r.rowid AS place FROM reading r SEMI JOIN doubtful d "  # noqa: S608 - our own table names and numbers
            "ON r.series = d.series AND r.instant = d.instant "
            f"WHERE {restrict(series, 'r.series')} AND r.instant BETWEEN make_timestamp($1) AND make_timestamp($2)",
            [clamp(at.min()), clamp(at.max())],
        )
        back = np.full(int(numbers.max()) + 1, -1, np.int32)
        back[numbers] = np.arange(len(numbers), dtype=np.int32)
        return self._readings(found, batch.series, back[found["series"]]), found["place"]

    def _append(self, cursor: Cursor, table: str, readings: Readings, numbers: Codes) -> None:
        sources, new = self._sources.propose(readings.sources)
        if new:
            first = len(self._sources)
            append(cursor, "source", {"number": np.arange(first, first + len(new), dtype=np.int32), "name": new})
            self._sources.add(new)
        append(cursor, table, _columns(readings, numbers[readings.code], sources[readings.source]))

    def _revise(self, cursor: Cursor, revisions: Readings, numbers: Codes) -> None:
        """Keep revisions, each once, however often it is delivered."""
        if not len(revisions):
            return
        cursor.execute("CREATE OR REPLACE TEMP TABLE proposed AS FROM revision LIMIT 0")
        self._append(cursor, "proposed", revisions, numbers)
        same = "series, instant, received, value, kind, quality, span_s, source"
        cursor.execute(
            f"INSERT INTO revision SELECT DISTINCT ON ({same}) * "  # noqa: S608 - names of columns
            f"FROM proposed ANTI JOIN revision USING ({same})"
        )

    def withdraw(self, source: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> int:
        """Take the readings of a source out in one transaction; what they replaced comes back."""
        with self._writing, self._file.writing() as cursor:
            numbers, known = self._series.find(tuple(dict.fromkeys(series))), self._sources.find([source])
            taken = withdraw(cursor, int(known[0]), numbers[numbers >= 0], start, end)
            if taken.rows:
                self._log.note(cursor, taken.touched, instant(self._clock()))
            cursor.commit()
            self._marks.put(taken.left)
            return taken.readings

    def read(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end)."""
        return self._read("reading", series, start, end)

    def revisions(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the replaced readings of these series in [start, end)."""
        return self._read("revision", series, start, end)

    def withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end) that were taken out."""
        return self._read("withdrawn", series, start, end)

    def _read(self, table: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        asked = tuple(dict.fromkeys(series))
        with self._file.reading() as cursor:
            found = fetch_series(
                cursor,
                f"SELECT {_FIELDS} FROM {table} r",  # noqa: S608 - our own names
                self._series.find(asked),
                "r.instant >= make_timestamp($1) AND r.instant < make_timestamp($2)",
                [clamp(start), clamp(end)],
                order=["instant", "received"],
            )
            return self._readings(found, asked, found["place"])

    def neighbours(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the last reading before `start` and the first from `end` on, of each series."""
        asked = tuple(dict.fromkeys(series))
        with self._file.reading() as cursor:
            numbers = self._lend_asked(cursor, asked)
            before = _nearest(cursor, numbers, "max", (start - _NEAR, start), (FIRST_INSTANT, start))
            after = _nearest(cursor, numbers, "min", (end, end + _NEAR), (end, LAST_INSTANT))
            return self._at(cursor, asked, np.concatenate([before[0], after[0]]), np.concatenate([before[1], after[1]]))

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        """Return the newest reading of each series."""
        asked = self.known() if series is None else tuple(dict.fromkeys(series))
        with self._file.reading() as cursor:
            numbers = self._lend_asked(cursor, asked)
            stored, newest = self._marks.newest()
            chosen = np.isin(stored, numbers)
            return self._at(cursor, asked, stored[chosen], newest[chosen].astype("datetime64[us]"))

    def _at(self, cursor: Cursor, asked: tuple[SeriesKey, ...], series: Codes, at: Instants) -> Readings:
        """Return the readings of these series (lent as asked) at these instants."""
        lend(cursor, "wanted", {"series": series, "instant": at})
        low, high = (at.min(), at.max()) if len(at) else (FIRST_INSTANT, FIRST_INSTANT)
        found = fetch(
            cursor,
            f"SELECT DISTINCT {_FIELDS}, a.place FROM reading r "  # noqa: S608 - our own table names and numbers
            "JOIN wanted w ON r.series = w.series AND r.instant = w.instant JOIN asked a ON r.series = a.series "
            f"WHERE {restrict(series, 'r.series')} AND r.instant BETWEEN make_timestamp($1) AND make_timestamp($2) "
            "ORDER BY a.place, r.instant",
            [clamp(low), clamp(high)],
        )
        return self._readings(found, asked, found["place"])

    def _lend_asked(self, cursor: Cursor, asked: tuple[SeriesKey, ...]) -> Codes:
        """Let queries see the asked series that are known, with their places; return their numbers."""
        numbers = self._series.find(asked)
        places = np.flatnonzero(numbers >= 0).astype(np.int32)
        lend(cursor, "asked", {"series": numbers[places], "place": places})
        return numbers[places]

    def _readings(self, found: dict[str, npt.NDArray[Any]], series: tuple[SeriesKey, ...], code: Codes) -> Readings:
        used, source = np.unique(found["source"], return_inverse=True)
        return Readings(
            series=series,
            code=code,
            at=found["instant"],
            value=found["value"],
            kind=found["kind"],
            quality=found["quality"],
            span_s=found["span_s"],
            received=found["received"],
            sources=tuple(self._sources.keys[n] for n in used.tolist()) or ("",),
            source=source.astype(np.int32),
        )

    def known(self, meters: Sequence[str] | None = None) -> tuple[SeriesKey, ...]:
        """Return the series that have readings, ordered."""
        with self._file.reading():
            keys = [self._series.keys[n] for n in self._marks.newest()[0].tolist()]
        wanted = None if meters is None else frozenset(meters)
        return tuple(sorted(key for key in keys if wanted is None or key.meter in wanted))

    def touched(self, after: str = "") -> Touched:
        """Return the ranges written since the token was given."""
        with self._file.reading() as cursor:
            token, written = self._log.since(cursor, after)
            return Touched(
                token=token,
                series=tuple(self._series.keys[n] for n in written.series.tolist()),
                first=written.first.astype("datetime64[us]"),
                last=written.last.astype("datetime64[us]"),
            )

    def write_rollup(self, grain: Period, rollup: RollUp) -> None:
        """Store these periods in the place of those that were there."""
        self._rollups.write(grain, rollup)

    def read_rollup(
        self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> RollUp:
        """Return the stored periods that start in [start, end)."""
        return self._rollups.read(grain, series, start, end)

    def extent(self) -> Extent:
        """Return what there is of readings, replaced and withdrawn ones."""
        with self._file.reading() as cursor:
            return backup.extent(cursor, backup.KEPT, "instant", self._series)

    def rolled(self) -> Extent:
        """Return what there is of roll-ups."""
        return self._rollups.extent()

    def load(self, kept: Kept) -> None:
        """Store a span of another store's holdings as it is, in one transaction."""
        parts = {"reading": kept.readings, "revision": kept.revisions, "withdrawn": kept.withdrawn}
        with self._writing, self._file.writing() as cursor:
            written = []
            for table, some in parts.items():
                batch = checked(some)
                numbers, new = self._series.propose(batch.series)
                _name_series(cursor, self._series, new)
                self._append(cursor, table, batch, numbers)
                written += [ranges(numbers[batch.code], batch.at)] if table == "reading" else []
            cursor.commit()
            for one in written:
                self._marks.note(one)

    def loaded(self, unheard: Touched) -> str:
        """End the loading: the log tells all of it before the token, and these ranges after it."""
        with self._writing, self._file.writing() as cursor:
            self._log.note(cursor, backup.whole(cursor), instant(self._clock()))
            token, _ = self._log.since(cursor, "")
            self._log.note(cursor, backup.ranges_of(unheard, self._series), instant(self._clock()))
            cursor.commit()
            return token


def _columns(readings: Readings, series: Codes, source: Codes) -> Columns:
    return {
        "series": series,
        "instant": readings.at,
        "value": readings.value,
        "kind": readings.kind,
        "quality": readings.quality,
        "span_s": readings.span_s,
        "received": readings.received,
        "source": source,
    }


def _name_series(cursor: Cursor, series: Numbers[SeriesKey], new: list[SeriesKey]) -> None:
    if new:
        columns: Columns = {
            "number": np.arange(len(series), len(series) + len(new), dtype=np.int32),
            "meter": [key.meter for key in new],
            "register": [key.register for key in new],
        }
        append(cursor, "series", columns)
        series.add(new)


def _remove(cursor: Cursor, rows: npt.NDArray[np.int64]) -> None:
    if len(rows):
        lend(cursor, "gone", {"place": rows})
        cursor.execute("DELETE FROM reading WHERE rowid IN (SELECT place FROM gone)")


def _nearest(
    cursor: Cursor, numbers: Codes, pick: str, near: tuple[Any, Any], wide: tuple[Any, Any]
) -> tuple[Codes, Instants]:
    """Return of each series (its number) the first or last instant in the near range, else in the wide one."""
    series, at = _extreme(cursor, numbers, pick, near)
    missing = numbers[~np.isin(numbers, series)]
    if not len(missing):
        return series, at
    more, more_at = _extreme(cursor, missing, pick, wide)
    return np.concatenate([series, more]), np.concatenate([at, more_at])


def _extreme(cursor: Cursor, numbers: Codes, pick: str, span: tuple[Any, Any]) -> tuple[Codes, Instants]:
    lend(cursor, "looked_for", {"series": numbers})
    found = fetch(
        cursor,
        f"SELECT r.series, {pick}(r.instant) AS found FROM reading r "  # noqa: S608 - our own table names and numbers
        "SEMI JOIN looked_for l ON r.series = l.series "
        f"WHERE {restrict(numbers, 'r.series')} "
        "AND r.instant >= make_timestamp($1) AND r.instant < make_timestamp($2) GROUP BY r.series",
        [clamp(span[0]), clamp(span[1])],
    )
    return found["series"], found["found"]
