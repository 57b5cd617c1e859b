"""Odečet's own payload: what it says, what is refused and where, and that nothing makes decoding fail."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calendar import instant, micros
from core.readings import Kind, Quality, Readings
from core.units import CANONICAL, Quantity
from ingest.accept import Bounds
from ingest.message import Message, topic_text
from ingest.native import NativeProfile
from ingest.profile import Decoded, Router
from ingest.reader import Outcome, Reader

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_US = int(micros(instant(NOW)))
DOC = Path(__file__).parents[2] / "docs" / "payload.md"
READING = {"meter": "m", "at": "2026-05-01T00:00:00Z", "value": 1, "unit": "kWh"}


def message(payload: object, topic: str = "odecet/x", *, received: int = NOW_US, retained: bool = False) -> Message:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic=topic, payload=body, received=received, retained=retained)


def decoded(*payloads: object, topic: str = "odecet/x") -> Decoded:
    return NativeProfile().decode([message(p, topic) for p in payloads], detailed=True)


def read(*messages: Message) -> Outcome:
    reader = Reader(Router([NativeProfile()]), bounds=Bounds())
    return reader.read(list(messages), now=instant(NOW), latest=lambda _series: Readings.empty())


def faults(payload: object, topic: str = "odecet/x") -> list[tuple[str, str]]:
    return [(r.place, r.reason) for r in read(message(payload, topic)).rejects]


def told(readings: Readings) -> list[str]:
    """Return readings as the lines of docs/payload.md."""
    lines = []
    for row in range(len(readings)):
        meter, register = readings.series[readings.code[row]]
        unit = CANONICAL.get(Quantity(register.split(".")[0]), "-")
        kind = Kind(readings.kind[row]).name.lower()
        at = f"{readings.at[row].astype('datetime64[s]')}Z"
        lines.append(f"{meter} {register} {kind} {readings.value[row]} {unit} {at}")
    return lines


def examples() -> Iterator[tuple[str, str, str]]:
    pattern = r"```json topic=(\S+)\n(.*?)```\s+```readings\n(.*?)```"
    yield from re.findall(pattern, DOC.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documentation_holds_examples() -> None:
    assert len(list(examples())) >= 4


@pytest.mark.parametrize(("topic", "payload", "expected"), list(examples()))
def test_an_example_of_the_documentation_gives_the_readings_under_it(topic: str, payload: str, expected: str) -> None:
    outcome = read(message(payload.encode(), topic))
    assert outcome.rejects == []
    assert told(outcome.readings) == expected.strip().splitlines()


def test_every_reason_that_occurs_in_the_code_is_documented() -> None:
    rooms = (Path(__file__).parents[2] / "ingest").glob("*.py")
    names = ("native", "accept", "reader", "writing", "profile")
    code = "\n".join(p.read_text(encoding="utf-8") for p in rooms if p.name.startswith(names))
    doc = DOC.read_text(encoding="utf-8")
    for reason in ("no_profile", "too_large", "meter_id", "time_nonexistent", "kind_contradicts", "store_refused"):
        assert f'"{reason}"' in code
        assert f"`{reason}`" in doc


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"value": None}, ("value", "value_unreadable")),
        ({"value": ""}, ("value", "value_unreadable")),
        ({"value": True}, ("value", "value_unreadable")),
        ({"value": "1,5"}, ("value", "value_unreadable")),
        ({"value": "nan"}, ("value", "value_unreadable")),
        ({"value": "1_0"}, ("value", "value_unreadable")),
        ({"value": "٣"}, ("value", "value_unreadable")),
        ({"value": [1]}, ("value", "value_unreadable")),
        ({"value": float("nan")}, ("value", "value_unreadable")),
        ({"value": float("inf")}, ("value", "value_unreadable")),
        ({"value": 10**400}, ("value", "value_unreadable")),
        ({"value": 1e10}, ("value", "value_out_of_bounds")),
        ({"value": -1e10}, ("value", "value_out_of_bounds")),
        ({"meter": 12345}, ("meter", "meter_id")),
        ({"meter": ""}, ("meter", "meter_id")),
        ({"meter": " "}, ("meter", "meter_id")),
        ({"meter": "a\nb"}, ("meter", "meter_id")),
        ({"meter": "a\x00"}, ("meter", "meter_id")),
        ({"meter": "x" * 201}, ("meter", "meter_id")),
        ({"meter": ["m"]}, ("meter", "meter_id")),
        ({"unit": "kWhh"}, ("unit", "unit_unknown")),
        ({"unit": 5}, ("unit", "unit_unknown")),
        ({"unit": ["kWh"]}, ("unit", "unit_unknown")),
        ({"quantity": "volume"}, ("unit", "unit_contradicts")),
        ({"register": "volume.total"}, ("unit", "unit_contradicts")),
        ({"quantity": "energy", "register": "volume.import"}, ("register", "register_contradicts")),
        ({"quantity": "enthusiasm"}, ("quantity", "quantity_unknown")),
        ({"register": "im port"}, ("register", "register_unknown")),
        ({"register": 7}, ("register", "register_unknown")),
        ({"kind": "dial"}, ("kind", "kind_unknown")),
        ({"kind": "gauge"}, ("kind", "kind_contradicts")),
        ({"unit": "kW", "kind": "cumulative"}, ("kind", "kind_contradicts")),
        ({"kind": "interval"}, ("span_s", "span")),
        ({"kind": "interval", "span_s": 0}, ("span_s", "span")),
        ({"kind": "interval", "span_s": -900}, ("span_s", "span")),
        ({"kind": "interval", "span_s": True}, ("span_s", "span")),
        ({"kind": "interval", "span_s": 0.5}, ("span_s", "span")),
        ({"kind": "interval", "at": None, "from": "2026-05-01T00:00:00Z"}, ("to", "span")),
        ({"kind": "interval", "from": "2026-05-01T00:00:00Z", "to": "2026-05-01T00:15:00Z"}, ("at", "span")),
        ({"kind": "snapshot", "at": None}, ("at", "time_missing")),
        ({"quality": "splendid"}, ("quality", "quality")),
        ({"at": "yesterday"}, ("at", "time_unreadable")),
        ({"at": True}, ("at", "time_unreadable")),
        ({"at": {}}, ("at", "time_unreadable")),
        ({"at": 0}, ("at", "time_unreadable")),
        ({"at": 12.5}, ("at", "time_unreadable")),
        ({"at": 10**30}, ("at", "time_unreadable")),
        ({"at": "2026-05-01T00:00:00"}, ("at", "time_zone")),
        ({"at": "2026-05-01T00:00:00", "zone": "Europe/Liberec"}, ("at", "time_zone")),
        ({"at": "2026-05-01T00:00:00", "zone": "Europe"}, ("at", "time_zone")),
        ({"at": "2026-05-01T00:00:00", "zone": 1}, ("at", "time_zone")),
        ({"at": "2026-03-29T02:30:00", "zone": "Europe/Prague"}, ("at", "time_nonexistent")),
        ({"at": "1970-01-01T00:00:00Z"}, ("at", "time_out_of_bounds")),
        ({"at": "1999-12-31T23:59:59Z"}, ("at", "time_out_of_bounds")),
        ({"at": "2064-01-01T00:00:00Z"}, ("at", "time_out_of_bounds")),
        ({"at": "2026-06-01T13:00:01Z"}, ("at", "time_out_of_bounds")),
    ],
)
def test_a_key_that_is_wrong_is_named_and_leaves_the_readings_beside_it(
    change: dict[str, object], expected: tuple[str, str]
) -> None:
    place, reason = expected
    assert faults({**READING, **change}) == [expected]
    outcome = read(message({"readings": [READING, {**READING, **change}, {**READING, "meter": "n"}]}))
    assert [(r.place, r.reason) for r in outcome.rejects] == [(f"readings[1].{place}", reason)]
    assert [outcome.readings.series[c].meter for c in outcome.readings.code] == ["m", "n"]


@pytest.mark.parametrize("missing", [{k: v for k, v in READING.items() if k != "value"}, {}])
def test_a_reading_without_value_is_refused(missing: dict[str, object]) -> None:
    assert ("value", "value_missing") in faults({"meter": "m", **missing})


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (b"", ""), (b"hello", ""), (b'{"value": 1', ""), (b"5", ""), (b'"text"', ""), (b"null", ""), (b"\xff\xfe", ""),
        (b"[" * 100_000, ""), (b'{"x":' * 100_000, ""), (b'{"readings": 5}', "readings"), (b"[5]", "[0]"),
        (b'{"readings": [null]}', "readings[0]"),
    ],
)  # fmt: skip
def test_a_payload_of_another_form_is_rejected_with_its_place(payload: bytes, place: str) -> None:
    [(found, reason)] = faults(payload)
    assert found == place
    assert reason in {"malformed", "empty"}


def test_unreadable_numbers_in_a_batch_lose_none_of_the_others() -> None:
    rows = ", ".join(
        json.dumps({**READING, "meter": f"m{n}"}).replace('"value": 1', '"value": ' + value)
        for n, value in enumerate(["1", "NaN", "1e999", "2", "-Infinity", "9" * 4000, "3"])
    )
    body = f'{{"readings": [{rows}]}}'
    outcome = read(message(body.encode()))
    assert outcome.readings.value.tolist() == [1.0, 2.0, 3.0]
    assert [r.place for r in outcome.rejects] == [f"readings[{n}].value" for n in (1, 2, 4, 5)]
    [letter] = outcome.letters([message(body.encode())])
    assert letter.reason == "value_unreadable"
    assert all(f"readings[{n}].value" in letter.detail for n in (1, 2, 4, 5))


def test_a_payload_that_joins_two_documents_does_not_shift_the_readings_of_others() -> None:
    one = json.dumps(READING)
    outcome = read(message(f"{one},{one}".encode()), message({**READING, "meter": "own", "value": 7}), message(b"[1"))
    assert [r.message for r in outcome.rejects] == [0, 2]
    assert outcome.message.tolist() == [1]
    assert told(outcome.readings) == ["own energy.total cumulative 7.0 kWh 2026-05-01T00:00:00Z"]


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-01T00:00:00Z", "2026-05-01T02:00:00+02:00", "2026-05-01 00:00:00+00:00", "20260501T000000Z",
        "2026-05-01T00:00:00.000000000+00:00", 1777593600, 1777593600.0, 1777593600000, 1777593600000000,
        1777593600000000000, "1777593600", " 1777593600000 ", "1777593600.0",
    ],
)  # fmt: skip
def test_a_time_is_read_in_each_form(written: object) -> None:
    found = decoded({**READING, "at": written}, {**READING, "at": 1777593601})
    assert found.rejects == ()
    assert found.readings.at[0] == np.datetime64("2026-05-01T00:00:00", "us")


def test_microseconds_are_kept_exactly() -> None:
    texts = ["2026-05-01T00:00:00.123457Z", 1777593600123457, 1777593600123457999]
    found = decoded(*({**READING, "at": at} for at in texts))
    assert set(found.readings.at.astype(str)) == {"2026-05-01T00:00:00.123457"}


def test_a_reading_without_time_gets_its_arrival_and_says_so() -> None:
    found = decoded({"meter": "m", "value": 1, "unit": "kWh", "at": None})
    assert found.readings.at[0] == instant(NOW)
    assert found.readings.quality.tolist() == [Quality.ARRIVAL_TIME]


def test_the_topic_names_the_meter_where_the_payload_does_not() -> None:
    rest = {"at": READING["at"], "value": 1, "unit": "kWh"}
    assert decoded(rest, topic="odecet/hala/007").readings.series[0].meter == "hala/007"
    assert decoded(READING, topic="odecet/other").readings.series[0].meter == "m"
    assert faults(rest, topic="odecet") == [("meter", "meter_id")]


def test_registers_without_unit_do_not_fall_together() -> None:
    rest = {"meter": "m", "at": READING["at"], "value": 1}
    found = decoded(rest, {**rest, "register": "import"}, {**rest, "register": "energy.import"},
                    {**rest, "quantity": "volume"}, {**rest, "unit": ""})  # fmt: skip
    names = [found.readings.series[c].register for c in found.readings.code]
    assert names == ["unstated.total", "unstated.import", "unstated.energy.import", "unstated.volume.total",
                     "unstated.total"]  # fmt: skip


def test_the_origin_of_a_reading_tells_what_was_written_where() -> None:
    found = decoded({"unit": "Wh", "readings": [READING, {"meter": "n", "at": READING["at"], "value": "1500"}]})
    assert [tuple(o) for o in found.origins] == [("readings[0].value", 1, "kWh"), ("readings[1].value", "1500", "Wh")]
    assert found.readings.value.tolist() == [1.0, 1.5]


def local(wall: str, value: float, *, meter: str = "m") -> dict[str, object]:
    return {"meter": meter, "at": wall, "zone": "Europe/Prague", "value": value, "unit": "kWh"}


def at_utc(profile: NativeProfile, payload: object, received: str) -> tuple[str, int]:
    arrived = int(np.datetime64(received, "us").astype(np.int64))
    readings = profile.decode([message(payload, received=arrived)]).readings
    return str(readings.at[0].astype("datetime64[m]")), int(readings.quality[0])


def test_the_repeated_hour_is_resolved_by_arrival_and_then_by_order() -> None:
    profile = NativeProfile()
    live = [("2025-10-26T01:45", "2025-10-25T23:45"), ("2025-10-26T02:15", "2025-10-26T00:15"),
            ("2025-10-26T02:45", "2025-10-26T00:45"), ("2025-10-26T02:15", "2025-10-26T01:15"),
            ("2025-10-26T02:45", "2025-10-26T01:45"), ("2025-10-26T03:00", "2025-10-26T02:00")]  # fmt: skip
    assert [at_utc(profile, local(wall, n), utc) for n, (wall, utc) in enumerate(live)] == [(utc, 0) for _, utc in live]


def test_a_late_batch_over_the_repeated_hour_is_resolved_by_order() -> None:
    walls = ["2025-10-26T01:30", "2025-10-26T02:00", "2025-10-26T02:30", "2025-10-26T02:00", "2025-10-26T02:30"]
    found = decoded({"readings": [local(w, n) for n, w in enumerate(walls)]})
    hours = [str(at.astype("datetime64[m]"))[11:] for at in found.readings.at]
    assert hours == ["23:30", "00:00", "00:30", "01:00", "01:30"]
    assert not found.readings.quality.any()


def test_a_lone_late_time_in_the_repeated_hour_is_flagged() -> None:
    assert at_utc(NativeProfile(), local("2025-10-26T02:30", 1), "2025-11-01T00:00") == (
        "2025-10-26T00:30", Quality.AMBIGUOUS_TIME,
    )  # fmt: skip


def test_series_do_not_disturb_each_other_in_the_repeated_hour() -> None:
    profile = NativeProfile()
    at_utc(profile, local("2025-10-26T03:30", 1, meter="other"), "2025-11-01T00:00")
    at_utc(profile, local("2025-10-26T01:30", 1), "2025-11-01T00:00")
    assert at_utc(profile, local("2025-10-26T02:30", 2), "2025-11-01T00:00")[0] == "2025-10-26T00:30"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["kWh", "m3", "GJ", "2026-05-01T00:00:00Z", "2026-10-25T02:30", "Europe/Prague", "interval"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from(
    ["meter", "at", "value", "unit", "register", "quantity", "kind", "span_s", "quality", "zone", "from", "to", "x"]
)
ROW = st.dictionaries(KEYS, JUNK, max_size=8)
NEAR = st.builds(lambda row: {**READING, **row}, st.dictionaries(KEYS, JUNK, max_size=2))
DOCUMENT = st.one_of(
    JUNK, ROW, NEAR, st.lists(ROW | NEAR | JUNK, max_size=5),
    st.builds(lambda row, rows: {**row, "readings": rows}, ROW, st.lists(ROW | NEAR | JUNK, max_size=5)),
)  # fmt: skip
PAYLOAD = st.binary(max_size=60) | DOCUMENT.map(lambda d: json.dumps(d).encode())
TOPIC = st.sampled_from(["odecet/x", "odecet", "odecet/", "other/y", "$SYS/x", "odecet/\\xff", ""])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(TOPIC, PAYLOAD, st.booleans()), max_size=8))
def test_any_messages_end_as_finite_readings_or_are_told_of(batch: list[tuple[str, bytes, bool]]) -> None:
    messages = [message(payload, topic, retained=retained) for topic, payload, retained in batch]
    outcome = read(*messages)
    assert np.isfinite(outcome.readings.value).all()
    assert not np.isnat(outcome.readings.at).any()
    told_of = {*outcome.message.tolist(), *(r.message for r in outcome.rejects), *(i.message for i in outcome.ignored)}
    assert told_of == set(range(len(messages)))
    assert "internal" not in {r.reason for r in outcome.rejects}
    for letter in outcome.letters(messages):
        (letter.topic + letter.detail + letter.reason).encode()
        assert "\0" not in letter.topic + letter.detail


@settings(max_examples=200, deadline=None)
@given(st.lists(NEAR, min_size=1, max_size=6))
def test_a_batch_says_what_its_readings_say_one_by_one(rows: list[dict[str, object]]) -> None:
    together = read(message({"readings": rows}))
    alone = [read(message(row)) for row in rows]
    singles = [line for outcome in alone for line in told(outcome.readings)]
    assert sorted(told(together.readings)) == sorted(singles)
    assert len(together.rejects) == sum(len(outcome.rejects) for outcome in alone)


@given(st.binary(max_size=40))
def test_any_topic_becomes_text_that_can_be_stored(raw: bytes) -> None:
    text = topic_text(raw)
    assert "\0" not in text
    assert text.encode().decode() == text
