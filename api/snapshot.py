"""The register as it stands, held in memory until it changes: lists and scopes are answered from it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from core.errors import NotFound
from core.people import Access, Grant, Right
from core.ports import RecordStore
from core.readings import SeriesKey
from core.registry import (
    Adjustment,
    Building,
    DialEvent,
    Entity,
    Measure,
    Meter,
    Organisation,
    Point,
    Station,
)
from services.sums import counting_registers

E = TypeVar("E")
R = TypeVar("R", bound=Entity)
MOST_SCOPES: Final = 256
"""So many scopes are held, each a cut of the register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounting:
    """A meter's readings while it is on a point: [since, until) of one series; None: no end."""

    point: str
    key: SeriesKey
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All of the register at one version, by id, ids ascending; not `whole` where it is cut to a scope."""

    version: int
    whole: bool = True
    organisations: dict[str, Organisation]
    buildings: dict[str, Building]
    points: dict[str, Point]
    meters: dict[str, Meter]
    events: dict[str, DialEvent]
    stations: dict[str, Station]
    measures: dict[str, Measure]
    adjustments: dict[str, Adjustment]
    points_of: dict[str, tuple[Point, ...]]
    meters_of: dict[str, tuple[Meter, ...]]

    def point(self, key: str) -> Point:
        """Return a point; raise NotFound."""
        return _of(self.points, "point", key)

    def building(self, key: str) -> Building:
        """Return a building; raise NotFound."""
        return _of(self.buildings, "building", key)

    def organisation(self, key: str) -> Organisation:
        """Return an organisation; raise NotFound."""
        return _of(self.organisations, "organisation", key)

    def mountings(self, points: Iterable[str], known: Iterable[SeriesKey]) -> list[Mounting]:
        """Return the counting series of points by mounting: what a meter names, else what may count of those known."""
        present: dict[str, set[str]] = defaultdict(set)
        for key in known:
            present[key.meter].add(key.register)
        return [
            Mounting(point=point, key=SeriesKey(m.device, register), since=m.mounted, until=m.removed)
            for point in points
            for m in self.meters_of.get(point, ())
            for register in counting_registers(m, self.point(point).commodity, present[m.device])
        ]

    def devices(self) -> frozenset[str]:
        """Return the names under which the register's meters publish."""
        return frozenset(m.device for m in self.meters.values())


def _of(kept: dict[str, E], what: str, key: str) -> E:
    if key not in kept:
        raise NotFound(f"no {what} has the id {key!r}")
    return kept[key]


def _grouped(entities: Iterable[E], owner: str) -> dict[str, tuple[E, ...]]:
    groups: dict[str, list[E]] = defaultdict(list)
    for entity in entities:
        groups[getattr(entity, owner)].append(entity)
    return {key: tuple(members) for key, members in groups.items()}


def _by_id(entities: Iterable[R]) -> dict[str, R]:
    return {entity.id: entity for entity in sorted(entities, key=lambda e: e.id)}


def take_snapshot(records: RecordStore) -> Snapshot:
    """Read the whole register; its version is read first, so that a change meanwhile makes it stale, not lost."""
    version = records.version()
    points = _by_id(records.find(Point))
    meters = sorted(records.find(Meter), key=lambda m: (m.mounted, m.id))
    return Snapshot(
        version=version,
        organisations=_by_id(records.find(Organisation)),
        buildings=_by_id(records.find(Building)),
        points=points,
        meters=_by_id(meters),
        events=_by_id(records.find(DialEvent)),
        stations=_by_id(records.find(Station)),
        measures=_by_id(records.find(Measure)),
        adjustments=_by_id(records.find(Adjustment)),
        points_of=_grouped(points.values(), "building"),
        meters_of=_grouped(meters, "point"),
    )


class RegisterView:
    """Gives the register's snapshot, taken anew after each change; and what each scope sees of it."""

    def __init__(self, records: RecordStore, cut: Callable[[Snapshot, Access], Snapshot]) -> None:
        self.records: Final = records
        self._held: Snapshot | None = None
        self._cut = cut
        self._seen: dict[tuple[tuple[Grant, ...], frozenset[Right] | None], Snapshot] = {}

    def now(self) -> Snapshot:
        """Return the register as it stands."""
        held = self._held
        if held is None or held.version != self.records.version():
            held = self._held = take_snapshot(self.records)
        return held

    def seen_by(self, access: Access) -> Snapshot:
        """Return what somebody sees of the register as it stands."""
        now = self.now()
        if access.everywhere(Right.SEE):
            return now
        scope = (access.grants, access.only)
        seen = self._seen.get(scope)
        if seen is None or seen.version != now.version:
            if len(self._seen) >= MOST_SCOPES:
                self._seen.clear()
            seen = self._seen[scope] = self._cut(now, access)
        return seen
