import logging
import re

import pytest
from httpx import Client

from api.dependencies import IngestStatus
from tests.unit.api_fakes import NOW
from tests.unit.api_world import World, build_world

TOKENS = {"tokens": {"novak": "s3cret-token-one", "robot": "other-token-two"}}


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def test_health_tells_the_version(client: Client) -> None:
    assert client.get("/health").json() == {"status": "alive", "version": "0.1.0"}


def test_ready_names_each_store_that_is_down_and_the_broker(client: Client, world: World) -> None:
    assert client.get("/ready").json() == {"ready": True, "reasons": []}
    world.readings.down = world.records.down = True
    world.ingest[0] = IngestStatus(connected=False, detail="connection refused")
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        "readings: the disk of readings is full",
        "records: the database does not answer",
        "ingest: connection refused",
    ]


def test_ready_does_not_wait_for_ingest_where_another_process_ingests(client: Client, world: World) -> None:
    world.ingest[0] = None
    assert client.get("/ready").status_code == 200


def test_metrics_count_requests_by_route_and_never_by_path(client: Client) -> None:
    client.get("/api/v1/points/B01-EL")
    client.get("/api/v1/points/NOPE")
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    assert 'odecet_http_requests_total{method="GET",route="/api/v1/points/{key:path}",status="200"} 1.0' in text
    assert 'odecet_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert "B01-EL" not in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/points/NOPE", 404),
        ("DELETE", "/api/v1/consumption", 405),
        ("POST", "/health", 405),
        ("GET", "/api/v1/points?limit=many", 422),
        ("GET", "/api/v1/letters/x", 422),
        ("GET", "/static/../application.py", 404),
    ],
)
def test_every_error_is_a_problem_document(client: Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", body["instance"])
    assert body["instance"].endswith(answer.headers["x-request-id"])


def test_a_fault_inside_is_a_500_without_internals_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("secret path /etc")

    client = build_world(ask=broken).client()
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/consumption")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["instance"].removeprefix("urn:uuid:") in {getattr(r, "request_id", "") for r in caplog.records}


def test_a_store_that_is_down_is_503_with_when_to_ask_again(client: Client, world: World) -> None:
    world.records.down = True
    answer = client.get("/api/v1/points")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:odecet:problem:store-unavailable"


def test_a_request_id_of_a_proxy_is_kept_and_one_unfit_for_a_log_is_not(client: Client) -> None:
    assert client.get("/health", headers={"X-Request-Id": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    assert client.get("/health", headers={"X-Request-Id": "a b\tc<script>"}).headers["x-request-id"] != "a b\tc<script>"


def test_large_answers_are_compressed(client: Client) -> None:
    answer = client.get("/api/v1/consumption?period=day&from=2025&to=2026")
    assert answer.headers["content-encoding"] == "gzip"


def test_without_tokens_anyone_may_write_but_not_a_page_of_another_site(client: Client) -> None:
    body = {"id": "O3", "name": "Muzeum"}
    other = client.post("/api/v1/organisations", json=body, headers={"Origin": "https://evil.example"})
    assert other.status_code == 403
    cross = client.post("/api/v1/organisations", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    assert client.post("/api/v1/organisations", json=body).status_code == 201


def test_with_tokens_writing_needs_one_and_says_so() -> None:
    world = build_world(**TOKENS, open_reading=True)
    body = {"id": "O3", "name": "Muzeum"}
    refused = world.client().post("/api/v1/organisations", json=body)
    assert (refused.status_code, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
    wrong = world.client(Authorization="Bearer s3cret-token-on").post("/api/v1/organisations", json=body)
    assert wrong.status_code == 401
    assert world.client().get("/api/v1/organisations").status_code == 200
    assert (
        world.client(Authorization="bearer s3cret-token-one").post("/api/v1/organisations", json=body).status_code
        == 201
    )
    assert world.records.trail[-1].by == "novak"


def test_reading_can_be_closed_too_but_not_whether_it_lives() -> None:
    client = build_world(**TOKENS, open_reading=False).client()
    assert client.get("/api/v1/points").status_code == 401
    assert client.get("/api/v1/points", headers={"Authorization": "Bearer other-token-two"}).status_code == 200
    assert client.get("/health").status_code == 200


def test_browsers_are_told_to_run_nothing_from_elsewhere(client: Client) -> None:
    policy = client.get("/health").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


def test_now_is_asked_of_the_clock(client: Client) -> None:
    end = client.get("/api/v1/quality?point=B01-EL").json()["end"]
    assert end == NOW.astimezone().isoformat() or end.startswith("2026-03-15T11:00:00")
