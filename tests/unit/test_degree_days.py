import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.degree_days import (
    by_period,
    czech,
    czech_supplied,
    eurostat,
    heating_days,
    to_normal_climate,
)
from config.degree_days import load_normals
from core.errors import ConfigError

temps = st.lists(st.floats(-30, 40, allow_nan=False), min_size=1, max_size=60)


def days(first: str, count: int) -> np.ndarray:
    return np.datetime64(first) + np.arange(count)


def test_a_day_of_four_degrees_has_sixteen_degree_days_to_twenty_and_none_from_thirteen_on() -> None:
    mean = np.array([4.0, 12.9, 13.0, 20.0, np.nan])
    assert czech(mean)[:4].tolist() == pytest.approx([16.0, 7.1, 0.0, 0.0])
    assert czech(mean, indoor_c=19.0)[0] == 15.0
    assert czech(mean, indoor_c=21.0)[0] == 17.0
    assert np.isnan(czech(mean)[4])


def test_eurostat_counts_from_eighteen_on_days_of_fifteen_at_the_most() -> None:
    assert eurostat(np.array([15.0, 15.1, -2.0])).tolist() == [3.0, 0.0, 20.0]
    assert np.isnan(eurostat(np.array([np.nan])))[0]


@given(temps)
def test_every_day_that_counts_in_the_czech_way_counts_at_eurostat_too(values: list[float]) -> None:
    mean = np.array(values)
    assert np.all((czech(mean) > 0) <= (eurostat(mean) > 0))
    assert np.allclose(czech(mean, indoor_c=21) - czech(mean, indoor_c=19), 2.0 * (mean < 13))


def test_heat_is_supplied_after_two_cold_days_and_ends_after_two_warm_ones() -> None:
    mean = np.array([12.0, 14.0, 12.0, 11.0, 12.5, 14.0, 12.0, 14.0, 15.0, 12.0])
    supplied = heating_days(days("2025-10-01", 10), mean)
    assert supplied.tolist() == [False] * 4 + [True] * 5 + [False]


def test_heat_is_not_supplied_outside_of_the_season_however_cold() -> None:
    mean = np.full(10, 5.0)
    assert not heating_days(days("2025-07-01", 10), mean).any()
    assert heating_days(days("2025-05-25", 10), mean).tolist() == [False, False, *[True] * 5, False, False, False]


def test_a_day_that_is_not_known_neither_begins_nor_ends_the_supply() -> None:
    mean = np.array([5.0, np.nan, 5.0, 5.0, 5.0, np.nan, 14.0, 5.0])
    assert heating_days(days("2025-11-01", 8), mean).tolist() == [False] * 4 + [True] * 4
    assert np.isnan(czech_supplied(days("2025-11-01", 8), mean)[5])


def test_many_series_are_answered_at_once_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    many = rng.normal(11, 4, (5, 300))
    dates = days("2024-08-15", 300)
    assert np.array_equal(heating_days(dates, many), np.array([heating_days(dates, one) for one in many]))


def test_a_month_that_lacks_a_day_tells_it_and_has_no_total() -> None:
    dates = days("2025-01-01", 59)
    daily = np.where(dates == np.datetime64("2025-02-03"), np.nan, 10.0)
    edges = np.array(["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"], "M8[D]")
    found = by_period(dates, daily, edges)
    assert found.total[0] == 310.0
    assert np.isnan(found.total[1:]).all()
    assert found.missing_days.tolist() == [0, 1, 31]
    assert found.known.tolist() == [310.0, 270.0, 0.0]


@given(temps)
def test_degree_days_of_months_add_up_to_the_year(values: list[float]) -> None:
    dates = days("2025-01-01", len(values))
    whole = np.array([dates[0], dates[-1] + 1])
    parts = np.array([dates[0], *([dates[1]] if len(dates) > 1 else []), dates[-1] + 1])
    daily = czech(np.array(values))
    assert by_period(dates, daily, parts).total.sum() == pytest.approx(by_period(dates, daily, whole).total[0])


def test_the_heated_part_alone_follows_the_normal_year() -> None:
    fixed, heating = np.array([100.0, 100.0, 100.0]), np.array([300.0, 0.0, 300.0])
    found = to_normal_climate(fixed, heating, np.array([3000.0, 0.0, 0.0]), np.full(3, 4000.0))
    assert found[:2].tolist() == [500.0, 100.0]
    assert np.isnan(found[2])


def test_shipped_normals_are_those_of_the_norm_with_their_source() -> None:
    liberec = next(n for n in load_normals() if n.place == "Liberec" and n.limit_c == 13)
    assert [round(liberec.degree_days(t), 1) for t in (19, 20, 21)] == [3942.4, 4198.4, 4454.4]
    assert "15927" in liberec.provenance.source


def test_an_own_normal_needs_the_next_version(tmp_path: object) -> None:
    file = tmp_path / "normals.toml"  # type: ignore[operator]
    row = '[[normal]]\nplace = "Liberec"\nlimit_c = 13\noutdoor_c = 4.4\ndays = 240\nsource = "ČHMÚ 1991-2020"\n'
    file.write_text(row, "utf-8")
    with pytest.raises(ConfigError, match="version = 2"):
        load_normals(file)
    file.write_text(row + "version = 2\n", "utf-8")
    first = next(n for n in load_normals(file) if n.place == "Liberec" and n.limit_c == 13)
    assert first.days == 240
