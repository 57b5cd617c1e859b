"""What every table of dated values says of its rows: where a value comes from, whom it concerns, when it holds.

A value holds for whole months: `since` is the first of a month, `until` the first of the month in which it holds no
more. So a month has one value, and periods add up from months.
"""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.errors import InputError
from core.registry import Point


class Status(StrEnum):
    """What kind of value it is."""

    OFFICIAL = "official"
    PRELIMINARY = "preliminary"
    DEFAULT = "default"
    SUPPLIER = "supplier"
    EXPERT = "expert"


class Trust(StrEnum):
    """How its source was seen; `transcribed` wants a look at the original before it is reported."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TRANSCRIBED = "transcribed"
    COMPUTED = "computed"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a value comes from. A value that is replaced stays, and its `version` goes up."""

    source: str
    status: Status = Status.OFFICIAL
    trust: Trust = Trust.OPERATOR
    version: int = 1
    note: str = ""

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise InputError("a value has no source", remedy="write who published it and where")
        if self.version < 1:
            raise InputError(f"version {self.version} cannot be", remedy="count versions from 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Whole months [since, until); None: no end yet."""

    since: date
    until: date | None = None

    def __post_init__(self) -> None:
        for name, day in (("since", self.since), ("until", self.until)):
            if day is not None and day.day != 1:
                raise InputError(f"{name} {day} is not the first of a month", remedy="write the first of a month")
        if self.until is not None and self.until <= self.since:
            raise InputError(f"it holds until {self.until}, before or as it begins", remedy="write a later until")

    def holds(self, day: date) -> bool:
        """Return whether it holds on a day."""
        return self.since <= day and (self.until is None or day < self.until)

    def overlaps(self, other: "Validity") -> bool:
        """Return whether two share a month."""
        return (other.until is None or self.since < other.until) and (self.until is None or other.since < self.until)


ALWAYS = Validity(since=date(1900, 1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom a row concerns: these points, those of buildings or organisations; none named: all."""

    points: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()

    def closeness(self, point: Point, organisation: str) -> int:
        """Return how closely a point is meant: 3 itself, 2 its building, 1 its organisation, 0 all, -1 not at all."""
        if point.id in self.points:
            return 3
        if point.building in self.buildings:
            return 2
        if organisation in self.organisations:
            return 1
        return -1 if self.points or self.buildings or self.organisations else 0


def check_positive(thing: str, value: float | None, *, zero: bool = False) -> None:
    """Raise InputError for what is no number above zero (`zero`: or zero)."""
    if value is not None and not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise InputError(f"{thing} {value} cannot be", remedy="write a number above zero")
