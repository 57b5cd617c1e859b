"""Events that no model of weather and calendar explains: a lasting step, a closure, a change of use.

A saving begins with the predicted span and lasts. What begins in its midst is an event that somebody must name before a
saving may be told. Weeks are taken together; of all stretches of weeks the one counts whose own level explains most.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.baseline.days import Bools, Floats

Longs = npt.NDArray[np.int64]

WEEK: Final = 7
LEAST_WEEKS: Final = 4  # shorter than a month it is a holiday or an odd week, which the interval holds
SIZE: Final = 0.35  # of the usual level: smaller changes widen the interval, they do not bar it
SHARE: Final = 0.07  # of the span's consumption: what moves less lies within the interval
EXPLAINS: Final = 0.6  # of the weekly variance that the model leaves
TINY: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The strongest stretch of weeks per meter (m,).

    Whether it counts, its first day and the day after its last (numbers of the days), its level in times of the rest,
    and whether it lasts to the end of the span.
    """

    found: Bools
    first: Longs
    end: Longs
    ratio: Floats
    lasting: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    """Running sums (m, weeks + 1) of actual x expected, expected² and actual², in weekly sums."""

    cross: Floats
    square: Floats
    actual: Floats
    expected: Floats

    def between(self, first: Longs, end: Longs) -> tuple[Floats, Floats]:
        """Return cross and square (m, k) of stretches from week `first` to before week `end` (k,)."""
        return self.cross[:, end] - self.cross[:, first], self.square[:, end] - self.square[:, first]


def _moments(actual: Floats, expected: Floats, place: Longs) -> _Moments:
    known = np.isfinite(actual[:, place]) & np.isfinite(expected[:, place])
    shape = (len(actual), len(place) // WEEK, WEEK)
    a = np.where(known, actual[:, place], 0.0).reshape(shape).sum(axis=2)
    e = np.where(known, expected[:, place], 0.0).reshape(shape).sum(axis=2)
    return _Moments(cross=_running(a * e), square=_running(e * e), actual=_running(a * a), expected=_running(e))


def _running(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _stretches(weeks: int, *, steps_only: bool) -> tuple[Longs, Longs]:
    """Return first and end (k,) of all stretches after the span's first weeks; a step is one that lasts to the end."""
    first, end = np.triu_indices(weeks + 1, k=LEAST_WEEKS)
    outside = weeks - (end - first)
    fit = (first >= LEAST_WEEKS) & (outside >= 2 * LEAST_WEEKS)
    fit &= (end == weeks) | np.bool_(not steps_only)
    return first[fit], end[fit]


def strongest(actual: Floats, expected: Floats, span: Bools, *, steps_only: bool = False) -> Stretch:
    """Return the stretch of actual (m, D) against expected (m, D) in the span (D,) that stands out most."""
    place = np.flatnonzero(span)
    place = place[: len(place) // WEEK * WEEK]
    first, end = _stretches(len(place) // WEEK, steps_only=steps_only)
    if not len(first):
        none = np.zeros(len(actual), np.int64)
        flags = none.astype(bool)
        return Stretch(found=flags, first=none, end=none, ratio=np.ones(len(actual)), lasting=flags)
    sums = _moments(actual, expected, place)
    cross, square = sums.between(first, end)
    outer_cross, outer_square = sums.cross[:, -1:] - cross, sums.square[:, -1:] - square
    inner, outer = cross / np.maximum(square, TINY), outer_cross / np.maximum(outer_square, TINY)
    left = sums.actual[:, -1:] - (sums.cross[:, -1:] ** 2) / np.maximum(sums.square[:, -1:], TINY)
    rest = sums.actual[:, -1:] - inner * cross - outer * outer_cross
    explained = 1.0 - rest / np.maximum(left, TINY)
    best = np.argmax(explained, axis=1)
    row = np.arange(len(actual))
    low, high = outer[row, best], inner[row, best]
    there = sums.expected[row, end[best]] - sums.expected[row, first[best]]
    moved = np.abs(high - low) * there / np.maximum(sums.expected[:, -1] * np.maximum(low, TINY), TINY)
    found = (explained[row, best] > EXPLAINS) & (np.abs(high - low) > SIZE * low) & (moved > SHARE) & (low > 0)
    return Stretch(
        found=found,
        first=place[first[best] * WEEK],
        end=place[end[best] * WEEK - 1] + 1,
        ratio=high / np.maximum(low, 1e-6),
        lasting=end[best] == len(place) // WEEK,
    )
