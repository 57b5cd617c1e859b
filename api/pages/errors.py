"""Errors as pages, in the language of who looks."""

from typing import Final

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from api.pages.navigation import home
from api.pages.view import templates, words_of
from api.problems import Problem, in_language
from api.texts import N_
from services.sessions import Within

TITLES: Final = {
    401: N_("Please log in"),
    403: N_("This is not allowed"),
    404: N_("There is nothing here"),
    409: N_("This contradicts what is stored"),
    413: N_("The file is too large"),
    422: N_("This cannot be right"),
    429: N_("Too many requests"),
    503: N_("The store is not available just now"),
}
WAITING: Final = {"urn:odecet:problem:store-unavailable", "urn:odecet:problem:store-in-use"}
"""What passes by itself: said in our words, the words of the store beside them."""
OTHERWISE: Final = N_("Something failed")


def error_page(request: Request, found: Problem) -> Response:
    """Return a problem as a page; it needs no store, as a store may be what failed."""
    words = words_of(request)
    within: Within | None = getattr(request.state, "within", None)
    title = words.text(TITLES.get(found.status, OTHERWISE))
    text = (
        templates(words.code)
        .get_template("error.html")
        .render(
            title=title,
            problem=in_language(found, words.code, for_page=True),
            waits=found.type in WAITING,
            home="/" if within is None else home(request, within.access),
        )
    )
    return HTMLResponse(text, found.status)
