"""Curves of several dials to one: the sum of parts, and of several ways to know the same the best at each time.

Sums are exact: every knot of every dial and every quarter-hour is a knot of the sum, and its rises are integers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.curve import Curve, Spans, State
from core.readings import Bytes

QUARTER_US: Final = 900_000_000
"""All periods of the calendar begin and end at quarter-hours, so that a sum with knots there is exact in each."""


def added(curves: Sequence[Curve], spans: Sequence[tuple[int, int]], at_zero: Sequence[bool] = ()) -> Curve:
    """Return the sum of curves within spans [µs]: known where all of them are, in the worst of their states.

    A curve that begins `at_zero`, because its dial showed nothing yet, is known to be flat before. A long gap of a
    part stays one while the sum is known all through it; else what it counts is an estimate of part of its total.
    """
    if not curves or any(not len(curve.at_us) for curve in curves):
        return Curve.empty()
    since = min(int(curve.at_us[0]) for curve in curves)
    begun = at_zero or (False,) * len(curves)
    parts = [_flat_before(c, since) if zero else c for c, zero in zip(curves, begun, strict=True)]
    at = _knots(parts, spans)
    at = at[(at >= max(int(c.at_us[0]) for c in parts)) & (at <= min(int(c.at_us[-1]) for c in parts))]
    if len(at) < 2:  # noqa: PLR2004 - a piece has two ends
        return Curve.empty()
    states = np.max([states_of(c, at) for c in parts], axis=0)
    state = np.where(_within(at, spans), states, State.MISSING)
    rises = np.sum([np.diff(c.at(at)) for c in parts], axis=0)
    gaps = np.concatenate([c.gaps for c in parts])
    whole = _all_through(at, state != State.MISSING, gaps)
    state = np.where((state == State.GAP) & _touched(at, gaps[~whole]), State.INTEGRATED, state)
    reads = np.unique(np.concatenate([c.read_us for c in parts]))
    return _made(at, np.where(state == State.MISSING, 0, rises), state.astype(np.uint8), gaps[whole], reads)


def best(curves: Sequence[Curve]) -> Curve:
    """Return the curve that counts at each time what one of several knows, first choice first, never two of them.

    What is measured goes before long gaps, these before integrated power. Where another one counts a part of what a
    curve counts between two readings, the rest of that time counts the rest of it, so that the total stays.
    """
    filled = [curve for curve in curves if len(curve.at_us)]
    if len(filled) < 2 or _covers(filled[0], filled[1:]):  # noqa: PLR2004 - one curve needs no choice
        return filled[0] if filled else Curve.empty()
    at = _knots(filled, ())
    if len(at) < 2:  # noqa: PLR2004 - a piece has two ends
        return filled[0]
    case = _Case(at, filled)
    for number, curve in enumerate(filled):
        case.settle(number, curve, State.MEASURED)  # before long gaps, of whose totals this is a part
    gaps = [case.settle(number, curve, State.GAP) for number, curve in enumerate(filled)]
    reads = [_reads(curve, at, case.owner == number) for number, curve in enumerate(filled)]
    return _made(at, case.rise, case.state.astype(np.uint8), np.concatenate(gaps), np.unique(np.concatenate(reads)))


class _Case:
    """The pieces between knots: whose they are, what each curve counts in them, what is counted and its state."""

    def __init__(self, at: Longs, curves: Sequence[Curve]) -> None:
        self.at = at
        states = np.stack([states_of(curve, at) for curve in curves]).astype(np.int64)
        self.rises = np.stack([np.diff(curve.at(at)) for curve in curves])
        self.owner = np.argmin(states * len(curves) + np.arange(len(curves))[:, None], axis=0)
        place = np.arange(len(self.owner))
        self.state = states[self.owner, place]
        self.rise = np.where(self.state == State.MISSING, 0, self.rises[self.owner, place])

    def settle(self, number: int, curve: Curve, state: State) -> Spans:
        """Count what is left of a curve where others count a part between two readings; return the gaps that remain."""
        mine = (self.owner == number) & (self.state == state)
        bounds = _bounds(curve)
        group = np.searchsorted(bounds, self.at[:-1], side="right")  # 0 before the first, the last after all
        every = np.bincount(group, minlength=len(bounds) + 1)
        taken = np.bincount(group[mine], minlength=len(bounds) + 1)
        torn = np.flatnonzero((taken > 0) & (taken < every))
        gaps = curve.gaps[_all_through(self.at, mine, curve.gaps)]
        left = [self._rest(number, bounds[g - 1 : g + 1], mine) for g in torn.tolist() if 0 < g < len(bounds)]
        return np.concatenate([gaps, *left])

    def _rest(self, number: int, ends: Longs, mine: Bools) -> Spans:
        """Give what is left of the time between two readings the rest of the amount; return it where it is a gap."""
        i, j = np.searchsorted(self.at, ends)
        left = i + np.flatnonzero(mine[i:j])
        others = i + np.flatnonzero(~mine[i:j])
        rest = int(self.rises[number, i:j].sum() - self.rise[others].sum())
        self.rise[left] = _shared(max(rest, 0), self.rises[number, left], np.diff(self.at)[left])
        gap = bool((self.state[left] == State.GAP).any())
        if rest < 0 or (self.state[others] != State.MEASURED).any():
            self.state[left] = State.INTEGRATED
            gap = False
        hull = [[self.at[left[0]], self.at[left[-1] + 1]]] if gap else []
        return np.array(hull, np.int64).reshape(-1, 2)


def _bounds(curve: Curve) -> Longs:
    """Return the readings between which a curve knows its amounts: all but those of a dial in the gap of another."""
    merged = _merged(curve.gaps)
    place = np.searchsorted(merged[:, 0], curve.read_us, side="left") - 1
    inside = (place >= 0) & (curve.read_us < np.append(merged[:, 1], 0)[place])
    return np.unique(curve.read_us[~inside])


def _shared(total: int, like: Longs, widths: Longs) -> Longs:
    """Return a total [nano] shared like these rises, or by time where there are none."""
    weights = like if like.sum() > 0 else widths
    upto = np.rint(total * (np.cumsum(weights) / weights.sum())).astype(np.int64)
    upto[-1] = total
    return np.asarray(np.diff(upto, prepend=0))


def states_of(curve: Curve, at: Longs) -> Bytes:
    """Return the state of a curve in each piece between ascending instants [µs] that hold its knots."""
    if not len(curve.state):
        return np.full(len(at) - 1, State.MISSING, np.uint8)
    piece = np.searchsorted(curve.at_us, at[:-1], side="right") - 1
    outside = (piece < 0) | (piece >= len(curve.state))
    return np.where(outside, np.uint8(State.MISSING), curve.state[np.clip(piece, 0, len(curve.state) - 1)])


def _knots(curves: Sequence[Curve], spans: Sequence[tuple[int, int]]) -> Longs:
    """Return all knots of curves, the ends of spans among them, and the quarter-hours from the first to the last."""
    knots = np.concatenate([c.at_us for c in curves])
    first, last = int(knots.min()), int(knots.max())
    ends = [edge for span in spans for edge in span if first < edge < last]
    quarters = np.arange(-(-first // QUARTER_US), last // QUARTER_US + 1) * QUARTER_US
    return np.unique(np.concatenate([knots, quarters, np.array(ends, np.int64)]))


def _flat_before(curve: Curve, since: int) -> Curve:
    if since >= curve.at_us[0]:
        return curve
    return replace(
        curve,
        at_us=np.insert(curve.at_us, 0, since),
        total=np.insert(curve.total, 0, curve.total[0]),
        state=np.insert(curve.state, 0, np.uint8(State.MEASURED)),
    )


def _within(at: Longs, spans: Sequence[tuple[int, int]]) -> Bools:
    inside = np.zeros(len(at) - 1, bool)
    for begin, end in spans:
        inside |= (at[:-1] >= begin) & (at[1:] <= end)
    return inside


def _all_through(at: Longs, holds: Bools, gaps: Spans) -> Bools:
    """Return which gaps lie within the knots, where something holds in all pieces."""
    lacking = np.concatenate([[0], np.cumsum(~holds)])
    i = np.minimum(np.searchsorted(at, gaps).reshape(-1, 2), len(at) - 1)
    inside = (gaps[:, 0] >= at[0]) & (gaps[:, 1] <= at[-1])
    return np.asarray(inside & (lacking[i[:, 0]] == lacking[i[:, 1]]))


def _touched(at: Longs, gaps: Spans) -> Bools:
    """Return which pieces between knots lie in one of the gaps."""
    depth = np.zeros(len(at) + 1, np.int64)
    np.add.at(depth, np.searchsorted(at, gaps[:, 0]), 1)
    np.add.at(depth, np.searchsorted(at, gaps[:, 1]), -1)
    return np.asarray(np.cumsum(depth)[: len(at) - 1] > 0)


def _merged(gaps: Spans) -> Spans:
    """Return gaps that overlap as one, in order; those that touch stay apart."""
    if not len(gaps):
        return gaps
    ordered = gaps[np.argsort(gaps[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    heads = np.flatnonzero(np.concatenate([[True], ordered[1:, 0] >= reach[:-1]]))
    return np.column_stack([ordered[heads, 0], reach[np.append(heads[1:], len(reach)) - 1]])


def _covers(curve: Curve, others: Sequence[Curve]) -> bool:
    """Return whether a curve is measured all through the time of others."""
    if not len(curve.state) or (curve.state[np.diff(curve.at_us) > 0] != State.MEASURED).any():
        return False
    return all(curve.at_us[0] <= other.at_us[0] and other.at_us[-1] <= curve.at_us[-1] for other in others)


def _reads(curve: Curve, at: Longs, owned: Bools) -> Longs:
    """Return the readings of a curve at the ends of pieces that it owns."""
    beside = np.concatenate([[False], owned]) | np.concatenate([owned, [False]])
    place = np.minimum(np.searchsorted(at, curve.read_us), len(at) - 1)
    return np.asarray(curve.read_us[beside[place]])


def _made(at: Longs, rise: Longs, state: Bytes, gaps: Spans, reads: Longs) -> Curve:
    known = state != State.MISSING
    beside = np.concatenate([[False], known]) | np.concatenate([known, [False]])
    place = np.clip(np.searchsorted(at, reads), 0, len(at) - 1)
    return Curve(
        at_us=at,
        total=np.concatenate([[0], np.cumsum(rise)]),
        state=state,
        gaps=gaps[np.lexsort((gaps[:, 1], gaps[:, 0]))],
        read_us=reads[(at[place] == reads) & beside[place]],
    )
