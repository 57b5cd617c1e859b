"""The summary by goal: what the indicators of each strategic and specific goal say, and how far their targets are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.indicators import ValueStatus
from core.plan import Goal, ReportKind, StrategicGoal
from core.report import Cell, IndicatorRow, Judgement, Report
from reports import czech, wording
from reports.figures import draft, judged, state, target, with_unit

Rows = list[dict[str, Any]]


def goal_rows(report: Report) -> Rows:
    """Return each specific goal with its indicators; a goal without any says so."""
    found: Rows = []
    closing = report.id.kind is ReportKind.CLOSING
    for goal in report.goals:
        rows = [row for row in report.rows if goal.id in row.goals]
        found.append({
            "cil": czech.line(f"{goal.id} {goal.name}"),
            "strategicky": wording.STRATEGIC[goal.strategic],
            "souhrn": _summary(rows),
            "oblasti": czech.listed(czech.line(part.name) for part in report.areas if goal.id in part.goals),
            "indikatory": [_line(row, closing=closing) for row in rows],
        })  # fmt: skip
    return found


def latest(row: IndicatorRow) -> tuple[Cell, str]:
    """Return the main figure of the last year that is known, and that year as it is written after it."""
    known = [one for one in row.history if one.value is not None]
    if not known:
        return replace(row.main, value=None), ""
    return replace(row.main, value=known[-1].value, low90=None, high90=None), f" ({known[-1].year})"


def _line(row: IndicatorRow, *, closing: bool) -> dict[str, str]:
    cell, year = latest(row) if closing else (row.main, "")
    return {
        "id": row.indicator,
        "nazev": czech.line(row.name),
        "hodnota": with_unit(cell, row.status) + year,
        "cil": target(cell),
        "plneni": judged(cell.standing, provisional=row.status is ValueStatus.PROVISIONAL),
        "stav": state(row),
        "navrh": draft(row),
    }


def strategic_rows(report: Report) -> Rows:
    """Return each strategic goal: how many indicators there are, with a target, and how they stand."""
    return [_strategic(report, goal, [g for g in report.goals if g.strategic is goal]) for goal in StrategicGoal]


def _strategic(report: Report, goal: StrategicGoal, specific: Sequence[Goal]) -> dict[str, Any]:
    keys = {one.id for one in specific}
    rows = [row for row in report.rows if keys & set(row.goals)]
    judgements = [row.main.standing.judgement for row in rows]
    return {
        "nazev": wording.STRATEGIC[goal],
        "specificke": czech.number(len(specific), 0),
        "indikatory": czech.number(len(rows), 0),
        "splneno": czech.number(judgements.count(Judgement.MET), 0),
        "nesplneno": czech.number(judgements.count(Judgement.NOT_MET), 0),
        "v_behu": czech.number(judgements.count(Judgement.UNDER_WAY), 0),
        "bez_cile": czech.number(judgements.count(Judgement.NO_TARGET), 0),
        "neznamo": czech.number(judgements.count(Judgement.UNKNOWN), 0),
    }


def _summary(rows: Sequence[IndicatorRow]) -> str:
    if not rows:
        return "Cíl nemá v\u00a0této zprávě žádný indikátor."
    judgements = [row.main.standing.judgement for row in rows]
    told = [
        f"{wording.JUDGEMENTS[kind]} {czech.number(judgements.count(kind), 0)}"
        for kind in Judgement
        if judgements.count(kind)
    ]
    return f"{czech.counted(len(rows), 'indikátor', 'indikátory', 'indikátorů')}: {', '.join(told)}."
