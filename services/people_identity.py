"""People who come in by an identity provider: known by its subject, else by a mail address that it has verified."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.errors import ConfigError, Conflict
from core.people import Grant, Person, Role
from core.ports import RecordStore
from core.sessions import Claims, IdentityProvider
from services.people import add_person, change_person
from services.register import By

WHO: Final = "identity provider"
_RULE: Final = re.compile(r"(?P<group>.+)=(?P<role>[a-z_]+)(?:@(?P<place>[^@=]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """Members of a group of the provider have a role: everywhere, or in an organisation (`place`)."""

    group: str
    role: Role
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> "GroupRule":
        """Return the rule of a text such as energetici=energy_manager or ucitele=facility_staff@O1."""
        found = _RULE.fullmatch(text.strip())
        if found is None or found["role"] not in set(Role):
            raise ConfigError(f"oidc.roles: {text!r} is no rule; write group=role or group=role@organisation")
        return cls(group=found["group"].strip(), role=Role(found["role"]), place=(found["place"] or "").strip())


def grants_of(groups: Iterable[str], rules: Sequence[GroupRule]) -> tuple[Grant, ...]:
    """Return what members of these groups are granted; a role that is had everywhere is had nowhere in particular."""
    mine = [rule for rule in rules if rule.group in set(groups)]
    found = []
    for role in dict.fromkeys(rule.role for rule in mine):
        places = {rule.place for rule in mine if rule.role is role}
        found.append(Grant(role=role, organisations=() if "" in places else tuple(sorted(places))))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """Somebody else's login, and what is made of whom it vouches for; it `admits` people who are not known yet."""

    provider: IdentityProvider
    rules: tuple[GroupRule, ...] = ()
    admits: bool = False


def person_of(records: RecordStore, claims: Claims, identities: Identities, now: datetime) -> Person | None:
    """Return the person that claims are of, None where nobody is known by them or they may not come in.

    Somebody new is added where the provider admits them and a rule grants them something. Where rules grant somebody
    anything, it takes the place of what they had.
    """
    act = By(by=WHO, now=now, why="login")
    person = _known(records, claims)
    granted = grants_of(claims.groups, identities.rules)
    if person is None:
        if not (identities.admits and granted):
            return None
        new = Person(
            id=_free_id(records, claims),
            name=claims.name or claims.mail or claims.subject,
            mail=claims.mail,
            grants=granted,
            subject=claims.subject,
        )
        return add_person(records, new, act)
    if not person.active:
        return None
    wanted = replace(person, subject=claims.subject, grants=granted or person.grants)
    if wanted == person:
        return person
    try:
        return change_person(records, wanted, act)
    except Conflict:  # the last administrator stays one, whatever the provider says
        return change_person(records, replace(person, subject=claims.subject), act)


def _known(records: RecordStore, claims: Claims) -> Person | None:
    everybody = records.people()
    by_subject = next((p for p in everybody if p.subject == claims.subject), None)
    if by_subject is not None or not claims.mail:
        return by_subject
    mail = claims.mail.casefold()
    return next((p for p in everybody if not p.subject and p.mail.casefold() == mail), None)


def _free_id(records: RecordStore, claims: Claims) -> str:
    """Return an id that nobody has, of the mail address where there is one."""
    taken = {p.id for p in records.people()}
    stem = re.sub(r"[^a-z0-9._-]", "", claims.mail.partition("@")[0].casefold()) or "person"
    names = [stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
