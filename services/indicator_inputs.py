"""What values of indicators rest on: the ports that are asked, and the cut-off and versions that they answer for.

Computing is a pure function of these: asked again with ports that answer as of the same cut-off and register, a value
comes out the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from analytics.demand import Maxima
from core.alerts import Alert, AlertFilter
from core.calendar import PRAGUE, Bools, Instants
from core.errors import TimeError
from core.indicators import Amount, Scope
from core.region_tables import RegionTables
from core.registry import Building, Point
from services.baselines import Baselines
from services.held import RegisterReader
from services.monthly_use import Ask, Months
from services.weather import StationDays


@dataclass(frozen=True, slots=True, kw_only=True)
class HandValue:
    """What a guarantor entered: amounts by figure, what was said of it, who delivered it and when, its evidence."""

    amounts: tuple[Amount, ...]
    comment: str = ""
    by: str = ""
    at: datetime | None = None
    evidence: tuple[str, ...] = ()
    final: bool = True


class HandValues(Protocol):
    """Tells the values that people entered."""

    def value(self, indicator: str, scope: Scope, first: date, end: date) -> HandValue | None:
        """Return what was delivered for the days [first, end) of a scope, None where nothing was."""
        ...


class NoHandValues:
    """Nobody entered anything."""

    def value(self, indicator: str, scope: Scope, first: date, end: date) -> HandValue | None:  # noqa: ARG002 - the port's names
        """Return None."""
        return None


class AlertReader(Protocol):
    """The part of an alert store that indicators need; as of a cut-off it tells of nothing that came later."""

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return alerts, the last opened first."""
        ...


class Heard(Protocol):
    """Tells which points are read from afar: by a device, not by a person or from a file."""

    def __call__(self, points: Sequence[Point], at: Instants) -> Bools:
        """Return (k, m) whether the last reading of each point before each instant, a month old at most, came so."""
        ...


class Peaks(Protocol):
    """Tells the highest quarter-hours of points; `services.peaks.KeptPeaks` is one that need not read them all."""

    def __call__(self, points: Sequence[Point], months: Months) -> Mapping[str, Maxima]:
        """Return the maxima of whole months by point."""
        ...


class StationReader(Protocol):
    """Tells the outdoor temperatures of buildings; `services.weather.Weather` is one."""

    def of_building(self, register: RegisterReader, building: Building) -> StationDays | None:
        """Return the days of a building's station, None where it names none that is in the register."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What values rest on, all of it as of `cutoff` and the register's `version`.

    `versions` names former versions of emission factors by id, where values are to be computed with them.
    None: this process has none of it (`baselines`: savings cannot be told, `stations`: nothing of the weather,
    `heard`: nothing of remote reading, `alerts`: nothing of leaks, `peaks`: quarter-hours are asked for).
    """

    register: RegisterReader
    version: int
    ask: Ask
    cutoff: datetime
    dated: RegionTables = field(default_factory=RegionTables)
    baselines: Baselines | None = None
    stations: StationReader | None = None
    heard: Heard | None = None
    alerts: AlertReader | None = None
    peaks: Peaks | None = None
    hand: HandValues = field(default_factory=NoHandValues)
    zone: ZoneInfo = PRAGUE
    versions: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        if self.cutoff.tzinfo is None:
            raise TimeError(f"cut-off {self.cutoff.isoformat()} has no offset", remedy="give it in UTC")
