"""Measures as people ask for them: what all points of one saved together, what that was worth, when it pays back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from analytics.sharing import together
from core.registry import Measure, Point
from core.rollup import NANO
from services.savings import Month, Reason, Share

PriceOf = Callable[[Point, date], float | None]
"""What one more unit of a point's commodity costs in the month that begins on a day [Kč], None where nobody said it."""
YEAR_DAYS: Final = 365.25
WHOLE_YEAR: Final = 330
"""Days of reporting from which on a year may be told from them: fewer may lack a season."""


class Status(StrEnum):
    """How much of a measure's saving is known."""

    KNOWN = "known"
    PARTLY = "partly_known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A saving [unit] with half the width of its intervals."""

    nano: int
    half68: float
    half90: float

    @property
    def saving(self) -> float:
        """The saving in whole units."""
        return self.nano / NANO

    @property
    def significant(self) -> bool:
        """Whether the 90 % interval excludes zero."""
        return abs(self.saving) > self.half90


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMonth:
    """A month of savings in one unit: of the month, and from the begin to its end."""

    month: date
    alone: Sum
    so_far: Sum
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSaving:
    """Savings in one unit over the points that count it; `points` of which something is known."""

    unit: str
    months: tuple[UnitMonth, ...]
    points: int

    @property
    def total(self) -> Sum:
        """The saving so far."""
        return self.months[-1].so_far


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a measure's known saving was worth [Kč], at the prices of its months; None where `reason` says why.

    `payback_years` is the investment by the worth of a year, `own_payback_years` the part that no subsidy paid.
    """

    czk: float | None
    half90_czk: float | None
    reason: Reason | None
    year_czk: float | None
    payback_years: float | None
    own_payback_years: float | None
    payback_reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSaving:
    """What a measure saved, by unit and by point."""

    measure: Measure
    shares: tuple[Share, ...]
    units: tuple[UnitSaving, ...]
    worth: Worth

    @property
    def status(self) -> Status:
        """How much of it is known."""
        if not any(share.months for share in self.shares):
            return Status.UNKNOWN
        return Status.KNOWN if all(share.known for share in self.shares) else Status.PARTLY


def measured(
    measures: Sequence[Measure], shares: Iterable[Share], points: Mapping[str, Point], price_of: PriceOf
) -> list[MeasureSaving]:
    """Return what each measure saved, in their order."""
    of_measure: dict[str, list[Share]] = {}
    for share in shares:
        of_measure.setdefault(share.measure, []).append(share)
    return [_measured(m, tuple(of_measure.get(m.id, ())), points, price_of) for m in measures]


def _measured(
    measure: Measure, shares: tuple[Share, ...], points: Mapping[str, Point], price_of: PriceOf
) -> MeasureSaving:
    units = by_unit(shares)
    return MeasureSaving(measure=measure, shares=shares, units=units, worth=_worth(measure, shares, points, price_of))


def by_unit(shares: Iterable[Share]) -> tuple[UnitSaving, ...]:
    """Return the sums of shares by unit; errors of points are taken to go partly together."""
    known: dict[str, list[Share]] = {}
    for share in shares:
        if share.months:
            known.setdefault(share.unit, []).append(share)
    return tuple(
        UnitSaving(unit=unit, months=_months(mine), points=len({s.point for s in mine})) for unit, mine in known.items()
    )


def _months(shares: Sequence[Share]) -> tuple[UnitMonth, ...]:
    months = sorted({month.month for share in shares for month in share.months})
    held = [{month.month: month for month in share.months} for share in shares]
    latest: list[Month | None] = [None] * len(shares)
    made: list[UnitMonth] = []
    for month in months:
        latest = [of.get(month, former) for of, former in zip(held, latest, strict=True)]
        names = [share.point for share in shares]
        now = [(name, of[month]) for name, of in zip(names, held, strict=True) if month in of]
        before = [(name, one) for name, one in zip(names, latest, strict=True) if one is not None]
        made.append(
            UnitMonth(
                month=month,
                alone=_sum([(p, m.saving_nano, m.half68, m.half90) for p, m in now]),
                so_far=_sum([(p, m.so_far_nano, m.so_far_half68, m.so_far_half90) for p, m in before]),
                points=len({point for point, _ in now}),
            )
        )
    return tuple(made)


def _sum(parts: Sequence[tuple[str, int, float, float]]) -> Sum:
    """Return the sum of savings by point; those of one point share one error, those of several go partly together."""
    names = list(dict.fromkeys(part[0] for part in parts))
    half = np.zeros((len(names), 2))
    for point, _, half68, half90 in parts:
        half[names.index(point)] += (half68, half90)
    wide = together(half)
    return Sum(nano=sum(part[1] for part in parts), half68=float(wide[0]), half90=float(wide[1]))


# Money


def _worth(measure: Measure, shares: Sequence[Share], points: Mapping[str, Point], price_of: PriceOf) -> Worth:
    known = [share for share in shares if share.months]
    if not known:
        return _no_worth(Reason(code="no_saving", facts={}))
    priced = [(share, _prices(share, points[share.point], price_of)) for share in known]
    lacking = sorted({share.point for share, prices in priced if any(p is None for p in prices)})
    if lacking:
        return _no_worth(Reason(code="no_price", facts={"points": ", ".join(lacking)}))
    czk = sum(_czk(share, prices) for share, prices in priced)
    half90 = float(together(np.array([[_half_czk(share, prices)] for share, prices in priced]))[0])
    days = max(sum(month.days for month in share.months) for share in known)
    year, reason = _year(czk, half90, days)
    own = max((measure.investment_czk or 0.0) - (measure.subsidy_czk or 0.0), 0.0)
    invested = measure.investment_czk
    reason = reason or (Reason(code="no_investment", facts={}) if invested is None else None)
    paid = year is not None and invested is not None
    return Worth(
        czk=czk,
        half90_czk=half90,
        reason=None,
        year_czk=year,
        payback_years=invested / year if paid and year and invested is not None else None,
        own_payback_years=own / year if paid and year else None,
        payback_reason=reason,
    )


def _no_worth(reason: Reason) -> Worth:
    return Worth(
        czk=None,
        half90_czk=None,
        reason=reason,
        year_czk=None,
        payback_years=None,
        own_payback_years=None,
        payback_reason=reason,
    )


def _prices(share: Share, point: Point, price_of: PriceOf) -> list[float | None]:
    return [price_of(point, month.month) for month in share.months]


def _czk(share: Share, prices: Sequence[float | None]) -> float:
    return sum(m.saving_nano / NANO * (p or 0.0) for m, p in zip(share.months, prices, strict=True))


def _half_czk(share: Share, prices: Sequence[float | None]) -> float:
    """Return half the interval's width in Kč: that of the saving so far, at the mean price of the baseline."""
    weight = np.array([abs(m.baseline) for m in share.months])
    mean = float(np.average([p or 0.0 for p in prices], weights=weight if weight.sum() > 0 else None))
    return share.months[-1].so_far_half90 * mean


