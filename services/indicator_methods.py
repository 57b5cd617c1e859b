"""All documented methods by name; docs/indicators.md tells each of them, and a test keeps the two alike."""

from typing import Final

from core.errors import InputError
from core.plan import Indicator
from services import (
    indicator_capacity,
    indicator_climate,
    indicator_data,
    indicator_emissions,
    indicator_energy,
    indicator_own_power,
    indicator_savings,
    indicator_water,
)
from services.indicator_made import Method, scale

HAND: Final = "hand"
"""How a value that somebody entered names its method."""
METHODS: Final = {
    method.name: method
    for method in (
        indicator_energy.CONSUMPTION,
        indicator_climate.NORMAL,
        indicator_savings.ENERGY_SAVED,
        indicator_energy.SINCE_2021,
        indicator_energy.BY_AREA,
        indicator_capacity.BREACHES,
        indicator_savings.COSTS_SAVED,
        indicator_water.CONSUMPTION,
        indicator_water.BY_USER,
        indicator_savings.WATER_SAVED,
        indicator_water.REPLACED,
        indicator_data.REMOTE,
        indicator_data.COMPLETENESS,
        indicator_data.CAUGHT,
        indicator_own_power.GENERATION,
        indicator_emissions.EMISSIONS,
        indicator_emissions.BY_INHABITANT,
        indicator_emissions.BY_USER,
        indicator_savings.EMISSIONS_REDUCED,
        indicator_emissions.SPLIT,
        indicator_water.EMISSIONS,
    )
}


def method_of(indicator: Indicator) -> Method:
    """Return the method that an indicator names; raise InputError where there is none."""
    found = METHODS.get(indicator.method)
    if found is None:
        raise InputError(
            f"method {indicator.method!r} of indicator {indicator.id} is not known",
            place="method",
            remedy=f"write one of {', '.join(METHODS)}, or none where its guarantor enters the value",
        )
    return found


def check(indicator: Indicator) -> None:
    """Raise InputError where an indicator's method is not known, or does not tell its figures in their units."""
    if not indicator.by_hand:
        method = method_of(indicator)
        for figure in indicator.figures:
            scale(figure, method)
