"""The ground truth: what was really consumed, and what was done to the readings.

The true curve of a load counts in whole 1e-9 kWh or m³. Inside an hour it runs through four quarter-hours of unlike
share, and straight inside each. Additions are exact, so a curve is the same wherever it is cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np

from core.calendar import Instants, Longs, micros, moment
from core.notes import JsonValue
from core.readings import Floats
from core.rollup import NANO
from simulators.loads import Load, year_nano
from simulators.noise import seed_of, uniform
from simulators.weather import year_of

HOUR_US: Final = 3_600_000_000
QUARTER_US: Final = 900_000_000
OPEN_END: Final = np.datetime64("2200-01-01", "us")
"""The end of a fault that lasts."""


class FaultKind(StrEnum):
    """What can be wrong with a meter, its dial, its radio, its clock or the pipe behind it."""

    LEAK = "leak"  # a small flow that never stops
    BURST_FLOW = "burst_flow"  # a broken pipe: a large flow for hours
    STUCK = "stuck"  # the dial repeats a value
    DEAD = "dead"  # nothing comes any more
    ZERO = "zero"  # the dial shows 0 for a while (boot)
    GLITCH = "glitch"  # a few readings off the line: times ten, negative, plus N
    ROLLOVER = "rollover"  # the dial passes its last digit
    SWAP = "swap"  # another meter is mounted
    UNIT_CHANGE = "unit_change"  # the same dial in another unit
    GAP = "gap"  # no radio for a while
    LATE = "late"  # a batch comes days later
    DUPLICATE = "duplicate"  # a reading comes twice, the same or revised
    OUT_OF_ORDER = "out_of_order"  # readings overtake each other
    CLOCK_DRIFT = "clock_drift"  # the meter's clock runs fast or slow
    BURST_MESSAGES = "burst_messages"  # a storm of messages


ADDED_FLOW: Final = frozenset({FaultKind.LEAK, FaultKind.BURST_FLOW})
"""Faults that are real consumption: their amount is part of the true curve, evenly from `since` to `until`."""


AT_ONCE: Final = frozenset({FaultKind.SWAP, FaultKind.ROLLOVER})
"""Faults that happen at an instant: their `to` is their `from`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTruth:
    """What was done: to which meter and register, from when to when, and how much of consumption it concerns.

    `amount` [`unit`, canonical] is consumption added (leak, burst_flow), consumption the dial did not show at its
    time (stuck, gap, dead) or the largest error of a value (zero, glitch, duplicate); None where none is concerned.
    `detail` holds the numbers of the kind, dial values canonical: final, first, new_device, recorded (swap), ...
    """

    meter: str
    register: str
    kind: FaultKind
    since: np.datetime64
    until: np.datetime64
    amount: float | None
    unit: str
    detail: Mapping[str, JsonValue] = field(default_factory=dict)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the line of truth.jsonl; `to` and `amount` are null while the fault lasts."""
        lasts = self.until >= OPEN_END and self.kind not in AT_ONCE
        until = self.since if self.kind in AT_ONCE else self.until
        return {
            "meter": self.meter,
            "register": self.register,
            "kind": str(self.kind),
            "from": moment(self.since).astimezone(UTC).isoformat(),
            "to": None if lasts else moment(until).astimezone(UTC).isoformat(),
            "amount": None if lasts else self.amount,
            "unit": self.unit,
            "detail": dict(self.detail),
        }


@lru_cache(maxsize=2048)
def _year_curve(load: Load, year: int) -> Longs:
    """Return the curve at the edges of a UTC year's hours, 0 at its begin."""
    out = np.concatenate([np.zeros(1, np.int64), np.cumsum(year_nano(load, year))])
    out.flags.writeable = False
    return out


@lru_cache(maxsize=32768)
def _year_total(load: Load, year: int) -> int:
    return int(_year_curve(load, year)[-1])


def _share_of_hour(seed: int, at_us: Longs) -> Floats:
    """Return how much of its hour's amount has passed at each instant, from 0 to 1."""
    quarter = at_us // QUARTER_US
    first = quarter - quarter % 4
    weights = np.array([0.8 + 0.4 * uniform(seed, first + n) for n in range(4)])
    begun = np.concatenate([np.zeros((1, len(at_us))), np.cumsum(weights, axis=0)])
    place, column = quarter % 4, np.arange(len(at_us))
    passed = begun[place, column] + weights[place, column] * ((at_us % QUARTER_US) / QUARTER_US)
    return np.asarray(passed / begun[4])


def _curve_in_year(load: Load, year: int, at_us: Longs) -> Longs:
    """Return the curve of a UTC year at instants inside it, 0 at its begin."""
    curve = _year_curve(load, year)
    hours = at_us // HOUR_US - int(np.datetime64(f"{year}-01-01T00", "h").astype(np.int64))
    out = curve[hours]
    inside = np.flatnonzero(at_us % HOUR_US)
    if len(inside):
        amount = curve[hours[inside] + 1] - out[inside]
        share = _share_of_hour(seed_of(load.seed, "quarter"), at_us[inside])
        out[inside] += np.rint(amount * share).astype(np.int64)
    return out


def _curve(load: Load, first_year: int, at: Instants) -> Longs:
    """Return the curve at each instant, 0 at the begin of `first_year`."""
    out = np.zeros(len(at), np.int64)
    years = at.astype("datetime64[Y]").astype(np.int64) + 1970
    at_us = micros(at)
    for year in np.unique(years).tolist():
        chosen = years == year
        before = sum(_year_total(load, y) for y in range(first_year, year))
        out[chosen] = before + _curve_in_year(load, year, at_us[chosen])
    return out


def consumed_nano(load: Load, origin: np.datetime64, at: Instants) -> Longs:
    """Return what the load has really drawn from `origin` to each instant, none before it [1e-9 kWh or m³]."""
    first = year_of(origin)
    return np.asarray(_curve(load, first, at) - _curve(load, first, np.array([origin], "datetime64[us]"))[0])


def added_nano(faults: Iterable[FaultTruth], at: Instants) -> Longs:
    """Return what leaks and bursts have added until each instant [1e-9 kWh or m³]."""
    out = np.zeros(len(at), np.int64)
    for fault in faults:
        if fault.kind in ADDED_FLOW and fault.amount is not None:
            length = float(micros(fault.until) - micros(fault.since))
            passed = np.clip(micros(at) - micros(fault.since), 0, length)
            out += np.rint(fault.amount * NANO * (passed / length)).astype(np.int64)
    return out


def hourly_amounts(
    load: Load, start: np.datetime64, end: np.datetime64, faults: Sequence[FaultTruth] = ()
) -> tuple[Instants, Floats]:
    """Return the UTC hours that start in [start, end) and the true consumption in each [kWh or m³]."""
    edges = np.arange(start.astype("datetime64[h]"), end.astype("datetime64[h]") + np.timedelta64(1, "h")).astype(
        "datetime64[us]"
    )
    nano = consumed_nano(load, edges[0], edges) + added_nano(faults, edges)
    return edges[:-1], np.diff(nano) / NANO
