"""LoRaWAN: the shared vectors, and what codecs' objects say or do not say, in every network server's envelope."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decode import Decoder, scored
from ingest.profiles.catalog import catalog

VECTORS = Path(__file__).parents[3] / "shared/vectors"
SITE = "Europe/Prague"
EUI = "24e124136b000042"
UP = f"application/a/device/{EUI}/event/up"
beside = pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(None, site=SITE)


def chirpstack(obj: object) -> tuple[str, dict[str, Any]]:
    info = {"devEui": EUI, "deviceProfileName": "p"}
    return UP, {"time": "2026-02-03T04:05:06+00:00", "deviceInfo": info, "data": "AQ==", "rxInfo": [], "object": obj}


def chirpstack_v3(obj: object) -> tuple[str, dict[str, Any]]:
    inner = json.dumps(obj)
    return UP, {"devEUI": "JOEkE2sAAEI=", "data": "AQ==", "publishedAt": "2026-02-03T04:05:06Z", "objectJSON": inner}


def the_things_stack(obj: object) -> tuple[str, dict[str, Any]]:
    uplink = {"frm_payload": "AQ==", "decoded_payload": obj}
    ids = {"device_id": "d", "dev_eui": EUI.upper()}
    received = "2026-02-03T04:05:06Z"
    return "v3/a@t/devices/d/up", {"end_device_ids": ids, "received_at": received, "uplink_message": uplink}


def thingpark(obj: object) -> tuple[str, dict[str, Any]]:
    uplink = {"DevEUI": EUI.upper(), "Time": "2026-02-03T05:05:06+01:00", "payload_hex": "01", "payload": obj}
    return f"mqtt/things/{EUI}/uplink", {"DevEUI_uplink": uplink}


def milesight(obj: object) -> tuple[str, dict[str, Any]]:
    return "any/topic", {"devEUI": EUI, "time": "2026-02-03T04:05:06Z", "data": "AQ==", "object": obj}


SERVERS = [chirpstack, chirpstack_v3, the_things_stack, thingpark, milesight]


def of(decoder: Decoder, obj: object) -> dict[str, Any]:
    topic, payload = chirpstack(obj)
    return decoder.line(topic, json.dumps(payload).encode())


def told(line: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {(r["quantity"], r["register"], r["value"], r["unit"]) for r in line["readings"]}


@beside
def test_every_required_reading_comes_out_but_that_of_a_clock_in_2064_and_none_is_wrong() -> None:
    (score,) = scored([VECTORS / "lorawan.json"], profiles=None, site=SITE)
    assert score.required > 150
    assert (score.right, score.missing, score.wrong) == (score.required - 1, 1, 0), score.notes
    assert next(n for n in score.notes if "missing" in n).count("2064")
    assert (score.ignored, score.explained) == (score.ignorable, score.unread)


@pytest.mark.parametrize("server", SERVERS)
def test_each_network_server_says_the_same(decoder: Decoder, server: Any) -> None:  # noqa: ANN401 - a function
    topic, payload = server({"total_m3": 12.5})
    (reading,) = decoder.line(topic, json.dumps(payload).encode())["readings"]
    assert (reading["meter"], reading["value"], reading["unit"]) == (EUI, 12.5, "m³")
    assert reading["at"] == "2026-02-03T04:05:06Z"


@pytest.mark.parametrize("server", SERVERS[:4])
def test_an_uplink_that_was_not_decoded_is_told_by_each(decoder: Decoder, server: Any) -> None:  # noqa: ANN401 - same
    topic, payload = server({})
    assert "not_decoded" in decoder.line(topic, json.dumps(payload).encode())["rejected"]


@pytest.mark.parametrize("server", SERVERS)
def test_an_error_of_a_codec_is_told_by_each(decoder: Decoder, server: Any) -> None:  # noqa: ANN401 - same
    topic, payload = server({"errors": ["wrong port 7"]})
    assert "codec_error: the codec says: wrong port 7" in decoder.line(topic, json.dumps(payload).encode())["rejected"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("energy_kWh", ("energy", "total", 5.0, "kWh")),
        ("Total_Energy_MWh", ("energy", "total", 5000.0, "kWh")),
        ("activeEnergyImport", ("energy", "import", 5.0, None)),
        ("reverse_active_energy_wh", ("energy", "export", 0.005, "kWh")),
        ("active_energy_export_total_kwh", ("energy", "export", 5.0, "kWh")),
        ("ActiveEnergyImportL123T2", ("energy", "import/t2", 5.0, None)),
        ("active_energy_a", ("energy", "total/l1", 5.0, None)),
        ("active_energy_abc", ("energy", "total", 5.0, None)),
        ("energy_tariff_3", ("energy", "total/t3", 5.0, None)),
        ("coolingEnergy", ("energy", "cooling", 5.0, None)),
        ("volume_l", ("volume", "total", 0.005, "m³")),
        ("hot_water_volume_m3", ("volume", "total/hot", 5.0, "m³")),
        ("reverse_volume_m3", ("volume", "reverse", 5.0, "m³")),
        ("pulse_2_total", ("pulse_count", "total/c2", 5.0, "pulse")),
        ("reactive_energy_import_kvarh", ("reactive_energy", "import", 5.0, "kvarh")),
        ("power_kW", ("power", "total", 5.0, "kW")),
        ("energy_mwh", ("energy", "total", 5.0, None)),
    ],
)
def test_what_a_key_says(decoder: Decoder, key: str, expected: tuple[Any, ...]) -> None:
    assert told(of(decoder, {key: 5})) == {expected}


@pytest.mark.parametrize(
    "key",
    [
        "energy_today",
        "energy_consumption",
        "lastVolume",
        "volume_month",
        "volume_delta_m3",
        "max_flow_m3h",
        "energyAtDueDate",
        "total_current",
        "pulse_value",
        "pulse_interval",
        "energy_target_kwh",
        "average_power_W",
        "previousMonthEnergy",
        "temperature_kitchen",
        "people_count",
        "counter_1_max",
    ],
)
def test_what_is_no_dial_is_never_read_as_one(decoder: Decoder, key: str) -> None:
    assert "readings" not in of(decoder, {key: 5})


def test_numbers_may_be_texts_but_not_any_text(decoder: Decoder) -> None:
    assert told(of(decoder, {"total_kwh": "1500.60"})) == {("energy", "total", 1500.6, "kWh")}
    assert "value_unreadable" in of(decoder, {"total_kwh": "15N0"})["rejected"]


def test_a_sum_its_tariffs_and_its_phases_have_registers_of_their_own(decoder: Decoder) -> None:
    obj = {"energy_kwh": 10, "energy_t1_kwh": 6, "energy_t2_kwh": 4, "energy_l1_kwh": 3, "energy_l2_kwh": 7}
    registers = [r["register"] for r in of(decoder, obj)["readings"]]
    assert sorted(registers) == ["total", "total/l1", "total/l2", "total/t1", "total/t2"]


def test_two_values_for_one_register_are_refused_and_two_names_for_one_value_are_one(decoder: Decoder) -> None:
    assert "register_twice" in of(decoder, {"total_kwh": 5, "energy_kwh": 6})["rejected"]
    assert len(of(decoder, {"total_kwh": 5, "energy_kwh": 5})["readings"]) == 1


def test_several_meters_behind_one_device_are_several(decoder: Decoder) -> None:
    meters = [{"meter_serial_number": "0011", "total_kwh": 5}, {"meter_serial_number": "0012", "total_kwh": 6}]
    found = of(decoder, {"meters": meters})["readings"]
    assert {(r["meter"], r["value"]) for r in found} == {("0011", 5.0), ("0012", 6.0)}


def test_the_bundled_profiles_do_not_contend_for_topics() -> None:
    mine = {"chirpstack", "chirpstack_v3", "the_things_stack", "thingpark", "milesight_gateway"}
    pairs = {frozenset(pair[:2]) for pair in catalog(None, site=SITE).overlaps() if mine & set(pair[:2])}
    assert pairs <= {frozenset({"chirpstack", "chirpstack_v3"})}, "their payloads alone tell these apart"


KEYS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789 .-[]{}", max_size=40)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20)
OBJECTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


@settings(max_examples=150, deadline=None)
@given(OBJECTS, st.sampled_from(SERVERS))
def test_no_object_breaks_a_profile(obj: object, server: Any) -> None:  # noqa: ANN401 - a function
    topic, payload = server(obj)
    line = SHARED.line(topic, json.dumps(payload).encode())
    assert {"readings", "ignored", "rejected"} & set(line)


SHARED = Decoder(None, site=SITE)
