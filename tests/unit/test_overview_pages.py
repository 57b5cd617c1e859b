"""The overview, the buildings, a building, the meters and the map of gaps, as people see them."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from httpx import Client

from api.pages.navigation import GROUPS
from api.warming import warm
from core.alerts import Alert, Severity, State, Subject
from core.registry import Building, BuildingKind, Commodity, Dated, DialEvent, Measure, Meter, Point
from services.outlook import Expected, Outlook, Peak, PointOutlook, keep_outlook
from services.savings import Month, Share
from tests.unit.api_fakes import NOW, Rates
from tests.unit.api_world import World, build_world

HTML = {"accept": "text/html"}
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
NBSP = "\u00a0"


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client(**HTML)


def shown(page: str) -> str:
    """Return what a page says, without tags and with plain spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page).replace(NBSP, " "))


def alert(key: str, czk: float | None, *, building: str = "B01", standing: bool = True) -> Alert:
    begin = NOW - timedelta(days=2)
    return Alert(
        id=key, key=key, rule="leak", kind=Subject.POINT, subject="B01-VO", building=building, state=State.OPEN,
        severity=Severity.MEDIUM, opened_at=begin, changed_at=begin, at_from=begin, seen_to=NOW, standing=standing,
        loss_per_day=1.0, unit="m³", loss_czk_per_day=czk,
    )  # fmt: skip


def month(of: date, saving_kwh: float, half90: float) -> Month:
    nano = round(saving_kwh * 1e9)
    return Month(
        month=of, days=30, of_days=30, actual=1.0, baseline=1.0, saving_nano=nano, half68=half90 / 2, half90=half90,
        so_far_nano=nano, so_far_half68=half90 / 2, so_far_half90=half90,
    )  # fmt: skip


def outlook() -> Outlook:
    def expected(first: date, predicted: float) -> Expected:
        return Expected(
            first=first, days=30, of_days=30, actual=1100.0, predicted=predicted, half68=20.0, half90=55.0
        )  # fmt: skip

    months = tuple(expected(date(2026, n, 1), 1000.0) for n in (1, 2, 3))
    known = PointOutlook(point="B01-EL", unit="kWh", year=expected(date(2026, 1, 1), 1000.0), months=months)
    share = Share(measure="OP1", point="B01-EL", unit="kWh", months=(month(date(2026, 2, 1), 1234.0, 200.0),))
    foreign = replace(share, measure="OP2", months=(month(date(2026, 2, 1), 99_000.0, 1.0),))
    near = Peak(point="B02-EL", month=date(2026, 3, 1), peak_kw=95.0, reserved_kw=100.0, at=NOW, breach_czk=None)
    far = replace(near, point="B01-EL", peak_kw=10.0)
    return Outlook(last=date(2026, 3, 14), points=(known,), shares=(share, foreign), peaks=(near, far))


# The overview


def test_alerts_come_by_what_they_cost_and_only_what_goes_on_is_added_up(world: World, client: Client) -> None:
    world.records.alerted = [alert("a", 10.0), alert("b", 900.0), alert("c", None), alert("d", 5.0, standing=False)]
    page = client.get("/?lang=cs").text
    assert re.findall(r'href="/alerts/(\w)"', page) == ["b", "a", "d", "c"]
    assert "910 Kč za den" in shown(page)
    assert "4 otevřená upozornění" in shown(page)


def test_the_weather_and_its_interval_stand_beside_last_year(world: World, client: Client) -> None:
    keep_outlook(world.records, outlook(), NOW)  # type: ignore[arg-type]
    text = shown(client.get("/?lang=cs").text)
    assert "+10,0 % ± 5,5 1/2" in text
    assert "proti počasí" in text


def test_without_anything_worked_out_the_page_says_so(client: Client) -> None:
    text = shown(client.get("/?lang=cs").text)
    assert "zatím spočteno není" in text
    assert "Zatím nespočteno" in text


