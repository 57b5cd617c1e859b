"""The act of evaluating: all points by all rules until now, as alerts are told of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from alerts.grouping import SOURCE_SILENT
from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import Tuning
from core.alerts import Alert, AlertFilter, Detection
from core.calendar import instant, micros
from core.gaps import DayTypes
from core.notes import PointFinding
from core.ports import ReadingStore, RecordStore, Touched
from core.readings import Readings, SeriesKey
from core.region_tables import RegionTables
from core.registry import Adjustment, Building, Commodity, DialEvent, Measure, Meter, Point
from services.alerts import Evaluation
from services.baselines import Baselines
from services.detection import HISTORY, NEWS, Beside, Prices, report_of, told_of
from services.detection_expected import Expectations
from services.detection_learnt import PointLearnt, fingerprint, learnt_of, of_stored
from services.detection_look import Choice, Look, Memory, counted_of, series_of, stale, told_again
from services.detection_past import DaysOff, Past
from services.detection_sources import BROKER, sources_of
from services.detection_tuning import RuleSettings, tunings
from services.held import View

TOKEN: Final = "detectors/token"  # noqa: S105 - a cursor, no secret
SILENCES_BACK: Final = timedelta(days=60)
CHUNK: Final = 40
"""Points whose expectations are asked for together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """All that an evaluation asks: stores, the register as it stands, baselines, calendar, prices, the broker."""

    readings: ReadingStore
    records: RecordStore
    register: Callable[[], View]
    baselines: Callable[[], Baselines]
    days: DaysOff
    day_types: DayTypes
    tables: RegionTables = field(default_factory=RegionTables)
    broker: str = BROKER

    def prices(self, register: View) -> Prices:
        """Return what one more unit costs."""
        return Prices(tables=self.tables, buildings={b.id: b for b in register.find(Building)})

    def expectations(self, register: View) -> Expectations:
        """Return what tells what to expect of points."""
        return Expectations(
            baselines=self.baselines,
            plants=[p for p in register.find(Point) if p.commodity is Commodity.PV],
            measures=register.find(Measure),
            adjustments=register.find(Adjustment),
        )


def never() -> bool:
    """Tell that nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What an evaluation came to: what alerts are told, how many points were looked at whole, how many wait to be.

    The rest is for `settle`: what was learnt, what is to be learnt anew, and the place in the log of writes.
    """

    evaluation: Evaluation
    whole: int
    waiting: int
    fresh: tuple[PointLearnt, ...]
    forgotten: tuple[str, ...]
    token: str


