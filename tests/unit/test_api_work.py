from dataclasses import replace

import pytest
from httpx import Client

from core.ports import Taken
from core.registry import DialEvent, EventKind, Meter
from tests.unit.api_fakes import NOW
from tests.unit.api_world import BREAK, World, build_world


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def only_finding(client: Client) -> dict[str, object]:
    found: dict[str, object] = client.get("/api/v1/findings?open=true").json()["items"][0]
    return found


def test_the_inbox_never_tears_a_device_apart(client: Client) -> None:
    first = client.get("/api/v1/inbox?limit=1")
    assert [i["register"] for i in first.json()["items"]] == ["energy.import", "power.import"]
    assert first.json()["total"] == 3
    rest = client.get(first.links["next"]["url"]).json()
    assert [i["device"] for i in rest["items"]] == ["wm-7"]
    assert rest["next"] is None


def test_assigning_mounts_the_device_since_it_was_first_seen_and_empties_its_inbox(
    client: Client, world: World
) -> None:
    answer = client.post("/api/v1/inbox/em-9/assign", json={"point": "B01-EL-K"})
    assert answer.status_code == 201
    meter = world.records.get(Meter, answer.json()["id"])
    assert (meter.point, meter.device, meter.mounted) == ("B01-EL-K", "em-9", world.records.waiting[0].first_seen)
    assert [i.device for i in world.records.waiting] == ["wm-7"]
    assert world.records.trail[-1].key == meter.id


def test_assigning_to_a_point_that_has_a_meter_is_a_conflict_and_keeps_the_inbox(client: Client, world: World) -> None:
    answer = client.post("/api/v1/inbox/em-9/assign", json={"point": "B01-EL"})
    assert answer.status_code == 409
    assert "M1" in answer.json()["detail"]
    assert len(world.records.waiting) == 3


@pytest.mark.parametrize(
    ("device", "body", "status"),
    [
        ("nothing", {"point": "B01-EL-K"}, 404),
        ("em-9", {"point": "NOPE"}, 404),
        ("em-9", {}, 422),
        ("em-9", {"point": "B01-EL-K", "digits": 40}, 422),
        ("em-9", {"point": "B01-EL-K", "colour": 1}, 422),
    ],
)
def test_assigning_what_cannot_be_is_refused(client: Client, device: str, body: object, status: int) -> None:
    assert client.post(f"/api/v1/inbox/{device}/assign", json=body).status_code == status


def test_dead_letters_are_shown_as_text_or_base64_with_their_reason(client: Client) -> None:
    found = client.get("/api/v1/letters").json()
    assert [(k["text"], k["base64"], k["reason"]) for k in found["items"]] == [
        ("{broken", None, "malformed"),
        (None, "//4=", "no_profile"),
    ]
    assert found["total"] == 2
    assert client.get("/api/v1/letters?reason=malformed").json()["total"] == 1


def test_dead_letters_are_paged(client: Client) -> None:
    first = client.get("/api/v1/letters?limit=1")
    assert [k["id"] for k in client.get(first.links["next"]["url"]).json()["items"]] == [2]


def test_the_payload_of_a_letter_is_a_download_of_its_bytes(client: Client) -> None:
    answer = client.get("/api/v1/letters/2/payload")
    assert (answer.content, answer.headers["content-type"]) == (b"\xff\xfe", "application/octet-stream")
    assert "attachment" in answer.headers["content-disposition"]


def test_replaying_a_letter_that_can_be_read_now_closes_it(client: Client, world: World) -> None:
    body = b'{"meter": "em-1", "value": 5.0, "at": "2026-03-14T09:00:00+01:00"}'
    world.records.dead[1] = replace(world.records.dead[1], payload=body)
    answer = client.post("/api/v1/letters/1/replay").json()
    assert (answer["readings"], answer["replayed"]) == (1, True)
    assert world.records.dead[1].replayed == NOW
    assert client.post("/api/v1/letters/1/replay").status_code == 409
    assert [k["id"] for k in client.get("/api/v1/letters").json()["items"]] == [2]


def test_replaying_a_letter_that_still_cannot_be_read_keeps_it_open(client: Client, world: World) -> None:
    answer = client.post("/api/v1/letters/1/replay").json()
    assert (answer["readings"], answer["replayed"]) == (0, False)
    assert answer["rejected"][0]["problem"]
    assert world.records.dead[1].replayed is None


def test_replaying_goes_by_the_act_that_the_app_gives() -> None:
    asked: list[int] = []

    def replay(number: int) -> Taken:
        asked.append(number)
        return Taken(readings=3)

    answer = build_world(replay=replay).client().post("/api/v1/letters/2/replay").json()
    assert (answer["readings"], asked) == (3, [2])


