"""What may be done with a delivery in which state, and what becomes of it: pure, with names and times as arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.deliveries import EDITABLE, Delivery, DeliveryAct, DeliveryState, HandValue, Step, ValueCheck
from core.errors import Conflict, InputError

_S, _A = DeliveryState, DeliveryAct
MOVES: Final[Mapping[tuple[DeliveryState, DeliveryAct], DeliveryState]] = {
    (_S.DRAFT, _A.DELIVER): _S.DELIVERED,
    (_S.RETURNED, _A.DELIVER): _S.DELIVERED,
    (_S.DELIVERED, _A.RECALL): _S.DRAFT,
    (_S.DELIVERED, _A.RETURN): _S.RETURNED,
    (_S.CHECKED, _A.RETURN): _S.RETURNED,
    (_S.DELIVERED, _A.CHECK): _S.CHECKED,
    (_S.CHECKED, _A.PUBLISH): _S.PUBLISHED,
    (_S.PUBLISHED, _A.REOPEN): _S.RETURNED,
    **{(state, _A.EDIT): state for state in EDITABLE},
    **{(state, _A.CHECK_VALUE): state for state in _S},
    **{(state, _A.COMMENT): state for state in _S},
}
"""Each state's acts and the state after them; what is not here cannot be done."""
WANTS_COMMENT: Final = frozenset({_A.RETURN, _A.REOPEN, _A.COMMENT})
"""Acts that say nothing without words."""
COMMENT_LIMIT: Final = 5_000


def allowed(delivery: Delivery) -> tuple[DeliveryAct, ...]:
    """Return the acts that a delivery's state allows."""
    return tuple(act for act in DeliveryAct if (delivery.state, act) in MOVES)


def stepped(delivery: Delivery, act: DeliveryAct, *, by: str, now: datetime, comment: str = "") -> Delivery:
    """Return a delivery after an act, one version on; raise Conflict where its state does not allow it."""
    after = MOVES.get((delivery.state, act))
    if after is None:
        raise Conflict(
            f"delivery {delivery.id} is {delivery.state}: {act} is not possible now, only "
            f"{', '.join(allowed(delivery))}"
        )
    said = comment.strip()
    if act in WANTS_COMMENT and not said:
        raise InputError(f"{act} without a word helps nobody", place="comment", remedy="say what is to be done")
    if len(said) > COMMENT_LIMIT:
        raise InputError(f"the comment is longer than {COMMENT_LIMIT} characters", place="comment", remedy="shorten it")
    step = Step(act=act, by=by, at=now, state=after, comment=said)
    return replace(delivery, state=after, steps=(*delivery.steps, step), version=delivery.version + 1)


def edited(
    delivery: Delivery,
    *,
    by: str,
    now: datetime,
    texts: Mapping[str, str] | None = None,
    values: tuple[HandValue, ...] | None = None,
    comment: str = "",
) -> Delivery:
    """Return a delivery with these texts and values in the place of those of the same name; an empty text goes."""
    after = stepped(delivery, DeliveryAct.EDIT, by=by, now=now, comment=comment)
    merged = {key: text for key, text in {**delivery.texts, **(texts or {})}.items() if text.strip()}
    named = {value.indicator: value for value in (*delivery.values, *(values or ()))}
    return replace(after, texts=merged, values=tuple(named[key] for key in sorted(named)))


def without_value(delivery: Delivery, indicator: str, *, by: str, now: datetime) -> Delivery:
    """Return a delivery without the value of an indicator."""
    after = stepped(delivery, DeliveryAct.EDIT, by=by, now=now, comment=f"{indicator} −")
    return replace(after, values=tuple(value for value in delivery.values if value.indicator != indicator))


def values_checked(delivery: Delivery, checks: Sequence[ValueCheck]) -> Delivery:
    """Return a delivery with the coordinator's checks of computed values, in the place of earlier ones; one step."""
    names, note = ", ".join(one.indicator for one in checks), checks[0].note
    comment = f"{names}: {note}".removesuffix(": ")
    after = stepped(delivery, DeliveryAct.CHECK_VALUE, by=checks[0].by, now=checks[0].at, comment=comment)
    taken = {one.indicator for one in checks}
    others = (one for one in delivery.checks if one.indicator not in taken)
    return replace(after, checks=tuple(sorted((*others, *checks), key=lambda one: one.indicator)))
