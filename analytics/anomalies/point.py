"""One register of a point as the detectors see it: its readings, steps, hours, and what its dial was found to do."""

from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.anomalies.hours import Hours, free_days, of_curve, on_clock
from analytics.anomalies.still import Steps
from core.calendar import US, Longs
from core.dial import Mark
from core.gaps import DayTypes
from core.mounting import Mounting, Rules, build, moduli
from core.readings import Floats, Kind, Readings, SeriesKey
from core.units import Unit

DEVICE: Final = "point"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Readings of one register until now: a dial, or amounts of intervals of `length_us` that end at `at_us`.

    `value` in the canonical `unit`, `quantum` the worth of the last digit, `off` the days off work besides weekends
    (days since 1970), `holidays` the public ones among them. `max_rate` is the most that can flow [kW, m³/h]
    where it is known.
    """

    at_us: Longs
    value: Floats
    dial: bool
    unit: str
    zone: ZoneInfo
    length_us: int = 0
    quantum: float = 0.0
    off: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    holidays: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    max_rate: float | None = None

    def until(self, now_us: int) -> "Watched":
        """Return what had come by then."""
        known = self.at_us <= now_us
        return replace(self, at_us=self.at_us[known], value=self.value[known])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What detectors look at; `hours` None where no hour of it is known."""

    watched: Watched
    steps: Steps
    hours: Hours | None
    marks: tuple[Mark, ...]


def seen(watched: Watched, of: Unit, *, zero_is_gap: bool) -> Seen:
    """Return a point's steps and hours. O(readings + hours)."""
    hours, marks = _hours(watched, of, zero_is_gap=zero_is_gap)
    return Seen(watched=watched, steps=steps(watched), hours=hours, marks=marks)


def steps(watched: Watched) -> Steps:
    """Return the steps between dial readings, or the intervals."""
    at, value = watched.at_us, watched.value
    if watched.dial:
        at, counted, length = at[1:], np.diff(value), np.diff(at)
    else:
        counted, length = value, np.full(len(at), watched.length_us)
    day, hour = on_clock(at - length, watched.zone)
    return Steps(at_us=at, length_us=length, counted=counted, day=day, hour=hour, free=free_days(day, watched.off))


def _hours(watched: Watched, of: Unit, *, zero_is_gap: bool) -> tuple[Hours | None, tuple[Mark, ...]]:
    chosen = (watched.value != 0) if zero_is_gap and not watched.dial else np.ones(len(watched.value), bool)
    readings = Readings.of(
        [SeriesKey(DEVICE, "")],
        np.zeros(int(chosen.sum()), np.int32),
        watched.at_us[chosen].astype("datetime64[us]"),
        watched.value[chosen],
        kind=Kind.CUMULATIVE if watched.dial else Kind.INTERVAL,
        span_s=0 if watched.dial else watched.length_us // US,
    )
    mounting = Mounting(device=DEVICE, moduli=moduli(of) if watched.dial else ())
    rules = Rules(unit=watched.unit, max_rate=watched.max_rate, day_types=DayTypes(zone=watched.zone))
    built = build(readings, [mounting], (), rules)
    marks = tuple(mark for _, mark in built.marks)
    if len(built.curve.at_us) < 2:  # noqa: PLR2004 - an hour has two ends
        return None, marks
    return of_curve(built.curve, watched.zone, watched.off, quantum=watched.quantum), marks
