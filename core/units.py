"""Units as meters state them, and the canonical ones of Odečet; conversion happens once, at the edge.

Canonical: kWh, kvarh, kVAh, m³, kW, kvar, kVA, m³/h, °C, V, A, Hz, %, 1 (power factor), pulse, unit (heat-cost units).
Sources: SI brochure (J, Wh, prefixes); 1 GJ = 277.78 kWh; international calorie table 4.1868 J.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import UnitError


class Quantity(StrEnum):
    """What is counted or measured."""

    ENERGY = "energy"
    REACTIVE_ENERGY = "reactive_energy"
    VOLUME = "volume"
    POWER = "power"
    REACTIVE_POWER = "reactive_power"
    FLOW = "flow"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    HUMIDITY = "humidity"
    APPARENT_POWER = "apparent_power"
    APPARENT_ENERGY = "apparent_energy"
    POWER_FACTOR = "power_factor"
    PULSE_COUNT = "pulse_count"
    HEAT_COST_UNITS = "heat_cost_units"
    UNSTATED = "unstated"


CANONICAL: Final = {
    Quantity.ENERGY: "kWh",
    Quantity.REACTIVE_ENERGY: "kvarh",
    Quantity.VOLUME: "m³",
    Quantity.POWER: "kW",
    Quantity.REACTIVE_POWER: "kvar",
    Quantity.FLOW: "m³/h",
    Quantity.TEMPERATURE: "°C",
    Quantity.VOLTAGE: "V",
    Quantity.CURRENT: "A",
    Quantity.FREQUENCY: "Hz",
    Quantity.HUMIDITY: "%",
    Quantity.APPARENT_POWER: "kVA",
    Quantity.APPARENT_ENERGY: "kVAh",
    Quantity.POWER_FACTOR: "1",
    Quantity.PULSE_COUNT: "pulse",
    Quantity.HEAT_COST_UNITS: "unit",
}
"""The unit of each quantity inside Odečet. UNSTATED has none: it is a question to the operator."""

KWH_PER_J: Final = 1 / 3.6e6
M3_PER_FT3: Final = 0.028316846592
M3_PER_US_GALLON: Final = 0.003785411784
J_PER_CAL: Final = 4.1868


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: canonical value = (value x scale) / divisor + offset; a divisor keeps 1/1000 exact."""

    quantity: Quantity
    scale: float = 1.0
    divisor: float = 1.0
    offset: float = 0.0

    @property
    def canonical(self) -> str:
        """The canonical unit of the quantity."""
        return CANONICAL[self.quantity]


def _prefixed(stem: str, quantity: Quantity, prefixes: dict[str, tuple[float, float]]) -> dict[str, Unit]:
    return {f"{p}{stem}": Unit(quantity, scale, divisor) for p, (scale, divisor) in prefixes.items()}


_TO_KILO: Final = {"m": (1.0, 1e6), "": (1.0, 1e3), "k": (1.0, 1.0), "M": (1e3, 1.0), "G": (1e6, 1.0)}
_JOULE: Final = {"": (1.0, 3.6e6), "k": (1.0, 3600.0), "M": (1.0, 3.6), "G": (1e3, 3.6), "T": (1e6, 3.6)}
_CALORIE: Final = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_HOURS: Final = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600}

