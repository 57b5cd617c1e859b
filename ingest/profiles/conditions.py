"""Conditions on a row: `when = { Type = "Volume", "$topic.n" = ["0", "1"], value = { type = "number" } }`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ingest.profiles.paths import MISSING, Context, Node, getter

Test = Callable[[Any], bool]
When = Callable[[Context], bool]

TYPES: Final[Mapping[str, Test]] = {
    "number": lambda value: type(value) in {int, float},
    "text": lambda value: type(value) is str,
    "bool": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict,
    "list": lambda value: type(value) is list,
    "null": lambda value: value is None,
}


EMPTIES: Final[tuple[Node, ...]] = (MISSING, None, "", {}, [])
"""What counts as nothing."""


class ConditionError(ValueError):
    """A condition that cannot be read; `path` says which."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(why)
        self.path = path


class Condition(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a value must be; all that is given must hold. `not` turns one round."""

    exists: bool | None = None
    type: str | None = None
    regex: str | None = None
    keys: str | None = None
    empty: bool | None = None
    is_not: Node = msgspec.field(default=msgspec.UNSET, name="not")
    above: float | None = None
    below: float | None = None


Wanted = Any
"""A value (equal), a list of values (one of them), or a Condition."""


def when(conditions: Mapping[str, Wanted]) -> When | None:
    """Return the test of a row that all conditions make, None where there are none; raise ConditionError."""
    pairs = []
    for path, wanted in conditions.items():
        try:
            pairs.append((getter(path), test(wanted)))
        except (ValueError, re.error, msgspec.ValidationError) as err:
            raise ConditionError(path, str(err)) from err
    if not pairs:
        return None
    if len(pairs) == 1:
        only, holds = pairs[0]
        return lambda row: holds(only(row))
    return lambda row: all(check(get(row)) for get, check in pairs)


def test(wanted: Wanted) -> Test:
    """Return the test of one value."""
    if isinstance(wanted, dict):
        return _all(_parts(msgspec.convert(wanted, Condition)))
    if isinstance(wanted, list):
        return lambda value: any(_equal(value, one) for one in wanted)
    return lambda value: _equal(value, wanted)


def _equal(value: Node, wanted: Node) -> bool:
    """Return whether a value is what was written; true is not 1, and a number in quotes is a text."""
    return (type(value) is not bool and type(wanted) is not bool and value == wanted) or value is wanted


def _parts(condition: Condition) -> list[Test]:
    parts: list[Test] = []
    if condition.exists is not None:
        exists = condition.exists
        parts.append(lambda value: (value is not MISSING) == exists)
    if condition.type is not None:
        if condition.type not in TYPES:
            raise ValueError(f"type {condition.type!r} is not one of {', '.join(TYPES)}")
        parts.append(TYPES[condition.type])
    if condition.regex is not None:
        found = re.compile(condition.regex).fullmatch
        parts.append(lambda value: type(value) is str and found(value[:1000]) is not None)
    parts += _shapes(condition) + _bounds(condition)
    if condition.is_not is not msgspec.UNSET:
        inner = test(condition.is_not)
        parts.append(lambda value: not inner(value))
    return parts


def _shapes(condition: Condition) -> list[Test]:
    """Return the tests of what a value holds: whether anything, and only keys that fit."""
    parts: list[Test] = []
    if condition.empty is not None:
        empty = condition.empty
        parts.append(lambda value: any(value is one or value == one for one in EMPTIES) == empty)
    if condition.keys is not None:
        fits = re.compile(condition.keys).fullmatch
        parts.append(lambda value: type(value) is dict and all(fits(key[:1000]) for key in value))
    return parts


def _bounds(condition: Condition) -> list[Test]:
    """Return the tests of a number's size."""
    above, below = condition.above, condition.below
    parts: list[Test] = []
    if above is not None:
        parts.append(lambda value: type(value) in {int, float} and value > above)
    if below is not None:
        parts.append(lambda value: type(value) in {int, float} and value < below)
    return parts


def _all(parts: list[Test]) -> Test:
    if not parts:
        raise ValueError("says nothing: give one of exists, type, regex, keys, empty, not, above, below")
    if len(parts) == 1:
        return parts[0]
    return lambda value: all(part(value) for part in parts)
