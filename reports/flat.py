"""A report as a flat table, a row for each figure: what the CSV and the sheets of the workbook hold."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

from core.report import AreaPart, Cell, IndicatorRow, Report
from reports import czech, wording
from reports.figures import Why, draft, state

Value = str | float | int | date | None
MEDIA: Final = "text/csv; charset=utf-8"
COLUMNS: Final = (
    "Oblast", "Kód", "Indikátor", "Ukazatel", "Jednotka", "Od", "Do", "Hodnota", "Dolní mez 90 %", "Horní mez 90 %",
    "Minulé období", "Cíl", "Rok cíle", "Odchylka od cíle", "Plnění", "Stav", "Zveřejnění", "Způsob", "Měřeno",
    "Odhadnuto", "Chybí", "Počet míst", "Opatření", "Důvody", "Poznámka", "Doklady", "Odečty do", "Publikace", "Otisk",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")


def rows(report: Report, why: Why, part: AreaPart | None = None) -> Iterator[tuple[Value, ...]]:
    """Return the rows of an area, or of all."""
    for area in report.areas if part is None else (part,):
        for row in area.rows:
            for cell in row.cells:
                yield (czech.line(area.name), *_figure(row, cell), *_rest(row, why))


def _figure(row: IndicatorRow, cell: Cell) -> tuple[Value, ...]:
    standing = cell.standing
    return (
        row.indicator, czech.line(row.name), czech.line(cell.name), czech.line(cell.unit), row.first,
        date.fromordinal(row.end.toordinal() - 1), cell.value, cell.low90, cell.high90, cell.before, standing.target,
        standing.year, standing.gap, wording.JUDGEMENTS[standing.judgement],
    )  # fmt: skip


def _rest(row: IndicatorRow, why: Why) -> tuple[Value, ...]:
    covered, origin = row.coverage, row.origin
    shares: tuple[Value, ...] = (None, None, None, None)
    if covered is not None:
        shares = (covered.measured, covered.estimated, covered.missing, covered.points)
    return (
        state(row),
        draft(row) or ("zveřejněno" if row.published else ""),
        wording.BY_HAND if row.by_hand else "výpočet",
        *shares,
        "; ".join(map(czech.line, row.measures)),
        "; ".join(dict.fromkeys(czech.line(why(one)) for one in row.reasons)),
        czech.line(row.note),
        "; ".join(map(czech.line, row.evidence)),
        czech.minute(origin.cutoff).replace(czech.NBSP, " ") if origin else "",
        wording.publication(origin.publication).replace(czech.NBSP, " ") if origin and origin.publication else "",
        origin.digest if origin else "",
    )


def as_csv(report: Report, why: Why) -> bytes:
    """Return the table as Czech spreadsheets read it: semicolons, decimal commas, a mark of its encoding."""
    return table_csv(COLUMNS, rows(report, why))


def table_csv(columns: Sequence[str], found: Iterator[tuple[Value, ...]]) -> bytes:
    """Return any table in that form."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([text_of(value) for value in row] for row in found)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def text_of(value: Value) -> str:
    """Return a value as text: decimal comma, day as 05.03.2025; a text that a spreadsheet would run is marked."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).replace(".", ",")
    if isinstance(value, datetime):
        return czech.minute(value).replace(czech.NBSP, " ")
    if isinstance(value, date):
        return czech.day(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int) else text
