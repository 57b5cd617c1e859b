"""Which models are tried: four ways to see the same building, whose mean predicts better than any of them.

The four were chosen on real meters of several places (see docs/baseline.md); none is tuned to one meter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.baseline.design import Spec

NO_INERTIA: Final = (1.0,)
THREE_DAYS: Final = (0.55, 0.30, 0.15)  # weights of the day and the two before: thermal inertia of a heavy building
HEATING_C: Final = (8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0)
COOLING_C: Final = (12.0, 14.0, 16.0, 18.0, 20.0, 22.0)
SEASON_FIRST: Final = range(220, 320, 12)  # day of the year: from early August to mid November
SEASON_LAST: Final = range(80, 180, 12)  # from late March to mid June
SEASON_POINTS: Final[Sequence[tuple[float | None, float | None]]] = (
    (None, None),
    (14.0, None),
    (17.0, None),
    (20.0, None),
    (None, 18.0),
    (14.0, 18.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Candidates of which the data choose one, and how many rounds of Huber weights follow."""

    name: str
    specs: tuple[Spec, ...]
    robust_rounds: int


def _points(heating: Sequence[float], cooling: Sequence[float]) -> Iterator[tuple[float | None, float | None]]:
    yield None, None
    yield from ((heat, None) for heat in heating)
    yield from ((None, cool) for cool in cooling)
    yield from ((heat, cool) for heat in heating for cool in cooling if heat <= cool)


def _change_points(
    inertias: Sequence[tuple[float, ...]], *, splits: Sequence[bool] = (False, True), harmonics: int = 0, weekdays: bool
) -> tuple[Spec, ...]:
    made = [
        Spec(inertia=inertia, heat_c=heat, cool_c=cool, split=split, harmonics=harmonics, weekdays=weekdays)
        if heat is not None or cool is not None
        else Spec(harmonics=harmonics, weekdays=weekdays)
        for inertia in inertias
        for heat, cool in _points(HEATING_C, COOLING_C)
        for split in splits
    ]
    return tuple(dict.fromkeys(made))


def _seasons(points: Sequence[tuple[float | None, float | None]], *, weekdays: bool) -> tuple[Spec, ...]:
    seasons = [(first, last) for first in SEASON_FIRST for last in SEASON_LAST]
    split = [
        Spec(
            inertia=THREE_DAYS if heat or cool else NO_INERTIA,
            heat_c=heat,
            cool_c=cool,
            split=heat is not None,
            weekdays=weekdays,
            season=season,
        )
        for heat, cool in points
        for season in seasons
    ]
    return (Spec(weekdays=weekdays), *split)


WITH_TEMPERATURE: Final = (
    Family(name="slopes", specs=_change_points((NO_INERTIA, THREE_DAYS), weekdays=True), robust_rounds=3),
    Family(name="plain", specs=_change_points((THREE_DAYS,), weekdays=False), robust_rounds=0),
    Family(name="harmonic", specs=_change_points((THREE_DAYS,), harmonics=1, weekdays=False), robust_rounds=3),
    Family(name="season", specs=_seasons(SEASON_POINTS, weekdays=False), robust_rounds=3),
)
CALENDAR_ONLY: Final = (
    Family(name="calendar", specs=(Spec(weekdays=True),), robust_rounds=3),
    Family(name="harmonic", specs=(Spec(harmonics=1), Spec(harmonics=2)), robust_rounds=3),
    Family(name="season", specs=_seasons(((None, None),), weekdays=False), robust_rounds=3),
)
