"""What the weather of one span made points use more than that of another, by baselines learnt in the first span.

A point's model, learnt on the days of the first span, says what it would have used on the days of the second at their
own temperatures, and at those of the same dates of the first. The difference is the weather's, free of calendar and of
what changed in the building.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.baseline.days import Dates, Floats
from analytics.baseline.model import predict
from core.registry import Point
from services.baselines import KINDS, Baselines, Trained, Window

MOST_DAYS_LACKING: Final = 0.02
"""The share of days without a temperature up to which the others are taken for all."""
Edges = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherEffect:
    """Tells the weather's part of a change of consumption [kWh] by point; None where it cannot be told."""

    baselines: Baselines

    def __call__(self, points: Sequence[Point], before: Edges, after: Edges) -> Mapping[str, float | None]:
        """Return the part of each point, from the first span to the second, both half-open in local dates."""
        found: dict[str, float | None] = {p.id: None for p in points}
        day = np.arange(np.datetime64(after[0]), np.datetime64(after[1]))
        same = same_dates(day, before, after)
        if same is None:
            return found
        last = before[1] - timedelta(days=1)
        windows = [Window(point=p, first=before[0], last=last) for p in points if p.commodity in KINDS]
        for trained in self.baselines.train(windows):
            if not trained.reasons and trained.unit == "kWh" and trained.knows_weather:
                found[trained.window.point.id] = self._effect(trained, day, same)
        return found

    def _effect(self, trained: Trained, day: Dates, same: Dates) -> float | None:
        days = self.baselines.station_of(trained.window.point)
        if days is None:
            return None
        now, then = (_on(days.day, days.temp_c, wanted) for wanted in (day, same))
        calendar = self.baselines.facts.days(day)
        models = [trained.model]
        difference = predict(models, calendar, now)[0] - predict(models, calendar, then)[0]
        known = np.isfinite(difference)
        if known.mean() < 1 - MOST_DAYS_LACKING:
            return None
        return float(difference[known].sum() / known.mean())


def _on(day: Dates, temp_c: Floats, wanted: Dates) -> Floats:
    """Return the temperatures of wanted days, NaN for those outside of what is known."""
    if not len(day):
        return np.full(len(wanted), np.nan)
    place = (wanted - day[0]).astype(np.int64)
    inside = (place >= 0) & (place < len(day))
    return np.asarray(np.where(inside, temp_c[np.where(inside, place, 0)], np.nan), float)


def same_dates(day: Dates, before: Edges, after: Edges) -> Dates | None:
    """Return the same dates in the first span, 29 February as the 28th; None where the spans differ but by years."""
    years = after[0].year - before[0].year
    months = [(first.month, end.month, end.year - first.year) for first, end in (before, after)]
    if months[0] != months[1]:
        return None
    month = day.astype("datetime64[M]")
    offset = day - month
    other = month - 12 * years
    longest = (other + 1).astype("datetime64[D]") - other.astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.asarray(other.astype("datetime64[D]") + np.minimum(offset, longest))
