"""Penalised least squares for many meters and many candidates at once.

Meters of one station share the columns x (D, p) of a candidate and differ in what they measured y (m, D) and in the
weight w (m, D) of each day; weight 0 is a missing day. Nothing here loops over meters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.baseline.days import Floats
from analytics.baseline.design import Design

RIDGE: Final = 3.0  # pseudo-days that draw a penalised coefficient to zero
HUBER: Final = 1.5  # robust deviations beyond which a day counts less (Huber 1964; 95 % efficient at 1.345)
TO_SIGMA: Final = 1.4826  # median absolute deviation to standard deviation of a normal
LEAST_SIGMA: Final = 0.01  # of the mean day: a meter without noise must not lose the days that differ
LEAST_MEAN_SHARE: Final = 0.3  # of the mean deviation, where most days fit exactly
TINY: Final = 1e-9
BATCH: Final = 24  # candidates solved together: as many as a cache likes


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Normal equations of m meters: gram (m, p, p), moment (m, p)."""

    gram: Floats
    moment: Floats

    def solved(self, penalty: Floats) -> Floats:
        """Return the coefficients (m, p)."""
        ridge = RIDGE * np.diag(penalty + 1e-6)
        return np.asarray(np.linalg.solve(self.gram + ridge, self.moment[..., None])[..., 0])

    def less(self, part: "Normal") -> "Normal":
        """Return the equations without those of a part of the days."""
        return Normal(gram=self.gram - part.gram, moment=self.moment - part.moment)


def normal(x: Floats, y: Floats, w: Floats) -> Normal:
    """Return the normal equations of y (m, D) on x (D, p) with weights w (m, D)."""
    size = x.shape[1]
    outer = (x[:, :, None] * x[:, None, :]).reshape(len(x), size * size)
    return Normal(gram=(w @ outer).reshape(len(w), size, size), moment=np.asarray((w * y) @ x))


def wrong_sign(beta: Floats, columns: Design) -> npt.NDArray[np.bool_]:
    """Return which meters (m,) have a slope of the wrong sign."""
    return np.asarray((beta[:, columns.positive] < 0).any(axis=1))


def choose(candidates: Sequence[Design], y: Floats, w: Floats) -> npt.NDArray[np.int64]:
    """Return the candidate (m,) of least Bayesian information criterion; a slope of the wrong sign bars one.

    Schwarz 1978. Balance points and season count as parameters. The first candidate must have no slope.
    """
    best, pick = np.full(len(y), np.inf), np.zeros(len(y), np.int64)
    for numbers in _batches(candidates):
        scores = _criteria([candidates[n] for n in numbers], y, w)
        lowest = np.argmin(scores, axis=1)
        score = scores[np.arange(len(y)), lowest]
        better = score < best
        best[better], pick[better] = score[better], numbers[lowest[better]]
    return pick


def _batches(candidates: Sequence[Design]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the numbers of candidates with as many columns, a batch at a time."""
    sizes = np.array([columns.x.shape[1] for columns in candidates])
    for size in np.unique(sizes):
        numbers = np.flatnonzero(sizes == size)
        yield from np.array_split(numbers, -(-len(numbers) // BATCH))


def _criteria(batch: Sequence[Design], y: Floats, w: Floats) -> Floats:
    """Return the criterion (m, k) of k candidates with p columns each."""
    x = np.stack([columns.x for columns in batch], axis=1)
    days, count, size = x.shape
    outer = (x[:, :, :, None] * x[:, :, None, :]).reshape(days, count * size * size)
    gram = (w @ outer).reshape(len(w), count, size, size)
    moment = ((w * y) @ x.reshape(days, count * size)).reshape(len(w), count, size)
    ridge = RIDGE * np.array([np.diag(columns.penalty + 1e-6) for columns in batch])
    beta = np.linalg.solve(gram + ridge, moment[..., None])[..., 0]
    bent = ((gram @ beta[..., None])[..., 0] * beta).sum(axis=2)
    error = np.maximum((w * y * y).sum(axis=1)[:, None] - 2 * (beta * moment).sum(axis=2) + bent, TINY)
    known = np.maximum(w.sum(axis=1), 2.0)[:, None]
    taken = np.array([size + _hidden(columns) for columns in batch])
    barred = ((beta < 0) & np.array([columns.positive for columns in batch])).any(axis=2)
    return np.asarray(np.where(barred, np.inf, known * np.log(error / known) + taken * np.log(known)))


def _hidden(columns: Design) -> int:
    spec = columns.spec
    return (spec.heat_c is not None) + (spec.cool_c is not None) + 2 * (spec.season is not None)


def robust_weights(residual: Floats, w: Floats, limit: float = HUBER) -> Floats:
    """Return Huber's weights (m, D) of residuals, times w."""
    ordered = np.sort(np.where(w > 0, np.abs(residual), np.inf), axis=1)
    middle = np.maximum((w > 0).sum(axis=1) - 1, 0) // 2
    usual = np.where(w > 0, np.abs(residual), 0.0).sum(axis=1) / np.maximum((w > 0).sum(axis=1), 1)
    sigma = np.maximum(TO_SIGMA * ordered[np.arange(len(w)), middle], np.maximum(LEAST_MEAN_SHARE * usual, LEAST_SIGMA))
    sigma = np.where(np.isfinite(sigma), sigma, LEAST_SIGMA)[:, None]
    ratio = np.where(w > 0, np.abs(residual), 0.0) / np.maximum(sigma, TINY)
    return np.asarray(w * np.minimum(1.0, limit / np.maximum(ratio, TINY)))


def robust_fit(columns: Design, y: Floats, w: Floats, rounds: int) -> tuple[Floats, Floats]:
    """Return coefficients (m, p) after rounds of Huber's weights, and the last weights (m, D).

    A round that would turn a slope's sign is not taken.
    """
    beta = normal(columns.x, y, w).solved(columns.penalty)
    weights = w
    for _ in range(rounds):
        trial_weights = robust_weights(y - beta @ columns.x.T, w)
        trial = normal(columns.x, y, trial_weights).solved(columns.penalty)
        kept = ~wrong_sign(trial, columns)[:, None]
        beta, weights = np.where(kept, trial, beta), np.where(kept, trial_weights, weights)
    return beta, weights


def held_out(columns: Design, y: Floats, w: Floats, blocks: npt.NDArray[np.int64]) -> Floats:
    """Return predictions (m, D) of each block of days by a fit to all others; `blocks` (D,) numbers them."""
    whole = normal(columns.x, y, w)
    made: Floats = np.zeros_like(y)
    for number in np.unique(blocks):
        mine = blocks == number
        part = normal(columns.x[mine], y[:, mine], w[:, mine])
        made[:, mine] = whole.less(part).solved(columns.penalty) @ columns.x[mine].T
    return made
