"""Messages to what is to be stored of them: profile, decoding, acceptance. Every message comes to something."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from core.calendar import moment
from core.errors import StoreError
from core.notes import DeadLetter
from core.readings import Codes, Readings, concat
from ingest.accept import Bounds, Latest, accept
from ingest.message import Message
from ingest.metrics import IngestMetrics
from ingest.profile import Decoded, Ignored, Profile, Reject, Router

DETAIL_LENGTH: Final = 2000


@dataclass(slots=True)
class Outcome:
    """What a batch of messages comes to; `message` is the index of each reading's message."""

    readings: Readings
    message: Codes
    rejects: list[Reject] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    profiles: Counter[str] = field(default_factory=Counter)

    def letters(self, messages: Sequence[Message]) -> list[DeadLetter]:
        """Return one dead letter for each message with rejects, naming every bad place."""
        by_message: dict[int, list[Reject]] = {}
        for reject in self.rejects:
            by_message.setdefault(reject.message, []).append(reject)
        return [letter(messages[i], rejects) for i, rejects in sorted(by_message.items())]

    def drop(self, refused: Sequence[Reject]) -> None:
        """Take out the readings of messages that the store refused."""
        if refused:
            self.rejects += refused
            kept = ~np.isin(self.message, [r.message for r in refused])
            self.readings, self.message = self.readings.take(kept), self.message[kept]

    def count(self, metrics: IngestMetrics, messages: int) -> None:
        """Add to the figures of ingestion."""
        sources = self.readings.sources
        stored = np.bincount(self.readings.source, minlength=len(sources)).tolist()
        metrics.count(
            messages={**self.profiles, "": messages - self.profiles.total()},
            readings=dict(zip(sources, stored, strict=True)),
            rejects=Counter(r.reason for r in self.rejects),
            ignored=Counter(i.reason for i in self.ignored),
        )


def letter(message: Message, rejects: Sequence[Reject]) -> DeadLetter:
    """Return the dead letter of a message."""
    places = [": ".join(filter(None, (r.place, f"{r.reason}: {r.detail}" if r.detail else r.reason))) for r in rejects]
    detail = f"{len(places)} places; " * (len(places) > 1) + "; ".join(places)
    return DeadLetter(
        topic=message.topic,
        payload=message.payload,
        reason=rejects[0].reason,
        detail=detail if len(detail) <= DETAIL_LENGTH else detail[:DETAIL_LENGTH] + " ...",
        received=moment(np.datetime64(message.received, "us")),
        retained=message.retained,
    )


