"""What the days of points are compared with: stored baselines, temperature, plants nearby, works and events.

A day is foretold by the model of the 365 days before its half-year, kept like every other model; so a new day costs a
look, not a fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.anomalies.waste import Days
from analytics.baseline.model import Model
from core.calendar import Bools, Longs
from core.readings import Floats
from core.registry import Adjustment, Commodity, Measure, Point
from services.baselines import KINDS, Baselines, Window, effects
from services.daily_use import daily_use
from services.savings import without_works

TRAIN: Final = timedelta(days=365)
JULY: Final = 7
SUN_KWH_M2: Final = 6.0
"""What a clear day of summer brings: plants nearby are scaled to it, so that a sunny day means the same everywhere."""
LEAST_PLANTS: Final = 2
CHUNK: Final = 60
BEST: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is known of a point's days beside what it used, by local day (d,) since 1970; None: nobody knows.

    `left_out` are days of works and of events without a number: nothing on them is a fault. `measures` are the days
    on which measures took effect. `model` foretells the days until `model_until`, if there is no event.
    """

    day: Longs
    expected: Floats | None = None
    temp_c: Floats | None = None
    sun_kwh_m2: Floats | None = None
    left_out: Bools | None = None
    measures: tuple[int, ...] = ()
    model: Model | None = None
    model_until: int = 0

    def along(self, days: Days, name: str) -> Floats | None:
        """Return one of its columns along other days, NaN where it has none."""
        column = getattr(self, name)
        if column is None or not len(self.day):
            return None
        place = days.day - self.day[0]
        inside = (place >= 0) & (place < len(self.day))
        return np.where(inside, column[np.clip(place, 0, len(self.day) - 1)], np.nan)

    def quiet(self, days: Days) -> Days:
        """Return days with those left out as not known."""
        out = self.along(days, "left_out")
        if out is None or not (out == 1).any():
            return days
        return replace(days, total=np.where(out == 1, np.nan, days.total), base=np.where(out == 1, np.nan, days.base))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Tells what to expect of points; `baselines` makes what one answer needs."""

    baselines: Callable[[], Baselines]
    plants: Sequence[Point] = ()
    measures: Sequence[Measure] = ()
    adjustments: Sequence[Adjustment] = field(default=())

    def of(self, points: Sequence[Point], first: date, last: date, *, compared: bool = True) -> dict[str, Expectation]:
        """Return what is to be expected of points on local days, first to last, by id.

        Without what they are `compared` with only works and events: no model is asked for that no rule needs.
        """
        day = np.arange(np.datetime64(first), np.datetime64(last) + 1)
        known = {point.id: point for point in points}
        made = without_works(self.baselines(), known, self.measures)
        foretold, models = _foretold(made, points, first, last) if compared else ({}, {})
        sun = self._sun(made, points, first, last) if compared else {}
        return {
            point.id: Expectation(
                day=day.astype(np.int64),
                expected=foretold.get(point.id),
                temp_c=_temperature(made, point, first, last) if compared else None,
                sun_kwh_m2=sun.get(point.id),
                left_out=self._left_out(point, day),
                measures=tuple(_number(m.effective) for m in self.measures if point.id in m.points),
                model=models.get(point.id),
                model_until=_number(half_years(last, last)[0][1]),
            )
            for point in points
        }

    def _left_out(self, point: Point, day: np.typing.NDArray[np.datetime64]) -> Bools | None:
        events = [one for one in self.adjustments if one.point == point.id]
        works = [m for m in self.measures if point.id in m.points and m.begins < m.effective]
        if not events and not works:
            return None
        out = effects(events, day).out.copy()
        for measure in works:
            out |= (day >= np.datetime64(measure.begins)) & (day < np.datetime64(measure.effective))
        return out

    def sun_of(self, points: Sequence[Point], first: date, last: date) -> dict[str, Expectation]:
        """Return what the sun gave plants on local days, first to last, by id; see `of`."""
        day = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype(np.int64)
        found = self._sun(self.baselines(), points, first, last)
        return {key: Expectation(day=day, sun_kwh_m2=sun) for key, sun in found.items()}

    def _sun(self, made: Baselines, points: Sequence[Point], first: date, last: date) -> dict[str, Floats]:
        """Return what the sun gave on each day by what the other plants made of it, of plants that have two others."""
        asked = [point for point in points if point.commodity is Commodity.PV]
        if not asked or len(self.plants) <= LEAST_PLANTS:
            return {}
        use = daily_use([plant.id for plant in self.plants], first, last, made.ask, made.facts.zone)
        with np.errstate(all="ignore"):
            best = np.nanquantile(use.amount, BEST, axis=1, keepdims=True)
            share = np.where(best > 0, use.amount / best, np.nan)
        return {point.id: _of_others(share, use.points.index(point.id)) for point in asked if point.id in use.points}


def _of_others(share: Floats, own: int) -> Floats:
    others = np.delete(share, own, axis=0)
    enough = np.isfinite(others).sum(axis=0) >= LEAST_PLANTS
    middle = np.full(share.shape[1], np.nan)
    middle[enough] = np.nanmedian(others[:, enough], axis=0)
    return middle * SUN_KWH_M2


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def half_years(first: date, last: date) -> list[tuple[date, date]]:
    """Return the half-years that touch the days first to last, each with its first and last day."""
    begin = date(first.year, JULY if first.month >= JULY else 1, 1)
    found = []
    while begin <= last:
        following = date(begin.year, JULY, 1) if begin.month < JULY else date(begin.year + 1, 1, 1)
        found.append((begin, following - timedelta(days=1)))
        begin = following
    return found


def keep_half_years(
    made: Baselines,
    points: Sequence[Point],
    measures: Sequence[Measure],
    first: date,
    last: date,
    *,
    stopped: Callable[[], bool],
) -> None:
    """Fit and keep the models of half-years of all points, many at once, so that a back-test finds them ready."""
    able = [point for point in points if point.commodity in KINDS]
    made = without_works(made, {point.id: point for point in points}, measures)
    for begin, _ in half_years(first, last):
        for n in range(0, len(able), CHUNK):
            if stopped():
                return
            some = able[n : n + CHUNK]
            made.train([Window(point=p, first=begin - TRAIN, last=begin - timedelta(days=1)) for p in some])


def _foretold(
    made: Baselines, points: Sequence[Point], first: date, last: date
) -> tuple[dict[str, Floats], dict[str, Model]]:
    """Return what each day was expected to use by the model of the year before its half-year, and the last models."""
    able = [point for point in points if point.commodity in KINDS]
    spans = half_years(first, last)
    made.look_up(able, spans[0][0] - TRAIN, last)
    found = {point.id: np.full((last - first).days + 1, np.nan) for point in able}
    models: dict[str, Model] = {}
    for begin, end in spans:
        windows = [Window(point=point, first=begin - TRAIN, last=begin - timedelta(days=1)) for point in able]
        models = {}
        for trained in made.train(windows):
            if trained.reasons:
                continue
            models[trained.window.point.id] = trained.model
            until = min(end, last)
            fits, _ = made.applied(trained, until)
            row, since = found[trained.window.point.id], max(begin, first)
            told = fits.predicted[0][(since - trained.window.first).days :]
            row[(since - first).days : (until - first).days + 1] = told
    return {key: row for key, row in found.items() if np.isfinite(row).any()}, models


def _temperature(made: Baselines, point: Point, first: date, last: date) -> Floats | None:
    station = made.station_of(point)
    if station is None:
        return None
    temp_c = station.between(first, last).temp_c
    return temp_c if np.isfinite(temp_c).any() else None
