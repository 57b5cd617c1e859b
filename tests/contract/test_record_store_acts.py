"""What is audited beside changes of the register."""

from datetime import UTC, datetime

from core.notes import AuditEntry
from core.ports import RecordStore

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def entry(key: str, by: str = "správce") -> AuditEntry:
    return AuditEntry(at=NOW, by=by, entity="reading_import", key=key, why="odečty", before=None, after={"new": 3})


def test_what_was_done_beside_the_register_stands_in_the_audit_trail(store: RecordStore) -> None:
    store.record([entry("a"), entry("b")])
    told = store.audit(entity="reading_import")
    assert [(e.key, e.by, e.why, e.before, e.after, e.at) for e in told] == [
        ("b", "správce", "odečty", None, {"new": 3}, NOW),
        ("a", "správce", "odečty", None, {"new": 3}, NOW),
    ]
    assert [e.key for e in store.audit(entity="reading_import", key="a")] == ["a"]


def test_recording_leaves_the_version_of_the_register(store: RecordStore) -> None:
    before = store.version()
    store.record([entry("a")])
    store.record([])
    assert store.version() == before
