"""What unit, quantity, register and kind of a reading together mean; worked out once for each combination."""

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.errors import UnitError
from core.readings import Kind
from core.units import CANONICAL, Quantity, Unit, unit

COUNTED: Final = frozenset(
    {
        Quantity.ENERGY,
        Quantity.REACTIVE_ENERGY,
        Quantity.APPARENT_ENERGY,
        Quantity.VOLUME,
        Quantity.PULSE_COUNT,
        Quantity.HEAT_COST_UNITS,
    }
)
"""Quantities of a dial; the others are measured at an instant."""

KINDS: Final = {
    "cumulative": Kind.CUMULATIVE,
    "snapshot": Kind.CUMULATIVE,
    "interval": Kind.INTERVAL,
    "delta": Kind.DELTA,
    "gauge": Kind.GAUGE,
}
AS_SENT: Final = Unit(Quantity.UNSTATED)
CACHED: Final = 10_000
_DIRECTION: Final = re.compile(r"[a-z0-9_]{1,40}(/[a-z0-9_]{1,40}){0,4}")


class Fault(NamedTuple):
    """What is wrong with a key of a reading."""

    key: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a combination means: where its readings go and how values become canonical; or a fault."""

    register: str = ""
    kind: Kind = Kind.CUMULATIVE
    snapshot: bool = False
    unit: Unit = AS_SENT
    fault: Fault | None = None


class _Wrong(Exception):
    def __init__(self, key: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(key, reason, detail)


def meaning(unit_text: object, quantity: object, register: object, kind: object) -> Meaning:
    """Return what these four keys of a reading say (None: absent)."""
    try:
        stated = _unit(unit_text)
        named, direction = _register(register)
        declared = _declared(_quantity(quantity), named, register)
        found = Quantity.UNSTATED if stated is None else _agreed(stated, declared, unit_text)
        return _meant(stated, found, declared, direction, kind)
    except _Wrong as wrong:
        return Meaning(fault=wrong.fault)


def _meant(stated: Unit | None, found: Quantity, declared: Quantity | None, direction: str, kind: object) -> Meaning:
    if stated is None:
        head = f"{declared}." if declared and declared is not Quantity.UNSTATED else ""
        register, fallback = f"{found}.{head}{direction}", _default_kind(declared or Quantity.ENERGY)
    else:
        register, fallback = f"{found}.{direction}", _default_kind(found)
    chosen = _kind(kind, fallback)
    if stated is not None and (chosen is Kind.GAUGE) == (found in COUNTED):
        detail = f"{kind!r} does not go with {found}: counts are cumulative, interval or delta, the rest is gauge"
        raise _Wrong("kind", "kind_contradicts", detail)
    return Meaning(register=register, kind=chosen, snapshot=_word(kind) == "snapshot", unit=stated or AS_SENT)


def _declared(quantity: Quantity | None, named: Quantity | None, register: object) -> Quantity | None:
    """Return the quantity that is declared, by its own key or in the register; both must agree."""
    if quantity and named and quantity is not named:
        raise _Wrong("register", "register_contradicts", f"{register!r:.60} is not of quantity {quantity}")
    return quantity or named


def _default_kind(quantity: Quantity) -> Kind:
    return Kind.CUMULATIVE if quantity in COUNTED or quantity is Quantity.UNSTATED else Kind.GAUGE


def _unit(text: object) -> Unit | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise _Wrong("unit", "unit_unknown", f"{text!r:.60} is no text such as kWh")
    try:
        return unit(text)
    except UnitError as err:
        raise _Wrong("unit", "unit_unknown", str(err)[:200]) from err


def _agreed(stated: Unit, declared: Quantity | None, text: object) -> Quantity:
    """Return the quantity of the unit; a declared one must be the same."""
    if declared is not None and declared is not stated.quantity:
        expected = CANONICAL.get(declared, "none")
        raise _Wrong(
            "unit", "unit_contradicts", f"{text!r} is a unit of {stated.quantity}, not of {declared} ({expected})"
        )
    return stated.quantity


def _quantity(name: object) -> Quantity | None:
    if name is None:
        return None
    try:
        return Quantity(_word(name))
    except ValueError as err:
        known = ", ".join(Quantity)
        raise _Wrong("quantity", "quantity_unknown", f"{name!r:.60} is not one of {known}") from err


def _register(text: object) -> tuple[Quantity | None, str]:
    """Return the quantity, where a register names it, and its direction (total where none is named)."""
    if text is None or text == "":
        return None, "total"
    word = _word(text)
    head, dot, rest = word.partition(".")
    try:
        quantity, direction = (Quantity(head), rest if dot else "total")
    except ValueError:
        quantity, direction = (None, word)
    if not _DIRECTION.fullmatch(direction):
        raise _Wrong("register", "register_unknown", f"{text!r:.60}: write one such as import, energy.import/t1")
    return quantity, direction


def _kind(name: object, fallback: Kind) -> Kind:
    if name is None:
        return fallback
    try:
        return KINDS[_word(name)]
    except KeyError as err:
        raise _Wrong("kind", "kind_unknown", f"{name!r:.60} is not one of {', '.join(KINDS)}") from err


def _word(text: object) -> str:
    return text.strip().lower() if isinstance(text, str) else ""


class Meanings:
    """Meanings by code: each distinct combination is worked out once and keeps its number."""

    def __init__(self) -> None:
        self.known: list[Meaning] = []
        self._codes: dict[tuple[Any, ...], int] = {}

    def codes(self, units: list[Any], quantities: list[Any], registers: list[Any], kinds: list[Any]) -> list[int]:
        """Return the code of each row's combination; codes hold until the next call."""
        if len(self._codes) > CACHED:
            self.known.clear()
            self._codes.clear()
        combinations = list(zip(units, quantities, registers, kinds, strict=True))
        codes = self._codes
        try:
            return [codes[c] for c in combinations]
        except (KeyError, TypeError):
            return [self._code(c) for c in combinations]

    def _code(self, combination: tuple[Any, ...]) -> int:
        key = combination
        if any(type(part) not in {str, type(None)} for part in combination):
            key = tuple(part if type(part) in {str, type(None)} else (repr(part)[:60],) for part in combination)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.known)
            self.known.append(meaning(*combination))
        return code
