"""The real buildings and homes as they are: what stands, is dead or cut off is found, holidays are no waste."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest

from analytics.anomalies.every import every
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US
from analytics.anomalies.point import Watched, seen
from analytics.anomalies.trailing import spans
from analytics.baseline.cleaning import Commodity
from core.units import unit
from ingest.any_series import Series, read_any

DATA = Path(__file__).parents[3] / "shared/data"
POWER = DATA / "cambridge_electricity_hourly_kwh.parquet"
LONDON = ZoneInfo("Europe/London")
DAY_US = 24 * HOUR_US
pytestmark = pytest.mark.skipif(not POWER.is_file(), reason="the shared real data are not beside the project")


@cache
def off() -> np.ndarray:
    days = sorted(holidays.country_holidays("UK", subdiv="ENG", years=range(2008, 2018)))
    return np.array(days, "datetime64[D]").astype(np.int64)


def watched(one: Series) -> Watched:
    return Watched(
        at_us=one.at_us,
        value=one.value,
        dial=one.dial,
        unit=one.of.canonical,
        zone=LONDON,
        length_us=one.length_us,
        quantum=one.quantum,
        off=off(),
        holidays=off(),
    )


def found(what: Watched) -> list[Finding]:
    return every(seen(what, unit("kWh"), zero_is_gap=True), Commodity.ELECTRICITY, int(what.at_us[-1]))


@cache
def buildings() -> tuple[tuple[Series, Watched, tuple[Finding, ...]], ...]:
    made = []
    for one in read_any(POWER, LONDON, "kWh"):
        what = watched(one)
        made.append((one, what, tuple(found(what))))
    return tuple(made)


def covered(findings: tuple[Finding, ...] | list[Finding], rules: set[Rule], at_us: int) -> bool:
    return any(f.rule in rules and f.from_us <= at_us <= (f.to_us or at_us) + HOUR_US for f in findings)


def stretches(true: np.ndarray, least: int) -> Iterator[tuple[int, int]]:
    return ((int(a), int(b)) for a, b in spans(true) if b - a >= least)


def test_stretches_of_zeros_and_of_one_value_are_found() -> None:
    seen_zeros = seen_same = 0
    for _, what, findings in buildings():
        settled = 24 * 60  # two months of its own past
        for first, behind in stretches(what.value == 0, 3):
            if first > settled:
                seen_zeros += 1
                assert covered(findings, {Rule.ZEROED, Rule.STUCK}, int(what.at_us[behind - 1])), what.at_us[first]
        same = np.concatenate([[False], what.value[1:] == what.value[:-1]]) & (what.value > 0)
        often = same.mean() > 0.01  # coarse digits repeat
        for first, behind in stretches(same, 8) if not often else ():
            if first > settled:
                seen_same += 1
                assert covered(findings, {Rule.STUCK, Rule.CLIPPED}, int(what.at_us[behind - 1])), what.at_us[first]
    assert seen_zeros >= 10


def planted(what: Watched, start: int) -> dict[str, tuple[Watched, int, set[Rule]]]:
    """Return the year before a place with faults from there on: dead, one value again and again, cut off at the top."""
    upto = slice(start - 24 * 380, start + 24 * 4)
    at, value, place = what.at_us[upto], what.value[upto], 24 * 380
    stuck = np.where(np.arange(len(at)) >= place, value[place - 1], value)
    high = np.where(
        np.arange(len(at)) % 24 == 13, 2 * value.max(), value
    )  # a new load, which the transducer cannot show
    cut = np.where(np.arange(len(at)) >= place, np.minimum(high, value[:place].max()), value)
    cut[place + 24 : place + 30] = value[:place].max()
    end = int(at[-1])
    return {
        "dead": (replace(what, at_us=at[:place], value=value[:place]), int(at[place - 1]) + 3 * HOUR_US, {Rule.DEAD}),
        "stuck": (replace(what, at_us=at, value=stuck), end, {Rule.STUCK, Rule.CLIPPED}),
        "clipped": (replace(what, at_us=at, value=cut), end, {Rule.CLIPPED, Rule.STUCK}),
    }


def test_what_is_planted_in_real_loads_is_found() -> None:
    rng = np.random.default_rng(9)
    delay_h: dict[str, list[float]] = {"dead": [], "stuck": [], "clipped": []}
    for _, what, _ in buildings():
        if len(what.at_us) < 24 * 430:
            continue
        start = int(rng.integers(24 * 400, min(len(what.at_us), 24 * 900) - 24 * 10))
        begin = int(what.at_us[start - 1])
        for name, (changed, now_us, rules) in planted(what, start).items():
            made = every(seen(changed, unit("kWh"), zero_is_gap=True), Commodity.ELECTRICITY, now_us)
            raised = [f.raised_us for f in made if f.rule in rules and f.raised_us > begin]
            delay_h[name].append((min(raised, default=10**18) - begin) / HOUR_US)
    for name, limit, least in (("dead", 3.0, 0.95), ("stuck", 12.0, 0.95), ("clipped", 48.0, 0.9)):
        assert len(delay_h[name]) >= 15
        assert np.mean(np.array(delay_h[name]) <= limit) >= least, (name, delay_h[name])


def test_holidays_fire_neither_as_waste_nor_as_faults() -> None:
    days = set(off().tolist())
    for one, _, findings in buildings():
        for f in findings:
            day = int(np.datetime64(f.from_us, "us").astype("datetime64[D]").astype(np.int64))
            turn = (f.from_us // DAY_US - 10_957) % 365.25
            if f.rule in {Rule.HOLIDAY, Rule.WEEKEND, Rule.BASE_LOAD}:
                assert day not in days, (one.key.meter, f)
                assert 6 < turn < 353, (one.key.meter, f)


def test_false_alarms_of_waste_stay_within_a_half_a_year() -> None:
    years = sum(len(what.at_us) for _, what, _ in buildings()) / 8766
    wasted = [f for _, _, findings in buildings() for f in findings if f.rule in {Rule.WEEKEND, Rule.BASE_LOAD}]
    assert years > 90
    assert len(wasted) <= 0.5 * years
