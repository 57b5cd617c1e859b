"""Who is in a building at each local hour: by kind, weekday, public and school holidays; 0 empty, 1 full."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from core.calendar import PRAGUE, Bools, Longs, local
from core.readings import Floats
from core.registry import BuildingKind
from simulators.school_year import District, public_holidays, school_holidays
from simulators.weather import hours_of_year


def _day(*parts: tuple[int, int, float], rest: float = 0.0) -> Floats:
    """Return 24 hourly values: (from, to, value) over a rest."""
    out = np.full(24, rest)
    for first, last, value in parts:
        out[first:last] = value
    return out


_SCHOOL: Final = _day((6, 7, 0.1), (7, 8, 0.6), (8, 13, 1.0), (13, 14, 0.8), (14, 16, 0.4), (16, 18, 0.12))
_SCHOOL_SHUT: Final = _day((8, 14, 0.05))
_OFFICE: Final = _day(
    (6, 7, 0.2), (7, 8, 0.7), (8, 12, 1.0), (12, 13, 0.85), (13, 15, 0.95), (15, 17, 0.55), (17, 18, 0.15)
)
_OFFICE_SHUT: Final = _day((9, 14, 0.03))
_MUSEUM: Final = _day((8, 9, 0.3), (9, 10, 0.7), (10, 17, 1.0), (17, 18, 0.3))
_MUSEUM_SHUT: Final = _day((8, 16, 0.12))
_HOSPITAL: Final = _day((6, 7, 0.8), (7, 14, 1.0), (14, 19, 0.8), (19, 22, 0.65), rest=0.5)
_HOSPITAL_SHUT: Final = _day((6, 20, 0.72), (20, 22, 0.6), rest=0.48)
_CARE: Final = _day((5, 6, 0.6), (6, 9, 1.0), (9, 18, 0.85), (18, 21, 0.9), (21, 22, 0.55), rest=0.35)

_PROFILES: Final = {
    BuildingKind.SCHOOL: (_SCHOOL, _SCHOOL_SHUT),
    BuildingKind.OFFICE: (_OFFICE, _OFFICE_SHUT),
    BuildingKind.MUSEUM: (_MUSEUM, _MUSEUM_SHUT),
    BuildingKind.HOSPITAL: (_HOSPITAL, _HOSPITAL_SHUT),
    BuildingKind.CARE_HOME: (_CARE, _CARE),
    BuildingKind.OTHER: (_OFFICE, _OFFICE_SHUT),
}
"""Occupancy by local hour on open and on other days."""

_MONDAY: Final = 0
_SATURDAY: Final = 5
_MUSEUM_CLOSED: Final = frozenset({(1, 1), (12, 24), (12, 25), (12, 26)})


@dataclass(frozen=True, slots=True)
class YearOccupancy:
    """A UTC year by the hour: `hour` of the local day, `day` (local, since 1970), `share` of people, `open` days."""

    hour: Longs
    day: Longs
    share: Floats
    open: Bools


def is_open(kind: BuildingKind, day: date, district: District) -> bool:
    """Return whether the building is in ordinary use on a local day."""
    free = day in public_holidays(day.year)
    if kind in {BuildingKind.HOSPITAL, BuildingKind.OFFICE, BuildingKind.OTHER}:
        return day.weekday() < _SATURDAY and not free
    if kind is BuildingKind.MUSEUM:
        return (day.weekday() != _MONDAY or free) and (day.month, day.day) not in _MUSEUM_CLOSED
    if kind is BuildingKind.SCHOOL:
        return day.weekday() < _SATURDAY and not free and day not in school_holidays(day.year, district)
    return True


@lru_cache(maxsize=256)
def year_occupancy(kind: BuildingKind, district: District, year: int) -> YearOccupancy:
    """Return the occupancy of a UTC year."""
    wall = local(hours_of_year(year), PRAGUE).astype("datetime64[h]").astype(np.int64)
    hour, day = wall % 24, wall // 24
    first = int(day[0])
    days = [date(1970, 1, 1) + timedelta(days=first + n) for n in range(int(day[-1]) - first + 1)]
    opened = np.array([is_open(kind, d, district) for d in days])[day - first]
    busy, quiet = _PROFILES[kind]
    return YearOccupancy(hour, day, np.where(opened, busy[hour], quiet[hour]), opened)
