"""Calendar days as arrays: what explains consumption besides the weather."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]

SATURDAY: Final = 5
SUNDAY: Final = 6
DECEMBER: Final = 12
FESTIVE_FROM: Final = 24  # of December to 1 January most public buildings are shut, whatever the country


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Local days (D,) in order without a gap, and what is known of each.

    `holiday` public holidays; `festive` the days from Christmas Eve to New Year; `school` school holidays; `modes`
    other operating modes of the building by name (summer school, closed for works), all (D,) of bool.
    """

    day: Dates
    holiday: Bools
    festive: Bools
    school: Bools
    modes: Mapping[str, Bools] = field(default_factory=dict)

    def among(self, place: Bools) -> "Days":
        """Return some of the days."""
        return Days(
            day=self.day[place],
            holiday=self.holiday[place],
            festive=self.festive[place],
            school=self.school[place],
            modes={name: mode[place] for name, mode in self.modes.items()},
        )

    @property
    def weekday(self) -> npt.NDArray[np.int64]:
        """0 is Monday."""
        return np.asarray((self.day.astype("datetime64[D]").astype(np.int64) + 3) % 7)

    @property
    def free(self) -> Bools:
        """Days on which an office is shut."""
        return (self.weekday >= SATURDAY) | self.holiday | self.festive

    @property
    def of_year(self) -> npt.NDArray[np.int64]:
        """0 is 1 January."""
        return np.asarray((self.day - self.day.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))

    @property
    def type_code(self) -> npt.NDArray[np.int64]:
        """0 workday, 1 Saturday, 2 Sunday, 3 public holiday, 4 festive days, 5 school holiday on a workday."""
        code = np.where(self.weekday == SATURDAY, 1, np.where(self.weekday == SUNDAY, 2, 0))
        code = np.where((code == 0) & self.school, 5, code)
        return np.where(self.festive, 4, np.where(self.holiday, 3, code))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Daily mean outdoor temperature `temp_c` (s, D) of s stations, NaN where missing; `station` (m,) of each meter."""

    temp_c: Floats
    station: npt.NDArray[np.int64]

    @property
    def of_meters(self) -> Floats:
        """Temperature (m, D) of each meter."""
        return np.asarray(self.temp_c[self.station])


TYPE_NAMES: Final = ("workday", "saturday", "sunday", "holiday", "festive", "school_holiday")


def plain_days(first: np.datetime64, last: np.datetime64) -> Days:
    """Return the days from first to last, both included, of no country: weekdays alone are known."""
    day = np.arange(first, last + np.timedelta64(1, "D"), dtype="datetime64[D]")
    none = np.zeros(len(day), bool)
    return Days(day=day, holiday=none, festive=none, school=none)


def festive_days(day: Dates) -> Bools:
    """Return which days lie from 24 December to 1 January."""
    month = day.astype("datetime64[M]").astype(np.int64) % 12 + 1
    of_month = (day - day.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray(((month == DECEMBER) & (of_month >= FESTIVE_FROM)) | ((month == 1) & (of_month == 1)))
