"""Reports as files: what stands in them, that it is Czech, that no text of a person breaks them."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from babel.messages.pofile import read_po
from docx import Document

from core.deliveries import Text
from core.errors import InputError
from core.indicators import Because, ValueStatus
from core.plan import ReportKind
from core.report import Judgement, Lack, Report
from reports import flat, print_page, word, word_templates, workbook
from reports.charts import charts
from reports.context import context
from reports.figures import change as change_of
from reports.figures import judged
from reports.wording import FILES
from tests.unit import report_world as world

ROOT = Path(__file__).parents[2]
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PERIODS = {ReportKind.ANNUAL: "2025", ReportKind.MID_YEAR: "2025", ReportKind.CLOSING: "2024-2026"}
kinds = pytest.mark.parametrize("kind", list(ReportKind))
ENGLISH = re.compile(
    r"\b(the|and|of|with|value|values|target|year|missing|measured|estimated|unknown|provisional|final|published|draft|"
    r"delivered|checked|report|indicator|none|true|false|null|annual|closing|mid-year|met|running|done)\b",
    re.IGNORECASE,
)


def words_of(content: bytes) -> Iterator[str]:
    """Every text that a reader of a document sees, in body, tables, heads and feet."""
    document = Document(io.BytesIO(content))
    parts = [document.element.body]
    for section in document.sections:
        parts += [section.header._element, section.footer._element]
    for part in parts:
        for paragraph in part.iter(f"{W}p"):
            yield "".join(t.text or "" for t in paragraph.iter(f"{W}t"))


def cells_of(book: openpyxl.Workbook) -> Iterator[Any]:
    return (cell for sheet in book for row in sheet.iter_rows() for cell in row)


class Words(HTMLParser):
    """Gathers the texts of a page that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag == "style"
        self.found += [value or "" for name, value in attrs if name in {"alt", "aria-label", "title"}]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.found.append(data)


def page_words(text: str) -> list[str]:
    reader = Words()
    reader.feed(text)
    return reader.found


@cache
def docx_of(kind: ReportKind, *, published: bool = True) -> bytes:
    """Return a report's document, made once for all tests that look at it."""
    changes: dict[str, object] = {} if published else {"publication": None}
    return word.word(report_of(kind, **changes), world.why)


def report_of(kind: ReportKind, **changes: object) -> Report:
    return world.report(kind, PERIODS[kind], **changes)


def english(texts: list[str]) -> list[str]:
    """Texts with English words, apart from identifiers, which are no words."""
    bare = [re.sub(r"mpo-electricity-2025|[0-9a-f]{64}", "", text) for text in texts]
    return [text for text in bare if ENGLISH.search(text)]


def english_msgids() -> set[str]:
    """English texts of pages of two words or more; single words may be Czech as well (program, index)."""
    with (ROOT / "api/translations/cs.po").open("rb") as source:
        catalog = read_po(source, locale="cs")
    ids = [m.id if isinstance(m.id, str) else m.id[0] for m in catalog if m.id]
    return {one for one in ids if " " in one}


@kinds
def test_no_english_is_left_in_any_format(kind: ReportKind) -> None:
    report = report_of(kind)
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(report, world.why)))
    texts = {
        "docx": list(words_of(docx_of(kind))),
        "html": page_words(print_page.page(report, world.why)),
        "xlsx": [str(cell.value) for cell in cells_of(book) if cell.value is not None] + book.sheetnames,
        "csv": flat.as_csv(report, world.why).decode("utf-8-sig").split(";"),
        "charts": [chart.described for chart in charts(report, report.rows)],
    }
    echoes = english_msgids()
    for form, found in texts.items():
        assert english(found) == [], form
        assert [text for text in found if text.strip() in echoes] == [], form
        assert form == "charts" or any("Energetický management" in text for text in found)


