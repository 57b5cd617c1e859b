"""M-Bus telegrams: which record is the register, what repeats it, what is none."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs.errors import PayloadError
from ingest.codecs.mbus import MBus, mbus_rows
from ingest.codecs.mbus_frame import frame_rows
from ingest.codecs.mbus_units import sense_of_enums, sense_of_text

VECTORS = Path(__file__).parents[3] / "shared/vectors/mbus_gateways.json"
OUR_NAMES = {"temperature_flow": "temperature", "temperature_return": "temperature"}


def xml(*records: str, about: str = "<Id>12345678</Id><Medium>Heat: Outlet</Medium>") -> bytes:
    inside = "".join(f'<DataRecord id="{n}">{record}</DataRecord>' for n, record in enumerate(records))
    head = f"<SlaveInformation>{about}</SlaveInformation>"
    return f'<?xml version="1.0" encoding="ISO-8859-1"?><MBusData>{head}{inside}</MBusData>'.encode("latin-1")


def record(unit: str, value: str, *, function: str = "Instantaneous value", **place: int) -> str:
    where = "".join(f"<{name}>{number}</{name}>" for name, number in place.items())
    return f"<Function>{function}</Function>{where}<Unit>{unit}</Unit><Value>{value}</Value>"


def rows(payload: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = MBus().parse(payload)["rows"]
    return found


def readings(payload: bytes) -> list[tuple[str, str, str, str]]:
    return [(r["quantity"], r["register"], r["value"], r["unit"]) for r in rows(payload) if r["skip"] is None]


@pytest.mark.parametrize(
    ("unit", "quantity", "scale", "name"),
    [
        ("Volume (1e-2  m^3)", "volume", "0.01", "m³"),
        ("Volume (m m^3)", "volume", "0.001", "m³"),
        ("Volume (my m^3)", "volume", "0.000001", "m³"),
        ("Volume (10  m^3)", "volume", "10", "m³"),
        ("Energy (10 kWh)", "energy", "10000", "Wh"),
        ("Energy (mWh)", "energy", "0.001", "Wh"),
        ("Energy (100 MJ)", "energy", "100000000", "J"),
        ("Energy (1e7 J)", "energy", "10000000", "J"),
        ("Power (100 W)", "power", "100", "W"),
        ("Power (10 kJ/h)", "power", "10000", "J/h"),
        ("Volume flow (m m^3/min)", "flow", "0.001", "m³/min"),
        ("Flow temperature (1e-2  deg C)", "temperature", "0.01", "°C"),
        ("1e-1  V", "voltage", "0.1", "V"),
        ("m A", "current", "0.001", "A"),
        ("GJ", "energy", "1000000000", "J"),
        ("100 l/h", "flow", "100", "l/h"),
    ],
)
def test_the_scale_stands_within_the_unit(unit: str, quantity: str, scale: str, name: str) -> None:
    sense = sense_of_text(unit)
    assert (sense.quantity, format(sense.scale, "f"), sense.unit) == (quantity, scale, name)


@pytest.mark.parametrize(
    "unit",
    [
        "C",
        "c",
        "",
        "kWh)",
        "Energy (m^3)",
        "Energy (kVAh)",
        "Temperature Difference (1e-2  deg C)",
        "Fabrication number",
        "Unknown (VIF=0x7B)",
        "Energy (1e99 Wh)",
        "Mass (kg)",
        "MJ",
        "100 kJ",
        "Volume (m^3) x",
        "reserved but historic",
    ],
)
def test_a_unit_that_is_not_surely_known_makes_no_reading(unit: str) -> None:
    sense = sense_of_text(unit)
    assert sense.quantity is None
    assert sense.fault


def test_a_unit_of_another_quantity_makes_no_reading_of_json() -> None:
    assert sense_of_enums("VIFUnit.ENERGY_WH", "MeasureUnit.M3").quantity is None
    assert sense_of_enums("VIFUnit.ENERGY_WH", "MeasureUnit.KWH").unit == "kWh"


def test_values_stay_exact_whatever_their_scale() -> None:
    assert readings(xml(record("Volume (1e-2  m^3)", "56108"))) == [("volume", "total", "561.08", "m³")]
    assert readings(xml(record("Energy (10 kWh)", "864"))) == [("energy", "total", "8640000", "Wh")]


def test_tariffs_and_sub_units_land_on_registers_of_their_own() -> None:
    payload = xml(
        record("Energy (kWh)", "10"),
        record("Energy (kWh)", "7", Tariff=1, Device=0),
        record("Energy (kWh)", "3", Tariff=2, Device=0),
        record("Volume (m m^3)", "5"),
        record("Volume (m m^3)", "6", Tariff=0, Device=1),
    )
    assert [register for _, register, *_ in readings(payload)] == ["total", "total/t1", "total/t2", "total", "total/d1"]


def test_an_absent_tariff_and_tariff_nought_are_the_same_place() -> None:
    payload = xml(record("Energy (kWh)", "1"), record("Energy (kWh)", "2", Tariff=0, Device=0))
    assert [register for _, register, *_ in readings(payload)] == ["total/n1", "total/n2"]


def test_none_of_equal_records_is_the_register_whatever_their_values() -> None:
    for first, second in (("1274", "1274"), ("4535", "0"), ("0", "4535")):
        payload = xml(record("Energy (Wh)", first), record("Energy (Wh)", second))
        assert [register for _, register, *_ in readings(payload)] == ["total/n1", "total/n2"]


def test_an_unreadable_one_of_equal_records_still_takes_its_place() -> None:
    payload = xml(record("Energy (Wh)", "DDDDEBBD"), record("Energy (Wh)", "7"))
    assert readings(payload) == [("energy", "total/n2", "7", "Wh")]


@pytest.mark.parametrize("function", ["Maximum value", "Minimum value", "Value during error state", "Anything new"])
def test_only_the_current_value_is_a_reading(function: str) -> None:
    found = rows(xml(record("Energy (Wh)", "7", function=function)))
    assert [(r["current"], r["kind"], bool(r["skip"])) for r in found] == [(False, "snapshot", True)]


@pytest.mark.parametrize("value", ["DDDDEBBD", "", "nan", "1e999", "0x17", "--1", "1_0"])
def test_a_value_that_is_no_number_makes_no_reading(value: str) -> None:
    assert readings(xml(record("Energy (Wh)", value))) == []


def test_a_stored_value_is_a_snapshot_only_with_one_time_of_its_own() -> None:
    stamp = record("Time Point (time &amp; date)", "2012-01-31T23:59:00", StorageNumber=1)
    day = record("Time Point (date)", "2012-01-31", StorageNumber=1)
    stored = record("Energy (Wh)", "5", StorageNumber=1)
    now = record("Energy (Wh)", "9")
    kept = [r for r in rows(xml(now, stored, stamp)) if r["skip"] is None]
    assert [(r["register"], r["kind"], r["time"]) for r in kept] == [
        ("total", "cumulative", None),
        ("total", "snapshot", "2012-01-31T23:59:00"),
    ]
    for payload in (xml(now, stored), xml(now, stored, day), xml(now, stored, stamp, stamp)):
        assert [value for _, _, value, _ in readings(payload)] == ["9"]


def test_a_stored_value_beside_equal_current_ones_is_of_none_of_them() -> None:
    stamp = record("Time Point (time &amp; date)", "2012-01-31T23:59:00", StorageNumber=1)
    stored = record("Energy (Wh)", "5", StorageNumber=1)
    payload = xml(record("Energy (Wh)", "9"), record("Energy (Wh)", "0"), stored, stamp)
    assert [value for _, _, value, _ in readings(payload)] == ["9", "0"]


def test_the_meters_clock_is_told_and_an_impossible_one_is_not() -> None:
    energy = record("Energy (Wh)", "9")
    for stamp, expected in (("2014-03-13T13:09:00", "2014-03-13T13:09:00"), ("1900-01-00T00:00:00", None)):
        found = rows(xml(energy, record("Time Point (time &amp; date)", stamp)))
        assert found[0]["time"] == expected


def test_an_error_of_the_gateway_is_told_with_its_place() -> None:
    with pytest.raises(PayloadError, match=r"SlaveInformation/Error: .*could not read the meter: Premature end"):
        rows(xml(about="<Error>Premature end of record</Error>"))


def test_the_number_is_kept_as_written_and_padded_beside_it() -> None:
    found = rows(xml(record("Energy (Wh)", "9"), about="<Id>500023E</Id><Medium>Electricity</Medium>"))
    assert (found[0]["id"], found[0]["serial"], found[0]["medium"]) == ("500023E", "0500023E", "electricity")


@pytest.mark.parametrize("number", ["", "meter 1", "123456789"])
def test_a_meter_without_number_is_refused(number: str) -> None:
    with pytest.raises(PayloadError, match="is no number of a meter"):
        rows(xml(record("Energy (Wh)", "9"), about=f"<Id>{number}</Id>"))


@pytest.mark.parametrize("tree", [None, [], {}, {"body": []}, {"x": 1}, "text"])
def test_what_is_no_telegram_is_refused(tree: object) -> None:
    with pytest.raises(PayloadError):
        mbus_rows(tree)


def json_payload(*records: dict[str, Any], medium: str = "0x2") -> bytes:
    header = {"identification": "0x01, 0x00, 0x60, 0x89", "manufacturer": "EMH", "medium": medium, "status": "0x0"}
    return json.dumps({"body": {"header": header, "records": records}}).encode()


def energy(value: object, **more: object) -> dict[str, Any]:
    return {
        "function": "FunctionType.INSTANTANEOUS_VALUE",
        "storage_number": 0,
        "type": "VIFUnit.ENERGY_WH",
        "unit": "MeasureUnit.WH",
        "value": value,
        **more,
    }


def test_json_tells_import_from_export_and_keeps_the_numbers_of_the_meter() -> None:
    payload = json_payload(
        energy(5, unit_enh="VIFUnitEnhExt.POSITIVE_ACCUMULATION"),
        energy(6, unit_enh="VIFUnitEnhExt.NEGATIVE_ACCUMULATION"),
    )
    assert [register for _, register, *_ in readings(payload)] == ["import", "export"]
    assert {r["id"] for r in rows(payload)} == {"01006089"}


def test_json_of_another_medium_does_not_speak_of_import() -> None:
    payload = json_payload(energy(5, unit_enh="VIFUnitEnhExt.POSITIVE_ACCUMULATION"), medium="0x4")
    assert [register for _, register, *_ in readings(payload)] == ["positive"]


@pytest.mark.parametrize("value", [None, True, "x", "٣", [1], {"a": 1}, float("inf"), float("nan")])
def test_json_without_a_number_makes_no_reading(value: object) -> None:
    assert readings(json_payload(energy(value))) == []


def test_json_whose_value_is_extended_by_something_unknown_makes_no_reading() -> None:
    payload = json_payload(energy(5), energy(6, unit_enh="VIFUnitEnhExt.UNKNOWN_ENHANCEMENT"))
    assert [register for _, register, *_ in readings(payload)] == ["total"]


@given(st.integers(1, 4), st.data())
def test_no_two_readings_ever_land_on_one_register(tariffs: int, data: st.DataObject) -> None:
    units = st.sampled_from(["Energy (kWh)", "Volume (m m^3)", "Power (W)", "Flow temperature (deg C)", "1e-1  V"])
    record_ = st.builds(
        lambda u, v, t, d, s: record(u, str(v), Tariff=t, Device=d, StorageNumber=s),
        *(units, st.integers(0, 99), st.integers(0, tariffs), st.integers(0, 2), st.integers(0, 1)),
    )
    stamp = record("Time Point (time &amp; date)", "2012-01-31T23:59:00", StorageNumber=1)
    found = rows(xml(*data.draw(st.lists(record_, max_size=20)), stamp))
    places = Counter((r["quantity"], r["register"], r["storage"]) for r in found if r["skip"] is None)
    assert not [place for place, many in places.items() if many > 1]


# Bytes made by hand: water meter 12345678, 1234.567 m³, 5 m³ at the end of January 2024, 0.5 m³/h.
WATER = "0801 72 78563412 2423 01 07 01 00 0000 0c13 67452301 4c13 00500000 426c 1f31 3b3b 000000"
FRAME = bytes.fromhex(WATER.replace(" ", ""))


def test_bytes_are_read_as_the_standard_says() -> None:
    found = frame_rows(WATER)
    assert (found[0]["id"], found[0]["medium"], found[0]["manufacturer"]) == ("12345678", "water", "HYD")
    kept = [(r["quantity"], r["register"], r["value"], r["unit"]) for r in found if r["skip"] is None]
    assert kept == [("volume", "total", "1234.567", "m³")]


def test_the_frame_around_the_bytes_is_proven() -> None:
    frame = bytes([0x68, len(FRAME), len(FRAME), 0x68, *FRAME, sum(FRAME) & 0xFF, 0x16])
    assert frame_rows(frame.hex())[0]["value"] == "1234.567"
    broken = bytearray(frame)
    broken[-9] ^= 1
    with pytest.raises(PayloadError, match="checksum"):
        frame_rows(broken.hex())
    with pytest.raises(PayloadError):
        frame_rows(frame[:-1].hex())


@pytest.mark.parametrize(
    ("bytes_", "expected"),
    [
        ("04833b 01000000", ("energy", "import", "1")),  # counts only positive contributions
        ("04833c 02000000", ("energy", "export", "2")),
        ("8410 03 01000000", ("energy", "total/t1", "1")),
        ("8440 03 01000000", ("energy", "total/d1", "1")),
        ("04fb00 02000000", ("energy", "total", "0.2")),  # tenths of MWh
        ("04fb08 02000000", ("energy", "total", "0.2")),  # tenths of GJ
        ("04fd48 e6000000", ("voltage", "total", "23")),
        ("0e78", None),
        ("0403 ffffffff", ("energy", "total", "-1")),
        ("0503 00002041", ("energy", "total", "10")),  # 10.0 as a real
        ("0503 0000c07f", None),  # not a number
        ("0a03 34f2", ("energy", "total", "-234")),  # a negative BCD
        ("0a03 dddd", None),
        ("04837d 05000000", ("energy", "total", "5000")),  # times 1000
        ("048375 05000000", ("energy", "total", "0.5")),  # times 0.1
        ("048322 05000000", None),  # an extension that may change anything
        ("1403 05000000", None),  # a maximum
    ],
)
def test_value_information(bytes_: str, expected: tuple[str, str, str] | None) -> None:
    head = "0801 72 78563412 2423 01 02 01 00 0000 "
    padding = "" if expected else "000000000000"
    found = [r for r in frame_rows(head + bytes_ + padding) if r["field"] == "record[0]"]
    kept = [(r["quantity"], r["register"], r["value"]) for r in found if r["skip"] is None]
    assert kept == ([expected] if expected else [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zz",
        "0",
        "08",
        "080172",
        "0801 7a 01000000",
        WATER[:-4],
        "0801 72 78563412 2423 01 07 01 00 0005 0c13 67452301",
        "0801 72 78563412 2423 01 07 01 00 0000 84" + "80" * 12,
        "0801 72 78563412 2423 01 07 01 00 0000 04" + "83" * 14,
    ],
)
def test_bytes_that_are_no_telegram_are_refused(text: str) -> None:
    with pytest.raises(PayloadError):
        frame_rows(text)


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_every_published_telegram_is_read_as_its_makers_say() -> None:
    required = 0
    for vector in json.loads(VECTORS.read_text("utf-8"))["vectors"]:
        expected = vector["expected"]
        if expected.get("error"):
            with pytest.raises(PayloadError, match="could not read the meter"):
                rows(vector["payload"].encode())
            continue
        found = {r["field"]: r for r in rows(vector["payload"].encode())}
        assert {r["id"] for r in found.values()} == {expected["meter_id"]}
        for reading in expected["readings"]:
            row = found[reading["field"]]
            required += reading["required"] and row["skip"] is None
            assert not (reading["required"] and row["skip"]), (vector["id"], row)
            if row["skip"] is None:
                assert row["quantity"] == OUR_NAMES.get(reading["quantity"], reading["quantity"])
                assert row["kind"] == reading["kind"]
                assert float(row["value"]) == pytest.approx(float(reading["value"]), rel=1e-5, abs=1e-6)
    assert required == 39
