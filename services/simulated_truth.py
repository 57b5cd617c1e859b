"""What was found of faults that were planted: found, missed, still to come, nothing to find; and what nobody planted.

A fault counts as found where an alert, or a finding on the curve, of a rule that can speak of it stands on its point
and touches its time; one that was there before the fault began tells of something else. An alert that touches no
planted fault which explains it counts as false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

from core.alerts import Alert, Subject
from core.notes import PointFinding
from core.registry import Meter
from core.simulations import Planted

SLACK: Final = timedelta(days=1)
"""Evidence may begin or end so much beside the fault: a leak is told by nights, a gap begins at the reading before."""


class Outcome(StrEnum):
    """What became of a planted fault."""

    FOUND = "found"
    MISSED = "missed"
    PENDING = "pending"  # it has not begun, or not gone on for long enough to be told from chance
    HARMLESS = "harmless"  # nothing is lost by it, so nothing has to be said
    UNWATCHED = "unwatched"  # its meter stands on no point


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaks:
    """Which rules of alerts and of the curve tell of a kind; after `patience` without them it counts as missed.

    `explained` are rules that may speak of it besides without being wrong.
    """

    rules: frozenset[str] = frozenset()
    findings: frozenset[str] = frozenset()
    explained: frozenset[str] = frozenset()
    patience: timedelta = timedelta(days=2)

    @property
    def harmless(self) -> bool:
        """Whether nothing has to be found."""
        return not (self.rules or self.findings)


def _speaks(rules: str = "", findings: str = "", explained: str = "", days: float = 2) -> Speaks:
    return Speaks(
        rules=frozenset(rules.split()),
        findings=frozenset(findings.split()),
        explained=frozenset(explained.split()),
        patience=timedelta(days=days),
    )


USE: Final = "base_load deviation drift weekend_waste holiday_waste never_zero heating_while_warm pv_below_expected"
"""Rules of how much is used, and when: a fault of the flow or of the dial bends all of them."""
KINDS: Final[Mapping[str, Speaks]] = {
    "leak": _speaks("leak never_zero burst base_load deviation drift", explained=f"{USE} capacity", days=4),
    "burst_flow": _speaks("burst leak", explained=f"{USE} capacity capacity_projected", days=1),
    "stuck": _speaks("stuck", "stuck", explained=f"zeroed dead {USE}", days=5),
    "dead": _speaks("dead gap source_silent", "gap no_later_reading", days=2),
    "gap": _speaks("gap dead", "gap", explained="source_silent"),
    "zero": _speaks("zeroed spike", "glitch break", explained="break"),
    "glitch": _speaks("spike", "glitch break negative", explained="break reversed"),
    "rollover": _speaks(findings="rollover break", explained="break"),
    "swap": _speaks("break", "break swap", explained="spike gap reversed"),
    "unit_change": _speaks("break spike", "break glitch", explained=f"reversed {USE}"),
    "late": _speaks(explained="dead gap source_silent"),
    "duplicate": _speaks(),
    "revised": _speaks(findings="revision", explained="spike"),
    "out_of_order": _speaks(explained="dead gap"),
    "clock_drift": _speaks(explained="gap"),
    "burst_messages": _speaks(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A planted fault and what became of it; `rules` spoke of it. `delay` to the first alert, None where none did."""

    planted: Planted
    point: str
    building: str
    outcome: Outcome
    rules: tuple[str, ...] = ()
    alert: str = ""
    delay: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """Of the alerts of a rule on simulated meters: how many a planted fault explains, and how many none does."""

    rule: str
    right: int
    false: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that was found against everything that was planted; `delay` is the median one."""

    judged: tuple[Judged, ...]
    rules: tuple[RuleScore, ...]
    false: tuple[Alert, ...]

    def count(self, outcome: Outcome) -> int:
        """Return how many faults ended so."""
        return sum(one.outcome is outcome for one in self.judged)

    @property
    def delay(self) -> timedelta | None:
        """The median delay of what alerts found, None where they found nothing."""
        known = [one.delay.total_seconds() for one in self.judged if one.delay is not None]
        return timedelta(seconds=median(known)) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the meters of names stand: their points, their ids, and the buildings of points."""

    points: Mapping[str, frozenset[str]]
    meters: Mapping[str, frozenset[str]]
    buildings: Mapping[str, str]

    @classmethod
    def of(cls, meters: Sequence[Meter], buildings: Mapping[str, str]) -> "Places":
        """Return the places of the register's meters; `buildings` are those of points."""
        points: dict[str, set[str]] = {}
        ids: dict[str, set[str]] = {}
        for meter in meters:
            points.setdefault(meter.device, set()).add(meter.point)
            ids.setdefault(meter.device, set()).add(meter.id)
        return cls(
            points={name: frozenset(some) for name, some in points.items()},
            meters={name: frozenset(some) for name, some in ids.items()},
            buildings=buildings,
        )

    def points_of(self, devices: Sequence[str]) -> frozenset[str]:
        """Return the points on which these names stand."""
        return frozenset(point for name in devices for point in self.points.get(name, ()))

    def subjects_of(self, devices: Sequence[str]) -> frozenset[str]:
        """Return all by which an alert may name meters of these names."""
        ids = {key for name in devices for key in self.meters.get(name, ())}
        return self.points_of(devices) | ids | frozenset(devices)


