"""The figures of a page: consumption of the year so far against the year before at the same date, and by month."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from api.adding import addends
from api.room import Room
from core.calendar import Period, moment
from core.registry import Commodity, Point
from services.consumption import PointConsumption, Question

COMPARABLE_MISSING: Final = 0.02
"""A page compares with the year before where at most this share of either time is missing."""
FEBRUARY_29: Final = (2, 29)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An amount with its quality; `lacking` of `points` know nothing of it (amount None: nobody does), over `hours`."""

    amount: float | None
    unit: str
    measured: float
    estimated: float
    missing: float
    points: int = 1
    lacking: int = 0
    hours: float = 1.0

    @property
    def lost(self) -> float:
        """The share that is missing, of time or of points, whichever is more."""
        return max(self.missing, self.lacking / max(self.points, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """A figure against the one of a year before; `percent` None where `reason` says why."""

    now: Figure
    before: Figure | None
    percent: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDate:
    """The whole days of this year so far, and the same days of the year before."""

    start: datetime
    cut: datetime
    start_before: datetime
    cut_before: datetime

    @property
    def last_day(self) -> date:
        """The last whole day."""
        return self.cut.date() - timedelta(days=1)


def to_date(now: datetime, zone: ZoneInfo) -> ToDate:
    """Return the year so far; on 1 January it is the whole year before, as no day of the new one is over."""
    today = now.astimezone(zone).date()
    year = (today - timedelta(days=1)).year
    same = date(today.year - 1, 3, 1) if (today.month, today.day) == FEBRUARY_29 else today.replace(year=today.year - 1)
    days = (date(year, 1, 1), today, date(year - 1, 1, 1), same)
    start, cut, start_before, cut_before = (datetime.combine(day, time(), zone) for day in days)
    return ToDate(start=start, cut=cut, start_before=start_before, cut_before=cut_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Consumption of points by the months of a span; the last may be a part, cut at a whole day."""

    firsts: tuple[date, ...]
    figures: Mapping[str, tuple[Figure, ...]]

    def whole(self, point: str) -> Figure:
        """Return the consumption of a point over the span."""
        return joined(self.figures.get(point, ()))


def months_of(room: Room, points: Sequence[Point], start: datetime, cut: datetime) -> Months:
    """Return the months of [start, cut), start a first of January and cut a midnight."""
    zone, ids = room.deps.zone, tuple(p.id for p in points)
    first_of_month = cut.replace(day=1)
    parts: dict[str, list[Figure]] = defaultdict(list)
    firsts: list[date] = []
    if start < first_of_month:
        whole = room.ask(_question(ids, Period.MONTH, start, first_of_month, zone))
        for part in whole:
            parts[part.point] += _figures(part)
        firsts = [moment(s).astimezone(zone).date() for s in (whole[0].starts if whole else ())]
    if first_of_month < cut:
        for part in room.ask(_question(ids, Period.DAY, first_of_month, cut, zone)):
            parts[part.point].append(joined(_figures(part)))
        firsts.append(first_of_month.date())
    return Months(firsts=tuple(firsts), figures={key: tuple(value) for key, value in parts.items()})


def _question(ids: tuple[str, ...], period: Period, start: datetime, end: datetime, zone: ZoneInfo) -> Question:
    return Question(points=ids, period=period, start=start.astimezone(UTC), end=end.astimezone(UTC), zone=zone)


def _figures(part: PointConsumption) -> list[Figure]:
    columns = (part.amount.tolist(), part.measured.tolist(), part.estimated.tolist(), part.missing.tolist())
    hours = ((part.ends - part.starts) / np.timedelta64(1, "h")).tolist()
    return [
        Figure(amount=None if a != a else a, unit=part.unit, measured=m, estimated=e, missing=x, hours=h)  # noqa: PLR0124 - NaN
        for a, m, e, x, h in zip(*columns, hours, strict=True)
    ]


def joined(figures: Sequence[Figure]) -> Figure:
    """Return periods of one point as one; their shares weigh by their time."""
    known = [f.amount for f in figures if f.amount is not None]
    hours = sum(f.hours for f in figures)
    measured, estimated = (
        sum(getattr(f, n) * f.hours for f in figures) / hours if hours else 0.0 for n in ("measured", "estimated")
    )
    return Figure(
        amount=float(np.sum(known)) if known else None,
        unit=next((f.unit for f in figures if f.unit), ""),
        measured=measured,
        estimated=estimated,
        missing=max(1 - measured - estimated, 0.0),
        lacking=int(not known),
        hours=hours,
    )


def added(figures: Sequence[Figure]) -> Figure | None:
    """Return the sum over points of one commodity, None of no points. What is not known lacks, it is not zero."""
    if not figures:
        return None
    known = [f.amount for f in figures if f.amount is not None]
    measured, estimated = (float(np.mean([getattr(f, n) for f in figures])) for n in ("measured", "estimated"))
    return Figure(
        amount=float(np.sum(known)) if known else None,
        unit=next((f.unit for f in figures if f.unit), ""),
        measured=measured,
        estimated=estimated,
        missing=max(1 - measured - estimated, 0.0),
        points=len(figures),
        lacking=len(figures) - len(known),
    )


def versus(now: Figure, before: Figure | None) -> Versus:
    """Compare with the year before, unless too much of either is missing."""
    reason = _reason(now, before)
    percent = None
    if not reason and before is not None and now.amount is not None and before.amount:
        percent = 100 * (now.amount - before.amount) / before.amount
    return Versus(now=now, before=before, percent=percent, reason=reason)


def _reason(now: Figure, before: Figure | None) -> str:
    if now.amount is None or now.lost > COMPARABLE_MISSING:
        return "missing"
    if before is None:
        return "no_counterpart"
    if before.amount is None or before.lost > COMPARABLE_MISSING or before.unit != now.unit:
        return "missing_before"
    return "" if before.amount else "no_counterpart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """This year so far and the year before, of some points."""

    span: ToDate
    now: Months
    before: Months

    def of_point(self, point: str) -> Versus:
        """Return a point's year."""
        return versus(self.now.whole(point), self.before.whole(point))

    def of(self, points: Iterable[Point]) -> Versus | None:
        """Return the year of points of one commodity together, None of no points."""
        ids = [p.id for p in points]
        now = added([self.now.whole(key) for key in ids])
        return None if now is None else versus(now, added([self.before.whole(key) for key in ids]))

    def by_month(self, points: Sequence[Point]) -> list[tuple[int, Figure | None, Figure | None]]:
        """Return month number, this year's and last year's figure of points of one commodity together."""
        now, before = ({f.month: i for i, f in enumerate(m.firsts)} for m in (self.now, self.before))
        return [
            (number, _month(self.now, now.get(number), points), _month(self.before, before.get(number), points))
            for number in range(1, 13)
        ]


def _month(months: Months, place: int | None, points: Sequence[Point]) -> Figure | None:
    if place is None:
        return None
    held = (months.figures.get(p.id, ()) for p in points)
    return added([figures[place] for figures in held if place < len(figures)])


def year_of(room: Room, points: Sequence[Point]) -> Year:
    """Return this year so far and the year before at the same date, of these points."""
    span = to_date(room.deps.clock(), room.deps.zone)
    return Year(
        span=span,
        now=months_of(room, points, span.start, span.cut),
        before=months_of(room, points, span.start_before, span.cut_before),
    )


def whole_year_before(room: Room, points: Sequence[Point], span: ToDate) -> Months:
    """Return all months of the year before, for charts that show them whole."""
    return months_of(room, points, span.start_before, span.start)


def by_commodity(room: Room, points: Sequence[Point]) -> dict[Commodity, list[Point]]:
    """Return the points that may be added up by commodity, in the order of the commodities."""
    chosen = addends(points, room.now()).points
    return {c: [p for p in chosen if p.commodity is c] for c in Commodity if any(p.commodity is c for p in chosen)}
