"""Paths into a decoded payload, as profiles write them: object.energy, values[0], list[Type=Volume].Value, ["a.b"].

A path is relative to its row. `$root` is the whole message, `$up` the row that a row was found in, `$key` and `$index`
its place there, `$meter` the meter of the row around it, `$topic` the topic, `$topic.name` what a capture of it holds.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Node = Any
"""What JSON can say, and MISSING."""

MISSING: Final = object()
"""Where a path leads nowhere."""

_STEP: Final = re.compile(
    r"""(?P<key>[^.\[\]"]+)|\[(?P<index>-?\d{1,6})\]|\["(?P<quoted>[^"]*)"\]|\[(?P<name>[^\]=\["]+)=(?P<equal>[^\]]*)\]"""
    r"""|\[(?P<each>)\]""",
    re.VERBOSE,
)
EACH: Final = "[]"
KEYS: Final = "*"
DEEPEST: Final = 64


class PathError(ValueError):
    """A path that cannot be read."""


@dataclass(slots=True)
class Context:
    """Where a row stands: its node, how it was come upon, and the message around it.

    `meter` and `time` (number of its rule, as written) are those of the row around it, where it has none of its own.
    """

    node: Node
    root: Node
    topic: str
    captures: Mapping[str, str]
    key: str = ""
    index: int = 0
    up: "Context | None" = None
    trail: str = ""
    meter: str | None = None
    time: tuple[int, Node] = (-1, None)
    named: bool = False


EMPTY: Final = Context(None, None, "", {})
"""A row of nothing."""

Step = str | int | tuple[str, str]


def steps(text: str) -> tuple[Step, ...]:
    """Return the steps of a path; `[]` and `*` stand for themselves. Raise PathError."""
    found: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == "." and found and at + 1 < len(text) and text[at + 1] != ".":
            at += 1
        match = _STEP.match(text, at)
        if match is None:
            raise PathError(f'{text!r} is no path: character {at + 1}; write it as a.b[0].c or ["a.b"]')
        found.append(_step(match))
        at = match.end()
    return tuple(found)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return (match["name"].strip(), match["equal"].strip())
    if match["each"] is not None:
        return EACH
    return match["key"] if match["key"] is not None else match["quoted"]


def follow(node: Node, way: tuple[Step, ...]) -> Node:
    """Return what stands at the end of a way, MISSING where it leads nowhere."""
    for step in way:
        if type(step) is str:
            if type(node) is not dict:
                return MISSING
            node = node.get(step, MISSING)
        elif type(step) is int:
            if type(node) is not list or not -len(node) <= step < len(node):
                return MISSING
            node = node[step]
        else:
            node = _chosen(node, step)
        if node is MISSING:
            return MISSING
    return node


def _chosen(node: Node, step: Step) -> Node:
    """Return the only object of a list whose key holds a text; MISSING where none or several do."""
    if type(node) is not list or type(step) is not tuple:
        return MISSING
    name, equal = step
    found = [entry for entry in node if type(entry) is dict and str(entry.get(name, MISSING)) == equal]
    return found[0] if len(found) == 1 else MISSING


Getter = Callable[[Context], Node]


def getter(text: str) -> Getter:
    """Return a function that finds what a path leads to from a row; raise PathError."""
    if not text.startswith("$"):
        return _plain(steps(text))
    head, _, rest = text.partition(".")
    bare, bracket, tail = head.partition("[")
    way = steps(bracket + tail + ("." + rest if rest and bracket else rest))
    if bare == "$topic":
        return _capture(rest) if rest else lambda row: row.topic
    if bare == "$up":
        return _above(getter(rest or "$row"))
    if bare in _NODES:
        return _from_node(bare, way)
    if bare in _WORDS and not way:
        return _WORDS[bare]
    raise PathError(f"{text!r}: what begins with $ is one of $root, $up, $row, $key, $index, $meter, $topic")


_NODES: Final = ("$root", "$row")
_WORDS: Final[Mapping[str, Getter]] = {
    "$key": lambda row: row.key,
    "$index": lambda row: row.index,
    "$meter": lambda row: MISSING if row.meter is None else row.meter,
}


def _from_node(bare: str, way: tuple[Step, ...]) -> Getter:
    return (lambda row: follow(row.root, way)) if bare == "$root" else (lambda row: follow(row.node, way))


def _plain(way: tuple[Step, ...]) -> Getter:
    if any(step in {EACH, KEYS} for step in way):
        raise PathError("[] and * stand only in `each`: a reading is at one place")
    if len(way) == 1 and type(way[0]) is str:
        name = way[0]
        return lambda row: row.node.get(name, MISSING) if type(row.node) is dict else MISSING
    return lambda row: follow(row.node, way)


def _capture(name: str) -> Getter:
    return lambda row: row.captures.get(name, MISSING)


def _above(inner: Getter) -> Getter:
    return lambda row: MISSING if row.up is None else inner(row.up)


def rows(start: Context, way: tuple[Step, ...]) -> Iterator[Context]:
    """Return the rows that a way with [] (elements of a list) and * (values of an object) comes upon."""
    if not way:
        yield start
        return
    for at, step in enumerate(way):
        if step in {EACH, KEYS}:
            node = follow(start.node, way[:at])
            trail = joined(start.trail, way[:at])
            for found in _within(start, node, trail, keys=step == KEYS):
                yield from rows(found, way[at + 1 :])
            return
    node = follow(start.node, way)
    if node is not MISSING:
        yield _below(start, node, joined(start.trail, way))


def _within(start: Context, node: Node, trail: str, *, keys: bool) -> Iterator[Context]:
    if keys and type(node) is dict:
        for index, (key, value) in enumerate(node.items()):
            yield _below(start, value, f"{trail}.{key}" if trail else key, key=key, index=index)
    elif not keys and type(node) is list:
        for index, value in enumerate(node):
            yield _below(start, value, f"{trail}[{index}]", key=start.key, index=index)


def _below(start: Context, node: Node, trail: str, *, key: str | None = None, index: int = 0) -> Context:
    """Return a row further down; it keeps the key of the row above where it has none of its own."""
    return Context(
        node=node,
        root=start.root,
        topic=start.topic,
        captures=start.captures,
        key=start.key if key is None else key,
        index=index,
        up=start,
        trail=trail,
        meter=start.meter,
        time=start.time,
    )


def joined(trail: str, way: tuple[Step, ...]) -> str:
    """Return a trail with the steps of a way behind it, as text."""
    for step in way:
        if type(step) is int:
            trail += f"[{step}]"
        elif type(step) is tuple:
            trail += f"[{step[0]}={step[1]}]"
        else:
            trail = f"{trail}.{step}" if trail else str(step)
    return trail
