"""Telegrams of a meter's customer port, of countries with a list of their own too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from ingest.codecs.errors import PayloadError
from ingest.codecs.p1 import Telegram, crc16

VECTORS = Path(__file__).parents[3] / "shared/vectors/dsmr_p1_esphome.json"


def telegram(*lines: str, proof: str | None = None, header: str = "/ABC5METER") -> bytes:
    body = "\r\n".join([header, "", *lines, "!"])
    crc = f"{crc16(body.encode()):04X}" if proof is None else proof
    return f"{body}{crc}\r\n".encode()


def rows(payload: bytes, **options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Telegram(**options).parse(payload)["rows"]
    return found


def readings(payload: bytes) -> list[tuple[str, str, str]]:
    return [(r["quantity"], r["register"], r["value"]) for r in rows(payload) if r["skip"] is None]


def test_the_check_value_of_the_checksum() -> None:
    assert crc16(b"123456789") == 0xBB3D  # CRC-16/ARC


def test_sums_tariffs_and_phases_land_on_registers_of_their_own() -> None:
    payload = telegram(
        "1-0:1.8.0(000173.640*kWh)",
        "1-0:1.8.1(000100.000*kWh)",
        "1-0:1.8.2(000073.640*kWh)",
        "1-0:2.8.0(000001.000*kWh)",
        "1-0:3.8.0(000002.000*kvarh)",
        "1-0:21.7.0(00.100*kW)",
        "1-0:32.7.0(230.1*V)",
    )
    assert [register for _, register, _ in readings(payload)] == [
        "import",
        "import/t1",
        "import/t2",
        "export",
        "import",
        "import/l1",
        "total/l1",
    ]


def test_a_meter_behind_the_port_has_its_own_id_and_time() -> None:
    payload = telegram(
        "0-0:1.0.0(240115101500W)",
        "0-0:96.1.1(4B38)",
        "1-0:1.8.0(000001.000*kWh)",
        "0-1:24.1.0(003)",
        "0-1:96.1.0(4732)",
        "0-1:24.2.1(240715100000S)(00981.443*m3)",
        "0-2:24.1.0(007)",
        "0-2:24.2.1(240115101000W)(00012.000*m3)",
        "0-3:24.1.0(004)",
        "0-3:96.1.0(4733)",
        "0-3:24.2.1(240115101000W)(00003.000*GJ)",
    )
    found = [(r["id"], r["name"], r["medium"], r["quantity"], r["time"]) for r in rows(payload)]
    assert found == [
        ("4B38", "K8", "electricity", "energy", "2024-01-15T10:15:00+01:00"),
        ("4732", "G2", "gas", "volume", "2024-07-15T10:00:00+02:00"),
        ("4B38/2", None, "cold_water", "volume", "2024-01-15T10:10:00+01:00"),
        ("4733", "G3", "heat", "energy", "2024-01-15T10:10:00+01:00"),
    ]


def test_the_zone_says_what_summer_and_winter_mean() -> None:
    payload = telegram("0-0:1.0.0(240715101500S)", "1-0:1.8.0(000001.000*kWh)")
    assert rows(payload, zone="Europe/Helsinki")[0]["time"] == "2024-07-15T10:15:00+03:00"
    with pytest.raises(ConfigError):
        Telegram(zone="Europe/Nowhere")


@pytest.mark.parametrize("stamp", ["", "240230101500W", "24011510150W", "240115101500X", "999999999999W"])
def test_a_time_that_is_none_is_none(stamp: str) -> None:
    assert rows(telegram(f"0-0:1.0.0({stamp})", "1-0:1.8.0(000001.000*kWh)"))[0]["time"] is None


def test_the_old_form_of_gas_over_two_lines() -> None:
    payload = telegram(
        "0-0:96.1.1(0001)",
        "0-1:24.1.0(3)",
        "0-1:96.1.0(0002)",
        "0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)",
        "(00001.001)",
        proof="",
    )
    assert [(r["id"], r["quantity"], r["value"], r["time"]) for r in rows(payload)] == [
        ("0002", "volume", "00001.001", "2016-11-07T19:00:00")
    ]


def test_short_codes_of_the_optical_port_are_read_and_old_periods_are_none() -> None:
    payload = telegram(
        "0.0.0(12345678)", "1.8.0*255(000123.4*kWh)", "1.8.0*01(000100.0*kWh)", "1.6.0(1.2*kW)", "F.F(00)", proof=""
    )
    assert readings(payload) == [("energy", "import", "000123.4")]
    assert {r["id"] for r in rows(payload)} == {"12345678"}


@pytest.mark.parametrize(
    "line",
    [
        "1-0:1.8.0()",
        "1-0:1.8.0(abc*kWh)",
        "1-0:1.8.0(1*m3)",
        "1-0:1.8.0(1)",
        "1-0:1.8.0(1*kWh)(2*kWh)",
        "1-0:1.8.0(1,5*kWh)",
    ],
)
def test_a_value_that_is_not_surely_the_registers_makes_no_reading(line: str) -> None:
    found = rows(telegram(line))
    assert [bool(r["skip"]) for r in found] == [True]


def test_two_lines_of_one_register_with_two_values_are_none_of_it() -> None:
    assert readings(telegram("1-0:1.8.0(1*kWh)", "1-1:1.8.0(2*kWh)")) == []
    assert readings(telegram("1-0:1.8.0(1*kWh)", "1-1:1.8.0(1*kWh)")) == [("energy", "import", "1")]


def test_lines_that_nobody_knows_are_kept_as_they_are() -> None:
    tree = Telegram().parse(telegram("1-0:1.8.0(1*kWh)", "9-9:99.99.9(text)(5*bar)"))
    assert tree["lines"]["9-9:99.99.9"] == [{"value": "text", "unit": ""}, {"value": "5", "unit": "bar"}]
    assert (tree["header"], tree["crc"]) == ("ABC5METER", "ok")


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_changed_bit_is_found_by_the_checksum(at: int, bit: int) -> None:
    payload = bytearray(telegram("1-0:1.8.0(000123.456*kWh)", "1-0:2.8.0(000000.000*kWh)"))
    end = payload.rindex(b"!")
    payload[at % end] ^= 1 << bit
    with pytest.raises(PayloadError):
        rows(bytes(payload))


def test_line_ends_that_a_gateway_changed_do_not_break_the_checksum() -> None:
    payload = telegram("1-0:1.8.0(1*kWh)")
    assert Telegram().parse(payload.replace(b"\r", b""))["crc"] == "ok"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "no end"),
        (telegram("1-0:1.8.0(1*kWh)")[:-9], "no end"),
        (telegram("1-0:1.8.0(1*kWh)", proof="0000"), "checksum 0000"),
        (telegram("1-0:1.8.0(1*kWh)", proof="xyz"), "no checksum"),
        (telegram("1-0:1.8.0(1*kW", proof=""), "line 3: .* is no line"),
        (telegram(proof=""), "no line of a telegram"),
        (b"/A\n" + b"1.8.0(1*kWh)\n" * 5000 + b"!", "no telegram"),
    ],
)
def test_damage_is_told_with_its_place(payload: bytes, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        Telegram().parse(payload)


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_published_telegrams_are_read_as_another_parser_reads_them() -> None:
    seen = 0
    for vector in json.loads(VECTORS.read_text("utf-8"))["vectors"]:
        if not vector["payload"].startswith("/"):
            continue
        tree = Telegram().parse(vector["payload"].encode())
        got = {(r["quantity"], r["kind"], float(r["value"])) for r in tree["rows"] if r["skip"] is None}
        expected = {
            (r["quantity"], r["kind"], float(r["value"])) for r in vector["expected"]["readings"] if r["required"]
        }
        assert expected <= got
        assert tree["id"] == vector["expected"]["meter_id"]
        seen += 1
    assert seen == 3
