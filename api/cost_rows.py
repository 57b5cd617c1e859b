"""Costs, demand and advice as rows: what an answer says, with prices, rules, sources and what is lacking."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from api.emission_rows import Source, source_row
from api.reasons import Why, month, why
from api.texts import Language
from core.tariffs import CapacityRule, MeasuredRule, Price
from services.costs import PartCost, PointCost
from services.demand import Advice, CapacityAdvice, Demand, DemandMonth, NoAdvice


class PriceRow(msgspec.Struct, frozen=True):
    """A price [Kč without VAT] per unit and month; `vat_percent` null where nobody said it."""

    id: str
    per_unit_czk: float | None
    unit: str
    month_czk: float | None
    vat_percent: float | None
    covers: Sequence[str]
    source: Source


class PlanRow(msgspec.Struct, frozen=True):
    """A plan of a measured rule [Kč/kW and month]."""

    name: str
    input_czk_kw: float
    maximum_czk_kw: float


class RuleRow(msgspec.Struct, frozen=True):
    """A rule of reserved capacity [Kč/kW and month without VAT]; null: not known. `plans` of rules from 2027."""

    id: str
    distributor: str
    level: str
    valid_from: str
    valid_to: str | None
    yearly_czk_kw: float | None
    monthly_czk_kw: float | None
    breach_czk_kw: float | None
    input_breach_czk_kw: float | None
    plans: Sequence[PlanRow]
    source: Source


class PartRow(msgspec.Struct, frozen=True):
    """A part of a bill [Kč]: null where `reasons` say why, `known_czk` the months that are known."""

    part: str
    czk: float | None
    known_czk: float | None
    vat_czk: float | None
    prices: Sequence[PriceRow]
    rules: Sequence[RuleRow]
    reasons: Sequence[Why]


class CostRow(msgspec.Struct, frozen=True):
    """A point's bill of a period [Kč without VAT]: null where a part lacks; `vat_czk` null where a rate lacks."""

    point: str
    name: str
    building: str
    commodity: str
    start: str
    end: str
    amount: float | None
    unit: str
    czk: float | None
    known_czk: float | None
    vat_czk: float | None
    missing: float
    parts: Sequence[PartRow]


class DemandRow(msgspec.Struct, frozen=True):
    """A month's highest quarter-hour [kW] against what is reserved, and its cost [Kč without VAT]."""

    month: str
    peak_kw: float | None
    at: str | None
    quarter_hours: int
    expected: int
    coarse: int
    yearly_kw: float | None
    monthly_kw: float
    input_kw: float | None
    breach_kw: float | None
    capacity_czk: float | None
    breach_czk: float | None
    plan: str
    rule: str | None
    reasons: Sequence[Why]


class CurveRow(msgspec.Struct, frozen=True):
    """The duration curve: power that was reached or exceeded for a share of the measured `hours`."""

    share: Sequence[float]
    power_kw: Sequence[float]
    hours: float


class DemandAnswer(msgspec.Struct, frozen=True):
    """A point's demand by month, its duration curve, and the rules that were used."""

    point: str
    name: str
    months: Sequence[DemandRow]
    curve: CurveRow
    rules: Sequence[RuleRow]


class AdviceRow(msgspec.Struct, frozen=True):
    """The cheapest capacity [kW] and what it would have cost and saved [Kč a year without VAT].

    `monthly_kw` by the months of the past year. `at_least`: a month has gaps, its peak may have been higher.
    """

    yearly_kw: float | None
    monthly_kw: dict[str, float]
    input_kw: float | None
    cost_czk: float
    breach_czk: float
    now_czk: float | None
    saving_czk: float | None
    at_least: bool


class AdviceAnswer(msgspec.Struct, frozen=True):
    """Advice from the peaks of 12 months by the rule of a day; in hindsight, for monthly capacity is agreed before.

    `mixed` reserves for the year and for months, `yearly_only` for the year alone. `lowered_from`: the yearly capacity
    may not be lowered before.
    """

    point: str
    first: str
    end: str
    rule_day: str
    rule: RuleRow | None
    peaks_kw: dict[str, float | None]
    mixed: AdviceRow | None
    yearly_only: AdviceRow | None
    reason: Why | None
    lowered_from: str | None


def price_row(found: Price) -> PriceRow:
    """Return a price as a row."""
    return PriceRow(
        found.id, found.per_unit_czk, found.unit, found.month_czk, found.vat_percent, list(found.covers),
        source_row(found.provenance),
    )  # fmt: skip


