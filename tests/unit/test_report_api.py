"""Reports, open data and the public page over HTTP: formats, tags, and who sees a draft."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from core.people import Access, Grant, Role
from ingest.accept import Bounds
from ingest.reading_tables import FileReadingTables
from services.open_data import Publisher, faults_of
from services.publishing import publish
from tests.unit.api_fakes import LineTables, OneReadingIntake
from tests.unit.api_world import InProcess
from tests.unit.publication_world import LATER, PUBLISHED, World, embedded

REPORT = "/api/v1/reports/annual/2025"
COORDINATOR = Access.whole("koordinatorka")
GUARANTOR = Access(name="garant", grants=(Grant(role=Role.GUARANTOR, areas=("energetika",)),))
CARETAKER = Access(name="správce", grants=(Grant(role=Role.FACILITY_STAFF, buildings=("B1",)),))
PUBLIC = Access.public()


class Site:
    """An app over a world; whoever calls may do what `caller` says."""

    def __init__(self, world: World, **changes: Any) -> None:  # noqa: ANN401 - whatever an app is given
        self.world, self.caller, self.now = world, COORDINATOR, PUBLISHED
        deps = Dependencies(
            readings=world.store,
            records=world.records,
            intake=OneReadingIntake(world.store),  # type: ignore[arg-type]  # never asked here
            tables=LineTables(),
            reading_tables=FileReadingTables(Bounds()),
            clock=lambda: self.now,
            version="0.9",
            metrics=CollectorRegistry(),
            dated=world.tables,
            publisher=Publisher(url="https://odecet.kraj-lbc.cz", headline=("E1", "Z1")),
            **changes,
        )
        self.app: FastAPI = build_api(deps)

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(transport=InProcess(self.app, lambda: self.caller), base_url="http://odecet.test") as client:
            return client.get(path, headers=headers)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a site whose annual report of 2025 is published."""
    world = embedded(tmp_path_factory.mktemp("told"))
    world.ready()
    publish(world.live, world.wish())
    yield Site(world)
    world.store.close()
    world.records.close()


@pytest.fixture
def untold(tmp_path: Path) -> Iterator[Site]:
    world = embedded(tmp_path)
    yield Site(world)
    world.store.close()
    world.records.close()


@pytest.mark.parametrize(
    ("form", "media", "begin"),
    [
        ("json", "application/json", b"{"),
        ("csv", "text/csv", b"\xef\xbb\xbfOblast;"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK"),
        ("html", "text/html", b"<!doctype html>"),
    ],
)
def test_a_report_comes_in_each_format_as_asked(told: Site, form: str, media: str, begin: bytes) -> None:
    told.caller = PUBLIC
    for answer in (told.get(f"{REPORT}?format={form}"), told.get(REPORT, accept=f"{media}, */*;q=0.1")):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media)
        assert answer.content.startswith(begin)
    if form in {"docx", "xlsx"}:
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
        assert f'filename="vyrocni-zprava-2025.{form}"' in answer.headers["content-disposition"]


def test_what_somebody_has_already_is_not_sent_again(told: Site) -> None:
    told.caller = PUBLIC
    first = told.get(f"{REPORT}?format=docx")
    tag = first.headers["etag"]
    told.now = LATER
    again = told.get(f"{REPORT}?format=docx", **{"if-none-match": tag})
    told.now = PUBLISHED
    assert (again.status_code, again.content) == (304, b"")
    assert told.get(f"{REPORT}?format=html").headers["etag"] != tag
    told.caller = COORDINATOR
    assert told.get(f"{REPORT}?format=docx&state=open").headers["etag"] != tag


def test_a_draft_is_for_those_who_see_indicators(untold: Site) -> None:
    for caller, status in ((PUBLIC, 401), (CARETAKER, 403), (GUARANTOR, 200), (COORDINATOR, 200)):
        untold.caller = caller
        assert untold.get(f"{REPORT}?format=csv").status_code == status, caller.name


def test_the_open_state_of_a_published_report_is_no_public_matter(told: Site) -> None:
    told.caller = PUBLIC
    assert told.get(f"{REPORT}?state=open").status_code == 401
    told.caller = COORDINATOR
    assert told.get(f"{REPORT}?state=open").json()["publication"] is None
    assert told.get(REPORT).json()["publication"]["id"] == "annual-2025-v1"


