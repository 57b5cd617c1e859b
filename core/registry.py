"""What stands in the register: organisations, buildings, points, meters, weather stations, measures.

All are frozen and checked when made. Amounts are canonical (kWh, m³, kW, m³/h), instants aware datetimes.
Identifiers are the operator's own codes: letters, digits and - _ . : / without spaces, kept as written.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Self

from core.codes import check_id, check_text
from core.errors import InputError
from core.plan import Activity, Area, Goal, Indicator, Project
from core.units import Quantity, unit

EAN_DIGITS: Final = 18
EIC_LENGTH: Final = 16


class BuildingKind(StrEnum):
    """What a building serves."""

    SCHOOL = "school"
    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    OFFICE = "office"
    MUSEUM = "museum"
    OTHER = "other"


class Commodity(StrEnum):
    """What flows through a metering point."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    PV = "pv"


class Role(StrEnum):
    """What a metering point is for."""

    BILLING = "billing"
    SUBMETER = "submeter"
    GENERATION = "generation"
    VIRTUAL = "virtual"


class EventKind(StrEnum):
    """What happened to a dial."""

    SWAP = "swap"
    RESET = "reset"
    ROLLOVER = "rollover"


class StationSource(StrEnum):
    """Where a weather station's temperatures come from."""

    OWN = "own_readings"
    OPEN_METEO = "open_meteo"


class MeasureKind(StrEnum):
    """What a measure (opatření) does."""

    INSULATION = "insulation"
    WINDOWS = "windows"
    HEAT_SOURCE = "heat_source"
    REGULATION = "regulation"
    LIGHTING = "lighting"
    PHOTOVOLTAICS = "photovoltaics"
    WATER_SAVING = "water_saving"
    BEHAVIOUR = "behaviour"
    OTHER = "other_measure"


class AdjustmentKind(StrEnum):
    """What changed a point's consumption that is neither weather, calendar nor a measure."""

    AREA = "area_change"
    USE = "use_change"
    CLOSURE = "closure"
    OTHER = "other_change"


MAIN_REGISTERS: Final = {
    Commodity.ELECTRICITY: ("energy.import", "energy.total"),
    Commodity.GAS: ("energy.total", "energy.import", "volume.total", "volume.import"),
    Commodity.HEAT: ("energy.total", "energy.import"),
    Commodity.COLD_WATER: ("volume.total", "volume.import"),
    Commodity.HOT_WATER: ("volume.total", "volume.import"),
    Commodity.PV: ("energy.total", "energy.export", "energy.import"),
}
"""The register that counts a point's consumption, first choice first, where its meter names none."""


def _check_aware(thing: str, at: datetime | None) -> None:
    if at is not None and at.tzinfo is None:
        raise InputError(f"{thing} {at.isoformat()} has no offset", remedy="write it as 2026-01-31T12:00:00+01:00")


