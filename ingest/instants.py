"""Times as payloads write them, to instants; in bulk.

A text is ISO 8601, with an offset or naive; a number is unix time in s, ms, µs or ns, told by its size: the
plausible years 2000 to 2100 lie apart in the four.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import NAT, Bools, Longs, resolve_local

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are counted from it
MICROSECOND: Final = timedelta(microseconds=1)
YEAR_2000_S: Final = 946_684_800
YEAR_2100_S: Final = 4_102_444_800
UNIX_UNITS: Final = ((1, 1_000_000, 1), (1000, 1000, 1), (1_000_000, 1, 1), (1_000_000_000, 1, 1000))
"""Ticks in a second, and the factor and divisor that make them microseconds."""

QUARTER_HOUR_US: Final = 900_000_000
CLOCK_TOLERANCE_US: Final = 600_000_000  # a wall time this far after its arrival is of the hour before
REMEMBERED_SERIES: Final = 200_000
_NUMBER: Final = re.compile(r"[+-]?\d{1,19}(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """Times of a column: `us` since 1970, of UTC or, where `naive`, of the wall; `absent` where there was none.

    `faults` tells by index why a time cannot be read (its `us` is 0).
    """

    us: Longs
    naive: Bools
    absent: Bools
    faults: Mapping[int, str]


def from_text(text: str) -> tuple[int, bool]:
    """Return the microseconds and whether they are of the wall; raise ValueError for what is no time."""
    word = text.strip()
    if _NUMBER.fullmatch(word):
        return from_unix(float(word) if "." in word else int(word)), False
    stamp = datetime.fromisoformat(word)
    if stamp.tzinfo is None:
        return (stamp - NAIVE_EPOCH) // MICROSECOND, True
    return (stamp - EPOCH) // MICROSECOND, False


def from_unix(number: float) -> int:
    """Return the microseconds of unix time in s, ms, µs or ns; raise ValueError outside 2000 to 2100."""
    for ticks, factor, divisor in UNIX_UNITS:
        if YEAR_2000_S * ticks <= number < YEAR_2100_S * ticks:
            if isinstance(number, int):
                return number * factor // divisor
            return round(number * factor / divisor)
    raise ValueError(f"{number!r} is no unix time between 2000 and 2100 in s, ms, µs or ns")


def stamps(column: Sequence[Any]) -> Stamps:
    """Return the times of a column of texts, numbers and None."""
    kinds = set(map(type, column))
    count = len(column)
    absent, naive = np.zeros(count, bool), np.zeros(count, bool)
    faults: dict[int, str] = {}
    if kinds == {int}:
        us = _whole_seconds(column)
        if us is not None:
            return Stamps(us=us, naive=naive, absent=absent, faults=faults)
    known, wrong = _distinct(column, kinds)
    us = np.fromiter([known[at][0] for at in map(_key, column)], np.int64, count)
    if any(flag for _, flag in known.values()):
        naive = np.fromiter([known[at][1] for at in map(_key, column)], bool, count)
    if type(None) in kinds:
        absent = np.fromiter([at is None for at in column], bool, count)
    if wrong:
        faults = {i: wrong[key] for i, key in enumerate(map(_key, column)) if key in wrong}
    return Stamps(us=us, naive=naive, absent=absent, faults=faults)


def _whole_seconds(column: Sequence[int]) -> Longs | None:
    """Return whole unix times of one unit in microseconds, None where they are mixed or out of range."""
    try:
        ticks = np.array(column, np.int64)
    except OverflowError:
        return None
    for scale, factor, divisor in UNIX_UNITS:
        if YEAR_2000_S * scale <= ticks.min() and ticks.max() < YEAR_2100_S * scale:
            return ticks * factor // divisor
    return None


def _key(at: object) -> object:
    """Return what a time is known by: True is not 1, and a list has no hash."""
    return at if type(at) in {str, int, float, type(None)} else (type(at).__name__, repr(at)[:80])


def _distinct(column: Sequence[Any], kinds: set[type]) -> tuple[dict[object, tuple[int, bool]], dict[object, str]]:
    """Return microseconds and nakedness of each distinct time, and why the unreadable ones are."""
    known: dict[object, tuple[int, bool]] = {None: (0, False)}
    wrong: dict[object, str] = {}
    distinct = set(column) if kinds <= {str, int, float, type(None)} else set(map(_key, column))
    for at in distinct - {None}:
        known[at] = (0, False)
        try:
            if isinstance(at, str):
                known[at] = from_text(at)
            elif isinstance(at, int | float):
                known[at] = (from_unix(at), False)
            else:
                wrong[at] = "a time is a text or a number"
        except (ValueError, OverflowError) as err:
            wrong[at] = str(err)[:200]
    return known, wrong


class WallClock:
    """Resolves naive wall times of many series in one zone.

    In the repeated hour a time that would lie after its own arrival is of the hour before; else the order of arrival of
    the series tells, which is remembered from batch to batch. What neither tells is ambiguous.
    """

    def __init__(self, tz: ZoneInfo) -> None:
        self._tz = tz
        self._newest: dict[object, np.datetime64] = {}

    def resolve(self, wall_us: Longs, series: Sequence[object], received_us: Longs) -> tuple[Longs, Bools, Bools]:
        """Return the instants [µs], which of them are ambiguous, and which wall times did not exist (0)."""
        first, second = self._folds(wall_us)
        gone, twice = first > second, first < second
        us = np.where(gone, 0, first)
        unsure = np.zeros(len(us), bool)
        open_hour = twice & (second <= received_us + CLOCK_TOLERANCE_US)
        repeating = {series[i] for i in np.flatnonzero(twice).tolist()}
        in_order = np.array([key in repeating for key in series], bool) & ~gone
        for i in np.flatnonzero(in_order).tolist():
            if open_hour[i]:
                us[i], unsure[i] = self._by_order(wall_us[i], series[i])
            self._remember(series[i], us[i])
        self._remember_last(us, series, in_order | gone)
        return us, unsure, gone

    def _folds(self, wall_us: Longs) -> tuple[Longs, Longs]:
        """Return both readings of each wall time, found once a quarter-hour: clocks change on one."""
        quarters, back = np.unique(wall_us // QUARTER_HOUR_US, return_inverse=True)
        starts = [NAIVE_EPOCH + timedelta(microseconds=int(q) * QUARTER_HOUR_US) for q in quarters]
        offsets = [
            [(s.replace(tzinfo=self._tz, fold=fold).utcoffset() or timedelta()) // MICROSECOND for fold in (0, 1)]
            for s in starts
        ]
        shift = np.array(offsets, np.int64).reshape(-1, 2)[back]
        return wall_us - shift[:, 0], wall_us - shift[:, 1]

    def _by_order(self, wall_us: np.int64, series: object) -> tuple[int, bool]:
        wall = np.array([wall_us], "datetime64[us]")
        after = self._newest.get(series, NAT)
        chosen, unsure, _ = resolve_local(wall, self._tz, after=after)
        return int(chosen[0].astype(np.int64)), bool(unsure[0])

    def _remember(self, series: object, us: np.int64) -> None:
        instant = np.datetime64(int(us), "us")
        if len(self._newest) >= REMEMBERED_SERIES:
            self._newest.clear()
        former = self._newest.get(series)
        self._newest[series] = instant if former is None else max(former, instant)

    def _remember_last(self, us: Longs, series: Sequence[object], but: Bools) -> None:
        """Remember the newest instant of each series of a batch."""
        newest: dict[object, int] = {}
        for key, at, skip in zip(series, us.tolist(), but.tolist(), strict=True):
            if not skip and at > newest.get(key, at - 1):
                newest[key] = at
        for key, at in newest.items():
            self._remember(key, np.int64(at))
