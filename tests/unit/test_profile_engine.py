"""The profile engine: what TOML says of messages is what is read, and a mistake is named by file, line and key."""

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from core.readings import Kind, Quality
from ingest.message import Message
from ingest.profile import Decoded, Router
from ingest.profiles.catalog import catalog
from ingest.profiles.engine import TomlProfile
from ingest.profiles.load import ProfileError, parse

HEAD = 'name = "t"\n[match]\ntopics = ["t"]\n'
METER = '[[rows]]\nmeter = "x"\n'
READING = '[[rows.readings]]\npath = "a"\nunit = "kWh"\n'
ROW = METER + READING
RECEIVED = 1_772_712_000_000_000  # 2026-03-05T12:00:00Z


def profile(text: str, *, fragments: Sequence[str] = (), site: str = "Europe/Prague", name: str = "own") -> TomlProfile:
    made = parse(dedent(text), path=Path(f"{name}.toml"))
    used = [parse(dedent(f), path=Path("fragment.toml")) for f in fragments]
    return TomlProfile(made, {f.spec.name: f for f in used}, site=site)


def simple(reading: str, *, rows: str = "", head: str = "", more: str = "") -> TomlProfile:
    return profile(
        f'name = "t"\n{head}\n[match]\ntopics = ["t/{{id}}"]\n[[rows]]\nmeter = "{{$topic.id}}"\n{rows}\n'
        f"[[rows.readings]]\n{reading}\n{more}"
    )


def decode(made: TomlProfile, payload: object, *, topic: str = "t/7", received: int = RECEIVED) -> Decoded:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return made.decode([Message(topic=topic, payload=raw, received=received)], detailed=True)


def told(done: Decoded) -> list[tuple[str, str, float]]:
    readings = done.readings
    keys = [readings.series[c] for c in readings.code.tolist()]
    return [(k.meter, k.register, v) for k, v in zip(keys, readings.value.tolist(), strict=True)]


def reasons(done: Decoded) -> list[str]:
    return [r.reason for r in done.rejects] + [i.reason for i in done.ignored]


def test_a_path_a_unit_and_a_topic_make_a_reading() -> None:
    done = decode(simple('path = "a.b[1]"\nunit = "Wh"\nregister = "import"'), {"a": {"b": [1, 1500]}})
    assert told(done) == [("7", "energy.import", 1.5)]
    assert done.readings.quality.tolist() == [Quality.ARRIVAL_TIME]
    assert done.origins[0] == ("a.b[1]", 1500, "Wh")
    assert done.readings.kind.tolist() == [Kind.CUMULATIVE]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, [12.0]),
        ("12.5", [12.5]),
        (" 12.5 ", [12.5]),
        ("1 234.5", [1234.5]),
        ("1e3", [1000.0]),
        (None, []),
        ("", []),
        ("nan", []),
        ("Unknown", []),
        ("n/a", []),
        (-3, [-3.0]),
    ],
)
def test_values_are_read_as_written_and_absent_ones_are_none(value: object, expected: list[float]) -> None:
    done = decode(simple('path = "x"\nunit = "kWh"'), {"x": value})
    assert [v for *_, v in told(done)] == expected
    assert reasons(done) == ([] if expected else ["no_value"])


@pytest.mark.parametrize("value", ["abc", "1,5", "12 kWh", True, [1], {"a": 1}, "1.2.3", "0x10", "1e999", "١٢"])
def test_what_is_no_number_is_told_and_never_read(value: object) -> None:
    done = decode(simple('path = "x"\nunit = "kWh"'), {"x": value})
    assert told(done) == []
    assert reasons(done) == ["value_unreadable"]
    assert done.rejects[0].place == "x"


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ('decimal = ","', "1234,5", [1234.5]),
        ("sentinels = [9999.9999]", 9999.9999, []),
        ('sentinels = ["off"]', "OFF", []),
        ('zero = "drop"', 0, []),
        ("wrap = 32", 4294966304, [-992.0]),
        ("scale = 0.1", 15, [1.5]),
        ("offset = -10", 15, [5.0]),
        ("number = 'is ([0-9.]+) kWh'", "it is 42.5 kWh now", [42.5]),
        ('minus = "y"', 15, [11.0]),
    ],
)
def test_rules_of_values(rule: str, value: object, expected: list[float]) -> None:
    done = decode(simple(f'path = "x"\nunit = "kWh"\n{rule}'), {"x": value, "y": 4})
    assert [v for *_, v in told(done)] == expected


