"""What waits in the inbox: series that send and stand on no point, beside what devices say of themselves.

A device that is described and has not sent yet is listed too; so is a dial whose description is in doubt, for a person
to see why it is not read.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice

import msgspec

from api.room import Room
from core.assigned import Assigned, counts
from core.errors import InputError
from core.notes import InboxItem, Proposal
from core.parts import families, is_tariff_or_phase, summed, whole_of
from core.readings import SeriesKey
from core.registry import MAIN_REGISTERS, Commodity, Register
from core.units import CANONICAL, Quantity
from services.sums import family_of

SHOWN_BYTES = 2_048
SHOWN_PIECES = 5_000
"""Names, values and marks of JSON that are indented; deep lists grow to a thousand times their length."""


class Proposed(msgspec.Struct, frozen=True):
    """What a device says of a series: a meter to confirm. `flags` speak against it; `read`: its readings are taken."""

    commodity: str
    unit: str
    kind: str
    name: str
    manufacturer: str
    model: str
    profile: str
    description: str
    topic: str
    flags: Sequence[str]
    read: bool
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, p: Proposal) -> "Proposed":
        """Return the JSON form of a proposal."""
        return cls(
            p.commodity, p.unit, p.kind, p.name, p.manufacturer, p.model, p.profile, p.description, p.topic, p.flags,
            p.read, p.first_seen, p.last_seen,
        )  # fmt: skip


class Unassigned(msgspec.Struct, frozen=True):
    """A series that stands on no point yet; where it is only described, `count` is 0 and `last_value` null."""

    device: str
    register: str
    unit: str
    first_seen: datetime
    last_seen: datetime
    count: int
    last_value: float | None
    topic: str
    sample: str
    proposal: Proposed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A series of the inbox: what was seen of it, what is proposed, or both."""

    item: InboxItem
    proposal: Proposal | None

    @property
    def sent(self) -> bool:
        """Whether readings of it are stored."""
        return self.item.count > 0

    @property
    def dial(self) -> bool:
        """Whether it may count for a point."""
        return counts(self.item.register) and (self.sent or self.proposal is None or self.proposal.read)

    @property
    def unit_needed(self) -> bool:
        """Whether a person has to say the unit: its readings state none, or are pulses."""
        return _quantity(self.item.register) in {Quantity.UNSTATED, Quantity.PULSE_COUNT}

    def json(self) -> Unassigned:
        """Return its JSON form; the sample as text, what is none replaced."""
        i = self.item
        return Unassigned(
            i.device, i.register, i.unit, i.first_seen, i.last_seen, i.count, i.last_value if self.sent else None,
            i.topic, i.sample.decode(errors="replace"), None if self.proposal is None else Proposed.of(self.proposal),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDevice:
    """A device of the inbox with all its series, and what its assignment would most likely be."""

    name: str
    rows: tuple[Waiting, ...]

    @property
    def dials(self) -> tuple[Waiting, ...]:
        """The series that may count for a point."""
        return tuple(r for r in self.rows if r.dial)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What is proposed, dials first."""
        said = [r for r in self.rows if r.proposal is not None]
        said.sort(key=lambda r: not r.dial)
        return tuple(r.proposal for r in said if r.proposal is not None)

    @property
    def title(self) -> str:
        """Who made it and what it is called, as it says."""
        first = next(iter(self.proposals), None)
        named = () if first is None else (first.manufacturer, first.model)
        return " ".join(dict.fromkeys(filter(None, named)))

    @property
    def commodity(self) -> str:
        """The one commodity that its dials are proposed for, empty where there is none or several."""
        said = {r.proposal.commodity for r in self.dials if r.proposal is not None} - {""}
        return said.pop() if len(said) == 1 else ""

    @property
    def register(self) -> str:
        """The register to name, empty where the commodity tells it or a person has to choose."""
        only = self.dials[0].item.register if len(self.dials) == 1 and not self.by_commodity else ""
        return "" if is_tariff_or_phase(only) else only

    @property
    def by_commodity(self) -> bool:
        """Whether the commodity tells the register: a usual one is there, or all tariffs or phases of one."""
        proposed = [Commodity(self.commodity)] if self.commodity in set(Commodity) else list(Commodity)
        usual = {register for c in proposed for register in MAIN_REGISTERS[c]}
        dials = {r.item.register for r in self.dials}
        return not dials or bool(dials & usual) or bool(family_of(sorted(usual), dials))

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums of dials that may count, one of all tariffs or phases each."""
        dials = [r.item.register for r in self.dials]
        return tuple(summed(f) for whole in dict.fromkeys(map(whole_of, dials)) for f in families(whole, dials))

    @property
    def unit(self) -> str:
        """The one unit that its dials are said to show, empty where there is none or several."""
        said = {r.proposal.unit for r in self.dials if r.proposal is not None and not r.unit_needed} - {""}
        return said.pop() if len(said) == 1 and not any(r.unit_needed for r in self.dials) else ""

    @property
    def unit_needed(self) -> bool:
        """Whether nothing can be counted before a person has said a unit."""
        return bool(self.dials) and all(r.unit_needed for r in self.dials)

    @property
    def sample(self) -> str:
        """The newest message, JSON indented."""
        newest = max(self.rows, key=lambda r: r.item.last_seen).item
        return indented(newest.sample)


def waiting(room: Room, *, after: str = "") -> list[Waiting]:
    """Return the series of the inbox with device > after, ordered by device and register."""
    records, now = room.deps.records, room.now()
    seen = {(i.device, i.register): i for i in records.inbox(after=after)}
    taken = Assigned.of(now.meters.values(), now.events.values(), now.stations.values())
    proposed = {(p.device, p.register): p for p in records.proposals() if p.device > after}
    shown = set(seen) | {key for key, p in proposed.items() if _asks(p, taken)}
    return [Waiting(item=seen.get(key) or unseen(proposed[key]), proposal=proposed.get(key)) for key in sorted(shown)]


def devices(rows: Iterable[Waiting]) -> list[WaitingDevice]:
    """Return the devices of ordered series."""
    return [WaitingDevice(name=name, rows=tuple(same)) for name, same in groupby(rows, key=lambda r: r.item.device)]


def unseen(proposal: Proposal) -> InboxItem:
    """Return what is known of a series that has not sent yet."""
    return InboxItem(
        device=proposal.device,
        register=proposal.register,
        unit=CANONICAL.get(_quantity(proposal.register), ""),
        first_seen=proposal.first_seen,
        last_seen=proposal.last_seen,
        count=0,
        last_value=float("nan"),
        topic=proposal.topic,
    )


def indented(sample: bytes) -> str:
    """Return a payload for the eye: JSON indented, text as it is, other bytes in hexadecimal digits."""
    try:
        text = sample.decode()
    except UnicodeDecodeError:
        return sample[:SHOWN_BYTES].hex(" ")
    try:
        pieces = json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(json.loads(text))
        lines = list(islice(pieces, SHOWN_PIECES))
    except (ValueError, RecursionError):
        return text
    return "".join(lines) if len(lines) < SHOWN_PIECES else text


def _asks(proposal: Proposal, taken: Assigned) -> bool:
    """Return whether a proposal is shown for itself: a dial of which nothing is known but its description."""
    dial = proposal.kind == "cumulative" or not proposal.read
    return dial and SeriesKey(proposal.device, proposal.register) not in taken


def _quantity(register: str) -> Quantity:
    try:
        return Register.parse(register).quantity
    except InputError:
        return Quantity.UNSTATED
