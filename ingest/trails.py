"""By which topic devices are heard, so that a silent gateway is told as one."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.ports import RecordStore
from core.readings import Readings
from ingest.message import Message

SETTLED_US: Final = 3600 * 1_000_000
"""A device that publishes by several topics is noted again at most this often."""


class Trails:
    """Notes the topic of each device, and writes those that are new or changed."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._known: dict[str, tuple[str, int]] = {}
        self._waiting: dict[str, str] = {}

    def note(self, readings: Readings, message: Sequence[int], messages: Sequence[Message]) -> None:
        """Note by which messages' topics the devices of readings came: of each the last."""
        if not len(readings):
            return
        last = np.full(len(readings.series), -1)
        last[readings.code] = np.arange(len(readings))
        for key, row in zip(readings.series, last.tolist(), strict=True):
            if row >= 0:
                self._add(key.meter, messages[message[row]])

    def _add(self, device: str, message: Message) -> None:
        former, noted_us = self._known.get(device, ("", -SETTLED_US))
        if former != message.topic and message.received - noted_us >= SETTLED_US:
            self._known[device] = message.topic, message.received
            self._waiting[device] = message.topic

    def flush(self) -> None:
        """Write what waits; raise StoreUnavailable, and it waits on."""
        if self._waiting:
            self._records.note_topics(self._waiting)
            self._waiting = {}
