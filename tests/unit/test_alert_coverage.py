"""Of which alerts nobody would hear: the same as trying the routes with each of them."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import lifecycle as life
from alerts.coverage import NOWHERE, unheard
from alerts.grouping import SOURCE_SILENT
from alerts.routing import Directory, told_to
from core.alerts import Detection, Severity
from core.calendar import PRAGUE
from core.sending import ChannelKind, Occasion, PersonRole, Recipient, Route

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
BUILDINGS = ("b-1", "b-2", "b-3")
RULES = ("leak", "dead", "capacity", SOURCE_SILENT)
SOME_BUILDINGS = st.lists(st.sampled_from(BUILDINGS), max_size=2, unique=True).map(tuple)
PEOPLE = st.lists(
    st.builds(
        Recipient,
        id=st.uuids().map(str),
        name=st.just("Jan"),
        role=st.sampled_from(PersonRole),
        mail=st.sampled_from(["", "jan@example.cz"]),
        webhook=st.sampled_from(["", "https://example.cz"]),
        topic=st.just(""),
        buildings=SOME_BUILDINGS,
        quiet=st.just(()),
        language=st.just("cs"),
        off=st.booleans(),
        person=st.just(""),
    ),
    max_size=4,
)
ROUTES = st.lists(
    st.builds(
        Route,
        id=st.uuids().map(str),
        channel=st.sampled_from([ChannelKind.MAIL, ChannelKind.WEBHOOK]),
        role=st.sampled_from(PersonRole).map(str),
        person=st.just(""),
        buildings=SOME_BUILDINGS,
        rules=st.lists(st.sampled_from(RULES), max_size=2, unique=True).map(tuple),
        least=st.sampled_from(["low", "medium", "high"]),
        delay_min=st.just(0.0),
        digest=st.booleans(),
        ends=st.just(False),  # noqa: FBT003 - a strategy
    ),
    max_size=5,
)


def is_told(building: str, rule: str, severity: Severity, people: list[Recipient], routes: list[Route]) -> bool:
    found = Detection(subject="p", rule=rule, at_from=NOW, at_to=NOW, found_at=NOW, severity=severity)
    directory = Directory(people=people, routes=routes, zone=PRAGUE)
    return bool(told_to(life.opened(found, building, NOW).alert, Occasion.OPENED, directory, NOW).targets)


@given(PEOPLE, ROUTES)
@settings(max_examples=150)
def test_what_is_unheard_is_what_the_routes_tell_nobody(people: list[Recipient], routes: list[Route]) -> None:
    found = unheard(BUILDINGS, RULES, people, routes, frozenset(ChannelKind))
    told_unheard = {
        (building, rule, severity)
        for gap in found
        for building in gap.buildings
        for severity in gap.severities
        for rule in gap.rules or (RULES[:-1] if building else (SOURCE_SILENT,))
    }
    for building in (*BUILDINGS, NOWHERE):
        for rule in RULES:
            if (rule == SOURCE_SILENT) != (building == NOWHERE):
                continue
            for severity in Severity:
                silent = not is_told(building, rule, severity, people, routes)
                assert ((building, rule, severity) in told_unheard) == silent


def test_a_channel_that_is_not_set_up_reaches_nobody_and_the_digest_is_said() -> None:
    eva = Recipient(id="eva", name="Eva", role=PersonRole.ENERGY_MANAGER, mail="eva@example.cz")
    routes = [Route(id="r", person="eva"), Route(id="w", person="eva", digest=True, least="medium")]
    assert unheard(BUILDINGS, RULES, [eva], routes, {ChannelKind.MAIL}) == []
    found = unheard(BUILDINGS, RULES, [eva], routes[1:], {ChannelKind.MAIL})
    assert [(gap.severities, gap.digest, len(gap.buildings)) for gap in found] == [
        ((Severity.HIGH, Severity.MEDIUM), True, 4),
        ((Severity.LOW,), False, 4),
    ]
    (nothing,) = unheard(BUILDINGS, RULES, [eva], routes, {ChannelKind.WEBHOOK})
    assert (nothing.rules, nothing.digest) == ((), False)
