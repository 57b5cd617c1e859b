"""What a filled document still needs: contents with pages, numbers of tables, words for pictures, tables that fit."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

from docx.document import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from reports.word_parts import TWIPS_PER_CM, element

CONTENTS: Final = "\ue000obsah\ue000"
"""Stands where a template wants the contents; a character of private use, which no text of a person keeps."""
NUMBERED: Final = "Tab.\u00a0# "
LEVELS: Final = {"Heading 1": 0, "Heading 2": 1}
TITLE_SHARE: Final = 0.02


def finish(document: Document, described: Sequence[str]) -> None:
    """Finish a document; `described` says in words what each picture shows, in their order."""
    _number_captions(document)
    _fit_tables(document)
    _describe_pictures(document, described)
    _write_contents(document)


def _number_captions(document: Document) -> None:
    number = 0
    for paragraph in document.paragraphs:
        if paragraph.style is not None and paragraph.style.name == "Caption" and paragraph.text.startswith(NUMBERED):
            number += 1
            run = paragraph.runs[0]
            run.text = run.text.replace("#", str(number), 1)


def _describe_pictures(document: Document, described: Sequence[str]) -> None:
    pictures = [one for one in document.element.body.iter(qn("wp:docPr")) if one.getparent().tag == qn("wp:inline")]
    if len(pictures) != len(described):  # a template of one's own may leave charts out, or hold pictures of its own
        return
    for picture, text in zip(pictures, described, strict=True):
        picture.set("descr", text)


def _fit_tables(document: Document) -> None:
    """Narrow tables that a loop over columns made wider than their place, and tell the grid what the cells are."""
    for table in document.element.body.iter(qn("w:tbl")):
        widths = _widest(table)
        if not widths:
            continue
        room = _room(document, table)
        scale = min(1.0, room / sum(widths))
        for cell_width in table.iter(qn("w:tcW")):
            cell_width.set(qn("w:w"), str(round(int(cell_width.get(qn("w:w"))) * scale)))
        grid = table.find(qn("w:tblGrid"))
        for column in list(grid):
            grid.remove(column)
        for width in widths:
            grid.append(element("gridCol", w=str(round(width * scale))))
        whole = table.find(f"{qn('w:tblPr')}/{qn('w:tblW')}")
        if whole is not None and whole.get(qn("w:type")) == "dxa":
            whole.set(qn("w:w"), str(round(sum(widths) * scale)))


def _widest(table: Any) -> list[int]:  # noqa: ANN401 - elements of the library have no type
    """Return the widths of the cells of the row with the most of them, empty where they are not all stated."""
    rows = [row.findall(qn("w:tc")) for row in table.findall(qn("w:tr"))]
    cells: list[Any] = max(rows, key=len, default=[])
    stated = [cell.find(f"{qn('w:tcPr')}/{qn('w:tcW')}") for cell in cells]
    fixed = [int(one.get(qn("w:w"))) for one in stated if one is not None and one.get(qn("w:type")) == "dxa"]
    return fixed if len(fixed) == len(cells) else []


def _room(document: Document, table: Any) -> float:  # noqa: ANN401 - same
    """Return how wide the section of a table is between its margins [twips]."""
    sections = document.sections
    ends = list(document.element.body.iter(qn("w:sectPr")))
    following = {id(one) for one in table.itersiblings()}
    place = next(
        (n for n, end in enumerate(ends) if end.getparent().tag == qn("w:body") or _above(end) & following),
        len(ends) - 1,
    )
    section = sections[place]
    width, left, right = section.page_width or 0, section.left_margin or 0, section.right_margin or 0
    return (width - left - right) / 360_000 * TWIPS_PER_CM  # EMU a centimetre


def _above(one: Any) -> set[int]:  # noqa: ANN401 - same
    return {id(parent) for parent in one.iterancestors()}


def _headings(document: Document) -> Iterator[tuple[Paragraph, int]]:
    for paragraph in document.paragraphs:
        name = paragraph.style.name if paragraph.style is not None else ""
        if name in LEVELS and paragraph.text.strip():
            yield paragraph, LEVELS[name]


def _write_contents(document: Document) -> None:
    """Write the contents: a line for each heading, with its page as a field that Word and LibreOffice fill in."""
    place = next((one for one in document.paragraphs if CONTENTS in one.text), None)
    headings = list(_headings(document))
    for number, (paragraph, _) in enumerate(headings):
        _mark(paragraph, number)
    if place is None:
        return
    for number, (paragraph, level) in enumerate(headings):
        place._p.addprevious(_line(place, paragraph.text, f"_obsah{number}", level, document))
    place._p.getparent().remove(place._p)


def _mark(paragraph: Paragraph, number: int) -> None:
    begin = element("bookmarkStart", id=str(10_000 + number), name=f"_obsah{number}")
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, begin)
    paragraph._p.append(element("bookmarkEnd", id=str(10_000 + number)))


def _line(place: Paragraph, text: str, name: str, level: int, document: Document) -> Any:  # noqa: ANN401 - same
    section = document.sections[0]
    width = ((section.page_width or 0) - (section.left_margin or 0) - (section.right_margin or 0)) / 360_000
    made = element("p")
    properties = element("pPr")
    tabs = element("tabs")
    tabs.append(element("tab", val="right", leader="dot", pos=str(round(width * TWIPS_PER_CM))))
    properties.append(tabs)
    properties.append(element("spacing", before="120" if level == 0 else "0", after="40"))
    properties.append(element("ind", left=str(level * 340), right="567"))
    made.append(properties)
    link = element("hyperlink", anchor=name, history="1")
    link.append(_run(place, text, bold=level == 0))
    tab = element("r")
    tab.append(element("tab"))
    link.append(tab)
    for kind in ("begin", "code", "separate", "text", "end"):
        link.append(_field_run(kind, name))
    made.append(link)
    return made


def _run(place: Paragraph, text: str, *, bold: bool) -> Any:  # noqa: ANN401 - same
    run = element("r")
    if place.runs and place.runs[0]._r.rPr is not None:
        run.append(deepcopy(place.runs[0]._r.rPr))
    elif bold:
        properties = element("rPr")
        properties.append(element("b"))
        run.append(properties)
    said = element("t")
    said.set(qn("xml:space"), "preserve")
    said.text = text
    run.append(said)
    return run


def _field_run(kind: str, name: str) -> Any:  # noqa: ANN401 - same
    run = element("r")
    if kind == "code":
        said = element("instrText")
        said.set(qn("xml:space"), "preserve")
        said.text = f" PAGEREF {name} \\h "
        run.append(said)
    elif kind == "text":
        run.append(element("t"))
    else:
        run.append(element("fldChar", fldCharType=kind, **({"dirty": "true"} if kind == "begin" else {})))
    return run
