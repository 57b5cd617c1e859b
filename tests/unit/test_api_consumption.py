import csv
import io
from typing import Any

import pytest
from httpx import Client

from tests.unit.api_world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.client()


def ask(client: Client, query: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/consumption?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def values(client: Client, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ask(client, query)["points"][0]["values"]
    return rows


def test_days_of_a_clock_change_have_23_and_25_hours_and_their_local_bounds(client: Client) -> None:
    spring = values(client, "point=B01-EL&period=day&from=2025-03-30&to=2025-03-31")
    autumn = values(client, "point=B01-EL&period=day&from=2025-10-26&to=2025-10-27")
    assert [r["amount"] for r in spring + autumn] == [46.0, 50.0]
    assert (spring[0]["start"], spring[0]["end"]) == ("2025-03-30T00:00:00+01:00", "2025-03-31T00:00:00+02:00")


def test_a_quarter_hour_day_has_92_96_or_100_periods(client: Client) -> None:
    days = (("2025-03-30", "2025-03-31"), ("2025-06-01", "2025-06-02"), ("2025-10-26", "2025-10-27"))
    counts = [len(values(client, f"point=B01-EL&period=quarter-hour&from={a}&to={b}")) for a, b in days]
    assert counts == [92, 96, 100]


def test_what_is_not_known_is_null_with_its_share_and_never_zero(client: Client) -> None:
    rows = values(client, "point=B01-VO&period=month&from=2026-01&to=2026-03")
    assert rows[1]["amount"] is None
    assert (rows[1]["missing"], rows[1]["first_reading"]) == (1.0, None)
    assert rows[0]["last_reading"] == "2026-01-31T23:00:00Z"


def test_previous_year_meets_the_same_calendar_day(client: Client) -> None:
    rows = values(client, "point=B01-EL&period=day&from=2025-03-30&to=2025-04-01&compare=previous-year")
    first = rows[0]["compared"]
    assert (first["start"], first["amount"], first["difference"]) == ("2024-03-30T00:00:00+01:00", 48.0, -2.0)
    assert first["percent"] == pytest.approx(-100 * 2 / 48)
    assert rows[1]["compared"]["start"] == "2024-03-31T00:00:00+01:00"
    assert rows[1]["compared"]["amount"] == 46.0


def test_previous_year_of_29_february_has_no_counterpart(client: Client) -> None:
    rows = values(client, "point=B01-EL&period=day&from=2024-02-28&to=2024-03-02&compare=2023-07-01/2023-07-04")
    assert [r["compared"]["start"][:10] for r in rows] == ["2023-07-01", "2023-07-02", "2023-07-03"]
    leap = values(client, "point=B01-EL&period=day&from=2025-02-28&to=2025-03-02&compare=previous-year")
    assert [r["compared"]["start"][:10] for r in leap] == ["2024-02-28", "2024-03-01"]
    none = values(client, "point=B01-EL&period=hour&from=2024-02-29&to=2024-03-01&compare=previous-year")
    assert {r["compared"]["reason"] for r in none} == {"no_counterpart"}
    assert {r["compared"]["difference"] for r in none} == {None}


def test_the_repeated_hour_is_compared_once(client: Client) -> None:
    rows = values(client, "point=B01-EL&period=hour&from=2025-10-26&to=2025-10-27&compare=previous-year")
    assert len(rows) == 25
    none = [r["start"] for r in rows if r["compared"]["reason"] == "no_counterpart"]
    assert none == ["2025-10-26T02:00:00+01:00"]
    starts = [r["compared"]["start"] for r in rows if r["compared"]["start"]]
    assert len(starts) == len(set(starts)) == 24


def test_a_leap_february_is_compared_as_a_month(client: Client) -> None:
    row = values(client, "point=B01-EL&period=month&from=2025-02&to=2025-03&compare=previous-year")[0]
    assert (row["amount"], row["compared"]["amount"]) == (2.0 * 24 * 28, 2.0 * 24 * 29)


def test_weeks_are_compared_with_the_same_weekdays(client: Client) -> None:
    row = values(client, "point=B01-EL&period=week&from=2025-03-03&to=2025-03-10&compare=previous-year")[0]
    assert row["compared"]["start"][:10] == "2024-03-04"


@pytest.mark.parametrize("period", ["quarter", "half-year", "year", "heating-season", "school-year", "month"])
def test_every_long_period_meets_that_of_the_year_before(client: Client, period: str) -> None:
    row = values(client, f"point=B01-EL&period={period}&from=2025-01-10&to=2025-01-11&compare=previous-year")[0]
    assert int(row["start"][:4]) - int(row["compared"]["start"][:4]) == 1
    assert row["start"][4:] == row["compared"]["start"][4:]


def test_previous_period_is_as_many_periods_before(client: Client) -> None:
    rows = values(client, "point=B01-EL&period=month&from=2025-04&to=2025-07&compare=previous-period")
    assert [r["compared"]["start"][:7] for r in rows] == ["2025-01", "2025-02", "2025-03"]
    season = values(client, "point=B01-EL&period=heating-season&from=2025-01&to=2025-02&compare=previous-period")
    assert season[0]["compared"]["start"][:10] == "2023-09-01"


def test_a_shorter_span_of_comparison_leaves_the_rest_without_counterpart(client: Client) -> None:
    rows = values(client, "point=B01-EL&period=day&from=2025-05-01&to=2025-05-04&compare=2025-04-01/2025-04-02")
    assert [r["compared"]["reason"] for r in rows] == ["", "no_counterpart", "no_counterpart"]


def test_partly_missing_periods_are_not_compared_unless_asked_for(client: Client) -> None:
    query = "point=B01-EL&period=month&from=2026-03&to=2026-04&compare=previous-year"
    strict = values(client, query)[0]["compared"]
    assert (strict["difference"], strict["percent"], strict["reason"]) == (None, None, "missing")
    loose = values(client, query + "&max_missing=0.6")[0]["compared"]
    assert loose["difference"] is not None
    before = values(client, "point=B02-EL&period=month&from=2025-03&to=2025-04&compare=previous-year")[0]["compared"]
    assert (before["reason"], before["amount"]) == ("missing_before", None)


def test_a_sum_counts_nothing_twice_and_says_what_it_left_out(client: Client) -> None:
    found = ask(client, "period=month&from=2025-06&to=2025-07&sum=true")
    power, water = found["totals"]
    assert power["points"] == ["B01-EL", "B02-EL"]
    assert power["values"][0]["amount"] == pytest.approx(12.0 * 30 * 24)
    assert {(o["point"], o["reason"]) for o in power["left_out"]} == {
        ("B01-EL-K", "counted_by_parent"),
        ("B02-V", "virtual"),
    }
    assert (water["commodity"], water["unit"]) == ("cold_water", "m³")
    assert found["points"] == []


def test_a_sum_says_how_many_points_lack_data(client: Client) -> None:
    total = ask(client, "commodity=electricity&period=month&from=2024-12&to=2025-01&sum=true")["totals"][0]
    row = total["values"][0]
    assert (row["points"], row["lacking"]) == (2, 1)


def test_a_sum_of_which_points_lack_data_is_not_compared(client: Client) -> None:
    query = "commodity=electricity&period=month&from=2025-12&to=2026-01&sum=true&compare=previous-year"
    row = ask(client, query)["totals"][0]["values"][0]["compared"]
    assert (row["difference"], row["reason"]) == (None, "missing_before")


def test_csv_for_machines_is_plain(client: Client) -> None:
    answer = client.get(
        "/api/v1/consumption?point=B01-EL&point=B01-VO&period=month&from=2026-01&to=2026-03",
        headers={"Accept": "text/csv"},
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 4
    assert (rows[0]["point"], rows[0]["start"]) == ("B01-EL", "2026-01-01T00:00:00+01:00")
    assert float(rows[0]["amount"]) == 2.0 * 31 * 24
    assert rows[3]["amount"] == ""


def test_csv_for_czech_spreadsheets_has_semicolons_and_decimal_commas(client: Client) -> None:
    text = client.get(
        "/api/v1/consumption?point=B01-VO&period=month&from=2025-06&to=2025-07&format=csv&lang=cs"
    ).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert rows[0]["spotřeba"].replace(",", ".") == str(0.1 * 720)
    assert "." not in rows[0]["spotřeba"]


def test_csv_of_a_compared_sum_has_as_many_cells_as_columns(client: Client) -> None:
    query = "period=month&from=2025-06&to=2025-08&sum=true&compare=previous-year&format=csv"
    for lang, mark in (("cs", ";"), ("en", ",")):
        text = client.get(f"/api/v1/consumption?{query}&lang={lang}").content.decode("utf-8-sig")
        widths = {len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark)}
        assert len(widths) == 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("point=B01-EL&from=31.2.2026", "from"),
        ("point=B01-EL&from=2026-01-01T00:00:00", "from"),
        ("point=B01-EL&from=0001-01-01", "from"),
        ("point=B01-EL&from=2026-02-01&to=2026-02-01", "to"),
        ("point=B01-EL&compare=yesterday", "compare"),
        ("point=B01-EL&period=quarter-hour&from=1990-01-01&to=2026-01-01", "period"),
        ("point=B01-EL&period=decade", "query.period"),
        ("point=B01-EL&format=xml", "format"),
        ("point=B01-EL&max_missing=2", "query.max_missing"),
    ],
)
def test_a_question_that_cannot_be_right_names_the_parameter(client: Client, query: str, place: str) -> None:
    answer = client.get(f"/api/v1/consumption?{query}")
    assert answer.status_code == 422
    assert [e["place"] for e in answer.json()["errors"]] == [place]


