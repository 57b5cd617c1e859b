import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.energy_use import group, quarter_of, rank_changes, ranks, specific_use, time_mean

uses = st.lists(st.one_of(st.floats(0, 1e4), st.just(float("nan"))), max_size=40).map(np.array)


def test_use_by_size_needs_a_size_and_enough_of_the_time() -> None:
    found = specific_use(
        np.array([500.0, 500.0, 500.0, 500.0]), np.array([10.0, 0.0, np.nan, 10.0]), np.array([1.0, 1.0, 1.0, 0.89])
    )
    assert found[0] == 50.0
    assert np.isnan(found[1:]).all()


def test_a_size_that_changed_counts_by_the_days_that_it_held() -> None:
    assert time_mean(np.array([100.0, 200.0]), np.array([73.0, 292.0])) == 180.0
    assert time_mean(np.array([np.nan, 200.0]), np.array([73.0, 292.0])) is None
    assert time_mean(np.array([np.nan, 200.0]), np.array([0.0, 365.0])) == 200.0
    assert time_mean(np.array([100.0]), np.array([0.0])) is None


def test_three_buildings_have_a_median_but_no_quartiles() -> None:
    few, enough = group(np.array([1.0, 3.0, 2.0, np.nan])), group(np.array([1.0, 2.0, 3.0, 4.0]))
    assert (few.count, few.few, few.median) == (3, True, 2.0)
    assert np.isnan(few.lower)
    assert (enough.few, enough.lower, enough.median, enough.upper) == (False, 1.75, 2.5, 3.25)
    assert group(np.array([np.nan])).count == 0


@given(uses)
def test_quartiles_part_the_known_and_every_known_one_has_a_rank(values: np.ndarray) -> None:
    found = group(values)
    known = np.isfinite(values)
    assert found.count == known.sum()
    placed = ranks(values)
    assert np.all((placed > 0) == known)
    assert np.all(placed <= known.sum())
    quarters = quarter_of(values, found)
    if found.few:
        assert not quarters.any()
    else:
        assert np.all((quarters > 0) == known)
        assert np.all(values[quarters == 1] <= found.lower)
        assert np.all(values[quarters == 4] > found.upper)


def test_equal_use_shares_the_better_rank() -> None:
    assert ranks(np.array([5.0, 3.0, 3.0, np.nan, 9.0])).tolist() == [3, 1, 1, 0, 4]


def test_ranks_are_compared_among_those_known_in_both_years() -> None:
    now, before, both = rank_changes(np.array([5.0, 1.0, 7.0]), np.array([5.0, np.nan, 3.0]))
    assert both.tolist() == [True, False, True]
    assert now.tolist() == [1, 0, 2]
    assert before.tolist() == [2, 0, 1]
