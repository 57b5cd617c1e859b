"""OBIS codes in the spellings of meters and gateways, and what they mean in our words.

A code is A-B:C.D.E*F: medium, channel, what is measured, how, tariff, billing period. Sources: IEC 62056-61, and
EN 13757-1 for heat, gas and water. What stands in no table here has no meaning: it is never guessed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

ELECTRICITY, HEAT_COST, COOLING, HEAT, GAS, COLD_WATER, HOT_WATER = 1, 4, 5, 6, 7, 8, 9
NOW: Final = 255
"""Group F of a current value; any other names a billing period that is over."""

LARGEST: Final = 255
CACHED: Final = 4096


class Code(NamedTuple):
    """The six groups; A is electricity, B 0 and F 255 where a spelling leaves them out."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int

    def __str__(self) -> str:
        tail = "" if self.f == NOW else f"*{self.f}"
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code says: `register` is direction, then tariff, phase and channel where there are any (import/t1).

    `medium` is electricity, heat, cooling, gas, cold_water, hot_water or heat_cost; `kind` cumulative, gauge, or
    snapshot for the register of a billing period that is over. A sum (tariff 0) repeats its tariffs: never add both.
    """

    quantity: str
    register: str
    direction: str
    tariff: int = 0
    phase: int = 0
    kind: str
    medium: str


_N: Final = r"([0-9]{1,3})"
_SPELLINGS: Final = (
    re.compile(rf"(?:{_N}-{_N}:)?{_N}\.{_N}\.{_N}(?:[*&]{_N})?"),
    re.compile(rf"{_N}-{_N}:{_N}\.{_N}\.{_N}\.{_N}"),
    re.compile(rf"(?:{_N}-{_N}[:_])?{_N}_{_N}_{_N}(?:[*&]{_N})?"),
    re.compile(rf"{_N}-{_N}:{_N}\.{_N}()()"),
)
_SIX: Final = re.compile(rf"{_N}([._-]){_N}\2{_N}\2{_N}\2{_N}\2{_N}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{12}")
LONGEST: Final = 40


@lru_cache(maxsize=CACHED)
def parse(text: str) -> Code | None:
    """Return the code that a text spells, None where it spells none."""
    word = text.strip() if len(text) <= LONGEST else ""
    if _HEX.fullmatch(word):
        return Code(*bytes.fromhex(word))
    six = _SIX.fullmatch(word)
    if six is not None:
        return _checked([six[n] for n in (1, 3, 4, 5, 6, 7)])
    for spelling in _SPELLINGS:
        found = spelling.fullmatch(word)
        if found is not None:
            return _checked(list(found.groups()))
    return None


def _checked(groups: list[str | None]) -> Code | None:
    absent = (ELECTRICITY, 0, 0, 0, 0, NOW)
    code = Code(*(int(group) if group else fallback for group, fallback in zip(groups, absent, strict=True)))
    return code if max(code) <= LARGEST else None


def meaning(text: str) -> Meaning | None:
    """Return what a code means, None for one that is no register or measurement that is kept."""
    code = parse(text)
    return None if code is None else meaning_of(code)


@lru_cache(maxsize=CACHED)
def meaning_of(code: Code) -> Meaning | None:
    """Return what a code means, None for one that is no register or measurement that is kept."""
    found = _electrical(code) if code.a == ELECTRICITY else _other(code)
    if found is None or (code.f != NOW and found.kind != "cumulative"):
        return None
    channel = f"/c{code.b}" if code.b > 1 else ""
    tariff = f"/t{found.tariff}" if found.tariff else ""
    phase = f"/l{found.phase}" if found.phase else ""
    return Meaning(
        quantity=found.quantity,
        register=f"{found.direction}{tariff}{phase}{channel}",
        direction=found.direction,
        tariff=found.tariff,
        phase=found.phase,
        kind=found.kind if code.f == NOW else "snapshot",
        medium=_MEDIA[code.a],
    )


class _Found(NamedTuple):
    quantity: str
    direction: str
    kind: str
    tariff: int = 0
    phase: int = 0


_MEDIA: Final = {
    ELECTRICITY: "electricity",
    HEAT_COST: "heat_cost",
    COOLING: "cooling",
    HEAT: "heat",
    GAS: "gas",
    COLD_WATER: "cold_water",
    HOT_WATER: "hot_water",
}
_ACTIVE: Final = {1: "import", 2: "export", 15: "absolute", 16: "net"}
_REACTIVE: Final = {3: "import", 4: "export", 5: "q1", 6: "q2", 7: "q3", 8: "q4"}
_MEASURED: Final = {11: "current", 12: "voltage", 14: "frequency"}
_PHASES: Final = ((21, 1), (41, 2), (61, 3))
INSTANT: Final = 7
DIAL: Final = 8
MOST_TARIFFS: Final = 63


def _electrical(code: Code) -> _Found | None:
    phase, c = next(((n, code.c - start + 1) for start, n in _PHASES if start <= code.c < start + 20), (0, code.c))
    if code.d == DIAL and code.e <= MOST_TARIFFS:
        return _dial(c, code.e, phase)
    if code.d == INSTANT and code.e == 0:
        return _instant(c, phase)
    return None


def _dial(c: int, tariff: int, phase: int) -> _Found | None:
    if c in _ACTIVE:
        return _Found("energy", _ACTIVE[c], "cumulative", tariff, phase)
    if c in _REACTIVE:
        return _Found("reactive_energy", _REACTIVE[c], "cumulative", tariff, phase)
    return None


def _instant(c: int, phase: int) -> _Found | None:
    if c in _ACTIVE:
        return _Found("power", "total" if _ACTIVE[c] == "net" else _ACTIVE[c], "gauge", phase=phase)
    if c in _REACTIVE:
        return _Found("reactive_power", _REACTIVE[c], "gauge", phase=phase)
    if c in _MEASURED:
        return _Found(_MEASURED[c], "total", "gauge", phase=phase)
    return None


_OTHERS: Final[dict[tuple[int, int, int], tuple[str, str, str]]] = {
    (HEAT_COST, 1, 0): ("heat_cost_units", "total", "cumulative"),
    **{
        (medium, c, 0): found
        for medium in (HEAT, COOLING)
        for c, found in {
            1: ("energy", "total", "cumulative"),
            2: ("volume", "total", "cumulative"),
            8: ("power", "total", "gauge"),
            9: ("flow", "total", "gauge"),
            10: ("temperature", "flow", "gauge"),
            11: ("temperature", "return", "gauge"),
        }.items()
    },
    (GAS, 3, 0): ("volume", "total", "cumulative"),
    (GAS, 3, 1): ("volume", "corrected", "cumulative"),
    (GAS, 3, 2): ("volume", "base", "cumulative"),
    **{(medium, 1, 0): ("volume", "total", "cumulative") for medium in (COLD_WATER, HOT_WATER)},
    **{(medium, 2, 0): ("flow", "total", "gauge") for medium in (COLD_WATER, HOT_WATER)},
}
"""By medium, C and D: quantity, register, kind. Gas: as metered, temperature-corrected, at base conditions."""


def _other(code: Code) -> _Found | None:
    found = _OTHERS.get((code.a, code.c, code.d))
    if found is None or code.e > MOST_TARIFFS or (found[2] == "gauge" and code.e):
        return None
    return _Found(*found, tariff=code.e)
