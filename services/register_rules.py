"""What a register must keep beyond what each of its things checks by itself: pure questions about a snapshot.

Each rule names the entity and field that contradict another, so that a form or a row of a file can show it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any, Final, TypeVar, cast

from core.assigned import stated_quantity
from core.errors import InputError
from core.parts import check_sum, is_sum, parts_of
from core.plan import Activity, Area, Goal, Indicator, Project
from core.ports import RecordStore
from core.registry import (
    MAIN_REGISTERS,
    Adjustment,
    Building,
    Commodity,
    Dated,
    DialEvent,
    Entity,
    EventKind,
    Measure,
    Meter,
    Organisation,
    Point,
    Register,
    Role,
    Station,
)
from core.units import Quantity, unit
from services.register_references import references

E = TypeVar("E", bound=Entity)
Place = tuple[type, str]

NAMES: Final[dict[type, str]] = {
    Organisation: "organisation",
    Building: "building",
    Point: "point",
    Meter: "meter",
    DialEvent: "event",
    Station: "station",
    Measure: "measure",
    Adjustment: "adjustment",
    Goal: "goal",
    Area: "area",
    Activity: "activity",
    Project: "project",
    Indicator: "indicator",
}
WATER: Final = {Commodity.COLD_WATER, Commodity.HOT_WATER}
COUNTED: Final = {
    Commodity.ELECTRICITY: {Quantity.ENERGY, Quantity.POWER},
    Commodity.PV: {Quantity.ENERGY, Quantity.POWER},
    Commodity.HEAT: {Quantity.ENERGY, Quantity.POWER},
    Commodity.GAS: {Quantity.ENERGY, Quantity.VOLUME, Quantity.FLOW, Quantity.POWER},
    Commodity.COLD_WATER: {Quantity.VOLUME, Quantity.FLOW},
    Commodity.HOT_WATER: {Quantity.VOLUME, Quantity.FLOW},
}
"""What a meter on a point of a commodity may count; pulses besides, which its multiplier makes an amount."""
_PULSES: Final = {Quantity.PULSE_COUNT, Quantity.HEAT_COST_UNITS}
_ICO: Final = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What contradicts: the entity and field at fault, the problem and what to do."""

    kind: type
    id: str
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{NAMES[self.kind]} {self.id}: {self.problem}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole register at a version, by kind and id."""

    things: Mapping[Place, Entity]
    version: int

    @classmethod
    def of(cls, records: RecordStore) -> "Snapshot":
        """Return the register as stored; its version is read first, so that a change meanwhile is noticed."""
        version = records.version()
        kinds: tuple[type[Entity], ...] = tuple(NAMES)
        return cls({(kind, thing.id): thing for kind in kinds for thing in records.find(kind)}, version)

    def every(self, kind: type[E]) -> list[E]:
        """Return all of a kind."""
        return [cast("E", thing) for (of, _), thing in self.things.items() if of is kind]

    def get(self, kind: type[E], key: str) -> E | None:
        """Return one, None where it is not there."""
        return cast("E | None", self.things.get((kind, key)))

    def changed(self, entities: Iterable[Entity], removing: Iterable[Entity] = ()) -> "Snapshot":
        """Return the register with these in it, and without those."""
        gone = {place(thing) for thing in removing}
        things = {where: thing for where, thing in self.things.items() if where not in gone}
        return replace(self, things=things | {place(thing): thing for thing in entities})


def in_utc(entity: E) -> E:
    """Return the entity with its instants in UTC: Python holds none in a repeated hour for equal to one elsewhere."""
    instants = {f.name: v for f in fields(entity) if isinstance(v := getattr(entity, f.name), datetime)}
    changes: dict[str, Any] = {name: at.astimezone(UTC) for name, at in instants.items()}
    return replace(entity, **changes) if changes else entity


def place(entity: Entity) -> Place:
    """Return the kind and id of an entity."""
    return type(entity), entity.id


def problems(register: Snapshot, about: Collection[Place], assumed: Collection[Place] = ()) -> list[Problem]:
    """Return what contradicts among these things and what they touch; references to `assumed` are taken for good."""
    found = [
        *(p for where in about if (thing := register.things.get(where)) for p in _alone(thing)),
        *unknown_references(register, about, assumed),
        *_hierarchy(register, about),
        *_codes(register, about),
        *_mountings(register, about),
        *_events(register, about, assumed),
        *_one_series_each(register, about),
        *_measured(register, about),
    ]
    return list(dict.fromkeys(found))


def _alone(thing: Entity) -> Iterator[Problem]:
    if isinstance(thing, Organisation) and thing.ico and not _ICO.fullmatch(thing.ico):
        yield _of(thing, "ico", f"{thing.ico!r} is no IČO", "write its 8 digits, leading zeros too")
    if isinstance(thing, Building):
        yield from _building(thing)
    if isinstance(thing, Station):
        yield from _on_the_map(thing)
        yield from _temperature_register(thing)
    if isinstance(thing, Point):
        yield from _dated_once(thing, "reserved_kw", thing.reserved_kw)
        yield from _terms(thing)
    if isinstance(thing, Meter | DialEvent):
        yield from _register_text(thing)


def _terms(thing: Point) -> Iterator[Problem]:
    for term in thing.terms:
        if term.sign not in {-1, 1}:
            yield _of(thing, "terms", f"term {term.point} is taken {term.sign} times", "write + or -")
    if len({term.point for term in thing.terms}) < len(thing.terms):
        yield _of(thing, "terms", "a point is named twice", "name each point once")


def _on_the_map(thing: Building | Station) -> Iterator[Problem]:
    for field, most in (("latitude", 90.0), ("longitude", 180.0)):
        value = getattr(thing, field)
        if value is not None and not -most <= value <= most:
            yield _of(thing, field, f"{field} {value} is on no map", "write degrees, such as 50.767 and 15.056")


def _temperature_register(thing: Station) -> Iterator[Problem]:
    try:
        fits = Register.parse(thing.register).quantity is Quantity.TEMPERATURE
    except InputError:
        fits = False
    if not fits:
        yield _of(thing, "register", f"{thing.register!r} holds no temperature", "write one such as temperature.total")


def _building(thing: Building) -> Iterator[Problem]:
    yield from _on_the_map(thing)
    yield from _dated_once(thing, "areas", thing.areas)
    yield from _dated_once(thing, "users", thing.users)


def _dated_once(thing: Entity, field: str, values: Sequence[Dated]) -> Iterator[Problem]:
    days = [(value.kind, value.since) for value in values]
    for kind, since in {day for day in days if days.count(day) > 1}:
        yield _of(thing, field, f"two values of {kind or field} hold since {since:%d.%m.%Y}", "keep one of them")


def _register_text(thing: Meter | DialEvent) -> Iterator[Problem]:
    try:
        for part in parts_of(thing.register) if thing.register else ():
            Register.parse(part)
        if is_sum(thing.register):
            check_sum(thing.register)
    except InputError as err:
        yield _of(thing, "register", err.problem, err.remedy)
        return
    if is_sum(thing.register):
        yield from _several_dials(thing)


def _several_dials(thing: Meter | DialEvent) -> Iterator[Problem]:
    """Return where one reading is told of several dials; that nothing stood on a new meter is told of all of them."""
    remedy = "record a swap at that instant for each register, with its dial readings"
    if isinstance(thing, DialEvent):
        yield _of(thing, "register", f"{thing.register} are several dials", "record an event for each of them")
        return
    for field in (name for name in ("first", "final") if getattr(thing, name)):
        yield _of(thing, field, f"one reading cannot be that of the dials {thing.register}", remedy)


def _of(thing: Entity, field: str, problem: str, remedy: str) -> Problem:
    return Problem(kind=type(thing), id=thing.id, field=field, problem=problem, remedy=remedy)


def unknown_references(
    register: Snapshot, about: Collection[Place], assumed: Collection[Place] = ()
) -> Iterator[Problem]:
    """Return where these things name others that are not in the register."""
    for thing in (register.things[where] for where in about if where in register.things):
        for field, kind, key in references(thing):
            if (kind, key) not in register.things and (kind, key) not in assumed:
                name = NAMES[kind]
                yield _of(thing, field, f"{name} {key} is not in the register", f"add the {name}, or correct its id")


# Points above and below each other


def _hierarchy(register: Snapshot, about: Collection[Place]) -> Iterator[Problem]:
    points = {point.id: point for point in register.every(Point)}
    above = {key: [point.parent] for key, point in points.items() if point.parent}
    parts = {key: [term.point for term in point.terms] for key, point in points.items() if point.terms}
    touched = {key for kind, key in about if kind is Point}
    for field, graph in (("parent", above), ("terms", parts)):
        for key in sorted(touched & _in_circles(graph)):
            yield _of(points[key], field, f"point {key} stands above itself", "break the circle of points")
    for point in points.values():
        relatives = [("parent", point.parent)] + [("terms", term.point) for term in point.terms]
        for field, key in relatives:
            if key in points and touched & {point.id, key}:
                yield from _unlike(point, field, points[key], touched)


def _in_circles(graph: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the nodes that can be reached from themselves."""
    circles: set[str] = set()
    for start in graph:
        reached: set[str] = set()
        ahead = list(graph[start])
        while ahead:
            node = ahead.pop()
            if node not in reached:
                reached.add(node)
                ahead += graph.get(node, ())
        if start in reached:
            circles.add(start)
    return circles


