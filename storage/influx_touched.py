"""What was written when, as points that the server dates; several processes write it and read it."""

import time
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from core.calendar import Longs
from core.readings import SeriesKey
from storage.influx_lines import touched_line
from storage.influx_select import KEYED, keys_of, nanoseconds
from storage.influx_server import InfluxServer

HOUR_US: Final = 3_600_000_000
QUIET_S: Final = 20.0
"""A range that was logged so lately is not logged again."""

OVERLAP_US: Final = 60_000_000
"""Told again with each token: what was logged before it may cover readings that were written after it.

Longer than QUIET_S and the time that one write takes together.
"""
_REMEMBERED: Final = 100_000


class Told(NamedTuple):
    """Ranges [us since 1970] of series, and the token to hear more."""

    token: str
    series: tuple[SeriesKey, ...]
    first: Longs
    last: Longs


class TouchedPoints:
    """Logs written ranges, widened to hours so that the readings of an hour need one entry in 20 s."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self._logged: dict[tuple[SeriesKey, int, int], float] = {}

    def log(self, series: list[SeriesKey], first: Longs, last: Longs) -> None:
        """Log ranges that are about to be written; a crash after it tells too much, never too little."""
        now = time.monotonic()
        since, until = (first // HOUR_US) * HOUR_US, (last // HOUR_US + 1) * HOUR_US - 1
        entries = list(zip(series, since.tolist(), until.tolist(), strict=True))
        new = [entry for entry in entries if now - self._logged.get(entry, -QUIET_S) >= QUIET_S]
        if not new:
            return
        self._server.write([touched_line(*entry) for entry in new])
        if len(self._logged) > _REMEMBERED:
            self._logged = {entry: at for entry, at in self._logged.items() if now - at < QUIET_S}
        self._logged.update(dict.fromkeys(new, now))

    def since(self, after: str) -> Told:
        """Return what was logged since a token, less the overlap; all that is stored for no token or a strange one."""
        known = int(after) if after.isascii() and after.isdecimal() else 0
        if not known:
            return self._stored()
        answer = self._server.query(
            "SELECT meter, register, first, last FROM touched "  # noqa: S608 - a number of ours
            f"WHERE time > {nanoseconds(known - OVERLAP_US)} GROUP BY meter, register",
            {**KEYED, "first": pa.int64(), "last": pa.int64()},
        )
        keys, code = keys_of(answer)
        first, last = np.full(len(keys), np.iinfo(np.int64).max), np.full(len(keys), np.iinfo(np.int64).min)
        np.minimum.at(first, code, answer.columns["first"])
        np.maximum.at(last, code, answer.columns["last"])
        newest = int(answer.columns["time"].max(initial=known))
        return Told(str(max(newest, answer.now_us)), tuple(keys), first, last)

    def _stored(self) -> Told:
        """Return the whole range of every series: it covers all that was ever written, without a log without end."""
        first_of, now_us = self._extreme("first")
        last_of, _ = self._extreme("last")
        keys = tuple(first_of)
        last = [max(last_of.get(key, at), at) for key, at in first_of.items()]
        return Told(str(now_us or 1), keys, np.array(list(first_of.values()), np.int64), np.array(last, np.int64))

    def _extreme(self, pick: str) -> tuple[dict[SeriesKey, int], int]:
        answer = self._server.query(
            f"SELECT {pick}(value) AS value, meter, register FROM reading GROUP BY meter, register",  # noqa: S608 - names of ours; values are bound or checked
            KEYED,
        )
        keys, _ = keys_of(answer)
        return dict(zip(keys, answer.columns["time"].tolist(), strict=True)), answer.now_us
