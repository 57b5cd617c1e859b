import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.discovery.homie import HomieProfile
from tests.unit.discovery_talk import Talk

DESCRIPTION = {
    "homie": "5.0",
    "version": 7,
    "name": "Hlavní elektroměr",
    "nodes": {
        "meter": {
            "name": "Meter",
            "properties": {
                "energy": {"name": "Total energy", "datatype": "float", "unit": "kWh"},
                "energy-returned": {"datatype": "float", "unit": "kWh"},
                "power": {"datatype": "float", "unit": "kW"},
                "today": {"name": "Today", "datatype": "float", "unit": "kWh"},
                "limit": {"datatype": "float", "unit": "kWh", "settable": True},
                "mode": {"datatype": "enum", "format": "a,b", "unit": "kWh"},
                "pulses": {"datatype": "integer", "unit": "#"},
            },
        }
    },
}


@pytest.fixture
def talk() -> Talk:
    return Talk(HomieProfile())


def describe(talk: Talk, device: str = "homie/sdm-1", **of: dict[str, str]) -> None:
    for path, attributes in of.items():
        for name, text in attributes.items():
            line = talk.say(f"{device}/{path.replace('__', '/')}/${name}", text, retained=True)
            assert line == {"ignored": "description"}


def test_attributes_of_homie_3_and_4_describe_properties_in_any_order(talk: Talk) -> None:
    topic = "homie/sdm-1/meter/import"
    assert talk.say(topic, "1.5")["rejected"].startswith("undescribed")
    assert talk.say("homie/sdm-1/$name", "SDM 1") == {"ignored": "description"}
    describe(talk, meter__import={"unit": "kWh", "datatype": "float", "name": "Import"}, meter__power={"unit": "W"})
    assert talk.readings(topic, "123.456") == [("sdm-1", "energy.import", 123.456, "kWh")]
    assert talk.readings("homie/sdm-1/meter/power", "250") == [("sdm-1", "power.total", 0.25, "kW")]
    proposed = {p.register: p for p in talk.proposals()}
    assert proposed["energy.import"].flags == ("kind_inferred",)
    assert (proposed["energy.import"].unit, proposed["energy.import"].name) == ("kWh", "Import")


def test_homie_5_describes_a_device_at_once(talk: Talk) -> None:
    assert talk.say("homie/5/m1/$description", DESCRIPTION, retained=True) == {"ignored": "description"}
    found = [talk.say(f"homie/5/m1/meter/{name}", "7") for name in DESCRIPTION["nodes"]["meter"]["properties"]]  # type: ignore[index]
    assert [line.get("ignored") for line in found] == [
        None, None, None, "period_counter", "no_meter_value", "no_meter_value", None,
    ]  # fmt: skip
    read = [r for line in found for r in line.get("readings", [])]
    assert [(r["meter"], r["quantity"], r["register"], r["value"], r["unit"]) for r in read] == [
        ("m1", "energy", "total", 7.0, "kWh"),
        ("m1", "energy", "export", 7.0, "kWh"),
        ("m1", "power", "total", 7.0, "kW"),
        ("m1", "pulse_count", "total", 7.0, "pulse"),
    ]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("homie/5/m1/$state", "lost", "device_lost"),
        ("homie/5/m1/$state", "disconnected", "device_disconnected"),
        ("homie/5/m1/$state", "strange", "device_state"),
        ("homie/5/m1/$state", "", "description_removed"),
        ("homie/sdm-1/$state", "ready", "device_ready"),
        ("homie/sdm-1/$stats/uptime", "5", "device_attribute"),
        ("homie/sdm-1/$fw/name", "x", "device_attribute"),
        ("homie/$broadcast/alert", "x", "broadcast"),
        ("homie/5/$broadcast/alert", "x", "broadcast"),
        ("homie/5/m1/meter/energy/set", "5", "command"),
        ("homie/5/m1/meter/energy/$target", "5", "device_attribute"),
        ("homie/5/m1/$log/warn", "x", "device_attribute"),
        ("homie/sdm-1", "x", "no_meter_value"),
        ("homie/sdm-1/meter", "x", "no_meter_value"),
    ],
)
def test_what_is_no_value_is_ignored(talk: Talk, topic: str, payload: str, reason: str) -> None:
    talk.say("homie/5/m1/$description", DESCRIPTION)
    assert talk.say(topic, payload) == {"ignored": reason}


def test_a_device_that_is_removed_is_forgotten(talk: Talk) -> None:
    talk.say("homie/5/m1/$description", DESCRIPTION)
    talk.say("homie/5/m1/$state", "", retained=True)
    assert talk.say("homie/5/m1/meter/energy", "7")["rejected"].startswith("undescribed")
    assert talk.proposals() == ()
    describe(talk, meter__import={"unit": "kWh", "datatype": "float"})
    for name in ("unit", "datatype"):
        assert talk.say(f"homie/sdm-1/meter/import/${name}", "") == {"ignored": "description_removed"}
    assert talk.say("homie/sdm-1/meter/import", "7")["rejected"].startswith("undescribed")


def test_an_old_value_without_description_is_no_dead_letter() -> None:
    """It could not be told from a value read before in any case, and comes again after every subscription."""
    from ingest.message import Message  # noqa: PLC0415 - only here

    profile = HomieProfile()
    message = Message(topic="homie/a/b/c", payload=b"7", received=0, retained=True)
    decoded = profile.decode([message])
    assert [i.reason for i in decoded.ignored] == ["undescribed"]


def test_nodes_tell_properties_of_one_name_apart(talk: Talk) -> None:
    describe(
        talk,
        channel1__energy={"unit": "kWh"},
        channel2__energy={"unit": "kWh"},
        boiler__energy={"unit": "kWh"},
    )
    topics = [f"homie/sdm-1/{node}/energy" for node in ("channel1", "channel2", "boiler")]
    registers = [talk.readings(topic, "1")[0][1] for topic in topics]
    assert registers == ["energy.total/c1", "energy.total/c2", "energy.boiler"]


@pytest.mark.parametrize("payload", ["{", "[]", "5", b"\xff", {"nodes": 5}, {"nodes": {"a": {"properties": {"b": 1}}}}])
def test_a_description_that_is_none_is_rejected_or_says_nothing(talk: Talk, payload: object) -> None:
    line = talk.say("homie/5/m1/$description", payload)
    assert line == {"ignored": "description"} or line["rejected"].startswith("description_unreadable")
    assert talk.proposals() == ()


def test_the_base_topic_is_a_setting() -> None:
    talk = Talk(HomieProfile(roots=("iot/homie",)))
    assert talk.router.filters == ("iot/homie/#",)
    assert talk.say("iot/homie/5/m1/$description", DESCRIPTION) == {"ignored": "description"}
    assert talk.readings("iot/homie/5/m1/meter/energy", "1")[0][:2] == ("m1", "energy.total")


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=10),
        lambda inner: st.dictionaries(
            st.sampled_from(["nodes", "properties", "unit", "datatype", "name", "settable", "x"]), inner, max_size=4
        ),
        max_leaves=20,
    ),
    st.text(max_size=20),
)
def test_no_description_makes_it_fail(tree: object, text: str) -> None:
    talk = Talk(HomieProfile())
    talk.say("homie/5/m1/$description", {"nodes": {"a": {"properties": {"b": tree}}}})
    talk.say("homie/5/m1/$description", {"nodes": tree})
    for attribute in ("$unit", "$datatype", "$name", "$settable"):
        talk.say(f"homie/d/n/p/{attribute}", text)
    talk.say("homie/d/n/p", text)
    talk.told()
