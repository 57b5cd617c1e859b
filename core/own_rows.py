"""Rows of dated tables that people enter while Odečet runs: kept for ever, one version after the other; their store.

Nothing is changed or removed. A correction is the next version of the same row, which replaces the former versions
whole; a value that ends is a next version with `until`, one that should not be is a next version that is `withdrawn`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from core.notes import AuditEntry, JsonValue
from core.region_tables import RegionTables

ENTITY: Final = "dated_row"
"""How the audit trail names a row; its key there is `kind/key`."""


class RowKind(StrEnum):
    """What a row says, as the tables in files call it."""

    FACTOR = "factor"
    RATIO = "ratio"
    CONVERSION = "conversion"
    SUPPLY = "supply"
    PRICE = "price"
    CONNECTION = "connection"
    RESERVED = "reserved"
    MEASURED = "measured"
    POPULATION = "population"
    NORMAL = "normal"
    HOLIDAY = "holiday"


TABLE_OF: Final[Mapping[RowKind, str]] = {
    RowKind.FACTOR: "factors",
    RowKind.RATIO: "factors",
    RowKind.CONVERSION: "factors",
    RowKind.SUPPLY: "factors",
    RowKind.PRICE: "tariffs",
    RowKind.CONNECTION: "tariffs",
    RowKind.RESERVED: "tariffs",
    RowKind.MEASURED: "tariffs",
    RowKind.POPULATION: "populations",
    RowKind.NORMAL: "degree_days",
    RowKind.HOLIDAY: "school_holidays",
}
"""The table in which each kind of row stands."""


class Origin(StrEnum):
    """Where a row comes from: it ships, stands in a file that the settings name, or was entered."""

    SHIPPED = "shipped"
    FILE = "file"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRow:
    """A version of a row as somebody entered it; `content` is canonical JSON, `number` grows with every row."""

    kind: RowKind
    key: str
    version: int
    content: str
    by: str
    at: datetime
    why: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRow:
    """A version of a row of any origin: its content as it was written, and what that makes.

    `newest`: no later version of it is there. Only newest rows count, and of them none that is `withdrawn`.
    """

    kind: RowKind
    key: str
    version: int
    content: Mapping[str, JsonValue]
    made: Any
    origin: Origin
    withdrawn: bool = False
    newest: bool = True
    entered: OwnRow | None = None

    @property
    def counts(self) -> bool:
        """Whether anything new is computed with it."""
        return self.newest and not self.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingTables:
    """The dated tables as they stand after the entered row `number`: every version, and what counts of them.

    `school` are the days without school.
    """

    number: int
    rows: tuple[ListedRow, ...]
    dated: RegionTables
    school: frozenset[date]

    def of(self, kind: RowKind, key: str) -> tuple[ListedRow, ...]:
        """Return the versions of a row, the newest first."""
        found = [row for row in self.rows if row.kind is kind and row.key == key]
        return tuple(sorted(found, key=lambda row: (row.version, row.origin is Origin.ENTERED), reverse=True))


class DatedTables(Protocol):
    """The dated tables as they stand now, whoever entered the last row, and what a further row would make of them."""

    def standing(self) -> StandingTables:
        """Return the tables as they stand now."""
        ...

    def with_row(self, kind: RowKind, content: Mapping[str, JsonValue]) -> tuple[ListedRow, StandingTables]:
        """Return a further row, of the next version of its id, and the tables with it, not kept anywhere.

        Raise InputError, naming the field, for what a table in a file would be refused for.
        """
        ...

    def schema(self, kind: RowKind) -> Mapping[str, JsonValue]:
        """Return what a row of a kind may say, as a JSON schema."""
        ...


class OwnRowStore(Protocol):
    """The part of the record store that keeps entered rows."""

    def add_own_row(self, row: OwnRow, entries: Sequence[AuditEntry], *, after: int) -> OwnRow:
        """Keep a row durably with its audit, or nothing; return it with its number.

        Raise Conflict where the last row kept is not the one of number `after`, so that what the row was checked
        against may not hold, and where this version of it is kept already.
        """
        ...

    def own_rows(self) -> list[OwnRow]:
        """Return every row, in the order in which they were entered."""
        ...

    def last_own_row(self) -> int:
        """Return the number of the row entered last, 0 where none was."""
        ...
