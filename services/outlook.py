"""What the first page tells and takes long to work out: the use that the weather explains, what measures saved, peaks.

The worker works it out now and then and keeps it by point, so that a page adds up what its reader sees. Expected is
what a point would have used by the habits of the year before in the weather of this year: its baseline learns from the
whole calendar year before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from analytics.baseline.days import Bools, Dates
from analytics.baseline.fit import Fits
from analytics.baseline.saving import month_spans, savings
from analytics.baseline.sufficiency import Reason, sufficiency
from analytics.sharing import together
from core.ports import RecordStore
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Measure, Point, Role
from services.baselines import KINDS, Baselines, Trained, Window
from services.daily_use import Ask
from services.demand import DemandMonth, demand
from services.monthly_use import months_between
from services.savings import Share, without_works

CHUNK: Final = 60
KEPT: Final = "outlook/"
MADE: Final = "outlook/made"
Stopped = Callable[[], bool]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was used and what was to be expected [unit] on `days` of `of_days` days, with half its intervals' width."""

    first: date
    days: int
    of_days: int
    actual: float
    predicted: float
    half68: float
    half90: float

    @property
    def percent(self) -> float | None:
        """How much more than expected was used [%]."""
        return 100 * (self.actual - self.predicted) / self.predicted if self.predicted > 0 else None

    @property
    def half90_percent(self) -> float | None:
        """Half the width of the 90 % interval of `percent`."""
        return 100 * self.half90 / self.predicted if self.predicted > 0 else None

    @property
    def significant(self) -> bool:
        """Whether the 90 % interval of the difference excludes zero."""
        return abs(self.actual - self.predicted) > self.half90


