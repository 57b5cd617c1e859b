"""MQTT packets out of a byte stream: PUBLISH packets in bulk, the others one by one.

Sources: MQTT 3.1.1, sections 2.2 and 3.3; MQTT 5.0, section 3.3.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

PUBLISH: Final = 0x30
RETAIN: Final = 0x01
QOS: Final = 0x06
DUP: Final = 0x08
MORE: Final = 0x80
LENGTH_BYTES: Final = 4
PUBACK: Final = 0x40


class BrokenStream(Exception):
    """Bytes that are no MQTT: the connection is of no more use."""


class Publish(NamedTuple):
    """A PUBLISH packet: `flags` are the low four bits of its first byte, `mid` is 0 at QoS 0."""

    flags: int
    mid: int
    topic: bytes
    payload: bytes


class Packet(NamedTuple):
    """Any other packet: its first byte and what follows the length."""

    command: int
    body: bytes


@dataclass(slots=True)
class Frames:
    """What has come of a stream and is not yet taken out."""

    v5: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _needed: int = 2

    def feed(self, chunk: bytes) -> None:
        """Add bytes of the stream."""
        self._buffer += chunk

    @property
    def pending(self) -> bool:
        """Whether a packet may be complete."""
        return len(self._buffer) >= self._needed

    def take(self, most: int) -> list[Publish | Packet]:
        """Return complete packets in their order, up to the PUBLISH after `most` of them; raise BrokenStream."""
        if not self.pending:
            return []
        data = bytes(self._buffer)
        found: list[Publish | Packet] = []
        at, self._needed = 0, 2
        while at + 1 < len(data) and (most > 0 or data[at] & 0xF0 != PUBLISH):
            start, length = at + 2, data[at + 1]
            if length & MORE:
                start, length = _long_length(data, at)
            if not start or start + length > len(data):
                self._needed = start + length - at if start else len(data) - at + 1
                break
            at = self._one(data, at, start, start + length, found)
            most -= type(found[-1]) is Publish
        del self._buffer[:at]
        return found

    def _one(self, data: bytes, at: int, start: int, end: int, found: list[Publish | Packet]) -> int:
        """Add the packet that starts at `at` and whose body is data[start:end]; return its end."""
        head = data[at]
        if head & 0xF0 != PUBLISH:
            found.append(Packet(head, data[start:end]))
            return end
        if end - start < 2:  # noqa: PLR2004 - the length of a topic has two bytes
            raise BrokenStream("a PUBLISH packet without topic")
        body = start + 2 + (data[start] << 8 | data[start + 1])
        topic, mid = data[start + 2 : body], 0
        if head & QOS:
            if body + 2 > end:
                raise BrokenStream("a PUBLISH packet without identifier")
            mid = data[body] << 8 | data[body + 1]
            body += 2
        if self.v5:
            properties, length = _long_length(data, body - 1)
            body = properties + length if properties else end + 1
        if body > end:
            raise BrokenStream("a PUBLISH packet longer than its length")
        found.append(Publish(head & 0x0F, mid, topic, data[body:end]))
        return end


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """Return where the bytes behind a variable length (from at + 1) start, and the length; start 0: incomplete."""
    length = 0
    for n in range(LENGTH_BYTES):
        if at + 1 + n >= len(data):
            return 0, 0
        byte = data[at + 1 + n]
        length |= (byte & 0x7F) << (7 * n)
        if not byte & MORE:
            return at + 2 + n, length
    raise BrokenStream("a length of more than four bytes")


def pubacks(mids: list[int]) -> bytes:
    """Return the PUBACK packets of these message identifiers, in their order."""
    packets = np.empty((len(mids), 4), np.uint8)
    numbers = np.array(mids, np.uint16)
    packets[:, 0], packets[:, 1] = PUBACK, 2
    packets[:, 2], packets[:, 3] = numbers >> 8, numbers & 0xFF
    return packets.tobytes()
