"""Documents and notes of buildings in SQL; a part of the record store.

Their writers take turns with those of the register, so that no building goes while something is put to it.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, Select, insert, select

from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.papers import Document, Kept, Note, Paper, PaperAct
from core.registry import Building
from storage import records_register as register
from storage import tables
from storage.kept_files import drop_file, keep_file, kept_file
from storage.records_database import Database, Lock
from storage.records_rows import Row, chunks
from storage.tables_papers import document_files, papers

_SORTS: Final[dict[str, type[Document | Note]]] = {"document": Document, "note": Note}


class PaperRecords:
    """The papers of the record store at a database."""

    _database: Database

    def keep_paper(self, paper: Paper, entries: Sequence[AuditEntry], content: bytes | None = None) -> None:
        """Store a version with its history, or nothing; raise Conflict where somebody was faster."""
        with self._database.write(Lock.REGISTER) as connection:
            _check_next(connection, paper)
            connection.execute(insert(papers).values(**_row(paper)))
            if isinstance(paper.said, Document):
                _keep_or_drop(connection, paper, paper.said.digest, content)
            register.record(connection, entries)

    def papers(self, buildings: Sequence[str] | None = None) -> list[Paper]:
        """Return all versions of the papers of these buildings, by building, id and version."""
        question: Select[Any] = select(papers).order_by(papers.c.building, papers.c.id, papers.c.version)
        with self._database.read() as connection:
            if buildings is None:
                return [_paper(row) for row in connection.execute(question).mappings()]
            return [
                _paper(row)
                for some in chunks(sorted(set(buildings)))
                for row in connection.execute(question.where(papers.c.building.in_(some))).mappings()
            ]

    def paper(self, key: str) -> Kept:
        """Return a paper with its versions; raise NotFound."""
        with self._database.read() as connection:
            question = select(papers).where(papers.c.id == tables.legible(key)).order_by(papers.c.version)
            found = tuple(_paper(row) for row in connection.execute(question).mappings())
        if not found or found[0].id != key:
            raise NotFound(f"paper {key} is not known")
        return Kept(versions=found)

    def document_file(self, digest: str) -> bytes:
        """Return a file; raise NotFound, and StoreError where it was changed in the database."""
        with self._database.read() as connection:
            return kept_file(connection, document_files, digest)


def _check_next(connection: Connection, paper: Paper) -> None:
    """Raise Conflict where a version does not follow the last one, or is about something else."""
    head = select(papers).where(papers.c.id == paper.id).order_by(papers.c.version.desc()).limit(1)
    row = connection.execute(head).mappings().first()
    if paper.version != (row["version"] if row else 0) + 1:
        raise Conflict(f"paper {paper.id} was changed meanwhile; look at it again and repeat what you did")
    if row is None:
        buildings = tables.REGISTER[Building].c.id
        if connection.execute(select(buildings).where(buildings == paper.building)).first() is None:
            raise Conflict(f"paper {paper.id} is of building {paper.building}, which is not in the register")
        return
    new = _row(paper)
    if any(row[name] != new[name] for name in ("building", "sort", "digest")):
        raise Conflict(f"paper {paper.id} keeps its building and its file; add another one")


def _keep_or_drop(connection: Connection, paper: Paper, digest: str, content: bytes | None) -> None:
    if paper.version == 1:
        if content is None:
            raise InputError("no file was sent", place="file", remedy="choose a file")
        keep_file(connection, document_files, digest, content)
    if paper.act is PaperAct.PURGED and not _needed(connection, digest):
        drop_file(connection, document_files, digest)


def _needed(connection: Connection, digest: str) -> bool:
    """Return whether a document that was not purged has this file."""
    asked = select(papers.c.id, papers.c.act).where(papers.c.digest == digest)
    acts: dict[str, set[str]] = {}
    for key, act in connection.execute(asked):
        acts.setdefault(key, set()).add(act)
    return any(PaperAct.PURGED not in done for done in acts.values())


def _row(paper: Paper) -> Row:
    row = {c.name: getattr(paper, c.name) for c in papers.c if c.name not in {"sort", "digest", "said"}}
    row |= {"act": paper.act.value, "said": msgspec.to_builtins(paper.said)}
    if isinstance(paper.said, Document):
        return row | {"sort": "document", "digest": paper.said.digest}
    return row | {"sort": "note", "digest": None}


def _paper(row: RowMapping) -> Paper:
    said = {c.name: row[c.name] for c in papers.c if c.name not in {"sort", "digest"}}
    said |= {"act": PaperAct(row["act"]), "said": msgspec.convert(row["said"], _SORTS[row["sort"]])}
    return Paper(**said)
