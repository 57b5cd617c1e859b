"""Spans of whole months that two periods are compared over, and the scope that emissions, costs and ranks are of."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from api.adding import addends
from api.asking import Scope, Span, instant_of, points_of, span_of
from api.room import Room
from core.calendar import Period, moment
from core.errors import InputError
from services import emissions
from services.emission_change import Weather
from services.monthly_use import Months, months_between, months_of
from services.weather_effect import WeatherEffect

Whole = tuple[Months, tuple[datetime, datetime]]
PREVIOUS_YEAR: Final = "previous-year"
MOST_MODELS: Final = 100
"""So many points have their models made while somebody waits; more where that is asked for."""


def addable(room: Room, scope: Scope) -> emissions.Scope:
    """Return the points that are meant and may be added up, with the buildings of the register."""
    now = room.now()
    return emissions.Scope(points=addends(points_of(scope, now), now).points, buildings=now.buildings)


def weather_of(room: Room, scope: emissions.Scope, asked: bool | None) -> Weather | None:  # noqa: FBT001 - of a query
    """Return what tells the weather's part of a change, None where nobody asked or this process makes no models."""
    wanted = len(scope.points) <= MOST_MODELS if asked is None else asked
    return WeatherEffect(baselines=room.baselines()) if wanted and room.deps.facts is not None else None


def months_asked(room: Room, period: Period, start: str, to: str, zone: ZoneInfo) -> Months:
    """Return the months of the periods that touch the span asked for."""
    span = span_of(start, to, zone, room.deps.clock())
    return months_of(period, span.start, span.end, zone)


def whole_months(start: str, to: str, zone: ZoneInfo, now: datetime) -> Whole:
    """Return a span of whole months; without one the last whole year, with a year or month alone that one."""
    if not start:
        first = datetime(now.astimezone(zone).year - 1, 1, 1, tzinfo=zone)
        return _whole(first, first.replace(year=first.year + 1), zone)
    begin = instant_of(start, zone, place="from")
    end = instant_of(to, zone, place="to") if to else _after(start, begin, zone)
    span = Span(start=begin.astimezone(UTC), end=end.astimezone(UTC))
    return _whole(span.start, span.end, zone)


def _after(text: str, begin: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of a year or month written alone."""
    local = begin.astimezone(zone)
    if len(text.strip()) == len("2025"):
        return local.replace(year=local.year + 1)
    if len(text.strip()) <= len("2025-01"):
        return local.replace(year=local.year + local.month // 12, month=local.month % 12 + 1)
    raise InputError("the span has no end", place="to", remedy="write to, or a year or month alone as from")


def _whole(start: datetime, end: datetime, zone: ZoneInfo) -> Whole:
    months = months_between(start, end, zone)
    return months, (moment(months.starts[0]), moment(months.ends[-1]))


def compared_with(after: Whole, compare: str, zone: ZoneInfo) -> Whole:
    """Return the span that another is compared with: the year before, or FROM/TO."""
    if compare in {"", PREVIOUS_YEAR}:
        start, end = (at.astimezone(zone) for at in after[1])
        return _whole(start.replace(year=start.year - 1), end.replace(year=end.year - 1), zone)
    begin, slash, close = compare.partition("/")
    if not slash:
        raise InputError(
            f"{compare!r} is no comparison",
            place="compare",
            remedy="write previous-year or FROM/TO such as 2023-01/2024-01",
        )
    return _whole(instant_of(begin, zone, place="compare"), instant_of(close, zone, place="compare"), zone)
