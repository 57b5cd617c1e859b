"""Weather of a place like Liberec (50.77° N, 15.06° E, 400 m), hour by hour, from a seed.

Air: yearly mean 8.0 °C, January about -1.5 °C, July about 17.5 °C (the order of ČHMÚ's normals for Liberec
1991-2020), daily swing 4 K in winter to 9 K in summer, and weather systems of 1 to 25 days as red noise of
3.7 K. Sun: Haurwitz's clear sky (1945) by the sun's height, dimmed by cloud; about 1,050 kWh/m² a year.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import numpy as np

from core.calendar import Instants, Longs
from core.readings import Floats
from simulators.noise import normal, seed_of, waves

LATITUDE_DEG: Final = 50.77
LONGITUDE_DEG: Final = 15.06
MEAN_C: Final = 8.0
YEARLY_SWING_C: Final = 9.6
COLDEST_DAY: Final = 17.0  # day of the year, mid January
HOURS_A_YEAR: Final = 8766.0
INERTIA_TAU_H: Final = 30.0
"""Time constant of a heavy building [h]: what a heating system follows is the mean of the last days."""


def hours_since_1970(at: Instants) -> Longs:
    """Return whole hours since 1970 at each instant."""
    return at.astype("datetime64[h]").astype(np.int64)


def hours_of_year(year: int) -> Instants:
    """Return the starts of the hours of a UTC year."""
    return np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[h]").astype("datetime64[us]")


@dataclass(frozen=True, slots=True)
class YearWeather:
    """A UTC year: hourly air temperature, what a heavy building feels of it [°C], and sun on the level [W/m²]."""

    temp_c: Floats
    felt_c: Floats
    sun_w_m2: Floats


def temperature_c(seed: int, at: Instants) -> Floats:
    """Return the outdoor air temperature [°C] of the hour of each instant."""
    hours = hours_since_1970(at)
    day = (hours / 24.0) % 365.25
    season = np.cos(2 * np.pi * (day - COLDEST_DAY) / 365.25)
    swing = (6.5 - 2.5 * season) / 2
    daily = swing * np.cos(2 * np.pi * ((hours + LONGITUDE_DEG / 15) % 24 - 15) / 24)
    systems = waves(seed_of(seed, "systems"), hours, periods_h=(28, 600), count=40, deviation=3.7)
    years = waves(seed_of(seed, "years"), hours, periods_h=(1500, 30000), count=8, deviation=0.9)
    return np.asarray(
        MEAN_C - YEARLY_SWING_C * season + daily + systems + years + 0.3 * normal(seed_of(seed, "air"), hours)
    )


def sun_height(at: Instants) -> Floats:
    """Return the sine of the sun's height in the middle of the hour (Cooper's declination, 1969)."""
    hours = hours_since_1970(at) + 0.5
    day = (hours / 24.0) % 365.25
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    angle = np.deg2rad(15 * ((hours + LONGITUDE_DEG / 15) % 24 - 12))
    latitude = np.deg2rad(LATITUDE_DEG)
    flat = np.sin(latitude) * np.sin(declination)
    return np.asarray(flat + np.cos(latitude) * np.cos(declination) * np.cos(angle))


def irradiance_w_m2(seed: int, at: Instants) -> Floats:
    """Return the global irradiance on the level [W/m²], mean of the hour."""
    above = sun_height(at)
    height = np.maximum(above, 1e-3)
    clear = np.where(above > 0, 1098.0 * height * np.exp(-0.057 / height), 0.0)
    hours = hours_since_1970(at)
    sky = waves(seed_of(seed, "cloud"), hours, periods_h=(9, 240), count=30, deviation=1.0)
    clearness = 0.16 + 0.84 / (1 + np.exp(-1.6 * sky))
    return np.asarray(clear * clearness)


def _felt(temp_c: Floats, kept: int) -> Floats:
    """Return the mean of the past hours, weighted by exp(-age / time constant), of the last `kept` hours."""
    reach = len(temp_c) - kept
    weights = np.exp(-np.arange(reach) / INERTIA_TAU_H)
    return np.convolve(temp_c, weights / weights.sum(), mode="full")[reach : reach + kept]


@lru_cache(maxsize=64)
def year_weather(seed: int, year: int) -> YearWeather:
    """Return the weather of a UTC year; whole years are computed, so that slices agree to the last bit."""
    own = hours_of_year(year)
    before = hours_of_year(year - 1)[-240:]
    temp_c = temperature_c(seed, np.concatenate([before, own]))
    out = YearWeather(temp_c[240:], _felt(temp_c, len(own)), irradiance_w_m2(seed, own))
    for array in (out.temp_c, out.felt_c, out.sun_w_m2):
        array.flags.writeable = False
    return out


def year_of(at: np.datetime64) -> int:
    """Return the UTC year of an instant."""
    return int(at.astype("datetime64[Y]").astype(np.int64)) + 1970


def air(seed: int, start: datetime, end: datetime) -> tuple[Instants, Floats]:
    """Return the starts of the hours in [start, end) and their temperature [°C], as a weather station tells it."""
    first, last = (np.datetime64(t.astimezone(UTC).replace(tzinfo=None), "us") for t in (start, end))
    years = range(year_of(first), year_of(last) + 1)
    at = np.concatenate([hours_of_year(y) for y in years])
    temp_c = np.concatenate([year_weather(seed, y).temp_c for y in years])
    inside = (at >= first) & (at < last)
    return at[inside], np.round(temp_c[inside], 1)
