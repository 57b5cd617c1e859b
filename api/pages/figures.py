"""The figures of a page: consumption of the year so far against the year before at the same date, and by month."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from api.adding import UNITS, addends
from api.room import Room
from core.calendar import Instants, Period, local
from core.readings import Floats
from core.registry import Commodity, Point
from services.consumption import Question

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


# Spans


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


# Consumption of many points in many periods


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Consumption of n points in k periods, (n, k) each; the last period may be a part, cut at a whole day.

    `amount` is NaN where nothing is known; `measured` and `estimated` are shares of the time. `starts` and `ends` (k,)
    are instants in UTC.
    """

    starts: Instants
    ends: Instants
    place: Mapping[str, int]
    units: tuple[str, ...]
    amount: Floats
    measured: Floats
    estimated: Floats

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def hours(self) -> Floats:
        """The length of each period [h]."""
        return np.asarray((self.ends - self.starts) / np.timedelta64(1, "h"), np.float64)

    def days(self, zone: ZoneInfo) -> list[date]:
        """Return the local day on which each period begins."""
        found: list[date] = local(self.starts, zone).astype("datetime64[D]").tolist()
        return found

    def first(self, count: int) -> "Use":
        """Return the first periods alone."""
        return self._of(slice(count))

    def _of(self, columns: slice) -> "Use":
        return replace(
            self,
            starts=self.starts[columns],
            ends=self.ends[columns],
            amount=self.amount[:, columns],
            measured=self.measured[:, columns],
            estimated=self.estimated[:, columns],
        )

    def then(self, other: "Use") -> "Use":
        """Return these periods and those of another span of the same points."""
        return replace(
            self,
            starts=np.append(self.starts, other.starts),
            ends=np.append(self.ends, other.ends),
            units=tuple(mine or its for mine, its in zip(self.units, other.units, strict=True)),
            amount=np.hstack([self.amount, other.amount]),
            measured=np.hstack([self.measured, other.measured]),
            estimated=np.hstack([self.estimated, other.estimated]),
        )

    def part(self, first: int, last: int) -> "Use":
        """Return the periods from one place up to another."""
        return self._of(slice(first, last))

    def as_one(self) -> "Use":
        """Return all periods as one, none of none."""
        if not len(self):
            return self
        known = np.isfinite(self.amount).any(axis=1)
        weight = (self.hours / self.hours.sum())[:, None]
        return replace(
            self,
            starts=self.starts[:1],
            ends=self.ends[-1:],
            amount=np.where(known, np.nansum(self.amount, axis=1), np.nan)[:, None],
            measured=self.measured @ weight,
            estimated=self.estimated @ weight,
        )

    def unit(self, point: str) -> str:
        """Return the unit of a point's consumption, empty where nothing is known of it."""
        return self.units[self.place[point]] if point in self.place else ""

    def whole(self, points: Iterable[str], unit: str = "") -> Figure | None:
        """Return the consumption over the span of points together in a unit (else their most usual), None of none."""
        return self._sum(points, slice(None), unit)

    def period(self, column: int, points: Iterable[str], unit: str = "") -> Figure | None:
        """Return the consumption in a period of points together in a unit (else their most usual), None of none."""
        return self._sum(points, slice(column, column + 1 or None), unit)

    def shares(self, points: Iterable[str]) -> Figure | None:
        """Return how well the span is known over points of whatever commodity, None of no points; no amount."""
        rows = [self.place[key] for key in points if key in self.place]
        if not rows or not len(self):
            return None
        weight = self.hours / self.hours.sum()
        measured, estimated = (float((held[rows] @ weight).mean()) for held in (self.measured, self.estimated))
        lost = 1 - (self.measured + self.estimated)[rows] @ weight
        return Figure(
            amount=None,
            unit="",
            measured=measured,
            estimated=estimated,
            missing=max(1 - measured - estimated, 0.0),
            points=len(rows),
            lacking=int((lost > COMPARABLE_MISSING).sum()),
            hours=float(self.hours.sum()),
        )

    def sums(self, points: Iterable[str], unit: str = "") -> Floats:
        """Return the sum (k,) of points in a unit (else their most usual), NaN where too much is missing."""
        rows, unit = self._rows(points, unit)
        if not rows or not len(self):
            return np.full(len(self), np.nan)
        other = np.array([self.units[row] != unit for row in rows])[:, None]
        amount = np.where(other, np.nan, self.amount[rows])
        unknown = np.isnan(amount)
        known = np.where(unknown, 0.0, self.measured[rows] + self.estimated[rows]).mean(axis=0)
        lost = np.maximum(1 - known, unknown.mean(axis=0))
        return np.where(lost <= COMPARABLE_MISSING, np.nansum(amount, axis=0), np.nan)

    def _rows(self, points: Iterable[str], unit: str) -> tuple[list[int], str]:
        """Return the places of points, and the unit asked for, else the most usual one of them."""
        rows = [self.place[key] for key in points if key in self.place]
        named = [u for row in rows if (u := self.units[row])]
        return rows, unit or (max(dict.fromkeys(named), key=named.count) if named else "")

    def _sum(self, points: Iterable[str], columns: slice, unit: str) -> Figure | None:
        """Return the sum over points. What is not known, or counted in another unit, lacks; it is not zero."""
        rows, unit = self._rows(points, unit)
        hours = self.hours[columns]
        if not rows or not hours.sum():
            return None
        amount = self.amount[rows, columns]
        known = np.isfinite(amount).any(axis=1) & np.array([self.units[row] == unit for row in rows])
        measured, estimated = (
            float(np.where(known, held[rows, columns] @ hours, 0.0).mean() / hours.sum())
            for held in (self.measured, self.estimated)
        )
        return Figure(
            amount=float(np.nansum(amount[known])) if known.any() else None,
            unit=unit,
            measured=measured,
            estimated=estimated,
            missing=max(1 - measured - estimated, 0.0),
            points=len(rows),
            lacking=len(rows) - int(known.sum()),
            hours=float(hours.sum()),
        )


