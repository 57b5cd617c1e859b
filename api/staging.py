"""Files between a dry run and its confirmation: few, for a short time, in the store that all processes share."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from core.errors import NotFound
from core.staged import StagedFile, StagedFiles

MOST: Final = 8
KEPT: Final = timedelta(minutes=30)


class Staging:
    """Holds uploaded files; the oldest go first."""

    def __init__(self, store: StagedFiles) -> None:
        self._store = store

    def hold(self, name: str, content: bytes, now: datetime) -> str:
        """Keep a file and return the key that confirms it."""
        key = secrets.token_urlsafe(16)
        self._store.hold_file(StagedFile(key=key, name=name, content=content, at=now), since=now - KEPT, most=MOST)
        return key

    def take(self, key: str, now: datetime) -> StagedFile:
        """Return a file and forget it; raise NotFound where it is not held any more."""
        found = self._store.take_file(key)
        if now - found.at >= KEPT:
            raise NotFound("the uploaded file is not held any more; upload it again")
        return found
