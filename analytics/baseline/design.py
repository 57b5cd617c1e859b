"""The columns of a daily model: base by day type, slopes of temperature, season, yearly harmonic.

One transparent family: the change-point models of ASHRAE's Inverse Modeling Toolkit (RP-1050; Kissock, Haberl and
Claridge 2003) with day types; a temperature of three days for thermal inertia; a heating season with its own base.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.baseline.days import SATURDAY, SUNDAY, Bools, Days, Floats

SLOPE_UNIT_C: Final = 10.0  # slopes are per ten degrees, so that all columns are of like size
DAYS_OF_YEAR: Final = 365.25
SLIGHT, USUAL, STRONG = 0.2, 1.0, 2.0  # penalties in pseudo-days x `RIDGE`


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One candidate: what is nonlinear in it. Without `heat_c` and `cool_c` it knows no temperature.

    `inertia` weighs the mean temperature of the day, the day before and so on; `season` is the first and the last day
    (number in the year) of the heating season, which may reach over New Year.
    """

    inertia: tuple[float, ...] = (1.0,)
    heat_c: float | None = None
    cool_c: float | None = None
    split: bool = False
    harmonics: int = 0
    weekdays: bool = False
    season: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Columns (D, p) by name, the penalty of each, and which coefficients must not be negative."""

    spec: Spec
    names: tuple[str, ...]
    x: Floats
    penalty: Floats
    positive: Bools


Column = tuple[str, npt.NDArray[np.float64], float, bool]


def felt(temp_c: Floats, inertia: Sequence[float]) -> Floats:
    """Return the weighted temperature (D,) of each day and those before; what is missing before is left out."""
    total, weight = np.zeros(len(temp_c)), np.zeros(len(temp_c))
    for lag, share in enumerate(inertia):
        past = np.concatenate([np.full(lag, np.nan), temp_c[: len(temp_c) - lag]])
        known = np.isfinite(past)
        total += np.where(known, past, 0.0) * share
        weight += known * share
    return np.where(np.isfinite(temp_c), total / np.maximum(weight, 1e-9), np.nan)


class Ground:
    """Days (D,) and the temperature (D,) of one station, and what many candidates take from them.

    With `place` (n,) only those days become rows; the days before them still tell the felt temperature.
    """

    def __init__(self, days: Days, temp_c: Floats, place: npt.NDArray[np.int64] | None = None) -> None:
        self.place = np.arange(len(days.day)) if place is None else place
        self.days = days
        self.free = days.free[self.place]
        self.of_year = days.of_year[self.place]
        self._temp_c = temp_c
        self._felt: dict[tuple[float, ...], Floats] = {}
        self._base: dict[bool, list[Column]] = {}

    def of(self, place: npt.NDArray[np.int64]) -> "Ground":
        """Return the ground of some of the days."""
        return Ground(self.days, self._temp_c, place)

    def felt_c(self, inertia: tuple[float, ...]) -> Floats:
        """Return the felt temperature (n,) for some inertia."""
        if inertia not in self._felt:
            self._felt[inertia] = felt(self._temp_c, inertia)[self.place]
        return self._felt[inertia]

    def base(self, *, weekdays: bool) -> list[Column]:
        """Return the columns of the day types."""
        if weekdays not in self._base:
            columns = _base(self.days, weekdays=weekdays)
            self._base[weekdays] = [(name, x[self.place], penalty, sign) for name, x, penalty, sign in columns]
        return self._base[weekdays]

    def in_season(self, season: tuple[int, int]) -> Bools:
        """Return which days lie in a season of first and last day of the year."""
        first, last = season
        later, earlier = self.of_year >= first, self.of_year < last
        return later | earlier if first > last else later & earlier


def design(spec: Spec, ground: Ground) -> Design:
    """Return the columns of a candidate; rows of days without temperature are not finite."""
    columns = [
        *ground.base(weekdays=spec.weekdays),
        *_harmonics(spec, ground),
        *_season(spec, ground),
        *_slopes(spec, ground),
    ]
    return Design(
        spec=spec,
        names=tuple(c[0] for c in columns),
        x=np.stack([c[1] for c in columns], axis=1),
        penalty=np.array([c[2] for c in columns]),
        positive=np.array([c[3] for c in columns]),
    )


def _base(days: Days, *, weekdays: bool) -> list[Column]:
    free, weekday = days.free, days.weekday
    plain = ~(days.holiday | days.festive)
    flags: list[tuple[str, Bools, float]] = [
        ("base", np.ones(len(free), bool), 0.0),
        ("free", free, 0.0),
        ("sunday", (weekday == SUNDAY) & plain, USUAL),
        ("holiday", days.holiday & ~days.festive, USUAL),
        ("festive", days.festive, USUAL),
        ("school", days.school & ~free, USUAL),
    ]
    for name, mode in days.modes.items():
        flags += [(f"mode:{name}", mode & ~free, USUAL), (f"mode:{name}:free", mode & free, USUAL)]
    if weekdays:
        flags += [("monday", (weekday == 0) & ~free, STRONG), ("friday", (weekday == SATURDAY - 1) & ~free, STRONG)]
    return [(name, flag.astype(float), penalty, False) for name, flag, penalty in flags]


def _harmonics(spec: Spec, ground: Ground) -> list[Column]:
    angle = 2 * np.pi * ground.of_year / DAYS_OF_YEAR
    waves = [(f"{f.__name__}{n}", f(n * angle)) for n in range(1, spec.harmonics + 1) for f in (np.cos, np.sin)]
    return [(name, wave, USUAL, False) for name, wave in waves]


def _season(spec: Spec, ground: Ground) -> list[Column]:
    if spec.season is None:
        return []
    on = ground.in_season(spec.season).astype(float)
    return [("season", on, SLIGHT, False), ("season:free", on * ground.free, USUAL, False)]


def _slopes(spec: Spec, ground: Ground) -> list[Column]:
    columns: list[Column] = []
    free = ground.free.astype(float)
    if spec.heat_c is not None:
        cold = np.maximum(spec.heat_c - ground.felt_c(spec.inertia), 0.0) / SLOPE_UNIT_C
        cold = cold if spec.season is None else cold * ground.in_season(spec.season)
        columns += _by_day("heating", cold, free, split=spec.split)
    if spec.cool_c is not None:
        warm = np.maximum(ground.felt_c(spec.inertia) - spec.cool_c, 0.0) / SLOPE_UNIT_C
        columns += _by_day("cooling", warm, free, split=spec.split)
    return columns


def _by_day(name: str, slope: Floats, free: Floats, *, split: bool) -> list[Column]:
    if not split:
        return [(name, slope, SLIGHT, True)]
    return [(f"{name}:work", slope * (1 - free), SLIGHT, True), (f"{name}:free", slope * free, SLIGHT, True)]
