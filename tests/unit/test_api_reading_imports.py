"""Tables of readings over HTTP and on the page: dry run, confirmation, history, undo."""

import io
import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Client, Response
from openpyxl import Workbook

from api.pages.reading_imports import said_by
from api.reading_import_texts import TROUBLES
from core.table_troubles import Trouble
from tests.unit.api_world import build_world
from tests.unit.import_world import EAN2, NOW, World, world_in

PATH = "/api/v1/imports/readings"
HAND = "Odběrné místo;Datum odečtu;Stav [kWh]\nP1;31. 1. 2024;1 234,5\nP1;29.02.2024 08:15;1 300,0\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


@pytest.fixture
def client(world: World) -> Client:
    return build_world(readings=world.readings, records=world.records, clock=lambda: NOW).client()


def upload(client: Client, content: str | bytes, name: str = "odecty.csv", **fields: str) -> Response:
    sent = content.encode() if isinstance(content, str) else content
    return client.post(PATH, files={"file": (name, sent)}, data=fields)


def test_a_dry_run_tells_all_and_stores_nothing(client: Client, world: World) -> None:
    told = upload(client, HAND).json()
    assert (told["mode"], told["new"], told["id"], told["errors"]) == ("dry-run", 2, "", [])
    assert told["series"][0]["amount"] == pytest.approx(65.5)
    assert [m["month"] for m in told["series"][0]["months"]] == ["2024-01", "2024-02"]
    assert [(r["row"], r["at"], r["quality"], r["state"]) for r in told["rows"]] == [
        (2, "2024-01-31T11:00:00Z", ["manual"], "new"),
        (3, "2024-02-29T07:15:00Z", ["manual"], "new"),
    ]
    assert world.readings.known() == ()


def test_an_import_is_done_listed_and_undone(client: Client, world: World) -> None:
    done = upload(client, HAND, mode="apply", why="roční odečet").json()
    assert len(world.stored("em-1", "energy.import")) == 2
    (listed,) = client.get(PATH).json()["items"]
    assert (listed["id"], listed["state"], listed["new"], listed["why"]) == (done["id"], "done", 2, "roční odečet")
    assert upload(client, HAND, mode="apply").json()["id"] == ""
    assert client.post(f"{PATH}/{done['id']}/undo").json() == {"id": done["id"], "readings": 2}
    assert world.stored("em-1", "energy.import") == []
    assert client.get(PATH).json()["items"][0]["state"] == "undone"
    assert client.post(f"{PATH}/none/undo").status_code == 404


def test_errors_name_their_place_and_refuse_the_whole(client: Client, world: World) -> None:
    text = HAND + "P9;1.3.2024;5\nP1;1.3.2024;abc\n"
    assert [(e["row"], e["column"]) for e in upload(client, text).json()["errors"]] == [
        (4, "Stav [kWh]"),
        (5, "Stav [kWh]"),
    ]
    refused = upload(client, text, mode="apply")
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 2)
    assert world.readings.known() == ()
    assert upload(client, text, mode="apply", partial="true").json()["new"] == 2


def test_what_cannot_be_told_is_asked_and_answered(client: Client) -> None:
    text = "Místo;Den;Hodnota\nP1;1/2/2025;5\n"
    assert upload(client, text).json()["errors"][0]["problem"].startswith("it cannot be told whether the values")
    said = msgspec.json.encode({"amount": "dial", "order": "dmy", "value_unit": "kWh"}).decode()
    told = upload(client, text, mapping=said).json()
    assert (told["errors"], told["rows"][0]["at"]) == ([], "2025-02-01T11:00:00Z")


@pytest.mark.parametrize("said", ["{", "[1]", '{"wrong": 1}', '{"amount": "much"}'])
def test_a_mapping_that_is_none_is_refused_with_its_remedy(client: Client, said: str) -> None:
    answer = upload(client, HAND, mapping=said)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "mapping"
    assert answer.json()["errors"][0]["remedy"]


def test_the_file_may_be_the_body_itself(client: Client) -> None:
    told = client.post(PATH, params={"name": "x.csv"}, content=HAND.encode()).json()
    assert (told["name"], told["new"]) == ("x.csv", 2)


def test_a_wrong_mode_and_no_file_are_refused(client: Client) -> None:
    assert upload(client, HAND, mode="maybe").status_code == 422
    assert client.post(PATH, files={"other": ("x", b"1")}).status_code == 422
    assert upload(client, b"").status_code == 422


