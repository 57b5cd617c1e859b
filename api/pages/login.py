"""Coming in and going out: by password, by somebody else's login, by a link used once; and one's own account."""

import secrets
from datetime import timedelta
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote, unquote

import msgspec
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.access import COOKIE, Limits, address_of, allowed, check_origin, take_one
from api.dependencies import Dependencies
from api.pages.navigation import home
from api.pages.view import Seen, Viewer, back, plain_page, words_of
from api.people_texts import TROUBLES, role_name
from api.problems import Refused
from api.room import whole_room
from api.texts import N_
from core.errors import NotFound
from core.people import Access, Person
from core.sessions import Purpose
from services.people_identity import Identities, person_of
from services.people_mail import ask_reset
from services.sessions import Entered, Sessions, Wait, Within, Wrong

router = APIRouter(include_in_schema=False, dependencies=[allowed()])

FLOW_COOKIE: Final = "odecet_flow"
FLOW_LIFE: Final = timedelta(minutes=10)
BACK_PATH: Final = "/login/identity/back"
WRONG: Final = N_("Name or password is wrong.")
VOID: Final = N_("This link was used already, or is too old. Ask for a new one.")
TOO_MANY: Final = N_("Too many attempts failed; wait a little.")
BEGIN_AGAIN: Final = N_("This login was not begun in this browser, or too long ago; begin it again.")
UNKNOWN: Final = N_("The login there worked, but nobody here is known by it. An administrator can add you.")


class Flow(msgspec.Struct, frozen=True):
    """What a browser keeps while its person logs in elsewhere: only who began there can come back with it."""

    state: str
    nonce: str
    verifier: str
    to: str


def inside(address: str) -> str:
    """Return an address of this site, the first page in the place of any other."""
    plain = address.isprintable() and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain else "/"


def sessions_of(request: Request) -> Sessions:
    """Return how people come in; raise NotFound where nobody has to."""
    found = deps_of(request).sessions
    if found is None:
        raise NotFound("nobody has to log in here")
    return found


def deps_of(request: Request) -> Dependencies:
    """Return what the app was given."""
    return whole_room(request).deps


def slowly(request: Request) -> str:
    """Return the address of somebody who tries to come in; raise Refused where they try too often."""
    check_origin(request)
    limits: Limits = request.app.state.limits
    address = address_of(request)
    take_one(limits.logins, address)
    return address


def login_page(request: Request, *, to: str, wrong: str = "", wait_s: int = 0) -> Response:
    """Return the page that asks who somebody is."""
    deps = deps_of(request)
    return plain_page(
        request,
        "login.html",
        status=429 if wait_s else 401 if wrong else 200,
        to=inside(to),
        wrong=words_of(request).text(wrong) if wrong else "",
        wait_s=wait_s,
        provider="" if deps.identities is None else deps.identities.provider.label,
        mails=bool(deps.links_at),
    )


def welcomed(request: Request, entered: Entered, to: str) -> Response:
    """Lead somebody who came in to where they wanted, with the cookie of their new session."""
    wanted, access = inside(to), Access(name=entered.person.id, grants=entered.person.grants)
    answer = back(home(request, access) if wanted == "/" else wanted)
    life = int((entered.expires - deps_of(request).clock()).total_seconds())
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, entered.token, max_age=life, httponly=True, samesite="lax", secure=secure)
    return answer


@router.get("/login")
def show(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """Ask who somebody is."""
    sessions_of(request)
    return login_page(request, to=to)


@router.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=300)],
    password: Annotated[str, Form(max_length=1_000)],
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session for a name and password."""
    address, deps = slowly(request), deps_of(request)
    done = sessions_of(request).log_in(name, password, address=address, now=deps.clock())
    if isinstance(done, Wait):
        page = login_page(request, to=to, wait_s=done.seconds)
        page.headers["Retry-After"] = str(done.seconds)
        return page
    return welcomed(request, done, to) if isinstance(done, Entered) else login_page(request, to=to, wrong=WRONG)


@router.post("/logout")
def log_out(request: Request, everywhere: Annotated[str, Form()] = "") -> Response:
    """End the session, or all of the person's."""
    check_origin(request)
    within: Within | None = getattr(request.state, "within", None)
    if within is not None:
        sessions_of(request).leave(within, everywhere=bool(everywhere))
    answer = back("/login")
    answer.delete_cookie(COOKIE)
    return answer


# Links that are used once


@router.get("/enter")
def show_link(request: Request, link: Annotated[str, Query()]) -> Response:
    """Ask whoever has a login link to go on; looking at it does not use it up."""
    sessions, now = sessions_of(request), deps_of(request).clock()
    held = sessions.ticket(link, Purpose.LOGIN, now)
    if held is None:
        return login_page(request, to="/", wrong=VOID)
    return plain_page(request, "enter.html", link=link, person=deps_of(request).records.person(held.person))


@router.post("/enter")
def enter(request: Request, link: Annotated[str, Form()]) -> Response:
    """Open a session for a login link."""
    slowly(request)
    done = sessions_of(request).enter_by_link(link, deps_of(request).clock())
    return welcomed(request, done, "/") if isinstance(done, Entered) else login_page(request, to="/", wrong=VOID)


@router.get("/password")
def show_password(request: Request, link: Annotated[str, Query()]) -> Response:
    """Ask for a new password."""
    held = sessions_of(request).ticket(link, Purpose.PASSWORD, deps_of(request).clock())
    if held is None:
        return login_page(request, to="/", wrong=VOID)
    person = deps_of(request).records.person(held.person)
    return _password_page(request, link, person)


