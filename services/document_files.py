"""Files of buildings' documents: told by what is in them, and of a kind that cannot act where it is opened.

Beyond what evidence has to be: an archive begins as one (no program with an archive behind it) and is the very office
document that its name says, without macros; a text is no page, drawing or script.
"""

from collections.abc import Callable, Mapping
from typing import Final

from core.errors import InputError
from core.packed import unpacking
from services.evidence_files import EvidenceFile, examined, safe_name

_ZIP: Final = b"PK\x03\x04"
_MAIN: Final[Mapping[str, str]] = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_OPEN: Final[Mapping[str, bytes]] = {
    "odt": b"application/vnd.oasis.opendocument.text",
    "ods": b"application/vnd.oasis.opendocument.spreadsheet",
}
_MACROS: Final = ("basic/", "scripts/", "xl/macrosheets/", "word/activex/", "xl/activex/")
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13}
_LEAD: Final = b"\xef\xbb\xbf \t\r\n"
_ACTS: Final = (b"<", b"#!", b"{\\rtf")


def document_file(name: str, content: bytes) -> EvidenceFile:
    """Return a file fit to be kept with a building; raise InputError where it is none."""
    file = examined(name, content)
    ending = _ending(file.name)
    told = _TOLD.get(ending)
    if told is not None and not told(ending, content):
        raise InputError(
            f"the content of {file.name} is not what its name says", place="file", remedy="save it anew, without macros"
        )
    return file


def titled(name: str) -> str:
    """Return the title of a document that nobody gave one: the name of its file without the ending."""
    safe = safe_name(name)
    return safe.rpartition(".")[0] or safe


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _office(ending: str, content: bytes) -> bool:
    """Return whether an archive is a document of Word or Excel."""
    return _MAIN[ending] in _parts(content)


def _open(ending: str, content: bytes) -> bool:
    """Return whether an archive is an OpenDocument of its very type, which a part of it says."""
    parts = _parts(content)
    return "content.xml" in parts and parts.get("mimetype", b"").strip() == _OPEN[ending]


def _parts(content: bytes) -> dict[str, bytes]:
    """Return the names of an archive's parts, with what says its type; none where it is no archive or has macros."""
    if not content.startswith(_ZIP):
        return {}
    with unpacking("file", content) as packed:
        names = [part.filename for part in packed.parts]
        if any(name.lower().startswith(_MACROS) for name in names):
            return {}
        told = {part.filename: packed.read(part) for part in packed.parts if part.filename == "mimetype"}
    return dict.fromkeys(names, b"") | told


def _plain(_: str, content: bytes) -> bool:
    """Return whether a text is written, and to be read, by people: no markup, no script, nothing that is no letter."""
    return not (content.lstrip(_LEAD).startswith(_ACTS) or _CONTROLS & set(content))


_TOLD: Final[Mapping[str, Callable[[str, bytes], bool]]] = {
    "docx": _office,
    "xlsx": _office,
    "odt": _open,
    "ods": _open,
    "csv": _plain,
    "txt": _plain,
}