def _unlike(point: Point, field: str, other: Point, touched: set[str]) -> Iterator[Problem]:
    """Return the problem where two points cannot be added: of another commodity, or m³ to kWh."""
    same = point.commodity is other.commodity
    if field == "terms":
        same = (point.commodity in WATER) == (other.commodity in WATER)
    if same:
        return
    blamed, field, against = (point, field, other) if point.id in touched else (other, "commodity", point)
    text = f"{blamed.id} counts {blamed.commodity}, point {against.id} {against.commodity}"
    yield _of(blamed, field, text, "join points of one commodity, and kWh with kWh in formulas")


def _codes(register: Snapshot, about: Collection[Place]) -> Iterator[Problem]:
    coded = [p for p in register.every(Point) if p.code and p.commodity in {Commodity.ELECTRICITY, Commodity.GAS}]
    coded.sort(key=lambda p: p.code)
    for code, same in groupby(coded, key=lambda p: p.code):
        points = list(same)
        for point in points:
            if len(points) > 1 and place(point) in about:
                other = next(p for p in points if p is not point)
                yield _of(point, "code", f"point {other.id} has code {code} too", "an EAN or EIC names one point")


# Meters on points


def until(meter: Meter) -> datetime:
    """Return when a meter was removed, the end of time where it is still mounted."""
    return meter.removed or datetime.max.replace(tzinfo=UTC)


