"""What the pages of indicators share: which report is looked at, of whom, who lacks what, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query

from api.indicator_values import reports_offered, usual_report
from api.pages.held import Held
from api.pages.public import KINDS
from api.pages.view import Seen, Viewer
from api.publication_texts import STATES, told
from api.texts import N_, Language
from core.deliveries import DeliveryState
from core.people import Right
from core.plan import ProjectState, ReportKind, StrategicGoal
from core.report_periods import ReportId
from services.deliveries import BoardRow, Deliveries, board

FORMS: Final = (("docx", "Word"), ("xlsx", "Excel"), ("csv", "CSV"), ("html", N_("for print")))
STRATEGIC: Final[Mapping[str, str]] = {
    StrategicGoal.FASTER: N_("Faster"),
    StrategicGoal.SAVE: N_("Save"),
    StrategicGoal.BETTER: N_("Better"),
}
PROJECT_STATES: Final[Mapping[str, str]] = {
    ProjectState.IDEA: N_("idea"),
    ProjectState.PREPARED: N_("in preparation"),
    ProjectState.RUNNING: N_("running"),
    ProjectState.DONE: N_("done"),
    ProjectState.STOPPED: N_("stopped"),
}
MARKS: Final[Mapping[str, str]] = {
    DeliveryState.DRAFT: "never_heard",
    DeliveryState.RETURNED: "silent",
    DeliveryState.DELIVERED: "asked",
    DeliveryState.CHECKED: "alive",
    DeliveryState.PUBLISHED: "alive",
}
"""How the state of a delivery looks."""


def report_name(report: ReportId, words: Language) -> str:
    """Return what a report is called: Annual report 2025."""
    return f"{words.text(KINDS[report.kind])} {report.period.replace('-', '–')}"


def held_of(v: Viewer) -> Held:
    """Return what pages hold."""
    held: Held = v.request.app.state.held
    return held


async def _chosen(v: Seen, report: Annotated[str, Query(description="annual/2025")] = "") -> ReportId:
    """Return the report that an address names, as `annual/2025`; else the annual one of the last year."""
    if report:
        kind, _, period = report.partition("/")
        return ReportId.parse(kind, period)
    return usual_report(v.now.astimezone(v.room.deps.zone).date())


Chosen = Annotated[ReportId, Depends(_chosen)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The reports that can be chosen, and the one that is."""

    report: ReportId
    name: str
    offered: list[tuple[str, str]]


def choice(v: Viewer, report: ReportId) -> Choice:
    """Return what the field of reports offers."""
    offered = list(dict.fromkeys((*reports_offered(v.room), report)))
    order = (ReportKind.ANNUAL, ReportKind.MID_YEAR, ReportKind.CLOSING)
    offered.sort(key=lambda one: (order.index(one.kind), -one.end.year))
    return Choice(
        report=report,
        name=report_name(report, v.words),
        offered=[(str(one), report_name(one, v.words)) for one in offered],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An area on the board: how far it is, what it lacks, who is to act next; `mine` where the viewer delivers it."""

    area: str
    name: str
    guarantor: str
    state: str
    state_text: str
    mark: str
    missing: list[str]
    due: str
    days: int
    overdue: bool
    next: str
    mine: bool
    by_hand: int
    computed: int
    unchecked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """How far a report is: its areas, how many of them are done, and until when it is due."""

    rows: list[Row]
    due: str
    days: int

    @property
    def done(self) -> int:
        """How many areas are checked or published."""
        return sum(row.state in {DeliveryState.CHECKED, DeliveryState.PUBLISHED} for row in self.rows)

    @property
    def to_check(self) -> int:
        """How many wait for the coordinator."""
        return sum(row.state == DeliveryState.DELIVERED for row in self.rows)


NEXT: Final[Mapping[str, str]] = {
    DeliveryState.DRAFT: N_("the guarantor is to fill it in"),
    DeliveryState.RETURNED: N_("the guarantor is to mend it"),
    DeliveryState.DELIVERED: N_("the coordinator is to check it"),
    DeliveryState.CHECKED: N_("can be published"),
    DeliveryState.PUBLISHED: N_("done"),
}


def deliveries_of(v: Viewer) -> Deliveries:
    """Return the acts on deliveries."""
    records = v.room.region.deps.records
    return Deliveries(records, records, v.room.deps.deadlines)


def delivers(v: Viewer, area: str) -> bool:
    """Return whether somebody writes what an area delivers."""
    return v.access.delivers(area) or v.access.may(Right.PUBLISH)


def board_of(v: Viewer, report: ReportId) -> Board:
    """Return the board of a report as somebody reads it."""
    deps, today = v.room.deps, v.now.astimezone(v.room.deps.zone).date()
    records = v.room.region.deps.records
    rows = board(records, records, report, deadlines=deps.deadlines, today=today)
    due = deps.deadlines.of(report)
    return Board(rows=[_row(v, one) for one in rows], due=v.words.day(due), days=(due - today).days)


def _row(v: Viewer, row: BoardRow) -> Row:
    state, today = row.delivery.state, v.now.astimezone(v.room.deps.zone).date()
    checked = {one.indicator for one in row.delivery.checks}
    return Row(
        area=row.area.id,
        name=row.area.name,
        guarantor=row.area.guarantor,
        state=state,
        state_text=v.words.text(STATES[state]),
        mark=MARKS[state],
        missing=[told(one, v.words) for one in row.missing],
        due=v.words.day(row.due),
        days=(row.due - today).days,
        overdue=row.overdue,
        next=v.words.text(NEXT[state]),
        mine=delivers(v, row.area.id),
        by_hand=len(row.by_hand),
        computed=len(row.computed),
        unchecked=sum(one.id not in checked for one in row.computed),
    )
