"""The inbox of unassigned meters: which devices send readings and stand on no point."""

import logging
import time
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.assigned import Assigned
from core.calendar import moment
from core.errors import StoreUnavailable
from core.notes import InboxItem
from core.ports import RecordStore
from core.readings import Readings, SeriesKey
from core.registry import DialEvent, Meter, Register, Station
from core.units import CANONICAL
from ingest.message import Message

log = logging.getLogger(__name__)

CHECKED_EVERY_S: Final = 1.0
WRITTEN_EVERY_S: Final = 2.0
SAMPLE_BYTES: Final = 2048
REMEMBERED: Final = 100_000


Known = Container[SeriesKey]
"""Series that stand in the register."""


class KnownDevices:
    """The devices of mounted meters and the series of weather stations, read again when the register changed.

    The register is asked at most once a second.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._version: int | None = None
        self._checked = float("-inf")
        self._devices: Known = Assigned()

    def __call__(self) -> Known:
        """Return the devices and series; raise StoreUnavailable where they cannot be read."""
        if time.monotonic() - self._checked < CHECKED_EVERY_S:
            return self._devices
        version = self._records.version()
        if version != self._version:
            find = self._records.find
            self._devices = Assigned.of(find(Meter), find(DialEvent), find(Station))
            self._version = version
        self._checked = time.monotonic()
        return self._devices


class Inbox:
    """Counts the readings of unknown devices and writes them to the records.

    A device seen for the first time by this process is written at once; later sightings at most every 2 s.
    So after a crash first sight and samples are there, and the count may lack what came in the last 2 s.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._waiting: dict[SeriesKey, InboxItem] = {}
        self._seen: set[SeriesKey] = set()
        self._new = False
        self.refused = 0
        self._written = float("-inf")

    def note(self, readings: Readings, message: Sequence[int], messages: Sequence[Message], known: Known) -> None:
        """Count the readings of devices that are not among the known ones."""
        strange = [n for n, key in enumerate(readings.series) if key not in known]
        if not strange or not len(readings):
            return
        counts = np.bincount(readings.code, minlength=len(readings.series))
        last = np.full(len(readings.series), -1)
        last[readings.code] = np.arange(len(readings))
        for code in strange:
            if counts[code]:
                row = int(last[code])
                self._add(_item(readings, row, int(counts[code]), messages[message[row]]))

    def _add(self, item: InboxItem) -> None:
        key = SeriesKey(item.device, item.register)
        former = self._waiting.get(key)
        if former is not None:
            item = replace(item, first_seen=former.first_seen, count=former.count + item.count)
        self._waiting[key] = item
        self._new = self._new or key not in self._seen

    def flush(self, *, now: bool = False) -> None:
        """Write what waits, if a device is new, or it is time, or `now`; raise StoreUnavailable."""
        due = time.monotonic() - self._written >= WRITTEN_EVERY_S
        if not self._waiting or not (now or due or self._new):
            return
        chosen = list(self._waiting) if now or due else [k for k in self._waiting if k not in self._seen]
        self._see([self._waiting[key] for key in chosen])
        for key in chosen:
            del self._waiting[key]
        if len(self._seen) > REMEMBERED:
            self._seen.clear()
        self._seen.update(chosen)
        self._new = False
        if now or due:
            self._written = time.monotonic()

    def _see(self, items: Sequence[InboxItem]) -> None:
        """Write sightings; one that the records refuse is written without its sample, or else left out."""
        try:
            self._records.see(items)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("sightings are refused; writing them one by one without samples")
            for item in items:
                self._see_alone(replace(item, sample=b"", topic=ascii(item.topic)))

    def _see_alone(self, item: InboxItem) -> None:
        try:
            self._records.see([item])
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - its readings are stored; only the sighting cannot be
            self.refused += 1


def _item(readings: Readings, row: int, count: int, message: Message) -> InboxItem:
    key = readings.series[int(readings.code[row])]
    seen = moment(readings.received[row])
    return InboxItem(
        device=key.meter,
        register=key.register,
        unit=CANONICAL.get(Register.parse(key.register).quantity, ""),
        first_seen=seen,
        last_seen=seen,
        count=count,
        last_value=float(readings.value[row]),
        topic=message.topic,
        sample=message.payload[:SAMPLE_BYTES],
    )
