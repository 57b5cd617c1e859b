"""M-Bus, with and without wires: the shared vectors of wmbusmeters and gateways, and the pitfalls of their fields."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decode import Decoder, scored, vectors_of
from app.profiles import all_profiles
from core.readings import Quality
from ingest.message import Message
from ingest.profile import Profile

VECTORS = Path(__file__).parents[3] / "shared/vectors"
SITE = "Europe/Prague"
RECEIVED = int(np.datetime64("2026-03-05T12:00:00", "us").astype(np.int64))
beside = pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(None, site=SITE)


@pytest.fixture(scope="module")
def wmbus() -> Profile:
    return next(p for p in all_profiles(None, site=SITE) if p.name == "wmbusmeters")


def telegram(decoder: Decoder, media: str = "water", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    head = {"media": media, "meter": "driver", "name": "n", "id": "00012345", "timestamp": "2026-02-03T04:05:06Z"}
    return decoder.line("wmbusmeters/n", json.dumps(head | fields).encode())


def told(readings: Iterable[dict[str, Any]]) -> dict[tuple[str, str], tuple[float, str]]:
    return {(r["quantity"], r["register"]): (r["value"], r["unit"]) for r in readings}


@beside
@pytest.mark.parametrize("name", ["wmbusmeters", "mbus_gateways"])
def test_every_required_reading_comes_out_and_none_is_wrong(name: str) -> None:
    (score,) = scored([VECTORS / f"{name}.json"], profiles=None, site=SITE)
    assert score.required > 30
    assert (score.right, score.missing, score.wrong) == (score.required, 0, 0), score.notes
    assert (score.ignored, score.explained) == (score.ignorable, score.unread)
    assert not [note for note in score.notes if "beyond the expected" in note]


@beside
def test_the_hourly_telegrams_of_an_elvaco_report_are_read_at_their_own_times(decoder: Decoder) -> None:
    (vector,) = (v for v in vectors_of(VECTORS / "misc_gateways.json") if v["id"].startswith("elvaco"))
    found = decoder.vector(vector)["readings"]
    assert {r["meter"] for r in found} == {vector["expected"]["meter_id"]}
    assert [(r["value"], r["unit"], r["at"]) for r in found] == [
        (49676.8, "m³", "2009-12-16T23:00:00Z"),
        (49676.8, "m³", "2009-12-17T00:00:00Z"),
    ]


@pytest.mark.parametrize(
    "field",
    [
        "target_m3",
        "total_at_set_date_m3",
        "consumption_at_history_3_m3",
        "prev_01_m3",
        "March_total_m3",
        "total_tariff1_at_date_m3",
        "volume_month_period_m3",
        "last_year_m3",
        "current_m3",
        "partial_m3",
        "due_m3",
        "max_flow_m3h",
        "volume_delta_3_m3",
        "total_since_boot_m3",
        "consumption_5_months_ago_m3",
        "forward_energy_m3c",
        "battery_v",
        "access_counter",
    ],
)
def test_what_is_no_dial_of_now_is_passed_over(decoder: Decoder, field: str) -> None:
    assert telegram(decoder, **{field: 12.5}) == {"ignored": "nothing_read"}


SNAPSHOTS = st.sampled_from(
    ["target", "at_set_date", "prev", "last_month", "history_1", "min", "max", "average", "delta_1", "month_ago", "due"]
)
WORDS = st.sampled_from(
    ["total", "energy", "volume", "consumption", "production", "cooling", "tariff_1", "heat", "water"]
)


@given(before=st.lists(WORDS, max_size=3), mark=SNAPSHOTS, after=st.lists(WORDS, max_size=3), place=st.booleans())
def test_no_snapshot_is_taken_for_a_dial(before: list[str], mark: str, after: list[str], *, place: bool) -> None:
    words = [*before, mark, *after] if place else [mark, *before, *after]
    keys = {f"{'_'.join(words)}_{unit}": 5 for unit in ("m3", "kwh", "gj", "hca")}
    for media in ("heat/cooling load", "electricity", "heat cost allocation"):
        assert "readings" not in telegram(ONCE, media, **keys), keys


ONCE = Decoder(None, site=SITE)


def test_sum_tariffs_directions_and_inputs_have_registers_of_their_own(decoder: Decoder) -> None:
    found = telegram(
        decoder,
        "electricity",
        total_energy_consumption_kwh=10,
        total_energy_consumption_tariff_1_kwh=6,
        total_energy_consumption_tariff2_kwh=4,
        total_energy_production_kwh=1,
        total_energy_consumption_l1_kwh=3,
        total_reactive_energy_consumption_kvarh=2,
    )
    assert told(found["readings"]) == {
        ("energy", "import"): (10.0, "kWh"),
        ("energy", "import/t1"): (6.0, "kWh"),
        ("energy", "import/t2"): (4.0, "kWh"),
        ("energy", "export"): (1.0, "kWh"),
        ("energy", "import/l1"): (3.0, "kWh"),
        ("reactive_energy", "import"): (2.0, "kvarh"),
    }


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("total_mj", 3600, (1000.0, "kWh")),
        ("total_gj", 3.6, (1000.0, "kWh")),
        ("total_energy_consumption_mwh", 2, (2000.0, "kWh")),
        ("heat_energy_kwh", 5, (5.0, "kWh")),
        ("volume_m3", 5, (5.0, "m³")),
        ("total_water_l", 5000, (5.0, "m³")),
    ],
)
def test_the_unit_is_the_end_of_a_field(
    decoder: Decoder, field: str, value: float, expected: tuple[float, str]
) -> None:
    (reading,) = telegram(decoder, "heat", **{field: value})["readings"]
    assert (reading["value"], reading["unit"]) == pytest.approx(expected)
    assert (reading["register"], reading["kind"], reading["at"]) == ("total", "cumulative", "2026-02-03T04:05:06Z")


@pytest.mark.parametrize("value", [None, "", "null", "nan", -2147483648, -2147483.648, 4294967.295, 21474836.47])
def test_what_stands_for_no_value_is_none(decoder: Decoder, value: object) -> None:
    assert telegram(decoder, total_m3=value) == {"ignored": "no_value"}


@pytest.mark.parametrize(
    "media",
    [
        "smoke detector",
        "room sensor",
        "radio converter (meter side)",
        "bus/system component",
        "reserved",
        "other",
        "gas detector",
        "unknown",
    ],
)
def test_what_names_no_supply_is_passed_over(decoder: Decoder, media: str) -> None:
    assert "ignored" in telegram(decoder, media, total_m3=5, total_kwh=6, a_counter=7)


@pytest.mark.parametrize("media", ["hot/cold water", "cooling load volume at inlet", "gas", "steam", "heat meter"])
def test_every_supply_that_flows_is_read(decoder: Decoder, media: str) -> None:
    assert told(telegram(decoder, media, total_m3=5)["readings"]) == {("volume", "total"): (5.0, "m³")}


@pytest.mark.parametrize(
    ("status", "suspect"),
    [
        ("OK", False),
        (None, False),
        ("LEAK BURST", False),
        ("POWER_LOW", False),
        ("TEMPORARY_ERROR", False),
        ("DRY ERROR RETURN_SENSOR_INTERRUPTED", True),
        ("PERMANENT_ERROR UNKNOWN_E0", True),
    ],
)
def test_only_a_fault_of_measuring_makes_a_dial_suspect(wmbus: Profile, status: str | None, *, suspect: bool) -> None:
    fields = {"media": "heat", "meter": "x", "id": "1", "timestamp": "2026-02-03T04:05:06Z", "total_kwh": 5}
    payload = json.dumps(fields | ({"status": status} if status else {})).encode()
    decoded = wmbus.decode([Message(topic="wmbusmeters/x", payload=payload, received=RECEIVED)])
    assert len(decoded.readings) == 1
    assert bool(decoded.readings.quality[0] & Quality.SUSPECT) is suspect


def test_units_of_an_allocator_are_its_sum_or_else_those_since_the_billing_date(decoder: Decoder) -> None:
    both = telegram(decoder, "heat cost allocation", consumption_hca=596, total_consumption_hca=2435, target_hca=1)
    assert told(both["readings"]) == {
        ("heat_cost_units", "total"): (2435.0, "unit"),
        ("heat_cost_units", "period"): (596.0, "unit"),
    }
    alone = telegram(decoder, "heat cost allocator", current_hca=131, previous_hca=1026)
    assert told(alone["readings"]) == {("heat_cost_units", "total"): (131.0, "unit")}


XML = """<?xml version="1.0" encoding="ISO-8859-1"?><MBusData><SlaveInformation><Id>{id}</Id><Medium>{medium}</Medium>
</SlaveInformation>{records}</MBusData>"""
RECORD = """<DataRecord id="{n}"><Function>{function}</Function><StorageNumber>{storage}</StorageNumber>
<Tariff>{tariff}</Tariff><Unit>{unit}</Unit><Value>{value}</Value></DataRecord>"""


def xml(*records: tuple[str, str, int, int, str]) -> bytes:
    inner = "".join(
        RECORD.format(n=n, unit=unit, value=value, storage=storage, tariff=tariff, function=function)
        for n, (unit, value, storage, tariff, function) in enumerate(records)
    )
    return XML.format(id="0012", medium="Heat: Outlet", records=inner).encode("latin-1")


def test_only_current_records_of_a_telegram_are_dials(decoder: Decoder) -> None:
    now = "Instantaneous value"
    found = decoder.line(
        "anything/at/all",
        xml(
            ("Energy (100 kWh)", "12", 0, 0, now),
            ("Energy (100 kWh)", "11", 1, 0, now),
            ("Energy (100 kWh)", "3", 0, 2, now),
            ("Power (100 W)", "99", 0, 0, "Maximum value"),
            ("Volume flow (m m^3/h)", "500", 0, 0, now),
            ("Reset counter", "4", 0, 0, now),
        ),
    )
    assert {r["meter"] for r in found["readings"]} == {"0012"}
    assert {r["at"] for r in found["readings"]} == {None}
    assert told(found["readings"]) == {
        ("energy", "total"): (1200.0, "kWh"),
        ("energy", "total/t2"): (300.0, "kWh"),
        ("flow", "total"): (0.5, "m³/h"),
    }


def test_an_error_of_the_gateway_is_told(decoder: Decoder) -> None:
    payload = b"<MBusData><SlaveInformation><Error>Too many DIFEs</Error></SlaveInformation></MBusData>"
    assert "Too many DIFEs" in decoder.line("mbus/7/xml", payload)["rejected"]


def test_digits_are_a_telegram_on_its_topics_only(decoder: Decoder) -> None:
    payload = b"0801727856341224400107550000000C1345230100"
    (reading,) = decoder.line("mbus/raw", payload)["readings"]
    assert (reading["meter"], reading["value"], reading["unit"]) == ("12345678", 12.345, "m³")
    assert "rejected" in decoder.line("elsewhere/raw", payload)
