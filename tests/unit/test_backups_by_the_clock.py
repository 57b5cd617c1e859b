"""Backups that the worker makes by itself, the commands on them, and what an upgrade would do."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from app.backup import Backups
from app.cli import main
from config.settings import Settings, load_settings
from core.errors import StoreError
from core.registry import Organisation
from storage.backup_archive import Archive, Member, as_json, packed
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from storage.records_database import Database

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


class Clock:
    """A clock that goes on by a day at each look."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(days=1)
        return self.at


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {
        "ODECET_DATA__FOLDER": str(tmp_path / "data"),
        "ODECET_BACKUP__FOLDER": str(tmp_path / "backups"),
        "ODECET_BACKUP__KEEP": "2",
        "ODECET_RECORDS__URL": f"sqlite:///{tmp_path}/data/records.sqlite",
        "ODECET_API__TOKENS__PROBE": "a-secret-of-the-settings",
    }
    made = load_settings(None, environ)
    with closing(SqlRecordStore(made.records_url())) as records:
        records.start()
        records.save([Organisation(id="o", name="Kraj")], by="eva", now=NOW)
    return made


@pytest.fixture
def readings(settings: Settings) -> Iterator[DuckDBReadingStore]:
    with closing(DuckDBReadingStore(settings.duckdb_path(), lambda: NOW)) as store:
        store.start()
        yield store


@pytest.fixture
def backups(
    settings: Settings, readings: DuckDBReadingStore, monkeypatch: pytest.MonkeyPatch
) -> tuple[Backups, CollectorRegistry]:
    monkeypatch.setattr("app.backup.now", Clock())
    registry = CollectorRegistry()
    return Backups(settings, readings, metrics=registry), registry


def go_on() -> bool:
    return False


def test_the_newest_backups_stay_and_other_files_are_left_alone(
    tmp_path: Path, backups: tuple[Backups, CollectorRegistry]
) -> None:
    folder, (work, registry) = tmp_path / "backups", backups
    folder.mkdir()
    (folder / "before-upgrade.tar").write_text("by hand")
    (folder / "odecet-notes.tar").write_text("by hand")
    for _ in range(4):
        work.run(go_on)
    made = sorted(path.name for path in folder.iterdir())
    assert made[0] == "before-upgrade.tar"
    assert made[-1] == "odecet-notes.tar"
    assert len(made) == 4
    size = registry.get_sample_value("odecet_backup_last_bytes")
    assert size == (folder / made[2]).stat().st_size
    with Archive(folder / made[2]) as archive:
        assert archive.rows("records") > 0


def test_a_backup_that_is_stopped_takes_no_other_ones_place(
    tmp_path: Path, backups: tuple[Backups, CollectorRegistry]
) -> None:
    work, _ = backups
    work.run(go_on)
    work.run(go_on)
    before = sorted((tmp_path / "backups").iterdir())
    with pytest.raises(StoreError, match="stopped"):
        work.run(lambda: True)
    assert sorted((tmp_path / "backups").iterdir()) == before


def test_a_backup_holds_settings_and_the_operators_files_and_no_secret(
    tmp_path: Path, backups: tuple[Backups, CollectorRegistry]
) -> None:
    backups[0].run(go_on)
    (made,) = (tmp_path / "backups").iterdir()
    assert b"a-secret-of-the-settings" not in made.read_bytes()
    with Archive(made) as archive:
        told = archive.read("settings.json").decode()
    assert '"backup.keep": "2"' in told
    assert 'api.tokens"' not in told
    assert 'password"' not in told


def command(settings: Settings, *words: str) -> tuple[int, str]:
    environ = {
        "ODECET_DATA__FOLDER": str(settings.data.folder),
        "ODECET_RECORDS__URL": settings.records.url,
        "ODECET_BACKUP__FOLDER": str(settings.backup.folder),
    }
    done = CliRunner().invoke(main, list(words), env=environ)
    return done.exit_code, done.output


def test_commands_back_up_check_and_restore(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "mine.tar"
    assert command(settings, "backup", str(file)) == (0, f"{file}: {file.stat().st_size / 1e6:.1f} MB, whole\n")
    code, told = command(settings, "restore", "--check", str(file))
    assert code == 0
    assert "whole; made " in told
    code, told = command(settings, "restore", str(file))
    assert code == 2
    assert "--replace" in told
    assert command(settings, "restore", "--replace", str(file))[0] == 0
    code, told = command(settings, "restore", "--check", str(tmp_path / "data" / "records.sqlite"))
    assert code == 2
    assert "not whole" in told


def test_a_backup_of_a_newer_version_is_refused_with_its_version(tmp_path: Path, settings: Settings) -> None:
    schema = {"revision": "9999", "tables": {}, "numbers": {}}
    head = {"odecet": "7.0", "readings": "duckdb", "records": "sqlite"}
    parts = packed(head, [Member("records/schema.json", as_json(schema))], NOW)
    (tmp_path / "newer.tar").write_bytes(b"".join(parts))
    code, told = command(settings, "restore", "--replace", str(tmp_path / "newer.tar"))
    assert code == 2
    assert "Odečet 7.0 or newer" in told
    with closing(SqlRecordStore(settings.records_url())) as records:
        records.start()
        assert [o.id for o in records.find(Organisation)] == ["o"]


def test_an_upgrade_says_what_it_would_do_and_changes_nothing(tmp_path: Path) -> None:
    fresh = load_settings(None, {"ODECET_DATA__FOLDER": str(tmp_path / "old")})
    assert command(fresh, "check-upgrade")[1].count("none yet") == 2
    assert not (tmp_path / "old").exists()
    database = Database(fresh.records_url())
    database.open()
    with database.write() as connection:
        database.migrate(connection, "0004")
    code, told = command(fresh, "check-upgrade", "--backup", str(tmp_path / "before.tar"))
    assert code == 0
    assert "records: 0004 -> 0005: " in told
    with database.write() as connection:
        assert database.revision(connection) == "0004"
        database.migrate(connection)
    assert "up to date" in command(fresh, "check-upgrade")[1]
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    code, told = command(fresh, "check-upgrade")
    assert code == 2
    assert "newer" in told
    with Archive(tmp_path / "before.tar") as archive:
        assert b'"revision": "0004"' in archive.read("records/schema.json")
