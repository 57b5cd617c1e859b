"""/api/v1/measures/.../saving and /api/v1/savings: what measures saved, verified, with intervals, or why not known."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import measure_examples as examples
from api.access import allowed
from api.answers import as_json
from api.contract import documented
from api.room import InRoom, Room
from api.routes.consumption import From, To
from api.routes.models import Amount, ModelReason
from api.routes.weather import span_of_days
from core.people import Right
from core.registry import Measure, Point
from core.rollup import NANO
from services.costs import unit_price
from services.measures import MeasureSaving, PriceOf, Sum, UnitMonth, UnitSaving, Worth, measured, of_plan, once, within
from services.savings import Month, Share

router = APIRouter(prefix="/api/v1", tags=["measures"], dependencies=[allowed(Right.SEE)])

Key = Annotated[str, Path(description="The measure's id.", examples=["OP-2025-01"])]
Price = Annotated[
    float | None,
    Query(ge=0, description="Kč per kWh or m³ in place of the prices in the tables.", examples=[2.5]),
]
ALL_TIME: Final = date(1990, 1, 1)


class ShareMonth(msgspec.Struct, frozen=True):
    """A month at a point: days counted, the point's consumption and baseline, this measure's share of the saving."""

    month: str
    days: int
    of_days: int
    actual: float
    baseline: float
    alone: Amount
    so_far: Amount

    @classmethod
    def of(cls, found: Month) -> "ShareMonth":
        """Return the JSON form."""
        return cls(
            month=f"{found.month:%Y-%m}",
            days=found.days,
            of_days=found.of_days,
            actual=round(found.actual, 6),
            baseline=round(found.baseline, 6),
            alone=Amount.of(found.saving_nano / NANO, found.half68, found.half90),
            so_far=Amount.of(found.so_far_nano / NANO, found.so_far_half68, found.so_far_half90),
        )


class PointShare(msgspec.Struct, frozen=True):
    """What a measure saved at a point; where `known` is false, `reasons` say what is not known of it and why."""

    point: str
    unit: str
    known: bool
    trained_from: str | None
    trained_to: str | None
    sharing: Sequence[str]
    reasons: Sequence[ModelReason]
    notes: Sequence[ModelReason]
    calibration: Mapping[str, str | int | float]
    months: Sequence[ShareMonth]

    @classmethod
    def of(cls, found: Share) -> "PointShare":
        """Return the JSON form."""
        first, last = found.trained or (None, None)
        return cls(
            point=found.point,
            unit=found.unit,
            known=found.known,
            trained_from=None if first is None else str(first),
            trained_to=None if last is None else str(last),
            sharing=found.sharing,
            reasons=[ModelReason.of(r) for r in found.reasons],
            notes=[ModelReason.of(r) for r in found.notes],
            calibration=dict(found.calibration),  # type: ignore[arg-type]  # plain values
            months=[ShareMonth.of(m) for m in found.months],
        )


def amount_of(found: Sum) -> Amount:
    """Return the JSON form of a sum."""
    return Amount.of(found.saving, found.half68, found.half90)


class SavedMonth(msgspec.Struct, frozen=True):
    """A month of a measure in one unit, over the points of which it is known."""

    month: str
    points: int
    alone: Amount
    so_far: Amount

    @classmethod
    def of(cls, found: UnitMonth) -> "SavedMonth":
        """Return the JSON form."""
        return cls(f"{found.month:%Y-%m}", found.points, amount_of(found.alone), amount_of(found.so_far))


class SavedUnit(msgspec.Struct, frozen=True):
    """A measure's saving in one unit."""

    unit: str
    points: int
    total: Amount
    months: Sequence[SavedMonth]

    @classmethod
    def of(cls, found: UnitSaving) -> "SavedUnit":
        """Return the JSON form."""
        months = [SavedMonth.of(month) for month in found.months]
        return cls(found.unit, found.points, amount_of(found.total), months)


class SavedWorth(msgspec.Struct, frozen=True):
    """What the known saving was worth [Kč], null where `reason` says why; simple payback in years."""

    czk: float | None
    low90_czk: float | None
    high90_czk: float | None
    reason: ModelReason | None
    year_czk: float | None
    payback_years: float | None
    own_payback_years: float | None
    payback_reason: ModelReason | None

    @classmethod
    def of(cls, found: Worth) -> "SavedWorth":
        """Return the JSON form."""
        czk, half = found.czk, found.half90_czk
        return cls(
            czk=czk,
            low90_czk=None if czk is None or half is None else czk - half,
            high90_czk=None if czk is None or half is None else czk + half,
            reason=None if found.reason is None else ModelReason.of(found.reason),
            year_czk=found.year_czk,
            payback_years=found.payback_years,
            own_payback_years=found.own_payback_years,
            payback_reason=None if found.payback_reason is None else ModelReason.of(found.payback_reason),
        )


