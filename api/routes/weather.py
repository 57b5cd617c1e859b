"""/api/v1/stations/...: a station's days and degree days out, its temperatures in."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import weather_examples as examples
from api.access import allowed
from api.answers import as_json
from api.asking import span_of
from api.contract import documented
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from api.routes.consumption import From, To
from core.calendar import Period
from core.calendar import zone as zone_of
from core.climate import Normal
from core.errors import InputError
from core.people import Right
from core.registry import Station
from services.weather import StationDays, fetch, store_temperatures
from services.weather_degrees import INDOOR_C, DegreeDays, degree_days, normal_of

router = APIRouter(prefix="/api/v1/stations", tags=["weather"], dependencies=[allowed(Right.SEE)])

LONGEST: Final = timedelta(days=366 * 40)
PERIODS: Final = frozenset({Period.MONTH, Period.QUARTER, Period.YEAR, Period.HEATING_SEASON})
NOBODY: Final = ""
Key = Annotated[str, Path(description="The station's id.", examples=["liberec"])]


class BridgeTo(msgspec.Struct, frozen=True):
    """How another station's days are brought to this place: other + a + b cos(year) + c sin(year) [K].

    `method` is yearly, constant, altitude, or empty where the station cannot be used.
    """

    station: str
    method: str
    offset_k: Sequence[float]
    common_days: int
    residual_k: float | None

    @classmethod
    def of(cls, days: StationDays, rank: int) -> "BridgeTo":
        """Return the JSON form of the bridge to a fallback, the first of rank 0."""
        station, found = days.stations[rank + 1], days.bridges[rank]
        if found is None:
            return cls(station, "", (), 0, None)
        residual = None if np.isnan(found.residual_k) else found.residual_k
        return cls(station, found.method, found.offset_k, found.common_days, residual)


class Day(msgspec.Struct, frozen=True):
    """A local day: mean temperature (null: nobody knows), the station that it is from, own hours known."""

    day: str
    temp_c: float | None
    source: str
    known_h: float


class Days(msgspec.Struct, frozen=True):
    """A station's days; those not from itself are filled from the next one."""

    station: str
    stations: Sequence[str]
    bridges: Sequence[BridgeTo]
    unknown_days: int
    filled_days: int
    days: Sequence[Day]


class NormalYear(msgspec.Struct, frozen=True):
    """The long-term heating period of the place, and its degree days for the indoor temperature asked for."""

    place: str
    limit_c: float
    outdoor_c: float
    days: float
    degree_days: float
    source: str
    span: str

    @classmethod
    def of(cls, found: Normal, indoor_c: float) -> "NormalYear":
        """Return the JSON form."""
        source = found.provenance.source
        return cls(
            found.place, found.limit_c, found.outdoor_c, found.days, found.degree_days(indoor_c), source, found.span
        )  # fmt: skip


class PeriodDegreeDays(msgspec.Struct, frozen=True):
    """Degree days [K d] of a period, null where a day is missing; `czech_known` is the sum of the days known."""

    first: str
    after: str
    czech: float | None
    czech_known: float
    eurostat: float | None
    missing_days: int
    filled_days: int
    heating_days: int


class StationDegreeDays(msgspec.Struct, frozen=True):
    """A station's degree days by period; `normal` is null where none of its place is known."""

    station: str
    period: Period
    indoor_c: float
    normal: NormalYear | None
    periods: Sequence[PeriodDegreeDays]


class Stored(msgspec.Struct, frozen=True):
    """How many temperatures were stored for a station."""

    station: str
    stored: int


def span_of_days(room: Room, start: str, end: str) -> tuple[date, date]:
    """Return the first and the last day asked for; without an end the last day is yesterday."""
    zone = room.deps.zone
    span = span_of(start, end, zone, room.deps.clock())
    if span.end - span.start > LONGEST:
        raise InputError("the span is too long", place="to", remedy=f"ask for {LONGEST.days} days at the most")
    last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
    yesterday = room.deps.clock().astimezone(zone).date() - timedelta(days=1)
    return span.start.astimezone(zone).date(), last if end else min(last, yesterday)


def shown_days(found: StationDays) -> Days:
    """Return the JSON form of a station's days."""
    rows = zip(
        found.day.astype(str).tolist(),
        found.temp_c.tolist(),
        found.source.tolist(),
        found.known_h.tolist(),
        strict=True,
    )
    days = [
        Day(day, None if temp != temp else round(temp, 3), found.stations[source] if source >= 0 else NOBODY, hours)  # noqa: PLR0124 - NaN
        for day, temp, source, hours in rows
    ]
    return Days(
        station=found.station,
        stations=found.stations,
        bridges=[BridgeTo.of(found, rank) for rank in range(len(found.bridges))],
        unknown_days=int((found.source < 0).sum()),
        filled_days=int((found.source > 0).sum()),
        days=days,
    )


