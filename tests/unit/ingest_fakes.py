"""Small stores in memory with switches for faults, for tests of ingestion."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from prometheus_client import CollectorRegistry

from core.errors import StoreError, StoreUnavailable
from core.notes import DeadLetter, Description, InboxItem, Proposal
from core.readings import Readings, SeriesKey, concat, last_wins
from core.registry import Entity, Meter
from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.metrics import IngestMetrics
from ingest.native import NativeProfile
from ingest.pipeline import BatchSize, Ingester
from ingest.profile import Router
from ingest.reader import Reader
from ingest.source import Source, SourceStatus

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class MemoryReadings:
    """Keeps readings by series and instant; `down` and `poison` make faults."""

    def __init__(self) -> None:
        self.kept: dict[tuple[SeriesKey, int], tuple[float, int]] = {}
        self.down = False
        self.poison: set[str] = set()
        self.error: type[Exception] = StoreError
        self.writes = 0
        self.lock = threading.Lock()

    def ready(self) -> None:
        if self.down:
            raise StoreUnavailable("memory: switched off")

    def write(self, readings: Readings) -> None:
        self.ready()
        self.writes += 1
        if self.poison & {key.meter for key in readings.series}:
            used = {readings.series[c].meter for c in np.unique(readings.code)}
            if self.poison & used:
                raise self.error("cannot hold it")
        last, _ = last_wins(readings)
        with self.lock:
            for code, at, value, quality in zip(
                last.code.tolist(),
                last.at.astype(np.int64).tolist(),
                last.value.tolist(),
                last.quality.tolist(),
                strict=True,
            ):
                self.kept[last.series[code], at] = (value, quality)

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        self.ready()
        wanted = set(series) if series is not None else {key for key, _ in self.kept}
        newest: dict[SeriesKey, int] = {}
        for key, at in self.kept:
            if key in wanted:
                newest[key] = max(at, newest.get(key, at))
        return concat(
            [
                Readings.of([key], [0], np.array([at], np.int64).view("M8[us]"), [self.kept[key, at][0]])
                for key, at in newest.items()
            ]
        )

    def values(self, meter: str) -> list[float]:
        with self.lock:
            return [value for (key, _), (value, _) in sorted(self.kept.items()) if key.meter == meter]


class MemoryRecords:
    """Keeps dead letters, the inbox and meters."""

    def __init__(self) -> None:
        self.dead: list[DeadLetter] = []
        self.seen: dict[tuple[str, str], InboxItem] = {}
        self.sightings = 0
        self.meters: list[Meter] = []
        self.texts: dict[str, str] = {}
        self.described: dict[str, Description] = {}
        self.proposed: list[Proposal] = []
        self.topics: dict[str, str] = {}
        self.down = False
        self.refuse_payload = b""

    def _ready(self) -> None:
        if self.down:
            raise StoreUnavailable("records: switched off")

    def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        self._ready()
        for x in letters:
            if self.refuse_payload and x.payload == self.refuse_payload:
                raise StoreError("cannot hold this payload")
            if not any((k.topic, k.payload, k.reason) == (x.topic, x.payload, x.reason) for k in self.dead):
                self.dead.append(x)

    def see(self, items: Sequence[InboxItem]) -> None:
        self._ready()
        self.sightings += 1
        for item in items:
            former = self.seen.get((item.device, item.register))
            count = item.count + (former.count if former else 0)
            first = former.first_seen if former else item.first_seen
            self.seen[item.device, item.register] = InboxItem(
                device=item.device,
                register=item.register,
                unit=item.unit,
                first_seen=first,
                last_seen=item.last_seen,
                count=count,
                last_value=item.last_value,
                topic=item.topic,
                sample=item.sample,
            )

    def keep(self, key: str, text: str) -> None:
        self._ready()
        self.texts[key] = text

    def kept(self, key: str) -> str:
        self._ready()
        return self.texts.get(key, "")

    def keep_descriptions(self, descriptions: Sequence[Description]) -> None:
        self._ready()
        self.described |= {d.topic: d for d in descriptions}

    def descriptions(self) -> list[Description]:
        self._ready()
        return [d for d in self.described.values() if d.payload]

    def propose(self, descriptions: Sequence[str], proposals: Sequence[Proposal]) -> None:
        self._ready()
        self.proposed = [p for p in self.proposed if p.description not in descriptions] + list(proposals)

    def note_topics(self, topics: Mapping[str, str]) -> None:
        self._ready()
        self.topics |= topics

    def version(self) -> int:
        self._ready()
        return len(self.meters)

    def find(self, kind: type[Entity]) -> list[Entity]:
        self._ready()
        return list(self.meters) if kind is Meter else []


class ListedSource:
    """A source that remembers what was acknowledged."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.followed: tuple[str, ...] = ()
        self.former: tuple[str, ...] = ()

    def start(self) -> None:
        """Nothing to open."""

    def pause(self) -> None:
        """Nothing to hold."""

    def close(self) -> None:
        """Nothing to release."""

    def ack(self, tickets: Sequence[int]) -> None:
        self.acked += tickets

    def follow(self, topics: Sequence[str], *, former: Sequence[str] = ()) -> None:
        self.followed = tuple(topics)
        self.former = tuple(former)

    def status(self) -> SourceStatus:
        return SourceStatus(name="listed", state="connected")


class Chain:
    """An ingester over stores in memory."""

    def __init__(
        self,
        *,
        source: Source | None = None,
        backlog: Backlog | None = None,
        readings: MemoryReadings | None = None,
        size_limit: int = 2**20,
        batch: BatchSize | None = None,
    ) -> None:
        self.readings = readings or MemoryReadings()
        self.records = MemoryRecords()
        self.listed = ListedSource()
        self.backlog = backlog or Backlog()
        self.registry = CollectorRegistry()
        self.metrics = IngestMetrics(self.registry)
        self.reader = Reader(Router([NativeProfile()]), bounds=Bounds(), size_limit=size_limit)
        self.now = NOW
        self.ingester = Ingester(
            backlog=self.backlog,
            source=source or self.listed,
            reader=self.reader,
            readings=self.readings,  # type: ignore[arg-type]
            records=self.records,  # type: ignore[arg-type]
            clock=lambda: self.now,
            metrics=self.metrics,
            batch=batch,
        )

    def tick(self, **step: float) -> None:
        self.now += timedelta(**step)
