"""Who calls, and what they may do: bearer tokens for programs, a signed cookie made from one for a page.

A route declares the right it needs (`allowed`); what it then sees is cut to the caller's scope (`api.room`).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from api.dependencies import Dependencies
from api.problems import Refused, is_machine
from api.rim import SAFE_METHODS, from_elsewhere
from core.people import Access, Right

COOKIE: Final = "odecet_session"
COOKIE_LIFE: Final = timedelta(days=14)
ANYONE: Final = "anyone"
"""How the audit names callers where access is open to all."""

LOGIN: Final = {"WWW-Authenticate": 'Bearer realm="Odecet"'}


class MustLogIn(Exception):
    """A person who has to say who they are first."""


def holder(tokens: Mapping[str, str], given: str) -> str | None:
    """Return the name of who holds this token, None where nobody does; takes the same time either way."""
    found = None
    for name, secret in tokens.items():
        if hmac.compare_digest(secret.encode(), given.encode()):
            found = name
    return found


def _signature(secret: str, name: str, until: int) -> str:
    return hmac.new(secret.encode(), f"{name}|{until}".encode(), hashlib.sha256).hexdigest()


def cookie_for(name: str, secret: str, now: datetime) -> str:
    """Return a cookie that proves for two weeks that its bearer once showed this token."""
    until = int((now + COOKIE_LIFE).timestamp())
    return f"{name}|{until}|{_signature(secret, name, until)}"


def cookie_holder(tokens: Mapping[str, str], cookie: str, now: datetime) -> str | None:
    """Return whose cookie this is, None where it is forged, expired or its token is gone."""
    name, _, rest = cookie.partition("|")
    until, _, signature = rest.partition("|")
    if name not in tokens or not until.isdecimal():
        return None
    right = hmac.compare_digest(_signature(tokens[name], name, int(until)), signature)
    return name if right and now.timestamp() < int(until) else None


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page asks for."""
    if request.method not in SAFE_METHODS and from_elsewhere(request.headers):
        raise Refused(403, "This change was sent by a page of another site; open Odečet itself and repeat it.")


def access_of(request: Request, deps: Dependencies) -> Access:
    """Return what the caller of a request may do; raise Refused for a token that nobody holds."""
    check_origin(request)
    given = bearer(request)
    name = holder(deps.tokens, given) if given else None
    if given and name is None and deps.tokens:
        raise Refused(401, "Nobody holds this token; it may be mistyped, expired or revoked.", headers=LOGIN)
    if name is None and not given:
        name = cookie_holder(deps.tokens, request.cookies.get(COOKIE, ""), deps.clock())
    if name is not None:
        return Access.whole(name)
    if not deps.tokens:
        return Access.whole(ANYONE)
    return Access.looking() if deps.open_reading else Access.public()


async def access(request: Request) -> Access:
    """Return what the caller may do; found out once a request."""
    held: Access | None = getattr(request.state, "access", None)
    if held is None:
        held = request.state.access = access_of(request, request.app.state.room.deps)
    return held


Asking = Annotated[Access, Depends(access)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A route's door: one of these rights is needed, over the whole region where `everywhere`; none: open to all."""

    rights: tuple[Right, ...]
    everywhere: bool = False

    def opens(self, caller: Access) -> bool:
        """Return whether somebody gets through; what they then see is another matter."""
        had = caller.everywhere if self.everywhere else caller.may
        return not self.rights or any(had(right) for right in self.rights)

    async def __call__(self, request: Request, caller: Asking) -> None:
        """Refuse who may not."""
        if self.opens(caller):
            return
        if caller.name:
            raise Refused(403, "You may not do this; an administrator can grant it to you.")
        if request.method in SAFE_METHODS and not is_machine(request):
            raise MustLogIn
        raise Refused(401, "This needs a token, or a person who is logged in.", headers=LOGIN)


def allowed(*rights: Right, everywhere: bool = False) -> Dependency:
    """Return the dependency by which a route declares its right: any one of these, region-wide if `everywhere`."""
    found: Dependency = Depends(Allowed(rights=rights, everywhere=everywhere))
    return found
