"""When the values of a table hold: instants of dials, ends and lengths of periods, row by row."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import Bools, Longs
from core.calendar import zone as zone_of
from core.reading_tables import Amount, DayAt, Layout, Stamp, TableMapping
from core.readings import Codes
from core.table_troubles import Trouble
from ingest.reading_tables_clock import midnights, resolve
from ingest.reading_tables_file import Grid
from ingest.reading_tables_notes import Notes
from ingest.reading_tables_times import DAY_US, Days, Moments, clocks, day_of, days_of, moments

STEPS_S: Final = (300, 600, 900, 1800, 3600, 86_400)
"""Lengths of periods that profiles have [s]."""

_OFFSETS: Final = {DayAt.START: 0, DayAt.NOON: DAY_US // 2, DayAt.END: DAY_US}
_MONTH_DAYS: Final = (28, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Of each row: the instant or end of the period [µs], its length [s] (0: a dial), if it is known, ambiguous."""

    at_us: Longs
    span_s: Longs
    good: Bools
    ambiguous: Bools


def when(grid: Grid, mapping: TableMapping, series: Codes, used: Bools, notes: Notes) -> When:
    """Return when the values of each used row hold; what cannot be told is noted."""
    tz = zone_of(mapping.zone)
    if mapping.period:
        return _of_periods(grid, mapping, tz, used, notes)
    if mapping.start and mapping.end:
        return _of_both(grid, mapping, tz, used, notes)
    if not mapping.time:
        notes.table(Trouble.TIME_COLUMN)
        return _nothing(grid.count)
    return _of_times(grid, mapping, series, used, notes)


def _of_times(grid: Grid, mapping: TableMapping, series: Codes, used: Bools, notes: Notes) -> When:
    tz, wall = zone_of(mapping.zone), walls(grid, mapping)
    good = _readable(grid, mapping.time, wall, used, notes)
    if wall.unsure and mapping.order is None:
        notes.table(Trouble.ORDER_UNSURE, mapping.time, value=wall.unsure)
        return _nothing(grid.count)
    if mapping.amount is Amount.DIAL or mapping.amount is None:
        return _dials(grid, mapping, wall, good, series, tz, notes)
    if wall.day_only[good].all():
        return _whole_days(grid, mapping, wall, good, tz, notes)
    return _steps(grid, mapping, wall, good, series, tz, notes)


def walls(grid: Grid, mapping: TableMapping) -> Moments:
    """Return the times of the column of times, with the time of day beside it where there is one."""
    found = moments(grid.column(mapping.time), mapping.order)
    if not mapping.clock:
        return found
    us, bad = clocks(grid.column(mapping.clock))
    alone = found.us // DAY_US * DAY_US
    return Moments(
        us=np.where(bad, found.us, alone + us),
        zoned=found.zoned,
        day_only=bad & found.day_only,
        empty=found.empty,
        bad=found.bad,
        unsure=found.unsure,
    )


def _nothing(count: int) -> When:
    none = np.zeros(count, np.int64)
    return When(at_us=none, span_s=none, good=np.zeros(count, bool), ambiguous=np.zeros(count, bool))


def _readable(grid: Grid, column: str, wall: Moments, used: Bools, notes: Notes) -> Bools:
    notes.cells(column, used & wall.empty, Trouble.TIME_EMPTY)
    notes.cells(column, used & wall.bad, Trouble.NO_TIME, grid.column(column))
    return np.asarray(used & ~wall.empty & ~wall.bad)


def _dials(  # noqa: PLR0917 - one step of one act, in one place
    grid: Grid, mapping: TableMapping, wall: Moments, good: Bools, series: Codes, tz: ZoneInfo, notes: Notes
) -> When:
    us = wall.us + np.where(wall.day_only, _OFFSETS[mapping.day_at], 0)
    return _resolved(grid, mapping, (us, wall.zoned, good), series, tz, notes, step_us=0)


def _resolved(  # noqa: PLR0917 - same
    grid: Grid,
    mapping: TableMapping,
    wall: tuple[Longs, Bools, Bools],
    series: Codes,
    tz: ZoneInfo,
    notes: Notes,
    *,
    step_us: int,
) -> When:
    """Return wall times as instants; `step_us` is the length of the periods that they end, 0 where they do not."""
    us, zoned, good = wall
    rows = np.flatnonzero(good & ~zoned)
    found = resolve(us[rows], series[rows], tz, end_of_us=step_us)
    at, ambiguous, gone = us.copy(), np.zeros(len(us), bool), np.zeros(len(us), bool)
    at[rows], ambiguous[rows], gone[rows] = found.us, found.ambiguous, found.gone
    notes.cells(mapping.time, gone, Trouble.TIME_SKIPPED, grid.column(mapping.time))
    return When(at_us=at, span_s=np.zeros(len(us), np.int64), good=good & ~gone, ambiguous=ambiguous & good)


def _steps(  # noqa: PLR0917 - same
    grid: Grid, mapping: TableMapping, wall: Moments, good: Bools, series: Codes, tz: ZoneInfo, notes: Notes
) -> When:
    """Return the periods of equal length that the times begin or end."""
    step_s = _step_of(wall.us[good], notes, mapping.time)
    if not step_s:
        return _nothing(grid.count)
    if mapping.stamp is None:
        notes.table(Trouble.STAMP_UNSURE, mapping.time)
        return _nothing(grid.count)
    step_us, ends = step_s * 1_000_000, mapping.stamp is Stamp.END
    made = _resolved(grid, mapping, (wall.us, wall.zoned, good), series, tz, notes, step_us=step_us if ends else 0)
    at = made.at_us if ends else made.at_us + step_us
    return When(at_us=at, span_s=np.full(len(at), step_s), good=made.good, ambiguous=made.ambiguous)


