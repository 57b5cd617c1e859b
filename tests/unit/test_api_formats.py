"""Profiles by API and page: shown, tried, made from a sample, saved; dead letters read again by them."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from httpx import Client

from api.routes import letters as letter_routes
from app.profiles import fixed_profiles
from core.notes import DeadLetter
from core.ports import Taken
from ingest.profiles.shelf import ProfileShelf
from tests.unit.api_fakes import NOW
from tests.unit.api_world import World, build_world

PAYLOAD = '{"sn":"00471","cas":"2026-03-05T13:00:00+01:00","odber_kwh":12345.6,"rssi":-60}'
MESSAGE = {"topic": "skola/7/stav", "payload": PAYLOAD}
CHOICES = {
    "name": "acme",
    "topic": "skola/{id}/stav",
    "meter": "{sn}",
    "time": "cas",
    "readings": [{"path": "odber_kwh", "quantity": "energy", "unit": "kWh", "register": "import"}],
}


class Replayer:
    """Reads letters again: those whose topic is among `read`."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.asked: list[int] = []

    def __call__(self, letters: Sequence[DeadLetter]) -> Taken:
        self.asked += [letter.id for letter in letters]
        still = tuple((str(x.id), f"{x.reason}: still") for x in letters if x.topic not in self.read)
        return Taken(readings=len(letters) - len(still), rejected=still)


@pytest.fixture
def replayer() -> Replayer:
    return Replayer()


@pytest.fixture
def world(tmp_path: Path, replayer: Replayer) -> World:
    shelf = ProfileShelf(fixed_profiles(), folder=tmp_path, site="Europe/Prague", clock=lambda: NOW)
    return build_world(formats=shelf, replay_all=replayer)


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def test_profiles_are_listed_and_shown_whole(client: Client) -> None:
    listed = client.get("/api/v1/profiles").json()
    names = {p["name"]: p for p in listed["items"]}
    assert {"odecet", "wmbusmeters", "shelly", "tasmota"} <= set(names)
    assert listed["overlaps"] == []
    one = client.get("/api/v1/profiles/wmbusmeters").json()
    assert one["origin"] == "bundled"
    assert 'name = "wmbusmeters"' in one["text"]
    assert client.get("/api/v1/profiles/nothing").status_code == 404


def test_a_message_is_tried_and_nothing_is_stored(client: Client, world: World) -> None:
    before = len(world.records.dead)
    read = client.post("/api/v1/decode", json={"topic": "tele/x/SENSOR", "payload": '{"ENERGY":{"Total":5.5}}'})
    assert [(r["meter"], r["value"], r["unit"]) for r in read.json()["readings"]] == [("x", 5.5, "kWh")]
    rejected = client.post("/api/v1/decode", json=MESSAGE).json()
    assert rejected["rejected"].startswith("no_profile")
    assert client.post("/api/v1/decode", json={"topic": "x", "payload_base64": "?"}).status_code == 422
    assert len(world.records.dead) == before


def test_a_profile_is_made_from_a_sample_saved_and_read_by(client: Client, tmp_path: Path) -> None:
    found = client.post("/api/v1/profiles/inspect", json=MESSAGE).json()
    assert [(n["path"], n["unit"]) for n in found["numbers"]] == [("sn", ""), ("odber_kwh", "kWh"), ("rssi", "")]
    draft = client.post("/api/v1/profiles/draft", json={**MESSAGE, "choices": CHOICES}).json()
    assert draft["readings"][0]["value"] == 12345.6
    saved = client.post("/api/v1/profiles", json={"text": draft["text"]})
    assert (saved.status_code, saved.headers["location"]) == (201, "/api/v1/profiles/acme")
    assert (tmp_path / "acme.toml").read_text("utf-8") == draft["text"]
    assert client.post("/api/v1/decode", json=MESSAGE).json()["readings"][0]["profile"] == "acme"
    assert client.post("/api/v1/profiles", json={"text": draft["text"]}).status_code == 422, "it is there already"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("profiles", {"text": "name = 7"}),
        ("profiles", {"text": "[match"}),
        ("profiles/draft", {**MESSAGE, "choices": {**CHOICES, "name": "ŠPATNĚ"}}),
        ("profiles/draft", {**MESSAGE, "choices": {**CHOICES, "kinds": 1}}),
        ("profiles/inspect", {"topic": "x", "payload": "{"}),
        ("profiles/inspect", {"topic": "x", "payload": "{}", "each": "[["}),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(client: Client, path: str, body: dict[str, Any]) -> None:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]


