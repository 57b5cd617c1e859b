"""What gateways write of an M-Bus value's unit: "Volume (1e-2  m^3)", "Energy (10 kWh)", "VIFUnit.VOLUME".

Sources: EN 13757-3 (value information); the outputs of libmbus and pyMeterBus, whose texts these are.
"""

import re
from decimal import Decimal
from typing import Final, NamedTuple


class Sense(NamedTuple):
    """What a value is: `part` tells temperatures apart, `scale` is times the unit; `fault` why it is no reading."""

    quantity: str | None
    part: str = ""
    unit: str | None = None
    scale: Decimal = Decimal(1)
    fault: str = ""


COUNTED: Final = frozenset({"energy", "volume", "heat_cost_units"})
TIME_POINT: Final = "time_point"

_NAMES: Final = {
    "energy": ("energy", ""),
    "volume": ("volume", ""),
    "power": ("power", ""),
    "volume flow": ("flow", ""),
    "flow temperature": ("temperature", "flow"),
    "return temperature": ("temperature", "return"),
    "external temperature": ("temperature", "external"),
}
_UNITS: Final = {
    "Wh": ("energy", "Wh"),
    "J": ("energy", "J"),
    "W": ("power", "W"),
    "J/h": ("power", "J/h"),
    "m^3": ("volume", "m³"),
    "l": ("volume", "l"),
    "m^3/h": ("flow", "m³/h"),
    "m^3/min": ("flow", "m³/min"),
    "m^3/s": ("flow", "m³/s"),
    "l/h": ("flow", "l/h"),
    "deg C": ("temperature", "°C"),
    "°C": ("temperature", "°C"),
    "V": ("voltage", "V"),
    "A": ("current", "A"),
}
_PREFIXES: Final = {"": 0, "m": -3, "my": -6, "k": 3, "M": 6, "G": 9, "T": 12}
_SCALED: Final = re.compile(
    r"\s*(?P<scale>1e-?(?:1[0-2]|[0-9])|0\.0*1|10{0,4})?\s*"
    r"(?P<prefix>my|[mkMGT])?\s*(?P<unit>Wh|J/h|J|W|m\^3/h|m\^3/min|m\^3/s|m\^3|l/h|l|deg C|°C|V|A)\s*"
)
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z .&]{1,40}?)\s*\((?P<unit>[^()]{0,40})\)")
_SWAPPED: Final = frozenset({"MJ", "100 kJ"})
_HEAT_COST: Final = frozenset({"units for h.c.a.", "units for hca"})

_ENUM_TYPES: Final = {
    "ENERGY_WH": ("energy", ""),
    "ENERGY_J": ("energy", ""),
    "VOLUME": ("volume", ""),
    "POWER_W": ("power", ""),
    "POWER_J_H": ("power", ""),
    "VOLUME_FLOW": ("flow", ""),
    "VOLUME_FLOW_EXT": ("flow", ""),
    "VOLUME_FLOW_EXT_S": ("flow", ""),
    "FLOW_TEMPERATURE": ("temperature", "flow"),
    "RETURN_TEMPERATURE": ("temperature", "return"),
    "EXTERNAL_TEMPERATURE": ("temperature", "external"),
    "UNITS_FOR_HCA": ("heat_cost_units", ""),
    "VOLTS": ("voltage", ""),
    "AMPERE": ("current", ""),
}
_ENUM_TIMES: Final = frozenset({"DATE", "DATE_TIME_GENERAL", "DATE_TIME", "EXTENTED_TIME", "EXTENTED_DATE_TIME"})
_ENUM_UNITS: Final = {
    "KWH": ("energy", "kWh"),
    "WH": ("energy", "Wh"),
    "J": ("energy", "J"),
    "M3": ("volume", "m³"),
    "L": ("volume", "l"),
    "W": ("power", "W"),
    "J_H": ("power", "J/h"),
    "M3_H": ("flow", "m³/h"),
    "M3_MIN": ("flow", "m³/min"),
    "M3_S": ("flow", "m³/s"),
    "C": ("temperature", "°C"),
    "V": ("voltage", "V"),
    "A": ("current", "A"),
    "HCA": ("heat_cost_units", "unit"),
}


def sense_of_text(text: str) -> Sense:
    """Return what a unit text of libmbus says; a text that is not known is no reading."""
    if text.lower().strip() in _HEAT_COST:
        return Sense("heat_cost_units", unit="unit")
    named = _NAMED.fullmatch(text.strip())
    if named is None:
        return _bare(text)
    name = named["name"].strip().lower()
    if name == "time point":
        return Sense(TIME_POINT)
    if name not in _NAMES:
        return Sense(None, fault=f"{text[:60]!r} is no quantity that is kept")
    quantity, part = _NAMES[name]
    found = _scaled(named["unit"])
    if found is None or found.quantity != quantity:
        return Sense(None, fault=f"the unit of {text[:60]!r} is not known")
    return found._replace(part=part)


def sense_of_enums(kind: str, unit: str) -> Sense:
    """Return what the names of a type and a unit of pyMeterBus say."""
    kind, unit = kind.rpartition(".")[2], unit.rpartition(".")[2]
    if kind in _ENUM_TIMES:
        return Sense(TIME_POINT)
    if kind not in _ENUM_TYPES:
        return Sense(None, fault=f"{kind[:60]!r} is no quantity that is kept")
    quantity, part = _ENUM_TYPES[kind]
    stated, name = _ENUM_UNITS.get(unit, (None, ""))
    if stated != quantity:
        return Sense(None, fault=f"the unit {unit[:60]!r} of {kind} is not known")
    return Sense(quantity, part, name)


def _bare(text: str) -> Sense:
    """Return what a unit without a name says, as records of fixed form and electrical values have it."""
    if text.strip() in _SWAPPED:
        return Sense(None, fault=f"{text.strip()!r} may be the other of MJ and 100 kJ: libmbus exchanges these two")
    return _scaled(text) or Sense(None, fault=f"{text[:60]!r} is no quantity that is kept")


def _scaled(text: str) -> Sense | None:
    found = _SCALED.fullmatch(text)
    if found is None:
        return None
    quantity, unit = _UNITS[found["unit"]]
    scale = Decimal(found["scale"] or "1").scaleb(_PREFIXES[found["prefix"] or ""])
    return Sense(quantity, unit=unit, scale=scale)
