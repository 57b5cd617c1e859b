"""GET /api/v1/consumption: what points used in calendar periods, compared and added up, as JSON or CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api import consumption_examples as examples
from api.access import allowed
from api.adding import addends, with_unit
from api.answers import Value, as_csv, as_json
from api.asking import Scope, Span, check_size, points_of, span_of
from api.comparison import Counterparts, counterparts
from api.consumption_rows import (
    Compared,
    Comparison,
    Row,
    Texts,
    TotalRow,
    compare,
    local_texts,
    point_rows,
    total_rows,
)
from api.contract import documented
from api.room import InRoom, Room
from api.snapshot import Snapshot
from core.calendar import Period, instant, moment
from core.calendar import zone as zone_of
from core.errors import InputError
from core.people import Right
from core.registry import Commodity, Point, Role
from services.adding import Addends
from services.consumption import PointConsumption, Question, Total, total

MOST_ROWS: Final = 200_000
MOST_SUMMED: Final = 3_000_000

router = APIRouter(prefix="/api/v1", tags=["consumption"], dependencies=[allowed(Right.SEE)])


class PointRows(msgspec.Struct, frozen=True):
    """A point's periods."""

    point: str
    name: str
    building: str
    commodity: str
    register: str
    unit: str
    values: Sequence[Row]


class LeftOut(msgspec.Struct, frozen=True):
    """A point that is no part of the sum, and why: counted_by_parent, submeter, virtual."""

    point: str
    reason: str


class TotalRows(msgspec.Struct, frozen=True):
    """The sum over points of one commodity and unit; `left_out` would have been counted twice."""

    commodity: str
    unit: str
    points: Sequence[str]
    left_out: Sequence[LeftOut]
    values: Sequence[TotalRow]


