"""The acts on documents and notes of buildings: add, correct, withdraw, purge; each is a version, audited.

Whether somebody may is asked before; what they did not see is not overwritten.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Final

import msgspec

from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry, JsonValue
from core.papers import Document, DocumentKind, Kept, Note, Paper, PaperAct, PaperStore
from services.document_files import document_file, titled
from services.register import By

DOCUMENT: Final = "document"
NOTE: Final = "note"
"""How the audit trail names them."""
MOST: Final = 1_000
"""Documents and notes of one building, withdrawn ones among them."""
SOON_DAYS: Final = 90


class Validity(StrEnum):
    """How a document stands on a day."""

    OPEN = "open"  # does not say until when
    AHEAD = "ahead"  # begins later
    VALID = "valid"
    SOON = "soon"  # ends within SOON_DAYS
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is said of a document beside its file; an empty title is the name of the file."""

    kind: DocumentKind = DocumentKind.OTHER
    title: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    remark: str = ""


def validity(document: Document, today: date) -> tuple[Validity, int | None]:
    """Return how a document stands on a day, and the days until its last one (negative: since), None where open."""
    if document.valid_from is not None and document.valid_from > today:
        return Validity.AHEAD, (document.valid_from - today).days
    if document.valid_until is None:
        return Validity.OPEN, None
    left = (document.valid_until - today).days
    if left < 0:
        return Validity.OVER, left
    return (Validity.SOON if left <= SOON_DAYS else Validity.VALID), left


