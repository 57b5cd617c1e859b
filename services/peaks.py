"""The highest quarter-hours of points month by month, kept, and computed anew where readings came in since.

Quarter-hours come straight from readings, which takes a tenth of a second a point and year: too long for all points of
a region while somebody waits. A kept month holds as long as no reading was written near it, and the meters, events and
learnt limits of its point are what they were; so it is what computing it now would give. Virtual points are not kept.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final, Protocol

import numpy as np

from analytics.demand import Maxima
from core.calendar import NAT, US, Longs, micros
from core.ports import ReadingStore
from core.readings import Floats
from core.registry import DialEvent, Meter, Point, Role
from services.demand import maxima_of
from services.held import RegisterReader
from services.monthly_use import Ask, Months
from services.points import MAIN

AROUND_US: Final = 8 * 86_400 * US
"""How far from a written reading quarter-hours may differ: those of a longer gap show no maximum either way."""
Month = tuple[float | None, int | None, int, int, int]
"""A kept month: peak [kW], its start [µs], quarter-hours counted, expected, coarse."""


class Notes(Protocol):
    """The part of a record store that small texts are kept in."""

    def kept(self, key: str) -> str:
        """Return what was kept under a key, empty where nothing was."""
        ...

    def keep(self, key: str, text: str) -> None:
        """Keep a small text durably under a key."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a point: what it rests on, when it was known, and its months by their first day."""

    rests_on: str
    token: str
    months: Mapping[str, Month]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPeaks:
    """Tells the monthly maxima of points from what is kept, and keeps what it has to compute."""

    readings: ReadingStore
    notes: Notes
    register: RegisterReader
    ask: Ask

    def __call__(
        self, points: Sequence[Point], months: Months, *, stopped: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Maxima]:
        """Return the maxima of whole months by point; those of points that were not reached before it stopped lack."""
        meters = _by_point(self.register.find(Meter), {p.id for p in points})
        token = self.readings.touched(self.notes.kept(_CURSOR)).token if points else ""
        kept = {p.id: self._read(p, meters.get(p.id, ())) for p in points}
        stale = self._written_since(kept, meters)
        found: dict[str, Maxima] = {}
        for point in points:
            if stopped():
                break
            held = _still(kept[point.id], stale.get(point.id, ()))
            found[point.id] = self._of_point(point, months, held, token)
        return found

    def _of_point(self, point: Point, months: Months, held: _Kept, token: str) -> Maxima:
        lacking = [n for n, first in enumerate(months.firsts) if first.isoformat() not in held.months]
        made = dict(held.months)
        for begin, end in _runs(lacking):
            part = maxima_of(point, _part(months, begin, end), ask=self.ask)
            made |= {months.firsts[n].isoformat(): _month(part, n - begin) for n in range(begin, end)}
        if lacking and point.role is not Role.VIRTUAL:
            self.notes.keep(_key(point), json.dumps(asdict(_Kept(held.rests_on, token, made))))
            self.notes.keep(_CURSOR, token)
        return _maxima([made[first.isoformat()] for first in months.firsts])

    # What is kept

    def _read(self, point: Point, meters: Sequence[Meter]) -> _Kept:
        rests_on = self._rests_on(point, meters)
        text = self.notes.kept(_key(point))
        told: dict[str, Any] = json.loads(text) if text else {}
        if told.get("rests_on") != rests_on:
            return _Kept(rests_on, "", {})
        return _Kept(rests_on, told["token"], {first: tuple(row) for first, row in told["months"].items()})

    def _rests_on(self, point: Point, meters: Sequence[Meter]) -> str:
        """Return a digest of what a point's curve is made of besides readings."""
        devices = {meter.device for meter in meters}
        events = [e for d in sorted(devices) for e in self.register.find(DialEvent, where={"meter": d})]
        limits = self.notes.kept(f"limits/{point.id}/{MAIN}")
        facts = (
            point.commodity,
            point.max_rate,
            point.allowed_gap_h,
            point.terms,
            tuple(meters),
            tuple(events),
            limits,
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]

    def _written_since(
        self, kept: Mapping[str, _Kept], meters: Mapping[str, Sequence[Meter]]
    ) -> dict[str, list[tuple[int, int]]]:
        """Return by point the spans [µs] in which readings of its devices were written since it was kept."""
        points_of: dict[str, list[str]] = {}
        for key, mine in meters.items():
            for meter in mine:
                points_of.setdefault(meter.device, []).append(key)
        spans: dict[str, list[tuple[int, int]]] = {}
        for token in {one.token for one in kept.values() if one.months}:
            touched = self.readings.touched(token)
            rows = zip(touched.series, micros(touched.first).tolist(), micros(touched.last).tolist(), strict=True)
            for series, first, last in rows:
                for key in points_of.get(series.meter, ()):
                    if kept[key].token == token:
                        spans.setdefault(key, []).append((first - AROUND_US, last + AROUND_US))
        return spans


_CURSOR: Final = "peaks/since"
"""A token to ask for the present one with, so that not everything that was ever written is told with it."""


def _key(point: Point) -> str:
    return f"peaks/{point.id}"


def _by_point(meters: Iterable[Meter], wanted: set[str]) -> dict[str, list[Meter]]:
    found: dict[str, list[Meter]] = {}
    for meter in meters:
        if meter.point in wanted:
            found.setdefault(meter.point, []).append(meter)
    return found


def _still(kept: _Kept, spans: Iterable[tuple[int, int]]) -> _Kept:
    """Return what is kept without the months that a span touches."""
    touched = list(spans)
    months = {
        first: row
        for first, row in kept.months.items()
        if not any(low < _us(_next(first)) and high >= _us(date.fromisoformat(first)) for low, high in touched)
    }
    return _Kept(kept.rests_on, kept.token, months)


def _us(day: date) -> int:
    return int(micros(np.datetime64(day)))


def _next(first: str) -> date:
    return (date.fromisoformat(first) + timedelta(days=32)).replace(day=1)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return places as spans [begin, end) of those that follow on each other."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _part(months: Months, begin: int, end: int) -> Months:
    cut = slice(begin, end)
    return Months(
        starts=months.starts[cut],
        ends=months.ends[cut],
        firsts=months.firsts[cut],
        period=np.zeros(end - begin, np.int64),
        period_starts=months.starts[begin : begin + 1],
        period_ends=months.ends[end - 1 : end],
        zone=months.zone,
    )


def _month(found: Maxima, place: int) -> Month:
    peak, at = found.peak_kw[place], found.at[place]
    return (
        None if np.isnan(peak) else float(peak),
        None if np.isnat(at) else int(micros(at)),
        int(found.counted[place]),
        int(found.expected[place]),
        int(found.coarse[place]),
    )


def _maxima(rows: Sequence[Month]) -> Maxima:
    peaks: Floats = np.array([np.nan if row[0] is None else row[0] for row in rows], float)
    counts: list[Longs] = [np.array([row[n] for row in rows], np.int64) for n in (2, 3, 4)]
    at = np.array([NAT if row[1] is None else np.datetime64(row[1], "us") for row in rows], "datetime64[us]")
    return Maxima(peak_kw=peaks, at=at, counted=counts[0], expected=counts[1], coarse=counts[2])