def test_a_value_beyond_the_profiles_bound_is_refused() -> None:
    assert reasons(decode(simple('path = "x"\nunit = "kWh"\nbound = 100'), {"x": 101})) == ["value_out_of_bounds"]


def test_a_difference_without_its_other_half_is_no_reading() -> None:
    assert told(decode(simple('path = "x"\nunit = "kWh"\nminus = "y"'), {"x": 5})) == []


def test_no_unit_is_a_question_and_never_a_guess() -> None:
    done = decode(simple('path = "x"\nquantity = "energy"\nkind = "cumulative"'), {"x": 5})
    assert told(done) == [("7", "unstated.energy.total", 5.0)]


def test_keys_that_fit_give_unit_and_tariff_and_the_first_rule_counts() -> None:
    made = simple(
        "keys = 'target_.*'\nskip = 'a snapshot'\n[[rows.readings]]\nkeys = 'total_t(?P<t>[12])_(?P<u>k?wh)'\n"
        'unit = "{u}"\nunits = { kwh = "kWh", wh = "Wh" }\nregister = "import/t{t}"\n'
        "[[rows.readings]]\nkeys = '(target|total)_.*'\nunit = 'kWh'"
    )
    done = decode(made, {"target_kwh": 9, "total_t1_kwh": 1, "total_t2_wh": 2000, "total_x": 3, "name": "total_t1_kwh"})
    assert sorted(told(done)) == [
        ("7", "energy.import/t1", 1.0),
        ("7", "energy.import/t2", 2.0),
        ("7", "energy.total", 3.0),
    ]


def test_a_unit_beside_the_value_is_taken_and_a_strange_one_told_or_passed_over() -> None:
    payload = {"v": [{"k": "E", "x": 1, "u": "MWh"}, {"k": "B", "x": 3, "u": "dBm"}]}
    text = 'path = "x"\nunit = "{u}"\nregister = "{k}"'
    assert reasons(decode(simple(text, rows='each = "v[]"'), payload)) == ["unit_unknown"]
    done = decode(simple(f'{text}\nunknown_unit = "skip"', rows='each = "v[]"'), payload)
    assert told(done) == [("7", "energy.e", 1000.0)]
    assert not done.rejects


def test_a_unit_of_another_quantity_is_refused() -> None:
    made = simple('path = "x"\nunit = "{u}"\nquantity = "energy"')
    assert reasons(decode(made, {"x": 5, "u": "m3"})) == ["unit_contradicts"]


def test_lists_objects_and_columns_give_rows_of_their_own() -> None:
    made = simple('path = "[1]"\nunit = "kWh"\ntime = ["[0]"]', rows='each = "e[]"')
    done = decode(made, {"e": [["2026-03-05T10:00:00Z", 1], ["2026-03-05T11:00:00Z", 2]]})
    assert [v for *_, v in told(done)] == [1.0, 2.0]
    assert np.diff(done.readings.at) == [np.timedelta64(1, "h")]
    keys = profile(
        """
        name = "t"
        [match]
        topics = ["t"]
        [[rows]]
        each = "*[].values"
        meter = "{$key}"
        time = ["$up.ts"]
        [[rows.readings]]
        path = "energy"
        unit = "kWh"
        """
    )
    payload = {
        "A": [{"ts": 1772712000000, "values": {"energy": 4}}],
        "B": [{"ts": 1772712000000, "values": {"energy": 5}}],
    }
    assert told(decode(keys, payload, topic="t")) == [("A", "energy.total", 4.0), ("B", "energy.total", 5.0)]
    zipped = simple('path = "v"\nunit = "kWh"\nregister = "{n}"', rows='zip = ["n", "v"]')
    assert told(decode(zipped, {"n": ["a", "b"], "v": [1, 2]})) == [("7", "energy.a", 1.0), ("7", "energy.b", 2.0)]


def test_an_element_is_found_by_what_it_holds() -> None:
    made = simple('path = "s[id=E].v"\nunit = "kWh"')
    assert told(decode(made, {"s": [{"id": "P", "v": 1}, {"id": "E", "v": 2}]})) == [("7", "energy.total", 2.0)]
    assert told(decode(made, {"s": [{"id": "E", "v": 1}, {"id": "E", "v": 2}]})) == [], (
        "two fit: which is meant is not known"
    )


