"""What came since points were looked at: readings and hours of the last days, and which points they could concern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.anomalies.finding import Rule
from analytics.anomalies.hours import FINE_US, HOUR_US, Hours
from analytics.anomalies.point import Watched
from analytics.anomalies.screen_days import Beside as DaysBeside
from analytics.anomalies.screen_days import days_could
from analytics.anomalies.screen_flow import flow_could
from analytics.anomalies.screen_meter import MeterScreen, capacity_could, meter_could, steps_since
from analytics.anomalies.tuning import Tuning
from analytics.anomalies.waste import Days, days_of
from analytics.baseline.cleaning import Commodity as Commodities
from analytics.baseline.days import Dates
from analytics.baseline.model import Model, predict
from core.calendar import US, Longs, micros
from core.readings import Floats, Kind, Readings
from core.registry import Commodity, Point
from core.rollup import NANO, RollUp
from services.baselines import KINDS, Baselines
from services.detection import reserved_of
from services.detection_expected import Expectation
from services.detection_learnt import PointLearnt
from services.detection_past import DaysOff
from services.points import Plan

FEWEST: Final = 2
HOURS_BACK: Final = timedelta(hours=60)
INERTIA: Final = timedelta(days=40)
"""Days of weather that a model may remember."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What came of a point since it was looked at; None where there is nothing of it."""

    watched: Watched | None = None
    hours: Hours | None = None


def hours_of(rolled: RollUp, days: DaysOff, quantum: float) -> Hours | None:
    """Return the consecutive hours of one series' roll-up, None where there are none; see `hours.of_curve`."""
    if not len(rolled):
        return None
    start_us = micros(rolled.start)
    every = np.arange(int(start_us[0]), int(start_us[-1]) + 1, HOUR_US)
    place = (start_us - every[0]) // HOUR_US
    nowhere = np.zeros(len(every))

    def placed(values: Floats, nothing: float) -> Floats:
        out = nowhere + nothing
        out[place] = values
        return out

    unknown = (rolled.missing_s > 0) | (rolled.estimated_s > 0)
    amount = np.where(unknown, np.nan, rolled.nano / NANO)
    known_us = placed(np.where(np.isnat(rolled.last_at), 0, micros(rolled.last_at)).astype(float), 0.0)
    clock = days.clock(int(every[0]), len(every))
    return Hours(
        start_us=every,
        amount=placed(amount, np.nan),
        share=placed(np.where(unknown, 0.0, _share(rolled)), 0.0),
        known_us=np.maximum(known_us.astype(np.int64), every + HOUR_US),
        day=clock.day,
        hour=clock.hour,
        free=clock.free,
        off=clock.off,
        quantum=quantum,
    )


def _share(rolled: RollUp) -> Floats:
    """Return how much of an observation each hour is: less between readings far apart and in long gaps."""
    between = np.isnat(rolled.first_at) | np.isnat(rolled.last_at)
    step = np.where(between, 0, micros(rolled.last_at) - micros(rolled.first_at))
    share = np.where(step > FINE_US, HOUR_US / np.maximum(step, 1), 1.0)
    gap = ~(np.isnat(rolled.gap_since) & np.isnat(rolled.gap_until))
    return np.where(gap, np.minimum(share, HOUR_US / FINE_US), share)


def watched_since(
    readings: Readings, plan: Plan, screen: MeterScreen, days: DaysOff, *, whole: bool = True
) -> Watched | None:
    """Return what came of a point's meters after its last reading, in their mountings; None of nothing.

    What has no dial and no intervals, or rests on a sum of registers (not `whole`), is told by its instants alone.
    """
    at, value, kind, span_us = _in_mountings(readings, plan, screen.last_us)
    if not len(at):
        return None
    told = whole and kind in {Kind.CUMULATIVE, Kind.INTERVAL} and (kind is Kind.CUMULATIVE) == (screen.top is None)
    if not told:
        at = np.unique(at)
        value, kind = screen.last_value + np.arange(1.0, len(at) + 1), Kind.CUMULATIVE
    return Watched(
        at_us=at,
        value=value,
        dial=kind is not Kind.INTERVAL,
        unit=plan.rules.unit,
        zone=days.zone,
        length_us=span_us if kind is Kind.INTERVAL else 0,
        off=days.off,
        holidays=days.public,
    )


def watched_between(readings: Readings, plan: Plan, days: DaysOff) -> Watched | None:
    """Return readings of a point's dial or intervals, in their mountings; None where there is neither."""
    at, value, kind, span_us = _in_mountings(readings, plan, 0)
    if len(at) < FEWEST or kind not in {Kind.CUMULATIVE, Kind.INTERVAL}:
        return None
    return Watched(
        at_us=at,
        value=value,
        dial=kind is Kind.CUMULATIVE,
        unit=plan.rules.unit,
        zone=days.zone,
        length_us=span_us if kind is Kind.INTERVAL else 0,
        off=days.off,
        holidays=days.public,
    )


def _in_mountings(readings: Readings, plan: Plan, since_us: int) -> tuple[Longs, Floats, Kind, int]:
    """Return instants, canonical values, kind and length of readings after an instant, of the usual kind."""
    if not len(readings):
        return np.empty(0, np.int64), np.empty(0), Kind.CUMULATIVE, 0
    kind = Kind(int(np.argmax(np.bincount(readings.kind, minlength=len(Kind)))))
    at, here, factor = micros(readings.at), np.zeros(len(readings), bool), np.ones(len(readings))
    for mounting in plan.mountings:
        codes = [n for n, key in enumerate(readings.series) if key.meter == mounting.device]
        mine = np.isin(readings.code, codes) & (at >= mounting.start_us) & (at < mounting.end_us)
        here |= mine
        factor = np.where(mine, mounting.multiplier, factor)
    chosen = np.flatnonzero(here & (at > since_us) & (readings.kind == kind))
    chosen = chosen[np.argsort(at[chosen], kind="stable")]
    span_us = int(np.median(readings.span_s[chosen])) * US if len(chosen) else 0
    return at[chosen], (readings.value * factor)[chosen], kind, span_us