class Consumption(msgspec.Struct, frozen=True):
    """The answer: `points` by point, or `totals` where a sum was asked for."""

    period: Period
    start: str
    end: str
    zone: str
    compare: str
    points: Sequence[PointRows]
    totals: Sequence[TotalRows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of consumption, read and checked."""

    points: list[Point]
    period: Period
    span: Span
    zone: ZoneInfo
    register: str
    compare: str
    counterparts: Counterparts | None
    most_missing: float
    summed: bool

    def question(self, points: Sequence[Point]) -> Question:
        """Return the question about now."""
        ids = tuple(p.id for p in points)
        return Question(
            points=ids,
            period=self.period,
            start=self.span.start,
            end=self.span.end,
            zone=self.zone,
            register=self.register,
        )

    def question_before(self, points: Sequence[Point]) -> Question | None:
        """Return the question about what is compared with, None where there is nothing."""
        other, ids = self.counterparts, tuple(p.id for p in points)
        if other is None or not other.start < other.end:
            return None
        start, end = moment(other.start), moment(other.end)
        return Question(points=ids, period=self.period, start=start, end=end, zone=self.zone, register=self.register)


def _scope(
    point: Annotated[list[str], Query(description="These points.", examples=[["B01-EL"]])] = [],  # noqa: B006 - FastAPI copies it
    building: Annotated[list[str], Query(description="The points of these buildings.", examples=[["B01"]])] = [],  # noqa: B006 - same
    organisation: Annotated[list[str], Query(description="The points of these organisations.", examples=[["O1"]])] = [],  # noqa: B006 - same
    commodity: Annotated[Commodity | None, Query(description="Of this commodity.", examples=["electricity"])] = None,
    role: Annotated[Role | None, Query(description="Of this role.", examples=["billing"])] = None,
) -> Scope:
    return Scope(
        points=tuple(point),
        buildings=tuple(building),
        organisations=tuple(organisation),
        commodity=commodity,
        role=role,
    )


InScope = Annotated[Scope, Depends(_scope)]
From = Annotated[
    str,
    Query(
        alias="from", description="Date, month, year or instant; else the begin of the year.", examples=["2025-01-01"]
    ),
]
To = Annotated[
    str, Query(description="The first instant that does not belong any more; else now.", examples=["2026-01-01"])
]
Zone = Annotated[str, Query(description="The zone of dates and calendar periods.", examples=["Europe/Prague"])]


def _asked(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    scope: InScope,
    period: Annotated[Period, Query(description="The calendar period.", examples=["month"])] = Period.MONTH,
    start: From = "",
    to: To = "",
    zone: Zone = "",
    register: Annotated[str, Query(description="Another register than the main one.", examples=["energy.export"])] = "",
    compare: Annotated[
        str, Query(description="previous-year, previous-period or FROM/TO.", examples=["previous-year"])
    ] = "",
    max_missing: Annotated[
        float, Query(ge=0, le=1, description="The missing share up to which periods are compared.", examples=[0])
    ] = 0,
    sum: Annotated[bool, Query(description="Add points up, by commodity and unit.", examples=[False])] = False,  # noqa: A002, FBT002 - the API's word
) -> Asked:
    tz = zone_of(zone) if zone else room.deps.zone
    span = span_of(start, to, tz, room.deps.clock())
    points = points_of(scope, room.now())
    check_size(period, span, len(points), most=MOST_SUMMED if sum else MOST_ROWS)
    other = counterparts(compare, period, span, tz) if compare else None
    return Asked(
        points=points, period=period, span=span, zone=tz, register=register, compare=compare,
        counterparts=other, most_missing=max_missing, summed=sum,
    )  # fmt: skip


def answer(room: Room, asked: Asked) -> Consumption:
    """Ask for the consumption and give it the form of the answer."""
    now, texts = room.now(), Texts.of(asked.zone)
    points = [] if asked.summed else _by_point(room, asked, now, texts)
    totals = _summed(room, asked, addends(asked.points, now), texts) if asked.summed else []
    start, end = (instant(asked.span.start), instant(asked.span.end))
    return Consumption(
        period=asked.period,
        start=_text(start, asked.zone),
        end=_text(end, asked.zone),
        zone=asked.zone.key,
        compare=asked.compare,
        points=points,
        totals=totals,
    )


def _text(at: np.datetime64, zone: ZoneInfo) -> str:
    return local_texts(np.array([at], "datetime64[us]"), zone)[0]


def _before(room: Room, asked: Asked, points: Sequence[Point]) -> dict[tuple[str, str], PointConsumption]:
    question = asked.question_before(points)
    return {(p.point, p.register): p for p in room.ask(question)} if question else {}


def _by_point(room: Room, asked: Asked, now: Snapshot, texts: Texts) -> list[PointRows]:
    parts = room.ask(asked.question(asked.points))
    before, earlier = _before(room, asked, asked.points), Texts.of(asked.zone)
    rows = []
    for part in parts:
        point = now.point(part.point)
        other = _compared(part, before.get((part.point, part.register)), asked, earlier)
        values = point_rows(part, texts, other)
        rows.append(PointRows(point.id, point.name, point.building, point.commodity, part.register, part.unit, values))
    return rows


def _compared(
    now: PointConsumption | Total, before: PointConsumption | Total | None, asked: Asked, texts: Texts
) -> list[Compared] | None:
    if asked.counterparts is None:
        return None
    how = Comparison(with_=asked.counterparts, most_missing=asked.most_missing)
    return compare(now, before, how, texts)


def _summed(room: Room, asked: Asked, chosen: Addends, texts: Texts) -> list[TotalRows]:
    parts = room.ask(asked.question(chosen.points))
    before = list(_before(room, asked, chosen.points).values())
    commodity = {p.id: p.commodity for p in chosen.points}
    rows = []
    for kind in dict.fromkeys(commodity.values()):
        members = with_unit([p for p in parts if commodity[p.point] is kind], kind)
        sums = total(members)
        others = {t.unit: t for t in total(with_unit([p for p in before if commodity[p.point] is kind], kind))}
        out = [LeftOut(k, why) for k, why in chosen.left_out if room.now().point(k).commodity is kind]
        for one in sums:
            values = total_rows(one, texts, _compared(one, others.get(one.unit), asked, Texts.of(asked.zone)))
            rows.append(TotalRows(kind, one.unit, [p.point for p in members if p.unit == one.unit], out, values))
    return rows


COLUMNS: Final = {
    "en": ("start", "end", "amount", "measured", "estimated", "missing"),
    "cs": ("začátek", "konec", "spotřeba", "měřeno", "odhadnuto", "chybí"),
}
POINT_COLUMNS: Final = {
    "en": (("point", "name", "building", "commodity", "register", "unit"), ("first_reading", "last_reading")),
    "cs": (
        ("odběrné místo", "název", "budova", "komodita", "registr", "jednotka"),
        ("první odečet", "poslední odečet"),
    ),
}
TOTAL_COLUMNS: Final = {
    "en": (("commodity", "unit"), ("points", "lacking")),
    "cs": (("komodita", "jednotka"), ("odběrných míst", "bez úplných dat")),
}
COMPARED_COLUMNS: Final = {
    "en": (*(f"compared_{name}" for name in Compared.__struct_fields__[:6]), "difference", "percent", "reason"),
    "cs": (
        "srovnání začátek", "srovnání konec", "srovnání spotřeba", "srovnání měřeno", "srovnání odhadnuto",
        "srovnání chybí", "rozdíl", "rozdíl v %", "důvod",
    ),
}  # fmt: skip


def table(found: Consumption, language: str) -> tuple[list[str], Iterator[list[Value]]]:
    """Return the columns and rows of an answer as a flat table."""
    head, tail = (POINT_COLUMNS if not found.totals else TOTAL_COLUMNS)[language]
    columns = [*head, *COLUMNS[language], *tail, *(COMPARED_COLUMNS[language] if found.compare else ())]
    return columns, _total_table(found) if found.totals else _point_table(found)


def _point_table(found: Consumption) -> Iterator[list[Value]]:
    for p in found.points:
        head = [p.point, p.name, p.building, p.commodity, p.register, p.unit]
        for row in p.values:
            yield [*head, *_flat(row)]


def _total_table(found: Consumption) -> Iterator[list[Value]]:
    for t in found.totals:
        for row in t.values:
            yield [t.commodity, t.unit, *_flat(row)]


def _flat(row: Row | TotalRow) -> list[Value]:
    *values, compared = msgspec.structs.astuple(row)
    return values if compared is msgspec.UNSET else [*values, *msgspec.structs.astuple(compared)]


def wants_csv(request: Request, form: str) -> bool:
    """Return whether a table is asked for, by format or by the Accept header."""
    if form not in {"", "json", "csv"}:
        raise InputError(f"format {form!r} is not known", place="format", remedy="write json or csv")
    return form == "csv" or (not form and request.headers.get("accept", "").startswith("text/csv"))


Form = Annotated[
    str, Query(alias="format", description="json or csv; else the Accept header tells.", examples=["json"])
]
Lang = Annotated[str, Query(description="cs: a CSV as Czech spreadsheets read it.", examples=["cs"])]


@router.get(
    "/consumption",
    operation_id="get_consumption",
    summary="Consumption of points by calendar period",
    description="Missing is null, never zero. `sum=true` leaves out what another point already counts. Compared are "
    "periods of which at most `max_missing` is missing on either side.",
    **documented(
        Consumption, examples.CONSUMPTION, errors=(401, 404, 422, 503), also={"text/csv": examples.CONSUMPTION_CSV}
    ),
)
def get_consumption(
    request: Request, room: InRoom, asked: Annotated[Asked, Depends(_asked)], form: Form = "", lang: Lang = "en"
) -> Response:
    """Return consumption as JSON or CSV."""
    found = answer(room, asked)
    if not wants_csv(request, form):
        return as_json(found)
    columns, rows = table(found, "cs" if lang == "cs" else "en")
    return as_csv("spotreba" if lang == "cs" else "consumption", columns, rows, czech=lang == "cs")
