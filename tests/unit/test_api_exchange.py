import pytest
from httpx import Client, Response

from core.registry import Building
from tests.unit.api_world import World, build_world

FILE = "budovy.csv"
HEAD = "id\torganizace\tnázev\tdruh\n"


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def upload(client: Client, text: str, query: str = "") -> Response:
    return client.post(f"/api/v1/register/import{query}", files={"file": (FILE, text.encode())})


def headings(client: Client) -> str:
    text: str = client.get("/api/v1/register/export?format=csv&kind=buildings").text
    return text


def test_export_gives_a_workbook_of_every_kind(client: Client) -> None:
    answer = client.get("/api/v1/register/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="odecet-register.xlsx"'
    assert len(answer.text.splitlines()) == 8


def test_export_as_csv_names_the_kind_it_needs(client: Client) -> None:
    answer = client.get("/api/v1/register/export?format=csv")
    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "kind")
    assert (
        client.get("/api/v1/register/export?format=csv&kind=buildings").headers["content-type"].startswith("text/csv")
    )


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(client: Client, world: World) -> None:
    answer = upload(client, HEAD + "B03\tO1\tDílny\tškola\nB01\tO1\tGymnázium, hlavní budova\tškola\n")
    body = answer.json()
    assert (body["creates"], body["unchanged"], body["errors"], body["dry_run"]) == (
        {"building": 1},
        {"building": 1},
        [],
        True,
    )
    assert "B03" not in world.records.held[Building]


def test_an_import_is_done_listed_and_undone(client: Client, world: World) -> None:
    done = upload(client, HEAD + "B03\tO1\tDílny\tškola\n", "?dry_run=false").json()
    assert world.records.get(Building, "B03").name == "Dílny"
    assert [i["id"] for i in client.get("/api/v1/register/imports").json()["items"]] == [done["id"]]
    assert client.post(f"/api/v1/register/imports/{done['id']}/undo").status_code == 200
    assert "B03" not in world.records.held[Building]
    assert client.post("/api/v1/register/imports/none/undo").status_code == 404


def test_errors_name_sheet_row_and_column_and_refuse_the_whole(client: Client, world: World) -> None:
    text = HEAD + "B03\tO1\tDílny\tškola\nB04\tO9\tSklad\tškola\nB05\tO1\tHala\thangár\n"
    planned = upload(client, text).json()["errors"]
    assert {(e["row"], e["column"]) for e in planned} == {(3, "organizace"), (4, "druh")}
    refused = upload(client, text, "?dry_run=false")
    assert refused.status_code == 422
    assert len(refused.json()["errors"]) == 2
    assert "B03" not in world.records.held[Building]


def test_an_empty_file_and_none_at_all_are_refused(client: Client) -> None:
    assert upload(client, "").status_code == 422
    assert client.post("/api/v1/register/import").status_code == 422
