"""Coming in and going out: passwords, links, sessions, forms, keys; and whoever tries to come in without."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api.dependencies import PerMinute
from core.errors import Conflict, InputError
from core.people import Grant, Person, Role
from core.sessions import Failures, Purpose, digest_of
from services.passwords import Passwords
from services.people import add_person, change_person, is_first_start
from services.sessions import Entered, Patience, Policy, Sessions, Wait, Wrong
from tests.unit.access_world import ACT, FAST, PASSWORD, Region, region
from tests.unit.api_fakes import NOW

ADMIN = Grant(role=Role.ADMINISTRATOR)
STAFF = Grant(role=Role.FACILITY_STAFF, organisations=("O2",))
HTML = {"accept": "text/html"}
MINUTE = timedelta(minutes=1)


class Time:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(tmp_path: Path, time: Time) -> Iterator[Region]:
    with region(tmp_path, clock=time, links_at="https://odecet.example.cz") as made:
        made.person("admin", ADMIN, mail="admin@example.cz")
        made.person("novak", STAFF, mail="Jan.Novak@example.cz")
        yield made


def log_in(client: httpx.Client, name: str = "novak", password: str = PASSWORD, to: str = "/") -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, "to": to})


def form_token(client: httpx.Client, path: str = "/account") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)
    assert found is not None
    return found[1]


# Passwords


@pytest.mark.parametrize("name", ["novak", "NOVAK", " jan.novak@example.cz "])
def test_a_name_or_mail_address_and_the_password_open_a_session(name: str, world: Region) -> None:
    client = world.client(**HTML)
    answer = log_in(client, name, to="/alerts?all=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?all=1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert "novak Testová" in client.get("/account").text


def test_over_https_the_cookie_and_the_browser_are_bound_to_it(world: Region) -> None:
    client = httpx.Client(transport=world.client()._transport, base_url="https://odecet.test", headers=HTML)
    answer = log_in(client)
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"])
def test_login_leads_to_no_other_site(to: str, world: Region) -> None:
    assert log_in(world.client(**HTML), to=to).headers["location"] == "/"
    shown = world.client(**HTML).get("/login", params={"to": to}).text
    assert 'name="to" value="/"' in shown


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(world: Region) -> None:
    client = world.client(**HTML)
    known, unknown = log_in(client, password="guess"), log_in(client, "nobody", "guess")  # noqa: S106 - a guess
    assert known.status_code == unknown.status_code == 401
    assert known.text == unknown.text
    assert "set-cookie" not in known.headers


def test_a_session_that_was_there_before_is_not_the_one_after(world: Region) -> None:
    """Who plants a cookie of theirs in somebody's browser does not share the session that is opened then."""
    planted = "planted-by-an-attacker-0123456789"
    client = world.client(**HTML, cookie=f"odecet_session={planted}")
    opened = log_in(client).cookies["odecet_session"]
    assert opened != planted
    assert world.client(**HTML, cookie=f"odecet_session={planted}").get("/account").status_code == 401


def test_who_is_not_active_any_more_is_out_at_once(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client)
    change_person(world.records, replace(world.records.person("novak"), active=False), ACT)
    assert client.get("/").headers["location"].startswith("/login")
    assert log_in(world.client(**HTML)).status_code == 401


def test_hashes_of_less_effort_are_made_anew_at_the_login(world: Region) -> None:
    stronger = Sessions(world.records, Passwords(memory_kib=16, rounds=1))
    before = world.records.password("novak")
    assert isinstance(stronger.log_in("novak", PASSWORD, address="1.2.3.4", now=NOW), Entered)
    after = world.records.password("novak")
    assert after != before
    assert "m=16," in after


# Guessing


