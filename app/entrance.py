"""How people and programs come in, put together from the settings; the first administrator; keys of commands."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.clock import now
from app.oidc import OpenIdProvider, Registration
from config.settings import Settings
from core.errors import Conflict
from core.people import ApiKey, Grant, Person, Role
from core.ports import RecordStore
from core.sessions import Purpose
from services.passwords import Passwords
from services.people import add_person, is_first_start, keep_key, new_secret
from services.people_identity import GroupRule, Identities
from services.register import By
from services.sessions import Policy, Sessions
from storage.records import SqlRecordStore

FIRST: Final = Person(id="admin", name="Administrator", grants=(Grant(role=Role.ADMINISTRATOR),))
COMMAND: Final = "command"
COMMAND_HOLDS: Final = timedelta(hours=6)


def sessions(settings: Settings, records: RecordStore) -> Sessions:
    """Return how people and programs come in."""
    access = settings.access
    passwords = Passwords(
        memory_kib=access.password_memory_kib, rounds=access.password_rounds, shortest=access.password_shortest
    )
    policy = Policy(
        idle=timedelta(hours=access.idle_hours),
        longest=timedelta(days=access.session_days),
        reset=timedelta(minutes=access.reset_minutes),
    )
    return Sessions(records, passwords, policy)


def identities(settings: Settings) -> Identities | None:
    """Return somebody else's login, None where none is set up; raise ConfigError for a rule that is none."""
    oidc = settings.oidc
    rules = tuple(GroupRule.parse(text) for text in oidc.roles)
    if not oidc.issuer:
        return None
    registration = Registration(
        issuer=oidc.issuer,
        client=oidc.client,
        secret=oidc.secret.get_secret_value(),
        label=oidc.label,
        scopes=oidc.scopes,
        groups_claim=oidc.groups_claim,
        ca_file="" if oidc.ca is None else str(oidc.ca),
    )
    return Identities(provider=OpenIdProvider(registration, clock=now), rules=rules, admits=oidc.admit)


def links_at(settings: Settings, address: str) -> str:
    """Return the address that links begin with: the one that is set, else that of this machine."""
    return (settings.alerts.pages_url or address).rstrip("/")


def password_link(entrance: Sessions, person: str, base: str) -> str:
    """Return a new link by which a person sets their password."""
    return f"{base.rstrip('/')}/password?link={entrance.link(person, Purpose.PASSWORD, now())}"


def login_link(entrance: Sessions, person: str, base: str) -> str:
    """Return a new link by which a person logs in once."""
    return f"{base.rstrip('/')}/enter?link={entrance.link(person, Purpose.LOGIN, now())}"


def greet_first(settings: Settings, records: RecordStore, address: str) -> None:
    """Make the first administrator where there is none and print their link, this once."""
    if settings.access.open or not is_first_start(records):
        return
    try:
        add_person(records, FIRST, By(by="odecet", now=now(), why="first start"))
    except Conflict:  # another process was faster, or an `admin` is there who may not administer: a command helps
        return
    link = password_link(sessions(settings, records), FIRST.id, links_at(settings, address))
    sys.stdout.write(
        f"\nFirst start: set the password of the administrator ({FIRST.id}) by this link, within three days:\n"
        f"{link}\nIt works once; for a new one: odecet people link {FIRST.id}\n\n"
    )
    sys.stdout.flush()


@contextmanager
def command_headers(settings: Settings) -> Iterator[dict[str, str]]:
    """Give the headers by which a command on this machine asks the process that serves.

    Whoever may write the record store may do everything: a key is put there for the time of the command.
    """
    token = next(iter(settings.api.tokens.values()), None)
    if token is not None:
        yield {"Authorization": f"Bearer {token.get_secret_value()}"}
        return
    if settings.access.open:
        yield {}
        return
    with closing(SqlRecordStore(settings.records_url())) as records:
        records.start()
        secret, digest = new_secret()
        key = ApiKey(
            id=COMMAND,
            name="odecet (command line)",
            digest=digest,
            grants=FIRST.grants,
            made_by="odecet",
            made_at=now(),
            expires=now() + COMMAND_HOLDS,
        )
        keep_key(records, key, now())
        try:
            yield {"Authorization": f"Bearer {secret}"}
        finally:
            keep_key(records, replace(key, revoked=now()), now())
