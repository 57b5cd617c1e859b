"""The evaluation: every point by all rules over the stored readings, and what it tells of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from alerts.grouping import Heard
from analytics.anomalies import every
from analytics.anomalies.chart import Shown, evidence
from analytics.anomalies.expected import pv_below
from analytics.anomalies.finding import Finding, Rule, still_open
from analytics.anomalies.silence import rhythm
from analytics.anomalies.tuning import USUAL, Tuning
from analytics.anomalies.waste import Days, days_of
from analytics.baseline.cleaning import Commodity as Kind
from core.alerts import Detection, Severity
from core.calendar import Longs, instant, micros, moment
from core.notes import JsonValue
from core.readings import Floats
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Point
from services.costs import unit_price
from services.demand import booked_of
from services.detection_expected import Expectation
from services.detection_past import Watching
from services.detection_rules import DAY_US, OF_EXPECTED, judged, rules_of

HISTORY: Final = timedelta(days=420)
"""How far back a point's own past is looked at: 300 days of its worst, and what these need before them."""
NEWS: Final = timedelta(days=1)
"""What ended longer ago is history and told by the back-test alone."""
PAUSES_US: Final[Mapping[Rule, int]] = {Rule.SPIKE: 7 * DAY_US, Rule.CLIPPED: 7 * DAY_US, Rule.ZEROED: DAY_US}
"""How long a fault of moments stays open after the last of them, so that one that flickers rings once."""
AFTER_A_MEASURE: Final = 365
"""Days after a measure in which using less than the baseline is what it was done for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a point is judged by besides its own readings: what was to be expected, and how its rules are tuned."""

    expectation: Expectation | None = None
    tuning: Tuning = USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an evaluation says of one point: findings, the rules that could judge, when it was heard and how often."""

    watching: Watching
    beside: Beside
    shown: Shown
    found: tuple[Finding, ...]
    judged: frozenset[Rule]
    heard: Heard | None


def told_of(watching: Watching, beside: Beside, now: datetime) -> Told:
    """Return what all rules tell of a point from what is known of it until an instant."""
    now_us, shown = int(micros(instant(now))), shown_of(watching, beside)
    found = findings(watching, shown, beside, now_us)
    silent = any(one.rule is Rule.DEAD for one in found) or _overdue(watching, now_us)
    rules = rules_of(watching.point)
    known = judged(watching, rules, now_us, silent=silent, lacking=_lacking(shown))
    return Told(
        watching=watching,
        beside=beside,
        shown=shown,
        found=tuple(found),
        judged=known | (rules & beside.tuning.off),
        heard=_heard(watching),
    )


def shown_of(watching: Watching, beside: Beside) -> Shown:
    """Return what a point is looked at by: readings, hours, days without works, and what was to be expected of them."""
    hours, told = watching.hours, beside.expectation
    if hours is None or not len(hours):
        return Shown(seen=watching.seen)
    days = days_of(hours) if told is None else told.quiet(days_of(hours))
    if told is None:
        return Shown(seen=watching.seen, hours=hours, days=days)
    return Shown(
        seen=watching.seen,
        hours=hours,
        days=days,
        expected=told.along(days, "expected"),
        temp_c=told.along(days, "temp_c"),
        sun=told.along(days, "sun_kwh_m2"),
    )


def findings(watching: Watching, shown: Shown, beside: Beside, now_us: int) -> list[Finding]:
    """Return all findings of a point until an instant, in order of time."""
    kind, tuning, unit = watching.kind, beside.tuning, watching.unit
    found: list[Finding] = []
    if shown.seen is not None:
        found += every.of_meter(shown.seen, kind or Kind.ELECTRICITY, now_us, tuning)
    if shown.hours is not None and kind is Kind.WATER:
        found += every.of_use(shown.hours, kind, watching.watched, now_us, tuning)
    if shown.days is not None and kind is Kind.ELECTRICITY:
        found += every.of_days(shown.days, watching.watched, now_us, tuning)
    if shown.days is not None and kind is not None and shown.expected is not None:
        found += _against_expected(shown, shown.days, beside, kind, unit, now_us=now_us)
    if shown.days is not None and kind is None and shown.sun is not None:
        found += pv_below(shown.days, shown.sun, unit, now_us, factor=tuning.of(Rule.PV_LOW))
    if shown.hours is not None and watching.given is not None:
        found += every.against_each_other(shown.hours, watching.given, unit, tuning)
    found += against_reserved(watching, now_us, tuning)
    return every.in_order(_lasting(found, now_us), tuning)


def _against_expected(shown: Shown, days: Days, beside: Beside, kind: Kind, unit: str, *, now_us: int) -> list[Finding]:
    assert shown.expected is not None  # noqa: S101 - asked for by the only caller
    found = every.days_against_expected(
        days, shown.expected, shown.temp_c, kind, unit, now_us=now_us, tuning=beside.tuning
    )
    since = () if beside.expectation is None else beside.expectation.measures
    return [one for one in found if not meant_by_a_measure(one, since)]


def meant_by_a_measure(found: Finding, measures: Sequence[int]) -> bool:
    """Return whether less was used than expected because a measure was done for that."""
    if found.rule not in OF_EXPECTED or (found.loss_per_day or 0.0) >= 0:
        return False
    day = found.raised_us // DAY_US
    return any(since <= day <= since + AFTER_A_MEASURE for since in measures)


def against_reserved(watching: Watching, now_us: int, tuning: Tuning, *, running_only: bool = False) -> list[Finding]:
    """Return the quarter-hours of a point above what it has reserved in their month, and those that are going to be."""
    point, seen = watching.point, watching.seen
    if seen is None or point.commodity is not Commodity.ELECTRICITY or not point.reserved_kw or not len(seen.steps):
        return []
    reserved = reserved_of(point, seen.steps.day)
    return every.against_reserved(seen, reserved, now_us, tuning, running_only=running_only)


def reserved_of(point: Point, day: Longs) -> Floats:
    """Return what a point has reserved [kW] on local days since 1970, NaN where nothing is."""
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    months, place = np.unique(month, return_inverse=True)
    firsts = [one.astype(date) for one in months]
    return np.asarray(booked_of(point, firsts).capacity_kw[place], float)


def _lasting(found: Sequence[Finding], now_us: int) -> list[Finding]:
    """Return findings with those of moments open for their pause, and falls of a dial until somebody answers them."""
    out: list[Finding] = []
    for one in found:
        if one.rule is Rule.BREAK:
            out.append(replace(one, to_us=None))
        elif one.rule in PAUSES_US:
            out += still_open([one], now_us, PAUSES_US[one.rule])
        else:
            out.append(one)
    return out


def _lacking(shown: Shown) -> frozenset[Rule]:
    """Return the rules for which there is nothing to compare with."""
    lacking: frozenset[Rule] = frozenset()
    if shown.expected is None:
        lacking |= OF_EXPECTED
    if shown.temp_c is None or shown.expected is None:
        lacking |= {Rule.WARM_HEATING}
    return lacking | {Rule.PV_LOW} if shown.sun is None else lacking


def _overdue(watching: Watching, now_us: int) -> bool:
    """Return whether readings are later than twice their distance and an hour, though too few to call it a silence."""
    at_us, usual = watching.watched.at_us, rhythm(watching.watched.at_us)
    return not len(at_us) or now_us - int(at_us[-1]) > 2 * (usual or 0) + DAY_US


def _heard(watching: Watching) -> Heard | None:
    usual = rhythm(watching.watched.at_us)
    if usual is None:
        return None
    last = moment(watching.watched.at_us[-1:].astype("datetime64[us]")[0])
    return Heard(subject=watching.point.id, last=last, expected=timedelta(microseconds=usual))


# From findings to detections


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What one more unit costs at a point on a day."""

    tables: RegionTables = field(default_factory=RegionTables)
    buildings: Mapping[str, Building] = field(default_factory=dict)

    def czk(self, point: Point, amount: float | None, unit: str, day: date) -> float | None:
        """Return the cost of an amount, None where it or its price is not known."""
        if amount is None:
            return None
        building = self.buildings.get(point.building)
        price = unit_price(point, building.organisation if building else "", day, self.tables.tariffs)
        return round(amount * price.czk, 2) if price.czk is not None and price.unit == unit else None


