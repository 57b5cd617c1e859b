"""What is kept beside readings and the register: findings, dead letters, the inbox, the audit trail, long work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

JsonValue = Any
"""What JSON can say."""


class Rule(StrEnum):
    """What was found on a dial, by the rule of the cumulative curve that found it."""

    REVISION = "revision"  # 1: two values at one instant, the later received was taken
    SWAP = "swap"  # 2: a recorded exchange joined two dials
    ROLLOVER = "rollover"  # 3: the dial went over its last digit
    GLITCH = "glitch"  # 4: readings off the line, left out
    BREAK = "break"  # 5: a fall or an impossible rise that stays; the operator is asked
    GAP = "gap"  # 6: longer than allowed; the total is measured, the distribution estimated
    STUCK = "stuck"  # 6: the dial repeated an old value, then caught up; the repeats are left out
    NO_LATER = "no_later_reading"  # 6: nothing after it: missing
    OVERLAP = "overlap"  # 7: two interval readings cover the same time
    NEGATIVE = "negative"  # 7: an amount below zero, left out
    RESET = "reset"  # 2, as answered by an operator
    OUT_OF_BOUNDS = "out_of_bounds"  # an instant or value that cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault found on a series, with its span and, where the operator is asked, a proposal.

    `at_from` and `at_to` are UTC instants; `evidence` holds the numbers it rests on (canonical units);
    `proposal` the event that would explain it: {"kind", "at", "final", "first"}.
    """

    meter: str
    register: str
    rule: Rule
    at_from: datetime
    at_to: datetime
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    proposal: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFinding:
    """A finding on the curve of a point; `open` while the operator is asked and has not answered."""

    point: str
    finding: Finding
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that could not be read, or a reading in it that could not be accepted; kept to be replayed.

    `reason` is a short code that is counted (no_profile, malformed, unit_unknown, out_of_bounds, ...), `detail` says
    where in the payload and what to do. `id` 0 until stored. `replayed` is when it was read after all.
    """

    topic: str
    payload: bytes
    reason: str
    detail: str
    received: datetime
    retained: bool = False
    id: int = 0
    replayed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A meter that sends readings and stands on no point yet."""

    device: str
    register: str
    unit: str
    first_seen: datetime
    last_seen: datetime
    count: int
    last_value: float
    topic: str
    sample: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a device or its gateway published of itself (Home Assistant discovery, a Homie attribute, bridge/devices).

    It is kept as it came, so that a restart knows it before the first reading; `profile` reads it. An empty payload
    takes it back.
    """

    profile: str
    topic: str
    payload: bytes
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a description says of one series: a meter that a person may confirm.

    `unit` is as stated, empty where it is stated nowhere; `commodity` empty where nothing tells it. `flags` are the
    short codes of what speaks against it; `read` is whether its readings are taken at all. `entity` names it within
    `description`, the topic of the description; `topic` is where its values come.
    """

    device: str
    register: str
    commodity: str
    unit: str
    kind: str
    name: str
    manufacturer: str
    model: str
    profile: str
    description: str
    entity: str
    topic: str
    flags: tuple[str, ...] = ()
    read: bool = True
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who changed what, when, why, from which former to which new state (None: was not, is not any more).

    `entity` is organisation, building, point, meter, dial_event, station, measure or adjustment.
    """

    at: datetime
    by: str
    entity: str
    key: str
    why: str
    before: Mapping[str, JsonValue] | None
    after: Mapping[str, JsonValue] | None
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Long work: import, replay, backfill; resumed from `cursor` where it was interrupted."""

    id: str
    kind: str
    state: str  # running, done, failed, interrupted
    done: int
    total: int
    started: datetime
    changed: datetime
    cursor: str = ""
    detail: str = ""
