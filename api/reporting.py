"""Reports in the process that serves the API: put together, and in which format somebody wants them."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request
from starlette.responses import Response

from api.problems import Refused
from api.publication_texts import told
from api.room import Room
from api.routes.indicators import evaluation
from api.texts import language
from core.errors import InputError
from core.indicators import Because
from core.people import Right
from core.report import Report
from core.report_periods import ReportId
from services.report_content import Imprint, Reports
from services.report_documents import MEDIA, PAGE_POLICY, Format, document, mark_of

DRAFTS: Final = "This report is not published yet; to see it, log in as somebody who sees indicators."
ANYTHING: Final = ("*/*", "application/*", "")


def reports_of(room: Room) -> Reports:
    """Return what puts reports together; they are of the whole region."""
    deps = room.region.deps
    return Reports(deps.records, lambda: evaluation(room), Imprint(region=deps.title, software=deps.version))


def report_for(room: Room, report: ReportId, *, open_state: bool) -> Report:
    """Return a report for a caller; raise Refused where it is a draft that they may not see."""
    published = bool(room.region.deps.records.publications(report)) and not open_state
    if not published and not room.access.everywhere(Right.INDICATORS):
        raise Refused(403 if room.access.name else 401, DRAFTS)
    return reports_of(room).report(report, room.deps.clock(), open_state=open_state)


def reason(because: Because) -> str:
    """Return a reason as documents say it: in Czech."""
    return told(because, language("cs"))


def format_of(asked: str, accepted: str) -> Format:
    """Return the format that an address names, else the first that a header accepts; raise InputError, Refused."""
    if asked:
        if asked not in set(Format):
            raise InputError(f"format {asked!r} is not known", place="format", remedy=f"write {', '.join(Format)}")
        return Format(asked)
    wanted = _accepted(accepted)
    types = {media.partition(";")[0]: form for form, media in MEDIA.items()}
    for media in wanted:
        if media in types:
            return types[media]
        if media in ANYTHING:
            return Format.JSON
    if not wanted:
        return Format.JSON
    raise Refused(406, f"A report is none of {accepted}; ask for {', '.join(types)}.")


def _accepted(header: str) -> Sequence[str]:
    """Return the types of an Accept header, the dearest first."""
    weighed = []
    for place, part in enumerate(header.split(",")):
        media, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, media.partition(";")[0].strip().lower()))
        except ValueError:
            continue  # a weight that is no number says nothing of the type
    return [media for weight, _, media in sorted(weighed) if media and weight < 0]


def answered(room: Room, request: Request, report: Report, form: Format) -> Response:
    """Return a report as an answer; one that the caller has already is not written again."""
    templates = room.deps.report_templates
    tag = f'"{mark_of(report, form, templates)}"'
    headers = {"ETag": tag, "Vary": "Accept, Authorization, Cookie", "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    made = document(report, form, reason, templates=templates)
    return Response(made.content, 200, headers | _extra(form, made.name), media_type=made.media_type)


def _extra(form: Format, name: str) -> dict[str, str]:
    if form is Format.HTML:
        return {"Content-Security-Policy": PAGE_POLICY, "Content-Disposition": f'inline; filename="{name}"'}
    if form is Format.JSON:
        return {}
    return {"Content-Disposition": f'attachment; filename="{name}"'}
