"""Hourly and daily roll-ups in InfluxDB, a measurement a grain; a point is stored under the tag `meter`."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from core.calendar import Period, micros
from core.errors import InputError
from core.readings import SeriesKey
from core.rollup import ROLLUP_INSTANTS, RollUp
from storage.influx_lines import ROLLUP_FIELDS, rollup_lines
from storage.influx_select import rows
from storage.influx_server import InfluxServer

MEASUREMENT: Final = {Period.HOUR: "hourly", Period.DAY: "daily"}
_SLICE: Final = 50_000
_TYPES: Final = {name: pa.int64() for name in ROLLUP_FIELDS}


def measurement_of(grain: Period) -> str:
    """Return the measurement of a grain; raise InputError for one that is not kept."""
    if grain not in MEASUREMENT:
        raise InputError(f"roll-ups by {grain} are not kept", remedy="ask for hour or day")
    return MEASUREMENT[grain]


def write_rollup(server: InfluxServer, grain: Period, rollup: RollUp) -> None:
    """Write the periods; InfluxDB puts a point in the place of the one of the same series and time."""
    measurement = measurement_of(grain)
    for first in range(0, len(rollup), _SLICE):
        server.write(rollup_lines(measurement, rollup.take(np.arange(first, min(first + _SLICE, len(rollup))))))


def read_rollup(
    server: InfluxServer, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
) -> RollUp:
    """Return the periods that start in [start, end), by series as asked and start."""
    asked = tuple(dict.fromkeys(series))
    found = rows(server, measurement_of(grain), asked, (int(micros(start)), int(micros(end))), _TYPES)
    columns = {
        name: column.astype("datetime64[us]") if name in ROLLUP_INSTANTS else column
        for name, column in found.columns.items()
    }
    return RollUp(series=asked, code=found.code, start=found.time.astype("datetime64[us]"), **columns)
