"""/api/v1/reports: the action plan's reports, as JSON, CSV, XLSX, DOCX and HTML for print."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from api import report_examples as examples
from api.access import allowed
from api.contract import documented
from api.reporting import answered, format_of, report_for
from api.room import InRoom
from core.errors import InputError
from core.people import Right
from core.report import Report
from core.report_periods import ReportId
from services.report_documents import MEDIA, Format

router = APIRouter(prefix="/api/v1", tags=["publications"], dependencies=[allowed(Right.PUBLISHED)])

STATES: Final = frozenset({"", "published", "open"})
ALSO: Final = {
    MEDIA[Format.CSV].partition(";")[0]: examples.CSV,
    MEDIA[Format.XLSX]: "PK...",
    MEDIA[Format.DOCX]: "PK...",
    MEDIA[Format.HTML].partition(";")[0]: "<!doctype html>...",
}


@router.get(
    "/reports/{kind}/{period}",
    operation_id="get_report",
    summary="A report of the action plan",
    description="As its last publication told it; where there is none, or with state=open, as it would be published "
    "now, which needs the right to see indicators. `format` outdoes the Accept header.",
    **documented(Report, examples.REPORT, errors=(401, 403, 404, 422, 503), also=ALSO),
)
def get_report(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    request: Request,
    kind: Annotated[str, Path(description="annual, mid-year or closing.", examples=["annual"])],
    period: Annotated[str, Path(description="A year, of a closing report the years.", examples=["2025", "2024-2026"])],
    asked: Annotated[str, Query(alias="format", description="json, csv, xlsx, docx or html.", examples=["docx"])] = "",
    state: Annotated[str, Query(description="published, or open: as it is now.", examples=["open"])] = "",
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return a report."""
    form = format_of(asked, accept)
    if state not in STATES:
        raise InputError(f"state {state!r} is not known", place="state", remedy="write published or open")
    found = report_for(room, ReportId.parse(kind, period), open_state=state == "open")
    return answered(room, request, found, form)