def _check_amount(thing: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise InputError(f"{thing} {value} cannot be", remedy="write a number of zero or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An owner of buildings; `ico` is its Czech registration number (8 digits) where it has one."""

    id: str
    name: str
    ico: str = ""

    def __post_init__(self) -> None:
        check_id("organisation", self.id)
        check_text(f"name of organisation {self.id}", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A value that holds from a day on, until the next one of its kind."""

    since: date
    value: float
    kind: str = ""

    def __post_init__(self) -> None:
        _check_amount(f"value since {self.since}", self.value)


def in_force(values: tuple[Dated, ...], day: date, kind: str = "") -> float | None:
    """Return the value of a kind that holds on a day, None before the first."""
    known = [v for v in values if v.kind == kind and v.since <= day]
    return max(known, key=lambda v: v.since).value if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building: `areas` in m² of floor, `users` by kind (pupils, beds, staff), both dated."""

    id: str
    organisation: str
    name: str
    kind: BuildingKind = BuildingKind.OTHER
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    station: str = ""
    areas: tuple[Dated, ...] = ()
    users: tuple[Dated, ...] = ()

    def __post_init__(self) -> None:
        check_id("building", self.id)
        check_id(f"organisation of building {self.id}:", self.organisation)
        check_text(f"name of building {self.id}", self.name)
        for name, value in (("latitude", self.latitude), ("longitude", self.longitude)):
            if value is not None and not math.isfinite(value):
                raise InputError(f"{name} of building {self.id} is {value}", remedy="write degrees, or nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A part of a virtual point: a point's curve times +1 or -1."""

    point: str
    sign: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A metering point (odběrné místo): the place where something is measured, for ever.

    `code` is the EAN (electricity, 18 digits) or EIC (gas, 16 characters). `max_rate` is the most that can flow
    [kW or m³/h], `allowed_gap_h` the longest distance of two readings [h] over which the curve is a straight
    line; None lets the readings themselves tell. `reserved_kw` is dated. `terms` make a virtual point.
    """

    id: str
    building: str
    name: str
    commodity: Commodity
    role: Role = Role.BILLING
    code: str = ""
    parent: str = ""
    max_rate: float | None = None
    allowed_gap_h: float | None = None
    reserved_kw: tuple[Dated, ...] = ()
    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        check_id("point", self.id)
        check_id(f"building of point {self.id}:", self.building)
        check_text(f"name of point {self.id}", self.name)
        _check_amount(f"max_rate of point {self.id}", self.max_rate)
        _check_amount(f"allowed_gap_h of point {self.id}", self.allowed_gap_h)
        self._check_code()
        if (self.role is Role.VIRTUAL) != bool(self.terms):
            raise InputError(f"point {self.id}: a virtual point, and only one, has terms", remedy="name its parts")
        if self.parent == self.id:
            raise InputError(f"point {self.id} is its own parent", remedy="name the point above it, or none")

    def _check_code(self) -> None:
        if not self.code:
            return
        wrong = {
            Commodity.ELECTRICITY: not re.fullmatch(rf"\d{{{EAN_DIGITS}}}", self.code),
            Commodity.GAS: not re.fullmatch(rf"[0-9A-Z-]{{{EIC_LENGTH}}}", self.code),
        }.get(self.commodity, False)
        if wrong:
            raise InputError(
                f"code {self.code!r} of point {self.id} is no EAN or EIC",
                remedy=f"an EAN has {EAN_DIGITS} digits, an EIC {EIC_LENGTH} characters",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A device mounted on a point from an instant to another.

    `device` is the name under which its readings arrive. Consecutive meters of a point may share it (a gateway's
    topic) or have their own. `first` and `final` are dial readings at mounting and removal in canonical units,
    before `multiplier` (of current transformers, of pulses). `digits` are those before the decimal mark of the
    dial in `unit`. `register` is the one that counts, or the sum of its parts (`energy.import/t1+energy.import/t2`), of
    which `first` and `final` can only say that each showed zero; empty lets the commodity tell (MAIN_REGISTERS).
    """

    id: str
    point: str
    device: str
    mounted: datetime
    removed: datetime | None = None
    serial: str = ""
    register: str = ""
    unit: str = ""
    digits: int | None = None
    multiplier: float = 1.0
    first: float | None = None
    final: float | None = None

    def __post_init__(self) -> None:
        check_id("meter", self.id)
        check_id(f"point of meter {self.id}:", self.point)
        check_text(f"device of meter {self.id}", self.device)
        _check_aware(f"mounting of meter {self.id}", self.mounted)
        _check_aware(f"removal of meter {self.id}", self.removed)
        if self.removed is not None and self.removed <= self.mounted:
            raise InputError(f"meter {self.id} is removed before it is mounted", remedy="check both instants")
        if not (math.isfinite(self.multiplier) and self.multiplier > 0):
            raise InputError(f"multiplier {self.multiplier} of meter {self.id} cannot be", remedy="write one above 0")
        if self.digits is not None and not 1 <= self.digits <= 12:  # noqa: PLR2004 - no dial has more
            raise InputError(f"meter {self.id} has {self.digits} digits", remedy="write 1 to 12, or none")


@dataclass(frozen=True, slots=True, kw_only=True)
class DialEvent:
    """What an operator recorded of a dial: swap, reset or roll-over, at an instant.

    `final` is the dial's last reading before, `first` its first after, in canonical units; None where unknown.
    `meter` is the device's name as readings carry it, `new_device` the one of the meter mounted instead,
    where it has another.
    """

    id: str
    meter: str
    at: datetime
    kind: EventKind
    final: float | None = None
    first: float | None = None
    new_device: str = ""
    register: str = ""
    note: str = ""
    retracted: bool = False

    def __post_init__(self) -> None:
        check_id("event", self.id)
        check_text(f"meter of event {self.id}", self.meter)
        _check_aware(f"instant of event {self.id}", self.at)
        for name, value in (("final", self.final), ("first", self.first)):
            if value is not None and not math.isfinite(value):
                raise InputError(f"{name} of event {self.id} is {value}", remedy="write the dial reading")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A weather station: a place whose outdoor air temperature is a series of readings.

    Its readings arrive under the name `device` (empty: its own id) in `register`; `source` says who brings them.
    `fallbacks` are the stations that fill its missing days, first choice first. `altitude_m` is above the sea.
    """

    id: str
    name: str
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    source: StationSource = StationSource.OWN
    device: str = ""
    register: str = "temperature.total"
    fallbacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_id("station", self.id)
        check_text(f"name of station {self.id}", self.name)
        for name in ("latitude", "longitude", "altitude_m"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise InputError(f"{name} of station {self.id} is {value}", remedy="write a number, or nothing")
        if self.source is StationSource.OPEN_METEO and None in {self.latitude, self.longitude}:
            raise InputError(
                f"station {self.id} is fetched, but its place is not known", remedy="write latitude and longitude"
            )
        if self.id in self.fallbacks:
            raise InputError(f"station {self.id} stands in for itself", remedy="name other stations, or none")

    @property
    def arrives_as(self) -> str:
        """The name under which its readings arrive."""
        return self.device or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure (opatření) that saves at some points, in effect since a day.

    From `works_from` until `effective` the points are neither as before nor as after. `ended` is the first day of no
    effect any more. `activity` is the code of the action plan's activity that it carries out; empty: it is not of the
    plan. `expected_saving` is per year in `expected_unit` (energy or volume), over all its points of that unit.
    """

    id: str
    name: str
    points: tuple[str, ...]
    effective: date
    kind: MeasureKind = MeasureKind.OTHER
    works_from: date | None = None
    ended: date | None = None
    investment_czk: float | None = None
    subsidy_czk: float | None = None
    activity: str = ""
    expected_saving: float | None = None
    expected_unit: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_id("measure", self.id)
        check_text(f"name of measure {self.id}", self.name)
        if not self.points:
            raise InputError(f"measure {self.id} names no point", remedy="name the points where it saves")
        for point in self.points:
            check_id(f"point of measure {self.id}:", point)
        if len(set(self.points)) < len(self.points):
            raise InputError(f"measure {self.id} names a point twice", remedy="name each point once")
        self._check_dates()
        for name in ("investment_czk", "subsidy_czk", "expected_saving"):
            _check_amount(f"{name} of measure {self.id}", getattr(self, name))
        self._check_unit()

    def _check_dates(self) -> None:
        if self.works_from is not None and self.works_from > self.effective:
            raise InputError(
                f"measure {self.id} is in effect since {self.effective:%d.%m.%Y}, before its works begin",
                remedy="check works_from and effective",
            )
        if self.ended is not None and self.ended <= self.effective:
            raise InputError(f"measure {self.id} ends before it is in effect", remedy="check effective and ended")

    def _check_unit(self) -> None:
        if self.expected_saving is not None and not self.expected_unit:
            raise InputError(f"expected saving of measure {self.id} has no unit", remedy="write MWh, GJ or m³")
        if self.expected_unit and unit(self.expected_unit).quantity not in {Quantity.ENERGY, Quantity.VOLUME}:
            raise InputError(
                f"{self.expected_unit} of measure {self.id} is no unit of a saving", remedy="write MWh, GJ or m³"
            )

    @property
    def begins(self) -> date:
        """The first day that is not as before any more."""
        return self.works_from or self.effective

    def expected(self, canonical: str) -> float | None:
        """Return the expected saving per year in a canonical unit (kWh, m³), None where none of it is stated."""
        if self.expected_saving is None:
            return None
        written = unit(self.expected_unit)
        return self.expected_saving * written.scale / written.divisor if written.canonical == canonical else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A non-routine event at a point, from `since` until the day before `until` (None: for good).

    Without the event the point would have used u; with it, it uses u * factor, or u + `per_day` [kWh or m³ a day].
    With neither, the days are left out of models and savings. `who` says who determined it.
    """

    id: str
    point: str
    since: date
    kind: AdjustmentKind
    reason: str
    until: date | None = None
    factor: float | None = None
    per_day: float | None = None
    who: str = ""

    def __post_init__(self) -> None:
        check_id("adjustment", self.id)
        check_id(f"point of adjustment {self.id}:", self.point)
        check_text(f"reason of adjustment {self.id}", self.reason)
        if self.until is not None and self.until <= self.since:
            raise InputError(f"adjustment {self.id} ends before it begins", remedy="check since and until")
        if self.factor is not None and self.per_day is not None:
            raise InputError(f"adjustment {self.id} has a factor and an amount", remedy="write one of them, or none")
        if self.factor is not None and not (math.isfinite(self.factor) and self.factor > 0):
            raise InputError(
                f"factor {self.factor} of adjustment {self.id} cannot be",
                remedy="write one above 0, or none where its days are to be left out",
            )
        if self.per_day is not None and not math.isfinite(self.per_day):
            raise InputError(f"per_day {self.per_day} of adjustment {self.id} is no number", remedy="write a number")


Entity = (
    Organisation | Building | Point | Meter | DialEvent | Station | Measure | Adjustment
    | Goal | Area | Activity | Project | Indicator
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Register:
    """What a meter counts, as text `quantity.direction[/tariff][/phase]`: energy.import, volume.total/t1."""

    quantity: Quantity
    direction: str = "total"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the register of its text; raise InputError where the quantity is not known."""
        head, _, direction = text.partition(".")
        try:
            return cls(Quantity(head), direction or "total")
        except ValueError as err:
            raise InputError(f"register {text!r} is not known", remedy="write one such as energy.import") from err

    def __str__(self) -> str:
        return f"{self.quantity}.{self.direction}"
