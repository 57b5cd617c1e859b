"""A report as a workbook: a sheet in short, one for each area, one of what lacks, one of where the values come from."""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from core.deliveries import Text
from core.report import AreaPart, Report
from reports import czech, flat, wording
from reports.context import TEXTS_OF, context
from reports.figures import Why
from reports.provenance import provenance, used_values

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST: Final = 32_000
"""So many characters fit a cell (32,767), with room for the mark that more was cut."""
CUT: Final = " … (zkráceno, celý text je v dokumentu)"
NAME_LENGTH: Final = 31
A4: Final = 9
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")
_HEAD: Final = (Font(bold=True, color="FFFFFF", name="Arial", size=10), PatternFill("solid", fgColor="0D5652"))
_TITLE: Final = Font(bold=True, size=14, color="0D5652", name="Arial")
_TEXT: Final = Font(name="Arial", size=10)
_WRAP: Final = Alignment(vertical="top", wrap_text=True)
_TOP: Final = Alignment(vertical="top")
WIDTHS: Final = {
    "Oblast": 30, "Indikátor": 38, "Ukazatel": 24, "Hodnota": 16, "Důvody": 50, "Poznámka": 50, "Opatření": 40,
    "Doklady": 24, "Otisk": 20, "Proč": 60, "Definice": 70, "Název": 38, "Text": 110, "Zdroj": 50, "Co chybí": 28,
}  # fmt: skip
SHARES: Final = frozenset({"Měřeno", "Odhadnuto", "Chybí"})


def workbook(report: Report, why: Why) -> bytes:
    """Return the workbook's file."""
    book = Workbook(write_only=True)
    book.properties.creator, book.properties.title = czech.line(report.region), wording.title_of(report.id)
    names = sheet_names([part.name for part in report.areas], taken=("Souhrn", "Co chybí", "Metodika", "Původ hodnot"))
    said = context(report, why)
    _summary(book, said)
    for name, part in zip(names, report.areas, strict=True):
        _area(book, name, report, part, why)
    _table(book, "Co chybí", ("Oblast", "Čeho se týká", "Co chybí", "Proč", "Jmenovitě"), (
        (one["oblast"], one["ceho"], one["co"], one["proc"], one["tyka_se"]) for one in said["chybi"]
    ))  # fmt: skip
    _table(book, "Metodika", ("Kód", "Název", "Definice", "Způsob", "Směr", "Mez dat"), (
        (one["id"], one["nazev"], one["definice"], one["zpusob"], one["smer"], one["mez"]) for one in said["metodika"]
    ))  # fmt: skip
    _origins(book, report)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_names(wanted: Sequence[str], *, taken: Sequence[str]) -> list[str]:
    """Return names of sheets: at most 31 characters, none twice, without what spreadsheets forbid."""
    used, found = {name.casefold() for name in taken}, []
    for number, text in enumerate(wanted, 1):
        clean = _FORBIDDEN.sub(" ", czech.line(text).replace(czech.NBSP, " ")).strip() or f"Oblast {number}"
        name, count = _short(clean, NAME_LENGTH), 1
        while name.casefold() in used:
            count += 1
            name = f"{_short(clean, NAME_LENGTH - len(str(count)) - 1)} {count}"
        used.add(name.casefold())
        found.append(name)
    return found


def _short(text: str, length: int) -> str:
    """Return a text of at most this length, cut between words."""
    if len(text) <= length:
        return text
    cut = text[: length - 1].rsplit(" ", 1)[0] if " " in text[: length - 1] else text[: length - 1]
    return f"{cut.rstrip(' ,;–-')}…"


def _summary(book: Workbook, said: dict[str, Any]) -> None:
    sheet = book.create_sheet("Souhrn")
    _widen(sheet, ("Název", "Text"))
    _title(sheet, f"{said['nazev']} – {said['kraj']}")
    published = said["zverejneni"]
    facts = [
        ("Stav", said["stav"]),
        ("Období", said["dny"]),
        ("Sestaveno", said["sestaveno"]),
        ("Odečty přijaté do", said["uzaverka"]),
        ("Verze evidence", said["verze_evidence"]),
        ("Program", said["program"]),
        *([("Publikace", published["nazev"]), ("Otisk obsahu", published["otisk"])] if published else []),
        *(("Souhrn", text) for text in said["uvod"]),
    ]
    for name, text in facts:
        sheet.append([_cell(sheet, name, bold=True), _cell(sheet, text)])
    sheet.append([])
    head = ("Cíl", "Indikátor", "Hodnota", "Cílová hodnota", "Plnění", "Stav")
    _head(sheet, head)
    for goal in said["cile"]:
        for one in goal["indikatory"]:
            name = f"{one['id']} {one['nazev']}"
            _row(sheet, (goal["cil"], name, one["hodnota"], one["cil"], one["plneni"], one["stav"]), head)


