"""Parts of a Word document that its library has no words for: widths, shades and rims of tables, fields, languages."""

from typing import Any, Final

from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

INK: Final = RGBColor(0x22, 0x31, 0x3A)
TEAL: Final = RGBColor(0x0D, 0x56, 0x52)
FAINT: Final = RGBColor(0x56, 0x68, 0x72)
HEAD_FILL: Final = "0D5652"
BAND_FILL: Final = "E3EFEE"
NOTE_FILL: Final = "FBF3E2"
RIM: Final = "B9C4CA"
FONT: Final = "Arial"
PAGE_CM: Final = 17.0
WIDE_PAGE_CM: Final = 25.7
TWIPS_PER_CM: Final = 567
TABLE_PROPERTIES: Final = ("tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblCellMar", "tblLook")
"""Properties of a table in the order that the schema wants."""


def element(tag: str, /, **attributes: str) -> Any:  # noqa: ANN401 - elements of the library have no type
    """Return an element of WordprocessingML with attributes of its namespace."""
    made = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def style_document(document: Document) -> None:
    """Set font, sizes, colours and language of the styles that templates use."""
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size, normal.font.color.rgb = FONT, Pt(10), INK
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(6), 1.1
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{name}"), FONT)
    normal.element.rPr.append(element("lang", val="cs-CZ", eastAsia="cs-CZ", bidi="cs-CZ"))
    _heading(document, "Heading 1", 17, before=22)
    _heading(document, "Heading 2", 13.5, before=16)
    _heading(document, "Heading 3", 11, before=11)
    _plain(document, "Title", 30, bold=True)
    _plain(document, "Subtitle", 15, bold=False)
    caption = _plain(document, "Caption", 8.5, bold=True)
    caption.paragraph_format.keep_with_next, caption.paragraph_format.space_before = True, Pt(8)
    caption.paragraph_format.space_after = Pt(3)
    bullet = document.styles["List Bullet"]
    bullet.paragraph_format.space_after = Pt(3)


def _heading(document: Document, name: str, size: float, *, before: float) -> None:
    style = _plain(document, name, size, bold=True)
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(6)
    style.paragraph_format.keep_with_next = True


def _plain(document: Document, name: str, size: float, *, bold: bool) -> ParagraphStyle:
    style: ParagraphStyle = document.styles[name]
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for key in list(fonts.attrib):
        del fonts.attrib[key]
    for key in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{key}"), FONT)
    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = INK if name == "Caption" else TEAL
    borders = style.element.get_or_add_pPr().find(qn("w:pBdr"))
    if borders is not None:
        style.element.pPr.remove(borders)
    return style


def set_page(section: Section, *, wide: bool = False) -> None:
    """Make a section A4, upright or wide, with margins of 2 cm."""
    short, long = Cm(21.0), Cm(29.7)
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if wide else (short, long)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Cm(2.0))
    section.header_distance = section.footer_distance = Cm(1.0)


def add_field(paragraph: Paragraph, code: str, shown: str = "1") -> None:
    """Add a field such as PAGE, with what stands there until it is computed."""
    for kind in ("begin", "code", "separate", "text", "end"):
        run = paragraph.add_run()
        if kind == "code":
            said = element("instrText")
            said.set(qn("xml:space"), "preserve")
            said.text = f" {code} "
            run._r.append(said)
        elif kind == "text":
            run.text = shown
        else:
            run._r.append(element("fldChar", fldCharType=kind))


