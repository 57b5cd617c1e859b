"""What may be added up: points whose sum counts nothing twice, in one unit, none of them forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from api.snapshot import Snapshot
from core.registry import Commodity, Point, Role
from services.consumption import PointConsumption

UNITS: Final = {
    Commodity.ELECTRICITY: "kWh",
    Commodity.GAS: "kWh",
    Commodity.HEAT: "kWh",
    Commodity.PV: "kWh",
    Commodity.COLD_WATER: "m³",
    Commodity.HOT_WATER: "m³",
}
"""The unit of a commodity where no reading tells another."""


def with_unit(parts: Sequence[PointConsumption], commodity: Commodity) -> list[PointConsumption]:
    """Return the consumption of points of a commodity, those of which nothing is known in the unit of the others.

    So a point without readings is a point that the sum lacks, not one that it forgets.
    """
    known = [p.unit for p in parts if p.unit]
    unit = max(set(known), key=known.count) if known else UNITS[commodity]
    return [p if p.unit else replace(p, unit=unit) for p in parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addends:
    """Points whose sum counts nothing twice, and those left out, each with the reason."""

    points: tuple[Point, ...]
    left_out: tuple[tuple[str, str], ...]


def addends(points: Sequence[Point], now: Snapshot) -> Addends:
    """Return what of these points may be added up.

    What a point above already counts is left out, as are virtual points (sums themselves) and sub-meters of a
    building and commodity that have a billing point among them.
    """
    ids = {p.id for p in points}
    billed = {(p.building, p.commodity) for p in points if p.role is Role.BILLING}
    kept: list[Point] = []
    out: list[tuple[str, str]] = []
    for point in points:
        reason = _counted_already(point, ids, billed, now)
        if reason:
            out.append((point.id, reason))
        else:
            kept.append(point)
    return Addends(points=tuple(kept), left_out=tuple(out))


def _counted_already(point: Point, ids: set[str], billed: set[tuple[str, Commodity]], now: Snapshot) -> str:
    if point.role is Role.VIRTUAL and len(ids) > 1:
        return "virtual"
    if any(above.id in ids and above.commodity is point.commodity for above in ancestors(point, now)):
        return "counted_by_parent"
    if point.role is Role.SUBMETER and (point.building, point.commodity) in billed:
        return "submeter"
    return ""


def ancestors(point: Point, now: Snapshot) -> list[Point]:
    """Return the points above one, the nearest first; a circle ends where it closes."""
    above: list[Point] = []
    seen = {point.id}
    while point.parent and point.parent in now.points and point.parent not in seen:
        point = now.points[point.parent]
        seen.add(point.id)
        above.append(point)
    return above
