"""Tables of the embedded store, and columns in and out of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.errors import StoreError
from core.readings import Codes

VERSION: Final = 1

_READING: Final = (
    "series INTEGER, instant TIMESTAMP, value DOUBLE, kind UTINYINT, quality UTINYINT, span_s BIGINT, "
    "received TIMESTAMP, source INTEGER"
)
_ROLLUP: Final = (
    "series INTEGER, start TIMESTAMP, span_s BIGINT, nano BIGINT, missing_s BIGINT, estimated_s BIGINT, "
    "gap_until TIMESTAMP, gap_since TIMESTAMP, first_at TIMESTAMP, last_at TIMESTAMP"
)
# No primary keys on what grows: DuckDB appends seven times faster without, in an eighth of the space.
TABLES: Final = {
    "store_version": "version INTEGER",
    "series": "number INTEGER, meter VARCHAR, register VARCHAR",
    "source": "number INTEGER, name VARCHAR",
    "reading": _READING,
    "revision": _READING,
    "withdrawn": _READING,
    "touched": "token BIGINT, noted TIMESTAMP, series INTEGER, since TIMESTAMP, until TIMESTAMP",
    "rolled": "number INTEGER, point VARCHAR, register VARCHAR",
    "hourly": _ROLLUP,
    "daily": _ROLLUP,
    "probe": "count BIGINT",
}

FEW: Final = 32
"""Series that are named one by one; a longer list costs more than it skips."""

Columns = Mapping[str, npt.NDArray[Any] | Sequence[str] | Sequence[int]]
Cursor = duckdb.DuckDBPyConnection


def prepare(cursor: Cursor) -> None:
    """Make the tables that are missing; raise StoreError for a file that a newer version wrote."""
    for name, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    found = cursor.execute("SELECT max(version) FROM store_version").fetchone()
    if found is None or found[0] is None:
        cursor.execute("INSERT INTO store_version VALUES (?)", [VERSION])
    elif found[0] > VERSION:
        raise StoreError(f"the store has version {found[0]}, this program knows {VERSION}; install the newer program")


def lend(cursor: Cursor, name: str, columns: Columns) -> None:
    """Let queries of this cursor see columns as a table."""
    arrays = {
        key: pa.array(np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column)
        for key, column in columns.items()
    }
    cursor.register(name, pa.table(arrays))


def append(cursor: Cursor, table: str, columns: Columns) -> None:
    """Append rows, columns by name."""
    lend(cursor, "incoming", columns)
    cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")  # noqa: S608 - a name of TABLES
    cursor.unregister("incoming")


def fetch(cursor: Cursor, query: str, params: Sequence[int] = ()) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a query's result; instants as datetime64[us]."""
    table = cursor.sql(query, params=list(params)).to_arrow_table()
    return {name: _column(table.column(name)) for name in table.column_names}


def _column(chunks: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(chunks.to_numpy())


def fetch_series(
    cursor: Cursor, select: str, asked: Codes, condition: str, params: Sequence[int], *, order: Sequence[str]
) -> dict[str, npt.NDArray[Any]]:
    """Return the rows of the asked series, numbers or -1, with their `place` in the asking, ordered by it.

    `select` names `series` and reads the table r. A plain filter keeps the rows in the order in which they were
    written, mostly the one wanted, where a join or a sort would cost more than all the rest.
    """
    places = np.flatnonzero(asked >= 0).astype(np.int32)
    numbers = asked[places]
    query = f"{select} WHERE {restrict(numbers, 'r.series')} AND {condition}"
    if len(numbers) > FEW and len(numbers) * 2 < int(numbers.max()) - int(numbers.min()):
        lend(cursor, "asked", {"series": numbers})
        query += " AND r.series IN (SELECT series FROM asked)"
    found = fetch(cursor, query, params)
    place = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int32)
    place[numbers] = places
    found["place"] = place[found["series"]]
    unasked = found["place"] < 0
    if unasked.any():
        found = {name: column[~unasked] for name, column in found.items()}
    return in_order(found, "place", *order)


def in_order(found: dict[str, npt.NDArray[Any]], *keys: str) -> dict[str, npt.NDArray[Any]]:
    """Return rows ordered by these columns; most are already, and then cost a glance instead of a sort."""
    risen = np.ones(max(len(found[keys[0]]) - 1, 0), bool)
    for key in reversed(keys):
        column = found[key]
        risen = (column[1:] > column[:-1]) | ((column[1:] == column[:-1]) & risen)
    if risen.all():
        return found
    order = np.lexsort([found[key] for key in reversed(keys)])
    return {name: column[order] for name, column in found.items()}


def restrict(series: Codes, name: str = "series") -> str:
    """Return a condition that lets DuckDB skip blocks of other series."""
    if len(series) <= FEW:
        return f"{name} IN ({', '.join(map(str, series.tolist())) or '-1'})"
    return f"{name} BETWEEN {series.min()} AND {series.max()}"


def clamp(at: np.datetime64) -> int:
    """Return an instant as microseconds, kept to what DuckDB's TIMESTAMP holds (to the year 294246)."""
    stamp = int(at.astype("datetime64[us]").astype(np.int64))
    return max(-9_200_000_000_000_000_000, min(9_200_000_000_000_000_000, stamp))
