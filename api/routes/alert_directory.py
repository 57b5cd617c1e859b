"""/api/v1/recipients, /alert-routes, /alert-windows: whom alerts are told to, and where nobody would be told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from alerts.coverage import Unheard
from alerts.routing import Told
from api import alert_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented, page_type
from api.documents import convert, from_document, read_object, same_id
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from core.alerts import Severity
from core.people import Right
from core.sending import ChannelKind, Outgoing, Recipient, Route, SendState, Window, WindowScope
from services.alert_directory import RECIPIENT, ROUTE, WINDOW, AlertDirectory

router = APIRouter(prefix="/api/v1", tags=["alerts"])
people = [allowed(Right.REGISTER, everywhere=True)]
"""Whoever answers for the region's meters answers for who is told; addresses are shown to nobody else."""
looking = [allowed(Right.SEE)]

Key = Annotated[str, Path(description="Its id.", examples=["novak"])]
MOST: Final = 1000
K = TypeVar("K", Recipient, Route, Window)


class Receiver(msgspec.Struct, frozen=True):
    """Somebody who would be told, by which channel, and not before `due` (quiet hours, the route's delay)."""

    recipient: str
    name: str
    channel: str
    due: datetime


class Gap(msgspec.Struct, frozen=True):
    """Why nobody is reached: `no_route`, or a route's people (`nobody`) or address (`no_address`) are lacking."""

    gap: str
    route: str
    recipient: str


class Receivers(msgspec.Struct, frozen=True):
    """Who would be told of an alert that opened now."""

    receivers: Sequence[Receiver]
    gaps: Sequence[Gap]

    @classmethod
    def of(cls, told: Told) -> "Receivers":
        """Return the JSON form; addresses stay with those who keep them."""
        return cls(
            receivers=[Receiver(t.recipient.id, t.recipient.name, t.channel, t.due) for t in told.targets],
            gaps=[Gap(g.gap, g.route, g.recipient) for g in told.gaps],
        )


class AlertGap(msgspec.Struct, frozen=True):
    """Alerts that nobody would be told of at once; no rules: all of them. `digest`: the weekly digest tells of them."""

    severities: Sequence[str]
    rules: Sequence[str]
    buildings: Sequence[str]
    digest: bool

    @classmethod
    def of(cls, found: Unheard) -> "AlertGap":
        """Return the JSON form."""
        return cls([s.value for s in found.severities], found.rules, found.buildings, found.digest)


class AlertMessage(msgspec.Struct, frozen=True):
    """A message and what became of it; `alerts` are those it tells."""

    key: str
    channel: str
    recipient: str
    state: str
    subject: str
    alerts: Sequence[str]
    created: datetime
    due: datetime
    attempts: int
    error: str

    @classmethod
    def of(cls, message: Outgoing) -> "AlertMessage":
        """Return the JSON form."""
        return cls(
            key=message.key,
            channel=message.channel,
            recipient=message.recipient,
            state=message.state,
            subject=str(message.content.get("subject", "")),
            alerts=[item.alert for item in message.items],
            created=message.created,
            due=message.due,
            attempts=message.attempts,
            error=message.error,
        )


class TestWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which channel a test message goes."""

    channel: ChannelKind = ChannelKind.MAIL


def directory(room: Room) -> AlertDirectory:
    """Return the acts on recipients, routes and windows, over the whole region: routes declare who may."""
    return AlertDirectory(room.region.deps.records, room.alerts().policy)


def _read(body: bytes, key: str, kind: type[K]) -> K:
    made: K = from_document(same_id(read_object(body), key), kind)  # type: ignore[type-var]  # read as the register's are
    return made


def _page(rows: Sequence[Any]) -> Response:
    return as_json({"items": rows, "next": None, "total": len(rows)})


# Recipients


@router.get(
    "/recipients",
    dependencies=people,
    operation_id="list_recipients",
    summary="Who is told of alerts",
    **documented(page_type(Recipient), examples.RECIPIENTS, errors=(401, 422, 503)),
)
def list_recipients(room: InRoom) -> Response:
    """Return all recipients."""
    return _page(room.region.deps.records.recipients())


@router.get(
    "/recipients/{key}",
    dependencies=people,
    operation_id="get_recipient",
    summary="A recipient",
    **documented(Recipient, examples.RECIPIENT, errors=(401, 404, 422, 503)),
)
def get_recipient(room: InRoom, key: Key) -> Response:
    """Return one."""
    return as_json(directory(room).recipient(key))


@router.put(
    "/recipients/{key}",
    dependencies=people,
    operation_id="put_recipient",
    summary="Add a recipient, or put it in the place of the one with this id",
    **documented(
        Recipient, examples.RECIPIENT, body=Recipient, body_example=examples.RECIPIENT, errors=(401, 422, 503)
    ),
)
def put_recipient(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Store one."""
    made = _read(body, key, Recipient)
    return as_json(directory(room).keep_recipient(made, act(room, by)))


