"""What routes and pages of the back-test share: the history asked for, rules tried, settings changed by right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import Tuning
from api.asking import instant_of
from api.problems import Refused
from api.room import Room
from core.detectors import RuleSetting, SettingScope
from core.errors import InputError
from core.gaps import DayTypes
from core.people import Right
from core.registry import Point
from services.backtest import Backtests, Compared
from services.detecting import Region
from services.detection_past import DaysOff
from services.detection_rules import rules_of
from services.detection_tuning import RuleSettings, tuning_of

USUAL_DAYS: Final = 365
MOST_TRIED: Final = 20
"""Points on which a setting of many is tried before it is set; more would take too long to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The history that is asked for."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a setting would change: by point what the rule told and would tell; `others` were not tried."""

    points: tuple[tuple[Point, Compared], ...]
    others: int

    @property
    def before(self) -> int:
        """How often it spoke."""
        return sum(len(one.before.firings) for _, one in self.points)

    @property
    def after(self) -> int:
        """How often it would speak."""
        return sum(len(one.after.firings) for _, one in self.points)


def span_asked(room: Room, since: str, until: str) -> Span:
    """Return the history asked for, the last year where nothing is."""
    zone, now = room.deps.zone, room.deps.clock()
    end = min(instant_of(until, zone, place="to"), now) if until else now
    start = instant_of(since, zone, place="from") if since else end - timedelta(days=USUAL_DAYS)
    if start >= end:
        raise InputError("the history ends before it begins", place="from", remedy="name an earlier day")
    return Span(since=start, until=end)


def backtests(room: Room) -> Backtests:
    """Return what tries rules on history."""
    whole, deps = room.region, room.region.deps
    facts = deps.facts
    if facts is None:
        raise Refused(503, "This process makes no models, so it tries no rules.")
    return Backtests(
        Region(
            readings=deps.readings,
            records=deps.records,
            register=whole.held.view,
            baselines=whole.baselines,
            days=DaysOff.of(facts.zone, facts.holidays, facts.school),
            day_types=DayTypes(zone=facts.zone, holidays=facts.holidays),
            tables=deps.dated,
        )
    )


def settings_of(room: Room) -> RuleSettings:
    """Return the acts on settings; whether the caller reaches one is to be asked before (`may_set`)."""
    return RuleSettings(room.region.deps.records)


def may_set(room: Room, scope: SettingScope, key: str) -> bool:
    """Return whether the caller may set rules there."""
    if scope is SettingScope.EVERYWHERE:
        return room.access.everywhere(Right.REGISTER)
    now = room.now()
    point = now.points.get(key) if scope is SettingScope.POINT else None
    building = now.buildings.get(key if point is None else point.building)
    if building is None or (scope is SettingScope.POINT and point is None):
        return False
    return room.access.may(Right.REGISTER, organisation=building.organisation, building=building.id)


def check_may_set(room: Room, scope: SettingScope, key: str) -> None:
    """Raise NotFound for a place that is not seen, Refused where the caller may not set rules there."""
    now = room.now()
    if scope is SettingScope.POINT:
        now.point(key)
    elif scope is SettingScope.BUILDING:
        now.building(key)
    if not may_set(room, scope, key):
        raise Refused(403, "You may not set rules there; an administrator can grant it to you.")


def rule_named(name: str) -> Rule:
    """Return the rule of a name; raise InputError."""
    if name not in set(Rule):
        known = ", ".join(sorted(Rule))
        raise InputError(f"no rule is called {name!r}", place="rule", remedy=f"name one of {known}")
    return Rule(name)


def tuned(settings: Sequence[RuleSetting], point: Point, rule: Rule, factor: float) -> Tuning:
    """Return how a point's rules are tuned with one of them otherwise."""
    now = tuning_of(settings, point)
    return replace(now, factors={**now.factors, rule: factor})


def with_setting(settings: Sequence[RuleSetting], wanted: RuleSetting) -> list[RuleSetting]:
    """Return the settings as they would be."""
    return [*(one for one in settings if one.id != wanted.id), wanted]


def tried(room: Room, span: Span, wanted: RuleSetting) -> Tried:
    """Return what a setting would change at the points that it concerns, of many at some of them."""
    now, rule = room.now(), rule_named(wanted.rule)
    concerned = sorted(
        (p for p in now.points.values() if rule in rules_of(p) and _within(p, wanted)), key=lambda p: p.id
    )
    settings = settings_of(room).all()
    changed, tests = with_setting(settings, wanted), backtests(room)
    found = []
    for point in concerned[:MOST_TRIED]:
        both = tuning_of(settings, point), tuning_of(changed, point)
        found.append((point, tests.compare(point, span.since, span.until, rule, both)))
    return Tried(points=tuple(found), others=len(concerned) - len(found))


def _within(point: Point, wanted: RuleSetting) -> bool:
    return (
        wanted.key
        in {
            SettingScope.EVERYWHERE: {""},
            SettingScope.BUILDING: {point.building},
            SettingScope.POINT: {point.id},
        }[wanted.scope]
    )
