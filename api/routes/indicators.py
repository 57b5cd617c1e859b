"""/api/v1/indicators: the plan's indicators, their values by period with all they rest on, and why they changed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import indicator_examples as examples
from api.access import allowed
from api.answers import as_csv, as_json, etag
from api.contract import documented, page_type
from api.indicator_rows import (
    COLUMNS,
    ChangeOfIndicator,
    IndicatorValues,
    Seen,
    ValueRow,
    change_row,
    csv_lines,
    value_row,
)
from api.room import InRoom, Room
from api.routes.consumption import Form, From, Lang, To, wants_csv
from api.routes.emissions import Words, language_of
from api.spans import compared_with, whole_months
from core.calendar import Period, instant, moment, spans
from core.errors import InputError, NotFound
from core.indicators import Scope, ScopeKind
from core.people import Right
from core.plan import Indicator
from services.indicator_change import explained
from services.indicator_methods import METHODS
from services.indicator_sources import HeardReadings
from services.indicators import Evaluation, Inputs
from services.peaks import KeptPeaks
from services.stands import DeliveredValues

router = APIRouter(prefix="/api/v1", tags=["indicators"], dependencies=[allowed(Right.INDICATORS, Right.SEE)])

MOST_VALUES: Final = 120
PERIODS: Final = (
    Period.MONTH, Period.QUARTER, Period.HALF_YEAR, Period.YEAR, Period.HEATING_SEASON, Period.SCHOOL_YEAR,
)  # fmt: skip
Key = Annotated[str, Path(description="The indicator's id.", examples=["E1"])]
ScopeText = Annotated[
    str,
    Query(alias="scope", description="region, organisation:ID or building:ID.", examples=["region", "building:B01"]),
]
WithParts = Annotated[bool, Query(description="With the pieces that values are made of.", examples=[True])]
ByPeriod = Annotated[
    str,
    Query(description="A value for each of these periods: month, quarter, ...; else one of it all.", examples=["year"]),
]


class MethodRow(msgspec.Struct, frozen=True):
    """A documented computation: its figures with their units, and along what its main figure adds up."""

    name: str
    version: int
    figures: dict[str, str]
    adds: Sequence[str]
    by_months: bool


def evaluation(room: Room) -> Evaluation:
    """Return what computes values of the region as it is known now, deliveries of guarantors among them."""
    region, now = room.region, room.deps.clock()
    records, register = region.deps.records, region.deps.records
    inputs = Inputs(
        register=register,
        version=records.version(),
        ask=region.ask,
        cutoff=now,
        dated=region.deps.dated,
        baselines=region.baselines() if region.deps.facts is not None else None,
        stations=region.weather,
        heard=HeardReadings(readings=region.deps.readings, register=register),
        alerts=records,
        peaks=KeptPeaks(readings=region.deps.readings, notes=records, register=register, ask=region.ask),
        hand=DeliveredValues(records.deliveries()),
        zone=region.deps.zone,
    )
    return Evaluation(inputs, now)


def scope_of(text: str, room: Room) -> Scope:
    """Return the scope that a text says, one that the caller sees; raise InputError, NotFound."""
    kind, _, key = text.strip().partition(":")
    if kind not in set(ScopeKind) or (kind == ScopeKind.REGION) == bool(key):
        raise InputError(f"{text!r} is no scope", place="scope", remedy="write region, organisation:ID or building:ID")
    if kind == ScopeKind.BUILDING:
        room.now().building(key)
    if kind == ScopeKind.ORGANISATION:
        room.now().organisation(key)
        _check_all_seen(room, key)
    return Scope(kind=ScopeKind(kind), key=key)


def _check_all_seen(room: Room, key: str) -> None:
    """Raise NotFound where somebody sees but some of an organisation's buildings: its sums would tell of the others."""
    mine = {b.id for b in room.now().buildings.values() if b.organisation == key}
    if {b.id for b in room.region.now().buildings.values() if b.organisation == key} - mine:
        raise NotFound(f"organisation {key} is not known as a whole")


def seen_by(room: Room) -> Seen:
    """Return what tells whether the caller sees the building, point, measure or alert of an id."""
    now = room.now()
    if now.whole:
        return lambda _: True
    held = {**now.buildings, **now.points, **now.measures, **now.organisations}
    return lambda key: key in held or key.partition("/")[0] in held


def indicator_of(room: Room, key: str) -> Indicator:
    """Return an indicator of the plan; raise NotFound."""
    found: Indicator = room.region.deps.records.get(Indicator, key)
    return found


def periods_asked(room: Room, start: str, to: str, period: str) -> list[tuple[date, date]]:
    """Return the spans of days that are asked for: one, or each period that lies within it."""
    zone = room.deps.zone
    (_, ends) = whole_months(start, to, zone, room.deps.clock()) if _monthly(start, to) else (None, _days(start, to))
    first, end = ends
    days = [at.astimezone(zone).date() if isinstance(at, datetime) else at for at in (first, end)]
    if not period:
        return [(days[0], days[1])]
    if period not in PERIODS:
        raise InputError(f"period {period!r} cannot be", place="period", remedy=f"write one of {', '.join(PERIODS)}")
    edges = [instant(datetime(d.year, d.month, d.day, tzinfo=zone)) for d in days]
    starts, stops = spans(Period(period), edges[0], edges[1], zone)
    found = [
        (moment(a).astimezone(zone).date(), moment(b).astimezone(zone).date())
        for a, b in zip(starts, stops, strict=True)
        if a >= edges[0] and b <= edges[1]
    ]
    if len(found) > MOST_VALUES:
        raise InputError(f"{len(found)} values are too many", place="period", remedy="ask for longer periods")
    return found


