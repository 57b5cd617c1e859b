"""What is imported counts once, and what is undone counts no more: through roll-ups to consumption."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.calendar import Period
from core.gaps import DayTypes
from core.readings import Readings, SeriesKey
from core.registry import Meter
from services.consumption import PointConsumption, Question, consumption
from services.rollup import RollUps
from tests.unit.import_world import EAN1, EAN2, NOW, World, world_in

BILLS = "EAN;Období od;Období do;Spotřeba kWh;Číslo faktury\n"


class Counted:
    """A world whose roll-ups follow."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rollups = RollUps(world.readings, world.records, DayTypes())

    def months(self, point: str, since: datetime, until: datetime) -> PointConsumption:
        while self.rollups.run().points:
            pass
        question = Question(points=(point,), period=Period.MONTH, start=since, end=until)
        return consumption(question, readings=self.world.readings, records=self.world.records)[0]


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    with world_in(tmp_path) as world:
        yield Counted(world)


def utc(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def test_invoices_and_the_meter_after_them_make_one_history(counted: Counted) -> None:
    world = counted.world
    invoices = BILLS + f"{EAN1};1.10.2023;31.10.2023;310;F1\n{EAN1};1.11.2023;30.11.2023;300;F2\n"
    beside = f"{EAN1};1.1.2024;31.1.2024;9999;F4\n"
    world.take(invoices + beside)
    world.take("Místo;Datum;Stav kWh\nP1;1.1.2024 02:00;1000\nP1;1.2.2024 00:00;1620\n")
    told = counted.months("P1", utc(2023, 10, 5), utc(2024, 1, 20))
    assert told.amount[:2].tolist() == [310.0, 300.0]
    assert np.isnan(told.amount[2])
    assert told.amount[3] == pytest.approx(620.0)
    assert told.unit == "kWh"


def test_what_was_undone_leaves_no_consumption(counted: Counted) -> None:
    world = counted.world
    world.take(BILLS + f"{EAN2};1.1.2024;31.1.2024;310;F1\n")
    later = world.take(BILLS + f"{EAN2};1.2.2024;29.2.2024;290;F2\n{EAN2};1.3.2024;31.3.2024;310;F3\n")
    before = counted.months("P2", utc(2024, 1), utc(2024, 3, 20))
    assert before.amount.tolist() == [310.0, 290.0, 310.0]
    world.undo(later.id)
    after = counted.months("P2", utc(2024, 1), utc(2024, 3, 20))
    assert after.amount[0] == 310.0
    assert np.isnan(after.amount[1:]).all()
    assert after.missing.tolist() == [0.0, 1.0, 1.0]


def test_hand_readings_that_were_undone_at_the_end_of_a_dial_leave_nothing(counted: Counted) -> None:
    world = counted.world
    at = np.datetime64("2024-03-01T00:00", "us") + np.arange(40 * 24) * np.timedelta64(3600, "s")  # it learns
    key = SeriesKey("em-1", "energy.import")
    world.readings.write(Readings.of([key], np.zeros(len(at)), at, 1000 + np.arange(len(at)) * 2.0, source="mqtt"))
    told = counted.months("P1", utc(2024, 3), utc(2024, 6, 20))
    done = world.take("Místo;Datum;Stav kWh\nP1;1.5.2024 00:00;4000\nP1;10.5.2024;4500\n")
    more = counted.months("P1", utc(2024, 3), utc(2024, 6, 20))
    assert more.amount[2] > 0
    world.undo(done.id)
    again = counted.months("P1", utc(2024, 3), utc(2024, 6, 20))
    assert np.array_equal(again.amount, told.amount, equal_nan=True)
    assert again.missing.tolist() == told.missing.tolist()


def test_a_meter_mounted_later_takes_over_from_the_invoices(counted: Counted) -> None:
    world = counted.world
    world.take(BILLS + "".join(f"{EAN2};1.{m}.2025;{28 if m == 2 else 31}.{m}.2025;{m}00;F{m}\n" for m in (1, 2, 3)))
    (entry,) = [m for m in world.records.find(Meter) if m.point == "P2"]
    world.records.save([Meter(id="N", point="P2", device="em-2", mounted=entry.removed or NOW)], by="t", now=NOW)
    world.write("em-2", "energy.import", "2025-04-01T00:00", 5.0)
    world.write("em-2", "energy.import", "2025-05-01T00:00", 45.0)
    told = counted.months("P2", utc(2025, 1, 10), utc(2025, 4, 10))
    assert told.amount[:3].tolist() == [100.0, 200.0, 300.0]
    assert 35 < told.amount[3] < 41


@pytest.mark.parametrize("apart", [10, 40, 60])
def test_hand_readings_far_apart_lose_nothing_when_they_come_one_by_one(counted: Counted, apart: int) -> None:
    first, since = np.datetime64("2024-01-10T11:00"), datetime(2024, 1, 1, tzinfo=UTC)
    for n in range(13):
        counted.world.write("em-1", "energy.import", str(first + np.timedelta64(apart * n, "D")), 1000.0 + 480.0 * n)
        if n > 9:
            told = counted.months("P1", since, NOW)
            assert np.nansum(told.amount) == pytest.approx(480.0 * n)
