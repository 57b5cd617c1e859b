"""`odecet weather`, as an operator runs it: a file into a station's days, and what is said where it cannot be."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.registry import Station
from services.weather import Weather
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.servers.commands import run_here

NOW = datetime(2026, 3, 15, 10, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    records.start()
    records.save([Station(id="liberec", name="Liberec", latitude=50.77, longitude=15.06)], by="test", now=NOW)
    records.close()
    return tmp_path


def odecet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"ODECET_DATA__FOLDER": str(folder), "ODECET_LOG__LEVEL": "error"}
    return run_here("weather", *arguments, cwd=folder, environment=environment)


def test_a_file_becomes_days_and_a_wrong_one_changes_nothing(folder: Path) -> None:
    file = folder / "meteo.csv"
    file.write_text("Datum;Teplota\r\n01.02.2026;-3,5\r\n02.02.2026;1\r\n", "utf-8")
    done = odecet(folder, "import", str(file), "--station", "liberec")
    assert (done.returncode, done.stdout.strip()) == (0, f"{file}: 2 temperatures stored for station liberec")
    file.write_text("Datum;Teplota\r\n03.02.2026;-999\r\n", "utf-8")
    wrong = odecet(folder, "import", str(file), "--station", "liberec")
    assert wrong.returncode == 2
    assert "row 2 ('-999')" in wrong.stderr
    file.write_text("Datum;Teplota\r\n03.02.2026;2\r\n", "utf-8")
    strange = odecet(folder, "import", str(file), "--station", "praha")
    assert (strange.returncode, "praha" in strange.stderr) == (2, True)
    store = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    store.start()
    records.start()
    days = (
        Weather(store, ZoneInfo("Europe/Prague")).days(records, "liberec").between(date(2026, 2, 1), date(2026, 2, 3))
    )
    assert days.temp_c.tolist()[:2] == [-3.5, 1.0]
    assert days.source.tolist() == [0, 0, -1]
    store.close()
    records.close()


def test_fetching_says_that_it_is_switched_off(folder: Path) -> None:
    done = odecet(folder, "fetch", "--station", "liberec", "--from", "2026-01-01")
    assert done.returncode == 2
    assert "switched off" in done.stderr
    assert "Traceback" not in done.stderr
