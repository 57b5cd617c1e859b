"""Acceptance: bounds of value and time, and what a retained replay may still say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from core.calendar import Instants, micros
from core.readings import VALUE_LIMIT, Quality, Readings, SeriesKey
from ingest.message import Message
from ingest.profile import Decoded, Ignored, Reject

EARLIEST: Final = np.datetime64("2000-01-01T00:00:00", "us")
Latest = Callable[[Sequence[SeriesKey]], Readings]
"""Returns the newest stored reading of each of these series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a reading may be: no instant before 2000, none later than `ahead` after now, no value beyond the limit."""

    ahead: timedelta = timedelta(hours=1)
    value_limit: float = VALUE_LIMIT


def accept(
    decoded: Decoded, messages: Sequence[Message], *, now: np.datetime64, latest: Latest, bounds: Bounds
) -> Decoded:
    """Return what may be stored of what was decoded; the rest becomes rejects and ignored messages.

    `latest` is asked only for series of retained messages, and may raise StoreUnavailable.
    """
    readings = decoded.readings
    wild = ~(np.abs(readings.value) <= bounds.value_limit)
    early = readings.at < EARLIEST
    late = readings.at > now + np.timedelta64(bounds.ahead // timedelta(microseconds=1), "us")
    bad = wild | early | late
    rejects = list(decoded.rejects)
    rejects += [_reject(decoded, row, wild=bool(wild[row]), now=now) for row in np.flatnonzero(bad).tolist()]
    kept = replace(decoded, rejects=tuple(rejects)).take(~bad) if bad.any() else decoded
    if any(m.retained for m in messages):
        kept = _newer(kept, messages, latest)
    return kept


def _reject(decoded: Decoded, row: int, *, wild: bool, now: np.datetime64) -> Reject:
    readings, message = decoded.readings, int(decoded.message[row])
    number = int(decoded.row[row])
    if wild:
        return Reject(
            message,
            decoded.place(number, "value"),
            "value_out_of_bounds",
            f"{readings.value[row]} is beyond {VALUE_LIMIT:g}",
        )
    where, at = decoded.place(number, "at"), readings.at[row].astype("datetime64[s]")
    if readings.at[row] < EARLIEST:
        return Reject(message, where, "time_out_of_bounds", f"{at}Z is before 2000: the meter's clock is not set")
    ahead = f"{at}Z is ahead of its arrival at {now.astype('datetime64[s]')}Z: check clock and zone of the meter"
    return Reject(message, where, "time_out_of_bounds", ahead)


def _newer(decoded: Decoded, messages: Sequence[Message], latest: Latest) -> Decoded:
    """Keep of retained messages only readings with a device time newer than the newest stored."""
    readings = decoded.readings
    retained = np.array([m.retained for m in messages], bool)
    replayed = retained[decoded.message]
    named = [readings.series[c] for c in np.unique(readings.code[replayed])]
    newest = _newest_by_code(readings, latest(named)) if named else np.empty(0, "datetime64[us]")
    own_time = (readings.quality & Quality.ARRIVAL_TIME) == 0
    fresh = ~replayed
    rows = np.flatnonzero(replayed & own_time)
    fresh[rows] = readings.at[rows] > newest[readings.code[rows]] if len(rows) else False
    kept = decoded.take(fresh)
    silent = set(np.unique(decoded.message[~fresh]).tolist()) - set(kept.message.tolist())
    told = {r.message for r in decoded.rejects}
    ignored = tuple(Ignored(m, "retained_old") for m in sorted(silent - told))
    return replace(kept, ignored=kept.ignored + ignored)


def _newest_by_code(readings: Readings, stored: Readings) -> Instants:
    """Return the newest stored instant of each series code, the earliest possible where nothing is stored."""
    newest = {stored.series[c]: at for c, at in zip(stored.code.tolist(), micros(stored.at).tolist(), strict=True)}
    lowest = int(micros(EARLIEST)) - 1
    return np.array([newest.get(key, lowest) for key in readings.series] or [lowest], np.int64).view("datetime64[us]")
