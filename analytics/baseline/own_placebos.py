"""Placebos of the caller's own meters: what the years before training show of how far baselines stray here."""

from typing import Final

import numpy as np

from analytics.baseline.days import Bools, Floats
from analytics.baseline.fit import Fits, fit
from analytics.baseline.placebo import Calibration, kind_of, score
from analytics.baseline.sufficiency import sufficiency

MOST_YEARS: Final = 3
LEAST_METERS: Final = 5  # fewer tell of themselves, not of their kind
DOUBT_YEARS: Final = 2.0  # a year happens to all meters of a place alike: few years tell less than many meters


def with_own(calibration: Calibration, fits: Fits, predict: Bools) -> Calibration:
    """Return the calibration joined by placebos of the same meters, trained and asked whole years earlier.

    Only days up to the end of training serve, so no measure lies within that the caller wants judged; an earlier
    measure would widen the interval, never narrow it. Without such history the calibration is returned as it is.
    """
    scores: list[Floats] = []
    meters = np.zeros(len(fits.mean), bool)
    for years in range(1, MOST_YEARS + 1):
        train, span = _earlier(fits.train, years), _earlier(predict, years)
        if train is None or span is None or not _before(span, fits.train):
            continue
        made = fit(fits.given, fits.days, train, fits.commodity, fits.weather)
        judged = sufficiency(made, span)
        able = np.array([judged.sufficient(meter) for meter in range(len(fits.mean))])
        found = np.where(able, score(made, span), np.nan)
        meters |= np.isfinite(found)
        scores.append(found[np.isfinite(found)])
    if meters.sum() < LEAST_METERS:
        return calibration
    worth = float(meters.sum()) * len(scores) / (len(scores) + DOUBT_YEARS)
    joined = np.concatenate(scores)
    return calibration.joined(kind_of(fits), int(predict.sum()), joined, int(meters.sum()), worth)


def _earlier(flag: Bools, years: int) -> Bools | None:
    """Return the same dates whole weeks (about some years) earlier, None where the days do not reach back."""
    shift = 364 * years
    place = np.flatnonzero(flag) - shift
    if not len(place) or place[0] < 0:
        return None
    made = np.zeros(len(flag), bool)
    made[place] = True
    return made


def _before(span: Bools, train: Bools) -> bool:
    return bool(np.flatnonzero(span)[-1] <= np.flatnonzero(train)[-1])
