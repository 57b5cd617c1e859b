"""What RecordStore promises of deliveries, evidence and publications, held against SQLite and PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from core.deliveries import Delivery, DeliveryAct, DeliveryState, Evidence, HandValue, Step, ValueCheck
from core.errors import Conflict, InputError, NotFound, OdecetError, StoreError
from core.indicators import Amount
from core.notes import AuditEntry
from core.plan import ReportKind
from core.ports import RecordStore
from core.publications import Publication, canonical, digest_of
from core.report_periods import ReportId
from storage.records import SqlRecordStore
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
ANNUAL = ReportId(kind=ReportKind.ANNUAL, period="2025")
HALF = ReportId(kind=ReportKind.MID_YEAR, period="2026")
FILE = Evidence(
    id="e1",
    name="Protokol č. 3.pdf",
    media_type="application/pdf",
    size=5,
    digest=digest_of(b"%PDF-"),
    by="garant",
    at=NOW,
)
FULL = Delivery(
    report=ANNUAL,
    area="2.2-zdravotnictvi",
    state=DeliveryState.DELIVERED,
    texts={"realised": "Nový informační systém — „eHealth“.\nDruhý odstavec", "activity:A1": "Běží."},
    values=(
        HandValue(
            indicator="Z1",
            amounts=(Amount(figure="nemocnice", value=3.5, low90=3.0, high90=4.0), Amount(figure="x", value=None)),
            comment="dva odečty chybí",
            evidence=(FILE,),
        ),
    ),
    checks=(ValueCheck(indicator="E1", digest="ab", by="koordinátor", at=NOW, note="viděno"),),
    steps=(Step(act=DeliveryAct.DELIVER, by="garant", at=NOW, state=DeliveryState.DELIVERED, comment="hotovo"),),
    version=1,
)
ENTRY = AuditEntry(at=NOW, by="garant", entity="delivery", key=FULL.id, why="deliver", before=None, after={"a": 1})


def publication(store: RecordStore, report: ReportId = ANNUAL, version: int = 1, **content: object) -> Publication:
    before = store.publications()
    frozen = canonical({"report": str(report), "version": version, "příliš": "žluťoučký", **content})
    return Publication(
        report=report,
        version=version,
        at=NOW + timedelta(hours=len(before)),
        by="koordinátor",
        cutoff=NOW,
        register=7,
        audited=12,
        digest=digest_of(frozen),
        previous=before[-1].digest if before else "",
        content=frozen,
        note="první",
        code="0.1.0",
    )


def publish(store: RecordStore, *args: object, **content: object) -> Publication:
    return store.publish(publication(store, *args, **content), [], [])  # type: ignore[arg-type]


def test_a_delivery_comes_back_as_it_was_stored_with_its_history(store: RecordStore) -> None:
    store.change_deliveries([FULL], [ENTRY])
    assert store.delivery(ANNUAL, FULL.area) == FULL
    assert store.deliveries(ANNUAL) == [FULL]
    assert store.deliveries(HALF) == []
    (entry,) = store.audit(entity="delivery", key=FULL.id)
    assert (entry.by, entry.after) == ("garant", {"a": 1})


def test_a_delivery_that_nobody_wrote_is_an_empty_draft(store: RecordStore) -> None:
    assert store.delivery(HALF, "energetika") == Delivery(report=HALF, area="energetika")


def test_deliveries_come_by_report_and_area(store: RecordStore) -> None:
    drafts = [Delivery(report=report, area=area, version=1) for report in (HALF, ANNUAL) for area in ("b", "a")]
    store.change_deliveries(drafts, [])
    assert [d.id for d in store.deliveries()] == [
        "annual/2025/a",
        "annual/2025/b",
        "mid-year/2026/a",
        "mid-year/2026/b",
    ]


@pytest.mark.parametrize("version", [1, 3])
def test_a_delivery_is_changed_only_of_the_version_that_is_known(store: RecordStore, version: int) -> None:
    store.change_deliveries([FULL], [])
    with pytest.raises(Conflict, match="meanwhile"):
        store.change_deliveries([replace(FULL, version=version, state=DeliveryState.CHECKED)], [ENTRY])
    assert store.delivery(ANNUAL, FULL.area) == FULL
    assert store.audit(entity="delivery") == []


def test_all_deliveries_of_a_change_are_stored_or_none(store: RecordStore) -> None:
    store.change_deliveries([FULL], [])
    other = Delivery(report=ANNUAL, area="energetika", version=1)
    with pytest.raises(Conflict):
        store.change_deliveries([other, replace(FULL, version=5)], [ENTRY])
    assert store.deliveries() == [FULL]


def test_one_of_many_who_write_at_once_is_taken(store: RecordStore) -> None:
    told: list[str] = []

    def write(n: int) -> None:
        try:
            store.change_deliveries([replace(FULL, texts={"realised": str(n)})], [ENTRY])
        except Conflict:
            told.append("late")
        else:
            told.append("stored")

    at_once(*(partial(write, n) for n in range(4)))
    assert sorted(told) == ["late", "late", "late", "stored"]
    assert len(store.audit(entity="delivery")) == 1


def test_evidence_is_kept_once_under_its_hash(store: RecordStore) -> None:
    content = bytes(range(256)) * 3
    store.keep_evidence(digest_of(content), content)
    store.keep_evidence(digest_of(content), content)
    assert store.evidence(digest_of(content)) == content
    with pytest.raises(NotFound):
        store.evidence(digest_of(b"nothing"))
    with pytest.raises(InputError, match="SHA-256"):
        store.keep_evidence(digest_of(b"other"), content)


def test_a_publication_comes_back_to_the_byte(store: RecordStore) -> None:
    wanted = publication(store, values=[0.1, None, "1 234,5"])
    stored = store.publish(wanted, [], [ENTRY])
    assert stored == replace(wanted, number=stored.number)
    assert store.publication("annual-2025-v1") == stored
    assert store.publication("annual-2025-v1").opened()["values"] == [0.1, None, "1 234,5"]
    assert len(store.audit(entity="delivery")) == 1
    with pytest.raises(NotFound):
        store.publication("annual-2025-v2")


def test_publications_are_listed_without_content_the_oldest_first(store: RecordStore) -> None:
    publish(store), publish(store, HALF), publish(store, ANNUAL, 2)
    assert [p.id for p in store.publications()] == ["annual-2025-v1", "mid-year-2026-v1", "annual-2025-v2"]
    assert [p.version for p in store.publications(ANNUAL)] == [1, 2]
    assert {p.content for p in store.publications()} == {b""}


def test_publishing_stores_the_deliveries_that_it_closes_or_nothing(store: RecordStore) -> None:
    store.change_deliveries([FULL], [])
    closed = replace(FULL, state=DeliveryState.PUBLISHED, version=2)
    with pytest.raises(Conflict):
        store.publish(publication(store), [replace(closed, version=3)], [ENTRY])
    assert store.publications() == []
    assert store.audit(entity="delivery") == []
    store.publish(publication(store), [closed], [ENTRY])
    assert store.delivery(ANNUAL, FULL.area) == closed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: replace(p, previous="f" * 64),
        lambda p: replace(p, previous=""),
        lambda p: replace(p, version=1),
        lambda p: replace(p, version=3),
    ],
)
def test_what_does_not_follow_the_last_is_refused(
    store: RecordStore, spoil: Callable[[Publication], Publication]
) -> None:
    publish(store)
    with pytest.raises(Conflict, match="meanwhile"):
        store.publish(spoil(publication(store, ANNUAL, 2)), [], [])
    assert len(store.publications()) == 1


def test_a_publication_whose_digest_is_wrong_is_refused(store: RecordStore) -> None:
    with pytest.raises(InputError, match="digest"):
        store.publish(replace(publication(store), content=b"{}"), [], [])


def test_one_of_two_who_publish_at_once_is_taken(store: RecordStore) -> None:
    both = [publication(store, said=n) for n in range(2)]
    told: list[str] = []

    def put(one: Publication) -> None:
        try:
            store.publish(one, [], [])
        except Conflict:
            told.append("late")
        else:
            told.append("stored")

    at_once(*(partial(put, one) for one in both))
    assert sorted(told) == ["late", "stored"]
    assert len(store.publications()) == 1


@pytest.mark.parametrize("act", ["UPDATE publications SET note = 'jinak'", "DELETE FROM publications"])
def test_the_database_lets_nobody_change_or_remove_a_publication(url: str, store: RecordStore, act: str) -> None:
    publish(store)
    other = SqlRecordStore(url)
    other.start()
    with pytest.raises(OdecetError, match="never changed or removed"), other._database.write() as connection:
        connection.execute(text(act))
    other.close()
    assert store.publication("annual-2025-v1").note == "první"


def test_there_is_no_way_to_change_a_publication_in_the_port() -> None:
    acts = {name for name in dir(SqlRecordStore) if "publi" in name and not name.startswith("_")}
    assert acts == {"publish", "publication", "publications"}


def test_content_that_was_spoilt_in_the_file_is_told(store: RecordStore, url: str) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("one database is enough: the content is read by the same code")
    publish(store)
    assert isinstance(store, SqlRecordStore)
    with store._database.write() as connection:
        connection.execute(text("DROP TRIGGER publications_stay_update"))
        connection.execute(text("UPDATE publications SET content = x'00ff'"))
    with pytest.raises(StoreError, match="cannot be read"):
        store.publication("annual-2025-v1")
