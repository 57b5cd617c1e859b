"""All that an InfluxDB server holds, and another store's holdings put into it as they are."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from core.archive import Extent
from core.calendar import micros
from core.ports import Touched
from core.readings import SeriesKey
from storage.influx_lines import touched_line
from storage.influx_rollups import MEASUREMENT
from storage.influx_select import KEYED, keys_of
from storage.influx_server import InfluxServer

KEPT: Final = {"reading": "value", "revision": "value", "withdrawn": "value"}
"""Measurements of readings, each with a field that every point of it has."""
ROLLED: Final = dict.fromkeys(MEASUREMENT.values(), "nano")


def extent(server: InfluxServer, measurements: Mapping[str, str]) -> Extent:
    """Return the series, and the first and last instant of these measurements."""
    series: dict[SeriesKey, None] = {}
    times: list[int] = []
    for measurement, field in measurements.items():
        for pick in ("first", "last"):
            answer = server.query(
                f"SELECT {pick}({field}) AS picked, meter, register FROM {measurement} GROUP BY meter, register",  # noqa: S608 - names of ours
                KEYED,
            )
            series |= dict.fromkeys(keys_of(answer)[0])
            times += answer.columns["time"].tolist()
    first, last = (np.datetime64(min(times), "us"), np.datetime64(max(times), "us")) if times else (_NEVER, _NEVER)
    return Extent(series=tuple(sorted(series)), first=first, last=last)


_NEVER: Final = np.datetime64("NaT", "us")


def tell(server: InfluxServer, unheard: Touched) -> str:
    """Log ranges as written now; return a token from before it."""
    now_us = server.query("SELECT first FROM touched LIMIT 1", {"time": pa.int64()}).now_us
    ranges = zip(unheard.series, micros(unheard.first).tolist(), micros(unheard.last).tolist(), strict=True)
    lines = [touched_line(*entry) for entry in ranges]
    if lines:
        server.write(lines)
    return str(now_us)
