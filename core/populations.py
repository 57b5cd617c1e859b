"""How many inhabit the region: states at days, as the statistical office counts them, and mean states of years.

The population of a period is its published mean state, else the mean of the states at its two ends. A period without
them has none: no state is carried forward, for the census of 2021 broke the series and protection swings it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.dated_tables import Provenance, check_positive

NEAR: Final = timedelta(days=1)
"""31 December and 1 January name the same state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Inhabitants of a place: at a day, or (with `until`) as the mean of the span [at, until)."""

    id: str
    place: str
    at: date
    inhabitants: float
    provenance: Provenance
    until: date | None = None
    series: str = ""

    def __post_init__(self) -> None:
        check_positive(f"population {self.id}:", self.inhabitants)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPopulation:
    """The mean population of a period and what it was made of; None inhabitants where `reason` says why."""

    inhabitants: float | None
    made_of: tuple[Population, ...] = ()
    reason: str = ""


def population_of(rows: Sequence[Population], place: str, first: date, end: date) -> PeriodPopulation:
    """Return the population of a place in [first, end)."""
    here = _newest([row for row in rows if row.place == place])
    mean = [row for row in here if row.until is not None and row.at == first and row.until == end]
    if mean:
        return PeriodPopulation(inhabitants=mean[0].inhabitants, made_of=(mean[0],))
    states = [row for row in here if row.until is None]
    ends = [_state(states, first), _state(states, end)]
    known = tuple(row for row in ends if row is not None)
    if len(known) < len(ends):
        return PeriodPopulation(inhabitants=None, made_of=known, reason="no_population")
    if len({row.series for row in known}) > 1:
        return PeriodPopulation(inhabitants=None, made_of=known, reason="population_series_break")
    return PeriodPopulation(inhabitants=sum(row.inhabitants for row in known) / 2, made_of=known)


def _newest(rows: list[Population]) -> list[Population]:
    newest: dict[tuple[date, date | None], Population] = {}
    for row in sorted(rows, key=lambda r: r.provenance.version):
        newest[row.at, row.until] = row
    return list(newest.values())


def _state(rows: list[Population], day: date) -> Population | None:
    near = [row for row in rows if day - NEAR <= row.at <= day]
    return max(near, key=lambda row: row.at, default=None)
