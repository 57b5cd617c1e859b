"""Files that a guarantor hands in: of a known kind, not too large, with a name that can do no harm."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import InputError
from core.packed import unpacking

SIZE_LIMIT: Final = 20 * 1024 * 1024
"""Bytes of one file."""
NAME_LIMIT: Final = 120
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OPEN: Final = "application/vnd.oasis.opendocument."


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(marks)


def _archive(member: str) -> Callable[[bytes], bool]:
    """Return what tells an office document: a zip with this member, and without macros."""

    def told(content: bytes) -> bool:
        if not content.startswith(b"PK"):
            return False
        with unpacking("file", content) as packed:
            packed.check()
            names = [part.filename for part in packed.parts]
        return member in names and not any(name.lower().endswith("vbaproject.bin") for name in names)

    return told


def _words(content: bytes) -> bool:
    return b"\x00" not in content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    media_type: str
    is_it: Callable[[bytes], bool]


KINDS: Final[Mapping[str, _Kind]] = {
    "pdf": _Kind(media_type="application/pdf", is_it=_begins(b"%PDF-")),
    "png": _Kind(media_type="image/png", is_it=_begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": _Kind(media_type="image/jpeg", is_it=_begins(b"\xff\xd8\xff")),
    "jpeg": _Kind(media_type="image/jpeg", is_it=_begins(b"\xff\xd8\xff")),
    "xlsx": _Kind(media_type=f"{_OFFICE}spreadsheetml.sheet", is_it=_archive("[Content_Types].xml")),
    "docx": _Kind(media_type=f"{_OFFICE}wordprocessingml.document", is_it=_archive("[Content_Types].xml")),
    "ods": _Kind(media_type=f"{_OPEN}spreadsheet", is_it=_archive("mimetype")),
    "odt": _Kind(media_type=f"{_OPEN}text", is_it=_archive("mimetype")),
    "csv": _Kind(media_type="text/csv", is_it=_words),
    "txt": _Kind(media_type="text/plain", is_it=_words),
}
"""What may be handed in, by the ending of its name; the content must be what the ending says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that was looked at: its safe name, its kind, its SHA-256."""

    name: str
    media_type: str
    digest: str
    content: bytes


def examined(name: str, content: bytes) -> EvidenceFile:
    """Return a file fit to be kept; raise InputError where it is none."""
    safe = safe_name(name)
    kind = KINDS.get(safe.rpartition(".")[2].lower())
    if kind is None or "." not in safe:
        raise InputError(f"{safe!r} is no kind of evidence", place="file", remedy=f"send one of {', '.join(KINDS)}")
    if not content:
        raise InputError(f"{safe} is empty", place="file", remedy="choose the file again")
    if len(content) > SIZE_LIMIT:
        raise InputError(
            f"{safe} has {len(content)} bytes", place="file", remedy=f"send at most {SIZE_LIMIT // 1_048_576} MB"
        )
    if not kind.is_it(content):
        raise InputError(
            f"the content of {safe} is not what its name says", place="file", remedy="save it anew, without macros"
        )
    return EvidenceFile(
        name=safe, media_type=kind.media_type, digest=hashlib.sha256(content).hexdigest(), content=content
    )


def safe_name(name: str) -> str:
    """Return a file's name without folders and without characters that control, hide or quote."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    seen = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    plain = re.sub(r"[<>:\"|?*;]+", "_", seen).strip(" .")
    if not plain:
        raise InputError("the file has no name", place="file", remedy="give it one, with its ending")
    stem, dot, ending = plain.rpartition(".")
    room = NAME_LIMIT - len(ending) - 1
    return f"{stem[:room]}{dot}{ending[:NAME_LIMIT]}" if dot else plain[:NAME_LIMIT]