def _year(czk: float, half90_czk: float, days: int) -> tuple[float | None, Reason | None]:
    """Return what a year is worth, or why that is not told."""
    if days < WHOLE_YEAR:
        return None, Reason(code="short_year", facts={"days": days})
    if czk <= half90_czk:
        return None, Reason(code="not_significant", facts={})
    return czk / days * YEAR_DAYS, None


# Totals


def of_plan(savings: Iterable[MeasureSaving], activity: str = "") -> list[MeasureSaving]:
    """Return the measures that count in the plan's totals: those tagged with an activity, with this one where named."""
    return [s for s in savings if s.measure.activity and activity in {"", s.measure.activity}]


def once(shares: Sequence[Share], points: Mapping[str, Point]) -> list[Share]:
    """Return shares without the months in which a point above, which counts the same consumption, has one of its own.

    So a measure at a sub-meter and another at the meter above it count what the sub-meter saved once.
    """
    held: dict[str, set[date]] = {}
    for share in shares:
        held.setdefault(share.point, set()).update(month.month for month in share.months)
    kept: list[Share] = []
    for share in shares:
        above = set().union(*(held.get(key, set()) for key in counting_too(share.point, points)))
        months = [month for month in share.months if month.month not in above]
        kept.append(share if len(months) == len(share.months) else _restarted(share, months))
    return kept


def counting_too(key: str, points: Mapping[str, Point]) -> set[str]:
    """Return the points that count a point's consumption too: those above it, and those made of it or of them."""
    found: set[str] = set()
    ahead = [key]
    while ahead:
        now = ahead.pop()
        parent = {points[now].parent} - {""} if now in points else set()
        made = {p.id for p in points.values() if any(term.point == now for term in p.terms)}
        ahead += sorted((parent | made) - found)
        found |= parent | made
    return found - {key}


def within(shares: Iterable[Share], first: date, last: date, *, until: date | None = None) -> tuple[UnitSaving, ...]:
    """Return the sums by unit of the whole months within the days first to last.

    The month that is running counts too where the span reaches to `until`, the last day that is known.
    A span's interval is no wider than its months' together, nor than that of the saving since the begin.
    """
    cut: list[Share] = []
    for share in shares:
        running = until is not None and last >= until
        months = [m for m in share.months if first <= m.month <= last and (running or _end(m.month) <= last)]
        if months:
            cut.append(_restarted(share, months))
    return by_unit(cut)


def _end(month: date) -> date:
    """Return the last day of a month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _restarted(share: Share, months: Sequence[Month]) -> Share:
    """Return a share whose sums begin anew with these months."""
    total, half68, half90, made = 0, 0.0, 0.0, []
    for month in months:
        total, half68, half90 = total + month.saving_nano, half68 + month.half68, half90 + month.half90
        made.append(
            replace(
                month,
                so_far_nano=total,
                so_far_half68=min(half68, month.so_far_half68),
                so_far_half90=min(half90, month.so_far_half90),
            )
        )
    return replace(share, months=tuple(made))
