"""Real meters of 21 buildings over five years, through Mosquitto into both stores, everything killed on the way.

Each store takes every other building; that both give the same answers is what their contract tests say.
"""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.calendar import Period, micros
from core.gaps import DayTypes
from core.mounting import Mounting, Rules, build, moduli
from core.notes import Rule
from core.ports import ReadingStore
from core.readings import Readings, SeriesKey
from core.registry import Building, Commodity, Meter, Organisation, Point
from core.units import unit as unit_named
from services.consumption import Calendar, Question, consumption
from services.rollup import RollUps
from simulators.publish import Broker, MqttPublisher, publish_all
from simulators.replay import ReplayOptions, load_replay, replay_messages
from storage.duckdb_readings import DuckDBReadingStore
from storage.influx_readings import InfluxReadingStore
from storage.records import SqlRecordStore
from tests.servers.influx import influxdb
from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, free_port, wait_until

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILE = DATA / "cambridge_electricity_hourly_kwh.parquet"
WATER = DATA / "daiad_homes_water_hourly_index_litres.parquet"
ODECET = Path(sys.executable).parent / "odecet"
CALENDAR = Calendar(day_types=DayTypes(zone=ZoneInfo("UTC")))

pytestmark = [pytest.mark.server, pytest.mark.fault, pytest.mark.timeout(600)]


