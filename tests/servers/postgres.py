"""A real PostgreSQL with its own data folder, that tests start, kill and start again."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess, free_port, wait_until

USER = "postgres"


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL on 127.0.0.1; `url` is the address of its database `postgres`."""

    process: ServerProcess
    folder: Path

    @property
    def port(self) -> int:
        return self.process.port

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        """End it in order, cutting off whoever is connected."""
        children = self._children()
        self.process.stop()
        _await_end(children)

    def kill(self) -> None:
        """End it as a power cut would; its children end as soon as they notice."""
        children = self._children()
        self.process.kill()
        _await_end(children)

    def remove(self) -> None:
        self.kill()  # nothing is to be kept: no checkpoint
        shutil.rmtree(self.folder, ignore_errors=True)

    def _children(self) -> list[Path]:
        if self.process.process is None:
            return []
        pid = self.process.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children")
        return [Path(f"/proc/{child}") for child in listed.read_text().split()] if listed.exists() else []


def _await_end(processes: list[Path]) -> None:
    # A new postmaster refuses to start while one of the former's children lives.
    wait_until(lambda: not any(_lives(process) for process in processes), what="PostgreSQL's children to end")


def _lives(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def binaries() -> Path:
    """Return the folder of initdb and postgres, or skip the test, naming them."""
    config = shutil.which("pg_config")
    told = [subprocess.check_output([config, "--bindir"], text=True).strip()] if config else []
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in map(Path, [*told, *installed]):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return pytest.skip("PostgreSQL (initdb, postgres) is not installed")


def postgresql(folder: Path, *, durable: bool = True) -> PostgresServer:
    """Return a PostgreSQL that is set up and not started. Data lie in `folder`, except for root.

    Where no test kills it, it need not be `durable`: it then waits for no disk, and is several times faster.

    PostgreSQL refuses to run as root: then it runs as the user `postgres`, in a folder of its own, since one of
    pytest's cannot be entered by others.
    """
    home = binaries()
    user = USER if os.geteuid() == 0 else None
    if user is not None:
        folder = Path(tempfile.mkdtemp(prefix="odecet-postgres-"))
        shutil.chown(folder, user)
    data = folder / "data"
    subprocess.run(
        [home / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"],
        cwd=folder,
        user=user,
        check=True,
        capture_output=True,
    )
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "max_connections": "60",
        "timezone": "Asia/Kathmandu",  # a zone that shows where an instant is taken for a wall time
    }
    command = [str(home / "postgres"), "-D", str(data), "-p", str(port)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = ServerProcess(
        "postgres", command, folder=folder, port=port, user=user, up=lambda: _accepts(home, folder, port)
    )
    return PostgresServer(process, folder)


def _accepts(home: Path, folder: Path, port: int) -> bool:
    asked = subprocess.run([home / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], cwd=folder, check=False)
    return asked.returncode == 0
