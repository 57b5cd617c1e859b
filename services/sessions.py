"""Coming in: passwords, links used once, sessions and keys of programs; and how guessing is slowed down.

All of it stands in the record store, so that several processes know the same. Decisions come back as values with a
name, not as exceptions: the one who asks tells a person what to do next.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from core.errors import InputError
from core.notes import AuditEntry
from core.people import Access, Person
from core.ports import RecordStore
from core.sessions import PERSON, Failures, Purpose, Session, Ticket, digest_of
from services.passwords import Passwords

SECRET_BYTES: Final = 32
KEY_PREFIX: Final = "odk_"
"""How keys begin, so that scanners of source code know one that was published by mistake."""
NOTED_EVERY: Final = timedelta(minutes=5)
"""How exactly the last use of a session or key is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How attempts are slowed down: after `free` failures, of which one is forgotten after each `forgets`."""

    free: int
    forgets: timedelta
    first_pause: timedelta = timedelta(seconds=15)
    longest_pause: timedelta = timedelta(minutes=15)

    def pause(self, failures: Failures, now: datetime) -> timedelta:
        """Return how long the next attempt has to wait."""
        over = failures.count - self.free
        if over < 0:
            return timedelta()
        rest: timedelta = min(self.first_pause * (1 << min(over, 20)), self.longest_pause)
        return failures.last + rest - now

    def counted(self, failures: Failures, now: datetime) -> int:
        """Return the failures with one more, without those that are forgotten by now."""
        return max(failures.count - (now - failures.last) // self.forgets, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long things hold, and how attempts that fail are slowed down.

    After so many failures of an account or from an address (`free`) each further attempt has to wait twice as long as
    the one before.
    """

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=14)
    reset: timedelta = timedelta(minutes=30)
    invitation: timedelta = timedelta(days=3)
    account: Patience = Patience(free=5, forgets=timedelta(hours=1))
    address: Patience = Patience(free=30, forgets=timedelta(minutes=2))
    resets: Patience = Patience(free=3, forgets=timedelta(minutes=20), first_pause=timedelta(minutes=15))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Somebody came in; `token` goes into their cookie."""

    token: str
    person: Person
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Name or password is wrong, or the person may not come in any more: nobody is told which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Too many attempts failed: the next one is looked at after so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A session in use, and what its person may do. `token` is what their forms show against forgery."""

    access: Access
    person: Person
    digest: str
    form_token: str


def _account(name: str) -> str:
    """Return the key of an account's failures; whatever somebody typed is no text to keep."""
    return f"account/{digest_of(name)}"


def _address(address: str) -> str:
    return f"address/{address}"


def form_token(token: str) -> str:
    """Return what forms of a session show: only pages given to that session know it."""
    return sha256(f"form|{token}".encode()).hexdigest()


