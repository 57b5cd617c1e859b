"""Names and numbers as InfluxDB stores them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import NAT
from core.readings import Readings, SeriesKey
from core.rollup import RollUp
from storage.influx_lines import (
    Origin,
    condition,
    decode,
    encode,
    head,
    origin_line,
    quoted,
    reading_lines,
    rollup_lines,
)
from storage.influx_shards import one_a_shard, places

KEY = SeriesKey("m", "energy.import")
AT = np.datetime64("2026-01-01T00:00:00.000001", "us")
AT_US = 1_767_225_600_000_001


@given(st.text())
def test_every_name_is_got_back(name: str) -> None:
    assert decode(encode(name)) == name


@given(st.text())
def test_stored_names_hold_nothing_that_breaks_a_line(name: str) -> None:
    stored = encode(name)
    assert stored
    assert "\\" not in stored
    assert not any(ord(c) < 32 for c in stored)


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_two_names_stay_two(names: list[str]) -> None:
    assert encode(names[0]) != encode(names[1])


def test_tags_are_escaped() -> None:
    assert head("reading", SeriesKey("a b,c=d", "r")) == r"reading,meter=a\ b\,c\=d,register=r"


def test_queries_quote_names() -> None:
    assert quoted("o'clock \\") == r"'o\'clock %5C'"
    assert condition([KEY]) == "((register = 'energy.import' AND (meter = 'm')))"


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1"), (5e-324, "5e-324"), (-0.0, "-0.0"), (1e22, "1e+22")])
def test_values_are_written_so_that_they_read_back_the_same(value: float, text: str) -> None:
    readings = Readings.of([KEY], [0], [AT], [value], received=AT)
    line = f"reading,meter=m,register=energy.import value={text},received={AT_US}i,origin=7i {AT_US}"
    assert reading_lines(readings, np.array([7])) == [line]


def test_origin_tells_what_its_number_means() -> None:
    origin = Origin(1, 4, 900, 'ruční "odečet"')
    told = rf'origin,id={origin.number} kind=1i,quality=4i,span_s=900i,source="ruční \"odečet\"" 0'
    assert origin_line(origin) == told
    assert 0 <= origin.number < 2**63
    assert origin.number != Origin(1, 4, 900, "").number


def test_period_leaves_instants_empty_that_are_none() -> None:
    one, at, nat = np.array([3]), np.array([AT]), np.array([NAT])
    period = RollUp(
        series=(KEY,),
        code=np.zeros(1, np.int32),
        start=at,
        span_s=one * 1200,
        nano=-one,
        missing_s=one,
        estimated_s=one * 0,
        gap_until=nat,
        gap_since=at,
        first_at=nat,
        last_at=nat,
    )
    basis = f"3600;3;0;;{AT_US};;"
    assert rollup_lines("hourly", period) == [f'hourly,meter=m,register=energy.import nano=-3i,basis="{basis}" {AT_US}']


def test_failed_lines_are_placed_by_week_and_by_shard() -> None:
    week = 7 * 86_400_000_000
    lines = ["reading value=1 5", "reading value=1 6", f"reading value=1 {week + 1}", "touched first=1i,last=2i"]
    assert places(lines) == {5, week + 1, 0}
    assert one_a_shard([5, 6, week + 1, -9], [(0, week), (week, 2 * week)]) == [-9, 5, week + 1]
