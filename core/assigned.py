"""Which series stand on points, so that nobody is asked about them any more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import InputError
from core.parts import parts_of
from core.readings import SeriesKey
from core.registry import DialEvent, EventKind, Meter, Register, Station
from core.units import Quantity

COUNTED = frozenset(
    {
        Quantity.ENERGY,
        Quantity.REACTIVE_ENERGY,
        Quantity.APPARENT_ENERGY,
        Quantity.VOLUME,
        Quantity.PULSE_COUNT,
        Quantity.HEAT_COST_UNITS,
        Quantity.UNSTATED,
    }
)
"""Quantities of registers that may count for a point of their own."""

ELECTRIC = frozenset({Quantity.ENERGY, Quantity.REACTIVE_ENERGY, Quantity.APPARENT_ENERGY})
GRID = frozenset({"import", "export"})
"""Directions in which a grid meter counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Devices of which nothing is asked any more, those of which only some `registers` are taken, single series.

    A meter that names no register takes its whole device. One that names its register takes that, its tariffs and
    phases, all that is not counted, and, where it counts a direction of electricity, the other direction and reactive
    energy of the same channel, for one grid meter has them all. The further dials of the device (a heat meter's
    volume, the next channel of a counter) wait for points of their own.
    """

    whole: frozenset[str] = frozenset()
    registers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    series: frozenset[SeriesKey] = frozenset()

    @classmethod
    def of(
        cls, meters: Iterable[Meter], events: Iterable[DialEvent] = (), stations: Iterable[Station] = ()
    ) -> "Assigned":
        """Return what the mounted meters, the devices of recorded swaps and the weather stations take."""
        mounted = [m for m in meters if m.removed is None]
        swapped = {e.new_device for e in events if e.kind is EventKind.SWAP and not e.retracted}
        named: dict[str, set[str]] = {}
        for meter in mounted:
            if meter.register:
                named.setdefault(meter.device, set()).update(parts_of(meter.register))
        return cls(
            whole=frozenset({m.device for m in mounted if not m.register} | swapped - {""}),
            registers={device: frozenset(registers) for device, registers in named.items()},
            series=frozenset(SeriesKey(s.arrives_as, s.register) for s in stations),
        )

    def __contains__(self, key: object) -> bool:
        """Return whether a series is taken."""
        if not isinstance(key, SeriesKey):
            return False
        if key.meter in self.whole or key in self.series:
            return True
        named = self.registers.get(key.meter)
        if named is None:
            return False
        if key.register in named or not counts(key.register):
            return True
        return any(_is_part(key.register, of) or _is_beside(key.register, of) for of in named)


def counts(register: str) -> bool:
    """Return whether a register may count for a point."""
    try:
        parsed = Register.parse(register)
    except InputError:
        return True
    declared = stated_quantity(parsed)
    return parsed.quantity in COUNTED and (declared is None or declared in COUNTED)


def stated_quantity(register: Register) -> Quantity | None:
    """Return the quantity that a register without unit is of, where its readings say that much."""
    head = register.direction.split(".")[0]
    known = register.quantity is Quantity.UNSTATED and head in set(Quantity)
    return Quantity(head) if known else None


def _is_part(register: str, of: str) -> bool:
    """Return whether a register is a tariff or phase of another."""
    parts = register.removeprefix(f"{of}/").split("/") if register.startswith(f"{of}/") else []
    return bool(parts) and all(part[:1] in {"t", "l"} and part[1:].isdigit() for part in parts)


def _is_beside(register: str, of: str) -> bool:
    """Return whether a register is of the same grid meter as one that counts a direction of electricity."""
    try:
        one, named = Register.parse(register), Register.parse(of)
    except InputError:
        return False
    directed = named.quantity is Quantity.ENERGY and named.direction.split("/")[0] in GRID
    electric = one.quantity in ELECTRIC and one.direction.split("/")[0] in {*GRID, "total"}
    return directed and electric and _channel(one) == _channel(named)


def _channel(register: Register) -> tuple[str, ...]:
    """Return what of a register is neither direction nor tariff nor phase."""
    return tuple(part for part in register.direction.split("/")[1:] if part[:1] not in {"t", "l"})