class Sessions:
    """How people and programs come in, over a record store."""

    def __init__(self, records: RecordStore, passwords: Passwords, policy: Policy | None = None) -> None:
        self._records = records
        self.passwords = passwords
        self.policy = policy or Policy()

    # Passwords

    def log_in(self, name: str, password: str, *, address: str, now: datetime) -> Entered | Wrong | Wait:
        """Open a session for a name or mail address and password, attempts counted before they are looked at."""
        name = name.strip().casefold()[:200]
        account, place = _account(name), _address(address)
        waiting = self._waiting((account, place), now)
        if waiting is not None:
            return waiting
        person = self._named(name)
        hashed = self._records.password(person.id) if person is not None else ""
        if not self.passwords.fits(hashed, password) or person is None or not person.active:
            return Wrong()
        self._records.forgive(account)
        self._records.forgive(place, one=True)
        if self.passwords.is_weak(hashed):
            self._records.keep_password(person.id, self.passwords.hashed(password), ())
        return self.enter(person, now)

    def _waiting(self, keys: Sequence[str], now: datetime) -> Wait | None:
        """Count an attempt as failed before it is looked at, so that many at once are many; None where it may go on."""
        limits, longest = (self.policy.account, self.policy.address), timedelta()

        def counted(before: Sequence[Failures]) -> list[int] | None:
            nonlocal longest
            told = list(zip(limits, before, strict=True))
            longest = max(limit.pause(failures, now) for limit, failures in told)
            return None if longest > timedelta() else [limit.counted(f, now) for limit, f in told]

        self._records.count_failures(keys, now, counted)
        return Wait(seconds=int(longest.total_seconds()) + 1) if longest > timedelta() else None

    def _named(self, name: str) -> Person | None:
        return next((p for p in self._records.people() if name and name in {p.id.casefold(), p.mail.casefold()}), None)

    def set_password(self, secret: str, password: str, now: datetime) -> Entered | Wrong:
        """Set the password of a person who has a link for it, which is used up; they are logged in."""
        held = self.ticket(secret, Purpose.PASSWORD, now)
        if held is None:
            return Wrong()
        person = self._records.person(held.person)
        self.passwords.check(password, person)
        if self._records.take_ticket(held.digest) is None:
            return Wrong()
        self._keep(person, password, now, why="password set by a link")
        return self.enter(person, now)

    def change_password(
        self, within: Within, old: str, new: str, *, address: str, now: datetime
    ) -> Wrong | Wait | None:
        """Change the password of somebody who knows the former; their other sessions are over."""
        account, place = _account(within.person.id.casefold()), _address(address)
        waiting = self._waiting((account, place), now)
        if waiting is not None:
            return waiting
        if not self.passwords.fits(self._records.password(within.person.id), old):
            return Wrong()
        self._records.forgive(account)
        self._records.forgive(place, one=True)
        self.passwords.check(new, within.person)
        self._keep(within.person, new, now, why="password changed", keeping=within.digest)
        return None

    def _keep(self, person: Person, password: str, now: datetime, *, why: str, keeping: str = "") -> None:
        entry = AuditEntry(at=now, by=person.id, entity=PERSON, key=person.id, why=why, before=None, after=None)
        self._records.keep_password(person.id, self.passwords.hashed(password), [entry], keeping=keeping)

    # Links used once

    def may_ask_reset(self, mail: str, now: datetime) -> bool:
        """Return whether a link may be sent to a mail address: a few an hour."""
        free = True

        def counted(before: Sequence[Failures]) -> list[int] | None:
            nonlocal free
            free = self.policy.resets.pause(before[0], now) <= timedelta()
            return [self.policy.resets.counted(before[0], now)] if free else None

        self._records.count_failures([f"reset/{digest_of(mail)}"], now, counted)
        return free

    def link(self, person: str, purpose: Purpose, now: datetime, *, holds: timedelta | None = None) -> str:
        """Return the secret of a new link of a person; the one before of its purpose is void."""
        if not self._records.person(person).active:
            raise InputError(f"person {person} is not active", remedy="let them in again first")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        expires = now + (holds or self.policy.invitation)
        self._records.hold_ticket(Ticket(digest=digest_of(secret), person=person, purpose=purpose, expires=expires))
        return secret

    def ticket(self, secret: str, purpose: Purpose, now: datetime) -> Ticket | None:
        """Return the link of a secret that still holds."""
        found = self._records.ticket(digest_of(secret))
        return found if found is not None and found.purpose is purpose and now < found.expires else None

    def enter_by_link(self, secret: str, now: datetime) -> Entered | Wrong:
        """Open a session for a login link, which is used up."""
        if self.ticket(secret, Purpose.LOGIN, now) is None:
            return Wrong()
        taken = self._records.take_ticket(digest_of(secret))
        person = None if taken is None else self._records.person(taken.person)
        return self.enter(person, now) if person is not None and person.active else Wrong()

    # Sessions

    def enter(self, person: Person, now: datetime) -> Entered:
        """Open a session of a person who has proved who they are: always a new one."""
        token = secrets.token_urlsafe(SECRET_BYTES)
        expires = now + self.policy.longest
        self._records.open_session(
            Session(digest=digest_of(token), person=person.id, made_at=now, seen_at=now, expires=expires)
        )
        return Entered(token=token, person=person, expires=expires)

    def within(self, token: str, now: datetime) -> Within | None:
        """Return whose session a token is of, None where it is over."""
        found = self._records.session(digest_of(token)) if token else None
        if found is None:
            return None
        session, person = found
        if not person.active or now >= session.expires or now - session.seen_at > self.policy.idle:
            return None
        if now - session.seen_at >= NOTED_EVERY:
            self._records.see_session(session.digest, now)
        return Within(
            access=Access(name=person.id, grants=person.grants),
            person=person,
            digest=session.digest,
            form_token=form_token(token),
        )

    def leave(self, within: Within, *, everywhere: bool = False) -> None:
        """End a session, or all of its person."""
        self._records.end_sessions(within.person.id, digest="" if everywhere else within.digest)

    # Programs

    def by_key(self, secret: str, now: datetime) -> Access | None:
        """Return what a program may do by its key, None where the key is none, expired or revoked."""
        found = self._records.api_key_of(digest_of(secret)) if secret.startswith(KEY_PREFIX) else None
        if found is None:
            return None
        key, used = found
        if key.revoked is not None or (key.expires is not None and now >= key.expires):
            return None
        if used is None or now - used >= NOTED_EVERY:
            self._records.use_api_key(key.id, now)
        return Access(name=f"key/{key.id}", grants=key.grants)
