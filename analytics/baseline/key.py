"""A key of what a baseline rests on: equal keys, equal model; so nothing is fitted again that has not changed."""

import hashlib
from typing import Final

import numpy as np

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Bools, Days, Floats, Weather
from analytics.baseline.model import VERSION

DIGITS: Final = 6  # of consumption and temperature: below that nothing changes a model


def content_keys(
    energy: Floats, days: Days, train: Bools, commodity: Commodity, weather: Weather | None = None
) -> tuple[str, ...]:
    """Return a key (hex) per meter of what `fit` would be given for it.

    Training days, consumption, temperature, calendar, kind and the version of the models. Days outside training change
    nothing.
    """
    shared = hashlib.sha256(f"{VERSION}|{commodity}|".encode())
    shared.update(days.day[train].astype("datetime64[D]").astype(np.int64).tobytes())
    for flag in (days.holiday, days.festive, days.school):
        shared.update(np.packbits(flag[train]).tobytes())
    for name in sorted(days.modes):
        shared.update(f"{name}|".encode() + np.packbits(days.modes[name][train]).tobytes())
    known = None if weather is None or commodity is Commodity.WATER else np.round(weather.temp_c[:, train], DIGITS)
    keys = []
    for meter, row in enumerate(np.round(energy[:, train], DIGITS) + 0.0):
        digest = shared.copy()
        digest.update(row.tobytes())
        digest.update(b"" if known is None or weather is None else known[weather.station[meter]].tobytes())
        keys.append(digest.hexdigest())
    return tuple(keys)
