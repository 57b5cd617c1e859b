"""What counts where only parts of a whole have readings: the sum of a family of tariffs or phases.

At each time one way of counting is taken, never two: the whole register where it knows, else its tariffs, else its
phases. So nothing is counted twice where several are published, nor lost where one of them begins late or ends.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import US, micros
from core.curve import Curve
from core.mounting import FOREVER
from core.parts import families, is_sum, parts_of, summed, whole_of
from core.readings import Kind, Readings
from core.registry import MAIN_REGISTERS, Commodity, Meter, Register
from core.sums import added, best
from core.units import Quantity

Span = tuple[int, int]
"""From and to [µs]."""

BY_TIME: Final = {Commodity.ELECTRICITY, Commodity.PV}
"""Commodities whose tariffs part the whole by time of use; tariffs of others may count only above a threshold."""


FLOWING: Final = {Quantity.POWER, Quantity.FLOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Registers whose sum counts within spans [µs], in order and apart; `early`: only before the whole is read."""

    registers: tuple[str, ...]
    spans: tuple[Span, ...]
    early: bool = False


def stay(meter: Meter) -> Span:
    """Return when a meter is mounted [µs]."""
    start = round(meter.mounted.timestamp() * US)
    return start, FOREVER if meter.removed is None else round(meter.removed.timestamp() * US)


def family_of(choices: Iterable[str], present: Collection[str]) -> str:
    """Return the sum of the first complete family of parts of these wholes, empty where there is none."""
    return next((summed(family) for whole in choices for family in families(whole, present)), "")


def counting_registers(meter: Meter, commodity: Commodity, present: Collection[str]) -> tuple[str, ...]:
    """Return the registers that may count for a meter: what it names, else wholes and their complete families."""
    if meter.register:
        return parts_of(meter.register)
    choices = MAIN_REGISTERS[commodity]
    parts = [part for whole in choices for family in families(whole, present) for part in family]
    return tuple(dict.fromkeys([*choices, *parts]))


def main_sums(
    commodity: Commodity, mounted: Sequence[Meter], main: Mapping[str, str], have: Mapping[str, Collection[str]]
) -> tuple[Sum, ...]:
    """Return the sums that count for a point, by the main register of its meters [by id] and those they have."""
    ways: dict[str, list[Sum]] = {}
    for meter in (m for m in mounted if m.id in main):
        register, present = main[meter.id], have[meter.id]
        spans, early = (stay(meter),), commodity not in BY_TIME and register in present
        if not is_sum(register) and (meter.register or Register.parse(register).quantity in FLOWING):
            continue  # what is named counts alone, and integrated power needs no second guess
        found = [parts_of(register)] if meter.register else _families(commodity, whole_of(register), present)
        ways[meter.id] = [Sum(registers=f, spans=spans, early=early) for f in found]
    return _together(ways)


def further_sums(
    commodity: Commodity, mounted: Sequence[Meter], whole: str, have: Mapping[str, Collection[str]]
) -> tuple[Sum, ...]:
    """Return the sums that count for a further register of some meters, such as energy.export."""
    return _together(
        {
            meter.id: [
                Sum(registers=f, spans=(stay(meter),), early=commodity not in BY_TIME and whole in have[meter.id])
                for f in families(whole, have[meter.id])
            ]
            for meter in mounted
        }
    )


def _families(commodity: Commodity, whole: str, present: Collection[str]) -> list[tuple[str, ...]]:
    """Return the families of a whole, then those of other registers that count the same.

    Beside what a PV plant makes its import and export are other things.
    """
    quantity = whole.partition(".")[0]
    others = () if commodity is Commodity.PV else MAIN_REGISTERS[commodity]
    same = [whole, *(other for other in others if other != whole and other.partition(".")[0] == quantity)]
    return [family for one in same for family in families(one, present)]


def _together(ways: Mapping[str, Sequence[Sum]]) -> tuple[Sum, ...]:
    """Return the sums of meters that are mounted one after the other, each once, first choices first."""
    ranked = sorted((rank, number) for number, some in enumerate(ways.values()) for rank in range(len(some)))
    spans: dict[tuple[tuple[str, ...], bool], list[Span]] = {}
    every = list(ways.values())
    for rank, number in ranked:
        one = every[number][rank]
        spans.setdefault((one.registers, one.early), []).extend(one.spans)
    return tuple(Sum(registers=r, spans=tuple(sorted(s)), early=early) for (r, early), s in spans.items())


def combined(sums: Sequence[Sum], own: Curve, parts: Mapping[str, Curve], at_zero: Collection[str]) -> Curve:
    """Return the curve that counts: the whole's own where it knows, else the first sum of `parts` [by register].

    The dials of the registers `at_zero` showed nothing at their first reading, so they had counted nothing before.
    """
    ways = [own]
    for one in sums:
        curves = [parts.get(register, Curve.empty()) for register in one.registers]
        spans = [_before(own, span) for span in one.spans] if one.early else one.spans
        ways.append(added(curves, spans, [register in at_zero for register in one.registers]))
    return best(ways)


def _before(own: Curve, span: Span) -> Span:
    """Return the part of a span before the first reading of the whole in it."""
    first = int(np.searchsorted(own.at_us, span[0]))
    return (span[0], min(span[1], int(own.at_us[first]))) if first < len(own.at_us) else span


def begins_at_zero(curve: Curve, readings: Readings, since_us: int) -> bool:
    """Return whether a curve begins after an instant [µs] with a dial that shows nothing."""
    if not len(curve.at_us) or micros(readings.at).min(initial=curve.at_us[0]) <= since_us:
        return False
    first = (micros(readings.at) == curve.at_us[0]) & (readings.kind == Kind.CUMULATIVE)
    return bool(first.any() and (readings.value[first] == 0).all())


def composition(sums: Sequence[Sum]) -> str:
    """Return what sums are made of, in one line; it differs where other parts count or at other times."""
    return ";".join(f"{summed(s.registers)}@{s.spans}{'<' if s.early else ''}" for s in sums)
