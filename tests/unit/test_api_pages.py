import re
from datetime import UTC, datetime

import pytest
from httpx import Client

from api.pages.figures import to_date
from api.pages.forms import local_moment, number_of
from core.calendar import PRAGUE
from core.errors import InputError
from core.registry import Building, DialEvent, Meter
from tests.unit.api_world import World, build_world

TOKENS = {"tokens": {"novak": "s3cret-token-one"}}
HTML = {"accept": "text/html"}


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client(**HTML)


PAGES = ["/", "/buildings/B01", "/points/B01-EL", "/findings", "/inbox", "/letters", "/import", "/imports"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["cs", "en"])
def test_every_page_is_shown_in_both_languages(client: Client, path: str, lang: str) -> None:
    answer = client.get(f"{path}?lang={lang}")
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    assert "nan" not in re.sub(r"<[^>]*>", " ", answer.text).lower().split()


@pytest.mark.parametrize("period", ["quarter-hour", "hour", "day", "week", "month", "year"])
def test_a_point_is_shown_by_every_period(client: Client, period: str) -> None:
    answer = client.get(f"/points/B01-EL?period={period}&from=2026-02-01&to=2026-02-10&lang=en")
    assert answer.status_code == 200
    assert "Numbers in a table" in answer.text


def test_the_language_that_was_asked_for_is_kept(client: Client) -> None:
    client.get("/?lang=en")
    assert '<html lang="en">' in client.get("/inbox").text


def test_the_region_compares_with_the_same_days_of_the_year_before(client: Client) -> None:
    text = client.get("/?lang=cs").text.replace("\u00a0", " ")
    assert "01.01.2026 – 14.03.2026" in text
    now, before = 73 * 24, (73 * 24)
    assert f"{(now * 2 + now * 10):,}".replace(",", " ") + " kWh" in text
    assert before == now


def test_what_is_not_known_is_a_dash_with_its_reason_and_never_zero(client: Client) -> None:
    text = client.get("/points/B01-VO?period=month&from=2026-02-01&to=2026-02-28&lang=en").text
    assert 'title="nothing is known of this time">—' in text
    assert not re.search(r">0(\.0+)?\u00a0m³", text)


