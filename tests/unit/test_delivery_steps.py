"""The states of a delivery: whatever people do in whatever order, what must hold holds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deliveries import EDITABLE, Delivery, DeliveryAct, DeliveryState, HandValue, ValueCheck
from core.errors import Conflict, InputError
from core.indicators import Amount
from core.plan import ReportKind
from core.report_periods import ReportId
from services.delivery_steps import WANTS_COMMENT, allowed, edited, stepped, values_checked, without_value

NOW = datetime(2026, 2, 1, tzinfo=UTC)
EMPTY = Delivery(report=ReportId(kind=ReportKind.ANNUAL, period="2025"), area="a")
VALUE = HandValue(indicator="Z1", amounts=(Amount(figure="n", value=1.0),))


def done(delivery: Delivery, *acts: DeliveryAct, comment: str = "proto") -> Delivery:
    for n, act in enumerate(acts):
        delivery = stepped(delivery, act, by="x", now=NOW + timedelta(hours=n), comment=comment)
    return delivery


@given(st.lists(st.tuples(st.sampled_from(DeliveryAct), st.sampled_from(["", " ", "proto"])), max_size=25))
def test_whatever_is_tried_what_must_hold_holds(tries: list[tuple[DeliveryAct, str]]) -> None:
    delivery = EMPTY
    for act, comment in tries:
        before = delivery
        try:
            delivery = stepped(delivery, act, by="x", now=NOW, comment=comment)
        except (Conflict, InputError):
            assert act not in allowed(before) or (act in WANTS_COMMENT and not comment.strip())
            continue
        assert act in allowed(before)
        assert delivery.version == before.version + 1 == len(delivery.steps)
        assert delivery.steps[:-1] == before.steps
        assert delivery.steps[-1].state is delivery.state
        if act is DeliveryAct.EDIT:
            assert before.state in EDITABLE
            assert delivery.state is before.state
    path = [step.act for step in delivery.steps]
    if delivery.state is DeliveryState.PUBLISHED:
        moves = [act for act in path if act not in {DeliveryAct.COMMENT, DeliveryAct.CHECK_VALUE, DeliveryAct.EDIT}]
        assert moves[-3:] == [DeliveryAct.DELIVER, DeliveryAct.CHECK, DeliveryAct.PUBLISH]
    assert path.count(DeliveryAct.PUBLISH) - path.count(DeliveryAct.REOPEN) in {0, 1}
    assert path.count(DeliveryAct.CHECK) <= path.count(DeliveryAct.DELIVER)


def test_a_delivery_goes_from_draft_to_published() -> None:
    acts = (DeliveryAct.EDIT, DeliveryAct.DELIVER, DeliveryAct.RETURN, DeliveryAct.EDIT, DeliveryAct.DELIVER)
    published = done(EMPTY, *acts, DeliveryAct.CHECK, DeliveryAct.PUBLISH)
    assert published.state is DeliveryState.PUBLISHED
    assert allowed(published) == (DeliveryAct.COMMENT, DeliveryAct.CHECK_VALUE, DeliveryAct.REOPEN)
    assert done(published, DeliveryAct.REOPEN).editable
    step = published.last(DeliveryAct.RETURN)
    assert step is not None
    assert (step.comment, step.at) == ("proto", NOW + timedelta(hours=2))


@pytest.mark.parametrize("state", sorted(set(DeliveryState) - EDITABLE))
def test_what_was_delivered_is_not_edited(state: DeliveryState) -> None:
    delivery = Delivery(report=EMPTY.report, area="a", state=state, values=(VALUE,), version=3)
    with pytest.raises(Conflict, match=f"is {state}: edit is not possible"):
        edited(delivery, by="x", now=NOW, texts={"realised": "jinak"})
    with pytest.raises(Conflict):
        without_value(delivery, "Z1", by="x", now=NOW)


def test_an_edit_changes_what_it_names_and_an_empty_text_goes() -> None:
    first = edited(EMPTY, by="x", now=NOW, texts={"realised": "ano", "fulfilment": "zčásti"}, values=(VALUE,))
    other = HandValue(indicator="A1", amounts=())
    second = edited(first, by="y", now=NOW, texts={"realised": " ", "activity:Z-1": "běží"}, values=(other,))
    assert second.texts == {"fulfilment": "zčásti", "activity:Z-1": "běží"}
    assert [value.indicator for value in second.values] == ["A1", "Z1"]
    assert without_value(second, "Z1", by="x", now=NOW).values == (other,)


@pytest.mark.parametrize("act", [DeliveryAct.RETURN, DeliveryAct.COMMENT])
def test_returning_without_a_word_is_refused(act: DeliveryAct) -> None:
    delivered = done(EMPTY, DeliveryAct.DELIVER)
    with pytest.raises(InputError, match="without a word"):
        stepped(delivered, act, by="x", now=NOW, comment="  ")
    with pytest.raises(InputError, match="longer than"):
        stepped(delivered, act, by="x", now=NOW, comment="a" * 5001)


def test_a_check_of_a_value_takes_the_place_of_the_earlier_one() -> None:
    checks = [ValueCheck(indicator="E1", digest=digest, by="x", at=NOW) for digest in ("old", "new")]
    delivery = values_checked(values_checked(EMPTY, [checks[0]]), [checks[1]])
    assert delivery.checks == (checks[1],)
    assert delivery.state is DeliveryState.DRAFT


@pytest.mark.parametrize(
    ("kind", "period", "days"),
    [
        ("annual", "2025", ("2025-01-01", "2026-01-01")),
        ("mid-year", "2026", ("2026-01-01", "2026-07-01")),
        ("closing", "2024-2026", ("2024-01-01", "2027-01-01")),
    ],
)
def test_a_report_names_its_days(kind: str, period: str, days: tuple[str, str]) -> None:
    report = ReportId.parse(kind, period)
    assert (str(report.first), str(report.end)) == days


@pytest.mark.parametrize(
    ("kind", "period"),
    [
        ("annual", "25"),
        ("annual", "2024-2026"),
        ("closing", "2025"),
        ("closing", "2026-2024"),
        ("mid-year", "0001"),
        ("yearly", "2025"),
        ("annual", "２０２５x"),
    ],
)
def test_a_report_that_cannot_be_is_refused_with_the_place(kind: str, period: str) -> None:
    with pytest.raises(InputError) as raised:
        ReportId.parse(kind, period)
    assert raised.value.place in {"kind", "period"}
    assert raised.value.remedy