def use_of(room: Room, points: Sequence[Point], period: Period, start: datetime, end: datetime) -> Use:
    """Return what points used in the periods of [start, end), none of an empty span."""
    question = Question(
        points=tuple(p.id for p in points),
        period=period,
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        zone=room.deps.zone,
    )
    parts = room.ask(question) if start < end else ()
    none = np.empty(0, "datetime64[us]")
    starts, ends = (parts[0].starts, parts[0].ends) if parts else (none, none)
    amount, measured, estimated = (
        np.array([getattr(p, name) for p in parts], np.float64).reshape(len(points), len(starts))
        for name in ("amount", "measured", "estimated")
    )
    return Use(
        starts=starts,
        ends=ends,
        place={p.id: n for n, p in enumerate(points)},
        units=tuple(p.unit for p in parts) or ("",) * len(points),
        amount=amount,
        measured=measured,
        estimated=estimated,
    )


# The year


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """This year so far and the year before until the same date, and all of the year before, of some points."""

    span: ToDate
    zone: ZoneInfo
    now: Use
    before: Use
    whole_before: Use

    @property
    def last_month(self) -> date:
        """The first day of the last month so far."""
        return self.now.days(self.zone)[-1]

    def of_point(self, point: str) -> Versus:
        """Return a point's year."""
        return versus(self.now.whole([point]) or UNKNOWN, self.before.whole([point]))

    def of(self, points: Iterable[Point], unit: str = "") -> Versus | None:
        """Return the year of points together in a unit (else their most usual), None of no points."""
        ids = [p.id for p in points]
        now = self.now.whole(ids, unit)
        return None if now is None else versus(now, self.before.whole(ids, unit))

    def month(self, points: Iterable[Point]) -> Versus | None:
        """Return the last month so far of points of one commodity together, None of no points."""
        ids = [p.id for p in points]
        now = self.now.period(-1, ids)
        return None if now is None else versus(now, self.before.period(-1, ids))

    def by_month(self, points: Sequence[Point]) -> list["MonthOf"]:
        """Return each month of this year so far and the whole one of the year before."""
        ids = [p.id for p in points]
        return [
            MonthOf(number=n, now=self._month(self.now, n, ids), before=self._month(self.whole_before, n, ids))
            for n in range(1, 13)
        ]

    def _month(self, use: Use, number: int, points: Sequence[str]) -> Figure | None:
        return use.period(number - 1, points) if number <= len(use) else None

    def trend(self, points: Sequence[Point], unit: str = "") -> list[float | None]:
        """Return the amounts of the last twelve whole months, the oldest first, None where too much is missing."""
        ids = [p.id for p in points]
        whole = self.now.first(len(self.now) - (self.span.cut.day != 1))
        amounts = np.append(self.whole_before.sums(ids, unit), whole.sums(ids, unit))[-12:].tolist()
        return [None if a != a else a for a in amounts]  # noqa: PLR0124 - NaN


UNKNOWN: Final = Figure(amount=None, unit="", measured=0.0, estimated=0.0, missing=1.0, lacking=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOf:
    """A month by its number: this year's figure and that of the year before, None where there is none."""

    number: int
    now: Figure | None
    before: Figure | None


def year_of(room: Room, points: Sequence[Point]) -> Year:
    """Return this year so far and the year before, of these points."""
    zone = room.deps.zone
    span = to_date(room.deps.clock(), zone)
    whole_before = use_of(room, points, Period.MONTH, span.start_before, span.start)
    months = use_of(room, points, Period.MONTH, span.start, span.cut.replace(day=1))
    past = whole_before.first(12 * (span.cut_before.year - span.start_before.year) + span.cut_before.month - 1)
    now, before = (
        whole.then(use_of(room, points, Period.DAY, cut.replace(day=1), cut).as_one())
        for whole, cut in ((months, span.cut), (past, span.cut_before))
    )
    return Year(span=span, zone=zone, now=now, before=before, whole_before=whole_before)


# Carriers


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Points of one commodity in one unit that may be added up; `name` tells the unit too where there are several."""

    commodity: Commodity
    unit: str
    points: tuple[Point, ...]
    several: bool = False

    @property
    def key(self) -> str:
        """How an address names it."""
        return f"{self.commodity.value}-{self.unit}" if self.several else self.commodity.value


def carriers(room: Room, points: Sequence[Point], year: Year) -> list[Carrier]:
    """Return what may be added up of these points: by commodity, and within it by unit."""
    chosen = addends(points, room.now()).points
    found: dict[tuple[Commodity, str], list[Point]] = {}
    for commodity in Commodity:
        members = [p for p in chosen if p.commodity is commodity]
        named = [u for p in members if (u := year.now.unit(p.id) or year.whole_before.unit(p.id))]
        usual = max(dict.fromkeys(named), key=named.count) if named else UNITS[commodity]
        for p in members:
            unit = year.now.unit(p.id) or year.whole_before.unit(p.id) or usual
            found.setdefault((commodity, unit), []).append(p)
    kinds = [commodity for commodity, _ in found]
    return [
        Carrier(commodity=c, unit=unit, points=tuple(members), several=kinds.count(c) > 1)
        for (c, unit), members in found.items()
    ]
