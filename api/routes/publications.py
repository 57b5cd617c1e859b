"""/api/v1/publications: what was published, frozen; what would be published now; whether what was published holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import delivery_examples as examples
from api.access import allowed
from api.answers import JSON, as_json
from api.contract import documented
from api.delivery_rows import (
    PublicationDocument,
    PublicationHead,
    RestatementDocument,
    ValueLine,
    VerifiedDocument,
    Why,
)
from api.documents import convert, read_object
from api.publishing import live_of
from api.room import Body, Caller, InRoom
from api.texts import language
from core.people import Right
from core.report_periods import ReportId
from services.freezing import opened
from services.publishing import Wish, hindrances, open_values, proposals, publish, verify

router = APIRouter(prefix="/api/v1", tags=["publications"])
TOLD: Final = [allowed(Right.PUBLISHED)]
SEEING: Final = [allowed(Right.INDICATORS)]
PUBLISHING: Final = [allowed(Right.PUBLISH, everywhere=True)]

Key = Annotated[str, Path(description="The publication's id.", examples=["annual-2025-v1"])]
OneKind = Annotated[str, Query(description="annual, mid-year or closing; none: all.", examples=["annual"])]
OnePeriod = Annotated[str, Query(description="A year, of a closing report the years.", examples=["2025"])]


class Publications(msgspec.Struct, frozen=True):
    """Publications, the oldest first."""

    items: Sequence[PublicationHead]


class OpenReport(msgspec.Struct, frozen=True):
    """A report as it would be published now, and what keeps it from being published."""

    kind: str
    period: str
    cutoff: datetime
    values: Sequence[ValueLine]
    hindrances: Sequence[Why]


class PublishWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to publish; readings count up to `cutoff` (null: now).

    `exceptions` say by `area:ID` and `indicator:ID` why what is not checked is published all the same.
    """

    kind: str
    period: str
    note: str = ""
    exceptions: dict[str, str] = {}
    cutoff: datetime | None = None


class Restatements(msgspec.Struct, frozen=True):
    """What has changed since reports were published."""

    items: Sequence[RestatementDocument]


def _report(kind: str, period: str) -> ReportId | None:
    return ReportId.parse(kind, period) if kind or period else None


@router.get(
    "/publications",
    operation_id="list_publications",
    summary="What was published, the oldest first",
    dependencies=TOLD,
    **documented(Publications, examples.LIST, errors=(401, 422, 503)),
)
def list_publications(room: InRoom, kind: OneKind = "", period: OnePeriod = "") -> Response:
    """Return the heads of publications."""
    found = room.region.deps.records.publications(_report(kind, period))
    return as_json(Publications([PublicationHead.of(one) for one in found]))


@router.post(
    "/publications",
    operation_id="publish_report",
    summary="Freeze a report with all that it rests on; a new version keeps the one before",
    dependencies=PUBLISHING,
    **documented(
        PublicationDocument,
        examples.PUBLICATION,
        status=201,
        body=PublishWish,
        body_example=examples.WISH,
        errors=(401, 403, 404, 409, 422, 503),
    ),
)
def publish_report(room: InRoom, by: Caller, body: Body) -> Response:
    """Publish a report."""
    wish = convert(read_object(body), PublishWish)
    made = publish(
        live_of(room),
        Wish(
            report=ReportId.parse(wish.kind, wish.period),
            by=by,
            now=room.deps.clock(),
            note=wish.note,
            exceptions=wish.exceptions,
            cutoff=wish.cutoff,
        ),
    )
    headers = {"Location": f"/api/v1/publications/{made.id}", "ETag": f'"{made.digest}"'}
    document = PublicationDocument.of(opened(made), language(room.deps.locale))
    return as_json(document, status=201, headers=headers)


@router.get(
    "/publications/{key}",
    operation_id="get_publication",
    summary="A publication with its values, as they were told",
    dependencies=TOLD,
    **documented(PublicationDocument, examples.PUBLICATION, errors=(401, 404, 422, 503)),
)
def get_publication(room: InRoom, key: Key) -> Response:
    """Return a publication."""
    found = room.region.deps.records.publication(key)
    document = PublicationDocument.of(opened(found), language(room.deps.locale))
    return as_json(document, headers={"ETag": f'"{found.digest}"'})


@router.get(
    "/publications/{key}/content",
    operation_id="get_publication_content",
    summary="The frozen content to the byte: its SHA-256 is the publication's digest",
    dependencies=SEEING,
    **documented(None, None, errors=(401, 403, 404, 422, 503), also={"application/json": "{…}"}),
)
def get_content(room: InRoom, key: Key) -> Response:
    """Return the canonical JSON that was hashed."""
    found = room.region.deps.records.publication(key)
    headers = {"ETag": f'"{found.digest}"', "Content-Disposition": f'attachment; filename="{found.id}.json"'}
    return Response(found.content, media_type=JSON, headers=headers)


@router.get(
    "/publications/{key}/verification",
    operation_id="verify_publication",
    summary="Compute a publication again from its cut-off and versions, and compare every figure",
    dependencies=SEEING,
    **documented(VerifiedDocument, examples.VERIFIED, errors=(401, 403, 404, 422, 503)),
)
def verify_publication(room: InRoom, key: Key) -> Response:
    """Check a publication."""
    found = verify(live_of(room), key, room.deps.clock())
    return as_json(VerifiedDocument.of(found, language(room.deps.locale)))


@router.get(
    "/open-reports/{kind}/{period}",
    operation_id="get_open_report",
    summary="A report as it would be published now, and what keeps it from being published",
    dependencies=SEEING,
    **documented(OpenReport, examples.OPEN, errors=(401, 403, 422, 503)),
)
def get_open_report(
    room: InRoom,
    kind: Annotated[str, Path(description="annual, mid-year or closing.", examples=["annual"])],
    period: Annotated[str, Path(description="A year, of a closing report the years.", examples=["2025"])],
) -> Response:
    """Return the open values of a report."""
    report, live, words, now = (
        ReportId.parse(kind, period),
        live_of(room),
        language(room.deps.locale),
        room.deps.clock(),
    )
    values = open_values(live, report, now)
    why = [Why.of(one, words) for one in hindrances(live, report, values)]
    return as_json(OpenReport(report.kind, report.period, now, [ValueLine.of(v, words) for v in values], why))


@router.get(
    "/restatements",
    operation_id="list_restatements",
    summary="What has changed since reports were published: old, new, and the parts by cause, which add up exactly",
    dependencies=SEEING,
    **documented(Restatements, examples.RESTATEMENTS, errors=(401, 403, 422, 503)),
)
def list_restatements(room: InRoom, kind: OneKind = "", period: OnePeriod = "") -> Response:
    """Return proposed restatements."""
    words = language(room.deps.locale)
    found = proposals(live_of(room), room.deps.clock(), _report(kind, period))
    return as_json(Restatements([RestatementDocument.of(one, words) for one in found]))