def _password_page(request: Request, link: str, person: Person, trouble: str = "") -> Response:
    shortest = sessions_of(request).passwords.shortest
    problem = words_of(request).text(TROUBLES[trouble]) if trouble else ""
    return plain_page(
        request, "password.html", status=422 if trouble else 200,
        link=link, person=person, problem=problem, shortest=shortest,
    )  # fmt: skip


@router.post("/password")
def set_password(
    request: Request, link: Annotated[str, Form()], password: Annotated[str, Form(max_length=1_000)]
) -> Response:
    """Set a new password and open a session."""
    slowly(request)
    sessions, deps = sessions_of(request), deps_of(request)
    held = sessions.ticket(link, Purpose.PASSWORD, deps.clock())
    if held is None:
        return login_page(request, to="/", wrong=VOID)
    person = deps.records.person(held.person)
    trouble = sessions.passwords.trouble(password, person)
    if trouble:
        return _password_page(request, link, person, trouble)
    done = sessions.set_password(link, password, deps.clock())
    return welcomed(request, done, "/") if isinstance(done, Entered) else login_page(request, to="/", wrong=VOID)


@router.get("/password/forgotten")
def show_forgotten(request: Request) -> Response:
    """Ask for the mail address of somebody who forgot their password."""
    sessions_of(request)
    return plain_page(request, "forgotten.html", sent=False, mails=bool(deps_of(request).links_at))


@router.post("/password/forgotten")
def forgotten(request: Request, mail: Annotated[str, Form(max_length=300)]) -> Response:
    """Send a link; the answer is the same whether anybody has the address."""
    slowly(request)
    deps = deps_of(request)
    if deps.links_at:
        ask_reset(
            sessions_of(request), deps.records, mail, links_at=deps.links_at, now=deps.clock(),
            language=words_of(request).code,
        )  # fmt: skip
    return plain_page(request, "forgotten.html", sent=True, mails=bool(deps.links_at))


# Somebody else's login


def identities_of(request: Request) -> Identities:
    """Return somebody else's login; raise NotFound where there is none."""
    found = deps_of(request).identities
    if found is None:
        raise NotFound("no identity provider is set up here")
    return found


def back_address(request: Request) -> str:
    """Return where people come back to: below the address that is set up, else the one that they came by."""
    base = deps_of(request).links_at or str(request.base_url)
    return base.rstrip("/") + BACK_PATH


@router.get("/login/identity")
def log_in_elsewhere(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """Lead somebody to where they log in."""
    identities = identities_of(request)
    slowly(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    flow = Flow(state=state, nonce=nonce, verifier=verifier, to=inside(to))
    place = identities.provider.address(
        back=back_address(request), state=flow.state, nonce=flow.nonce, verifier=flow.verifier
    )
    answer = RedirectResponse(place, 303)
    answer.set_cookie(
        FLOW_COOKIE,
        quote(msgspec.json.encode(flow).decode()),
        max_age=int(FLOW_LIFE.total_seconds()),
        path="/login/identity",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get(BACK_PATH)
def come_back(request: Request, code: Annotated[str, Query()] = "", state: Annotated[str, Query()] = "") -> Response:
    """Open a session for who proved elsewhere who they are."""
    identities, deps = identities_of(request), deps_of(request)
    slowly(request)
    flow = _flow(request)
    if flow is None or not code or not secrets.compare_digest(state.encode(), flow.state.encode()):
        raise Refused(
            422, words_of(request).text("This login was not begun in this browser, or too long ago; begin it again.")
        )
    now = deps.clock()
    claims = identities.provider.claims(
        code, back=back_address(request), nonce=flow.nonce, verifier=flow.verifier, now=now
    )
    person = person_of(deps.records, claims, identities, now)
    sessions = sessions_of(request)
    answer = (
        login_page(request, to=flow.to, wrong=UNKNOWN)
        if person is None
        else welcomed(request, sessions.enter(person, now), flow.to)
    )
    answer.delete_cookie(FLOW_COOKIE, path="/login/identity")
    return answer


def _flow(request: Request) -> Flow | None:
    try:
        return msgspec.json.decode(unquote(request.cookies.get(FLOW_COOKIE, "")), type=Flow)
    except msgspec.MsgspecError:
        return None


# One's own account


def within_of(v: Seen) -> Within:
    """Return the session of who looks; raise Refused where there is none."""
    within: Within | None = getattr(v.request.state, "within", None)
    if within is None:
        raise Refused(401, v.words.text("Log in first."))
    return within


@router.get("/account")
def account(v: Seen) -> Response:
    """Show who one is and what one may do."""
    return _account(v)


def _account(v: Viewer, problem: str = "") -> Response:
    return v.page(
        "account.html",
        status=422 if problem else 200,
        person=within_of(v).person,
        problem=v.words.text(problem) if problem else "",
        now=v.room.region.now(),
        shortest=sessions_of(v.request).passwords.shortest,
        role_of=partial(role_name, words=v.words),
    )


@router.post("/account/password")
def change_password(
    v: Seen, old: Annotated[str, Form(max_length=1_000)], new: Annotated[str, Form(max_length=1_000)]
) -> Response:
    """Change one's password; one's other sessions are over."""
    within, address, sessions = within_of(v), slowly(v.request), sessions_of(v.request)
    trouble = sessions.passwords.trouble(new, within.person)
    if trouble:
        return _account(v, TROUBLES[trouble])
    done = sessions.change_password(within, old, new, address=address, now=v.now)
    if done is None:
        return back("/account?done=changed")
    return _account(v, WRONG if isinstance(done, Wrong) else TOO_MANY)