def could_show(
    point: Point, learnt: PointLearnt, tail: Tail, tuning: Tuning, *, now_us: int, days: DaysOff
) -> frozenset[Rule]:
    """Return the rules of readings and hours that what came since could newly show at a point."""
    could: frozenset[Rule] = frozenset()
    if learnt.meter is not None:
        could |= meter_could(learnt.meter, tail.watched or _nothing(learnt.meter, days), now_us, tuning)
        if point.reserved_kw and tail.watched is not None and point.commodity is Commodity.ELECTRICITY:
            could |= _peaks(point, learnt.meter, tail.watched, tuning)
    if learnt.flow is not None and tail.hours is not None:
        could |= flow_could(learnt.flow, tail.hours, tuning)
    return could - tuning.off


def _nothing(screen: MeterScreen, days: DaysOff) -> Watched:
    none = np.empty(0, np.int64)
    return Watched(at_us=none, value=np.empty(0), dial=screen.top is None, unit="", zone=days.zone)


def _peaks(point: Point, screen: MeterScreen, watched: Watched, tuning: Tuning) -> frozenset[Rule]:
    mine = steps_since(screen, watched)
    above = capacity_could(mine, reserved_of(point, mine.day), tuning.of(Rule.CAPACITY))
    return frozenset({Rule.CAPACITY}) if above else frozenset()


# Days that ended since


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The whole days of a point that ended since it was looked at."""

    point: Point
    learnt: PointLearnt
    days: Days


def ended(point: Point, learnt: PointLearnt, hours: Hours | None, today: int) -> Ended | None:
    """Return the whole known days before `today` (local, since 1970) that were not looked at, None of none."""
    if learnt.days is None or hours is None or not len(hours):
        return None
    days = days_of(hours)
    chosen = (days.day > learnt.days.day) & (days.day < today) & np.isfinite(days.total)
    names = ("day", "total", "base", "free", "weekend", "start_us", "known_us")
    return (
        Ended(point=point, learnt=learnt, days=replace(days, **{n: getattr(days, n)[chosen] for n in names}))
        if chosen.any()
        else None
    )


def days_show(
    some: Sequence[Ended], made: Baselines, days: DaysOff, sun: Mapping[str, Expectation], tuning: Mapping[str, Tuning]
) -> dict[str, frozenset[Rule]]:
    """Return the rules of days that the days that ended since could newly show, by point."""
    found: dict[str, frozenset[Rule]] = {}
    by_station: dict[str, list[Ended]] = {}
    for one in some:
        if one.learnt.events:
            found[one.point.id] = frozenset({Rule.DEVIATION})  # works or an event: it is looked at whole
        else:
            station = made.station_of(one.point)
            by_station.setdefault("" if station is None else station.station, []).append(one)
    for mine in by_station.values():
        for one, beside in zip(mine, _beside(mine, made, days, sun), strict=True):
            kind = KINDS.get(one.point.commodity)
            own = tuning[one.point.id]
            found[one.point.id] = days_could(one.learnt.days, one.days, beside, kind, own) - own.off  # type: ignore[arg-type]  # ended() has days
    return found


def _beside(mine: Sequence[Ended], made: Baselines, off: DaysOff, sun: Mapping[str, Expectation]) -> list[DaysBeside]:
    """Return what is known of the days of points of one station beside their use."""
    last = max(int(one.days.day[-1]) for one in mine)
    first = min(int(one.days.day[0]) for one in mine) - INERTIA.days
    day = np.arange(first, last + 1).astype("datetime64[D]")
    station = made.station_of(mine[0].point)
    temp_c = None if station is None else station.between(day[0].astype(date), day[-1].astype(date)).temp_c
    expected = _predicted(mine, made, day, temp_c)
    out = []
    for one, row in zip(mine, expected, strict=True):
        place = one.days.day - first
        plant = sun.get(one.point.id)
        out.append(
            DaysBeside(
                holiday=np.isin(one.days.day, off.public),
                expected=None if row is None else row[place],
                temp_c=None if temp_c is None else temp_c[place],
                sun=None if plant is None else plant.along(one.days, "sun_kwh_m2"),
            )
        )
    return out


def _predicted(mine: Sequence[Ended], made: Baselines, day: Dates, temp_c: Floats | None) -> list[Floats | None]:
    """Return what the kept models foretell of days, None of points without one that holds."""
    told = made.facts.days(day)
    out: list[Floats | None] = [None] * len(mine)
    nothing = np.zeros(len(day))
    water = [n for n, one in enumerate(mine) if KINDS.get(one.point.commodity) is Commodities.WATER]
    others = [n for n in range(len(mine)) if n not in set(water)]
    for places, felt_c in ((water, nothing), (others, nothing if temp_c is None else temp_c)):
        able = [n for n in places if _holds(mine[n])]
        models = [Model.from_json(mine[n].learnt.model or {}) for n in able]
        for n, row in zip(able, predict(models, told, felt_c) if able else (), strict=True):
            out[n] = row
    return out


def _holds(one: Ended) -> bool:
    """Return whether the model kept for a point is the one of its new days."""
    return one.learnt.model is not None and int(one.days.day[-1]) <= one.learnt.model_until
