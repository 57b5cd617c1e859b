"""Live simulation: the planned meters send as time passes, at any speed."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final, Protocol

import numpy as np

from core.calendar import instant, micros
from core.errors import InputError
from core.ports import Clock
from simulators.history import history
from simulators.meter import S_US, Stream
from simulators.payload import Message, encoded, messages
from simulators.plan import PlannedMeter, sent_in
from simulators.truth import OPEN_END

_LONGEST_WAIT_S: Final = 0.5
_ENOUGH: Final = 20_000
"""Messages made ahead; a broker that is away does not let more pile up."""


class Sender(Protocol):
    """What live simulation needs of a publisher."""

    def offer(self, message: Message) -> bool:
        """Take a message, or return False while it cannot."""
        ...

    def turn(self, wait_s: float) -> None:
        """Take in acknowledgements."""
        ...


def stream_objects(stream: Stream) -> tuple[list[str], list[str]]:
    """Return the meter name and the JSON object of each reading of a stream."""
    names = [stream.devices[code] for code in stream.device]
    units = [stream.units[code] for code in stream.unit]
    return names, encoded(names, [stream.register] * len(names), units, stream.at, stream.value)


def _due(
    plans: Sequence[PlannedMeter], start: np.datetime64, end: np.datetime64, per_message: int
) -> list[tuple[int, Message]]:
    """Return the messages of [start, end) with the instant at which each is due [us], in order."""
    return _in_order([sent_in(one, start, end) for one in plans], per_message)


def _in_order(streams: Sequence[Stream], per_message: int) -> list[tuple[int, Message]]:
    """Return the messages of all streams in order of sending; one of several readings is due with its last."""
    names: list[str] = []
    objects: list[str] = []
    sent: list[int] = []
    for stream in streams:
        meters, texts = stream_objects(stream)
        names += meters
        objects += texts
        sent += micros(stream.sent).tolist()
    order = sorted(range(len(sent)), key=sent.__getitem__)
    ordered = list(messages([names[i] for i in order], [objects[i] for i in order], per_message=per_message))
    last = accumulate(m.readings for m in ordered)
    return [(sent[order[count - 1]], message) for count, message in zip(last, ordered, strict=True)]


def history_messages(
    plans: Sequence[PlannedMeter],
    start: np.datetime64,
    end: np.datetime64,
    *,
    fine_since: np.datetime64 | None = None,
    per_message: int = 200,
    cursor: str = "",
) -> Iterator[Message]:
    """Yield a history as messages, month by month and in order of sending within; resumable at `Message.cursor`."""
    for batch in history(plans, start, end, fine_since=fine_since, cursor=cursor):
        ordered = [message for _, message in _in_order(batch.streams, per_message)]
        yield from ordered[:-1]
        yield from (replace(message, cursor=batch.cursor) for message in ordered[-1:])


class _Feed:
    """Messages made ahead, and how far; a pure function of the simulated time, so nothing is lost by waiting."""

    def __init__(self, plans: Sequence[PlannedMeter], start: np.datetime64, until: np.datetime64, speed: float) -> None:
        self.made = start
        self.due: deque[tuple[int, Message]] = deque()
        self._plans = plans
        self._until = until
        self._ahead = np.timedelta64(int(max(60.0, 4 * speed) * S_US), "us")

    def make(self, now: np.datetime64, per_message: int) -> None:
        while self.made <= now and self.made < self._until and len(self.due) < _ENOUGH:
            edge = min(self.made + self._ahead, self._until)
            self.due.extend(_due(self._plans, self.made, edge, per_message))
            self.made = edge

    def hand_over(self, now: np.datetime64, publisher: Sender) -> int:
        """Hand over what is due and return how many messages; those that the publisher will not take stay."""
        before = len(self.due)
        while self.due and self.due[0][0] <= int(micros(now)) and publisher.offer(self.due[0][1]):
            self.due.popleft()
        return before - len(self.due)

    @property
    def ended(self) -> bool:
        return not self.due and bool(self.made >= self._until)

    def reached(self, now: np.datetime64) -> np.datetime64:
        """Return the instant before which everything was handed over."""
        first = np.datetime64(self.due[0][0], "us") if self.due else self.made
        return min(first, now + np.timedelta64(1, "us"), self.made)

    def pause_s(self, now: np.datetime64, speed: float) -> float:
        left = (self.due[0][0] - int(micros(now))) / S_US / speed if self.due else _LONGEST_WAIT_S
        return min(max(left, 0.01), _LONGEST_WAIT_S)


def run_live(
    plans: Sequence[PlannedMeter],
    publisher: Sender,
    *,
    clock: Clock,
    wait: Callable[[float], bool],
    speed: float = 1.0,
    since: np.datetime64 | None = None,
    until: np.datetime64 = OPEN_END,
    per_message: int = 1,
    told: Callable[[np.datetime64, int], None] = lambda _at, _sent: None,
) -> np.datetime64:
    """Publish what the meters send from `since` (default: now) to `until`, `speed` simulated seconds a second.

    `wait(seconds)` waits and returns True when it is time to stop (threading.Event.wait). `told(instant, messages)`
    hears the simulated time and the messages handed over so far. Returns the instant before which all was handed
    over: a next run goes on from there. Acknowledgements are the publisher's matter (`drain` before `close`).
    """
    if speed <= 0:
        raise InputError(f"speed {speed} cannot be", remedy="write 1 for real time, 3600 for an hour a second")
    begun = clock()
    start = instant(begun) if since is None else since
    feed, sent, stopped = _Feed(plans, start, until, speed), 0, False
    now = start
    while not stopped and not feed.ended:
        passed_s = (clock() - begun).total_seconds() * speed
        now = min(start + np.timedelta64(int(passed_s * S_US), "us"), until)
        feed.make(now, per_message)
        sent += feed.hand_over(now, publisher)
        publisher.turn(0.0)
        told(now, sent)
        stopped = not feed.ended and wait(feed.pause_s(now, speed))
    return feed.made if feed.ended else feed.reached(now)
