"""Files between a dry run and its confirmation: held in memory, few, for a short time."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.errors import NotFound

MOST: Final = 8
KEPT: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file that was uploaded and not yet confirmed."""

    name: str
    content: bytes
    at: datetime


class Staging:
    """Holds uploaded files; the oldest go first."""

    def __init__(self) -> None:
        self._files: dict[str, Staged] = {}
        self._lock = threading.Lock()

    def hold(self, name: str, content: bytes, now: datetime) -> str:
        """Keep a file and return the key that confirms it."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            fresh = {k: f for k, f in self._files.items() if now - f.at < KEPT}
            kept = list(fresh.items())[-(MOST - 1) :]
            self._files = {**dict(kept), key: Staged(name=name, content=content, at=now)}
        return key

    def take(self, key: str, now: datetime) -> Staged:
        """Return a file and forget it; raise NotFound where it is not held any more."""
        with self._lock:
            found = self._files.pop(key, None)
        if found is None or now - found.at >= KEPT:
            raise NotFound("the uploaded file is not held any more; upload it again")
        return found
