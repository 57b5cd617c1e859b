"""/api/v1/benchmarks: how buildings of a kind compare by specific consumption, and how their ranks changed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import benchmark_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.reasons import Why, why
from api.room import InRoom, Room
from api.routes.consumption import From, To, Zone
from api.routes.emissions import Words, language_of
from api.snapshot import Snapshot
from api.spans import compared_with, whole_months
from api.texts import Language
from core.calendar import zone as zone_of
from core.people import Right
from core.registry import Building, BuildingKind
from services.benchmarks import COVERAGE, Benchmark, Kind, Measure, Standing, benchmark

router = APIRouter(prefix="/api/v1", tags=["benchmarks"], dependencies=[allowed(Right.SEE)])

NOBODY: Final = Building(id="-", organisation="-", name="—")
"""Stands for a building that the caller does not see."""
Least = Annotated[
    float,
    Query(ge=0, le=1, description="The least known share of the time for a building to be compared.", examples=[0.9]),
]


class StandingRow(msgspec.Struct, frozen=True):
    """A building among its kind; `value` null where `reason` says why. Rank 1 uses least, `quarter` 1 to 4.

    `rank_now` and `rank_before` are among those known in both years; their difference below zero is a better place.
    """

    building: str
    name: str
    commodities: Sequence[str]
    amount: float | None
    size: float | None
    coverage: float
    value: float | None
    weather_normalised: bool
    rank: int | None
    quarter: int | None
    value_before: float | None
    rank_now: int | None
    rank_before: int | None
    rank_change: int | None
    reason: Why | None


class KindRow(msgspec.Struct, frozen=True):
    """A kind of building; quartiles null where `few` (less than four are known)."""

    kind: str
    count: int
    few: bool
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    buildings: Sequence[StandingRow]


class Benchmarks(msgspec.Struct, frozen=True):
    """The answer: a measure over a span of months, by kind of building."""

    measure: Measure
    unit: str
    start: str
    end: str
    kinds: Sequence[KindRow]


def _number(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124 - NaN alone is not equal to itself


def _standing(found: Standing, words: Language) -> StandingRow:
    return StandingRow(
        found.building.id, found.building.name, list(found.commodities), found.amount, found.size, found.coverage,
        found.value, found.normalised, found.rank, found.quarter, found.value_before, found.rank_now,
        found.rank_before, found.rank_change, why(found.reason, words) if found.reason else None,
    )  # fmt: skip


def _kind(found: Kind, words: Language) -> KindRow:
    q = found.quartiles
    rows = [_standing(s, words) for s in found.standings]
    return KindRow(found.kind, q.count, q.few, _number(q.lower), _number(q.median), _number(q.upper), rows)


def ranked(  # noqa: PLR0917 - what one question needs
    room: Room, measure: Measure, start: str, to: str, compare: str, kind: BuildingKind | None, least: float, zone: str
) -> Benchmark:
    """Return how buildings of a kind (None: of all) compare; those that the caller does not see have no name."""
    now, tz = room.region.now(), zone_of(zone) if zone else room.deps.zone
    span = whole_months(start, to, tz, room.deps.clock())
    buildings: list[Building] = [b for b in now.buildings.values() if kind in {None, b.kind}]
    found = benchmark(
        measure,
        buildings,
        now.points,
        span,
        compared_with(span, compare, tz),
        ask=room.region.ask,
        tables=room.deps.dated,
        least=least,
    )
    seen = room.now()
    return found if seen.whole else replace(found, kinds=tuple(_anonymous(kind, seen) for kind in found.kinds))


def _anonymous(kind: Kind, seen: Snapshot) -> Kind:
    """Return a kind with what is not seen as values and ranks alone; where they are few to guess among, without."""
    others = () if kind.quartiles.few else tuple(s for s in kind.standings if s.value is not None)
    mine = {s.building.id for s in kind.standings if s.building.id in seen.buildings}
    shown = tuple(s for s in kind.standings if s.building.id in mine or s in others)
    return replace(kind, standings=tuple(s if s.building.id in mine else _nameless(s) for s in shown))


def _nameless(standing: Standing) -> Standing:
    return replace(standing, building=NOBODY, commodities=(), amount=None, size=None)


@router.get(
    "/benchmarks",
    operation_id="get_benchmarks",
    summary="Specific consumption of buildings within their kind",
    description="kWh/m², kWh or m³ per person, pupil, bed, over whole months. Areas and users are those of the time. A "
    "building of which too little is known is not compared.",
    **documented(Benchmarks, examples.BENCHMARKS, errors=(401, 404, 422, 503)),
)
def get_benchmarks(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    measure: Annotated[Measure, Query(description="What is compared.", examples=["energy-per-area"])],
    start: From = "",
    to: To = "",
    compare: Annotated[
        str, Query(description="previous-year or FROM/TO, whole months.", examples=["previous-year"])
    ] = "previous-year",
    kind: Annotated[BuildingKind | None, Query(description="Of this kind.", examples=["school"])] = None,
    min_coverage: Least = COVERAGE,
    zone: Zone = "",
    lang: Words = "cs",
) -> Response:
    """Return a benchmark."""
    words = language_of(lang)
    found = ranked(room, measure, start, to, compare, kind, min_coverage, zone)
    kinds = [_kind(k, words) for k in found.kinds]
    return as_json(Benchmarks(found.measure, found.unit, found.first.isoformat(), found.end.isoformat(), kinds))
