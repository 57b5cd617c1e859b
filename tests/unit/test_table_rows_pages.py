"""Pages and API by which an administrator enters values: from the form over the preview into what is computed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.dependencies import Dependencies
from api.room import Room
from config.dated import MAKERS
from core.factors import Carrier
from core.own_rows import ENTITY, RowKind
from core.people import Role
from tests.unit.access_world import Region, region
from tests.unit.own_rows_world import FACTOR, HOLIDAY, NORMAL, POPULATION, PRICE, entered, present

PAGE, LIST, API = "/settings/tables/row", "/settings/tables", "/api/v1/tables"
FORM = {
    "row_kind": "factor",
    "id": "mpo-electricity-2026",
    "carrier": "electricity",
    "value": "0,39",
    "unit": "t/MWh",
    "scheme": "mpo-production",
    "gas": "CO2",
    "since": "2026-01",
    "until": "2026-12",
    "source": "MPO <b>2027</b>",
    "status": "preliminary",
    "trust": "primary",
    "why": "MPO to zveřejnilo",
}
CZECH = {"accept": "text/html", "accept-language": "cs"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Region]:
    with region(tmp_path) as made:
        deps: Dependencies = made.app.state.room.deps
        tables = present(made.records)
        made.app.state.room = Room(replace(deps, metrics=CollectorRegistry(), dated_tables=tables))
        yield made


@pytest.fixture
def admin(world: Region) -> Iterator[httpx.Client]:
    with world.client(**CZECH, **world.key(Role.ADMINISTRATOR)) as client:
        yield client


def factor(world: Region, day: date = date(2026, 5, 1)) -> float | None:
    found = present(world.records).dated().factors.factor(Carrier.ELECTRICITY, day)
    return None if found is None else found.kg


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of the form that stores what a preview shows."""
    form = page[page.index("<form", page.index('id="preview"')) :].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))


def test_a_value_goes_from_the_form_over_the_preview_into_what_is_computed(world: Region, admin: httpx.Client) -> None:
    blank = admin.get(PAGE, params={"kind": "factor"})
    assert blank.status_code == 200
    assert "Proč ji zadáváte" in blank.text
    looked = admin.post(PAGE, data={**FORM, "step": "look"})
    assert looked.status_code == 200
    assert "MPO &lt;b&gt;2027" in looked.text
    assert "Je to nová hodnota" in looked.text
    assert (factor(world), world.records.own_rows()) == (None, [])
    sent = hidden(looked.text)
    assert sent["value"] == "0,39"
    stored = admin.post(PAGE, data={**{name: unescape(text) for name, text in sent.items()}, "step": "store"})
    assert stored.status_code == 303
    assert factor(world) == 0.39
    assert factor(world, date(2026, 12, 1)) == 0.39
    assert factor(world, date(2027, 1, 1)) is None
    (row,) = world.records.own_rows()
    assert row.by.startswith("key/")
    assert row.why == "MPO to zveřejnilo"
    shown = admin.get(stored.headers["location"]).text
    assert "Uloženo" in shown
    assert "MPO to zveřejnilo" in shown
    assert "mpo-electricity-2026" in admin.get(LIST, params={"table": "factors"}).text
    assert "Hodnota tabulky" in admin.get("/audit", params={"entity": ENTITY}).text


def test_a_correction_begins_with_what_the_row_says_to_the_last_digit(world: Region, admin: httpx.Client) -> None:
    entered(world.records, present(world.records), RowKind.FACTOR, FACTOR, value=0.054321098765432)
    text = admin.get(PAGE, params={"kind": "factor", "key": "mpo-electricity-2026"}).text
    assert 'value="0,054321098765432"' in text
    assert 'name="since" value="2026-01"' in text
    assert 'name="until" value="2026-12"' in text
    english = admin.get(PAGE, params={"kind": "factor", "key": "mpo-electricity-2026", "lang": "en"}).text
    assert 'value="0.054321098765432"' in english
    admin.cookies.clear()
    same = {**FORM, "key": "mpo-electricity-2026", "value": "0,054321098765432"}
    same |= {"source": "MPO 2027", "status": "official", "trust": "operator", "step": "look"}
    answer = admin.post(PAGE, data=same)
    assert answer.status_code == 422
    assert "nic nemění" in answer.text


