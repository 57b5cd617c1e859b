"""The register goes out to spreadsheets and comes in again, unchanged; faults are told by row and column."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, InputError, NotFound
from core.ports import Sheet
from core.registry import (
    Building,
    BuildingKind,
    Commodity,
    Dated,
    DialEvent,
    Entity,
    EventKind,
    Meter,
    Organisation,
    Point,
    Role,
    Term,
)
from ingest.tables import FileTables
from services import exchange
from services.exchange import IMPORT, Plan
from services.register import By
from services.register_rules import Snapshot, place
from storage.records import SqlRecordStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACT = By(by="eva", now=NOW)
OWNER = Organisation(id="o-1", name="Gymnázium", ico="00123456")
HOUSE = Building(
    id="b-1",
    organisation="o-1",
    name="Hlavní budova",
    kind=BuildingKind.SCHOOL,
    address="Žitná 1; Liberec",
    latitude=50.767,
    longitude=15.056,
    areas=(Dated(since=date(2019, 1, 1), value=1000), Dated(since=date(2022, 1, 1), value=1234.5)),
    users=(
        Dated(since=date(2023, 9, 1), value=300, kind="pupils"),
        Dated(since=date(2024, 9, 1), value=310, kind="pupils"),
        Dated(since=date(2024, 1, 1), value=12.5, kind="děti ve školce"),
    ),
)
GRID = Point(
    id="p-1",
    building="b-1",
    name="=elektřina",
    commodity=Commodity.ELECTRICITY,
    code="859182400000000001",
    max_rate=120.5,
    reserved_kw=(Dated(since=date(2025, 1, 1), value=80),),
)
SUB = Point(id="-p/2", building="b-1", name="Kuchyň", commodity=Commodity.ELECTRICITY, role=Role.SUBMETER, parent="p-1")
REST = Point(
    id="0012",
    building="b-1",
    name="Zbytek",
    commodity=Commodity.ELECTRICITY,
    role=Role.VIRTUAL,
    terms=(Term(point="p-1"), Term(point="-p/2", sign=-1)),
)
GAS = Point(id="g", building="b-1", name="Plyn", commodity=Commodity.GAS, code="27ZG600Z12345678")
OLD = Meter(
    id="m-1",
    point="p-1",
    device="elm 12",
    mounted=datetime(2024, 1, 1, tzinfo=UTC),
    removed=datetime(2025, 10, 26, 0, 30, 0, 5, tzinfo=UTC),
    unit="MWh",
    digits=6,
    multiplier=40,
    first=0.1,
    final=12345.678,
)
NEW = replace(OLD, id="m-2", mounted=OLD.removed or NOW, removed=None, first=0.0, final=None, unit="kWh")
FLOW = Meter(id="m-3", point="g", device="plyn", mounted=NOW, register="volume.total", first=7.3)
EVENT = DialEvent(
    id="e-1", meter="elm 12", at=datetime(2026, 3, 1, 5, 30, tzinfo=UTC), kind=EventKind.RESET, final=99.9, note="+ a"
)
REGION: tuple[Entity, ...] = (OWNER, HOUSE, GRID, SUB, REST, GAS, OLD, NEW, FLOW, EVENT)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/odecet.sqlite")
    store.start()
    yield store
    store.close()


@pytest.fixture
def region(records: SqlRecordStore) -> SqlRecordStore:
    records.save(REGION, by="eva", now=NOW)
    return records


def sheet(name: str, columns: str, *rows: tuple[Any, ...]) -> Sheet:
    return Sheet(name=name, columns=tuple(columns.split("|")), rows=rows)


def all_of(records: SqlRecordStore) -> dict[Any, Entity]:
    return dict(Snapshot.of(records).things)


def planned(records: SqlRecordStore, *sheets: Sheet) -> Plan:
    return exchange.plan_import(sheets, records, name="soubor.xlsx")


def imported(records: SqlRecordStore, *sheets: Sheet) -> exchange.Imported:
    return exchange.apply_import(planned(records, *sheets), records, ACT)


def places(plan: Plan) -> list[tuple[str, int, str]]:
    return [(fault.sheet, fault.row, fault.column) for fault in plan.errors]


def through_files(sheets: list[Sheet], ending: str) -> list[Sheet]:
    tables = FileTables()
    if ending == "xlsx":
        return tables.read("region.xlsx", tables.write("region.xlsx", sheets))
    names = [f"{s.name}.csv" for s in sheets]
    return [tables.read(n, tables.write(n, [s]))[0] for n, s in zip(names, sheets, strict=True)]


# Out and in


@pytest.mark.parametrize("language", ["cs", "en"])
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_an_export_read_in_again_changes_nothing(region: SqlRecordStore, ending: str, language: str) -> None:
    sheets = through_files(exchange.export_register(region, language=language), ending)
    plan = planned(region, *sheets)
    assert plan.errors == ()
    assert (plan.creates, plan.updates, plan.points) == ({}, {}, ())
    assert plan.unchanged == {"organisation": 1, "building": 1, "point": 4, "meter": 3, "event": 1}


def test_an_export_makes_the_register_anew_elsewhere_but_for_older_dated_values(
    region: SqlRecordStore, tmp_path: Path
) -> None:
    other = SqlRecordStore(f"sqlite:///{tmp_path}/other.sqlite")
    other.start()
    sheets = through_files(list(reversed(exchange.export_register(region))), "xlsx")
    assert imported(other, *sheets).done.points == ("-p/2", "0012", "g", "p-1")
    newest = replace(HOUSE, areas=HOUSE.areas[1:], users=(HOUSE.users[2], HOUSE.users[1]))
    found = all_of(other)
    assert found.pop((Building, "b-1")) == newest
    assert found == {place(thing): thing for thing in REGION if thing is not HOUSE}
    other.close()


def test_only_the_kinds_asked_for_are_exported(region: SqlRecordStore) -> None:
    assert [s.name for s in exchange.export_register(region, kinds=(Meter,))] == ["Měřidla"]


# What people write


def test_a_register_is_made_from_what_people_write(records: SqlRecordStore) -> None:
    imported(
        records,
        sheet("meters", "ID|point|zarizeni|NAMONTOVÁNO|jednotka|počáteční stav|násobitel",
              ("m", "1", 12.0, "1.4.2026 6:00", "MWh", "1 234,5", 40), (None,) * 7),
        sheet("Odběrná místa", "Identifikátor|Budova|Název|Komodita|Úloha|Reserved kW|Reserved capacity since",
              (1, "b", "Trafo", "ELEKTŘINA", "Fakturacni", "80,5", datetime(2025, 1, 1))),  # noqa: DTZ001 - naive on purpose
        sheet("budovy", "id|Organizace|nazev|druh|Plocha m2|plocha od|Počet žáků|žáci od",
              ("b", "o", " Škola ", "skola", "1.234,5", "01.01.2020", 300, "2024-09-01")),
        sheet("Organizace", "Identifikátor|Název|IČO", ("o", 2026, 123456)),
    )  # fmt: skip
    assert records.get(Organisation, "o") == Organisation(id="o", name="2026", ico="00123456")
    house = records.get(Building, "b")
    assert (house.name, house.kind, house.areas) == (
        "Škola", BuildingKind.SCHOOL, (Dated(since=date(2020, 1, 1), value=1234.5),),
    )  # fmt: skip
    assert house.users == (Dated(since=date(2024, 9, 1), value=300, kind="pupils"),)
    assert records.get(Point, "1").reserved_kw == (Dated(since=date(2025, 1, 1), value=80.5),)
    meter = records.get(Meter, "m")
    assert (meter.device, meter.first, meter.multiplier) == ("12", 1_234_500.0, 40)
    assert meter.mounted == datetime(2026, 4, 1, 4, tzinfo=UTC)


def test_the_same_file_again_changes_nothing(records: SqlRecordStore) -> None:
    owner = sheet("Organizace", "id|název", ("o", "Škola"))
    first = imported(records, owner)
    version = records.version()
    again = imported(records, owner)
    assert (first.id != "", again.id, again.done.saved, records.version()) == (True, "", (), version)


def test_what_a_file_does_not_name_stays_and_an_empty_cell_empties(region: SqlRecordStore) -> None:
    imported(region, sheet("Budovy", "id|název|adresa|plocha m²", ("b-1", "Nový název", None, None)))
    assert region.get(Building, "b-1") == replace(HOUSE, name="Nový název", address="")


def test_a_new_dated_value_joins_the_older_ones_and_the_same_day_is_replaced(region: SqlRecordStore) -> None:
    imported(region, sheet("Budovy", "id|plocha m²|plocha od", ("b-1", 1500, "01.09.2025")))
    imported(region, sheet("Budovy", "id|plocha m²|plocha od", ("b-1", 900, "01.01.2019")))
    days = [(value.since.year, value.value) for value in region.get(Building, "b-1").areas]
    assert days == [(2019, 900), (2022, 1234.5), (2025, 1500)]


def test_a_sheet_is_known_by_its_headings_where_its_name_says_nothing(records: SqlRecordStore) -> None:
    imported(records, sheet("export-2026", "id|název|ičo", ("o", "Škola", None)))
    assert records.count(Organisation) == 1


def test_swaps_need_no_id_and_take_the_unit_of_the_dial(region: SqlRecordStore) -> None:
    swaps = sheet("Výměny", "Zařízení|Okamžik|Událost|Konečný stav|Počáteční stav",
                  ("elm 12", "01.02.2026 08:00", "výměna", "512,5", 0))  # fmt: skip
    for _ in range(2):
        imported(region, swaps)
    (event,) = (e for e in region.find(DialEvent) if e.kind is EventKind.SWAP)
    assert (event.final, event.first, event.at) == (512.5, 0.0, datetime(2026, 2, 1, 7, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("29.03.2026 01:59", datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        ("25.10.2026 02:30", None),
        ("29.03.2026 02:30", None),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("31.02.2026", None),
        ("1.1.1026", None),
        (45_000, None),
    ],
)
def test_an_instant_is_exact_or_asked_for(region: SqlRecordStore, written: object, at: datetime | None) -> None:
    plan = planned(region, sheet("Měřidla", "id|namontováno", ("m-3", written)))
    if at is None:
        assert places(plan) == [("Měřidla", 2, "namontováno")]
    else:
        assert [m.mounted for m in plan.entities if isinstance(m, Meter)] == [at]


# Faults

FAULTY: list[tuple[Sheet, tuple[str, int, str], str]] = [
    (sheet("Budovy", "id|nazwv", ("b-1", "x")), ("Budovy", 1, "nazwv"), "nearest is 'Název'"),
    (sheet("Budovy", "id|název|Jméno", ("b-1", "x", "y")), ("Budovy", 1, "Jméno"), "the same"),
    (sheet("Budovy", "id|název", ("b-9", "x")), ("Budovy", 1, "Organizace"), "missing"),
    (sheet("Nic", "a|b", ("1", "2")), ("Nic", 1, "a"), "cannot be told"),
    (sheet("Budovy", "id|název", ("b-1", " ")), ("Budovy", 2, "název"), "empty"),
    (sheet("Budovy", "id|název", (None, "x")), ("Budovy", 2, "id"), "empty"),
    (sheet("Budovy", "id|název", ("b 1", "x")), ("Budovy", 2, "id"), "cannot be an id"),
    (sheet("Budovy", "id|druh", ("b-1", "hrad")), ("Budovy", 2, "druh"), "'hrad' is not known"),
    (sheet("Budovy", "id|organizace", ("b-1", "o-9")), ("Budovy", 2, "organizace"), "organisation o-9 is not"),
    (sheet("Budovy", "id|zeměpisná šířka", ("b-1", 150)), ("Budovy", 2, "zeměpisná šířka"), "on no map"),
    (sheet("Budovy", "id|plocha m²", ("b-1", 5)), ("Budovy", 2, "plocha m²"), "since when"),
    (sheet("Budovy", "id|plocha m²|plocha od", ("b-1", -5, "1.1.2025")), ("Budovy", 2, "plocha m²"), "below zero"),
    (sheet("Budovy", "id|adresa", ("b-1", "#REF!")), ("Budovy", 2, "adresa"), "#REF!"),
    (sheet("Organizace", "id|ičo", ("o-1", "12x")), ("Organizace", 2, "ičo"), "IČO"),
    (sheet("Místa", "id|EAN", ("p-1", 859182400000000001)), ("Místa", 2, "EAN"), "lost its last digits"),
    (sheet("Místa", "id|EAN", ("p-1", "123")), ("Místa", 2, "EAN"), "no EAN or EIC"),
    (sheet("Místa", "id|EAN", ("-p/2", GRID.code)), ("Místa", 2, "EAN"), "point p-1 has code"),
    (sheet("Místa", "id|role", ("p-1", "virtual")), ("Místa", 2, "role"), "virtual"),
    (sheet("Místa", "id|vzorec", ("0012", "+p-1 -x")), ("Místa", 2, "vzorec"), "point x is not"),
    (sheet("Místa", "id|parent", ("p-1", "-p/2")), ("Místa", 2, "parent"), "above itself"),
    (
        sheet("Místa", "id|nejvyšší odběr kW, m³/h", ("p-1", "moc")),
        ("Místa", 2, "nejvyšší odběr kW, m³/h"),
        "no number",
    ),
    (sheet("Měřidla", "id|násobitel", ("m-1", 0)), ("Měřidla", 2, "násobitel"), "cannot be"),
    (sheet("Měřidla", "id|počet číslic", ("m-1", 6.5)), ("Měřidla", 2, "počet číslic"), "not whole"),
    (sheet("Měřidla", "id|počet číslic", ("m-1", 13)), ("Měřidla", 2, "počet číslic"), "13 digits"),
    (sheet("Měřidla", "id|demontováno", ("m-1", "1.1.2020")), ("Měřidla", 2, "demontováno"), "before it is mounted"),
    (sheet("Měřidla", "id|demontováno", ("m-1", "1.1.2026")), ("Měřidla", 2, "demontováno"), "meter m-2 is mounted"),
    (sheet("Měřidla", "id|jednotka", ("m-1", "loket")), ("Měřidla", 2, "jednotka"), "not known"),
    (sheet("Měřidla", "id|jednotka", ("m-2", "m³")), ("Měřidla", 2, "jednotka"), "does not count electricity"),
    (
        sheet("Měřidla", "id|first|reading unit", ("m-1", 5, "m3")),
        ("Měřidla", 2, "reading unit"),
        "the reading is in m3",
    ),
    (sheet("Měřidla", "id|final", ("m-3", 5)), ("Měřidla", 2, "final"), "not stated"),
    (sheet("Měřidla", "id|registr", ("m-3", "pára")), ("Měřidla", 2, "registr"), "not known"),
    (sheet("Výměny", "id|odvoláno", ("e-1", "snad")), ("Výměny", 2, "odvoláno"), "neither yes nor no"),
    (sheet("Výměny", "id|okamžik", ("e-1", "1.1.2020")), ("Výměny", 2, "okamžik"), "not mounted"),
]


@pytest.mark.parametrize(("wrong", "where", "told"), FAULTY, ids=lambda x: x if isinstance(x, str) else "")
def test_a_fault_is_told_by_sheet_row_and_column(
    region: SqlRecordStore, wrong: Sheet, where: tuple[str, int, str], told: str
) -> None:
    version = region.version()
    plan = planned(region, wrong)
    assert places(plan) == [where]
    assert told in plan.errors[0].problem + plan.errors[0].remedy
    assert plan.errors[0].remedy
    with pytest.raises(InputError, match="row"):
        exchange.apply_import(plan, region, ACT)
    assert region.version() == version


def test_the_same_id_twice_names_both_rows(records: SqlRecordStore) -> None:
    plan = planned(records, sheet("Organizace", "id|název", ("o", "A"), (None, None), ("o", "B")))
    (fault,) = plan.errors
    assert (fault.row, fault.column) == (4, "id")
    assert "row 2" in fault.problem
    assert "row 4" in fault.problem


def test_several_faults_are_all_told_and_a_faulty_row_causes_no_others(records: SqlRecordStore) -> None:
    plan = planned(
        records,
        sheet("Budovy", "id|organizace|název|druh", ("b", "o", "A", "hrad"), ("c", "x", "", "škola")),
        sheet("Organizace", "id|název", ("o", None)),
        sheet("Místa", "id|budova|název|komodita", ("p", "b", "A", "voda")),
    )
    assert places(plan) == [("Budovy", 2, "druh"), ("Budovy", 3, "název"), ("Organizace", 2, "název")]


def test_rows_under_a_wrong_heading_tell_their_faults_too_and_may_be_referred_to(records: SqlRecordStore) -> None:
    plan = planned(
        records,
        sheet("Organizace", "id|nazwv", ("o", "A"), ("p q", "B")),
        sheet("Budovy", "id|organizace|název|druh", ("b", "o", "A", "hrad")),
    )
    assert places(plan) == [
        ("Organizace", 1, "Název"),
        ("Organizace", 1, "nazwv"),
        ("Organizace", 3, "id"),
        ("Budovy", 2, "druh"),
    ]


def test_rows_are_numbered_as_in_the_file(records: SqlRecordStore) -> None:
    below = replace(sheet("Organizace", "id|název", ("o", "A"), ("p", None)), first_row=7)
    assert places(planned(records, below)) == [("Organizace", 8, "název")]


# Done and undone


def test_an_import_is_audited_with_the_name_of_its_file_and_listed_as_a_job(records: SqlRecordStore) -> None:
    done = imported(records, sheet("Organizace", "id|název", ("o", "A")))
    assert [(e.by, e.why) for e in records.audit()] == [("eva", "import soubor.xlsx")]
    (job,) = records.jobs(kind=IMPORT)
    assert (job.id, job.state, job.detail) == (done.id, "done", "soubor.xlsx")


def test_an_import_is_undone_whole(region: SqlRecordStore) -> None:
    before = all_of(region)
    done = imported(
        region,
        sheet("Organizace", "id|název", ("o-1", "Jinak"), ("o-2", "Nová")),
        sheet("Budovy", "id|organizace|název|plocha m²|plocha od", ("b-2", "o-2", "B", 5, "1.1.2025")),
        sheet("Měřidla", "id|násobitel", ("m-2", 20)),
    )
    assert exchange.undo_import(region, done.id, ACT).points == ("0012", "p-1")
    assert all_of(region) == before
    version = region.version()
    exchange.undo_import(region, done.id, ACT)
    assert region.version() == version


def test_what_was_changed_since_an_import_is_not_undone(region: SqlRecordStore) -> None:
    done = imported(region, sheet("Organizace", "id|název", ("o-1", "Jinak")))
    region.save([replace(OWNER, name="Ještě jinak")], by="jan", now=NOW)
    with pytest.raises(Conflict, match="organisation o-1 was changed since"):
        exchange.undo_import(region, done.id, ACT)


def test_an_import_that_others_built_on_is_not_undone(records: SqlRecordStore) -> None:
    done = imported(records, sheet("Organizace", "id|název", ("o-1", "A")))
    records.save([replace(HOUSE, users=())], by="jan", now=NOW)
    with pytest.raises(Conflict, match="building b-1 refers to it"):
        exchange.undo_import(records, done.id, ACT)


def test_an_unknown_import_cannot_be_undone(records: SqlRecordStore) -> None:
    with pytest.raises(NotFound):
        exchange.undo_import(records, "1", ACT)


def test_a_plan_made_before_another_change_is_done_on_what_there_is_now(region: SqlRecordStore) -> None:
    plan = planned(region, sheet("Budovy", "id|adresa", ("b-1", "Nová 1")))
    region.save([replace(HOUSE, name="Mezitím")], by="jan", now=NOW)
    exchange.apply_import(plan, region, ACT)
    assert region.get(Building, "b-1") == replace(HOUSE, name="Mezitím", address="Nová 1")
