"""The database of records as a whole: out of it at one moment, into it in one transaction, of either kind into either.

Each table is written as it stands in the database, not as this program expects it, so that one of an older schema can
be carried too: it is put back in its own schema, which is then brought up to date.
"""

import gzip
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Float,
    Inspector,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.types import TypeEngine

from core.errors import Conflict, InputError, StoreError
from core.sending import SendState
from storage.backup_archive import Member, as_json, unpacked
from storage.records_database import Database, Lock
from storage.tables import Instant

SCHEMA: Final = "records/schema.json"
PASSING: Final = frozenset({"leases", "staged_files", "sessions", "tickets", "failed_attempts"})
"""Tables of what is under way: their rows mean nothing elsewhere or later, and are not carried."""
_APART: Final = PASSING | {"alembic_version"}
_MADE_EMPTY: Final = _APART | {"counters", "kept_texts"}
ROWS: Final = 5_000
BYTES: Final = 8_000_000
ROWS_HELD: Final = 500
FILES_HELD: Final = 8
"""Rows held in memory at once, and those of a table whose rows may be files of 20 MB."""
_LARGEST: Final = 300_000_000
"""Bytes that a member may unpack to: BYTES, and one row beyond them, of a file in base64."""
TOKEN: Final = "/token"  # noqa: S105 - how keys of cursors end, no secret

_ON_THE_WAY: Final = frozenset({SendState.WAITING, SendState.CLAIMED, SendState.SENDING})
_MAYBE_SENT: Final = "the records were restored from a backup; it may have gone out since"

_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (JSON, "json"),
    (Boolean, "boolean"),
    (DateTime, "instant"),
    (Date, "date"),
    (LargeBinary, "bytes"),
    (Integer, "integer"),
    (Float, "double"),
    (String, "text"),
)
_TYPES: Final[Mapping[str, Callable[[], TypeEngine[Any]]]] = {
    "json": lambda: JSON(none_as_null=True),
    "boolean": Boolean,
    "instant": Instant,
    "date": Date,
    "bytes": LargeBinary,
    "integer": BigInteger,
    "double": Double,
    "text": Text,
}
_SAY: Final[Mapping[str, Callable[[Any], Any]]] = {
    "instant": datetime.isoformat,
    "date": date.isoformat,
    "bytes": lambda value: b64encode(value).decode(),
    "double": lambda value: value if math.isfinite(value) else str(value),
}
_UNDERSTAND: Final[Mapping[str, Callable[[Any], Any]]] = {
    "instant": datetime.fromisoformat,
    "date": date.fromisoformat,
    "bytes": b64decode,
    "double": float,
}

Columns = dict[str, str]
"""The kind of each column, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What stands in the database: the revision of its schema, its tables, and the last number each gave to a row.

    Tables stand behind those that they refer to.
    """

    revision: str
    tables: dict[str, Columns]
    numbers: dict[str, int]

    def member(self) -> Member:
        """Return it as a member of an archive."""
        return Member(SCHEMA, as_json({"revision": self.revision, "tables": self.tables, "numbers": self.numbers}))

    @classmethod
    def parsed(cls, content: bytes) -> "Schema":
        """Return it from a member."""
        told = json.loads(content)
        for columns in dict(told["tables"]).values():
            if not set(columns.values()) <= set(_TYPES):
                raise ValueError(f"unknown kinds of columns {columns}")
        return cls(revision=told["revision"], tables=told["tables"], numbers=told["numbers"])


