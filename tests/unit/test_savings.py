"""Savings of measures where the truth is known: right or unknown, shared to the last billionth, never twice."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.sharing import split, together, weights
from core.registry import Adjustment, AdjustmentKind, Commodity, Measure
from services.savings import Savings, Share
from tests.unit.savings_world import DAY, LAST, World, build_world, gas_point, heating, since

COAT = Measure(
    id="coat", name="Zateplení", points=("gas",), effective=date(2025, 1, 1), expected_saving=20, expected_unit="MWh"
)


def saved(share: Share) -> float:
    return share.months[-1].so_far_nano / 1e9


def told(world: World, *measures: Measure, last: date = LAST) -> dict[tuple[str, str], Share]:
    shares = Savings(world.baselines()).shares(world.points(), measures, last)
    return {(one.measure, one.point): one for one in shares}


def planted(tmp_path: Path, factor: float, seed: int = 5) -> tuple[World, float]:
    use = heating(seed)
    after = since("2025-01-01")
    actual = np.where(after, use * factor, use)
    world = build_world(tmp_path, {"gas": actual})
    return world, float((use - actual)[after].sum())


@pytest.mark.parametrize("factor", [1.0, 0.95, 0.9, 0.8])
def test_a_planted_saving_comes_back_within_its_interval_and_none_is_not_significant(
    tmp_path: Path, factor: float
) -> None:
    world, truth = planted(tmp_path, factor)
    share = told(world, COAT)["coat", "gas"]
    assert share.known, share.reasons
    last = share.months[-1]
    assert abs(saved(share) - truth) <= last.so_far_half90
    if factor in {1.0, 0.8}:  # between them chance decides
        assert (abs(saved(share)) > last.so_far_half90) == (factor < 1)
    assert last.so_far_half68 < last.so_far_half90
    assert share.trained == (date(2024, 1, 2), date(2024, 12, 31))
    assert [m.month for m in share.months][:2] == [date(2025, 1, 1), date(2025, 2, 1)]
    assert share.months[-1].month == date(2026, 6, 1)
    world.close()


def test_months_add_up_to_the_cumulative_saving_exactly(tmp_path: Path) -> None:
    world, _ = planted(tmp_path, 0.9)
    months = told(world, COAT)["coat", "gas"].months
    assert [m.so_far_nano for m in months] == np.cumsum([m.saving_nano for m in months]).tolist()
    for month in months:
        assert month.saving_nano / 1e9 == pytest.approx(month.baseline - month.actual, abs=1e-8)
        assert (month.days, month.of_days) == (month.of_days, month.of_days)
    world.close()


def test_nothing_is_fitted_again_that_has_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = planted(tmp_path, 0.9)
    first = told(world, COAT)
    fitted: list[int] = []

    def counted(*_: object) -> object:
        fitted.append(1)
        raise AssertionError("fitted again")

    monkeypatch.setattr("services.baselines.fit", counted)
    assert told(world, COAT) == first
    assert len(told(world, COAT, last=date(2026, 5, 31))["coat", "gas"].months) == 17
    assert fitted == []
    world.ask.amounts["gas"][np.datetime64("2024-06-01") == DAY] += 1.0  # type: ignore[index]  # a dict in truth
    with pytest.raises(AssertionError, match="fitted again"):
        told(world, COAT)
    world.close()


# Sharing


def test_measures_on_a_point_share_what_it_saves_as_expected_to_the_last_billionth(tmp_path: Path) -> None:
    world, _ = planted(tmp_path, 0.8)
    other = replace(COAT, id="valves", effective=date(2025, 7, 10), expected_saving=10)
    alone = told(world, COAT)["coat", "gas"]
    both = told(world, COAT, other)
    coat, valves = both["coat", "gas"], both["valves", "gas"]
    of_coat = {m.month: m.saving_nano for m in coat.months}
    of_valves = {m.month: m.saving_nano for m in valves.months}
    assert of_valves.keys() == {m for m in of_coat if m >= date(2025, 7, 1)}
    for month in alone.months:
        shared = of_coat[month.month] + of_valves.get(month.month, 0)
        assert abs(shared - month.saving_nano) <= (1 if month.month == date(2025, 7, 1) else 0)
    later = [m for m in of_valves if m > date(2025, 7, 1)]
    assert [round(of_coat[m] / of_valves[m], 6) for m in later] == [2.0] * len(later)
    assert (coat.sharing, valves.sharing) == (("valves",), ("coat",))
    assert valves.months[0].days == 22
    world.close()


@given(
    total=st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=5),
    expected=st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=1, max_size=6),
)
def test_shares_sum_to_the_whole_exactly_and_keep_near_their_weight(
    total: list[int], expected: list[float | None]
) -> None:
    share = weights(expected)
    parts = split(np.array(total), share)
    assert share.sum() == pytest.approx(1.0)
    assert (share >= 0).all()
    assert parts.sum(axis=0).tolist() == total
    assert np.abs(parts - share[:, None] * np.array(total)).max() <= 1 + 1e-9 * np.abs(total).max()


@given(half=st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_an_interval_of_a_sum_lies_between_independent_and_common_errors(half: list[float]) -> None:
    wide = together(np.array(half)[:, None])[0]
    assert np.sqrt(np.sum(np.square(half))) - 1e-6 <= wide <= np.sum(half) + 1e-6


# Unknown


def test_a_baseline_of_half_a_year_is_unknown_with_the_reason(tmp_path: Path) -> None:
    use = np.where(since("2024-07-01"), heating(5), np.nan)
    share = told(build_world(tmp_path, {"gas": use}), COAT)["coat", "gas"]
    assert share.months == ()
    assert [r.code for r in share.reasons] == ["missing_training"]


def test_a_longer_window_serves_where_the_last_year_is_not_enough(tmp_path: Path) -> None:
    use = np.where(since("2024-06-01", "2024-07-25"), np.nan, heating(5))
    share = told(build_world(tmp_path, {"gas": use}), COAT)["coat", "gas"]
    assert share.known, share.reasons
    assert share.trained == (date(2023, 7, 3), date(2024, 12, 31))


def test_without_temperature_heating_is_unknown(tmp_path: Path) -> None:
    share = told(build_world(tmp_path, {"gas": heating(5)}, weather=False), COAT)["coat", "gas"]
    assert share.months == ()
    assert share.reasons[0].code in {"missing_temperature", "no_temperature_heating"}


def test_too_little_actual_consumption_known_is_unknown(tmp_path: Path) -> None:
    use = np.where(since("2025-02-01", "2026-02-01"), np.nan, heating(5))
    share = told(build_world(tmp_path, {"gas": use}), COAT)["coat", "gas"]
    assert share.months == ()
    assert [r.code for r in share.reasons] == ["missing_predict"]


def test_a_measure_whose_training_holds_another_shares_from_before_both_or_is_unknown(tmp_path: Path) -> None:
    use = np.where(since("2024-03-01"), heating(5) * 0.8, heating(5))
    first = replace(COAT, id="first", effective=date(2024, 3, 1))
    second = replace(COAT, id="second", effective=date(2024, 9, 1))
    both = told(build_world(tmp_path / "a", {"gas": use}), first, second)
    assert both["first", "gas"].known
    assert both["second", "gas"].sharing == ("first",)
    short = np.where(since("2024-02-01"), use, np.nan)
    unknown = told(build_world(tmp_path / "b", {"gas": short}), first, second)
    assert [r.code for r in unknown["first", "gas"].reasons] == ["missing_training"]
    assert [r.code for r in unknown["second", "gas"].reasons] == ["measure_in_training"]


def test_generation_and_a_measure_of_tomorrow_are_unknown(tmp_path: Path) -> None:
    plant = gas_point("pv", Commodity.PV)
    world = build_world(tmp_path, {"gas": heating(5), "pv": heating(6)}, plant)
    roof = replace(COAT, id="roof", points=("pv",))
    later = replace(COAT, id="later", effective=date(2026, 7, 1))
    shares = told(world, roof, later)
    assert [r.code for r in shares["roof", "pv"].reasons] == ["generation"]
    assert [r.code for r in shares["later", "gas"].reasons] == ["not_yet"]


def test_a_measure_far_ahead_is_not_yet_and_one_that_ended_saves_no_more(tmp_path: Path) -> None:
    use = np.where(since("2025-01-01", "2025-10-01"), heating(5) * 0.75, heating(5))
    ended = replace(COAT, ended=date(2025, 10, 1))
    ahead = replace(COAT, id="ahead", effective=date(2027, 1, 1))
    shares = told(build_world(tmp_path, {"gas": use}), ended, ahead)
    assert [m.month for m in shares["coat", "gas"].months] == [date(2025, month, 1) for month in range(1, 10)]
    assert [r.code for r in shares["ahead", "gas"].reasons] == ["not_yet"]
    assert shares["coat", "gas"].sharing == ()


# Works and adjustments


def test_days_of_works_count_for_nothing(tmp_path: Path) -> None:
    use = heating(5)
    actual = np.where(since("2025-03-01"), use * 0.8, use)
    actual = np.where(since("2025-01-01", "2025-03-01"), 0.0, actual)
    works = replace(COAT, works_from=date(2025, 1, 1), effective=date(2025, 3, 1))
    share = told(build_world(tmp_path, {"gas": actual}), works)["coat", "gas"]
    assert share.known, share.reasons
    assert share.months[0].month == date(2025, 3, 1)
    truth = float((use - actual)[since("2025-03-01")].sum())
    assert abs(saved(share) - truth) <= share.months[-1].so_far_half90


@pytest.mark.parametrize(
    ("adjustment", "changed"),
    [({"factor": 1.5}, lambda u: u * 1.5), ({"per_day": 200.0}, lambda u: u + 200.0)],
)
def test_a_logged_event_is_no_loss_of_the_measure(
    tmp_path: Path, adjustment: dict[str, float], changed: object
) -> None:
    use = heating(5)
    truth_use = np.where(since("2025-05-01"), changed(use), use)
    actual = np.where(since("2025-01-01"), truth_use * 0.85, truth_use)
    event = Adjustment(
        id="a", point="gas", since=date(2025, 5, 1), kind=AdjustmentKind.AREA, reason="přístavba", **adjustment
    )
    world = build_world(tmp_path, {"gas": actual}, event)
    share = told(world, COAT)["coat", "gas"]
    assert share.known, share.reasons
    after = since("2025-01-01")
    assert abs(saved(share) - float((truth_use - actual)[after].sum())) <= share.months[-1].so_far_half90
    assert saved(share) > 0.5 * float((truth_use - actual)[after].sum())


def test_an_event_in_training_is_taken_out_of_the_baseline(tmp_path: Path) -> None:
    use = heating(5)
    actual = np.where(since("2024-02-01", "2024-06-01"), use + 300.0, use)
    actual = np.where(since("2025-01-01"), actual * 0.9, actual)
    event = Adjustment(
        id="a",
        point="gas",
        since=date(2024, 2, 1),
        until=date(2024, 6, 1),
        kind=AdjustmentKind.USE,
        reason="ubytování",
        per_day=300.0,
    )
    share = told(build_world(tmp_path, {"gas": actual}, event), COAT)["coat", "gas"]
    assert share.known, share.reasons
    truth = float((use - actual)[since("2025-01-01")].sum())
    assert abs(saved(share) - truth) <= share.months[-1].so_far_half90


def test_a_closure_leaves_its_days_out(tmp_path: Path) -> None:
    use = heating(5)
    actual = np.where(since("2025-01-01"), use * 0.9, use)
    actual = np.where(since("2025-04-01", "2025-05-01"), 3.0, actual)
    event = Adjustment(
        id="a",
        point="gas",
        since=date(2025, 4, 1),
        until=date(2025, 5, 1),
        kind=AdjustmentKind.CLOSURE,
        reason="karanténa",
    )
    share = told(build_world(tmp_path, {"gas": actual}, event), COAT)["coat", "gas"]
    assert share.known, share.reasons
    assert date(2025, 4, 1) not in {m.month for m in share.months}
