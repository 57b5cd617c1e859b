"""Work that recurs in hours rather than seconds: fetching temperatures, fitting models of what has changed."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.clock import now
from core.errors import OdecetError

log = logging.getLogger(__name__)

Stopped = Callable[[], bool]
FIRST_AFTER: Final = timedelta(seconds=20)
"""Rest before the first run, so that a process that starts serves first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """An act, by name, and how often it is done; it looks now and then whether it is to stop.

    Acts of one lane are done one at a time; those of another do not wait for them.
    """

    name: str
    every: timedelta
    act: Callable[[Stopped], None]
    lane: str = "default"


class Recurrence:
    """Does acts one at a time, each lane in a thread of its own; one that fails is told, counted and tried again."""

    def __init__(
        self, acts: Sequence[Recurring], *, metrics: CollectorRegistry, first_after: timedelta = FIRST_AFTER
    ) -> None:
        self._acts = tuple(acts)
        self._first_after = first_after
        self._stopped = threading.Event()
        self._scheduler: BackgroundScheduler | None = None
        self._runs = Counter("odecet_work_runs", "Runs of recurring work", ["name", "result"], registry=metrics)
        self._seconds = Gauge("odecet_work_last_seconds", "Length of the last run", ["name"], registry=metrics)

    def start(self) -> None:
        """Begin a little later."""
        self._stopped.clear()
        lanes = {lane: ThreadPoolExecutor(1) for lane in {"default", *(one.lane for one in self._acts)}}
        self._scheduler = BackgroundScheduler(timezone="UTC", executors=lanes)
        for one in self._acts:
            self._scheduler.add_job(
                self.run,
                "interval",
                args=[one],
                executor=one.lane,
                seconds=one.every.total_seconds(),
                next_run_time=now() + self._first_after,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    def close(self) -> None:
        """End after the step at hand. May be called twice."""
        self._stopped.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def run(self, one: Recurring) -> None:
        """Do an act now."""
        began = time.monotonic()
        try:
            one.act(self._stopped.is_set)
        except OdecetError as err:
            self._runs.labels(one.name, "failed").inc()
            log.warning("recurring work failed and is tried again", extra={"work": one.name, "reason": str(err)})
            return
        self._runs.labels(one.name, "done").inc()
        self._seconds.labels(one.name).set(time.monotonic() - began)
