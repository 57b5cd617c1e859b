"""Whatever comes in: a codec gives a plain, finite, bounded tree or says what is wrong, and in time."""

import base64
import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.codecs.delimited import Delimited
from ingest.codecs.errors import PayloadError
from ingest.codecs.line_protocol import LineProtocol
from ingest.codecs.mbus import MBus
from ingest.codecs.p1 import Telegram
from ingest.codecs.text import Pattern, Text
from ingest.codecs.xml import Xml

VECTORS = Path(__file__).parents[3] / "shared/vectors"

PARSERS: dict[str, Callable[[bytes], Any]] = {
    "text": Text().parse,
    "pattern": Pattern(pattern=r"(?P<a>(?:\w+\s?)*)=(?P<v>-?\d+)").parse,
    "semicolons": Delimited(telegram="mbus-raw-value").parse,
    "positions": Delimited(header=False, columns=("a", "b"), delimiter=",", encoding="latin-1").parse,
    "xml": Xml().parse,
    "mbus": MBus().parse,
    "lines": LineProtocol(precision="auto").parse,
    "p1": Telegram().parse,
}
OWN = (
    b"/ABC5X\r\n\r\n0-0:96.1.1(4B38)\r\n1-0:1.8.0(000173.640*kWh)\r\n0-1:24.2.1(161129200000W)(00981.443*m3)\r\n!\r\n",
    (
        b"<MBusData><SlaveInformation><Id>12</Id><Medium>Gas</Medium></SlaveInformation><DataRecord id='0'><Function>"
        b"Instantaneous value</Function><StorageNumber>0</StorageNumber><Unit>Volume (m m^3)</Unit><Value>7</Value>"
        b"</DataRecord></MBusData>"
    ),
    (
        b'{"body":{"header":{"identification":"0x01, 0x00"},"records":[{"function":"FunctionType.INSTANTANEOUS_VALUE",'
        b'"type":"VIFUnit.VOLUME","unit":"MeasureUnit.M3","value":1.5}]}}'
    ),
    b"0801727856341224230107010000000c13674523014c1300500000426c1f31",
    b"serial-number;mbus-raw-value\n1;0801727856341224230107010000000c1367452301\n",
    b'energy,meter=1 total=1234.567,ok=true,txt="a b" 1772712000000000000\n',
)


PIECES = (b"<", b"(", b")", b"\n", b"!", b"\0", b"&", b"9" * 30, b"e99")


@cache
def seeds() -> tuple[bytes, ...]:
    """Return payloads of these formats, those of the shared vectors among them where they are there."""
    found = list(OWN)
    for name in ("mbus_gateways", "dsmr_p1_esphome", "influx_line", "misc_gateways"):
        path = VECTORS / f"{name}.json"
        vectors = json.loads(path.read_text("utf-8"))["vectors"] if path.exists() else []
        found += [
            v["payload"].encode() if v.get("payload") is not None else base64.b64decode(v["payload_b64"])
            for v in vectors
        ]
    return tuple(found)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a seed with pieces taken out, put in, doubled and changed."""
    payload = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(payload) - 1)))
        piece = draw(
            st.binary(max_size=8) | st.sampled_from([b"<", b"(", b")", b"\n", b"!", b"\0", b"&", b"9" * 30, b"e99"])
        )
        match draw(st.integers(0, 3)):
            case 0:
                payload[at : at + len(piece)] = piece
            case 1:
                payload[at:at] = piece
            case 2:
                del payload[at : at + draw(st.integers(1, 60))]
            case _:
                payload[at:at] = payload[at : at + draw(st.integers(1, 200))]
    return bytes(payload)


def leaves(tree: object) -> Iterator[object]:
    if isinstance(tree, dict):
        assert all(type(key) is str for key in tree)
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    else:
        yield tree


def check(parse: Callable[[bytes], Any], payload: bytes) -> None:
    try:
        tree, said = parse(payload), "-"
    except PayloadError as err:
        tree, said = None, str(err)
    assert 0 < len(said) < 1000
    for leaf in leaves(tree):
        assert type(leaf) in {str, int, float, bool, type(None)}
        assert type(leaf) is not float or math.isfinite(leaf)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(payload=st.binary(max_size=300) | mutated())
@example(payload=b"")
@example(payload=b"\xff\xfe")
def test_no_payload_makes_a_codec_fail(name: str, payload: bytes) -> None:
    check(PARSERS[name], payload)


GARBAGE = {
    "zeros": bytes(1 << 20),
    "newlines": b"\n" * (1 << 20),
    "brackets": b"1.8.0" + b"(" * (1 << 20),
    "groups": b"/A\n1.8.0" + b"()" * 16_000 + b"!",
    "elements": b"<a>" * 300_000,
    "siblings": b"<r>" + b"<a/>" * 250_000 + b"</r>",
    "attributes": b"<r " + b" ".join(b'a%d="1"' % n for n in range(80_000)) + b"/>",
    "fields": b"m " + b",".join(b"f%d=1" % n for n in range(100_000)),
    "semicolons": b";" * (1 << 20),
    "quotes": b'"' * (1 << 20),
    "hex": b"08" * (1 << 19),
    "records": b"0801727856341224230107010000" + b"0300" * 1000,
    "deep json": b'{"body":' + b"[" * 200_000,
    "huge number": b'{"body":{"header":{"identification":"1"},"records":[{"value":' + b"9" * 5000 + b"}]}}",
    "words": b"word " * 200_000,
    "too long": b"x" * (3 << 20),
}


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("name", PARSERS)
def test_a_megabyte_of_garbage_is_done_with_at_once(name: str, kind: str) -> None:
    check(PARSERS[name], GARBAGE[kind])
