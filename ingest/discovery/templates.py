"""The templates by which Home Assistant takes a value from a payload: the small part of Jinja that is certain.

`value`, `value_json.a.b`, `['a']`, `[0]`, the filters float, int, round, is_defined and default, and a factor
(`* 0.001`, `/ 1000`). A template that chooses, adds or calls is refused with the reason, never guessed. What a filter
would round, cut or put in the place of a missing value is not done: the value itself is read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from ingest.profiles.paths import MISSING

T = TypeVar("T")
TEMPLATE_LENGTH: Final = 500
_WHOLE: Final = re.compile(r"\s*\{\{-?\s*(.+?)\s*-?\}\}\s*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|"
    r"(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<sign>[|().\[\]*/,+~=<>!%-]))"
)
_FILTERS: Final = frozenset({"float", "int", "round", "is_defined", "default", "d", "string"})
_MOST_STEPS: Final = 20


class Refused(ValueError):
    """A template that is not understood with certainty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a template takes: `steps` into the JSON of the payload, or the payload as text where `json` is not set.

    The value is multiplied by `scale` and divided by `divisor`. `field` is how the place is called.
    """

    json: bool
    steps: tuple[str | int, ...] = ()
    scale: float = 1.0
    divisor: float = 1.0

    @property
    def field(self) -> str:
        """The place in the payload, as text."""
        text = ""
        for step in self.steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text or "payload"

    @property
    def leaf(self) -> str:
        """The last name of the place, empty where there is none."""
        return next((step for step in reversed(self.steps) if isinstance(step, str)), "")

    def take(self, tree: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return what stands at the place in a tree, MISSING where nothing does."""
        for step in self.steps:
            if isinstance(step, str):
                tree = tree.get(step, MISSING) if type(tree) is dict else MISSING
            else:
                tree = tree[step] if type(tree) is list and step < len(tree) else MISSING
            if tree is MISSING:
                return MISSING
        return tree


WHOLE: Final = Template(json=False)
"""The template of an entity that has none: the payload is the value."""


def template_of(text: str) -> Template:
    """Return what a template takes; raise Refused."""
    if not text.strip():
        return WHOLE
    inner = _WHOLE.fullmatch(text) if len(text) <= TEMPLATE_LENGTH else None
    if inner is None or "{%" in text or "{{" in inner[1]:
        raise Refused("it is more than one expression in braces")
    return _Parser(inner[1]).template()


class _Parser:
    """Reads one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Refused(f"{text[at : at + 20]!r} is not understood")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            at = match.end()
        self._at = 0

    def template(self) -> Template:
        found = self._product()
        if self._at < len(self._tokens):
            raise Refused(f"{self._tokens[self._at][1]!r} is no part of a place in the payload")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self, kind: str, what: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise Refused(f"{what} is missing")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _take(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _product(self) -> Template:
        found = self._filtered(self._atom)
        while self._peek() in {"*", "/"}:
            divides = self._take("/") or not self._take("*")
            factor = float(self._filtered(lambda: self._next("number", "a factor")))
            if factor == 0:
                raise Refused("its factor is zero")
            name = "divisor" if divides else "scale"
            found = replace(found, **{name: getattr(found, name) * factor})
        return found

    def _filtered(self, inner: Callable[[], T]) -> T:
        found = inner()
        while self._take("|"):
            name = self._next("name", "a filter")
            if name not in _FILTERS:
                raise Refused(f"the filter {name} changes the value")
            if self._take("("):
                self._arguments()
        return found

    def _arguments(self) -> None:
        """Pass over what a filter is given: plain values alone."""
        while not self._take(")"):
            if self._at >= len(self._tokens) or self._peek() in {"(", "|", "[", ".", "value", "value_json"}:
                raise Refused("a filter is given an expression")
            self._at += 1

    def _atom(self) -> Template:
        if self._take("("):
            found = self._product()
            if not self._take(")"):
                raise Refused(f"{self._peek() or 'its end'!r} stands where a bracket closes")
            return self._filtered(lambda: found)
        name = self._next("name", "value or value_json")
        if name == "value":
            return WHOLE
        if name != "value_json":
            raise Refused(f"{name} is neither value nor value_json")
        steps: list[str | int] = []
        while len(steps) < _MOST_STEPS and self._peek() in {".", "["}:
            steps.append(self._step())
        return Template(json=True, steps=tuple(steps))

    def _step(self) -> str | int:
        if self._take("."):
            return self._next("name", "a key")
        self._take("[")
        kind = self._tokens[self._at][0] if self._at < len(self._tokens) else ""
        step: str | int = (
            self._next("text", "a key")[1:-1] if kind == "text" else _whole(self._next("number", "a place"))
        )
        if not self._take("]"):
            raise Refused("a bracket does not close")
        return step


def _whole(text: str) -> int:
    if not text.isdigit():
        raise Refused(f"{text} is no place in a list")
    return int(text)
