"""What a backup takes out of a database of records is what it puts into another, of each kind into each."""

import datetime as dt
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    text,
)

from core.errors import Conflict, StoreError
from core.notes import DeadLetter
from core.registry import Organisation
from storage.backup_archive import Member
from storage.backup_records import PASSING, SCHEMA, RecordArchive, Schema, table_of
from storage.records import SqlRecordStore
from storage.records_database import Database
from storage.tables import Instant, letters, metadata
from tests.contract.conftest import postgres_url, sqlite_url

NOW = dt.datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=dt.UTC)
Maker = Callable[[str], str]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Return what gives the address of a database that nothing is in."""
    made: list[int] = []

    def make(kind: str) -> str:
        made.append(1)
        if kind == "sqlite":
            return sqlite_url(tmp_path / str(len(made)))
        return postgres_url(request.getfixturevalue("server"))

    return make


server = pytest.mark.server
kinds = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=server)])
pairs = pytest.mark.parametrize(
    ("of", "into"),
    [
        ("sqlite", "sqlite"),
        pytest.param("sqlite", "postgresql", marks=server),
        pytest.param("postgresql", "sqlite", marks=server),
        pytest.param("postgresql", "postgresql", marks=server),
    ],
)

crosswise = pytest.mark.parametrize(
    ("of", "into"),
    [
        pytest.param("sqlite", "postgresql", marks=server),
        pytest.param("postgresql", "sqlite", marks=server),
    ],
)


def value(column: Column[Any], row: str) -> object:
    """Return a value that is hard to carry, of a column's type, for row x or y; y has nothing where it may."""
    if column.foreign_keys or (column.primary_key and isinstance(getattr(column.type, "impl", column.type), String)):
        return row if column.primary_key else "x"
    if column.nullable and row == "y":
        return None
    number = ord(row)
    if type(column.type) is String:
        return row * 60  # shorter than the keys that are hashes
    found: list[tuple[type, object]] = [
        (JSON, {"ž": [0.1 + 0.2, 1e-300, None, True, "„č“\u2028\n"], row: {"a": 2**53 + number}}),
        (Boolean, row == "x"),
        (Instant, NOW + dt.timedelta(microseconds=number)),
        (Date, dt.date(1999, 12, 31)),
        (LargeBinary, bytes(range(256)) + row.encode()),
        (Double, 0.1 * number),
        (BigInteger, 2**52 + number if not column.primary_key else number),
        (Integer, number),
    ]
    return next(
        (v for kind, v in found if isinstance(column.type, kind)), f"{row}: „č“ \n\t'\"\\;,é\u00a0{column.name}"
    )


def fill(url: str) -> None:
    """Put two rows into every table there is."""
    store = SqlRecordStore(url)
    store.start()
    with store._database.write() as connection:
        for table in metadata.sorted_tables:
            connection.execute(delete(table))
            rows = [{c.name: value(c, row) for c in table.columns} for row in "xy"]
            connection.execute(insert(table), rows)
        kept = metadata.tables["kept_texts"]
        connection.execute(insert(kept), [{"key": "rollup/token", "text": "1234"}, {"key": "a/token/b", "text": "5"}])
        connection.execute(delete(letters).where(letters.c.id == ord("y")))
    store.close()


def taken(url: str) -> tuple[list[str], list[Member]]:
    with closing(RecordArchive(url)) as archive, archive.snapshot() as (tokens, members):
        return tokens, list(members)


def put(url: str, members: list[Member], **more: Any) -> None:  # noqa: ANN401 - of put
    schema = Schema.parsed(members[0].content)
    rows = [(table_of(m.name), m.content) for m in members if m.name != SCHEMA]
    with closing(RecordArchive(url)) as archive:
        archive.put(schema, rows, **({"token": "1234", "replace": False} | more))


def test_every_table_is_either_carried_or_named_as_passing() -> None:
    assert set(metadata.tables) >= PASSING


@pairs
def test_every_row_of_every_table_is_carried_to_the_last_digit(fresh: Maker, of: str, into: str) -> None:
    source, target = fresh(of), fresh(into)
    fill(source)
    tokens, members = taken(source)
    assert tokens == ["1234"]
    assert {table_of(m.name) for m in members[1:]} == set(metadata.tables) - PASSING
    put(target, members)
    again = taken(target)[1]
    assert [m.name for m in again] == [m.name for m in members]
    assert [m.content for m in again[1:]] == [m.content for m in members[1:]]
    assert Schema.parsed(again[0].content).numbers == Schema.parsed(members[0].content).numbers


