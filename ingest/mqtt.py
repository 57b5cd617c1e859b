"""Messages from an MQTT broker: QoS 1, a persistent session, acknowledged by hand, never given up.

One thread per connection does all of MQTT; another watches it and puts a new one in its place where it died or hangs.
Every message carries the generation of its connection in its ticket, because message identifiers start anew with each.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from core.calendar import instant, micros
from core.ports import Clock
from ingest.backlog import Backlog
from ingest.keepalive import Speaker
from ingest.message import Message, topic_text
from ingest.mqtt_client import BulkClient
from ingest.mqtt_connection import Connection
from ingest.mqtt_frames import DUP, QOS, RETAIN, Publish
from ingest.mqtt_speak import Voice
from ingest.mqtt_wait import Wait
from ingest.profile import matches
from ingest.source import SourceStatus

log = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 1.0
LONGEST_DELAY_S: Final = 30.0
STABLE_S: Final = 30.0
"""A connection that lived as long was a good one; after a shorter one the wait grows, so that two do not fight."""

CONNACK_S: Final = 10.0
SUBSCRIBE_AGAIN_S: Final = 60.0
SILENT_S: Final = 60.0
WATCHED_EVERY_S: Final = 1.0
CLOSE_S: Final = 10.0
TOPICS_A_PACKET: Final = 500
MID_BITS: Final = 16
MID_MASK: Final = 0xFFFF
CACHED_TOPICS: Final = 100_000
TAKEN_OVER: Final = 0x8E


@dataclass(frozen=True, slots=True)
class Following:
    """Topics that are followed beside the connection's filters, and those `gone`, that the session may still hold."""

    topics: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def then(self, topics: Sequence[str], former: Sequence[str], filters: Sequence[str]) -> "Following":
        """Return what is followed after this, without what the filters cover."""
        wanted = frozenset(t for t in topics if t in self.topics or not any(matches(f, t) for f in filters))
        return Following(wanted, (self.gone | self.topics | frozenset(former)) - wanted - frozenset(filters))


