"""Acts on the register: each is checked against all that stands in it, audited, and whole or not at all.

Every act takes who does it (`by`), the instant (`now`) and a reason (`why`), and tells what was changed and which
points are to be computed anew. An act that loses a race with another is checked again on what that one left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from core.assigned import Assigned, counts
from core.errors import Conflict, InputError, NotFound
from core.notes import InboxItem, PointFinding
from core.parts import is_tariff_or_phase, parts_of
from core.ports import RecordStore
from core.readings import SeriesKey
from core.registry import (
    MAIN_REGISTERS,
    Commodity,
    DialEvent,
    Entity,
    EventKind,
    Meter,
    Point,
    Register,
    Station,
)
from core.units import Quantity
from services.points import SAID_BY_METER
from services.register_rules import NAMES, Problem, Snapshot, in_utc, place, points_touched, problems
from services.sums import family_of

E = TypeVar("E", bound=Entity)
ATTEMPTS: Final = 5
"""How often an act is tried again that finds the register changed by another meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who acts, when, why."""

    by: str
    now: datetime
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an act wants: entities to save and to remove."""

    save: tuple[Entity, ...] = ()
    remove: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act did: what was saved and removed, and the points whose consumption is to be computed anew."""

    saved: tuple[Entity, ...]
    removed: tuple[Entity, ...]
    points: tuple[str, ...]


def create(records: RecordStore, entities: Sequence[Entity], act: By) -> Done:
    """Add these; raise Conflict where one is there already."""

    def decide(register: Snapshot) -> Change:
        for entity in entities:
            if place(entity) in register.things:
                raise Conflict(f"{_named(entity)} is in the register already; choose another id, or change that one")
        return Change(save=tuple(entities))

    return perform(records, decide, act)


def update(records: RecordStore, entity: Entity, act: By, *, former: Entity | None = None) -> Done:
    """Put this in the place of the stored one; raise NotFound where there is none.

    `former` is what the change was made from: raise Conflict where it is no longer what is stored.
    """

    def decide(register: Snapshot) -> Change:
        stored = _required(register, type(entity), entity.id)
        if former is not None and stored != former:
            raise Conflict(f"{_named(entity)} was changed meanwhile; look at it again and repeat")
        return Change(save=(entity,))

    return perform(records, decide, act)


def put(records: RecordStore, entities: Sequence[Entity], act: By) -> Done:
    """Add or replace these, all or none."""
    return perform(records, lambda _: Change(save=tuple(entities)), act)


def remove(records: RecordStore, kind: type[Entity], keys: Sequence[str], act: By) -> Done:
    """Remove these; raise NotFound, or Conflict where others refer to one."""

    def decide(register: Snapshot) -> Change:
        return Change(remove=tuple(_required(register, kind, key) for key in dict.fromkeys(keys)))

    return perform(records, decide, act)


# Meters


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeter:
    """The meter mounted at a swap; what is None or empty is as on the one before, except the serial number.

    `first` is its dial at the swap, in canonical units before the multiplier; None where unknown.
    """

    first: float | None = 0.0
    id: str = ""
    device: str = ""
    serial: str = ""
    register: str = ""
    unit: str = ""
    digits: int | None = None
    multiplier: float | None = None


def swap(
    records: RecordStore, point: str, at: datetime, act: By, *, final: float | None, new: NewMeter | None = None
) -> Done:
    """End the meter that is mounted on a point at an instant with its final dial, and mount the new one then.

    `final` is in canonical units before the multiplier; None where it was not read. Doing it again with the same
    readings changes nothing. `retract_swap` undoes it.
    """
    _check_past(at, act)
    at = at.astimezone(UTC)
    return perform(records, lambda register: swapped(register, point, at, final=final, new=new or NewMeter()), act)


def swapped(register: Snapshot, point: str, at: datetime, *, final: float | None, new: NewMeter) -> Change:
    """Return what a swap changes: the old meter, and unless it is the same swap again the new one."""
    _required(register, Point, point)
    meters = sorted((m for m in register.every(Meter) if m.point == point), key=lambda m: m.mounted)
    old = next((m for m in meters if m.mounted < at and (m.removed is None or at <= m.removed)), None)
    if old is None:
        raise InputError(
            f"no meter is mounted on point {point} at {_shown(at)}", remedy="mount one, or correct the instant"
        )
    mounted = _mounted(old, new, at, taken={m.id for m in register.every(Meter)})
    later = next((m for m in meters if m.mounted == at), None)
    if later is not None and replace(mounted, id=later.id, removed=later.removed, final=later.final) == later:
        return Change(save=(replace(old, final=final),))
    if old.removed is not None:
        raise Conflict(
            f"meter {old.id} is removed from point {point} at {_shown(old.removed)} already; "
            "undo that swap, or correct its meters"
        )
    return Change(save=(replace(old, removed=at, final=final), mounted))


def _mounted(old: Meter, new: NewMeter, at: datetime, *, taken: set[str]) -> Meter:
    return Meter(
        id=new.id or _free_id(old.point, taken),
        point=old.point,
        device=new.device or old.device,
        mounted=at,
        serial=new.serial,
        register=new.register or old.register,
        unit=new.unit or old.unit,
        digits=old.digits if new.digits is None else new.digits,
        multiplier=old.multiplier if new.multiplier is None else new.multiplier,
        first=new.first,
    )


def _free_id(stem: str, taken: set[str]) -> str:
    number = 1
    while f"{stem}/{number}" in taken:
        number += 1
    return f"{stem}/{number}"


def retract_swap(records: RecordStore, meter: str, act: By) -> Done:
    """Undo the swap that mounted a meter: the one before goes on, this one goes; raise Conflict where it cannot."""

    def decide(register: Snapshot) -> Change:
        new = _required(register, Meter, meter)
        old = next((m for m in register.every(Meter) if m.point == new.point and m.removed == new.mounted), None)
        if old is None:
            raise Conflict(f"meter {meter} did not take the place of another; remove it, or correct it")
        if new.removed is not None:
            raise Conflict(f"meter {meter} was removed at {_shown(new.removed)}; undo what followed first")
        return Change(save=(replace(old, removed=None, final=None),), remove=(new,))

    return perform(records, decide, act)


def assign(
    records: RecordStore,
    device: str,
    point: str,
    act: By,
    *,
    mounted: datetime | None = None,
    meter: NewMeter | None = None,
    seen: Sequence[InboxItem] = (),
) -> Done:
    """Mount a device of the inbox on a point, from an instant or else its first reading on.

    `seen` is what is known of its series, where the inbox is not all of it.

    It leaves the inbox; where the register that counts is named, its other dials wait there for points of their own.
    Raise InputError where it is not clear which register counts, or in which unit. Doing it again changes nothing.
    """
    waiting = [item for item in records.inbox() if item.device == device]
    seen = seen or waiting
    if not seen and mounted is None:
        raise NotFound(f"device {device} is not in the inbox; state since when it is mounted")
    given = counting(records.get(Point, point).commodity, seen, meter or NewMeter(first=None))
    since = mounted or min(item.first_seen for item in _of_register(seen, given.register))

    def decide(register: Snapshot) -> Change:
        wanted = (device, point, since, given.register)
        known = [m for m in register.every(Meter) if (m.device, m.point, m.mounted, m.register) == wanted]
        if known:
            return Change(save=(known[0],))
        return Change(save=(_first(point, device, since, given, taken={m.id for m in register.every(Meter)}),))

    done = perform(records, decide, act)
    taken = Assigned.of(records.find(Meter, where={"device": device}))
    records.leave_inbox([device], registers=[i.register for i in waiting if SeriesKey(device, i.register) in taken])
    return done


def counting(commodity: Commodity, seen: Sequence[InboxItem], given: NewMeter) -> NewMeter:
    """Return the meter with the register that counts, where it is the only one that can; raise InputError."""
    dials = sorted({i.register for i in seen if counts(i.register)})
    usual = set(MAIN_REGISTERS[commodity]) & set(dials) or family_of(MAIN_REGISTERS[commodity], dials)
    if not given.register and not usual and len(dials) > 1:
        raise InputError(
            f"the device has {len(dials)} dials: {', '.join(dials[:8])}",
            place="register",
            remedy="choose the register that counts",
        )
    register = given.register or ("" if usual or not dials else dials[0])
    if not given.register and register and is_tariff_or_phase(register):
        raise InputError(
            f"of the device only {register} is known, a part of what it counts",
            place="register",
            remedy="wait until the others have come, or choose this register",
        )
    quantity = Register.parse(register).quantity if set(parts_of(register)) <= set(dials) else None
    if quantity in SAID_BY_METER and not given.unit:
        amount = "a pulse" if quantity is Quantity.PULSE_COUNT else "its readings"
        raise InputError(
            f"nothing says in which unit {amount} of {register} counts",
            place="unit",
            remedy="state the unit, such as kWh, m³ or l; the multiplier is the amount of one pulse",
        )
    return replace(given, register=register)


def _of_register(seen: Sequence[InboxItem], register: str) -> Sequence[InboxItem]:
    return [item for item in seen if item.register in parts_of(register)] or seen


def _first(point: str, device: str, since: datetime, given: NewMeter, *, taken: set[str]) -> Meter:
    return Meter(
        id=given.id or _free_id(point, taken),
        point=point,
        device=device,
        mounted=since,
        serial=given.serial,
        register=given.register,
        unit=given.unit,
        digits=given.digits,
        multiplier=1.0 if given.multiplier is None else given.multiplier,
        first=given.first,
    )


# What happened to dials


def record_event(records: RecordStore, event: DialEvent, act: By) -> Done:
    """Record what happened to a dial; recording the same again changes nothing."""
    _check_past(event.at, act)
    event = in_utc(event)

    def decide(register: Snapshot) -> Change:
        stored = register.get(DialEvent, event.id)
        if stored is not None and replace(stored, retracted=event.retracted) != event:
            raise Conflict(f"event {event.id} is recorded already with other values; retract it first")
        return Change(save=(event,))

    return perform(records, decide, act)


def retract_event(records: RecordStore, key: str, act: By) -> Done:
    """Take an event back: it stays to be seen and counts no more; doing it twice changes nothing."""
    return perform(
        records, lambda register: Change(save=(replace(_required(register, DialEvent, key), retracted=True),)), act
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operator says of a break; what is None is as the finding proposes. Dials in canonical units."""

    kind: EventKind | None = None
    at: datetime | None = None
    final: float | None = None
    first: float | None = None
    note: str = ""


