from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.discovery.zigbee2mqtt import Zigbee2MqttProfile
from tests.unit.discovery_talk import Talk

ENERGY = {"type": "numeric", "name": "energy", "property": "energy", "unit": "kWh", "access": 1, "label": "Energy"}
POWER = {"type": "numeric", "name": "power", "property": "power", "unit": "W", "access": 5}


@pytest.fixture
def talk() -> Talk:
    return Talk(Zigbee2MqttProfile())


def device(*exposes: dict[str, Any], name: str = "plug", **changes: object) -> dict[str, Any]:
    definition = {"vendor": "ACME", "model": "P1", "description": "Smart plug", "exposes": list(exposes)}
    return {"ieee_address": f"0x{name}", "friendly_name": name, "type": "Router", "definition": definition, **changes}


def devices(talk: Talk, *listed: dict[str, Any]) -> None:
    assert talk.say("zigbee2mqtt/bridge/devices", list(listed), retained=True) == {"ignored": "description"}


def test_a_described_device_is_read_by_its_own_units(talk: Talk) -> None:
    devices(talk, device({**ENERGY, "unit": "Wh"}, POWER))
    assert talk.readings("zigbee2mqtt/plug", {"energy": 1500, "power": 60, "linkquality": 80, "state": "ON"}) == [
        ("plug", "energy.total", 1.5, "kWh"),
        ("plug", "power.total", 0.06, "kW"),
    ]
    first, second = talk.proposals()
    assert (first.device, first.register, first.commodity, first.unit, first.manufacturer, first.model) == (
        "plug", "energy.total", "electricity", "Wh", "ACME", "P1",
    )  # fmt: skip
    assert (second.register, second.kind) == ("power.total", "gauge")


def test_an_undescribed_device_is_read_by_the_documented_units_alone(talk: Talk) -> None:
    payload = {"energy": 0.66, "power": 49.6, "voltage": 3000, "current": 2, "temperature": 20, "water": 7}
    assert talk.readings("zigbee2mqtt/cellar/SP600", payload) == [
        ("cellar/SP600", "energy.total", 0.66, "kWh"),
        ("cellar/SP600", "power.total", 0.0496, "kW"),
    ]


def test_nested_features_directions_and_phases_have_registers_of_their_own(talk: Talk) -> None:
    meter = device(
        ENERGY,
        {"type": "numeric", "property": "produced_energy", "unit": "kWh", "access": 1},
        {"type": "numeric", "property": "energy_phase_b", "unit": "kWh", "access": 1},
        {"type": "numeric", "property": "energy_today", "unit": "kWh", "access": 1},
        {"type": "numeric", "property": "limit", "unit": "kWh", "access": 7},
        {"type": "switch", "features": [{"type": "binary", "property": "state"}, POWER]},
        {"type": "composite", "property": "water", "features": [
            {"type": "numeric", "property": "total", "unit": "m³", "access": 1}]},
        {"type": "numeric", "property": "battery", "unit": "%", "access": 1},
        {"type": "numeric", "property": "device_temperature", "unit": "°C", "access": 1, "category": "diagnostic"},
    )  # fmt: skip
    devices(talk, meter)
    state = {
        "energy": 1, "produced_energy": 2, "energy_phase_b": 3, "energy_today": 4, "limit": 5, "power": 6,
        "water": {"total": 7}, "battery": 8, "device_temperature": 9,
    }  # fmt: skip
    assert talk.readings("zigbee2mqtt/plug", state) == [
        ("plug", "energy.total", 1.0, "kWh"),
        ("plug", "energy.export", 2.0, "kWh"),
        ("plug", "energy.total/l2", 3.0, "kWh"),
        ("plug", "power.total", 0.006, "kW"),
        ("plug", "volume.total", 7.0, "m³"),
    ]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("zigbee2mqtt/bridge/state", "online", "bridge"),
        ("zigbee2mqtt/bridge/logging", {"level": "info", "energy": 1}, "bridge"),
        ("zigbee2mqtt/plug/availability", {"state": "online"}, "availability"),
        ("zigbee2mqtt/a/b/availability", "offline", "availability"),
        ("zigbee2mqtt/plug/set", {"energy": 5}, "command"),
        ("zigbee2mqtt/plug/set/state", "ON", "command"),
        ("zigbee2mqtt/plug/get", {"power": ""}, "command"),
        ("zigbee2mqtt/button1", {"action": "single"}, "no_value"),
        ("zigbee2mqtt/button1/action", "single", "no_meter_value"),
        ("zigbee2mqtt/lamps", {"state": "ON", "energy": 5, "power": 3}, "group"),
        ("zigbee2mqtt/thermometer", {"battery": 7, "energy": 3}, "no_meter_value"),
        ("zigbee2mqtt/gone", "", "removed"),
    ],
)
def test_what_is_no_state_of_a_meter_is_ignored(talk: Talk, topic: str, payload: object, reason: str) -> None:
    battery = {"type": "numeric", "property": "battery", "unit": "%", "access": 1}
    devices(talk, device(ENERGY), device(battery, name="thermometer"))
    assert talk.say("zigbee2mqtt/bridge/groups", [{"id": 1, "friendly_name": "lamps", "members": []}]) == {
        "ignored": "description"
    }
    assert talk.say(topic, payload) == {"ignored": reason}