def _step_of(us: Longs, notes: Notes, column: str) -> int:
    """Return the length of the periods [s], 0 (noted) where the times do not tell it."""
    distances, counts = np.unique(np.diff(np.unique(us)), return_counts=True)
    usual = int(distances[np.argmax(counts)]) if len(distances) else 0
    step_s = usual // 1_000_000
    if step_s not in STEPS_S or (us % (step_s * 1_000_000)).any():
        notes.table(Trouble.STEP_UNSURE, column, value=f"{usual / 60e6:g} min")
        return 0
    return step_s


def _whole_days(  # noqa: PLR0917 - same
    grid: Grid, mapping: TableMapping, wall: Moments, good: Bools, tz: ZoneInfo, notes: Notes
) -> When:
    """Return the days or months that dates without a time of day stand for."""
    days = np.unique(wall.us[good] // DAY_US)
    apart = np.diff(days)
    if len(apart) and (apart == 1).sum() * 2 > len(apart):
        return _days(wall.us, wall.us, good, tz)
    dates = wall.us[good].astype("datetime64[us]").astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    at_begin, at_end = (
        (dates == months.astype("datetime64[D]")).all(),
        (dates + 1 == (months + 1).astype("datetime64[D]")).all(),
    )
    if not (at_begin or at_end) or not len(apart):
        notes.table(Trouble.STEP_UNSURE, mapping.time, value=f"{int(np.median(apart)) if len(apart) else 0} d")
        return _nothing(grid.count)
    if at_begin and mapping.stamp is None:
        notes.table(Trouble.STAMP_UNSURE, mapping.time)
        return _nothing(grid.count)
    every = wall.us.astype("datetime64[us]").astype("datetime64[M]")
    first = every - 1 if at_begin and mapping.stamp is Stamp.END else every
    last = (first + 1).astype("datetime64[D]") - 1
    begin_us, last_us = (d.astype("datetime64[us]").astype(np.int64) for d in (first, last))
    return _days(begin_us, last_us, good, tz)


def _days(first_us: Longs, last_us: Longs, good: Bools, tz: ZoneInfo) -> When:
    """Return the periods from the first to the last day, both in them (wall midnights [µs])."""
    rows = np.flatnonzero(good)
    begin, at = np.zeros(len(good), np.int64), np.zeros(len(good), np.int64)
    begin[rows] = midnights([day_of(us) for us in first_us[rows].tolist()], tz)
    at[rows] = midnights([day_of(us) + timedelta(days=1) for us in last_us[rows].tolist()], tz)
    return When(at_us=at, span_s=(at - begin) // 1_000_000, good=good, ambiguous=np.zeros(len(good), bool))


def _of_periods(grid: Grid, mapping: TableMapping, tz: ZoneInfo, used: Bools, notes: Notes) -> When:
    cells = grid.column(mapping.period)
    known: dict[object, Days | None] = {}
    for cell in set(cells) - {None}:
        try:
            known[cell] = days_of(cell)
        except (ValueError, OverflowError):
            known[cell] = None
    found = [known.get(cell) for cell in cells]
    empty = np.fromiter((c is None for c in cells), bool, len(cells))
    bad = np.fromiter((f is None for f in found), bool, len(cells))
    notes.cells(mapping.period, used & empty, Trouble.TIME_EMPTY)
    notes.cells(mapping.period, used & bad & ~empty, Trouble.NO_TIME, cells)
    nothing = Days(day_of(0), day_of(0))
    first, last = (
        np.array([getattr(f or nothing, side) for f in found], "datetime64[us]").astype(np.int64)
        for side in ("first", "last")
    )
    return _forward(_days(first, last, used & ~bad, tz), mapping.period, notes)


def _of_both(grid: Grid, mapping: TableMapping, tz: ZoneInfo, used: Bools, notes: Notes) -> When:
    """Return the periods of columns from and to; a day belongs to its period, a time of day is its bound."""
    sides = [moments(grid.column(name), mapping.order) for name in (mapping.start, mapping.end)]
    good = used.copy()
    for name, side in zip((mapping.start, mapping.end), sides, strict=True):
        good &= _readable(grid, name, side, used, notes)
        if side.unsure and mapping.order is None:
            notes.table(Trouble.ORDER_UNSURE, name, value=side.unsure)
            return _nothing(grid.count)
    series = np.zeros(grid.count, np.int32)
    begin = _resolved(
        grid, mapping_at(mapping, mapping.start), (sides[0].us, sides[0].zoned, good), series, tz, notes, step_us=0
    )
    until = sides[1].us + np.where(sides[1].day_only, DAY_US, 0)
    end = _resolved(grid, mapping_at(mapping, mapping.end), (until, sides[1].zoned, good), series, tz, notes, step_us=0)
    made = When(
        at_us=end.at_us,
        span_s=(end.at_us - begin.at_us) // 1_000_000,
        good=begin.good & end.good,
        ambiguous=begin.ambiguous | end.ambiguous,
    )
    return _forward(made, mapping.end, notes)


def mapping_at(mapping: TableMapping, column: str) -> TableMapping:
    """Return a mapping whose times are those of another column, for what is noted of them."""
    return TableMapping(layout=Layout.INVOICES, time=column, zone=mapping.zone)


def _forward(made: When, column: str, notes: Notes) -> When:
    reversed_ = made.good & (made.span_s <= 0)
    notes.cells(column, reversed_, Trouble.REVERSED)
    return When(at_us=made.at_us, span_s=made.span_s, good=made.good & ~reversed_, ambiguous=made.ambiguous)
