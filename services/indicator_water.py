"""Water: consumption, by user, replaced drinking water, and its emissions beside those of energy (W1-W4, G6)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.factors import Carrier, Factor
from core.indicators import Because, Part, Used
from core.registry import Building, Commodity
from services.emissions import users_of
from services.indicator_basis import WATER, Use
from services.indicator_energy import sized, unusable
from services.indicator_made import (
    Case,
    Made,
    Method,
    because,
    by_building,
    by_point,
    unknown,
    whole,
)
from services.indicator_span import MILLION, atoms, use_of

T: Final = 1000
_ADDS: Final = frozenset({"buildings", "months"})


def _use(case: Case) -> tuple[Use, Made | None]:
    """Return what water was used, or why it cannot be told."""
    use = case.basis.use_in(case.scope, case.first, case.end, WATER)
    wrong = unusable(use)
    if wrong:
        return use, unknown(*wrong, coverage=use.coverage())
    if not use.points:
        return use, unknown(because("no_points"))
    return use, unknown(because("no_data"), coverage=use.coverage()) if use.nothing else None


def _consumption(case: Case) -> Made:
    """W1: bought water, cold, and hot where it is bought hot."""
    use, stop = _use(case)
    if stop is not None:
        return stop
    cold = use.of_kind((Commodity.COLD_WATER,))
    total = int(use.atoms.sum())
    return Made(
        amounts={
            "total": whole(total),
            "cold": whole(int(cold.atoms.sum())),
            "hot": whole(total - int(cold.atoms.sum())),
        },
        coverage=use.coverage(),
        parts=tuple(_parts(case, use, "total")),
    )


def _parts(case: Case, use: Use, figure: str) -> list[Part]:
    parts = by_building(use, use.atoms, figure, 1)
    return parts + by_point(use, use.atoms, figure, 1) if case.scope.key else parts


def _by_user(case: Case) -> Made:
    """W2: water by user of the buildings, of those whose number of users is known."""
    use, stop = _use(case)
    if stop is not None:
        return stop
    used = {p.key: p.value for p in by_building(use, use.atoms, "total", 1)}
    heads = heads_of(case.basis.buildings_of(case.scope), case)
    counted, reasons = sized(used, heads, "no_users", case.indicator.least_measured)
    if reasons and reasons[0].code == "no_sizes":
        return unknown(*reasons, coverage=use.coverage())
    people = sum(heads[key] or 0.0 for key in counted)
    return Made(
        amounts={"specific": sum(used[key] or 0.0 for key in counted) / people, "users": people},
        coverage=use.coverage(),
        reasons=tuple(reasons),
        parts=tuple(
            Part(
                figure="specific",
                kind="building",
                key=key,
                value=(used[key] or 0.0) / people,
                facts={"volume_m3": used[key], "users": heads[key]},
            )
            for key in counted
        ),
    )


def heads_of(buildings: Sequence[Building], case: Case) -> dict[str, float | None]:
    """Return how many use each building in a case's span."""
    return {b.id: users_of([b], case.first, case.end).count for b in buildings}


def _replaced(case: Case) -> Made:
    """W4: own water, of rain or used before, that took the place of drinking water."""
    basis = case.basis
    points = basis.within(basis.replacing, case.scope)
    if not points:
        return unknown(because("no_replacing"))
    span = case.span
    use = use_of(basis.inputs.ask, points, span)
    known = np.isfinite(use.amount)
    if not known.any():
        return unknown(because("no_data"))
    rows = zip(points, atoms(use.amount).sum(axis=1).tolist(), known, strict=True)
    parts = [Part(figure="replaced", kind="point", key=p.id, value=whole(n) if k.any() else None) for p, n, k in rows]
    lacking = [p.id for p, k in zip(points, known[:, span.over_h > 0], strict=True) if not k.all()]
    return Made(
        amounts={"replaced": whole(int(atoms(use.amount).sum()))},
        reasons=(because("own_water_unknown", *lacking),) if lacking else (),
        parts=tuple(parts),
    )


def _emissions(case: Case) -> Made:
    """G6: emissions of water's supply and treatment, informative and in no total."""
    use, stop = _use(case)
    if stop is not None:
        return stop
    supply, treatment = (_factors(case, use, c) for c in (Carrier.WATER_SUPPLY, Carrier.WATER_TREATMENT))
    lacks = [r for c, f in ((Carrier.WATER_SUPPLY, supply), (Carrier.WATER_TREATMENT, treatment)) for r in _lack(c, f)]
    if lacks:
        return unknown(*lacks, coverage=use.coverage())
    volume = use.atoms / MILLION
    kg = [atoms(volume * np.array([f.kg for f in row if f is not None])) for row in (supply, treatment)]
    used = {f.id: f for row in (supply, treatment) for f in row if f is not None}
    return Made(
        amounts={
            "total": whole(int(kg[0].sum() + kg[1].sum()), T),
            "supply": whole(int(kg[0].sum()), T),
            "treatment": whole(int(kg[1].sum()), T),
        },
        coverage=use.coverage(),
        used=tuple(used_factor(f) for f in used.values()),
        parts=tuple(by_building(use, kg[0] + kg[1], "total", T)),
    )


def _factors(case: Case, use: Use, carrier: Carrier) -> tuple[Factor | None, ...]:
    inputs = case.basis.inputs
    return tuple(inputs.dated.factors.factor(carrier, d, versions=inputs.versions) for d in use.span.months.firsts)


def _lack(carrier: Carrier, factors: Sequence[Factor | None]) -> list[Because]:
    return [because("no_factor", carrier=carrier)] if None in factors else []


def used_factor(factor: Factor) -> Used:
    """Return a factor as a value names it."""
    return Used(
        kind="emission_factor",
        key=factor.id,
        version=factor.provenance.version,
        since=factor.valid.since.isoformat(),
        value=factor.kg,
        source=factor.provenance.source,
    )


CONSUMPTION: Final = Method(
    name="water_consumption",
    version=1,
    figures=dict.fromkeys(("total", "cold", "hot"), "m³"),
    compute=_consumption,
    adds=_ADDS,
)
BY_USER: Final = Method(
    name="water_by_user", version=1, figures={"specific": "m³/os.", "users": "os."}, compute=_by_user
)
REPLACED: Final = Method(name="replaced_water", version=1, figures={"replaced": "m³"}, compute=_replaced, adds=_ADDS)
EMISSIONS: Final = Method(
    name="water_emissions",
    version=1,
    figures=dict.fromkeys(("total", "supply", "treatment"), "t"),
    compute=_emissions,
    adds=_ADDS,
)