def test_savings_are_of_the_plan_alone_with_their_interval(world: World, client: Client) -> None:
    plan = Measure(id="OP1", name="LED", points=("B01-EL",), effective=date(2025, 9, 1), activity="2.1.1")
    beside = replace(plan, id="OP2", activity="")
    world.records.save([plan, beside], by="test", now=NOW)
    keep_outlook(world.records, outlook(), NOW)  # type: ignore[arg-type]
    text = shown(client.get("/?lang=cs").text)
    assert "1 234 kWh ± 200,0 kWh" in text
    assert "99 000" not in text


def test_capacity_is_told_where_it_is_near(world: World, client: Client) -> None:
    keep_outlook(world.records, outlook(), NOW)  # type: ignore[arg-type]
    page = client.get("/?lang=cs").text
    assert "/demand/B02-EL" in page
    assert "/demand/B01-EL" not in page
    assert "95 / 100,0 kW" in shown(page)


def test_what_is_live_is_a_part_of_the_page_that_can_be_asked_for_alone(client: Client) -> None:
    part, page = (client.get(f"{path}?lang=cs").text for path in ("/live", "/"))
    assert "<html" not in part
    assert re.findall(r'href="/points/([^"]+)"', part) == ["B01-EL", "B01-VO", "B01-VO", "B01-EL"]
    assert re.findall(r'href="/points/([^"]+)"', page[page.index('id="feed"') :]) == re.findall(
        r'href="/points/([^"]+)"', part
    )
    assert "2 místa" in shown(part)


def test_gas_in_cubic_metres_is_never_added_to_kilowatt_hours() -> None:
    rates = Rates({key: (1.0, unit, SINCE, NOW) for key, unit in (("B01-EL", "kWh"), ("G1", "kWh"), ("G2", "m³"))})
    world = build_world(ask=lambda question: [p for key in question.points for p in one(rates, question, key)])
    gas = [Point(id=key, building="B02", name=key, commodity=Commodity.GAS) for key in ("G1", "G2")]
    world.records.save(gas, by="test", now=NOW)
    text = shown(world.client(**HTML).get("/?lang=cs").text)
    assert "Plyn (kWh) 1 752 kWh" in text
    assert "Plyn (m³) 1 752 m³" in text
    rows = csv.DictReader(io.StringIO(world.client(**HTML).get("/buildings?format=csv&lang=en").text))
    energy = {row["Id"]: row for row in rows}["B02"]
    assert float(energy["Energy this year [kWh]"]) == pytest.approx(2 * 73 * 24)
    assert float(energy["Missing share"]) == pytest.approx(1 / 3)
    assert energy["Change [%]"] == ""


def one(rates: Rates, question, key: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - a fake's fake
    return rates(replace(question, points=(key if key in rates.rates else "B01-EL",)))


# Buildings


def rows_of(page: str) -> list[str]:
    return re.findall(r'<tr>\s*<th scope="row"><a href="/buildings/([^"]+)"', page)


def grown(world: World) -> World:
    """Add buildings so that there is something to order."""
    since = date(2020, 1, 1)
    more = [
        Building(
            id=f"S{n}",
            organisation="O1",
            name=f"Škola {n}",
            kind=BuildingKind.SCHOOL,
            areas=(Dated(since=since, value=1000.0 * n),),
        )
        for n in range(1, 5)
    ]
    points = [Point(id=f"{b.id}-E", building=b.id, name="E", commodity=Commodity.ELECTRICITY) for b in more]
    world.records.save([*more, *points], by="test", now=NOW)
    world.rates.rates |= {f"S{n}-E": (float(n), "kWh", SINCE, NOW) for n in range(1, 5)}
    return world


def test_buildings_are_found_filtered_and_ordered(world: World) -> None:
    client = grown(world).client(**HTML)
    assert rows_of(client.get("/buildings").text) == ["B01", "B02", "S1", "S2", "S3", "S4"]
    assert rows_of(client.get("/buildings?q=%C5%A1kola").text) == ["S1", "S2", "S3", "S4"]
    assert rows_of(client.get("/buildings?kind=hospital").text) == ["B02"]
    assert rows_of(client.get("/buildings?organisation=O2").text) == ["B02"]
    most = rows_of(client.get("/buildings?sort=energy&down=true").text)
    assert most == ["B02", "S4", "S3", "B01", "S2", "S1"]
    area = rows_of(client.get("/buildings?sort=area").text)
    assert area == ["S1", "S2", "S3", "S4", "B01", "B02"]
    assert rows_of(client.get("/buildings?sort=area&down=true").text)[-1] == "B02"
    assert rows_of(client.get("/buildings?sort=nothing").text)[0] == "B01"


def test_a_building_is_ranked_within_its_kind(world: World) -> None:
    text = shown(grown(world).client(**HTML).get("/buildings/S4?lang=cs").text)
    assert "kWh/m² za rok 9 Pořadí v druhu" in text


def test_the_table_is_exported_as_it_is_shown(world: World) -> None:
    client = grown(world).client(**HTML)
    answer = client.get("/buildings?q=%C5%A1kola&sort=energy&down=true&format=csv&lang=en")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["Id"] for row in rows] == ["S4", "S3", "S2", "S1"]
    hours = 73 * 24
    assert float(rows[0]["Energy this year [kWh]"]) == pytest.approx(4 * hours)
    czech = client.get("/buildings?format=csv&lang=cs")
    assert czech.content.startswith("\ufeff".encode())
    assert ";" in czech.text
    assert client.get("/buildings?format=xlsx").headers["content-disposition"].endswith('.xlsx"')
    assert client.get("/buildings?format=pdf").status_code == 422