@kinds
def test_decimal_points_are_commas_and_short_words_do_not_end_lines(kind: ReportKind) -> None:
    texts = list(words_of(docx_of(kind)))
    assert "50\u00a0765,6" in " ".join(texts)
    bare = [re.sub(r"\d\d\.\d\d\.\d{4}|(?<!\d)[123]\.\d (?=\w)", "", text) for text in texts]
    assert [text for text in bare if re.search(r"\d\.\d{1,2}(?![\d.])", text)] == []
    assert [text for text in texts if re.search(r"(?<![\w„(])[kvszouai] \w", text)] == []


def test_the_annual_report_holds_what_the_plan_asks_for() -> None:
    told = "\n".join(words_of(docx_of(ReportKind.ANNUAL)))
    for wanted in (
        "Výroční zpráva", "za rok 2025", "Zveřejněno", "školení 64 správců budov,", "Napojeno 214 odběrných míst.",
        "Dálkové odečty, II. etapa", "v\u00a0realizaci", "splněno", "nesplněno (78\u00a0%)", "v\u00a0běhu (53\u00a0%)",
        "1\u00a0650,2 až\u00a02\u00a0568,4", "zadáno garantem", "Nově připojeny nemocnice", "zapis-2025-11.pdf",
        "Domov důchodců Jablonecké Paseky", "Co chybí a\u00a0proč", "Počet obyvatel pro tento rok není v\u00a0tabulce",
        "Příloha A: Metodika", "MPO, přehled emisních faktorů", "Příloha B: Původ hodnot", "3f" * 32, "Tab.\u00a01 ",
        "strana",
    ):  # fmt: skip
        assert wanted in told, wanted
    assert not re.search(r"Tab\.\u00a0#|\{\{|\{%", told)


def test_by_hand_values_stand_beside_computed_ones() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(world.report(), world.why)))
    rows = [[c.value for c in row] for row in book["Data"].iter_rows(min_row=2)]
    by_code = {row[1]: row for row in rows}
    place = flat.COLUMNS.index("Způsob")
    assert (by_code["Z1"][place], by_code["E1"][place]) == ("zadáno garantem", "výpočet")
    assert by_code["Z1"][flat.COLUMNS.index("Hodnota")] == 7
    assert by_code["Z2"][flat.COLUMNS.index("Stav")] == "nedodáno"


def test_a_draft_says_so_on_every_page_and_at_open_values() -> None:
    told = list(words_of(docx_of(ReportKind.ANNUAL, published=False)))
    assert any("NÁVRH: hodnoty nejsou zveřejněny" in text for text in told)
    assert told.count("NÁVRH") >= 1
    published = list(words_of(docx_of(ReportKind.ANNUAL)))
    assert "NÁVRH" not in published
    assert "návrh" in published  # the one open value among published ones


def test_each_area_has_its_sheet_and_one_tells_where_values_come_from() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(world.report(), world.why)))
    assert book.sheetnames[0] == "Souhrn"
    assert book.sheetnames[-1] == "Původ hodnot"
    assert "Digitalizace ve zdravotnictví" in book.sheetnames
    assert any(name.startswith("Energetický management") for name in book.sheetnames)
    value = next(row[4] for row in book["Digitalizace ve zdravotnictví"].iter_rows() if row[0].value == "Z1")
    assert (value.value, value.data_type) == (7, "n")


def test_sheets_of_alike_and_strange_areas_have_names_of_their_own() -> None:
    names = workbook.sheet_names(["A" * 40, "A" * 40, "[x]:*?/\\'", "", "souhrn"], taken=("Souhrn",))
    assert len({name.casefold() for name in names}) == 5
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\']", name) for name in names)


def test_numbers_of_the_table_are_exact() -> None:
    rows = list(csv.reader(io.StringIO(flat.as_csv(world.report(), world.why).decode("utf-8-sig")), delimiter=";"))
    assert tuple(rows[0]) == flat.COLUMNS
    assert len(rows) == 1 + sum(len(row.cells) for row in world.report().rows)
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["Hodnota"], first["Od"], first["Do"], first["Cíl"]) == (
        "50765,6",
        "01.01.2025",
        "31.12.2025",
        "52000,0",
    )


