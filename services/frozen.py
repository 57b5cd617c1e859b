"""Values as JSON and back, without loss, and what makes two of them the same."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from core.indicators import Value
from core.publications import canonical, digest_of

DIGITS: Final = 10
"""Digits to which values are the same: floats that are added in another order differ beyond them."""
_OF_THE_MOMENT: Final = ("computed_at", "cutoff", "register")
"""Fields that tell when a value was computed, not what it is."""


def to_json(thing: object) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Return what a dataclass says as JSON: dates as text, tuples as lists, numbers as they are."""
    return _listed(msgspec.to_builtins(thing, enc_hook=_plain))


def _listed(said: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(said, dict):
        return {name: _listed(one) for name, one in said.items()}
    return [_listed(one) for one in said] if isinstance(said, list | tuple) else said


def _plain(thing: object) -> object:
    if isinstance(thing, MappingProxyType):
        return dict(thing)
    raise NotImplementedError(f"{type(thing).__name__} cannot be frozen")


def value_from(said: Mapping[str, Any]) -> Value:
    """Return the value that JSON says."""
    return msgspec.convert(said, Value)


def told(value: Value) -> dict[str, Any]:
    """Return what a value says, without when it was computed."""
    found: dict[str, Any] = to_json(value)
    return {name: said for name, said in found.items() if name not in _OF_THE_MOMENT}


def value_digest(value: Value) -> str:
    """Return what two values share that say the same to ten digits, whenever and in whichever order computed."""
    return digest_of(canonical(_rounded(told(value))))


def _rounded(said: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(said, dict):
        return {name: _rounded(one) for name, one in said.items()}
    if isinstance(said, list):
        return [_rounded(one) for one in said]
    return float(f"{said:.{DIGITS}g}") if isinstance(said, float) else said
