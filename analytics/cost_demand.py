"""What reserved capacity costs by the rules of the year, what a breach costs, and what would have been cheapest.

Arrays have an entry a month: peaks and capacities in kW, prices in Kč/kW and month without VAT. NaN is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demand import exceedance_kw
from core.calendar import Bools
from core.readings import Floats
from core.tariffs import MeasuredRule, ReservedRule

MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What is reserved in m months: for the year, more for the month, and the input power of the connection."""

    yearly_kw: Floats
    monthly_kw: Floats
    input_kw: Floats

    @property
    def capacity_kw(self) -> Floats:
        """Reserved capacity."""
        return np.asarray(self.yearly_kw + self.monthly_kw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """Charges of m months [Kč], NaN where a price or an amount that they need is not known.

    `breach_kw` is what the peak exceeds: of reserved capacity, under a measured rule of the input power. `plan` names
    the plan that was the cheaper one, empty where the rule has none.
    """

    capacity_czk: Floats
    breach_kw: Floats
    breach_czk: Floats
    plan: tuple[str, ...]

    @property
    def total_czk(self) -> Floats:
        """Capacity and breach together."""
        return np.asarray(self.capacity_czk + self.breach_czk)


def charges(peak_kw: Floats, booked: Booked, rule: ReservedRule | MeasuredRule) -> Charges:
    """Return what m months cost under one rule."""
    if isinstance(rule, MeasuredRule):
        return _measured(peak_kw, booked, rule)
    return _reserved(peak_kw, booked, rule)


def _price(value: float | None) -> float:
    return np.nan if value is None else value


def _times(amount_kw: Floats, price: float | None) -> Floats:
    """Return amounts times a price; nothing costs nothing, even at a price that is not known."""
    return np.asarray(np.where(amount_kw == 0, 0.0, amount_kw * _price(price)))


def _reserved(peak_kw: Floats, booked: Booked, rule: ReservedRule) -> Charges:
    capacity = _times(booked.yearly_kw, rule.yearly_czk_kw) + _times(booked.monthly_kw, rule.monthly_czk_kw)
    over = exceedance_kw(peak_kw, booked.capacity_kw)
    over_input = np.where(np.isnan(booked.input_kw), 0.0, exceedance_kw(peak_kw, booked.input_kw))
    breach = _times(over, rule.breach_czk_kw)
    of_input = _times(over_input, rule.input_breach_czk_kw)
    both = np.where(over_input > 0, np.maximum(breach, of_input), breach)  # the higher alone; NaN stays NaN
    return Charges(capacity_czk=capacity, breach_kw=over, breach_czk=both, plan=("",) * len(peak_kw))


def _measured(peak_kw: Floats, booked: Booked, rule: MeasuredRule) -> Charges:
    costs = np.array([booked.input_kw * p.input_czk_kw + peak_kw * p.maximum_czk_kw for p in rule.plans])
    over = exceedance_kw(peak_kw, booked.input_kw)
    cheapest = np.where(np.isnan(costs).any(axis=0), -1, np.argmin(np.nan_to_num(costs, nan=np.inf), axis=0))
    return Charges(
        capacity_czk=costs.min(axis=0),
        breach_kw=over,
        breach_czk=_times(over, rule.input_breach_czk_kw),
        plan=tuple("" if i < 0 else rule.plans[i].name for i in cheapest.tolist()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The cheapest capacity for a year of given monthly peaks, and what it would have saved.

    `yearly_kw` for the whole year, `monthly_kw` more for each of the months (12), `input_kw` where the rule charges
    that instead. `cost_czk` with breaches that it would have borne, `now_czk` what is reserved now would cost (None:
    not known), `saving_czk` the difference. `at_least` where a month has gaps and its peak may have been higher.
    """

    yearly_kw: float | None
    monthly_kw: tuple[float, ...]
    input_kw: float | None
    cost_czk: float
    breach_czk: float
    now_czk: float | None
    at_least: bool

    @property
    def saving_czk(self) -> float | None:
        """What the advice would have saved against what is reserved now."""
        return None if self.now_czk is None else self.now_czk - self.cost_czk


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAdvice:
    """No advice, and why: months without a known peak, a rule without prices."""

    reason: str


def advise(
    peak_kw: Floats,
    booked: Booked,
    rule: ReservedRule | MeasuredRule,
    *,
    whole: Bools,
    yearly_only: bool = False,
    margin: float = 0.0,
) -> Advice | NoAdvice:
    """Return the cheapest capacity for 12 monthly peaks [kW] under a rule.

    Costs are linear between peaks, so that one of them (or nothing) is the best yearly capacity; all are tried.
    Monthly capacity, agreed before each month, is what a year's peaks suggest in hindsight. `margin` raises the peaks
    by a share, for peaks of the next year. `whole` tells which months have no gap.
    """
    if len(peak_kw) != MONTHS or not np.isfinite(peak_kw).all():
        return NoAdvice(reason="peaks_missing")
    planned = peak_kw * (1 + margin)
    if isinstance(rule, MeasuredRule):
        return _advise_input(planned, booked, rule, whole)
    if rule.yearly_czk_kw is None or rule.monthly_czk_kw is None or rule.breach_czk_kw is None:
        return NoAdvice(reason="prices_missing")
    limit = float(np.nanmin(booked.input_kw)) if np.isfinite(booked.input_kw).any() else np.inf
    candidates = np.unique(np.minimum(np.append(planned, 0.0), limit))
    months = [_rest(planned, yearly, rule, limit, yearly_only=yearly_only) for yearly in candidates.tolist()]
    tried = [_tried(y, m, booked.input_kw) for y, m in zip(candidates.tolist(), months, strict=True)]
    costs = [_cost(planned, one, rule) for one in tried]
    best = int(np.argmin([capacity + breach for capacity, breach in costs]))
    now = charges(planned, booked, rule).total_czk
    return Advice(
        yearly_kw=float(candidates[best]),
        monthly_kw=tuple(months[best].tolist()),
        input_kw=None,
        cost_czk=sum(costs[best]),
        breach_czk=costs[best][1],
        now_czk=float(now.sum()) if np.isfinite(now).all() else None,
        at_least=not bool(whole.all()),
    )


def _rest(planned: Floats, yearly: float, rule: ReservedRule, limit: float, *, yearly_only: bool) -> Floats:
    """Return the monthly capacity beside a yearly one: the rest of each peak, unless a breach is cheaper."""
    pays = (rule.monthly_czk_kw or 0.0) <= (rule.breach_czk_kw or 0.0)
    rest = np.clip(np.minimum(planned, limit) - yearly, 0.0, None)
    return rest if pays and not yearly_only else np.zeros_like(planned)


def _tried(yearly: float, monthly: Floats, input_kw: Floats) -> Booked:
    return Booked(yearly_kw=np.full(MONTHS, yearly), monthly_kw=monthly, input_kw=input_kw)


def _cost(planned: Floats, booked: Booked, rule: ReservedRule) -> tuple[float, float]:
    made = charges(planned, booked, rule)
    return float(made.capacity_czk.sum()), float(made.breach_czk.sum())


def _advise_input(planned: Floats, booked: Booked, rule: MeasuredRule, whole: Bools) -> Advice | NoAdvice:
    if rule.input_breach_czk_kw is None:
        return NoAdvice(reason="prices_missing")
    candidates = np.unique(np.concatenate([planned, *(planned * k for k in _crossings(rule))]))
    made = [charges(planned, _input(kw), rule) for kw in candidates.tolist()]
    best = int(np.argmin([m.total_czk.sum() for m in made]))
    now = charges(planned, booked, rule).total_czk
    return Advice(
        yearly_kw=None,
        monthly_kw=(),
        input_kw=float(candidates[best]),
        cost_czk=float(made[best].total_czk.sum()),
        breach_czk=float(made[best].breach_czk.sum()),
        now_czk=float(now.sum()) if np.isfinite(now).all() else None,
        at_least=not bool(whole.all()),
    )


def _input(kw: float) -> Booked:
    return Booked(yearly_kw=np.zeros(MONTHS), monthly_kw=np.zeros(MONTHS), input_kw=np.full(MONTHS, kw))


def _crossings(rule: MeasuredRule) -> Sequence[float]:
    """Return the input power, as a multiple of the peak, at which two plans cost the same."""
    found = []
    for i, one in enumerate(rule.plans):
        for other in rule.plans[i + 1 :]:
            if one.input_czk_kw != other.input_czk_kw:
                ratio = (other.maximum_czk_kw - one.maximum_czk_kw) / (one.input_czk_kw - other.input_czk_kw)
                if ratio > 0:
                    found.append(ratio)
    return found
