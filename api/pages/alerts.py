"""Alerts, for a caretaker's phone: what is wrong, what to check, and a button for each thing to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from alerts.chart import Chart, evidence_chart
from alerts.checks import checks
from alerts.evidence_words import told
from alerts.wording import TITLES, loss, title
from api.access import ANYONE, allowed
from api.alert_texts import said, told_trouble
from api.pages.alert_forms import named
from api.pages.view import Seen, Viewer, back
from api.routes.alert_directory import Receivers, directory
from api.routes.alerts import AlertAct, detail_of, do, done_or_not
from core.alerts import ACTIVE, Alert, AlertFilter, Cause, Severity, State
from core.people import Right
from core.registry import Building, Point
from core.sending import Recipient
from services.alert_times import times_of

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

PAGE: Final = 50
SNOOZES_DAYS: Final = (1, 7, 30)
TIMES_DAYS: Final = 90
TO_DO: Final = "todo"
ALL: Final = "all"
BACKTEST: Final = "/backtest"
"""Where a rule is tried on a point's history, where this site has such a page."""


class Sought(BaseModel):
    """What the filters of the list say; empty: everything."""

    state: str = TO_DO
    severity: str = Severity.LOW.value
    building: str = ""
    rule: str = ""
    mine: str = ""
    after: str = ""

    def asked(self, me: str) -> AlertFilter:
        """Return what is asked of the store; a word that is none asks for all."""
        known = {state.value: frozenset({state}) for state in State}
        return AlertFilter(
            states={**known, TO_DO: ACTIVE}.get(self.state, frozenset()),
            least=Severity(self.severity) if self.severity in set(Severity) else Severity.LOW,
            buildings=(self.building,) if self.building else (),
            rules=(self.rule,) if self.rule else (),
            assignee=me if self.mine else "",
            urgent_first=self.state not in {ALL, State.RESOLVED, State.CLOSED},
            bare=True,
        )

    def link(self, **changed: str) -> str:
        """Return the address of the list with another filter."""
        usual = Sought()
        wanted = {**self.model_dump(), "after": "", **changed}
        asked = {name: value for name, value in wanted.items() if value != getattr(usual, name)}
        return f"/alerts?{urlencode(asked)}" if asked else "/alerts"


@router.get("/alerts")
def alerts(v: Seen, sought: Annotated[Sought, Query()]) -> Response:
    """Show what is to be done, or all there was, the most urgent first."""
    asked = sought.asked(_me(v))
    found = v.room.deps.records.alerts(asked, after=sought.after, limit=PAGE + 1)
    now = v.room.now()
    return v.page(
        "alerts.html",
        alerts=found[:PAGE],
        following=sought.link(after=found[PAGE - 1].id) if len(found) > PAGE else "",
        sought=sought,
        buildings=named(now.buildings.values()),
        rules=sorted(TITLES, key=lambda rule: title(rule, v.words.code)),
        states=list(State),
        severities=list(Severity),
        known=_known(v),
        times=_times(v),
        days=TIMES_DAYS,
        trouble=_trouble(v),
        **_words(v),
    )


