"""Czech as documents print it: numbers, days, spaces, texts of people."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import czech

N = "\u00a0"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234567.891, 1, f"1{N}234{N}567,9"),
        (-0.04, 1, "0,0"),
        (-12.34, 1, "−12,3"),
        (0.125, 2, "0,13"),
        (2.675, 2, "2,68"),
        (999999.5, 0, f"1{N}000{N}000"),
        (None, 1, "—"),
        (float("nan"), 1, "—"),
        (5, 0, "5"),
    ],
)
def test_numbers_are_czech_and_rounded_half_up(value: float | None, decimals: int, text: str) -> None:
    assert czech.number(value, decimals) == text


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(0, 4))
def test_a_written_number_is_the_rounded_one(value: float, decimals: int) -> None:
    text = czech.number(value, decimals)
    assert "." not in text
    read = Decimal(text.replace(N, "").replace(",", ".").replace(czech.MINUS, "-"))
    assert read == Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@given(st.floats(min_value=0, max_value=1))
def test_a_share_that_is_not_all_or_nothing_never_reads_so(share: float) -> None:
    text = czech.share(share)
    assert (text == f"100{N}%") == (share == 1)
    assert (text == f"0{N}%") == (share == 0)


@pytest.mark.parametrize(
    ("text", "set_text"),
    [
        ("v roce 2025 a v kraji", f"v{N}roce 2025 a{N}v{N}kraji"),
        ("K tomu o 25 MWh i u nás", f"K{N}tomu o{N}25{N}MWh i{N}u{N}nás"),
        ("5. ledna 2024, 1. 3. 2025", f"5.{N}ledna 2024, 1.{N}3.{N}2025"),
        ("č. 5 a 40 %", f"č.{N}5 a{N}40{N}%"),
        ("(v kraji) „s vodou“", f"(v{N}kraji) „s{N}vodou“"),
        ("skupina A je", f"skupina A{N}je"),
        ("auto s", "auto s"),
    ],
)
def test_short_words_and_units_do_not_end_a_line(text: str, set_text: str) -> None:
    assert czech.typeset(text) == set_text


def test_a_text_loses_what_no_document_holds_and_keeps_its_lines() -> None:
    assert czech.fit("a\x00b\x0bc\a\u202ed\r\ne\ttab\ud800") == "abcd\ne tab"
    assert czech.line("  jedna\ndvě\x0c ") == "jedna dvě"


def test_days_instants_and_spans() -> None:
    assert czech.day(date(2025, 3, 5)) == "05.03.2025"
    assert czech.minute(datetime(2025, 6, 30, 22, 5, tzinfo=UTC)) == f"01.07.2025{N}00:05"
    assert czech.day_of(datetime(2025, 12, 31, 23, 30, tzinfo=UTC)) == "01.01.2026"
    assert czech.span(date(2025, 1, 1), date(2026, 1, 1)) == f"01.01.2025{N}–{N}31.12.2025"


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 budova"), (3, "3 budovy"), (5, "5 budov"), (0, "0 budov"), (22, "22 budov")]
)
def test_counts_take_their_form(count: int, text: str) -> None:
    assert czech.counted(count, "budova", "budovy", "budov").replace(N, " ") == text


def test_many_names_are_counted() -> None:
    assert czech.listed([]) == ""
    assert czech.listed(["a"]) == "a"
    assert czech.listed(["a", "b"]) == f"a a{N}b"
    assert czech.listed(list("abcdefg"), 2) == f"a, b a{N}5{N}dalších"
