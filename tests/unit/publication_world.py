"""A region of three points in real stores, a year of readings, a plan, factors: what tests of publications stand on.

`B1-EL` has its meter exchanged on 1 July 2025, `B1-GAS` and `B2-EL` keep theirs. All publish each six hours.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from alerts.lifecycle import opened
from core.alerts import Change, Detection
from core.calendar import instant
from core.dated_tables import Provenance, Validity
from core.deliveries import DeliveryAct
from core.factors import CalorificRatio, Carrier, Factor, FactorTables
from core.plan import Figure, Indicator
from core.populations import Population
from core.ports import ReadingStore, RecordStore
from core.readings import Readings, SeriesKey
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Dated, Entity, Meter, Organisation, Point
from services.deliveries import Deliveries, Part
from services.held import HeldRegister
from services.publishing import Wish, open_values
from services.stands import Live
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.unit.delivery_world import ANNUAL, ENERGY, HEALTH, PLAN, TEXTS, VALUES

BEGIN, END = datetime(2024, 12, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)
SWAPPED = datetime(2025, 7, 1, 6, tzinfo=UTC)
PUBLISHED = datetime(2026, 2, 10, 9, tzinfo=UTC)
LATER = datetime(2026, 5, 4, 9, tzinfo=UTC)
STEP = timedelta(hours=6)
HOURLY: Final = {"em-1": 4.0, "em-2": 4.0, "gas-1": 20.0, "em-3": 2.5}
"""What each meter counts [kWh/h]."""

OLD_METER = Meter(
    id="M1", point="B1-EL", device="em-1", mounted=BEGIN, removed=SWAPPED, register="energy.import", final=99_011.0
)
"""The meter that was taken away: its dial showed 20 kWh more than was noted."""
REGISTER: tuple[Entity, ...] = (
    Organisation(id="O1", name="Gymnázium"),
    Building(id="B1", organisation="O1", name="Hlavní budova", areas=(Dated(since=date(2020, 1, 1), value=2000.0),)),
    Building(id="B2", organisation="O1", name="Tělocvična"),
    Point(id="B1-EL", building="B1", name="Elektřina", commodity=Commodity.ELECTRICITY),
    Point(id="B1-GAS", building="B1", name="Plyn", commodity=Commodity.GAS),
    Point(id="B2-EL", building="B2", name="Elektřina", commodity=Commodity.ELECTRICITY),
    OLD_METER,
    Point(id="B1-VO", building="B1", name="Studená voda", commodity=Commodity.COLD_WATER),
    Meter(id="M2", point="B1-EL", device="em-2", mounted=SWAPPED, register="energy.import", first=0.0),
    Meter(id="M3", point="B1-GAS", device="gas-1", mounted=BEGIN, register="energy.total"),
    Meter(id="M4", point="B2-EL", device="em-3", mounted=BEGIN, register="energy.import"),
    *(one for one in PLAN if not (isinstance(one, Indicator) and one.id == "E1")),
    Indicator(
        id="E1",
        area=ENERGY,
        name="Konečná spotřeba energie",
        figures=(Figure(key="total", name="Spotřeba", unit="MWh"),),
        method="final_consumption",
    ),
    Indicator(
        id="G1",
        area=ENERGY,
        name="Emise CO₂ z energie",
        figures=(Figure(key="location", name="Emise", unit="t"),),
        method="emissions",
    ),
    Indicator(
        id="G2",
        area=ENERGY,
        name="Emise na obyvatele",
        figures=(Figure(key="per_inhabitant", name="Emise na obyvatele", unit="kg/os."),),
        method="emissions_by_inhabitant",
    ),
    Indicator(
        id="S3",
        area=ENERGY,
        name="Zachycené úniky",
        figures=(Figure(key="count", name="Počet", unit="", decimals=0),),
        method="leaks_caught",
    ),
)
LEAK = opened(
    Detection(
        subject="B1-VO",
        rule="leak",
        at_from=datetime(2025, 5, 1, tzinfo=UTC),
        at_to=datetime(2025, 5, 11, tzinfo=UTC),
        found_at=datetime(2025, 5, 2, tzinfo=UTC),
        going_on=False,
        loss_per_day=2.0,
        unit="m³",
    ),
    "B1",
    datetime(2025, 5, 2, tzinfo=UTC),
)
"""A leak of which people were told in 2025."""
SINCE = Validity(since=date(2020, 1, 1))


def factor(version: int, kg: float, carrier: Carrier = Carrier.ELECTRICITY) -> Factor:
    return Factor(
        id=f"{carrier}-2025",
        carrier=carrier,
        kg=kg,
        scheme="mpo",
        valid=SINCE,
        provenance=Provenance(source=f"MPO, verze {version}", version=version),
    )


CSU = Provenance(source="ČSÚ")
TABLES = RegionTables(
    factors=FactorTables(
        factors=(factor(1, 0.43), factor(1, 0.2, Carrier.GAS)),
        order={Carrier.ELECTRICITY: ("mpo",), Carrier.GAS: ("mpo",)},
        ratios=(CalorificRatio(id="zp", gross_over_net=1.108, valid=SINCE, provenance=Provenance(source="OTE")),),
    ),
    populations=tuple(
        Population(id=f"lk-{year}", place="Liberecký kraj", at=date(year, 1, 1), inhabitants=n, provenance=CSU)
        for year, n in ((2025, 449_000.0), (2026, 450_000.0))
    ),
)  # fmt: skip


def with_factor(tables: RegionTables, *factors: Factor) -> RegionTables:
    return replace(tables, factors=replace(tables.factors, factors=(*tables.factors.factors, *factors)))


def series(device: str) -> SeriesKey:
    return SeriesKey(device, "energy.total" if device == "gas-1" else "energy.import")


def readings(
    device: str,
    since: datetime,
    until: datetime,
    *,
    start: float = 0.0,
    received: datetime | None = None,
    source: str = "mqtt",
) -> Readings:
    """Readings of a dial that counts evenly from `start`; they came in as they were read, or all at once."""
    at = np.arange(instant(since), instant(until), np.timedelta64(STEP))
    hours = (at - at[0]) / np.timedelta64(1, "h") if len(at) else np.empty(0)
    arrived = at if received is None else np.full(len(at), instant(received))
    return Readings.of(
        [series(device)],
        np.zeros(len(at), np.int32),
        at,
        start + HOURLY[device] * hours,
        received=arrived,
        source=source,
    )


LATE_FROM, LATE_TO = datetime(2025, 11, 3, tzinfo=UTC), datetime(2025, 12, 20, tzinfo=UTC)


@dataclass
class World:
    """The stores and what stands on them; `tables` may be changed."""

    store: ReadingStore
    records: RecordStore
    tables: RegionTables = TABLES

    @property
    def live(self) -> Live:
        return Live(readings=self.store, records=self.records, dated=self.tables, facts=None, code="0.9")

    def deliveries(self) -> Deliveries:
        return Deliveries(self.records, HeldRegister(self.records).view())

    def ready(self, now: datetime = PUBLISHED) -> None:
        """Let both areas be delivered and checked, with every computed value."""
        doing, texts = self.deliveries(), {"realised": "ano", "fulfilment": "ano"}
        for area, values in ((HEALTH, VALUES), (ENERGY, ())):
            part = Part(report=ANNUAL, area=area, by="garant", now=now)
            doing.edit(part, texts=TEXTS if area == HEALTH else texts, values=values)
            doing.deliver(part)
        self.checked(now)
        for area in (HEALTH, ENERGY):
            doing.act(Part(report=ANNUAL, area=area, by="koordinator", now=now), DeliveryAct.CHECK)

    def checked(self, now: datetime) -> None:
        """Let the coordinator take every computed value as it is."""
        doing = self.deliveries()
        for value in open_values(self.live, ANNUAL, now):
            if value.method != "hand":
                doing.check_value(Part(report=ANNUAL, area=ENERGY, by="koordinator", now=now), value)

    def wish(self, now: datetime = PUBLISHED, note: str = "schváleno radou") -> Wish:
        return Wish(report=ANNUAL, by="koordinator", now=now, note=note)

    def correct_swap(self, now: datetime) -> None:
        """Correct what was noted of the meter that was taken away: 20 kWh more."""
        self.records.save([replace(OLD_METER, final=99_031.0)], by="spravce", now=now, why="překlep v protokolu")

    def late_batch(self, received: datetime) -> None:
        """Bring the readings of `B2-EL` that lacked."""
        start = HOURLY["em-3"] * ((LATE_FROM - BEGIN) / timedelta(hours=1))
        self.store.write(readings("em-3", LATE_FROM, LATE_TO, start=start, received=received, source="import/late"))


def fill(store: ReadingStore, records: RecordStore) -> World:
    """Return the world: of `em-3` there is nothing from November on, the final reading of `em-1` was noted too low."""
    records.save(REGISTER, by="test", now=BEGIN)
    store.write(readings("em-1", BEGIN, SWAPPED, start=78_655.0))
    store.write(readings("em-2", SWAPPED + STEP, END, start=24.0))
    store.write(readings("gas-1", BEGIN, END))
    store.write(readings("em-3", BEGIN, LATE_FROM))
    records.change_alerts(Change(alerts=(LEAK.alert,), entries=() if LEAK.entry is None else (LEAK.entry,)))
    return World(store, records)


def embedded(folder: Path, clock: Callable[[], datetime] = lambda: LATER) -> World:
    store = DuckDBReadingStore(folder / "readings.duckdb", clock)
    records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
    store.start()
    records.start()
    return fill(store, records)
