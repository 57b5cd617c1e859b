"""Which addresses the store calls, by the server's version: a listener stands for servers that are not installed."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final

import numpy as np
import pytest

from core.errors import StoreError, StoreUnavailable
from core.readings import Readings, SeriesKey
from storage.influx_readings import InfluxReadingStore

TOKEN: Final = "made up for this test"  # noqa: S105 - opens nothing
READING: Final = Readings.of([SeriesKey("m", "r")], [0], [np.datetime64("2026-01-01", "us")], [1.5])


class Listener(HTTPServer):
    version = "v2.7.11"
    write_status = 204
    write_text = b""
    seen: list[tuple[str, str, str]]


class Answers(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self._note("")
        self._answer(204, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(body.decode())
        if "write" in self.path:
            self._answer(self.server.write_status, self.server.write_text)
        else:
            self._answer(200, b"" if self.server.version.startswith("3") else b"name,tags,time,ok\nprobe,,0,1\n")

    def _note(self, body: str) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization", ""), body))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Influxdb-Version", self.server.version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener(("127.0.0.1", 0), Answers) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def opened(listener: Listener) -> InfluxReadingStore:
    store = InfluxReadingStore(f"http://127.0.0.1:{listener.server_port}", bucket="b", org="kraj", token=TOKEN)
    listener.write_status, listener.write_text = 204, b""
    store.start()
    return store


@pytest.mark.parametrize(("version", "probed"), [("v2.7.11", True), ("3.2.0-core", False)])
def test_newer_servers_are_written_by_their_own_address(listener: Listener, version: str, *, probed: bool) -> None:
    listener.version = version
    store = opened(listener)
    store.write(READING)
    paths = [path for path, _, _ in listener.seen]
    assert "/api/v2/write?bucket=b&org=kraj&precision=us" in paths
    assert all(auth == f"Token {TOKEN}" for _, auth, _ in listener.seen)
    assert any(path.startswith("/query?db=b&epoch=u") for path in paths)
    assert any("probe" in body and path.startswith("/query") for path, _, body in listener.seen) == probed
    assert not any("CREATE" in body for _, _, body in listener.seen)
    store.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, StoreError), (401, StoreError), (404, StoreError), (413, StoreError),
        (408, StoreUnavailable), (429, StoreUnavailable), (500, StoreUnavailable), (503, StoreUnavailable),
    ],
)  # fmt: skip
def test_refusals_are_told_apart_by_who_must_act(listener: Listener, status: int, error: type[StoreError]) -> None:
    store = opened(listener)
    listener.write_status, listener.write_text = status, b"the reason"
    with pytest.raises(StoreError, match="the reason") as raised:
        store.write(READING)
    assert type(raised.value) is error
    store.close()
