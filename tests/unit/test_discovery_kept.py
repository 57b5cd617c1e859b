"""What is learnt is bounded, survives a restart, and is known before the messages that it describes."""

import json
from datetime import UTC, datetime

import pytest

from core.calendar import instant, micros
from core.readings import Readings
from ingest.accept import Bounds
from ingest.descriptions import Descriptions
from ingest.discovery import book
from ingest.discovery.home_assistant import HomeAssistantProfile
from ingest.message import Message
from ingest.mqtt import Following
from ingest.profile import Router
from ingest.reader import Reader
from tests.servers.threads import at_once
from tests.unit.discovery_talk import Talk
from tests.unit.ingest_fakes import ListedSource, MemoryRecords

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
TOPIC = "homeassistant/sensor/n1/total/config"


def config(number: int = 1, **changes: object) -> bytes:
    made = {
        "state_topic": f"acme/{number}",
        "unit_of_measurement": "kWh",
        "device_class": "energy",
        "state_class": "total",
        "device": {"ids": f"d{number}"},
    }
    return json.dumps(made | changes).encode()


def message(topic: str, payload: bytes, *, retained: bool = False) -> Message:
    return Message(topic=topic, payload=payload, received=int(micros(instant(NOW))), retained=retained)


def nothing(_series: object) -> Readings:
    return Readings.empty()


def reader() -> Reader:
    return Reader(Router([HomeAssistantProfile()]), bounds=Bounds())


def test_descriptions_are_read_before_what_they_describe_in_whatever_order_they_come() -> None:
    batch = [message("acme/1", b"5"), message(TOPIC, config(), retained=True), message("acme/1", b"6")]
    outcome = reader().read(batch, now=instant(NOW), latest=nothing)
    assert outcome.rejects == []
    assert outcome.readings.value.tolist() == [5.0, 6.0]
    assert outcome.message.tolist() == [0, 2]


def test_what_is_learnt_is_kept_and_known_again_before_any_message() -> None:
    records = MemoryRecords()
    first = reader()
    kept = Descriptions(first.router, records)  # type: ignore[arg-type]
    first.read([message(TOPIC, config())], now=instant(NOW), latest=nothing)
    kept.keep()
    assert [p.device for p in records.proposed] == ["d1"]
    again = reader()
    recalled = Descriptions(again.router, records)  # type: ignore[arg-type]
    recalled.recall()
    source = ListedSource()
    recalled.follow(source)
    assert source.followed == ("acme/1",)
    outcome = again.read([message("acme/1", b"5")], now=instant(NOW), latest=nothing)
    assert outcome.readings.value.tolist() == [5.0]
    recalled.keep()
    assert len(records.proposed) == 1


def test_a_description_taken_back_is_forgotten_for_good() -> None:
    records = MemoryRecords()
    first = reader()
    kept = Descriptions(first.router, records)  # type: ignore[arg-type]
    for payload in (config(), b""):
        first.read([message(TOPIC, payload, retained=True)], now=instant(NOW), latest=nothing)
        kept.keep()
    assert (records.descriptions(), records.proposed) == ([], [])
    again = reader()
    Descriptions(again.router, records).recall()  # type: ignore[arg-type]
    assert again.router.followed == ()


def test_what_could_not_be_kept_is_kept_the_next_time() -> None:
    records = MemoryRecords()
    first = reader()
    kept = Descriptions(first.router, records)  # type: ignore[arg-type]
    first.read([message(TOPIC, config())], now=instant(NOW), latest=nothing)
    records.down = True
    with pytest.raises(Exception, match="switched off"):
        kept.keep()
    first.read([message(TOPIC, config(name="x"))], now=instant(NOW), latest=nothing)
    records.down = False
    kept.keep()
    assert [(p.device, p.name) for p in records.proposed] == [("d1", "x")]
    assert [d.payload for d in records.descriptions()] == [config(name="x")]


def test_topics_followed_by_a_former_run_and_described_no_more_are_let_go() -> None:
    records = MemoryRecords()
    records.texts["mqtt/followed/listed"] = json.dumps(["old/topic"])
    first = reader()
    kept = Descriptions(first.router, records)  # type: ignore[arg-type]
    source = ListedSource()
    first.read([message(TOPIC, config())], now=instant(NOW), latest=nothing)
    kept.follow(source)
    assert (source.followed, source.former) == (("acme/1",), ("old/topic",))
    assert json.loads(records.texts["mqtt/followed/listed"]) == ["acme/1", "old/topic"]
    source.followed = ()
    kept.follow(source)
    assert source.followed == ()  # nothing new was learnt


def test_a_book_that_is_full_refuses_and_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = HomeAssistantProfile()
    monkeypatch.setattr(profile, "_book", book.Book(most=2))
    talk = Talk(profile)
    for number in (1, 2):
        assert talk.say(f"homeassistant/sensor/n{number}/total/config", config(number)) == {"ignored": "description"}
    refused = talk.say("homeassistant/sensor/n3/total/config", config(3))
    assert refused["rejected"].startswith("too_many_descriptions")
    assert talk.readings("acme/1", "5")[0][0] == "d1"
    assert talk.say("homeassistant/sensor/n1/total/config", config(1, name="x")) == {"ignored": "description"}
    talk.say("homeassistant/sensor/n2/total/config", "")
    assert talk.say("homeassistant/sensor/n3/total/config", config(3)) == {"ignored": "description"}


def test_a_gauge_of_a_device_that_counts_nothing_is_read_but_not_followed() -> None:
    talk = Talk(HomeAssistantProfile())
    room = {"unit_of_measurement": "°C", "device_class": "temperature", "state_class": "measurement"}
    talk.say(TOPIC, config(**room))
    assert talk.router.followed == ()
    assert talk.readings("acme/1", "21.5") == [("d1", "temperature.total", 21.5, "°C")]
    talk.say("homeassistant/sensor/n1/energy/config", config(state_topic="acme/1/energy"))
    assert talk.router.followed == ("acme/1", "acme/1/energy")


def test_topics_are_asked_for_while_another_thread_learns() -> None:
    profile = HomeAssistantProfile()
    router = Router([profile])

    def learn(first: int) -> None:
        for n in range(first, first + 300):
            profile.decode([message(f"homeassistant/sensor/n{n}/total/config", config(n))])

    def ask() -> None:
        for _ in range(100):
            assert len(router.followed) <= 600
            profile.told()

    at_once(lambda: learn(0), lambda: learn(300), ask)
    assert len(router.followed) == 600


def test_what_is_followed_is_what_no_filter_covers_and_what_is_gone_is_remembered_until_it_is_named_again() -> None:
    first = Following().then(["a/b", "c", "d/e"], ["old", "c"], ["d/#"])
    assert (first.topics, first.gone) == ({"a/b", "c"}, {"old"})
    then = first.then(["c", "old"], [], ["d/#"])
    assert (then.topics, then.gone) == ({"c", "old"}, {"a/b"})
