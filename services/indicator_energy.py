"""Final consumption of energy, its change since 2021, and consumption by floor area (E1, E4, E5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.factors import Carrier
from core.indicators import Because, Part, Used
from core.readings import Floats
from core.registry import Commodity
from services.emission_change import MOST_MISSING
from services.emission_inventory import CUBIC_METRE
from services.emissions import mean_of
from services.indicator_basis import ENERGY, Use
from services.indicator_climate import normalised
from services.indicator_made import Case, Made, Method, because, unknown, whole
from services.indicator_own_power import MWH, OWN, OwnUse, own_use, own_use_reasons, with_own
from services.indicator_span import years_ago

BASE_YEAR: Final = 2021
"""The year that consumption of public bodies is compared with (directive (EU) 2023/1791, article 5)."""
_FIGURE: Final = {Carrier.ELECTRICITY: "electricity", Carrier.GAS: "gas", Carrier.HEAT: "heat"}


def unusable(use: Use) -> list[Because]:
    """Return what is measured and yet is no energy: gas in m³ that cannot be converted, a unit of something else."""
    lost = use.found.volume_m3.sum(axis=1) > 0
    strange = (np.isfinite(use.amount) & ~use.known).any(axis=1) & ~lost
    told = (("no_gas_conversion", lost), ("wrong_unit", strange))
    points = np.array([p.id for p in use.points], object)
    return [because(code, *points[where].tolist()) for code, where in told if where.any()]


def conversions_used(case: Case, use: Use) -> tuple[Used, ...]:
    """Return what turned gas metered in m³ into energy."""
    found: dict[tuple[str, int], Used] = {}
    tables = case.basis.inputs.dated.factors
    for point, unit in zip(use.points, use.units, strict=True):
        owner = case.basis.buildings[point.building].organisation
        metered = point.commodity is Commodity.GAS and unit == CUBIC_METRE
        rows = [tables.conversion(point, owner, first) for first in use.span.months.firsts] if metered else []
        found |= {
            (row.id, row.provenance.version): Used(
                kind="gas_conversion",
                key=row.id,
                version=row.provenance.version,
                since=row.valid.since.isoformat(),
                value=row.kwh_per_m3,
                source=row.provenance.source,
            )
            for row in rows
            if row is not None
        }
    return tuple(found.values())


def _consumption(case: Case) -> Made:
    """E1: energy delivered by all carriers and own photovoltaics used on the spot."""
    use = case.basis.use_in(case.scope, case.first, case.end, ENERGY)
    own = own_use(case.basis, case.scope, case.first, case.end)
    wrong = unusable(use)
    if wrong:
        return unknown(*wrong, coverage=use.coverage())
    if not use.points and not own.points:
        return unknown(because("no_points"))
    if use.nothing and not own.known.any():
        return unknown(because("no_data"), coverage=use.coverage())
    return Made(
        amounts=_carriers(use, own),
        coverage=use.coverage(),
        reasons=tuple(own_use_reasons(own)),
        used=conversions_used(case, use),
        parts=tuple(with_own(case, use, use.atoms, own, "total")),
    )


def _carriers(use: Use, own: OwnUse) -> Mapping[str, float | None]:
    totals = dict.fromkeys(("electricity", "gas", "heat", "other"), 0)
    for carrier in use.found.carriers():
        mine = use.found.is_of(carrier)
        totals[_FIGURE.get(carrier, "other")] += int(np.where(mine, use.atoms, 0).sum())
    totals[OWN] = int(own.used.sum())
    return {"total": whole(sum(totals.values()), MWH)} | {key: whole(value, MWH) for key, value in totals.items()}


CONSUMPTION: Final = Method(
    name="final_consumption",
    version=1,
    figures=dict.fromkeys(("total", "electricity", "gas", "heat", "other", OWN), "MWh"),
    compute=_consumption,
    adds=frozenset({"buildings", "months"}),
)


# Against 2021


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Energy of rows (points, and buildings with their own photovoltaics) in pieces of a span [millionths of a kWh].

    `known` tells where all but MOST_MISSING of a piece is.
    """

    keys: tuple[str, ...]
    buildings: tuple[str, ...]
    atoms: Longs
    known: Bools
    hours: Floats


def cells(case: Case, first: date, end: date) -> Cells:
    """Return the energy of a case's points in a span."""
    use = case.basis.use_in(case.scope, first, end, ENERGY)
    own = own_use(case.basis, case.scope, first, end)
    hours = use.span.months.hours
    missing = use.missing_h + (hours - use.span.over_h)
    fully = use.known & (missing <= MOST_MISSING * hours)
    return Cells(
        keys=(*(p.id for p in use.points), *(f"{OWN}:{key}" for key in own.buildings)),
        buildings=(*(p.building for p in use.points), *own.buildings),
        atoms=np.concatenate([use.atoms, own.used]),
        known=np.concatenate([fully, own.known]),
        hours=hours,
    )


