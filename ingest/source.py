"""The port of a source of messages, filled by ingest.mqtt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How a source fares.

    `state` is one of stopped, connecting, connected, refused, lost, taken_over; `detail` says why, and which topic
    filters were refused. `since` is when the state began, `connects` how often it connected, `restarts` how often its
    loop had to be replaced.
    """

    name: str
    state: str
    detail: str = ""
    since: datetime | None = None
    connects: int = 0
    restarts: int = 0
    received: int = 0
    paused: bool = False


class Source(Protocol):
    """Puts messages into a backlog while there is room, and acknowledges those that are settled."""

    def start(self) -> None:
        """Begin to take messages; returns at once, also where the broker is absent."""
        ...

    def pause(self) -> None:
        """Take no more messages, but go on acknowledging."""
        ...

    def close(self) -> None:
        """Send what acknowledgements there are, and end; may be called twice."""
        ...

    def ack(self, tickets: Sequence[int]) -> None:
        """Acknowledge messages by their tickets; those of a former connection are passed over. Never raises."""
        ...

    def follow(self, topics: Sequence[str], *, former: Sequence[str] = ()) -> None:
        """Take the messages of these topics too, beside its own, from now on and after every reconnection.

        Those followed before, and the `former` of an earlier run, are followed no more unless they are named again.
        """
        ...

    def status(self) -> SourceStatus:
        """Return how it fares."""
        ...