def answer(records: RecordStore, finding: PointFinding, given: Answer, act: By) -> Done:
    """Record what the operator says of a break, so that its point is computed anew with it.

    An exchange for a meter of another device is a `swap`. Raise InputError where neither the answer nor the
    finding's proposal says what happened.
    """
    found = finding.finding
    proposal = found.proposal or {}
    kind = given.kind or (EventKind(proposal["kind"]) if "kind" in proposal else None)
    if kind is None:
        raise InputError("the answer does not say what happened", remedy="choose swap, reset or rollover")
    at = given.at or _proposed_instant(proposal.get("at")) or found.at_to
    register = dial_of(finding)
    event = DialEvent(
        id=event_id(finding.point, at, kind, register),
        meter=found.meter,
        at=at,
        kind=kind,
        final=_number(proposal.get("final")) if given.final is None else given.final,
        first=_number(proposal.get("first")) if given.first is None else given.first,
        register=register,
        note=given.note,
    )
    return record_event(records, event, act)


def dial_of(finding: PointFinding) -> str:
    """Return the register of the dial that a finding is of, empty where it is the point's main one."""
    return finding.finding.register if "." in finding.finding.register else ""


def event_id(stem: str, at: datetime, kind: str, register: str) -> str:
    """Return the id of an event on a point or device; several dials of a device may be exchanged at one instant."""
    dial = f"/{register}" if "/" in register else ""
    return f"{stem}/{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}/{kind}{dial}"


