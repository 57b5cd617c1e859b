"""Backups: all stores into one archive while everything runs."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from app.clock import now
from app.recurring import Stopped
from config.describe import describe
from config.settings import Settings
from core.archive import ArchivedReadings
from core.errors import InputError, StoreError
from storage import backup_readings
from storage.backup_archive import Archive, Member, as_json, packed
from storage.backup_records import RecordArchive

log = logging.getLogger(__name__)

NAME: Final = "odecet-%Y%m%dT%H%M%SZ.tar"
PATTERN: Final = "odecet-[0-9]*T[0-9]*Z.tar"
FILES: Final = "files"
"""Folder of an archive with what an operator wrote: tables and profiles."""

PART: Final = ".part"


def pieces(settings: Settings, readings: ArchivedReadings) -> Iterator[bytes]:
    """Yield the archive of all that is kept: records as they are now, readings at least up to now."""
    made = now()
    head = {
        "odecet": version("odecet"),
        "readings": settings.readings.store,
        "records": settings.records.url.partition(":")[0] or "sqlite",
    }
    return packed(head, _members(settings, readings), made)


def _members(settings: Settings, readings: ArchivedReadings) -> Iterator[Member]:
    """Yield the records before the readings: what they say was done with readings is then never newer than these."""
    yield Member("settings.json", as_json(_settings(settings)))
    yield from _files(settings)
    with closing(RecordArchive(settings.records_url())) as records, records.snapshot() as (tokens, members):
        yield from members
    yield from backup_readings.members(readings, tokens)


def _settings(settings: Settings) -> dict[str, str]:
    """Return all settings but secrets."""
    secret = {row.path for row in describe(Settings) if row.secret}
    return {path: value for path, value in settings.shown() if path not in secret}


def _files(settings: Settings) -> Iterator[Member]:
    """Yield the tables and profiles of an operator."""
    tables = settings.tables
    named = [tables.factors, tables.tariffs, tables.populations, tables.degree_days, tables.school_holidays]
    folder = settings.ingest.profiles_folder
    named += sorted(folder.glob("*.toml")) if folder else []
    for path in filter(None, named):
        try:
            yield Member(f"{FILES}/{path.name}", path.read_bytes())
        except OSError as err:
            raise InputError(str(err.strerror), place=str(path), remedy="let Odečet's user read it") from err


def write(parts: Iterable[bytes], path: Path, *, stopped: Stopped = lambda: False) -> int:
    """Write an archive, compare it with what it should be and give it its name; return its size [bytes]."""
    if path.exists():
        raise InputError("there is such a file already", place=str(path), remedy="name another")
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _private(part) as take:
            for piece in parts:
                take(piece)
                if stopped():
                    raise StoreError("the backup was stopped before it was whole")
        with Archive(part):
            size = part.stat().st_size
        part.replace(path)
    except OSError as err:
        raise InputError(str(err.strerror or err), place=str(part), remedy="make room, or name another folder") from err
    finally:
        part.unlink(missing_ok=True)
    return size


@contextmanager
def _private(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Give what writes to a file that nobody else may read; it is on disk when the block ends."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file.write
        file.flush()
        os.fsync(file.fileno())


def name_at(at: datetime) -> str:
    """Return the name of a backup begun at an instant in UTC."""
    return at.strftime(NAME)


class Backups:
    """Backups by the clock into the folder of the settings, where the oldest make room for the newest."""

    def __init__(self, settings: Settings, readings: ArchivedReadings, *, metrics: CollectorRegistry) -> None:
        self._settings = settings
        self._folder = settings.backup.folder or Path()
        self._pieces = partial(pieces, settings, readings)
        self._size = Gauge(
            "odecet_backup_last_bytes", "Size of the last backup that this process made", registry=metrics
        )

    def run(self, stopped: Stopped) -> None:
        """Make one, then remove those beyond the number that is kept."""
        path = self._folder / name_at(now())
        size = write(self._pieces(), path, stopped=stopped)
        self._size.set(size)
        log.info("backup made", extra={"file": str(path), "bytes": size})
        for old in sorted(self._folder.glob(PATTERN))[: -self._settings.backup.keep]:
            try:
                old.unlink()
            except OSError as err:
                raise StoreError(f"{old}: an old backup cannot be removed: {err.strerror}") from err
