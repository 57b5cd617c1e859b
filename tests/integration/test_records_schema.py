"""The schema that the migrations make, and files of SQLite that fail or are used by several processes."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column
from sqlalchemy.types import TypeEngine

from core.errors import ConfigError, StoreError, StoreUnavailable
from core.registry import Organisation
from storage.records import SqlRecordStore
from storage.tables import metadata
from tests.servers.postgres import postgresql
from tests.servers.process import wait_until

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUSE = Path(__file__).parents[2]
WRITER = """
import sys
from datetime import UTC, datetime
from core.registry import Organisation
from storage.records import SqlRecordStore
store = SqlRecordStore(sys.argv[1])
store.start()
for n in range(int(sys.argv[3])):
    key = f"{sys.argv[2]}-{n}"
    store.save([Organisation(id=key, name=key)], by="test", now=datetime(2026, 1, 1, tzinfo=UTC))
    print(key, flush=True)
store.close()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/odecet.sqlite"
        return
    server = postgresql(tmp_path)
    server.start()
    yield server.url
    server.remove()


def writer(url: str, name: str, times: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, url, name, str(times)], cwd=HOUSE, stdout=subprocess.PIPE)


def types_differ(context: MigrationContext, *columns_and_types: Column[object] | TypeEngine[object]) -> bool:
    """Return whether two types are written differently in the database's own words; Alembic overlooks collations."""
    kept, expected = (str(it.compile(dialect=context.dialect)) for it in columns_and_types[-2:])
    return kept != expected


def test_migrations_make_the_tables_that_the_code_expects(url: str) -> None:
    store = SqlRecordStore(url)
    store.start()
    with store._database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": types_differ})
        difference = compare_metadata(context, metadata)
    store.close()
    assert difference == []


@pytest.mark.fault
def test_several_processes_start_and_write_at_once_without_losing_a_change(url: str) -> None:
    writers = [writer(url, f"w{n}", 15) for n in range(3)]
    for process in writers:
        process.communicate(timeout=120)
    assert [process.returncode for process in writers] == [0, 0, 0]
    store = SqlRecordStore(url)
    store.start()
    assert (store.count(Organisation), store.version()) == (45, 45)
    store.close()


@pytest.mark.fault
def test_what_a_killed_process_told_as_saved_is_there(url: str) -> None:
    process = writer(url, "w", 100_000)
    assert process.stdout is not None
    told = [process.stdout.readline().decode().strip() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    told += process.communicate(timeout=60)[0].decode().split()
    store = SqlRecordStore(url)
    store.start()
    saved = {o.id for o in store.find(Organisation)}
    assert set(told) <= saved
    assert len(saved) == store.version() == len(store.audit(limit=1_000_000))
    store.close()


def test_a_file_that_another_program_locks_is_unavailable_and_works_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.records_database.BUSY_MS", 50)
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    store.start()
    other = sqlite3.connect(tmp_path / "odecet.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.keep("a", "1")
    other.execute("ROLLBACK")
    other.close()
    store.keep("a", "1")
    assert store.kept("a") == "1"
    store.close()


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(tmp_path: Path) -> None:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    store.start()
    with store._database.read() as connection:  # the one connection of the pool stays as it is left here
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StoreUnavailable, match="full"):
        store.save([Organisation(id=f"o-{n}", name="x" * 1000) for n in range(100)], by="eva", now=NOW)
    assert (store.count(Organisation), store.version()) == (0, 0)
    with store._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    store.save([Organisation(id="o-1", name="x")], by="eva", now=NOW)
    store.close()


def test_a_file_that_is_no_database_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "odecet.sqlite").write_bytes(b"not a database at all " * 100)
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    with pytest.raises(StoreError, match=r"odecet\.sqlite") as told:
        store.start()
    assert not isinstance(told.value, StoreUnavailable)
    store.close()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        SqlRecordStore(f"sqlite:///{tmp_path}/file/odecet.sqlite").start()


@pytest.mark.parametrize("url", ["", "here", "sqlite://", "sqlite:///:memory:", "mysql://u:tajne@h/d"])
def test_an_address_that_cannot_be_a_record_store_is_refused_when_the_store_is_made(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        SqlRecordStore(url)
    assert "tajne" not in str(told.value)


def test_constructing_opens_nothing(tmp_path: Path) -> None:
    SqlRecordStore(f"sqlite:///{tmp_path}/folder/odecet.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_write_is_on_disk_before_it_is_told(tmp_path: Path) -> None:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    store.start()
    with store._database.read() as connection:
        asked = [connection.exec_driver_sql(f"PRAGMA {p}").scalar_one() for p in ("journal_mode", "synchronous")]
    store.close()
    assert asked == ["wal", 2]
    wait_until(lambda: not (tmp_path / "odecet.sqlite-wal").exists(), what="the log to be folded into the file")
