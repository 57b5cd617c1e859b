"""Errors as RFC 9457 problem details, or as a page where a browser asked for one."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.error_texts import phrases
from api.rim import protect
from api.texts import choose
from core.errors import (
    Conflict,
    InputError,
    NotFound,
    OdecetError,
    SourceUnavailable,
    StoreError,
    StoreInUse,
    StoreUnavailable,
)

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: where (parameter, path in the body, row and column), what, and the remedy."""

    place: str
    problem: str
    remedy: str = ""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem detail (RFC 9457). `instance` names this very request in the logs."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: tuple[Place, ...] = ()


class Refused(OdecetError):
    """A request that the API itself refuses: the status says how, `errors` where."""

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[Place] = (), headers: dict[str, str] | None = None
    ) -> None:
        self.status = status
        self.errors = tuple(errors)
        self.headers = headers or {}
        super().__init__(detail)


KINDS: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (InputError, 422, "input"),
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (StoreUnavailable, 503, "store-unavailable"),
    (StoreInUse, 503, "store-in-use"),
    (SourceUnavailable, 503, "source-unavailable"),
    (StoreError, 500, "store"),
)
"""Status and kind of each error of the core, the closest class first."""

UNEXPECTED: Final = "Something failed inside Odečet; the log has the details under this instance."


def request_id(request: Request) -> str:
    """Return the name of this request in logs and problems."""
    return str(getattr(request.state, "request_id", ""))


def problem(request: Request, status: int, kind: str, detail: str, errors: Sequence[Place] = ()) -> Problem:
    """Return the problem of a request."""
    return Problem(
        type=f"urn:odecet:problem:{kind}" if kind else "about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=f"urn:uuid:{request_id(request)}",
        errors=tuple(errors),
    )


def _of_core(request: Request, err: Exception) -> tuple[Problem, dict[str, str]]:
    status, kind = next(((s, k) for cls, s, k in KINDS if isinstance(err, cls)), (500, "internal"))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed", exc_info=err, extra={"request_id": request_id(request)})
        return problem(request, status, kind, UNEXPECTED), {}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    places: tuple[Place, ...] = ()
    if isinstance(err, InputError):
        places = (Place(err.place, err.problem, err.remedy),)
    return problem(request, status, kind, str(err), places), headers


def _of_refused(request: Request, err: Refused) -> tuple[Problem, dict[str, str]]:
    kind = {401: "unauthorised", 403: "forbidden", 412: "changed-meanwhile", 422: "input"}.get(err.status, "")
    return problem(request, err.status, kind, str(err), err.errors), err.headers


def _of_http(request: Request, err: HTTPException) -> tuple[Problem, dict[str, str]]:
    details = {
        404: f"There is nothing at {request.url.path}; /api/v1/openapi.json lists what there is.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }
    detail = details.get(err.status_code, str(err.detail))
    return problem(request, err.status_code, "", detail), dict(err.headers or {})


def _of_validation(request: Request, err: RequestValidationError) -> tuple[Problem, dict[str, str]]:
    places = [Place(".".join(str(part) for part in e["loc"]), str(e["msg"])) for e in err.errors()]
    names = ", ".join(p.place for p in places)
    return problem(request, 422, "input", f"The request cannot be right: {names}.", places), {}


def describe(request: Request, err: Exception) -> tuple[Problem, dict[str, str]]:
    """Return the problem that an exception is, and the headers that go with it."""
    if isinstance(err, Refused):
        return _of_refused(request, err)
    if isinstance(err, RequestValidationError):
        return _of_validation(request, err)
    if isinstance(err, HTTPException):
        return _of_http(request, err)
    if isinstance(err, OdecetError):
        return _of_core(request, err)
    log.error("request failed", exc_info=err, extra={"request_id": request_id(request)})
    return problem(request, 500, "internal", UNEXPECTED), {}


def in_language(found: Problem, code: str, *, for_page: bool = False) -> Problem:
    """Return a problem as a language says it. A program is told places by the names that it sent, a person by words."""
    words = phrases(code)
    errors = tuple(
        Place(words.place(e.place) if for_page else e.place, words.problem(e.problem), words.problem(e.remedy))
        for e in found.errors
    )
    detail = words.problem(found.detail)
    if len(found.errors) == 1 and words.known and found.detail == _whole(found.errors[0]):
        detail = " ".join(filter(None, (f"{errors[0].place}:", errors[0].problem, errors[0].remedy))).removeprefix(": ")
    return msgspec.structs.replace(found, detail=detail, errors=errors)


def _whole(place: Place) -> str:
    return str(InputError(place.problem, place=place.place, remedy=place.remedy))


def answer(request: Request, found: Problem, headers: dict[str, str]) -> Response:
    """Return a problem as an HTTP answer: in English, or in Czech where the caller would rather have it."""
    code = choose("", "", request.headers.get("accept-language", ""), "en")
    said = msgspec.json.encode(in_language(found, code))
    about = {"Content-Language": code, "Vary": "Accept-Language"}
    return Response(said, found.status, {**about, **headers}, media_type=MEDIA_TYPE)


def is_machine(request: Request) -> bool:
    """Return whether a program asks, not a person for a page."""
    return request.url.path.startswith(("/api", "/health", "/ready", "/metrics", "/static"))


def wants_page(request: Request) -> bool:
    """Return whether a person looks at a page: then errors are pages too."""
    return not is_machine(request) and "text/html" in request.headers.get("accept", "")


Page = Callable[[Request, Problem], Response]


def handle_errors(app: FastAPI, page: Page) -> None:
    """Let every error of the app leave as a problem, or as `page` gives it to a person."""

    async def handler(request: Request, err: Exception) -> Response:
        found, headers = describe(request, err)
        shown = page(request, found) if wants_page(request) else answer(request, found, {})
        shown.headers.update(headers)
        protect(shown.headers, request_id(request), https=request.url.scheme == "https")  # a fault leaves past the rim
        return shown

    handled: Callable[[Request, Any], Awaitable[Response]] = handler
    for kind in (OdecetError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, handled)
