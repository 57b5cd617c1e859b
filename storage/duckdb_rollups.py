"""Hourly and daily roll-ups in the DuckDB file, written and read in bulk."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from core.archive import Extent
from core.calendar import Period
from core.errors import InputError
from core.readings import Codes, SeriesKey
from core.rollup import ROLLUP_ARRAYS, ROLLUP_INSTANTS, RollUp
from storage.duckdb_backup import extent
from storage.duckdb_file import DuckDBFile
from storage.duckdb_tables import Columns, Cursor, append, clamp, fetch, fetch_series, lend, restrict
from storage.readings_index import Marks, Numbers, Ranges, ranges

TABLE: Final = {Period.HOUR: "hourly", Period.DAY: "daily"}
_STORED: Final = tuple(name for name in ROLLUP_ARRAYS if name != "code")
_NULLABLE: Final = ROLLUP_INSTANTS - {"start"}


def _selected() -> str:
    # NULL comes out as the least integer, which numpy reads as NaT: a copy less than a mask
    return ", ".join(
        f"coalesce(epoch_us(r.{name}), -9223372036854775808) AS {name}" if name in _NULLABLE else f"r.{name}"
        for name in _STORED
    )


_FIELDS: Final = _selected()


def table_of(grain: Period) -> str:
    """Return the table of a grain; raise InputError for one that is not kept."""
    if grain not in TABLE:
        raise InputError(f"roll-ups by {grain} are not kept", remedy="ask for hour or day")
    return TABLE[grain]


class DuckDBRollUps:
    """The roll-up half of the store; `load` is called whenever the file was opened."""

    def __init__(self, file: DuckDBFile) -> None:
        self._file = file
        self._writing = threading.Lock()

    def load(self, cursor: Cursor) -> None:
        """Load the numbers of the series and how far each is rolled up."""
        keys = cursor.execute("SELECT point, register FROM rolled ORDER BY number").fetchall()
        self._series = Numbers(SeriesKey(*key) for key in keys)
        self._marks = {grain: _marks(cursor, table) for grain, table in TABLE.items()}

    def extent(self) -> Extent:
        """Return what there is of roll-ups."""
        with self._file.reading() as cursor:
            return extent(cursor, TABLE.values(), "start", self._series)

    def write(self, grain: Period, rollup: RollUp) -> None:
        """Store these periods in the place of those that were there, in one transaction."""
        table = table_of(grain)
        if not len(rollup):
            return
        with self._writing, self._file.writing() as cursor:
            numbers, new = self._series.propose(rollup.series)
            if new:
                self._name(cursor, new)
            rows = _last(rollup, numbers[rollup.code])
            series = numbers[rows.code]
            self._clear(cursor, table, series, rows, self._marks[grain])
            append(cursor, table, {"series": series, **{name: getattr(rows, name) for name in _STORED}})
            cursor.commit()
            self._marks[grain].note(ranges(series, rows.start))

    def _name(self, cursor: Cursor, new: list[SeriesKey]) -> None:
        columns: Columns = {
            "number": np.arange(len(self._series), len(self._series) + len(new), dtype=np.int32),
            "point": [key.meter for key in new],
            "register": [key.register for key in new],
        }
        append(cursor, "rolled", columns)
        self._series.add(new)

    def _clear(self, cursor: Cursor, table: str, series: Codes, rows: RollUp, marks: Marks) -> None:
        """Remove the periods that are written again."""
        old = ~marks.beyond(series, rows.start)
        if not old.any():
            return
        again, start = series[old], rows.start[old]
        lend(cursor, "again", {"series": again, "start": start})
        cursor.execute(
            f"DELETE FROM {table} r USING again a WHERE r.series = a.series AND r.start = a.start "  # noqa: S608 - names of ours; values are bound or checked
            f"AND {restrict(again, 'r.series')} AND r.start BETWEEN make_timestamp($1) AND make_timestamp($2)",
            [clamp(start.min()), clamp(start.max())],
        )

    def read(self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> RollUp:
        """Return the stored periods that start in [start, end), by series as asked and start."""
        table = table_of(grain)
        asked = tuple(dict.fromkeys(series))
        with self._file.reading() as cursor:
            found = fetch_series(
                cursor,
                f"SELECT r.series, {_FIELDS} FROM {table} r",  # noqa: S608 - our own names
                self._series.find(asked),
                "r.start >= make_timestamp($1) AND r.start < make_timestamp($2)",
                [clamp(start), clamp(end)],
                order=["start"],
            )
        columns = {name: found[name] for name in _STORED}
        instants = {name: found[name].astype("datetime64[us]", copy=False) for name in ROLLUP_INSTANTS}
        return RollUp(series=asked, code=found["place"], **{**columns, **instants})


def _marks(cursor: Cursor, table: str) -> Marks:
    query = f"SELECT series, min(start) AS since, max(start) AS until FROM {table} GROUP BY series"  # noqa: S608 - names of ours; values are bound or checked
    found = fetch(cursor, query)
    marks = Marks(np.empty(0, np.int64), np.empty(0, np.int64))
    marks.note(Ranges(found["series"], found["since"].astype(np.int64), found["until"].astype(np.int64)))
    return marks


def _last(rollup: RollUp, series: Codes) -> RollUp:
    """Return the periods ordered by series and start; of two of the same the later in order stays."""
    order = np.lexsort((rollup.start, series))
    code, start = series[order], rollup.start[order]
    last = np.ones(len(order), bool)
    last[:-1] = (code[1:] != code[:-1]) | (start[1:] != start[:-1])
    if last.all() and (order[1:] > order[:-1]).all():
        return rollup
    return rollup.take(order[last])
