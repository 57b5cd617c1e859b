"""Acts of administrators on people and keys of programs; each is audited, and none leaves the region without one."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry, JsonValue
from core.people import ApiKey, Grant, Person, Role
from core.ports import RecordStore
from core.registry import Building, Organisation
from core.sessions import KEY, PERSON, digest_of
from services.register import By
from services.sessions import KEY_PREFIX, SECRET_BYTES

WIDE: Final = frozenset({Role.ADMINISTRATOR, Role.COORDINATOR, Role.PUBLIC})
"""Roles that are of the whole region: what they do belongs to no building."""
REDACTED: Final = frozenset({"digest"})
"""Fields that the audit trail does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key and its secret, which nobody can show again."""

    key: ApiKey
    secret: str


def add_person(records: RecordStore, person: Person, act: By) -> Person:
    """Add a person; raise Conflict where id, mail address or subject is taken."""
    person = _tidy(person)
    _check_grants(records, person.grants)
    records.keep_person(person, [_entry(PERSON, None, person, act)], new=True)
    return person


def change_person(records: RecordStore, person: Person, act: By) -> Person:
    """Put a person in the place of the stored one; raise Conflict where nobody would be left to administer."""
    person = _tidy(person)
    former = records.person(person.id)
    _check_grants(records, person.grants)
    if _administers(former) and not _administers(person):
        others = [p for p in records.people() if p.id != person.id and _administers(p)]
        if not others:
            raise Conflict(f"{person.id} is the last administrator; make another one first")
    if former != person:
        records.keep_person(person, [_entry(PERSON, former, person, act)])
    return person


def _tidy(person: Person) -> Person:
    mail = person.mail.strip()
    if mail and ("@" not in mail.strip("@") or any(c.isspace() or c in "<>,;" for c in mail)):
        raise InputError(f"{mail!r} is no mail address", place="mail", remedy="write it as name@example.cz")
    return replace(person, name=person.name.strip(), mail=mail, subject=person.subject.strip())


def _administers(person: Person) -> bool:
    return person.active and any(g.role is Role.ADMINISTRATOR for g in person.grants)


def _check_grants(records: RecordStore, grants: Sequence[Grant]) -> None:
    for grant in grants:
        if grant.role in WIDE and not grant.everywhere:
            raise InputError(
                f"the role {grant.role} is of the whole region",
                place="grants",
                remedy="name no organisation or building",
            )
        if grant.areas and grant.role is not Role.GUARANTOR:
            raise InputError("only guarantors have areas", place="grants", remedy="leave areas out")
        named: tuple[tuple[type[Organisation | Building], str], ...] = (
            *((Organisation, key) for key in grant.organisations),
            *((Building, key) for key in grant.buildings),
        )
        for kind, key in named:
            _check_there(records, kind, key)


def _check_there(records: RecordStore, kind: type[Organisation | Building], key: str) -> None:
    try:
        records.get(kind, key)
    except NotFound as err:
        name = kind.__name__.lower()
        raise InputError(
            f"no {name} has the id {key!r}", place="grants", remedy=f"name a {name} that is there"
        ) from err


def make_key(
    records: RecordStore, name: str, grants: Sequence[Grant], act: By, *, expires: datetime | None = None
) -> NewKey:
    """Make a key of a program; its secret is returned and kept nowhere."""
    _check_grants(records, grants)
    if not grants:
        raise InputError("a key without a role opens nothing", place="grants", remedy="choose a role")
    if not name.strip():
        raise InputError("the key has no name", place="name", remedy="say what it is for")
    secret, digest = new_secret()
    key = ApiKey(
        id=secrets.token_hex(4),
        name=name.strip(),
        digest=digest,
        grants=tuple(grants),
        made_by=act.by,
        made_at=act.now,
        expires=expires,
    )
    records.keep_api_key(key, [_entry(KEY, None, key, act)], new=True)
    return NewKey(key=key, secret=secret)


def new_secret() -> tuple[str, str]:
    """Return the secret of a new key and what is kept of it."""
    secret = KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    return secret, digest_of(secret)


def keep_key(records: RecordStore, key: ApiKey, now: datetime) -> None:
    """Keep a key of ours in the place of the one with its id."""
    former = next((k for k, _ in records.api_keys() if k.id == key.id), None)
    act = By(by=key.made_by, now=now)
    records.keep_api_key(key, [_entry(KEY, former, key, act)], new=former is None)


def revoke_key(records: RecordStore, key: str, act: By) -> ApiKey:
    """Let a key open nothing any more; doing it twice changes nothing."""
    found = next((k for k, _ in records.api_keys() if k.id == key), None)
    if found is None:
        raise NotFound(f"key {key} is not known")
    if found.revoked is not None:
        return found
    revoked = replace(found, revoked=act.now)
    records.keep_api_key(revoked, [_entry(KEY, found, revoked, act)])
    return revoked


def _entry(kind: str, before: Person | ApiKey | None, after: Person | ApiKey, act: By) -> AuditEntry:
    return AuditEntry(
        at=act.now, by=act.by, entity=kind, key=after.id, why=act.why, before=_shown(before), after=_shown(after)
    )


def _shown(thing: Person | ApiKey | None) -> Mapping[str, JsonValue] | None:
    if thing is None:
        return None
    whole: dict[str, JsonValue] = msgspec.to_builtins(thing)
    return {name: value for name, value in whole.items() if name not in REDACTED}


def is_first_start(records: RecordStore) -> bool:
    """Return whether nobody can administer yet."""
    return not any(_administers(person) for person in records.people())
