"""The desk: unassigned meters, dead letters, open questions."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import assign
from api.pages.forms import local_moment, number_of, whole_of
from api.pages.view import Seen, back
from api.paging import LARGEST_NUMBER
from api.routes.work import Letter
from api.waiting import devices, waiting
from core.people import Right

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

PAGE: Final = 50
UNITS: Final = ("kWh", "MWh", "GJ", "m³", "l")
"""Units that are offered; any other that is known may be written."""


@router.get("/findings")
def findings(v: Seen) -> Response:
    """Show the questions put to the operator."""
    found = v.room.deps.records.findings(open_only=True)
    now = v.room.now()
    return v.page("findings.html", findings=found, points=now.points, buildings=now.buildings)


@router.get("/inbox", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def inbox(v: Seen, after: Annotated[str, Query()] = "") -> Response:
    """Show meters that stand on no point."""
    found = devices(waiting(v.room, after=after))
    shown, more = found[:PAGE], len(found) > PAGE
    now = v.room.now()
    points = sorted(now.points.values(), key=lambda p: (p.building, p.id))
    return v.page(
        "inbox.html",
        waiting=shown,
        points=points,
        buildings=now.buildings,
        commodities=sorted({p.commodity for p in points}),
        units=UNITS,
        following=shown[-1].name if more else "",
    )


@router.post("/inbox/{device:path}", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def assign_device(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    device: str,
    point: Annotated[str, Form()],
    mounted: Annotated[str, Form()] = "",
    serial: Annotated[str, Form()] = "",
    counting: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    digits: Annotated[str, Form()] = "",
    multiplier: Annotated[str, Form()] = "",
    first: Annotated[str, Form()] = "",
) -> Response:
    """Mount a device on a point."""
    wish = {
        "point": point.strip(),
        "mounted": local_moment(mounted, v.room.deps.zone, place="mounted"),
        "serial": serial.strip(),
        "register": counting,
        "unit": unit.strip(),
        "digits": whole_of(digits, place="digits"),
        "multiplier": number_of(multiplier, place="multiplier"),
        "first": number_of(first, place="first"),
    }
    assign(v.room, device, wish, by=v.name)
    return back("/inbox?done=assigned")


@router.get("/letters", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def letters(
    v: Seen, after: Annotated[int, Query(ge=0, le=LARGEST_NUMBER)] = 0, reason: Annotated[str, Query()] = ""
) -> Response:
    """Show messages that could not be read."""
    records = v.room.deps.records
    found = records.letters(after=after, limit=PAGE + 1, reason=reason or None)
    shown = [Letter.of(letter, 400) for letter in found[:PAGE]]
    following = shown[-1].id if len(found) > PAGE else 0
    return v.page("letters.html", letters=shown, following=following, reasons=records.count_letters(), reason=reason)


@router.post("/letters/{number}/replay", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def replay(v: Seen, number: Annotated[int, Path(ge=0, le=LARGEST_NUMBER)]) -> Response:
    """Read a message again."""
    v.room.replay(number)
    done = v.room.deps.records.letter(number).replayed is not None
    return back(f"/letters?done={'replayed' if done else 'unreadable'}")
