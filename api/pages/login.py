"""Logging in with a token: the page then holds a cookie made from it, never the token."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, Response

from api.access import COOKIE, COOKIE_LIFE, allowed, check_origin, cookie_for, holder
from api.pages.view import back, remember_language, templates, words_of
from api.room import InRoom

router = APIRouter(include_in_schema=False, dependencies=[allowed()])


def inside(address: str) -> str:
    """Return an address of this site, the first page in the place of any other."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"


def login_page(request: Request, *, to: str, wrong: bool = False) -> Response:
    """Return the form that asks for a token."""
    words = words_of(request)
    text = templates(words.code).get_template("login.html").render(to=inside(to), wrong=wrong)
    return remember_language(request, HTMLResponse(text, 401 if wrong else 200))


@router.get("/login")
def show(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """Ask for a token."""
    return login_page(request, to=to)


@router.post("/login")
def log_in(request: Request, room: InRoom, token: Annotated[str, Form()], to: Annotated[str, Form()] = "/") -> Response:
    """Give a cookie for a token."""
    check_origin(request)
    name = holder(room.deps.tokens, token.strip())
    if name is None:
        return login_page(request, to=to, wrong=True)
    answer = back(inside(to))
    cookie = cookie_for(name, room.deps.tokens[name], room.deps.clock())
    life, secure = int(COOKIE_LIFE.total_seconds()), request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, max_age=life, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Take the cookie back."""
    check_origin(request)
    answer = back("/")
    answer.delete_cookie(COOKIE)
    return answer
