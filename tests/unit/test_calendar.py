from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calendar import PRAGUE, Period, edges, instant, local, micros, moment, resolve_local, spans, zone
from core.errors import InputError, TimeError

ZONES = ["Europe/Prague", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-05-05", 96)])
def test_a_day_has_its_quarter_hours_when_the_clock_changes(day: str, quarters: int) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=PRAGUE)
    end = start + timedelta(days=1)
    assert len(edges(Period.QUARTER_HOUR, instant(start), instant(end))) - 1 == quarters
    assert len(edges(Period.HOUR, instant(start), instant(end))) - 1 == quarters // 4


@settings(max_examples=40, deadline=None)
@given(start=MOMENTS, days=st.floats(0.01, 800), period=st.sampled_from(list(Period)), name=st.sampled_from(ZONES))
def test_periods_cover_a_span_without_hole_or_overlap(start: datetime, days: float, period: Period, name: str) -> None:
    if period in {Period.QUARTER_HOUR, Period.HOUR}:
        days = min(days, 40)
    first, last = instant(start), instant(start + timedelta(days=days))
    grid = edges(period, first, last, ZoneInfo(name))
    assert grid[0] <= first < grid[1]
    assert grid[-2] < last <= grid[-1]
    assert (np.diff(grid) > np.timedelta64(0, "us")).all()


@settings(max_examples=15, deadline=None)
@given(start=MOMENTS, name=st.sampled_from(ZONES))
def test_longer_periods_begin_where_shorter_ones_do(start: datetime, name: str) -> None:
    first, last = instant(start), instant(start + timedelta(days=400))
    days = edges(Period.DAY, first - np.timedelta64(900, "D"), last + np.timedelta64(900, "D"), ZoneInfo(name))
    for period in (Period.WEEK, Period.MONTH, Period.QUARTER, Period.HALF_YEAR, Period.YEAR, Period.SCHOOL_YEAR):
        assert np.isin(edges(period, first, last, ZoneInfo(name)), days).all()


def test_seasons_and_school_years_begin_in_september() -> None:
    start, end = instant(datetime(2025, 1, 1, tzinfo=PRAGUE)), instant(datetime(2026, 1, 1, tzinfo=PRAGUE))
    begins, ends = spans(Period.HEATING_SEASON, start, end)
    assert [moment(b).astimezone(PRAGUE).date() for b in begins] == [date(2024, 9, 1), date(2025, 9, 1)]
    assert [moment(e).astimezone(PRAGUE).date() for e in ends] == [date(2025, 6, 1), date(2026, 6, 1)]
    assert len(edges(Period.SCHOOL_YEAR, start, end)) == 3


def test_a_summer_is_in_no_heating_season() -> None:
    start, end = instant(datetime(2025, 7, 1, tzinfo=PRAGUE)), instant(datetime(2025, 8, 1, tzinfo=PRAGUE))
    assert len(spans(Period.HEATING_SEASON, start, end)[0]) == 0


def test_a_repeated_hour_is_resolved_by_order_of_arrival() -> None:
    wall = np.array([f"2026-10-25T{t}" for t in ("01:45", "02:00", "02:45", "02:00", "02:45", "03:00")], "M8[us]")
    found, unsure, gone = resolve_local(wall, PRAGUE)
    assert (np.diff(micros(found)) > 0).all()
    assert not unsure.any()
    assert not gone.any()


def test_a_repeated_hour_is_flagged_when_nothing_came_before() -> None:
    found, unsure, _ = resolve_local(np.array(["2026-10-25T02:30"], "M8[us]"), PRAGUE)
    assert unsure.all()
    assert found[0] == np.datetime64("2026-10-25T00:30")
    known, sure, _ = resolve_local(np.array(["2026-10-25T02:30"], "M8[us]"), PRAGUE, after=found[0])
    assert known[0] == np.datetime64("2026-10-25T01:30")
    assert not sure.any()


def test_a_skipped_hour_is_no_instant() -> None:
    found, _, gone = resolve_local(np.array(["2026-03-29T02:30", "2026-03-29T03:30"], "M8[us]"), PRAGUE)
    assert gone.tolist() == [True, False]
    assert np.isnat(found[0])
    assert found[1] == np.datetime64("2026-03-29T01:30")


@given(MOMENTS, st.sampled_from(ZONES))
def test_local_time_comes_back_when_it_is_not_repeated(at: datetime, name: str) -> None:
    tz = ZoneInfo(name)
    wall = local(np.array([instant(at)]), tz)
    found, _, gone = resolve_local(wall, tz, after=instant(at - timedelta(minutes=1)))
    assert not gone.any()
    assert local(found, tz)[0] == wall[0]


def test_a_naive_instant_is_refused_with_the_remedy() -> None:
    with pytest.raises(TimeError, match="no offset; write it as"):
        instant(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="Prag"):
        zone("Europe/Prag")


def test_an_empty_span_has_no_period() -> None:
    at = np.datetime64("2026-01-01", "us")
    assert len(edges(Period.DAY, at, at)) == 1
