"""What sources want to hear: to whom, when, how often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from ingest.keepalive import FORGOTTEN_AFTER_US, MOST_SOURCES, KeepAlive, KeepAliveRule, Publication
from ingest.message import Message

S = 1_000_000
VICTRON = KeepAliveRule(heard="N/{portal}/{path...}", topic="R/{portal}/keepalive", every_s=30)


def spoke(topic: str, at_us: int = 0) -> list[Message]:
    return [Message(topic=topic, payload=b"{}", received=at_us)]


def test_a_portal_is_spoken_to_at_once_and_then_in_time() -> None:
    keep = KeepAlive([VICTRON])
    assert keep.due(0) == []
    keep.hear(spoke("N/c0619ab/system/0/Serial"))
    assert keep.due(1) == [Publication("R/c0619ab/keepalive", b"")]
    assert keep.due(29 * S) == []
    keep.hear(spoke("N/c0619ab/grid/30/Ac/Power", 29 * S))
    assert len(keep.due(31 * S)) == 1


def test_each_portal_has_its_own_time() -> None:
    keep = KeepAlive([VICTRON])
    keep.hear(spoke("N/a/system/0/Serial"))
    keep.due(0)
    keep.hear(spoke("N/b/system/0/Serial", 20 * S))
    assert [topic for topic, _ in keep.due(20 * S)] == ["R/b/keepalive"]
    assert [topic for topic, _ in keep.due(30 * S)] == ["R/a/keepalive"]


@pytest.mark.parametrize("topic", ["R/a/keepalive", "n/a/x", "N", "odecet/x", "$SYS/N/a/b"])
def test_other_topics_are_no_portals(topic: str) -> None:
    keep = KeepAlive([VICTRON])
    keep.hear(spoke(topic))
    assert keep.due(0) == []


def test_a_silent_portal_is_spoken_to_for_a_day() -> None:
    keep = KeepAlive([VICTRON])
    keep.hear(spoke("N/a/x/0/y"))
    assert keep.due(FORGOTTEN_AFTER_US) != []
    assert keep.due(FORGOTTEN_AFTER_US + 31 * S) == []


def test_portals_of_a_former_run_are_spoken_to_before_they_speak() -> None:
    keep = KeepAlive([VICTRON])
    keep.recall({"N/a/grid/30/Ac/Power": 5 * S})
    assert [topic for topic, _ in keep.due(6 * S)] == ["R/a/keepalive"]


def test_the_number_of_sources_is_bounded() -> None:
    keep = KeepAlive([VICTRON])
    keep.hear([m for n in range(2 * MOST_SOURCES) for m in spoke(f"N/{n}/x/0/y")])
    assert len(keep.due(0)) == MOST_SOURCES
    keep.hear(spoke("N/late/x/0/y"))
    assert keep.due(1) == []


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.integers(1, 40 * S)), max_size=60))
def test_a_source_that_speaks_is_never_waited_for_longer_and_never_asked_oftener(
    events: list[tuple[bool, str, int]],
) -> None:
    keep, now, said = KeepAlive([VICTRON]), 0, dict[str, int]()
    for speaks, portal, step in events:
        now += step
        if speaks:
            keep.hear(spoke(f"N/{portal}/x/0/y", now))
            said.setdefault(f"R/{portal}/keepalive", now - 31 * S)
        due = [topic for topic, _ in keep.due(now)]
        assert sorted(due) == sorted(topic for topic, at in said.items() if now - at >= 30 * S)
        said.update(dict.fromkeys(due, now))


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "R/{other}/keepalive"},
        {"topic": "R/{path...}"},
        {"topic": "R/+/keepalive"},
        {"topic": "R/#"},
        {"topic": "R/{portal}/keepalive", "every_s": 0.0},
        {"topic": "R/{portal}/keepalive", "every_s": float("nan")},
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_when_it_is_loaded(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        KeepAliveRule(heard="N/{portal}/{path...}", **wrong)  # type: ignore[arg-type]
