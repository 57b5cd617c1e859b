"""Sending what the outbox holds: taken, tried, tried later, given up; once, also over a crash.

A message goes WAITING -> CLAIMED -> SENDING -> SENT. What dies while CLAIMED was not sent and is taken again. What dies
while SENDING may have gone out: a channel whose receivers know a message again by its key sends it once
more, any other leaves it UNCERTAIN for a person to see. The channel itself tells where SENDING begins, right before
its point of no return, so that nearly every crash falls on the safe side of it.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from alerts.bounds import HELD, PEOPLE, PROGRAMS, Bound, joined, part_of
from core.alerts import Alert
from core.errors import Conflict, NotFound, StoreError
from core.ports import Clock
from core.sending import Attached, Channel, ChannelKind, Item, Occasion, Outgoing, SendState, Sent

PAUSES_MIN: Final = (1, 2, 5, 15, 30, 60, 120, 240, 480)
"""Rest before each new try [min]; the last is repeated."""
MOST_TRIES: Final = 16
"""Tries, over three days, before a message is given up."""
LEASE: Final = timedelta(minutes=20)
"""How long one that was taken is nobody else's: longer than the longest wait for a mail server (10 min)."""
BOUNDS: Final[Mapping[ChannelKind, Bound]] = {
    ChannelKind.MAIL: PEOPLE,
    ChannelKind.WEBHOOK: PROGRAMS,
    ChannelKind.MQTT: PROGRAMS,
}
INTERRUPTED: Final = "the process ended while it went out: nobody knows whether it arrived"


class Outbox(Protocol):
    """What sending needs of the store of alerts."""

    def claim_outgoing(self, *, by: str, now: datetime, until: datetime, limit: int) -> list[Outgoing]:
        """Take messages that are due, for oneself until an instant."""
        ...

    def begin_sending(self, key: str, *, by: str, now: datetime) -> None:
        """Note durably that a message goes out now; raise Conflict where it is not ours any more."""
        ...

    def settle_outgoing(self, message: Outgoing, *, by: str) -> None:
        """Store what became of a message; raise Conflict where it is not ours any more."""
        ...

    def alert(self, key: str) -> Alert:
        """Return an alert; raise NotFound."""
        ...

    def sent_since(self, channel: str, address: str, since: datetime) -> list[datetime]:
        """Return when messages went out to an address."""
        ...

    def waiting_for(self, channel: str, address: str, *, after: datetime, until: datetime) -> str:
        """Return the key of the first message to an address that waits and is due then, empty where there is none."""
        ...

    def join_outgoing(
        self, message: Outgoing, into: str, *, by: str, joined: Callable[[Outgoing, Outgoing], Outgoing]
    ) -> None:
        """Store a message of ours as told, and the one that waits with what it tells; raise Conflict where it left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """How many messages went out, wait, were given up, are of unknown fate, were needless, go with another."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    uncertain: int = 0
    dropped: int = 0
    joined: int = 0

    def and_one(self, state: SendState) -> "Dispatched":
        """Return the counts with one more of a state."""
        return replace(self, **{state.value: getattr(self, state.value) + 1})


def no_attachments(_message: Outgoing) -> Attached:
    """Return no files."""
    return Attached()