@pytest.mark.parametrize(
    ("path", "status", "told_text"),
    [
        ("/api/v1/reports/weekly/2025", 422, "annual"),
        ("/api/v1/reports/annual/25", 422, "2025"),
        ("/api/v1/reports/closing/2026-2024", 422, "2024-2026"),
        (f"{REPORT}?format=pdf", 422, "docx"),
        (f"{REPORT}?state=secret", 422, "open"),
        ("/api/v1/open-data/nic", 404, "indikatory"),
        ("/api/v1/open-data/nic.csv", 404, "indikatory"),
    ],
)
def test_a_wrong_question_is_told_with_its_remedy(told: Site, path: str, status: int, told_text: str) -> None:
    told.caller = COORDINATOR
    answer = told.get(path)
    assert answer.status_code == status
    assert told_text in answer.json()["detail"]


def test_a_type_that_reports_are_not_is_refused(told: Site) -> None:
    assert told.get(REPORT, accept="image/png").status_code == 406
    assert told.get(REPORT, accept="image/png;q=1, text/csv;q=0.5").headers["content-type"].startswith("text/csv")


def test_a_faulty_template_of_the_region_is_told(untold: Site, tmp_path: Path) -> None:
    folder = tmp_path / "sablony"
    folder.mkdir()
    (folder / "vyrocni-zprava.docx").write_bytes(b"no document")
    site = Site(untold.world, report_templates=folder)
    answer = site.get(f"{REPORT}?format=docx")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "template vyrocni-zprava.docx"
    assert site.get(f"{REPORT}?format=html").status_code == 200


def test_open_data_are_for_anybody_and_keep_the_norm(told: Site) -> None:
    told.caller = PUBLIC
    catalogue = told.get("/api/v1/open-data")
    assert catalogue.headers["access-control-allow-origin"] == "*"
    assert catalogue.headers["content-type"].startswith("application/ld+json")
    assert faults_of(catalogue.json()) == []
    for iri in catalogue.json()["datová_sada"]:
        path = iri.removeprefix("https://odecet.kraj-lbc.cz")
        record = told.get(path).json()
        assert faults_of(record) == []
        assert record["iri"] == iri
        file = record["distribuce"][0]
        content = told.get(file["soubor_ke_stažení"].removeprefix("https://odecet.kraj-lbc.cz"))
        assert content.headers["content-type"].startswith("text/csv")
        columns = json.loads(told.get(file["schéma"].removeprefix("https://odecet.kraj-lbc.cz")).content)
        names = [column["name"] for column in columns["tableSchema"]["columns"]]
        assert content.text.splitlines()[0].split(",") == names
        tag = {"if-none-match": content.headers["etag"]}
        assert told.get(f"{path}.csv", **tag).status_code == 304


def test_the_public_page_shows_what_is_published_in_both_languages(told: Site) -> None:
    told.caller = PUBLIC
    page = told.get("/verejne?lang=cs", accept="text/html").text
    assert "Energie a\u00a0voda v\u00a0budovách kraje" in page
    value = told.get(REPORT).json()
    energy = next(row for area in value["areas"] for row in area["rows"] if row["indicator"] == "E1")
    assert f"{energy['cells'][0]['value']:.1f}".replace(".", ",") + "\u00a0MWh" in page
    assert "Nemocnice sdílející dokumentaci" in page
    assert "/api/v1/reports/annual/2025?format=docx" in page
    assert "Hlavní budova" not in page
    english = told.get("/verejne?lang=en", accept="text/html").text
    assert "How we know it" in english
    assert 'lang="cs">Konečná spotřeba energie' in english


def test_the_public_page_says_that_nothing_is_published(untold: Site) -> None:
    untold.caller = PUBLIC
    page = untold.get("/verejne?lang=cs", accept="text/html")
    assert page.status_code == 200
    assert "Zatím nebylo nic zveřejněno" in page.text


def test_json_says_what_the_contract_says(told: Site) -> None:
    found = told.get(REPORT).json()
    rows = {row["indicator"]: row for area in found["areas"] for row in area["rows"]}
    assert rows["E1"]["origin"]["method"] == "final_consumption"
    assert rows["E1"]["origin"]["publication"] == "annual-2025-v1"
    assert rows["Z1"]["by_hand"] is True
