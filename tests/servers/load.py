"""Meters that publish at a steady rate, and now and then correct what they said, until told to stop."""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paho.mqtt import client as paho

BASE = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
BATCH = 50


@dataclass
class Load:
    """Publishes `per_second` readings of `meters` meters over QoS 1, a quarter of an hour apart, 50 a message.

    Each 20th message says 50 earlier readings again, with another value. `said` is what the last message of each
    (meter, number) said; only acknowledged messages count.
    """

    port: int
    per_second: int = 1000
    meters: int = 20
    said: dict[tuple[str, int], float] = field(default_factory=dict)
    messages: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"load-{n:02}" for n in range(self.meters))

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="load")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(500)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        begun = time.monotonic()
        while not self._stop.is_set():
            self._say(client)
            ahead = begun + self.messages * BATCH / self.per_second - time.monotonic()
            self._stop.wait(max(ahead, 0))
        client.disconnect()
        client.loop_stop()

    def _say(self, client: paho.Client) -> None:
        meter, turn = self.messages % self.meters, self.messages // self.meters
        again = turn % 20 == 19
        first = (turn - 1 if again else turn) * BATCH
        name = self.names[meter]
        # a corrected dial stands a thousandth of a step higher, so that it still rises to the next
        values = {n: n * 0.1 * (meter + 1) + (0.0001 if again else 0.0) for n in range(first, first + BATCH)}
        rows = [{"at": (BASE + n * STEP).isoformat(), "value": value} for n, value in values.items()]
        body = json.dumps({"meter": name, "unit": "kWh", "readings": rows})
        client.publish(f"odecet/{name}", body, qos=1).wait_for_publish(30)
        self.said |= {(name, n): value for n, value in values.items()}
        self.messages += 1

    def register(self) -> dict[str, str]:
        """Return CSV files of a register that has a point for each meter, by name of the file."""
        points = "".join(f"p-{name};b;{name};elektřina\n" for name in self.names)
        meters = "".join(f"m-{name};p-{name};{name};01.01.2025\n" for name in self.names)
        return {
            "organisations": "Identifikátor;Název\no;Kraj\n",
            "buildings": "Identifikátor;Organizace;Název\nb;o;Škola\n",
            "points": f"Identifikátor;Budova;Název;Komodita\n{points}",
            "meters": f"Identifikátor;Odběrné místo;Zařízení;Namontováno\n{meters}",
        }
