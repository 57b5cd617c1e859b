"""Roll-ups of what was touched, as recurring work with figures of its own."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.clock import now
from app.recurring import Stopped
from core.errors import StoreError
from services.rollup import RollUps


class RollingUp:
    """Rolls up what is due; where a store is down it stays due."""

    def __init__(self, rollups: RollUps, *, metrics: CollectorRegistry) -> None:
        self._rollups = rollups
        self._points = Counter("odecet_rollup_points", "Points rolled up", registry=metrics)
        self._failures = Counter("odecet_rollup_failures", "Runs that a store could not take", registry=metrics)
        self._last = Gauge(
            "odecet_rollup_last_success_timestamp_seconds", "End of the last whole run", registry=metrics
        )
        self._seconds = Gauge("odecet_rollup_last_seconds", "Length of the last run", registry=metrics)
        self._left = Gauge("odecet_rollup_due_points", "Points due when the last run ended", registry=metrics)

    def run(self, stopped: Stopped) -> None:
        """Roll up, until told to stop."""
        began = time.monotonic()
        try:
            done = self._rollups.run(stopped=stopped)
        except StoreError:
            self._failures.inc()
            raise
        self._points.inc(done.points)
        self._left.set(done.left)
        self._seconds.set(time.monotonic() - began)
        self._last.set(now().timestamp())