@dataclass(frozen=True, slots=True, kw_only=True)
class PointOutlook:
    """A point's year so far and its months against what was to be expected; `reasons` say why there is none."""

    point: str
    unit: str
    reasons: tuple[Reason, ...] = ()
    year: Expected | None = None
    months: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest quarter-hour of a point in the running month [kW] against what is reserved."""

    point: str
    month: date
    peak_kw: float
    reserved_kw: float
    at: datetime | None
    breach_czk: float | None

    @property
    def share(self) -> float:
        """The part of what is reserved that was used."""
        return self.peak_kw / self.reserved_kw


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """All of it, as of the last whole day."""

    last: date
    points: tuple[PointOutlook, ...] = ()
    shares: tuple[Share, ...] = ()
    peaks: tuple[Peak, ...] = ()
    of_point: Mapping[str, PointOutlook] = field(default_factory=dict)

    def together(self, points: Iterable[str], month: date | None = None) -> tuple[Expected | None, int]:
        """Return the year, or a month by its first day, of points of one unit together, and of how many it is known.

        Errors of points are taken to go partly together.
        """
        told = [self.of_point[key] for key in points if key in self.of_point]
        known = [one for of in told if (one := _of(of, month)) is not None]
        if not known:
            return None, 0
        half = together(np.array([[one.half68, one.half90] for one in known]))
        return Expected(
            first=known[0].first,
            days=min(one.days for one in known),
            of_days=known[0].of_days,
            actual=sum(one.actual for one in known),
            predicted=sum(one.predicted for one in known),
            half68=float(half[0]),
            half90=float(half[1]),
        ), len(known)

    def together_all(self, points: Sequence[str], month: date | None) -> Expected | None:
        """Return the year, or a month by its first day, of points together; None unless it is known of all of them."""
        found, known = self.together(points, month)
        return found if known == len(points) else None


def _of(told: PointOutlook, month: date | None) -> Expected | None:
    return told.year if month is None else next((m for m in told.months if m.first == month), None)


# Working it out


def expectations(
    baselines: Baselines, points: Sequence[Point], measures: Sequence[Measure], last: date, *, stopped: Stopped
) -> list[PointOutlook]:
    """Return what points were to use in the year of the day `last` until that day, by month and together."""
    mine = [p for p in points if p.commodity in KINDS]
    first, end = date(last.year - 1, 1, 1), date(last.year - 1, 12, 31)
    baselines = without_works(baselines, {p.id: p for p in mine}, measures)
    baselines.look_up(mine, first, last)
    windows = [Window(point=p, first=first, last=end) for p in mine]
    made: list[PointOutlook] = []
    for n in range(0, len(windows), CHUNK):
        if stopped():
            break
        made += [_expected(baselines, trained, last) for trained in baselines.train(windows[n : n + CHUNK])]
    return made


def _expected(baselines: Baselines, trained: Trained, last: date) -> PointOutlook:
    point, unit = trained.window.point.id, trained.unit
    if trained.reasons:
        return PointOutlook(point=point, unit=unit, reasons=trained.reasons)
    fits, _ = baselines.applied(trained, last)
    after = ~fits.train
    barred = tuple(sufficiency(fits, after).predict[0])
    if barred:
        return PointOutlook(point=point, unit=unit, reasons=barred)
    firsts, each, running = month_spans(fits.days.day, after)
    spans = np.concatenate([each, running[-1:]])
    told = _spans(baselines, fits, np.append(firsts, firsts[:1]), spans)
    return PointOutlook(point=point, unit=unit, year=told[-1], months=tuple(told[:-1]))


def _spans(baselines: Baselines, fits: Fits, firsts: Dates, spans: Bools) -> list[Expected]:
    made = savings(fits, spans, baselines.facts.calibration)
    columns = (made.days[0], spans.sum(axis=1), made.actual[0], made.predicted[0], made.half68[0], made.half90[0])
    days = firsts.astype("datetime64[D]").tolist()
    return [
        Expected(first=first, days=d, of_days=of, actual=a, predicted=p, half68=h68, half90=h90)
        for first, d, of, a, p, h68, h90 in zip(days, *(c.tolist() for c in columns), strict=True)
    ]


def peaks(
    points: Sequence[Point],
    owners: Mapping[str, Building],
    last: date,
    *,
    ask: Ask,
    tables: RegionTables,
    zone: ZoneInfo,
    stopped: Stopped,
) -> list[Peak]:
    """Return the peaks of the month of the day `last` at points with reserved capacity, the nearest to it first."""
    start = datetime.combine(last.replace(day=1), time(), zone)
    month = months_between(start, (start + timedelta(days=32)).replace(day=1), zone)
    found: list[Peak] = []
    for point in points:
        if stopped():
            break
        if point.commodity is Commodity.ELECTRICITY and point.reserved_kw and point.role is not Role.VIRTUAL:
            owner = owners[point.building].organisation if point.building in owners else ""
            (told,) = demand(point, owner, month, ask=ask, tables=tables).months
            found += _peak(point, told)
    return sorted(found, key=lambda peak: -peak.share)


def _peak(point: Point, told: DemandMonth) -> list[Peak]:
    reserved = (told.yearly_kw or 0.0) + told.monthly_kw
    if told.peak_kw is None or reserved <= 0:
        return []
    return [
        Peak(
            point=point.id,
            month=told.first,
            peak_kw=told.peak_kw,
            reserved_kw=reserved,
            at=told.at,
            breach_czk=told.breach_czk,
        )
    ]


# Keeping it


def keep_outlook(records: RecordStore, found: Outlook, now: datetime) -> None:
    """Keep an outlook; what says when it was made is kept last, so that whoever sees it finds the rest."""
    for name in ("last", "points", "shares", "peaks"):
        records.keep(f"{KEPT}{name}", msgspec.json.encode(getattr(found, name)).decode())
    records.keep(MADE, now.isoformat())


def kept_outlook(records: RecordStore) -> Outlook | None:
    """Return the outlook that is kept, None where none has been worked out yet."""
    if not records.kept(MADE):
        return None
    points = _kept(records, "points", tuple[PointOutlook, ...])
    return Outlook(
        last=_kept(records, "last", date),
        points=points,
        shares=_kept(records, "shares", tuple[Share, ...]),
        peaks=_kept(records, "peaks", tuple[Peak, ...]),
        of_point={one.point: one for one in points},
    )


def _kept(records: RecordStore, name: str, kind: type[T]) -> T:
    return msgspec.json.decode(records.kept(f"{KEPT}{name}"), type=kind)
