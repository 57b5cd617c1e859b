"""Calendar periods in local time, as half-open spans of UTC instants.

Instants are numpy `datetime64[us]` in UTC. A day has 92, 96 or 100
quarter-hours, as the zone's clock changes.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from core.errors import InputError, TimeError

Instants = npt.NDArray[np.datetime64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PRAGUE: Final = ZoneInfo("Europe/Prague")
US: Final = 1_000_000
NAT: Final = np.datetime64("NaT", "us")


class Period(StrEnum):
    """A kind of calendar period."""

    QUARTER_HOUR = "quarter-hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"
    HEATING_SEASON = "heating-season"
    SCHOOL_YEAR = "school-year"


_SECONDS: Final = {Period.QUARTER_HOUR: 900, Period.HOUR: 3600}
_MONTH_STARTS: Final = {
    Period.MONTH: tuple(range(1, 13)),
    Period.QUARTER: (1, 4, 7, 10),
    Period.HALF_YEAR: (1, 7),
    Period.YEAR: (1,),
    Period.SCHOOL_YEAR: (9,),
    Period.HEATING_SEASON: (9,),
}
HEATING_SEASON_MONTHS: Final = 9  # 1 September to 31 May (vyhláška 194/2007 Sb., § 2)


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raise InputError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as err:
        raise InputError(f"time zone {name!r} is not known", remedy="write one such as Europe/Prague") from err


def instant(moment: datetime) -> np.datetime64:
    """Return an aware datetime as a UTC instant; a naive one raises TimeError."""
    if moment.tzinfo is None:
        raise TimeError(f"{moment.isoformat()} has no offset", remedy="write it as 2026-01-31T12:00:00+01:00")
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def moment(at: np.datetime64) -> datetime:
    """Return a UTC instant as an aware datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at.astype("datetime64[us]").astype(np.int64)))


def micros(at: Instants | np.datetime64) -> Longs:
    """Return instants as microseconds since 1970."""
    return np.asarray(at, "datetime64[us]").astype(np.int64)


