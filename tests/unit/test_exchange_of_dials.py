"""The exchange of a meter, dial by dial: what both meters counted, to the last digit, and nothing twice."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.calendar import Period, instant
from core.errors import Conflict, InputError
from core.gaps import DayTypes
from core.readings import Readings, SeriesKey
from core.registry import Building, Commodity, DialEvent, Meter, Organisation, Point
from services.consumption import Question, consumption
from services.exchange_dials import DialReading, dials_of, exchange, mounted_now
from services.register import By, NewMeter
from services.rollup import RollUps
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

START = datetime(2026, 5, 1, tzinfo=UTC)
AT = datetime(2026, 5, 11, 10, 7, tzinfo=UTC)
END = datetime(2026, 5, 21, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
T1, T2, OUT = "energy.import/t1", "energy.import/t2", "energy.export"
RATES = {T1: 4.0, T2: 1.0, OUT: 0.5}
BY = By(by="test", now=NOW)


class Bench:
    """A point with a meter whose dials run at constant rates, in real stores."""

    def __init__(self, folder: Path) -> None:
        self.readings = DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW)
        self.records = SqlRecordStore(f"sqlite:///{folder}/records.sqlite")
        self.readings.start()
        self.records.start()
        self.records.save(
            [
                Organisation(id="o", name="Kraj"),
                Building(id="b", organisation="o", name="Škola"),
                Point(id="p", building="b", name="Elektřina", commodity=Commodity.ELECTRICITY),
                Meter(id="m", point="p", device="old", mounted=START, first=None),
            ],
            by="test",
            now=NOW,
        )
        self.rollups = RollUps(self.readings, self.records, DayTypes())

    def send(self, device: str, since: datetime, until: datetime, first: Mapping[str, float]) -> None:
        at = np.arange(instant(since), instant(until), np.timedelta64(3600, "s").astype("m8[us]"))
        hours = (at - at[0]) / np.timedelta64(1, "h")
        for register, value in first.items():
            values = np.round(value + RATES[register] * hours, 6)
            self.readings.write(Readings.of([SeriesKey(device, register)], np.zeros(len(at), int), at, values))

    def used(self, register: str = "") -> tuple[float, float]:
        self.rollups.run()
        question = Question(
            points=("p",), period=Period.DAY, start=START, end=END, register=register, zone=DayTypes().zone
        )
        (part,) = consumption(question, readings=self.readings, records=self.records)
        whole = part.ends[-1] - part.starts[0]
        missing = float((part.missing * ((part.ends - part.starts) / whole)).sum())
        return float(np.nansum(part.amount)), missing

    def dials(self, meter: str = "old") -> tuple[str, ...]:
        present = [key.register for key in self.readings.known([meter])]
        return dials_of(self.records.get(Point, "p"), self.records.get(Meter, "m"), present).counting


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.readings.close()
    made.records.close()


def before(at: datetime, first: float, register: str) -> float:
    return first + RATES[register] * (at - START).total_seconds() / 3600


FIRST = {T1: 1000.0, T2: 500.0, OUT: 20.0}
LAST = {register: before(AT, first, register) for register, first in FIRST.items()}


@pytest.mark.parametrize("device", ["", "new"])
def test_two_tariffs_keep_every_kilowatt_hour_over_an_exchange(bench: Bench, device: str) -> None:
    new = device or "old"
    begun = AT + timedelta(minutes=53)
    started = {T1: 3.0, T2: 7.0, OUT: 0.0}
    bench.send("old", START, AT, FIRST)
    bench.send(new, begun, END, {r: v + RATES[r] * 53 / 60 for r, v in started.items()})
    counting = bench.dials()
    assert counting == (T1, T2)
    read = {r: DialReading(final=LAST[r], first=started[r]) for r in (T1, T2, OUT)}
    exchange(bench.records, "p", AT, BY, counting=counting, read=read, new=NewMeter(device=device, serial="77"))
    last_h = ((END - timedelta(hours=1)) - START).total_seconds() / 3600
    total, _ = bench.used()
    assert total == pytest.approx(5.0 * last_h, abs=1e-6)
    exported, _ = bench.used(OUT)
    assert exported == pytest.approx(0.5 * last_h, abs=1e-6)
    standing = mounted_now(bench.records.find(Meter))
    assert standing is not None
    assert (standing.serial, standing.device, standing.mounted) == ("77", new, AT)


def test_one_dial_is_told_by_the_meters_themselves(bench: Bench) -> None:
    read = {"energy.import": DialReading(final=120.5, first=0.4)}
    exchange(bench.records, "p", AT, BY, counting=["energy.import"], read=read, new=NewMeter())
    old, new = sorted(bench.records.find(Meter), key=lambda m: m.mounted)
    assert (old.final, old.removed, new.first) == (120.5, AT, 0.4)
    assert bench.records.find(DialEvent) == []


def test_the_same_exchange_again_changes_nothing(bench: Bench) -> None:
    read = {T1: DialReading(final=10.0, first=0.0), T2: DialReading(final=5.0, first=0.0)}
    for _ in range(2):
        exchange(bench.records, "p", AT, BY, counting=[T1, T2], read=read, new=NewMeter())
    assert len(bench.records.find(Meter)) == 2
    assert len(bench.records.find(DialEvent)) == 2
    other = read | {T1: DialReading(final=11.0, first=0.0)}
    with pytest.raises(Conflict, match="recorded already"):
        exchange(bench.records, "p", AT, BY, counting=[T1, T2], read=other, new=NewMeter())


def test_an_exchange_is_whole_or_not_at_all(bench: Bench) -> None:
    read = {T1: DialReading(final=10.0), T2: DialReading(final=5.0)}
    with pytest.raises(InputError, match="no meter is mounted"):
        exchange(bench.records, "p", START - timedelta(days=1), BY, counting=[T1, T2], read=read, new=NewMeter())
    with pytest.raises(InputError, match="future"):
        exchange(bench.records, "p", NOW + timedelta(days=1), BY, counting=[T1, T2], read=read, new=NewMeter())
    assert bench.records.find(DialEvent) == []
    assert len(bench.records.find(Meter)) == 1


def test_what_was_not_read_is_missing_and_not_guessed(bench: Bench) -> None:
    bench.send("old", START, AT, FIRST)
    bench.send("new", AT + timedelta(minutes=53), END, {T1: 3.0, T2: 7.0, OUT: 0.0})
    exchange(bench.records, "p", AT, BY, counting=(T1, T2), read={}, new=NewMeter(device="new"))
    total, missing = bench.used()
    assert total <= 5.0 * (END - START).total_seconds() / 3600
    assert missing > 0
