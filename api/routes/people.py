"""/api/v1/people: who comes in and what they may do; /api/v1/me: what the caller may do."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object, same_id
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from core.people import Grant, Person, Right, Role
from core.sessions import Purpose
from services.people import add_person, change_person

router = APIRouter(prefix="/api/v1", tags=["people"])
administering = [allowed(Right.ADMINISTER, everywhere=True)]
Key = Annotated[str, Path(description="The person's id.", examples=["novak"])]


class GrantRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role within organisations and buildings, none of both: in the whole region. `areas` are of guarantors."""

    role: Role
    organisations: Sequence[str] = ()
    buildings: Sequence[str] = ()
    areas: Sequence[str] = ()

    @classmethod
    def of(cls, grant: Grant) -> "GrantRow":
        """Return the JSON form of a grant."""
        return cls(grant.role, grant.organisations, grant.buildings, grant.areas)

    def grant(self) -> Grant:
        """Return the grant that it says."""
        return Grant(
            role=self.role,
            organisations=tuple(self.organisations),
            buildings=tuple(self.buildings),
            areas=tuple(self.areas),
        )


class PersonRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person: `subject` is what an identity provider knows them by; who is not `active` does not come in."""

    id: str
    name: str
    mail: str = ""
    grants: Sequence[GrantRow] = ()
    subject: str = ""
    active: bool = True

    @classmethod
    def of(cls, person: Person) -> "PersonRow":
        """Return the JSON form of a person."""
        grants = [GrantRow.of(g) for g in person.grants]
        return cls(person.id, person.name, person.mail, grants, person.subject, person.active)

    def person(self) -> Person:
        """Return the person that it says."""
        return Person(
            id=self.id,
            name=self.name,
            mail=self.mail,
            grants=tuple(g.grant() for g in self.grants),
            subject=self.subject,
            active=self.active,
        )


class People(msgspec.Struct, frozen=True):
    """All people."""

    items: Sequence[PersonRow]


class PasswordLink(msgspec.Struct, frozen=True):
    """A link by which a person sets their password: shown this once, used once."""

    person: str
    link: str


class Me(msgspec.Struct, frozen=True):
    """What the caller may do: rights that they have somewhere, and the grants that say where."""

    name: str
    rights: Sequence[str]
    grants: Sequence[GrantRow]


EXAMPLE: Final = {
    "id": "novak",
    "name": "Jan Novák",
    "mail": "novak@example.cz",
    "grants": [{"role": "facility_staff", "organisations": ["O1"], "buildings": [], "areas": []}],
    "subject": "",
    "active": True,
}
LINK: Final = {"person": "novak", "link": "https://odecet.example.cz/password?link=…"}
ME: Final = {"name": "novak", "rights": ["see", "see_published"], "grants": EXAMPLE["grants"]}


@router.get(
    "/me", operation_id="get_me", summary="What the caller may do", dependencies=[allowed()], **documented(Me, ME)
)
def get_me(room: InRoom) -> Response:
    """Return what the caller may do."""
    rights = [right for right in Right if room.access.may(right)]
    return as_json(Me(room.access.name, rights, [GrantRow.of(g) for g in room.access.grants]))


@router.get(
    "/people",
    operation_id="list_people",
    summary="Who comes in",
    dependencies=administering,
    **documented(People, {"items": [EXAMPLE]}, errors=(401, 503)),
)
def list_people(room: InRoom) -> Response:
    """Return everybody."""
    return as_json(People([PersonRow.of(p) for p in room.deps.records.people()]))


@router.post(
    "/people",
    operation_id="add_person",
    summary="Add a person",
    description="They come in by an identity provider, or by a password that they set with a link.",
    dependencies=administering,
    **documented(PersonRow, EXAMPLE, status=201, body=PersonRow, body_example=EXAMPLE, errors=(401, 409, 422, 503)),
)
def post_person(room: InRoom, by: Caller, body: Body) -> Response:
    """Add a person."""
    made = add_person(room.deps.records, convert(read_object(body), PersonRow).person(), act(room, by))
    return as_json(PersonRow.of(made), status=201, headers={"Location": f"/api/v1/people/{made.id}"})


@router.get(
    "/people/{key}",
    operation_id="get_person",
    summary="One person",
    dependencies=administering,
    **documented(PersonRow, EXAMPLE, errors=(401, 404, 422, 503)),
)
def get_person(room: InRoom, key: Key) -> Response:
    """Return a person."""
    return as_json(PersonRow.of(room.deps.records.person(key)))


@router.put(
    "/people/{key}",
    operation_id="replace_person",
    summary="Change a person",
    description="People are not removed: what they did stays theirs. Who is not `active` any more is logged out.",
    dependencies=administering,
    **documented(PersonRow, EXAMPLE, body=PersonRow, body_example=EXAMPLE, errors=(401, 404, 409, 422, 503)),
)
def put_person(room: InRoom, by: Caller, key: Key, body: Body) -> Response:
    """Put a person in the place of the stored one."""
    said = convert(same_id(read_object(body), key), PersonRow).person()
    return as_json(PersonRow.of(change_person(room.deps.records, said, act(room, by))))


@router.post(
    "/people/{key}/link",
    operation_id="make_password_link",
    summary="A link by which a person sets their password",
    dependencies=administering,
    **documented(PasswordLink, LINK, status=201, errors=(401, 404, 422, 503)),
)
def post_link(room: InRoom, key: Key) -> Response:
    """Make a link; the one before is void."""
    return as_json(PasswordLink(key, password_link(room, key)), status=201)


def password_link(room: Room, key: str) -> str:
    """Return a new link of a person, below the address that links begin with."""
    sessions = room.deps.sessions
    if sessions is None:
        raise Refused(503, "Nobody has to log in here: access.open is on.")
    secret = sessions.link(key, Purpose.PASSWORD, room.deps.clock())
    return f"{room.deps.links_at.rstrip('/')}/password?link={secret}"
