"""A point with all that makes its curve: mountings, events, series, rules."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.dial import SNAP_US
from core.errors import InputError
from core.gaps import DayTypes
from core.mounting import Mounting, Rules, moduli
from core.parts import is_sum, whole_of
from core.plausible import HOUR_US, Limits
from core.ports import RecordStore
from core.readings import SeriesKey
from core.registry import MAIN_REGISTERS, Commodity, DialEvent, EventKind, Meter, Point, Register
from core.units import CANONICAL, Quantity, Unit, unit
from services.held import RegisterReader
from services.sums import Sum, family_of, further_sums, main_sums, stay

MAIN: Final = "main"
"""The register of a roll-up that counts the point's consumption, from whatever register each of its meters has."""

POWER_REGISTERS: Final = ("power.import", "power.total", "flow.total")
"""Registers that integrate to an estimate, where a meter has nothing better."""

SAID_BY_METER: Final = frozenset({Quantity.UNSTATED, Quantity.PULSE_COUNT})
"""Registers of which the meter's unit says what they count."""

NEAR: Final = timedelta(microseconds=SNAP_US)
"""How far from a mounting or removal a swap may be recorded that tells of it."""

COUNTED: Final = {Quantity.POWER: Quantity.ENERGY, Quantity.FLOW: Quantity.VOLUME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the curve of one register of a point is made: the series to read, mountings, events and rules.

    `sums` count where these series know nothing; each register in them has a plan of its own.
    """

    point: str
    register: str
    series: tuple[SeriesKey, ...]
    mountings: tuple[Mounting, ...]
    events: tuple[DialEvent, ...]
    rules: Rules
    learnt: "Learnt | None" = None
    sums: tuple[Sum, ...] = ()

    @property
    def key(self) -> SeriesKey:
        """The series of the roll-up."""
        return SeriesKey(self.point, self.register)


def _mounting(meter: Meter, register: str, dial: tuple[float | None, float | None]) -> Mounting:
    """Return a meter's mounting with the first and final reading of the dial of a register."""
    start, end = stay(meter)
    shown = unit(meter.unit) if meter.unit else Unit(Quantity.ENERGY)
    weight = _weight(meter, register)
    if weight is not None:
        shown = Unit(Quantity.PULSE_COUNT)
    modulus = None if meter.digits is None else 10.0**meter.digits * shown.scale / shown.divisor
    plain = Mounting(
        device=meter.device,
        start_us=start,
        end_us=end,
        first=dial[0],
        final=dial[1],
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

    Where no whole register has any, the sum of a complete family of parts (`energy.import/t1+energy.import/t2`) counts.
    Readings without a unit, and pulses, count where the meter says its unit, and nothing better is there.
    """
    if meter.register:
        return meter.register
    choices = MAIN_REGISTERS[commodity]
    have = set(present)
    unstated = sorted(r for r in have if meter.unit and _quantity(r) in SAID_BY_METER)
    wholes = list(dict.fromkeys(whole_of(r) for r in unstated))
    return (
        next((r for r in choices if r in have), "")
        or family_of(choices, have)
        or next((r for r in unstated if "/" not in r), "")
        or family_of(wholes, have)
        or next((r for r in (*unstated, *POWER_REGISTERS) if r in have), "")
        or family_of(POWER_REGISTERS, have)
        or choices[0]
    )


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
    have = {m.id: registers.get(m.device, set()) for m in mounted}
    main = {m.id: main_register(m, point.commodity, have[m.id]) for m in mounted}
    counted = unit_of(main[mounted[-1].id], mounted[-1])
    chosen = {m.id: main[m.id] for m in mounted if unit_of(main[m.id], m) == counted}
    sums = main_sums(point.commodity, mounted, chosen, have)
    case = _Case(point=point, mounted=mounted, events=events, day_types=day_types, split=_split(sums))
    whole = {key: register for key, register in chosen.items() if not is_sum(register)}
    made = [case.plan(MAIN, whole, sums, unit=counted)]
    others = {r for m in mounted for r in have[m.id] if r != main[m.id] and _counts(r)} | case.split
    further = {w: case.further(w, main, have) for w in sorted({whole_of(r) for r in others if "/" in r})}
    for register in sorted(others | {w for w, some in further.items() if some}):
        having = {m.id: register for m in mounted if register in have[m.id]}
        made.append(case.plan(register, having, further.get(register, ()), unit=case.unit(register)))
    return made


def _split(sums: Sequence[Sum]) -> frozenset[str]:
    return frozenset(register for one in sums for register in one.registers)


def _counts(register: str) -> bool:
    return _quantity(register) in {Quantity.ENERGY, Quantity.VOLUME, Quantity.REACTIVE_ENERGY}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A point with what stands on it; the registers that its main curve is `split` into."""

    point: Point
    mounted: Sequence[Meter]
    events: Sequence[DialEvent]
    day_types: DayTypes
    split: frozenset[str]

    def unit(self, register: str) -> str:
        """Return the unit of a further register, of an unstated one that of the newest meter."""
        return unit_of(register, self.mounted[-1])

    def further(self, whole: str, main: Mapping[str, str], have: Mapping[str, set[str]]) -> tuple[Sum, ...]:
        """Return the sums that count for a further register, where the main one is not of it."""
        apart = [m for m in self.mounted if whole_of(main[m.id]) != whole]
        return further_sums(self.point.commodity, apart, whole, have)

    def plan(self, register: str, chosen: Mapping[str, str], sums: tuple[Sum, ...], *, unit: str) -> Plan:
        """Return the plan of a register, from the register of each meter that has it."""
        having = [m for m in self.mounted if m.id in chosen]
        devices = {m.device for m in having}
        of_register = {chosen[m.id] for m in having}
        counting = register == MAIN or register in self.split
        rules = Rules(
            unit=unit,
            max_rate=self.point.max_rate if counting else None,
            allowed_gap_h=self.point.allowed_gap_h,
            day_types=self.day_types,
        )
        events = [e for e in self.events if e.meter in devices]
        return Plan(
            point=self.point.id,
            register=register,
            series=tuple(dict.fromkeys(SeriesKey(m.device, chosen[m.id]) for m in having)),
            mountings=tuple(_mounting(m, chosen[m.id], self._dial(m, register)) for m in having),
            events=_of_register(events, register, of_register, counting=counting),
            rules=rules,
            sums=sums,
        )

    def _dial(self, meter: Meter, register: str) -> tuple[float | None, float | None]:
        """Return the first and final reading of a meter's dial of a register.

        The meter tells those of its main register; where that is a sum and nothing, each dial shows nothing. Those of
        any other dial stand in a recorded swap that names it, at its mounting or removal.
        """
        if register == MAIN:
            return meter.first, meter.final
        told = [e for e in self.events if _tells(e, meter, register)]
        first = _nearest(told, meter.mounted, "first")
        final = None if meter.removed is None else _nearest(told, meter.removed, "final")
        empty = register in self.split and meter.first == 0
        return 0.0 if first is None and empty else first, final


def _tells(event: DialEvent, meter: Meter, register: str) -> bool:
    named = event.meter == meter.device and event.register == register
    return named and event.kind is EventKind.SWAP and not event.retracted


def _nearest(told: Sequence[DialEvent], at: datetime, name: str) -> float | None:
    """Return the dial reading of the swap recorded nearest to an instant, None where none is near."""
    known = [e for e in told if getattr(e, name) is not None]
    nearest = min(known, key=lambda e: abs(e.at - at), default=None)
    return getattr(nearest, name) if nearest is not None and abs(nearest.at - at) <= NEAR else None


def _of_register(
    events: Sequence[DialEvent], register: str, chosen: set[str], *, counting: bool
) -> tuple[DialEvent, ...]:
    """Return events as a register sees them: dial readings are those of the one that an event names, else the main one.

    A roll-over is of one dial; a swap or reset of one is of the whole device, and its dial readings are not known to
    the others, but that dials of which a sum is nothing show nothing.
    """
    told = [(e, _told(e, register, chosen, counting=counting)) for e in events]
    own = [e for e, seen in told if seen is e and e.kind is not EventKind.ROLLOVER and not e.retracted]
    return tuple(seen for e, seen in told if seen is not None and (seen is e or not _same(e, own)))


def _same(event: DialEvent, own: Sequence[DialEvent]) -> bool:
    """Return whether what is recorded of another dial tells of the exchange that is recorded of this one."""
    return any(e.meter == event.meter and abs(e.at - event.at) <= NEAR for e in own)


def _told(event: DialEvent, register: str, chosen: set[str], *, counting: bool) -> DialEvent | None:
    if event.register in chosen or event.register == register or (not event.register and register == MAIN):
        return event
    if event.kind is EventKind.ROLLOVER:
        return event if counting and not event.register else None
    empty = counting and not event.register and event.first == 0
    return replace(event, final=None, first=0.0 if empty else None)


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
