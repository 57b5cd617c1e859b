"""Which rules look at a point, and of which of them an evaluation knows enough to say that a fault has ended."""

from collections.abc import Collection
from typing import Final

import numpy as np

from analytics.anomalies.finding import Rule
from analytics.anomalies.hours import HOUR_US
from analytics.baseline.cleaning import Commodity as Kind
from core.calendar import Longs
from core.registry import Commodity, Point, Role
from services.detection_past import Watching

DAY_US: Final = 24 * HOUR_US
SILENT: Final = frozenset({Rule.DEAD, Rule.GAP})
OF_METER: Final = frozenset({Rule.STUCK, Rule.ZEROED, Rule.CLIPPED, Rule.SPIKE, Rule.BREAK, Rule.REVERSED})
OF_WATER: Final = frozenset({Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST})
OF_ELECTRICITY: Final = frozenset({Rule.BASE_LOAD, Rule.WEEKEND, Rule.HOLIDAY, Rule.SWAPPED})
OF_CAPACITY: Final = frozenset({Rule.CAPACITY, Rule.CAPACITY_PROJECTED})
OF_EXPECTED: Final = frozenset({Rule.DEVIATION, Rule.DRIFT})
BY_DAY: Final = frozenset(
    {Rule.BASE_LOAD, Rule.WEEKEND, Rule.HOLIDAY, Rule.SWAPPED, Rule.WARM_HEATING, Rule.PV_LOW, *OF_EXPECTED}
)
"""Rules that need a whole day."""
FRESH_US: Final = 6 * HOUR_US
"""Hours older than this say nothing of whether a leak goes on."""
FRESH_DAY_US: Final = 2 * DAY_US + FRESH_US


def rules_of(point: Point) -> frozenset[Rule]:
    """Return the rules that look at a point."""
    found = frozenset() if point.role is Role.VIRTUAL else SILENT | OF_METER
    if point.commodity in {Commodity.COLD_WATER, Commodity.HOT_WATER}:
        found |= OF_WATER | OF_EXPECTED
    elif point.commodity is Commodity.ELECTRICITY:
        found |= OF_ELECTRICITY | OF_EXPECTED | (OF_CAPACITY if point.reserved_kw else frozenset())
    elif point.commodity in {Commodity.GAS, Commodity.HEAT}:
        found |= OF_EXPECTED | {Rule.WARM_HEATING}
    elif point.commodity is Commodity.PV:
        found |= {Rule.PV_LOW}
    return found


def judged(
    watching: Watching, rules: Collection[Rule], now_us: int, *, silent: bool, lacking: Collection[Rule] = ()
) -> frozenset[Rule]:
    """Return the rules that could tell now whether their fault is there.

    Of a silent meter none but silence itself; rules of days where the last days are known; `lacking` had no
    temperature, model or sun.
    """
    at_us = watching.watched.at_us
    known = {rule for rule in rules if rule in SILENT and len(at_us)}
    if not silent and len(at_us):
        known |= {rule for rule in rules if rule in OF_METER | OF_CAPACITY}
    hours = watching.hours
    if hours is not None and not silent:
        last = _last_measured(hours.start_us, hours.measured)
        known |= {r for r in rules if r in OF_WATER and now_us - last <= FRESH_US}
        known |= {r for r in rules if r in BY_DAY and now_us - last <= FRESH_DAY_US}
    return frozenset(known - set(lacking))


def _last_measured(start_us: Longs, measured: np.typing.NDArray[np.bool_]) -> int:
    where = np.flatnonzero(measured)
    return int(start_us[where[-1]]) + HOUR_US if len(where) else 0


def zero_is_gap(kind: Kind | None) -> bool:
    """Return whether zeros of amounts mean that nothing was counted."""
    return kind is Kind.ELECTRICITY
