"""Parts of a register: tariffs, phases and channels, which of them make up the whole, and sums that a meter may name.

A register is `quantity.direction`, a part of it `quantity.direction/part`. A sum is its parts joined by +, as in
`energy.import/t1+energy.import/t2`. Parts of one kind are added, never a tariff and a phase, a part and the whole.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from core.errors import InputError

PLUS: Final = "+"
_NUMBERED: Final = re.compile(r"(t|l|c|s|d|ch)(\d+)")
_PHASES: Final = ("l1", "l2", "l3")
_SIX: Final = ("bbrhcjb", "bbrhpjb", "bbrhcjw", "bbrhpjw", "bbrhcjr", "bbrhpjr")
_NAMED: Final[tuple[tuple[tuple[str, ...], ...], ...]] = (
    (("hc", "hp"),),  # Teleinfo: off-peak and peak hours
    (("hn", "hpm"),),  # Teleinfo: normal hours and those of mobile peaks
    (_SIX,),  # Teleinfo: blue, white and red days, off-peak and peak
    (("vt", "nt"), ("ht", "nt")),  # Czech and German high and low tariff
    (("day", "night"), ("high", "low"), ("normal", "low"), ("peak", "offpeak"), ("peak", "off_peak")),
    (("den", "noc"),),
    (("tag", "nacht"), ("dag", "nacht")),
    (("jour", "nuit"),),
    (("f1", "f2", "f3"),),  # Italian time bands
)
"""Names of tariffs that make up a whole, by vocabulary, of which exactly the names of one row must be there."""


def parts_of(register: str) -> tuple[str, ...]:
    """Return the registers that a text names: those of a sum, or the one."""
    return tuple(part.strip() for part in register.split(PLUS)) if PLUS in register else (register,)


def is_sum(register: str) -> bool:
    """Return whether a text names a sum of registers."""
    return PLUS in register


def summed(registers: Iterable[str]) -> str:
    """Return the text of a sum of registers."""
    return PLUS.join(registers)


def whole_of(register: str) -> str:
    """Return the register of the whole that a part, or the parts of a sum, belong to."""
    return parts_of(register)[0].partition("/")[0]


def families(whole: str, present: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the families of parts that make up a whole and are all present: tariffs, named tariffs, phases.

    Tariffs are complete from t1 on without a gap, two at least; phases are l1, l2 and l3. Each family by itself
    counts all, so only one of them may be added up.
    """
    names = {r.removeprefix(f"{whole}/") for r in present if r.startswith(f"{whole}/")}
    if not names:
        return []
    found = [_tariffs(names), *(_named(names, rows) for rows in _NAMED), _PHASES if names >= set(_PHASES) else ()]
    return [tuple(f"{whole}/{name}" for name in family) for family in found if family]


def _tariffs(names: Collection[str]) -> tuple[str, ...]:
    numbers = sorted(int(n[1:]) for n in names if re.fullmatch(r"t[1-9]\d?", n))
    return tuple(f"t{n}" for n in numbers) if len(numbers) > 1 and numbers[-1] == len(numbers) else ()


def _named(names: Collection[str], rows: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    spoken = {name for row in rows for name in row} & set(names)
    return next((row for row in rows if set(row) == spoken), ())


def is_tariff_or_phase(register: str) -> bool:
    """Return whether a register counts only at some time or on some wire, so that by itself it is not the whole."""
    name = register.rpartition("/")[2] if "/" in register else ""
    return bool(re.fullmatch(r"[tl]\d+", name)) or any(name in row for rows in _NAMED for row in rows)


def check_sum(text: str) -> None:
    """Raise InputError where a text names a sum whose parts would count something twice, or are of several wholes."""
    parts = parts_of(text)
    if len({whole_of(part) for part in parts}) > 1:
        raise InputError(
            f"{text!r} adds up different things", remedy="add parts of one register, or make a virtual point"
        )
    if not all(part.partition("/")[2] for part in parts):
        raise InputError(f"{text!r} adds a part to its whole", remedy="name the whole alone, or only parts")
    if len(set(parts)) < len(parts):
        raise InputError(f"{text!r} adds a part twice", remedy="name each part once")
    if len({_kind(part) for part in parts}) > 1:
        raise InputError(f"{text!r} adds parts of several kinds", remedy="add tariffs, or phases, never both")


def _kind(part: str) -> tuple[str, ...]:
    """Return what a part is by: numbered tariffs, phases or channels by their letter, names as names."""
    named = (_NUMBERED.fullmatch(segment) for segment in part.split("/")[1:])
    return tuple(found[1] if found else "" for found in named)
