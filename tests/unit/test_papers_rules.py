"""Documents and notes of buildings: what is taken, what is refused, how each act leaves a version and a trace."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paper_texts import validity_text
from api.texts import language
from core.errors import Conflict, InputError, NotFound, OdecetError
from core.papers import Document, DocumentKind, Note, Paper, PaperAct
from core.publications import digest_of
from core.registry import Building, BuildingKind, Organisation
from services.document_files import document_file, titled
from services.papers import MOST, SOON_DAYS, Papers, Validity, Wish, gathered, shelf, validity
from services.register import By
from storage.records import SqlRecordStore
from tests.unit.papers_world import DOCX, JPEG, PDF, PNG, XLSX, named, open_document

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
TODAY = NOW.date()
BY = By(by="skolnik", now=NOW)
WISH = Wish(kind=DocumentKind.PENB, title=" Průkaz ", valid_until=date(2026, 5, 30), remark="bez přístavby\n")
DOCUMENT = Document(
    kind=DocumentKind.PENB, title="Průkaz", name="a.pdf", media_type="application/pdf", size=1, digest="0" * 64
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    made = SqlRecordStore(f"sqlite:///{tmp_path}/papers.sqlite")
    made.start()
    made.save(
        [
            Organisation(id="O1", name="Kraj"),
            *(Building(id=key, organisation="O1", name=key, kind=BuildingKind.SCHOOL) for key in ("B1", "B2")),
        ],
        by="test",
        now=NOW,
    )
    yield made
    made.close()


@pytest.fixture
def papers(records: SqlRecordStore) -> Papers:
    return Papers(records)


def at(days: int, why: str = "", by: str = "skolnik") -> By:
    return By(by=by, now=NOW + timedelta(days=days), why=why)


# Files


@pytest.mark.parametrize(
    ("name", "content", "media"),
    [
        ("PENB.PDF", PDF, "application/pdf"),
        ("foto.jpeg", JPEG, "image/jpeg"),
        ("plán.png", PNG, "image/png"),
        ("s.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("t.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("s.odt", open_document("text"), "application/vnd.oasis.opendocument.text"),
        ("t.ods", open_document("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
        ("č.csv", "den;kWh\n1;2\n".encode("cp1250"), "text/csv"),
        ("pozn.txt", "\ufeffvyměněn kotel\r\n".encode(), "text/plain"),
    ],
)
def test_files_of_offices_and_phones_are_taken(name: str, content: bytes, media: str) -> None:
    file = document_file(name, content)
    assert (file.name, file.media_type, file.content, file.digest) == (name, media, content, digest_of(content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("stranka.html", b"<html></html>"),
        ("stranka.txt", b"\xef\xbb\xbf \r\n<!doctype html><script>alert(1)</script>"),
        ("kresba.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("kresba.csv", b"<svg onload='alert(1)'/>"),
        ("stranka.pdf", b"<html></html>"),
        ("program.exe", b"MZ" + bytes(64)),
        ("program.pdf", b"MZ" + bytes(64)),
        ("program.docx", b"MZ" + bytes(64) + DOCX),
        ("program.txt", b"#!/bin/sh\nrm -rf /"),
        ("program.txt", b"\x7fELF\x02\x01\x01"),
        ("list.txt", b"{\\rtf1 {\\object}}"),
        ("barvy.txt", b"\x1b]0;x\x07"),
        ("makra.docx", named("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("makra.xlsx", named("[Content_Types].xml", "xl/workbook.xml", "xl/macrosheets/sheet1.xml")),
        ("makra.odt", open_document("text", "Basic/Standard/Module1.xml")),
        ("tabulka.docx", XLSX),
        ("text.xlsx", DOCX),
        ("kresba.odt", open_document("graphics")),
        ("tabulka.odt", open_document("spreadsheet")),
        ("prazdny.odt", named("mimetype", "content.xml")),
        ("bez.odt", named("content.xml")),
        ("rozbity.docx", b"PK\x03\x04 broken"),
        ("foto.png", JPEG),
        ("prazdny.pdf", b""),
        ("bez konce", PDF),
        ("velky.pdf", PDF + bytes(20 * 2**20)),
    ],
)
def test_what_acts_or_is_not_what_it_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InputError):
        document_file(name, content)


@pytest.mark.parametrize(
    ("name", "title"), [("../../PENB č. 3.pdf", "PENB č. 3"), ("a.b.pdf", "a.b"), ("C:\\x\\smlouva.docx", "smlouva")]
)
def test_a_title_that_nobody_gave_is_the_name_of_the_file(name: str, title: str) -> None:
    assert titled(name) == title


# Values


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": "  "}, ""),
        ({"title": "x" * 201}, "title"),
        ({"remark": "x" * 2001}, "remark"),
        ({"title": "a\x00b"}, "title"),
        ({"remark": "a\ud800"}, "remark"),
        ({"valid_until": date(26, 5, 30)}, "valid_until"),
        ({"valid_from": date(2026, 1, 2), "valid_until": date(2026, 1, 1)}, "valid_until"),
    ],
)
def test_what_is_said_of_a_document_has_bounds(change: dict[str, object], place: str) -> None:
    with pytest.raises(InputError) as raised:
        replace(DOCUMENT, **change)  # type: ignore[arg-type]  # wrong on purpose
    assert raised.value.place == place


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001, "a\x1bb"])
def test_a_note_says_something_that_can_be_read(text: str) -> None:
    with pytest.raises(InputError):
        Note(day=TODAY, text=text)


@given(left=st.integers(-4000, 4000))
def test_a_document_ends_soon_within_ninety_days_and_is_over_the_day_after_its_last(left: int) -> None:
    standing, days = validity(replace(DOCUMENT, valid_until=TODAY + timedelta(days=left)), TODAY)
    expected = Validity.OVER if left < 0 else Validity.SOON if left <= SOON_DAYS else Validity.VALID
    assert (standing, days) == (expected, left)


def test_a_document_without_an_end_is_open_and_one_that_begins_later_ahead() -> None:
    assert validity(DOCUMENT, TODAY) == (Validity.OPEN, None)
    later = replace(DOCUMENT, valid_from=TODAY + timedelta(days=3), valid_until=TODAY + timedelta(days=9))
    assert validity(later, TODAY) == (Validity.AHEAD, 3)


@pytest.mark.parametrize(
    ("until", "czech", "english"),
    [
        (date(2026, 2, 28), "platnost skončila 28.02.2026, před 1 dnem", "expired on 28 Feb 2026, 1 day ago"),
        (date(2026, 3, 1), "platí jen do dneška, 01.03.2026", "valid until today, 1 Mar 2026"),
        (date(2026, 3, 2), "platí do 02.03.2026, zbývá 1 den", "valid until 2 Mar 2026, 1 day is left"),
        (date(2026, 3, 4), "platí do 04.03.2026, zbývají 3 dny", "valid until 4 Mar 2026, 3 days are left"),
        (date(2026, 5, 30), "platí do 30.05.2026, zbývá 90 dní", "valid until 30 May 2026, 90 days are left"),
        (date(2026, 5, 31), "platí do 31.05.2026", "valid until 31 May 2026"),
        (None, "", ""),
    ],
)
def test_how_long_a_document_is_valid_is_said_in_words(until: date | None, czech: str, english: str) -> None:
    document = replace(DOCUMENT, valid_until=until)
    assert [validity_text(document, TODAY, language(code)) for code in ("cs", "en")] == [czech, english]


def test_documents_that_need_somebody_come_first_and_notes_begin_with_the_newest_day(papers: Papers) -> None:
    ends = {"dlouhá": 400, "stará": -30, "brzy": 20, "bez konce": None}
    for n, (title, days) in enumerate(ends.items()):
        until = None if days is None else TODAY + timedelta(days=days)
        wish = Wish(kind=DocumentKind.CONTRACT, title=title, valid_until=until)
        papers.add_document("B1", wish, "a.pdf", PDF + bytes([n]), BY)
    papers.add_document("B1", Wish(kind=DocumentKind.PENB, title="průkaz"), "a.pdf", PDF, BY)
    for day in (3, 9, 5):
        papers.add_note("B1", date(2026, 1, day), "x", BY)
    found = shelf(gathered(papers.records.papers(["B1"])), TODAY)
    assert [one.said.title for one in found.documents] == ["stará", "brzy", "průkaz", "bez konce", "dlouhá"]
    assert [one.said.day.day for one in found.notes] == [9, 5, 3]


# Acts


def test_a_document_is_kept_with_its_file_and_a_trace(papers: Papers, records: SqlRecordStore) -> None:
    made = papers.add_document("B1", WISH, "../PENB č. 3.pdf", PDF, BY)
    said = made.said
    assert isinstance(said, Document)
    assert (said.title, said.name, said.size, said.remark) == ("Průkaz", "PENB č. 3.pdf", len(PDF), "bez přístavby")
    assert records.document_file(said.digest) == PDF
    entry = records.audit(entity="document", key=made.id)[0]
    assert (entry.by, entry.at, entry.before) == ("skolnik", NOW, None)
    assert entry.after is not None
    assert (entry.after["title"], entry.after["building"], entry.after["act"]) == ("Průkaz", "B1", "added")


def test_a_correction_is_a_further_version_and_the_same_again_none(papers: Papers, records: SqlRecordStore) -> None:
    note = papers.add_note("B1", TODAY, "výměna kotle", BY)
    after = papers.correct_note(note.id, TODAY, "výměna kotle K2", at(1, "upřesnění", by="hlavni"), version=1)
    assert (after.version, after.act, after.by, after.why) == (2, PaperAct.CORRECTED, "hlavni", "upřesnění")
    assert papers.correct_note(note.id, TODAY, " výměna kotle K2 ", at(2)) == after
    assert [p.said for p in records.paper(note.id).versions] == [note.said, after.said]
    assert [e.after and e.after["text"] for e in records.audit(entity="note")] == ["výměna kotle K2", "výměna kotle"]


def test_correcting_a_document_changes_what_is_said_and_never_its_file(papers: Papers) -> None:
    made = papers.add_document("B1", WISH, "a.pdf", PDF, BY)
    after = papers.correct_document(made.id, Wish(kind=DocumentKind.AUDIT), at(1))
    assert isinstance(made.said, Document)
    assert after.said == replace(made.said, kind=DocumentKind.AUDIT, title="a", valid_until=None, remark="")


def test_withdrawing_wants_a_reason_and_purging_a_withdrawal_before(papers: Papers, records: SqlRecordStore) -> None:
    made = papers.add_document("B1", WISH, "a.pdf", PDF, BY)
    with pytest.raises(Conflict):
        papers.purge(made.id, at(1, "omyl"))
    with pytest.raises(InputError) as raised:
        papers.withdraw(made.id, at(1, "  "))
    assert raised.value.place == "why"
    papers.withdraw(made.id, at(1, "jiná budova"))
    assert not records.paper(made.id).live
    assert records.document_file(digest_of(PDF)) == PDF
    with pytest.raises(InputError):
        papers.purge(made.id, at(2))
    papers.purge(made.id, at(2, "osobní údaje"))
    with pytest.raises(NotFound):
        records.document_file(digest_of(PDF))
    assert [e.why for e in records.audit(entity="document")] == ["osobní údaje", "jiná budova", ""]


def withdrawn(papers: Papers) -> Paper:
    return papers.withdraw(papers.add_note("B1", TODAY, "x", BY).id, at(0, "omyl"))


REFUSED: dict[str, Callable[[Papers], object]] = {
    "the same file twice": lambda p: [p.add_document("B1", WISH, n, PDF, BY) for n in ("a.pdf", "b.pdf")],
    "the same note twice": lambda p: [p.add_note("B1", TODAY, "x", at(n)) for n in (0, 1)],
    "an unknown building": lambda p: p.add_note("B9", TODAY, "x", BY),
    "a correction of what was withdrawn": lambda p: p.correct_note(withdrawn(p).id, TODAY, "y", at(1)),
    "a withdrawal of what was withdrawn": lambda p: p.withdraw(withdrawn(p).id, at(1, "znovu")),
    "a version that is not the last": lambda p: p.correct_note(
        p.add_note("B1", TODAY, "x", BY).id, TODAY, "y", at(1), version=0
    ),
    "a note as a document": lambda p: p.correct_document(p.add_note("B1", TODAY, "x", BY).id, WISH, BY),
    "a document as a note": lambda p: p.correct_note(p.add_document("B1", WISH, "a.pdf", PDF, BY).id, TODAY, "x", BY),
    "a purge of a note": lambda p: p.purge(withdrawn(p).id, at(1, "pryč")),
    "what is not there": lambda p: p.withdraw("nic", at(1, "pryč")),
}


@pytest.mark.parametrize("act", REFUSED.values(), ids=REFUSED)
def test_acts_that_cannot_be_are_refused(act: Callable[[Papers], object], papers: Papers) -> None:
    with pytest.raises((Conflict, NotFound)):
        act(papers)


def test_the_same_file_may_stand_at_another_building_and_again_after_its_withdrawal(papers: Papers) -> None:
    made = papers.add_document("B1", WISH, "a.pdf", PDF, BY)
    papers.add_document("B2", WISH, "a.pdf", PDF, BY)
    papers.withdraw(made.id, at(1, "omyl"))
    assert papers.add_document("B1", WISH, "a.pdf", PDF, at(2)).id != made.id


def test_a_building_takes_so_many_and_no_more(papers: Papers, records: SqlRecordStore) -> None:
    first = papers.add_note("B1", TODAY, "x", BY)
    kept = "SELECT id || :n, 1, building, sort, act, by, at, why, digest, said FROM papers WHERE id = :id"
    with records._database.write() as connection:
        for n in range(MOST - 1):
            connection.exec_driver_sql(f"INSERT INTO papers {kept}", {"n": f"-{n}", "id": first.id})
    with pytest.raises(OdecetError, match=f"{MOST} documents and notes"):
        papers.add_note("B1", TODAY, "y", BY)
    papers.add_note("B2", TODAY, "y", BY)
