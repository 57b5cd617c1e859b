"""What RecordStore promises of entered rows of dated tables, held against SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text

from core.errors import Conflict, OdecetError
from core.notes import AuditEntry
from core.own_rows import ENTITY, OwnRow, RowKind
from core.ports import RecordStore
from storage.records import SqlRecordStore
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
ROW = OwnRow(
    kind=RowKind.FACTOR,
    key="mpo/elektřina 2026",
    version=2,
    content='{"id":"mpo/elektřina 2026","value":0.1}',
    by="správce",
    at=NOW,
    why="MPO je vydalo – „předběžně“",
)
ENTRY = AuditEntry(at=NOW, by="správce", entity=ENTITY, key="factor/x", why="proč", before=None, after={"value": 0.1})


def test_rows_come_back_as_they_were_entered_and_in_order(store: RecordStore) -> None:
    assert (store.own_rows(), store.last_own_row()) == ([], 0)
    first = store.add_own_row(ROW, [ENTRY], after=0)
    other = replace(ROW, kind=RowKind.PRICE, version=1)
    second = store.add_own_row(other, [], after=first.number)
    assert store.own_rows() == [replace(ROW, number=first.number), replace(other, number=second.number)]
    assert store.last_own_row() == second.number > first.number > 0
    assert [entry.key for entry in store.audit(entity=ENTITY)] == ["factor/x"]


def test_a_row_checked_against_tables_that_changed_meanwhile_is_refused_with_its_audit(store: RecordStore) -> None:
    first = store.add_own_row(ROW, [ENTRY], after=0)
    for row, after in ((replace(ROW, version=3), 0), (ROW, first.number)):
        with pytest.raises(Conflict, match="changed meanwhile"):
            store.add_own_row(row, [ENTRY], after=after)
    assert len(store.own_rows()) == len(store.audit(entity=ENTITY)) == 1


def test_of_many_who_enter_at_once_one_is_first(store: RecordStore) -> None:
    refused = []

    def enter(number: int) -> None:
        try:
            store.add_own_row(replace(ROW, key=f"k{number}"), [ENTRY], after=0)
        except Conflict:
            refused.append(number)

    at_once(*(partial(enter, n) for n in range(6)))
    assert len(refused) == 5
    assert len(store.own_rows()) == len(store.audit(entity=ENTITY)) == 1


@pytest.mark.parametrize("change", ["UPDATE own_rows SET content = '{}'", "DELETE FROM own_rows"])
def test_the_database_lets_nobody_change_what_was_entered(url: str, store: RecordStore, change: str) -> None:
    store.add_own_row(ROW, [], after=0)
    other = SqlRecordStore(url)
    other.start()
    with pytest.raises(OdecetError, match="never changed or removed"), other._database.write() as connection:
        connection.execute(text(change))
    other.close()
    assert [row.content for row in store.own_rows()] == [ROW.content]


def test_another_process_sees_a_row_at_once(url: str, store: RecordStore) -> None:
    other = SqlRecordStore(url)
    other.start()
    kept = store.add_own_row(ROW, [], after=0)
    assert (other.last_own_row(), other.own_rows()) == (kept.number, [kept])
    other.close()
