"""Wall times of tables to instants: the order of the rows tells the two runs of the hour that autumn repeats.

Systems write the ends of quarter-hours in two ways where clocks change: as the wall shows them (01:45, 03:00 in spring;
02:45, 02:00 in autumn), or as the begin on the wall plus a quarter-hour (01:45, 02:00; 03:00, 02:15). Both are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Codes
from ingest.instants import EPOCH, MICROSECOND, NAIVE_EPOCH, QUARTER_HOUR_US
from ingest.reading_tables_times import DAY_US

HOUR_US: Final = 3_600_000_000
_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Instants [µs], which lie in the repeated hour without a word of which run, and which did not exist."""

    us: Longs
    ambiguous: Bools
    gone: Bools


def folds(wall_us: Longs, tz: ZoneInfo) -> tuple[Longs, Longs]:
    """Return both readings of each wall time; the first is later where the time did not exist.

    Looked up once a quarter-hour, because clocks change on one.
    """
    quarters, back = np.unique(wall_us // QUARTER_HOUR_US, return_inverse=True)
    starts = [NAIVE_EPOCH + timedelta(microseconds=q * QUARTER_HOUR_US) for q in quarters.tolist()]
    shifts = [
        [(s.replace(tzinfo=tz, fold=f).utcoffset() or timedelta()) // MICROSECOND for f in (0, 1)] for s in starts
    ]
    shift = np.array(shifts, np.int64).reshape(-1, 2)[back]
    return wall_us - shift[:, 0], wall_us - shift[:, 1]


def resolve(wall_us: Longs, series: Codes, tz: ZoneInfo, *, end_of_us: int = 0) -> Resolved:
    """Return the instants of wall times in the order of their rows; `series` tells rows of one meter.

    `end_of_us` is the length of the periods of which these are the ends, 0 where they are not.
    """
    if end_of_us and end_of_us < DAY_US and _by_begin(wall_us, series, tz):
        begun = resolve(wall_us - end_of_us, series, tz)
        return Resolved(us=begun.us + end_of_us, ambiguous=begun.ambiguous, gone=begun.gone)
    first, second = folds(wall_us, tz)
    us, unsure = first.copy(), np.zeros(len(wall_us), bool)
    twice = np.flatnonzero(first < second)
    for rows in _runs(twice, series, wall_us):
        late = _second_run(wall_us[rows])
        us[rows[late]] = second[rows[late]]
        unsure[rows] = not late.any()
    return Resolved(us=us, ambiguous=unsure, gone=first > second)


def _runs(twice: Longs, series: Codes, wall_us: Longs) -> list[Longs]:
    """Return the rows of the repeated hour, by series and day, in the order of the file turned to ascend."""
    if not len(twice):
        return []
    keys = series[twice].astype(np.int64) * 100_000 + wall_us[twice] // DAY_US
    groups = [twice[keys == key] for key in np.unique(keys).tolist()]
    return [rows[::-1] if _descends(rows, series, wall_us) else rows for rows in groups]


def _descends(rows: Longs, series: Codes, wall_us: Longs) -> bool:
    """Return whether the table runs backwards around these rows."""
    mine = np.flatnonzero(series == series[rows[0]])
    near = mine[(mine >= rows[0] - 200) & (mine <= rows[-1] + 200)]
    steps = np.diff(wall_us[near])
    return bool((steps < 0).sum() > (steps > 0).sum())


def _second_run(wall: Longs) -> Bools:
    """Return which wall times of one repeated hour, in order, are of its second run: from the first fall on."""
    fallen = np.zeros(len(wall), bool)
    fallen[1:] = np.maximum.accumulate(wall[1:] <= wall[:-1])
    return fallen


def _by_begin(wall_us: Longs, series: Codes, tz: ZoneInfo) -> bool:
    """Return whether the ends were made by adding the step to the begin on the wall."""
    for day, spring in changes(wall_us, tz):
        begin, end = day
        if spring and (wall_us == begin).any() and not (wall_us == end).any():
            return True
        at_end = series[wall_us == end]
        if not spring and len(at_end) and np.bincount(at_end).max() > 1:
            return True
    return False


def changes(wall_us: Longs, tz: ZoneInfo) -> list[tuple[tuple[int, int], bool]]:
    """Return the wall times between which clocks change on the days of a table, and whether they go forward."""
    days = np.unique(wall_us // DAY_US).tolist()
    found = []
    for day in days:
        start = date(1970, 1, 1) + timedelta(days=day)
        edges = [_offset(start + timedelta(days=n), tz) for n in (0, 1)]
        if edges[0] != edges[1]:
            found.append((_change(start, tz), edges[1] > edges[0]))
    return found


def _offset(day: date, tz: ZoneInfo) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    return (midnight.utcoffset() or timedelta()) // MICROSECOND


def _change(day: date, tz: ZoneInfo) -> tuple[int, int]:
    """Return the wall times that enclose the skipped or repeated time of a day."""
    begin = datetime(day.year, day.month, day.day, tzinfo=tz)
    midnight = (begin - EPOCH) // MICROSECOND
    before, after = _offset(day, tz), _offset(day + timedelta(days=1), tz)
    low, high = midnight, midnight + DAY_US + HOUR_US
    while high - low > _SECOND_US:
        middle = (low + high) // 2
        at = (EPOCH + timedelta(microseconds=middle)).astimezone(tz)
        low, high = (middle, high) if (at.utcoffset() or timedelta()) // MICROSECOND == before else (low, middle)
    change = high // _MINUTE_US * _MINUTE_US  # clocks change on a whole minute, less than a second before
    walls = sorted((change + before, change + after))
    return walls[0], walls[1]


def midnights(days: Sequence[date], tz: ZoneInfo) -> Longs:
    """Return the first instants [µs] of local days, each looked up once."""
    distinct = {day: (datetime(day.year, day.month, day.day, tzinfo=tz) - EPOCH) // MICROSECOND for day in set(days)}
    return np.array([distinct[day] for day in days], np.int64)
