"""Reads the dead letters of Sparkplug nodes again whose birth was missing when they came and is known now."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from core.errors import StoreError
from core.notes import DeadLetter
from core.ports import RecordStore, Taken
from ingest.sparkplug_profile import BIRTH_MISSING, SparkplugProfile

log = logging.getLogger(__name__)

LOOKED_EVERY_S: Final = 5.0
PAGE: Final = 500
MOST_PAGES: Final = 200

Replay = Callable[[list[DeadLetter]], Taken]


class LateBirths:
    """Looks now and then for nodes that were born late, in a thread of its own.

    A store that is down is asked again the next time: nodes are forgotten only after their letters were read.
    """

    def __init__(
        self,
        profile: SparkplugProfile,
        *,
        records: RecordStore,
        replay: Replay,
        every_s: float = LOOKED_EVERY_S,
    ) -> None:
        self._profile = profile
        self._records = records
        self._replay = replay
        self._every_s = every_s
        self._due: set[tuple[str, str]] = set()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="rebirths", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the page at hand; may be called twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> int:
        """Read what can be read now and return the number of readings; raise StoreError."""
        self._due |= set(self._profile.found())
        if not self._due:
            return 0
        readings = sum(self._replay(page).readings for page in self._pages())
        self._due.clear()
        return readings

    def _pages(self) -> list[list[DeadLetter]]:
        """Return the open letters of nodes that are due, as they came."""
        pages, after = [], 0
        for _ in range(MOST_PAGES):
            found = self._records.letters(reason=BIRTH_MISSING, after=after, limit=PAGE)
            mine = [x for x in found if self._profile.node_of(x.topic) in self._due]
            pages += [mine] if mine else []
            if len(found) < PAGE:
                break
            after = found[-1].id
        return pages

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                readings = self.look()
            except StoreError as err:
                log.warning("dead letters of Sparkplug nodes wait for a store", extra={"reason": str(err)})
            else:
                if readings:
                    log.info("dead letters were read after their births", extra={"readings": readings})
