"""Rows of Odečet's own payload on the way to readings."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Bytes, Codes
from ingest.native_meaning import Meaning
from ingest.native_rows import Rows
from ingest.profile import Reject


@dataclass(slots=True)
class Batch:
    """Rows with what was found of them so far; `bad` marks those that something is wrong with.

    `code` numbers each row's meaning in `known`, `meters` are the devices, `received` the arrivals [µs].
    """

    rows: Rows
    received: Longs
    bad: Bools
    rejects: list[Reject]
    code: Codes
    known: list[Meaning]
    meters: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[Any]:
        """Return a key of every row, as written."""
        return [getattr(row, name) for row in self.rows.rows]

    @property
    def kinds(self) -> Bytes:
        """The kind of each row."""
        return np.array([int(m.kind) for m in self.known] or [0], np.uint8)[self.code]

    def reject(self, row: int, key: str, reason: str, detail: str) -> None:
        """Leave a row out, for the first thing that is wrong with it."""
        if not self.bad[row]:
            self.bad[row] = True
            self.rejects.append(Reject(int(self.rows.message[row]), self.rows.place(row, key), reason, detail))

    def reject_all(self, rows: Bools, key: str, reason: str, detail: str) -> None:
        """Leave the marked rows out for the same thing."""
        for row in np.flatnonzero(rows).tolist():
            self.reject(row, key, reason, detail)
