"""Errors in the language of who reads them.

Rooms below say in English what is wrong, where and what to do, with values in it. A catalogue holds each such text as a
template (`point %(id)s is not in the register`) with its Czech; here an English text finds its template, and its values
go into the Czech one as they are. What a value is may stand at the end of its name:

- `_quoted`: written as Python quotes it; gets Czech quotation marks
- `_bare`: without spaces; `_number`: a number; nothing else fits there
- `_word`: a word of the catalogue; nothing else fits there
- `_text`, `_texts`: itself a text of the catalogue, such as what is wrong with a cell, or several between commas;
  nothing else fits there
- `_place`: the name of a place, translated where the catalogue has it
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel.messages.pofile import read_po

from api.texts import CATALOGS
from core.errors import InputError, OdecetError

HOLE: Final = re.compile(r"%\((\w+)\)s")
BARE: Final = re.compile(r"\S+")
NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|nan|inf)")
REPR: Final = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
LONGEST: Final = 8_000
"""Characters of a text beyond which no template is sought."""
MOST_TRIES: Final = 500
"""Ways in which a text may fit templates, texts in it included, of which one is sought."""
DEEPEST: Final = 4
WORD: Final = "word"
PLACE: Final = "place"
ANYTHING: Final = ""


@dataclass(frozen=True, slots=True)
class Template:
    """An English text between whose literals values stand, and the same in another language."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    said: str

    @classmethod
    def of(cls, text: str, said: str) -> "Template":
        """Return the template of two texts with %(name)s where values stand."""
        parts = HOLE.split(text)
        return cls(tuple(parts[::2]), tuple(parts[1::2]), said)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """How narrow a template is: of several that fit, the one that leaves least open is meant.

        One that names problem and remedy in its own words goes before any that puts two texts together.
        """
        kinds = [_kind(name) for name in self.names]
        told = kinds.count("text") + ("word" in kinds and "text" in kinds)
        whole = not told and any("; " in literal for literal in self.literals)
        return whole, told > 1, sum(map(len, self.literals))

    def fits(self, text: str) -> Iterator[tuple[str, ...]]:
        """Return the values with which this template is the text, the shortest first ones first."""
        first, last = self.literals[0], self.literals[-1]
        if not self.names:
            if text == first:
                yield ()
        elif len(text) >= len(first) + len(last) and text.startswith(first) and text.endswith(last):
            yield from _between(text[len(first) : len(text) - len(last)], self.literals[1:-1])

    def filled(self, values: Mapping[str, str | None]) -> str:
        """Return the other language's text with these values."""
        return HOLE.sub(lambda hole: str(values[hole[1]]), self.said)


def _kind(name: str) -> str:
    """Return what a value is by the end of its name, empty where it tells nothing."""
    before, _, kind = name.rpartition("_")
    return kind if before else ""


def _between(text: str, literals: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Return the values between literals that stand in a text one after the other."""
    if not literals:
        yield (text,)
        return
    at = text.find(literals[0])
    while at >= 0:
        found = False
        for rest in _between(text[at + len(literals[0]) :], literals[1:]):
            found = True
            yield (text[:at], *rest)
        # What does not fit behind the first place does not fit behind later ones, where less is left.
        at = text.find(literals[0], at + 1) if found else -1


class Phrases:
    """The catalogue of one language."""

    def __init__(self, entries: Iterable[tuple[str, str, str]] = ()) -> None:
        exact: dict[tuple[str, str], str] = {}
        templates: dict[str, list[Template]] = {}
        for context, text, said in entries:
            if HOLE.search(text):
                templates.setdefault(context, []).append(Template.of(text, said))
            else:
                exact[context, text] = said
        self.known = bool(exact or templates)
        self._exact: Mapping[tuple[str, str], str] = exact
        self._templates: Mapping[str, tuple[Template, ...]] = {
            context: tuple(sorted(found, key=lambda t: t.rank, reverse=True)) for context, found in templates.items()
        }

    def problem(self, text: str) -> str:
        """Return what is wrong, or what to do, as this language says it; a text that it does not know as it is."""
        found = self._found(text, ANYTHING, iter(range(MOST_TRIES)), DEEPEST)
        return text if found is None else found

    def place(self, text: str) -> str:
        """Return the name of a place, as it is where it is nobody's word: a file, a path."""
        found = self._found(text, PLACE, iter(range(MOST_TRIES)), DEEPEST)
        return text if found is None else found

    def _found(self, text: str, context: str, tries: Iterator[int], depth: int) -> str | None:
        said = self._exact.get((context, text))
        if said is not None or depth == 0 or len(text) > LONGEST:
            return said
        filled = (self._filled(template, text, tries, depth - 1) for template in self._templates.get(context, ()))
        return next((one for one in filled if one is not None), None)

    def _filled(self, template: Template, text: str, tries: Iterator[int], depth: int) -> str | None:
        for values in template.fits(text):
            if next(tries, None) is None:
                return None
            shown = {n: self._shown(n, value, tries, depth) for n, value in zip(template.names, values, strict=True)}
            if None not in shown.values():
                return template.filled(shown)
        return None

    def _shown(self, name: str, value: str, tries: Iterator[int], depth: int) -> str | None:  # noqa: PLR0911 - one each
        match _kind(name):
            case "quoted":
                return f"„{value[1:-1]}“" if REPR.fullmatch(value) else value
            case "bare":
                return value if BARE.fullmatch(value) else None
            case "number":
                return value if NUMBER.fullmatch(value) else None
            case "place":
                return self._found(value, PLACE, tries, depth) or self._exact.get((WORD, value), value)
            case "word":
                return self._exact.get((WORD, value))
            case "text":
                return self._found(value, ANYTHING, tries, depth)
            case "texts":
                said = [self._found(one, ANYTHING, tries, depth) for one in value.split(", ")]
                return None if None in said else ", ".join(filter(None, said))
        return value


@cache
def phrases(code: str) -> Phrases:
    """Return the catalogue of a language; English has none, for it is what is said."""
    path = CATALOGS / f"errors-{code}.po"
    if not path.exists():
        return Phrases()
    with path.open("rb") as source:
        catalog = read_po(source, locale=code)
    return Phrases((m.context or ANYTHING, str(m.id), str(m.string)) for m in catalog if m.id and m.string)


def told(phrases: Phrases, err: OdecetError) -> str:
    """Return an error in one line: where, what is wrong, what to do."""
    if not isinstance(err, InputError) or not phrases.known:
        return phrases.problem(str(err))
    place = phrases.place(err.place)
    return " ".join(
        filter(None, (f"{place}:" if place else "", phrases.problem(err.problem), phrases.problem(err.remedy)))
    )
