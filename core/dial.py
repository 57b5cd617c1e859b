"""Rules 2 to 5 of the cumulative curve: from the readings of one dial to a chain of good ones.

The readings are cut wherever the dial falls or rises more than it can; the cheapest explanation of the cuts wins:
readings left out as a glitch, a roll-over, a stuck dial that caught up, or a break that the operator is asked about.
The work grows with the number of cuts, not of readings.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.notes import JsonValue, Rule
from core.plausible import HOUR_US, Limits
from core.rollup import NANO

FEW: Final = 8
"""Readings that may stand off the line and still be a glitch; a constant run (zeros) may be longer."""
WINDOW: Final = 12
"""Runs off the line that may follow on each other within one glitch."""
BREAK_COST: Final = 10.0
ROLLOVER_COST: Final = 0.5
STUCK_COST: Final = 0.6
SETTLED: Final = 3
"""Readings after a break until the dial is believed to go on there; fewer where it rose for a day."""
MENDED: Final = 0.8
MANY_BREAKS: Final = 5
CLOSE: Final = 100
"""Breaks no more readings apart than this follow on each other closely; no dial is exchanged that often."""
COUNTS: Final = frozenset({"readings"})
"""What evidence counts; all else in it are amounts."""
SAME_DIAL: Final = 0.005
"""How near a jump comes to a power of ten where the same dial is written in another unit."""
NEAR_TURN: Final = 0.1
"""A roll-over is proposed where both readings are within this share of the dial's range around its turn."""


SNAP_US: Final = 36 * HOUR_US
"""How far from its recorded instant an event is looked for: people write the day, not the minute."""