class Columns:
    """A table under construction: fixed widths, a head that is repeated on every page, rows that are not torn."""

    def __init__(self, document: Document, widths_cm: tuple[float, ...], *, size: float = 8.5) -> None:
        self.widths, self.size = widths_cm, size
        self.table = document.add_table(rows=0, cols=len(widths_cm))
        self.table.autofit = False
        self.table.alignment = WD_TABLE_ALIGNMENT.LEFT
        _fix(self.table, widths_cm)

    def head(self, *texts: str, right: tuple[int, ...] = ()) -> None:
        """Add the row of headings."""
        row = self.row(*texts, right=right, fill=HEAD_FILL, bold=True, color=RGBColor(0xFF, 0xFF, 0xFF))
        row._tr.get_or_add_trPr().append(element("tblHeader"))

    def row(
        self,
        *texts: str,
        right: tuple[int, ...] = (),
        fill: str = "",
        bold: bool = False,
        color: RGBColor | None = None,
    ) -> _Row:
        """Add a row; columns named in `right` are of numbers."""
        row: _Row = self.table.add_row()
        row._tr.get_or_add_trPr().append(element("cantSplit"))
        for place, text in enumerate(texts):
            cell = row.cells[place]
            cell.width = Cm(self.widths[place])
            if fill:
                shade(cell, fill)
            self.write(cell, text, right=place in right, bold=bold, color=color)
        return row

    def write(
        self,
        cell: _Cell,
        text: str,
        *,
        right: bool = False,
        bold: bool = False,
        color: RGBColor | None = None,
    ) -> None:
        """Write lines into a cell; one that starts with `~` is small and faint, `~name?` only where there is a name."""
        place = 0
        for line in text.split("\n"):
            faint, told = line.startswith("~"), line.removeprefix("~")
            name, asked, rest = told.partition("?") if faint else ("", "", told)
            for said in (f"{{%p if {name} %}}", rest, "{%p endif %}") if asked else (told,):
                paragraph = cell.paragraphs[0] if place == 0 else cell.add_paragraph()
                place += 1
                paragraph.paragraph_format.space_after, paragraph.paragraph_format.line_spacing = Pt(1), 1.0
                if right:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                self._run(paragraph, said, faint=faint, bold=bold, color=color)

    def _run(self, paragraph: Paragraph, text: str, *, faint: bool, bold: bool, color: RGBColor | None) -> None:
        run = paragraph.add_run(text)
        run.font.size, run.font.bold = Pt(self.size - 1 if faint else self.size), bold and not faint
        if faint or color is not None:
            run.font.color.rgb = FAINT if faint else color

    def control(self, tag: str) -> None:
        """Add a row that holds a tag of the template and vanishes when it is filled."""
        self.table.add_row().cells[0].paragraphs[0].add_run(f"{{%tr {tag} %}}").font.size = Pt(self.size)

    def band(self, text: str) -> None:
        """Add a shaded row of one cell across the table."""
        self._across(text, fill=BAND_FILL, bold=True)

    def band_text(self, text: str) -> None:
        """Add a row of one cell across the table, for a longer text."""
        self._across(text, fill="", bold=False)

    def _across(self, text: str, *, fill: str, bold: bool) -> None:
        row = self.row(*("" for _ in self.widths), fill=fill)
        merged = row.cells[0].merge(row.cells[-1])
        for extra in merged.paragraphs[1:]:
            extra._p.getparent().remove(extra._p)
        self.write(merged, text, bold=bold)


def shade(cell: _Cell, fill: str) -> None:
    """Give a cell a background."""
    cell._tc.get_or_add_tcPr().append(element("shd", val="clear", color="auto", fill=fill))


def _fix(table: Table, widths_cm: tuple[float, ...]) -> None:
    """Fix widths, draw thin rims between rows, leave air in the cells."""
    properties = table._tbl.tblPr
    borders = element("tblBorders")
    for side in ("top", "bottom", "insideH"):
        borders.append(element(side, val="single", sz="4", space="0", color=RIM))
    margins = element("tblCellMar")
    for side, width in (("top", "40"), ("left", "80"), ("bottom", "30"), ("right", "80")):
        margins.append(element(side, w=width, type="dxa"))
    for old in properties.findall(qn("w:tblW")) + properties.findall(qn("w:tblStyle")):
        properties.remove(old)
    width = element("tblW", w=str(round(sum(widths_cm) * TWIPS_PER_CM)), type="dxa")
    there = {child.tag: child for child in (*properties, width, borders, margins)}
    for name in TABLE_PROPERTIES:
        if qn(f"w:{name}") in there:
            properties.append(there[qn(f"w:{name}")])
    for column, width_cm in zip(table.columns, widths_cm, strict=True):
        column.width = Cm(width_cm)
