"""/api/v1/keys: keys of programs, each with roles and scopes of its own, shown once and revoked when not needed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.room import Body, Caller, InRoom
from api.routes.people import GrantRow
from core.people import ApiKey, Right
from services.people import make_key, revoke_key

router = APIRouter(prefix="/api/v1/keys", tags=["people"], dependencies=[allowed(Right.ADMINISTER, everywhere=True)])
Key = Annotated[str, Path(description="The key's id, which opens nothing.", examples=["3f1c9a2b"])]


class KeyRow(msgspec.Struct, frozen=True):
    """A key: who made it, how long it holds, when it was used last (to five minutes)."""

    id: str
    name: str
    grants: Sequence[GrantRow]
    made_by: str
    made_at: datetime
    expires: datetime | None
    revoked: datetime | None
    used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, used: datetime | None) -> "KeyRow":
        """Return the JSON form of a key: nothing of it that opens anything."""
        grants = [GrantRow.of(g) for g in key.grants]
        return cls(key.id, key.name, grants, key.made_by, key.made_at, key.expires, key.revoked, used)


class Keys(msgspec.Struct, frozen=True):
    """All keys."""

    items: Sequence[KeyRow]


class WantedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made: what it is for, what it may do, and until when (null: for good)."""

    name: str
    grants: Sequence[GrantRow]
    expires: datetime | None = None


class MadeKey(msgspec.Struct, frozen=True):
    """A key that was made; `secret` is shown this once and kept nowhere."""

    key: KeyRow
    secret: str


GRANTS: Final = [{"role": "tester", "organisations": [], "buildings": [], "areas": []}]
EXAMPLE: Final = {
    "id": "3f1c9a2b",
    "name": "ChirpStack",
    "grants": GRANTS,
    "made_by": "novak",
    "made_at": "2026-03-04T08:15:00Z",
    "expires": None,
    "revoked": None,
    "used_at": None,
}
WANTED: Final = {"name": "ChirpStack", "grants": GRANTS, "expires": None}


@router.get("", operation_id="list_keys", summary="Keys", **documented(Keys, {"items": [EXAMPLE]}, errors=(401, 503)))
def list_keys(room: InRoom) -> Response:
    """Return all keys."""
    return as_json(Keys([KeyRow.of(key, used) for key, used in room.deps.records.api_keys()]))


@router.post(
    "",
    operation_id="make_key",
    summary="Make a key",
    **documented(
        MadeKey,
        {"key": EXAMPLE, "secret": "odk_…"},
        status=201,
        body=WantedKey,
        body_example=WANTED,
        errors=(401, 422, 503),
    ),
)
def post_key(room: InRoom, by: Caller, body: Body) -> Response:
    """Make a key and tell its secret."""
    wish = convert(read_object(body), WantedKey)
    grants = [g.grant() for g in wish.grants]
    made = make_key(room.deps.records, wish.name, grants, act(room, by), expires=wish.expires)
    return as_json(MadeKey(KeyRow.of(made.key, None), made.secret), status=201)


@router.post(
    "/{key}/revoke",
    operation_id="revoke_key",
    summary="Let a key open nothing any more",
    **documented(KeyRow, EXAMPLE, errors=(401, 404, 422, 503)),
)
def post_revoke(room: InRoom, by: Caller, key: Key) -> Response:
    """Revoke a key."""
    return as_json(KeyRow.of(revoke_key(room.deps.records, key, act(room, by)), None))
