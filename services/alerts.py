"""From detections to alerts, and from alerts to what people are told: one cause, one alert, each occasion once."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from alerts import lifecycle as life
from alerts import wording
from alerts.digest import digest_due, of_person, of_route, worst
from alerts.grouping import SOURCE_SILENT, Heard, LossLimits, Place, grouped, silent_sources, weighed
from alerts.lifecycle import Did, Step
from alerts.routing import Directory, Missed, Telling, message_key, messages, named_by, told_to
from core.alerts import Alert, AlertFilter, Cause, Change, Detection, State
from core.calendar import PRAGUE
from core.errors import Conflict, NotFound
from core.notes import JsonValue
from core.ports import RecordStore
from core.registry import Building, Point
from core.sending import ChannelKind, Item, Occasion, Outgoing, Recipient, Route
from services.alerts_pass import Changed, Pass, changed_by

T = TypeVar("T")
TRIES: Final = 5
DIGEST: Final = "alerts/digest"
OCCASIONS: Final[Mapping[Did, Occasion]] = {
    Did.OPENED: Occasion.OPENED,
    Did.REOPENED: Occasion.REOPENED,
    Did.RISEN: Occasion.RISEN,
    Did.WOKEN: Occasion.WOKEN,
    Did.ASSIGNED: Occasion.ASSIGNED,
    Did.CLOSED: Occasion.ENDED,
    Did.RESOLVED: Occasion.ENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator decides of alerts: limits of severity, address of the pages, the digest's weekday and hour.

    `channels` are the ways out that are set up.
    """

    limits: LossLimits = field(default_factory=LossLimits)
    address: str = ""
    zone: ZoneInfo = PRAGUE
    digest_weekday: int = 0
    digest_hour: int = 7
    channels: frozenset[ChannelKind] = frozenset(ChannelKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What detectors found, and what they looked at.

    `judged` are the pairs of rule and subject of which this evaluation knows: an alert of one that was not found has
    ended. A rule that lacked data to judge a subject does not name it. `heard` tells of each subject when its last
    reading came; `sources` what it is heard through, from the widest (the broker) to the narrowest.
    """

    detections: Sequence[Detection]
    judged: Collection[tuple[str, str]]
    heard: Sequence[Heard] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What an evaluation came to: steps by name, faults held back by works, messages, and where nobody is reached."""

    steps: Mapping[str, int]
    held: int = 0
    messages: int = 0
    gaps: tuple[Missed, ...] = ()


def places_of(points: Iterable[Point], sources: Mapping[str, tuple[str, ...]]) -> dict[str, Place]:
    """Return where each point stands: parents and virtual points that add it are above it, the nearest first."""
    known = {point.id: point for point in points}
    virtual: dict[str, list[str]] = {}
    for point in known.values():
        for term in point.terms:
            if term.sign > 0:
                virtual.setdefault(term.point, []).append(point.id)
    return {
        key: Place(building=point.building, above=_above(key, known, virtual), sources=sources.get(key, ()))
        for key, point in known.items()
    }


def _above(key: str, known: Mapping[str, Point], virtual: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = [key]
    while waiting:
        one = waiting.pop(0)
        parent = known[one].parent if one in known else ""
        for up in (*([parent] if parent else ()), *virtual.get(one, ())):
            if up not in found and up != key:
                found[up] = None
                waiting.append(up)
    return tuple(found)


class Alerts:
    """The acts on alerts over a record store. Time is an argument of each."""

    def __init__(self, records: RecordStore, policy: Policy) -> None:
        self._records = records
        self._policy = policy

    @property
    def policy(self) -> Policy:
        """What an operator decided."""
        return self._policy

    def report(self, evaluation: Evaluation, now: datetime) -> Reported:
        """Open, go on with, close and open again what an evaluation says, and put into the outbox who is to know.

        Reporting the same again changes nothing. Where a person acts at the same moment, it is looked at anew.
        """
        return _again(lambda: self._report(evaluation, now))

    def _report(self, evaluation: Evaluation, now: datetime) -> Reported:
        places = places_of(self._records.find(Point), evaluation.sources)
        silences = silent_sources(evaluation.heard, places, now)
        judged = {*evaluation.judged, *((SOURCE_SILENT, s) for p in places.values() for s in p.sources)}
        found = [weighed(d, self._policy.limits) for d in grouped(evaluation.detections, silences, places, now)]
        taking = Pass(
            standing={a.key: a for a in self._records.alerts(AlertFilter(standing_only=True))},
            places=places,
            windows=self._records.windows(),
            now=now,
            last=self._last,
            known=self._known,
        )
        for one in found:
            taking.take(one)
        taking.end_the_others({d.key for d in found}, judged)
        changed = list(taking.changed.values())
        outgoing, gaps = self._told(changed, now)
        self._save(changed, outgoing)
        steps = Counter(did.value for one in changed for did in one.did)
        return Reported(steps=dict(steps), held=taking.held, messages=len(outgoing), gaps=gaps)

    def _last(self, key: str) -> Alert | None:
        found = self._records.alerts(AlertFilter(key=key), limit=1)
        return found[0] if found else None

    def _known(self, key: str) -> bool:
        try:
            self._records.alert(key)
        except NotFound:
            return False
        return True

    def acknowledge(self, key: str, *, by: str, now: datetime) -> Alert:
        """Note that a person knows."""
        return self._act(key, lambda a: life.acknowledge(a, by, now), now)

    def assign(self, key: str, *, to: str, by: str, now: datetime) -> Alert:
        """Give it to somebody, who is told."""
        return self._act(key, lambda a: life.assign(a, to, by, now), now)

    def snooze(self, key: str, *, until: datetime, by: str, now: datetime) -> Alert:
        """Leave it alone until an instant."""
        return self._act(key, lambda a: life.snooze(a, until, by, now), now)

    def comment(self, key: str, *, text: str, by: str, now: datetime) -> Alert:
        """Say something of it."""
        return self._act(key, lambda a: life.comment(a, text, by, now), now)

    def resolve(self, key: str, *, cause: Cause, note: str, by: str, now: datetime) -> Alert:
        """End it with its cause."""
        return self._act(key, lambda a: life.resolve(a, cause, note, by, now), now)

    def _act(self, key: str, step: Callable[[Alert], Step], now: datetime) -> Alert:
        """Do a person's step; where the evidence moved on at the same moment, on the alert as it is then."""

        def once() -> Alert:
            before = self._records.alert(key)
            done = step(before)
            changed = changed_by(before, done)
            self._save(changed, self._told(changed, now)[0])
            return done.alert

        return _again(once)

    def tick(self, now: datetime) -> Reported:
        """Do what the clock asks: end rests that are over, and write the weekly digest, once."""
        resting = self._records.alerts(AlertFilter(states=frozenset({State.SNOOZED})))
        changed = [one for alert in resting for one in changed_by(alert, life.wake(alert, now))]
        outgoing, gaps = self._told(changed, now)
        self._save(changed, outgoing)
        digests = self._digests(now)
        return Reported(steps={Did.WOKEN: len(changed)}, messages=len(outgoing) + len(digests), gaps=gaps)

    def _digests(self, now: datetime) -> list[Outgoing]:
        policy = self._policy
        week, due = digest_due(now, policy.zone, weekday=policy.digest_weekday, hour=policy.digest_hour)
        if self._records.kept(DIGEST) >= week or now - due > timedelta(days=2):
            return []
        readers = _readers([r for r in self._records.routes() if r.digest], self._records.recipients())
        alerts = self._records.alerts(AlertFilter(standing_only=True)) if readers else []
        names = self._names() if readers else None
        written = []
        for reader in readers:
            told = [a for a in alerts if any(of_route(a, route) for route in reader.routes)]
            one = _digest(reader, of_person(told, reader.person), names=names, week=week, now=now) if names else None
            written += [] if one is None else [one]
        self._records.change_alerts(Change(outgoing=tuple(written)))
        self._records.keep(DIGEST, week)
        return written

    def _told(self, changed: Iterable[Changed], now: datetime) -> tuple[list[Outgoing], tuple[Missed, ...]]:
        """Return the messages of changes that people are told of, and where nobody is reached."""
        telling = [(one.alert, occasion) for one in changed if (occasion := occasion_of(one.did)) is not None]
        if not telling:
            return [], ()
        directory = Directory(people=self._records.recipients(), routes=self._records.routes(), zone=self._policy.zone)
        told = [(alert, occasion, told_to(alert, occasion, directory, now)) for alert, occasion in telling]
        tellings = [
            Telling(alert=alert, occasion=occasion, target=target)
            for alert, occasion, whom in told
            for target in whom.targets
        ]
        names = self._names() if tellings else None

        def compose(person: Recipient, items: Sequence[tuple[Alert, Occasion]]) -> Mapping[str, JsonValue]:
            assert names is not None  # noqa: S101 - only called for tellings
            return wording.written(person, items, names)

        return messages(tellings, compose, now), tuple(gap for _, _, whom in told for gap in whom.gaps)

    def _names(self) -> wording.Names:
        return wording.Names(
            buildings={b.id: b.name for b in self._records.find(Building)},
            subjects={p.id: p.name for p in self._records.find(Point)},
            address=self._policy.address,
            zone=self._policy.zone,
        )

    def _save(self, changed: Sequence[Changed], outgoing: Sequence[Outgoing]) -> None:
        if changed or outgoing:
            entries = tuple(entry for one in changed for entry in one.entries)
            alerts = tuple(one.stored() for one in changed)
            self._records.change_alerts(Change(alerts=alerts, entries=entries, outgoing=tuple(outgoing)))


def _again(act: Callable[[], T]) -> T:
    """Do an act, anew where somebody else changed the same alert meanwhile; raise Conflict when that does not end."""
    for _ in range(TRIES - 1):
        with suppress(Conflict):
            return act()
    return act()


def occasion_of(did: Sequence[Did]) -> Occasion | None:
    """Return what is told of steps done at once: the first that is told of at all (opened, before ended)."""
    return next((OCCASIONS[one] for one in did if one in OCCASIONS), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Somebody who gets the digest at an address, and all routes that name them there."""

    person: Recipient
    channel: ChannelKind
    address: str
    routes: tuple[Route, ...]


def _readers(routes: Sequence[Route], people: Sequence[Recipient]) -> list[_Reader]:
    """Return each reader once, however many routes lead to them: a digest of a week is one message."""
    found: dict[tuple[str, str, str], _Reader] = {}
    for route in routes:
        for person in named_by(route, people):
            place = (person.id, route.channel.value, person.address(route.channel))
            if place[2]:
                known = found.get(place)
                also = (route,) if known is None else (*known.routes, route)
                found[place] = _Reader(person=person, channel=route.channel, address=place[2], routes=also)
    return list(found.values())


def _digest(
    reader: _Reader, alerts: Sequence[Alert], *, names: wording.Names, week: str, now: datetime
) -> Outgoing | None:
    """Return somebody's digest of a week, None where there is nothing to say."""
    items, person = worst(alerts), reader.person
    if not items:
        return None
    subject = f"Týdenní přehled {week}" if person.language == "cs" else f"Weekly digest {week}"
    content = wording.written(
        person,
        [(a, Occasion.DIGEST) for a in items],
        names,
        subject=subject,
        intro=wording.digest_intro([a for a in alerts if a.active], len(items), person.language),
    )
    return Outgoing(
        key=message_key(reader.channel, reader.address, [f"digest/{week}/{person.id}"]),
        channel=reader.channel,
        recipient=person.id,
        address=reader.address,
        items=tuple(Item(alert=a.id, occasion=Occasion.DIGEST) for a in items),
        content=content,
        created=now,
        due=now,
    )
