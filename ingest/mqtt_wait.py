"""Waiting for a socket or for another thread, whichever comes first."""

import contextlib
import selectors
import socket
from typing import Any, NamedTuple

NOTHING = 0


class Ready(NamedTuple):
    """What the watched socket is ready for."""

    readable: bool
    writable: bool


class Wait:
    """Waits for a watched socket; wake() from any thread ends the wait."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._inner, self._outer = socket.socketpair()
        for end in (self._inner, self._outer):
            end.settimeout(0)
        self._selector.register(self._inner, selectors.EVENT_READ)
        self._watched: Any = None
        self._events = NOTHING

    def watch(self, sock: Any) -> None:  # noqa: ANN401 - a plain or an encrypted socket
        """Watch another socket, or none."""
        self._set(NOTHING)
        self._watched = sock

    def _set(self, events: int) -> None:
        if self._watched is None or events == self._events:
            return
        if self._events == NOTHING:
            self._selector.register(self._watched, events)
        elif events == NOTHING:
            self._selector.unregister(self._watched)
        else:
            self._selector.modify(self._watched, events)
        self._events = events

    def __call__(self, seconds: float, *, read: bool = False, write: bool = False) -> Ready:
        """Wait at most so long for what is asked; return what the socket is ready for."""
        self._set((selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0))
        found = {key.fileobj: events for key, events in self._selector.select(seconds)}
        if found.pop(self._inner, NOTHING):
            with contextlib.suppress(BlockingIOError):
                self._inner.recv(65536)
        events = found.get(self._watched, NOTHING)
        readable, writable = events & selectors.EVENT_READ != 0, events & selectors.EVENT_WRITE != 0
        return Ready(readable=readable, writable=writable)

    def wake(self) -> None:
        """End the wait; a full pipe means that it ends already, a closed one that nobody waits."""
        with contextlib.suppress(OSError):
            self._outer.send(b"!")

    def close(self) -> None:
        """Release what it holds."""
        self._selector.close()
        self._inner.close()
        self._outer.close()
