"""The life of an alert: pure steps from one state to the next, each with its entry for the audit trail.

                        .--------------- wake ---------------.
                        v                                    |
    opened -> OPEN -> ACKNOWLEDGED -> ASSIGNED -> SNOOZED ---'     any of these -> RESOLVED (a person, with a cause)
                ^                                                  any of these -> CLOSED   (the evidence ended)
                '---- reopened: the evidence returned, or went on though it was said to be mended

Time is an argument. An alert's instants never run backwards: a step of a clock that is behind counts as simultaneous
with the step before. A step that changes nothing returns the alert as it was and no entry, so each may be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from core.alerts import ACTIVE, ENTITY, LEAVES_IN_PEACE, Alert, Cause, Detection, State, alert_id
from core.errors import Conflict, InputError
from core.notes import AuditEntry, JsonValue

ITSELF: Final = "odecet"
"""Who does what nobody did: the name in the audit trail."""
LONGEST_SNOOZE: Final = timedelta(days=180)
GRACE: Final = timedelta(hours=36)
"""How long evidence may go on after a repair: detectors look back over a night and a day."""
LONGEST_NOTE: Final = 2_000


class Did(StrEnum):
    """What a step was, as the history says it."""

    OPENED = "opened"
    RISEN = "risen"
    NARROWED = "narrowed"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    COMMENTED = "commented"
    RESOLVED = "resolved"
    CLOSED = "closed"
    ABSORBED = "absorbed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An alert after a step; `entry` None and `did` None where no more changed than how far the evidence reaches."""

    alert: Alert
    entry: AuditEntry | None = None
    did: Did | None = None


_TOLD: Final = ("state", "severity", "subject", "assignee", "snoozed_until", "cause", "note", "part_of")


def opened(found: Detection, building: str, now: datetime) -> Step:
    """Return the alert of a fault that nobody knew."""
    alert = Alert(
        id=alert_id(found.key, found.at_from),
        key=found.key,
        rule=found.rule,
        kind=found.kind,
        subject=found.subject,
        building=building,
        state=State.OPEN,
        severity=found.severity,
        opened_at=now,
        changed_at=now,
        at_from=found.at_from,
        seen_to=found.at_to,
        **_measured(found),
        told=1,
        revision=1,
    )
    return Step(alert=alert, entry=_entry(None, alert, ITSELF, Did.OPENED, now), did=Did.OPENED)


def seen(alert: Alert, found: Detection, now: datetime) -> Step:
    """Return the alert after its evidence was seen to go on or to have returned."""
    if not found.going_on:
        return _seen_to_end(alert, found, now)
    if not alert.active:
        return _seen_after_its_end(alert, found, now)
    looked = _looked_at(alert, found)
    if found.severity.rank <= alert.severity.rank:
        looked = replace(looked, severity=alert.severity)
        return Step(alert=alert if looked == alert else replace(looked, revision=alert.revision + 1))
    risen = replace(looked, told=alert.told + 1)
    return _stepped(alert, _woken(risen) if risen.state is State.SNOOZED else risen, ITSELF, Did.RISEN, now)


def _seen_to_end(alert: Alert, found: Detection, now: datetime) -> Step:
    looked = replace(_looked_at(alert, found), severity=alert.severity)
    if alert.active:
        return gone(looked, now)
    looked = replace(looked, standing=False)
    return Step(alert=alert if looked == alert else replace(looked, revision=alert.revision + 1))


def _seen_after_its_end(alert: Alert, found: Detection, now: datetime) -> Step:
    """Return a resolved or closed alert whose evidence is there: it rests in peace, or is open again."""
    if alert.standing and _rests(alert, found):
        looked = replace(_looked_at(alert, found), severity=alert.severity)
        return Step(alert=alert if looked == alert else replace(looked, revision=alert.revision + 1))
    again = replace(
        _looked_at(alert, found),
        state=State.OPEN,
        at_from=found.at_from if not alert.standing else alert.at_from,
        acknowledged_by="",
        acknowledged_at=None,
        snoozed_until=None,
        assignee="",
        cause="",
        note="",
        resolved_by="",
        part_of="",
        ended_at=None,
        standing=True,
        reopened=alert.reopened + 1,
        told=alert.told + 1,
    )
    return _stepped(alert, again, ITSELF, Did.REOPENED, now)


