"""Detectors put together from the settings, and the work that evaluates points by the clock."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Generic, TypeVar

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
T = TypeVar("T")

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


class OfTables(Generic[T]):
    """What evaluates a region, made anew where the dated tables changed: it remembers prices and days off."""

    def __init__(self, parts: Parts, make: Callable[[Region], T]) -> None:
        self._parts = parts
        self._make = make
        self._made: tuple[int, T] | None = None

    def present(self) -> T:
        """Return it as of the dated tables as they stand now."""
        number = self._parts.tables.standing().number
        if self._made is None or self._made[0] != number:
            self._made = number, self._make(region_of(self._parts))
        return self._made[1]


class Detecting:
    """The work of detectors by the clock: what points tell becomes alerts."""

    def __init__(self, parts: Parts) -> None:
        self._detectors = OfTables(parts, Detectors)
        self._alerts = alert_acts(parts.settings, parts.records)
        self._learn_s = parts.settings.detectors.learn_s

    def run(self, stopped: Stopped) -> None:
        """Evaluate all points, report what they tell, and keep what was learnt."""
        at, until = now(), time.monotonic() + self._learn_s
        detectors = self._detectors.present()
        looked = detectors.evaluate(at, stopped=stopped, hurry=lambda: time.monotonic() > until)
        if looked is None:
            return
        done = self._alerts.report(looked.evaluation, at)
        detectors.settle(looked)
        told = {"faults": len(looked.evaluation.detections), "whole": looked.whole, "waiting": looked.waiting}
        log.info("points evaluated", extra={**told, "steps": dict(done.steps)})


class RunningCapacity:
    """The work that looks at the running quarter-hour, so that there is time to switch something off."""

    def __init__(self, parts: Parts) -> None:
        self._quarters = OfTables(parts, RunningQuarters)
        self._alerts = alert_acts(parts.settings, parts.records)

    def run(self, _stopped: Stopped) -> None:
        """Report the quarter-hours that are going to exceed what is reserved."""
        at = now()
        found = self._quarters.present().evaluate(at)
        if found is not None:
            self._alerts.report(found, at)
