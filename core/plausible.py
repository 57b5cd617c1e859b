"""What a dial can do in a time: the point's maximum rate, or one learnt from the readings themselves.

Rates are nano-units an hour (1e-9 kWh/h = 1e-9 kW, 1e-9 m³/h), so that they meet the curve's integers.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.calendar import Longs
from core.readings import Floats
from core.rollup import NANO

HOUR_US: Final = 3_600_000_000
SLACK_US: Final = 60_000_000  # clocks of meters and gateways jitter by about a minute
RATING_MARGIN: Final = 1.25  # a rating is exceeded now and then; an impossible rise is far above it
LEARNT_MARGIN: Final = 10.0  # above ten times the usual top rate nothing of the same installation flows
ENOUGH_STEPS: Final = 8  # fewer rising steps teach nothing
FLOOR: Final = {"kWh": 100.0, "m³": 20.0}  # kW, m³/h: never called impossible unless the point says so
CEILING: Final = {"kWh": 10_000.0, "m³": 1_000.0}  # kW, m³/h: no public building draws more
LONE_RISES: Final = 5  # more lone rises than a dial can be exchanged times: a change of use


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is plausible for a dial: `rate` is the most [nano/h], `usual` the top of what is usual (None: unknown).

    `quantum` is about the last digit of the dial [nano].
    """

    rate: float
    usual: float | None = None
    quantum: float = 0.0

    def most(self, elapsed_us: npt.NDArray[np.int64] | float) -> Floats:
        """Return the largest plausible rise [nano] in these times [µs]."""
        return np.asarray(self.rate * (np.asarray(elapsed_us, float) + SLACK_US) / HOUR_US + 2 * self.quantum)


def learn(at_us: Longs, nano: Longs, *, max_rate: float | None = None, unit: str = "kWh") -> Limits:
    """Return the limits of a dial from its readings (n instants [µs], n values [nano]) and the point's maximum.

    `max_rate` is in kW or m³/h. Without it ten times the usual top rate holds, where the top leaves out the
    largest half per cent of the steps (at least three), so that a few faults teach nothing.
    """
    rise, elapsed = np.diff(nano).astype(float), np.diff(at_us).astype(float)
    up = rise > 0
    quantum = min(_last_digit(nano), float(rise[up].min())) if up.any() else 0.0
    typical = float(np.median(elapsed)) if len(elapsed) else 0.0
    steady = up & (elapsed <= 4 * typical)
    rates = np.where(steady, rise / np.maximum(elapsed, 1), 0.0) * HOUR_US
    usual = _top(rates[steady])
    if max_rate is not None:
        return Limits(rate=RATING_MARGIN * max_rate * NANO, usual=usual, quantum=quantum)
    ceiling = CEILING.get(unit, max(CEILING.values())) * NANO
    if usual is None:
        return Limits(rate=ceiling, quantum=quantum)
    rate = max(LEARNT_MARGIN * usual, FLOOR.get(unit, 0.0) * NANO)
    lone = rates[_lone(rise, steady & (rates > rate))]
    if len(lone) > LONE_RISES:
        rate = max(rate, LEARNT_MARGIN * float(np.sort(lone)[-LONE_RISES - 1]))
    return Limits(rate=min(rate, ceiling), usual=usual, quantum=quantum)


def _last_digit(nano: Longs) -> float:
    """Return the largest power of ten [nano] that divides all values: the worth of the dial's last digit."""
    whole = int(np.gcd.reduce(nano))
    digits = len(str(whole)) - len(str(whole).rstrip("0"))
    return float(10**digits) if whole else 0.0


def _top(rates: Floats) -> float | None:
    if len(rates) < ENOUGH_STEPS:
        return None
    left_out = max(3, int(0.005 * len(rates)))
    return float(np.partition(rates, -left_out - 1)[-left_out - 1])


def _lone(rise: Floats, high: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which high rises neither follow nor precede a fall."""
    fall = np.concatenate([[False], rise < 0, [False]])
    return np.asarray(high & ~fall[:-2] & ~fall[2:])
