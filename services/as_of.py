# ruff: noqa: ARG002 - the port names arguments that a view does not need
"""Readings as they were known at an instant: what came in later is left out, what was replaced or withdrawn is back.

Roll-ups are made from these readings, never taken from the store, whose roll-ups know what came in since.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, NoReturn, Protocol

import numpy as np

from core.calendar import Period, instant
from core.errors import Conflict
from core.ports import ReadingStore, Touched
from core.readings import Readings, SeriesKey, concat, last_wins
from core.rollup import RollUp

BEGIN: Final = np.datetime64("1950-01-01", "us")
END: Final = np.datetime64("2150-01-01", "us")
DAY: Final = np.timedelta64(86_400_000_000, "us")
WIDER_DAYS: Final = (3, 30, 365, 3650, 73_000)
"""How far a neighbour is looked for, step by step [days]."""

Window = Callable[[np.timedelta64], tuple[np.datetime64, np.datetime64]]
"""Tells from where to where is looked at a width."""


class Rolled(Protocol):
    """Makes roll-ups of readings as they were."""

    def __call__(self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> RollUp:
        """Return the periods that start in [start, end), ordered by series (as asked) and start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of readings that was undone at an instant, and the series that it brought."""

    source: str
    undone: datetime
    series: tuple[SeriesKey, ...]


@dataclass(frozen=True)
class AsOfReadings:
    """A reading store as it answered at `cutoff`; nothing can be written through it.

    `undone` are the imports that were withdrawn after the cut-off: their readings were there then. `rolled` makes
    roll-ups (None: there are none).
    """

    store: ReadingStore
    cutoff: datetime
    undone: tuple[Import, ...] = ()
    rolled: Rolled | None = None

    def read(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end) as they were."""
        asked = tuple(dict.fromkeys(series))
        now, at = self.store.read(asked, start, end), instant(self.cutoff)
        late = now.received > at
        parts = [self._withdrawn(asked, start, end), now.take(~late)]
        if late.any():
            former = self.store.revisions(asked, start, end)
            parts.insert(0, former.take(former.received <= at))
        elif not len(parts[0]):
            return now
        known, _ = last_wins(_coded(parts, asked))
        return known

    def _withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return what an import that was undone later had brought by then, with what it had replaced itself."""
        brought = {key for one in self.undone for key in one.series}
        asked = [key for key in series if key in brought]
        if not asked:
            return Readings.empty()
        found, at = self.store.withdrawn(asked, start, end), instant(self.cutoff)
        undone = {one.source for one in self.undone}
        of_these = np.array([name in undone for name in found.sources], bool)[found.source]
        return found.take(of_these & (found.received <= at))

    def neighbours(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return, of each series, the last reading before `start` and the first at or after `end`, as they were."""
        asked = tuple(dict.fromkeys(series))
        before = self._nearest(asked, lambda wide: (max(start - wide, BEGIN), start), -1)
        after = self._nearest(asked, lambda wide: (end, min(end + wide, END)), 0)
        found = _coded([before, after], asked)
        return found.take(np.lexsort((found.at, found.code)))

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        """Return the newest reading of each of these series (None: of all), as it was."""
        asked = self.known() if series is None else tuple(dict.fromkeys(series))
        until = instant(self.cutoff) + 2 * DAY
        found = _coded([self._nearest(asked, lambda wide: (max(until - wide, BEGIN), until), -1)], asked)
        return found.take(np.argsort(found.code, kind="stable"))

    def _nearest(self, asked: Sequence[SeriesKey], window: Window, pick: int) -> Readings:
        """Return the first or last reading of each series in the narrowest window that holds one."""
        found: list[Readings] = []
        lacking = list(asked)
        for days in WIDER_DAYS:
            if not lacking:
                break
            near = self.read(lacking, *window(days * DAY))
            chosen = [np.flatnonzero(near.code == code) for code in range(len(near.series))]
            found.append(near.take(np.array([rows[pick] for rows in chosen if len(rows)], np.int64)))
            have = {near.series[code] for code, rows in enumerate(chosen) if len(rows)}
            lacking = [key for key in lacking if key not in have]
        return concat(found)

    def known(self, meters: Sequence[str] | None = None) -> tuple[SeriesKey, ...]:
        """Return the series that had readings, of these meters (None: of all), ordered."""
        wanted = None if meters is None else frozenset(meters)
        return tuple(key for key in self._known if wanted is None or key.meter in wanted)

    @cached_property
    def _known(self) -> tuple[SeriesKey, ...]:
        now = self.store.known()
        first = self.store.neighbours(now, BEGIN, BEGIN)
        early = {first.series[code] for code in first.code[first.received <= instant(self.cutoff)].tolist()}
        doubtful = [key for key in now if key not in early]
        doubtful += [key for one in self.undone for key in one.series if key not in early]
        there = self._nearest(tuple(dict.fromkeys(doubtful)), lambda wide: (BEGIN, BEGIN + wide * 2), 0)
        return tuple(sorted(early | {there.series[code] for code in there.code.tolist()}))

    def revisions(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return none: what was replaced by then is not needed to tell what was known."""
        return Readings.empty()

    def withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return none."""
        return Readings.empty()

    def touched(self, after: str = "") -> Touched:
        """Tell that nothing was written since."""
        none = np.empty(0, "datetime64[us]")
        return Touched(token="", series=(), first=none, last=none)

    def read_rollup(
        self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> RollUp:
        """Return periods made of the readings as they were."""
        return RollUp.empty() if self.rolled is None else self.rolled(grain, series, start, end)

    def start(self) -> None:
        """Open nothing."""

    def close(self) -> None:
        """Release nothing."""

    def ready(self) -> None:
        """Return if the store would answer."""
        self.store.ready()

    def write(self, readings: Readings) -> None:
        """Refuse."""
        self._refuse()

    def withdraw(self, source: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> int:
        """Refuse."""
        self._refuse()

    def write_rollup(self, grain: Period, rollup: RollUp) -> None:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Conflict(f"what was known at {self.cutoff.isoformat()} cannot be changed any more")


def _coded(parts: Sequence[Readings], asked: tuple[SeriesKey, ...]) -> Readings:
    """Return readings as one batch whose codes are the places in `asked`."""
    return concat([replace(Readings.empty(), series=asked), *(part for part in parts if len(part))])
