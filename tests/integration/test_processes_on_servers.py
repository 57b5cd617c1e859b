"""Ingest, worker and API as processes of their own over Mosquitto, InfluxDB and PostgreSQL, as compose runs them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers.influx import influxdb
from tests.servers.mosquitto import mosquitto
from tests.servers.postgres import PostgresServer, postgresql
from tests.servers.process import ServerProcess, free_port, wait_until

ODECET = Path(sys.executable).parent / "odecet"
DAY = "/api/v1/consumption?point=p1&period=day&from=2026-02-01&to=2026-02-03&zone=UTC"
REGISTER = {
    "organisations": "Identifikátor;Název\no;Kraj\n",
    "buildings": "Identifikátor;Organizace;Název\nb;o;Škola\n",
    "points": "Identifikátor;Budova;Název;Komodita\np1;b;Elektřina;elektřina\n",
    "meters": "Identifikátor;Odběrné místo;Zařízení;Namontováno\nm1;p1;dev-1;01.01.2026\n",
}

pytestmark = [pytest.mark.server, pytest.mark.fault, pytest.mark.timeout(300)]


class Deployment:
    """Three servers and three processes in a folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        (folder / "influx").mkdir()
        self.folder = folder
        self.influx: ServerProcess = influxdb(folder / "influx")
        self.broker: ServerProcess = mosquitto(folder / "mosquitto")
        self.postgres: PostgresServer = postgresql(folder / "postgres")
        stack.callback(self.postgres.remove)
        for server in (self.influx, self.broker, self.postgres):
            server.start()
            stack.callback(server.stop)
        self.api, self.metrics = free_port(), free_port()
        self.processes = {name: self.start(name) for name in ("ingest", "worker", "api")}
        stack.callback(self.end)

    def environment(self) -> dict[str, str]:
        chosen = {
            "DATA__FOLDER": self.folder / "data",
            "LOG__LEVEL": "warning",
            "MQTT__PORT": self.broker.port,
            "READINGS__STORE": "influxdb",
            "READINGS__INFLUX__URL": f"http://127.0.0.1:{self.influx.port}",
            "READINGS__INFLUX__BUCKET": "odecet",
            "RECORDS__URL": self.postgres.url,
            "API__PORT": self.api,
            "ACCESS__OPEN": "true",
            "WORKER__ROLLUP_EVERY_S": 1,
        }
        return {**os.environ, **{f"ODECET_{name}": str(value) for name, value in chosen.items()}}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        more = {"ODECET_METRICS__PORT": str(self.metrics)} if name == "ingest" else {}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [str(ODECET), name], cwd=self.folder, env={**self.environment(), **more}, stdout=log, stderr=log
            )

    def command(self, *words: str) -> None:
        done = subprocess.run(
            [str(ODECET), *words], cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def ask(self, path: str, port: int | None = None) -> Any:  # noqa: ANN401 - whatever JSON says
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.api}{path}", timeout=20) as answer:
                return answer.read().decode()
        except (OSError, urllib.error.HTTPError) as err:
            return str(err)

    def ready(self) -> bool:
        return '"ready":true' in self.ask("/ready")

    def subscribed(self) -> bool:
        lines = self.ask("/metrics", self.metrics).splitlines()
        return any(line.startswith("odecet_ingest_connected{") and line.endswith(" 1.0") for line in lines)

    def amounts(self) -> list[float | None]:
        text = self.ask(DAY)
        points = json.loads(text)["points"] if text.startswith("{") else []
        return [value["amount"] for point in points for value in point["values"]]

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: process.wait(timeout=60) for name, process in self.processes.items()}
        assert codes == {"ingest": 0, "worker": 0, "api": 0}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as stack:
        yield Deployment(tmp_path, stack)


def test_readings_become_consumption_over_three_processes_and_servers_that_are_killed(deployment: Deployment) -> None:
    wait_until(deployment.ready, what="the API", seconds=90)
    wait_until(deployment.subscribed, what="the ingester's session", seconds=90)
    for name, text in REGISTER.items():
        (deployment.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        deployment.command("import", f"{name}.csv")
    rows = "".join(f"2026-02-{d:02d}T{h:02d}:00:00Z,{d + h / 10:.1f}\n" for d in (1, 2) for h in range(24))
    (deployment.folder / "amounts.csv").write_text("at,dev-1\n" + rows, encoding="utf-8")
    deployment.command("replay", "amounts.csv", "--unit", "kWh", "--port", str(deployment.broker.port))
    expected = pytest.approx([sum(d + h / 10 for h in range(24)) for d in (1, 2)])
    wait_until(lambda: deployment.amounts() == expected, what="both days", seconds=90)
    for server in (deployment.influx, deployment.postgres):
        server.kill()
        assert "503" in deployment.ask("/ready")
        server.start()
        wait_until(deployment.ready, what="the API after a kill", seconds=60)
        assert deployment.amounts() == expected
