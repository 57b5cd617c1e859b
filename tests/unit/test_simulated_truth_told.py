"""What became of planted faults: found, missed, still to come, nothing to find, not watched; and what is false."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.alerts import Alert, Severity, State, Subject, alert_id
from core.notes import Finding, PointFinding, Rule
from core.registry import Meter
from core.simulations import Planted
from services.simulated_truth import Comparison, Outcome, Places, compared

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(days=10)
METERS = [
    Meter(id="M1", point="P1", device="sim-1-a", mounted=datetime(2020, 1, 1, tzinfo=UTC)),
    Meter(id="M2", point="P2", device="sim-1-b", mounted=datetime(2020, 1, 1, tzinfo=UTC)),
]
PLACES = Places.of(METERS, {"P1": "B1", "P2": "B1"})


def planted(kind: str, *, device: str = "sim-1-a", days_ago: float = 8.0, days: float | None = None) -> Planted:
    since = NOW - timedelta(days=days_ago)
    return Planted(
        device=device,
        devices=(device,),
        register="volume.total",
        kind=kind,
        since=since,
        until=None if days is None else since + timedelta(days=days),
        known_from=max(since, BEGAN),
        by="zkousec",
    )


def alert(rule: str, *, subject: str = "P1", kind: Subject = Subject.POINT, days_ago: float = 6.0) -> Alert:
    at = NOW - timedelta(days=days_ago)
    return Alert(
        id=alert_id(f"{rule}|{kind}|{subject}", at),
        key=f"{rule}|{kind}|{subject}",
        rule=rule,
        kind=kind,
        subject=subject,
        building="B1",
        state=State.OPEN,
        severity=Severity.LOW,
        opened_at=at,
        changed_at=at,
        at_from=at,
        seen_to=NOW,
    )


def made(*faults: Planted, alerts: tuple[Alert, ...] = (), findings: tuple[PointFinding, ...] = ()) -> Comparison:
    return compared(faults, ["sim-1-a", "sim-1-b"], PLACES, alerts=alerts, findings=findings, now=NOW)


def test_an_alert_of_a_fitting_rule_finds_a_fault_and_tells_the_delay() -> None:
    found = made(planted("leak"), alerts=(alert("leak"),))
    assert found.judged[0].outcome is Outcome.FOUND
    assert found.judged[0].delay == timedelta(days=2) == found.delay
    assert found.judged[0].rules == ("leak",)
    assert found.false == ()
    assert [(r.rule, r.right, r.false) for r in found.rules] == [("leak", 1, 0)]


def test_of_history_the_delay_counts_from_when_it_could_be_seen() -> None:
    found = made(planted("leak", days_ago=100), alerts=(alert("leak", days_ago=9),))
    assert found.judged[0].delay == timedelta(days=1)


def test_an_alert_on_the_meter_itself_finds_it_too() -> None:
    found = made(planted("dead"), alerts=(alert("dead", subject="M1", kind=Subject.METER),))
    assert found.judged[0].outcome is Outcome.FOUND


def test_an_alert_that_was_there_before_tells_of_something_else() -> None:
    found = made(planted("leak", days_ago=5), alerts=(alert("leak", days_ago=6),))
    assert found.judged[0].outcome is Outcome.MISSED


@pytest.mark.parametrize(
    "other",
    [alert("leak", subject="P2"), alert("capacity"), alert("break"), replace(alert("leak"), subject="P9")],
)
def test_an_alert_elsewhere_or_of_another_rule_finds_nothing(other: Alert) -> None:
    assert made(planted("leak"), alerts=(other,)).judged[0].outcome is Outcome.MISSED


def test_an_alert_that_no_fault_explains_is_false_and_one_elsewhere_is_not_counted() -> None:
    found = made(planted("leak"), alerts=(alert("leak"), alert("break"), alert("leak", subject="P9")))
    assert [a.rule for a in found.false] == ["break"]
    assert {r.rule: (r.right, r.false) for r in found.rules} == {"leak": (1, 0), "break": (0, 1)}


def test_a_fault_explains_more_than_what_finds_it() -> None:
    found = made(planted("late", days=1), alerts=(alert("gap", days_ago=7),))
    assert found.judged[0].outcome is Outcome.HARMLESS
    assert found.false == ()


def test_an_alert_long_after_the_fault_ended_is_false() -> None:
    found = made(planted("gap", days_ago=8, days=1), alerts=(alert("gap", days_ago=2),))
    assert found.judged[0].outcome is Outcome.MISSED
    assert len(found.false) == 1


def test_a_fault_that_just_began_or_is_to_come_is_not_missed_yet() -> None:
    found = made(planted("leak", days_ago=1), planted("dead", days_ago=-1))
    assert [one.outcome for one in found.judged] == [Outcome.PENDING, Outcome.PENDING]


def test_a_meter_on_no_point_is_not_watched() -> None:
    found = made(planted("leak", device="sim-1-c"), planted("burst_messages", device="sim-1-c", days=1))
    assert [one.outcome for one in found.judged] == [Outcome.UNWATCHED, Outcome.HARMLESS]


def test_a_question_on_the_curve_finds_a_swap_that_nobody_recorded() -> None:
    since = NOW - timedelta(days=8)
    finding = Finding(
        meter="sim-1-a",
        register="volume.total",
        rule=Rule.BREAK,
        at_from=since - timedelta(hours=1),
        at_to=since + timedelta(hours=1),
    )
    swap = replace(planted("swap", days=0), detail={"recorded": False})
    found = made(swap, findings=(PointFinding(point="P1", finding=finding, open=True),))
    assert (found.judged[0].outcome, found.judged[0].rules, found.judged[0].delay) == (Outcome.FOUND, ("break",), None)


@pytest.mark.parametrize(
    ("kind", "detail", "outcome"),
    [
        ("unit_change", {"stated": True}, Outcome.HARMLESS),
        ("unit_change", {"stated": False}, Outcome.MISSED),
        ("swap", {"recorded": True}, Outcome.HARMLESS),
        ("duplicate", {"add": 0.0}, Outcome.HARMLESS),
        ("duplicate", {"add": 2.0}, Outcome.MISSED),
    ],
)
def test_what_explains_itself_needs_not_be_found(kind: str, detail: dict[str, object], outcome: Outcome) -> None:
    assert made(replace(planted(kind, days=0.5), detail=detail)).judged[0].outcome is outcome
