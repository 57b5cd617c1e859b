"""A router over profiles that is told messages one after the other, as a broker would send them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from core.calendar import instant, micros
from core.notes import Proposal
from ingest.accept import Bounds
from ingest.message import Message
from ingest.profile import Profile, Router, Told
from ingest.profiles.lines import Line, explain

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


class Talk:
    """Says messages to profiles and keeps what they propose."""

    def __init__(self, *profiles: Profile) -> None:
        self.router = Router(profiles)

    def say(self, topic: str, payload: object, *, retained: bool = False) -> Line:
        """Return what becomes of a message; a payload that is no text is written as JSON."""
        raw = payload if isinstance(payload, bytes) else _text(payload).encode()
        at = instant(NOW)
        message = Message(topic=topic, payload=raw, received=int(micros(at)), retained=retained)
        return explain(message, self.router, now=at, bounds=Bounds())

    def readings(self, topic: str, payload: object) -> list[tuple[str, str, float, str | None]]:
        """Return meter, register, value and unit of each reading."""
        line = self.say(topic, payload)
        assert "problems" not in line, line
        return [(r["meter"], f"{r['quantity']}.{r['register']}", r["value"], r["unit"]) for r in line["readings"]]

    def told(self) -> Told:
        """Return what the describers learnt."""
        told = [d.told() for d in self.router.describers]
        return Told(
            tuple(d for t in told for d in t.descriptions),
            tuple(d for t in told for d in t.described_by),
            tuple(p for t in told for p in t.proposals),
        )

    def proposals(self) -> Sequence[Proposal]:
        """Return what is proposed since it was last asked."""
        return self.told().proposals


def _text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload)
