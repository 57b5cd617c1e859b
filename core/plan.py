"""The action plan in the register: goals, areas of activity, activities, projects, indicators.

Names are the plan's own, Czech. Identifiers are the plan's codes (goal `2.1`, indicator `E1`) or the operator's.
"""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.codes import check_id, check_text
from core.errors import InputError


class StrategicGoal(StrEnum):
    """What the plan is for."""

    FASTER = "faster"  # Zrychlit
    SAVE = "save"  # Ušetřit
    BETTER = "better"  # Zlepšit


class ReportKind(StrEnum):
    """Which document tells of the plan."""

    ANNUAL = "annual"  # Výroční zpráva, of the previous year
    MID_YEAR = "mid-year"  # Monitorovací zpráva, of the first half of a year
    CLOSING = "closing"  # summary evaluation of the whole plan


class Direction(StrEnum):
    """Which way an indicator is to go."""

    UP = "up"
    DOWN = "down"
    NONE = "no_direction"


class ProjectState(StrEnum):
    """How far a project is."""

    IDEA = "idea"
    PREPARED = "prepared"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A specific goal (specifický cíl) of the strategy, below a strategic one."""

    id: str
    name: str
    strategic: StrategicGoal

    def __post_init__(self) -> None:
        check_id("goal", self.id)
        check_text(f"name of goal {self.id}", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area of activity (oblast aktivit) within a priority area, with the goals it serves and its guarantor."""

    id: str
    name: str
    priority_area: str
    goals: tuple[str, ...] = ()
    strategic: tuple[str, ...] = ()
    guarantor: str = ""
    vision: str = ""

    def __post_init__(self) -> None:
        check_id("area", self.id)
        check_text(f"name of area {self.id}", self.name)
        check_text(f"priority area of {self.id}", self.priority_area)
        wrong = [name for name in self.strategic if name not in set(StrategicGoal)]
        if wrong:
            raise InputError(
                f"{wrong[0]} of area {self.id} is no strategic goal", remedy="write faster, save or better"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What an area does; measures (opatření) name its id as the activity that they carry out."""

    id: str
    area: str
    name: str
    description: str = ""
    guarantor: str = ""

    def __post_init__(self) -> None:
        check_id("activity", self.id)
        check_id(f"area of activity {self.id}:", self.area)
        check_text(f"name of activity {self.id}", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project that carries out an activity."""

    id: str
    activity: str
    name: str
    state: ProjectState = ProjectState.IDEA
    begins: date | None = None
    ends: date | None = None
    cost_czk: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_id("project", self.id)
        check_id(f"activity of project {self.id}:", self.activity)
        check_text(f"name of project {self.id}", self.name)
        if self.begins is not None and self.ends is not None and self.ends < self.begins:
            raise InputError(f"project {self.id} ends before it begins", remedy="check both days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that an indicator tells: `key` names it among its figures, `decimals` is how it is written."""

    key: str
    name: str
    unit: str
    decimals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure is to be at the end of a year."""

    figure: str
    year: int
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InputError(f"target {self.value} cannot be", remedy="write a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """An indicator of an area: its figures, the first of them the main one.

    `method` names the documented computation, empty where the guarantor enters the value. `definition` says in words
    what is computed or counted. `least_measured` is the share of measured data below which a value is provisional.
    `reports` are the kinds of report that hold it.
    """

    id: str
    area: str
    name: str
    figures: tuple[Figure, ...]
    method: str = ""
    definition: str = ""
    goals: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    direction: Direction = Direction.NONE
    least_measured: float = 0.9
    reports: tuple[str, ...] = tuple(ReportKind)
    guarantor: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_id("indicator", self.id)
        check_id(f"area of indicator {self.id}:", self.area)
        check_text(f"name of indicator {self.id}", self.name)
        keys = [figure.key for figure in self.figures]
        if not keys or len(set(keys)) < len(keys):
            raise InputError(f"indicator {self.id} needs figures, each with a key of its own", remedy="name them")
        strange = [target.figure for target in self.targets if target.figure not in keys]
        if strange:
            raise InputError(f"target of indicator {self.id} is of no figure {strange[0]!r}", remedy="name a figure")
        if not 0 <= self.least_measured <= 1:
            raise InputError(f"least_measured {self.least_measured} of indicator {self.id}", remedy="write 0 to 1")

    @property
    def by_hand(self) -> bool:
        """Whether its guarantor enters the value."""
        return not self.method
