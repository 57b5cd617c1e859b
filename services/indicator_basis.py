"""What values of one evaluation share: the scopes, the points that count, and what they used in a span, asked once."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np

from core.calendar import Bools, Longs
from core.errors import NotFound
from core.indicators import Coverage, Scope, ScopeKind
from core.readings import Floats
from core.registry import Building, Commodity, Measure, Organisation, Point, Role
from services.adding import addends
from services.emission_inventory import Inventory, inventory
from services.indicator_inputs import Inputs
from services.indicator_span import Span, atoms, span_of, use_of
from services.monthly_use import MonthlyUse

T = TypeVar("T")
ENERGY: Final = (Commodity.ELECTRICITY, Commodity.GAS, Commodity.HEAT)
HEATING: Final = (Commodity.GAS, Commodity.HEAT)
WATER: Final = (Commodity.COLD_WATER, Commodity.HOT_WATER)
LACKS_H: Final = 1.0
"""Hours of a span from which on a point that does not know them lacks something."""
_ROWS: Final = ("amount", "atoms", "known", "missing_h", "estimated_h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What k points used in the m pieces of a span: `atoms` in millionths of kWh or m³, 0 where nothing is `known`.

    `amount` is in each point's own unit (`units`), NaN where nothing is known. `missing_h` and `estimated_h` are hours
    of the days that are over. `found` holds energy and emissions.
    """

    points: tuple[Point, ...]
    units: tuple[str, ...]
    span: Span
    found: Inventory
    amount: Floats
    atoms: Longs
    known: Bools
    missing_h: Floats
    estimated_h: Floats

    def of(self, points: Iterable[str]) -> "Use":
        """Return the use of some of the points."""
        wanted = set(points)
        chosen = np.array([p.id in wanted for p in self.points], bool)
        rows = {name: getattr(self, name)[chosen] for name in _ROWS}
        kept = tuple(p for p in self.points if p.id in wanted)
        units = tuple(u for p, u in zip(self.points, self.units, strict=True) if p.id in wanted)
        return replace(self, points=kept, units=units, found=self.found.of(chosen), **rows)

    def of_kind(self, commodities: Sequence[Commodity]) -> "Use":
        """Return the use of the points of some commodities."""
        return self.of(p.id for p in self.points if p.commodity in commodities)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The points that do not know all of what is over."""
        return tuple(p.id for p, h in zip(self.points, self.missing_h.sum(axis=1), strict=True) if h >= LACKS_H)

    @property
    def nothing(self) -> bool:
        """Whether nothing is known of any point."""
        return not self.known.any()

    def coverage(self) -> Coverage:
        """Return the shares of the time that is over, alike for each point."""
        over = float(self.span.over_h.sum()) * len(self.points)
        missing, estimated = float(self.missing_h.sum()), float(self.estimated_h.sum())
        shares = (missing / over, estimated / over) if over else (1.0, 0.0)
        return Coverage(
            measured=max(1.0 - shares[0] - shares[1], 0.0),
            estimated=shares[1],
            missing=shares[0],
            points=len(self.points),
            lacking=self.lacking,
        )


class Basis:
    """What was asked for the values of one evaluation, so that it is asked once."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.buildings: Mapping[str, Building] = {b.id: b for b in inputs.register.find(Building)}
        self.points: Mapping[str, Point] = {p.id: p for p in inputs.register.find(Point)}
        self._once: dict[tuple[Hashable, ...], Any] = {}

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """All measures of the register."""
        return tuple(self.inputs.register.find(Measure))

    @cached_property
    def counted(self) -> tuple[Point, ...]:
        """The points of energy and water whose sum counts nothing twice, without what is made on the spot.

        Hot water counts where it is bought; made of cold water in the house, it is counted by the cold water's meter.
        """
        bought = [p for p in self.points.values() if p.commodity in (*ENERGY, *WATER) and p.role is not Role.GENERATION]
        cold = [p for p in bought if p.commodity is not Commodity.HOT_WATER or p.role is Role.BILLING]
        return addends(cold, self.points).points

    @cached_property
    def generating(self) -> tuple[Point, ...]:
        """The points of one's own photovoltaics."""
        return addends([p for p in self.points.values() if p.commodity is Commodity.PV], self.points).points

    @cached_property
    def replacing(self) -> tuple[Point, ...]:
        """The points of water that takes the place of drinking water: own water, by the role of generation."""
        own = [p for p in self.points.values() if p.commodity in WATER and p.role is Role.GENERATION]
        return addends(own, self.points).points

    def buildings_of(self, scope: Scope) -> list[Building]:
        """Return the buildings of a scope by id; raise NotFound for one that is not in the register."""
        if scope.kind is ScopeKind.BUILDING:
            if scope.key not in self.buildings:
                raise NotFound(f"building {scope.key} is not in the register")
            return [self.buildings[scope.key]]
        if scope.kind is ScopeKind.ORGANISATION:
            self.inputs.register.get(Organisation, scope.key)
            return [b for b in self.buildings.values() if b.organisation == scope.key]
        return list(self.buildings.values())

    def within(self, points: Sequence[Point], scope: Scope) -> list[Point]:
        """Return those of these points that stand in a scope."""
        held = {b.id for b in self.buildings_of(scope)}
        return [p for p in points if p.building in held]

    def span(self, first: date, end: date) -> Span:
        """Return a span as it is known at the cut-off."""
        return self.once(("span", first, end), lambda: span_of(first, end, self.inputs.cutoff, self.inputs.zone))

    def use(self, first: date, end: date) -> Use:
        """Return what all points that count used in a span."""
        return self.once(("use", first, end), lambda: self._used(self.span(first, end)))

    def once(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """Return what is kept under a key, made where it is asked for first."""
        if key not in self._once:
            self._once[key] = make()
        found: T = self._once[key]
        return found

    def _used(self, span: Span) -> Use:
        use = use_of(self.inputs.ask, self.counted, span)
        found = inventory(use, self.buildings, self.inputs.dated.factors, versions=self.inputs.versions)
        missing_h, estimated_h = hours_over(use, span)
        return Use(
            points=use.points,
            units=use.unit,
            span=span,
            found=found,
            amount=use.amount,
            atoms=atoms(found.energy),
            known=np.isfinite(found.energy),
            missing_h=missing_h,
            estimated_h=estimated_h,
        )

    def use_in(self, scope: Scope, first: date, end: date, commodities: Sequence[Commodity]) -> Use:
        """Return what the points of some commodities in a scope used."""
        chosen = [p.id for p in self.within(self.counted, scope) if p.commodity in commodities]
        return self.use(first, end).of(chosen)


def hours_over(use: MonthlyUse, span: Span) -> tuple[Floats, Floats]:
    """Return the missing and the estimated hours (k, m) of the days that are over."""
    hours, over = use.months.hours, span.over_h
    missing = np.clip(use.missing * hours - (hours - over), 0.0, over)
    return missing, np.minimum(use.estimated * hours, over - missing)


def rows_known(known: Bools) -> list[bool]:
    """Return of which rows (k, m) anything is known."""
    return [bool(there) for there in np.logical_or.reduce(known, axis=1).tolist()]
