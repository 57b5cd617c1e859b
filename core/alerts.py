"""Alerts: what a detector tells of a fault, what became of it, whom it is told to, and the store that keeps all this.

Losses are per day in the canonical `unit` (kWh, m³) and in Kč. Instants are aware; spans are half-open.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from core.errors import InputError
from core.notes import AuditEntry, JsonValue
from core.sending import Outgoing, Recipient, Route, Window

ENTITY: Final = "alert"
"""How the audit trail names an alert: its history are the entries of this entity and its id."""


class Severity(StrEnum):
    """How urgent an alert is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the least urgent."""
        return list(Severity).index(self)


class Subject(StrEnum):
    """What a fault is a fault of."""

    POINT = "point"
    METER = "meter"
    SOURCE = "source"  # a broker, a gateway: what several meters are heard through


class State(StrEnum):
    """Where an alert stands in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"  # by a person, with a cause
    CLOSED = "closed"  # by itself: the evidence ended, or it became a part of another


ACTIVE: Final = frozenset({State.OPEN, State.ACKNOWLEDGED, State.ASSIGNED, State.SNOOZED})
"""States of an alert that somebody still has to do something about."""


class Cause(StrEnum):
    """What a fault turned out to be."""

    REPAIRED = "repaired"  # a leak, a valve, a device was mended
    METER = "meter_replaced"
    COMMUNICATION = "communication"  # power, radio, network, gateway
    REGULATION = "regulation"  # a time programme or set point was put right
    OPERATION = "operation"  # people: lights, taps, windows
    PLANNED = "planned"  # works, a test, filling a pool
    ACCEPTED = "accepted"  # it is so and stays so
    FALSE_ALARM = "false_alarm"
    OTHER = "other_cause"  # the note says which


