"""Acts of people on what stands in the register: a device gets its point, a question its answer."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from api.room import Room
from api.waiting import waiting
from core.calendar import moment
from core.errors import Conflict, InputError, NotFound
from core.notes import InboxItem, PointFinding
from core.people import Right
from core.readings import SeriesKey
from core.registry import DialEvent, Entity, EventKind, Meter
from services import register
from services.register import By, NewMeter

BEGINNING: Final = np.datetime64("1970-01-01T00:00:00", "us")
"""Before every reading that is accepted."""

KINDS: Final = ", ".join(EventKind)


def act(room: Room, by: str, why: str = "") -> By:
    """Return who acts, now."""
    return By(by=by, now=room.deps.clock(), why=why)


def finding_id(found: PointFinding) -> str:
    """Return the name of a finding: the same as long as point, series, rule and begin are the same."""
    f = found.finding
    text = f"{found.point}|{f.meter}|{f.register}|{f.rule.value}|{f.at_from.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_finding(room: Room, key: str) -> PointFinding:
    """Return the finding of this name, open ones first; raise NotFound."""
    for open_only in (True, False):
        for found in room.deps.records.findings(open_only=open_only):
            if finding_id(found) == key:
                return found
    raise NotFound(f"no finding has the id {key!r}; it may have been answered or computed anew")


def answer_finding(room: Room, key: str, said: Mapping[str, Any], *, by: str) -> Entity:
    """Record what explains a finding: an event, or the new meter of a swap for a device of another name.

    What is not said is taken from the proposal, its dials where the same kind of event was. The computation that
    follows closes the finding.
    """
    found = find_finding(room, key)
    if not found.open:
        raise Conflict("this question is answered already; correct or retract the event instead")
    event = event_of(found, said)
    doing = act(room, by, f"answer to finding {key}")
    if event.new_device and event.new_device != event.meter and event.kind is EventKind.SWAP:
        return _exchanged(room, found.point, event, doing)
    return register.record_event(room.writing(Right.READINGS), event, doing).saved[0]


def _exchanged(room: Room, point: str, event: DialEvent, doing: register.By) -> Entity:
    """Mount the new device of a swap; the dial readings are the meters', or where a further dial asked, that dial's."""
    records = room.writing(Right.READINGS)
    first, final = (None, None) if event.register else (event.first, event.final)
    new = NewMeter(first=first, device=event.new_device)
    done = register.swap(records, point, event.at, doing, final=final, new=new)
    if event.register:
        old = replace(event, new_device="", first=None)
        started = replace(
            old, id=f"{event.id}/{event.new_device}", meter=event.new_device, final=None, first=event.first
        )
        for told in (old, started):
            register.record_event(records, told, doing)
    return next(m for m in done.saved if isinstance(m, Meter) and m.mounted == event.at)


def event_of(found: PointFinding, said: Mapping[str, Any]) -> DialEvent:
    """Return the event that an answer says.

    It names the register that asked, so that its dial readings are taken for no other dial; that of the point's main
    curve has no name of its own.
    """
    proposal = found.finding.proposal or {}
    kind = said.get("kind") or proposal.get("kind") or ""
    if kind not in set(EventKind):
        raise InputError(f"kind {kind!r} is no event", place="kind", remedy=f"write one of {KINDS}")
    same = kind == proposal.get("kind")
    at = said.get("at") or _instant(proposal.get("at")) or found.finding.at_to
    if at.tzinfo is None:
        raise InputError(f"{at.isoformat()} has no offset", place="at", remedy="write it as 2026-01-31T12:00:00+01:00")
    at = at.astimezone(UTC)
    dial = register.dial_of(found)
    return DialEvent(
        id=register.event_id(found.point, at, kind, dial),
        meter=found.finding.meter,
        at=at,
        kind=EventKind(kind),
        final=_number(said, proposal, "final", same=same),
        first=_number(said, proposal, "first", same=same),
        new_device=said.get("new_device") or "",
        register=dial,
        note=said.get("note") or "",
    )


def _number(said: Mapping[str, Any], proposal: Mapping[str, Any], name: str, *, same: bool) -> float | None:
    """Return a dial reading as said, else as proposed where the same kind of event was."""
    value = said.get(name)
    if value is None and same:
        value = proposal.get(name)
    return None if value is None else float(value)


def _instant(text: object) -> datetime | None:
    if text is None or isinstance(text, datetime):
        return text
    return datetime.fromisoformat(str(text))


def assign(room: Room, device: str, wish: Mapping[str, Any], *, by: str) -> Meter:
    """Mount a device of the inbox on a point, since its first reading where nothing else is said."""
    room.now().point(wish["point"])
    here = [w for w in waiting(room) if w.item.device == device]
    if not here:
        raise NotFound(f"no device {device!r} is in the inbox")
    new = NewMeter(
        id=wish.get("id") or "",
        serial=wish.get("serial") or "",
        register=wish.get("register") or "",
        unit=wish.get("unit") or "",
        digits=wish.get("digits"),
        multiplier=wish.get("multiplier"),
        first=wish.get("first"),
    )
    doing = act(room, by, f"{device} assigned from the inbox")
    done = register.assign(
        room.writing(Right.REGISTER),
        device,
        wish["point"],
        doing,
        mounted=wish.get("mounted"),
        meter=new,
        seen=[_since_first_reading(room, w.item) for w in here if w.sent or w.dial],
    )
    return next(m for m in done.saved if isinstance(m, Meter))


def _since_first_reading(room: Room, item: InboxItem) -> InboxItem:
    """Return an item first seen at the instant of its first reading: that may lie before it came in."""
    stored = room.deps.readings.neighbours([SeriesKey(item.device, item.register)], BEGINNING, BEGINNING)
    if not len(stored):
        return item
    return replace(item, first_seen=min(item.first_seen, moment(stored.at.min())))
