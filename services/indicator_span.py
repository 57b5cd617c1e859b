"""A span of days as the months it touches, and what points used in them, in whole millionths.

Every amount of a point and a month is rounded once, to a millionth of a kWh, m³ or kg. All sums are of these whole
numbers, so that buildings add up to the region and months to the year, to the last digit. A span may cut a month: what
was used until its ends is rounded from the month's begin on, so that its pieces add up to the month.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import Bools, Instants, Longs, Period, instant, moment, spans
from core.readings import Floats
from core.registry import Point
from core.rollup import NANO
from services.consumption import PointConsumption, Question
from services.monthly_use import Ask, MonthlyUse, Months, monthly_use

_NOTHING: Final = {"amount": np.nan, "measured": 0.0, "estimated": 0.0, "missing": 1.0}
MILLION: Final = 1_000_000
"""Atoms in one kWh, m³, kg or Kč."""
_NANO_PER_ATOM: Final = NANO // MILLION


def atoms(amount: Floats) -> Longs:
    """Return amounts in whole millionths, 0 for what is not known."""
    nano = np.rint(np.nan_to_num(amount) * NANO).astype(np.int64)
    return _rounded(nano)


def _rounded(nano: Longs) -> Longs:
    return np.asarray((nano + _NANO_PER_ATOM // 2) // _NANO_PER_ATOM)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the begin of a local day."""
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The days [first, end) and the m pieces of months that they are; `over_h` are a piece's hours that are over.

    A day is over when it ended before the cut-off. `whole` tells of which pieces are whole months.
    """

    first: date
    end: date
    months: Months
    over_h: Floats
    whole: Bools

    @property
    def of_months(self) -> bool:
        """Whether it begins and ends with a month."""
        return bool(self.whole.all())

    @property
    def running(self) -> bool:
        """Whether some of it is not over."""
        return bool(self.over_h.sum() < self.months.hours.sum() - 1e-9)

    @property
    def begun(self) -> bool:
        """Whether a day of it is over."""
        return bool(self.over_h.sum() > 0)


def span_of(first: date, end: date, cutoff: datetime, zone: ZoneInfo) -> Span:
    """Return the span of the days [first, end) as it is known at a cut-off."""
    begin, close = instant(midnight(first, zone)), instant(midnight(end, zone))
    starts, ends = spans(Period.MONTH, begin, close, zone)
    cut_starts, cut_ends = np.maximum(starts, begin), np.minimum(ends, close)
    over = instant(midnight(cutoff.astimezone(zone).date(), zone))
    over_h = np.maximum(np.minimum(cut_ends, over) - cut_starts, np.timedelta64(0)) / np.timedelta64(1, "h")
    months = Months(
        starts=cut_starts,
        ends=cut_ends,
        firsts=tuple(moment(at).astimezone(zone).date() for at in cut_starts),
        period=np.zeros(len(starts), np.int64),
        period_starts=cut_starts[:1],
        period_ends=cut_ends[-1:],
        zone=zone,
    )
    whole = (cut_starts == starts) & (cut_ends == ends)
    return Span(first=first, end=end, months=months, over_h=np.asarray(over_h, float), whole=whole)


def years_ago(day: date, years: int) -> date:
    """Return the same day so many years ago, 29 February as the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def use_of(ask: Ask, points: Sequence[Point], span: Span, *, register: str = "") -> MonthlyUse:
    """Ask for what points used in the pieces of a span; amounts are rounded to whole millionths."""
    months = span.months
    if span.of_months:
        use = monthly_use(ask, points, months, register=register)
        return replace(use, amount=np.where(np.isnan(use.amount), np.nan, atoms(use.amount) / MILLION))
    full = _whole_months(months)
    use = monthly_use(ask, points, full, register=register)
    table = {name: getattr(use, name).copy() for name in ("amount", "measured", "estimated", "missing")}
    table["amount"] = np.where(np.isnan(use.amount), np.nan, atoms(use.amount) / MILLION)
    for column in np.flatnonzero(~span.whole).tolist():
        _cut(table, column, ask, points, span, full, register)
    return replace(use, months=months, **table)


def _whole_months(months: Months) -> Months:
    starts, ends = spans(Period.MONTH, months.starts[0], months.ends[-1], months.zone)
    return replace(months, starts=starts, ends=ends, period_starts=starts[:1], period_ends=ends[-1:])


def _cut(  # noqa: PLR0917 - the parts of one question
    table: dict[str, Floats],
    column: int,
    ask: Ask,
    points: Sequence[Point],
    span: Span,
    full: Months,
    register: str,
) -> None:
    """Put what was used in a piece of a month in the place of the month, from its days."""
    start, end = span.months.starts[column], span.months.ends[column]
    names = tuple(p.id for p in points)
    question = Question(
        points=names,
        period=Period.DAY,
        start=moment(full.starts[column]),
        end=moment(end),
        zone=full.zone,
        register=register,
    )
    place = {name: row for row, name in enumerate(names)}
    for name, values in table.items():
        values[:, column] = _NOTHING[name]
    for part in ask(question) if names else ():
        row = place[part.point]
        inside = part.starts >= start
        hours = np.where(inside, (part.ends - part.starts) / np.timedelta64(1, "h"), 0.0)
        for name in ("measured", "estimated", "missing"):
            table[name][row, column] = float((getattr(part, name) * hours).sum() / max(hours.sum(), 1e-9))
        table["amount"][row, column] = _since(part, start)


def _since(part: PointConsumption, start: np.datetime64) -> float:
    """Return what a point used from an instant on: until the end less until then, both rounded."""
    inside = part.starts >= start
    if not np.isfinite(part.amount[inside]).any():
        return np.nan
    nano = np.rint(np.nan_to_num(part.amount) * NANO).astype(np.int64)
    ends = _rounded(np.array([nano.sum(), nano[~inside].sum()]))
    return float((ends[0] - ends[1]) / MILLION)


def month_ends(span: Span, cutoff: datetime) -> Instants:
    """Return the instants at which the pieces of a span end, the cut-off where that is earlier."""
    return np.minimum(span.months.ends, instant(cutoff))


def last_day(cutoff: datetime, zone: ZoneInfo) -> date:
    """Return the last day that is over at a cut-off."""
    return cutoff.astimezone(zone).date() - timedelta(days=1)
