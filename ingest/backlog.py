"""The bounded queue between sources and the worker: what is not yet acknowledged is held, and no more is taken."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from typing import Final

from ingest.message import Message

IDLE_S: Final = 0.002  # a pause as long as this ends the gathering of a batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held: waiting in the queue, un-acknowledged in all, its bytes, arrival of the oldest [µs] (0: none)."""

    waiting: int
    unacked: int
    size: int
    oldest: int


BATCH_BYTES: Final = 8 * 2**20
"""Payload of a batch: some 80,000 readings, a second or so of any store."""


class Backlog:
    """Messages taken from sources and not yet settled, at most `bound` of them.

    Memory is bounded by `bound_bytes` of payload, exceeded by one message at the most. A message counts until it is
    released, which is after its acknowledgement.
    """

    def __init__(self, *, bound: int = 20_000, bound_bytes: int = 64 * 2**20) -> None:
        self.bound = bound
        self.bound_bytes = bound_bytes
        self._waiting: deque[Message] = deque()
        self._working: list[Message] = []
        self._unacked = 0
        self._size = 0
        self._changed = threading.Condition()
        self._closed = False
        self._room_again: list[Callable[[], None]] = []

    def on_room(self, wake: Callable[[], None]) -> None:
        """Have a source called when there is room again."""
        self._room_again.append(wake)

    def room(self) -> int:
        """Return how many messages may be put now."""
        with self._changed:
            return max(0, self.bound - self._unacked) if self._size < self.bound_bytes else 0

    def put(self, messages: Sequence[Message]) -> None:
        """Add messages, no more than there is room for; never blocks."""
        with self._changed:
            self._waiting.extend(messages)
            self._unacked += len(messages)
            self._size += sum(len(m.payload) for m in messages)
            self._changed.notify()

    def take(self, most: int, *, linger_s: float, wait_s: float) -> list[Message]:
        """Return up to `most` messages, gathered while they follow on each other but no longer than `linger_s`.

        Waits `wait_s` for the first; returns none where none came, or where the backlog was closed. Payloads of more
        than BATCH_BYTES together are left for the next time, so that a batch of large messages is soon settled too.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, wait_s)
            waited = 0.0
            while 0 < len(self._waiting) < most and waited < linger_s and not self._closed:
                waited += IDLE_S
                if not self._changed.wait(IDLE_S):
                    break
            self._working = [self._waiting.popleft() for _ in range(self._fitting(most))]
            return self._working

    def _fitting(self, most: int) -> int:
        """Return how many waiting messages make a batch: one at the least, up to `most` or BATCH_BYTES."""
        sizes = accumulate(len(m.payload) for m in islice(self._waiting, most))
        return max(1, sum(1 for _ in takewhile(lambda size: size <= BATCH_BYTES, sizes))) if self._waiting else 0

    def release(self, messages: Sequence[Message]) -> None:
        """Forget messages that are settled and acknowledged."""
        with self._changed:
            self._working = []
            self._unacked -= len(messages)
            self._size -= sum(len(m.payload) for m in messages)
        for wake in self._room_again:
            wake()

    def open(self) -> None:
        """Let the worker wait."""
        with self._changed:
            self._closed = False

    def close(self) -> None:
        """Let the worker wait no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def held(self) -> Held:
        """Return what is held now."""
        with self._changed:
            first = self._working[:1] or [self._waiting[0]] if self._working or self._waiting else []
            return Held(
                waiting=len(self._waiting),
                unacked=self._unacked,
                size=self._size,
                oldest=first[0].received if first else 0,
            )