def rule_row(found: CapacityRule) -> RuleRow:
    """Return a rule as a row."""
    measured = isinstance(found, MeasuredRule)
    until = found.valid.until
    return RuleRow(
        id=found.id,
        distributor=found.distributor,
        level=found.level,
        valid_from=found.valid.since.isoformat(),
        valid_to=None if until is None else until.isoformat(),
        yearly_czk_kw=None if isinstance(found, MeasuredRule) else found.yearly_czk_kw,
        monthly_czk_kw=None if isinstance(found, MeasuredRule) else found.monthly_czk_kw,
        breach_czk_kw=None if isinstance(found, MeasuredRule) else found.breach_czk_kw,
        input_breach_czk_kw=found.input_breach_czk_kw,
        plans=[PlanRow(p.name, p.input_czk_kw, p.maximum_czk_kw) for p in found.plans]
        if measured and isinstance(found, MeasuredRule)
        else [],
        source=source_row(found.provenance),
    )


def _part(found: PartCost, words: Language) -> PartRow:
    return PartRow(
        found.part, found.czk, found.known_czk, found.vat_czk, [price_row(p) for p in found.prices],
        [rule_row(r) for r in found.rules], [why(code, words) for code in found.reasons],
    )  # fmt: skip


def cost_row(found: PointCost, words: Language) -> CostRow:
    """Return a bill as a row."""
    point = found.point
    return CostRow(
        point.id, point.name, point.building, point.commodity, found.first.isoformat(), found.end.isoformat(),
        found.amount, found.unit, found.czk, found.known_czk, found.vat_czk, found.missing,
        [_part(part, words) for part in found.parts],
    )  # fmt: skip


def _demand_row(found: DemandMonth, words: Language, zone: ZoneInfo) -> DemandRow:
    return DemandRow(
        month=month(found.first),
        peak_kw=found.peak_kw,
        at=None if found.at is None else found.at.astimezone(zone).isoformat(),
        quarter_hours=found.counted,
        expected=found.expected,
        coarse=found.coarse,
        yearly_kw=found.yearly_kw,
        monthly_kw=found.monthly_kw,
        input_kw=found.input_kw,
        breach_kw=found.breach_kw,
        capacity_czk=found.capacity_czk,
        breach_czk=found.breach_czk,
        plan=found.plan,
        rule=None if found.rule is None else found.rule.id,
        reasons=[why(code, words) for code in found.reasons],
    )


def demand_answer(found: Demand, words: Language, zone: ZoneInfo) -> DemandAnswer:
    """Return a point's demand as an answer."""
    rules = {m.rule.id: m.rule for m in found.months if m.rule is not None}
    curve = CurveRow(found.curve.share.tolist(), found.curve.power_kw.tolist(), found.curve.hours)
    rows = [_demand_row(m, words, zone) for m in found.months]
    return DemandAnswer(found.point.id, found.point.name, rows, curve, [rule_row(r) for r in rules.values()])


def advice_answer(point: str, found: CapacityAdvice, words: Language) -> AdviceAnswer:
    """Return advice as an answer."""
    names = [month(first) for first in found.firsts]
    mixed, plain = (_advice(a, names) for a in (found.found, found.yearly_only))
    reason = found.found.reason if isinstance(found.found, NoAdvice) else ""
    return AdviceAnswer(
        point=point,
        first=found.first.isoformat(),
        end=found.end.isoformat(),
        rule_day=found.rule_day.isoformat(),
        rule=None if found.rule is None else rule_row(found.rule),
        peaks_kw=dict(zip(names, found.peaks_kw, strict=True)),
        mixed=mixed,
        yearly_only=plain,
        reason=why(reason, words) if reason else None,
        lowered_from=None if found.lowered_from is None else found.lowered_from.isoformat(),
    )


def _advice(found: Advice | NoAdvice, names: Sequence[str]) -> AdviceRow | None:
    if isinstance(found, NoAdvice):
        return None
    monthly = {name: kw for name, kw in zip(names, found.monthly_kw, strict=True) if kw} if found.monthly_kw else {}
    return AdviceRow(
        found.yearly_kw, monthly, found.input_kw, found.cost_czk, found.breach_czk, found.now_czk, found.saving_czk,
        found.at_least,
    )  # fmt: skip