def _since_2021(case: Case) -> Made:
    """E4: consumption against the same days of 2021, of the points and months that are known in both years."""
    over = case.basis.inputs.cutoff.astimezone(case.basis.inputs.zone).date()
    first, end = case.first, min(case.end, over)
    years = first.year - BASE_YEAR
    if end <= first:
        return unknown(because("not_begun"))
    if years < 0 or (case.end - case.first).days > 366 or (end.year, end.month, end.day) > (first.year + 1, 1, 1):  # noqa: PLR2004 - days of the longest year
        return unknown(because("base_year_span", year=BASE_YEAR))
    before = cells(case, years_ago(first, years), years_ago(end, years))
    after = cells(case, first, end)
    if not after.keys:
        return unknown(because("no_points"))
    return _compared(case, before, after)


def _compared(case: Case, before: Cells, after: Cells) -> Made:
    both = before.known & after.known
    share = float((both * after.hours).sum() / (after.hours.sum() * len(after.keys)))
    lacking = tuple(key for key, row in zip(after.keys, both, strict=True) if not row.all())
    use = case.basis.use_in(case.scope, case.first, case.end, ENERGY)
    least = case.indicator.least_measured
    then, now = (np.where(both, side.atoms, 0) for side in (before, after))
    base, change = int(then.sum()), int(now.sum() - then.sum())
    if share < least or base <= 0:
        reason = because("little_compared", *lacking, share=share, least=least, year=BASE_YEAR)
        return unknown(reason, coverage=use.coverage())
    by_place: dict[str, int] = {}
    for key, difference in zip(after.buildings, (now - then).sum(axis=1).tolist(), strict=True):
        by_place[key] = by_place.get(key, 0) + difference
    reasons = [because("compared", *lacking, share=share, year=BASE_YEAR)] if lacking else []
    return Made(
        amounts={"change": 100.0 * change / base, "difference": whole(change, MWH), "base": whole(base, MWH)},
        coverage=use.coverage(),
        reasons=tuple(reasons),
        parts=tuple(
            Part(figure="difference", kind="building", key=key, value=whole(total, MWH))
            for key, total in by_place.items()
        ),
    )


SINCE_2021: Final = Method(
    name="change_since_2021",
    version=1,
    figures={"change": "%", "difference": "MWh", "base": "MWh"},
    compute=_since_2021,
)


# By floor area


def _by_area(case: Case) -> Made:
    """E5: consumption by floor area, as measured and of a normal year, of the buildings whose area is known."""
    made = _consumption(case)
    if made.amounts.get("total") is None:
        return made
    used = {p.key: p.value for p in made.parts if p.kind == "building"}
    areas = {b.id: mean_of(b.areas, case.first, case.end) for b in case.basis.buildings_of(case.scope)}
    counted, reasons = sized(used, areas, "no_area", case.indicator.least_measured)
    area = sum(areas[key] or 0.0 for key in counted)
    if reasons and reasons[0].code == "no_sizes":
        return unknown(*made.reasons, *reasons, coverage=made.coverage)
    energy = sum(used[key] or 0.0 for key in counted) * MWH
    normal = normalised(case, counted)
    return Made(
        amounts={
            "specific": energy / area,
            "normalised": None if normal.total_kwh is None else normal.total_kwh / area,
            "area": area,
        },
        coverage=made.coverage,
        reasons=(*made.reasons, *reasons, *([because("not_normalised")] if normal.total_kwh is None else [])),
        used=(*made.used, *normal.used),
        parts=tuple(
            Part(
                figure="specific",
                kind="building",
                key=key,
                value=(used[key] or 0.0) * MWH / area,
                facts={"energy_kwh": (used[key] or 0.0) * MWH, "area_m2": areas[key] or 0.0},
            )
            for key in counted
        ),
    )


def sized(
    amounts: Mapping[str, float | None], sizes: Mapping[str, float | None], code: str, least: float
) -> tuple[list[str], list[Because]]:
    """Return the buildings of which amount and size are known, and why the others are not told of.

    The first reason is `no_sizes` where those left out hold more than 1 - `least` of the amount.
    """
    there = {key: value for key, value in amounts.items() if value is not None}
    counted = [key for key in there if (sizes.get(key) or 0.0) > 0]
    left = [key for key in there if key not in counted and there[key]]
    total = _sum(there.values())
    share = _sum(there[key] for key in left) / total if total else 1.0
    if not counted or share > 1.0 - least:
        return counted, [because("no_sizes", *left, share=share, of=code)]
    return counted, [because(code, *left, share=share)] if left else []


def _sum(values: Iterable[float]) -> float:
    return float(sum(values))


BY_AREA: Final = Method(
    name="consumption_by_area",
    version=1,
    figures={"specific": "kWh/m²", "normalised": "kWh/m²", "area": "m²"},
    compute=_by_area,
)
