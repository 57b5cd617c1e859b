"""The API on the real stores: what is posted is stored, rolled up, asked for, questioned and answered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from core.gaps import DayTypes
from ingest.accept import Bounds
from ingest.intake import PayloadIntake
from ingest.metrics import IngestMetrics
from ingest.native import NativeProfile
from ingest.profile import Router
from ingest.reader import Reader
from ingest.reading_tables import FileReadingTables
from ingest.tables import FileTables
from services.rollup import RollUps
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.unit.api_world import InProcess

NOW = datetime(2026, 3, 15, 10, 0, tzinfo=UTC)
REGISTER = (
    ("organisations", {"id": "O1", "name": "Gymnázium"}),
    ("buildings", {"id": "B1", "organisation": "O1", "name": "Hlavní budova", "kind": "school"}),
    ("points", {"id": "P1", "building": "B1", "name": "Přívod", "commodity": "electricity", "allowed_gap_h": 2}),
    ("meters", {"id": "M1", "point": "P1", "device": "em-1", "mounted": "2026-01-01T00:00:00+01:00"}),
    ("points", {"id": "P2", "building": "B1", "name": "Voda", "commodity": "cold_water"}),
)


class Whole:
    """An app on an embedded store each, and the roll-ups that a worker would run."""

    def __init__(self, folder: Path) -> None:
        self.readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        self.records = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        self.registry = CollectorRegistry()
        self.rollups = RollUps(self.readings, self.records, DayTypes())
        self.app = self._app()

    def _app(self) -> FastAPI:
        metrics = IngestMetrics(self.registry)
        reader = Reader(Router([NativeProfile()]), bounds=Bounds())
        intake = PayloadIntake(reader=reader, readings=self.readings, records=self.records, metrics=metrics)
        return build_api(
            Dependencies(
                readings=self.readings,
                records=self.records,
                intake=intake,
                tables=FileTables(),
                reading_tables=FileReadingTables(Bounds()),
                clock=lambda: NOW,
                version="0.1.0",
                metrics=self.registry,
            )
        )


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    made = Whole(tmp_path)
    made.readings.start()
    made.records.start()
    yield made
    made.readings.close()
    made.records.close()


@pytest.fixture
def client(whole: Whole) -> httpx.Client:
    made = httpx.Client(transport=InProcess(whole.app), base_url="http://odecet.test")
    for plural, body in REGISTER:
        assert made.post(f"/api/v1/{plural}", json=body).status_code == 201
    return made


def send(client: httpx.Client, at: np.ndarray[Any, Any], dial: np.ndarray[Any, Any], meter: str = "em-1") -> None:
    rows = [{"at": f"{t}Z", "value": v} for t, v in zip(at.astype("M8[s]").astype(str), dial.tolist(), strict=True)]
    batch = {"meter": meter, "register": "energy.import", "unit": "kWh", "readings": rows}
    answer = client.post("/api/v1/readings", json=batch)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"readings": len(rows), "rejected": [], "ignored": ""}


def quarters(start: str, end: str) -> np.ndarray[Any, Any]:
    return np.arange(np.datetime64(start), np.datetime64(end), np.timedelta64(15, "m"))


def consumption(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/consumption?point=P1&{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["points"][0]["values"]
    return rows


def test_what_is_posted_comes_out_as_exact_days_months_and_raw_readings(client: httpx.Client, whole: Whole) -> None:
    at = quarters("2025-12-31T23:00", "2026-02-01T00:00")
    send(client, at, 1000 + np.arange(len(at)) * 0.25)
    whole.rollups.run()
    days = consumption(client, "period=day&from=2026-01-01&to=2026-02-01")
    assert len(days) == 31
    assert [d["amount"] for d in days] == [24.0] * 31
    assert {(d["measured"], d["missing"]) for d in days} == {(1.0, 0.0)}
    month = consumption(client, "period=month&from=2026-01&to=2026-02")[0]
    assert month["amount"] == 24.0 * 31
    raw = client.get("/api/v1/readings?point=P1&from=2026-01-01&to=2026-01-02&limit=96").json()
    assert (len(raw["items"]), raw["next"]) == (96, None)
    quarter = consumption(client, "period=quarter-hour&from=2026-01-05&to=2026-01-06")
    assert {q["amount"] for q in quarter} == {0.25}


def test_a_sum_says_that_a_point_without_meter_lacks(client: httpx.Client, whole: Whole) -> None:
    at = quarters("2025-12-31T23:00", "2026-02-01T00:00")
    send(client, at, 1000 + np.arange(len(at)) * 0.25)
    whole.rollups.run()
    found = client.get("/api/v1/consumption?period=month&from=2026-01&to=2026-02&sum=true").json()["totals"]
    rows = {t["commodity"]: (t["unit"], t["values"][0]["amount"], t["values"][0]["lacking"]) for t in found}
    assert rows == {"electricity": ("kWh", 744.0, 0), "cold_water": ("m³", None, 1)}


def test_a_break_is_asked_about_answered_and_then_exact(client: httpx.Client, whole: Whole) -> None:
    at = quarters("2025-12-31T23:00", "2026-01-11T00:00")
    half = len(at) // 2
    dial = np.where(np.arange(len(at)) < half, 40_000 + np.arange(len(at)) * 0.25, (np.arange(len(at)) - half) * 0.25)
    send(client, at, dial)
    whole.rollups.run()
    before = consumption(client, "period=month&from=2026-01&to=2026-02")[0]
    asked = client.get("/api/v1/findings?open=true&point=P1").json()["items"]
    assert [f["rule"] for f in asked] == ["break"]
    said = {"kind": "swap", "at": f"{at[half].astype('M8[s]')}Z", "final": float(40_000 + half * 0.25), "first": 0.0}
    answer = client.post(f"/api/v1/findings/{asked[0]['id']}/answer", json=said)
    assert answer.status_code == 201, answer.text
    whole.rollups.run()
    assert client.get("/api/v1/findings?open=true").json()["items"] == []
    after = consumption(client, "period=month&from=2026-01&to=2026-02")[0]
    assert after["amount"] == (len(at) - 1) * 0.25
    assert before["amount"] <= after["amount"]
    assert before["missing"] > after["missing"]


def test_an_unknown_meter_waits_and_its_history_becomes_the_points(client: httpx.Client, whole: Whole) -> None:
    point = {"id": "P3", "building": "B1", "name": "Dílny", "commodity": "electricity"}
    client.post("/api/v1/points", json=point)
    at = quarters("2026-02-01T00:00", "2026-02-03T00:00")
    send(client, at, np.arange(len(at)) * 1.0, meter="em-new")
    assert [i["device"] for i in client.get("/api/v1/inbox").json()["items"]] == ["em-new"]
    wish = {"point": "P3", "mounted": "2026-02-01T00:00:00Z"}
    assert client.post("/api/v1/inbox/em-new/assign", json=wish).status_code == 201
    whole.rollups.run()
    assert client.get("/api/v1/inbox").json()["items"] == []
    answer = client.get("/api/v1/consumption?point=P3&period=day&from=2026-02-02&to=2026-02-03").json()
    assert answer["points"][0]["values"][0]["amount"] == 96.0


def test_a_broken_payload_is_kept_and_shown(client: httpx.Client) -> None:
    assert client.post("/api/v1/readings", content=b"{broken").status_code == 422
    letters = client.get("/api/v1/letters").json()["items"]
    assert [k["text"] for k in letters] == ["{broken"]
    assert client.get(f"/api/v1/letters/{letters[0]['id']}/payload").content == b"{broken"


def test_a_payload_without_a_meter_is_no_reading_of_anything(client: httpx.Client) -> None:
    body = {"value": 1.0, "unit": "kWh", "register": "energy.import", "at": "2026-03-01T00:00:00Z"}
    answer = client.post("/api/v1/readings", json=body)
    assert answer.status_code == 422
    assert client.get("/api/v1/inbox").json()["items"] == []


def test_an_export_read_in_again_changes_nothing(client: httpx.Client) -> None:
    content = client.get("/api/v1/register/export?format=xlsx").content
    files = {"file": ("odecet-register.xlsx", content)}
    planned = client.post("/api/v1/register/import", files=files).json()
    assert (planned["creates"], planned["updates"], planned["errors"]) == ({}, {}, [])
    assert planned["unchanged"] == {"organisation": 1, "building": 1, "point": 2, "meter": 1}


@pytest.mark.parametrize("path", ["/", "/buildings/B1", "/points/P1", "/points/P2", "/inbox", "/letters", "/import"])
def test_pages_are_shown_over_the_real_stores(client: httpx.Client, whole: Whole, path: str) -> None:
    at = quarters("2025-12-31T23:00", "2026-02-01T00:00")
    send(client, at, 1000 + np.arange(len(at)) * 0.25)
    whole.rollups.run()
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text


def test_metrics_of_ingest_and_of_requests_stand_together(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    assert "odecet_http_requests_total" in text
