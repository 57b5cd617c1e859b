"""Somebody else's login: a whole walk through a provider that runs, and tokens that prove nothing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.oidc import OpenIdProvider, Registration
from core.errors import ConfigError, InputError, SourceUnavailable
from core.people import Grant, Role
from services.people_identity import GroupRule, Identities, grants_of
from tests.servers.oidc import CLIENT, SECRET, OpenIdServer
from tests.unit.access_world import Region, region

HTML = {"accept": "text/html"}
EVA = {"sub": "248289761001", "name": "Eva Nová", "email": "eva@example.cz", "email_verified": True}
RULES = ("energetici=energy_manager", "skolnici=facility_staff@O1", "skolnici=facility_staff@O2")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server() -> Iterator[OpenIdServer]:
    with OpenIdServer(person=dict(EVA)) as running:
        yield running


def provider(server: OpenIdServer) -> OpenIdProvider:
    us = Registration(issuer=server.issuer, client=CLIENT, secret=SECRET, label="Krajské přihlášení")
    return OpenIdProvider(us, clock=now)


@pytest.fixture
def world(server: OpenIdServer, tmp_path: Path) -> Iterator[Region]:
    rules = tuple(map(GroupRule.parse, RULES))
    identities = Identities(provider=provider(server), rules=rules, admits=True)
    with region(tmp_path, identities=identities, clock=now) as made:
        yield made


def walk(world: Region, client: httpx.Client | None = None, to: str = "/") -> tuple[httpx.Client, httpx.Response]:
    """Go to the provider and come back; return who went and the last answer."""
    client = client or world.client(**HTML)
    there = client.get("/login/identity", params={"to": to})
    assert there.status_code == 303
    back = httpx.get(there.headers["location"], trust_env=False)
    assert back.status_code == 302
    return client, client.get(back.headers["location"])


def test_who_is_known_by_a_verified_address_comes_in_and_is_known_by_subject_then(
    world: Region, server: OpenIdServer
) -> None:
    world.person("eva", Grant(role=Role.COORDINATOR), mail="Eva@example.cz", password="")
    assert "Krajské přihlášení" in world.client(**HTML).get("/login").text
    client, answer = walk(world, to="/alerts")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "eva Testová" in client.get("/account").text
    assert world.records.person("eva").subject == f"{server.issuer}|248289761001"
    server.person["email"] = "eva.vdana@example.cz"
    assert walk(world)[1].headers["location"] == "/"
    assert world.records.person("eva").mail == "Eva@example.cz"


def test_an_address_that_nobody_verified_is_nobodys(world: Region, server: OpenIdServer) -> None:
    world.person("eva", Grant(role=Role.ADMINISTRATOR), mail="eva@example.cz")
    server.person["email_verified"] = False
    _, answer = walk(world)
    assert answer.status_code == 401
    assert world.records.person("eva").subject == ""


def test_members_of_groups_are_let_in_with_their_roles(world: Region, server: OpenIdServer) -> None:
    server.person["groups"] = ["skolnici", "jini"]
    _, answer = walk(world)
    assert answer.headers["location"] == "/"
    made = world.records.person("eva")
    assert made.grants == (Grant(role=Role.FACILITY_STAFF, organisations=("O1", "O2")),)
    server.person["groups"] = "energetici"
    walk(world)
    assert world.records.person("eva").grants == (Grant(role=Role.ENERGY_MANAGER),)
    assert [e.by for e in world.records.audit(entity="person")] == ["identity provider"] * 2
    server.person["groups"] = ["jini"]
    walk(world)
    assert world.records.person("eva").grants == (Grant(role=Role.ENERGY_MANAGER),)


def test_who_is_in_no_group_is_not_let_in(world: Region, server: OpenIdServer) -> None:
    server.person["groups"] = ["jini"]
    _, answer = walk(world)
    assert answer.status_code == 401
    assert world.records.people() == []


def test_who_was_put_out_here_stays_out(world: Region) -> None:
    made = world.person("eva", Grant(role=Role.COORDINATOR), mail="eva@example.cz")
    world.records.keep_person(replace(made, active=False), ())
    assert walk(world)[1].status_code == 401


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["odecet", "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
)
def test_a_token_that_is_of_something_else_proves_nothing(
    lies: dict[str, Any], world: Region, server: OpenIdServer
) -> None:
    world.person("eva", Grant(role=Role.ADMINISTRATOR), mail="eva@example.cz")
    server.lies = lies
    client, answer = walk(world)
    assert answer.status_code == 422
    assert client.get("/account").status_code == 401


@pytest.mark.parametrize("signs", ["none", "secret", "somebody else"])
def test_a_token_that_the_provider_did_not_sign_proves_nothing(signs: str, world: Region, server: OpenIdServer) -> None:
    world.person("eva", Grant(role=Role.ADMINISTRATOR), mail="eva@example.cz")
    server.signs = signs
    client, answer = walk(world)
    assert answer.status_code == 422
    assert client.get("/account").status_code == 401


def test_a_login_that_was_begun_elsewhere_ends_nowhere(world: Region) -> None:
    """Somebody's code, sent to another's browser, does not log that one in as them."""
    world.person("eva", Grant(role=Role.COORDINATOR), mail="eva@example.cz")
    attacker, victim = world.client(**HTML), world.client(**HTML)
    there = attacker.get("/login/identity")
    back = httpx.get(there.headers["location"], trust_env=False).headers["location"]
    assert victim.get(back).status_code == 422
    victim.get("/login/identity")
    assert victim.get(back).status_code == 422
    assert victim.get("/account").status_code == 401
    assert attacker.get(back).status_code == 303
    assert attacker.get(back).status_code == 422


def test_a_code_is_worth_nothing_without_its_verifier(server: OpenIdServer) -> None:
    asking = provider(server)
    place = asking.address(back="http://odecet.test/back", state="s", nonce="n", verifier="v" * 43)
    told = httpx.get(place, trust_env=False).headers["location"]
    code = parse_qs(urlsplit(told).query)["code"][0]
    with pytest.raises(InputError, match="does not know this code"):
        asking.claims(code, back="http://odecet.test/back", nonce="n", verifier="w" * 43, now=now())


def test_keys_that_the_provider_changed_are_asked_for(server: OpenIdServer) -> None:
    clock = [now()]
    asking = OpenIdProvider(Registration(issuer=server.issuer, client=CLIENT, secret=SECRET), clock=lambda: clock[0])

    def came() -> str:
        place = asking.address(back="http://odecet.test/back", state="s", nonce="n", verifier="v" * 43)
        code = parse_qs(urlsplit(httpx.get(place, trust_env=False).headers["location"]).query)["code"][0]
        return asking.claims(code, back="http://odecet.test/back", nonce="n", verifier="v" * 43, now=now()).name

    assert came() == "Eva Nová"
    assert came() == "Eva Nová"
    assert server.asked.count("/realm/keys") == 1
    server.change_key()
    with pytest.raises(InputError, match="not signed"):
        came()
    clock[0] = clock[0].replace(year=clock[0].year + 1)
    assert came() == "Eva Nová"
    assert server.asked.count("/realm/keys") == 2


def test_a_provider_that_is_away_or_is_none_is_told(server: OpenIdServer) -> None:
    gone = OpenIdProvider(Registration(issuer="http://127.0.0.1:9", client=CLIENT), clock=now)
    with pytest.raises(SourceUnavailable, match="does not answer"):
        gone.address(back="x", state="s", nonce="n", verifier="v")
    server.lies = {"issuer": "https://evil.example"}
    with pytest.raises(SourceUnavailable, match=re.escape("is of the issuer 'https://evil.example'")):
        provider(server).address(back="x", state="s", nonce="n", verifier="v")


def test_rules_say_who_is_granted_what() -> None:
    rules = [GroupRule.parse(text) for text in (*RULES, "a=b=tester")]
    assert rules[-1] == GroupRule(group="a=b", role=Role.TESTER)
    assert grants_of(["skolnici", "energetici"], rules) == (
        Grant(role=Role.ENERGY_MANAGER),
        Grant(role=Role.FACILITY_STAFF, organisations=("O1", "O2")),
    )
    everywhere = [*rules, GroupRule(group="skolnici", role=Role.FACILITY_STAFF)]
    assert grants_of(["skolnici"], everywhere) == (Grant(role=Role.FACILITY_STAFF),)
    assert grants_of(["jini"], rules) == ()
    for wrong in ("energetici", "energetici=boss", "=tester", "x=tester@", ""):
        with pytest.raises(ConfigError):
            GroupRule.parse(wrong)
