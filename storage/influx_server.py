"""An InfluxDB server over influxdb-client's own connection: lines in, InfluxQL out, errors in our words."""

import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from pyarrow import csv
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from core.errors import StoreError, StoreUnavailable
from storage.influx_shards import FILLER, one_a_shard, places

LINES: Final = 10_000
"""Lines a request: larger ones are no faster, and servers limit the body's size."""

SENDERS: Final = 2
"""Requests under way at once: the server works on one while we write the other."""

SHARD: Final = "26w"
"""With the week that InfluxDB takes by itself, three years of days cost four times as much to write, three to read."""

_WAIT: Final = frozenset({408, 425, 429})
_NOT_FOUND: Final = 404
_SERVER_FAULT: Final = 500
_NAMES: Final = pa.dictionary(pa.int32(), pa.string())
_PROBE: Final = "; SELECT ok FROM probe"
"""Ends each query: in CSV, InfluxDB 1.x and 2.x answer a failed statement with nothing, as if there were no data
(influxdb issue 21113), but do not go on to the next one. Its row at the end proves that the answer is whole."""

_PROBE_BYTES: Final = 200


class Answer(NamedTuple):
    """Columns of a query's result, and the server's time [us since 1970]."""

    columns: dict[str, npt.NDArray[Any]]
    names: dict[str, list[str]]
    now_us: int


