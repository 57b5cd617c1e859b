"""How many messages an address gets: bursts go, storms are held and told together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bounds import PEOPLE, PROGRAMS, Bound, joined
from core.errors import Conflict
from core.sending import ChannelKind, Item, Occasion, Outgoing

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(
    st.integers(1, 8),
    st.integers(1, 120),
    st.integers(1, 60),
    st.lists(st.integers(0, 600), max_size=120),
)
def test_no_span_gets_more_than_its_burst_and_one_a_pause(
    most: int, within: int, pause: int, wishes: list[int]
) -> None:
    bound = Bound(most=most, within=within * MINUTE, pause=pause * MINUTE)
    sent: list[datetime] = []
    for wish in sorted(wishes):
        at = max([NOW + wish * MINUTE, *sent[-1:]])
        free = bound.free_at(sent, at)
        assert free >= at
        assert bound.free_at(sent, free) <= free
        sent.append(free)
    for n, first in enumerate(sent):
        inside = [at for at in sent[n:] if at < first + bound.within]
        assert len(inside) <= most + bound.within // bound.pause + 1


def test_the_first_ones_go_at_once_and_urgent_ones_wait_no_longer_than_the_pause() -> None:
    sent = [NOW] * PEOPLE.most
    assert PEOPLE.free_at(sent[:-1], NOW) == NOW
    assert PEOPLE.free_at(sent, NOW) == NOW + PEOPLE.pause
    assert PEOPLE.free_at(sent, NOW + 61 * MINUTE) == NOW + 61 * MINUTE
    assert PROGRAMS.free_at([NOW] * PROGRAMS.most, NOW) == NOW + MINUTE


def mail(alert: str, rank: int, **changes: object) -> Outgoing:
    content = {
        "subject": f"fault {alert}",
        "head": f"fault {alert}",
        "rank": rank,
        "language": "en",
        "text": f"text {alert}",
        "html": f"<p>{alert}</p>",
        "payload": {"alerts": [{"id": alert}]},
    }
    fields: dict[str, object] = {
        "key": f"k-{alert}",
        "channel": ChannelKind.MAIL,
        "recipient": "jan",
        "address": "jan@example.cz",
        "items": (Item(alert=alert, occasion=Occasion.OPENED),),
        "content": content,
        "created": NOW,
        "due": NOW + MINUTE,
    }
    return Outgoing(**fields | changes)  # type: ignore[arg-type]  # of the names above


def test_messages_told_together_lead_with_the_most_urgent_and_lose_nothing() -> None:
    both = joined(joined(mail("a", 0), mail("b", 2, created=NOW + MINUTE)), mail("c", 1))
    assert both.key == "k-a"
    assert (both.created, both.due) == (NOW + MINUTE, NOW + MINUTE)
    assert {item.alert for item in both.items} == {"a", "b", "c"}
    assert both.content["subject"] == "fault b and 2 more"
    assert str(both.content["text"]).startswith("text b")
    assert all(f"<p>{name}</p>" in both.content["html"] for name in "abc")
    assert [a["id"] for a in both.content["payload"]["alerts"]] == ["b", "a", "c"]
    assert both.content["rank"] == 2


def test_what_tells_of_no_alert_goes_by_itself() -> None:
    tried = mail("x", 0, items=(), content={"subject": "Test", "text": "t", "html": "h", "payload": {"alerts": []}})
    for one, other in ((tried, mail("a", 1)), (mail("a", 1), tried)):
        with pytest.raises(Conflict):
            joined(one, other)
