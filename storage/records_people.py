"""People, sessions and keys in SQL; a part of the record store."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from core.errors import Conflict, NotFound
from core.notes import AuditEntry
from core.people import ApiKey, Grant, Person
from core.sessions import Failures, Purpose, Session, Ticket
from storage import records_register as register
from storage import tables_people as tables
from storage.records_database import Database, Lock
from storage.records_rows import Row, insert_into, upsert

REMEMBERED: Final = timedelta(days=1)
"""So long after the last one failures are counted together."""
_SESSION: Final = tuple(f.name for f in fields(Session))
_TICKET: Final = tuple(f.name for f in fields(Ticket))


class PeopleRecords:
    """The people of the record store at a database."""

    _database: Database

    def people(self) -> list[Person]:
        """Return all, ordered by id."""
        with self._database.read() as connection:
            found = connection.execute(select(tables.people).order_by(tables.people.c.id)).mappings()
            return [_person(dict(row)) for row in found]

    def person(self, key: str) -> Person:
        """Return one; raise NotFound."""
        with self._database.read() as connection:
            return _person(_required(connection, key))

    def keep_person(self, person: Person, entries: Sequence[AuditEntry], *, new: bool = False) -> None:
        """Insert or replace a person; one who is not active any more loses sessions and links."""
        table = tables.people
        with self._database.write(Lock.PEOPLE) as connection:
            _check_free(connection, person, new=new)
            row = _person_row(person)
            if connection.execute(update(table).where(table.c.id == person.id).values(**row)).rowcount == 0:
                connection.execute(insert(table).values(**row, password=""))
            if not person.active:
                _end(connection, person.id)
            register.record(connection, entries)

    def password(self, person: str) -> str:
        """Return the hash of a person's password, empty where they have none."""
        with self._database.read() as connection:
            return str(_required(connection, person)["password"])

    def keep_password(self, person: str, hashed: str, entries: Sequence[AuditEntry], *, keeping: str = "") -> None:
        """Put a password in the place of the former; sessions but one and links are over."""
        table = tables.people
        with self._database.write(Lock.PEOPLE) as connection:
            if connection.execute(update(table).where(table.c.id == person).values(password=hashed)).rowcount == 0:
                raise NotFound(f"person {person} is not known")
            _end(connection, person, keeping=keeping)
            register.record(connection, entries)

    def open_session(self, session: Session) -> None:
        """Keep a session; those that are over are forgotten."""
        table = tables.sessions
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.expires <= session.made_at))
            connection.execute(insert(table).values(**{name: getattr(session, name) for name in _SESSION}))

    def session(self, digest: str) -> tuple[Session, Person] | None:
        """Return a session with its person, None where there is none."""
        table, people = tables.sessions, tables.people
        asked = [table.c[name].label(f"session_{name}") for name in _SESSION]
        question = select(*asked, people).join(people, people.c.id == table.c.person).where(table.c.digest == digest)
        with self._database.read() as connection:
            row = connection.execute(question).mappings().first()
        if row is None:
            return None
        return Session(**{name: row[f"session_{name}"] for name in _SESSION}), _person(dict(row))

    def see_session(self, digest: str, at: datetime) -> None:
        """Note that a session was used."""
        table = tables.sessions
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.digest == digest).values(seen_at=at))

    def end_sessions(self, person: str, *, digest: str = "") -> None:
        """End one session of a person, or all."""
        table = tables.sessions
        mine = table.c.person == person
        with self._database.write() as connection:
            connection.execute(delete(table).where(mine & (table.c.digest == digest) if digest else mine))

    def hold_ticket(self, ticket: Ticket) -> None:
        """Keep a link in the place of the person's others of its purpose."""
        table = tables.tickets
        with self._database.write(Lock.PEOPLE) as connection:
            others = (table.c.person == ticket.person) & (table.c.purpose == ticket.purpose.value)
            connection.execute(delete(table).where(others))
            row = {name: getattr(ticket, name) for name in _TICKET} | {"purpose": ticket.purpose.value}
            connection.execute(insert(table).values(**row))

    def ticket(self, digest: str) -> Ticket | None:
        """Return a link, None where it is not held."""
        table = tables.tickets
        with self._database.read() as connection:
            return _ticket(connection.execute(select(table).where(table.c.digest == digest)).mappings().first())

    def take_ticket(self, digest: str) -> Ticket | None:
        """Return a link and forget it: of several who take it at once one has it."""
        table = tables.tickets
        with self._database.write(Lock.PEOPLE) as connection:
            gone = delete(table).where(table.c.digest == digest).returning(*table.c)
            return _ticket(connection.execute(gone).mappings().first())

    def count_failures(
        self, keys: Sequence[str], at: datetime, counted: Callable[[Sequence[Failures]], Sequence[int] | None]
    ) -> None:
        """Put what `counted` makes of the failures of these keys in their place, the last now."""
        table = tables.failures
        with self._database.write(Lock.PEOPLE) as connection:
            connection.execute(delete(table).where(table.c.last <= at - REMEMBERED))
            found = connection.execute(select(table).where(table.c.key.in_(list(keys)))).mappings()
            before = {row["key"]: Failures(count=row["count"], last=row["last"]) for row in found}
            counts = counted([before.get(key, Failures(count=0, last=at)) for key in keys])
            rows: list[Row] = [
                {"key": key, "count": n, "last": at} for key, n in zip(keys, counts or (), strict=counts is not None)
            ]
            upsert(connection, table, rows, key="key")

    def forgive(self, key: str, *, one: bool = False) -> None:
        """Forget the failures of a key, or one of them."""
        table = tables.failures
        mine = table.c.key == key
        with self._database.write(Lock.PEOPLE) as connection:
            if one:
                connection.execute(update(table).where(mine & (table.c.count > 0)).values(count=table.c.count - 1))
            else:
                connection.execute(delete(table).where(mine))

    def api_keys(self) -> list[tuple[ApiKey, datetime | None]]:
        """Return all keys, ordered by id, each with the instant of its last use."""
        with self._database.read() as connection:
            found = connection.execute(select(tables.keys).order_by(tables.keys.c.id)).mappings()
            return [_key(dict(row)) for row in found]

    def api_key_of(self, digest: str) -> tuple[ApiKey, datetime | None] | None:
        """Return the key of a digest with the instant of its last use, None where there is none."""
        table = tables.keys
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.digest == digest)).mappings().first()
        return None if row is None else _key(dict(row))

    def keep_api_key(self, key: ApiKey, entries: Sequence[AuditEntry], *, new: bool = False) -> None:
        """Insert or replace a key; raise Conflict where a `new` one's id is taken."""
        row: Row = {f.name: getattr(key, f.name) for f in fields(ApiKey)} | {"grants": _documents(key.grants)}
        with self._database.write(Lock.PEOPLE) as connection:
            if new:
                once = insert_into(connection, tables.keys).on_conflict_do_nothing().values(**row)
                if connection.execute(once.returning(tables.keys.c.id)).first() is None:
                    raise Conflict(f"key {key.id} is there already; choose another id")
            else:
                connection.execute(update(tables.keys).where(tables.keys.c.id == key.id).values(**row))
            register.record(connection, entries)

    def use_api_key(self, key: str, at: datetime) -> None:
        """Note that a key was used."""
        with self._database.write() as connection:
            connection.execute(update(tables.keys).where(tables.keys.c.id == key).values(used_at=at))


