"""Sparkplug B: payloads, what metrics mean, readings of a living node."""

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from core.readings import Kind, Quality
from ingest.codecs.errors import PayloadError
from ingest.codecs.sparkplug import REBIRTH, Metric, Payload, decode_payload, encode_payload, number, rebirth_payload
from ingest.message import Message
from ingest.profile import Decoded
from ingest.sparkplug_meaning import NameRule, definitions
from ingest.sparkplug_profile import SparkplugProfile

VECTORS = Path(__file__).parents[3] / "shared/vectors/sparkplug_b.json"
NOW_MS = 1_772_712_000_000
DOUBLE, FLOAT, INT8, INT32, INT64, UINT64, STRING = 10, 9, 1, 3, 4, 8, 12


def metric(name: str | None, raw: object, unit: str | None = None, **more: object) -> Metric:
    given_: dict[str, Any] = {
        "alias": None,
        "time_ms": NOW_MS,
        "datatype": DOUBLE,
        "historical": False,
        "field": "double_value",
        **more,
    }
    return Metric(name=name, raw=raw, unit=unit, **given_)


def message(
    kind: str, *metrics: Metric, seq: int | None = 0, device: str = "", ms: int | None = NOW_MS, **more: object
) -> Message:
    topic = f"spBv1.0/g/{kind}/n" + (f"/{device}" if device else "")
    arrived: dict[str, Any] = {"received": (ms or NOW_MS) * 1000, **more}
    return Message(topic=topic, payload=encode_payload(Payload(ms, seq, metrics)), **arrived)


def shown(decoded: Decoded) -> list[tuple[str, str, float]]:
    r = decoded.readings
    return [(*r.series[c], v) for c, v in zip(r.code.tolist(), r.value.tolist(), strict=True)]


FIELDS = st.sampled_from(["int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value"])


@given(
    st.builds(
        Metric,
        name=st.none() | st.text(max_size=20),
        alias=st.none() | st.integers(0, 2**64 - 1),
        time_ms=st.none() | st.integers(0, 2**64 - 1),
        datatype=st.integers(1, 2**32 - 1),
        historical=st.booleans(),
        field=st.just("long_value"),
        raw=st.integers(0, 2**64 - 1),
        unit=st.none() | st.sampled_from(["kWh", "m³"]),
    )
)
def test_what_is_encoded_is_decoded(sent: Metric) -> None:
    payload = Payload(NOW_MS, 255, (sent,))
    assert decode_payload(encode_payload(payload)) == payload


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(payload: bytes) -> None:
    try:
        decode_payload(payload)
    except PayloadError as err:
        said = str(err)
    else:
        said = "read"
    assert said


@given(st.integers(-(2**31), 2**31 - 1))
def test_negative_integers_come_back_from_unsigned_ones(value: int) -> None:
    assert number(metric("x", value % 2**32, field="int_value", datatype=INT32), INT32) == value
    assert number(metric("x", value % 2**64, field="long_value", datatype=INT64), INT64) == value


@pytest.mark.parametrize(("raw", "value"), [(0xFF, -1), (0xFFFFFFFF, -1), (0x80, -128), (0x7F, 127)])
def test_small_integers_are_read_in_both_ways_that_senders_write_them(raw: int, value: int) -> None:
    assert number(metric("x", raw, field="int_value"), INT8) == value


def test_a_float_is_the_decimal_that_was_meant() -> None:
    assert number(metric("x", 12.1, field="float_value"), FLOAT) == 12.1


@pytest.mark.parametrize(
    ("field", "raw", "datatype"),
    [
        ("string_value", "5", DOUBLE),
        ("double_value", 5.0, INT32),
        ("int_value", 300, INT8),
        ("int_value", 256, 5),
        ("int_value", 1, 0),
    ],
)
def test_a_value_of_another_type_than_its_birth_said_is_refused(field: str, raw: object, datatype: int) -> None:
    with pytest.raises(PayloadError):
        number(metric("x", raw, field=field), datatype)


def test_the_command_for_a_rebirth_is_what_the_specification_says() -> None:
    payload = decode_payload(rebirth_payload(NOW_MS))
    assert payload.time_ms == NOW_MS
    assert [(m.name, m.datatype, m.field, m.raw) for m in payload.metrics] == [(REBIRTH, 11, "boolean_value", True)]


def meanings(*metrics: Metric, rules: tuple[NameRule, ...] = ()) -> dict[str, str]:
    found = definitions(metrics, rules)
    return {name: d.meaning.register if d.meaning else f"- {d.skip}" for name, d in found.items()}


