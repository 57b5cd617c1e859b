"""Whose buildings somebody sees and changes: a register cut to a scope, and whether a thing stands within one.

What is foreign is not there: it looks like what is unknown.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from api.snapshot import Snapshot
from core.people import Access, Right
from core.registry import Adjustment, Building, DialEvent, Entity, Measure, Meter, Organisation, Point

V = TypeVar("V")


def restricted(now: Snapshot, access: Access) -> Snapshot:
    """Return what of a register somebody sees; weather stations belong to everybody.

    A measure is seen where one of its points is, cut to those, without the amounts that are of all of it.
    """
    if access.everywhere(Right.SEE):
        return now
    buildings = {key: b for key, b in now.buildings.items() if access.may(Right.SEE, **_address(b))}
    owners = {b.organisation for b in buildings.values()}
    points = {key: p for key, p in now.points.items() if p.building in buildings}
    meters = {key: m for key, m in now.meters.items() if m.point in points}
    return replace(
        now,
        whole=False,
        organisations={
            key: o for key, o in now.organisations.items() if key in owners or access.may(Right.SEE, organisation=key)
        },
        buildings=buildings,
        points=points,
        meters=meters,
        events=_events(now, meters),
        measures={key: cut(m, points) for key, m in now.measures.items() if any(p in points for p in m.points)},
        adjustments={key: a for key, a in now.adjustments.items() if a.point in points},
        points_of=_of(now.points_of, buildings),
        meters_of=_of(now.meters_of, points),
    )


def _address(building: Building) -> dict[str, str]:
    return {"organisation": building.organisation, "building": building.id}


def _of(groups: dict[str, V], owners: Iterable[str]) -> dict[str, V]:
    return {key: groups[key] for key in owners if key in groups}


def cut(measure: Measure, points: Container[str]) -> Measure:
    """Return a measure as somebody sees it who sees these points alone."""
    seen = tuple(key for key in measure.points if key in points)
    if seen == measure.points:
        return measure
    return replace(measure, points=seen, investment_czk=None, subsidy_czk=None, expected_saving=None, expected_unit="")


def _events(now: Snapshot, meters: Container[str]) -> dict[str, DialEvent]:
    """Return the events of devices while they stood on points of these meters."""
    bearing = _by_device(now)
    return {
        key: e for key, e in now.events.items() if any(m.id in meters for m in _concerned(e, bearing.get(e.meter, ())))
    }


def _by_device(now: Snapshot) -> dict[str, list[Meter]]:
    found: dict[str, list[Meter]] = defaultdict(list)
    for meter in now.meters.values():
        found[meter.device].append(meter)
    return found


def _concerned(event: DialEvent, ever: Sequence[Meter]) -> Sequence[Meter]:
    """Return the meters of an event's device that it concerns: those mounted at its instant, else all ever mounted."""
    then = [m for m in ever if m.mounted <= event.at and (m.removed is None or event.at <= m.removed)]
    return then or ever


def reached(access: Access, right: Right, thing: Entity, now: Snapshot) -> bool:
    """Return whether a right reaches a thing as it stands, or would stand, in this register.

    A measure is reached where all of its points are, an event where all meters that it concerns are. What belongs to
    no building needs the right over the whole region.
    """
    if access.everywhere(right):
        return True
    if isinstance(thing, Organisation):
        return thing.id in now.organisations and access.may(right, organisation=thing.id)
    places = _places(thing, now)
    return bool(places) and all(b is not None and access.may(right, **_address(b)) for b in places)


def reaches_building(access: Access, right: Right, building: Building) -> bool:
    """Return whether a right reaches a building."""
    return access.may(right, **_address(building))


def _places(thing: Entity, now: Snapshot) -> list[Building | None]:
    """Return the buildings that a thing stands in, None for one that is not in the register."""
    if isinstance(thing, Building):
        return [thing]
    if isinstance(thing, Point):
        return [now.buildings.get(thing.building)]
    if isinstance(thing, Meter | Adjustment):
        return [_building(thing.point, now)]
    if isinstance(thing, Measure):
        return [_building(key, now) for key in thing.points]
    if isinstance(thing, DialEvent):
        return [_building(m.point, now) for m in _concerned(thing, _by_device(now).get(thing.meter, ()))]
    return []


def _building(point: str, now: Snapshot) -> Building | None:
    found = now.points.get(point)
    return None if found is None else now.buildings.get(found.building)
