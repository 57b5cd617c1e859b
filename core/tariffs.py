"""Prices and the rules of the year: contracts, the network's prices, reserved capacity. Dated, sourced, versioned.

Prices are in Kč without VAT; `vat_percent` is the rate to add, None where nobody said it. What is not in the table is
not known: a cost that needs it says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from core.dated_tables import Provenance, Reach, Validity, check_positive
from core.errors import InputError
from core.registry import Commodity, Point


class CostPart(StrEnum):
    """What a bill is made of."""

    ENERGY = "energy"
    STANDING = "standing"
    NETWORK = "network"
    CAPACITY = "capacity"
    BREACH = "breach"
    SYSTEM = "system"
    RENEWABLES = "renewables"
    TAX = "tax"
    SEWAGE = "sewage"


PARTS_OF: Final = {
    Commodity.ELECTRICITY: (
        CostPart.ENERGY, CostPart.STANDING, CostPart.NETWORK, CostPart.CAPACITY, CostPart.BREACH, CostPart.SYSTEM,
        CostPart.RENEWABLES, CostPart.TAX,
    ),
    Commodity.GAS: (CostPart.ENERGY, CostPart.STANDING, CostPart.NETWORK, CostPart.CAPACITY, CostPart.TAX),
    Commodity.HEAT: (CostPart.ENERGY, CostPart.STANDING),
    Commodity.COLD_WATER: (CostPart.ENERGY, CostPart.STANDING, CostPart.SEWAGE),
    Commodity.HOT_WATER: (CostPart.ENERGY, CostPart.STANDING, CostPart.SEWAGE),
}  # fmt: skip
"""The parts without which a bill of a commodity is not whole; of water, energy is the water itself (vodné)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price that an operator entered, or that a regulator set, for points of a commodity.

    Per unit [Kč/kWh or Kč/m³] and standing [Kč/month]. `covers` are the parts of the bill that it pays; `distributor`
    and `level` narrow a network's price to points connected so.
    """

    id: str
    commodity: Commodity
    valid: Validity
    provenance: Provenance
    per_unit_czk: float | None = None
    unit: str = "kWh"
    month_czk: float | None = None
    covers: tuple[CostPart, ...] = (CostPart.ENERGY,)
    vat_percent: float | None = None
    distributor: str = ""
    level: str = ""
    reach: Reach = field(default_factory=Reach)

    def __post_init__(self) -> None:
        check_positive(f"price {self.id}:", self.per_unit_czk, zero=True)
        check_positive(f"standing price {self.id}:", self.month_czk, zero=True)
        if self.per_unit_czk is None and self.month_czk is None:
            raise InputError(f"price {self.id} has no price", remedy="write price with its unit, or month_czk")
        if not self.covers:
            raise InputError(f"price {self.id} covers nothing", remedy="name parts such as energy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """To whose network and at which voltage level points are connected (NN, VN, VVN)."""

    id: str
    distributor: str
    level: str
    valid: Validity
    reach: Reach = field(default_factory=Reach)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedRule:
    """Electricity until 2026: capacity is reserved for a year and for single months [Kč/kW and month].

    A breach costs `breach_czk_kw` for each kW by which a month's highest quarter-hour exceeds what was reserved; one
    of the reserved input power `input_breach_czk_kw`, and where both happen the higher charge alone. None: not known.
    """

    id: str
    distributor: str
    level: str
    valid: Validity
    provenance: Provenance
    yearly_czk_kw: float | None = None
    monthly_czk_kw: float | None = None
    breach_czk_kw: float | None = None
    input_breach_czk_kw: float | None = None

    def __post_init__(self) -> None:
        for name in ("yearly_czk_kw", "monthly_czk_kw", "breach_czk_kw", "input_breach_czk_kw"):
            check_positive(f"{name} of {self.id}:", getattr(self, name), zero=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One of the prices of a measured rule [Kč/kW and month]: of reserved input power and of the month's maximum."""

    name: str
    input_czk_kw: float
    maximum_czk_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRule:
    """Electricity from 2027: each month the cheaper of the plans, over reserved input power and measured maximum."""

    id: str
    distributor: str
    level: str
    valid: Validity
    provenance: Provenance
    plans: tuple[Plan, ...]
    input_breach_czk_kw: float | None = None

    def __post_init__(self) -> None:
        if not self.plans:
            raise InputError(f"rule {self.id} has no plan", remedy="add [[measured.plan]] with its two prices")
        for plan in self.plans:
            check_positive(f"prices of plan {plan.name} of {self.id}:", plan.input_czk_kw, zero=True)
            check_positive(f"prices of plan {plan.name} of {self.id}:", plan.maximum_czk_kw, zero=True)


CapacityRule = ReservedRule | MeasuredRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """All prices and rules, every version of them."""

    prices: tuple[Price, ...] = ()
    connections: tuple[Connection, ...] = ()
    rules: tuple[CapacityRule, ...] = ()

    def connection(self, point: Point, organisation: str, day: date) -> Connection | None:
        """Return how a point is connected on a day, None where nobody said it."""
        fits = [(c.reach.closeness(point, organisation), c) for c in self.connections if c.valid.holds(day)]
        fits = [(near, c) for near, c in fits if near >= 0]
        return max(fits, key=lambda pair: (pair[0], pair[1].valid.since), default=(0, None))[1]

    def rule(self, connection: Connection | None, day: date) -> CapacityRule | None:
        """Return the rule of reserved capacity for a connection on a day; None where the table has none."""
        if connection is None:
            return None
        fits = [
            r
            for r in self.rules
            if r.valid.holds(day) and (r.distributor, r.level) == (connection.distributor, connection.level)
        ]
        return max(fits, key=lambda r: (r.valid.since, r.provenance.version), default=None)

    def prices_of(self, point: Point, organisation: str, day: date) -> dict[CostPart, Price]:
        """Return the price that pays each part of a point's bill on a day; parts without one are not in it.

        The one that means the point most closely pays; of equals the one that began last, of the newest version.
        """
        at = self.connection(point, organisation, day)
        chosen: dict[CostPart, tuple[tuple[int, date, int], Price]] = {}
        for price in self.prices:
            near = price.reach.closeness(point, organisation)
            if near < 0 or price.commodity is not point.commodity or not price.valid.holds(day) or not _fits(price, at):
                continue
            rank = (near, price.valid.since, price.provenance.version)
            for part in price.covers:
                if part not in chosen or chosen[part][0] < rank:
                    chosen[part] = (rank, price)
        return {part: price for part, (_, price) in chosen.items()}


def _fits(price: Price, at: Connection | None) -> bool:
    if not price.distributor and not price.level:
        return True
    return at is not None and price.distributor in {"", at.distributor} and price.level in {"", at.level}


def overlapping(rows: Sequence[Connection]) -> tuple[Connection, Connection] | None:
    """Return two connections that mean the same points at once, None where there are none."""
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            if one.reach == other.reach and one.valid.overlaps(other.valid):
                return one, other
    return None
