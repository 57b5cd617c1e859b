"""Weather stations: how far their temperatures reach, days by source, degree days against the normal of the place."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.forms import number_of
from api.pages.model_charts import degree_bars, temperatures
from api.pages.view import Seen, Viewer, back
from api.problems import Refused
from api.routes.weather import PERIODS
from api.texts import Language
from core.calendar import Period
from core.calendar import zone as zone_of
from core.errors import InputError
from core.people import Right
from core.registry import Station, StationSource
from services import register as acts
from services.weather import StationDays, store_temperatures
from services.weather_degrees import INDOOR_C, DegreeDays, degree_days, normal_of

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

YEAR: Final = timedelta(days=365)
TEMPERATURE: Final = "temperature."
SEASONS: Final = 12
"""So many seasons are shown at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Days of a span by who knows them."""

    days: int
    own: int
    filled: int
    unknown: int

    @classmethod
    def of(cls, days: StationDays) -> "Coverage":
        """Count the days by source."""
        own, filled = int((days.source == 0).sum()), int((days.source > 0).sum())
        return cls(days=len(days.source), own=own, filled=filled, unknown=len(days.source) - own - filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationLine:
    """A station in the list: its last year, its newest day, and the buildings that name it."""

    station: Station
    year: Coverage
    first: date | None
    last: date | None
    buildings: int


@router.get("/stations")
def stations(v: Seen) -> Response:
    """Show the stations."""
    now = v.room.now()
    named = [b.station for b in now.buildings.values()]
    strange = sorted(set(named) - set(now.stations) - {""})
    return v.page(
        "stations.html",
        lines=[_line(v, station, named.count(station.id)) for station in now.stations.values()],
        strange=strange,
        without=named.count(""),
        sources=list(StationSource),
        devices=sorted({i.device for i in v.room.deps.records.inbox() if i.register.startswith(TEMPERATURE)}),
    )


def _line(v: Viewer, station: Station, buildings: int) -> StationLine:
    days = v.room.weather.days(v.room.deps.records, station.id)
    last = v.room.last_day()
    known = days.day[days.source == 0]
    return StationLine(
        station=station,
        year=Coverage.of(days.between(last - YEAR + timedelta(days=1), last)),
        first=known[0].astype(date) if len(known) else None,
        last=known[-1].astype(date) if len(known) else None,
        buildings=buildings,
    )


@router.get("/stations/{key:path}")
def station(
    v: Seen,
    key: str,
    period: Annotated[str, Query()] = Period.HEATING_SEASON,
    indoor: Annotated[float, Query()] = INDOOR_C,
) -> Response:
    """Show a station."""
    found = v.room.now().stations.get(key) or v.room.deps.records.get(Station, key)
    days = v.room.weather.days(v.room.deps.records, key)
    last = v.room.last_day()
    first = days.day[0].astype(date) if len(days.day) else last
    grain = Period(period) if period in PERIODS else Period.HEATING_SEASON
    degrees = degree_days(days, grain, _whole_year(first), last, v.room.deps.zone, indoor_c=indoor)
    normal = normal_of(found, v.room.deps.dated.normals)
    usual = None if normal is None else normal.degree_days(indoor)
    year = days.between(max(first, last - 2 * YEAR), last)
    names = _labels(v.words, grain, degrees)
    return v.page(
        "station.html",
        station=found,
        days=days,
        coverage=Coverage.of(days.between(first, last)),
        year=year,
        first=first,
        chart=_temperatures(v.words, year) if np.isfinite(year.temp_c).any() else None,
        degrees=degrees,
        labels=names,
        shown=range(max(len(names) - SEASONS, 0), len(names)),
        bars=_bars(v.words, degrees, names, usual, grain) if names else None,
        normal=normal,
        indoor=indoor,
        period=grain,
        periods=[p for p in Period if p in PERIODS],
    )


def _whole_year(first: date) -> date:
    """Return the first of September before a day, so that a season that began earlier shows as incomplete."""
    return date(first.year if first.month >= 9 else first.year - 1, 9, 1)  # noqa: PLR2004 - September


def _labels(words: Language, period: Period, degrees: DegreeDays) -> list[str]:
    firsts = [day.astype(date) for day in degrees.first]
    if period is Period.HEATING_SEASON:
        return [f"{day.year}/{day.year + 1}" for day in firsts]
    if period is Period.YEAR:
        return [str(day.year) for day in firsts]
    return [f"{words.month(day.month)} {day.year}" for day in firsts]


def _bars(
    words: Language, degrees: DegreeDays, names: list[str], normal: float | None, period: Period
) -> dict[str, Any]:
    rows = [
        {"label": name, "amount": float(degrees.czech_known[n]), "complete": bool(degrees.missing_days[n] == 0)}
        for n, name in list(enumerate(names))[-SEASONS:]
    ]
    title = words.text("Degree days by period; grey where days are missing, the line is the normal of a heating season")
    whole = period in {Period.HEATING_SEASON, Period.YEAR}
    return degree_bars(rows, words=words, title=title, normal=normal if whole else None)


def _temperatures(words: Language, year: StationDays) -> dict[str, Any]:
    own, other = words.text("own days"), words.text("from the next station")
    rows = [
        {
            "at": str(day),
            "temp_c": None if temp != temp else round(temp, 2),  # noqa: PLR0124 - NaN
            "kind": other if source > 0 else own,
            "from": year.stations[source] if source >= 0 else "",
            "label": words.day(day.astype(date)),
        }
        for day, temp, source in zip(year.day, year.temp_c.tolist(), year.source.tolist(), strict=True)
    ]
    title = words.text("Daily mean temperature of the last two years")
    return temperatures(rows, words=words, title=title, names={"own": own, "next": other})


@router.post("/stations", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def save_station(  # noqa: PLR0917 - the fields of the form
    v: Seen,
    key: Annotated[str, Form(alias="id")],
    name: Annotated[str, Form()],
    place: Annotated[str, Form()] = "",
    latitude: Annotated[str, Form()] = "",
    longitude: Annotated[str, Form()] = "",
    altitude: Annotated[str, Form()] = "",
    source: Annotated[StationSource, Form()] = StationSource.OWN,
    device: Annotated[str, Form()] = "",
    fallbacks: Annotated[str, Form()] = "",
) -> Response:
    """Add a station."""
    made = Station(
        id=key.strip(),
        name=name.strip(),
        place=place.strip(),
        latitude=number_of(latitude, place="latitude"),
        longitude=number_of(longitude, place="longitude"),
        altitude_m=number_of(altitude, place="altitude"),
        source=source,
        device=device.strip(),
        fallbacks=tuple(fallbacks.replace(",", " ").split()),
    )
    acts.create(v.room.writing(Right.REGISTER), [made], act(v.room, v.name, "page of stations"))
    return back(f"/stations/{made.id}?done=saved")


@router.post("/stations/{key:path}/file", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def upload(v: Seen, key: str, file: Annotated[UploadFile, File()], zone: Annotated[str, Form()] = "") -> Response:
    """Store a file of temperatures as a station's."""
    files = v.room.deps.temperature_files
    if files is None:
        raise Refused(503, "This process reads no files of temperatures.")
    content = file.file.read()
    if not content:
        raise InputError("the file is empty", place="file", remedy="choose a CSV of times and temperatures")
    name = file.filename or "temperatures.csv"
    given = files.read(name, content, zone_of(zone) if zone else v.room.deps.zone)
    store_temperatures(v.room.deps.readings, v.room.writing(Right.REGISTER), key, given, source=name, now=v.now)
    return back(f"/stations/{key}?done=stored")
