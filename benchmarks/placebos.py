"""Make the table of placebo scores that ships: `python -m benchmarks.placebos` writes config/placebos.json anew.

Every training year that begins in steps of a month, every length of what follows. Meters count alike, however many
placebos each gives. The coverage written beside is that of meters left out in turn.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analytics.baseline.cleaning import Commodity
from analytics.baseline.fit import fit
from analytics.baseline.model import VERSION
from analytics.baseline.placebo import GRID, Calibration, Scores, kind_of, score, weighted_quantiles
from analytics.baseline.sufficiency import sufficiency
from benchmarks.placebo_data import Meters, cambridge, daiad_water
from config.placebos import SHIPPED

YEAR, STEP = 365, 31
LENGTHS = (30, 61, 91, 182, 273, 365, 730)
DATA_NOTE = (
    "University buildings of Cambridge, electricity 2009-2013 and gas 2011-2014, with the temperature of Bedford (EECi"
    " Cambridge Estates Building Energy Archive, MIT); water: 22 homes of DAIAD 2016-2017 (CC BY-SA 4.0)"
)
Floats = npt.NDArray[np.float64]


def gather(meters: Meters, train_days: int = YEAR) -> tuple[dict[int, tuple[Floats, Floats]], str]:
    """Return by length the scores (n,) of placebos and the meter of each (n,), and the kind of point."""
    found: dict[int, list[tuple[Floats, Floats]]] = {length: [] for length in LENGTHS}
    kind, size = "", len(meters.days.day)
    for begin in range(0, size - train_days - LENGTHS[0], STEP):
        train = np.zeros(size, bool)
        train[begin : begin + train_days] = True
        fits = fit(meters.energy, meters.days, train, meters.commodity, meters.weather)
        kind = kind_of(fits)
        for length in LENGTHS:
            for offset in range(0, max(YEAR - length, 0) + 1, max(length, STEP)):
                if begin + train_days + offset + length > size:
                    continue
                span = np.zeros(size, bool)
                span[begin + train_days + offset :][:length] = True
                found[length].append(_scored(fits, span, short=train_days < YEAR))
    return {
        n: (np.concatenate([a for a, _ in v]), np.concatenate([b for _, b in v])) for n, v in found.items() if v
    }, kind


def _scored(fits: object, span: npt.NDArray[np.bool_], *, short: bool) -> tuple[Floats, Floats]:
    judged = sufficiency(fits, span)
    codes = [{r.code for r in (*judged.training[m], *judged.predict[m])} for m in range(len(fits.mean))]
    able = np.array([not (c - {"short_training"} if short else c) for c in codes])
    made = score(fits, span)
    keep = able & np.isfinite(made)
    return made[keep], np.flatnonzero(keep).astype(float)


def summed(scores: Floats, of: Floats, length: int) -> Scores:
    """Return the scores of one length as the table holds them."""
    whole = _quantiles(scores, of)
    hits = {0.68: [], 0.90: []}
    for meter in np.unique(of):
        rest = of != meter
        if rest.any():
            grid = _quantiles(scores[rest], of[rest])
            for nominal, row in hits.items():
                row.append(float((scores[~rest] <= np.interp(nominal, GRID, grid)).mean()))
    return Scores(
        days=length,
        quantiles=tuple(round(float(q), 4) for q in whole),
        meters=len(np.unique(of)),
        placebos=len(scores),
        coverage68=round(float(np.mean(hits[0.68])), 3) if hits[0.68] else 0.0,
        coverage90=round(float(np.mean(hits[0.90])), 3) if hits[0.90] else 0.0,
    )


def _quantiles(scores: Floats, of: Floats) -> Floats:
    _, back, count = np.unique(of, return_inverse=True, return_counts=True)
    return weighted_quantiles(scores, 1.0 / count[back], GRID)


def made(folder: Path) -> dict[str, tuple[Scores, ...]]:
    """Return the table by kind of point."""
    sets = [
        (cambridge(Commodity.ELECTRICITY, folder), YEAR),
        (cambridge(Commodity.ELECTRICITY, folder, with_weather=False), YEAR),
        (cambridge(Commodity.GAS, folder), YEAR),
        (daiad_water(), 240),
    ]
    kinds = {}
    for meters, train_days in sets:
        scores, kind = gather(meters, train_days)
        kinds[kind] = tuple(summed(values, of, length) for length, (values, of) in scores.items() if len(values))
        for row in kinds[kind]:
            print(
                kind,
                row.days,
                row.meters,
                row.placebos,
                row.coverage68,
                row.coverage90,
                row.quantiles[67],
                row.quantiles[89],
            )
    kinds["water"] = _with_long_water(kinds["water"], kinds["electricity_calendar"])
    return kinds


def _with_long_water(water: tuple[Scores, ...], calendar: tuple[Scores, ...]) -> tuple[Scores, ...]:
    """Return the scores of water, longer spans those of electricity by calendar: nobody gave two years of water."""
    known = {row.days for row in water}
    return (*water, *(row for row in calendar if row.days > max(known)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        table = Calibration(made_on=sys.argv[1], model_version=VERSION, data=DATA_NOTE, kinds=made(Path(name)))
    SHIPPED.write_text(json.dumps(asdict(table), indent=1) + "\n", "utf-8")
