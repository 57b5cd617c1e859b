"""/api/v1/alerts: what is wrong, with its evidence, history and messages; what people do about it; how long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from alerts.checks import checks
from alerts.wording import check, title
from api import alert_examples as examples
from api.access import allowed
from api.answers import as_json
from api.asking import span_of
from api.contract import documented, page_type
from api.documents import convert, read_object
from api.paging import LIMIT, After, Limit, page_of
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from api.routes.consumption import From, To
from core.alerts import ACTIVE, ENTITY, Alert, AlertFilter, Cause, Severity, State
from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.people import Right
from core.sending import Outgoing
from services.alert_times import Times, times_of

router = APIRouter(prefix="/api/v1", tags=["alerts"], dependencies=[allowed(Right.SEE)])

Key = Annotated[str, Path(description="The alert's id.", examples=["5d1f0a9c3b7e42d86f10"])]
MOST_HISTORY: Final = 1000
MOST_AT_ONCE: Final = 500


class Order(StrEnum):
    """What comes first in a list of alerts."""

    OPENED = "opened"
    URGENCY = "urgency"


class AlertLine(msgspec.Struct, frozen=True):
    """An alert: loss per day in `unit` and in Kč; `standing` while its evidence goes on."""

    id: str
    rule: str
    title: str
    kind: str
    subject: str
    building: str
    state: str
    severity: str
    opened_at: datetime
    changed_at: datetime
    at_from: datetime
    seen_to: datetime
    standing: bool
    loss_per_day: float | None
    unit: str
    loss_czk_per_day: float | None
    covers: Sequence[str]
    assignee: str
    acknowledged_by: str
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    cause: str
    note: str
    resolved_by: str
    ended_at: datetime | None
    part_of: str
    reopened: int
    revision: int

    @classmethod
    def of(cls, alert: Alert, language: str) -> "AlertLine":
        """Return the JSON form."""
        said = {name: getattr(alert, name) for name in cls.__struct_fields__ if name != "title"}
        return cls(**said | {"title": title(alert.rule, language)})


class HistoryLine(msgspec.Struct, frozen=True):
    """A step of an alert's life: who did what, the state after it, and what was said."""

    at: datetime
    by: str
    did: str
    state: str
    note: str

    @classmethod
    def of(cls, entry: AuditEntry) -> "HistoryLine":
        """Return the JSON form."""
        after: Mapping[str, Any] = entry.after or {}
        return cls(entry.at, entry.by, entry.why, str(after.get("state", "")), str(after.get("note", "")))


class MessageLine(msgspec.Struct, frozen=True):
    """A message of an alert and what became of it."""

    recipient: str
    channel: str
    state: str
    due: datetime
    attempts: int
    error: str

    @classmethod
    def of(cls, message: Outgoing) -> "MessageLine":
        """Return the JSON form; the address stays with those who may write."""
        return cls(message.recipient, message.channel, message.state, message.due, message.attempts, message.error)


class AlertDetail(msgspec.Struct, frozen=True):
    """An alert with the numbers it rests on, what to check, its history and messages, the newest last."""

    alert: AlertLine
    evidence: dict[str, Any]
    check: str
    checks: Sequence[str]
    history: Sequence[HistoryLine]
    messages: Sequence[MessageLine]


class AlertAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody does: acknowledge, assign `to`, snooze `until`, comment a `note`, resolve with `cause`, `note`."""

    act: str
    to: str = ""
    until: datetime | None = None
    cause: str = ""
    note: str = ""


class AlertActs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody does about several alerts at once: the ids, and the act as of a single one."""

    keys: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]
    act: str
    to: str = ""
    until: datetime | None = None
    cause: str = ""
    note: str = ""

    @property
    def each(self) -> AlertAct:
        """What is done about each."""
        return AlertAct(act=self.act, to=self.to, until=self.until, cause=self.cause, note=self.note)


class ActDone(msgspec.Struct, frozen=True):
    """What became of an act on one of several: the alert's state, or why it was not done."""

    key: str
    state: str
    error: str


class ActsDone(msgspec.Struct, frozen=True):
    """What became of an act on several alerts, each by itself."""

    items: Sequence[ActDone]


class AlertTimes(msgspec.Struct, frozen=True):
    """How long alerts waited, by severity."""

    items: Sequence[Times]


@router.get(
    "/alerts",
    operation_id="list_alerts",
    summary="What is wrong, the last opened first or the most urgent",
    **documented(page_type(AlertLine), examples.PAGE, errors=(401, 404, 422, 503)),
)
def list_alerts(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    active: Annotated[bool, Query(description="Only what is still to be done.", examples=[True])] = False,  # noqa: FBT002 - the API's word
    state: Annotated[list[State], Query(description="In these states.", examples=[["open"]])] = [],  # noqa: B006 - FastAPI copies it
    severity: Annotated[Severity, Query(description="Of this severity and more.", examples=["low"])] = Severity.LOW,
    building: Annotated[list[str], Query(description="In these buildings.", examples=[["B01"]])] = [],  # noqa: B006 - same
    rule: Annotated[list[str], Query(description="By these rules.", examples=[["leak"]])] = [],  # noqa: B006 - same
    assignee: Annotated[str, Query(description="Given to this person.", examples=["novak"])] = "",
    order: Annotated[Order, Query(description="The last opened first, or the most urgent.", examples=["urgency"])] = (
        Order.OPENED
    ),
    limit: Limit = LIMIT,
    after: After = "",
) -> Response:
    """Return a page of alerts."""
    asked = AlertFilter(
        states=ACTIVE if active else frozenset(state),
        least=severity,
        buildings=tuple(building),
        rules=tuple(rule),
        assignee=assignee,
        urgent_first=order is Order.URGENCY,
        bare=True,
    )
    found = room.deps.records.alerts(asked, after=after, limit=limit + 1)
    rows = [AlertLine.of(a, room.deps.locale) for a in found[:limit]]
    body, headers = page_of(request, rows, total=None, limit=limit, cursor=rows[-1].id if len(found) > limit else None)
    return as_json(body, headers=headers)


