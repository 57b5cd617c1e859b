"""Why an indicator changed between two spans: its difference by cause and by building, each adding up to it exactly.

Consumption changes by what is known (points that knew more or less), by measures of the plan, by the weather and by
use, which is the rest; emissions by the factors too. What is told by size changes by the amount and by the size. Other
indicators change by their parts. Differences are of billionths of the figure's unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

import numpy as np

from analytics.attribution import rounded, shapley
from core.calendar import Bools
from core.indicators import Because, Scope, Value
from core.notes import JsonValue
from core.plan import Indicator
from core.readings import Floats
from core.registry import Commodity
from services.emission_change import MOST_MISSING
from services.indicator_basis import ENERGY, WATER, Basis, Use
from services.indicator_climate import DegreeDayEffect
from services.indicator_made import UNITS, because
from services.indicator_savings import plan_shares
from services.indicator_span import MILLION
from services.indicators import Evaluation
from services.savings import Share

BILLION: Final = 1_000_000_000
USE: Final = "use"
"""What no other cause explains of consumption."""
Days = tuple[date, date]
Amounts = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A piece of a change: of a cause, a building, a measure; in the figure's unit."""

    kind: str
    key: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorChange:
    """How an indicator's main figure differs between two spans; `change` None where one of them is not known.

    `causes` add up to the change, and so do the differences of each other kind, in whole billionths.
    """

    indicator: Indicator
    scope: Scope
    before: Value
    after: Value
    change: float | None
    causes: tuple[Difference, ...] = ()
    parts: tuple[Difference, ...] = ()
    reasons: tuple[Because, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    basis: Basis
    scope: Scope
    before: Days
    after: Days
    values: tuple[Value, Value]


def explained(
    evaluation: Evaluation, indicator: Indicator, scope: Scope, *, before: Days, after: Days
) -> IndicatorChange:
    """Return why an indicator of a scope differs in the days of `after` from those of `before`, both half-open."""
    values = [evaluation.values([indicator], scope, *days)[0] for days in (before, after)]
    first, last = values
    amounts = [value.amounts[0].value for value in values]
    if amounts[0] is None or amounts[1] is None:
        return IndicatorChange(indicator=indicator, scope=scope, before=first, after=last, change=None)
    total = round((Fraction(amounts[1]) - Fraction(amounts[0])) * BILLION)
    asked = _Question(basis=evaluation.basis, scope=scope, before=before, after=after, values=(first, last))
    causes, reasons = _causes(asked, indicator)
    return IndicatorChange(
        indicator=indicator,
        scope=scope,
        before=first,
        after=last,
        change=total / BILLION,
        causes=_told("cause", causes, total, rest=USE if indicator.method in _BY_CAUSE else "rest"),
        parts=_by_parts(indicator, first, last, total),
        reasons=tuple(reasons),
    )


def _told(kind: str, amounts: Amounts, total: int, *, rest: str) -> tuple[Difference, ...]:
    """Return amounts in whole billionths that add up to a total, what is left in the `rest`."""
    left = Fraction(total) / BILLION - sum(amounts.values(), Fraction(0))
    every = {**amounts, rest: left} if left or rest == USE else amounts
    whole = rounded({key: value * BILLION for key, value in every.items()}, total)
    return tuple(Difference(kind=kind, key=key, value=n / BILLION) for key, n in whole.items())


def _by_parts(indicator: Indicator, first: Value, last: Value, total: int) -> tuple[Difference, ...]:
    """Return the differences of the main figure's parts, kind by kind, where the parts of both add up to it."""
    figure = indicator.figures[0].key
    kinds = dict.fromkeys(p.kind for value in (last, first) for p in value.parts if p.figure == figure)
    made: list[Difference] = []
    for kind in kinds:
        sides = [_parts(value, figure, kind) for value in (first, last)]
        keys = dict.fromkeys([*sides[1], *sides[0]])
        amounts = {key: sides[1].get(key, Fraction(0)) - sides[0].get(key, Fraction(0)) for key in keys}
        if abs(sum(amounts.values(), Fraction(0)) * BILLION - total) <= max(len(keys), 1):
            whole = rounded({key: value * BILLION for key, value in amounts.items()}, total)
            made += [Difference(kind=kind, key=key, value=n / BILLION) for key, n in whole.items()]
    return tuple(made)


def _parts(value: Value, figure: str, kind: str) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for part in value.parts:
        if part.figure == figure and part.kind == kind and part.value is not None:
            found[part.key] = found.get(part.key, Fraction(0)) + Fraction(part.value)
    return found


def _causes(asked: _Question, indicator: Indicator) -> tuple[Amounts, list[Because]]:
    of_amounts = _BY_CAUSE.get(indicator.method)
    if of_amounts is not None:
        unit = Fraction(UNITS[indicator.figures[0].unit][1])
        kg = indicator.method == "emissions"
        found, reasons = of_amounts(asked, kg)
        return {key: value / unit for key, value in found.items()}, reasons
    if indicator.method in _BY_SIZE:
        return _by_size(asked, _BY_SIZE[indicator.method]), []
    return {}, []


# By cause


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Rows of points (k) in the pieces of two spans (m): amounts [kWh, m³], their weights [kg], what both know."""

    uses: tuple[Use, Use]
    both: Bools

    def amount(self, side: int) -> Floats:
        return self.uses[side].atoms / MILLION

    def kg_each(self) -> tuple[Floats, Floats]:
        """Return kg per unit before and after; where nothing was used, that of the other."""
        sides = []
        for use in self.uses:
            kg = np.nan_to_num(use.found.location_kg)
            used = use.atoms / MILLION
            sides.append(np.divide(kg, used, out=np.full(kg.shape, np.nan), where=used > 0))
        before, after = (np.where(np.isnan(a), np.nan_to_num(b), a) for a, b in (sides, sides[::-1]))
        return before, after


def _cells(asked: _Question, water: bool) -> _Cells | None:  # noqa: FBT001 - which of two kinds
    kinds = WATER if water else ENERGY
    uses = [asked.basis.use_in(asked.scope, *days, kinds) for days in (asked.before, asked.after)]
    if len(uses[0].span.months.starts) != len(uses[1].span.months.starts):
        return None
    known = [
        use.known & (use.missing_h + use.span.months.hours - use.span.over_h <= MOST_MISSING * use.span.months.hours)
        for use in uses
    ]
    return _Cells(uses=(uses[0], uses[1]), both=known[0] & known[1])


def _energy(asked: _Question, kg: bool) -> tuple[Amounts, list[Because]]:  # noqa: FBT001 - the unit of a cause
    return _of_amounts(asked, kg=kg, water=False)


def _water(asked: _Question, kg: bool) -> tuple[Amounts, list[Because]]:  # noqa: FBT001 - same
    return _of_amounts(asked, kg=kg, water=True)


def _of_amounts(asked: _Question, *, kg: bool, water: bool) -> tuple[Amounts, list[Because]]:
    """Return what coverage, measures, weather and factors made of a change [kWh, m³ or kg]; the rest is use."""
    cells = _cells(asked, water)
    if cells is None:
        return {}, [because("spans_differ")]
    before, after = cells.kg_each() if kg else (np.ones(cells.both.shape), np.ones(cells.both.shape))
    mean = (before + after) / 2
    change = cells.amount(1) - cells.amount(0)
    rows = np.where(cells.both, mean, 0.0)
    each = rows.sum(axis=1) / np.maximum(cells.both.sum(axis=1), 1)
    weather, reasons = _weather(asked, cells) if not water else (np.zeros(len(each)), [])
    made = {
        "coverage": _exact(np.where(cells.both, 0.0, change * mean)),
        "measures": _exact(-_saved(asked, cells) * mean),
        "weather": _exact(weather * each),
    }
    if kg:
        made["factor"] = _exact((after - before) * (cells.amount(0) + cells.amount(1)) / 2)
    if water:
        del made["weather"]
    return made, reasons


def _exact(values: Floats) -> Fraction:
    return Fraction(round(float(values.sum()) * MILLION), MILLION)


def _saved(asked: _Question, cells: _Cells) -> Floats:
    """Return by how much more the plan's measures saved (k, m), where both spans are known."""
    rows = {p.id: row for row, p in enumerate(cells.uses[0].points)}
    table = np.zeros(cells.both.shape)
    for share in plan_shares(asked.basis):
        if share.point in rows:
            for sign, days, use in ((-1.0, asked.before, cells.uses[0]), (1.0, asked.after, cells.uses[1])):
                table[rows[share.point]] += sign * _months(share, days, use)
    return np.where(cells.both, table, 0.0)


def _months(share: Share, days: Days, use: Use) -> Floats:
    """Return what a share saved in the pieces of a span that are whole months."""
    columns = {first: n for n, first in enumerate(use.span.months.firsts) if use.span.whole[n]}
    table = np.zeros(len(use.span.months.firsts))
    for month in share.months:
        if month.month in columns and days[0] <= month.month < days[1]:
            table[columns[month.month]] += month.saving_nano / BILLION
    return table


def _weather(asked: _Question, cells: _Cells) -> tuple[Floats, list[Because]]:
    """Return what the weather made of each row [kWh], 0 where it cannot be told, and of which."""
    points = cells.uses[0].points
    found = DegreeDayEffect(basis=asked.basis)(points, asked.before, asked.after)
    blind = [p.id for p in points if found[p.id] is None and p.commodity is not Commodity.ELECTRICITY]
    effect = np.array([found[p.id] or 0.0 for p in points])
    there = cells.both.mean(axis=1) if len(points) else np.zeros(0)
    return effect * there, [because("weather_unknown", *blind)] if blind else []


_BY_CAUSE: Final[Mapping[str, Callable[[_Question, bool], tuple[Amounts, list[Because]]]]] = {
    "final_consumption": _energy,
    "emissions": _energy,
    "water_consumption": _water,
}
"""Methods whose change is told by cause."""


# By size

_BY_SIZE: Final[Mapping[str, tuple[str, str]]] = {
    "consumption_by_area": ("consumption", "area"),
    "water_by_user": ("consumption", "users"),
    "emissions_by_user": ("emissions", "users"),
    "emissions_by_inhabitant": ("emissions", "inhabitants"),
}
"""Methods that divide: what the amount and what the size is called."""
_SIZES: Final = ("area_m2", "users", "heads")


def _by_size(asked: _Question, names: tuple[str, str]) -> Amounts:
    """Return what the amount and what the size made of a change (Shapley's value of a quotient)."""
    sides = []
    for value in asked.values:
        amount = Fraction(value.amounts[0].value or 0.0)
        size = _size(value)
        if not size:
            return {}
        sides.append({names[0]: amount * size, names[1]: size})
    return shapley(lambda made: made[names[0]] / made[names[1]], sides[0], sides[1])


def _size(value: Value) -> Fraction:
    """Return the area or number of people that a value was divided by, from the facts of its parts."""
    rows = [p.facts for p in value.parts if p.kind == "building"]
    shared = [size for row in rows if (size := _number(row.get("heads"))) is not None]
    if shared:
        return shared[0]
    told = [size for row in rows for name in _SIZES if (size := _number(row.get(name))) is not None]
    return sum(told, Fraction(0))


def _number(value: JsonValue) -> Fraction | None:
    return Fraction(value) if isinstance(value, int | float) else None
