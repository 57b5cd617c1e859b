from datetime import date
from pathlib import Path

import numpy as np
import pytest

from analytics.emissions import by_period, emission_kg, factor_energy_kwh, gas_energy_kwh, own_power, per_head
from config.factors import load_factors
from config.populations import load_populations
from core.errors import ConfigError
from core.factors import Basis, Carrier
from core.populations import population_of
from core.registry import Commodity, Point

SHIPPED = load_factors()
GAS = Point(id="B01-G", building="B01", name="Plyn", commodity=Commodity.GAS)


def written(folder: Path, text: str) -> Path:
    file = folder / "factors.toml"
    file.write_text(text, "utf-8")
    return file


def row(**said: object) -> str:
    given = {"id": '"x"', "carrier": '"electricity"', "value": 0.4, "unit": '"t/MWh"', "scheme": '"mpo-production"',
             "since": "2022-01-01", "until": "2023-01-01", "source": '"MPO"', **said}  # fmt: skip
    return "[[factor]]\n" + "\n".join(f"{k} = {v}" for k, v in given.items() if v is not None) + "\n"


@pytest.mark.parametrize(("year", "kg"), [(2010, 0.554), (2019, 0.428), (2020, 0.382), (2024, 0.34), (2025, 0.33)])
def test_electricity_has_the_factor_of_its_year_with_its_source(year: int, kg: float) -> None:
    found = SHIPPED.factor(Carrier.ELECTRICITY, date(year, 7, 1))
    assert found is not None
    assert (found.kg, found.per) == (kg, "kWh")
    assert found.provenance.source.startswith("MPO")


@pytest.mark.parametrize("day", [date(2021, 1, 1), date(2022, 6, 1), date(2023, 12, 1), date(2026, 1, 1)])
def test_a_year_that_was_not_found_has_no_factor(day: date) -> None:
    assert SHIPPED.factor(Carrier.ELECTRICITY, day) is None


def test_heat_and_wood_have_no_national_factor() -> None:
    assert SHIPPED.factor(Carrier.HEAT, date(2024, 1, 1)) is None
    assert SHIPPED.factor(Carrier.WOOD, date(2024, 1, 1)) is None


def test_the_audits_factor_of_electricity_is_never_the_years_average() -> None:
    assert {f.kg for f in SHIPPED.factors if f.id == "decree-electricity"} == {0.86}
    found = [SHIPPED.factor(Carrier.ELECTRICITY, date(y, 1, 1)) for y in range(2000, 2040)]
    assert all(f is None or f.scheme == "mpo-production" for f in found)


def test_gas_is_of_net_calorific_value_by_the_decree_else_by_ipcc() -> None:
    late, early = (SHIPPED.factor(Carrier.GAS, date(y, 1, 1)) for y in (2024, 2015))
    assert late is not None
    assert early is not None
    assert (late.kg, late.basis) == (0.2, Basis.NET)
    assert (early.kg, early.basis) == (pytest.approx(0.20196), Basis.NET)


def test_billed_gas_is_divided_to_net_before_the_factor() -> None:
    ratio = SHIPPED.ratio(GAS, "O1", date(2024, 1, 1))
    assert ratio is not None
    billed = np.array([[1000.0]])
    net = factor_energy_kwh(billed, np.array([ratio.gross_over_net]), net=np.array([True]), gross_metered=True)
    right = emission_kg(net, np.array([0.2]))[0, 0]
    assert right == pytest.approx(180.505, abs=0.001)
    assert 1000.0 * 0.2 / right == pytest.approx(1.108)  # the trap: 11 % too much


def test_a_factor_of_gross_value_takes_billed_gas_as_it_is() -> None:
    same = factor_energy_kwh(np.array([1000.0]), np.array([np.nan]), net=np.array([False]), gross_metered=True)
    assert same.tolist() == [1000.0]
    unknown = factor_energy_kwh(np.array([1000.0]), np.array([np.nan]), net=np.array([True]), gross_metered=True)
    assert np.isnan(unknown).all()


