"""What a building draws, hour by hour: electricity, gas, heat, cold and hot water, PV generation.

A load is a pure function of its seed and the hour. Its amount in 2025 is given (`annual`); other years follow
weather, calendar and measures. Typical amounts by kind stand in TYPICAL, with what they are orders of.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Self

import numpy as np

from core.calendar import Longs
from core.readings import Floats
from core.registry import BuildingKind, Commodity
from core.rollup import NANO
from simulators.noise import normal, seed_of, uniform
from simulators.occupancy import YearOccupancy, year_occupancy
from simulators.school_year import District
from simulators.weather import YearWeather, hours_of_year, hours_since_1970, year_weather

REFERENCE_YEAR: Final = 2025
GRAIN_PER_UNIT: Final = 1_000_000
"""Hourly amounts are whole millionths of a kWh or m³, so that they are the same on every processor."""


class Typical(NamedTuple):
    """A kind of building in a year: electricity and heat [kWh/m²], water [m³/user], share of it drawn hot.

    `balance_c` is the outdoor temperature at which heating starts, `base` the share of electricity that never
    rests, `night` the share of heating kept at night and on shut days.
    """

    electricity: float
    heat: float
    water: float
    hot: float
    balance_c: float
    base: float
    night: float


TYPICAL: Final = {
    BuildingKind.SCHOOL: Typical(20, 105, 3.0, 0.12, 15.5, 0.30, 0.55),
    BuildingKind.HOSPITAL: Typical(105, 190, 120.0, 0.35, 18.0, 0.50, 0.90),
    BuildingKind.CARE_HOME: Typical(45, 150, 45.0, 0.40, 18.0, 0.40, 0.85),
    BuildingKind.OFFICE: Typical(50, 95, 10.0, 0.08, 15.5, 0.32, 0.55),
    BuildingKind.MUSEUM: Typical(38, 90, 9.0, 0.06, 15.0, 0.45, 0.80),
    BuildingKind.OTHER: Typical(35, 100, 9.0, 0.10, 15.5, 0.35, 0.60),
}
"""Orders of magnitude: Czech energy audits of public buildings; water: směrná čísla (vyhláška 428/2001 Sb.,
annex 12, before and after 2011: school 3 to 6 m³ a pupil, care 36 to 45 m³ a bed, office 8 to 16 m³ a person)."""

PV_KWH_PER_KWP: Final = 980.0
HOT_WATER_KWH_PER_M3: Final = 58.0  # 10 to 55 °C, with losses
_HEATING_OFF_DAYS: Final = (152, 244)  # 1 June to 1 September: no heating (vyhláška 194/2007 Sb., § 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load: `annual` is its amount in 2025 [kWh or m³].

    `hot` is the share of hot water in a heat or gas load. From UTC day `measure_since` (days since 1970) on, what
    depends on people or weather is multiplied by `measure_factor`. `behind` is generation behind the same meter: then
    the load is what is drawn from the grid, or with `exports` what is fed into it.
    """

    kind: BuildingKind
    commodity: Commodity
    annual: float
    seed: int
    weather: int
    district: District = District.LIBEREC
    hot: float = 0.15
    measure_since: int = 1 << 40
    measure_factor: float = 1.0
    behind: Self | None = None
    exports: bool = False


def _electricity(load: Load, use: YearOccupancy, weather: YearWeather) -> Floats:
    typical = TYPICAL[load.kind]
    dark = np.clip(1 - weather.sun_w_m2 / 150.0, 0, 1)
    people = use.share * (0.8 + 0.35 * dark)
    kitchen = 0.35 * use.share * ((use.hour >= 9) & (use.hour < 13))  # noqa: PLR2004 - the hours of cooking
    cooling = 0.02 * np.clip(weather.temp_c - 24, 0, None) * use.share
    return np.asarray(typical.base * 0.45 + (1 - typical.base) * (people + kitchen + cooling))


def _schedule(load: Load, use: YearOccupancy) -> Floats:
    """Return the share of full heating: set back at night and on shut days, more in the morning."""
    night = TYPICAL[load.kind].night
    warm = (use.hour >= 5) & (use.hour < 19)  # noqa: PLR2004 - the hours of heating
    out = np.where(warm & use.open, 1.0, night)
    boost = use.open & (use.hour >= 5) & (use.hour < 7)  # noqa: PLR2004 - heating up
    return np.asarray(np.where(boost, 1.0 + 0.6 * (1 - night), out))


