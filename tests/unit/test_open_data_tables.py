"""Open data: tables that fit their description, records that keep the norm's rules, nothing unpublished."""

import copy
import csv
import io
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from csvw import CSVW
from hypothesis import given
from hypothesis import strategies as st

from core.indicators import Because
from core.plan import Figure, Indicator
from reports import dcat, dcat_rules, open_tables
from reports.open_columns import COMPARISON, COMPARISON_TEXTS, INDICATOR_TEXTS, INDICATORS
from services.open_data import OpenData, Publisher, catalogue_of, csv_of, faults_of, metadata_of, record_of
from services.publishing import publish
from tests.unit.publication_world import LATER, World, embedded

PUBLISHER = Publisher(url="https://odecet.kraj-lbc.cz", mail="data@kraj-lbc.cz", least_buildings=3)
SITE = PUBLISHER.site("http://127.0.0.1:8080", folder="/api/v1/open-data", page="/verejne")


def why(because: Because) -> str:
    return f"důvod {because.code} {sorted(because.facts)}"


@pytest.fixture
def region(tmp_path: Path) -> Iterator[World]:
    world = embedded(tmp_path)
    yield world
    world.store.close()
    world.records.close()


def open_data(world: World, **changes: Any) -> OpenData:  # noqa: ANN401 - changes are whatever a publisher is given
    return OpenData(world.records, replace(PUBLISHER, **changes), why)


def rows_of(table: open_tables.Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(table).decode())))


def faults_in(folder: Path, table: open_tables.Table) -> list[str]:
    """Write a table with its description as the API serves them, and return where they do not fit."""
    (folder / table.file).write_bytes(csv_of(table))
    metadata = folder / f"{table.key}{open_tables.METADATA_ENDING}"
    metadata.write_bytes(metadata_of(table, SITE))
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # the library gathers its findings as warnings
        found = CSVW(str(metadata), validate=True)
        return [] if found.is_valid else [str(one.message) for one in found.warnings]


def test_nothing_is_told_before_anything_is_published(region: World, tmp_path: Path) -> None:
    region.ready()
    for table in open_data(region).tables():
        assert rows_of(table) == []
        assert faults_in(tmp_path, table) == []


def test_published_figures_fit_their_description(region: World, tmp_path: Path) -> None:
    region.ready()
    made = publish(region.live, region.wish())
    table = open_data(region).indicators()
    assert faults_in(tmp_path, table) == []
    rows = rows_of(table)
    energy = next(row for row in rows if (row["indikator"], row["ukazatel_kod"]) == ("E1", "total"))
    assert (energy["publikace"], energy["platna"], energy["druh_zpravy"]) == (made.id, "true", "vyrocni")
    assert (energy["od"], energy["do"], energy["otisk"]) == ("2025-01-01", "2025-12-31", made.digest)
    entered = next(row for row in rows if (row["indikator"], row["ukazatel_kod"]) == ("Z1", "pocet"))
    assert (entered["hodnota"], entered["metoda"], entered["stav"]) == ("3.0", "hand", "konecna")
    unknown = next(row for row in rows if row["indikator"] == "Z2")
    assert (unknown["hodnota"], unknown["stav"]) == ("", "nelze_stanovit")


