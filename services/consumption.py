"""The question that everybody asks: what was used, in which calendar period, and how well is it known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.calendar import NAT, PRAGUE, US, Instants, Longs, Period, instant, micros, spans
from core.curve import Curve, estimated_seconds, gap_seconds, periods
from core.errors import NotFound
from core.gaps import DayTypes
from core.mounting import build
from core.ports import ReadingStore
from core.readings import Floats, SeriesKey
from core.registry import DialEvent, Meter, Point, Role
from core.rollup import NANO, RollUp
from services.held import RegisterReader
from services.points import MAIN, Plan, kept_limits, main_register, plans, unit_of
from services.rollup import LIKE_US, read_around
from services.sums import begins_at_zero, combined

MANY_POINTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose consumption, in which periods that touch [start, end). Empty register: the point's main one."""

    points: tuple[str, ...]
    period: Period
    start: datetime
    end: datetime
    zone: ZoneInfo = PRAGUE
    register: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointConsumption:
    """Consumption of a point in n periods: `amount` [unit], NaN where nothing of the period is known.

    `measured`, `estimated` and `missing` are shares of time (sum 1); `first_at` and `last_at` the readings that the
    value rests on (NaT: none).
    """

    point: str
    register: str
    unit: str
    starts: Instants
    ends: Instants
    amount: Floats
    measured: Floats
    estimated: Floats
    missing: Floats
    first_at: Instants
    last_at: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum over points of one unit in n periods; shares are means over the points.

    `lacking` tells how many of the `points` know nothing of the period; the sum is of the others, NaN where all lack.
    """

    unit: str
    starts: Instants
    ends: Instants
    amount: Floats
    measured: Floats
    estimated: Floats
    missing: Floats
    points: int
    lacking: Longs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """The periods of a question."""

    period: Period
    starts: Instants
    ends: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Sums of k series (rows) in n periods (columns)."""

    nano: Longs
    known_s: Longs
    estimated_s: Longs
    first_at: Instants
    last_at: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How roll-ups were made: the zone of their days, and which days are alike."""

    day_types: DayTypes = field(default_factory=DayTypes)


def consumption(
    question: Question, *, readings: ReadingStore, records: RegisterReader, calendar: Calendar | None = None
) -> list[PointConsumption]:
    """Return the consumption of each point asked for, in their order; raise NotFound for an unknown point."""
    calendar = calendar or Calendar()
    starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
    grid = _Grid(period=question.period, starts=starts, ends=ends)
    points = _points(question.points, records)
    parts = _parts(points, records)
    real = [p for p in parts.values() if p.role is not Role.VIRTUAL]
    if question.period is Period.QUARTER_HOUR:
        measured = _from_readings(real, question, grid, readings, records, calendar)
    else:
        measured = _from_rollups(real, question, grid, readings, records, calendar)
    return [_answer(parts[name], measured, parts, grid) for name in question.points]


def _points(names: Sequence[str], records: RegisterReader) -> dict[str, Point]:
    if len(names) <= MANY_POINTS:
        return {name: records.get(Point, name) for name in names}
    known = {point.id: point for point in records.find(Point)}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise NotFound(f"point {lacking[0]} is not in the register")
    return {name: known[name] for name in names}


def _parts(points: Mapping[str, Point], records: RegisterReader) -> dict[str, Point]:
    """Return the points and all that virtual ones among them are made of."""
    found = dict(points)
    open_terms = [t.point for p in points.values() for t in p.terms]
    while open_terms:
        name = open_terms.pop()
        if name not in found:
            found[name] = records.get(Point, name)
            open_terms += [t.point for t in found[name].terms]
    return found


def _from_rollups(  # noqa: PLR0917 - what one question needs
    points: Sequence[Point],
    question: Question,
    grid: _Grid,
    readings: ReadingStore,
    records: RegisterReader,
    calendar: Calendar,
) -> dict[str, PointConsumption]:
    if not points or not len(grid.starts):
        return {p.id: _unknown(p.id, question.register or MAIN, "", grid) for p in points}
    by_day = question.period is not Period.HOUR and question.zone == calendar.day_types.zone
    keys = [SeriesKey(p.id, question.register or MAIN) for p in points]
    rolled = readings.read_rollup(Period.DAY if by_day else Period.HOUR, keys, grid.starts[0], grid.ends[-1])
    sums = _summed(rolled, keys, grid)
    units = _units(points, question.register, readings, records)
    return _of_sums(keys, units, sums, grid)


def _summed(rolled: RollUp, keys: Sequence[SeriesKey], grid: _Grid) -> _Sums:
    """Return the sums of roll-up periods by series and period; a season's months outside of it are left out."""
    n = len(grid.starts)
    column = np.searchsorted(grid.starts, rolled.start, side="right") - 1
    place = {key: i for i, key in enumerate(keys)}
    row = np.array([place[key] for key in rolled.series] or [0])[rolled.code] if len(rolled) else np.empty(0, int)
    inside = (column >= 0) & (rolled.start < grid.ends[np.maximum(column, 0)])
    rolled, column, row = rolled.take(inside), column[inside], row[inside]
    cell = row * n + column
    size = len(keys) * n
    sums = {
        name: _added(cell, values, size)
        for name, values in (
            ("nano", rolled.nano),
            ("known_s", rolled.span_s - rolled.missing_s),
            ("estimated_s", rolled.estimated_s),
        )
    }
    until, since = np.full(size, NAT), np.full(size, NAT)
    heads = rolled.start == grid.starts[column]
    tails = micros(rolled.start) + rolled.span_s * US == micros(grid.ends[column])
    until[cell[heads]], since[cell[tails]] = rolled.gap_until[heads], rolled.gap_since[tails]
    starts, span_s = (
        np.tile(grid.starts, len(keys)),
        np.tile((micros(grid.ends) - micros(grid.starts)) // US, len(keys)),
    )
    sums["estimated_s"] += gap_seconds(starts, span_s, until, since)
    return _Sums(
        **{name: values.reshape(len(keys), n) for name, values in sums.items()},
        first_at=_extreme(cell, rolled.first_at, size, np.minimum).reshape(len(keys), n),
        last_at=_extreme(cell, rolled.last_at, size, np.maximum).reshape(len(keys), n),
    )


def _added(cell: npt.NDArray[np.int64], values: Longs, size: int) -> Longs:
    total = np.zeros(size, np.int64)
    np.add.at(total, cell, values)
    return total


def _extreme(cell: npt.NDArray[np.int64], at: Instants, size: int, least: np.ufunc) -> Instants:
    known = ~np.isnat(at)
    none = np.iinfo(np.int64).max if least is np.minimum else np.iinfo(np.int64).min
    found = np.full(size, none)
    least.at(found, cell[known], micros(at[known]))
    return np.where(found == none, NAT, found.astype("datetime64[us]"))


def _of_sums(
    keys: Sequence[SeriesKey], units: Mapping[str, str], sums: _Sums, grid: _Grid
) -> dict[str, PointConsumption]:
    """Return what the sums say of each point."""
    span = (micros(grid.ends) - micros(grid.starts)) / US
    estimated = np.minimum(sums.estimated_s, sums.known_s)
    amount = np.where(sums.known_s > 0, sums.nano / NANO, np.nan)
    shares = (sums.known_s - estimated) / span, estimated / span, (span - sums.known_s) / span
    return {
        key.meter: PointConsumption(
            point=key.meter,
            register=key.register,
            unit=units[key.meter],
            starts=grid.starts,
            ends=grid.ends,
            amount=amount[row],
            measured=shares[0][row],
            estimated=shares[1][row],
            missing=shares[2][row],
            first_at=sums.first_at[row],
            last_at=sums.last_at[row],
        )
        for row, key in enumerate(keys)
    }


def _unknown(point: str, register: str, unit: str, grid: _Grid) -> PointConsumption:
    n = len(grid.starts)
    none = np.full(n, NAT)
    return PointConsumption(
        point=point,
        register=register,
        unit=unit,
        starts=grid.starts,
        ends=grid.ends,
        amount=np.full(n, np.nan),
        measured=np.zeros(n),
        estimated=np.zeros(n),
        missing=np.ones(n),
        first_at=none,
        last_at=none,
    )


def _units(points: Sequence[Point], register: str, readings: ReadingStore, records: RegisterReader) -> dict[str, str]:
    """Return the unit of each point's consumption: of the register asked for, else of its newest meter's."""
    if register and register != MAIN:
        return {p.id: unit_of(register) for p in points}
    meters = _meters(points, records)
    newest = {m.point: m for m in sorted(meters, key=lambda m: m.mounted)}
    have: dict[str, set[str]] = {}
    for key in readings.known(sorted({m.device for m in newest.values()})):
        have.setdefault(key.meter, set()).add(key.register)
    return {
        p.id: unit_of(main_register(newest[p.id], p.commodity, have.get(newest[p.id].device, ())), newest[p.id])
        if p.id in newest
        else ""
        for p in points
    }


def _meters(points: Sequence[Point], records: RegisterReader) -> list[Meter]:
    if len(points) > MANY_POINTS:
        return records.find(Meter)
    return [m for p in points for m in records.find(Meter, where={"point": p.id})]


def _from_readings(  # noqa: PLR0917 - what one question needs
    points: Sequence[Point],
    question: Question,
    grid: _Grid,
    readings: ReadingStore,
    records: RegisterReader,
    calendar: Calendar,
) -> dict[str, PointConsumption]:
    """Return consumption in quarter-hours, straight from the readings with the limits that the roll-ups kept."""
    meters = _meters(points, records)
    known = readings.known(sorted({m.device for m in meters}))
    events = [e for m in {m.device for m in meters} for e in records.find(DialEvent, where={"meter": m})]
    register = question.register or MAIN
    found = {p.id: _unknown(p.id, register, "", grid) for p in points}
    made = {plan.key: plan for plan in plans(points, meters, events, known, calendar.day_types)}
    for point in found if len(grid.starts) else ():
        plan = made.get(SeriesKey(point, register))
        if plan is not None:
            found[point] = _of_curve(plan, _curve(plan, made, grid, readings, records), grid)
    return found


def _curve(
    plan: Plan, every: Mapping[SeriesKey, Plan], grid: _Grid, readings: ReadingStore, records: RegisterReader
) -> Curve:
    """Return the curve of a plan around the periods, put together from those of its sums."""
    span = int(micros(grid.starts[0])), int(micros(grid.ends[-1]))
    curves: dict[str, Curve] = {}
    zeros: set[str] = set()
    parts = {SeriesKey(plan.point, register): register for one in plan.sums for register in one.registers}
    for one in (plan, *(every[key] for key in parts)):
        mine, window = read_around(readings, one.series, span, LIKE_US)
        learnt = kept_limits(records, one)
        rules = replace(one.rules, limits=learnt.limits if learnt else {}, window_us=window)
        curve = curves[one.register] = build(mine, one.mountings, one.events, rules).curve
        zeros |= {one.register} if begins_at_zero(curve, mine, window[0]) else set()
    return combined(plan.sums, curves[plan.register], curves, zeros) if plan.sums else curves[plan.register]


def _of_curve(plan: Plan, curve: Curve, grid: _Grid) -> PointConsumption:
    made = periods(curve, np.append(grid.starts, grid.ends[-1:]))
    known = made.span_s - made.missing_s
    estimated = np.minimum(estimated_seconds(made), known)
    return PointConsumption(
        point=plan.point,
        register=plan.register,
        unit=plan.rules.unit,
        starts=grid.starts,
        ends=grid.ends,
        amount=np.where(known > 0, made.nano / NANO, np.nan),
        measured=(known - estimated) / made.span_s,
        estimated=estimated / made.span_s,
        missing=made.missing_s / made.span_s,
        first_at=made.first_at,
        last_at=made.last_at,
    )


def _answer(
    point: Point, measured: Mapping[str, PointConsumption], parts: Mapping[str, Point], grid: _Grid
) -> PointConsumption:
    """Return the consumption of a point; that of a virtual one is the signed sum of its parts, all known."""
    if point.role is not Role.VIRTUAL:
        return measured[point.id]
    terms = [(t.sign, _answer(parts[t.point], measured, parts, grid)) for t in point.terms]
    missing = np.max([t.missing for _, t in terms], axis=0)
    estimated = np.minimum(np.max([t.estimated for _, t in terms], axis=0), 1.0 - missing)
    units = {t.unit for _, t in terms}
    amount = np.sum([sign * t.amount for sign, t in terms], axis=0)
    return PointConsumption(
        point=point.id,
        register=MAIN,
        unit=next(iter(units)) if len(units) == 1 else "",
        starts=grid.starts,
        ends=grid.ends,
        amount=amount if len(units) == 1 else np.full(len(grid.starts), np.nan),
        measured=1.0 - missing - estimated,
        estimated=estimated,
        missing=missing,
        first_at=np.fmin.reduce([t.first_at for _, t in terms]),
        last_at=np.fmax.reduce([t.last_at for _, t in terms]),
    )


def total(parts: Sequence[PointConsumption]) -> list[Total]:
    """Return the sums over points, one per unit as they occur. Points without unit are left out."""
    by_unit: dict[str, list[PointConsumption]] = {}
    for part in parts:
        if part.unit:
            by_unit.setdefault(part.unit, []).append(part)
    return [_total(unit, same) for unit, same in by_unit.items()]


def _total(unit: str, parts: Sequence[PointConsumption]) -> Total:
    amount = np.array([p.amount for p in parts])
    lacking = np.isnan(amount).sum(axis=0)
    summed = np.rint(np.nansum(amount * NANO, axis=0)) / NANO
    return Total(
        unit=unit,
        starts=parts[0].starts,
        ends=parts[0].ends,
        amount=np.where(lacking < len(parts), summed, np.nan),
        measured=np.mean([p.measured for p in parts], axis=0),
        estimated=np.mean([p.estimated for p in parts], axis=0),
        missing=np.mean([p.missing for p in parts], axis=0),
        points=len(parts),
        lacking=lacking,
    )
