"""XML to a tree: {"tag": {"@attribute": text, "child": ..., "#text": text}}.

An element with neither attributes nor children is its text, None where it is empty; repeated children are a list.
Names lose their namespace. Document types, and with them entities, are refused; size, depth and count are bounded.
"""

from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ingest.codecs.errors import PayloadError
from ingest.codecs.text import SIZE_LIMIT, checked_encoding

DEEPEST: Final = 50
MOST_NODES: Final = 20_000
"""Elements, attributes and pieces of text in a payload; a meter's telegram has a few hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Xml:
    """XML in the encoding that it declares, or that is named here; `lists` are tags that are a list also when alone."""

    encoding: str = ""
    lists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked_encoding(self.encoding)

    def parse(self, payload: bytes) -> dict[str, Any]:
        """Return the tree with its root as the only key."""
        return tree_of(payload, encoding=self.encoding.lower(), lists=frozenset(self.lists))


def tree_of(payload: bytes, *, encoding: str = "", lists: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the tree of an XML payload; raise PayloadError for what is none."""
    if len(payload) > SIZE_LIMIT:
        raise PayloadError(f"{len(payload)} bytes are more than the {SIZE_LIMIT} that are read of one payload")
    if payload.count(b"=") > MOST_NODES:  # the parser gathers all attributes of an element before it asks us
        raise PayloadError(f"more than {MOST_NODES} elements, attributes and texts")
    builder = _Builder(lists)
    parser = DefusedXMLParser(target=builder, encoding=encoding or None, forbid_dtd=True)
    try:
        parser.feed(payload.lstrip(b"\0 \t\r\n"))
        parser.close()
    except PayloadError:
        raise
    except ParseError as err:
        line, column = getattr(err, "position", (0, 0))
        raise PayloadError(f"no well-formed XML: {err}", f"line {line}, column {column}") from err
    except DefusedXmlException as err:
        raise PayloadError("a document type with entities is refused: send the elements alone") from err
    except (ValueError, LookupError, OverflowError) as err:
        raise PayloadError(f"no readable XML: {err}"[:200]) from err
    return builder.tree


class _Builder:
    """Takes the parser's events and builds the tree as it goes."""

    def __init__(self, lists: frozenset[str]) -> None:
        self.tree: dict[str, Any] = {}
        self._lists = lists
        self._open: list[tuple[dict[str, Any], list[str]]] = [(self.tree, [])]
        self._nodes = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count(1 + len(attributes), tag)
        if len(self._open) > DEEPEST:
            raise PayloadError(f"elements lie more than {DEEPEST} deep", _local(tag))
        self._open.append(({f"@{_local(name)}": value for name, value in attributes.items()}, []))

    def data(self, text: str) -> None:
        self._count(1, "text")
        self._open[-1][1].append(text)

    def end(self, tag: str) -> None:
        content, pieces = self._open.pop()
        text = "".join(pieces).strip()
        value: Any = text or None
        if content:
            value = {**content, "#text": text} if text else content
        self._add(self._open[-1][0], _local(tag), value)

    def close(self) -> None:
        """Nothing is left to do at the end."""

    def _add(self, parent: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401 - a tree
        if name not in parent:
            parent[name] = [value] if name in self._lists else value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def _count(self, nodes: int, tag: str) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise PayloadError(f"more than {MOST_NODES} elements, attributes and texts", _local(tag))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
