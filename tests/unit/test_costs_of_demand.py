from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.cost_demand import Advice, Booked, NoAdvice, advise, charges
from config.tariffs import load_tariffs
from core.dated_tables import Validity
from core.tariffs import Connection, MeasuredRule, ReservedRule

TARIFFS = load_tariffs()
ALL = Validity(since=date(2000, 1, 1))
VN = Connection(id="c", distributor="ČEZ Distribuce", level="VN", valid=ALL)
OF_2025, OF_2026 = (TARIFFS.rule(VN, date(y, 5, 1)) for y in (2025, 2026))
OF_2027 = TARIFFS.rule(VN, date(2027, 1, 1))
WHOLE = np.ones(12, bool)
peaks = st.lists(st.floats(1, 500), min_size=12, max_size=12)


def booked(yearly: float, monthly: float = 0.0, input_kw: float = np.nan, n: int = 12) -> Booked:
    return Booked(yearly_kw=np.full(n, yearly), monthly_kw=np.full(n, monthly), input_kw=np.full(n, input_kw))


def test_capacity_and_breach_of_2026_cost_what_the_price_decision_says() -> None:
    assert isinstance(OF_2026, ReservedRule)
    found = charges(np.array([90.0, 70.0]), booked(80.0, 5.0, n=2), OF_2026)
    assert found.breach_kw.tolist() == [5.0, 0.0]
    assert found.capacity_czk.tolist() == pytest.approx([80 * 252.565 + 5 * 281.823] * 2)
    assert found.breach_czk.tolist() == pytest.approx([5 * 1.5 * 281.823, 0.0])
    assert OF_2026.breach_czk_kw == pytest.approx(422.73, abs=0.01)


def test_of_two_breaches_at_a_point_the_higher_alone_is_charged() -> None:
    assert isinstance(OF_2026, ReservedRule)
    found = charges(np.array([120.0, 101.0]), booked(80.0, 0.0, 100.0, n=2), OF_2026)
    of_capacity = np.array([40.0, 21.0]) * 422.7345
    of_input = np.array([20.0, 1.0]) * 1127.292
    assert found.breach_czk.tolist() == pytest.approx(np.maximum(of_capacity, of_input).tolist())


def test_a_breach_of_2025_has_kilowatts_but_no_price() -> None:
    assert isinstance(OF_2025, ReservedRule)
    found = charges(np.array([90.0, 70.0]), booked(80.0, n=2), OF_2025)
    assert found.breach_kw.tolist() == [10.0, 0.0]
    assert np.isnan(found.breach_czk[0])
    assert found.breach_czk[1] == 0.0
    assert found.capacity_czk.tolist() == pytest.approx([80 * 237.309] * 2)


def test_2027_charges_the_cheaper_plan_of_each_month() -> None:
    assert isinstance(OF_2027, MeasuredRule)
    found = charges(np.array([90.0, 10.0, 110.0]), booked(0.0, 0.0, 100.0, n=3), OF_2027)
    first = np.array([100 * 190.133 + p * 19.013 for p in (90, 10, 110)])
    second = np.array([100 * 22.743 + p * 227.429 for p in (90, 10, 110)])
    assert found.capacity_czk.tolist() == pytest.approx(np.minimum(first, second).tolist())
    assert found.plan == ("T1", "T2", "T1")
    assert found.breach_czk.tolist() == pytest.approx([0.0, 0.0, 7610.0])


def test_a_distributor_or_level_that_is_not_in_the_table_has_no_rule() -> None:
    assert TARIFFS.rule(replace(VN, distributor="EG.D"), date(2026, 1, 1)) is None
    assert TARIFFS.rule(replace(VN, level="NN"), date(2026, 1, 1)) is None
    assert TARIFFS.rule(VN, date(2024, 1, 1)) is None
    assert TARIFFS.rule(VN, date(2028, 1, 1)) is None
    assert TARIFFS.rule(None, date(2026, 1, 1)) is None


def test_months_that_all_peak_alike_want_a_yearly_capacity() -> None:
    assert isinstance(OF_2026, ReservedRule)
    found = advise(np.full(12, 100.0), booked(120.0), OF_2026, whole=WHOLE)
    assert isinstance(found, Advice)
    assert (found.yearly_kw, set(found.monthly_kw)) == (100.0, {0.0})
    assert found.saving_czk == pytest.approx(20 * 12 * 252.565)
    assert not found.at_least


