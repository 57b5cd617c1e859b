# ruff: noqa: ANN401 - a small world is built of whatever a test says
"""A small region whose indicators can be computed by hand: three buildings, what their points used day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from config.action_plan import load_plan
from config.degree_days import load_normals
from config.factors import load_factors
from config.populations import load_populations
from config.tariffs import load_tariffs
from core.alerts import Alert, AlertFilter
from core.calendar import PRAGUE, instant, moment, spans
from core.dated_tables import Provenance
from core.errors import NotFound
from core.indicators import Scope, ScopeKind, Value
from core.plan import Indicator
from core.populations import Population
from core.region_tables import RegionTables
from core.registry import (
    Building,
    BuildingKind,
    Commodity,
    Dated,
    Entity,
    Meter,
    Organisation,
    Point,
    Role,
    Station,
)
from core.rollup import NANO
from services.consumption import PointConsumption, Question
from services.indicators import Evaluation, Inputs
from services.weather import StationDays

FIRST, LAST = date(2020, 1, 1), date(2026, 12, 31)
DAY = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
REGION = Scope()
SHIPPED = load_plan()
INDICATORS = {one.id: one for one in SHIPPED if isinstance(one, Indicator)}
EXPORT = "energy.export"


def building(key: str) -> Scope:
    return Scope(kind=ScopeKind.BUILDING, key=key)


def organisation(key: str) -> Scope:
    return Scope(kind=ScopeKind.ORGANISATION, key=key)


def day_of(text: str) -> int:
    return int((np.datetime64(text) - DAY[0]).astype(int))


def flat(per_day: float) -> np.ndarray:
    return np.full(len(DAY), per_day)


A = Building(
    id="A",
    organisation="O1",
    name="Gymnázium",
    kind=BuildingKind.SCHOOL,
    station="liberec",
    areas=(Dated(since=date(2015, 1, 1), value=1000.0),),
    users=(Dated(since=date(2015, 1, 1), value=100.0, kind="pupils"),),
)
B = Building(
    id="B",
    organisation="O2",
    name="Úřad",
    kind=BuildingKind.OFFICE,
    station="liberec",
    areas=(Dated(since=date(2015, 1, 1), value=500.0),),
    users=(Dated(since=date(2015, 1, 1), value=25.0, kind="staff"),),
)
C = Building(id="C", organisation="O2", name="Garáže")


def point(key: str, commodity: Commodity, role: Role = Role.BILLING, **more: Any) -> Point:
    return Point(id=key, building=key[0], name=key, commodity=commodity, role=role, **more)


POINTS = (
    point("A-el", Commodity.ELECTRICITY),
    point("A-gas", Commodity.GAS),
    point("A-water", Commodity.COLD_WATER),
    point("A-pv", Commodity.PV, Role.GENERATION),
    point("B-el", Commodity.ELECTRICITY),
    point("B-heat", Commodity.HEAT),
    point("B-water", Commodity.COLD_WATER),
    point("C-el", Commodity.ELECTRICITY),
)
STATION = Station(id="liberec", name="Liberec")
REGISTER: tuple[Entity, ...] = (
    Organisation(id="O1", name="Gymnázium"),
    Organisation(id="O2", name="Kraj"),
    A, B, C, *POINTS, STATION,
    Meter(id="A-pv", point="A-pv", device="pv", mounted=datetime(2019, 1, 1, tzinfo=UTC)),
    *SHIPPED,
)  # fmt: skip
UNITS = {Commodity.COLD_WATER: "m³", Commodity.HOT_WATER: "m³"}


def amounts() -> dict[str, np.ndarray]:
    """What the points use a day: kWh and m³."""
    return {
        "A-el": flat(100.0), "A-gas": flat(200.0), "A-water": flat(3.0), "A-pv": flat(30.0),
        "B-el": flat(50.0), "B-heat": flat(80.0), "B-water": flat(0.5), "C-el": flat(7.0),
        f"A-el/{EXPORT}": flat(10.0),
    }  # fmt: skip


@dataclass
class Days:
    """Answers questions of consumption of whole days and more from daily amounts; NaN is missing."""

    amounts: Mapping[str, np.ndarray]
    units: Mapping[str, str] = field(default_factory=dict)
    estimated: Mapping[str, np.ndarray] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> Sequence[PointConsumption]:
        self.asked.append(question)
        starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
        edges = [[_day(at) for at in side] for side in (starts, ends)]
        return [self._one(key, question.register, starts, ends, edges) for key in question.points]

    def _one(self, key: str, register: str, starts: np.ndarray, ends: np.ndarray, edges: list[list[int]]) -> Any:
        name = f"{key}/{register}" if register else key
        daily = self.amounts.get(name, np.full(len(DAY), np.nan))
        nano = np.rint(np.nan_to_num(daily) * NANO).astype(np.int64)
        known = np.isfinite(daily)
        rows = [(_part(nano, a, b), _part(known.astype(int), a, b), b - a) for a, b in zip(*edges, strict=True)]
        total, there, days = (np.array(column, np.int64) for column in zip(*rows, strict=True))
        share = there / days
        guess = self.estimated.get(key, np.zeros(len(DAY)))
        estimated = np.array([_part(guess, a, b) for a, b in zip(*edges, strict=True)]) / days
        none = np.full(len(starts), np.datetime64("NaT"), "M8[us]")
        return PointConsumption(
            point=key,
            register=register or "main",
            unit=self.units.get(key, "kWh"),
            starts=starts,
            ends=ends,
            amount=np.where(there > 0, total / NANO, np.nan),
            measured=share - estimated,
            estimated=estimated,
            missing=1.0 - share,
            first_at=none,
            last_at=none,
        )


def _day(at: np.datetime64) -> int:
    return (moment(at).astimezone(PRAGUE).date() - FIRST).days


def _part(values: np.ndarray, begin: int, end: int) -> Any:
    return values[max(begin, 0) : max(end, 0)].sum()


@dataclass
class Held:
    """A register in memory."""

    entities: Sequence[Entity]

    def get(self, kind: type, key: str) -> Any:
        found = [e for e in self.entities if type(e) is kind and e.id == key]
        if not found:
            raise NotFound(f"{kind.__name__} {key} is not in the register")
        return found[0]

    def find(self, kind: type, *, where: Mapping[str, str] | None = None) -> list[Any]:
        fits = [e for e in self.entities if type(e) is kind]
        return sorted(
            (e for e in fits if all(getattr(e, n) == v for n, v in (where or {}).items())), key=lambda e: e.id
        )

    def kept(self, key: str) -> str:
        del key
        return ""


@dataclass
class Air:
    """Temperatures of all stations: 0 °C from October to April, 20 °C else, unless told."""

    temp_c: np.ndarray

    def of_building(self, register: Any, building: Building) -> StationDays | None:
        if not building.station:
            return None
        register.get(Station, building.station)
        return StationDays(
            stations=(building.station,),
            day=DAY,
            temp_c=self.temp_c,
            source=np.zeros(len(DAY), np.int8),
            known_h=np.full(len(DAY), 24.0),
            bridges=(),
        )


def seasons(cold_c: float = 0.0) -> np.ndarray:
    month = DAY.astype("M8[M]").astype(int) % 12 + 1
    return np.where((month >= 10) | (month <= 4), cold_c, 20.0)


@dataclass
class Alerts:
    """Alerts in memory."""

    held: Sequence[Alert] = ()

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        del after, limit
        return [a for a in self.held if not asked.rules or a.rule in asked.rules]


PEOPLE = tuple(
    Population(
        id=f"lk-{year}",
        place="Liberecký kraj",
        at=date(year, 1, 1),
        inhabitants=450_000.0,
        series="after-census",
        provenance=Provenance(source="ČSÚ"),
    )
    for year in range(2022, 2028)
)


def dated(**other: Any) -> RegionTables:
    """The tables that ship, and inhabitants of every year."""
    tables = RegionTables(
        factors=load_factors(),
        tariffs=load_tariffs(),
        populations=(*load_populations(), *PEOPLE),
        normals=load_normals(),
    )
    return replace(tables, **other)


@dataclass
class World:
    """A region, and what it is told of."""

    amounts: dict[str, np.ndarray] = field(default_factory=amounts)
    entities: list[Entity] = field(default_factory=lambda: list(REGISTER))
    units: dict[str, str] = field(default_factory=dict)
    estimated: dict[str, np.ndarray] = field(default_factory=dict)
    temp_c: np.ndarray = field(default_factory=seasons)
    tables: RegionTables = field(default_factory=dated)
    cutoff: datetime = NOW
    alerts: tuple[Alert, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    def inputs(self) -> Inputs:
        units = {p.id: UNITS.get(p.commodity, "kWh") for p in self.entities if isinstance(p, Point)}
        ask = Days(self.amounts, units | self.units, self.estimated)
        return Inputs(
            register=Held(self.entities),
            version=7,
            ask=ask,
            cutoff=self.cutoff,
            dated=self.tables,
            stations=Air(self.temp_c),
            alerts=Alerts(self.alerts),
            **self.more,
        )

    def value(self, indicator: str | Indicator, first: str, end: str, scope: Scope = REGION) -> Value:
        one = INDICATORS[indicator] if isinstance(indicator, str) else indicator
        days = date.fromisoformat(first), date.fromisoformat(end)
        return Evaluation(self.inputs(), NOW).values([one], scope, *days)[0]

    def year(self, indicator: str | Indicator, year: int, scope: Scope = REGION) -> Value:
        return self.value(indicator, f"{year}-01-01", f"{year + 1}-01-01", scope)


def months(year: int) -> list[tuple[str, str]]:
    edges = [date(year, m, 1) for m in range(1, 13)] + [date(year + 1, 1, 1)]
    return [(a.isoformat(), b.isoformat()) for a, b in pairwise(edges)]


def days_in(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def codes(value: Value) -> list[str]:
    return [reason.code for reason in value.reasons]


def shares(value: Value, figure: str, kind: str) -> dict[str, float | None]:
    return {p.key: p.value for p in value.parts if p.figure == figure and p.kind == kind}
