"""Work that recurs: done by one of the processes that could, one act of a lane at a time, as often as it is due."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.clock import now
from core.errors import OdecetError, StoreError
from core.leases import Leases, Outcome, Pace

log = logging.getLogger(__name__)

Stopped = Callable[[], bool]
FIRST_AFTER: Final = timedelta(seconds=20)
"""Rest before the first run, so that a process that starts serves first."""

LEASE_S: Final = 20.0
"""After this long without a sign of life [s] work passes on to another process."""
PROLONGED_EVERY_S: Final = 4.0
RETRY_S: Final = 300.0
LOOKED_EVERY_S: Final = 15.0
LEAST_REST_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """An act, by name, and how often it is done; it looks now and then whether it is to stop.

    Of all processes on one record store, one does it at a time. Acts of one lane are done one at a time within a
    process; those of another lane do not wait for them. An act whose process was killed in the middle is begun again
    by another, so doing it twice must change nothing.
    """

    name: str
    every: timedelta
    act: Callable[[Stopped], None]
    lane: str = "default"
    after: timedelta = FIRST_AFTER

    @property
    def pace(self) -> Pace:
        """How often it is done."""
        return Pace(every_s=self.every.total_seconds(), retry_s=RETRY_S, lease_s=LEASE_S)


class _Turns:
    """The turns that this process has, prolonged in a thread of their own; the clock is the monotonic one [s]."""

    def __init__(self, leases: Leases, by: str) -> None:
        self._leases = leases
        self._by = by
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, names: Iterable[str], until: float) -> None:
        with self._lock:
            self._until.update(dict.fromkeys(names, until))

    def drop(self, name: str) -> None:
        with self._lock:
            self._until.pop(name, None)

    def lost(self, name: str) -> bool:
        return time.monotonic() >= self._until.get(name, 0.0)

    def prolong(self, stopped: threading.Event) -> None:
        while not stopped.wait(PROLONGED_EVERY_S):
            with self._lock:
                names = list(self._until)
            try:
                self._again(names)
            except StoreError as err:
                log.warning("turns at recurring work could not be prolonged", extra={"reason": str(err)})

    def _again(self, names: Sequence[str]) -> None:
        until = time.monotonic() + LEASE_S  # taken before the store is asked: we never think longer than it does
        ours = self._leases.prolong(names, by=self._by, lease_s=LEASE_S) if names else frozenset[str]()
        with self._lock:
            self._until.update({name: until if name in ours else 0.0 for name in names if name in self._until})


class Recurrence:
    """Does acts when they are due; one that fails is told, counted and tried again, here or in another process."""

    def __init__(self, acts: Sequence[Recurring], *, leases: Leases, metrics: CollectorRegistry) -> None:
        self._acts = tuple(acts)
        self._leases = leases
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._turns = _Turns(leases, self.name)
        self._stopped, self._ended = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._runs = Counter("odecet_work_runs", "Runs of recurring work", ["name", "result"], registry=metrics)
        self._seconds = Gauge("odecet_work_last_seconds", "Length of the last run", ["name"], registry=metrics)
        self._success = Gauge(
            "odecet_work_last_success_timestamp_seconds",
            "When recurring work last ended well, in any process",
            ["name"],
            registry=metrics,
        )

    def start(self) -> None:
        """Begin: a thread a lane, and one that keeps the turns."""
        self._stopped.clear()
        self._ended.clear()
        keeper = threading.Thread(target=self._turns.prolong, args=(self._ended,), name="turns", daemon=True)
        lanes: dict[str, list[Recurring]] = {}
        for one in self._acts:
            lanes.setdefault(one.lane, []).append(one)
        workers = [
            threading.Thread(target=self._lane, args=(acts,), name=f"work-{lane}", daemon=True)
            for lane, acts in lanes.items()
        ]
        self._threads = [*workers, keeper]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End after the steps at hand, whose work another process may take up at once. May be called twice."""
        self._stopped.set()
        for thread in self._threads[:-1]:
            thread.join()
        self._ended.set()  # turns are kept until the last act has ended
        for thread in self._threads[-1:]:
            thread.join()
        self._threads = []

    def _lane(self, acts: Sequence[Recurring]) -> None:
        begun = time.monotonic()
        while not self._stopped.is_set():
            rests = [begun + one.after.total_seconds() - time.monotonic() for one in acts]
            rests = [rest if rest > 0 else self.run(one) for one, rest in zip(acts, rests, strict=True)]
            self._stopped.wait(max(min(rests), LEAST_REST_S))

    def run(self, one: Recurring) -> float:
        """Do an act if it is due and nobody does it; return after how many seconds [s] to ask again."""
        asked = time.monotonic()
        try:
            turn = self._leases.take(one.name, by=self.name, pace=one.pace)
        except OdecetError as err:
            self._failed(one, err)
            return min(one.every.total_seconds(), LOOKED_EVERY_S)
        if turn.succeeded is not None:
            self._success.labels(one.name).set(turn.succeeded.timestamp())
        if not turn.taken:  # whoever has it may end, or die, sooner than it must
            return min(turn.wait_s, LOOKED_EVERY_S, one.every.total_seconds())
        self._turns.note([one.name], asked + LEASE_S)
        outcome = self._done(one)
        self._turns.drop(one.name)
        try:
            self._leases.give_back(one.name, by=self.name, outcome=outcome)
        except StoreError as err:
            log.warning("a turn could not be given back", extra={"work": one.name, "reason": str(err)})
        return LEAST_REST_S

    def _done(self, one: Recurring) -> Outcome:
        """Do an act now and return how it ended."""
        began = time.monotonic()
        log.debug("recurring work begins", extra={"work": one.name})
        try:
            one.act(lambda: self._stopped.is_set() or self._turns.lost(one.name))
        except OdecetError as err:
            if self._stopped.is_set():
                return Outcome.LEFT
            self._failed(one, err)
            return Outcome.FAILED
        except Exception:  # a fault of ours must not end the work of all other acts
            self._runs.labels(one.name, "failed").inc()
            log.exception("recurring work met a fault of Odečet", extra={"work": one.name})
            return Outcome.FAILED
        if self._stopped.is_set() or self._turns.lost(one.name):
            return Outcome.LEFT
        log.debug("recurring work ended", extra={"work": one.name})
        self._runs.labels(one.name, "done").inc()
        self._seconds.labels(one.name).set(time.monotonic() - began)
        self._success.labels(one.name).set(now().timestamp())
        return Outcome.DONE

    def _failed(self, one: Recurring, err: OdecetError) -> None:
        self._runs.labels(one.name, "failed").inc()
        log.warning("recurring work failed and is tried again", extra={"work": one.name, "reason": str(err)})
