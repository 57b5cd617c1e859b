from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from services.weather_effect import WeatherEffect, same_dates
from tests.unit.savings_world import DAY, TEMP_C, World, build_world, heating, since

YEAR = (date(2024, 1, 1), date(2025, 1, 1))


def days(first: date, end: date) -> np.ndarray:
    return np.arange(np.datetime64(first), np.datetime64(end))


def test_each_day_meets_its_date_of_the_former_year() -> None:
    found = same_dates(days(*YEAR), (date(2023, 1, 1), date(2024, 1, 1)), YEAR)
    assert found is not None
    assert len(found) == 366
    assert found[[0, 58, 59, 60, 365]].astype(str).tolist() == [
        "2023-01-01", "2023-02-28", "2023-02-28", "2023-03-01", "2023-12-31"
    ]  # fmt: skip


def test_a_former_leap_year_gives_its_29_february_to_nobody() -> None:
    found = same_dates(days(date(2025, 1, 1), date(2026, 1, 1)), YEAR, (date(2025, 1, 1), date(2026, 1, 1)))
    assert found is not None
    assert np.datetime64("2024-02-29") not in found
    assert len(found) == 365


def test_seasons_over_new_year_meet_too_and_other_spans_do_not() -> None:
    season = (date(2024, 9, 1), date(2025, 6, 1))
    found = same_dates(days(*season), (date(2023, 9, 1), date(2024, 6, 1)), season)
    assert found is not None
    assert (str(found[0]), str(found[-1])) == ("2023-09-01", "2024-05-31")
    assert same_dates(days(*season), (date(2023, 1, 1), date(2024, 1, 1)), season) is None
    assert same_dates(days(*season), (date(2022, 9, 1), date(2024, 6, 1)), season) is None


def of_dates(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.asarray(values[(wanted - DAY[0]).astype(int)])


def truth_kwh(before: tuple[date, date], after: tuple[date, date]) -> float:
    """What the weather made of the made-up school's heating: its slope by the difference of heating temperatures."""
    wanted = days(*after)
    former = same_dates(wanted, before, after)
    assert former is not None
    quiet = np.where((wanted.astype(int) + 3) % 7 >= 5, 0.8, 1.0)
    cold = [np.maximum(15 - of_dates(TEMP_C, d), 0) for d in (wanted, former)]
    return float((55.0 * (cold[0] - cold[1]) * quiet).sum())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    amounts: Mapping[str, np.ndarray] = {
        "same": heating(1),
        "saved": np.where(since("2024-01-01"), 0.8, 1.0) * heating(2),
        "short": np.where(since("2023-07-01"), heating(3), np.nan),
    }
    made = build_world(Path(tmp_path_factory.mktemp("weather")), amounts)
    yield made
    made.close()


FORMER = (date(2023, 1, 1), date(2024, 1, 1))


@pytest.mark.parametrize("key", ["same", "saved"])
def test_the_weathers_part_is_what_the_weather_did_whatever_was_saved(world: World, key: str) -> None:
    point = world.points()[key]
    found = WeatherEffect(baselines=world.baselines())([point], FORMER, YEAR)[key]
    used = float(world.ask.amounts[key][since("2023-01-01", "2024-01-01")].sum())
    assert found is not None
    assert abs(found - truth_kwh(FORMER, YEAR)) < 0.02 * used


def test_a_point_without_a_year_to_learn_from_has_no_part(world: World) -> None:
    points = world.points()
    found = WeatherEffect(baselines=world.baselines())([points["short"], points["same"]], FORMER, YEAR)
    assert found["short"] is None
    assert found["same"] is not None


def test_spans_of_other_months_have_no_part(world: World) -> None:
    point = world.points()["same"]
    found = WeatherEffect(baselines=world.baselines())([point], (date(2022, 3, 1), date(2023, 3, 1)), YEAR)
    assert found == {"same": None}


def test_without_temperatures_the_weathers_part_is_not_known(tmp_path: Path) -> None:
    blind = build_world(tmp_path, {"same": heating(1)}, weather=False)
    found = WeatherEffect(baselines=blind.baselines())([blind.points()["same"]], FORMER, YEAR)
    blind.close()
    assert found == {"same": None}
