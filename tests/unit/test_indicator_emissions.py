"""G1-G6, W1, W2, W4: emissions by their factors, by head, split by cause; water."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analytics.attribution import Cause
from core.dated_tables import Provenance, Validity
from core.factors import Carrier, Factor
from core.indicators import Value, ValueStatus
from core.region_tables import RegionTables
from core.registry import Commodity, Dated, Role
from services.indicator_change import explained
from services.indicators import Evaluation
from tests.unit.indicator_world import (
    DAY,
    INDICATORS,
    NOW,
    REGION,
    World,
    amounts,
    building,
    codes,
    dated,
    flat,
    months,
    point,
    seasons,
    shares,
)

HEAT = Factor(
    id="teplarna",
    carrier=Carrier.HEAT,
    kg=0.25,
    scheme="teplarna",
    valid=Validity(since=date(2010, 1, 1)),
    provenance=Provenance(source="Teplárna"),
)


def tables() -> RegionTables:
    """The tables that ship with a factor of heat."""
    shipped = dated()
    order = {**shipped.factors.order, Carrier.HEAT: ("teplarna",)}
    return replace(shipped, factors=replace(shipped.factors, factors=(*shipped.factors.factors, HEAT), order=order))


def world(**changed: np.ndarray) -> World:
    return World(
        amounts={**amounts(), **{key.replace("_", "-"): used for key, used in changed.items()}}, tables=tables()
    )


def main(value: Value) -> float:
    found = value.amounts[0].value
    assert found is not None
    return found


RATIO = next(r.gross_over_net for r in dated().factors.ratios)
KG_2025 = 365 * (157 * 0.33 + 200 * 0.2 / RATIO + 80 * 0.25)


def test_emissions_are_energy_by_the_factors_of_the_year() -> None:
    found = world().year("G1", 2025)
    assert main(found) == pytest.approx(KG_2025 / 1000, rel=1e-9)
    assert found.status is ValueStatus.FINAL
    used = {u.key: (u.kind, u.value, u.version) for u in found.used}
    assert used["mpo-electricity-2025"] == ("emission_factor", 0.33, 1)
    assert used["teplarna"] == ("emission_factor", 0.25, 1)
    assert ("ratio", RATIO, 1) in used.values()
    for kind in ("building", "carrier"):
        parts = shares(found, "location", kind)
        assert sum(round((v or 0.0) * 1e9) for v in parts.values()) == round(main(found) * 1e9)


def test_months_and_buildings_add_up_to_the_year_of_the_region() -> None:
    shared = Evaluation(world().inputs(), NOW)
    span = date(2025, 1, 1), date(2026, 1, 1)

    def exactly(scope: object, first: date, end: date) -> int:
        return round(main(shared.values([INDICATORS["G1"]], scope, first, end)[0]) * 1e9)  # type: ignore[arg-type]

    year = exactly(REGION, *span)
    assert sum(exactly(building(key), *span) for key in "ABC") == year
    assert sum(exactly(REGION, date.fromisoformat(a), date.fromisoformat(b)) for a, b in months(2025)) == year


def test_without_a_factor_it_cannot_be_told_and_says_which_is_missing() -> None:
    found = world().year("G1", 2022)
    assert (found.status, found.amounts[0].value) == (ValueStatus.UNKNOWN, None)
    reason = next(r for r in found.reasons if r.code == "no_factor")
    assert (reason.facts["carrier"], reason.facts["first"], reason.facts["last"]) == (
        "electricity",
        "2022-01-01",
        "2022-12-01",
    )
    parts = shares(found, "location", "carrier")
    assert parts["electricity"] is None
    assert parts["heat"] == pytest.approx(365 * 80 * 0.25 / 1000)


def test_emissions_by_inhabitant_are_in_kilograms_and_need_the_population() -> None:
    found = world().year("G2", 2025)
    assert main(found) == pytest.approx(KG_2025 / 450_000)
    assert ("population", 450_000.0) in {(u.kind, u.value) for u in found.used}
    none = world()
    none.tables = replace(none.tables, populations=())
    lacking = none.year("G2", 2025)
    assert (lacking.status, codes(lacking)) == (ValueStatus.UNKNOWN, ["no_population"])


def test_emissions_by_user_are_of_the_buildings_with_users() -> None:
    found = world().year("G3", 2025)
    of_a_and_b = KG_2025 - 365 * 7 * 0.33
    assert main(found) == pytest.approx(of_a_and_b / 125 / 1000)
    assert found.reasons[0].subjects == ("C",)


# By cause


def test_the_split_of_a_change_adds_up_and_knows_the_weather() -> None:
    temp_c = np.where(np.datetime64("2025-01-01") > DAY, seasons(0.0), seasons(5.0))
    gas = np.where(temp_c < 13, (20 - temp_c) * 10, 0.0) + 20
    changed = world(A_gas=gas)
    changed.temp_c = temp_c
    found = changed.year("G5", 2025)
    parts = {a.figure: a.value for a in found.amounts}
    before, after = (main(changed.year("G1", year)) for year in (2024, 2025))
    assert round(main(found) * 1e9) == pytest.approx(round((after - before) * 1e9), abs=2)
    whole = round(main(found) * 1e9)
    assert sum(round((parts[c.value] or 0.0) * 1e9) for c in Cause) == whole
    for kind in ("cause", "carrier"):
        assert sum(round((v or 0.0) * 1e9) for v in shares(found, "change", kind).values()) == whole
    weather = 213 * 200 * (212 * 150 / (213 * 200) - 1) * 0.2 / RATIO / 1000
    assert parts["weather"] == pytest.approx(weather, rel=0.01)
    assert parts["factor"] == pytest.approx(-0.01 * 157 * 365.5 / 1000, rel=0.01)
    assert abs(parts["population"] or 0.0) < 1e-6


def test_a_change_with_gaps_is_not_split() -> None:
    holes = np.where((np.datetime64("2025-02-01") <= DAY) & (np.datetime64("2025-04-01") > DAY), np.nan, 200.0)
    found = world(A_gas=holes).year("G5", 2025)
    assert found.status is ValueStatus.UNKNOWN
    assert [(r.facts["carrier"], r.facts["why"]) for r in found.reasons if r.code == "not_split"] == [
        ("gas", "missing")
    ]


def test_neither_half_months_nor_several_years_are_split() -> None:
    assert codes(world().value("G5", "2025-01-10", "2025-03-01")) == ["whole_months_only"]
    assert codes(world().value("G5", "2024-01-01", "2026-01-01")) == ["a_year_at_most"]


@pytest.mark.parametrize("indicator", ["E1", "G1", "W1", "E5", "W2", "G2", "G3", "R1", "E2"])
def test_why_an_indicator_changed_adds_up_exactly(indicator: str) -> None:
    rng = np.random.default_rng(4)
    temp_c = np.where(np.datetime64("2025-01-01") > DAY, seasons(0.0), seasons(4.0))
    changed = World(
        amounts={key: used * (0.8 + 0.4 * rng.random(len(DAY))) for key, used in amounts().items()},
        tables=tables(),
        temp_c=temp_c,
    )
    changed.amounts["B-el"][(np.datetime64("2025-03-01") <= DAY) & (np.datetime64("2025-05-01") > DAY)] = np.nan
    asked = Evaluation(changed.inputs(), NOW)
    spans = {"before": (date(2024, 1, 1), date(2025, 1, 1)), "after": (date(2025, 1, 1), date(2026, 1, 1))}
    found = explained(asked, INDICATORS[indicator], REGION, **spans)
    assert found.change == pytest.approx(main(found.after) - main(found.before), abs=1e-8)
    whole = round((found.change or 0.0) * 1e9)
    assert whole != 0
    kinds = {part.kind for part in found.parts}
    for rows in (found.causes, *([p for p in found.parts if p.kind == kind] for kind in kinds)):
        assert sum(round(one.value * 1e9) for one in rows) == whole


def test_what_is_not_known_any_more_is_coverage_and_no_saving() -> None:
    gone = np.where((np.datetime64("2025-03-01") <= DAY) & (np.datetime64("2025-05-01") > DAY), np.nan, 50.0)
    asked = Evaluation(world(B_el=gone).inputs(), NOW)
    days = {"before": (date(2023, 1, 1), date(2024, 1, 1)), "after": (date(2025, 1, 1), date(2026, 1, 1))}
    found = explained(asked, INDICATORS["E1"], REGION, **days)
    causes = {one.key: one.value for one in found.causes}
    assert causes["coverage"] == pytest.approx(-61 * 0.05)
    assert causes["use"] == pytest.approx(0.0, abs=1e-9)
    assert causes["weather"] == pytest.approx(0.0, abs=1e-9)


# Water


def test_water_is_what_was_bought_and_own_water_stands_beside_it() -> None:
    rain = world(A_rain=flat(0.4), A_hot=flat(0.3), B_hot=flat(0.2))
    rain.entities += [
        point("A-rain", Commodity.COLD_WATER, Role.GENERATION),
        point("A-hot", Commodity.HOT_WATER, Role.SUBMETER),
        point("B-hot", Commodity.HOT_WATER),
    ]
    rain.units = {"A-rain": "m³"}
    assert main(rain.year("W1", 2025)) == pytest.approx(365 * 3.7)
    assert main(rain.year("W4", 2025)) == pytest.approx(365 * 0.4)
    assert codes(world().year("W4", 2025)) == ["no_replacing"]
    assert main(world().year("W2", 2025)) == pytest.approx(365 * 3.5 / 125)


def test_users_are_those_of_the_time() -> None:
    more = world()
    growing = (
        Dated(since=date(2015, 1, 1), value=100.0, kind="pupils"),
        Dated(since=date(2025, 7, 2), value=200.0, kind="pupils"),
    )
    more.entities = [replace(e, users=growing) if e.id == "A" and hasattr(e, "users") else e for e in more.entities]
    people = (182 * 100 + 183 * 200) / 365 + 25
    assert main(more.year("W2", 2025)) == pytest.approx(365 * 3.5 / people)


def test_emissions_of_water_are_of_supply_and_treatment_and_in_no_total() -> None:
    found = world().year("G6", 2025)
    assert main(found) == pytest.approx(365 * 3.5 * (0.1913 + 0.17088) / 1000, rel=1e-6)
    assert {u.key for u in found.used} == {"desnz-water-supply", "desnz-water-treatment"}
    none = world()
    none.tables = replace(none.tables, factors=replace(none.tables.factors, factors=(HEAT,)))
    assert codes(none.year("G6", 2025)) == ["no_factor", "no_factor"]
