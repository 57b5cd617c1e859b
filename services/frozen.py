"""Values as JSON and back, without loss, and what makes two of them the same."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import msgspec

from core.indicators import Value
from core.publications import canonical, digest_of

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
    """Return what two values share that say the same, whenever they were computed."""
    return digest_of(canonical(told(value)))


def at(value: Value, other: Value) -> Value:
    """Return a value as of the moment of another."""
    return replace(value, **{name: getattr(other, name) for name in _OF_THE_MOMENT})