def _heat(load: Load, use: YearOccupancy, weather: YearWeather) -> Floats:
    demand = np.clip(TYPICAL[load.kind].balance_c - weather.felt_c, 0, None)
    since = use.day - use.day[12]
    season = (since < _HEATING_OFF_DAYS[0]) | (since >= _HEATING_OFF_DAYS[1])
    heating = demand * season * _schedule(load, use)
    taps = _water(load, use, weather)
    return np.asarray(heating / heating.sum() * (1 - load.hot) + taps / taps.sum() * load.hot)


def _water(load: Load, use: YearOccupancy, weather: YearWeather) -> Floats:  # noqa: ARG001 - one form for all shapes
    """Return a flow that is nothing where nobody is, and lumpy where somebody is."""
    hours = use.day * 24 + use.hour
    chance = uniform(seed_of(load.seed, "taps"), hours)
    lumps = 0.35 + 1.3 * chance
    awake = np.where(use.share > 0.3, use.share, use.share * np.round(chance))  # noqa: PLR2004 - few people: now and then
    return np.asarray(awake * lumps)


def _pv(load: Load, use: YearOccupancy, weather: YearWeather) -> Floats:  # noqa: ARG001 - one form for all shapes
    hot = 1 - 0.004 * np.clip(weather.temp_c + weather.sun_w_m2 / 40 - 25, 0, None)
    return np.asarray(weather.sun_w_m2 * hot)


_SHAPES: Final = {
    Commodity.ELECTRICITY: _electricity,
    Commodity.GAS: _heat,
    Commodity.HEAT: _heat,
    Commodity.COLD_WATER: _water,
    Commodity.HOT_WATER: _water,
    Commodity.PV: _pv,
}


def _shape(load: Load, year: int) -> Floats:
    """Return the year's hours before scaling, with a factor of the day and of the hour."""
    use = year_occupancy(load.kind, load.district, year)
    weather = year_weather(load.weather, year)
    shape = _SHAPES[load.commodity](load, use, weather)
    if load.commodity is Commodity.PV:
        return shape
    of_day = 1 + 0.06 * normal(seed_of(load.seed, "day"), use.day)
    of_hour = 1 + 0.05 * normal(seed_of(load.seed, "hour"), use.day * 24 + use.hour)
    return np.asarray(shape * of_day * of_hour)


def _reference(load: Load) -> float:
    """Return the amount that a unit of shape stands for."""
    return float(load.annual / _weighed(load, REFERENCE_YEAR).sum())


def _weighed(load: Load, year: int) -> Floats:
    """Return the shape so that years compare: heating's is scaled by the reference year's degree hours."""
    if load.commodity not in {Commodity.GAS, Commodity.HEAT}:
        return _shape(load, year)
    return _shape(load, year) * _degree_hours(load, year) / _degree_hours(load, REFERENCE_YEAR)


@lru_cache(maxsize=4096)
def _degree_hours_of(kind: BuildingKind, weather: int, year: int) -> float:
    return float(np.clip(TYPICAL[kind].balance_c - year_weather(weather, year).felt_c, 0, None).sum())


def _degree_hours(load: Load, year: int) -> float:
    """Return the year's weight: degree hours for heating, none for hot water."""
    heating = _degree_hours_of(load.kind, load.weather, year)
    return heating * (1 - load.hot) + load.hot * _degree_hours_of(load.kind, load.weather, REFERENCE_YEAR)


@lru_cache(maxsize=8192)
def _scale(load: Load) -> float:
    return _reference(load)


def _amounts(load: Load, year: int) -> Floats:
    day = hours_since_1970(hours_of_year(year)) // 24
    factor = np.where(day >= load.measure_since, load.measure_factor, 1.0)
    gross = _weighed(load, year) * _scale(load) * factor
    if load.behind is None:
        return np.asarray(gross)
    net = gross - _amounts(load.behind, year)
    return np.clip(-net if load.exports else net, 0, None)


@lru_cache(maxsize=64)
def year_nano(load: Load, year: int) -> Longs:
    """Return the amount of each hour of a UTC year [1e-9 kWh or m³]; the same to the last digit every time."""
    out = np.rint(_amounts(load, year) * GRAIN_PER_UNIT).astype(np.int64) * (NANO // GRAIN_PER_UNIT)
    out.flags.writeable = False
    return out
