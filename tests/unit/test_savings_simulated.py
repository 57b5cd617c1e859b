"""Savings of the demo's measures, judged by the simulators' truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from core.calendar import PRAGUE, instant, spans
from core.registry import Entity, Measure
from core.rollup import NANO
from services.baselines import Baselines, Facts
from services.consumption import PointConsumption, Question
from services.savings import Savings, Share
from services.weather import Weather
from simulators.demo_measures import demo_measures, saved
from simulators.loads import Load
from simulators.region import sample_region
from simulators.stations import OUTAGE_DAYS, station_payloads, station_readings, stations
from simulators.truth import consumed_nano
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.unit.savings_world import CALIBRATION

ENDED = datetime(2026, 11, 1, 0, tzinfo=PRAGUE).astimezone(UTC)
STARTED = datetime(2023, 11, 1, tzinfo=PRAGUE).astimezone(UTC)
LAST = date(2026, 10, 31)


@dataclass
class Simulated:
    """Answers questions of consumption with what loads truly drew since history began."""

    loads: dict[str, Load]

    def __call__(self, question: Question) -> Sequence[PointConsumption]:
        starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
        known = starts >= instant(STARTED)
        none = np.full(len(starts), np.datetime64("NaT"), "M8[us]")
        made = []
        for key in question.points:
            curve = consumed_nano(self.loads[key], instant(STARTED), np.append(starts, ends[-1:])) / NANO
            amount = np.where(known, np.diff(curve), np.nan)
            unit = "m³" if "water" in self.loads[key].commodity else "kWh"
            shares = known.astype(float), np.zeros(len(starts)), 1.0 - known
            made.append(
                PointConsumption(
                    point=key,
                    register="main",
                    unit=unit,
                    starts=starts,
                    ends=ends,
                    amount=amount,
                    measured=shares[0],
                    estimated=shares[1],
                    missing=shares[2],
                    first_at=none,
                    last_at=none,
                )
            )
        return made


@dataclass(frozen=True)
class Told:
    shares: dict[str, Share]
    measures: dict[str, Measure]
    loads: dict[str, Load]
    days: Weather


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder: Path = tmp_path_factory.mktemp("stores")
    region, measures = demo_measures(sample_region(2026, 12), instant(ENDED))
    readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: ENDED)
    readings.start()
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    records.start()
    register: list[Entity] = [*region.organisations, *region.buildings, *region.points, *stations(), *measures]
    records.save(register, by="test", now=ENDED)
    weather = region.simulated[0].load.weather
    readings.write(station_readings(weather, STARTED, ENDED))
    loads = {one.point: one.load for one in region.simulated if not one.load.exports}
    held = Weather(readings)
    baselines = Baselines(records=records, stations=held, ask=Simulated(loads), facts=Facts(calibration=CALIBRATION))
    shares = Savings(baselines).shares({p.id: p for p in region.points}, measures, LAST)
    days = held.days(records, "liberec")
    assert days.station == "liberec"
    readings.close()
    records.close()
    return Told({s.measure: s for s in shares}, {m.id: m for m in measures}, loads, held)


@pytest.mark.parametrize("key", ["OP-02", "OP-03", "OP-04", "OP-05"])
def test_the_true_saving_lies_within_the_interval(told: Told, key: str) -> None:
    share, measure = told.shares[key], told.measures[key]
    assert share.known, share.reasons
    since = instant(datetime(measure.effective.year, measure.effective.month, measure.effective.day, tzinfo=PRAGUE))
    truth = saved(told.loads[share.point], since, instant(ENDED))
    last = share.months[-1]
    assert abs(last.so_far_nano / NANO - truth) <= last.so_far_half90
    if truth == 0:
        assert abs(last.so_far_nano / NANO) <= last.so_far_half90


def test_two_measures_at_a_point_share_its_true_saving(told: Told) -> None:
    coat, valves = told.shares["OP-01"], told.shares["OP-07"]
    assert (coat.sharing, valves.sharing) == (("OP-07",), ("OP-01",))
    since = told.measures["OP-01"].effective
    begin = instant(datetime(since.year, since.month, since.day, tzinfo=PRAGUE))
    truth = saved(told.loads[coat.point], begin, instant(ENDED))
    both = (coat.months[-1].so_far_nano + valves.months[-1].so_far_nano) / NANO
    assert abs(both - truth) <= coat.months[-1].so_far_half90 + valves.months[-1].so_far_half90
    assert both > 0.5 * truth


def test_a_measure_from_before_the_readings_is_unknown(told: Told) -> None:
    share = told.shares["OP-06"]
    assert share.months == ()
    assert share.reasons[0].code in {"missing_training", "no_consumption", "short_training", "missing_temperature"}


def test_the_stations_silence_is_filled_from_the_next_one(tmp_path: Path) -> None:
    store = DuckDBReadingStore(tmp_path / "readings.duckdb", lambda: ENDED)
    store.start()
    records = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    records.start()
    records.save(stations(), by="test", now=ENDED)
    store.write(station_readings(7, STARTED, ENDED))
    days = Weather(store).days(records, "liberec")
    filled = int((days.source == 1).sum())
    assert OUTAGE_DAYS[0] - OUTAGE_DAYS[1] <= filled <= OUTAGE_DAYS[0] - OUTAGE_DAYS[1] + 2
    assert (days.source >= 0).all()
    truth = station_readings(7, STARTED, ENDED, outage=False)
    store.write(truth)
    whole = Weather(store).days(records, "liberec")
    gone = days.source == 1
    assert np.abs(days.temp_c[gone] - whole.temp_c[gone]).max() < 1.5
    assert len(station_payloads(7, STARTED, STARTED.replace(hour=STARTED.hour + 1 if STARTED.hour < 23 else 23))) <= 1
    store.close()
    records.close()
