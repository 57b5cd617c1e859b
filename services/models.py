"""A point's model as people look at it: what it learnt from, how well it fits, what it says of the days after."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from analytics.baseline.days import TYPE_NAMES, Bools, Dates, Floats
from analytics.baseline.fit import Fits
from analytics.baseline.model import line
from analytics.baseline.placebo import kind_of
from analytics.baseline.saving import savings
from analytics.baseline.sufficiency import Reason, sufficiency
from core.registry import Measure, Point
from services.baselines import KINDS, Baselines, Trained, Window
from services.savings import WINDOWS, chains, without_works

HALF_YEAR: Final = 7
"""From July on the last calendar year is the one that models learn from, before that the one before it."""
GRID_STEP_C: Final = 1.0
CLOSE: Final = 1e-12
CHUNK: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well a model fits its training: CV(RMSE) and NMBE (ASHRAE Guideline 14), days known of all."""

    cvrmse: float
    nmbe: float
    known_days: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The days after training: consumption, what the model foretold, and how far apart they are [unit]."""

    first: date
    last: date
    days: int
    actual: float
    predicted: float
    half68: float
    half90: float

    @property
    def saving(self) -> float:
        """Foretold less consumed."""
        return self.predicted - self.actual


@dataclass(frozen=True, slots=True, kw_only=True)
class PointModel:
    """A model over its training and the days after, (D,) each; NaN where not known.

    `reasons` bar the model, `after_reasons` what it says of the days after, `after` is None then. `lines` are the
    model against temperature on `grid_c`, by type of day; none where it knows no temperature.
    """

    trained: Trained
    station: str
    day: Dates
    temp_c: Floats
    actual: Floats
    predicted: Floats
    train: Bools
    day_type: Sequence[str]
    quality: Quality | None
    lines: Mapping[str, Floats]
    grid_c: Floats
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    after: After | None
    after_reasons: tuple[Reason, ...]
    calibration: Mapping[str, object]


def usual_window(point: Point, measures: Sequence[Measure], last: date) -> Window:
    """Return the days that a point's model learns from unless others are asked for.

    The year before the first measure at the point; without one a whole calendar year, so that it stays for a year.
    """
    mine = [chain for chain in chains({point.id: point}, measures) if chain.point is point]
    window = mine[0].window(0, WINDOWS[0]) if mine and mine[0].measures[0].begins <= last else None
    year = last.year - (1 if last.month >= HALF_YEAR else 2)
    return window or Window(point=point, first=date(year, 1, 1), last=date(year, 12, 31))


def point_model(baselines: Baselines, window: Window, last: date) -> PointModel | None:
    """Return the model of a point over a window and the days after until `last`; None for generation."""
    if window.point.commodity not in KINDS:
        return None
    trained = baselines.train([window])[0]
    until = max(last, window.last)
    fits, _ = baselines.applied(trained, until)
    after = ~fits.train
    judged = sufficiency(fits, after).predict[0] if after.any() else ()
    station = baselines.station_of(window.point) if trained.knows_weather else None
    grid_c, lines = _lines(fits, trained)
    told = None if trained.reasons or judged or not after.any() else _after(baselines, fits, after)
    return PointModel(
        trained=trained,
        station="" if station is None else station.station,
        day=fits.days.day,
        temp_c=np.full(len(after), np.nan) if fits.weather is None else fits.weather.of_meters[0],
        actual=fits.energy[0],
        predicted=np.full(len(after), np.nan) if trained.reasons else fits.predicted[0],
        train=fits.train,
        day_type=[TYPE_NAMES[code] for code in fits.days.type_code],
        quality=None if trained.reasons else _quality(fits, trained),
        lines={} if trained.reasons else lines,
        grid_c=grid_c,
        reasons=trained.reasons,
        notes=trained.notes,
        after=told,
        after_reasons=tuple(judged),
        calibration=baselines.facts.calibration.note(kind_of(fits), max(int(after.sum()), 1)),
    )


def _quality(fits: Fits, trained: Trained) -> Quality:
    off = (fits.predicted - fits.energy)[0][fits.train]
    known = int(np.isfinite(off).sum())
    free = max(known - trained.parameters, 1.0)
    off = np.nan_to_num(off)
    mean = max(trained.mean, CLOSE)
    return Quality(
        cvrmse=float(np.sqrt((off**2).sum() / free) / mean),
        nmbe=float(off.sum() / free / mean),
        known_days=known,
        days=int(fits.train.sum()),
    )


def _lines(fits: Fits, trained: Trained) -> tuple[Floats, dict[str, Floats]]:
    if fits.weather is None or trained.reasons:
        return np.empty(0), {}
    temp_c = np.where(fits.train, fits.weather.of_meters[0], np.nan)
    known = temp_c[np.isfinite(temp_c)]
    grid_c = np.arange(np.floor(known.min()), np.ceil(known.max()) + GRID_STEP_C, GRID_STEP_C)
    return grid_c, line(trained.model, fits.days, temp_c, grid_c)


def _after(baselines: Baselines, fits: Fits, after: Bools) -> After:
    made = savings(fits, after[None, :], baselines.facts.calibration)
    day = fits.days.day[after]
    return After(
        first=day[0].astype(date),
        last=day[-1].astype(date),
        days=int(made.days[0, 0]),
        actual=float(made.actual[0, 0]),
        predicted=float(made.predicted[0, 0]),
        half68=float(made.half68[0, 0]),
        half90=float(made.half90[0, 0]),
    )


def refresh(
    baselines: Baselines,
    points: Sequence[Point],
    measures: Sequence[Measure],
    last: date,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Fit the usual models of points whose content changed and return how many stand; may be stopped between."""
    windows = [usual_window(point, measures, last) for point in points if point.commodity in KINDS]
    baselines, made = without_works(baselines, {point.id: point for point in points}, measures), 0
    for n in range(0, len(windows), CHUNK):
        if stopped():
            break
        made += len(baselines.train(windows[n : n + CHUNK]))
    return made
