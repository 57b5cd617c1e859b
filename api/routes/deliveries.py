"""/api/v1/deliveries: what guarantors deliver for a report, with evidence; what the coordinator returns and checks."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from api import delivery_examples as examples
from api.access import allowed
from api.answers import as_json
from api.attachments import attachment
from api.contract import documented
from api.delivery_rows import DeliveryDocument, Why
from api.documents import convert, read_object
from api.problems import Refused
from api.publication_texts import STATES
from api.publishing import live_of
from api.room import Body, Caller, InRoom, Room
from api.texts import language
from core.deliveries import Delivery, DeliveryAct, Evidence, HandValue, Step
from core.errors import Conflict, NotFound
from core.indicators import Amount
from core.people import Right
from core.report_periods import ReportId
from services.deliveries import BoardRow, Deliveries, Part, area_plan, board, lacking
from services.frozen import value_digest
from services.publishing import one_value

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])
SEEING: Final = [allowed(Right.INDICATORS)]
DELIVERING: Final = [allowed(Right.DELIVER)]
CHECKING: Final = [allowed(Right.PUBLISH)]

Kind = Annotated[str, Path(description="annual, mid-year or closing.", examples=["annual"])]
Period = Annotated[str, Path(description="A year, of a closing report the years.", examples=["2025"])]
AreaId = Annotated[str, Path(description="The area of activity.", examples=["ZD"])]
IndicatorId = Annotated[str, Path(description="The indicator.", examples=["Z1"])]
IfMatch = Annotated[
    str, Header(alias="If-Match", description="Change only what still has this ETag.", examples=['"4"'])
]
ACTS_OF_COORDINATOR: Final = frozenset({DeliveryAct.RETURN, DeliveryAct.CHECK, DeliveryAct.REOPEN})


class BoardLine(msgspec.Struct, frozen=True):
    """How far an area is."""

    area: str
    name: str
    guarantor: str
    state: str
    state_text: str
    version: int
    due: str
    overdue: bool
    missing: Sequence[Why]
    allowed: Sequence[str]
    by_hand: Sequence[str]
    computed: Sequence[str]
    last: Step | None


class Board(msgspec.Struct, frozen=True):
    """How far the areas of a report are, and until when they are due."""

    kind: str
    period: str
    due: str
    items: Sequence[BoardLine]


class GivenValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of an indicator as its guarantor enters them; null with a comment that says why."""

    indicator: str
    amounts: tuple[Amount, ...]
    comment: str = ""


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts and values to put in the place of those of the same name; an empty text goes."""

    texts: dict[str, str] = {}
    values: tuple[GivenValue, ...] = ()
    comment: str = ""


class ActWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """deliver, recall, comment; of the coordinator return, check, reopen. Returning needs a comment."""

    act: DeliveryAct
    comment: str = ""


class CheckWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check of a computed value; `digest` is that of the value as it was seen (empty: as it is now)."""

    note: str = ""
    digest: str = ""


def _acts(room: Room) -> Deliveries:
    records = room.region.deps.records
    return Deliveries(records, records, room.deps.deadlines)


def _part(room: Room, kind: str, period: str, area: str, by: str, if_match: str = "") -> Part:  # noqa: PLR0917 - the parts of an address
    report = ReportId.parse(kind, period)
    return Part(report=report, area=area, by=by, now=room.deps.clock(), version=_version(if_match))


def _version(if_match: str) -> int | None:
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag in {"", "*"}:
        return None
    if not (tag.isdecimal() and len(tag) < 10):  # noqa: PLR2004 - no delivery is changed so often
        raise Refused(412, "This is no ETag of a delivery; read it again.")
    return int(tag)


def _own(room: Room, area: str) -> None:
    """Refuse who does not deliver for an area."""
    if not (room.access.delivers(area) or room.access.may(Right.PUBLISH)):
        raise Refused(403, f"Area {area} is delivered by somebody else.")


def _shown(room: Room, delivery: Delivery) -> Response:
    words = language(room.deps.locale)
    plan = area_plan(room.region.deps.records, delivery.report, delivery.area)
    missing = lacking(delivery, plan) if delivery.editable else ()
    return as_json(DeliveryDocument.of(delivery, missing, words), headers={"ETag": f'"{delivery.version}"'})


