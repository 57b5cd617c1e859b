"""Numbers for names, and the oldest and newest instant stored of each series: what a store keeps in memory."""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np

from core.calendar import Bools, Instants, Longs, micros
from core.readings import Codes

K = TypeVar("K")

_NEVER: Final = np.iinfo(np.int64)


class Numbers(Generic[K]):
    """Numbers names from 0 on. New ones are `added` only once they are stored."""

    def __init__(self, keys: Iterable[K]) -> None:
        self.keys = list(keys)
        self._number = {key: n for n, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self.keys)

    def propose(self, keys: Sequence[K]) -> tuple[Codes, list[K]]:
        """Return the number of each key, and the keys that would be new, whose numbers follow the last."""
        new: dict[K, int] = {}
        numbers = [
            self._number[key] if key in self._number else new.setdefault(key, len(self.keys) + len(new)) for key in keys
        ]
        return np.array(numbers, np.int32).reshape(-1), list(new)

    def find(self, keys: Sequence[K]) -> Codes:
        """Return the number of each key, -1 for one that is not known."""
        return np.array([self._number.get(key, -1) for key in keys], np.int32).reshape(-1)

    def add(self, new: Sequence[K]) -> None:
        """Take proposed keys in."""
        for key in new:
            self._number[key] = len(self.keys)
            self.keys.append(key)


class Ranges(NamedTuple):
    """First and last instant [us since 1970] of each series that occurs, by number."""

    series: Codes
    first: Longs
    last: Longs


def ranges(series: Codes, at: Instants) -> Ranges:
    """Return the range of instants of each series number that occurs."""
    present, place = _present(series)
    first, last = np.full(len(present), _NEVER.max), np.full(len(present), _NEVER.min)
    stamps = micros(at)
    np.minimum.at(first, place, stamps)
    np.maximum.at(last, place, stamps)
    return Ranges(present, first, last)


def _present(series: Codes) -> tuple[Codes, Longs]:
    """Return the numbers that occur, ordered, and the place of each entry's among them."""
    if not len(series):
        return series, np.empty(0, np.int64)
    low = int(series.min())
    seen = np.bincount(series - low) > 0
    return (np.flatnonzero(seen) + low).astype(np.int32), (np.cumsum(seen) - 1)[series - low]


class Marks:
    """The oldest and newest stored instant of each series: a reading outside them cannot be stored yet."""

    def __init__(self, first: Longs, last: Longs) -> None:
        self._first = np.array(first, np.int64)
        self._last = np.array(last, np.int64)

    def beyond(self, series: Codes, at: Instants) -> Bools:
        """Return which readings are older or newer than all that is stored of their series."""
        self._reach(int(series.max(initial=-1)))
        stamps = micros(at)
        return np.asarray((stamps > self._last[series]) | (stamps < self._first[series]))

    def note(self, written: Ranges) -> None:
        """Widen the marks by what was stored."""
        self._reach(int(written.series.max(initial=-1)))
        self._first[written.series] = np.minimum(self._first[written.series], written.first)
        self._last[written.series] = np.maximum(self._last[written.series], written.last)

    def put(self, stored: Ranges) -> None:
        """Set the marks of series to what is stored of them now; those whose range is empty have nothing."""
        self._reach(int(stored.series.max(initial=-1)))
        empty = stored.first > stored.last
        self._first[stored.series] = np.where(empty, _NEVER.max, stored.first)
        self._last[stored.series] = np.where(empty, _NEVER.min, stored.last)

    def newest(self) -> tuple[Codes, Longs]:
        """Return the series that have something stored, and the newest instant of each."""
        last = self._last
        numbers = np.flatnonzero(last > _NEVER.min).astype(np.int32)
        return numbers, last[numbers]

    def _reach(self, number: int) -> None:
        missing = number + 1 - len(self._last)
        if missing > 0:
            spare = missing + len(self._last)  # doubling keeps the cost of growth small
            self._first = np.concatenate([self._first, np.full(spare, _NEVER.max)])
            self._last = np.concatenate([self._last, np.full(spare, _NEVER.min)])
