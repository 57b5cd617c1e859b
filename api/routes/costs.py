"""/api/v1/costs: bills of points by period; /api/v1/demand: quarter-hour maxima, reserved capacity, advice."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import cost_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.cost_rows import AdviceAnswer, CostRow, DemandAnswer, advice_answer, cost_row, demand_answer
from api.room import InRoom, Room
from api.routes.consumption import From, InScope, To, Zone
from api.routes.emissions import MonthsPeriod, Words, language_of
from api.spans import addable, months_asked
from core.calendar import Period
from core.calendar import zone as zone_of
from core.errors import InputError
from core.people import Right
from core.registry import Point
from services.costs import costs
from services.demand import advice, demand, year_until

router = APIRouter(prefix="/api/v1", tags=["costs"], dependencies=[allowed(Right.SEE)])

MOST_WITH_DEMAND: Final = 40
MOST_MONTHS: Final = 61
Key = Annotated[str, Query(alias="point", description="A point of electricity.", examples=["B01-EL"])]


class Costs(msgspec.Struct, frozen=True):
    """The answer: a bill each point and period, in Kč without VAT."""

    period: Period
    zone: str
    currency: str
    vat: str
    known_czk: float | None
    values: Sequence[CostRow]


def owner_of(room: Room, point: Point) -> str:
    """Return the organisation that a point's building belongs to, empty where it is not in the register."""
    buildings = room.now().buildings
    return buildings[point.building].organisation if point.building in buildings else ""


@router.get(
    "/costs",
    operation_id="get_costs",
    summary="What points cost by period, by part of the bill",
    description="By dated prices and the rules of the year, without VAT; VAT beside it where its rate is known. A part "
    "without a price is null with the reason, and so is the bill.",
    **documented(Costs, examples.COSTS, errors=(401, 404, 422, 503)),
)
def get_costs(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    scope: InScope,
    period: MonthsPeriod = Period.MONTH,
    start: From = "",
    to: To = "",
    zone: Zone = "",
    demand: Annotated[
        bool | None,
        Query(
            description=f"Ask for quarter-hours, which capacity and breach need; else where they are for at most "
            f"{MOST_WITH_DEMAND} points.",
            examples=[True],
        ),
    ] = None,
    lang: Words = "cs",
) -> Response:
    """Return costs."""
    words, tz = language_of(lang), zone_of(zone) if zone else room.deps.zone
    months = months_asked(room, period, start, to, tz)
    whose = addable(room, scope)
    reserved = sum(bool(p.reserved_kw) for p in whose.points)
    found = costs(
        whose.points,
        whose.buildings,
        months,
        ask=room.ask,
        tables=room.deps.dated,
        with_demand=reserved <= MOST_WITH_DEMAND if demand is None else demand,
    )
    known = [row.known_czk for row in found if row.known_czk is not None]
    rows = [cost_row(row, words) for row in found]
    return as_json(Costs(period, tz.key, "CZK", "excluded", float(sum(known)) if known else None, rows))


@router.get(
    "/demand",
    operation_id="get_demand",
    summary="Quarter-hour maxima of a point by month, against what is reserved",
    description="Only measured quarter-hours count. A month with gaps has at least the maximum told. `reserved_kw` of "
    "kind `monthly` holds in the month that it begins in, of kind `input` is the reserved input power.",
    **documented(DemandAnswer, examples.DEMAND, errors=(401, 404, 422, 503)),
)
def get_demand(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom, point: Key, start: From = "", to: To = "", zone: Zone = "", lang: Words = "cs"
) -> Response:
    """Return a point's demand."""
    words, tz = language_of(lang), zone_of(zone) if zone else room.deps.zone
    months = months_asked(room, Period.MONTH, start, to, tz)
    if months.size > MOST_MONTHS:
        raise InputError(
            f"{months.size} months of quarter-hours are too many", place="from", remedy=f"ask for {MOST_MONTHS} at most"
        )
    found = room.now().point(point)
    made = demand(found, owner_of(room, found), months, ask=room.ask, tables=room.deps.dated)
    return as_json(demand_answer(made, words, tz))


@router.get(
    "/demand/advice",
    operation_id="get_demand_advice",
    summary="The cheapest reserved capacity of a point, from its last twelve whole months",
    description="By the rule of `day` (else of the month that begins): a yearly capacity with monthly ones beside it, "
    "and a yearly one alone; from 2027 the input power. In hindsight: `margin` plans for higher peaks.",
    **documented(AdviceAnswer, examples.ADVICE, errors=(401, 404, 422, 503)),
)
def get_advice(
    room: InRoom,
    point: Key,
    margin: Annotated[float, Query(ge=0, le=1, description="A share added to the peaks.", examples=[0.05])] = 0.0,
    day: Annotated[str, Query(description="The day whose rule is taken.", examples=["2027-01-01"])] = "",
    lang: Words = "cs",
) -> Response:
    """Return advice."""
    words, found = language_of(lang), room.now().point(point)
    made = advice(
        found,
        owner_of(room, found),
        year_until(room.deps.clock(), room.deps.zone),
        ask=room.ask,
        tables=room.deps.dated,
        margin=margin,
        rule_day=_day(day),
    )
    return as_json(advice_answer(point, made, words))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"{text!r} is no date", place="day", remedy="write it as 2027-01-01") from err
