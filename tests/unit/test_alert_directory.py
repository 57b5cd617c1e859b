"""Recipients, routes and announced works over the API and on pages: kept, refused beside the field, audited, tried."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.alerts import AlertFilter, Detection
from core.sending import ChannelKind, PersonRole, Quiet, Recipient, Route, SendState
from services.alerts import Alerts, Evaluation, Policy
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW
from tests.unit.api_world import REGISTER, build_world

HOUR = timedelta(hours=1)
NOVAK = {"name": "Jan Novák", "mail": "novak@example.cz", "buildings": ["B01"]}
ROUTE = {"role": "caretaker", "least": "medium"}
WINDOW = {
    "scope": "building",
    "key": "B01",
    "start": "2026-04-07T08:00:00+02:00",
    "end": "2026-04-07T16:00:00+02:00",
    "reason": "výměna",
}


def opened_at(path: Path) -> SqlRecordStore:
    made = SqlRecordStore(f"sqlite:///{path}")
    made.start()
    return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's file with the register alone: a copy of it is quicker than a new one."""
    path = tmp_path_factory.mktemp("filled") / "records.sqlite"
    made = opened_at(path)
    made.save(REGISTER, by="test", now=NOW)
    made.close()
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[SqlRecordStore]:
    opened = opened_at(Path(shutil.copy(filled, tmp_path)))
    yield opened
    opened.close()


@pytest.fixture
def client(store: SqlRecordStore) -> httpx.Client:
    return build_world(records=store).client()


@pytest.fixture(scope="module")
def untouched(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, SqlRecordStore]]:
    """A client and a store of which tests prove that nothing is stored."""
    opened = opened_at(Path(shutil.copy(filled, tmp_path_factory.mktemp("untouched"))))
    yield build_world(records=opened).client(), opened
    opened.close()


