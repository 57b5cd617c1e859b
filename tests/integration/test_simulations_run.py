"""Simulated meters of a process over a real broker: started, faulted, stopped, gone on with, and never a real name."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from iotcore import Broker as RealBroker
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from app.simulating import RunningSimulations, broker_of
from config.sections import MqttSettings, TlsSettings
from core.calendar import instant
from core.errors import Conflict, InputError
from core.readings import Readings, SeriesKey
from core.registry import Building, BuildingKind, Commodity, Meter, Organisation, Point
from core.simulations import FaultWish, SimulationWish
from simulators.history import history
from simulators.session import MARK
from tests.servers.process import free_port, wait_until
from tests.unit.api_fakes import MemoryReadings, MemoryRecords

HOURS = 6
WISH = SimulationWish(seed=5, buildings=1, speed=86_400.0)


class Heard:
    """All readings that arrive at a broker, by meter."""

    def __init__(self, port: int) -> None:
        self.rows: list[tuple[str, datetime, float]] = []
        self._ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self.client.on_connect = lambda client, *_: client.subscribe("odecet/#", 1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(10)

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        said = json.loads(message.payload)
        for row in said.get("readings", [said]):
            self.rows.append((row["meter"], datetime.fromisoformat(row["at"]), row["value"]))

    def values(self) -> dict[tuple[str, datetime], set[float]]:
        found: dict[tuple[str, datetime], set[float]] = {}
        for meter, at, value in self.rows:
            found.setdefault((meter, at), set()).add(value)
        return found

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def port() -> Iterator[int]:
    chosen = free_port()
    broker = RealBroker(port=chosen, listen="127.0.0.1")
    broker.start()
    yield chosen
    broker.stop()


@pytest.fixture
def heard(port: int) -> Iterator[Heard]:
    made = Heard(port)
    yield made
    made.close()


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def running(port: int, records: MemoryRecords) -> Iterator[RunningSimulations]:
    made = RunningSimulations(MqttSettings(port=port), MemoryReadings(), records)
    yield made
    made.close()


def since() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=HOURS)


def caught_up(running: RunningSimulations) -> bool:
    state = running.state()
    return state.reached is not None and datetime.now(UTC) - state.reached < timedelta(seconds=5)


def wish(begin: datetime | None = None, **changes: object) -> SimulationWish:
    said = {"seed": WISH.seed, "buildings": WISH.buildings, "speed": WISH.speed, "since": begin, **changes}
    return SimulationWish(**said)  # type: ignore[arg-type]  # of each its kind


def test_a_run_sends_the_past_then_as_time_passes_and_goes_on_where_it_was(
    running: RunningSimulations, heard: Heard, records: MemoryRecords
) -> None:
    begin = since()
    running.start(wish(begin), "zkousec")
    wait_until(lambda: caught_up(running), what="the past")
    with pytest.raises(Conflict):
        running.start(wish(), "zkousec")
    device = next(m.device for m in running.state().meters if m.register == "volume.total")
    laid = running.inject(FaultWish(device=device, kind="leak"), "zkousec")
    assert laid.since >= datetime.now(UTC) - timedelta(seconds=10)
    running.stop("zkousec")
    state = running.state()
    assert not state.running
    assert [p.kind for p in state.planted] == ["leak"]
    wait_until(lambda: len(heard.rows) >= state.sent, what="all that was acknowledged")
    assert state.sent >= HOURS
    assert {name for name, _, _ in heard.rows} <= {m.device for m in state.meters}
    assert all(name.startswith(f"{MARK}5-") for name, _, _ in heard.rows)
    assert min(at for _, at, _ in heard.rows) >= begin
    assert max(at for _, at, _ in heard.rows) <= datetime.now(UTC)
    assert state.reached is not None
    running.start(wish(), "zkousec")
    assert running.state().reached is not None
    assert running.state().reached >= state.reached  # type: ignore[operator]  # checked above
    assert [p.kind for p in running.state().planted] == ["leak"]
    assert all(len(values) == 1 for values in heard.values().values())
    acts = [(entry.why, entry.by) for entry in reversed(records.audit(entity="simulation"))]
    assert acts == [("start", "zkousec"), ("fault", "zkousec"), ("stop", "zkousec"), ("start", "zkousec")]


def test_a_seed_that_ran_has_its_past(running: RunningSimulations, heard: Heard) -> None:
    running.start(wish(since()), "z")
    wait_until(lambda: bool(heard.rows), what="a reading")
    running.stop("z")
    for asked in (wish(since()), wish(samples=True)):
        with pytest.raises(InputError):
            running.start(asked, "z")


def test_a_run_whose_process_died_sends_again_what_may_be_lost(
    running: RunningSimulations, heard: Heard, records: MemoryRecords, port: int
) -> None:
    begin = since()
    running.start(wish(begin), "z")
    kept = records.kept("simulators/seed-5")
    wait_until(lambda: caught_up(running), what="the past")
    running.stop("z")
    first = heard.values()
    records.keep("simulators/seed-5", kept)  # as of the start: nothing was kept since
    again = RunningSimulations(MqttSettings(port=port), MemoryReadings(), records)
    again.start(wish(), "z")
    wait_until(lambda: caught_up(again), what="the past once more")
    again.close()
    wait_until(lambda: len(heard.rows) >= 2 * len(first), what="the same readings")
    assert all(len(values) == 1 for values in heard.values().values())


def test_only_chosen_meters_send(running: RunningSimulations, heard: Heard) -> None:
    chosen = running.meters(5, 1)[0].device
    running.start(wish(since(), devices=(chosen,)), "z")
    wait_until(lambda: caught_up(running), what="the past")
    running.stop("z")
    assert {name for name, _, _ in heard.rows} == {chosen}
    with pytest.raises(InputError) as refused:
        running.start(wish(devices=("em-real",)), "z")
    assert refused.value.place == "devices"


def test_a_name_of_a_real_meter_is_never_sent_under(
    running: RunningSimulations, heard: Heard, records: MemoryRecords
) -> None:
    device = running.meters(5, 1)[0].device
    records.save(
        [
            Organisation(id="O1", name="O"),
            Building(id="B1", organisation="O1", name="B", kind=BuildingKind.SCHOOL),
            Point(id="P1", building="B1", name="P", commodity=Commodity.ELECTRICITY),
            Meter(id="M1", point="P1", device=device, mounted=datetime(2020, 1, 1, tzinfo=UTC)),
        ],
        by="test",
        now=datetime.now(UTC),
    )
    with pytest.raises(InputError) as refused:
        running.start(wish(since()), "z")
    assert refused.value.place == "devices"
    assert not running.state().running
    assert heard.rows == []


def test_a_name_under_which_somebody_sent_is_never_sent_under(port: int, records: MemoryRecords) -> None:
    readings = MemoryReadings()
    running = RunningSimulations(MqttSettings(port=port), readings, records)
    key = SeriesKey(running.meters(5, 1)[0].device, "energy.import")
    readings.write(Readings.of([key], np.zeros(1), np.array(["2026-01-01"], "M8[us]"), [1.0], source="odecet"))
    with pytest.raises(InputError):
        running.start(wish(since()), "z")
    assert records.kept("simulators/devices") == ""


def test_a_begin_that_cannot_be_is_refused(running: RunningSimulations) -> None:
    present = datetime.now(UTC)
    for begin in (present + timedelta(hours=1), present - timedelta(days=401)):
        with pytest.raises(InputError) as refused:
            running.start(wish(begin), "z")
        assert refused.value.place == "since"


def test_faults_need_a_run(running: RunningSimulations) -> None:
    with pytest.raises(Conflict):
        running.inject(FaultWish(device="sim-5-x", kind="leak"), "z")
    running.stop("z")
    running.close()


def test_without_a_broker_it_waits_and_stops_when_told(records: MemoryRecords) -> None:
    running = RunningSimulations(MqttSettings(port=free_port()), MemoryReadings(), records)
    begin = since()
    running.start(wish(begin), "z")
    assert running.state().running
    running.stop("z")
    assert not running.state().running
    kept = instant(datetime.fromisoformat(json.loads(records.kept("simulators/seed-5"))["reached"]))
    assert kept >= instant(begin)
    # it goes on before the first message that no broker took
    passed = history(running._plans, instant(begin), kept, fine_since=instant(begin)) if kept > instant(begin) else ()
    assert sum(len(batch.readings) for batch in passed) == 0


def test_a_broker_that_wants_a_certificate_is_told_of(tmp_path: Path) -> None:
    asked = MqttSettings(tls=TlsSettings(enabled=True, cert=tmp_path / "a.pem", key=tmp_path / "b.pem"))
    with pytest.raises(InputError):
        broker_of(asked)
    assert broker_of(MqttSettings(tls=TlsSettings(enabled=True))).ca_file == "system"
    assert broker_of(MqttSettings()).ca_file == ""
