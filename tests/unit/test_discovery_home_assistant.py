import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decode import vectors_of
from app.profiles import all_profiles
from app.vector_score import score
from core.notes import Proposal
from ingest.discovery.home_assistant import HomeAssistantProfile
from ingest.profile import Profile, Router
from tests.unit.discovery_talk import Talk

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "ha_discovery.json"
CONFIG = {
    "name": "Celkem",
    "unique_id": "acme_0042_total",
    "state_topic": "acme/sklep",
    "value_template": "{{ value_json.total_m3 }}",
    "unit_of_measurement": "m³",
    "device_class": "water",
    "state_class": "total_increasing",
    "device": {
        "identifiers": ["acme_0042"],
        "name": "Vodoměr",
        "manufacturer": "ACME",
        "model": "W",
        "hw_version": "0042",
    },
}
TOPIC = "homeassistant/sensor/acme/0042_total_m3/config"


@pytest.fixture
def talk() -> Talk:
    return Talk(HomeAssistantProfile())


def config(**changes: object) -> dict[str, Any]:
    made = {**CONFIG, **changes}
    return {name: value for name, value in made.items() if value is not None}


def only(talk: Talk) -> Proposal:
    (proposal,) = talk.proposals()
    return proposal


def test_a_described_state_is_read(talk: Talk) -> None:
    assert talk.say("acme/sklep", {"total_m3": 1.5})["rejected"].startswith("no_profile")
    assert talk.say(TOPIC, CONFIG, retained=True) == {"ignored": "description"}
    assert talk.readings("acme/sklep", {"total_m3": 1.5, "rssi": -80}) == [("0042", "volume.total", 1.5, "m³")]
    proposal = only(talk)
    assert (proposal.device, proposal.register, proposal.commodity, proposal.unit, proposal.kind) == (
        "0042", "volume.total", "cold_water", "m³", "cumulative",
    )  # fmt: skip
    assert (proposal.name, proposal.manufacturer, proposal.model) == ("Celkem", "ACME", "W")
    assert (proposal.topic, proposal.description, proposal.read, proposal.flags) == ("acme/sklep", TOPIC, True, ())


def test_abbreviations_and_the_base_topic_are_known(talk: Talk) -> None:
    short = {
        "~": "solar/1161",
        "stat_t": "~/0/yieldtotal",
        "avty_t": "~/online",
        "uniq_id": "1161_YieldTotal",
        "unit_of_meas": "kWh",
        "dev_cla": "energy",
        "stat_cla": "total_increasing",
        "dev": {"ids": "1161", "mf": "OpenDTU", "name": "Střecha"},
    }
    talk.say("homeassistant/sensor/dtu_1161/YieldTotal/config", short)
    assert talk.readings("solar/1161/0/yieldtotal", "465.294") == [("1161", "energy.total", 465.294, "kWh")]
    assert only(talk).commodity == "pv"
    assert talk.say("solar/1161/online", "1") == {"ignored": "availability"}


def test_a_device_describes_several_components_at_once(talk: Talk) -> None:
    device = {
        "dev": {"ids": ["meter_777"], "sn": "777", "name": "Elektroměr"},
        "o": {"name": "x"},
        "state_topic": "m/777/state",
        "cmps": {
            "777_import": {"p": "sensor", "dev_cla": "energy", "stat_cla": "total", "unit_of_meas": "Wh",
                           "val_tpl": "{{ value_json['1.8.0'] }}"},
            "777_export": {"p": "sensor", "dev_cla": "energy", "stat_cla": "total", "unit_of_meas": "kWh",
                           "val_tpl": "{{ value_json['2.8.0'] | float / 1000 }}"},
            "777_power": {"p": "sensor", "dev_cla": "power", "stat_cla": "measurement", "unit_of_meas": "W",
                      "stat_t": "m/777/p"},
            "777_seen": {"p": "sensor", "dev_cla": "timestamp", "val_tpl": "{{ value_json.lastseen }}"},
            "777_relay": {"p": "switch", "stat_t": "m/777/relay"},
        },
    }  # fmt: skip
    talk.say("homeassistant/device/777/config", device)
    line = talk.say("m/777/state", {"1.8.0": "1500", "2.8.0": 2500, "lastseen": "2026-03-05T11:00:00+01:00"})
    assert [(r["meter"], r["register"], r["value"], r["at"]) for r in line["readings"]] == [
        ("777", "import", 1.5, "2026-03-05T10:00:00Z"),
        ("777", "export", 2.5, "2026-03-05T10:00:00Z"),
    ]
    assert talk.readings("m/777/p", "250") == [("777", "power.total", 0.25, "kW")]
    assert talk.say("m/777/relay", "ON") == {"ignored": "no_meter_value"}
    assert talk.router.followed == ("m/777/state", "m/777/p")