def _monthly(start: str, to: str) -> bool:
    """Return whether a span is written in years and months, or not at all."""
    return all(len(text.strip()) <= len("2025-01") for text in (start, to))


def _days(start: str, to: str) -> tuple[date, date]:
    try:
        first, end = (date.fromisoformat(_day(text)) for text in (start, to))
    except ValueError as err:
        raise InputError(
            f"{start!r} to {to!r} are no days", place="from", remedy="write from and to as 2025, 2025-01 or 2025-01-31"
        ) from err
    if end <= first:
        raise InputError("the span ends before it begins", place="to", remedy="to is the first day that is not in it")
    return first, end


def _day(text: str) -> str:
    """Return a year, a month or a day as a day."""
    parts = text.strip().split("-")
    return "-".join([*parts, *["01"] * (3 - len(parts))])


@router.get(
    "/indicators",
    operation_id="list_indicators",
    summary="The indicators of the plan",
    **documented(page_type(Indicator), examples.LIST, errors=(401, 422, 503)),
)
def list_indicators(
    room: InRoom, area: Annotated[str, Query(description="Of this area.", examples=["EM"])] = ""
) -> Response:
    """Return the indicators by id."""
    found = [i for i in room.region.deps.records.find(Indicator) if area in {"", i.area}]
    return as_json({"items": found, "next": None, "total": len(found)}, headers={"ETag": etag(found)})


@router.get(
    "/indicator-methods",
    operation_id="list_indicator_methods",
    summary="The documented methods that an indicator may name",
    **documented(page_type(MethodRow), examples.METHODS, errors=(401, 503)),
)
def list_methods() -> Response:
    """Return the methods."""
    rows = [MethodRow(m.name, m.version, dict(m.figures), sorted(m.adds), m.by_months) for m in METHODS.values()]
    return as_json({"items": rows, "next": None})


@router.get(
    "/indicators/{key}/values",
    operation_id="get_indicator_values",
    summary="Values of an indicator, by period, of a scope",
    description="Each says its status, coverage, method, factors and reasons. Null cannot be determined: the reasons "
    "say why, and what is to be added. Without a span the last whole year.",
    **documented(IndicatorValues, examples.VALUES, errors=(401, 404, 422, 503), also={"text/csv": examples.CSV}),
)
def get_values(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    key: Key,
    start: From = "",
    to: To = "",
    scope: ScopeText = "region",
    period: ByPeriod = "",
    parts: WithParts = False,  # noqa: FBT002 - the API's word
    form: Form = "",
    lang: Lang = "",
) -> Response:
    """Return values of an indicator."""
    indicator, where = indicator_of(room, key), scope_of(scope, room)
    table = wants_csv(request, form)
    made, language, seen = evaluation(room), language_of(lang or "cs"), seen_by(room)
    rows = [
        value_row(indicator, made.values([indicator], where, *span)[0], language, parts=parts, seen=seen)
        for span in periods_asked(room, start, to, period)
    ]
    told = {"ETag": _tag(indicator, rows, language.code)}
    if table:
        return as_csv(f"indikator-{key}", COLUMNS, csv_lines(rows), czech=lang == "cs", headers=told)
    return as_json(IndicatorValues(indicator, rows), headers=told)


def _tag(indicator: Indicator, rows: Sequence[ValueRow], words: str) -> str:
    """Return the entity tag of values: the same as long as nothing but the clock moved on."""
    same: list[Any] = [msgspec.structs.replace(row, cutoff="", computed_at="") for row in rows]
    return etag([indicator, same, words])


@router.get(
    "/indicators/{key}/change",
    operation_id="get_indicator_change",
    summary="Why an indicator changed since another span, by cause and by part",
    description="Causes add up to the change exactly, and so do the parts of each kind.",
    **documented(ChangeOfIndicator, examples.CHANGE, errors=(401, 404, 422, 503)),
)
def get_change(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    key: Key,
    start: From = "",
    to: To = "",
    compare: Annotated[
        str, Query(description="previous-year or FROM/TO, whole months.", examples=["previous-year"])
    ] = "previous-year",
    scope: ScopeText = "region",
    lang: Words = "cs",
) -> Response:
    """Return why an indicator changed."""
    indicator, where, zone = indicator_of(room, key), scope_of(scope, room), room.deps.zone
    span = whole_months(start, to, zone, room.deps.clock())
    sides = [_edges(one[1], room) for one in (compared_with(span, compare, zone), span)]
    found = explained(evaluation(room), indicator, where, before=sides[0], after=sides[1])
    return as_json(change_row(found, language_of(lang), seen=seen_by(room)))


def _edges(ends: tuple[datetime, datetime], room: Room) -> tuple[date, date]:
    first, end = (at.astimezone(room.deps.zone).date() for at in ends)
    return first, end
