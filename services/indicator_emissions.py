"""Emissions of energy, by inhabitant and by user, and what made them change (G1, G2, G3, G5)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from analytics.attribution import MG_PER_T, Cause, Undetermined
from core.indicators import Because, Part, Used
from core.populations import PeriodPopulation, population_of
from services.emission_change import CarrierChange, Change, change
from services.emission_inventory import Lack, lacks, uses
from services.emissions import Scope as Points
from services.indicator_basis import ENERGY, Use
from services.indicator_climate import DegreeDayEffect
from services.indicator_energy import conversions_used, sized, unusable
from services.indicator_made import (
    Case,
    Made,
    Method,
    because,
    by_building,
    by_carrier,
    by_point,
    unknown,
    whole,
)
from services.indicator_span import atoms, years_ago
from services.indicator_water import heads_of, used_factor

T: Final = 1000
MOST_NORMALISED: Final = 0.999
_ADDS: Final = frozenset({"buildings", "months"})


def _inventory(case: Case) -> tuple[Use, Made]:
    """Return what was used, and its emissions; without amounts where a factor lacks."""
    use = case.basis.use_in(case.scope, case.first, case.end, ENERGY)
    wrong = [*unusable(use), *_lacks(use, market=False)]
    if not use.points or use.nothing:
        return use, unknown(*wrong, because("no_data" if use.points else "no_points"), coverage=use.coverage())
    location, market = atoms(use.found.location_kg), atoms(use.found.market_kg)
    unpriced = _lacks(use, market=True)
    parts = [*by_building(use, location, "location", T), *by_carrier(use, location, "location", T)]
    if case.scope.key and len({p.building for p in use.points}) == 1:
        parts += by_point(use, location, "location", T)
    return use, Made(
        amounts={
            "location": None if wrong else whole(int(location.sum()), T),
            "market": None if wrong or unpriced else whole(int(market.sum()), T),
        },
        coverage=use.coverage(),
        reasons=(*wrong, *([because("no_market_factor")] if unpriced and not wrong else [])),
        used=(*conversions_used(case, use), *_used(use)),
        parts=tuple(_without_unknown(use, parts) if wrong else parts),
    )


def _without_unknown(use: Use, parts: Sequence[Part]) -> list[Part]:
    """Return parts with those that hold something without a factor unknown."""
    undone = use.known & (use.atoms != 0) & ~np.isfinite(use.found.location_kg)
    rows = [bool(there) for there in np.logical_or.reduce(undone, axis=1)]
    lost = {key for p, there in zip(use.points, rows, strict=True) if there for key in (p.id, p.building)}
    lost |= {c for c in use.found.carriers() if (undone & use.found.is_of(c)).any()}
    return [Part(figure=p.figure, kind=p.kind, key=p.key, value=None) if p.key in lost else p for p in parts]


def _lacks(use: Use, *, market: bool) -> list[Because]:
    columns = np.arange(len(use.span.months.starts))
    found = [one for c in use.found.carriers() for one in lacks(use.found, c, columns, market=market)]
    return [_because(one) for one in found if one.code != "no_gas_conversion"]


def _because(lack: Lack) -> Because:
    facts: dict[str, str | int | float] = {
        "carrier": lack.carrier,
        "first": lack.first.isoformat(),
        "last": lack.last.isoformat(),
        "amount": lack.amount,
        "unit": lack.unit,
        "points": lack.points,
        "supplier": lack.supplier,
    }
    return Because(code=lack.code, facts=facts)


def _used(use: Use) -> tuple[Used, ...]:
    columns = np.arange(len(use.span.months.starts))
    told: dict[tuple[str, str, int], Used] = {}
    for carrier in use.found.carriers():
        for market in (False, True):
            for one in uses(use.found, carrier, columns, market=market):
                factor = one.factor
                told["emission_factor", factor.id, factor.provenance.version] = used_factor(factor)
    for ratio in (r for r in use.found.ratios if r is not None):
        key = "ratio", ratio.id, ratio.provenance.version
        since, source = ratio.valid.since.isoformat(), ratio.provenance.source
        told[key] = Used(
            kind=key[0], key=ratio.id, version=key[2], since=since, value=ratio.gross_over_net, source=source
        )
    return tuple(told.values())


def _emissions(case: Case) -> Made:
    """G1: CO2 of energy by the grid's average (location), and by contracts (market) beside it."""
    return _inventory(case)[1]


def _people(case: Case) -> PeriodPopulation:
    dated = case.basis.inputs.dated
    return population_of(dated.populations, dated.place, case.first, case.end)


def _by_inhabitant(case: Case) -> Made:
    """G2: CO2 of energy by inhabitant of the region."""
    _, made = _inventory(case)
    people = _people(case)
    if made.amounts.get("location") is None or not people.inhabitants:
        reasons = [because(people.reason, year=str(case.first.year))] if people.reason else []
        return unknown(*made.reasons, *reasons, coverage=made.coverage, used=made.used)
    heads = people.inhabitants
    states = tuple(
        Used(
            kind="population",
            key=row.id,
            version=row.provenance.version,
            since=row.at.isoformat(),
            value=row.inhabitants,
            source=row.provenance.source,
        )
        for row in people.made_of
    )
    kg = [p for p in made.parts if p.kind == "building"]
    return Made(
        amounts={"per_inhabitant": (made.amounts["location"] or 0.0) * T / heads, "inhabitants": heads},
        coverage=made.coverage,
        reasons=tuple(r for r in made.reasons if r.code != "no_market_factor"),
        used=(*made.used, *states),
        parts=tuple(_each(p, "per_inhabitant", heads) for p in kg),
    )


