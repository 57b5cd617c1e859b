"""Dates, times and periods as people and programs write them in tables: each distinct spelling is read once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from core.calendar import Bools, Longs
from core.reading_tables import Order
from ingest.instants import MICROSECOND, NAIVE_EPOCH, from_text, from_unix
from ingest.tables_xlsx import Value

DAY_US: Final = 86_400_000_000
_TIME: Final = r"(?:[T ,]+(?P<h>\d{1,2})[:.](?P<min>\d{2})(?:[:.](?P<s>\d{2})(?:[.,]\d+)?)?)?"
_CZECH: Final = re.compile(r"(?P<d>\d{1,2})\.\s*(?P<m>\d{1,2})\.\s*(?P<y>\d{4}|\d{2})" + _TIME)
_ISO: Final = re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})" + _TIME)
_ZONED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})")
_SLASHED: Final = re.compile(r"(?P<a>\d{1,2})([/-])(?P<b>\d{1,2})\2(?P<y>\d{4})" + _TIME)
_CLOCK: Final = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?")
_MONTH: Final = re.compile(r"(?:(?P<m>\d{1,2})\s*[/.]\s*(?P<y>\d{4})|(?P<y2>\d{4})-(?P<m2>\d{1,2}))")
_NAMED: Final = re.compile(r"(?P<name>[^\W\d]+)\s+(?P<y>\d{4})")
_YEAR: Final = re.compile(r"20\d{2}")
_RANGE: Final = re.compile(r"(.+?\d{4})\s*(?:-|–|—|až|do)\s*(\d.+)")
_MONTH_NAMES: Final = (
    ("led", "jan"), ("úno", "uno", "feb"), ("bře", "bre", "mar"), ("dub", "apr"), ("kvě", "kve", "may"),
    ("červen", "červn", "cerven", "cervn", "jun"), ("červenec", "července", "cervenec", "cervence", "jul"),
    ("srp", "aug"), ("zář", "zar", "sep"), ("říj", "rij", "oct"), ("lis", "nov"), ("pro", "dec"),
)  # fmt: skip
SERIAL_DAYS: Final = (36_526, 73_051)
"""Spreadsheet serial numbers of 2000 to 2100; unix times begin far above."""
_SERIAL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - wall times of spreadsheets count from it
_LAST_HOUR: Final = 24


class Moment(NamedTuple):
    """A time: microseconds since 1970 of the wall, or of UTC where it is `zoned`; whether it tells the day alone."""

    us: int
    zoned: bool = False
    day_only: bool = False


class Days(NamedTuple):
    """A period of whole days: the first and the last, both in it."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The times of a column; `unsure` is a date whose order of day and month nothing tells."""

    us: Longs
    zoned: Bools
    day_only: Bools
    empty: Bools
    bad: Bools
    unsure: str = ""


def moments(cells: Sequence[Value], order: Order | None) -> Moments:
    """Return the times of a column of texts, dates and numbers."""
    order, unsure = (order, "") if order else _order_of(cells)
    found, bad = _distinct(cells, lambda cell: moment_of(cell, order or Order.DMY))
    nothing = Moment(0)
    rows = [found.get(_key(c), nothing) for c in cells]
    columns = np.array(rows, np.int64).reshape(-1, 3)
    midnight = all(m.us % DAY_US == 0 for key, m in found.items() if key[0] == "datetime")
    day_only = columns[:, 2] > 0
    if midnight:
        day_only |= np.fromiter((isinstance(c, datetime) for c in cells), bool, len(cells))
    return Moments(
        us=columns[:, 0],
        zoned=columns[:, 1] > 0,
        day_only=day_only,
        empty=np.fromiter((c is None for c in cells), bool, len(cells)),
        bad=np.fromiter((_key(c) in bad for c in cells), bool, len(cells)) if bad else np.zeros(len(cells), bool),
        unsure=unsure,
    )


def _key(cell: Value) -> tuple[str, Value]:
    return type(cell).__name__, cell


def _distinct(
    cells: Sequence[Value], read: Callable[[Value], Moment]
) -> tuple[dict[tuple[str, Value], Moment], set[tuple[str, Value]]]:
    found: dict[tuple[str, Value], Moment] = {}
    bad: set[tuple[str, Value]] = set()
    for key in {_key(c) for c in cells if c is not None}:
        try:
            found[key] = read(key[1])
        except (ValueError, OverflowError):
            bad.add(key)
    return found, bad


def _order_of(cells: Sequence[Value]) -> tuple[Order | None, str]:
    """Return the order of dates with slashes or dashes where one of them tells it, else one that leaves it open."""
    slashed = [(m, c) for c in set(cells) if isinstance(c, str) and (m := _SLASHED.match(c.strip()))]
    if not slashed:
        return None, ""
    orders = {Order.DMY for m, _ in slashed if int(m["a"]) > 12} | {Order.MDY for m, _ in slashed if int(m["b"]) > 12}  # noqa: PLR2004 - months
    if len(orders) == 1:
        return orders.pop(), ""
    return None, min(c for _, c in slashed)


