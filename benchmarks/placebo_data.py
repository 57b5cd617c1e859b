"""The real meters that placebos are taken from, read as `odecet baseline` reads files."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.baseline.cleaning import Commodity
from analytics.baseline.days import Days, Weather
from app.baseline import days_of
from ingest.daily_files import read_consumption, read_temperature

DATA = Path(__file__).parents[2] / "shared/data"
LONDON = ZoneInfo("Europe/London")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """Daily consumption (m, D) of real meters of one kind, with what is known of their days."""

    names: tuple[str, ...]
    energy: Floats
    days: Days
    weather: Weather | None
    commodity: Commodity


def temperature(folder: Path) -> Path:
    """Write the station's temperature under the headings of the command, and return the file."""
    table = pq.read_table(DATA / "bedford_air_temperature_hourly_c.parquet")
    file = folder / "temperature.parquet"
    pq.write_table(pa.table({"at": table["datetime"], "temp_c": table["air_temperature [degC]"]}), file)
    return file


def cambridge(commodity: Commodity, folder: Path, *, with_weather: bool = True) -> Meters:
    """Return the university buildings of Cambridge."""
    name = "gas" if commodity.heats else "electricity"
    zero_is_gap = commodity is Commodity.ELECTRICITY
    table = read_consumption(DATA / f"cambridge_{name}_hourly_kwh.parquet", LONDON, zero_is_gap=zero_is_gap)
    weather = None
    if with_weather:
        known = read_temperature(temperature(folder), LONDON)
        temp_c = np.full(len(table.day), np.nan)
        place = (table.day - known.day[0]).astype(int)
        inside = (place >= 0) & (place < len(known.day))
        temp_c[inside] = known.values[0, place[inside]]
        weather = Weather(temp_c=temp_c[None, :], station=np.zeros(len(table.names), np.int64))
    return Meters(
        names=table.names,
        energy=table.values,
        days=days_of(table.day, "uk", None),
        weather=weather,
        commodity=commodity,
    )


def daiad_water() -> Meters:
    """Return the homes of DAIAD: daily volume [m³] from dials; a day whose dial falls or lacks readings is missing."""
    table = pq.read_table(DATA / "daiad_homes_water_hourly_index_litres.parquet")
    users = np.array(table["user"].to_pylist())
    at = table["t"].to_numpy().astype("datetime64[m]")
    dial = table["meter reading"].to_numpy().astype(float)
    names = sorted(set(users.tolist()))
    day = np.arange(at.min().astype("datetime64[D]"), at.max().astype("datetime64[D]") + 1)
    rows = [_daily_volume(at[users == name], dial[users == name], day) for name in names]
    return Meters(
        names=tuple(names),
        energy=np.stack(rows),
        days=days_of(day, "none", None),
        weather=None,
        commodity=Commodity.WATER,
    )


def _daily_volume(at: npt.NDArray[np.datetime64], dial: Floats, day: npt.NDArray[np.datetime64]) -> Floats:
    order = np.argsort(at)
    at, dial = at[order], dial[order]
    edges = np.append(day, day[-1] + 1).astype("datetime64[m]")
    value = np.interp(edges.astype(float), at.astype(float), dial, left=np.nan, right=np.nan)
    falls = np.zeros(len(day), bool)
    falls[np.clip(np.searchsorted(edges, at[1:][np.diff(dial) < 0], side="right") - 1, 0, len(day) - 1)] = True
    before = np.searchsorted(at, edges[:-1])
    after = np.searchsorted(at, edges[1:])
    volume = np.diff(value) / 1000
    return np.where(falls | (after - before < 12) | (volume > 20), np.nan, volume)
