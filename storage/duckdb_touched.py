"""What was written when, in order, so that a reader hears of all that is new to it, also after a crash."""

from typing import Final

import numpy as np

from core.calendar import Instants, micros
from storage.duckdb_tables import Cursor, append, clamp, fetch
from storage.readings_index import Ranges

LONGEST: Final = 500_000
"""Entries of the log after which old ones are merged: some minutes of full load, some MB, read in milliseconds."""

RECENT: Final = np.timedelta64(600 * 1_000_000, "us")
"""What was noted so lately is never merged: a roll-up that runs each minute hears exact ranges."""


class TouchedLog:
    """The log of ranges, one entry a series and write; its tokens are the numbers of the writes."""

    def __init__(self) -> None:
        self._token = 0
        self._entries = 0
        self._limit = LONGEST

    def load(self, cursor: Cursor) -> None:
        """Learn where the log stands."""
        found = fetch(cursor, "SELECT coalesce(max(token), 0) AS token, count(*) AS entries FROM touched")
        self._token, self._entries = int(found["token"][0]), int(found["entries"][0])

    def note(self, cursor: Cursor, written: Ranges, now: np.datetime64) -> None:
        """Append the ranges of one write, in its transaction."""
        count = len(written.series)
        columns = {
            "token": np.full(count, self._token + 1),
            "noted": np.full(count, now),
            "series": written.series,
            "since": _instants(written.first),
            "until": _instants(written.last),
        }
        append(cursor, "touched", columns)
        self._token += 1
        self._entries += count
        if self._entries > self._limit:
            self._merge(cursor, now)

    def _merge(self, cursor: Cursor, now: np.datetime64) -> None:
        """Merge what was noted in each past hour to one entry a series, told to all who ask for any of it.

        The merged entry has the newest token of its parts, so a reader hears of a wider range rather than of none.
        """
        limit = [clamp(np.datetime64(now - RECENT))]
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE older AS SELECT max(token) AS token, max(noted) AS noted, series, "
            "min(since) AS since, max(until) AS until FROM touched WHERE noted < make_timestamp($1) "
            "GROUP BY series, date_trunc('hour', noted)",
            limit,
        )
        cursor.execute("DELETE FROM touched WHERE noted < make_timestamp($1)", limit)
        cursor.execute("INSERT INTO touched BY NAME FROM older")
        self._entries = int(fetch(cursor, "SELECT count(*) AS entries FROM touched")["entries"][0])
        self._limit = max(LONGEST, 2 * self._entries)

    def since(self, cursor: Cursor, after: str) -> tuple[str, Ranges]:
        """Return the newest token and the ranges noted after a token, one a series.

        A token that this log never gave (of another store, or of one set back to a backup) is taken as none.
        """
        newest = int(fetch(cursor, "SELECT coalesce(max(token), 0) AS token FROM touched")["token"][0])
        known = int(after) if after.isascii() and after.isdecimal() else 0
        found = fetch(
            cursor,
            "SELECT series, min(since) AS since, max(until) AS until FROM touched "
            "WHERE token > $1 AND token <= $2 GROUP BY series ORDER BY series",
            [known if known <= newest else 0, newest],
        )
        return str(newest), Ranges(found["series"], micros(found["since"]), micros(found["until"]))


def _instants(stamps: np.typing.NDArray[np.int64]) -> Instants:
    return stamps.astype("datetime64[us]")
