"""All detectors over the last day of 1,300 points, the learning before it, and a back-test over five years.

A simulated region on DuckDB with faults planted in its last day. What the evaluation tells is compared with all points
looked at whole: it must miss nothing.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import holidays
import numpy as np

from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import Tuning
from analytics.baseline.placebo import Calibration
from config.placebos import load_placebos
from config.school_holidays import load_school_holidays
from core.calendar import PRAGUE, instant
from core.gaps import DayTypes
from core.registry import Commodity, Entity, Point
from services.alerts import Evaluation
from services.backtest import Backtests
from services.baselines import Baselines, Facts
from services.consumption import Calendar, PointConsumption, Question, consumption
from services.detecting import Detectors, Region
from services.detection_past import DaysOff
from services.held import HeldRegister
from services.rollup import RollUps
from services.weather import Weather
from simulators.demo_faults import main_dials
from simulators.faults import Fault
from simulators.history import history
from simulators.plan import PlannedMeter, plan, recorded
from simulators.region import SampleRegion, sample_region
from simulators.stations import station_readings, stations
from simulators.truth import OPEN_END, FaultKind
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

BUILDINGS = 236
POINTS = 1300
BEFORE = datetime(2026, 3, 10, 0, 30, tzinfo=PRAGUE).astimezone(UTC)
"""When all points were learnt: after the day before the last."""
NOW = BEFORE + timedelta(days=1)
DAYS = 430
FINE = timedelta(days=70)
"""How long before the end meters are read each quarter-hour or hour as they are; hourly before."""
YEARS = 5
FAULTS = {
    Commodity.COLD_WATER: (FaultKind.LEAK, FaultKind.DEAD, FaultKind.STUCK),
    Commodity.ELECTRICITY: (FaultKind.DEAD, FaultKind.STUCK, FaultKind.GLITCH),
    Commodity.HEAT: (FaultKind.STUCK, FaultKind.DEAD),
}
EACH = 6
TYPES = DayTypes(holidays=frozenset(holidays.country_holidays("CZ", years=range(2019, 2028))))


class Stores(NamedTuple):
    """Both stores, open, with what an evaluation asks of them."""

    readings: DuckDBReadingStore
    records: SqlRecordStore
    region: Region

    def roll_up(self) -> None:
        """Roll up what was written."""
        RollUps(self.readings, self.records, TYPES).run()


@contextmanager
def stores(folder: Path) -> Iterator[Stores]:
    """Give stores in a folder."""
    readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: datetime.now(UTC), memory_limit_mb=2048)
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    records.start()
    readings.start()
    school = load_school_holidays(range(2019, 2028))
    facts = Facts(calibration=Calibration.from_json(load_placebos()), holidays=TYPES.holidays, school=school)
    register = HeldRegister(records)

    def ask(question: Question) -> list[PointConsumption]:
        return consumption(question, readings=readings, records=register.view(), calendar=Calendar(day_types=TYPES))

    def baselines() -> Baselines:
        return Baselines(records=records, stations=Weather(readings, PRAGUE), ask=ask, facts=facts)

    yield Stores(
        readings,
        records,
        Region(
            readings=readings,
            records=records,
            register=register.view,
            baselines=baselines,
            days=DaysOff.of(PRAGUE, facts.holidays, facts.school),
            day_types=TYPES,
        ),
    )
    readings.close()
    records.close()


def faults(region: SampleRegion) -> dict[str, list[Fault]]:
    """Return faults that begin in the last day, spread over the region."""
    rng = np.random.default_rng(7)
    out: dict[str, list[Fault]] = {}
    for commodity, kinds in FAULTS.items():
        dials = main_dials(region, commodity)
        chosen = rng.choice(len(dials), len(kinds) * EACH, replace=False)
        for kind, number in zip(kinds * EACH, chosen.tolist(), strict=True):
            meter = dials[number]
            since = instant(BEFORE) + np.timedelta64(int(rng.integers(0, 12 * 3600)), "s")
            flow = {"per_hour": round(2.0 * meter.load.annual / 8766, 4)} if kind is FaultKind.LEAK else {}
            parameters = {"factor": 10.0} if kind is FaultKind.GLITCH else flow
            end = since + np.timedelta64(1800, "s") if kind is FaultKind.GLITCH else OPEN_END
            out.setdefault(meter.device, []).append(Fault(kind=kind, since=since, until=end, parameters=parameters))
    return out


def fill(made: Stores, region: SampleRegion, plans: tuple[PlannedMeter, ...]) -> None:
    """Store the register, the weather and what the meters sent until the points are learnt."""
    start = BEFORE - timedelta(days=DAYS)
    known, events = recorded(region, plans)
    meters = [replace(m, mounted=start, first=None) if m.mounted < start else m for m in known]
    everything: list[Entity] = [*region.organisations, *region.buildings, *region.points, *meters, *events]
    made.records.save([*everything, *stations()], by="benchmark", now=BEFORE)
    made.readings.write(station_readings(plans[0].meter.load.weather, start - timedelta(days=400), NOW))
    for batch in history(plans, instant(start), instant(BEFORE), fine_since=instant(BEFORE - FINE)):
        made.readings.write(batch.readings)


def told(evaluation: Evaluation) -> set[tuple[str, str]]:
    """Return what goes on by rule and point."""
    return {(one.rule, one.subject) for one in evaluation.detections if one.going_on}


def last_day(folder: Path) -> None:
    """Print how long the evaluation of the last day takes, and whether it tells what looking at all would."""
    region = sample_region(11, BUILDINGS)
    chosen = {meter.point for meter in region.simulated[:POINTS]}
    plans = tuple(one for one in plan(region, faults(region)) if one.meter.point in chosen)
    with stores(folder) as made:
        fill(made, region, plans)
        made.roll_up()
        detectors = Detectors(made.region)
        began = time.perf_counter()
        looked = detectors.evaluate(BEFORE)
        assert looked is not None
        detectors.settle(looked)
        print(
            f"{looked.whole} points learnt in {time.perf_counter() - began:.0f} s, {len(told(looked.evaluation))} told"
        )
        for batch in history(plans, instant(BEFORE), instant(NOW)):
            made.readings.write(batch.readings)
        made.roll_up()
        detectors = Detectors(made.region)  # as after a restart: nothing is remembered but what is kept
        began, used = time.perf_counter(), time.process_time()
        looked = detectors.evaluate(NOW, hurry=lambda: True)
        took, used = time.perf_counter() - began, time.process_time() - used
        assert looked is not None
        print(f"last day of {len(region.points)} points: {took:.1f} s ({used:.1f} s of processor; at most 10 s)")
        print(f"  {looked.whole} looked at whole, {len(told(looked.evaluation))} faults go on")
        made.records.forget_learnt([one.point for one in made.records.learnt()])
        whole = Detectors(made.region).evaluate(NOW)
        assert whole is not None
        missed = told(whole.evaluation) - told(looked.evaluation)
        print(f"  looked at whole, all tell {len(told(whole.evaluation))}; missed by the evaluation: {sorted(missed)}")
        print(f"  told beyond: {sorted(told(looked.evaluation) - told(whole.evaluation))}")


def five_years(folder: Path) -> None:
    """Print how long a back-test over five years takes, the first time and with the models that it kept."""
    region = sample_region(3, 2)
    plans = plan(region, {})
    start = BEFORE - timedelta(days=366 * YEARS + 420)
    with stores(folder) as made:
        known, _ = recorded(region, plans)
        meters = [replace(m, mounted=start, first=None) for m in known]
        made.records.save(
            [*region.organisations, *region.buildings, *region.points, *meters, *stations()], by="b", now=BEFORE
        )
        made.readings.write(station_readings(plans[0].meter.load.weather, start - timedelta(days=400), BEFORE))
        for batch in history(plans, instant(start), instant(BEFORE), fine_since=instant(BEFORE - timedelta(days=400))):
            made.readings.write(batch.readings)
        made.roll_up()
        tests = Backtests(made.region)
        for point in made.records.find(Point)[:4]:
            span = BEFORE - timedelta(days=365 * YEARS), BEFORE
            began = time.perf_counter()
            tests.run(point, *span, tuning=Tuning(), rules=[Rule.GAP])
            times = [time.perf_counter() - began]
            for _ in range(3):
                began = time.perf_counter()
                tests.run(point, *span, tuning=Tuning())
                times.append(time.perf_counter() - began)
            print(
                f"{point.commodity}, {YEARS} years: one rule {times[0]:.2f} s, all {min(times[2:]):.2f} s (1 s asked);"
            )
            print(f"  all before the worker kept the models {times[1]:.2f} s")


def run() -> None:
    """Print all."""
    with tempfile.TemporaryDirectory() as folder:
        five_years(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        last_day(Path(folder))


if __name__ == "__main__":
    run()
