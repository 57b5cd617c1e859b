"""/api/v1/documents: files of buildings (PENB, audits, contracts, inspections) with how long they are valid."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from api import paper_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.paper_rows import DocumentHistory, DocumentLine, DocumentList, PaperVersion
from api.papers import adding, changing, check_version, file_of, listed, purging, seen_paper, today_of
from api.room import Body, Caller, InRoom, Room
from api.texts import language
from core.errors import NotFound
from core.papers import Document, DocumentKind, Kept
from core.people import Right
from services.papers import KeptDocument, Wish, as_document

router = APIRouter(prefix="/api/v1/documents", tags=["documents"], dependencies=[allowed(Right.SEE_PAPERS)])

Key = Annotated[str, Path(description="The document's id.", examples=["2c26b46b68ffc68f"])]
OfBuilding = Annotated[str, Query(description="Of this building; empty: of all that are seen.", examples=["B01"])]
Withdrawn = Annotated[
    bool, Query(description="Those that were withdrawn, as far as the caller might have done it.", examples=[False])
]
KEEPING = [allowed(Right.PAPERS)]
IfMatch = Annotated[
    str, Header(alias="If-Match", description="Change only what still has this ETag.", examples=['"1"'])
]


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be said else; fields that are left out stay, null takes a day away."""

    kind: DocumentKind | msgspec.UnsetType = msgspec.UNSET
    title: str | msgspec.UnsetType = msgspec.UNSET
    valid_from: date | msgspec.UnsetType | None = msgspec.UNSET
    valid_until: date | msgspec.UnsetType | None = msgspec.UNSET
    remark: str | msgspec.UnsetType = msgspec.UNSET
    why: str = ""


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is done."""

    why: str


def _line(room: Room, found: KeptDocument) -> DocumentLine:
    return DocumentLine.of(found, today_of(room), language(room.deps.locale))


def _seen(room: Room, key: str) -> KeptDocument:
    found = as_document(seen_paper(room, key, Document))
    if found is None:
        raise NotFound(f"paper {key} is not known")
    return found


def _shown(room: Room, kept: Kept, *, status: int = 200) -> Response:
    found = as_document(kept)
    if found is None:
        raise NotFound(f"paper {kept.last.id} is not known")
    return as_json(_line(room, found), status=status, headers={"ETag": f'"{kept.last.version}"'})


@router.get(
    "",
    operation_id="list_documents",
    summary="Documents of buildings, first those that expired or end within 90 days",
    **documented(DocumentList, examples.DOCUMENTS, errors=(401, 403, 404, 422, 503)),
)
def list_documents(room: InRoom, building: OfBuilding = "", *, withdrawn: Withdrawn = False) -> Response:
    """Return the documents of a building, or of all buildings that are seen."""
    found = listed(room, building, live=not withdrawn)
    return as_json(DocumentList([_line(room, one) for one in found.documents]))


@router.post(
    "",
    operation_id="add_document",
    summary="Keep a file (the body) with a building: PDF, picture, Word, Excel, OpenDocument or text, less than 20 MB",
    dependencies=KEEPING,
    **documented(DocumentLine, examples.DOCUMENT, status=201, errors=(401, 403, 404, 409, 413, 422, 503)),
)
def add_document(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    by: Caller,
    body: Body,
    building: Annotated[str, Query(description="The building.", examples=["B01"])],
    name: Annotated[str, Query(description="The file's name with its ending.", examples=["PENB.pdf"])],
    kind: Annotated[DocumentKind, Query(description="What it is.", examples=["penb"])] = DocumentKind.OTHER,
    title: Annotated[
        str, Query(description="Its title; empty: the file's name.", examples=["PENB hlavní budovy"])
    ] = "",
    valid_from: Annotated[
        date | None, Query(description="The first day on which it is valid.", examples=["2016-09-01"])
    ] = None,
    valid_until: Annotated[date | None, Query(description="The last one.", examples=["2026-08-31"])] = None,
    remark: Annotated[str, Query(description="What else is to be known.", examples=["bez přístavby"])] = "",
) -> Response:
    """Add a document."""
    wish = Wish(kind=kind, title=title, valid_from=valid_from, valid_until=valid_until, remark=remark)
    made = adding(room, building).add_document(building, wish, name, body, act(room, by))
    return _shown(room, Kept(versions=(made,)), status=201)


@router.get(
    "/{document}",
    operation_id="get_document",
    summary="A document with all of its versions",
    **documented(DocumentHistory, examples.DOCUMENT_HISTORY, errors=(401, 403, 404, 422, 503)),
)
def get_document(room: InRoom, document: Key) -> Response:
    """Return a document and what was done with it."""
    found = _seen(room, document)
    versions = [PaperVersion.of(one) for one in found.kept.versions]
    etag = {"ETag": f'"{found.kept.last.version}"'}
    return as_json(DocumentHistory(_line(room, found), versions), headers=etag)


@router.get(
    "/{document}/file",
    operation_id="get_document_file",
    summary="The file of a document, as it was handed in",
    **documented(None, None, errors=(401, 403, 404, 422, 503), also={"application/octet-stream": "%PDF-1.7 …"}),
)
def get_file(room: InRoom, document: Key) -> Response:
    """Return the file, never to be shown in place."""
    return file_of(room, _seen(room, document).kept)


@router.patch(
    "/{document}",
    operation_id="correct_document",
    summary="Say something else of a document; its file stays, the former version too",
    dependencies=KEEPING,
    **documented(
        DocumentLine,
        examples.DOCUMENT,
        body=Correction,
        body_example=examples.CORRECTION,
        errors=(401, 403, 404, 409, 412, 422, 503),
    ),
)
def correct_document(room: InRoom, by: Caller, document: Key, body: Body, if_match: IfMatch = "") -> Response:
    """Correct a document."""
    wish, found = convert(read_object(body), Correction), _seen(room, document)
    doing, version = changing(room, found.kept), check_version(if_match, found.kept)
    doing.correct_document(document, _wish(found.said, wish), act(room, by, wish.why), version=version)
    return _shown(room, room.deps.records.paper(document))


def _wish(said: Document, given: Correction) -> Wish:
    told: Mapping[str, Any] = {
        f: v for f in Correction.__struct_fields__ if (v := getattr(given, f)) is not msgspec.UNSET
    }
    names = ("kind", "title", "valid_from", "valid_until", "remark")
    return Wish(**{name: told.get(name, getattr(said, name)) for name in names})


@router.post(
    "/{document}/withdraw",
    operation_id="withdraw_document",
    summary="Take a document out of the list, with a reason; its history and file are kept",
    dependencies=KEEPING,
    **documented(
        DocumentLine,
        examples.DOCUMENT,
        body=Reason,
        body_example=examples.WITHDRAWAL,
        errors=(401, 403, 404, 409, 422, 503),
    ),
)
def withdraw_document(room: InRoom, by: Caller, document: Key, body: Body) -> Response:
    """Withdraw a document."""
    wish, found = convert(read_object(body), Reason), _seen(room, document)
    changing(room, found.kept).withdraw(document, act(room, by, wish.why))
    return _shown(room, room.deps.records.paper(document))


@router.post(
    "/{document}/purge",
    operation_id="purge_document",
    summary="Take the file of a withdrawn document away for ever, with a reason",
    dependencies=[allowed(Right.ADMINISTER, everywhere=True)],
    **documented(
        DocumentLine,
        examples.DOCUMENT,
        body=Reason,
        body_example=examples.WITHDRAWAL,
        errors=(401, 403, 404, 409, 422, 503),
    ),
)
def purge_document(room: InRoom, by: Caller, document: Key, body: Body) -> Response:
    """Purge a document."""
    wish, found = convert(read_object(body), Reason), _seen(room, document)
    purging(room).purge(found.kept.last.id, act(room, by, wish.why))
    return _shown(room, room.deps.records.paper(document))
