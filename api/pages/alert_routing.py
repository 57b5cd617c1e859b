"""Whom alerts are told to: recipients, routes, who would be told, what did not arrive, and what was changed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from alerts.wording import TITLES, title
from api.access import allowed
from api.acts import act
from api.alert_texts import said, told_trouble
from api.pages.alert_forms import RecipientForm, RouteForm, Troubles, named
from api.pages.view import Seen, Viewer, back
from api.routes.alert_directory import Receivers, directory
from api.texts import N_
from core.alerts import Severity
from core.errors import InputError
from core.people import Right
from core.sending import ChannelKind, PersonRole
from services.alert_directory import RECIPIENT, ROUTE

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.REGISTER, everywhere=True)])

PAGE: Final = "/alert-routing"
WHY: Final = "page of alerts"
MESSAGES: Final = 30
CHANGES: Final = 20
TAKEN: Final = N_("Somebody has this id already; change them in the list.")


class Wanted(BaseModel):
    """What the page is asked: a recipient or route to change, and an alert to try the routes with."""

    recipient: str = ""
    route: str = ""
    building: str = ""
    rule: str = ""
    severity: str = Severity.MEDIUM.value


@router.get(PAGE)
def routing(v: Seen, wanted: Annotated[Wanted, Query()]) -> Response:
    """Show who is told what."""
    records = v.room.region.deps.records
    person = next((p for p in records.recipients() if p.id == wanted.recipient), None)
    route = next((r for r in records.routes() if r.id == wanted.route), None)
    return _page(
        v,
        wanted,
        person=RecipientForm.of(person) if person else None,
        route=RouteForm.of(route) if route else None,
    )


def _page(
    v: Viewer,
    wanted: Wanted,
    *,
    person: RecipientForm | None = None,
    route: RouteForm | None = None,
    troubles: Mapping[str, str] | None = None,
) -> Response:
    """Return the page, with forms as they were written where something is wrong in them."""
    keeping, code, now = directory(v.room), v.words.code, v.room.now()
    records = v.room.region.deps.records
    stuck = keeping.stuck(v.now)
    return v.page(
        "alert_routing.html",
        status=422 if troubles else 200,
        wanted=wanted,
        recipients=records.recipients(),
        routes=records.routes(),
        gaps=keeping.gaps(),
        channels_up=keeping.policy.channels,
        stuck={p.id: [m for m in stuck if m.recipient == p.id] for p in records.recipients()},
        messages=keeping.messages(limit=MESSAGES),
        changes=keeping.history(CHANGES),
        told=_told(v, wanted),
        person=person or RecipientForm(),
        route=route or RouteForm(),
        changing_route=bool(route and route.id),
        troubles=troubles or {},
        buildings=named(now.buildings.values()),
        building_names={b.id: b.name for b in now.buildings.values()},
        rules=sorted(TITLES, key=lambda rule: title(rule, code)),
        severities=list(Severity),
        roles=list(PersonRole),
        channels=list(ChannelKind),
        said=partial(said, v.words),
        trouble_of=partial(told_trouble, v.words),
        title_of=lambda rule: title(rule, code),
    )


def _told(v: Viewer, wanted: Wanted) -> Receivers | None:
    """Return who would be told of the alert that the page is tried with, None where it is not."""
    if wanted.rule not in TITLES or wanted.severity not in set(Severity):
        return None
    severity = Severity(wanted.severity)
    return Receivers.of(directory(v.room).who_of(wanted.building, wanted.rule, severity, v.now))


def _kept(keep: Callable[[], Any], known: Sequence[InputError] = ()) -> dict[str, str]:
    """Do what a form says where nothing in it is known to be wrong; return its troubles by field, none: it was done."""
    troubles = Troubles()
    for err in known:
        troubles.note(err)
    if not known:
        try:
            keep()
        except InputError as err:
            troubles.note(err)
    return troubles.of


@router.post(f"{PAGE}/recipients")
def keep_recipient(v: Seen, form: Annotated[RecipientForm, Form()]) -> Response:
    """Add a recipient, or change one."""
    there = [p.id for p in v.room.region.deps.records.recipients()]
    doing, taken = act(v.room, v.name, WHY), not form.changing and form.id.strip() in there
    troubles = (
        {"id": TAKEN} if taken else _kept(lambda: directory(v.room).keep_recipient(form.read(), doing), form.troubles())
    )
    return _page(v, Wanted(), person=form, troubles=troubles) if troubles else back(f"{PAGE}?done=saved#recipients")


@router.post(f"{PAGE}/recipients/remove")
def remove_recipient(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Remove a recipient."""
    directory(v.room).drop(RECIPIENT, key, act(v.room, v.name, WHY))
    return back(f"{PAGE}?done=removed#recipients")


@router.post(f"{PAGE}/recipients/test")
def test_recipient(v: Seen, key: Annotated[str, Form()], channel: Annotated[ChannelKind, Form()]) -> Response:
    """Send a test message."""
    directory(v.room).send_test(key, channel, act(v.room, v.name, WHY))
    return back(f"{PAGE}?done=test#messages")


@router.post(f"{PAGE}/routes")
def keep_route(v: Seen, form: Annotated[RouteForm, Form()]) -> Response:
    """Add a route, or change one."""
    doing = act(v.room, v.name, WHY)
    troubles = _kept(lambda: directory(v.room).keep_route(form.read(fresh_id("route", v.now)), doing))
    return _page(v, Wanted(), route=form, troubles=troubles) if troubles else back(f"{PAGE}?done=saved#routes")


@router.post(f"{PAGE}/routes/remove")
def remove_route(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Remove a route."""
    directory(v.room).drop(ROUTE, key, act(v.room, v.name, WHY))
    return back(f"{PAGE}?done=removed#routes")


@router.post(f"{PAGE}/messages/again")
def send_again(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Send a message again."""
    directory(v.room).send_again(key, act(v.room, v.name, WHY))
    return back(f"{PAGE}?done=again#messages")


def fresh_id(kind: str, at: datetime) -> str:
    """Return an id for what is entered without one."""
    return f"{kind}-{at:%Y%m%d}-{hashlib.sha256(at.isoformat().encode()).hexdigest()[:6]}"
