"""How cold it was: a station's degree days by calendar period, against the long-term normal of its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.degree_days import HEATING_LIMIT_C, by_period, czech, eurostat
from analytics.weather import Dates
from core.calendar import Longs, Period, instant, local, spans
from core.climate import Normal
from core.readings import Floats
from core.registry import Station
from services.weather import StationDays

INDOOR_C: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DegreeDays:
    """Degree days [K d] of p periods (first day, first day after): NaN where a day is missing, `known` without those.

    `czech` counts indoor less outdoor on days below 13 °C, `eurostat` 18 °C less outdoor on days up to 15 °C;
    `heating_days` are the days below 13 °C, `filled_days` those known from another station.
    """

    first: Dates
    after: Dates
    indoor_c: float
    czech: Floats
    czech_known: Floats
    eurostat: Floats
    missing_days: Longs
    filled_days: Longs
    heating_days: Longs


def degree_days(
    days: StationDays, period: Period, first: date, last: date, zone: ZoneInfo, *, indoor_c: float = INDOOR_C
) -> DegreeDays:
    """Return the degree days of the whole periods that lie within the days first to last."""
    start, end = (instant(datetime.combine(day, time(), zone).astimezone(UTC)) for day in (first, _next(last)))
    begins, ends = (local(edge, zone).astype("datetime64[D]") for edge in spans(period, start, end, zone))
    whole = (begins >= np.datetime64(first)) & (ends <= np.datetime64(_next(last)))
    begins, ends = begins[whole], ends[whole]
    made = [_of_period(days, begin, end, indoor_c) for begin, end in zip(begins, ends, strict=True)]
    columns = [np.array(column) for column in zip(*made, strict=True)] or [np.empty(0)] * 6
    return DegreeDays(
        first=begins,
        after=ends,
        indoor_c=indoor_c,
        czech=columns[0],
        czech_known=columns[1],
        eurostat=columns[2],
        missing_days=columns[3].astype(np.int64),
        filled_days=columns[4].astype(np.int64),
        heating_days=columns[5].astype(np.int64),
    )


def _of_period(
    days: StationDays, begin: np.datetime64, end: np.datetime64, indoor_c: float
) -> tuple[float, float, float, int, int, int]:
    inside = days.between(begin.astype(date), (end - 1).astype(date))
    edge = np.array([begin, end])
    ours = by_period(inside.day, czech(inside.temp_c, indoor_c=indoor_c), edge)
    theirs = by_period(inside.day, eurostat(inside.temp_c), edge)
    return (
        float(ours.total[0]),
        float(ours.known[0]),
        float(theirs.total[0]),
        int(ours.missing_days[0]),
        int((inside.source > 0).sum()),
        int(ours.heating_days[0]),
    )


def _next(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def normal_of(station: Station, normals: Sequence[Normal]) -> Normal | None:
    """Return the normal of a station's place at the heating limit, found by its name, place or id; None: unknown."""
    names = {text.casefold() for text in (station.id, station.name, station.place, station.place.partition(",")[0])}
    return next((n for n in normals if n.limit_c == HEATING_LIMIT_C and n.place.casefold() in names - {""}), None)
