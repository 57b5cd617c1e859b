"""Roll-ups and the consumption question over the embedded stores: late, swapped, corrected data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.calendar import PRAGUE, Period, instant
from core.gaps import DayTypes
from core.notes import Rule
from core.ports import ReadingStore, RecordStore
from core.readings import Readings, SeriesKey
from core.registry import (
    Building,
    Commodity,
    DialEvent,
    EventKind,
    Meter,
    Organisation,
    Point,
    Role,
    Term,
)
from services.consumption import Question, consumption, total
from services.rollup import RollUps
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=PRAGUE)
DAYS = 60
SERIES = SeriesKey("dev-1", "energy.total")


class Bench:
    """Both stores with one building, and the roll-ups over them."""

    def __init__(self, folder: Path) -> None:
        self.readings: ReadingStore = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        self.records: RecordStore = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        self.readings.start()
        self.records.start()
        self.rollups = RollUps(self.readings, self.records, DayTypes())
        house = [
            Organisation(id="o", name="Škola"),
            Building(id="b", organisation="o", name="Budova"),
            Point(id="p", building="b", name="Elektřina", commodity=Commodity.ELECTRICITY),
            Point(id="q", building="b", name="Podružné", commodity=Commodity.ELECTRICITY),
            Point(
                id="v",
                building="b",
                name="Rozdíl",
                commodity=Commodity.ELECTRICITY,
                role=Role.VIRTUAL,
                terms=(Term(point="p"), Term(point="q", sign=-1)),
            ),
            Meter(id="m1", point="p", device="dev-1", mounted=START - timedelta(days=1)),
            Meter(id="m2", point="q", device="dev-2", mounted=START - timedelta(days=1)),
        ]
        self.save(*house)

    def save(self, *entities: Organisation | Building | Point | Meter | DialEvent) -> None:
        self.records.save(entities, by="test", now=NOW)

    def write(self, at: np.ndarray, value: np.ndarray, device: str = "dev-1", minute: int = 0) -> None:
        key = SeriesKey(device, "energy.total")
        received = instant(NOW + timedelta(minutes=minute))
        self.readings.write(Readings.of((key,), np.zeros(len(at)), at, value, received=received))

    def ask(self, period: Period, point: str = "p", days: int = DAYS) -> np.ndarray:
        return self.parts(period, point, days)[0].amount

    def parts(self, period: Period, point: str = "p", days: int = DAYS):  # noqa: ANN201 - a list of answers
        question = Question(points=(point,), period=period, start=START, end=START + timedelta(days=days))
        return consumption(question, readings=self.readings, records=self.records)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.readings.close()
    made.records.close()


def stream(days: int = DAYS, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    count = days * 96 - 4  # a day of 92 quarter-hours is among them
    at = instant(START) + np.arange(count + 1) * np.timedelta64(15 * 60 * 1_000_000, "us")
    steps = np.random.default_rng(seed).uniform(1, 9, count)
    return at, np.round(50_000 + np.concatenate([[0], np.cumsum(steps)]), 3)


def test_months_are_their_days_hours_and_quarter_hours_to_the_last_digit(bench: Bench) -> None:
    at, value = stream()
    bench.write(at, value)
    bench.rollups.run()
    sums = {period: np.nansum(np.rint(bench.ask(period) * 1e9)) for period in (Period.MONTH, Period.DAY, Period.HOUR)}
    quarters = np.nansum(np.rint(bench.ask(Period.QUARTER_HOUR) * 1e9))
    assert set(sums.values()) == {quarters}
    assert quarters / 1e9 == pytest.approx(value[-1] - value[0], rel=1e-12)


def test_late_readings_change_what_they_touch(bench: Bench) -> None:
    at, value = stream()
    late = (np.arange(len(at)) >= 2000) & (np.arange(len(at)) < 2300)
    bench.write(at[~late], value[~late])
    bench.rollups.run()
    before = bench.parts(Period.DAY)[0]
    assert before.estimated.max() == pytest.approx(1.0)
    bench.write(at[late], value[late], minute=1)
    bench.rollups.run()
    after = bench.parts(Period.DAY)[0]
    assert after.estimated.max() == 0.0
    bench.save(Point(id="p", building="b", name="Nové jméno", commodity=Commodity.ELECTRICITY))
    bench.rollups.run()
    assert (bench.parts(Period.DAY)[0].amount == after.amount).all()


def test_a_break_asks_and_the_answer_makes_the_month_exact(bench: Bench) -> None:
    at, value = stream()
    shown = value.copy()
    shown[3001:] = value[3001:] - value[3000]
    bench.write(at, shown)
    bench.rollups.run()
    (question,) = bench.records.findings(points=["p"], open_only=True)
    assert question.finding.rule is Rule.BREAK
    assert np.nansum(bench.ask(Period.MONTH)) < value[-1] - value[0]
    when = datetime.fromisoformat(str((question.finding.proposal or {})["at"]))
    bench.save(DialEvent(id="e", meter="dev-1", at=when, kind=EventKind.SWAP, final=float(value[3000]), first=0.0))
    bench.rollups.run()
    assert np.nansum(bench.ask(Period.MONTH)) == pytest.approx(value[-1] - value[0], rel=1e-12)
    assert bench.records.findings(points=["p"], open_only=True) == []


def test_consumption_moves_when_a_meter_is_mounted_elsewhere(bench: Bench) -> None:
    at, value = stream()
    bench.write(at, value)
    bench.rollups.run()
    bench.save(Meter(id="m1", point="p", device="dev-1", mounted=START + timedelta(days=30)))
    bench.rollups.run()
    days = bench.parts(Period.DAY)[0]
    assert np.isnan(days.amount[:30]).all()
    assert not np.isnan(days.amount[31:59]).any()


def test_a_virtual_point_is_the_signed_sum_and_lacks_what_a_part_lacks(bench: Bench) -> None:
    at, value = stream()
    _, other = stream(seed=4)
    bench.write(at, value)
    bench.write(at[:2900], other[:2900], device="dev-2")
    bench.rollups.run()
    p, q, v = (bench.ask(Period.DAY, name) for name in "pqv")
    known = ~np.isnan(q)
    assert v[known] == pytest.approx((p - q)[known])
    assert np.isnan(v[~known]).all()
    question = Question(points=("p", "q"), period=Period.MONTH, start=START, end=START + timedelta(days=DAYS))
    (sums,) = total(consumption(question, readings=bench.readings, records=bench.records))
    assert sums.lacking.tolist() == [0, 1]


def test_readings_without_a_unit_count_once_somebody_says_it(bench: Bench) -> None:
    at, value = stream(days=10)
    key = SeriesKey("dev-1", "unstated.total")
    bench.readings.write(Readings.of((key,), np.zeros(len(at)), at, value * 1000))
    bench.rollups.run()
    assert np.isnan(bench.ask(Period.DAY, days=10)).all()
    bench.save(Meter(id="m1", point="p", device="dev-1", mounted=START - timedelta(days=1), unit="Wh"))
    bench.rollups.run()
    (part,) = bench.parts(Period.DAY, days=10)
    assert part.unit == "kWh"
    assert np.nansum(part.amount) == pytest.approx(value[-1] - value[0], rel=1e-9)
    assert np.nansum(bench.ask(Period.QUARTER_HOUR, days=10)) == pytest.approx(value[-1] - value[0], rel=1e-9)


def test_a_quiet_first_night_does_not_make_the_day_after_a_fault(bench: Bench) -> None:
    at = instant(START) + np.arange(40 * 96) * np.timedelta64(15 * 60 * 1_000_000, "us")
    hour = np.arange(len(at)) // 4 % 24
    value = 1000 + np.cumsum(np.where((hour >= 8) & (hour < 18), 500.0, 0.5))
    for first in range(0, len(at), 16):
        bench.write(at[first : first + 16], value[first : first + 16])
        if first < 10 * 96 or first % 960 == 0:
            bench.rollups.run()
    bench.rollups.run()
    assert bench.records.findings(points=["p"], open_only=True) == []
    assert np.nansum(bench.ask(Period.DAY, days=41)) == pytest.approx(value[-1] - value[0], rel=1e-9)


def test_work_goes_on_where_it_was_stopped(bench: Bench) -> None:
    at, value = stream(days=10)
    for device in ("dev-1", "dev-2"):
        bench.write(at, value, device=device)
    assert bench.rollups.run(stopped=lambda: True).left == 2
    again = RollUps(bench.readings, bench.records, DayTypes())
    assert again.run().points == 2
    assert again.run().points <= 2
    assert np.nansum(bench.ask(Period.DAY, "q", 10)) == pytest.approx(value[-1] - value[0])


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), batches=st.integers(2, 5))
def test_order_of_arrival_does_not_matter(tmp_path_factory: pytest.TempPathFactory, seed: int, batches: int) -> None:
    at, value = stream(days=20, seed=seed)
    rng = np.random.default_rng(seed)
    shown = value.copy()
    shown[rng.integers(0, len(at), 3)] = 0.0
    keep = rng.uniform(size=len(at)) > 0.3
    lots = rng.integers(0, batches, len(at))
    step_by_step, at_once = Bench(tmp_path_factory.mktemp("a")), Bench(tmp_path_factory.mktemp("b"))
    limits_from = keep & (lots == 0)
    for bench in (step_by_step, at_once):  # both learn what is usual from the same readings
        bench.write(at[limits_from], shown[limits_from])
        bench.rollups.run()
    for lot in range(1, batches):
        mine = keep & (lots == lot)
        step_by_step.write(at[mine], shown[mine], minute=lot)
        step_by_step.rollups.run()
    rest = keep & (lots > 0)
    at_once.write(at[rest], shown[rest], minute=9)
    at_once.rollups.run()
    for period in (Period.DAY, Period.HOUR):
        first, second = step_by_step.parts(period, days=20)[0], at_once.parts(period, days=20)[0]
        assert np.array_equal(first.amount, second.amount, equal_nan=True)
        assert np.array_equal(first.estimated, second.estimated)
    for bench in (step_by_step, at_once):
        bench.readings.close()
        bench.records.close()