def test_guessing_an_account_is_slower_and_slower_in_every_process(world: Region, time: Time) -> None:
    other = Sessions(world.records, FAST)
    tried = 0
    for n in range(400):
        door = (world.sessions, other)[n % 2]
        done = door.log_in("novak", f"guess {n}", address=f"10.0.{n % 250}.{n // 250}", now=time())
        tried += isinstance(done, Wrong)
        time.now += 10 * timedelta(seconds=1)
    assert tried < 5 + 15
    done = world.sessions.log_in("novak", PASSWORD, address="10.9.9.9", now=time())
    assert isinstance(done, Wait)
    time.now += timedelta(seconds=done.seconds)
    assert isinstance(world.sessions.log_in("novak", PASSWORD, address="10.9.9.9", now=time()), Entered)
    assert isinstance(world.sessions.log_in("novak", "x", address="10.9.9.9", now=time()), Wrong)


def test_guessing_one_password_of_many_is_slowed_down_by_address(world: Region, time: Time) -> None:
    done = [world.sessions.log_in(f"person-{n}", "Léto 2026", address="10.0.0.1", now=time()) for n in range(60)]
    assert sum(isinstance(d, Wrong) for d in done) == Policy().address.free + 0
    assert isinstance(world.sessions.log_in("novak", PASSWORD, address="10.0.0.2", now=time()), Entered)


def test_waiting_is_not_made_longer_by_asking(world: Region, time: Time) -> None:
    for n in range(6):
        last = world.sessions.log_in("novak", f"guess {n}", address="10.0.0.1", now=time())
    assert isinstance(last, Wait)
    for _ in range(50):
        again = world.sessions.log_in("novak", PASSWORD, address="10.0.0.1", now=time())
        assert again == last


def test_an_office_behind_one_address_gets_by(world: Region, time: Time) -> None:
    for _ in range(50):
        assert isinstance(world.sessions.log_in("novak", "typo", address="10.0.0.1", now=time()), Wrong | Wait)
        time.now += 5 * MINUTE
        done = world.sessions.log_in("admin", PASSWORD, address="10.0.0.1", now=time())
        assert isinstance(done, Entered)


def test_the_page_says_how_long_to_wait(world: Region) -> None:
    client = world.client(**HTML)
    answers = [log_in(client, password=f"guess {n}") for n in range(6)]
    assert [a.status_code for a in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) in range(1, 17)


@pytest.mark.parametrize(
    ("password", "trouble"),
    [("krátké", "length"), ("x" * 300, "length"), ("aaaaaaaaaaaa", "easy"), ("Novak2026!!!!", "easy")],
)
def test_passwords_that_are_guessed_at_once_are_not_taken(password: str, trouble: str) -> None:
    person = Person(id="novak", name="Jan Novák", mail="jan.novak@example.cz")
    assert FAST.trouble(password, person) == trouble
    assert FAST.trouble("pes na mezi spí", person) == ""
    with pytest.raises(InputError):
        FAST.check(password, person)


# Sessions


def test_a_stolen_cookie_is_worth_nothing_after_logout(world: Region) -> None:
    client = world.client(**HTML)
    stolen = log_in(client).cookies["odecet_session"]
    thief = world.client(**HTML, cookie=f"odecet_session={stolen}")
    assert thief.get("/account").status_code == 200
    assert client.post("/logout", data={"csrf": form_token(client)}).status_code == 303
    assert thief.get("/account").status_code == 401


def test_logging_out_everywhere_ends_all_sessions_of_the_person(world: Region) -> None:
    one, two, admin = (world.client(**HTML) for _ in range(3))
    log_in(one)
    log_in(two)
    log_in(admin, "admin")
    one.post("/logout", data={"csrf": form_token(one), "everywhere": "yes"})
    assert [c.get("/account").status_code for c in (one, two, admin)] == [401, 401, 200]