def _rests(alert: Alert, found: Detection) -> bool:
    """Return whether evidence that never paused says nothing new after what a person, or another alert, said."""
    if alert.state is State.CLOSED or alert.ended_at is None:
        return False
    return alert.cause in LEAVES_IN_PEACE or found.at_to < alert.ended_at + GRACE


def gone(alert: Alert, now: datetime) -> Step:
    """Return the alert after its evidence ended: it closes by itself; what a person resolved stays resolved."""
    if not alert.active:
        return Step(alert=alert if not alert.standing else _looked(alert, standing=False))
    closed = replace(alert, state=State.CLOSED, standing=False, snoozed_until=None, ended_at=_after(alert, now))
    return _stepped(alert, closed, ITSELF, Did.CLOSED, now)


def absorbed(alert: Alert, whole: str, now: datetime) -> Step:
    """Return the alert closed as a part of another, whose id is given: one cause is one alert."""
    if not alert.active:
        return Step(alert=alert)
    part = replace(
        alert, state=State.CLOSED, standing=False, snoozed_until=None, part_of=whole, ended_at=_after(alert, now)
    )
    return _stepped(alert, part, ITSELF, Did.ABSORBED, now)


def narrowed(alert: Alert, found: Detection, building: str, now: datetime) -> Step:
    """Return an active alert that goes on at a place that says better where the fault is, such as a sub-meter."""
    _must_be_active(alert)
    if found.key == alert.key:
        return seen(alert, found, now)
    moved = replace(_looked_at(alert, found), key=found.key, kind=found.kind, subject=found.subject, building=building)
    if moved.severity.rank < alert.severity.rank:
        moved = replace(moved, severity=alert.severity)
    return _stepped(alert, moved, ITSELF, Did.NARROWED, now)


def acknowledge(alert: Alert, by: str, now: datetime) -> Step:
    """Return the alert that a person has taken note of."""
    _must_be_active(alert)
    if alert.acknowledged_at is not None:
        return Step(alert=alert)
    noted = _noted(alert, by, now)
    state = State.ACKNOWLEDGED if alert.state is State.OPEN else alert.state
    return _stepped(alert, replace(noted, state=state), by, Did.ACKNOWLEDGED, now)


def assign(alert: Alert, to: str, by: str, now: datetime) -> Step:
    """Return the alert that somebody is to see to."""
    _must_be_active(alert)
    if not to.strip():
        raise InputError("nobody is named", place="assignee", remedy="name who is to see to it")
    if alert.state is State.ASSIGNED and alert.assignee == to:
        return Step(alert=alert)
    given = replace(_noted(alert, by, now), state=State.ASSIGNED, assignee=to, snoozed_until=None)
    return _stepped(alert, given, by, Did.ASSIGNED, now)


def snooze(alert: Alert, until: datetime, by: str, now: datetime) -> Step:
    """Return the alert that is left alone until an instant, at most half a year ahead."""
    _must_be_active(alert)
    if until.tzinfo is None:
        raise InputError(f"{until.isoformat()} has no offset", place="until", remedy="write 2026-01-31T12:00:00+01:00")
    if alert.state is State.SNOOZED and alert.snoozed_until == until:
        return Step(alert=alert)
    if not now < until <= now + LONGEST_SNOOZE:
        raise InputError(
            f"{until.isoformat()} is not ahead, or too far",
            place="until",
            remedy=f"name an instant within {LONGEST_SNOOZE.days} days",
        )
    resting = replace(_noted(alert, by, now), state=State.SNOOZED, snoozed_until=until)
    return _stepped(alert, resting, by, Did.SNOOZED, now)


def wake(alert: Alert, now: datetime) -> Step:
    """Return the alert back where it was before its rest, once that is over."""
    if alert.state is not State.SNOOZED or alert.snoozed_until is None or now < alert.snoozed_until:
        return Step(alert=alert)
    return _stepped(alert, replace(_woken(alert), told=alert.told + 1), ITSELF, Did.WOKEN, now)