class Saving(msgspec.Struct, frozen=True):
    """A measure's verified saving until a day: by unit over its points, and point by point."""

    measure: str
    name: str
    activity: str
    status: str
    until: str
    units: Sequence[SavedUnit]
    points: Sequence[PointShare]
    worth: SavedWorth

    @classmethod
    def of(cls, found: MeasureSaving, until: date) -> "Saving":
        """Return the JSON form."""
        return cls(
            measure=found.measure.id,
            name=found.measure.name,
            activity=found.measure.activity,
            status=found.status,
            until=str(until),
            units=[SavedUnit.of(u) for u in found.units],
            points=[PointShare.of(s) for s in found.shares],
            worth=SavedWorth.of(found.worth),
        )


class MeasureLine(msgspec.Struct, frozen=True):
    """A measure in the list, with its saving of the span by unit."""

    measure: str
    name: str
    activity: str
    status: str
    units: Sequence[SavedUnit]


class TotalUnit(msgspec.Struct, frozen=True):
    """The sum over measures in one unit, and of how many points nothing is known."""

    unit: str
    points: int
    points_unknown: int
    total: Amount


class Savings(msgspec.Struct, frozen=True):
    """Savings of whole months of a span, over measures; `counted`: only those tagged with an activity of the plan."""

    first: str
    last: str
    activity: str
    counted: bool
    units: Sequence[TotalUnit]
    measures: Sequence[MeasureLine]


def price_of(room: Room, given: float | None = None) -> PriceOf:
    """Return what one more unit costs at points, by the tables of the region or as given."""
    now, tariffs = room.now(), room.deps.dated.tariffs
    held: dict[tuple[str, date], float | None] = {}

    def price(point: Point, day: date) -> float | None:
        if given is not None:
            return given
        if (point.id, day) not in held:
            building = now.buildings.get(point.building)
            held[point.id, day] = unit_price(point, building.organisation if building else "", day, tariffs).czk
        return held[point.id, day]

    return price


def savings_of(room: Room, measures: Sequence[Measure], *, price: float | None = None) -> list[MeasureSaving]:
    """Return what these measures saved until yesterday; others at the same points have their share."""
    now = room.now()
    concerned = {key for measure in measures for key in measure.points}
    points = {key: now.points[key] for key in concerned if key in now.points}
    every = [m for m in room.region.now().measures.values() if concerned & set(m.points)]
    shares = room.savings().shares(points, every, room.last_day())
    asked = {m.id for m in measures}
    return measured(measures, [s for s in shares if s.measure in asked], points, price_of(room, price))


@router.get(
    "/measures/{key:path}/saving",
    operation_id="get_measure_saving",
    summary="A measure's verified saving, by month and so far, with intervals, worth and payback",
    **documented(Saving, examples.SAVING, errors=(401, 404, 422, 503)),
)
def get_saving(room: InRoom, key: Key, price_czk: Price = None) -> Response:
    """Return what a measure saved."""
    measure: Measure = room.deps.records.get(Measure, key)
    return as_json(Saving.of(savings_of(room, [measure], price=price_czk)[0], room.last_day()))


@router.get(
    "/savings",
    operation_id="get_savings",
    summary="Savings of measures over the whole months of a span, added up without counting anything twice",
    description="With `counted` (the default) only measures tagged with an activity of the plan are in the sums.",
    **documented(Savings, examples.SAVINGS, errors=(401, 422, 503)),
)
def get_savings(
    room: InRoom,
    start: From = "",
    to: To = "",
    activity: Annotated[str, Query(description="Of this activity alone.", examples=["2.1-EM-1"])] = "",
    counted: Annotated[bool, Query(description="Only measures of the plan.", examples=[True])] = True,  # noqa: FBT002 - the API's word
) -> Response:
    """Return what measures saved over a span."""
    first, last = span_of_days(room, start, to) if start or to else (ALL_TIME, room.last_day())
    chosen = [m for m in room.now().measures.values() if not activity or m.activity == activity]
    savings = savings_of(room, chosen)
    savings = of_plan(savings, activity) if counted else savings
    return as_json(
        Savings(
            str(first),
            str(last),
            activity,
            counted,
            totals(room, savings, first, last),
            lines(room, savings, first, last),
        )
    )


def totals(room: Room, savings: Sequence[MeasureSaving], first: date, last: date) -> list[TotalUnit]:
    """Return the sums over measures by unit; what a point above counts too is in them once."""
    shares = once([share for one in savings for share in one.shares], room.now().points)
    unknown = len({share.point for one in savings for share in one.shares if not share.months})
    return [
        TotalUnit(u.unit, u.points, unknown, amount_of(u.total))
        for u in within(shares, first, last, until=room.last_day())
    ]


def lines(room: Room, savings: Sequence[MeasureSaving], first: date, last: date) -> list[MeasureLine]:
    """Return each measure with its saving of a span."""
    return [
        MeasureLine(
            measure=one.measure.id,
            name=one.measure.name,
            activity=one.measure.activity,
            status=one.status,
            units=[SavedUnit.of(u) for u in within(one.shares, first, last, until=room.last_day())],
        )
        for one in savings
    ]
