"""Whom alerts are told to and how: people, routes, quiet hours, maintenance windows, and messages of the outbox."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Final, Protocol

from core.errors import InputError
from core.notes import JsonValue

_ID: Final = re.compile(r"[^\s,;\"'\\\x00-\x1f]{1,120}")
_WEB: Final = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_MAIL: Final = re.compile(r"[^@\s<>,;:\"\\()\[\]\x00-\x1f]+@[^@\s<>,;:\"\\()\[\]\x00-\x1f]+")
WEEKDAYS: Final = tuple(range(7))


class ChannelKind(StrEnum):
    """A way to reach somebody."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    MQTT = "mqtt"


class PersonRole(StrEnum):
    """What somebody is responsible for."""

    CARETAKER = "caretaker"
    ENERGY_MANAGER = "energy_manager"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"


class Occasion(StrEnum):
    """Why somebody is told."""

    OPENED = "opened"
    REOPENED = "reopened"
    RISEN = "risen"  # it became more urgent
    WOKEN = "woken"  # its rest is over and it still stands
    ASSIGNED = "assigned"
    ENDED = "ended"
    DIGEST = "digest"


class SendState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    CLAIMED = "claimed"  # a process has it and has not begun to send
    SENDING = "sending"  # past the point of no return: it may have gone out
    SENT = "sent"
    FAILED = "failed"  # given up; `error` says why
    UNCERTAIN = "uncertain"  # the process died while it went out: not repeated, a person is to look
    DROPPED = "dropped"  # needless before it went out; `error` says why
    JOINED = "joined"  # a part of another message to the same address; `error` says which


