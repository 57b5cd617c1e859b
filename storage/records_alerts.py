"""Alerts, their outbox, people and routes in SQL; a part of the record store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, case, delete, func, or_, select, update

from core.alerts import Alert, AlertFilter, Change, Severity, State, Subject
from core.errors import Conflict, NotFound
from core.notes import AuditEntry
from core.sending import ChannelKind, Item, Outgoing, Recipient, Route, SendState, Window
from storage import records_register as register
from storage import tables_alerts as tables
from storage.records_database import Database, Lock
from storage.records_rows import Row, chunks, insert_into, upsert

K = TypeVar("K", Recipient, Route, Window)
_ALERT: Final = tuple(f.name for f in fields(Alert))
_MESSAGE: Final = tuple(f.name for f in fields(Outgoing))
_DOCUMENTS: Final[dict[type, Table]] = {
    Recipient: tables.recipients,
    Route: tables.routes,
    Window: tables.windows,
}
_NAMES: Final = {"recipient": Recipient, "route": Route, "window": Window}


class AlertRecords:
    """The alerts of the record store at a database."""

    _database: Database

    def change_alerts(self, change: Change) -> None:
        """Store alerts, their history and messages, or nothing; raise Conflict where somebody was faster."""
        with self._database.write(Lock.ALERTS) as connection:
            for alert in change.alerts:
                _put_alert(connection, alert)
            _put_messages(connection, change.outgoing)
            register.record(connection, change.entries)

    def alert(self, key: str) -> Alert:
        """Return the alert of an id; raise NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(tables.alerts).where(tables.alerts.c.id == key)).mappings().first()
        if row is None:
            raise NotFound(f"alert {key} is not known")
        return _alert(dict(row))

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return alerts, the last opened first."""
        with self._database.read() as connection:
            return _alerts(connection, asked, after, limit)

    def claim_outgoing(self, *, by: str, now: datetime, until: datetime, limit: int) -> list[Outgoing]:
        """Take messages that are due, and those whose taker did not come back in time."""
        with self._database.write(Lock.OUTBOX) as connection:
            return _claim(connection, by, now, until, limit)

    def begin_sending(self, key: str, *, by: str, now: datetime) -> None:
        """Note durably that a message goes out now; raise Conflict where it was taken from us."""
        with self._database.write(Lock.OUTBOX) as connection:
            _only_mine(connection, key, by, {"state": SendState.SENDING, "changed": now}, still_at=now)

    def settle_outgoing(self, message: Outgoing, *, by: str) -> None:
        """Store what became of a message; raise Conflict where it was taken from us."""
        row = _message_row(message) | {"claimed_by": "", "claimed_until": None}
        with self._database.write(Lock.OUTBOX) as connection:
            _only_mine(connection, message.key, by, row)

    def sent_since(self, channel: str, address: str, since: datetime) -> list[datetime]:
        """Return when messages went out to an address."""
        table = tables.outbox
        gone = table.c.state.in_([SendState.SENT, SendState.SENDING, SendState.UNCERTAIN])
        there = (table.c.channel == channel) & (table.c.address == address)
        question = select(table.c.changed).where(gone, there, table.c.changed > since)
        with self._database.read() as connection:
            return list(connection.execute(question).scalars())

    def waiting_for(self, channel: str, address: str, *, after: datetime, until: datetime) -> str:
        """Return the key of the first message to an address that waits and is due then."""
        table = tables.outbox
        there = (table.c.channel == channel) & (table.c.address == address)
        due = (table.c.state == SendState.WAITING) & (table.c.due > after) & (table.c.due <= until)
        question = select(table.c.key).where(there, due).order_by(table.c.due, table.c.key).limit(1)
        with self._database.read() as connection:
            return connection.execute(question).scalar() or ""

    def join_outgoing(
        self, message: Outgoing, into: str, *, by: str, joined: Callable[[Outgoing, Outgoing], Outgoing]
    ) -> None:
        """Store a message of ours as told, and the one that waits with what it tells; raise Conflict where it left."""
        table = tables.outbox
        waiting = (table.c.key == into) & (table.c.state == SendState.WAITING)
        with self._database.write(Lock.OUTBOX) as connection:
            row = connection.execute(select(table).where(waiting)).mappings().first()
            if row is None:
                raise Conflict(f"message {into} does not wait any more")
            both = _message_row(joined(_message(dict(row)), message))
            changed = {name: both[name] for name in ("items", "content", "created")}
            connection.execute(update(table).where(waiting).values(**changed))
            _only_mine(connection, message.key, by, _message_row(message) | {"claimed_by": "", "claimed_until": None})
            _tell(connection, into, message.items)

    def outgoing(
        self,
        *,
        states: frozenset[str] = frozenset(),
        alert: str = "",
        recipient: str = "",
        keys: Sequence[str] = (),
        limit: int = 100,
    ) -> list[Outgoing]:
        """Return messages, the newest first."""
        table = tables.outbox
        question = select(table).order_by(table.c.created.desc(), table.c.key).limit(limit)
        if recipient:
            question = question.where(table.c.recipient == recipient)
        if keys:
            question = question.where(table.c.key.in_(keys))
        if states:
            question = question.where(table.c.state.in_(sorted(states)))
        if alert:
            of_it = select(tables.told.c.message).where(tables.told.c.alert == alert)
            question = question.where(table.c.key.in_(of_it))
        with self._database.read() as connection:
            return [_message(dict(row)) for row in connection.execute(question).mappings()]

    def keep_recipients(self, people: Sequence[Recipient], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        self._keep(people, entries)

    def recipients(self) -> list[Recipient]:
        """Return all, ordered by id."""
        return self._all(Recipient)

    def keep_routes(self, routes: Sequence[Route], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        self._keep(routes, entries)

    def routes(self) -> list[Route]:
        """Return all, ordered by id."""
        return self._all(Route)

    def keep_windows(self, windows: Sequence[Window], entries: Sequence[AuditEntry]) -> None:
        """Insert or replace these."""
        self._keep(windows, entries)

    def windows(self) -> list[Window]:
        """Return all, ordered by id."""
        return self._all(Window)

    def drop_notification(self, kind: str, keys: Sequence[str], entries: Sequence[AuditEntry]) -> None:
        """Remove recipients, routes or windows of these ids."""
        table = _DOCUMENTS[_NAMES[kind]]
        with self._database.write() as connection:
            for some in chunks(keys):
                connection.execute(delete(table).where(table.c.id.in_(some)))
            register.record(connection, entries)

    def _keep(self, some: Sequence[K], entries: Sequence[AuditEntry]) -> None:
        with self._database.write() as connection:
            for one in some:
                row = {"id": one.id, "document": msgspec.to_builtins(one)}
                upsert(connection, _DOCUMENTS[type(one)], [row], key="id")
            register.record(connection, entries)

    def _all(self, kind: type[K]) -> list[K]:
        table = _DOCUMENTS[kind]
        with self._database.read() as connection:
            found = connection.execute(select(table.c.document).order_by(table.c.id)).scalars()
            return [msgspec.convert(document, kind) for document in found]


def _put_alert(connection: Connection, alert: Alert) -> None:
    row, table = _alert_row(alert), tables.alerts
    if alert.revision == 1:
        added = insert_into(connection, table).on_conflict_do_nothing(index_elements=["id"]).values(**row)
        stored = len(connection.execute(added.returning(table.c.id)).all())
    else:
        before = (table.c.id == alert.id) & (table.c.revision == alert.revision - 1)
        stored = connection.execute(update(table).where(before).values(**row)).rowcount
    if stored != 1:
        raise Conflict(f"alert {alert.id} was changed meanwhile; look at it again and repeat what you did")


def _put_messages(connection: Connection, messages: Sequence[Outgoing]) -> None:
    for message in messages:
        once = insert_into(connection, tables.outbox).on_conflict_do_nothing(index_elements=["key"])
        added = once.values(**_message_row(message)).returning(tables.outbox.c.key)
        if connection.execute(added).first() is not None:
            _tell(connection, message.key, message.items)


def _tell(connection: Connection, message: str, items: Sequence[Item]) -> None:
    """Note which alerts a message tells."""
    rows = [{"message": message, "alert": alert} for alert in dict.fromkeys(item.alert for item in items)]
    if rows:
        once = insert_into(connection, tables.told).on_conflict_do_nothing(index_elements=["message", "alert"])
        connection.execute(once, rows)


def _alerts(connection: Connection, asked: AlertFilter, after: str, limit: int | None) -> list[Alert]:
    table, order = tables.alerts, _order(asked)
    columns = [column for column in table.c if not (asked.bare and column.name == "evidence")]
    question = select(*columns).where(*_conditions(asked)).order_by(*(column.desc() for column in order))
    if after:
        last = connection.execute(select(*order).where(table.c.id == after)).first()
        if last is None:
            raise NotFound(f"alert {after} is not known")
        question = question.where(_behind(order, last))
    return [_alert(dict(row)) for row in connection.execute(question.limit(limit)).mappings()]


def _order(asked: AlertFilter) -> list[ColumnElement[Any]]:
    """Return what orders alerts, each the largest first."""
    table = tables.alerts
    order: list[ColumnElement[Any]] = [table.c.opened_at, table.c.id]
    if not asked.urgent_first:
        return order
    ranks = {severity.value: severity.rank for severity in Severity}
    return [case(ranks, value=table.c.severity), func.coalesce(table.c.loss_czk_per_day, 0.0), *order]


def _behind(order: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of what comes after a row in this order."""
    after: ColumnElement[bool] = order[0] < last[0]
    return or_(after, and_(order[0] == last[0], _behind(order[1:], last[1:]))) if len(order) > 1 else after


