"""Gateways and devices of many kinds: the shared vectors, and the pitfalls of their formats."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.decode import Decoder, scored
from core.readings import Quality
from ingest.message import Message
from ingest.profiles.catalog import catalog

VECTORS = Path(__file__).parents[3] / "shared/vectors"
SITE = "Europe/Prague"
beside = pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(None, site=SITE)


def line(decoder: Decoder, topic: str, payload: object) -> dict[str, Any]:
    return decoder.line(topic, (payload if isinstance(payload, str) else json.dumps(payload)).encode())


@beside
@pytest.mark.parametrize("name", ["misc_gateways", "influx_line"])
def test_every_required_reading_comes_out_and_none_is_wrong(name: str) -> None:
    (score,) = scored([VECTORS / f"{name}.json"], profiles=None, site=SITE)
    assert score.required > 1
    assert (score.right, score.missing, score.wrong) == (score.required, 0, 0), score.notes
    assert (score.ignored, score.explained) == (score.ignorable, score.unread)


def test_a_reading_that_the_camera_doubts_is_marked() -> None:
    profile = next(p for p in catalog(None, site=SITE).profiles if p.name == "ai_on_the_edge")
    doubted = {
        "value": "5.5",
        "raw": "5.5",
        "pre": "5.4",
        "error": "Neg. Rate",
        "timestamp": "2026-02-03T04:05:06+0000",
    }
    message = Message(topic="watermeter/main/json", payload=json.dumps(doubted).encode(), received=1770091600000000)
    assert int(profile.decode([message]).readings.quality[0]) & Quality.SUSPECT


@pytest.mark.parametrize("what", ["raw", "pre", "rate", "rate_per_time_unit", "timestamp", "error", "changeabsolut"])
def test_what_stands_beside_the_value_of_a_camera_is_no_reading(decoder: Decoder, what: str) -> None:
    assert "ignored" in line(decoder, f"watermeter/main/{what}", "521.17")


def test_an_id_keeps_its_zeros_where_it_is_a_text_and_is_not_made_of_the_topic(decoder: Decoder) -> None:
    message = {"Time": "2026-02-03T04:05:06Z", "Type": "R900", "Message": {"ID": "00123", "Consumption": 7}}
    assert line(decoder, "rtlamr/999/state", message)["readings"][0]["meter"] == "00123"


def test_a_chester_with_two_meters_on_its_bus_gives_two_meters(decoder: Decoder) -> None:
    devices = [
        {"type_name": "iem3000", "addr": n, "data": [{"timestamp": 1770091500, "energy": 10 * n}]} for n in (3, 4)
    ]
    head = {
        "message": {"timestamp": 1770091506},
        "attribute": {"serial_number": "21"},
        "network": {},
        "accelerometer": {},
    }
    found = line(decoder, "hw/any", head | {"devices": devices})["readings"]
    assert {(r["meter"], r["value"], r["unit"]) for r in found} == {("21/3", 30.0, None), ("21/4", 40.0, None)}


def test_raw_telegrams_are_refused_with_what_to_do(decoder: Decoder) -> None:
    head = {"frame": {"timestamp": 1770091506}, "network": {}, "accelerometer": {}}
    rejected = line(decoder, "hw/any", head | {"wmbus": {"packets": [{"data": "32446850"}]}})["rejected"]
    assert rejected.startswith("wmbus_raw")
    assert "wmbusmeters" in rejected


def test_a_channel_that_is_off_has_no_value(decoder: Decoder) -> None:
    data = {"s": 1, "t": "2026-02-03T04:05:06Z", "q": 192, "ai1": 9999.9999, "ai2": 3}
    found = line(decoder, "Advantech/00D0/data", data)["readings"]
    assert [(r["register"], r["kind"], r["unit"]) for r in found] == [("ai2", "gauge", None)]


def test_both_counters_of_a_netio_output_are_counters_of_their_own(decoder: Decoder) -> None:
    registers = {
        what: line(decoder, f"devices/n/outputs/1/{what}", "7")["readings"][0]["register"]
        for what in ("energy", "energy_nr", "reverse_energy", "reverse_energy_nr")
    }
    assert len(set(registers.values())) == 4


def test_names_of_devices_are_meters_of_a_thingsboard_gateway(decoder: Decoder) -> None:
    rows = {"Vodoměr č. 1": [{"ts": 1770091506000, "values": {"total_m3": 5, "energy_today_kwh": 3}}]}
    (reading,) = line(decoder, "v1/gateway/telemetry", rows)["readings"]
    assert (reading["meter"], reading["unit"], reading["at"]) == ("Vodoměr č. 1", "m³", "2026-02-03T04:05:06Z")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("energy,meter=1 total=1 1772712000", "before 2000"),
        ("energy,meter=1 total=1 1772712000000", "time_out_of_bounds"),
        ("energy total=1 1772712000000000000", "meter_id"),
        ("sensors,device_name=d value=390", "no_readings"),
    ],
)
def test_a_line_that_does_not_say_when_or_whose_is_refused(decoder: Decoder, text: str, why: str) -> None:
    assert why in line(decoder, "any/lines", text)["rejected"]


def test_the_unit_of_a_tag_is_of_the_total_and_of_nothing_else(decoder: Decoder) -> None:
    found = line(decoder, "any", "energy,meter=1,unit=MWh total=2,power=5 1772712000000000000")["readings"]
    assert [(r["value"], r["unit"]) for r in found] == [(2000.0, "kWh")]


@pytest.mark.parametrize("status", [{"status": -2, "statusStr": "ERROR_DEVICE"}, {"status": 0}])
def test_an_answer_of_an_iqrf_node_that_is_an_error_is_told(decoder: Decoder, status: dict[str, Any]) -> None:
    answer = {"mType": "iqrfSensor_ReadSensors", "data": {"rsp": {"nAdr": 2, "rCode": 3}} | status}
    assert line(decoder, "Iqrf/DpaResponse", answer)["rejected"].startswith("device_error")
