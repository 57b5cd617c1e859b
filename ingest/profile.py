"""Profiles: which messages are read, and what is in them.

A profile decodes in batches, because a call per message costs more than the work. It raises nothing for what is
in a payload: every message ends as readings, as rejects that name the place, or as ignored with a reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, Self, runtime_checkable

from core.calendar import Bools, Longs
from core.notes import Description, Proposal
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


Rank = tuple[int, ...]
"""How well a profile knows a topic: compared from the left, smaller is better."""


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

    @property
    def reads_empty(self) -> bool:
        """Whether an empty payload says something to it: that a device or a description was removed."""
        ...

    def rank(self, topic: str) -> Rank | None:
        """Return how well the profile knows a topic; None where it does not read it."""
        ...

    def claims(self, message: Message) -> str:
        """Return an empty text where the payload is of this format, else why it is not."""
        ...

    def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
        """Return what these messages say; `detailed` also tells the origin of each reading, more slowly.

        Readings are canonical (core.units) and not yet checked against the bounds of value and time.
        """
        ...


class Told(NamedTuple):
    """What a describer learnt: descriptions to keep, and what these (`described_by`, topics) propose now."""

    descriptions: tuple[Description, ...] = ()
    described_by: tuple[str, ...] = ()
    proposals: tuple[Proposal, ...] = ()


@runtime_checkable
class Describer(Profile, Protocol):
    """A profile that learns from some messages what is in others (discovery). Decoding a description teaches it."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that descriptions name, to subscribe to beside its filters."""
        ...

    def describes(self, topic: str) -> bool:
        """Return whether messages of a topic are descriptions, which are read before all others of a batch."""
        ...

    def told(self) -> Told:
        """Return what was learnt since it was last asked."""
        ...

    def heard(self, call: Callable[[], None]) -> None:
        """Have this called whenever it reads other topics than before."""
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


def covers(wide: str, narrow: str) -> bool:
    """Return whether every topic that a filter matches is also matched by a wider one."""
    if wide == narrow:
        return True
    levels, others = wide.split("/"), narrow.split("/")
    for i, level in enumerate(levels):
        if level == "#":
            return True
        if i >= len(others) or others[i] == "#" or level not in {"+", others[i]}:
            return False
    return len(levels) == len(others)


def widest(filters: Sequence[str]) -> tuple[str, ...]:
    """Return the filters that no other of them covers, in their order."""
    distinct = tuple(dict.fromkeys(filters))
    return tuple(f for f in distinct if not any(covers(g, f) for g in distinct if g != f))


def precision(topic_filter: str) -> tuple[int, ...]:
    """Return a rank of filters, level by level: a text before a text with captures, before + and {name}, before #.

    A longer filter goes before a shorter one that says the same.
    """
    return (*(_vagueness(level) for level in topic_filter.split("/")), 4)


def _vagueness(level: str) -> int:
    if level == "#" or level.endswith("...}"):
        return 3
    if level == "+" or (level.startswith("{") and level.endswith("}") and level.count("{") == 1):
        return 2
    return 1 if "{" in level else 0


class Choice(NamedTuple):
    """The profile of a message; or None, with the reason that is counted and what there is to say."""

    profile: Profile | None
    reason: str = ""
    detail: str = ""


def _objection(profile: Profile, message: Message) -> str:
    """Return why a message is not of a profile's format; one that fails on it does not read it."""
    try:
        return profile.claims(message)
    except Exception as err:  # noqa: BLE001 - whatever a profile raises, it is this message's fault alone
        return f"{type(err).__name__}: {err}"[:200]


class Router:
    """Chooses the profile of a message by its topic and payload.

    Of the profiles that read its topic the one with the smallest rank whose format the payload is reads it: an
    operator's own before a bundled one, one that names the topic before one that knows its payload anywhere, the
    filter that says more before one that says less. Two of the same rank that both claim it are ambiguous: a wrong
    reading costs more than one that waits, so it becomes a dead letter that names both.
    """

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.learnt = 0
        """Grows whenever other topics are read than before."""
        self._known: dict[str, tuple[tuple[Profile, ...], ...]] = {}
        self._describes: dict[str, bool] = {}
        self._covered: dict[str, bool] = {}
        self.use(profiles)
        self._first = frozenset(self.filters)

    def use(self, profiles: Sequence[Profile]) -> None:
        """Read by these profiles from now on; filters that are new are followed."""
        self.profiles: Mapping[str, Profile] = {p.name: p for p in profiles}
        self.describers: tuple[Describer, ...] = tuple(p for p in profiles if isinstance(p, Describer))
        self.filters = widest([f for p in profiles for f in p.filters])
        """Every filter of the profiles but those that another covers: some brokers would send their messages twice."""
        self._describes.clear()
        self._covered.clear()
        for describer in self.describers:
            describer.heard(self.forget)
        self.forget()

    @property
    def followed(self) -> tuple[str, ...]:
        """The filters that came later, and the topics that descriptions name and no filter covers."""
        topics = dict.fromkeys(t for d in self.describers for t in d.topics)
        later = [f for f in self.filters if f not in self._first]
        return (*later, *(t for t in topics if not self._is_covered(t)))

    def _is_covered(self, topic: str) -> bool:
        """Return whether a filter covers a topic: some brokers send what two subscriptions match twice."""
        covered = self._covered.get(topic)
        if covered is None:
            if len(self._covered) >= CACHED_TOPICS:
                self._covered.clear()
            covered = self._covered[topic] = any(matches(f, topic) for f in self.filters)
        return covered

    def describes(self, topic: str) -> bool:
        """Return whether messages of a topic are descriptions."""
        if not self.describers:
            return False
        found = self._describes.get(topic)
        if found is None:
            if len(self._describes) >= CACHED_TOPICS:
                self._describes.clear()
            found = self._describes[topic] = any(d.describes(topic) for d in self.describers)
        return found

    def candidates(self, topic: str) -> tuple[tuple[Profile, ...], ...]:
        """Return the profiles that read a topic, best first, those of equal rank together."""
        try:
            return self._known[topic]
        except KeyError:
            ranked = [(rank, p) for p in self.profiles.values() if (rank := p.rank(topic)) is not None]
        ranks = sorted({rank for rank, _ in ranked})
        found = tuple(tuple(p for of, p in ranked if of == rank) for rank in ranks)
        if len(self._known) >= CACHED_TOPICS:
            self._known.clear()
        self._known[topic] = found
        return found

    def forget(self) -> None:
        """Ask the profiles anew which topics they read: one of them has learnt of others."""
        self._known.clear()
        self.learnt += 1

    def choose(self, message: Message) -> Choice:
        """Return the profile that reads a message, or why none does."""
        why: list[str] = []
        for equals in self.candidates(message.topic):
            claims = [(p, _objection(p, message)) for p in equals]
            chosen = [p for p, objection in claims if not objection]
            if len(chosen) == 1:
                return Choice(chosen[0])
            if chosen:
                names = " and ".join(p.name for p in chosen)
                remedy = "switch one off, or give one a higher priority, then replay"
                return Choice(None, "profile_ambiguous", f"{names} read it with equal right: {remedy}")
            why += [f"{p.name}: {objection}" for p, objection in claims]
        if why:
            return Choice(
                None, "no_profile", f"no profile reads this payload ({'; '.join(why[:5])}): add one, then replay"
            )
        return Choice(None, "no_profile", "no profile reads this topic: add one, then replay")
