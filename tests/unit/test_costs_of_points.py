from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.cost_demand import Advice, NoAdvice
from config.tariffs import load_tariffs
from core.calendar import PRAGUE, Period, instant, spans
from core.errors import InputError
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Dated, Point
from core.tariffs import CostPart
from services.consumption import PointConsumption, Question
from services.costs import PartCost, PointCost, costs, unit_price
from services.demand import advice, booked_of, demand, year_until
from services.monthly_use import Months, months_of
from tests.unit.api_fakes import Rates

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
EL = Point(
    id="EL",
    building="B",
    name="Elektřina",
    commodity=Commodity.ELECTRICITY,
    reserved_kw=(Dated(since=date(2024, 3, 1), value=50.0), Dated(since=date(2026, 3, 1), value=20.0, kind="monthly")),
)
WATER = Point(id="V", building="B", name="Voda", commodity=Commodity.COLD_WATER)
BUILDINGS = {"B": Building(id="B", organisation="O", name="Škola")}
OWN = """
[[connection]]
id = "vn"
distributor = "ČEZ Distribuce"
level = "VN"
since = 2020-01-01
points = ["EL"]

[[price]]
id = "el"
commodity = "electricity"
price = 3000.0
unit = "Kč/MWh"
month_czk = 100.0
covers = ["energy", "standing"]
vat_percent = 21
since = 2024-01-01
source = "smlouva"

[[price]]
id = "sit"
commodity = "electricity"
price = 500.0
unit = "Kč/MWh"
covers = ["network", "system", "tax"]
vat_percent = 21
since = 2024-01-01
source = "cenové rozhodnutí"

[[price]]
id = "voda"
commodity = "cold_water"
price = 120.0
unit = "Kč/m3"
covers = ["energy", "standing", "sewage"]
vat_percent = 12
since = 2024-01-01
source = "vodárna"
"""


def tables(folder: Path, text: str = OWN) -> RegionTables:
    file = folder / "tariffs.toml"
    file.write_text(text, "utf-8")
    return RegionTables(tariffs=load_tariffs(file))


class Peaks(Rates):
    """Runs at a constant rate but for one quarter-hour of 15 kWh (60 kW) at noon of the 10th of each month."""

    def __call__(self, question: Question) -> list[PointConsumption]:
        found = super().__call__(question)
        if question.period is not Period.QUARTER_HOUR:
            return found
        starts, _ = spans(question.period, instant(question.start), instant(question.end), question.zone)
        noon = (starts.astype("M8[D]") - starts.astype("M8[M]") == 9) & (
            starts - starts.astype("M8[D]") == np.timedelta64(12, "h")
        )
        quarter = np.timedelta64(15, "m")
        return [
            replace(p, amount=np.where(noon, 15.0, p.amount), first_at=starts, last_at=starts + quarter) for p in found
        ]


def ask(**of: tuple[float, str]) -> Peaks:
    return Peaks({key: (rate, unit, SINCE, UNTIL) for key, (rate, unit) in of.items()})


def months(first: str, last: str, period: Period = Period.MONTH) -> Months:
    edges = (datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=PRAGUE) for day in (first, last))
    return months_of(period, *edges, PRAGUE)


def part(bill: PointCost, which: CostPart) -> PartCost:
    return next(p for p in bill.parts if p.part is which)


def test_a_bill_has_every_part_with_its_price_and_source(tmp_path: Path) -> None:
    grid = months("2026-01-01", "2026-03-01")
    january, february = costs([EL], BUILDINGS, grid, ask=ask(EL=(10, "kWh")), tables=tables(tmp_path))
    assert part(january, CostPart.ENERGY).czk == pytest.approx(7440 * 3 + 100)
    assert part(january, CostPart.STANDING).czk == 0.0
    assert part(january, CostPart.NETWORK).czk == pytest.approx(7440 * 0.5)
    assert part(january, CostPart.CAPACITY).czk == pytest.approx(50 * 252.565)
    assert part(january, CostPart.BREACH).czk == pytest.approx(10 * 1.5 * 281.823)
    assert part(january, CostPart.RENEWABLES).czk == 0.0
    assert january.czk == pytest.approx(7440 * 3.5 + 100 + 50 * 252.565 + 10 * 422.7345)
    assert part(january, CostPart.ENERGY).vat_czk == pytest.approx((7440 * 3 + 100) * 0.21)
    assert [p.provenance.source for p in part(january, CostPart.ENERGY).prices] == ["smlouva"]
    assert part(february, CostPart.BREACH).rules[0].id == "cez-vn-2026"