def _conditions(asked: AlertFilter) -> list[ColumnElement[bool]]:
    table = tables.alerts
    urgent = [s.value for s in Severity if s.rank >= asked.least.rank]
    lists = {"state": sorted(asked.states), "building": asked.buildings, "rule": asked.rules}
    exact = {"subject": asked.subject, "assignee": asked.assignee, "key": asked.key}
    conditions: list[ColumnElement[bool]] = [table.c.severity.in_(urgent)]
    conditions += [table.c[name].in_(list(values)) for name, values in lists.items() if values]
    conditions += [table.c[name] == value for name, value in exact.items() if value]
    if asked.standing_only:
        conditions.append(table.c.standing.is_(True))
    if asked.opened_from is not None:
        conditions.append(table.c.opened_at >= asked.opened_from)
    if asked.opened_to is not None:
        conditions.append(table.c.opened_at < asked.opened_to)
    return conditions


def _claim(connection: Connection, by: str, now: datetime, until: datetime, limit: int) -> list[Outgoing]:
    table = tables.outbox
    waiting = (table.c.state == SendState.WAITING) & (table.c.due <= now)
    left = table.c.state.in_([SendState.CLAIMED, SendState.SENDING]) & (table.c.claimed_until <= now)
    due = select(table).where(or_(waiting, left)).order_by(table.c.due, table.c.key).limit(limit)
    rows = [dict(row) for row in connection.execute(due).mappings()]
    for row in rows:
        sending = row["state"] == SendState.SENDING
        row |= {"claimed_by": by, "claimed_until": until}
        row["state"] = SendState.SENDING.value if sending else SendState.CLAIMED.value
        changed = {name: row[name] for name in ("claimed_by", "claimed_until", "state")}
        connection.execute(update(table).where(table.c.key == row["key"]).values(**changed))
    return [_message(row) for row in rows]