def _times(v: Viewer) -> Any:  # noqa: ANN401 - rows for the template
    since = v.now - timedelta(days=TIMES_DAYS)
    rows = times_of(v.room.deps.records.alerts(AlertFilter(opened_from=since, bare=True)))
    return [row for row in rows if row.alerts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps alerts from people: places of which nobody would hear, messages that did not arrive."""

    gaps: int
    stuck: int


def _trouble(v: Viewer) -> Trouble | None:
    """Return what keeps alerts from people, to those who can mend it."""
    if not v.may(Right.REGISTER, everywhere=True):
        return None
    keeping = directory(v.room)
    found = Trouble(gaps=sum(not gap.digest for gap in keeping.gaps()), stuck=len(keeping.stuck(v.now)))
    return found if found.gaps or found.stuck else None


def _known(v: Viewer) -> bool:
    """Return whether it is known who looks, so that something may be theirs."""
    return v.name not in {"", ANYONE}


def _me(v: Viewer) -> str:
    """Return the name by which what is assigned is mine: the recipient's that the viewer is, else theirs."""
    mine = (person.id for person in v.room.region.deps.records.recipients() if person.called(v.name))
    return next(mine, v.name)


def _words(v: Viewer) -> dict[str, Any]:
    """Return what the templates say and name alerts with."""
    now, code = v.room.now(), v.words.code
    people = {person.id: person.name for person in v.room.region.deps.records.recipients()}
    return {
        "said": partial(said, v.words),
        "trouble_of": partial(told_trouble, v.words),
        "title": lambda alert: title(alert.rule, code),
        "title_of": lambda rule: title(rule, code),
        "loss": lambda alert: loss(alert, code),
        "place": partial(_place, now.buildings, now.points),
        "person": lambda name: people.get(name, name),
    }


def _place(buildings: Mapping[str, Building], points: Mapping[str, Point], alert: Alert) -> str:
    building, point = buildings.get(alert.building), points.get(alert.subject)
    names = (building.name if building else alert.building, point.name if point else alert.subject)
    return ", ".join(filter(None, names))


@router.get("/alerts/{key}")
def alert(v: Seen, key: str) -> Response:
    """Show one alert."""
    found = v.room.deps.records.alert(key)
    detail = detail_of(v.room, found, v.words.code)
    now = v.room.now()
    return v.page(
        "alert.html",
        alert=found,
        point=now.points.get(found.subject),
        building=now.buildings.get(found.building),
        chart=chart_of(v, found),
        evidence=told(found.evidence, found.unit, v.words.code),
        steps=checks(found.rule, v.words.code),
        history=list(detail.history),
        messages=list(detail.messages),
        receivers=Receivers.of(directory(v.room).who(found, v.now)),
        people=_assignable(v, found),
        me=_me(v) if _known(v) else "",
        may_act=_may_act(v, found),
        causes=list(Cause),
        snoozes=SNOOZES_DAYS,
        backtest=_backtest(v, found),
        **_words(v),
    )


def chart_of(v: Viewer, found: Alert) -> Chart | None:
    """Return the chart of an alert's evidence, None where it has none, or none that can be drawn."""
    try:
        return evidence_chart(
            found,
            zone=v.room.deps.zone,
            language=v.words.code,
            title=title(found.rule, v.words.code),
            width="container",
        )
    except (KeyError, TypeError, ValueError):  # the numbers stand beside it, whatever a detector wrote
        return None


def _assignable(v: Viewer, found: Alert) -> list[Recipient]:
    people = v.room.region.deps.records.recipients()
    return [p for p in people if not p.off and (not p.buildings or found.building in p.buildings)]


def _may_act(v: Viewer, found: Alert) -> bool:
    place = v.room.now().buildings.get(found.building)
    where = {} if place is None else {"organisation": place.organisation, "building": place.id}
    return v.access.everywhere(Right.ALERTS) or (bool(where) and v.access.may(Right.ALERTS, **where))


def _backtest(v: Viewer, found: Alert) -> str:
    """Return where this rule is tried on the point's history, empty where it is not."""
    there = BACKTEST in v.request.app.state.pages and found.subject in v.room.now().points
    return f"{BACKTEST}?{urlencode({'point': found.subject, 'rule': found.rule})}" if there else ""


class Doing(BaseModel):
    """An act as the page's buttons say it."""

    act: str
    to: str = ""
    days: int = 1
    cause: str = ""
    note: str = ""


@router.post("/alerts/{key}", dependencies=[allowed(Right.ALERTS)])
def act(v: Seen, key: str, doing: Annotated[Doing, Form()]) -> Response:
    """Do something about an alert."""
    until = v.now + timedelta(days=doing.days) if doing.act == "snooze" else None
    to = doing.to or (_me(v) if doing.act == "assign" else "")
    do(v.room, key, AlertAct(act=doing.act, to=to, until=until, cause=doing.cause, note=doing.note), by=v.name)
    return back(f"/alerts/{key}?done={doing.act}")


class Chosen(BaseModel):
    """Alerts chosen in the list, and where the list was."""

    keys: list[str] = []
    to: str = "/alerts"


@router.post("/alerts", dependencies=[allowed(Right.ALERTS)])
def acknowledge_all(v: Seen, chosen: Annotated[Chosen, Form()]) -> Response:
    """Acknowledge those that are chosen; one that somebody else ended meanwhile stops no other."""
    for key in chosen.keys:
        done_or_not(v.room, key, AlertAct(act="acknowledge"), by=v.name)
    return back(chosen.to if chosen.to.startswith("/alerts") else "/alerts")
