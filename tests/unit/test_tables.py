"""Tables come out of files as they were put in, and broken files say what is wrong where."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.errors import InputError
from core.ports import Sheet
from ingest.tables import FileTables

TABLES = FileTables()
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "'=1", "''=1", "'", "-"]


def csv_sheet(text: str, name: str = "budovy.csv", encoding: str = "utf-8") -> Sheet:
    (sheet,) = TABLES.read(name, text.encode(encoding))
    return sheet


def xlsx(*rows: list[Any], title: str = "List1", **sheets: list[list[Any]]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(row)
    for name, more in sheets.items():
        other = book.create_sheet(name)
        for row in more:
            other.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx_sheet(*rows: list[Any]) -> Sheet:
    (sheet,) = TABLES.read("a.xlsx", xlsx(*rows))
    return sheet


def repacked(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            data = source.read(item)
            target.writestr(item, data.replace(old, new) if item.filename == part else data)
    return out.getvalue()


# CSV


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_csv_is_read_whatever_its_delimiter(delimiter: str) -> None:
    sheet = csv_sheet('id,name\n0012,"a;b,c\td"\n'.replace("id,name\n0012,", f"id{delimiter}name\n0012{delimiter}"))
    assert (sheet.name, sheet.columns, sheet.rows) == ("budovy", ("id", "name"), (("0012", "a;b,c\td"),))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250", "utf-16"])
def test_csv_is_read_whatever_its_encoding(encoding: str) -> None:
    assert csv_sheet("název;město\nŽižkova škola;Český Dub\n", encoding=encoding).rows == (
        ("Žižkova škola", "Český Dub"),
    )


def test_a_delimiter_inside_quoted_headings_does_not_count() -> None:
    assert csv_sheet('"Plocha, m2, bez sklepa";id\n5;a\n').columns == ("Plocha, m2, bez sklepa", "id")


def test_quoted_newlines_and_quotes_stay_in_their_cell() -> None:
    assert csv_sheet('id;note\n1;"a\r\nb ""c"""\n2;\n').rows == (("1", 'a\r\nb "c"'), ("2", None))


def test_rows_keep_their_numbers_when_some_are_blank_and_a_title_stands_above() -> None:
    sheet = csv_sheet("Seznam budov\n\nid;name\n;\n1;a\n;;\n2;b\n;\n\n")
    assert (sheet.first_row, sheet.columns) == (4, ("id", "name"))
    assert sheet.rows == ((None, None), ("1", "a"), (None, None), ("2", "b"))


def test_the_line_that_names_the_delimiter_is_no_heading() -> None:
    sheet = csv_sheet("sep=;\r\nid;name\r\n1;a\r\n")
    assert (sheet.columns, sheet.first_row, sheet.rows) == (("id", "name"), 3, (("1", "a"),))


def test_an_empty_csv_is_an_empty_table() -> None:
    assert csv_sheet("") == Sheet(name="budovy", columns=(), rows=())
    assert csv_sheet("id\n") == Sheet(name="budovy", columns=("id",), rows=())


def test_a_row_longer_than_its_heading_is_told_by_row() -> None:
    with pytest.raises(InputError, match="row 3: column C has a value and no heading"):
        csv_sheet("id;name\n1;a\n2;b;c\n")


def test_empty_columns_without_heading_are_passed_over() -> None:
    assert csv_sheet("id;;name;;\n1;;a;;\n").columns == ("id", "name")


