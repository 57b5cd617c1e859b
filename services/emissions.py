"""Emissions of a scope by period: by carrier and scope, by location and market, per inhabitant and per user.

A total that lacks a factor is None; what is known of it stands beside it, with what is lacking and why. Water is told
apart and in no total; generation of one's own lowers what is bought, and what it avoided stands outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from analytics.emissions import OwnPower, by_period, own_power, per_head
from analytics.energy_use import time_mean
from core.calendar import Longs
from core.factors import WATER_SCOPE, Carrier, Factor, scope_of
from core.populations import PeriodPopulation, population_of
from core.readings import Floats
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Dated, Point, Role
from services.emission_inventory import FactorUse, Inventory, Lack, inventory, lacks, uses
from services.monthly_use import Ask, Months, monthly_use

EXPORT: Final = "energy.export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose emissions: points that may be added up, and the buildings that they stand in, by id."""

    points: tuple[Point, ...]
    buildings: Mapping[str, Building]

    @property
    def chosen(self) -> list[Building]:
        """The buildings that the points stand in."""
        return [self.buildings[key] for key in dict.fromkeys(p.building for p in self.points) if key in self.buildings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """An emission by location or market in a period; `kg` is None where something is lacking, `known_kg` is not."""

    kg: float | None
    known_kg: float | None
    factors: tuple[FactorUse, ...]
    lacks: tuple[Lack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierPeriod:
    """A carrier in a period: `energy` in kWh (gas of gross calorific value) or m³ of water, and its emission."""

    carrier: Carrier
    scope: int
    unit: str
    energy: float | None
    location: Basis
    market: Basis
    measured: float
    estimated: float
    missing: float
    points: int
    lacking: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """How many share an emission; None where `reason` says why. `made_of` tells of inhabitants by which states."""

    count: float | None
    reason: str = ""
    made_of: PeriodPopulation | None = None
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionPeriod:
    """A period's inventory; water is in `carriers`, in no total. Kilograms a head are of the total by location."""

    first: date
    end: date
    carriers: tuple[CarrierPeriod, ...]
    location_kg: float | None
    location_known_kg: float | None
    market_kg: float | None
    market_known_kg: float | None
    scopes_kg: Mapping[int, float | None]
    inhabitants: Heads
    users: Heads
    kg_per_inhabitant: float | None
    kg_per_user: float | None
    measured: float
    estimated: float
    missing: float


def emissions(
    scope: Scope, months: Months, *, ask: Ask, tables: RegionTables, versions: Mapping[str, int] | None = None
) -> list[EmissionPeriod]:
    """Return the inventory of a scope by period."""
    found = inventory(monthly_use(ask, scope.points, months), scope.buildings, tables.factors, versions=versions)
    return [summed(found, place, scope, tables) for place in range(months.size)]


def summed(found: Inventory, place: int, scope: Scope, tables: RegionTables) -> EmissionPeriod:
    """Return a period of an inventory, added up."""
    columns = np.flatnonzero(found.months.period == place)
    first, end = found.months.span(place)
    rows = tuple(_carrier(found, carrier, columns) for carrier in found.carriers())
    energy = [row for row in rows if row.scope != WATER_SCOPE]
    inhabitants, users = _inhabitants(tables, first, end), users_of(scope.chosen, first, end)
    location, known = _total([row.location for row in energy])
    market, market_known = _total([row.market for row in energy])
    points = sum(row.points for row in energy) or 1
    shares = {n: sum(getattr(r, n) * r.points for r in energy) / points for n in ("measured", "estimated", "missing")}
    return EmissionPeriod(
        first=first,
        end=end,
        carriers=rows,
        location_kg=location,
        location_known_kg=known,
        market_kg=market,
        market_known_kg=market_known,
        scopes_kg={s: _total([r.location for r in rows if r.scope == s])[0] for s in sorted({r.scope for r in rows})},
        inhabitants=inhabitants,
        users=users,
        kg_per_inhabitant=per_head(location, inhabitants.count),
        kg_per_user=per_head(location, users.count),
        **shares,
    )


def _total(parts: Sequence[Basis]) -> tuple[float | None, float | None]:
    known = [p.known_kg for p in parts if p.known_kg is not None]
    whole = [p.kg for p in parts if p.kg is not None]
    complete = bool(whole) and not any(p.lacks for p in parts)
    return (float(sum(whole)) if complete else None), (float(sum(known)) if known else None)


def _carrier(found: Inventory, carrier: Carrier, columns: Longs) -> CarrierPeriod:
    mine = found.is_of(carrier)[:, columns]
    there = mine.any(axis=1)
    energy = np.where(mine, found.energy[:, columns], np.nan)
    known = np.isfinite(energy)
    hours = np.where(mine, found.months.hours[columns], 0.0)
    shares = {
        name: float((getattr(found, name)[:, columns] * hours).sum() / max(hours.sum(), 1e-9))
        for name in ("measured", "estimated", "missing")
    }
    scope = scope_of(carrier)
    return CarrierPeriod(
        carrier=carrier,
        scope=scope,
        unit="m³" if scope == WATER_SCOPE else "kWh",
        energy=float(np.nansum(energy)) if known.any() else None,
        location=_basis(found, carrier, columns, market=False),
        market=_basis(found, carrier, columns, market=True),
        points=int(there.sum()),
        lacking=int((there & ~known.any(axis=1)).sum()),
        **shares,
    )


def _basis(found: Inventory, carrier: Carrier, columns: Longs, *, market: bool) -> Basis:
    kg = np.where(found.is_of(carrier), found.market_kg if market else found.location_kg, np.nan)[:, columns]
    missing = tuple(lacks(found, carrier, columns, market=market))
    known = float(np.nansum(kg)) if np.isfinite(kg).any() else None
    return Basis(
        kg=None if missing else known,
        known_kg=known,
        factors=tuple(uses(found, carrier, columns, market=market)),
        lacks=missing,
    )


def _inhabitants(tables: RegionTables, first: date, end: date) -> Heads:
    found = population_of(tables.populations, tables.place, first, end)
    return Heads(count=found.inhabitants, reason=found.reason, made_of=found)


def users_of(buildings: Sequence[Building], first: date, end: date) -> Heads:
    """Return how many use buildings in a period, of all kinds, by the days that each number held.

    Buildings without any number for the whole of it are named in `lacking`; where none has one, the count is None.
    """
    counts: list[float] = []
    lacking: list[str] = []
    for building in buildings:
        kinds = dict.fromkeys(v.kind for v in building.users)
        means = [mean_of(building.users, first, end, kind) for kind in kinds]
        known = [m for m in means if m is not None]
        if known and len(known) == len(means):
            counts.append(sum(known))
        else:
            lacking.append(building.id)
    reason = "no_users" if not counts else "users_lacking" if lacking else ""
    return Heads(count=sum(counts) if counts and not lacking else None, reason=reason, lacking=tuple(lacking))


def mean_of(values: Sequence[Dated], first: date, end: date, kind: str = "") -> float | None:
    """Return the mean of a dated value in [first, end) by days; None where it does not hold from its begin."""
    mine = sorted((v for v in values if v.kind == kind), key=lambda v: v.since)
    edges = sorted({first, end, *(v.since for v in mine if first < v.since < end)})
    days = np.array([(b - a).days for a, b in pairwise(edges)], np.float64)
    held = [max((v for v in mine if v.since <= a), key=lambda v: v.since, default=None) for a in edges[:-1]]
    amounts = np.array([np.nan if v is None else v.value for v in held], np.float64)
    return time_mean(amounts, days)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPeriod:
    """A period's own generation [kWh] and what it avoided [kg], by the grid's factor: beside the inventory, not in it.

    None where it cannot be determined: `reasons` (no_generation_data, no_export, no_factor).
    """

    first: date
    end: date
    generation_kwh: float | None
    self_kwh: float | None
    export_kwh: float | None
    avoided_self_kg: float | None
    avoided_export_kg: float | None
    consumption_kwh: float | None
    reasons: tuple[str, ...]

    @property
    def self_use(self) -> float | None:
        """The share of the generation that was used where it was made."""
        return _share(self.self_kwh, self.generation_kwh)

    @property
    def self_sufficiency(self) -> float | None:
        """The share of the consumption that came from one's own generation."""
        if self.self_kwh is None or self.consumption_kwh is None:
            return None
        return _share(self.self_kwh, self.consumption_kwh + self.self_kwh)


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def own_generation(
    scope: Scope, months: Months, *, ask: Ask, tables: RegionTables, versions: Mapping[str, int] | None = None
) -> list[OwnPeriod]:
    """Return the own generation of a scope by period; empty where it has none.

    Generation is what PV points count, export what the electricity points of the same buildings give out.
    """
    generating = [p for p in scope.points if p.commodity is Commodity.PV and p.role is not Role.VIRTUAL]
    if not generating:
        return []
    homes = {p.building for p in generating}
    grid = [p for p in scope.points if p.commodity is Commodity.ELECTRICITY]
    made = monthly_use(ask, generating, months).amount.sum(axis=0)
    at_home = [p for p in grid if p.building in homes]
    out = monthly_use(ask, at_home, months, register=EXPORT).amount
    there = np.isfinite(out).any(axis=1)  # a point that has no such register at all exports nothing that is known
    export = out[there].sum(axis=0) if there.any() else np.full(len(months.starts), np.nan)
    bought = monthly_use(ask, grid, months).amount
    used = own_power(made, export)
    factors = [tables.factors.factor(Carrier.ELECTRICITY, d, versions=versions) for d in months.firsts]
    return [_own(months, place, made, used, bought, factors) for place in range(months.size)]


def _own(  # noqa: PLR0917 - the parts of one answer
    months: Months, place: int, made: Floats, used: OwnPower, bought: Floats, factors: Sequence[Factor | None]
) -> OwnPeriod:
    kg = np.array([np.nan if f is None else f.kg for f in factors])
    first, end = months.span(place)

    def over(values: Floats) -> float | None:
        total = by_period(values, np.where(months.period == place, 0, -1), 1).total[0]
        return float(total) if np.isfinite(total) else None

    avoided, avoided_out = over(used.self_kwh * kg), over(used.export_kwh * kg)
    told = {
        "no_generation_data": over(made) is None,
        "no_export": over(made) is not None and over(used.self_kwh) is None,
        "no_factor": over(used.self_kwh) is not None and avoided is None,
    }
    return OwnPeriod(
        first=first,
        end=end,
        generation_kwh=over(made),
        self_kwh=over(used.self_kwh),
        export_kwh=over(used.export_kwh),
        avoided_self_kg=avoided,
        avoided_export_kg=avoided_out,
        consumption_kwh=over(bought.sum(axis=0)) if len(bought) else None,
        reasons=tuple(code for code, holds in told.items() if holds),
    )