def detection(told: Told, found: Finding, prices: Prices, now: datetime) -> Detection:
    """Return what is told of a finding: loss per day in its unit and in Kč, evidence with what a chart shows."""
    shown = evidence(found, told.shown, int(micros(instant(now))))
    return detection_of(told.watching.point, found, prices, now, shown)


def detection_of(
    point: Point, found: Finding, prices: Prices, now: datetime, shown: Mapping[str, JsonValue]
) -> Detection:
    """Return what is told of a finding with the evidence to show, its own numbers where that is empty."""
    going_on = found.to_us is None
    begin = _moment(found.from_us)
    loss = found.loss_per_day if (found.loss_per_day or 0.0) > 0 else None
    return Detection(
        subject=point.id,
        rule=found.rule.value,
        at_from=min(begin, now),
        at_to=now if found.to_us is None else max(min(_moment(found.to_us), now), min(begin, now)),
        found_at=now,
        going_on=going_on,
        loss_per_day=loss,
        unit=found.unit,
        loss_czk_per_day=prices.czk(point, loss, found.unit, now.date()),
        severity=Severity(found.severity.value),
        evidence=shown or found.evidence,
        check=found.check,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointReport:
    """What is told of one point: faults that go on or ended lately, rules that could judge, when it was heard."""

    point: str
    unit: str
    detections: tuple[Detection, ...]
    judged: frozenset[Rule]
    heard: Heard | None


def report_of(told: Told, prices: Prices, now: datetime) -> PointReport:
    """Return what a point tells now: of each rule the last finding, where it goes on or ended lately."""
    since_us = int(micros(instant(now - NEWS)))
    last = {one.rule: one for one in sorted(told.found, key=lambda f: (f.to_us is None, f.from_us))}
    news = [one for one in last.values() if one.to_us is None or one.to_us >= since_us]
    return PointReport(
        point=told.watching.point.id,
        unit=told.watching.unit,
        detections=tuple(detection(told, one, prices, now) for one in news),
        judged=told.judged,
        heard=told.heard,
    )


def _moment(at_us: int) -> datetime:
    return moment(np.datetime64(at_us, "us"))
