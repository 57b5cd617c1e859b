"""Alerts over the API and on the caretaker's page: what is wrong, what was done, how long it took."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from core.alerts import Alert, AlertFilter, Detection
from core.sending import Recipient, Route
from services.alerts import Alerts, Evaluation, Policy
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW
from tests.unit.api_world import REGISTER, build_world

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    opened.start()
    opened.save(REGISTER, by="test", now=NOW)
    opened.keep_recipients([Recipient(id="novak", name="Novák", mail="novak@example.cz")], [])
    opened.keep_routes([Route(id="r", person="novak")], [])
    found = [
        Detection(
            subject="B01-VO",
            rule=rule,
            at_from=NOW - 9 * HOUR,
            at_to=NOW - HOUR,
            found_at=NOW - HOUR,
            loss_per_day=2.5,
            unit="m³",
            loss_czk_per_day=czk,
            evidence={"night_m3_h": 0.1},
        )
        for rule, czk in (("leak", 1500.0), ("burst", 10.0))
    ]
    Alerts(opened, Policy()).report(Evaluation(detections=found, judged=()), NOW - HOUR)
    yield opened
    opened.close()


@pytest.fixture
def client(store: SqlRecordStore) -> httpx.Client:
    return build_world(records=store).client()


def leak(store: SqlRecordStore) -> Alert:
    return store.alerts(AlertFilter(rules=("leak",)))[0]


def test_alerts_are_listed_by_what_is_asked_and_paged(client: httpx.Client) -> None:
    asked = client.get("/api/v1/alerts", params={"severity": "high", "building": "B01"}).json()
    assert [(a["rule"], a["title"], a["loss_czk_per_day"]) for a in asked["items"]] == [("leak", "Únik vody", 1500.0)]
    first = client.get("/api/v1/alerts", params={"limit": 1, "active": True})
    second = client.get(first.links["next"]["url"]).json()
    assert {first.json()["items"][0]["rule"], second["items"][0]["rule"]} == {"leak", "burst"}
    assert second["next"] is None
    assert client.get("/api/v1/alerts", params={"state": "closed"}).json()["items"] == []
    assert client.get("/api/v1/alerts", params={"severity": "dire"}).status_code == 422


def test_an_alert_shows_its_evidence_history_and_messages(client: httpx.Client, store: SqlRecordStore) -> None:
    key = leak(store).id
    assert client.post(f"/api/v1/alerts/{key}/acts", json={"act": "acknowledge"}).json()["state"] == "acknowledged"
    done = client.post(f"/api/v1/alerts/{key}/acts", json={"act": "resolve", "cause": "repaired", "note": "ventil"})
    assert (done.json()["cause"], done.json()["ended_at"]) == ("repaired", "2026-03-15T10:00:00Z")
    shown = client.get(f"/api/v1/alerts/{key}").json()
    assert shown["evidence"] == {"night_m3_h": 0.1}
    assert "pojistné ventily" in shown["check"]
    assert [h["did"] for h in shown["history"]] == ["opened", "acknowledged", "resolved"]
    assert [(m["recipient"], m["state"]) for m in shown["messages"]] == [("novak", "waiting")]
    assert "novak@example.cz" not in str(shown)


@pytest.mark.parametrize(
    ("wish", "status", "told"),
    [
        ({"act": "explode"}, 422, "acknowledge, assign"),
        ({"act": "resolve", "cause": "magic"}, 422, "is no cause"),
        ({"act": "snooze"}, 422, "until when"),
        ({"act": "snooze", "until": "2020-01-01T00:00:00Z"}, 422, "within 180 days"),
        ({"act": "assign"}, 422, "name who"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_remedy(
    client: httpx.Client, store: SqlRecordStore, wish: dict[str, str], status: int, told: str
) -> None:
    answer = client.post(f"/api/v1/alerts/{leak(store).id}/acts", json=wish)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert client.post("/api/v1/alerts/unknown/acts", json={"act": "acknowledge"}).status_code == 404


def test_mean_times_are_told_by_severity(client: httpx.Client, store: SqlRecordStore) -> None:
    act = {"act": "resolve", "cause": "repaired"}
    assert client.post(f"/api/v1/alerts/{leak(store).id}/acts", json=act).status_code == 200
    rows = {row["severity"]: row for row in client.get("/api/v1/alert-times").json()["items"]}
    assert (rows["high"]["mean_hours_to_acknowledge"], rows["high"]["mean_hours_to_resolve"]) == (1.0, 1.0)
    assert (rows["low"]["alerts"], rows["low"]["mean_hours_to_resolve"]) == (1, None)
    none = client.get("/api/v1/alert-times", params={"from": "2025-01-01", "to": "2025-02-01"}).json()["items"]
    assert [row["alerts"] for row in none] == [0, 0, 0]


def test_a_caretaker_sees_what_is_wrong_in_czech_and_ends_it_with_its_cause(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    listed = client.get("/alerts").text
    rows = listed[listed.index("inbox") :]
    assert rows.index("Únik vody") < rows.index("Prasklé potrubí")
    for text in ("Upozornění", "Vysoká", "2,5 m³, 1\u00a0500 Kč za den"):
        assert text in listed
    key = leak(store).id
    page = client.get(f"/alerts/{key}").text
    for text in ("Co zkontrolovat", "Vím o tom", "Opraveno", "Planý poplach", "Novák · e-mail · Čeká"):
        assert text in page
    assert client.post(f"/alerts/{key}", data={"act": "snooze", "days": "7"}).status_code == 303
    assert "Odloženo do" in client.get(f"/alerts/{key}").text
    done = client.post(f"/alerts/{key}", data={"act": "resolve", "cause": "repaired", "note": "<b>ventil</b>"})
    assert done.headers["location"] == f"/alerts/{key}?done=resolve"
    page = client.get(f"/alerts/{key}").text
    assert "&lt;b&gt;ventil&lt;/b&gt;" in page
    assert "Vím o tom" not in page
    assert f"/alerts/{key}" not in client.get("/alerts").text
    assert f"/alerts/{key}" in client.get("/alerts?state=all").text


def test_a_page_of_an_unknown_alert_is_not_found(client: httpx.Client) -> None:
    assert client.get("/alerts/unknown").status_code == 404