@pytest.mark.parametrize(
    ("name", "unit", "register"),
    [
        ("Energy/Active Import Total", "kWh", "energy.import"),
        ("energy_export", "Wh", "energy.export"),
        ("ActiveEnergyImportT1", "kWh", "energy.import/t1"),
        ("Power/L2", "kW", "power.total/l2"),
        ("Volume/Total", "L", "volume.total"),
        ("Water Meter", "m3", "volume.total"),
        ("Room 12/Humidity", "%", "humidity.total/room_12_humidity"),
        ("Line 5/Energy", "kWh", "energy.total/line_5_energy"),
        ("Energy Night", "kWh", "energy.total/energy_night"),
        ("Flow Temperature", "°C", "temperature.total"),
        ("Energy", None, "unstated.energy.total"),
        ("Thing", None, "unstated.total/thing"),
        ("Energy/Today", "kWh", "-"),
        ("Power Max", "kW", "-"),
        ("Power Limit", "kW", "-"),
        ("Battery", "%", "-"),
        ("Speed", "rpm", "-"),
        ("Node Control/Scan Rate", None, "-"),
        ("Properties/Firmware", None, "-"),
        ("bdSeq", None, "-"),
    ],
)
def test_what_names_and_units_mean(name: str, unit: str | None, register: str) -> None:
    assert meanings(metric(name, 1.0, unit))[name].startswith(register)


def test_two_metrics_never_share_a_register() -> None:
    found = meanings(metric("Energy", 1.0, "kWh"), metric("Energy Total", 2.0, "kWh"), metric("Volume", 2.0, "m3"))
    assert found == {
        "Energy": "energy.total/energy",
        "Energy Total": "energy.total/energy_total",
        "Volume": "volume.total",
    }


@given(st.lists(st.text(max_size=60), unique=True, max_size=12))
def test_whatever_the_names_registers_are_of_one_metric(names: list[str]) -> None:
    found = [r for r in meanings(*(metric(name, 1.0, "kWh") for name in names)).values() if not r.startswith("- ")]
    assert len(found) == len(set(found))


def test_rules_say_what_names_cannot() -> None:
    rules = (NameRule(pattern="^E1$", register="import"), NameRule(pattern="^Temp", skip=True))
    found = meanings(metric("E1", 1.0, "kWh"), metric("Temperature", 1.0, "°C"), rules=rules)
    assert found == {"E1": "energy.import", "Temperature": "- a rule leaves it out"}
    for wrong in ({"pattern": "("}, {"pattern": "x", "quantity": "y"}, {"pattern": "x", "kind": "y"}):
        with pytest.raises(ConfigError):
            NameRule(**wrong)  # type: ignore[arg-type]


BIRTH = (
    metric("Energy", 10.5, "kWh", alias=1),
    metric("Power", 2**32 - 3, "W", alias=2, datatype=INT32, field="int_value"),
)


def test_a_node_from_birth_to_death() -> None:
    profile = SparkplugProfile()
    energy = metric(None, 11.0, alias=1, datatype=0)
    batch = [
        message("NBIRTH", metric("bdSeq", 3, datatype=INT64, field="long_value")),
        message("DBIRTH", metric("Energy", 10.5, "kWh", alias=1), device="d", seq=1),
        message("DDATA", energy, device="d", seq=2, ms=NOW_MS + 1),
        message("NDEATH", metric("bdSeq", 3, datatype=INT64, field="long_value"), seq=None, ms=NOW_MS + 2),
        message("DDATA", energy, device="d", seq=3, ms=NOW_MS + 3),
    ]
    decoded = profile.decode(batch, detailed=True)
    assert shown(decoded) == [("g/n/d", "energy.total", 10.5), ("g/n/d", "energy.total", 11.0)]
    assert [o.field for o in decoded.origins] == ["Energy", "alias 1"]
    assert [(i.message, i.reason) for i in decoded.ignored] == [(0, "birth without readings"), (3, "node offline")]
    assert [(r.message, r.reason) for r in decoded.rejects] == [(4, "birth_missing")]
    assert [topic for topic, _ in profile.due(NOW_MS * 1000)] == ["spBv1.0/g/NCMD/n"]


def test_data_before_the_birth_are_read_when_they_are_replayed_after_it() -> None:
    profile = SparkplugProfile()
    early = message("NDATA", metric(None, 9.0, alias=1, datatype=0), seq=77, ms=NOW_MS)
    assert [r.reason for r in profile.decode([early]).rejects] == ["birth_missing"]
    profile.decode([message("NBIRTH", *BIRTH, ms=NOW_MS + 900)])
    assert shown(profile.decode([early])) == [("g/n", "energy.total", 9.0)]
    assert profile.due(NOW_MS * 1000) == []


def test_units_become_canonical_and_signs_come_back() -> None:
    batch = [message("NBIRTH", *BIRTH[:1], metric("Power", 2**32 - 3000, "W", datatype=INT32, field="int_value"))]
    assert shown(SparkplugProfile().decode(batch)) == [("g/n", "energy.total", 10.5), ("g/n", "power.total", -3.0)]


