"""What made a quantity change between two periods, split exactly: the parts add up to the change.

Shapley's value over the causes (the mean of all orders in which they could have changed) is the one split that leaves
no rest, treats causes alike and gives nothing to one that did not change (Shapley 1953; for emissions: Ang, Liu and
Chew 2003, Albrecht et al. 2002). Arithmetic is exact (fractions); parts are rounded to whole grams, the rounding's
rest going to the parts that lost most by it, so that they add up to the last digit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import factorial, floor, isfinite
from typing import Final

MG_PER_KG: Final = 1_000_000
MG_PER_T: Final = 1_000_000_000

Point = Mapping[str, Fraction]


class Cause(StrEnum):
    """What can change emissions."""

    CONSUMPTION = "consumption"
    WEATHER = "weather"
    FACTOR = "factor"
    POPULATION = "population"


def shapley(value: Callable[[Point], Fraction], before: Point, after: Point) -> dict[str, Fraction]:
    """Return how much of value(after) - value(before) each input made; the parts sum to it exactly."""
    names = tuple(before)
    n = len(names)
    made = {
        subset: value({k: after[k] if k in subset else before[k] for k in names})
        for size in range(n + 1)
        for subset in map(frozenset, combinations(names, size))
    }
    weight = [Fraction(factorial(s) * factorial(n - s - 1), factorial(n)) for s in range(n)]
    return {
        name: sum(
            (weight[len(s)] * (made[s | {name}] - made[s]) for s in made if name not in s),
            Fraction(0),
        )
        for name in names
    }


def rounded(parts: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """Return whole numbers next to the parts that add up to `total` (largest remainders)."""
    low = {name: floor(value) for name, value in parts.items()}
    order = sorted(parts, key=lambda name: (low[name] - parts[name], name))
    rest = total - sum(low.values())
    each, more = divmod(rest, len(order)) if order else (0, 0)
    return {name: low[name] + each + (name in order[:more]) for name in parts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A carrier in one period.

    `energy_kwh` and its `emission_kg`, so that a period of several factors has their weighted mean; `normal_kwh` what
    it would have been in a normal year (None: not known), `inhabitants` of the period (None: not known).
    """

    energy_kwh: float | None
    emission_kg: float | None
    normal_kwh: float | None = None
    inhabitants: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A change split by cause, in milligrams (of emission, or of emission per inhabitant where `per_inhabitant`).

    `change_mg` is `after_mg` - `before_mg` and the sum of `parts_mg`. A cause that could not be told has no part:
    `reasons` says why, and what it made is in the part of consumption.
    """

    before_mg: int
    after_mg: int
    parts_mg: Mapping[Cause, int]
    reasons: Mapping[Cause, str]
    per_inhabitant: bool = False

    @property
    def change_mg(self) -> int:
        """The whole change."""
        return self.after_mg - self.before_mg


@dataclass(frozen=True, slots=True, kw_only=True)
class Undetermined:
    """A change that cannot be split, and why."""

    reason: str


def split(before: Side, after: Side, *, per_inhabitant: bool = False) -> Split | Undetermined:
    """Split the change of a carrier's emission [mg]; `per_inhabitant`: of its emission per inhabitant.

    Emission = population x (normal consumption per inhabitant + weather's part per inhabitant) x factor; where the
    population is not known, it is not split off. Emission per inhabitant = (normal consumption + weather's part) x
    factor / population.
    """
    reason = _reason(before, after)
    if reason:
        return Undetermined(reason=reason)
    reasons: dict[Cause, str] = {}
    if before.normal_kwh is None or after.normal_kwh is None:
        reasons[Cause.WEATHER] = "no_normalised_consumption"
    if not (before.inhabitants and after.inhabitants):
        reasons[Cause.POPULATION] = "no_population"
        if per_inhabitant:
            return Undetermined(reason="no_population")
    start, end = _inputs(before, after, reasons, shared=not per_inhabitant)
    value = _per_inhabitant if per_inhabitant else _emission
    parts = shapley(value, start, end)
    first, last = (round(value(side)) for side in (start, end))
    return Split(
        before_mg=first,
        after_mg=last,
        parts_mg={Cause(name): part for name, part in rounded(parts, last - first).items()},
        reasons=reasons,
        per_inhabitant=per_inhabitant,
    )


def _reason(before: Side, after: Side) -> str:
    for side in (before, after):
        values = (side.energy_kwh, side.normal_kwh, side.emission_kg, side.inhabitants)
        if any(value is not None and not isfinite(value) for value in values):
            raise ValueError("an amount of a split is no number; give None for what is not known")
        if side.energy_kwh is None:
            return "no_consumption"
    used = [side for side in (before, after) if side.energy_kwh]
    return "no_factor" if any(side.emission_kg is None for side in used) else ""


def _inputs(before: Side, after: Side, reasons: Mapping[Cause, str], *, shared: bool) -> tuple[Point, Point]:
    """Return the causes' sizes on both sides; `shared`: consumption counts by inhabitant."""
    factors = [_factor(side) for side in (before, after)]
    known = [f for f in factors if f is not None]
    stand_in = known[0] if known else Fraction(0)  # where nothing was used, the factor did not change
    sides = []
    for side, factor in zip((before, after), factors, strict=True):
        energy = Fraction(side.energy_kwh or 0.0)
        normal = energy if Cause.WEATHER in reasons or side.normal_kwh is None else Fraction(side.normal_kwh)
        people = Fraction(1) if Cause.POPULATION in reasons else Fraction(side.inhabitants or 1.0)
        each = people if shared else Fraction(1)
        made = {
            Cause.CONSUMPTION: normal / each,
            Cause.WEATHER: (energy - normal) / each,
            Cause.FACTOR: stand_in if factor is None else factor,
            Cause.POPULATION: people,
        }
        sides.append({cause.value: value for cause, value in made.items() if cause not in reasons})
    return sides[0], sides[1]


def _factor(side: Side) -> Fraction | None:
    """Return the mean factor [mg/kWh], None where nothing was used."""
    if not side.energy_kwh or side.emission_kg is None:
        return None
    return Fraction(side.emission_kg) * MG_PER_KG / Fraction(side.energy_kwh)


def _emission(p: Point) -> Fraction:
    return p.get(Cause.POPULATION, Fraction(1)) * _used(p) * p[Cause.FACTOR]


def _per_inhabitant(p: Point) -> Fraction:
    return _used(p) * p[Cause.FACTOR] / p[Cause.POPULATION]


def _used(p: Point) -> Fraction:
    return p[Cause.CONSUMPTION] + p.get(Cause.WEATHER, Fraction(0))


def together(splits: Sequence[Split]) -> Split:
    """Return the sum of splits of one kind; a cause that one could not tell has a reason, and its known part."""
    parts: dict[Cause, int] = {}
    reasons: dict[Cause, str] = {}
    for one in splits:
        for cause, part in one.parts_mg.items():
            parts[cause] = parts.get(cause, 0) + part
        reasons.update(one.reasons)
    return Split(
        before_mg=sum(s.before_mg for s in splits),
        after_mg=sum(s.after_mg for s in splits),
        parts_mg=parts,
        reasons=reasons,
        per_inhabitant=any(s.per_inhabitant for s in splits),
    )
