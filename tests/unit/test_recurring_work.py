"""Work that recurs: one act at a time, failures told and counted, the next time tried again, ended when told to."""

import threading
from datetime import timedelta

from prometheus_client import CollectorRegistry

from app.recurring import Recurrence, Recurring, Stopped
from core.errors import SourceUnavailable

HOUR = timedelta(hours=1)


def count(registry: CollectorRegistry, name: str, result: str) -> float:
    return registry.get_sample_value("odecet_work_runs_total", {"name": name, "result": result}) or 0.0


def test_a_failure_is_counted_and_does_not_end_the_work() -> None:
    registry = CollectorRegistry()
    tried: list[int] = []

    def act(_stopped: Stopped) -> None:
        tried.append(1)
        if len(tried) == 1:
            raise SourceUnavailable("the archive does not answer; check the network")

    one = Recurring(name="temperatures", every=HOUR, act=act)
    work = Recurrence([one], metrics=registry)
    work.run(one)
    work.run(one)
    assert (count(registry, "temperatures", "failed"), count(registry, "temperatures", "done")) == (1.0, 1.0)


def test_acts_run_one_at_a_time_and_end_when_told_to() -> None:
    registry = CollectorRegistry()
    inside, most, done, seen = [0], [0], threading.Semaphore(0), threading.Event()

    def act(stopped: Stopped) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        inside[0] -= 1
        if not stopped():
            seen.set()
        done.release()

    acts = [Recurring(name=name, every=HOUR, act=act) for name in ("a", "b", "c")]
    work = Recurrence(acts, metrics=registry, first_after=timedelta(0))
    work.start()
    for _ in acts:
        assert done.acquire(timeout=10)
    work.close()
    work.close()
    assert most == [1]
    assert seen.is_set()