def test_a_row_that_ships_is_corrected_and_its_former_value_stands_in_the_preview(
    world: Region, admin: httpx.Client
) -> None:
    form = {**FORM, "id": "mpo-electricity-2020", "key": "mpo-electricity-2020", "since": "2020-01", "until": "2020-12"}
    looked = admin.post(PAGE, data={**form, "value": "0,401", "step": "look"}).text
    assert "Celá nahradí verzi 1" in looked
    assert '<td data-label="Nově">0,401</td>' in looked
    stored = admin.post(PAGE, data={**form, "value": "0,401", "step": "store"})
    assert stored.status_code == 303
    assert factor(world, date(2020, 5, 1)) == 0.401
    history = admin.get(PAGE, params={"kind": "factor", "key": "mpo-electricity-2020"}).text
    assert "nahrazeno" in history
    assert "dodáno s Odečtem" in history


def test_a_withdrawal_is_looked_at_and_stored(world: Region, admin: httpx.Client) -> None:
    entered(world.records, present(world.records), RowKind.FACTOR, FACTOR)
    form = {"row_kind": "factor", "key": "mpo-electricity-2026", "withdraw": "yes", "why": "patřil jinému kraji"}
    looked = admin.post(PAGE, data={**form, "step": "look"})
    assert "nic dalšího se s ní nespočítá" in looked.text
    assert factor(world) == 0.39
    assert admin.post(PAGE, data={**form, "step": "store"}).status_code == 303
    assert factor(world) is None
    assert "vyřazeno" in admin.get(LIST).text


@pytest.mark.parametrize(
    ("changes", "told", "status"),
    [
        ({"value": "nula"}, "není číslo", 422),
        ({"source": ""}, "zdroj", 422),
        ({"since": "leden"}, "není měsíc", 422),
        ({"until": "2025-01"}, "později", 422),
        ({"scheme": "", "supplier": ""}, "dodavatel", 422),
        ({"why": " ", "step": "store"}, "Chybí důvod", 422),
        ({"after": "7"}, "mezitím", 409),
    ],
)
def test_what_is_wrong_is_told_in_czech_beside_what_was_written(
    world: Region, admin: httpx.Client, changes: dict[str, str], told: str, status: int
) -> None:
    answer = admin.post(PAGE, data={**FORM, "step": "look", **changes})
    assert answer.status_code == status
    assert "Nic se neuložilo" in answer.text
    notice = answer.text[answer.text.index('id="notice"') :].partition("</p>")[0]
    assert told in notice
    assert "MPO &lt;b&gt;2027&lt;/b&gt;" in answer.text or "source" in changes
    assert world.records.own_rows() == []


@pytest.mark.parametrize("kind", RowKind)
def test_the_form_of_every_kind_asks_all_that_such_a_row_may_say(admin: httpx.Client, kind: RowKind) -> None:
    text = admin.get(PAGE, params={"kind": kind}).text
    asked = {name.partition("_name")[0] for name in re.findall(r'name="([a-z0-9_]+)"', text)}
    of_row = set(MAKERS[kind].model.model_fields) - {"version", "withdrawn"}
    if kind is RowKind.HOLIDAY:
        of_row -= {"id"}  # made of kind and first day
    assert of_row - asked == set()


