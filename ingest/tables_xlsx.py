"""XLSX: values as they are typed, places kept, bombs refused."""

import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice, pairwise, zip_longest
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core.errors import InputError
from core.packed import too_much, unpacking
from core.ports import Sheet

Value = str | float | int | bool | datetime | None

ROWS_LIMIT: Final = 1_100_000
"""A little more than the 1,048,576 rows of spreadsheet programs."""
TAGS_LIMIT: Final = 200_000
"""Tags of a row, of a shared text, and of all of a part that holds neither; a parser keeps so many at once."""
COLUMNS_LIMIT: Final = 1_000
CELLS_LIMIT: Final = 10_000_000
TEXT_LIMIT: Final = 32_767
"""The longest text of a cell; spreadsheet programs cut what is longer without a word."""
NAME_LIMIT: Final = 31
_WIDTHS: Final = (10, 60)
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ROW: Final = re.compile(rb"<(?:\w+:)?(?:row|si)[\s/>]")
_LONG_TAG: Final = re.compile(rb"<[^<]{200000}")
_ROW_PARTS: Final = ("worksheets/", "sharedStrings")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

Row = list[Value]


def trimmed(row: Sequence[Value]) -> Row:
    """Return the row without the empty cells at its end."""
    last = len(row)
    while last and row[last - 1] is None:
        last -= 1
    return list(row[:last])


def header_place(rows: Sequence[Sequence[Value]]) -> int:
    """Return the index of the headings: the first row with two values or more, else the first with any.

    Above it stand titles, which spreadsheets write in one merged cell.
    """
    filled = [sum(value is not None for value in row) for row in rows[:50]]
    several = [n for n, count in enumerate(filled) if count > 1]
    return next(iter(several or [n for n, count in enumerate(filled) if count]), 0)


def read_xlsx(name: str, content: bytes) -> list[Sheet]:
    """Return every sheet that is not empty; raise InputError for what is broken or unpacks to too much."""
    made = (sheet_of(title, rows, f"{name}, sheet {title}") for title, rows in xlsx_rows(name, content))
    return [sheet for sheet in made if sheet.columns]


def xlsx_rows(name: str, content: bytes) -> list[tuple[str, list[Row]]]:
    """Return the name and the trimmed rows of every sheet; raise InputError as `read_xlsx` does."""
    has_formulas = _checked(name, content)
    try:
        return list(_sheets(name, content, has_formulas=has_formulas))
    except InputError:
        raise
    except Exception as err:  # openpyxl raises whatever its parsers stumble over
        raise InputError(
            f"the file is damaged or no XLSX ({type(err).__name__}: {err})",
            place=name,
            remedy="open it in a spreadsheet program and save it as XLSX",
        ) from err


def _checked(name: str, content: bytes) -> bool:
    """Return whether sheets hold formulas; raise InputError where the archive is broken or a bomb."""
    with unpacking(name, content) as packed:
        found = False
        for part in packed.parts:  # each of them is to be checked
            found |= _has_formula(name, part.filename, packed.read(part))
    return found


def _has_formula(name: str, part: str, text: bytes) -> bool:
    if not part.endswith((".xml", ".rels")):
        return False
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\x00" in text[:64]:  # of UTF-16, in which neither is seen
        raise InputError("the file defines entities, which no XLSX does", place=name, remedy="save it again as XLSX")
    _check_tags(name, part, text)
    return _FORMULA.search(text) is not None


def _check_tags(name: str, part: str, text: bytes) -> None:
    """Raise InputError where a parser would keep more of a part at once than rows and texts need."""
    rows = _ROW.finditer(text) if any(folder in part for folder in _ROW_PARTS) else iter(())
    starts = [found.start() for found in islice(rows, ROWS_LIMIT + 1)]
    edges = [0, *starts, len(text)]
    longest = max(text.count(b"<", since, until) for since, until in pairwise(edges))
    if len(starts) > ROWS_LIMIT or longest > TAGS_LIMIT or _LONG_TAG.search(text):
        raise too_much(name)


