"""Acts of people on what stands in the register: a device gets its point, a question its answer."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.room import Room
from core.errors import Conflict, InputError, NotFound
from core.notes import InboxItem, PointFinding
from core.registry import DialEvent, EventKind, Meter

KINDS: Final = ", ".join(EventKind)


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


def answer_finding(room: Room, key: str, said: Mapping[str, Any], *, by: str) -> DialEvent:
    """Record the event that explains a finding; what is not said is taken from its proposal."""
    with room.changing:
        found = find_finding(room, key)
        if not found.open:
            raise Conflict("this question is answered already; correct or retract the event instead")
        event = event_of(found, key, said)
        if _held(room, event.id):
            raise Conflict(f"event {event.id} answers this question already; correct or retract it instead")
        room.deps.records.save([event], by=by, now=room.deps.clock(), why=f"answer to finding {key}")
    return event


def _held(room: Room, key: str) -> bool:
    try:
        event = room.deps.records.get(DialEvent, key)
    except NotFound:
        return False
    return not event.retracted


def event_of(found: PointFinding, key: str, said: Mapping[str, Any]) -> DialEvent:
    """Return the event that an answer says."""
    proposal = found.finding.proposal or {}
    kind = said.get("kind") or proposal.get("kind") or ""
    if kind not in set(EventKind):
        raise InputError(f"kind {kind!r} is no event", place="kind", remedy=f"write one of {KINDS}")
    same = not said.get("kind") or said["kind"] == proposal.get("kind")
    return DialEvent(
        id=f"A-{key}",
        meter=found.finding.meter,
        at=said.get("at") or _instant(proposal.get("at")) or found.finding.at_to,
        kind=EventKind(kind),
        final=_number(said, proposal, "final", same=same),
        first=_number(said, proposal, "first", same=same),
        new_device=said.get("new_device") or "",
        register=found.finding.register,
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
    """Mount a device of the inbox on a point and take it out of the inbox."""
    with room.changing:
        items = [i for i in room.deps.records.inbox() if i.device == device]
        if not items:
            raise NotFound(f"no device {device!r} is in the inbox")
        meter = meter_of(room, items, wish)
        room.deps.records.save([meter], by=by, now=room.deps.clock(), why=f"{device} assigned from the inbox")
        room.deps.records.leave_inbox([device])
    return meter


def meter_of(room: Room, items: list[InboxItem], wish: Mapping[str, Any]) -> Meter:
    """Return the meter that an assignment makes, mounted since the device was first seen where it is not said."""
    now, device = room.now(), items[0].device
    point = now.point(wish["point"])
    mounted = wish.get("mounted") or min(i.first_seen for i in items)
    present = [m for m in now.meters_of.get(point.id, ()) if m.removed is None or m.removed > mounted]
    if present:
        raise Conflict(
            f"point {point.id} has meter {present[-1].id} from {present[-1].mounted.isoformat()} on; "
            "record its removal first, or mount the new one later"
        )
    return Meter(
        id=wish.get("id") or _free_id(device, set(now.meters)),
        point=point.id,
        device=device,
        mounted=mounted,
        serial=wish.get("serial") or "",
        register=wish.get("register") or "",
        unit=wish.get("unit") or "",
        digits=wish.get("digits"),
        multiplier=wish.get("multiplier") or 1.0,
        first=wish.get("first"),
    )


def _free_id(device: str, taken: set[str]) -> str:
    """Return an id after the device's name that no meter has yet."""
    stem = "".join(c if c.isalnum() or c in "-_.:/" else "-" for c in device)[:100]
    names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
