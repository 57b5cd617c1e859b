"""The door for payloads that do not come from a broker, and for dead letters that are read again."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.calendar import instant, micros
from core.notes import DeadLetter
from core.ports import ReadingStore, RecordStore, Taken
from ingest.descriptions import Descriptions
from ingest.inbox import Inbox, KnownDevices
from ingest.message import Message
from ingest.metrics import IngestMetrics
from ingest.patience import once
from ingest.reader import Outcome, Reader
from ingest.writing import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of dead letters: `read` are the ids of those read now, `still` (id, reason, detail) of the others."""

    read: tuple[int, ...]
    readings: int
    still: tuple[tuple[int, str, str], ...]


class PayloadIntake:
    """Reads payloads as the ingester does, in the caller's thread; raises StoreUnavailable where a store is down."""

    def __init__(self, *, reader: Reader, readings: ReadingStore, records: RecordStore, metrics: IngestMetrics) -> None:
        self._reader = reader
        self._readings = readings
        self._writer = Writer(readings=readings, records=records, attempt=once, metrics=metrics)
        self._known = KnownDevices(records)
        self._inbox = Inbox(records)
        self._descriptions = Descriptions(reader.router, records)
        self._inbox_lock = threading.Lock()
        self._metrics = metrics

    def take(self, topic: str, payload: bytes, *, source: str, now: datetime) -> Taken:
        """Store the readings of a payload durably, keep what cannot be read as a dead letter, tell both."""
        messages = [Message(topic=topic, payload=payload, received=int(micros(instant(now))))]
        outcome, stored = self._store(messages, now, source)
        self._writer.keep(outcome.letters(messages))
        return Taken(
            readings=stored,
            rejected=tuple((r.place, f"{r.reason}: {r.detail}") for r in outcome.rejects),
            ignored=outcome.ignored[0].reason if outcome.ignored else "",
        )

    def replay(self, letters: Sequence[DeadLetter], now: datetime) -> Replayed:
        """Read dead letters with the profiles of today and store their readings, as received then.

        What is still wrong with a letter is told anew; the letters themselves are left for the caller to mark.
        """
        messages = [
            Message(topic=x.topic, payload=x.payload, received=int(micros(instant(x.received))), retained=x.retained)
            for x in letters
        ]
        outcome, stored = self._store(messages, now, "")
        numbers = sorted({r.message for r in outcome.rejects})
        wrong = dict(zip(numbers, outcome.letters(messages), strict=True))
        return Replayed(
            read=tuple(x.id for n, x in enumerate(letters) if n not in wrong),
            readings=stored,
            still=tuple((letters[n].id, again.reason, again.detail) for n, again in wrong.items()),
        )

    def _store(self, messages: Sequence[Message], now: datetime, source: str) -> tuple[Outcome, int]:
        """Read and write; return what it came to, and the number of readings stored."""
        with self._inbox_lock:
            self._descriptions.recall()
        outcome = self._reader.read(messages, now=instant(now), latest=self._readings.latest)
        if source and len(outcome.readings):
            outcome.readings = replace(outcome.readings, sources=(source,) * len(outcome.readings.sources))
        refused = self._writer.write(outcome.readings, outcome.message)
        outcome.drop(refused)
        with self._inbox_lock:
            self._descriptions.keep()
            self._inbox.note(outcome.readings, outcome.message.tolist(), messages, self._known())
            self._inbox.flush(now=True)
        outcome.count(self._metrics, len(messages))
        return outcome, len(outcome.readings)
