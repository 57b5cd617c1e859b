"""A report as a workbook: a sheet in short, one for each area, one of what lacks, one of where the values come from."""

import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from core.deliveries import Text
from core.report import AreaPart, Report
from reports import czech, flat, wording
from reports.context import TEXTS_OF, Context, context
from reports.figures import Why, draft, state
from reports.provenance import provenance, used_values

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST: Final = 32_000
"""So many characters fit a cell (32,767), with room for the mark that more was cut."""
CUT: Final = " … (zkráceno, celý text je v dokumentu)"
NAME_LENGTH: Final = 31
A4: Final = 9
LINE_PT: Final = 13.5
MOST_LINES: Final = 30
"""A row is at most 409 points high."""
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")
_HEAD: Final = Font(bold=True, color="FFFFFF", name="Arial", size=10)
_FILL: Final = PatternFill("solid", fgColor="0D5652")
_TITLE: Final = Font(bold=True, size=14, color="0D5652", name="Arial")
_TEXT: Final = Font(name="Arial", size=10)
_WRAP: Final = Alignment(vertical="top", wrap_text=True)
_TOP: Final = Alignment(vertical="top")
AREA: Final = (
    "Kód", "Indikátor", "Ukazatel", "Jednotka", "Hodnota", "Dolní mez", "Horní mez", "Minulé období", "Cíl", "Rok cíle",
    "Plnění", "Stav", "Zveřejnění", "Poznámka",
)  # fmt: skip
GOALS: Final = ("Cíl", "Indikátor", "Hodnota", "Cílová hodnota", "Plnění", "Stav")
MISSING: Final = {"Oblast": "oblast", "Čeho se týká": "ceho", "Co chybí": "co", "Proč": "proc", "Jmenovitě": "tyka_se"}
METHODS: Final = {
    "Kód": "id", "Název": "nazev", "Definice": "definice", "Způsob": "zpusob", "Směr": "smer", "Mez dat": "mez",
}  # fmt: skip
ORIGINS: Final = {
    "Kód": "id", "Název": "nazev", "Období": "dny", "Způsob": "zpusob", "Odečty do": "uzaverka",
    "Vypočteno": "vypocteno", "Verze evidence": "evidence", "Pokrytí daty": "pokryti", "Publikace": "publikace",
    "Otisk": "otisk",
}  # fmt: skip
USED: Final = {
    "Druh": "druh", "Označení": "klic", "Verze": "verze", "Platí od": "od", "Vstupní hodnota": "hodnota",
    "Zdroj": "zdroj",
}  # fmt: skip
OWN_SHEETS: Final = ("Souhrn", "Co chybí", "Metodika", "Data", "Původ hodnot")
WIDTHS: Final = {
    "Oblast": 32, "Indikátor": 40, "Ukazatel": 22, "Hodnota": 15, "Důvody": 45, "Poznámka": 60, "Opatření": 40,
    "Doklady": 24, "Otisk": 24, "Proč": 60, "Definice": 70, "Název": 38, "Zdroj": 45, "Co chybí": 26, "Cíl": 18,
    "Čeho se týká": 32, "Jmenovitě": 45, "Období": 24, "Způsob": 24, "Pokrytí daty": 32, "Publikace": 26,
    "Jednotka": 11, "Stav": 14, "Zveřejnění": 13, "Kód": 8, "Plnění": 16, "Označení": 30, "Druh": 24,
}  # fmt: skip
GOAL_WIDTHS: Final = (44, 46, 18, 22, 20, 16)
SHARES: Final = frozenset({"Měřeno", "Odhadnuto", "Chybí"})


