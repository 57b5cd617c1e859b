"""What the baseline expected of each day, told by the year before it alone: fitted anew each half-year."""

from typing import Final

import numpy as np

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Days, Weather
from analytics.baseline.fit import fit
from core.readings import Floats

TRAIN_DAYS: Final = 365
EACH_DAYS: Final = 182
LEAST_SHARE: Final = 0.8
NEEDS_WEATHER: Final = frozenset({Commodity.GAS, Commodity.HEAT})


def foretold(total: Floats, days: Days, commodity: Commodity, temp_c: Floats | None) -> Floats:
    """Return the expected consumption (m, d) of m meters on days, each by the 365 days before its half-year.

    NaN in the first year, after a year of which a fifth is lacking, and where heating has no temperature `temp_c` (d,).
    One fit of all meters each 182 days.
    """
    expected = np.full(total.shape, np.nan)
    if commodity in NEEDS_WEATHER and temp_c is None:
        return expected
    for at in range(TRAIN_DAYS, total.shape[1], EACH_DAYS):
        span = slice(at - TRAIN_DAYS, min(at + EACH_DAYS, total.shape[1]))
        made = _told(total[:, span], days, span, commodity, temp_c)
        enough = np.isfinite(total[:, at - TRAIN_DAYS : at]).sum(axis=1) >= LEAST_SHARE * TRAIN_DAYS
        expected[:, at : span.stop] = np.where(enough[:, None], made, np.nan)
    return expected


def _told(total: Floats, days: Days, span: slice, commodity: Commodity, temp_c: Floats | None) -> Floats:
    place = np.zeros(len(days.day), bool)
    place[span] = True
    weather = None
    if temp_c is not None:
        weather = Weather(temp_c=temp_c[None, span], station=np.zeros(len(total), np.int64))
    train = np.arange(total.shape[1]) < TRAIN_DAYS
    return np.asarray(fit(total, days.among(place), train, commodity, weather).predicted[:, TRAIN_DAYS:])
