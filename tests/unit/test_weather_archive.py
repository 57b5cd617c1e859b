"""Open-Meteo's archive, spoken to over HTTP by a server of ours, and what becomes of its hours in the stores."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from core.errors import InputError, NotFound, SourceUnavailable
from core.readings import Kind, SeriesKey
from core.registry import Station, StationSource
from core.weather import Temperatures
from ingest.open_meteo import OpenMeteoArchive
from services.weather import Weather, fetch, fetch_all, store_temperatures
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 3, 15, 10, tzinfo=UTC)
HILL = Station(id="liberec", name="Liberec", latitude=50.77, longitude=15.06, source=StationSource.OPEN_METEO)
ALTITUDE = 400.0


class Archive(ThreadingHTTPServer):
    """Answers as the archive does: the hour's number of the day as temperature, the last five days not known."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[dict[str, str]] = []
        self.status = 200
        self.body: bytes | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/archive"

    def answer(self, asked: dict[str, str]) -> dict[str, Any]:
        first, last = (np.datetime64(asked[name]) for name in ("start_date", "end_date"))
        at = np.arange(first, last + 1, np.timedelta64(1, "h"))
        unknown = at >= np.datetime64("2026-03-10")
        temps = [None if gone else float(a.astype(int) % 24) for a, gone in zip(at, unknown, strict=True)]
        return {
            "latitude": 50.8,
            "elevation": ALTITUDE,
            "utc_offset_seconds": 0,
            "hourly_units": {"time": "unixtime", "temperature_2m": "°C"},
            "hourly": {"time": at.astype("datetime64[s]").astype(int).tolist(), "temperature_2m": temps},
        }


class Answering(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append(asked)
        body = self.server.body or json.dumps(self.server.answer(asked)).encode()
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive() -> Iterator[Archive]:
    server = Archive()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def readings(tmp_path: Path) -> Iterator[DuckDBReadingStore]:
    store = DuckDBReadingStore(tmp_path / "readings.duckdb", lambda: NOW)
    store.start()
    yield store
    store.close()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    store.start()
    store.save([HILL, Station(id="jablonec", name="Jablonec")], by="test", now=NOW)
    yield store
    store.close()


def client(server: Archive) -> OpenMeteoArchive:
    return OpenMeteoArchive(server.url, timeout_s=5.0)


def test_hours_are_asked_for_in_utc_and_celsius_and_unknown_ones_left_out(archive: Archive) -> None:
    found = client(archive).hourly(50.77, 15.06, date(2026, 3, 8), date(2026, 3, 12))
    assert len(found) == 48
    assert str(found.at[13]) == "2026-03-08T13:00:00.000000"
    assert found.temp_c[13] == 13.0
    asked = archive.asked[0]
    assert (asked["timezone"], asked["temperature_unit"], asked["hourly"]) == ("GMT", "celsius", "temperature_2m")
    assert (asked["latitude"], asked["longitude"]) == ("50.77", "15.06")


def test_a_missing_network_is_said_plainly() -> None:
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:9/v1.*cannot be reached.*import the station's") as told:
        OpenMeteoArchive("http://127.0.0.1:9/v1", timeout_s=2.0).hourly(50, 15, date(2026, 1, 1), date(2026, 1, 2))
    assert "Traceback" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"error": true, "reason": "Latitude must be in range"}', r"answers 400 \(Latitude must be in range\)"),
        (502, b"<html>bad gateway</html>", r"answers 502 \(no reason given\)"),
        (200, b"<html>captive portal</html>", "answers what cannot be read"),
        (200, b'{"hourly_units": {"temperature_2m": "\xc2\xb0F"}, "hourly": {"time": [], "temperature_2m": []}}', "°F"),
        (
            200,
            b'{"hourly_units": {"temperature_2m": "\xc2\xb0C"}, "hourly": {"time": [0], "temperature_2m": []}}',
            "form",
        ),
    ],
)
def test_what_the_archive_should_not_say_is_refused(archive: Archive, status: int, body: bytes, told: str) -> None:
    archive.status, archive.body = status, body
    with pytest.raises(SourceUnavailable, match=told):
        client(archive).hourly(50, 15, date(2026, 1, 1), date(2026, 1, 2))