def _only_mine(
    connection: Connection, key: str, by: str, values: Mapping[str, Any], *, still_at: datetime | None = None
) -> None:
    table = tables.outbox
    mine = and_(table.c.key == key, table.c.claimed_by == by, table.c.state.in_([SendState.CLAIMED, SendState.SENDING]))
    if still_at is not None:
        mine = and_(mine, table.c.claimed_until > still_at)
    if connection.execute(update(table).where(mine).values(**values)).rowcount != 1:
        raise Conflict(f"message {key} was taken by another process")


def _alert_row(alert: Alert) -> Row:
    row = {name: getattr(alert, name) for name in _ALERT}
    return row | {"evidence": dict(alert.evidence), "covers": list(alert.covers)}


def _alert(row: Row) -> Alert:
    kinds = {"kind": Subject(row["kind"]), "state": State(row["state"]), "severity": Severity(row["severity"])}
    told = {"evidence": {}} | {name: row[name] for name in _ALERT if name in row}
    return Alert(**told | kinds | {"covers": tuple(row["covers"])})


def _message_row(message: Outgoing) -> Row:
    row = {name: getattr(message, name) for name in _MESSAGE}
    return row | {"items": cast("list[Any]", msgspec.to_builtins(message.items)), "content": dict(message.content)}


def _message(row: Row) -> Outgoing:
    kinds = {"channel": ChannelKind(row["channel"]), "state": SendState(row["state"])}
    return Outgoing(**{name: row[name] for name in _MESSAGE} | kinds | {"items": _items(row["items"])})


def _items(documents: Sequence[Row]) -> tuple[Item, ...]:
    return tuple(msgspec.convert(document, Item) for document in documents)
