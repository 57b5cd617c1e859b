"""A report as a Word document: a template, ours or the region's own, filled by docxtpl and then finished.

What a template lacks or names wrongly is told with its place, never passed over: an unknown name is an error.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from docx.shared import Cm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from core.errors import InputError
from core.packed import unpacking
from core.plan import ReportKind
from core.report import Report
from reports.charts import Chart, charts
from reports.context import Context, context
from reports.figures import Why
from reports.template_faults import fault_of
from reports.word_finish import CONTENTS, finish
from reports.wording import FILES

MEDIA: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEMPLATES: Final = Path(__file__).parent / "templates"
CHART_CM: Final = 8.0
LONGEST_PROPERTY: Final = 255
TAGS_LIMIT: Final = 500_000
"""Tags of a part of a template; ours have some thousands."""
REMEDY: Final = "save it from Word or LibreOffice as .docx, or make it anew from the one that ships"


def template_of(kind: ReportKind, folder: Path | None = None) -> Path:
    """Return the template of a kind of report: the one in the region's folder where it is there, else ours."""
    name = f"{FILES[kind]}.docx"
    own = folder / name if folder else None
    return own if own is not None and own.is_file() else TEMPLATES / name


def word(report: Report, why: Why, *, template: Path | None = None) -> bytes:
    """Return the document; raise InputError with place and remedy where a template cannot be filled."""
    file = template or template_of(report.id.kind)
    filled = _opened(file)
    said = {**context(report, why), "obsah": CONTENTS}
    drawn = charts(report, report.rows)
    _with_charts(said, report, drawn, filled)
    _fill(filled, said, file)
    properties = filled.docx.core_properties
    properties.author, properties.title = (said[name][:LONGEST_PROPERTY] for name in ("kraj", "nazev"))
    out = io.BytesIO()
    finish(filled.docx, [chart.described for chart in _ordered(report, drawn)])
    filled.save(out)
    return out.getvalue()


def _opened(file: Path) -> DocxTemplate:
    no_document = InputError("it is no Word document", place=f"template {file.name}", remedy=REMEDY)
    try:
        content = file.read_bytes()
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise no_document
        with unpacking(f"template {file.name}", content) as packed:
            packed.check(most_tags=TAGS_LIMIT)
        opened = DocxTemplate(io.BytesIO(content))
        opened.init_docx()
    except OSError as err:
        raise InputError(
            f"it cannot be read ({err.strerror})", place=f"template {file.name}", remedy="let Odečet's user read it"
        ) from err
    except (KeyError, ValueError, SyntaxError) as err:  # the last of them is of XML
        raise no_document from err
    return opened


def _fill(filled: DocxTemplate, said: Mapping[str, Any], file: Path) -> None:
    # Templates are files of the region: the sandbox keeps a pasted one from reaching beyond its names.
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    try:
        filled.render(said, environment)
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError) as err:
        raise fault_of(err, file, said) from err


def _ordered(report: Report, drawn: Sequence[Chart]) -> list[Chart]:
    """Return charts as they stand in the document: area by area."""
    return [chart for part in report.areas for chart in drawn if chart.indicator in {r.indicator for r in part.rows}]


def _with_charts(said: Context, report: Report, drawn: Sequence[Chart], filled: DocxTemplate) -> None:
    """Put each area's charts, two and two, into what the template is given."""
    for part, shown in zip(report.areas, said["oblasti"], strict=True):
        mine = {row.indicator for row in part.rows}
        pictures = [
            {"obrazek": InlineImage(filled, io.BytesIO(chart.png()), width=Cm(CHART_CM)), "popisek": chart.caption}
            for chart in drawn
            if chart.indicator in mine
        ]
        if len(pictures) % 2:
            pictures.append({"obrazek": "", "popisek": ""})
        shown["grafy"] = [pictures[place : place + 2] for place in range(0, len(pictures), 2)]
