"""The change of emissions between two spans, split by cause, exactly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from analytics.attribution import MG_PER_KG, MG_PER_T, Cause, Side, Split, Undetermined, split, together
from core.factors import CARRIER_OF, WATER_SCOPE, Carrier, scope_of
from core.populations import population_of
from core.region_tables import RegionTables
from core.registry import Point
from services.emission_inventory import Inventory, inventory
from services.emissions import Scope
from services.monthly_use import Ask, Months, monthly_use

__all__ = [
    "MG_PER_KG", "MG_PER_T", "MOST_MISSING", "CarrierChange", "Cause", "Change", "Split", "Undetermined", "Weather",
    "change",
]  # fmt: skip

MOST_MISSING: Final = 0.02
"""Where more than this share of either span is missing, a change says more of the data than of the buildings."""

Edges = tuple[date, date]
Weather = Callable[[Sequence[Point], Edges, Edges], Mapping[str, float | None]]
"""Tells what the weather of a second span made points use more than that of a first [kWh as metered]; None, or no
entry: not known. The weather of the first span is the normal one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierChange:
    """A carrier's change: its split in t and a head, or why there is none; shares missing before and after.

    `normalised` is the share of the consumption after of which weather's part is known.
    """

    carrier: Carrier
    before_kwh: float | None
    after_kwh: float | None
    total: Split | Undetermined
    each: Split | Undetermined
    missing_before: float
    missing_after: float
    normalised: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of a scope: what could be split added up, and by carrier. `whole`: every carrier could be split."""

    before: tuple[date, date]
    after: tuple[date, date]
    total: Split
    each: Split | None
    carriers: tuple[CarrierChange, ...]
    inhabitants: tuple[float | None, float | None]

    @property
    def whole(self) -> bool:
        """Whether every carrier could be split."""
        return not any(isinstance(c.total, Undetermined) for c in self.carriers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """One of the two spans: its inventory, normalised consumption by point, inhabitants."""

    found: Inventory
    normal: Mapping[str, float | None]
    inhabitants: float | None


def change(
    scope: Scope,
    before: Months,
    after: Months,
    *,
    ask: Ask,
    tables: RegionTables,
    weather: Weather | None = None,
    most_missing: float = MOST_MISSING,
    versions: Mapping[str, int] | None = None,
) -> Change:
    """Return the change from one span of whole months to another, each given as months of one period."""
    spans, points = (before.span(0), after.span(0)), [p for p in scope.points if p.commodity in CARRIER_OF]
    made = weather(points, *spans) if weather else {}
    sides = []
    for months, span, sign in ((before, spans[0], 0.0), (after, spans[1], 1.0)):
        use = monthly_use(ask, scope.points, months)
        found = inventory(use, scope.buildings, tables.factors, versions=versions)
        people = population_of(tables.populations, tables.place, *span).inhabitants
        sides.append(_Span(found=found, normal=_without(found, made, sign), inhabitants=people))
    first, last = sides
    kinds = dict.fromkeys([*first.found.carriers(), *last.found.carriers()])
    rows = tuple(_carrier(c, first, last, most_missing) for c in kinds if scope_of(c) != WATER_SCOPE)
    each = [row.each for row in rows if isinstance(row.each, Split)]
    return Change(
        before=spans[0],
        after=spans[1],
        total=together([row.total for row in rows if isinstance(row.total, Split)]),
        each=together(each) if each else None,
        carriers=rows,
        inhabitants=(first.inhabitants, last.inhabitants),
    )


def _without(found: Inventory, made: Mapping[str, float | None], sign: float) -> dict[str, float | None]:
    """Return what points used less what the weather made of it; None where that is not known."""
    used = np.nansum(found.energy, axis=1).tolist()
    told = [made.get(p.id) for p in found.points]
    return {p.id: None if w is None else u - sign * w for p, u, w in zip(found.points, used, told, strict=True)}


def _carrier(carrier: Carrier, before: _Span, after: _Span, most_missing: float) -> CarrierChange:
    first, last = _side(carrier, before, after), _side(carrier, after, before)
    lost = [_missing(carrier, span.found) for span in (before, after)]
    too_little = Undetermined(reason="missing") if max(lost) > most_missing else None
    return CarrierChange(
        carrier=carrier,
        before_kwh=first.energy_kwh,
        after_kwh=last.energy_kwh,
        total=too_little or split(first, last),
        each=too_little or split(first, last, per_inhabitant=True),
        missing_before=lost[0],
        missing_after=lost[1],
        normalised=_normalised(carrier, after, before),
    )


def _missing(carrier: Carrier, found: Inventory) -> float:
    hours = np.where(found.is_of(carrier), found.months.hours, 0.0)
    return float((found.missing * hours).sum() / hours.sum()) if hours.sum() else 0.0


def _side(carrier: Carrier, span: _Span, other: _Span) -> Side:
    """Return a carrier in a span; a point normalised in one span alone counts as it was in both."""
    found = span.found
    mine = found.is_of(carrier)
    energy = np.where(mine, found.energy, 0.0)
    kg = np.where(mine, found.location_kg, 0.0)
    known = np.isfinite(energy) & mine
    undone = known & (energy != 0) & ~np.isfinite(kg)
    if not mine.any():
        return Side(energy_kwh=0.0, emission_kg=0.0, normal_kwh=0.0, inhabitants=span.inhabitants)
    return Side(
        energy_kwh=float(energy[known].sum()) if known.any() else None,
        emission_kg=None if undone.any() or not known.any() else float(kg[known].sum()),
        normal_kwh=_normal(carrier, span, other),
        inhabitants=span.inhabitants,
    )


def _normalised(carrier: Carrier, span: _Span, other: _Span) -> float:
    rows = np.where(span.found.is_of(carrier), np.nan_to_num(span.found.energy), 0.0).sum(axis=1)
    known = np.array([n is not None for n in _normals(span, other)], bool)
    return float(rows[known].sum() / rows.sum()) if rows.sum() else 0.0


def _normals(span: _Span, other: _Span) -> list[float | None]:
    """Return each point's normalised consumption where it is known in both spans that the point is in."""
    there = {p.id for p in other.found.points}
    return [
        None if p.id in there and other.normal.get(p.id) is None else span.normal.get(p.id) for p in span.found.points
    ]


def _normal(carrier: Carrier, span: _Span, other: _Span) -> float | None:
    found = span.found
    rows = np.where(found.is_of(carrier), np.nan_to_num(found.energy), 0.0).sum(axis=1)
    both = _normals(span, other)
    if not any(value is not None for value, amount in zip(both, rows.tolist(), strict=True) if amount):
        return None
    return float(sum(amount if n is None else n for n, amount in zip(both, rows.tolist(), strict=True) if amount))