def _changed(room: Room, part: Part, act: Callable[[], Delivery]) -> Response:
    """Return a delivery after an act; one that was changed meanwhile is told as If-Match wants it."""
    if part.version is not None and part.version != _acts(room).get(part.report, part.area).version:
        raise Refused(412, f"Delivery {part.report}/{part.area} was changed meanwhile; read it again.")
    return _shown(room, act())


@router.get(
    "/{kind}/{period}",
    operation_id="get_delivery_board",
    summary="How far the areas of a report are: state, what lacks, who did what last",
    dependencies=SEEING,
    **documented(Board, examples.BOARD, errors=(401, 403, 422, 503)),
)
def get_board(room: InRoom, kind: Kind, period: Period) -> Response:
    """Return the board of a report."""
    report, deps = ReportId.parse(kind, period), room.deps
    words, records = language(deps.locale), room.region.deps.records
    today = deps.clock().astimezone(deps.zone).date()
    rows = board(records, records, report, deadlines=deps.deadlines, today=today)
    items = [_line(row, words.text(STATES[row.delivery.state]), room) for row in rows]
    return as_json(Board(report.kind, report.period, deps.deadlines.of(report).isoformat(), items))


def _line(row: BoardRow, state_text: str, room: Room) -> BoardLine:
    words = language(room.deps.locale)
    return BoardLine(
        area=row.area.id,
        name=row.area.name,
        guarantor=row.area.guarantor,
        state=row.delivery.state,
        state_text=state_text,
        version=row.delivery.version,
        due=row.due.isoformat(),
        overdue=row.overdue,
        missing=[Why.of(one, words) for one in row.missing],
        allowed=row.allowed,
        by_hand=[one.id for one in row.by_hand],
        computed=[one.id for one in row.computed],
        last=row.delivery.steps[-1] if row.delivery.steps else None,
    )


@router.get(
    "/{kind}/{period}/{area}",
    operation_id="get_delivery",
    summary="An area's delivery: texts, values, evidence, checks, who did what",
    dependencies=SEEING,
    **documented(DeliveryDocument, examples.DELIVERY, errors=(401, 403, 404, 422, 503)),
)
def get_delivery(room: InRoom, kind: Kind, period: Period, area: AreaId) -> Response:
    """Return a delivery, an empty draft where nothing was written."""
    return _shown(room, _acts(room).get(ReportId.parse(kind, period), area))


@router.patch(
    "/{kind}/{period}/{area}",
    operation_id="edit_delivery",
    summary="Write texts and values of a delivery that is being written or was returned",
    dependencies=DELIVERING,
    **documented(
        DeliveryDocument,
        examples.DELIVERY,
        body=Edit,
        body_example=examples.EDIT,
        errors=(401, 403, 404, 409, 412, 422, 503),
    ),
)
def edit_delivery(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom, by: Caller, kind: Kind, period: Period, area: AreaId, body: Body, if_match: IfMatch = ""
) -> Response:
    """Write into a delivery."""
    _own(room, area)
    wish, part = convert(read_object(body), Edit), _part(room, kind, period, area, by, if_match)
    values = [HandValue(indicator=v.indicator, amounts=v.amounts, comment=v.comment) for v in wish.values]
    return _changed(room, part, lambda: _acts(room).edit(part, texts=wish.texts, values=values, comment=wish.comment))


@router.delete(
    "/{kind}/{period}/{area}/values/{indicator}",
    operation_id="drop_delivered_value",
    summary="Take the value of an indicator out again, with its evidence",
    dependencies=DELIVERING,
    **documented(DeliveryDocument, examples.DELIVERY, errors=(401, 403, 404, 409, 412, 422, 503)),
)
def drop_value(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom, by: Caller, kind: Kind, period: Period, area: AreaId, indicator: IndicatorId, if_match: IfMatch = ""
) -> Response:
    """Take a value out."""
    _own(room, area)
    part = _part(room, kind, period, area, by, if_match)
    return _changed(room, part, lambda: _acts(room).drop_value(part, indicator))


