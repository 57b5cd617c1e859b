"""A backup carries documents with their files, and notes, every version of each, from either database into either."""

from contextlib import closing
from datetime import UTC, date, datetime

from core.papers import Document, DocumentKind, Note, Paper, PaperAct
from core.publications import digest_of
from core.registry import Building, Organisation
from storage.backup_records import FILES_HELD
from storage.records import SqlRecordStore
from tests.contract.test_archived_records import Maker, crosswise, fresh, put, taken

__all__ = ["fresh"]
NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
FILES = [b"%PDF-1.7 " + bytes(range(256)) * 4_000 + str(n).encode() for n in range(FILES_HELD + 3)]
"""More than are held at once, a megabyte each: a chunk of a backup ends between them."""


NOTE = Note(day=date(2025, 9, 1), text="Školní družina končí v 17 h.\nOd září.")
NOTES = tuple(
    Paper(id="n1", version=n, building="B1", act=act, by="školník", at=NOW, said=NOTE, why="omyl")
    for n, act in enumerate((PaperAct.ADDED, PaperAct.WITHDRAWN), 1)
)


def documents() -> list[Paper]:
    return [
        Paper(
            id=f"d{n:02}",
            version=1,
            building="B1",
            act=PaperAct.ADDED,
            by="školník",
            at=NOW,
            said=Document(
                kind=DocumentKind.PENB,
                title=f"Průkaz „{n}“",
                name="PENB č. 3.pdf",
                media_type="application/pdf",
                size=len(content),
                digest=digest_of(content),
                valid_until=date(2026, 2, 28),
            ),
        )
        for n, content in enumerate(FILES)
    ]


def fill(store: SqlRecordStore) -> None:
    store.start()
    buildings = [Organisation(id="O1", name="Kraj"), Building(id="B1", organisation="O1", name="A")]
    store.save(buildings, by="test", now=NOW)
    for paper, content in zip(documents(), FILES, strict=True):
        store.keep_paper(paper, (), content)
    for paper in NOTES:
        store.keep_paper(paper, ())


@crosswise
def test_papers_and_their_files_come_back_as_they_were(of: str, into: str, fresh: Maker) -> None:
    source, target = fresh(of), fresh(into)
    with closing(SqlRecordStore(source)) as store:
        fill(store)
        before = store.papers()
    _, members = taken(source)
    put(target, members)
    with closing(SqlRecordStore(target)) as store:
        store.start()
        assert store.papers() == before == [*documents(), *NOTES]
        assert [store.document_file(digest_of(content)) for content in FILES] == FILES


def test_files_are_parted_among_members_of_a_backup(fresh: Maker) -> None:
    url = fresh("sqlite")
    with closing(SqlRecordStore(url)) as store:
        fill(store)
    _, members = taken(url)
    rows = [m.rows for m in members if m.name.startswith("records/document_files/")]
    assert len(rows) > 1
    assert sum(rows) == len(FILES)
