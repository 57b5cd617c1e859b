"""Rows of dated tables that people entered, in SQL; a part of the record store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, cast

from sqlalchemy import func, insert, select

from core.errors import Conflict
from core.notes import AuditEntry
from core.own_rows import OwnRow, RowKind
from storage import records_register as register
from storage.records_database import Database, Lock
from storage.tables_own_rows import own_rows


class OwnRowRecords:
    """The entered rows of dated tables at a database."""

    _database: Database

    def add_own_row(self, row: OwnRow, entries: Sequence[AuditEntry], *, after: int) -> OwnRow:
        """Keep a row with its audit, or nothing."""
        values = {c.name: getattr(row, c.name) for c in own_rows.c if c.name != "number"}
        with self._database.write(Lock.OWN_ROWS) as connection:
            last = connection.execute(select(func.max(own_rows.c.number))).scalar() or 0
            same = (own_rows.c.kind == row.kind) & (own_rows.c.key == row.key) & (own_rows.c.version == row.version)
            if last != after or connection.execute(select(own_rows.c.number).where(same)).first():
                raise Conflict("the dated tables were changed meanwhile; look at them again and repeat what you did")
            answer = connection.execute(insert(own_rows).values(**values))
            register.record(connection, entries)
            return replace(row, number=int(cast("Any", answer.inserted_primary_key)[0]))

    def own_rows(self) -> list[OwnRow]:
        """Return every row, in the order in which they were entered."""
        with self._database.read() as connection:
            found = connection.execute(select(own_rows).order_by(own_rows.c.number)).mappings()
            return [OwnRow(**{**row, "kind": RowKind(row["kind"]), "at": row["at"].astimezone(UTC)}) for row in found]

    def last_own_row(self) -> int:
        """Return the number of the row entered last."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(own_rows.c.number))).scalar() or 0)
