"""Documents and notes over the API and pages: whose they are, who changes what, how files leave the house."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from core.papers import Note, PaperAct
from core.people import Access, Grant, Role
from tests.unit.access_world import DAY, MINE, PASSWORD, Region, region
from tests.unit.api_fakes import NOW
from tests.unit.papers_world import DOCX, PDF, PNG

DOCUMENTS, NOTES = "/api/v1/documents", "/api/v1/notes"
HTML = {"accept": "text/html"}
ASKED = {"building": "B02", "name": "PENB č. 3.pdf", "kind": "penb", "valid_until": "2026-01-01"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Region]:
    with region(tmp_path) as made:
        yield made


@pytest.fixture
def manager(world: Region) -> httpx.Client:
    return world.client(**HTML, **world.key(Role.ENERGY_MANAGER, organisations=MINE))


@pytest.fixture
def staff(world: Region) -> httpx.Client:
    return world.client(**HTML, **world.key(Role.FACILITY_STAFF, buildings=("B02",)))


@pytest.fixture
def administrator(world: Region) -> httpx.Client:
    return world.client(**HTML, **world.key(Role.ADMINISTRATOR))


def added(client: httpx.Client, content: bytes = PDF + b"1", **asked: str) -> dict[str, Any]:
    answer = client.post(DOCUMENTS, params={**ASKED, **asked}, content=content)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def noted(client: httpx.Client, text: str = "vyměněn kotel", building: str = "B02") -> dict[str, Any]:
    answer = client.post(NOTES, json={"building": building, "day": "2025-10-14", "text": text})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def ids(client: httpx.Client, address: str, **asked: Any) -> list[str]:  # noqa: ANN401 - of httpx
    answer = client.get(address, params=asked)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


# Scope


def test_lists_hold_the_papers_of_buildings_that_are_seen(staff: httpx.Client, administrator: httpx.Client) -> None:
    assert ids(staff, DOCUMENTS) == ids(staff, DOCUMENTS, building="B02") == ["DOC-B02"]
    assert ids(staff, NOTES) == ["NOTE-B02"]
    assert ids(administrator, DOCUMENTS) == ["DOC-B02", "DOC-B01"]  # by title, as both ended the same day
    assert ids(administrator, NOTES, building="B01") == ["NOTE-B01"]


@pytest.mark.parametrize("role", [Role.ENERGY_MANAGER, Role.FACILITY_STAFF, Role.TESTER])
@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", f"{DOCUMENTS}?building=KEY", None),
        ("GET", f"{NOTES}?building=KEY", None),
        ("GET", f"{DOCUMENTS}/DOC-KEY", None),
        ("GET", f"{DOCUMENTS}/DOC-KEY/file", None),
        ("GET", f"{NOTES}/NOTE-KEY", None),
        ("GET", "/documents?building=KEY&format=csv", None),
        ("GET", "/documents/DOC-KEY", None),
        ("GET", "/notes/NOTE-KEY", None),
    ],
)
def test_what_is_foreign_is_not_there(role: Role, method: str, path: str, sent: object, world: Region) -> None:
    client = world.client(**HTML, **world.key(role, organisations=MINE))
    told = {}
    for key in ("B01", "B99"):
        answer = client.request(method, path.replace("KEY", key), json=sent)
        told[key] = answer.status_code, re.sub(r'urn:uuid:[^"]*|req-\S*', "", answer.text).replace(key, "")
        assert "tajné" not in answer.text
    assert told["B01"][0] == told["B99"][0] == 404
    if path.startswith("/api"):
        assert told["B01"][1] == told["B99"][1]


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", f"{NOTES}", {"building": "B01", "day": "2025-10-14", "text": "x"}),
        ("PATCH", f"{NOTES}/NOTE-B01", {"day": "2025-10-14", "text": "x"}),
        ("POST", f"{NOTES}/NOTE-B01/withdraw", {"why": "x"}),
        ("PATCH", f"{DOCUMENTS}/DOC-B01", {"title": "x"}),
        ("POST", f"{DOCUMENTS}/DOC-B01/withdraw", {"why": "x"}),
    ],
)
def test_what_is_foreign_is_not_changed(
    method: str, path: str, sent: object, world: Region, manager: httpx.Client
) -> None:
    before = world.records.papers()
    assert manager.request(method, path, json=sent).status_code == 404
    assert world.records.papers() == before


def test_nothing_is_put_to_a_foreign_building(world: Region, manager: httpx.Client, staff: httpx.Client) -> None:
    before = world.records.papers()
    for client in (manager, staff):
        assert client.post(DOCUMENTS, params={**ASKED, "building": "B01"}, content=PDF).status_code == 404
        files = {"file": ("a.pdf", PDF)}
        assert client.post("/documents", data={"building": "B01", "kind": "penb"}, files=files).status_code == 404
        assert client.post("/notes", data={"building": "B01", "day": "2025-01-01", "text": "x"}).status_code == 404
    assert world.records.papers() == before


@pytest.mark.parametrize("changes", [{}, {"open_reading": True}])
def test_strangers_read_nothing_even_where_looking_is_open(changes: dict[str, Any], tmp_path: Path) -> None:
    with region(tmp_path, **changes) as world:
        client = world.client()
        for path in (DOCUMENTS, f"{DOCUMENTS}/DOC-B02", f"{DOCUMENTS}/DOC-B02/file", NOTES, f"{NOTES}/NOTE-B02"):
            assert client.get(path).status_code == 401
        shown = client.get("/buildings/B02", headers=HTML)
        assert shown.status_code == (200 if changes else 303)
        assert "revize" not in shown.text
        assert not Access.looking().may("see_documents")  # type: ignore[arg-type]  # rights are texts


def test_who_only_looks_may_not_add(world: Region) -> None:
    for role in (Role.TESTER, Role.COORDINATOR, Role.GUARANTOR, Role.PUBLIC):
        client = world.client(**world.key(role))
        assert client.post(NOTES, json={"building": "B02", "day": "2025-01-01", "text": "x"}).status_code == 403
        assert client.post(DOCUMENTS, params=ASKED, content=PDF).status_code == 403
    assert "Přidat dokument" not in world.client(**HTML, **world.key(Role.TESTER)).get("/buildings/B02").text


# Own and others'


def test_staff_change_what_they_added_and_the_manager_everything(
    world: Region, staff: httpx.Client, manager: httpx.Client
) -> None:
    own, theirs = noted(staff), noted(manager, "školní družina končí v 17 h")
    word = {"day": "2025-10-15", "text": "vyměněn kotel K2"}
    assert staff.patch(f"{NOTES}/{own['id']}", json=word).json()["version"] == 2
    assert staff.patch(f"{NOTES}/{theirs['id']}", json=word).status_code == 403
    assert staff.post(f"{DOCUMENTS}/DOC-B02/withdraw", json={"why": "x"}).status_code == 403
    assert manager.patch(f"{NOTES}/{own['id']}", json={**word, "text": "K3"}).json()["by"].startswith("key/")
    assert manager.post(f"{DOCUMENTS}/DOC-B02/withdraw", json={"why": "jiná budova"}).json()["state"] == "withdrawn"
    assert [p.act for p in world.records.paper(own["id"]).versions] == [
        PaperAct.ADDED, PaperAct.CORRECTED, PaperAct.CORRECTED,
    ]  # fmt: skip


def test_somebody_with_two_roles_changes_others_papers_only_where_they_manage(world: Region) -> None:
    grants = (Grant(role=Role.ENERGY_MANAGER, buildings=("B01",)), Grant(role=Role.FACILITY_STAFF, buildings=("B02",)))
    world.person("dva", *grants)
    client = world.client(**HTML)
    client.post("/login", data={"name": "dva", "password": PASSWORD})
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/documents/new").text)
    assert token
    headers = {"x-csrf-token": token[1]}
    assert client.post(f"{NOTES}/NOTE-B02/withdraw", json={"why": "x"}, headers=headers).status_code == 403
    assert client.post(f"{NOTES}/NOTE-B01/withdraw", json={"why": "x"}, headers=headers).status_code == 200


def test_what_was_withdrawn_is_seen_by_who_might_have_done_it(
    staff: httpx.Client, manager: httpx.Client, world: Region
) -> None:
    manager.post(f"{NOTES}/NOTE-B02/withdraw", json={"why": "omyl"})
    mine = noted(staff)["id"]
    staff.post(f"{NOTES}/{mine}/withdraw", json={"why": "omyl"})
    tester = world.client(**world.key(Role.TESTER))
    for client, gone in ((staff, [mine]), (manager, [mine, "NOTE-B02"]), (tester, [])):
        assert ids(client, NOTES, building="B02") == []
        assert ids(client, NOTES, building="B02", withdrawn="true") == gone
    assert tester.get(f"{NOTES}/{mine}").status_code == staff.get(f"{NOTES}/NOTE-B02").status_code == 404
    assert manager.get(f"{NOTES}/{mine}").json()["versions"][1]["why"] == "omyl"


def test_only_an_administrator_purges_and_only_what_was_withdrawn(
    world: Region, manager: httpx.Client, administrator: httpx.Client
) -> None:
    made = added(manager)
    file, purge = f"{DOCUMENTS}/{made['id']}/file", f"{DOCUMENTS}/{made['id']}/purge"
    assert administrator.post(purge, json={"why": "x"}).status_code == 409
    manager.post(f"{DOCUMENTS}/{made['id']}/withdraw", json={"why": "osobní údaje"})
    assert manager.post(purge, json={"why": "x"}).status_code == 403
    assert manager.get(file).content == PDF + b"1"
    assert administrator.post(purge, json={"why": "osobní údaje"}).json()["state"] == "purged"
    assert manager.get(file).status_code == administrator.get(file).status_code == 404
    entries = [(e.by, e.why) for e in world.records.audit(entity="document", key=made["id"])]
    assert [why for _, why in entries] == ["osobní údaje", "osobní údaje", ""]
    assert "soubor smazán" in administrator.get(f"/documents/{made['id']}", headers={"accept-language": "cs"}).text


# Files


def test_a_file_leaves_as_it_came_to_be_saved_and_never_shown(manager: httpx.Client) -> None:
    made = added(manager, name='../„PENB“ č. 3";\r\nX: 1.pdf')
    answer = manager.get(f"{DOCUMENTS}/{made['id']}/file")
    assert answer.content == PDF + b"1"
    kind, _, name = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(name)) == ("attachment", made["name"])
    assert not set(unquote(name)) & set('"/\\\r\n;')
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.html", b"<html></html>", 422),
        ("a.svg", b"<svg/>", 422),
        ("a.pdf", b"<html></html>", 422),
        ("a.docx", PNG, 422),
        ("a.pdf", b"", 422),
        ("a.pdf", PDF + bytes(20 * 2**20), 413),
        ("..", PDF, 422),
    ],
)
def test_files_that_are_refused_leave_nothing(
    name: str, content: bytes, status: int, world: Region, manager: httpx.Client
) -> None:
    before = world.records.papers()
    answer = manager.post(DOCUMENTS, params={**ASKED, "name": name}, content=content)
    assert answer.status_code == status, answer.text
    assert world.records.papers() == before


def test_a_change_of_an_older_version_is_refused(manager: httpx.Client) -> None:
    made = added(manager)
    address = f"{DOCUMENTS}/{made['id']}"
    etag = manager.get(address).headers["etag"]
    first = manager.patch(address, json={"title": "Průkaz", "valid_until": None}, headers={"if-match": etag})
    assert (first.status_code, first.json()["valid_until"], first.json()["kind"]) == (200, None, "penb")
    assert manager.patch(address, json={"title": "Jiný"}, headers={"if-match": etag}).status_code == 412
    assert manager.patch(address, json={"name": "x"}).status_code == 422
    assert [v["said"]["title"] for v in manager.get(address).json()["versions"]] == ["PENB č. 3", "Průkaz"]


# Pages


def form(page: httpx.Response, action: str) -> dict[str, str]:
    found = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert found, page.text
    return dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', found[0]))


@pytest.fixture
def caretaker(world: Region) -> httpx.Client:
    """Somebody of B02 who logged in, so that forms carry a token."""
    world.person("školník", Grant(role=Role.FACILITY_STAFF, buildings=("B02",)))
    client = world.client(**HTML)
    client.post("/login", data={"name": "školník", "password": PASSWORD})
    return client


def test_a_caretaker_adds_corrects_and_withdraws_a_document_on_pages(world: Region, caretaker: httpx.Client) -> None:
    new = caretaker.get("/documents/new?building=B02")
    said = {**form(new, "/documents"), "building": "B02", "kind": "contract", "title": "", "remark": "do\r\nroku"}
    said |= {"valid_until": "2025-07-01"}
    done = caretaker.post("/documents", data=said, files={"file": ("smlouva <b>.docx", DOCX)})
    assert (done.status_code, done.headers["location"]) == (303, "/buildings/B02?done=document#documents")
    shown = caretaker.get(done.headers["location"]).text
    assert "smlouva _b_" in shown
    assert "Dokument je u budovy uložen." in shown
    made = next(p for p in world.records.papers(["B02"]) if p.by == "školník")
    page = caretaker.get(f"/documents/{made.id}")
    correction = {**form(page, f"/documents/{made.id}"), "kind": "other_document", "title": "Dohoda <script>"}
    assert caretaker.post(f"/documents/{made.id}", data=correction).status_code == 303
    assert caretaker.post(f"/documents/{made.id}", data={**correction, "title": "starý"}).status_code == 409
    after = caretaker.get(f"/documents/{made.id}?done=corrected")
    assert "Dohoda &lt;script&gt;" in after.text
    assert "Dohoda <script>" not in after.text
    why = form(after, f"/documents/{made.id}/withdraw")
    empty = caretaker.post(f"/documents/{made.id}/withdraw", data=why)
    assert (empty.status_code, "Chybí důvod." in empty.text) == (422, True)
    assert caretaker.post(f"/documents/{made.id}/withdraw", data={**why, "why": "omyl"}).status_code == 303
    assert "Dohoda" not in caretaker.get("/buildings/B02").text
    assert [e.why for e in world.records.audit(entity="document", key=made.id)] == ["omyl", "", ""]


def test_a_caretaker_writes_and_corrects_a_note_on_pages(world: Region, caretaker: httpx.Client) -> None:
    new = caretaker.get("/notes/new?building=B02")
    said = {**form(new, "/notes"), "building": "B02", "text": "Družina končí\r\nv 17 h."}
    assert said["day"] == NOW.date().isoformat()
    assert caretaker.post("/notes", data=said).status_code == 303
    made = next(p for p in world.records.papers(["B02"]) if p.by == "školník")
    page = caretaker.get(f"/notes/{made.id}")
    assert "Družina končí\nv 17 h." in page.text
    changed = {**form(page, f"/notes/{made.id}"), "text": "<img src=x onerror=alert(1)>"}
    assert caretaker.post(f"/notes/{made.id}", data=changed).status_code == 303
    for address in ("/buildings/B02", "/notes", f"/notes/{made.id}"):
        assert "&lt;img" in caretaker.get(address).text
        assert "<img src=x" not in caretaker.get(address).text


@pytest.mark.parametrize(
    ("address", "said", "told"),
    [
        ("/notes", {"day": "", "text": "x"}, "Chybí den."),
        ("/notes", {"day": "2025-13-01", "text": "x"}, "2025-13-01"),
        ("/documents", {"kind": "penb"}, "Vyberte soubor."),
    ],
)
def test_what_cannot_be_is_told_above_the_form_with_what_was_written(
    address: str, said: dict[str, str], told: str, world: Region, caretaker: httpx.Client
) -> None:
    before = world.records.papers()
    fields = form(caretaker.get(f"{address}/new?building=B02"), address)
    answer = caretaker.post(address, data={**fields, "building": "B02", "title": "můj název", **said})
    assert answer.status_code == 422
    assert told in answer.text
    assert 'aria-invalid="true" aria-describedby="trouble"' in answer.text
    assert address == "/notes" or "můj název" in answer.text
    assert world.records.papers() == before


@pytest.mark.parametrize("path", ["/documents", "/notes", "/documents/DOC-B02", "/notes/NOTE-B02/withdraw"])
def test_forms_of_other_sites_are_refused(path: str, world: Region, caretaker: httpx.Client) -> None:
    before = world.records.papers()
    said = {"building": "B02", "day": "2025-01-01", "text": "x", "why": "x", "kind": "penb", "title": "x"}
    assert caretaker.post(path, data=said).status_code == 403
    assert caretaker.post(path, data={**said, "csrf": "x"}).status_code == 403
    assert world.records.papers() == before


def test_lists_leave_as_files_whose_cells_no_spreadsheet_runs(manager: httpx.Client) -> None:
    noted(manager, '=HYPERLINK("http://x")')
    answer = manager.get("/notes?building=B02&format=csv", headers={"accept-language": "cs"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert ";'=HYPERLINK" in answer.text.replace('"', "")
    assert "Vyměněn kotel, revize" in answer.text
    documents = manager.get("/documents?format=csv", headers={"accept-language": "cs"}).text
    assert "platnost skončila 01.01.2025" in documents
    assert "tajné" not in documents
    assert manager.get("/documents?format=xlsx").status_code == 200


def test_the_list_of_all_tells_what_expires_and_english_is_spoken(manager: httpx.Client) -> None:
    page = manager.get("/documents?state=urgent", headers={"accept-language": "en"}).text
    assert "expired on 1 Jan 2025" in page
    assert "1 document expired or ends within 90 days." in page
    assert "Kotelna, revize" in page


def test_a_long_log_is_told_page_by_page_and_whole_as_a_file(manager: httpx.Client, world: Region) -> None:
    note = next(p for p in world.records.papers(["B02"]) if p.id == "NOTE-B02")
    for n in range(120):
        world.records.keep_paper(replace(note, id=f"N{n:03}", said=Note(day=DAY, text=f"zápis {n}")), ())
    first, second = (manager.get(f"/notes?building=B02&page={page}").text for page in (1, 2))
    assert [len(set(re.findall(r'href="(/notes/N[^"]+)"', page))) for page in (first, second)] == [100, 21]
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    assert manager.get("/notes?building=B02&format=csv").text.count("zápis ") == 120
