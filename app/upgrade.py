"""What starting this version would do to the stores, said before it is done."""

from contextlib import closing

import click

from app.wiring import reading_store
from config.settings import Settings
from core.errors import StoreInUse
from storage.backup_records import RecordArchive


def check_upgrade(settings: Settings) -> bool:
    """Say what would be done to each store; raise StoreError where one is newer than this program.

    Return whether anything would be changed.
    """
    with closing(RecordArchive(settings.records_url())) as records:
        revision, pending = records.pending() if records.there() else ("", [])
    if not revision:
        click.echo("records: none yet; they are made at the first start")
    elif not pending:
        click.echo(f"records: schema {revision}, up to date")
    for number, what in pending if revision else []:
        click.echo(f"records: {revision} -> {number}: {what}")
    click.echo(f"readings: {_readings(settings)}")
    return bool(revision and pending)


def _readings(settings: Settings) -> str:
    path = settings.duckdb_path()
    if settings.readings.store == "duckdb" and not path.exists():
        return "none yet; they are made at the first start"
    store = reading_store(settings)
    with closing(store):
        try:
            store.start()
        except StoreInUse:
            return "held by a running process; its store opens with this version or tells why at the start"
        return f"{settings.readings.store} opens with this version"