@router.post(
    "/{kind}/{period}/{area}/acts",
    operation_id="act_on_delivery",
    summary="Deliver, take back, comment; return, check, open again",
    dependencies=DELIVERING,
    **documented(
        DeliveryDocument,
        examples.DELIVERY,
        body=ActWish,
        body_example=examples.ACT,
        errors=(401, 403, 404, 409, 412, 422, 503),
    ),
)
def act_on_delivery(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom, by: Caller, kind: Kind, period: Period, area: AreaId, body: Body, if_match: IfMatch = ""
) -> Response:
    """Do something with a delivery."""
    wish = convert(read_object(body), ActWish)
    if wish.act in ACTS_OF_COORDINATOR and not room.access.may(Right.PUBLISH):
        raise Refused(403, f"The coordinator alone may {wish.act} a delivery.")
    _own(room, area)
    part = _part(room, kind, period, area, by, if_match)
    return _changed(room, part, lambda: _acts(room).act(part, wish.act, wish.comment))


@router.post(
    "/{kind}/{period}/{area}/values/{indicator}/check",
    operation_id="check_value",
    summary="Take a computed value as it is; another value later wants another look",
    dependencies=CHECKING,
    **documented(
        DeliveryDocument,
        examples.DELIVERY,
        body=CheckWish,
        body_example=examples.CHECK,
        errors=(401, 403, 404, 409, 412, 422, 503),
    ),
)
def check_value(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom, by: Caller, kind: Kind, period: Period, area: AreaId, indicator: IndicatorId, body: Body
) -> Response:
    """Check a computed value."""
    wish, part = convert(read_object(body), CheckWish), _part(room, kind, period, area, by)
    value = one_value(live_of(room), part.report, indicator, part.now)
    if wish.digest and wish.digest != value_digest(value):
        raise Conflict(f"the value of {indicator} has changed since it was looked at; look at it again")
    return _changed(room, part, lambda: _acts(room).check_value(part, value, wish.note))


@router.post(
    "/{kind}/{period}/{area}/values/{indicator}/evidence",
    operation_id="attach_evidence",
    summary="Attach a file (the body) to a value: PDF, picture, spreadsheet or text of at most 20 MB",
    dependencies=DELIVERING,
    **documented(DeliveryDocument, examples.DELIVERY, errors=(401, 403, 404, 409, 412, 422, 503)),
)
def attach_evidence(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    by: Caller,
    kind: Kind,
    period: Period,
    area: AreaId,
    indicator: IndicatorId,
    body: Body,
    name: Annotated[str, Query(description="The file's name with its ending.", examples=["protokol.pdf"])],
    if_match: IfMatch = "",
) -> Response:
    """Attach a file."""
    _own(room, area)
    part = _part(room, kind, period, area, by, if_match)
    return _changed(room, part, lambda: _acts(room).attach(part, indicator, name, body))


@router.delete(
    "/{kind}/{period}/{area}/values/{indicator}/evidence/{evidence}",
    operation_id="detach_evidence",
    summary="Take a file away from a value",
    dependencies=DELIVERING,
    **documented(DeliveryDocument, examples.DELIVERY, errors=(401, 403, 404, 409, 412, 422, 503)),
)
def detach_evidence(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    by: Caller,
    kind: Kind,
    period: Period,
    area: AreaId,
    indicator: IndicatorId,
    evidence: Annotated[str, Path(description="The file's id.", examples=["9f86d081884c7d65"])],
    if_match: IfMatch = "",
) -> Response:
    """Take a file away."""
    _own(room, area)
    part = _part(room, kind, period, area, by, if_match)
    return _changed(room, part, lambda: _acts(room).detach(part, indicator, evidence))


@router.get(
    "/{kind}/{period}/{area}/values/{indicator}/evidence/{evidence}",
    operation_id="get_evidence",
    summary="A file of evidence, as it was handed in",
    dependencies=SEEING,
    **documented(None, None, errors=(401, 403, 404, 422, 503), also={"application/octet-stream": "%PDF-1.7 …"}),
)
def get_evidence(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    kind: Kind,
    period: Period,
    area: AreaId,
    indicator: IndicatorId,
    evidence: Annotated[str, Path(description="The file's id.", examples=["9f86d081884c7d65"])],
) -> Response:
    """Return a file, never to be shown in place."""
    delivery = _acts(room).get(ReportId.parse(kind, period), area)
    found = _file(delivery, indicator, evidence)
    content = room.region.deps.records.evidence(found.digest)
    return attachment(content, name=found.name, media_type=found.media_type, digest=found.digest)


def _file(delivery: Delivery, indicator: str, key: str) -> Evidence:
    value = delivery.value(indicator)
    for one in value.evidence if value else ():
        if one.id == key:
            return one
    raise NotFound(f"value {indicator} of {delivery.id} has no evidence {key}")