def test_a_session_ends_when_idle_and_in_any_case(world: Region, time: Time) -> None:
    client = world.client(**HTML)
    log_in(client)
    for _ in range(27):
        time.now += timedelta(hours=11)
        assert client.get("/account").status_code == 200
    time.now += timedelta(hours=13)
    assert client.get("/account").status_code == 401
    log_in(client)
    for _ in range(31):
        time.now += timedelta(hours=11)
        client.get("/account")
    assert client.get("/account").status_code == 401


def test_the_store_holds_no_token_that_opens_anything(world: Region, tmp_path: Path) -> None:
    client = world.client(**HTML)
    token = log_in(client).cookies["odecet_session"]
    secret = world.sessions.link("novak", Purpose.PASSWORD, NOW)
    key = world.key(Role.TESTER)["authorization"].partition(" ")[2]
    held = b"".join(file.read_bytes() for file in tmp_path.glob("records.sqlite*"))
    assert digest_of(token).encode() in held
    for found in (token, secret, key, PASSWORD):
        assert found.encode() not in held


def test_a_changed_password_ends_the_other_sessions(world: Region) -> None:
    mine, other = world.client(**HTML), world.client(**HTML)
    log_in(mine)
    log_in(other)
    said = {"csrf": form_token(mine), "old": PASSWORD, "new": "pět koček v komoře"}
    assert mine.post("/account/password", data={**said, "old": "guess"}).status_code == 422
    assert mine.post("/account/password", data={**said, "new": "novak novak"}).status_code == 422
    assert other.get("/account").status_code == 200
    assert mine.post("/account/password", data=said).headers["location"] == "/account?done=changed"
    assert [c.get("/account").status_code for c in (mine, other)] == [200, 401]
    assert log_in(world.client(**HTML), password="pět koček v komoře").status_code == 303  # noqa: S106 - of a person who is not


# Forms


def test_a_form_that_shows_no_token_of_its_session_changes_nothing(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client, "admin")
    token = form_token(client)
    said = {"name": "Nová", "id": "nova"}
    other = world.client(**HTML)
    log_in(other)
    for wrong in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": form_token(other)}):
        assert client.post("/people", data={**said, **wrong}).status_code == 403
        assert (
            client.post("/api/v1/people", json=said, headers={"x-csrf-token": wrong.get("csrf", "")}).status_code == 403
        )
    cross = {"sec-fetch-site": "cross-site"}
    assert client.post("/people", data={**said, "csrf": token}, headers=cross).status_code == 403
    assert [p.id for p in world.records.people()] == ["admin", "novak"]
    assert client.post("/people", data={**said, "csrf": token}).status_code == 200
    assert client.put("/api/v1/people/nova", json=said, headers={"x-csrf-token": token}).status_code == 200


def test_every_form_that_changes_something_carries_the_token(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client, "admin")
    paths = (
        "/ /people /people/novak /keys /account /alerts /inbox /letters /measures /stations /import /imports /formats"
    )
    forms = 0
    for path in (*paths.split(), "/points/B01-EL", f"/alerts/{world.alerts['B01']}", "/login"):
        after = re.findall(r'<form[^>]*method="post"[^>]*>(.{60})', client.get(path).text, re.DOTALL)
        assert all(re.match(r'<input type="hidden" name="csrf" value="[0-9a-f]+', form) for form in after), path
        forms += len(after)
    assert forms > 20
    templates = (Path(__file__).parents[2] / "api/templates").glob("*.html")
    assert not any(re.search(rb"method=.?POST", file.read_bytes()) for file in templates)


def test_a_file_is_uploaded_with_the_token(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client, "admin")
    file = {"file": ("o.csv", b"a;b\r\n1;2\r\n", "text/csv")}
    assert client.post("/imports", files=file).status_code == 403
    assert client.post("/imports", files=file, data={"csrf": form_token(client)}).status_code == 200


# Links


