"""What a finding rests on, as series for a chart: the flow of a leak, the days of waste, the readings of a dial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.anomalies.capacity import QUARTER_US, quarter_means
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.point import Seen
from analytics.anomalies.waste import Days
from core.evidence import MOST_VALUES, SERIES, THRESHOLD, USUAL, trace
from core.notes import JsonValue
from core.readings import Floats

DAY_US: Final = 24 * HOUR_US
OF_HOURS: Final = frozenset({Rule.LEAK, Rule.NEVER_ZERO, Rule.BURST, Rule.SWAPPED})
OF_DAYS: Final = frozenset({Rule.WEEKEND, Rule.HOLIDAY, Rule.DEVIATION, Rule.DRIFT, Rule.WARM_HEATING, Rule.PV_LOW})
SILENT: Final = frozenset({Rule.DEAD, Rule.GAP})
PEAKS: Final = frozenset({Rule.CAPACITY, Rule.CAPACITY_PROJECTED})
HOURS_BEFORE: Final = 72
DAYS_BEFORE: Final = 60
READINGS_BEFORE: Final = 100
QUARTERS_BEFORE: Final = 96
LINES: Final[dict[Rule, tuple[str, str]]] = {
    Rule.LEAK: ("level", "own_nights_median"),
    Rule.NEVER_ZERO: ("least_flow", ""),
    Rule.BURST: ("own_largest", "usual_flow"),
    Rule.CAPACITY: ("reserved_kw", ""),
    Rule.CAPACITY_PROJECTED: ("reserved_kw", ""),
    Rule.BASE_LOAD: ("", "own_base_load_p90"),
    Rule.WEEKEND: ("", "own_free_days"),
    Rule.HOLIDAY: ("", "own_holidays_at_most"),
    Rule.WARM_HEATING: ("", "own_hot_days"),
    Rule.SPIKE: ("third_peak", ""),
}
"""Numbers of the evidence that are lines across the chart: threshold and usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What charts are made of; `expected`, `temp_c` and `sun` are by day of `days`, None where nobody knows."""

    seen: Seen | None = None
    hours: Hours | None = None
    days: Days | None = None
    expected: Floats | None = None
    temp_c: Floats | None = None
    sun: Floats | None = None


def evidence(found: Finding, shown: Shown, now_us: int) -> dict[str, JsonValue]:
    """Return a finding's numbers with the series that a chart of it shows, some 200 values at most. O(n)."""
    threshold, usual = LINES.get(found.rule, ("", ""))
    lines = {THRESHOLD: found.evidence.get(threshold), USUAL: found.evidence.get(usual)}
    series = _series(found, shown, now_us)
    return {**found.evidence, SERIES: series, **{name: value for name, value in lines.items() if value is not None}}


def _series(found: Finding, shown: Shown, now_us: int) -> list[Mapping[str, JsonValue]]:
    until_us = now_us if found.to_us is None else min(found.to_us, now_us)
    if found.rule in SILENT and shown.seen is not None:
        return [_heard(shown.seen, found.from_us, now_us)]
    if found.rule in OF_HOURS and shown.hours is not None:
        return [_flow(shown.hours, _power(found.unit), found.from_us, until_us)]
    if found.rule is Rule.BASE_LOAD and shown.days is not None:
        return [_daily("base_load", _power(found.unit), shown.days, shown.days.base, (found.from_us, until_us))]
    if found.rule in OF_DAYS and shown.days is not None:
        return _of_days(found, shown, shown.days, until_us)
    if found.rule in PEAKS and shown.seen is not None:
        return [_quarters(shown.seen, found.from_us, until_us)]
    return [_readings(shown.seen, found.from_us)] if shown.seen is not None else []


def _power(unit: str) -> str:
    return {"kWh": "kW", "m³": "m³/h"}.get(unit, unit)


def _flow(hours: Hours, unit: str, from_us: int, until_us: int) -> dict[str, JsonValue]:
    """Return the hours from three days before on; of a long one the first that a chart holds."""
    first = int(np.searchsorted(hours.start_us, from_us - HOURS_BEFORE * HOUR_US))
    behind = int(np.searchsorted(hours.start_us, until_us + 6 * HOUR_US))
    some = slice(first, min(behind, first + MOST_VALUES))
    return trace("flow", unit, hours.start_us[some], hours.amount[some])


def _heard(seen: Seen, from_us: int, now_us: int) -> dict[str, JsonValue]:
    """Return how many readings came in each hour from three days before the silence on."""
    begin = (from_us // HOUR_US - HOURS_BEFORE) * HOUR_US
    edges = np.arange(begin, min(now_us, begin + MOST_VALUES * HOUR_US) + HOUR_US, HOUR_US)
    place = np.searchsorted(edges, seen.watched.at_us, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    count = np.bincount(place[inside], minlength=len(edges) - 1).astype(float)
    return trace("readings", "1/h", edges[:-1], count)


def _daily(name: str, unit: str, days: Days, value: Floats, span: tuple[int, int]) -> dict[str, JsonValue]:
    first = int(np.searchsorted(days.start_us, span[0] - DAYS_BEFORE * DAY_US))
    behind = int(np.searchsorted(days.start_us, span[1]))
    some = slice(first, min(behind, first + MOST_VALUES))
    return trace(name, unit, days.start_us[some], value[some])


def _of_days(found: Finding, shown: Shown, days: Days, until_us: int) -> list[Mapping[str, JsonValue]]:
    span = found.from_us, until_us
    made = [_daily("consumption", found.unit, days, days.total, span)]
    beside = {
        Rule.DEVIATION: ("expected", found.unit, shown.expected),
        Rule.DRIFT: ("expected", found.unit, shown.expected),
        Rule.WARM_HEATING: ("temperature", "°C", shown.temp_c),
        Rule.PV_LOW: ("expected", found.unit, shown.expected),
    }.get(found.rule)
    if beside is not None and beside[2] is not None:
        made.append(_daily(beside[0], beside[1], days, beside[2], span))
    return list(made)


def _quarters(seen: Seen, from_us: int, until_us: int) -> dict[str, JsonValue]:
    """Return the mean power of quarter-hours from a day before on."""
    steps = seen.steps
    near = (steps.at_us > from_us - QUARTERS_BEFORE * QUARTER_US) & (steps.at_us <= until_us + HOUR_US)
    some = steps.chosen(near)
    if not len(some):
        return trace("power", "kW", np.empty(0, np.int64), np.empty(0))
    start, power = quarter_means(some.at_us, some.counted, some.length_us)
    return trace("power", "kW", start[:MOST_VALUES], power[:MOST_VALUES])


def _readings(seen: Seen, from_us: int) -> dict[str, JsonValue]:
    """Return the readings around where it began, as they came."""
    at, value = seen.watched.at_us, seen.watched.value
    place = int(np.searchsorted(at, from_us))
    some = slice(max(place - READINGS_BEFORE, 0), place + MOST_VALUES - READINGS_BEFORE)
    return trace("reading", seen.watched.unit, at[some], value[some])
