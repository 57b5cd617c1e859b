"""The act that keeps roll-ups: what was touched is computed again, for each point that it concerns.

Work that is due stands in the record store before it is begun and leaves it when it is done, so it can be interrupted
at any time and goes on where it was. Doing it twice changes nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from core.calendar import NAT, Period, edges, micros, moment
from core.curve import Curve, Periods, periods
from core.dial import Mark
from core.gaps import LIKE_DAYS, DayTypes
from core.mounting import FOREVER, Built, build
from core.notes import AuditEntry, Finding, PointFinding, Rule
from core.plausible import HOUR_US
from core.ports import ReadingStore, RecordStore, Touched
from core.readings import Readings, SeriesKey
from core.readings import concat as concat_readings
from core.registry import DialEvent, Meter, Point
from core.rollup import RollUp, concat
from services.points import WEEK_US, Learnt, Plan, keep_limits, kept_limits, plans
from services.sums import begins_at_zero, combined, composition

TOKEN: Final = "rollup/token"  # noqa: S105 - a cursor, no secret
DUE: Final = "rollup/due"
AUDITED: Final = "rollup/audited"
CHUNK: Final = 60
DAY_US: Final = 24 * HOUR_US
NEAR_US: Final = 3 * DAY_US
DAYS_AROUND_US: Final = 2 * DAY_US
LIKE_US: Final = (LIKE_DAYS + 3) * DAY_US
EVER: Final = (-FOREVER, FOREVER)
BEGIN: Final = np.datetime64("1990-01-01", "us")
END: Final = np.datetime64("2100-01-01", "us")

Span = tuple[int, int]
"""From and to, both included [µs]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a run did: points computed, and those left because it was stopped."""

    points: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A plan's curve around a span [µs], widened to the readings beside it; `asked` is the span as it was touched.

    `at_zero` tells that the curve begins with a dial that shows nothing.
    """

    plan: Plan
    built: Built
    span: Span
    asked: Span
    at_zero: bool = False


@dataclass(slots=True)
class _Known:
    """What was derived from the register at a version."""

    version: int
    plans: dict[str, list[Plan]]
    of_device: dict[str, tuple[str, ...]]


def _nothing() -> _Known:
    return _Known(version=-1, plans={}, of_device={})


