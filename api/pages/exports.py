"""What a page shows, as a file: CSV as spreadsheets of the reader's language read it, or XLSX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from starlette.responses import Response

from api.answers import Value, as_csv
from api.pages.view import Viewer
from core.errors import InputError
from core.ports import Sheet

T = TypeVar("T")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: Final = ("csv", "xlsx")
LONGEST_NAME: Final = 31
"""Spreadsheets take no longer name of a sheet."""

Cell = str | float | int | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: its heading (English, translated when shown) and what stands in it for a line."""

    name: str
    value: Callable[[T], Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as exported."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, name: str, columns: Sequence[Column[T]], lines: Sequence[T], v: Viewer) -> "Table":
        """Return the table of lines, instants as the local clock."""
        zone = v.room.deps.zone
        rows = [[column.value(line) for column in columns] for line in lines]
        local = [
            tuple(c.astimezone(zone).replace(tzinfo=None, microsecond=0) if isinstance(c, datetime) else c for c in row)
            for row in rows
        ]
        return cls(name=name, columns=tuple(v.words.text(c.name) for c in columns), rows=tuple(local))


def exported(v: Viewer, form: str, name: str, tables: Sequence[Table]) -> Response:
    """Return tables as a file: of CSV the first alone, as XLSX each on a sheet; raise InputError for another form."""
    if form not in FORMS:
        raise InputError(f"format {form!r} is not known", place="format", remedy="write csv or xlsx")
    if form == "csv":
        rows = [[_text(cell) for cell in row] for row in tables[0].rows]
        return as_csv(_plain(name), tables[0].columns, rows, czech=v.words.code == "cs")
    sheets = [Sheet(name=t.name[:LONGEST_NAME], columns=t.columns, rows=t.rows) for t in tables]
    content = v.room.deps.tables.write(f"{name}.xlsx", sheets)
    told = {"Content-Disposition": f'attachment; filename="{_plain(name)}.xlsx"'}
    return Response(content, 200, told, media_type=XLSX)


def _text(cell: Cell) -> Value:
    return cell.isoformat(" ") if isinstance(cell, datetime) else cell


def _plain(name: str) -> str:
    """Return a name that every header and file system takes."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name).strip("-") or "odecet"
