"""Messages without a time of their own that a broker delivers again keep the arrival of their first delivery.

Else the same reading would be stored at two instants, and an amount (delta) counted twice. The memory lasts as long as
the process: after a kill between write and acknowledgement, only a payload with a time is idempotent.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

import msgspec

from core.readings import Quality, Readings
from ingest.message import Message


class Redeliveries:
    """Remembers the arrival of settled messages that had no time, the newest `bound` of them."""

    def __init__(self, *, bound: int) -> None:
        self._bound = bound
        self._arrivals: OrderedDict[int, deque[int]] = OrderedDict()

    def recall(self, messages: list[Message]) -> list[Message]:
        """Return the messages, those delivered again with the arrival of their first delivery."""
        if not self._arrivals or not any(m.again for m in messages):
            return messages
        return [self._first(m) if m.again else m for m in messages]

    def _first(self, message: Message) -> Message:
        arrivals = self._arrivals.get(_key(message))
        if not arrivals:
            return message
        return msgspec.structs.replace(message, received=arrivals.popleft())

    def remember(self, messages: Sequence[Message], readings: Readings, message: Sequence[int]) -> None:
        """Note the messages of readings that were given their arrival as time."""
        timeless = (readings.quality & Quality.ARRIVAL_TIME) != 0
        if not timeless.any():
            return
        for i in dict.fromkeys(number for number, flag in zip(message, timeless.tolist(), strict=True) if flag):
            if messages[i].ticket is not None:
                self._arrivals.setdefault(_key(messages[i]), deque(maxlen=8)).append(messages[i].received)
        while len(self._arrivals) > self._bound:
            self._arrivals.popitem(last=False)


def _key(message: Message) -> int:
    return hash((message.topic, message.payload))
