"""OBIS in all its spellings: the shared vectors of HAN ports, P1, DSMR-reader and ESPHome, and their pitfalls."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.decode import Decoder, scored

VECTORS = Path(__file__).parents[3] / "shared/vectors"
SITE = "Europe/Prague"
beside = pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")

Told = list[tuple[str, str | None, str, str, float, str | None, str | None]]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(None, site=SITE)


def told(line: dict[str, Any]) -> Told:
    names = ("meter", "quantity", "register", "kind", "value", "unit", "at")
    return [tuple(r[n] for n in names) for r in line["readings"]]  # type: ignore[misc]


@beside
@pytest.mark.parametrize("name", ["obis_han", "dsmr_p1_esphome"])
def test_every_required_reading_comes_out_and_none_is_wrong(name: str) -> None:
    (score,) = scored([VECTORS / f"{name}.json"], profiles=None, site=SITE)
    assert score.required > 20
    assert (score.right, score.missing, score.wrong) == (score.required, 0, 0), score.notes
    assert (score.ignored, score.explained) == (score.ignorable, score.unread)


def test_one_topic_a_register_counts_in_wh(decoder: Decoder) -> None:
    payload = b'{"value": 25149419.0, "timestamp": 1669135050, "obis": "1.8.0"}'
    assert told(decoder.line("smartmeter/0044337811/ACTIVE_ENERGY_P", payload)) == [
        ("0044337811", "energy", "import", "cumulative", 25149.419, "kWh", "2022-11-22T16:37:30Z")
    ]


def test_a_register_that_nobody_knows_is_told(decoder: Decoder) -> None:
    payload = b'{"value": 1, "timestamp": 1669135050}'
    assert "register_unknown" in decoder.line("smartmeter/1/GAS_VOLUME", payload)["rejected"]


def test_the_codes_of_a_data_hub_stand_for_wh_and_sums_are_no_tariffs(decoder: Decoder) -> None:
    codes = {"ts": "2026-03-05T13:00:00+01:00", "1.8.0": 3000.0, "1.8.1": 1000, "1-0:1.8.2*255": 2000, "2.7.0": 500}
    odd = {"1.8.0*01": 9, "1.6.0": 9, "5.8.0": 9, "96.1.0": "12", "7-0:3.0.0": 9, "1.8.0.9": 9, "81.7.0": 9}
    found = decoder.line("dt/g/M1/ds", json.dumps({"meter": codes | odd}).encode())
    at = "2026-03-05T12:00:00Z"
    assert sorted(told(found)) == [
        ("M1", "energy", "import", "cumulative", 3.0, "kWh", at),
        ("M1", "energy", "import/t1", "cumulative", 1.0, "kWh", at),
        ("M1", "energy", "import/t2", "cumulative", 2.0, "kWh", at),
        ("M1", "power", "export", "gauge", 0.5, "kW", at),
    ]


@pytest.mark.parametrize("payload", [b"12345.600000", b'{ "timestamp": 1587000003000, "value": 12345.6 }'])
def test_a_channel_without_unit_is_asked_about(decoder: Decoder, payload: bytes) -> None:
    ((meter, quantity, register, _, value, unit, _),) = told(decoder.line("vzlogger/data/chn3/raw", payload))
    assert (meter, quantity, register, value, unit) == ("vzlogger/data/chn3", None, "total", 12345.6, None)


def test_raw_and_aggregated_values_of_a_channel_are_not_one_series(decoder: Decoder) -> None:
    ((_, _, register, *_),) = told(decoder.line("vzlogger/data/chn3/agg", b"5.0"))
    assert register == "aggregate"


def test_a_nordic_list_without_registers_has_only_powers(decoder: Decoder) -> None:
    assert told(decoder.line("ams/list1", b'{"P": 1520}')) == [("ams", "power", "import", "gauge", 1.52, "kW", None)]


def test_counters_of_the_day_are_no_dials(decoder: Decoder) -> None:
    payload = b'{"electricity1": "12.000", "electricity_merged": "26.000", "gas": "3.1"}'
    assert "ignored" in decoder.line("dsmr/day-consumption", payload)
    assert "ignored" in decoder.line("dsmr/day-consumption/electricity1", b"12.000")
    assert "ignored" in decoder.line("dsmr/current-month/electricity1", b"300.5")


def test_gas_has_its_own_time_and_null_is_no_value(decoder: Decoder) -> None:
    reading = {"timestamp": "2026-03-05T12:00:00Z", "electricity_delivered_1": 1, "electricity_returned_1": None}
    other = {"electricity_delivered_2": 2, "extra_device_timestamp": "2026-03-05T11:00:00+01:00"}
    found = told(decoder.line("a/b/c", json.dumps(reading | other | {"extra_device_delivered": "7.5"}).encode()))
    assert sorted(found) == [
        ("a/b/c", "energy", "import/t1", "cumulative", 1.0, "kWh", "2026-03-05T12:00:00Z"),
        ("a/b/c", "energy", "import/t2", "cumulative", 2.0, "kWh", "2026-03-05T12:00:00Z"),
        ("a/b/c", "volume", "total", "cumulative", 7.5, "m³", "2026-03-05T10:00:00Z"),
    ]


TELEGRAM = """/FLU5\\253769484_A

