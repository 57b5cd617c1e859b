"""A broken pipe: for hours far more than ever flowed."""

from typing import Final

import numpy as np

from analytics.anomalies.finding import Finding, Rule, Severity, joined, rounded, still_open
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.trailing import held, spans, trailing_max, trailing_sum
from core.calendar import Bools
from core.readings import Floats

REACH_DAYS: Final = 300
LEAST_DAYS: Final = 30
MORE: Final = 0.2
"""Two hours in a row, each by this share above the largest single hour of 300 days: no use ever was so."""
OVER_HOURS: Final = 2
PAUSE_US: Final = 12 * HOUR_US


def bursts(hours: Hours, now_us: int, *, factor: float = 1.0) -> list[Finding]:
    """Return hours in which far more flowed than in any hours of the 300 days before [m³]. O(n).

    Opens after two hours, each a fifth (times `factor`) above the largest single hour of the past; clears below that.
    """
    if not hours.measured.any():
        return []
    known = np.where(hours.measured, hours.amount, 0.0)
    padded = np.concatenate([np.zeros(OVER_HOURS - 1), known])
    lasting = np.lib.stride_tricks.sliding_window_view(padded, OVER_HOURS).min(axis=1)
    worst, enough = largest_before(hours)
    fires = (lasting > (1 + factor * MORE) * worst) & (worst > 0) & enough
    runs = spans(held(fires, np.isfinite(hours.amount) & (hours.amount <= worst)))
    found = [_burst(hours, int(a), int(b), worst) for a, b in runs]
    return still_open(joined(found, PAUSE_US), now_us, PAUSE_US)


def largest_before(hours: Hours) -> tuple[Floats, Bools]:
    """Return for each hour the largest flow of the 300 days before its day, and whether enough days are known. O(n)."""
    daily = np.zeros(hours.days)
    np.maximum.at(daily, hours.row, np.where(hours.measured, hours.amount, 0.0))
    seen = trailing_sum((hours.by_day(hours.measured) > 12).astype(float), REACH_DAYS, 1)  # noqa: PLR2004 - half a day
    return trailing_max(daily, REACH_DAYS, 1)[hours.row], (seen >= LEAST_DAYS)[hours.row]


def _burst(hours: Hours, at: int, end: int, worst: Floats) -> Finding:
    begin = at - OVER_HOURS + 1
    flow = float(np.nanmean(hours.amount[begin:end]))
    usual = float(np.nanmean(hours.amount[:begin]))
    return Finding(
        rule=Rule.BURST,
        from_us=int(hours.start_us[begin]),
        to_us=int(hours.start_us[end]) if end < len(hours) else None,
        raised_us=int(hours.known_us[at]),
        severity=Severity.HIGH,
        unit="m³",
        loss_per_day=rounded((flow - usual) * 24),
        evidence={"flow": rounded(flow), "own_largest": rounded(float(worst[at])), "usual_flow": rounded(usual)},
    )