@dataclass
class Chain:
    """Broker, store and ingester as processes; `ingester` is killed and started like a server."""

    folder: Path
    broker: ServerProcess
    influx: ServerProcess | None
    process: subprocess.Popen[bytes] | None = None
    metrics_port: int = field(default_factory=free_port)

    def measured(self, name: str) -> float:
        """Return the sum of a metric of the ingester over its labels, 0 where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0.0
        told = [line for line in lines if line.startswith((f"odecet_ingest_{name} ", f"odecet_ingest_{name}{{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in told)

    def subscribed(self) -> bool:
        """Return whether the ingester has its session at the broker: what is published before is nobody's."""
        return self.measured("connected") == 1.0

    def quiet(self) -> bool:
        """Return whether the ingester is connected and nothing has come to it for a second."""
        before = self.measured("messages_total")
        threading.Event().wait(1.0)
        waiting = self.measured("unacked_messages") + self.measured("queue_messages")
        return self.subscribed() and not waiting and self.measured("messages_total") == before

    def environment(self) -> dict[str, str]:
        chosen = {
            "ODECET_DATA__FOLDER": str(self.folder / "data"),
            "ODECET_MQTT__PORT": str(self.broker.port),
            "ODECET_METRICS__PORT": str(self.metrics_port),
            "ODECET_LOG__LEVEL": "warning",
        }
        if self.influx is not None:
            chosen |= {
                "ODECET_READINGS__STORE": "influxdb",
                "ODECET_READINGS__INFLUX__URL": f"http://127.0.0.1:{self.influx.port}",
                "ODECET_READINGS__INFLUX__BUCKET": "odecet",
            }
        return {**os.environ, **chosen}

    def start_ingester(self) -> None:
        with (self.folder / "ingester.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(ODECET), "ingest"], env=self.environment(), cwd=self.folder, stdout=log, stderr=log
            )

    def end_ingester(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(timeout=60)

    def kill_ingester(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def store(self) -> ReadingStore:
        if self.influx is None:
            return DuckDBReadingStore(self.folder / "data" / "readings.duckdb", lambda: datetime.now(UTC))
        return InfluxReadingStore(f"http://127.0.0.1:{self.influx.port}", bucket="odecet")


@pytest.fixture(params=["duckdb", "influxdb"])
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chain]:
    if not FILE.exists():
        pytest.skip("the shared real data are not beside the project")
    (tmp_path / "data").mkdir()
    with ExitStack() as stack:
        influx = None
        if request.param == "influxdb":
            (tmp_path / "influx").mkdir()
            influx = influxdb(tmp_path / "influx")
            influx.start()
            stack.callback(influx.stop)
        made = Chain(folder=tmp_path, broker=mosquitto(tmp_path / "mosquitto"), influx=influx)
        made.broker.start()
        stack.callback(made.broker.stop)
        stack.callback(made.kill_ingester)
        made.start_ingester()
        wait_until(made.subscribed, what=f"the ingester's session ({tmp_path / 'ingester.log'})", seconds=90)
        yield made


def register(records: SqlRecordStore, devices: tuple[str, ...], commodity: Commodity) -> None:
    mounted = datetime(2000, 1, 2, tzinfo=UTC)
    records.save(
        [
            Organisation(id="o", name="Univerzita"),
            Building(id="b", organisation="o", name="Budovy"),
            *(Point(id=d, building="b", name=d, commodity=commodity) for d in devices),
            *(Meter(id=f"m-{d}", point=d, device=d, mounted=mounted) for d in devices),
        ],
        by="test",
        now=mounted,
    )


def source_sums(columns: dict[str, np.ndarray], hours: np.ndarray, unit: str) -> dict[str, np.ndarray]:
    """Return each building's sums [kWh] by numpy's calendar of UTC (Y, M or D)."""
    _, place = np.unique(hours.astype(f"datetime64[{unit}]"), return_inverse=True)
    return {name: np.bincount(place, weights=np.nan_to_num(values)) for name, values in columns.items()}


class Meddler:
    """Kills and starts broker, ingester and store when a quarter, half and three quarters of the data are through."""

    def __init__(self, chain: Chain, publisher: MqttPublisher, total: int) -> None:
        self.publisher = publisher
        self.total = total
        self.due = [(0.25, chain.broker), (0.5, chain), (0.75, chain.influx or chain)]

    def __call__(self, _state: object) -> None:
        while self.due and self.publisher.acked_readings >= self.due[0][0] * self.total:
            victim = self.due.pop(0)[1]
            if isinstance(victim, Chain):
                victim.end_ingester(signal.SIGKILL)
                victim.start_ingester()
            else:
                victim.kill()
                victim.start()


def source(file: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the hours and each building's amounts [kWh], as a file has them."""
    table = pq.read_table(file)
    index = next(n for n in table.column_names if str(table.schema.field(n).type).startswith("timestamp"))
    columns = {f"cam-{n}": table[n].to_numpy() for n in table.column_names if n != index}
    return table[index].to_numpy().astype("datetime64[us]"), columns


def every_other(folder: Path, first: int) -> Path:
    """Return a file with every other building, from the first or the second on."""
    table = pq.read_table(FILE)
    index = [n for n in table.column_names if str(table.schema.field(n).type).startswith("timestamp")]
    buildings = [n for n in table.column_names if n not in index][first::2]
    pq.write_table(table.select([*index, *buildings]), folder / "half.parquet")
    return folder / "half.parquet"


def question(points: tuple[str, ...], period: Period, unit: str, hours: np.ndarray) -> Question:
    """Return the question for all periods of a numpy unit (Y, M, D) that the hours touch."""
    bounds = [hours[0].astype(f"datetime64[{unit}]"), hours[-1].astype(f"datetime64[{unit}]") + 1]
    start, end = (bound.astype("datetime64[us]").item().replace(tzinfo=UTC) for bound in bounds)
    return Question(points=points, period=period, start=start, end=end, zone=ZoneInfo("UTC"))


def test_every_building_is_exact_when_broker_ingester_and_store_are_killed_on_the_way(chain: Chain) -> None:
    file = every_other(chain.folder, 0 if chain.influx is None else 1)
    hours, columns = source(file)
    assert len(columns) in {10, 11}
    replay = load_replay(file, ReplayOptions(what="amounts", unit="kWh", prefix="cam-"))
    with MqttPublisher(Broker(port=chain.broker.port), keep_for_s=120.0, keep_bytes=500_000_000) as publisher:
        meddler = Meddler(chain, publisher, len(replay))
        done = publish_all(publisher, replay_messages(replay, per_message=500), progress=meddler, tell_every_s=0.05)
    assert done.readings == len(replay)
    assert meddler.due == []
    readings, records = settled(chain, len(replay)), SqlRecordStore(f"sqlite:///{chain.folder / 'register.sqlite'}")
    records.start()
    register(records, tuple(sorted(columns)), Commodity.ELECTRICITY)
    RollUps(readings, records, CALENDAR.day_types).run()
    for period, unit in ((Period.YEAR, "Y"), (Period.MONTH, "M"), (Period.DAY, "D")):
        expected = source_sums(columns, hours, unit)
        asked = question(tuple(sorted(columns)), period, unit, hours)
        for part in consumption(asked, readings=readings, records=records, calendar=CALENDAR):
            assert np.nan_to_num(part.amount) == pytest.approx(expected[part.point], rel=1e-9, abs=1e-8), part.point
    readings.close()
    records.close()


def test_every_fall_of_real_water_dials_is_a_rollover_a_glitch_or_a_question() -> None:
    if not WATER.exists():
        pytest.skip("the shared real data are not beside the project")
    replay = load_replay(WATER, ReplayOptions(what="dials", unit="l", register="volume.total", zone="Europe/Madrid"))
    value, falls = replay.value / 1000, 0
    for code, meter in enumerate(replay.meters):
        mine = replay.meter == code
        order = np.argsort(replay.at[mine], kind="stable")
        at, dial = replay.at[mine][order], value[mine][order]
        lot = Readings.of((SeriesKey(meter, "volume.total"),), np.zeros(len(at)), at, dial)
        built = build(lot, [Mounting(device=meter, moduli=moduli(unit_named("l")))], (), Rules(unit="m³"))
        told = [(m.first_us, m.last_us) for _, m in built.marks if m.rule in {Rule.ROLLOVER, Rule.GLITCH, Rule.BREAK}]
        for place in np.flatnonzero(np.diff(dial) < 0):
            span = int(micros(at[place])), int(micros(at[place + 1]))
            assert any(first <= span[1] and last >= span[0] for first, last in told), (meter, at[place])
            falls += 1
        assert (np.diff(built.curve.total) >= 0).all()
        assert built.curve.total[-1] / 1e9 <= max(dial[-1] - dial[0], 0) + 0.001
    assert falls > 40


def settled(chain: Chain, expected: int) -> ReadingStore:
    """Return the store once all that was sent is in it; the ingester has ended."""
    held: list[ReadingStore] = []

    def complete() -> bool:
        """Count; an embedded store belongs to one process, so the ingester is ended for it and started again."""
        wait_until(chain.quiet, what="the broker's queue to be empty", seconds=120)
        if chain.influx is None:
            chain.end_ingester(signal.SIGTERM)
        store = chain.store()
        store.start()
        if stored(store) >= expected:
            held.append(store)
            return True
        store.close()
        if chain.influx is None:
            chain.start_ingester()
        return False

    wait_until(complete, what=f"{expected} readings ({chain.folder / 'ingester.log'})", seconds=400)
    assert stored(held[0]) == expected
    return held[0]


def stored(store: ReadingStore) -> int:
    return len(store.read(store.known(), np.datetime64("1990-01-01", "us"), np.datetime64("2100-01-01", "us")))
