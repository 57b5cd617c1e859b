"""A P1 meter that publishes its tariffs alone: over a real broker to the consumption of the point it is assigned to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.mosquitto import mosquitto
from tests.servers.process import ServerProcess, free_port, wait_until

ODECET = Path(sys.executable).parent / "odecet"
FIRST = datetime(2026, 2, 3, tzinfo=UTC)
HOURS = 48
SPAN = "point=p1&from=2026-02-03&to=2026-02-05&zone=UTC"

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


class House:
    """A broker and `odecet run` with its embedded stores in a folder."""

    def __init__(self, folder: Path) -> None:
        self.broker: ServerProcess = mosquitto(folder)
        self.broker.start()
        self.port, self.metrics = free_port(), free_port()
        chosen = {
            "DATA__FOLDER": folder / "data",
            "LOG__LEVEL": "warning",
            "MQTT__PORT": self.broker.port,
            "API__PORT": self.port,
            "ACCESS__OPEN": "true",
            "WORKER__ROLLUP_EVERY_S": 1,
        }
        environment = {**os.environ, **{f"ODECET_{name}": str(value) for name, value in chosen.items()}}
        with (folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen([str(ODECET), "run"], cwd=folder, env=environment, stdout=log, stderr=log)

    def ask(self, path: str, body: object = None) -> str:
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            return (httpx.get(url) if body is None else httpx.post(url, json=body)).text
        except httpx.HTTPError as err:
            return str(err)

    def subscribed(self) -> bool:
        lines = self.ask("/metrics").splitlines()
        return any(line.startswith("odecet_ingest_connected{") and line.endswith(" 1.0") for line in lines)

    def amounts(self, period: str, register: str = "") -> list[float | None]:
        text = self.ask(f"/api/v1/consumption?{SPAN}&period={period}&register={register}")
        points = json.loads(text)["points"] if text.startswith('{"') and "points" in text else []
        return [value["amount"] for point in points for value in point["values"]]

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.broker.stop()
        assert code == 0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.end()


def dials() -> tuple[np.ndarray, np.ndarray]:
    """Return two dials [kWh] by quarter-hour: low by night, high by day."""
    steps = np.round(np.random.default_rng(8).uniform(0.05, 3.0, HOURS * 4), 3)
    night = (np.arange(HOURS * 4) // 4 % 24 < 7) | (np.arange(HOURS * 4) // 4 % 24 >= 22)
    low, high = np.where(night, steps, 0.0), np.where(night, 0.0, steps)
    return 1_200.5 + np.concatenate([[0], np.cumsum(low)]), 845.25 + np.concatenate([[0], np.cumsum(high)])


def publish(port: int, low: np.ndarray, high: np.ndarray) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="dsmr-reader")
    client.connect("127.0.0.1", port)
    client.loop_start()
    for n in range(len(low)):
        said = {
            "timestamp": (FIRST + timedelta(minutes=15 * n)).isoformat().replace("+00:00", "Z"),
            "electricity_delivered_1": f"{low[n]:.3f}",
            "electricity_delivered_2": f"{high[n]:.3f}",
            "electricity_returned_1": "0.000",
            "electricity_returned_2": "0.000",
            "electricity_currently_delivered": "0.500",
        }
        client.publish("dsmr/json", json.dumps(said), qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def test_a_day_of_a_p1_meter_is_the_sum_of_its_tariffs(house: House) -> None:
    wait_until(house.subscribed, what="the ingester's session", seconds=90)
    for kind, body in (
        ("organisations", {"id": "o", "name": "Kraj"}),
        ("buildings", {"id": "b", "organisation": "o", "name": "Škola"}),
        ("points", {"id": "p1", "building": "b", "name": "Elektřina", "commodity": "electricity"}),
    ):
        answer = house.ask(f"/api/v1/{kind}", body)
        assert '"id"' in answer, answer
    low, high = dials()
    publish(house.broker.port, low, high)
    wait_until(lambda: f'"count":{len(low)}' in house.ask("/api/v1/inbox"), what="the inbox", seconds=60)
    answer = house.ask("/api/v1/inbox/dsmr/assign", {"point": "p1"})
    assert '"id":"p1/1"' in answer, answer
    expected = [float(np.ptp(low[d * 96 : d * 96 + 97]) + np.ptp(high[d * 96 : d * 96 + 97])) for d in (0, 1)]
    wait_until(lambda: house.amounts("day") == pytest.approx(expected, abs=1e-9), what="both days", seconds=60)
    for period in ("quarter-hour", "hour", "day"):
        whole = np.array(house.amounts(period), float)
        parts = [np.array(house.amounts(period, f"energy.import/t{n}"), float) for n in (1, 2)]
        np.testing.assert_allclose(whole, parts[0] + parts[1], rtol=0, atol=1.1e-9)
        assert whole.sum() == pytest.approx(sum(expected), abs=1e-9)
    assert house.amounts("day", "energy.export") == [0.0, 0.0]
