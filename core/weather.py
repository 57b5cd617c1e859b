"""Outdoor air temperatures on their way in, and the two doors by which they come besides MQTT and the API."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from core.calendar import Instants, Longs
from core.errors import InputError
from core.readings import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperatures:
    """Temperatures (n,) [°C] in order of instant (UTC).

    Of span 0 a value is the temperature at its instant, else the mean of the span [s] that ends there.
    """

    at: Instants
    temp_c: Floats
    span_s: Longs

    def __post_init__(self) -> None:
        if not len(self.at) == len(self.temp_c) == len(self.span_s):
            raise InputError("columns of temperatures differ in length", remedy="give one entry a value in each")

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def instantaneous(cls, at: Instants, temp_c: Floats) -> "Temperatures":
        """Return temperatures at instants; what is no number is left out."""
        known = np.isfinite(temp_c)
        return cls(at=at[known], temp_c=temp_c[known], span_s=np.zeros(int(known.sum()), np.int64))


class TemperatureFiles(Protocol):
    """Reads files of temperatures."""

    def read(self, name: str, content: bytes, zone: ZoneInfo) -> Temperatures:
        """Return what a CSV says; times without offset are of the zone's clock. Raise InputError with the row."""
        ...


class TemperatureArchive(Protocol):
    """Somebody else's archive of outdoor temperatures by place."""

    def hourly(self, latitude: float, longitude: float, first: date, last: date) -> Temperatures:
        """Return the hours of the UTC days first to last, as far as the archive knows them.

        Raise SourceUnavailable, saying what to do, where it does not answer or refuses.
        """
        ...
