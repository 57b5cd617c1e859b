import pytest
from httpx import Client

from core.readings import Readings, SeriesKey
from tests.unit.api_world import World, build_world

SPAN = "from=2026-03-10&to=2026-03-15"


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def test_readings_of_a_point_come_with_unit_kind_and_source(client: Client) -> None:
    answer = client.get(f"/api/v1/readings?point=B01-EL&{SPAN}&limit=1").json()
    first = answer["items"][0]
    assert (first["meter"], first["register"], first["at"]) == ("em-1", "energy.import", "2026-03-10T00:00:00Z")
    assert (first["unit"], first["kind"], first["quality"], first["source"]) == ("kWh", "cumulative", [], "odecet")


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_give_every_reading_once_in_order_of_time(client: Client, limit: int) -> None:
    address, seen = f"/api/v1/readings?point=B01-EL&point=B01-VO&{SPAN}&limit={limit}", []
    while address:
        answer = client.get(address)
        seen += [(r["at"], r["meter"]) for r in answer.json()["items"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert len(seen) == len(set(seen)) == 4 * 96 + 4
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)


def test_a_page_never_ends_between_a_reading_and_its_former_values(client: Client) -> None:
    address, seen = f"/api/v1/readings?meter=em-1&{SPAN}&limit=1&revisions=true", []
    for _ in range(8):
        answer = client.get(address)
        seen.append([(r["value"], r["replaced"]) for r in answer.json()["items"]])
        address = answer.links["next"]["url"]
    assert seen[5] == [(1002.4, False), (1002.5, True)]
    assert [len(page) for page in seen] == [1, 1, 1, 1, 1, 2, 1, 1]


def test_readings_of_a_device_outside_its_mounting_are_not_those_of_the_point(client: Client, world: World) -> None:
    key = SeriesKey("em-1", "energy.import")
    world.readings.write(Readings.of([key], [0], ["2022-12-01T00:00"], [5.0]))
    span = "from=2022-01-01&to=2023-01-01"
    assert client.get(f"/api/v1/readings?point=B01-EL&{span}").json()["items"] == []
    assert len(client.get(f"/api/v1/readings?meter=em-1&{span}").json()["items"]) == 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("", "point"),
        ("meter=em-1&from=1995&to=2026", "from"),
        ("meter=em-1&after=yesterday", "after"),
        ("meter=em-1&after=1~", "after"),
        ("meter=em-1&limit=0", "query.limit"),
    ],
)
def test_a_wrong_question_for_readings_names_the_parameter(client: Client, query: str, place: str) -> None:
    answer = client.get(f"/api/v1/readings?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == place


def test_an_unknown_meter_has_no_readings(client: Client) -> None:
    assert client.get("/api/v1/readings?meter=nothing").json() == {"items": [], "next": None}


def test_posting_stores_what_can_be_read_and_tells_what_cannot(client: Client, world: World) -> None:
    good = {"meter": "em-1", "value": 9.5, "at": "2026-03-14T08:00:00+01:00"}
    answer = client.post("/api/v1/readings", json={"readings": [good, {**good, "value": "x"}]})
    assert answer.status_code == 200
    assert answer.json()["readings"] == 1
    assert answer.json()["rejected"][0]["place"] == "readings[1].value"
    stored = client.get("/api/v1/readings?meter=em-1&from=2026-03-14T01:00Z&to=2026-03-15").json()["items"]
    assert [(r["at"], r["value"], r["source"]) for r in stored] == [("2026-03-14T07:00:00Z", 9.5, "api/anyone")]
    assert world.intake.topics == ["odecet/"]


@pytest.mark.parametrize("body", [b"", b"   ", b"{broken", b'{"readings": [{"value": null}]}'])
def test_posting_nothing_readable_is_a_problem_that_says_why(client: Client, body: bytes) -> None:
    answer = client.post("/api/v1/readings", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["problem"]


def test_posting_while_the_store_is_down_asks_to_come_again(client: Client, world: World) -> None:
    world.readings.down = True
    answer = client.post("/api/v1/readings", json={"meter": "em-1", "value": 1, "at": "2026-03-14T08:00:00+01:00"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_posting_more_than_twenty_megabytes_is_refused(client: Client) -> None:
    answer = client.post("/api/v1/readings", content=b"[" + b" " * 21 * 1024 * 1024 + b"]")
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