class RollUps:
    """Keeps the roll-ups of all points up to date. One process at a time; `run` is called every few seconds.

    The token tells one process that another had the work meanwhile: what was derived before is derived anew, and what
    was begun before is left to the other.
    """

    def __init__(self, readings: ReadingStore, records: RecordStore, day_types: DayTypes) -> None:
        self.readings = readings
        self.records = records
        self.day_types = day_types
        self.known = _nothing()
        self._token = ""

    def run(
        self,
        *,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Done:
        """Compute all that is due; `progress` hears of (points done, points due), `stopped` ends between chunks."""
        due = self._due()
        total, done = len(due), 0
        while due and not stopped():
            chunk = dict(list(due.items())[:CHUNK])
            self._compute(chunk)
            if self._superseded():
                break
            for point in chunk:
                del due[point]
            self.records.keep(DUE, json.dumps(due))
            done += len(chunk)
            progress(done, total)
        return Done(points=done, left=len(due))

    def _due(self) -> dict[str, Span]:
        """Return the spans due by point: those left, those touched by readings, those whose register changed."""
        if self._superseded():
            self.known, self._token = _nothing(), self.records.kept(TOKEN)
        touched = self.readings.touched(self._token)
        entries = self._audited()  # before the register is read, so that what they tell is in it
        anew = self._learn_register(touched)
        kept = json.loads(self.records.kept(DUE) or "{}")
        due: dict[str, Span] = {point: (int(a), int(b)) for point, (a, b) in kept.items()}
        for entry in entries:
            for state in (entry.before, entry.after):
                due |= dict.fromkeys(self._concerned(entry.entity, entry.key, state or {}), EVER)
        due |= dict.fromkeys((key.meter for key in anew), EVER)
        for point, span in self._touched(touched):
            due[point] = _wider(due.get(point), span)
        due = {point: span for point, span in due.items() if point in self.known.plans}
        if due != kept:
            self.records.keep(DUE, json.dumps(due))
        for key, parts in anew.items():
            self.records.keep(_sums_key(key), parts)
        if entries:
            self.records.keep(AUDITED, str(entries[0].id))
        self.records.keep(TOKEN, touched.token)
        self._token = touched.token
        return due

    def _superseded(self) -> bool:
        """Return whether another process went on with the work since this one last did."""
        return self.records.kept(TOKEN) != self._token

    def _touched(self, touched: Touched) -> Iterable[tuple[str, Span]]:
        for key, first, last in zip(touched.series, micros(touched.first), micros(touched.last), strict=True):
            for point in self.known.of_device.get(key.meter, ()):
                yield point, (int(first), int(last))

    def _audited(self) -> list[AuditEntry]:
        """Return the changes of the register since the last run, newest first."""
        seen = int(self.records.kept(AUDITED) or 0)
        found: list[AuditEntry] = []
        before = None
        while entries := self.records.audit(before=before, limit=500):
            found += [entry for entry in entries if entry.id > seen]
            before = entries[-1].id
            if before <= seen:
                break
        return found

    def _concerned(self, entity: str, key: str, state: Mapping[str, object]) -> set[str]:
        if entity == "point":
            return {key}
        if entity == "meter":
            return {str(state.get("point", ""))} - {""}
        if entity == "dial_event":
            return set(self.known.of_device.get(str(state.get("meter", "")), ()))
        return set()

    def _learn_register(self, touched: Touched) -> dict[SeriesKey, str]:
        """Derive the plans again where the register changed or a series came that none of them reads.

        Return the series that other parts make up than before, with these parts: all of each is to be computed again.
        """
        version = self.records.version()
        read = {key for of_point in self.known.plans.values() for plan in of_point for key in plan.series}
        new = {key for key in touched.series if key.meter in self.known.of_device} - read
        if version == self.known.version and not new:
            return {}
        meters = self.records.find(Meter)
        made = plans(
            self.records.find(Point),
            meters,
            self.records.find(DialEvent),
            self.readings.known(sorted({m.device for m in meters})),
            self.day_types,
        )
        by_point: dict[str, list[Plan]] = {}
        for plan in made:
            by_point.setdefault(plan.point, []).append(_learnt(plan, kept_limits(self.records, plan)))
        of_device: dict[str, tuple[str, ...]] = {}
        for meter in meters:
            of_device[meter.device] = (*of_device.get(meter.device, ()), meter.point)
        had = {plan.key for of_point in self.known.plans.values() for plan in of_point if plan.sums}
        self.known = _Known(version=version, plans=by_point, of_device=of_device)
        parts = {plan.key: composition(plan.sums) for plan in made if plan.sums or plan.key in had}
        return {key: text for key, text in parts.items() if text != self.records.kept(_sums_key(key))}

    def _compute(self, chunk: Mapping[str, Span]) -> None:
        """Compute the roll-ups of some points over their spans and write them."""
        wanted = [(plan, span) for point, span in chunk.items() for plan in self.known.plans.get(point, ())]
        made = self._made([(plan, _enough(plan, span)) for plan, span in wanted], NEAR_US)
        wide = [(m.plan, m.span) for m in made.values() if m.span != EVER and _needs_more(m.built.curve, m.span)]
        made |= self._made(wide, LIKE_US)
        self._keep_limits(made.values())
        made |= self._with_sums(chunk, made)
        if self._superseded():
            return
        for grain in (Period.HOUR, Period.DAY):
            rolled = concat([part for m in made.values() for part in self._rolled(m, grain)])
            anew = [m.plan.key for m in made.values() if m.span == EVER]
            ended = [self._ended(grain, m, rolled) for m in made.values() if _beyond(m)]
            self.readings.write_rollup(grain, concat([rolled, self._blanks(grain, anew, rolled), *ended]))
        self._write_findings(list(made.values()))

    def _made(self, wanted: Sequence[tuple[Plan, Span]], margin: int) -> dict[SeriesKey, _Made]:
        """Return the curves around these spans, and each span widened to the readings beside it."""
        made: dict[SeriesKey, _Made] = {}
        groups: dict[Span, list[Plan]] = {}
        for plan, span in wanted:
            groups.setdefault(_coarse(span), []).append(plan)
        exact = {plan.key: span for plan, span in wanted}
        for span, group in groups.items():
            series = tuple(dict.fromkeys(key for plan in group for key in plan.series))
            every, window = read_around(self.readings, series, span, margin)
            for plan, mine in split(every, group):
                limits = {} if exact[plan.key] == EVER else plan.rules.limits
                rules = replace(plan.rules, window_us=window, limits=limits)
                built = build(mine, plan.mountings, plan.events, rules)
                widened = _to_neighbours(built.curve, exact[plan.key])
                zero = begins_at_zero(built.curve, mine, window[0])
                made[plan.key] = _Made(plan=plan, built=built, span=widened, asked=exact[plan.key], at_zero=zero)
        return made

    def _with_sums(self, chunk: Mapping[str, Span], made: Mapping[SeriesKey, _Made]) -> dict[SeriesKey, _Made]:
        """Return the curves of the points with sums over one span each, the sums put together."""
        found: dict[SeriesKey, _Made] = {}
        for point in {key.meter for key, one in made.items() if one.plan.sums}:
            asked = chunk[point]
            mine = {key: one for key, one in made.items() if key.meter == point}
            span = EVER if asked == EVER else _hull(mine.values(), asked)
            mine |= self._over(span, mine)
            mine = {k: one if one.span == EVER else replace(one, span=span, asked=asked) for k, one in mine.items()}
            curves = {key.register: one.built.curve for key, one in mine.items()}
            zeros = {key.register for key, one in mine.items() if one.at_zero}
            for key, one in mine.items():
                if one.plan.sums:
                    curve = combined(one.plan.sums, one.built.curve, curves, zeros)
                    mine[key] = replace(one, built=replace(one.built, curve=curve), span=span, asked=asked)
            found |= mine
        return found

    def _over(self, span: Span, made: Mapping[SeriesKey, _Made]) -> dict[SeriesKey, _Made]:
        """Return curves of one point anew where they are not known all through the days of a span and its gaps."""
        parts = [one for one in made.values() if one.plan.series and one.span != EVER]
        gaps = any(_needs_more(one.built.curve, _coarse(span)) for one in made.values())
        if span == EVER or not (gaps or any(one.span != span for one in parts)):
            return {}
        around = self._made([(one.plan, _coarse(span)) for one in parts], NEAR_US)
        wide = (
            min([span[0], *(m.span[0] for m in around.values())]),
            max([span[1], *(m.span[1] for m in around.values())]),
        )
        return self._made([(one.plan, wide) for one in parts], LIKE_US) if gaps or wide != span else around

    def _keep_limits(self, made: Iterable[_Made]) -> None:
        """Keep the limits of curves made anew from a week or more, so that what is made in part agrees with them."""
        for one in made:
            at_us, limits = one.built.curve.read_us, one.built.limits
            known = len(at_us) and at_us[-1] - at_us[0] >= WEEK_US and any(of.usual for of in limits.values())
            if one.span != EVER or not known:
                continue
            learnt = Learnt(limits=limits, first_us=int(at_us[0]), last_us=int(at_us[-1]))
            keep_limits(self.records, one.plan, learnt)
            mine = self.known.plans[one.plan.point]
            place = next(i for i, plan in enumerate(mine) if plan.register == one.plan.register)
            mine[place] = _learnt(one.plan, learnt)

    def _rolled(self, made: _Made, grain: Period) -> list[RollUp]:
        """Return the periods of a curve that touch its span."""
        curve = made.built.curve
        if not len(curve.at_us):
            return []
        first, last = max(made.span[0], int(curve.at_us[0])), min(made.span[1], int(curve.at_us[-1]))
        begin, end = np.datetime64(first, "us"), np.datetime64(max(last, first + 1), "us")
        rolled = periods(curve, edges(grain, begin, end, self.day_types.zone))
        columns = {name: getattr(rolled, name) for name in Periods.__slots__}
        return [RollUp(series=(made.plan.key,), code=np.zeros(len(rolled.start), np.int32), **columns)]

    def _blanks(self, grain: Period, keys: Sequence[SeriesKey], rolled: RollUp) -> RollUp:
        """Return the stored periods that curves made anew have no more, as periods of which nothing is known."""
        former = self.readings.read_rollup(grain, keys, BEGIN, END) if keys else RollUp.empty()
        place = {key: i for i, key in enumerate(rolled.series)}
        code = (
            np.array([place.get(key, -1) for key in former.series] or [0])[former.code] if len(former) else former.code
        )
        start_us, have_us = micros(former.start), micros(rolled.start)
        stale = np.ones(len(former), bool)
        for c in np.unique(code):
            mine = code == c
            stale[mine] = ~np.isin(start_us[mine], have_us[rolled.code == c])
        return blank(former.take(stale))

    def _ended(self, grain: Period, made: _Made, rolled: RollUp) -> RollUp:
        """Return the stored periods that the curve does not reach any more, from its end on, with nothing known."""
        at, (first, last) = made.built.curve.at_us, made.asked
        begin = np.datetime64(min(first, int(at[-1])) if len(at) else first, "us")
        end = np.datetime64((max(last, int(at[0])) if len(at) else last) + 1, "us")
        bounds = edges(grain, begin, end, self.day_types.zone)
        former = self.readings.read_rollup(grain, [made.plan.key], bounds[0], bounds[-1])
        have = rolled.start[rolled.code == rolled.series.index(made.plan.key)] if made.plan.key in rolled.series else []
        return blank(former.take(~np.isin(former.start, have)))

    def _write_findings(self, made: Sequence[_Made]) -> None:
        """Put what was found in the place of what was found before, points of one span together."""
        by_point: dict[str, list[_Made]] = {}
        for one in made:
            by_point.setdefault(one.plan.point, []).append(one)
        by_span: dict[Span, list[str]] = {}
        for point, mine in by_point.items():
            first = max(min(m.span[0] for m in mine), int(micros(BEGIN)))
            last = min(max(m.span[1] for m in mine), int(micros(END)))
            by_span.setdefault((first, last), []).append(point)
        for (first, last), points in by_span.items():
            found = [_finding(m, device, mark) for p in points for m in by_point[p] for device, mark in m.built.marks]
            inside = [f for f in found if f.finding.at_to >= _moment(first) and f.finding.at_from <= _moment(last)]
            self.records.replace_findings(points, _moment(first), _moment(last), inside)


def _beyond(made: _Made) -> bool:
    """Return whether a part of a curve does not reach over all that was touched: readings were withdrawn."""
    at = made.built.curve.at_us
    return made.span != EVER and (not len(at) or made.asked[0] < at[0] or made.asked[1] > at[-1])


def blank(former: RollUp) -> RollUp:
    """Return the periods with nothing known of them any more."""
    none = np.full(len(former), NAT)
    zero = np.zeros(len(former), np.int64)
    return replace(
        former,
        nano=zero,
        missing_s=former.span_s,
        estimated_s=zero,
        gap_until=none,
        gap_since=none,
        first_at=none,
        last_at=none,
    )


def _learnt(plan: Plan, learnt: Learnt | None) -> Plan:
    limits = learnt.limits if learnt else {}
    return replace(plan, learnt=learnt, rules=replace(plan.rules, limits=limits))


def _hull(made: Iterable[_Made], asked: Span) -> Span:
    """Return the span in which any curve of a point may have changed."""
    spans = [asked, *(_changed(one, asked) for one in made if one.plan.series)]
    return min(first for first, _ in spans), max(last for _, last in spans)


def _changed(made: _Made, asked: Span) -> Span:
    """Return where a curve may have changed: all of it where its limits were learnt anew."""
    read = made.built.curve.read_us
    if made.span != EVER:
        return made.span
    if len(read) and any(of.usual for of in made.built.limits.values()):
        return min(asked[0], int(read[0]) - DAY_US), max(asked[1], int(read[-1]) + DAY_US)
    return _to_neighbours(made.built.curve, asked)


def _sums_key(key: SeriesKey) -> str:
    return f"sums/{key.meter}/{key.register}"


def _enough(plan: Plan, span: Span) -> Span:
    """Return the span to compute: all of it while too little is known to keep what was learnt."""
    if not plan.series:
        return span
    return span if plan.learnt is not None and plan.learnt.holds(span[1]) else EVER


def _wider(known: Span | None, span: Span) -> Span:
    return span if known is None else (min(known[0], span[0]), max(known[1], span[1]))


def _moment(at_us: int) -> datetime:
    return moment(np.datetime64(at_us, "us"))


def read_around(store: ReadingStore, series: Sequence[SeriesKey], span: Span, margin: int) -> tuple[Readings, Span]:
    """Return the readings of series in a span [µs] and a margin around it, with the next ones on both sides.

    The second value is the span within which all readings are there. Of a reading beside the span that stands alone,
    those of the days around it are there too, so that its day can be made whole.
    """
    if not series:
        return Readings.empty(), span
    if span == EVER:
        return store.read(series, BEGIN, END), EVER
    window = max(span[0] - margin, int(micros(BEGIN))), min(span[1] + margin, int(micros(END)))
    start, end = np.datetime64(window[0], "us"), np.datetime64(window[1] + 1, "us")
    near = concat_readings([store.read(series, start, end), store.neighbours(series, start, end)])
    return concat_readings([near, *_around_lone(store, near, span, window)]), window


def _around_lone(store: ReadingStore, near: Readings, span: Span, window: Span) -> Iterable[Readings]:
    """Yield what stands around readings outside of a window between which and the span there is no other."""
    at = micros(near.at)
    for outside, between in (
        (at < window[0], (at >= window[0]) & (at < span[0])),
        (at > window[1], (at <= window[1]) & (at > span[1])),
    ):
        lone = outside & ~np.isin(near.code, near.code[between])
        for code, at_us in zip(near.code[lone].tolist(), at[lone].tolist(), strict=True):
            key = [near.series[code]]
            low, high = np.datetime64(at_us - DAYS_AROUND_US, "us"), np.datetime64(at_us + DAYS_AROUND_US, "us")
            yield store.read(key, low, high)
            yield store.neighbours(key, low, high)


def split(every: Readings, group: Sequence[Plan]) -> Iterable[tuple[Plan, Readings]]:
    """Yield the readings of each plan."""
    order = np.argsort(every.code, kind="stable")
    bounds = np.searchsorted(every.code[order], np.arange(len(every.series) + 1))
    place = {key: i for i, key in enumerate(every.series)}
    for plan in group:
        codes = [place[key] for key in plan.series if key in place]
        chosen = [order[bounds[c] : bounds[c + 1]] for c in codes]
        yield plan, every.take(np.concatenate(chosen) if chosen else np.empty(0, np.int64))


def _to_neighbours(curve: Curve, span: Span) -> Span:
    """Return a span widened to the knots beside it: a reading changes the pieces on both its sides."""
    if span == EVER or not len(curve.read_us):
        return span
    read = curve.read_us
    before = int(np.searchsorted(read, span[0], side="left")) - 1
    after = int(np.searchsorted(read, span[1], side="right"))
    return int(read[max(before, 0)]), int(read[min(after, len(read) - 1)])


def _needs_more(curve: Curve, span: Span) -> bool:
    """Return whether a long gap lies in a span, so that like days further away shape it."""
    return bool(((curve.gaps[:, 0] <= span[1]) & (curve.gaps[:, 1] >= span[0])).any())


def _coarse(span: Span) -> Span:
    """Return the whole days around a span, so that points touched at about one time are read together."""
    return span if span == EVER else (span[0] // DAY_US * DAY_US, -(-span[1] // DAY_US) * DAY_US)


def _finding(made: _Made, device: str, mark: Mark) -> PointFinding:
    """Return a mark of a curve as a finding, amounts in canonical units."""
    finding = Finding(
        meter=device,
        register=made.plan.register,
        rule=mark.rule,
        at_from=_moment(mark.first_us),
        at_to=_moment(mark.last_us),
        evidence=mark.told(),
        proposal=mark.proposed(lambda at_us: _moment(at_us).isoformat()),
    )
    return PointFinding(point=made.plan.point, finding=finding, open=mark.rule is Rule.BREAK)