def _check_id(thing: str, code: str) -> None:
    if not _ID.fullmatch(code):
        raise InputError(
            f"{thing} id {code!r} cannot be used",
            place="id",
            remedy="use 1 to 120 characters without spaces, commas, semicolons, quotes or backslashes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours of the local clock in which somebody is left in peace; over midnight where `begin` is later than `end`.

    `days` are the weekdays (0 Monday) on which it begins. Alerts of `except_from` severity and more are told anyway.
    """

    begin: time
    end: time
    days: tuple[int, ...] = WEEKDAYS
    except_from: str = "high"

    def __post_init__(self) -> None:
        if self.begin == self.end:
            raise InputError("quiet hours begin when they end", place="quiet", remedy="write two different times")
        if not set(self.days) <= set(WEEKDAYS):
            raise InputError(
                f"quiet days {self.days} are no weekdays", place="quiet", remedy="write numbers 0 (Monday) to 6"
            )
        if self.except_from not in {"low", "medium", "high", ""}:
            raise InputError(
                f"severity {self.except_from!r} is not known",
                place="quiet",
                remedy="write low, medium, high or nothing",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody, or some program, who is told of alerts; `buildings` are theirs (empty: all).

    `person` is the name by which they log in, where it is not `id`: what is assigned to it is told to them.
    """

    id: str
    name: str
    role: PersonRole = PersonRole.CARETAKER
    mail: str = ""
    webhook: str = ""
    topic: str = ""
    buildings: tuple[str, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    language: str = "cs"
    off: bool = False
    person: str = ""

    def __post_init__(self) -> None:
        _check_id("recipient", self.id)
        if not self.name.strip():
            raise InputError(f"recipient {self.id} has no name", place="name", remedy="fill it in")
        self._check_addresses()
        if self.language not in {"cs", "en"}:
            raise InputError(
                f"language {self.language!r} of {self.id} is not known", place="language", remedy="write cs or en"
            )

    def _check_addresses(self) -> None:
        if self.mail and not _MAIL.fullmatch(self.mail):
            raise InputError(
                f"{self.mail!r} of {self.id} is no mail address", place="mail", remedy="write it as name@example.cz"
            )
        if self.webhook and not _WEB.fullmatch(self.webhook):
            raise InputError(
                f"webhook of {self.id} is no web address", place="webhook", remedy="begin it with https:// or http://"
            )
        if set(self.topic) & {"+", "#", "\x00"}:
            raise InputError(
                f"topic {self.topic!r} of {self.id} cannot be published to", place="topic", remedy="leave out + and #"
            )

    def called(self, name: str) -> bool:
        """Return whether this is who a name means: the recipient's id, or the name by which they log in."""
        return bool(name) and name in {self.id, self.person}

    def address(self, channel: ChannelKind) -> str:
        """Return where a channel reaches them, empty where it does not."""
        return {ChannelKind.MAIL: self.mail, ChannelKind.WEBHOOK: self.webhook, ChannelKind.MQTT: self.topic}[channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A rule that sends alerts to people: those of a role, or one person; empty fields match everything.

    `least` is the least severity. `delay_min` is how long an alert must stand before it is told [min].
    `digest` sends no single alerts but the weekly digest; `ends` tells the end too.
    """

    id: str
    channel: ChannelKind = ChannelKind.MAIL
    role: str = ""
    person: str = ""
    buildings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    least: str = "low"
    delay_min: float = 0.0
    digest: bool = False
    ends: bool = False

    def __post_init__(self) -> None:
        _check_id("route", self.id)
        if bool(self.role) == bool(self.person):
            raise InputError(
                f"route {self.id} names a role and a person, or neither", place="person", remedy="name one of them"
            )
        if self.role and self.role not in set(PersonRole):
            raise InputError(
                f"role {self.role!r} is not known", place="role", remedy=f"write one of {', '.join(PersonRole)}"
            )
        if self.least not in {"low", "medium", "high"}:
            raise InputError(f"severity {self.least!r} is not known", place="least", remedy="write low, medium or high")
        if not 0 <= self.delay_min <= 7 * 1440:
            raise InputError(
                f"delay {self.delay_min} of {self.id} cannot be", place="delay_min", remedy="write 0 to 10080 minutes"
            )


class WindowScope(StrEnum):
    """What a maintenance window or a planned outage concerns."""

    ALL = "all"
    BUILDING = "building"
    POINT = "point"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A planned outage or maintenance: faults of `rules` (none: of all) that begin in [start, end) are expected."""

    id: str
    scope: WindowScope
    start: datetime
    end: datetime
    reason: str
    key: str = ""
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_id("window", self.id)
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InputError(
                f"window {self.id} has instants without offset", place="start", remedy="write 2026-01-31T12:00:00+01:00"
            )
        if self.end <= self.start:
            raise InputError(f"window {self.id} ends before it begins", place="end", remedy="check both instants")
        if (self.scope is WindowScope.ALL) == bool(self.key):
            raise InputError(
                f"window {self.id} must name what it concerns", place="key", remedy="fill in key, or scope all"
            )
        if not self.reason.strip():
            raise InputError(f"window {self.id} has no reason", place="reason", remedy="say what is done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An alert in a message and the occasion that is told."""

    alert: str
    occasion: Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to one address, as decided; `key` is the same however often it is decided and sent.

    `content` is what channels write: subject, text, html, and `payload` for programs. `attempts` are those begun.
    """

    key: str
    channel: ChannelKind
    recipient: str
    address: str
    items: tuple[Item, ...]
    content: Mapping[str, JsonValue]
    created: datetime
    due: datetime
    state: SendState = SendState.WAITING
    attempts: int = 0
    error: str = ""
    changed: datetime | None = None
    claimed_by: str = ""
    claimed_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file in a message, such as the chart of the evidence.

    `place` is where the message shows it (empty: nowhere, it only comes with it), `text` what it shows, in words.
    """

    name: str
    kind: str
    content: bytes = field(repr=False)
    place: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The files of a message, and what could not be made (empty: nothing)."""

    files: tuple[Attachment, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a channel says of a message: `error` empty where it went out; `recoverable`: trying later may help.

    `uncertain`: it broke off when the message may have gone out already.
    """

    recoverable: bool = False
    error: str = ""
    uncertain: bool = False


class Channel(Protocol):
    """A way out. `repeatable`: who gets a message twice can tell by its key, so one of unknown fate is sent again."""

    @property
    def repeatable(self) -> bool:
        """Whether a message may be sent again when nobody knows whether it went out."""
        ...

    def send(self, message: Outgoing, attachments: Sequence[Attachment], begin: Callable[[], None]) -> Sent:
        """Send a message to its address and tell what became of it; never raise for the other side's faults.

        `begin` is called right before the step after which the message may have gone out. It may raise, and then
        nothing goes out.
        """
        ...
