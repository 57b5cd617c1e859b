"""The first start, `odecet people`, and commands beside a process that holds the stores and lets nobody in."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.commands import run_here
from tests.servers.process import free_port, listens, wait_until

ODECET = Path(sys.executable).parent / "odecet"
NEW = "pět koček v komoře"


class Instance:
    """`odecet run` on embedded parts, as it is installed: nothing open."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        settings = {
            "DATA__FOLDER": folder / "data",
            "API__PORT": self.port,
            "MQTT__PORT": free_port(),
            "MQTT__EMBEDDED": "true",
            "LOG__LEVEL": "info",
            "ACCESS__PASSWORD_MEMORY_KIB": 64,
            "ACCESS__PASSWORD_ROUNDS": 1,
        }
        self.environment = {**os.environ, **{f"ODECET_{name}": str(value) for name, value in settings.items()}}
        self.clients: list[httpx.Client] = []
        self.out, self.log = folder / "out.txt", folder / "log.txt"

    def start(self) -> None:
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(ODECET), "run"], cwd=self.folder, env=self.environment, stdout=out, stderr=log
            )
        wait_until(lambda: listens(self.port), what=f"odecet run ({self.log})", seconds=90)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_here(*words, cwd=self.folder, environment=self.environment)

    def odecet(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, **headers: str) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, trust_env=False))
        return self.clients[-1]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    made = Instance(tmp_path)
    made.start()
    yield made
    for client in made.clients:
        client.close()
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def link_in(text: str) -> str:
    links = re.findall(r"http://127\.0\.0\.1:\d+(/password\?link=\S+)", text)
    assert len(links) == 1, text
    return str(links[0])


def test_the_first_start_lets_one_administrator_in_and_commands_go_on(instance: Instance) -> None:
    assert instance.client().get("/api/v1/points").status_code == 401
    assert instance.client(accept="text/html").get("/").headers["location"] == "/login?to=%2F"
    first = link_in(instance.out.read_text())
    assert first.partition("=")[2] not in instance.log.read_text()
    admin = instance.client(accept="text/html")
    assert "admin" in admin.get(first).text
    set_it = admin.post("/password", data={"link": first.partition("=")[2], "password": NEW})
    assert (set_it.status_code, set_it.headers["location"]) == (303, "/")
    assert admin.get("/people").status_code == 200

    # commands beside it: the command puts a key there for its own time
    assert "admin\tAdministrator" in instance.odecet("people", "list")
    added = instance.odecet("people", "add", "novak", "--name", "Jan Novák", "--role", "facility_staff")
    assert instance.client().get(link_in(added)).status_code == 200
    renewed = link_in(instance.odecet("people", "link", "novak"))
    assert instance.client().get(link_in(added)).status_code == 401
    assert instance.client().get(renewed).status_code == 200
    key = instance.odecet("people", "key", "LoRa", "--role", "tester", "--days", "3").strip()
    program = instance.client(authorization=f"Bearer {key}")
    told = program.get("/api/v1/me").json()
    assert told["grants"][0]["role"] == "tester"
    instance.odecet("people", "revoke", told["name"].partition("/")[2])
    assert program.get("/api/v1/me").status_code == 401
    instance.odecet("export", "readings.csv", "--what", "consumption", "--from", "2026-01-01", "--to", "2026-02-01")
    keys = admin.get("/api/v1/keys").json()["items"]
    assert [(k["id"], k["revoked"] is not None) for k in keys if k["id"] == "command"] == [("command", True)]

    # the next start prints no link, and sessions go on
    instance.stop()
    instance.start()
    assert len(re.findall("/password", instance.out.read_text())) == 1
    assert admin.get("/people").status_code == 200
    instance.stop()


def test_wrong_roles_and_people_are_refused_with_one_line(tmp_path: Path) -> None:
    made = Instance(tmp_path)
    for words, told in (
        (("add", "x", "--name", "x", "--role", "boss"), "role 'boss' is none; write one of administrator"),
        (("link", "nobody"), "person nobody is not known"),
        (("revoke", "nothing"), "key nothing is not known"),
        (("add", "x", "--name", "x", "--role", "facility_staff", "--building", "B9"), "no building has the id 'B9'"),
    ):
        done = made.run("people", *words)
        assert done.returncode == 2
        assert told in done.stderr
