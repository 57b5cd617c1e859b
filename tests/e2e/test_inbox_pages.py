"""From a broker to the consumption of a point: devices describe themselves, a person confirms, history counts."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from app.wiring import Parts, build
from config.settings import load_settings
from tests.integration.test_ingest_mqtt import Publisher
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port, program, wait_until

pytestmark = [pytest.mark.server, pytest.mark.browser]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = 10
REGISTER = (
    ("organisations", {"id": "O1", "name": "Gymnázium"}),
    ("buildings", {"id": "B1", "organisation": "O1", "name": "Hlavní budova", "kind": "school"}),
    ("points", {"id": "P-VO", "building": "B1", "name": "Voda", "commodity": "cold_water"}),
    ("points", {"id": "P-V2", "building": "B1", "name": "Voda dílny", "commodity": "cold_water"}),
    ("points", {"id": "P-TU", "building": "B1", "name": "Teplá voda", "commodity": "hot_water"}),
    ("points", {"id": "P-TE", "building": "B1", "name": "Teplo", "commodity": "heat"}),
    ("points", {"id": "P-EL", "building": "B1", "name": "Přívod", "commodity": "electricity"}),
)


@dataclass
class House:
    """All of Odečet in this process, fed by a broker, and a client of its API."""

    parts: Parts
    address: str
    publisher: Publisher
    client: httpx.Client

    def describe(self, device: str, key: str, topic: str, path: str, **changes: object) -> None:
        config = {
            "state_topic": topic,
            "value_template": "{{ value_json" + path + " }}",
            "state_class": "total_increasing",
            "device": {"identifiers": [device], "name": device, "manufacturer": "ACME", "model": "M1"},
            **changes,
        }
        stamp = {"state_topic": topic, "value_template": "{{ value_json.timestamp }}", "device": config["device"]}
        for name, body in ((key, config), ("timestamp", stamp)):
            self.publisher.send(json.dumps(body).encode(), f"homeassistant/sensor/{device}/{name}/config", retain=True)
        self.publisher.done()

    def history(self, topic: str, **rates: float) -> None:
        """Publish hourly states of some days, each value growing by its rate [unit/h]."""
        for hour in range(24 * DAYS + 1):
            at = TODAY - timedelta(days=DAYS) + timedelta(hours=hour)
            state = {name: rate * hour for name, rate in rates.items()} | {"timestamp": at.isoformat()}
            self.publisher.send(json.dumps(state).encode(), topic)
        self.publisher.done()

    def inbox(self, device: str) -> dict[str, dict[str, Any]]:
        found = self.client.get("/api/v1/inbox?limit=1000").json()["items"]
        return {i["register"]: i for i in found if i["device"] == device}

    def waits(self, device: str, count: int, register: str) -> None:
        def counted() -> bool:
            return int(self.inbox(device).get(register, {}).get("count", -1)) >= count

        wait_until(counted, what=f"{count} readings of {device} {register} in the inbox")

    def followed(self, topic: str) -> None:
        """Return when a topic is subscribed, so that nothing said on it from now on is missed."""
        mqtt = self.parts.source
        wait_until(lambda: topic in mqtt.followed, what=f"{topic} to be followed")

    def used(self, point: str) -> tuple[float, str, float]:
        """Return the consumption of the days of history, its unit, and how much of it is measured."""
        self.parts.rollups.run()
        start, end = (TODAY - timedelta(days=DAYS)).isoformat(), TODAY.isoformat()
        query = {"point": point, "period": "hour", "from": start, "to": end}
        (found,) = self.client.get("/api/v1/consumption", params=query).json()["points"]
        values = found["values"]
        known = [v["amount"] for v in values if v["amount"] is not None]
        return round(sum(known), 6), found["unit"], sum(v["measured"] for v in values) / len(values)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    broker = mosquitto(folder / "broker")
    broker.start()
    settings = load_settings(None, {"ODECET_MQTT__PORT": str(broker.port), "ODECET_DATA__FOLDER": str(folder / "var")})
    settings.data.folder.mkdir()
    parts = build(settings)
    parts.records.start()
    parts.readings.start()
    parts.ingester.start()
    port = free_port()
    api = parts.api(ingesting=True, open_access=True)
    server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="uvicorn")
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, timeout=60) as client, Publisher(broker.port) as publisher:
        for plural, body in REGISTER:
            assert client.post(f"/api/v1/{plural}", json=body).status_code == 201
        yield House(parts, address, publisher, client)
    server.should_exit = True
    thread.join(20)
    parts.ingester.stop()
    parts.readings.close()
    parts.records.close()
    broker.stop()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        context: BrowserContext = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, headless=True, args=ARGUMENTS, locale="cs-CZ"
        )
        opened = context.new_page()
        troubles: list[str] = []
        opened.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        yield opened
        context.close()
        assert troubles == []


def test_a_described_meter_is_confirmed_over_the_api_and_its_history_counts(house: House) -> None:
    water = {"unit_of_measurement": "m³", "device_class": "water"}
    house.describe("vodomer", "total", "sklep/vodomer", ".m3", **water)
    wait_until(lambda: "volume.total" in house.inbox("vodomer"), what="the description in the inbox")
    (described,) = house.inbox("vodomer").values()
    assert (described["count"], described["last_value"], described["sample"]) == (0, None, "")
    proposal = described["proposal"]
    assert (proposal["commodity"], proposal["unit"], proposal["kind"], proposal["read"]) == (
        "cold_water", "m³", "cumulative", True,
    )  # fmt: skip
    house.followed("sklep/vodomer")
    house.history("sklep/vodomer", m3=0.125)
    house.waits("vodomer", 24 * DAYS + 1, "volume.total")
    waiting = house.inbox("vodomer")["volume.total"]
    assert json.loads(waiting["sample"])["m3"] == 0.125 * 24 * DAYS
    assert waiting["last_value"] == 0.125 * 24 * DAYS
    answer = house.client.post("/api/v1/inbox/vodomer/assign", json={"point": "P-VO"})
    assert answer.status_code == 201, answer.text
    assert datetime.fromisoformat(answer.json()["mounted"]) == TODAY - timedelta(days=DAYS)
    assert house.inbox("vodomer") == {}
    assert house.used("P-VO") == (0.125 * 24 * DAYS, "m³", 1.0)


def test_channels_of_a_pulse_counter_go_to_points_of_their_own_by_the_page(house: House, page: Page) -> None:
    for n in (1, 2, 3):
        pulses = {"unit_of_measurement": "pulses"}
        house.describe("citac", f"channel_{n}", "sklep/citac", f".c{n}", **pulses)
    wait_until(lambda: len(house.inbox("citac")) == 3, what="three channels in the inbox")
    house.followed("sklep/citac")
    house.history("sklep/citac", c1=4.0, c2=100.0, c3=1.0)
    house.waits("citac", 24 * DAYS + 1, "pulse_count.total/c3")
    page.goto(f"{house.address}/inbox")
    panel = page.locator("section", has=page.get_by_role("heading", name=re.compile("citac")))
    expect(panel.get_by_text("ACME M1")).to_be_visible()
    panel.get_by_text("Nejnovější zpráva").click()
    expect(panel.locator("pre")).to_contain_text('"c2"')
    panel.get_by_label("Odběrné místo").fill("P-V2")
    panel.get_by_label("Který registr počítat").select_option("pulse_count.total/c1")
    panel.get_by_label("Jednotka").fill("l")
    panel.get_by_label("Násobitel").fill("10")
    panel.get_by_role("button", name="Zařadit").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert set(house.inbox("citac")) == {"pulse_count.total/c2", "pulse_count.total/c3"}
    assert house.used("P-V2") == (9.6, "m³", 1.0)  # 240 hours of 4 pulses, 10 l each

    panel.get_by_label("Odběrné místo").fill("P-EL")
    panel.get_by_label("Který registr počítat").select_option("pulse_count.total/c2")
    panel.get_by_label("Jednotka").fill("Wh")
    panel.get_by_role("button", name="Zařadit").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert set(house.inbox("citac")) == {"pulse_count.total/c3"}
    assert house.used("P-EL") == (24.0, "kWh", 1.0)  # 240 hours of 100 pulses, 1 Wh each
    page.goto(f"{house.address}/points/P-V2")
    expect(page.get_by_text("9,6").first).to_be_visible()


def test_a_unit_that_nothing_states_is_asked_for_before_anything_counts(house: House, page: Page) -> None:
    house.describe("kalorimetr", "energy", "kotelna/teplo", ".e", device_class="energy")
    house.describe("kalorimetr", "volume", "kotelna/teplo", ".v", device_class="water", unit_of_measurement="m³")
    wait_until(lambda: len(house.inbox("kalorimetr")) == 2, what="two dials in the inbox")
    house.followed("kotelna/teplo")
    house.history("kotelna/teplo", e=0.36, v=0.5)
    house.waits("kalorimetr", 24 * DAYS + 1, "unstated.energy.total")
    refused = house.client.post(
        "/api/v1/inbox/kalorimetr/assign", json={"point": "P-TE", "register": "unstated.energy.total"}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["place"] == "unit"
    wrong = {"point": "P-TE", "register": "unstated.energy.total", "unit": "m³"}
    assert house.client.post("/api/v1/inbox/kalorimetr/assign", json=wrong).status_code in {409, 422}
    page.goto(f"{house.address}/inbox")
    panel = page.locator("section", has=page.get_by_role("heading", name=re.compile("kalorimetr")))
    expect(panel.get_by_text("jednotka neuvedena").first).to_be_visible()
    panel.get_by_label("Odběrné místo").fill("P-TE")
    panel.get_by_label("Který registr počítat").select_option("unstated.energy.total")
    panel.get_by_label("Jednotka").fill("GJ")
    panel.get_by_role("button", name="Zařadit").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert set(house.inbox("kalorimetr")) == {"volume.total"}
    amount, unit, measured = house.used("P-TE")
    assert (amount, unit, measured) == (pytest.approx(0.36 * 24 * DAYS * 1000 / 3.6), "kWh", 1.0)
    both = {"point": "P-TU", "register": "volume.total"}
    assert house.client.post("/api/v1/inbox/kalorimetr/assign", json=both).status_code == 201
    assert house.inbox("kalorimetr") == {}
    assert house.used("P-TU") == (0.5 * 24 * DAYS, "m³", 1.0)


def test_a_description_that_contradicts_itself_is_shown_and_cannot_be_assigned(house: House, page: Page) -> None:
    wrong = {"device_class": "power", "unit_of_measurement": "kWh", "state_class": "measurement"}
    house.describe("vario", "current", "kotelna/vario", ".current_kwh", **wrong)
    wait_until(lambda: house.inbox("vario") != {}, what="the flagged proposal")
    (waiting,) = house.inbox("vario").values()
    assert (waiting["proposal"]["read"], waiting["proposal"]["flags"]) == (False, ["unit_contradicts"])
    page.goto(f"{house.address}/inbox")
    panel = page.locator("section", has=page.get_by_role("heading", name=re.compile("vario")))
    expect(panel.get_by_text("nečte se", exact=False).first).to_be_visible()
    assert panel.get_by_role("button", name="Zařadit").count() == 0
