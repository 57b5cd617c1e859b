"""Rule 7 of the cumulative curve: amounts in stated periods, amounts since the last message, and power.

Each becomes knots and pieces like those of a dial; what no amount covers is missing.
"""

from typing import Final

import numpy as np

from core.calendar import US, Bools, Longs
from core.curve import State
from core.dial import Mark
from core.notes import Rule
from core.plausible import HOUR_US, Limits
from core.readings import Bytes

Pieces = tuple[Longs, Longs, Bytes, list[Mark]]
"""Knots' instants [µs], cumulated totals [nano], the states of the pieces between, and what was found."""


def from_intervals(at_us: Longs, span_s: Longs, nano: Longs, limits: Limits) -> Pieces:
    """Return the pieces of n amounts [nano], each of the `span_s` seconds that end at `at_us` [µs].

    Amounts below zero or above what can flow are left out; of two that cover the same time the finer stays.
    """
    begin = at_us - span_s * US
    marks = _flag(nano < 0, begin, at_us, nano, Rule.NEGATIVE)
    marks += _flag(nano > limits.most(span_s * US), begin, at_us, nano, Rule.GLITCH)
    good = (nano >= 0) & (nano <= limits.most(span_s * US)) & (span_s > 0)
    begin, end, nano = begin[good], at_us[good], nano[good]
    alone = _finest(begin, end)
    marks += _flag(~alone, begin, end, nano, Rule.OVERLAP)
    return _covered(begin[alone], end[alone], nano[alone], State.MEASURED, marks)


def from_deltas(at_us: Longs, nano: Longs, limits: Limits, gap_us: int) -> Pieces:
    """Return the pieces of n amounts [nano] since the previous message.

    Where a message is missing, only the usual time before the amount is covered by it; the first covers nothing
    that is known.
    """
    elapsed = np.diff(at_us, prepend=at_us[:1])
    usual = int(np.median(elapsed[1:])) if len(elapsed) > 1 else 0
    begin = at_us - np.where(elapsed > gap_us, usual, elapsed)
    marks = _flag(nano < 0, begin, at_us, nano, Rule.NEGATIVE)
    marks += _flag(nano > limits.most(at_us - begin), begin, at_us, nano, Rule.GLITCH)
    good = (nano >= 0) & (nano <= limits.most(at_us - begin)) & (at_us > begin)
    return _covered(begin[good], at_us[good], nano[good], State.MEASURED, marks)


def from_power(at_us: Longs, rate: Longs, gap_us: int) -> Pieces:
    """Return the pieces that n instantaneous rates [nano/h] integrate to: estimated, missing over a long gap."""
    marks = _flag(rate < 0, at_us, at_us, rate, Rule.NEGATIVE)
    level = np.maximum(rate, 0).astype(float)
    elapsed = np.diff(at_us)
    missing = elapsed > gap_us
    amount = np.where(missing, 0.0, (level[:-1] + level[1:]) / 2 * elapsed / HOUR_US)
    total = np.concatenate([[0], np.cumsum(np.rint(amount).astype(np.int64))])[: len(at_us)]
    state = np.where(missing, State.MISSING, State.INTEGRATED).astype(np.uint8)
    return at_us, total, state, marks


MOST_MARKS: Final = 50
"""Amounts of one kind of fault that are listed singly; the last mark of more counts the rest."""


def _flag(bad: Bools, begin: Longs, end: Longs, nano: Longs, rule: Rule) -> list[Mark]:
    places = np.flatnonzero(bad)
    marks = [
        Mark(rule=rule, first_us=int(begin[i]), last_us=int(end[i]), evidence={"amount": int(nano[i])})
        for i in places[:MOST_MARKS]
    ]
    if len(places) > MOST_MARKS:
        rest = places[MOST_MARKS:]
        span = int(begin[rest].min()), int(end[rest].max())
        marks.append(Mark(rule=rule, first_us=span[0], last_us=span[1], evidence={"readings": len(rest)}))
    return marks


def _finest(begin: Longs, end: Longs) -> Bools:
    """Return which intervals stay so that none overlaps another: shorter ones first, then earlier ones."""
    keep = np.ones(len(begin), bool)
    order = np.argsort(begin, kind="stable")
    reach = np.maximum.accumulate(end[order])
    if not (begin[order][1:] < reach[:-1]).any():
        return keep
    kept: list[tuple[int, int]] = []
    keep[:] = False
    for i in np.lexsort((begin, end - begin)):  # only where intervals overlap at all
        place = int(np.searchsorted([b for b, _ in kept], begin[i])) if kept else 0
        before = place == 0 or kept[place - 1][1] <= begin[i]
        after = place == len(kept) or kept[place][0] >= end[i]
        if before and after:
            kept.insert(place, (int(begin[i]), int(end[i])))
            keep[i] = True
    return keep


def _covered(begin: Longs, end: Longs, nano: Longs, state: State, marks: list[Mark]) -> Pieces:
    """Return the pieces of amounts that do not overlap; between them nothing is known."""
    order = np.argsort(begin, kind="stable")
    begin, end, nano = begin[order], end[order], nano[order]
    after = np.cumsum(nano)
    at = np.column_stack([begin, end]).ravel()
    total = np.column_stack([after - nano, after]).ravel()
    states = np.full(max(len(at) - 1, 0), State.MISSING, np.uint8)
    states[::2] = state
    return at, total, states, marks
