"""The inventory: what points used, by which factor it counts, and what could not be determined and why.

Arrays have a row a point and a column a month, so that any scope and period can be added up from one computation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from analytics.emissions import emission_kg, factor_energy_kwh, gas_energy_kwh
from core.calendar import Bools, Longs
from core.factors import CARRIER_OF, WATER_SCOPE, Basis, CalorificRatio, Carrier, Factor, FactorTables, scope_of
from core.readings import Floats
from core.registry import Building, Commodity, Point
from services.monthly_use import MonthlyUse, Months

CUBIC_METRE: Final = "m³"


class Feed(NamedTuple):
    """What comes to a point and from whom; supplier empty where nobody said it."""

    carrier: Carrier
    supplier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Energy and emissions of k points in m months.

    `feeds` are the distinct feeds, `feed` (k, m) indexes them. `energy` is in kWh (gas: of gross calorific value) or
    m³ of water, NaN where not known. `location_kg` and `market_kg` are NaN where they cannot be determined. Factors by
    feed and month are None where the tables have none. `volume_m3` is gas metered in m³ for which no conversion is
    known, else 0.
    """

    months: Months
    points: tuple[Point, ...]
    feeds: tuple[Feed, ...]
    feed: Longs
    energy: Floats
    location_kg: Floats
    market_kg: Floats
    volume_m3: Floats
    measured: Floats
    estimated: Floats
    missing: Floats
    location_factors: tuple[tuple[Factor | None, ...], ...]
    market_factors: tuple[tuple[Factor | None, ...], ...]
    ratios: tuple[CalorificRatio | None, ...]

    def of(self, chosen: Bools) -> "Inventory":
        """Return the inventory of some points."""
        rows = {name: getattr(self, name)[chosen] for name in _BY_POINT}
        points = tuple(p for p, kept in zip(self.points, chosen.tolist(), strict=True) if kept)
        return replace(self, points=points, **rows)

    def carriers(self) -> list[Carrier]:
        """Return the carriers that occur, in their order."""
        there = {self.feeds[i].carrier for i in np.unique(self.feed).tolist()}
        return [c for c in Carrier if c in there]

    def is_of(self, carrier: Carrier) -> Bools:
        """Return where (k, m) a carrier is fed in."""
        mine = np.array([feed.carrier is carrier for feed in self.feeds], bool)
        return mine[self.feed] if len(self.feeds) else np.zeros(self.feed.shape, bool)


_BY_POINT: Final = (
    "feed", "energy", "location_kg", "market_kg", "volume_m3", "measured", "estimated", "missing",
)  # fmt: skip


def inventory(
    use: MonthlyUse,
    buildings: Mapping[str, Building],
    tables: FactorTables,
    *,
    versions: Mapping[str, int] | None = None,
) -> Inventory:
    """Return the inventory of what points used; PV is generation and has no place in it.

    `versions` names, by a factor's id, a former version to compute with.
    """
    kept = np.array([p.commodity in CARRIER_OF for p in use.points], bool)
    use = _of(use, kept)
    owners = [buildings[p.building].organisation if p.building in buildings else "" for p in use.points]
    feeds, feed = _feeds(use, owners, tables)
    factors = [_factors(f, use.months.firsts, tables, versions, market=False) for f in feeds]
    markets = [_factors(f, use.months.firsts, tables, versions, market=True) for f in feeds]
    energy, volume_m3 = _energy(use, owners, tables)
    ratio, rows = _ratios(use, owners, tables)
    natural = np.array([f.carrier is Carrier.GAS for f in feeds], bool)
    ratio = np.where(natural[feed], ratio, np.nan) if len(feeds) else ratio  # another fuel has another ratio
    return Inventory(
        months=use.months,
        points=use.points,
        feeds=feeds,
        feed=feed,
        energy=energy,
        location_kg=_emission(energy, feed, factors, ratio, use),
        market_kg=_emission(energy, feed, markets, ratio, use),
        volume_m3=volume_m3,
        measured=use.measured,
        estimated=use.estimated,
        missing=use.missing,
        location_factors=tuple(factors),
        market_factors=tuple(markets),
        ratios=rows,
    )


