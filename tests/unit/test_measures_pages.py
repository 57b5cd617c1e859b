"""Pages and API of stations, models and measures, over real stores with weather and loads whose truth is known."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
import pytest
from httpx import Client
from prometheus_client import CollectorRegistry

from analytics.baseline.sufficiency import TEXTS
from api.application import Dependencies, build_api
from api.contract import SCHEMAS
from api.model_texts import REASONS
from config.degree_days import load_normals
from core.region_tables import RegionTables
from core.registry import Adjustment, Commodity, Measure, Point, Station
from ingest.weather_files import WeatherFiles
from services.baselines import Facts
from services.savings import TEXTS_OF_SAVINGS
from tests.unit.api_fakes import LineTables, OneReadingIntake
from tests.unit.api_world import InProcess
from tests.unit.savings_world import CALIBRATION, NOW, World, build_world, gas_point, heating, since

COAT = Measure(
    id="OP-1",
    name="Zateplení",
    points=("gas",),
    effective=date(2025, 1, 1),
    investment_czk=500_000,
    activity="2.1-A",
    expected_saving=20,
    expected_unit="MWh",
)
BLIND = replace(COAT, id="OP-2", name="Nová okna", points=("young",), activity="2.1-A")
OTHER = replace(COAT, id="OP-3", name="Mimo plán", points=("water",), activity="", expected_saving=None)
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Client]]:
    after = since("2025-01-01")
    use = {
        "gas": np.where(after, heating(5) * 0.75, heating(5)),
        "young": np.where(since("2024-09-01"), heating(6), np.nan),
        "water": np.abs(np.random.default_rng(4).normal(8, 1.5, len(after))),
        "roof": np.abs(np.random.default_rng(7).normal(8, 1.5, len(after))),
    }
    water: Point = gas_point("water", Commodity.COLD_WATER)
    roof: Point = gas_point("roof", Commodity.PV)
    world = build_world(tmp_path_factory.mktemp("stores"), use, water, roof, COAT, BLIND, OTHER)
    world.ask.unit = {"water": "m³"}
    app = build_api(
        Dependencies(
            readings=world.readings,
            records=world.records,
            intake=OneReadingIntake(world.readings),  # type: ignore[arg-type]  # it only writes
            tables=LineTables(),
            reading_tables=None,  # type: ignore[arg-type]  # no table is read here
            clock=lambda: NOW,
            version="0",
            metrics=CollectorRegistry(),
            ask=world.ask,
            facts=Facts(calibration=CALIBRATION),
            temperature_files=WeatherFiles(),
            dated=RegionTables(normals=load_normals()),
        )
    )
    yield world, Client(transport=InProcess(app), base_url="http://odecet.test", headers=HTML)
    world.close()


@pytest.fixture
def client(stage: tuple[World, Client]) -> Client:
    return stage[1]


def shown(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)).replace(
        "\u00a0", " "
    )


PAGES = [
    "/measures",
    "/measures/OP-1",
    "/measures/OP-2",
    "/measures/OP-3",
    "/points/gas/model",
    "/points/young/model",
    "/points/water/model",
    "/points/gas/model?train_from=2023-01-01&train_to=2023-12-31",
    "/stations",
    "/stations/liberec",
    "/stations/liberec?period=month&indoor=21",
    "/points/gas",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["cs", "en"])
def test_every_page_is_shown_in_both_languages(client: Client, path: str, lang: str) -> None:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
    assert answer.status_code == 200, answer.text[:2000]
    assert f'<html lang="{lang}">' in answer.text
    assert "nan" not in shown(answer.text).lower().split()
    assert "%(" not in answer.text


def test_the_list_sums_only_the_plans_measures_and_says_what_is_unknown(client: Client) -> None:
    text = shown(client.get("/measures?lang=cs").text)
    assert "2 opatření, u 1 není známo vše" in text
    assert "průkazná" in text
    assert "nedostatek dat: změřeno je" in text
    total = client.get("/api/v1/savings").json()
    assert [u["unit"] for u in total["units"]] == ["kWh"]
    assert total["units"][0]["points_unknown"] == 1
    assert {m["measure"] for m in total["measures"]} == {"OP-1", "OP-2"}
    every = client.get("/api/v1/savings?counted=false").json()
    assert {m["measure"] for m in every["measures"]} == {"OP-1", "OP-2", "OP-3"}


def test_a_measures_saving_is_told_with_its_intervals_and_worth(client: Client) -> None:
    saving = client.get("/api/v1/measures/OP-1/saving?price_czk=2").json()
    msgspec.convert(saving, SCHEMAS["Saving"])
    total = saving["units"][0]["total"]
    assert total["low90"] < total["low68"] < total["saving"] < total["high68"] < total["high90"]
    assert total["significant"] is True
    assert saving["worth"]["czk"] == pytest.approx(2 * total["saving"])
    assert saving["worth"]["payback_years"] > 0
    assert saving["points"][0]["calibration"]["meters"] > 0
    year = client.get("/api/v1/savings?from=2025&to=2026").json()["units"][0]["total"]["saving"]
    months = [m for m in saving["units"][0]["months"] if m["month"].startswith("2025")]
    assert year == pytest.approx(sum(m["alone"]["saving"] for m in months), abs=1e-6)


def test_an_unknown_saving_is_null_with_its_reason(client: Client) -> None:
    saving = client.get("/api/v1/measures/OP-2/saving?price_czk=2").json()
    assert (saving["status"], saving["units"], saving["worth"]["czk"]) == ("unknown", [], None)
    assert saving["points"][0]["reasons"][0]["code"] == "missing_training"
    assert client.get("/api/v1/measures/nowhere/saving").status_code == 404


def test_a_model_gives_its_days_lines_and_quality(client: Client) -> None:
    found = client.get("/api/v1/points/gas/model").json()
    msgspec.convert(found, SCHEMAS["Model"])
    assert (found["trained_from"], found["trained_to"]) == ("2024-01-02", "2024-12-31")
    assert found["quality"]["cvrmse"] < 0.25
    assert found["after"]["saving"]["saving"] > 0
    cold, warm = (found["lines"]["workday"][n] for n in (0, -1))
    assert cold > 2 * warm
    young = client.get("/api/v1/points/young/model").json()
    assert (young["sufficient"], young["quality"], young["after"]) == (False, None, None)
    assert all(day["predicted"] is None for day in young["days"])
    refused = client.get("/api/v1/points/roof/model")
    assert refused.status_code == 422
    assert client.get("/api/v1/points/gas/model?train_from=2025-01-01&train_to=2024-01-01").status_code == 422


def test_days_and_degree_days_of_a_station(client: Client) -> None:
    days = client.get("/api/v1/stations/liberec/days?from=2025-01&to=2025-02").json()
    msgspec.convert(days, SCHEMAS["Days"])
    assert (len(days["days"]), days["unknown_days"]) == (31, 0)
    degrees = client.get("/api/v1/stations/liberec/degree-days?from=2024&to=2026&period=year").json()
    msgspec.convert(degrees, SCHEMAS["StationDegreeDays"])
    assert [p["first"] for p in degrees["periods"]] == ["2024-01-01", "2025-01-01"]
    january = [20 - d["temp_c"] for d in days["days"] if d["temp_c"] < 13]
    month = client.get("/api/v1/stations/liberec/degree-days?from=2025-01&to=2025-02").json()["periods"][0]
    assert month["czech"] == pytest.approx(sum(january), abs=0.05)
    assert degrees["normal"]["degree_days"] == pytest.approx(256 * (20 - 3.6))
    assert client.get("/api/v1/stations/liberec/degree-days?period=day").status_code == 422


def test_temperatures_come_in_by_file_and_by_page(stage: tuple[World, Client]) -> None:
    world, client = stage
    made = {"id": "hill", "name": "Kopec", "altitude": "502", "fallbacks": "liberec"}
    assert client.post("/stations", data=made).status_code == 303
    assert world.records.get(Station, "hill").altitude_m == 502
    csv = "Datum;Teplota\r\n" + "".join(f"{d:02}.01.2026;{-d / 10}\r\n" for d in range(1, 32)).replace(".", ".")
    stored = client.post("/api/v1/stations/hill/temperatures?name=kopec.csv", content=csv.encode())
    assert stored.json() == {"station": "hill", "stored": 31}
    days = client.get("/api/v1/stations/hill/days?from=2026-01-30&to=2026-02-02").json()["days"]
    assert [(d["source"], d["temp_c"]) for d in days[:2]] == [("hill", -3.0), ("hill", -3.1)]
    assert [d["source"] for d in days[2:]] == ["liberec"]
    assert "kopec" not in client.get("/stations/hill?lang=cs").text
    wrong = client.post("/api/v1/stations/hill/temperatures", content=b"Datum;Teplota\n1.1.2026;-999\n")
    assert (wrong.status_code, "row 2" in wrong.text) == (422, True)
    assert client.post("/api/v1/stations/nowhere/temperatures", content=csv.encode()).status_code == 404
    off = client.post("/api/v1/stations/hill/fetch?from=2026-01-01")
    assert (off.status_code, "switched off" in off.text) == (422, True)
    upload = client.post("/stations/hill/file", files={"file": ("a.csv", "Datum;Teplota\n2.2.2026;4,5\n")})
    assert upload.status_code == 303
    day = client.get("/api/v1/stations/hill/days?from=2026-02-02&to=2026-02-03").json()["days"][0]
    assert (day["source"], day["temp_c"]) == ("hill", 4.5)


def test_a_measure_is_added_changed_and_removed_on_the_page(stage: tuple[World, Client]) -> None:
    world, client = stage
    form = {
        "id": "OP-9",
        "name": "Regulace",
        "points": "gas, young",
        "effective": "2026-01-01",
        "works_from": "2025-11-01",
        "kind": "regulation",
        "investment": "1 250 000,50",
        "expected": "12,5",
        "unit": "MWh",
        "activity": "2.1-B",
    }
    assert client.post("/measures", data=form).headers["location"] == "/measures/OP-9?done=saved"
    made = world.records.get(Measure, "OP-9")
    assert (made.points, made.investment_czk, made.expected("kWh")) == (("gas", "young"), 1_250_000.5, 12_500)
    assert client.post("/measures", data=form).status_code == 409
    assert client.post("/measures", data={**form, "changing": "yes", "name": "Regulace 2"}).status_code == 303
    assert world.records.get(Measure, "OP-9").name == "Regulace 2"
    assert client.post("/measures", data={**form, "id": "OP-8", "points": "nowhere"}).status_code == 409
    assert client.post("/measures/OP-9/remove").status_code == 303
    assert world.records.count(Measure) == 3


def test_a_change_is_logged_at_the_point_and_taken_out(stage: tuple[World, Client]) -> None:
    world, client = stage
    form = {"since": "2025-06-01", "kind": "area_change", "reason": "přístavba", "factor": "1,2"}
    assert client.post("/points/water/adjustments", data=form).status_code == 303
    event = world.records.find(Adjustment)[0]
    assert (event.point, event.factor, event.since) == ("water", 1.2, date(2025, 6, 1))
    assert "přístavba" in client.get("/points/water/model").text
    both = client.post("/points/water/adjustments", data={**form, "per_day": "5"})
    assert both.status_code == 422
    assert client.post(f"/adjustments/{event.id}/remove", data={"point": "water"}).status_code == 303
    assert world.records.count(Adjustment) == 0


def test_every_reason_has_a_text_with_the_same_facts() -> None:
    texts = {**TEXTS, **TEXTS_OF_SAVINGS}
    assert set(REASONS) == set(texts)
    for code, text in REASONS.items():
        assert set(re.findall(r"{(\w+)}", text)) <= set(re.findall(r"{(\w+)}", texts[code])), code