@pytest.mark.parametrize(
    ("period", "years"), [("2024-2026", range(2024, 2027)), ("2024-2028", range(2024, 2029)), ("2025-2025", [2025])]
)
def test_a_closing_report_shows_each_of_its_years_however_many(period: str, years: Sequence[int]) -> None:
    content = word.word(world.report(ReportKind.CLOSING, period), world.why)
    tables = [t for t in Document(io.BytesIO(content)).tables if t.rows and t.rows[0].cells[-1].text == "Plnění"]
    heads = [[c.text for c in t.rows[0].cells] for t in tables if "Celé období" in [c.text for c in t.rows[0].cells]]
    assert heads
    assert all([int(text) for text in head if text.isdigit()] == list(years) for head in heads)
    widths = [sum(int(c.get(f"{W}w")) for c in t._tbl.tblGrid.iter(f"{W}gridCol")) for t in tables]
    assert max(widths) <= 9_700  # twips between the margins


def hostile(report: Report) -> Report:
    evil = world.HOSTILE
    rows = tuple(
        replace(
            row,
            **dict.fromkeys(("name", "definition", "note"), evil),
            **dict.fromkeys(("lacking", "measures", "evidence"), (evil,)),
            cells=tuple(replace(cell, name=evil, unit="<&>") for cell in row.cells),
        )
        for row in world.ENERGY.rows
    )
    project = replace(world.ENERGY.activities[0].projects[0], name=evil, note=evil)
    activity = replace(world.ENERGY.activities[0], name=evil, text=evil, projects=(project,))
    texts = {Text.REALISED: f"{evil}\n- {evil}"}
    area = replace(world.ENERGY, name=evil, guarantor=evil, texts=texts, rows=rows, activities=(activity,))
    lacks = tuple(replace(one, area=evil, subject=evil) for one in report.missing if one.lack is Lack.VALUE)
    return replace(report, region=evil, areas=(area,), missing=lacks)


@kinds
def test_hostile_texts_stay_texts(kind: ReportKind) -> None:
    report = hostile(report_of(kind))
    told = "\n".join(words_of(word.word(report, world.why)))
    assert "Zlý {{ 7*7 }} {% for x in y %} <w:p/> & \"a'" in told.replace("\u00a0", " ")
    page = print_page.page(report, world.why)
    assert "<w:p/>" not in page
    assert "&lt;w:p/&gt;" in page
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(report, world.why)))
    assert not [cell for cell in cells_of(book) if cell.data_type == "f"]
    assert b"\x00" not in flat.as_csv(report, world.why)


def test_what_looks_like_a_formula_is_marked_in_tables() -> None:
    assert flat.text_of("=1+1") == "'=1+1"
    assert flat.text_of("@cmd") == "'@cmd"
    assert flat.text_of(-1.5) == "-1,5"


@pytest.mark.parametrize("kind", list(ReportKind))
def test_the_templates_that_ship_are_those_that_the_script_makes(kind: ReportKind) -> None:
    shipped = (word.TEMPLATES / f"{FILES[kind]}.docx").read_bytes()
    assert word_templates.make(kind) == shipped, "run python -m reports.word_templates"


def edited(tmp_path: Path, before: str, after: str) -> Path:
    """Return a copy of a template in which somebody changed a text in Word."""
    source, target = word.TEMPLATES / f"{FILES[ReportKind.ANNUAL]}.docx", tmp_path / f"{FILES[ReportKind.ANNUAL]}.docx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                assert before.encode() in content
                content = content.replace(before.encode(), after.encode(), 1)
            new.writestr(name, content)
    return target


def test_the_regions_own_template_is_used(tmp_path: Path) -> None:
    edited(tmp_path, "1 Shrnutí", "1 Úvodní slovo hejtmana")
    own = word.template_of(ReportKind.ANNUAL, tmp_path)
    told = "\n".join(words_of(word.word(world.report(), world.why, template=own)))
    assert "1 Úvodní slovo hejtmana" in told
    assert word.template_of(ReportKind.CLOSING, tmp_path).parent == word.TEMPLATES


