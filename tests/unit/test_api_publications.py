"""Deliveries and publications over HTTP, on real stores: who may what, what is told, what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from core.people import Access, Grant, Role
from core.publications import digest_of
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from services.publishing import publish
from tests.unit.api_fakes import LineTables, OneReadingIntake
from tests.unit.api_world import InProcess
from tests.unit.delivery_world import ENERGY, HEALTH, TEXTS
from tests.unit.publication_world import LATER, PUBLISHED, World, embedded

BASE = f"/api/v1/deliveries/annual/2025/{HEALTH}"
VALUES = [
    {"indicator": "Z1", "amounts": [{"figure": "pocet", "value": 3}, {"figure": "podil", "value": 75.5}]},
    {"indicator": "Z2", "amounts": [{"figure": "pocet", "value": None}], "comment": "měří se od roku 2026"},
]
COORDINATOR = Access.whole("koordinatorka")
PDF = b"%PDF-1.7 protokol"


@dataclass
class Site:
    """An app over a world; `now` is what its clock tells, `access` what callers may do."""

    world: World
    now: datetime = PUBLISHED
    access: Access = COORDINATOR

    def client(self) -> httpx.Client:
        return httpx.Client(transport=InProcess(self.app, lambda: self.access), base_url="http://odecet.test")

    @cached_property
    def app(self) -> FastAPI:
        world = self.world
        return build_api(
            Dependencies(
                readings=world.store,
                records=world.records,
                intake=OneReadingIntake(world.store),  # type: ignore[arg-type]  # never asked here
                tables=LineTables(),
                reading_tables=FileReadingTables(Bounds()),
                clock=lambda: self.now,
                version="0.9",
                metrics=CollectorRegistry(),
                dated=world.tables,
                tokens={},
            )
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = embedded(tmp_path)
    yield Site(world)
    world.store.close()
    world.records.close()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a site that nothing is changed at."""
    world = embedded(tmp_path_factory.mktemp("untouched"))
    yield Site(world)
    assert world.records.deliveries() == []
    world.store.close()
    world.records.close()


def delivered(client: httpx.Client, area: str = HEALTH) -> None:
    base = f"/api/v1/deliveries/annual/2025/{area}"
    said = {"texts": TEXTS if area == HEALTH else {"realised": "ano", "fulfilment": "ano"}}
    said |= {"values": VALUES} if area == HEALTH else {}
    assert client.patch(base, json=said).status_code == 200
    assert client.post(f"{base}/acts", json={"act": "deliver"}).status_code == 200


def test_a_report_goes_from_the_first_word_to_its_verification(site: Site) -> None:
    with site.client() as client:
        assert client.get("/api/v1/publications").json() == {"items": []}
        for area in (HEALTH, ENERGY):
            delivered(client, area)
            assert client.post(f"/api/v1/deliveries/annual/2025/{area}/acts", json={"act": "check"}).status_code == 200
        found = client.get("/api/v1/open-reports/annual/2025").json()
        assert {one["subjects"][0] for one in found["hindrances"]} == {
            f"indicator:{i}" for i in ("E1", "G1", "G2", "S3")
        }
        assert found["hindrances"][0]["text"] == "vypočtená hodnota E1 není zkontrolována"
        refused = client.post("/api/v1/publications", json={"kind": "annual", "period": "2025"})
        assert refused.status_code == 409
        assert "indicator:E1" in refused.json()["detail"]
        for value in found["values"]:
            if value["method"] != "hand":
                at = f"/api/v1/deliveries/annual/2025/{ENERGY}/values/{value['indicator']}/check"
                assert client.post(at, json={"digest": value["digest"], "note": "viděno"}).status_code == 200
                assert client.post(at, json={"digest": "0" * 64}).status_code == 409
        made = client.post("/api/v1/publications", json={"kind": "annual", "period": "2025", "note": "rada"})
        assert made.status_code == 201, made.text
        assert made.headers["location"] == "/api/v1/publications/annual-2025-v1"
        content = client.get(made.headers["location"] + "/content")
        assert digest_of(content.content) == made.json()["head"]["digest"] == content.headers["etag"].strip('"')
        assert client.get("/api/v1/restatements").json() == {"items": []}
        site.world.late_batch(PUBLISHED + timedelta(hours=1))
        site.now = LATER
        verified = client.get("/api/v1/publications/annual-2025-v1/verification").json()
        assert (verified["holds"], verified["differences"]) == (True, [])
        (proposal,) = client.get("/api/v1/restatements?kind=annual&period=2025").json()["items"]
        (change,) = [one for one in proposal["changes"] if one["indicator"] == "E1"]
        assert change["difference"] == "2.8200"
        assert change["parts"][0]["text"] == "data došlá po uzávěrce"


def test_the_board_tells_states_and_what_lacks_in_czech(site: Site) -> None:
    with site.client() as client:
        board = client.get("/api/v1/deliveries/annual/2025").json()
        assert board["due"] == "2026-02-28"
        row = board["items"][0]
        assert (row["area"], row["state_text"], row["by_hand"]) == (HEALTH, "rozepsáno", ["Z1", "Z2"])
        assert row["missing"][0]["text"] == "chybí text: co bylo realizováno"
        delivered(client)
        assert client.get("/api/v1/deliveries/annual/2025").json()["items"][0]["missing"] == []


