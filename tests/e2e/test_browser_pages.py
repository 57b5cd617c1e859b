"""The pages in a real Chromium, served by a real uvicorn: under the strict policy, at two widths, for everybody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from core.registry import DialEvent, Meter
from services.outlook import Expected, Outlook, PointOutlook, keep_outlook
from tests.servers.process import free_port, program, wait_until
from tests.unit.api_fakes import NOW
from tests.unit.api_world import World, build_world

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHARTED = ["/", "/buildings/B01", "/points/B01-EL?from=2026-02-20&to=2026-03-14", "/points/B01-VO?period=month"]
MINE = ["/buildings", "/meters", "/meters/B01-EL/swap", "/gaps", "/gaps?all=1"]
PLAIN = [*MINE, "/findings", "/inbox", "/letters", "/import", "/imports"]
WIDTHS = (1280, 390)


def worked_out() -> Outlook:
    """Return an outlook: B01-EL used a tenth more than its weather let expect."""
    year = Expected(
        first=date(2026, 1, 1), days=73, of_days=73, actual=3504.0, predicted=3185.0, half68=40.0, half90=90.0
    )
    months = tuple(replace(year, first=date(2026, n, 1), actual=1168.0, predicted=1062.0) for n in (1, 2, 3))
    return Outlook(last=date(2026, 3, 14), points=(PointOutlook(point="B01-EL", unit="kWh", year=year, months=months),))


@contextmanager
def serving(world: World) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="uvicorn")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def still() -> Iterator[str]:
    """Return the address of a world that nobody changes."""
    world = build_world()
    keep_outlook(world.records, worked_out(), NOW)  # type: ignore[arg-type]  # a memory
    with serving(world) as address:
        yield address


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with serving(world) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="cs-CZ")
    opened = context.new_page()
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
    context.close()
    assert troubles == []


def wait_for_charts(page: Page) -> int:
    expect(page.locator("[data-chart]:not([data-drawn])")).to_have_count(0, timeout=30_000)
    assert page.locator("[data-chart][data-drawn=no]").count() == 0
    return page.locator("[data-chart] svg").count()


@pytest.mark.parametrize("path", CHARTED)
def test_charts_are_drawn_under_the_strict_policy(page: Page, still: str, path: str) -> None:
    page.goto(still + path)
    assert wait_for_charts(page) == page.locator("[data-chart]").count() > 0
    assert page.locator("[data-chart] svg path").count() > 3


@pytest.mark.parametrize("path", [*CHARTED, *PLAIN])
def test_a_page_is_as_wide_as_its_window_and_every_field_and_picture_has_a_name(
    page: Page, still: str, path: str
) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(still + path)
        wait_for_charts(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = page.evaluate(
        """[...document.querySelectorAll('main input:not([type=hidden]), main select, main button')]
            .filter((f) => !(f.labels?.length || f.getAttribute('aria-label') || f.textContent.trim()))
            .map((f) => f.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("main h1").count() == 1
    assert page.locator("[role=img]:not([aria-label])").count() == 0


@pytest.mark.parametrize("path", ["/", "/buildings", "/buildings/B01", "/points/B01-EL", *MINE[1:]])
def test_nothing_serious_stands_in_the_way_of_those_who_do_not_see_or_click(page: Page, still: str, path: str) -> None:
    page.goto(still + path)
    wait_for_charts(page)
    found = Axe().run(page).response["violations"]
    serious = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in {"serious", "critical"}]
    assert serious == []


def test_how_a_building_does_against_last_year_and_the_weather_is_read_in_three_steps(page: Page, still: str) -> None:
    """The energy manager: from the region to a building, what it used, against last year and weather, as a file."""
    page.goto(still + "/?lang=cs")
    page.get_by_role("navigation", name="Hlavní").get_by_role("link", name="Budovy").click()
    page.get_by_role("searchbox").fill("gymnazium hlavni")
    page.locator("#list tbody tr:visible").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gymnázium, hlavní budova")
    card = page.get_by_role("article").filter(has_text="Elektřina")
    expect(card).to_contain_text("3 504 kWh")
    expect(card).to_contain_text("proti loňsku0,0 %")
    expect(card).to_contain_text("+10,0 % ± 2,8")
    page.get_by_role("navigation", name="Období").get_by_role("link", name="Měsíc").click()
    page.get_by_label("předchozí období").click()
    expect(page.locator(".step strong")).to_have_text("únor 2026")
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text("1 344 kWh")
    expect(facts).to_contain_text("proti počasí+10,0 %")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    rows = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rows) == 1 + 28


