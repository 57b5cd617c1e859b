"""Points and meters: which of them are heard, what their dials last showed, and the form that records an exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.exports import Column, Table, exported
from api.pages.forms import local_moment, number_of, whole_of
from api.pages.pulse import TEXTS, Pulse, State, pulses
from api.pages.view import Seen, Viewer, back
from api.snapshot import Snapshot
from api.texts import N_
from core.errors import InputError
from core.people import Right
from core.registry import Building, Commodity, Meter, Point, Role
from core.registry import Register as RegisterName
from core.units import CANONICAL, unit
from services.exchange_dials import DialReading, Dials, dials_of, exchange, mounted_now
from services.register import NewMeter

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

PAGE: Final = 100
ORDER: Final = (State.SILENT, State.NEVER, State.ALIVE, State.UNMETERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A point with the meter that stands on it, and how it is heard."""

    point: Point
    building: Building | None
    meter: Meter | None
    pulse: Pulse


@router.get("/meters")
def meters(  # noqa: PLR0917 - what the form asks
    v: Seen,
    q: Annotated[str, Query()] = "",
    building: Annotated[str, Query()] = "",
    commodity: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """Show points and meters, or give what is found as a file."""
    now = v.room.now()
    wanted = [
        p
        for p in now.points.values()
        if building in {"", p.building} and commodity in {"", p.commodity} and _found(q, p, now)
    ]
    lines = [_line(p, pulse, now) for p, pulse in zip(wanted, pulses(v.room, wanted).values(), strict=True)]
    counted = {s: sum(line.pulse.state is s for line in lines) for s in ORDER}
    lines = sorted((line for line in lines if state in {"", line.pulse.state}), key=_place)
    if form:
        return exported(v, form, v.words.text("meters"), [_table(v, lines)])
    return v.page(
        "meters.html",
        lines=lines[PAGE * (page - 1) : PAGE * page],
        found=len(lines),
        counted=counted,
        every=sum(counted.values()),
        states=TEXTS,
        page=page,
        pages=max(-(-len(lines) // PAGE), 1),
        asked={"q": q, "building": building, "commodity": commodity, "state": state},
        buildings=sorted(now.buildings.values(), key=lambda b: b.name.casefold()),
        commodities=[c for c in Commodity if any(p.commodity is c for p in now.points.values())],
    )


def _found(q: str, p: Point, now: Snapshot) -> bool:
    if not q.strip():
        return True
    building = now.buildings.get(p.building)
    mounted = " ".join(f"{m.id} {m.device} {m.serial}" for m in now.meters_of.get(p.id, ()))
    text = f"{p.id} {p.name} {p.code} {building.name if building else ''} {mounted}".casefold()
    return all(word in text for word in q.casefold().split())


def _line(p: Point, pulse: Pulse, now: Snapshot) -> Line:
    mounted = now.meters_of.get(p.id, ())
    meter = mounted_now(mounted) or (mounted[-1] if mounted else None)
    return Line(point=p, building=now.buildings.get(p.building), meter=meter, pulse=pulse)


def _place(line: Line) -> tuple[int, str, str]:
    name = line.building.name.casefold() if line.building else ""
    return ORDER.index(line.pulse.state), name, line.point.id


def _table(v: Viewer, lines: Sequence[Line]) -> Table:
    columns: list[Column[Line]] = [
        Column(N_("Point"), lambda line: line.point.id),
        Column(N_("Name"), lambda line: line.point.name),
        Column(N_("Building"), lambda line: line.building.name if line.building else ""),
        Column(N_("Commodity"), lambda line: v.words.label(line.point.commodity.value)),
        Column(N_("Meter"), lambda line: line.meter.id if line.meter else ""),
        Column(N_("Serial number"), lambda line: line.meter.serial if line.meter else ""),
        Column(N_("Publishes as"), lambda line: line.meter.device if line.meter else ""),
        Column(N_("State"), lambda line: v.words.text(TEXTS[line.pulse.state])),
        Column(N_("Register of the meter"), lambda line: line.pulse.newest.register if line.pulse.newest else ""),
        Column(N_("Value"), lambda line: line.pulse.newest.value if line.pulse.newest else None),
        Column(N_("Unit"), lambda line: line.pulse.newest.unit if line.pulse.newest else ""),
        Column(N_("Last reading"), lambda line: line.pulse.newest.at if line.pulse.newest else None),
    ]
    return Table.of(v.words.text("Meters"), columns, lines, v)


# The exchange


@router.get("/meters/{key:path}/swap", dependencies=[allowed(Right.READINGS)])
def swap_form(v: Seen, key: str) -> Response:
    """Ask for what an exchange needs."""
    point, meter, dials = _standing(v, key)
    now = v.now.astimezone(v.room.deps.zone)
    return v.page(
        "swap.html",
        point=point,
        building=v.room.now().buildings.get(point.building),
        meter=meter,
        dials=[(register, _units(register, meter)) for register in dials.counting],
        further=[(register, _units(register, meter)) for register in dials.further],
        at=now.strftime("%Y-%m-%dT%H:%M"),
        newest=pulses(v.room, [point])[key].newest,
    )


def _standing(v: Viewer, key: str) -> tuple[Point, Meter, Dials]:
    """Return a point with the meter that stands on it and its dials; raise InputError where none stands."""
    now = v.room.now()
    point, meter = now.point(key), mounted_now(now.meters_of.get(key, ()))
    if meter is None or point.role is Role.VIRTUAL:
        raise InputError(f"no meter stands on point {key}", place="point", remedy="mount one from the inbox")
    present = [series.register for series in v.room.deps.readings.known([meter.device])]
    return point, meter, dials_of(point, meter, present)


UNITS: Final = {"kWh": ("kWh", "MWh", "GJ"), "m³": ("m³", "l")}
"""Units that dials show amounts in; the meter's own is offered first."""


def _units(register: str, meter: Meter) -> list[str]:
    """Return the units in which a dial may be read, the likeliest first; one alone where nothing can be converted."""
    canonical = CANONICAL.get(RegisterName.parse(register).quantity, "")
    if canonical not in UNITS:
        return [canonical or meter.unit]
    known = UNITS[canonical]
    return list(dict.fromkeys([*([meter.unit] if meter.unit in known else []), *known]))


def _dial(sent: Mapping[str, str], name: str, register: str) -> float | None:
    """Return a dial reading of the form in the canonical unit."""
    value = number_of(sent.get(f"{name}:{register}", ""), place=f"{name} {register}")
    said = sent.get(f"unit:{register}", "")
    if value is None or not any(said in units for units in UNITS.values()):
        return value
    shown = unit(said)
    return value * shown.scale / shown.divisor


async def _sent(request: Request) -> dict[str, str]:
    """Return the fields of a form whose names are told by what it asks about: each dial has its own."""
    return {name: str(value) for name, value in (await request.form()).items()}


@router.post("/meters/{key:path}/swap", dependencies=[allowed(Right.READINGS)])
def swap(v: Seen, key: str, sent: Annotated[dict[str, str], Depends(_sent)]) -> Response:
    """Record an exchange."""
    dials = _standing(v, key)[2]
    at = local_moment(sent.get("at", ""), v.room.deps.zone, place="at")
    if at is None:
        raise InputError("the time of the exchange is missing", place="at", remedy="write it")
    read = {
        register: DialReading(final=_dial(sent, "final", register), first=_dial(sent, "first", register))
        for register in (*dials.counting, *dials.further)
    }
    exchange(
        v.room.writing(Right.READINGS),
        key,
        at,
        act(v.room, v.name, sent.get("note", "").strip()),
        counting=dials.counting,
        read={r: told for r, told in read.items() if told != DialReading()},
        new=NewMeter(
            device=sent.get("device", "").strip(),
            serial=sent.get("serial", "").strip(),
            unit=sent.get("unit", "").strip(),
            digits=whole_of(sent.get("digits", ""), place="digits"),
            multiplier=number_of(sent.get("multiplier", ""), place="multiplier"),
        ),
    )
    return back(f"/points/{key}?done=exchanged")
