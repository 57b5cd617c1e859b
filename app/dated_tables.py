"""The dated tables of a process: those that ship, those of its settings, and what people entered meanwhile."""

import threading
from collections.abc import Mapping
from dataclasses import replace

from config.dated import TABLES, Files, drafted, read_files, schema, standing, standing_of
from config.settings import Settings
from core.errors import InputError
from core.notes import JsonValue
from core.own_rows import ListedRow, OwnRowStore, RowKind, StandingTables
from core.region_tables import RegionTables
from core.tariffs import overlapping
from services.baselines import Facts


def table_files(settings: Settings) -> Files:
    """Return what the files of the settings say; raise ConfigError where one is wrong."""
    tables = settings.tables
    return read_files({name: getattr(tables, name) for name in TABLES}, tables.place)


def region_tables(settings: Settings) -> RegionTables:
    """Return factors, tariffs, populations and normals of the files; raise ConfigError where a table is wrong."""
    return standing(table_files(settings), ()).dated


class PresentTables:
    """The dated tables as they stand now: each question looks whether the store has further rows.

    So a row that any process entered counts in all of them with their next question. May be asked by several threads.
    `facts` are what models rest on besides readings, without days of schools.
    """

    def __init__(self, files: Files, records: OwnRowStore, facts: Facts) -> None:
        self._files = files
        self._records = records
        self._lock = threading.Lock()
        self._held: tuple[StandingTables, Facts] | None = None
        self.without_school = facts

    def standing(self) -> StandingTables:
        """Return the tables as they stand now."""
        return self._now()[0]

    def dated(self) -> RegionTables:
        """Return factors, tariffs, populations and normals as they stand now."""
        return self._now()[0].dated

    def facts(self) -> Facts:
        """Return what models rest on besides readings, with the school holidays as they stand now."""
        return self._now()[1]

    def _now(self) -> tuple[StandingTables, Facts]:
        number = self._records.last_own_row()
        with self._lock:
            if self._held is None or self._held[0].number != number:
                found = standing(self._files, self._records.own_rows())
                self._held = found, replace(self.without_school, school=found.school)
            return self._held

    def with_row(self, kind: RowKind, content: Mapping[str, JsonValue]) -> tuple[ListedRow, StandingTables]:
        """Return a further row and the tables with it; raise InputError, naming the field, where it cannot be."""
        now = self.standing()
        row = drafted(kind, content, now.rows)
        entered = [one for one in now.rows if one.entered is not None]
        made = standing_of(self._files, [*entered, row], now.number)
        if pair := overlapping(made.dated.tariffs.connections):
            raise InputError(
                f"connections {pair[0].id!r} and {pair[1].id!r} say two things of the same points at once",
                place="since",
                remedy="end the first where the second begins",
            )
        return row, made

    def schema(self, kind: RowKind) -> Mapping[str, JsonValue]:
        """Return what a row of a kind may say, as a JSON schema."""
        return schema(kind)
