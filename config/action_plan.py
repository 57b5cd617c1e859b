"""The action plan as a table writes it: the one that ships, and an operator's own."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from config.tables import FOLDER, Number, Words, all_made, read_rows
from core.errors import ConfigError
from core.plan import (
    Activity,
    Area,
    Direction,
    Figure,
    Goal,
    Indicator,
    Project,
    ProjectState,
    ReportKind,
    StrategicGoal,
    Target,
)

SHIPPED: Final = FOLDER / "action_plan.toml"
PlanEntity = Goal | Area | Activity | Project | Indicator


class PlanRow(BaseModel):
    """A row that knows all of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GoalRow(PlanRow):
    """A specific goal as a table writes it."""

    id: str
    name: str
    strategic: StrategicGoal


class AreaRow(PlanRow):
    """An area of activity as a table writes it."""

    id: str
    name: str
    priority_area: str
    goals: Words = ()
    strategic: tuple[StrategicGoal, ...] = ()
    guarantor: str = ""
    vision: str = ""


class ActivityRow(PlanRow):
    """An activity as a table writes it."""

    id: str
    area: str
    name: str
    description: str = ""
    guarantor: str = ""


class ProjectRow(PlanRow):
    """A project as a table writes it."""

    id: str
    activity: str
    name: str
    state: ProjectState = ProjectState.IDEA
    begins: date | None = None
    ends: date | None = None
    cost_czk: Number | None = None
    note: str = ""


class FigureRow(PlanRow):
    """A figure of an indicator as a table writes it."""

    key: str
    name: str
    unit: str
    decimals: int = 1


class TargetRow(PlanRow):
    """A target of an indicator as a table writes it."""

    figure: str
    year: int
    value: Number


class IndicatorRow(PlanRow):
    """An indicator as a table writes it."""

    id: str
    area: str
    name: str
    figures: tuple[FigureRow, ...]
    method: str = ""
    definition: str = ""
    goals: Words = ()
    targets: tuple[TargetRow, ...] = ()
    direction: Direction = Direction.NONE
    least_measured: Number = 0.9
    reports: tuple[ReportKind, ...] = tuple(ReportKind)
    guarantor: str = ""
    note: str = ""


class Action_Plan(BaseModel):  # noqa: N801 - the file that an error names is made of it
    """A plan as a table writes it."""

    model_config = PlanRow.model_config

    goal: tuple[GoalRow, ...] = ()
    area: tuple[AreaRow, ...] = ()
    activity: tuple[ActivityRow, ...] = ()
    project: tuple[ProjectRow, ...] = ()
    indicator: tuple[IndicatorRow, ...] = ()


def load_plan(file: Path = SHIPPED) -> tuple[PlanEntity, ...]:
    """Return the plan of a file, those referred to first; raise ConfigError that names file, row and remedy."""
    rows = read_rows(file, Action_Plan)
    made: list[PlanEntity] = []
    for kind, make in _MAKERS.items():
        made += all_made(file, kind, make, getattr(rows, kind))
    places = [(type(entity).__name__.lower(), entity.id) for entity in made]
    for place in places:
        if places.count(place) > 1:
            raise ConfigError(f"{file}: {place[0]} {place[1]!r} stands there twice; keep one of them")
    return tuple(made)


def _indicator(row: IndicatorRow) -> Indicator:
    figures = tuple(Figure(**figure.model_dump()) for figure in row.figures)
    targets = tuple(Target(**target.model_dump()) for target in row.targets)
    fields = {name: getattr(row, name) for name in IndicatorRow.model_fields}
    return Indicator(**{**fields, "figures": figures, "targets": targets, "reports": tuple(map(str, row.reports))})


def _plain(kind: type[Any]) -> Callable[[PlanRow], Any]:
    return lambda row: kind(**{name: getattr(row, name) for name in type(row).model_fields})


def _area(row: AreaRow) -> Area:
    fields = {name: getattr(row, name) for name in AreaRow.model_fields}
    return Area(**{**fields, "strategic": tuple(map(str, row.strategic))})


_MAKERS: Final[dict[str, Callable[[Any], PlanEntity]]] = {
    "goal": _plain(Goal),
    "area": _area,
    "activity": _plain(Activity),
    "project": _plain(Project),
    "indicator": _indicator,
}
