"""A real server as a child process on a free port of 127.0.0.1, that tests start, kill and start again."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest


def program(name: str, *folders: str) -> str:
    """Return the path of an installed program, or skip the test, naming it."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders]))
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail naming what was waited for."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain for {what}")
        pause.wait(0.02)


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port."""
    with socket.socket() as sock:
        sock.settimeout(0.2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


class ServerProcess:
    """A server: `command` is run in `folder`, its output goes to `folder`/NAME.log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        port: int,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        up: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.folder = folder
        self.port = port
        self.user = user
        self.environment = environment
        self.up = up or (lambda: listens(port))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self.user,
                env=None if self.environment is None else {**os.environ, **self.environment},
            )
        wait_until(self._came_up, what=f"{self.name} on port {self.port} ({self.log})")

    def _came_up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"{self.name} ended at once:\n{self.log.read_text(errors='replace')[-2000:]}")
        return self.up()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
