"""Profiles: which messages are read, and what is in them.

A profile decodes in batches, because a call per message costs more than the work. It raises nothing for what is
in a payload: every message ends as readings, as rejects that name the place, or as ignored with a reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, Self

from core.calendar import Bools, Longs
from core.readings import Codes, Readings
from ingest.message import Message

CACHED_TOPICS: Final = 100_000


class Reject(NamedTuple):
    """A place in a payload that cannot be taken: `message` is its index, `reason` a short code that is counted."""

    message: int
    place: str
    reason: str
    detail: str


class Ignored(NamedTuple):
    """A message that says nothing to be stored, and why."""

    message: int
    reason: str


class Origin(NamedTuple):
    """Where a reading stood in its payload, and what was written there."""

    field: str
    source_value: object
    source_unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a batch of messages says: readings, the index of the message of each, rejects and ignored messages.

    `origins` has one entry a reading where it was asked for (`detailed`), else none. `row` numbers the readings for
    `place`, which tells where a key (value, at) of a row stands in its payload.
    """

    readings: Readings
    message: Codes
    rejects: tuple[Reject, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    origins: tuple[Origin, ...] = ()
    row: Longs
    place: Callable[[int, str], str]

    def take(self, mask: Bools) -> Self:
        """Return the same with the readings that a mask chooses."""
        origins = tuple(o for o, keep in zip(self.origins, mask, strict=True) if keep) if self.origins else ()
        return replace(
            self, readings=self.readings.take(mask), message=self.message[mask], row=self.row[mask], origins=origins
        )


class Profile(Protocol):
    """Reads the messages of one format."""

    @property
    def name(self) -> str:
        """The name under which its readings are known (the source of a reading)."""
        ...

    @property
    def filters(self) -> tuple[str, ...]:
        """The MQTT topic filters of its messages, to subscribe to."""
        ...

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return what these messages say; `detailed` also tells the origin of each reading, more slowly.

        Readings are canonical (core.units) and not yet checked against the bounds of value and time.
        """
        ...


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a topic is one of an MQTT filter with + and #; $-topics need a filter that names them."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for i, want in enumerate(wanted):
        if want == "#":
            return True
        if i >= len(levels) or want not in {"+", levels[i]}:
            return False
    return len(wanted) == len(levels)


def precision(topic_filter: str) -> tuple[int, ...]:
    """Return a rank of filters, level by level: a literal level before +, + before #."""
    return tuple({"#": 2, "+": 1}.get(level, 0) for level in topic_filter.split("/"))


class Router:
    """Chooses the profile of a topic.

    The filter that says more wins: compared level by level from the left, a literal level goes before +, + before
    #, and a longer filter before a shorter one. Between equal filters the profile named first wins.
    """

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.profiles: Mapping[str, Profile] = {p.name: p for p in profiles}
        ranked = [(precision(f), -f.count("/"), n, f, p) for n, p in enumerate(profiles) for f in p.filters]
        self._ranked = [(f, p) for *_, f, p in sorted(ranked, key=lambda entry: entry[:3])]
        self._chosen: dict[str, Profile | None] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Every filter of every profile, once."""
        return tuple(dict.fromkeys(f for p in self.profiles.values() for f in p.filters))

    def choose(self, topic: str) -> Profile | None:
        """Return the profile that reads a topic, None where there is none."""
        try:
            return self._chosen[topic]
        except KeyError:
            found = next((p for f, p in self._ranked if matches(f, topic)), None)
        if len(self._chosen) >= CACHED_TOPICS:
            self._chosen.clear()
        self._chosen[topic] = found
        return found
