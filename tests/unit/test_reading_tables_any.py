"""Any bytes and any table end as readings with finite values, as named faults, or as an error with its remedy."""

import io
from datetime import datetime
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.errors import InputError
from core.reading_tables import Amount, Layout, ReadingTable, Stamp, TableReadings
from services.reading_import_mapping import amended
from tests.unit.import_world import TABLES

SAMPLES = (
    "Místo;Datum;Stav [kWh]\nP1;31. 1. 2024;1 234,5\nP1;29.02.2024 08:15;1 300,0\nCelkem;;2\n",
    "EAN;Od;Do;VT kWh;NT kWh;Kč;Faktura;Druh\n859182400100000001;1.1.2024;31.1.2024;100;50;1,5;F1;dobropis\n",
    '"Datum";"+A/1 [kW]";"Status";\n27.10.2024 02:00;2,5;naměřená data OK;\n27.10.2024 02:15;2,5;N/A;\n',
    "time,device,value,unit\n2024-01-01T00:00:00Z,em1,1.5,kWh\n1704067200,em1,#REF!,MWh\n45292.5,em1,1e9,m3\n",
    "Období;Místo;Spotřeba m3\n01/2024;V1;12\nčerven 2024;V1;\n2024;V1;-5\n",
)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**19), 10**19),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 - cells are naive
    st.sampled_from(["Datum", "Stav", "kWh", "VT", "1.1.2024", "24:00", "1,5", "1.234", "Celkem", "P1", "od", "do"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)  # fmt: skip
CHOICES = st.fixed_dictionaries(
    {
        "amount": st.sampled_from([*Amount, None]),
        "stamp": st.sampled_from([*Stamp, None]),
        "layout": st.sampled_from(list(Layout)),
        "value_unit": st.sampled_from(["", "kWh", "kW", "m3", "°C"]),
    }
)
ENOUGH = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)


def opened(content: bytes) -> ReadingTable | None:
    """Open a file; None where it is refused with a remedy."""
    try:
        return TABLES.open("x.csv", content)
    except InputError as err:
        if not err.remedy:
            raise
        return None


def sound(content: bytes, said: dict[str, Any]) -> None:
    """Read a file every way; fail where it neither says something sound nor tells what is wrong."""
    table = opened(content)
    if table is None:
        return
    proposed = table.propose("Europe/Prague")
    for mapping in (proposed, amended(proposed, {**said, "whole": "P1"})):
        check(table.read(mapping))


def check(found: TableReadings) -> None:
    assert np.isfinite(found.value).all()
    assert (found.span_s >= 0).all()
    assert not np.isnat(found.at).any()
    assert len(found) or found.faults or found.remarks
    assert all(f.problem and f.remedy for f in (*found.faults, *found.remarks))


@ENOUGH
@given(st.sampled_from(SAMPLES), st.data(), CHOICES)
def test_a_mutated_file_is_read_or_refused(text: str, data: st.DataObject, said: dict[str, Any]) -> None:
    content = bytearray(text.encode(data.draw(st.sampled_from(["utf-8", "cp1250", "utf-16"]))))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    sound(bytes(content), said)


@ENOUGH
@given(st.lists(st.lists(CELLS, max_size=6), max_size=12), CHOICES)
def test_any_workbook_is_read_or_refused(rows: list[list[Any]], said: dict[str, Any]) -> None:
    book = Workbook(write_only=True)
    page = book.create_sheet("List")
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    sound(out.getvalue(), said)
