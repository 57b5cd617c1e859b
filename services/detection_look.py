"""What one evaluation starts from, and which points it looks at whole: the urgent ones, and those that may wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from alerts.grouping import Heard
from analytics.anomalies.finding import Rule
from analytics.anomalies.hours import Hours
from analytics.anomalies.point import Watched
from analytics.anomalies.silence import dead_since
from analytics.anomalies.tuning import Tuning
from core.calendar import Period, instant, micros, moment
from core.notes import PointFinding
from core.notes import Rule as DialRule
from core.ports import ReadingStore, Touched
from core.readings import Readings, SeriesKey
from core.registry import Commodity, Point, Role
from services.baselines import Baselines
from services.detection import PointReport, Prices, detection_of
from services.detection_expected import Expectation
from services.detection_learnt import PointLearnt
from services.detection_past import DaysOff, added, real_parts
from services.detection_rules import SILENT
from services.detection_tail import HOURS_BACK, Ended, Tail, could_show, days_show, ended, hours_of, watched_since
from services.held import View
from services.points import MAIN, Plan
from services.rollup import split

RECHECK: Final = timedelta(hours=1)
"""How often a point with a fault that stands is looked at whole: whether it goes on, and what it costs."""
PAUSE: Final = timedelta(minutes=10)
"""How long a point that could have shown something and did not is left alone, unless it could show something else."""
TOLD_BY_DIALS: Final = {
    DialRule.GLITCH: Rule.SPIKE,
    DialRule.BREAK: Rule.BREAK,
    DialRule.STUCK: Rule.STUCK,
}
WATER: Final = frozenset({Commodity.COLD_WATER, Commodity.HOT_WATER})


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a process remembers between evaluations, so that nothing is read twice; lost, it is only read again."""

    heard_us: dict[str, int] = field(default_factory=dict)
    asked: dict[str, tuple[datetime, frozenset[Rule]]] = field(default_factory=dict)
    days_asked: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Look:
    """An evaluation as it goes; `urgent` and `waiting` are the points to look at whole, with the rules that ask it.

    By point, `latest_us` is when anything of it was heard last, `counted_us` when what its consumption is counted by.
    """

    now: datetime
    register: View
    points: Mapping[str, Point]
    plans: Mapping[str, Sequence[Plan]]
    prints: Mapping[str, str]
    learnt: dict[str, PointLearnt]
    tuning: Mapping[str, Tuning]
    token: str
    latest_us: Mapping[str, int]
    counted_us: Mapping[str, int]
    stale: frozenset[str] = frozenset()
    urgent: dict[str, frozenset[Rule]] = field(default_factory=dict)
    waiting: dict[str, frozenset[Rule]] = field(default_factory=dict)

    @property
    def now_us(self) -> int:
        """The instant until which it looks [µs]."""
        return int(micros(instant(self.now)))

    def heard(self, point: str) -> Heard | None:
        """Return when a point was heard last, by the distance of readings that was learnt."""
        usual, last = self.learnt[point].report.heard if point in self.learnt else None, self.latest_us.get(point)
        return usual if usual is None or last is None else replace(usual, last=_moment(last))


def series_of(plans: Iterable[Plan]) -> tuple[SeriesKey, ...]:
    """Return the series that curves read, each once."""
    return tuple(dict.fromkeys(key for plan in plans for key in plan.series))


def counted_of(plans: Sequence[Plan]) -> tuple[SeriesKey, ...]:
    """Return the series that a point's consumption is counted by: its whole register, else the parts of one."""
    return plans[0].series or series_of(plans)


def stale(look: Look, touched: Touched) -> frozenset[str]:
    """Return the points that are to be learnt anew: never learnt, measured or set otherwise, or of late readings."""
    of_series: dict[SeriesKey, list[str]] = {}
    for point, plans in look.plans.items():
        for key in series_of(plans):
            of_series.setdefault(key, []).append(point)
    found = {key for key in look.points if key not in look.learnt or look.learnt[key].of != look.prints[key]}
    for key, first in zip(touched.series, micros(touched.first).tolist(), strict=True):
        for point in of_series.get(key, ()):
            known = look.learnt.get(point)
            if known is not None and known.meter is not None and first < known.meter.last_us:
                found.add(point)
    virtual = [point for point in look.points.values() if point.role is Role.VIRTUAL]
    return frozenset(found | {p.id for p in virtual if found & set(real_parts(p, look.points))})


