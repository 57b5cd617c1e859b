"""Who calls, and what they may do: a person by the cookie of their session, a program by its key.

A route declares the right it needs (`allowed`); what it then sees is cut to the caller's scope (`api.room`).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from starlette.concurrency import run_in_threadpool

from api.dependencies import Dependencies
from api.problems import Refused, is_machine
from api.rates import Rates, place_of
from api.rim import SAFE_METHODS, from_elsewhere
from api.texts import N_
from core.people import Access, Right
from services.sessions import Within

COOKIE: Final = "odecet_session"
ANYONE: Final = "anyone"
"""How the audit names callers where access is open to all."""
FORM_FIELD: Final = "csrf"
FORM_HEADER: Final = "x-csrf-token"
MOST_FIELDS: Final = 20_000
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
LOGIN: Final = {"WWW-Authenticate": 'Bearer realm="Odecet"'}
FORGED: Final = N_("This form is not of this session, or too old; open the page again and repeat it.")
MAY_NOT: Final = N_("You may not do this; an administrator can grant it to you.")
NOBODY: Final = N_("This needs a key, or a person who is logged in.")
TOO_OFTEN: Final = N_("You ask more often than is good for all; wait a little.")
ELSEWHERE: Final = N_("This change was sent by a page of another site; open Odečet itself and repeat it.")


class MustLogIn(Exception):
    """A person who has to say who they are first."""


class Limits:
    """How often people, programs and strangers may ask, and how often anybody may try to come in."""

    def __init__(self, deps: Dependencies) -> None:
        per_minute = deps.per_minute
        self.people = Rates(per_minute.people)
        self.programs = Rates(per_minute.programs)
        self.strangers = Rates(per_minute.strangers)
        self.logins = Rates(per_minute.logins)


def take_one(rates: Rates, name: str) -> None:
    """Raise Refused where somebody asks more often than they may."""
    wait_s = rates.wait_s(name)
    if wait_s:
        raise Refused(429, TOO_OFTEN, headers={"Retry-After": f"{wait_s}"})


def address_of(request: Request) -> str:
    """Return the address that a request is from, as failures and requests are counted by it."""
    return place_of(request.client.host if request.client is not None else "")


def holder(tokens: Mapping[str, str], given: str) -> str | None:
    """Return the name of who holds this token, None where nobody does; takes the same time either way."""
    found = None
    for name, secret in tokens.items():
        if hmac.compare_digest(secret.encode(), given.encode()):
            found = name
    return found


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page asks for."""
    if request.method not in SAFE_METHODS and from_elsewhere(request.headers):
        raise Refused(403, ELSEWHERE)


async def check_form(request: Request, within: Within) -> None:
    """Refuse a change by a cookie that shows no sign of a page given to this session."""
    if request.method in SAFE_METHODS:
        return
    shown = request.headers.get(FORM_HEADER, "")
    if not shown and request.headers.get("content-type", "").startswith(FORMS):
        form = await request.form(max_fields=MOST_FIELDS)
        shown = str(form.get(FORM_FIELD, ""))
    if not hmac.compare_digest(shown.encode(), within.form_token.encode()):
        raise Refused(403, FORGED)


def _program(given: str, request: Request, deps: Dependencies) -> Access:
    """Return what a program may do by its token or key; raise Refused where it is nobody's."""
    limits: Limits = request.app.state.limits
    name = holder(deps.tokens, given)
    found = Access.whole(name) if name is not None else None
    if found is None and deps.sessions is not None:
        found = deps.sessions.by_key(given, deps.clock())
    if found is None:
        take_one(limits.logins, address_of(request))
        raise Refused(401, "Nobody holds this key; it may be mistyped, expired or revoked.", headers=LOGIN)
    take_one(limits.programs, found.name)
    return found


def within_of(request: Request, deps: Dependencies) -> Within | None:
    """Return the session that a request is of, None where there is none."""
    token = request.cookies.get(COOKIE, "")
    return deps.sessions.within(token, deps.clock()) if token and deps.sessions is not None else None


async def _found_out(request: Request) -> Access:
    check_origin(request)
    deps: Dependencies = request.app.state.room.deps
    limits: Limits = request.app.state.limits
    given = bearer(request)
    if given and (deps.tokens or deps.sessions is not None):
        return await run_in_threadpool(_program, given, request, deps)
    within = await run_in_threadpool(within_of, request, deps) if COOKIE in request.cookies else None
    if within is not None:
        request.state.within = within
        await check_form(request, within)
        take_one(limits.people, within.person.id)
        return within.access
    if deps.open_to_all:
        return Access.whole(ANYONE)
    take_one(limits.strangers, address_of(request))
    return Access.looking() if deps.open_reading else Access.public()


async def access(request: Request) -> Access:
    """Return what the caller may do; found out once a request."""
    held: Access | None = getattr(request.state, "access", None)
    if held is None:
        held = request.state.access = await _found_out(request)
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
            raise Refused(403, MAY_NOT)
        if request.method in SAFE_METHODS and not is_machine(request):
            raise MustLogIn
        raise Refused(401, NOBODY, headers=LOGIN)


def allowed(*rights: Right, everywhere: bool = False) -> Dependency:
    """Return the dependency by which a route declares its right: any one of these, region-wide if `everywhere`."""
    found: Dependency = Depends(Allowed(rights=rights, everywhere=everywhere))
    return found
