"""Values of indicators: what is told, of whom and when, how well it is known, and what it rests on.

Spans are calendar days, half-open: `first` up to the day before `end`. Nothing here is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from core.errors import InputError
from core.notes import JsonValue


class ScopeKind(StrEnum):
    """Of whom a value is."""

    REGION = "region"
    ORGANISATION = "organisation"
    BUILDING = "building"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The whole region (key empty), an organisation or a building by its id."""

    kind: ScopeKind = ScopeKind.REGION
    key: str = ""

    def __post_init__(self) -> None:
        if (self.kind is ScopeKind.REGION) == bool(self.key):
            raise InputError(f"scope {self.kind} {self.key!r} cannot be", remedy="name an id, none for the region")

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else str(self.kind)


class ValueStatus(StrEnum):
    """How a value may be used."""

    PROVISIONAL = "provisional"  # the period runs, or too little of it is measured
    FINAL = "final"
    UNKNOWN = "cannot_be_determined"  # nelze stanovit; the reasons say why


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why a value is lacking or provisional: a code that has a Czech text, its facts, and what it concerns."""

    code: str
    facts: Mapping[str, str | int | float] = field(default_factory=lambda: MappingProxyType({}))
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A figure's number, None where it cannot be determined; its 90 % interval where it is an estimate."""

    figure: str
    value: float | None
    low90: float | None = None
    high90: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Shares of time over the points (sum 1), how many points there are, and which lack something."""

    measured: float
    estimated: float
    missing: float
    points: int
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A dated value that was used (emission factor, price, population, normal): its name, version and source."""

    kind: str
    key: str
    version: int
    since: str
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece that a figure is made of: of a building, a point, a measure, a carrier; the pieces add up to it."""

    figure: str
    kind: str
    key: str
    value: float | None
    facts: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An indicator's value of a span and a scope, with everything that it rests on.

    `method` is the name of the computation and `version` its version ("hand" where it was entered). `cutoff` is the
    instant up to which readings had come in, `register` the version of the register. `activities` and `measures` are
    those that the value is attributed to. `parts` say what it is made of.
    """

    indicator: str
    scope: Scope
    first: date
    end: date
    amounts: tuple[Amount, ...]
    status: ValueStatus
    method: str
    version: int
    cutoff: datetime
    register: int
    computed_at: datetime
    coverage: Coverage | None = None
    reasons: tuple[Because, ...] = ()
    used: tuple[Used, ...] = ()
    activities: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    note: str = ""

    def amount(self, figure: str = "") -> Amount:
        """Return a figure's amount, the main one's where none is named."""
        for one in self.amounts:
            if not figure or one.figure == figure:
                return one
        raise InputError(f"{self.indicator} has no figure {figure!r}", remedy="name one of its figures")