0-0:96.1.4(50217)
0-0:1.0.0({clock})
0-0:96.1.1(3153414731313030303030303030)
1-0:1.8.1(000012.345*kWh)
1-0:2.8.2(000000.500*kWh)
1-0:1.4.0(02.351*kW)
1-0:1.6.0(200509134558S)(02.589*kW)
0-1:24.1.0(003)
0-1:96.1.1(37464C4F32313139303333373333)
0-1:24.2.3({clock})(00112.384*m3)
0-2:24.1.0(007)
0-2:96.1.1(3853414731323334353637383930)
0-2:24.2.1({clock})(00872.234*m3)
!
"""


@pytest.mark.parametrize(
    ("clock", "at"), [("250705120000S", "2025-07-05T10:00:00Z"), ("250105120000W", "2025-01-05T11:00:00Z")]
)
def test_a_belgian_telegram_is_three_meters(decoder: Decoder, clock: str, at: str) -> None:
    found = decoder.line("anywhere", TELEGRAM.format(clock=clock).replace("\n", "\r\n").encode())
    own, gas, water = "3153414731313030303030303030", "37464C4F32313139303333373333", "3853414731323334353637383930"
    assert told(found) == [
        (own, "energy", "import/t1", "cumulative", 12.345, "kWh", at),
        (own, "energy", "export/t2", "cumulative", 0.5, "kWh", at),
        (gas, "volume", "total", "cumulative", 112.384, "m³", at),
        (water, "volume", "total", "cumulative", 872.234, "m³", at),
    ]


def test_a_damaged_telegram_is_refused(decoder: Decoder) -> None:
    line = decoder.line("dsmr/raw", TELEGRAM.format(clock="250105120000W").replace("!", "!0000").encode())
    assert "checksum" in line["rejected"]


def test_a_number_of_esphome_has_a_unit_by_the_component_or_none(decoder: Decoder) -> None:
    ((meter, quantity, register, _, value, unit, _),) = told(
        decoder.line("p1/sensor/energy_consumed_tariff_1/state", b"1234.567")
    )
    assert (meter, quantity, register, value, unit) == ("p1", "energy", "import/t1", 1234.567, "kWh")
    ((meter, quantity, register, _, value, unit, _),) = told(decoder.line("p1/sensor/voda/state", b"5"))
    assert (meter, quantity, register, value, unit) == ("p1", None, "voda", 5.0, None)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("p1/sensor/energy_consumed_tariff_1/state", b"nan"),
        ("p1/sensor/dsmr_version/state", b"50"),
        ("p1/sensor/energy_today/state", b"7.5"),
        ("p1/sensor/identity/state", b"XMX5LGBBFG"),
        ("p1/status", b"offline"),
    ],
)
def test_what_esphome_says_beside_is_passed_over(decoder: Decoder, topic: str, payload: bytes) -> None:
    assert "ignored" in decoder.line(topic, payload)
