"""Detectors put together from the settings, and the work that evaluates points by the clock."""

import logging
import time
from datetime import timedelta
from typing import Final

from app.alerting import alert_acts
from app.clock import now
from app.recurring import Stopped
from app.wiring import Parts
from core.registry import Measure, Point
from services.detecting import Detectors, Region
from services.detection_expected import keep_half_years
from services.detection_past import DaysOff
from services.detection_running import RunningQuarters

log = logging.getLogger(__name__)

HISTORY_KEPT: Final = timedelta(days=366 * 5)


def region_of(parts: Parts) -> Region:
    """Return what an evaluation asks, of these parts."""
    facts, mqtt = parts.facts, parts.settings.mqtt
    return Region(
        readings=parts.readings,
        records=parts.records,
        register=parts.register.view,
        baselines=parts.baselines,
        days=DaysOff.of(facts.zone, facts.holidays, facts.school),
        day_types=parts.calendar.day_types,
        tables=parts.dated,
        broker=f"{mqtt.host}:{mqtt.port}",
    )


def keep_history(parts: Parts, stopped: Stopped) -> None:
    """Keep the models of the half-years of the last years, so that rules are tried on history without waiting."""
    register, last = parts.register.view(), now().astimezone(parts.facts.zone).date() - timedelta(days=1)
    points, measures = register.find(Point), register.find(Measure)
    first = last - HISTORY_KEPT
    keep_half_years(parts.baselines(), points, measures, first, last, stopped=stopped)


class Detecting:
    """The work of detectors by the clock: what points tell becomes alerts."""

    def __init__(self, parts: Parts) -> None:
        self._detectors = Detectors(region_of(parts))
        self._alerts = alert_acts(parts.settings, parts.records)
        self._learn_s = parts.settings.detectors.learn_s

    def run(self, stopped: Stopped) -> None:
        """Evaluate all points, report what they tell, and keep what was learnt."""
        at, until = now(), time.monotonic() + self._learn_s
        looked = self._detectors.evaluate(at, stopped=stopped, hurry=lambda: time.monotonic() > until)
        if looked is None:
            return
        done = self._alerts.report(looked.evaluation, at)
        self._detectors.settle(looked)
        told = {"faults": len(looked.evaluation.detections), "whole": looked.whole, "waiting": looked.waiting}
        log.info("points evaluated", extra={**told, "steps": dict(done.steps)})


class RunningCapacity:
    """The work that looks at the running quarter-hour, so that there is time to switch something off."""

    def __init__(self, parts: Parts) -> None:
        self._quarters = RunningQuarters(region_of(parts))
        self._alerts = alert_acts(parts.settings, parts.records)

    def run(self, _stopped: Stopped) -> None:
        """Report the quarter-hours that are going to exceed what is reserved."""
        at = now()
        found = self._quarters.evaluate(at)
        if found is not None:
            self._alerts.report(found, at)
