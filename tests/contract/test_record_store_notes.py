"""What RecordStore promises of all that it keeps beside the register, held against SQLite and PostgreSQL."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFound
from core.notes import DeadLetter, Finding, InboxItem, Job, PointFinding, Rule
from core.ports import RecordStore
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)

# Dead letters


def letter(**changes: object) -> DeadLetter:
    plain = DeadLetter(topic="a/b", payload=b"{", reason="malformed", detail="na začátku", received=NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_letter_of_ten_megabytes_comes_back_byte_by_byte(store: RecordStore) -> None:
    payload = bytes(range(256)) * 40_960
    store.keep_letters([letter(payload=payload, retained=True)])
    (kept,) = store.letters()
    assert kept == letter(payload=payload, retained=True, id=kept.id)
    assert store.letter(kept.id) == kept


def test_the_same_letter_arriving_again_leaves_one(store: RecordStore) -> None:
    store.keep_letters([letter(), letter(received=NOW + HOUR)])
    store.keep_letters([letter(detail="jinde")])
    store.keep_letters([letter(topic="a/c"), letter(reason="no_profile"), letter(payload=b"[")])
    assert len(store.letters()) == 4
    assert store.letters(limit=1)[0].detail == "na začátku"


def test_a_letter_that_arrives_after_it_was_replayed_is_kept_anew(store: RecordStore) -> None:
    store.keep_letters([letter()])
    (first,) = store.letters()
    store.mark_replayed([first.id], NOW + HOUR)
    store.keep_letters([letter()])
    (second,) = store.letters()
    assert second.id > first.id
    store.mark_replayed([second.id, first.id], NOW + 2 * HOUR)
    assert [one.replayed for one in store.letters(open_only=False)] == [NOW + HOUR, NOW + 2 * HOUR]


def test_letters_are_filtered_and_paged(store: RecordStore) -> None:
    store.keep_letters([letter(payload=bytes([n]), reason="a" if n % 2 else "b", topic=f"t/{n % 3}") for n in range(9)])
    everything = store.letters()
    assert [one.payload[0] for one in everything] == list(range(9))
    assert [one.payload[0] for one in store.letters(reason="a", topic="t/1")] == [1, 7]
    assert [one.payload[0] for one in store.letters(after=everything[5].id, limit=2)] == [6, 7]
    store.mark_replayed([everything[0].id], NOW)
    assert [one.payload[0] for one in store.letters(limit=1)] == [1]
    assert store.count_letters() == {"a": 4, "b": 4}


def test_a_letter_with_odd_characters_is_kept_all_the_same(store: RecordStore) -> None:
    store.keep_letters([letter(topic="a\x00\ud800", reason="x\x00", detail="y\x00", payload=b"\x00\xff")])
    (kept,) = store.letters()
    assert (kept.topic, kept.reason, kept.payload) == ("a\\x00\\ud800", "x\\x00", b"\x00\xff")


def test_a_letter_that_is_not_kept_is_not_found(store: RecordStore) -> None:
    with pytest.raises(NotFound, match="dead letter 7"):
        store.letter(7)


def test_a_letter_with_a_long_topic_is_kept(store: RecordStore) -> None:
    long = letter(topic="č" * 30_000, reason="r" * 5_000)
    store.keep_letters([long, long])
    assert [one.topic for one in store.letters()] == [long.topic]


# The inbox


def seen(**changes: object) -> InboxItem:
    plain = InboxItem(
        device="d-1",
        register="energy.import",
        unit="kWh",
        first_seen=NOW,
        last_seen=NOW,
        count=1,
        last_value=5.0,
        topic="t/1",
        sample=b"\x00{}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_seeing_a_meter_again_widens_its_span_and_keeps_the_newest(store: RecordStore) -> None:
    store.see([seen()])
    store.see([seen(first_seen=NOW - HOUR, last_seen=NOW - HOUR, count=3, last_value=1.0, topic="old", unit="Wh")])
    assert store.inbox() == [seen(first_seen=NOW - HOUR, count=4)]
    later = seen(first_seen=NOW + HOUR, last_seen=NOW + HOUR, count=2, last_value=9.0, topic="new", sample=b"n")
    store.see([later])
    assert store.inbox() == [replace(later, first_seen=NOW - HOUR, count=6)]


def test_one_batch_may_name_a_meter_several_times(store: RecordStore) -> None:
    store.see([seen(last_seen=NOW + HOUR, last_value=7.0), seen(count=4), seen(register="power.total")])
    store.see([])
    assert store.inbox() == [
        seen(last_seen=NOW + HOUR, last_value=7.0, count=5),
        seen(register="power.total"),
    ]


def test_a_value_that_is_no_number_does_not_stop_the_inbox(store: RecordStore) -> None:
    store.see([seen(device="x\x00" * 5_000, last_value=math.nan), seen(device="y", last_value=math.inf)])
    assert [item.last_value for item in store.inbox()] == [pytest.approx(math.nan, nan_ok=True), math.inf]


def test_the_inbox_is_paged_by_device_and_left_on_assignment(store: RecordStore) -> None:
    store.see([seen(device=f"d-{n}", register=r) for n in range(4) for r in ("a", "b")])
    assert [(i.device, i.register) for i in store.inbox(limit=1)] == [("d-0", "a"), ("d-0", "b")]
    assert [i.device for i in store.inbox(after="d-1", limit=2)] == ["d-2", "d-2", "d-3", "d-3"]
    store.leave_inbox(["d-0", "d-2", "unknown"])
    assert sorted({i.device for i in store.inbox()}) == ["d-1", "d-3"]


def test_sightings_from_several_threads_add_up(store: RecordStore) -> None:
    store.start()

    def look(n: int) -> None:
        for i in range(10):
            at = NOW + HOUR * (n * 10 + i)
            devices = [f"d-{k}" for k in range(20)]
            store.see(
                [
                    seen(device=d, first_seen=at, last_seen=at, last_value=n * 10 + i)
                    for d in devices[:: 1 - 2 * (n % 2)]
                ]
            )

    at_once(*(lambda n=n: look(n) for n in range(6)))  # type: ignore[misc]
    items = store.inbox()
    assert {(i.count, i.last_value, i.first_seen, i.last_seen) for i in items} == {(60, 59.0, NOW, NOW + 59 * HOUR)}


# Findings


def found(point: str = "p-1", at: datetime = NOW, hours: int = 1, **changes: object) -> PointFinding:
    finding = Finding(
        meter="elm/1", register="energy.import", rule=Rule.GAP, at_from=at, at_to=at + hours * HOUR, evidence={"x": 1.5}
    )
    return PointFinding(point=point, finding=replace(finding, **changes), open=False)  # type: ignore[arg-type]


def test_findings_come_back_newest_first_with_evidence_and_proposal(store: RecordStore) -> None:
    asked = replace(
        found(
            at=NOW + 5 * HOUR,
            rule=Rule.BREAK,
            evidence={"before": 9.5, "list": [1, None, "č"]},
            proposal={"kind": "swap", "at": NOW.isoformat(), "final": 9.5, "first": 0.0},
        ),
        open=True,
    )
    store.replace_findings(["p-1"], NOW, NOW, [found(), asked])
    assert store.findings() == [asked, found()]
    assert store.findings(open_only=True) == [asked]
    assert store.findings(rule="gap") == [found()]
    assert store.findings(limit=1) == [asked]


def test_findings_are_replaced_where_their_span_touches(store: RecordStore) -> None:
    spans = [found(at=NOW + n * 10 * HOUR, hours=5) for n in range(4)]
    other = found(point="p-2", at=NOW + 10 * HOUR)
    store.replace_findings([], NOW, NOW, [*spans, other])
    new = found(at=NOW + 12 * HOUR, rule=Rule.STUCK)
    store.replace_findings(["p-1", "p-9"], NOW + 15 * HOUR, NOW + 20 * HOUR, [new])
    assert store.findings() == [spans[3], new, other, spans[0]]
    store.replace_findings(["p-1"], NOW, NOW + 12 * HOUR, [])
    assert store.findings(points=["p-1"]) == [spans[3]]


def test_findings_are_sought_by_points_and_touching_span(store: RecordStore) -> None:
    spans = [found(point=f"p-{n % 2}", at=NOW + n * 10 * HOUR, hours=5) for n in range(4)]
    store.replace_findings([], NOW, NOW, spans)
    assert store.findings(points=["p-0", "p-0"]) == [spans[2], spans[0]]
    assert store.findings(points=[]) == []
    assert store.findings(start=NOW + 15 * HOUR, end=NOW + 20 * HOUR) == [spans[2], spans[1]]
    assert store.findings(points=["p-0", "p-1"], limit=2) == [spans[3], spans[2]]


def test_evidence_that_json_cannot_say_becomes_null(store: RecordStore) -> None:
    store.replace_findings([], NOW, NOW, [found(evidence={"nan": math.nan, "text": "a\x00b"})])
    assert store.findings()[0].finding.evidence == {"nan": None, "text": "a\x00b"}


def test_many_findings_are_replaced_in_one_act(store: RecordStore) -> None:
    points = [f"p-{n}" for n in range(15_000)]
    many = [found(point=p) for p in points]
    store.replace_findings(points, NOW, NOW, many)
    store.replace_findings(points, NOW, NOW, many)
    assert len(store.findings(points=points)) == 15_000


def test_replacing_findings_at_once_leaves_one_set(store: RecordStore) -> None:
    at_once(*(lambda: store.replace_findings(["p-1"], NOW, NOW, [found()]) for _ in range(6)))
    assert store.findings() == [found()]


# Small texts and long work


def test_kept_text_is_replaced_and_is_empty_where_nothing_was_kept(store: RecordStore) -> None:
    assert store.kept("cursor") == ""
    store.keep("cursor", "1")
    store.keep("cursor", "dvě ☃" * 100_000)
    assert store.kept("cursor") == "dvě ☃" * 100_000


def test_long_work_is_told_newest_first_with_its_latest_state(store: RecordStore) -> None:
    job = Job(id="j-1", kind="import", state="running", done=0, total=2**40, started=NOW, changed=NOW)
    store.save_job(job)
    store.save_job(replace(job, id="j-2", kind="replay", started=NOW + HOUR))
    store.save_job(replace(job, state="done", done=2**40, cursor="řádek 5"))
    assert [j.id for j in store.jobs()] == ["j-2", "j-1"]
    assert store.jobs(kind="import") == [replace(job, state="done", done=2**40, cursor="řádek 5")]
    assert len(store.jobs(limit=1)) == 1
