"""paho's client with a reading side of our own: packets in bulk, acknowledgements joined, reading paused at will.

paho reads a packet in three system calls and a lock each, and ties the keep-alive to reading. Here PUBLISH packets of
QoS 0 and 1 are taken out of a buffer; all others go through paho. What is used of paho's inside is named in
tests/unit/test_ingest_mqtt_client.py, so that a new version that lacks it is noticed.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ingest.mqtt_frames import PUBACK, BrokenStream, Frames, Packet, Publish, pubacks

DISCONNECT: Final = b"\xe0\x00"
CHUNK: Final = 256 * 1024
OK: Final = MQTTErrorCode.MQTT_ERR_SUCCESS


class BulkClient(paho.Client):
    """A client whose owner calls receive(), take(), acknowledge() and look_after() from one thread."""

    def __init__(self, *, v5: bool, **options: Any) -> None:  # noqa: ANN401 - paho's own
        super().__init__(CallbackAPIVersion.VERSION2, manual_ack=True, **options)
        self._frames = Frames(v5=v5)

    def receive(self) -> None:
        """Read what the socket has into the buffer, about a chunk; raise OSError where the broker closed it."""
        pending = True
        while pending:
            try:
                chunk = self._sock_recv(CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                raise ConnectionResetError("the broker closed the connection")
            self._last_bytes_received = time.monotonic()
            self._frames.feed(chunk)
            undecrypted = getattr(self._sock, "pending", None)  # of TLS: the socket will not tell of these
            pending = undecrypted is not None and undecrypted() > 0

    @property
    def pending(self) -> bool:
        """Whether the buffer may hold a complete packet."""
        return self._frames.pending

    def take(self, most: int) -> list[Publish]:
        """Return messages from the buffer, at most so many; let paho handle what else is in it."""
        messages: list[Publish] = []
        for packet in self._frames.take(most):
            if isinstance(packet, Publish):
                messages.append(packet)
            else:
                self._hand_over(packet)
        return messages

    def _hand_over(self, packet: Packet) -> None:
        self._in_packet = {
            "command": packet.command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(packet.body),
            "packet": bytearray(packet.body),
            "to_process": 0,
            "pos": 0,
        }
        code = self._packet_handle()
        if code != OK:
            raise BrokenStream(f"packet {packet.command:#x}: {paho.error_string(code)}")

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send PUBACK for messages of QoS 1, in one piece."""
        if mids:
            self._packet_queue(PUBACK, pubacks(list(mids)), 0, 1)

    def look_after(self, *, reading: bool) -> None:
        """Send pings that are due and find a silent broker; while nothing is read, silence says nothing."""
        if not reading:
            self._last_bytes_received = time.monotonic()
            self._ping_t = 0.0
        if self.loop_misc() != OK:
            raise ConnectionAbortedError("the broker does not answer")

    def announce_end(self) -> None:
        """Send DISCONNECT as the last packet; the socket stays open, where paho's own would close it at once."""
        self._packet_queue(PUBACK, DISCONNECT, 0, 1)

    def discard(self) -> bool:
        """Read and forget; return whether the broker has closed its end."""
        try:
            return not self._sock_recv(CHUNK)
        except BlockingIOError:
            return False

    def end(self) -> None:
        """Close the socket, whatever state it is in."""
        self._sock_close()
