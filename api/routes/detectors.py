"""/api/v1/detectors and the back-test: which rules there are, how they are set, what they would have told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from alerts.wording import title
from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import FIXED, Tuning
from api import detector_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.detector_texts import looks_for, threshold
from api.documents import convert, read_object
from api.room import Body, Caller, InRoom, Room
from api.routes.consumption import From, To
from api.trying import backtests, check_may_set, rule_named, settings_of, span_asked, tuned
from core.detectors import LEAST_FACTOR, MOST_FACTOR, RuleSetting, SettingScope
from core.errors import InputError
from core.evidence import numbers
from core.notes import AuditEntry, JsonValue
from core.people import Right
from core.registry import Point
from services.backtest import Firing, RuleTest
from services.detection_rules import rules_of
from services.detection_tuning import effective, tuning_of

router = APIRouter(prefix="/api/v1", tags=["alerts"], dependencies=[allowed(Right.SEE)])

Key = Annotated[str, Path(description="The point's id.", examples=["B01-SV"])]
Factor = Annotated[
    float | None,
    Query(description="Threshold to try, times the usual; else as it is set.", examples=[1.25], ge=0.5, le=4.0),
]


class SettingLine(msgspec.Struct, frozen=True):
    """How a rule is set at a point, in a building, or everywhere; null where it leaves that to the wider one."""

    scope: str
    key: str
    rule: str
    enabled: bool | None
    factor: float | None
    why: str
    by: str
    changed: datetime

    @classmethod
    def of(cls, setting: RuleSetting) -> "SettingLine":
        """Return the JSON form."""
        return cls(**{name: getattr(setting, name) for name in cls.__struct_fields__})


class RuleLine(msgspec.Struct, frozen=True):
    """A rule: what it looks for, and its threshold, which a factor multiplies where it is tunable."""

    rule: str
    title: str
    looks_for: str
    threshold: str
    tunable: bool


class DetectorList(msgspec.Struct, frozen=True):
    """All rules, and how they are set; factors lie between the least and the most."""

    rules: Sequence[RuleLine]
    settings: Sequence[SettingLine]
    least_factor: float
    most_factor: float


class FiringLine(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A time at which a rule would have spoken; `raised` is when it could first be told."""

    since: datetime
    until: datetime
    raised: datetime
    going_on: bool
    hours: float
    severity: str
    unit: str
    loss_per_day: float | None
    loss_czk_per_day: float | None
    lost: float | None
    lost_czk: float | None
    evidence: Mapping[str, JsonValue]

    @classmethod
    def of(cls, one: Firing, *, series: bool) -> "FiringLine":
        """Return the JSON form, with the series of its chart where they are asked for."""
        said = one.detection
        return cls(
            since=said.at_from,
            until=said.at_to,
            raised=one.raised_at,
            going_on=said.going_on,
            hours=one.hours,
            severity=said.severity.value,
            unit=said.unit,
            loss_per_day=said.loss_per_day,
            loss_czk_per_day=said.loss_czk_per_day,
            lost=one.lost,
            lost_czk=one.lost_czk,
            evidence=dict(said.evidence) if series else numbers(said.evidence),
        )


class RuleTestLine(msgspec.Struct, frozen=True):
    """What a rule would have told; `gone` and `new` are what changes against how it is set."""

    rule: str
    title: str
    enabled: bool
    factor: float
    tried_with: float
    times: int
    hours: float
    lost: float | None
    unit: str
    lost_czk: float | None
    firings: Sequence[FiringLine]
    gone: Sequence[FiringLine]
    new: Sequence[FiringLine]


