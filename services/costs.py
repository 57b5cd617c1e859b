"""What points cost by period: each part of the bill with the price that made it, or why it is not known.

Costs are in Kč without VAT, with the VAT beside them where its rate is known. A part without a price is None: a bill is
whole only where every part of it is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from analytics.cost import amount_czk, standing_czk, vat_czk
from core.calendar import Bools
from core.readings import Floats
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Point
from core.tariffs import PARTS_OF, CapacityRule, Connection, CostPart, Price, Tariffs
from services.demand import DemandMonth, demand
from services.monthly_use import Ask, MonthlyUse, Months, monthly_use

CAPACITY_PARTS: Final = (CostPart.CAPACITY, CostPart.BREACH)
LOW_VOLTAGE: Final = "NN"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCost:
    """A part of a bill: `czk` None where `reasons` say why; `vat_czk` None where the rate is not known.

    `prices` and `rules` are what it was computed with, each with its version and source.
    """

    part: CostPart
    czk: float | None
    known_czk: float | None
    vat_czk: float | None
    prices: tuple[Price, ...]
    rules: tuple[CapacityRule, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointCost:
    """A point's bill of a period: `czk` None where a part lacks, `known_czk` the sum of what is known."""

    point: Point
    first: date
    end: date
    amount: float | None
    unit: str
    parts: tuple[PartCost, ...]
    czk: float | None
    known_czk: float | None
    vat_czk: float | None
    missing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What one more unit costs at a point on a day: the sum of the prices per unit known, and the parts without one."""

    czk: float | None
    unit: str
    prices: tuple[Price, ...]
    lacking: tuple[CostPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part by month: its cost and VAT (NaN: not known), by which prices and rules, and why not."""

    part: CostPart
    czk: Floats
    vat: Floats
    prices: tuple[Price | None, ...]
    rules: tuple[CapacityRule | None, ...]
    reasons: tuple[str, ...]


def costs(
    points: Sequence[Point],
    buildings: Mapping[str, Building],
    months: Months,
    *,
    ask: Ask,
    tables: RegionTables,
    with_demand: bool = True,
) -> list[PointCost]:
    """Return the bill of each point by period, points in their order; PV has none.

    `with_demand`: ask for quarter-hours, which capacity and breach need, of points that have reserved capacity.
    """
    paying = [p for p in points if p.commodity in PARTS_OF]
    use = monthly_use(ask, paying, months)
    found: list[PointCost] = []
    for row, point in enumerate(paying):
        owner = buildings[point.building].organisation if point.building in buildings else ""
        demanded = _demanded(point, owner, months, ask, tables) if with_demand else ()
        parts = list(_parts(use, row, owner, tables.tariffs, demanded))
        found += [_bill(use, row, place, parts) for place in range(months.size)]
    return found


def _demanded(point: Point, owner: str, months: Months, ask: Ask, tables: RegionTables) -> tuple[DemandMonth, ...]:
    if point.commodity is not Commodity.ELECTRICITY or not point.reserved_kw:
        return ()
    return demand(point, owner, months, ask=ask, tables=tables).months


def unit_price(point: Point, owner: str, day: date, tariffs: Tariffs) -> UnitPrice:
    """Return what one more kWh or m³ costs at a point on a day; None where no price per unit is known."""
    chosen = tariffs.prices_of(point, owner, day)
    paid = {price.id: price for price in chosen.values() if price.per_unit_czk is not None}
    lacking = tuple(p for p in PARTS_OF.get(point.commodity, ()) if p not in chosen and p not in FIXED)
    prices = tuple(paid.values())
    energy = [p for p in prices if CostPart.ENERGY in p.covers]
    return UnitPrice(
        czk=sum(p.per_unit_czk or 0.0 for p in prices) if energy else None,
        unit=energy[0].unit if energy else "",
        prices=prices,
        lacking=lacking,
    )


FIXED: Final = frozenset({CostPart.STANDING, *CAPACITY_PARTS})
"""Parts that one more unit does not change."""


def _parts(use: MonthlyUse, row: int, owner: str, tariffs: Tariffs, demanded: Sequence[DemandMonth]) -> Iterator[_Part]:
    point, firsts = use.points[row], use.months.firsts
    chosen = [tariffs.prices_of(point, owner, first) for first in firsts]
    connections = [tariffs.connection(point, owner, first) for first in firsts]
    owed = _shares(chosen)
    for part in PARTS_OF[point.commodity]:
        if part in CAPACITY_PARTS and point.commodity is Commodity.ELECTRICITY:
            yield _capacity(part, chosen, connections, demanded, len(firsts))
        else:
            yield _priced(part, use, row, [c.get(part) for c in chosen], owed)


def _shares(chosen: Sequence[Mapping[CostPart, Price]]) -> list[dict[str, CostPart]]:
    """Return by month the part under which a price that covers several is told: the first of them that it pays."""
    told: list[dict[str, CostPart]] = []
    for prices in chosen:
        first: dict[str, CostPart] = {}
        for part in CostPart:
            if part in prices:
                first.setdefault(prices[part].id, part)
        told.append(first)
    return told


