"""The life of an alert: whatever is done to it in whatever order, it stays legal and its history grows one way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import lifecycle as life
from alerts.lifecycle import Did, Step
from core.alerts import ACTIVE, LEAVES_IN_PEACE, Alert, Cause, Detection, Severity, State, alert_id
from core.errors import Conflict, InputError, OdecetError

NOW = datetime(2026, 3, 28, 22, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def leak(**changes: object) -> Detection:
    fields: dict[str, object] = {"subject": "p-1", "rule": "leak", "at_from": NOW - DAY, "at_to": NOW, "found_at": NOW}
    return Detection(**fields | changes)  # type: ignore[arg-type]  # of the names above


def fresh(**changes: object) -> Alert:
    return life.opened(leak(**changes), "b-1", NOW).alert


Act = Callable[[Alert, datetime], Step]
seconds = st.integers(-7200, 40 * 86_400)
people = st.sampled_from(["eva", "jan"])


def look(t: datetime, **changes: object) -> Detection:
    return leak(at_to=max(t, NOW - DAY), found_at=t, **changes)


def act(name: str, who: str, cause: Cause, severity: Severity, ahead_s: int) -> Act:
    return {
        "seen": lambda a, t: life.seen(a, look(t, severity=severity), t),
        "ended": lambda a, t: life.seen(a, look(t, going_on=False), t),
        "gone": life.gone,
        "absorbed": lambda a, t: life.absorbed(a, "other", t),
        "narrowed": lambda a, t: life.narrowed(a, look(t, subject=f"p-{who}"), "b-1", t),
        "acknowledge": lambda a, t: life.acknowledge(a, who, t),
        "assign": lambda a, t: life.assign(a, who, "boss", t),
        "snooze": lambda a, t: life.snooze(a, t + timedelta(seconds=ahead_s), who, t),
        "wake": life.wake,
        "comment": lambda a, t: life.comment(a, f"{who} was there", who, t),
        "resolve": lambda a, t: life.resolve(a, cause, "pračka", who, t),
    }[name]


NAMES = [
    *("seen", "ended", "gone", "absorbed", "narrowed", "acknowledge"),
    *("assign", "snooze", "wake", "comment", "resolve"),
]
acts = st.builds(
    act,
    st.sampled_from(NAMES),
    people,
    st.sampled_from(list(Cause)),
    st.sampled_from(list(Severity)),
    st.integers(-3600, 200 * 86_400),
)
lives = st.lists(st.tuples(acts, seconds), max_size=30)


def legal(alert: Alert) -> None:
    assert (alert.state is State.SNOOZED) == (alert.snoozed_until is not None)
    assert (alert.state is State.ASSIGNED) <= bool(alert.assignee)
    assert (alert.state in ACTIVE) == (alert.ended_at is None)
    assert (alert.state is State.RESOLVED) == bool(alert.cause) == bool(alert.resolved_by)
    assert (alert.acknowledged_at is None) == (not alert.acknowledged_by)
    assert (alert.state is State.ACKNOWLEDGED) <= (alert.acknowledged_at is not None)
    assert not (alert.state is State.OPEN and alert.acknowledged_at)
    assert bool(alert.part_of) <= (alert.state in {State.CLOSED, State.RESOLVED})
    assert alert.standing or alert.state not in ACTIVE
    assert alert.opened_at <= alert.changed_at
    assert alert.at_from <= alert.seen_to


@given(lives)
def test_whatever_is_done_an_alert_is_legal_and_its_history_runs_one_way(life_of: list[tuple[Act, int]]) -> None:
    alert, at, trail = fresh(), NOW, []
    for do, later_s in life_of:
        at += timedelta(seconds=later_s)
        try:
            step = do(alert, at)
        except (Conflict, InputError):
            continue
        legal(step.alert)
        assert step.alert.id == alert.id
        assert (step.entry is None) == (step.did is None)
        assert step.alert.revision == alert.revision + (step.alert != alert)
        assert step.alert.changed_at >= alert.changed_at
        assert step.alert.told >= alert.told
        assert step.alert.reopened == alert.reopened + (step.did is Did.REOPENED)
        if step.entry is None:
            assert (step.alert.state, step.alert.changed_at) == (alert.state, alert.changed_at)
        else:
            assert step.entry.at == step.alert.changed_at
            assert step.entry.before is not None
            assert step.entry.before["state"] == alert.state
            trail.append(step.entry)
        alert = step.alert
    assert [e.at for e in trail] == sorted(e.at for e in trail)
    for before, after in pairwise(trail):
        assert after.before is not None
        assert before.after is not None
        assert after.before["state"] == before.after["state"]


@given(lives, acts)
def test_doing_the_same_again_changes_nothing(life_of: list[tuple[Act, int]], last: Act) -> None:
    alert, at = fresh(), NOW
    for do, later_s in life_of:
        at += timedelta(seconds=abs(later_s))
        try:
            alert = do(alert, at).alert
        except OdecetError:
            continue
    try:
        once = last(alert, at)
        again = last(once.alert, at)
    except OdecetError:
        return
    assert again == Step(alert=once.alert)


def test_the_same_fault_found_anywhere_at_any_time_has_one_id() -> None:
    first = life.opened(leak(), "b-1", NOW).alert
    other = life.opened(leak(loss_per_day=3.0), "b-1", NOW + HOUR).alert
    assert first.id == other.id == alert_id("leak|point|p-1", NOW - DAY)
    assert fresh(at_from=NOW - HOUR).id != first.id
    assert fresh(rule="burst").id != first.id


def test_it_closes_by_itself_and_is_open_again_when_the_evidence_returns() -> None:
    noted = life.assign(fresh(), "jan", "eva", NOW + HOUR).alert
    closed = life.gone(noted, NOW + DAY)
    assert (closed.alert.state, closed.alert.ended_at, closed.did) == (State.CLOSED, NOW + DAY, Did.CLOSED)
    back = life.seen(closed.alert, leak(at_from=NOW + 2 * DAY, at_to=NOW + 3 * DAY), NOW + 3 * DAY)
    assert (back.alert.state, back.did, back.alert.reopened) == (State.OPEN, Did.REOPENED, 1)
    assert (back.alert.assignee, back.alert.acknowledged_at) == ("", None)
    assert back.alert.at_from == NOW + 2 * DAY
    assert back.alert.told == closed.alert.told + 1


def test_a_repair_is_believed_until_the_evidence_outlives_it() -> None:
    mended = life.resolve(fresh(), Cause.REPAIRED, "ventil", "jan", NOW).alert
    soon = life.seen(mended, leak(at_to=NOW + life.GRACE - HOUR), NOW + DAY)
    assert (soon.did, soon.alert.state) == (None, State.RESOLVED)
    late = life.seen(soon.alert, leak(at_to=NOW + life.GRACE), NOW + 2 * DAY)
    assert (late.did, late.alert.state, late.alert.cause) == (Did.REOPENED, State.OPEN, "")


@pytest.mark.parametrize("cause", sorted(LEAVES_IN_PEACE))
def test_what_is_so_and_stays_so_rings_no_more_until_it_ends_and_returns(cause: Cause) -> None:
    kept = life.resolve(fresh(), cause, "bazén", "jan", NOW).alert
    for day in range(1, 60):
        step = life.seen(kept, leak(at_to=NOW + day * DAY), NOW + day * DAY)
        assert step.did is None
        kept = step.alert
    ended = life.gone(kept, NOW + 60 * DAY)
    assert (ended.did, ended.alert.state, ended.alert.standing) == (None, State.RESOLVED, False)
    returned = life.seen(ended.alert, leak(at_from=NOW + 90 * DAY, at_to=NOW + 91 * DAY), NOW + 91 * DAY)
    assert returned.did is Did.REOPENED


def test_a_rest_ends_at_its_time_or_when_it_gets_worse() -> None:
    resting = life.snooze(life.assign(fresh(), "jan", "eva", NOW).alert, NOW + DAY, "jan", NOW).alert
    assert life.wake(resting, NOW + HOUR).alert is resting
    awake = life.wake(resting, NOW + DAY)
    assert (awake.alert.state, awake.did) == (State.ASSIGNED, Did.WOKEN)
    worse = life.seen(resting, leak(at_to=NOW + HOUR, severity=Severity.HIGH), NOW + HOUR)
    assert (worse.alert.state, worse.did, worse.alert.severity) == (State.ASSIGNED, Did.RISEN, Severity.HIGH)
    assert life.gone(resting, NOW + HOUR).alert.state is State.CLOSED


def test_severity_does_not_fall_while_the_fault_stands() -> None:
    high = fresh(severity=Severity.HIGH)
    low = life.seen(high, leak(at_to=NOW + HOUR, severity=Severity.LOW, loss_per_day=0.2), NOW + HOUR)
    assert (low.alert.severity, low.alert.loss_per_day, low.entry) == (Severity.HIGH, 0.2, None)


def test_older_evidence_takes_nothing_back() -> None:
    newest = life.seen(fresh(), leak(at_to=NOW + DAY, loss_per_day=5.0), NOW + DAY).alert
    older = life.seen(newest, leak(at_to=NOW + HOUR, loss_per_day=1.0), NOW + DAY)
    assert older.alert == newest


def test_what_ended_is_not_worked_on_but_may_be_told_its_cause() -> None:
    closed = life.gone(fresh(), NOW + HOUR).alert
    for refused in (
        lambda: life.acknowledge(closed, "eva", NOW + DAY),
        lambda: life.assign(closed, "jan", "eva", NOW + DAY),
        lambda: life.snooze(closed, NOW + 2 * DAY, "eva", NOW + DAY),
    ):
        with pytest.raises(Conflict, match="is closed"):
            refused()
    told = life.resolve(closed, Cause.OPERATION, "kohoutek", "jan", NOW + DAY).alert
    assert (told.state, told.cause, told.ended_at) == (State.RESOLVED, Cause.OPERATION, NOW + HOUR)
    with pytest.raises(Conflict, match="resolved already by jan"):
        life.resolve(told, Cause.METER, "", "eva", NOW + DAY)


def test_what_cannot_be_right_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="say what it was"):
        life.resolve(fresh(), Cause.OTHER, "  ", "jan", NOW)
    with pytest.raises(InputError, match="within 180 days"):
        life.snooze(fresh(), NOW, "jan", NOW)
    with pytest.raises(InputError, match="has no offset"):
        life.snooze(fresh(), NOW.replace(tzinfo=None) + DAY, "jan", NOW)
    with pytest.raises(InputError, match="at most 2000"):
        life.comment(fresh(), "x" * 2001, "jan", NOW)
    with pytest.raises(InputError, match="name who"):
        life.assign(fresh(), " ", "eva", NOW)
    with pytest.raises(InputError, match="ends before it begins"):
        leak(at_to=NOW - 2 * DAY)
    with pytest.raises(InputError, match="has no offset"):
        leak(found_at=NOW.replace(tzinfo=None))


def test_a_clock_that_is_behind_does_not_turn_history_round() -> None:
    later = life.acknowledge(fresh(), "eva", NOW + HOUR).alert
    step = life.assign(later, "jan", "eva", NOW)
    assert step.entry is not None
    assert step.entry.at == NOW + HOUR
    assert replace(later, state=State.ASSIGNED, assignee="jan", revision=3) == step.alert