def speaks_of(planted: Planted) -> Speaks:
    """Return what tells of a fault; what a unit stated, or a recorded swap, explains has nothing to find."""
    told = planted.detail
    if (planted.kind == "unit_change" and told.get("stated")) or (planted.kind == "swap" and told.get("recorded")):
        return Speaks(explained=KINDS[planted.kind].explained | KINDS[planted.kind].rules)
    if planted.kind == "duplicate" and told.get("add"):
        return KINDS["revised"]
    return KINDS[planted.kind]


def compared(
    planted: Sequence[Planted],
    devices: Sequence[str],
    places: Places,
    *,
    alerts: Sequence[Alert],
    findings: Sequence[PointFinding],
    now: datetime,
) -> Comparison:
    """Return what alerts and findings say of the faults that were planted on these devices."""
    judged = tuple(_judged(one, places, alerts, findings, now) for one in planted)
    mine = [alert for alert in alerts if _concerns(alert, places.subjects_of(devices))]
    wrong = tuple(alert for alert in mine if not any(_explains(one, alert, places) for one in planted))
    names = {alert.id for alert in wrong}
    rules = tuple(
        RuleScore(
            rule=rule,
            right=sum(alert.rule == rule and alert.id not in names for alert in mine),
            false=sum(alert.rule == rule for alert in wrong),
        )
        for rule in sorted({alert.rule for alert in mine})
    )
    return Comparison(judged=judged, rules=rules, false=wrong)


def _concerns(alert: Alert, subjects: frozenset[str]) -> bool:
    return alert.subject in subjects or bool(subjects.intersection(alert.covers))


def _touches(planted: Planted, start: datetime, end: datetime) -> bool:
    until = planted.until
    return end >= planted.since - SLACK and (until is None or start <= until + SLACK)


def _explains(planted: Planted, alert: Alert, places: Places) -> bool:
    speaks = speaks_of(planted)
    if alert.kind is Subject.SOURCE and alert.rule not in speaks.rules | speaks.explained:
        return False
    return (
        alert.rule in speaks.rules | speaks.explained
        and _concerns(alert, places.subjects_of(planted.devices))
        and _touches(planted, alert.at_from, alert.seen_to)
    )


def _judged(
    planted: Planted, places: Places, alerts: Sequence[Alert], findings: Sequence[PointFinding], now: datetime
) -> Judged:
    points = places.points_of(planted.devices)
    speaks = speaks_of(planted)
    telling = sorted(
        (
            alert
            for alert in alerts
            if alert.rule in speaks.rules and alert.opened_at >= planted.since and _explains(planted, alert, places)
        ),
        key=lambda alert: alert.opened_at,
    )
    told = {
        found.finding.rule.value
        for found in findings
        if found.point in points
        and found.finding.rule.value in speaks.findings
        and found.finding.at_to >= planted.since
        and _touches(planted, found.finding.at_from, found.finding.at_to)
    }
    first = telling[0] if telling else None
    point = min(points, default="")
    return Judged(
        planted=planted,
        point=point,
        building=places.buildings.get(point, ""),
        outcome=_outcome(planted, speaks, bool(telling or told), bool(points), now),
        rules=tuple(sorted({alert.rule for alert in telling} | told)),
        alert=first.id if first else "",
        delay=max(first.opened_at - planted.known_from, timedelta(0)) if first else None,
    )


def _outcome(planted: Planted, speaks: Speaks, found: bool, placed: bool, now: datetime) -> Outcome:  # noqa: FBT001 - two answers of many
    if found:
        return Outcome.FOUND
    if speaks.harmless:
        return Outcome.HARMLESS
    if not placed:
        return Outcome.UNWATCHED
    return Outcome.PENDING if now < planted.known_from + speaks.patience else Outcome.MISSED