UNITS: Final[dict[str, Unit]] = {
    **_prefixed("Wh", Quantity.ENERGY, _TO_KILO),
    "TWh": Unit(Quantity.ENERGY, 1e9),
    "Ws": Unit(Quantity.ENERGY, 1.0, 3.6e6),
    "Wmin": Unit(Quantity.ENERGY, 1.0, 6e4),
    **_prefixed("J", Quantity.ENERGY, _JOULE),
    **{f"{p}cal": Unit(Quantity.ENERGY, scale * J_PER_CAL, 3.6e6) for p, scale in _CALORIE.items()},
    "MMBTU": Unit(Quantity.ENERGY, 293.07107017222),
    **_prefixed("varh", Quantity.REACTIVE_ENERGY, _TO_KILO),
    **_prefixed("W", Quantity.POWER, _TO_KILO),
    **{f"{p}J/h": Unit(Quantity.POWER, scale, divisor) for p, (scale, divisor) in _JOULE.items()},
    **_prefixed("var", Quantity.REACTIVE_POWER, _TO_KILO),
    **_prefixed("VAh", Quantity.APPARENT_ENERGY, _TO_KILO),
    **_prefixed("VA", Quantity.APPARENT_POWER, _TO_KILO),
    "1": Unit(Quantity.POWER_FACTOR),
    "m³": Unit(Quantity.VOLUME),
    "l": Unit(Quantity.VOLUME, 1.0, 1e3),
    "dm³": Unit(Quantity.VOLUME, 1.0, 1e3),
    "ml": Unit(Quantity.VOLUME, 1.0, 1e6),
    "cm³": Unit(Quantity.VOLUME, 1.0, 1e6),
    "hl": Unit(Quantity.VOLUME, 1.0, 10.0),
    "ft³": Unit(Quantity.VOLUME, M3_PER_FT3),
    "ccf": Unit(Quantity.VOLUME, 100 * M3_PER_FT3),
    "gal": Unit(Quantity.VOLUME, M3_PER_US_GALLON),
    **{f"m³/{per}": Unit(Quantity.FLOW, 1.0, hours) for per, hours in _HOURS.items()},
    **{f"l/{per}": Unit(Quantity.FLOW, 1.0, 1e3 * hours) for per, hours in _HOURS.items()},
    **{f"ml/{per}": Unit(Quantity.FLOW, 1.0, 1e6 * hours) for per, hours in _HOURS.items()},
    "°C": Unit(Quantity.TEMPERATURE),
    "K": Unit(Quantity.TEMPERATURE, offset=-273.15),
    "°F": Unit(Quantity.TEMPERATURE, 5.0, 9.0, -160 / 9),
    "V": Unit(Quantity.VOLTAGE),
    "mV": Unit(Quantity.VOLTAGE, 1.0, 1e3),
    "kV": Unit(Quantity.VOLTAGE, 1e3),
    "A": Unit(Quantity.CURRENT),
    "mA": Unit(Quantity.CURRENT, 1.0, 1e3),
    "Hz": Unit(Quantity.FREQUENCY),
    "%": Unit(Quantity.HUMIDITY),
    "pulse": Unit(Quantity.PULSE_COUNT),
    "unit": Unit(Quantity.HEAT_COST_UNITS),
}
"""Every spelling that is exact; `unit()` also knows the loose ones."""

_LOOSE: Final = {
    "m3": "m³", "m^3": "m³", "cbm": "m³", "m**3": "m³", "dm3": "dm³", "cm3": "cm³", "ft3": "ft³", "cf": "ft³",
    "liter": "l", "litre": "l", "liters": "l", "litres": "l", "litr": "l", "litry": "l", "litrů": "l",
    "m3/h": "m³/h", "m^3/h": "m³/h", "m3h": "m³/h", "lh": "l/h", "m3/min": "m³/min", "m3/s": "m³/s",
    "lpm": "l/min", "c": "°C", "degc": "°C", "ºc": "°C", "celsius": "°C", "deg c": "°C", "f": "°F",
    "degf": "°F",
    "kelvin": "K", "volt": "V", "ampere": "A", "pulses": "pulse", "imp": "pulse", "impulse": "pulse",
    "percent": "%", "gallon": "gal", "gallons": "gal", "watt": "W", "kilowatt": "kW", "watthour": "Wh",
    "kilowatthour": "kWh", "hca": "unit", "hcu": "unit",
}  # fmt: skip

# Letters that differ by case alone and mean different things (mW and MW, ml and Ml) are never folded.
_FOLDED: Final = {
    name.lower(): name
    for name in sorted(UNITS)
    if name in {"Wh", "kWh", "GWh", "varh", "kvarh", "W", "kW", "GW", "var", "kvar", "J", "kJ", "GJ", "m³", "l", "hl"}
    or name in {"dm³", "m³/h", "l/h", "l/min", "°C", "°F", "V", "A", "Hz", "Gcal", "kcal", "pulse", "unit", "ft³"}
}


def unit(text: str) -> Unit:
    """Return the unit that a meter, file or person wrote; raise UnitError where it is not known."""
    word = re.sub(r"\s+", " ", text.strip()).replace("³", "³")
    if word == "MWH":
        word = "MWh"
    if word in UNITS:
        return UNITS[word]
    folded = word.lower()
    name = _LOOSE.get(folded) or _FOLDED.get(folded)
    if name is None:
        raise UnitError(f"unit {text!r} is not known", remedy="write one such as kWh, MWh, GJ, m³, l, kW, °C")
    return UNITS[name]
