"""Tables of readings: what their columns mean, and what they say. Files become these in ingest, acts take them.

A mapping tells what the columns of a table mean. It is proposed from the content, confirmed by a person and remembered
by the headings. What a mapping leaves open is a question, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from core.calendar import Instants, Longs
from core.readings import Bytes, Codes, Floats, Readings
from core.table_troubles import Told
from core.units import Quantity


class Layout(StrEnum):
    """What a table is: readings of meters, invoices, or a distributor's load profile."""

    READINGS = "readings"
    INVOICES = "invoices"
    PROFILE = "profile"


class Amount(StrEnum):
    """What a value is: a dial reading, an amount of its period, or the mean power of its period."""

    DIAL = "dial"
    INTERVAL = "interval"
    MEAN_POWER = "mean_power"


class Stamp(StrEnum):
    """Which end of its period a time is."""

    START = "start"
    END = "end"


class DayAt(StrEnum):
    """When a dial was read of which the table tells the day alone."""

    START = "start"
    NOON = "noon"
    END = "end"


class Order(StrEnum):
    """The order of day and month in dates with slashes or dashes."""

    DMY = "dmy"
    MDY = "mdy"


class Means(StrEnum):
    """What a status says of its value."""

    GOOD = "good"
    SUSPECT = "suspect"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column of values. What is empty is told by the row: its meter, its register, its unit, its status.

    `register` is a full one (energy.import/t1) or what of it is known: `.export`, `/t1`.
    """

    column: str
    subject: str = ""
    register: str = ""
    unit: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """What the columns of a table mean. Columns are named by their headings, a repeated one as `Status#2`.

    `subject` is the column that names the meter or point, `whole` the one of the whole table. `time` holds the date or
    the date and time, `clock` the time of day beside it. `start` and `end` are the columns of a period whose days
    both belong to it; `period` one column with both, or with a month. `unit` and `register` are columns too.
    None is an open question where the table needs an answer.
    """

    sheet: str = ""
    layout: Layout = Layout.READINGS
    subject: str = ""
    whole: str = ""
    time: str = ""
    clock: str = ""
    start: str = ""
    end: str = ""
    period: str = ""
    values: tuple[ValueColumn, ...] = ()
    unit: str = ""
    register: str = ""
    status: str = ""
    document: str = ""
    document_kind: str = ""
    price: str = ""
    amount: Amount | None = None
    stamp: Stamp | None = None
    day_at: DayAt = DayAt.NOON
    order: Order | None = None
    decimal: str = ""
    zone: str = "Europe/Prague"
    manual: bool = False
    unknown_to_inbox: bool = False
    statuses: Mapping[str, Means] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReadings:
    """What a table says, one entry a value in each array.

    `subjects`, `registers` and `quantities` are distinct and indexed by `subject`, `register` and `quantity`.
    Registers are full or partial as in ValueColumn. Values are canonical (core.units); `at` is the instant of a dial
    or the end of a period of `span_s` seconds (0: a dial). `row` is the row of the file, `column` indexes `columns`.
    `documents` are the distinct (number, kind) of invoices, `document` indexes them; `price_czk` NaN where none is.
    """

    sheet: str
    columns: tuple[str, ...]
    subjects: tuple[str, ...]
    registers: tuple[str, ...]
    quantities: tuple[tuple[Quantity, str], ...]
    subject: Codes
    register: Codes
    quantity: Codes
    at: Instants
    span_s: Longs
    value: Floats
    quality: Bytes
    row: Longs
    column: Codes
    documents: tuple[tuple[str, str], ...] = (("", ""),)
    document: Codes
    price_czk: Floats
    faults: tuple[Told, ...] = ()
    remarks: tuple[Told, ...] = ()

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A reading that is out of bounds: its index, and whether its value or its time is at fault."""

    index: int
    of_value: bool


class ReadingTable(Protocol):
    """A file that was opened: its tables, what they seem to mean, what they say."""

    @property
    def fingerprint(self) -> str:
        """The name of the headings: the same for files of one form."""
        ...

    def columns(self, sheet: str = "") -> Sequence[str]:
        """Return the headings of a sheet (empty: of the one that is proposed)."""
        ...

    @property
    def sheets(self) -> Sequence[str]:
        """The names of the sheets."""
        ...

    def propose(self, zone: str, sheet: str = "") -> TableMapping:
        """Return what the columns of a sheet (empty: of the likeliest) seem to mean; what cannot be told stays open."""
        ...

    def read(self, mapping: TableMapping) -> TableReadings:
        """Return what the table says by a mapping; open questions and bad cells are faults."""
        ...


class ReadingTables(Protocol):
    """Opens files of tables of readings."""

    def open(self, name: str, content: bytes) -> ReadingTable:
        """Return a file's tables; raise InputError for what is no table."""
        ...

    def refused(self, readings: Readings, now: np.datetime64) -> Sequence[Refusal]:
        """Return which readings no door accepts: bounds of value and time, the same for every door."""
        ...