def _priced(
    part: CostPart, use: MonthlyUse, row: int, prices: Sequence[Price | None], owed: Sequence[Mapping[str, CostPart]]
) -> _Part:
    unit = use.unit[row]
    mine = [p is not None and owed[i][p.id] is part for i, p in enumerate(prices)]
    fits = [p is not None and (p.per_unit_czk is None or p.unit == unit or not unit) for p in prices]
    per_unit = np.array([_per_unit(p, own=own, fits=ok) for p, own, ok in zip(prices, mine, fits, strict=True)])
    standing = np.array(
        [np.nan if p is None else (p.month_czk or 0.0) if own else 0.0 for p, own in zip(prices, mine, strict=True)]
    )
    rate = np.array([np.nan if p is None or p.vat_percent is None else p.vat_percent for p in prices])
    czk = amount_czk(use.amount[row], per_unit) + standing_czk(standing, np.ones(len(prices)))
    czk = np.where(np.isnan(use.amount[row]), np.nan, czk)
    reasons = tuple("no_price" if p is None else "" if ok else "price_unit" for p, ok in zip(prices, fits, strict=True))
    return _Part(
        part=part, czk=czk, vat=vat_czk(czk, rate), prices=tuple(prices), rules=(None,) * len(prices), reasons=reasons
    )


def _per_unit(price: Price | None, *, own: bool, fits: bool) -> float:
    """Return a price per unit: 0 of one told under another part, NaN of one that is not known or of another unit."""
    if price is None or not fits:
        return np.nan
    return (price.per_unit_czk or 0.0) if own else 0.0


def _capacity(
    part: CostPart,
    chosen: Sequence[Mapping[CostPart, Price]],
    connections: Sequence[Connection | None],
    demanded: Sequence[DemandMonth],
    count: int,
) -> _Part:
    """Return capacity or breach by month: by the year's rule, none at low voltage, none where a price covers it."""
    czk, reasons = np.full(count, np.nan), [""] * count
    rules: list[CapacityRule | None] = [None] * count
    for i in range(count):
        at, month = connections[i], demanded[i] if demanded else None
        if part in chosen[i] or (at is not None and at.level == LOW_VOLTAGE):
            czk[i] = 0.0
        elif month is None:
            reasons[i] = "no_connection" if at is None else "no_demand"
        else:
            value = month.capacity_czk if part is CostPart.CAPACITY else month.breach_czk
            czk[i], rules[i] = (np.nan if value is None else value), month.rule
            reasons[i] = "" if value is not None else _why(month)
    unknown = np.full(count, np.nan)
    return _Part(
        part=part,
        czk=czk,
        vat=vat_czk(czk, unknown),
        prices=(None,) * count,
        rules=tuple(rules),
        reasons=tuple(reasons),
    )


def _why(month: DemandMonth) -> str:
    order = ("no_connection", "no_rule", "no_reserved", "no_price")
    return next((code for code in order if code in month.reasons), "no_peak")


def _bill(use: MonthlyUse, row: int, place: int, parts: Sequence[_Part]) -> PointCost:
    inside = use.months.period == place
    asked = inside & np.isfinite(use.amount[row])
    first, end = use.months.span(place)
    made = tuple(_summed(part, asked) for part in parts)
    known = [p.known_czk for p in made if p.known_czk is not None]
    whole, vat = [p.czk for p in made], [p.vat_czk for p in made]
    hours = use.months.hours
    return PointCost(
        point=use.points[row],
        first=first,
        end=end,
        amount=float(use.amount[row, asked].sum()) if asked.any() else None,
        unit=use.unit[row],
        parts=made,
        czk=_sum(whole) if asked.any() else None,
        known_czk=float(sum(known)) if known else None,
        vat_czk=_sum(vat) if asked.any() else None,
        missing=float((use.missing[row] * hours)[inside].sum() / max(hours[inside].sum(), 1e-9)),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(sum(known)) if len(known) == len(values) else None


def _summed(part: _Part, asked: Bools) -> PartCost:
    czk, vat = part.czk[asked], part.vat[asked]
    there = np.isfinite(czk)
    where = np.flatnonzero(asked).tolist()
    lacking = [part.reasons[i] or "no_amount" for i, ok in zip(where, there.tolist(), strict=True) if not ok]
    prices = {(p.id, p.provenance.version): p for i in where if (p := part.prices[i]) is not None}
    rules = {(r.id, r.provenance.version): r for i in where if (r := part.rules[i]) is not None}
    return PartCost(
        part=part.part,
        czk=float(czk.sum()) if len(czk) and there.all() else None,
        known_czk=float(czk[there].sum()) if there.any() else None,
        vat_czk=float(vat.sum()) if len(vat) and np.isfinite(vat).all() else None,
        prices=tuple(prices.values()),
        rules=tuple(rules.values()),
        reasons=tuple(dict.fromkeys(lacking)),
    )
