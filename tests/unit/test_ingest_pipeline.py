"""The chain from backlog to store: what happens when stores are down, refuse, or are told nonsense."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client import generate_latest

from core.calendar import instant, micros
from core.errors import StoreUnavailable
from core.readings import Readings, SeriesKey
from core.registry import Meter
from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.inbox import Inbox
from ingest.intake import PayloadIntake
from ingest.message import Message
from ingest.native import NativeProfile
from ingest.pipeline import BatchSize
from ingest.profile import Decoded, Router, covers, matches, widest
from ingest.reader import Reader
from tests.servers.process import wait_until
from tests.unit.ingest_fakes import NOW, Chain, MemoryReadings, MemoryRecords

TICKETS = iter(range(1, 10**9))


def reading(meter: str, value: float, *, minute: int = 0, topic: str = "odecet/x", **more: object) -> Message:
    at = (NOW - timedelta(days=1) + timedelta(minutes=minute)).isoformat()
    body = {"meter": meter, "at": at, "value": value, "unit": "kWh"}
    return raw(json.dumps(body).encode(), topic, **more)


def raw(payload: bytes, topic: str = "odecet/x", **more: object) -> Message:
    received = int(micros(instant(NOW)))
    return Message(**{"topic": topic, "payload": payload, "received": received, "ticket": next(TICKETS), **more})  # type: ignore[arg-type]


@pytest.fixture
def chain() -> Iterator[Chain]:
    built = Chain()
    built.ingester.start()
    yield built
    built.readings.down = built.records.down = False
    built.ingester.stop()


def settled(chain: Chain, *messages: Message) -> None:
    chain.backlog.put(messages)
    wait_until(lambda: chain.backlog.held().unacked == 0, what="settling")


def test_a_message_is_acknowledged_after_its_reading_is_stored(chain: Chain) -> None:
    chain.readings.down = True
    one = reading("a", 1.0)
    chain.backlog.put([one])
    wait_until(lambda: "switched off" in chain.ingester.status().trouble, what="the trouble to be told")
    assert chain.listed.acked == []
    assert chain.backlog.held().unacked == 1
    chain.readings.down = False
    wait_until(lambda: chain.listed.acked == [one.ticket], what="the acknowledgement")
    assert chain.readings.values("a") == [1.0]
    assert chain.ingester.status().trouble == ""


def test_a_dead_letter_is_kept_before_its_message_is_acknowledged(chain: Chain) -> None:
    chain.records.down = True
    chain.backlog.put([raw(b"nonsense")])
    wait_until(lambda: "records" in chain.ingester.status().trouble, what="the trouble to be told")
    assert chain.listed.acked == []
    chain.records.down = False
    wait_until(lambda: len(chain.listed.acked) == 1, what="the acknowledgement")
    assert [x.reason for x in chain.records.dead] == ["malformed"]


def test_messages_that_a_store_refuses_become_dead_letters_and_the_others_are_stored(chain: Chain) -> None:
    chain.readings.poison = {"bad-1", "bad-2"}
    messages = [reading(f"m{n}", n) for n in range(60)]
    messages[17], messages[41] = reading("bad-1", 1), reading("bad-2", 2)
    settled(chain, *messages)
    assert sorted(x.reason for x in chain.records.dead) == ["store_refused", "store_refused"]
    assert {x.payload for x in chain.records.dead} == {messages[17].payload, messages[41].payload}
    assert len(chain.readings.kept) == 58
    assert sorted(chain.listed.acked) == sorted(m.ticket for m in messages if m.ticket is not None)


def test_a_bug_in_a_store_costs_one_message_not_the_ingester(chain: Chain) -> None:
    chain.readings.poison, chain.readings.error = {"bad"}, TypeError
    settled(chain, reading("good", 1), reading("bad", 2), reading("fine", 3))
    assert [x.reason for x in chain.records.dead] == ["internal"]
    assert chain.readings.values("good") + chain.readings.values("fine") == [1.0, 3.0]


def test_a_dead_letter_that_the_records_refuse_is_kept_in_part(chain: Chain) -> None:
    chain.records.refuse_payload = b"poison \x00"
    settled(chain, raw(b"other"), raw(b"poison \x00"), reading("a", 1))
    assert {x.payload for x in chain.records.dead} == {b"other", ascii(b"poison \x00").encode()}
    assert len(chain.listed.acked) == 3


def test_a_profile_that_fails_on_one_message_loses_only_that_one() -> None:
    class Fragile(NativeProfile):
        def decode(self, messages: Sequence[Message], *, detailed: bool = False) -> Decoded:
            if any(b"boom" in m.payload for m in messages):
                raise ZeroDivisionError("boom")
            return super().decode(messages, detailed=detailed)

    reader = Reader(Router([Fragile()]), bounds=Bounds())
    messages = [reading("a", 1), raw(b"boom"), reading("b", 2)]
    outcome = reader.read(messages, now=instant(NOW), latest=lambda _series: Readings.empty())
    assert outcome.readings.value.tolist() == [1.0, 2.0]
    assert [(r.message, r.reason) for r in outcome.rejects] == [(1, "internal")]


def test_a_large_payload_and_an_unread_topic_are_kept(chain: Chain) -> None:
    settled(chain, raw(b"x" * 2**21), reading("a", 1, topic="elsewhere/a"), raw(b""), raw(b"", retained=True))
    assert sorted(x.reason for x in chain.records.dead) == ["empty", "no_profile", "too_large"]
    assert max(len(x.payload) for x in chain.records.dead) == 2**21


def test_the_backlog_takes_no_more_than_its_bound_while_a_store_is_down() -> None:
    chain = Chain(backlog=Backlog(bound=100), batch=BatchSize(messages=10))
    chain.readings.down = True
    chain.ingester.start()
    chain.backlog.put([reading(f"m{n}", n) for n in range(60)])
    assert chain.backlog.room() == 40
    chain.backlog.put([reading(f"m{n}", n) for n in range(60, 100)])
    assert chain.backlog.room() == 0
    chain.readings.down = False
    wait_until(lambda: chain.backlog.room() == 100, what="room")
    assert len(chain.readings.kept) == 100
    chain.ingester.stop()


def test_bytes_are_bounded_too() -> None:
    backlog = Backlog(bound=100, bound_bytes=1000)
    backlog.put([raw(b"x" * 999)])
    assert backlog.room() == 99
    backlog.put([raw(b"x" * 10_000)])
    assert backlog.room() == 0


def test_stopping_settles_and_acknowledges_what_was_taken() -> None:
    chain = Chain()
    messages = [reading(f"m{n}", n) for n in range(500)]
    chain.ingester.start()
    chain.backlog.put(messages)
    chain.ingester.stop()
    assert len(chain.listed.acked) == 500
    assert len(chain.readings.kept) == 500


def test_stopping_while_a_store_is_down_ends_and_acknowledges_nothing() -> None:
    chain = Chain()
    chain.readings.down = True
    chain.ingester.start()
    chain.backlog.put([reading("a", 1)])
    wait_until(lambda: chain.ingester.status().trouble != "", what="trouble")
    chain.ingester.stop(grace_s=0.2)
    assert chain.listed.acked == []
    assert not chain.ingester.status().running
    chain.ingester.stop()


def test_a_retained_replay_counts_only_where_its_device_time_is_newer(chain: Chain) -> None:
    settled(chain, reading("a", 10, minute=10), reading("b", 5, minute=5))
    timeless = raw(b'{"meter": "c", "value": 1, "unit": "kWh"}', retained=True)
    settled(
        chain, reading("a", 9, minute=9, retained=True), reading("a", 99, minute=10, retained=True),
        reading("b", 6, minute=6, retained=True), timeless, reading("new", 1, retained=True),
    )  # fmt: skip
    assert chain.readings.values("a") == [10.0]
    assert chain.readings.values("b") == [5.0, 6.0]
    assert chain.readings.values("c") == []
    assert chain.readings.values("new") == [1.0]
    assert chain.records.dead == []
    assert chain.registry.get_sample_value("odecet_ingest_ignored_total", {"reason": "retained_old"}) == 3


def test_a_second_delivery_without_time_keeps_its_first_arrival(chain: Chain) -> None:
    body = b'{"meter": "a", "value": 0.25, "unit": "kWh", "kind": "delta"}'
    first = raw(body)
    settled(chain, first)
    later = first.received + 5_000_000
    settled(chain, raw(body, received=later, again=True))
    assert chain.readings.values("a") == [0.25]
    settled(chain, raw(body, received=later + 900_000_000))
    assert chain.readings.values("a") == [0.25, 0.25]


def mounted(device: str) -> Meter:
    return Meter(id=f"id-{device}", point="p", device=device, mounted=datetime(2020, 1, 1, tzinfo=UTC))


def test_readings_of_unknown_meters_are_stored_and_seen_in_the_inbox(chain: Chain) -> None:
    chain.records.meters = [mounted("known")]
    settled(chain, reading("known", 1), reading("stray", 2, minute=1), reading("stray", 3, minute=2))
    assert chain.readings.values("stray") == [2.0, 3.0]
    assert list(chain.records.seen) == [("stray", "energy.total")]
    item = chain.records.seen["stray", "energy.total"]
    assert (item.count, item.last_value, item.unit, item.topic) == (2, 3.0, "kWh", "odecet/x")
    assert b"stray" in item.sample


def test_a_flood_of_an_unknown_meter_is_written_seldom_and_counted_right() -> None:
    records = MemoryRecords()
    inbox = Inbox(records)  # type: ignore[arg-type]
    for n in range(200):
        readings = Readings.of([SeriesKey("stray", "energy.total")], [0], [NOW.replace(tzinfo=None)], [float(n)])
        inbox.note(readings, [0], [reading("stray", n)], frozenset())
        inbox.flush()
    assert records.sightings == 1
    inbox.flush(now=True)
    assert records.seen["stray", "energy.total"].count == 200
    assert records.seen["stray", "energy.total"].last_value == 199.0


def test_sightings_wait_where_the_records_are_down() -> None:
    records = MemoryRecords()
    inbox = Inbox(records)  # type: ignore[arg-type]
    readings = Readings.of([SeriesKey("stray", "energy.total")], [0], [NOW.replace(tzinfo=None)], [1.0])
    inbox.note(readings, [0], [reading("stray", 1)], frozenset())
    records.down = True
    with pytest.raises(StoreUnavailable):
        inbox.flush()
    records.down = False
    inbox.flush()
    assert records.seen["stray", "energy.total"].count == 1


@pytest.fixture
def door() -> tuple[PayloadIntake, Chain]:
    chain = Chain()
    intake = PayloadIntake(
        reader=chain.reader, readings=chain.readings, records=chain.records, metrics=chain.metrics  # type: ignore[arg-type]
    )  # fmt: skip
    return intake, chain


def test_a_payload_over_http_is_stored_and_told_of(door: tuple[PayloadIntake, Chain]) -> None:
    intake, chain = door
    body = {"unit": "kWh", "readings": [{"meter": "a", "value": 1}, {"meter": "b", "value": None}]}
    taken = intake.take("odecet/http", json.dumps(body).encode(), source="http", now=NOW)
    assert taken.readings == 1
    [(place, reason)] = taken.rejected
    assert place == "readings[1].value"
    assert reason.startswith("value_unreadable")
    assert chain.readings.values("a") == [1.0]
    assert [x.reason for x in chain.records.dead] == ["value_unreadable"]
    assert list(chain.records.seen) == [("a", "energy.total")]


def test_a_payload_over_http_is_refused_while_the_store_is_down(door: tuple[PayloadIntake, Chain]) -> None:
    intake, chain = door
    chain.readings.down = True
    with pytest.raises(StoreUnavailable):
        intake.take("odecet/http", reading("a", 1).payload, source="http", now=NOW)
    assert chain.readings.kept == {}


def test_letters_are_replayed_with_the_profiles_of_today(door: tuple[PayloadIntake, Chain]) -> None:
    _, chain = door
    chain.ingester.start()
    settled(chain, reading("a", 1, topic="strange/a"), raw(b"nonsense", "strange/b"), raw(b"still", "odecet/c"))
    chain.ingester.stop()
    letters = [replace(x, id=n + 1) for n, x in enumerate(chain.records.dead)]
    assert [x.reason for x in letters] == ["no_profile", "no_profile", "malformed"]
    mended = Reader(Router([NativeProfile(), NativeProfile(root="strange", name="strange")]), bounds=Bounds())
    today = PayloadIntake(
        reader=mended, readings=chain.readings, records=chain.records, metrics=chain.metrics  # type: ignore[arg-type]
    )  # fmt: skip
    replayed = today.replay(letters, NOW + timedelta(days=3))
    assert replayed.read == (1,)
    assert replayed.readings == 1
    assert [(number, reason) for number, reason, _ in replayed.still] == [(2, "malformed"), (3, "malformed")]
    assert chain.readings.values("a") == [1.0]


def test_the_figures_tell_what_was_settled(chain: Chain) -> None:
    settled(chain, reading("a", 1), reading("b", 2), raw(b"nonsense"), raw(b"x", "elsewhere"))
    figure = chain.registry.get_sample_value
    assert figure("odecet_ingest_messages_total", {"profile": "odecet"}) == 3
    assert figure("odecet_ingest_messages_total", {"profile": "none"}) == 1
    assert figure("odecet_ingest_readings_total", {"source": "odecet"}) == 2
    assert figure("odecet_ingest_rejects_total", {"reason": "malformed"}) == 1
    assert figure("odecet_ingest_unacked_messages") == 0
    assert b"odecet_ingest_write_seconds_bucket" in generate_latest(chain.registry)


def test_the_age_of_the_oldest_message_is_told_while_a_store_is_down(chain: Chain) -> None:
    chain.readings.down = True
    chain.backlog.put([reading("a", 1)])
    chain.tick(seconds=90)
    assert chain.registry.get_sample_value("odecet_ingest_unacked_oldest_seconds") == pytest.approx(90)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("odecet/#", "odecet/a/b", True), ("odecet/#", "odecet", True), ("odecet/+", "odecet/a/b", False),
        ("odecet/+", "odecet/", True), ("+/a", "x/a", True), ("#", "a", True), ("#", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True), ("a/b", "a", False), ("a", "a/b", False), ("+", "$x", False),
    ],
)  # fmt: skip
def test_a_topic_filter_matches_as_mqtt_says(topic_filter: str, topic: str, *, expected: bool) -> None:
    assert matches(topic_filter, topic) is expected


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("a/#", "a/+/b", True),
        ("+/b", "a/b", True),
        ("#", "a/b/#", True),
        ("a/+", "a/b/c", False),
        ("a/+/c", "a/b/+", False),
        ("a/#", "a", True),
    ],
)
def test_a_filter_that_another_covers_is_not_asked_for(wide: str, narrow: str, *, expected: bool) -> None:
    assert covers(wide, narrow) is expected
    assert widest([wide, narrow, wide]) == ((wide,) if expected else (wide, narrow))


def test_the_filter_that_says_more_chooses_the_profile() -> None:
    wide, narrow = NativeProfile(root="a", name="wide"), NativeProfile(root="a/b", name="narrow")
    for order in ([wide, narrow], [narrow, wide]):
        router = Router(order)
        chosen = [router.choose(Message(topic=t, payload=b"{}", received=0)).profile for t in ("a/b/c", "a/c", "z")]
        assert [p.name if p else None for p in chosen] == ["narrow", "wide", None]


def test_two_threads_may_read_at_once() -> None:
    store = MemoryReadings()
    chain = Chain(readings=store)
    intake = PayloadIntake(
        reader=chain.reader, readings=store, records=chain.records, metrics=chain.metrics  # type: ignore[arg-type]
    )  # fmt: skip
    chain.ingester.start()

    def post() -> None:
        for n in range(50):
            intake.take("odecet/x", reading(f"http-{n}", n).payload, source="http", now=NOW)

    poster = threading.Thread(target=post)
    poster.start()
    settled(chain, *[reading(f"mqtt-{n}", n) for n in range(500)])
    poster.join()
    chain.ingester.stop()
    assert len(store.kept) == 550
    assert np.isfinite([v for v, _ in store.kept.values()]).all()
