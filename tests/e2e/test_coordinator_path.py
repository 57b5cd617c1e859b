"""The coordinator's main path in a real Chromium: a value delivered by hand, checked, published, tabled, restated."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.people import Access, Grant, Role
from services.rollup import RollUps
from tests.e2e.test_browser_pages import ARGUMENTS, serving
from tests.servers.process import program
from tests.unit.delivery_world import ENERGY, HEALTH
from tests.unit.publication_world import LATER, PUBLISHED, embedded
from tests.unit.test_api_publications import Site

pytestmark = pytest.mark.browser

GUARANTOR = Access(name="Jana Malá", grants=(Grant(role=Role.GUARANTOR, areas=(HEALTH,)),))
OF_ENERGY = Access(name="Petr Novák", grants=(Grant(role=Role.GUARANTOR, areas=(ENERGY,)),))
COORDINATOR = Access(name="Eva Krátká", grants=(Grant(role=Role.COORDINATOR),))
PAGES = (
    "/indicators",
    "/indicators/E1",
    "/deliveries",
    f"/deliveries/annual/2025/{HEALTH}",
    f"/deliveries/annual/2025/{ENERGY}",
    "/publications",
    "/publications/new",
    "/plan",
    "/plan/indicators/E1",
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = embedded(tmp_path)
    rolled(Site(world))
    yield Site(world)
    world.store.close()
    world.records.close()


def rolled(site: Site) -> None:
    RollUps(site.world.store, site.world.records, site.world.live.day_types).run()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="cs-CZ")
    opened, troubles = context.new_page(), []
    opened.on("console", lambda said: troubles.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    yield opened
    context.close()
    assert troubles == []


def open_area(page: Page, base: str, name: str) -> None:
    page.goto(f"{base}/indicators")
    page.get_by_role("link", name=name, exact=True).first.click()


def delivered_by_hand(page: Page, base: str) -> None:
    open_area(page, base, "Digitalizace ve zdravotnictví")
    hand = page.get_by_role("group", name="Nemocnice sdílející dokumentaci")
    hand.get_by_label("Počet").fill("3")
    hand.get_by_label("Podíl").fill("75,5")
    page.get_by_role("group", name="Jen ve výroční zprávě").get_by_label("Komentář").fill("měří se od roku 2026")
    page.get_by_label("Co bylo realizováno").fill("Zapojeny tři nemocnice.")
    page.get_by_label("Jak byly naplněny aktivity").fill("Obě aktivity běží.")
    page.get_by_role("button", name="Odevzdat koordinátorovi").click()
    expect(page.get_by_role("status")).to_contain_text("Odevzdáno")


def test_a_value_by_hand_is_delivered_checked_published_and_late_data_are_proposed(page: Page, site: Site) -> None:
    with serving(site) as base:  # type: ignore[arg-type]  # it has an app
        site.access = GUARANTOR
        delivered_by_hand(page, base)
        site.access = OF_ENERGY
        open_area(page, base, "Energetický management")
        page.get_by_label("Co bylo realizováno").fill("Zateplení.")
        page.get_by_label("Jak byly naplněny aktivity").fill("Běží.")
        page.get_by_role("button", name="Odevzdat koordinátorovi").click()
        site.access = COORDINATOR
        page.reload()
        page.get_by_role("button", name="Zaškrtnuté hodnoty jsou v pořádku").click()
        page.get_by_role("button", name="V pořádku: zkontrolováno").click()
        expect(page.get_by_role("status")).to_contain_text("Zkontrolováno")
        open_area(page, base, "Digitalizace ve zdravotnictví")
        page.get_by_role("button", name="V pořádku: zkontrolováno").click()
        page.goto(f"{base}/indicators")
        page.get_by_role("link", name="Zveřejnit zprávu").click()
        expect(page.get_by_role("status")).to_contain_text("Vše je zkontrolováno")
        page.get_by_role("button", name="Pokračovat k potvrzení").click()
        page.get_by_role("button", name="Zveřejnit natrvalo").click()
        expect(page.get_by_role("status")).to_contain_text("Zpráva je zveřejněna")
        page.get_by_role("link", name="Ověřit").click()
        expect(page.get_by_role("status")).to_contain_text("Platí.")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Word").click()
        with zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes())) as document:
            told = document.read("word/document.xml").decode()
        assert "75,5" in told
        assert "Zapojeny tři nemocnice." in told
        site.world.late_batch(PUBLISHED + timedelta(hours=1))
        rolled(site)
        site.now = LATER
        page.goto(f"{base}/publications")
        expect(page.locator("main")).to_contain_text("Navržená oprava")
        page.get_by_role("button", name="Zjistit příčiny").click()
        expect(page.locator("main")).to_contain_text("data došlá po uzávěrce")


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_as_wide_as_their_window_and_load_what_takes_longer(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    with serving(site) as base:  # type: ignore[arg-type]  # it has an app
        for path in PAGES:
            page.goto(base + path)
            expect(page.locator("[data-load]:not([data-loaded=yes])")).to_have_count(0, timeout=30_000)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
