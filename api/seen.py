"""The record store as one caller has it: reading cut to what they see, writing to what their rights reach.

Every method that a caller with a scope may use is named here; any other is refused, so that a method added to the
store is closed until somebody thought of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from api.access import MAY_NOT
from api.problems import Refused
from api.scope import reached, reaches_building
from api.snapshot import Snapshot
from core.alerts import ENTITY as ALERT
from core.alerts import Alert, AlertFilter, Change
from core.errors import Conflict, NotFound
from core.notes import AuditEntry, DeadLetter, InboxItem, Job, PointFinding, Proposal
from core.papers import Kept, Paper
from core.people import Access, Right
from core.ports import RecordStore
from core.registry import Adjustment, Building, DialEvent, Entity, Measure, Meter, Organisation, Point
from core.sending import Outgoing
from services import register_rules as rules

E = TypeVar("E", bound=Entity)

SCOPED: Final[Mapping[type, str]] = {
    Organisation: "organisations",
    Building: "buildings",
    Point: "points",
    Meter: "meters",
    DialEvent: "events",
    Measure: "measures",
    Adjustment: "adjustments",
}
"""Kinds of the register that stand in a scope, by the name of their part of a snapshot; others are everybody's."""

COMMON: Final = frozenset({"ready", "version", "kept", "keep"})
"""Methods that tell nothing of anybody's buildings; small texts are cursors, mappings and models by their keys."""


class _Closed:
    """What is not named is refused to callers."""

    def __init__(self, records: RecordStore, access: Access) -> None:
        self._records = records
        self._access = access

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whichever method
        if name in COMMON:
            return getattr(self._records, name)
        raise Refused(403, MAY_NOT)


