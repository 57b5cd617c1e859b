"""Wall times of tables meet the instants that they were made from, where clocks change too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import Longs
from ingest.reading_tables_clock import midnights, resolve

PRAGUE = ZoneInfo("Europe/Prague")
ZONES = st.sampled_from([PRAGUE, ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("UTC")])
DAYS = st.sampled_from([date(2024, 3, 31), date(2024, 10, 27), date(2025, 3, 30), date(2025, 10, 26), date(2026, 1, 5)])
STEPS = st.sampled_from([5, 15, 30, 60])
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instants(day: date, days: int, step_min: int, zone: ZoneInfo) -> Longs:
    """Return the ends of the periods of whole local days."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=days)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    step = step_min * 60_000_000
    first, last = ((edge - EPOCH) // timedelta(microseconds=1) for edge in (begin, end))
    return np.arange(first + step, last + step, step, dtype=np.int64)


def walls(us: Longs, zone: ZoneInfo) -> Longs:
    shown = [(EPOCH + timedelta(microseconds=int(u))).astimezone(zone).replace(tzinfo=UTC) for u in us.tolist()]
    return np.array([(w - EPOCH) // timedelta(microseconds=1) for w in shown], np.int64)


def one(us: Longs) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.zeros(len(us), np.int32)


@given(day=DAYS, zone=ZONES, step=STEPS, backwards=st.booleans())
def test_ends_as_the_wall_shows_them_meet_their_instants(
    day: date,
    zone: ZoneInfo,
    step: int,
    backwards: bool,  # noqa: FBT001 - a case
) -> None:
    us = instants(day - timedelta(days=1), 3, step, zone)
    us = us[::-1].copy() if backwards else us
    found = resolve(walls(us, zone), one(us), zone, end_of_us=step * 60_000_000)
    assert not found.gone.any()
    assert (found.us == us).all()
    assert not found.ambiguous.any()


@given(day=DAYS, zone=ZONES, step=STEPS)
def test_ends_counted_from_the_begin_on_the_wall_meet_their_instants(day: date, zone: ZoneInfo, step: int) -> None:
    step_us = step * 60_000_000
    us = instants(day, 1, step, zone)
    found = resolve(walls(us - step_us, zone) + step_us, one(us), zone, end_of_us=step_us)
    assert not found.gone.any()
    assert (found.us == us).all()


@given(day=DAYS, zone=ZONES, step=STEPS)
def test_begins_meet_their_instants(day: date, zone: ZoneInfo, step: int) -> None:
    us = instants(day, 2, step, zone)
    found = resolve(walls(us, zone), one(us), zone)
    assert (found.us == us).all()


def test_meters_in_one_table_are_told_apart_in_the_repeated_hour() -> None:
    us = np.tile(instants(date(2024, 10, 27), 1, 15, PRAGUE), 2)
    series = np.repeat(np.array([0, 1], np.int32), len(us) // 2)
    assert len(us) == 200
    by_time = np.argsort(us, kind="stable")
    for order in (np.arange(len(us)), by_time):
        found = resolve(walls(us[order], PRAGUE), series[order], PRAGUE)
        assert (found.us == us[order]).all()


def test_the_second_run_is_known_where_the_first_is_cut() -> None:
    us = instants(date(2024, 10, 27), 1, 15, PRAGUE)
    kept = np.concatenate([us[:9], us[10:]])  # one quarter-hour of the first run is missing
    assert (resolve(walls(kept, PRAGUE), one(kept), PRAGUE).us == kept).all()


def test_a_lone_time_in_the_repeated_hour_is_ambiguous() -> None:
    us = np.array([(datetime(2024, 10, 27, 2, 30, tzinfo=PRAGUE) - EPOCH) // timedelta(microseconds=1)], np.int64)
    found = resolve(walls(us, PRAGUE), one(us), PRAGUE)
    assert found.ambiguous.tolist() == [True]


@pytest.mark.parametrize("text", ["2024-03-31T02:00", "2024-03-31T02:30"])
def test_a_time_that_clocks_skipped_is_told(text: str) -> None:
    wall = np.array([np.datetime64(text, "us")]).astype(np.int64)
    assert resolve(wall, one(wall), PRAGUE).gone.tolist() == [True]


def test_days_begin_at_local_midnight() -> None:
    found = midnights([date(2024, 7, 1), date(2024, 1, 1), date(2024, 7, 1)], PRAGUE)
    assert found.view("datetime64[us]").astype(str).tolist() == [
        "2024-06-30T22:00:00.000000",
        "2023-12-31T23:00:00.000000",
        "2024-06-30T22:00:00.000000",
    ]
