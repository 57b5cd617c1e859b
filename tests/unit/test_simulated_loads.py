import numpy as np
import pytest

from core.registry import BuildingKind, Commodity
from simulators.loads import Load, year_nano
from simulators.occupancy import year_occupancy
from simulators.school_year import District
from simulators.truth import consumed_nano, hourly_amounts

NANO = 1_000_000_000


def load(
    kind: BuildingKind = BuildingKind.SCHOOL, commodity: Commodity = Commodity.ELECTRICITY, **more: object
) -> Load:
    return Load(kind=kind, commodity=commodity, annual=80_000.0, seed=5, weather=7, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(BuildingKind))
@pytest.mark.parametrize("commodity", list(Commodity))
def test_a_load_has_its_annual_amount_and_is_never_negative(kind: BuildingKind, commodity: Commodity) -> None:
    own = load(kind, commodity)
    assert year_nano(own, 2025).sum() / NANO == pytest.approx(80_000, rel=1e-6)
    for year in (2024, 2026):
        assert year_nano(own, year).min() >= 0
        assert year_nano(own, year).sum() / NANO == pytest.approx(80_000, rel=0.2)


def test_the_same_seed_gives_the_same_load_and_another_one_another() -> None:
    first = year_nano(load(), 2025).copy()
    year_nano.cache_clear()
    assert np.array_equal(first, year_nano(load(), 2025))
    other = Load(kind=BuildingKind.SCHOOL, commodity=Commodity.ELECTRICITY, annual=80_000.0, seed=6, weather=7)
    assert not np.array_equal(first, year_nano(other, 2025))


def test_a_school_rests_at_night_on_weekends_and_in_summer() -> None:
    use, drawn = year_occupancy(BuildingKind.SCHOOL, District.LIBEREC, 2025), year_nano(load(), 2025) / NANO
    lesson = use.open & (use.hour == 10)
    assert drawn[lesson].mean() > 3 * drawn[use.hour == 2].mean()
    assert drawn[~use.open & (use.hour == 10)].mean() < drawn[lesson].mean() / 3


def test_no_water_flows_in_a_school_at_night_but_some_does_in_a_hospital() -> None:
    for kind, flows in ((BuildingKind.SCHOOL, False), (BuildingKind.HOSPITAL, True)):
        use = year_occupancy(kind, District.LIBEREC, 2025)
        water = year_nano(load(kind, Commodity.COLD_WATER), 2025)
        assert bool(water[use.hour == 2].min() > 0) is flows
        if not flows:
            assert water[use.hour == 2].max() == 0


def test_gas_follows_the_cold() -> None:
    gas = load(commodity=Commodity.GAS)
    months = np.array_split(year_nano(gas, 2025), 12)
    assert months[0].sum() > 10 * months[6].sum()


def test_what_is_drawn_less_what_is_fed_in_is_use_less_generation() -> None:
    sun = load(commodity=Commodity.PV)
    use, drawn, fed = load(), load(behind=sun), load(behind=sun, exports=True)
    balance = year_nano(drawn, 2025) - year_nano(fed, 2025)
    gross = year_nano(use, 2025) - year_nano(sun, 2025)
    assert np.abs(balance - gross).max() <= 2000
    assert year_nano(drawn, 2025)[year_nano(fed, 2025) > 0].max() == 0
    assert year_nano(fed, 2025).sum() > 0


def test_a_measure_holds_from_its_day_on() -> None:
    day = int(np.datetime64("2025-07-01").astype(int))
    before, after = load(), load(measure_since=day, measure_factor=0.75)
    half = 181 * 24
    ratio = year_nano(after, 2025) / year_nano(before, 2025)
    assert np.all(ratio[:half] == 1)
    assert ratio[half:].mean() == pytest.approx(0.75, rel=1e-6)


def test_the_curve_is_the_same_wherever_it_is_cut() -> None:
    origin = np.datetime64("2024-12-30T00:00", "us")
    at = origin + np.arange(0, 400) * np.timedelta64(601, "s")
    whole = consumed_nano(load(), origin, at.astype("datetime64[us]"))
    assert np.all(np.diff(whole) >= 0)
    later = at[200].astype("datetime64[us]")
    rest = consumed_nano(load(), later, at[200:].astype("datetime64[us]"))
    assert np.array_equal(whole[200:] - whole[200], rest)


def test_the_curve_meets_the_hours_of_the_load_also_over_new_year_and_leap_day() -> None:
    start, end = np.datetime64("2023-12-31", "us"), np.datetime64("2025-01-02", "us")
    at, amount = hourly_amounts(load(), start, end)
    assert len(at) == (366 + 1 + 1) * 24
    expected = np.concatenate([year_nano(load(), 2023)[-24:], year_nano(load(), 2024), year_nano(load(), 2025)[:24]])
    assert np.array_equal(np.rint(amount * NANO), expected)


def test_quarter_hours_of_an_hour_differ_and_add_up() -> None:
    start = np.datetime64("2025-05-12T08:00", "us")
    at = start + np.arange(5) * np.timedelta64(900, "s").astype("timedelta64[us]")
    curve = consumed_nano(load(), start, at)
    assert curve[-1] == hourly_amounts(load(), start, at[-1])[1][0] * NANO
    assert len(set(np.diff(curve).tolist())) == 4
