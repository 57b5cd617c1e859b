"""A sample region from a seed: organisations, buildings, points, meters, and a simulated dial for each.

The share of kinds follows the region's energy (schools two thirds, then care, offices, others). Names are made up.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import numpy as np

from core.calendar import instant, moment
from core.registry import Building, BuildingKind, Commodity, Dated, Meter, Organisation, Point, Role
from core.units import unit
from simulators.loads import HOT_WATER_KWH_PER_M3, PV_KWH_PER_KWP, TYPICAL, Load
from simulators.meter import Dial, SimulatedMeter, canonical
from simulators.names import FACILITIES, STREETS, TOWNS, Town
from simulators.noise import seed_of
from simulators.weather import HOURS_A_YEAR

MOUNTED: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""When all meters of the sample were mounted; their dials count from here."""

_KINDS: Final = (
    BuildingKind.SCHOOL, BuildingKind.SCHOOL, BuildingKind.CARE_HOME, BuildingKind.SCHOOL, BuildingKind.OFFICE,
    BuildingKind.SCHOOL, BuildingKind.HOSPITAL, BuildingKind.SCHOOL, BuildingKind.MUSEUM, BuildingKind.SCHOOL,
    BuildingKind.CARE_HOME, BuildingKind.SCHOOL,
)  # fmt: skip
_AREA_M2: Final = {
    BuildingKind.SCHOOL: (2500, 9000),
    BuildingKind.HOSPITAL: (12000, 30000),
    BuildingKind.CARE_HOME: (2500, 7000),
    BuildingKind.OFFICE: (900, 5000),
    BuildingKind.MUSEUM: (900, 4000),
}
_M2_PER_USER: Final = {
    BuildingKind.SCHOOL: 11.0,
    BuildingKind.HOSPITAL: 70.0,
    BuildingKind.CARE_HOME: 45.0,
    BuildingKind.OFFICE: 24.0,
    BuildingKind.MUSEUM: 60.0,
}
_USERS: Final = {
    BuildingKind.SCHOOL: "pupils",
    BuildingKind.HOSPITAL: "beds",
    BuildingKind.CARE_HOME: "beds",
    BuildingKind.OFFICE: "staff",
    BuildingKind.MUSEUM: "staff",
}
_SHORT: Final = {
    BuildingKind.SCHOOL: "SK",
    BuildingKind.HOSPITAL: "NE",
    BuildingKind.CARE_HOME: "DS",
    BuildingKind.OFFICE: "UR",
    BuildingKind.MUSEUM: "MU",
}
_PEAK_OVER_MEAN: Final = {
    Commodity.ELECTRICITY: 12.0,
    Commodity.GAS: 14.0,
    Commodity.HEAT: 14.0,
    Commodity.COLD_WATER: 60.0,
    Commodity.HOT_WATER: 60.0,
    Commodity.PV: 12.0,
}
"""The most that can flow over the yearly mean; a burst pipe included for water."""

