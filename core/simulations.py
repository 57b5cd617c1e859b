"""Simulated meters as people start and stop them: what they may have wrong, what was laid, and how far it has come.

Instants are aware. A run is of one process; what it sent and what was laid on it stays, so that the next goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from core.errors import InputError
from core.notes import JsonValue

MOST_BUILDINGS: Final = 60
MOST_SPEED: Final = 86_400.0
MOST_DAYS: Final = 400
"""A run may begin at most so long ago."""
Given = float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a kind of fault is told: its default (None: what suits the meter), bounds, and unit as people read it."""

    name: str
    default: Given | None
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, given: object) -> Given | None:
        """Return a given value, of text too, as the parameter's kind; raise InputError that names it."""
        if given is None or given == "":
            return self.default
        if isinstance(self.default, bool):
            return given in {True, "true", "on", "1"}
        if self.choices:
            if given not in self.choices:
                raise InputError(
                    f"{given!r} cannot be", place=self.name, remedy=f"write one of {', '.join(self.choices)}"
                )
            return str(given)
        return self._number(given)

    def _number(self, given: object) -> float:
        try:
            value = float("".join(str(given).split()).replace("\N{MINUS SIGN}", "-").replace(",", "."))
        except ValueError as err:
            raise InputError(f"{given!r} is no number", place=self.name, remedy="write one such as 1.5") from err
        low = -MOST_NUMBER if self.least is None else self.least
        high = MOST_NUMBER if self.most is None else self.most
        if not low <= value <= high:
            raise InputError(f"{value:g} cannot be", place=self.name, remedy=f"write {low:g} to {high:g}")
        return value


MOST_NUMBER: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultForm:
    """A kind of fault as it is asked for; `hours` is its usual length (None: it happens at an instant).

    `open_end`: it may last. `early`: only a meter that has sent nothing yet can have it.
    """

    kind: str
    parameters: tuple[Parameter, ...] = ()
    hours: float | None = None
    open_end: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationWish:
    """Which meters are to run: the seed makes them, no `devices` means all of the buildings.

    `since` is where a seed that never ran begins (None: now); what is past goes out `speed` times as fast as it passed.
    `samples`: with faults of every kind, spread over the time before now, as the demo has them.
    """

    seed: int = 1
    buildings: int = 3
    devices: tuple[str, ...] = ()
    speed: float = 3600.0
    since: datetime | None = None
    samples: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 10**6:
            raise InputError(f"seed {self.seed} cannot be", place="seed", remedy="write 0 to 999999")
        if not 1 <= self.buildings <= MOST_BUILDINGS:
            raise InputError(
                f"{self.buildings} buildings cannot be", place="buildings", remedy=f"write 1 to {MOST_BUILDINGS}"
            )
        if not 1 <= self.speed <= MOST_SPEED:
            raise InputError(
                f"speed {self.speed:g} cannot be",
                place="speed",
                remedy=f"write 1 for real time, 3600 for an hour a second, at most {MOST_SPEED:g}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultWish:
    """A fault to lay on a meter: from an instant (None: now) for hours (None: without end, or the kind's usual)."""

    device: str
    kind: str
    since: datetime | None = None
    hours: float | None = None
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMeter:
    """A meter that does not exist: the name that it sends under, its register, and where it would stand."""

    device: str
    register: str
    unit: str
    commodity: str
    point: str
    building: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The truth about a fault: what befell which meter, when; `known_from` is when it could be seen at the earliest.

    `devices` are the names that the meter sends under; `until` None while it lasts. `amount` in `unit` as in `truth`.
    """

    device: str
    devices: tuple[str, ...]
    register: str
    kind: str
    since: datetime
    until: datetime | None
    known_from: datetime
    by: str
    amount: float | None = None
    unit: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationState:
    """How a process's simulation stands.

    `fixed`: the region is given (the demo's) and only starts and stops. `reached` is the simulated time up to which all
    was handed over; `sent` readings were acknowledged by the broker; `trouble` says why it ended or what it waits for.
    """

    running: bool
    fixed: bool
    region: str
    buildings: int = 0
    speed: float = 1.0
    begun: datetime | None = None
    reached: datetime | None = None
    started: datetime | None = None
    by: str = ""
    sent: int = 0
    waiting: int = 0
    trouble: str = ""
    meters: tuple[SimulatedMeter, ...] = ()
    planted: tuple[Planted, ...] = ()


class Simulations(Protocol):
    """The simulated meters of this process; one run at a time."""

    def forms(self) -> Sequence[FaultForm]:
        """Return the kinds of faults with what they are told."""
        ...

    def state(self) -> SimulationState:
        """Return how it stands; of a run that ended, what it was."""
        ...

    def meters(self, seed: int, buildings: int) -> Sequence[SimulatedMeter]:
        """Return the meters that a seed would make."""
        ...

    def start(self, wish: SimulationWish, by: str) -> None:
        """Start a run; raise Conflict where one runs, InputError where a name belongs to a meter that is real."""
        ...

    def stop(self, by: str) -> None:
        """Stop the run and wait until it has; nothing happens where none runs."""
        ...

    def inject(self, wish: FaultWish, by: str) -> Planted:
        """Lay a fault on a running meter; raise Conflict where none runs, InputError where it cannot be."""
        ...
