"""A small region on real stores in which meters read as a test says, to be evaluated at any instant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from alerts.grouping import LossLimits
from analytics.baseline.placebo import Calibration
from config.placebos import load_placebos
from core.alerts import Alert, AlertFilter
from core.calendar import PRAGUE, instant
from core.gaps import DayTypes
from core.readings import Kind, Readings, SeriesKey
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Entity, Meter, Organisation, Point
from core.sending import PersonRole, Recipient, Route
from services.alerts import Alerts, Policy, Reported
from services.baselines import Baselines, Facts
from services.consumption import Calendar, PointConsumption, Question, consumption
from services.detecting import Detectors, Looked, Region
from services.detection_past import DaysOff
from services.held import HeldRegister
from services.rollup import RollUps
from services.weather import Weather
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

START = datetime(2025, 1, 6, tzinfo=PRAGUE)
HOLIDAYS = frozenset({date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1), date(2025, 5, 8)})
TYPES = DayTypes(holidays=HOLIDAYS)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAYS = 60
BEGAN = START + DAYS * DAY
"""When faults begin: after two months of the point's own past."""


def hours(days: int) -> np.ndarray:
    """Return the local hour of each hour from START, Prague's winter time throughout."""
    return np.arange(days * 24) % 24


def school_water(days: int, seed: int = 1) -> np.ndarray:
    """Return the water of a school by hour [m³]: by day in portions of ten litres, at night hardly any."""
    rng = np.random.default_rng(seed)
    busy = (hours(days) >= 7) & (hours(days) < 17)
    return np.round(np.where(busy, rng.poisson(8, days * 24) * 0.01, (rng.random(days * 24) < 0.05) * 0.01), 3)


def school_power(days: int, seed: int = 1) -> np.ndarray:
    """Return the electricity of a school by hour [kWh]: never none, more by day."""
    rng = np.random.default_rng(seed)
    busy = (hours(days) >= 7) & (hours(days) < 17)
    return np.round((4 + 20 * busy) * rng.uniform(0.8, 1.2, days * 24), 2)


@dataclass
class DetectionWorld:
    """Stores with a region of a building, and what evaluates and alerts."""

    folder: Path
    tables: RegionTables = field(default_factory=RegionTables)

    def __post_init__(self) -> None:
        self.readings = DuckDBReadingStore(self.folder / "readings.duckdb", lambda: START, memory_limit_mb=512)
        self.records = SqlRecordStore(f"sqlite:///{self.folder}/records.sqlite")
        self.records.start()
        self.readings.start()
        self.facts = Facts(calibration=Calibration.from_json(load_placebos()), holidays=HOLIDAYS)
        self.register = HeldRegister(self.records)
        self.rollups = RollUps(self.readings, self.records, TYPES)
        self.save(Organisation(id="O", name="Kraj"), Building(id="B", organisation="O", name="Gymnázium"))
        self.records.keep_recipients([Recipient(id="jan", name="Jan", mail="jan@example.cz")], [])
        self.records.keep_routes([Route(id="all", role=PersonRole.CARETAKER)], [])
        self.start()

    def start(self) -> None:
        """Begin as a process does that remembers nothing."""
        self.detectors = Detectors(self.region())
        self.alerts = Alerts(self.records, Policy(limits=LossLimits(), address="https://odecet.example.cz"))

    def close(self) -> None:
        self.readings.close()
        self.records.close()

    def region(self) -> Region:
        return Region(
            readings=self.readings,
            records=self.records,
            register=self.register.view,
            baselines=self.baselines,
            days=DaysOff.of(PRAGUE, HOLIDAYS, ()),
            day_types=TYPES,
            tables=self.tables,
            broker="broker:1883",
        )

    def baselines(self) -> Baselines:
        return Baselines(records=self.records, stations=Weather(self.readings, PRAGUE), ask=self.ask, facts=self.facts)

    def ask(self, question: Question) -> list[PointConsumption]:
        calendar = Calendar(day_types=TYPES)
        return consumption(question, readings=self.readings, records=self.register.view(), calendar=calendar)

    def save(self, *entities: Entity) -> None:
        self.records.save(entities, by="test", now=START)

    def point(self, key: str, commodity: Commodity = Commodity.COLD_WATER, **more: object) -> Point:
        """Store a point with a meter that publishes as `d-KEY`."""
        point = Point(id=key, building="B", name=key, commodity=commodity, **more)  # type: ignore[arg-type]
        mounted = START - 2 * HOUR
        self.save(point, Meter(id=f"m-{key}", point=key, device=f"d-{key}", mounted=mounted))
        return point

    def dial(self, key: str, amounts: np.ndarray, *, since: datetime = START, first: float = 100.0) -> float:
        """Write hourly dial readings of a point: `first` at `since`, then each amount; return the last one shown."""
        value = first + np.concatenate([[0.0], np.cumsum(amounts)])
        self.write(key, since, value)
        return float(value[-1])

    def write(
        self, key: str, since: datetime, value: Sequence[float] | np.ndarray, *, kind: Kind = Kind.CUMULATIVE
    ) -> None:
        """Write hourly values of a point from an instant on."""
        unit = "volume" if self.records.get(Point, key).commodity is Commodity.COLD_WATER else "energy"
        at = instant(since) + np.arange(len(value)) * np.timedelta64(3600, "s")
        series = [SeriesKey(f"d-{key}", f"{unit}.total")]
        span = 3600 if kind is Kind.INTERVAL else 0
        self.readings.write(Readings.of(series, np.zeros(len(at)), at, value, kind=kind, span_s=span))

    def look(self, now: datetime, *, settled: bool = True, hurry: bool = False, rolled: bool = True) -> Looked:
        """Roll up, evaluate, report and keep, as the worker does."""
        if rolled:
            self.rollups.run()
        looked = self.detectors.evaluate(now.astimezone(UTC), hurry=lambda: hurry)
        assert looked is not None
        self.reported: Reported = self.alerts.report(looked.evaluation, now.astimezone(UTC))
        if settled:
            self.detectors.settle(looked)
        return looked

    def found(self) -> dict[str, Alert]:
        """Return the alerts there are, by rule and subject; of one of them the last."""
        return {f"{a.rule} {a.subject}": a for a in reversed(self.records.alerts(AlertFilter()))}
