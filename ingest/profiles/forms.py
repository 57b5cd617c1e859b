"""Forms of payloads: bytes to the tree that paths lead into."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from core.errors import ConfigError
from ingest.codecs.errors import PayloadError
from ingest.codecs.text import Pattern, Text
from ingest.profiles.paths import MISSING, Step, follow, steps
from ingest.profiles.spec import DecodeSpec

Parse = Callable[[bytes], Any]
"""Returns the tree of a payload; raises PayloadError."""

_JSON: Final = msgspec.json.Decoder()
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
SHOWN: Final = 80
MARK: Final = b"\xef\xbb\xbf"


def parse_json(payload: bytes) -> Any:
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

    def unfolded(payload: bytes) -> Any:
        tree = parse(payload)
        for way in ways:
            _unfold(tree, way)
        return tree

    return unfolded


def _codec(spec: DecodeSpec) -> Parse:
    encoding = "" if spec.encoding == "utf-8" else spec.encoding
    if spec.form == "text":
        return (Pattern(pattern=spec.regex, encoding=encoding) if spec.regex else Text(encoding=encoding)).parse
    if spec.form == "number":
        return Text(encoding=encoding).parse
    if spec.form == "csv":
        return _delimited(spec, encoding)
    plain: Mapping[str, Callable[[], Any]] = {"xml": Xml, "mbus": MBus, "line": LineProtocol, "p1": Telegram}
    parse: Parse = plain[spec.form]().parse
    return parse


def _delimited(spec: DecodeSpec, encoding: str) -> Parse:
    if not spec.header and not spec.columns:
        raise ConfigError("a CSV without heading needs the names of its columns")
    return Delimited(
        delimiter=spec.delimiter, header=spec.header, columns=tuple(spec.columns), encoding=encoding
    ).parse


def _unfold(tree: Any, way: Sequence[Step]) -> None:
    """Put the JSON that a text holds in the text's place; a text that is none is left."""
    *head, last = way
    above = follow(tree, tuple(head))
    inner = MISSING if above is MISSING else follow(above, (last,))
    if type(inner) is not str:
        return
    try:
        unfolded = parse_json(inner.encode())
    except PayloadError as err:
        raise PayloadError(err.detail, str(last)) from err
    if type(above) is dict and type(last) is str or type(above) is list and type(last) is int:
        above[last] = unfolded
