from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from analytics.cost import amount_czk, bill, standing_czk, vat_czk
from config.tariffs import load_tariffs
from core.errors import ConfigError
from core.registry import Commodity, Point
from core.tariffs import CostPart

EL = Point(id="B01-EL", building="B01", name="Elektřina", commodity=Commodity.ELECTRICITY)
WATER = replace(EL, id="B01-VO", commodity=Commodity.COLD_WATER)
CONTRACT = """
[[price]]
id = "el-2026"
commodity = "electricity"
price = 2890.0
unit = "Kč/MWh"
month_czk = 120.0
covers = ["energy", "standing"]
vat_percent = 21
since = 2026-01-01
until = 2027-01-01
source = "smlouva 118"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "tariffs.toml"
    file.write_text(text, "utf-8")
    return file


def test_a_contract_pays_its_parts_and_no_others(tmp_path: Path) -> None:
    found = load_tariffs(written(tmp_path, CONTRACT)).prices_of(EL, "O1", date(2026, 5, 1))
    assert set(found) == {CostPart.ENERGY, CostPart.STANDING, CostPart.RENEWABLES}
    assert found[CostPart.ENERGY].per_unit_czk == pytest.approx(2.89)
    assert found[CostPart.RENEWABLES].per_unit_czk == 0.0
    assert load_tariffs(written(tmp_path, CONTRACT)).prices_of(EL, "O1", date(2025, 5, 1)) == {}


def test_the_contract_of_a_building_outdoes_that_of_all(tmp_path: Path) -> None:
    own = CONTRACT.replace("el-2026", "own").replace("2890.0", "2500.0") + 'buildings = ["B01"]\n'
    tables = load_tariffs(written(tmp_path, CONTRACT + own))
    assert tables.prices_of(EL, "O1", date(2026, 5, 1))[CostPart.ENERGY].id == "own"
    assert tables.prices_of(replace(EL, building="B02"), "O1", date(2026, 5, 1))[CostPart.ENERGY].id == "el-2026"


def test_a_price_with_vat_is_kept_without_and_its_unit_is_converted(tmp_path: Path) -> None:
    text = CONTRACT.replace('"Kč/MWh"', '"Kč/GJ"').replace("2890.0", "726.0") + 'vat = "included"\n'
    price = load_tariffs(written(tmp_path, text)).prices_of(EL, "O1", date(2026, 5, 1))[CostPart.ENERGY]
    assert price.per_unit_czk == pytest.approx(600 * 0.0036)
    assert price.month_czk == pytest.approx(120 / 1.21)


def test_a_networks_price_is_paid_by_those_connected_to_it(tmp_path: Path) -> None:
    text = (
        '[[price]]\nid = "sit"\ncommodity = "electricity"\nprice = 100\nunit = "Kč/MWh"\ncovers = ["network"]\n'
        'distributor = "ČEZ Distribuce"\nlevel = "VN"\nsince = 2026-01-01\nsource = "ERÚ"\n'
        '[[connection]]\nid = "c"\ndistributor = "ČEZ Distribuce"\nlevel = "VN"\nsince = 2020-01-01\n'
        'points = ["B01-EL"]\n'
    )
    tables = load_tariffs(written(tmp_path, text))
    assert CostPart.NETWORK in tables.prices_of(EL, "O1", date(2026, 5, 1))
    assert CostPart.NETWORK not in tables.prices_of(replace(EL, id="B02-EL"), "O1", date(2026, 5, 1))
    assert tables.connection(EL, "O1", date(2019, 5, 1)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CONTRACT.replace('"Kč/MWh"', '"CZK"'), r"price\.1: unit 'CZK'.*write one of Kč/kWh"),
        (CONTRACT.replace("2890.0", "-1"), r"price\.1\.price: -1 cannot be"),
        (CONTRACT.replace('"energy", "standing"', '"energie"'), r"price\.1\.covers\.1: 'energie' cannot be"),
        (CONTRACT.replace('"energy", "standing"', ""), r"price\.1: price el-2026 covers nothing"),
        (
            CONTRACT.replace("vat_percent = 21", 'vat = "included"'),
            r"price\.1: el-2026 includes VAT of an unknown rate; write vat_percent",
        ),
        (CONTRACT + CONTRACT, r"'el-2026' has version 1 twice"),
        (
            (
                '[[reserved]]\nid = "r"\ndistributor = "D"\nlevel = "VN"\nsince = 2026-01-01\nsource = "x"\n'
                "breach_times_monthly = 1.5\n"
            ),
            r"reserved\.1: r: breach_times_monthly has no price to multiply",
        ),
        (
            (
                '[[reserved]]\nid = "r"\ndistributor = "D"\nlevel = "VN"\nsince = 2026-01-01\nsource = "x"\n'
                "breach_czk_kw = 400\nmonthly_czk_kw = 200\nbreach_times_monthly = 1.5\n"
            ),
            r"reserved\.1: r tells breach in two ways",
        ),
        (
            '[[measured]]\nid = "m"\ndistributor = "D"\nlevel = "VN"\nsince = 2027-01-01\nsource = "x"\n',
            r"measured\.1: rule m has no plan",
        ),
        (
            "".join(
                f'[[connection]]\nid = "{i}"\ndistributor = "{d}"\nlevel = "VN"\nsince = 2020-01-01\npoints = ["P"]\n'
                for i, d in (("a", "ČEZ Distribuce"), ("b", "EG.D"))
            ),
            r"connections 'a' and 'b' say two things.*end the first",
        ),
    ],
)
def test_a_wrong_tariff_names_file_key_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as err:
        load_tariffs(written(tmp_path, text))
    assert str(tmp_path) in str(err.value)


def test_the_older_rule_is_twice_the_price_of_yearly_capacity(tmp_path: Path) -> None:
    text = (
        '[[reserved]]\nid = "old"\ndistributor = "D"\nlevel = "VN"\nsince = 2020-01-01\nuntil = 2021-01-01\n'
        'source = "ERÚ"\nyearly_czk_kw = 180.0\nbreach_times_yearly = 2\n'
    )
    rule = next(r for r in load_tariffs(written(tmp_path, text)).rules if r.id == "old")
    assert rule.breach_czk_kw == 360.0  # type: ignore[union-attr]


def test_nothing_used_costs_nothing_and_an_unknown_price_is_not_free() -> None:
    found = amount_czk(np.array([0.0, 10.0, np.nan]), np.array([np.nan, np.nan, 2.0]))
    assert found[0] == 0.0
    assert np.isnan(found[1:]).all()
    assert standing_czk(np.array([120.0]), np.array([0.5])).tolist() == [60.0]


def test_vat_of_an_unknown_rate_is_not_known() -> None:
    found = vat_czk(np.array([100.0, 100.0, 0.0]), np.array([21.0, np.nan, np.nan]))
    assert found[[0, 2]].tolist() == [21.0, 0.0]
    assert np.isnan(found[1])


def test_a_bill_without_one_of_its_parts_has_no_total_but_what_is_known() -> None:
    found = bill(np.array([[100.0, 100.0, np.nan], [20.0, np.nan, np.nan]]))
    assert found.total_czk[0] == 120.0
    assert np.isnan(found.total_czk[1:]).all()
    assert found.known_czk[:2].tolist() == [120.0, 100.0]
    assert np.isnan(found.known_czk[2])
    assert found.lacking.sum(axis=0).tolist() == [0, 1, 2]