_COUNTED: Final = {
    Commodity.ELECTRICITY: ("energy.import", "E", "Elektřina"),
    Commodity.GAS: ("energy.total", "G", "Plyn"),
    Commodity.HEAT: ("energy.total", "T", "Teplo"),
    Commodity.COLD_WATER: ("volume.total", "SV", "Studená voda"),
    Commodity.HOT_WATER: ("volume.total", "TV", "Teplá voda"),
    Commodity.PV: ("energy.total", "FVE", "Fotovoltaika"),
}
_DIALS: Final = {
    Commodity.ELECTRICITY: (
        Dial(unit="kWh", decimals=3, digits=7),
        Dial(unit="Wh", decimals=0, digits=10),
        Dial(unit="MWh", decimals=5, digits=5),
    ),
    Commodity.GAS: (Dial(unit="kWh", decimals=1, digits=8, interval_s=3600), Dial(unit="MWh", decimals=4, digits=6)),
    Commodity.HEAT: (
        Dial(unit="GJ", decimals=3, digits=6, interval_s=3600, jitter_s=240),
        Dial(unit="kWh", decimals=0, digits=8, interval_s=900, jitter_s=60),
    ),
    Commodity.COLD_WATER: (
        Dial(unit="m³", decimals=3, digits=6, interval_s=900, jitter_s=120),
        Dial(unit="l", decimals=0, digits=9, interval_s=3600, jitter_s=600),
    ),
    Commodity.HOT_WATER: (Dial(unit="m³", decimals=3, digits=5, interval_s=3600, jitter_s=600),),
    Commodity.PV: (Dial(unit="kWh", decimals=2, digits=7),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRegion:
    """A register and its simulated dials. A meter with two registers (import, export) has two dials."""

    seed: int
    organisations: tuple[Organisation, ...]
    buildings: tuple[Building, ...]
    points: tuple[Point, ...]
    meters: tuple[Meter, ...]
    simulated: tuple[SimulatedMeter, ...]


class _Place(NamedTuple):
    """A building with what its loads need."""

    building: Building
    kind: BuildingKind
    town: Town
    area_m2: float
    users: float
    rng: np.random.Generator
    number: int
    weather: int


def _ean(number: int) -> str:
    """Return an EAN of a point of supply: 859182400, eight digits of ours, and GS1's check digit."""
    body = f"859182400{number % 10**8:08d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _eic(number: int) -> str:
    """Return a gas EIC of 16 characters that begins with 27ZG."""
    return f"27ZG{number % 1000:03d}Z{number % 10**8:08d}"


def _place(seed: int, number: int) -> _Place:
    rng = np.random.default_rng(seed_of(seed, "building", number))
    kind, town = _KINDS[number % len(_KINDS)], TOWNS[int(rng.integers(len(TOWNS)))]
    area = round(float(rng.uniform(*_AREA_M2[kind])), -1)
    users = round(area / _M2_PER_USER[kind] * float(rng.uniform(0.8, 1.2)))
    street = STREETS[int(rng.integers(len(STREETS)))]
    form = FACILITIES[kind][(number + number // 3) % len(FACILITIES[kind])]
    name = f"{form.format(street=street)}, {town.name}"
    since = MOUNTED.date()
    building = Building(
        id=f"LK-{_SHORT[kind]}-{number + 1:03d}",
        organisation=f"PO-{number // 3 + 1:03d}",
        name=name,
        kind=kind,
        address=f"{street} {int(rng.integers(1, 900))}, {town.postcode} {town.name}",
        latitude=round(town.latitude + float(rng.uniform(-0.012, 0.012)), 5),
        longitude=round(town.longitude + float(rng.uniform(-0.018, 0.018)), 5),
        station="liberec",
        areas=(Dated(since=since, value=area),),
        users=(Dated(since=since, value=users, kind=_USERS[kind]),),
    )
    return _Place(building, kind, town, area, users, rng, number, seed_of(seed, "weather"))


def _load(place: _Place, commodity: Commodity, annual: float, *, hot: float = 0.0) -> Load:
    return Load(
        kind=place.kind,
        commodity=commodity,
        annual=annual,
        seed=seed_of(place.building.id, commodity, place.weather),
        weather=place.weather,
        district=place.town.district,
        hot=hot,
    )


def _loads(place: _Place) -> dict[Commodity, Load]:
    """Return the loads of a building by commodity, in the order of its points."""
    typical, rng = TYPICAL[place.kind], place.rng
    luck = {name: float(rng.uniform(0.75, 1.3)) for name in ("electricity", "heat", "water")}
    water = typical.water * place.users * luck["water"]
    hot_m3 = water * typical.hot
    heat = typical.heat * place.area_m2 * luck["heat"]
    hot_share = min(0.5, hot_m3 * HOT_WATER_KWH_PER_M3 / heat)
    warm = Commodity.HEAT if place.number % 3 == 1 else Commodity.GAS
    electricity = _load(place, Commodity.ELECTRICITY, typical.electricity * place.area_m2 * luck["electricity"])
    out = {
        Commodity.ELECTRICITY: electricity,
        warm: _load(place, warm, heat, hot=hot_share),
        Commodity.COLD_WATER: _load(place, Commodity.COLD_WATER, water),
    }
    if typical.hot >= 0.3 or warm is Commodity.HEAT:  # noqa: PLR2004 - where much is drawn hot it is metered
        out[Commodity.HOT_WATER] = _load(place, Commodity.HOT_WATER, hot_m3)
    if place.number % 4 == 3:  # noqa: PLR2004 - every fourth has a plant on its roof
        kwp = round(min(99.0, place.area_m2 / 4 * 0.05), 1)
        out[Commodity.PV] = _load(place, Commodity.PV, kwp * PV_KWH_PER_KWP)
        out[Commodity.ELECTRICITY] = replace(electricity, behind=out[Commodity.PV])
    return out


def _part_loads(place: _Place, loads: dict[Commodity, Load]) -> list[tuple[str, str, Load]]:
    """Return sub-meters of large buildings: (id part, name, load); they stand below the billing meter."""
    share = float(place.rng.uniform(0.15, 0.3))
    parts = [("KU", "Kuchyně", Commodity.ELECTRICITY), ("KO", "Kotelna", Commodity.COLD_WATER)]
    if place.area_m2 < 2500:  # noqa: PLR2004 - small buildings have none [m²]
        return []
    return [(part, name, _load(place, c, loads[c].annual * share * 0.5)) for part, name, c in parts if c in loads]


def _point(place: _Place, commodity: Commodity, load: Load, code: int, *, part: tuple[str, str] = ("", "")) -> Point:
    _, short, name = _COUNTED[commodity]
    own = f"{place.building.id}-{short}"
    mean = load.annual / HOURS_A_YEAR
    billed = not part[0] and commodity is not Commodity.PV
    reserved = (
        (Dated(since=MOUNTED.date(), value=float(round(mean) * 5)),)
        if commodity is Commodity.ELECTRICITY and billed
        else ()
    )
    return Point(
        id=f"{own}-{part[0]}" if part[0] else own,
        building=place.building.id,
        name=f"{name}, {part[1]}" if part[1] else name,
        commodity=commodity,
        role=Role.GENERATION if commodity is Commodity.PV else Role.BILLING if billed else Role.SUBMETER,
        code=_code(commodity, code) if billed else "",
        parent=own if part[0] else "",
        max_rate=max_rate(load),
        reserved_kw=reserved,
    )


def max_rate(load: Load) -> float:
    """Return the most that can flow at a point of this load [kW or m³/h]."""
    return float(f"{max(load.annual / HOURS_A_YEAR * _PEAK_OVER_MEAN[load.commodity], 1.0):.3g}")


def _code(commodity: Commodity, number: int) -> str:
    return {Commodity.ELECTRICITY: _ean, Commodity.GAS: _eic}.get(commodity, lambda _: "")(number)


def _dial(place: _Place, commodity: Commodity, load: Load) -> Dial:
    """Return a dial of the commodity that counts from somewhere in the first half of what it can show."""
    forms = _DIALS[commodity]
    form = forms[int(place.rng.integers(len(forms)))]
    known = unit(form.unit)
    years = float(place.rng.uniform(0.5, 8))
    first = load.annual * years * known.divisor / known.scale
    room = 10.0 ** (form.digits or 12)
    phase = int(place.rng.integers(0, 60)) if form.jitter_s else 0
    return replace(form, first=round(min(first, 0.3 * room), form.decimals), phase_s=phase)


def _mounted(place: _Place, point: Point, dial: Dial, register: str) -> Meter:
    first = float(canonical(np.array([dial.first]), dial.unit)[0])
    return Meter(
        id=f"{point.id}-M1",
        point=point.id,
        device=point.id.lower(),
        mounted=MOUNTED,
        serial=f"{int(place.rng.integers(10**7, 10**8))}",
        register=register,
        unit=dial.unit,
        digits=dial.digits,
        first=first,
    )


def _equip(place: _Place) -> tuple[list[Point], list[Meter], list[SimulatedMeter]]:
    """Return the points of a building with their meters and dials."""
    loads = _loads(place)
    wanted = [(c, load, ("", "")) for c, load in loads.items()]
    wanted += [(load.commodity, load, (part, name)) for part, name, load in _part_loads(place, loads)]
    points, meters, dials = [], [], []
    for order, (commodity, load, part) in enumerate(wanted):
        point = _point(place, commodity, load, place.number * 10 + order + 1, part=part)
        dial, register = _dial(place, commodity, load), _COUNTED[commodity][0]
        meter = _mounted(place, point, dial, register)
        points.append(point)
        meters.append(meter)
        dials.append(_simulated(meter, load, dial, register))
        if load.behind is not None:
            back = replace(load, exports=True)
            dials.append(_simulated(meter, back, replace(dial, first=0.0), "energy.export"))
    return points, meters, dials


def _simulated(meter: Meter, load: Load, dial: Dial, register: str) -> SimulatedMeter:
    return SimulatedMeter(
        device=meter.device,
        point=meter.point,
        register=register,
        load=load,
        dial=dial,
        mounted=instant(meter.mounted),
    )


def _organisation(building: Building) -> Organisation:
    number = int(building.organisation.rpartition("-")[2])
    return Organisation(id=building.organisation, name=f"Příspěvková organizace {building.name}", ico=_ico(number))


def _ico(number: int) -> str:
    """Return a registration number with a valid check digit (weights 8 to 2, modulo 11)."""
    body = f"{9990000 + number:07d}"
    rest = sum(int(digit) * weight for digit, weight in zip(body, range(8, 1, -1), strict=True)) % 11
    return f"{body}{(11 - rest) % 10}"


def sample_region(seed: int, buildings: int = 12) -> SampleRegion:
    """Return a region of so many buildings; 12 have about 60 points, 220 about 1,100."""
    places = [_place(seed, number) for number in range(buildings)]
    equipped = [_equip(place) for place in places]
    owners = {place.building.organisation: _organisation(place.building) for place in reversed(places)}
    return SampleRegion(
        seed=seed,
        organisations=tuple(owners[key] for key in sorted(owners)),
        buildings=tuple(place.building for place in places),
        points=tuple(point for points, _, _ in equipped for point in points),
        meters=tuple(meter for _, meters, _ in equipped for meter in meters),
        simulated=tuple(dial for _, _, dials in equipped for dial in dials),
    )


def with_measure(region: SampleRegion, device: str, *, since: date, factor: float) -> SampleRegion:
    """Return the region with a measure (insulation, regulation) that multiplies a meter's load from a day on."""
    day = (since - moment(np.datetime64(0, "us")).date()).days
    changed = tuple(
        replace(one, load=replace(one.load, measure_since=day, measure_factor=factor)) if one.device == device else one
        for one in region.simulated
    )
    return replace(region, simulated=changed)