def test_an_unknown_zone_is_refused_and_an_unknown_point_not_found(client: Client) -> None:
    assert client.get("/api/v1/consumption?zone=Europe/Atlantis").status_code == 422
    assert client.get("/api/v1/consumption?point=NOPE").status_code == 404
    assert client.get("/api/v1/consumption?organisation=NOPE").status_code == 404


def test_another_zone_moves_the_bounds_of_days(client: Client) -> None:
    row = values(client, "point=B01-EL&period=day&from=2025-06-01&to=2025-06-02&zone=UTC")[0]
    assert row["start"] == "2025-06-01T00:00:00+00:00"


def test_an_offset_whose_plus_became_a_space_is_still_read(client: Client, world: World) -> None:
    ask(client, "point=B01-EL&period=hour&from=2025-06-01T12:00:00+02:00&to=2025-06-01T14:00:00%2B02:00")
    assert world.rates.asked[-1].start.isoformat() == "2025-06-01T10:00:00+00:00"


def test_without_a_span_the_year_so_far_is_meant(client: Client) -> None:
    found = ask(client, "point=B01-EL")
    assert (found["start"], found["end"]) == ("2026-01-01T00:00:00+01:00", "2026-03-15T11:00:00+01:00")


def test_a_building_means_its_points(client: Client) -> None:
    assert [p["point"] for p in ask(client, "building=B01")["points"]] == ["B01-EL", "B01-EL-K", "B01-VO"]
