"""Files between a dry run and its confirmation, which may meet different processes of the API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """A file that was uploaded and not yet confirmed, by the key that confirms it."""

    key: str
    name: str
    content: bytes
    at: datetime


class StagedFiles(Protocol):
    """Holds uploaded files for a short time."""

    def hold_file(self, file: StagedFile, *, since: datetime, most: int) -> None:
        """Hold a file; of those held before, the newest `most` - 1 stay that came at or after `since`."""
        ...

    def take_file(self, key: str) -> StagedFile:
        """Return a held file and forget it: of two that ask at once, one gets it; raise NotFound."""
        ...