def test_an_empty_payload_takes_the_description_back(talk: Talk) -> None:
    talk.say(TOPIC, CONFIG)
    assert talk.say(TOPIC, "", retained=True) == {"ignored": "description_removed"}
    assert talk.say("acme/sklep", {"total_m3": 1.5})["rejected"].startswith("no_profile")
    assert talk.router.followed == ()
    told = talk.told()
    assert (told.proposals, told.described_by, told.descriptions[-1].payload) == ((), (TOPIC,), b"")
    assert talk.say(TOPIC, "") == {"ignored": "description_removed"}


def test_a_description_may_be_moved_and_changed_and_keeps_its_register(talk: Talk) -> None:
    talk.say(TOPIC, CONFIG)
    talk.say("homeassistant/device/0042/config", {"components": {"x": {**CONFIG, "platform": "sensor"}}})
    assert talk.readings("acme/sklep", {"total_m3": 2}) == [("0042", "volume.total", 2.0, "m³")]
    talk.say(TOPIC, "")
    assert talk.readings("acme/sklep", {"total_m3": 2}) == [("0042", "volume.total", 2.0, "m³")]


def test_two_values_never_land_on_one_register(talk: Talk) -> None:
    talk.say(TOPIC, CONFIG)
    second = config(unique_id="b", value_template="{{ value_json.other_m3 }}")
    talk.say("homeassistant/sensor/acme/0042_volume/config", second)
    third = config(unique_id="c", value_template="{{ value_json.third_m3 }}")
    talk.say("homeassistant/sensor/acme/total/config", third)
    found = talk.readings("acme/sklep", {"total_m3": 1, "other_m3": 2, "third_m3": 3})
    registers = [register for _, register, _, _ in found]
    assert registers[0] == "volume.total"
    assert len(set(registers)) == 3
    talk.say(TOPIC, CONFIG)
    assert [r for _, r, _, _ in talk.readings("acme/sklep", {"total_m3": 1, "other_m3": 2, "third_m3": 3})] == registers


@pytest.mark.parametrize(
    "identifiers", ["x", ["serial_9", 7], [], None, {"a": 1}, [None], ["\x00"], ["y" * 300], [" "]]
)
def test_any_device_gets_some_id(talk: Talk, identifiers: object) -> None:
    talk.say(TOPIC, config(device={"identifiers": identifiers}))
    ((meter, _, _, _),) = talk.readings("acme/sklep", {"total_m3": 1})
    assert meter == {"x": "x", "['serial_9', 7]": "serial_9"}.get(str(identifiers), "acme")


