"""How buildings of a kind compare by specific consumption, and how their ranks changed against the year before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from analytics.energy_use import COVERAGE, Group, group, quarter_of, rank_changes, ranks, specific_use
from core.readings import Floats
from core.region_tables import RegionTables
from core.registry import Building, BuildingKind, Commodity, Point
from services.adding import addends
from services.emission_inventory import inventory
from services.emissions import mean_of
from services.monthly_use import Ask, Months, monthly_use

__all__ = ["COVERAGE", "Benchmark", "Kind", "Measure", "Standing", "benchmark"]


class Measure(StrEnum):
    """What is compared: amount by size."""

    ENERGY_PER_AREA = "energy-per-area"
    ELECTRICITY_PER_AREA = "electricity-per-area"
    HEATING_PER_AREA = "heating-per-area"
    WATER_PER_PERSON = "water-per-person"
    WATER_PER_PUPIL = "water-per-pupil"
    WATER_PER_BED = "water-per-bed"
    ENERGY_PER_PERSON = "energy-per-person"
    ENERGY_PER_PUPIL = "energy-per-pupil"
    ENERGY_PER_BED = "energy-per-bed"


ELECTRICITY: Final = (Commodity.ELECTRICITY,)
HEATING: Final = (Commodity.GAS, Commodity.HEAT)
ENERGY: Final = (*ELECTRICITY, *HEATING)
WATER: Final = (Commodity.COLD_WATER,)
Normal = Callable[[Sequence[Point], datetime, datetime], Mapping[str, float | None]]
"""Tells what points would have used [kWh] in a span of normal weather; None, or no entry: not known."""
COMMODITIES: Final = {"energy": ENERGY, "electricity": ELECTRICITY, "heating": HEATING, "water": WATER}
USERS: Final = {"person": "", "pupil": "pupils", "bed": "beds"}
"""The kind of users that a size counts; a person is a user of any kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A building among its kind; `value` None where `reason` says why (no_data, no_size, coverage, no_conversion).

    `rank` 1 uses least, `quarter` 1 to 4 (None of too few). `rank_now` and `rank_before` are among those known in both
    years, their change below zero is a better place. `commodities` are those that the amount is of.
    """

    building: Building
    commodities: tuple[Commodity, ...]
    amount: float | None
    size: float | None
    coverage: float
    value: float | None
    normalised: bool
    rank: int | None
    quarter: int | None
    value_before: float | None
    rank_now: int | None
    rank_before: int | None
    reason: str

    @property
    def rank_change(self) -> int | None:
        """By how many places it moved, below zero the better way."""
        return None if self.rank_now is None or self.rank_before is None else self.rank_now - self.rank_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of building: its quartiles and how its buildings stand, the least use first."""

    kind: BuildingKind
    quartiles: Group
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A measure over one span of months, against the same a year before."""

    measure: Measure
    unit: str
    first: date
    end: date
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """Buildings in one span: amount [kWh or m³], size, known share, whether normalised, and what lacks."""

    amount: Floats
    size: Floats
    coverage: Floats
    normalised: tuple[bool, ...]
    reasons: tuple[str, ...]
    value: Floats


def benchmark(
    measure: Measure,
    buildings: Sequence[Building],
    points: Mapping[str, Point],
    now: tuple[Months, tuple[datetime, datetime]],
    before: tuple[Months, tuple[datetime, datetime]],
    *,
    ask: Ask,
    tables: RegionTables,
    normal: Normal | None = None,
    least: float = COVERAGE,
) -> Benchmark:
    """Return how buildings stand in a span (months as one period, its ends) and how that changed.

    `normal` gives consumption of normal weather where it is known for all heated points of a building.
    """
    commodities = COMMODITIES[measure.value.partition("-")[0]]
    chosen = addends([p for p in points.values() if p.commodity in commodities], points).points
    held = {b.id: [p for p in chosen if p.building == b.id] for b in buildings}
    there = [b for b in buildings if held[b.id]]
    spans = [_use(measure, there, held, span, ask, tables, normal, least) for span in (now, before)]
    kinds = [_kind(kind, there, held, spans) for kind in BuildingKind if any(b.kind is kind for b in there)]
    first, end = now[0].span(0)
    unit = f"{'m³' if commodities is WATER else 'kWh'}/{'m²' if measure.endswith('area') else 'os.'}"
    return Benchmark(measure=measure, unit=unit, first=first, end=end, kinds=tuple(kinds))


def _use(  # noqa: PLR0917 - the parts of one question
    measure: Measure,
    buildings: Sequence[Building],
    held: Mapping[str, Sequence[Point]],
    span: tuple[Months, tuple[datetime, datetime]],
    ask: Ask,
    tables: RegionTables,
    normal: Normal | None,
    least: float,
) -> _Use:
    months, ends = span
    points = [p for b in buildings for p in held[b.id]]
    owner = {b.id: b for b in buildings}
    found = inventory(monthly_use(ask, points, months), owner, tables.factors)
    told = normal(points, *ends) if normal and not measure.startswith("water") else {}
    hours = months.hours / max(months.hours.sum(), 1e-9)
    known = 1.0 - (found.missing * hours).sum(axis=1)
    amount = np.where(np.isfinite(found.energy).any(axis=1), np.nansum(found.energy, axis=1), np.nan)
    lost = found.volume_m3.sum(axis=1) > 0
    rows = [[i for i, p in enumerate(points) if p.building == b.id] for b in buildings]
    normals = [_normalised(row, points, amount, told) for row in rows]
    amounts = np.array([amount[row].sum() if n is None else n for row, n in zip(rows, normals, strict=True)])
    size = np.array([_size(measure, b, *months.span(0)) for b in buildings], np.float64)
    coverage = np.array([known[row].min() for row in rows], np.float64)
    value = specific_use(amounts, size, coverage, least=least)
    return _Use(
        amount=amounts,
        size=size,
        coverage=coverage,
        normalised=tuple(n is not None for n in normals),
        reasons=tuple(
            _reason(lost=bool(lost[row].any()), amount=a, size=s, value=v)
            for row, a, s, v in zip(rows, amounts.tolist(), size.tolist(), value.tolist(), strict=True)
        ),
        value=value,
    )


def _normalised(
    row: Sequence[int], points: Sequence[Point], amount: Floats, told: Mapping[str, float | None]
) -> float | None:
    """Return a building's consumption of normal weather: heated points normalised, the others as they were."""
    heated = [i for i in row if points[i].commodity in HEATING]
    if not heated or any(told.get(points[i].id) is None for i in heated):
        return None
    return float(sum(told.get(points[i].id) or 0.0 if i in heated else amount[i] for i in row))


