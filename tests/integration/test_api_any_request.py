"""Whatever the description of the API allows, and what it does not: no request makes a fault of the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from app.clock import now
from app.wiring import build
from config.settings import Settings
from core.plan import Activity, Area, Figure, Indicator
from core.registry import Building, Commodity, Entity, Measure, Meter, Organisation, Point, Station
from tests.unit.api_world import InProcess

REGISTER: tuple[Entity, ...] = (
    Organisation(id="0", name="Kraj"),
    Station(id="0", name="Liberec"),
    Building(id="0", organisation="0", name="Gymnázium", station="0"),
    Point(id="0", building="0", name="Přívod", commodity=Commodity.ELECTRICITY),
    Area(id="0", name="Energetika", priority_area="Životní prostředí"),
    Activity(id="0", area="0", name="Regulace"),
    Indicator(id="0", area="0", name="Počet", figures=(Figure(key="pocet", name="Počet", unit=""),)),
    Indicator(id="E1", area="0", name="Spotřeba", figures=(Figure(key="energy", name="", unit="MWh"),), method=""),
)
"""Things of the id that generated requests try first."""

ELSEWHERE = frozenset({502, 503})
"""What a process says of what it does not do, or of a service that it does not reach."""


def described(client: httpx.Client) -> dict[str, Any]:
    made: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return made


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("any")
    parts = build(_settings(folder))
    parts.readings.start()
    parts.records.start()
    at = now()
    parts.records.save([*REGISTER, *_dated()], by="test", now=at)
    try:
        app = parts.api(ingesting=False, open_access=True)
        yield httpx.Client(transport=InProcess(app), base_url="http://testserver", timeout=60)
    finally:
        parts.records.close()
        parts.readings.close()


def _dated() -> tuple[Entity, ...]:
    at = now()
    return (
        Meter(id="0", point="0", device="0", mounted=at),
        Measure(id="0", name="Zateplení", points=("0",), effective=at.date()),
    )


def _settings(folder: Path) -> Settings:
    return Settings.model_validate({"data": {"folder": str(folder)}, "weather": {"fetch": False}})


def test_no_request_makes_a_fault_of_the_server(client: httpx.Client) -> None:
    schema = schemathesis.openapi.from_dict(described(client))
    faults: list[str] = []
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=6,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(
            case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        )
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            answer = _sent(client, case)
            asked += answer is not None
            if answer is not None and answer.status_code >= 500 and answer.status_code not in ELSEWHERE:
                faults.append(f"{answer.status_code} {case.method} {answer.request.url} {answer.request.content!r}")

        ask()
    assert asked > 1_000
    assert faults == []


def _sent(client: httpx.Client, case: schemathesis.Case) -> httpx.Response | None:
    """Return the answer to a generated request, None where no client could send it."""
    made = case.as_transport_kwargs(base_url="http://testserver")
    headers = {k: v for k, v in (made.get("headers") or {}).items() if v.isascii() and v.isprintable()}
    files = made.get("files")
    if files is not None:
        files = [f for f in (files.items() if isinstance(files, dict) else files) if isinstance(f[1], bytes | tuple)]
    data = made.get("data")
    return client.request(
        made["method"],
        made["url"],
        params=made.get("params"),
        headers=headers,
        content=data if isinstance(data, bytes | str) else None,
        json=made.get("json"),
        files=files or None,
    )
