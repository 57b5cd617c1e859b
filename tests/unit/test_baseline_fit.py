"""Baselines: what is planted in made-up buildings comes back; what cannot be told is named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.baseline.cleaning import Commodity, run_lengths, stuck
from analytics.baseline.days import Bools, Days, Floats, Weather, festive_days, plain_days
from analytics.baseline.fit import Fits, fit
from analytics.baseline.key import content_keys
from analytics.baseline.model import Model, line, predict
from analytics.baseline.placebo import GRID, Calibration, Scores, expected_error
from analytics.baseline.saving import month_spans, savings
from analytics.baseline.sufficiency import sufficiency

YEAR = 365
FIRST, LAST = np.datetime64("2018-01-01"), np.datetime64("2019-12-31")


def days() -> Days:
    plain = plain_days(FIRST, LAST)
    return replace(plain, festive=festive_days(plain.day))


def climate(seed: int = 1) -> Floats:
    season = -np.cos(2 * np.pi * (np.arange(2 * YEAR) - 20) / YEAR)
    return np.asarray(10 + 10 * season + np.random.default_rng(seed).normal(0, 3, 2 * YEAR))


def weather(temp_c: Floats, meters: int = 1) -> Weather:
    return Weather(temp_c=temp_c[None, :], station=np.zeros(meters, np.int64))


def building(temp_c: Floats, *, slope: float = 6.0, noise: float = 0.04, seed: int = 2) -> Floats:
    free = days().free
    energy = 100 + 40 * ~free + slope * np.maximum(15 - temp_c, 0)
    return np.asarray(energy * np.exp(np.random.default_rng(seed).normal(0, noise, len(energy))))


TRAIN = np.arange(2 * YEAR) < YEAR
PREDICT = ~TRAIN


def fitted(energy: Floats, commodity: Commodity = Commodity.ELECTRICITY, temp_c: Floats | None = None) -> Fits:
    rows = np.atleast_2d(energy)
    known = climate() if temp_c is None else temp_c
    return fit(rows, days(), TRAIN, commodity, weather(known, len(rows)))


def codes(fits: Fits, predict: Bools = PREDICT) -> list[str]:
    judged = sufficiency(fits, predict)
    return [reason.code for reason in (*judged.training[0], *judged.predict[0])]


def table() -> Calibration:
    row = Scores(
        days=365, quantiles=tuple((2 * GRID).tolist()), meters=20, placebos=100, coverage68=0.68, coverage90=0.9
    )
    kinds = dict.fromkeys(("electricity", "electricity_calendar", "heating", "water"), (row,))
    return Calibration(made_on="2026-01-01", model_version="1", data="made up", kinds=kinds)


def test_a_building_of_weather_and_weekday_is_foretold_within_its_noise() -> None:
    fits = fitted(building(climate()))
    off = (fits.energy - fits.predicted)[0, YEAR:] / fits.mean[0]
    assert np.sqrt((off**2).mean()) < 0.06
    assert abs(off.mean()) < 0.01
    assert codes(fits) == []


def test_heating_is_told_from_the_week() -> None:
    model = fitted(building(climate(), noise=0.02)).models[0]
    grid = np.array([-5.0, 5.0, 20.0])
    lines = line(model, days(), climate(), grid)
    assert lines["workday"] - lines["sunday"] == pytest.approx(40, abs=8)
    assert (lines["workday"][0] - lines["workday"][1]) / 10 == pytest.approx(6, rel=0.12)
    assert lines["workday"][2] == pytest.approx(140, rel=0.05)


def test_meters_fitted_together_are_as_fitted_alone() -> None:
    rows = np.stack([building(climate(), slope=s, seed=n) for n, s in enumerate((0.0, 3.0, 9.0))])
    together = fitted(rows)
    for number, row in enumerate(rows):
        np.testing.assert_allclose(together.predicted[number], fitted(row).predicted[0], rtol=1e-6)


def test_each_station_has_its_own_weather() -> None:
    near, far = climate(1), climate(9) - 6
    rows = np.stack([building(far), building(near), building(far)])
    both = Weather(temp_c=np.stack([near, far]), station=np.array([1, 0, 1]))
    fits = fit(rows, days(), TRAIN, Commodity.GAS, both)
    alone = fit(rows[:1], days(), TRAIN, Commodity.GAS, weather(far))
    np.testing.assert_allclose(fits.predicted[0], alone.predicted[0], rtol=1e-6)
    assert np.abs(fits.energy - fits.predicted)[:, YEAR:].mean() < 0.06 * fits.mean.mean()


@pytest.fixture(scope="module")
def in_kwh() -> tuple[Floats, Floats]:
    energy = building(climate())
    return energy, fitted(energy).predicted


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(1e-3, 1e6))
def test_the_unit_of_energy_does_not_matter(in_kwh: tuple[Floats, Floats], factor: float) -> None:
    energy, predicted = in_kwh
    np.testing.assert_allclose(fitted(energy * factor).predicted, predicted * factor, rtol=1e-6)


def test_days_after_training_change_no_model() -> None:
    energy = building(climate())
    changed = np.where(TRAIN, energy, energy * 3 + 7)
    assert fitted(energy).models == fitted(changed).models


def test_a_stored_model_foretells_the_same_without_the_data() -> None:
    fits = fitted(building(climate()), Commodity.GAS)
    kept = Model.from_json(fits.models[0].to_json())
    assert kept == fits.models[0]
    np.testing.assert_allclose(predict([kept], days(), climate())[0, YEAR:], fits.predicted[0, YEAR:], rtol=1e-9)


def test_operating_modes_explain_what_temperature_does_not() -> None:
    plain = days()
    month = plain.day.astype("datetime64[M]").astype(int) % 12
    shut = (month == 6) | (month == 7)
    energy = np.where(shut, 0.4, 1.0) * building(climate(), slope=0.0)
    modes = replace(plain, modes={"summer": shut})
    told = fit(energy[None, :], modes, TRAIN, Commodity.ELECTRICITY, weather(climate()))
    off = np.abs(told.energy - told.predicted)[0, YEAR:] / told.mean[0]
    assert off.mean() < 0.05
    for part in told.models[0].parts:
        slopes = [v for k, v in part.coefficients.items() if k.startswith(("heating", "cooling"))]
        assert all(abs(v) < 0.12 * told.mean[0] for v in slopes)


@pytest.mark.parametrize("saved", [0.0, 0.05, 0.1, 0.2])
def test_a_planted_saving_comes_back(saved: float) -> None:
    energy = np.where(TRAIN, 1.0, 1 - saved) * building(climate())
    made = savings(fitted(energy), PREDICT[None, :], table())
    low, high = made.interval(90)[0, 0]
    truth = saved / (1 - saved) * made.actual[0, 0]
    assert low <= truth <= high
    assert made.significant[0, 0] == (saved >= 0.1)


def test_an_erratic_meter_gets_a_wider_interval() -> None:
    steady = building(climate(), noise=0.02)
    walk = np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.03, 2 * YEAR)))
    errors = expected_error(fitted(np.stack([steady, steady * walk])))
    assert errors[1] > 1.5 * errors[0]


def test_months_add_up_to_the_span() -> None:
    fits = fitted(building(climate()))
    months, each, running = month_spans(fits.days.day, PREDICT)
    parts, whole, cumulative = (savings(fits, spans, table()) for spans in (each, PREDICT[None, :], running))
    assert len(months) == 12
    assert parts.saving.sum() == pytest.approx(whole.saving[0, 0])
    assert cumulative.saving[0, -1] == pytest.approx(whole.saving[0, 0])
    assert cumulative.half90[0, -1] == pytest.approx(whole.half90[0, 0])


def after(factor: float, first: int = YEAR, end: int = 2 * YEAR) -> Floats:
    energy = building(climate())
    energy[first:end] *= factor
    return energy


def without(first: int, end: int) -> Floats:
    energy = building(climate())
    energy[first:end] = np.nan
    return energy


@pytest.mark.parametrize(
    ("energy", "code"),
    [
        (np.full(2 * YEAR, 50.0), "constant"),
        (np.zeros(2 * YEAR), "all_zero"),
        (without(0, YEAR - 20), "missing_training"),
        (without(0, YEAR), "no_consumption"),
        (without(0, 120), "missing_training"),
        (without(YEAR + 30, YEAR + 120), "missing_predict"),
        (without(YEAR, 2 * YEAR), "no_predict"),
        (after(2.0), "too_much"),
        (after(0.2), "too_little"),
        (after(2.0, YEAR // 2, 2 * YEAR), "step_training"),
        (after(0.5, YEAR + 70, YEAR + 160), "bump_predict"),
        (after(0.6, YEAR + 70), "step_predict"),
        (after(-1.0, 150, 250), "negative"),
    ],
)
def test_what_cannot_be_told_is_named(energy: Floats, code: str) -> None:
    fits = fitted(energy)
    assert code in codes(fits)
    texts = [r.text for group in sufficiency(fits, PREDICT).training for r in group]
    assert all("{" not in text for text in texts)


def test_a_year_of_closures_tells_no_saving() -> None:
    later = replace(days(), day=days().day + np.timedelta64(730, "D"))
    energy = after(0.7)
    fits = fit(energy[None, :], later, TRAIN, Commodity.ELECTRICITY, weather(climate()))
    assert "pandemic" in [r.code for r in sufficiency(fits, PREDICT).predict[0]]


def test_fahrenheit_and_lacking_temperature_are_named() -> None:
    energy, temp_c = building(climate()), climate()
    assert codes(fitted(energy, temp_c=temp_c * 1.8 + 32)) == ["fahrenheit"]
    hole = temp_c.copy()
    hole[YEAR + 50 : YEAR + 130] = np.nan
    assert codes(fitted(energy, temp_c=hole)) == ["missing_temperature"]
    none = fit(energy[None, :], days(), TRAIN, Commodity.GAS)
    assert codes(none) == ["no_temperature_heating"]


def test_electricity_without_temperature_goes_by_the_calendar_unless_it_follows_the_seasons() -> None:
    steady, heated = building(climate(), slope=0.0), building(climate(), slope=25.0)
    judged = sufficiency(fit(np.stack([steady, heated]), days(), TRAIN, Commodity.ELECTRICITY), PREDICT)
    assert judged.sufficient(0)
    assert [r.code for r in judged.notes[0]] == ["no_temperature"]
    assert [r.code for r in judged.training[1]] == ["seasonal"]


def test_gas_needs_the_cold_days() -> None:
    temp_c = climate()
    energy = building(temp_c)
    cold = np.argsort(temp_c[:YEAR])[:34]
    energy[cold] = np.nan
    assert codes(fitted(energy, Commodity.GAS)) == ["no_heating_season"]
    assert "no_cold" in codes(fitted(building(temp_c + 20), Commodity.GAS, temp_c + 20))


@pytest.mark.parametrize("factor", [10.0, 1000.0])
@pytest.mark.parametrize("where", [slice(40, 320, 70), slice(YEAR + 40, YEAR + 320, 70)])
def test_single_readings_of_many_times_the_mean_change_nothing(factor: float, where: slice) -> None:
    energy = building(climate())
    spiked = energy.copy()
    spiked[where] *= factor
    made, clear = (savings(fitted(e), PREDICT[None, :], table()) for e in (spiked, energy))
    assert made.saving[0, 0] == pytest.approx(clear.saving[0, 0], abs=0.01 * clear.predicted[0, 0])
    assert [r.code for r in sufficiency(fitted(spiked), PREDICT).notes[0]] == ["odd_days"]


def test_zeros_in_the_cold_are_gaps_of_gas_and_all_zeros_of_electricity() -> None:
    energy = building(climate(), slope=10.0)
    energy[5:12] = 0.0
    assert np.isnan(fitted(energy, Commodity.GAS).energy[0, 5:12]).all()
    energy[180] = 0.0
    assert np.isnan(fitted(energy).energy[0, 180])
    assert fitted(energy, Commodity.GAS).energy[0, 180] == 0.0


def test_water_knows_no_temperature() -> None:
    energy = building(climate(), slope=0.0) / 50
    with_it = fit(energy[None, :], days(), TRAIN, Commodity.WATER, weather(climate()))
    np.testing.assert_allclose(with_it.predicted, fit(energy[None, :], days(), TRAIN, Commodity.WATER).predicted)
    assert sufficiency(with_it, PREDICT).sufficient(0)


def test_keys_follow_what_a_model_rests_on() -> None:
    energy, temp_c = building(climate()), climate()

    def key(row: Floats, temp: Floats = temp_c, kind: Commodity = Commodity.GAS) -> str:
        return content_keys(row[None, :], days(), TRAIN, kind, weather(temp))[0]

    later = np.where(TRAIN, energy, 0.0)
    assert key(energy) == key(later) == key(energy.copy())
    assert key(energy) != key(np.where(np.arange(2 * YEAR) == 5, energy + 1, energy))
    assert key(energy) != key(energy, temp_c + 0.1)
    assert key(energy) != key(energy, kind=Commodity.HEAT)


def test_runs_and_stuck_values() -> None:
    flag = np.array([[True, True, False, True, False, False, True, True]])
    assert run_lengths(flag).tolist() == [[2, 2, 0, 1, 0, 0, 2, 2]]
    row = np.concatenate([np.arange(40.0), np.full(30, 55.5), np.arange(40.0)])[None, :]
    assert stuck(row)[0].nonzero()[0].tolist() == list(range(40, 70))
    assert not stuck(np.array([[1.0] * 60 + [2.0]])).any()


def test_no_meters_give_no_fits() -> None:
    fits = fit(np.empty((0, 2 * YEAR)), days(), TRAIN, Commodity.GAS, weather(climate(), 0))
    assert fits.models == ()
    assert savings(fits, PREDICT[None, :], table()).saving.shape == (0, 1)
