"""What may be added up: points whose sum counts nothing twice, and why the others are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.registry import Commodity, Point, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Addends:
    """Points whose sum counts nothing twice, and those left out, each with the reason."""

    points: tuple[Point, ...]
    left_out: tuple[tuple[str, str], ...]


def addends(points: Sequence[Point], register: Mapping[str, Point]) -> Addends:
    """Return what of these points may be added up; `register` are all points by id.

    What a point above already counts is left out, as are virtual points (sums themselves) and sub-meters of a
    building and commodity that have a billing point among them.
    """
    ids = {p.id for p in points}
    billed = {(p.building, p.commodity) for p in points if p.role is Role.BILLING}
    kept: list[Point] = []
    out: list[tuple[str, str]] = []
    for point in points:
        reason = _counted_already(point, ids, billed, register)
        if reason:
            out.append((point.id, reason))
        else:
            kept.append(point)
    return Addends(points=tuple(kept), left_out=tuple(out))


def _counted_already(
    point: Point, ids: set[str], billed: set[tuple[str, Commodity]], register: Mapping[str, Point]
) -> str:
    if point.role is Role.VIRTUAL and len(ids) > 1:
        return "virtual"
    if any(above.id in ids and above.commodity is point.commodity for above in ancestors(point, register)):
        return "counted_by_parent"
    if point.role is Role.SUBMETER and (point.building, point.commodity) in billed:
        return "submeter"
    return ""


def ancestors(point: Point, register: Mapping[str, Point]) -> list[Point]:
    """Return the points above one, the nearest first; a circle ends where it closes."""
    above: list[Point] = []
    seen = {point.id}
    while point.parent and point.parent in register and point.parent not in seen:
        point = register[point.parent]
        seen.add(point.id)
        above.append(point)
    return above
