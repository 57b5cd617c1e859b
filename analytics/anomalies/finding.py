"""What a detector found: rule, span, when it could first be told, what it costs, and the numbers it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np

from core.notes import JsonValue


class Rule(StrEnum):
    """What can be found."""

    LEAK = "leak"  # the flow of the night steps up against the point's own nights
    NEVER_ZERO = "never_zero"  # flow without a pause on a point that had pauses
    BURST = "burst"  # far more than ever flowed, for hours
    DEAD = "dead"  # nothing comes any more
    GAP = "gap"  # nothing came for a while
    STUCK = "stuck"  # the dial stands still, or a value repeats itself, when it never did
    ZEROED = "zeroed"  # zeros where there never were any
    CLIPPED = "clipped"  # values are cut off at a top
    SPIKE = "spike"  # readings off the line
    BREAK = "break"  # the dial fell or jumped for good: a swap or reset that nobody recorded
    REVERSED = "reversed"  # the dial counts backwards
    SWAPPED = "swapped"  # two registers are exchanged
    CAPACITY = "capacity"  # a quarter-hour above the reserved capacity
    CAPACITY_PROJECTED = "capacity_projected"  # the running quarter-hour is going to be above it
    BASE_LOAD = "base_load"  # what never rests has risen
    WEEKEND = "weekend_waste"  # free days use more than free days do
    HOLIDAY = "holiday_waste"  # a holiday was run like a workday
    DEVIATION = "deviation"  # consumption is far from the baseline
    DRIFT = "drift"  # consumption moves away from the baseline, slowly
    WARM_HEATING = "heating_while_warm"  # heat is drawn though it is warm outside
    PV_LOW = "pv_below_expected"  # a plant gives less than the sun lets expect


class Severity(StrEnum):
    """How urgent a finding is, by its loss against what the point uses."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


HIGH_SHARE: Final = 0.5
MEDIUM_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found on one series.

    `from_us` is where the evidence begins, `to_us` where it ended (None: it has not), `raised_us` when it could first
    be told from what had come by then [µs since 1970]. `loss_per_day` in the canonical `unit`, None where none is
    known. `check` is the key of the text that says what to look at.
    """

    rule: Rule
    from_us: int
    to_us: int | None
    raised_us: int
    severity: Severity
    unit: str
    loss_per_day: float | None = None
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def check(self) -> str:
        """The key of what to check."""
        return f"check.{self.rule}"


def by_loss(loss_per_day: float, usual_per_day: float) -> Severity:
    """Return the severity of a loss against the point's usual day."""
    share = loss_per_day / usual_per_day if usual_per_day > 0 else np.inf
    return Severity.HIGH if share >= HIGH_SHARE else Severity.MEDIUM if share >= MEDIUM_SHARE else Severity.LOW


def rounded(value: float | None, digits: int = 6) -> float | None:
    """Return a number for evidence, None where it is not known."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def joined(found: list[Finding], pause_us: int) -> list[Finding]:
    """Return findings of one rule in order of time, those one that return within a pause."""
    out: list[Finding] = []
    for one in found:
        last = out[-1] if out else None
        if last is None or last.to_us is None or one.from_us - last.to_us > pause_us:
            out.append(one)
        else:
            out[-1] = replace(last, to_us=one.to_us)
    return out


def still_open(found: list[Finding], now_us: int, pause_us: int) -> list[Finding]:
    """Return findings, those open whose end is not yet a pause ago: it may return."""
    return [
        replace(one, to_us=None) if one.to_us is not None and one.to_us > now_us - pause_us else one for one in found
    ]