def mounted_at(meter: Meter, at: datetime) -> bool:
    """Return whether a meter is mounted at an instant, its ends included."""
    return meter.mounted <= at and (meter.removed is None or at <= meter.removed)


def _mountings(register: Snapshot, about: Collection[Place]) -> Iterator[Problem]:
    meters = register.every(Meter)
    touched = {key for kind, key in about if kind is Meter}
    points = {key for kind, key in about if kind is Point}
    for meter in meters:
        point = register.get(Point, meter.point)
        if point is not None and (meter.id in touched or point.id in points):
            for problem in _fits(meter, point):
                blame_point = meter.id not in touched
                text = f"meter {meter.id} stands on it: {problem.problem}"
                yield _of(point, "commodity", text, problem.remedy) if blame_point else problem
    yield from _overlaps(meters, touched, by="point")
    yield from _overlaps(meters, touched, by="device")


def _fits(meter: Meter, point: Point) -> Iterator[Problem]:
    if point.role is Role.VIRTUAL:
        yield _of(meter, "point", f"point {point.id} is computed from others", "mount it on a measured point")
    allowed = COUNTED[point.commodity] | _PULSES
    for field in ("unit", "register"):
        text = getattr(meter, field)
        if not text:
            continue
        try:
            quantity = unit(text).quantity if field == "unit" else Register.parse(text).quantity
        except InputError as err:
            yield _of(meter, field, err.problem, err.remedy)
            continue
        unstated = field == "register" and quantity is Quantity.UNSTATED
        if unstated:
            yield from _unstated(meter, Register.parse(text))
        elif quantity not in allowed:
            yield _of(meter, field, f"{text} does not count {point.commodity}", f"correct the {field} or the point")


