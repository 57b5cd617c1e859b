"""A backup while a thousand readings a second come in, restored on an empty machine: the same numbers to the digit."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest

from core.archive import ArchivedReadings
from core.readings import ARRAYS, Readings
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.servers.influx import influxdb
from tests.servers.load import BASE, BATCH, STEP, Load
from tests.servers.mosquitto import mosquitto
from tests.servers.postgres import postgresql
from tests.servers.process import free_port, wait_until

ODECET = Path(sys.executable).parent / "odecet"
TOKEN = "0123456789abcdef-of-the-test"  # noqa: S105 - of a process that lives as long as the test
EVER = (np.datetime64("1990-01-01", "us"), np.datetime64("2100-01-01", "us"))

pytestmark = [pytest.mark.server, pytest.mark.fault, pytest.mark.timeout(500)]


class Machine:
    """A folder with its stores, on which one process at a time runs."""

    def __init__(self, folder: Path, *, broker: int = 0, **more: object) -> None:
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        chosen = {
            "DATA__FOLDER": folder / "data",
            "MQTT__PORT": broker or free_port(),
            "API__PORT": self.port,
            "API__TOKENS__ADMIN": TOKEN,
            "LOG__LEVEL": "warning",
            "WORKER__ROLLUP_EVERY_S": 1,
            **more,
        }
        self.environment = {**os.environ, **{f"ODECET_{name}": str(value) for name, value in chosen.items()}}
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [str(ODECET), *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words: str) -> None:
        with (self.folder / "odecet.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(ODECET), *words], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        wait_until(lambda: self.ask("/health") is not None, what=f"odecet {words} ({self.folder})", seconds=90)

    def ask(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON says
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30).json()
        except httpx.HTTPError:
            return None

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=60) == 0
            self.process = None

    def measured(self, name: str) -> float:
        """Return the sum of a metric over its labels, 0 where it is not told."""
        try:
            lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10).text.splitlines()
        except httpx.HTTPError:
            return 0.0
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}[ {{]", line))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Loaded(NamedTuple):
    """A machine that was backed up under load and has settled since; what was stored before, and when."""

    machine: Machine
    load: Load
    archive: Path
    before: int
    begun: np.datetime64


def loaded(stack: ExitStack, folder: Path) -> Loaded:
    broker = mosquitto(folder / "mosquitto", changes=100)
    broker.start()
    stack.callback(broker.stop)
    machine, load = Machine(folder / "first", broker=broker.port), Load(broker.port)
    with closing(SqlRecordStore(f"sqlite:///{machine.folder / 'data' / 'records.sqlite'}")) as records:
        records.start()
        records.save(load.register(), by="test", now=BASE)
    machine.start("run")
    stack.callback(machine.end)
    wait_until(lambda: (machine.ask("/ready") or {}).get("ready"), what="the broker's session", seconds=60)
    load.start()
    stack.callback(load.stop)
    began_s = time.monotonic()
    wait_until(lambda: load.messages > 200, what="ten seconds of load", seconds=60)
    before, begun = (
        machine.measured("odecet_ingest_readings_total"),
        np.datetime64(datetime.now(UTC).replace(tzinfo=None), "us"),
    )
    assert "whole" in machine.command("backup", str(folder / "backup.tar"))
    after = load.messages
    wait_until(lambda: load.messages > after + 60, what="load after the backup")
    load.stop()
    assert load.messages * BATCH > 0.5 * load.per_second * (time.monotonic() - began_s)  # a busy machine is no fault
    published = load.messages * BATCH
    wait_until(lambda: machine.measured("odecet_ingest_readings_total") == published, what="all of it", seconds=60)
    settled(machine)
    return Loaded(machine, load, folder / "backup.tar", int(before), begun)


def settled(machine: Machine) -> None:
    """Wait until a whole run of roll-ups has begun after now and left nothing."""
    since = time.time() + 1
    wait_until(
        lambda: (
            machine.measured("odecet_rollup_last_success_timestamp_seconds") > since
            and machine.measured("odecet_rollup_due_points") == 0
        ),
        what="roll-ups",
        seconds=60,
    )


def restored(stack: ExitStack, archive: Path, folder: Path, **more: object) -> Machine:
    """Return another machine with what an archive holds."""
    machine = Machine(folder, **more)
    machine.command("restore", str(archive))
    stack.callback(machine.end)
    return machine


def said(readings: Readings) -> set[tuple[object, ...]]:
    """Return all that readings say, a row each."""
    names = [n for n in ARRAYS if n not in {"code", "source"}]
    columns = [getattr(readings, name).tolist() for name in names]
    keys, sources = [readings.series[c] for c in readings.code], [readings.sources[s] for s in readings.source]
    return set(zip(keys, *columns, sources, strict=True))


class Held(NamedTuple):
    readings: set[tuple[object, ...]]
    revisions: set[tuple[object, ...]]
    then: list[tuple[object, ...]]


def holds(store: ArchivedReadings, moment: np.datetime64) -> Held:
    """Return what a store holds, and what was known at a moment, replaced or not."""
    with closing(store):
        store.start()
        series = store.extent().series
        readings, revisions = store.read(series, *EVER), store.revisions(series, *EVER)
    then = [some.take(some.received <= moment) for some in (readings, revisions)]
    return Held(said(readings), said(revisions), sorted(map(str, said(then[0]) | said(then[1]))))


def whole_days(held: Held) -> int:
    """Return how many days are there of every meter, and were not corrected after the backup."""
    last: dict[object, datetime] = {}
    for key, at, *_ in held.readings:
        last[key] = max(last.get(key, at), at)  # type: ignore[type-var,assignment]
    return int((min(last.values()).replace(tzinfo=UTC) - 3 * BATCH * STEP - BASE).days)


def consumption(machine: Machine, load: Load, days: int) -> Any:  # noqa: ANN401 - whatever JSON says
    points = "&".join(f"point=p-{name}" for name in load.names)
    end = (BASE + timedelta(days=days)).date()
    answer = machine.ask(f"/api/v1/consumption?{points}&period=day&from=2026-01-01&to={end}&zone=UTC")
    return answer and answer["points"]


def test_a_backup_under_load_is_the_same_on_machines_of_either_kind_to_the_last_digit(
    tmp_path: Path, stack: ExitStack
) -> None:
    made = loaded(stack, tmp_path)
    embedded = restored(stack, made.archive, tmp_path / "embedded")
    copy = holds(duckdb(tmp_path / "embedded" / "data"), made.begun)
    days = whole_days(copy)
    assert days >= 3
    expected = consumption(made.machine, made.load, days)
    assert all(value["amount"] is not None for point in expected for value in point["values"])
    servers = restored(stack, made.archive, tmp_path / "servers", **on_servers(stack, tmp_path))
    for machine in (embedded, servers):
        machine.start("run")
        settled(machine)
        assert consumption(machine, made.load, days) == expected
    servers.command("backup", str(tmp_path / "back.tar"))
    restored(stack, tmp_path / "back.tar", tmp_path / "back")
    for machine in (servers, embedded, made.machine):
        machine.end()
    original = holds(duckdb(tmp_path / "first" / "data"), made.begun)
    assert len(copy.readings) + len(copy.revisions) >= made.before
    assert len(copy.revisions) > 100
    assert copy.readings <= original.readings | original.revisions
    assert copy.revisions <= original.revisions
    assert copy.then == original.then
    assert holds(duckdb(tmp_path / "back" / "data"), made.begun) == copy


def duckdb(folder: Path) -> ArchivedReadings:
    return DuckDBReadingStore(folder / "readings.duckdb", lambda: datetime.now(UTC))


def on_servers(stack: ExitStack, folder: Path) -> dict[str, object]:
    """Return the settings of a machine on servers that were started for it."""
    (folder / "influx").mkdir()
    influx, postgres = influxdb(folder / "influx"), postgresql(folder / "postgres", durable=False)
    stack.callback(postgres.remove)
    for server in (influx, postgres):
        server.start()
    stack.callback(influx.stop)
    return {
        "READINGS__STORE": "influxdb",
        "READINGS__INFLUX__URL": f"http://127.0.0.1:{influx.port}",
        "READINGS__INFLUX__BUCKET": "odecet",
        "RECORDS__URL": postgres.url,
    }