class Choice:
    """Chooses which points an evaluation looks at whole."""

    def __init__(self, look: Look, memory: Memory, readings: ReadingStore, days: DaysOff) -> None:
        self._look = look
        self._memory = memory
        self._readings = readings
        self._days = days

    def choose(self, made: Baselines, sun: Mapping[str, Expectation], marks: Iterable[PointFinding]) -> None:
        """Fill in which points are urgent and which may wait: never learnt before changed, changed before the rest."""
        look, today = self._look, self._today()
        known = {key: one for key, one in look.learnt.items() if key in look.points and key not in look.stale}
        look.waiting.update(dict.fromkeys(sorted(look.stale - set(look.learnt)), frozenset()))
        look.waiting.update(dict.fromkeys(sorted(look.stale), frozenset()))
        self._by_readings(known)
        self._by_days(known, made, sun, today)
        for mark in marks:
            self._by_mark(known.get(mark.point), mark)
        self._standing(known)
        for key, one in sorted(known.items(), key=lambda item: item[1].until):
            if self._day(one.until) < today and key not in look.urgent:
                look.waiting.setdefault(key, frozenset())

    def _today(self) -> int:
        return self._day(self._look.now)

    def _day(self, at: datetime) -> int:
        return at.astimezone(self._days.zone).date().toordinal() - EPOCH

    def _by_readings(self, known: Mapping[str, PointLearnt]) -> None:
        """Ask the points from which something came since the last evaluation."""
        look, memory = self._look, self._memory
        changed = [key for key in known if look.latest_us.get(key, 0) != memory.heard_us.get(key)]
        tails = self._tails({key: known[key] for key in changed})
        for key, tail in tails.items():
            rules = could_show(
                look.points[key], known[key], tail, look.tuning[key], now_us=look.now_us, days=self._days
            )
            self._ask(key, rules - {Rule.DEAD})
        memory.heard_us.update({key: look.latest_us.get(key, 0) for key in changed})

    def _ask(self, key: str, rules: frozenset[Rule]) -> None:
        """Have a point looked at whole where it could show what does not stand there yet."""
        look, memory = self._look, self._memory
        standing = {Rule(d.rule) for d in look.learnt[key].report.detections if d.going_on}
        new = rules - standing
        at, before = memory.asked.get(key, (look.now - PAUSE, frozenset()))
        if not new or (new <= before and look.now - at < PAUSE):
            return
        memory.asked[key] = look.now, new
        (look.waiting if new <= SILENT else look.urgent)[key] = new

    def _by_mark(self, known: PointLearnt | None, mark: PointFinding) -> None:
        """Ask a point on whose dial something was found after its last reading that was looked at."""
        rule = TOLD_BY_DIALS.get(mark.finding.rule)
        if known is None or known.meter is None or rule is None or rule in self._look.tuning[mark.point].off:
            return
        if micros(instant(mark.finding.at_to)) > known.meter.last_us:
            self._ask(mark.point, frozenset({rule}))

    def _standing(self, known: Mapping[str, PointLearnt]) -> None:
        """Look again at faults that stand: now and then, and at a silence as soon as it ends."""
        look = self._look
        for key, one in known.items():
            rules = {Rule(d.rule) for d in one.report.detections if d.going_on}
            spoke = one.meter is not None and look.counted_us.get(key, 0) > one.meter.last_us
            again = rules - {Rule.DEAD} and look.now - one.until >= RECHECK
            if again or (Rule.DEAD in rules and spoke):
                look.urgent.setdefault(key, frozenset(rules))

    def _tails(self, some: Mapping[str, PointLearnt]) -> dict[str, Tail]:
        """Return what came of points since they were looked at."""
        look, metered = self._look, {key: one.meter for key, one in some.items() if one.meter is not None}
        hours = self._hours([look.points[key] for key in some if look.points[key].commodity in WATER])
        plans = [replace(look.plans[key][0], series=series_of(look.plans[key])) for key in metered]
        first = min((screen.last_us for screen in metered.values()), default=0)
        asked = series_of(plans)
        every = self._readings.read(asked, np.datetime64(first, "us"), np.datetime64(look.now_us + 1, "us"))
        watched: dict[str, Watched | None] = {}
        for plan, mine in split(every, plans) if asked else ():
            key, screen = plan.point, metered[plan.point]
            own = look.plans[key][0].series
            here = _of_series(mine, own) if own and len(series_of(look.plans[key])) > len(own) else mine
            watched[key] = watched_since(here, plan, screen, self._days, whole=bool(own))
        return {key: Tail(watched=watched.get(key), hours=hours.get(key)) for key in some}

    def _hours(self, points: Sequence[Point], back: timedelta = HOURS_BACK) -> dict[str, Hours]:
        """Return the last hours of points from their roll-ups, those of virtual points put together."""
        look = self._look
        parts = {p.id: real_parts(p, look.points) if p.role is Role.VIRTUAL else [p.id] for p in points}
        keys = [SeriesKey(key, MAIN) for key in dict.fromkeys(k for keys in parts.values() for k in keys)]
        if not keys:
            return {}
        span = (np.datetime64(look.now_us - round(back.total_seconds() * 1e6), "us"), np.datetime64(look.now_us, "us"))
        rolled = self._readings.read_rollup(Period.HOUR, keys, *span)
        bounds = np.searchsorted(rolled.code, np.arange(len(rolled.series) + 1))
        made: dict[str, Hours] = {}
        for n, key in enumerate(rolled.series):
            known = look.learnt.get(key.meter)
            quantum = 0.0 if known is None or known.flow is None else known.flow.quantum
            hours = hours_of(rolled.take(np.arange(bounds[n], bounds[n + 1])), self._days, quantum)
            if hours is not None:
                made[key.meter] = hours
        return {p.id: h for p in points if (h := _hours_of(p, made, look.points)) is not None}

    def _by_days(
        self, known: Mapping[str, PointLearnt], made: Baselines, sun: Mapping[str, Expectation], today: int
    ) -> None:
        """Ask the points of which a day ended since they were looked at, once an hour."""
        look, hour = self._look, self._look.now_us // 3_600_000_000
        due = {
            key: one
            for key, one in known.items()
            if one.days is not None and one.days.day < today - 1 and self._memory.days_asked.get(key) != hour
        }
        hours = self._hours([look.points[key] for key in due])
        over = [ended(look.points[key], one, hours.get(key), today) for key, one in due.items()]
        some: list[Ended] = [one for one in over if one is not None]
        for key, rules in days_show(some, made, self._days, sun, look.tuning).items():
            self._ask(key, rules)
        self._memory.days_asked.update(dict.fromkeys(due, hour))


