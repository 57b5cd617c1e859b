"""Tables of readings in files: opened, proposed, read; and the bounds that every door keeps."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.reading_tables import ReadingTable, Refusal, TableMapping, TableReadings
from core.readings import Readings
from core.table_troubles import Told, Trouble
from ingest.accept import Bounds, accept
from ingest.message import Message
from ingest.profile import Decoded
from ingest.reading_tables_file import Grid, grid_of, is_date, raw_sheets
from ingest.reading_tables_propose import propose
from ingest.reading_tables_read import read

_VALUE: Final = "value"


class FileReadingTable:
    """The tables of one file."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self._grids = {grid.name: grid for grid in map(grid_of, raw_sheets(name, content)) if grid.columns}

    @property
    def sheets(self) -> Sequence[str]:
        """The names of the sheets that are not empty."""
        return tuple(self._grids)

    @property
    def fingerprint(self) -> str:
        """The name of the headings of the proposed sheet."""
        return hashlib.sha256("\x1f".join(self.columns()).encode()).hexdigest()[:32]

    def columns(self, sheet: str = "") -> Sequence[str]:
        """Return the headings of a sheet (empty: of the proposed one)."""
        grid = self._grid(sheet)
        return grid.columns if grid else ()

    def propose(self, zone: str, sheet: str = "") -> TableMapping:
        """Return what the columns of a sheet (empty: of the one with the most dated rows) seem to mean."""
        grid = self._grid(sheet)
        return propose(grid, zone) if grid else TableMapping(zone=zone)

    def read(self, mapping: TableMapping) -> TableReadings:
        """Return what the table says by a mapping."""
        grid = self._grid(mapping.sheet) or Grid(name=self.name, columns=(), cells=(), head_row=1, first_row=1)
        made = read(grid, mapping)
        others = [name for name in self._grids if name != grid.name]
        left = [Told(sheet=name, row=1, column="", trouble=Trouble.SHEET_LEFT, args={"value": name}) for name in others]
        return _with(made, left)

    def _grid(self, sheet: str) -> Grid | None:
        if sheet in self._grids:
            return self._grids[sheet]
        return max(self._grids.values(), key=_dated_rows, default=None)


def _with(made: TableReadings, remarks: Sequence[Told]) -> TableReadings:
    return replace(made, remarks=(*made.remarks, *remarks))


def _dated_rows(grid: Grid) -> int:
    return max((sum(map(is_date, column[:2000])) for column in grid.cells), default=0)


class FileReadingTables:
    """Opens tables of readings; refuses what the bounds refuse."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def open(self, name: str, content: bytes) -> ReadingTable:
        """Return a file's tables; raise InputError for what is none."""
        return FileReadingTable(name, content)

    def refused(self, readings: Readings, now: np.datetime64) -> Sequence[Refusal]:
        """Return which readings are out of bounds, by the acceptance of messages."""
        whole = Decoded(
            readings=readings,
            message=np.zeros(len(readings), np.int32),
            row=np.arange(len(readings), dtype=np.int64),
            place=lambda row, key: f"{row}/{key}",
        )
        message = Message(topic="", payload=b"", received=0)
        rejects = accept(whole, [message], now=now, latest=_none, bounds=self._bounds).rejects
        places = (reject.place.split("/") for reject in rejects)
        return [Refusal(index=int(row), of_value=key == _VALUE) for row, key in places]


def _none(_: object) -> Readings:
    return Readings.empty()