def test_cases_are_run(client: Client) -> None:
    tested = client.post("/api/v1/profiles/test").json()
    assert tested["cases"] > 50
    assert tested["failed"] == []


def test_letters_are_read_again_all_or_by_reason_or_number(
    client: Client, replayer: Replayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayer.read = {"odecet/em-1"}
    done = client.post("/api/v1/letters/replay", json={}).json()
    assert done == {"tried": 2, "read": 1, "readings": 1, "still": {"no_profile": 1}, "next": None}
    assert client.post("/api/v1/letters/replay", json={"reason": "malformed"}).json()["tried"] == 1
    assert client.post("/api/v1/letters/replay", json={"numbers": [2]}).json()["tried"] == 1
    assert client.post("/api/v1/letters/replay", json={"numbers": [99]}).status_code == 404
    assert replayer.asked == [1, 2, 1, 2]
    monkeypatch.setattr(letter_routes, "AT_ONCE", 1)
    monkeypatch.setattr(letter_routes, "MOST", 1)
    assert client.post("/api/v1/letters/replay", json={}).json()["next"] == 1
    assert client.post("/api/v1/letters/replay", json={"after": 1}).json()["tried"] == 1


def fields(page: str) -> dict[str, str]:
    """Return the hidden fields and texts of a page's form."""
    found = {n: unescape(v) for n, v in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)}
    found |= {n: unescape(t) for n, t in re.findall(r'<textarea name="(\w+)" hidden>(.*?)</textarea>', page, re.DOTALL)}
    return found


def test_the_pages_lead_from_a_dead_letter_to_a_profile(client: Client, world: World) -> None:
    world.records.keep_letters(
        [DeadLetter(topic="skola/7/stav", payload=PAYLOAD.encode(), reason="no_profile", detail="?", received=NOW)]
    )
    assert "/formats/new?letter=3" in client.get("/letters").text
    form = client.get("/formats/new?letter=3").text
    assert "skola/7/stav" in form
    asked = client.post("/formats/new", data={"topic": "skola/7/stav", "payload": PAYLOAD})
    assert "skola/{id}/stav" in asked.text
    given = fields(asked.text)
    given |= {"name": "acme", "title": "", "topic": "skola/{id}/stav", "meter": "{sn}", "time": "cas\tauto"}
    refused = client.post("/formats/draft", data=given)
    assert refused.status_code == 422, "no number was chosen"
    given |= {"quantity1": "energy", "unit1": "kWh", "kind1": "cumulative", "register1": "import"}
    shown = client.post("/formats/draft", data=given)
    assert shown.status_code == 200
    assert "12 345,6" in shown.text.replace("\u00a0", " ").replace("\u202f", " ")
    saved = client.post("/formats", data=fields(shown.text))
    assert saved.headers["location"] == "/formats/acme?done=saved"
    assert "Profil je uložen" in client.get("/formats/acme?done=saved").text
    again = client.post("/formats", data=fields(shown.text))
    assert again.status_code == 422
    assert "už existuje" in again.text


def test_the_page_tries_a_message_and_runs_cases_and_reads_letters_again(client: Client, replayer: Replayer) -> None:
    read = client.post("/formats/decode", data={"topic": "tele/x/SENSOR", "payload": '{"ENERGY":{"Total":5.5}}'})
    assert "tasmota" in read.text
    assert "Nelze ji přečíst" in client.post("/formats/decode", data={"topic": "x", "payload": "y"}).text
    assert "Všechny zkušební zprávy dopadly" in client.post("/formats/test").text
    replayer.read = {"odecet/em-1", "odecet/em-2"}
    assert client.post("/letters/replay", data={"reason": ""}).headers["location"] == "/letters?done=all_read"
    replayer.read = set()
    assert client.post("/letters/replay", data={"reason": "malformed"}).headers["location"] == "/letters?done=some_read"
