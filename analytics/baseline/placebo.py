"""Intervals from placebo periods: how far baselines of this kind strayed where nothing was done.

A placebo is a real meter, trained on a year, asked for what followed, with no measure known. Its error is divided by
what the meter's own training year gave to expect (`expected_error`), and the quantiles of these scores, 68 and 90 %
each on its own, scale the interval of every other meter: a steady meter gets a narrow one, an erratic one a wide one.
This is split conformal prediction with normalised scores (Lei et al. 2018), the scores taken from other meters; the
formula of ASHRAE Guideline 14 covers 42 % where it says 90 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Bools, Floats
from analytics.baseline.fit import BLOCKS, Fits

FLOOR: Final = 0.03  # of consumption: no building is steadier from year to year, whatever its training year says
QUARTER: Final = 3  # blocks
PERIOD_SHARE: Final = 0.75  # the size of an error follows the predicted span by this share, the yearly mean by the rest
GRID: Final = np.linspace(0.01, 0.99, 99)  # of the stored quantiles of scores
NOMINAL: Final = (0.68, 0.90)
LIKE_WORTH: Final = 4.0  # meters


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Placebo scores of one kind of point and one length: quantiles at 1..99 % over meters, each meter counting alike.

    `meters` and `placebos` are counts; `coverage68` and `coverage90` are what the intervals covered of meters left out
    in turn.
    """

    days: int
    quantiles: tuple[float, ...]
    meters: int
    placebos: int
    coverage68: float
    coverage90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Placebo scores by kind of point and length, and where they come from."""

    made_on: str
    model_version: str
    data: str
    kinds: Mapping[str, tuple[Scores, ...]]

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Calibration":
        """Return the calibration of what `to_json` gave."""
        kinds = {
            kind: tuple(Scores(**{**row, "quantiles": tuple(row["quantiles"])}) for row in rows)
            for kind, rows in stored["kinds"].items()
        }
        return Calibration(
            made_on=stored["made_on"], model_version=stored["model_version"], data=stored["data"], kinds=kinds
        )

    def joined(self, kind: str, days: int, scores: Floats, meters: int, worth: float) -> "Calibration":
        """Return the calibration with placebo scores (n,) of the caller's own meters at one length of days.

        They count as `worth` meters beside the shipped ones.
        """
        near = _nearest(self.kinds[kind], days)
        values = np.concatenate([np.array(near.quantiles), scores])
        weights = np.concatenate(
            [np.full(len(GRID), near.meters / len(GRID)), np.full(len(scores), worth / len(scores))]
        )
        own = replace(
            near,
            days=days,
            quantiles=tuple(weighted_quantiles(values, weights, GRID).tolist()),
            meters=near.meters + meters,
            placebos=near.placebos + len(scores),
        )
        others = tuple(row for row in self.kinds[kind] if row.days != days)
        rows = tuple(sorted((*others, own), key=lambda row: row.days))
        return replace(self, kinds={**self.kinds, kind: rows})

    def factor(self, kind: str, days: npt.NDArray[np.int64], nominal: float) -> Floats:
        """Return by how much to widen the expected error of spans of some days, for a nominal coverage.

        Between the lengths of the table it is interpolated; beyond, an error of a span shorter grows as of independent
        days, of one longer as of a level that walks.
        """
        rows = self.kinds[kind]
        lengths = np.array([row.days for row in rows], float)
        known = np.array([np.interp(nominal, GRID, row.quantiles) for row in rows])
        inside = np.interp(np.log(np.maximum(days, 1)), np.log(lengths), known)
        short = np.sqrt(np.maximum(lengths[0] / np.maximum(days, 1), 1.0))
        long = np.sqrt(np.maximum(days / lengths[-1], 1.0))
        return np.asarray(inside * short * long)

    def note(self, kind: str, days: int) -> dict[str, Any]:
        """Return what a reader must know of the interval: the set, its date and what it covered."""
        near = _nearest(self.kinds[kind], days)
        return {
            "data": self.data,
            "made_on": self.made_on,
            "kind": kind,
            "days": near.days,
            "meters": near.meters,
            "placebos": near.placebos,
            "coverage68": near.coverage68,
            "coverage90": near.coverage90,
        }


def _nearest(rows: Sequence[Scores], days: int) -> Scores:
    return min(rows, key=lambda row: abs(np.log(row.days / max(days, 1))))


def summed(scores: Floats, of: npt.NDArray[np.int64], days: int, like: Scores | None = None) -> Scores:
    """Return what a table holds of placebo scores (n,) of meters `of` (n,) at one length, each meter counting alike.

    Where meters are few, the scores of a like kind count as `LIKE_WORTH` meters beside them. The coverage is that of
    each meter by the quantiles of all others.
    """
    meters = np.unique(of)
    rest = [_told_by(scores[of != m], of[of != m], like, scores[of == m]) for m in meters]
    covered = np.mean(rest, axis=0) if len(meters) > 1 else np.zeros(2)
    return Scores(
        days=days,
        quantiles=tuple(np.round(_grid_of(scores, of, like), 4).tolist()),
        meters=len(meters),
        placebos=len(scores),
        coverage68=round(float(covered[0]), 3),
        coverage90=round(float(covered[1]), 3),
    )


def _told_by(scores: Floats, of: npt.NDArray[np.int64], like: Scores | None, left_out: Floats) -> list[float]:
    """Return which share of a left-out meter's scores the quantiles of others cover, at 68 and 90 %."""
    if not len(scores):
        return [0.0, 0.0]
    grid = _grid_of(scores, of, like)
    return [float((left_out <= np.interp(nominal, GRID, grid)).mean()) for nominal in NOMINAL]