def _size(measure: Measure, building: Building, first: date, end: date) -> float:
    what = measure.value.rpartition("-")[2]
    if what == "area":
        found = mean_of(building.areas, first, end)
    elif USERS[what]:
        found = mean_of(building.users, first, end, USERS[what])
    else:
        means = [mean_of(building.users, first, end, k) for k in dict.fromkeys(v.kind for v in building.users)]
        known = [m for m in means if m is not None]
        found = sum(known) if known and len(known) == len(means) else None
    return np.nan if found is None else found


def _reason(*, lost: bool, amount: float, size: float, value: float) -> str:
    told = {
        "no_conversion": lost,
        "no_data": not np.isfinite(amount),
        "no_size": not size > 0,
        "coverage": not np.isfinite(value),
    }
    return next((code for code, holds in told.items() if holds), "")


def _kind(
    kind: BuildingKind, buildings: Sequence[Building], held: Mapping[str, Sequence[Point]], spans: Sequence[_Use]
) -> Kind:
    rows = np.array([i for i, b in enumerate(buildings) if b.kind is kind])
    now, before = (span.value[rows] for span in spans)
    quartiles = group(now)
    placed, quarters = ranks(now), quarter_of(now, quartiles)
    rank_now, rank_before, both = rank_changes(now, before)
    use = spans[0]
    standings = [
        Standing(
            building=buildings[i],
            commodities=tuple(dict.fromkeys(p.commodity for p in held[buildings[i].id])),
            amount=_known(use.amount[i]),
            size=_known(use.size[i]),
            coverage=float(use.coverage[i]),
            value=_known(now[n]),
            normalised=use.normalised[i],
            rank=int(placed[n]) or None,
            quarter=int(quarters[n]) or None,
            value_before=_known(before[n]),
            rank_now=int(rank_now[n]) if both[n] else None,
            rank_before=int(rank_before[n]) if both[n] else None,
            reason=use.reasons[i],
        )
        for n, i in enumerate(rows.tolist())
    ]
    ordered = sorted(standings, key=lambda s: (s.rank is None, s.rank or 0, s.building.id))
    return Kind(kind=kind, quartiles=quartiles, standings=tuple(ordered))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
