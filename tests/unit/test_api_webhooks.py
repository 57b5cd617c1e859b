"""What network servers send over HTTP: read by the same profiles, kept where it cannot be read, else sent again."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Client
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from app.profiles import all_profiles
from core.errors import StoreUnavailable
from core.readings import Readings
from ingest.accept import Bounds
from ingest.intake import PayloadIntake
from ingest.metrics import IngestMetrics
from ingest.profile import Profile, Router
from ingest.reader import Reader
from ingest.reading_tables import FileReadingTables
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW, LineTables
from tests.unit.api_world import World, build_world

EUI = "24e124136b000042"
TIME = "2026-03-05T04:05:06Z"
CHIRPSTACK = "/api/v1/webhooks/chirpstack"
THINGS = "/api/v1/webhooks/the-things-stack"


class FullDisk(DuckDBReadingStore):
    """A store of readings whose disk can be full."""

    full = False

    def write(self, readings: Readings) -> None:
        """Write, or tell that the disk is full."""
        if self.full:
            raise StoreUnavailable("the disk is full")
        super().write(readings)


class Door:
    """The API on embedded stores, with the bundled profiles."""

    def __init__(self, folder: Path, profiles: Sequence[Profile]) -> None:
        self.records = SqlRecordStore(f"sqlite:///{folder / 'records.sqlite'}")
        self.readings = FullDisk(folder / "readings.duckdb", lambda: NOW)
        for store in (self.records, self.readings):
            store.start()
        reader = Reader(Router(profiles), bounds=Bounds())
        metrics = IngestMetrics(CollectorRegistry())
        intake = PayloadIntake(reader=reader, readings=self.readings, records=self.records, metrics=metrics)
        self.app: FastAPI = build_api(
            Dependencies(
                readings=self.readings,
                records=self.records,
                intake=intake,
                tables=LineTables(),
                reading_tables=FileReadingTables(Bounds()),
                clock=lambda: NOW,
                version="1",
                metrics=CollectorRegistry(),
            )
        )

    def stored(self) -> list[tuple[str, str, float]]:
        """Return meter, register and value of what is stored."""
        found = self.readings.latest(self.readings.known([EUI]))
        return [
            (found.series[c].meter, found.series[c].register, v) for c, v in zip(found.code, found.value, strict=True)
        ]


@pytest.fixture(scope="module")
def profiles() -> Sequence[Profile]:
    return all_profiles(None, site="Europe/Prague")


@pytest.fixture
def door(tmp_path: Path, profiles: Sequence[Profile]) -> Iterator[Door]:
    made = Door(tmp_path, profiles)
    yield made
    made.readings.close()
    made.records.close()


@pytest.fixture
def client(door: Door) -> Client:
    return World(app=door.app, readings=None, records=None, intake=None, rates=None, ingest=[]).client()  # type: ignore[arg-type]


def chirpstack(obj: object, **head: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    info = {"applicationId": "3f0c", "devEui": EUI}
    return {"time": TIME, "deviceInfo": info, "data": "AQ==", "rxInfo": [], "object": obj} | head


def things(obj: object, **head: Any) -> dict[str, Any]:  # noqa: ANN401 - same
    ids = {"device_id": "d", "application_ids": {"application_id": "a"}, "dev_eui": EUI.upper()}
    return {
        "end_device_ids": ids,
        "received_at": TIME,
        "uplink_message": {"decoded_payload": obj, "frm_payload": "AQ=="},
    } | head


@pytest.mark.parametrize(
    ("address", "body"),
    [(f"{CHIRPSTACK}?event=up", chirpstack({"total_m3": 12.5})), (THINGS, things({"total_m3": 12.5}))],
)
def test_an_uplink_is_stored_as_if_it_came_over_mqtt(client: Client, door: Door, address: str, body: object) -> None:
    answer = client.post(address, json=body)
    assert (answer.status_code, answer.json()) == (200, {"readings": 1, "rejected": [], "ignored": ""})
    assert door.stored() == [(EUI, "volume.total", 12.5)]
    assert client.post(address, json=body).status_code == 200
    assert len(door.stored()) == 1


def test_an_event_of_chirpstack_3_is_read_too(client: Client, door: Door) -> None:
    body = {"applicationID": "7", "devEUI": "JOEkE2sAAEI=", "publishedAt": TIME, "objectJSON": '{"total_kwh": 8}'}
    assert client.post(f"{CHIRPSTACK}?event=up", json=body).json()["readings"] == 1
    assert door.stored() == [(EUI, "energy.total", 8.0)]


@pytest.mark.parametrize(
    ("address", "body", "why"),
    [
        (CHIRPSTACK, chirpstack({}), "not_decoded"),
        (CHIRPSTACK, chirpstack({"errors": ["bad port"]}), "codec_error"),
        (f"{CHIRPSTACK}?event=log", chirpstack(None, code="UPLINK_CODEC", description="x"), "codec_error"),
        (CHIRPSTACK, chirpstack({"total_kwh": "12N"}), "value_unreadable"),
        (CHIRPSTACK, {"nothing": "known"}, "no_profile"),
        (THINGS, things({}), "not_decoded"),
        (THINGS, [1, 2], "no_profile"),
    ],
)
def test_what_cannot_be_read_is_kept_and_not_asked_for_again(
    client: Client, door: Door, address: str, body: object, why: str
) -> None:
    answer = client.post(address, json=body)
    assert answer.status_code == 200
    assert answer.json()["rejected"][0]["problem"].startswith(why)
    (letter,) = door.records.letters()
    assert json.loads(letter.payload) == body
    assert door.stored() == []


@pytest.mark.parametrize("body", [b"{broken", b"\x0a\x24protobuf", b"[" * 5000])
@pytest.mark.parametrize("address", [CHIRPSTACK, THINGS])
def test_bytes_that_are_no_json_are_kept(client: Client, door: Door, address: str, body: bytes) -> None:
    assert client.post(address, content=body).status_code == 200
    (letter,) = door.records.letters()
    assert letter.payload == body


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (f"{CHIRPSTACK}?event=join", {"deviceInfo": {"devEui": EUI, "applicationId": "1"}, "devAddr": "00"}),
        (f"{CHIRPSTACK}?event=status", {"deviceInfo": {"devEui": EUI}, "margin": 7}),
        (THINGS, {"end_device_ids": {"device_id": "d"}, "join_accept": {}}),
        (THINGS, things({"total_m3": 1}, simulated=True)),
    ],
)
def test_what_says_nothing_of_meters_is_passed_over(client: Client, door: Door, address: str, body: object) -> None:
    answer = client.post(address, json=body).json()
    assert (answer["readings"], answer["rejected"]) == (0, [])
    assert answer["ignored"]
    assert list(door.records.letters()) == []


@pytest.mark.parametrize(
    ("address", "body"), [(CHIRPSTACK, chirpstack({"total_m3": 1})), (THINGS, things({"total_m3": 1}))]
)
def test_a_store_that_is_down_asks_for_it_again(client: Client, door: Door, address: str, body: object) -> None:
    door.readings.full = True
    answer = client.post(address, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    assert list(door.records.letters()) == []
    door.readings.full = False
    assert client.post(address, json=body).json()["readings"] == 1


def test_any_payload_is_taken_under_its_topic(client: Client, door: Door) -> None:
    topic = f"mqtt/things/{EUI}/uplink"
    body = {"DevEUI_uplink": {"DevEUI": EUI.upper(), "Time": TIME, "payload_hex": "01", "payload": {"total_kwh": 3}}}
    assert client.post(f"/api/v1/ingest/{topic}", json=body).json()["readings"] == 1
    assert door.stored() == [(EUI, "energy.total", 3.0)]


@pytest.mark.parametrize("topic", ["a/%2B/b", "a/%23", "$SYS/x", "%00", "x" * 1001])
def test_what_is_no_topic_is_refused(client: Client, topic: str) -> None:
    answer = client.post(f"/api/v1/ingest/{topic}", content=b"{}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "topic"


@pytest.mark.parametrize(
    ("info", "topic"),
    [
        ({"applicationId": "a/+/b", "devEui": EUI}, f"application/-/device/{EUI}/event/up"),
        ({"applicationId": "a", "devEui": "#"}, "application/a/device/-/event/up"),
        ({"applicationId": "a", "devEui": EUI.upper()}, f"application/a/device/{EUI}/event/up"),
    ],
)
def test_ids_in_a_body_make_no_other_topic(info: dict[str, str], topic: str) -> None:
    world = build_world()
    world.client().post(f"{CHIRPSTACK}?event=up", json={"deviceInfo": info})
    assert world.intake.topics == [topic]


@pytest.mark.parametrize("event", ["UP", "up/../x", "", "a" * 21])
def test_an_event_is_a_word(client: Client, event: str) -> None:
    assert client.post(CHIRPSTACK, params={"event": event}, json=chirpstack({})).status_code == 422


@pytest.mark.parametrize("address", [CHIRPSTACK, THINGS, "/api/v1/ingest/a/b"])
def test_the_rules_of_the_api_hold_for_webhooks_too(client: Client, address: str) -> None:
    assert client.post(address, content=b"").status_code == 422
    assert client.post(address, content=b"[" + b" " * 21 * 1024 * 1024 + b"]").status_code == 413
    secured = build_world(tokens={"chirpstack": "secret-of-the-network-server"}).client()
    assert secured.post(address, json={}).status_code == 401
    token = {"Authorization": "Bearer secret-of-the-network-server"}
    assert secured.post(address, json={}, headers=token).status_code == 200
