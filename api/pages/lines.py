"""Periods as rows of a table and bars of a chart: each with its quality, and what it was a year before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from api.asking import Span
from api.comparison import Against, counterparts, places
from api.pages.charts import over_time
from api.pages.figures import Use, Versus, use_of, versus
from api.pages.overview import quality_note
from api.room import Room
from api.texts import Language
from core.calendar import Instants, Longs, Period, instant, local, moment, spans
from core.registry import Point
from services.outlook import Expected

WEEKS_52: Final = timedelta(weeks=52)
SHORT: Final = frozenset({Period.QUARTER_HOUR, Period.HOUR, Period.DAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A period: its name, figure, the one of the year before, and what the weather let expect."""

    label: str
    start: datetime
    end: datetime
    found: Versus
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Consumption of points over a span, and that of a year before; `place` (k,) tells each counterpart, -1: none."""

    now: Use
    before: Use
    place: Longs

    def versus(self, points: Sequence[str]) -> Versus | None:
        """Return the whole span of points of one commodity against the year before, None of no points."""
        now = self.now.whole(points)
        return None if now is None else versus(now, self.before.whole(points))

    def lines(self, points: Sequence[str], period: Period, words: Language, zone: ZoneInfo) -> list[Line]:
        """Return the periods of points of one commodity."""
        labels = period_labels(words, period, local(self.now.starts, zone))
        made = []
        for n, there in enumerate(self.place.tolist()):
            now = self.now.period(n, points)
            if now is not None:
                found = versus(now, self.before.period(there, points) if there >= 0 else None)
                start, end = moment(self.now.starts[n]), moment(self.now.ends[n])
                made.append(Line(label=labels[n], start=start, end=end, found=found))
        return made


def beside(room: Room, points: Sequence[Point], period: Period, span: Span, *, weekly: bool = False) -> Beside:
    """Return what points used by period within a span of whole days, and in the year before.

    What is longer than a day is cut where the span cuts it, and so is the day that runs, at a whole hour. `weekly`: the
    days 52 weeks before, so that weekdays match.
    """
    zone = room.deps.zone
    if period is Period.DAY and (midnight := _midnight(span.end, zone)) != span.end:
        return _with_today(room, points, span, max(midnight, span.start))
    if not span.start < span.end:
        none = use_of(room, points, period, span.start, span.start)
        return Beside(now=none, before=none, place=np.empty(0, np.int64))
    if period not in SHORT:
        now, before = (_cut(room, points, period, one) for one in (span, _year_before(span, period)))
        n = len(now)
        place = np.arange(n) if len(before) == n else np.full(n, -1)
        return Beside(now=now, before=before, place=place)
    against = Against.PREVIOUS_YEAR.value
    if weekly:
        earlier = _weeks_before(span)
        against = f"{earlier.start.isoformat()}/{earlier.end.isoformat()}"
    other = counterparts(against, period, span, zone)
    now = use_of(room, points, period, span.start, span.end)
    known = bool(other.start < other.end)
    start, end = (moment(other.start), moment(other.end)) if known else (span.start, span.start)
    before = use_of(room, points, period, start, end)
    return Beside(now=now, before=before, place=places(before.starts, other.starts))


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _with_today(room: Room, points: Sequence[Point], span: Span, midnight: datetime) -> Beside:
    """Return whole days, and the hours of the day that runs as one, beside the same hours of the year before."""
    none = use_of(room, points, Period.DAY, midnight, midnight)
    days = Beside(now=none, before=none, place=np.empty(0, np.int64))
    if span.start < midnight:
        days = beside(room, points, Period.DAY, Span(start=span.start, end=midnight))
    now, before = (
        use_of(room, points, Period.HOUR, start, end).as_one()
        for start, end in ((midnight, span.end), (_back(midnight), _back(span.end)))
    )
    place = np.append(days.place, len(days.before))
    return Beside(now=days.now.then(now), before=days.before.then(before), place=place)


def _year_before(span: Span, period: Period) -> Span:
    if period is Period.WEEK:
        return _weeks_before(span)
    return Span(start=_back(span.start), end=_back(span.end))


def _weeks_before(span: Span) -> Span:
    """Return the days 52 weeks before, on the local clock."""
    return Span(start=span.start - WEEKS_52, end=span.end - WEEKS_52)


def _back(at: datetime) -> datetime:
    """Return the same day a year before; of 29 February the day after the 28th."""
    try:
        return at.replace(year=at.year - 1)
    except ValueError:
        return at.replace(year=at.year - 1, month=3, day=1)


def _cut(room: Room, points: Sequence[Point], period: Period, span: Span) -> Use:
    """Return the periods within a span of whole days, the first and the last cut where it cuts them."""
    starts, ends = spans(period, instant(span.start), instant(span.end), room.deps.zone)
    inside = (starts >= instant(span.start)) & (ends <= instant(span.end))
    if not inside.any():
        return use_of(room, points, Period.DAY, span.start, span.end).as_one()
    first, last = moment(starts[inside][0]), moment(ends[inside][-1])
    head = use_of(room, points, Period.DAY, span.start, first).as_one()
    tail = use_of(room, points, Period.DAY, last, span.end).as_one()
    return head.then(use_of(room, points, period, first, last)).then(tail)


def period_labels(words: Language, period: Period, wall: Instants) -> list[str]:
    """Return the name of each period as a person writes it, of naive wall times."""
    made = []
    for start in wall.astype("datetime64[s]").tolist():
        if period is Period.YEAR:
            made.append(str(start.year))
        elif period is Period.MONTH:
            made.append(f"{words.month(start.month)} {start.year}")
        elif period in {Period.HOUR, Period.QUARTER_HOUR}:
            made.append(f"{words.day(start.date())} {start:%H:%M}")
        else:
            made.append(words.day(start.date()))
    return made


def with_expected(lines: Sequence[Line], expected: Sequence[Expected | None]) -> list[Line]:
    """Return lines with what was to be expected of each."""
    return [replace(line, expected=one) for line, one in zip(lines, expected, strict=True)]


# The chart


def chart_of(words: Language, name: str, lines: Sequence[Line], period: Period, zone: ZoneInfo) -> dict[str, Any]:
    """Return periods as a chart."""
    unit = next((line.found.now.unit for line in lines if line.found.now.unit), "")
    wall, ends = _walls(lines, zone)
    made = [
        {**_bar(words, line, unit), "start": begin, "end": end}
        for line, begin, end in zip(lines, _texts(wall), _texts(ends), strict=True)
    ]
    about = words.text("consumption with its quality")
    title = f"{name}: {about}"
    return over_time(made, period=period, unit=unit, words=words, title=title)


def _walls(lines: Sequence[Line], zone: ZoneInfo) -> tuple[Instants, Instants]:
    """Return the local begin and end of each; each bar ends where the next begins, also where the clock changes."""
    starts, ends = (
        local(np.array([at.replace(tzinfo=None) for at in some], "datetime64[us]"), zone)
        for some in ([line.start for line in lines], [line.end for line in lines])
    )
    ends[:-1] = np.where(starts[1:] > starts[:-1], starts[1:], ends[:-1])
    return starts, ends


def _bar(words: Language, line: Line, unit: str) -> dict[str, Any]:
    """Return what a chart shows of a period."""
    f, before = line.found.now, line.found.before
    known = f.measured + f.estimated
    was = before.amount if before is not None and before.unit in {"", f.unit} else None
    expected = line.expected.predicted if line.expected is not None else None
    return {
        "zero": 0,
        "measured": None if f.amount is None or not known else f.amount * f.measured / known,
        "total": f.amount,
        "missing": f.missing,
        "before": was,
        "expected": expected,
        "label": line.label,
        "text": words.amount(f.amount, unit),
        "was": words.amount(was, unit),
        "weather": words.amount(expected, unit),
        "note": quality_note(words, f),
    }


def _texts(wall: Instants) -> list[str]:
    return [f"{text}Z" for text in wall.astype("datetime64[s]").astype(str).tolist()]
