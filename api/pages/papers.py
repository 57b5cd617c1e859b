"""Documents and notes of buildings as pages show them: what stands where, how long it is valid, and as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Query, Request
from starlette.datastructures import FormData

from api.access import MOST_FIELDS, allowed
from api.pages.exports import Column
from api.pages.view import Viewer
from api.paper_texts import ACTS, KINDS, validity_text
from api.papers import listed, may_add, may_change, may_change_all, today_of
from api.texts import N_
from core.errors import InputError, OdecetError
from core.papers import Kept, PaperAct
from core.people import Right
from core.registry import Building
from services.papers import KeptDocument, KeptNote, Validity, validity

T = TypeVar("T")
Page = Annotated[int, Query(ge=1, le=10_000)]
KEEPING: Final = [allowed(Right.PAPERS)]
LINES: Final = 100
"""Documents or notes on one page of all of them."""
TAKEN: Final = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx,.odt,.ods,.csv,.txt"
"""What the chooser of files offers; what comes is looked at anyway."""


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_fields=MOST_FIELDS) as form:
        yield form


Sent = Annotated[FormData, Depends(_form)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What was wrong with a form that is shown again: in words, the field, the status of the answer."""

    text: str = ""
    place: str = ""
    status: int = 200

    @classmethod
    def of(cls, v: Viewer, err: OdecetError) -> "Trouble":
        """Return what an error says to the reader."""
        place = err.place if isinstance(err, InputError) else ""
        return cls(text=v.told(err), place=place, status=422 if isinstance(err, InputError) else 409)


FINE: Final = Trouble()


def words_of(sent: FormData) -> dict[str, str]:
    """Return what was written into the fields of a form."""
    return {name: one for name, one in sent.multi_items() if isinstance(one, str)}


def lines_of(text: str) -> str:
    """Return a text of several lines as it was written: browsers send each end of a line as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def version_in(said: Mapping[str, str], kept: Kept) -> int:
    """Return the version that a form was made of; one that says none is of no page of ours, and of an older version."""
    told = said.get("version", "")
    return int(told) if told.isascii() and told.isdecimal() and told == str(kept.last.version) else 0


def at_building(building: Building, done: str, anchor: str) -> str:
    """Return the way back to the page of a building after something was added to it."""
    return f"/buildings/{quote(building.id)}?done={done}#{anchor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentShown:
    """A document as a list shows it; `urgent` where it expired or ends soon."""

    found: KeptDocument
    building: Building
    kind: str
    standing: Validity
    words: str

    @property
    def urgent(self) -> bool:
        """Whether somebody should look after it."""
        return self.standing in {Validity.SOON, Validity.OVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShown:
    """A note as a list shows it."""

    found: KeptNote
    building: Building


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfShown:
    """The papers of a building, or of all: what a page lists."""

    documents: list[DocumentShown]
    notes: list[NoteShown]

    @property
    def urgent(self) -> int:
        """How many documents expired or end soon."""
        return sum(one.urgent for one in self.documents)


def paged(lines: Sequence[T], page: int) -> dict[str, Any]:
    """Return the lines of a page of a list, and which one of how many it is."""
    pages = max(-(-len(lines) // LINES), 1)
    return {"lines": lines[LINES * (page - 1) : LINES * page], "page": page, "pages": pages, "found": len(lines)}


def shelf_of(v: Viewer, building: str = "", *, live: bool = True) -> ShelfShown:
    """Return the papers of a building, or of all that the reader sees."""
    found, buildings = listed(v.room, building, live=live), v.room.now().buildings
    today = today_of(v.room)
    return ShelfShown(
        documents=[document_shown(v, one, buildings[one.kept.last.building], today) for one in found.documents],
        notes=[NoteShown(found=one, building=buildings[one.kept.last.building]) for one in found.notes],
    )


def document_shown(v: Viewer, found: KeptDocument, building: Building, today: date) -> DocumentShown:
    """Return a document as lists show it."""
    return DocumentShown(
        found=found,
        building=building,
        kind=v.words.text(KINDS[found.said.kind]),
        standing=validity(found.said, today)[0],
        words=validity_text(found.said, today, v.words),
    )


def building_papers(v: Viewer, building: Building) -> dict[str, Any]:
    """Return what the page of a building shows of its papers: nothing to whoever may not read them."""
    shown = shelf_of(v, building.id) if v.access.may(Right.SEE_PAPERS) else None
    return {"shelf": shown, "adds_papers": may_add(v.access, building)}


def history(v: Viewer, kept: Kept) -> dict[str, Any]:
    """Return what the page of a document or a note shows of what was done with it, and may be done."""
    building = v.room.now().building(kept.last.building)
    return {
        "kept": kept,
        "building": building,
        "acts": ACTS,
        "changes": kept.live and may_change(v.access, building, kept),
        "purges": kept.last.act is PaperAct.WITHDRAWN and v.access.everywhere(Right.ADMINISTER),
        "purged": kept.last.act is PaperAct.PURGED,
    }


def buildings_to_add(v: Viewer) -> list[Building]:
    """Return the buildings that somebody may add to, by name."""
    known = v.room.now().buildings.values()
    return sorted((b for b in known if may_add(v.access, b)), key=lambda b: b.name.casefold())


def changes_everything(v: Viewer) -> bool:
    """Return whether somebody withdraws what others added, somewhere, and so looks for it."""
    return any(may_change_all(v.access, b) for b in v.room.now().buildings.values())


# As a file

DOCUMENTS: Final[tuple[Column[DocumentShown], ...]] = (
    Column(N_("Building"), lambda one: one.building.id),
    Column(N_("Name of the building"), lambda one: one.building.name),
    Column(N_("Kind"), lambda one: one.kind),
    Column(N_("Title"), lambda one: one.found.said.title),
    Column(N_("Valid from"), lambda one: _day(one.found.said.valid_from)),
    Column(N_("Valid until"), lambda one: _day(one.found.said.valid_until)),
    Column(N_("Validity"), lambda one: one.words),
    Column(N_("Note"), lambda one: one.found.said.remark),
    Column(N_("File"), lambda one: one.found.said.name),
    Column(N_("Bytes"), lambda one: one.found.said.size),
    Column(N_("SHA-256"), lambda one: one.found.said.digest),
    Column(N_("Added by"), lambda one: one.found.kept.first.by),
    Column(N_("Added"), lambda one: one.found.kept.first.at),
)
NOTES: Final[tuple[Column[NoteShown], ...]] = (
    Column(N_("Building"), lambda one: one.building.id),
    Column(N_("Name of the building"), lambda one: one.building.name),
    Column(N_("Day"), lambda one: _day(one.found.said.day)),
    Column(N_("Note"), lambda one: one.found.said.text),
    Column(N_("Written by"), lambda one: one.found.kept.first.by),
    Column(N_("Written"), lambda one: one.found.kept.first.at),
    Column(N_("Corrected"), lambda one: one.found.kept.last.at if len(one.found.kept.versions) > 1 else None),
)


def _day(day: object) -> str:
    return "" if day is None else str(day)
