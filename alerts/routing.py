"""Who is told of an alert, by which channel and when; and messages of it, each with a key of its own.

Pure. A route without anybody to reach is told as a gap, so that no alert is heard by nobody unnoticed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.digest import concerns, of_route
from alerts.grouping import quiet_until
from core.alerts import Alert, Severity
from core.notes import JsonValue
from core.sending import ChannelKind, Item, Occasion, Outgoing, Recipient, Route


class Gap(StrEnum):
    """Why a route, or an alert, reaches nobody."""

    NO_ROUTE = "no_route"  # no route takes this building, rule and severity
    NOBODY = "nobody"  # the route's person or role has nobody for this building
    NO_ADDRESS = "no_address"  # somebody is there, without an address for the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somebody to be told at an address, not before `due`."""

    recipient: Recipient
    channel: ChannelKind
    address: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A gap: which route (empty: none at all) and which recipient, where there is one."""

    gap: Gap
    route: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom an alert is told to, each address once, and where nobody is reached."""

    targets: tuple[Target, ...]
    gaps: tuple[Missed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everybody, the routes to them, and the zone of their clocks."""

    people: Sequence[Recipient]
    routes: Sequence[Route]
    zone: ZoneInfo


def told_to(alert: Alert, occasion: Occasion, directory: Directory, now: datetime) -> Told:
    """Return who is told of an occasion: of an assignment the assignee, else those whom the routes name."""
    if occasion is Occasion.ASSIGNED:
        return _assignee(alert, directory, now)
    targets: list[Target] = []
    gaps: list[Missed] = []
    taking = [r for r in directory.routes if _takes(r, alert, occasion)]
    for route in taking:
        reached, missed = _along(route, alert, directory, now)
        targets += reached
        gaps += missed
    if not taking and occasion is not Occasion.ENDED:
        gaps.append(Missed(gap=Gap.NO_ROUTE))
    return Told(targets=_once(targets), gaps=tuple(gaps))


def _takes(route: Route, alert: Alert, occasion: Occasion) -> bool:
    return not route.digest and (route.ends or occasion is not Occasion.ENDED) and of_route(alert, route)


def named_by(route: Route, people: Iterable[Recipient]) -> list[Recipient]:
    """Return those a route names who are not away."""
    return [p for p in people if not p.off and (p.id == route.person if route.person else p.role == route.role)]


def _along(route: Route, alert: Alert, directory: Directory, now: datetime) -> tuple[list[Target], list[Missed]]:
    people = [p for p in named_by(route, directory.people) if concerns(p, alert.building)]
    if not people:
        return [], [Missed(gap=Gap.NOBODY, route=route.id)]
    begin = max(now, alert.opened_at + timedelta(minutes=route.delay_min))
    targets = [_target(p, route.channel, alert.severity, begin, directory.zone) for p in people]
    missed = [Missed(gap=Gap.NO_ADDRESS, route=route.id, recipient=t.recipient.id) for t in targets if not t.address]
    return [t for t in targets if t.address], missed


def _target(person: Recipient, channel: ChannelKind, severity: Severity, begin: datetime, zone: ZoneInfo) -> Target:
    due = quiet_until(person.quiet, severity, begin, zone) or begin
    return Target(recipient=person, channel=channel, address=person.address(channel), due=due)


def _assignee(alert: Alert, directory: Directory, now: datetime) -> Told:
    """Return the assignee by the first channel that reaches them; a name that is no recipient's reaches nobody."""
    for person in directory.people:
        if person.called(alert.assignee) and not person.off:
            reached = [
                _target(person, c, alert.severity, now, directory.zone) for c in ChannelKind if person.address(c)
            ]
            gaps = () if reached else (Missed(gap=Gap.NO_ADDRESS, recipient=person.id),)
            return Told(targets=tuple(reached[:1]), gaps=gaps)
    return Told(targets=(), gaps=(Missed(gap=Gap.NOBODY, recipient=alert.assignee),))


def _once(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Return each address once, at the earliest instant that any route gives it."""
    earliest: dict[tuple[str, str], Target] = {}
    for target in targets:
        place = (target.channel, target.address.casefold() if target.channel is ChannelKind.MAIL else target.address)
        if place not in earliest or target.due < earliest[place].due:
            earliest[place] = target
    return tuple(earliest.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """An occasion of an alert and somebody who is told of it."""

    alert: Alert
    occasion: Occasion
    target: Target


Compose = Callable[[Recipient, Sequence[tuple[Alert, Occasion]]], Mapping[str, JsonValue]]
"""Writes the content of a message to somebody: subject, text, html, payload."""


def messages(tellings: Iterable[Telling], compose: Compose, now: datetime) -> list[Outgoing]:
    """Return the messages of what is told at once: one mail an address and instant, one a fault for programs."""
    bundles: dict[tuple[str, ...], list[Telling]] = defaultdict(list)
    for one in tellings:
        target = one.target
        alone = "" if target.channel is ChannelKind.MAIL else one.alert.id
        bundles[target.channel, target.address, target.due.isoformat(), alone].append(one)
    return [_message(bundle, compose, now) for bundle in bundles.values()]


def _message(bundle: Sequence[Telling], compose: Compose, now: datetime) -> Outgoing:
    target = bundle[0].target
    ordered = sorted(bundle, key=lambda t: (-t.alert.severity.rank, -(t.alert.loss_czk_per_day or 0.0), t.alert.id))
    told = [(t.alert, t.occasion) for t in ordered]
    return Outgoing(
        key=message_key(target.channel, target.address, [f"{a.id}/{o}/{a.told}/{a.assignee}" for a, o in told]),
        channel=target.channel,
        recipient=target.recipient.id,
        address=target.address,
        items=tuple(Item(alert=alert.id, occasion=occasion) for alert, occasion in told),
        content=compose(target.recipient, told),
        created=now,
        due=target.due,
    )


def message_key(channel: ChannelKind, address: str, parts: Iterable[str]) -> str:
    """Return what makes a message the same: where it goes and which occasions it tells."""
    return hashlib.sha256("\n".join([channel, address, *sorted(parts)]).encode()).hexdigest()[:40]
