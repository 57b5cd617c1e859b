"""Where nobody would be told: buildings, rules and severities that no route leads from to an address.

Pure, and found out before anything happens.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from alerts.digest import concerns
from alerts.grouping import SOURCE_SILENT
from alerts.routing import named_by
from core.alerts import Severity
from core.sending import ChannelKind, Recipient, Route

NOWHERE = ""
"""The building of what stands in none, such as a broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """Alerts that nobody would be told of at once: of these severities, rules (none: all of them) and buildings.

    `digest`: at least the weekly digest tells of them. A building of no name stands for brokers and gateways.
    """

    severities: tuple[Severity, ...]
    rules: tuple[str, ...]
    buildings: tuple[str, ...]
    digest: bool


def unheard(
    buildings: Iterable[str],
    rules: Collection[str],
    people: Sequence[Recipient],
    routes: Sequence[Route],
    ways: Collection[ChannelKind],
) -> list[Unheard]:
    """Return where nobody would be told, alike places together, the most urgent first.

    `rules` are those that there are; `ways` are the channels that are set up.
    """
    reached = [(route, _reached(route, people)) for route in routes if route.channel in ways]
    grouped: dict[tuple[tuple[str, ...], bool], dict[str, list[Severity]]] = defaultdict(lambda: defaultdict(list))
    for building in (*buildings, NOWHERE):
        asked = frozenset(rules) - {SOURCE_SILENT} if building else frozenset({SOURCE_SILENT})
        for severity in reversed(Severity):
            lacking = asked - _heard(reached, building, severity, asked, digest=False)
            if lacking:
                told = lacking <= _heard(reached, building, severity, asked, digest=True)
                named = () if lacking == asked else tuple(sorted(lacking))
                grouped[named, told][building].append(severity)
    return _alike(grouped)


def _alike(grouped: dict[tuple[tuple[str, ...], bool], dict[str, list[Severity]]]) -> list[Unheard]:
    found: dict[tuple[tuple[str, ...], bool, tuple[Severity, ...]], list[str]] = defaultdict(list)
    for (rules, digest), places in grouped.items():
        for building, severities in places.items():
            found[rules, digest, tuple(severities)].append(building)
    every = [
        Unheard(severities=severities, rules=rules, buildings=tuple(buildings), digest=digest)
        for (rules, digest, severities), buildings in found.items()
    ]
    return sorted(every, key=lambda u: (-u.severities[0].rank, u.digest, -len(u.buildings), u.rules))


def _reached(route: Route, people: Sequence[Recipient]) -> list[Recipient]:
    return [person for person in named_by(route, people) if person.address(route.channel)]


def _heard(
    reached: Sequence[tuple[Route, Sequence[Recipient]]],
    building: str,
    severity: Severity,
    asked: frozenset[str],
    *,
    digest: bool,
) -> frozenset[str]:
    """Return the rules of which somebody is told there."""
    heard: set[str] = set()
    for route, people in reached:
        fits = route.digest is digest and (not route.buildings or building in route.buildings)
        if fits and severity.rank >= Severity(route.least).rank and any(concerns(p, building) for p in people):
            heard.update(route.rules or asked)
    return frozenset(heard) & asked
