# ruff: noqa: ANN401 - changes are whatever an app is given
"""A small region on stores in memory and an app that serves it: what the API's tests stand on."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import numpy as np
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.application import Dependencies, IngestStatus, build_api
from core.notes import DeadLetter, Finding, InboxItem, PointFinding, Rule
from core.people import Access
from core.readings import Readings, SeriesKey, concat
from core.registry import (
    Building,
    BuildingKind,
    Commodity,
    Dated,
    Entity,
    Meter,
    Organisation,
    Point,
    Role,
    Term,
)
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from tests.unit.api_fakes import NOW, LineTables, MemoryReadings, MemoryRecords, OneReadingIntake, Rates

REGISTER: tuple[Entity, ...] = (
    Organisation(id="O1", name="Gymnázium Jeronýmova", ico="46748016"),
    Organisation(id="O2", name="Nemocnice Liberec"),
    Building(
        id="B01",
        organisation="O1",
        name="Gymnázium, hlavní budova",
        kind=BuildingKind.SCHOOL,
        address="Jeronýmova 425/27, Liberec",
        areas=(Dated(since=datetime(2020, 1, 1, tzinfo=UTC).date(), value=5400.0),),
    ),
    Building(id="B02", organisation="O2", name="Pavilon A", kind=BuildingKind.HOSPITAL),
    Point(id="B01-EL", building="B01", name="Elektřina, přívod", commodity=Commodity.ELECTRICITY, max_rate=120.0),
    Point(
        id="B01-EL-K",
        building="B01",
        name="Kuchyně",
        commodity=Commodity.ELECTRICITY,
        role=Role.SUBMETER,
        parent="B01-EL",
    ),
    Point(id="B01-VO", building="B01", name="Studená voda", commodity=Commodity.COLD_WATER),
    Point(id="B02-EL", building="B02", name="Elektřina", commodity=Commodity.ELECTRICITY),
    Point(
        id="B02-V",
        building="B02",
        name="Elektřina celkem",
        commodity=Commodity.ELECTRICITY,
        role=Role.VIRTUAL,
        terms=(Term(point="B02-EL"),),
    ),
    Meter(id="M1", point="B01-EL", device="em-1", mounted=datetime(2023, 1, 1, tzinfo=UTC), digits=6),
    Meter(id="M2", point="B01-VO", device="wm-1", mounted=datetime(2023, 1, 1, tzinfo=UTC)),
    Meter(id="M3", point="B02-EL", device="em-2", mounted=datetime(2024, 1, 1, tzinfo=UTC)),
)
SINCE = datetime(2023, 6, 1, tzinfo=UTC)
BREAK = PointFinding(
    point="B01-EL",
    finding=Finding(
        meter="em-1",
        register="main",
        rule=Rule.BREAK,
        at_from=datetime(2026, 3, 4, 9, 0, tzinfo=UTC),
        at_to=datetime(2026, 3, 4, 9, 15, tzinfo=UTC),
        evidence={"before": 48213.4, "after": 0.2},
        proposal={"kind": "swap", "at": "2026-03-04T09:15:00+00:00", "final": 48213.4, "first": 0.2},
    ),
    open=True,
)


class InProcess(httpx.BaseTransport):
    """Hands requests to an app in this process, each on a loop of its own; its answers come as they were sent.

    With a `caller` it is known who asks, without a login.
    """

    def __init__(self, app: FastAPI, caller: Callable[[], Access] | None = None) -> None:
        async def known(scope: Any, receive: Any, send: Any) -> None:
            if caller is not None:
                scope.setdefault("state", {})["access"] = caller()
            await app(scope, receive, send)

        self.inner = httpx.ASGITransport(known, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def sent() -> httpx.Response:
            body = request.read()
            asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            answer = await self.inner.handle_async_request(asked)
            raw = b"".join([part async for part in answer.aiter_raw()])
            return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(raw))

        return anyio.run(sent)


@dataclass
class World:
    """An app on memory, filled with a small region."""

    readings: MemoryReadings
    records: MemoryRecords
    intake: OneReadingIntake
    rates: Rates
    app: FastAPI
    ingest: list[IngestStatus | None]

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(transport=InProcess(self.app), base_url="http://odecet.test", headers=headers)


def build_world(**changes: Any) -> World:
    """Return a small region: two organisations, two buildings, five points, three meters, four days of readings."""
    readings, records = MemoryReadings(), MemoryRecords()
    records.save(REGISTER, by="test", now=NOW)
    rates = Rates(
        {
            "B01-EL": (2.0, "kWh", SINCE, NOW),
            "B01-EL-K": (0.5, "kWh", SINCE, NOW),
            "B01-VO": (0.1, "m³", SINCE, datetime(2026, 1, 31, 23, tzinfo=UTC)),
            "B02-EL": (10.0, "kWh", datetime(2025, 1, 1, tzinfo=UTC), NOW),
            "B02-V": (10.0, "kWh", datetime(2025, 1, 1, tzinfo=UTC), NOW),
        }
    )
    readings.write(_four_days())
    records.see([_waiting("em-9", "energy.import"), _waiting("em-9", "power.import"), _waiting("wm-7", "volume.total")])
    records.keep_letters(
        [
            DeadLetter(topic="odecet/em-1", payload=b"{broken", reason="malformed", detail="no JSON", received=NOW),
            DeadLetter(topic="odecet/em-2", payload=b"\xff\xfe", reason="no_profile", detail="?", received=NOW),
        ]
    )
    records.found = [BREAK]
    status: list[IngestStatus | None] = [IngestStatus(connected=True)]
    intake = OneReadingIntake(readings)
    given: dict[str, Any] = {
        "readings": readings,
        "records": records,
        "intake": intake,
        "tables": LineTables(),
        "reading_tables": FileReadingTables(Bounds()),
        "clock": lambda: NOW,
        "version": "0.1.0",
        "metrics": CollectorRegistry(),
        "ask": rates,
        "ingest": lambda: status[0],
    }
    app = build_api(Dependencies(**{**given, **changes}))
    return World(readings=readings, records=records, intake=intake, rates=rates, app=app, ingest=status)


def _four_days() -> Readings:
    at = np.arange("2026-03-10T00:00", "2026-03-14T00:00", 15, "M8[m]").astype("M8[us]")
    key, other = SeriesKey("em-1", "energy.import"), SeriesKey("wm-1", "volume.total")
    value = 1000 + np.arange(len(at)) * 0.5
    many = concat(
        [
            Readings.of([key], np.zeros(len(at)), at, value, source="odecet"),
            Readings.of([other], np.zeros(4), at[:: len(at) // 4], [1.0, 2.0, 3.0, 4.0], source="odecet"),
        ]
    )
    corrected = Readings.of([key], [0], [at[5]], [1002.4], received=[at[5] + np.timedelta64(1, "D")], source="oprava")
    return concat([many, corrected])


def _waiting(device: str, register: str) -> InboxItem:
    return InboxItem(
        device=device,
        register=register,
        unit="kWh",
        first_seen=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        last_seen=NOW,
        count=42,
        last_value=1204.7,
        topic=f"odecet/{device}",
        sample=b'{"value": 1204.7}',
    )


def names_of(kind: type) -> set[str]:
    return {f.name for f in fields(kind)}
