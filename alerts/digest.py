"""The weekly digest: of each building the few things that matter most, once a week."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.alerts import Alert, Severity
from core.sending import Recipient, Route

MOST_OF_A_BUILDING: Final = 3


def worst(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the active alerts, at most three a building: by severity, loss in Kč, loss, and how long they stand."""
    of: dict[str, list[Alert]] = defaultdict(list)
    for alert in sorted((a for a in alerts if a.active), key=_weight):
        if len(of[alert.building]) < MOST_OF_A_BUILDING:
            of[alert.building].append(alert)
    return [alert for building in sorted(of) for alert in of[building]]


def _weight(alert: Alert) -> tuple[int, float, float, datetime, str]:
    return (
        -alert.severity.rank,
        -(alert.loss_czk_per_day or 0.0),
        -(alert.loss_per_day or 0.0),
        alert.opened_at,
        alert.id,
    )


def of_person(alerts: Sequence[Alert], person: Recipient) -> list[Alert]:
    """Return those of somebody's buildings; what is of no building is everybody's."""
    return [a for a in alerts if concerns(person, a.building)]


def concerns(person: Recipient, building: str) -> bool:
    """Return whether a building is somebody's; what is of no building (a broker) is everybody's."""
    return not person.buildings or not building or building in person.buildings


def of_route(alert: Alert, route: Route) -> bool:
    """Return whether a route is of an alert: its building, its rule, its severity."""
    return (
        (not route.buildings or alert.building in route.buildings)
        and (not route.rules or alert.rule in route.rules)
        and alert.severity.rank >= Severity(route.least).rank
    )


def digest_due(now: datetime, zone: ZoneInfo, *, weekday: int, hour: int) -> tuple[str, datetime]:
    """Return the week of the last digest that is due by now (such as 2026-W13) and when it was due."""
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - weekday) % 7)
    due = datetime.combine(day, time(hour), zone)
    if due > now:
        day -= timedelta(days=7)
        due = datetime.combine(day, time(hour), zone)
    return f"{day.isocalendar().year}-W{day.isocalendar().week:02}", due