# A building


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year", "heating-season", "own"])
def test_a_building_is_shown_over_every_period(client: Client, period: str) -> None:
    page = client.get(f"/buildings/B01?period={period}&on=2026-02-10&from=2026-02-01&to=2026-02-10&lang=cs")
    assert page.status_code == 200
    assert "nan" not in shown(page.text).lower().split()
    assert "Týden po hodinách" in page.text
    assert "Rok proti roku" in page.text


def test_a_building_answers_how_it_does_against_last_year_and_weather(world: World, client: Client) -> None:
    keep_outlook(world.records, outlook(), NOW)  # type: ignore[arg-type]
    text = shown(client.get("/buildings/B01?lang=cs").text)
    hours = 73 * 24
    assert f"Spotřeba {2 * hours:,} kWh proti předchozímu roku".replace(",", " ") in text
    assert "proti počasí +10,0 % ± 5,5 1 000 kWh" in text


def test_a_building_exports_what_it_shows(world: World, client: Client) -> None:
    keep_outlook(world.records, outlook(), NOW)  # type: ignore[arg-type]
    answer = client.get("/buildings/B01?period=month&on=2026-02-01&carrier=electricity&format=csv&lang=en")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 28
    assert sum(float(row["Consumption"]) for row in rows) == pytest.approx(2 * 28 * 24)
    assert rows[0]["From"] == "2026-02-01 00:00:00"
    assert rows[0]["The year before"] == rows[0]["Consumption"]


def test_a_period_that_is_yet_to_come_says_so(client: Client) -> None:
    assert "Z tohoto období ještě nic neuplynulo" in client.get("/buildings/B01?on=2027-06-01&lang=cs").text


def test_sub_meters_stand_below_what_feeds_them_and_circles_end(world: World, client: Client) -> None:
    page = client.get("/buildings/B01").text
    assert re.search(r'class="d1"><a href="/points/B01-EL-K"', page)
    point = world.records.held[Point]["B01-EL"]
    world.records.save([replace(point, parent="B01-EL-K")], by="test", now=NOW)
    assert client.get("/buildings/B01").text.count('href="/points/B01-EL-K"') > 0


@pytest.mark.parametrize("query", ["period=decade", "on=yesterday", "period=own&from=1995-01-01&to=2026-01-01"])
def test_a_period_that_cannot_be_is_a_page_that_says_so(client: Client, query: str) -> None:
    assert client.get(f"/buildings/B01?{query}").status_code == 422


# Meters