class MqttSource:
    """Puts the messages of a broker into a backlog. Nothing that happens makes it end, only close()."""

    def __init__(
        self, connection: Connection, *, backlog: Backlog, clock: Clock, speakers: Sequence[Speaker] = ()
    ) -> None:
        self._connection = connection
        self._backlog = backlog
        self._clock = clock
        self._voice = Voice(speakers, clock)
        self._generations = itertools.count(1)
        self._loop: _Loop | None = None
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()
        self._changing = threading.Lock()  # while a loop is made or told what to follow: one being made would miss it
        self._paused = False
        self._restarts = 0
        self._following = Following()
        backlog.on_room(self._wake)

    @property
    def topics(self) -> tuple[str, ...]:
        """The filters that are subscribed to."""
        return self._connection.topics

    @property
    def followed(self) -> frozenset[str]:
        """The topics that are followed beside the filters, as far as the connection has asked for them."""
        loop = self._loop
        return frozenset() if loop is None else loop.asked_for

    def forget(self, topics: Sequence[str]) -> None:
        """Have filters of a former run unsubscribed at every connection; to be called before start()."""
        former = tuple(topic for topic in dict.fromkeys(topics) if topic not in self._connection.topics)
        self._connection = replace(self._connection, former_topics=former)

    def start(self) -> None:
        """Begin to take messages; returns at once, also where the broker is absent."""
        self._closing.clear()
        self._paused = False
        with self._changing:
            self._loop = self._new_loop()
        self._watcher = threading.Thread(target=self._watch, name="mqtt-watch", daemon=True)
        self._watcher.start()

    def pause(self) -> None:
        """Take no more messages, but go on acknowledging."""
        self._paused = True
        if self._loop is not None:
            self._loop.paused = True
            self._wake()

    def close(self) -> None:
        """Send what acknowledgements there are, and end; may be called twice."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        if self._loop is not None:
            self._loop.close()
            self._loop.thread.join(2 * CLOSE_S)

    def ack(self, tickets: Sequence[int]) -> None:
        """Acknowledge messages by their tickets; those of a former connection are passed over. Never raises."""
        loop = self._loop
        if loop is not None:
            loop.acks.append(tickets)
            loop.wait.wake()

    def follow(self, topics: Sequence[str], *, former: Sequence[str] = ()) -> None:
        """Subscribe to these topics beside the filters of the connection; see ingest.source.Source."""
        to = self._connection
        with self._changing:
            self._following = self._following.then(topics if to.follows else (), former, to.topics)
            if self._loop is not None:
                self._loop.following = self._following
        self._wake()

    def status(self) -> SourceStatus:
        """Return how it fares."""
        if self._loop is None:
            return SourceStatus(name=self._connection.client_id, state="stopped")
        return replace(self._loop.status(), restarts=self._restarts, paused=self._paused)

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            loop.wait.wake()

    def _new_loop(self, former: "_Loop | None" = None) -> "_Loop":
        loop = _Loop(self._connection, backlog=self._backlog, clock=self._clock, generations=self._generations)
        loop.paused = self._paused
        loop.following = self._following
        loop.voice = self._voice
        if former is not None:
            loop.inherit(former)
        loop.thread.start()
        return loop

    def _watch(self) -> None:
        """Replace a loop that died, or that does not come round any more; have said what is due."""
        while not self._closing.wait(WATCHED_EVERY_S):
            if self._voice.gather():
                self._wake()
            loop = self._loop
            if loop is None or (loop.thread.is_alive() and time.monotonic() - loop.beat < SILENT_S):
                continue
            log.error("the MQTT loop died or hangs; starting another", extra={"client": self._connection.client_id})
            self._restarts += 1
            loop.abandon()
            with self._changing:
                self._loop = self._new_loop(loop)


class _Loop:
    """A thread that connects, serves the connection, and connects again."""

    def __init__(
        self, connection: Connection, *, backlog: Backlog, clock: Clock, generations: "itertools.count[int]"
    ) -> None:
        self._connection = connection
        self._backlog = backlog
        self._clock = clock
        self._generations = generations
        self._generation = 0
        self._client: BulkClient | None = None
        self._stopped = False
        self._closing = False
        self._refused: dict[str, str] = {}
        self._asked: dict[int, list[str]] = {}
        self._subscribe_at = float("inf")
        self._connected_at: float | None = None
        self._topics: dict[bytes, str] = {}
        self._status = SourceStatus(name=connection.client_id, state="connecting")
        self._explained = False
        self._received = 0
        self._connects = 0
        self.paused = False
        self.following = self._followed = Following()
        self.voice = Voice((), clock)
        self.acks: deque[Sequence[int]] = deque()
        self.beat = time.monotonic()
        self.wait = Wait()
        self.thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def inherit(self, former: "_Loop") -> None:
        """Go on counting where a former loop ended."""
        self._received, self._connects = former._received, former._connects  # noqa: SLF001 - same class

    def close(self) -> None:
        """End after the acknowledgements are sent."""
        self._closing = True
        self.wait.wake()

    def abandon(self) -> None:
        """End without more ado: another takes over."""
        self._stopped = self._closing = True
        client = self._client
        if client is not None:
            client.end()
        if self.thread.is_alive():
            self.wait.wake()
        else:
            self.wait.close()

    @property
    def asked_for(self) -> frozenset[str]:
        waiting = {topic for topics in list(self._asked.values()) for topic in topics} | set(self._refused)
        return self._followed.topics - waiting if self._connected_at is not None else frozenset()

    def status(self) -> SourceStatus:
        detail = "; ".join(filter(None, (self._status.detail, *(f"{t}: {r}" for t, r in self._refused.items()))))
        return replace(self._status, detail=detail, received=self._received, connects=self._connects)

    def _state(self, state: str, detail: str = "") -> None:
        since = self._clock() if state != self._status.state else self._status.since
        self._status = replace(self._status, state=state, detail=detail, since=since)

    def _run(self) -> None:
        delay = FIRST_DELAY_S
        while not self._closing:
            self._connected_at = None
            try:
                self._connect()
                self._serve()
            except Exception as err:  # noqa: BLE001 - whatever it is, the way out is to connect again
                self._lost(err)
            finally:
                self._disconnected()
            delay = FIRST_DELAY_S if self._was_stable() else delay
            self._rest(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)
        self._state("stopped")
        self.wait.close()

    def _was_stable(self) -> bool:
        return self._connected_at is not None and time.monotonic() - self._connected_at >= STABLE_S

    def _lost(self, err: Exception) -> None:
        if not self._explained and not self._stopped:
            self._state("lost", f"{type(err).__name__}: {err}")
        log.warning("MQTT connection lost", extra={"client": self._connection.client_id, "error": str(err)})

    def _disconnected(self) -> None:
        client, self._client = self._client, None
        self.wait.watch(None)
        self.acks.clear()
        if client is not None:
            client.end()

    def _rest(self, seconds: float) -> None:
        """Wait before the next connection, unless it is time to end."""
        until = time.monotonic() + seconds
        while not self._closing and (left := until - time.monotonic()) > 0:
            self.beat = time.monotonic()
            self.wait(min(left, 1.0))

    def _connect(self) -> None:
        self.beat = time.monotonic()
        self._generation = next(self._generations)
        self._refused.clear()
        self._asked.clear()
        to = self._connection
        client = self._client = _new_client(to)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        self._explained = False
        if to.v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = to.session_expiry_s
            properties.ReceiveMaximum = to.receive_maximum
            client.connect(to.host, to.port, to.keepalive_s, clean_start=False, properties=properties)
        else:
            client.connect(to.host, to.port, to.keepalive_s)
        self.wait.watch(client.socket())

    def _serve(self) -> None:
        client = self._client
        if client is None:
            raise ConnectionError("no connection")
        since = time.monotonic()
        while not self._stopped:
            self.beat = time.monotonic()
            self._send_acks(client)
            if self._closing:
                if client.is_connected():
                    self._say_goodbye(client)
                return
            self._take(client)
            self.voice.send(client)
            if not client.is_connected() and self.beat - since > CONNACK_S:
                raise TimeoutError("the broker took the connection but said nothing")
            self._exchange(client)

    def _exchange(self, client: BulkClient) -> None:
        """Wait for something to do with the socket, and do it."""
        reading = not client.is_connected() or self._room() > 0
        ready = self.wait(1.0, read=reading, write=client.want_write())
        if ready.readable:
            client.receive()
        elif ready.hung_up:
            raise ConnectionResetError("the broker closed the connection")
        if client.want_write():
            client.loop_write()
        client.look_after(reading=reading)
        if self.beat > self._subscribe_at:
            self._subscribe(client, list(self._refused))
        if self.following is not self._followed and self._connected_at is not None:
            self._follow(client)

    def _follow(self, client: paho.Client) -> None:
        """Subscribe on the living connection to what is followed newly, unsubscribe what no more."""
        former, now = self._followed, self.following
        self._followed = now
        self._unsubscribe(client, sorted(now.gone - former.gone))
        self._subscribe(client, [t for t in now.topics if t not in former.topics])

    def _room(self) -> int:
        return 0 if self.paused else self._backlog.room()

    def _take(self, client: BulkClient) -> None:
        """Move messages from the connection to the backlog, as many as there is room for."""
        if client.pending:
            packets = client.take(self._room())
            if packets and not self._stopped:
                messages = self._messages(packets)
                self.voice.hear(messages)
                self._backlog.put(messages)
                self._received += len(packets)

    def _messages(self, packets: Sequence[Publish]) -> list[Message]:
        received = int(micros(instant(self._clock())))
        base = self._generation << MID_BITS
        return [
            Message(
                topic=self._topic(raw),
                payload=payload,
                received=received,
                retained=flags & RETAIN != 0,
                ticket=base | mid if flags & QOS else None,
                again=flags & DUP != 0,
            )
            for flags, mid, raw, payload in packets
        ]

    def _topic(self, raw: bytes) -> str:
        topic = self._topics.get(raw)
        if topic is None:
            if len(self._topics) >= CACHED_TOPICS:
                self._topics.clear()
            topic = self._topics[raw] = topic_text(raw)
        return topic

    def _send_acks(self, client: BulkClient) -> None:
        """Acknowledge what is of this connection: the same number meant another message on a former one."""
        while self.acks:
            tickets = self.acks.popleft()
            client.acknowledge([t & MID_MASK for t in tickets if t >> MID_BITS == self._generation])

    def _say_goodbye(self, client: BulkClient) -> None:
        """Tell the broker, and stay until it has read all that was sent: it drops what it finds behind a closed end."""
        until = time.monotonic() + CLOSE_S
        client.announce_end()
        while time.monotonic() < until:
            self.beat = time.monotonic()
            ready = self.wait(0.1, read=True, write=client.want_write())
            if client.want_write():
                client.loop_write()
            if ready.readable and client.discard():
                return

    # Callbacks of paho, called by take() in this thread; what they raise ends the connection, not the thread.

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's form
        if reason.is_failure:
            self._explained = True
            self._state("refused", f"{reason}: check user name, password and client id")
            return
        self._connects += 1
        self._connected_at = time.monotonic()
        self._followed = self.following
        former = {*self._connection.former_topics, *self._followed.gone}
        self._unsubscribe(client, sorted(former - {*self._connection.topics, *self._followed.topics}))
        self._subscribe(client, [*self._connection.topics, *self._followed.topics])

    def _unsubscribe(self, client: paho.Client, topics: Sequence[str]) -> None:
        for n in range(0, len(topics), TOPICS_A_PACKET):
            client.unsubscribe(list(topics[n : n + TOPICS_A_PACKET]))
        for topic in topics:
            self._refused.pop(topic, None)

    def _subscribe(self, client: paho.Client, topics: Sequence[str]) -> None:
        self._subscribe_at = float("inf")
        for n in range(0, len(topics), TOPICS_A_PACKET):
            some = list(topics[n : n + TOPICS_A_PACKET])
            if self._connection.v5:
                _, mid = client.subscribe([(t, SubscribeOptions(qos=1)) for t in some])
            else:
                _, mid = client.subscribe([(t, 1) for t in some])
            if mid is not None:
                self._asked[mid] = some

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's form
        self._state("connected")
        for topic, reason in zip(self._asked.pop(mid, []), reasons, strict=False):
            self._refused.pop(topic, None)
            if reason.is_failure:
                self._refused[topic] = f"subscription refused ({reason}): check the broker's access list"
                self._subscribe_at = time.monotonic() + SUBSCRIBE_AGAIN_S

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401 - paho's form
        if reason.value == TAKEN_OVER:
            self._explained = True
            self._state("taken_over", "another client has the same id")


def _new_client(to: Connection) -> BulkClient:
    if to.v5:
        client = BulkClient(v5=True, client_id=to.client_id, protocol=paho.MQTTv5, reconnect_on_failure=False)
    else:
        client = BulkClient(v5=False, client_id=to.client_id, clean_session=False, reconnect_on_failure=False)
    if to.username:
        client.username_pw_set(to.username, to.password)
    if to.tls is not None:
        client.tls_set_context(to.tls.context())
    return client
