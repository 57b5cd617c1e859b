"""What RecordStore promises of documents and notes of buildings, held against SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from core.errors import Conflict, InputError, NotFound, OdecetError, StoreError
from core.notes import AuditEntry
from core.papers import Document, DocumentKind, Note, Paper, PaperAct
from core.ports import RecordStore
from core.publications import digest_of
from core.registry import Building, BuildingKind, Organisation
from storage.records import SqlRecordStore
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
CONTENT = b"%PDF-1.7 " + bytes(range(256))
PENB = Document(
    kind=DocumentKind.PENB,
    title="Průkaz — „B“",
    name="PENB č. 3.pdf",
    media_type="application/pdf",
    size=len(CONTENT),
    digest=digest_of(CONTENT),
    valid_from=date(2016, 2, 29),
    valid_until=date(2026, 2, 28),
    remark="obálka bez přístavby\ndruhý řádek",
)
NOTE = Note(day=date(2025, 9, 1), text="Školní družina končí v 17 h.")


@pytest.fixture(autouse=True)
def buildings(store: RecordStore) -> None:
    store.save(
        [
            Organisation(id="O1", name="Kraj"),
            *(Building(id=key, organisation="O1", name=key, kind=BuildingKind.SCHOOL) for key in ("B1", "B2", "B3")),
        ],
        by="test",
        now=NOW,
    )


def paper(key: str, said: Document | Note, building: str = "B1") -> Paper:
    return Paper(id=key, version=1, building=building, act=PaperAct.ADDED, by="školník", at=NOW, said=said)


def later(before: Paper, act: PaperAct, said: Document | Note | None = None) -> Paper:
    after = replace(before, version=before.version + 1, act=act, at=before.at + timedelta(days=1), why="proto")
    return after if said is None else replace(after, said=said)


def entry(of: Paper) -> AuditEntry:
    return AuditEntry(at=of.at, by=of.by, entity="document", key=of.id, why="", before=None, after={"title": "č"})


def keep(store: RecordStore, *papers: Paper) -> None:
    for one in papers:
        store.keep_paper(one, [entry(one)], CONTENT if one.version == 1 and isinstance(one.said, Document) else None)


def held(store: RecordStore) -> tuple[object, ...]:
    return store.papers(), store.audit(entity="document")


def test_papers_come_back_as_they_were_kept_with_their_versions_file_and_history(store: RecordStore) -> None:
    document, note = paper("d1", PENB), paper("n1", NOTE)
    corrected = later(document, PaperAct.CORRECTED, replace(PENB, title="Průkaz", valid_until=None, remark=""))
    keep(store, document, note, corrected)
    assert store.papers(["B1"]) == [document, corrected, note]
    kept = store.paper("d1")
    assert kept.versions == (document, corrected)
    assert (kept.first, kept.last, kept.live) == (document, corrected, True)
    assert store.document_file(PENB.digest) == CONTENT
    assert [e.key for e in store.audit(entity="document")] == ["d1", "n1", "d1"]


def test_papers_are_of_the_buildings_asked_for_in_order(store: RecordStore) -> None:
    papers = [paper("z", NOTE, "B2"), paper("a", NOTE, "B2"), paper("m", NOTE, "B1"), paper("b", NOTE, "B3")]
    keep(store, *papers)
    assert [p.id for p in store.papers()] == ["m", "a", "z", "b"]
    assert [p.id for p in store.papers(["B2", "B3", "B2"])] == ["a", "z", "b"]
    assert store.papers([]) == store.papers(["nowhere"]) == []


def test_a_withdrawn_document_keeps_its_file_and_a_purged_one_loses_it(store: RecordStore) -> None:
    added = paper("d1", PENB)
    withdrawn = later(added, PaperAct.WITHDRAWN)
    keep(store, added, withdrawn)
    assert store.document_file(PENB.digest) == CONTENT
    assert not store.paper("d1").live
    keep(store, later(withdrawn, PaperAct.PURGED))
    with pytest.raises(NotFound):
        store.document_file(PENB.digest)
    assert [p.act for p in store.paper("d1").versions] == [PaperAct.ADDED, PaperAct.WITHDRAWN, PaperAct.PURGED]


def test_a_purge_leaves_the_file_to_another_document_and_to_evidence(store: RecordStore) -> None:
    store.keep_evidence(PENB.digest, CONTENT)
    one, other = paper("d1", PENB), paper("d2", PENB, "B2")
    keep(store, one, other, later(one, PaperAct.PURGED))
    assert store.document_file(PENB.digest) == CONTENT
    keep(store, later(other, PaperAct.PURGED))
    with pytest.raises(NotFound):
        store.document_file(PENB.digest)
    assert store.evidence(PENB.digest) == CONTENT
    keep(store, paper("d3", PENB))
    assert store.document_file(PENB.digest) == CONTENT


@pytest.mark.parametrize(
    ("wrong", "content", "error"),
    [
        (paper("n2", NOTE, "nowhere"), None, Conflict),
        (replace(paper("n2", NOTE), version=2), None, Conflict),
        (replace(paper("d1", PENB), version=3), None, Conflict),
        (paper("d1", PENB), CONTENT, Conflict),
        (later(paper("d1", PENB, "B2"), PaperAct.CORRECTED), None, Conflict),
        (later(paper("d1", PENB), PaperAct.CORRECTED, NOTE), None, Conflict),
        (later(paper("d1", PENB), PaperAct.CORRECTED, replace(PENB, digest="0" * 64)), None, Conflict),
        (paper("d2", PENB), None, InputError),
        (paper("d2", PENB), b"%PDF-other", InputError),
    ],
)
def test_what_cannot_be_right_is_refused_whole(
    wrong: Paper, content: bytes | None, error: type[OdecetError], store: RecordStore
) -> None:
    keep(store, paper("d1", PENB))
    before = held(store)
    with pytest.raises(error):
        store.keep_paper(wrong, [entry(wrong)], content)
    assert held(store) == before


@pytest.mark.parametrize("key", ["d9", "", "d\x00", "d\\x00"])
def test_what_is_not_there_is_not_found(key: str, store: RecordStore) -> None:
    with pytest.raises(NotFound):
        store.paper(key)
    with pytest.raises(NotFound):
        store.document_file("0" * 64)


def test_a_file_that_was_changed_in_the_database_is_not_given(store: SqlRecordStore) -> None:
    keep(store, paper("d1", PENB))
    with store._database.write() as connection:
        connection.execute(text("UPDATE document_files SET content = :other"), {"other": b"%PDF-forged"})
    with pytest.raises(StoreError):
        store.document_file(PENB.digest)


def test_a_building_with_papers_is_not_removed_one_whose_papers_were_withdrawn_is(store: RecordStore) -> None:
    note = paper("n1", NOTE)
    keep(store, note, paper("d1", PENB, "B2"))
    for key in ("B1", "B2"):
        with pytest.raises(Conflict, match=f"building {key} cannot be removed"):
            store.remove(Building, [key], by="test", now=NOW)
    with pytest.raises(Conflict):
        store.save([], removing=[store.get(Building, "B1")], by="test", now=NOW)
    keep(store, later(note, PaperAct.WITHDRAWN))
    store.remove(Building, ["B1", "B3"], by="test", now=NOW)
    assert [b.id for b in store.find(Building)] == ["B2"]


def test_of_two_who_correct_at_once_one_is_told(store: RecordStore) -> None:
    note = paper("n1", NOTE)
    keep(store, note)
    corrections = [later(note, PaperAct.CORRECTED, replace(NOTE, text=f"znění {n}")) for n in range(4)]
    told: list[Paper] = []

    def correct(one: Paper) -> None:
        try:
            keep(store, one)
        except Conflict:
            told.append(one)

    at_once(*(partial(correct, one) for one in corrections))
    assert len(told) == 3
    assert len(store.paper("n1").versions) == 2