@lru_cache(maxsize=50_000)
def _midnight(day: date, tz: ZoneInfo) -> np.datetime64:
    """Return the first instant of a local day (a zone whose clock skips midnight starts later)."""
    return instant(datetime(day.year, day.month, day.day, tzinfo=tz))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _day_starts(period: Period, first: date, last: date) -> list[date]:
    if period is Period.DAY:
        return _days(first, last)
    if period is Period.WEEK:
        monday = first - timedelta(days=first.weekday())
        return [monday + timedelta(days=7 * n) for n in range((last - monday).days // 7 + 2)]
    months = _MONTH_STARTS[period]
    return [date(y, m, 1) for y in range(first.year - 1, last.year + 2) for m in months]


def _clock_edges(start: datetime, end: datetime, seconds: int) -> Instants:
    """Return edges on the local clock of periods shorter than a day.

    They count from local midnight, so an hour in a zone of half-hour offset starts on its own clock.
    """
    midnights = [
        _midnight(day, start.tzinfo) for day in _days(start.date() - timedelta(days=1), end.date() + timedelta(days=2))
    ]
    step = np.timedelta64(seconds, "s").astype("timedelta64[us]")
    return np.concatenate([np.arange(a, b, step) for a, b in pairwise(midnights)])


def edges(period: Period, start: np.datetime64, end: np.datetime64, tz: ZoneInfo = PRAGUE) -> Instants:
    """Return the edges (n+1 instants) of the n periods that touch the span [start, end).

    An empty span gives no period and one edge. Heating seasons do not follow on each other: see `spans`.
    """
    if not start < end:
        return np.array([start], "datetime64[us]")
    local_start, local_end = moment(start).astimezone(tz), moment(end).astimezone(tz)
    if period in _SECONDS:
        grid = _clock_edges(local_start, local_end, _SECONDS[period])
    else:
        days = _day_starts(period, local_start.date(), local_end.date() + timedelta(days=1))
        grid = np.array([_midnight(day, tz) for day in days], "datetime64[us]")
    first = int(np.searchsorted(grid, start, side="right")) - 1
    last = int(np.searchsorted(grid, end, side="left"))
    if last >= len(grid):  # the list of days ended too early: cannot happen for the margins taken
        raise TimeError(f"no {period} ends after {end}")
    return grid[first : last + 1]


def spans(period: Period, start: np.datetime64, end: np.datetime64, tz: ZoneInfo = PRAGUE) -> tuple[Instants, Instants]:
    """Return the starts and ends (n each) of the periods that touch the span [start, end)."""
    grid = edges(period, start, end, tz)
    starts, ends = grid[:-1], grid[1:]
    if period is not Period.HEATING_SEASON:
        return starts, ends
    closes = [
        _midnight(date(d.year + 1, (8 + HEATING_SEASON_MONTHS) % 12 + 1, 1), tz)
        for d in (moment(s).astimezone(tz).date() for s in starts)
    ]
    ends = np.array(closes, "datetime64[us]")
    touching = ends > start
    return starts[touching], ends[touching]


def utc_offsets(at: Instants, tz: ZoneInfo) -> npt.NDArray[np.timedelta64]:
    """Return the offset of local time from UTC at each instant, looked up once a day, or hour of a day that changes."""
    days, back = np.unique(at.astype("datetime64[D]"), return_inverse=True)
    of_day = [_offset_of_day(tz, day) for day in days.astype(np.int64).tolist()]
    found = np.array([offset for offset, _ in of_day], "timedelta64[us]")[back] if of_day else at - at
    changing = np.array([changes for _, changes in of_day], bool)[back] if of_day else np.empty(0, bool)
    if changing.any():
        hours, place = np.unique(at[changing].astype("datetime64[h]"), return_inverse=True)
        found[changing] = np.array([_offset(tz, moment(hour)) for hour in hours], "timedelta64[us]")[place]
    return np.asarray(found)


def _offset(tz: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()


@lru_cache(maxsize=50_000)
def _offset_of_day(tz: ZoneInfo, day: int) -> tuple[timedelta, bool]:
    """Return the offset at the begin of a UTC day (number since 1970), and whether it changes until its end."""
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    offset = _offset(tz, begin)
    return offset, offset != _offset(tz, begin + timedelta(days=1))


def local(at: Instants, tz: ZoneInfo) -> Instants:
    """Return instants as naive local wall time."""
    return np.asarray(at + utc_offsets(at, tz))


def resolve_local(wall: Instants, tz: ZoneInfo, *, after: np.datetime64 = NAT) -> tuple[Instants, Bools, Bools]:
    """Resolve naive wall times of one source, in order of arrival, to UTC.

    Returns (instants, ambiguous, missing): `ambiguous` where the order of arrival did not tell which of the
    repeated hours is meant (the first was taken), `missing` (instant NaT) where that wall time did not exist.
    `after` is the source's newest instant so far.
    """
    stamps = wall.astype("datetime64[us]")
    folded = [_both_folds(w, tz) for w in stamps.tolist()]
    first = np.array([f for f, _ in folded], "datetime64[us]").reshape(-1)
    second = np.array([s for _, s in folded], "datetime64[us]").reshape(-1)
    gone = first > second
    twice = first < second
    chosen, unsure = first.copy(), np.zeros(len(first), bool)
    newest = after
    for i in np.flatnonzero(twice | ~gone) if twice.any() else ():
        if twice[i]:
            known = not np.isnat(newest)
            chosen[i] = second[i] if known and newest >= first[i] else first[i]
            unsure[i] = not known or newest < first[i] - np.timedelta64(3600, "s")
        newest = chosen[i] if np.isnat(newest) else max(newest, chosen[i])
    chosen[gone] = NAT
    return chosen, unsure, gone


def _both_folds(wall: datetime, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants (naive UTC) of both folds; first > second where the wall time does not exist."""
    first, second = (wall.replace(tzinfo=tz, fold=f).astimezone(UTC).replace(tzinfo=None) for f in (0, 1))
    return first, second
