"""What a point's own past says at each day or step, looking back only; and spans of true values."""

import numpy as np
import numpy.typing as npt

from core.calendar import Bools, Longs
from core.readings import Floats


def trailing_sum(rows: Floats, width: int, lag: int) -> Floats:
    """Return for each row d the sum of rows [d - lag - width + 1, d - lag]; (D, ...) to (D, ...). O(D)."""
    run = np.concatenate([np.zeros((1, *rows.shape[1:])), np.cumsum(rows, axis=0)])
    end = np.clip(np.arange(len(rows)) - lag + 1, 0, None)
    return np.asarray(run[end] - run[np.clip(end - width, 0, None)])


def trailing_max(rows: Floats, width: int, lag: int) -> Floats:
    """Return for each row d the largest of rows [d - lag - width + 1, d - lag], 0 before the first. O(D log width)."""
    if not len(rows):
        return rows
    pad = np.zeros((width + lag - 1, *rows.shape[1:]))
    best, size = np.concatenate([pad, rows])[: len(rows) + width - 1], 1
    while size * 2 <= width:  # the largest of 2, 4, 8 ... rows
        best, size = np.maximum(best[:-size], best[size:]), size * 2
    rest = width - size
    return np.asarray(np.maximum(best[: len(rows)], best[rest : rest + len(rows)]))


def trailing_quantile(rows: Floats, share: float, width: int, lag: int, least: int) -> Floats:
    """Return for each row (D,) a quantile of the known among the `width` up to `lag` rows before it. O(D width).

    NaN where fewer than `least` are known.
    """
    if not len(rows):
        return rows
    pad = np.full(width + lag - 1, np.nan)
    window = np.lib.stride_tricks.sliding_window_view(np.concatenate([pad, rows])[: len(rows) + width - 1], width)
    known = np.isfinite(window).sum(axis=1)
    ordered = np.sort(window, axis=1)
    place = share * np.maximum(known - 1, 0)
    low = np.floor(place).astype(np.int64)
    row = np.arange(len(rows))
    below, above = ordered[row, low], ordered[row, np.minimum(low + 1, np.maximum(known - 1, 0))]
    return np.where(known >= least, below + (place - low) * (above - below), np.nan)


def since(reset: Bools) -> Longs:
    """Return for each place how many places ago `reset` last held (0: here; counted from before the first)."""
    here = np.arange(len(reset))
    return np.asarray(here - np.maximum.accumulate(np.where(reset, here, -1)))


def run_sum(weight: Floats, reset: Bools) -> Floats:
    """Return the sum of weights (>= 0) since `reset` last held."""
    total = np.cumsum(weight)
    return np.asarray(total - np.maximum.accumulate(np.where(reset, total, 0.0)))


def spans(true: Bools) -> npt.NDArray[np.int64]:
    """Return the runs of true values as rows (first, behind the last)."""
    edge = np.diff(np.concatenate([[False], true, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)], axis=1)


def held(opens: Bools, closes: Bools) -> Bools:
    """Return where a state holds that `opens` begins and `closes` ends (hysteresis); opening wins."""
    event = np.where(opens, 1, np.where(closes, -1, 0))
    last = np.maximum.accumulate(np.where(event != 0, np.arange(len(event)), -1))
    return np.asarray((last >= 0) & (event[np.maximum(last, 0)] == 1))
