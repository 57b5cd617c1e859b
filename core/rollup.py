"""Roll-ups: consumption of each point by hour or day, exact in nano-units, with what it rests on."""

from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from core.calendar import Instants, Longs
from core.readings import Codes, SeriesKey

NANO: Final = 1_000_000_000
"""Nano-units in a unit: the curve counts in billionths of a kWh or m³, so that sums are exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """Consumption by period of many points.

    `series` are (point, register), `code` indexes them; one entry a series and period in every array:
    `start` the period's first instant, `span_s` its length [s], `nano` the consumption of its known part
    [1e-9 kWh or m³], `missing_s` the seconds of which nothing is known, `estimated_s` those integrated from power.
    `gap_until` is the end of a long gap between two dial readings that crosses the period's start, `gap_since` the
    begin of one that crosses its end, NaT where there is none: inside such a gap the distribution is estimated while
    its total is measured, so a longer period that holds the whole gap is measured again. `first_at` and `last_at`
    are the first and last reading that the value rests on (NaT: none).
    """

    series: tuple[SeriesKey, ...]
    code: Codes
    start: Instants
    span_s: Longs
    nano: Longs
    missing_s: Longs
    estimated_s: Longs
    gap_until: Instants
    gap_since: Instants
    first_at: Instants
    last_at: Instants

    def __len__(self) -> int:
        return len(self.start)

    def take(self, chosen: npt.NDArray[np.generic]) -> Self:
        """Return the periods that an index or mask chooses; the series stay."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in ROLLUP_ARRAYS})

    def of_series(self, key: SeriesKey) -> Self:
        """Return the periods of one series."""
        if key not in self.series:
            return self.take(np.zeros(len(self), bool))
        return self.take(self.code == self.series.index(key))

    @classmethod
    def empty(cls) -> Self:
        """Return no periods."""
        instants, longs = np.empty(0, "datetime64[us]"), np.empty(0, np.int64)
        arrays = {n: instants if n in ROLLUP_INSTANTS else longs for n in ROLLUP_ARRAYS}
        return cls(series=(), **{**arrays, "code": np.empty(0, np.int32)})  # type: ignore[arg-type]


ROLLUP_ARRAYS: Final = tuple(f.name for f in fields(RollUp) if f.name != "series")
ROLLUP_INSTANTS: Final = frozenset({"start", "gap_until", "gap_since", "first_at", "last_at"})


def concat(parts: list[RollUp]) -> RollUp:
    """Return one roll-up of several of distinct or equal series."""
    if not parts:
        return RollUp.empty()
    place: dict[SeriesKey, int] = {}
    codes = []
    for part in parts:
        table = np.array([place.setdefault(key, len(place)) for key in part.series] or [0], np.int32)
        codes.append(table[part.code])
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in ROLLUP_ARRAYS if n != "code"}
    return RollUp(series=tuple(place), code=np.concatenate(codes), **columns)