class Reader:
    """Reads messages by the profiles of their topics; may be called by several threads."""

    def __init__(self, router: Router, *, bounds: Bounds, size_limit: int = 2**20) -> None:
        self.router = router
        self._bounds = bounds
        self._size_limit = size_limit
        self._lock = threading.Lock()

    def use(self, profiles: Sequence[Profile]) -> None:
        """Read by these profiles from the next batch on."""
        with self._lock:
            self.router.use(profiles)

    def read(self, messages: Sequence[Message], *, now: np.datetime64, latest: Latest) -> Outcome:
        """Return what these messages come to; raise StoreUnavailable where `latest` does."""
        outcome = Outcome(readings=Readings.empty(), message=np.empty(0, np.int32))
        parts: list[tuple[Readings, Codes]] = []
        check = partial(accept, now=now, latest=latest, bounds=self._bounds)
        with self._lock:
            for numbers in self._in_turn(messages):
                for name, chosen in self._sort(messages, numbers, outcome).items():
                    outcome.profiles[name] += len(chosen)
                    task = _Task(self.router.profiles[name], messages, check, outcome, parts)
                    task.run(chosen)
        outcome.readings = concat(r for r, _ in parts)
        if parts:
            outcome.message = np.concatenate([m for _, m in parts])
        self._account(len(messages), outcome)
        return outcome

    def _in_turn(self, messages: Sequence[Message]) -> Iterator[Sequence[int]]:
        """Return the numbers of descriptions, then of the messages that they may describe."""
        describes = self.router.describes
        first = [i for i, m in enumerate(messages) if describes(m.topic)] if self.router.describers else []
        if not first:
            yield range(len(messages))
            return
        yield first
        described = set(first)
        yield [i for i in range(len(messages)) if i not in described]

    def _sort(self, messages: Sequence[Message], numbers: Sequence[int], outcome: Outcome) -> dict[str, list[int]]:
        """Return the messages of each profile; what no profile sees is rejected or ignored."""
        groups: dict[str, list[int]] = {}
        choose, limit = self.router.choose, self._size_limit
        for i in numbers:
            message = messages[i]
            if len(message.payload) > limit:
                detail = f"{len(message.payload)} bytes are more than {limit}: raise the limit, then replay"
                outcome.rejects.append(Reject(i, "", "too_large", detail))
                continue
            profile, reason, detail = choose(message)
            if not message.payload and message.retained and not (profile and profile.reads_empty):
                outcome.ignored.append(Ignored(i, "removed"))
            elif profile and not message.payload and not profile.reads_empty:
                outcome.rejects.append(Reject(i, "", "empty", "an empty payload says that something was removed"))
            elif profile is None:
                outcome.rejects.append(Reject(i, "", reason, detail))
            else:
                groups.setdefault(profile.name, []).append(i)
        return groups

    def _account(self, count: int, outcome: Outcome) -> None:
        """Reject messages of which nothing became of: a profile must not swallow any."""
        told = np.zeros(count, bool)
        told[outcome.message] = True
        told[[r.message for r in outcome.rejects]] = True
        told[[i.message for i in outcome.ignored]] = True
        for i in np.flatnonzero(~told).tolist():
            outcome.rejects.append(Reject(i, "", "no_readings", "the profile found nothing in it"))


@dataclass(frozen=True, slots=True)
class _Task:
    """The messages of one profile, on their way into an outcome and its parts."""

    profile: Profile
    messages: Sequence[Message]
    check: Callable[[Decoded, Sequence[Message]], Decoded]
    outcome: Outcome
    parts: list[tuple[Readings, Codes]]

    def run(self, chosen: list[int]) -> None:
        """Add what the profile reads; a message that makes it fail is found by halving and rejected."""
        batch = [self.messages[i] for i in chosen]
        try:
            decoded = self.check(self.profile.decode(batch), batch)
        except StoreError:
            raise
        except Exception as err:  # noqa: BLE001 - whatever a profile raises, it is one message's fault: find it
            if len(chosen) == 1:
                self.outcome.rejects.append(Reject(chosen[0], "", "internal", f"{type(err).__name__}: {err}"[:500]))
            else:
                half = len(chosen) // 2
                self.run(chosen[:half])
                self.run(chosen[half:])
        else:
            self._add(decoded, chosen)

    def _add(self, decoded: Decoded, chosen: list[int]) -> None:
        """Add what was decoded of chosen messages, its message numbers made those of the whole batch."""
        table = np.array(chosen, np.int32)
        self.outcome.rejects += [r._replace(message=chosen[r.message]) for r in decoded.rejects]
        self.outcome.ignored += [i._replace(message=chosen[i.message]) for i in decoded.ignored]
        if len(decoded.readings):
            self.parts.append((compact(decoded.readings), table[decoded.message]))


def compact(readings: Readings) -> Readings:
    """Return readings without series that none of them is of."""
    used = np.bincount(readings.code, minlength=len(readings.series)) > 0
    if used.all():
        return readings
    number = np.cumsum(used) - 1
    series = tuple(key for key, use in zip(readings.series, used.tolist(), strict=True) if use)
    columns = {name: getattr(readings, name) for name in ("at", "value", "kind", "quality", "span_s", "received")}
    return Readings(
        series=series,
        code=number[readings.code].astype(np.int32),
        sources=readings.sources,
        source=readings.source,
        **columns,
    )