def test_one_high_month_is_booked_for_itself() -> None:
    assert isinstance(OF_2026, ReservedRule)
    peak = np.r_[np.full(11, 50.0), 100.0]
    found = advise(peak, booked(100.0), OF_2026, whole=WHOLE)
    assert isinstance(found, Advice)
    assert found.yearly_kw == 50.0
    assert found.monthly_kw == (*[0.0] * 11, 50.0)
    assert found.cost_czk == pytest.approx(12 * 50 * 252.565 + 50 * 281.823)


@given(peaks)
def test_no_capacity_tried_otherwise_is_cheaper(values: list[float]) -> None:
    assert isinstance(OF_2026, ReservedRule)
    peak = np.array(values)
    found = advise(peak, booked(float(peak.max())), OF_2026, whole=WHOLE)
    assert isinstance(found, Advice)
    tries = np.linspace(0, peak.max() * 1.1, 60)
    for yearly in tries:
        rest = np.clip(peak - yearly, 0, None)
        for monthly in (rest, np.zeros(12), rest / 2):
            trial = Booked(yearly_kw=np.full(12, yearly), monthly_kw=monthly, input_kw=np.full(12, np.nan))
            assert found.cost_czk <= charges(peak, trial, OF_2026).total_czk.sum() + 1e-6
    assert found.saving_czk is not None
    assert found.saving_czk >= -1e-6


@given(peaks)
def test_no_input_power_tried_otherwise_is_cheaper_in_2027(values: list[float]) -> None:
    assert isinstance(OF_2027, MeasuredRule)
    peak = np.array(values)
    found = advise(peak, booked(0.0, 0.0, float(peak.max())), OF_2027, whole=WHOLE)
    assert isinstance(found, Advice)
    assert found.input_kw is not None
    for input_kw in np.linspace(0, peak.max() * 1.5, 200):
        trial = charges(peak, booked(0.0, 0.0, float(input_kw)), OF_2027).total_czk.sum()
        assert found.cost_czk <= trial + 1e-6


def test_advice_never_exceeds_the_reserved_input_power() -> None:
    assert isinstance(OF_2026, ReservedRule)
    found = advise(np.full(12, 100.0), booked(80.0, 0.0, 90.0), OF_2026, whole=WHOLE)
    assert isinstance(found, Advice)
    assert found.yearly_kw == 90.0
    assert found.breach_czk == pytest.approx(12 * 10 * 1127.292)


def test_a_margin_plans_for_higher_peaks_and_gaps_are_told() -> None:
    assert isinstance(OF_2026, ReservedRule)
    found = advise(np.full(12, 100.0), booked(100.0), OF_2026, whole=np.r_[False, WHOLE[1:]], margin=0.1)
    assert isinstance(found, Advice)
    assert found.yearly_kw == pytest.approx(110.0)
    assert found.at_least


@pytest.mark.parametrize("yearly_only", [True, False])
def test_without_a_peak_or_price_there_is_no_advice(*, yearly_only: bool) -> None:
    assert isinstance(OF_2026, ReservedRule)
    assert isinstance(OF_2025, ReservedRule)
    gap = np.r_[np.nan, np.full(11, 80.0)]
    assert advise(gap, booked(80.0), OF_2026, whole=WHOLE, yearly_only=yearly_only) == NoAdvice(reason="peaks_missing")
    assert advise(np.full(11, 80.0), booked(80.0), OF_2026, whole=WHOLE) == NoAdvice(reason="peaks_missing")
    assert advise(np.full(12, 80.0), booked(80.0), OF_2025, whole=WHOLE) == NoAdvice(reason="prices_missing")


def test_a_yearly_capacity_alone_bears_breaches_where_they_are_cheaper() -> None:
    assert isinstance(OF_2026, ReservedRule)
    peak = np.r_[np.full(10, 50.0), 60.0, 100.0]
    found = advise(peak, booked(100.0), OF_2026, whole=WHOLE, yearly_only=True)
    assert isinstance(found, Advice)
    costs = {y: charges(peak, booked(y), OF_2026).total_czk.sum() for y in (0.0, 50.0, 60.0, 100.0)}
    assert found.cost_czk == pytest.approx(min(costs.values()))
    assert set(found.monthly_kw) == {0.0}
    assert all(found.cost_czk <= c + 1e-9 for c, _ in product(costs.values(), [0]))
