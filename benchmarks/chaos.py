"""Three workers, two APIs and an ingester on real servers under load, one of them killed again and again.

What must hold: every recurring job is done by one process at a time and as often as it is due; no reading that the
broker took is lost or changed; the APIs answer as they should, but on the connections of the one that was killed.

    python -m benchmarks.chaos [MINUTES] [SECONDS BETWEEN KILLS]
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, pairwise
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from core.calendar import instant
from core.readings import SeriesKey
from storage.influx_readings import InfluxReadingStore
from storage.records import SqlRecordStore
from tests.servers.influx import influxdb
from tests.servers.load import BASE, STEP, Load
from tests.servers.mosquitto import mosquitto
from tests.servers.postgres import postgresql
from tests.servers.process import free_port, wait_until

ODECET: Final = Path(sys.executable).parent / "odecet"
TOKEN: Final = "0123456789abcdef-of-the-chaos"  # noqa: S105 - of processes that live as long as this one
WORKERS, APIS, KINDS = 3, 2, 3
EVERY_S: Final = {"rollups": 2.0, "alerts": 5.0, "backup": 36.0}
"""How often work is due here [s]."""
LEASE_S: Final = 20.0
LOOKED_EVERY_S: Final = 15.0
"""How long the others rest between two looks at the most [s], where the work itself is not due more often."""
SLACK_S: Final = 8.0
"""What a busy machine may add to any of it [s]."""
BEGINS, ENDED = "recurring work begins", "recurring work ended"
FAILED: Final = "recurring work failed and is tried again"
EARLY_S: Final = 1.0
"""By how much two turns may seem too near [s]: the log is written after the database's clock gave the turn."""
EVER: Final = (np.datetime64("1990-01-01", "us"), np.datetime64("2100-01-01", "us"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process's turn at a work [s since 1970]; `whole` unless it was killed or told to stop in the middle."""

    work: str
    process: str
    begin: float
    end: float
    whole: bool


@dataclass
class Asked:
    """What the APIs answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    broken: list[tuple[float, int]] = field(default_factory=list)

    def note(self, port: int, answer: httpx.Response | None) -> None:
        """Take an answer in, or that a connection broke."""
        if answer is None:
            self.broken.append((time.time(), port))
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code != httpx.codes.OK:
            self.wrong.append(f"{datetime.now(UTC):%H:%M:%S} {answer.url} {answer.status_code} {answer.text[:300]}")


@dataclass
class Process:
    """One of ours, which is killed and started again; `away` holds when it was killed and when it was back."""

    name: str
    command: str
    folder: Path
    environment: Mapping[str, str]
    up: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    away: list[tuple[float, float]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, without waiting until it is up."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(ODECET), self.command], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kill it as a power cut would, start it anew and wait until it is back."""
        assert self.process is not None
        killed = time.time()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.start()
        wait_until(self.up, what=f"{self.name} to be back ({self.log})", seconds=90)
        self.away.append((killed, time.time()))

    def end(self) -> None:
        """Tell it to stop."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=90) == 0, self.log


class Fleet:
    """Servers and processes in a folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        (folder / "influx").mkdir()
        self.influx, self.postgres = influxdb(folder / "influx"), postgresql(folder / "postgres")
        self.broker = mosquitto(folder / "mosquitto", changes=100)
        stack.callback(self.postgres.remove)
        for server in (self.influx, self.postgres, self.broker):
            server.start()
        stack.callback(self.influx.stop)
        stack.callback(self.broker.stop)
        self.workers = [self._process(f"worker-{n}", "worker") for n in range(WORKERS)]
        self.apis = [self._process(f"api-{n}", "api") for n in range(APIS)]
        self.ingest = self._process("ingest", "ingest")

    def _process(self, name: str, command: str) -> Process:
        port, metrics = free_port(), free_port()
        chosen = {
            "DATA__FOLDER": self.folder / name,
            "LOG__LEVEL": "debug" if command == "worker" else "info",
            "LOG__FORMAT": "json",
            "MQTT__PORT": self.broker.port,
            "READINGS__STORE": "influxdb",
            "READINGS__INFLUX__URL": f"http://127.0.0.1:{self.influx.port}",
            "READINGS__INFLUX__BUCKET": "odecet",
            "RECORDS__URL": self.postgres.url,
            "API__PORT": port,
            "API__TOKENS__ADMIN": TOKEN,
            "METRICS__PORT": metrics,
            "WORKER__ROLLUP_EVERY_S": EVERY_S["rollups"],
            "ALERTS__SEND_EVERY_S": EVERY_S["alerts"],
            "BACKUP__FOLDER": self.folder / "backups",
            "BACKUP__EVERY_H": EVERY_S["backup"] / 3600,
            "BACKUP__KEEP": 2,
        }
        environment = {**os.environ, **{f"ODECET_{key}": str(value) for key, value in chosen.items()}}
        up = {"ingest": lambda: _connected(metrics), "api": lambda: _answers(port, "/health")}
        self.ports = {**getattr(self, "ports", {}), name: port}
        return Process(name, command, self.folder, environment, up.get(command, lambda: _answers(metrics, "/metrics")))

    @property
    def processes(self) -> list[Process]:
        """All of ours."""
        return [*self.workers, *self.apis, self.ingest]

    def readings(self) -> InfluxReadingStore:
        """Return the store of readings, started."""
        store = InfluxReadingStore(f"http://127.0.0.1:{self.influx.port}", bucket="odecet", timeout_s=60.0)
        store.start()
        return store


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _connected(port: int) -> bool:
    try:
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text.splitlines()
    except httpx.HTTPError:
        return False
    return any(line.startswith("odecet_ingest_connected{") and line.endswith(" 1.0") for line in lines)


class Asker(threading.Thread):
    """Asks one API after the other, as a person with several pages open would."""

    PATHS = (
        "/api/v1/points?limit=20",
        "/api/v1/consumption?point=p-load-01&period=day&from=2026-01-01&to=2026-01-08&zone=UTC",
        "/api/v1/alerts",
        "/ready",
    )

    def __init__(self, ports: Sequence[int], stop: threading.Event) -> None:
        super().__init__(name="asker")
        self.asked = Asked()
        self._ports, self._stop_asking = ports, stop

    def run(self) -> None:
        """Ask until told to stop."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with ExitStack() as stack:
            clients = {port: stack.enter_context(httpx.Client(headers=headers, timeout=60)) for port in self._ports}
            for path, port in zip(cycle(self.PATHS), _by_turns(self._ports), strict=False):
                if self._stop_asking.wait(0.05):
                    return
                try:
                    self.asked.note(port, clients[port].get(f"http://127.0.0.1:{port}{path}"))
                except httpx.HTTPError:
                    self.asked.note(port, None)


def _by_turns(ports: Sequence[int]) -> Iterator[int]:
    """Yield ports so that each path meets each of them."""
    while True:
        for port in ports:
            yield from [port] * len(Asker.PATHS)


def runs_of(process: Process) -> Iterator[Run]:
    """Yield the turns that a worker's log tells of."""
    begun: dict[str, float] = {}
    kills = [killed for killed, _ in process.away]
    for line in process.log.read_text("utf-8").splitlines():
        told = json.loads(line)
        if told.get("event") not in {BEGINS, ENDED, FAILED}:
            continue
        at, work = datetime.fromisoformat(told["at"]).timestamp(), told["work"]
        if told["event"] != BEGINS:
            if work in begun:  # what fails to be taken fails without having begun
                whole = told["event"] == ENDED
                yield Run(work=work, process=process.name, begin=begun.pop(work), end=at, whole=whole)
            continue
        if work in begun:  # it was killed, failed or told to stop in between
            yield _cut(process, work, begun[work], kills, at)
        begun[work] = at
    for work, begin in begun.items():
        yield _cut(process, work, begin, kills, begin)


def _cut(process: Process, work: str, begin: float, kills: Sequence[float], before: float) -> Run:
    end = next((killed for killed in kills if begin <= killed), before)
    return Run(work=work, process=process.name, begin=begin, end=end, whole=False)


def check_runs(runs: Sequence[Run], until: float) -> list[str]:
    """Return what was done twice at once, too early or too late."""
    wrong = []
    for work in sorted({run.work for run in runs}):
        mine = sorted((run for run in runs if run.work == work), key=lambda run: run.begin)
        every = EVERY_S.get(work, 0.0)
        for one, following in pairwise(mine):
            if following.begin < one.end - 0.005:
                wrong.append(f"{work}: {following.process} began while {one.process} was at it")
            if one.whole and following.begin < one.begin + every - EARLY_S:
                wrong.append(
                    f"{work}: {following.process} came {following.begin - one.begin:.2f} s after the last begin"
                )
        wrong += [
            f"{work}: not begun for {late:.1f} s"
            for one, following in pairwise([*mine, None])
            if every and (late := _late(one, following, every, until)) > 0
        ]
    return wrong


def _late(one: Run | None, following: Run | None, every: float, until: float) -> float:
    """Return for how long a work was not begun, where that is too long [s], else 0."""
    assert one is not None
    begin = until if following is None else following.begin
    due = max(one.end, one.begin + every) if one.whole else one.end
    allowed = due + min(every, LOOKED_EVERY_S) + (0.0 if one.whole else LEASE_S) + SLACK_S
    return begin - one.end if begin > allowed else 0.0


def check_answers(asked: Asked, fleet: Fleet) -> list[str]:
    """Return the answers that should not have been, and the connections that broke without a kill."""
    away = {fleet.ports[api.name]: api.away for api in fleet.apis}
    lost = [
        f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} connection to {port} broke without a kill"
        for at, port in asked.broken
        if not any(killed - 1 <= at <= back + 1 for killed, back in away[port])
    ]
    return asked.wrong + lost


def check_readings(fleet: Fleet, load: Load) -> list[str]:
    """Return the readings that were lost or changed."""
    store, wrong = fleet.readings(), []
    for name in load.names:
        found = store.read([SeriesKey(name, "energy.total")], *EVER)
        held = dict(zip(found.at.tolist(), found.value.tolist(), strict=True))
        said = {instant(BASE + n * STEP).item(): value for (meter, n), value in load.said.items() if meter == name}
        wrong += [f"{name} {at}: {held.get(at)} for {value}" for at, value in said.items() if held.get(at) != value]
        wrong += [f"{name} {at}: nobody said it" for at in held.keys() - said.keys()]
    store.close()
    return wrong


def check_sums(fleet: Fleet, load: Load) -> list[str]:
    """Return the points whose days do not add up to what their dial counted; wait for roll-ups to come after."""
    last = {name: max(n for meter, n in load.said if meter == name) for name in load.names}
    end = (BASE + (max(last.values()) + 1) * STEP + timedelta(days=1)).date()
    points = "&".join(f"point=p-{name}" for name in load.names)
    path = f"/api/v1/consumption?{points}&period=year&from=2026-01-01&to={end}&zone=UTC"
    expected = {f"p-{name}": load.said[name, n] - load.said[name, 0] for name, n in last.items()}
    found: dict[str, float] = {}

    def complete() -> bool:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        got = httpx.get(f"http://127.0.0.1:{fleet.ports['api-0']}{path}", headers=headers, timeout=60).json()
        found.update({p["point"]: sum(v["amount"] or 0 for v in p["values"]) for p in got["points"]})
        return all(abs(found[point] - amount) < 1e-6 for point, amount in expected.items())

    wait_until(complete, what="roll-ups of all that came", seconds=120)
    return [] if complete() else [f"{point}: {found[point]} for {amount}" for point, amount in expected.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it."""

    kills: int
    runs: Sequence[Run]
    answers: Counter[int]
    broken: int
    readings: int
    wrong: Sequence[str]

    def lines(self) -> list[str]:
        """Return it in words."""
        works = sorted({run.work for run in self.runs})
        turns = {work: [run for run in self.runs if run.work == work] for work in works}
        return [
            f"{self.kills} kills, {self.readings} readings",
            f"answers {dict(self.answers)}, {self.broken} broken connections",
            *(
                f"{work}: {len(mine)} turns ({sum(not run.whole for run in mine)} cut short) in "
                f"{len({run.process for run in mine})} processes"
                for work, mine in turns.items()
            ),
            *(self.wrong or ["nothing was lost, doubled or wrong"]),
        ]


def chaos(folder: Path, *, seconds: float, every_s: float, per_second: int) -> Told:
    """Run it in a folder: for some time [s] and one kill of each kind at least, each so often [s], under a load."""
    with ExitStack() as stack:
        fleet = Fleet(folder, stack)
        load = Load(fleet.broker.port, per_second=per_second)
        records = SqlRecordStore(fleet.postgres.url)
        records.start()
        records.save(load.register(), by="chaos", now=BASE)
        records.close()
        for process in fleet.processes:
            process.start()
        for process in fleet.processes:
            wait_until(process.up, what=f"{process.name} ({process.log})", seconds=120)
        stop = threading.Event()
        askers = [Asker([fleet.ports[api.name] for api in fleet.apis][::turn], stop) for turn in (1, -1)]
        load.start()
        stack.callback(load.stop)
        for asker in askers:
            asker.start()
        stack.callback(stop.set)
        (w0, w1, w2), (a0, a1) = fleet.workers, fleet.apis
        began, victims, kills = time.time(), cycle([w0, a0, fleet.ingest, w1, a1, w2]), 0
        while time.time() < began + seconds or kills < KINDS:
            threading.Event().wait(max(began + (kills + 1) * every_s - time.time(), 0))
            next(victims).kill()
            kills += 1
        load.stop()
        until = time.time()
        wait_until(lambda: not check_readings(fleet, load), what="all readings to be stored", seconds=120)
        wrong = check_readings(fleet, load) + check_sums(fleet, load)
        stop.set()
        for asker in askers:
            asker.join()
        for process in fleet.processes:
            process.end()
        runs = [run for worker in fleet.workers for run in runs_of(worker)]
        asked = [asker.asked for asker in askers]
        wrong += check_runs(runs, until) + [text for one in asked for text in check_answers(one, fleet)]
        return Told(
            kills=kills,
            runs=runs,
            answers=sum((one.statuses for one in asked), Counter()),
            broken=sum(len(one.broken) for one in asked),
            readings=len(load.said),
            wrong=wrong,
        )


def run() -> None:
    """Print what came of it; the arguments are minutes and the seconds between two kills."""
    given = [float(word) for word in sys.argv[1:] if word.replace(".", "").isdigit()]
    minutes, every_s = [*given, *(10.0, 60.0)[len(given) :]]
    with tempfile.TemporaryDirectory(prefix="odecet-chaos-") as folder:
        told = chaos(Path(folder), seconds=60 * minutes, every_s=every_s, per_second=200)
        print("\n".join(told.lines()))
        assert not told.wrong


if __name__ == "__main__":
    run()