@pytest.mark.parametrize("text", ['id;name\n1;"open\n2;b\n', 'id;name\n1;"a"b\n'])
def test_quotes_that_do_not_match_are_told_by_line(text: str) -> None:
    with pytest.raises(InputError, match="line"):
        csv_sheet(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    for content in (b"id;name\n\x00\x01", b"\x81\x83\x88", b"\xd0\xcf\x11\xe0 old"):
        with pytest.raises(InputError):
            TABLES.read("a.csv", content)


def test_csv_is_written_for_a_czech_spreadsheet() -> None:
    sheet = Sheet(name="x", columns=("a", "b"), rows=((1.5, "č;"), (None, True), (datetime(2026, 1, 1, tzinfo=UTC), 7)))
    written = TABLES.write("x.csv", [sheet])
    assert written == '\ufeffa;b\r\n1.5;"č;"\r\n;true\r\n2026-01-01T00:00:00+00:00;7\r\n'.encode()


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_would_run_is_guarded_and_reads_back(text: str) -> None:
    sheet = Sheet(name="x", columns=("id", "=a"), rows=(("1", text),))
    written = TABLES.write("x.csv", [sheet])
    assert TABLES.read("x.csv", written) == [sheet]
    cell = written.decode("utf-8-sig").split("\r\n", 1)[1].split(";", 1)[1].strip('"')
    assert cell[0] not in "=+-@\t\r\n"


def test_negative_numbers_are_no_formulas() -> None:
    assert b"\r\n-5.5;-3\r\n" in TABLES.write("x.csv", [Sheet(name="x", columns=("a", "b"), rows=((-5.5, -3),))])


# XLSX


def test_xlsx_keeps_types() -> None:
    at = datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
    sheet = xlsx_sheet(["id", "n", "x", "at", "flag"], ["0012", 12, 12.5, at, True])
    assert sheet.rows == (("0012", 12, 12.5, at, True),)
    assert type(sheet.rows[0][4]) is bool


def test_xlsx_gives_every_sheet_that_is_not_empty() -> None:
    content = xlsx(["id"], ["a"], title="Budovy", Místa=[["id"], ["b"]], Prázdný=[])
    assert [sheet.name for sheet in TABLES.read("a.xlsx", content)] == ["Budovy", "Místa"]


def test_xlsx_rows_keep_their_numbers_under_a_merged_title() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page["A1"] = "Seznam budov"
    page.merge_cells("A1:C1")
    page.append([])
    page["A3"], page["B3"] = "id", "name"
    page["A6"], page["B6"] = "1", "a"
    page["Z90"].value = None
    out = io.BytesIO()
    book.save(out)
    (sheet,) = TABLES.read("a.xlsx", out.getvalue())
    assert (sheet.first_row, sheet.rows) == (4, ((None, None), (None, None), ("1", "a")))


def test_a_formula_gives_its_stored_result() -> None:
    content = xlsx(["a", "b"], [1, "=A2+1"])
    with_result = repacked(content, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>2</v>")
    with_result = repacked(with_result, "xl/worksheets/sheet1.xml", b"<v />", b"<v>2</v>")
    assert TABLES.read("a.xlsx", with_result)[0].rows == ((1, 2),)


def test_a_formula_without_result_is_told_by_its_cell() -> None:
    with pytest.raises(InputError, match="formula in B2"):
        xlsx_sheet(["a", "b"], [1, "=A1+1"])


@pytest.mark.parametrize("text", [*FORMULAS, "a\x07b", "_x0041_", "x_x005F_", " a ", "a\r\nb", "\x0b"])
def test_xlsx_text_is_never_a_formula_and_reads_back(text: str) -> None:
    sheet = Sheet(name="List", columns=("id", "b"), rows=(("1", text),))
    written = TABLES.write("x.xlsx", [sheet])
    assert TABLES.read("x.xlsx", written) == [sheet]
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_text_that_a_spreadsheet_would_cut_is_refused() -> None:
    with pytest.raises(InputError, match="too long"):
        TABLES.write("x.xlsx", [Sheet(name="x", columns=("a",), rows=(("x" * 40_000,),))])


def test_names_of_sheets_are_made_fit() -> None:
    sheet = Sheet(name="Budovy: [x]/y a ještě velmi dlouhý název", columns=("a",), rows=(("1",),))
    assert TABLES.read("x.xlsx", TABLES.write("x.xlsx", [sheet]))[0].name == "Budovy- -x--y a ještě velmi dlo"


# Files that are broken or mean harm


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_a_cut_xlsx_is_refused(cut: float) -> None:
    content = TABLES.write("x.xlsx", [Sheet(name="x", columns=("a",), rows=(("1",),) * 50)])
    with pytest.raises(InputError, match=r"x\.xlsx"):
        TABLES.read("x.xlsx", content[: int(len(content) * cut)])


def test_an_archive_that_is_no_xlsx_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InputError, match="damaged or no XLSX"):
        TABLES.read("x.xlsx", out.getvalue())


def test_a_file_that_calls_itself_xlsx_and_is_text_is_refused() -> None:
    with pytest.raises(InputError, match="no XLSX"):
        TABLES.read("x.xlsx", b"id;name\n")


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(300):
            part.write(b" " * 2**20)
    assert len(out.getvalue()) < 2**20
    with pytest.raises(InputError, match="unpacks to too much"):
        TABLES.read("x.xlsx", out.getvalue())


def test_entities_that_grow_are_refused() -> None:
    bomb = repacked(xlsx(["a"]), "xl/workbook.xml", b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook')
    with pytest.raises(InputError, match="entities"):
        TABLES.read("x.xlsx", bomb)


def test_a_sheet_with_a_cell_at_its_far_end_takes_no_time() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page["A1"], page["B1"], page["A1048576"] = "id", "name", "far"
    out = io.BytesIO()
    book.save(out)
    assert TABLES.read("x.xlsx", out.getvalue())[0].rows[-1] == ("far", None)
    page["XFD2"] = "wide"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(InputError, match="too large"):
        TABLES.read("x.xlsx", out.getvalue())


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_as_input(content: bytes) -> None:
    for name in ("a.csv", "a.xlsx"):
        try:
            TABLES.read(name, content)
        except InputError:
            continue


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
headings = st.lists(cells.map(lambda t: f"h{t.strip()}"), min_size=2, max_size=4)


@st.composite
def text_sheets(draw: st.DrawFn) -> Sheet:
    columns = draw(headings.filter(lambda names: all(n == n.strip() for n in names)))
    row = st.tuples(*[st.none() | cells for _ in columns])
    rows = draw(st.lists(row, max_size=5).filter(lambda rows: not rows or any(rows[-1])))
    return Sheet(name="List", columns=tuple(columns), rows=tuple(rows))


@settings(max_examples=200, deadline=None)
@given(text_sheets())
@example(Sheet(name="List", columns=("h0\t0", "h0\t0"), rows=()))
@example(Sheet(name="List", columns=("a,b,c", "d"), rows=(("1,2,3,4", "\t\t\t"),)))
def test_any_text_survives_a_file(sheet: Sheet) -> None:
    for name in ("List.csv", "List.xlsx"):
        assert TABLES.read(name, TABLES.write(name, [sheet])) == [sheet]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_any_number_survives_xlsx_to_the_last_bit(numbers: list[float]) -> None:
    sheet = Sheet(name="List", columns=("a", "b"), rows=tuple((n, "x") for n in numbers))
    (back,) = TABLES.read("a.xlsx", TABLES.write("a.xlsx", [sheet]))
    assert [row[0] for row in back.rows] == numbers