def _unstated(meter: Meter, register: Register) -> Iterator[Problem]:
    """Return the problem of a register without unit: its meter says the unit, one of the quantity that is known."""
    if not meter.unit:
        yield _of(meter, "unit", f"the readings of {register} state no unit", "write the unit in which they count")
        return
    known = stated_quantity(register)
    try:
        contradicts = known is not None and unit(meter.unit).quantity is not known
    except InputError:  # told of the unit itself
        return
    if contradicts:
        yield _of(meter, "unit", f"{meter.unit} is no unit of {known}, which {register} counts", "correct the unit")


def _overlaps(meters: Sequence[Meter], touched: set[str], *, by: str) -> Iterator[Problem]:
    ordered = sorted(meters, key=lambda m: (getattr(m, by), m.mounted, m.id))
    for _, group in groupby(ordered, key=lambda m: getattr(m, by)):
        for former, later in _clashes(list(group), by):
            for meter, other in ((later, former), (former, later)):
                if meter.id in touched:
                    yield _overlap(meter, other, by)
                    break


def _clashes(group: list[Meter], by: str) -> Iterator[tuple[Meter, Meter]]:
    """Return pairs that are mounted at the same time; the last to be removed is compared with those after it."""
    if by == "point":
        longest = group[0]
        for meter in group[1:]:
            if meter.mounted < until(longest):
                yield longest, meter
            longest = max(longest, meter, key=until)
        return
    for n, meter in enumerate(group):
        for later in group[n + 1 :]:
            # A device may count for two points if each names its own register (a pulse counter with two inputs).
            named = meter.register and later.register
            apart = named and not set(parts_of(meter.register)) & set(parts_of(later.register))
            if meter.point != later.point and later.mounted < until(meter) and not apart:
                yield meter, later


def _overlap(meter: Meter, other: Meter, by: str) -> Problem:
    if by == "device":
        text = f"device {meter.device} is mounted on point {other.point} at that time (meter {other.id})"
        return _of(meter, "device", text, f"state when meter {other.id} was removed, or correct the device")
    text = f"meter {other.id} is mounted on point {meter.point} at that time"
    if other.removed is None and other.mounted < meter.mounted:
        return _of(meter, "mounted", text, f"state when meter {other.id} was removed, or record a swap")
    field = "removed" if meter.mounted < other.mounted and meter.removed else "mounted"
    return _of(meter, field, text, "correct when they were mounted and removed")


# What happened to dials


def _events(register: Snapshot, about: Collection[Place], assumed: Collection[Place]) -> Iterator[Problem]:
    meters: dict[str, list[Meter]] = {}
    for meter in register.every(Meter):
        meters.setdefault(meter.device, []).append(meter)
    touched_devices = {m.device for m in register.every(Meter) if place(m) in about}
    sure = all(where in register.things for where in assumed if where[0] is Meter)
    events = [e for e in register.every(DialEvent) if not e.retracted]
    for event in events:
        if place(event) in about or event.meter in touched_devices:
            yield from _event(event, meters.get(event.meter, []), register, sure=sure)
    yield from _twice(events, about)


