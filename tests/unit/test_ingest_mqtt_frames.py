"""MQTT packets out of a stream, however it is cut; and what is used of paho's inside."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import ConfigError
from ingest.mqtt_client import BulkClient
from ingest.mqtt_connection import Connection
from ingest.mqtt_frames import BrokenStream, Frames, Packet, Publish, pubacks


def length(size: int) -> bytes:
    out = b""
    while True:
        size, low = divmod(size, 128)
        out += bytes([low | (0x80 if size else 0)])
        if not size:
            return out


def publish(topic: bytes, payload: bytes, *, mid: int = 0, flags: int = 0, v5: bool = False) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if flags & 6 else b"")
    body += (b"\x03\x01\x01\x00" if v5 else b"") + payload
    return bytes([0x30 | flags]) + length(len(body)) + body


PUBLISHED = st.builds(
    Publish,
    st.sampled_from([0, 1, 2, 3, 10, 11]),
    st.integers(1, 65535),
    st.binary(max_size=20),
    st.binary(max_size=300),
).map(lambda p: p if p.flags & 6 else p._replace(mid=0))
OTHER = st.builds(Packet, st.sampled_from([0x20, 0x90, 0xD0, 0xE0]), st.binary(max_size=200))


def written(packet: Publish | Packet, *, v5: bool) -> bytes:
    if isinstance(packet, Publish):
        return publish(packet.topic, packet.payload, mid=packet.mid, flags=packet.flags, v5=v5)
    return bytes([packet.command]) + length(len(packet.body)) + packet.body


@given(
    packets=st.lists(PUBLISHED | OTHER, max_size=12), cuts=st.lists(st.integers(1, 500), max_size=30), v5=st.booleans()
)
def test_packets_come_out_whole_however_the_stream_is_cut(
    *, packets: list[Publish | Packet], cuts: list[int], v5: bool
) -> None:
    stream = b"".join(written(p, v5=v5) for p in packets)
    frames, found = Frames(v5=v5), []
    for cut in [*cuts, len(stream)]:
        frames.feed(stream[:cut])
        stream = stream[cut:]
        found += frames.take(3)
    while frames.pending:
        more = frames.take(2)
        found += more
        if not more:
            break
    assert found == packets


def test_no_more_messages_are_taken_than_there_is_room_for() -> None:
    frames = Frames()
    frames.feed(publish(b"a", b"1") * 5 + b"\xd0\x00")
    assert len(frames.take(2)) == 2
    assert frames.take(0) == []
    assert len(frames.take(9)) == 4


def test_a_connection_is_answered_while_there_is_no_room() -> None:
    frames = Frames()
    frames.feed(b"\x20\x02\x00\x00" + publish(b"a", b"1"))
    assert frames.take(0) == [Packet(0x20, b"\x00\x00")]


def test_ten_megabytes_arrive_in_pieces() -> None:
    frames, body = Frames(), b"x" * 10_000_000
    stream = publish(b"t", body, mid=7, flags=2)
    for start in range(0, len(stream), 100_000):
        assert frames.take(10) == []
        frames.feed(stream[start : start + 100_000])
    assert frames.take(10) == [Publish(2, 7, b"t", body)]


@pytest.mark.parametrize(
    "stream", [b"\x30\xff\xff\xff\xff\x01", b"\x30\x01a", b"\x32\x03\x00\x01a", b"\x30\x02\x00\x09"]
)
def test_a_stream_that_is_no_mqtt_ends_the_connection(stream: bytes) -> None:
    frames = Frames()
    frames.feed(stream)
    with pytest.raises(BrokenStream):
        frames.take(1)


@given(stream=st.binary(max_size=200), v5=st.booleans())
def test_any_bytes_are_packets_or_a_broken_stream(*, stream: bytes, v5: bool) -> None:
    frames = Frames(v5=v5)
    frames.feed(stream)
    try:
        frames.take(100)
    except BrokenStream:
        return
    frames.feed(b"")


def test_acknowledgements_are_joined() -> None:
    assert pubacks([1, 256, 65535]) == b"\x40\x02\x00\x01\x40\x02\x01\x00\x40\x02\xff\xff"


def test_paho_still_has_what_the_client_uses_of_its_inside() -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    for name in ("_in_packet", "_ping_t", "_last_bytes_received", "_sock"):
        assert hasattr(client, name)
    assert list(inspect.signature(client._packet_queue).parameters)[:4] == ["command", "packet", "mid", "qos"]
    assert list(inspect.signature(client._sock_recv).parameters) == ["bufsize"]
    assert set(client._in_packet) == set(BulkClient(v5=False)._in_packet)
    assert callable(client._packet_handle)
    assert callable(client._sock_close)


@pytest.mark.parametrize("topic", ["", "a/#/b", "a+/b", "a#"])
def test_a_filter_that_cannot_be_is_refused_at_the_door(topic: str) -> None:
    with pytest.raises(ConfigError, match="topic filter"):
        Connection(host="h", topics=(topic,))
