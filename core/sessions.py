"""How people come in: sessions, links that are used once, failed attempts, and the store that keeps them.

Secrets are kept as SHA-256 digests: whoever reads the store cannot come in with what they find.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from core.notes import AuditEntry
from core.people import ApiKey, Person

PERSON: Final = "person"
KEY: Final = "api_key"
"""How the audit trail names people and keys."""


class Purpose(StrEnum):
    """What a link that is used once is for."""

    PASSWORD = "password"  # noqa: S105 - the name of a purpose
    LOGIN = "login"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who logged in: known by the digest of the token in their cookie, over at `expires` at the latest."""

    digest: str
    person: str
    made_at: datetime
    seen_at: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A link that is used once, known by the digest of its secret."""

    digest: str
    person: str
    purpose: Purpose
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Attempts that failed in a row for an account or from an address, and the instant of the last."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an identity provider says of a person: `subject` is theirs for good, `mail` empty where not verified."""

    subject: str
    name: str = ""
    mail: str = ""
    groups: tuple[str, ...] = ()


class IdentityProvider(Protocol):
    """Somebody else's login (OpenID Connect, code flow with PKCE)."""

    @property
    def label(self) -> str:
        """What the button of the login page says."""
        ...

    def address(self, *, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a person logs in; they come `back` with a code. Raise SourceUnavailable."""
        ...

    def claims(self, code: str, *, back: str, nonce: str, verifier: str, now: datetime) -> Claims:
        """Return what a code stands for; raise InputError where it proves nothing, SourceUnavailable."""
        ...


class PeopleStore(Protocol):
    """Keeps people, keys and how they come in. Each change is audited in its transaction."""

    def people(self) -> list[Person]:
        """Return all, ordered by id."""
        ...

    def person(self, key: str) -> Person:
        """Return one; raise NotFound."""
        ...

    def keep_person(self, person: Person, entries: Sequence[AuditEntry], *, new: bool = False) -> None:
        """Insert or replace a person; one who is not active any more loses sessions and links.

        Raise Conflict where somebody else has the mail address (in any capitals) or subject, and where a `new` one's
        id is taken.
        """
        ...

    def password(self, person: str) -> str:
        """Return the hash of a person's password, empty where they have none."""
        ...

    def keep_password(self, person: str, hashed: str, entries: Sequence[AuditEntry], *, keeping: str = "") -> None:
        """Put a password in the place of the former; sessions (but for the digest `keeping`) and links are over."""
        ...

    def open_session(self, session: Session) -> None:
        """Keep a session; those that are over are forgotten."""
        ...

    def session(self, digest: str) -> tuple[Session, Person] | None:
        """Return a session with its person, None where there is none."""
        ...

    def see_session(self, digest: str, at: datetime) -> None:
        """Note that a session was used."""
        ...

    def end_sessions(self, person: str, *, digest: str = "") -> None:
        """End one session of a person, or all."""
        ...

    def hold_ticket(self, ticket: Ticket) -> None:
        """Keep a link in the place of the person's others of its purpose."""
        ...

    def ticket(self, digest: str) -> Ticket | None:
        """Return a link, None where it is not held."""
        ...

    def take_ticket(self, digest: str) -> Ticket | None:
        """Return a link and forget it: of several who take it at once one has it."""
        ...

    def count_failures(
        self, keys: Sequence[str], at: datetime, counted: Callable[[Sequence[Failures]], Sequence[int] | None]
    ) -> None:
        """Put what `counted` makes of the failures of these keys in their place, the last now; None changes nothing.

        It is asked while nobody else counts. A key without failures has zero; those are forgotten a day after the last.
        """
        ...

    def forgive(self, key: str, *, one: bool = False) -> None:
        """Forget the failures of a key, or one of them."""
        ...

    def api_keys(self) -> list[tuple[ApiKey, datetime | None]]:
        """Return all keys, ordered by id, each with the instant of its last use."""
        ...

    def api_key_of(self, digest: str) -> tuple[ApiKey, datetime | None] | None:
        """Return the key of a digest with the instant of its last use, None where there is none."""
        ...

    def keep_api_key(self, key: ApiKey, entries: Sequence[AuditEntry], *, new: bool = False) -> None:
        """Insert or replace a key; raise Conflict where a `new` one's id is taken."""
        ...

    def use_api_key(self, key: str, at: datetime) -> None:
        """Note that a key was used."""
        ...


def digest_of(secret: str) -> str:
    """Return what is kept of a secret that is long and random."""
    return hashlib.sha256(secret.encode()).hexdigest()