def _event(event: DialEvent, meters: Sequence[Meter], register: Snapshot, *, sure: bool) -> Iterator[Problem]:
    if event.new_device not in {"", event.meter}:
        yield _of(event, "new_device", "another device is another meter", "end the old meter and mount the new one")
    if not any(mounted_at(m, event.at) for m in meters) and sure:
        known = "is not mounted at that instant" if meters else "is on no meter of the register"
        yield _of(event, "at" if meters else "meter", f"device {event.meter} {known}", "correct the device or instant")
    points = {m.id: register.get(Point, m.point) for m in meters if event.at in {m.mounted, m.removed}}
    same = [m for m in meters if m.id in points and not _further_dial(event, m, points[m.id])]
    if event.kind is not EventKind.ROLLOVER and same:
        text = f"device {event.meter} was mounted or removed at that very instant, which says the same"
        yield _of(event, "at", text, "leave the event out, or state the dial readings at the meters")


def _further_dial(event: DialEvent, meter: Meter, point: Point | None) -> bool:
    """Return whether a swap tells of a dial of which the meter's own first and final reading say nothing."""
    own = (meter.register,) if meter.register or point is None else MAIN_REGISTERS[point.commodity]
    return event.kind is EventKind.SWAP and bool(event.register) and event.register not in own


def _twice(events: Sequence[DialEvent], about: Collection[Place]) -> Iterator[Problem]:
    ordered = sorted(events, key=lambda e: (e.meter, e.at, e.id))
    for former, later in pairwise(ordered):
        same = (former.meter, former.at) == (later.meter, later.at)
        if same and (former.register == later.register or not former.register or not later.register):
            blamed, other = (later, former) if place(later) in about else (former, later)
            if place(blamed) in about:
                yield _of(blamed, "at", f"event {other.id} is recorded at that instant", "retract one of them")


# Stations and measures


def _one_series_each(register: Snapshot, about: Collection[Place]) -> Iterator[Problem]:
    stations = sorted(register.every(Station), key=lambda s: (s.arrives_as, s.register, s.id))
    for former, later in pairwise(stations):
        if (former.arrives_as, former.register) == (later.arrives_as, later.register):
            for station, other in ((later, former), (former, later)):
                if place(station) in about:
                    text = f"station {other.id} reads {other.arrives_as}, {other.register} too"
                    yield _of(station, "device", text, "one series is of one station")
                    break


def _measured(register: Snapshot, about: Collection[Place]) -> Iterator[Problem]:
    """Return the measures whose points count the same twice, or cannot hold the saving that is expected."""
    points = {point.id: point for point in register.every(Point)}
    for measure in (m for m in register.every(Measure) if place(m) in about):
        named = [points[key] for key in measure.points if key in points]
        for point in named:
            twice = sorted(_below(point, points) & set(measure.points))
            if twice:
                text = f"point {point.id} counts what point {twice[0]} counts, so that its saving would count twice"
                yield _of(measure, "points", text, "name one of them")
        counted = {"m³" if point.commodity in WATER else "kWh" for point in named}
        if measure.expected_unit and named and unit(measure.expected_unit).canonical not in counted:
            text = f"{measure.expected_unit} is not counted at any of its points"
            yield _of(measure, "expected_unit", text, "correct the unit or the points")


def _below(point: Point, points: Mapping[str, Point]) -> set[str]:
    """Return the ids of the points whose consumption one counts too: those below it, and its terms."""
    found: set[str] = set()
    ahead = [point.id]
    while ahead:
        key = ahead.pop()
        terms = [term.point for term in points[key].terms] if key in points else []
        new = {p.id for p in points.values() if p.parent == key} | set(terms)
        ahead += sorted(new - found)
        found |= new
    return found


def points_touched(before: Snapshot, after: Snapshot, changed: Collection[Place]) -> tuple[str, ...]:
    """Return the points whose consumption is to be computed anew, and the virtual ones made of them."""
    points: set[str] = set()
    for register in (before, after):
        for kind, key in changed:
            thing = register.things.get((kind, key))
            if isinstance(thing, Point | Meter):
                points.add(thing.id if isinstance(thing, Point) else thing.point)
            if isinstance(thing, DialEvent):
                points |= {m.point for m in register.every(Meter) if m.device == thing.meter}
    parts = {p.id: {term.point for term in p.terms} for p in after.every(Point) if p.terms}
    while grown := {key for key, terms in parts.items() if key not in points and terms & points}:
        points |= grown
    return tuple(sorted(points))
