"""Who is reminded of what, when, and how often: in the outbox of a real store."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.deliveries import DeliveryAct, DeliveryState
from core.people import Grant, Person, Role
from core.plan import ReportKind
from core.report_periods import ReportId
from core.sending import Outgoing
from services.deliveries import Deadlines
from services.reminders import due_reports, remind, stage
from tests.unit.delivery_world import ANNUAL, ENERGY, HEALTH, TEXTS, VALUES, part
from tests.unit.publication_world import World, embedded

DUE = Deadlines()
OF_ENERGY = Grant(role=Role.GUARANTOR, areas=(ENERGY,))
PEOPLE = (
    Person(id="mala", name="Jana Malá", mail="mala@kraj.cz", grants=(Grant(role=Role.GUARANTOR, areas=(HEALTH,)),)),
    Person(id="gone", name="Bývalý", mail="byvaly@kraj.cz", active=False, grants=(OF_ENERGY,)),
    Person(id="koord", name="Koordinátorka", mail="koord@kraj.cz", grants=(Grant(role=Role.COORDINATOR),)),
    Person(id="bez", name="Bez adresy", grants=(OF_ENERGY,)),
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = embedded(tmp_path)
    for person in PEOPLE:
        made.records.keep_person(person, (), new=True)
    yield made
    made.store.close()
    made.records.close()


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def letters(world: World) -> dict[str, list[Outgoing]]:
    found: dict[str, list[Outgoing]] = {}
    for one in world.records.outgoing():
        found.setdefault(one.address, []).append(one)
    return found


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [(30, None), (21, 21), (15, 21), (8, 21), (7, 7), (2, 7), (1, 1), (0, 1), (-1, None)],
)
def test_a_reminder_belongs_to_the_last_date_that_has_come(days_before: int, expected: int | None) -> None:
    assert stage(DUE, ANNUAL, date(2026, 2, 28) - timedelta(days=days_before)) == expected


def test_reports_are_due_in_the_year_that_comes() -> None:
    assert [str(one) for one in due_reports(DUE, date(2026, 2, 1), "2024-2026")] == [
        "annual/2025",
        "mid-year/2026",
    ]
    assert [str(one) for one in due_reports(DUE, date(2026, 8, 1), "2024-2026")] == [
        "annual/2026",
        "closing/2024-2026",
    ]


def test_those_whose_part_lacks_are_written_to_once_a_date(world: World) -> None:
    first = date(2026, 2, 7)
    assert remind(world.live, DUE, at(first)).letters == 2
    assert remind(world.live, DUE, at(first) + timedelta(hours=3)).letters == 2
    assert {address: len(found) for address, found in letters(world).items()} == {"mala@kraj.cz": 1, "koord@kraj.cz": 1}
    remind(world.live, DUE, at(date(2026, 2, 21)))
    assert {address: len(found) for address, found in letters(world).items()} == {"mala@kraj.cz": 2, "koord@kraj.cz": 2}
    (letter,) = [one for one in letters(world)["mala@kraj.cz"] if one.created == at(first)]
    assert letter.content["subject"] == "Výroční zpráva za rok 2025: podklady do 28. 2. 2026"
    assert "Digitalizace ve zdravotnictví: hodnoty Z1, Z2 a texty" in str(letter.content["text"])
    assert "Energetický" not in str(letter.content["text"])


def test_who_delivered_is_left_in_peace_and_who_got_it_back_is_not(world: World) -> None:
    doing = world.deliveries()
    doing.edit(part(), texts=TEXTS, values=VALUES)
    doing.deliver(part())
    remind(world.live, DUE, at(date(2026, 2, 7)))
    assert set(letters(world)) == {"koord@kraj.cz"}
    assert doing.act(part(), DeliveryAct.RETURN, "doložte").state is DeliveryState.RETURNED
    remind(world.live, DUE, at(date(2026, 2, 21)))
    (letter,) = letters(world)["mala@kraj.cz"]
    assert "vyplněno, zbývá odevzdat" in str(letter.content["text"])


def test_an_area_of_nobody_is_told(world: World) -> None:
    for person in PEOPLE[2:3]:
        world.records.keep_person(Person(id=person.id, name=person.name, active=False), ())
    found = remind(world.live, DUE, at(date(2026, 2, 7)))
    assert found.unreached == (ENERGY,)
    assert found.letters == 1


def test_nobody_is_reminded_of_what_is_not_near(world: World) -> None:
    assert remind(world.live, DUE, at(date(2026, 4, 1))).letters == 0
    assert DUE.of(ReportId(kind=ReportKind.MID_YEAR, period="2026")) == date(2026, 7, 31)
