"""What the profiles of discovery have in common: they learn from descriptions and read what was described."""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from core.calendar import moment
from core.notes import Description, Proposal
from ingest.discovery.book import Book, Full, Page, Series, Stamp
from ingest.discovery.rows import Rows
from ingest.message import Message
from ingest.profile import Decoded, Ignored, Rank, Reject, Told
from ingest.profiles.paths import MISSING
from ingest.profiles.values import NO_VALUE, Unreadable, plain

METER_LENGTH: Final = 200
TOLD_AGAIN_US: Final = 6 * 3600 * 1_000_000
"""The same description coming again is told again only after this long, so that its last sight is kept."""

MOST_REMEMBERED: Final = 200_000

STATES: Final = NO_VALUE | {"online", "offline", "on", "off", "true", "false"}
"""Texts on a topic of values that say how the device is."""


class Misdescribed(ValueError):
    """A description that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What a description came to: why its message holds no readings, and the pages that changed (None: gone).

    `keep` is whether it is to be known after a restart.
    """

    reason: str
    pages: Mapping[str, Page | None] = field(default_factory=dict)
    keep: bool = True


class DescribedProfile(ABC):
    """A profile whose values are described by messages (ingest.profile.Describer).

    A subclass says which topics describe, and turns a description into pages of the book. Two doors may read by it at
    once, and a third thread may ask what it learnt.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._book = Book()
        self._lock = threading.RLock()
        self._heard: Callable[[], None] = lambda: None
        self._last: dict[str, tuple[bytes, int, bool]] = {}
        self._descriptions: dict[str, Description] = {}
        self._changed: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The name of the profile."""
        return self._name

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to follow; none where the profile's filters cover them all."""
        return ()

    @property
    def reads_empty(self) -> bool:
        """An empty payload takes a description back, or says that a device left."""
        return True

    @abstractmethod
    def describes(self, topic: str) -> bool:
        """Return whether messages of a topic are descriptions."""

    @abstractmethod
    def rank(self, topic: str) -> Rank | None:
        """Return how well the profile knows a topic; None where it does not read it."""

    @abstractmethod
    def learn(self, message: Message) -> Learnt:
        """Return what a description says; raise Misdescribed."""

    @abstractmethod
    def silent(self, message: Message) -> str:
        """Return why a message without described values says nothing, empty where it should have been described."""

    def claims(self, message: Message) -> str:
        """Claim whatever comes on its topics: what is wrong with it is told when it is read."""
        del message
        return ""

    def heard(self, call: Callable[[], None]) -> None:
        """Have this called whenever other topics are read than before."""
        self._heard = call

    def told(self) -> Told:
        """Return what was learnt since it was last asked."""
        with self._lock:
            proposals: list[Proposal] = []
            for description, seen_us in self._changed.items():
                proposals += self._book.proposals(description, profile=self.name, seen_us=seen_us)
            told = Told(tuple(self._descriptions.values()), tuple(self._changed), tuple(proposals))
            self._descriptions, self._changed = {}, {}
        return told

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return the readings of these messages; see ingest.profile.Profile."""
        rows = Rows(self.name)
        with self._lock:
            for number, message in enumerate(messages):
                if self.describes(message.topic):
                    self._learn(number, message, rows)
                else:
                    self._read(number, message, rows)
        return rows.decoded(messages, detailed=detailed)

    def _learn(self, number: int, message: Message, rows: Rows) -> None:
        """Write what a description says into the book, unless it is the one that stands there."""
        said = hashlib.blake2b(message.payload, digest_size=16).digest()
        former = self._last.get(message.topic)
        again = former is not None and former[0] == said and bool(message.payload)
        if again and former is not None and message.received - former[1] < TOLD_AGAIN_US:
            rows.ignored.append(Ignored(number, "description"))
            return
        try:
            learnt = self.learn(message)
            changed = [d for d, page in learnt.pages.items() if self._write(d, page, message.received)]
        except Misdescribed as err:
            rows.rejects.append(Reject(number, "", "description_unreadable", str(err)))
            return
        except Full as err:
            rows.rejects.append(Reject(number, "", "too_many_descriptions", str(err)))
            return
        rows.ignored.append(Ignored(number, learnt.reason))
        self._note(message, said, keep=learnt.keep)
        if changed and not again:
            self._heard()

    def _write(self, description: str, page: Page | None, seen_us: int) -> bool:
        """Write or drop a page; return whether the book changed, or the sight of it is to be told."""
        if page is None:
            if not self._book.drop(description):
                return False
        else:
            self._changed |= dict.fromkeys(self._book.put(description, page), seen_us)
        self._changed[description] = seen_us
        return True

    def _note(self, message: Message, said: bytes, *, keep: bool) -> None:
        if len(self._last) >= MOST_REMEMBERED:
            self._last.clear()
        _, _, kept = self._last.pop(message.topic, (b"", 0, False))
        if message.payload:
            self._last[message.topic] = (said, message.received, keep)
        if keep or kept or not message.payload:
            seen = moment(np.datetime64(message.received, "us"))
            payload = message.payload if keep else b""
            self._descriptions[message.topic] = Description(
                profile=self.name, topic=message.topic, payload=payload, seen=seen
            )

    def _read(self, number: int, message: Message, rows: Rows) -> None:
        series = [s for s in self.described(message) if s.value.verdict.kind]
        if not series:
            reason = self.silent(message)
            if reason:
                rows.ignored.append(Ignored(number, reason))
            elif message.retained:
                # It has no time of its own, so that its value could not be told from an old one in any case.
                rows.ignored.append(Ignored(number, "undescribed"))
            else:
                detail = "no description of it has come yet: see that descriptions are retained, then replay"
                rows.rejects.append(Reject(number, "", "undescribed", detail))
            return
        if not message.payload:
            rows.ignored.append(Ignored(number, "removed"))
            return
        self._values(number, message, series, rows)

    def described(self, message: Message) -> tuple[Series, ...]:
        """Return the series that stand on a message's topic."""
        return self._book.at(message.topic)

    def stamp(self, topic: str) -> Stamp | None:
        """Return where on a topic the time of its values stands."""
        return self._book.stamp(topic)

    def _values(self, number: int, message: Message, series: Sequence[Series], rows: Rows) -> None:
        """Add the readings of a message whose topic is described; say what else it is."""
        wanted = [s for s in series if s.read]
        if not wanted:
            rows.ignored.append(Ignored(number, why_not(series)))
            return
        try:
            forms = _Forms(message.payload, json=any(s.value.json for s in wanted))
        except Unreadable as err:
            rows.rejects.append(Reject(number, "", err.reason, str(err)))
            return
        before = len(rows.number) + len(rows.rejects)
        time = self._time(message.topic, forms)
        for one in wanted:
            raw = one.value.pick(forms.of(json=one.value.json))
            if raw is MISSING:
                continue
            try:
                value = None if type(raw) is str and raw.strip().lower() in STATES else plain(raw)
            except Unreadable as err:
                rows.rejects.append(Reject(number, one.value.field, err.reason, str(err)))
                continue
            if value is not None:
                rows.add(number, one, value, raw, time)
        if len(rows.number) + len(rows.rejects) == before:
            rows.ignored.append(Ignored(number, "no_value"))

    def _time(self, topic: str, forms: "_Forms") -> Any:  # noqa: ANN401 - any JSON value
        stamp = self.stamp(topic)
        if stamp is None:
            return None
        raw = stamp.pick(forms.of(json=stamp.json))
        return None if raw is MISSING else raw


def why_not(series: Sequence[Series]) -> str:
    """Return why none of these series is read: the reason of the first that is a dial, else of the first."""
    reasons = [s.value.verdict.reason for s in series if s.value.verdict.reason]
    flagged = [str(f) for s in series for f in s.value.verdict.flags]
    return next(iter([*reasons, *flagged]), "not_read")


class _Forms:
    """A payload as text and as JSON, each made once."""

    def __init__(self, payload: bytes, *, json: bool) -> None:
        try:
            self._text = payload.decode()
        except UnicodeDecodeError as err:
            raise Unreadable("malformed", f"byte {err.start} is no UTF-8") from err
        self._tree: Any = MISSING
        if not json or self._text.strip().lower() in STATES - {"true", "false", "null"}:
            return
        try:
            self._tree = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
            raise Unreadable("malformed", f"the payload is no JSON: {str(err)[:200]}") from err

    def of(self, *, json: bool) -> Any:  # noqa: ANN401 - any JSON value
        return self._tree if json else self._text


def meter_id(*candidates: str) -> str:
    """Return the first text that can be a meter's id, empty where none can."""
    return next((c for c in candidates if 0 < len(c.strip()) == len(c) <= METER_LENGTH and c.isprintable()), "")
