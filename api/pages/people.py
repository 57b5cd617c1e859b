"""People and keys: who comes in, what they may do and whose buildings they see. For administrators."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.access import MOST_FIELDS, allowed
from api.acts import act
from api.pages.models import day_of
from api.pages.view import Seen, Viewer, back
from api.people_texts import right_name, role_name
from core.errors import InputError, NotFound
from core.people import RIGHTS, Grant, Person, Right, Role
from core.registry import Building, Organisation
from core.sessions import Purpose
from services import people as acts
from services.sessions import Sessions

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

SPARE_ROWS: Final = 1
"""Rows for roles beyond those that somebody has; the next one comes with the next look."""
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What scopes are chosen from, and how things are called."""

    organisations: list[Organisation]
    buildings: list[Building]
    roles: list[Role]
    rights: dict[Role, frozenset[Right]]


def sessions_of(v: Viewer) -> Sessions:
    """Return how people come in; raise NotFound where nobody has to."""
    if v.room.deps.sessions is None:
        raise NotFound("nobody has to log in here; access.open is on")
    return v.room.deps.sessions


def _choices(v: Viewer) -> Choices:
    now = v.room.now()
    return Choices(
        organisations=sorted(now.organisations.values(), key=lambda o: (o.name.casefold(), o.id)),
        buildings=sorted(now.buildings.values(), key=lambda b: (b.name.casefold(), b.id)),
        roles=[role for role in Role if role is not Role.PUBLIC],
        rights=RIGHTS,
    )


def _words(v: Viewer) -> dict[str, Any]:
    return {"role_of": partial(role_name, words=v.words), "right_of": partial(right_name, words=v.words)}


async def _form(request: Request) -> FormData:
    return await request.form(max_fields=MOST_FIELDS)


Sent = Annotated[FormData, Depends(_form)]


def grants_by(form: FormData) -> tuple[Grant, ...]:
    """Return the grants that the rows of a form say."""
    found = []
    for n in range(MOST_ROWS):
        role = str(form.get(f"role_{n}", ""))
        if role not in set(Role):
            continue
        found.append(
            Grant(
                role=Role(role),
                organisations=_several(form, f"organisations_{n}"),
                buildings=_several(form, f"buildings_{n}"),
                areas=tuple(str(form.get(f"areas_{n}", "")).replace(",", " ").split()),
            )
        )
    return tuple(dict.fromkeys(found))


def _several(form: FormData, name: str) -> tuple[str, ...]:
    return tuple(str(value) for value in form.getlist(name) if str(value))


def rows_of(grants: Sequence[Grant]) -> list[Grant | None]:
    """Return the rows of a form: what somebody has, and room for more."""
    return [*grants, *[None] * SPARE_ROWS]


@router.get("/people")
def people(v: Seen) -> Response:
    """Show who comes in."""
    return _people(v)


def _people(v: Viewer, *, person: Person | None = None, problem: str = "") -> Response:
    now = v.room.now()
    return v.page(
        "people.html",
        status=422 if problem else 200,
        people=v.room.deps.records.people(),
        organisations=now.organisations,
        buildings=now.buildings,
        choices=_choices(v),
        rows=rows_of(person.grants if person else ()),
        person=person,
        problem=problem,
        **_words(v),
    )


def _said(form: FormData, key: str, former: Person | None = None) -> Person:
    said = Person(
        id=key.strip(),
        name=str(form.get("name", "")).strip(),
        mail=str(form.get("mail", "")).strip(),
        grants=grants_by(form),
        subject=str(form.get("subject", "")).strip(),
    )
    return said if former is None else replace(said, active="active" in form)


@router.post("/people")
def add(v: Seen, form: Sent) -> Response:
    """Add a person and show the link by which they set their password."""
    key = str(form.get("id", "")).strip() or str(form.get("mail", "")).partition("@")[0].strip().lower()
    person = acts.add_person(v.room.deps.records, _said(form, key), act(v.room, v.name, "page of people"))
    return _person(v, person, link=_link(v, person))


def _link(v: Viewer, person: Person) -> str:
    secret = sessions_of(v).link(person.id, Purpose.PASSWORD, v.now)
    base = v.room.deps.links_at or str(v.request.base_url)
    return f"{base.rstrip('/')}/password?link={secret}"


@router.get("/people/{key}")
def person(v: Seen, key: str) -> Response:
    """Show a person."""
    return _person(v, v.room.deps.records.person(key))


def _person(v: Viewer, found: Person, *, link: str = "") -> Response:
    records, now = v.room.deps.records, v.room.now()
    return v.page(
        "person.html",
        person=found,
        organisations=now.organisations,
        buildings=now.buildings,
        link=link,
        rows=rows_of(found.grants),
        choices=_choices(v),
        has_password=bool(records.password(found.id)),
        trail=records.audit(entity="person", key=found.id, limit=20),
        **_words(v),
    )


@router.post("/people/{key}")
def change(v: Seen, key: str, form: Sent) -> Response:
    """Change a person."""
    records = v.room.deps.records
    acts.change_person(records, _said(form, key, records.person(key)), act(v.room, v.name, "page of people"))
    return back(f"/people/{key}?done=saved")


@router.post("/people/{key}/link")
def new_link(v: Seen, key: str) -> Response:
    """Show a new link by which a person sets their password; the one before is void."""
    found = v.room.deps.records.person(key)
    return _person(v, found, link=_link(v, found))


# Keys of programs


@router.get("/keys")
def keys(v: Seen) -> Response:
    """Show the keys of programs."""
    return _keys(v)


def _keys(v: Viewer, made: acts.NewKey | None = None) -> Response:
    now = v.room.now()
    return v.page(
        "keys.html",
        keys=v.room.deps.records.api_keys(),
        tokens=sorted(v.room.deps.tokens),
        made=made,
        rows=rows_of(()),
        choices=_choices(v),
        organisations=now.organisations,
        buildings=now.buildings,
        now=v.now,
        **_words(v),
    )


@router.post("/keys")
def add_key(v: Seen, form: Sent) -> Response:
    """Make a key and show its secret, this once."""
    expires = _end_of(v, str(form.get("expires", "")))
    made = acts.make_key(
        v.room.deps.records,
        str(form.get("name", "")),
        grants_by(form),
        act(v.room, v.name, "page of keys"),
        expires=expires,
    )
    return _keys(v, made)


def _end_of(v: Viewer, text: str) -> datetime | None:
    """Return the end of a day, None of nothing."""
    day = day_of(text, place="expires")
    if day is None:
        return None
    end = datetime.combine(day + timedelta(days=1), time(), v.room.deps.zone)
    if end <= v.now:
        raise InputError(f"{text} is over", place="expires", remedy="write a later day")
    return end


@router.post("/keys/revoke")
def revoke(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Let a key open nothing any more."""
    acts.revoke_key(v.room.deps.records, key, act(v.room, v.name, "page of keys"))
    return back("/keys?done=revoked")
