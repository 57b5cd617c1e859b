"""What a dial itself does wrong: readings off the line, falls that stay, counting backwards, exchanged registers."""

from collections.abc import Iterable
from math import ceil
from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, rounded
from analytics.anomalies.hours import Hours
from analytics.anomalies.trailing import spans
from core.calendar import Bools, Longs
from core.dial import Mark
from core.notes import Rule as DialRule
from core.readings import Floats
from core.registry import EventKind

RUN_BACK: Final = 3
"""Falls in a row, no rise between them: no glitch, no exchange."""
DARK_HOURS: Final = (22, 23, 0, 1, 2)
"""Dark all year round in the middle latitudes."""
DARK_SHARE: Final = 0.2
NIGHTS: Final = 3
FELL_BACK: Final = 2.0
_RULES: Final = {DialRule.GLITCH: Rule.SPIKE, DialRule.BREAK: Rule.BREAK, DialRule.STUCK: Rule.STUCK}


def of_marks(marks: Iterable[Mark], unit: str) -> list[Finding]:
    """Return what the making of a curve found: spikes, zeros, breaks, a dial that stood and caught up.

    A fall that looks like a roll-over is no fault of the meter: the operator is asked for its digits.
    """
    told = (mark for mark in marks if mark.rule in _RULES)
    return [_of_mark(mark, unit) for mark in told if (mark.proposal or {}).get("kind") != EventKind.ROLLOVER]


def _of_mark(mark: Mark, unit: str) -> Finding:
    told = mark.told()
    zeros = mark.rule is DialRule.GLITCH and told.get("lowest") == 0 == told.get("highest")
    return Finding(
        rule=Rule.ZEROED if zeros else _RULES[mark.rule],
        from_us=mark.first_us,
        to_us=mark.last_us,
        raised_us=mark.last_us,
        severity=Severity.MEDIUM if mark.rule is DialRule.BREAK else Severity.LOW,
        unit=unit,
        evidence=told,
    )


def reversed_dial(at_us: Longs, value: Floats, unit: str, *, factor: float = 1.0) -> list[Finding]:
    """Return where a dial (n readings in order) counts backwards: three falls (times `factor`) without a rise. O(n).

    It may stand still meanwhile; it ends with the next rise. A lone fall is a glitch, roll-over or exchange.
    """
    change, least = np.diff(value), ceil(RUN_BACK * factor)
    found = []
    fallen = np.concatenate([[0], np.cumsum(change < 0)])
    runs = spans(change <= 0)
    for first, behind in runs[fallen[runs[:, 1]] - fallen[runs[:, 0]] >= least]:
        falls = first + np.flatnonzero(change[first:behind] < 0)
        if _jumps(-change[falls]):
            continue
        end = int(behind) if behind < len(change) else None
        found.append(_backwards(at_us, value, falls, end, told=int(falls[least - 1]) + 1, unit=unit))
    return found


def _jumps(falls: Floats) -> bool:
    """Return whether one fall makes up nearly all of them: the dial was exchanged, it does not run back."""
    return bool(falls.max() > 0.9 * falls.sum())


def _backwards(at_us: Longs, value: Floats, falls: Longs, end: int | None, *, told: int, unit: str) -> Finding:
    last = int(falls[-1]) + 1
    return Finding(
        rule=Rule.REVERSED,
        from_us=int(at_us[falls[0]]),
        to_us=None if end is None else int(at_us[last]),
        raised_us=int(at_us[told]),
        severity=Severity.HIGH,
        unit=unit,
        evidence={"falls": len(falls), "fell_by": rounded(float(value[falls[0]] - value[last]))},
    )


def swapped_registers(taken: Hours, given: Hours, unit: str, *, factor: float = 1.0) -> list[Finding]:
    """Return where import and export look exchanged: export grows in the dark, import does not. O(n).

    `taken` and `given` are the same hours of both registers. Three nights (times `factor`) in a row make it,
    three others clear it.
    """
    dark = np.isin(taken.hour, DARK_HOURS) & taken.measured & given.measured
    drawn, fed = (one.by_day(np.where(dark, np.nan_to_num(one.amount), 0.0)) for one in (taken, given))
    counted = taken.by_day(dark) >= len(DARK_HOURS) - 1
    wrong = counted & (fed > 0) & (drawn <= DARK_SHARE * fed)
    right = counted & (drawn > 0) & (fed <= DARK_SHARE * drawn)
    least = ceil(NIGHTS * factor)
    begins = _begins(wrong, right, least)
    return [_swapped(taken, given, wrong, right, nights=(night, night + least - 1), unit=unit) for night in begins]


def _begins(wrong: Bools, right: Bools, least: int) -> list[int]:
    """Return the first nights of runs of wrong ones that are long enough, each after right ones."""
    begins: list[int] = []
    free = 0
    for first, behind in spans(wrong):
        if behind - first >= least and first >= free:
            begins.append(int(first))
            mended = np.flatnonzero(np.convolve(right[behind:], np.ones(NIGHTS))[: len(right) - behind] >= NIGHTS)
            free = int(behind) + int(mended[0]) if len(mended) else len(right)
    return begins


def _swapped(taken: Hours, given: Hours, wrong: Bools, right: Bools, *, nights: tuple[int, int], unit: str) -> Finding:
    row, night = taken.row, nights[0]
    later = np.flatnonzero(right[night:])
    begin = int(np.searchsorted(row, night))
    told = int(np.searchsorted(row, nights[1], side="right")) - 1
    end = int(np.searchsorted(row, night + later[0])) if len(later) else None
    chosen = wrong[row] & np.isin(taken.hour, DARK_HOURS)
    return Finding(
        rule=Rule.SWAPPED,
        from_us=int(taken.start_us[begin]),
        to_us=None if end is None else int(taken.start_us[end]),
        raised_us=int(taken.known_us[told]),
        severity=Severity.HIGH,
        unit=unit,
        evidence={
            "export_in_the_dark": rounded(float(np.nansum(given.amount[chosen]))),
            "import_in_the_dark": rounded(float(np.nansum(taken.amount[chosen]))),
        },
    )
