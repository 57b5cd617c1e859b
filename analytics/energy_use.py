"""Specific consumption and how buildings of a kind compare: quartiles, ranks, and how ranks changed.

Arrays have an entry a building, NaN where it is not known. Lowest use has rank 1.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.readings import Floats

FEW: Final = 4
"""Below this many buildings quartiles say nothing."""
COVERAGE: Final = 0.9
"""The least share of a period that must be known for a building to be compared."""


def specific_use(amount: Floats, size: Floats, known_share: Floats, *, least: float = COVERAGE) -> Floats:
    """Return amount by size (kWh/m², m³/person), NaN without a size or where less than `least` of the time is known.

    The known part is not scaled up to the whole.
    """
    usable = (np.asarray(size) > 0) & (np.asarray(known_share) >= least)
    return np.asarray(np.divide(amount, size, out=np.full(np.shape(amount), np.nan), where=usable))


def time_mean(values: Floats, weights: Floats) -> float | None:
    """Return the mean of dated values (area, users) over a period, by the days each held; None where one is NaN."""
    total = float(np.sum(weights))
    if not total or np.isnan(values[weights > 0]).any():
        return None
    return float(np.sum(values[weights > 0] * weights[weights > 0]) / total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A kind of building: quartiles (linear between ranks, Hyndman and Fan type 7) of `count` known; `few`: too few.

    Of few, quartiles are NaN; the median stays, for it is a fact of those few.
    """

    count: int
    lower: float
    median: float
    upper: float

    @property
    def few(self) -> bool:
        """Whether there are too few for quartiles."""
        return self.count < FEW


def group(values: Floats) -> Group:
    """Return the quartiles of the known values of a kind."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Group(count=0, lower=np.nan, median=np.nan, upper=np.nan)
    lower, median, upper = np.percentile(known, [25, 50, 75]).tolist()
    if len(known) < FEW:
        lower = upper = np.nan
    return Group(count=len(known), lower=lower, median=median, upper=upper)


def ranks(values: Floats) -> Longs:
    """Return the rank of each known value, 1 the lowest, equals sharing the better one; 0 where it is not known."""
    known = np.isfinite(values)
    order = np.sort(values[known])
    found = np.zeros(len(values), np.int64)
    found[known] = np.searchsorted(order, values[known], side="left") + 1
    return found


def quarter_of(values: Floats, found: Group) -> Longs:
    """Return in which quarter of its kind each value lies, 1 the lowest use; 0 where not known or of too few."""
    if found.few:
        return np.zeros(len(values), np.int64)
    edges = np.array([found.lower, found.median, found.upper])
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left") + 1, 0).astype(np.int64)


def rank_changes(now: Floats, before: Floats) -> tuple[Longs, Longs, Bools]:
    """Return ranks now and before among those known in both periods, and which are: a rank alone moves by who is in.

    Now less before: below zero is a better place.
    """
    both = np.isfinite(now) & np.isfinite(before)
    return ranks(np.where(both, now, np.nan)), ranks(np.where(both, before, np.nan)), both
