"""What `odecet people` does."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta

from app.clock import now
from app.entrance import links_at, password_link, sessions
from app.process import address_of
from config.settings import Settings
from core.errors import InputError
from core.people import Grant, Person, Role
from core.ports import RecordStore
from services.people import add_person, make_key, revoke_key
from services.register import By
from storage.records import SqlRecordStore


class Desk:
    """The acts of the command over an open record store."""

    def __init__(self, settings: Settings, records: RecordStore) -> None:
        self._settings = settings
        self._records = records
        self._sessions = sessions(settings, records)

    def people(self) -> list[str]:
        """Return a line for everybody."""
        return [
            f"{p.id}\t{p.name}\t{p.mail or '-'}\t{'; '.join(map(_told, p.grants)) or '-'}"
            + ("" if p.active else "\toff")
            for p in self._records.people()
        ]

    def grant(
        self, role: str, organisations: Sequence[str], buildings: Sequence[str], areas: Sequence[str] = ()
    ) -> Grant:
        """Return the grant that options say."""
        if role not in set(Role):
            raise InputError(f"role {role!r} is none", place="--role", remedy=f"write one of {', '.join(Role)}")
        return Grant(
            role=Role(role), organisations=tuple(organisations), buildings=tuple(buildings), areas=tuple(areas)
        )

    def add(self, key: str, name: str, mail: str, grant: Grant) -> str:
        """Add a person; return the link by which they set their password."""
        add_person(self._records, Person(id=key, name=name, mail=mail, grants=(grant,)), _act())
        return self.link(key)

    def link(self, person: str) -> str:
        """Return a new link by which a person sets their password."""
        return password_link(self._sessions, person, links_at(self._settings, address_of(self._settings)))

    def key(self, name: str, grant: Grant, days: int | None) -> tuple[str, str]:
        """Make a key; return its id and its secret."""
        act = _act()
        expires = None if days is None else act.now + timedelta(days=days)
        made = make_key(self._records, name, [grant], act, expires=expires)
        return made.key.id, made.secret

    def revoke(self, key: str) -> None:
        """Let a key open nothing any more."""
        revoke_key(self._records, key, _act())


def _told(grant: Grant) -> str:
    where = ", ".join((*grant.organisations, *grant.buildings)) or "everywhere"
    return f"{grant.role} ({where})"


def _act() -> By:
    return By(by=getpass.getuser(), now=now(), why="odecet people")


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """Give the acts over the record store of the settings."""
    settings.data.folder.mkdir(parents=True, exist_ok=True)
    with closing(SqlRecordStore(settings.records_url())) as records:
        records.start()
        yield Desk(settings, records)
