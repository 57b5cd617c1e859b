"""Which points are read from afar, told from where their readings came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Bools, Instants, instant
from core.ports import ReadingStore
from core.readings import Quality, Readings, SeriesKey
from core.registry import Meter, Point
from services.held import RegisterReader
from services.reading_import_amounts import SOURCE
from services.sums import counting_registers

MONTH: Final = np.timedelta64(31, "D")
DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardReadings:
    """Asks the store of readings for the last one before an instant: one of a file or a person was not read afar."""

    readings: ReadingStore
    register: RegisterReader

    def __call__(self, points: Sequence[Point], at: Instants) -> Bools:
        """Return (k, m) whether the last reading of each point before each instant, a month old at most, came so."""
        mounted = self._series(points)
        told = np.zeros((len(points), len(at)), bool)
        for column, instant_ in enumerate(at):
            there = dict.fromkeys(k for rows in mounted for k, since, until in rows if since < instant_ <= until)
            afar = self._afar(tuple(there), instant_)
            for row, series in enumerate(mounted):
                told[row, column] = any(
                    afar.get(key, False) for key, since, until in series if since < instant_ <= until
                )
        return told

    def _afar(self, keys: Sequence[SeriesKey], at: np.datetime64) -> Mapping[SeriesKey, bool]:
        """Return of each series whether its last reading before an instant came from afar and not long ago.

        Most series have one within the last day; only the others are searched further back, which takes longer.
        """
        near = _last(self.readings.read(keys, at - DAY, at))
        there = {near.series[code] for code in near.code.tolist()}
        late = [key for key in keys if key not in there]
        return _told(near, at) | (_told(self.readings.neighbours(late, at, at), at) if late else {})

    def _series(self, points: Sequence[Point]) -> list[list[tuple[SeriesKey, np.datetime64, np.datetime64]]]:
        """Return the series that may count for each point, and from when until when."""
        of_point: dict[str, list[Meter]] = {}
        for meter in self.register.find(Meter):
            of_point.setdefault(meter.point, []).append(meter)
        present: dict[str, set[str]] = {}
        for key in self.readings.known():
            present.setdefault(key.meter, set()).add(key.register)
        return [
            [
                (SeriesKey(meter.device, register), instant(meter.mounted), _until(meter))
                for meter in of_point.get(point.id, ())
                for register in counting_registers(meter, point.commodity, present.get(meter.device, set()))
                if register in present.get(meter.device, set())
            ]
            for point in points
        ]


def _until(meter: Meter) -> np.datetime64:
    return np.datetime64("2200-01-01", "us") if meter.removed is None else instant(meter.removed)


def _last(found: Readings) -> Readings:
    """Return the last of the readings of each series, which come in the order of their instants."""
    order = np.argsort(found.at, kind="stable")[::-1]
    _, first = np.unique(found.code[order], return_index=True)
    return found.take(order[first])


def _told(found: Readings, at: np.datetime64) -> dict[SeriesKey, bool]:
    """Return of each series whether its reading before an instant came from afar and not long ago."""
    before = found.take((found.at < at) & (found.at >= at - MONTH))
    file = np.array([name.startswith(SOURCE) for name in before.sources] or [False])[before.source]
    by_hand = file | ((before.quality & np.uint8(Quality.MANUAL)) > 0)
    return {before.series[code]: not hand for code, hand in zip(before.code.tolist(), by_hand.tolist(), strict=True)}
