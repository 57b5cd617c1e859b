"""Every page of a region whose every text is hostile, in a real Chromium: nothing runs, nothing asks, nothing opens."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, sync_playwright

from core.people import Role
from tests.e2e.test_browser_pages import ARGUMENTS
from tests.e2e.test_every_page import DRAWN, SHOWN, paths
from tests.e2e.walked_site import NOW, Site, running
from tests.servers.process import program
from tests.unit import hostile_world as hostile

pytestmark = pytest.mark.browser

STRUCK = """() => window.struck !== undefined
  || [...document.querySelectorAll("*")].some((e) => [...e.attributes].some((a) => a.name.startsWith("on")
       || /^\\s*javascript:/i.test(a.value) && ["href", "src", "action", "formaction"].includes(a.name)))
  || [...document.scripts].some((s) => !s.src && s.type !== "application/json")"""
"""Whether a text became script, an attribute that runs, or an address of script."""
THEIRS = ("buildings", "points", "measures", "stations", "people", "indicators")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("hostile")) as made:
        hostile.dress(made.parts.records, hostile.HOSTILE, hostile.HOSTILE_ID, NOW)  # type: ignore[arg-type]  # in SQL
        yield made


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), headless=True, args=ARGUMENTS)
        yield browser.new_context(locale="cs-CZ").new_page()
        browser.close()


def test_nothing_runs_on_any_page(site: Site, page: Page) -> None:
    troubles: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if re.search(r"Content Security Policy|struck|Refused", message.text):
            troubles.append(f"{page.url}: {message.text[:200]}")

    def asked(dialog: Dialog) -> None:
        troubles.append(f"{page.url}: a dialog {dialog.message[:80]}")
        dialog.dismiss()

    page.on("console", heard)
    page.on("dialog", asked)
    site.log_in(page, "test-administrator")
    theirs = [f"/{kind}/{quote(hostile.HOSTILE_ID, safe='')}" for kind in THEIRS]
    shown = 0
    for path in [*paths(site, Role.ADMINISTRATOR), *theirs]:
        answer = page.goto(site.base + path)
        assert answer is not None
        assert answer.status < 500, path
        page.evaluate(DRAWN)
        shown += "struck" in page.content()
        if page.evaluate(STRUCK):
            troubles.append(f"{path}: a text was run, or would be")
    assert troubles == []
    assert shown > 25


def test_hostile_titles_of_charts_are_drawn_as_text(site: Site, page: Page) -> None:
    site.log_in(page, "test-administrator")
    page.goto(site.base + SHOWN["/buildings/{key:path}"])
    page.wait_for_selector("[data-drawn]")
    page.wait_for_function("[...document.querySelectorAll('[data-chart]')].every((p) => p.dataset.drawn)")
    states = page.evaluate("[...document.querySelectorAll('[data-chart]')].map((p) => p.dataset.drawn)")
    assert states
    assert set(states) == {"yes"}
    assert not page.evaluate(STRUCK)