@pytest.mark.parametrize(
    ("device", "meter"),
    [
        ({"ids": ["meter_33"], "sn": "33", "hw": "1.0"}, "33"),
        ({"ids": ["wm_33"], "hw": "33"}, "33"),
        ({"ids": ["gateway"], "sn": "33"}, "gateway"),
        ({"ids": ["a33"], "sn": "33"}, "a33"),
        ({"ids": 33}, "33"),
        ({"cns": [["mac", "02:5b:26"]]}, "02:5b:26"),
    ],
)
def test_a_serial_number_names_the_meter_where_an_identifier_says_it_too(
    talk: Talk, device: object, meter: str
) -> None:
    talk.say(TOPIC, config(device=device))
    assert talk.readings("acme/sklep", {"total_m3": 1})[0][0] == meter


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state_class": "measurement"}, "no_dial"),
        ({"name": "Last month"}, "period_counter"),
        ({"value_template": "{{ value_json.target_m3 }}"}, "period_counter"),
        ({"state_class": "total", "last_reset_value_template": "{{ value_json.reset }}"}, "period_counter"),
        ({"value_template": "{{ value_json.a or value_json.b }}"}, "template_refused"),
        ({"unit_of_measurement": "W", "value_template": "{{ value_json.v }}"}, "unit_contradicts"),
        ({"unit_of_measurement": "l"}, "name_contradicts"),
        ({"unit_of_measurement": "bucket"}, "unit_unknown"),
    ],
)
def test_what_is_no_dial_or_contradicts_itself_is_not_stored(
    talk: Talk, changes: dict[str, object], reason: str
) -> None:
    talk.say(TOPIC, config(**changes))
    assert talk.say("acme/sklep", {"total_m3": 1, "target_m3": 1, "a": 1}) == {"ignored": reason}
    flagged = [p.flags for p in talk.proposals()]
    assert flagged == ([] if reason in {"no_dial", "period_counter"} else [(reason,)])
    assert talk.router.followed == ()


def test_a_reset_that_never_comes_is_none(talk: Talk) -> None:
    talk.say(TOPIC, config(state_class="total", last_reset_value_template="1970-01-01T00:00:00+00:00"))
    assert talk.readings("acme/sklep", {"total_m3": 1})[0][1] == "volume.total"


def test_a_value_without_unit_comes_out_without(talk: Talk) -> None:
    talk.say(TOPIC, config(unit_of_measurement=None))
    assert talk.readings("acme/sklep", {"total_m3": 7}) == [("0042", "volume.total", 7.0, None)]
    proposal = only(talk)
    assert (proposal.register, proposal.unit, proposal.flags) == ("unstated.volume.total", "", ("unit_unstated",))


@pytest.mark.parametrize(
    "changes",
    [
        {"entity_category": "diagnostic"},
        {"device_class": "battery", "unit_of_measurement": "%"},
        {"device_class": "energy_storage", "unit_of_measurement": "kWh"},
        {"device_class": "monetary", "unit_of_measurement": "CZK"},
        {"device_class": None, "unit_of_measurement": "dBm"},
    ],
)
def test_what_is_no_value_of_a_meter_is_known_and_passes(talk: Talk, changes: dict[str, object]) -> None:
    talk.say(TOPIC, config(**changes))
    assert talk.say("acme/sklep", {"total_m3": 1}) == {"ignored": "no_meter_value"}
    assert talk.proposals() == ()


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        ({"other": 1}, "no_value"),
        ({"total_m3": None}, "no_value"),
        ({"total_m3": "unavailable"}, "no_value"),
        ("offline", "no_value"),
        ("unknown", "no_value"),
        ("", "removed"),
    ],
)
def test_a_state_without_the_value_says_nothing(talk: Talk, payload: object, outcome: str) -> None:
    talk.say(TOPIC, CONFIG)
    assert talk.say("acme/sklep", payload) == {"ignored": outcome}


@pytest.mark.parametrize("payload", ["{broken", {"total_m3": "mnoho"}, {"total_m3": [1]}, b"\xff", {"total_m3": True}])
def test_a_state_that_cannot_be_read_is_rejected_with_its_place(talk: Talk, payload: object) -> None:
    talk.say(TOPIC, CONFIG)
    assert talk.say("acme/sklep", payload)["rejected"].startswith(("malformed", "total_m3: value_unreadable"))


@pytest.mark.parametrize(
    "payload", ["{", "[]", "5", {"components": {}}, b"\xff\xfe", {"state_topic": 5}, {"~": 1, "state_topic": "~x"}]
)
def test_a_description_that_says_nothing_is_rejected_or_passes(talk: Talk, payload: object) -> None:
    for topic in (TOPIC, "homeassistant/device/x/config"):
        line = talk.say(topic, payload)
        assert line == {"ignored": "description"} or line["rejected"].startswith("description_unreadable")


