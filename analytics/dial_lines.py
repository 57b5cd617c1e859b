"""Consumption by period straight from dial readings: the lines of `odecet curve`. Pure: no store, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from core.calendar import US, Instants, Period, instant, micros, moment, spans
from core.curve import Periods, estimated_seconds, periods
from core.dial import Mark
from core.mounting import FOREVER, Built, Mounting, Rules, build
from core.notes import Rule
from core.readings import Readings, SeriesKey
from core.registry import DialEvent, EventKind
from core.rollup import NANO

EARLIEST: Final = np.datetime64("2000-01-01", "us")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What is known of a meter: its dial's modulus [kWh, m³], moduli to think of, and the rules of its curve."""

    modulus: float | None
    moduli: tuple[float, ...]
    rules: Rules


def lines(
    readings: Readings, meters: Mapping[SeriesKey, Meter], events: Sequence[DialEvent], period: Period, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield a line per meter, register and period that its readings touch, in that order.

    `readings` may hold many series; each is in `meters`. Events of a meter hold for each of its registers, their dial
    readings for the one that they name, else for the one that they fit best.
    A swap to another meter ends the old one's lines and starts the new one's. Readings before 2000 or more than a
    day after `now` are left out and found.
    """
    latest = instant(now) + np.timedelta64(1, "D")
    for code, key in sorted(enumerate(readings.series), key=lambda item: item[1]):
        mine = readings.take(readings.code == code)
        sane = (mine.at >= EARLIEST) & (mine.at <= latest)
        mounting, within = _stay(key, readings, meters, events)
        case = _Case(key=key, outside=mine.take(~sane), meter=meters[key], mounting=mounting, events=within)
        yield from _series(case, mine.take(sane), period) if sane.any() else _nothing(case)


def _stay(
    key: SeriesKey, readings: Readings, meters: Mapping[SeriesKey, Meter], events: Sequence[DialEvent]
) -> tuple[Mounting, list[DialEvent]]:
    """Return the mounting of a meter and the events within it; a swap to a meter of the file bounds both."""
    meter = meters[key]
    mounting = Mounting(device=key.meter, modulus=meter.modulus, moduli=meter.moduli)
    present = {s.meter for s in readings.series}
    within: list[DialEvent] = []
    for event in events:
        other = event.new_device if event.new_device in present and event.new_device != event.meter else ""
        at = int(micros(instant(event.at)))
        if other == key.meter:
            mounting = replace(mounting, start_us=at, first=event.first)
        elif event.meter == key.meter and other and event.kind is EventKind.SWAP:
            mounting = replace(mounting, end_us=at, final=event.final)
        elif event.meter == key.meter:
            within.append(event if key == _meant(event, readings) else replace(event, final=None, first=None))
    return mounting, within


def _meant(event: DialEvent, readings: Readings) -> SeriesKey | None:
    """Return the series whose dial an event's readings are of: the one that it names, else the nearest in value."""
    series = [key for key in readings.series if key.meter == event.meter and event.register in {"", key.register}]
    if len(series) < 2:  # noqa: PLR2004 - one register leaves no choice
        return next(iter(series), None)
    return min(series, key=lambda key: _distance(event, readings.of_series(key)))


def _distance(event: DialEvent, mine: Readings) -> float:
    """Return how far the dial readings of an event are from those of a series around it, relative to them."""
    at = instant(event.at)
    old, new = mine.value[mine.at <= at], mine.value[mine.at >= at]
    pairs = [(event.final, old[-1:]), (event.first, new[:1])]
    off = [
        abs(told - shown[0]) / max(abs(told), abs(shown[0]), 1e-9)
        for told, shown in pairs
        if told is not None and len(shown)
    ]
    return max(off, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A series with the readings left out, what is known of its meter, its mounting and events."""

    key: SeriesKey
    outside: Readings
    meter: Meter
    mounting: Mounting
    events: list[DialEvent]


def _series(case: _Case, mine: Readings, period: Period) -> Iterator[dict[str, Any]]:
    meter = case.meter
    built = build(mine, [case.mounting], case.events, meter.rules)
    starts, ends = spans(period, *_extent(built, mine), meter.rules.day_types.zone)
    begin, end = _within(starts, ends, case.mounting)
    made = _every_second(periods(built.curve, np.stack([begin, end], axis=1).ravel()))
    estimated = estimated_seconds(made)
    marks = [mark for _, mark in built.marks] + [_outside(case.outside, i) for i in range(len(case.outside))]
    found = _by_period(marks, starts, ends)
    for i in range(len(starts)):
        span, missing = max(int(made.span_s[i]), 1), int(made.missing_s[i])
        yield {
            "meter": case.key.meter,
            "register": case.key.register,
            "from": _local(starts[i], meter),
            "to": _local(ends[i], meter),
            "consumption": None if missing >= span else int(made.nano[i]) / NANO,
            "unit": meter.rules.unit,
            "measured": (span - missing - int(estimated[i])) / span,
            "estimated": int(estimated[i]) / span,
            "missing": missing / span,
            "findings": [_finding(mark, meter) for mark in found.get(i, ())],
        }


def _extent(built: Built, mine: Readings) -> tuple[np.datetime64, np.datetime64]:
    """Return the span that the lines cover: of the curve, or of the readings where nothing of it is known."""
    at = built.curve.at_us if len(built.curve.at_us) else micros(mine.at)
    last = max(int(at.max()), int(micros(mine.at).max()))
    first = min(int(at.min()), int(micros(mine.at).min()))
    return np.datetime64(first, "us"), np.datetime64(max(last, first + 1), "us")


def _within(starts: Instants, ends: Instants, mounting: Mounting) -> tuple[Instants, Instants]:
    """Return periods cut to the time that the meter was mounted."""
    begin, end = micros(starts), micros(ends)
    if mounting.start_us > -FOREVER:
        begin = np.clip(mounting.start_us, begin, end)
    if mounting.end_us < FOREVER:
        end = np.clip(mounting.end_us, begin, end)
    return begin.astype("datetime64[us]"), end.astype("datetime64[us]")


def _every_second(made: Periods) -> Periods:
    """Return the periods between pairs of edges, without those from one pair to the next."""
    return Periods(**{name: getattr(made, name)[::2] for name in Periods.__slots__})


def _outside(outside: Readings, i: int) -> Mark:
    at = int(micros(outside.at[i]))
    return Mark(
        rule=Rule.OUT_OF_BOUNDS, first_us=at, last_us=at, evidence={"value": round(float(outside.value[i]) * NANO)}
    )


def _by_period(marks: Sequence[Mark], starts: Instants, ends: Instants) -> dict[int, list[Mark]]:
    """Return the marks by the periods that they touch; one outside of all goes to the nearest."""
    begin, end = micros(starts), micros(ends)
    found: dict[int, list[Mark]] = {}
    for mark in marks:
        first = int(np.searchsorted(end, mark.first_us, side="right"))
        last = int(np.searchsorted(begin, max(mark.last_us, mark.first_us + 1), side="left")) - 1
        first = min(first, len(begin) - 1)
        for i in range(first, max(last, first) + 1):
            found.setdefault(i, []).append(mark)
    return found


def _local(at: np.datetime64, meter: Meter) -> str:
    return moment(at).astimezone(meter.rules.day_types.zone).isoformat()


def _finding(mark: Mark, meter: Meter) -> dict[str, Any]:
    return {
        "rule": mark.rule.value,
        "from": _local(np.datetime64(mark.first_us, "us"), meter),
        "to": _local(np.datetime64(mark.last_us, "us"), meter),
        "evidence": mark.told(),
        "proposal": mark.proposed(lambda at_us: _local(np.datetime64(at_us, "us"), meter)),
    }


def _nothing(case: _Case) -> Iterator[dict[str, Any]]:
    """Yield the one line of a series of which no reading could be used."""
    outside, meter = case.outside, case.meter
    at = micros(outside.at)
    yield {
        "meter": case.key.meter,
        "register": case.key.register,
        "from": _local(outside.at.min(), meter),
        "to": _local(np.datetime64(int(at.max()) + US, "us"), meter),
        "consumption": None,
        "unit": meter.rules.unit,
        "measured": 0.0,
        "estimated": 0.0,
        "missing": 1.0,
        "findings": [_finding(_outside(outside, i), meter) for i in range(len(outside))],
    }
