"""Turns at recurring work and staged files: the docstrings of their ports, in SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFound
from core.leases import Outcome, Pace
from core.ports import RecordStore
from core.staged import StagedFile
from storage.records import SqlRecordStore
from tests.servers.process import wait_until
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
RARE = Pace(every_s=3600, retry_s=1800, lease_s=60)
OFTEN = Pace(every_s=0.2, retry_s=0.1, lease_s=60)
BRIEF = Pace(every_s=3600, retry_s=1800, lease_s=0.3)


@pytest.fixture
def other(url: str, store: RecordStore) -> Iterator[RecordStore]:
    """Return the same store as another process opens it."""
    assert store.kept("nothing") == ""
    opened = SqlRecordStore(url)
    opened.start()
    yield opened
    opened.close()


def test_work_that_was_never_done_is_due_and_then_in_one_hand(store: RecordStore, other: RecordStore) -> None:
    assert store.take("models", by="a", pace=RARE).taken
    refused = other.take("models", by="b", pace=RARE)
    assert not refused.taken
    assert 50 < refused.wait_s <= 60
    assert not store.take("models", by="a", pace=RARE).taken
    assert other.take("alerts", by="b", pace=RARE).taken


def test_of_many_that_ask_at_once_one_gets_the_turn(store: RecordStore, other: RecordStore) -> None:
    for name in ("first", "second", "third"):
        got: list[str] = []

        def ask(by: str, name: str = name, got: list[str] = got) -> None:
            if (store if by < "e" else other).take(name, by=by, pace=RARE).taken:
                got.append(by)

        at_once(*(lambda by=by: ask(by) for by in "abcdefgh"))
        assert len(got) == 1


def test_work_that_was_done_is_due_again_after_its_time_counted_from_its_begin(store: RecordStore) -> None:
    assert store.take("models", by="a", pace=RARE).succeeded is None
    store.give_back("models", by="a", outcome=Outcome.DONE)
    rests = store.take("models", by="b", pace=RARE)
    assert not rests.taken
    assert 3590 < rests.wait_s <= 3600
    assert rests.succeeded is not None
    assert abs(rests.succeeded - datetime.now(UTC)) < timedelta(seconds=60)
    wait_until(lambda: store.take("models", by="b", pace=OFTEN).taken, what="a shorter rest, as set anew")


def test_work_that_failed_is_tried_again_sooner(store: RecordStore) -> None:
    assert store.take("models", by="a", pace=RARE).taken
    store.give_back("models", by="a", outcome=Outcome.FAILED)
    rests = store.take("models", by="b", pace=RARE)
    assert 1790 < rests.wait_s <= 1800
    assert rests.succeeded is None


def test_the_turn_of_one_who_was_killed_passes_on_when_its_time_is_over(store: RecordStore, other: RecordStore) -> None:
    assert store.take("models", by="killed", pace=BRIEF).taken
    assert not other.take("models", by="b", pace=BRIEF).taken
    wait_until(lambda: other.take("models", by="b", pace=RARE).taken, what="the lease to end")
    assert store.prolong(["models"], by="killed", lease_s=60) == frozenset()
    store.give_back("models", by="killed", outcome=Outcome.DONE)
    held = store.take("models", by="c", pace=RARE)
    assert not held.taken
    assert held.succeeded is None


def test_the_turn_of_one_who_was_told_to_stop_passes_on_at_once(store: RecordStore, other: RecordStore) -> None:
    assert store.take("models", by="a", pace=RARE).taken
    store.give_back("models", by="a", outcome=Outcome.LEFT)
    assert other.take("models", by="b", pace=RARE).taken


def test_a_turn_lasts_as_long_as_it_is_prolonged(store: RecordStore, other: RecordStore) -> None:
    assert store.take("models", by="a", pace=BRIEF).taken
    assert store.prolong(["models", "unknown"], by="a", lease_s=60) == {"models"}
    assert store.prolong(["models"], by="b", lease_s=60) == frozenset()
    assert other.take("models", by="b", pace=BRIEF).wait_s > 50
    assert store.prolong([], by="a", lease_s=60) == frozenset()


def test_a_turn_that_ran_out_is_lost_also_where_nobody_took_it(store: RecordStore) -> None:
    assert store.take("models", by="a", pace=Pace(every_s=9, retry_s=9, lease_s=0.0)).taken
    assert store.prolong(["models"], by="a", lease_s=60) == frozenset()


def staged(key: str, minute: int = 0, content: bytes = b"\x00\xff") -> StagedFile:
    return StagedFile(key=key, name=f"odečty {key}.csv", content=content, at=NOW + timedelta(minutes=minute))


def hold(store: RecordStore, file: StagedFile) -> None:
    store.hold_file(file, since=file.at - timedelta(minutes=30), most=3)


def test_a_file_that_one_process_holds_is_taken_by_another_and_once(store: RecordStore, other: RecordStore) -> None:
    hold(store, staged("a"))
    assert other.take_file("a") == staged("a")
    with pytest.raises(NotFound, match="upload it again"):
        store.take_file("a")


def test_the_oldest_files_go_first_and_the_old_ones_all(store: RecordStore) -> None:
    for minute, key in enumerate("abcd"):
        hold(store, staged(key, minute))
    with pytest.raises(NotFound):
        store.take_file("a")
    assert store.take_file("b").name == "odečty b.csv"
    hold(store, staged("e", 40))
    with pytest.raises(NotFound):
        store.take_file("d")
    assert store.take_file("e") == staged("e", 40)


def test_of_two_who_confirm_a_file_at_once_one_gets_it(store: RecordStore, other: RecordStore) -> None:
    hold(store, staged("a", content=bytes(2_000_000)))
    got: list[StagedFile] = []

    def confirm(asked: RecordStore) -> None:
        try:
            got.append(asked.take_file("a"))
        except NotFound:
            return

    at_once(lambda: confirm(store), lambda: confirm(other))
    assert got == [staged("a", content=bytes(2_000_000))]
