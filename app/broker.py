"""The embedded broker: for trying out and for tests. It keeps nothing over a restart (decision 0005)."""

from iotcore import Broker

from core.errors import ConfigError

MOST_PAYLOAD = 16 * 2**20
MOST_IN_FLIGHT = 5_000


class EmbeddedBroker:
    """An MQTT 3.1.1 broker in a child process, on loopback."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._broker: Broker | None = None

    def start(self) -> None:
        """Start it; raise ConfigError where the port is taken."""
        broker = Broker(
            port=self.port, listen=self.host, max_payload_size=MOST_PAYLOAD, max_inflight_count=MOST_IN_FLIGHT
        )
        try:
            broker.start()
        except OSError as err:
            raise ConfigError(
                f"mqtt.port: the embedded broker cannot listen on {self.host}:{self.port} ({err});"
                " set another port, or mqtt.embedded = false to use the broker that is there"
            ) from err
        self._broker = broker

    def close(self) -> None:
        """Stop it; may be called twice."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