@crosswise
def test_rows_go_on_being_numbered_and_cursors_point_into_the_readings_that_came(
    fresh: Maker, of: str, into: str
) -> None:
    source, target = fresh(of), fresh(into)
    with closing(started(source)) as store:
        store.keep("rollup/token", "1234")
        store.keep("a/token/b", "5")
        store.keep_letters([letter("t")])
        store.keep_letters([letter("u")])
        last = store.letters()[-1].id
        with store._database.write() as connection:
            connection.execute(delete(letters).where(letters.c.id == last))
    put(target, taken(source)[1], token="77")  # noqa: S106 - a cursor
    assert taken(target)[0] == ["77"]
    with closing(started(target)) as store:
        assert (store.kept("rollup/token"), store.kept("a/token/b")) == ("77", "5")
        store.keep_letters([letter("v")])
        assert store.letters()[-1].id > last


def started(url: str) -> SqlRecordStore:
    store = SqlRecordStore(url)
    store.start()
    return store


def letter(topic: str) -> DeadLetter:
    return DeadLetter(topic=topic, payload=b"p", reason="r", detail="d", received=NOW)


@kinds
def test_a_message_on_its_way_is_not_sent_a_second_time(fresh: Maker, kind: str) -> None:
    source, target = fresh(kind), fresh(kind)
    fill(source)
    outbox = metadata.tables["outbox"]
    database = Database(source)
    database.open()
    with database.write() as connection:
        connection.execute(outbox.update().where(outbox.c.key == "x").values(state="waiting"))
        connection.execute(outbox.update().where(outbox.c.key == "y").values(state="sent"))
    database.close()
    put(target, taken(source)[1])
    database = Database(target)
    database.open()
    with database.read() as connection:
        found = connection.execute(select(outbox.c.state, outbox.c.error).order_by(outbox.c.key)).all()
    database.close()
    assert found[0][0] == "uncertain"
    assert "backup" in found[0][1]
    assert found[1][0] == "sent"


@kinds
def test_what_is_there_is_kept_unless_told_otherwise_and_a_failure_changes_nothing(fresh: Maker, kind: str) -> None:
    source, target = fresh(kind), fresh(kind)
    fill(source)
    members = taken(source)[1]
    store = SqlRecordStore(target)
    store.start()
    store.save([Organisation(id="mine", name="Můj")], by="eva", now=NOW)
    store.close()
    before = taken(target)[1]
    with pytest.raises(Conflict, match="--replace"):
        put(target, members)

    def failing() -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="full"):
        put(target, members, replace=True, before_commit=failing)
    assert taken(target)[1] == before
    put(target, members, replace=True)
    assert taken(target)[1][1:] == members[1:]


@kinds
def test_an_archive_of_an_older_schema_is_put_back_and_brought_up_to_date(fresh: Maker, kind: str) -> None:
    source, target = fresh(kind), fresh(kind)
    database = Database(source)
    database.open()
    with database.write() as connection:
        database.migrate(connection, "0004")
        organisations = Table("organisations", MetaData(), autoload_with=connection)
        row = {c.name: "o" if c.name == "id" else "Kraj" for c in organisations.columns if not c.nullable}
        connection.execute(insert(organisations), [row])
    database.close()
    members = taken(source)[1]
    assert Schema.parsed(members[0].content).revision == "0004"
    put(target, members)
    store = SqlRecordStore(target)
    store.start()
    assert [o.id for o in store.find(Organisation)] == ["o"]
    store.close()
    archive = RecordArchive(target)
    assert archive.pending() == (archive.pending()[0], [])
    archive.close()


@kinds
def test_what_migrations_would_do_is_told_and_a_newer_schema_refused(fresh: Maker, kind: str) -> None:
    url = fresh(kind)
    archive, database = RecordArchive(url), Database(url)
    database.open()
    with database.write() as connection:
        database.migrate(connection, "0004")
    revision, pending = archive.pending()
    assert revision == "0004"
    assert pending[0] == ("0005", pending[0][1])
    assert all(what for _, what in pending)
    with database.write() as connection:
        database.migrate(connection)
    assert archive.pending()[1] == []
    assert archive.knows("0004")
    assert not archive.knows("9999")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer"):
        archive.pending()
    database.close()
    archive.close()
