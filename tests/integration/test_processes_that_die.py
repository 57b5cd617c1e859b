"""Workers, APIs and an ingester killed in turn under load; ten minutes of the same: `benchmarks/chaos.py`."""

from pathlib import Path

import pytest

from benchmarks.chaos import KINDS, chaos

pytestmark = [pytest.mark.server, pytest.mark.fault, pytest.mark.timeout(600)]


def test_no_job_is_done_twice_no_reading_lost_and_no_answer_wrong_when_processes_die(tmp_path: Path) -> None:
    told = chaos(tmp_path, seconds=30, every_s=9, per_second=200)
    assert told.wrong == []
    assert told.kills >= KINDS
    assert told.readings > 2_000
    assert told.answers[200] > 100
    works = {run.work for run in told.runs}
    assert {"rollups", "alerts", "models", "backup"} <= works
    assert len([run for run in told.runs if run.work == "models" and run.whole]) == 1
