from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from config.factors import load_factors
from core.calendar import PRAGUE
from core.region_tables import RegionTables
from core.registry import Building, BuildingKind, Commodity, Dated, Point, Role
from services.benchmarks import Benchmark, Measure, Standing, benchmark
from services.monthly_use import Months, months_between
from tests.unit.api_fakes import Rates

SINCE, UNTIL = datetime(2015, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
TABLES = RegionTables(factors=load_factors())


def school(key: str, area: float = 1000.0, pupils: float = 100.0) -> Building:
    users = (Dated(since=date(2015, 1, 1), value=pupils, kind="pupils"),)
    return Building(
        id=key, organisation="O", name=key, kind=BuildingKind.SCHOOL, users=users,
        areas=(Dated(since=date(2015, 1, 1), value=area),),
    )  # fmt: skip


def points(*buildings: Building) -> dict[str, Point]:
    made = [Point(id=f"{b.id}-EL", building=b.id, name="E", commodity=Commodity.ELECTRICITY) for b in buildings]
    made += [Point(id=f"{b.id}-V", building=b.id, name="V", commodity=Commodity.COLD_WATER) for b in buildings]
    return {p.id: p for p in made}


def span(year: int) -> tuple[Months, tuple[datetime, datetime]]:
    edges = datetime(year, 1, 1, tzinfo=PRAGUE), datetime(year + 1, 1, 1, tzinfo=PRAGUE)
    return months_between(*edges), edges


def rates(**of: float) -> Rates:
    return Rates({f"{k}-{c}": (r, u, SINCE, UNTIL) for k, r in of.items() for c, u in (("EL", "kWh"), ("V", "m³"))})


def compared(measure: Measure, buildings: list[Building], ask: Rates, **changes: object) -> Benchmark:
    given = {"points": points(*buildings), "ask": ask, "tables": TABLES, **changes}
    return benchmark(measure, buildings, now=span(2025), before=span(2024), **given)  # type: ignore[arg-type]


def named(found: Benchmark) -> dict[str, Standing]:
    return {s.building.id: s for kind in found.kinds for s in kind.standings}


def test_five_schools_have_quartiles_ranks_and_quarters() -> None:
    schools = [school(k) for k in "ABCDE"]
    found = compared(Measure.ENERGY_PER_AREA, schools, rates(A=1, B=2, C=3, D=4, E=5))
    (kind,) = found.kinds
    assert found.unit == "kWh/m²"
    assert (kind.quartiles.count, kind.quartiles.few) == (5, False)
    assert kind.quartiles.median == pytest.approx(3 * 8.76)
    assert [s.building.id for s in kind.standings] == list("ABCDE")
    assert [s.rank for s in kind.standings] == [1, 2, 3, 4, 5]
    assert [s.quarter for s in kind.standings] == [1, 1, 2, 3, 4]
    assert named(found)["C"].value == pytest.approx(3 * 8.76)


def test_three_of_a_kind_are_too_few_and_other_kinds_stand_apart() -> None:
    buildings = [school("A"), school("B"), school("C"), replace(school("D"), kind=BuildingKind.HOSPITAL)]
    found = compared(Measure.WATER_PER_PUPIL, buildings, rates(A=1, B=2, C=3, D=4))
    assert [(k.kind, k.quartiles.few) for k in found.kinds] == [
        (BuildingKind.SCHOOL, True),
        (BuildingKind.HOSPITAL, True),
    ]
    assert named(found)["A"].quarter is None
    assert named(found)["A"].value == pytest.approx(87.6)
    assert found.unit == "m³/os."


def test_a_building_without_size_or_data_is_not_ranked_and_says_why() -> None:
    buildings = [school("A"), replace(school("B"), areas=()), school("C")]
    found = named(compared(Measure.ELECTRICITY_PER_AREA, buildings, rates(A=1, B=2)))
    assert (found["B"].value, found["B"].rank, found["B"].reason) == (None, None, "no_size")
    assert (found["C"].value, found["C"].reason) == (None, "no_data")
    assert found["A"].rank == 1


def test_less_than_the_wanted_coverage_is_not_compared() -> None:
    late = Rates({"A-EL": (1.0, "kWh", datetime(2025, 3, 1, tzinfo=UTC), UNTIL), "B-EL": (1.0, "kWh", SINCE, UNTIL)})
    found = named(compared(Measure.ENERGY_PER_AREA, [school("A"), school("B")], late))
    assert (found["A"].value, found["A"].reason) == (None, "coverage")
    assert found["A"].coverage == pytest.approx(306 / 365, abs=0.01)
    kept = named(compared(Measure.ENERGY_PER_AREA, [school("A"), school("B")], late, least=0.8))
    assert kept["A"].value is not None


def test_ranks_change_among_those_known_in_both_years() -> None:
    schools = [school("A"), school("B"), school("C")]
    ask = rates(A=1, B=2, C=3)
    newcomer = Rates({**ask.rates, "A-EL": (1.0, "kWh", datetime(2025, 1, 1, tzinfo=PRAGUE), UNTIL)})
    found = named(compared(Measure.ENERGY_PER_AREA, schools, newcomer))
    assert (found["A"].rank, found["A"].rank_change) == (1, None)
    assert (found["B"].rank, found["B"].rank_now, found["B"].rank_before, found["B"].rank_change) == (2, 1, 1, 0)


def test_a_sub_meter_below_a_billing_point_is_not_counted_again() -> None:
    given = points(school("A"))
    given["A-K"] = Point(
        id="A-K", building="A", name="K", commodity=Commodity.ELECTRICITY, role=Role.SUBMETER, parent="A-EL"
    )
    ask = Rates({**rates(A=1).rates, "A-K": (9.0, "kWh", SINCE, UNTIL)})
    found = named(compared(Measure.ENERGY_PER_AREA, [school("A")], ask, points=given))
    assert found["A"].value == pytest.approx(8.76)


def test_heated_buildings_are_compared_in_normal_weather_where_it_is_given() -> None:
    given = {**points(school("A"), school("B"))}
    for key in "AB":
        given[f"{key}-G"] = Point(id=f"{key}-G", building=key, name="G", commodity=Commodity.GAS)
    ask = Rates({**rates(A=1, B=1).rates, **{f"{k}-G": (10.0, "kWh", SINCE, UNTIL) for k in "AB"}})
    found = named(
        compared(
            Measure.ENERGY_PER_AREA, [school("A"), school("B")], ask, points=given, normal=lambda *_: {"A-G": 80_000.0}
        )
    )
    assert (found["A"].normalised, found["B"].normalised) == (True, False)
    assert found["A"].value == pytest.approx(88.76)
    assert found["B"].value == pytest.approx(96.36)


def test_gas_in_cubic_metres_without_conversion_is_not_compared() -> None:
    given = {"A-G": Point(id="A-G", building="A", name="G", commodity=Commodity.GAS)}
    ask = Rates({"A-G": (1.0, "m³", SINCE, UNTIL)})
    found = named(compared(Measure.HEATING_PER_AREA, [school("A")], ask, points=given))
    assert (found["A"].value, found["A"].reason) == (None, "no_conversion")