def _proposed_instant(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


# How every act is done


def perform(records: RecordStore, decide: Callable[[Snapshot], Change], act: By) -> Done:
    """Decide on the register as it stands, check what would be, save; again where another act came between.

    Raise InputError where a rule is broken by the entity alone, Conflict where by what is stored.
    """
    for attempt in range(ATTEMPTS):
        register = Snapshot.of(records)
        wanted = decide(register)
        change = replace(wanted, save=tuple(in_utc(thing) for thing in wanted.save))
        after, changed = apply(register, change)
        try:
            records.save(
                change.save,
                removing=change.remove,
                version=register.version,
                by=act.by,
                now=act.now,
                why=act.why,
            )
        except Conflict:
            if attempt == ATTEMPTS - 1 or records.version() == register.version:
                raise
            continue
        _leave_inbox(records, change.save)
        return Done(saved=change.save, removed=change.remove, points=points_touched(register, after, changed))
    raise Conflict("the register is changed by others all the time; repeat")


def _leave_inbox(records: RecordStore, saved: Sequence[Entity]) -> None:
    """Take the devices of weather stations out of the inbox, but for those that send more than the temperature."""
    weather = {(s.arrives_as, s.register) for s in saved if isinstance(s, Station)}
    if weather:
        waiting = [(item.device, item.register) for item in records.inbox()]
        asking = {device for device, register in waiting if (device, register) not in weather}
        records.leave_inbox(sorted({device for device, _ in weather} - asking))


def apply(register: Snapshot, change: Change) -> tuple[Snapshot, frozenset[tuple[type, str]]]:
    """Return the register as it would be and what differs; raise for the first rule that it would break."""
    after = register.changed(change.save, change.remove)
    about = frozenset(place(thing) for thing in change.save)
    orphans = {
        place(event)
        for meter in change.remove
        if isinstance(meter, Meter)
        for event in register.every(DialEvent)
        if event.meter == meter.device and place(event) in after.things
    }
    for problem in problems(after, about | orphans):
        raise _raised(problem)
    gone = {place(thing) for thing in change.remove}
    differing = {where for where in about if register.things.get(where) != after.things[where]}
    return after, frozenset(differing | gone)


def _raised(problem: Problem) -> Exception:
    alone = problem.field in {"ico", "latitude", "longitude", "areas", "users", "reserved_kw", "register", "unit"}
    alone |= problem.field in {"first", "final"}
    if alone:
        place_named = f"{NAMES[problem.kind]} {problem.id}"
        return InputError(problem.problem, place=place_named, remedy=problem.remedy)
    return Conflict(str(problem))


def _required(register: Snapshot, kind: type[E], key: str) -> E:
    thing = register.get(kind, key)
    if thing is None:
        raise NotFound(f"{NAMES[kind]} {key} is not in the register")
    return thing


def _named(entity: Entity) -> str:
    return f"{NAMES[type(entity)]} {entity.id}"


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _check_past(at: datetime, act: By) -> None:
    if at.tzinfo is None:
        raise InputError(f"{at.isoformat()} has no offset", remedy="write it as 2026-01-31T12:00:00+01:00")
    if at > act.now:
        raise InputError(f"{_shown(at)} lies in the future", remedy="record it when it has happened")
