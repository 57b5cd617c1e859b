"""What RecordStore promises of descriptions and proposals, held against SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.notes import Description, InboxItem, Proposal
from core.ports import RecordStore
from storage import records_described
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def description(topic: str = "homeassistant/sensor/a/config", **changes: object) -> Description:
    plain = Description(profile="home_assistant", topic=topic, payload=b'{"a":1}', seen=NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


def proposal(**changes: object) -> Proposal:
    plain = Proposal(
        device="d-1",
        register="energy.total",
        commodity="electricity",
        unit="kWh",
        kind="cumulative",
        name="Celková energie",
        manufacturer="ACME",
        model="E1",
        profile="home_assistant",
        description="homeassistant/sensor/a/config",
        entity="a",
        topic="acme/a",
        flags=("kind_inferred",),
        first_seen=NOW,
        last_seen=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_descriptions_are_kept_one_a_topic_in_the_order_of_their_first_arrival(store: RecordStore) -> None:
    store.keep_descriptions([description("b"), description("a", payload=b"old"), description("a", payload=b"\x00\xff")])
    store.keep_descriptions([description("b", payload=b"new", seen=NOW + HOUR), description("c")])
    assert store.descriptions() == [
        description("b", payload=b"new", seen=NOW + HOUR),
        description("a", payload=b"\x00\xff"),
        description("c"),
    ]


def test_an_empty_description_is_forgotten_and_unknown_ones_are_passed_over(store: RecordStore) -> None:
    store.keep_descriptions([description("a"), description("b")])
    store.keep_descriptions([description("a", payload=b""), description("z", payload=b"")])
    store.keep_descriptions([])
    assert [d.topic for d in store.descriptions()] == ["b"]


def test_descriptions_are_bounded_by_when_they_were_seen(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_described, "MOST_DESCRIPTIONS", 3)
    store.keep_descriptions([description(f"t/{n}", seen=NOW + n * HOUR) for n in (4, 1, 3, 2)])
    assert [d.topic for d in store.descriptions()] == ["t/4", "t/3", "t/2"]


def test_proposals_take_the_place_of_what_the_same_description_proposed(store: RecordStore) -> None:
    store.propose(["x"], [proposal(description="x"), proposal(description="x", register="volume.total", unit="m³")])
    store.propose(["y"], [proposal(description="y", device="d-0")])
    store.propose(["x"], [proposal(description="x", name="E", first_seen=NOW + HOUR, last_seen=NOW + HOUR)])
    assert store.proposals() == [
        proposal(description="y", device="d-0"),
        proposal(description="x", name="E", last_seen=NOW + HOUR),
    ]
    store.propose(["x", "unknown"], [])
    assert [p.device for p in store.proposals()] == ["d-0"]


def test_a_series_is_proposed_once_by_whoever_described_it_last(store: RecordStore) -> None:
    store.propose(["x"], [proposal(description="x")])
    store.propose(["y"], [proposal(description="y", first_seen=NOW + HOUR), proposal(description="y", name="last")])
    assert store.proposals() == [proposal(description="y", name="last")]


def test_odd_characters_of_descriptions_are_kept_all_the_same(store: RecordStore) -> None:
    store.propose(["t\x00"], [proposal(description="t\x00", name="a\x00\ud800", flags=())])
    (kept,) = store.proposals()
    assert (kept.name, kept.flags, kept.read) == ("a\\x00\\ud800", (), True)


def test_proposals_are_bounded_by_when_they_were_seen(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_described, "MOST_PROPOSALS", 2)
    said = [proposal(device=f"d-{n}", description=f"t/{n}", last_seen=NOW + n * HOUR) for n in (3, 1, 2)]
    store.propose([p.description for p in said], said)
    assert [p.device for p in store.proposals()] == ["d-2", "d-3"]


def test_writers_of_proposals_do_not_disturb_each_other(store: RecordStore) -> None:
    def describe(n: int) -> None:
        for m in range(10):
            store.keep_descriptions([description(f"t/{m}", payload=str(n).encode())])
            store.propose([f"t/{m}"], [proposal(device=f"d-{m}", description=f"t/{m}", model=str(n))])

    at_once(*(lambda n=n: describe(n) for n in range(4)))
    assert [d.topic for d in store.descriptions()] == [f"t/{m}" for m in range(10)]
    assert [p.device for p in store.proposals()] == [f"d-{m}" for m in range(10)]


def test_single_registers_leave_the_inbox(store: RecordStore) -> None:
    item = InboxItem(
        device="d", register="a", unit="", first_seen=NOW, last_seen=NOW, count=1, last_value=1.0, topic="t"
    )
    store.see([replace(item, device=d, register=r) for d in ("d", "e") for r in ("a", "b")])
    store.leave_inbox(["d", "unknown"], registers=["a", "z"])
    assert [(i.device, i.register) for i in store.inbox()] == [("d", "b"), ("e", "a"), ("e", "b")]