def _area(book: Workbook, name: str, report: Report, part: AreaPart, why: Why) -> None:
    sheet = book.create_sheet(name)
    columns = flat.COLUMNS[1:]
    _widen(sheet, columns)
    _title(sheet, czech.line(part.name))
    for label, text in (
        ("Garant", part.guarantor),
        ("Podklady", wording.DELIVERIES.get(part.state, part.state)),
        *((wording.TEXTS[text], part.texts.get(text, "")) for text in (*TEXTS_OF[report.id.kind], Text.EVALUATION)),
        *((f"Aktivita: {one.name}", one.text) for one in part.activities),
    ):
        sheet.append([_cell(sheet, label, bold=True), _cell(sheet, czech.fit(text).strip() or czech.NOTHING)])
    sheet.append([])
    _head(sheet, columns)
    for row in flat.rows(report, why, part):
        _row(sheet, row[1:], columns)


def _origins(book: Workbook, report: Report) -> None:
    columns = ("Kód", "Název", "Období", "Způsob", "Odečty do", "Vypočteno", "Verze evidence", "Pokrytí daty",
               "Publikace", "Otisk")  # fmt: skip
    keys = ("id", "nazev", "dny", "zpusob", "uzaverka", "vypocteno", "evidence", "pokryti", "publikace", "otisk")
    sheet = _table(book, "Původ hodnot", columns, (tuple(one[key] for key in keys) for one in provenance(report)))
    sheet.append([])
    used = ("Druh", "Označení", "Verze", "Platí od", "Vstupní hodnota", "Zdroj")
    _head(sheet, used)
    for one in used_values(report):
        _row(sheet, tuple(one[key] for key in ("druh", "klic", "verze", "od", "hodnota", "zdroj")), used)


def _table(book: Workbook, name: str, columns: Sequence[str], rows: Iterable[Sequence[flat.Value]]) -> Any:  # noqa: ANN401 - sheets have no type
    sheet = book.create_sheet(name)
    _widen(sheet, columns)
    sheet.freeze_panes = "A2"
    _head(sheet, columns)
    for row in rows:
        _row(sheet, row, columns)
    return sheet


def _widen(sheet: Any, columns: Sequence[str]) -> None:  # noqa: ANN401 - same
    for place, name in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(name, max(12, len(name) + 3))
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _title(sheet: Any, text: str) -> None:  # noqa: ANN401 - same
    cell = _cell(sheet, text)
    cell.font, cell.alignment = _TITLE, _TOP
    sheet.append([cell])


def _head(sheet: Any, columns: Sequence[str]) -> None:  # noqa: ANN401 - same
    cells = []
    for name in columns:
        cell = _cell(sheet, name)
        cell.font, cell.fill = _HEAD
        cells.append(cell)
    sheet.append(cells)


def _row(sheet: Any, row: Sequence[flat.Value], columns: Sequence[str]) -> None:  # noqa: ANN401 - same
    sheet.append([_cell(sheet, value, share=name in SHARES) for name, value in zip(columns, row, strict=True)])


def _cell(sheet: Any, value: flat.Value, *, bold: bool = False, share: bool = False) -> WriteOnlyCell:  # noqa: ANN401 - same
    """Return a cell: numbers stay numbers, days days; a text is a text even where it looks like a formula."""
    if isinstance(value, str):
        text = czech.fit(value)
        text = text if len(text) <= LONGEST else text[:LONGEST] + CUT
        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"
    elif isinstance(value, date):
        cell = WriteOnlyCell(sheet, datetime.combine(value, time()))
        cell.number_format = "DD.MM.YYYY"
    else:
        cell = WriteOnlyCell(sheet, value)
        if isinstance(value, float):
            cell.number_format = "0.0 %" if share else "#,##0.0##"
    cell.font = Font(name="Arial", size=10, bold=True) if bold else _TEXT
    cell.alignment = _WRAP if isinstance(value, str) else _TOP
    return cell
