"""`odecet backup`: of the stores here, else by the process that holds the embedded one."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from app.backup import name_at, pieces, write
from app.clock import now
from app.exchange import running
from app.wiring import reading_store
from config.settings import Settings
from core.errors import StoreInUse

BACKUP: Final = "/api/v1/backup"


def make_backup(settings: Settings, file: Path | None) -> None:
    """Make a backup now: of the stores here, else by the process that holds the embedded one."""
    path = file or (settings.backup.folder or Path()) / name_at(now())
    with ExitStack() as stack:
        size = write(_pieces_anywhere(settings, stack), path)
    click.echo(f"{path}: {size / 1e6:.1f} MB, whole")


def _pieces_anywhere(settings: Settings, stack: ExitStack) -> Iterator[bytes]:
    readings = reading_store(settings)
    stack.callback(readings.close)
    try:
        readings.start()
    except StoreInUse as held:
        answer = stack.enter_context(running(settings, held, BACKUP))
        yield from answer
        return
    yield from pieces(settings, readings)