def test_a_part_without_price_leaves_the_bill_open_and_says_so(tmp_path: Path) -> None:
    text = OWN.replace('covers = ["network", "system", "tax"]', 'covers = ["network"]')
    (bill,) = costs(
        [EL], BUILDINGS, months("2026-01-01", "2026-02-01"), ask=ask(EL=(10, "kWh")), tables=tables(tmp_path, text)
    )
    assert bill.czk is None
    assert bill.known_czk == pytest.approx(7440 * 3.5 + 100 + 50 * 252.565 + 10 * 422.7345)
    assert part(bill, CostPart.TAX).reasons == ("no_price",)
    assert part(bill, CostPart.SYSTEM).czk is None


def test_a_breach_of_2025_has_no_cost_for_its_rule_has_no_price(tmp_path: Path) -> None:
    (bill,) = costs(
        [EL], BUILDINGS, months("2025-01-01", "2025-02-01"), ask=ask(EL=(10, "kWh")), tables=tables(tmp_path)
    )
    assert part(bill, CostPart.CAPACITY).czk == pytest.approx(50 * 237.309)
    assert (part(bill, CostPart.BREACH).czk, part(bill, CostPart.BREACH).reasons) == (None, ("no_price",))
    assert part(bill, CostPart.RENEWABLES).reasons == ("no_price",)


def test_without_a_connection_or_contract_nothing_is_invented() -> None:
    (bill,) = costs(
        [EL],
        BUILDINGS,
        months("2026-01-01", "2026-02-01"),
        ask=ask(EL=(10, "kWh")),
        tables=RegionTables(tariffs=load_tariffs()),
    )
    assert bill.czk is None
    assert part(bill, CostPart.CAPACITY).reasons == ("no_connection",)
    assert part(bill, CostPart.ENERGY).reasons == ("no_price",)
    assert bill.known_czk == 0.0  # the support of renewables, which is none in 2026


def test_water_costs_its_cubic_metres_and_a_price_of_another_unit_is_not_taken(tmp_path: Path) -> None:
    grid = months("2026-01-01", "2026-02-01")
    (bill,) = costs([WATER], BUILDINGS, grid, ask=ask(V=(1, "m³")), tables=tables(tmp_path))
    assert bill.czk == pytest.approx(744 * 120)
    assert bill.vat_czk == pytest.approx(744 * 120 * 0.12)
    wrong = OWN.replace('"Kč/m3"', '"Kč/kWh"')
    (other,) = costs([WATER], BUILDINGS, grid, ask=ask(V=(1, "m³")), tables=tables(tmp_path, wrong))
    assert (other.czk, part(other, CostPart.ENERGY).reasons) == (None, ("price_unit",))


def test_a_year_of_bills_is_the_sum_of_its_months(tmp_path: Path) -> None:
    given = tables(tmp_path)
    parts = costs(
        [EL, WATER], BUILDINGS, months("2026-01-01", "2027-01-01"), ask=ask(EL=(10, "kWh"), V=(1, "m³")), tables=given
    )
    whole = costs(
        [EL, WATER],
        BUILDINGS,
        months("2026-01-01", "2027-01-01", Period.YEAR),
        ask=ask(EL=(10, "kWh"), V=(1, "m³")),
        tables=given,
    )
    assert sum(b.czk or 0 for b in parts) == pytest.approx(sum(b.czk or 0 for b in whole))
    assert len(parts) == 24


def test_low_voltage_has_no_reserved_capacity(tmp_path: Path) -> None:
    given = tables(tmp_path, OWN.replace('"VN"', '"NN"'))
    small = replace(EL, reserved_kw=())
    (bill,) = costs([small], BUILDINGS, months("2026-01-01", "2026-02-01"), ask=ask(EL=(10, "kWh")), tables=given)
    assert part(bill, CostPart.CAPACITY).czk == 0.0
    assert bill.czk == pytest.approx(7440 * 3.5 + 100)


def test_one_more_kilowatt_hour_costs_what_its_parts_say(tmp_path: Path) -> None:
    price = unit_price(EL, "O", date(2026, 5, 1), tables(tmp_path).tariffs)
    assert price.czk == pytest.approx(3.5)
    assert (price.unit, price.lacking) == ("kWh", ())
    none = unit_price(EL, "O", date(2026, 5, 1), load_tariffs())
    assert none.czk is None
    assert CostPart.ENERGY in none.lacking


