"""Any register goes out and in unchanged; any fault put into a file is told at its place."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
)
from ingest.tables import FileTables
from services import exchange
from services.exchange_rows import Fault

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OWNER = Organisation(id="o-1", name="Gymnázium")
HOUSE = Building(id="b-1", organisation="o-1", name="Hlavní budova")
GRID = Point(id="p-1", building="b-1", name="Elektřina", commodity=Commodity.ELECTRICITY)


def through_files(sheets: list[Sheet], ending: str) -> list[Sheet]:
    tables = FileTables()
    if ending == "xlsx":
        return tables.read("region.xlsx", tables.write("region.xlsx", sheets))
    names = [f"{s.name}.csv" for s in sheets]
    return [tables.read(n, tables.write(n, [s]))[0] for n, s in zip(names, sheets, strict=True)]


words = st.text(
    st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n"), min_size=1, max_size=15
).filter(lambda t: not t.strip().startswith("#"))
names = words.filter(lambda t: bool(t.strip()))
amounts = st.floats(min_value=0, max_value=1e9)
days = st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 1, 1))
instants = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2060, 1, 1),  # noqa: DTZ001 - naive on purpose
    timezones=st.just(UTC),
)


def dated(*kinds: str) -> st.SearchStrategy[tuple[Dated, ...]]:
    one = st.builds(Dated, since=days, value=amounts, kind=st.sampled_from(kinds))
    return st.lists(one, max_size=4, unique_by=lambda d: (d.kind, d.since)).map(tuple)


@st.composite
def registers(draw: st.DrawFn) -> list[Entity]:
    """Return a register of one organisation and several of all the rest, that keeps the rules."""
    owner = Organisation(id="o", name=draw(names), ico=draw(st.from_regex(r"[0-9]{8}", fullmatch=True)))
    houses = [
        Building(
            id=f"b{n}", organisation="o", name=draw(names), address=draw(words.map(str.strip)),
            kind=draw(st.sampled_from(BuildingKind)), latitude=draw(st.none() | st.floats(-90, 90)),
            areas=draw(dated("", "vytápěná")), users=draw(dated("pupils", "beds", "staff", "", "děti: 3 roky")),
        )
        for n in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    things: list[Entity] = [owner, *houses]
    for n in range(draw(st.integers(0, 4))):
        commodity = draw(st.sampled_from(Commodity))
        point = Point(
            id=f"{draw(st.sampled_from(['00', '=', '-', '1e', '+']))}{n}", building="b0", name=draw(names),
            commodity=commodity, max_rate=draw(st.none() | amounts), reserved_kw=draw(dated("")),
        )  # fmt: skip
        edges = sorted(draw(st.lists(instants, min_size=2, max_size=5, unique=True)))
        unit = draw(st.sampled_from({Commodity.COLD_WATER: ["m³", "l"], Commodity.HOT_WATER: ["m³", ""]}.get(
            commodity, ["kWh", "MWh", "GJ", ""])))  # fmt: skip
        meters = [
            Meter(
                id=f"m{n}/{k}", point=point.id, device=f"d{n}", mounted=start, removed=end, unit=unit,
                serial=draw(words.map(str.strip)), digits=draw(st.none() | st.integers(1, 12)),
                multiplier=draw(st.floats(1e-6, 1e6)), first=draw(st.none() | amounts), final=draw(st.none() | amounts),
            )
            for k, (start, end) in enumerate(pairwise(edges))
        ]  # fmt: skip
        at = meters[0].mounted + (edges[1] - edges[0]) / 2
        events = [DialEvent(id=f"e{n}", meter=f"d{n}", at=at, kind=EventKind.ROLLOVER, final=draw(st.none() | amounts))]
        things += [point, *meters, *(e for e in events if e.at > meters[0].mounted)]
    return things


class Held:
    """Holds a register in memory for planning: what an import reads of a store."""

    def __init__(self, things: list[Entity]) -> None:
        self.things = things

    def version(self) -> int:
        return 1

    def find(self, kind: type[Any]) -> list[Any]:
        return [thing for thing in self.things if type(thing) is kind]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(registers(), st.sampled_from(["csv", "xlsx"]), st.sampled_from(["cs", "en"]))
def test_any_register_goes_out_and_in_unchanged(things: list[Entity], ending: str, language: str) -> None:
    held: Any = Held(things)
    plan = exchange.plan_import(through_files(exchange.export_register(held, language=language), ending), held)
    assert plan.errors == ()
    assert plan.entities == ()
    assert sum(plan.unchanged.values()) == len(things)


BREAKS = {
    "Budovy": {"Organizace": ["nikde", "a b", ""], "Název": ["  "], "Druh": ["hrad"], "Zeměpisná šířka": ["x", 1e9]},
    "Odběrná místa": {"Budova": ["nikde"], "Komodita": ["pára", None], "Nejvyšší odběr kW, m³/h": [-1, True, "1;2"]},
    "Měřidla": {
        "Namontováno": ["včera", 12, "32.1.2025"], "Počet číslic": [0, 99, "x"], "Násobitel": [-1, 0, "inf"],
        "Jednotka": ["loket"], "Odběrné místo": ["nikde", "?"],
    },
    "Výměny": {"Událost": ["nic"], "Okamžik": ["", "2025-99-01"], "Odvoláno": ["možná"]},
}  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(registers(), st.data())
def test_every_injected_fault_is_told_at_its_row_and_column(things: list[Entity], data: st.DataObject) -> None:
    held: Any = Held(things)
    sheets = exchange.export_register(held)
    filled = [s for s in sheets if s.rows and s.name in BREAKS]
    broken = data.draw(st.sampled_from(filled))
    column = data.draw(st.sampled_from(sorted(BREAKS[broken.name])))
    bad = data.draw(st.sampled_from(BREAKS[broken.name][column]))
    row = data.draw(st.integers(0, len(broken.rows) - 1))
    place_of = broken.columns.index(column)
    rows = [list(cells) for cells in broken.rows]
    rows[row][place_of] = bad
    changed = replace(broken, rows=tuple(map(tuple, rows)))
    plan = exchange.plan_import([changed if s is broken else s for s in sheets], held)
    told = {(fault.sheet, fault.row, fault.column) for fault in plan.errors}
    assert (broken.name, row + 2, column) in told
    assert all(isinstance(fault, Fault) and fault.problem and fault.remedy for fault in plan.errors)
    assert {(s, r) for s, r, _ in told} == {(broken.name, row + 2)}


def test_a_region_of_a_thousand_meters_is_planned_whole() -> None:
    points = [replace(GRID, id=f"p{n}", code="", name=f"Místo {n}") for n in range(1_300)]
    meters = [
        Meter(id=f"m{n}", point=f"p{n}", device=f"d{n}", mounted=NOW - timedelta(days=n), unit="kWh", first=1.0)
        for n in range(1_300)
    ]
    held: Any = Held([OWNER, HOUSE, *points, *meters])
    empty: Any = Held([])
    plan = exchange.plan_import(exchange.export_register(held), empty)
    assert plan.errors == ()
    assert plan.creates == {"organisation": 1, "building": 1, "point": 1_300, "meter": 1_300}
