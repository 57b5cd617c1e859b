"""`odecet import readings` as an operator runs it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.registry import Building, Commodity, Meter, Organisation, Point
from storage.records import SqlRecordStore
from tests.servers.commands import run_here

HAND = "Odběrné místo;Datum odečtu;Stav [kWh]\np1;31. 1. 2026;1 234,5\np1;28.02.2026 08:15;1 300,0\n"


def odecet(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {"ODECET_DATA__FOLDER": str(folder / "data"), "ODECET_LOG__LEVEL": "warning"}
    return run_here(*words, cwd=folder, environment=settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = SqlRecordStore(f"sqlite:///{tmp_path}/data/records.sqlite")
    (tmp_path / "data").mkdir()
    records.start()
    mounted = datetime(2026, 1, 1, tzinfo=UTC)
    register = (
        Organisation(id="skola", name="Základní škola"),
        Building(id="b1", organisation="skola", name="Pavilon A"),
        Point(id="p1", building="b1", name="Elektřina", commodity=Commodity.ELECTRICITY),
        Meter(id="m1", point="p1", device="dev-1", mounted=mounted),
    )
    records.save(register, by="test", now=mounted)
    records.close()
    (tmp_path / "odecty.csv").write_text(HAND, encoding="cp1250")
    return tmp_path


def test_readings_are_tried_stored_stored_again_and_taken_back(folder: Path) -> None:
    tried = odecet(folder, "import", "readings", "odecty.csv", "--dry-run")
    assert "new: 2, changed: 0, as before: 0" in tried.stdout
    assert "dry run: nothing was stored" in tried.stdout
    done = odecet(folder, "import", "readings", "odecty.csv", "--why", "roční odečet")
    number = done.stdout.strip().rsplit(" ", 1)[1]
    assert f"odecet import undo {number}" in done.stdout
    assert "nothing to change" in odecet(folder, "import", "readings", "odecty.csv").stdout
    assert "2 readings taken back" in odecet(folder, "import", "undo", number).stdout
    assert "new: 2" in odecet(folder, "import", "readings", "odecty.csv", "--dry-run").stdout


def test_wrong_rows_and_open_questions_are_told_with_their_remedy(folder: Path) -> None:
    (folder / "spatne.csv").write_text(HAND + "p9;1.3.2026;5\n", encoding="utf-8")
    wrong = odecet(folder, "import", "readings", "spatne.csv")
    assert wrong.returncode == 2
    assert "row 4, column Stav [kWh]: p9 is no point" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert "imported" in odecet(folder, "import", "readings", "spatne.csv", "--partial").stdout
    (folder / "dump.csv").write_text("device;time;value\ndev-1;1.3.2026 10:00;1400\n", encoding="utf-8")
    assert odecet(folder, "import", "readings", "dump.csv").returncode == 2
    said = odecet(folder, "import", "readings", "dump.csv", "--mapping", '{"amount": "dial", "value_unit": "kWh"}')
    assert "new: 1" in said.stdout, said.stderr


def test_one_undo_takes_back_an_import_of_the_register_too(folder: Path) -> None:
    (folder / "organisations.csv").write_text("Identifikátor;Název;IČO\nurad;Úřad;\n", encoding="utf-8")
    number = odecet(folder, "import", "organisations.csv").stdout.strip().rsplit(" ", 1)[1]
    assert "1 removed" in odecet(folder, "import", "undo", number).stdout
    lost = odecet(folder, "import", "undo", "20260101-x")
    assert (lost.returncode, "is not known" in lost.stderr) == (2, True)