def test_the_prefix_is_a_setting(talk: Talk) -> None:
    other = Talk(HomeAssistantProfile(prefix="ha/objevy"))
    assert other.router.filters == ("ha/objevy/+/+/config", "ha/objevy/+/+/+/config")
    other.say("ha/objevy/sensor/x/config", CONFIG)
    assert other.readings("acme/sklep", {"total_m3": 1})[0][0] == "0042"
    assert other.say(TOPIC, CONFIG)["rejected"].startswith("no_profile")
    assert talk.say("homeassistant/sensor/config", CONFIG)["rejected"].startswith("no_profile")


def test_topics_that_a_filter_covers_are_not_followed() -> None:
    profiles: list[Profile] = all_profiles(None, site="Europe/Prague")
    talk = Talk(*profiles)
    talk.say(TOPIC, config(state_topic="wmbusmeters/Sklep"))
    talk.say("homeassistant/sensor/b/x/config", config(unique_id="b", state_topic="cellar/water"))
    assert talk.router.followed == ("cellar/water",)


def test_a_format_goes_before_discovery_so_that_nothing_is_read_twice() -> None:
    talk = Talk(*all_profiles(None, site="Europe/Prague"))
    talk.say(TOPIC, config(state_topic="wmbusmeters/Sklep"))
    state = {
        "media": "water",
        "meter": "x",
        "name": "S",
        "id": "0042",
        "total_m3": 1.5,
        "timestamp": "2026-03-05T10:00:00Z",
    }
    (reading,) = talk.say("wmbusmeters/Sklep", state)["readings"]
    assert reading["profile"] == "wmbusmeters"
    aside = Talk(*all_profiles(None, site="Europe/Prague", without=["wmbusmeters"]))
    aside.say(TOPIC, config(state_topic="wmbusmeters/Sklep"))
    (reading,) = aside.say("wmbusmeters/Sklep", state)["readings"]
    assert (reading["profile"], reading["meter"], reading["value"]) == ("home_assistant", "0042", 1.5)


def test_a_repeated_description_is_told_once(talk: Talk) -> None:
    talk.say(TOPIC, CONFIG)
    assert len(talk.told().descriptions) == 1
    talk.say(TOPIC, CONFIG)
    assert talk.told() == ((), (), ())


@given(
    st.dictionaries(
        st.sampled_from(sorted({*CONFIG, "~", "dev", "components", "availability", "stat_t", "cmps", "val_tpl"})),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=8,
        ),
    ),
    st.sampled_from([TOPIC, "homeassistant/device/x/config"]),
)
def test_no_description_makes_it_fail(changes: dict[str, Any], topic: str) -> None:
    talk = Talk(HomeAssistantProfile())
    line = talk.say(topic, {**CONFIG, **changes})
    assert set(line) <= {"ignored", "rejected"}
    talk.say("acme/sklep", {"total_m3": 1})
    talk.told()


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors are not beside this folder")
def test_vectors_are_read_by_discovery_alone_where_no_format_knows_them() -> None:
    """What is missing is a template that chooses, and two snapshots that the descriptions call totals."""
    vectors = vectors_of(VECTORS)
    talk = Talk(HomeAssistantProfile())
    lines = []
    for vector in vectors:
        for described in vector["discovery"]:
            assert set(talk.say(described["topic"], described["payload"])) == {"ignored"}
        lines.append(talk.say(vector["topic"], vector["payload"]))
    found = score("alone", vectors, lines)
    assert (found.wrong, found.required) == (0, 18)
    missing = {json.dumps(note.split("'field': '")[1].split("'")[0]) for note in found.notes if "missing" in note}
    chosen = {'"total_energy_consumption_kwh"', '"total_energy_production_kwh"'}
    assert missing == chosen | {'"target_m3"', '"last_month_total_m3"'}


def test_the_router_asks_profiles_anew_when_they_learn() -> None:
    profile = HomeAssistantProfile()
    router = Router([profile])
    assert (router.candidates("acme/sklep"), router.describes(TOPIC)) == ((), True)
    Talk(profile)
    assert router.learnt == 1
