"""What people come for, in Chromium, in Czech, after a real login: energy manager, caretaker, tester.

The coordinator's path stands in `test_coordinator_path`.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.alerts import Cause
from tests.e2e.test_browser_pages import ARGUMENTS, wait_for_charts
from tests.e2e.walked_site import NOW, Site, running
from tests.servers.mosquitto import mosquitto
from tests.servers.process import program, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("people")
    broker = mosquitto(folder / "broker")
    broker.start()
    with running(folder, ODECET_MQTT__PORT=str(broker.port)) as made:
        yield made
    broker.stop()


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


def test_the_energy_manager_comes_from_the_region_to_a_building_and_takes_its_days_along(
    page: Page, site: Site
) -> None:
    site.log_in(page, "test-energy_manager")
    page.get_by_role("navigation", name="Hlavní").get_by_role("link", name="Budovy").click()
    page.get_by_role("link", name="Hlavní budova").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hlavní budova")
    page.goto(f"{site.base}/points/B1-EL?from=2025-03-01&to=2025-03-31")
    wait_for_charts(page)
    expect(page.get_by_role("main")).to_contain_text("2 972")  # 743 hours of 4 kWh, for one is jumped over
    with page.expect_download() as waiting:
        page.locator(".downloads a[href*=csv]").first.click()
    rows = Path(waiting.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rows) == 1 + 31


def test_the_caretaker_sees_to_an_alert_on_the_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    site.log_in(page, "test-facility_staff")
    page.goto(f"{site.base}/alerts")
    page.locator(f"main a[href='/alerts/{site.alert}']").first.click()
    expect(page.get_by_role("region", name="Co zkontrolovat").get_by_role("listitem").first).to_be_visible()
    page.get_by_role("button", name="Vím o tom").click()
    expect(page.get_by_role("status")).to_have_text("Zapsáno: víte o tom.")
    page.get_by_label("Příčina").select_option(label="Opraveno")
    page.get_by_label("Poznámka").first.fill("vyměněný splachovač")
    page.get_by_role("button", name="Vyřešit").click()
    expect(page.get_by_role("status")).to_have_text("Vyřešeno. Děkujeme.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    alert = site.parts.records.alert(site.alert)
    assert (alert.cause, alert.note, alert.resolved_by) == (
        Cause.REPAIRED,
        "vyměněný splachovač",
        "test-facility_staff",
    )


def test_the_tester_pastes_a_sample_and_starts_meters_that_do_not_exist(page: Page, site: Site) -> None:
    site.log_in(page, "test-tester")
    page.goto(f"{site.base}/formats")
    page.get_by_label("Téma MQTT").fill("shellies/em-7/emeter/0/total")
    page.get_by_label("Obsah").fill("48214.5")
    page.get_by_role("button", name="Co by se přečetlo?").click()
    expect(page.get_by_role("row", name="em-7")).to_contain_text("48")
    page.goto(f"{site.base}/simulators?seed=7&buildings=1")
    page.locator("input[name=since]").fill(f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Spustit měřidla").click()
    expect(page.locator("#state")).to_contain_text("Běží")
    simulations = site.app.state.room.deps.simulations
    wait_until(lambda: simulations.state().sent > 0, what="readings at the broker")
    page.get_by_role("button", name="Zastavit měřidla").click()
    expect(page.locator("#state")).to_contain_text("Neběží")
