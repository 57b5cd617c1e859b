"""Files that people hand in with buildings, and others that only say to be such."""

import io
import zipfile

PDF = b"%PDF-1.7\n" + bytes(range(256))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)


def named(*names: str) -> bytes:
    """Return an archive of parts of these names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def open_document(kind: str, *more: str) -> bytes:
    """Return an OpenDocument of a kind (text, spreadsheet, ...)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        for name in ("content.xml", *more):
            archive.writestr(name, "x")
    return made.getvalue()


DOCX = named("[Content_Types].xml", "word/document.xml")
XLSX = named("[Content_Types].xml", "xl/workbook.xml")
