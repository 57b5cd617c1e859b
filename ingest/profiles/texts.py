"""Texts with places in braces: "{devEui|lower}-{$topic.n}"; places hold a path or a group of a key's expression."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ingest.profiles.paths import MISSING, Context, Getter, Node, getter

TEXT_LENGTH: Final = 200
_PLACE: Final = re.compile(r"\{([^{}]*)\}")

Make = Callable[[Context], str | None]
"""Makes the text of a row; None where something in it is missing."""


def _base64_hex(text: str) -> str:
    return base64.b64decode(text, validate=True).hex()


def _hex_text(text: str) -> str:
    return bytes.fromhex(text).decode("ascii")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")[:40]


FILTERS: Final[Mapping[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "base64_hex": _base64_hex,
    "hex_text": _hex_text,
    "pad8": lambda text: text.zfill(8),
    "slug": _slug,
}


class TextError(ValueError):
    """A text whose places cannot be read."""


def written(value: Node) -> str | None:
    """Return a value as text, None where it is none: an integer keeps its digits, true and lists are no text."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    if type(value) is int:
        return str(value) if abs(value) < 10**TEXT_LENGTH else None
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return None


def template(text: str, groups: Mapping[str, str] | None = None) -> Make | str:
    """Return the text itself where it is the same for every row, else what makes it; raise TextError, PathError."""
    parts: list[str | Make] = []
    at = 0
    for match in _PLACE.finditer(text):
        parts += [text[at : match.start()], _place(match[1], groups or {})]
        at = match.end()
    parts.append(text[at:])
    if all(isinstance(part, str) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    pieces = [part for part in parts if part != ""]
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return pieces[0]
    return lambda row: _join(pieces, row)


def _join(pieces: Sequence[str | Make], row: Context) -> str | None:
    made = [piece if isinstance(piece, str) else piece(row) for piece in pieces]
    return None if None in made else "".join(part for part in made if part is not None)


def _place(inner: str, groups: Mapping[str, str]) -> str | Make:
    name, *names = (part.strip() for part in inner.split("|"))
    for unknown in set(names) - set(FILTERS):
        raise TextError(f"{unknown!r} is not one of {', '.join(FILTERS)}")
    filters = [FILTERS[n] for n in names]
    if name in groups:
        return _filtered(groups[name], filters) or ""
    get = getter(name)
    if not filters:
        return lambda row: written(get(row))
    return lambda row: _made(get, filters, row)


def _made(get: Getter, filters: Sequence[Callable[[str], str]], row: Context) -> str | None:
    value = get(row)
    return None if value is MISSING else _filtered(written(value), filters)


def _filtered(text: str | None, filters: Sequence[Callable[[str], str]]) -> str | None:
    for one in filters:
        if text is None:
            return None
        try:
            text = one(text)
        except (ValueError, binascii.Error):
            return None
    return text or None


def first_of(texts: str | Sequence[str]) -> Make:
    """Return what makes the first of several texts that nothing is missing in."""
    made = [template(text) for text in ([texts] if isinstance(texts, str) else texts)]
    if len(made) == 1:
        only = made[0]
        return (lambda _row: only) if isinstance(only, str) else only

    def make(row: Context) -> str | None:
        for one in made:
            text = one if isinstance(one, str) else one(row)
            if text is not None:
                return text
        return None

    return make
