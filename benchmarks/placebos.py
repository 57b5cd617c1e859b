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
from analytics.baseline.fit import Fits, fit
from analytics.baseline.model import VERSION
from analytics.baseline.placebo import Calibration, Scores, kind_of, score, summed
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
Longs = npt.NDArray[np.int64]


def gather(meters: Meters, train_days: int = YEAR) -> tuple[dict[int, tuple[Floats, Longs]], str]:
    """Return by length the scores (n,) of placebos and the meter of each (n,), and the kind of point."""
    found: dict[int, list[tuple[Floats, Longs]]] = {length: [] for length in LENGTHS}
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


def _scored(fits: Fits, span: npt.NDArray[np.bool_], *, short: bool) -> tuple[Floats, Longs]:
    judged = sufficiency(fits, span)
    codes = [{r.code for r in (*judged.training[m], *judged.predict[m])} for m in range(len(fits.mean))]
    able = np.array([not (c - {"short_training"} if short else c) for c in codes])
    made = score(fits, span)
    keep = able & np.isfinite(made)
    return made[keep], np.flatnonzero(keep)


def made(folder: Path) -> dict[str, tuple[Scores, ...]]:
    """Return the table by kind of point."""
    sets = [
        (cambridge(Commodity.ELECTRICITY, folder), YEAR),
        (cambridge(Commodity.ELECTRICITY, folder, with_weather=False), YEAR),
        (cambridge(Commodity.GAS, folder), YEAR),
        (daiad_water(), 240),
    ]
    kinds: dict[str, tuple[Scores, ...]] = {}
    for meters, train_days in sets:
        scores, kind = gather(meters, train_days)
        like = {row.days: row for row in kinds.get("electricity", ())} if kind == "heating" else {}
        kinds[kind] = tuple(
            summed(values, of, length, like.get(length)) for length, (values, of) in scores.items() if len(values)
        )
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
