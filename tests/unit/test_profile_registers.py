"""Registers of profiles: one named as a quantity is, one dial said twice; and what a profile known anywhere claims."""

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
HEAD = 'name = "p"\n[match]\ntopics = ["t"]\n[[rows]]\nmeter = "m"\n'
TEMPERATURES = """
[[rows.readings]]
path = "t1"
unit = "°C"
register = "flow"
[[rows.readings]]
keys = 't2_(?P<unit>c)'
unit = "{unit}"
register = "return"
[[rows.readings]]
path = "q"
unit = "m³/h"
"""
ENERGY = """
[[rows.readings]]
keys = 'total_(?P<unit>kwh|gj|m3)'
unit = "{unit}"
units = { kwh = "kWh", gj = "GJ", m3 = "m³" }
"""


def line(rows: str, payload: object) -> dict[str, Any]:
    profile = TomlProfile(parse(HEAD + rows, path=Path("p.toml")), {}, site="Europe/Prague")
    message = Message(topic="t", payload=json.dumps(payload).encode(), received=int(NOW.astype(np.int64)))
    return explain(message, Router([profile]), now=NOW, bounds=Bounds())


def test_a_direction_may_be_called_as_a_quantity_is() -> None:
    found = line(TEMPERATURES, {"t1": 71.5, "t2_c": 40, "q": 0.3})["readings"]
    assert [(r["quantity"], r["register"], r["value"]) for r in found] == [
        ("temperature", "flow", 71.5),
        ("temperature", "return", 40.0),
        ("flow", "total", 0.3),
    ]


def test_a_quantity_that_is_none_is_still_told_as_that() -> None:
    with pytest.raises(ProfileError, match="quantity"):
        line('[[rows.readings]]\npath = "e"\nunit = "kWh"\nquantity = "enargy"\n', {"e": 1})


def test_a_dial_in_a_second_unit_is_the_same_dial() -> None:
    found = line(ENERGY, {"total_kwh": 6371.666667, "total_gj": 22.938, "total_m3": 5})
    assert [(r["quantity"], r["value"], r["field"]) for r in found["readings"]] == [
        ("energy", 6371.666667, "total_kwh"),
        ("volume", 5.0, "total_m3"),
    ]
    assert "problems" not in found


def test_two_different_dials_on_one_register_are_refused() -> None:
    found = line(ENERGY, {"total_kwh": 6371.67, "total_gj": 22.938})
    assert "readings" not in found
    assert "register_twice" in found["rejected"]


MIXED = """
[[rows.readings]]
path = "total_kwh"
unit = "kWh"
[[rows.readings]]
path = ["deep.total", "total_m3"]
unit = "m³"
[[rows.readings]]
keys = 'power_(?P<unit>kw)'
unit = "{unit}"
"""


def test_rows_of_other_keys_are_planned_anew() -> None:
    profile = TomlProfile(parse(HEAD + MIXED, path=Path("p.toml")), {}, site="Europe/Prague")
    payloads: list[dict[str, Any]] = [
        {"power_kw": 1},
        {"power_kw": 2, "total_kwh": 3},
        {"total_m3": 4},
        {"deep": {"total": 5}},
        {"power_kw": 6, "deep": {"total": 7}, "total_kwh": 8},
    ]
    messages = [
        Message(topic="t", payload=json.dumps(p).encode(), received=int(NOW.astype(np.int64))) for p in payloads
    ]
    decoded = profile.decode(messages, detailed=True)
    found = sorted(zip(decoded.message.tolist(), (o.source_value for o in decoded.origins), strict=True), key=str)
    assert found == [(0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (4, 7), (4, 8)]


ANYWHERE = """
name = "a"
[match]
topics = ["own/{id}"]
anywhere = true
when = { head = { exists = true } }
[[ignore]]
when = { head = { exists = false } }
reason = "event"
[[rows]]
meter = "m"
readings = [{ path = "e", unit = "kWh" }]
"""


@pytest.mark.parametrize(
    ("topic", "payload", "claimed"),
    [
        ("own/1", b'{"head":1}', True),
        ("own/1", b'{"other":1}', True),
        ("own/1", b"", True),
        ("else", b'{"head":1}', True),
        ("else", b'{"other":1}', False),
        ("else", b"", False),
    ],
)
def test_a_profile_known_anywhere_ignores_only_on_its_topics(topic: str, payload: bytes, *, claimed: bool) -> None:
    profile = TomlProfile(parse(ANYWHERE, path=Path("a.toml")), {}, site="Europe/Prague")
    assert (profile.claims(Message(topic=topic, payload=payload, received=0)) == "") is claimed
