"""Waiting for a store that is down: how often, how long, and when to give up."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from core.errors import StoreInUse, StoreUnavailable
from ingest.metrics import IngestMetrics

log = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 30.0


class Attempt(Protocol):
    """Does something that needs a store, named for the operator."""

    def __call__(self, store: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the act returns
        """Return what the act returns."""
        ...


def once(
    store: str,  # noqa: ARG001 - there is nobody to name it to
    act: Callable[[], Any],
) -> Any:  # noqa: ANN401 - what the act returns
    """Do it; that a store is down is for the caller to hear, who waits at the other end."""
    return act()


class Abandoned(Exception):
    """The ingester was stopped while a store was down."""


class Patience:
    """Does it, and again with growing pauses for as long as the store is down.

    `trouble` says which store is waited for, and why. After `stop` it goes on for the grace given, then raises
    Abandoned.
    """

    def __init__(self, metrics: IngestMetrics) -> None:
        self._metrics = metrics
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self.trouble = ""

    def __call__(self, store: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the act returns
        """Return what the act returns, once the store took it; errors other than absence pass."""
        delay = FIRST_DELAY_S
        while True:
            try:
                result = act()
            except (StoreUnavailable, StoreInUse) as err:
                self.note(store, err)
                self.pause(delay)
                delay = min(2 * delay, LONGEST_DELAY_S)
            else:
                self.trouble = ""
                return result

    def note(self, store: str, err: Exception) -> None:
        """Let the operator see that a store is down."""
        if not self.trouble:
            log.warning("a store is down; messages wait un-acknowledged", extra={"store": store, "error": str(err)})
        self.trouble = f"{store}: {err}"
        self._metrics.retries.labels(store).inc()

    def pause(self, seconds: float) -> None:
        """Wait; raise Abandoned where the time to stop is over."""
        if not self._stopping.wait(seconds):
            return
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Abandoned
        threading.Event().wait(min(seconds, left, 1.0))

    def start(self) -> None:
        """Be patient without end."""
        self._stopping.clear()
        self._deadline = float("inf")

    def stop(self, *, grace_s: float) -> None:
        """Be patient for so long only."""
        self._deadline = time.monotonic() + grace_s
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether stop was called."""
        return self._stopping.is_set()
