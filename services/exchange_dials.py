"""The exchange of a meter as a person tells it: final and first reading of each of its dials, whole or not at all.

A meter with one counting dial tells its readings itself. Where a sum of dials counts (high and low tariff), or further
dials are read too, each dial's readings stand in a recorded swap that names it (decision 34).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.assigned import counts
from core.errors import Conflict, InputError
from core.parts import parts_of
from core.ports import RecordStore
from core.registry import MAIN_REGISTERS, DialEvent, EventKind, Meter, Point
from services.points import main_register
from services.register import By, Change, Done, NewMeter, event_id, perform, swapped
from services.register_rules import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DialReading:
    """What a dial showed at an exchange: the old meter's last, the new one's first reading; None where not read.

    In the canonical unit, before the multiplier.
    """

    final: float | None = None
    first: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dials:
    """The dials of a meter, by register: those that count for its point, and further ones that it has."""

    counting: tuple[str, ...]
    further: tuple[str, ...]


def mounted_now(meters: Iterable[Meter]) -> Meter | None:
    """Return the meter that is mounted last and not removed, None where there is none."""
    standing = [m for m in meters if m.removed is None]
    return max(standing, key=lambda m: m.mounted, default=None)


def dials_of(point: Point, meter: Meter, present: Sequence[str]) -> Dials:
    """Return the dials of a meter whose device has readings of these registers."""
    main = main_register(meter, point.commodity, present) or MAIN_REGISTERS[point.commodity][0]
    counting = parts_of(main)
    return Dials(
        counting=counting, further=tuple(sorted(r for r in present if counts(r) and r not in counting and r != main))
    )


def exchange(
    records: RecordStore,
    point: str,
    at: datetime,
    act: By,
    *,
    counting: Sequence[str],
    read: Mapping[str, DialReading],
    new: NewMeter,
) -> Done:
    """End the meter on a point at an instant and mount the new one, with what its dials showed, all or nothing.

    `read` are the dials that were read, by register; of one counting dial the meters themselves tell, of any other a
    recorded swap does. Doing it again with the same readings changes nothing.
    """
    if at.tzinfo is None or at > act.now:
        raise InputError(f"{at.isoformat()} lies in the future", place="at", remedy="record it when it has happened")
    at = at.astimezone(UTC)
    alone = read.get(counting[0], DialReading()) if len(counting) == 1 else None
    apart = {r: told for r, told in read.items() if alone is None or r not in counting}
    at_zero = alone is None and all(read.get(r, DialReading()).first == 0 for r in counting)

    def decide(register: Snapshot) -> Change:
        first = alone.first if alone is not None else 0.0 if at_zero else None
        final = alone.final if alone is not None else None
        change = swapped(register, point, at, final=final, new=replace(new, first=first))
        old = next(thing for thing in change.save if isinstance(thing, Meter))
        events = [event for r, told in apart.items() for event in _events(old, new.device or old.device, at, r, told)]
        for event in events:
            stored = register.get(DialEvent, event.id)
            if stored is not None and stored != event:
                raise Conflict(f"event {event.id} is recorded already with other values; retract it first")
        return Change(save=(*change.save, *events))

    return perform(records, decide, act)


def _events(old: Meter, device: str, at: datetime, register: str, told: DialReading) -> list[DialEvent]:
    """Return what is recorded of a dial: one swap, or of a device with another name one of each device."""
    if told == DialReading():
        return []
    key = f"{event_id(old.point, at, EventKind.SWAP, '')}/{register}"
    whole = DialEvent(
        id=key, meter=old.device, at=at, kind=EventKind.SWAP, register=register, final=told.final, first=told.first
    )
    if device == old.device:
        return [whole]
    ended, begun = replace(whole, first=None), replace(whole, id=f"{key}/{device}", meter=device, final=None)
    return [event for event in (ended, begun) if event.final is not None or event.first is not None]
