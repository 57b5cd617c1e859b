"""Roll-ups made anew from readings and a register, for what was known at an instant."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from core.calendar import Period, edges, micros
from core.curve import Curve, Periods, periods
from core.gaps import DayTypes
from core.mounting import build
from core.ports import ReadingStore
from core.readings import Readings, SeriesKey
from core.registry import DialEvent, Meter, Point
from core.rollup import RollUp, concat
from services.held import RegisterReader
from services.points import MAIN, Plan, kept_limits, plans
from services.rollup import BEGIN, END, EVER
from services.sums import begins_at_zero, combined

CHUNK: Final = 40
"""Points whose readings are read together."""

Made = dict[bytes, RollUp]
"""Roll-ups by day, by the digest of all that they were made from: computed once however often they are asked for."""


@dataclass(frozen=True)
class RollUpsOf:
    """Makes roll-ups of `readings` for the points of `register`, which also knows the limits that were learnt.

    `made` is shared by those that differ in a few readings or entries only.
    """

    readings: ReadingStore
    register: RegisterReader
    day_types: DayTypes
    made: Made = field(default_factory=dict, compare=False)
    _known_days: dict[SeriesKey, RollUp] = field(default_factory=dict, compare=False)

    def __call__(self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> RollUp:
        """Return the periods (HOUR or DAY) that start in [start, end), ordered by series (as asked) and start."""
        asked = [key for key in dict.fromkeys(series) if key in self._plans]
        parts = []
        for first in range(0, len(asked), CHUNK):
            some = asked[first : first + CHUNK]
            found = self._days(some) if grain is Period.DAY else self._hours(some, start, end)
            parts += [_within(found[key], start, end) for key in some]
        return concat(parts)

    @cached_property
    def _plans(self) -> Mapping[SeriesKey, Plan]:
        meters = self.register.find(Meter)
        known = self.readings.known(sorted({meter.device for meter in meters}))
        made = plans(self.register.find(Point), meters, self.register.find(DialEvent), known, self.day_types)
        return {plan.key: self._with_limits(plan) for plan in made}

    def _with_limits(self, plan: Plan) -> Plan:
        learnt = kept_limits(self.register, plan)
        return replace(plan, rules=replace(plan.rules, limits=learnt.limits if learnt else {}, window_us=EVER))

    def series_of(self, point: str) -> tuple[SeriesKey, ...]:
        """Return the series that a point's main curve is made of."""
        key = SeriesKey(point, MAIN)
        if key not in self._plans:
            return ()
        return tuple(dict.fromkeys(series for plan in self._parts(key) for series in plan.series))

    def _days(self, asked: Sequence[SeriesKey]) -> dict[SeriesKey, RollUp]:
        lacking = [key for key in asked if key not in self._known_days]
        read = self._read(lacking)
        for key in lacking:
            digest = self._digest(key, read)
            if digest not in self.made:
                self.made[digest] = _rolled(key, self._curve(key, read), Period.DAY, self.day_types)
            self._known_days[key] = self.made[digest]
        return self._known_days

    def _hours(self, asked: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> dict[SeriesKey, RollUp]:
        read = self._read(asked)
        return {key: _rolled(key, self._curve(key, read), Period.HOUR, self.day_types, start, end) for key in asked}

    def _read(self, asked: Sequence[SeriesKey]) -> Callable[[Sequence[SeriesKey]], Readings]:
        """Return what tells the readings of some series, all that are needed read at once."""
        needed = tuple(dict.fromkeys(series for key in asked for plan in self._parts(key) for series in plan.series))
        every = self.readings.read(needed, BEGIN, END) if needed else Readings.empty()
        bounds = np.searchsorted(every.code, np.arange(len(every.series) + 1))
        place = {key: code for code, key in enumerate(every.series)}

        def of(series: Sequence[SeriesKey]) -> Readings:
            rows = [np.arange(bounds[place[key]], bounds[place[key] + 1]) for key in series if key in place]
            return every.take(np.concatenate(rows) if rows else np.empty(0, np.int64))

        return of

    def _parts(self, key: SeriesKey) -> Iterable[Plan]:
        """Return a plan and those of the registers that its sums are made of."""
        plan = self._plans[key]
        registers = dict.fromkeys(register for one in plan.sums for register in one.registers)
        return (plan, *(self._plans[SeriesKey(plan.point, register)] for register in registers))

    def _curve(self, key: SeriesKey, read: Callable[[Sequence[SeriesKey]], Readings]) -> Curve:
        plan = self._plans[key]
        curves: dict[str, Curve] = {}
        zeros: set[str] = set()
        for one in self._parts(key):
            mine = read(one.series)
            curve = curves[one.register] = build(mine, one.mountings, one.events, one.rules).curve
            zeros |= {one.register} if begins_at_zero(curve, mine, EVER[0]) else set()
        return combined(plan.sums, curves[plan.register], curves, zeros) if plan.sums else curves[plan.register]

    def _digest(self, key: SeriesKey, read: Callable[[Sequence[SeriesKey]], Readings]) -> bytes:
        """Return what is the same for the same plans over the same readings."""
        told = hashlib.blake2b(digest_size=20)
        for plan in self._parts(key):
            told.update(repr((plan.key, plan.series, plan.mountings, plan.events, plan.sums)).encode())
            rules = plan.rules
            told.update(repr((rules.unit, rules.max_rate, rules.allowed_gap_h, sorted(rules.limits.items()))).encode())
            mine = read(plan.series)
            for name in ("code", "at", "value", "kind", "quality", "span_s", "received"):
                told.update(np.ascontiguousarray(getattr(mine, name)).tobytes())
        return told.digest()


def _rolled(  # noqa: PLR0917 - what a roll-up is made of
    key: SeriesKey,
    curve: Curve,
    grain: Period,
    day_types: DayTypes,
    start: np.datetime64 = BEGIN,
    end: np.datetime64 = END,
) -> RollUp:
    """Return the periods of a curve that touch [start, end)."""
    if not len(curve.at_us):
        return replace(RollUp.empty(), series=(key,))
    first, last = max(int(micros(start)), int(curve.at_us[0])), min(int(micros(end)), int(curve.at_us[-1]))
    if last < first:
        return replace(RollUp.empty(), series=(key,))
    bounds = edges(grain, np.datetime64(first, "us"), np.datetime64(max(last, first + 1), "us"), day_types.zone)
    rolled = periods(curve, bounds)
    columns = {name: getattr(rolled, name) for name in Periods.__slots__}
    return RollUp(series=(key,), code=np.zeros(len(rolled.start), np.int32), **columns)


def _within(rolled: RollUp, start: np.datetime64, end: np.datetime64) -> RollUp:
    return rolled.take((rolled.start >= start) & (rolled.start < end))
