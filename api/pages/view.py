"""Who looks, in which language, and the page that is made for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access import FORM_FIELD, Asking
from api.error_texts import phrases, told
from api.model_texts import shown_reason
from api.pages.bundle import library_mark, mark
from api.pages.navigation import way
from api.room import InRoom, Room, whole_room
from api.texts import LANGUAGES, Language, choose, language
from core.errors import OdecetError
from core.people import Access, Right
from services.sessions import Within

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
LANGUAGE_COOKIE: Final = "odecet_lang"
LANGUAGE_LIFE_S: Final = 365 * 86_400


POST_FORM: Final = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
PRIVATE: Final = {"Cache-Control": "no-store"}


@cache
def templates(code: str) -> Environment:
    """Return the templates in a language; a name that nobody gave fails instead of showing nothing."""
    words = language(code)
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(words.translations, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    made.globals.update(
        w=words,
        w_reason=shown_reason,
        w_error=phrases(code).problem,
        static=static,
        languages=LANGUAGES,
        moment=datetime.fromisoformat,
    )
    return made


def static(name: str) -> str:
    """Return the address of a static file, changing with its content."""
    made = library_mark() if name in {"vega.js", "locales.js"} else mark(name)
    return f"/static/{name}?v={made}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A person at a page: the language they read, their name, what they may do and, in `room`, what they see."""

    request: Request
    room: Room
    words: Language
    access: Access

    @property
    def name(self) -> str:
        """Who they are, empty for somebody unknown."""
        return self.access.name

    def may(self, right: str, *, everywhere: bool = False) -> bool:
        """Return whether they have a right (its name as templates write it), or have it over the whole region."""
        return self.access.everywhere(Right(right)) if everywhere else self.access.may(Right(right))

    @property
    def person(self) -> str:
        """How they are called, empty where nobody logged in."""
        within: Within | None = getattr(self.request.state, "within", None)
        return within.person.name if within is not None else ""

    @property
    def may_log_in(self) -> bool:
        """Whether there is a login."""
        return self.room.deps.sessions is not None

    @property
    def may_write(self) -> bool:
        """Whether they may change the register somewhere."""
        return self.access.may(Right.REGISTER)

    @property
    def now(self) -> datetime:
        """Now, by the app's clock."""
        return self.room.deps.clock()

    def told(self, err: OdecetError) -> str:
        """Return an error in one line, in the language they read."""
        return told(phrases(self.words.code), err)

    def age(self, at: datetime | None) -> str:
        """Return how long ago something was."""
        return "—" if at is None else self.words.ago(self.now - at)

    def minute(self, at: datetime | None) -> str:
        """Return an instant in the region's time."""
        return self.words.minute(at, self.room.deps.zone)

    def page(self, template: str, *, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401 - what templates show
        """Return a page."""
        counts = _counts(self.room)
        text = (
            templates(self.words.code)
            .get_template(template)
            .render(v=self, counts=counts, way=way(self.request, self.access, counts), **shown)
        )
        answer = HTMLResponse(signed(self.request, text), status, {**PRIVATE, "Vary": "Cookie, Accept-Language"})
        return remember_language(self.request, answer)


def signed(request: Request, text: str) -> str:
    """Return a page whose forms show that they were given to this session, so that none is forged."""
    within: Within | None = getattr(request.state, "within", None)
    if within is None:
        return text
    field = f'<input type="hidden" name="{FORM_FIELD}" value="{within.form_token}">'
    return POST_FORM.sub(lambda form: form[0] + field, text)


def plain_page(request: Request, template: str, *, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401 - same
    """Return a page for somebody who is not known (yet): no navigation, nothing of the region."""
    words = words_of(request)
    text = templates(words.code).get_template(template).render(**shown)
    return remember_language(request, HTMLResponse(signed(request, text), status, PRIVATE))


def remember_language(request: Request, answer: Response) -> Response:
    """Let the browser keep a language that was asked for by the address."""
    asked = request.query_params.get("lang", "")
    if asked in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, asked, max_age=LANGUAGE_LIFE_S, samesite="lax", httponly=True)
    return answer


def _counts(room: Room) -> Mapping[str, int]:
    """Return what waits for somebody, for the navigation."""
    records = room.deps.records
    return {
        "inbox": len({i.device for i in records.inbox()}),
        "letters": sum(records.count_letters().values()),
        "findings": len(records.findings(open_only=True)),
    }


def words_of(request: Request) -> Language:
    """Return the language of a request."""
    headers, cookies = request.headers, request.cookies
    code = choose(
        request.query_params.get("lang", ""),
        cookies.get(LANGUAGE_COOKIE, ""),
        headers.get("accept-language", ""),
        whole_room(request).deps.locale,
    )
    return language(code)


async def _viewer(request: Request, room: InRoom, caller: Asking) -> Viewer:
    return Viewer(request=request, room=room, words=words_of(request), access=caller)


Seen = Annotated[Viewer, Depends(_viewer)]


def back(address: str) -> Response:
    """Return the way to a page after something was done."""
    return RedirectResponse(address, 303)
