import json

import pytest
from httpx import Client

from tests.unit.api_world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


@pytest.mark.parametrize(
    ("plural", "count"), [("organisations", 2), ("buildings", 2), ("points", 5), ("meters", 3), ("events", 0)]
)
def test_list_gives_all_of_a_resource_with_their_count(client: Client, plural: str, count: int) -> None:
    answer = client.get(f"/api/v1/{plural}")
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == answer.json()["total"] == int(answer.headers["x-total-count"]) == count


def test_list_is_paged_by_link_headers_until_everything_was_seen_once(client: Client) -> None:
    seen, address = [], "/api/v1/points?limit=2"
    while address:
        answer = client.get(address)
        seen += [p["id"] for p in answer.json()["items"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == ["B01-EL", "B01-EL-K", "B01-VO", "B02-EL", "B02-V"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("points?organisation=O1", ["B01-EL", "B01-EL-K", "B01-VO"]),
        ("points?building=B02&role=billing", ["B02-EL"]),
        ("points?commodity=cold_water", ["B01-VO"]),
        ("meters?commodity=electricity&organisation=O2", ["M3"]),
        ("meters?device=wm-1", ["M2"]),
        ("buildings?kind=hospital", ["B02"]),
        ("buildings?organisation=O9", []),
    ],
)
def test_list_is_filtered_by_what_a_thing_stands_in(client: Client, query: str, ids: list[str]) -> None:
    assert [e["id"] for e in client.get(f"/api/v1/{query}").json()["items"]] == ids


def test_creating_answers_201_with_the_place_and_is_audited(client: Client, world: World) -> None:
    made = client.post("/api/v1/buildings?why=new", json={"id": "B03", "organisation": "O1", "name": "Dílny"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/buildings/B03")
    assert client.get(made.headers["location"]).json()["name"] == "Dílny"
    last = world.records.trail[-1]
    assert (last.entity, last.key, last.why, last.before) == ("building", "B03", "new", None)


def test_creating_twice_is_a_conflict_and_changes_nothing(client: Client) -> None:
    again = client.post("/api/v1/organisations", json={"id": "O1", "name": "Jiná"})
    assert again.status_code == 409
    assert client.get("/api/v1/organisations/O1").json()["name"] == "Gymnázium Jeronýmova"


def test_creating_what_refers_to_nothing_is_a_conflict(client: Client) -> None:
    answer = client.post("/api/v1/buildings", json={"id": "B03", "organisation": "O9", "name": "Dílny"})
    assert answer.status_code == 409
    assert "O9" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"id": "P9", "building": "B01", "name": "x", "commodity": "steam"}, "commodity"),
        ({"id": "P9", "building": "B01", "name": "x", "commodity": "gas", "colour": "red"}, "colour"),
        ({"id": "P9", "building": "B01", "name": "x", "commodity": "gas", "max_rate": "ten"}, "max_rate"),
        ({"id": "P9", "building": "B01", "name": "x", "commodity": "gas", "terms": [{"sign": 1}]}, "terms[0]"),
        ({"building": "B01", "name": "x", "commodity": "gas"}, "body"),
    ],
)
def test_creating_with_a_wrong_field_names_its_place(client: Client, body: object, place: str) -> None:
    answer = client.post("/api/v1/points", json=body)
    assert answer.status_code == 422
    assert [e["place"] for e in answer.json()["errors"]] == [place]


def test_creating_with_a_naive_instant_is_refused_with_the_remedy(client: Client) -> None:
    body = {"id": "M9", "point": "B01-EL", "device": "x", "mounted": "2026-01-01T00:00:00"}
    answer = client.post("/api/v1/meters", json=body)
    assert answer.status_code == 422
    assert "offset" in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"id": NaN}', b"[" * 100_000])
def test_creating_from_no_json_object_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/api/v1/points", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_patching_changes_the_fields_given_and_null_takes_one_back(client: Client) -> None:
    changed = client.patch("/api/v1/points/B01-EL", json={"name": "Přívod", "max_rate": None})
    assert (changed.json()["name"], changed.json()["max_rate"], changed.json()["commodity"]) == (
        "Přívod",
        None,
        "electricity",
    )


def test_an_id_never_changes(client: Client) -> None:
    assert client.patch("/api/v1/points/B01-EL", json={"id": "B99"}).status_code == 422


def test_changing_with_a_stale_entity_tag_is_refused_and_with_the_present_one_done(client: Client) -> None:
    tag = client.get("/api/v1/points/B01-EL").headers["etag"]
    client.patch("/api/v1/points/B01-EL", json={"name": "Jiný"})
    stale = client.patch("/api/v1/points/B01-EL", json={"name": "Třetí"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    fresh = client.get("/api/v1/points/B01-EL").headers["etag"]
    assert client.patch("/api/v1/points/B01-EL", json={"name": "3"}, headers={"If-Match": fresh}).status_code == 200


def test_putting_replaces_all_fields(client: Client) -> None:
    body = {"organisation": "O1", "name": "Jen jméno"}
    assert client.put("/api/v1/buildings/B01", json=body).json()["areas"] == []


def test_putting_what_is_not_there_is_not_found(client: Client) -> None:
    assert client.put("/api/v1/buildings/B77", json={"organisation": "O1", "name": "x"}).status_code == 404


def test_deleting_is_refused_while_something_refers_to_it(client: Client) -> None:
    assert client.delete("/api/v1/buildings/B01").status_code == 409
    assert client.delete("/api/v1/meters/M1").status_code == 204
    assert client.get("/api/v1/meters/M1").status_code == 404


def test_an_event_is_listed_by_the_point_its_device_stands_on(client: Client) -> None:
    event = {"id": "E1", "meter": "em-1", "at": "2026-03-04T10:15:00+01:00", "kind": "swap", "final": 1.0, "first": 0.0}
    assert client.post("/api/v1/events", json=event).status_code == 201
    assert [e["id"] for e in client.get("/api/v1/events?point=B01-EL").json()["items"]] == ["E1"]
    assert client.get("/api/v1/events?point=B02-EL").json()["items"] == []


def test_the_audit_trail_is_read_backwards_page_by_page(client: Client) -> None:
    for name in ("a", "b", "c"):
        client.patch("/api/v1/organisations/O2", json={"name": name})
    first = client.get("/api/v1/audit?entity=organisation&key=O2&limit=2")
    assert [e["after"]["name"] for e in first.json()["items"]] == ["c", "b"]
    rest = client.get(first.links["next"]["url"]).json()
    assert [e["after"]["name"] for e in rest["items"]] == ["a", "Nemocnice Liberec"]
    assert json.dumps(rest["next"]) == "null"
