"""Numbers, dates, periods and headings as people and programs write them."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading_tables import Order
from ingest.reading_tables_file import delimiter_of, grid_of, raw_sheets
from ingest.reading_tables_headings import Role, register_of, role_of, taken_apart
from ingest.reading_tables_numbers import decimal_mark, numbers
from ingest.reading_tables_times import Days, clock_of, days_of, moment_of, moments


def read(*cells: Any, mark: str | None = None) -> list[float | None]:  # noqa: ANN401 - whatever stands in cells
    found = numbers(cells, decimal_mark([cells]).mark if mark is None else mark)
    return [
        None if bad else float("nan") if empty else value
        for value, bad, empty in zip(found.value.tolist(), found.bad, found.empty, strict=True)
    ]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1 234,5", 1234.5),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234,50", 1234.5),
        ("1.234,5", 1234.5),
        ("1234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1234.5", 1234.5),
        ("1.234.567", 1234567.0),
        ("0,125", 0.125),
        ("-5,5", -5.5),
        ("\u22125,5", -5.5),
        ("12", 12.0),
        ("+5,5", 5.5),
        ("5,", 5.0),
        (",5", 0.5),
        ("1,5E3", 1500.0),
        ("1 234 567", 1234567.0),
    ],
)
def test_a_number_is_read_as_it_was_meant(written: str, number: float) -> None:
    assert read(written) == [number]


@pytest.mark.parametrize(
    "written", ["12 5", "1 23", "12,5 kWh", "abc", "1,2,3", "--5", "1.2.3", "0x10", "inf", "E0", "+", ",", True]
)
def test_what_is_no_number_is_told(written: object) -> None:
    assert read(written, "7,5") == [None, 7.5]


@pytest.mark.parametrize("written", ["-", "", None, "N/A", "–"])
def test_nothing_is_never_zero(written: str | None) -> None:
    assert np.isnan(read(written, "7,5")[0] or 0.0)


@pytest.mark.parametrize("cells", [("1.234", "2.345"), ("1,234",), ("123,456", "12")])
def test_a_mark_that_may_part_thousands_or_decimals_is_left_open(cells: tuple[str, ...]) -> None:
    found = decimal_mark([cells])
    assert (found.mark, found.unsure) == ("", next(c for c in cells if "," in c or "." in c))


def test_one_cell_that_leaves_no_doubt_tells_the_mark_of_the_table() -> None:
    assert decimal_mark([("1.234",), ("5", "0,25")]).mark == ","
    assert read("1.234", "0,25") == [1234.0, 0.25]
    assert read("1,234", "0.25") == [1234.0, 0.25]


@given(st.floats(-1e9, 1e9, allow_nan=False).map(lambda v: round(v, 4)), st.sampled_from([",", "."]))
def test_numbers_come_back_whatever_parts_them(value: float, mark: str) -> None:
    for parting in ("", " ", "\u00a0", "." if mark == "," else ","):
        written = f"{value:,.4f}".replace(",", "\x00").replace(".", mark).replace("\x00", parting)
        assert read(written, mark=mark) == [value]


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("1.2.2024", "2024-02-01T00:00"),
        ("1. 2. 2024", "2024-02-01T00:00"),
        ("01.02.2024 8:05", "2024-02-01T08:05"),
        ("1.2.24", "2024-02-01T00:00"),
        ("31.12.2024 24:00", "2025-01-01T00:00"),
        ("31.12.2024 24:00:00", "2025-01-01T00:00"),
        ("2024-02-01", "2024-02-01T00:00"),
        ("2024-02-01 00:15:00", "2024-02-01T00:15"),
        ("2024/2/1 0:15", "2024-02-01T00:15"),
        (datetime(2024, 2, 1, 0, 14, 59, 999_999), "2024-02-01T00:15"),  # noqa: DTZ001 - a cell
        (45292, "2024-01-01T00:00"),
        (45292.5, "2024-01-01T12:00"),
        ("2024-02-01T08:05:00+01:00", "2024-02-01T07:05"),
        (1704063600, "2023-12-31T23:00"),
    ],
)
def test_a_time_is_read_as_it_was_meant(written: Any, iso: str) -> None:  # noqa: ANN401 - a cell
    assert np.datetime64(moment_of(written, Order.DMY).us, "us") == np.datetime64(iso, "us")


@pytest.mark.parametrize("written", ["31.13.2024", "32.1.2024", "1.2.2024 25:00", "1.2.2024 24:01", "včera", 12, True])
def test_what_is_no_time_is_told(written: Any) -> None:  # noqa: ANN401 - a cell
    with pytest.raises(ValueError):  # noqa: PT011 - each way of being none
        moment_of(written, Order.DMY)


def test_slashes_need_a_date_that_tells_their_order() -> None:
    assert moments(("3/4/2024", "5/6/2024"), None).unsure == "3/4/2024"
    assert moments(("3/4/2024", "1/31/2024"), None).us[0] == moment_of("4.3.2024", Order.DMY).us
    assert moments(("3/4/2024", "31/1/2024"), None).us[0] == moment_of("3.4.2024", Order.DMY).us
    assert moments(("31/1/2024", "1/31/2024"), None).unsure


@pytest.mark.parametrize(("written", "us"), [("0:15", 900), ("24:00", 86400), (0.5, 43200), ("08.30", 30600)])
def test_a_time_of_day_is_read(written: Any, us: int) -> None:  # noqa: ANN401 - a cell
    assert clock_of(written) == us * 1_000_000


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("01/2024", date(2024, 1, 1), date(2024, 1, 31)),
        ("2/2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        ("červen 2024", date(2024, 6, 1), date(2024, 6, 30)),
        ("července 2024", date(2024, 7, 1), date(2024, 7, 31)),
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("1.1.2024 - 15.2.2024", date(2024, 1, 1), date(2024, 2, 15)),
    ],
)
def test_a_period_is_whole_days_both_in_it(written: str, first: date, last: date) -> None:
    assert days_of(written) == Days(first, last)


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Odběrné místo", Role.SUBJECT),
        ("EAN OPM", Role.SUBJECT),
        ("Číslo elektroměru", Role.SUBJECT),
        ("Datum odečtu", Role.TIME),
        ("Období od", Role.START),
        ("Období do", Role.END),
        ("Jednotka", Role.UNIT),
        ("Tarif", Role.REGISTER),
        ("Status", Role.STATUS),
        ("Číslo faktury", Role.DOCUMENT),
        ("Částka Kč", Role.PRICE),
        ("Cena celkem [Kč]", Role.PRICE),
        ("Celkem (kWh)", Role.VALUE),
        ("Stav", Role.VALUE),
        ("VT", Role.VALUE),
        ("Poznámka", Role.NOTE),
    ],
)
def test_a_heading_tells_what_its_column_is_for(heading: str, role: Role) -> None:
    assert role_of(heading) is role


@pytest.mark.parametrize(
    ("heading", "unit", "register", "rest"),
    [
        ("+A/123456 [kW]", "kW", "energy.import", "123456"),
        ("-A/123456 [kW]", "kW", "energy.export", "123456"),
        ("+Ri/1 [kVAr]", "kVAr", "reactive_energy.import/ri", "1"),
        ("Stav VT [MWh]", "MWh", "/t1", ""),
        ("NT (kWh)", "kWh", "/t2", ""),
        ("Dodávka do sítě kWh", "kWh", ".export", ""),
        ("1.8.2", "", "energy.import/t2", ""),
        ("B01-EL [kWh]", "kWh", "", "B01-EL"),
        ("Spotřeba [m3]", "m3", "", ""),
    ],
)
def test_a_heading_is_taken_apart(heading: str, unit: str, register: str, rest: str) -> None:
    found = taken_apart(heading)
    assert (found.unit, found.register, found.rest) == (unit, register, rest)


@pytest.mark.parametrize(
    ("written", "register"),
    [
        ("VT", "/t1"),
        ("T2", "/t2"),
        ("odběr", ".import"),
        ("dodávka", ".export"),
        ("volume.total", "volume.total"),
        ("", ""),
    ],
)
def test_a_register_is_known_by_its_czech_name(written: str, register: str) -> None:
    assert register_of(written) == register


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a;b\n1,5;2,5\n", ";"),
        ("a,b\n1,2\n", ","),
        ("a\tb\n1,5\t2\n", "\t"),
        ("Přehled, rok 2024\nx;y\n1;2\n3;4\n", ";"),
    ],
)
def test_the_delimiter_is_the_one_that_every_line_has(text: str, mark: str) -> None:
    assert delimiter_of(text) == mark


def test_headings_are_found_below_titles_and_units_below_names() -> None:
    text = "Energie 2024;;\nObdobí:;2024;\n\nMísto;Datum;Spotřeba\n;;kWh\nP1;1.1.2024;5\nP1;2.1.2024;6\n;;\n"
    grid = grid_of(raw_sheets("x.csv", text.encode("cp1250"))[0])
    assert grid.columns[-1] == "Spotřeba"  # a lone unit is no row of units: the names above it stand
    two = "Místo;Datum;Spotřeba\n-;-;kWh\nP1;1.1.2024;5\nP1;2.1.2024;6\n"
    assert grid_of(raw_sheets("x.csv", two.encode())[0]).columns == ("Místo [-]", "Datum [-]", "Spotřeba [kWh]")


def test_a_table_without_headings_is_known_by_letters() -> None:
    grid = grid_of(raw_sheets("x.csv", b"P1;1.1.2024;5\nP1;2.1.2024;6\n")[0])
    assert (grid.columns, grid.first_row, grid.count) == (("A", "B", "C"), 1, 2)
