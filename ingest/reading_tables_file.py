"""Files to grids: rows as they stand, headings wherever they are, columns of cells below them.

Above a table stand titles, the point, the period; below it sums. The headings are the row above the first dates.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import PurePath
from typing import Final, NamedTuple

from openpyxl.utils import get_column_letter

from core.errors import InputError, UnitError
from core.units import unit
from ingest.tables import csv_lines, decoded, is_workbook, unguarded, without_hint
from ingest.tables_xlsx import Row, Value, header_place, trimmed, xlsx_rows

LOOKED_AT: Final = 400
"""Rows in which the headings and the column of dates are looked for."""

_DELIMITERS: Final = ";\t,|"
_DATE: Final = re.compile(
    r"\s*(\d{1,2}\.\s*\d{1,2}\.\s*\d{2,4}|\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ]|$)|\d{1,2}[/-]\d{1,2}[/-]\d{4}"
    r"|\d{1,2}[/.]\s?\d{4}\s*$|(led|úno|uno|bře|bre|dub|kvě|kve|čer|cer|srp|zář|zar|říj|rij|lis|pro)\w*\s+\d{4}\s*$)",
    re.IGNORECASE,
)


class RawSheet(NamedTuple):
    """A table as it stands: its name, its rows, and how many lines of the file stand above the first."""

    name: str
    rows: list[Row]
    above: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Columns of cells under headings; `first_row` is the row of the file of the first cells.

    `head_row` is the row of the headings. `stray` are cells (row of the file, value) under no heading.
    """

    name: str
    columns: tuple[str, ...]
    cells: tuple[tuple[Value, ...], ...]
    head_row: int
    first_row: int
    stray: tuple[tuple[int, str], ...] = ()

    def column(self, heading: str) -> tuple[Value, ...]:
        """Return the cells under a heading."""
        return self.cells[self.columns.index(heading)]

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.cells[0]) if self.cells else 0


def raw_sheets(name: str, content: bytes) -> list[RawSheet]:
    """Return the tables of a file; raise InputError for what is none."""
    if not content.strip():
        raise InputError("the file is empty", place=name, remedy="choose the file with the readings")
    if is_workbook(name, content):
        return [RawSheet(title, rows) for title, rows in xlsx_rows(name, content) if rows]
    text, above = without_hint(decoded(name, content))
    return [RawSheet(PurePath(name).stem, _csv_rows(name, text), above)]


def _csv_rows(name: str, text: str) -> list[Row]:
    lines = csv_lines(name, text, delimiter_of(text))
    if "'" in text:
        return [trimmed([_cell(cell) for cell in row]) for row in lines]
    return [trimmed([cell.strip() or None for cell in row]) for row in lines]


def _cell(cell: str) -> str | None:
    if cell[:1] == "'":
        cell = unguarded(cell)
    return cell.strip() or None


def delimiter_of(text: str) -> str:
    """Return the delimiter that stands equally often in most of the first lines; of equals not the comma."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", text[:65_536])
    lines = [line for line in bare.splitlines()[:LOOKED_AT] if line.strip()]
    best, most = _DELIMITERS[0], 0
    for mark in _DELIMITERS:
        counts = Counter(line.count(mark) for line in lines)
        del counts[0]
        usual = max(counts.values(), default=0)
        if usual > most:
            best, most = mark, usual
    return best


def is_date(value: Value) -> bool:
    """Return whether a cell looks like a date or a month."""
    return isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value) is not None)


def grid_of(raw: RawSheet) -> Grid:
    """Return the table of a sheet; no columns where it is empty."""
    rows = raw.rows
    while rows and not rows[-1]:
        rows = rows[:-1]
    if not rows:
        return Grid(name=raw.name, columns=(), cells=(), head_row=1, first_row=1)
    head = _head(rows)
    names, begin = _headings(rows, head)
    if any(is_date(value) for value in rows[head]):  # no headings at all: columns are known by their letters
        names, begin = [get_column_letter(n + 1) for n in range(max(map(len, rows)))], head
    body = rows[begin:]
    cells = tuple(zip_longest(*body)) if body else ()
    first_row = begin + 1 + raw.above
    kept = [n for n, heading in enumerate(names) if heading]
    empty: tuple[Value, ...] = (None,) * len(body)
    return Grid(
        name=raw.name,
        columns=tuple(names[n] for n in kept),
        cells=tuple(cells[n] if n < len(cells) else empty for n in kept),
        head_row=head + 1 + raw.above,
        first_row=first_row,
        stray=tuple(_stray(names, cells, first_row)),
    )


def _head(rows: Sequence[Row]) -> int:
    """Return the index of the headings: the nearest filled row above the first two dates of the column of dates."""
    looked = rows[:LOOKED_AT]
    counts = Counter(n for row in looked for n, value in enumerate(row) if is_date(value))
    if not counts:
        return header_place(rows)
    most = max(counts.values())
    column = min(n for n, count in counts.items() if count == most)
    dated = [n for n, row in enumerate(looked) if column < len(row) and is_date(row[column]) and _filled(row) > 1]
    if not dated:
        return header_place(rows)
    first = next((n for n, after in zip(dated, [*dated[1:], -1], strict=True) if after - n <= 2), dated[0])  # noqa: PLR2004 - one empty line between
    return next((n for n in range(first - 1, -1, -1) if _filled(rows[n]) > 1), max(first - 1, 0))


def _filled(row: Row) -> int:
    return sum(value is not None for value in row)


def _headings(rows: Sequence[Row], head: int) -> tuple[list[str], int]:
    """Return the headings, each once, and where the cells begin; a row of units joins the row above it."""
    texts = [_text(value) for value in rows[head]]
    above = [_text(value) for value in rows[head - 1]] if head else []
    if _all_units(texts) and sum(map(bool, above)) > 1:
        pairs = zip_longest(above, texts, fillvalue="")
        texts = [f"{name} [{bare(of)}]" if of else name for name, of in pairs]
    return _unique(texts), head + 1


def _text(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else " ".join(str(value).split())


def bare(text: str) -> str:
    """Return a unit without its brackets."""
    return text.strip().strip("[]()").strip()


def _all_units(texts: Sequence[str]) -> bool:
    filled = [bare(text) for text in texts if text]
    return bool(filled) and all(_is_unit(text) for text in filled)


def _is_unit(text: str) -> bool:
    if text.casefold() in {"kč", "czk", "-"}:
        return True
    try:
        unit(text)
    except UnitError:
        return False
    return True


def _unique(texts: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    made = []
    for text in texts:
        seen[text] += 1
        made.append(f"{text}#{seen[text]}" if text and seen[text] > 1 else text)
    return made


def _stray(names: Sequence[str], cells: Sequence[Sequence[Value]], first_row: int) -> list[tuple[int, str]]:
    """Return the values under no heading, of each such column the first."""
    found = []
    for n, column in enumerate(cells):
        if n >= len(names) or not names[n]:
            found += [(first_row + i, str(value)) for i, value in enumerate(column) if value is not None][:1]
    return found
