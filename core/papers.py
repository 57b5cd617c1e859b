"""What is kept about a building beside its numbers: documents (PENB, audits, contracts) and a dated log of notes.

Nothing is written over: a correction is a further version, a withdrawal too. The bytes of a document are kept apart
from it, under their SHA-256, and go at a purge alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from core.codes import check_id, check_text
from core.errors import InputError
from core.notes import AuditEntry

TITLE_LIMIT: Final = 200
REMARK_LIMIT: Final = 2_000
NOTE_LIMIT: Final = 4_000
FIRST_YEAR: Final = 1800
LAST_YEAR: Final = 2200
_PLAIN_CONTROLS: Final = frozenset("\n\t")


class DocumentKind(StrEnum):
    """What a document is."""

    PENB = "penb"  # energy performance certificate
    AUDIT = "energy_audit"
    CONTRACT = "contract"
    INSPECTION = "inspection_report"
    PHOTO = "photo"
    DRAWING = "drawing"
    OTHER = "other_document"


class PaperAct(StrEnum):
    """What made a version."""

    ADDED = "added"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"  # by mistake there, or not to be read any more; the bytes stay
    PURGED = "purged"  # by an administrator: the bytes are gone


GONE: Final = frozenset({PaperAct.WITHDRAWN, PaperAct.PURGED})
"""Acts after which it is in no list any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file with what it is; its content is kept under its SHA-256 (`digest`), of `size` bytes.

    `valid_from` and `valid_until` are the first and the last day on which it is valid, None where it does not say.
    """

    kind: DocumentKind
    title: str
    name: str
    media_type: str
    size: int
    digest: str
    valid_from: date | None = None
    valid_until: date | None = None
    remark: str = ""

    def __post_init__(self) -> None:
        check_text("title", self.title)
        _check_written("title", self.title, TITLE_LIMIT)
        _check_written("remark", self.remark, REMARK_LIMIT)
        _check_day("valid_from", self.valid_from)
        _check_day("valid_until", self.valid_until)
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise InputError("it ends before it begins", place="valid_until", remedy="write a later day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened in a building, or will, on a day or since it."""

    day: date
    text: str

    def __post_init__(self) -> None:
        check_text("text", self.text)
        _check_written("text", self.text, NOTE_LIMIT)
        _check_day("day", self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A version of a document or a note: who made it by which act, when and why, and what it then said.

    Versions count from 1; building and file are the same in all of them.
    """

    id: str
    version: int
    building: str
    act: PaperAct
    by: str
    at: datetime
    said: Document | Note
    why: str = ""

    def __post_init__(self) -> None:
        check_id("paper", self.id)
        _check_written("why", self.why, REMARK_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document or a note with all of its versions, the oldest first."""

    versions: tuple[Paper, ...]

    @property
    def first(self) -> Paper:
        """How it was added."""
        return self.versions[0]

    @property
    def last(self) -> Paper:
        """How it stands."""
        return self.versions[-1]

    @property
    def live(self) -> bool:
        """Whether it is in lists."""
        return self.last.act not in GONE


class PaperStore(Protocol):
    """Keeps papers of buildings; each version is audited in the transaction that stores it."""

    def keep_paper(self, paper: Paper, entries: Sequence[AuditEntry], content: bytes | None = None) -> None:
        """Store a version durably, a document's first one with its file; a purge takes the file away.

        Raise Conflict where the building is not in the register, where it is not the version after the last one, or
        changes what is the same in all versions; InputError where the content is not of the document's SHA-256. A file
        that another document has too stays for that one.
        """
        ...

    def papers(self, buildings: Sequence[str] | None = None) -> list[Paper]:
        """Return all versions of the papers of these buildings (None: of all), by building, id and version."""
        ...

    def paper(self, key: str) -> Kept:
        """Return a document or a note with its versions; raise NotFound."""
        ...

    def document_file(self, digest: str) -> bytes:
        """Return a file; raise NotFound, and StoreError where it is not what it was any more."""
        ...


def _check_written(place: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InputError(f"it is longer than {most} characters", place=place, remedy="shorten it")
    if any((c < " " and c not in _PLAIN_CONTROLS) or "\ud800" <= c <= "\udfff" or c == "\x7f" for c in text):
        raise InputError("it holds a character that cannot be shown", place=place, remedy="leave it out")


def _check_day(place: str, day: date | None) -> None:
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InputError(f"{day.isoformat()} is too far away", place=place, remedy="check the year")
