"""What in daily consumption cannot be consumption: it becomes missing, and is counted by cause."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from analytics.baseline.days import Bools, Floats

SPIKE: Final = 5.0  # times the expected or mean day, for at most `ISOLATED` days together
ISOLATED: Final = 3
COLD_ZERO: Final = 0.5  # a run of zeros where this share of the mean day is expected is a gap
RUN: Final = 3
STUCK_DAYS: Final = 21  # of the same value, to the last digit
STUCK_STEPS: Final = 10.0  # a value of fewer of the meter's smallest steps may well repeat
FEW_NEGATIVE: Final = 0.02


class Commodity(StrEnum):
    """What is measured."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    WATER = "water"

    @property
    def heats(self) -> bool:
        """Whether it is used for heating above all."""
        return self in {Commodity.GAS, Commodity.HEAT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Energy (m, D) with NaN for what is no consumption, and per meter and day why: spike, zero, stuck or negative.

    `odd` is what was taken out; negative days stay where they are many, for `sufficiency` to bar.
    """

    energy: Floats
    spike: Bools
    zero: Bools
    stuck: Bools
    negative: Bools
    odd: Bools


def run_lengths(flag: Bools) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return for each True of flag (m, D) how long its run along the days is, else 0."""
    width = flag.shape[1]
    place = np.arange(width)
    last_off = np.maximum.accumulate(np.where(flag, -1, place), axis=1)
    next_off = np.minimum.accumulate(np.where(flag, width, place)[:, ::-1], axis=1)[:, ::-1]
    return np.where(flag, next_off - last_off - 1, 0)


def without_zeros(energy: Floats, commodity: Commodity) -> Floats:
    """Return energy with zeros of electricity as missing: a building that is never without load writes 0 for a gap."""
    if commodity is not Commodity.ELECTRICITY:
        return energy
    return np.asarray(np.where(energy == 0, np.nan, energy))


def clean(energy: Floats, expected: Floats, mean: Floats, commodity: Commodity) -> Cleaned:
    """Return energy (m, D) without spikes, zeros in the cold and stray negatives.

    `expected` (m, D) is a first robust model, `mean` (m,) the mean day of training.
    """
    typical = np.maximum(np.nan_to_num(expected), mean[:, None])
    high = energy > SPIKE * np.maximum(typical, 1e-12)
    spike = high & (run_lengths(high) <= ISOLATED)
    zero = energy == 0
    wanted = np.nan_to_num(expected) > COLD_ZERO * mean[:, None]
    cold = commodity.heats & zero & (run_lengths(zero & wanted) >= RUN)
    negative = energy < 0
    stray = negative & (negative.mean(axis=1, keepdims=True) <= FEW_NEGATIVE)
    still = stuck(energy)
    odd = spike | cold | stray | still
    kept = np.where(odd, np.nan, energy)
    return Cleaned(energy=kept, spike=spike, zero=cold, stuck=still, negative=negative, odd=odd)


def stuck(energy: Floats) -> Bools:
    """Return the days (m, D) of runs of one value other than zero: an estimate, or a meter that stands."""
    change = np.abs(np.diff(energy, axis=1))
    step = np.where(change > 0, change, np.inf).min(axis=1, initial=np.inf)[:, None]
    same = np.zeros(energy.shape, bool)
    same[:, 1:] = (change == 0) & (np.abs(energy[:, 1:]) >= STUCK_STEPS * np.where(np.isfinite(step), step, 0.0))
    same &= energy != 0
    run = run_lengths(same) >= STUCK_DAYS - 1
    run[:, :-1] |= run[:, 1:]
    return run
