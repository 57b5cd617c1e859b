"""How long alerts wait: mean time until somebody took note, and until they ended, by severity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean

from core.alerts import Alert, Severity, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Alerts of a severity: how many, acknowledged, resolved by people, closed by themselves; mean times [h]."""

    severity: Severity
    alerts: int
    acknowledged: int
    resolved: int
    closed: int
    mean_hours_to_acknowledge: float | None
    mean_hours_to_resolve: float | None


def times_of(alerts: Iterable[Alert]) -> list[Times]:
    """Return the times of these alerts, the most urgent first; None where there is none to take a mean of.

    What closed by itself is no work of people: it counts in `closed`, not in the time to resolve.
    """
    every = list(alerts)
    return [_of(severity, [a for a in every if a.severity is severity]) for severity in reversed(Severity)]


def _of(severity: Severity, alerts: Sequence[Alert]) -> Times:
    noted = [a.acknowledged_at - a.opened_at for a in alerts if a.acknowledged_at is not None]
    resolved = [a.ended_at - a.opened_at for a in alerts if a.state is State.RESOLVED and a.ended_at is not None]
    return Times(
        severity=severity,
        alerts=len(alerts),
        acknowledged=len(noted),
        resolved=len(resolved),
        closed=sum(a.state is State.CLOSED for a in alerts),
        mean_hours_to_acknowledge=_mean_hours(noted),
        mean_hours_to_resolve=_mean_hours(resolved),
    )


def _mean_hours(spans: Sequence[timedelta]) -> float | None:
    return round(fmean(span / timedelta(hours=1) for span in spans), 3) if spans else None
