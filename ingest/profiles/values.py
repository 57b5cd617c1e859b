"""Values as payloads write them, to numbers."""

import math
import re
from collections.abc import Callable
from typing import Any, Final

from ingest.profiles.paths import Node
from ingest.profiles.spec import ReadingSpec

_POINT: Final = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?")
NO_VALUE: Final = frozenset(
    {"", "nan", "-nan", "null", "none", "n/a", "na", "-", "--", "---", "unknown", "unavailable", "undefined", "invalid"}
)
"""Texts that stand where a device has no value; compared in small letters."""

TEXT_LENGTH: Final = 1000


class Unreadable(ValueError):
    """A value that is no number; `reason` is counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


Read = Callable[[Any], float | None]
"""Returns the number of a value, None where there is none; raises Unreadable."""


def plain(value: Node) -> float | None:
    """Return the number of a value written with a decimal point."""
    kind = type(value)
    if kind is float and math.isfinite(value):
        return float(value)
    if kind is float or kind is int:
        return _finite(value)
    if value is None:
        return None
    if kind is str:
        return _of_text(value, ".")
    raise Unreadable("value_unreadable", f"{value!r:.60} is no number")


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isnan(number):
        return None
    if not math.isfinite(number):
        raise Unreadable("value_unreadable", f"{value!r:.60} is no finite number")
    return number


def _of_text(text: str, decimal: str) -> float | None:
    word = text.strip()
    if word.lower() in NO_VALUE:
        return None
    if _GROUPED.fullmatch(word[:TEXT_LENGTH]):
        word = re.sub(r"[ \u00a0\u202f]", "", word)
    if decimal == ",":
        word = word.replace(",", ".") if word.count(",") == 1 and "." not in word else word
    if not _POINT.fullmatch(word[:TEXT_LENGTH]) or len(word) > TEXT_LENGTH:
        mark = "a comma" if decimal == "," else "a point"
        raise Unreadable("value_unreadable", f"{text!r:.60} is no number; the decimal mark is {mark}")
    return _finite(float(word))


def reader(spec: ReadingSpec) -> Read:
    """Return what reads the values of a rule."""
    if not (spec.number or spec.sentinels or spec.wrap or spec.bound or spec.decimal == "," or spec.zero == "drop"):
        return plain
    missing = {float(s) for s in spec.sentinels if not isinstance(s, str)}
    words = {s.strip().lower() for s in spec.sentinels if isinstance(s, str)}
    inner = re.compile(spec.number).search if spec.number else None

    def read(value: Node) -> float | None:
        if type(value) is str:
            if value.strip().lower() in words:
                return None
            if inner is not None:
                value = _within(inner(value[:TEXT_LENGTH]), value)
        number = _of_text(value, spec.decimal) if type(value) is str else plain(value)
        if number is None or number in missing or (number == 0 and spec.zero == "drop"):
            return None
        return _bounded(_unwrapped(number, spec.wrap), spec.bound)

    return read


def _within(match: re.Match[str] | None, value: str) -> str:
    """Return what an expression finds in a text: its first group, or all of it."""
    if match is None:
        raise Unreadable("value_unreadable", f"{value!r:.60} does not hold the number that the profile looks for")
    return str(match[1] if match.re.groups else match[0])


def _unwrapped(number: float, bits: int) -> float:
    """Return a number that was written as an unsigned one of so many bits, with its sign."""
    return number - 2.0**bits if bits and number >= 2.0 ** (bits - 1) else number


def _bounded(number: float, bound: float) -> float:
    if bound and abs(number) > bound:
        raise Unreadable("value_out_of_bounds", f"{number:g} is beyond the profile's bound of {bound:g}")
    return number
