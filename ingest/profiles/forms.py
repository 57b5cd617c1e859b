"""Forms of payloads: bytes to the tree that paths lead into."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ingest.codecs.delimited import Delimited
from ingest.codecs.errors import PayloadError
from ingest.codecs.line_protocol import LineProtocol
from ingest.codecs.mbus import MBus
from ingest.codecs.text import Pattern, Text
from ingest.codecs.xml import Xml
from ingest.profiles.paths import MISSING, Node, Step, follow, steps
from ingest.profiles.spec import DecodeSpec

Parse = Callable[[bytes], Any]
"""Returns the tree of a payload; raises PayloadError."""

_JSON: Final = msgspec.json.Decoder()
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
SHOWN: Final = 80
MARK: Final = b"\xef\xbb\xbf"


def parse_json(payload: bytes) -> Node:
    """Return the tree of a JSON payload; NaN and huge numbers, which some libraries write, are taken as Python does."""
    try:
        return _JSON.decode(payload)
    except _UNREADABLE:
        pass
    try:
        return json.loads(payload.removeprefix(MARK).strip(b"\0 \t\r\n"))
    except _UNREADABLE as err:
        raise PayloadError(f"no JSON: {str(err)[:SHOWN]}") from err


def form(spec: DecodeSpec) -> Parse:
    """Return what reads payloads as a profile says; raise ConfigError, PathError."""
    parse = parse_json if spec.form == "json" else _codec(spec)
    if not spec.nested:
        return parse
    ways = [steps(text) for text in spec.nested]

    def unfolded(payload: bytes) -> Node:
        tree = parse(payload)
        for way in ways:
            _unfold(tree, way)
        return tree

    return unfolded


def _codec(spec: DecodeSpec) -> Parse:
    encoding = "" if spec.encoding == "utf-8" else spec.encoding
    makers: dict[str, Callable[[], Parse]] = {
        "text": lambda: _text(spec, encoding),
        "number": lambda: Text(encoding=encoding).parse,
        "csv": lambda: _delimited(spec, encoding),
        "xml": lambda: Xml(encoding=encoding).parse,
        "mbus": lambda: MBus(encoding=encoding).parse,
        "line": lambda: LineProtocol(precision=spec.precision, encoding=encoding).parse,
        "p1": _telegram,
    }
    return makers[spec.form]()


def _telegram() -> Parse:
    from ingest.codecs.p1 import Telegram  # noqa: PLC0415 - it is the largest of them, and rare

    return Telegram().parse


def _text(spec: DecodeSpec, encoding: str) -> Parse:
    return (Pattern(pattern=spec.regex, encoding=encoding) if spec.regex else Text(encoding=encoding)).parse


def _delimited(spec: DecodeSpec, encoding: str) -> Parse:
    return Delimited(
        delimiter=spec.delimiter,
        header=spec.header,
        columns=tuple(spec.columns),
        encoding=encoding,
        telegram=spec.telegram,
    ).parse


def _unfold(tree: Node, way: Sequence[Step]) -> None:
    """Put the JSON that a text holds in the text's place; a text that is none is left."""
    *head, last = way
    above = follow(tree, tuple(head))
    inner = MISSING if above is MISSING else follow(above, (last,))
    if type(inner) is not str or not inner.strip():
        return
    try:
        unfolded = parse_json(inner.encode("utf-8", "surrogatepass"))
    except PayloadError as err:
        raise PayloadError(err.detail, str(last)) from err
    _put(above, last, unfolded)


def _put(above: Node, last: Step, inner: Node) -> None:
    """Put a tree into the object or list that the step leads from."""
    above[last] = inner
