"""/api/v1/notes: what happened in buildings, day by day, as people wrote it down."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from api import paper_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.paper_rows import NoteHistory, NoteLine, NoteList, PaperVersion
from api.papers import adding, changing, check_version, listed, seen_paper
from api.room import Body, Caller, InRoom, Room
from api.routes.documents import KEEPING, IfMatch, OfBuilding, Reason, Withdrawn
from core.errors import NotFound
from core.papers import Kept, Note
from core.people import Right
from services.papers import KeptNote, as_note

router = APIRouter(prefix="/api/v1/notes", tags=["documents"], dependencies=[allowed(Right.SEE_PAPERS)])

Key = Annotated[str, Path(description="The note's id.", examples=["fcde2b2edba56bf4"])]


class NewNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note of a building: the day that it is about, and what is to be known."""

    building: str
    day: date
    text: str


class NoteCorrection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a note is to say in place of what it says."""

    day: date
    text: str
    why: str = ""


def _shown(kept: Kept, *, status: int = 200) -> Response:
    found = as_note(kept)
    if found is None:
        raise NotFound(f"paper {kept.last.id} is not known")
    return as_json(NoteLine.of(found), status=status, headers={"ETag": f'"{kept.last.version}"'})


def _seen(room: Room, key: str) -> KeptNote:
    found = as_note(seen_paper(room, key, Note))
    if found is None:
        raise NotFound(f"paper {key} is not known")
    return found


@router.get(
    "",
    operation_id="list_notes",
    summary="Notes of buildings, the newest day first",
    **documented(NoteList, examples.NOTES, errors=(401, 403, 404, 422, 503)),
)
def list_notes(room: InRoom, building: OfBuilding = "", *, withdrawn: Withdrawn = False) -> Response:
    """Return the notes of a building, or of all buildings that are seen."""
    return as_json(NoteList([NoteLine.of(one) for one in listed(room, building, live=not withdrawn).notes]))


@router.post(
    "",
    operation_id="add_note",
    summary="Write a note of a building",
    dependencies=KEEPING,
    **documented(
        NoteLine,
        examples.NOTE,
        status=201,
        body=NewNote,
        body_example=examples.NEW_NOTE,
        errors=(401, 403, 404, 409, 422, 503),
    ),
)
def add_note(room: InRoom, by: Caller, body: Body) -> Response:
    """Add a note."""
    wish = convert(read_object(body), NewNote)
    made = adding(room, wish.building).add_note(wish.building, wish.day, wish.text, act(room, by))
    return _shown(Kept(versions=(made,)), status=201)


@router.get(
    "/{note}",
    operation_id="get_note",
    summary="A note with all of its versions",
    **documented(NoteHistory, examples.NOTE_HISTORY, errors=(401, 403, 404, 422, 503)),
)
def get_note(room: InRoom, note: Key) -> Response:
    """Return a note and what was done with it."""
    found = _seen(room, note)
    versions = [PaperVersion.of(one) for one in found.kept.versions]
    return as_json(NoteHistory(NoteLine.of(found), versions), headers={"ETag": f'"{found.kept.last.version}"'})


@router.patch(
    "/{note}",
    operation_id="correct_note",
    summary="Put another text in the place of a note's; the former version stays in its history",
    dependencies=KEEPING,
    **documented(
        NoteLine,
        examples.NOTE,
        body=NoteCorrection,
        body_example=examples.NOTE_CORRECTION,
        errors=(401, 403, 404, 409, 412, 422, 503),
    ),
)
def correct_note(room: InRoom, by: Caller, note: Key, body: Body, if_match: IfMatch = "") -> Response:
    """Correct a note."""
    wish, found = convert(read_object(body), NoteCorrection), _seen(room, note)
    doing, version = changing(room, found.kept), check_version(if_match, found.kept)
    doing.correct_note(note, wish.day, wish.text, act(room, by, wish.why), version=version)
    return _shown(room.deps.records.paper(note))


@router.post(
    "/{note}/withdraw",
    operation_id="withdraw_note",
    summary="Take a note out of the list, with a reason; its history is kept",
    dependencies=KEEPING,
    **documented(
        NoteLine,
        examples.NOTE,
        body=Reason,
        body_example=examples.WITHDRAWAL,
        errors=(401, 403, 404, 409, 422, 503),
    ),
)
def withdraw_note(room: InRoom, by: Caller, note: Key, body: Body) -> Response:
    """Withdraw a note."""
    wish, found = convert(read_object(body), Reason), _seen(room, note)
    changing(room, found.kept).withdraw(note, act(room, by, wish.why))
    return _shown(room.deps.records.paper(note))
