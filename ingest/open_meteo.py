"""Open-Meteo's archive of outdoor temperatures (reanalysis, hourly, by latitude and longitude); asked only on demand.

Its terms ask for attribution (CC BY 4.0). What it gives is a model's word for a grid cell, not a thermometer's.
"""

from datetime import date
from typing import Any, Final

import httpx
import msgspec
import numpy as np

from core.calendar import Instants
from core.errors import SourceUnavailable
from core.readings import Floats
from core.weather import Temperatures

DEGREES: Final = "°C"
_REMEDY: Final = "check the network, or import the station's temperatures from a file"


class _Hourly(msgspec.Struct, frozen=True):
    time: tuple[int, ...]
    temperature_2m: tuple[float | None, ...]


class _Archive(msgspec.Struct, frozen=True):
    """What the archive answers, as far as we read it."""

    hourly_units: dict[str, str]
    hourly: _Hourly
    utc_offset_seconds: float = 0.0


class OpenMeteoArchive:
    """Asks the archive at an address for hourly temperatures; opens a connection for each question."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def hourly(self, latitude: float, longitude: float, first: date, last: date) -> Temperatures:
        """Return the hours of the UTC days first to last, as far as the archive knows them."""
        asked: dict[str, Any] = {
            "latitude": latitude,
            "longitude": longitude,
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "hourly": "temperature_2m",
            "timezone": "GMT",
            "timeformat": "unixtime",
            "temperature_unit": "celsius",
        }
        answer = self._asked(asked)
        at, temp_c = self._columns(answer)
        return Temperatures.instantaneous(at, temp_c)

    def _asked(self, parameters: dict[str, Any]) -> bytes:
        try:
            answer = httpx.get(self._url, params=parameters, timeout=self._timeout_s, follow_redirects=True)
        except httpx.HTTPError as err:
            raise self._failed(f"cannot be reached ({err or type(err).__name__})") from err
        if not answer.is_success:
            raise self._failed(f"answers {answer.status_code} ({_reason(answer.content)})")
        return answer.content

    def _columns(self, answer: bytes) -> tuple[Instants, Floats]:
        try:
            said = msgspec.json.decode(answer, type=_Archive)
        except msgspec.DecodeError as err:
            raise self._failed(f"answers what cannot be read ({err})") from err
        unit = said.hourly_units.get("temperature_2m", "")
        values = np.array(said.hourly.temperature_2m, float)  # None becomes NaN
        if unit != DEGREES or said.utc_offset_seconds or len(values) != len(said.hourly.time):
            raise self._failed(f"answers in another form than asked for ({unit or 'no unit'})")
        return np.array(said.hourly.time, "datetime64[s]").astype("datetime64[us]"), values

    def _failed(self, why: str) -> SourceUnavailable:
        return SourceUnavailable(f"the archive of temperatures at {self._url} {why}; {_REMEDY}")


def _reason(content: bytes) -> str:
    """Return what the archive says of its refusal."""
    try:
        return str(msgspec.json.decode(content, type=dict[str, Any]).get("reason", "no reason given"))
    except msgspec.DecodeError:
        return "no reason given"
