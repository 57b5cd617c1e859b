"""Publishing over MQTT, QoS 1: every message until its PUBACK, over restarts of the broker.

paho's thread only tells what happened (connected, disconnected, acknowledged); all decisions are taken by the thread
that publishes. A broker that is killed may forget what it acknowledged in its last seconds, so after a lost connection
those messages are sent again too: whoever reads them writes idempotently.
"""

import os
import queue
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from core.errors import InputError, OdecetError
from simulators.payload import Message

_MAX_WINDOW: Final = 10_000
_LONGEST_PAUSE_S: Final = 30
_LAST_WORDS_S: Final = 2.0
_FOR_GOOD: Final = ("not authorized", "bad user name or password", "client identifier not valid", "unsupported")


class BrokerRefused(OdecetError):
    """The broker will not take us, or stayed away longer than was to be waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to publish; `ca_file` is given for TLS (or "system" for the system's authorities)."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


class _Connected(NamedTuple):
    generation: int


class _Disconnected(NamedTuple):
    reason: str


class _Refused(NamedTuple):
    reason: str


class _Acked(NamedTuple):
    generation: int
    mid: int


class _Kept(NamedTuple):
    """A message that the broker has acknowledged not long ago."""

    acked_s: float
    number: int
    message: Message


class MqttPublisher:
    """Publishes messages in order; at most `window` are unacknowledged.

    `keep_for_s` and `keep_bytes` bound what is sent again after a lost connection though it was acknowledged.
    BrokerRefused is raised after `patience_s` without a connection, and where the broker ended `fruitless` connections
    running without an acknowledgement (it does so to messages above its limit). Not for several threads at once.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str = "",
        window: int = 500,
        keep_for_s: float = 10.0,
        keep_bytes: int = 32_000_000,
        patience_s: float = 3600.0,
        fruitless: int = 20,
    ) -> None:
        if not 1 <= window <= _MAX_WINDOW:
            raise InputError(f"window {window} cannot be", remedy=f"write 1 to {_MAX_WINDOW}")
        self.broker = broker
        self.window = window
        self.keep_for_s = keep_for_s
        self.keep_bytes = keep_bytes
        self.patience_s = patience_s
        self.fruitless = fruitless
        self.acked = 0
        self.acked_readings = 0
        self.resent = 0
        self.cursor = ""
        self._client_id = client_id
        self._client: Client | None = None
        self._events: queue.SimpleQueue[_Connected | _Disconnected | _Refused | _Acked] = queue.SimpleQueue()
        self._connections = 0  # counted by paho's thread
        self._generation = 0  # the connection that we publish on; 0 for none
        self._away_since = 0.0
        self._in_vain = 0  # connections since the last acknowledgement
        self._number = 0
        self._told = 0  # all numbers up to this one are acknowledged
        self._ahead: dict[int, str] = {}  # acknowledged beyond it, with their cursors
        self._pending: OrderedDict[int, Message] = OrderedDict()
        self._unsent: deque[int] = deque()
        self._mids: dict[int, int] = {}
        self._kept: deque[_Kept] = deque()
        self._kept_bytes = 0

    def start(self) -> None:
        """Begin to connect, in the background, and keep trying."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=MQTTProtocolVersion.MQTTv311)
        if self.broker.username:
            client.username_pw_set(self.broker.username, self.broker.password)
        if self.broker.ca_file:
            client.tls_set(None if self.broker.ca_file == "system" else self.broker.ca_file)
        client.max_inflight_messages_set(2 * _MAX_WINDOW)
        client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._away_since = time.monotonic()
        self._client = client
        client.connect_async(self.broker.host, self.broker.port, keepalive=20)
        client.loop_start()

    def close(self) -> None:
        """Disconnect; what is unacknowledged is not waited for (see `drain`). May be called twice."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """The number of messages taken and not yet acknowledged."""
        return len(self._pending)

    def offer(self, message: Message) -> bool:
        """Take a message and return True, or return False while the window is full: `turn` and offer it again."""
        if len(self._pending) >= self.window:
            self.turn(0.0)
            if len(self._pending) >= self.window:
                return False
        self._number += 1
        self._pending[self._number] = message
        self._unsent.append(self._number)
        self._send()
        return True

    def turn(self, wait_s: float) -> None:
        """Take in what has happened, waiting up to `wait_s` for something to happen, and send what may be sent."""
        with suppress(queue.Empty):
            self._take_in(self._events.get(timeout=wait_s) if wait_s > 0 else self._events.get_nowait())
            while True:
                self._take_in(self._events.get_nowait())
        self._send()
        if not self._generation and time.monotonic() - self._away_since > self.patience_s:
            place = f"{self.broker.host}:{self.broker.port}"
            raise BrokerRefused(f"no connection to the broker at {place} for {self.patience_s:.0f} s; is it running?")

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is acknowledged; return whether it is."""
        deadline = time.monotonic() + timeout_s
        while self._pending and time.monotonic() < deadline:
            self.turn(0.1)
        return not self._pending

    def _send(self) -> None:
        while self._generation and self._unsent and self._client is not None:
            number = self._unsent[0]
            message = self._pending[number]
            info = self._client.publish(message.topic, message.payload, qos=1)
            if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return  # the connection is gone or paho is full: paho tells, and then it is sent again
            self._mids[info.mid] = number
            self._unsent.popleft()

    def _take_in(self, event: _Connected | _Disconnected | _Refused | _Acked) -> None:
        match event:
            case _Acked(generation, mid):
                number = self._mids.pop(mid, None) if generation == self._generation else None
                if number is not None:
                    self._in_vain = 0
                    self._settle(number)
            case _Connected(generation):
                self._again(generation)
            case _Disconnected():
                self._away_since = time.monotonic() if self._generation else self._away_since
                self._generation = 0
            case _Refused(reason):
                self._refused(reason)

    def _refused(self, reason: str) -> None:
        if reason.lower().startswith(_FOR_GOOD):
            place = f"{self.broker.host}:{self.broker.port}"
            raise BrokerRefused(f"the broker at {place} says: {reason}; check user name and password")

    def _again(self, generation: int) -> None:
        """Send on a new connection all that is unacknowledged, and before it what the old broker may have forgotten."""
        self._in_vain += 1 if self._mids else 0
        if self._in_vain > self.fruitless:
            largest = max(len(message.payload) for message in self._pending.values())
            raise BrokerRefused(
                f"the broker at {self.broker.host}:{self.broker.port} ended {self._in_vain} connections without an "
                f"acknowledgement; does it take messages of {largest} bytes?"
            )
        self._forget_old()
        self.resent += len(self._kept) + len(self._mids)
        before = {kept.number: kept.message for kept in self._kept}
        self._pending = OrderedDict(sorted({**before, **self._pending}.items()))
        self._kept.clear()
        self._kept_bytes = 0
        self._mids.clear()
        self._unsent = deque(self._pending)
        self._generation = generation

    def _settle(self, number: int) -> None:
        """Note an acknowledgement; the cursor moves on to the first number that is unacknowledged."""
        message = self._pending.pop(number)
        if number > self._told and number not in self._ahead:
            self.acked += 1
            self.acked_readings += message.readings
            self._ahead[number] = message.cursor
        self._kept.append(_Kept(time.monotonic(), number, message))
        self._kept_bytes += len(message.payload)
        self._forget_old()
        while self._told + 1 in self._ahead:
            self._told += 1
            self.cursor = self._ahead.pop(self._told) or self.cursor

    def _forget_old(self) -> None:
        """Let go of acknowledged messages that are older than was asked to keep, reckoned while connected."""
        limit = (time.monotonic() if self._generation else self._away_since) - self.keep_for_s
        while self._kept and (self._kept[0].acked_s < limit or self._kept_bytes > self.keep_bytes):
            self._kept_bytes -= len(self._kept.popleft().message.payload)

    def _on_connect(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:  # noqa: ANN401 - paho's form
        if reason.is_failure:
            self._events.put(_Refused(str(reason)))
            return
        client.drop_out_messages()  # we send them again ourselves, in our order
        self._connections += 1
        self._events.put(_Connected(self._connections))

    def _on_disconnect(self, _: Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:  # noqa: ANN401 - paho's form
        self._events.put(_Disconnected(str(reason)))

    def _on_publish(self, _: Client, __: Any, mid: int, ___: Any, ____: Any) -> None:  # noqa: ANN401 - paho's form
        self._events.put(_Acked(self._connections, mid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a run: messages and readings acknowledged, messages sent again, where to go on."""

    messages: int
    readings: int
    resent: int
    cursor: str
    cancelled: bool


def publish_all(
    publisher: MqttPublisher,
    messages: Iterable[Message],
    *,
    keep: Callable[[str], None] = lambda _: None,
    progress: Callable[[Published], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    tell_every_s: float = 0.5,
) -> Published:
    """Publish messages until their acknowledgement; stop between two of them where `cancelled` says so.

    `keep` gets the cursor up to which all is acknowledged, `progress` the state; both now and then and at the end.
    """
    teller = _Teller(publisher, keep, progress, tell_every_s)
    stopped = False
    for message in messages:
        while not (stopped := cancelled()) and not publisher.offer(message):
            publisher.turn(0.1)
            teller.now_and_then()
        if stopped:
            break
        teller.now_and_then()
    while publisher.waiting:
        publisher.turn(0.1)
        teller.now_and_then()
        if stopped or (stopped := cancelled()):
            publisher.drain(_LAST_WORDS_S)
            break
    return teller.tell(cancelled=stopped)


class _Teller:
    """Tells cursor and progress, not too often."""

    def __init__(
        self,
        publisher: MqttPublisher,
        keep: Callable[[str], None],
        progress: Callable[[Published], None],
        every_s: float,
    ) -> None:
        self._publisher = publisher
        self._keep = keep
        self._progress = progress
        self._every_s = every_s
        self._cursor = ""
        self._last_s = time.monotonic()

    def now_and_then(self) -> None:
        if time.monotonic() - self._last_s >= self._every_s:
            self.tell(cancelled=False)

    def tell(self, *, cancelled: bool) -> Published:
        self._last_s = time.monotonic()
        own = self._publisher
        if own.cursor != self._cursor:
            self._keep(own.cursor)
            self._cursor = own.cursor
        state = Published(
            messages=own.acked, readings=own.acked_readings, resent=own.resent, cursor=own.cursor, cancelled=cancelled
        )
        self._progress(state)
        return state


@dataclass(frozen=True, slots=True)
class CursorFile:
    """A cursor in a small file, replaced whole, so that a crash leaves the old one or the new one."""

    path: Path

    def read(self) -> str:
        """Return the kept cursor, empty where there is none."""
        return self.path.read_text(encoding="utf-8").strip() if self.path.exists() else ""

    def keep(self, cursor: str) -> None:
        """Keep the cursor durably."""
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("w", encoding="utf-8") as out:
            out.write(cursor)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.path)
