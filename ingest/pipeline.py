"""From a source to the store: take, decode, accept, write, keep dead letters, then acknowledge."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import instant, micros
from core.errors import StoreError
from core.notes import DeadLetter
from core.ports import Clock, ReadingStore, RecordStore
from core.readings import Readings
from ingest.backlog import Backlog, Held
from ingest.descriptions import Descriptions
from ingest.inbox import Inbox, KnownDevices
from ingest.message import Message
from ingest.metrics import IngestMetrics
from ingest.patience import Abandoned, Patience
from ingest.profile import Reject
from ingest.reader import Outcome, Reader
from ingest.redelivery import Redeliveries
from ingest.source import Source, SourceStatus
from ingest.trails import Trails
from ingest.writing import Writer

log = logging.getLogger(__name__)

WAIT_S: Final = 0.25
"""How long the worker waits for a message before it looks at what else is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestStatus:
    """How ingestion fares; `trouble` says which store is waited for and why, empty where none is."""

    running: bool
    trouble: str
    held: Held
    source: SourceStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSize:
    """How many messages are written at once, and how long [s] they are gathered."""

    messages: int = 10_000
    linger_s: float = 0.05


class Ingester:
    """Settles the messages of a backlog in one worker thread.

    A message is acknowledged after its readings are stored and what is wrong with it is kept. A store that is down is
    waited for without end, with the messages un-acknowledged; a message that the store refuses becomes a dead letter.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        source: Source | None,
        reader: Reader,
        readings: ReadingStore,
        records: RecordStore,
        clock: Clock,
        metrics: IngestMetrics,
        batch: BatchSize | None = None,
    ) -> None:
        self._backlog = backlog
        self._source = source
        self._reader = reader
        self._readings = readings
        self._clock = clock
        self._metrics = metrics
        self._batch = batch or BatchSize()
        self._patience = Patience(metrics)
        self._writer = Writer(readings=readings, records=records, attempt=self._patience, metrics=metrics)
        self._known = KnownDevices(records)
        self._inbox = Inbox(records)
        self._trails = Trails(records)
        self._descriptions = Descriptions(reader.router, records)
        self._again = Redeliveries(bound=4 * backlog.bound)
        self._worker: threading.Thread | None = None

    def start(self) -> None:
        """Start the worker, then the source; returns at once."""
        self._patience.start()
        self._backlog.open()
        self._metrics.watch(self._backlog, self._now_us)
        self._worker = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._worker.start()
        if self._source is not None:
            self._metrics.watch_source(self._source)
            self._source.start()

    def stop(self, *, grace_s: float = 10.0) -> None:
        """Take no more, settle and acknowledge what was taken, and end; may be called twice.

        With a store down for longer than `grace_s` the rest stays un-acknowledged: the broker delivers it again.
        """
        if self._source is not None:
            self._source.pause()
        self._patience.stop(grace_s=grace_s)
        self._backlog.close()
        if self._worker is not None:
            self._worker.join()
            self._worker = None
        if self._source is not None:
            self._source.close()

    def status(self) -> IngestStatus:
        """Return how ingestion fares."""
        running = self._worker is not None and self._worker.is_alive()
        source = None if self._source is None else self._source.status()
        return IngestStatus(running=running, trouble=self._patience.trouble, held=self._backlog.held(), source=source)

    def _now_us(self) -> int:
        return int(micros(instant(self._clock())))

    def _run(self) -> None:
        try:
            self._recall()
            while True:
                messages = self._backlog.take(self._batch.messages, linger_s=self._batch.linger_s, wait_s=WAIT_S)
                if messages:
                    self._settle(messages)
                elif self._patience.stopping:
                    break
                self._follow()
                self._flush_inbox()
            self._flush_inbox(now=True)
        except Abandoned:
            log.warning("stopped with messages un-acknowledged", extra={"unacked": self._backlog.held().unacked})

    def _settle(self, messages: list[Message]) -> None:
        """Store what these messages say, keep what cannot be read, acknowledge them."""
        began = messages[0].received
        try:
            self._process(self._again.recall(messages))
        except Abandoned:
            raise
        except Exception as err:
            log.exception("a batch failed unexpectedly; its messages are kept as dead letters")
            self._writer.keep(_all_rejected(messages, f"{type(err).__name__}: {err}"[:500]))
        tickets = [m.ticket for m in messages if m.ticket is not None]
        if self._source is not None and tickets:
            self._source.ack(tickets)
        self._backlog.release(messages)
        self._metrics.lag.set((self._now_us() - began) / 1e6)

    def _process(self, messages: list[Message]) -> None:
        now = instant(self._clock())
        outcome: Outcome = self._patience(
            "readings", lambda: self._reader.read(messages, now=now, latest=self._readings.latest)
        )
        outcome.drop(self._writer.write(outcome.readings, outcome.message))
        self._writer.keep(outcome.letters(messages))
        self._patience("records", self._descriptions.keep)
        self._again.remember(messages, outcome.readings, outcome.message.tolist())
        if len(outcome.readings):
            self._trails.note(outcome.readings, outcome.message.tolist(), messages)
            known = self._patience("records", self._known)
            self._inbox.note(outcome.readings, outcome.message.tolist(), messages, known)
            self._patience("records", self._inbox.flush)
        outcome.count(self._metrics, len(messages))
        for name in outcome.profiles:
            self._metrics.last_message.labels(name).set(messages[-1].received / 1e6)

    def _recall(self) -> None:
        """Know what was described before, and take its messages; without, the descriptions that come again tell it."""
        try:
            self._patience("records", self._descriptions.recall)
        except Abandoned:
            raise
        except Exception:
            log.exception("what devices described before cannot be read; it is learnt anew from what they publish")
        self._follow()

    def _follow(self) -> None:
        """Take the messages of topics that descriptions name; where the records are down, the next time."""
        if self._source is not None:
            try:
                self._descriptions.follow(self._source)
            except StoreError as err:
                self._patience.note("records", err)

    def _flush_inbox(self, *, now: bool = False) -> None:
        """Write sightings and topics that are due; where the records are down they wait for the next time."""
        try:
            self._inbox.flush(now=now)
            self._trails.flush()
        except StoreError as err:
            self._patience.note("records", err)


def _all_rejected(messages: Sequence[Message], detail: str) -> list[DeadLetter]:
    rejects = [Reject(i, "", "internal", detail) for i in range(len(messages))]
    return Outcome(readings=Readings.empty(), message=np.empty(0, np.int32), rejects=rejects).letters(messages)