def _sheets(name: str, content: bytes, *, has_formulas: bool) -> Iterator[tuple[str, list[Row]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions, which hold no values
        results = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        written = load_workbook(io.BytesIO(content), read_only=True) if has_formulas else None
        try:
            for sheet in results.worksheets:
                place = f"{name}, sheet {sheet.title}"
                if written is not None:
                    _check_results(sheet, written[sheet.title], place)
                yield sheet.title, _rows(sheet, place)
        finally:
            results.close()
            if written is not None:
                written.close()


def _check_results(results: Any, written: Any, place: str) -> None:  # noqa: ANN401 - openpyxl has no types
    """Raise InputError where a formula has no result: it would be taken for an empty cell."""
    results.reset_dimensions()
    written.reset_dimensions()
    pairs = zip_longest(results.iter_rows(values_only=True), written.iter_rows(values_only=True), fillvalue=())
    for row, (values, formulas) in enumerate(pairs, start=1):
        for column, (value, formula) in enumerate(zip(values, formulas, strict=False), start=1):
            if value is None and isinstance(formula, str) and formula.startswith("="):
                raise InputError(
                    f"the formula in {get_column_letter(column)}{row} has no result",
                    place=place,
                    remedy="open the file in a spreadsheet program and save it, or write values",
                )


def _rows(sheet: Any, place: str) -> list[Row]:  # noqa: ANN401 - openpyxl has no types
    sheet.reset_dimensions()  # what a file declares may be wrong, or millions of empty cells
    rows: list[Row] = []
    cells = 0
    for values in sheet.iter_rows(values_only=True):
        row = trimmed([_value(value) for value in islice(values, COLUMNS_LIMIT)])
        cells += len(row)
        if cells > CELLS_LIMIT or any(value is not None for value in values[COLUMNS_LIMIT:]):
            raise InputError(
                "the sheet is too large", place=place, remedy=f"keep below {COLUMNS_LIMIT} columns and split it"
            )
        rows.append(row)
    return rows


def sheet_of(title: str, rows: list[Row], place: str, *, above: int = 0) -> Sheet:
    """Return the table of trimmed rows, of which the first stands below `above` others in the file."""
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        return Sheet(name=title, columns=(), rows=())
    head = header_place(rows)
    columns = ["" if value is None else str(value).strip() for value in rows[head]]
    body = rows[head + 1 :]
    first_row = head + 2 + above
    for number, row in enumerate(body, start=first_row):
        _check_headed(columns, row, f"{place}, row {number}")
    kept = [n for n, column in enumerate(columns) if column]
    return Sheet(
        name=title,
        columns=tuple(columns[n] for n in kept),
        rows=tuple(tuple(row[n] if n < len(row) else None for n in kept) for row in body),
        first_row=first_row,
    )


def _check_headed(columns: Sequence[str], row: Row, place: str) -> None:
    for n, value in enumerate(row):
        if value is not None and (n >= len(columns) or not columns[n]):
            raise InputError(
                f"column {get_column_letter(n + 1)} has a value and no heading",
                place=place,
                remedy="name every column; in CSV, quote cells that hold the delimiter",
            )


def _value(value: object) -> Value:
    if isinstance(value, str):
        return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), value) or None
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def write_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Return a file with these sheets: headings bold and in sight, numbers and dates typed, text never a formula."""
    ready = [replace(s, columns=_prepared(s.columns), rows=tuple(map(_prepared, s.rows))) for s in sheets]
    book = Workbook(write_only=True)
    for number, sheet in enumerate(ready, start=1):
        page = book.create_sheet(_title(sheet.name, number))
        page.freeze_panes = "A2"
        for column, width in enumerate(_widths(sheet), start=1):
            page.column_dimensions[get_column_letter(column)].width = width
        page.append([_cell(page, name, bold=True) for name in sheet.columns])
        for row in sheet.rows:
            page.append([_cell(page, value) for value in row])
    if not sheets:
        book.create_sheet("-")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(name: str, number: int) -> str:
    return re.sub(r"[\[\]:*?/\\]", "-", name)[:NAME_LIMIT].strip("'") or f"{number}"


def _widths(sheet: Sheet) -> Iterable[int]:
    columns = zip_longest(sheet.columns, *sheet.rows[:200])
    least, most = _WIDTHS
    return (min(most, max(least, *(len(str(v)) + 2 for v in column if v is not None), least)) for column in columns)


def _cell(page: Any, value: Value, *, bold: bool = False) -> Any:  # noqa: ANN401 - openpyxl has no types
    if isinstance(value, datetime | bool | None):
        return WriteOnlyCell(page, value=value)
    cell = WriteOnlyCell(page)
    # The public setter makes a formula of text that begins with =, and its numbers lose their last digits.
    cell._value = value if isinstance(value, str | int) else repr(float(value))  # noqa: SLF001 - openpyxl has no other way to write text as it is
    cell.data_type = "s" if isinstance(value, str) else "n"
    cell.quotePrefix = isinstance(value, str)
    if bold:
        cell.font = Font(bold=True)
    return cell


def _prepared(row: Sequence[Value]) -> tuple[Any, ...]:
    return tuple(_text(value) if isinstance(value, str) else _typed(value) for value in row)


def _text(value: str) -> str:
    escaped = _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    if len(escaped) > TEXT_LIMIT:
        raise InputError(f"a text of {len(value)} characters is too long for XLSX", remedy="write CSV")
    try:
        escaped.encode()
    except UnicodeEncodeError as err:
        raise InputError(f"text {value!r} holds half a character", remedy="mend the text") from err
    return escaped


def _typed(value: float | datetime | None) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    return value