def comment(alert: Alert, text: str, by: str, now: datetime) -> Step:
    """Return the alert with what a person has to say of it, at any time of its life; the history keeps each."""
    said = _checked_note(text)
    if not said:
        raise InputError("the comment is empty", place="note", remedy="write it, or leave it")
    if said == alert.note:
        return Step(alert=alert)
    return _stepped(alert, replace(alert, note=said), by, Did.COMMENTED, now)


def resolve(alert: Alert, cause: Cause, note: str, by: str, now: datetime) -> Step:
    """Return the alert whose cause is known; one that closed by itself may be told its cause afterwards."""
    said = _checked_note(note)
    if cause is Cause.OTHER and not said:
        raise InputError("the cause is another one and not told", place="note", remedy="say what it was")
    if alert.state is State.RESOLVED:
        if (alert.cause, alert.note) == (cause, said):
            return Step(alert=alert)
        raise Conflict(f"alert {alert.id} is resolved already by {alert.resolved_by} ({alert.cause})")
    noted = _noted(alert, by, now) if alert.active else alert
    ended = alert.ended_at or _after(alert, now)
    done = replace(
        noted, state=State.RESOLVED, cause=cause, note=said, resolved_by=by, snoozed_until=None, ended_at=ended
    )
    return _stepped(alert, done, by, Did.RESOLVED, now)


def _must_be_active(alert: Alert) -> None:
    if alert.state not in ACTIVE:
        raise Conflict(f"alert {alert.id} is {alert.state}: nothing is left to do about it")


def _checked_note(text: str) -> str:
    said = text.strip()
    if len(said) > LONGEST_NOTE:
        raise InputError(f"the text has {len(said)} characters", place="note", remedy=f"write at most {LONGEST_NOTE}")
    return said


def _noted(alert: Alert, by: str, now: datetime) -> Alert:
    """Return the alert acknowledged: whoever does anything about it has taken note of it."""
    if alert.acknowledged_at is not None:
        return alert
    return replace(alert, acknowledged_by=by, acknowledged_at=_after(alert, now))


def _woken(alert: Alert) -> Alert:
    state = State.ASSIGNED if alert.assignee else State.ACKNOWLEDGED if alert.acknowledged_at else State.OPEN
    return replace(alert, state=state, snoozed_until=None)


def _measured(found: Detection) -> Mapping[str, JsonValue]:
    """Return what an alert shows of its newest evidence."""
    names = ("loss_per_day", "unit", "loss_czk_per_day", "evidence", "check", "covers")
    return {name: getattr(found, name) for name in names}


def _looked_at(alert: Alert, found: Detection) -> Alert:
    """Return the alert with its newest evidence, unless what was seen before is newer."""
    if found.at_to < alert.seen_to:
        return alert
    newest = replace(alert, severity=found.severity, seen_to=found.at_to, **_measured(found))
    return replace(newest, at_from=min(alert.at_from, found.at_from)) if alert.standing else newest


def _looked(alert: Alert, *, standing: bool) -> Alert:
    return replace(alert, standing=standing, revision=alert.revision + 1)


def _after(alert: Alert, now: datetime) -> datetime:
    """Return now, or the last step where the clock is behind it."""
    return max(now, alert.changed_at)


def _stepped(before: Alert, after: Alert, by: str, did: Did, now: datetime) -> Step:
    at = _after(before, now)
    after = replace(after, changed_at=at, revision=before.revision + 1)
    return Step(alert=after, entry=_entry(before, after, by, did, at), did=did)


def _entry(before: Alert | None, after: Alert, by: str, did: Did, at: datetime) -> AuditEntry:
    former = None if before is None else _shown(before)
    return AuditEntry(at=at, by=by, entity=ENTITY, key=after.id, why=did, before=former, after=_shown(after))


def _shown(alert: Alert) -> Mapping[str, JsonValue]:
    """Return what the history says of an alert, as JSON can."""
    said = {name: getattr(alert, name) for name in _TOLD}
    return {name: at.isoformat() if isinstance(at := value, datetime) else value for name, value in said.items()}
