"""E1, E2, E4, E5, R1: computed by hand for a small region, and adding up over buildings, carriers and months."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, NotFound
from core.indicators import Value, ValueStatus
from core.plan import Figure
from core.registry import Commodity, Meter, Role
from services.indicators import Evaluation
from tests.unit.indicator_world import (
    DAY,
    EXPORT,
    INDICATORS,
    NOW,
    POINTS,
    REGION,
    World,
    amounts,
    building,
    codes,
    day_of,
    days_in,
    flat,
    months,
    organisation,
    point,
    seasons,
    shares,
)


def main(value: Value) -> float:
    found = value.amounts[0].value
    assert found is not None
    return found


def test_final_consumption_is_what_came_in_and_what_one_made_and_used() -> None:
    found = World().year("E1", 2025)
    wanted = {
        "total": 365 * (100 + 200 + 50 + 80 + 7 + 20) / 1000,
        "electricity": 365 * 157 / 1000,
        "gas": 365 * 200 / 1000,
        "heat": 365 * 80 / 1000,
        "other": 0.0,
        "own_pv": 365 * 20 / 1000,
    }
    assert {a.figure: a.value for a in found.amounts} == pytest.approx(wanted)
    assert (found.status, found.method, found.version, found.register) == (ValueStatus.FINAL, "final_consumption", 1, 7)
    assert (found.cutoff, found.computed_at, found.reasons) == (NOW, NOW, ())
    assert found.coverage is not None
    assert (found.coverage.measured, found.coverage.points, found.coverage.lacking) == (1.0, 5, ())


def test_parts_add_up_to_the_figure_by_building_carrier_and_point() -> None:
    region, one = World().year("E1", 2025), World().year("E1", 2025, building("A"))
    for found, kinds in ((region, ("building", "carrier")), (one, ("building", "carrier", "point"))):
        for kind in kinds:
            parts = shares(found, "total", kind)
            assert sum(round((v or 0.0) * 1e9) for v in parts.values()) == round(main(found) * 1e9)
    assert shares(region, "total", "building")["A"] == pytest.approx(365 * 0.32)
    assert shares(one, "total", "point")["A-gas"] == pytest.approx(73.0)


uneven = st.lists(st.floats(0, 5000, allow_nan=False), min_size=8, max_size=8)
cut = st.integers(1, 364)


@settings(max_examples=6, deadline=None)
@given(each=uneven, split=cut)
def test_buildings_add_up_to_the_region_and_any_days_to_the_year(each: list[float], split: int) -> None:
    rng = np.random.default_rng(3)
    used = {p.id: rng.random(len(DAY)) * top for p, top in zip(POINTS, each, strict=True)}
    world = World(amounts={**used, f"A-el/{EXPORT}": used["A-pv"] * 0.3})
    shared = Evaluation(world.inputs(), NOW)

    def exactly(indicator: str, first: str, end: str, scope: object = REGION) -> int:
        first_day, end_day = (datetime.fromisoformat(text).date() for text in (first, end))
        value = shared.values([INDICATORS[indicator]], scope, first_day, end_day)[0]  # type: ignore[arg-type]
        return round((value.amounts[0].value or 0.0) * (1e9 if indicator != "W1" else 1e6))

    middle = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=split)).date().isoformat()
    for indicator in ("E1", "W1", "R1"):
        year = exactly(indicator, "2024-01-01", "2025-01-01")
        homes = [exactly(indicator, "2024-01-01", "2025-01-01", building(key)) for key in "ABC"]
        owners = [exactly(indicator, "2024-01-01", "2025-01-01", organisation(key)) for key in ("O1", "O2")]
        spans = [exactly(indicator, *month) for month in months(2024)]
        halves = [exactly(indicator, "2024-01-01", middle), exactly(indicator, middle, "2025-01-01")]
        for parts in (homes, owners, spans, halves):
            assert sum(parts) == year


def test_days_of_a_month_are_what_was_used_on_them() -> None:
    world = World()
    world.amounts["C-el"] = np.arange(len(DAY)) * 1.0
    found = world.value("E1", "2025-03-10", "2025-04-03", building("C"))
    first = day_of("2025-03-10")
    assert main(found) == pytest.approx(sum(range(first, first + 24)) / 1000)


# What lacks


def test_little_measured_is_provisional_and_names_the_points() -> None:
    world = World(amounts=amounts())
    world.amounts["A-gas"] = world.amounts["A-gas"].copy()
    world.amounts["A-gas"][day_of("2025-01-01") : day_of("2025-09-01")] = np.nan
    found = world.year("E1", 2025)
    assert found.status is ValueStatus.PROVISIONAL
    reason = next(r for r in found.reasons if r.code == "little_measured")
    assert reason.subjects == ("A-gas",)
    assert found.coverage is not None
    assert found.coverage.lacking == ("A-gas",)
    assert found.coverage.missing == pytest.approx(243 / 365 / 5, abs=1e-3)
    assert shares(found, "total", "carrier")["gas"] == pytest.approx(122 * 0.2)


def test_a_point_that_lacks_a_little_is_told_and_the_value_is_final() -> None:
    world = World(amounts=amounts())
    world.amounts["A-gas"] = world.amounts["A-gas"].copy()
    world.amounts["A-gas"][day_of("2025-05-01") : day_of("2025-05-03")] = np.nan
    found = world.year("E1", 2025)
    assert (found.status, codes(found)) == (ValueStatus.FINAL, ["points_lack"])


def test_a_building_of_which_nothing_is_known_is_null_not_zero() -> None:
    world = World(amounts=amounts())
    world.amounts["C-el"] = flat(np.nan)
    assert shares(world.year("E1", 2025), "total", "building")["C"] is None
    alone = world.year("E1", 2025, building("C"))
    assert (alone.status, alone.amounts[0].value) == (ValueStatus.UNKNOWN, None)
    assert "no_data" in codes(alone)


def test_estimates_are_known_and_count_as_not_measured() -> None:
    world = World(estimated={"A-gas": flat(1.0)})
    found = world.year("E1", 2025)
    assert found.coverage is not None
    assert (found.coverage.estimated, found.coverage.missing) == (pytest.approx(0.2), 0.0)
    assert found.status is ValueStatus.PROVISIONAL


def test_a_running_year_is_provisional_and_covers_the_days_that_are_over() -> None:
    world = World(amounts=amounts(), cutoff=datetime(2025, 7, 1, 8, tzinfo=UTC))
    for key, used in world.amounts.items():
        world.amounts[key] = np.where(np.datetime64("2025-07-01") <= DAY, np.nan, used)
    found = world.year("E1", 2025)
    assert (found.status, codes(found)) == (ValueStatus.PROVISIONAL, ["running"])
    assert found.coverage is not None
    assert (found.coverage.measured, found.coverage.lacking) == (1.0, ())
    assert main(found) == pytest.approx(181 * 0.457)


def test_gas_in_cubic_metres_without_conversion_cannot_be_told() -> None:
    world = World(units={"A-gas": "m³"})
    tables = world.tables
    world.tables = replace(tables, factors=replace(tables.factors, conversions=()))
    found = world.year("E1", 2025)
    assert found.status is ValueStatus.UNKNOWN
    assert next(r for r in found.reasons if r.code == "no_gas_conversion").subjects == ("A-gas",)


def test_own_use_without_a_measured_export_is_told_and_provisional() -> None:
    world = World(amounts=amounts())
    del world.amounts[f"A-el/{EXPORT}"]
    found = world.year("E1", 2025)
    assert (found.status, codes(found)) == (ValueStatus.PROVISIONAL, ["own_use_unknown"])
    assert found.reasons[0].subjects == ("A-pv",)
    own = world.year("R1", 2025)
    assert [a.value for a in own.amounts] == [pytest.approx(10.95), None, None]


def test_a_plant_makes_nothing_before_it_is_there() -> None:
    world = World(amounts=amounts())
    world.amounts["A-pv"] = np.where(np.datetime64("2024-06-01") > DAY, np.nan, 30.0)
    world.amounts[f"A-el/{EXPORT}"] = np.where(np.datetime64("2024-06-01") > DAY, np.nan, 10.0)
    mounted = Meter(id="A-pv", point="A-pv", device="pv", mounted=datetime(2024, 5, 31, 22, tzinfo=UTC))
    world.entities = [mounted if e.id == "A-pv" and isinstance(e, Meter) else e for e in world.entities]
    assert codes(world.year("E1", 2023)) == []
    assert world.year("E1", 2023).amount("own_pv").value == 0.0
    assert world.year("E1", 2024).amount("own_pv").value == pytest.approx(214 * 0.02)


def test_a_sub_meter_and_a_virtual_sum_count_nothing_twice() -> None:
    world = World(amounts=amounts())
    world.entities += [point("A-kitchen", Commodity.ELECTRICITY, Role.SUBMETER, parent="A-el")]
    world.amounts["A-kitchen"] = flat(40.0)
    assert main(world.year("E1", 2025)) == main(World().year("E1", 2025))


def test_electricity_that_is_made_on_the_spot_is_no_consumption() -> None:
    world = World(amounts=amounts())
    world.entities += [point("A-chp", Commodity.ELECTRICITY, Role.GENERATION)]
    world.amounts["A-chp"] = flat(500.0)
    assert main(world.year("E1", 2025)) == main(World().year("E1", 2025))


# Generation


def test_generation_tells_self_sufficiency_and_own_use() -> None:
    found = World().year("R1", 2025)
    generated, sufficient, own = (a.value for a in found.amounts)
    assert generated == pytest.approx(365 * 0.03)
    assert sufficient == pytest.approx(100 * 20 / (157 + 20))
    assert own == pytest.approx(100 * 20 / 30)


# A normal climate


def heated(temp_c: np.ndarray, *, base: float = 20.0, slope: float = 10.0) -> np.ndarray:
    return np.where(temp_c < 13, (20 - temp_c) * slope, 0.0) + base


def test_a_mild_year_is_brought_to_the_normal_and_the_base_stays() -> None:
    temp_c = seasons(5.0)
    world = World(amounts={**amounts(), "A-gas": heated(temp_c), "B-heat": flat(0.0)}, temp_c=temp_c)
    found = world.year("E2", 2025)
    normal = 256 * (20 - 3.6)
    degree_days = 212 * 15.0
    gas = 365 * 20 + 212 * 150
    wanted = gas + 212 * 150 * (normal / degree_days - 1) + 365 * 177
    assert main(found) * 1000 == pytest.approx(wanted, abs=1e-2)
    assert found.amount("correction").value == pytest.approx((wanted - gas - 365 * 177) / 1000, abs=1e-5)
    assert [(u.kind, u.key, u.value) for u in found.used] == [("normal", "Liberec", pytest.approx(normal))]
    assert sum(round((v or 0.0) * 1e9) for v in shares(found, "normalised", "building").values()) == round(
        main(found) * 1e9
    )


def test_two_years_of_the_same_building_differ_by_weather_alone_and_are_the_same_normalised() -> None:
    temp_c = np.where(np.datetime64("2025-01-01") > DAY, seasons(0.0), seasons(6.0))
    world = World(amounts={**amounts(), "A-gas": heated(temp_c), "B-heat": flat(0.0)}, temp_c=temp_c)
    cold, mild = (world.year("E1", year, building("A")) for year in (2023, 2025))
    assert main(mild) < 0.9 * main(cold)
    same = [main(world.year("E2", year, building("A"))) for year in (2023, 2025)]
    assert same[0] == pytest.approx(same[1], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"temp_c": np.full(len(DAY), np.nan)}, "no_temperatures"),
        ({"temp_c": np.full(len(DAY), 5.0)}, "no_warm_days"),
    ],
)
def test_what_heats_is_not_normalised_without_weather(change: dict[str, np.ndarray], code: str) -> None:
    world = World(**change)  # type: ignore[arg-type]
    found = world.year("E2", 2025)
    assert (found.status, codes(found)) == (ValueStatus.UNKNOWN, [code])


def test_without_a_normal_the_climate_cannot_be_told_and_a_month_has_none() -> None:
    world = World()
    world.tables = replace(world.tables, normals=())
    assert codes(world.year("E2", 2025)) == ["no_normal"]
    assert codes(World().value("E2", "2025-01-01", "2025-02-01")) == ["whole_years_only"]
    assert codes(World(cutoff=datetime(2025, 7, 1, tzinfo=UTC)).year("E2", 2025)) == ["running", "not_over"]


# Against 2021


def test_the_change_since_2021_is_of_what_is_known_in_both_years() -> None:
    world = World(amounts=amounts())
    world.amounts["A-gas"] = np.where(np.datetime64("2025-01-01") > DAY, 200.0, 150.0)
    found = world.year("E4", 2025)
    base = 457.0
    assert main(found) == pytest.approx(-100 * 50 / base)
    assert found.amount("difference").value == pytest.approx(-365 * 0.05)
    assert (found.status, found.reasons) == (ValueStatus.FINAL, ())


def test_a_gap_is_no_saving_since_2021() -> None:
    world = World(amounts=amounts())
    world.amounts["C-el"] = np.where(
        (np.datetime64("2025-03-01") <= DAY) & (np.datetime64("2025-06-01") > DAY), np.nan, 7.0
    )
    found = world.year("E4", 2025)
    assert main(found) == pytest.approx(0.0, abs=1e-9)
    reason = next(r for r in found.reasons if r.code == "compared")
    assert reason.subjects == ("C-el",)
    world.amounts["A-gas"] = flat(np.nan)
    assert codes(world.year("E4", 2025))[0] == "little_compared"
    assert world.year("E4", 2025).status is ValueStatus.UNKNOWN


def test_a_running_year_is_compared_with_the_same_days() -> None:
    world = World(amounts=amounts(), cutoff=datetime(2025, 3, 11, 8, tzinfo=UTC))
    world.amounts["C-el"] = np.where(np.datetime64("2025-03-11") <= DAY, np.nan, 7.0)
    found = world.year("E4", 2025)
    assert (main(found), found.status) == (0.0, ValueStatus.PROVISIONAL)


@pytest.mark.parametrize(
    "span", [("2019-01-01", "2020-01-01"), ("2023-01-01", "2025-01-01"), ("2024-07-01", "2025-06-01")]
)
def test_only_days_of_one_later_year_are_compared(span: tuple[str, str]) -> None:
    assert codes(World().value("E4", *span)) == ["base_year_span"]


# By area


def test_consumption_by_area_is_of_the_buildings_with_an_area() -> None:
    found = World().year("E5", 2025)
    assert main(found) == pytest.approx(365 * (320 + 130) / 1500)
    assert found.reasons[0].code == "no_area"
    assert found.reasons[0].subjects == ("C",)
    assert found.status is ValueStatus.FINAL
    assert sum(v or 0.0 for v in shares(found, "specific", "building").values()) == pytest.approx(main(found))


def test_where_too_much_has_no_area_it_cannot_be_told() -> None:
    world = World()
    world.entities = [replace(e, areas=()) if e.id == "A" and hasattr(e, "areas") else e for e in world.entities]
    found = world.year("E5", 2025)
    assert (found.status, codes(found)) == (ValueStatus.UNKNOWN, ["no_sizes"])
    assert set(found.reasons[0].subjects) == {"A", "C"}


# Questions that cannot be right


def test_a_span_that_ends_before_it_begins_and_an_unknown_building_are_refused() -> None:
    with pytest.raises(InputError, match="ends"):
        World().value("E1", "2025-01-01", "2025-01-01")
    with pytest.raises(NotFound, match="building X"):
        World().year("E1", 2025, building("X"))


def test_a_figure_may_be_in_a_multiple_of_its_unit_and_in_nothing_else() -> None:
    one = INDICATORS["E1"]
    giga = replace(one, figures=(Figure(key="total", name="celkem", unit="GWh"),))
    assert main(World().year(giga, 2025)) == pytest.approx(main(World().year(one, 2025)) / 1000)
    with pytest.raises(InputError, match="is in MWh, not in 'm³'"):
        World().year(replace(one, figures=(Figure(key="total", name="celkem", unit="m³"),)), 2025)
    with pytest.raises(InputError, match="tells no figure 'sum'"):
        World().year(replace(one, figures=(Figure(key="sum", name="celkem", unit="MWh"),)), 2025)
    with pytest.raises(InputError, match="method 'wish'"):
        World().year(replace(one, method="wish"), 2025)


def test_the_same_inputs_give_the_same_value() -> None:
    assert World().year("E1", 2024) == World().year("E1", 2024)
    assert days_in(2024) == 366
