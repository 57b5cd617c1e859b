from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analytics.attribution import Cause, Split, Undetermined
from config.factors import load_factors
from config.populations import load_populations
from core.calendar import PRAGUE, Period
from core.errors import InputError
from core.factors import Carrier
from core.region_tables import RegionTables
from core.registry import Building, BuildingKind, Commodity, Dated, Point, Role
from services.emission_change import change
from services.emissions import EmissionPeriod, Scope, emissions, mean_of, own_generation, users_of
from services.monthly_use import Months, months_between, months_of
from tests.unit.api_fakes import Rates

SINCE, UNTIL = datetime(2015, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
EL = Point(id="EL", building="B", name="Elektřina", commodity=Commodity.ELECTRICITY)
GAS = Point(id="G", building="B", name="Plyn", commodity=Commodity.GAS)
HEAT = Point(id="T", building="B", name="Teplo", commodity=Commodity.HEAT)
WATER = Point(id="V", building="B", name="Voda", commodity=Commodity.COLD_WATER)
PV = Point(id="FVE", building="B", name="FVE", commodity=Commodity.PV, role=Role.GENERATION)
HOME = Building(
    id="B",
    organisation="O1",
    name="Škola",
    kind=BuildingKind.SCHOOL,
    users=(
        Dated(since=date(2018, 9, 1), value=400, kind="pupils"),
        Dated(since=date(2018, 9, 1), value=50, kind="staff"),
    ),
)
TABLES = RegionTables(factors=load_factors(), populations=load_populations())


def scope(*points: Point) -> Scope:
    return Scope(points=points, buildings={"B": HOME})


def rates(**of: tuple[float, str]) -> Rates:
    return Rates({key: (rate, unit, SINCE, UNTIL) for key, (rate, unit) in of.items()})


def year(number: int, period: Period = Period.YEAR) -> Months:
    zone = PRAGUE
    return months_of(period, datetime(number, 1, 1, tzinfo=zone), datetime(number + 1, 1, 1, tzinfo=zone), zone)


def span(number: int) -> Months:
    return months_between(datetime(number, 1, 1, tzinfo=PRAGUE), datetime(number + 1, 1, 1, tzinfo=PRAGUE))


def own(folder: Path, text: str) -> RegionTables:
    file = folder / "factors.toml"
    file.write_text(text, "utf-8")
    return replace(TABLES, factors=load_factors(file))


def of(found: EmissionPeriod, carrier: Carrier):  # noqa: ANN201 - test's own
    return next(row for row in found.carriers if row.carrier is carrier)


def test_a_thousand_kilowatt_hours_of_2024_have_the_factor_of_2024_with_its_source() -> None:
    hours = 366 * 24
    (found,) = emissions(scope(EL), year(2024), ask=rates(EL=(1000 / hours, "kWh")), tables=TABLES)
    row = of(found, Carrier.ELECTRICITY)
    assert row.energy == pytest.approx(1000.0)
    assert found.location_kg == pytest.approx(340.0)
    (used,) = row.location.factors
    assert (used.factor.id, used.factor.provenance.version) == ("mpo-electricity-2024", 1)
    assert used.factor.provenance.source.startswith("MPO")
    assert (used.first, used.last) == (date(2024, 1, 1), date(2024, 12, 1))


def test_a_numberwithout_a_factor_has_no_emission_and_says_why() -> None:
    (found,) = emissions(scope(EL, GAS), year(2022), ask=rates(EL=(1, "kWh"), G=(1, "kWh")), tables=TABLES)
    assert found.location_kg is None
    assert found.location_known_kg == pytest.approx(8760 / 1.108 * 0.2)
    (lack,) = of(found, Carrier.ELECTRICITY).location.lacks
    assert (lack.code, lack.first, lack.last) == ("no_factor", date(2022, 1, 1), date(2022, 12, 1))
    assert lack.amount == pytest.approx(8760)
    assert of(found, Carrier.GAS).location.lacks == ()
    assert found.scopes_kg == {1: pytest.approx(8760 / 1.108 * 0.2), 2: None}


def test_billed_gas_counts_by_net_calorific_value() -> None:
    (found,) = emissions(scope(GAS), year(2023), ask=rates(G=(100, "kWh")), tables=TABLES)
    assert of(found, Carrier.GAS).energy == pytest.approx(876_000)
    assert found.location_kg == pytest.approx(876_000 * 0.1805, rel=1e-3)
    assert found.location_kg == pytest.approx(876_000 / 1.108 * 0.2, rel=1e-12)


def test_gas_in_cubic_metres_without_a_conversion_is_not_determined(tmp_path: Path) -> None:
    ask = rates(G=(10, "m³"))
    (blank,) = emissions(scope(GAS), year(2023), ask=ask, tables=TABLES)
    (lack,) = of(blank, Carrier.GAS).location.lacks
    assert (blank.location_kg, lack.code, lack.unit, lack.amount) == (None, "no_gas_conversion", "m³", 87_600)
    text = (
        '[[conversion]]\nid = "c"\nvolume_correction = 0.97\ngross_kwh_m3 = 10.6\nsince = 2023-01-01\n'
        'until = 2024-01-01\nsource = "faktury 2023"\nbuildings = ["B"]\n'
    )
    (found,) = emissions(scope(GAS), year(2023), ask=ask, tables=own(tmp_path, text))
    assert of(found, Carrier.GAS).energy == pytest.approx(87_600 * 0.97 * 10.6)
    assert found.location_kg == pytest.approx(87_600 * 0.97 * 10.6 / 1.108 * 0.2)


def test_heat_has_the_factor_of_its_supplier_or_none(tmp_path: Path) -> None:
    ask = rates(T=(10, "kWh"))
    (blank,) = emissions(scope(HEAT), year(2024), ask=ask, tables=TABLES)
    assert blank.location_kg is None
    text = (
        '[[factor]]\nid = "teplarna"\ncarrier = "heat"\nvalue = 60\nunit = "kg/GJ"\nsupplier = "Teplárna"\n'
        'since = 2024-01-01\nuntil = 2025-01-01\nstatus = "supplier"\nsource = "dopis"\n'
        '[[supply]]\nid = "s"\ncommodity = "heat"\nsupplier = "Teplárna"\nsince = 2020-01-01\norganisations = ["O1"]\n'
    )
    (found,) = emissions(scope(HEAT), year(2024), ask=ask, tables=own(tmp_path, text))
    assert found.location_kg == pytest.approx(87_840 * 0.216)
    (late,) = emissions(scope(HEAT), year(2025), ask=ask, tables=own(tmp_path, text))
    assert [x.supplier for x in of(late, Carrier.HEAT).location.lacks] == ["Teplárna"]


def test_a_contract_changes_the_market_and_never_the_location(tmp_path: Path) -> None:
    text = (
        '[[factor]]\nid = "zaruky"\ncarrier = "electricity"\nvalue = 0\nunit = "t/MWh"\nsupplier = "Zelená"\n'
        'since = 2024-01-01\nsource = "záruky původu"\n'
        '[[supply]]\nid = "s"\ncommodity = "electricity"\nsupplier = "Zelená"\nsince = 2024-07-01\npoints = ["EL"]\n'
    )
    (found,) = emissions(scope(EL), year(2024), ask=rates(EL=(1, "kWh")), tables=own(tmp_path, text))
    half = (31 + 28 + 31 + 30 + 31 + 30 + 1) * 24 - 1
    assert found.location_kg == pytest.approx(8784 * 0.34)
    assert found.market_kg == pytest.approx(half * 0.34)
    assert [u.factor.id for u in of(found, Carrier.ELECTRICITY).market.factors] == ["mpo-electricity-2024", "zaruky"]


def test_the_residual_mix_outdoes_the_grids_average_in_the_market(tmp_path: Path) -> None:
    text = (
        '[[factor]]\nid = "zbytkovy"\ncarrier = "electricity"\nvalue = 0.5\nunit = "t/MWh"\nscheme = "residual-mix"\n'
        'since = 2024-01-01\nuntil = 2025-01-01\nsource = "AIB"\n'
    )
    (found,) = emissions(scope(EL), year(2024), ask=rates(EL=(1, "kWh")), tables=own(tmp_path, text))
    assert (found.market_kg, found.location_kg) == (pytest.approx(8784 * 0.5), pytest.approx(8784 * 0.34))


def test_a_former_version_gives_what_it_gave(tmp_path: Path) -> None:
    text = (
        '[[factor]]\nid = "mpo-electricity-2024"\nversion = 2\ncarrier = "electricity"\nvalue = 0.351\nunit = "t/MWh"\n'
        'scheme = "mpo-production"\nsince = 2024-01-01\nuntil = 2025-01-01\nsource = "MPO, oprava"\n'
    )
    tables, ask = own(tmp_path, text), rates(EL=(1, "kWh"))
    (new,) = emissions(scope(EL), year(2024), ask=ask, tables=tables)
    (old,) = emissions(scope(EL), year(2024), ask=ask, tables=tables, versions={"mpo-electricity-2024": 1})
    (shipped,) = emissions(scope(EL), year(2024), ask=ask, tables=TABLES)
    assert new.location_kg == pytest.approx(8784 * 0.351)
    assert old == shipped


def test_water_is_told_apart_and_in_no_total() -> None:
    (found,) = emissions(scope(EL, WATER), year(2025), ask=rates(EL=(1, "kWh"), V=(2, "m³")), tables=TABLES)
    assert of(found, Carrier.WATER_SUPPLY).location.kg == pytest.approx(17_520 * 0.1913)
    assert found.location_kg == pytest.approx(8760 * 0.33)
    (early,) = emissions(scope(EL, WATER), year(2024), ask=rates(EL=(1, "kWh"), V=(2, "m³")), tables=TABLES)
    assert of(early, Carrier.WATER_SUPPLY).location.kg is None
    assert early.location_kg is not None


def test_months_add_up_to_their_numberand_each_names_its_factor() -> None:
    ask = rates(EL=(3, "kWh"), G=(5, "kWh"))
    months = emissions(scope(EL, GAS), year(2024, Period.MONTH), ask=ask, tables=TABLES)
    (whole,) = emissions(scope(EL, GAS), year(2024), ask=ask, tables=TABLES)
    assert len(months) == 12
    assert sum(m.location_kg or 0 for m in months) == pytest.approx(whole.location_kg, rel=1e-12)


def test_a_school_numbertakes_each_month_by_its_own_year() -> None:
    start, end = datetime(2024, 9, 1, tzinfo=PRAGUE), datetime(2025, 8, 31, tzinfo=PRAGUE)
    grid = months_of(Period.SCHOOL_YEAR, start, end, PRAGUE)
    (found,) = emissions(scope(EL), grid, ask=rates(EL=(1, "kWh")), tables=TABLES)
    hours_2024 = (30 + 31 + 30 + 31) * 24 + 1
    assert found.location_kg == pytest.approx(hours_2024 * 0.34 + (365 * 24 - hours_2024) * 0.33)
    assert len(of(found, Carrier.ELECTRICITY).location.factors) == 2


def test_summer_is_in_no_heating_season() -> None:
    start, end = datetime(2024, 9, 1, tzinfo=PRAGUE), datetime(2026, 5, 1, tzinfo=PRAGUE)
    grid = months_of(Period.HEATING_SEASON, start, end, PRAGUE)
    found = emissions(scope(EL), grid, ask=rates(EL=(1, "kWh")), tables=TABLES)
    assert [(f.first, f.end) for f in found] == [
        (date(2024, 9, 1), date(2025, 6, 1)),
        (date(2025, 9, 1), date(2026, 6, 1)),
    ]
    assert of(found[0], Carrier.ELECTRICITY).energy == pytest.approx(273 * 24)


def test_days_have_no_factor_of_their_own() -> None:
    with pytest.raises(InputError, match="write one of month"):
        months_of(Period.DAY, SINCE, UNTIL)
    with pytest.raises(InputError, match="cuts a month"):
        months_between(datetime(2024, 1, 15, tzinfo=PRAGUE), datetime(2025, 1, 1, tzinfo=PRAGUE))


def test_what_is_missing_is_told_beside_what_is_known() -> None:
    ask = Rates({"EL": (1.0, "kWh", datetime(2024, 7, 1, tzinfo=PRAGUE), UNTIL)})
    (found,) = emissions(scope(EL, replace(EL, id="EL2")), year(2024), ask=ask, tables=TABLES)
    row = of(found, Carrier.ELECTRICITY)
    assert (row.points, row.lacking) == (2, 1)
    assert found.missing == pytest.approx(0.75, abs=0.01)
    assert found.location_kg == pytest.approx(184 * 24 * 0.34, rel=1e-3)


def test_nothing_known_is_no_emission_rather_than_zero() -> None:
    (found,) = emissions(scope(EL), year(2024), ask=Rates({}), tables=TABLES)
    assert (found.location_kg, found.location_known_kg) == (None, None)
    assert found.missing == 1.0


def test_a_head_counts_by_the_population_and_users_of_the_period() -> None:
    (found,) = emissions(scope(EL), year(2019), ask=rates(EL=(1000, "kWh")), tables=TABLES)
    assert found.kg_per_inhabitant == pytest.approx(8_760_000 * 0.428 / 443_023)
    assert found.kg_per_user == pytest.approx(8_760_000 * 0.428 / 450)
    (later,) = emissions(scope(EL), year(2024), ask=rates(EL=(1000, "kWh")), tables=TABLES)
    assert (later.kg_per_inhabitant, later.inhabitants.reason) == (None, "no_population")


def test_users_count_by_the_days_that_each_number_held() -> None:
    changed = (
        Dated(since=date(2020, 1, 1), value=100, kind="pupils"),
        Dated(since=date(2024, 7, 1), value=200, kind="pupils"),
    )
    assert mean_of(changed, date(2024, 1, 1), date(2025, 1, 1), "pupils") == pytest.approx(
        (182 * 100 + 184 * 200) / 366
    )
    assert mean_of(changed, date(2019, 1, 1), date(2021, 1, 1), "pupils") is None
    found = users_of([HOME, replace(HOME, id="C", users=())], date(2024, 1, 1), date(2025, 1, 1))
    assert (found.count, found.reason, found.lacking) == (None, "users_lacking", ("C",))


def test_own_generation_lowers_what_is_bought_and_stands_beside_the_inventory() -> None:
    class WithExport(Rates):
        def __call__(self, question):  # noqa: ANN001, ANN204 - as the fake
            if question.register == "energy.export":
                return Rates({"EL": (2.0, "kWh", SINCE, UNTIL)})(question)
            return Rates.__call__(self, question)

    ask = WithExport(rates(EL=(10, "kWh"), FVE=(5, "kWh")).rates)
    (found,) = emissions(scope(EL, PV), year(2024), ask=ask, tables=TABLES)
    (made,) = own_generation(scope(EL, PV), year(2024), ask=ask, tables=TABLES)
    assert found.location_kg == pytest.approx(87_840 * 0.34)
    assert [row.carrier for row in found.carriers] == [Carrier.ELECTRICITY]
    assert made.self_kwh == pytest.approx(3 * 8784)
    assert made.avoided_self_kg == pytest.approx(3 * 8784 * 0.34)
    assert made.avoided_export_kg == pytest.approx(2 * 8784 * 0.34)
    assert (made.self_use, made.self_sufficiency) == (pytest.approx(0.6), pytest.approx(3 / 13))


def test_without_a_measured_export_self_consumption_is_not_known() -> None:
    class NoExport(Rates):
        def __call__(self, question):  # noqa: ANN001, ANN204 - as the fake
            return [] if question.register else Rates.__call__(self, question)

    ask = NoExport(rates(EL=(10, "kWh"), FVE=(5, "kWh")).rates)
    (made,) = own_generation(scope(EL, PV), year(2024), ask=ask, tables=TABLES)
    assert (made.generation_kwh, made.self_kwh, made.reasons) == (pytest.approx(5 * 8784), None, ("no_export",))
    assert own_generation(scope(EL), year(2024), ask=ask, tables=TABLES) == []


def test_a_change_is_split_without_a_rest_and_unknown_causes_say_so() -> None:
    ask = rates(EL=(1000, "kWh"), G=(500, "kWh"))
    found = change(scope(EL, GAS), span(2018), span(2019), ask=ask, tables=TABLES)
    assert found.whole
    assert sum(found.total.parts_mg.values()) == found.total.change_mg
    assert found.total.parts_mg[Cause.FACTOR] == pytest.approx(-8760 * 38 * 1e6, abs=1)
    assert set(found.total.reasons) == {Cause.WEATHER, Cause.POPULATION}
    assert found.each is None


def test_weather_is_told_by_what_it_made_points_use_more() -> None:
    ask = rates(G=(100, "kWh"))
    found = change(scope(GAS), span(2023), span(2024), ask=ask, tables=TABLES, weather=lambda *_: {"G": 30_000.0})
    factor = 0.2 / 1.108
    assert found.total.parts_mg[Cause.WEATHER] == pytest.approx(30_000 * factor * 1e6, rel=1e-9)
    assert found.total.parts_mg[Cause.CONSUMPTION] == pytest.approx((2_400 - 30_000) * factor * 1e6, rel=1e-9)
    assert sum(found.total.parts_mg.values()) == found.total.change_mg
    assert found.carriers[0].normalised == 1.0


def test_weather_that_is_known_of_some_points_counts_for_them_and_says_how_many() -> None:
    two = scope(GAS, replace(GAS, id="H"))
    ask = rates(G=(100, "kWh"), H=(300, "kWh"))
    found = change(two, span(2023), span(2024), ask=ask, tables=TABLES, weather=lambda *_: {"G": 30_000.0, "H": None})
    assert found.total.parts_mg[Cause.WEATHER] == pytest.approx(30_000 * 0.2 / 1.108 * 1e6, rel=1e-9)
    assert found.carriers[0].normalised == pytest.approx(0.25)


def test_a_carrier_without_factor_or_with_gaps_is_not_split() -> None:
    ask = Rates({"EL": (1.0, "kWh", datetime(2023, 3, 1, tzinfo=UTC), UNTIL), "T": (1.0, "kWh", SINCE, UNTIL)})
    found = change(scope(EL, HEAT), span(2023), span(2024), ask=ask, tables=TABLES)
    assert not found.whole
    assert [c.total for c in found.carriers] == [Undetermined(reason="missing"), Undetermined(reason="no_factor")]
    assert found.total == Split(before_mg=0, after_mg=0, parts_mg={}, reasons={})