def _each(part: Part, figure: str, heads: float) -> Part:
    value = None if part.value is None else part.value * T / heads
    return Part(
        figure=figure, kind=part.kind, key=part.key, value=value, facts={"emission_t": part.value, "heads": heads}
    )


def _by_user(case: Case) -> Made:
    """G3: CO2 of energy by user of the buildings, of those whose number of users is known."""
    _, made = _inventory(case)
    if made.amounts.get("location") is None:
        return unknown(*made.reasons, coverage=made.coverage, used=made.used)
    emitted = {p.key: p.value for p in made.parts if p.kind == "building"}
    heads = heads_of(case.basis.buildings_of(case.scope), case)
    counted, reasons = sized(emitted, heads, "no_users", case.indicator.least_measured)
    if reasons and reasons[0].code == "no_sizes":
        return unknown(*reasons, coverage=made.coverage, used=made.used)
    people = sum(heads[key] or 0.0 for key in counted)
    return Made(
        amounts={"per_user": sum(emitted[key] or 0.0 for key in counted) * T / people, "users": people},
        coverage=made.coverage,
        reasons=(*(r for r in made.reasons if r.code != "no_market_factor"), *reasons),
        used=made.used,
        parts=tuple(_each(p, "per_user", people) for p in made.parts if p.kind == "building" and p.key in counted),
    )


# What made them change


def change_of(case: Case) -> Change | Because:
    """Return the change of a case's emissions against the same months a year before, or why it cannot be told."""
    span = case.span
    if not span.of_months:
        return because("whole_months_only")
    if span.running:
        return because("not_over")
    if (case.end - case.first).days > 366:  # noqa: PLR2004 - days of the longest year
        return because("a_year_at_most")
    basis = case.basis
    before = basis.span(years_ago(case.first, 1), years_ago(case.end, 1))
    chosen = [p for p in basis.within(basis.counted, case.scope) if p.commodity in ENERGY]
    if not chosen:
        return because("no_points")
    return change(
        Points(points=tuple(chosen), buildings=basis.buildings),
        before.months,
        span.months,
        ask=basis.inputs.ask,
        tables=basis.inputs.dated,
        weather=DegreeDayEffect(basis=basis),
        versions=basis.inputs.versions,
    )


def _split(case: Case) -> Made:
    """G5: the change of emissions by cause; the causes add up to it exactly."""
    found = change_of(case)
    use = case.basis.use_in(case.scope, case.first, case.end, ENERGY)
    if isinstance(found, Because):
        return unknown(found, coverage=use.coverage())
    undone = [
        because("not_split", carrier=row.carrier, why=row.total.reason)
        for row in found.carriers
        if isinstance(row.total, Undetermined)
    ]
    if undone:
        return unknown(*undone, coverage=use.coverage(), parts=tuple(_of_carriers(found)))
    causes = {cause: found.total.parts_mg.get(cause) for cause in Cause}
    reasons = [because("split", cause=cause, why=code) for cause, code in found.total.reasons.items()]
    partly = [row for row in found.carriers if row.normalised < MOST_NORMALISED and Cause.WEATHER not in _why(row)]
    reasons += [because("normalised_partly", carrier=row.carrier, share=row.normalised) for row in partly]
    return Made(
        amounts={"change": found.total.change_mg / MG_PER_T} | _figures(causes),
        coverage=use.coverage(),
        reasons=tuple(reasons),
        used=_used(use),
        parts=(
            *(
                Part(figure="change", kind="cause", key=cause, value=mg / MG_PER_T)
                for cause, mg in causes.items()
                if mg is not None
            ),
            *_of_carriers(found),
        ),
    )


def _why(row: CarrierChange) -> Collection[Cause]:
    return () if isinstance(row.total, Undetermined) else row.total.reasons


def _figures(causes: Mapping[Cause, int | None]) -> dict[str, float | None]:
    return {cause.value: None if mg is None else mg / MG_PER_T for cause, mg in causes.items()}


def _of_carriers(found: Change) -> list[Part]:
    made: list[Part] = []
    for row in found.carriers:
        if isinstance(row.total, Undetermined):
            made.append(Part(figure="change", kind="carrier", key=row.carrier.value, value=None))
            continue
        facts = {cause.value: mg / MG_PER_T for cause, mg in row.total.parts_mg.items()}
        value = row.total.change_mg / MG_PER_T
        made.append(Part(figure="change", kind="carrier", key=row.carrier.value, value=value, facts=facts))
    return made


EMISSIONS: Final = Method(
    name="emissions", version=1, figures={"location": "t", "market": "t"}, compute=_emissions, adds=_ADDS
)
BY_INHABITANT: Final = Method(
    name="emissions_by_inhabitant",
    version=1,
    figures={"per_inhabitant": "kg/os.", "inhabitants": "os."},
    compute=_by_inhabitant,
    adds=frozenset({"buildings"}),
)
BY_USER: Final = Method(
    name="emissions_by_user", version=1, figures={"per_user": "kg/os.", "users": "os."}, compute=_by_user
)
SPLIT: Final = Method(
    name="emissions_split",
    version=1,
    figures=dict.fromkeys(("change", *(cause.value for cause in Cause)), "t"),
    compute=_split,
    by_months=True,
)
