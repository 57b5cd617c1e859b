"""GET /api/v1/quality: how well the consumption of points is known over a span."""

from typing import Final

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from api import consumption_examples as examples
from api.access import allowed
from api.answers import as_json
from api.asking import check_size, points_of, span_of
from api.consumption_rows import local_texts
from api.contract import documented
from api.quality_of import Quality, quality
from api.room import InRoom
from api.routes.consumption import From, InScope, To, Zone
from core.calendar import Period, instant
from core.calendar import zone as zone_of
from core.people import Right

MOST_DAYS: Final = 1_000_000

router = APIRouter(prefix="/api/v1", tags=["quality"], dependencies=[allowed(Right.SEE)])


@router.get(
    "/quality",
    operation_id="get_quality",
    summary="Measured, estimated and missing shares, gaps, open questions, the age of the last reading",
    **documented(Quality, examples.QUALITY, errors=(401, 404, 422, 503)),
)
def get_quality(room: InRoom, scope: InScope, start: From = "", to: To = "", zone: Zone = "") -> Response:
    """Return the quality of points, their buildings and all of them."""
    tz = zone_of(zone) if zone else room.deps.zone
    span = span_of(start, to, tz, room.deps.clock())
    points = points_of(scope, room.now())
    check_size(Period.DAY, span, len(points), most=MOST_DAYS)
    rows, buildings, region = quality(room, points, span)
    edges = local_texts(np.array([instant(span.start), instant(span.end)]), tz)
    return as_json(Quality(edges[0], edges[1], rows, buildings, region))
