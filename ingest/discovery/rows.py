"""Readings of described values, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Floats, Quality, Readings, SeriesKey
from ingest.discovery.book import Series
from ingest.instants import stamps
from ingest.message import Message
from ingest.profile import Decoded, Ignored, Origin, Reject


@dataclass(slots=True)
class Rows:
    """Readings of a batch so far, each with its message, series, number as written and raw time (None: none)."""

    name: str
    message: list[int] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    number: list[float] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)
    time: list[Any] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def add(self, message: int, series: Series, number: float, written: object, time: object) -> None:
        """Add a reading."""
        self.message.append(message)
        self.series.append(series)
        self.number.append(number)
        self.written.append(written)
        self.time.append(time)

    def decoded(self, messages: Sequence[Message], *, detailed: bool) -> Decoded:
        """Return what the batch says."""
        message = np.array(self.message, np.int32)
        received = np.fromiter([m.received for m in messages], np.int64, len(messages))[message]
        at, arrived = self._times(received)
        keys: dict[SeriesKey, int] = {}
        named = [SeriesKey(s.value.device.id, s.meaning.register) for s in self.series]
        code = np.array([keys.setdefault(key, len(keys)) for key in named], np.int32)
        count = len(self.series)
        readings = Readings(
            series=tuple(keys),
            code=code,
            at=at.view("datetime64[us]"),
            value=self._canonical(),
            kind=np.fromiter([int(s.meaning.kind) for s in self.series], np.uint8, count),
            quality=np.where(arrived, np.uint8(Quality.ARRIVAL_TIME), np.uint8(0)).astype(np.uint8),
            span_s=np.zeros(count, np.int64),
            received=received.view("datetime64[us]"),
            sources=(self.name,),
            source=np.zeros(count, np.int32),
        )
        return Decoded(
            readings=readings,
            message=message,
            rejects=tuple(self.rejects),
            ignored=tuple(self.ignored),
            origins=tuple(self._origin(n) for n in range(count)) if detailed else (),
            row=np.arange(count, dtype=np.int64),
            place=lambda row, _key: self.series[row].value.field,
        )

    def _times(self, received: Longs) -> tuple[Longs, Bools]:
        """Return the instants [µs] and which of them are of the arrival: without a time, or with a naive one."""
        if not self.time or not any(t is not None for t in self.time):
            return received.copy(), np.ones(len(received), bool)
        told = stamps([t if type(t) in {str, int, float} else None for t in self.time])
        arrived = told.absent | told.naive
        arrived[list(told.faults)] = True
        return np.where(arrived, received, told.us), arrived

    def _canonical(self) -> Floats:
        """Return the values in canonical units."""
        number = np.array(self.number, np.float64)
        if not len(number):
            return number
        values, units = [s.value for s in self.series], [s.meaning.unit for s in self.series]
        scale = np.array([v.scale * u.scale for v, u in zip(values, units, strict=True)])
        divisor = np.array([v.divisor * u.divisor for v, u in zip(values, units, strict=True)])
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(number * scale / divisor + np.array([u.offset for u in units]))

    def _origin(self, n: int) -> Origin:
        value = self.series[n].value
        return Origin(value.field, self.written[n], value.verdict.unit or None)