class Dispatcher:
    """Sends what is due. `name` tells processes apart; `attach` gives the files of a message when it goes out.

    What `attach` cannot make does not hold a message back; it is noted with it. `bounds` keep storms from addresses.
    """

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[ChannelKind, Channel],
        *,
        name: str,
        clock: Clock,
        attach: Callable[[Outgoing], Attached] = no_attachments,
        bounds: Mapping[ChannelKind, Bound] = BOUNDS,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._name = name
        self._clock = clock
        self._attach = attach
        self._bounds = bounds
        self._unsettled: list[Outgoing] = []

    def run(self, stopped: Callable[[], bool] = lambda: False) -> Dispatched:
        """Send all that is due, until there is no more or we are to stop; what fails waits and stops no other."""
        self._settle_late()
        done = Dispatched()
        while not stopped():
            now = self._clock()
            taken = self._outbox.claim_outgoing(by=self._name, now=now, until=now + LEASE, limit=1)
            if not taken:
                break
            state = self._one(taken[0])
            done = done if state is None else done.and_one(state)
        return done

    def _one(self, message: Outgoing) -> SendState | None:
        """Send one and store what became of it; None where another process took it from us."""
        after = self._needless(message) or self._interrupted(message) or self._held(message) or self._tried(message)
        if after.state is SendState.JOINED:
            return after.state
        try:
            self._outbox.settle_outgoing(after, by=self._name)
        except Conflict:
            return None
        except StoreError:
            self._unsettled.append(after)
            raise
        return after.state

    def _settle_late(self) -> None:
        """Store what became of messages while the store was away."""
        while self._unsettled:
            with suppress(Conflict):
                self._outbox.settle_outgoing(self._unsettled[0], by=self._name)
            del self._unsettled[0]

    def _needless(self, message: Outgoing) -> Outgoing | None:
        """Return a message dropped that waited for its hour and tells only of faults that ended meanwhile."""
        waited = message.state is SendState.CLAIMED and not message.attempts and message.due > message.created
        if not (waited and message.items) or any(self._matters(item, message.created) for item in message.items):
            return None
        return self._after(message, SendState.DROPPED, "it was over before it was due")

    def _matters(self, item: Item, since: datetime) -> bool:
        if item.occasion in {Occasion.ENDED, Occasion.DIGEST}:
            return True
        try:
            alert = self._outbox.alert(item.alert)
        except NotFound:
            return False
        return alert.ended_at is None or alert.ended_at <= since

    def _held(self, message: Outgoing) -> Outgoing | None:
        """Return a message that waits, alone or in another, for its address was sent enough; None where it may go."""
        bound, now = self._bounds.get(message.channel), self._clock()
        if bound is None or message.state is not SendState.CLAIMED or not message.items:
            return None
        free = bound.free_at(self._outbox.sent_since(message.channel, message.address, now - bound.within), now)
        if free <= now:
            return None
        if bound.joins and self._joined(message, now, free):
            return part_of(message, "", now)
        return replace(self._after(message, SendState.WAITING, HELD), due=free)

    def _joined(self, message: Outgoing, now: datetime, free: datetime) -> bool:
        """Put a message into one that waits for the same address; False where there is none."""
        into = self._outbox.waiting_for(message.channel, message.address, after=now, until=free)
        if not into:
            return False
        try:
            self._outbox.join_outgoing(part_of(message, into, now), into, by=self._name, joined=joined)
        except Conflict:  # it went out meanwhile: this one waits by itself
            return False
        return True

    def _interrupted(self, message: Outgoing) -> Outgoing | None:
        channel = self._channels.get(message.channel)
        if message.state is not SendState.SENDING or (channel is not None and channel.repeatable):
            return None
        return self._after(message, SendState.UNCERTAIN, INTERRUPTED)

    def _tried(self, message: Outgoing) -> Outgoing:
        channel = self._channels.get(message.channel)
        message = replace(message, attempts=message.attempts + 1)
        if channel is None:
            return self._later(message, f"no {message.channel} is set up")
        begin = partial(self._begin, message.key)
        attached = self._attach(message)
        try:
            sent = channel.send(message, attached.files, begin)
        except Conflict:  # somebody else has it now: nothing went out from here
            return message
        return self._judged(message, sent, attached.trouble)

    def _begin(self, key: str) -> None:
        self._outbox.begin_sending(key, by=self._name, now=self._clock())

    def _judged(self, message: Outgoing, sent: Sent, lacking: str) -> Outgoing:
        if not sent.error:
            return self._after(message, SendState.SENT, lacking)
        if sent.uncertain and not self._channels[message.channel].repeatable:
            return self._after(message, SendState.UNCERTAIN, sent.error)
        if sent.recoverable or sent.uncertain:
            return self._later(message, sent.error)
        return self._after(message, SendState.FAILED, sent.error)

    def _later(self, message: Outgoing, error: str) -> Outgoing:
        if message.attempts >= MOST_TRIES:
            return self._after(message, SendState.FAILED, f"given up after {message.attempts} tries: {error}")
        due = self._clock() + pause_after(message.attempts)
        return replace(self._after(message, SendState.WAITING, error), due=due)

    def _after(self, message: Outgoing, state: SendState, error: str) -> Outgoing:
        return replace(message, state=state, error=error, changed=self._clock())


def pause_after(attempts: int) -> timedelta:
    """Return the rest after so many tries."""
    return timedelta(minutes=PAUSES_MIN[min(max(attempts, 1), len(PAUSES_MIN)) - 1])
