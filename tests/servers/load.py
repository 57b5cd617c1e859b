"""Meters that publish at a steady rate, and now and then correct what they said, until told to stop."""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paho.mqtt import client as paho

from core.registry import Building, Commodity, Entity, Meter, Organisation, Point

BASE = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
BATCH = 50


@dataclass
class Load:
    """Publishes `per_second` readings of `meters` meters over QoS 1, a quarter of an hour apart, 50 a message.

    Each fifth message of a meter says the readings of the one before again, with other values. `said` is what was
    acknowledged last of each (meter, number).
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
        again = turn % 5 == 4
        first = (turn - turn // 5 - again) * BATCH
        name = self.names[meter]
        # a corrected dial stands a thousandth of a step higher, so that it still rises to the next
        values = {n: n * 0.1 * (meter + 1) + (0.0001 if again else 0.0) for n in range(first, first + BATCH)}
        rows = [{"at": (BASE + n * STEP).isoformat(), "value": value} for n, value in values.items()]
        body = json.dumps({"meter": name, "unit": "kWh", "readings": rows})
        client.publish(f"odecet/{name}", body, qos=1).wait_for_publish(30)
        self.said |= {(name, n): value for n, value in values.items()}
        self.messages += 1

    def register(self) -> list[Entity]:
        """Return a register that has a point for each meter."""
        mounted = BASE - timedelta(days=365)
        kind = Commodity.ELECTRICITY
        return [
            Organisation(id="o", name="Kraj"),
            Building(id="b", organisation="o", name="Škola"),
            *(Point(id=f"p-{name}", building="b", name=name, commodity=kind) for name in self.names),
            *(Meter(id=f"m-{name}", point=f"p-{name}", device=name, mounted=mounted) for name in self.names),
        ]
