"""A small world where the truth of savings is known: weather in a real store, loads that follow it, measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from analytics.baseline.placebo import Calibration
from config.placebos import load_placebos
from core.calendar import PRAGUE, instant, moment, spans
from core.registry import Building, Commodity, Entity, Organisation, Point, Station
from core.weather import Temperatures
from services.baselines import Baselines, Facts
from services.consumption import PointConsumption, Question
from services.weather import Weather, store_temperatures
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
FIRST, LAST = date(2022, 1, 1), date(2026, 6, 30)
DAY = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
CALIBRATION = Calibration.from_json(load_placebos())


def temperature(seed: int = 1) -> np.ndarray:
    """Daily mean temperature of DAY: a year and red noise."""
    rng = np.random.default_rng(seed)
    noise = np.zeros(len(DAY))
    for n in range(1, len(DAY)):
        noise[n] = 0.8 * noise[n - 1] + rng.normal(0, 2.2)
    return 8.5 - 10 * np.cos(2 * np.pi * (np.arange(len(DAY)) - 17) / 365.25) + noise


TEMP_C = temperature()


def heating(seed: int, *, base: float = 60.0, slope: float = 55.0, noise: float = 0.08) -> np.ndarray:
    """Gas of a school day by day [kWh]: a base, heating below 15 °C, quiet weekends, some chance."""
    rng = np.random.default_rng(seed)
    weekend = (DAY.astype(int) + 3) % 7 >= 5
    use = (base + slope * np.maximum(15 - TEMP_C, 0)) * np.where(weekend, 0.8, 1.0)
    return use * (1 + rng.normal(0, noise, len(DAY)))


def since(first: str, until: str = "2100-01-01") -> np.ndarray:
    return (np.datetime64(first) <= DAY) & (np.datetime64(until) > DAY)


@dataclass
class Daily:
    """Answers questions of consumption by day from arrays over DAY; NaN is missing."""

    amounts: Mapping[str, np.ndarray]
    unit: Mapping[str, str] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> Sequence[PointConsumption]:
        self.asked.append(question)
        starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
        days = [np.datetime64(moment(s).astimezone(PRAGUE).date()) for s in starts]
        return [self._one(key, np.array(days), starts, ends) for key in question.points]

    def _one(self, key: str, days: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> PointConsumption:
        place = (days - DAY[0]).astype(int)
        inside = (place >= 0) & (place < len(DAY))
        amount = np.where(inside, self.amounts[key][np.where(inside, place, 0)], np.nan)
        missing = np.isnan(amount).astype(float)
        none = np.full(len(starts), np.datetime64("NaT"), "M8[us]")
        return PointConsumption(
            point=key,
            register="main",
            unit=self.unit.get(key, "kWh"),
            starts=starts,
            ends=ends,
            amount=amount,
            measured=1 - missing,
            estimated=np.zeros(len(starts)),
            missing=missing,
            first_at=none,
            last_at=none,
        )


def gas_point(key: str = "gas", commodity: Commodity = Commodity.GAS) -> Point:
    return Point(id=key, building="b", name=key, commodity=commodity)


REGISTER: tuple[Entity, ...] = (
    Organisation(id="o", name="Kraj"),
    Building(id="b", organisation="o", name="Škola", station="liberec"),
    Station(id="liberec", name="Liberec"),
)


@dataclass
class World:
    """Stores with weather and a register, and what points used."""

    readings: DuckDBReadingStore
    records: SqlRecordStore
    ask: Daily

    def baselines(self) -> Baselines:
        return Baselines(
            records=self.records, stations=Weather(self.readings), ask=self.ask, facts=Facts(calibration=CALIBRATION)
        )

    def points(self) -> dict[str, Point]:
        return {point.id: point for point in self.records.find(Point)}

    def close(self) -> None:
        self.readings.close()
        self.records.close()


def build_world(folder: Path, amounts: Mapping[str, np.ndarray], *extra: Entity, weather: bool = True) -> World:
    """Return a world where points `amounts` used so much; points that `extra` does not name burn gas."""
    readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
    readings.start()
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    records.start()
    named = {e.id for e in extra if isinstance(e, Point)}
    points = [gas_point(key) for key in amounts if key not in named]
    records.save([*REGISTER, *points, *extra], by="test", now=NOW)
    if weather:
        edge = [
            instant(datetime(d.year, d.month, d.day, tzinfo=ZoneInfo("Europe/Prague")))
            for d in (DAY + 1).astype(object)
        ]
        at = np.array(edge, "datetime64[us]")
        given = Temperatures(at=at, temp_c=TEMP_C, span_s=np.full(len(at), 82_800))
        store_temperatures(readings, records, "liberec", given, source="test", now=datetime(2027, 1, 1, tzinfo=UTC))
    return World(readings=readings, records=records, ask=Daily(amounts))