def gathered(papers: Iterable[Paper]) -> list[Kept]:
    """Return papers with their versions, of versions in the order of the store."""
    return [Kept(versions=tuple(versions)) for _, versions in groupby(papers, lambda paper: paper.id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDocument:
    """A document as it stands, with its versions."""

    kept: Kept
    said: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """A note as it stands, with its versions."""

    kept: Kept
    said: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Papers for people to read: documents by what ends first, then by kind and title; notes by day, newest first."""

    documents: tuple[KeptDocument, ...]
    notes: tuple[KeptNote, ...]


def shelf(kept: Sequence[Kept], today: date) -> Shelf:
    """Return papers in the order in which people read them on a day."""
    documents = [document for one in kept if (document := as_document(one))]
    notes = [note for one in kept if (note := as_note(one))]
    return Shelf(
        documents=tuple(sorted(documents, key=lambda found: _urgency(found, today))),
        notes=tuple(sorted(notes, key=lambda found: (found.said.day, found.kept.first.at), reverse=True)),
    )


def as_document(kept: Kept) -> KeptDocument | None:
    """Return a paper as a document, None where it is none."""
    said = kept.last.said
    return KeptDocument(kept=kept, said=said) if isinstance(said, Document) else None


def as_note(kept: Kept) -> KeptNote | None:
    """Return a paper as a note, None where it is none."""
    said = kept.last.said
    return KeptNote(kept=kept, said=said) if isinstance(said, Note) else None


def _urgency(found: KeptDocument, today: date) -> tuple[int, date, int, str, str]:
    standing, _ = validity(found.said, today)
    urgent = standing in {Validity.SOON, Validity.OVER}
    ends = found.said.valid_until if urgent else None
    kind = list(DocumentKind).index(found.said.kind)
    return (not urgent, ends or date.max, kind, found.said.title.casefold(), found.kept.first.id)


@dataclass(frozen=True, slots=True)
class Papers:
    """The acts on papers over a record store."""

    records: PaperStore

    def add_document(self, building: str, wish: Wish, name: str, content: bytes, act: By) -> Paper:
        """Keep a file with a building; raise InputError for one that is none, Conflict where it is there already."""
        file = document_file(name, content)
        said = Document(
            kind=wish.kind,
            title=wish.title.strip() or titled(file.name),
            name=file.name,
            media_type=file.media_type,
            size=len(content),
            digest=file.digest,
            valid_from=wish.valid_from,
            valid_until=wish.valid_until,
            remark=wish.remark.strip(),
        )
        there = self._room_for(building)
        same = next((k.last.said for k in there if k.live and _digest(k.last.said) == file.digest), None)
        if isinstance(same, Document):
            raise Conflict(f"this file is kept with the building already, as {same.title!r}; correct that one")
        return self._added(building, said, act, content)

    def add_note(self, building: str, day: date, text: str, act: By) -> Paper:
        """Write a note of a building; raise Conflict where the same stands there already."""
        said = Note(day=day, text=text.strip())
        if any(kept.live and kept.last.said == said for kept in self._room_for(building)):
            raise Conflict("the same note stands there already")
        return self._added(building, said, act, None)

    def correct_document(self, key: str, wish: Wish, act: By, *, version: int | None = None) -> Paper:
        """Say something else of a document; its file stays."""
        before = self._live(key, version)
        if not isinstance(before.said, Document):
            raise NotFound(f"document {key} is not known")
        said = replace(
            before.said,
            kind=wish.kind,
            title=wish.title.strip() or titled(before.said.name),
            valid_from=wish.valid_from,
            valid_until=wish.valid_until,
            remark=wish.remark.strip(),
        )
        return self._corrected(before, said, act)

    def correct_note(self, key: str, day: date, text: str, act: By, *, version: int | None = None) -> Paper:
        """Put another day and text in the place of a note's; the former stay in its history."""
        before = self._live(key, version)
        if not isinstance(before.said, Note):
            raise NotFound(f"note {key} is not known")
        return self._corrected(before, Note(day=day, text=text.strip()), act)

    def withdraw(self, key: str, act: By) -> Paper:
        """Take it out of the list, with a reason; its history and bytes stay."""
        return self._next(self._live(key, None), PaperAct.WITHDRAWN, _with_reason(act))

    def purge(self, key: str, act: By) -> Paper:
        """Take the bytes of a withdrawn document away for ever, with a reason."""
        before = self.records.paper(key).last
        if before.act is not PaperAct.WITHDRAWN or not isinstance(before.said, Document):
            raise Conflict(f"only a withdrawn document can be purged; withdraw {key} first")
        return self._next(before, PaperAct.PURGED, _with_reason(act))

    def _room_for(self, building: str) -> list[Kept]:
        there = gathered(self.records.papers([building]))
        if len(there) >= MOST:
            raise Conflict(f"building {building} has {MOST} documents and notes already")
        return there

    def _live(self, key: str, version: int | None) -> Paper:
        kept = self.records.paper(key)
        if not kept.live:
            raise Conflict(f"{key} was withdrawn; it is not changed any more")
        if version not in {None, kept.last.version}:
            raise Conflict(f"paper {key} was changed meanwhile; look at it again and repeat what you did")
        return kept.last

    def _added(self, building: str, said: Document | Note, act: By, content: bytes | None) -> Paper:
        paper = Paper(
            id=_id(building, said, act),
            version=1,
            building=building,
            act=PaperAct.ADDED,
            by=act.by,
            at=act.now,
            said=said,
            why=act.why,
        )
        self.records.keep_paper(paper, [_audited(None, paper)], content)
        return paper

    def _corrected(self, before: Paper, said: Document | Note, act: By) -> Paper:
        """Return the version after, or the one there is where nothing is different."""
        return before if said == before.said else self._next(before, PaperAct.CORRECTED, act, said)

    def _next(self, before: Paper, done: PaperAct, act: By, said: Document | Note | None = None) -> Paper:
        after = replace(
            before,
            version=before.version + 1,
            act=done,
            by=act.by,
            at=act.now,
            said=said or before.said,
            why=act.why.strip(),
        )
        self.records.keep_paper(after, [_audited(before, after)])
        return after


def _with_reason(act: By) -> By:
    if not act.why.strip():
        raise InputError("the reason is missing", place="why", remedy="say why")
    return act


def _digest(said: Document | Note) -> str:
    return said.digest if isinstance(said, Document) else ""


def _id(building: str, said: Document | Note, act: By) -> str:
    what = _digest(said) or f"{said}"
    return hashlib.sha256(f"{building}|{act.by}|{act.now.isoformat()}|{what}".encode()).hexdigest()[:16]


def _audited(before: Paper | None, after: Paper) -> AuditEntry:
    return AuditEntry(
        at=after.at,
        by=after.by,
        entity=DOCUMENT if isinstance(after.said, Document) else NOTE,
        key=after.id,
        why=after.why,
        before=None if before is None else _state(before),
        after=_state(after),
    )


def _state(paper: Paper) -> dict[str, JsonValue]:
    """Return what the audit trail says of a paper."""
    said: dict[str, JsonValue] = msgspec.to_builtins(paper.said)
    return {"building": paper.building, "act": paper.act.value, "version": paper.version, **said}