def _of(use: MonthlyUse, kept: Bools) -> MonthlyUse:
    pairs = [(p, u) for p, u, k in zip(use.points, use.unit, kept.tolist(), strict=True) if k]
    rows = {name: getattr(use, name)[kept] for name in ("amount", "measured", "estimated", "missing")}
    return replace(use, points=tuple(p for p, _ in pairs), unit=tuple(u for _, u in pairs), **rows)


def _feeds(use: MonthlyUse, owners: Sequence[str], tables: FactorTables) -> tuple[tuple[Feed, ...], Longs]:
    """Return the distinct feeds, and which one each point has in each month."""
    place: dict[Feed, int] = {}
    code = np.zeros(use.amount.shape, np.int64)
    for row, (point, owner) in enumerate(zip(use.points, owners, strict=True)):
        usual = Feed(CARRIER_OF[point.commodity], "")
        code[row] = place.setdefault(usual, len(place))
        if not any(s.commodity is point.commodity for s in tables.supplies):
            continue
        for column, first in enumerate(use.months.firsts):
            supply = tables.supply(point, owner, first)
            if supply is not None:
                code[row, column] = place.setdefault(Feed(supply.carrier, supply.supplier), len(place))
    return tuple(place), code


def _factors(
    feed: Feed, firsts: Sequence[date], tables: FactorTables, versions: Mapping[str, int] | None, *, market: bool
) -> tuple[Factor | None, ...]:
    return tuple(_factor(feed, first, tables, versions, market=market) for first in firsts)


def _factor(
    feed: Feed, day: date, tables: FactorTables, versions: Mapping[str, int] | None, *, market: bool
) -> Factor | None:
    """Return the factor of a feed.

    By location electricity has the grid's average whoever sold it; by market the supplier's, else the residual mix,
    else the grid's average, which the answer names (GHG Protocol Scope 2 Guidance, table 6.3). Anything else bought of
    a supplier has that supplier's, else the carrier's own.
    """
    own = tables.factor(feed.carrier, day, supplier=feed.supplier, versions=versions) if feed.supplier else None
    if feed.carrier is Carrier.ELECTRICITY and not market:
        own = None
    elif feed.carrier is Carrier.ELECTRICITY:
        own = own or tables.residual(day, versions)
    return own or tables.factor(feed.carrier, day, versions=versions)


def _energy(use: MonthlyUse, owners: Sequence[str], tables: FactorTables) -> tuple[Floats, Floats]:
    """Return energy [kWh] or water [m³], and the gas [m³] that could not be converted."""
    energy = use.amount.copy()
    unconverted = np.zeros_like(energy)
    for row, (point, unit) in enumerate(zip(use.points, use.unit, strict=True)):
        if point.commodity is Commodity.GAS and unit == CUBIC_METRE:
            rates = _conversions(point, owners[row], use.months.firsts, tables)
            energy[row] = gas_energy_kwh(use.amount[row], rates)
            unconverted[row] = np.where(np.isnan(rates), np.nan_to_num(use.amount[row]), 0.0)
        elif unit not in {"", _unit_of(point.commodity)}:
            energy[row] = np.nan
    return energy, unconverted


def _unit_of(commodity: Commodity) -> str:
    return CUBIC_METRE if scope_of(CARRIER_OF[commodity]) == WATER_SCOPE else "kWh"


def _conversions(point: Point, owner: str, firsts: Sequence[date], tables: FactorTables) -> Floats:
    found = [tables.conversion(point, owner, first) for first in firsts]
    return np.array([np.nan if c is None else c.kwh_per_m3 for c in found])


def _ratios(
    use: MonthlyUse, owners: Sequence[str], tables: FactorTables
) -> tuple[Floats, tuple[CalorificRatio | None, ...]]:
    """Return gross over net calorific value by point and month (NaN: not known), and each distinct one that is used."""
    values = np.full(use.amount.shape, np.nan)
    used: dict[tuple[str, int], CalorificRatio] = {}
    gas = [row for row, point in enumerate(use.points) if point.commodity is Commodity.GAS]
    general = not any(r.reach.points or r.reach.buildings or r.reach.organisations for r in tables.ratios)
    for row in gas:
        if general and row != gas[0]:
            values[row] = values[gas[0]]
            continue
        found = [tables.ratio(use.points[row], owners[row], first) for first in use.months.firsts]
        values[row] = [np.nan if r is None else r.gross_over_net for r in found]
        used.update({(r.id, r.provenance.version): r for r in found if r is not None})
    return values, tuple(used.values())


