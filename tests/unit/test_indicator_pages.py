"""Pages of indicators, deliveries, publications and the plan, on real stores: shown, written, checked, published."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from core.deliveries import DeliveryState
from core.people import Access, Grant, Role
from core.plan import Indicator
from services.kept_values import ValueKeeper, kept_values, usual_reports
from services.publishing import newest, publish
from services.rollup import RollUps
from services.verification import close
from tests.unit.delivery_world import ANNUAL, ENERGY, HEALTH
from tests.unit.publication_world import LATER, PUBLISHED, World, embedded
from tests.unit.test_api_publications import COORDINATOR, Site

HTML = {"accept": "text/html", "accept-language": "cs"}
FORM = f"/deliveries/annual/2025/{HEALTH}"
GUARANTOR = Access(name="garantka", grants=(Grant(role=Role.GUARANTOR, areas=(HEALTH,)),))
OTHER = Access(name="jiny", grants=(Grant(role=Role.GUARANTOR, areas=(ENERGY,)),))
WHOLE = {
    "version": "0",
    "text:realised": "Zapojeny tři nemocnice.",
    "text:activity:Z-1": "Běží.",
    "text:activity:Z-2": "Dokončeno.",
    "number:Z1:pocet": "3",
    "number:Z1:podil": "75,5",
    "comment:Z1": "",
    "comment:Z2": "měří se od roku 2026",
    "deliver": "yes",
}


def rolled(world: World) -> None:
    RollUps(world.store, world.records, world.live.day_types).run()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = embedded(tmp_path)
    rolled(world)
    yield Site(world)
    world.store.close()
    world.records.close()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a site with a published report, before a late batch came."""
    world = embedded(tmp_path_factory.mktemp("published"))
    rolled(world)
    world.ready()
    publish(world.live, world.wish())
    yield Site(world)
    world.store.close()
    world.records.close()


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as made:
        made.headers.update(HTML)
        yield made