def _required(connection: Connection, key: str) -> Row:
    row = connection.execute(select(tables.people).where(tables.people.c.id == key)).mappings().first()
    if row is None:
        raise NotFound(f"person {key} is not known")
    return dict(row)


def _check_free(connection: Connection, person: Person, *, new: bool) -> None:
    """Raise Conflict where another has the id, mail address or subject."""
    table = tables.people
    if new and connection.execute(select(table.c.id).where(table.c.id == person.id)).first() is not None:
        raise Conflict(f"person {person.id} is there already; choose another id")
    for name, value in (("mail_key", mail_key(person.mail)), ("subject", person.subject or None)):
        taken = select(table.c.id).where((table.c[name] == value) & (table.c.id != person.id))
        if value is not None and connection.execute(taken).first() is not None:
            what = "mail address" if name == "mail_key" else "subject"
            raise Conflict(f"the {what} of {person.id} is another person's; write one of their own")


def mail_key(mail: str) -> str | None:
    """Return what tells mail addresses apart, None of none."""
    return mail.strip().casefold() or None


def _end(connection: Connection, person: str, *, keeping: str = "") -> None:
    sessions = tables.sessions
    connection.execute(delete(sessions).where((sessions.c.person == person) & (sessions.c.digest != keeping)))
    connection.execute(delete(tables.tickets).where(tables.tickets.c.person == person))


def _documents(grants: Sequence[Grant]) -> Any:  # noqa: ANN401 - JSON
    return msgspec.to_builtins(grants)


def _person_row(person: Person) -> Row:
    return {
        "id": person.id,
        "name": person.name,
        "mail": person.mail,
        "mail_key": mail_key(person.mail),
        "subject": person.subject or None,
        "grants": _documents(person.grants),
        "active": person.active,
    }


def _grants(documents: object) -> tuple[Grant, ...]:
    return msgspec.convert(documents, tuple[Grant, ...])


def _person(row: Row) -> Person:
    return Person(
        id=row["id"],
        name=row["name"],
        mail=row["mail"],
        grants=_grants(row["grants"]),
        subject=row["subject"] or "",
        active=row["active"],
    )


def _ticket(row: Any) -> Ticket | None:  # noqa: ANN401 - a row or none
    if row is None:
        return None
    return Ticket(**{name: row[name] for name in _TICKET} | {"purpose": Purpose(row["purpose"])})


def _key(row: Row) -> tuple[ApiKey, datetime | None]:
    used = row.pop("used_at")
    return ApiKey(**row | {"grants": _grants(row["grants"])}), used