@router.delete(
    "/recipients/{key}",
    dependencies=people,
    operation_id="remove_recipient",
    summary="Remove a recipient",
    **documented(None, None, status=204, errors=(401, 404, 409, 422, 503)),
)
def remove_recipient(room: InRoom, by: Caller, key: Key) -> Response:
    """Remove one."""
    directory(room).drop(RECIPIENT, key, act(room, by))
    return Response(status_code=204)


@router.post(
    "/recipients/{key}/test",
    dependencies=people,
    operation_id="test_recipient",
    summary="Send a test message to a recipient",
    description="It goes the way of alerts: through the outbox, tried again where that may help. Its state shows "
    "whether it arrived. Asked twice in a minute, one is sent.",
    **documented(
        AlertMessage, examples.MESSAGE, body=TestWish, body_example={"channel": "mail"}, errors=(401, 404, 422, 503)
    ),
)
def test_recipient(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Send one."""
    wish = convert(read_object(body), TestWish)
    return as_json(AlertMessage.of(directory(room).send_test(key, wish.channel, act(room, by))))


# Routes


@router.get(
    "/alert-routes",
    dependencies=people,
    operation_id="list_alert_routes",
    summary="Which alerts go to whom",
    **documented(page_type(Route), examples.ROUTES, errors=(401, 422, 503)),
)
def list_routes(room: InRoom) -> Response:
    """Return all routes."""
    return _page(room.region.deps.records.routes())


@router.put(
    "/alert-routes/{key}",
    dependencies=people,
    operation_id="put_alert_route",
    summary="Add a route, or put it in the place of the one with this id",
    **documented(Route, examples.ROUTE, body=Route, body_example=examples.ROUTE, errors=(401, 422, 503)),
)
def put_route(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Store one."""
    made = _read(body, key, Route)
    return as_json(directory(room).keep_route(made, act(room, by)))


@router.delete(
    "/alert-routes/{key}",
    dependencies=people,
    operation_id="remove_alert_route",
    summary="Remove a route",
    **documented(None, None, status=204, errors=(401, 404, 422, 503)),
)
def remove_route(room: InRoom, by: Caller, key: Key) -> Response:
    """Remove one."""
    directory(room).drop(ROUTE, key, act(room, by))
    return Response(status_code=204)


# Windows


@router.get(
    "/alert-windows",
    dependencies=looking,
    operation_id="list_alert_windows",
    summary="Announced works, in which faults are expected",
    **documented(page_type(Window), examples.WINDOWS, errors=(401, 422, 503)),
)
def list_windows(room: InRoom) -> Response:
    """Return those of what the caller sees."""
    return _page(windows_seen(room))


def windows_seen(room: Room) -> list[Window]:
    """Return the announced works at places that the caller sees; those of the whole region are everybody's."""
    windows, now = room.region.deps.records.windows(), room.now()
    held = {
        WindowScope.BUILDING: set(now.buildings),
        WindowScope.POINT: set(now.points),
        WindowScope.SOURCE: set[str](),
    }
    if room.access.everywhere(Right.SEE):
        return windows
    return [w for w in windows if w.scope is WindowScope.ALL or w.key in held[w.scope]]


def check_window(room: Room, window: Window) -> None:
    """Raise Refused where the caller may not announce works there."""
    if room.access.everywhere(Right.ALERTS):
        return
    now = room.now()
    point = now.points.get(window.key) if window.scope is WindowScope.POINT else None
    key = point.building if point is not None else window.key if window.scope is WindowScope.BUILDING else ""
    building = now.buildings.get(key)
    if building is None or not room.access.may(Right.ALERTS, organisation=building.organisation, building=building.id):
        raise Refused(403, "You may announce works in your own buildings only.")


@router.put(
    "/alert-windows/{key}",
    dependencies=[allowed(Right.ALERTS)],
    operation_id="put_alert_window",
    summary="Announce works or an outage, or put it in the place of the one with this id",
    **documented(Window, examples.WINDOW, body=Window, body_example=examples.WINDOW, errors=(401, 422, 503)),
)
def put_window(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Store one."""
    made = _read(body, key, Window)
    check_window(room, made)
    for former in room.region.deps.records.windows():
        if former.id == key:
            check_window(room, former)
    return as_json(directory(room).keep_window(made, act(room, by)))


@router.delete(
    "/alert-windows/{key}",
    dependencies=[allowed(Right.ALERTS)],
    operation_id="remove_alert_window",
    summary="Remove announced works",
    **documented(None, None, status=204, errors=(401, 404, 422, 503)),
)
def remove_window(room: InRoom, by: Caller, key: Key) -> Response:
    """Remove one."""
    for former in room.region.deps.records.windows():
        if former.id == key:
            check_window(room, former)
    directory(room).drop(WINDOW, key, act(room, by))
    return Response(status_code=204)


# Who would be told


@router.get(
    "/alert-gaps",
    dependencies=people,
    operation_id="list_alert_gaps",
    summary="Which alerts nobody would be told of",
    **documented(page_type(AlertGap), examples.GAPS, errors=(401, 422, 503)),
)
def list_gaps(room: InRoom) -> Response:
    """Return where nobody would be told."""
    return _page([AlertGap.of(found) for found in directory(room).gaps()])


@router.get(
    "/alert-preview",
    dependencies=people,
    operation_id="preview_alert",
    summary="Who would be told of such an alert now",
    **documented(Receivers, examples.RECEIVERS, errors=(401, 422, 503)),
)
def preview(
    room: InRoom,
    rule: Annotated[str, Query(description="The rule.", examples=["leak"])],
    severity: Annotated[Severity, Query(description="The severity.", examples=["medium"])],
    building: Annotated[str, Query(description="The building; none: a broker or gateway.", examples=["B01"])] = "",
) -> Response:
    """Return who would be told."""
    return as_json(Receivers.of(directory(room).who_of(building, rule, severity, room.deps.clock())))


@router.get(
    "/alerts/{key}/receivers",
    dependencies=looking,
    operation_id="list_alert_receivers",
    summary="Who would be told of this alert if it opened now",
    **documented(Receivers, examples.RECEIVERS, errors=(401, 404, 422, 503)),
)
def receivers(room: InRoom, key: Key) -> Response:
    """Return who would be told."""
    return as_json(Receivers.of(directory(room).who(room.deps.records.alert(key), room.deps.clock())))


# Messages


@router.get(
    "/alert-messages",
    dependencies=people,
    operation_id="list_alert_messages",
    summary="Messages and what became of them, the newest first",
    **documented(page_type(AlertMessage), examples.MESSAGES, errors=(401, 422, 503)),
)
def list_messages(
    room: InRoom,
    state: Annotated[list[SendState], Query(description="In these states.", examples=[["failed"]])] = [],  # noqa: B006 - FastAPI copies it
    recipient: Annotated[str, Query(description="To this recipient.", examples=["novak"])] = "",
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.", examples=[100])] = 100,
) -> Response:
    """Return messages."""
    found = directory(room).messages(states=frozenset(state), recipient=recipient, limit=limit)
    return _page([AlertMessage.of(one) for one in found])


@router.post(
    "/alert-messages/{key}/again",
    dependencies=people,
    operation_id="send_alert_message_again",
    summary="Send a message again that was given up, or of which nobody knows whether it arrived",
    **documented(AlertMessage, examples.MESSAGE, errors=(401, 404, 409, 422, 503)),
)
def send_again(room: InRoom, by: Caller, key: Key) -> Response:
    """Send it again."""
    return as_json(AlertMessage.of(directory(room).send_again(key, act(room, by))))
