"""The picker of periods: a calendar period and a day in it, the ones before and after, or days of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from api.asking import Span, instant_of
from api.pages.view import Seen, Viewer
from api.texts import N_, Language
from core.calendar import Period, instant, moment, spans
from core.errors import InputError

MOST_BY_HOUR: Final = 9
"""Up to so many days are shown by the hour, up to `MOST_BY_DAY` by the day, else by the month."""
MOST_BY_DAY: Final = 100
LONGEST: Final = timedelta(days=12 * 366)


class Kind(StrEnum):
    """What is picked."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    HEATING_SEASON = "heating-season"
    OWN = "own"


NAMES: Final = {
    Kind.DAY: N_("Day"),
    Kind.WEEK: N_("Week"),
    Kind.MONTH: N_("Month"),
    Kind.QUARTER: N_("Quarter"),
    Kind.YEAR: N_("Year"),
    Kind.HEATING_SEASON: N_("Heating season"),
    Kind.OWN: N_("Own days"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The days shown, first to last; `cut` is where what has happened ends: today's midnight, or the span's end."""

    kind: Kind
    first: date
    last: date
    span: Span
    cut: datetime
    grain: Period
    before: date | None
    after: date | None

    @property
    def over(self) -> Span | None:
        """The part that is over, None before any of it is."""
        return Span(start=self.span.start, end=self.cut) if self.span.start < self.cut else None

    @property
    def running(self) -> bool:
        """Whether it is not over."""
        return self.cut < self.span.end

    @property
    def query(self) -> dict[str, str]:
        """The period as an address tells it."""
        if self.kind is Kind.OWN:
            return {"period": self.kind.value, "from": self.first.isoformat(), "to": self.last.isoformat()}
        return {"period": self.kind.value, "on": self.first.isoformat()}


def pick(  # noqa: PLR0917 - what the form asks
    kind: Kind, on: str, start: str, to: str, now: datetime, zone: ZoneInfo
) -> Picked:
    """Return the period that a form asks for; raise InputError for what is no date."""
    today = now.astimezone(zone).date()
    if kind is Kind.OWN:
        last = _day(to, zone, "to") if to else today
        first = _day(start, zone, "from") if start else last - timedelta(days=30)
        if last - first > LONGEST:
            raise InputError("these are more than twelve years", place="from", remedy="choose a later day")
        return _picked(kind, first, last, now, zone)
    day = _day(on, zone, "on") if on else _usual(kind, today)
    first, last = _around(Period(kind.value), day, zone)
    return _picked(kind, first, last, now, zone)


def _usual(kind: Kind, today: date) -> date:
    """Return yesterday, so that there is something to see; of days yesterday is the last that is over."""
    return today if kind is Kind.WEEK and today.weekday() else today - timedelta(days=1)


def _day(text: str, zone: ZoneInfo, place: str) -> date:
    return instant_of(text, zone, place=place).astimezone(zone).date()


def _around(period: Period, day: date, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and last day of the period that a day is in; of a summer the heating season before it."""
    at = datetime.combine(day, time(), zone)
    back = timedelta(days=100) if period is Period.HEATING_SEASON else timedelta()
    starts, ends = spans(period, instant(at - back), instant(at + timedelta(days=1)), zone)
    first, end = (moment(edges[-1]).astimezone(zone).date() for edges in (starts, ends))
    return first, end - timedelta(days=1)


def _picked(kind: Kind, first: date, last: date, now: datetime, zone: ZoneInfo) -> Picked:
    start, end = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    span = Span(start=start, end=end)
    days = (last - first).days + 1
    grain = Period.HOUR if days <= MOST_BY_HOUR else Period.DAY if days <= MOST_BY_DAY else Period.MONTH
    over = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    over = over if grain is Period.HOUR else over.replace(hour=0)
    before, after = _beside(kind, first, last, days, zone)
    return Picked(
        kind=kind,
        first=first,
        last=last,
        span=span,
        cut=max(min(end, over), start),
        grain=grain,
        before=before,
        after=after if after is not None and after <= now.astimezone(zone).date() else None,
    )


def _beside(kind: Kind, first: date, last: date, days: int, zone: ZoneInfo) -> tuple[date | None, date | None]:
    """Return a day of the period before and of the one after."""
    if kind is Kind.OWN:
        return first - timedelta(days=days), last + timedelta(days=1)
    period = Period(kind.value)
    gap = timedelta(days=120) if kind is Kind.HEATING_SEASON else timedelta(days=1)
    return _around(period, first - gap, zone)[0], _around(period, last + gap, zone)[0]


def name_of(picked: Picked, words: Language) -> str:
    """Return the period as a person calls it."""
    first, last = picked.first, picked.last
    year = f"{first.year}"
    match picked.kind:
        case Kind.YEAR:
            return year
        case Kind.MONTH:
            return f"{words.long_month(first.month)} {year}"
        case Kind.QUARTER:
            return words.text("quarter %(number)s of %(year)s") % {"number": (first.month + 2) // 3, "year": year}
        case Kind.HEATING_SEASON:
            return f"{year}/{last.year % 100:02}"
        case Kind.DAY:
            return words.day(first)
        case _:
            return f"{words.day(first)} – {words.day(last)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link of the picker."""

    name: str
    query: str
    here: bool


def picker(v: Viewer, picked: Picked, kept: Mapping[str, str]) -> dict[str, Any]:
    """Return what the picker shows; `kept` are the other parts of the address."""

    def link(name: str, kind: Kind, on: date | None, *, here: bool = False) -> Choice:
        if on is None:
            return Choice(name=name, query="", here=here)
        days = timedelta(days=(picked.last - picked.first).days)
        span = {"from": on.isoformat(), "to": (on + days).isoformat()} if kind is Kind.OWN else {"on": on.isoformat()}
        return Choice(name=name, query=urlencode({**kept, "period": kind.value, **span}), here=here)

    words = v.words
    last = min(picked.last, (picked.cut - timedelta(seconds=1)).date()) if picked.over else picked.first
    return {
        "picked": picked,
        "period_name": name_of(picked, words),
        "period_kinds": [
            link(words.text(NAMES[kind]), kind, last, here=kind is picked.kind) for kind in Kind if kind is not Kind.OWN
        ],
        "period_before": link(words.text("Before"), picked.kind, picked.before),
        "period_after": link(words.text("After"), picked.kind, picked.after),
        "period_query": urlencode({**kept, **picked.query}),
        "kept": kept,
        "grain_name": words.label(picked.grain.value),
    }


async def _picking(
    v: Seen,
    period: Annotated[Kind, Query()] = Kind.YEAR,
    on: Annotated[str, Query()] = "",
    start: Annotated[str, Query(alias="from")] = "",
    to: Annotated[str, Query()] = "",
) -> Picked:
    return pick(period, on, start, to, v.now, v.room.deps.zone)


Picking = Annotated[Picked, Depends(_picking)]
