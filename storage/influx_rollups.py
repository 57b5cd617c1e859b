"""Hourly and daily roll-ups in InfluxDB, a measurement a grain; a point is stored under the tag `meter`."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from core.calendar import Instants, Period, micros
from core.errors import InputError
from core.readings import SeriesKey
from core.rollup import ROLLUP_INSTANTS, RollUp
from storage.influx_lines import BASIS, rollup_lines
from storage.influx_select import rows
from storage.influx_server import InfluxServer

MEASUREMENT: Final = {Period.HOUR: "hourly", Period.DAY: "daily"}
_SLICE: Final = 50_000
_TYPES: Final = {"nano": pa.int64(), "basis": pa.string()}


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
    basis = _basis(found.columns["basis"])
    starts: Instants = found.time.astype("datetime64[us]")
    return RollUp(series=asked, code=found.code, start=starts, nano=found.columns["nano"], **basis)


def _basis(texts: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that the texts hold, in one parse of all."""
    if not len(texts):
        return {name: np.empty(0, "datetime64[us]" if name in ROLLUP_INSTANTS else np.int64) for name in BASIS}
    table = csv.read_csv(
        pa.py_buffer("\n".join(texts.tolist()).encode()),
        read_options=csv.ReadOptions(column_names=list(BASIS)),
        parse_options=csv.ParseOptions(delimiter=";"),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(BASIS, pa.int64())),
    )
    return {name: _column(table.column(name), name) for name in BASIS}


def _column(column: pa.ChunkedArray, name: str) -> npt.NDArray[Any]:
    numbers: npt.NDArray[np.int64] = column.fill_null(np.iinfo(np.int64).min).to_numpy()
    return numbers.astype("datetime64[us]") if name in ROLLUP_INSTANTS else numbers
