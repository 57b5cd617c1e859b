"""How this process is set and kept: health, settings without secrets, backups, versions and licences."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from api.access import allowed
from api.pages.view import Seen, Viewer
from api.texts import N_
from core.errors import StoreError
from core.overview import Overview
from core.people import Right

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

PAGE: Final = "/settings/system"
MB: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether something works; None: it is not of this process, or not set up. `detail` says what is."""

    name: str
    good: bool | None
    detail: str = ""


@router.get(PAGE)
def system(v: Seen) -> Response:
    """Show how the process is set and kept."""
    told = v.room.deps.overview
    shown = told() if told is not None else Overview()
    sections: dict[str, list[object]] = {}
    for one in shown.settings:
        sections.setdefault(one.path.partition(".")[0], []).append(one)
    return v.page(
        "settings_system.html",
        shown=shown,
        sections=sections,
        health=health(v, shown),
        version=v.room.deps.version,
        mb=lambda size: v.words.number(size / MB, 1),
    )


def health(v: Viewer, shown: Overview) -> list[Health]:
    """Return how the stores, the broker and what sends mail stand."""
    deps = v.room.region.deps
    status = deps.ingest()
    ingest = (
        Health(name=N_("Broker of the meters"), good=None, detail=v.words.text(N_("another process takes readings")))
        if status is None
        else Health(name=N_("Broker of the meters"), good=status.connected, detail=status.detail)
    )
    unset = v.words.text(N_("no server is set up"))
    return [
        _asked(N_("Store of readings"), deps.readings.ready),
        _asked(N_("Store of records"), deps.records.ready),
        ingest,
        Health(name=N_("E-mail"), good=None, detail=shown.mail or unset),
    ]


def _asked(name: str, ready: Callable[[], None]) -> Health:
    try:
        ready()
    except StoreError as err:
        return Health(name=name, good=False, detail=str(err))
    return Health(name=name, good=True)