def test_fetched_hours_become_the_stations_days_and_again_changes_nothing(
    archive: Archive, readings: DuckDBReadingStore, records: SqlRecordStore
) -> None:
    weather = Weather(readings)
    assert len(weather.days(records, "liberec").day) == 0
    first = date(2024, 1, 1)
    done = fetch(readings, records, client(archive), "liberec", first=first, now=NOW)
    assert done.hours == (date(2026, 3, 10) - first).days * 24
    assert [a["start_date"] for a in archive.asked] == ["2024-01-01", "2025-01-02", "2026-01-04"]
    days = weather.days(records, "liberec").between(date(2026, 3, 1), date(2026, 3, 12))
    assert days.temp_c[:8] == pytest.approx(11.5, abs=0.6)
    assert days.source.tolist() == [0] * 9 + [-1] * 3
    archive.asked.clear()
    again = fetch_all(readings, records, client(archive), first=first, now=NOW)
    assert [a["start_date"] for a in archive.asked] == ["2026-02-27"]
    assert [one.station for one in again] == ["liberec"]
    kept = readings.read(
        [SeriesKey("liberec", "temperature.total")], np.datetime64("2024", "us"), np.datetime64("2027", "us")
    )
    assert len(kept) == done.hours
    assert (
        len(
            readings.revisions(
                [SeriesKey("liberec", "temperature.total")], np.datetime64("2024", "us"), np.datetime64("2027", "us")
            )
        )
        == 0
    )


def test_what_cannot_be_stored_is_told(archive: Archive, readings: DuckDBReadingStore, records: SqlRecordStore) -> None:
    with pytest.raises(InputError, match="jablonec has no place"):
        fetch(readings, records, client(archive), "jablonec", first=date(2026, 1, 1), now=NOW)
    with pytest.raises(NotFound):
        fetch(readings, records, client(archive), "praha", first=date(2026, 1, 1), now=NOW)
    tomorrow = Temperatures.instantaneous(np.array(["2026-03-16T00:00"], "datetime64[us]"), np.array([1.0]))
    with pytest.raises(InputError, match="lie in the future"):
        store_temperatures(readings, records, "liberec", tomorrow, source="x.csv", now=NOW)


def test_missing_days_come_from_the_next_station_and_new_readings_are_seen(
    readings: DuckDBReadingStore, records: SqlRecordStore
) -> None:
    records.save([Station(id="liberec", name="Liberec", fallbacks=("jablonec",))], by="test", now=NOW)
    at = np.arange("2025-01-01T00", "2026-03-01T00", dtype="datetime64[h]").astype("datetime64[us]")
    temp = 8 - 9 * np.cos(2 * np.pi * np.arange(len(at)) / 8766)
    gone = (at >= np.datetime64("2026-02-01")) & (at < np.datetime64("2026-02-11"))
    store_temperatures(readings, records, "jablonec", Temperatures.instantaneous(at, temp - 1.2), source="j", now=NOW)
    store_temperatures(
        readings, records, "liberec", Temperatures.instantaneous(at[~gone], temp[~gone]), source="l", now=NOW
    )
    weather = Weather(readings)
    days = weather.days(records, "liberec").between(date(2026, 1, 31), date(2026, 2, 12))
    truth = [8 - 9 * np.cos(2 * np.pi * (395 + n + 0.5 - 1 / 24) / 365.25) for n in range(13)]
    assert days.source.tolist() == [0, *[1] * 10, 0, 0]
    assert days.temp_c == pytest.approx(truth, abs=0.05)
    bridge = days.bridges[0]
    assert bridge is not None
    assert bridge.offset_k[0] == pytest.approx(1.2, abs=1e-3)
    store_temperatures(
        readings,
        records,
        "liberec",
        Temperatures.instantaneous(at[gone], -20.0 + np.arange(gone.sum()) % 2),
        source="l",
        now=NOW,
    )
    assert weather.days(records, "liberec").between(date(2026, 2, 3), date(2026, 2, 3)).temp_c == pytest.approx([-19.5])


def test_daily_means_are_kept_as_means_of_their_days(readings: DuckDBReadingStore, records: SqlRecordStore) -> None:
    at = np.array(["2026-02-01T23:00", "2026-02-02T23:00"], "datetime64[us]")
    given = Temperatures(at=at, temp_c=np.array([-3.0, 2.5]), span_s=np.array([86400, 86400]))
    assert store_temperatures(readings, records, "jablonec", given, source="d.csv", now=NOW) == 2
    days = Weather(readings).days(records, "jablonec")
    assert (days.day.astype(str).tolist(), days.temp_c.tolist()) == (["2026-02-01", "2026-02-02"], [-3.0, 2.5])
    kept = readings.read([SeriesKey("jablonec", "temperature.total")], at[0], at[1] + 1)
    assert kept.kind.tolist() == [Kind.INTERVAL, Kind.INTERVAL]
