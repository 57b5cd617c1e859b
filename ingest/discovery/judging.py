"""What a description says of a value, weighed: which quantity, unit and kind it has, and what speaks against it.

Descriptions are written by third parties and are wrong at times (pitfall 30): where unit, class, kind and name
contradict each other nothing is stored; a person sees the proposal with its flags.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import UnitError
from core.registry import Commodity
from core.units import Quantity, Unit, unit
from ingest.discovery.naming import EXTREME, PERIOD, SOLAR, vocabulary
from ingest.native_meaning import COUNTED


class Flag(StrEnum):
    """What a person should know of a proposal; short codes."""

    UNIT_CONTRADICTS = "unit_contradicts"  # the unit is not one of the stated class
    NAME_CONTRADICTS = "name_contradicts"  # the value's name ends in another unit
    KIND_CONTRADICTS = "kind_contradicts"  # a count that is said to be a gauge, or the reverse
    TEMPLATE_REFUSED = "template_refused"  # the value is computed in a way that is not understood
    UNIT_UNKNOWN = "unit_unknown"  # a unit that Odečet does not know
    UNIT_UNSTATED = "unit_unstated"  # the operator is asked for the unit
    KIND_INFERRED = "kind_inferred"  # nothing says that it is a dial but its unit and name


CLASSES: Final = {
    "energy": Quantity.ENERGY,
    "water": Quantity.VOLUME,
    "gas": Quantity.VOLUME,
    "volume": Quantity.VOLUME,
    "volume_flow_rate": Quantity.FLOW,
    "power": Quantity.POWER,
    "reactive_power": Quantity.REACTIVE_POWER,
    "reactive_energy": Quantity.REACTIVE_ENERGY,
    "apparent_power": Quantity.APPARENT_POWER,
    "voltage": Quantity.VOLTAGE,
    "current": Quantity.CURRENT,
    "frequency": Quantity.FREQUENCY,
    "temperature": Quantity.TEMPERATURE,
    "humidity": Quantity.HUMIDITY,
}
"""Device classes of Home Assistant (developers.home-assistant.io, sensor entity) that Odečet keeps."""

_ALONE: Final = frozenset(Quantity) - {
    Quantity.HUMIDITY, Quantity.POWER_FACTOR, Quantity.HEAT_COST_UNITS, Quantity.PULSE_COUNT, Quantity.UNSTATED,
}  # fmt: skip
"""Quantities that a unit alone tells: % may be a battery, and `unit` anything."""

_DIFFERENCE: Final = vocabulary("difference diff delta spread spreizung rozdil dt")
_ALLOCATOR: Final = vocabulary("hca heizkostenverteiler allocator")
_PULSES: Final = vocabulary("pulse pulses imp impulse impulses impulsy pulsecount")
_SUFFIX: Final = {
    "kwh": "kWh", "mwh": "MWh", "wh": "Wh", "gj": "GJ", "mj": "MJ", "kj": "kJ", "m3": "m³", "m3h": "m³/h", "lh": "l/h",
    "kw": "kW", "kvarh": "kvarh", "hca": "unit",
}  # fmt: skip
_HEAT: Final = vocabulary(
    "heat heating thermal calorimeter warme waerme warmemenge teplo tepla tepelny kalorimetr kamheat multical "
    "ultraheat supercal sharky sensostar pollucom pollutherm vario vario451 qheat hydrocal elf megacal"
)
_HOT: Final = vocabulary("hot warm warmwasser dhw tuv teple")
_WATER: Final = vocabulary("water wasser voda vodomer vody")
_GAS: Final = vocabulary("gas plyn plynomer erdgas")
_ELECTRIC: Final = vocabulary(
    "electricity electric electrical elektromer elektrina strom power plug socket outlet smartplug grid mains "
    "sdm630 sdm120 p1 dsmr emeter em phase pzem stromzahler stromzaehler"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a description says: `declared` quantity where it names one; `kind` cumulative, gauge, resets or empty.

    `leaf` is the last name of the place of the value, `words` are those of all names of the value; `factor` tells
    that the template converts, so that the name's unit is not the value's.
    """

    declared: Quantity | None
    unit: str
    kind: str
    words: Sequence[str]
    leaf: str = ""
    factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What comes of it: `reason` says why it is never a reading, `read` whether its readings are taken."""

    quantity: Quantity
    unit: str = ""
    kind: str = "cumulative"
    flags: tuple[Flag, ...] = ()
    reason: str = ""

    @property
    def read(self) -> bool:
        """Whether its values become readings."""
        return not self.reason and not set(self.flags) - {Flag.UNIT_UNSTATED, Flag.KIND_INFERRED}


def judge(said: Said) -> Verdict | None:
    """Return the verdict, None for what is no value of a meter."""
    stated = _unit(said.unit)
    quantity = _quantity(said, stated)
    if quantity is None:
        return None
    counted = quantity in COUNTED
    if not said.unit and not counted:
        return None
    flags = list(_contradictions(said, quantity, stated))
    if not said.unit and quantity is Quantity.PULSE_COUNT:
        stated = unit("pulse")
    if counted and stated is None and not said.unit:
        flags.append(Flag.UNIT_UNSTATED)
    reason = _reason(said, quantity)
    if quantity is Quantity.TEMPERATURE and stated is not None and stated.offset and _DIFFERENCE & set(said.words):
        reason = "temperature_difference"  # kelvins of a difference are no temperature
    if counted and not said.kind:
        flags.append(Flag.KIND_INFERRED)
    if not counted and said.kind in {"cumulative", "resets"}:
        flags.append(Flag.KIND_CONTRADICTS)
    text = said.unit or ("pulse" if quantity is Quantity.PULSE_COUNT else "")
    return Verdict(
        quantity=quantity,
        unit=text,
        kind="cumulative" if counted else "gauge",
        flags=tuple(flags),
        reason=reason,
    )


def _unit(text: str) -> Unit | None:
    try:
        return unit(text) if text else None
    except UnitError:
        return None


def _quantity(said: Said, stated: Unit | None) -> Quantity | None:
    words = set(said.words)
    if said.declared is not None:
        return said.declared
    if stated is None:
        counts = not said.unit and words & _PULSES and said.kind in {"", "cumulative"}
        return Quantity.PULSE_COUNT if counts else None
    if stated.quantity is Quantity.HEAT_COST_UNITS:
        heat_cost = words & _ALLOCATOR or {"heat", "cost"} <= words
        return stated.quantity if heat_cost or said.unit.lower() in {"hca", "hcu"} else None
    if stated.quantity is Quantity.PULSE_COUNT:
        return stated.quantity
    return stated.quantity if stated.quantity in _ALONE else None


def _contradictions(said: Said, quantity: Quantity, stated: Unit | None) -> Iterable[Flag]:
    if said.unit and stated is None:
        yield Flag.UNIT_UNKNOWN
    elif stated is not None and stated.quantity is not quantity:
        yield Flag.UNIT_CONTRADICTS
    suffix = _SUFFIX.get(re.split(r"[_\s.-]", said.leaf.lower())[-1]) if "_" in said.leaf else None
    if suffix is not None and stated is not None and not said.factor:
        named = unit(suffix)
        if (named.quantity, named.scale, named.divisor) != (stated.quantity, stated.scale, stated.divisor):
            yield Flag.NAME_CONTRADICTS


def _reason(said: Said, quantity: Quantity) -> str:
    """Return why a value is never a reading of now, empty where it is."""
    words = set(said.words)
    if quantity not in COUNTED:
        return "extreme_or_setting" if EXTREME & words else ""
    if said.kind == "resets":
        return "period_counter"
    if said.kind == "gauge":
        return "no_dial"
    if quantity is Quantity.HEAT_COST_UNITS:
        return "period_counter" if PERIOD - {"cost", "costs"} & words else ""
    running = "current" in words and "total" not in words
    return "period_counter" if PERIOD & words or running else ""


def commodity_of(verdict: Verdict, device_class: str, words: Iterable[str]) -> Commodity | None:
    """Return the commodity that class, unit and words let expect, None where nothing tells it."""
    said = set(words)
    heat = bool(_HEAT & said)
    if verdict.quantity in {Quantity.VOLUME, Quantity.FLOW}:
        return _of_volume(device_class, said, heat=heat)
    if verdict.quantity not in {Quantity.ENERGY, Quantity.POWER}:
        return None
    if heat or verdict.unit in {"GJ", "MJ", "Gcal"}:
        return Commodity.HEAT
    if SOLAR & said:
        return Commodity.PV
    if _GAS & said:
        return Commodity.GAS
    return Commodity.ELECTRICITY if _ELECTRIC & said else None


def _of_volume(device_class: str, said: set[str], *, heat: bool) -> Commodity | None:
    """Return what fluid a volume is of; that of a heat meter is of the heat carrier, which no point counts."""
    if device_class == "gas" or _GAS & said:
        return Commodity.GAS
    wet = device_class == "water" or bool(_WATER & said)
    if not wet or (heat and not _HOT & said):
        return None
    return Commodity.HOT_WATER if _HOT & said else Commodity.COLD_WATER
