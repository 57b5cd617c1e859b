"""Rows of dated tables that people enter: the rules of the files hold, and each counts at once, also elsewhere."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, InputError, StoreError
from core.factors import Carrier
from core.notes import JsonValue
from core.own_rows import ENTITY, Origin, OwnRow, RowKind
from core.populations import population_of
from core.registry import Building, Commodity, Organisation, Point
from core.tariffs import CostPart
from services.own_rows import Draft, proposed
from services.restatement_names import named_days
from storage.records import SqlRecordStore
from tests.unit.own_rows_world import FACTOR, HOLIDAY, NORMAL, NOW, POPULATION, PRICE, entered, opened, present

MAY_2026, MAY_2020 = date(2026, 5, 1), date(2020, 5, 1)
EL = Point(id="B01-EL", building="B01", name="EL", commodity=Commodity.ELECTRICITY)
GAS = Point(id="B01-G", building="B01", name="G", commodity=Commodity.GAS)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def factor_kg(tables: Any, day: date, **versions: int) -> float | None:  # noqa: ANN401 - tables that are present
    found = tables.dated().factors.factor(
        Carrier.ELECTRICITY, day, versions={name.replace("_", "-"): n for name, n in versions.items()}
    )
    return None if found is None else found.kg


def test_a_year_that_nobody_knew_is_known_at_once_in_every_process(records: SqlRecordStore, tmp_path: Path) -> None:
    here, other_store = present(records), opened(tmp_path)
    there = present(other_store)
    assert (factor_kg(here, MAY_2026), factor_kg(there, MAY_2026)) == (None, None)
    kept = entered(records, here, RowKind.FACTOR, FACTOR)
    assert (factor_kg(here, MAY_2026), factor_kg(there, MAY_2026)) == (0.39, 0.39)
    assert (kept.version, here.standing().number) == (1, there.standing().number)
    entered(other_store, there, RowKind.FACTOR, FACTOR, value=0.41)
    assert factor_kg(here, MAY_2026) == 0.41
    assert factor_kg(here, MAY_2026, mpo_electricity_2026=1) == 0.39
    other_store.close()


def test_a_correction_of_a_row_that_ships_replaces_it_whole_and_both_stay_in_the_history(
    records: SqlRecordStore,
) -> None:
    tables = present(records)
    before = factor_kg(tables, MAY_2020)
    content = tables.standing().of(RowKind.FACTOR, "mpo-electricity-2020")[0].content
    kept = entered(records, tables, RowKind.FACTOR, dict(content), value=0.401, why="MPO to opravilo")
    assert (kept.version, factor_kg(tables, MAY_2020)) == (2, 0.401)
    assert factor_kg(tables, MAY_2020, mpo_electricity_2020=1) == before != 0.401
    history = tables.standing().of(RowKind.FACTOR, "mpo-electricity-2020")
    assert [(row.version, row.origin, row.counts) for row in history] == [
        (2, Origin.ENTERED, True),
        (1, Origin.SHIPPED, False),
    ]
    (entry,) = records.audit(entity=ENTITY)
    assert (entry.key, entry.by, entry.why) == ("factor/mpo-electricity-2020", "správce", "MPO to opravilo")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["value"], entry.after["value"], entry.after["version"]) == (before, 0.401, 2)


def test_a_value_that_ends_holds_no_more_though_its_former_version_went_on(records: SqlRecordStore) -> None:
    tables = present(records)
    entered(records, tables, RowKind.PRICE, PRICE)
    entered(records, tables, RowKind.PRICE, PRICE, until="2026-07-01")

    def energy(month: int) -> float | None:
        found = tables.dated().tariffs.prices_of(EL, "O1", date(2026, month, 1)).get(CostPart.ENERGY)
        return None if found is None else found.per_unit_czk

    assert [energy(month) for month in (5, 6, 7, 8)] == [2.89, 2.89, None, None]


def test_what_should_never_have_been_is_withdrawn_and_may_come_back(records: SqlRecordStore) -> None:
    tables = present(records)
    entered(records, tables, RowKind.FACTOR, FACTOR)
    entered(records, tables, RowKind.FACTOR, FACTOR, withdrawn=True)
    assert factor_kg(tables, MAY_2026) is None
    entered(records, tables, RowKind.FACTOR, FACTOR, value=0.4)
    assert factor_kg(tables, MAY_2026) == 0.4
    assert [row.withdrawn for row in tables.standing().of(RowKind.FACTOR, "mpo-electricity-2026")] == [
        False,
        True,
        False,
    ]


def test_inhabitants_normals_conversions_and_rules_count_too(records: SqlRecordStore) -> None:
    tables = present(records)
    content: dict[str, JsonValue] = {
        "id": "g", "volume_correction": 0.975, "gross_mj_m3": 38.16, "since": "2026-01-01", "source": "faktura",
    }  # fmt: skip
    entered(records, tables, RowKind.POPULATION, POPULATION)
    entered(records, tables, RowKind.POPULATION, POPULATION, id="lk-2024-12", at="2024-12-31", inhabitants=449_000)
    entered(records, tables, RowKind.NORMAL, NORMAL)
    entered(records, tables, RowKind.CONVERSION, content)
    dated = tables.dated()
    year = population_of(dated.populations, "Liberecký kraj", date(2025, 1, 1), date(2026, 1, 1))
    assert year.inhabitants == 449_500
    assert [(n.limit_c, n.days) for n in dated.normals if n.place == "Zkouška"] == [(13, 240)]
    found = dated.factors.conversion(GAS, "O1", MAY_2026)
    assert found is not None
    assert found.kwh_per_m3 == pytest.approx(0.975 * 38.16 / 3.6)


def test_own_holidays_are_days_off_of_models_at_once(records: SqlRecordStore) -> None:
    tables = present(records)
    before = tables.facts().school
    entered(records, tables, RowKind.HOLIDAY, HOLIDAY)
    assert tables.facts().school - before == {date(2031, 2, day) for day in range(3, 10)}
    entered(records, tables, RowKind.HOLIDAY, HOLIDAY, id="spring-2031-02-03", last="2031-02-05")
    assert tables.facts().school - before == {date(2031, 2, day) for day in range(3, 6)}
    entered(records, tables, RowKind.HOLIDAY, HOLIDAY, id="spring-2031-02-03", last="2031-02-05", withdrawn=True)
    assert tables.facts().school == before


def test_a_supply_and_a_connection_are_corrected_like_all_others(records: SqlRecordStore) -> None:
    tables = present(records)
    connection: dict[str, JsonValue] = {
        "id": "c", "distributor": "ČEZ Distribuce", "level": "VN", "since": "2020-01-01",
    }  # fmt: skip
    entered(records, tables, RowKind.CONNECTION, connection)
    entered(records, tables, RowKind.CONNECTION, connection, level="NN")
    found = tables.dated().tariffs.connection(EL, "O1", MAY_2026)
    assert found is not None
    assert (found.level, found.version) == ("NN", 2)
    supply: dict[str, JsonValue] = {"id": "s", "commodity": "heat", "supplier": "Teplárna", "since": "2020-01-01"}
    entered(records, tables, RowKind.SUPPLY, supply)
    entered(records, tables, RowKind.SUPPLY, supply, supplier="Jiná teplárna")
    assert [one.supplier for one in tables.dated().factors.supplies] == ["Jiná teplárna"]


@pytest.mark.parametrize(
    ("kind", "content", "changes", "place", "told"),
    [
        (RowKind.FACTOR, FACTOR, {"source": None}, "source", "source is missing"),
        (RowKind.FACTOR, FACTOR, {"source": "  "}, "", "no source"),
        (RowKind.FACTOR, FACTOR, {"since": "2026-01-15"}, "", "not the first of a month"),
        (RowKind.FACTOR, FACTOR, {"until": "2025-01-01"}, "", "before or as it begins"),
        (RowKind.FACTOR, FACTOR, {"since": 20260101}, "since", "is no day"),
        (RowKind.FACTOR, FACTOR, {"since": "1. 1. 2026"}, "since", "is no day"),
        (RowKind.FACTOR, FACTOR, {"value": "0,39"}, "value", "is no number"),
        (RowKind.FACTOR, FACTOR, {"value": True}, "value", "is no number"),
        (RowKind.FACTOR, FACTOR, {"value": -0.1}, "value", "cannot be value"),
        (RowKind.FACTOR, FACTOR, {"value": 10**400}, "value", "cannot be value|is no number"),
        (RowKind.FACTOR, FACTOR, {"unit": "t/kWh"}, "", "not known"),
        (RowKind.FACTOR, FACTOR, {"carrier": "wind"}, "carrier", "cannot be carrier"),
        (RowKind.FACTOR, FACTOR, {"carrier": "gas"}, "", "cannot be of gas"),
        (RowKind.FACTOR, FACTOR, {"kg": 1}, "kg", "has no field kg"),
        (RowKind.FACTOR, FACTOR, {"id": " "}, "id", "cannot be"),
        (RowKind.FACTOR, FACTOR, {"id": "x\ny"}, "id", "cannot be"),
        (RowKind.FACTOR, FACTOR, {"id": "x" * 121}, "id", "cannot be"),
        (RowKind.FACTOR, FACTOR, {"version": 3}, "version", "not the next one, 1"),
        (RowKind.FACTOR, FACTOR, {"id": "other", "since": "2024-01-01", "until": None}, "since", "says the same"),
        (RowKind.FACTOR, FACTOR, {"withdrawn": True}, "withdrawn", "to withdraw"),
        (RowKind.PRICE, PRICE, {"buildings": ["B77"]}, "buildings", "not in the register"),
        (RowKind.PRICE, PRICE, {"vat_percent": 60}, "vat_percent", "cannot be vat_percent"),
        (RowKind.POPULATION, POPULATION, {"inhabitants": 0}, "", "cannot be"),
        (RowKind.POPULATION, POPULATION, {"at": "2018-12-31"}, "since", "'lk-2018' says the same"),
        (RowKind.HOLIDAY, HOLIDAY, {"last": "2031-02-01"}, "last", "before it begins"),
        (RowKind.HOLIDAY, HOLIDAY, {"last": "2131-02-01"}, "last", "longer than any school holiday"),
    ],
)
def test_what_a_file_would_be_refused_for_is_refused_with_its_field(  # noqa: PLR0917 - a table of cases
    records: SqlRecordStore,
    kind: RowKind,
    content: dict[str, JsonValue],
    changes: dict[str, Any],
    place: str,
    told: str,
) -> None:
    tables = present(records)
    with pytest.raises(InputError, match=told) as err:
        entered(records, tables, kind, content, **changes)
    assert err.value.place == place
    assert err.value.remedy
    assert (records.own_rows(), records.audit(entity=ENTITY)) == ([], [])


def test_two_connections_of_the_same_points_at_once_are_refused(records: SqlRecordStore) -> None:
    tables = present(records)
    one: dict[str, JsonValue] = {"id": "c", "distributor": "ČEZ Distribuce", "level": "VN", "since": "2020-01-01"}
    entered(records, tables, RowKind.CONNECTION, one, until="2024-01-01")
    with pytest.raises(InputError, match="two things of the same points"):
        entered(records, tables, RowKind.CONNECTION, one, id="d", since="2023-12-01")
    entered(records, tables, RowKind.CONNECTION, one, id="d", since="2024-01-01")


def test_a_row_without_a_reason_or_a_change_is_not_entered(records: SqlRecordStore) -> None:
    tables = present(records)
    with pytest.raises(InputError, match="needs a reason"):
        entered(records, tables, RowKind.FACTOR, FACTOR, why="  ")
    entered(records, tables, RowKind.FACTOR, FACTOR)
    with pytest.raises(InputError, match="nothing of"):
        entered(records, tables, RowKind.FACTOR, FACTOR, status="official")
    assert len(records.own_rows()) == 1


def test_a_row_that_was_looked_at_with_older_tables_is_refused(records: SqlRecordStore) -> None:
    tables = present(records)
    seen = tables.standing().number
    entered(records, tables, RowKind.PRICE, PRICE)
    with pytest.raises(Conflict, match="changed meanwhile"):
        proposed(tables, records, Draft(kind=RowKind.FACTOR, content=FACTOR, after=seen))


def test_a_proposal_tells_what_it_replaces_and_keeps_nothing(records: SqlRecordStore) -> None:
    tables = present(records)
    entered(records, tables, RowKind.PRICE, PRICE)
    change = proposed(tables, records, Draft(kind=RowKind.PRICE, content={**PRICE, "price": 3000, "note": "dodatek"}))
    assert change.former is not None
    assert (change.row.version, change.former.version) == (2, 1)
    assert change.fields == (("price", 2890.0, 3000.0), ("note", None, "dodatek"))
    later = {**PRICE, "id": "el-2027", "since": "2027-01-01"}
    (beside,) = proposed(tables, records, Draft(kind=RowKind.PRICE, content=later)).beside
    assert (beside.row.key, beside.since, beside.replaced) == ("el-2026", date(2027, 1, 1), True)
    earlier = {**PRICE, "id": "el-2025", "since": "2025-01-01"}
    (beside,) = proposed(tables, records, Draft(kind=RowKind.PRICE, content=earlier)).beside
    assert (beside.since, beside.replaced) == (date(2026, 1, 1), False)
    tax = {**PRICE, "id": "tax", "covers": ["tax"]}
    assert proposed(tables, records, Draft(kind=RowKind.PRICE, content=tax)).beside == ()
    assert len(records.own_rows()) == 1


def test_a_factor_that_nothing_would_use_is_told(records: SqlRecordStore) -> None:
    tables = present(records)

    def idle(**changes: JsonValue) -> str:
        content = {name: value for name, value in {**FACTOR, **changes}.items() if value is not None}
        return proposed(tables, records, Draft(kind=RowKind.FACTOR, content=content)).idle

    heat: dict[str, JsonValue] = {"id": "h", "carrier": "heat", "supplier": "Teplárna", "scheme": None}
    assert (idle(), idle(scheme="vlastni"), idle(scheme="residual-mix"), idle(**heat)) == ("", "scheme", "", "supplier")
    supply: dict[str, JsonValue] = {
        "id": "s", "commodity": "heat", "supplier": "Teplárna", "since": "2020-01-01",
    }  # fmt: skip
    entered(records, tables, RowKind.SUPPLY, supply)
    assert idle(**heat) == ""


def test_a_price_of_a_building_is_entered_for_one_that_is_there(records: SqlRecordStore) -> None:
    records.save(
        [Organisation(id="O1", name="O1"), Building(id="B01", organisation="O1", name="B01")], by="test", now=NOW
    )
    tables = present(records)
    entered(records, tables, RowKind.PRICE, PRICE)
    entered(records, tables, RowKind.PRICE, PRICE, id="b", price=2500, buildings=["B01"])
    found = tables.dated().tariffs.prices_of(EL, "O1", MAY_2026)[CostPart.ENERGY]
    assert (found.id, found.per_unit_czk) == ("b", 2.5)


def test_an_entered_row_goes_before_one_of_its_version_that_a_newer_release_ships(
    records: SqlRecordStore, tmp_path: Path
) -> None:
    entered(records, present(records), RowKind.FACTOR, FACTOR)
    file = tmp_path / "factors.toml"
    rows = "".join(f"{name} = {value!r}\n" for name, value in {**FACTOR, "value": 0.5}.items())
    file.write_text(f"[[factor]]\n{rows}".replace("'20", "20").replace("-01'", "-01"), "utf-8")
    tables = present(records, factors=file)
    assert factor_kg(tables, MAY_2026) == 0.39
    assert [row.origin for row in tables.standing().of(RowKind.FACTOR, "mpo-electricity-2026")] == [
        Origin.ENTERED,
        Origin.FILE,
    ]


def test_a_row_that_this_program_cannot_read_is_told_with_its_place(records: SqlRecordStore) -> None:
    tables = present(records)
    strange = OwnRow(
        kind=RowKind.FACTOR, key="x", version=1, content='{"id":"x","future":1}', by="a", at=NOW, why="b"
    )  # fmt: skip
    records.add_own_row(strange, [], after=0)
    with pytest.raises(StoreError, match=r"version 1 of factor 'x', entered on 2026-11-23, cannot be read"):
        tables.dated()


MONTHS = st.integers(0, 30).map(lambda n: date(2024 + n // 12, n % 12 + 1, 1))
SPANS = st.tuples(MONTHS, MONTHS).filter(lambda ends: ends[0] < ends[1])


@given(spans=st.lists(SPANS, min_size=1, max_size=4), values=st.permutations([0.1, 0.2, 0.3, 0.4]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_whatever_versions_the_last_alone_counts(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[date, date]], values: list[float]
) -> None:
    store = opened(tmp_path_factory.mktemp("versions"))
    tables = present(store)
    for (since, until), value in zip(spans, values, strict=False):
        changes: dict[str, JsonValue] = {"since": since.isoformat(), "until": until.isoformat(), "value": value}
        entered(store, tables, RowKind.FACTOR, FACTOR, scheme="residual-mix", **changes)
    (since, until), value = spans[-1], values[len(spans) - 1]
    months = [date(2024 + n // 12, n % 12 + 1, 1) for n in range(36)]
    found = [tables.dated().factors.residual(month) for month in months]
    assert [f.kg if f else None for f in found] == [value if since <= m < until else None for m in months]
    assert all(a.number < b.number for a, b in pairwise(store.own_rows()))
    store.close()


def test_a_calendar_that_changed_is_told_by_its_days(records: SqlRecordStore) -> None:
    tables = present(records)
    before = tables.facts()
    entered(records, tables, RowKind.HOLIDAY, HOLIDAY)
    entered(records, tables, RowKind.HOLIDAY, HOLIDAY, first="2031-03-03", last="2031-03-03")
    told = named_days(before, tables.facts())
    assert [(one.kind, one.key, one.facts["did"], one.facts["last"]) for one in told] == [
        ("school", "2031-02-03", "added", "2031-02-09"),
        ("school", "2031-03-03", "added", "2031-03-03"),
    ]
    assert {one.facts["did"] for one in named_days(tables.facts(), before)} == {"removed"}
    assert named_days(before, before) == ()