@router.get(
    "/alerts/{key}",
    operation_id="get_alert",
    summary="One alert with its evidence, what to check, its history and messages",
    **documented(AlertDetail, examples.DETAIL, errors=(401, 404, 422, 503)),
)
def get_alert(room: InRoom, key: Key) -> Response:
    """Return one alert."""
    return as_json(detail_of(room, room.deps.records.alert(key), room.deps.locale))


def detail_of(room: Room, alert: Alert, language: str) -> AlertDetail:
    """Return an alert with all that is known of it."""
    records = room.deps.records
    trail = records.audit(entity=ENTITY, key=alert.id, limit=MOST_HISTORY)
    return AlertDetail(
        alert=AlertLine.of(alert, language),
        evidence=dict(alert.evidence),
        check=check(alert.rule, language),
        checks=checks(alert.rule, language),
        history=[HistoryLine.of(entry) for entry in reversed(trail)],
        messages=[MessageLine.of(m) for m in reversed(records.outgoing(alert=alert.id))],
    )


@router.post(
    "/alerts/{key}/acts",
    dependencies=[allowed(Right.ALERTS)],
    operation_id="act_on_alert",
    summary="Acknowledge, assign, snooze, comment or resolve an alert",
    **documented(AlertLine, examples.ALERT, body=AlertAct, body_example=examples.ACT, errors=(401, 404, 409, 422, 503)),
)
def act_on_alert(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Do something about an alert."""
    done = do(room, key, convert(read_object(body), AlertAct), by=by)
    return as_json(AlertLine.of(done, room.deps.locale))


@router.post(
    "/alert-acts",
    dependencies=[allowed(Right.ALERTS)],
    operation_id="act_on_alerts",
    summary="Do the same about several alerts; one that cannot be done stops no other",
    **documented(ActsDone, examples.BULK_DONE, body=AlertActs, body_example=examples.BULK, errors=(401, 422, 503)),
)
def act_on_alerts(room: InRoom, by: Caller, body: Body) -> Response:
    """Do something about several."""
    wish = convert(read_object(body), AlertActs)
    return as_json(ActsDone([done_or_not(room, key, wish.each, by=by) for key in dict.fromkeys(wish.keys)]))


def done_or_not(room: Room, key: str, wish: AlertAct, *, by: str) -> ActDone:
    """Do what somebody wishes about one of several; raise InputError where it could not be done about any."""
    try:
        return ActDone(key, do(room, key, wish, by=by).state, "")
    except (NotFound, Conflict, Refused) as err:
        return ActDone(key, "", str(err))


def do(room: Room, key: str, wish: AlertAct, *, by: str) -> Alert:
    """Do what somebody wishes about an alert; raise InputError where the act is not known."""
    alert_to_act_on(room, key)
    acts, now = room.alerts(), room.deps.clock()
    known: dict[str, Callable[[], Alert]] = {
        "acknowledge": lambda: acts.acknowledge(key, by=by, now=now),
        "assign": lambda: acts.assign(key, to=wish.to, by=by, now=now),
        "snooze": lambda: acts.snooze(key, until=_until(wish), by=by, now=now),
        "comment": lambda: acts.comment(key, text=wish.note, by=by, now=now),
        "resolve": lambda: acts.resolve(key, cause=_cause(wish), note=wish.note, by=by, now=now),
    }
    if wish.act not in known:
        raise InputError(f"{wish.act!r} is no act", place="act", remedy=f"write one of {', '.join(known)}")
    return known[wish.act]()


def alert_to_act_on(room: Room, key: str) -> Alert:
    """Return an alert that the caller may act on; raise NotFound where it is not seen, else Refused."""
    found = room.deps.records.alert(key)
    place = room.now().buildings.get(found.building)
    where = {} if place is None else {"organisation": place.organisation, "building": place.id}
    right = room.access.everywhere(Right.ALERTS) or (where and room.access.may(Right.ALERTS, **where))
    if not right:
        raise Refused(403, "You may look at this alert and not act on it.")
    return found


def _until(wish: AlertAct) -> datetime:
    if wish.until is None:
        raise InputError("it is not said until when", place="until", remedy="write 2026-01-31T12:00:00+01:00")
    return wish.until


def _cause(wish: AlertAct) -> Cause:
    if wish.cause not in set(Cause):
        raise InputError(f"{wish.cause!r} is no cause", place="cause", remedy=f"write one of {', '.join(Cause)}")
    return Cause(wish.cause)


@router.get(
    "/alert-times",
    operation_id="get_alert_times",
    summary="Mean time to acknowledge and to resolve, by severity, of alerts opened in a span",
    **documented(AlertTimes, examples.TIMES, errors=(401, 422, 503)),
)
def get_alert_times(room: InRoom, start: From = "", to: To = "") -> Response:
    """Return how long alerts waited."""
    span = span_of(start, to, room.deps.zone, room.deps.clock()) if start or to else None
    asked = AlertFilter(bare=True)
    if span is not None:
        asked = replace(asked, opened_from=span.start, opened_to=span.end)
    rows = times_of(room.deps.records.alerts(asked))
    return as_json(AlertTimes(rows))
