"""A report in the format that somebody wants it in: the file, its type and its name."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from core.publications import canonical, digest_of
from core.report import AreaPart, Origin, Report
from reports import flat, print_page, word, workbook
from reports.figures import Why
from reports.wording import file_name
from services.frozen import to_json


class Format(StrEnum):
    """The kinds of file that a report is written as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    DOCX = "docx"
    HTML = "html"


MEDIA: Final = {
    Format.JSON: "application/json",
    Format.CSV: flat.MEDIA,
    Format.XLSX: workbook.MEDIA,
    Format.DOCX: word.MEDIA,
    Format.HTML: print_page.MEDIA,
}
PAGE_POLICY: Final = print_page.POLICY
"""The content security policy under which a page for print is served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file."""

    name: str
    media_type: str
    content: bytes


def document(report: Report, form: Format, why: Why, *, templates: Path | None = None) -> Document:
    """Return a report as a file; `templates` is the folder of the region's own templates.

    Raise InputError, with place and remedy, where such a template cannot be filled.
    """
    return Document(
        name=f"{file_name(report.id)}.{form}",
        media_type=MEDIA[form],
        content=_content(report, form, why, templates),
    )


def _content(report: Report, form: Format, why: Why, templates: Path | None) -> bytes:
    match form:
        case Format.JSON:
            return msgspec.json.encode(to_json(report))
        case Format.CSV:
            return flat.as_csv(report, why)
        case Format.XLSX:
            return workbook.workbook(report, why)
        case Format.HTML:
            return print_page.page(report, why).encode()
        case Format.DOCX:
            return word.word(report, why, template=word.template_of(report.id.kind, templates))


_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _steady(part: AreaPart) -> AreaPart:
    """Return an area without the moment at which its values were computed."""
    rows = (replace(row, origin=_unmoved(row.origin)) for row in part.rows)
    return replace(part, rows=tuple(rows))


def _unmoved(origin: Origin | None) -> Origin | None:
    return None if origin is None else replace(origin, cutoff=_MOMENT, computed_at=_MOMENT)


def mark_of(report: Report, form: Format, templates: Path | None = None) -> str:
    """Return what stays the same as long as a report's file would say the same, whenever it is put together."""
    said = canonical(to_json(replace(report, made_at=_MOMENT, cutoff=None, areas=tuple(map(_steady, report.areas)))))
    template = word.template_of(report.id.kind, templates).read_bytes() if form is Format.DOCX else b""
    return digest_of(b"\n".join((said, form.encode(), report.software.encode(), template)))[:24]
