"""Tables in files: CSV as Czech offices write it, XLSX of any spreadsheet program.

CSV is read with `;`, `,` or tab, in UTF-8 or cp1250, and written with `;`, in UTF-8 with a byte order mark, CRLF at
line ends and a decimal point (the mark that every program reads). Text that a spreadsheet would run as a formula is
written so that it does not, and reads back as it was.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Final

from core.errors import InputError
from core.ports import Sheet
from ingest.tables_xlsx import CELLS_LIMIT, Value, read_xlsx, sheet_of, trimmed, write_xlsx

_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ";\t,"
FIELD_LIMIT: Final = 1_000_000
"""The longest cell of a CSV [characters]; an unclosed quote would else swallow the rest of a file."""
COLUMNS_LIMIT: Final = 100_000
"""The most cells of a row; spreadsheet programs have a sixth of them."""
_LEAST_OF_ROW: Final = 3
"""So many cells a row counts for, however short: it takes memory of its own."""

# A quote in front keeps a spreadsheet from running the text; one more where the text begins with quotes itself.
_RUNS: Final = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r\n]")


class FileTables:
    """Reads and writes tables in files of CSV and XLSX."""

    def read(self, name: str, content: bytes) -> list[Sheet]:
        """Return the sheets of an XLSX, or the one of a CSV (its name is the file's without ending).

        Cells are stripped of nothing; empty ones are None. Cells of a CSV are text. Raise InputError.
        """
        return read_xlsx(name, content) if is_workbook(name, content) else [_read_csv(name, content)]

    def write(self, name: str, sheets: Sequence[Sheet]) -> bytes:
        """Return a file of the kind that the name's ending tells (csv: one sheet, xlsx: all)."""
        ending = _ending(name)
        if ending == ".xlsx":
            return write_xlsx(sheets)
        if ending != ".csv":
            raise InputError(f"tables cannot be written as {name!r}", remedy="end the name with .csv or .xlsx")
        if len(sheets) != 1:
            raise InputError(f"a CSV holds one table, not {len(sheets)}", place=name, remedy="write XLSX")
        return _write_csv(sheets[0])


def is_workbook(name: str, content: bytes) -> bool:
    """Return whether a file is an XLSX (else it is text); raise InputError for other formats of spreadsheets."""
    if content.startswith(_OLD_OFFICE):
        raise InputError("the file is in an old format or has a password", place=name, remedy="save it as XLSX")
    if content.startswith(_ZIP):
        return True
    if _ending(name) in {".xlsx", ".xlsm", ".xls", ".ods"}:
        raise InputError("the file is no XLSX", place=name, remedy="save it as XLSX or CSV")
    return False


def _ending(name: str) -> str:
    return PurePath(name).suffix.lower()


def _read_csv(name: str, content: bytes) -> Sheet:
    text, above = without_hint(decoded(name, content))
    rows = [trimmed([unguarded(cell) or None for cell in row]) for row in csv_lines(name, text, _delimiter(text))]
    return sheet_of(PurePath(name).stem, rows, name, above=above)


def decoded(name: str, content: bytes) -> str:
    """Return the text of a file in UTF-8, UTF-16 or cp1250; raise InputError."""
    encodings = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "cp1250")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InputError("the file is no text in UTF-8 or cp1250", place=name, remedy="save it as CSV UTF-8 or XLSX")


def without_hint(text: str) -> tuple[str, int]:
    """Return the text without Excel's line that names the delimiter, and how many lines that took."""
    hint = re.match(r"sep=.\r?\n", text)
    return (text[hint.end() :], 1) if hint else (text, 0)


def csv_lines(name: str, text: str, delimiter: str, *, strict: bool = True) -> Iterator[list[str]]:
    """Return the cells of each line as they are written; raise InputError, naming the line, where quotes do not end.

    Raise InputError too where there are more cells than are read, in a line or in all, before they are held.
    """
    former = csv.field_size_limit(FIELD_LIMIT)
    bounds = _Bounds(name, delimiter)
    reader = csv.reader(map(bounds.passed, io.StringIO(text, newline="")), delimiter=delimiter, strict=strict)
    try:
        for row in reader:
            bounds.count(row)
            yield row
    except csv.Error as err:
        raise InputError(
            f"the quotes or cells do not end ({err})",
            place=f"{name}, line {reader.line_num}",
            remedy="double every quote inside a quoted cell and close each",
        ) from err
    finally:
        csv.field_size_limit(former)


class _Bounds:
    """Counts the cells of a table while it is read: a reader gathers a whole row before it shows any of it."""

    def __init__(self, name: str, delimiter: str) -> None:
        self._name, self._delimiter = name, delimiter
        self._of_row = self._of_all = 0

    def passed(self, line: str) -> str:
        self._of_row += line.count(self._delimiter)
        self._check()
        return line

    def count(self, row: list[str]) -> None:
        self._of_row = 0
        self._of_all += max(len(row), _LEAST_OF_ROW)
        self._check()

    def _check(self) -> None:
        if self._of_row > COLUMNS_LIMIT or self._of_all > CELLS_LIMIT:
            raise InputError(
                "the table has too many cells",
                place=self._name,
                remedy="split it into smaller files",
            )


def _delimiter(text: str) -> str:
    """Return the delimiter that stands most often in the first line that has one, outside quotes."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", text[:65_536])
    for line in bare.splitlines():
        counts = {mark: line.count(mark) for mark in _DELIMITERS}
        best = max(_DELIMITERS, key=lambda mark: counts[mark])
        if counts[best]:
            return best
    return _DELIMITERS[0]


def unguarded(cell: str) -> str:
    """Return a cell without the quote that keeps a spreadsheet from running it."""
    return cell[1:] if _GUARDED.match(cell) else cell


def _write_csv(sheet: Sheet) -> bytes:
    out = io.StringIO(newline="")
    plain = csv.writer(out, delimiter=";", lineterminator="\r\n")
    quoted = csv.writer(out, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    for row in (sheet.columns, *sheet.rows):
        cells = [_cell(value) for value in row]
        misleading = any(mark in cell for cell in cells for mark in _DELIMITERS[1:])
        (quoted if misleading else plain).writerow(cells)  # a bare comma or tab would be taken for the delimiter
    try:
        return out.getvalue().encode("utf-8-sig")
    except UnicodeEncodeError as err:
        raise InputError(f"a cell of {sheet.name} holds half a character", remedy="mend the text") from err


def _cell(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return f"'{value}" if _RUNS.match(value) else value
    return repr(value) if isinstance(value, int) else repr(float(value))
