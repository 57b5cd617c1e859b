"""The action plan in the record store: kept as given, references checked, every change in the audit trail."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from core.errors import Conflict
from core.plan import (
    Activity,
    Area,
    Direction,
    Figure,
    Goal,
    Indicator,
    Project,
    ProjectState,
    StrategicGoal,
    Target,
)
from core.ports import RecordStore
from core.registry import Entity
from services.held import HeldRegister

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
GOAL = Goal(id="2.1", name="Úspora energie a vody", strategic=StrategicGoal.SAVE)
AREA = Area(
    id="EM", name="Energetický management", priority_area="Životní prostředí", goals=("2.1",), strategic=("save",)
)
ACTIVITY = Activity(id="2.1-EM-1", area="EM", name="Zavádění energetického managementu")
PROJECT = Project(
    id="pr-1",
    activity="2.1-EM-1",
    name="Dálkové odečty",
    state=ProjectState.RUNNING,
    begins=date(2024, 1, 1),
    cost_czk=0.1 + 0.2,
)
INDICATOR = Indicator(
    id="E4",
    area="EM",
    name="Změna spotřeby vůči roku 2021",
    figures=(Figure(key="change", name="změna", unit="%", decimals=1), Figure(key="saved", name="úspora", unit="MWh")),
    method="change_since",
    goals=("2.1",),
    targets=(Target(figure="change", year=2026, value=-1.9 * 5),),
    direction=Direction.DOWN,
    least_measured=0.95,
    reports=("annual", "closing"),
)
PLAN: tuple[Entity, ...] = (INDICATOR, PROJECT, ACTIVITY, AREA, GOAL)


def save(store: RecordStore, *entities: Entity) -> None:
    store.save(entities, by="eva", now=NOW)


def test_a_plan_comes_back_as_it_was_given(store: RecordStore) -> None:
    save(store, *PLAN)
    for thing in PLAN:
        assert store.get(type(thing), thing.id) == thing
    assert store.find(Indicator, where={"area": "EM"}) == [INDICATOR]
    assert HeldRegister(store).view().find(Activity, where={"area": "EM"}) == [ACTIVITY]


def test_what_the_plan_refers_to_is_known_and_stays(store: RecordStore) -> None:
    with pytest.raises(Conflict, match=r"area EM refers to goal 2\.1, which is not in the register"):
        save(store, AREA)
    with pytest.raises(Conflict, match=r"activity 2\.1-EM-1 refers to area EM"):
        save(store, GOAL, ACTIVITY)
    save(store, *PLAN)
    with pytest.raises(Conflict, match=r"activity 2\.1-EM-1 cannot be removed: project pr-1 refers to it"):
        store.remove(Activity, ["2.1-EM-1"], by="eva", now=NOW)
    with pytest.raises(Conflict, match=r"goal 2\.1 cannot be removed"):
        store.remove(Goal, ["2.1"], by="eva", now=NOW)
    for kind, key in ((Indicator, "E4"), (Project, "pr-1"), (Activity, "2.1-EM-1"), (Area, "EM"), (Goal, "2.1")):
        store.remove(kind, [key], by="eva", now=NOW)
    assert [store.count(type(thing)) for thing in PLAN] == [0] * 5


def test_a_changed_indicator_leaves_what_it_was_in_the_audit_trail(store: RecordStore) -> None:
    save(store, *PLAN)
    save(store, replace(INDICATOR, targets=(Target(figure="change", year=2026, value=-10.0),)))
    newest = store.audit(entity="indicator", key="E4", limit=1)[0]
    assert newest.before is not None
    assert newest.after is not None
    assert newest.before["targets"] == [{"figure": "change", "year": 2026, "value": -9.5}]
    assert newest.after["targets"] == [{"figure": "change", "year": 2026, "value": -10.0}]
