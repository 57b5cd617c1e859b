"""Turns at recurring work: it is done by one process at a time, and as often as it is due, whoever else runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """How a turn ended."""

    DONE = "done"
    FAILED = "failed"
    LEFT = "left"  # the process was told to stop: another may go on at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What asking for a turn gave: whether it was taken, else after how many seconds [s] it is worth asking again.

    `succeeded` is when the work last ended well, in whichever process (None: never).
    """

    taken: bool
    wait_s: float
    succeeded: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often work is done [s]: from begin to begin, after a failure sooner where `retry_s` is less.

    A turn lasts `lease_s` and as long as it is prolonged; whoever does not prolong it in time has lost it.
    """

    every_s: float
    retry_s: float
    lease_s: float


class Leases(Protocol):
    """Gives turns at named work. The store's clock counts, not those of the processes, which may differ."""

    def take(self, name: str, *, by: str, pace: Pace) -> Turn:
        """Take a turn at work that is due and in nobody's hands.

        Work that was never done is due, and so is that of a turn that was lost or left.
        """
        ...

    def prolong(self, names: Sequence[str], *, by: str, lease_s: float) -> frozenset[str]:
        """Keep the turns of these names for another `lease_s`; return those that are still ours."""
        ...

    def give_back(self, name: str, *, by: str, outcome: Outcome) -> None:
        """End a turn. One that was lost is left as it is."""
        ...