@pytest.mark.parametrize(
    ("rule", "written", "expected"),
    [
        ('"ts"', "2026-03-05T13:00:00+01:00", "2026-03-05T12:00:00"),
        ('"ts"', 1772712000, "2026-03-05T12:00:00"),
        ('"ts"', 1772712000000, "2026-03-05T12:00:00"),
        ('"ts"', "2026-03-05 12:00:00 UTC", "2026-03-05T12:00:00"),
        ('{ path = "ts", zone = "Europe/Prague" }', "2026-07-05T14:00:00", "2026-07-05T12:00:00"),
        ('{ path = "ts", zone = "Europe/Prague", standard = true }', "2026-07-05T13:00:00", "2026-07-05T12:00:00"),
        ('{ path = "ts", format = "%d.%m.%Y %H:%M", zone = "site" }', "05.03.2026 13:00", "2026-03-05T12:00:00"),
        ('{ path = "ts", format = "unix_ms" }', 1772712000123, "2026-03-05T12:00:00.123"),
        ('{ text = "{ts} {h}", format = "%Y-%m-%d %H", zone = "UTC" }', "2026-03-05", "2026-03-05T12:00:00"),
    ],
)
def test_times_as_they_are_written(rule: str, written: object, expected: str) -> None:
    done = decode(simple('path = "x"\nunit = "kWh"', rows=f"time = [{rule}]"), {"x": 1, "ts": written, "h": "12"})
    assert done.readings.at.tolist() == np.array([expected], "M8[us]").tolist()
    assert done.readings.quality.tolist() == [Quality.GOOD]


@pytest.mark.parametrize(
    ("rule", "written", "reason"),
    [
        ('"ts"', "yesterday", "time_unreadable"),
        ('"ts"', "2026-03-05T12:00:00", "time_zone"),
        ('{ path = "ts", zone = "Europe/Prague" }', "2026-03-29T02:30:00", "time_nonexistent"),
        ('"ts"', 12, "time_unreadable"),
    ],
)
def test_a_time_that_cannot_be_is_told(rule: str, written: object, reason: str) -> None:
    done = decode(simple('path = "x"\nunit = "kWh"', rows=f"time = [{rule}]"), {"x": 1, "ts": written})
    assert reasons(done) == [reason]
    assert not len(done.readings)


def test_the_first_time_that_is_there_counts_and_none_is_the_arrival() -> None:
    made = simple('path = "x"\nunit = "kWh"', rows='time = ["a", "b"]')
    assert decode(made, {"x": 1, "a": None, "b": 1772711000}).readings.at[0] == np.datetime64(1772711000, "s")
    done = decode(made, {"x": 1})
    assert (done.readings.at[0], done.readings.quality[0]) == (np.datetime64(RECEIVED, "us"), Quality.ARRIVAL_TIME)
    doubtful = simple('path = "x"\nunit = "kWh"', rows='time = [{ path = "a", doubtful = "arrival" }]')
    assert decode(doubtful, {"x": 1, "a": "?!"}).readings.quality[0] == Quality.ARRIVAL_TIME


def test_a_snapshot_without_its_own_time_is_refused() -> None:
    made = simple('path = "x"\nunit = "kWh"\nkind = "snapshot"', rows='time = ["ts"]')
    assert reasons(decode(made, {"x": 1})) == ["time_missing"]
    assert told(decode(made, {"x": 1, "ts": 1772711000})) == [("7", "energy.total", 1.0)]


def test_two_values_of_one_register_at_one_instant_are_refused_and_equal_ones_are_one() -> None:
    made = simple(
        'path = "a"\nunit = "kWh"\n[[rows.readings]]\npath = "b"\nunit = "kWh"\n'
        '[[rows.readings]]\npath = "c"\nunit = "kWh"\nregister = "import"'
    )
    done = decode(made, {"a": 1, "b": 2, "c": 9})
    assert told(done) == [("7", "energy.import", 9.0)]
    assert set(reasons(done)) == {"register_twice"}
    assert told(decode(made, {"a": 1, "b": 1})) == [("7", "energy.total", 1.0)]


def test_values_beyond_any_float_do_not_disturb_what_is_beside_them() -> None:
    made = simple('path = "a"\nunit = "TWh"\nscale = 1e300\n[[rows.readings]]\npath = "b"\nunit = "TWh"\nscale = 1e300')
    done = decode(made, {"a": 1e10, "b": 1e10})
    assert np.isinf(done.readings.value).all(), "acceptance refuses them"
    assert not done.rejects