class Detectors:
    """Evaluates points; one at a time.

    Each look asks what came since whether it could show anything. The points of which it could, and those with faults
    that stand, are looked at whole; those never looked at, changed, of late readings, or not looked at today too, as
    time allows.
    """

    def __init__(self, region: Region) -> None:
        self._region = region
        self._past = Past(region.readings, region.days, region.day_types)
        self._memory = Memory()

    def evaluate(
        self, now: datetime, *, stopped: Callable[[], bool] = never, hurry: Callable[[], bool] = never
    ) -> Looked | None:
        """Return what points tell until now; None where it was stopped.

        In a `hurry` points that are only to be learnt anew wait for the next time. Report it, then `settle` it: killed
        between, the same is told again, which changes nothing.
        """
        RuleSettings(self._region.records).learn(now)
        look, touched = self._begin(now)
        expectations = self._region.expectations(look.register)
        sun = expectations.sun_of([p for p in look.points.values() if p.commodity is Commodity.PV], *self._span(now))
        choice = Choice(look, self._memory, self._region.readings, self._region.days)
        choice.choose(self._region.baselines(), sun, self._marks(look))
        fresh: dict[str, PointLearnt] = {}
        waiting = [key for key in look.waiting if key not in look.urgent]
        for chosen, wait in ((list(look.urgent), never), (waiting, hurry)):
            for n in range(0, len(chosen), CHUNK):
                if wait():
                    break
                for one in self._whole(look, expectations, chosen[n : n + CHUNK]):
                    fresh[one.report.point] = one
                    if stopped():
                        return None
        return self._looked(look, touched, fresh, len(waiting) - sum(key in fresh for key in waiting))

    def settle(self, looked: Looked) -> None:
        """Keep what was learnt, after what it told is reported."""
        records = self._region.records
        if looked.forgotten:
            records.forget_learnt(looked.forgotten)
        if looked.fresh:
            records.keep_learnt([one.stored() for one in looked.fresh])
        if records.kept(TOKEN) != looked.token:
            records.keep(TOKEN, looked.token)

    def _begin(self, now: datetime) -> tuple[Look, Touched]:
        region = self._region
        touched = region.readings.touched(region.records.kept(TOKEN))
        register = region.register()
        points = {point.id: point for point in register.find(Point)}
        plans = self._past.plans(register)
        tuning = tunings(region.records.rule_settings(), points.values())
        series = series_of(plan for some in plans.values() for plan in some)
        latest = region.readings.latest(series) if series else Readings.empty()
        kept = {one.point: of_stored(one) for one in region.records.learnt()}
        look = Look(
            now=now,
            register=register,
            points=points,
            plans=plans,
            prints=prints_of(register, points, tuning),
            learnt={key: one for key, one in kept.items() if one is not None and key in points},
            tuning=tuning,
            token=touched.token,
            latest_us=latest_us(latest, {point: series_of(some) for point, some in plans.items()}),
            counted_us=latest_us(latest, {point: counted_of(some) for point, some in plans.items() if some}),
        )
        look.stale = stale(look, touched)
        return look, touched

    def _marks(self, look: Look) -> list[PointFinding]:
        """Return what was found on dials since the first point was looked at."""
        since = min((one.until for one in look.learnt.values()), default=look.now)
        return self._region.records.findings(start=since - timedelta(days=2))

    def _span(self, now: datetime) -> tuple[date, date]:
        """Return the local days that a point's own past is looked at, yesterday the last."""
        zone = self._region.days.zone
        first, last = ((now - back).astimezone(zone).date() for back in (HISTORY, timedelta(days=1)))
        return first, last

    def _whole(self, look: Look, expectations: Expectations, keys: Sequence[str]) -> Iterator[PointLearnt]:
        """Yield what all rules tell of points from all that is known of them, and what is learnt by it."""
        points = [look.points[key] for key in keys]
        beside, prices = expectations.of(points, *self._span(look.now)), self._region.prices(look.register)
        span = int(micros(instant(look.now - HISTORY))), look.now_us + 1
        for watching in self._past.look(look.register, points, span):
            key = watching.point.id
            told = told_of(watching, Beside(expectation=beside[key], tuning=look.tuning[key]), look.now)
            report = report_of(told, prices, look.now)
            yield learnt_of(told, report, look.tuning[key], look.prints[key], look.now)

    def _looked(self, look: Look, touched: Touched, fresh: Mapping[str, PointLearnt], waiting: int) -> Looked:
        prices = self._region.prices(look.register)
        old = [key for key in look.learnt if key not in fresh and key not in look.stale]
        reports = [one.report for one in fresh.values()]
        reports += [told_again(look, key, prices, look.now - NEWS) for key in old]
        broker = self._region.broker
        told = [one for report in reports for one in report.detections]
        return Looked(
            evaluation=Evaluation(
                detections=without_known_gaps(told, self._region.records, look.now),
                judged={(rule.value, report.point) for report in reports for rule in report.judged},
                heard=[report.heard for report in reports if report.heard is not None],
                sources=sources_of(self._region.records.topics(), look.register.find(Meter), broker),
            ),
            whole=len(fresh),
            waiting=waiting,
            fresh=tuple(fresh.values()),
            forgotten=tuple(sorted(key for key in look.stale if key in look.learnt and key not in fresh)),
            token=touched.token,
        )


def without_known_gaps(told: Sequence[Detection], records: RecordStore, now: datetime) -> list[Detection]:
    """Return what is told without gaps in readings of which an alert told while they lasted: one cause, one alert."""
    if not any(one.rule == Rule.GAP for one in told):
        return list(told)
    silences = records.alerts(AlertFilter(rules=(Rule.DEAD.value, SOURCE_SILENT), opened_from=now - SILENCES_BACK))
    return [one for one in told if one.rule != Rule.GAP or not any(_explains(alert, one) for alert in silences)]


def _explains(silence: Alert, gap: Detection) -> bool:
    """Return whether a gap lies in a silence that was told of the point, or of what it is heard through."""
    mine = gap.subject == silence.subject or gap.subject in silence.covers
    return mine and gap.at_from <= (silence.ended_at or gap.at_to) and silence.at_from <= gap.at_to


def prints_of(register: View, points: Mapping[str, Point], tuning: Mapping[str, Tuning]) -> dict[str, str]:
    """Return by point what of the register and the settings it is judged by."""
    meters: dict[str, list[Meter]] = {}
    for meter in register.find(Meter):
        meters.setdefault(meter.point, []).append(meter)
    events: dict[str, list[DialEvent]] = {}
    for event in register.find(DialEvent):
        events.setdefault(event.meter, []).append(event)
    beside: dict[str, list[object]] = {}
    for adjustment in register.find(Adjustment):
        beside.setdefault(adjustment.point, []).append(adjustment)
    for measure in register.find(Measure):
        for key in measure.points:
            beside.setdefault(key, []).append((measure.begins, measure.effective, measure.ended))

    def of(point: Point) -> str:
        mine = meters.get(point.id, [])
        told = [event for device in sorted({m.device for m in mine}) for event in events.get(device, ())]
        return fingerprint(point, mine, told, tuning[point.id], beside.get(point.id, ()))

    return {key: of(point) for key, point in points.items()}


def latest_us(latest: Readings, wanted: Mapping[str, Sequence[SeriesKey]]) -> dict[str, int]:
    """Return when each point was heard last [µs], of the series wanted of it, from the last reading of each series."""
    at = dict(zip((latest.series[code] for code in latest.code.tolist()), micros(latest.at).tolist(), strict=True))
    heard = {point: [at[key] for key in series if key in at] for point, series in wanted.items()}
    return {point: max(known) for point, known in heard.items() if known}
