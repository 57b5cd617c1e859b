"""Processes put together as they run: what one enters counts in the other, and what is kept ready follows."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from app.detecting import OfTables
from app.wiring import Parts, build
from app.work import FOLLOWED, follow_tables
from config.settings import load_settings
from core.factors import Carrier
from core.own_rows import RowKind
from services.detecting import Region, never
from services.kept_values import KEPT
from services.outlook import MADE
from tests.unit.own_rows_world import FACTOR, HOLIDAY, entered


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Parts, Parts]]:
    """Give two processes over one record store, the first of which holds the readings."""
    settings = load_settings(environ={"ODECET_DATA__FOLDER": str(tmp_path)})
    made = build(settings), build(settings)
    for parts in made:
        parts.records.start()
    made[0].readings.start()
    yield made
    made[0].readings.close()
    for parts in made:
        parts.records.close()


def test_a_row_of_one_process_counts_in_all_acts_of_another(both: tuple[Parts, Parts]) -> None:
    worker, api = both
    region: OfTables[Region] = OfTables(worker, lambda region: region)
    before = region.present()
    assert region.present() is before
    entered(api.records, api.tables, RowKind.HOLIDAY, HOLIDAY)
    entered(api.records, api.tables, RowKind.FACTOR, FACTOR)
    now = region.present()
    assert now.tables == worker.dated == api.dated != before.tables
    found = now.tables.factors.factor(Carrier.ELECTRICITY, date(2026, 5, 1))
    assert found is not None
    assert found.kg == 0.39
    assert len(np.setdiff1d(now.days.off, before.days.off)) == 7
    assert date(2031, 2, 3) in worker.baselines().facts.school


def test_what_is_kept_ready_follows_an_entered_row_and_only_that(both: tuple[Parts, Parts]) -> None:
    worker, api = both
    follow_tables(worker, never)
    assert [worker.records.kept(key) for key in (FOLLOWED, MADE)] == ["", ""]
    number = entered(api.records, api.tables, RowKind.FACTOR, FACTOR).number
    follow_tables(worker, lambda: True)
    assert worker.records.kept(FOLLOWED) == ""
    follow_tables(worker, never)
    made = worker.records.kept(MADE)
    assert worker.records.kept(FOLLOWED) == str(number)
    assert made
    assert worker.records.kept(f"{KEPT}annual/2025")
    follow_tables(worker, never)
    assert worker.records.kept(MADE) == made
