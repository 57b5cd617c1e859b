"""What a report holds, frozen: the plan's tree with values, texts, what is missing and why, and where it comes from.

Nothing here is written in a language or formatted; the reports room writes it. Spans are half-open calendar days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from core.indicators import Because, Coverage, Used, ValueStatus
from core.plan import Direction, Goal, ProjectState, StrategicGoal
from core.report_periods import ReportId


class Judgement(StrEnum):
    """How a figure stands against its target."""

    MET = "met"
    NOT_MET = "not_met"
    UNDER_WAY = "under_way"  # the target is of a later year, or the period runs
    NO_TARGET = "no_target"
    UNKNOWN = "unknown"  # the value cannot be determined


class Lack(StrEnum):
    """What is missing in a report."""

    VALUE = "value"  # an indicator that cannot be determined
    PROVISIONAL = "provisional"  # a value that may change yet
    UNDELIVERED = "undelivered"  # an indicator that its guarantor did not enter
    TEXTS = "texts"  # texts of an area that nobody wrote
    UNCHECKED = "unchecked"  # a delivery that is not checked yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A figure against its target: `gap` is value less target, `share` of the target where that says something."""

    judgement: Judgement
    target: float | None = None
    year: int | None = None
    gap: float | None = None
    share: float | None = None


NO_TARGET: Final = Standing(judgement=Judgement.NO_TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure's number with its 90 % interval, and how it stands; `before` is that of the year before."""

    key: str
    name: str
    unit: str
    decimals: int
    value: float | None
    low90: float | None = None
    high90: float | None = None
    before: float | None = None
    standing: Standing = NO_TARGET


@dataclass(frozen=True, slots=True, kw_only=True)
class YearValue:
    """The main figure of a year, for a chart and for the closing report; `published` tells whether it is frozen."""

    year: int
    value: float | None
    status: ValueStatus
    published: bool = False
    figures: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from: method and version, cut-off of readings, register, factors, publication and digest."""

    method: str
    version: int
    cutoff: datetime
    register: int
    computed_at: datetime
    publication: str = ""
    digest: str = ""
    used: tuple[Used, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the main figure, named as people know it."""

    figure: str
    kind: str
    name: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRow:
    """An indicator in a report. `published` tells whether its value is frozen; an open one is marked as a draft.

    `lacking` names the points that lack data, `measures` and `activities` those that the value is attributed to,
    `evidence` the files of a value entered by hand. `origin` is None where there is no value at all.
    """

    indicator: str
    name: str
    definition: str
    goals: tuple[str, ...]
    guarantor: str
    by_hand: bool
    direction: Direction
    cells: tuple[Cell, ...]
    status: ValueStatus
    published: bool
    first: date
    end: date
    least_measured: float = 0.0
    coverage: Coverage | None = None
    lacking: tuple[str, ...] = ()
    reasons: tuple[Because, ...] = ()
    note: str = ""
    activities: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    history: tuple[YearValue, ...] = ()
    pieces: tuple[Piece, ...] = ()
    origin: Origin | None = None

    @property
    def main(self) -> Cell:
        """The main figure."""
        return self.cells[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """A project of an activity."""

    name: str
    state: ProjectState
    begins: date | None
    ends: date | None
    cost_czk: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """An activity: what its guarantor tells of it, its projects."""

    id: str
    name: str
    description: str = ""
    guarantor: str = ""
    text: str = ""
    projects: tuple[ProjectRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPart:
    """An area of activity. `texts` by `core.deliveries.Text`; `state` is that of its delivery."""

    id: str
    name: str
    priority_area: str
    guarantor: str
    vision: str
    goals: tuple[str, ...]
    strategic: tuple[StrategicGoal, ...]
    state: str
    delivered_by: str = ""
    delivered_at: datetime | None = None
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    activities: tuple[ActivityRow, ...] = ()
    rows: tuple[IndicatorRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that lacks: of an area, of an indicator (both as people know them), why, and what it concerns."""

    lack: Lack
    area: str
    subject: str = ""
    reasons: tuple[Because, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAs:
    """Which publication a report is of; `cause` says why a version replaced the one before."""

    id: str
    version: int
    at: datetime
    by: str
    digest: str
    replaces: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as a whole; `publication` is None while it is open. `made_at` says when it was put together."""

    id: ReportId
    region: str
    made_at: datetime
    cutoff: datetime | None
    register: int
    software: str
    goals: tuple[Goal, ...]
    areas: tuple[AreaPart, ...]
    missing: tuple[Missing, ...] = ()
    publication: PublishedAs | None = None

    @property
    def rows(self) -> tuple[IndicatorRow, ...]:
        """All indicators."""
        return tuple(row for area in self.areas for row in area.rows)