def test_nothing_used_is_no_emission_and_an_unknown_or_negative_use_is_unknown() -> None:
    found = emission_kg(np.array([0.0, 10.0, np.nan, -5.0]), np.array([np.nan, np.nan, 0.3, 0.3]))
    assert found[0] == 0.0
    assert np.isnan(found[1:]).all()


def test_gas_in_cubic_metres_needs_the_months_conversion(tmp_path: Path) -> None:
    tables = load_factors(
        written(
            tmp_path,
            '[[conversion]]\nid = "leden"\nvolume_correction = 0.975\ngross_mj_m3 = 38.16\nsince = 2026-01-01\n'
            'until = 2026-02-01\npoints = ["B01-G"]\nsource = "faktura 1/2026"\n',
        )
    )
    found = tables.conversion(GAS, "O1", date(2026, 1, 1))
    assert found is not None
    assert gas_energy_kwh(np.array([100.0]), np.array([found.kwh_per_m3])).tolist() == pytest.approx([1033.5])
    assert tables.conversion(GAS, "O1", date(2026, 2, 1)) is None
    assert SHIPPED.conversion(GAS, "O1", date(2026, 1, 1)) is None


def test_a_replaced_factor_is_a_new_version_and_the_former_still_answers(tmp_path: Path) -> None:
    text = row(id='"mpo-electricity-2020"', value=0.401, since="2020-01-01", until="2021-01-01", version=2)
    tables = load_factors(written(tmp_path, text))
    new = tables.factor(Carrier.ELECTRICITY, date(2020, 5, 1))
    old = tables.factor(Carrier.ELECTRICITY, date(2020, 5, 1), versions={"mpo-electricity-2020": 1})
    assert new is not None
    assert old is not None
    assert (new.kg, new.provenance.version) == (0.401, 2)
    assert old == SHIPPED.factor(Carrier.ELECTRICITY, date(2020, 5, 1))


def test_an_own_factor_fills_a_year_that_was_not_known(tmp_path: Path) -> None:
    tables = load_factors(written(tmp_path, row()))
    assert tables.factor(Carrier.ELECTRICITY, date(2022, 5, 1)).kg == 0.4  # type: ignore[union-attr]
    assert tables.factor(Carrier.ELECTRICITY, date(2023, 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (row(value=-0.1), r"factor\.1\.value: -0\.1 cannot be"),
        (row(value='"0,4"'), r"factor\.1\.value: '0,4' cannot be"),
        (row(unit='"t/kWh"'), r"factor\.1: unit 't/kWh'.*write one of t/MWh"),
        (row(unit='"kg/m3"'), r"factor\.1: factor x is per m³; write one of energy"),
        (row(since="2022-01-15"), r"factor\.1: since 2022-01-15.*first of a month"),
        (row(until="2021-01-01"), r"factor\.1: .*before or as it begins"),
        (row(source=None), r"factor\.1\.source: is missing"),
        (row(scheme=None), r"neither scheme nor supplier.*name the supplier"),
        (row(carrier='"gas"'), r"basis '' of x cannot be of gas; write net or gross"),
        (row(basis='"net"'), r"basis 'net' of x cannot be of electricity"),
        (row(valu=3), r"factor\.1\.valu: there is no such key"),
        (row() + row(), r"'x' has version 1 twice.*version = 2"),
        (row(id='"mpo-electricity-2024"'), r"'mpo-electricity-2024' has version 1 twice"),
        ("[[factor]\n", r"write it as TOML"),
        ('[[ratio]]\nid = "r"\nvalue = 11.08\nsince = 2024-01-01\nsource = "x"\n', r"ratio\.1: ratio 11\.08 of r"),
        (
            '[[conversion]]\nid = "c"\nvolume_correction = 0.97\nsince = 2024-01-01\nsource = "x"\n',
            r"conversion\.1: c needs one calorific value; write gross_kwh_m3",
        ),
        (
            (
                '[[conversion]]\nid = "c"\nvolume_correction = 0.97\ngross_kwh_m3 = 10600\nsince = 2024-01-01\n'
                'source = "x"\n'
            ),
            r"gross calorific value 10600.* cannot be",
        ),
    ],
)
def test_a_wrong_table_names_file_key_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as err:
        load_factors(written(tmp_path, text))
    assert str(tmp_path / "factors.toml") in str(err.value)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml.*name a file"):
        load_factors(tmp_path / "nowhere.toml")