def test_conditions_choose_rows_and_readings_and_flag_what_is_suspect() -> None:
    made = simple(
        'path = "x"\nunit = "kWh"\nwhen = { kind = ["E", "F"], ok = true }',
        rows='suspect = { status = { type = "text", not = "OK" } }',
    )
    assert told(decode(made, {"x": 1, "kind": "E", "ok": True})) == [("7", "energy.total", 1.0)]
    assert told(decode(made, {"x": 1, "kind": "E", "ok": 1})) == [], "1 is not true"
    assert told(decode(made, {"x": 1, "kind": "G", "ok": True})) == []
    done = decode(made, {"x": 1, "kind": "F", "ok": True, "status": "LEAK"})
    assert done.readings.quality[0] & Quality.SUSPECT


def test_meters_are_named_by_path_key_topic_and_filters_with_zeros_kept() -> None:
    def meter(text: str, payload: object) -> list[str]:
        made = profile(
            f'name = "t"\n[match]\ntopics = ["t/{{id}}"]\n[[rows]]\nmeter = {text}\n'
            '[[rows.readings]]\npath = "x"\nunit = "kWh"'
        )
        return [m for m, *_ in told(decode(made, payload))]

    assert meter('"{id}"', {"x": 1, "id": "00012"}) == ["00012"]
    assert meter('"{id}"', {"x": 1, "id": 12345678901234567890}) == ["12345678901234567890"]
    assert meter('"{eui|lower}-{$topic.id}"', {"x": 1, "eui": "AB"}) == ["ab-7"]
    assert meter('["{no}", "{$topic.id}"]', {"x": 1}) == ["7"]
    assert meter('"{eui|base64_hex}"', {"x": 1, "eui": "cLPV514AASM="}) == ["70b3d5e75e000123"]
    assert meter('"{no}"', {"x": 1}) == []
    assert meter('"{id}"', {"x": 1, "id": "a\nb"}) == []
    assert meter('"{id}"', {"x": 1, "id": 1.5}) == []


def test_a_nested_text_is_unfolded() -> None:
    made = simple('path = "inner.e"\nunit = "kWh"', more='[decode]\nas = "json"\nnested = ["inner"]')
    assert told(decode(made, {"inner": '{"e": 5}'})) == [("7", "energy.total", 5.0)]
    assert reasons(decode(made, {"inner": "{broken"})) == ["malformed"]


def test_a_fragment_reads_within_each_row_and_may_name_its_own_meter_and_time() -> None:
    made = profile(
        """
        name = "t"
        [match]
        topics = ["t"]
        [[rows]]
        each = "object"
        meter = "{$root.dev}"
        time = ["$root.ts"]
        use = "inside"
        """,
        fragments=[
            """
            name = "inside"
            fragment = true
            [[rows]]
            each = "v[]"
            meter = "{$meter}/{c}"
            time = ["t"]
            [[rows.readings]]
            path = "e"
            unit = "kWh"
            """
        ],
    )
    payload = {"dev": "D", "ts": 1772712000, "object": {"v": [{"c": 1, "e": 5, "t": 1772711000}, {"c": 2, "e": 6}]}}
    done = decode(made, payload, topic="t")
    assert told(done) == [("D/1", "energy.total", 5.0), ("D/2", "energy.total", 6.0)]
    assert done.readings.at.astype("M8[s]").astype(int).tolist() == [1772711000, 1772712000]


def test_what_says_nothing_is_ignored_with_its_reason() -> None:
    made = profile(
        """
        name = "t"
        nothing = "reject"
        [match]
        topics = ["t/{id}", "t/{id}/lwt"]
        [[ignore]]
        topics = ["t/{id}/lwt"]
        reason = "availability"
        [[ignore]]
        when = { type = "join" }
        reason = "a join"
        [[rows]]
        meter = "{$topic.id}"
        [[rows.readings]]
        path = "x"
        unit = "kWh"
        """
    )
    assert reasons(decode(made, b"online", topic="t/7/lwt")) == ["availability"]
    assert reasons(decode(made, {"type": "join"})) == ["a join"]
    assert reasons(decode(made, b"", topic="t/7")) == ["removed"]
    assert reasons(decode(made, {"y": 1})) == [], "the reader then tells that nothing was found"