def test_a_state_with_the_devices_time_is_of_that_time(talk: Talk) -> None:
    for last_seen in ("2026-03-05T11:00:00+01:00", 1772704800000, "2026-03-05T10:00:00Z"):
        (reading,) = talk.say("zigbee2mqtt/plug", {"energy": 1, "last_seen": last_seen})["readings"]
        assert reading["at"] == "2026-03-05T10:00:00Z"
    for nothing in (None, "N/A", "2026-03-05T10:00:00", 5):
        (reading,) = talk.say("zigbee2mqtt/plug", {"energy": 1, "last_seen": nothing})["readings"]
        assert reading["at"] is None


def test_attributes_may_have_topics_of_their_own(talk: Talk) -> None:
    assert talk.readings("zigbee2mqtt/plug/energy", "0.5") == [("plug", "energy.total", 0.5, "kWh")]
    devices(talk, device({**ENERGY, "unit": "Wh"}, name="a/b"))
    assert talk.readings("zigbee2mqtt/a/b/energy", "500") == [("a/b", "energy.total", 0.5, "kWh")]
    assert talk.say("zigbee2mqtt/a/b/linkquality", "80") == {"ignored": "no_meter_value"}


def test_devices_that_are_renamed_or_leave_are_forgotten(talk: Talk) -> None:
    devices(talk, device(ENERGY), device(ENERGY, name="other"))
    talk.told()
    renamed = device({**ENERGY, "unit": "Wh"}, friendly_name="sklep")
    devices(talk, renamed)
    assert talk.readings("zigbee2mqtt/sklep", {"energy": 500}) == [("sklep", "energy.total", 0.5, "kWh")]
    told = talk.told()
    assert [p.device for p in told.proposals] == ["sklep"]
    assert set(told.described_by) == {"zigbee2mqtt/bridge/devices#0xplug", "zigbee2mqtt/bridge/devices#0xother"}
    assert [d.topic for d in told.descriptions] == ["zigbee2mqtt/bridge/devices"]


def test_the_coordinator_and_devices_without_definition_propose_nothing(talk: Talk) -> None:
    coordinator = {"ieee_address": "0x0", "friendly_name": "Coordinator", "type": "Coordinator", "definition": None}
    devices(talk, coordinator, {"ieee_address": "0x1", "friendly_name": "new", "type": "Router", "definition": None})
    assert talk.proposals() == ()
    assert talk.readings("zigbee2mqtt/new", {"energy": 1}) == [("new", "energy.total", 1.0, "kWh")]


def test_base_topics_are_a_setting() -> None:
    talk = Talk(Zigbee2MqttProfile(roots=("z2m/north", "z2m/south")))
    assert talk.router.filters == ("z2m/north/#", "z2m/south/#")
    assert talk.say("z2m/south/bridge/devices", [device({**ENERGY, "unit": "Wh"})]) == {"ignored": "description"}
    assert talk.readings("z2m/south/plug", {"energy": 500}) == [("plug", "energy.total", 0.5, "kWh")]
    assert talk.readings("z2m/north/plug", {"energy": 500}) == [("plug", "energy.total", 500.0, "kWh")]
    assert talk.say("zigbee2mqtt/plug", {"energy": 5})["rejected"].startswith("no_profile")


@pytest.mark.parametrize("payload", ["{", "{}", "5", b"\xff"])
def test_a_list_of_devices_that_is_none_is_rejected(talk: Talk, payload: object) -> None:
    assert talk.say("zigbee2mqtt/bridge/devices", payload)["rejected"].startswith("description_unreadable")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "property", "unit", "features", "exposes", "definition", "friendly_name", "access"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
def test_no_list_of_devices_makes_it_fail(listed: list[Any]) -> None:
    talk = Talk(Zigbee2MqttProfile())
    devices(talk, *listed, device(*[f for f in listed if isinstance(f, dict)]))
    talk.say("zigbee2mqtt/plug", {"energy": 1, "x": listed})
    talk.told()
