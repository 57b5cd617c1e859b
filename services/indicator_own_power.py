"""One's own photovoltaics: what was made, what of it was used in the building, and what was let out.

Own use counts in the final consumption (EED, directive 2023/1791, article 2: only ambient heat, not electricity made
on the spot, is left out of it). It is told by building: generation less export, of the points of one building.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from analytics.emissions import own_power
from core.calendar import Bools, Longs, instant
from core.indicators import Because, Part, Scope
from core.readings import Floats
from core.registry import Commodity, Meter, Point
from services.indicator_basis import Basis, Use, hours_over, rows_known
from services.indicator_made import (
    Case,
    Made,
    Method,
    because,
    by_building,
    by_carrier,
    by_point,
    share_of,
    unknown,
    whole,
)
from services.indicator_span import Span, atoms, use_of
from services.monthly_use import MonthlyUse

EXPORT: Final = "energy.export"
MWH: Final = 1000
OWN: Final = "own_pv"
"""The carrier as which own use counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUse:
    """What b buildings with photovoltaics made and used themselves in the m pieces of a span [millionths of a kWh].

    `known` tells where both are; where generation alone is known, `made_known` does. `lacking` are points to look at.
    """

    buildings: tuple[str, ...]
    points: tuple[Point, ...]
    made: Longs
    used: Longs
    made_known: Bools
    known: Bools
    lacking: tuple[str, ...]

    def within(self, buildings: Sequence[str]) -> "OwnUse":
        """Return that of some buildings."""
        chosen = np.array([key in buildings for key in self.buildings], bool)
        kept = tuple(p for p in self.points if p.building in buildings)
        rows = {name: getattr(self, name)[chosen] for name in ("made", "used", "made_known", "known")}
        lacking = tuple(p.id for p in kept if p.id in self.lacking)
        mine = tuple(key for key in self.buildings if key in buildings)
        return OwnUse(buildings=mine, points=kept, lacking=lacking, **rows)

    def parts(self, figure: str) -> list[Part]:
        """Return the own use by building [MWh]."""
        return _parts(figure, self.buildings, self.used, self.known)


def _parts(figure: str, buildings: Sequence[str], atoms: Longs, known: Bools) -> list[Part]:
    rows = zip(buildings, atoms.sum(axis=1).tolist(), rows_known(known), strict=True)
    return [
        Part(figure=figure, kind="building", key=key, value=whole(total, MWH) if there else None)
        for key, total, there in rows
    ]


def own_use(basis: Basis, scope: Scope, first: date, end: date) -> OwnUse:
    """Return the own generation of a scope and what became of it."""
    found = basis.once(("own", first, end), lambda: _own_use(basis, basis.span(first, end)))
    return found.within([b.id for b in basis.buildings_of(scope)])


def _own_use(basis: Basis, span: Span) -> OwnUse:
    points = basis.generating
    homes = tuple(dict.fromkeys(p.building for p in points))
    grid = [p for p in basis.counted if p.commodity is Commodity.ELECTRICITY and p.building in homes]
    made = use_of(basis.inputs.ask, points, span)
    out = use_of(basis.inputs.ask, grid, span, register=EXPORT).amount
    amount = np.where(_before_mounting(basis, points, span), 0.0, made.amount)
    sums = [_rows(amount, points, home) for home in homes]
    export = [_export(out, grid, home) for home in homes]
    shape = (len(homes), len(span.months.starts))
    generated, exported = (np.array(rows, float).reshape(shape) for rows in (sums, export))
    used = own_power(generated, exported).self_kwh
    return OwnUse(
        buildings=homes,
        points=points,
        made=atoms(generated),
        used=atoms(used),
        made_known=np.isfinite(generated),
        known=np.isfinite(used),
        lacking=_lacking(points, homes, made, amount, used, span),
    )


def _rows(amount: Floats, points: Sequence[Point], home: str) -> Floats:
    return np.asarray(amount[[p.building == home for p in points]].sum(axis=0))


def _export(out: Floats, grid: Sequence[Point], home: str) -> Floats:
    """Return what a building lets out; a point that has no such register at all exports nothing that is known."""
    mine = out[[p.building == home for p in grid]] if len(grid) else out
    there = np.isfinite(mine).any(axis=1)
    return np.asarray(mine[there].sum(axis=0)) if there.any() else np.full(out.shape[1], np.nan)


