from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from api.contract import SCHEMAS
from config.factors import load_factors
from config.populations import load_populations
from config.tariffs import load_tariffs
from core.dated_tables import Validity
from core.factors import Carrier
from core.region_tables import RegionTables
from core.registry import Building, Commodity, Dated, Point
from core.tariffs import Connection
from tests.unit.api_fakes import NOW, Rates
from tests.unit.api_world import World, build_world

SINCE = datetime(2018, 1, 1, tzinfo=UTC)
SHIPPED = RegionTables(factors=load_factors(), tariffs=load_tariffs(), populations=load_populations())
VN = Connection(id="vn", distributor="ČEZ Distribuce", level="VN", valid=Validity(since=date(2020, 1, 1)))
CONNECTED = replace(SHIPPED, tariffs=replace(SHIPPED.tariffs, connections=(VN,)))
RATES = {
    "B01-EL": (2.0, "kWh", SINCE, NOW),
    "B01-VO": (0.1, "m³", SINCE, NOW),
    "B02-EL": (10.0, "kWh", SINCE, NOW),
    "B01-G": (5.0, "kWh", SINCE, NOW),
    "B02-T": (4.0, "kWh", SINCE, NOW),
}


class Quarters(Rates):
    """Rates whose quarter-hours rest on readings a quarter-hour apart."""

    def __call__(self, question: Any) -> Any:  # noqa: ANN401 - as the fake
        found = super().__call__(question)
        if question.period != "quarter-hour":
            return found
        known = np.timedelta64(15, "m")
        return [replace(p, first_at=p.starts, last_at=p.starts + known) for p in found]


def world(tables: RegionTables = CONNECTED) -> World:
    made = build_world(ask=Quarters(RATES), dated=tables)
    made.records.save(
        [
            replace(
                made.records.get(Building, "B01"),
                users=(Dated(since=date(2018, 1, 1), value=450.0, kind="pupils"),),
                areas=(Dated(since=date(2018, 1, 1), value=5400.0),),
            ),
            replace(made.records.get(Point, "B01-EL"), reserved_kw=(Dated(since=date(2020, 1, 1), value=1.5),)),
            Point(id="B01-G", building="B01", name="Plyn", commodity=Commodity.GAS),
            Point(id="B02-T", building="B02", name="Teplo", commodity=Commodity.HEAT),
        ],
        by="test",
        now=NOW,
    )
    return made


@pytest.fixture(scope="module")
def client() -> Any:  # noqa: ANN401 - of the fakes
    return world().client()


def test_the_answer_has_tonnes_with_factor_version_and_source(client: Any) -> None:  # noqa: ANN401 - of the fakes
    found = client.get("/api/v1/emissions?from=2024&to=2025&point=B01-EL").json()
    (year,) = found["values"]
    assert year["location_t"] == pytest.approx(2 * 8784 * 0.34 / 1000)
    used = year["carriers"][0]["location"]["factors"][0]
    assert (used["factor"]["id"], used["factor"]["version"], used["from"], used["to"]) == (
        "mpo-electricity-2024", 1, "2024-01", "2024-12"
    )  # fmt: skip
    assert used["factor"]["source"]["source"].startswith("MPO")
    assert year["kg_per_user"] == pytest.approx(2 * 8784 * 0.34 / 450)


def test_what_has_no_factor_is_null_with_the_reason_in_czech(client: Any) -> None:  # noqa: ANN401 - same
    (year,) = client.get("/api/v1/emissions?from=2022&to=2023&organisation=O1").json()["values"]
    assert year["location_t"] is None
    assert year["location_known_t"] == pytest.approx(5 * 8760 / 1.108 * 0.2 / 1000)
    electricity = next(c for c in year["carriers"] if c["carrier"] == "electricity")
    (lack,) = electricity["location"]["lacking"]
    assert lack["text"].startswith("nelze stanovit: v tabulce není emisní faktor")
    assert (lack["from"], lack["to"], lack["amount"]) == ("2022-01", "2022-12", 17_520)
    english = client.get("/api/v1/emissions?from=2022&to=2023&organisation=O1&lang=en").json()
    assert "cannot be determined" in str(english)


def test_heat_asks_for_the_suppliers_factor(client: Any) -> None:  # noqa: ANN401 - same
    (year,) = client.get("/api/v1/emissions?from=2024&to=2025&point=B02-T").json()["values"]
    assert year["location_t"] is None
    assert "faktor dodavatele" in year["carriers"][0]["location"]["lacking"][0]["text"]


def test_the_inhabitants_of_a_year_come_with_their_states(client: Any) -> None:  # noqa: ANN401 - same
    (year,) = client.get("/api/v1/emissions?from=2019&to=2020&point=B01-EL").json()["values"]
    assert year["inhabitants"]["count"] == 443_023
    assert year["kg_per_inhabitant"] == pytest.approx(2 * 8760 * 0.428 / 443_023)
    assert len(year["inhabitants"]["sources"]) == 2