def _of_series(readings: Readings, series: Sequence[SeriesKey]) -> Readings:
    """Return the readings of some series."""
    wanted = np.array([key in series for key in readings.series] or [False])
    return readings.take(wanted[readings.code])


EPOCH: Final = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day, no instant


def _hours_of(point: Point, made: Mapping[str, Hours], known: Mapping[str, Point]) -> Hours | None:
    return added(point, made, known) if point.role is Role.VIRTUAL else made.get(point.id)


def told_again(look: Look, key: str, prices: Prices, since: datetime) -> PointReport:
    """Return what a point tells that was not looked at whole: what stood and stands, and silence as it is now."""
    one = look.learnt[key]
    last = look.counted_us.get(key)
    kept = [d for d in one.report.detections if d.going_on or d.at_to >= since]
    kept = [d for d in kept if d.rule != Rule.DEAD or last is None or one.meter is None or last <= one.meter.last_us]
    judged: Collection[Rule] = ()
    rhythm = None if one.meter is None else one.meter.rhythm
    if rhythm is not None and last is not None and Rule.DEAD not in look.tuning[key].off:
        judged = {Rule.DEAD}
        found = dead_since(last, rhythm, look.now_us, one.report.unit, factor=look.tuning[key].of(Rule.DEAD))
        if found is not None and not any(d.rule == Rule.DEAD for d in kept):
            kept.append(detection_of(look.points[key], found, prices, look.now, {}))
    return replace(one.report, detections=tuple(kept), judged=frozenset(judged), heard=look.heard(key))


def _moment(at_us: int) -> datetime:
    return moment(np.datetime64(at_us, "us"))
