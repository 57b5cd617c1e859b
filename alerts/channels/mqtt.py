"""Alerts as JSON on MQTT topics, for building management systems; at least once (QoS 1), each with its key."""

import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from alerts.channels.webhook import body_of
from core.sending import Attachment, Outgoing, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker that alerts are published to."""

    host: str
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout_s: float = 30.0


class MqttChannel:
    """Publishes to topics over a connection of its own for each message: alerts are few."""

    repeatable = True

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def send(self, message: Outgoing, attachments: Sequence[Attachment], begin: Callable[[], None]) -> Sent:  # noqa: ARG002 - the port's signature; programs ask the API for charts
        """Publish a message and wait until the broker has acknowledged it."""
        client = self._client()
        answered = threading.Event()
        refusals: list[str] = []

        def connected(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:  # noqa: ANN401 - paho's own
            if reason.is_failure:
                refusals.append(str(reason))
            answered.set()

        client.on_connect = connected
        try:
            client.connect(self._broker.host, self._broker.port)
        except (OSError, ValueError) as err:
            return Sent(recoverable=True, error=f"{self._broker.host}: {err}")
        client.loop_start()
        try:
            if not answered.wait(self._broker.timeout_s) or refusals:
                return Sent(recoverable=True, error=" ".join(refusals) or "the broker does not answer")
            begin()
            return self._published(client, message)
        finally:
            client.disconnect()
            client.loop_stop()

    def _published(self, client: paho.Client, message: Outgoing) -> Sent:
        try:
            handed = client.publish(message.address, body_of(message), qos=1)
        except ValueError as err:
            return Sent(error=f"topic {message.address!r}: {err}")
        with suppress(RuntimeError, ValueError):  # told by is_published below
            handed.wait_for_publish(self._broker.timeout_s)
        return Sent() if handed.is_published() else Sent(recoverable=True, error="the broker did not acknowledge")

    def _client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = self._broker.timeout_s
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls:
            context = ssl.create_default_context(cafile=self._broker.ca_file or None)
            if self._broker.cert_file:
                context.load_cert_chain(self._broker.cert_file, self._broker.key_file or None)
            client.tls_set_context(context)
        return client