@router.get(
    "/{key:path}/days",
    operation_id="get_station_days",
    summary="Daily mean temperatures of a station, missing ones from the next station",
    description="A day is known from 18 of its 24 hours on; gaps up to three hours are bridged.",
    **documented(Days, examples.DAYS, errors=(401, 404, 422, 503)),
)
def get_days(room: InRoom, key: Key, start: From = "", to: To = "") -> Response:
    """Return a station's days."""
    first, last = span_of_days(room, start, to)
    return as_json(shown_days(room.weather.days(room.deps.records, key).between(first, last)))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 3)


def shown_periods(found: DegreeDays) -> list[PeriodDegreeDays]:
    """Return the JSON form of degree days."""
    return [
        PeriodDegreeDays(
            first=str(found.first[n]),
            after=str(found.after[n]),
            czech=_number(found.czech[n]),
            czech_known=round(float(found.czech_known[n]), 3),
            eurostat=_number(found.eurostat[n]),
            missing_days=int(found.missing_days[n]),
            filled_days=int(found.filled_days[n]),
            heating_days=int(found.heating_days[n]),
        )
        for n in range(len(found.first))
    ]


@router.get(
    "/{key:path}/degree-days",
    operation_id="get_station_degree_days",
    summary="Degree days of a station by whole periods, with the normal of its place",
    **documented(StationDegreeDays, examples.DEGREE_DAYS, errors=(401, 404, 422, 503)),
)
def get_degree_days(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    key: Key,
    start: From = "",
    to: To = "",
    period: Annotated[
        Period, Query(description="month, quarter, year or heating-season.", examples=["month"])
    ] = Period.MONTH,
    indoor_c: Annotated[
        float, Query(ge=10, le=30, description="Indoor temperature: 19, 20 or 21 as a rule [°C].", examples=[20.0])
    ] = INDOOR_C,
) -> Response:
    """Return a station's degree days."""
    if period not in PERIODS:
        raise InputError(f"degree days are not made by {period}", place="period", remedy="ask by month or year")
    station: Station = room.deps.records.get(Station, key)
    first, last = span_of_days(room, start, to)
    found = degree_days(
        room.weather.days(room.deps.records, key), period, first, last, room.deps.zone, indoor_c=indoor_c
    )
    normal = normal_of(station, room.deps.dated.normals)
    shown = None if normal is None else NormalYear.of(normal, indoor_c)
    return as_json(StationDegreeDays(key, period, indoor_c, shown, shown_periods(found)))


CSV_BODY: Final[dict[str, Any]] = {
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}, "example": "Datum;Teplota\r\n31.01.2026;-2,1\r\n"}},
        }
    }
}


@router.post(
    "/{key:path}/temperatures",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="store_station_temperatures",
    summary="Store a CSV of temperatures as a station's",
    description="A column of times (or days, then of daily means) and one of °C. The same file again changes nothing.",
    **documented(Stored, examples.STORED, errors=(401, 404, 413, 422, 503)),
    **CSV_BODY,
)
def post_temperatures(  # noqa: PLR0917 - FastAPI fills these by name
    room: InRoom,
    by: Caller,
    key: Key,
    body: Body,
    name: Annotated[str, Query(description="The file's name, for errors.", examples=["meteo.csv"])] = "temperatures",
    zone: Annotated[str, Query(description="Zone of times without offset.", examples=["Etc/GMT-1"])] = "",
) -> Response:
    """Store temperatures."""
    files = room.deps.temperature_files
    if files is None:
        raise Refused(503, "This process reads no files of temperatures.")
    given = files.read(name, body, zone_of(zone) if zone else room.deps.zone)
    now = room.deps.clock()
    source = f"{name} ({by})" if by else name
    return as_json(
        Stored(
            key,
            store_temperatures(room.deps.readings, room.writing(Right.REGISTER), key, given, source=source, now=now),
        )
    )


@router.post(
    "/{key:path}/fetch",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="fetch_station_temperatures",
    summary="Fetch a station's temperatures from the archive",
    description="Only where the setting weather.fetch is on. `from` is the first day; the last is yesterday.",
    **documented(Stored, examples.STORED, errors=(401, 404, 422, 503)),
)
def post_fetch(room: InRoom, _by: Caller, key: Key, start: From = "") -> Response:
    """Fetch temperatures."""
    archive = room.deps.archive
    if archive is None:
        raise InputError(
            "fetching temperatures is switched off", place="weather.fetch", remedy="switch it on in the settings"
        )
    first, _ = span_of_days(room, start, "")
    done = fetch(room.deps.readings, room.writing(Right.REGISTER), archive, key, first=first, now=room.deps.clock())
    return as_json(Stored(key, done.hours))