def _before_mounting(basis: Basis, points: Sequence[Point], span: Span) -> Bools:
    """Return where (k, m) no meter of a plant was mounted yet, before which nothing was made."""
    wanted = {p.id for p in points}
    first: dict[str, np.datetime64] = {}
    for meter in basis.inputs.register.find(Meter) if wanted else ():
        if meter.point in wanted:
            at = instant(meter.mounted)
            first[meter.point] = min(at, first.get(meter.point, at))
    begun = np.array([first.get(p.id, span.months.starts[0]) for p in points], "datetime64[us]")
    return np.asarray(span.months.ends[None, :] <= begun[:, None])


def _lacking(  # noqa: PLR0917 - the parts of one answer
    points: Sequence[Point], homes: Sequence[str], made: MonthlyUse, amount: Floats, used: Floats, span: Span
) -> tuple[str, ...]:
    """Return the plants of which something is not known on the days that are over, or whose export is not measured."""
    over = span.over_h > 0
    missing_h = np.where(amount == 0, 0.0, hours_over(made, span)[0]).sum(axis=1)
    blind = {home for home, row in zip(homes, used, strict=True) if not np.isfinite(row[over]).all()}
    return tuple(
        p.id for p, hours in zip(points, missing_h.tolist(), strict=True) if hours >= 1.0 or p.building in blind
    )


def with_own(case: Case, use: Use, atoms: Longs, own: OwnUse, figure: str) -> list[Part]:
    """Return energy and own use by building and by carrier, in one building by point too; each adds up to the whole."""
    made = _by_place(use, atoms, own, figure)
    made += by_carrier(use, atoms, figure, MWH)
    if own.points:
        made.append(Part(figure=figure, kind="carrier", key=OWN, value=whole(int(own.used.sum()), MWH)))
    if case.scope.key and len({p.building for p in use.points}) == 1:
        made += by_point(use, atoms, figure, MWH)
        made += [Part(figure=figure, kind="point", key=OWN, value=p.value) for p in own.parts(figure)]
    return made


def _by_place(use: Use, atoms: Longs, own: OwnUse, figure: str) -> list[Part]:
    parts = [*by_building(use, atoms, figure, MWH), *own.parts(figure)]
    known = {part.key for part in parts if part.value is not None}
    totals: dict[str, int] = {part.key: 0 for part in parts}
    keys = [*(p.building for p in use.points), *own.buildings]
    for key, total in zip(keys, [*atoms.sum(axis=1).tolist(), *own.used.sum(axis=1).tolist()], strict=True):
        totals[key] += total
    return [
        Part(figure=figure, kind="building", key=key, value=whole(total, MWH) if key in known else None)
        for key, total in totals.items()
    ]


def own_use_reasons(own: OwnUse) -> list[Because]:
    """Return why some of the own use is not known."""
    return [because("own_use_unknown", *own.lacking)] if own.lacking else []


def _generation(case: Case) -> Made:
    """R1: generation, its share used on the spot, and the share of the consumption that it covers."""
    basis = case.basis
    own = own_use(basis, case.scope, case.first, case.end)
    if not own.points:
        return unknown(because("no_points"))
    if not own.made_known.any():
        return unknown(because("no_data", *own.lacking))
    grid = basis.use_in(case.scope, case.first, case.end, (Commodity.ELECTRICITY,))
    both = own.known & own.made_known
    made, used = int(own.made.sum()), int(own.used.sum())
    told = bool(both.any()) and not own.lacking
    bought = int(grid.atoms.sum())
    amounts: Mapping[str, float | None] = {
        "generated": whole(made, MWH),
        "own_use": share_of(whole(used), whole(made)) if told else None,
        "self_sufficiency": share_of(whole(used), whole(used + bought)) if told and not grid.nothing else None,
        "used": whole(used, MWH) if told else None,
    }
    parts = _parts("generated", own.buildings, own.made, own.made_known)
    return Made(amounts=amounts, reasons=tuple(own_use_reasons(own)), parts=(*parts, *own.parts("used")))


GENERATION: Final = Method(
    name="own_generation",
    version=1,
    figures={"generated": "MWh", "self_sufficiency": "%", "own_use": "%", "used": "MWh"},
    compute=_generation,
    adds=frozenset({"buildings", "months"}),
)