def test_a_change_adds_up_and_names_what_it_could_not_tell(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/emissions/change?from=2025&point=B01-EL&point=B01-G").json()
    split = found["split"]
    assert found["whole"]
    assert sum(round(v * 1e9) for v in split["parts"].values()) == round(split["change"] * 1e9)
    assert split["reasons"]["weather"]["text"].startswith("nelze stanovit")
    assert split["parts"]["factor"] == pytest.approx(-2 * 8772 * 0.01 / 1000, rel=1e-3)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/v1/emissions?period=day", "period"),
        ("/api/v1/emissions?version=mpo", "version"),
        ("/api/v1/emissions?lang=de", "lang"),
        ("/api/v1/emissions/change?from=2025-01-15&to=2025-03-01", "from"),
        ("/api/v1/emissions/change?from=2025-01-15", "to"),
        ("/api/v1/emissions/change?from=2025&compare=next-year", "compare"),
        ("/api/v1/demand?point=B01-VO&from=2025", "point"),
        ("/api/v1/demand/advice?point=B01-EL&day=31.12.2026", "day"),
        ("/api/v1/costs?period=quarter-hour", "period"),
    ],
)
def test_a_question_that_cannot_be_names_its_place(client: Any, path: str, place: str) -> None:  # noqa: ANN401 - same
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == place


def test_factors_are_listed_with_all_their_versions(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/factors?carrier=electricity").json()
    assert {f["carrier"] for f in found["factors"]} == {Carrier.ELECTRICITY}
    assert found["ratios"][0]["gross_over_net"] == 1.108
    assert found["order"]["electricity"] == ["mpo-production"]


def test_demand_has_the_months_maxima_and_their_cost(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/demand?point=B01-EL&from=2026-01&to=2026-02").json()
    (month,) = found["months"]
    assert (month["peak_kw"], month["breach_kw"], month["quarter_hours"]) == (2.0, 0.5, 2976)
    assert month["breach_czk"] == pytest.approx(0.5 * 422.7345)
    assert found["curve"]["hours"] == 744
    assert found["rules"][0]["source"]["source"].startswith("ERÚ")


def test_advice_tells_what_it_saves_and_by_which_rule(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/demand/advice?point=B01-EL&day=2026-04-01").json()
    assert (found["mixed"]["yearly_kw"], found["mixed"]["monthly_kw"]) == (2.0, {})
    assert found["mixed"]["saving_czk"] == pytest.approx(12 * 0.5 * (422.7345 - 252.565))
    assert found["rule"]["id"] == "cez-vn-2026"
    none = client.get("/api/v1/demand/advice?point=B01-EL&day=2025-04-01").json()
    assert none["mixed"] is None
    assert none["reason"]["text"].startswith("nelze stanovit")


def test_costs_say_which_part_has_no_price(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/costs?point=B01-EL&from=2026-01&to=2026-02").json()
    (bill,) = found["values"]
    parts = {p["part"]: p for p in bill["parts"]}
    assert bill["czk"] is None
    assert parts["capacity"]["czk"] == pytest.approx(1.5 * 252.565)
    assert parts["energy"]["reasons"][0]["code"] == "no_price"


def test_benchmarks_say_when_there_are_too_few(client: Any) -> None:  # noqa: ANN401 - same
    found = client.get("/api/v1/benchmarks?measure=energy-per-area&from=2025").json()
    school = next(k for k in found["kinds"] if k["kind"] == "school")
    assert (school["count"], school["few"], school["lower_quartile"]) == (1, True, None)
    assert school["buildings"][0]["value"] == pytest.approx(7 * 8760 / 5400, rel=1e-3)
    hospital = next(k for k in found["kinds"] if k["kind"] == "hospital")
    assert hospital["buildings"][0]["reason"]["code"] == "no_size"


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/api/v1/emissions?from=2022&to=2026", "Emissions"),
        ("/api/v1/emissions?from=2025&to=2026&period=month&organisation=O2", "Emissions"),
        ("/api/v1/emissions/change?from=2025", "ChangeRow"),
        ("/api/v1/factors", "Factors"),
        ("/api/v1/costs?from=2026-01&to=2026-03", "Costs"),
        ("/api/v1/demand?point=B02-EL&from=2026-01&to=2026-03", "DemandAnswer"),
        ("/api/v1/demand/advice?point=B02-EL", "AdviceAnswer"),
        ("/api/v1/benchmarks?measure=water-per-pupil", "Benchmarks"),
    ],
)
def test_answers_are_of_the_types_of_the_contract(client: Any, path: str, schema: str) -> None:  # noqa: ANN401 - same
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.content, type=SCHEMAS[schema])


TABLES = {"connected": CONNECTED, "shipped": SHIPPED, "empty": RegionTables()}


@cache
def client_of(name: str) -> Any:  # noqa: ANN401 - of the fakes
    return world(TABLES[name]).client()


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.parametrize(
    "path",
    [
        "/emissions",
        "/emissions?by=month&year=2024",
        "/emissions?building=B01&year=2022",
        "/costs",
        "/costs?year=2025&organisation=O1",
        "/demand/B01-EL",
        "/demand/B02-EL?year=2025",
        "/benchmarks",
        "/benchmarks?measure=water-per-person&year=2024",
    ],
)
@pytest.mark.parametrize("lang", ["cs", "en"])
def test_pages_show_with_any_tables(tables: str, path: str, lang: str) -> None:
    answer = client_of(tables).get(path, headers={"accept-language": lang})
    assert answer.status_code == 200, answer.text
    assert ("nelze stanovit" in answer.text or "Srovnání" in answer.text) == (lang == "cs")


def test_pages_show_where_nothing_is_known() -> None:
    made = build_world(ask=Rates({}), dated=SHIPPED)
    for path in ("/emissions", "/costs", "/benchmarks", "/demand/B01-EL"):
        assert made.client().get(path).status_code == 200
