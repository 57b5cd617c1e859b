"""What RecordStore promises of alerts and their outbox, held against SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest

from alerts import lifecycle as life
from core.alerts import Alert, AlertFilter, Change, Detection, Severity, State, Subject
from core.errors import Conflict, NotFound
from core.ports import RecordStore
from core.sending import (
    ChannelKind,
    Item,
    Occasion,
    Outgoing,
    PersonRole,
    Quiet,
    Recipient,
    Route,
    SendState,
    Window,
    WindowScope,
)
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=20)


def step(subject: str, *, at: datetime = NOW, building: str = "b-1", **fields: object) -> life.Step:
    usual: dict[str, object] = {"rule": "leak", "at_from": at - HOUR, "at_to": at, "found_at": at}
    return life.opened(Detection(subject=subject, **usual | fields), building, at)  # type: ignore[arg-type]


def put(store: RecordStore, *steps: life.Step, outgoing: tuple[Outgoing, ...] = ()) -> None:
    entries = tuple(s.entry for s in steps if s.entry is not None)
    store.change_alerts(Change(alerts=tuple(s.alert for s in steps), entries=entries, outgoing=outgoing))


def message(key: str, *alerts: str, due: datetime = NOW) -> Outgoing:
    return Outgoing(
        key=key,
        channel=ChannelKind.MAIL,
        recipient="jan",
        address="jan@example.cz",
        items=tuple(Item(alert=alert, occasion=Occasion.OPENED) for alert in alerts),
        content={"subject": "Únik vody", "payload": {"m3": 1.5}},
        created=NOW,
        due=due,
    )


def ids(found: list[Alert]) -> list[str]:
    return [alert.id for alert in found]


def test_an_alert_comes_back_as_it_was_stored_with_its_history(store: RecordStore) -> None:
    evidence = {"night_m3_h": [0.1, 0.1 + 0.2], "since": "2026-03-01"}
    first = step("p-1", evidence=evidence, loss_per_day=1 / 3, unit="m³", loss_czk_per_day=41.5, covers=("a", "b"))
    put(store, first)
    assert store.alert(first.alert.id) == first.alert
    resting = life.snooze(first.alert, NOW + 30 * HOUR, "jan", NOW + HOUR)
    put(store, resting)
    done = life.resolve(resting.alert, life.Cause.REPAIRED, "ventil", "jan", NOW + 2 * HOUR)
    put(store, done)
    assert store.alert(first.alert.id) == done.alert
    trail = store.audit(entity="alert", key=first.alert.id)
    assert [(e.why, e.by) for e in trail] == [("resolved", "jan"), ("snoozed", "jan"), ("opened", "odecet")]


def test_a_change_of_what_somebody_changed_meanwhile_is_refused_whole(store: RecordStore) -> None:
    first, other = step("p-1"), step("p-2")
    put(store, first)
    put(store, life.acknowledge(first.alert, "eva", NOW + HOUR))
    late = life.assign(first.alert, "jan", "boss", NOW + HOUR)
    with pytest.raises(Conflict, match="changed meanwhile"):
        put(store, other, late, outgoing=(message("m-1", other.alert.id),))
    assert store.alert(first.alert.id).acknowledged_by == "eva"
    assert store.outgoing() == []
    with pytest.raises(NotFound):
        store.alert(other.alert.id)
    assert len(store.audit(entity="alert")) == 2
    with pytest.raises(Conflict):
        put(store, first)


def test_alerts_are_found_by_what_they_are_the_last_opened_first(store: RecordStore) -> None:
    leak = step("p-1", severity=Severity.HIGH)
    dead = step("p-2", at=NOW + HOUR, rule="dead", building="b-2")
    gone = step("p-3", at=NOW + 2 * HOUR)
    put(store, leak, dead, gone)
    put(store, life.gone(gone.alert, NOW + 3 * HOUR), life.assign(dead.alert, "jan", "eva", NOW + 3 * HOUR))
    leak_id, dead_id, gone_id = leak.alert.id, dead.alert.id, gone.alert.id
    assert ids(store.alerts(AlertFilter())) == [gone_id, dead_id, leak_id]
    assert ids(store.alerts(AlertFilter(states=frozenset({State.OPEN, State.ASSIGNED})))) == [dead_id, leak_id]
    assert ids(store.alerts(AlertFilter(least=Severity.MEDIUM))) == [leak_id]
    assert ids(store.alerts(AlertFilter(buildings=("b-2", "b-9")))) == [dead_id]
    assert ids(store.alerts(AlertFilter(rules=("leak",), subject="p-3"))) == [gone_id]
    assert ids(store.alerts(AlertFilter(assignee="jan"))) == [dead_id]
    assert ids(store.alerts(AlertFilter(key=leak.alert.key))) == [leak_id]
    assert ids(store.alerts(AlertFilter(opened_from=NOW + HOUR, opened_to=NOW + 2 * HOUR))) == [dead_id]


def test_alerts_are_paged_also_where_many_opened_at_one_instant(store: RecordStore) -> None:
    put(store, *(step(f"p-{n}") for n in range(7)))
    everything = ids(store.alerts(AlertFilter()))
    paged: list[str] = []
    while some := ids(store.alerts(AlertFilter(), after=paged[-1] if paged else "", limit=3)):
        paged += some
    assert paged == everything
    assert len(paged) == 7
    with pytest.raises(NotFound):
        store.alerts(AlertFilter(), after="unknown")


def test_a_message_is_kept_once_whatever_became_of_it(store: RecordStore) -> None:
    first = step("p-1")
    put(store, first, outgoing=(message("m-1", first.alert.id),))
    (taken,) = store.claim_outgoing(by="one", now=NOW, until=NOW + LEASE, limit=9)
    store.settle_outgoing(replace(taken, state=SendState.SENT, attempts=1), by="one")
    store.change_alerts(Change(outgoing=(message("m-1", first.alert.id),)))
    (kept,) = store.outgoing()
    assert (kept.state, kept.attempts, kept.items) == (SendState.SENT, 1, message("m-1", first.alert.id).items)
    assert kept.content == {"subject": "Únik vody", "payload": {"m3": 1.5}}
    assert store.claim_outgoing(by="two", now=NOW + 9 * HOUR, until=NOW + 10 * HOUR, limit=9) == []


def test_messages_are_taken_once_in_the_order_of_their_hour_and_not_before_it(store: RecordStore) -> None:
    later = message("m-2", "x", due=NOW + HOUR)
    store.change_alerts(Change(outgoing=(later, message("m-1", "x"), message("m-0", "y", due=NOW + 3 * HOUR))))
    at = NOW + HOUR
    assert [m.key for m in store.claim_outgoing(by="one", now=at, until=at + LEASE, limit=1)] == ["m-1"]
    assert [m.key for m in store.claim_outgoing(by="two", now=at, until=at + LEASE, limit=9)] == ["m-2"]
    assert store.claim_outgoing(by="two", now=at, until=at + LEASE, limit=9) == []


def test_what_a_process_took_and_left_is_given_again_as_it_was_left(store: RecordStore) -> None:
    store.change_alerts(Change(outgoing=(message("m-1", "x"), message("m-2", "x"))))
    for taken in store.claim_outgoing(by="one", now=NOW, until=NOW + LEASE, limit=9):
        if taken.key == "m-2":
            store.begin_sending(taken.key, by="one", now=NOW + timedelta(seconds=1))
    again = store.claim_outgoing(by="two", now=NOW + LEASE, until=NOW + 2 * LEASE, limit=9)
    assert {m.key: m.state for m in again} == {"m-1": SendState.CLAIMED, "m-2": SendState.SENDING}
    with pytest.raises(Conflict, match="another process"):
        store.begin_sending("m-1", by="one", now=NOW + LEASE)
    with pytest.raises(Conflict, match="another process"):
        store.settle_outgoing(replace(again[0], state=SendState.SENT), by="one")
    store.settle_outgoing(replace(again[0], state=SendState.SENT), by="two")


def test_a_taker_whose_time_is_over_begins_nothing_even_if_nobody_else_came(store: RecordStore) -> None:
    store.change_alerts(Change(outgoing=(message("m-1", "x"),)))
    store.claim_outgoing(by="one", now=NOW, until=NOW + LEASE, limit=9)
    with pytest.raises(Conflict):
        store.begin_sending("m-1", by="one", now=NOW + LEASE)


def test_many_takers_at_once_share_the_messages(store: RecordStore) -> None:
    store.change_alerts(Change(outgoing=tuple(message(f"m-{n:02}", "x") for n in range(24))))

    taken: list[str] = []

    def take(name: str) -> None:
        taken.extend(m.key for m in store.claim_outgoing(by=name, now=NOW, until=NOW + LEASE, limit=10))

    at_once(*(partial(take, f"w-{n}") for n in range(4)))
    assert sorted(taken) == [f"m-{n:02}" for n in range(24)]


def test_messages_are_found_by_state_and_alert(store: RecordStore) -> None:
    store.change_alerts(Change(outgoing=(message("m-1", "x", "y"), message("m-2", "y"))))
    assert [m.key for m in store.outgoing(alert="y")] == ["m-1", "m-2"]
    assert [m.key for m in store.outgoing(alert="x", states=frozenset({"waiting"}))] == ["m-1"]
    assert store.outgoing(states=frozenset({"sent"})) == []


def test_people_routes_and_windows_are_kept_replaced_and_removed(store: RecordStore) -> None:
    night = Quiet(begin=time(22), end=time(6, 30), days=(0, 1), except_from="")
    jan = Recipient(id="jan", name="Jan", mail="jan@example.cz", buildings=("b-1",), quiet=(night,))
    route = Route(id="r", role=PersonRole.CARETAKER, least="medium", rules=("leak",), delay_min=30)
    works = Window(id="w", scope=WindowScope.SOURCE, key="gw", start=NOW, end=NOW + HOUR, reason="výměna")
    for _ in range(2):
        store.keep_recipients([jan], [])
        store.keep_routes([route], [])
        store.keep_windows([works], [])
    assert (store.recipients(), store.routes(), store.windows()) == ([jan], [route], [works])
    away = replace(jan, off=True)
    store.keep_recipients([away, replace(jan, id="eva")], [])
    assert store.recipients() == [replace(jan, id="eva"), away]
    for kind, key in (("recipient", "jan"), ("route", "r"), ("window", "w"), ("window", "unknown")):
        store.drop_notification(kind, [key], [])
    assert ([p.id for p in store.recipients()], store.routes(), store.windows()) == (["eva"], [], [])


def test_a_source_is_a_subject_like_any(store: RecordStore) -> None:
    silent = step("broker:1883/tls", kind=Subject.SOURCE, rule="source_silent", building="")
    put(store, silent)
    assert store.alert(silent.alert.id).kind is Subject.SOURCE


def test_alerts_come_by_urgency_over_all_pages_also_where_losses_are_unknown_or_equal(store: RecordStore) -> None:
    kinds = [(Severity.LOW, 50.0), (Severity.HIGH, None), (Severity.HIGH, 12.5), (Severity.MEDIUM, 0.1 + 0.2)]
    steps = [
        step(f"p-{n}", at=NOW + n % 3 * HOUR, severity=kinds[n % 4][0], loss_czk_per_day=kinds[n % 4][1])
        for n in range(17)
    ]
    put(store, *steps)
    asked = AlertFilter(urgent_first=True)
    whole = store.alerts(asked)
    ranks = [(-a.severity.rank, -(a.loss_czk_per_day or 0.0), -a.opened_at.timestamp()) for a in whole]
    assert ranks == sorted(ranks)
    paged: list[str] = []
    while some := ids(store.alerts(asked, after=paged[-1] if paged else "", limit=4)):
        paged += some
    assert paged == ids(whole)
    assert len(set(paged)) == 17


def test_a_bare_list_leaves_the_evidence_out_and_nothing_else(store: RecordStore) -> None:
    put(store, step("p-1", evidence={"series": [1, 2, 3]}, covers=("a",), loss_per_day=1 / 3))
    (whole,), (bare,) = store.alerts(AlertFilter()), store.alerts(AlertFilter(bare=True))
    assert whole.evidence == {"series": [1, 2, 3]}
    assert bare == replace(whole, evidence={})


def test_a_message_is_joined_with_one_that_waits_both_or_neither(store: RecordStore) -> None:
    store.change_alerts(
        Change(outgoing=(message("m-1", "x", due=NOW + HOUR), message("m-2", "y"), message("m-3", "z")))
    )
    taken = store.claim_outgoing(by="one", now=NOW, until=NOW + LEASE, limit=2)
    assert [m.key for m in taken] == ["m-2", "m-3"]
    there = ("mail", "jan@example.cz")
    assert store.waiting_for(*there, after=NOW, until=NOW + HOUR) == "m-1"
    assert store.waiting_for(*there, after=NOW, until=NOW + HOUR / 2) == ""
    assert store.waiting_for("mail", "eva@example.cz", after=NOW, until=NOW + HOUR) == ""

    def both(into: Outgoing, more: Outgoing) -> Outgoing:
        return replace(into, items=(*into.items, *more.items))

    told = replace(taken[0], state=SendState.JOINED, error="told in m-1")
    store.join_outgoing(told, "m-1", by="one", joined=both)
    (waiting,) = store.outgoing(keys=("m-1",))
    assert ([i.alert for i in waiting.items], waiting.state) == (["x", "y"], SendState.WAITING)
    assert store.outgoing(keys=("m-2",))[0].state is SendState.JOINED
    assert {m.key for m in store.outgoing(alert="y")} == {"m-1", "m-2"}
    with pytest.raises(Conflict):
        store.join_outgoing(replace(taken[1], state=SendState.JOINED), "m-1", by="two", joined=both)
    with pytest.raises(Conflict):
        store.join_outgoing(replace(taken[1], state=SendState.JOINED), "m-2", by="one", joined=both)
    assert [i.alert for i in store.outgoing(keys=("m-1",))[0].items] == ["x", "y"]
    assert store.outgoing(keys=("m-3",))[0].state is SendState.CLAIMED


def test_what_went_to_an_address_is_counted_by_when_it_went(store: RecordStore) -> None:
    store.change_alerts(Change(outgoing=tuple(message(f"m-{n}", "x") for n in range(4))))
    for n, state in enumerate((SendState.SENT, SendState.UNCERTAIN, SendState.FAILED)):
        (taken,) = store.claim_outgoing(by="one", now=NOW, until=NOW + LEASE, limit=1)
        store.settle_outgoing(replace(taken, state=state, changed=NOW + n * HOUR), by="one")
    there = ("mail", "jan@example.cz")
    assert sorted(store.sent_since(*there, NOW - HOUR)) == [NOW, NOW + HOUR]
    assert store.sent_since(*there, NOW) == [NOW + HOUR]
    assert store.sent_since("webhook", there[1], NOW - HOUR) == []
    assert [m.key for m in store.outgoing(recipient="jan", limit=2)] == ["m-0", "m-1"]
    assert store.outgoing(recipient="eva") == []
