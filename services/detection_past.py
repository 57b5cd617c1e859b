"""What is known of points, as detectors look at it: readings, hours of their curves, what their dials did.

Swaps, resets and roll-overs that the register knows are in the curve, so they are no fault here; a sum of tariffs is
looked at as one register, a virtual point as the sum of its parts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.anomalies.hours import HOUR_US, Hours, free_days, of_curve, on_clock
from analytics.anomalies.point import Seen, Watched, steps
from analytics.baseline.cleaning import Commodity as Kind
from core.calendar import PRAGUE, US, Bools, Longs, micros
from core.curve import Curve
from core.gaps import DayTypes
from core.mounting import FOREVER, Built, Mounting, build
from core.ports import ReadingStore
from core.readings import Floats, Readings
from core.readings import Kind as ReadingKind
from core.registry import DialEvent, EventKind, Meter, Point, Role
from core.rollup import NANO
from services.baselines import KINDS
from services.held import View
from services.points import MAIN, Plan, kept_limits, plans
from services.rollup import split
from services.sums import begins_at_zero, combined

EXPORT: Final = "energy.export"
CHUNK: Final = 40
"""Points whose readings are held at once."""
Span = tuple[int, int]
"""From and to [µs]: what lies in [from, to)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOff:
    """The zone of nights and weekends, public holidays, and all days off, in days since 1970."""

    zone: ZoneInfo = PRAGUE
    public: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    off: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    held: dict[tuple[int, int], "Clock"] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, zone: ZoneInfo, public: Iterable[date], school: Iterable[date]) -> "DaysOff":
        """Return the days off of a calendar."""
        holidays = frozenset(public)
        listed = [np.array(sorted(d.toordinal() for d in days), np.int64) for days in (holidays, holidays | {*school})]
        epoch = date(1970, 1, 1).toordinal()
        return cls(zone=zone, public=listed[0] - epoch, off=listed[1] - epoch)

    def clock(self, first_us: int, count: int) -> "Clock":
        """Return what the calendar says of consecutive hours; those asked for last are held."""
        key = first_us, count
        if key not in self.held:
            self.held.clear()
            day, hour = on_clock(first_us + np.arange(count) * HOUR_US, self.zone)
            self.held[key] = Clock(day=day, hour=hour, free=free_days(day, self.off), off=np.isin(day, self.off))
        return self.held[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Local days since 1970 and local hours of consecutive hours (n,), which are days off, and which are free."""

    day: Longs
    hour: Longs
    free: Bools
    off: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """A point as detectors look at it.

    `kind` is None for generation. `seen` is None for a virtual point and one without readings; `given` are the hours
    of the export of the same meter.
    """

    point: Point
    kind: Kind | None
    watched: Watched
    seen: Seen | None = None
    hours: Hours | None = None
    given: Hours | None = None

    @property
    def unit(self) -> str:
        """The canonical unit of its consumption."""
        return self.watched.unit


@dataclass(slots=True)
class _Plans:
    """The plans of all points at a version of the register and with so many series known."""

    version: tuple[int, int] = (-1, -1)
    of_point: dict[str, list[Plan]] = field(default_factory=dict)


class Past:
    """Gives what is known of points; may be asked by one thread at a time."""

    def __init__(self, readings: ReadingStore, days: DaysOff, day_types: DayTypes) -> None:
        self._readings = readings
        self._days = days
        self._day_types = day_types
        self._plans = _Plans()

    def look(self, register: View, points: Sequence[Point], span: Span) -> Iterator[Watching]:
        """Yield what is known of points within a span [µs], virtual ones last, a chunk of readings at a time."""
        of_point, hours = self.plans(register), dict[str, Watching]()
        known = {point.id: point for point in register.find(Point)}
        virtual = [point for point in points if point.role is Role.VIRTUAL]
        parts = {part: known[part] for point in virtual for part in real_parts(point, known)}
        asked = {point.id for point in points}
        real = list(
            {point.id: point for point in [*points, *parts.values()] if point.role is not Role.VIRTUAL}.values()
        )
        for n in range(0, len(real), CHUNK):
            for one in self._real(register, real[n : n + CHUNK], of_point, span):
                if one.point.id in parts:
                    hours[one.point.id] = one
                if one.point.id in asked:
                    yield one
        yield from (self._virtual(point, hours, known) for point in virtual)

    def plans(self, register: View) -> Mapping[str, Sequence[Plan]]:
        """Return how the curves of each point are made, its main one first."""
        meters = register.find(Meter)
        known = self._readings.known(sorted({meter.device for meter in meters}))
        version = register.version, hash(known)
        if version != self._plans.version:
            made: dict[str, list[Plan]] = {}
            for plan in plans(register.find(Point), meters, register.find(DialEvent), known, self._day_types):
                made.setdefault(plan.point, []).append(plan)
            self._plans = _Plans(version=version, of_point=made)
        return self._plans.of_point

    def _real(
        self,
        register: View,
        points: Sequence[Point],
        of_point: Mapping[str, Sequence[Plan]],
        span: Span,
    ) -> Iterator[Watching]:
        wanted = {point.id: _wanted(of_point.get(point.id, ())) for point in points}
        group = [plan for some in wanted.values() for plan in some.values()]
        series = tuple(dict.fromkeys(key for plan in group for key in plan.series))
        start, end = (np.datetime64(edge, "us") for edge in span)
        every = self._readings.read(series, start, end) if series else Readings.empty()
        mine = {plan.key: part for plan, part in split(every, group)}
        for point in points:
            made = {r: _Made.of(plan, mine[plan.key], register, span) for r, plan in wanted[point.id].items()}
            yield self._watching(point, made)

    def _watching(self, point: Point, made: "Mapping[str, _Made]") -> Watching:
        main = made.get(MAIN)
        if main is None:
            return self._unheard(point)
        curve, of_sums = _main_curve(main, made)
        watched = self._watched(main, curve, whole=not of_sums)
        if not len(watched.at_us):
            return self._unheard(point, main.plan.rules.unit)
        hours = self._hours(curve, watched.quantum)
        marks = tuple(mark for _, mark in main.built.marks)
        export = made.get(EXPORT)
        return Watching(
            point=point,
            kind=KINDS.get(point.commodity),
            watched=watched,
            seen=Seen(watched=watched, steps=steps(watched), hours=hours, marks=marks),
            hours=hours,
            given=None if export is None else self._hours(export.built.curve, watched.quantum),
        )

    def _hours(self, curve: Curve, quantum: float) -> Hours | None:
        enough = len(curve.at_us) > 1
        return of_curve(curve, self._days.zone, self._days.off, quantum=quantum) if enough else None

    def _unheard(self, point: Point, unit: str = "") -> Watching:
        watched = self._of(np.empty(0, np.int64), np.empty(0), unit)
        return Watching(point=point, kind=KINDS.get(point.commodity), watched=watched)

    def _of(self, at_us: Longs, value: Floats, unit: str, *, dial: bool = True, length_us: int = 0) -> Watched:
        return Watched(
            at_us=at_us,
            value=value,
            dial=dial,
            unit=unit,
            zone=self._days.zone,
            length_us=length_us,
            off=self._days.off,
            holidays=self._days.public,
        )

    def _watched(self, made: "_Made", curve: Curve, *, whole: bool) -> Watched:
        """Return a point's readings as those of one dial, or its intervals; of a sum the curve stands for the dial."""
        unit, quantum = made.plan.rules.unit, made.quantum
        kind = _usual_kind(made.readings)
        if not whole or kind not in {ReadingKind.CUMULATIVE, ReadingKind.INTERVAL}:
            read = np.unique(curve.read_us)
            return replace(self._of(read, curve.at(read) / NANO, unit), quantum=quantum)
        chosen = made.readings.take(made.readings.kind == kind)
        if kind is ReadingKind.INTERVAL:
            at_us, value = _intervals(chosen, made.plan.mountings)
            length_us = int(np.median(chosen.span_s)) * US
            return replace(self._of(at_us, value, unit, dial=False, length_us=length_us), quantum=quantum)
        return replace(self._of(*one_dial(chosen, made.plan.mountings, made.plan.events), unit), quantum=quantum)

    def _virtual(self, point: Point, parts: Mapping[str, Watching], known: Mapping[str, Point]) -> Watching:
        units = {parts[part].unit for part, _ in _terms(point, known) if part in parts}
        made = {key: one.hours for key, one in parts.items() if one.hours is not None}
        hours = added(point, made, known) if len(units) == 1 else None
        return replace(self._unheard(point, next(iter(units), "")), hours=hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A plan with its readings and the curve of them."""

    plan: Plan
    readings: Readings
    built: Built
    zero: bool

    @classmethod
    def of(cls, plan: Plan, readings: Readings, register: View, span: Span) -> "_Made":
        """Return a plan's curve within a span, by the limits that the roll-ups learnt."""
        learnt = kept_limits(register, plan)
        rules = replace(plan.rules, limits=learnt.limits if learnt else {}, window_us=span)
        built = build(readings, plan.mountings, plan.events, rules)
        return cls(plan=plan, readings=readings, built=built, zero=begins_at_zero(built.curve, readings, span[0]))

    @property
    def quantum(self) -> float:
        """About the last digit of the newest dial [canonical unit]."""
        newest = max(self.plan.mountings, key=lambda m: m.start_us, default=None)
        limits = None if newest is None else self.built.limits.get(newest.device)
        return 0.0 if limits is None else limits.quantum / NANO


def real_parts(point: Point, known: Mapping[str, Point]) -> list[str]:
    """Return the ids of the points with meters that a virtual one is made of."""
    return [part for part, _ in _terms(point, known)]


def _terms(point: Point, known: Mapping[str, Point]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for term in point.terms:
        part = known.get(term.point)
        if part is None:
            continue
        found += (
            [(key, term.sign * sign) for key, sign in _terms(part, known)] if part.terms else [(part.id, term.sign)]
        )
    return found


def _wanted(of_point: Sequence[Plan]) -> dict[str, Plan]:
    """Return the plans that are looked at: the main one, those it may be a sum of, and export beside it."""
    by_register = {plan.register: plan for plan in of_point}
    main = by_register.get(MAIN)
    if main is None:
        return {}
    registers = [MAIN, *(r for one in main.sums for r in one.registers), EXPORT]
    return {r: by_register[r] for r in registers if r in by_register}


def _main_curve(main: _Made, made: Mapping[str, _Made]) -> tuple[Curve, bool]:
    """Return the curve that counts, and whether it rests on sums alone."""
    if not main.plan.sums:
        return main.built.curve, False
    curves = {register: one.built.curve for register, one in made.items() if register != MAIN}
    zeros = {register for register, one in made.items() if one.zero}
    return combined(main.plan.sums, main.built.curve, curves, zeros), not len(main.readings)


def _usual_kind(readings: Readings) -> ReadingKind:
    present = np.bincount(readings.kind, minlength=len(ReadingKind))
    return ReadingKind(int(np.argmax(present)))


def _intervals(readings: Readings, mountings: Sequence[Mounting]) -> tuple[Longs, Floats]:
    """Return interval readings of all devices in order of time, each in its mounting, one an instant."""
    at, value = _in_mountings(readings, mountings)
    at, first = np.unique(at, return_index=True)
    return at, value[first]


def _in_mountings(readings: Readings, mountings: Sequence[Mounting]) -> tuple[Longs, Floats]:
    """Return instants and canonical values of readings while their device stood on the point, by mounting."""
    at = micros(readings.at)
    found_at, found = [np.empty(0, np.int64)], [np.empty(0)]
    for mounting in sorted(mountings, key=lambda m: m.start_us):
        codes = [n for n, key in enumerate(readings.series) if key.meter == mounting.device]
        mine = np.isin(readings.code, codes) & (at >= mounting.start_us) & (at < mounting.end_us)
        order = np.flatnonzero(mine)[np.argsort(at[mine], kind="stable")]
        found_at.append(at[order])
        found.append(readings.value[order] * mounting.multiplier)
    return np.concatenate(found_at), np.concatenate(found)


def one_dial(readings: Readings, mountings: Sequence[Mounting], events: Sequence[DialEvent]) -> tuple[Longs, Floats]:
    """Return dial readings as if one dial had shown them all: what the register knows of is no fall and no jump.

    Across a recorded exchange the dial goes on from where it was. O(n + exchanges).
    """
    at, value = _intervals(readings, mountings)
    cuts = [m.start_us for m in mountings if m.start_us > -FOREVER]
    cuts += [round(e.at.timestamp() * US) for e in events if e.kind is not EventKind.ROLLOVER and not e.retracted]
    first = np.unique(np.searchsorted(at, np.array(sorted(cuts), np.int64)))
    first = first[(first > 0) & (first < len(at))]
    joined = np.zeros(len(at))
    joined[first] = value[first - 1] - value[first]
    return at, value + np.cumsum(joined)


def added(point: Point, made: Mapping[str, Hours], known: Mapping[str, Point]) -> Hours | None:
    """Return the hours of a virtual point: the signed sum of its parts where all are known, None where one has none."""
    terms = _terms(point, known)
    parts = [(sign, made[part]) for part, sign in terms if part in made]
    if not parts or len(parts) < len(terms):
        return None
    first = max(int(hours.start_us[0]) for _, hours in parts)
    last = min(int(hours.start_us[-1]) for _, hours in parts)
    if first >= last:
        return None
    cut = [(sign, hours.between(first, last)) for sign, hours in parts]
    amount = np.sum([sign * hours.amount for sign, hours in cut], axis=0)
    return replace(
        cut[0][1],
        amount=amount,
        share=np.min([hours.share for _, hours in cut], axis=0),
        known_us=np.max([hours.known_us for _, hours in cut], axis=0),
        quantum=max(hours.quantum for _, hours in cut),
    )
