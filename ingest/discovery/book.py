"""The book of what is described: which values come on which topics, and to which series they go.

Bounded; a register is of one value for good: the first that asks for it has it, another gets one of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from core.calendar import moment
from core.errors import InputError
from core.notes import Proposal
from ingest.discovery.judging import Verdict
from ingest.native_meaning import COUNTED, Meaning, meaning

MOST_VALUES: Final = 100_000
"""Values that are remembered; a description beyond them is refused and becomes a dead letter."""

MOST_CHOICES: Final = 100

Pick = Callable[[Any], Any]


class Full(InputError):
    """The book holds as many values as it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Who a value is of: its meter id, and what the description says of it."""

    id: str
    name: str = ""
    manufacturer: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value as described. `entity` names it for good; `pick` takes it from the payload (parsed where `json`).

    `register` and `slug` are the registers it would have, without the quantity: the one its words tell, and one of
    its own. What is picked is multiplied by `scale` and divided by `divisor`, before the unit.
    """

    entity: str
    device: Device
    topic: str
    pick: Pick
    json: bool
    field: str
    name: str
    verdict: Verdict
    register: str
    slug: str
    commodity: str = ""
    scale: float = 1.0
    divisor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where on a topic the time of its values stands."""

    topic: str
    pick: Pick
    json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A value with the series that its readings go to."""

    value: Value
    meaning: Meaning

    @property
    def read(self) -> bool:
        """Whether its readings are taken."""
        return self.value.verdict.read and self.meaning.fault is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that one description says: values, times, and topics that carry no readings, with why."""

    values: tuple[Value, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Written:
    page: Page
    series: tuple[Series, ...]


class Book:
    """Pages by the topic of their description, and what stands on each topic of values."""

    def __init__(self, *, most: int = MOST_VALUES) -> None:
        self._most = most
        self._pages: dict[str, _Written] = {}
        self._count = 0
        self._registers: dict[tuple[str, str], str] = {}
        self._given: dict[str, tuple[str, str, str]] = {}
        self._owner: dict[str, str] = {}
        self._topics: dict[str, dict[str, None]] = {}

    def put(self, description: str, page: Page) -> set[str]:
        """Write a page in the place of the former; return other descriptions whose values it took; raise Full."""
        self._check_room(description, page)
        entities = frozenset(v.entity for v in page.values)
        robbed = {o for e in entities if (o := self._owner.get(e)) not in {None, description}}
        for other in robbed:
            kept = self._pages[other].page
            mine = tuple(v for v in kept.values if v.entity not in entities)
            self._write(other, Page(values=mine, stamps=kept.stamps, silent=kept.silent), moving=entities)
        self._write(description, page)
        return robbed

    def drop(self, description: str) -> bool:
        """Take a page out; return whether it was there. The registers it had are free again."""
        if description not in self._pages:
            return False
        self._erase(description, keeping=frozenset())
        return True

    def _check_room(self, description: str, page: Page) -> None:
        former = self._pages.get(description)
        size = len(page.values) + len(page.silent) + len(page.stamps)
        before = 0 if former is None else _size(former.page)
        if self._count - before + size > self._most:
            raise Full(
                f"more than {self._most} values are described", remedy="narrow the discovery topics, then replay"
            )

    def _write(self, description: str, page: Page, *, moving: frozenset[str] = frozenset()) -> None:
        self._erase(description, keeping=moving | {v.entity for v in page.values})
        series = tuple(Series(value=v, meaning=self._meaning(v)) for v in page.values)
        self._pages[description] = _Written(page, series)
        self._count += _size(page)
        self._owner |= {v.entity: description for v in page.values}
        for topic in _topics(page):
            self._topics.setdefault(topic, {})[description] = None

    def _erase(self, description: str, *, keeping: frozenset[str]) -> None:
        written = self._pages.pop(description, None)
        if written is None:
            return
        self._count -= _size(written.page)
        for value in written.page.values:
            if self._owner.get(value.entity) == description:
                del self._owner[value.entity]
                if value.entity not in keeping:
                    had = self._given.pop(value.entity, None)
                    if had is not None:
                        self._registers.pop(had[:2], None)
        for topic in _topics(written.page):
            there = self._topics.get(topic, {})
            there.pop(description, None)
            if not there:
                self._topics.pop(topic, None)

    def _meaning(self, value: Value) -> Meaning:
        """Return where a value's readings go: to the register that it had, or the first choice that is free."""
        had = self._given.get(value.entity)
        if had is not None:
            made = self._meant(value, had[2])
            if (value.device.id, made.register) == had[:2]:
                return made
            del self._registers[had[:2]]
        for name in (value.register, value.slug, *self._further(value)):
            made = self._meant(value, name)
            key = (value.device.id, made.register)
            if self._registers.setdefault(key, value.entity) == value.entity:
                self._given[value.entity] = (*key, name)
                break
        return made

    @staticmethod
    def _further(value: Value) -> Iterator[str]:
        stem = value.slug or "value"
        return (f"{stem[:36]}_{n}" for n in range(2, MOST_CHOICES))

    @staticmethod
    def _meant(value: Value, register: str) -> Meaning:
        verdict = value.verdict
        # With its quantity before it, for words such as `current` and `flow` name quantities themselves.
        whole = f"{verdict.quantity}.{register or 'total'}"
        made = meaning(verdict.unit or None, str(verdict.quantity), whole, verdict.kind)
        return made if made.fault is None else Meaning(register=whole, fault=made.fault)

    def at(self, topic: str) -> tuple[Series, ...]:
        """Return the series on a topic, those too that are not read."""
        pages = (self._pages[d] for d in self._topics.get(topic, ()))
        return tuple(s for written in pages for s in written.series if s.value.topic == topic)

    def stamp(self, topic: str) -> Stamp | None:
        """Return where the time stands on a topic."""
        pages = (self._pages[d].page for d in self._topics.get(topic, ()))
        return next((s for page in pages for s in page.stamps if s.topic == topic), None)

    def silent(self, topic: str) -> str:
        """Return why a topic is known to carry no readings, empty where it is not known."""
        pages = (self._pages[d].page for d in self._topics.get(topic, ()))
        return next((reason for page in pages if (reason := page.silent.get(topic))), "")

    def knows(self, topic: str) -> bool:
        """Return whether any description names a topic."""
        return topic in self._topics

    def meter_topics(self) -> tuple[str, ...]:
        """Return the topics of devices that count something, in order."""
        counting = {
            s.value.device.id
            for written in self._pages.values()
            for s in written.series
            if s.read and s.value.verdict.quantity in COUNTED
        }
        topics = (
            s.value.topic
            for written in self._pages.values()
            for s in written.series
            if s.read and s.value.device.id in counting
        )
        return tuple(dict.fromkeys(topics))

    def proposals(self, description: str, *, profile: str, seen_us: int) -> list[Proposal]:
        """Return what a description proposes: its values that are readings, or might be but for their flags."""
        written = self._pages.get(description)
        seen = moment(np.datetime64(seen_us, "us"))
        series = () if written is None else written.series
        return [
            Proposal(
                device=s.value.device.id,
                register=s.meaning.register,
                commodity=s.value.commodity,
                unit=s.value.verdict.unit,
                kind=s.value.verdict.kind,
                name=s.value.name,
                manufacturer=s.value.device.manufacturer,
                model=s.value.device.model,
                profile=profile,
                description=description,
                entity=s.value.entity,
                topic=s.value.topic,
                flags=tuple(str(f) for f in s.value.verdict.flags),
                read=s.read,
                first_seen=seen,
                last_seen=seen,
            )
            for s in series
            if not s.value.verdict.reason
        ]


def _size(page: Page) -> int:
    return len(page.values) + len(page.silent) + len(page.stamps)


def _topics(page: Page) -> Iterable[str]:
    named: Sequence[str] = [v.topic for v in page.values] + [s.topic for s in page.stamps]
    return dict.fromkeys([*named, *page.silent])
