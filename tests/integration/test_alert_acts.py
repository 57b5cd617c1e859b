"""From detections to alerts to messages over a real record store: one cause, one alert, each occasion told once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from alerts.grouping import SOURCE_SILENT, Heard
from alerts.routing import Gap
from core.alerts import Alert, AlertFilter, Cause, Detection, Severity, State
from core.registry import Building, Commodity, Organisation, Point
from core.sending import ChannelKind, Outgoing, PersonRole, Quiet, Recipient, Route, Window, WindowScope
from services.alerts import Alerts, Evaluation, Policy, Reported
from storage.records import SqlRecordStore

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JAN = Recipient(id="jan", name="Jan", mail="jan@example.cz", buildings=("b-1",))
EVA = Recipient(id="eva", name="Eva", role=PersonRole.ENERGY_MANAGER, mail="eva@example.cz")
TO_JAN = Route(id="caretakers", role=PersonRole.CARETAKER)
TO_EVA = Route(id="managers", role=PersonRole.ENERGY_MANAGER, least="medium", ends=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    opened.start()
    water = Commodity.COLD_WATER
    opened.save(
        [
            Organisation(id="o", name="Kraj"),
            Building(id="b-1", organisation="o", name="ZŠ Ještěd"),
            Building(id="b-2", organisation="o", name="Muzeum"),
            Point(id="main", building="b-1", name="Patní vodoměr", commodity=water),
            Point(id="sub", building="b-1", name="Kuchyň", commodity=water, parent="main"),
            *(Point(id=f"p-{n}", building="b-2", name=f"Měřidlo {n}", commodity=water) for n in range(5)),
        ],
        by="test",
        now=NOW,
    )
    opened.keep_recipients([JAN, EVA], [])
    opened.keep_routes([TO_JAN, TO_EVA], [])
    yield opened
    opened.close()


@pytest.fixture
def acts(store: SqlRecordStore) -> Alerts:
    return Alerts(store, Policy(address="https://odecet.example.cz"))


def leak(subject: str = "main", *, at: datetime = NOW, czk: float = 50.0, **changes: object) -> Detection:
    fields: dict[str, object] = {
        "rule": "leak",
        "at_from": NOW - DAY,
        "at_to": at,
        "found_at": at,
        "loss_per_day": 2.5,
        "unit": "m³",
        "loss_czk_per_day": czk,
    }
    return Detection(subject=subject, **fields | changes)  # type: ignore[arg-type]  # of the names above


def report(acts: Alerts, *found: Detection, at: datetime = NOW, heard: Sequence[Heard] = ()) -> Reported:
    points = ["main", "sub", *(f"p-{n}" for n in range(5))]
    judged = {(rule, point) for rule in ("leak", "dead", "capacity") for point in points}
    sources = {f"p-{n}": ("broker", "gw") for n in range(5)}
    return acts.report(Evaluation(detections=found, judged=judged, heard=heard, sources=sources), at)


def alerts(store: SqlRecordStore) -> list[Alert]:
    return store.alerts(AlertFilter())


def only(store: SqlRecordStore) -> Alert:
    (alert,) = alerts(store)
    return alert


def mails(store: SqlRecordStore) -> list[Outgoing]:
    return sorted(store.outgoing(), key=lambda m: (m.created, m.recipient))


def test_a_leak_is_told_once_to_whom_it_concerns_and_says_what_to_do(store: SqlRecordStore, acts: Alerts) -> None:
    for hour in range(6):
        report(acts, leak(at=NOW + hour * HOUR), at=NOW + hour * HOUR)
    (mail,) = mails(store)
    assert (mail.recipient, mail.address) == ("jan", "jan@example.cz")
    assert mail.content["subject"] == "Únik vody – ZŠ Ještěd, Patní vodoměr (2,5 m³, 50 Kč za den)"
    alert = only(store)
    for said in ("Od: 9. 3. 2026 10:00", "pojistné ventily", f"https://odecet.example.cz/alerts/{alert.id}"):
        assert said in mail.content["text"]
    assert (alert.state, alert.seen_to, alert.building) == (State.OPEN, NOW + 5 * HOUR, "b-1")
    assert len(store.audit(entity="alert")) == 1


def test_it_closes_by_itself_only_where_it_was_looked_at(store: SqlRecordStore, acts: Alerts) -> None:
    report(acts, leak(czk=500))
    acts.report(Evaluation(detections=[], judged={("leak", "sub"), ("dead", "main")}), NOW + HOUR)
    assert only(store).state is State.OPEN
    report(acts, at=NOW + 2 * HOUR)
    assert (only(store).state, only(store).ended_at) == (State.CLOSED, NOW + 2 * HOUR)
    assert [m.recipient for m in mails(store)] == ["eva", "jan", "eva"]
    assert mails(store)[-1].content["subject"].startswith("skončilo: ")


def test_a_fault_that_returns_soon_is_the_old_alert_and_later_a_new_one(store: SqlRecordStore, acts: Alerts) -> None:
    report(acts, leak())
    report(acts, at=NOW + DAY)
    back = NOW + 3 * DAY
    report(acts, leak(at=back, at_from=back - HOUR), at=back)
    assert (only(store).state, only(store).reopened) == (State.OPEN, 1)
    report(acts, at=back + DAY)
    later = NOW + 60 * DAY
    report(acts, leak(at=later, at_from=later - HOUR), at=later)
    assert [a.reopened for a in alerts(store)] == [0, 1]
    assert [m.recipient for m in mails(store)] == ["jan"] * 3


def test_worse_is_told_again_and_to_those_whom_it_concerns_only_now(store: SqlRecordStore, acts: Alerts) -> None:
    report(acts, leak())
    report(acts, leak(at=NOW + HOUR, czk=2000), at=NOW + HOUR)
    report(acts, leak(at=NOW + 2 * HOUR, czk=2500), at=NOW + 2 * HOUR)
    assert [m.recipient for m in mails(store)] == ["jan", "eva", "jan"]
    assert only(store).severity is Severity.HIGH


def test_a_sub_meter_found_later_takes_over_the_alert_without_another_message(
    store: SqlRecordStore, acts: Alerts
) -> None:
    report(acts, leak())
    first = only(store)
    both = (leak(at=NOW + HOUR), leak("sub", at=NOW + HOUR, loss_per_day=2.4))
    for hour in (1, 2, 3):
        report(acts, *(replace(d, at_to=NOW + hour * HOUR) for d in both), at=NOW + hour * HOUR)
    now = only(store)
    assert (now.id, now.subject, now.covers, now.state) == (first.id, "sub", ("main",), State.OPEN)
    assert len(mails(store)) == 1
    report(acts, at=NOW + 4 * HOUR)
    assert only(store).state is State.CLOSED
    report(acts, leak(at=NOW + 5 * HOUR), at=NOW + 5 * HOUR)
    assert {a.subject: a.state for a in alerts(store)} == {"sub": State.CLOSED, "main": State.OPEN}


def silent_since(last: datetime) -> list[Heard]:
    return [Heard(subject=f"p-{n}", last=last, expected=timedelta(minutes=15)) for n in range(5)]


def dead(n: int, last: datetime, at: datetime) -> Detection:
    return Detection(subject=f"p-{n}", rule="dead", at_from=last, at_to=at, found_at=at, severity=Severity.MEDIUM)


def test_a_night_without_the_broker_is_one_alert_and_one_message(store: SqlRecordStore, acts: Alerts) -> None:
    old = dead(0, NOW - 20 * DAY, NOW)
    report(acts, old)
    for quarter in range(1, 40):
        at = NOW + quarter * timedelta(minutes=15)
        heard = [Heard(subject="p-0", last=NOW - 20 * DAY, expected=HOUR / 4), *silent_since(NOW)[1:]]
        found = [dead(n, NOW, at) for n in range(1, 5)] if quarter > 6 else []
        report(acts, replace(old, at_to=at), *found, at=at, heard=heard)
    silent = [a for a in alerts(store) if a.rule == SOURCE_SILENT]
    assert [(a.subject, a.state, len(a.covers)) for a in silent] == [("broker", State.OPEN, 4)]
    assert len(alerts(store)) == 2
    morning = NOW + 11 * HOUR
    report(acts, replace(old, at_to=morning), at=morning, heard=silent_since(morning))
    assert {a.rule: a.state for a in alerts(store)} == {"dead": State.OPEN, SOURCE_SILENT: State.CLOSED}
    told = [m for m in mails(store) if "broker" in m.content["subject"] and m.recipient == "eva"]
    assert [m.items[0].occasion for m in told] == ["opened", "ended"]


def test_meters_told_dead_before_become_a_part_of_the_gateways_alert(store: SqlRecordStore, acts: Alerts) -> None:
    report(acts, dead(0, NOW - HOUR, NOW))
    report(acts, *(dead(n, NOW - HOUR, NOW + HOUR) for n in range(5)), at=NOW + HOUR, heard=silent_since(NOW - HOUR))
    (part,) = [a for a in alerts(store) if a.rule == "dead"]
    (whole,) = [a for a in alerts(store) if a.rule == SOURCE_SILENT]
    assert (part.state, part.part_of) == (State.CLOSED, whole.id)


def test_what_people_did_stands_and_is_told_to_whom_it_was_given(store: SqlRecordStore, acts: Alerts) -> None:
    report(acts, leak())
    key = only(store).id
    acts.acknowledge(key, by="eva", now=NOW + HOUR)
    acts.assign(key, to="eva", by="boss", now=NOW + 2 * HOUR)
    acts.snooze(key, until=NOW + DAY, by="eva", now=NOW + 3 * HOUR)
    assert acts.tick(NOW + 4 * HOUR).steps == {"woken": 0}
    assert acts.tick(NOW + DAY).steps == {"woken": 1}
    acts.comment(key, text="volal jsem instalatéra", by="eva", now=NOW + 25 * HOUR)
    done = acts.resolve(key, cause=Cause.REPAIRED, note="ventil", by="eva", now=NOW + 26 * HOUR)
    assert (done.state, done.assignee, done.acknowledged_by) == (State.RESOLVED, "eva", "eva")
    report(acts, leak(at=NOW + 27 * HOUR), at=NOW + 27 * HOUR)
    assert only(store).state is State.RESOLVED
    assert [(m.recipient, m.items[0].occasion) for m in mails(store) if m.created > NOW] == [
        ("eva", "assigned"),
        ("jan", "woken"),
    ]
    history = [e.why for e in reversed(store.audit(entity="alert", key=key))]
    assert history == ["opened", "acknowledged", "assigned", "snoozed", "woken", "commented", "resolved"]


def test_announced_works_hold_a_fault_back_until_they_are_over(store: SqlRecordStore, acts: Alerts) -> None:
    works = Window(id="w", scope=WindowScope.BUILDING, key="b-1", start=NOW - 2 * DAY, end=NOW + HOUR, reason="výměna")
    store.keep_windows([works], [])
    assert report(acts, leak()).held == 1
    assert alerts(store) == []
    report(acts, leak(at=NOW + 4 * HOUR), at=NOW + 4 * HOUR)
    assert only(store).state is State.OPEN


def test_quiet_hours_wait_for_the_morning_and_one_morning_is_one_mail(store: SqlRecordStore, acts: Alerts) -> None:
    store.keep_recipients([replace(JAN, quiet=(Quiet(begin=time(9), end=time(18)),), buildings=())], [])
    report(acts, leak(), leak("p-1"), leak("p-2", czk=5000))
    due = {m.due: len(m.items) for m in mails(store) if m.recipient == "jan"}
    assert due == {NOW: 1, datetime(2026, 3, 10, 17, tzinfo=UTC): 2}


def test_an_alert_that_nobody_hears_is_told(store: SqlRecordStore, acts: Alerts) -> None:
    assert [g.gap for g in report(acts, leak("p-0")).gaps] == [Gap.NOBODY]
    store.keep_recipients([replace(JAN, mail="")], [])
    assert [(g.gap, g.recipient) for g in report(acts, leak("main")).gaps] == [(Gap.NO_ADDRESS, "jan")]
    store.drop_notification("route", ["caretakers"], [])
    assert [g.gap for g in report(acts, leak("p-1")).gaps] == [Gap.NO_ROUTE]


def test_somebody_on_two_routes_is_told_once(store: SqlRecordStore, acts: Alerts) -> None:
    store.keep_routes([replace(TO_JAN, id="again", delay_min=60), Route(id="named", person="jan")], [])
    report(acts, leak())
    assert [(m.recipient, m.due) for m in mails(store)] == [("jan", NOW)]


def test_programs_get_each_alert_by_itself(store: SqlRecordStore, acts: Alerts) -> None:
    store.keep_recipients([replace(JAN, webhook="https://example.cz/hook", buildings=())], [])
    store.keep_routes([Route(id="hook", person="jan", channel=ChannelKind.WEBHOOK)], [])
    report(acts, leak(), leak("p-1"))
    hooks = [m for m in mails(store) if m.channel is ChannelKind.WEBHOOK]
    assert sorted(m.content["payload"]["alerts"][0]["subject"] for m in hooks) == ["main", "p-1"]


def test_an_event_that_is_over_when_it_is_found_is_told_and_closed(store: SqlRecordStore, acts: Alerts) -> None:
    breach = leak("p-1", rule="capacity", at_from=NOW - HOUR, at=NOW - HOUR / 2, going_on=False, czk=3000)
    for _ in range(3):
        report(acts, breach)
    assert (only(store).state, only(store).revision) == (State.CLOSED, 1)
    assert [m.recipient for m in mails(store)] == ["eva"]
    again = replace(breach, at_from=NOW + HOUR, at_to=NOW + 2 * HOUR)
    report(acts, again, at=NOW + 3 * HOUR)
    assert (only(store).state, only(store).reopened, len(mails(store))) == (State.CLOSED, 1, 2)
    report(acts, replace(breach, subject="p-2", at_from=NOW - 3 * DAY, at_to=NOW - 2 * DAY), at=NOW + 4 * HOUR)
    assert len(alerts(store)) == 1


def test_the_weekly_digest_has_three_of_a_building_and_comes_once(store: SqlRecordStore, acts: Alerts) -> None:
    store.keep_routes([Route(id="weekly", person="eva", digest=True)], [])
    report(acts, *(leak(f"p-{n}", czk=float(n)) for n in range(5)), leak("main", czk=1.0))
    monday = datetime(2026, 3, 16, 6, tzinfo=UTC)
    assert acts.tick(monday - HOUR).messages == 0
    before = {m.key for m in mails(store)}
    for minutes in range(3):
        acts.tick(monday + timedelta(minutes=minutes))
    (digest,) = [m for m in mails(store) if m.key not in before]
    assert digest.content["subject"] == "Týdenní přehled 2026-W12"
    told = [store.alert(item.alert).subject for item in digest.items]
    assert told == ["main", "p-4", "p-3", "p-2"]