def _grid_of(scores: Floats, of: npt.NDArray[np.int64], like: Scores | None) -> Floats:
    _, back, count = np.unique(of, return_inverse=True, return_counts=True)
    weights = 1.0 / count[back]
    if like is not None:
        scores = np.concatenate([scores, np.array(like.quantiles)])
        weights = np.concatenate([weights, np.full(len(GRID), LIKE_WORTH / len(GRID))])
    return weighted_quantiles(scores, weights, GRID)


def weighted_quantiles(values: Floats, weights: Floats, at: Floats) -> Floats:
    """Return quantiles (k,) of values (n,) that count by their weights (n,)."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(at, share / weights.sum(), values[order])


def kind_of(fits: Fits) -> str:
    """Return the kind of point whose placebos apply."""
    if fits.commodity is Commodity.WATER:
        return "water"
    if fits.commodity.heats:
        return "heating"
    return "electricity_calendar" if fits.weather is None else "electricity"


def expected_error(fits: Fits) -> Floats:
    """Return the relative error (m,) that the training year itself gives to expect.

    Months foretold by the rest of the year and quarters of them, how far the level had moved at the end, and a floor.
    """
    place = np.flatnonzero(fits.train)
    blocks = np.arange(len(place)) * BLOCKS // max(len(place), 1)
    off = (fits.energy - fits.held_out)[:, place] / fits.mean[:, None]
    known = np.isfinite(off)
    totals = np.stack([np.where(known, off, 0.0)[:, blocks == b].sum(axis=1) for b in range(BLOCKS)], axis=1)
    counts = np.stack([known[:, blocks == b].sum(axis=1) for b in range(BLOCKS)], axis=1)
    months = totals / np.maximum(counts, 1)
    shape = (len(months), BLOCKS // QUARTER, QUARTER)
    quarters = totals.reshape(shape).sum(axis=2) / np.maximum(counts.reshape(shape).sum(axis=2), 1)
    level = np.array([abs(model.recent_level - 1.0) for model in fits.models])
    return np.asarray(FLOOR + (_size(months) + _size(quarters)) / 2 + level)


def _size(values: Floats) -> Floats:
    return np.asarray(np.sqrt((values**2).mean(axis=1)))


def yardstick(fits: Fits, days: Bools) -> Floats:
    """Return the energy (m,) to which relative errors of the days (m, D) refer."""
    count = days.sum(axis=1)
    there = np.where(days, np.abs(np.nan_to_num(fits.predicted)), 0.0).sum(axis=1)
    return np.asarray(PERIOD_SHARE * there + (1 - PERIOD_SHARE) * fits.mean * count)


def score(fits: Fits, span: Bools) -> Floats:
    """Return the placebo score (m,) of the days (D,): error by expected error, NaN where less than nine days of ten."""
    days = span & np.isfinite(fits.energy) & np.isfinite(fits.predicted)
    error = np.where(days, fits.energy - fits.predicted, 0.0).sum(axis=1)
    made = np.abs(error) / np.maximum(yardstick(fits, days) * expected_error(fits), 1e-12)
    return np.asarray(np.where(days.sum(axis=1) >= 0.9 * span.sum(), made, np.nan))
