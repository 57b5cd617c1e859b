"""All that the embedded store holds, and another store's holdings put into it as they are."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from core.archive import Extent
from core.calendar import micros
from core.ports import Touched
from core.readings import SeriesKey
from storage.duckdb_tables import Cursor, fetch
from storage.readings_index import Numbers, Ranges

KEPT: Final = ("reading", "revision", "withdrawn")


def extent(cursor: Cursor, tables: Iterable[str], column: str, series: Numbers[SeriesKey]) -> Extent:
    """Return the series, and the first and last instant of a column in these tables."""
    parts = [f"SELECT min({column}) AS since, max({column}) AS until FROM {table}" for table in tables]  # noqa: S608 - names of ours
    found = fetch(cursor, f"SELECT min(since) AS since, max(until) AS until FROM ({' UNION ALL '.join(parts)})")  # noqa: S608 - same
    first, last = (found[name].astype("datetime64[us]")[0] for name in ("since", "until"))
    return Extent(series=() if np.isnat(first) else tuple(series.keys), first=first, last=last)


def ranges_of(touched: Touched, series: Numbers[SeriesKey]) -> Ranges:
    """Return told ranges by number, without those of series that nothing is kept of."""
    numbers = series.find(touched.series)
    known = numbers >= 0
    return Ranges(numbers[known], micros(touched.first)[known], micros(touched.last)[known])


def whole(cursor: Cursor) -> Ranges:
    """Return the range of all readings of each series."""
    found = fetch(cursor, "SELECT series, min(instant) AS since, max(instant) AS until FROM reading GROUP BY series")
    return Ranges(found["series"], micros(found["since"]), micros(found["until"]))