def test_a_metric_that_no_birth_defined_is_kept_and_the_others_are_read() -> None:
    profile = SparkplugProfile()
    profile.decode([message("NBIRTH", *BIRTH)])
    data = message("NDATA", metric(None, 9.0, alias=9), metric(None, 12.0, alias=1), seq=1, ms=NOW_MS + 1)
    decoded = profile.decode([data])
    assert shown(decoded) == [("g/n", "energy.total", 12.0)]
    assert [(r.place, r.reason) for r in decoded.rejects] == [("alias 9", "birth_missing")]
    assert len(profile.due(NOW_MS * 1000)) == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (metric(None, math.nan, alias=1), "value_unreadable"),
        (metric(None, math.inf, alias=1), "value_unreadable"),
        (metric(None, "5", alias=1, field="string_value"), "value_unreadable"),
        (metric(None, 5.0, alias=1, time_ms=0), "time_unreadable"),
        (metric(None, 5.0, alias=1, time_ms=NOW_MS * 1000), "time_unreadable"),
    ],
)
def test_a_value_or_time_that_cannot_be_is_rejected_at_its_place(sent: Metric, reason: str) -> None:
    profile = SparkplugProfile()
    profile.decode([message("NBIRTH", *BIRTH)])
    decoded = profile.decode([message("NDATA", sent, seq=1)])
    assert [(r.place, r.reason) for r in decoded.rejects] == [("alias 1", reason)]
    assert len(decoded.readings) == 0


def test_a_null_says_nothing_and_is_no_fault() -> None:
    profile = SparkplugProfile()
    profile.decode([message("NBIRTH", *BIRTH)])
    decoded = profile.decode([message("NDATA", metric(None, None, alias=1, field=None), seq=1)])
    assert [i.reason for i in decoded.ignored] == ["no readings"]


def test_times_fall_back_to_the_message_and_then_to_the_arrival() -> None:
    profile = SparkplugProfile()
    profile.decode([message("NBIRTH", *BIRTH)])
    without = metric(None, 5.0, alias=1, time_ms=None)
    batch = [
        message("NDATA", without, seq=1, ms=NOW_MS + 5),
        message("NDATA", without, seq=2, ms=None, received=NOW_MS * 1000 + 9),
    ]
    readings = profile.decode(batch).readings
    assert readings.at.astype(int).tolist() == [(NOW_MS + 5) * 1000, NOW_MS * 1000 + 9]
    assert readings.quality.tolist() == [0, Quality.ARRIVAL_TIME]
    assert set(readings.kind.tolist()) == {int(Kind.CUMULATIVE)}


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("spBv1.0/STATE/host", "state of a host"),
        ("spBv1.0/g/NCMD/n", "command"),
        ("spBv1.0/g/DCMD/n/d", "command"),
        ("spBv1.0/g/NBIRTH/n/d", "no topic of Sparkplug B"),
        ("spBv1.0/g/DDATA/n", "no topic of Sparkplug B"),
        ("spBv1.0/g", "no topic of Sparkplug B"),
        ("spBv1.0/g/XX/n", "no topic of Sparkplug B"),
    ],
)
def test_what_says_nothing_of_meters_is_ignored_with_its_reason(topic: str, reason: str) -> None:
    decoded = SparkplugProfile().decode([Message(topic=topic, payload=b"x", received=0)])
    assert [i.reason for i in decoded.ignored] == [reason]


def test_garbage_and_replays_of_the_broker_change_nothing() -> None:
    profile = SparkplugProfile()
    decoded = profile.decode(
        [
            Message(topic="spBv1.0/g/NBIRTH/n", payload=b"\xff\xff", received=0),
            message("NBIRTH", *BIRTH, retained=True),
            Message(topic="spBv1.0/" + "g" * 300 + "/NBIRTH/n", payload=b"", received=0),
        ]
    )
    assert [r.reason for r in decoded.rejects] == ["unreadable", "meter_id"]
    assert [i.reason for i in decoded.ignored] == ["retained"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "STATE"]), st.binary(max_size=80)
        )
    )
)
def test_every_message_comes_to_something_whatever_it_holds(sent: list[tuple[str, bytes]]) -> None:
    batch = [
        Message(
            topic=f"spBv1.0/g/{kind}/n" + ("/d" if kind[0] == "D" else ""), payload=payload, received=NOW_MS * 1000 + n
        )
        for n, (kind, payload) in enumerate(sent)
    ]
    decoded = SparkplugProfile().decode(batch)
    told = {*decoded.message.tolist(), *(r.message for r in decoded.rejects), *(i.message for i in decoded.ignored)}
    assert told == set(range(len(batch)))
    assert all(math.isfinite(v) for v in decoded.readings.value.tolist())


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
def test_the_life_of_a_published_node_is_read_as_it_says() -> None:
    profile, found = SparkplugProfile(), 0
    for n, vector in enumerate(json.loads(VECTORS.read_text("utf-8"))["vectors"]):
        payload = base64.b64decode(vector["payload_b64"]) if "payload_b64" in vector else vector["payload"].encode()
        sent = Message(topic=vector["topic"], payload=payload, received=(NOW_MS + 400_000 + n) * 1000)
        decoded = profile.decode([sent], detailed=True)
        expected = {r["field"]: r for r in vector["expected"]["readings"]}
        assert {o.field for o in decoded.origins} == set(expected)
        for origin, at in zip(decoded.origins, decoded.readings.at.astype(int).tolist(), strict=True):
            reading = expected[origin.field]
            assert origin.source_value == reading["value"]
            assert (origin.source_unit, at) == (reading["unit"], reading["ts"] * 1000)
            found += 1
        assert not (vector["expected"].get("ignore") and (decoded.rejects or len(decoded.readings)))
    assert found == 7
