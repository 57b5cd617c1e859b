from datetime import UTC, date, datetime

import numpy as np
import pytest

from core.registry import BuildingKind
from simulators.noise import normal, seed_of, uniform
from simulators.occupancy import is_open, year_occupancy
from simulators.school_year import District, public_holidays, school_holidays, spring_week
from simulators.weather import air, hours_of_year, irradiance_w_m2, year_weather


def test_noise_is_the_same_for_a_slice_and_for_the_whole() -> None:
    index = np.arange(10_000)
    assert np.array_equal(uniform(5, index)[3000:3010], uniform(5, index[3000:3010]))
    assert not np.array_equal(uniform(5, index), uniform(6, index))
    assert abs(uniform(5, index).mean() - 0.5) < 0.02
    assert abs(normal(5, index).std() - 1) < 0.03


def test_seeds_of_unlike_names_differ() -> None:
    assert seed_of("a", "bc") != seed_of("ab", "c")


def test_weather_is_that_of_liberec_in_every_year() -> None:
    for year in (2023, 2024, 2025, 2026):
        weather = year_weather(7, year)
        months = hours_of_year(year).astype("datetime64[M]").astype(int) % 12
        assert 6.5 < weather.temp_c.mean() < 9.5
        assert weather.temp_c[months == 0].mean() < 3
        assert 15 < weather.temp_c[months == 6].mean() < 21
        assert 950 < weather.sun_w_m2.sum() / 1000 < 1200


def test_a_heavy_building_feels_less_change_than_the_air_has() -> None:
    weather = year_weather(7, 2025)
    assert np.abs(np.diff(weather.felt_c)).max() < np.abs(np.diff(weather.temp_c)).max() / 3
    assert abs(weather.felt_c.mean() - weather.temp_c.mean()) < 0.2


def test_weather_goes_on_over_new_year() -> None:
    at, temp_c = air(7, datetime(2024, 12, 31, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC))
    assert len(at) == 48
    assert np.abs(np.diff(temp_c)).max() < 4


def test_the_sun_does_not_shine_at_night() -> None:
    hours = np.arange("2025-06-21", "2025-06-22", dtype="datetime64[h]").astype("datetime64[us]")
    sun = irradiance_w_m2(7, hours)
    assert sun[0] == 0
    assert sun[11] > 100


@pytest.mark.parametrize(
    ("year", "monday"),
    [(2015, date(2015, 2, 2)), (2023, date(2023, 2, 20)), (2025, date(2025, 3, 3)), (2026, date(2026, 3, 9))],
)
def test_spring_week_is_the_published_one(year: int, monday: date) -> None:
    assert spring_week(year, District.CESKA_LIPA)[0] == monday


def test_school_holidays_are_those_of_the_ministry() -> None:
    days = school_holidays(2025, District.LIBEREC)
    assert {date(2025, 1, 2), date(2025, 1, 31), date(2025, 4, 17), date(2025, 10, 27), date(2025, 12, 22)} <= days
    assert date(2025, 9, 1) not in days
    assert date(2025, 7, 15) in days
    assert all(school_holidays(year, d) for year in range(2022, 2029) for d in District)


def test_public_holidays_are_the_czech_ones() -> None:
    assert {date(2026, 7, 6), date(2026, 9, 28), date(2026, 4, 3), date(2026, 4, 6)} <= public_holidays(2026)


def test_kinds_of_buildings_keep_their_own_days() -> None:
    monday, holiday, saturday = date(2025, 5, 12), date(2025, 5, 8), date(2025, 5, 10)
    assert not is_open(BuildingKind.MUSEUM, monday, District.LIBEREC)
    assert is_open(BuildingKind.MUSEUM, saturday, District.LIBEREC)
    assert not is_open(BuildingKind.OFFICE, holiday, District.LIBEREC)
    assert is_open(BuildingKind.CARE_HOME, holiday, District.LIBEREC)
    assert is_open(BuildingKind.SCHOOL, monday, District.LIBEREC)
    assert not is_open(BuildingKind.SCHOOL, date(2025, 3, 5), District.LIBEREC)


def test_a_school_opens_by_the_local_clock_before_and_after_its_change() -> None:
    use = year_occupancy(BuildingKind.SCHOOL, District.LIBEREC, 2025)
    at = hours_of_year(2025)
    for day, utc in (("2025-03-28T07", 7), ("2025-03-31T06", 6)):
        place = int(np.searchsorted(at, np.datetime64(day)))
        assert use.hour[place] == 8, utc
        assert use.share[place] == 1.0
