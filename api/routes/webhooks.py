"""/api/v1/webhooks and /api/v1/ingest: what network servers send over HTTP, read as if it came over MQTT.

A server that is told of a failure sends the same again. So a message that cannot be read is kept as a dead letter
and answered as taken, with what is wrong in `rejected`; only a store that is down is an error (503), for then the
message is not kept and has to come again.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import webhook_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.problems import Place
from api.room import Body, Caller, InBareRoom, Room
from api.routes.readings import Accepted
from core.errors import InputError
from core.people import Right

UNKNOWN: Final = "-"
"""What stands in a topic for an id that a message does not tell."""

TOPIC_LENGTH: Final = 1_000
EUI_BYTES: Final = 8
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,99}")
_EUI: Final = re.compile(r"[0-9A-Fa-f]{16}")
_STRANGE: Final = re.compile("[+#\x00-\x1f\x7f]")

Tree = Mapping[str, Any]

router = APIRouter(prefix="/api/v1", tags=["readings"], dependencies=[allowed(Right.INGEST, everywhere=True)])


class ChirpStackEvent(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An event of ChirpStack 4, as its HTTP integration sends it in JSON; `object` is what the codec made."""

    device_info: dict[str, Any]
    time: str = ""
    f_port: int = 0
    data: str = ""
    object: dict[str, Any] = {}


class TheThingsStackMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of The Things Stack 3, as its webhooks send it in JSON."""

    end_device_ids: dict[str, Any]
    received_at: str = ""
    uplink_message: dict[str, Any] = {}


class AnyPayload(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payload of any format that a profile reads, JSON or another; these are the fields of a camera on a dial."""

    value: str = ""
    raw: str = ""
    pre: str = ""
    error: str = ""
    timestamp: str = ""


@router.post(
    "/webhooks/chirpstack",
    operation_id="take_chirpstack",
    summary="Take an event of ChirpStack",
    description="For the HTTP integration of ChirpStack 4 or 3 with JSON encoding. What cannot be read is kept as a "
    "dead letter, told in `rejected` and not asked for again.",
    **documented(
        Accepted,
        examples.TAKEN,
        body=ChirpStackEvent,
        body_example=examples.CHIRPSTACK,
        errors=(401, 413, 422, 503),
    ),
)
def take_chirpstack(
    room: InBareRoom,
    by: Caller,
    body: Body,
    event: Annotated[
        str, Query(pattern="^[a-z]{1,20}$", description="What happened, as ChirpStack says it.", examples=["up"])
    ] = "up",
) -> Response:
    """Take an event under the topic that ChirpStack publishes it on."""
    tree = _tree(body)
    info = _within(tree, "deviceInfo")
    application = _name(info.get("applicationId", tree.get("applicationID")))
    eui = _eui(info.get("devEui", tree.get("devEUI")))
    return _take(room, f"application/{application}/device/{eui}/event/{event}", body, by)


@router.post(
    "/webhooks/the-things-stack",
    operation_id="take_the_things_stack",
    summary="Take a message of The Things Stack",
    description="For webhooks of The Things Stack 3 in JSON, of any message type at this one address. What cannot be "
    "read is kept as a dead letter, told in `rejected` and not asked for again.",
    **documented(
        Accepted,
        examples.TAKEN,
        body=TheThingsStackMessage,
        body_example=examples.THE_THINGS_STACK,
        errors=(401, 413, 422, 503),
    ),
)
def take_the_things_stack(room: InBareRoom, by: Caller, body: Body) -> Response:
    """Take a message under the topic that The Things Stack publishes it on."""
    tree = _tree(body)
    ids = _within(tree, "end_device_ids")
    application = _name(_within(ids, "application_ids").get("application_id"))
    kind = next((KINDS[key] for key in KINDS if key in tree), "up")
    return _take(room, f"v3/{application}/devices/{_name(ids.get('device_id'))}/{kind}", body, by)


KINDS: Final[Mapping[str, str]] = {
    "uplink_message": "up",
    "uplink_normalized": "up/normalized",
    "join_accept": "join",
    "downlink_queued": "down/queued",
    "downlink_sent": "down/sent",
    "downlink_ack": "down/ack",
    "downlink_nack": "down/nack",
    "downlink_failed": "down/failed",
    "location_solved": "location/solved",
    "service_data": "service/data",
}
"""Where The Things Stack publishes its messages, by the key that each has."""


@router.post(
    "/ingest/{topic:path}",
    operation_id="take_payload",
    summary="Send a payload as if over MQTT",
    description="The body is read by the profiles as a message on this topic. What cannot be read is kept as a dead "
    "letter, told in `rejected` and not asked for again.",
    **documented(
        Accepted,
        examples.TAKEN,
        body=AnyPayload,
        body_example=examples.PAYLOAD,
        errors=(401, 413, 422, 503),
    ),
)
def take_payload(
    room: InBareRoom,
    by: Caller,
    body: Body,
    topic: Annotated[str, Path(description="The topic.", examples=["watermeter/main/json"])],
) -> Response:
    """Take a payload under a topic."""
    if not topic.strip("/") or len(topic) > TOPIC_LENGTH or _STRANGE.search(topic) or topic.startswith("$"):
        why = f"a topic has at most {TOPIC_LENGTH} characters, no + and no #, and does not begin with $"
        raise InputError(f"{topic[:60]!r} is no topic", place="topic", remedy=why)
    return _take(room, topic, body, by)


def _take(room: Room, topic: str, body: bytes, by: str) -> Response:
    """Read a body as a message on a topic; answer what came of it, so that it is not sent again."""
    if not body.strip():
        raise InputError("the body is empty", place="body", remedy="send the message as the body")
    taken = room.deps.intake.take(topic, body, source=f"webhook/{by}", now=room.deps.clock())
    rejected = [Place(place, reason) for place, reason in taken.rejected]
    return as_json(Accepted(taken.readings, rejected, taken.ignored))


def _tree(body: bytes) -> Tree:
    """Return the object of a body; an empty one where it is none, for the profiles tell what is wrong with it."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _within(tree: Tree, key: str) -> Tree:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def _name(value: object) -> str:
    """Return an id as a level of a topic."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _NAME.fullmatch(text) else UNKNOWN


def _eui(value: object) -> str:
    """Return the EUI of a device in small letters; ChirpStack 3 may write it in base64."""
    if not isinstance(value, str):
        return UNKNOWN
    if _EUI.fullmatch(value):
        return value.lower()
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return UNKNOWN
    return raw.hex() if len(raw) == EUI_BYTES else UNKNOWN
