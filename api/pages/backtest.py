"""Rules tried on history: what they would have told, how they are set, and what a change would do before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from alerts.chart import Chart, evidence_chart
from alerts.evidence_words import told
from alerts.lifecycle import opened
from alerts.wording import title
from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import FIXED
from api.access import allowed
from api.detector_texts import looks_for, threshold
from api.pages.forms import number_of
from api.pages.view import Seen, Viewer, back
from api.routes.detectors import ChangeLine, SettingWish, replace_off, set_rule, undo
from api.trying import Span, backtests, may_set, rule_named, settings_of, span_asked, tried, tuned
from core.detectors import LEAST_FACTOR, MOST_FACTOR, RuleSetting, SettingScope
from core.errors import InputError
from core.people import Right
from core.registry import Building, Point
from services.backtest import Compared, Firing
from services.detection_rules import rules_of
from services.detection_tuning import Effective, effective, tuning_of

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

SHOWN_CHANGES: Final = 30
MOST_FIRINGS: Final = 200


class Trial(BaseModel):
    """What is tried at a point, as the form says it; empty: as it is set."""

    rule: str = ""
    factor: str = ""
    start: str = ""
    until: str = ""
    show: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule at a point: what holds, and how often it would have spoken (None: it was not asked)."""

    rule: Rule
    holds: Effective
    times: int
    hours: float
    czk: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A firing as shown: `fate` says whether it would vanish (gone), come (new) or stay."""

    firing: Firing
    fate: str
    link: str


@router.get("/points/{key:path}/backtest")
def of_point(v: Seen, key: str, trial: Annotated[Trial, Query()]) -> Response:
    """Show what the rules of a point would have told over a time, one of them in full."""
    now = v.room.now()
    point = now.point(key)
    span = span_asked(v.room, trial.start, _through(trial.until))
    rules = sorted(rules_of(point), key=lambda rule: title(rule, v.words.code))
    chosen = rule_named(trial.rule) if trial.rule else None
    shown = _one(v, point, chosen, trial, span) if chosen is not None else {"compared": None}
    return v.page(
        "backtest.html",
        point=point,
        building=now.buildings.get(point.building),
        trial=trial,
        span=span,
        last=(span.until - timedelta(seconds=1)).astimezone(v.room.deps.zone).date(),
        first=span.since.astimezone(v.room.deps.zone).date(),
        lines=[] if chosen is not None else _lines(v, point, rules, span),
        rules=rules,
        chosen=chosen,
        changes=_changes(v, point, chosen),
        may_set=may_set(v.room, SettingScope.POINT, key),
        **shown,
        **_words(v),
    )


def _through(until: str) -> str:
    """Return the day after one that is asked for as the last, as the end of a span."""
    return str(date.fromisoformat(until) + timedelta(days=1)) if len(until) == len("2026-01-31") else until


def _words(v: Viewer) -> dict[str, Any]:
    code = v.words.code
    return {
        "title": lambda rule: title(str(rule), code),
        "looks_for": lambda rule: looks_for(Rule(rule), code),
        "threshold": lambda rule: threshold(Rule(rule), code),
        "fixed": lambda rule: rule in FIXED,
        "least": LEAST_FACTOR,
        "most": MOST_FACTOR,
    }


def _lines(v: Viewer, point: Point, rules: Sequence[Rule], span: Span) -> list[Line]:
    """Return what each rule of a point would have told as it is set, were it on."""
    settings = settings_of(v.room).all()
    made = backtests(v.room).run(point, span.since, span.until, tuning=tuning_of(settings, point), rules=rules)
    tests = {one.rule: one for one in made.rules}
    return [
        Line(
            rule=rule,
            holds=effective(settings, point, rule),
            times=len(tests[rule].firings),
            hours=tests[rule].hours,
            czk=tests[rule].lost_czk,
        )
        for rule in rules
    ]


def _one(v: Viewer, point: Point, rule: Rule, trial: Trial, span: Span) -> dict[str, Any]:
    """Return what one rule would have told as it is set and as it would be."""
    settings = settings_of(v.room).all()
    holds = effective(settings, point, rule)
    factor = number_of(trial.factor, place="factor") if trial.factor else None
    factor = holds.factor if factor is None else factor
    if not LEAST_FACTOR <= factor <= MOST_FACTOR:
        raise InputError(
            f"{factor} is no factor", place="factor", remedy=f"write one from {LEAST_FACTOR} to {MOST_FACTOR:g}"
        )
    both = replace_off(tuning_of(settings, point)), replace_off(tuned(settings, point, rule, factor))
    found = backtests(v.room).compare(point, span.since, span.until, rule, both)
    rows = _rows(point, found, trial)
    chosen = next((row.firing for row in rows if row.firing.detection.at_from.isoformat() == trial.show), None)
    picture = chosen or (rows[0].firing if rows else None)
    return {
        "compared": found,
        "holds": holds,
        "factor": factor,
        "rows": rows[:MOST_FIRINGS],
        "picture": picture,
        "chart": None if picture is None else _chart(v, point, picture),
        "evidence": [] if picture is None else _evidence(v, picture),
    }


def _rows(point: Point, found: Compared, trial: Trial) -> list[Row]:
    """Return the firings of both tests, the newest first."""
    new = set(map(id, found.new))
    every = [(one, "gone") for one in found.gone]
    every += [(one, "new" if id(one) in new else "") for one in found.after.firings]
    rows = [Row(firing=one, fate=fate, link=_link(point, trial, one)) for one, fate in every]
    return sorted(rows, key=lambda row: row.firing.detection.at_from, reverse=True)


def _link(point: Point, trial: Trial, one: Firing) -> str:
    asked = {**trial.model_dump(), "show": one.detection.at_from.isoformat()}
    return f"/points/{point.id}/backtest?{urlencode({k: v for k, v in asked.items() if v})}#picture"


def _chart(v: Viewer, point: Point, one: Firing) -> Chart | None:
    """Return the chart that the alert of a firing would have had."""
    alert = opened(one.detection, point.building, one.detection.found_at).alert
    name = title(one.detection.rule, v.words.code)
    return evidence_chart(alert, zone=v.room.deps.zone, language=v.words.code, title=name, width="container")


def _evidence(v: Viewer, one: Firing) -> list[tuple[str, str]]:
    return told(one.detection.evidence, one.detection.unit, v.words.code)


def _changes(v: Viewer, point: Point, rule: Rule | None) -> list[ChangeLine]:
    """Return the changes that concern a point, of one rule where one is shown."""
    lines = [ChangeLine.of(entry) for entry in settings_of(v.room).history(point, limit=SHOWN_CHANGES)]
    return [line for line in lines if rule is None or line.rule == rule]


class Wish(BaseModel):
    """A setting as the form says it."""

    scope: SettingScope = SettingScope.POINT
    key: str = ""
    rule: str
    enabled: str = ""
    factor: str = ""
    why: str = ""
    to: str = ""

    def setting(self) -> SettingWish:
        """Return what is to be set; an empty field leaves that to the wider setting."""
        return SettingWish(
            scope=self.scope,
            rule=self.rule,
            key=self.key,
            enabled={"on": True, "off": False}.get(self.enabled),
            factor=number_of(self.factor, place="factor"),
            why=self.why,
        )


@router.post("/backtest/settings", dependencies=[allowed(Right.REGISTER)])
def set_setting(v: Seen, wish: Annotated[Wish, Form()]) -> Response:
    """Set a rule."""
    set_rule(v.room, wish.setting(), by=v.name)
    return back(_address(wish.to, "set"))


@router.post("/backtest/undo", dependencies=[allowed(Right.REGISTER)])
def undo_change(v: Seen, change: Annotated[int, Form()], to: Annotated[str, Form()] = "") -> Response:
    """Undo a change."""
    undo(v.room, change, by=v.name)
    return back(_address(to, "undone"))


def _address(to: str, done: str) -> str:
    """Return the page of ours to go back to, with what was done."""
    path = to if to.startswith("/") and not to.startswith("//") else "/backtest"
    return f"{path}{'&' if '?' in path else '?'}done={done}"


class Preview(BaseModel):
    """What a setting of a building or of everywhere would change, as the form asks it."""

    scope: SettingScope = SettingScope.EVERYWHERE
    building: str = ""
    rule: str = ""
    enabled: str = ""
    factor: str = ""
    start: str = ""
    until: str = ""


@router.get("/backtest")
def everywhere(v: Seen, asked: Annotated[Preview, Query()]) -> Response:
    """Show all rules with how they are set, and what a setting of a building or everywhere would change."""
    now = v.room.now()
    settings = settings_of(v.room).all()
    seen = [s for s in settings if not s.key or s.key in now.points or s.key in now.buildings]
    span = span_asked(v.room, asked.start, _through(asked.until))
    wanted = _wanted(asked, v.now, v.name) if asked.rule else None
    rules = sorted(Rule, key=lambda rule: title(rule, v.words.code))
    return v.page(
        "rules.html",
        rules=rules,
        settings=seen,
        wide={s.rule: s for s in seen if s.scope is SettingScope.EVERYWHERE},
        asked=asked,
        wanted=wanted,
        tried=None if wanted is None else tried(v.room, span, wanted),
        may_set=wanted is not None and may_set(v.room, wanted.scope, wanted.key),
        buildings=_named(now.buildings.values()),
        where=now.buildings,
        place=lambda s: _place(v, s),
        **_words(v),
    )


def _named(buildings: Any) -> list[Building]:  # noqa: ANN401 - a view of a mapping
    return sorted(buildings, key=lambda b: b.name)


def _place(v: Viewer, setting: RuleSetting) -> str:
    """Return where a setting holds, in words."""
    now = v.room.now()
    if setting.scope is SettingScope.EVERYWHERE:
        return v.words.text("Everywhere")
    named = now.points.get(setting.key) if setting.scope is SettingScope.POINT else now.buildings.get(setting.key)
    return setting.key if named is None else named.name


def _wanted(asked: Preview, at: datetime, by: str) -> RuleSetting:
    """Return the setting that a preview asks for."""
    scope = SettingScope.BUILDING if asked.building else SettingScope.EVERYWHERE
    return RuleSetting(
        scope=scope,
        key=asked.building,
        rule=rule_named(asked.rule).value,
        changed=at,
        by=by,
        enabled={"on": True, "off": False}.get(asked.enabled),
        factor=number_of(asked.factor, place="factor"),
    )
