"""Announced works and outages: what is expected to fail, where, from when to when, and why."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from alerts.wording import TITLES, title
from api.access import allowed
from api.acts import act
from api.alert_texts import said
from api.pages.alert_forms import Troubles, WindowForm, named
from api.pages.alert_routing import WHY, fresh_id
from api.pages.view import Seen, Viewer, back
from api.routes.alert_directory import check_window, directory, windows_seen
from core.alerts import AlertFilter, Subject
from core.errors import InputError
from core.people import Right
from core.sending import Window
from services.alert_directory import WINDOW

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

PAGE: Final = "/alert-windows"
CHANGES: Final = 20


@router.get(PAGE)
def windows(v: Seen, window: Annotated[str, Query()] = "") -> Response:
    """Show what is announced."""
    found = next((w for w in windows_seen(v.room) if w.id == window), None)
    return _page(v, WindowForm.of(found, v.room.deps.zone) if found else None, {})


def _page(v: Viewer, form: WindowForm | None, troubles: dict[str, str]) -> Response:
    now, code = v.room.now(), v.words.code
    return v.page(
        "alert_windows.html",
        status=422 if troubles else 200,
        windows=sorted(windows_seen(v.room), key=lambda w: w.start, reverse=True),
        form=form or WindowForm(),
        changing=bool(form and form.id),
        troubles=troubles,
        may_announce=v.access.may(Right.ALERTS),
        everywhere=v.access.everywhere(Right.ALERTS),
        buildings=named(now.buildings.values()),
        points=named(now.points.values()),
        names={**{b.id: b.name for b in now.buildings.values()}, **{p.id: p.name for p in now.points.values()}},
        building_names={b.id: b.name for b in now.buildings.values()},
        sources=_sources(v),
        changes=[e for e in v.room.region.deps.records.audit(entity=WINDOW, limit=CHANGES) if _is_seen(v, e.key)],
        rules=sorted(TITLES, key=lambda rule: title(rule, code)),
        said=partial(said, v.words),
        title_of=lambda rule: title(rule, code),
    )


def _is_seen(v: Viewer, key: str) -> bool:
    return v.access.everywhere(Right.SEE) or any(w.id == key for w in windows_seen(v.room))


def _sources(v: Viewer) -> list[str]:
    """Return the brokers and gateways that were silent before: what works may concern besides places."""
    known = v.room.deps.records.alerts(AlertFilter(rules=("source_silent",)), limit=200)
    return sorted({alert.subject for alert in known if alert.kind is Subject.SOURCE})


@router.post(PAGE, dependencies=[allowed(Right.ALERTS)])
def keep_window(v: Seen, form: Annotated[WindowForm, Form()]) -> Response:
    """Announce works, or change what was announced."""
    troubles = Troubles()
    try:
        made = form.read(fresh_id("works", v.now), v.room.deps.zone)
        for one in (made, *_former(v, made.id)):
            check_window(v.room, one)
        directory(v.room).keep_window(made, act(v.room, v.name, WHY))
    except InputError as err:
        troubles.note(err)
    return _page(v, form, troubles.of) if troubles.of else back(f"{PAGE}?done=saved")


@router.post(f"{PAGE}/remove", dependencies=[allowed(Right.ALERTS)])
def remove_window(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Remove announced works."""
    for former in _former(v, key):
        check_window(v.room, former)
    directory(v.room).drop(WINDOW, key, act(v.room, v.name, WHY))
    return back(f"{PAGE}?done=removed")


def _former(v: Viewer, key: str) -> list[Window]:
    return [w for w in v.room.region.deps.records.windows() if w.id == key]
