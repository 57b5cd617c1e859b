"""Weather stations of the sample region: what their thermometers send, hour by hour, gaps included."""

import json
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from core.calendar import Instants, instant, moment
from core.readings import Floats, Kind, Readings, SeriesKey, concat
from core.registry import Station
from simulators.noise import normal, seed_of
from simulators.weather import air, hours_since_1970


class _Site(NamedTuple):
    """A station, how much colder it is than the first one [K], and its own scatter [K]."""

    station: Station
    colder_k: float
    scatter_k: float


SITES: Final = (
    _Site(
        Station(
            id="liberec",
            name="Liberec",
            place="Liberec",
            latitude=50.77,
            longitude=15.02,
            altitude_m=398.0,
            device="meteo-liberec",
            fallbacks=("jablonec",),
        ),
        0.0,
        0.0,
    ),
    _Site(
        Station(
            id="jablonec",
            name="Jablonec nad Nisou",
            place="Jablonec nad Nisou",
            latitude=50.72,
            longitude=15.17,
            altitude_m=502.0,
            device="meteo-jablonec",
        ),
        0.8,
        0.6,
    ),
)
"""The first measures what the buildings feel, the second stands in for it."""

OUTAGE_DAYS: Final = (214.0, 201.0)
"""The first station is silent from so many days before the end of history until so many."""


def stations() -> tuple[Station, ...]:
    """Return the stations of the sample region."""
    return tuple(site.station for site in SITES)


def _temperatures(site: _Site, weather: int, start: datetime, end: datetime) -> tuple[Instants, Floats]:
    at, temp_c = air(weather, start, end)
    own = site.scatter_k * normal(seed_of(weather, site.station.id), hours_since_1970(at))
    return at, np.round(temp_c - site.colder_k + own, 1)


def station_readings(weather: int, start: datetime, end: datetime, *, outage: bool = True) -> Readings:
    """Return what all stations send in [start, end); with an outage of the first one before the end."""
    parts = []
    for number, site in enumerate(SITES):
        at, temp_c = _temperatures(site, weather, start, end)
        if outage and number == 0:
            ago = (instant(end) - at) / np.timedelta64(1, "D")
            kept = (ago > OUTAGE_DAYS[0]) | (ago <= OUTAGE_DAYS[1])
            at, temp_c = at[kept], temp_c[kept]
        key = SeriesKey(site.station.arrives_as, site.station.register)
        parts.append(Readings.of([key], np.zeros(len(at), np.int32), at, temp_c, kind=Kind.GAUGE, source="simulator"))
    return concat(parts)


def station_payloads(weather: int, start: datetime, end: datetime) -> list[bytes]:
    """Return what the stations publish in [start, end): a message of Odečet's own payload an hour."""
    made = []
    sent = [(site, *_temperatures(site, weather, start, end)) for site in SITES]
    for n, at in enumerate(sent[0][1]):
        rows = [{"meter": site.station.arrives_as, "value": float(temp_c[n])} for site, _, temp_c in sent]
        body = {"at": moment(at).isoformat(), "unit": "°C", "readings": rows}
        made.append(json.dumps(body, ensure_ascii=False).encode())
    return made
