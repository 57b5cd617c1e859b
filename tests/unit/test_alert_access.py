"""Who sees and changes what of alerts: a caretaker their own buildings, the region's keepers everybody's addresses."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.alert_texts import told_trouble
from api.texts import language
from core.alerts import AlertFilter, Detection
from core.people import Access, Grant, Role
from core.sending import Recipient, Route, SendState, Window, WindowScope
from services.alerts import Alerts, Evaluation, Policy
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW
from tests.unit.api_world import REGISTER, InProcess, build_world

HOUR = timedelta(hours=1)
CARETAKER = Access(name="novak@kraj", grants=(Grant(role=Role.FACILITY_STAFF, buildings=("B01",)),))
MANAGER = Access(name="eva@kraj", grants=(Grant(role=Role.ENERGY_MANAGER),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlRecordStore]:
    opened = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    opened.start()
    opened.save(REGISTER, by="test", now=NOW)
    people = [
        Recipient(id="novak", name="Jan Novák", mail="novak@example.cz", buildings=("B01",), person="novak@kraj"),
        Recipient(id="other", name="Karel Jiný", mail="other@example.cz", buildings=("B02",)),
    ]
    opened.keep_recipients(people, [])
    opened.keep_routes([Route(id="r", role="caretaker")], [])
    found = [
        Detection(subject=p, rule="leak", at_from=NOW - 2 * HOUR, at_to=NOW - HOUR, found_at=NOW - HOUR)
        for p in ("B01-VO", "B02-EL")
    ]
    Alerts(opened, Policy()).report(Evaluation(detections=found, judged=()), NOW - HOUR)
    span = {"start": NOW - HOUR, "end": NOW + HOUR}
    opened.keep_windows(
        [
            Window(id="mine", scope=WindowScope.BUILDING, key="B01", reason="moje", **span),
            Window(id="foreign", scope=WindowScope.POINT, key="B02-EL", reason="cizí", **span),
            Window(id="gateway", scope=WindowScope.SOURCE, key="brana-B02", reason="brána", **span),
            Window(id="all", scope=WindowScope.ALL, reason="všude", **span),
        ],
        [],
    )
    yield opened
    opened.close()


def client(store: SqlRecordStore, who: Access) -> httpx.Client:
    world = build_world(records=store)
    return httpx.Client(transport=InProcess(world.app, lambda: who), base_url="http://odecet.test")


def alert_of(store: SqlRecordStore, building: str) -> str:
    return store.alerts(AlertFilter(buildings=(building,)))[0].id


def test_a_caretaker_has_the_inbox_of_their_buildings_and_gives_alerts_to_themselves(store: SqlRecordStore) -> None:
    here = client(store, CARETAKER)
    page = here.get("/alerts").text
    assert ("Studená voda" in page, "Pavilon A" in page) == (True, False)
    mine, foreign = alert_of(store, "B01"), alert_of(store, "B02")
    assert here.get(f"/alerts/{foreign}").status_code == 404
    shown = here.get(f"/alerts/{mine}").text
    assert "Postarám se o to" in shown
    assert "Karel Jiný" not in shown
    assert here.post(f"/alerts/{mine}", data={"act": "assign"}).status_code == 303
    assert store.alert(mine).assignee == "novak"
    assert "Studená voda" in here.get("/alerts?mine=yes").text
    assert "Jan Novák" in here.get("/alerts").text
    given = [m for m in store.outgoing(alert=mine) if m.items[0].occasion == "assigned"]
    assert [m.recipient for m in given] == ["novak"]
    done = here.post("/api/v1/alert-acts", json={"keys": [mine, foreign], "act": "acknowledge"}).json()["items"]
    assert [d["state"] for d in done] == ["assigned", ""]
    assert store.alert(foreign).acknowledged_at is None


def test_a_caretaker_sees_no_addresses_and_no_works_elsewhere_and_announces_their_own_alone(
    store: SqlRecordStore,
) -> None:
    here = client(store, CARETAKER)
    for path in ("/alert-routing", "/api/v1/recipients", "/api/v1/alert-routes", "/api/v1/alert-messages"):
        assert here.get(path).status_code == 403, path
    assert {w["id"] for w in here.get("/api/v1/alert-windows").json()["items"]} == {"mine", "all"}
    page = here.get("/alert-windows").text
    assert ("moje" in page, "cizí" in page, "brana-B02" in page) == (True, False, False)
    works = {"start": "2026-04-07T06:00:00Z", "end": "2026-04-07T08:00:00Z", "reason": "revize"}
    for window, status in (
        ({"scope": "building", "key": "B01"}, 200),
        ({"scope": "point", "key": "B01-VO"}, 200),
        ({"scope": "building", "key": "B02"}, 403),
        ({"scope": "point", "key": "B02-EL"}, 403),
        ({"scope": "source", "key": "gw"}, 403),
        ({"scope": "all"}, 403),
    ):
        assert here.put("/api/v1/alert-windows/new", json=works | window).status_code == status, window
    for foreign in ("foreign", "all", "gateway"):
        assert here.delete(f"/api/v1/alert-windows/{foreign}").status_code == 403
        taken = works | {"scope": "building", "key": "B01"}
        assert here.put(f"/api/v1/alert-windows/{foreign}", json=taken).status_code == 403
        assert here.post("/alert-windows/remove", data={"key": foreign}).status_code == 403
    assert {w.id for w in store.windows()} == {"mine", "foreign", "gateway", "all", "new"}


def test_who_keeps_the_regions_meters_keeps_who_is_told_and_hears_what_did_not_arrive(store: SqlRecordStore) -> None:
    here = client(store, MANAGER)
    assert "karel" in here.get("/alert-routing").text.lower()
    for message in store.claim_outgoing(by="x", now=NOW, until=NOW + HOUR, limit=1):
        lost = replace(message, state=SendState.UNCERTAIN, error="it broke off while the message went out: timed out")
        store.settle_outgoing(lost, by="x")
    assert "1 zpráva nedošla." in here.get("/alerts").text
    assert "Přerušilo se cestou: timed out" in here.get("/alert-routing").text
    assert "nedošla" not in client(store, CARETAKER).get("/alerts").text


@pytest.mark.parametrize(
    ("error", "czech"),
    [
        ("given up after 16 tries: no mail is set up", "Po 16 pokusech vzdáno: Pro tento kanál není nastaven server."),
        ("550 no such user", "550 no such user"),
        ("no chart of 12ab: KeyError: 'unit'", "Odešlo bez grafu."),
        ("", ""),
    ],
)
def test_what_keeps_a_message_is_said_in_czech_and_servers_words_stay(error: str, czech: str) -> None:
    assert told_trouble(language("cs"), error) == czech
