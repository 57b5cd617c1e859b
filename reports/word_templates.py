"""Makes the templates that ship: `python -m reports.word_templates` writes the files of reports/templates anew.

The same script makes the same bytes. What stands in braces is filled by docxtpl; docs/reports.md lists the names.
"""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Final

from docx import Document
from docx.document import Document as Word
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from core.plan import ReportKind
from reports.czech import typeset
from reports.word_parts import (
    FAINT,
    NOTE_FILL,
    PAGE_CM,
    TEAL,
    WIDE_PAGE_CM,
    Columns,
    add_field,
    set_page,
    shade,
    style_document,
)
from reports.wording import FILES

FOLDER: Final = Path(__file__).parent / "templates"
MADE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - Word's properties are without zone; fixed, so that bytes repeat
ZIPPED: Final = (2026, 1, 1, 0, 0, 0)
PLAN: Final = "Akční plán II koncepce „Chytřejší kraj“ pro {{ kraj }} 2024–2026"
CONTENTS: Final = "{{ obsah }}"
IMPRINT: Final = (
    "{{ stav }}\n~{% if zverejneni %}Vydání č. {{ zverejneni.verze }} ze dne {{ zverejneni.kdy }}, zveřejnil(a) "
    "{{ zverejneni.kdo }}.{% if zverejneni.duvod %} Důvod opravy: {{ zverejneni.duvod }}.{% endif %}"
    "{% else %}Sestaveno {{ sestaveno }} z odečtů přijatých do {{ uzaverka }}.{% endif %}"
)
EMPTY: Final = "Text nebyl dodán."
_TAG: Final = re.compile(r"(\{[{%].*?[%}]\})")


def make(kind: ReportKind) -> bytes:
    """Return the template of a kind of report."""
    document = Document()
    style_document(document)
    set_page(document.sections[0])
    _front(document)
    _summary(document, kind)
    _areas(document, kind)
    _missing(document)
    _methods(document)
    _origins(document)
    _feet(document)
    return _packed(document)


def _say(document: Word, text: str, style: str = "Normal") -> None:
    document.add_paragraph(_set(text), style)


def _set(text: str) -> str:
    """Return a text typeset but for its tags."""
    return "".join(part if part.startswith("{") else typeset(part) for part in _TAG.split(text))


def _head(document: Word, text: str, level: int) -> Paragraph:
    made: Paragraph = document.add_heading(_set(text), level)
    return made


def _chapter(document: Word, name: str) -> None:
    """Begin a chapter on a page of its own."""
    _head(document, name, 1).paragraph_format.page_break_before = True


def _front(document: Word) -> None:
    """Write the title page and the contents."""
    first = document.add_paragraph()
    first.paragraph_format.space_before = Pt(150)
    run = first.add_run("{{ kraj }}")
    run.font.size, run.font.bold, run.font.color.rgb = Pt(15), True, FAINT
    document.add_paragraph("{{ druh }}", "Title").paragraph_format.space_after = Pt(2)
    document.add_paragraph("{{ obdobi }}", "Subtitle").paragraph_format.space_after = Pt(18)
    _say(document, PLAN)
    box = Columns(document, (PAGE_CM,), size=10)
    row = box.row(_set(IMPRINT))
    shade(row.cells[0], NOTE_FILL)
    row.cells[0].paragraphs[0].runs[0].font.bold = True
    last = document.add_paragraph()
    last.paragraph_format.space_before = Pt(150)
    last.add_run(_set("Zpracoval koordinátor: Odbor regionálního rozvoje a evropských projektů")).font.color.rgb = FAINT
    heading = document.add_paragraph("Obsah")
    heading.paragraph_format.page_break_before, heading.paragraph_format.space_after = True, Pt(10)
    heading.runs[0].font.size, heading.runs[0].font.bold, heading.runs[0].font.color.rgb = Pt(17), True, TEAL
    _say(document, CONTENTS)


