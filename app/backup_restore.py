"""Restoring: an archive into stores that are empty, of the kinds that the settings name."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click

from app.backup import FILES
from app.clock import now
from app.wiring import reading_store
from config.settings import Settings
from core.archive import ArchivedReadings
from core.errors import Conflict, InputError
from storage.backup_archive import Archive
from storage.backup_readings import GRAINS, load_members, readings_of, rollup_of, touched_of
from storage.backup_records import SCHEMA, RecordArchive, Schema, table_of
from storage.duckdb_readings import DuckDBReadingStore

log = logging.getLogger(__name__)

RESTORED: Final = "restored-files"
UNHEARD: Final = "unheard/000001.parquet"


def check(file: Path) -> None:
    """Compare an archive with its manifest and say what is in it."""
    with Archive(file) as archive:
        _tell(archive)


def _tell(archive: Archive) -> None:
    head = archive.head
    counts = f"{archive.rows('readings')} readings, {archive.rows('rollups')} hours and days"
    click.echo(f"{archive.path}: whole; made {head['made']} by Odečet {head['odecet']}")
    click.echo(f"{counts} ({head['readings']}), {archive.rows('records')} records ({head['records']})")


def restore(settings: Settings, file: Path, *, replace: bool) -> None:
    """Put an archive into the stores of these settings; nothing is changed before all of it was found whole."""
    with Archive(file) as archive, closing(RecordArchive(settings.records_url())) as records:
        _tell(archive)
        schema: Schema = archive.parsed(SCHEMA, Schema.parsed)
        _check_schema(records, schema, archive)
        settings.data.folder.mkdir(parents=True, exist_ok=True)
        if not replace:
            records.check_empty()
        with _target(settings, replace=replace) as (readings, settle):
            token = _load(archive, readings)
            readings.close()
            names = archive.names("records")
            rows = ((table_of(name), archive.read(name)) for name in names if name != SCHEMA)
            records.put(schema, rows, token=token, replace=replace, before_commit=settle)
        _put_files(archive, settings.data.folder / RESTORED)
    click.echo("restored; start Odečet, which brings what was under way up to date")


def _check_schema(records: RecordArchive, schema: Schema, archive: Archive) -> None:
    if not records.knows(schema.revision):
        raise InputError(
            f"its records have the schema {schema.revision}, which is newer than this Odečet",
            place=str(archive.path),
            remedy=f"restore it by Odečet {archive.head['odecet']} or newer",
        )


def _load(archive: Archive, store: ArchivedReadings) -> str:
    """Put readings and roll-ups into a store; return the token for whoever follows what is written."""
    done, total = 0, archive.rows("readings")
    parts = load_members(store, archive.names("readings"), lambda name: archive.parsed(name, readings_of))
    for rows in parts:
        done += rows
        log.info("readings restored", extra={"done": done, "total": total})
    for grain in GRAINS:
        for name in archive.names(f"rollups/{grain}"):
            store.write_rollup(grain, archive.parsed(name, rollup_of))
    return store.loaded(archive.parsed(UNHEARD, touched_of))


@contextmanager
def _target(settings: Settings, *, replace: bool) -> Iterator[tuple[ArchivedReadings, Callable[[], None]]]:
    """Give an empty store of readings, and what makes it the store of the settings."""
    if settings.readings.store == "influxdb":
        store = reading_store(settings)
        with closing(store):
            store.start()
            if store.extent().series:
                raise Conflict("the InfluxDB of the settings is not empty; name a new bucket in readings.influx.bucket")
            yield store, lambda: None
        return
    path = settings.duckdb_path()
    held = _refuse_full(path, replace=replace)
    draft = path.with_name(path.name + ".restoring")
    for left in (draft, draft.with_name(draft.name + ".wal")):
        left.unlink(missing_ok=True)
    duckdb = settings.readings.duckdb
    store = DuckDBReadingStore(draft, now, memory_limit_mb=duckdb.memory_limit_mb, threads=duckdb.threads)
    try:
        with closing(store):
            store.start()
            yield store, partial(_take_place, draft, path, held=held)
    finally:
        draft.unlink(missing_ok=True)


def _refuse_full(path: Path, *, replace: bool) -> bool:
    """Return whether a file that is there holds anything; raise Conflict where that is not to be replaced."""
    if not path.exists():
        return False
    former = DuckDBReadingStore(path, now)
    with closing(former):
        former.start()  # raises StoreInUse where a process runs on it
        full = bool(former.extent().series)
    if full and not replace:
        raise Conflict(f"{path} is not empty; add --replace to put the backup in its place, it is kept aside then")
    return full


def _take_place(draft: Path, path: Path, *, held: bool) -> None:
    """Put the restored file in its place; a former one that held anything stays beside it."""
    if held:
        path.replace(path.with_name(f"{path.name}.replaced-{now():%Y%m%dT%H%M%SZ}"))
    draft.replace(path)


def _put_files(archive: Archive, folder: Path) -> None:
    """Lay the operator's own tables and profiles down, where no setting names them yet."""
    names = [*archive.names(FILES), "settings.json"]
    for name in names:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / Path(name).name).write_bytes(archive.read(name))
    click.echo(f"settings and files of that time, for comparison: {folder}")