def test_monthly_capacity_is_that_of_its_month_alone(tmp_path: Path) -> None:
    booked = booked_of(EL, [date(2026, m, 1) for m in (2, 3, 4)])
    assert booked.capacity_kw.tolist() == [50.0, 70.0, 50.0]
    found = demand(EL, "O", months("2026-02-01", "2026-05-01"), ask=ask(EL=(10, "kWh")), tables=tables(tmp_path))
    assert [m.breach_kw for m in found.months] == [10.0, 0.0, 10.0]
    assert [m.peak_kw for m in found.months] == [60.0] * 3
    assert found.months[0].at == datetime(2026, 2, 10, 12, tzinfo=UTC)
    assert found.curve.power_kw[0] == 60.0


def test_a_point_without_reserved_capacity_has_a_maximum_but_no_breach(tmp_path: Path) -> None:
    found = demand(
        replace(EL, reserved_kw=()),
        "O",
        months("2026-02-01", "2026-03-01"),
        ask=ask(EL=(10, "kWh")),
        tables=tables(tmp_path),
    )
    assert (found.months[0].peak_kw, found.months[0].breach_kw) == (60.0, None)
    assert "no_reserved" in found.months[0].reasons


def test_a_month_with_gaps_says_so_and_one_to_come_has_no_maximum(tmp_path: Path) -> None:
    part_of = Peaks({"EL": (10.0, "kWh", SINCE, datetime(2026, 2, 20, tzinfo=UTC))})
    found = demand(EL, "O", months("2026-01-01", "2026-04-01"), ask=part_of, tables=tables(tmp_path))
    assert "gaps" not in found.months[0].reasons
    assert "gaps" in found.months[1].reasons
    assert found.months[1].peak_kw == 60.0
    assert found.months[2].peak_kw is None
    assert "coming" in found.months[2].reasons
    assert found.months[2].breach_czk is None


def test_advice_is_from_the_last_twelve_months_by_the_rule_to_come(tmp_path: Path) -> None:
    year = year_until(datetime(2026, 6, 15, tzinfo=UTC))
    assert (year.firsts[0], year.span(0)[1]) == (date(2025, 6, 1), date(2026, 6, 1))
    found = advice(EL, "O", year, ask=ask(EL=(10, "kWh")), tables=tables(tmp_path))
    assert isinstance(found.found, Advice)
    assert (found.found.yearly_kw, set(found.found.monthly_kw)) == (60.0, {0.0})
    assert found.found.saving_czk == pytest.approx(11 * (10 * 422.7345) + 20 * 281.823 - 12 * 10 * 252.565)
    assert found.lowered_from is None
    later = advice(EL, "O", year, ask=ask(EL=(10, "kWh")), tables=tables(tmp_path), rule_day=date(2027, 1, 1))
    assert isinstance(later.found, Advice)
    assert later.found.input_kw == pytest.approx(60.0)


def test_advice_knows_from_when_the_yearly_capacity_may_be_lowered(tmp_path: Path) -> None:
    changed = replace(EL, reserved_kw=(Dated(since=date(2025, 11, 15), value=80.0),))
    found = advice(
        changed, "O", year_until(datetime(2026, 6, 15, tzinfo=UTC)), ask=ask(EL=(10, "kWh")), tables=tables(tmp_path)
    )
    assert found.lowered_from == date(2026, 12, 1)


def test_without_a_rule_or_a_whole_year_there_is_no_advice(tmp_path: Path) -> None:
    year = year_until(datetime(2026, 6, 15, tzinfo=UTC))
    blank = advice(EL, "O", year, ask=ask(EL=(10, "kWh")), tables=RegionTables(tariffs=load_tariffs()))
    assert blank.found == NoAdvice(reason="no_rule")
    half = Peaks({"EL": (10.0, "kWh", datetime(2025, 12, 1, tzinfo=UTC), UNTIL)})
    assert advice(EL, "O", year, ask=half, tables=tables(tmp_path)).found == NoAdvice(reason="peaks_missing")


def test_water_has_no_quarter_hour_demand(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name a point of electricity"):
        demand(WATER, "O", months("2026-01-01", "2026-02-01"), ask=ask(V=(1, "m³")), tables=tables(tmp_path))