class BacktestAnswer(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """What the rules of a point would have told over a time."""

    point: str
    since: datetime
    until: datetime
    rules: Sequence[RuleTestLine]


class SettingWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting to make: whether the rule is on, its factor; null leaves that to the wider setting."""

    scope: SettingScope
    rule: str
    key: str = ""
    enabled: bool | None = None
    factor: float | None = None
    why: str = ""


class ChangeLine(msgspec.Struct, frozen=True):
    """A change of a setting: what it was and is; null: no setting."""

    id: int
    at: datetime
    by: str
    why: str
    scope: str
    key: str
    rule: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "ChangeLine":
        """Return the JSON form."""
        told = entry.after or entry.before or {}
        return cls(
            id=entry.id,
            at=entry.at,
            by=entry.by,
            why=entry.why,
            scope=str(told.get("scope", "")),
            key=str(told.get("key", "")),
            rule=str(told.get("rule", "")),
            before=_short(entry.before),
            after=_short(entry.after),
        )


class ChangeList(msgspec.Struct, frozen=True):
    """Changes of settings that concern a point, the newest first."""

    items: Sequence[ChangeLine]


class UndoWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which change is to be undone."""

    change: int


def _short(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if state is None else {name: state.get(name) for name in ("enabled", "factor")}


@router.get(
    "/detectors",
    operation_id="list_detectors",
    summary="Which rules look at points, and how they are set",
    **documented(DetectorList, examples.LIST, errors=(401, 503)),
)
def list_detectors(room: InRoom) -> Response:
    """Return the rules and the settings that the caller sees."""
    now, language = room.now(), room.deps.locale
    seen = [s for s in settings_of(room).all() if not s.key or s.key in now.points or s.key in now.buildings]
    lines = [
        RuleLine(rule, title(rule, language), looks_for(rule, language), threshold(rule, language), rule not in FIXED)
        for rule in Rule
    ]
    return as_json(DetectorList(lines, [SettingLine.of(one) for one in seen], LEAST_FACTOR, MOST_FACTOR))


@router.get(
    "/points/{key:path}/backtest",
    operation_id="backtest_point",
    summary="When rules would have fired over a point's history, for how long, at what loss",
    **documented(BacktestAnswer, examples.BACKTEST, errors=(401, 404, 422, 503)),
)
def backtest_point(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    key: Key,
    rule: Annotated[list[str], Query(description="These rules; else all of the point.", examples=[["leak"]])] = [],  # noqa: B006 - FastAPI copies it
    factor: Factor = None,
    start: From = "",
    end: To = "",
    evidence: Annotated[bool, Query(description="With the series of charts.", examples=[False])] = False,  # noqa: FBT002 - the API's word
) -> Response:
    """Return what rules would have told, as they are set or with another threshold."""
    point, span = room.now().point(key), span_asked(room, start, end)
    wanted = [rule_named(name) for name in rule] or sorted(rules_of(point))
    if factor is not None and len(wanted) != 1:
        raise InputError("a threshold is tried with one rule", place="factor", remedy="name one rule")
    settings, tests = settings_of(room).all(), backtests(room)
    lines = []
    if factor is not None:
        usual = replace_off(tuning_of(settings, point))
        both = usual, replace_off(tuned(settings, point, wanted[0], factor))
        found = tests.compare(point, span.since, span.until, wanted[0], both)
        lines = [_line(room, point, found.after, settings, factor, (found.gone, found.new), series=evidence)]
    else:
        made = tests.run(point, span.since, span.until, tuning=tuning_of(settings, point), rules=wanted)
        lines = [_line(room, point, one, settings, None, ((), ()), series=evidence) for one in made.rules]
    return as_json(BacktestAnswer(point=key, since=span.since, until=span.until, rules=lines))


def replace_off(tuning: Tuning) -> Tuning:
    """Return a tuning in which no rule is off: a rule is tried before it is switched on."""
    return Tuning(factors=tuning.factors)


def _line(  # noqa: PLR0917 - the parts of one line
    room: Room,
    point: Point,
    one: RuleTest,
    settings: Sequence[RuleSetting],
    factor: float | None,
    apart: tuple[Sequence[Firing], Sequence[Firing]],
    *,
    series: bool,
) -> RuleTestLine:
    holds = effective(settings, point, one.rule)
    unit = one.firings[0].detection.unit if one.firings else ""
    return RuleTestLine(
        rule=one.rule.value,
        title=title(one.rule, room.deps.locale),
        enabled=holds.enabled,
        factor=holds.factor,
        tried_with=holds.factor if factor is None else factor,
        times=len(one.firings),
        hours=round(one.hours, 3),
        lost=one.lost(unit),
        unit=unit,
        lost_czk=one.lost_czk,
        firings=[FiringLine.of(f, series=series) for f in one.firings],
        gone=[FiringLine.of(f, series=False) for f in apart[0]],
        new=[FiringLine.of(f, series=False) for f in apart[1]],
    )


@router.put(
    "/detectors/settings",
    dependencies=[allowed(Right.REGISTER)],
    operation_id="set_detector",
    summary="Switch a rule on or off, or set its threshold, at a point, in a building or everywhere",
    **documented(
        SettingLine, examples.SETTING, body=SettingWish, body_example=examples.WISH, errors=(401, 404, 422, 503)
    ),
)
def set_detector(room: InRoom, by: Caller, body: Body) -> Response:
    """Set a rule; a wish that says neither removes the setting."""
    wish = convert(read_object(body), SettingWish)
    return as_json(SettingLine.of(set_rule(room, wish, by=by)))


def set_rule(room: Room, wish: SettingWish, *, by: str) -> RuleSetting:
    """Set a rule where the caller may; return the setting."""
    check_may_set(room, wish.scope, wish.key)
    made = RuleSetting(
        scope=wish.scope,
        key=wish.key,
        rule=rule_named(wish.rule).value,
        changed=room.deps.clock(),
        by=by,
        enabled=wish.enabled,
        factor=wish.factor,
        why=wish.why.strip(),
    )
    return settings_of(room).set(made)


@router.get(
    "/points/{key:path}/detector-changes",
    operation_id="list_detector_changes",
    summary="How the rules of a point were changed, by people and by their answers",
    **documented(ChangeList, examples.CHANGES, errors=(401, 404, 422, 503)),
)
def list_detector_changes(room: InRoom, key: Key) -> Response:
    """Return the changes that concern a point."""
    point = room.now().point(key)
    return as_json(ChangeList([ChangeLine.of(entry) for entry in settings_of(room).history(point)]))


@router.post(
    "/detectors/undo",
    dependencies=[allowed(Right.REGISTER)],
    operation_id="undo_detector_change",
    summary="Bring back what a setting was before a change",
    **documented(
        ChangeList, examples.CHANGES, body=UndoWish, body_example=examples.UNDO, errors=(401, 404, 409, 422, 503)
    ),
)
def undo_detector_change(room: InRoom, by: Caller, body: Body) -> Response:
    """Undo a change where the caller may set the rule."""
    return as_json(ChangeList([ChangeLine.of(undo(room, convert(read_object(body), UndoWish).change, by=by))]))


def undo(room: Room, change: int, *, by: str) -> AuditEntry:
    """Undo a change where the caller may; return it."""
    found = settings_of(room).change(change)
    line = ChangeLine.of(found)
    check_may_set(room, SettingScope(line.scope), line.key)
    settings_of(room).undo(change, by=by, now=room.deps.clock())
    return found
