"""Whose readings they are: what a table calls a meter or point, to the series in which its readings are kept.

A dial belongs to the device that was mounted then. An amount of a point is no dial: it is kept in the series of the
point's meter where that has amounts alone, else in a series of its own, which counts where no meter is mounted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core.calendar import Longs, instant, micros
from core.errors import InputError
from core.parts import families, is_sum, whole_of
from core.readings import Kind, SeriesKey
from core.registry import EAN_DIGITS, MAIN_REGISTERS, Commodity, Meter, Point, Register, Role
from core.table_troubles import Trouble
from core.units import Quantity
from services.points import main_register
from services.register_rules import COUNTED, Snapshot

INVOICES: Final = "faktury/"
PROFILES: Final = "profil/"
"""Begins of the devices of a point's own series of invoices and of profiles."""

SUFFIXES: Final = {INVOICES: "/faktury", PROFILES: "/profil"}
"""How the entries are called by which those series count, behind the id of their point."""

FOREVER: Final = 2**62
_CUT: Final = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_CODE: Final = re.compile(rf"\d{{{EAN_DIGITS}}}|27Z[0-9A-Z-]{{13}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """What a name stands for: a point, or a device (with its meters in the register); or what is wrong with it.

    `by_device` is whether the device's own name was written, not the id or serial number of its meter.
    """

    name: str
    point: Point | None = None
    device: str = ""
    by_device: bool = True
    meters: tuple[Meter, ...] = ()
    trouble: Trouble | None = None
    args: Mapping[str, str] = field(default_factory=dict)


class Names:
    """Finds what names of tables stand for in a register."""

    def __init__(self, register: Snapshot, *, unknown_to_inbox: bool) -> None:
        self._inbox = unknown_to_inbox
        self._points = {p.id: p for p in register.every(Point)}
        self._codes: dict[str, list[Point]] = {}
        self._devices: dict[str, list[Meter]] = {}
        self._meters: dict[str, list[Meter]] = {}
        self._of_point: dict[str, list[Meter]] = {}
        for point in self._points.values():
            if point.code:
                self._codes.setdefault(point.code.upper(), []).append(point)
        for meter in sorted(register.every(Meter), key=lambda m: (m.mounted, m.id)):
            self._of_point.setdefault(meter.point, []).append(meter)
            self._devices.setdefault(meter.device, []).append(meter)
            for name in {meter.id, meter.serial} - {""}:
                self._meters.setdefault(name, []).append(meter)

    def point(self, key: str) -> Point | None:
        """Return a point of the register."""
        return self._points.get(key)

    def mounted(self, point: str) -> list[Meter]:
        """Return the meters of a point in order of their mounting, without the point's own series."""
        return [m for m in self._of_point.get(point, ()) if not _is_own(m)]

    def own(self, point: str, device: str) -> list[Meter]:
        """Return the entries by which a point's own series counts."""
        return [m for m in self._of_point.get(point, ()) if m.device == device and _is_own(m)]

    def find(self, name: str) -> Whose:
        """Return what a name stands for: a point's id or code, a meter's id or serial number, a device."""
        if not name:
            return Whose(name=name, trouble=Trouble.SUBJECT_EMPTY)
        if _CUT.fullmatch(name):
            return Whose(name=name, trouble=Trouble.CODE_CUT, args={"value": name})
        points = [self._points[name]] if name in self._points else self._codes.get(_code(name), [])
        devices = {name} if name in self._devices else {m.device for m in self._meters.get(name, ())}
        several = sorted({p.id for p in points}) + (sorted(devices) if not points else [])
        if len(several) > 1:
            return Whose(name=name, trouble=Trouble.SUBJECT_SEVERAL, args={"value": name, "others": ", ".join(several)})
        if points:
            return self._of_a_point(name, points[0])
        if devices:
            device = devices.pop()
            by_device = name in self._devices
            return Whose(name=name, device=device, by_device=by_device, meters=tuple(self._devices[device]))
        return self._unknown(name)

    def _of_a_point(self, name: str, point: Point) -> Whose:
        if point.role is Role.VIRTUAL:
            return Whose(name=name, trouble=Trouble.POINT_COMPUTED, args={"value": point.id})
        return Whose(name=name, point=point, meters=tuple(self.mounted(point.id)))

    def _unknown(self, name: str) -> Whose:
        if _CODE.fullmatch(_code(name)):
            return Whose(name=name, trouble=Trouble.CODE_UNKNOWN, args={"value": name})
        if self._inbox:
            return Whose(name=name, device=name)
        return Whose(name=name, trouble=Trouble.SUBJECT_UNKNOWN, args={"value": name})


def _is_own(meter: Meter) -> bool:
    """Return whether an entry stands for a point's own series, not for a meter that an operator mounted."""
    stem = SUFFIXES.get(meter.device.partition("/")[0] + "/")
    return stem is not None and meter.id.startswith(meter.point + stem)


def _code(name: str) -> str:
    return re.sub(r"\s", "", name).upper()


def bounds_us(meter: Meter) -> tuple[int, int]:
    """Return when a meter was mounted and removed [µs]."""
    end = FOREVER if meter.removed is None else int(micros(instant(meter.removed)))
    return int(micros(instant(meter.mounted))), end


def mounted_then(meters: Sequence[Meter], at_us: Longs) -> Longs:
    """Return the index of the meter that was mounted at each instant, -1 where none was."""
    found = np.full(len(at_us), -1)
    for n, meter in enumerate(meters):
        start, end = bounds_us(meter)
        found[(at_us >= start) & (at_us < end)] = n
    for n, meter in enumerate(meters):  # a final reading stands at the very end
        found[(found < 0) & (at_us == bounds_us(meter)[1])] = n
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where readings of a device are kept: what it counts, its meter, which registers it has."""

    device: str
    commodity: Commodity | None
    meter: Meter | None
    present: tuple[str, ...]

    def register(self, part: str, quantity: Quantity) -> str:
        """Return the full register of a part of one; raise InputError where it does not fit the quantity."""
        if "." in part.partition("/")[0] and not part.startswith("."):
            if Register.parse(part).quantity is not quantity:
                raise InputError(f"{part} does not count {quantity}")
            return part
        if part.startswith("."):
            return f"{quantity}{part}"
        return self._whole(quantity) + part

    def _whole(self, quantity: Quantity) -> str:
        """Return the register of the whole amount: the one that counts already, else the usual one."""
        if self.meter is not None and self.meter.register and _quantity(self.meter.register) is quantity:
            return whole_of(self.meter.register) if is_sum(self.meter.register) else self.meter.register
        mine = [r for r in self.present if _quantity(r) is quantity and "/" not in r]
        mine += [w for w in dict.fromkeys(map(whole_of, self.present)) if families(w, self.present)]
        usual = MAIN_REGISTERS[self.commodity] if self.commodity else ()
        choices = [r for r in usual if _quantity(r) is quantity]
        if quantity is Quantity.REACTIVE_ENERGY:
            choices = ["reactive_energy.import"]
        known = [r for r in choices if r in mine] or ([] if choices else mine)
        return (known or choices or [f"{quantity}.total"])[0]

    def turns(self, added: Sequence[str]) -> tuple[str, str] | None:
        """Return the register that counts and the one that would instead, where adding registers changes it."""
        if self.meter is None or self.commodity is None or not self.present:
            return None
        before = main_register(self.meter, self.commodity, self.present)
        after = main_register(self.meter, self.commodity, (*self.present, *added))
        return (before, after) if before != after and before in self.present else None

    def fits(self, quantity: Quantity) -> bool:
        """Return whether a quantity can be counted here."""
        return self.commodity is None or quantity in COUNTED[self.commodity] | _BESIDE.get(self.commodity, set())


_BESIDE: Final = {
    Commodity.ELECTRICITY: {Quantity.REACTIVE_ENERGY},
    Commodity.PV: {Quantity.REACTIVE_ENERGY},
    Commodity.HEAT: {Quantity.VOLUME},
    Commodity.HOT_WATER: {Quantity.ENERGY},
}
"""What meters count beside what their point uses."""


def _quantity(register: str) -> Quantity:
    try:
        return Register.parse(register).quantity
    except InputError:
        return Quantity.UNSTATED


def kind_of(span_s: Longs) -> Longs:
    """Return the kind of readings by the length of their periods."""
    return np.where(span_s > 0, int(Kind.INTERVAL), int(Kind.CUMULATIVE))


def key_of(home: Home, register: str) -> SeriesKey:
    """Return the series of a register of a home."""
    return SeriesKey(home.device, register)
