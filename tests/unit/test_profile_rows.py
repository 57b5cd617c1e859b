"""What rows of profiles may say beside readings: a name, a skip, a refusal; and where keys find value and unit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.accept import Bounds
from ingest.message import Message
from ingest.profile import Router
from ingest.profiles.engine import TomlProfile
from ingest.profiles.lines import explain
from ingest.profiles.load import ProfileError, parse

NOW = np.datetime64("2026-03-05T12:00:00", "us")
HEAD = 'name = "p"\n[match]\ntopics = ["t/{id}"]\n'


def line(rows: str, payload: object, topic: str = "t/7") -> dict[str, Any]:
    profile = TomlProfile(parse(HEAD + rows, path=Path("p.toml")), {}, site="Europe/Prague")
    message = Message(topic=topic, payload=json.dumps(payload).encode(), received=int(NOW.astype(np.int64)))
    return explain(message, Router([profile]), now=NOW, bounds=Bounds())


def told(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(r["field"], r["value"], r["unit"]) for r in found["readings"]]


KEYS = """
[[rows]]
meter = "{$topic.id}"
[[rows.readings]]
keys = 'energy'
inner = ["value", "data", "[0]"]
unit_at = ["{key}.unit", "{key}Unit", "{key}_unit"]
quantity = "energy"
"""


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"energy": 5}, ("energy", 5.0, None)),
        ({"energy": 5, "energyUnit": "MWh"}, ("energy", 5000.0, "kWh")),
        ({"energy": 5, "energy_unit": " Wh "}, ("energy", 0.005, "kWh")),
        ({"energy": {"value": 5, "unit": "kWh"}}, ("energy.value", 5.0, "kWh")),
        ({"energy": {"data": "7", "unit": "kWh"}}, ("energy.data", 7.0, "kWh")),
        ({"energy": {"data": 7, "unit": ""}}, ("energy.data", 7.0, None)),
        ({"energy": [8, 9]}, ("energy[0]", 8.0, None)),
    ],
)
def test_a_key_finds_value_and_unit_inside_or_beside_it(payload: object, expected: tuple[Any, ...]) -> None:
    assert told(line(KEYS, payload)) == [expected]


def test_a_unit_beside_a_key_that_is_not_known_is_told() -> None:
    assert "unit_unknown" in line(KEYS, {"energy": 5, "energyUnit": "bananas"})["rejected"]


def test_a_row_that_says_its_name_is_read_by_keys() -> None:
    rows = KEYS.replace("[[rows]]", '[[rows]]\neach = "list[]"\nnamed = "what"\ntime = ["$up.at"]')
    payload = {
        "list": [
            {"what": "energy", "value": 1, "unit": "kWh", "at": "2026-03-05T10:00:00Z"},
            {"what": "noise", "value": 9},
            {"value": 3},
        ]
    }
    found = line(rows, payload)
    assert told(found) == [("list[what=energy].value", 1.0, "kWh")]
    assert found["readings"][0]["at"] == "2026-03-05T10:00:00Z"


SAYING = """
[[rows]]
when = { errors = { empty = false } }
reject = "codec_error"
detail = "the codec says: {errors[0]}"
final = true

[[rows]]
when = { "$row" = { keys = 'battery|rssi' } }
skip = "no meter in it"
""" + KEYS.lstrip()


def test_a_refusing_row_tells_why_and_what_to_do() -> None:
    assert line(SAYING, {"errors": ["bad port"], "energy": 5})["rejected"] == ("codec_error: the codec says: bad port")


@pytest.mark.parametrize("errors", [[], None, "", {}])
def test_nothing_in_it_is_no_error(errors: object) -> None:
    assert told(line(SAYING, {"errors": errors, "energy": 5})) == [("energy", 5.0, None)]


def test_a_skipping_row_is_understood_and_says_nothing() -> None:
    assert line(SAYING, {"battery": 90, "rssi": -80}) == {"ignored": "no_value"}
    assert line(SAYING, {"battery": 90, "pulses": 3})["rejected"].startswith("no_readings")


def test_a_row_says_one_thing() -> None:
    with pytest.raises(ProfileError, match="none or several of: readings"):
        line(KEYS.replace("meter", 'skip = "x"\nmeter'), {})


@pytest.mark.parametrize(
    ("key", "register"),
    [
        ("energy_imported", "import"),
        ("energy_exported_t2", "export/t2"),
        ("energy_imported_b", "import/l2"),
        ("energy_imported_t1_c", "import/t1/l3"),
    ],
)
def test_words_and_brackets_make_registers_of_groups(key: str, register: str) -> None:
    rows = """
[[rows]]
meter = "{$topic.id}"
[[rows.readings]]
keys = 'energy_(?P<dir>imported|exported)(?:_t(?P<t>[0-9]))?(?:_(?P<l>[abc]))?'
register = "{dir}[/t{t}][/l{l}]"
words = { imported = "import", exported = "export", a = "1", b = "2", c = "3" }
unit = "kWh"
"""
    assert [r["register"] for r in line(rows, {key: 5})["readings"]] == [register]
