"""What a page of the process shows: settings without secrets, files of tables, backups, versions and licences."""

import platform
import re
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires
from typing import Final

from app.backup import PATTERN
from config.dated import TABLES
from config.describe import Row, describe
from config.settings import Settings
from core.overview import BackupFile, Library, Overview, ShownSetting, TableFile

MOST_LICENCE: Final = 60


def overview(settings: Settings) -> Overview:
    """Return how this process is set and kept."""
    backup, mail = settings.backup, settings.mail
    files, trouble = _backups(settings)
    return Overview(
        settings=_settings(settings),
        tables=tuple(
            TableFile(
                table=name,
                setting=f"tables.{name}",
                own=str(getattr(settings.tables, name) or ""),
                shipped=f"config/{table.shipped.name}",
            )
            for name, table in TABLES.items()
        ),
        mail=f"{mail.host}:{mail.port}" if mail.host else "",
        backup_folder=str(backup.folder or ""),
        backup_every_h=backup.every_h,
        backup_keep=backup.keep,
        backups=files,
        backup_trouble=trouble,
        python=platform.python_version(),
        libraries=libraries(),
    )


def _settings(settings: Settings) -> tuple[ShownSetting, ...]:
    usual = dict(Settings().shown())
    values = dict(settings.shown())
    return tuple(_setting(row, values[row.path], usual[row.path]) for row in describe(Settings))


def _setting(row: Row, value: str, usual: str) -> ShownSetting:
    """Return a setting as it may be shown: of a secret nothing but whether there is one."""
    shown = ("***" if value else "") if row.secret else value
    changed = not row.secret and value != usual
    return ShownSetting(path=row.path, value=shown, meaning=row.description, secret=row.secret, changed=changed)


def _backups(settings: Settings) -> tuple[tuple[BackupFile, ...], str]:
    """Return the backups in the folder, the newest first, and why they could not be told."""
    folder = settings.backup.folder
    if folder is None:
        return (), ""
    try:
        found = [(path, path.stat()) for path in folder.glob(PATTERN)]
    except OSError as err:
        return (), str(err.strerror or err)
    made = [
        BackupFile(name=path.name, size=told.st_size, made=datetime.fromtimestamp(told.st_mtime, UTC))
        for path, told in found
    ]
    return tuple(sorted(made, key=lambda one: one.name, reverse=True)), ""


@cache
def libraries() -> tuple[Library, ...]:
    """Return what Odečet directly stands on, by name."""
    named = {
        re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in requires("odecet") or () if "extra ==" not in line
    }
    return tuple(found for name in sorted(named, key=str.lower) if (found := _library(name)) is not None)


def first(said: list[str] | None) -> str:
    """Return the first line of what metadata say, empty where they say nothing."""
    return said[0].partition("\n")[0] if said else ""


def _library(name: str) -> Library | None:
    try:
        found = distribution(name)
    except PackageNotFoundError:  # of another platform
        return None
    told = found.metadata
    classified = [c.rpartition("::")[2].strip() for c in told.get_all("Classifier") or () if c.startswith("License ::")]
    said = first(told.get_all("License-Expression")) or ", ".join(classified) or first(told.get_all("License"))
    return Library(name=name, version=found.version, licence=said[:MOST_LICENCE])