def test_every_row_that_ships_is_shown_and_its_form_says_the_same_row(world: Region, admin: httpx.Client) -> None:
    for kind in RowKind:
        row = next((one for one in present(world.records).standing().rows if one.kind is kind), None)
        if row is None:
            continue
        page = admin.get(PAGE, params={"kind": kind, "key": row.key})
        assert page.status_code == 200
        form = page.text[page.text.index('id="form"') :].partition("</form>")[0]
        sent: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input[^>]*name="([^"]+)" value="([^"]*)"(?![^>]*type="checkbox")', form):
            sent.setdefault(name, []).append(value)
        for name, value in re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)" checked>', form):
            sent.setdefault(name, []).append(value)
        for name, inside in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
            sent[name] = re.findall(r'<option value="([^"]*)" selected>', inside)
        sent = {
            n: [x for x in dict.fromkeys(values) if n != "covers" or f'value="{x}" checked' in form]
            for n, values in sent.items()
        }
        answer = admin.post(PAGE, data={**sent, "why": "beze změny", "step": "look"})
        assert "nic nemění" in answer.text, kind


def test_strange_addresses_are_not_found(admin: httpx.Client) -> None:
    assert admin.get(PAGE, params={"kind": "nothing"}).status_code == 404
    assert admin.get(PAGE, params={"kind": "factor", "key": "nothing"}).status_code == 404
    assert admin.post(PAGE, data={"row_kind": "nothing"}).status_code == 404


@pytest.mark.parametrize("role", [Role.ENERGY_MANAGER, Role.COORDINATOR, Role.TESTER])
def test_nobody_but_an_administrator_of_the_whole_region_enters_values(world: Region, role: Role) -> None:
    with world.client(**world.key(role)) as client:
        assert client.get(f"{API}/factor").status_code == 403
        assert client.post(f"{API}/factor", json={"row": FACTOR, "why": "x"}).status_code == 403
        assert client.post(PAGE, data=FORM).status_code == 403
    assert world.records.own_rows() == []


@pytest.mark.parametrize(
    ("kind", "content", "key"),
    [
        ("factor", FACTOR, "mpo-electricity-2026"),
        ("price", PRICE, "el-2026"),
        ("population", POPULATION, "lk-2025-12"),
        ("normal", NORMAL, "Zkouška 13"),
        ("holiday", HOLIDAY, "spring-2031-02-03"),
    ],
)
def test_the_api_enters_a_row_and_tells_its_history(
    world: Region, admin: httpx.Client, kind: str, content: dict[str, object], key: str
) -> None:
    body = {"row": content, "why": "zveřejněno", "after": 0}
    tried = admin.post(f"{API}/{kind}", params={"dry_run": True}, json=body)
    assert (tried.status_code, tried.json()["row"]["version"]) == (200, 1)
    assert world.records.own_rows() == []
    made = admin.post(f"{API}/{kind}", json=body)
    assert (made.status_code, made.json()["row"]["key"], made.json()["replaces"]) == (201, key, None)
    again = admin.post(f"{API}/{kind}", json=body)
    assert again.status_code == 409
    changed = {**content, "source": "oprava", **({"id": key} if kind == "holiday" else {})}
    second = admin.post(f"{API}/{kind}", json={"row": changed, "why": "oprava zdroje"})
    assert second.status_code == 201
    assert (second.json()["replaces"]["version"], second.json()["changed"]) == (1, ["source"])
    found = admin.get(f"{API}/{kind}", params={"key": key}).json()
    told = [(one["version"], one["counts"], one["entered"]["why"], one["row"]["source"]) for one in found["items"]]
    assert told == [(2, True, "oprava zdroje", "oprava"), (1, False, "zveřejněno", content["source"])]


def test_the_api_names_what_is_wrong_and_what_a_row_may_say(admin: httpx.Client) -> None:
    wrong = admin.post(f"{API}/factor", json={"row": {**FACTOR, "value": -1}, "why": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["place"]) == (422, "value")
    assert admin.post(f"{API}/factor", json={"row": FACTOR}).status_code == 422
    assert admin.post(f"{API}/wind", json={"row": FACTOR, "why": "x"}).status_code == 422
    assert admin.get(f"{API}/factor", params={"key": "none"}).status_code == 404
    kinds = {one["kind"]: one["schema"] for one in admin.get(API).json()["items"]}
    assert set(kinds) == set(RowKind)
    assert "carrier" in kinds["factor"]["properties"]


def test_what_pages_hold_is_derived_anew_once_a_value_was_entered(world: Region) -> None:
    room: Room = world.app.state.room
    before = room.present()
    assert room.present() is before
    entered(world.records, present(world.records), RowKind.FACTOR, FACTOR)
    after = room.present()
    assert after.deps.edition > before.deps.edition
    assert after.deps.dated != before.deps.dated
    assert after.region is after


def test_readings_come_in_and_health_is_told_while_the_store_of_rows_is_down(world: Region) -> None:
    world.records.close()
    deps: Dependencies = world.app.state.room.deps
    world.app.state.room = Room(replace(deps, metrics=CollectorRegistry(), sessions=None))
    with world.client() as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").json()["reasons"][0].startswith("records:")
        body = {"meter": "em-1", "register": "energy.import", "value": 1.5, "unit": "kWh", "at": "2026-01-02T00:00:00Z"}
        assert client.post("/api/v1/readings", json=body).status_code == 200
        assert client.get("/api/v1/emissions").status_code in {500, 503}