class SeenRecords(_Closed):
    """Reads what somebody sees, and writes nothing of the register."""

    def __init__(self, records: RecordStore, access: Access, now: Callable[[], Snapshot]) -> None:
        super().__init__(records, access)
        self._now = now

    @property
    def _operator(self) -> bool:
        """Whether somebody works on what belongs to no building yet: unassigned meters, messages not read."""
        return self._access.everywhere(Right.REGISTER)

    def get(self, kind: type[E], key: str) -> E:
        """Return one of the register that is seen; raise NotFound."""
        if kind not in SCOPED or self._now().whole:
            return self._records.get(kind, key)
        held: dict[str, E] = getattr(self._now(), SCOPED[kind])
        if key not in held:
            raise NotFound(f"{rules.NAMES[kind]} {key} is not known")
        return held[key]

    def find(
        self, kind: type[E], *, where: Mapping[str, str] | None = None, after: str = "", limit: int | None = None
    ) -> list[E]:
        """Return those that are seen."""
        if kind not in SCOPED or self._now().whole:
            return self._records.find(kind, where=where, after=after, limit=limit)
        held: dict[str, E] = getattr(self._now(), SCOPED[kind])
        wanted = dict(where or {}).items()
        fits = [e for key, e in sorted(held.items()) if key > after and all(getattr(e, n) == v for n, v in wanted)]
        return fits[:limit]

    def count(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> int:
        """Return how many are seen."""
        return len(self.find(kind, where=where))

    def audit(
        self,
        *,
        entity: str | None = None,
        key: str | None = None,
        **asked: Any,  # noqa: ANN401 - as the store takes them
    ) -> list[AuditEntry]:
        """Return changes to whoever administers, the history of an alert to whoever sees it, else none."""
        if self._access.everywhere(Right.ADMINISTER) or (entity == ALERT and key and self._sees(key)):
            return self._records.audit(entity=entity, key=key, **asked)
        return []

    def findings(
        self,
        *,
        points: Sequence[str] | None = None,
        rule: str | None = None,
        open_only: bool = False,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> list[PointFinding]:
        """Return findings on points that are seen."""
        now = self._now()
        asked = points
        if not now.whole:
            asked = list(now.points) if points is None else [key for key in points if key in now.points]
            if not asked:
                return []
        return self._records.findings(points=asked, rule=rule, open_only=open_only, start=start, end=end, limit=limit)

    # Alerts

    def _sees(self, key: str) -> bool:
        try:
            self.alert(key)
        except NotFound:
            return False
        return True

    def alert(self, key: str) -> Alert:
        """Return an alert of a building that is seen; raise NotFound."""
        found = self._records.alert(key)
        now = self._now()
        if not now.whole and found.building not in now.buildings:
            raise NotFound(f"alert {key} is not known")
        return self._cut(found)

    def _cut(self, alert: Alert) -> Alert:
        """Return an alert that names no subject which is not seen."""
        now = self._now()
        if now.whole or not alert.covers:
            return alert
        return replace(alert, covers=tuple(key for key in alert.covers if key in now.points or key in now.meters))

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return alerts of buildings that are seen."""
        now = self._now()
        if now.whole:
            return self._records.alerts(asked, after=after, limit=limit)
        mine = [key for key in asked.buildings if key in now.buildings] if asked.buildings else list(now.buildings)
        if not mine:
            return []
        if after:
            self.alert(after)
        found = self._records.alerts(replace(asked, buildings=tuple(mine)), after=after, limit=limit)
        return [self._cut(alert) for alert in found]

    def outgoing(self, *, states: frozenset[str] = frozenset(), alert: str = "", limit: int = 100) -> list[Outgoing]:
        """Return the messages of an alert that is seen; those of all to whoever administers."""
        if self._access.everywhere(Right.ADMINISTER) or (alert and self._sees(alert)):
            return self._records.outgoing(states=states, alert=alert, limit=limit)
        return []

    # Documents and notes

    def papers(self, buildings: Sequence[str] | None = None) -> list[Paper]:
        """Return the papers of buildings that are seen, to whoever reads these there."""
        there = self._now().buildings
        asked = there if buildings is None else buildings
        mine = [key for key in asked if self._reads_papers(there.get(key))]
        return self._records.papers(mine) if mine else []

    def paper(self, key: str) -> Kept:
        """Return a document or a note to the same; raise NotFound."""
        found = self._records.paper(key)
        if not self._reads_papers(self._now().buildings.get(found.last.building)):
            raise NotFound(f"paper {key} is not known")
        return found

    def _reads_papers(self, building: Building | None) -> bool:
        return building is not None and reaches_building(self._access, Right.SEE_PAPERS, building)

    # What belongs to no building yet

    def inbox(self, *, after: str = "", limit: int | None = None) -> list[InboxItem]:
        """Return unassigned meters to whoever registers meters everywhere."""
        return self._records.inbox(after=after, limit=limit) if self._operator else []

    def proposals(self) -> list[Proposal]:
        """Return what devices say of themselves to the same."""
        return self._records.proposals() if self._operator else []

    def letters(self, **asked: Any) -> list[DeadLetter]:  # noqa: ANN401 - as the store takes them
        """Return dead letters to the same."""
        return self._records.letters(**asked) if self._operator else []

    def letter(self, number: int) -> DeadLetter:
        """Return a dead letter to the same; raise NotFound."""
        if not self._operator:
            raise NotFound(f"dead letter {number} is not kept")
        return self._records.letter(number)

    def count_letters(self) -> dict[str, int]:
        """Return the number of dead letters by reason to the same."""
        return self._records.count_letters() if self._operator else {}

    def jobs(self, *, kind: str | None = None, limit: int = 100) -> list[Job]:
        """Return long work to the same."""
        return self._records.jobs(kind=kind, limit=limit) if self._operator else []


class Written(_Closed):
    """Reads all, as rules of the register must; writes only what a right reaches."""

    def __init__(self, records: RecordStore, access: Access, right: Right, room: "Registers") -> None:
        super().__init__(records, access)
        self._right = right
        self._registers = room

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whichever method
        return getattr(self._records, name)

    def save(self, entities: Sequence[Entity], *, removing: Sequence[Entity] = (), **act: Any) -> None:  # noqa: ANN401 - as the store takes them
        """Save what the right reaches, before and after; what is foreign is told to be unknown."""
        self._check(entities, removing)
        self._records.save(entities, removing=removing, **act)

    def remove(self, kind: type[E], keys: Sequence[str], **act: Any) -> None:  # noqa: ANN401 - same
        """Remove what the right reaches."""
        self._check((), [self._records.get(kind, key) for key in keys])
        self._records.remove(kind, keys, **act)

    def change_alerts(self, change: Change) -> None:
        """Change alerts of buildings that the right reaches."""
        buildings = self._registers.region.buildings
        for alert in change.alerts:
            place = buildings.get(alert.building)
            where = {} if place is None else {"organisation": place.organisation, "building": place.id}
            if not (self._access.everywhere(self._right) or (where and self._access.may(self._right, **where))):
                raise NotFound(f"alert {alert.id} is not known")
        self._records.change_alerts(change)

    def keep_paper(self, paper: Paper, entries: Sequence[AuditEntry], content: bytes | None = None) -> None:
        """Keep a document or a note of a building that the right reaches."""
        building = self._registers.seen.buildings.get(paper.building)
        if building is None:
            raise NotFound(f"building {paper.building} is not known")
        if not reaches_building(self._access, self._right, building):
            raise Refused(403, f"You may not change documents and notes of building {paper.building}.")
        self._records.keep_paper(paper, entries, content)

    def _check(self, saving: Sequence[Entity], removing: Sequence[Entity]) -> None:
        if self._access.everywhere(self._right):
            return
        now = self._registers.region
        for thing in (*saving, *removing):
            stored = _stored(thing, now)
            if stored is not None and not reached(self._access, self._right, stored, now):
                raise self._refusal(thing)
        self.check_references(saving)
        after = with_these(now, saving)
        for thing in saving:
            if _stored(thing, now) is None and not reached(self._access, self._right, thing, after):
                raise Refused(403, f"You may not add the {rules.NAMES[type(thing)]} {thing.id} here.")
            if not reached(self._access, self._right, thing, after):
                raise Refused(403, f"You may not move the {rules.NAMES[type(thing)]} {thing.id} there.")

    def _refusal(self, thing: Entity) -> Exception:
        name = f"{rules.NAMES[type(thing)]} {thing.id}"
        if _stored(thing, self._registers.seen) is None:
            return NotFound(f"{name} is not known")
        return Refused(403, f"You may not change the {name}, or not all that it concerns.")

    def check_references(self, saving: Sequence[Entity]) -> None:
        """Raise what is raised for things that are not there where these name things that are not seen."""
        if self._access.everywhere(self._right) or not saving:
            return
        now = self._registers.seen
        things = {(kind, key): e for kind, part in SCOPED.items() for key, e in getattr(now, part).items()}
        things |= {(type(s), s.id): s for s in now.stations.values()}
        known = rules.Snapshot({**things, **{rules.place(e): e for e in saving}}, now.version)
        for problem in rules.unknown_references(known, [rules.place(e) for e in saving]):
            raise Conflict(str(problem))


class Registers:
    """The register whole and as somebody sees it."""

    def __init__(self, region: Snapshot, seen: Snapshot) -> None:
        self.region = region
        self.seen = seen


def _stored(thing: Entity, now: Snapshot) -> Entity | None:
    kind = type(thing)
    held: Mapping[str, Entity] = getattr(now, SCOPED[kind]) if kind in SCOPED else {}
    return held.get(thing.id)


def with_these(now: Snapshot, saving: Sequence[Entity]) -> Snapshot:
    """Return the register with these in it, as far as places are told by it."""
    parts = {f.name for f in fields(now)} & set(SCOPED.values())
    merged = {
        part: {**getattr(now, part), **{e.id: e for e in saving if SCOPED.get(type(e)) == part}} for part in parts
    }
    return replace(now, **merged)  # type: ignore[arg-type]  # by the names of its fields


def seen_records(records: RecordStore, access: Access, now: Callable[[], Snapshot]) -> RecordStore:
    """Return the store as somebody reads it; whoever administers has the whole one."""
    if access.everywhere(Right.ADMINISTER):
        return records
    return cast("RecordStore", SeenRecords(records, access, now))


def written_records(
    records: RecordStore, access: Access, right: Right, registers: Registers, about: Sequence[Entity] = ()
) -> RecordStore:
    """Return the store as somebody writes it by a right; raise Conflict where `about` names what they do not see."""
    if access.everywhere(Right.ADMINISTER):
        return records
    written = Written(records, access, right, registers)
    written.check_references(about)
    return cast("RecordStore", written)
