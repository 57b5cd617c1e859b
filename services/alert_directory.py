"""Whom alerts are told to, as people enter it: recipients, routes, announced works; each change audited.

What is entered is held against the register, so that no route waits for a building that is not there.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from alerts import lifecycle as life
from alerts import wording
from alerts.coverage import Unheard, unheard
from alerts.routing import Directory, Told, message_key, told_to
from core.alerts import Alert, Change, Detection, Severity, Subject
from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.ports import RecordStore
from core.registry import Building, Point
from core.sending import ChannelKind, Occasion, Outgoing, Recipient, Route, SendState, Window, WindowScope
from services.alerts import Policy
from services.register import By

K = TypeVar("K", Recipient, Route, Window)
RECIPIENT: Final = "alert_recipient"
ROUTE: Final = "alert_route"
WINDOW: Final = "alert_window"
MESSAGE: Final = "alert_message"
"""How the audit trail names them."""
KINDS: Final = {RECIPIENT: "recipient", ROUTE: "route", WINDOW: "window"}
"""How the store names them."""
STUCK: Final = frozenset({SendState.FAILED, SendState.UNCERTAIN})
"""States of messages that a person is to look at."""
LOOKED_BACK: Final = timedelta(days=30)
MOST_STUCK: Final = 200


class AlertDirectory:
    """The acts on recipients, routes and windows over a record store."""

    def __init__(self, records: RecordStore, policy: Policy) -> None:
        self._records = records
        self.policy = policy

    # What is entered

    def recipient(self, key: str) -> Recipient:
        """Return a recipient; raise NotFound."""
        return _found(self._records.recipients(), key, "recipient")

    def keep_recipient(self, person: Recipient, act: By) -> Recipient:
        """Store a recipient in the place of the one with its id; raise InputError where it cannot be."""
        _raise_first(self._troubles_of_buildings(person.buildings))
        before = _one(self._records.recipients(), person.id)
        self._keep(RECIPIENT, before, person, act, self._records.keep_recipients)
        return person

    def keep_route(self, route: Route, act: By) -> Route:
        """Store a route in the place of the one with its id; raise InputError where it cannot be."""
        _raise_first([*self._troubles_of_buildings(route.buildings), *_troubles_of_rules(route.rules)])
        if route.person and _one(self._records.recipients(), route.person) is None:
            raise InputError(
                f"{route.person!r} is no recipient", place="person", remedy="add them first, or name a role"
            )
        self._keep(ROUTE, _one(self._records.routes(), route.id), route, act, self._records.keep_routes)
        return route

    def keep_window(self, window: Window, act: By) -> Window:
        """Store announced works in the place of those with their id; raise InputError where they cannot be."""
        if window.scope is WindowScope.BUILDING:
            known = {building.id for building in self._records.find(Building)}
        else:
            known = {point.id for point in self._records.find(Point)}
        if window.scope in {WindowScope.BUILDING, WindowScope.POINT} and window.key not in known:
            raise InputError(
                f"{window.scope} {window.key!r} is not in the register", place="key", remedy="choose one that is"
            )
        _raise_first(_troubles_of_rules(window.rules))
        self._keep(WINDOW, _one(self._records.windows(), window.id), window, act, self._records.keep_windows)
        return window

    def drop(self, entity: str, key: str, act: By) -> None:
        """Remove a recipient, route or window; raise NotFound, or Conflict where routes name the recipient."""
        named = [route.id for route in self._records.routes() if entity == RECIPIENT and route.person == key]
        if named:
            raise Conflict(f"routes {', '.join(named)} name {key}: change or remove them first")
        known: dict[str, Callable[[], Sequence[Recipient | Route | Window]]] = {
            RECIPIENT: self._records.recipients,
            ROUTE: self._records.routes,
            WINDOW: self._records.windows,
        }
        before = next((one for one in known[entity]() if one.id == key), None)
        if before is None:
            raise NotFound(f"{KINDS[entity]} {key} is not known")
        entry = AuditEntry(
            at=act.now, by=act.by, entity=entity, key=key, why=act.why, before=msgspec.to_builtins(before), after=None
        )
        self._records.drop_notification(KINDS[entity], [key], [entry])

    def _keep(
        self,
        entity: str,
        before: K | None,
        after: K,
        act: By,
        keep: Callable[[Sequence[K], Sequence[AuditEntry]], None],
    ) -> None:
        if before == after:
            return
        former = None if before is None else msgspec.to_builtins(before)
        entry = AuditEntry(
            at=act.now,
            by=act.by,
            entity=entity,
            key=after.id,
            why=act.why,
            before=former,
            after=msgspec.to_builtins(after),
        )
        keep([after], [entry])

    def _troubles_of_buildings(self, buildings: Iterable[str]) -> list[InputError]:
        known = {building.id for building in self._records.find(Building)}
        strange = [key for key in buildings if key not in known]
        if not strange:
            return []
        told = f"{', '.join(strange)}: no such building is in the register"
        return [InputError(told, place="buildings", remedy="choose buildings of the register, or none for all")]

    # Who is told

    def who(self, alert: Alert, now: datetime) -> Told:
        """Return who would be told if this alert were opened now, and where nobody is reached."""
        people, routes = self._records.recipients(), self._records.routes()
        return told_to(alert, Occasion.OPENED, Directory(people=people, routes=routes, zone=self.policy.zone), now)

    def who_of(self, building: str, rule: str, severity: Severity, now: datetime) -> Told:
        """Return who would be told of such an alert opened now."""
        _raise_first([*self._troubles_of_buildings(filter(None, [building])), *_troubles_of_rules([rule])])
        kind = Subject.POINT if building else Subject.SOURCE
        found = Detection(subject="?", rule=rule, kind=kind, at_from=now, at_to=now, found_at=now, severity=severity)
        return self.who(life.opened(found, building, now).alert, now)

    def gaps(self) -> list[Unheard]:
        """Return where nobody would be told."""
        buildings = [building.id for building in self._records.find(Building)]
        people, routes = self._records.recipients(), self._records.routes()
        return unheard(buildings, wording.TITLES, people, routes, self.policy.channels)

    # Messages

    def send_test(self, key: str, channel: ChannelKind, act: By) -> Outgoing:
        """Put a test message to somebody into the outbox; twice in a minute is one."""
        person = self.recipient(key)
        address = person.address(channel)
        if not address:
            raise InputError(f"{key} has no address for {channel}", place=channel, remedy="fill it in first")
        message = Outgoing(
            key=message_key(channel, address, [f"test/{act.now:%Y-%m-%dT%H:%M}"]),
            channel=channel,
            recipient=person.id,
            address=address,
            items=(),
            content=wording.test_message(person, self.policy.address),
            created=act.now,
            due=act.now,
        )
        self._records.change_alerts(Change(entries=(_sent_by_hand(message, act, "test"),), outgoing=(message,)))
        return message

    def send_again(self, key: str, act: By) -> Outgoing:
        """Put a message that was given up, or of which nobody knows, into the outbox anew; raise NotFound, Conflict."""
        message = next((m for m in self._records.outgoing(keys=(key,))), None)
        if message is None:
            raise NotFound(f"message {key} is not known")
        if message.state not in STUCK:
            raise Conflict(f"message {key} is {message.state}: it is not to be sent again")
        again = Outgoing(
            key=message_key(message.channel, message.address, [f"again/{key}"]),
            channel=message.channel,
            recipient=message.recipient,
            address=message.address,
            items=message.items,
            content=message.content,
            created=act.now,
            due=act.now,
        )
        self._records.change_alerts(Change(entries=(_sent_by_hand(again, act, "again"),), outgoing=(again,)))
        return again

    def messages(
        self, *, states: frozenset[str] = frozenset(), recipient: str = "", limit: int = 100
    ) -> list[Outgoing]:
        """Return messages, the newest first."""
        return self._records.outgoing(states=states, recipient=recipient, limit=limit)

    def stuck(self, now: datetime) -> list[Outgoing]:
        """Return the messages of the last weeks that a person is to look at: given up, or of unknown fate."""
        found = self._records.outgoing(states=frozenset(STUCK), limit=MOST_STUCK)
        return [m for m in found if m.created > now - LOOKED_BACK]

    def history(self, limit: int) -> list[AuditEntry]:
        """Return the last changes of recipients, routes and windows, the newest first."""
        found = [e for entity in KINDS for e in self._records.audit(entity=entity, limit=limit)]
        return sorted(found, key=lambda e: e.at, reverse=True)[:limit]


def _sent_by_hand(message: Outgoing, act: By, why: str) -> AuditEntry:
    told = {"channel": message.channel.value, "recipient": message.recipient}
    return AuditEntry(at=act.now, by=act.by, entity=MESSAGE, key=message.key, why=why, before=None, after=told)


def _troubles_of_rules(rules: Iterable[str]) -> list[InputError]:
    strange = [rule for rule in rules if rule not in wording.TITLES]
    if not strange:
        return []
    return [InputError(f"{', '.join(strange)} is no rule", place="rules", remedy=f"of {', '.join(wording.TITLES)}")]


def _raise_first(troubles: Sequence[InputError]) -> None:
    if troubles:
        raise troubles[0]


def _one(some: Iterable[K], key: str) -> K | None:
    return next((one for one in some if one.id == key), None)


def _found(some: Iterable[K], key: str, name: str) -> K:
    one = _one(some, key)
    if one is None:
        raise NotFound(f"{name} {key} is not known")
    return one
