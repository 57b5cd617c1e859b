"""The record store when PostgreSQL dies, comes back, hangs up, or holds another's schema."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from core.errors import StoreError, StoreUnavailable
from core.notes import DeadLetter
from core.registry import Organisation
from storage.records import SqlRecordStore
from tests.servers.postgres import PostgresServer, postgresql
from tests.servers.process import free_port

pytestmark = pytest.mark.server
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SCHOOL = Organisation(id="zs-1", name="Základní škola")


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    postgres = postgresql(tmp_path_factory.mktemp("postgres"))
    postgres.start()
    yield postgres
    postgres.remove()


@pytest.fixture
def store(server: PostgresServer) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(server.url)
    opened.start()
    yield opened
    opened.close()


@pytest.mark.fault
def test_what_was_saved_stays_when_the_server_is_killed_and_the_same_store_goes_on(
    server: PostgresServer, store: SqlRecordStore
) -> None:
    letter = DeadLetter(topic="t", payload=b"\x00" * 1_000_000, reason="malformed", detail="", received=NOW)
    store.save([SCHOOL], by="eva", now=NOW)
    store.keep_letters([letter])
    server.kill()
    for act in (store.ready, store.version, lambda: store.save([replace(SCHOOL, name="Jiná")], by="eva", now=NOW)):
        with pytest.raises(StoreUnavailable):
            act()
    server.start()
    assert store.get(Organisation, "zs-1") == SCHOOL
    assert [kept.payload for kept in store.letters()] == [letter.payload]
    store.save([replace(SCHOOL, name="Jiná")], by="eva", now=NOW)
    assert len(store.audit()) == 2


@pytest.mark.fault
def test_a_connection_cut_by_the_server_is_replaced_without_a_word(
    server: PostgresServer, store: SqlRecordStore
) -> None:
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    store.save([SCHOOL], by="eva", now=NOW)
    assert store.get(Organisation, "zs-1") == SCHOOL


@pytest.mark.fault
def test_a_transaction_cut_in_its_middle_leaves_nothing(server: PostgresServer, store: SqlRecordStore) -> None:
    def write_and_be_cut() -> None:
        with store._database.write() as connection:
            connection.exec_driver_sql("INSERT INTO organisations VALUES ('zs-2', 'Napůl', '')")
            with psycopg.connect(server.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreUnavailable):
        write_and_be_cut()
    assert store.count(Organisation) == 0


def test_a_server_that_is_not_there_is_unavailable_and_can_be_started_later(server: PostgresServer) -> None:
    server.stop()
    store = SqlRecordStore(server.url)
    with pytest.raises(StoreUnavailable) as told:
        store.start()
    assert str(server.port) in str(told.value)
    server.start()
    store.start()
    store.ready()
    store.close()


def test_the_password_is_not_told_when_the_server_is_not_there() -> None:
    store = SqlRecordStore(f"postgresql://odecet:tajne@127.0.0.1:{free_port()}/records")
    with pytest.raises(StoreUnavailable) as told:
        store.start()
    assert "tajne" not in str(told.value)
    store.close()


def test_a_schema_of_a_newer_version_is_refused_and_left_alone(server: PostgresServer, store: SqlRecordStore) -> None:
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer Odečet"):
        store.start()
    store.ready()


def test_instants_are_kept_with_their_zone_so_that_other_programs_read_them_right(
    server: PostgresServer, store: SqlRecordStore
) -> None:
    store.save([SCHOOL], by="eva", now=NOW)
    with psycopg.connect(server.url) as other:
        row = other.execute("SELECT at FROM audit").fetchone()
    assert row is not None
    assert row[0] == NOW
