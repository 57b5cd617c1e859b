"""What people work on: changes made, unassigned meters, dead letters, questions put to the operator."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import work_examples as examples
from api.access import allowed
from api.acts import answer_finding, assign, finding_id
from api.answers import as_json
from api.contract import documented, page_type
from api.documents import convert, read_object, to_document
from api.paging import LARGEST_NUMBER, LIMIT, After, Limit, page_of
from api.problems import Place
from api.room import Body, Caller, InRoom
from api.waiting import Unassigned, waiting
from core.notes import AuditEntry, DeadLetter, PointFinding
from core.people import Right
from core.registry import DialEvent, Meter

MOST_FINDINGS: Final = 100_000

router = APIRouter(prefix="/api/v1", tags=["work"], dependencies=[allowed(Right.SEE)])

Device = Annotated[str, Path(description="The name under which it publishes.", examples=["em-0042"])]
Number = Annotated[int, Path(ge=0, le=LARGEST_NUMBER, description="The letter's number.", examples=[17])]
FindingKey = Annotated[str, Path(description="The finding's id.", examples=["3f1c9a2b77d04e15"])]
Cursor = Annotated[int, Query(ge=0, le=LARGEST_NUMBER, description="The last id of the page before.", examples=[0])]


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a device is mounted: the point, since when, and what its dial is like."""

    point: str
    mounted: datetime | None = None
    serial: str = ""
    register: str = ""
    unit: str = ""
    digits: int | None = None
    multiplier: float = 1.0
    first: float | None = None
    id: str = ""


class Letter(msgspec.Struct, frozen=True):
    """A message that could not be read: `text` where it is text, else `base64`."""

    id: int
    topic: str
    reason: str
    detail: str
    received: datetime
    retained: bool
    replayed: datetime | None
    size: int
    text: str | None
    base64: str | None

    @classmethod
    def of(cls, letter: DeadLetter, most: int = 2_000) -> "Letter":
        """Return the JSON form of a letter, its payload cut to `most` bytes; /payload gives all."""
        head = letter.payload[:most]
        try:
            text, coded = head.decode(), None
        except UnicodeDecodeError:
            text, coded = None, base64.b64encode(head).decode()
        return cls(
            letter.id, letter.topic, letter.reason, letter.detail, letter.received, letter.retained, letter.replayed,
            len(letter.payload), text, coded,
        )  # fmt: skip


class Replayed(msgspec.Struct, frozen=True):
    """What became of a letter that was read again."""

    readings: int
    rejected: Sequence[Place]
    ignored: str
    replayed: bool