class InfluxServer:
    """Speaks `/write` to 1.x, `/api/v2/write` to 2.x and 3.x, and InfluxQL on `/query` to all.

    `api` is 1, 2 or 3; "auto" asks the server. A user and password are for 1.x, a token for the others.
    """

    def __init__(
        self,
        url: str,
        *,
        bucket: str,
        org: str = "",
        token: str = "",
        username: str = "",
        password: str = "",
        api: str = "auto",
        gzip: bool = False,
        timeout_s: float = 10.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.bucket = bucket
        self.api = api
        self._org = org
        self._credentials = {"token": f"{username}:{password}", "auth_basic": True} if username else {"token": token}
        self._gzip = gzip
        self._timeout_ms = round(timeout_s * 1000)
        self._client: InfluxDBClient | None = None
        self._starting = threading.Lock()
        self._mending = threading.Lock()
        self._torn: set[int] = set()

    def start(self) -> None:
        """Connect, learn the version and, on 1.x, make the database where there is none."""
        with self._starting:
            if self._client is not None:
                return
            self._client = InfluxDBClient(
                self.url, timeout=self._timeout_ms, enable_gzip=self._gzip, org=self._org, **self._credentials
            )
            try:
                self._prepare()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()  # type: ignore[no-untyped-call] # the client's, without annotations

    def ping(self) -> str:
        """Return the version that the server tells, empty where it tells none."""
        headers = self._call("GET", "/ping", {}, {}).headers
        return str(headers.get("X-Influxdb-Version", ""))

    def probe(self) -> None:
        """Write the point that queries end with; raise StoreUnavailable where the server takes no write."""
        self.write(["probe ok=1i 0"])

    def _prepare(self) -> None:
        version = self.ping().removeprefix("v")
        if self.api == "auto":
            self.api = version[0] if version[:1] in {"1", "3"} else "2"
        if self.api == "1":
            self._create()
        self.probe()

    def _create(self) -> None:
        """Make the database, as it is if there is one; long shards: years of readings are read in few pieces."""
        name = self.bucket.replace("\\", "\\\\").replace('"', r"\"")
        error = self._statement(f'CREATE DATABASE "{name}" WITH SHARD DURATION {SHARD}')
        if error and "conflicts with an existing policy" not in error:
            raise StoreError(f"{self.url}: database {self.bucket} cannot be made: {error}")
        self._keeps(name)

    def _keeps(self, name: str) -> None:
        """Raise StoreError where the database deletes what is older than some time (1.x)."""
        results = self._json(f'SHOW RETENTION POLICIES ON "{name}"')
        found = [series for result in results for series in result.get("series", [])]
        rows = (dict(zip(series["columns"], row, strict=True)) for series in found for row in series["values"])
        for row in rows:
            if row["default"] and row["duration"] != "0s":
                raise StoreError(
                    f"{self.url}: database {self.bucket} deletes readings after {row['duration']}; "
                    f'let it keep them: ALTER RETENTION POLICY "{row["name"]}" ON "{name}" DURATION INF'
                )

    def write(self, lines: Sequence[str]) -> None:
        """Write lines in requests of LINES each, two at a time; every one is stored when this returns."""
        if self.api == "1":
            path, params = "/write", {"db": self.bucket, "precision": "u"}
        else:
            path, params = "/api/v2/write", {"bucket": self.bucket, "org": self._org, "precision": "us"}
        with self._mending:
            if self._torn and self.api != "3":
                self._mend(path, params)
        send = partial(self._send_chunk, path, params)
        chunks = [lines[first : first + LINES] for first in range(0, len(lines), LINES)]
        if len(chunks) == 1:
            send(chunks[0])
            return
        with ThreadPoolExecutor(SENDERS) as pool:
            sent = [pool.submit(send, chunk) for chunk in chunks]
        for one in sent:
            one.result()

    def _send_chunk(self, path: str, params: Mapping[str, str], chunk: Sequence[str]) -> None:
        """Send lines; where the server may have taken a part of them, remember the shards that they are in."""
        try:
            self._send(path, params, "\n".join(chunk))
        except StoreUnavailable:
            with self._mending:
                self._torn |= places(chunk)
            raise

    def _send(self, path: str, params: Mapping[str, str], text: str) -> None:
        self._call("POST", path, params, {"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())

    def _mend(self, path: str, params: Mapping[str, str]) -> None:
        """Fill the log files of the shards of failed writes, so that the server goes on in clean ones."""
        now_us = _server_time(self._call("GET", "/ping", {}, {}))
        at_us = sorted({stamp or now_us for stamp in self._torn})
        for stamp in one_a_shard(at_us, self._shards()) if self.api == "1" else at_us:
            self._send(path, params, f'probe filler="{b64encode(os.urandom(FILLER)).decode()}" {stamp}')
            self._send(path, params, f'probe filler="" {stamp}')
        self._torn.clear()

    def _shards(self) -> list[tuple[int, int]]:
        """Return begin and end [us] of the shards of the database (1.x)."""
        results = self._json("SHOW SHARDS")
        found = [series for result in results for series in result.get("series", []) if series["name"] == self.bucket]
        rows = (dict(zip(series["columns"], row, strict=True)) for series in found for row in series["values"])
        return [(_stamp_us(row["start_time"]), _stamp_us(row["end_time"])) for row in rows]

    def query(self, select: str, columns: Mapping[str, pa.DataType]) -> Answer:
        """Return the named columns of a SELECT; no rows where there is no data."""
        params = {"db": self.bucket, "epoch": "u"}
        headers = {"Accept": "application/csv", "Content-Type": "application/x-www-form-urlencoded"}
        text = select if self.api == "3" else select + _PROBE
        response = self._call("POST", "/query", params, headers, form={"q": text})
        body = memoryview(response.data)
        return _parsed(body if self.api == "3" else self._proven(body, select), columns, _server_time(response))

    def _proven(self, body: memoryview, select: str) -> memoryview:
        """Return the answer without the probe at its end; raise what went wrong where that is missing."""
        tail = max(len(body) - _PROBE_BYTES, 0)
        found = bytes(body[tail:]).rfind(b"name,tags,time,ok\nprobe,")
        if found < 0:
            raise self._why(select)
        return body[: tail + found]

    def _why(self, select: str) -> StoreError:
        """Return the error of a query that was answered with nothing, asked again in JSON, which tells it."""
        found = self._statement(select)
        place = f"{self.url} database {self.bucket}"
        if "not found" in found:
            return StoreError(f"{place}: {found}; create it, or restart")
        if not found:
            self.probe()  # it may have been dropped by hand
        return StoreUnavailable(f"{place}: {found or 'the answer was cut short'}")

    def _statement(self, text: str) -> str:
        """Send a statement and return its error, empty where it has none."""
        return next((str(result["error"]) for result in self._json(text) if "error" in result), "")

    def _json(self, text: str) -> list[dict[str, Any]]:
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        response = self._call("POST", "/query", {"db": self.bucket}, headers, form={"q": text})
        results: list[dict[str, Any]] = json.loads(response.data).get("results", [])
        return results

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> BaseHTTPResponse:
        client = self._client
        if client is None:
            raise StoreUnavailable(f"{self.url} is not open")
        with _foreign(self.url):
            response: BaseHTTPResponse = client.api_client.call_api(  # type: ignore[no-untyped-call] # same
                path,
                method,
                query_params=list(params.items()),
                header_params=dict(headers),
                body=body,
                post_params=list(form.items()) if form else None,
                _preload_content=False,
                _return_http_data_only=True,
            )
            _ = response.data  # read whole, so that a connection lost on the way is seen here
            return response


@contextmanager
def _foreign(url: str) -> Iterator[None]:
    """Turn the client's errors into ours, by what waiting would do."""
    try:
        yield
    except ApiException as err:
        detail = err.body.decode(errors="replace") if isinstance(err.body, bytes) else str(err.body or err.reason)
        text = f"{url} answered {err.status}: {detail.strip()}"
        if not err.status or err.status >= _SERVER_FAULT or err.status in _WAIT:
            raise StoreUnavailable(text) from err
        hint = "; create the bucket or database, or mend its name" if err.status == _NOT_FOUND else ""
        raise StoreError(text + hint) from err
    except (HTTPError, OSError) as err:
        raise StoreUnavailable(f"{url}: {err}") from err


def _server_time(response: BaseHTTPResponse) -> int:
    """Return the server's time of the answer [us], 0 where it tells none."""
    stamp = response.headers.get("Date", "")
    try:
        moment: datetime = parsedate_to_datetime(stamp)
    except ValueError:
        return 0
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000


def _stamp_us(text: str) -> int:
    """Return a time as JSON tells it [us]."""
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def _parsed(body: memoryview, columns: Mapping[str, pa.DataType], now_us: int) -> Answer:
    """Return columns of a CSV answer; dictionary columns as indices, with their names beside."""
    if not bytes(body[:64]).strip():
        empty = {
            name: np.empty(0, np.int32 if kind == _NAMES else kind.to_pandas_dtype()) for name, kind in columns.items()
        }
        return Answer(empty, {name: [] for name, kind in columns.items() if kind == _NAMES}, now_us)
    try:
        table = csv.read_csv(
            pa.py_buffer(body),
            convert_options=csv.ConvertOptions(column_types=dict(columns), include_columns=list(columns)),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as err:
        raise StoreError(f"an answer of InfluxDB cannot be read: {err}: {bytes(body[:200])!r}") from err
    arrays, names = {}, {}
    for name in columns:
        chunks = table.column(name)
        if columns[name] == _NAMES:
            whole = chunks.unify_dictionaries().combine_chunks()
            names[name] = whole.dictionary.to_pylist()
            chunks = whole.indices
        arrays[name] = chunks.to_numpy()
    return Answer(arrays, names, now_us)


NAMES: Final = _NAMES
"""The type of a column of names that repeat."""
