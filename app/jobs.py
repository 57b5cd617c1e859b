"""Work by the clock: roll-ups of what was touched."""

import logging
import threading
import time

from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.clock import now
from core.errors import StoreError
from services.rollup import RollUps

log = logging.getLogger(__name__)


class Jobs:
    """Runs the roll-ups every few seconds in one thread; a store that is down is tried again the next time."""

    def __init__(self, rollups: RollUps, *, every_s: float, metrics: CollectorRegistry) -> None:
        self._rollups = rollups
        self._every_s = every_s
        self._stopped = threading.Event()
        self._scheduler: BackgroundScheduler | None = None
        self._points = Counter("odecet_rollup_points", "Points rolled up", registry=metrics)
        self._failures = Counter("odecet_rollup_failures", "Runs that a store could not take", registry=metrics)
        self._last = Gauge(
            "odecet_rollup_last_success_timestamp_seconds", "End of the last whole run", registry=metrics
        )
        self._seconds = Gauge("odecet_rollup_last_seconds", "Length of the last run", registry=metrics)
        self._left = Gauge("odecet_rollup_due_points", "Points due when the last run ended", registry=metrics)

    def start(self) -> None:
        """Begin at once."""
        self._stopped.clear()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.roll_up,
            "interval",
            seconds=self._every_s,
            next_run_time=now(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def close(self) -> None:
        """End after the chunk at hand; what is left stays due. May be called twice."""
        self._stopped.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def roll_up(self) -> None:
        """Roll up what is due; where a store is down, say so and leave it due."""
        began = time.monotonic()
        try:
            done = self._rollups.run(stopped=self._stopped.is_set)
        except StoreError as err:
            self._failures.inc()
            log.warning("roll-ups wait for a store", extra={"reason": str(err)})
            return
        self._points.inc(done.points)
        self._left.set(done.left)
        self._seconds.set(time.monotonic() - began)
        self._last.set(now().timestamp())
