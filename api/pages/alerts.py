"""Alerts, for a caretaker's phone: what is wrong, what to check, and a button for each thing to do."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from alerts.wording import check, loss, title
from api.access import allowed
from api.alert_texts import said
from api.pages.view import Seen, Viewer, back
from api.routes.alerts import AlertAct, HistoryLine, MessageLine, detail_of, do
from core.alerts import ACTIVE, Alert, AlertFilter, Cause
from core.people import Right

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

PAGE: Final = 50
SNOOZES_DAYS: Final = (1, 7, 30)


@router.get("/alerts")
def alerts(v: Seen, every: Annotated[str, Query(alias="all")] = "", after: Annotated[str, Query()] = "") -> Response:
    """Show what is to be done, or all there was, the most urgent first."""
    asked = AlertFilter() if every else AlertFilter(states=ACTIVE)
    found = v.room.deps.records.alerts(asked, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    shown = shown if every else sorted(shown, key=lambda a: -a.severity.rank)
    following = found[PAGE - 1].id if len(found) > PAGE else ""
    return v.page("alerts.html", alerts=shown, every=bool(every), following=following, **_words(v))


def _words(v: Viewer) -> dict[str, Any]:
    """Return what the templates say and name alerts with."""
    now, code = v.room.now(), v.words.code

    def place(alert: Alert) -> str:
        building, point = now.buildings.get(alert.building), now.points.get(alert.subject)
        names = (building.name if building else alert.building, point.name if point else alert.subject)
        return ", ".join(filter(None, names))

    return {
        "said": partial(said, v.words),
        "title": lambda alert: title(alert.rule, code),
        "check": lambda alert: check(alert.rule, code),
        "loss": lambda alert: loss(alert, code),
        "place": place,
    }


@router.get("/alerts/{key}")
def alert(v: Seen, key: str) -> Response:
    """Show one alert."""
    found = v.room.deps.records.alert(key)
    detail = detail_of(v.room, found, v.words.code)
    history: list[HistoryLine] = list(detail.history)
    messages: list[MessageLine] = list(detail.messages)
    return v.page(
        "alert.html",
        alert=found,
        history=history,
        messages=messages,
        causes=list(Cause),
        snoozes=SNOOZES_DAYS,
        **_words(v),
    )


@router.post("/alerts/{key}", dependencies=[allowed(Right.ALERTS)])
def act(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    key: str,
    act: Annotated[str, Form()],
    to: Annotated[str, Form()] = "",
    days: Annotated[int, Form(ge=1, le=180)] = 1,
    cause: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Do something about an alert."""
    until = v.now + timedelta(days=days) if act == "snooze" else None
    do(v.room, key, AlertAct(act=act, to=to, until=until, cause=cause, note=note), by=v.name)
    return back(f"/alerts/{key}")