class Join(IntEnum):
    """How the curve goes from one kept reading to the next."""

    LINE = 0
    ROLLOVER = 1
    BREAK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A fault found on a dial: rule, span [µs], the numbers it rests on [nano] and a proposed event."""

    rule: Rule
    first_us: int
    last_us: int
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    proposal: Mapping[str, JsonValue] | None = None

    def told(self) -> dict[str, JsonValue]:
        """Return the evidence, amounts in the canonical unit."""
        return {name: value if name in COUNTS else value / NANO for name, value in self.evidence.items()}

    def proposed(self, write: Callable[[int], str]) -> dict[str, JsonValue] | None:
        """Return the proposed event: kind, instant as `write` puts it, final and first dial in the canonical unit."""
        if self.proposal is None:
            return None
        dials = {name: self.proposal[name] / NANO for name in ("final", "first")}
        return {"kind": self.proposal["kind"], "at": write(int(self.proposal["at_us"]))} | dials


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The good readings of a dial: instants [µs], its `shown` values [nano], amounts counted since the first [nano].

    `broken` tells which of the n-1 pieces between them are breaks, of which nothing is known.
    """

    at_us: Longs
    shown: Longs
    counted: Longs
    broken: Bools
    marks: tuple[Mark, ...] = ()

    def until(self, end: int) -> "Chain":
        """Return the chain of the first `end` readings."""
        return replace(
            self,
            at_us=self.at_us[:end],
            shown=self.shown[:end],
            counted=self.counted[:end],
            broken=self.broken[: max(end - 1, 0)],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """What is known of a dial: limits, modulus [nano] (None: unknown) and recorded roll-overs [µs]."""

    limits: Limits
    modulus: int | None = None
    rollovers_us: tuple[int, ...] = ()
    moduli: tuple[int, ...] = ()
    """Moduli [nano] to think of where none is known: powers of ten and two in the dial's own unit."""


@dataclass(slots=True)
class _Step:
    """The cheapest way to keep a run: its cost, the run before, and the readings between that are kept or not."""

    cost: float
    before: int
    left: int
    right: int
    join: Join
    rule: Rule | None = None
    wrap: int = 0


def chain(at_us: Longs, nano: Longs, dial: Dial) -> Chain:
    """Return the chain of good readings of one dial (n instants [µs] ascending, n values [nano])."""
    rise = np.diff(nano)
    cuts = np.flatnonzero((rise < 0) | (rise > dial.limits.most(np.diff(at_us))))
    if not len(cuts):
        return Chain(at_us=at_us, shown=nano, counted=nano - nano[:1].sum(), broken=np.zeros(len(rise), bool))
    return _Reader(at_us, nano, dial, cuts).read()


class _Reader:
    """Explains the cuts of one dial."""

    def __init__(self, at_us: Longs, nano: Longs, dial: Dial, cuts: Longs) -> None:
        self.at = at_us
        self.nano = nano
        self.dial = dial
        self.first = np.concatenate([[0], cuts + 1]).tolist()
        self.last = np.concatenate([cuts, [len(nano) - 1]]).tolist()
        self.weight = [self._weight(a, b) for a, b in zip(self.first, self.last, strict=True)]

    def _weight(self, first: int, last: int) -> float:
        """Return what it costs to leave a run out: its readings, few for a constant run, more than a break else."""
        count = last - first + 1
        if count > 1 and self.nano[first] == self.nano[last]:
            return 2.0 + 1e-3 * min(count, 1000)
        return float(count) if count <= FEW else 2 * BREAK_COST + count

    def read(self) -> Chain:
        steps = self._cheapest()
        kept, breaks, wraps, marks = self._follow(steps)
        counted = np.zeros(len(kept), np.int64)
        rises = np.diff(self.nano[kept]) + wraps
        counted[1:] = np.cumsum(np.where(breaks, 0, rises))
        shown = self.nano[kept]
        made = Chain(at_us=self.at[kept], shown=shown, counted=counted, broken=breaks, marks=tuple(marks))
        return _settled(_in_scale(_believed(made)))

    def _cheapest(self) -> list[_Step]:
        steps = [_Step(0.0, -1, -1, 0, Join.LINE)]
        for run in range(1, len(self.first)):
            steps.append(min(self._ways(steps, run), key=lambda s: s.cost))
        return steps

    def _ways(self, steps: list[_Step], run: int) -> list[_Step]:
        """Return the ways to keep a run after an earlier one, the runs between left out."""
        ways: list[_Step] = []
        skipped = 0.0
        for before in range(run - 1, max(-1, run - 2 - WINDOW), -1):
            ways += self._ways_from(steps[before], before, run, steps[before].cost + skipped)
            skipped += self.weight[before]
            if skipped > 2 * BREAK_COST:
                break
        if self._false_start(run):
            ways.append(_Step(1.0, -1, -1, self.first[run], Join.LINE, Rule.GLITCH))
        return ways

    def _ways_from(self, base: _Step, before: int, run: int, cost: float) -> list[_Step]:
        left, right = self.last[before], self.first[run]
        direct = before == run - 1
        ways = [_Step(cost + BREAK_COST, before, left, right, Join.BREAK, Rule.BREAK if direct else Rule.GLITCH)]
        joined = self._joined(before, run, cost, direct=direct)
        if joined is not None:
            ways.append(joined)
        if direct:
            ways += self._trimmed(before, run, cost)
        return [way for way in ways if way.left >= base.right]

    def _false_start(self, run: int) -> bool:
        """Return whether all before a run are a few zeros at boot."""
        end = self.first[run]
        return end <= SETTLED and not self.nano[:end].any() and bool(self.nano[end])

    def _joined(self, before: int, run: int, cost: float, *, direct: bool) -> _Step | None:
        left, right = self.last[before], self.first[run]
        glitch = None if direct else Rule.GLITCH
        if self._plausible(left, right):
            return _Step(cost, before, left, right, Join.LINE, glitch)
        wrap = self._wrap(left, right)
        if wrap:
            return _Step(cost + ROLLOVER_COST, before, left, right, Join.ROLLOVER, glitch, wrap)
        moved = self._stuck_since(left, right, self.first[before])
        if moved is not None:
            return _Step(cost + STUCK_COST, before, moved, right, Join.LINE, Rule.STUCK)
        return None

    def _plausible(self, left: int, right: int) -> bool:
        rise = int(self.nano[right] - self.nano[left])
        return 0 <= rise <= float(self.dial.limits.most(float(self.at[right] - self.at[left])))

    def _wrap(self, left: int, right: int) -> int:
        """Return the modulus by which a fall is a roll-over, 0 where it is none."""
        low, high = int(self.nano[right]), int(self.nano[left])
        if low >= high or low < 0:
            return 0
        most = float(self.dial.limits.most(float(self.at[right] - self.at[left])))
        known: tuple[int, ...] = (self.dial.modulus,) if self.dial.modulus else ()
        if not known and self._turned(left, right):
            known = self.dial.moduli
        return min((m for m in known if 0 <= low + m - high <= most and high <= m), default=0)

    def _turned(self, left: int, right: int) -> bool:
        """Return whether a roll-over is recorded for the time between two readings, within a day and a half."""
        return any(self.at[left] - SNAP_US <= t <= self.at[right] + SNAP_US for t in self.dial.rollovers_us)

    def _stuck_since(self, left: int, right: int, start: int) -> int | None:
        """Return the first of the equal readings before an impossible rise that is usual for the time since."""
        usual = self.dial.limits.usual
        rise = int(self.nano[right] - self.nano[left])
        if usual is None or rise <= 0:
            return None
        same = np.flatnonzero(self.nano[start : left + 1] != self.nano[left])
        since = start + (int(same[-1]) + 1 if len(same) else 0)
        elapsed_h = float(self.at[right] - self.at[since]) / HOUR_US
        return since if left - since >= SETTLED and rise <= usual * elapsed_h else None

    def _trimmed(self, before: int, run: int, cost: float) -> list[_Step]:
        """Return the ways that leave out the head of a run, or the tail of the one before, at a fall."""
        left, right = self.last[before], self.first[run]
        if self.nano[left] <= self.nano[right]:
            return []
        ways = []
        head = self._returned(left, right, self.last[run])
        if head is not None:
            ways.append(_Step(cost + min(head - right, FEW), before, left, head, Join.LINE, Rule.GLITCH))
        tail = self._left_line(self.first[before], left, right)
        if tail is not None:
            ways.append(_Step(cost + left - tail, before, tail, right, Join.LINE, Rule.GLITCH))
        return ways

    def _returned(self, left: int, right: int, end: int) -> int | None:
        """Return the first reading after a fall that is back on the line, None where the dial just goes on lower."""
        regained = right + int(np.searchsorted(self.nano[right : end + 1], self.nano[left]))
        fall = int(self.nano[left] - self.nano[right])
        steps = range(regained, min(right + FEW, end) + 1)
        back = next((i for i in steps if i > right and self._unusual(i - 1, i, fall)), None)
        if back is None and regained <= end and self._slight(fall, left, right, regained, regained - right):
            back = regained
        return back if back is not None and self._plausible(left, back) else None

    def _left_line(self, start: int, left: int, right: int) -> int | None:
        """Return the last reading before a fall that was on the line, None where the dial just fell."""
        below = start + int(np.searchsorted(self.nano[start : left + 1], self.nano[right], side="right")) - 1
        fall = int(self.nano[left] - self.nano[right])
        steps = range(below, max(left - FEW, start) - 1, -1)
        gone = next((i for i in steps if i < left and self._unusual(i, i + 1, fall)), None)
        if gone is None and below >= start and self._slight(fall, below, right, right, left - below):
            gone = below
        return gone if gone is not None and self._plausible(gone, right) else None

    def _unusual(self, low: int, high: int, fall: int) -> bool:
        """Return whether a step is more than usual, or, with little known, about as large as the fall that it mends."""
        rise = int(self.nano[high] - self.nano[low])
        usual = self.dial.limits.usual
        if usual is None:
            return rise >= MENDED * fall
        return rise > usual * float(self.at[high] - self.at[low]) / HOUR_US

    def _slight(self, fall: int, left: int, low: int, back: int, count: int) -> bool:
        """Return whether a fall is within the last digits, or less than what usually flows until it is made good.

        A dial that loses more than half of what it shows may have started again at zero: that is no slight fall.
        """
        if fall <= 2 * self.dial.limits.quantum:
            return True
        usual = self.dial.limits.usual or 0.0
        elapsed_h = float(self.at[back] - self.at[left]) / HOUR_US
        return count <= FEW and fall < int(self.nano[low]) and fall <= usual * elapsed_h

    def _follow(self, steps: list[_Step]) -> tuple[Longs, Bools, Longs, list[Mark]]:
        """Return the kept readings, and for each pair of them whether it is a break and what a roll-over adds."""
        keep = np.ones(len(self.nano), bool)
        marks: list[Mark] = []
        joins: list[_Step] = []
        run = len(steps) - 1
        while run > 0:
            step = steps[run]
            keep[step.left + 1 : step.right] = False
            marks += self._marks(step)
            if step.before < 0:
                break
            joins.append(step)
            run = step.before
        kept = np.flatnonzero(keep)
        broken, wraps = np.zeros(max(len(kept) - 1, 0), bool), np.zeros(max(len(kept) - 1, 0), np.int64)
        for step in joins:
            place = int(np.searchsorted(kept, step.left))
            broken[place] = step.join is Join.BREAK
            wraps[place] = step.wrap
        return kept, broken, wraps, marks[::-1]

    def _marks(self, step: _Step) -> list[Mark]:
        left, right = step.left, step.right
        around = {"before": int(self.nano[max(left, 0)]), "after": int(self.nano[right])}
        first, last = int(self.at[max(left, 0)]), int(self.at[right])
        marks = []
        if step.rule in {Rule.GLITCH, Rule.STUCK} and right - left > 1:
            out = self.nano[left + 1 : right]
            evidence = around | {"readings": right - left - 1, "lowest": int(out.min()), "highest": int(out.max())}
            span = int(self.at[left + 1]), int(self.at[right - 1])
            marks.append(Mark(rule=step.rule, first_us=span[0], last_us=span[1], evidence=evidence))
        if step.join is Join.ROLLOVER:
            evidence = around | {"modulus": step.wrap}
            marks.append(Mark(rule=Rule.ROLLOVER, first_us=first, last_us=last, evidence=evidence))
        if step.join is Join.BREAK:
            proposal = self._proposal(left, right)
            marks.append(Mark(rule=Rule.BREAK, first_us=first, last_us=last, evidence=around, proposal=proposal))
        return marks

    def _proposal(self, left: int, right: int) -> dict[str, JsonValue]:
        """Return the event that would explain a break best."""
        high, low = int(self.nano[left]), int(self.nano[right])
        most = float(self.dial.limits.most(float(self.at[right] - self.at[left])))
        about = {"at_us": int(self.at[right]), "final": high, "first": low}
        if high > low >= 0 and any(high <= m and low + m - high <= min(most, NEAR_TURN * m) for m in self.dial.moduli):
            return {"kind": "rollover"} | about
        usual = self.dial.limits.usual or self.dial.limits.rate
        elapsed_h = float(self.at[right] - self.at[left]) / HOUR_US
        return {"kind": "reset" if 0 <= low <= min(usual * elapsed_h, NEAR_TURN * high) else "swap"} | about


def _believed(made: Chain) -> Chain:
    """Return the chain with all unknown between breaks that follow on each other closely: that is no dial."""
    breaks = np.flatnonzero(made.broken)
    groups = np.split(breaks, np.flatnonzero(np.diff(breaks) > CLOSE) + 1)
    broken = made.broken.copy()
    for group in groups:
        if len(group) >= MANY_BREAKS:
            broken[group[0] : group[-1]] = True
    return _with_breaks(made, broken)


def _with_breaks(made: Chain, broken: Bools) -> Chain:
    rises = np.where(broken, 0, np.diff(made.counted))
    return replace(made, broken=broken, counted=np.concatenate([[0], np.cumsum(rises)]))


def _in_scale(made: Chain) -> Chain:
    """Return the chain with what follows a jump by a power of ten unknown, until a jump back by the same.

    Such a jump is a unit that changed without a word: the dial goes on, but what it counts is not known.
    """
    breaks = np.flatnonzero(made.broken).tolist()
    broken, off = made.broken.copy(), 0
    for place, following in pairwise([*breaks, len(made.broken)]):
        jump = _power_of_ten(int(made.shown[place]), int(made.shown[place + 1]))
        off = jump if off == 0 else 0 if jump == -off else off
        broken[place:following] |= off != 0
    return _with_breaks(made, broken)


def _power_of_ten(before: int, after: int) -> int:
    """Return the power of ten by which a value is another's multiple, within a few thousandths; 0 where it is none."""
    if min(before, after) <= 0:
        return 0
    ratio = math.log10(after / before)
    return round(ratio) if abs(10 ** (ratio - round(ratio)) - 1) <= SAME_DIAL else 0


def _settled(made: Chain) -> Chain:
    """Return the chain without the few readings after a last break that do not yet tell where the dial goes on."""
    breaks = np.flatnonzero(made.broken)
    if not len(breaks):
        return made
    first, last = int(breaks[-1]) + 1, len(made.at_us) - 1
    rose = made.counted[last] > made.counted[first] and made.at_us[last] - made.at_us[first] >= 24 * HOUR_US
    return made if rose or last - first + 1 >= SETTLED else made.until(first)
