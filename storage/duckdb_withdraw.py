"""Readings of one source out of the embedded store again, kept aside, and what they replaced back in."""

from typing import Final, NamedTuple

import numpy as np

from core.calendar import micros
from storage.duckdb_tables import Cursor, clamp, fetch, lend
from storage.readings_index import Ranges

_COLUMNS: Final = "series, instant, value, kind, quality, span_s, received, source"
_NEVER: Final = np.iinfo(np.int64)


class Taken(NamedTuple):
    """What was taken out: readings, rows with revisions, the ranges touched, and what is left of their series."""

    readings: int
    rows: int
    touched: Ranges
    left: Ranges


def withdraw(
    cursor: Cursor, source: int, series: np.typing.NDArray[np.int32], start: np.datetime64, end: np.datetime64
) -> Taken:
    """Take a source's readings (by its number) out of series (by theirs) in [start, end), in the open transaction."""
    if source < 0 or not len(series):
        return _nothing()
    lend(cursor, "meant", {"series": series})
    inside = (
        f"source = {source} AND series IN (SELECT series FROM meant) "  # noqa: S608 - a number of ours
        f"AND instant >= make_timestamp({clamp(start)}) AND instant < make_timestamp({clamp(end)})"
    )
    for table in ("reading", "revision"):
        cursor.execute(f"INSERT INTO withdrawn BY NAME SELECT {_COLUMNS} FROM {table} WHERE {inside}")  # noqa: S608 - a number of ours
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE gone AS SELECT series, instant FROM reading WHERE {inside}")  # noqa: S608 - same
    cursor.execute(f"DELETE FROM reading WHERE {inside}")  # noqa: S608 - same
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE lost AS SELECT series, instant FROM revision WHERE {inside}")  # noqa: S608 - same
    cursor.execute(f"DELETE FROM revision WHERE {inside}")  # noqa: S608 - same
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE back AS SELECT {_COLUMNS}, rowid AS place FROM revision "  # noqa: S608 - names of columns
        "SEMI JOIN gone USING (series, instant) "
        "QUALIFY row_number() OVER (PARTITION BY series, instant ORDER BY received DESC, rowid DESC) = 1"
    )
    cursor.execute("DELETE FROM revision WHERE rowid IN (SELECT place FROM back)")
    cursor.execute(f"INSERT INTO reading BY NAME SELECT {_COLUMNS} FROM back")  # noqa: S608 - names of columns
    touched = _ranges(cursor, "SELECT * FROM gone UNION ALL SELECT * FROM lost")
    count = int(fetch(cursor, "SELECT count(*) AS n FROM gone")["n"][0])
    return Taken(
        count, count + int(fetch(cursor, "SELECT count(*) AS n FROM lost")["n"][0]), touched, _left(cursor, touched)
    )


def _nothing() -> Taken:
    none = Ranges(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Taken(0, 0, none, none)


def _ranges(cursor: Cursor, rows: str) -> Ranges:
    found = fetch(
        cursor,
        f"SELECT series, min(instant) AS since, max(instant) AS until FROM ({rows}) GROUP BY series ORDER BY series",  # noqa: S608 - queries of ours
    )
    return Ranges(found["series"], micros(found["since"]), micros(found["until"]))


def _left(cursor: Cursor, touched: Ranges) -> Ranges:
    """Return the ranges of what is stored of the touched series now; last before first where nothing is."""
    lend(cursor, "changed", {"series": touched.series})
    found = _ranges(cursor, "SELECT series, instant FROM reading SEMI JOIN changed USING (series)")
    first, last = np.full(len(touched.series), _NEVER.max), np.full(len(touched.series), _NEVER.min)
    place = np.searchsorted(touched.series, found.series)
    first[place], last[place] = found.first, found.last
    return Ranges(touched.series, first, last)