def test_a_link_sets_the_password_once(world: Region) -> None:
    client, secret = world.client(**HTML), world.sessions.link("novak", Purpose.PASSWORD, NOW)
    assert client.get("/password", params={"link": secret}).status_code == 200
    weak = client.post("/password", data={"link": secret, "password": "krátké"})
    assert weak.status_code == 422
    new = "pět koček v komoře"
    assert client.post("/password", data={"link": secret, "password": new}).headers["location"] == "/"
    assert client.get("/account").status_code == 200
    guest = world.client(**HTML)
    for again in (
        guest.post("/password", data={"link": secret, "password": new}),
        guest.get(f"/password?link={secret}"),
    ):
        assert again.status_code == 401
    assert log_in(world.client(**HTML), password=new).status_code == 303


def test_a_link_does_not_hold_for_ever_nor_for_another_purpose(world: Region, time: Time) -> None:
    client, secret = world.client(**HTML), world.sessions.link("novak", Purpose.PASSWORD, NOW, holds=MINUTE)
    assert client.post("/enter", data={"link": secret}).status_code == 401
    time.now += MINUTE
    assert client.post("/password", data={"link": secret, "password": "pět koček v komoře"}).status_code == 401
    newer = world.sessions.link("novak", Purpose.PASSWORD, time())
    newest = world.sessions.link("novak", Purpose.PASSWORD, time())
    assert world.sessions.ticket(newer, Purpose.PASSWORD, time()) is None
    assert world.sessions.ticket(newest, Purpose.PASSWORD, time()) is not None


def test_a_login_link_works_once_and_looking_does_not_use_it_up(world: Region) -> None:
    client, secret = world.client(**HTML), world.sessions.link("novak", Purpose.LOGIN, NOW)
    assert "novak Testová" in client.get("/enter", params={"link": secret}).text
    assert client.post("/enter", data={"link": secret}).headers["location"] == "/"
    assert client.get("/account").status_code == 200
    assert world.client(**HTML).post("/enter", data={"link": secret}).status_code == 401


def test_a_forgotten_password_is_answered_alike_and_mailed_to_whom_it_belongs(world: Region, time: Time) -> None:
    client = world.client(**HTML)
    known = client.post("/password/forgotten", data={"mail": " jan.novak@EXAMPLE.cz"})
    unknown = client.post("/password/forgotten", data={"mail": "nobody@example.cz"})
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    mail, *more = world.records.outgoing()
    assert more == []
    assert (mail.address, mail.recipient) == ("Jan.Novak@example.cz", "novak")
    link = re.search(r"https://odecet\.example\.cz/password\?link=(\S+)", str(mail.content["text"]))
    assert link is not None
    time.now += timedelta(minutes=29)
    assert client.get("/password", params={"link": link[1]}).status_code == 200
    time.now += timedelta(minutes=2)
    assert client.get("/password", params={"link": link[1]}).status_code == 401


def test_a_mailbox_is_not_filled_with_links(world: Region) -> None:
    client = world.client(**HTML)
    for _ in range(20):
        assert client.post("/password/forgotten", data={"mail": "jan.novak@example.cz"}).status_code == 200
    assert len(world.records.outgoing()) == Policy().resets.free


# Administering


def test_nobody_grants_themselves_anything(world: Region) -> None:
    world.person("vedouci", Grant(role=Role.ENERGY_MANAGER), Grant(role=Role.COORDINATOR))
    client = world.client(**HTML)
    log_in(client, "vedouci")
    token = {"x-csrf-token": form_token(client)}
    grants = [{"role": "administrator"}]
    said = {"id": "vedouci", "name": "x", "grants": grants}
    assert client.put("/api/v1/people/vedouci", json=said, headers=token).status_code == 403
    assert client.post("/api/v1/keys", json={"name": "x", "grants": grants}, headers=token).status_code == 403
    assert (
        client.post(
            "/people/vedouci", data={"name": "x", "role_0": "administrator", "csrf": token["x-csrf-token"]}
        ).status_code
        == 403
    )
    assert client.post("/people/novak/link", data={"csrf": token["x-csrf-token"]}).status_code == 403
    key = world.client(**world.key(Role.ENERGY_MANAGER))
    assert key.post("/api/v1/keys", json={"name": "x", "grants": grants}).status_code == 403


