"""Figures of ingestion for /metrics, in a registry that is passed in."""

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.backlog import Backlog
from ingest.source import Source

SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)


class IngestMetrics:
    """Counters and gauges; all are updated a batch at a time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"odecet_ingest_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"odecet_ingest_{name}", text, labels, registry=registry)

        self.messages = counter("messages", "Messages settled", "profile")
        self.readings = counter("readings", "Readings stored", "source")
        self.rejects = counter("rejects", "Readings and messages kept as dead letters", "reason")
        self.ignored = counter("ignored", "Messages that say nothing to be stored", "reason")
        self.retries = counter("retries", "Attempts that a store could not take", "store")
        self.last_message = gauge("last_message_timestamp_seconds", "Arrival of the last message", "profile")
        self.lag = gauge("lag_seconds", "From arrival to durable storage, of the last batch's first message")
        self.unacked = gauge("unacked_messages", "Messages taken and not yet acknowledged")
        self.waiting = gauge("queue_messages", "Messages that wait for the worker")
        self.queue_bytes = gauge("queue_bytes", "Payload bytes of messages not yet acknowledged")
        self.oldest = gauge("unacked_oldest_seconds", "Age of the oldest message not yet acknowledged")
        self.connects = gauge("connects", "Connections made", "source")
        self.connected = gauge("connected", "1 while connected", "source")
        self.write_seconds = Histogram(
            "odecet_ingest_write_seconds", "Time of a durable write", buckets=SECONDS, registry=registry
        )

    def watch(self, backlog: Backlog, now_us: Callable[[], int]) -> None:
        """Have the gauges of the backlog read when they are asked for."""
        self.unacked.set_function(lambda: backlog.held().unacked)
        self.waiting.set_function(lambda: backlog.held().waiting)
        self.queue_bytes.set_function(lambda: backlog.held().size)

        def age() -> float:
            oldest = backlog.held().oldest
            return (now_us() - oldest) / 1e6 if oldest else 0.0

        self.oldest.set_function(age)

    def watch_source(self, source: Source) -> None:
        """Have the gauges of a source read when they are asked for."""
        name = source.status().name
        self.connects.labels(name).set_function(lambda: source.status().connects)
        self.connected.labels(name).set_function(lambda: source.status().state == "connected")

    def count(
        self, *, messages: Mapping[str, int], readings: Mapping[str, int], rejects: Tally[str], ignored: Tally[str]
    ) -> None:
        """Add what a batch came to."""
        for profile, number in messages.items():
            if number:
                self.messages.labels(profile or "none").inc(number)
        for source, number in readings.items():
            if number:
                self.readings.labels(source).inc(number)
        for reason, number in rejects.items():
            self.rejects.labels(reason).inc(number)
        for reason, number in ignored.items():
            self.ignored.labels(reason).inc(number)
