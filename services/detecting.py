"""The act of evaluating: all points by all rules until now, as alerts are told of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.calendar import instant, micros
from core.gaps import DayTypes
from core.ports import ReadingStore, RecordStore
from core.region_tables import RegionTables
from core.registry import Adjustment, Building, Commodity, Measure, Meter, Point
from services.alerts import Evaluation
from services.baselines import Baselines
from services.detection import HISTORY, Beside, PointReport, Prices, Told, report_of, told_of
from services.detection_expected import Expectations
from services.detection_past import DaysOff, Past
from services.detection_sources import BROKER, sources_of
from services.held import View

CHUNK: Final = 200
"""Points whose expectations are asked for together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """All that an evaluation asks: stores, the register as it stands, baselines, calendar, prices, the broker."""

    readings: ReadingStore
    records: RecordStore
    register: Callable[[], View]
    baselines: Callable[[], Baselines]
    days: DaysOff
    day_types: DayTypes
    tables: RegionTables = field(default_factory=RegionTables)
    broker: str = BROKER

    def prices(self, register: View) -> Prices:
        """Return what one more unit costs."""
        return Prices(tables=self.tables, buildings={b.id: b for b in register.find(Building)})

    def expectations(self, register: View) -> Expectations:
        """Return what tells what to expect of points."""
        return Expectations(
            baselines=self.baselines,
            plants=[p for p in register.find(Point) if p.commodity is Commodity.PV],
            measures=register.find(Measure),
            adjustments=register.find(Adjustment),
        )


def never() -> bool:
    """Tell that nobody asks to stop."""
    return False


class Detectors:
    """Evaluates points; one at a time."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._past = Past(region.readings, region.days, region.day_types)

    def evaluate(self, now: datetime, *, stopped: Callable[[], bool] = never) -> Evaluation | None:
        """Return what all points tell until now, None where it was stopped before the end."""
        register = self._region.register()
        points, prices = register.find(Point), self._region.prices(register)
        reports: list[PointReport] = []
        for n in range(0, len(points), CHUNK):
            for one in self._told(register, points[n : n + CHUNK], now):
                reports.append(report_of(one, prices, now))
                if stopped():
                    return None
        return self._evaluation(register, reports)

    def _told(self, register: View, points: Sequence[Point], now: datetime) -> Iterator[Told]:
        """Yield what all rules tell of points from all that is known of them."""
        zone = self._region.days.zone
        first, last = (at.astimezone(zone).date() for at in (now - HISTORY, now - timedelta(days=1)))
        beside = self._region.expectations(register).of(points, first, last)
        span = int(micros(instant(now - HISTORY))), int(micros(instant(now))) + 1
        for watching in self._past.look(register, points, span):
            yield told_of(watching, Beside(expectation=beside[watching.point.id]), now)

    def _evaluation(self, register: View, reports: Sequence[PointReport]) -> Evaluation:
        return Evaluation(
            detections=[one for report in reports for one in report.detections],
            judged={(rule.value, report.point) for report in reports for rule in report.judged},
            heard=[report.heard for report in reports if report.heard is not None],
            sources=sources_of(self._region.records.topics(), register.find(Meter), self._region.broker),
        )
