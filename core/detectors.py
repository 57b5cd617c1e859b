"""How the rules of detectors are set, what was learnt of points, and what devices are heard through; and its store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from core.errors import InputError
from core.notes import AuditEntry

ENTITY: Final = "rule_setting"
"""How the audit trail names a setting: its history are the entries of this entity and its id."""
LEAST_FACTOR, MOST_FACTOR = 0.5, 4.0


class SettingScope(StrEnum):
    """Where a setting holds; a narrower one goes before a wider one."""

    EVERYWHERE = "everywhere"
    BUILDING = "building"
    POINT = "point"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetting:
    """How one rule is set at a point, in a building (`key` is its id) or everywhere (`key` is empty).

    `factor` multiplies what must show until the rule speaks; None leaves it, as `enabled` None does, to the wider
    setting. `answers` are the steps of alerts' histories (their numbers) that made this factor.
    """

    scope: SettingScope
    key: str
    rule: str
    changed: datetime
    by: str
    enabled: bool | None = None
    factor: float | None = None
    why: str = ""
    answers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.scope is SettingScope.EVERYWHERE) != (not self.key):
            raise InputError(
                f"a setting of {self.rule} for {self.scope} names {self.key or 'nothing'}",
                place="key",
                remedy="name the building or point, or nothing for everywhere",
            )
        if self.factor is not None and not LEAST_FACTOR <= self.factor <= MOST_FACTOR:
            raise InputError(
                f"factor {self.factor} of {self.rule} cannot be",
                place="factor",
                remedy=f"write one from {LEAST_FACTOR} to {MOST_FACTOR:g}",
            )

    @property
    def id(self) -> str:
        """What it is the only setting of."""
        return f"{self.scope}/{self.key}/{self.rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was learnt of a point until an instant, for looking at what came since; `content` belongs to who made it."""

    point: str
    until: datetime
    content: bytes


class DetectorStore(Protocol):
    """Keeps settings of rules, what was learnt of points, and topics of devices."""

    def set_rules(
        self, settings: Sequence[RuleSetting], entries: Sequence[AuditEntry], *, dropping: Sequence[str] = ()
    ) -> None:
        """Insert or replace settings and remove those of the ids `dropping`, with their history, or nothing."""
        ...

    def rule_settings(self) -> list[RuleSetting]:
        """Return all settings, ordered by id."""
        ...

    def keep_learnt(self, learnt: Sequence[Learnt]) -> None:
        """Keep what was learnt durably, one a point, in the place of what there was."""
        ...

    def learnt(self, points: Sequence[str] | None = None) -> list[Learnt]:
        """Return what was learnt of these points (None: of all), ordered by point."""
        ...

    def forget_learnt(self, points: Sequence[str]) -> None:
        """Remove what was learnt of these points."""
        ...

    def note_topics(self, topics: Mapping[str, str]) -> None:
        """Keep the topic under which each device was heard last."""
        ...

    def topics(self) -> dict[str, str]:
        """Return the topic of each device that was heard over MQTT."""
        ...
