"""A factor that is corrected on the page leaves what was published as it is, and the restatement names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.application import Dependencies, build_api
from api.room import Room
from core.calendar import PRAGUE
from services.freezing import opened
from services.indicators import Evaluation
from services.kept_values import ValueKeeper
from services.publishing import open_values, proposals, publish, verify
from services.restatement import Cause
from services.stands import inputs_of, stand_now
from tests.unit.api_fakes import LineTables, OneReadingIntake
from tests.unit.api_world import InProcess
from tests.unit.delivery_world import ANNUAL
from tests.unit.own_rows_world import present
from tests.unit.publication_world import LATER, PUBLISHED, World, embedded

FILES = {
    "factors": """
[order]
electricity = ["mpo"]
gas = ["mpo"]
[[factor]]
id = "electricity-2025"
carrier = "electricity"
value = 0.43
unit = "t/MWh"
scheme = "mpo"
since = 2020-01-01
source = "MPO, verze 1"
[[factor]]
id = "gas-2025"
carrier = "gas"
basis = "net"
value = 0.2
unit = "t/MWh"
scheme = "mpo"
since = 2020-01-01
source = "MPO, verze 1"
""",
    "populations": """
[[population]]
id = "test-2025"
place = "Liberecký kraj"
at = 2025-01-01
inhabitants = 449000
source = "ČSÚ"
[[population]]
id = "test-2026"
place = "Liberecký kraj"
at = 2026-01-01
inhabitants = 450000
source = "ČSÚ"
""",
}
FORM = {
    "row_kind": "factor",
    "key": "electricity-2025",
    "id": "electricity-2025",
    "carrier": "electricity",
    "value": "0,39",
    "unit": "t/MWh",
    "scheme": "mpo",
    "gas": "CO2",
    "since": "2020-01",
    "source": "MPO, verze 2",
    "status": "official",
    "trust": "operator",
    "why": "MPO vydalo opravu",
    "step": "store",
}


@dataclass(frozen=True)
class Page:
    """The pages of a process, and what its next request sees."""

    client: httpx.Client
    room: Room


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = embedded(tmp_path)
    yield made
    made.store.close()
    made.records.close()


@pytest.fixture
def page(world: World, tmp_path: Path) -> Iterator[Page]:
    """Give the pages of a process whose tables are those of the world."""
    files = {}
    for name, text in FILES.items():
        files[name] = tmp_path / f"{name}.toml"
        files[name].write_text(text, "utf-8")
    tables = present(world.records, **files)
    world.tables = tables.dated()
    app = build_api(
        Dependencies(
            readings=world.store,
            records=world.records,
            intake=OneReadingIntake(world.store),  # type: ignore[arg-type]  # it only writes
            tables=LineTables(),
            reading_tables=None,  # type: ignore[arg-type]  # nothing is imported
            clock=lambda: LATER,
            version="0.9",
            metrics=CollectorRegistry(),
            dated_tables=tables,
        )
    )
    with httpx.Client(transport=InProcess(app), base_url="http://odecet.test", headers={"accept": "text/html"}) as made:
        yield Page(client=made, room=app.state.room)


def emissions(world: World) -> float | None:
    return next(v for v in open_values(world.live, ANNUAL, LATER) if v.indicator == "G1").amount().value


def test_a_correction_on_the_page_changes_no_publication_and_is_named(world: World, page: Page) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    former = emissions(world)
    assert proposals(world.live, PUBLISHED + timedelta(hours=1)) == []

    assert page.client.post("/settings/tables/row", data=FORM).status_code == 303
    world.tables = page.room.present().deps.dated

    again = world.records.publication(made.id)
    assert (again.content, again.digest) == (made.content, made.digest)
    frozen = {one["id"]: one["kg"] for one in opened(again).basis["tables"]["factors"]["factors"]}
    assert frozen["electricity-2025"] == 0.43
    assert verify(world.live, made.id, LATER).holds
    assert former is not None
    now = emissions(world)
    assert now is not None
    assert now != former

    (found,) = proposals(world.live, LATER)
    changed = {change.indicator: change for change in found.changes}
    assert {cause for part in changed["G1"].parts for cause in part.causes} == {Cause.FACTORS}
    (named,) = changed["G1"].parts[0].named
    assert (named.kind, named.key) == ("emission_factor", "electricity-2025")
    sides = [named.facts[side] for side in ("before", "after")]
    assert [(side["version"], side["source"]) for side in sides] == [(1, "MPO, verze 1"), (2, "MPO, verze 2")]

    world.checked(LATER)
    second = publish(world.live, world.wish(LATER, "oprava faktoru"))
    assert second.version == 2
    assert verify(world.live, made.id, LATER).holds
    assert verify(world.live, second.id, LATER).holds


def test_values_that_were_kept_are_worked_out_anew_once_a_table_changed(world: World, page: Page) -> None:
    made = []

    def evaluation() -> Evaluation:
        made.append(page.room.present().deps.edition)
        return Evaluation(inputs_of(stand_now(world.live, ANNUAL, LATER), world.live), LATER)

    def emissions_kept() -> float | None:
        world.tables = page.room.present().deps.dated
        keeper = ValueKeeper(
            records=world.records, readings=world.store, dated=world.tables, zone=PRAGUE, evaluation=evaluation
        )
        kept = keeper.refresh(ANNUAL, LATER)
        return next(one.value.amount().value for one in kept.values if one.value.indicator == "G1")

    first = emissions_kept()
    assert (emissions_kept(), len(made)) == (first, 1)
    assert page.client.post("/settings/tables/row", data=FORM).status_code == 303
    assert emissions_kept() != first
    assert len(made) == 2
