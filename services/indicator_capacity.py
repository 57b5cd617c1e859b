"""Breaches of reserved capacity: by how much, and what they cost (E6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.indicators import Because, Coverage, Part, Used
from core.registry import Commodity, Point
from services.demand import DemandMonth, maxima_of, months_of
from services.indicator_made import Case, Made, Method, because, unknown, whole
from services.indicator_span import MILLION, Span
from services.monthly_use import Months


def demanded(case: Case, points: Sequence[Point], months: Months) -> dict[Point, tuple[DemandMonth, ...]]:
    """Return the demand of points in months."""
    basis, inputs = case.basis, case.basis.inputs
    made = inputs.peaks(points, months) if inputs.peaks is not None else {}
    return {
        p: months_of(
            p,
            basis.buildings[p.building].organisation,
            months,
            made[p.id] if p.id in made else maxima_of(p, months, ask=inputs.ask),
            tables=inputs.dated,
        )
        for p in points
    }


def _over(span: Span) -> Months | None:
    """Return the months of a span that are over, None where none is; a running month's maximum may still rise."""
    count = int((span.over_h >= span.months.hours - 1e-9).sum())
    months = span.months
    return (
        replace(
            months,
            starts=months.starts[:count],
            ends=months.ends[:count],
            firsts=months.firsts[:count],
            period=months.period[:count],
            period_ends=months.ends[count - 1 : count],
        )
        if count
        else None
    )


def _breaches(case: Case) -> Made:
    """E6: by how much the highest quarter-hour of each month was above what was reserved, and what that cost."""
    if not case.span.of_months:
        return unknown(because("whole_months_only"))
    basis = case.basis
    reserved = [p for p in basis.within(basis.counted, case.scope) if _has_capacity(p)]
    if not reserved:
        return unknown(because("no_reserved"))
    months = _over(case.span)
    if months is None:
        return unknown(because("not_begun"))
    rows = basis.once(("demand", case.scope, case.first, case.end), lambda: demanded(case, reserved, months))
    known = {p: [m for m in months if m.breach_kw is not None] for p, months in rows.items()}
    if not any(known.values()):
        return unknown(*_lacks(rows))
    breached = {p: [m for m in months if (m.breach_kw or 0.0) > 0] for p, months in known.items()}
    unpriced = [p for p, months in breached.items() if any(m.breach_czk is None for m in months)]
    parts = [part for p, months in breached.items() for part in _parts(p, months)]
    czk = [p.value for p in parts if p.figure == "cost"]
    return Made(
        amounts={
            "over": _sum([p.value for p in parts if p.figure == "over"]),
            "cost": None if unpriced else _sum(czk),
            "months": float(sum(len(months) for months in breached.values())),
        },
        coverage=_coverage(rows),
        reasons=(*_lacks(rows), *([because("no_breach_price", *(p.id for p in unpriced))] if unpriced else [])),
        used=_rules(breached.values()),
        parts=tuple(parts),
    )


def _has_capacity(point: Point) -> bool:
    return point.commodity is Commodity.ELECTRICITY and bool(point.reserved_kw)


def _atoms(amount: float | None) -> int:
    return round((amount or 0.0) * MILLION)


def _sum(values: Sequence[float | None]) -> float:
    return whole(sum(_atoms(v) for v in values))


def _parts(point: Point, months: Sequence[DemandMonth]) -> list[Part]:
    """Return the breaches of a point month by month."""
    made: list[Part] = []
    for month in months:
        told = {
            "month": f"{month.first:%Y-%m}",
            "peak_kw": month.peak_kw,
            "at": None if month.at is None else month.at.isoformat(),
            "reserved_kw": (month.yearly_kw or 0.0) + month.monthly_kw,
        }
        key = f"{point.id}/{month.first:%Y-%m}"
        made.append(
            Part(figure="over", kind="point-month", key=key, value=whole(_atoms(month.breach_kw)), facts=dict(told))
        )
        if month.breach_czk is not None:
            czk = whole(_atoms(month.breach_czk))
            made.append(Part(figure="cost", kind="point-month", key=key, value=czk, facts=dict(told)))
    return made


def _lacks(rows: Mapping[Point, Sequence[DemandMonth]]) -> list[Because]:
    """Return the points of which some month's maximum is not known, or not of all its quarter-hours."""
    blind = [p.id for p, months in rows.items() if any(m.breach_kw is None for m in months)]
    gaps = [p.id for p, months in rows.items() if any(m.counted < m.expected for m in months)]
    told = (("no_peak", blind), ("peak_gaps", [key for key in gaps if key not in blind]))
    return [because(code, *points) for code, points in told if points]


def _coverage(rows: Mapping[Point, Sequence[DemandMonth]]) -> Coverage:
    expected = sum(m.expected for months in rows.values() for m in months) or 1
    counted = sum(m.counted for months in rows.values() for m in months)
    lacking = [p.id for p, months in rows.items() if any(m.counted < m.expected for m in months)]
    share = counted / expected
    return Coverage(measured=share, estimated=0.0, missing=1.0 - share, points=len(rows), lacking=tuple(lacking))


def _rules(breached: Iterable[Sequence[DemandMonth]]) -> tuple[Used, ...]:
    found: dict[tuple[str, int], Used] = {}
    for months in breached:
        for rule in (m.rule for m in months if m.rule is not None):
            key = rule.id, rule.provenance.version
            since, source = rule.valid.since.isoformat(), rule.provenance.source
            found[key] = Used(kind="rule", key=key[0], version=key[1], since=since, value=0.0, source=source)
    return tuple(found.values())


BREACHES: Final = Method(
    name="capacity_breaches",
    version=1,
    figures={"over": "kW", "cost": "Kč", "months": ""},
    compute=_breaches,
    adds=frozenset({"buildings", "months"}),
    by_months=True,
)
