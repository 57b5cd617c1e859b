"""A point's electricity demand: the quarter-hour maxima of its months against what is reserved, their cost, advice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.cost_demand import Advice, Booked, Charges, NoAdvice, advise, charges
from analytics.demand import DurationCurve, Maxima, Quarters, duration_curve, monthly_maxima, quarters
from core.calendar import PRAGUE, Period, moment
from core.errors import InputError
from core.readings import Floats
from core.region_tables import RegionTables
from core.registry import Commodity, Dated, Point, in_force
from core.tariffs import CapacityRule, Connection, Tariffs
from services.consumption import Question
from services.monthly_use import Ask, Months, months_between

__all__ = [
    "Advice", "CapacityAdvice", "Demand", "DemandMonth", "NoAdvice", "advice", "booked_of", "demand", "maxima_of",
    "months_of", "year_until",
]  # fmt: skip

YEARLY, MONTHLY, INPUT = "", "monthly", "input"
"""Kinds of a point's dated `reserved_kw`: for the year, more for the month it begins in, input power of the point."""
MONTHS_FIXED: Final = 12
"""A yearly capacity may be lowered this many months after its last change; raised any month."""
ENOUGH: Final = 0.9
"""The least share of a month's quarter-hours that its maximum is taken from, for advice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandMonth:
    """A month's maximum [kW], what was reserved, and its cost [Kč without VAT]; None where it is not known.

    `counted` of `expected` quarter-hours are measured; `coarse` rest on readings too far apart to show a peak.
    `reasons` say what is lacking: gaps, coarse, no_reserved, no_connection, no_rule, no_price.
    """

    first: date
    peak_kw: float | None
    at: datetime | None
    counted: int
    expected: int
    coarse: int
    yearly_kw: float | None
    monthly_kw: float
    input_kw: float | None
    breach_kw: float | None
    capacity_czk: float | None
    breach_czk: float | None
    plan: str
    rule: CapacityRule | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A point's demand over whole months."""

    point: Point
    months: tuple[DemandMonth, ...]
    curve: DurationCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityAdvice:
    """What would be cheapest by the rule of `rule_day`, from the 12 months before `end`.

    `lowered_from`: the first month in which the yearly capacity may be lowered, None where that is any time.
    """

    first: date
    end: date
    firsts: tuple[date, ...]
    peaks_kw: tuple[float | None, ...]
    rule: CapacityRule | None
    rule_day: date
    found: Advice | NoAdvice
    yearly_only: Advice | NoAdvice
    lowered_from: date | None


def demand(point: Point, owner: str, months: Months, *, ask: Ask, tables: RegionTables) -> Demand:
    """Return the demand of a point by month; raise InputError for one that is not of electricity."""
    found = _quarters(point, months, ask)
    maxima = monthly_maxima(found, np.append(months.starts, months.ends[-1:]))
    coming = [_coming(found, months, i) for i in range(len(months.firsts))]
    rows = months_of(point, owner, months, maxima, tables=tables, coming=coming)
    return Demand(point=point, months=rows, curve=duration_curve(found.power_kw))


def maxima_of(point: Point, months: Months, *, ask: Ask) -> Maxima:
    """Return the highest quarter-hours of a point by month; raise InputError for one that is not of electricity."""
    return monthly_maxima(_quarters(point, months, ask), np.append(months.starts, months.ends[-1:]))


def months_of(
    point: Point, owner: str, months: Months, maxima: Maxima, *, tables: RegionTables, coming: Sequence[bool] = ()
) -> tuple[DemandMonth, ...]:
    """Return what a point's maxima are against what it reserved, and what they cost, by month."""
    booked = booked_of(point, months.firsts)
    connections = [tables.tariffs.connection(point, owner, first) for first in months.firsts]
    rules = [tables.tariffs.rule(c, first) for c, first in zip(connections, months.firsts, strict=True)]
    told = coming or [False] * len(months.firsts)
    return tuple(
        _month(months, i, maxima, booked, connections[i], rules[i], coming=told[i]) for i in range(len(months.firsts))
    )


def _quarters(point: Point, months: Months, ask: Ask) -> Quarters:
    if point.commodity is not Commodity.ELECTRICITY:
        raise InputError(
            f"point {point.id} is of {point.commodity}, which has no quarter-hour demand",
            place="point",
            remedy="name a point of electricity",
        )
    question = Question(
        points=(point.id,),
        period=Period.QUARTER_HOUR,
        start=moment(months.starts[0]),
        end=moment(months.ends[-1]),
        zone=months.zone,
    )
    parts = ask(question)
    if not parts or parts[0].unit != "kWh":
        none = np.empty(0, "M8[us]")
        return quarters(none, np.empty(0), np.empty(0), none, none)
    part = parts[0]
    return quarters(part.starts, part.amount, part.measured, part.first_at, part.last_at)


def _coming(found: Quarters, months: Months, place: int) -> bool:
    """Return whether a month had not ended at the last quarter-hour that counts."""
    known = found.starts[np.isfinite(found.power_kw)]
    return bool(len(known)) and bool(known[-1] < months.starts[place])


