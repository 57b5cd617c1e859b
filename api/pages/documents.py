"""Documents of buildings: which expire, one with its history, and the forms to add, correct and withdraw them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.exports import Table, exported
from api.pages.models import day_of
from api.pages.papers import (
    DOCUMENTS,
    FINE,
    KEEPING,
    TAKEN,
    Page,
    Sent,
    Trouble,
    at_building,
    buildings_to_add,
    changes_everything,
    document_shown,
    history,
    lines_of,
    paged,
    shelf_of,
    version_in,
    words_of,
)
from api.pages.view import Seen, Viewer, back
from api.paper_texts import KINDS
from api.papers import adding, changing, purging, seen_paper, today_of
from core.errors import Conflict, InputError, NotFound
from core.papers import Document, DocumentKind
from core.people import Right
from services.papers import KeptDocument, Wish, as_document

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE_PAPERS)])


@router.get("/documents")
def documents(
    v: Seen,
    building: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = "",
    page: Page = 1,
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """Show documents of a building or of all, those that expire first; or give them as a file."""
    shown = shelf_of(v, building, live=state != "withdrawn").documents
    chosen = [one for one in shown if one.urgent] if state == "urgent" else shown
    if form:
        table = Table.of(v.words.text("Documents"), DOCUMENTS, chosen, v)
        return exported(v, form, f"documents-{building or 'all'}", [table])
    return v.page(
        "documents.html",
        **paged(chosen, page),
        urgent=sum(one.urgent for one in shown),
        asked={"building": building, "state": state},
        buildings=sorted(v.room.now().buildings.values(), key=lambda b: b.name.casefold()),
        adds=bool(buildings_to_add(v)),
        withdraws=changes_everything(v),
    )


@router.get("/documents/new", dependencies=KEEPING)
def new_document(v: Seen, building: Annotated[str, Query()] = "") -> Response:
    """Show the form to add one."""
    if building:
        v.room.now().building(building)
    return _form(v, {"building": building})


def _form(v: Viewer, said: Mapping[str, str], trouble: Trouble = FINE) -> Response:
    return v.page(
        "document_new.html",
        status=trouble.status,
        trouble=trouble,
        said=said,
        buildings=buildings_to_add(v),
        **_offered(v),
    )


def _offered(v: Viewer) -> dict[str, Any]:
    """Return what the fields of a form offer."""
    return {"kinds": [(kind.value, v.words.text(KINDS[kind])) for kind in DocumentKind], "taken": TAKEN}


def _wish(said: Mapping[str, str]) -> Wish:
    kind = said.get("kind", "")
    if kind not in set(DocumentKind):
        raise InputError(f"{kind!r} is no kind of document", place="kind", remedy="choose one of the list")
    return Wish(
        kind=DocumentKind(kind),
        title=said.get("title", ""),
        valid_from=day_of(said.get("valid_from", ""), place="valid_from"),
        valid_until=day_of(said.get("valid_until", ""), place="valid_until"),
        remark=lines_of(said.get("remark", "")),
    )


@router.post("/documents", dependencies=KEEPING)
def add_document(v: Seen, sent: Sent) -> Response:
    """Keep a file with a building; what cannot be is told above the form."""
    said = words_of(sent)
    building = v.room.now().building(said.get("building", ""))
    doing = adding(v.room, building.id)
    try:
        name, content = _file(sent)
        doing.add_document(building.id, _wish(said), name, content, act(v.room, v.name))
    except (InputError, Conflict) as err:
        return _form(v, said, Trouble.of(v, err))
    return back(at_building(building, "document", "documents"))


def _file(sent: FormData) -> tuple[str, bytes]:
    """Return the name and the content of the file that was chosen."""
    file = sent.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InputError("no file was sent", place="file", remedy="choose a file")
    return file.filename, file.file.read()


@router.get("/documents/{key}")
def document(v: Seen, key: str) -> Response:
    """Show a document with its history and what may be done with it."""
    return _page(v, _seen(v, key))


def _seen(v: Viewer, key: str) -> KeptDocument:
    found = as_document(seen_paper(v.room, key, Document))
    if found is None:
        raise NotFound(f"paper {key} is not known")
    return found


def _page(v: Viewer, found: KeptDocument, said: Mapping[str, str] | None = None, trouble: Trouble = FINE) -> Response:
    return v.page(
        "document.html",
        status=trouble.status,
        trouble=trouble,
        one=document_shown(v, found, v.room.now().building(found.kept.last.building), today_of(v.room)),
        said=said or _said(found.said),
        **history(v, found.kept),
        **_offered(v),
    )


def _said(document: Document) -> dict[str, str]:
    """Return what stands in the form of a document."""
    days = {"valid_from": document.valid_from, "valid_until": document.valid_until}
    return {
        "kind": document.kind.value,
        "title": document.title,
        "remark": document.remark,
        **{name: "" if day is None else day.isoformat() for name, day in days.items()},
    }


@router.post("/documents/{key}", dependencies=KEEPING)
def correct_document(v: Seen, key: str, sent: Sent) -> Response:
    """Say something else of a document."""
    said, found = words_of(sent), _seen(v, key)
    doing = changing(v.room, found.kept)
    try:
        doing.correct_document(
            key, _wish(said), act(v.room, v.name, said.get("why", "")), version=version_in(said, found.kept)
        )
    except (InputError, Conflict) as err:
        return _page(v, _seen(v, key), said, Trouble.of(v, err))
    return back(f"/documents/{key}?done=corrected")


@router.post("/documents/{key}/withdraw", dependencies=KEEPING)
def withdraw_document(v: Seen, key: str, sent: Sent) -> Response:
    """Take a document out of the list."""
    found = _seen(v, key)
    doing = changing(v.room, found.kept)
    try:
        doing.withdraw(key, act(v.room, v.name, words_of(sent).get("why", "")))
    except (InputError, Conflict) as err:
        return _page(v, _seen(v, key), trouble=Trouble.of(v, err))
    return back(f"/documents/{key}?done=withdrawn")


@router.post("/documents/{key}/purge", dependencies=[allowed(Right.ADMINISTER, everywhere=True)])
def purge_document(v: Seen, key: str, sent: Sent) -> Response:
    """Take the file of a withdrawn document away for ever."""
    found = _seen(v, key)
    try:
        purging(v.room).purge(found.kept.last.id, act(v.room, v.name, words_of(sent).get("why", "")))
    except (InputError, Conflict) as err:
        return _page(v, _seen(v, key), trouble=Trouble.of(v, err))
    return back(f"/documents/{key}?done=purged")