def _summary(document: Word, kind: ReportKind) -> None:
    """Write the chapters 1 and 2: in short, and by goal."""
    _chapter(document, "1 Shrnutí")
    _say(document, "{%p for odstavec in uvod %}")
    _say(document, "{{ odstavec }}")
    _say(document, "{%p endfor %}")
    _say(document, "Tab.\u00a0# Indikátory podle strategických cílů", "Caption")
    table = Columns(document, (3.0, 2.0, 2.0, 2.0, 2.2, 1.8, 1.9, 2.1))
    table.head(
        "Strategický cíl", "Specifické cíle", "Indikátory", "Splněno", "Nesplněno", "V běhu", "Bez cíle",
        "Nelze posoudit", right=(1, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    table.control("for cil in strategicke_cile")
    names = ("nazev", "specificke", "indikatory", "splneno", "nesplneno", "v_behu", "bez_cile", "neznamo")
    table.row(*(f"{{{{ cil.{name} }}}}" for name in names), right=(1, 2, 3, 4, 5, 6, 7))
    table.control("endfor")
    _head(document, "2 Naplňování cílů", 1)
    _say(document, "Ke každému specifickému cíli jsou uvedeny indikátory, které k němu přispívají, a jejich cílová "
         "hodnota. Plnění se posuzuje v roce, pro který je cíl stanoven.")  # fmt: skip
    _say(document, "Tab.\u00a0# Indikátory podle specifických cílů", "Caption")
    goals = Columns(document, (1.2, 6.2, 2.8, 2.8, 2.1, 1.9))
    closing = kind is ReportKind.CLOSING
    goals.head("Kód", "Indikátor", "Poslední hodnota" if closing else "Hodnota", "Cíl", "Plnění", "Stav", right=(2, 3))
    goals.control("for cil in cile")
    goals.band("{{ cil.cil }}\n~cil.souhrn?{{ cil.souhrn }}")
    goals.control("for i in cil.indikatory")
    goals.row(
        "{{ i.id }}",
        "{{ i.nazev }}",
        "{{ i.hodnota }}",
        "{{ i.cil }}",
        "{{ i.plneni }}",
        "{{ i.stav }}\n~i.navrh?{{ i.navrh }}",
        right=(2, 3),
    )
    goals.control("endfor")
    goals.control("endfor")


def _areas(document: Word, kind: ReportKind) -> None:
    """Write chapter 3: what each area tells, its activities, its indicators and charts."""
    _chapter(document, "3 Oblasti aktivit")
    _say(document, "{%p for oblast in oblasti %}")
    _head(document, "3.{{ oblast.poradi }} {{ oblast.nazev }}", 2)
    card = Columns(document, (4.2, 12.8), size=9)
    for name, said in (
        ("Prioritní oblast", "{{ oblast.prioritni_oblast }}"),
        ("Strategický cíl", "{{ oblast.strategicke }}"),
        ("Specifické cíle", "{{ oblast.cile | join('; ') }}"),
        ("Garant", "{{ oblast.garant }}"),
        ("Podklady", "{{ oblast.dodani }}{% if oblast.dodal %} ({{ oblast.dodal }}){% endif %}"),
    ):
        row = card.row(name, said)
        row.cells[0].paragraphs[0].runs[0].font.bold = True
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True
    _say(document, "{%p for t in oblast.texty %}")
    _head(document, "{{ t.nadpis }}", 3)
    _told(document, "t.odstavce")
    _say(document, "{%p endfor %}")
    _activities(document)
    _head(document, "Hodnoty indikátorů", 3)
    _indicators(document, kind)
    _say(document, "{%p if oblast.indikatory or oblast.vyhodnoceni %}")
    _head(document, "Komentář k indikátorům", 3)
    _told(document, "oblast.vyhodnoceni")
    _say(document, "{%p endif %}")
    _charts(document)
    _say(document, "{%p endfor %}")


def _told(document: Word, name: str) -> None:
    """Write the paragraphs of a text, lists as lists; without any, that there is none."""
    _say(document, f"{{%p for o in {name} %}}")
    _say(document, "{%p if o.odrazka %}")
    _say(document, "{{ o.text }}", "List Bullet")
    _say(document, "{%p else %}")
    _say(document, "{{ o.text }}")
    _say(document, "{%p endif %}")
    _say(document, "{%p endfor %}")
    _say(document, f"{{%p if not {name} %}}")
    empty = document.add_paragraph()
    run = empty.add_run(EMPTY)
    run.font.italic, run.font.color.rgb = True, FAINT
    _say(document, "{%p endif %}")


def _activities(document: Word) -> None:
    _say(document, "{%p if oblast.aktivity %}")
    _head(document, "Aktivity a projekty", 3)
    table = Columns(document, (7.2, 2.4, 2.2, 2.2, 3.0))
    table.head("Aktivita / projekt", "Stav", "Zahájení", "Ukončení", "Náklady", right=(4,))
    table.control("for a in oblast.aktivity")
    table.band("{{ a.nazev }}")
    table.control("for o in a.odstavce")
    table.band_text("{{ o.text }}")
    table.control("endfor")
    table.control("for p in a.projekty")
    table.row(
        "{{ p.nazev }}\n~p.poznamka?{{ p.poznamka }}",
        "{{ p.stav }}",
        "{{ p.od }}",
        "{{ p.do }}",
        "{{ p.cena }}",
        right=(4,),
    )
    table.control("endfor")
    table.control("endfor")
    _say(document, "{%p endif %}")


def _indicators(document: Word, kind: ReportKind) -> None:
    _say(document, "{%p if oblast.indikatory %}")
    _say(document, "Tab.\u00a0# {{ oblast.nazev }}: indikátory", "Caption")
    if kind is ReportKind.CLOSING:
        _by_years(document)
    else:
        _this_year(document)
    _say(document, "{%p for p in oblast.poznamky %}")
    remark = document.add_paragraph()
    remark.paragraph_format.space_before, remark.paragraph_format.space_after = Pt(3), Pt(2)
    for text, bold in (("{{ p.id }} ", True), ("{{ p.text }}", False)):
        run = remark.add_run(text)
        run.font.size, run.font.bold = Pt(8.5), bold
    _say(document, "{%p endfor %}")
    _say(document, "{%p else %}")
    _say(document, "Oblast nemá v této zprávě žádný indikátor.")
    _say(document, "{%p endif %}")


NAME: Final = "{{ r.oznaceni }}\n~r.upresneni?{{ r.upresneni }}"
VALUE: Final = "{{ r.hodnota }}\n~r.interval?{{ r.interval }}"
STATE: Final = "{{ r.stav }}\n~r.navrh?{{ r.navrh }}"


def _this_year(document: Word) -> None:
    table = Columns(document, (4.1, 1.6, 2.2, 1.9, 1.6, 1.9, 1.9, 1.8), size=8)
    table.head(
        "Indikátor", "Jednotka", "{{ letos }}", "{{ loni }}", "Změna", "Cíl", "Plnění", "Stav", right=(2, 3, 4, 5)
    )
    table.control("for r in oblast.indikatory")
    table.row(
        NAME, "{{ r.jednotka }}", VALUE, "{{ r.loni }}", "{{ r.zmena }}", "{{ r.cil }}", "{{ r.plneni }}",
        STATE, right=(2, 3, 4, 5),
    )  # fmt: skip
    table.control("endfor")


def _by_years(document: Word) -> None:
    """Write a table with a column for each of the years."""
    table = Columns(document, (3.9, 1.6, 0.5, 1.9, 0.5, 2.1, 1.9, 2.0), size=8)
    loop = ("{%tc for rok in roky %}", "{{ rok }}", "{%tc endfor %}")
    table.head("Indikátor", "Jednotka", *loop, "Celé období", "Cíl", "Plnění", right=(3, 5, 6))
    table.control("for r in oblast.indikatory")
    values = ("{%tc for v in r.po_letech %}", "{{ v.hodnota }}", "{%tc endfor %}")
    table.row(NAME, "{{ r.jednotka }}", *values, VALUE, "{{ r.cil }}", "{{ r.plneni }}", right=(3, 5, 6))
    table.control("endfor")


def _charts(document: Word) -> None:
    _say(document, "{%p if oblast.grafy %}")
    _head(document, "Grafy", 3)
    table = Columns(document, (PAGE_CM / 2, PAGE_CM / 2), size=8)
    table.control("for g in oblast.grafy")
    table.row("{{ g[0].obrazek }}\n{{ g[0].popisek }}", "{{ g[1].obrazek }}\n{{ g[1].popisek }}")
    table.control("endfor")
    _say(document, "{%p endif %}")


def _missing(document: Word) -> None:
    _head(document, "4 Co chybí a proč", 1)
    _say(document, "{%p if chybi %}")
    _say(document, "Chybějící údaj se nenahrazuje nulou ani odhadem bez označení. Uvedeno je, čeho se týká a co je "
         "třeba doplnit.")  # fmt: skip
    _say(document, "Tab.\u00a0# Chybějící a předběžné údaje", "Caption")
    table = Columns(document, (3.4, 4.0, 3.2, 6.4), size=8)
    table.head("Oblast", "Čeho se týká", "Co chybí", "Proč")
    table.control("for c in chybi")
    table.row("{{ c.oblast }}", "{{ c.ceho }}", "{{ c.co }}", "{{ c.proc }}\n~c.tyka_se?{{ c.tyka_se }}")
    table.control("endfor")
    _say(document, "{%p else %}")
    _say(document, "Nechybí nic: všechny indikátory jsou stanoveny, konečné a doložené.")
    _say(document, "{%p endif %}")


def _methods(document: Word) -> None:
    _chapter(document, "Příloha A: Metodika")
    _say(document, "Každá hodnota vychází z odečtů měřidel, faktur nebo z údajů garanta. Spotřeba za období je rozdíl "
         "stavů měřidel; co není změřeno, je označeno jako odhad nebo jako chybějící. Odhady úspor se uvádějí s 90% "
         "intervalem. Emisní faktory, ceny a počty obyvatel platí vždy pro svůj rok a nepřenášejí se.")  # fmt: skip
    _say(document, "Tab.\u00a0# Indikátory a způsob jejich stanovení", "Caption")
    table = Columns(document, (1.3, 4.2, 7.0, 3.0, 1.5), size=8)
    table.head("Kód", "Název", "Definice", "Způsob", "Mez dat", right=(4,))
    table.control("for m in metodika")
    table.row(
        "{{ m.id }}",
        "{{ m.nazev }}\n~m.smer?{{ m.smer }}",
        "{{ m.definice }}",
        "{{ m.zpusob }}",
        "{{ m.mez }}",
        right=(4,),
    )
    table.control("endfor")
    _say(document, "Mez dat je podíl měřených dat, pod kterým je hodnota jen předběžná.")
    _say(document, "{%p if hodnoty %}")
    _say(document, "Tab.\u00a0# Použité vstupní hodnoty", "Caption")
    used = Columns(document, (3.0, 4.0, 1.3, 1.9, 2.0, 4.8), size=8)
    used.head("Druh", "Označení", "Verze", "Platí od", "Hodnota", "Zdroj", right=(2, 4))
    used.control("for h in hodnoty")
    used.row(
        "{{ h.druh }}", "{{ h.klic }}", "{{ h.verze }}", "{{ h.od }}", "{{ h.hodnota }}", "{{ h.zdroj }}", right=(2, 4)
    )
    used.control("endfor")
    _say(document, "{%p endif %}")


def _origins(document: Word) -> None:
    """Write the last annex, on wide pages."""
    set_page(document.add_section(WD_SECTION.NEW_PAGE), wide=True)
    _head(document, "Příloha B: Původ hodnot", 1)
    _say(document, "{% if zverejneni %}Zveřejněno jako {{ zverejneni.nazev }}, otisk obsahu {{ zverejneni.otisk }}."
         "{% if zverejneni.nahrazuje %} Nahrazuje {{ zverejneni.nahrazuje }}.{% endif %}{% else %}Hodnoty nejsou "
         "zveřejněny.{% endif %} Verze evidence {{ verze_evidence }}, {{ program }}.")  # fmt: skip
    _say(document, "Tab.\u00a0# Původ hodnot indikátorů", "Caption")
    table = Columns(document, (1.3, 5.4, 3.6, 2.6, 2.9, 2.9, 3.2, WIDE_PAGE_CM - 21.9), size=8)
    table.head("Kód", "Název", "Období", "Způsob", "Odečty do", "Vypočteno", "Publikace", "Pokrytí daty")
    table.control("for p in puvod")
    table.row(
        "{{ p.id }}", "{{ p.nazev }}", "{{ p.dny }}", "{{ p.zpusob }}", "{{ p.uzaverka }}", "{{ p.vypocteno }}",
        "{{ p.publikace }}", "{{ p.pokryti }}",
    )  # fmt: skip
    table.control("endfor")


def _feet(document: Word) -> None:
    """Let every page but the first have its number, and drafts a mark."""
    first = document.sections[0]
    first.different_first_page_header_footer = True
    head = first.header.paragraphs[0]
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = head.add_run("{% if navrh %}NÁVRH{% endif %}")
    run.font.size, run.font.bold, run.font.color.rgb = Pt(9), True, FAINT
    foot = first.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run("{{ nazev }} · {{ kraj }} · strana\u00a0")
    add_field(foot, "PAGE")
    foot.add_run("\u00a0z\u00a0")
    add_field(foot, "NUMPAGES")
    for run in foot.runs:
        run.font.size, run.font.color.rgb = Pt(8), FAINT
    document.sections[1].different_first_page_header_footer = False


def _packed(document: Word) -> bytes:
    """Return the file with fixed times, so that the same script makes the same bytes."""
    properties = document.core_properties
    properties.author = properties.title = properties.comments = ""
    properties.language = "cs-CZ"
    properties.created = properties.modified = MADE
    properties.last_modified_by, properties.revision = "", 1
    package = document.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype == RELATIONSHIP_TYPE.THUMBNAIL:
            del package.rels[key]
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, ZIPPED), source.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def main() -> None:
    """Write all templates."""
    FOLDER.mkdir(exist_ok=True)
    for kind, name in FILES.items():
        (FOLDER / f"{name}.docx").write_bytes(make(kind))


if __name__ == "__main__":
    main()