def put(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    return client.put(f"/api/v1/{path}", json=body)


# Over the API


def test_recipients_routes_and_works_are_kept_replaced_removed_and_audited(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    assert put(client, "recipients/novak", NOVAK).json()["quiet"] == []
    night = {"begin": "22:00:00", "end": "06:00:00"}
    assert put(client, "recipients/novak", NOVAK | {"quiet": [night]}).status_code == 200
    assert put(client, "alert-routes/r", ROUTE | {"role": "", "person": "novak"}).status_code == 200
    assert put(client, "alert-windows/w", WINDOW).json()["start"] == "2026-04-07T08:00:00+02:00"
    assert client.delete("/api/v1/recipients/novak").status_code == 409
    assert client.delete("/api/v1/alert-routes/r").status_code == 204
    assert client.delete("/api/v1/recipients/novak").status_code == 204
    assert client.delete("/api/v1/alert-windows/w").status_code == 204
    assert client.delete("/api/v1/alert-windows/w").status_code == 404
    for path in ("recipients", "alert-routes", "alert-windows"):
        assert client.get(f"/api/v1/{path}").json()["items"] == []
    trail = store.audit(entity="alert_recipient", key="novak")
    assert [(e.before is None, e.after is None) for e in trail] == [(False, True), (False, False), (True, False)]
    assert trail[1].after["quiet"][0]["begin"] == "22:00:00"


def test_storing_the_same_again_is_no_change(client: httpx.Client, store: SqlRecordStore) -> None:
    for _ in range(3):
        assert put(client, "recipients/novak", NOVAK).status_code == 200
    assert len(store.audit(entity="alert_recipient")) == 1


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("recipients/novak", NOVAK | {"mail": "novak"}, "mail"),
        ("recipients/novak", NOVAK | {"webhook": "https://"}, "webhook"),
        ("recipients/novak", NOVAK | {"topic": "a/#"}, "topic"),
        ("recipients/novak", NOVAK | {"buildings": ["B99"]}, "buildings"),
        ("recipients/novak", NOVAK | {"quiet": [{"begin": "22:00:00", "end": "22:00:00"}]}, "quiet"),
        ("recipients/novak", NOVAK | {"quiet": [{"begin": "25:00:00", "end": "06:00:00"}]}, "quiet"),
        ("recipients/novak", NOVAK | {"fax": "1"}, "fax"),
        ("recipients/no vak", NOVAK, "id"),
        ("alert-routes/r", {"person": "nobody"}, "person"),
        ("alert-routes/r", ROUTE | {"person": "novak"}, "person"),
        ("alert-routes/r", ROUTE | {"rules": ["magic"]}, "rules"),
        ("alert-routes/r", ROUTE | {"least": "dire"}, "least"),
        ("alert-routes/r", ROUTE | {"delay_min": -1}, "delay_min"),
        ("alert-windows/w", WINDOW | {"end": "2026-04-07T07:00:00+02:00"}, "end"),
        ("alert-windows/w", WINDOW | {"start": "2026-04-07T08:00:00"}, "start"),
        ("alert-windows/w", WINDOW | {"key": "B99"}, "key"),
        ("alert-windows/w", WINDOW | {"scope": "all"}, "key"),
        ("alert-windows/w", WINDOW | {"reason": " "}, "reason"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    untouched: tuple[httpx.Client, SqlRecordStore], path: str, body: dict[str, Any], place: str
) -> None:
    client, store = untouched
    answer = put(client, path, body)
    assert answer.status_code == 422
    assert place in answer.json()["errors"][0]["place"]
    assert (store.recipients(), store.routes(), store.windows()) == ([], [], [])


def test_who_would_get_it_is_told_with_what_is_lacking(client: httpx.Client, store: SqlRecordStore) -> None:
    asked = {"rule": "leak", "severity": "medium", "building": "B01"}
    nobody = client.get("/api/v1/alert-preview", params=asked).json()
    assert (nobody["receivers"], [g["gap"] for g in nobody["gaps"]]) == ([], ["no_route"])
    assert client.get("/api/v1/alert-gaps").json()["items"][0]["severities"] == ["high", "medium", "low"]
    put(client, "recipients/novak", NOVAK)
    put(client, "recipients/eva", {"name": "Eva", "role": "caretaker"})
    put(client, "alert-routes/r", ROUTE)
    told = client.get("/api/v1/alert-preview", params=asked).json()
    assert [(r["recipient"], r["channel"]) for r in told["receivers"]] == [("novak", "mail")]
    assert told["gaps"] == [{"gap": "no_address", "route": "r", "recipient": "eva"}]
    assert client.get("/api/v1/alert-preview", params=asked | {"severity": "low"}).json()["receivers"] == []
    assert client.get("/api/v1/alert-preview", params=asked | {"rule": "magic"}).status_code == 422
    gaps = client.get("/api/v1/alert-gaps").json()["items"]
    assert [(g["severities"], g["buildings"], g["digest"]) for g in gaps] == [
        (["high", "medium", "low"], ["B02"], False),
        (["low"], ["B01", ""], False),
    ]
    found = Detection(subject="B01-VO", rule="leak", at_from=NOW - HOUR, at_to=NOW, found_at=NOW, loss_czk_per_day=500)
    Alerts(store, Policy()).report(Evaluation(detections=[found], judged=()), NOW)
    (alert,) = store.alerts(AlertFilter())
    here = client.get(f"/api/v1/alerts/{alert.id}/receivers").json()
    assert [r["name"] for r in here["receivers"]] == ["Jan Novák"]


def test_a_test_message_goes_out_once_a_minute_and_only_where_there_is_an_address(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    put(client, "recipients/novak", NOVAK)
    for _ in range(2):
        sent = client.post("/api/v1/recipients/novak/test", json={"channel": "mail"})
        assert (sent.status_code, sent.json()["state"]) == (200, "waiting")
    refused = client.post("/api/v1/recipients/novak/test", json={"channel": "webhook"})
    assert (refused.status_code, refused.json()["errors"][0]["place"]) == (422, "webhook")
    assert client.post("/api/v1/recipients/nobody/test", json={}).status_code == 404
    (message,) = store.outgoing()
    assert (message.items, message.content["subject"]) == ((), "Zkouška upozornění z Odečtu")


def test_what_was_given_up_can_be_sent_again_and_what_went_out_cannot(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    put(client, "recipients/novak", NOVAK)
    client.post("/api/v1/recipients/novak/test", json={})
    (taken,) = store.claim_outgoing(by="x", now=NOW, until=NOW + HOUR, limit=1)
    assert client.post(f"/api/v1/alert-messages/{taken.key}/again").status_code == 409
    store.settle_outgoing(replace(taken, state=SendState.FAILED, error="550 no such user", attempts=1), by="x")
    shown = client.get("/api/v1/alert-messages", params={"state": "failed"}).json()["items"]
    assert [(m["recipient"], m["error"]) for m in shown] == [("novak", "550 no such user")]
    for _ in range(2):
        assert client.post(f"/api/v1/alert-messages/{taken.key}/again").json()["state"] == "waiting"
    assert sorted(m.state for m in store.outgoing()) == ["failed", "waiting"]
    assert client.post("/api/v1/alert-messages/unknown/again").status_code == 404
    assert "novak@example.cz" not in client.get("/api/v1/alert-messages").text


def test_several_are_acknowledged_at_once_and_one_that_cannot_be_stops_no_other(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    found = [
        Detection(subject=p, rule="leak", at_from=NOW - HOUR, at_to=NOW, found_at=NOW) for p in ("B01-VO", "B02-EL")
    ]
    Alerts(store, Policy()).report(Evaluation(detections=found, judged=()), NOW)
    keys = [alert.id for alert in store.alerts(AlertFilter())]
    body = {"keys": [keys[0], "unknown", keys[1]], "act": "acknowledge"}
    done = client.post("/api/v1/alert-acts", json=body).json()["items"]
    assert [(d["key"], d["state"]) for d in done] == [
        (keys[0], "acknowledged"),
        ("unknown", ""),
        (keys[1], "acknowledged"),
    ]
    assert "not known" in done[1]["error"]
    assert client.post("/api/v1/alert-acts", json={"keys": [], "act": "acknowledge"}).status_code == 422
    assert client.post("/api/v1/alert-acts", json={"keys": keys, "act": "explode"}).status_code == 422


# On the pages

PERSON = {
    "id": "novak",
    "name": "Jan Novák",
    "role": "caretaker",
    "mail": "novak@example.cz",
    "buildings": ["B01"],
    "quiet_begin": ["22:00", ""],
    "quiet_end": ["06:00", ""],
    "quiet_days": ["workdays", "every"],
    "quiet_except": ["high", "high"],
}


def test_a_recipient_is_entered_changed_tried_and_removed_on_the_page(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    assert "Zatím tu nikdo není." in client.get("/alert-routing").text
    assert client.post("/alert-routing/recipients", data=PERSON).status_code == 303
    (novak,) = store.recipients()
    assert (novak.role, novak.buildings, len(novak.quiet)) == (PersonRole.CARETAKER, ("B01",), 1)
    assert (novak.quiet[0].days, novak.quiet[0].except_from) == ((0, 1, 2, 3, 4), "high")
    again = client.post("/alert-routing/recipients", data=PERSON | {"name": "Jiný"})
    assert (again.status_code, "Tento identifikátor už někdo má" in again.text) == (422, True)
    form = client.get("/alert-routing?recipient=novak").text
    for text in ('value="22:00"', 'value="novak@example.cz"', "Změnit: Jan Novák"):
        assert text in form
    assert client.post("/alert-routing/recipients", data=PERSON | {"changing": "yes", "off": "yes"}).status_code == 303
    assert store.recipients()[0].off
    assert client.post("/alert-routing/recipients/test", data={"key": "novak", "channel": "mail"}).status_code == 303
    page = client.get("/alert-routing").text
    for text in ("Zkouška upozornění z Odečtu", "nepřítomen", "přidáno", "změněno"):
        assert text in page
    assert client.post("/alert-routing/recipients/remove", data={"key": "novak"}).status_code == 303
    assert store.recipients() == []


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"mail": "novak"}, "Napište ji jako jmeno@example.cz."),
        ({"id": "jan novak"}, "Použijte 1 až 120 znaků"),
        ({"name": " "}, "Vyplňte jméno."),
        ({"quiet_end": ["", ""]}, "Napište dva různé časy"),
        ({"webhook": "ftp://x"}, "Začněte https:// nebo http://."),
        ({"buildings": ["B99"]}, "Vyberte budovy z evidence"),
    ],
)
def test_what_is_wrong_in_a_form_stands_beside_its_field_and_nothing_written_is_lost(
    untouched: tuple[httpx.Client, SqlRecordStore], changes: dict[str, Any], hint: str
) -> None:
    client, store = untouched
    answer = client.post("/alert-routing/recipients", data=PERSON | {"topic": "kraj/upozorneni"} | changes)
    assert answer.status_code == 422
    assert hint in answer.text
    assert "aria-invalid" in answer.text
    assert 'value="kraj/upozorneni"' in answer.text
    assert store.recipients() == []


def test_all_that_is_wrong_in_a_form_is_told_at_once(untouched: tuple[httpx.Client, SqlRecordStore]) -> None:
    wrong = {"id": "jan novak", "mail": "novak", "webhook": "ftp://x", "quiet_end": ["", ""]}
    page = untouched[0].post("/alert-routing/recipients", data=PERSON | wrong).text
    assert all(f'id="wrong-{name}"' in page for name in ("id", "mail", "webhook", "quiet"))
    assert 'id="wrong-name"' not in page


def test_quiet_hours_that_the_form_does_not_know_outlive_a_change_on_the_page(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    odd = (Quiet(begin=time(12), end=time(13), days=(2, 4), except_from=""), Quiet(begin=time(22), end=time(6)))
    store.keep_recipients([Recipient(id="eva", name="Eva", quiet=odd)], [])
    page = client.get("/alert-routing?recipient=eva").text
    assert 'value="2,4" selected' in page
    written = {
        "id": "eva",
        "name": "Eva Nová",
        "changing": "yes",
        "quiet_begin": ["12:00", "22:00", ""],
        "quiet_end": ["13:00", "06:00", ""],
        "quiet_days": ["2,4", "every", "every"],
        "quiet_except": ["", "high", "high"],
    }
    assert client.post("/alert-routing/recipients", data=written).status_code == 303
    (eva,) = store.recipients()
    assert (eva.name, eva.quiet) == ("Eva Nová", odd)


def test_a_route_is_entered_and_removed_and_the_page_says_of_what_nobody_would_hear(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    store.keep_recipients([Recipient(id="eva", name="Eva Nová", mail="eva@example.cz")], [])
    assert "nikdo se nic nedozví" in client.get("/alert-routing").text
    wrong = client.post("/alert-routing/routes", data={"to": "", "delay_min": "brzy"})
    assert (wrong.status_code, "Napište 0 až 10080 minut." in wrong.text) == (422, True)
    data = {"to": "person:eva", "least": "low", "delay_min": "30", "rules": ["leak"], "ends": "yes"}
    assert client.post("/alert-routing/routes", data=data).status_code == 303
    (route,) = store.routes()
    assert (route.person, route.delay_min, route.rules, route.ends) == ("eva", 30.0, ("leak",), True)
    page = client.get("/alert-routing", params={"rule": "leak", "severity": "low", "building": "B01"}).text
    for text in ("Eva Nová", "po 30 min", "i konec", "ne dříve než", "O čem by se nikdo nedozvěděl"):
        assert text in page
    none = client.get("/alert-routing", params={"rule": "dead", "severity": "high", "building": "B01"}).text
    assert "Nikdo: žádná cesta odtud nevede k adrese." in none
    changed = client.get(f"/alert-routing?route={route.id}").text
    assert "Změnit cestu" in changed
    assert client.post("/alert-routing/routes", data=data | {"id": route.id, "rules": []}).status_code == 303
    assert store.routes()[0].rules == ()
    assert "O všem se někdo dozví." in client.get("/alert-routing").text
    assert client.post("/alert-routing/routes/remove", data={"key": route.id}).status_code == 303
    assert store.routes() == []


def test_works_are_announced_on_the_clock_of_the_region(client: httpx.Client, store: SqlRecordStore) -> None:
    data = {"what": "building:B01", "start": "2026-04-07T08:00", "end": "2026-04-07T16:00", "reason": "výměna"}
    assert client.post("/alert-windows", data=data).status_code == 303
    (works,) = store.windows()
    assert works.start == datetime(2026, 4, 7, 6, tzinfo=UTC)
    page = client.get("/alert-windows").text
    for text in ("Gymnázium, hlavní budova", "07.04.2026 8:00", "07.04.2026 16:00", "výměna", "přidáno"):
        assert text in page
    for changes, hint in (
        ({"end": "2026-04-07T07:00"}, "po začátku"),
        ({"start": "2026-03-29T02:30"}, "hodiny skutečně ukázaly"),
        ({"what": ""}, "čeho se práce týkají"),
        ({"reason": ""}, "co se tam dělá"),
    ):
        wrong = client.post("/alert-windows", data=data | changes)
        assert (wrong.status_code, hint in wrong.text) == (422, True), changes
    assert "07.04.2026" in client.get(f"/alert-windows?window={works.id}").text
    assert client.post("/alert-windows/remove", data={"key": works.id}).status_code == 303
    assert store.windows() == []


def test_the_inbox_pages_by_urgency_filters_and_acknowledges_the_chosen(
    client: httpx.Client, store: SqlRecordStore
) -> None:
    store.keep_recipients([Recipient(id="eva", name="Eva Nová", mail="eva@example.cz")], [])
    store.keep_routes([Route(id="r", person="eva", channel=ChannelKind.MAIL)], [])
    found = [
        Detection(
            subject=f"p-{n}",
            rule="leak" if n % 2 else "dead",
            at_from=NOW - HOUR,
            at_to=NOW,
            found_at=NOW,
            loss_czk_per_day=float(n),
        )
        for n in range(53)
    ]
    acts = Alerts(store, Policy())
    acts.report(Evaluation(detections=found, judged=()), NOW)
    first = client.get("/alerts").text
    assert ("p-52" in first, "p-3<" in first, "p-2<" in first) == (True, True, False)
    following = next(part.partition('"')[0] for part in first.split('href="') if "after=" in part[:60])
    second = client.get(following.replace("&amp;", "&")).text
    assert [f"p-{n}<" in second for n in (3, 2, 1, 0)] == [False, True, True, True]
    only = client.get("/alerts?rule=leak&severity=low&state=open").text
    assert ("p-51<" in only, "p-52<" in only) == (True, False)
    assert "Žádné takové upozornění není." in client.get("/alerts?severity=high").text
    newest = [a.id for a in store.alerts(AlertFilter(urgent_first=True), limit=2)]
    done = client.post("/alerts", data={"keys": [*newest, "unknown"], "to": "/alerts?rule=leak"})
    assert (done.status_code, done.headers["location"]) == (303, "/alerts?rule=leak")
    assert [store.alert(key).state for key in newest] == ["acknowledged"] * 2
    assert client.post("/alerts", data={"to": "https://evil.example"}).headers["location"] == "/alerts"


def test_an_alert_shows_its_chart_its_steps_and_who_would_be_told(client: httpx.Client, store: SqlRecordStore) -> None:
    at = [(NOW - n * HOUR).isoformat() for n in range(10, 0, -1)]
    series = {"name": "flow", "unit": "m³/h", "at": at, "value": [0.1] * 10}
    found = [
        Detection(
            subject="B01-VO",
            rule=rule,
            at_from=NOW - 3 * HOUR,
            at_to=NOW,
            found_at=NOW,
            unit="m³",
            loss_per_day=2.4,
            evidence={"series": shown, "threshold": 0.05},
        )
        for rule, shown in (("leak", [series]), ("burst", [{"name": "flow"}]))
    ]
    Alerts(store, Policy()).report(Evaluation(detections=found, judged=()), NOW)
    leak, burst = (store.alerts(AlertFilter(rules=(rule,)))[0].id for rule in ("leak", "burst"))
    page = client.get(f"/alerts/{leak}").text
    for text in ('data-chart="evidence-chart"', "Zavírejte větve jednu po druhé", "2,4 m³", "žádná cesta odtud nevede"):
        assert text in page
    broken = client.get(f"/alerts/{burst}")
    assert (broken.status_code, "data-chart" in broken.text) == (200, False)