class RecordArchive:
    """The records at an address, opened with the schema that they have."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    def there(self) -> bool:
        """Return whether there is a database to open; a file of SQLite would be made by opening it."""
        url = self._database.url
        return url.drivername != "sqlite" or Path(str(url.database)).exists()

    def pending(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the revision of the schema (empty: none yet), and what migrations would do to it."""
        self._database.open()
        with self._database.read() as connection:
            return self._database.revision(connection), self._database.pending(connection)

    def knows(self, revision: str) -> bool:
        """Return whether this program has a revision of the schema."""
        return self._database.knows(revision)

    @contextmanager
    def snapshot(self) -> Iterator[tuple[list[str], Iterator[Member]]]:
        """Give the cursors into the readings that the records hold, and all of the records as members."""
        if not self.there():
            raise StoreError(f"{self._database.name} is not there; name the records in records.url or data.folder")
        self._database.open()
        with self._database.snapshot() as connection:
            schema = _schema(connection, self._database.revision(connection))
            if not schema.revision:
                raise StoreError(f"{self._database.name} holds no records; start Odečet once, or mend records.url")
            yield _tokens(connection), _members(connection, schema)

    def check_empty(self) -> None:
        """Raise Conflict where there is anything that a restore would replace."""
        self._database.open()
        with self._database.read() as connection:
            _refuse_full(connection, self._database.name)

    def put(
        self,
        schema: Schema,
        rows: Iterable[tuple[str, bytes]],
        *,
        token: str,
        replace: bool,
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Put tables in the place of all that is there, or change nothing; cursors into the readings become `token`."""
        self._database.open()
        with self._database.write(Lock.MIGRATION) as connection:
            if not replace:
                _refuse_full(connection, self._database.name)
            if self._database.revision(connection):
                self._database.migrate(connection, "base")
            self._database.migrate(connection, schema.revision)
            for name, columns in reversed(schema.tables.items()):  # migrations put rows into some
                connection.execute(delete(_table(name, columns)))
            for name, content in rows:
                _insert(connection, name, _columns(schema, name), content, token)
            for name, last in schema.numbers.items():
                _number_on(connection, name, last)
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # what is checked later bars migrations
            self._database.migrate(connection)
            before_commit()


def _columns(schema: Schema, name: str) -> Columns:
    if name not in schema.tables:
        raise InputError(f"its schema has no table {name!r}", place="records", remedy="take another backup")
    return schema.tables[name]


def table_of(name: str) -> str:
    """Return the table of a member."""
    return name.split("/")[1]


def _schema(connection: Connection, revision: str) -> Schema:
    found = inspect(connection)
    names = [str(name) for name, _ in found.get_sorted_table_and_fkc_names() if name and name not in _APART]
    tables = {name: {c["name"]: _kind(name, c["name"], c["type"]) for c in found.get_columns(name)} for name in names}
    numbers = {name: last for name in names if (last := _last_number(connection, found, name))}
    return Schema(revision=revision, tables=tables, numbers=numbers)


def _kind(table: str, column: str, found: TypeEngine[Any]) -> str:
    for known, kind in _KINDS:
        if isinstance(found, known):
            return kind
    raise StoreError(f"column {column} of {table} is of a type that no backup knows: {found!r}")


def _last_number(connection: Connection, found: Inspector, name: str) -> int:
    """Return the last number that a table gave to a row, 0 where it gives none."""
    if connection.dialect.name == "sqlite":
        if not found.has_table("sqlite_sequence"):
            return 0
        asked = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(connection.execute(asked, {"name": name}).scalar() or 0)
    key, sequence = _sequence(connection, found, name)
    if not sequence:
        return 0
    given = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608 - the database's own name of it
    used = f'SELECT coalesce(max("{key}"), 0) FROM "{name}"'  # noqa: S608 - same
    return max(int(connection.execute(text(asked)).scalar_one()) for asked in (given, used))


def _sequence(connection: Connection, found: Inspector, name: str) -> tuple[str, str]:
    """Return the column that is numbered and what numbers it, empty where none is."""
    keys = found.get_pk_constraint(name)["constrained_columns"]
    owned = ((key, connection.execute(select(func.pg_get_serial_sequence(name, key))).scalar()) for key in keys)
    return next(((key, str(sequence)) for key, sequence in owned if sequence), ("", ""))


def _number_on(connection: Connection, name: str, last: int) -> None:
    """Let a table go on numbering its rows after the last number that it ever gave."""
    if connection.dialect.name == "postgresql":
        _, sequence = _sequence(connection, inspect(connection), name)
        connection.execute(select(func.setval(sequence, last)))
        return
    given = {"name": name, "last": last}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), given)
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), given)


def _tokens(connection: Connection) -> list[str]:
    kept = _table("kept_texts", {"key": "text", "text": "text"})
    asked = select(kept.c.text).where(kept.c.key.like(f"%{TOKEN}"))
    return list(connection.execute(asked).scalars())


def _table(name: str, columns: Columns) -> Table:
    return Table(name, MetaData(), *(Column(column, _TYPES[kind]()) for column, kind in columns.items()))


def _members(connection: Connection, schema: Schema) -> Iterator[Member]:
    yield schema.member()
    for name, columns in schema.tables.items():
        for number, lines in enumerate(_chunks(_lines(connection, name, columns)), 1):
            yield Member(f"records/{name}/{number:06}.jsonl.gz", gzip.compress(b"".join(lines), mtime=0), len(lines))


def _lines(connection: Connection, name: str, columns: Columns) -> Iterator[bytes]:
    """Yield a line a row, in the order of the primary key."""
    table, keys = _table(name, columns), inspect(connection).get_pk_constraint(name)["constrained_columns"]
    asked = select(table).order_by(*(table.c[key] for key in keys))
    held = FILES_HELD if "bytes" in columns.values() else ROWS_HELD
    found = connection.execute(asked.execution_options(yield_per=held))
    kinds = list(columns.values())
    for row in found:
        said = [v if v is None else _SAY.get(kind, _same)(v) for kind, v in zip(kinds, row, strict=True)]
        yield json.dumps(said, ensure_ascii=False).encode() + b"\n"


def _same(value: Any) -> Any:  # noqa: ANN401 - any value
    return value


def _chunks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if len(some) == ROWS or size > BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _insert(connection: Connection, name: str, columns: Columns, content: bytes, token: str) -> None:
    try:
        rows = [_row(name, columns, line, token) for line in unpacked(content, _LARGEST).splitlines()]
    except (ValueError, TypeError, RecursionError) as err:
        raise InputError(
            f"a row cannot be read: {err}", place=f"records/{name}", remedy="take another backup; this one is not whole"
        ) from err
    connection.execute(insert(_table(name, columns)), rows)


def _row(name: str, columns: Columns, line: bytes, token: str) -> dict[str, Any]:
    """Return a row from its line; raise ValueError or TypeError where it is none."""
    values = zip(columns.items(), json.loads(line), strict=True)
    row: dict[str, Any] = {c: v if v is None else _UNDERSTAND.get(kind, _same)(v) for (c, kind), v in values}
    if name == "kept_texts" and str(row["key"]).endswith(TOKEN):
        row["text"] = token
    if name == "outbox" and row["state"] in _ON_THE_WAY:
        row |= {"state": SendState.UNCERTAIN.value, "error": _MAYBE_SENT}
    return row


def _refuse_full(connection: Connection, name: str) -> None:
    for table in sorted(set(inspect(connection).get_table_names()) - _MADE_EMPTY):
        if connection.execute(select(text("1")).select_from(text(f'"{table}"')).limit(1)).first():
            raise Conflict(f"{name} is not empty: {table} has rows; add --replace to put the backup in its place")