def test_meters_are_told_alive_silent_or_never_heard(world: World, client: Client) -> None:
    listed = dict(
        re.findall(r'<a href="/points/([^"?]+)">.*?<span class="tag (\w+)">', client.get("/meters").text, re.DOTALL)
    )
    assert listed == {
        "B01-EL": "silent",
        "B01-VO": "silent",
        "B02-EL": "never_heard",
        "B01-EL-K": "unmetered",
        "B02-V": "unmetered",
    }
    only = client.get("/meters?state=never_heard").text
    assert "/points/B02-EL" in only
    assert "/points/B01-VO" not in only
    found = client.get("/meters?q=wm-1").text
    assert "/points/B01-VO" in found
    assert "/points/B01-EL" not in found
    point = world.records.held[Point]["B01-EL"]
    world.records.save([replace(point, allowed_gap_h=240.0)], by="test", now=NOW)
    assert re.search(r'points/B01-EL">.*?tag alive', client.get("/meters").text, re.DOTALL)


def test_an_exchange_is_recorded_by_its_form_in_the_unit_of_the_dial(world: World, client: Client) -> None:
    page = client.get("/meters/B01-EL/swap").text
    assert 'name="final:energy.import"' in page
    form = {
        "at": "2026-03-14T09:30",
        "final:energy.import": "12,5",
        "first:energy.import": "0,001",
        "unit:energy.import": "MWh",
        "serial": "998877",
    }
    answer = client.post("/meters/B01-EL/swap", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/points/B01-EL?done=exchanged")
    old, new = sorted((m for m in world.records.held[Meter].values() if m.point == "B01-EL"), key=lambda m: m.mounted)
    assert (old.final, new.first, new.serial) == (12_500.0, 1.0, "998877")
    assert new.mounted == datetime(2026, 3, 14, 8, 30, tzinfo=UTC)
    assert not world.records.held.get(DialEvent)


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("B01-EL", {"at": "2026-03-14T09:30", "final:energy.import": "hodně"}),
        ("B01-EL", {"final:energy.import": "1"}),
        ("B01-EL", {"at": "2027-03-14T09:30", "final:energy.import": "1"}),
        ("B02-V", {"at": "2026-03-14T09:30"}),
    ],
)
def test_an_exchange_that_cannot_be_records_nothing(
    world: World, client: Client, key: str, form: dict[str, str]
) -> None:
    before = dict(world.records.held[Meter])
    assert client.post(f"/meters/{key}/swap", data=form).status_code in {409, 422}
    assert world.records.held[Meter] == before


# Gaps


def test_the_map_of_gaps_shows_who_has_one_and_all_on_demand(client: Client) -> None:
    page = client.get("/gaps?lang=cs").text
    assert re.findall(r'<th scope="row"><a href="/points/([^"?]+)', page) == ["B01-VO"]
    assert "g-missing" in page
    assert "chybí: " in page
    every = client.get("/gaps?all=1").text
    assert len(re.findall(r'<th scope="row"><a href="/points/', every)) == 4
    assert client.get("/gaps?to=nikdy").status_code == 422


# The frame


def test_the_top_has_at_most_seven_entries_and_leads_where_one_is(client: Client) -> None:
    assert len(GROUPS) <= 7
    top, section = re.findall(r"<nav.*?</nav>", client.get("/points/B01-EL").text, re.DOTALL)[:2]
    assert 'href="/buildings" aria-current="true"' in top
    assert 'href="/buildings" aria-current="page"' in section
    meters = re.findall(r"<nav.*?</nav>", client.get("/meters/B01-EL/swap").text, re.DOTALL)[1]
    assert 'href="/meters" aria-current="page"' in meters
    for path in re.findall(r'href="([^"]+)"', section):
        assert client.get(path).status_code == 200


def test_no_page_asks_for_what_the_policy_forbids(client: Client) -> None:
    for path in ("/", "/buildings", "/buildings/B01", "/points/B01-EL", "/meters", "/meters/B01-EL/swap", "/gaps"):
        page = client.get(path).text
        bare = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        assert re.findall(r"\sstyle=|\son\w+=|javascript:", bare) == [], path
        assert re.findall(r"<script(?![^>]*(?:src=\"/|type=\"application/json\"))", page) == []
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


def test_a_process_that_is_warm_asks_for_the_regions_year_no_more(world: World, client: Client) -> None:
    warm(world.app)
    before = list(world.rates.asked)
    client.get("/?lang=cs")
    assert before
    assert [question for question in world.rates.asked[len(before) :] if question in before] == []
