"""Every page in a real Chromium, in Czech, as each role after a real login: nothing fails, nobody is left out.

Nothing that the browser complains of, no request to another host, no English text, and for who sees all pages at two
widths nothing serious by axe.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from api.doors import doors, roles_of
from api.texts import CATALOGS
from core.people import Role
from tests.e2e.test_browser_pages import ARGUMENTS
from tests.e2e.walked_site import Site, running
from tests.servers.process import program
from tests.unit.delivery_world import ENERGY

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until what follows a change of the window has followed."""
ICON = "/favicon.ico"
WIDTHS = (390, 1280)
NO_PAGE = re.compile(r"/(api|static|health|ready|metrics)|/login|/enter|/password|.*\.(csv|xlsx|docx|json|xml)$")
"""Addresses of programs and files, and the way in, which has tests of its own."""
SHOWN = {
    "/buildings/{key:path}": "/buildings/B1",
    "/points/{key:path}": "/points/B1-EL?from=2025-06-01&to=2025-08-01",
    "/points/{key:path}/model": "/points/B1-GAS/model",
    "/points/{key:path}/backtest": "/points/B1-EL/backtest",
    "/demand/{key:path}": "/demand/B1-EL?year=2025",
    "/formats/{name}": "/formats/shelly_gen1",
    "/meters/{key:path}/swap": "/meters/B1-EL/swap",
    "/measures/{key:path}": "/measures/OP-1",
    "/stations/{key:path}": "/stations/liberec",
    "/people/{key}": "/people/test-tester",
    "/indicators/{key}": "/indicators/E1?report=annual/2025",
    "/indicators/{key}/parts": "/indicators/E1/parts?report=annual/2025",
    "/indicators/{key}/why": "/indicators/E1/why?report=annual/2025",
    "/indicators/{key}/months": "/indicators/E1/months?report=annual/2025",
    "/deliveries/{kind}/{period}/{area}": f"/deliveries/annual/2025/{ENERGY}",
    "/documents/{key}": "/documents/penb",
    "/notes/{key}": "/notes/kotel",
    "/settings/tables/row": "/settings/tables/row?kind=factor&key=mpo-electricity-2020",
    "/plan/{kind}/new": "/plan/indicators/new",
    "/plan/{kind}/{key:path}": "/plan/indicators/E1",
}
"""Of what a page tells, by its address."""
SEEN = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node; (node = walker.nextNode());) {
    const held = node.parentElement
    if (!held.closest("script, style, noscript, code, pre, textarea, [lang=en], [translate=no]") && node.data.trim()) {
      found.push(node.data.trim())
    }
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "data-label"]) {
    for (const held of document.querySelectorAll(`[${name}]`)) {
      if (!held.closest("[lang=en], [translate=no]")) found.push(held.getAttribute(name).trim())
    }
  }
  return found
}"""


@dataclass
class Walk:
    """A browser in which somebody is logged in, and what went wrong in it."""

    base: str
    page: Page
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _note(self, what: str, *, when: bool = True) -> None:
        if when:
            self.troubles.append(f"{urlsplit(self.page.url).path}: {what}")

    def _heard(self, message: ConsoleMessage) -> None:
        of_icon = message.location["url"].endswith(ICON)  # which a browser asks for where a part of a page is shown
        self._note(message.text, when=message.type in {"error", "warning"} and not of_icon)

    def _asked(self, request: Request) -> None:
        self._note(f"asks {request.url}", when=not request.url.startswith((self.base, "data:", "blob:")))

    def _failed(self, request: Request) -> None:
        self._note(f"{request.url} failed: {request.failure}", when="ERR_ABORTED" not in (request.failure or ""))

    def _answered(self, response: Response) -> None:
        self._note(f"{response.status} {response.url}", when=response.status >= 400 and not response.url.endswith(ICON))

    def look(self, path: str) -> None:
        """Show a page and note what is in English on it."""
        self.page.goto(self.base + path)
        for text in sorted({t for t in self.page.evaluate(SEEN) if is_english(t)}):
            self._note(f"in English: {text!r}")

    def check(self) -> None:
        """Note what axe finds serious on the page, at both widths."""
        if not self.page.evaluate("document.doctype !== null"):
            return  # a part of a page, which stands in one
        self.page.evaluate(AXE_SCRIPT)
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.evaluate(DRAWN)
            for found in self.page.evaluate("async (options) => (await axe.run(document, options)).violations", AXE):
                where = found["nodes"][0]["html"][:160]
                self._note(f"{width} px {found['id']}: {where}", when=found["impact"] in {"serious", "critical"})


@cache
def english() -> tuple[frozenset[str], re.Pattern[str]]:
    """Return the texts of the catalogues that differ in Czech: whole ones, and the longer literals of any of them."""
    messages = [m for name in ("cs.po", "errors-cs.po") for m in _messages(name) if m.context is None]
    spoken = {text for m in messages for text in _texts(m.string)}
    whole = {text for m in messages for text in _texts(m.id)} - spoken
    parts = {part.strip() for text in whole for part in re.split(r"%\(\w+\)s|\{\w+\}", text)}
    long = sorted((p for p in parts if len(p.split()) >= 3 and p.isascii()), key=len, reverse=True)
    return frozenset(whole), re.compile("|".join(map(re.escape, long)))


def _messages(name: str) -> list[Message]:
    with (CATALOGS / name).open("rb") as source:
        return [message for message in read_po(source, locale="cs") if message.id]


def _texts(said: str | Sequence[str]) -> Sequence[str]:
    return (said,) if isinstance(said, str) else said


def is_english(text: str) -> bool:
    whole, long = english()
    return text in whole or long.search(text) is not None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("pages")) as made:
        yield made


def paths(site: Site, role: Role) -> list[str]:
    """Return the address of every page that a role may see, of something that there is."""
    found = [d for d in doors(site.app) if d.method == "GET" and not NO_PAGE.match(d.path)]
    there = {"/alerts/{key}": f"/alerts/{site.alert}", "/publications/{key}": f"/publications/{site.publication}"}
    filled = {d.path: {**SHOWN, **there}.get(d.path, d.path) for d in found if role in roles_of(d)}
    assert [path for path in filled.values() if "{" in path] == [], "say in SHOWN of what to show such a page"
    return list(filled.values())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(locale="cs-CZ")
    yield made
    made.close()


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_its_pages_in_czech_and_nothing_fails(role: Role, context: BrowserContext, site: Site) -> None:
    walk = Walk(site.base, context.new_page())
    site.log_in(walk.page, f"test-{role}")
    walked = paths(site, role)
    assert {"/account", "/verejne"} <= set(walked)
    for path in walked:
        walk.look(path)
        if role is Role.ADMINISTRATOR:
            walk.check()
    assert walk.troubles == [], "\n".join(walk.troubles)
