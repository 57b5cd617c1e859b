"""What a guarantor delivers for a report: texts, values entered by hand and their evidence; and what became of it.

One delivery a report and area. Which act its state allows is told by `services.delivery_steps`; the store changes a
delivery only of the version that it knows, so that nobody overwrites what somebody else wrote meanwhile.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from core.codes import check_id
from core.errors import InputError
from core.indicators import Amount
from core.notes import AuditEntry
from core.report_periods import ReportId

ENTITY: Final = "delivery"
"""How the audit trail names a delivery: its history are the entries of this entity and its id."""
ACTIVITY_TEXT: Final = "activity:"
"""The texts of single activities are kept under this and the activity's id."""
TEXT_LIMIT: Final = 50_000


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DRAFT = "draft"
    DELIVERED = "delivered"  # by the guarantor, to be checked
    RETURNED = "returned"  # by the coordinator, with what is to be mended
    CHECKED = "checked"  # by the coordinator
    PUBLISHED = "published"


EDITABLE: Final = frozenset({DeliveryState.DRAFT, DeliveryState.RETURNED})
"""States in which texts and values may be changed."""


class Text(StrEnum):
    """What a report tells of an area in words."""

    REALISED = "realised"  # what was realised
    FULFILMENT = "fulfilment"  # how activities were fulfilled, all together
    EVALUATION = "evaluation"  # what the indicators say
    TRENDS = "trends"  # of the mid-year report
    COMMUNICATION = "communication"  # same
    PARTNERSHIP = "partnership"  # same
    STATE_OF_WORK = "state_of_work"  # same


class DeliveryAct(StrEnum):
    """What somebody did with a delivery."""

    EDIT = "edit"
    COMMENT = "comment"
    DELIVER = "deliver"
    RECALL = "recall"  # the guarantor takes it back before it is checked
    RETURN = "return"
    CHECK = "check"
    CHECK_VALUE = "check_value"
    PUBLISH = "publish"
    REOPEN = "reopen"  # after publication, for a new version


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that a value rests on; its content is kept under its SHA-256 (`digest`), of `size` bytes."""

    id: str
    name: str
    media_type: str
    size: int
    digest: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandValue:
    """An indicator's figures as its guarantor enters them; where a number is None, the comment says why."""

    indicator: str
    amounts: tuple[Amount, ...]
    comment: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        check_id("indicator", self.indicator)
        figures = [amount.figure for amount in self.amounts]
        if len(set(figures)) < len(figures):
            raise InputError(f"indicator {self.indicator} has a figure twice", remedy="give each figure once")
        for amount in self.amounts:
            numbers = [n for n in (amount.value, amount.low90, amount.high90) if n is not None]
            if not all(map(math.isfinite, numbers)):
                raise InputError(
                    f"figure {amount.figure} of {self.indicator} is no number", remedy="write a number, or leave it out"
                )
            if amount.value is None and not self.comment.strip():
                raise InputError(
                    f"figure {amount.figure} of {self.indicator} has neither number nor reason",
                    remedy="write the number, or say in the comment why it is not known",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCheck:
    """That the coordinator saw a computed value and takes it; `digest` is of the value as it was then."""

    indicator: str
    digest: str
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An act on a delivery: who, when, the state after it, and what was said."""

    act: DeliveryAct
    by: str
    at: datetime
    state: DeliveryState
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What an area delivers for a report. `version` 0 where nothing was stored yet; `steps` are the acts, oldest first.

    `texts` by `Text` or `activity:ID`. `values` are those entered by hand, `checks` those of computed values.
    """

    report: ReportId
    area: str
    state: DeliveryState = DeliveryState.DRAFT
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    values: tuple[HandValue, ...] = ()
    checks: tuple[ValueCheck, ...] = ()
    steps: tuple[Step, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        check_id("area", self.area)
        wrong = [key for key in self.texts if key not in set(Text) and not key.startswith(ACTIVITY_TEXT)]
        if wrong:
            raise InputError(
                f"text {wrong[0]!r} is not known",
                place="texts",
                remedy=f"write one of {', '.join(Text)}, or {ACTIVITY_TEXT}ID",
            )
        long = [key for key, text in self.texts.items() if len(text) > TEXT_LIMIT]
        if long:
            raise InputError(f"text {long[0]} is longer than {TEXT_LIMIT} characters", remedy="shorten it")
        named = [value.indicator for value in self.values]
        if len(set(named)) < len(named):
            raise InputError(f"area {self.area} gives an indicator twice", place="values", remedy="give each once")

    @property
    def id(self) -> str:
        """The report and the area."""
        return f"{self.report}/{self.area}"

    @property
    def editable(self) -> bool:
        """Whether texts and values may be changed."""
        return self.state in EDITABLE

    def value(self, indicator: str) -> HandValue | None:
        """Return the value entered for an indicator, None where there is none."""
        return next((value for value in self.values if value.indicator == indicator), None)

    def last(self, act: DeliveryAct) -> Step | None:
        """Return the last step of an act, None where it was never done."""
        return next((step for step in reversed(self.steps) if step.act is act), None)


class DeliveryStore(Protocol):
    """Keeps deliveries and evidence. Changing a delivery is audited in the same transaction."""

    def change_deliveries(self, deliveries: Sequence[Delivery], entries: Sequence[AuditEntry]) -> None:
        """Store all of them durably, or nothing.

        A delivery is new at version 1 and stored else only in the place of the version before; raise Conflict where
        somebody was faster.
        """
        ...

    def delivery(self, report: ReportId, area: str) -> Delivery:
        """Return a delivery; one that nobody wrote yet is an empty draft of version 0."""
        ...

    def deliveries(self, report: ReportId | None = None) -> list[Delivery]:
        """Return the stored deliveries of a report (None: of all), ordered by report and area."""
        ...

    def keep_evidence(self, digest: str, content: bytes) -> None:
        """Keep a file durably under its SHA-256 (hexadecimal); the same again leaves one.

        Raise InputError where the content has another.
        """
        ...

    def evidence(self, digest: str) -> bytes:
        """Return a file; raise NotFound, and StoreError where it is not what it was any more."""
        ...
