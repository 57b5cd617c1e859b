"""Documents and notes of buildings as the API writes them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from api.paper_texts import KINDS, validity_text
from api.texts import Language
from core.papers import Paper
from services.papers import KeptDocument, KeptNote, validity


class DocumentLine(msgspec.Struct, frozen=True):
    """A document: what it is, its file, until when it is valid, who added it, and what was done with it last.

    `validity` is open, ahead, valid, soon (ends within 90 days) or over; `days` are those left, negative once over.
    """

    id: str
    version: int
    building: str
    kind: str
    kind_text: str
    title: str
    name: str
    media_type: str
    size: int
    digest: str
    valid_from: date | None
    valid_until: date | None
    validity: str
    validity_text: str
    days: int | None
    remark: str
    added_by: str
    added_at: datetime
    state: str
    by: str
    at: datetime
    why: str

    @classmethod
    def of(cls, found: KeptDocument, today: date, words: Language) -> "DocumentLine":
        """Return the JSON form."""
        kept, said = found.kept, found.said
        standing, days = validity(said, today)
        names = ("title", "name", "media_type", "size", "digest", "valid_from", "valid_until", "remark")
        last = kept.last
        return cls(
            **{name: getattr(said, name) for name in names},
            **{name: getattr(last, name) for name in ("id", "version", "building", "by", "at", "why")},
            kind=said.kind,
            kind_text=words.text(KINDS[said.kind]),
            validity=standing,
            validity_text=validity_text(said, today, words),
            days=days,
            added_by=kept.first.by,
            added_at=kept.first.at,
            state=last.act,
        )


class NoteLine(msgspec.Struct, frozen=True):
    """A note: the day that it is about, its text, who wrote it, and what was done with it last."""

    id: str
    version: int
    building: str
    day: date
    text: str
    added_by: str
    added_at: datetime
    state: str
    by: str
    at: datetime
    why: str

    @classmethod
    def of(cls, found: KeptNote) -> "NoteLine":
        """Return the JSON form."""
        kept, said = found.kept, found.said
        last = kept.last
        return cls(
            **{name: getattr(last, name) for name in ("id", "version", "building", "by", "at", "why")},
            day=said.day,
            text=said.text,
            added_by=kept.first.by,
            added_at=kept.first.at,
            state=last.act,
        )


class PaperVersion(msgspec.Struct, frozen=True):
    """A version of a document or a note: who made it by which act, when, why, and what it then said."""

    version: int
    act: str
    by: str
    at: datetime
    why: str
    said: Mapping[str, Any]

    @classmethod
    def of(cls, paper: Paper) -> "PaperVersion":
        """Return the JSON form."""
        return cls(paper.version, paper.act, paper.by, paper.at, paper.why, msgspec.to_builtins(paper.said))


class DocumentHistory(msgspec.Struct, frozen=True):
    """A document with its versions, the oldest first."""

    document: DocumentLine
    versions: Sequence[PaperVersion]


class NoteHistory(msgspec.Struct, frozen=True):
    """A note with its versions, the oldest first."""

    note: NoteLine
    versions: Sequence[PaperVersion]


class DocumentList(msgspec.Struct, frozen=True):
    """Documents, by building, those that end first before the others."""

    items: Sequence[DocumentLine]


class NoteList(msgspec.Struct, frozen=True):
    """Notes, the newest day first."""

    items: Sequence[NoteLine]
