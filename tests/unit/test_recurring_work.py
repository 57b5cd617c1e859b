"""Recurring work: one at a time in a process, once among several, failures told and tried again."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.recurring import Recurrence, Recurring, Stopped
from core.errors import SourceUnavailable
from storage.records import SqlRecordStore
from tests.servers.process import wait_until

HOUR = timedelta(hours=1)
OFTEN = timedelta(milliseconds=50)
NOW = timedelta(0)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    store.start()
    yield store
    store.close()


def count(registry: CollectorRegistry, name: str, result: str) -> float:
    return registry.get_sample_value("odecet_work_runs_total", {"name": name, "result": result}) or 0.0


def last_success(registry: CollectorRegistry, name: str) -> float:
    return registry.get_sample_value("odecet_work_last_success_timestamp_seconds", {"name": name}) or 0.0


@pytest.mark.parametrize(
    "error", [SourceUnavailable("the archive does not answer; check the network"), ZeroDivisionError()]
)
def test_a_failure_is_counted_told_and_tried_again_and_ends_no_other_work(
    records: SqlRecordStore, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    registry, tried, seen = CollectorRegistry(), [0], threading.Semaphore(0)

    def act(_stopped: Stopped) -> None:
        tried[0] += 1
        seen.release()
        if tried[0] == 1:
            raise error

    work = Recurrence([Recurring(name="w", every=OFTEN, act=act, after=NOW)], leases=records, metrics=registry)
    work.start()
    for _ in range(3):
        assert seen.acquire(timeout=10)
    work.close()
    assert count(registry, "w", "failed") == 1.0
    assert count(registry, "w", "done") >= 1.0
    assert last_success(registry, "w") > 1_700_000_000
    assert [record.work for record in caplog.records if "recurring work" in record.message] == ["w"]


def test_acts_of_a_lane_run_one_at_a_time_and_end_when_told_to(records: SqlRecordStore) -> None:
    inside, most, done, seen = [0], [0], threading.Semaphore(0), threading.Event()

    def act(stopped: Stopped) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        inside[0] -= 1
        if not stopped():
            seen.set()
        done.release()

    acts = [Recurring(name=name, every=HOUR, act=act, after=NOW) for name in ("a", "b", "c")]
    work = Recurrence(acts, leases=records, metrics=CollectorRegistry())
    work.start()
    for _ in acts:
        assert done.acquire(timeout=10)
    work.close()
    work.close()
    assert most == [1]
    assert seen.is_set()


def test_of_three_processes_one_does_the_work_and_another_goes_on_when_it_stops(records: SqlRecordStore) -> None:
    begun: list[int] = []
    running = threading.Semaphore(0)

    def process(number: int) -> Recurrence:
        def act(stopped: Stopped) -> None:
            begun.append(number)
            running.release()
            while not stopped():
                threading.Event().wait(0.01)

        one = Recurring(name="long", every=HOUR, act=act, after=NOW)
        return Recurrence([one], leases=records, metrics=CollectorRegistry())

    processes = [process(number) for number in range(3)]
    for each in processes:
        each.start()
    assert running.acquire(timeout=10)
    assert not running.acquire(timeout=0.5)
    first = begun[0]
    processes[first].close()
    assert running.acquire(timeout=30)
    assert len(begun) == 2
    assert begun[1] != first
    for each in processes:
        each.close()


def test_work_that_was_done_is_not_done_again_by_a_process_that_starts(records: SqlRecordStore) -> None:
    done = threading.Semaphore(0)

    def run() -> tuple[bool, CollectorRegistry]:
        registry = CollectorRegistry()
        one = Recurring(name="w", every=HOUR, act=lambda _stopped: done.release() and None, after=NOW)
        work = Recurrence([one], leases=records, metrics=registry)
        asked = work.run(one)
        assert asked > 0
        return done.acquire(blocking=False), registry

    assert run()[0]
    again, registry = run()
    assert not again
    assert last_success(registry, "w") > 1_700_000_000


def test_a_turn_that_is_lost_ends_the_act(records: SqlRecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.recurring.PROLONGED_EVERY_S", 0.02)
    ended, began = threading.Event(), threading.Event()

    def act(stopped: Stopped) -> None:
        began.set()
        while not stopped():
            threading.Event().wait(0.01)
        ended.set()

    one = Recurring(name="w", every=HOUR, act=act, after=NOW)
    work = Recurrence([one], leases=records, metrics=CollectorRegistry())
    work.start()
    assert began.wait(10)
    assert not ended.wait(0.3)
    with records._database.write() as connection:
        connection.exec_driver_sql("UPDATE leases SET holder = 'another'")
    assert ended.wait(10)
    work.close()


def test_a_store_that_is_down_is_told_and_asked_again(records: SqlRecordStore) -> None:
    registry, done = CollectorRegistry(), threading.Event()
    one = Recurring(name="w", every=OFTEN, act=lambda _stopped: done.set(), after=NOW)
    work = Recurrence([one], leases=records, metrics=registry)
    records.close()
    work.start()
    wait_until(lambda: count(registry, "w", "failed") >= 2, what="two vain looks")
    assert not done.is_set()
    records.start()
    assert done.wait(10)
    work.close()
