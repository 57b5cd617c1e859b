"""What the sample region pays and is supplied with: whole, and never to be taken for real."""

from datetime import date

from app.demo import FACTORS, TARIFFS
from config.factors import load_factors
from config.tariffs import load_tariffs
from core.factors import Carrier
from core.tariffs import PARTS_OF, CostPart
from simulators.region import sample_region

REGION = sample_region(2026, 12)
OWNERS = {b.id: b.organisation for b in REGION.buildings}
MADE_UP = "Ukázka: "
DEMAND = {CostPart.CAPACITY, CostPart.BREACH}


def test_every_part_of_every_bill_has_its_price() -> None:
    found, shipped = load_tariffs(TARIFFS), {p.id for p in load_tariffs().prices}
    assert {p.provenance.source[: len(MADE_UP)] for p in found.prices if p.id not in shipped} == {MADE_UP}
    for day in (date(2023, 11, 1), date(2025, 6, 1), date(2026, 11, 1)):
        for point in REGION.points:
            if point.role.value == "billing":
                parts = found.prices_of(point, OWNERS[point.building], day)
                lacking = {p for p in PARTS_OF[point.commodity] if p not in parts}
                assert lacking <= (DEMAND if point.reserved_kw else set()), (point.id, day)


def test_its_heat_comes_from_a_supplier_that_is_made_up() -> None:
    found, shipped = load_factors(FACTORS), {f.id for f in load_factors().factors}
    mine = [f for f in found.factors if f.id not in shipped]
    assert {(f.carrier, f.provenance.source[: len(MADE_UP)]) for f in mine} == {(Carrier.HEAT, MADE_UP)}
    assert {f.supplier for f in mine} == {s.supplier for s in found.supplies}