def test_an_open_finding_is_answered_with_its_proposal(client: Client, world: World) -> None:
    found = only_finding(client)
    answer = client.post(f"/api/v1/findings/{found['id']}/answer", json={})
    assert answer.status_code == 201
    event = world.records.get(DialEvent, answer.json()["id"])
    assert (event.kind, event.final, event.first, event.register) == (EventKind.SWAP, 48213.4, 0.2, "")
    assert event.at == BREAK.finding.at_to


def test_an_open_finding_is_answered_with_what_the_operator_says(client: Client, world: World) -> None:
    found = only_finding(client)
    said = {"kind": "swap", "at": "2026-03-04T10:10:00+01:00", "final": 48214.0, "first": 0.0, "note": "protokol"}
    answer = client.post(f"/api/v1/findings/{found['id']}/answer", json=said)
    event = world.records.get(DialEvent, answer.json()["id"])
    assert (event.final, event.first, event.note) == (48214.0, 0.0, "protokol")


def test_another_kind_than_proposed_takes_no_dials_of_the_proposal(client: Client) -> None:
    found = only_finding(client)
    event = client.post(f"/api/v1/findings/{found['id']}/answer", json={"kind": "rollover"}).json()
    assert (event["kind"], event["final"], event["first"]) == ("rollover", None, None)


def test_answering_the_same_again_changes_nothing_and_otherwise_is_a_conflict(client: Client) -> None:
    found = only_finding(client)
    first = client.post(f"/api/v1/findings/{found['id']}/answer", json={}).json()
    same = client.post(f"/api/v1/findings/{found['id']}/answer", json={}).json()
    assert same == first
    other = client.post(f"/api/v1/findings/{found['id']}/answer", json={"final": 5.0})
    assert other.status_code == 409


def test_an_exchange_for_a_device_of_another_name_mounts_that_meter(client: Client, world: World) -> None:
    found = only_finding(client)
    said = {"kind": "swap", "new_device": "em-77"}
    answer = client.post(f"/api/v1/findings/{found['id']}/answer", json=said)
    assert answer.headers["location"].startswith("/api/v1/meters/")
    new = world.records.get(Meter, answer.json()["id"])
    old = world.records.get(Meter, "M1")
    assert (new.device, new.first, new.point) == ("em-77", 0.2, "B01-EL")
    assert (old.removed, old.final) == (new.mounted, 48213.4)


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("0000000000000000", {}, 404),
        ("", {"kind": "explosion"}, 422),
        ("", {"kind": "swap", "final": "many"}, 422),
        ("", {"at": "2026-03-04T10:10:00"}, 422),
    ],
)
def test_an_answer_that_cannot_be_is_refused(client: Client, key: str, body: object, status: int) -> None:
    name = key or only_finding(client)["id"]
    assert client.post(f"/api/v1/findings/{name}/answer", json=body).status_code == status


def test_findings_are_chosen_by_point_and_rule(client: Client) -> None:
    assert len(client.get("/api/v1/findings?point=B01-EL&rule=break").json()["items"]) == 1
    assert client.get("/api/v1/findings?point=B01-VO").json()["items"] == []
    assert client.get("/api/v1/findings?rule=gap").json()["items"] == []


def test_quality_weighs_days_and_tells_gaps_questions_and_revisions(client: Client) -> None:
    answer = client.get("/api/v1/quality?building=B01&commodity=electricity&role=billing&from=2026-03-01&to=2026-03-15")
    row = answer.json()["points"][0]
    assert (row["measured"], row["missing"]) == (1.0, 0.0)
    assert (row["gaps"], row["open_findings"], row["revisions"]) == (1, 1, 1)
    assert row["last_reading"] == "2026-03-13T23:45:00Z"
    assert row["last_reading_age_s"] == (NOW - NOW.replace(day=13, hour=23, minute=45)).total_seconds()


def test_quality_of_a_region_says_how_many_points_lack_data(client: Client) -> None:
    found = client.get("/api/v1/quality?from=2026-01-01&to=2026-03-01").json()
    assert [b["building"] for b in found["buildings"]] == ["B01", "B02"]
    assert found["region"]["points"] == 5
    assert found["region"]["lacking"] == 1
    water = next(p for p in found["points"] if p["point"] == "B01-VO")
    assert water["missing"] == pytest.approx(28 / 59)
    assert water["last_reading_age_s"] > 0


def test_quality_of_points_that_nobody_knows_anything_of_is_all_missing(client: Client) -> None:
    row = client.get("/api/v1/quality?point=B02-V&from=2020-01-01&to=2021-01-01").json()["points"][0]
    assert (row["measured"], row["missing"], row["last_reading"]) == (0.0, 1.0, None)
