"""Baseline less actual, with intervals: over a span, by month, and from its begin to the end of each month."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.baseline.days import Bools, Dates, Floats
from analytics.baseline.fit import Fits
from analytics.baseline.placebo import Calibration, expected_error, kind_of, yardstick


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """Savings of m meters over k spans, (m, k) each, of the days on which consumption and weather are known.

    Positive where less was used than the baseline. `half68` and `half90` are half the intervals' width, in kWh (m³).
    """

    days: npt.NDArray[np.int64]
    actual: Floats
    predicted: Floats
    half68: Floats
    half90: Floats

    @property
    def saving(self) -> Floats:
        """Baseline less actual."""
        return self.predicted - self.actual

    @property
    def significant(self) -> Bools:
        """Whether the 90 % interval excludes zero."""
        return np.abs(self.saving) > self.half90

    def interval(self, nominal: int) -> Floats:
        """Return the interval (m, k, 2) of the saving at 68 or 90 %."""
        half = {68: self.half68, 90: self.half90}[nominal]
        return np.stack([self.saving - half, self.saving + half], axis=-1)


def savings(fits: Fits, spans: Bools, calibration: Calibration) -> Savings:
    """Return the savings over spans (k, D) of days, each on its own."""
    known = np.isfinite(fits.energy) & np.isfinite(fits.predicted)
    expected, kind = expected_error(fits), kind_of(fits)
    made = [_one(fits, known & span, expected, calibration, kind) for span in spans]
    columns = [
        np.stack(column, axis=1) if made else np.empty((len(fits.mean), 0)) for column in zip(*made, strict=True)
    ]
    days, actual, predicted, half68, half90 = columns or [np.empty((len(fits.mean), 0))] * 5
    return Savings(days=days.astype(np.int64), actual=actual, predicted=predicted, half68=half68, half90=half90)


def _one(
    fits: Fits, days: Bools, expected: Floats, calibration: Calibration, kind: str
) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats, Floats]:
    count = days.sum(axis=1)
    size = expected * yardstick(fits, days)
    return (
        count,
        np.where(days, fits.energy, 0.0).sum(axis=1),
        np.where(days, fits.predicted, 0.0).sum(axis=1),
        size * calibration.factor(kind, count, 0.68),
        size * calibration.factor(kind, count, 0.90),
    )


def month_spans(day: Dates, span: Bools) -> tuple[Dates, Bools, Bools]:
    """Return the months (k,) that the span (D,) touches, the days (k, D) of each, and those up to each one's end."""
    month = day.astype("datetime64[M]")
    months = np.unique(month[span])
    each = (month == months[:, None]) & span
    return months, each, np.cumsum(each, axis=0).astype(bool)
