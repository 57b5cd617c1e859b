"""How well baselines foretell real years in which nothing was done, how intervals cover, and how long 660 take."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Weather
from analytics.baseline.fit import fit
from analytics.baseline.own_placebos import with_own
from analytics.baseline.placebo import Calibration
from analytics.baseline.saving import month_spans, savings
from analytics.baseline.sufficiency import sufficiency
from benchmarks.placebo_data import DATA, Meters, cambridge
from config.placebos import load_placebos

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
PLANTED = (0.0, 0.05, 0.10, 0.20)
MANY = 660


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a pair of years gave, for each meter measured in nine days of ten of both (n,)."""

    shown: Bools
    cv: Floats
    bias: Floats
    in68: Bools
    in90: Bools
    found: Floats


def year(meters: Meters, number: int) -> Bools:
    """Return the days of a calendar year."""
    return meters.days.day.astype("datetime64[Y]").astype(int) + 1970 == number


def pair(meters: Meters, number: int, calibration: Calibration) -> Pair:
    """Train on a year and foretell the next."""
    train, predict = year(meters, number), year(meters, number + 1)
    fits = fit(meters.energy, meters.days, train, meters.commodity, meters.weather)
    judged = sufficiency(fits, predict)
    known = np.isfinite(fits.energy) & np.isfinite(fits.predicted)
    measured = (known[:, train].sum(1) >= 0.9 * train.sum()) & (known[:, predict].sum(1) >= 0.9 * predict.sum())
    told = savings(fits, predict[None, :], calibration)
    off = np.where(known & predict, fits.energy - fits.predicted, 0.0)[measured]
    days, used = told.days[measured, 0], told.actual[measured, 0]
    saving, half = told.saving[measured, 0], told.half90[measured, 0]
    planted = [np.abs(saving + share * used) > half for share in PLANTED]
    return Pair(
        shown=np.array([judged.sufficient(m) for m in np.flatnonzero(measured)], bool),
        cv=np.sqrt((off**2).sum(1) / np.maximum(days, 1)) / (used / np.maximum(days, 1)),
        bias=np.abs(saving) / used,
        in68=np.abs(saving) <= told.half68[measured, 0],
        in90=np.abs(saving) <= half,
        found=np.array(planted, float).T.reshape(-1, len(PLANTED)),
    )


def _line(name: str, found: Pair) -> str:
    if not len(found.cv):
        return f"{name}: no meter measured in both years"
    shown = found.shown
    detected = ", ".join(f"{s:.0%}: {r:.0%}" for s, r in zip(PLANTED, found.found[shown].mean(0), strict=True))
    return (
        f"{name}: {len(shown)} meters, median daily CV(RMSE) {np.median(found.cv):.3f},"
        f" |NMBE| {np.median(found.bias):.3f}; of {shown.sum()} shown CV {np.median(found.cv[shown]):.3f},"
        f" |NMBE| {np.median(found.bias[shown]):.3f}, nominal 68 % covers {found.in68[shown].mean():.0%}, 90 %"
        f" {found.in90[shown].mean():.0%}, called significant with a planted saving of {detected}"
    )


def together(pairs: list[Pair]) -> Pair:
    """Return all pairs as one."""
    return Pair(**{name: np.concatenate([getattr(p, name) for p in pairs]) for name in Pair.__slots__})


def many(meters: Meters) -> float:
    """Return the seconds that 660 baselines with intervals by month and span take."""
    rng = np.random.default_rng(1)
    two = year(meters, 2012) | year(meters, 2013)
    rows = rng.integers(0, len(meters.names), MANY)
    energy = meters.energy[rows][:, two] * np.exp(rng.normal(0, 0.03, (MANY, two.sum())))
    days = meters.days.among(two)
    train = np.arange(two.sum()) < 366
    assert meters.weather is not None
    weather = Weather(temp_c=meters.weather.temp_c[:, two], station=np.zeros(MANY, np.int64))
    begin = time.perf_counter()
    fits = fit(energy, days, train, meters.commodity, weather)
    calibration = with_own(Calibration.from_json(load_placebos()), fits, ~train)
    sufficiency(fits, ~train)
    _, each, running = month_spans(days.day, ~train)
    for spans in (~train[None, :], each, running):
        savings(fits, spans, calibration)
    return time.perf_counter() - begin


def run() -> None:
    """Print the figures."""
    if not DATA.is_dir():
        print(f"skipped: {DATA} is not there")
        return
    calibration = Calibration.from_json(load_placebos())
    with tempfile.TemporaryDirectory() as name:
        sets = [cambridge(kind, Path(name)) for kind in (Commodity.ELECTRICITY, Commodity.GAS)]
    for meters in sets:
        found = {}
        for number in range(2009, 2014):
            if year(meters, number).any() and year(meters, number + 1).any():
                found[number] = pair(meters, number, calibration)
                print(_line(f"{meters.commodity} {number} to {number + 1}", found[number]))
        print(_line(f"{meters.commodity}, all pairs", together(list(found.values()))))
    print(f"{MANY} daily baselines with sufficiency and intervals by span and month: {many(sets[0]):.1f} s")
