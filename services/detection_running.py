"""The running quarter-hour of points with reserved capacity, looked at every half minute: whether it will exceed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from analytics.anomalies.capacity import QUARTER_US, running
from analytics.anomalies.chart import Shown, evidence
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.point import Seen, Watched, steps
from analytics.anomalies.tuning import Tuning
from core.alerts import Detection
from core.calendar import instant, micros
from core.detectors import Learnt
from core.registry import Commodity, Point
from services.alerts import Evaluation
from services.detecting import Region
from services.detection import detection_of, reserved_of
from services.detection_learnt import PointLearnt, of_stored
from services.detection_past import Past
from services.detection_tail import watched_between
from services.detection_tuning import tunings
from services.held import View
from services.points import Plan
from services.rollup import split

LATELY: Final = timedelta(minutes=50)
DAY: Final = timedelta(hours=26)
FEWEST: Final = 3


class RunningQuarters:
    """Foretells the running quarter-hours by what was learnt of points; one at a time."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._past = Past(region.readings, region.days, region.day_types)

    def evaluate(self, now: datetime) -> Evaluation | None:
        """Return the quarter-hours that are going to exceed what is reserved, None where none is.

        It opens alerts alone: that a day has passed without one is seen by the evaluation of all rules.
        """
        region, register = self._region, self._region.register()
        points = [p for p in register.find(Point) if p.reserved_kw and p.commodity is Commodity.ELECTRICITY]
        known = _known(region.records.learnt([p.id for p in points])) if points else {}
        points = [p for p in points if p.id in known]
        tuning = tunings(region.records.rule_settings(), points)
        found, now_us = [], int(micros(instant(now)))
        for point, watched in self._lately(register, points, now, LATELY):
            one = foretold(watched, reserved_now(point, watched), known[point.id], tuning[point.id], now_us)
            if one is not None:
                found.append((point, one))
        detections = [self._detection(register, point, one, now) for point, one in found]
        return Evaluation(detections=detections, judged=set()) if detections else None

    def _lately(
        self, register: View, points: Sequence[Point], now: datetime, back: timedelta
    ) -> list[tuple[Point, Watched]]:
        """Return what came of points lately, of those whose meter counts."""
        every = self._past.plans(register)
        plans: dict[str, Plan] = {p.id: every[p.id][0] for p in points if every.get(p.id)}
        series = tuple(dict.fromkeys(key for plan in plans.values() for key in plan.series))
        if not series:
            return []
        span = instant(now - back), instant(now) + np.timedelta64(1, "us")
        came = self._region.readings.read(series, *span)
        mine = {plan.point: part for plan, part in split(came, list(plans.values()))}
        made = ((p, watched_between(mine[p.id], plans[p.id], self._region.days)) for p in points if p.id in mine)
        return [(point, watched) for point, watched in made if watched is not None]

    def _detection(self, register: View, point: Point, found: Finding, now: datetime) -> Detection:
        """Return what is told, with the quarter-hours of the last day."""
        shown = Shown()
        for _, watched in self._lately(register, [point], now, DAY):
            shown = Shown(seen=Seen(watched=watched, steps=steps(watched), hours=None, marks=()))
        told = evidence(found, shown, int(micros(instant(now))))
        return detection_of(point, found, self._region.prices(register), now, told)


def _known(kept: Sequence[Learnt]) -> dict[str, PointLearnt]:
    read = ((one.point, of_stored(one)) for one in kept)
    return {key: one for key, one in read if one is not None and one.errors_kw}


def reserved_now(point: Point, watched: Watched) -> float:
    """Return what a point has reserved [kW] when its last reading came."""
    return float(reserved_of(point, steps(watched).day[-1:])[0])


def foretold(watched: Watched, reserved_kw: float, learnt: PointLearnt, tuning: Tuning, now_us: int) -> Finding | None:
    """Return the running quarter-hour where it is going to exceed, by the readings of the last ones."""
    mine = steps(watched)
    runs = len(mine) >= FEWEST and int(mine.at_us[-1]) // QUARTER_US == now_us // QUARTER_US
    if not runs or Rule.CAPACITY_PROJECTED in tuning.off:
        return None
    energy = np.cumsum(np.maximum(mine.counted, 0.0))
    factor = tuning.of(Rule.CAPACITY_PROJECTED)
    return running(mine.at_us, energy, reserved_kw, np.array(learnt.errors_kw), factor=factor)