def booked_of(point: Point, firsts: Sequence[date]) -> Booked:
    """Return what a point has reserved in months; monthly capacity is that of the month in which it begins."""

    def of(kind: str) -> Floats:
        found = [in_force(point.reserved_kw, first, kind) for first in firsts]
        return np.array([np.nan if value is None else value for value in found], np.float64)

    monthly = {v.since.replace(day=1): v.value for v in sorted(point.reserved_kw, key=_since) if v.kind == MONTHLY}
    more = np.array([monthly.get(first, 0.0) for first in firsts], np.float64)
    yearly = of(YEARLY)
    yearly = np.where(np.isnan(yearly) & (more > 0), 0.0, yearly)
    return Booked(yearly_kw=yearly, monthly_kw=more, input_kw=of(INPUT))


def _since(value: Dated) -> date:
    return value.since


def _one(booked: Booked, place: int) -> Booked:
    cut = slice(place, place + 1)
    return Booked(yearly_kw=booked.yearly_kw[cut], monthly_kw=booked.monthly_kw[cut], input_kw=booked.input_kw[cut])


def charged(peak_kw: Floats, booked: Booked, rules: Sequence[CapacityRule | None]) -> list[Charges | None]:
    """Return what each month costs by its own rule, None where there is none."""
    return [
        None if rule is None else charges(peak_kw[i : i + 1], _one(booked, i), rule) for i, rule in enumerate(rules)
    ]


def _month(  # noqa: PLR0917 - the parts of one answer
    months: Months,
    place: int,
    maxima: Maxima,
    booked: Booked,
    connection: Connection | None,
    rule: CapacityRule | None,
    *,
    coming: bool,
) -> DemandMonth:
    made = charged(maxima.peak_kw[place : place + 1], _one(booked, place), [rule])[0]
    peak = _known(maxima.peak_kw[place])
    capacity = None if made is None else _known(made.capacity_czk[0])
    cost = None if made is None else _known(made.breach_czk[0])
    over = _over(peak, booked, place) if made is None else _known(made.breach_kw[0])
    yearly = _known(booked.yearly_kw[place])
    gaps = int(maxima.counted[place]) < int(maxima.expected[place])
    told = {
        "coming": coming,
        "gaps": gaps and not coming,
        "coarse": int(maxima.coarse[place]) > 0,
        "no_reserved": yearly is None and _known(booked.input_kw[place]) is None,
        "no_connection": connection is None,
        "no_rule": connection is not None and rule is None,
        "no_price": rule is not None and peak is not None and yearly is not None and None in {capacity, cost},
    }
    at = maxima.at[place]
    return DemandMonth(
        first=months.firsts[place],
        peak_kw=peak,
        at=None if np.isnat(at) else moment(at),
        counted=int(maxima.counted[place]),
        expected=int(maxima.expected[place]),
        coarse=int(maxima.coarse[place]),
        yearly_kw=yearly,
        monthly_kw=float(booked.monthly_kw[place]),
        input_kw=_known(booked.input_kw[place]),
        breach_kw=over,
        capacity_czk=capacity,
        breach_czk=cost,
        plan=made.plan[0] if made is not None else "",
        rule=rule,
        reasons=tuple(code for code, holds in told.items() if holds),
    )


def _over(peak: float | None, booked: Booked, place: int) -> float | None:
    reserved = _known(booked.capacity_kw[place])
    return None if peak is None or reserved is None else max(peak - reserved, 0.0)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def advice(
    point: Point,
    owner: str,
    months: Months,
    *,
    ask: Ask,
    tables: RegionTables,
    margin: float = 0.0,
    rule_day: date | None = None,
) -> CapacityAdvice:
    """Return the cheapest capacity from 12 months (see `year_until`), by the rule of a day (else of the next month)."""
    found = _quarters(point, months, ask)
    maxima = monthly_maxima(found, np.append(months.starts, months.ends[-1:]))
    peak = np.where(maxima.coverage >= ENOUGH, maxima.peak_kw, np.nan)
    day = rule_day or months.span(0)[1]
    rule = _rule(tables.tariffs, point, owner, day)
    booked = booked_of(point, months.firsts)
    best, plain = (
        NoAdvice(reason="no_rule")
        if rule is None
        else advise(peak, booked, rule, whole=maxima.whole, yearly_only=only, margin=margin)
        for only in (False, True)
    )
    return CapacityAdvice(
        first=months.firsts[0],
        end=months.span(0)[1],
        firsts=months.firsts,
        peaks_kw=tuple(_known(p) for p in peak),
        rule=rule,
        rule_day=day,
        found=best,
        yearly_only=plain,
        lowered_from=_lowered_from(point, day),
    )


def year_until(now: datetime, zone: ZoneInfo = PRAGUE) -> Months:
    """Return the 12 whole local months before an instant, as one period."""
    end = datetime.combine(now.astimezone(zone).date().replace(day=1), time(), zone)
    return months_between(end.replace(year=end.year - 1), end, zone)


def _rule(tariffs: Tariffs, point: Point, owner: str, day: date) -> CapacityRule | None:
    return tariffs.rule(tariffs.connection(point, owner, day), day)


def _lowered_from(point: Point, day: date) -> date | None:
    """Return the first of the month in which the yearly capacity may be lowered, None where it may be by `day`."""
    changes = [v.since for v in point.reserved_kw if v.kind == YEARLY and v.since <= day]
    if not changes:
        return None
    last = max(changes)
    free = date(last.year + 1, last.month, 1) if last.day == 1 else _next_month(date(last.year + 1, last.month, 1))
    return free if free > day else None


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
