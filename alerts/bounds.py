"""How many messages an address gets: a storm of faults fills no mailbox, and what is held back is told together.

Pure. The first messages of an hour go at once; then one goes each pause, with all that came meanwhile in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.wording import and_more
from core.errors import Conflict
from core.sending import Outgoing, SendState

HELD: Final = "held back: this address was sent enough just now; it goes out with what comes meanwhile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`most` messages to an address within a span go at once, further ones each `pause`.

    `joins`: what is held back goes as one message; without it, each waits for its turn (programs want them singly).
    """

    most: int
    within: timedelta
    pause: timedelta
    joins: bool = False

    def free_at(self, sent: Sequence[datetime], now: datetime) -> datetime:
        """Return when the next message may go to an address that was sent these: now, or later."""
        recent = sorted(at for at in sent if at > now - self.within)
        if len(recent) < self.most:
            return now
        return max(now, min(recent[-self.most] + self.within, recent[-1] + self.pause))


PEOPLE: Final = Bound(most=6, within=timedelta(hours=1), pause=timedelta(minutes=10), joins=True)
PROGRAMS: Final = Bound(most=120, within=timedelta(minutes=1), pause=timedelta(minutes=1))


def joined(into: Outgoing, more: Outgoing) -> Outgoing:
    """Return a message that waits with what another tells, the more urgent first; the key stays that of the first.

    Raise Conflict where one of them tells of no alert (a link to a new password): it goes by itself.
    """
    if not (into.items and more.items):
        raise Conflict(f"message {into.key} is joined with no other")
    first, second = (more, into) if _rank(more) > _rank(into) else (into, more)
    items = tuple(dict.fromkeys((*first.items, *second.items)))
    language = str(first.content.get("language", "cs"))
    head = str(first.content.get("head") or first.content["subject"])
    content = {
        **first.content,
        "head": head,
        "subject": head + and_more(len(items) - 1, language),
        "text": "\n\n".join(str(one.content["text"]) for one in (first, second)),
        "html": "".join(str(one.content.get("html", "")) for one in (first, second)),
        "payload": {"alerts": [*_payload(first), *_payload(second)]},
    }
    return replace(into, items=items, content=content, created=max(into.created, more.created))


def part_of(message: Outgoing, into: str, now: datetime) -> Outgoing:
    """Return a message that another one tells in its place."""
    return replace(message, state=SendState.JOINED, error=f"told in {into}", changed=now)


def _rank(message: Outgoing) -> int:
    return int(message.content.get("rank", 0))


def _payload(message: Outgoing) -> list[object]:
    return list((message.content.get("payload") or {}).get("alerts", ()))