@pytest.fixture(scope="module")
def calm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a site that nothing is stored at: what tests send to it is refused."""
    world = embedded(tmp_path_factory.mktemp("calm"))
    rolled(world)
    site = Site(world)
    yield site
    assert world.records.deliveries() == []
    assert world.records.publications() == []
    world.store.close()
    world.records.close()


@pytest.fixture
def calm(calm_site: Site) -> Iterator[Site]:
    yield calm_site
    calm_site.access = COORDINATOR


@pytest.fixture
def calm_client(calm: Site) -> Iterator[httpx.Client]:
    with calm.client() as made:
        made.headers.update(HTML)
        yield made


def shown(text: str) -> str:
    bare = re.sub(r"<(script|style|svg).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", bare).replace("\u00a0", " ")


PAGES = [
    "/indicators",
    "/indicators?report=mid-year/2025",
    "/indicators?report=closing/2024-2026",
    f"/indicators?area={ENERGY}",
    "/indicators?scope=building:B1",
    "/indicators?scope=organisation:O1",
    "/indicators/E1?whole=yes",
    "/indicators/Z1?whole=yes",
    "/indicators/G2?whole=yes",
    "/indicators/S3?report=mid-year/2025&whole=yes",
    "/indicators/Z2?report=mid-year/2025",
    "/indicators/E1/parts",
    "/indicators/E1/why",
    "/indicators/E1/months?scope=building:B2",
    "/deliveries",
    "/deliveries?report=mid-year/2026",
    FORM,
    f"/deliveries/annual/2025/{ENERGY}",
    "/publications",
    "/publications/new",
    "/publications/annual-2025-v1",
    "/plan",
    "/plan/indicators/E1",
    f"/plan/indicators/new?area={HEALTH}",
    f"/plan/areas/{ENERGY}",
    "/plan/activities/Z-1",
    "/plan/projects/new?activity=Z-1",
    "/plan/goals/new",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["cs", "en"])
def test_every_page_is_shown_in_both_languages(published: Site, path: str, lang: str) -> None:
    with published.client() as client:
        answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={lang}", headers=HTML)
    assert answer.status_code == 200, answer.text[-800:]
    assert "%(" not in answer.text
    assert "style=" not in answer.text
    assert "<script>" not in answer.text
    assert not {"nan", "None", "undefined"} & set(shown(answer.text).split())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/indicators/NIC", 404),
        ("/indicators?report=annual", 422),
        ("/indicators?report=annual/20x5", 422),
        ("/indicators?scope=building:B9", 404),
        ("/indicators?scope=planet:x", 422),
        ("/deliveries/annual/2025/nic", 404),
        ("/publications/annual-2031-v1", 404),
        ("/plan/stars/E1", 404),
        ("/plan/indicators/NIC", 404),
    ],
)
def test_what_is_not_there_is_said_so(published: Site, path: str, status: int) -> None:
    with published.client() as client:
        assert client.get(path, headers=HTML).status_code == status


def test_the_first_page_says_what_lacks_by_whom_and_until_when(calm_client: httpx.Client) -> None:
    text = shown(calm_client.get("/indicators").text)
    assert "hotovo: 0 z 2 oblastí" in text
    assert "28.02.2026" in text
    assert "zbývá 18 dní" in text
    assert "Jana Malá" in text
    assert "chybí text: co bylo realizováno" in text


def test_the_value_of_the_page_is_the_value_of_the_api(calm_client: httpx.Client) -> None:
    told = calm_client.get("/api/v1/indicators/E1/values?from=2025", headers={"accept": "application/json"}).json()
    value = told["values"][0]["amounts"][0]["value"]
    assert value is not None
    assert f"{value:.1f}".replace(".", ",") in shown(calm_client.get("/indicators").text)
    assert f"{value:.1f}".replace(".", ",") in shown(calm_client.get("/indicators/E1").text)


# Delivering


def test_a_guarantor_stores_comes_back_and_delivers(site: Site, client: httpx.Client) -> None:
    site.access = GUARANTOR
    part = {k: t for k, t in WHOLE.items() if k not in {"deliver", "text:activity:Z-2"}}
    assert client.post(FORM, data=part).headers["location"] == f"{FORM}?done=saved"
    page = client.get(FORM).text
    assert 'value="75,5"' in page
    lacking = client.post(FORM, data={**part, "version": "1", "deliver": "yes"})
    assert lacking.status_code == 422
    assert "chybí text: jak byly naplněny aktivity" in shown(lacking.text)
    sent = client.post(FORM, data={**WHOLE, "version": "1", "comment": "hotovo"})
    assert sent.headers["location"] == f"{FORM}?done=sent"
    found = site.world.records.delivery(ANNUAL, HEALTH)
    assert found.state is DeliveryState.DELIVERED
    assert [a.value for a in found.values[0].amounts] == [3.0, 75.5]
    assert found.steps[-1].comment == "hotovo"
    assert client.post(f"{FORM}/acts", data={"act": "check", "version": "3"}).status_code == 403


def test_an_area_of_somebody_else_is_not_written(calm: Site, calm_client: httpx.Client) -> None:
    calm.access = OTHER
    assert calm_client.post(FORM, data=WHOLE).status_code == 403
    assert calm_client.post(f"{FORM}/acts", data={"act": "comment", "comment": "x", "version": "0"}).status_code == 403
    assert "<textarea" not in calm_client.get(FORM).text
    assert calm.world.records.delivery(ANNUAL, HEALTH).version == 0


@pytest.mark.parametrize("said", ["tři", "1,2.3", "inf", "1e999"])
def test_a_number_that_cannot_be_read_loses_nothing_that_was_written(
    calm: Site, calm_client: httpx.Client, said: str
) -> None:
    answer = calm_client.post(FORM, data={**WHOLE, "number:Z1:pocet": said})
    assert answer.status_code == 422
    assert "Zapojeny tři nemocnice." in answer.text
    assert said in answer.text
    assert "aria-invalid" in answer.text
    assert calm.world.records.delivery(ANNUAL, HEALTH).version == 0


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(site: Site, client: httpx.Client) -> None:
    assert client.post(FORM, data={"version": "0", "text:realised": "první"}).status_code == 303
    late = client.post(FORM, data={"version": "0", "text:realised": "druhý"})
    assert late.status_code == 409
    assert "druhý" in late.text
    assert site.world.records.delivery(ANNUAL, HEALTH).texts == {"realised": "první"}


def test_evidence_is_attached_shown_given_out_and_taken_away(site: Site, client: httpx.Client) -> None:
    files = {"file:Z1": ("protokol <b>.pdf", b"%PDF-1.7 protokol", "application/pdf")}
    part = {k: t for k, t in WHOLE.items() if k != "deliver"}
    assert client.post(FORM, data=part, files=files).status_code == 303
    page = client.get(FORM).text
    address = re.search(r'href="(/api/v1/deliveries/[^"]*/evidence/[^"]*)"', page)
    assert address is not None
    assert "<b>.pdf" not in page
    assert client.get(address[1]).content == b"%PDF-1.7 protokol"
    wrong = {"file:Z1": ("makro.pdf", b"MZ to je program", "application/pdf")}
    assert client.post(FORM, data={**part, "version": "2"}, files=wrong).status_code == 422
    evidence = site.world.records.delivery(ANNUAL, HEALTH).values[0].evidence[0]
    gone = {"version": "2", "indicator": "Z1", "evidence": evidence.id}
    assert client.post(f"{FORM}/detach", data=gone).status_code == 303
    assert site.world.records.delivery(ANNUAL, HEALTH).values[0].evidence == ()


def test_a_returned_part_says_what_is_to_be_mended(site: Site, client: httpx.Client) -> None:
    client.post(FORM, data=WHOLE)
    version = site.world.records.delivery(ANNUAL, HEALTH).version
    silent = client.post(f"{FORM}/acts", data={"act": "return", "version": version})
    assert silent.status_code == 422
    assert client.post(f"{FORM}/acts", data={"act": "return", "version": "1", "comment": "x"}).status_code == 409
    said = {"act": "return", "version": version, "comment": "doplňte <i>zdroj</i>"}
    assert client.post(f"{FORM}/acts", data=said).status_code == 303
    page = client.get(FORM).text
    assert "doplňte &lt;i&gt;zdroj&lt;/i&gt;" in page
    assert "<textarea" in page


# Publishing


def ticked(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(digest:[^"]*)" value="([0-9a-f]{64})"', page))


def everything_checked(client: httpx.Client) -> None:
    client.post(FORM, data=WHOLE)
    energy = f"/deliveries/annual/2025/{ENERGY}"
    client.post(energy, data={"version": "0", "text:realised": "ano", "text:fulfilment": "ano", "deliver": "yes"})
    digests = ticked(client.get(energy).text)
    assert set(digests) == {"digest:E1", "digest:G1", "digest:G2", "digest:S3"}
    assert client.post(f"{energy}/values", data=digests).status_code == 303
    assert ticked(client.get(energy).text) == {}
    for area in (FORM, energy):
        version = re.search(r'name="version" value="(\d+)"', client.get(area).text)
        assert version is not None
        assert client.post(f"{area}/acts", data={"act": "check", "version": version[1]}).status_code == 303


def test_what_is_unchecked_is_named_and_needs_a_reason(calm: Site, calm_client: httpx.Client) -> None:
    page = shown(calm_client.get("/publications/new").text)
    assert "6 věcí není zkontrolováno" in page
    refused = calm_client.post("/publications/confirm", data={"report": "annual/2025"})
    assert refused.status_code == 422
    assert calm_client.post("/publications", data={"report": "annual/2025"}).status_code == 409
    assert calm.world.records.publications() == []


def test_a_report_is_checked_confirmed_published_and_verified(site: Site, client: httpx.Client) -> None:
    everything_checked(client)
    assert "Vše je zkontrolováno." in client.get("/publications/new").text
    confirm = client.post("/publications/confirm", data={"report": "annual/2025", "note": "rada 12. 2."})
    assert confirm.status_code == 200
    assert "rada 12. 2." in confirm.text
    assert site.world.records.publications() == []
    made = client.post("/publications", data={"report": "annual/2025", "note": "rada 12. 2."})
    assert made.headers["location"] == "/publications/annual-2025-v1?done=published"
    page = shown(client.get("/publications/annual-2025-v1?check=yes").text)
    assert "Platí." in page
    assert newest(site.world.live, ANNUAL).publication.digest in client.get("/publications/annual-2025-v1").text  # type: ignore[union-attr]  # it was made
    document = client.get("/api/v1/reports/annual/2025?format=html").text
    assert "75,5" in document


def test_late_data_are_proposed_with_causes_that_add_up_and_published_anew(site: Site, client: httpx.Client) -> None:
    site.world.ready()
    publish(site.world.live, site.world.wish())
    assert "Navržená oprava" not in client.get("/publications").text
    site.world.late_batch(PUBLISHED + timedelta(hours=1))
    rolled(site.world)
    site.now = LATER
    page = client.get("/publications").text
    assert "Navržená oprava" in page
    assert client.post("/publications/causes", data={"report": "annual/2025"}).status_code == 303
    page = shown(client.get("/publications").text)
    assert "data došlá po uzávěrce" in page
    change = client.get("/api/v1/restatements").json()["items"][0]["changes"][0]
    assert sum(Decimal(part["difference"]) for part in change["parts"]) == Decimal(change["difference"]) != 0
    for part in change["parts"]:
        assert f"{Decimal(part['difference']):.9f}".rstrip("0").replace(".", ",") in page
    energy = f"/deliveries/annual/2025/{ENERGY}"
    client.post(f"{energy}/values", data=ticked(client.get(energy).text))
    assert client.post("/publications/confirm", data={"report": "annual/2025"}).status_code == 422
    said = {"report": "annual/2025", "note": "pozdní data"}
    assert client.post("/publications/confirm", data=said).status_code == 200
    assert client.post("/publications", data=said).headers["location"].startswith("/publications/annual-2025-v2")
    second = shown(client.get("/publications/annual-2025-v2").text)
    assert "Co se změnilo proti předchozímu vydání" in second
    assert "Navržená oprava" not in client.get("/publications").text


@pytest.mark.parametrize("role", [Role.GUARANTOR, Role.ENERGY_MANAGER])
def test_only_the_coordinator_publishes_and_edits_the_plan(calm: Site, calm_client: httpx.Client, role: Role) -> None:
    calm.access = Access(name="nekdo", grants=(Grant(role=role),))
    assert calm_client.get("/publications/new").status_code == 403
    for path in ("/publications", "/publications/confirm", "/publications/causes", "/plan/areas"):
        assert calm_client.post(path, data={"report": "annual/2025"}).status_code == 403
    assert calm_client.get("/plan").status_code == 200
    assert "Přidat indikátor" not in calm_client.get("/plan").text


# The plan

BY_HAND = {
    "id": "Z9",
    "name": "Nemocnice s eReceptem",
    "area": HEALTH,
    "method": "",
    "direction": "up",
    "figure_key": ["", ""],
    "figure_name": ["Počet", ""],
    "figure_unit": ["", ""],
    "figure_decimals": ["0", "1"],
    "target_figure": ["", ""],
    "target_year": ["2026", ""],
    "target_value": ["5,5", ""],
    "reports": ["annual", "closing"],
    "least_measured": "90",
}


def test_an_indicator_by_hand_is_added_and_asked_for_at_once(site: Site, client: httpx.Client) -> None:
    assert client.post("/plan/indicators", data=BY_HAND).headers["location"] == "/plan/indicators/Z9?done=saved"
    made = site.world.records.get(Indicator, "Z9")
    assert (made.by_hand, made.figures[0].key, made.targets[0].value) == (True, "pocet", 5.5)
    assert "number:Z9:pocet" in client.get(FORM).text
    assert "Nemocnice s eReceptem" in client.get("/indicators").text
    changed = {**BY_HAND, "changing": "Z9", "name": "Nemocnice s eŽádankou", "figure_key": ["pocet", ""], "why": "fiše"}
    assert client.post("/plan/indicators", data=changed).status_code == 303
    page = shown(client.get("/plan/indicators/Z9").text)
    assert "Nemocnice s eReceptem → Nemocnice s eŽádankou" in page
    assert "fiše" in page
    assert client.post("/plan/indicators/Z9/remove").status_code == 303
    assert client.get("/plan/indicators/Z9").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": "nic"},
        {"id": "Z1"},
        {"id": "a b"},
        {"figure_name": ["", ""]},
        {"target_value": ["mnoho", ""]},
        {"target_year": ["", ""]},
        {"method": "kouzlo"},
        {"method": "final_consumption"},
        {"direction": "bokem"},
        {"least_measured": "900"},
    ],
)
def test_a_wrong_indicator_is_told_beside_what_was_written(
    calm: Site, calm_client: httpx.Client, wrong: dict[str, object]
) -> None:
    before = calm.world.records.version()
    answer = calm_client.post("/plan/indicators", data={**BY_HAND, **wrong})
    assert answer.status_code == 422, answer.text
    assert "Nic se neuložilo" in answer.text
    assert "Nemocnice s eReceptem" in answer.text
    assert calm.world.records.version() == before


# Kept values


def keeper(site: Site, asked: list[int]) -> ValueKeeper:
    from api.indicator_values import keeper_of  # noqa: PLC0415 - beside what it is about

    made = keeper_of(site.app.state.room)

    def evaluation():  # noqa: ANN202 - as the keeper has it
        asked.append(1)
        return made.evaluation()

    return replace(made, evaluation=evaluation)


def test_kept_values_are_worked_out_anew_only_where_something_changed(site: Site) -> None:
    asked: list[int] = []
    kept = keeper(site, asked)
    first = kept.refresh(ANNUAL, PUBLISHED)
    again = kept.refresh(ANNUAL, PUBLISHED + timedelta(minutes=1))
    assert (len(asked), again.made_at, again.checked_at) == (1, PUBLISHED, PUBLISHED + timedelta(minutes=1))
    site.world.late_batch(PUBLISHED)
    rolled(site.world)
    after = kept.refresh(ANNUAL, PUBLISHED + timedelta(minutes=2))
    assert len(asked) == 2
    old, new = (one.of(site.world.records.find(Indicator))["E1"] for one in (first, after))
    assert not close(old.value.amounts[0].value or 0, new.value.amounts[0].value or 0)
    assert kept_values(site.world.records, ANNUAL) == after
    site.world.correct_swap(PUBLISHED)
    kept.refresh(ANNUAL, PUBLISHED + timedelta(minutes=3))
    assert len(asked) == 3


def test_a_value_of_another_definition_is_not_shown(site: Site) -> None:
    kept = keeper(site, []).refresh(ANNUAL, PUBLISHED)
    changed = replace(site.world.records.get(Indicator, "E1"), least_measured=0.5)
    assert kept.of([changed]) == {}


def test_the_usual_reports_begin_with_what_is_asked_for_first() -> None:
    found = [str(one) for one in usual_reports(PUBLISHED.date())]
    assert found[:3] == ["annual/2026", "annual/2025", "annual/2024"]
    assert "mid-year/2025" in found
