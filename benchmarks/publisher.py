"""Publishes prepared readings at QoS 1 as fast as a broker takes them; a process of its own.

Writes MQTT 3.1.1 packets itself: a client library would need more of the processor than broker and ingester together.
"""

import json
import socket
import sys
import time

WINDOW = 4000
FIRST_S = 1_735_689_600
STEP_S = 60


def payload(meter: int, minute: int, readings: int) -> bytes:
    """Return one reading of a meter, or a batch of one reading each of many meters."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(FIRST_S + STEP_S * minute))
    if readings == 1:
        return json.dumps({"meter": f"E{meter:05d}", "at": at, "value": minute * 0.125, "unit": "kWh"}).encode()
    rows = [{"meter": f"E{meter * readings + n:05d}", "at": at, "value": minute * 0.125} for n in range(readings)]
    return json.dumps({"unit": "kWh", "register": "import", "readings": rows}).encode()


def packet(topic: bytes, mid: int, body: bytes) -> bytes:
    """Return a PUBLISH packet at QoS 1."""
    rest = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + body
    length, size = b"", len(rest)
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return b"\x32" + length + rest


def prepared(first: int, count: int, meters: int, readings: int) -> list[bytes]:
    """Return the packets of messages first ... first + count; meters take turns, minute by minute."""
    topics = [f"odecet/gateway/{m}".encode() for m in range(meters)]
    return [
        packet(topics[n % meters], n % 65_535 + 1, payload(n % meters, n // meters, readings))
        for n in range(first, first + count)
    ]


def connected(port: int, name: bytes) -> socket.socket:
    """Return a connection to a broker."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
    sock.sendall(b"\x10" + bytes([len(rest)]) + rest)
    if sock.recv(4)[3]:
        raise ConnectionError("the broker refuses")
    return sock


def publish(sock: socket.socket, packets: list[bytes]) -> None:
    """Send all, never more than a window ahead of the broker's acknowledgements (4 bytes each)."""
    sent = acked = spare = 0
    while acked < len(packets):
        room = min(len(packets), acked + WINDOW)
        if room - sent >= WINDOW // 4 or room == len(packets):
            sock.sendall(b"".join(packets[sent:room]))
            sent = max(sent, room)
        spare += len(sock.recv(65_536))
        acked, spare = acked + spare // 4, spare % 4


def main() -> None:
    """Prepare, say so, wait for the word, publish."""
    port, first, count, meters, readings = map(int, sys.argv[1:])
    packets = prepared(first, count, meters, readings)
    sock = connected(port, f"bench{first}".encode())
    print("ready", flush=True)
    sys.stdin.readline()
    publish(sock, packets)
    print("done", flush=True)
    sys.stdin.readline()
    sock.close()


if __name__ == "__main__":
    main()