def test_the_last_administrator_stays_one(world: Region) -> None:
    admin = world.records.person("admin")
    for less in (replace(admin, grants=()), replace(admin, active=False)):
        with pytest.raises(Conflict, match="last administrator"):
            change_person(world.records, less, ACT)
    add_person(world.records, Person(id="druha", name="Druhá", grants=(ADMIN,)), ACT)
    change_person(world.records, replace(admin, grants=()), ACT)
    assert not is_first_start(world.records)


@pytest.mark.parametrize(
    "grant",
    [
        Grant(role=Role.ADMINISTRATOR, organisations=("O1",)),
        Grant(role=Role.FACILITY_STAFF, organisations=("O9",)),
        Grant(role=Role.FACILITY_STAFF, buildings=("B99",)),
        Grant(role=Role.TESTER, areas=("G1",)),
    ],
)
def test_grants_that_cannot_be_are_refused(grant: Grant, world: Region) -> None:
    with pytest.raises(InputError):
        add_person(world.records, Person(id="x", name="x", grants=(grant,)), ACT)


def test_pages_add_people_and_keys_and_show_secrets_once(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client, "admin")
    token = form_token(client)
    said = {
        "csrf": token,
        "name": "Eva Nová",
        "mail": "eva.nova@example.cz",
        "role_0": "facility_staff",
        "buildings_0": "B02",
    }
    made = client.post("/people", data=said)
    link = re.search(r"https://odecet\.example\.cz/password\?link=([\w-]+)", made.text)
    assert link is not None
    assert link[1] not in client.get("/people/eva.nova").text
    assert world.records.person("eva.nova").grants == (Grant(role=Role.FACILITY_STAFF, buildings=("B02",)),)
    guest = world.client(**HTML)
    assert guest.post("/password", data={"link": link[1], "password": "pět koček v komoře"}).status_code == 303
    assert "Pavilon A" in guest.get("/buildings").text
    assert "Gymnázium" not in guest.get("/buildings").text
    shown = client.post("/keys", data={"csrf": token, "name": "LoRa", "role_0": "tester"}).text
    secret = re.search(r"odk_[\w-]+", shown)
    assert secret is not None
    program = world.client(authorization=f"Bearer {secret[0]}")
    assert program.get("/api/v1/me").json()["name"].startswith("key/")
    ((key, _),) = world.records.api_keys()
    assert secret[0] not in client.get("/keys").text
    client.post("/keys/revoke", data={"csrf": token, "key": key.id})
    assert program.get("/api/v1/me").status_code == 401
    trail = client.get("/audit").text + client.get("/audit?entity=api_key").text
    assert "LoRa" in trail
    for told in (secret[0], digest_of(secret[0]), link[1], world.records.password("eva.nova")):
        assert told not in trail


def test_keys_are_of_their_scope_and_end(world: Region, time: Time) -> None:
    expires = (NOW + timedelta(hours=1)).isoformat()
    admin = world.client(**world.key(Role.ADMINISTRATOR))
    wish = {"name": "x", "grants": [{"role": "facility_staff", "buildings": ["B02"]}], "expires": expires}
    made = admin.post("/api/v1/keys", json=wish).json()
    program = world.client(authorization=f"Bearer {made['secret']}")
    assert [p["id"] for p in program.get("/api/v1/points").json()["items"]] == ["B02-EL", "B02-V"]
    listed = admin.get("/api/v1/keys")
    assert made["secret"] not in listed.text
    assert digest_of(made["secret"]) not in listed.text
    assert next(k for k in listed.json()["items"] if k["id"] == made["key"]["id"])["used_at"] is not None
    time.now += timedelta(hours=1)
    assert program.get("/api/v1/points").status_code == 401
    assert admin.post("/api/v1/keys", json={**wish, "expires": NOW.isoformat()}).status_code == 422
    assert admin.post("/api/v1/keys", json={"name": "x", "grants": []}).status_code == 422