def test_the_keyboard_reaches_the_content_first(page: Page, still: str) -> None:
    page.goto(still + "/buildings?lang=cs")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Přejít k obsahu")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("name", "q")


def test_what_is_live_comes_by_itself_until_it_is_paused(page: Page, address: str, world: World) -> None:
    page.clock.install()
    page.goto(address + "/?lang=cs")
    feed = page.locator("#feed")
    expect(feed.locator("li").first).to_contain_text("Elektřina, přívod")
    world.records.held[Meter].pop("M1")
    world.records.changes += 1
    page.clock.run_for(11_000)
    expect(feed.locator("li").first).to_contain_text("Studená voda")
    page.get_by_role("button", name="Pozastavit").click()
    expect(page.get_by_role("button", name="Pozastavit")).to_have_attribute("aria-pressed", "true")


def test_the_language_is_switched_and_kept(page: Page, still: str) -> None:
    page.goto(still)
    expect(page.locator("h2").first).to_contain_text("Letos dosud")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h2").first).to_contain_text("This year so far")
    page.goto(still + "/buildings/B01")
    expect(page.locator("main h2").first).to_contain_text("This year so far")


def test_a_question_is_answered_in_the_form(page: Page, address: str, world: World) -> None:
    page.goto(f"{address}/findings?lang=cs")
    page.get_by_role("link", name="Elektřina, přívod").click()
    page.get_by_label("Konečný stav").fill("48 214,5")
    page.get_by_role("button", name="Zapsat odpověď").click()
    expect(page.get_by_role("status")).to_contain_text("Odpověď je zapsána")
    event = next(iter(world.records.held[DialEvent].values()))
    assert (event.final, event.first) == (48214.5, 0.2)
    wait_for_charts(page)


def test_an_exchange_is_recorded_from_the_list_of_meters(page: Page, address: str, world: World) -> None:
    page.goto(f"{address}/meters?lang=cs&q=B01-EL")
    page.locator("tr", has_text="em-1").get_by_role("link", name="Výměna").click()
    page.get_by_label("Kdy").fill("2026-03-14T09:30:00")
    page.get_by_label("Konečný stav").fill("1 384,5")
    page.get_by_label("Počáteční stav nového měřidla").fill("0")
    page.get_by_role("button", name="Zapsat výměnu").click()
    expect(page.get_by_role("status")).to_contain_text("Výměna je zapsána")
    old, new = sorted((m for m in world.records.held[Meter].values() if m.point == "B01-EL"), key=lambda m: m.mounted)
    assert (old.final, new.first) == (1384.5, 0.0)
    wait_for_charts(page)


def test_the_period_is_switched_without_pressing_a_button(page: Page, still: str) -> None:
    page.goto(f"{still}/points/B01-EL?from=2026-03-01&to=2026-03-02&lang=cs")
    page.locator("select[name=period]").select_option("hour")
    page.wait_for_url("**period=hour**")
    wait_for_charts(page)
    assert page.locator("table tbody tr").count() >= 48


def test_the_list_of_buildings_is_searched_whatever_the_accents(page: Page, still: str) -> None:
    page.goto(still + "/buildings")
    page.get_by_role("searchbox").fill("GYMNAZIUM")
    expect(page.locator("#list tbody tr:visible")).to_have_count(1)
    expect(page.locator("#left")).to_have_text("1")


def test_pages_are_read_without_scripts(chromium: Browser, still: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(f"{still}/points/B01-EL?from=2026-03-01&to=2026-03-05&lang=cs")
    expect(bare.locator("table").first).to_contain_text("48,0")
    bare.goto(f"{still}/buildings?q=pavilon&lang=cs")
    expect(bare.locator("#list tbody tr")).to_have_count(1)
    context.close()
