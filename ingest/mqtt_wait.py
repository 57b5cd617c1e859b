"""Waiting for a socket or for another thread, whichever comes first."""

import contextlib
import select
import socket
from typing import Any, Final, NamedTuple

HANG_UP: Final = getattr(select, "POLLRDHUP", 0)  # of Linux: the other end will send no more


class Ready(NamedTuple):
    """What the watched socket is ready for; `hung_up` where the other end closed it."""

    readable: bool
    writable: bool
    hung_up: bool


class Wait:
    """Waits for a watched socket; wake() from any thread ends the wait.

    That the other end hung up is told also while nothing is read: else a broker that went away would be found only by
    the next ping.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._inner, self._outer = socket.socketpair()
        for end in (self._inner, self._outer):
            end.settimeout(0)
        self._poll.register(self._inner, select.POLLIN)
        self._watched = -1

    def watch(self, sock: Any) -> None:  # noqa: ANN401 - a plain or an encrypted socket
        """Watch another socket, or none."""
        if self._watched >= 0:
            self._poll.unregister(self._watched)
        self._watched = -1 if sock is None else sock.fileno()
        if self._watched >= 0:
            self._poll.register(self._watched, HANG_UP)

    def __call__(self, seconds: float, *, read: bool = False, write: bool = False) -> Ready:
        """Wait at most so long for what is asked; return what the socket is ready for."""
        if self._watched >= 0:
            asked = (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
            self._poll.modify(self._watched, asked | HANG_UP)
        found = dict(self._poll.poll(seconds * 1000))
        if self._inner.fileno() in found:
            with contextlib.suppress(BlockingIOError):
                self._inner.recv(65536)
        events = found.get(self._watched, 0)
        return Ready(
            readable=events & select.POLLIN != 0,
            writable=events & select.POLLOUT != 0,
            hung_up=events & (HANG_UP | select.POLLHUP | select.POLLERR | select.POLLNVAL) != 0,
        )

    def wake(self) -> None:
        """End the wait; a full pipe means that it ends already, a closed one that nobody waits."""
        with contextlib.suppress(OSError):
            self._outer.send(b"!")

    def close(self) -> None:
        """Release what it holds."""
        self._inner.close()
        self._outer.close()