# Rates, and what logs say


def test_who_asks_too_often_waits(tmp_path: Path) -> None:
    few = PerMinute(people=30, programs=20, strangers=10, logins=5)
    with region(tmp_path, per_minute=few) as world:
        key = world.key(Role.TESTER)
        program = [world.client(**key).get("/api/v1/me") for _ in range(21)]
        strangers = [world.client().get("/api/v1/me") for _ in range(11)]
        guesses = [world.client(authorization=f"Bearer odk_{n}").get("/api/v1/me").status_code for n in range(6)]
        other = world.client(**world.key(Role.TESTER)).get("/api/v1/me")
    assert [a.status_code for a in program] == [200] * 20 + [429]
    assert int(program[-1].headers["retry-after"]) in range(1, 6)
    assert [a.status_code for a in strangers] == [200] * 10 + [429]
    assert guesses == [401] * 5 + [429]
    assert other.status_code == 200


def test_a_stranger_sends_no_large_bodies(world: Region) -> None:
    large = b"x" * 300_000
    assert world.client().post("/api/v1/readings", content=large).status_code in {401, 413}
    assert (
        world.client()
        .post("/login", content=large, headers={"content-type": "application/x-www-form-urlencoded"})
        .status_code
        == 413
    )


def test_no_log_line_holds_a_secret(world: Region, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = world.client(**HTML)
    log_in(client, password="tajné hádání")  # noqa: S106 - a guess
    session = log_in(client).cookies["odecet_session"]
    secret = world.sessions.link("novak", Purpose.PASSWORD, NOW)
    client.get(f"/password?link={secret}")
    client.post("/password/forgotten", data={"mail": "jan.novak@example.cz"})
    world.client(authorization="Bearer odk_wrong-secret").get("/api/v1/points")
    key = world.key(Role.TESTER)
    world.client(**key).get("/api/v1/points")
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    lines = "\n".join(f"{r.getMessage()} {vars(r)}" for r in ours)
    assert "request answered" in lines
    for told in (PASSWORD, "tajné hádání", session, secret, "odk_wrong-secret", key["authorization"][7:]):
        assert told not in lines


def test_answers_protect_the_browser(world: Region) -> None:
    client = world.client(**HTML)
    log_in(client)
    for path in ("/", "/account", "/api/v1/points", "/login", "/none"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"


def test_nobody_has_to_log_in_where_access_is_open(tmp_path: Path) -> None:
    with region(tmp_path, open_access=True) as world:
        world.person("novak", STAFF)
        client = world.client(**HTML)
        assert client.get("/people").status_code == 200
        log_in(client)
        assert client.get("/people").status_code == 403
        client.post("/logout", data={"csrf": form_token(client)})
        assert client.get("/people").status_code == 200


def test_whoever_may_look_changes_nothing(tmp_path: Path) -> None:
    with region(tmp_path, open_reading=True) as world:
        client = world.client(**HTML)
        assert "Gymnázium" in client.get("/buildings").text
        assert client.get("/inbox").headers["location"].startswith("/login")
        assert client.post("/measures", data={"id": "x"}).status_code == 401
        assert client.get("/audit").headers["location"].startswith("/login")


def test_patience_forgets_and_doubles() -> None:
    patience = Patience(free=2, forgets=MINUTE, first_pause=timedelta(seconds=10), longest_pause=timedelta(seconds=35))

    waits = [patience.pause(Failures(count=n, last=NOW), NOW).total_seconds() for n in range(6)]
    assert waits == [0, 0, 10, 20, 35, 35]
    assert patience.counted(Failures(count=5, last=NOW - 3 * MINUTE), NOW) == 3
