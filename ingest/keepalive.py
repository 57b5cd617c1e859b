"""What sources want to hear: keep-alives of portals that were seen, rebirths of nodes whose birth was missed.

Pure: the time is an argument, nothing is sent here.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from core.errors import ConfigError
from ingest.message import Message
from ingest.profile import matches

MOST_SOURCES: Final = 1_000
FORGOTTEN_AFTER_US: Final = 24 * 3600 * 1_000_000
MICROSECONDS: Final = 1_000_000


class Publication(NamedTuple):
    """A message to be published."""

    topic: str
    payload: bytes


class Speaker(Protocol):
    """Has something to say to its sources from time to time."""

    def hear(self, messages: Sequence[Message]) -> None:
        """Note who spoke."""
        ...

    def due(self, now_us: int) -> list[Publication]:
        """Return what is to be published now [µs since 1970]; what was returned once is not due again at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAliveRule:
    """Publish `payload` to `topic` every `every_s` seconds for each source seen on topics of `heard`.

    Braces name levels of `heard` ("N/{portal}/#"), which stand in `topic` ("R/{portal}/keepalive").
    """

    heard: str
    topic: str
    payload: bytes = b""
    every_s: float = 50.0

    def __post_init__(self) -> None:
        if not self.every_s >= 1:
            raise ConfigError(f"keep-alive {self.topic!r}: every {self.every_s} s is too often, at least 1 s")
        unknown = {x for x in self.topic.split("/") if x.startswith("{")} - _names(self.heard)
        if unknown or set(self.topic) & {"+", "#"}:
            raise ConfigError(f"keep-alive {self.topic!r}: its levels are none of {self.heard!r}")

    def topic_for(self, topic: str) -> str | None:
        """Return where to publish after a message on a topic, None where it is not one of this rule's."""
        if not matches(_filter(self.heard), topic):
            return None
        said = zip(self.heard.split("/"), topic.split("/"), strict=False)
        captured = {level: part for level, part in said if level in _names(self.heard)}
        return "/".join(captured.get(level, level) for level in self.topic.split("/"))


def _names(topic: str) -> set[str]:
    """Return the levels in braces that stand for one level."""
    return {x for x in topic.split("/") if x.startswith("{") and x.endswith("}") and not x.endswith("...}")}


def _filter(topic: str) -> str:
    """Return the MQTT filter of a topic with braces; a name that ends with three dots is the rest."""
    levels = ["#" if x.endswith("...}") else "+" if x.startswith("{") else x for x in topic.split("/")]
    return "/".join(levels)


class KeepAlive:
    """Says what is due by rules. A source is spoken to at once when it is first heard, and for a day after it was last.

    The day lets a source come back by itself that fell silent for want of the keep-alive.
    """

    def __init__(self, rules: Sequence[KeepAliveRule]) -> None:
        self._lock = threading.Lock()
        self._rules = tuple(rules)
        self._heard: dict[str, _Heard] = {}
        self._matched: dict[str, tuple[tuple[str, KeepAliveRule], ...]] = {}

    def use(self, rules: Sequence[KeepAliveRule]) -> None:
        """Speak by these rules from now on; sources that a rule still names are not forgotten."""
        with self._lock:
            self._rules = tuple(rules)
            self._matched.clear()
            self._heard = {topic: known for topic, known in self._heard.items() if known.rule in self._rules}

    def hear(self, messages: Sequence[Message]) -> None:
        """Note which sources spoke."""
        self.recall({message.topic: message.received for message in messages})

    def recall(self, topics: Mapping[str, int]) -> None:
        """Note sources by topics and when [µs] they spoke, of a former run too, for silent ones wait for us."""
        with self._lock:
            for topic, at_us in topics.items():
                for answer, rule in self._topics(topic):
                    known = self._heard.get(answer)
                    if known is None and len(self._heard) >= MOST_SOURCES:
                        continue
                    known = known or _Heard(rule, at_us, 0)
                    self._heard[answer] = known._replace(last_us=max(known.last_us, at_us))

    def due(self, now_us: int) -> list[Publication]:
        """Return the keep-alives to be published now."""
        with self._lock:
            for topic in [t for t, known in self._heard.items() if now_us - known.last_us > FORGOTTEN_AFTER_US]:
                del self._heard[topic]
            return [self._say(topic, known, now_us) for topic, known in self._heard.items() if now_us >= known.due_us]

    def _say(self, topic: str, known: "_Heard", now_us: int) -> Publication:
        self._heard[topic] = known._replace(due_us=now_us + int(known.rule.every_s * MICROSECONDS))
        return Publication(topic, known.rule.payload)

    def _topics(self, topic: str) -> tuple[tuple[str, KeepAliveRule], ...]:
        found = self._matched.get(topic)
        if found is None:
            if len(self._matched) >= 100 * MOST_SOURCES:
                self._matched.clear()
            made = ((rule.topic_for(topic), rule) for rule in self._rules)
            found = self._matched[topic] = tuple((t, rule) for t, rule in made if t is not None)
        return found


class _Heard(NamedTuple):
    rule: KeepAliveRule
    last_us: int
    due_us: int
