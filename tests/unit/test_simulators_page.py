"""The page and API of simulated meters: what they show, what they start, and what they say of what cannot be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.room import Room
from app.simulating import RunningSimulations
from config.sections import MqttSettings
from tests.servers.process import free_port
from tests.unit.api_fakes import MemoryReadings, MemoryRecords
from tests.unit.api_world import World, build_world

CZECH = {"accept": "text/html", "accept-language": "cs"}


@pytest.fixture
def simulations() -> Iterator[RunningSimulations]:
    made = RunningSimulations(MqttSettings(port=free_port()), MemoryReadings(), MemoryRecords())
    yield made
    made.close()


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World, simulations: RunningSimulations) -> Iterator[httpx.Client]:
    now = datetime.now(UTC)
    usual = world.app.state.room
    world.app.state.room = Room(
        replace(usual.deps, simulations=simulations, clock=lambda: now, metrics=CollectorRegistry())
    )
    with world.client() as made:
        yield made
    world.app.state.room = usual


def page(client: httpx.Client, query: str = "") -> str:
    answer = client.get(f"/simulators{query}", headers=CZECH)
    assert answer.status_code == 200
    return answer.text


def started(client: httpx.Client) -> str:
    """Start the meters of a building over the API and return the name of its water meter."""
    answer = client.post("/api/v1/simulations/start", json={"seed": 3, "buildings": 1})
    assert answer.status_code == 200
    state = answer.json()
    assert state["running"]
    return str(next(m["device"] for m in state["meters"] if m["register"] == "volume.total"))


def test_a_process_that_runs_none_says_so(world: World) -> None:
    with world.client() as client:
        assert "Tento proces simulátory nespouští." in page(client)
        assert client.get("/simulators/state", headers=CZECH).status_code == 503
        for method, path in (("GET", ""), ("POST", "/start"), ("POST", "/stop"), ("GET", "/truth")):
            assert client.request(method, f"/api/v1/simulations{path}", json={}).status_code == 503


def test_the_page_offers_the_meters_of_a_seed_by_names_that_mark_them(client: httpx.Client) -> None:
    text = page(client, "?seed=42&buildings=1")
    assert text.count('name="devices" value="sim-42-') >= 3
    assert "Neběží" in text
    assert "Vložit poruchu" not in text


def test_somebody_starts_faults_and_stops_on_the_page(client: httpx.Client) -> None:
    begin = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    form = {"seed": "3", "buildings": "1", "since": begin, "speed": "60"}
    assert client.post("/simulators/start", data=form).headers["location"] == "/simulators?done=started"
    text = page(client, "?done=started")
    assert "Běží" in text
    assert "Zastavit měřidla" in text
    device = next(m["device"] for m in client.get("/api/v1/simulations").json()["meters"])
    laid = client.post("/simulators/faults", data={"kind": "swap", "device": device, "p_first": "12,5"})
    assert laid.headers["location"] == "/simulators?done=laid&kind=swap"
    text = page(client, "?done=laid&kind=swap")
    assert "Výměna měřidla" in text
    assert "nehlídáno" in text
    assert "nejsou na žádném odběrném místě" in text
    assert "Běží" in client.get("/simulators/state", headers=CZECH).text
    assert client.post("/simulators/stop").headers["location"] == "/simulators?done=stopped"
    assert "Neběží" in page(client)
    assert "Výměna měřidla" in page(client), "what was laid stays to be judged"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"seed": "-4"}, "Napište celé číslo od 0 do 999999."),
        ({"buildings": "900"}, "Napište 1 až 60 budov."),
        ({"since": "2999-01-01T00:00"}, "Takový začátek být nemůže"),
        ({"since": "1999-01-01T00:00"}, "Takový začátek být nemůže"),
        ({"devices": "em-1"}, "nejsou simulované"),
    ],
)
def test_what_cannot_be_started_is_told(form: dict[str, str], said: str, client: httpx.Client) -> None:
    answer = client.post("/simulators/start", data={"seed": "3", "buildings": "1", **form}, headers=CZECH)
    assert answer.status_code == 422
    assert said in answer.text
    assert not client.get("/api/v1/simulations").json()["running"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "leak", "p_per_hour": "moc"}, "Napište číslo, které může být."),
        ({"kind": "leak", "hours": "pořád"}, "Napište, kolik hodin trvá"),
        ({"kind": "leak", "device": "em-1"}, "Vyberte měřidlo, které běží."),
        ({"kind": "rollover"}, "potřebuje měřidlo, které ještě nic neposlalo"),
        ({"kind": "unit_change", "p_to": "GJ"}, "Vyberte jinou jednotku"),
    ],
)
def test_what_cannot_be_laid_is_told_and_stays_in_the_form(
    form: dict[str, str], said: str, client: httpx.Client
) -> None:
    device = started(client)
    answer = client.post("/simulators/faults", data={"device": device, **form}, headers=CZECH)
    assert answer.status_code == 422
    assert said in answer.text
    assert form.get("p_per_hour", "") in answer.text
    assert client.get("/api/v1/simulations").json()["planted"] == []


def test_every_kind_has_a_form_on_the_page(client: httpx.Client) -> None:
    started(client)
    for fault in client.get("/api/v1/simulations/fault-kinds").json()["faults"]:
        text = page(client, f"?kind={fault['kind']}")
        assert all(f'name="p_{p["name"]}"' in text for p in fault["parameters"])


def test_the_api_tells_what_is_wrong_with_a_wish(client: httpx.Client) -> None:
    path = "/api/v1/simulations"
    device = started(client)
    for body, status in (
        ({"device": device, "kind": "leak", "colour": "red"}, 422),
        ({"device": device, "kind": "leak", "since": "2026-01-01T00:00:00"}, 422),
        ({"device": device, "kind": "leak", "since": "2020-01-01T00:00:00Z"}, 422),
        ({"device": device}, 422),
        ({"device": device, "kind": "leak", "parameters": {"per_hour": 0.2}, "hours": 12}, 200),
    ):
        assert client.post(f"{path}/faults", json=body).status_code == status, body
    assert client.post(f"{path}/start", json={"seed": 4}).status_code == 409
    truth = client.get(f"{path}/truth").json()
    assert [(f["kind"], f["outcome"]) for f in truth["faults"]] == [("leak", "unwatched")]
    assert not client.post(f"{path}/stop").json()["running"]
    assert client.post(f"{path}/faults", json={"device": device, "kind": "gap"}).status_code == 409
    assert client.get(f"{path}/meters", params={"seed": 9, "buildings": 1}).json()["meters"]
