"""A DuckDB file that one process holds, with cursors for its threads, that opens itself again after a fault."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

import duckdb

from core.errors import StoreError, StoreInUse, StoreUnavailable

CHECKPOINT_AT: Final = "128MB"
"""The log is folded into the file at this size: some seconds of full load, and about a second to replay at a start."""

_HELD: set[Path] = set()
"""Files that stores of this process hold: DuckDB would let a second one in, blind to what the first one writes."""

_PASSING: Final = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.OutOfMemoryException,
    duckdb.ConnectionException,
    duckdb.TransactionException,
)


class DuckDBFile:
    """Opens `path`; `opened` is called with a cursor each time, to prepare tables and load what is kept in memory.

    Once a write failed it is not known what reached the disk, and DuckDB refuses further work after a full disk:
    the file is closed as soon as no thread uses it, and opened again by the next who needs it.
    """

    def __init__(
        self, path: Path, opened: Callable[[duckdb.DuckDBPyConnection], None], *, memory_limit_mb: int, threads: int
    ) -> None:
        self.path = path
        self._opened = opened
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_limit_mb}MB",
            "threads": threads,
            "checkpoint_threshold": CHECKPOINT_AT,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._free = threading.Condition()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._users = 0
        self._started = False
        self.faulty = False

    def start(self) -> None:
        """Open the file, made where there is none; raise StoreInUse, StoreUnavailable or StoreError."""
        with self._free:
            if self._started:
                return
            held = self.path.resolve()
            if held in _HELD:
                raise StoreInUse(f"{self.path} is held by another store of this process")
            self._open()
            _HELD.add(held)
            self._started = True

    def close(self) -> None:
        """Release the file when its users are done."""
        with self._free:
            if not self._started:
                return
            self._started = False
            self._free.wait_for(lambda: self._users == 0)
            self._close()
            _HELD.discard(self.path.resolve())

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor, a snapshot of its own."""
        cursor = self._enter()
        try:
            yield cursor
        except _PASSING as err:
            self.faulty = True
            raise StoreUnavailable(f"{self.path}: {err}") from err
        except duckdb.Error as err:
            raise StoreError(f"{self.path}: {err}") from err
        finally:
            self._leave(cursor)

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor in a transaction. The block commits it; what it has not committed when it ends is not done."""
        cursor = self._enter()
        try:
            cursor.begin()
            yield cursor
        except BaseException as err:
            self.faulty = True  # it is not known whether a commit that failed reached the disk
            if isinstance(err, _PASSING):
                raise StoreUnavailable(f"{self.path}: {err}") from err
            if isinstance(err, duckdb.Error):
                raise StoreError(f"{self.path}: {err}") from err
            raise
        finally:
            with suppress(duckdb.Error):  # nothing is open after a commit or a fatal fault
                cursor.rollback()
            self._leave(cursor)

    def _enter(self) -> duckdb.DuckDBPyConnection:
        with self._free:
            if not self._started:
                raise StoreUnavailable(f"{self.path} is not open")
            if self.faulty or self._connection is None:
                self._reopen()
            assert self._connection is not None  # noqa: S101 - _reopen raised otherwise
            with _foreign(self.path):
                cursor = self._connection.cursor()
            self._users += 1
            return cursor

    def _leave(self, cursor: duckdb.DuckDBPyConnection) -> None:
        with self._free:
            with suppress(duckdb.Error):
                cursor.close()
            self._users -= 1
            self._free.notify_all()

    def _reopen(self) -> None:
        """Close and open when the other users are gone; DuckDB would else hand out the faulty instance again."""
        self._free.wait_for(lambda: self._users == 0)
        if self.faulty or self._connection is None:  # another thread may have done it while this one waited
            self._close()
            self._open()

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise StoreUnavailable(f"{self.path.parent}: {err}") from err
        with _foreign(self.path):
            connection = duckdb.connect(str(self.path), config=self._config)
            try:
                self._opened(connection)
            except BaseException:
                connection.close()
                raise
        self._connection, self.faulty = connection, False

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(duckdb.Error):  # closing folds the log; where that fails it is replayed at the next start
                self._connection.close()
            self._connection = None


def _foreign(path: Path) -> AbstractContextManager[None]:
    """Turn DuckDB's errors into ours, also the one of a file that another process holds."""

    @contextmanager
    def turned() -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as err:
            if "could not set lock" in str(err).lower():
                raise StoreInUse(f"{path} is held by another process; stop it, or ask it over its API: {err}") from err
            if "not a valid duckdb" in str(err).lower():
                raise StoreError(f"{path} is no file of this store: {err}") from err
            raise StoreUnavailable(f"{path}: {err}") from err
        except _PASSING as err:
            raise StoreUnavailable(f"{path}: {err}") from err
        except duckdb.Error as err:
            raise StoreError(f"{path}: {err}") from err

    return turned()
