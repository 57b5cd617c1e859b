"""Topic filters with captures: shellies/{id}/emeter/{n}/total, zigbee2mqtt/{name...}."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LEVEL: Final = re.compile(r"\{([a-z][a-z0-9_]*)(\.\.\.)?\}")


class TopicError(ValueError):
    """A topic filter that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A topic filter: `filter` as MQTT knows it, and what captures the parts of a topic that fits."""

    text: str
    filter: str
    expression: re.Pattern[str]

    def match(self, topic: str) -> Mapping[str, str] | None:
        """Return the captures of a topic, None where it does not fit."""
        found = self.expression.fullmatch(topic)
        return None if found is None else found.groupdict()


def pattern(text: str) -> Pattern:
    """Return the pattern of a filter; raise TopicError.

    A level is a text, + or {name}, or a text with {name}s in it (sdm{n}); # or {name...} stands for one level or more,
    and may have literal levels behind it.
    """
    levels = text.split("/")
    if not text or text.startswith("$SYS"):
        raise TopicError(f"{text!r} is no topic filter")
    parts, filters = [], []
    for level in levels:
        part, filter_level = _level(level)
        parts.append(part)
        filters.append(filter_level)
    if "#" in filters:
        filters = filters[: filters.index("#") + 1]
    try:
        expression = re.compile("/".join(parts), re.DOTALL)
    except re.error as err:
        raise TopicError(f"{text!r}: {err}; a name stands once") from err
    if text.startswith(("+", "#", "{")):
        expression = re.compile(r"(?!\$)" + expression.pattern, re.DOTALL)
    return Pattern(text=text, filter="/".join(filters), expression=expression)


def _level(level: str) -> tuple[str, str]:
    """Return the expression of a level and what MQTT's filter has for it."""
    if level == "+":
        return "[^/]*", "+"
    if level == "#":
        return ".*", "#"
    whole = _LEVEL.fullmatch(level)
    if whole:
        return (f"(?P<{whole[1]}>.+)", "#") if whole[2] else (f"(?P<{whole[1]}>[^/]+)", "+")
    if "+" in level or "#" in level:
        raise TopicError(f"{level!r}: + and # stand alone on their level")
    if "{" not in level:
        return re.escape(level), level
    return _mixed(level), "+"


def _mixed(level: str) -> str:
    """Return the expression of a level with captures between literal characters."""
    parts, at = [], 0
    for match in _LEVEL.finditer(level):
        if match[2]:
            raise TopicError(f"{level!r}: {match[0]} stands alone on its level")
        parts += [re.escape(level[at : match.start()]), f"(?P<{match[1]}>[^/]+?)"]
        at = match.end()
    parts.append(re.escape(level[at:]))
    if not at:
        raise TopicError(f"{level!r}: a capture is {{name}} of small letters")
    return "".join(parts)