def moment_of(cell: Value, order: Order) -> Moment:
    """Return the time of a cell; raise ValueError for what is none."""
    if isinstance(cell, datetime):
        return Moment(_rounded(cell), day_only=False)
    if isinstance(cell, bool) or cell is None:
        raise ValueError("no time")
    if isinstance(cell, int | float):
        return _of_number(cell)
    text = cell.strip()
    if _ZONED.fullmatch(text):
        return Moment(from_text(text)[0], zoned=True)
    found = _CZECH.fullmatch(text) or _ISO.fullmatch(text)
    if found:
        return _of_parts(found, int(found["m"]), int(found["d"]))
    slashed = _SLASHED.fullmatch(text)
    if slashed:
        a, b = int(slashed["a"]), int(slashed["b"])
        return _of_parts(slashed, *((b, a) if order is Order.DMY else (a, b)))
    return _of_number(float(text.replace(",", ".")))


def _of_parts(found: re.Match[str], month: int, day: int) -> Moment:
    year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)  # noqa: PLR2004 - a year without its century
    at = datetime(year, month, day)  # noqa: DTZ001 - a wall time
    if found["h"] is None:
        return Moment(_us(at), day_only=True)
    return Moment(_us(at) + _of_day(int(found["h"]), int(found["min"]), int(found["s"] or 0)))


def _of_day(hour: int, minute: int, second: int) -> int:
    """Return a time of day [µs]; 24:00 is the end of the day."""
    if hour > _LAST_HOUR or minute > 59 or second > 59 or (hour == _LAST_HOUR and minute + second):  # noqa: PLR2004 - a clock
        raise ValueError("no time of day")
    return ((hour * 60 + minute) * 60 + second) * 1_000_000


def _us(at: datetime) -> int:
    return (at - NAIVE_EPOCH) // MICROSECOND


def _rounded(at: datetime) -> int:
    """Return the second that a spreadsheet's number of days stands for."""
    return round(_us(at.replace(tzinfo=None)) / 1_000_000) * 1_000_000


def _of_number(number: float) -> Moment:
    if SERIAL_DAYS[0] <= number < SERIAL_DAYS[1]:
        at = _SERIAL_EPOCH + timedelta(days=float(number))
        return Moment(_rounded(at), day_only=float(number).is_integer())
    return Moment(from_unix(number), zoned=True)


def clock_of(cell: Value) -> int:
    """Return a time of day [µs]: 0:15, 00:15:00, 24:00, a spreadsheet's fraction of a day; raise ValueError."""
    if isinstance(cell, datetime):
        return _rounded(cell) % DAY_US
    if isinstance(cell, bool) or cell is None:
        raise ValueError("no time of day")
    if isinstance(cell, int | float):
        if not 0 <= cell <= 1:
            raise ValueError("no time of day")
        return round(float(cell) * 86_400) * 1_000_000
    found = _CLOCK.fullmatch(cell.strip())
    if not found:
        raise ValueError("no time of day")
    return _of_day(int(found[1]), int(found[2]), int(found[3] or 0))


def clocks(cells: Sequence[Value]) -> tuple[Longs, Bools]:
    """Return the times of day of a column, and which cells are none."""
    found, bad = _distinct(cells, lambda cell: Moment(clock_of(cell)))
    us = np.array([found.get(_key(c), Moment(0)).us for c in cells], np.int64)
    return us, np.fromiter((c is None or _key(c) in bad for c in cells), bool, len(cells))


def days_of(cell: Value) -> Days:
    """Return a period of days: 01/2026, leden 2026, 2026-01, 2026, or 1.1.2026 - 31.1.2026; raise ValueError."""
    if isinstance(cell, datetime):
        return _month(cell.year, cell.month)
    text = " ".join(str(cell).split()) if not isinstance(cell, float) else str(int(cell))
    if both := _RANGE.fullmatch(text):
        first, last = (moment_of(part, Order.DMY) for part in both.groups())
        return Days(day_of(first.us), day_of(last.us))
    if found := _MONTH.fullmatch(text):
        return _month(int(found["y"] or found["y2"]), int(found["m"] or found["m2"]))
    if named := _NAMED.fullmatch(text):
        return _month(int(named["y"]), _month_number(named["name"]))
    if _YEAR.fullmatch(text):
        return Days(date(int(text), 1, 1), date(int(text), 12, 31))
    raise ValueError("no period")


def _month_number(name: str) -> int:
    folded = name.casefold()
    found = [n for n, stems in enumerate(_MONTH_NAMES, 1) for stem in stems if folded.startswith(stem)]
    if not found:
        raise ValueError("no month")
    return max(found)  # červenec begins as červen does


def _month(year: int, month: int) -> Days:
    first = date(year, month, 1)
    return Days(first, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1))


def day_of(us: int) -> date:
    """Return the day of a wall time."""
    return (NAIVE_EPOCH + timedelta(microseconds=us)).date()