def test_every_version_stays_and_the_last_one_is_marked(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    region.late_batch(LATER)
    region.checked(LATER)
    publish(region.live, region.wish(LATER, note="pozdní data"))
    rows = [row for row in rows_of(open_data(region).indicators()) if row["indikator"] == "E1"]
    assert [(row["verze"], row["platna"]) for row in rows] == [("1", "false"), ("2", "true")]
    assert rows[0]["hodnota"] != rows[1]["hodnota"]


def test_reasons_name_no_point_and_no_measure(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    told = csv_of(open_data(region).indicators()).decode()
    assert "B1-EL" not in told
    assert "Hlavní budova" not in told


@pytest.mark.parametrize(
    "table", [(INDICATORS, INDICATOR_TEXTS), (COMPARISON, COMPARISON_TEXTS)], ids=["values", "kinds"]
)
def test_a_value_against_its_description_is_noticed(table: Any, tmp_path: Path) -> None:  # noqa: ANN401 - columns and texts
    columns, texts = table
    filled = tuple(_sample(column.datatype) for column in columns)
    good = texts.table(columns, [filled], date(2025, 1, 1), date(2025, 12, 31))
    assert faults_in(tmp_path, good) == []
    place = next(n for n, column in enumerate(columns) if column.datatype == "date")
    wrong = (*filled[:place], "31.12.2025", *filled[place + 1 :])
    assert faults_in(tmp_path, replace(good, rows=(wrong,)))
    with pytest.raises(ValueError, match="duplicate primary key"):
        faults_in(tmp_path, replace(good, rows=(filled, filled)))


def _sample(datatype: str) -> open_tables.Value:
    return {
        "string": 'text, "s" uvozovkami\na řádkem',
        "integer": 3,
        "decimal": 1e-7,
        "boolean": True,
        "date": date(2025, 1, 1),
        "dateTime": datetime(2026, 2, 27, 9, 30, tzinfo=UTC),
    }[datatype]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_whole_and_without_exponent(value: float) -> None:
    text = open_tables.text_of(value)
    assert float(text) == value
    assert "e" not in text.lower()


def comparison(world: World, **changes: Any) -> list[dict[str, str]]:  # noqa: ANN401 - same
    return rows_of(open_data(world, **changes).comparison())


def test_few_buildings_of_a_kind_are_kept_back(region: World) -> None:
    """Two buildings stand in the region: at a bound of three nothing of them is told but that it is kept back."""
    area = next(one for one in region.records.find(Indicator) if one.id == "E1")
    by_area = replace(
        area, id="E5", method="consumption_by_area", figures=(Figure(key="specific", name="m", unit="kWh/m²"),)
    )
    region.records.save([by_area], by="test", now=LATER)
    region.ready()
    publish(region.live, region.wish())
    kept = comparison(region)
    assert kept
    assert {(row["potlaceno"], row["pocet_budov"], row["median"]) for row in kept} == {("true", "", "")}
    told = comparison(region, least_buildings=1)
    assert {(row["potlaceno"], row["pocet_budov"]) for row in told} == {("false", "1")}
    assert all(float(row["dolni_kvartil"]) <= float(row["median"]) <= float(row["horni_kvartil"]) for row in told)
    assert not any("Hlavní" in value or "B1" in value for row in told for value in row.values())


def records() -> list[dcat.Record]:
    tables = (
        INDICATOR_TEXTS.table(INDICATORS, [], date(2023, 1, 1), date(2025, 12, 31)),
        COMPARISON_TEXTS.table(COMPARISON, [], None, None),
    )
    return [catalogue_of(tables, SITE), *(record_of(table, SITE) for table in tables)]


def test_records_keep_the_rules_of_the_norm() -> None:
    assert [faults_of(record) for record in records()] == [[], [], []]
    assert [faults_of(json.loads(json.dumps(record))) for record in records()] == [[], [], []]


def _without(*path: Any) -> Callable[[Any], None]:  # noqa: ANN401 - keys and places
    def change(record: Any) -> None:  # noqa: ANN401 - a record
        for step in path[:-1]:
            record = record[step]
        del record[path[-1]]

    return change


def _with(value: Any, *path: Any) -> Callable[[Any], None]:  # noqa: ANN401 - same
    def change(record: Any) -> None:  # noqa: ANN401 - same
        for step in path[:-1]:
            record = record[step]
        record[path[-1]] = value

    return change


TERMS = ("distribuce", 0, "podmínky_užití")
EMPTY = INDICATOR_TEXTS.table(INDICATORS, [], None, None)
BROKEN = {
**{f"without {name}": (_without(name), name) for name in dcat_rules.DATASET_NEEDS if name != "typ"},
    "another context": (_with("https://ofn.gov.cz/jiný", "@context"), "@context"),
    "no Czech name": (_with({"en": "Indicators"}, "název"), "název"),
    "an empty name": (_with({"cs": " "}, "název"), "název.cs"),
    "a name that is no text by language": (_with("Indikátory", "název"), "název"),
    "an address without encryption": (_with("http://odecet.cz/indikatory", "iri"), "iri"),
    "an address with a space": (_with("https://odecet.cz/in dikatory", "iri"), "iri"),
    "a publisher that is no authority": (_with("https://kraj-lbc.cz", "poskytovatel"), "poskytovatel"),
    "a theme that is no list": (_with(f"{dcat.THEME}ENER", "téma"), "téma"),
    "no theme at all": (_with([], "téma"), "téma"),
    "a theme that is not in the list": (_with([f"{dcat.THEME}POWER"], "téma"), "téma[0]"),
    "themes of other lists alone": (_with(["https://kraj-lbc.cz/energie"], "téma"), "téma"),
    "a frequency in words": (_with("ročně", "periodicita_aktualizace"), "periodicita_aktualizace"),
    "a keyword that is no text": (_with({"cs": [1]}, "klíčové_slovo"), "klíčové_slovo.cs"),
    "an area of no register": (_with(["https://kraj-lbc.cz"], "prvek_rúian"), "prvek_rúian[0]"),
    "an end that is no day": (_with("31.12.2025", "časové_pokrytí", "konec"), "časové_pokrytí.konec"),
    "a mail without mailto": (_with("data@kraj-lbc.cz", "kontaktní_bod", "e-mail"), "kontaktní_bod.e-mail"),
    "no distribution": (_with([], "distribuce"), "distribuce"),
    "a distribution without terms": (_without(*TERMS), "distribuce[0].podmínky_užití"),
    "terms without personal data": (_without(*TERMS, "osobní_údaje"), "distribuce[0].podmínky_užití.osobní_údaje"),
    "unknown personal data": (_with("ne", *TERMS, "osobní_údaje"), "distribuce[0].podmínky_užití.osobní_údaje"),
    "a file without format": (_without("distribuce", 0, "formát"), "distribuce[0].formát"),
    "a format that is no IRI of the list": (_with("CSV", "distribuce", 0, "formát"), "distribuce[0].formát"),
    "a file and a service": (_with({"typ": "Datová služba"}, "distribuce", 0, "přístupová_služba"), "distribuce[0]"),
    "an access elsewhere": (_with("https://jinde.cz/a.csv", "distribuce", 0, "přístupové_url"), "distribuce[0].příst"),
}  # fmt: skip


@pytest.mark.parametrize(("break_it", "place"), BROKEN.values(), ids=BROKEN.keys())
def test_each_broken_rule_is_told_with_its_place(break_it: Callable[[Any], None], place: str) -> None:
    record = copy.deepcopy(records()[1])
    break_it(record)
    found = faults_of(record)
    assert any(fault.startswith(place) for fault in found), found


@pytest.mark.parametrize("record", [[], "text", None, {}, {"typ": "Něco"}, {"typ": ["Katalog"], "datová_sada": []}])
def test_what_is_no_record_is_told(record: object) -> None:
    assert faults_of(record)


def test_without_an_address_records_name_the_one_that_was_asked_and_do_not_pass() -> None:
    site = Publisher().site("http://127.0.0.1:8080/", folder="/api/v1/open-data", page="/verejne")
    assert site.folder == "http://127.0.0.1:8080/api/v1/open-data"
    assert any(
        "https://" in fault for fault in faults_of(record_of(INDICATOR_TEXTS.table(INDICATORS, [], None, None), site))
    )
