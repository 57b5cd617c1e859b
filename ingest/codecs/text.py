"""Payloads that are text: which characters the bytes are, a bare value, or named parts found by a pattern."""

from dataclasses import dataclass, field
from typing import Any, Final

import regex

from core.errors import ConfigError
from ingest.codecs.errors import PayloadError

SIZE_LIMIT: Final = 1 << 20
"""No codec reads a longer payload [bytes]."""

PATTERN_LIMIT: Final = 1 << 16
"""A pattern is tried on no longer text [characters]."""

MATCH_S: Final = 0.02
ENCODINGS: Final = ("utf-8", "latin-1", "iso-8859-1", "iso-8859-2", "cp1250", "cp1252", "ascii", "utf-16")


def text_of(payload: bytes, encoding: str = "") -> str:
    """Return the text of a payload, a byte order mark taken off; raise PayloadError where it is too long or none.

    Without an encoding it is UTF-8 and nothing else: what only looks like another one would change names silently.
    """
    if len(payload) > SIZE_LIMIT:
        raise PayloadError(f"{len(payload)} bytes are more than the {SIZE_LIMIT} that are read of one payload")
    chosen = encoding or "utf-8"
    try:
        return payload.decode("utf-8-sig" if chosen == "utf-8" else chosen)
    except UnicodeDecodeError as err:
        remedy = f"is no {chosen}; name the encoding in the profile, one of {', '.join(ENCODINGS[1:5])}"
        raise PayloadError(
            f"the byte 0x{payload[err.start : err.start + 1].hex()} {remedy}", f"byte {err.start}"
        ) from err


def checked_encoding(name: str) -> str:
    """Return the name of an encoding; raise ConfigError for one that is not known."""
    if name and name.lower() not in ENCODINGS:
        raise ConfigError(f"encoding {name!r} is not known: write one of {', '.join(ENCODINGS)}")
    return name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A payload that is one text or number: {"payload": text without the blanks around it}."""

    encoding: str = ""

    def __post_init__(self) -> None:
        checked_encoding(self.encoding)

    def parse(self, payload: bytes) -> dict[str, Any]:
        """Return the text under the key `payload`."""
        return {"payload": text_of(payload, self.encoding.lower()).strip().strip("\0")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Named groups of a regular expression found in a payload: {name: text, or None where it took no part}.

    With `every` each match is a row of a list. A pattern that backtracks without end must not hold up the meters
    behind it: matching is stopped after MATCH_S (Python's own engine cannot be stopped) and tried once more, for a
    busy machine may have been the reason; the text is at most PATTERN_LIMIT characters.
    """

    pattern: str
    encoding: str = ""
    every: bool = False
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked_encoding(self.encoding)
        object.__setattr__(self, "_compiled", compiled_pattern(self.pattern))

    def parse(self, payload: bytes) -> Any:  # noqa: ANN401 - a tree
        """Return the groups of the first match, or of every match in a list."""
        text = text_of(payload, self.encoding.lower())
        if len(text) > PATTERN_LIMIT:
            raise PayloadError(f"{len(text)} characters are more than the {PATTERN_LIMIT} that a pattern is tried on")
        try:
            rows = self._found(text)
        except TimeoutError:
            rows = self._second_time(text)
        if not rows:
            raise PayloadError(f"{text[:60]!r} does not hold what the pattern {self.pattern[:60]!r} names")
        return rows if self.every else rows[0]

    def _found(self, text: str) -> list[dict[str, str | None]]:
        if self.every:
            return [m.groupdict() for m in self._compiled.finditer(text, timeout=MATCH_S)]
        found = self._compiled.search(text, timeout=MATCH_S)
        return [] if found is None else [found.groupdict()]

    def _second_time(self, text: str) -> list[dict[str, str | None]]:
        try:
            return self._found(text)
        except TimeoutError as err:
            raise PayloadError(
                f"the pattern {self.pattern[:60]!r} found no end within {MATCH_S} s: repeat less inside of repeats"
            ) from err


def compiled_pattern(pattern: str) -> Any:  # noqa: ANN401 - the library tells no types
    """Return the pattern compiled; raise ConfigError for one that is wrong or names nothing."""
    try:
        compiled = regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as err:
        raise ConfigError(f"the regular expression {pattern[:80]!r} is wrong: {err}") from err
    if not compiled.groupindex:
        raise ConfigError(f"the regular expression {pattern[:80]!r} names no group: write (?P<value>...)")
    return compiled
