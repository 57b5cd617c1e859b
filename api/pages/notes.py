"""Notes of buildings: the log of what happened there, one note with its history, and the forms to write them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.exports import Table, exported
from api.pages.models import day_of
from api.pages.papers import (
    FINE,
    KEEPING,
    NOTES,
    Page,
    Sent,
    Trouble,
    at_building,
    buildings_to_add,
    changes_everything,
    history,
    lines_of,
    paged,
    shelf_of,
    version_in,
    words_of,
)
from api.pages.view import Seen, Viewer, back
from api.papers import adding, changing, seen_paper, today_of
from core.errors import Conflict, InputError, NotFound
from core.papers import Note
from core.people import Right
from services.papers import KeptNote, as_note

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE_PAPERS)])


@router.get("/notes")
def notes(
    v: Seen,
    building: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = "",
    page: Page = 1,
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """Show notes of a building or of all, the newest day first; or give them as a file."""
    shown = shelf_of(v, building, live=state != "withdrawn").notes
    if form:
        table = Table.of(v.words.text("Notes"), NOTES, shown, v)
        return exported(v, form, f"notes-{building or 'all'}", [table])
    return v.page(
        "notes.html",
        **paged(shown, page),
        asked={"building": building, "state": state},
        buildings=sorted(v.room.now().buildings.values(), key=lambda b: b.name.casefold()),
        adds=bool(buildings_to_add(v)),
        withdraws=changes_everything(v),
    )


@router.get("/notes/new", dependencies=KEEPING)
def new_note(v: Seen, building: Annotated[str, Query()] = "") -> Response:
    """Show the form to write one, of today."""
    if building:
        v.room.now().building(building)
    return _form(v, {"building": building, "day": today_of(v.room).isoformat()})


def _form(v: Viewer, said: Mapping[str, str], trouble: Trouble = FINE) -> Response:
    return v.page("note_new.html", status=trouble.status, trouble=trouble, said=said, buildings=buildings_to_add(v))


@router.post("/notes", dependencies=KEEPING)
def add_note(v: Seen, sent: Sent) -> Response:
    """Write a note; what cannot be is told above the form."""
    said = words_of(sent)
    building = v.room.now().building(said.get("building", ""))
    doing = adding(v.room, building.id)
    try:
        day, text = _note(said)
        doing.add_note(building.id, day, text, act(v.room, v.name))
    except (InputError, Conflict) as err:
        return _form(v, said, Trouble.of(v, err))
    return back(at_building(building, "note", "notes"))


def _note(said: Mapping[str, str]) -> tuple[date, str]:
    day = day_of(said.get("day", ""), place="day")
    if day is None:
        raise InputError("the day is missing", place="day", remedy="write it")
    return day, lines_of(said.get("text", ""))


@router.get("/notes/{key}")
def note(v: Seen, key: str) -> Response:
    """Show a note with its history and what may be done with it."""
    return _page(v, _seen(v, key))


def _seen(v: Viewer, key: str) -> KeptNote:
    found = as_note(seen_paper(v.room, key, Note))
    if found is None:
        raise NotFound(f"paper {key} is not known")
    return found


def _page(v: Viewer, found: KeptNote, said: Mapping[str, str] | None = None, trouble: Trouble = FINE) -> Response:
    return v.page(
        "note.html",
        status=trouble.status,
        trouble=trouble,
        note=found.said,
        said=said or {"day": found.said.day.isoformat(), "text": found.said.text},
        **history(v, found.kept),
    )


@router.post("/notes/{key}", dependencies=KEEPING)
def correct_note(v: Seen, key: str, sent: Sent) -> Response:
    """Put another text in the place of a note's."""
    said, found = words_of(sent), _seen(v, key)
    doing = changing(v.room, found.kept)
    try:
        day, text = _note(said)
        version = version_in(said, found.kept)
        doing.correct_note(key, day, text, act(v.room, v.name, said.get("why", "")), version=version)
    except (InputError, Conflict) as err:
        return _page(v, _seen(v, key), said, Trouble.of(v, err))
    return back(f"/notes/{key}?done=corrected")


@router.post("/notes/{key}/withdraw", dependencies=KEEPING)
def withdraw_note(v: Seen, key: str, sent: Sent) -> Response:
    """Take a note out of the list."""
    found = _seen(v, key)
    doing = changing(v.room, found.kept)
    try:
        doing.withdraw(key, act(v.room, v.name, words_of(sent).get("why", "")))
    except (InputError, Conflict) as err:
        return _page(v, _seen(v, key), trouble=Trouble.of(v, err))
    return back(f"/notes/{key}?done=withdrawn")
