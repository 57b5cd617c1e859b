"""Weather stations: their temperatures in, their days out, with what is missing taken from the next station."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.weather import NOBODY, Bridge, DailyMeans, Dates, Sources, daily_means, fill
from core.calendar import PRAGUE, Period, edges, instant, micros, moment
from core.errors import InputError
from core.ports import ReadingStore
from core.readings import Floats, Kind, Readings, SeriesKey
from core.registry import Building, Station, StationSource
from core.weather import TemperatureArchive, Temperatures
from services.held import RegisterReader

BEGIN: Final = np.datetime64("1950-01-01", "us")
END: Final = np.datetime64("2100-01-01", "us")
REVISED: Final = timedelta(days=10)
"""An archive revises its last days, so these are fetched again."""
CHUNK: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationDays:
    """Local days (D,) without a gap, their mean temperature [°C] (NaN: nobody knows) and where it comes from.

    `source` is 0 for the station's own, k for `stations[k]`, -1 for nobody's; `known_h` the station's own hours.
    `bridges` tell how each of `stations[1:]` was brought to this place, None where it could not be.
    """

    stations: tuple[str, ...]
    day: Dates
    temp_c: Floats
    source: Sources
    known_h: Floats
    bridges: tuple[Bridge | None, ...]

    @property
    def station(self) -> str:
        """The station whose days these are."""
        return self.stations[0]

    def between(self, first: date, last: date) -> "StationDays":
        """Return the days first to last; what lies outside of all that is known is nobody's."""
        day = np.arange(np.datetime64(first), np.datetime64(last) + 1)
        if not len(self.day):
            return nobodys(self.stations, day)
        place = (day - self.day[0]).astype(np.int64)
        inside = (place >= 0) & (place < len(self.day))
        at = np.where(inside, place, 0)
        return replace(
            self,
            day=day,
            temp_c=np.where(inside, self.temp_c[at], np.nan),
            source=np.where(inside, self.source[at], NOBODY).astype(np.int8),
            known_h=np.where(inside, self.known_h[at], 0.0),
        )


def nobodys(stations: tuple[str, ...], day: Dates) -> StationDays:
    """Return days of which no station knows anything."""
    return StationDays(
        stations=stations,
        day=day,
        temp_c=np.full(len(day), np.nan),
        source=np.full(len(day), NOBODY, np.int8),
        known_h=np.zeros(len(day)),
        bridges=(None,) * (len(stations) - 1),
    )


class Weather:
    """The days of all stations, held until one of their readings changes; may be asked by several threads."""

    def __init__(self, readings: ReadingStore, zone: ZoneInfo = PRAGUE) -> None:
        self._readings = readings
        self._zone = zone
        self._lock = threading.Lock()
        self._token = ""
        self._own: dict[SeriesKey, tuple[Dates, DailyMeans]] = {}
        self._filled: dict[tuple[Station, ...], StationDays] = {}

    def days(self, register: RegisterReader, station: str) -> StationDays:
        """Return all days of a station from its first or a fallback's to the last; raise NotFound."""
        own = register.get(Station, station)
        asked = (own, *(register.get(Station, key) for key in own.fallbacks))
        with self._lock:
            self._forget_touched()
            if asked not in self._filled:
                self._filled[asked] = self._made(asked)
            return self._filled[asked]

    def of_building(self, register: RegisterReader, building: Building) -> StationDays | None:
        """Return the days of a building's station, None where it names none that is in the register."""
        known = {station.id for station in register.find(Station)}
        return self.days(register, building.station) if building.station in known else None

    def _forget_touched(self) -> None:
        touched = self._readings.touched(self._token)
        self._token = touched.token
        if any(key in self._own for key in touched.series):
            gone = set(touched.series)
            self._own = {key: held for key, held in self._own.items() if key not in gone}
            self._filled.clear()

    def _made(self, asked: Sequence[Station]) -> StationDays:
        own = [self._own_days(_series(station)) for station in asked]
        known = [days for days, _ in own if len(days)]
        names = tuple(station.id for station in asked)
        if not known:
            return nobodys(names, np.empty(0, "datetime64[D]"))
        day = np.arange(min(d[0] for d in known), max(d[-1] for d in known) + 1)
        temps = [_placed(day, days, means.temp_c, np.nan) for days, means in own]
        filled = fill(temps[0], temps[1:], day, [_higher_m(asked[0], other) for other in asked[1:]])
        return StationDays(
            stations=names,
            day=day,
            temp_c=filled.temp_c,
            source=filled.source,
            known_h=_placed(day, own[0][0], own[0][1].known_h, 0.0),
            bridges=filled.bridges,
        )

    def _own_days(self, series: SeriesKey) -> tuple[Dates, DailyMeans]:
        if series not in self._own:
            self._own[series] = _days_of(self._readings.read([series], BEGIN, END), self._zone)
        return self._own[series]


