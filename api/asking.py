"""Questions as people and programs write them: spans of dates or instants, zones, and the points that are meant."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from api.snapshot import Snapshot
from core.calendar import Period
from core.errors import InputError
from core.registry import Commodity, Point, Role

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100
_MONTH: Final = re.compile(r"^(\d{4})(?:-(\d{1,2}))?$")
_LOST_PLUS: Final = re.compile(r" (\d\d:?\d\d)$")  # a + in an address that was not written as %2B
TIME_REMEDY: Final = "write it as 2026-01-31, 2026-01, 2026 or 2026-01-31T12:00:00+01:00"

SHORTEST: Final = {
    Period.QUARTER_HOUR: timedelta(minutes=15),
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(hours=23),
    Period.WEEK: timedelta(days=6),
    Period.MONTH: timedelta(days=28),
    Period.QUARTER: timedelta(days=90),
    Period.HALF_YEAR: timedelta(days=180),
    Period.YEAR: timedelta(days=365),
    Period.HEATING_SEASON: timedelta(days=365),
    Period.SCHOOL_YEAR: timedelta(days=365),
}
"""The shortest distance of the starts of two periods of a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open span of time, [start, end), aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InputError(
                f"the span ends at {self.end.isoformat()}, before or as it begins",
                place="to",
                remedy="to is the first instant that does not belong any more: write one after from",
            )


def instant_of(text: str, zone: ZoneInfo, *, place: str) -> datetime:
    """Return the instant that a date, month or year begins in a zone, or a full instant; raise InputError."""
    try:
        found = _parsed(text.strip(), zone)
    except ValueError as err:
        raise InputError(f"{text!r} is no date", place=place, remedy=TIME_REMEDY) from err
    if found.tzinfo is None:
        raise InputError(f"{text!r} has no offset", place=place, remedy=TIME_REMEDY)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InputError(f"{text!r} lies outside of {FIRST_YEAR} to {LAST_YEAR}", place=place, remedy=TIME_REMEDY)
    return found


def _parsed(text: str, zone: ZoneInfo) -> datetime:
    if month := _MONTH.match(text):
        return datetime(int(month[1]), int(month[2] or 1), 1, tzinfo=zone)
    if "T" not in text and len(text) <= len("2026-01-31"):
        return datetime.combine(date.fromisoformat(text), time(), zone)
    return datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text))


def span_of(start: str, end: str, zone: ZoneInfo, now: datetime) -> Span:
    """Return the span asked for; without an end until now, without a start from the begin of its year."""
    last = instant_of(end, zone, place="to") if end else now
    first_day = (last - timedelta(microseconds=1)).astimezone(zone).replace(month=1, day=1)
    first = instant_of(start, zone, place="from") if start else datetime.combine(first_day.date(), time(), zone)
    return Span(start=first.astimezone(UTC), end=last.astimezone(UTC))


def check_size(period: Period, span: Span, points: int, *, most: int) -> None:
    """Raise InputError where the answer would have more than `most` values."""
    values = (int((span.end - span.start) / SHORTEST[period]) + 1) * max(points, 1)
    if values > most:
        raise InputError(
            f"{points} points by {period} over this span are about {values} values, the most at once is {most}",
            place="period",
            remedy="ask for a shorter span, a longer period, fewer points, or sum=true",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which points are meant: these, those of buildings or organisations, or, where none is named, all."""

    points: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    commodity: Commodity | None = None
    role: Role | None = None

    @property
    def named(self) -> bool:
        """Whether the points themselves are named."""
        return bool(self.points)


def points_of(scope: Scope, now: Snapshot) -> list[Point]:
    """Return the points that are meant, each once, in the order named, else by id; raise NotFound."""
    chosen = [now.point(key) for key in dict.fromkeys(scope.points)]
    buildings = [now.building(key) for key in scope.buildings]
    for key in scope.organisations:
        now.organisation(key)
        buildings += [b for b in now.buildings.values() if b.organisation == key]
    for building in {b.id: b for b in buildings}.values():
        chosen += now.points_of.get(building.id, ())
    if not (scope.points or scope.buildings or scope.organisations):
        chosen = list(now.points.values())
    fits = [p for p in chosen if scope.commodity in {None, p.commodity} and scope.role in {None, p.role}]
    return list({p.id: p for p in fits}.values())
