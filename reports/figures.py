"""Figures of a report as they are written: numbers, intervals, targets and how they stand, notes below a table."""

from collections.abc import Callable, Sequence

from core.indicators import Because, ValueStatus
from core.report import Cell, IndicatorRow, Judgement, Standing
from reports import czech, wording

Why = Callable[[Because], str]
"""Says in Czech why something lacks, as a clause without a stop."""
MOST_NAMES = 12
"""So many names stand in a sentence, the others are counted; the workbook holds them all."""


def value(cell: Cell, status: ValueStatus) -> str:
    """Return a figure's value; one that cannot be determined says so."""
    if cell.value is None:
        return wording.STATUSES[ValueStatus.UNKNOWN] if status is ValueStatus.UNKNOWN else czech.NOTHING
    return czech.number(cell.value, cell.decimals)


def interval(cell: Cell) -> str:
    """Return the 90 % interval of an estimate, empty where there is none."""
    if cell.low90 is None or cell.high90 is None:
        return ""
    low, high = (czech.number(bound, cell.decimals) for bound in (cell.low90, cell.high90))
    return f"{low} až{czech.NBSP}{high}"


def change(cell: Cell) -> str:
    """Return the change against the year before: in percent, of percents in points, empty where one is not known."""
    if cell.value is None or cell.before is None:
        return ""
    if cell.unit == "%":
        return f"{czech.signed(cell.value - cell.before, cell.decimals)}{czech.NBSP}p.{czech.NBSP}b."
    if not cell.before:
        return ""
    return f"{czech.signed(100 * (cell.value / cell.before - 1) * (1 if cell.before > 0 else -1), 1)}{czech.NBSP}%"


def target(cell: Cell) -> str:
    """Return a target with its year, empty where there is none."""
    standing = cell.standing
    if standing.target is None:
        return ""
    return f"{czech.number(standing.target, cell.decimals)} (rok{czech.NBSP}{standing.year})"


def judged(standing: Standing, *, provisional: bool) -> str:
    """Return how a figure stands against its target, with the share of it that was reached."""
    if standing.judgement is Judgement.NO_TARGET:
        return ""
    said = wording.JUDGEMENTS[standing.judgement]
    if provisional and standing.judgement in {Judgement.MET, Judgement.NOT_MET}:
        said = f"předběžně {said}"
    return f"{said} ({czech.share(standing.share)})" if standing.share is not None else said


def state(row: IndicatorRow) -> str:
    """Return how a value may be used."""
    if row.origin is None:
        return "nedodáno" if row.by_hand else wording.STATUSES[ValueStatus.UNKNOWN]
    return wording.STATUSES[row.status]


def draft(row: IndicatorRow) -> str:
    """Return the mark of a value that is not published, empty for one that is, or that there is none of."""
    known = row.origin is not None and row.status is not ValueStatus.UNKNOWN
    return wording.DRAFT if known and not row.published else ""


def with_unit(cell: Cell, status: ValueStatus) -> str:
    """Return a figure's value with its unit; a unit that only says that something is counted is left out."""
    text = value(cell, status)
    counted = cell.unit in wording.COUNTS or cell.value is None
    return text if counted else f"{text}{czech.NBSP}{czech.line(cell.unit)}"


def names(found: Sequence[str]) -> str:
    """Return names as a sentence, the many counted."""
    return czech.listed((czech.line(name) for name in found), MOST_NAMES)


def notes(row: IndicatorRow, why: Why) -> list[str]:
    """Return what a reader has to know of a value: reasons, coverage, points that lack, measures, comment, evidence."""
    found = [sentence(czech.typeset(text)) for text in dict.fromkeys(map(why, row.reasons))]
    told = wording.coverage(row.coverage)
    if told:
        found.append(f"Pokrytí daty: {told}.")
    if row.lacking:
        found.append(f"Neúplná data: {names(row.lacking)}.")
    if row.measures:
        found.append(f"Započtená opatření: {names(row.measures)}.")
    if row.activities:
        found.append(f"Aktivity: {names(row.activities)}.")
    if row.note.strip():
        found.append(sentence(czech.line(row.note)))
    if row.evidence:
        found.append(f"Doklady: {names(row.evidence)}.")
    return found


def sentence(text: str) -> str:
    """Return a clause as a sentence."""
    stripped = czech.typeset(text.strip())
    if not stripped:
        return ""
    ended = stripped if stripped[-1] in ".!?…" else f"{stripped}."
    return ended[0].upper() + ended[1:]
