"""What is noted while a table is read, each with its place in the file."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.calendar import Bools
from core.table_troubles import Told, Trouble
from ingest.reading_tables_file import Grid

MOST: Final = 200
"""Cells of one trouble in one column that are told singly; more say nothing new."""


class Notes:
    """Collects faults and remarks on a grid."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.faults: list[Told] = []
        self.remarks: list[Told] = []

    def table(self, trouble: Trouble, column: str = "", **args: str) -> None:
        """Note a fault of the whole table, at its headings."""
        self.faults.append(self._told(self._grid.head_row, column, trouble, args))

    def cells(self, column: str, wrong: Bools, trouble: Trouble, cells: Sequence[object] = (), **args: str) -> None:
        """Note a fault of the rows of a column where `wrong` holds, with the cells as written."""
        for row in np.flatnonzero(wrong)[:MOST].tolist():
            value = {"value": str(cells[row])[:80]} if cells else {}
            self.faults.append(self._told(self._grid.first_row + row, column, trouble, {**value, **args}))

    def remark(self, trouble: Trouble, column: str = "", row: int = -1, **args: str) -> None:
        """Note what is worth knowing."""
        at = self._grid.head_row if row < 0 else self._grid.first_row + row
        self.remarks.append(self._told(at, column, trouble, args))

    def _told(self, row: int, column: str, trouble: Trouble, args: dict[str, str]) -> Told:
        return Told(sheet=self._grid.name, row=row, column=column, trouble=trouble, args=args)
