"""Indicators: the plan's tree with values, targets and what lacks; one indicator with all that it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.indicator_texts import status_text
from api.indicator_values import Published, Standing, differing, published_of, standing_values, told_of
from api.pages.figures import Figure
from api.pages.public import JUDGEMENTS
from api.pages.reports import FORMS, STRATEGIC, Board, Chosen, board_of, choice, held_of
from api.pages.view import Seen, Viewer
from api.publication_texts import told
from api.routes.indicators import scope_of
from api.texts import NOTHING, Language
from core.indicators import Coverage, Scope
from core.people import Right
from core.report import AreaPart, Cell, IndicatorRow, Judgement
from services.open_data import nameless
from services.report_content import Imprint, assembled

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.INDICATORS, Right.SEE)])

COUNTED: Final = frozenset({"", "počet", "ks"})
"""Units that are not said after a number."""
MARKS: Final = {"final": "alive", "provisional": "never_heard", "cannot_be_determined": "silent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLine:
    """A figure as it is read: number, interval, last year, target and how far it is on its way to it."""

    name: str
    value: str
    interval: str
    before: str
    change: float | None
    target: str
    judgement: str
    met: bool | None
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An indicator in the tree; `published` tells whether it stands published, `moved` whether it is another now."""

    id: str
    name: str
    by_hand: bool
    guarantor: str
    cells: list[CellLine]
    status: str
    status_text: str
    mark: str
    reasons: list[str]
    quality: Figure | None
    published: bool
    moved: bool

    @property
    def main(self) -> CellLine:
        """The main figure."""
        return self.cells[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """An area of the tree with its goals, activities and indicators."""

    part: AreaPart
    goals: list[str]
    strategic: list[str]
    lines: list[Line]


def written(cell: Cell, value: float | None, words: Language) -> str:
    """Return a figure's number with its unit; what is not known is a dash."""
    text = words.number(value, cell.decimals)
    return text if text == NOTHING or cell.unit in COUNTED else f"{text}\u00a0{cell.unit}"


def cell_line(cell: Cell, words: Language) -> CellLine:
    """Return a figure as it is read."""
    standing = cell.standing
    change = None
    if cell.value is not None and cell.before and cell.unit != "%":
        change = 100 * (cell.value - cell.before) / abs(cell.before)
    interval = ""
    if cell.low90 is not None and cell.high90 is not None:
        interval = f"{words.number(cell.low90, cell.decimals)} – {written(cell, cell.high90, words)}"
    judged = JUDGEMENTS.get(standing.judgement, "")
    ended = {Judgement.MET: True, Judgement.NOT_MET: False}
    return CellLine(
        name=cell.name,
        value=written(cell, cell.value, words),
        interval=interval,
        before=written(cell, cell.before, words) if cell.before is not None else "",
        change=change,
        target=f"{written(cell, standing.target, words)} ({standing.year})" if standing.target is not None else "",
        judgement=words.text(judged) if judged else "",
        met=ended.get(standing.judgement),
        share=standing.share,
    )


def quality_of(coverage: Coverage | None) -> Figure | None:
    """Return coverage as pages draw it."""
    if coverage is None or not coverage.points:
        return None
    return Figure(
        amount=None,
        unit="",
        measured=coverage.measured,
        estimated=coverage.estimated,
        missing=coverage.missing,
        points=coverage.points,
        lacking=len(coverage.lacking),
    )


def line_of(row: IndicatorRow, words: Language, published: Published | None, moved: frozenset[str]) -> Line:
    """Return an indicator as it is read; its reasons name no building."""
    return Line(
        id=row.indicator,
        name=row.name,
        by_hand=row.by_hand,
        guarantor=row.guarantor,
        cells=[cell_line(cell, words) for cell in row.cells],
        status=row.status,
        status_text=status_text(words, row.status),
        mark=MARKS[row.status],
        reasons=list(dict.fromkeys(told(nameless(one), words) for one in row.reasons)),
        quality=quality_of(row.coverage),
        published=published is not None and row.indicator in published.values,
        moved=row.indicator in moved,
    )


@router.get("/indicators")
def indicators(
    v: Seen,
    report: Chosen,
    area: Annotated[str, Query()] = "",
    scope: Annotated[str, Query()] = "region",
    now: Annotated[str, Query()] = "",
) -> Response:
    """Show the plan's tree with the values of a report, and above it what is done and what lacks."""
    whose, held = scope_of(scope or "region", v.room), held_of(v)
    if now and v.may("check_and_publish"):
        standing_values(v.room, held, report, fresh=True)
    source, beside, standing = told_of(v.room, held, report, whose)
    made = assembled(source, beside, Imprint(region=v.room.deps.title, software=v.room.deps.version), v.now)
    published = published_of(v.room, held, report) if whose == Scope() else None
    moved = moved_of(published, standing)
    goals = {goal.id: goal.name for goal in made.goals}
    areas = [part for part in made.areas if area in {"", part.id}]
    return v.page(
        "indicators.html",
        choice=choice(v, report),
        report=report,
        last_day=report.end - timedelta(days=1),
        scope=str(whose),
        scopes=_scopes(v),
        area=area,
        areas=[(part.id, part.name) for part in made.areas],
        branches=[_branch(part, goals, v.words, published, moved) for part in areas],
        board=board_of(v, report) if v.may("see_indicators") else Board(rows=[], due="", days=0),
        standing=standing,
        published=published,
        moved=len(moved),
        forms=FORMS,
        counts_of=_counts(made.rows),
    )


def moved_of(published: Published | None, standing: Standing) -> frozenset[str]:
    """Return the indicators whose open values are others than the published ones."""
    return frozenset(one.indicator for one in differing(published, standing)) if published else frozenset()


def _branch(
    part: AreaPart, goals: Mapping[str, str], words: Language, published: Published | None, moved: frozenset[str]
) -> Branch:
    return Branch(
        part=part,
        goals=[f"{key} {goals.get(key, '')}".strip() for key in part.goals],
        strategic=[words.text(STRATEGIC[one]) for one in part.strategic],
        lines=[line_of(row, words, published, moved) for row in part.rows],
    )


def _scopes(v: Viewer) -> list[tuple[str, str]]:
    now = v.room.now()
    known = [(f"organisation:{one.id}", one.name) for one in now.organisations.values()]
    return [*known, *((f"building:{one.id}", one.name) for one in now.buildings.values())] if v.may("see") else []


def _counts(rows: Sequence[IndicatorRow]) -> Mapping[str, int]:
    found = dict.fromkeys(MARKS, 0)
    for row in rows:
        found[row.status] += 1
    return found
