"""Measures: what the register refuses, how they travel in spreadsheets, what all their points saved together."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import Conflict, InputError
from core.ports import Sheet
from core.registry import (
    Adjustment,
    AdjustmentKind,
    Building,
    Commodity,
    Measure,
    MeasureKind,
    Organisation,
    Point,
    Role,
    Station,
    StationSource,
    Term,
)
from ingest.tables import FileTables
from services.exchange import apply_import, export_register, plan_import, undo_import
from services.measures import Status, counting_too, measured, of_plan, once, within
from services.register import By, create, put
from services.savings import Savings, Share, text_of
from storage.records import SqlRecordStore
from tests.unit.savings_world import LAST, build_world, heating, since

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
ACT = By(by="eva", now=NOW)
GAS = Point(id="gas", building="b", name="Plyn", commodity=Commodity.GAS)
KITCHEN = Point(id="kitchen", building="b", name="Kuchyň", commodity=Commodity.GAS, role=Role.SUBMETER, parent="gas")
WATER = Point(id="water", building="b", name="Voda", commodity=Commodity.COLD_WATER)
BOTH = Point(
    id="both",
    building="b",
    name="Obě",
    commodity=Commodity.GAS,
    role=Role.VIRTUAL,
    terms=(Term(point="gas"), Term(point="kitchen")),
)
COAT = Measure(
    id="op-1",
    name="Zateplení",
    points=("gas", "water"),
    effective=date(2025, 1, 1),
    kind=MeasureKind.INSULATION,
    works_from=date(2024, 6, 1),
    investment_czk=400_000,
    subsidy_czk=100_000,
    activity="2.1-EM-1",
    expected_saving=12.5,
    expected_unit="MWh",
    note="první etapa; druhá příští rok",
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    store.start()
    base = [Organisation(id="o", name="Kraj"), Building(id="b", organisation="o", name="Škola")]
    store.save([*base, GAS, KITCHEN, WATER, BOTH], by="test", now=NOW)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"points": ()}, "names no point"),
        ({"points": ("gas", "gas")}, "a point twice"),
        ({"works_from": date(2025, 2, 1)}, "before its works begin"),
        ({"ended": date(2025, 1, 1)}, "ends before it is in effect"),
        ({"expected_unit": ""}, "has no unit"),
        ({"expected_unit": "kW"}, "no unit of a saving"),
        ({"investment_czk": -1.0}, "investment_czk"),
        ({"name": " "}, "is empty"),
    ],
)
def test_a_measure_that_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        replace(COAT, **changed)  # type: ignore[arg-type]  # of the parameters


def test_an_expected_saving_is_converted_once_to_the_unit_of_its_points() -> None:
    assert COAT.expected("kWh") == 12_500
    assert COAT.expected("m³") is None
    assert replace(COAT, expected_unit="GJ").expected("kWh") == pytest.approx(12.5 / 3.6 * 1000)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (replace(COAT, points=("gas", "nowhere")), "point nowhere is not in the register"),
        (replace(COAT, points=("gas", "kitchen")), "point gas counts what point kitchen counts"),
        (replace(COAT, points=("both", "gas")), "point both counts what point gas counts"),
        (replace(COAT, points=("water",)), "MWh is not counted at any of its points"),
    ],
)
def test_a_measure_that_contradicts_the_register_is_refused(
    records: SqlRecordStore, measure: Measure, told: str
) -> None:
    with pytest.raises(Conflict, match=told):
        create(records, [measure], ACT)


def test_a_station_is_one_series_of_a_temperature(records: SqlRecordStore) -> None:
    with pytest.raises(InputError, match="holds no temperature"):
        create(records, [Station(id="a", name="A", register="energy.import")], ACT)
    with pytest.raises(InputError, match="is on no map"):
        create(records, [Station(id="a", name="A", latitude=95.0)], ACT)
    with pytest.raises(InputError, match="its place is not known"):
        Station(id="a", name="A", source=StationSource.OPEN_METEO)
    with pytest.raises(InputError, match="stands in for itself"):
        Station(id="a", name="A", fallbacks=("a",))
    create(records, [Station(id="a", name="A", device="meteo")], ACT)
    with pytest.raises(Conflict, match="station a reads meteo"):
        create(records, [Station(id="c", name="C", device="meteo")], ACT)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"factor": 1.1, "per_day": 2.0}, "a factor and an amount"),
        ({"factor": 0.0}, "write one above 0"),
        ({"until": date(2025, 1, 1)}, "ends before it begins"),
        ({"reason": ""}, "is empty"),
    ],
)
def test_an_adjustment_that_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    event = Adjustment(id="u", point="gas", since=date(2025, 1, 1), kind=AdjustmentKind.AREA, reason="přístavba")
    with pytest.raises(InputError, match=told):
        replace(event, **changed)  # type: ignore[arg-type]  # of the parameters


# Spreadsheets


def through_files(sheets: list[Sheet], ending: str) -> list[Sheet]:
    tables = FileTables()
    if ending == "xlsx":
        return tables.read("region.xlsx", tables.write("region.xlsx", sheets))
    return [tables.read(f"{s.name}.csv", tables.write(f"{s.name}.csv", [s]))[0] for s in sheets]


@pytest.mark.parametrize("language", ["cs", "en"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_measures_stations_and_adjustments_go_out_and_in_unchanged(
    records: SqlRecordStore, tmp_path: Path, ending: str, language: str
) -> None:
    station = Station(
        id="liberec",
        name="Liberec",
        place="Letiště",
        latitude=50.77,
        longitude=15.02,
        altitude_m=398.5,
        source=StationSource.OPEN_METEO,
        fallbacks=("jablonec", "semily"),
    )
    others = [Station(id="jablonec", name="Jablonec"), Station(id="semily", name="Semily", device="meteo-2")]
    event = Adjustment(
        id="u-1",
        point="gas",
        since=date(2025, 3, 1),
        until=date(2025, 9, 1),
        kind=AdjustmentKind.USE,
        per_day=-12.5,
        reason="ubytování",
        who="eva",
    )
    put(records, [station, *others, COAT, event], ACT)
    sheets = through_files(export_register(records, language=language), ending)
    plan = plan_import(sheets, records)
    assert (plan.errors, plan.entities) == ((), ())
    assert (plan.unchanged["measure"], plan.unchanged["station"], plan.unchanged["adjustment"]) == (1, 3, 1)
    anew = SqlRecordStore(f"sqlite:///{tmp_path}/anew.sqlite")
    anew.start()
    apply_import(plan_import(sheets, anew), anew, ACT)
    assert anew.get(Measure, "op-1") == COAT
    assert anew.get(Station, "liberec") == station
    assert anew.get(Adjustment, "u-1") == event
    anew.close()


def test_measures_are_made_from_what_people_write_and_undone(records: SqlRecordStore) -> None:
    sheet = Sheet(
        name="Opatření",
        columns=(
            "Identifikátor",
            "Název",
            "Odběrná místa",
            "Druh",
            "Účinné od",
            "Investice Kč",
            "Očekávaná úspora za rok",
            "Jednotka úspory",
        ),
        rows=(("OP-7", "Výměna oken", "gas, water", "okna", "1. 9. 2025", "1 250 000,50", "12,5", "MWh"),),
    )
    done = apply_import(plan_import([sheet], records), records, ACT)
    made = records.get(Measure, "OP-7")
    assert (made.points, made.kind, made.effective) == (("gas", "water"), MeasureKind.WINDOWS, date(2025, 9, 1))
    assert (made.investment_czk, made.expected("kWh")) == (1_250_000.5, 12_500)
    undo_import(records, done.id, ACT)
    assert records.count(Measure) == 0


@pytest.mark.parametrize(
    ("cell", "written", "told"),
    [
        ("Účinné od", "zítra", "is no date"),
        ("Odběrná místa", "gas nowhere", "point nowhere is not in the register"),
        ("Druh", "kouzlo", "is not known"),
        ("Investice Kč", "-5", "is below zero"),
        ("Jednotka úspory", None, "has no unit"),
        ("Jednotka úspory", "kW", "no unit of a saving"),
        ("Účinné do", "1.1.2020", "ends before it is in effect"),
    ],
)
def test_a_fault_of_a_measure_is_told_at_its_cell(
    records: SqlRecordStore, cell: str, written: str | None, told: str
) -> None:
    row: dict[str, str | None] = {
        "Identifikátor": "OP-7",
        "Název": "Okna",
        "Odběrná místa": "gas",
        "Druh": "okna",
        "Účinné od": "1.9.2025",
        "Účinné do": None,
        "Investice Kč": "5",
        "Očekávaná úspora za rok": "12,5",
        "Jednotka úspory": "MWh",
    }
    row[cell] = written
    sheet = Sheet(name="Opatření", columns=tuple(row), rows=(tuple(row.values()),))
    faults = plan_import([sheet], records).errors
    assert len(faults) == 1, faults
    assert told in faults[0].problem
    assert faults[0].row == 2
    assert faults[0].column in {cell, "Očekávaná úspora za rok"}


# Sums and money


def two_points(tmp_path: Path, *measures: Measure, factor: float = 0.75) -> list[Share]:
    use = {key: np.where(since("2025-01-01"), heating(n) * factor, heating(n)) for n, key in enumerate(("a", "b", "c"))}
    world = build_world(tmp_path, use)
    shares = Savings(world.baselines()).shares(world.points(), measures, LAST)
    world.close()
    return shares


COLD = Point(id="a", building="b", name="a", commodity=Commodity.GAS)
POINTS = {key: replace(COLD, id=key, name=key) for key in ("a", "b", "c")}
WIDE = Measure(
    id="wide",
    name="Wide",
    points=("a", "b"),
    effective=date(2025, 1, 1),
    investment_czk=900_000,
    subsidy_czk=300_000,
    activity="2.1-A",
)


def test_points_add_up_by_month_and_money_follows_the_price_of_its_month(tmp_path: Path) -> None:
    shares = two_points(tmp_path, WIDE)
    one = measured([WIDE], shares, POINTS, lambda _, month: 2.0 if month.year == 2025 else 3.0)[0]
    assert one.status is Status.KNOWN
    unit = one.units[0]
    assert (unit.unit, unit.points) == ("kWh", 2)
    for month in unit.months:
        parts = [m for share in shares for m in share.months if m.month == month.month]
        assert month.alone.nano == sum(m.saving_nano for m in parts)
        assert month.so_far.nano == sum(m.so_far_nano for m in parts)
        assert month.alone.half90 < sum(m.half90 for m in parts)
    cost = sum(m.saving_nano / 1e9 * (2.0 if m.month.year == 2025 else 3.0) for share in shares for m in share.months)
    assert one.worth.czk == pytest.approx(cost)
    assert unit.total.significant
    days = sum(m.days for m in shares[0].months)
    assert one.worth.year_czk == pytest.approx(cost / days * 365.25)
    assert one.worth.payback_years == pytest.approx(900_000 / one.worth.year_czk)
    assert one.worth.own_payback_years == pytest.approx(600_000 / one.worth.year_czk)


def test_what_is_not_known_says_why_and_never_zero(tmp_path: Path) -> None:
    shares = two_points(tmp_path, WIDE)
    unpriced = measured([WIDE], shares, POINTS, lambda point, _: None if point.id == "b" else 2.0)[0].worth
    assert (unpriced.czk, unpriced.payback_years) == (None, None)
    assert unpriced.reason is not None
    assert text_of(unpriced.reason) == "no price is known for point b"
    half = [replace(s, months=s.months[:3]) for s in shares]
    short = measured([WIDE], half, POINTS, lambda *_: 2.0)[0].worth
    assert short.czk is not None
    assert short.payback_years is None
    assert short.payback_reason is not None
    assert short.payback_reason.code == "short_year"
    gone = [replace(s, months=()) if s.point == "b" else s for s in shares]
    partly = measured([WIDE], gone, POINTS, lambda *_: 2.0)[0]
    assert partly.status is Status.PARTLY
    assert partly.units[0].points == 1
    nothing = measured([WIDE], [], POINTS, lambda *_: 2.0)[0]
    assert (nothing.status, nothing.units, nothing.worth.czk) == (Status.UNKNOWN, (), None)


def test_an_insignificant_saving_pays_nothing_back(tmp_path: Path) -> None:
    shares = two_points(tmp_path, WIDE, factor=1.0)
    worth = measured([WIDE], shares, POINTS, lambda *_: 2.0)[0].worth
    assert worth.payback_years is None
    assert worth.payback_reason is not None
    assert worth.payback_reason.code == "not_significant"


def test_what_a_point_above_counts_too_is_in_a_sum_once(tmp_path: Path) -> None:
    below = replace(POINTS["b"], parent="a", role=Role.SUBMETER)
    whole = Point(id="v", building="b", name="v", commodity=Commodity.GAS, role=Role.VIRTUAL, terms=(Term(point="a"),))
    points = {**POINTS, "b": below, "v": whole}
    assert counting_too("b", points) == {"a", "v"}
    assert counting_too("c", points) == set()
    upper, lower = (
        replace(WIDE, id="up", points=("a",)),
        replace(WIDE, id="low", points=("b",), effective=date(2024, 7, 1)),
    )
    shares = two_points(tmp_path, upper, lower)
    kept = {share.point: share for share in once(shares, points)}
    assert [m.month for m in kept["b"].months] == [date(2024, month, 1) for month in range(7, 13)]
    assert kept["a"].months == next(s for s in shares if s.point == "a").months
    assert kept["b"].months[-1].so_far_nano == sum(m.saving_nano for m in kept["b"].months)


def test_only_measures_of_the_plan_count_and_none_twice(tmp_path: Path) -> None:
    own = Measure(id="own", name="Own", points=("b", "c"), effective=date(2025, 1, 1))
    shares = two_points(tmp_path, WIDE, own)
    savings = measured([WIDE, own], shares, POINTS, lambda *_: None)
    plan = of_plan(savings)
    assert [s.measure.id for s in plan] == ["wide"]
    assert of_plan(savings, "2.2-X") == []
    year = within([share for s in plan for share in s.shares], date(2025, 1, 1), date(2025, 12, 31))[0]
    alone = [s for s in shares if s.measure == "wide"]
    assert year.total.nano == sum(m.saving_nano for s in alone for m in s.months if m.month.year == 2025)
    spring = within(alone, date(2025, 1, 15), date(2025, 4, 14))[0]
    assert [m.month for m in spring.months] == [date(2025, 2, 1), date(2025, 3, 1)]
    running = within(alone, date(2026, 6, 1), date(2026, 6, 15), until=date(2026, 6, 15))[0]
    assert [m.month for m in running.months] == [date(2026, 6, 1)]
    every = within(shares, date(2025, 1, 1), date(2026, 12, 31))[0].total.nano
    single = two_points(tmp_path / "b", replace(WIDE, points=("a", "b", "c")))
    assert abs(every - within(single, date(2025, 1, 1), date(2026, 12, 31))[0].total.nano) == 0