def test_months_add_up_and_say_what_they_lack() -> None:
    monthly = np.array([[1.0, 2.0, np.nan, 4.0, 5.0], [np.nan] * 5])
    found = by_period(monthly, np.array([0, 0, 1, 1, -1]), 2)
    assert found.total[0, 0] == 3.0
    assert np.isnan(found.total[0, 1])
    assert found.known[0].tolist() == [3.0, 4.0]
    assert found.lacking.tolist() == [[0, 1], [2, 2]]
    assert np.isnan(found.known[1]).all()


def test_what_stays_of_ones_own_generation_is_what_was_not_exported() -> None:
    generation = np.array([100.0, 100.0, 100.0, 0.0, np.nan])
    export = np.array([30.0, np.nan, 130.0, np.nan, 5.0])
    found = own_power(generation, export)
    assert found.self_kwh[[0, 3]].tolist() == [70.0, 0.0]
    assert np.isnan(found.self_kwh[[1, 2, 4]]).all()


def test_per_head_is_not_known_without_heads_or_emission() -> None:
    assert per_head(4500.0, 450.0) == 10.0
    assert per_head(None, 450.0) is None
    assert per_head(4500.0, None) is None
    assert per_head(4500.0, 0.0) is None


def test_the_population_of_a_year_is_the_mean_of_its_ends() -> None:
    found = population_of(load_populations(), "Liberecký kraj", date(2019, 1, 1), date(2020, 1, 1))
    assert found.inhabitants == (442_356 + 443_690) / 2
    assert [p.id for p in found.made_of] == ["lk-2018", "lk-2019"]


@pytest.mark.parametrize("year", [2020, 2021, 2022, 2023, 2024, 2025])
def test_the_population_of_a_year_without_both_ends_is_not_known(year: int) -> None:
    found = population_of(load_populations(), "Liberecký kraj", date(year, 1, 1), date(year + 1, 1, 1))
    assert (found.inhabitants, found.reason) == (None, "no_population")


def test_a_mean_state_outdoes_the_ends_and_a_newer_version_the_former(tmp_path: Path) -> None:
    file = tmp_path / "populations.toml"
    text = '[[population]]\nid = "m24"\nplace = "Liberecký kraj"\nat = 2024-01-01\nuntil = 2025-01-01\nsource = "ČSÚ"\n'
    file.write_text(f"{text}inhabitants = 449000\n{text}inhabitants = 449177\nversion = 2\n", "utf-8")
    found = population_of(load_populations(file), "Liberecký kraj", date(2024, 1, 1), date(2025, 1, 1))
    assert (found.inhabitants, found.made_of[0].provenance.version) == (449_177, 2)


def test_states_of_different_series_are_never_averaged(tmp_path: Path) -> None:
    file = tmp_path / "populations.toml"
    file.write_text(
        '[[population]]\nid = "e20"\nplace = "Liberecký kraj"\nat = 2020-12-31\ninhabitants = 442476\n'
        'series = "before-census-2021"\nsource = "ČSÚ"\n',
        "utf-8",
    )
    found = population_of(load_populations(file), "Liberecký kraj", date(2021, 1, 1), date(2022, 1, 1))
    assert (found.inhabitants, found.reason) == (None, "population_series_break")