@pytest.mark.parametrize(
    ("change", "place", "problem", "remedy"),
    [
        (("{{ oblast.nazev }}", "{{ oblast.nazevv }}"), r"paragraph \d+: .*nazevv", "nazevv", "did you mean 'nazev'"),
        (("{{ odstavec }}", "{{ odstavecek.prvni }}"), "paragraph", "odstavecek", ""),
        (("{%p endfor %}", ""), "template vyrocni-zprava.docx", "endfor|end of|unexpected|unknown", "close every"),
        (("{{ kraj }}", "{{ kraj"), "template vyrocni-zprava.docx", "expected", "close every"),
        (("{{ kraj }}", "{{ ''.__class__.__mro__ }}"), "template", "beyond|unsafe|there is no", ""),
    ],
)
def test_a_wrong_template_is_told_with_place_and_remedy(
    tmp_path: Path, change: tuple[str, str], place: str, problem: str, remedy: str
) -> None:
    with pytest.raises(InputError) as caught:
        word.word(world.report(), world.why, template=edited(tmp_path, *change))
    assert re.search(place, caught.value.place)
    assert re.search(problem, caught.value.problem, re.IGNORECASE)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"{\\rtf1 not a docx}"])
def test_a_template_that_is_no_document_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vyrocni-zprava.docx"
    file.write_bytes(content)
    with pytest.raises(InputError, match="no Word document"):
        word.word(world.report(), world.why, template=file)


def test_charts_have_words_for_those_who_do_not_see_them() -> None:
    content = docx_of(ReportKind.ANNUAL)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read("word/document.xml").decode()
        pictures = [name for name in packed.namelist() if name.startswith("word/media/")]
    drawn = charts(world.report(), world.report().rows)
    assert len(pictures) == len(drawn) == 6
    assert all(re.search(rf'descr="{re.escape(chart.indicator)} ', xml) for chart in drawn)
    assert drawn[0].described.endswith("2025: 50\u00a0765,6")


def test_a_chart_of_nothing_is_not_drawn() -> None:
    report = world.report()
    nothing = replace(report.rows[0], history=world.years(0.0, 0.0, 0.0))
    single = replace(report.rows[0], history=world.years(None, None, 5.0))
    assert charts(report, (nothing, single)) == []


def test_a_change_is_told_in_points_where_the_unit_is_per_cent() -> None:
    cell = world.ENERGY.rows[1].cells[1]
    assert change_of(cell) == "+1,7\u00a0p.\u00a0b."
    assert change_of(replace(cell, unit="MWh", value=90.0, before=100.0)) == "−10,0\u00a0%"
    assert change_of(replace(cell, unit="MWh", value=-90.0, before=-100.0)) == "+10,0\u00a0%"
    assert change_of(replace(cell, before=0.0, unit="MWh")) == ""


def test_a_provisional_value_is_judged_provisionally() -> None:
    standing = world.ENERGY.rows[0].main.standing
    assert standing.judgement is Judgement.MET
    assert judged(standing, provisional=True) == "předběžně splněno"


def test_reasons_of_unknown_values_stand_in_every_format() -> None:
    told = "počet obyvatel pro tento rok není v tabulce"
    report = world.report()
    assert told in " ".join(words_of(docx_of(ReportKind.ANNUAL))).replace("\u00a0", " ").replace("Počet", "počet")
    assert told in print_page.page(report, world.why).replace("\u00a0", " ").replace("Počet", "počet")
    assert told in flat.as_csv(report, world.why).decode().replace("\u00a0", " ")
    assert world.why(Because(code="no_population")) == told
    assert report.rows[4].status is ValueStatus.UNKNOWN


def test_the_documentation_lists_every_name_that_a_template_may_use() -> None:
    told = (ROOT / "docs/reports.md").read_text("utf-8")
    listed = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", told))
    listed |= {name.rpartition(".")[2] for name in listed}

    def names(said: object) -> Iterator[str]:
        if isinstance(said, dict):
            yield from said
            for value in said.values():
                yield from names(value)
        elif isinstance(said, list) and said:
            yield from names(said[0])

    assert {*names(context(world.report(), world.why)), "obsah", "obrazek", "popisek"} - listed == set()