def _emission(
    energy: Floats, feed: Longs, factors: Sequence[tuple[Factor | None, ...]], ratio: Floats, use: MonthlyUse
) -> Floats:
    if not energy.size:
        return energy.copy()
    columns = np.arange(energy.shape[1])
    kg = np.array([[np.nan if f is None else f.kg for f in row] for row in factors])[feed, columns]
    net = np.array([[f is not None and f.basis is Basis.NET for f in row] for row in factors])[feed, columns]
    gas = np.array([p.commodity is Commodity.GAS for p in use.points], bool)
    counted = energy.copy()
    counted[gas] = factor_energy_kwh(energy[gas], ratio[gas], net=net[gas], gross_metered=True)
    return emission_kg(counted, kg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What could not be determined of a carrier: how much of it, over which months, and why."""

    code: str
    carrier: Carrier
    first: date
    last: date
    amount: float
    unit: str
    points: int
    supplier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUse:
    """A factor that was used, over which months of a period."""

    factor: Factor
    first: date
    last: date


def uses(found: Inventory, carrier: Carrier, columns: Longs, *, market: bool = False) -> list[FactorUse]:
    """Return the factors that a carrier's consumption in some months was multiplied with."""
    table = found.market_factors if market else found.location_factors
    used: dict[tuple[str, int], list[tuple[Factor, date]]] = {}
    mine = found.is_of(carrier) & (np.nan_to_num(found.energy) != 0)
    for number, feed in enumerate(found.feeds):
        if feed.carrier is not carrier:
            continue
        for column in columns.tolist():
            factor = table[number][column]
            if factor is not None and (mine[:, column] & (found.feed[:, column] == number)).any():
                key = (factor.id, factor.provenance.version)
                used.setdefault(key, []).append((factor, found.months.firsts[column]))
    return [
        FactorUse(factor=days[0][0], first=min(d for _, d in days), last=max(d for _, d in days))
        for days in used.values()
    ]


def lacks(found: Inventory, carrier: Carrier, columns: Longs, *, market: bool = False) -> Iterator[Lack]:
    """Yield what of a carrier could not be determined in some months, by reason and supplier."""
    kg = found.market_kg if market else found.location_kg
    energy, mine = found.energy[:, columns], found.is_of(carrier)[:, columns]
    undone = mine & np.isfinite(energy) & np.isnan(kg[:, columns])
    volume = np.where(mine, found.volume_m3[:, columns], 0.0)
    yield from _lack(found, carrier, columns, volume > 0, volume, "no_gas_conversion")
    yield from _lack(found, carrier, columns, undone & (energy < 0), np.abs(energy), "negative")
    undone &= energy > 0
    for number, feed in enumerate(found.feeds):
        here = undone & (found.feed[:, columns] == number)
        table = found.market_factors[number] if market else found.location_factors[number]
        blank = np.array([table[c] is None for c in columns.tolist()], bool)
        yield from _lack(found, carrier, columns, here & blank, energy, "no_factor", feed.supplier)
        yield from _lack(found, carrier, columns, here & ~blank, energy, "no_calorific_ratio", feed.supplier)


def _lack(  # noqa: PLR0917 - the parts of one answer
    found: Inventory,
    carrier: Carrier,
    columns: Longs,
    where: Bools,
    amount: Floats,
    code: str,
    supplier: str = "",
) -> Iterator[Lack]:
    if not where.any():
        return
    months = [found.months.firsts[columns[i]] for i in np.flatnonzero(where.any(axis=0)).tolist()]
    metered = code == "no_gas_conversion" or scope_of(carrier) == WATER_SCOPE
    yield Lack(
        code=code,
        carrier=carrier,
        first=months[0],
        last=months[-1],
        amount=float(amount[where].sum()),
        unit=CUBIC_METRE if metered else "kWh",
        points=int(where.any(axis=1).sum()),
        supplier=supplier,
    )