class Question(msgspec.Struct, frozen=True):
    """A finding on the curve of a point; `open` while the operator is asked; `proposal` would explain it."""

    id: str
    point: str
    meter: str
    register: str
    rule: str
    start: datetime
    end: datetime
    open: bool
    evidence: dict[str, Any]
    proposal: dict[str, Any] | None

    @classmethod
    def of(cls, found: PointFinding) -> "Question":
        """Return the JSON form of a finding."""
        f = found.finding
        proposal = None if f.proposal is None else dict(f.proposal)
        return cls(
            finding_id(found), found.point, f.meter, f.register, f.rule.value, f.at_from, f.at_to, found.open,
            dict(f.evidence), proposal,
        )  # fmt: skip


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened to the dial: swap, reset or rollover; what is left out is taken from the proposal."""

    kind: str = ""
    at: datetime | None = None
    final: float | None = None
    first: float | None = None
    new_device: str = ""
    note: str = ""


@router.get(
    "/audit",
    dependencies=[allowed(Right.ADMINISTER, everywhere=True)],
    operation_id="list_audit",
    summary="Changes of the register, newest first",
    **documented(page_type(AuditEntry), examples.AUDIT, errors=(401, 422, 503)),
)
def list_audit(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    entity: Annotated[str, Query(description="Of this kind of thing.", examples=["point"])] = "",
    key: Annotated[str, Query(description="Of this id.", examples=["B01-EL"])] = "",
    limit: Limit = LIMIT,
    after: Cursor = 0,
) -> Response:
    """Return a page of the audit trail."""
    found = room.deps.records.audit(entity=entity or None, key=key or None, before=after or None, limit=limit + 1)
    page = found[:limit]
    cursor = page[-1].id if len(found) > limit else None
    body, headers = page_of(request, page, total=None, limit=limit, cursor=cursor)
    return as_json(body, headers=headers)


@router.get(
    "/inbox",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="list_inbox",
    summary="Meters that send readings or describe themselves, and stand on no point",
    description="Beside each series stands what its device says of itself (Home Assistant discovery, Zigbee2MQTT, "
    "Homie), to be confirmed. A page never tears the registers of a device apart, so it may be a little longer than "
    "`limit`.",
    **documented(page_type(Unassigned), examples.INBOX, errors=(401, 422, 503)),
)
def list_inbox(request: Request, room: InRoom, limit: Limit = LIMIT, after: After = "") -> Response:
    """Return a page of the inbox."""
    found = waiting(room, after=after)
    page = found[:limit]
    page += [w for w in found[limit:] if page and w.item.device == page[-1].item.device]
    cursor = page[-1].item.device if len(found) > len(page) else None
    total = len(waiting(room)) if after else len(found)
    rows = [w.json() for w in page]
    body, headers = page_of(request, rows, total=total, limit=limit, cursor=cursor)
    return as_json(body, headers=headers)


@router.post(
    "/inbox/{device:path}/assign",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="assign_device",
    summary="Mount a device on a point",
    description="Makes a meter on the point, since `mounted` (else since its first reading), and takes the device out "
    "of the inbox; its readings so far become the point's. Where `register` is named, the device's other dials stay, "
    "to be mounted on other points. Readings without a unit need a `unit`; pulses too, with the amount of one pulse as "
    "`multiplier`.",
    **documented(
        Meter,
        examples.MOUNTED,
        status=201,
        body=Assignment,
        body_example=examples.ASSIGNMENT,
        errors=(401, 404, 409, 422, 503),
    ),
)
def assign_device(room: InRoom, by: Caller, device: Device, body: Body) -> Response:
    """Mount a device of the inbox on a point."""
    wish = convert(read_object(body), Assignment)
    meter = assign(room, device, msgspec.structs.asdict(wish), by=by)
    return as_json(to_document(meter), status=201, headers={"Location": f"/api/v1/meters/{meter.id}"})


@router.get(
    "/letters",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="list_letters",
    summary="Messages that could not be read",
    **documented(page_type(Letter), examples.LETTERS, errors=(401, 422, 503)),
)
def list_letters(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    reason: Annotated[str, Query(description="Of this reason.", examples=["malformed"])] = "",
    topic: Annotated[str, Query(description="Of this topic.", examples=["odecet/em-0042"])] = "",
    replayed: Annotated[bool, Query(description="Also those read since.", examples=[False])] = False,  # noqa: FBT002 - the API's word
    limit: Limit = LIMIT,
    after: Cursor = 0,
) -> Response:
    """Return a page of dead letters."""
    found = room.deps.records.letters(
        reason=reason or None, topic=topic or None, after=after, limit=limit + 1, open_only=not replayed
    )
    page = [Letter.of(letter) for letter in found[:limit]]
    cursor = page[-1].id if len(found) > limit else None
    counted = room.deps.records.count_letters()
    total = None if topic or replayed else counted.get(reason, 0) if reason else sum(counted.values())
    body, headers = page_of(request, page, total=total, limit=limit, cursor=cursor)
    return as_json(body, headers=headers)


@router.get(
    "/letters/{number}",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="get_letter",
    summary="One message that could not be read",
    **documented(Letter, examples.LETTER, errors=(401, 404, 422, 503)),
)
def get_letter(room: InRoom, number: Number) -> Response:
    """Return one dead letter."""
    return as_json(Letter.of(room.deps.records.letter(number)))


@router.get(
    "/letters/{number}/payload",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="get_letter_payload",
    summary="Its payload, as it came",
    **documented(None, None, errors=(401, 404, 422, 503), also={"application/octet-stream": "{broken"}),
)
def get_payload(room: InRoom, number: Number) -> Response:
    """Return the raw payload; a download, never shown by the browser."""
    letter = room.deps.records.letter(number)
    headers = {"Content-Disposition": f'attachment; filename="letter-{number}.bin"'}
    return Response(letter.payload, headers=headers, media_type="application/octet-stream")


@router.post(
    "/letters/{number}/replay",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="replay_letter",
    summary="Read it again",
    description="For after the profile was mended. Reading it twice changes nothing.",
    **documented(Replayed, examples.REPLAYED, errors=(401, 404, 409, 422, 503)),
)
def replay_letter(room: InRoom, by: Caller, number: Number) -> Response:  # noqa: ARG001 - the caller is checked, the store keeps when
    """Read a dead letter again."""
    taken = room.replay(number)
    done = room.deps.records.letter(number).replayed is not None
    rejected = [Place(place, reason) for place, reason in taken.rejected]
    return as_json(Replayed(taken.readings, rejected, taken.ignored, done))


@router.get(
    "/findings",
    operation_id="list_findings",
    summary="What was found on dials, and what the operator is asked",
    **documented(page_type(Question), examples.FINDINGS, errors=(401, 404, 422, 503)),
)
def list_findings(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    point: Annotated[list[str], Query(description="On these points.", examples=[["B01-EL"]])] = [],  # noqa: B006 - FastAPI copies it
    rule: Annotated[str, Query(description="By this rule.", examples=["break"])] = "",
    open_only: Annotated[bool, Query(alias="open", description="Open ones alone.", examples=[True])] = False,  # noqa: FBT002 - the API's word
    limit: Limit = LIMIT,
    after: Annotated[int, Query(ge=0, le=MOST_FINDINGS, description="How many came before.", examples=[0])] = 0,
) -> Response:
    """Return a page of findings, newest first."""
    points = [room.now().point(p).id for p in point] or None
    found = room.deps.records.findings(points=points, rule=rule or None, open_only=open_only, limit=after + limit + 1)
    page = [Question.of(f) for f in found[after : after + limit]]
    cursor = after + limit if len(found) > after + limit else None
    body, headers = page_of(request, page, total=None, limit=limit, cursor=cursor)
    return as_json(body, headers=headers)


@router.post(
    "/findings/{finding}/answer",
    dependencies=[allowed(Right.READINGS)],
    operation_id="answer_finding",
    summary="Say what happened to the dial",
    description="Records the event, or, where an exchange brought a device of another name, mounts that meter; the "
    "consumption of the point is computed anew from it. What is left out is taken from the proposal.",
    **documented(
        DialEvent,
        examples.EVENT,
        status=201,
        body=Answer,
        body_example=examples.ANSWER,
        errors=(401, 404, 409, 422, 503),
    ),
)
def answer_question(room: InRoom, by: Caller, finding: FindingKey, body: Body) -> Response:
    """Record the event that answers a finding."""
    said = convert(read_object(body), Answer)
    made = answer_finding(room, finding, msgspec.structs.asdict(said), by=by)
    many = "meters" if isinstance(made, Meter) else "events"
    return as_json(to_document(made), status=201, headers={"Location": f"/api/v1/{many}/{made.id}"})
