"""The action plan as a whole: loaded from what a table says, and read as the tree that it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.plan import Activity, Area, Goal, Indicator, Project
from core.ports import RecordStore
from core.registry import Entity
from services.held import RegisterReader
from services.indicator_methods import check
from services.register import By, Change, Done, perform
from services.register_rules import Snapshot

KINDS = (Goal, Area, Activity, Project, Indicator)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityBranch:
    """An activity and its projects."""

    activity: Activity
    projects: tuple[Project, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaBranch:
    """An area with its activities and indicators."""

    area: Area
    activities: tuple[ActivityBranch, ...]
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTree:
    """The plan: its goals, and its areas with all that is below them, each by id."""

    goals: tuple[Goal, ...]
    areas: tuple[AreaBranch, ...]

    @property
    def empty(self) -> bool:
        """Whether there is no plan."""
        return not (self.goals or self.areas)


def tree(register: RegisterReader) -> PlanTree:
    """Return the plan as it stands in the register."""
    activities, projects = register.find(Activity), register.find(Project)
    indicators = register.find(Indicator)
    branches = [
        AreaBranch(
            area=area,
            activities=tuple(
                ActivityBranch(activity=one, projects=tuple(p for p in projects if p.activity == one.id))
                for one in activities
                if one.area == area.id
            ),
            indicators=tuple(i for i in indicators if i.area == area.id),
        )
        for area in register.find(Area)
    ]
    return PlanTree(goals=tuple(register.find(Goal)), areas=tuple(branches))


def load(records: RecordStore, plan: Sequence[Entity], act: By) -> Done:
    """Add what a plan says or put it in the place of what stands there; whole or not at all.

    What the plan does not name stays. Raise InputError for what is not of a plan and for an indicator whose method does
    not tell its figures.
    """
    check_plan(plan)
    return perform(records, lambda register: _differing(register, plan), act)


def load_first(records: RecordStore, plan: Sequence[Entity], act: By) -> Done:
    """Load a plan into a store that has none; a store with any part of one is left as it is."""
    check_plan(plan)
    return perform(records, lambda register: Change() if _has_plan(register) else _differing(register, plan), act)


def _has_plan(register: Snapshot) -> bool:
    return any(kind in KINDS for kind, _ in register.things)


def _differing(register: Snapshot, plan: Iterable[Entity]) -> Change:
    return Change(save=tuple(e for e in plan if register.things.get((type(e), e.id)) != e))


def check_plan(plan: Iterable[Entity]) -> None:
    """Raise InputError for what is not of a plan, and for an indicator whose method does not tell its figures."""
    for entity in plan:
        if not isinstance(entity, KINDS):
            raise InputError(f"{entity.id} is not of the action plan", remedy="give goals, areas, activities, ...")
        if isinstance(entity, Indicator):
            check(entity)