def workbook(*rows: list[Any], name: str = "Odečty") -> bytes:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Úvod"
    first.append(["Pokyny k vyplnění"])
    page = book.create_sheet(name)
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_has_dates_numbers_titles_and_other_sheets(client: Client) -> None:
    rows = [
        ["Odečty školy 2025"],
        [],
        ["Odběrné místo", "Datum", "Stav", "Jednotka"],
        ["P1", datetime(2025, 1, 31), 1.5, "MWh"],  # noqa: DTZ001 - a cell
        ["P1", 45716, "1 600,5", "kWh"],
        ["Celkem", None, 3.1, None],
    ]
    told = upload(client, workbook(*rows), "odecty.xlsx").json()
    assert told["errors"] == []
    assert [(r["row"], r["at"], r["value"]) for r in told["rows"]] == [
        (4, "2025-01-31T11:00:00Z", 1500.0),
        (5, "2025-02-28T11:00:00Z", 1600.5),
    ]
    assert {r["problem"] for r in told["remarks"]} == {
        "the row looks like a sum and is left out",
        "sheet Úvod is not read",
    }


def test_a_code_that_a_spreadsheet_cut_is_told(client: Client) -> None:
    rows = [["EAN", "Datum", "Stav kWh"], [float(EAN2), datetime(2025, 1, 31), 5]]  # noqa: DTZ001 - a cell
    (error,) = upload(client, workbook(*rows), "x.xlsx").json()["errors"]
    assert "lost digits" in error["problem"]


# The page


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def test_the_page_leads_from_the_file_to_its_readings_and_back(client: Client, world: World) -> None:
    seen = client.post("/imports?lang=cs", files={"file": ("odecty.csv", HAND.replace(" [kWh]", "").encode())})
    assert "chybí jednotka" in seen.text
    form = {
        "key": field(seen.text, "key"),
        "layout": "readings",
        "amount": "dial",
        "stamp": "",
        "day_at": "noon",
        "order": "",
        "decimal": "",
        "zone": "Europe/Prague",
        "whole": "",
        "manual": "on",
        "heading_0": "Odběrné místo",
        "role_0": "subject",
        "heading_1": "Datum odečtu",
        "role_1": "time",
        "heading_2": "Stav",
        "role_2": "value",
        "unit_2": "kWh",
    }
    again = client.post("/imports/again", data=form)
    assert "chybí jednotka" not in again.text
    done = client.post(
        "/imports/confirm", data={"key": field(again.text, "key"), "mapping": field(again.text, "mapping")}
    )
    assert (done.status_code, done.headers["location"]) == (303, "/imports?done=imported")
    assert len(world.stored("em-1", "energy.import")) == 2
    history = client.get("/imports?lang=cs").text
    assert "uloženo" in history
    client.post("/imports/undo", data={"number": field(history, "number")})
    assert world.stored("em-1", "energy.import") == []
    assert "vráceno" in client.get("/imports?lang=cs").text


def test_a_form_says_a_mapping() -> None:
    said = said_by(
        {
            "layout": "profile",
            "stamp": "end",
            "order": "",
            "whole": "P2",
            "heading_0": "Datum",
            "role_0": "time",
            "heading_1": "+A [kW]",
            "role_1": "value",
            "unit_1": "kW",
            "subject_1": "77",
            "status_1": "Status",
            "heading_2": "Status",
            "role_2": "status",
            "status_word_0": "divný",
            "status_means_0": "skip",
            "status_word_1": "jiný",
            "status_means_1": "",
        }
    )
    assert said["values"] == [{"column": "+A [kW]", "unit": "kW", "register": "", "subject": "", "status": "Status"}]
    assert (said["time"], said["status"], said["order"], said["statuses"]) == ("Datum", "", None, {"divný": "skip"})


def test_every_trouble_is_marked_for_translation_as_it_is() -> None:
    assert {t.name: t.value for t in Trouble} == dict(TROUBLES)


def test_who_may_not_write_does_not_import(world: World) -> None:
    tokens = {"novak": "s3cret-token"}
    app = build_world(readings=world.readings, records=world.records, clock=lambda: NOW, tokens=tokens)
    stranger = app.client(accept="text/html")
    assert stranger.get("/imports").headers["location"] == "/login?to=%2Fimports"
    assert upload(stranger, HAND, mode="apply").status_code == 401
    known = app.client(authorization="Bearer s3cret-token")
    assert upload(known, HAND, mode="apply", by="někdo jiný").status_code == 200
    assert known.get(PATH).json()["items"][0]["by"] == "novak"
