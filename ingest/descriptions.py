"""What discovery learnt, kept in the records: known after a restart before any message, and shown in the inbox."""

import json
from collections.abc import Sequence
from typing import Final

from core.calendar import instant, micros
from core.notes import Description, Proposal
from core.ports import RecordStore
from ingest.message import Message
from ingest.profile import Router
from ingest.source import Source

FOLLOWED_KEY: Final = "mqtt/followed/"


class Descriptions:
    """Passes descriptions between the describers of a router and the records, and their topics to a source."""

    def __init__(self, router: Router, records: RecordStore) -> None:
        self._router = router
        self._records = records
        self._recalled: dict[str, bytes] = {}
        self._kept: list[Description] = []
        self._described_by: dict[str, None] = {}
        self._proposals: list[Proposal] = []
        self._followed: tuple[str, ...] | None = None
        self._learnt = -1

    def recall(self) -> None:
        """Teach the describers what is kept and new to them; raise StoreUnavailable."""
        if not self._router.describers:
            return
        new = [d for d in self._records.descriptions() if self._recalled.get(d.topic) != d.payload]
        for describer in self._router.describers:
            messages = [_message(d) for d in new if d.profile == describer.name]
            if messages:
                describer.decode(messages)
                describer.told()
        self._recalled |= {d.topic: d.payload for d in new}

    def keep(self) -> None:
        """Keep what was learnt since; raise StoreUnavailable, and keep it the next time."""
        for describer in self._router.describers:
            told = describer.told()
            self._kept += told.descriptions
            self._described_by |= dict.fromkeys(told.described_by)
            again = set(told.described_by)
            self._proposals = [p for p in self._proposals if p.description not in again] + list(told.proposals)
        if self._kept:
            self._records.keep_descriptions(self._kept)
            self._recalled |= {d.topic: d.payload for d in self._kept}
            self._kept = []
        if self._described_by:
            self._records.propose(tuple(self._described_by), self._proposals)
            self._described_by, self._proposals = {}, []

    def follow(self, source: Source) -> None:
        """Have a source follow the topics that are described, where they changed; raise StoreUnavailable."""
        if self._learnt == self._router.learnt:
            return
        learnt, topics = self._router.learnt, self._router.followed
        if topics != self._followed:
            key = f"{FOLLOWED_KEY}{source.status().name}"
            former: Sequence[str] = ()
            if self._followed is None:
                former = json.loads(self._records.kept(key) or "[]")
            # Kept before it is asked for: the broker holds the subscription from then on, whatever happens to us.
            self._records.keep(key, json.dumps(list(dict.fromkeys([*topics, *former]))))
            source.follow(topics, former=former)
            self._followed = topics
        self._learnt = learnt


def _message(description: Description) -> Message:
    received = int(micros(instant(description.seen)))
    return Message(topic=description.topic, payload=description.payload, received=received, retained=True)
