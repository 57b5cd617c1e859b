"""What a person waits for at a page: 220 buildings, 1,300 points, five years, in a real browser on a real server.

Roll-ups are written directly, so that the store is made in seconds. The targets are a first paint with data below 1 s
here, and below 300 ms on the region of the demo.
"""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import uvicorn
from playwright.sync_api import Page, sync_playwright
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from api.warming import warm
from benchmarks.api import NoIntake, now
from core.alerts import Alert, Change, Severity, State, Subject
from core.calendar import NAT, Period, edges, instant
from core.readings import Readings, SeriesKey
from core.registry import Commodity, Meter, Point, Role
from core.rollup import RollUp
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from ingest.tables import FileTables
from services.consumption import consumption
from services.held import HeldRegister
from services.outlook import Expected, Outlook, Peak, PointOutlook, keep_outlook
from services.points import MAIN
from simulators.region import SampleRegion, sample_region
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

BUILDINGS: Final = 220
POINTS: Final = 1_300
YEARS: Final = 5
HOURS_DAYS: Final = 400
DEMO_BUILDINGS: Final = 12
WARM: Final = 5
ALERTS: Final = 40
TYPICAL_KWH: Final = 300.0
CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def region(buildings: int, points: int) -> SampleRegion:
    """Return the sample region, with sub-meters added until it has so many points."""
    made = sample_region(2026, buildings)
    lacking = max(points - len(made.points), 0)
    fed = [p for p in made.points if p.commodity is Commodity.ELECTRICITY and p.role is Role.BILLING][:lacking]
    more = [
        Point(
            id=f"{p.id}-X", building=p.building, name="Kuchyň", commodity=p.commodity, role=Role.SUBMETER, parent=p.id
        )
        for p in fed
    ]
    meters = [Meter(id=f"{p.id}/1", point=p.id, device=p.id.lower(), mounted=made.meters[0].mounted) for p in more]
    return replace(made, points=(*made.points, *more), meters=(*made.meters, *meters))


def rolled(points: Sequence[str], period: Period, start: datetime, end: datetime) -> RollUp:
    """Return roll-ups of points with a season and chance in them, all of it measured."""
    grid = edges(period, instant(start), instant(end))
    n, size = len(grid) - 1, (len(grid) - 1) * len(points)
    day = (grid[:-1] - np.datetime64("2020-01-01", "us")) / np.timedelta64(1, "D")
    season = 1 + 0.6 * np.cos(2 * np.pi * day / 365.25)
    chance = np.random.default_rng(len(points) + n).uniform(0.7, 1.3, (len(points), n))
    share = 1.0 if period is Period.DAY else 1 / 24
    none, zero = np.full(size, NAT), np.zeros(size, np.int64)
    return RollUp(
        series=tuple(SeriesKey(p, MAIN) for p in points),
        code=np.repeat(np.arange(len(points), dtype=np.int32), n),
        start=np.tile(grid[:-1], len(points)),
        span_s=np.tile(np.diff(grid).astype("timedelta64[s]").astype(np.int64), len(points)),
        nano=np.rint(1e9 * TYPICAL_KWH * share * season * chance).astype(np.int64).ravel(),
        missing_s=zero,
        estimated_s=zero,
        gap_until=none,
        gap_since=none,
        first_at=np.tile(grid[:-1], len(points)),
        last_at=np.tile(grid[1:], len(points)),
    )


def fill(readings: DuckDBReadingStore, records: SqlRecordStore, made: SampleRegion) -> None:
    """Store a region: five years of days, the hours of the last year, the last readings, alerts, what is worked out."""
    end = now().replace(minute=0, second=0, microsecond=0)
    records.save([*made.organisations, *made.buildings, *made.points, *made.meters], by="benchmark", now=now())
    points = [p.id for p in made.points]
    for n in range(0, len(points), 100):
        readings.write_rollup(
            Period.DAY, rolled(points[n : n + 100], Period.DAY, end - timedelta(days=366 * YEARS), end)
        )
        readings.write_rollup(
            Period.HOUR, rolled(points[n : n + 100], Period.HOUR, end - timedelta(days=HOURS_DAYS), end)
        )
    keys = [SeriesKey(m.device, m.register or "energy.total") for m in made.meters]
    at = instant(end) - np.arange(4)[::-1] * np.timedelta64(900, "s").astype("timedelta64[us]")
    code, value = np.tile(np.arange(len(keys)), len(at)), np.arange(len(keys) * len(at), dtype=float)
    readings.write(Readings.of(keys, code, np.repeat(at, len(keys)), value, source="benchmark"))
    records.change_alerts(Change(alerts=tuple(_alert(n, made, end) for n in range(ALERTS))))
    keep_outlook(records, _outlook(made, end.date()), now())


