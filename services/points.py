"""A point with all that makes its curve: mountings, events, series, rules."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from core.calendar import US
from core.errors import InputError
from core.gaps import DayTypes
from core.mounting import FOREVER, Mounting, Rules, moduli
from core.plausible import HOUR_US, Limits
from core.ports import RecordStore
from core.readings import SeriesKey
from core.registry import MAIN_REGISTERS, Commodity, DialEvent, Meter, Point, Register
from core.units import CANONICAL, Quantity, Unit, unit
from services.held import RegisterReader

MAIN: Final = "main"
"""The register of a roll-up that counts the point's consumption, from whatever register each of its meters has."""

POWER_REGISTERS: Final = ("power.import", "power.total", "flow.total")
"""Registers that integrate to an estimate, where a meter has nothing better."""

SAID_BY_METER: Final = frozenset({Quantity.UNSTATED, Quantity.PULSE_COUNT})
"""Registers of which the meter's unit says what they count."""

COUNTED: Final = {Quantity.POWER: Quantity.ENERGY, Quantity.FLOW: Quantity.VOLUME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the curve of one register of a point is made: the series to read, mountings, events and rules."""

    point: str
    register: str
    series: tuple[SeriesKey, ...]
    mountings: tuple[Mounting, ...]
    events: tuple[DialEvent, ...]
    rules: Rules
    learnt: "Learnt | None" = None

    @property
    def key(self) -> SeriesKey:
        """The series of the roll-up."""
        return SeriesKey(self.point, self.register)


def _us_of(meter: Meter) -> tuple[int, int]:
    start = round(meter.mounted.timestamp() * US)
    return start, FOREVER if meter.removed is None else round(meter.removed.timestamp() * US)


def _mounting(meter: Meter, register: str, *, dial: bool) -> Mounting:
    """Return a meter's mounting; what is recorded of its dial is that of the register that counts (`dial`)."""
    start, end = _us_of(meter)
    shown = unit(meter.unit) if meter.unit else Unit(Quantity.ENERGY)
    weight = _weight(meter, register)
    if weight is not None:
        shown = Unit(Quantity.PULSE_COUNT)
    modulus = None if meter.digits is None else 10.0**meter.digits * shown.scale / shown.divisor
    plain = Mounting(
        device=meter.device,
        start_us=start,
        end_us=end,
        first=meter.first if dial else None,
        final=meter.final if dial else None,
        modulus=modulus,
        moduli=moduli(shown),
        multiplier=meter.multiplier * (1.0 if weight is None else weight.scale / weight.divisor),
    )
    return _as_sent(plain, shown) if _quantity(register) is Quantity.UNSTATED else plain


def _weight(meter: Meter, register: str) -> Unit | None:
    """Return the unit of which a pulse is `multiplier`, None for a dial that shows amounts itself.

    A pulse counter's dial is the count of its pulses: its first, final and roll-over are in pulses.
    """
    if _quantity(register) is not Quantity.PULSE_COUNT or not meter.unit:
        return None
    weight = unit(meter.unit)
    return None if weight.quantity is Quantity.PULSE_COUNT else weight


def _as_sent(plain: Mounting, said: Unit) -> Mounting:
    """Return the mounting of a dial whose readings state no unit: all that is canonical goes back to what it shows."""
    scale = said.scale / said.divisor
    return replace(
        plain,
        first=None if plain.first is None else plain.first / scale,
        final=None if plain.final is None else plain.final / scale,
        modulus=None if plain.modulus is None else plain.modulus / scale,
        moduli=tuple(m / scale for m in plain.moduli),
        multiplier=plain.multiplier * scale,
    )


def main_register(meter: Meter, commodity: Commodity, present: Iterable[str]) -> str:
    """Return the register of a meter that counts: the one that it names, else the first choice that has readings.

    Readings without a unit, and pulses, count where the meter says its unit, and nothing better is there.
    """
    if meter.register:
        return meter.register
    choices = MAIN_REGISTERS[commodity]
    have = set(present)
    unstated = sorted(r for r in have if meter.unit and _quantity(r) in SAID_BY_METER)
    return next((r for r in (*choices, *unstated, *POWER_REGISTERS) if r in have), choices[0])


def unit_of(register: str, meter: Meter | None = None) -> str:
    """Return the canonical unit in which a register is counted; of one unstated, or of pulses, the meter's."""
    quantity = _quantity(register)
    if quantity in SAID_BY_METER and meter is not None and meter.unit:
        quantity = unit(meter.unit).quantity
    return CANONICAL.get(COUNTED.get(quantity, quantity), "")


def _quantity(register: str) -> Quantity:
    try:
        return Register.parse(register).quantity
    except InputError:
        return Quantity.UNSTATED


def plans(
    points: Sequence[Point],
    meters: Sequence[Meter],
    events: Sequence[DialEvent],
    known: Sequence[SeriesKey],
    day_types: DayTypes,
) -> list[Plan]:
    """Return the plans of the main register of each point, and of each further counting register of its meters.

    A meter whose register counts another unit than the point's newest meter is left out of the main curve.
    """
    registers: dict[str, set[str]] = {}
    for key in known:
        registers.setdefault(key.meter, set()).add(key.register)
    of_point: dict[str, list[Meter]] = {}
    for meter in meters:
        of_point.setdefault(meter.point, []).append(meter)
    made: list[Plan] = []
    for point in points:
        mounted = sorted(of_point.get(point.id, []), key=lambda m: m.mounted)
        if mounted:
            made += _of_point(point, mounted, events, registers, day_types)
    return made


def _of_point(
    point: Point,
    mounted: Sequence[Meter],
    events: Sequence[DialEvent],
    registers: Mapping[str, set[str]],
    day_types: DayTypes,
) -> list[Plan]:
    main = {m.id: main_register(m, point.commodity, registers.get(m.device, ())) for m in mounted}
    counted = unit_of(main[mounted[-1].id], mounted[-1])
    chosen = {m.id: main[m.id] for m in mounted if unit_of(main[m.id], m) == counted}
    made = [_plan(point, MAIN, mounted, chosen, events, day_types)]
    others = {r for m in mounted for r in registers.get(m.device, ()) if r != main[m.id] and _counts(r)}
    for register in sorted(others):
        having = {m.id: register for m in mounted if register in registers.get(m.device, ())}
        made.append(_plan(point, register, mounted, having, events, day_types))
    return made


def _counts(register: str) -> bool:
    return _quantity(register) in {Quantity.ENERGY, Quantity.VOLUME, Quantity.REACTIVE_ENERGY}


def _plan(  # noqa: PLR0917 - the parts of one plan, made in one place
    point: Point,
    register: str,
    mounted: Sequence[Meter],
    chosen: Mapping[str, str],
    events: Sequence[DialEvent],
    day_types: DayTypes,
) -> Plan:
    having = [m for m in mounted if m.id in chosen]
    devices = {m.device for m in having}
    of_register = {chosen[m.id] for m in having}
    rules = Rules(
        unit=unit_of(chosen[having[-1].id], having[-1]),
        max_rate=point.max_rate if register == MAIN else None,
        allowed_gap_h=point.allowed_gap_h,
        day_types=day_types,
    )
    return Plan(
        point=point.id,
        register=register,
        series=tuple(dict.fromkeys(SeriesKey(m.device, chosen[m.id]) for m in having)),
        mountings=tuple(_mounting(m, chosen[m.id], dial=register == MAIN) for m in having),
        events=tuple(_of_register(e, register, of_register) for e in events if e.meter in devices),
        rules=rules,
    )


def _of_register(event: DialEvent, register: str, chosen: set[str]) -> DialEvent:
    """Return an event as a register sees it: dial readings are those of the one that it names, else of the main one."""
    named = event.register in chosen or event.register == register
    if named or (not event.register and register == MAIN):
        return event
    return replace(event, final=None, first=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """Limits by device, and the first and last reading [µs] that they were learnt from."""

    limits: dict[str, Limits]
    first_us: int
    last_us: int

    def holds(self, until_us: int) -> bool:
        """Return whether the limits still hold: until twice as much is known, and for good after a year."""
        span = self.last_us - self.first_us
        return span >= YEAR_US or until_us - self.first_us <= 2 * span


WEEK_US: Final = 7 * 24 * HOUR_US
YEAR_US: Final = 365 * 24 * HOUR_US


def kept_limits(records: RegisterReader, plan: Plan) -> Learnt | None:
    """Return what was learnt for a plan before, None where nothing was."""
    text = records.kept(_limits_key(plan))
    if not text:
        return None
    kept = json.loads(text)
    limits = {device: Limits(**values) for device, values in kept["limits"].items()}
    return Learnt(limits=limits, first_us=kept["first_us"], last_us=kept["last_us"])


def keep_limits(records: RecordStore, plan: Plan, learnt: Learnt) -> None:
    """Keep what was learnt for a plan, so that parts of the curve made later follow the same limits."""
    limits = {device: asdict(value) for device, value in learnt.limits.items()}
    kept = {"limits": limits, "first_us": learnt.first_us, "last_us": learnt.last_us}
    records.keep(_limits_key(plan), json.dumps(kept))


def _limits_key(plan: Plan) -> str:
    return f"limits/{plan.point}/{plan.register}"
