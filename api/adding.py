"""What may be added up: points whose sum counts nothing twice, in one unit, none of them forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from api.snapshot import Snapshot
from core.registry import Commodity, Point
from services import adding
from services.adding import Addends
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


def addends(points: Sequence[Point], now: Snapshot) -> Addends:
    """Return what of these points may be added up."""
    return adding.addends(points, now.points)
