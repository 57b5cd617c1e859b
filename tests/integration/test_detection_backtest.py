"""Rules tried on history over the API and on pages: what they would have told, before they are set; undone again."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from core.registry import Commodity
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from tests.unit.api_fakes import LineTables, MemoryReadings, OneReadingIntake
from tests.unit.api_world import InProcess
from tests.unit.detection_world import BEGAN, DAY, DAYS, DetectionWorld, school_power, school_water

NOW = (BEGAN + 30 * DAY).astimezone(UTC)
LEAK_M3_H = 0.05


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DetectionWorld]:
    """A point that leaked for two days, three weeks ago, and one of electricity."""
    made = DetectionWorld(Path(tmp_path_factory.mktemp("backtest")))
    made.point("w")
    amounts = school_water(DAYS + 30)
    amounts[(DAYS + 8) * 24 : (DAYS + 10) * 24] += LEAK_M3_H
    made.dial("w", amounts)
    made.point("e", Commodity.ELECTRICITY)
    made.dial("e", school_power(DAYS + 30))
    made.rollups.run()
    yield made
    made.close()


@pytest.fixture
def client(world: DetectionWorld) -> httpx.Client:
    records = world.records
    records.set_rules([], [], dropping=[one.id for one in records.rule_settings()])
    app = build_api(
        Dependencies(
            readings=world.readings,
            records=records,
            intake=OneReadingIntake(MemoryReadings()),
            tables=LineTables(),
            reading_tables=FileReadingTables(Bounds(ahead=timedelta(hours=1))),
            clock=lambda: NOW,
            version="0",
            metrics=CollectorRegistry(),
            facts=world.facts,
            ask=world.ask,
            open_access=True,
        )
    )
    return httpx.Client(transport=InProcess(app), base_url="http://odecet.test", headers={"Accept-Language": "en"})


def backtest(client: httpx.Client, **asked: object) -> dict[str, object]:
    answer = client.get("/api/v1/points/w/backtest", params={"rule": "leak", "from": "2025-01-06", **asked})  # type: ignore[dict-item]
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["rules"]
    return dict(line)


def test_the_leak_of_three_weeks_ago_is_told_with_its_time_and_loss(client: httpx.Client) -> None:
    line = backtest(client, evidence="true")
    assert (line["times"], line["enabled"], line["factor"], line["unit"]) == (1, True, 1.0, "m³")
    (firing,) = line["firings"]  # type: ignore[misc]
    assert firing["from"][:10] in {"2025-03-14", "2025-03-15"}
    assert firing["from"] < firing["raised"] < firing["to"]
    assert 30 < firing["hours"] < 60
    assert firing["lost"] == pytest.approx(firing["loss_per_day"] * firing["hours"] / 24, rel=1e-3)
    assert firing["evidence"]["series"][0]["name"] == "flow"
    assert "series" not in backtest(client)["firings"][0]["evidence"]  # type: ignore[index]


def test_a_threshold_is_tried_before_it_is_set(client: httpx.Client) -> None:
    tried = backtest(client, factor=4.0)
    assert (tried["factor"], tried["tried_with"]) == (1.0, 4.0)
    assert len(tried["gone"]) + tried["times"] == 1  # type: ignore[arg-type, operator]
    assert client.get("/api/v1/detectors").json()["settings"] == []


def test_a_rule_is_set_seen_and_undone(client: httpx.Client) -> None:
    wish = {"scope": "building", "key": "B", "rule": "leak", "enabled": False, "why": "stavba"}
    assert client.put("/api/v1/detectors/settings", json=wish).json()["enabled"] is False
    line = backtest(client)
    assert (line["enabled"], line["times"]) == (False, 1)  # a rule that is off is tried all the same
    (change, *_) = client.get("/api/v1/points/w/detector-changes").json()["items"]
    assert (change["scope"], change["rule"], change["why"]) == ("building", "leak", "stavba")
    client.post("/api/v1/detectors/undo", json={"change": change["id"]}).raise_for_status()
    assert backtest(client)["enabled"] is True
    again = client.post("/api/v1/detectors/undo", json={"change": change["id"]})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/points/nobody/backtest", 404),
        ("/api/v1/points/w/backtest?rule=louka", 422),
        ("/api/v1/points/w/backtest?factor=2", 422),
        ("/api/v1/points/w/backtest?rule=leak&factor=9", 422),
        ("/api/v1/points/w/backtest?from=2030-01-01", 422),
        ("/api/v1/points/w/backtest?from=1990-01-01", 422),
        ("/points/w/backtest?rule=leak&factor=x", 422),
        ("/points/nobody/backtest", 404),
        ("/backtest?rule=louka", 422),
    ],
)
def test_what_cannot_be_asked_is_refused(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_wrong_settings_are_refused(client: httpx.Client) -> None:
    for wish, status in (
        ({"scope": "point", "key": "nobody", "rule": "leak", "factor": 2}, 404),
        ({"scope": "point", "key": "w", "rule": "leak", "factor": 7}, 422),
        ({"scope": "point", "key": "w", "rule": "break", "factor": 2}, 422),
        ({"scope": "everywhere", "key": "w", "rule": "leak", "factor": 2}, 422),
        ({"scope": "point", "key": "w", "rule": "leak", "louder": 2}, 422),
    ):
        assert client.put("/api/v1/detectors/settings", json=wish).status_code == status, wish


def test_the_page_of_a_point_lists_its_rules_and_shows_a_firing_with_its_chart(client: httpx.Client) -> None:
    listed = client.get("/points/w/backtest?start=2025-01-06")
    assert "Water leak" in listed.text
    assert "Photovoltaics" not in listed.text
    shown = client.get("/points/w/backtest?rule=leak&start=2025-01-06&factor=4")
    assert 'id="firing-chart"' in shown.text
    assert "Set 4.00× at this point" in shown.text


def test_a_rule_set_on_the_page_leads_back_to_it(client: httpx.Client) -> None:
    form = {
        "scope": "point",
        "key": "w",
        "rule": "leak",
        "enabled": "on",
        "factor": "2.5",
        "to": "/points/w/backtest?rule=leak",
    }
    answer = client.post("/backtest/settings", data=form)
    assert answer.status_code == 303
    assert parse_qs(urlparse(answer.headers["location"]).query) == {"rule": ["leak"], "done": ["set"]}
    page = client.get("/points/w/backtest?rule=leak&start=2025-01-06").text
    assert "2.50×" in page
    elsewhere = client.post("/backtest/settings", data=form | {"to": "//evil.example"})
    assert elsewhere.headers["location"] == "/backtest?done=set"


def test_a_setting_for_all_shows_first_what_it_would_change(client: httpx.Client) -> None:
    page = client.get("/backtest?rule=leak&enabled=off").text
    assert "Before: 1 time" in page
    assert "after: 0 times" in page
    assert client.get("/api/v1/detectors").json()["settings"] == []