def _alert(n: int, made: SampleRegion, end: datetime) -> Alert:
    point = made.points[n * 7 % len(made.points)]
    begin = end - timedelta(hours=n + 2)
    return Alert(
        id=f"{n:020}", key=f"leak|point|{point.id}", rule="leak", kind=Subject.POINT, subject=point.id,
        building=point.building, state=State.OPEN, severity=Severity.MEDIUM, opened_at=begin, changed_at=begin,
        at_from=begin, seen_to=end, loss_per_day=1.0 + n, unit="m³", loss_czk_per_day=120.0 * n, revision=1,
    )  # fmt: skip


def _outlook(made: SampleRegion, last: date) -> Outlook:
    def expected(first: date) -> Expected:
        return Expected(first=first, days=30, of_days=30, actual=900.0, predicted=880.0, half68=20.0, half90=40.0)

    months = tuple(expected(date(last.year, m, 1)) for m in range(1, last.month + 1))
    told = tuple(PointOutlook(point=p.id, unit="kWh", year=months[0], months=months) for p in made.points)
    near = [p for p in made.points if p.reserved_kw]
    peaks = tuple(
        Peak(point=p.id, month=last.replace(day=1), peak_kw=90.0 + n % 20, reserved_kw=100.0, at=None, breach_czk=None)
        for n, p in enumerate(near)
    )
    return Outlook(last=last, points=told, peaks=peaks)


@contextmanager
def served(readings: DuckDBReadingStore, records: SqlRecordStore) -> Iterator[str]:
    """Serve the pages on a free port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    register = HeldRegister(records)
    deps = Dependencies(
        readings=readings,
        records=records,
        intake=NoIntake(),
        tables=FileTables(),
        reading_tables=FileReadingTables(Bounds()),
        clock=now,
        version="0",
        metrics=CollectorRegistry(),
        ask=lambda question: consumption(question, readings=readings, records=register.view()),
    )
    app = build_api(deps)
    warm(app)  # as a process does as it starts
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def paint_ms(page: Page, address: str) -> tuple[float, float, int]:
    """Return when the answer was there and when it was first painted [ms], and its size; the data stand in the HTML."""
    page.goto(address)
    entry = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    paint = page.evaluate(
        """() => new Promise((tell) => new PerformanceObserver((seen) => seen.getEntries()
            .filter((e) => e.name === 'first-contentful-paint').forEach((e) => tell(e.startTime)))
            .observe({ type: 'paint', buffered: true }))"""
    )
    return entry["responseEnd"], paint, int(entry["decodedBodySize"])


def measure(place: str, made: SampleRegion) -> None:
    """Print the figures of every page: the first answer of a process, and the median of some more."""
    building = made.buildings[0].id
    pages = ("/", "/buildings", f"/buildings/{building}", f"/points/{made.points[0].id}", "/meters", "/gaps", "/alerts")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(ARGUMENTS))
        page = browser.new_page(locale="cs-CZ", viewport={"width": 1280, "height": 900})
        paint_ms(page, f"{place}/login")
        for path in pages:
            first = paint_ms(page, place + path)
            more = [paint_ms(page, place + path) for _ in range(WARM)]
            response, paint = np.median([m[0] for m in more]), np.median([m[1] for m in more])
            print(
                f"{path:28} first: answer {first[0]:5.0f} ms, painted {first[1]:5.0f} ms; "
                f"then: answer {response:5.0f} ms, painted {paint:5.0f} ms; {first[2] / 1024:.0f} kB"
            )
        browser.close()


def run() -> None:
    """Measure the region of the demo and the whole one."""
    for buildings, points in ((DEMO_BUILDINGS, 0), (BUILDINGS, POINTS)):
        with tempfile.TemporaryDirectory() as name:
            readings = DuckDBReadingStore(Path(name) / "readings.duckdb", now)
            records = SqlRecordStore(f"sqlite:///{Path(name) / 'records.sqlite'}")
            records.start()
            readings.start()
            made, began = region(buildings, points), time.perf_counter()
            fill(readings, records, made)
            print(
                f"\n{len(made.buildings)} buildings, {len(made.points)} points, {YEARS} years; "
                f"made in {time.perf_counter() - began:.0f} s"
            )
            with served(readings, records) as place:
                measure(place, made)
            readings.close()
            records.close()


if __name__ == "__main__":
    run()