def test_who_saw_an_older_version_is_refused(site: Site) -> None:
    with site.client() as client:
        tag = client.get(BASE).headers["etag"]
        first = client.patch(BASE, json={"texts": {"realised": "a"}}, headers={"If-Match": tag})
        assert (first.status_code, first.headers["etag"]) == (200, '"1"')
        assert client.patch(BASE, json={"texts": {"realised": "b"}}, headers={"If-Match": tag}).status_code == 412
        assert client.patch(BASE, json={}, headers={"If-Match": '"x"'}).status_code == 412
        assert client.get(BASE).json()["texts"] == {"realised": "a"}


def test_evidence_comes_back_as_a_download_only(site: Site) -> None:
    with site.client() as client:
        client.patch(BASE, json={"values": VALUES})
        at = f"{BASE}/values/Z1/evidence"
        given = client.post(at, params={"name": "../protokol č. 3.pdf"}, content=PDF)
        (file,) = given.json()["values"][0]["evidence"]
        assert file["name"] == "protokol č. 3.pdf"
        found = client.get(f"{at}/{file['id']}")
        assert found.content == PDF
        assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''protokol%20%C4%8D.%203.pdf"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert client.post(at, params={"name": "a.exe"}, content=b"MZ").status_code == 422
        assert client.get(f"{at}/nothing").status_code == 404
        assert client.delete(f"{at}/{file['id']}").json()["values"][0]["evidence"] == []
        assert client.delete(f"{BASE}/values/Z1").json()["values"][0]["indicator"] == "Z2"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/deliveries/yearly/2025", None, 422),
        ("GET", "/api/v1/deliveries/annual/20x5", None, 422),
        ("GET", "/api/v1/deliveries/annual/2025/neni", None, 404),
        ("PATCH", BASE, {"texts": {"neco": "x"}}, 422),
        ("PATCH", BASE, {"text": {}}, 422),
        ("PATCH", BASE, {"values": [{"indicator": "Z1", "amounts": [{"figure": "kusy", "value": 1}]}]}, 422),
        ("PATCH", BASE, {"values": [{"indicator": "Z1", "amounts": [{"figure": "pocet", "value": None}]}]}, 422),
        ("POST", f"{BASE}/acts", {"act": "deliver"}, 409),
        ("POST", f"{BASE}/acts", {"act": "publish"}, 422),
        ("POST", f"{BASE}/acts", {"act": "dance"}, 422),
        ("POST", f"{BASE}/acts", {"act": "return", "comment": "x"}, 409),
        ("POST", f"{BASE}/values/Z1/check", {}, 404),
        ("POST", "/api/v1/publications", {"kind": "annual"}, 422),
        ("POST", "/api/v1/publications", {"kind": "annual", "period": "2025", "cutoff": "2025-01-01"}, 422),
        ("GET", "/api/v1/publications/annual-2025-v9", None, 404),
        ("GET", "/api/v1/publications/annual-2025-v9/verification", None, 404),
        ("GET", "/api/v1/restatements?kind=annual", None, 422),
    ],
)
def test_what_cannot_be_is_refused_with_a_problem(
    untouched: Site, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    with untouched.client() as client:
        answer = client.request(method, path, json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_guarantor_delivers_for_the_own_area_and_checks_nothing(site: Site) -> None:
    site.access = Access(name="mala", grants=(Grant(role=Role.GUARANTOR, areas=(HEALTH,)),))
    with site.client() as client:
        delivered(client)
        assert client.post(f"{BASE}/acts", json={"act": "check"}).status_code == 403
        assert client.post(f"{BASE}/acts", json={"act": "recall"}).json()["state"] == "draft"
        other = f"/api/v1/deliveries/annual/2025/{ENERGY}"
        assert client.patch(other, json={"texts": {"realised": "cizí"}}).status_code == 403
        assert client.post(f"{other}/values/E1/check", json={}).status_code == 403
        assert client.post("/api/v1/publications", json={"kind": "annual", "period": "2025"}).status_code == 403
        assert client.get(other).status_code == 200
    assert site.world.records.audit(entity="delivery")[0].by == "mala"


def test_the_public_sees_what_is_published_and_nothing_else(site: Site) -> None:
    site.world.ready()
    publish(site.world.live, site.world.wish())
    site.access = Access.public()
    with site.client() as client:
        assert [one["id"] for one in client.get("/api/v1/publications").json()["items"]] == ["annual-2025-v1"]
        assert client.get("/api/v1/publications/annual-2025-v1").status_code == 200
        for path in ("publications/annual-2025-v1/content", "restatements", "open-reports/annual/2025"):
            assert client.get(f"/api/v1/{path}").status_code in {401, 403}
        assert client.get(BASE).status_code in {401, 403}
