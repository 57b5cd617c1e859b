"""The cumulative curve: one continuous, non-decreasing line of what was consumed, exact in nano-units.

Consumption between two instants is the difference of the curve at both, in integers, so quarter-hours, hours, days,
months and years add up to the last digit. Pieces of which nothing is known are flat and marked missing.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from core.calendar import NAT, US, Instants, Longs
from core.readings import Bytes

Spans = npt.NDArray[np.int64]
"""Rows of (from, to) in µs since 1970, in order, not touching each other."""

NEVER: Final = np.int64(NAT.astype(np.int64))


class State(IntEnum):
    """What is known of a piece of the curve."""

    MEASURED = 0
    GAP = 1  # total measured, distribution estimated
    INTEGRATED = 2  # estimated from power
    MISSING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Knots at `at_us` [µs, ascending], cumulated `total` [nano], and the `state` of each of the n-1 pieces.

    `gaps` are the long gaps (k rows of from, to [µs], by begin); each is one or more GAP pieces. Those of one dial do
    not overlap, those of a sum may.
    `read_us` are the instants of the readings that it rests on, in order.
    """

    at_us: Longs
    total: Longs
    state: Bytes
    gaps: Spans
    read_us: Longs

    @classmethod
    def empty(cls) -> Self:
        """Return the curve of which nothing is known."""
        none = np.empty(0, np.int64)
        return cls(at_us=none, total=none, state=np.empty(0, np.uint8), gaps=np.empty((0, 2), np.int64), read_us=none)

    def at(self, edges_us: Longs) -> Longs:
        """Return the curve [nano] at instants [µs]; before its first knot 0, after its last the last."""
        if not len(self.at_us):
            return np.zeros(len(edges_us), np.int64)
        piece = np.clip(np.searchsorted(self.at_us, edges_us, side="right") - 1, 0, max(len(self.at_us) - 2, 0))
        inside = np.clip(edges_us, self.at_us[0], self.at_us[-1])
        follow = np.minimum(piece + 1, len(self.at_us) - 1)
        width = np.maximum(self.at_us[follow] - self.at_us[piece], 1)
        share = np.minimum((inside - self.at_us[piece]) / width, 1.0)
        rise = self.total[follow] - self.total[piece]
        return np.where(share < 1.0, self.total[piece] + np.rint(rise * share).astype(np.int64), self.total[follow])

    def seconds_in(self, edges_us: Longs, *states: State) -> npt.NDArray[np.float64]:
        """Return the time [s] spent in these states between consecutive edges (n edges, n-1 values)."""
        width = np.where(np.isin(self.state, states), np.diff(self.at_us), 0)
        spent = np.concatenate([[0], np.cumsum(width)])
        if len(spent) != len(self.at_us):
            return np.zeros(len(edges_us) - 1)
        inside = np.clip(edges_us, self.at_us[0], self.at_us[-1])
        piece = np.clip(np.searchsorted(self.at_us, inside, side="right") - 1, 0, max(len(width) - 1, 0))
        partly = np.where(np.append(width, 0)[piece] > 0, inside - self.at_us[piece], 0)
        return np.diff(spent[piece] + partly) / US


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """What a curve says of n consecutive periods; see RollUp for the fields."""

    start: Instants
    span_s: Longs
    nano: Longs
    missing_s: Longs
    estimated_s: Longs
    gap_until: Instants
    gap_since: Instants
    first_at: Instants
    last_at: Instants


def periods(curve: Curve, edges: Instants) -> Periods:
    """Return what the curve says of the n periods between n+1 ascending edges."""
    edges_us = edges.astype("datetime64[us]").astype(np.int64)
    span = np.diff(edges_us)
    known = curve.seconds_in(edges_us, State.MEASURED, State.GAP, State.INTEGRATED)
    first, last = _resting_on(curve, edges_us)
    until, since = _crossing(curve.gaps, edges_us)
    return Periods(
        start=edges[:-1],
        span_s=span // US,
        nano=np.diff(curve.at(edges_us)),
        missing_s=np.rint(span / US - known).astype(np.int64),
        estimated_s=np.rint(curve.seconds_in(edges_us, State.INTEGRATED)).astype(np.int64),
        gap_until=until.astype("datetime64[us]"),
        gap_since=since.astype("datetime64[us]"),
        first_at=first.astype("datetime64[us]"),
        last_at=last.astype("datetime64[us]"),
    )


def _crossing(gaps: Spans, edges_us: Longs) -> tuple[Longs, Longs]:
    """Return, of each period, the end of the gap across its start and the begin of the gap across its end.

    Where gaps of several dials overlap it is the last end and the first begin of those across.
    """
    if not len(gaps):
        never = np.full(len(edges_us) - 1, NEVER)
        return never, never.copy()
    ends, by_end = np.maximum.accumulate(gaps[:, 1]), np.argsort(gaps[:, 1], kind="stable")
    begins = np.minimum.accumulate(gaps[by_end[::-1], 0])[::-1]
    place = np.searchsorted(gaps[:, 0], edges_us, side="left") - 1
    across = (place >= 0) & (ends[place] > edges_us)
    after = np.minimum(np.searchsorted(gaps[by_end, 1], edges_us, side="right"), len(gaps) - 1)
    until = np.where(across, ends[place], NEVER)[:-1]
    since = np.where(across, begins[after], NEVER)[1:]
    return until, since


def _resting_on(curve: Curve, edges_us: Longs) -> tuple[Longs, Longs]:
    """Return the instants of the readings around each period: the last by its start, the first by its end."""
    read = curve.read_us
    if not len(read):
        never = np.full(len(edges_us) - 1, NEVER)
        return never, never.copy()
    lower = np.maximum(np.searchsorted(read, edges_us[:-1], side="right") - 1, 0)
    upper = np.minimum(np.searchsorted(read, edges_us[1:], side="left"), len(read) - 1)
    nothing = (read[lower] >= edges_us[1:]) | (read[upper] <= edges_us[:-1])
    return np.where(nothing, NEVER, read[lower]), np.where(nothing, NEVER, read[upper])


def estimated_seconds(made: Periods) -> Longs:
    """Return the seconds of each period that are estimated: integrated power, and gaps that cross an edge.

    A gap that lies within the period is measured as a whole.
    """
    return made.estimated_s + gap_seconds(made.start, made.span_s, made.gap_until, made.gap_since)


def gap_seconds(start: Instants, span_s: Longs, gap_until: Instants, gap_since: Instants) -> Longs:
    """Return the seconds of periods [start, start + span_s) inside gaps that cross their start or end."""
    begin = start.astype("datetime64[us]").astype(np.int64)
    end = begin + span_s * US
    head = np.where(np.isnat(gap_until), 0, np.minimum(gap_until.astype(np.int64), end) - begin)
    tail = np.where(np.isnat(gap_since), 0, end - np.maximum(gap_since.astype(np.int64), begin))
    return np.asarray(np.minimum(head + tail, end - begin) // US)