def _series(station: Station) -> SeriesKey:
    return SeriesKey(station.arrives_as, station.register)


def _higher_m(ours: Station, other: Station) -> float | None:
    if ours.altitude_m is None or other.altitude_m is None:
        return None
    return ours.altitude_m - other.altitude_m


def _placed(day: Dates, own: Dates, values: Floats, nothing: float) -> Floats:
    out = np.full(len(day), nothing)
    if len(own):
        first = int((own[0] - day[0]).astype(np.int64))
        out[first : first + len(own)] = values
    return out


def _days_of(read: Readings, zone: ZoneInfo) -> tuple[Dates, DailyMeans]:
    """Return the days from the first to the last reading of a series, and their means."""
    if not len(read):
        return np.empty(0, "datetime64[D]"), DailyMeans(temp_c=np.empty(0), known_h=np.empty(0))
    span_s = np.where(read.kind == Kind.INTERVAL, read.span_s, 0)
    first = read.at[0] - np.timedelta64(int(span_s[0]), "s")
    edge = edges(Period.DAY, first, max(read.at[-1], first + np.timedelta64(1, "us")), zone)
    begins = moment(edge[0]).astimezone(zone).date()
    days = np.datetime64(begins) + np.arange(len(edge) - 1)
    return days, daily_means(micros(read.at), read.value, span_s, micros(edge))


# Temperatures in


def store_temperatures(
    readings: ReadingStore,
    records: RegisterReader,
    station: str,
    given: Temperatures,
    *,
    source: str,
    now: datetime,
) -> int:
    """Store temperatures as a station's readings and return how many; raise NotFound for an unknown station.

    What is stored at the same instants already is replaced and kept as a revision.
    """
    found = records.get(Station, station)
    ahead = given.at > instant(now)
    if ahead.any():
        raise InputError(
            f"{int(ahead.sum())} temperatures lie in the future, the first at {str(given.at[ahead][0])[:19]}Z",
            place=source,
            remedy="check the zone of the file, and leave forecasts out",
        )
    batch = Readings.of(
        [_series(found)],
        np.zeros(len(given), np.int32),
        given.at,
        given.temp_c,
        kind=np.where(given.span_s > 0, Kind.INTERVAL, Kind.GAUGE),
        span_s=given.span_s,
        received=np.full(len(given), instant(now)),
        source=source,
    )
    if len(batch):
        readings.write(batch)
    return len(batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched for a station: from which day on, and how many hours."""

    station: str
    first: date
    hours: int


def fetch(
    readings: ReadingStore,
    records: RegisterReader,
    archive: TemperatureArchive,
    station: str,
    *,
    first: date,
    now: datetime,
) -> Fetched:
    """Fetch a station's temperatures from a day on until yesterday and store them, a year at a time.

    Raise NotFound, InputError where the station's place is not known, SourceUnavailable; what came before stays.
    """
    found = records.get(Station, station)
    if found.latitude is None or found.longitude is None:
        raise InputError(f"station {station} has no place", remedy="write its latitude and longitude")
    begin, last, hours = first, now.astimezone(UTC).date() - timedelta(days=1), 0
    while begin <= last:
        until = min(begin + CHUNK, last)
        part = archive.hourly(found.latitude, found.longitude, begin, until)
        hours += store_temperatures(readings, records, station, part, source=StationSource.OPEN_METEO, now=now)
        begin = until + timedelta(days=1)
    return Fetched(station=station, first=first, hours=hours)


def fetch_all(
    readings: ReadingStore, records: RegisterReader, archive: TemperatureArchive, *, first: date, now: datetime
) -> list[Fetched]:
    """Fetch what is new, and what the archive may have revised, for every station whose temperatures come from it."""
    return [
        fetch(readings, records, archive, s.id, first=max(first, _stored_until(readings, s) - REVISED), now=now)
        for s in records.find(Station)
        if s.source is StationSource.OPEN_METEO
    ]


def _stored_until(readings: ReadingStore, station: Station) -> date:
    latest = readings.latest([_series(station)])
    return moment(latest.at[-1]).date() if len(latest) else date(1900, 1, 1)
