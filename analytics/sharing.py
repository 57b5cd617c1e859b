"""How a point's saving is shared by the measures in effect on it, to the last billionth, and how errors add up."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TOGETHER: Final = 0.25
"""Correlation that errors of different points' baselines are taken to have: they share weather and calendar."""


def weights(expected: Sequence[float | None]) -> Floats:
    """Return the shares (n,) of measures, sum 1: as their expected savings, or alike where one states none above 0."""
    count = len(expected)
    stated = np.array([np.nan if one is None else one for one in expected], float)
    if count == 0 or not (np.isfinite(stated).all() and (stated > 0).all()):
        return np.full(count, 1.0 / max(count, 1))
    return np.asarray(stated / stated.max() / (stated / stated.max()).sum())


def split(total: Longs, share: Floats) -> Longs:
    """Return whole amounts (n, k) whose sum over n is exactly the total (k,), each within one of its share (n,)."""
    upper = np.cumsum(share)[:-1, None] * total.astype(float)
    edges = np.concatenate(
        [np.zeros((1, len(total)), np.int64), np.rint(upper).astype(np.int64), total[None, :].astype(np.int64)]
    )
    return np.diff(edges, axis=0)


def together(half: Floats) -> Floats:
    """Return half the width (k,) of the interval of a sum of n amounts with half widths (n, k)."""
    alone = (half**2).sum(axis=0)
    return np.asarray(np.sqrt((1 - TOGETHER) * alone + TOGETHER * half.sum(axis=0) ** 2))
