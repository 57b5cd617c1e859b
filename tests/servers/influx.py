"""InfluxDB for tests: Debian's 1.6 started here, or any server that the environment names."""

import http.client
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from influxdb_client import InfluxDBClient

from storage.influx_readings import InfluxReadingStore
from tests.servers.process import ServerProcess, free_port, program

URL = "ODECET_TEST_INFLUX_URL"


def influxdb(folder: Path) -> ServerProcess:
    """Return an InfluxDB 1.6 on a free port, all of its data in the folder; not started."""
    influxd = program("influxd")
    port, backup = free_port(), free_port()
    example = subprocess.run([influxd, "config"], capture_output=True, text=True, check=True).stdout
    config = folder / "influxdb.conf"
    config.write_text(_configured(example, folder, port, backup))
    return ServerProcess(
        "influxd", [influxd, "run", "-config", str(config)], folder=folder, port=port, up=lambda: answers(port)
    )


def _configured(example: str, folder: Path, port: int, backup: int) -> str:
    """Return the example configuration with what a test needs."""
    sections = re.split(r"(?m)^(?=\[)", example)
    changes = {
        "": {"bind-address": f'"127.0.0.1:{backup}"', "reporting-enabled": "false", "reporting-disabled": "true"},
        "[meta]": {"dir": f'"{folder / "meta"}"', "logging-enabled": "false"},
        "[data]": {
            "dir": f'"{folder / "data"}"',
            "wal-dir": f'"{folder / "wal"}"',
            "index-version": '"tsi1"',
            "wal-fsync-delay": '"0s"',
            "query-log-enabled": "false",
        },
        "[monitor]": {"store-enabled": "false"},
        "[http]": {"bind-address": f'"127.0.0.1:{port}"', "log-enabled": "false"},
        "[ifql]": {"enabled": "false"},
        "[continuous_queries]": {"enabled": "false"},
    }
    return "\n".join(_changed(section, changes) for section in sections)


def _changed(section: str, changes: dict[str, dict[str, str]]) -> str:
    name = section.split("\n", 1)[0].strip() if section.startswith("[") else ""
    for key, value in changes.get(name, {}).items():
        line = f"  {key} = {value}"
        section, found = re.subn(rf"(?m)^\s*{key} = .*$", line, section)
        section = section if found else f"{section.rstrip()}\n{line}\n"
    return section


def answers(port: int) -> bool:
    """Return whether InfluxDB answers a ping."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.NO_CONTENT
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def server_arguments(folder: Path) -> Iterator[dict[str, Any]]:
    """Give what InfluxReadingStore needs, but the bucket, for the server that the environment names, else for 1.6."""
    url = os.environ.get(URL)
    if url:
        names = {"token": "ODECET_TEST_INFLUX_TOKEN", "org": "ODECET_TEST_INFLUX_ORG"}
        yield {"url": url, **{key: os.environ.get(name, "") for key, name in names.items()}}
        return
    server = influxdb(folder)
    server.start()
    try:
        yield {"url": f"http://127.0.0.1:{server.port}"}
    finally:
        server.stop()


def fresh_bucket(arguments: dict[str, Any]) -> str:
    """Return the name of a bucket that nothing is in; on 2.x and 3.x it is made, on 1.x the store makes it.

    ODECET_TEST_INFLUX_BUCKET begins the name, for a token that may make buckets of one name alone.
    """
    name = f"{os.environ.get('ODECET_TEST_INFLUX_BUCKET', 'test')}-{uuid4().hex[:12]}"
    if arguments.get("token"):
        with InfluxDBClient(arguments["url"], token=arguments["token"], org=arguments["org"]) as client:
            client.buckets_api().create_bucket(bucket_name=name)
    return name


def influx_store(arguments: dict[str, Any], bucket: str) -> InfluxReadingStore:
    """Return a store on a bucket; not started."""
    return InfluxReadingStore(**arguments, bucket=bucket)
