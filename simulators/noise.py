"""Random numbers that are a pure function of a seed and an index.

A slice of a series is the same whatever was computed before it, so history can be made month by month and resumed.
The mixer is splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from core.calendar import Longs
from core.readings import Floats

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_A: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B: Final = np.uint64(0x94D049BB133111EB)
_UNIT: Final = 2.0**-53


def seed_of(*names: object) -> int:
    """Return a seed of 63 bits for these names; other names give an unrelated one."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def uniform(seed: int, index: npt.ArrayLike) -> Floats:
    """Return a number in [0, 1) for each integer index."""
    with np.errstate(over="ignore"):
        mixed = (np.asarray(index).astype(np.int64).astype(np.uint64) + np.uint64(seed)) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_A
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_B
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * _UNIT)


def normal(seed: int, index: npt.ArrayLike) -> Floats:
    """Return a nearly normal number (mean 0, deviation 1, within ±3.5) for each integer index.

    Sum of four uniform numbers: only exact operations, so the same on every processor.
    """
    total = sum(uniform(seed_of(seed, part), index) for part in range(4))
    return np.asarray((total - 2.0) * np.sqrt(3.0))


def waves(seed: int, hours: Longs, *, periods_h: tuple[float, float], count: int, deviation: float) -> Floats:
    """Return a stationary, autocorrelated series of mean 0: `count` cosines of random phase.

    `hours` counts from any epoch, `periods_h` are the shortest and the longest period [h], `deviation` the standard
    deviation. Longer periods carry more (a red spectrum, as weather has).
    """
    rng = np.random.default_rng(seed)
    periods = np.exp(rng.uniform(np.log(periods_h[0]), np.log(periods_h[1]), count))
    phases = rng.uniform(0, 2 * np.pi, count)
    weights = np.sqrt(periods)
    weights *= deviation * np.sqrt(2.0) / np.sqrt(np.sum(weights**2))
    out = np.zeros(len(hours))
    for period, phase, weight in zip(periods, phases, weights, strict=True):
        out += weight * np.cos(2 * np.pi * hours / period + phase)
    return out
