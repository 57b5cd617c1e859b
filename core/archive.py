"""What a backup needs of a store of readings beside its port: all that it holds, and a way to put it into another."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.ports import ReadingStore, Touched
from core.readings import Readings, SeriesKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Series that a store holds anything of, and the first and last of all their instants (both included)."""

    series: tuple[SeriesKey, ...]
    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a store keeps of a span: readings, those they replaced, and those that were taken out."""

    readings: Readings
    revisions: Readings
    withdrawn: Readings


class ArchivedReadings(ReadingStore, Protocol):
    """A store of readings that can be carried to another one, of whatever kind."""

    def extent(self) -> Extent:
        """Return what there is of readings, revisions and withdrawn readings."""
        ...

    def rolled(self) -> Extent:
        """Return what there is of roll-ups: (point, register) and the starts of their periods."""
        ...

    def load(self, kept: Kept) -> None:
        """Store all of it as it is, durably, in a store that has none of these instants; `touched` does not tell it.

        Revisions and withdrawn readings of one instant come in the order of their arrival.
        """
        ...

    def loaded(self, unheard: Touched) -> str:
        """End the loading: return a token after which `touched` tells these ranges, and all others before it."""
        ...
