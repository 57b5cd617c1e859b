"""How a process is set and kept, for those who run it: settings without secrets, files of tables, backups, versions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """A setting: its path, value as text (of a secret only whether there is one), and what it means."""

    path: str
    value: str
    meaning: str
    secret: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A table of dated values: the setting that names an operator's file, that file (empty: none), what ships."""

    table: str
    setting: str
    own: str
    shipped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A backup in the folder: its name, size [bytes], and when it was whole."""

    name: str
    size: int
    made: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Something that Odečet stands on: its name, version and licence."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that a page of the process shows. `backup_trouble` says why the folder could not be looked into."""

    settings: tuple[ShownSetting, ...] = ()
    tables: tuple[TableFile, ...] = ()
    mail: str = ""
    backup_folder: str = ""
    backup_every_h: float = 0.0
    backup_keep: int = 0
    backups: tuple[BackupFile, ...] = ()
    backup_trouble: str = ""
    python: str = ""
    libraries: tuple[Library, ...] = ()