class Sheet:
    """A sheet under construction, row by row; rows are as high as their longest text needs."""

    def __init__(self, book: Workbook, name: str, widths: Sequence[float]) -> None:
        self.sheet = book.create_sheet(name)
        self.widths, self.rows = list(widths), 0
        for place, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(place)].width = width
        setup = self.sheet.page_setup
        setup.orientation, setup.paperSize, setup.fitToWidth, setup.fitToHeight = "landscape", A4, 1, 0
        self.sheet.sheet_properties.pageSetUpPr.fitToPage = True

    def title(self, text: str) -> None:
        """Add a title."""
        self.rows += 1
        cell = self.sheet.cell(self.rows, 1, text)
        cell.font, cell.alignment, cell.data_type = _TITLE, _TOP, "s"

    def head(self, columns: Iterable[str]) -> None:
        """Add the row of headings."""
        self.row(tuple(columns))
        for cell in self.sheet[self.rows]:
            cell.font, cell.fill = _HEAD, _FILL

    def gap(self) -> None:
        """Leave a row empty."""
        self.rows += 1

    def fact(self, name: str, text: str) -> None:
        """Add a name with its text, which runs over the columns behind it."""
        self.rows += 1
        self._set(1, name).font = Font(name="Arial", size=10, bold=True)
        self._set(3, text)
        last = len(self.widths)
        self.sheet.merge_cells(start_row=self.rows, start_column=1, end_row=self.rows, end_column=2)
        self.sheet.merge_cells(start_row=self.rows, start_column=3, end_row=self.rows, end_column=last)
        self._heighten([(name, sum(self.widths[:2])), (text, sum(self.widths[2:]))])

    def row(self, values: Sequence[flat.Value], columns: Sequence[str] = ()) -> None:
        """Add a row; `columns` tell which of its numbers are shares."""
        self.rows += 1
        for place, value in enumerate(values, 1):
            cell = self._set(place, value)
            if place <= len(columns) and columns[place - 1] in SHARES and isinstance(value, float):
                cell.number_format = "0.0 %"
        self._heighten([(v, w) for v, w in zip(values, self.widths, strict=False) if isinstance(v, str)])

    def _set(self, place: int, value: flat.Value) -> Any:  # noqa: ANN401 - cells have no type
        """Fill a cell: numbers stay numbers, days days; a text is a text even where it looks like a formula."""
        cell = self.sheet.cell(self.rows, place)
        if isinstance(value, str):
            text = czech.fit(value)
            cell.value = text if len(text) <= LONGEST else text[:LONGEST] + CUT
            cell.data_type = "s"
        elif isinstance(value, date):
            cell.value, cell.number_format = datetime.combine(value, time()), "DD.MM.YYYY"
        else:
            cell.value = value
            cell.number_format = "#,##0.0##" if isinstance(value, float) else "General"
        cell.font, cell.alignment = _TEXT, _WRAP if isinstance(value, str) else _TOP
        return cell

    def _heighten(self, texts: Sequence[tuple[str, float]]) -> None:
        lines = max((_lines(text, width) for text, width in texts), default=1)
        self.sheet.row_dimensions[self.rows].height = LINE_PT * min(lines, MOST_LINES)


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes in a column of so many characters."""
    return sum(max(1, math.ceil(1.1 * len(line) / width)) for line in text.split("\n"))


def workbook(report: Report, why: Why) -> bytes:
    """Return the workbook's file."""
    book = Workbook()
    book.remove(book.active)
    book.properties.creator, book.properties.title = czech.line(report.region), wording.title_of(report.id)
    said = context(report, why)
    _summary(book, said)
    names = sheet_names([part.name for part in report.areas], taken=OWN_SHEETS)
    for name, part, told in zip(names, report.areas, said["oblasti"], strict=True):
        _area(book, name, report, part, told)
    _table(book, "Co chybí", tuple(MISSING), _fields(said["chybi"], MISSING.values()))
    _table(book, "Metodika", tuple(METHODS), _fields(said["metodika"], METHODS.values()))
    _table(book, "Data", flat.COLUMNS, flat.rows(report, why))
    origins = _table(book, "Původ hodnot", tuple(ORIGINS), _fields(provenance(report), ORIGINS.values()))
    origins.gap()
    origins.head(USED)
    for row in _fields(used_values(report), USED.values()):
        origins.row(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fields(rows: Iterable[Context], keys: Iterable[str]) -> Iterator[tuple[flat.Value, ...]]:
    wanted = list(keys)
    return (tuple(one[key] for key in wanted) for one in rows)


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
    head = text[: length - 1]
    cut = head.rsplit(" ", 1)[0] if " " in head else head
    return f"{cut.rstrip(' ,;–-')}…"


def _summary(book: Workbook, said: Context) -> None:
    sheet = Sheet(book, "Souhrn", GOAL_WIDTHS)
    sheet.title(f"{said['nazev']} – {said['kraj']}")
    published = said["zverejneni"]
    for name, text in (
        ("Stav", said["stav"]),
        ("Období", said["dny"]),
        ("Sestaveno", said["sestaveno"]),
        ("Odečty přijaté do", said["uzaverka"]),
        ("Verze evidence", said["verze_evidence"]),
        ("Program", said["program"]),
        *([("Publikace", published["nazev"]), ("Otisk obsahu", published["otisk"])] if published else []),
        *(("Souhrn", text) for text in said["uvod"]),
    ):
        sheet.fact(name, text)
    sheet.gap()
    sheet.head(GOALS)
    for goal in said["cile"]:
        for one in goal["indikatory"]:
            name = f"{one['id']} {one['nazev']}"
            sheet.row((goal["cil"], name, one["hodnota"], one["cil"], one["plneni"], one["stav"]))


def _area(book: Workbook, name: str, report: Report, part: AreaPart, told: Context) -> None:
    sheet = Sheet(book, name, _widths(AREA))
    sheet.title(czech.line(part.name))
    for label, text in (
        ("Garant", part.guarantor),
        ("Podklady", wording.DELIVERIES.get(part.state, part.state)),
        *((wording.TEXTS[text], part.texts.get(text, "")) for text in (*TEXTS_OF[report.id.kind], Text.EVALUATION)),
        *((czech.line(f"Aktivita: {one.name}"), one.text) for one in part.activities),
    ):
        sheet.fact(label, czech.fit(text).strip() or czech.NOTHING)
    sheet.gap()
    sheet.head(AREA)
    remarks = {one["id"]: one["text"] for one in told["poznamky"]}
    for row in part.rows:
        for place, cell in enumerate(row.cells):
            first, goal = place == 0, cell.standing
            ends = (state(row), draft(row), remarks.get(row.indicator, "")) if first else ("", "", "")
            names = (row.indicator, czech.line(row.name if first else f"– {cell.name}"), czech.line(cell.name))
            numbers = (cell.value, cell.low90, cell.high90, cell.before, goal.target, goal.year)
            sheet.row((*names, czech.line(cell.unit), *numbers, wording.JUDGEMENTS[goal.judgement], *ends), AREA)


def _table(book: Workbook, name: str, columns: Sequence[str], rows: Iterable[Sequence[flat.Value]]) -> Sheet:
    sheet = Sheet(book, name, _widths(columns))
    sheet.head(columns)
    sheet.sheet.freeze_panes = "A2"
    sheet.sheet.print_title_rows = "1:1"
    for row in rows:
        sheet.row(row, columns)
    return sheet


def _widths(columns: Sequence[str]) -> list[float]:
    return [WIDTHS.get(name, max(12, len(name) + 3)) for name in columns]
