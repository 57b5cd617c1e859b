"""From the readings of a point's meters, their mountings and recorded events to the point's curve.

A mounting is one dial on the point from an instant to another; recorded swaps and resets cut it into several.
Rule 2 joins them: the old dial's final reading to the new one's first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from core import amounts
from core.calendar import US, Longs, micros
from core.curve import Curve, State
from core.dial import SNAP_US, Chain, Dial, Mark, chain
from core.gaps import DayTypes, spread
from core.notes import Rule
from core.plausible import HOUR_US, Limits, learn
from core.readings import Bytes, Kind, Quality, Readings, last_wins
from core.registry import DialEvent, EventKind
from core.rollup import NANO
from core.units import Unit

FOREVER: Final = 2**62
LEAST_GAP_US: Final = 2 * HOUR_US
MOST_GAP_US: Final = 48 * HOUR_US
USUAL_DISTANCES: Final = 2.5
SATURATED: Final = 4.0e18


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounting:
    """One meter on a point in [start_us, end_us): readings of `device` times `multiplier`.

    `first` and `final` are dial readings at its start and end [kWh, m³], before the multiplier; None where unknown.
    `modulus` is where the dial rolls over [kWh, m³], `moduli` where it might.
    """

    device: str
    start_us: int = -FOREVER
    end_us: int = FOREVER
    first: float | None = None
    final: float | None = None
    modulus: float | None = None
    moduli: tuple[float, ...] = ()
    multiplier: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is set for a point: the most that can flow [kW, m³/h], allowed gap [h], unit, like days.

    `window_us` is the span of the readings at hand where there are more in the store; outside of it stand only the
    next ones on both sides, so that nothing recorded further away is joined to them.
    `limits` learnt before, by device, take the place of learning from the readings at hand.
    """

    unit: str = "kWh"
    max_rate: float | None = None
    allowed_gap_h: float | None = None
    day_types: DayTypes = field(default_factory=DayTypes)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    window_us: tuple[int, int] = (-FOREVER, FOREVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A curve and what was found on the way, by device; `limits` are those that were used, by device."""

    curve: Curve
    marks: tuple[tuple[str, Mark], ...]
    limits: dict[str, Limits]


def moduli(unit: Unit) -> tuple[float, ...]:
    """Return where dials of a unit may roll over [canonical unit]: powers of ten, 16 and 32 bits."""
    counts = [*(10**k for k in range(3, 11)), 2**16, 2**32]
    return tuple(count * unit.scale / unit.divisor for count in counts)


def build(readings: Readings, mountings: Sequence[Mounting], events: Sequence[DialEvent], rules: Rules) -> Built:
    """Return the curve of a point from one register's readings of its devices.

    Readings need no order; of several at one instant the later received counts. Events are those of the devices.
    """
    unique, lost = last_wins(readings)
    parts: list[_Part] = []
    marks: list[tuple[str, Mark]] = []
    limits: dict[str, Limits] = {}
    for stay in _stays(mountings, events):
        whole = replace(stay.mounting, end_us=stay.end_us)
        mine = _of(unique, whole)
        limits[whole.device] = rules.limits.get(whole.device) or _limits(mine, rules)
        marks += [(whole.device, mark) for mark in _revisions(mine, _of(lost, whole))]
        parts += _parts(mine, stay, limits[whole.device], rules)
    curve, gap_marks = _joined(parts)
    marks += [(part.device, mark) for part in parts for mark in part.marks]
    marks += [(parts[i].device, mark) for i, mark in gap_marks]
    return Built(curve=spread(curve, rules.day_types), marks=tuple(sorted(marks, key=_by_time)), limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """A recorded swap or reset: the dial's final reading before and first after, and the mounting that follows."""

    at_us: int
    final: float | None
    first: float | None
    rule: Rule
    after: Mounting


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stay:
    """The time of one device on the point: its first mounting, until when, what was exchanged, recorded roll-overs."""

    mounting: Mounting
    end_us: int
    exchanges: tuple[_Exchange, ...]
    rollovers_us: tuple[int, ...]


def _stays(mountings: Sequence[Mounting], events: Sequence[DialEvent]) -> list[_Stay]:
    """Return the stays in order of time; mountings of one device that follow on each other are one."""
    stays: list[_Stay] = []
    for mounting in sorted(mountings, key=lambda m: m.start_us):
        here = [e for e in events if e.meter == mounting.device and not e.retracted]
        here = [e for e in here if mounting.start_us <= _us(e) <= mounting.end_us and not _told_by(e, mounting)]
        made = (_exchange(e, mounting) for e in here if e.kind is not EventKind.ROLLOVER)
        exchanges = sorted(made, key=lambda x: x.at_us)
        turns = tuple(_us(e) for e in here if e.kind is EventKind.ROLLOVER)
        last = stays[-1] if stays else None
        if last and last.end_us == mounting.start_us and _same_dialling(last.mounting, mounting):
            former = last.exchanges[-1].after if last.exchanges else last.mounting
            between = _Exchange(
                at_us=mounting.start_us, final=former.final, first=mounting.first, rule=Rule.SWAP, after=mounting
            )
            joined = (*last.exchanges, between, *exchanges)
            stays[-1] = replace(last, end_us=mounting.end_us, exchanges=joined, rollovers_us=last.rollovers_us + turns)
        else:
            stays.append(
                _Stay(mounting=mounting, end_us=mounting.end_us, exchanges=tuple(exchanges), rollovers_us=turns)
            )
    return stays


def _told_by(event: DialEvent, mounting: Mounting) -> bool:
    """Return whether an event tells of the swap that the mounting's own start or end tells already."""
    near = min(abs(_us(event) - mounting.start_us), abs(_us(event) - mounting.end_us)) <= SNAP_US
    return event.kind is EventKind.SWAP and near


def _same_dialling(former: Mounting, mounting: Mounting) -> bool:
    return former.device == mounting.device and former.multiplier == mounting.multiplier


def _exchange(event: DialEvent, mounting: Mounting) -> _Exchange:
    first = 0.0 if event.first is None and event.kind is EventKind.RESET else event.first
    rule = Rule.SWAP if event.kind is EventKind.SWAP else Rule.RESET
    return _Exchange(at_us=_us(event), final=event.final, first=first, rule=rule, after=mounting)


def _by_time(item: tuple[str, Mark]) -> tuple[int, int]:
    return item[1].first_us, item[1].last_us


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mine:
    """The readings of one mounting: instants [µs] ascending, values [nano], and the rest of the columns."""

    at_us: Longs
    nano: Longs
    raw: Readings

    def between(self, first: int, last: int) -> "_Mine":
        span = np.arange(first, last)
        return _Mine(at_us=self.at_us[first:last], nano=self.nano[first:last], raw=self.raw.take(span))


def _nano(value: float, mounting: Mounting) -> int:
    return round(value * mounting.multiplier * NANO)


def _of(readings: Readings, mounting: Mounting) -> _Mine:
    """Return the readings of a mounting, those at its very end included (the final reading)."""
    codes = [i for i, key in enumerate(readings.series) if key.meter == mounting.device]
    at = micros(readings.at)
    mine = np.isin(readings.code, codes) & (at >= mounting.start_us) & (at <= mounting.end_us)
    chosen = readings.take(mine)
    counted = np.clip(np.rint(chosen.value * (mounting.multiplier * NANO)), -SATURATED, SATURATED)
    return _Mine(at_us=at[mine], nano=counted.astype(np.int64), raw=chosen)


def _revisions(mine: _Mine, lost: _Mine) -> list[Mark]:
    """Return the instants at which a reading replaced a different one."""
    if not len(lost.at_us):
        return []
    place = np.searchsorted(mine.at_us, lost.at_us)
    taken = mine.nano[place]
    differs = np.flatnonzero(lost.nano != taken)
    return [
        Mark(
            rule=Rule.REVISION,
            first_us=int(lost.at_us[i]),
            last_us=int(lost.at_us[i]),
            evidence={"former": int(lost.nano[i]), "taken": int(taken[i])},
        )
        for i in differs
    ]


def _dial_kind(mine: _Mine) -> Kind:
    """Return the kind of reading that makes the curve: a dial where there is one, else the amounts, else power."""
    present = np.bincount(mine.raw.kind, minlength=len(Kind))
    return next((kind for kind in (Kind.CUMULATIVE, Kind.INTERVAL, Kind.DELTA) if present[kind]), Kind.GAUGE)


def _limits(mine: _Mine, rules: Rules) -> Limits:
    kind = _dial_kind(mine)
    used = mine.raw.kind == kind
    at, nano = mine.at_us[used], mine.nano[used]
    if kind is Kind.INTERVAL:
        ends = np.concatenate([[0], np.cumsum(np.maximum(nano, 0))])
        spans = np.concatenate([[0], np.cumsum(mine.raw.span_s[used] * US)])
        return learn(spans, ends, max_rate=rules.max_rate, unit=rules.unit)
    if kind is Kind.DELTA:
        return learn(at, np.cumsum(np.maximum(nano, 0)), max_rate=rules.max_rate, unit=rules.unit)
    return learn(at, nano, max_rate=rules.max_rate, unit=rules.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A stretch of the curve: knots [µs], totals since its start [nano], states of its pieces, readings [µs]."""

    device: str
    at_us: Longs
    total: Longs
    state: Longs | Bytes
    read_us: Longs
    gap_us: int
    marks: tuple[Mark, ...]


def _parts(mine: _Mine, stay: _Stay, limits: Limits, rules: Rules) -> list[_Part]:
    """Return the stretches of one stay, cut at its recorded swaps and resets."""
    kind = _dial_kind(mine)
    mine = _chosen(mine, kind)
    gap_us = _gap_us(mine.at_us, rules)
    if kind is not Kind.CUMULATIVE and len(mine.at_us):
        return [_from_amounts(mine, stay.mounting, kind, limits, gap_us)]
    case = _Case(limits=limits, gap_us=gap_us, rollovers_us=stay.rollovers_us, window_us=rules.window_us)
    parts: list[_Part] = []
    mounting, rest = stay.mounting, 0
    for exchange in stay.exchanges:
        place, at = _cut(mine, exchange, limits, rest)
        old = replace(mounting, end_us=at, final=exchange.final)
        part = _from_dial(mine.between(rest, place), old, case)
        parts.append(replace(part, marks=(*part.marks, _recorded(exchange, at))))
        mounting = replace(exchange.after, start_us=at, first=exchange.first)
        rest = place
    parts.append(_from_dial(mine.between(rest, len(mine.at_us)), mounting, case))
    return parts


def _chosen(mine: _Mine, kind: Kind) -> _Mine:
    used = mine.raw.kind == kind
    if kind is Kind.CUMULATIVE:
        used = used & ((mine.raw.quality & Quality.SUSPECT) == 0)
    return _Mine(at_us=mine.at_us[used], nano=mine.nano[used], raw=mine.raw.take(used))


def _us(event: DialEvent) -> int:
    return round(event.at.timestamp() * US)


def _recorded(exchange: _Exchange, at: int) -> Mark:
    named = (("final", exchange.final), ("first", exchange.first))
    shown = {name: _nano(value, exchange.after) for name, value in named if value is not None}
    return Mark(rule=exchange.rule, first_us=at, last_us=at, evidence=shown)


def _gap_us(at_us: Longs, rules: Rules) -> int:
    if rules.allowed_gap_h is not None:
        return round(rules.allowed_gap_h * HOUR_US)
    typical = float(np.median(np.diff(at_us))) if len(at_us) > 1 else 0.0
    return int(np.clip(USUAL_DISTANCES * typical, LEAST_GAP_US, MOST_GAP_US))


def _cut(mine: _Mine, exchange: _Exchange, limits: Limits, least: int) -> tuple[int, int]:
    """Return the first reading of the new dial, and the instant of the exchange [µs].

    The recorded instant holds if the readings around it fit; else the nearest fall or jump that fits the recorded
    final and first reading is taken, within a day and a half.
    """
    at = exchange.at_us
    fits = _Fit(mine, exchange, limits)
    place = max(int(np.searchsorted(mine.at_us, at, side="left")), least)
    if place < len(mine.at_us) and mine.at_us[place] == at and fits.shows_old(place):
        place += 1
    if fits.at(place, at):
        return place, at
    near = np.arange(*np.searchsorted(mine.at_us, [at - SNAP_US, at + SNAP_US]))
    rise = np.diff(mine.nano, prepend=mine.nano[:1])[near]
    elapsed = np.diff(mine.at_us, prepend=mine.at_us[:1])[near]
    jumps = near[(near > least) & ((rise < 0) | (rise > limits.most(elapsed)))]
    beside = [i for i in (place, place + 1) if least < i < len(mine.at_us)]
    for jump in beside + jumps[np.argsort(np.abs(mine.at_us[jumps] - at), kind="stable")].tolist():
        moved = fits.balanced(jump)
        if fits.at(jump, moved):
            return jump, moved
    return place, at


class _Fit:
    """Whether the readings on both sides of a cut fit a recorded exchange."""

    def __init__(self, mine: _Mine, exchange: _Exchange, limits: Limits) -> None:
        self.mine = mine
        self.limits = limits
        self.final = None if exchange.final is None else _nano(exchange.final, exchange.after)
        self.first = None if exchange.first is None else _nano(exchange.first, exchange.after)

    def shows_old(self, place: int) -> bool:
        """Return whether a reading at the very instant of the exchange is the old dial's."""
        shown = int(self.mine.nano[place])
        if self.final is not None and self.first is not None:
            return abs(shown - self.final) < abs(shown - self.first)
        if self.final is not None:
            return shown == self.final
        if self.first is not None:
            return shown < self.first
        return place > 0 and shown >= self.mine.nano[place - 1]

    def at(self, place: int, at: int) -> bool:
        """Return whether the old dial leads to its final reading and the new one starts from its first."""
        old = self._leads(place - 1, at, self.final, before=True)
        new = self._leads(place, at, self.first, before=False)
        return old and new and (self.final is not None or self.first is not None or self._jumps(place))

    def balanced(self, place: int) -> int:
        """Return the instant [µs] between two readings at which both dials would have run at one rate."""
        begin, end = int(self.mine.at_us[place - 1]), int(self.mine.at_us[place])
        old = 0 if self.final is None else max(self.final - int(self.mine.nano[place - 1]), 0)
        new = 0 if self.first is None else max(int(self.mine.nano[place]) - self.first, 0)
        return begin + round((end - begin) * (old / (old + new) if old + new else 0.5))

    def _leads(self, reading: int, at: int, dial: int | None, *, before: bool) -> bool:
        if dial is None or not 0 <= reading < len(self.mine.at_us):
            return True
        rise = dial - int(self.mine.nano[reading]) if before else int(self.mine.nano[reading]) - dial
        elapsed = abs(at - int(self.mine.at_us[reading]))
        return 0 <= rise <= (float(self.limits.most(float(elapsed))) if elapsed else 0)

    def _jumps(self, place: int) -> bool:
        if not 0 < place < len(self.mine.at_us):
            return True
        rise = int(self.mine.nano[place] - self.mine.nano[place - 1])
        return rise < 0 or rise > float(self.limits.most(float(self.mine.at_us[place] - self.mine.at_us[place - 1])))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What holds for all dials of a stay."""

    limits: Limits
    gap_us: int
    rollovers_us: tuple[int, ...]
    window_us: tuple[int, int]


def _from_dial(mine: _Mine, mounting: Mounting, case: _Case) -> _Part:
    dial = Dial(
        limits=case.limits,
        modulus=None if mounting.modulus is None else _nano(mounting.modulus, mounting),
        rollovers_us=case.rollovers_us,
        moduli=tuple(_nano(m, mounting) for m in mounting.moduli),
    )
    made = chain(mine.at_us, mine.nano, dial)
    marks = list(made.marks)
    if mounting.first is not None and mounting.start_us > -FOREVER:
        recorded = mounting.start_us, _nano(mounting.first, mounting)
        made = _extended(made, recorded, dial, case.window_us, marks, front=True)
    if mounting.final is not None and mounting.end_us < FOREVER:
        recorded = mounting.end_us, _nano(mounting.final, mounting)
        made = _extended(made, recorded, dial, case.window_us, marks, front=False)
    return _Part(
        device=mounting.device,
        at_us=made.at_us,
        total=made.counted,
        state=np.where(made.broken, State.MISSING, State.MEASURED),
        read_us=made.at_us,
        gap_us=case.gap_us,
        marks=tuple(marks),
    )


def _extended(
    made: Chain, recorded: tuple[int, int], dial: Dial, window_us: tuple[int, int], marks: list[Mark], *, front: bool
) -> Chain:
    """Return the chain with a recorded (instant [µs], dial [nano]) at its front or end, where it fits."""
    at, shown = recorded
    near_at = int(made.at_us[0 if front else -1]) if len(made.at_us) else at
    if near_at < window_us[0] if front else near_at > window_us[1]:
        return made  # other readings lie between, which are not at hand
    if not len(made.at_us):
        knot = np.array([at]), np.array([shown]), np.array([0])
        return replace(made, at_us=knot[0], shown=knot[1], counted=knot[2], broken=np.zeros(0, bool))
    near = int(made.shown[0 if front else -1])
    most = float(dial.limits.most(float(abs(near_at - at))))
    rise = near - shown if front else shown - near
    if rise < 0 and dial.modulus is not None and rise + dial.modulus <= most:
        rise += dial.modulus
    if not 0 <= rise <= most:
        evidence = {"recorded": shown, "read": near}
        marks.append(Mark(rule=Rule.BREAK, first_us=min(at, near_at), last_us=max(at, near_at), evidence=evidence))
        return made
    return made if at == near_at else _with_knot(made, at, shown, -rise if front else rise)


def _with_knot(made: Chain, at: int, shown: int, rise: int) -> Chain:
    """Return the chain with a knot before its front (rise below zero or none) or after its end."""
    front = at < int(made.at_us[0])
    place, end = (0, 0) if front else (len(made.at_us), -1)
    counted = np.insert(made.counted, place, int(made.counted[end]) + rise)
    return replace(
        made,
        at_us=np.insert(made.at_us, place, at),
        shown=np.insert(made.shown, place, shown),
        counted=counted - counted[0],
        broken=np.insert(made.broken, min(place, len(made.broken)), values=False),
    )


def _from_amounts(mine: _Mine, mounting: Mounting, kind: Kind, limits: Limits, gap_us: int) -> _Part:
    if kind is Kind.INTERVAL:
        at, total, state, marks = amounts.from_intervals(mine.at_us, mine.raw.span_s, mine.nano, limits)
    elif kind is Kind.DELTA:
        at, total, state, marks = amounts.from_deltas(mine.at_us, mine.nano, limits, gap_us)
    else:
        at, total, state, marks = amounts.from_power(mine.at_us, mine.nano, gap_us)
    read = mine.at_us
    return _Part(
        device=mounting.device, at_us=at, total=total, state=state, read_us=read, gap_us=FOREVER, marks=tuple(marks)
    )


def _joined(parts: list[_Part]) -> tuple[Curve, list[tuple[int, Mark]]]:
    """Return one curve of the stretches in order of time; what lies between two of them is missing."""
    filled = [(i, part) for i, part in enumerate(parts) if len(part.at_us)]
    if not filled:
        return Curve.empty(), []
    at, total, read, gaps = ([] for _ in range(4))
    state: list[Longs | Bytes] = []
    marks: list[tuple[int, Mark]] = []
    base = 0
    for n, (i, part) in enumerate(filled):
        long = (part.state == State.MEASURED) & (np.diff(part.at_us) > part.gap_us)
        spans = np.column_stack([part.at_us[:-1][long], part.at_us[1:][long]])
        gaps.append(spans)
        marks += [(i, Mark(rule=Rule.GAP, first_us=int(a), last_us=int(b))) for a, b in spans]
        state += [np.full(min(n, 1), State.MISSING, np.uint8), np.where(long, State.GAP, part.state)]
        at.append(part.at_us)
        total.append(part.total + base)
        read.append(part.read_us)
        base += int(part.total[-1])
    curve = Curve(
        at_us=np.concatenate(at),
        total=np.concatenate(total),
        state=np.concatenate(state).astype(np.uint8),
        gaps=np.concatenate(gaps).reshape(-1, 2),
        read_us=np.concatenate(read),
    )
    return curve, marks