def test_a_question_is_answered_by_its_form(client: Client, world: World) -> None:
    page = client.get("/points/B01-EL?lang=cs").text
    action = re.search(r'action="(/findings/\w+)"', page)
    assert action
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page[page.index(action[0]) :]))
    assert (fields["final"], fields["first"], fields["at"]) == ("48213,4", "0,2", "2026-03-04T10:15:00")
    form = {"point": "B01-EL", "kind": "swap", "at": fields["at"], "proposed_at": fields["at"], "final": "48 214,5"}
    answer = client.post(action[1], data={**form, "first": "0,2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/points/B01-EL?done=answered")
    event = next(iter(world.records.held[DialEvent].values()))
    assert (event.final, event.first, event.at) == (48214.5, 0.2, datetime(2026, 3, 4, 9, 15, tzinfo=UTC))


def test_a_form_with_a_wrong_number_is_a_page_that_says_so_and_records_nothing(client: Client, world: World) -> None:
    action = re.search(r'action="(/findings/\w+)"', client.get("/points/B01-EL").text)
    assert action
    answer = client.post(action[1], data={"point": "B01-EL", "kind": "swap", "final": "mnoho"})
    assert answer.status_code == 422
    assert "text/html" in answer.headers["content-type"]
    assert "mnoho" in answer.text
    assert not world.records.held.get(DialEvent)


def test_a_device_is_assigned_by_its_form(client: Client, world: World) -> None:
    answer = client.post("/inbox/em-9", data={"point": "B01-EL-K", "mounted": "2026-03-01T08:00", "multiplier": "1,5"})
    assert answer.status_code == 303
    meter = next(m for m in world.records.held[Meter].values() if m.device == "em-9")
    assert (meter.multiplier, meter.mounted) == (1.5, datetime(2026, 3, 1, 7, 0, tzinfo=UTC))


def test_a_letter_that_still_cannot_be_read_is_said_to_stay(client: Client) -> None:
    answer = client.post("/letters/1/replay")
    assert answer.headers["location"] == "/letters?done=unreadable"


def test_a_file_is_checked_then_confirmed_then_undone(client: Client, world: World) -> None:
    text = "id\torganizace\tnázev\tdruh\nB03\tO1\tDílny\tškola\n"
    checked = client.post("/import", files={"file": ("budovy.csv", text.encode())})
    assert "B03" not in world.records.held[Building]
    key = re.search(r'name="key" value="([^"]+)"', checked.text)
    assert key
    assert client.post("/import/confirm", data={"key": key[1]}).headers["location"] == "/import?done=imported"
    assert "B03" in world.records.held[Building]
    assert client.post("/import/confirm", data={"key": key[1]}).status_code == 404
    number = re.search(r'name="number" value="([^"]+)"', client.get("/import").text)
    assert number
    client.post("/import/undo", data={"number": number[1]})
    assert "B03" not in world.records.held[Building]


def test_a_file_with_errors_shows_their_places_and_offers_no_confirmation(client: Client) -> None:
    text = "id\torganizace\tnázev\tdruh\nB03\tO9\tDílny\thangár\n"
    page = client.post("/import", files={"file": ("budovy.csv", text.encode())}).text
    assert "hangár" in page
    assert 'name="key"' not in page


@pytest.mark.parametrize("path", ["/nowhere", "/points/NOPE", "/buildings/NOPE"])
def test_what_is_not_there_is_a_page_for_people(client: Client, path: str) -> None:
    answer = client.get(path, headers={"accept-language": "cs"})
    assert answer.status_code == 404
    assert "Tady nic není" in answer.text


def test_a_store_that_is_down_is_a_page_too(client: Client, world: World) -> None:
    world.records.down = True
    answer = client.get("/", headers={"accept-language": "cs"})
    assert answer.status_code == 503
    assert "Úložiště" in answer.text


def test_names_that_look_like_script_are_shown_as_text(client: Client) -> None:
    nasty = "</script><script>alert(1)</script>"
    client.patch("/api/v1/points/B01-EL", json={"name": nasty})
    text = client.get("/points/B01-EL").text + client.get("/buildings/B01").text
    assert "<script>alert" not in text


def test_an_empty_register_leads_to_the_import(world: World) -> None:
    world.records.held.clear()
    world.records.changes += 1
    text = world.client(**HTML).get("/?lang=cs").text
    assert "Evidence je prázdná" in text


def test_a_form_sent_by_another_site_is_refused(client: Client) -> None:
    answer = client.post("/letters/1/replay", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_with_tokens_a_page_changes_nothing_without_a_login() -> None:
    client = build_world(**TOKENS, open_reading=True).client(**HTML)
    assert client.post("/letters/1/replay").status_code == 401
    assert client.get("/letters?lang=en").headers["location"] == "/login?to=%2Fletters%3Flang%3Den"
    assert client.get("/").status_code == 200


def test_where_reading_is_closed_a_page_leads_to_the_login() -> None:
    client = build_world(**TOKENS, open_reading=False).client(**HTML)
    answer = client.get("/points/B01-EL?period=hour")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?to=%2Fpoints%2FB01-EL%3Fperiod%3Dhour")


def test_static_files_are_served_by_name_alone(client: Client) -> None:
    assert client.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert "immutable" in client.get("/static/charts.js").headers["cache-control"]
    assert client.get("/static/..%2Fapplication.py").status_code == 404
    assert "vegaEmbed" in client.get("/static/vega.js").text


@pytest.mark.parametrize(
    ("text", "value"), [("1 234,5", 1234.5), ("1234.5", 1234.5), ("", None), ("0", 0.0), ("1\u00a0000", 1000.0)]
)
def test_numbers_of_forms_are_read_as_people_write_them(text: str, value: float | None) -> None:
    assert number_of(text, place="x") == value


@pytest.mark.parametrize("text", ["1.234,5", "inf", "nan", "dvě", "1,2,3"])
def test_numbers_of_forms_that_could_mean_two_things_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        number_of(text, place="x")


def test_a_local_time_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(InputError):
        local_moment("2026-03-29T02:30", PRAGUE, place="at")


@pytest.mark.parametrize(
    ("now", "cut", "before"),
    [
        ((2026, 3, 15), "2026-03-15", "2025-03-15"),
        ((2028, 2, 29), "2028-02-29", "2027-03-01"),
        ((2026, 1, 1), "2026-01-01", "2025-01-01"),
        ((2025, 3, 1), "2025-03-01", "2024-03-01"),
    ],
)
def test_the_year_so_far_ends_at_the_last_whole_day(now: tuple[int, int, int], cut: str, before: str) -> None:
    span = to_date(datetime(*now, 12, tzinfo=UTC), PRAGUE)
    assert (str(span.cut.date()), str(span.cut_before.date())) == (cut, before)
    assert span.start < span.cut
    assert span.start_before < span.cut_before
