"""Text, patterns, tables, XML and line protocol: what they give, and what they refuse with its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from ingest.codecs.delimited import Delimited
from ingest.codecs.errors import PayloadError
from ingest.codecs.line_protocol import LineProtocol
from ingest.codecs.text import Pattern, Text
from ingest.codecs.xml import Xml

ELVACO = (
    "serial-number;device-identification;created;value-data-count;mbus-raw-value\n"
    "00000161;12345678;2024-01-15 00:00:00;00;0801727856341224230107010000000c1367452301\n"
    "00000161;12345678;2024-01-15 01:00:00;00;0801727856341224230107010000000c1368452301\n"
)


def test_a_bare_value_is_its_text() -> None:
    assert Text().parse(b" 0012.50\r\n") == {"payload": "0012.50"}
    assert Text().parse("\ufeff5".encode()) == {"payload": "5"}
    assert Text(encoding="cp1250").parse("dům".encode("cp1250")) == {"payload": "dům"}


def test_bytes_that_are_no_text_are_refused_with_their_place() -> None:
    with pytest.raises(PayloadError, match=r"byte 1: the byte 0xf9 is no utf-8; name the encoding"):
        Text().parse("dům".encode("cp1250"))
    with pytest.raises(ConfigError, match="encoding 'klingon'"):
        Text(encoding="klingon")


def test_a_pattern_gives_its_named_parts() -> None:
    codec = Pattern(pattern=r"Delivered energy on output (?P<output>\d+) is (?P<value>\d+)(?P<unit>\w+)")
    assert codec.parse(b"Delivered energy on output 1 is 42Wh") == {"output": "1", "value": "42", "unit": "Wh"}
    with pytest.raises(PayloadError, match="does not hold"):
        codec.parse(b"nothing")
    every = Pattern(pattern=r"(?P<k>\w)=(?P<v>\d)", every=True)
    assert every.parse(b"a=1,b=2") == [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]


@pytest.mark.parametrize("pattern", ["(", r"\d+", "(?P<x>a", "(?P<x>a){9999999999999}"])
def test_a_pattern_that_is_wrong_or_names_nothing_is_refused_when_loaded(pattern: str) -> None:
    with pytest.raises(ConfigError):
        Pattern(pattern=pattern)


@pytest.mark.timeout(20)
def test_a_pattern_without_end_is_stopped() -> None:
    codec = Pattern(pattern=r"(?P<x>(?:\w|\w\w|\w\w\w)*)*!(?P=x)")
    with pytest.raises(PayloadError, match=r"found no end|does not hold"):
        codec.parse(b"a" * 4000)


def test_a_table_is_rows_of_texts_by_its_heading() -> None:
    rows = Delimited().parse(b'id;"value";note\r\n007; 1,5 ;"a;b"\n\n008;;\n')
    assert rows == [{"id": "007", "value": "1,5", "note": "a;b"}, {"id": "008", "value": "", "note": ""}]


def test_a_table_by_position_leaves_out_what_is_not_named() -> None:
    codec = Delimited(header=False, columns=("power", "_", "volt"), delimiter=",")
    assert codec.parse(b"120,340,239.51,-61") == [{"power": "120", "volt": "239.51"}]
    with pytest.raises(PayloadError, match="line 1: 2 fields where 3 are named"):
        codec.parse(b"120,340")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "no line"),
        (b"a;b\n1;2;3", "line 2: 3 fields where 2 are named"),
        (b"a;b\n1", "line 2: 1 fields where 2 are named"),
        (b"a;a\n1;2", "line 1: the heading"),
        (b"a;;b\n1;2;3", "line 1: the heading"),
        (b'a;b\n"1;2', "line 2: no readable table"),
        (b";" * 60_000, "more than"),
        (b"\n" * 20_000, "more than"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(payload: bytes, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        Delimited().parse(payload)


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ""},
        {"delimiter": '"'},
        {"header": False},
        {"header": False, "columns": ("a", "a")},
        {"encoding": "x"},
    ],
)
def test_options_that_make_no_table_are_refused_when_loaded(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Delimited(**options)


def test_telegrams_within_a_table_become_rows_beside_their_fields() -> None:
    rows = Delimited(telegram="mbus-raw-value").parse(ELVACO.encode())
    kept = [(r["id"], r["created"], r["value"], r["unit"]) for r in rows if r["skip"] is None]
    assert kept == [
        ("12345678", "2024-01-15 00:00:00", "1234.567", "m³"),
        ("12345678", "2024-01-15 01:00:00", "1234.568", "m³"),
    ]
    with pytest.raises(PayloadError, match="no column 'raw'"):
        Delimited(telegram="raw").parse(ELVACO.encode())
    with pytest.raises(PayloadError, match="no M-Bus telegram"):
        Delimited(telegram="created").parse(ELVACO.encode())


CELLS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='";'), min_size=1).map(str.strip)


@given(st.lists(st.lists(CELLS.filter(bool), min_size=3, max_size=3), min_size=1, max_size=9))
def test_every_cell_of_a_table_is_got_back(table: list[list[str]]) -> None:
    lines = [row for row in table if not any(len(cell.splitlines()) > 1 for cell in row)]
    text = "\n".join(["a;b;c", *(";".join(row) for row in lines)])
    assert [list(row.values()) for row in Delimited().parse(text.encode())] == lines


def test_xml_is_a_tree_of_attributes_texts_and_lists() -> None:
    tree = Xml().parse(b'<m:a xmlns:m="u" x="1"> t <b/><b>2</b><c>3</c></m:a>')
    assert tree == {"a": {"@x": "1", "b": [None, "2"], "c": "3", "#text": "t"}}
    assert Xml(lists=("c",)).parse(b"<a><c>3</c></a>") == {"a": {"c": ["3"]}}


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1250", "utf-8", "UTF-16"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    payload = f'<?xml version="1.0" encoding="{encoding}"?><a>°é</a>'.encode(encoding)
    assert Xml().parse(payload) == {"a": "°é"}


BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a>&y;&y;&y;</a>'


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"<a",
        b"<a></b>",
        b"{}",
        b"<a>\x01</a>",
        BOMB,
        b"<a>" * 60 + b"</a>" * 60,
        b"<r>" + b"<a/>" * 30_000 + b"</r>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<?xml version="1.0" encoding="rot13"?><a/>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>&nbsp;</a>",
        b"<a>" + b"x" * (1 << 20) + b"</a>",
    ],
)
def test_xml_that_is_none_or_would_grow_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        Xml().parse(payload)


def test_lines_of_the_protocol_are_rows() -> None:
    rows = LineProtocol().parse(
        b'energy,meter=Hlavn\xc3\xad\\ m\\,1 total=1234.567,n=5i,u=7u,ok=true,txt="a b" 1772712000000000000\n'
        b"# note\n\nw v=1\r\n"
    )
    assert rows[0]["tags"] == {"meter": "Hlavní m,1"}
    assert rows[0]["fields"] == {"total": 1234.567, "n": 5, "u": 7, "ok": True, "txt": "a b"}
    assert [row["time"] for row in rows] == [1_772_712_000_000_000_000, None]
    assert type(rows[0]["fields"]["n"]) is int


def test_a_time_of_another_precision_is_refused_and_may_be_told_by_its_size() -> None:
    line = b"m a=1 1772712000"
    with pytest.raises(PayloadError, match="line 1: time 1772712000 is not between 2000 and 2100 in ns"):
        LineProtocol().parse(line)
    assert LineProtocol(precision="auto").parse(line)[0]["time"] == 1_772_712_000
    assert LineProtocol(precision="s").parse(line)[0]["time"] == 1_772_712_000
    with pytest.raises(ConfigError):
        LineProtocol(precision="h")


@pytest.mark.parametrize(
    "line",
    [b"", b"# only a note", b"m", b"m a", b"m a=", b"m a=nan", b"m a=inf", b"m a=1e999", b"m a=1 x", b"m a=1 1 1"],
)
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(PayloadError):
        LineProtocol().parse(line)
