"""/api/v1/open-data: what is published, for anybody: CSV with CSVW, and records of DCAT-AP-CZ."""

import json
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api import open_data_examples as examples
from api.access import allowed
from api.contract import documented
from api.reporting import reason
from api.room import InRoom, Room
from core.people import Right
from core.publications import digest_of
from services.open_data import (
    CSV_MEDIA,
    METADATA_ENDING,
    METADATA_MEDIA,
    RECORD_MEDIA,
    OpenData,
    Site,
    catalogue_of,
    csv_of,
    metadata_of,
    record_of,
)

router = APIRouter(prefix="/api/v1", tags=["open-data"], dependencies=[allowed(Right.PUBLISHED)])

FOLDER: Final = "/api/v1/open-data"
PAGE: Final = "/verejne"
SHARED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=600",
}
"""Other sites' pages may read it: the validator of the national catalogue does."""
Key = Annotated[str, Path(description="The dataset: indikatory or srovnani-budov.", examples=["indikatory"])]


def open_data_of(room: Room) -> OpenData:
    """Return what tells of published data."""
    deps = room.region.deps
    return OpenData(deps.records, deps.publisher, reason)


def site_of(room: Room, request: Request) -> Site:
    """Return where the data are."""
    return room.deps.publisher.site(str(request.base_url), folder=FOLDER, page=PAGE)


def _answer(request: Request, content: bytes, media: str, **more: str) -> Response:
    tag = f'"{digest_of(content)[:24]}"'
    headers = {**SHARED, "ETag": tag, **more}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, media_type=media)


def _json(record: object) -> bytes:
    return json.dumps(record, ensure_ascii=False, indent=2).encode()


@router.get(
    "/open-data",
    operation_id="get_catalogue",
    summary="The catalogue of open data, as DCAT-AP-CZ",
    **documented(None, None, errors=(422, 503), also={RECORD_MEDIA: examples.CATALOGUE}),
)
def get_catalogue(room: InRoom, request: Request) -> Response:
    """Return the catalogue's record."""
    return _answer(request, _json(catalogue_of(open_data_of(room).tables(), site_of(room, request))), RECORD_MEDIA)


@router.get(
    f"/open-data/{{key}}{METADATA_ENDING}",
    operation_id="get_open_data_columns",
    summary="What the columns of a dataset mean, as CSVW",
    **documented(None, None, errors=(404, 422, 503), also={METADATA_MEDIA: examples.METADATA}),
)
def get_columns(room: InRoom, request: Request, key: Key) -> Response:
    """Return the description of a dataset's file."""
    table = open_data_of(room).table(key)
    return _answer(request, metadata_of(table, site_of(room, request)), METADATA_MEDIA)


@router.get(
    "/open-data/{key}.csv",
    operation_id="get_open_data_file",
    summary="A dataset as CSV",
    **documented(None, None, errors=(404, 422, 503), also={"text/csv": examples.CSV}),
)
def get_file(room: InRoom, request: Request, key: Key) -> Response:
    """Return a dataset's file."""
    table = open_data_of(room).table(key)
    described = f'<{table.key}{METADATA_ENDING}>; rel="describedby"; type="{METADATA_MEDIA}"'
    named = f'attachment; filename="{table.file}"'
    return _answer(request, csv_of(table), CSV_MEDIA, Link=described, **{"Content-Disposition": named})


@router.get(
    "/open-data/{key}",
    operation_id="get_dataset",
    summary="The record of a dataset, as DCAT-AP-CZ",
    **documented(None, None, errors=(404, 422, 503), also={RECORD_MEDIA: examples.DATASET}),
)
def get_dataset(room: InRoom, request: Request, key: Key) -> Response:
    """Return a dataset's record."""
    return _answer(request, _json(record_of(open_data_of(room).table(key), site_of(room, request))), RECORD_MEDIA)