@pytest.mark.parametrize(
    ("wrong", "line", "key"),
    [
        (HEAD + "whan = {}\n", 4, "match.whan"),
        (HEAD + METER + '[[rows.readings]]\npath = "a"\nunit = "kWx"\n', 8, "rows[0].readings[0].unit"),
        ('name = "t"\n[match]\ntopics = ["a/#/b+"]\n' + METER + '[[rows.readings]]\npath = "a"\n', 3, "match.topics"),
        (HEAD + '[[rows]]\nmeter = "{a|upcase}"\n[[rows.readings]]\npath = "a"\n', 5, "rows[0].meter"),
        (HEAD + METER + '[[rows.readings]]\npath = "a..b"\nunit = "kWh"\n', 6, "rows[0].readings[0]"),
        (HEAD + METER + '[[rows.readings]]\nkeys = "("\nunit = "kWh"\n', 6, "rows[0].readings[0]"),
        (HEAD + METER + 'time = [{ path = "t", zone = "Europe/Pragg" }]\n' + READING, 6, "rows[0].time"),
        (HEAD + ROW + 'kind = "gauge"\n', 9, "rows[0].readings[0].kind"),
        ('name = "T t"\n', 1, "name"),
        (HEAD + METER + 'use = "nothing"\n', 6, "rows[0].use"),
        ('name = "t"\n[match]\nanywhere = true\n' + ROW, 3, "match.anywhere"),
        (HEAD + 'when = { a = { regexp = "x" } }\n' + ROW, 4, "match.when"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_key(wrong: str, line: int, key: str) -> None:
    with pytest.raises(ProfileError) as caught:
        TomlProfile(parse(wrong, path=Path("mine.toml")), {}, site="UTC")
    assert f"mine.toml, line {line}, key {key}" in str(caught.value)


def test_broken_toml_is_named_with_its_line() -> None:
    with pytest.raises(ProfileError, match=r"mine\.toml is no TOML.*line 2"):
        parse('name = "t"\n[match\n', path=Path("mine.toml"))


def test_an_operators_profile_takes_the_place_of_a_bundled_one_and_goes_first(tmp_path: Path) -> None:
    text = 'name = "{}"\n[match]\ntopics = ["{}"]\n' + ROW
    (tmp_path / "a.toml").write_text(text.format("wmbusmeters", "mine/#"))
    (tmp_path / "b.toml").write_text(text.format("also", "tele/{id}/SENSOR"))
    found = catalog(tmp_path, site="UTC")
    named = {p.name: p for p in found.profiles}
    assert not named["wmbusmeters"].source.bundled
    router = Router(found.profiles)
    message = Message(topic="tele/x/SENSOR", payload=b'{"ENERGY":{"Total":1}}', received=RECEIVED)
    chosen = router.choose(message).profile
    assert chosen is not None
    assert chosen.name == "also"


def test_two_profiles_of_equal_right_are_reported_and_neither_reads() -> None:
    text = 'name = "{}"\n[match]\ntopics = ["x/+"]\nwhen = {{ {} }}\n' + ROW
    one, two = profile(text.format("one", "a = 1")), profile(text.format("two", "b = 1"))
    router = Router([one, two])

    def choose(payload: bytes) -> tuple[str, str]:
        choice = router.choose(Message(topic="x/1", payload=payload, received=RECEIVED))
        return (choice.profile.name if choice.profile else "", choice.reason)

    assert choose(b'{"a": 1}') == ("one", "")
    assert choose(b'{"b": 1}') == ("two", "")
    assert choose(b'{"a": 1, "b": 1}') == ("", "profile_ambiguous")
    assert choose(b'{"c": 1}') == ("", "no_profile")


def test_a_profile_that_knows_its_payload_anywhere_comes_after_one_that_names_the_topic() -> None:
    text = 'name = "{}"\n[match]\n{}\n' + ROW
    named = profile(text.format("named", 'topics = ["#"]'))
    anywhere = profile(text.format("anywhere", "anywhere = true\nwhen = { a = 1 }"))
    message = Message(topic="any/thing", payload=b'{"a": 1}', received=RECEIVED)
    assert Router([anywhere, named]).choose(message).profile is named
    assert Router([anywhere]).choose(message).profile is anywhere
    assert anywhere.filters == named.filters == (), "what begins with anything is not subscribed to"
