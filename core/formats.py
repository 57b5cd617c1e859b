"""The formats that are read, as people see and add them: what the acts and pages need of the profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.notes import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A profile: where it is from (own, bundled, built in), its topic filters, how many test cases it has, its text."""

    name: str
    title: str
    about: str
    origin: str
    topics: tuple[str, ...]
    cases: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test case of a profile that was run; `faults` tell how what came differs from what it expects."""

    profile: str
    line: int
    topic: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A number in a sample and what its name proposes; `unit` empty where nothing tells it."""

    path: str
    value: str
    quantity: str
    unit: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is found in a message: its form, where rows may be (`lists`), and in rows of `each` numbers, names, times.

    `names` are texts that may name the meter ("{serial}"), `times` have the format of each place that holds one.
    """

    topic: str
    payload: bytes
    form: str
    each: str
    lists: tuple[str, ...]
    numbers: tuple[Found, ...]
    names: tuple[str, ...]
    times: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a person says of a number: `unit` empty where the format states none."""

    path: str
    quantity: str
    unit: str = ""
    kind: str = ""
    register: str = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a person says of a format: its name, topics, whose readings they are, of when, and what the numbers mean."""

    name: str
    topic: str
    meter: str
    readings: tuple[Chosen, ...]
    each: str = ""
    time: str = ""
    time_format: str = "auto"
    zone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A profile that is written and not yet saved, and what it reads of its sample (lines as of `odecet decode`)."""

    name: str
    text: str
    readings: tuple[Mapping[str, JsonValue], ...]


class FormatShelf(Protocol):
    """Knows the profiles. What is wrong with a sample, a choice or a file raises InputError with place and remedy."""

    def known(self) -> Sequence[Format]:
        """Return the profiles that messages are read by now, an operator's own first."""
        ...

    def overlaps(self) -> Sequence[tuple[str, str, str]]:
        """Return pairs of profiles that read the same topic filter with equal right, and the filter."""
        ...

    def test(self, names: Sequence[str] = ()) -> Sequence[Trial]:
        """Run the test cases of these profiles (none: of all)."""
        ...

    def decode(self, topic: str, payload: bytes) -> Mapping[str, JsonValue]:
        """Return what would be read of a message (readings, ignored or rejected); nothing is stored."""
        ...

    def inspect(self, topic: str, payload: bytes, each: str = "") -> Sample:
        """Return what is in a message, in rows of `each`."""
        ...

    def draft(self, topic: str, payload: bytes, choices: Choices) -> Draft:
        """Return the profile that says these choices, its sample as test case."""
        ...

    def save(self, text: str) -> Format:
        """Write a profile whose cases come out as they say into the operator's folder, and read by it from now on."""
        ...
