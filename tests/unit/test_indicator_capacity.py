"""E6 and the kept maxima that it rests on: as computed from readings, and anew where any were written since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.demand import Maxima
from core.calendar import PRAGUE, Instants, Period, instant, spans
from core.indicators import ValueStatus
from core.readings import Readings, SeriesKey
from core.registry import Building, Commodity, Dated, Meter, Organisation, Point, in_force
from services.consumption import PointConsumption, Question, consumption
from services.monthly_use import Months, months_between
from services.peaks import KeptPeaks
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.unit.indicator_world import World, codes, shares

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
EL = Point(
    id="A-el",
    building="A",
    name="el",
    commodity=Commodity.ELECTRICITY,
    reserved_kw=(Dated(since=date(2020, 1, 1), value=100.0),),
)
METER = Meter(id="m", point="A-el", device="em", mounted=datetime(2024, 12, 31, tzinfo=UTC), register="energy.total")
KEY = SeriesKey("em", "energy.total")


def months(first: str, end: str) -> Months:
    return months_between(*(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=PRAGUE) for day in (first, end)))


@dataclass
class Store:
    """A point's meter in real stores, and how often its quarter-hours were asked for."""

    readings: DuckDBReadingStore
    records: SqlRecordStore
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Sequence[PointConsumption]:
        self.asked.append(question)
        return consumption(question, readings=self.readings, records=self.records)

    def peaks(self) -> KeptPeaks:
        return KeptPeaks(readings=self.readings, notes=self.records, register=self.records, ask=self.ask)

    def write(self, at: Instants, total: np.ndarray) -> None:
        self.readings.write(Readings.of([KEY], np.zeros(len(at), int), at, total, received=instant(NOW)))

    def found(self, first: str, end: str) -> Maxima:
        return self.peaks()([self.records.get(Point, "A-el")], months(first, end))["A-el"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    readings = DuckDBReadingStore(tmp_path / "readings.duckdb", lambda: NOW)
    records = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    readings.start()
    records.start()
    home = Building(id="A", organisation="o", name="Škola")
    records.save([Organisation(id="o", name="Kraj"), home, EL, METER], by="test", now=NOW)
    made = Store(readings, records)
    starts, _ = spans(Period.QUARTER_HOUR, *(instant(datetime(2025, m, 1, tzinfo=PRAGUE)) for m in (1, 4)), PRAGUE)
    used = np.where(starts == starts[500], 30.0, 10.0)
    made.write(starts, np.concatenate([[0.0], np.cumsum(used)[:-1]]))
    yield made
    readings.close()
    records.close()


def test_what_is_kept_is_what_is_computed_and_is_not_asked_for_again(store: Store) -> None:
    first = store.found("2025-01-01", "2025-04-01")
    assert first.peak_kw.tolist() == pytest.approx([120.0, 40.0, 40.0])
    count = len(store.asked)
    again = store.found("2025-01-01", "2025-04-01")
    assert len(store.asked) == count
    for name in ("peak_kw", "at", "counted", "expected", "coarse"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    store.found("2025-01-01", "2025-03-01")
    assert len(store.asked) == count


def test_late_readings_are_computed_anew_and_others_stay(store: Store) -> None:
    store.found("2025-01-01", "2025-04-01")
    store.asked.clear()
    at = instant(datetime(2025, 2, 15, 12, tzinfo=PRAGUE)) + np.array([450], "m8[s]")
    before = store.readings.read([KEY], at[0] - np.timedelta64(450, "s"), at[0])
    store.write(at, before.value + 9.0)
    found = store.found("2025-01-01", "2025-04-01")
    assert [(q.start.astimezone(PRAGUE).month, q.end.astimezone(PRAGUE).month) for q in store.asked] == [(2, 3)]
    assert found.peak_kw[0] == pytest.approx(120.0)
    assert (found.counted == found.expected).tolist()[:2] == [True, True]


def test_a_changed_meter_is_computed_anew(store: Store) -> None:
    store.found("2025-01-01", "2025-04-01")
    store.records.save([replace(METER, multiplier=2.0)], by="test", now=NOW)
    assert store.found("2025-01-01", "2025-04-01").peak_kw.tolist() == pytest.approx([240.0, 80.0, 80.0])


# The indicator


def peaks(**of: list[float]) -> object:
    """Peaks by point and month as told."""

    def told(points: Sequence[Point], asked: Months) -> dict[str, Maxima]:
        count = len(asked.firsts)
        return {p.id: _maxima(of[p.id.replace("-", "_")][:count]) for p in points}

    return told


def _maxima(peak: list[float]) -> Maxima:
    count = np.full(len(peak), 2976, np.int64)
    known = np.where(np.isnan(peak), 0, count)
    at = np.full(len(peak), np.datetime64("2025-01-15T10:00", "us"))
    return Maxima(peak_kw=np.array(peak), at=at, counted=known, expected=count, coarse=np.zeros(len(peak), np.int64))


def world(**of: list[float]) -> World:
    made = World(more={"peaks": peaks(**of)})
    reserved = (Dated(since=date(2020, 1, 1), value=100.0),)
    names = {key.replace("_", "-") for key in of}
    made.entities = [
        replace(e, reserved_kw=reserved) if isinstance(e, Point) and e.id in names else e for e in made.entities
    ]
    return made


def test_breaches_are_added_month_by_month_and_named() -> None:
    assert in_force(EL.reserved_kw, date(2025, 1, 1)) == 100.0
    found = world(A_el=[120.0, 90.0, 101.5] + [50.0] * 9, B_el=[100.0] * 12).year("E6", 2025)
    assert (found.amount("over").value, found.amount("months").value) == (21.5, 2.0)
    assert shares(found, "over", "point-month") == {"A-el/2025-01": 20.0, "A-el/2025-03": 1.5}
    assert found.amount("cost").value is None
    assert "no_breach_price" in codes(found)


def test_no_breach_costs_nothing_whatever_the_prices() -> None:
    found = world(A_el=[99.0] * 12).year("E6", 2025)
    assert [a.value for a in found.amounts] == [0.0, 0.0, 0.0]
    assert found.status is ValueStatus.FINAL


def test_a_month_without_a_maximum_is_told_and_provisional() -> None:
    found = world(A_el=[np.nan] + [99.0] * 11).year("E6", 2025)
    assert (found.amounts[0].value, found.status) == (0.0, ValueStatus.PROVISIONAL)
    assert next(r for r in found.reasons if r.code == "no_peak").subjects == ("A-el",)
    assert world(A_el=[np.nan] * 12).year("E6", 2025).status is ValueStatus.UNKNOWN


def test_the_running_month_is_not_counted_yet() -> None:
    running = world(A_el=[120.0] * 12)
    running.cutoff = datetime(2025, 3, 20, tzinfo=UTC)
    found = running.year("E6", 2025)
    assert found.amount("months").value == 2.0
    assert found.status is ValueStatus.PROVISIONAL


def test_nothing_reserved_is_no_zero() -> None:
    assert codes(World().year("E6", 2025)) == ["no_reserved"]
