"""Connections to the SQL database of records: transactions, locks, schema; foreign exceptions stop here."""

import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import ConfigError, Conflict, InputError, OdecetError, StoreError, StoreUnavailable

BUSY_MS: Final = 30_000
"""How long one writer of SQLite waits for another [ms]."""
POSTGRES_PATIENCE: Final = {"connect_timeout": "5", "keepalives_idle": "15", "tcp_user_timeout": "20000"}
"""libpq options: a server that vanished is noticed in seconds [s, s, ms], not in the two hours of TCP."""
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Alembic keeps its context in module globals: one upgrade at a time in a process.
_upgrading: Final = threading.Lock()


class Lock(IntEnum):
    """What writers take in turn: in PostgreSQL an advisory lock held to the end of the transaction."""

    MIGRATION = 0x0DECE700
    REGISTER = 0x0DECE701
    FINDINGS = 0x0DECE702
    DESCRIPTIONS = 0x0DECE703
    ALERTS = 0x0DECE704
    OUTBOX = 0x0DECE705
    PUBLICATIONS = 0x0DECE706
    RULES = 0x0DECE707
    PEOPLE = 0x0DECE708
    OWN_ROWS = 0x0DECE709


class Database:
    """One SQL database. Constructing it checks the address and opens nothing."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """The address, without its password."""
        return self.url.render_as_string(hide_password=True)

    def start(self) -> None:
        """Open and bring the schema up to date; starting again, also from many processes at once, changes nothing."""
        self.open()
        with self.write(Lock.MIGRATION) as connection:
            self.migrate(connection)

    def open(self) -> None:
        """Open, with the schema as it is."""
        if self._engine is None:
            self._engine = _engine(self.url)

    def migrate(self, connection: Connection, revision: str = "head") -> None:
        """Bring the schema to a revision, down to it for `base`, in the open transaction."""
        with self._translated(), _upgrading:
            act = command.downgrade if revision == "base" else command.upgrade
            act(_alembic(connection), revision)

    def revision(self, connection: Connection) -> str:
        """Return the revision of the schema, empty where there is none."""
        return MigrationContext.configure(connection).get_current_revision() or ""

    def knows(self, revision: str) -> bool:
        """Return whether there is such a revision."""
        scripts = ScriptDirectory(str(_MIGRATIONS))
        return revision in {script.revision for script in scripts.walk_revisions()}

    def pending(self, connection: Connection) -> list[tuple[str, str]]:
        """Return what migrations would do, by revision; raise StoreError for a schema that is newer than this code."""
        scripts = ScriptDirectory.from_config(_alembic(connection))
        with self._translated():
            ahead = list(scripts.iterate_revisions("head", self.revision(connection) or "base"))
        return [(script.revision, script.doc) for script in reversed(ahead)]

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees all of the database as it was at one moment, and streams what it reads."""
        options: dict[str, Any] = {"stream_results": True}
        if self.url.drivername != "sqlite":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._translated(), self._open().connect() as bare:
            connection = bare.execution_options(**options)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Release every connection."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for questions."""
        with self._translated(), self._open().connect() as connection:
            yield connection

    @contextmanager
    def write(self, lock: Lock | None = None) -> Iterator[Connection]:
        """Give a connection in a transaction that ends durably with the block, or leaves nothing."""
        with self._translated(), self._open().connect() as bare:
            connection = bare.execution_options(odecet_write=True)
            with connection.begin():
                if lock is not None and connection.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(int(lock))))
                yield connection

    def _open(self) -> Engine:
        if self._engine is None:
            raise StoreError(f"{self.name} is not started")
        return self._engine

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, CommandError, RevisionError) as err:
            raise _ours(err, self.name) from err


def _checked(url: str) -> URL:
    """Return the address with the drivers that are shipped; raise ConfigError where it cannot be one."""
    try:
        address = make_url(url)
    except ArgumentError as err:
        raise ConfigError(
            "the address of the record store cannot be read; write sqlite:///folder/file or postgresql://user@host/name"
        ) from err
    if address.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return address.set(drivername="postgresql+psycopg")
    if address.drivername in {"sqlite", "sqlite+pysqlite"} and address.database not in {None, "", ":memory:"}:
        return address.set(drivername="sqlite")
    raise ConfigError(
        f"records cannot be kept in {address.render_as_string(hide_password=True)!r}; "
        "write sqlite:///folder/file or postgresql://user@host/name"
    )


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        _make_folder(Path(str(url.database)).parent)
        engine = create_engine(url, json_serializer=to_json)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    patience = {key: value for key, value in POSTGRES_PATIENCE.items() if key not in url.query}
    return create_engine(url, json_serializer=to_json, pool_pre_ping=True, connect_args=patience)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise StoreUnavailable(f"{folder}: {err.strerror}") from err


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, also for schema changes
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A write transaction that begins as a reader can fail at its first write, whatever the busy timeout is.
    writes = connection.get_execution_options().get("odecet_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _ours(err: SQLAlchemyError | CommandError | RevisionError, name: str) -> OdecetError:
    """Return the error of our tree that says who must act."""
    if isinstance(err, CommandError | RevisionError):
        return StoreError(f"{name}: its schema is not known here ({err}); use the newer Odečet that made it")
    cause = getattr(err, "orig", None) or err
    if isinstance(cause, OdecetError):
        return cause
    if isinstance(err, IntegrityError):
        return Conflict(f"it would contradict what is stored: {cause}")
    if isinstance(err, PoolTimeoutError) or (isinstance(err, DBAPIError) and _may_pass(err)):
        return StoreUnavailable(f"{name}: {cause}")
    if isinstance(err, DataError) or type(err) is StatementError:
        return InputError(f"a value cannot be stored: {cause}", remedy="check the values")
    return StoreError(f"{name}: {cause}")


def _may_pass(err: DBAPIError) -> bool:
    """Return whether waiting may help: connection, lock, disk; not a wrong statement or a broken file."""
    if isinstance(err.orig, sqlite3.Error):
        return isinstance(err, OperationalError) and err.orig.sqlite_errorcode != sqlite3.SQLITE_ERROR
    standby = getattr(err.orig, "sqlstate", None) == "25006"
    return err.connection_invalidated or standby or isinstance(err, OperationalError | InterfaceError)


def to_json(value: object) -> str:
    """Return strict JSON; a number that is none, which JSON cannot say, becomes null."""
    return json.dumps(_sayable(value), ensure_ascii=True, allow_nan=False)


def _sayable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, np.generic):
        return _sayable(value.item())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
