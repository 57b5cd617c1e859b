"""The page in a real Chromium, served by a real uvicorn."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from core.registry import DialEvent
from tests.servers.process import free_port, program, wait_until
from tests.unit.api_world import World, build_world

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHARTED = ["/", "/buildings/B01", "/points/B01-EL?from=2026-02-20&to=2026-03-14", "/points/B01-VO?period=month"]
PLAIN = ["/findings", "/inbox", "/letters", "/import", "/imports", "/login"]


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="uvicorn")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[BrowserContext]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, headless=True, args=ARGUMENTS, locale="cs-CZ"
        )
        yield context
        context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    opened = browser.new_page()
    troubles: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            troubles.append(message.text)

    def answered(response: Response) -> None:
        if response.status >= 400:
            troubles.append(f"{response.status} {response.url}")

    opened.on("console", heard)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("response", answered)
    yield opened
    assert troubles == []


def wait_for_charts(page: Page) -> int:
    page.wait_for_function("[...document.querySelectorAll('[data-chart]')].every((c) => c.dataset.drawn)")
    assert page.locator("[data-chart][data-drawn=no]").count() == 0
    return page.locator("[data-chart] svg").count()


@pytest.mark.parametrize("path", CHARTED)
def test_charts_are_drawn_under_the_strict_policy(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    assert wait_for_charts(page) == page.locator("[data-chart]").count() > 0
    assert page.locator("[data-chart] svg path").count() > 3


@pytest.mark.parametrize("path", [*CHARTED, *PLAIN])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_as_wide_as_its_window(page: Page, address: str, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + path)
    wait_for_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", [*CHARTED, *PLAIN])
def test_every_field_and_picture_has_a_name(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    wait_for_charts(page)
    nameless = page.evaluate(
        """[...document.querySelectorAll('main input:not([type=hidden]), main select, main button')]
            .filter((f) => !(f.labels?.length || f.getAttribute('aria-label') || f.textContent.trim()))
            .map((f) => f.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("main h1").count() == 1
    assert page.locator("[role=img]:not([aria-label])").count() == 0


def test_the_language_is_switched_and_kept(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("h2").first).to_contain_text("Letos dosud")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h2").first).to_contain_text("This year so far")
    page.get_by_role("link", name="Gymnázium, hlavní budova").click()
    expect(page.locator("h2").first).to_contain_text("Metering points")


def test_a_question_is_answered_in_the_form(page: Page, address: str, world: World) -> None:
    page.goto(f"{address}/findings?lang=cs")
    page.get_by_role("link", name="Elektřina, přívod").click()
    page.get_by_label("Konečný stav").fill("48 214,5")
    page.get_by_role("button", name="Zapsat odpověď").click()
    expect(page.get_by_role("status")).to_contain_text("Odpověď je zapsána")
    event = next(iter(world.records.held[DialEvent].values()))
    assert (event.final, event.first) == (48214.5, 0.2)
    wait_for_charts(page)


def test_the_period_is_switched_without_pressing_a_button(page: Page, address: str) -> None:
    page.goto(f"{address}/points/B01-EL?from=2026-03-01&to=2026-03-02&lang=cs")
    page.locator("select[name=period]").select_option("hour")
    page.wait_for_url("**period=hour**")
    wait_for_charts(page)
    assert page.locator("table tbody tr").count() >= 48


def test_the_list_of_buildings_is_searched(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("searchbox").fill("pavilon")
    expect(page.locator("#list tbody tr:visible")).to_have_count(1)


def test_pages_are_read_without_scripts(address: str, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=program("chromium"), headless=True, args=ARGUMENTS, java_script_enabled=False
        )
        bare = context.new_page()
        bare.goto(f"{address}/points/B01-EL?from=2026-03-01&to=2026-03-05&lang=cs")
        expect(bare.locator("table").first).to_contain_text("48,0")
        context.close()