LEAVES_IN_PEACE: Final = frozenset({Cause.PLANNED, Cause.ACCEPTED, Cause.FALSE_ALARM})
"""Causes after which the same evidence, going on, opens nothing again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a detector says of a subject as of `found_at`: evidence of `rule` from `at_from` up to `at_to`.

    `going_on` while the evidence has not ended. `subject` is the id of a point, a meter or a source. `loss_per_day` in
    `unit`, None where none is known. `evidence` holds numbers and series as JSON can say; `check` is the key of the
    text that says what to look at. `severity` is the least it has whatever it costs. `covers` are the subjects that
    share this cause.
    """

    subject: str
    rule: str
    at_from: datetime
    at_to: datetime
    found_at: datetime
    kind: Subject = Subject.POINT
    going_on: bool = True
    loss_per_day: float | None = None
    unit: str = ""
    loss_czk_per_day: float | None = None
    severity: Severity = Severity.LOW
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    check: str = ""
    covers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.subject and self.rule):
            raise InputError("a detection names no subject or no rule", remedy="name both")
        for name in ("at_from", "at_to", "found_at"):
            at = getattr(self, name)
            if at.tzinfo is None:
                raise InputError(f"{name} {at.isoformat()} of {self.key} has no offset", remedy="give it in UTC")
        if self.at_to < self.at_from:
            raise InputError(f"{self.key} ends before it begins", remedy="check at_from and at_to")

    @property
    def key(self) -> str:
        """What makes it the same fault as another: rule and subject."""
        return f"{self.rule}|{self.kind}|{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A fault that people are told of, once, from its opening to its cause.

    `standing` is whether the evidence goes on, whatever people decided. `seen_to` is how far the evidence reaches.
    `revision` grows with every step and every look; the store takes a change only of the revision that it knows.
    `told` counts the occasions that people are told of (opened, reopened, risen), so that each is told once.
    """

    id: str
    key: str
    rule: str
    kind: Subject
    subject: str
    building: str
    state: State
    severity: Severity
    opened_at: datetime
    changed_at: datetime
    at_from: datetime
    seen_to: datetime
    standing: bool = True
    loss_per_day: float | None = None
    unit: str = ""
    loss_czk_per_day: float | None = None
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    check: str = ""
    covers: tuple[str, ...] = ()
    assignee: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    cause: str = ""
    note: str = ""
    resolved_by: str = ""
    ended_at: datetime | None = None
    part_of: str = ""
    reopened: int = 0
    told: int = 0
    revision: int = 0

    @property
    def active(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in ACTIVE


def alert_id(key: str, at_from: datetime) -> str:
    """Return the id of the alert of a fault that began at an instant: the same whenever and wherever it is found."""
    return hashlib.sha256(f"{key}|{at_from.timestamp():.6f}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are asked for; an empty field asks for all. `standing_only`: those whose evidence goes on.

    `urgent_first` orders by severity, then loss [Kč], then the last opened; else the last opened come first.
    `bare`: without their evidence, which lists do not show and whose series are long.
    """

    states: frozenset[State] = frozenset()
    least: Severity = Severity.LOW
    buildings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    subject: str = ""
    assignee: str = ""
    key: str = ""
    standing_only: bool = False
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    urgent_first: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that is stored whole or not at all: alerts, their history, and what people are to be told."""

    alerts: tuple[Alert, ...] = ()
    entries: tuple[AuditEntry, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()


class AlertStore(Protocol):
    """Keeps alerts, whom they go to, and the outbox. Changing an alert is audited in the same transaction."""

    def change_alerts(self, change: Change) -> None:
        """Store a change durably, or nothing.

        An alert is new at revision 1 and stored else only in the place of the revision before; raise Conflict where
        somebody was faster. A message whose key is there already, in whatever state, is not added again.
        """
        ...

    def alert(self, key: str) -> Alert:
        """Return the alert of an id; raise NotFound."""
        ...

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return alerts in the order asked for (equal ones by id), from behind the one with the id `after`."""
        ...

    def claim_outgoing(self, *, by: str, now: datetime, until: datetime, limit: int) -> list[Outgoing]:
        """Take messages that are due for oneself until an instant, oldest first; nobody else is given them meanwhile.

        One whose taker did not come back in time is given again, with its state as it was left: CLAIMED, or
        SENDING where nobody knows whether it went out.
        """
        ...

    def begin_sending(self, key: str, *, by: str, now: datetime) -> None:
        """Note durably that a message taken goes out now; raise Conflict where it was taken from us."""
        ...

    def settle_outgoing(self, message: Outgoing, *, by: str) -> None:
        """Store what became of a message that `by` took; raise Conflict where it was taken from us."""
        ...

    def sent_since(self, channel: str, address: str, since: datetime) -> list[datetime]:
        """Return when messages went out, or may have gone out, to an address after an instant."""
        ...

    def waiting_for(self, channel: str, address: str, *, after: datetime, until: datetime) -> str:
        """Return the key of the first message to an address that waits and is due in (after, until], else nothing."""
        ...

    def join_outgoing(
        self, message: Outgoing, into: str, *, by: str, joined: Callable[[Outgoing, Outgoing], Outgoing]
    ) -> None:
        """Store a message that `by` took as told by another, and that one as `joined(it, message)`, both or neither.

        Raise Conflict where the other does not wait any more, or the message was taken from us.
        """
        ...

    def outgoing(
        self,
        *,
        states: frozenset[str] = frozenset(),
        alert: str = "",
        recipient: str = "",
        keys: Sequence[str] = (),
        limit: int = 100,
    ) -> list[Outgoing]:
        """Return messages in these states, of this alert, to this recipient, with these keys, the newest first.

        What is not given asks for all.
        """
        ...

    def keep_recipients(self, people: Sequence[Recipient], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        ...

    def recipients(self) -> list[Recipient]:
        """Return all, ordered by id."""
        ...

    def keep_routes(self, routes: Sequence[Route], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        ...

    def routes(self) -> list[Route]:
        """Return all, ordered by id."""
        ...

    def keep_windows(self, windows: Sequence[Window], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        ...

    def windows(self) -> list[Window]:
        """Return all, ordered by id."""
        ...

    def drop_notification(self, kind: str, keys: Sequence[str], entries: Sequence[AuditEntry]) -> None:
        """Remove recipients, routes or windows of these ids; unknown ones are passed over."""
        ...
